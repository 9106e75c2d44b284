/*
 * eval_mvm.c - a base layer on crossbars, (h,w,c) layout, tap by tap. A row of output pixels reads
 * pixels stride * c elements apart, which is the row distance of a matrix: each tap is one product
 * a row, or one for all rows where the next row continues at that same distance.
 */
#include "eval_internal.h"

#include "base/gemm.h"

/* One tap for `pixels` output pixels, x being the tap's first input pixel. */
struct tap {
    const float *x, *w;   /* w: the tap's rows of the matrix */
    int64_t pixels, step; /* elements between input pixels */
    int64_t groups, c, n; /* c, n: channels of one group */
};

/* Groups of one channel in, one out (depthwise): no product of matrices, but one of vectors. */
static void add_depthwise(const struct tap *t, float *out)
{
    for (int64_t i = 0; i < t->pixels; i++) {
        const float *x = t->x + i * t->step;
        for (int64_t k = 0; k < t->groups; k++)
            out[i * t->groups + k] += x[k] * t->w[k];
    }
}

static void add_tap(const struct tap *t, float *out)
{
    int64_t columns = t->groups * t->n;
    if (t->c == 1 && t->n == 1) {
        add_depthwise(t, out);
        return;
    }
    for (int64_t q = 0; q < t->groups; q++)
        gemm_f32(t->pixels, t->n, t->c, t->x + q * t->c, t->step, t->w + q * t->n, columns,
                 out + q * t->n, columns, true);
}

bool eval_mvm(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
              struct diag *d)
{
    if (!want_f32(op, in, d))
        return false;
    const struct ir_attrs_mvm *at = &op->attrs->mvm;
    int64_t w = in[0]->type.dim[1], c = in[0]->type.dim[2], n = out->type.dim[2];
    int64_t oh = out->type.dim[0], ow = out->type.dim[1];
    /* A stride that is never taken may be of any size. */
    int64_t step = ow > 1 ? at->stride[1] * c : c;
    bool joined = oh == 1 || (ow > 1 && at->stride[0] * w == at->stride[1] * ow);
    int64_t pixels = joined ? oh * ow : ow;
    for (int64_t tap = 0; tap < at->kernel[0] * at->kernel[1]; tap++) {
        int64_t dy = tap / at->kernel[1] * at->dilation[0];
        int64_t dx = tap % at->kernel[1] * at->dilation[1];
        for (int64_t row = 0; row < (joined ? 1 : oh); row++) {
            struct tap t = {
                .x = tensor_f32(in[0]) + ((row * at->stride[0] + dy) * w + dx) * c,
                .w = tensor_f32(in[1]) + tap * c / at->group * n,
                .pixels = pixels,
                .step = step,
                .groups = at->group,
                .c = c / at->group,
                .n = n / at->group,
            };
            add_tap(&t, tensor_f32(out) + row * ow * n);
        }
    }
    return true;
}
