/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_weights.c - what a crossbar holds of quantised weights: w - zero = w' + center, w' i8.
 *
 * Where w - zero takes more bits than the weights themselves, i8 ones are held as they are with
 * center -zero, and bytes of b bits as w - 2^(b-1) with center 2^(b-1) - zero. So uint4 weights
 * take 4 bits, whatever their zero points are, and none takes a ninth.
 */
#include "int.h"

#include <limits.h>

static bool parameters_by_column(const struct ir_op *dq, int64_t axis)
{
    bool one = ir_count(&dq->in[1].value->type) == 1;
    return ir_is(dq->in[1].value, IR_constant) &&
           (dq->n_in < 3 || ir_is(dq->in[2].value, IR_constant)) &&
           (one || dq->attrs->dequantize.axis == axis);
}

bool int_weights(const struct ir_value *v, int64_t axis, struct weights *out)
{
    const struct ir_op *dq = v->def;
    if (dq->opcode != IR_dequantize || !ir_is(dq->in[0].value, IR_constant) ||
        v->def->in[0].value->type.dtype == IR_I32 || !parameters_by_column(dq, axis))
        return false;
    *out = (struct weights){.c = dq->in[0].value->def,
                            .scale = dq->in[1].value->def,
                            .zero = dq->n_in > 2 ? dq->in[2].value->def : NULL,
                            .by_rows = axis != 0};
    out->n = v->type.dim[axis];
    out->k = ir_count(&v->type) / out->n;
    return true;
}

/* ---- what the columns add up to ---- */

/* Elements of 8 bits: (byte ^ flip) - flip, flip 128 where they are signed. Sums of MANY of them
 * fit 32 bits, in which the compiler adds many at a time. */
enum { FLIP = 128, MANY = 1 << 20 };

static void add_run(struct column *c, const unsigned char *at, int64_t n, int flip, int shift)
{
    int up = 0, down = 0, least = c->least, most = c->most;
    for (int64_t i = 0; i < n; i++) {
        int x = (at[i] ^ flip) - flip + shift;
        up += x > 0 ? x : 0;
        down += x < 0 ? -x : 0;
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    *c = (struct column){c->up + up, c->down + down, least, most};
}

/* One element of each column. */
static void add_row(struct column *c, const unsigned char *at, int64_t n, int flip,
                    const int64_t *shift)
{
    for (int64_t i = 0; i < n; i++) {
        int x = (at[i] ^ flip) - flip + (int)shift[i];
        c[i].up += x > 0 ? x : 0;
        c[i].down += x < 0 ? -x : 0;
        c[i].least = x < c[i].least ? x : c[i].least;
        c[i].most = x > c[i].most ? x : c[i].most;
    }
}

struct column *int_columns(const struct ir_op *w, bool by_rows, int64_t n, const int64_t *shift,
                           struct arena *a)
{
    struct column *c = ARENA_ARRAY(a, struct column, (size_t)n + 1);
    struct arena *scratch = arena_new(); /* all of a splat */
    const unsigned char *data = ir_const_data(w, scratch);
    int64_t k = n ? ir_count(&w->out->type) / n : 0;
    int flip = w->out->type.dtype == IR_I8 ? FLIP : 0;
    for (int64_t i = 0; i < n; i++)
        c[i] = (struct column){.least = INT_MAX, .most = INT_MIN};
    for (int64_t row = 0; by_rows && row < k; row++)
        add_row(c, data + row * n, n, flip, shift);
    for (int64_t i = 0; !by_rows && i < n; i++) {
        for (int64_t row = 0; row < k; row += MANY)
            add_run(&c[i], data + i * k + row, min_i64(MANY, k - row), flip, (int)shift[i]);
    }
    blob_forget(w->attrs->constant.data);
    arena_free(scratch);
    return c;
}

/* ---- what is held ---- */

struct range {
    int64_t least, most;
};

static void widen(struct range *r, int64_t least, int64_t most)
{
    r->least = min_i64(r->least, least);
    r->most = max_i64(r->most, most);
}

/* The fewest bits that hold it: in two's complement, or of numbers that are never negative. */
static unsigned bits_of(struct range r, bool is_signed)
{
    unsigned bits = is_signed ? 2 : 1;
    while (is_signed ? r.least < -(INT64_C(1) << (bits - 1)) || r.most >= INT64_C(1) << (bits - 1)
                     : r.most >= INT64_C(1) << bits)
        bits++;
    return bits;
}

struct held int_hold(const struct weights *w, struct arena *a)
{
    bool is_signed = w->c->out->type.dtype == IR_I8;
    struct range own = {0}, difference = {0};
    int64_t *less = ARENA_ARRAY(a, int64_t, (size_t)w->n);
    struct held h = {.zero = ARENA_ARRAY(a, int64_t, (size_t)w->n),
                     .offset = ARENA_ARRAY(a, int64_t, (size_t)w->n),
                     .sum = ARENA_ARRAY(a, int64_t, (size_t)w->n)};
    for (int64_t n = 0; n < w->n; n++) {
        h.zero[n] = int_at(w->zero, n);
        less[n] = -h.zero[n];
    }
    const struct column *c = int_columns(w->c, w->by_rows, w->n, less, a);
    for (int64_t n = 0; n < w->n; n++) {
        h.sum[n] = c[n].up - c[n].down;
        widen(&difference, c[n].least, c[n].most);
        widen(&own, c[n].least + h.zero[n], c[n].most + h.zero[n]);
    }
    unsigned bits = bits_of(own, is_signed);
    h.has_center = bits_of(difference, true) > bits;
    for (int64_t n = 0; n < w->n; n++) {
        h.offset[n] = !h.has_center ? h.zero[n] : is_signed ? 0 : INT64_C(1) << (bits - 1);
        h.is_shifted = h.is_shifted || h.offset[n] || !is_signed;
    }
    return h;
}

struct ir_value *int_held_weights(const struct pass_place *at, const struct weights *w,
                                  const struct held *h)
{
    const struct ir_type *t = &w->c->out->type;
    int flip = t->dtype == IR_I8 ? FLIP : 0;
    if (!h->is_shifted)
        return w->c->out;
    struct arena *scratch = arena_new();
    const unsigned char *from = ir_const_data(w->c, scratch);
    int64_t outer = w->by_rows ? w->k : w->n, inner = w->by_rows ? w->n : w->k, i = 0;
    int8_t *data = heap_alloc((size_t)(outer * inner) + 1);
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t e = 0; e < inner; e++, i++)
            data[i] = (int8_t)((from[i] ^ flip) - flip - h->offset[w->by_rows ? e : o]);
    }
    arena_free(scratch);
    return pass_constant(at, ir_type_of(IR_I8, t->rank, t->dim),
                         blob_own(data, (size_t)(outer * inner)));
}

struct ir_value *int_centers(const struct pass_place *at, const struct weights *w,
                             const struct held *h)
{
    if (!h->has_center)
        return NULL;
    int32_t *data = heap_alloc((size_t)w->n * sizeof *data);
    for (int64_t n = 0; n < w->n; n++)
        data[n] = (int32_t)(h->offset[n] - h->zero[n]);
    return pass_constant(at, ir_type_of(IR_I32, 1, &w->n),
                         blob_own(data, (size_t)w->n * sizeof *data));
}
