/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_mvm.c - a base layer on crossbars, (h,w,c) layout, tap by tap. A row of output pixels reads
 * pixels stride * c elements apart, which is the row distance of a matrix: each tap is one product
 * a row, or one for all rows where the next row continues at that same distance.
 */
#include "eval_internal.h"

#include "base/gemm.h"

void layer_taps(const struct layer *l, void (*add)(void *self, const struct layer_tap *t),
                void *self)
{
    /* A stride that is never taken may be of any size. */
    int64_t step = l->ow > 1 ? l->stride[1] * l->c : l->c;
    bool joined = l->oh == 1 || (l->ow > 1 && l->stride[0] * l->w == l->stride[1] * l->ow);
    struct layer_tap t = {.pixels = joined ? l->oh * l->ow : l->ow,
                          .step = step,
                          .c = l->c / l->group,
                          .n = l->n / l->group};
    for (int64_t tap = 0; tap < l->kernel[0] * l->kernel[1]; tap++) {
        int64_t dy = tap / l->kernel[1] * l->dilation[0];
        int64_t dx = tap % l->kernel[1] * l->dilation[1];
        t.w = tap * t.c * l->n;
        for (int64_t row = 0; row < (joined ? 1 : l->oh); row++) {
            t.x = ((row * l->stride[0] + dy) * l->w + dx) * l->c;
            t.out = row * l->ow * l->n;
            add(self, &t);
        }
    }
}

struct run {
    const struct layer *layer;
    const float *x, *w;
    float *out;
};

/* Groups of one channel in, one out (depthwise): no product of matrices, but one of vectors. */
static void add_depthwise(const struct run *r, const struct layer_tap *t)
{
    int64_t groups = r->layer->group;
    float *out = r->out + t->out;
    for (int64_t i = 0; i < t->pixels; i++) {
        const float *x = r->x + t->x + i * t->step;
        for (int64_t k = 0; k < groups; k++)
            out[i * groups + k] += x[k] * r->w[t->w + k];
    }
}

static void add_tap(void *self, const struct layer_tap *t)
{
    const struct run *r = self;
    int64_t columns = r->layer->n;
    if (t->c == 1 && t->n == 1) {
        add_depthwise(r, t);
        return;
    }
    for (int64_t q = 0; q < r->layer->group; q++)
        gemm_f32(t->pixels, t->n, t->c, r->x + t->x + q * t->c, t->step, r->w + t->w + q * t->n,
                 columns, r->out + t->out + q * t->n, columns, true);
}

bool eval_mvm_observed(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                       const struct eval_observer *observer, struct diag *d)
{
    const struct ir_attrs_mvm *at = &op->attrs->mvm;
    struct layer l = {.h = in[0]->type.dim[0],
                      .w = in[0]->type.dim[1],
                      .c = in[0]->type.dim[2],
                      .oh = out->type.dim[0],
                      .ow = out->type.dim[1],
                      .n = out->type.dim[2],
                      .group = at->group,
                      .kernel = at->kernel,
                      .stride = at->stride,
                      .dilation = at->dilation};
    struct integers v = {in[0]->data, in[1]->data, op->n_in == 3 ? in[2]->data : NULL, out->data};
    if (at->encoding != IR_ENCODING_IDEAL)
        return readout_layer(op, &l, &v, observer, d);
    if (in[0]->type.dtype != IR_F32)
        return integer_layer(op, &l, &v, d);
    if (!want_f32(op, in, d))
        return false;
    layer_taps(&l, add_tap, &(struct run){&l, tensor_f32(in[0]), tensor_f32(in[1]), out->data});
    return true;
}

bool eval_mvm(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
              struct diag *d)
{
    return eval_mvm_observed(op, in, out, NULL, d);
}
