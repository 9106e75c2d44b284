/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_round.c - the weights of a layer as integers of a few bits, with one scale for each column.
 *
 * A column's scale is its largest magnitude by 2^(bits-1) - 1, so that integers are symmetric; it
 * is larger where else the bias would take more than 2^30 steps of the sums, as that of a channel
 * whose weights are nearly zero does, or a step of the sums would be no normal number.
 */
#include "quant.h"

#include <float.h>
#include <math.h>

static float weight_at(const struct quant_weights *w, int64_t row, int64_t column)
{
    struct pass_floats f = pass_floats(w->constant);
    return pass_float(&f, row * w->row_step + column * w->column_step);
}

static double bias_at(const struct quant_layer *l, int64_t column)
{
    if (!l->bias)
        return 0;
    uint32_t i = l->bias->in[0].value == l->op->out;
    const struct ir_op *b = l->bias->in[i].value->def;
    return ir_const_f64(b, ir_count(&b->out->type) == 1 ? 0 : column);
}

static bool is_finite(const struct ir_op *constant)
{
    struct pass_floats f = pass_floats(constant);
    bool finite = true;
    for (int64_t i = 0, n = ir_count(&constant->out->type); i < n && finite; i++)
        finite = isfinite(pass_float(&f, i));
    return finite;
}

bool quant_check_constants(const struct quant_plan *p)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct quant_layer *l = &p->layers[i];
        const struct ir_op *bias =
            l->bias ? l->bias->in[l->bias->in[0].value == l->op->out].value->def : NULL;
        if (!is_finite(l->weights.constant) || (bias && !is_finite(bias)))
            return diag_error(p->ctx->diag, l->op->loc, DIAG_DATA,
                              "%s: its weights or its bias hold what is no finite number",
                              pass_op_text(l->op, p->arena));
    }
    return true;
}

bool quant_check_steps(const struct quant_plan *p)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct quant_layer *l = &p->layers[i];
        for (int64_t j = 0; j < l->weights.n; j++) {
            if (!isfinite(l->grid.scale * l->scale[j]))
                return diag_error(p->ctx->diag, l->op->loc, DIAG_DATA,
                                  "%s: a step of its sums is no finite number",
                                  pass_op_text(l->op, p->arena));
        }
    }
    return true;
}

/* Of a column whose weights become integers up to `most` steps of this size. */
static double squared_error(const struct quant_weights *w, int64_t column, double scale,
                            double most)
{
    double sum = 0;
    for (int64_t i = 0; i < w->k; i++) {
        double x = (double)weight_at(w, i, column) / scale;
        double error = x - fmin(fmax(rint(x), -most), most);
        sum += error * error;
    }
    return sum * scale * scale;
}

/* The largest magnitude is the last step. Of very few steps that would leave most weights 0: then
 * the last step is where the squared error is least. */
static double column_scale(const struct quant_weights *w, int64_t column, double most)
{
    enum { PARTS = 20, FEW = 3 };
    float largest = 0;
    for (int64_t i = 0; i < w->k; i++)
        largest = fmaxf(largest, fabsf(weight_at(w, i, column)));
    double whole = (double)largest / most, best = whole, least = INFINITY;
    for (int part = PARTS; part > PARTS / 5 && most <= FEW && whole > 0; part--) {
        double scale = whole * part / PARTS, error = squared_error(w, column, scale, most);
        if (error < least) {
            least = error;
            best = scale;
        }
    }
    return best;
}

/* What the layer needs of its own; those that share the constant take the largest. */
static void widen_scales(const struct quant_layer *l, double most, float *scale)
{
    const struct quant_weights *w = &l->weights;
    double step = (double)l->grid.scale, least = 2 * (double)FLT_MIN / step;
    for (int64_t j = 0; j < w->n; j++) {
        double need = fmax(column_scale(w, j, most), fabs(bias_at(l, j)) / (step * 0x1p30));
        scale[j] = fmaxf(scale[j], (float)fmax(need, least));
    }
}

/* Rows of a block of a group, in steps. */
static void take_block(const struct quant_layer *l, int64_t group, int64_t first, int64_t k,
                       double *out)
{
    const struct quant_weights *w = &l->weights;
    int64_t n = w->n / w->groups;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] =
                (double)weight_at(w, first + i, group * n + j) / (double)l->scale[group * n + j];
}

static void put_block(struct quant_layer *l, int64_t group, int64_t first, int64_t k,
                      const double *from)
{
    const struct quant_weights *w = &l->weights;
    int64_t n = w->n / w->groups;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < n; j++)
            l->q[(first + i) * w->row_step + (group * n + j) * w->column_step] =
                (int8_t)from[i * n + j];
}

static void nearest(double *w, int64_t n, double most)
{
    for (int64_t i = 0; i < n; i++)
        w[i] = fmin(fmax(rint(w[i]), -most), most);
}

static void round_weights(struct quant_layer *l, double most, const struct quant_moments *m)
{
    const struct quant_weights *w = &l->weights;
    int64_t n = w->n / w->groups, block = m ? m->block : w->k, blocks = ceil_div_i64(w->k, block);
    double *steps = heap_alloc((size_t)(block * n) * sizeof *steps);
    for (int64_t g = 0; g < w->groups; g++) {
        for (int64_t b = 0; b < blocks; b++) {
            int64_t first = b * block, k = min_i64(block, w->k - first);
            take_block(l, g, first, k, steps);
            if (m && m->second)
                quant_feedback(steps, k, n, most, m->second + (g * blocks + b) * block * block,
                               block);
            else
                nearest(steps, k * n, most);
            put_block(l, g, first, k, steps);
        }
    }
    heap_free(steps);
}

/* What a column's sums lose on average. */
static void correct(struct quant_layer *l, const struct quant_moments *m, struct arena *a)
{
    const struct quant_weights *w = &l->weights;
    l->correction = ARENA_ARRAY(a, double, (size_t)w->n);
    for (int64_t j = 0; j < w->n; j++) {
        const double *mean = m->mean + 2 * w->k * (j / (w->n / w->groups));
        double sum = 0;
        for (int64_t i = 0; i < w->k; i++) {
            int8_t q = l->q[i * w->row_step + j * w->column_step];
            sum += (double)weight_at(w, i, j) * mean[2 * i] -
                   (double)((float)q * l->scale[j]) * mean[2 * i + 1];
        }
        l->correction[j] = sum / (double)m->n_taken;
    }
}

void quant_round_layer(struct quant_plan *p, struct quant_layer *l, const struct quant_moments *m)
{
    const struct quant_weights *w = &l->weights;
    double most = (double)((INT64_C(1) << (l->weight_bits - 1)) - 1);
    if (!l->same) {
        l->scale = ARENA_ARRAY(p->arena, float, (size_t)w->n);
        for (const struct quant_layer *s = l; s; s = s->next)
            widen_scales(s, most, l->scale);
        for (int64_t j = 0; j < w->n; j++)
            l->scale[j] = l->scale[j] < 0x1p-100f ? 1.0f : l->scale[j];
        l->q = ARENA_ARRAY(p->arena, int8_t, (size_t)(w->n * w->k));
        round_weights(l, most, m);
    } else {
        l->scale = l->same->scale;
        l->q = l->same->q;
    }
    if (m && m->mean)
        correct(l, m, p->arena);
}
