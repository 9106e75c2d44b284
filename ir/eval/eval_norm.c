/* eval_norm.c - batch normalisation with stored statistics, softmax. */
#include "eval_internal.h"

#include <math.h>

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
