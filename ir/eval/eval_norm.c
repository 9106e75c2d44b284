/* eval_norm.c - batch normalisation with stored statistics, softmax, reductions. */
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
    free(sum);
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
    free(sum);
}

bool eval_reduce(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    (void)d;
    const struct ir_attrs_reduce *at = &op->attrs->reduce;
    bool is_max = at->kind == IR_REDUCE_MAX;
    struct reduction r = {.x = &in[0]->type};
    dense_strides(&out->type, r.step);
    for (uint32_t i = 0; i < at->axes.n; i++)
        r.step[at->axes.at[i]] = 0;
    if (in[0]->type.dtype == IR_F32)
        reduce_floats(&r, tensor_f32(in[0]), is_max, out);
    else
        reduce_integers(&r, in[0], is_max, out);
    return true;
}
