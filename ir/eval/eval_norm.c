/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* eval_norm.c - batch normalisation with stored statistics, softmax, reductions, layer
 * normalisation. */
#include "eval_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* scale * (x - mean) / sqrt(var + epsilon) + bias, per channel (dimension 1) */
bool eval_batch_norm(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                     struct diag *d)
{
    if (!want_f32(op, in, d))
        return false;
    int64_t channels = ir_count(&in[1]->type), n = ir_count(&out->type), pixels = 1;
    for (unsigned k = 2; k < out->type.rank; k++)
        pixels *= out->type.dim[k];
    const float *x = tensor_f32(in[0]);
    float *y = tensor_f32(out);
    for (int64_t first = 0, plane = 0; first < n; first += pixels, plane++) {
        int64_t c = plane % channels;
        float mean = tensor_f32(in[3])[c], bias = tensor_f32(in[2])[c];
        float deviation = sqrtf(tensor_f32(in[4])[c] + op->attrs->batch_norm.epsilon);
        float scale = tensor_f32(in[1])[c] / deviation;
        for (int64_t i = first; i < first + pixels; i++)
            y[i] = (x[i] - mean) * scale + bias;
    }
    return true;
}

/* One vector of n elements, `step` apart: e = exp(x - max), e / sum(e), summed in index order. */
static void softmax_vector(const float *x, int64_t n, int64_t step, float *out)
{
    float most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        most = x[i * step] > most ? x[i * step] : most;
    for (int64_t i = 0; i < n; i++) {
        out[i * step] = expf(x[i * step] - most);
        sum += out[i * step];
    }
    for (int64_t i = 0; i < n; i++)
        out[i * step] /= sum;
}

bool eval_softmax(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                  struct diag *d)
{
    if (!want_f32(op, in, d))
        return false;
    int64_t axis = op->attrs->softmax.axis, n = out->type.dim[axis], outer = 1, inner = 1;
    for (int64_t k = 0; k < axis; k++)
        outer *= out->type.dim[k];
    for (int64_t k = axis + 1; k < out->type.rank; k++)
        inner *= out->type.dim[k];
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            int64_t at = o * n * inner + i;
            softmax_vector(tensor_f32(in[0]) + at, n, inner, tensor_f32(out) + at);
        }
    }
    return true;
}

/* A walk over the elements of x in order: `cell` is the element of the result that each goes into,
 * `step` is 0 on the dimensions reduced. */
struct reduction {
    const struct ir_type *x;
    int64_t step[IR_MAX_RANK], at[IR_MAX_RANK], cell;
};
static void next_element(struct reduction *r)
{
    for (unsigned k = r->x->rank; k-- > 0;) {
        r->cell += r->step[k];
        if (++r->at[k] < r->x->dim[k])
            break;
        r->cell -= r->step[k] * r->x->dim[k];
        r->at[k] = 0;
    }
}

/* Steps of a result that keeps the dimensions `axes` as 1. */
static void cell_steps(const struct ir_ints *axes, const struct ir_type *x,
                       int64_t step[IR_MAX_RANK])
{
    struct ir_type cells = *x;
    for (uint32_t i = 0; i < axes->n; i++)
        cells.dim[axes->at[i]] = 1;
    dense_strides(&cells, step);
    for (uint32_t i = 0; i < axes->n; i++)
        step[axes->at[i]] = 0;
}

/* Summed in double: the sum of many should not depend on the layout. */
static void reduce_floats(struct reduction *r, const float *x, bool is_max, struct tensor *out)
{
    int64_t n = ir_count(&out->type);
    double *sum = heap_alloc((size_t)n * sizeof *sum);
    for (int64_t i = 0; i < n; i++)
        sum[i] = is_max ? -(double)INFINITY : 0.0;
    for (int64_t i = 0, count = ir_count(r->x); i < count; i++, next_element(r)) {
        double e = (double)x[i];
        if (!is_max)
            sum[r->cell] += e;
        else if (e > sum[r->cell] || isnan(e))
            sum[r->cell] = e;
    }
    for (int64_t i = 0; i < n; i++)
        tensor_f32(out)[i] = (float)sum[i];
    heap_free(sum);
}

/* Sums wrap to the result's dtype. */
static void reduce_integers(struct reduction *r, const struct tensor *x, bool is_max,
                            struct tensor *out)
{
    int64_t n = ir_count(&out->type);
    int64_t *sum = heap_alloc((size_t)n * sizeof *sum);
    for (int64_t i = 0; i < n && is_max; i++)
        sum[i] = INT64_MIN;
    for (int64_t i = 0, count = ir_count(r->x); i < count; i++, next_element(r)) {
        int64_t e = tensor_load_i64(x, i);
        sum[r->cell] = is_max ? max_i64(sum[r->cell], e) : sum[r->cell] + e;
    }
    for (int64_t i = 0; i < n; i++)
        tensor_store_i64(out, i, sum[i]);
    heap_free(sum);
}

bool eval_reduce(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    (void)d;
    const struct ir_attrs_reduce *at = &op->attrs->reduce;
    bool is_max = at->kind == IR_REDUCE_MAX;
    struct reduction r = {.x = &in[0]->type};
    cell_steps(&at->axes, r.x, r.step);
    if (in[0]->type.dtype == IR_F32)
        reduce_floats(&r, tensor_f32(in[0]), is_max, out);
    else
        reduce_integers(&r, in[0], is_max, out);
    return true;
}

/* v[cell] = the mean of f over the elements of x that go into the cell: x, or its squared distance
 * to `mean` where that is not NULL. */
static void means(const struct ir_op *op, const float *x, const double *mean, double *v, int64_t n)
{
    const struct ir_type *t = &op->in[0].value->type;
    struct reduction r = {.x = t};
    int64_t count = ir_count(t);
    cell_steps(&op->attrs->layer_norm.axes, t, r.step);
    for (int64_t i = 0; i < count; i++, next_element(&r)) {
        double d = mean ? (double)x[i] - mean[r.cell] : 0;
        v[r.cell] += mean ? d * d : (double)x[i];
    }
    for (int64_t i = 0; i < n; i++)
        v[i] /= (double)(count / n);
}

/* (x - mean) / sqrt(variance + epsilon), means in double */
bool eval_layer_norm(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                     struct diag *d)
{
    const struct ir_attrs_layer_norm *a = &op->attrs->layer_norm;
    if (!want_f32(op, in, d))
        return false;
    int64_t count = ir_count(&out->type), n = count;
    for (uint32_t i = 0; i < a->axes.n; i++)
        n /= out->type.dim[a->axes.at[i]];
    double *mean = heap_alloc(2 * (size_t)n * sizeof *mean), *variance = mean + n;
    means(op, tensor_f32(in[0]), NULL, mean, n);
    means(op, tensor_f32(in[0]), mean, variance, n);
    struct reduction r = {.x = &in[0]->type};
    cell_steps(&a->axes, r.x, r.step);
    for (int64_t i = 0; i < count; i++, next_element(&r))
        tensor_f32(out)[i] = (float)(((double)tensor_f32(in[0])[i] - mean[r.cell]) /
                                     sqrt(variance[r.cell] + (double)a->epsilon));
    heap_free(mean);
    return true;
}
