/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * partition_batch.c - a convolution of a batch that was made inside the graph (windows, patches,
 * frames cut out of a sound) as convolutions of one image.
 *
 * Where the kernel has one row, rows know nothing of one another: the images lie one below the
 * other, and it is one convolution of N*H rows; a kernel of one column likewise. Any other is a
 * convolution for each image, all with the same crossbars:
 *   conv(x [N,C,H,W], w) -> concat(conv(x[0], w), conv(x[1], w), ...)
 */
#include "partition.h"

/* ---- images one below the other, or side by side ---- */

/* Only every stride-th row (axis 0) or column (1) that a kernel of one cell there reads. */
static struct ir_value *thinned(const struct pass_place *at, struct ir_value *x, int axis,
                                int64_t stride, int64_t count)
{
    int64_t start[4] = {0}, step[4] = {1, 1, 1, 1}, n[4];
    memcpy(n, x->type.dim, sizeof n);
    step[2 + axis] = stride;
    n[2 + axis] = count;
    union ir_attrs attrs = {.slice = {.start = {4, start}, .step = {4, step}, .count = {4, n}}};
    return stride == 1 ? x : pass_emit1(at, IR_slice, &attrs, x);
}

/* [N,C,H,W] -> [1,C,N*H,W], or [1,C,H,N*W] with axis 1. */
static struct ir_value *stacked(const struct pass_place *at, struct ir_value *x, int axis)
{
    const int64_t *d = x->type.dim, rows[] = {1, 0, 2, 3}, columns[] = {1, 2, 0, 3};
    struct ir_type to = ir_type_of(
        x->type.dtype, 4,
        (int64_t[]){1, d[1], axis == 0 ? d[0] * d[2] : d[2], axis == 1 ? d[0] * d[3] : d[3]});
    return pass_reshape(at, pass_transpose(at, x, axis == 0 ? rows : columns), &to);
}

/* The reverse, to [N,C,H,W]. */
static struct ir_value *unstacked(const struct pass_place *at, struct ir_value *y,
                                  const struct ir_type *to, int axis)
{
    const int64_t *d = to->dim, rows[] = {1, 0, 2, 3}, columns[] = {2, 0, 1, 3};
    struct ir_type apart = axis == 0
                               ? ir_type_of(to->dtype, 4, (int64_t[]){d[1], d[0], d[2], d[3]})
                               : ir_type_of(to->dtype, 4, (int64_t[]){d[1], d[2], d[0], d[3]});
    return pass_transpose(at, pass_reshape(at, y, &apart), axis == 0 ? rows : columns);
}

static void stack(struct ir_op *conv, int axis)
{
    struct pass_place at = pass_before(conv);
    struct ir_type to = conv->out->type;
    union ir_attrs attrs = *conv->attrs;
    struct ir_value *x =
        thinned(&at, conv->in[0].value, axis, attrs.conv.stride[axis], to.dim[2 + axis]);
    attrs.conv.stride[axis] = attrs.conv.dilation[axis] = 1;
    struct ir_value *in[] = {stacked(&at, x, axis), conv->in[1].value};
    struct ir_value *y = pass_emit(
        &at, &(struct ir_new){
                 .opcode = IR_conv, .in = in, .n_in = 2, .attrs = &attrs, .name = conv->name});
    pass_replace(conv, unstacked(&at, y, &to, axis));
}

/* ---- one after the other ---- */

static struct ir_value *image(const struct pass_place *at, struct ir_value *x, int64_t i)
{
    int64_t start[4] = {i}, step[4] = {1, 1, 1, 1}, count[4];
    memcpy(count, x->type.dim, sizeof count);
    count[0] = 1;
    union ir_attrs attrs = {.slice = {.start = {4, start}, .step = {4, step}, .count = {4, count}}};
    return pass_emit1(at, IR_slice, &attrs, x);
}

enum { MOST_JOINED = 255 }; /* by one concat */

/* Side by side along dimension 0. */
static struct ir_value *joined(const struct pass_place *at, struct ir_value **v, int64_t n)
{
    union ir_attrs attrs = {.concat = {.axis = 0}};
    for (; n > 1; n = ceil_div_i64(n, MOST_JOINED)) {
        for (int64_t i = 0; i < n; i += MOST_JOINED) {
            struct ir_new desc = {.opcode = IR_concat,
                                  .in = v + i,
                                  .n_in = (uint32_t)min_i64(MOST_JOINED, n - i),
                                  .attrs = &attrs};
            v[i / MOST_JOINED] = desc.n_in > 1 ? pass_emit(at, &desc) : v[i];
        }
    }
    return v[0];
}

static void separate(struct ir_op *conv, int64_t weights, struct arena *scratch)
{
    struct pass_place at = pass_before(conv);
    union ir_attrs attrs = *conv->attrs;
    int64_t n = conv->out->type.dim[0];
    struct ir_value **y = ARENA_ARRAY(scratch, struct ir_value *, (size_t)n);
    attrs.conv.weights = weights;
    for (int64_t i = 0; i < n; i++) {
        struct ir_value *in[] = {image(&at, conv->in[0].value, i), conv->in[1].value};
        const char *name = arena_printf(scratch, "%s/%lld", conv->name, (long long)i);
        y[i] = pass_emit(&at, &(struct ir_new){.opcode = IR_conv,
                                               .in = in,
                                               .n_in = 2,
                                               .attrs = &attrs,
                                               .name = *conv->name ? name : ""});
    }
    pass_replace(conv, joined(&at, y, n));
}

int64_t partition_layers(const struct ir_op *conv)
{
    const int64_t *kernel = conv->attrs->conv.kernel;
    return kernel[0] == 1 || kernel[1] == 1 ? 1 : conv->out->type.dim[0];
}

void partition_batch(struct ir_op *conv, int64_t *last_weights, struct arena *scratch)
{
    const struct ir_attrs_conv *a = &conv->attrs->conv;
    if (conv->out->type.dim[0] == 1)
        return;
    if (partition_layers(conv) == 1)
        stack(conv, a->kernel[0] == 1 ? 0 : 1);
    else
        separate(conv, a->weights ? a->weights : ++*last_weights, scratch);
}
