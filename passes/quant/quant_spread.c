/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_spread.c - how the elements of a value are spread, and which grid of integers suits them.
 *
 * Magnitudes are counted in SPREAD_BINS bins on each side of 0, whose width is a power of two and
 * doubles, two bins becoming one, when an element does not fit. So memory is constant, each element
 * is seen once, and the counts do not depend on the order of the elements.
 *
 * The error of a grid is that of elements spread evenly in each bin, which has a closed form: with
 * t in steps of the grid, the integral of (t - rne(t))^2 from 0 to t is rne(t)/12 + (t -
 * rne(t))^3/3.
 */
#include "quant.h"

#include <math.h>

/* ---- counting ---- */

static void widen(struct spread_side *s)
{
    for (int i = 0; i < SPREAD_BINS; i++) {
        bool there = 2 * i < SPREAD_BINS;
        s->bins[i] = there ? s->bins[2 * i] + s->bins[2 * i + 1] : 0;
    }
    s->width *= 2;
}

static void count(struct spread_side *s, float magnitude, struct arena *a)
{
    if (!s->bins) {
        s->bins = ARENA_ARRAY(a, uint64_t, SPREAD_BINS);
        s->width = ldexp(1, ilogbf(magnitude) - 8); /* it is in bin 256, or behind */
    }
    double bin = (double)magnitude / s->width; /* exact */
    for (; bin >= SPREAD_BINS; bin /= 2)
        widen(s);
    s->bins[(int)bin]++;
}

bool spread_add(struct spread *s, const float *x, int64_t n, struct arena *a)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return false;
        if (x[i] == 0)
            s->n_zeros++;
        else
            count(&s->side[x[i] > 0], fabsf(x[i]), a);
        s->least = fminf(s->least, x[i]);
        s->most = fmaxf(s->most, x[i]);
    }
    s->n += (uint64_t)n;
    return true;
}

/* ---- a grid ---- */

/* From lo <= 0 to hi >= 0, or a little to a side: 0 is on it. */
static struct target grid_of(double lo, double hi, int64_t bits)
{
    int64_t steps = (INT64_C(1) << bits) - 1;
    double scale = (hi - lo) / (double)steps;
    struct target t = {.scale = scale < 0x1p-100 ? 1.0f : (float)scale, .lo = 0, .hi = steps};
    t.zero = (int64_t)fmin(fmax(rint(-lo / (double)t.scale), 0), (double)steps);
    return t;
}

/* Of the distance to the nearest integer, squared. */
static double integral(double t)
{
    double whole = rint(t), rest = t - whole;
    return whole / 12 + rest * rest * rest / 3;
}

/* Of elements spread evenly from a to b >= a steps, with the last integer `last`. */
static double error_between(double a, double b, double last)
{
    double inside = fmax(a, fmin(b, last)), over_a = fmax(a, last) - last,
           over_b = fmax(b, last) - last;
    double sum = integral(inside) - integral(a);
    sum += (over_b * over_b * over_b - over_a * over_a * over_a) / 3;
    return sum / (b - a);
}

static double side_error(const struct spread_side *s, double scale, double last)
{
    double sum = 0, width = s->width / scale;
    for (int i = 0; s->bins && i < SPREAD_BINS; i++) {
        if (s->bins[i])
            sum += (double)s->bins[i] * error_between(i * width, (i + 1) * width, last);
    }
    return sum;
}

/* The sum of squared errors. */
static double error_of(const struct spread *s, const struct target *t)
{
    double scale = (double)t->scale;
    return scale * scale *
           (side_error(&s->side[0], scale, (double)t->zero) +
            side_error(&s->side[1], scale, (double)(t->hi - t->zero)));
}

struct search {
    const struct spread *spread;
    int64_t bits;
    double lo, hi, error; /* the best range so far */
};

static void try_range(struct search *f, double lo, double hi)
{
    struct target t = grid_of(lo, hi, f->bits);
    double error = error_of(f->spread, &t);
    if (error < f->error) {
        f->error = error;
        f->lo = lo;
        f->hi = hi;
    }
}

/* Both ends together, from all to a tenth, then each by itself around what is best. */
struct target spread_best_grid(const struct spread *s, int64_t bits)
{
    enum { COARSE = 60, FINE = 12 };
    struct search f = {s, bits, 0, 0, INFINITY};
    for (int i = 0; i < COARSE; i++) {
        double part = 1 - 0.9 * i / COARSE;
        try_range(&f, part * (double)s->least, part * (double)s->most);
    }
    for (int turn = 0; turn < 2; turn++) {
        double lo = f.lo, hi = f.hi;
        for (int i = -FINE; i <= FINE; i++) {
            double part = 1 + 0.02 * i / (turn + 1);
            if (lo < 0)
                try_range(&f, fmax(part * lo, (double)s->least), f.hi);
            if (hi > 0)
                try_range(&f, f.lo, fmin(part * hi, (double)s->most));
        }
    }
    return grid_of(f.lo, f.hi, bits);
}

/* ---- what is cut off ---- */

static double above(const struct spread_side *s, double magnitude)
{
    double sum = 0;
    for (int i = 0; s->bins && i < SPREAD_BINS; i++) {
        double part = (i + 1) - magnitude / s->width; /* of the bin */
        sum += (double)s->bins[i] * fmin(fmax(part, 0), 1);
    }
    return sum;
}

double spread_cut_off(const struct spread *s, const struct target *t)
{
    double lo = ((double)t->zero + 0.5) * (double)t->scale;
    double hi = ((double)(t->hi - t->zero) + 0.5) * (double)t->scale;
    return s->n ? (above(&s->side[0], lo) + above(&s->side[1], hi)) / (double)s->n : 0;
}
