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

/* Elements of x in order, each into the cell of `sum` that its result has; `step` is 0 on the
 * dimensions reduced. Summed in double: the sum of many should not depend on the layout. */
static void reduce_into(const struct tensor *x, const int64_t step[IR_MAX_RANK], bool is_max,
                        double *sum)
{
    const struct ir_type *t = &x->type;
    int64_t n = ir_count(t), at[IR_MAX_RANK] = {0}, cell = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = (double)tensor_f32(x)[i];
        if (!is_max)
            sum[cell] += e;
        else if (e > sum[cell] || isnan(e))
            sum[cell] = e;
        for (unsigned k = t->rank; k-- > 0;) {
            cell += step[k];
            if (++at[k] < t->dim[k])
                break;
            cell -= step[k] * t->dim[k];
            at[k] = 0;
        }
    }
}

bool eval_reduce(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    if (!want_f32(op, in, d))
        return false;
    const struct ir_attrs_reduce *at = &op->attrs->reduce;
    bool is_max = at->kind == IR_REDUCE_MAX;
    int64_t step[IR_MAX_RANK], n = ir_count(&out->type);
    dense_strides(&out->type, step);
    for (uint32_t i = 0; i < at->axes.n; i++)
        step[at->axes.at[i]] = 0;
    double *sum = heap_alloc((size_t)n * sizeof *sum);
    for (int64_t i = 0; i < n; i++)
        sum[i] = is_max ? -(double)INFINITY : 0.0;
    reduce_into(in[0], step, is_max, sum);
    for (int64_t i = 0; i < n; i++)
        tensor_f32(out)[i] = (float)sum[i];
    free(sum);
    return true;
}
