/*
 * eval_mvm.c - a base layer on crossbars, (h,w,c) layout, tap by tap. A row of output pixels reads
 * pixels stride * c elements apart, which is the row distance of a matrix: each tap is one product
 * a row, or one for all rows where the next row continues at that same distance.
 */
#include "eval_internal.h"

#include "base/gemm.h"

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
            const float *x = tensor_f32(in[0]) + ((row * at->stride[0] + dy) * w + dx) * c;
            gemm_f32(pixels, n, c, x, step, tensor_f32(in[1]) + tap * c * n, n,
                     tensor_f32(out) + row * ow * n, n, true);
        }
    }
    return true;
}
