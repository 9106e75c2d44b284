/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_scan.c - CumSum: running sums along a dimension.
 *
 * Every element gets the sum of up to 2^k elements up to it from the sums of up to 2^(k-1): log2(n)
 * additions of the tensor and the tensor moved.
 */
#include "onnx_node.h"

#include <string.h>

struct scan {
    int64_t axis;
    bool reverse; /* from the end */
};

/* Element i is element i - by of x (reverse: i + by), 0 where there is none. */
static struct ir_value *moved(struct onnx_node *n, struct ir_value *x, const struct scan *s,
                              int64_t by)
{
    int64_t before[IR_MAX_RANK] = {0}, after[IR_MAX_RANK] = {0};
    int64_t kept = x->type.dim[s->axis] - by;
    *(s->reverse ? &after[s->axis] : &before[s->axis]) = by;
    union ir_attrs attrs = {.pad = {.before = {x->type.rank, before},
                                    .after = {x->type.rank, after},
                                    .mode = IR_PAD_CONSTANT}};
    return onnx_helper1(n, IR_pad, &attrs, onnx_run(n, x, s->axis, s->reverse ? by : 0, kept));
}

static struct ir_value *running_sum(struct onnx_node *n, struct ir_value *x, const struct scan *s)
{
    int64_t length = x->type.dim[s->axis];
    for (int64_t by = 1; x && by < length; by *= 2)
        x = onnx_helper2(n, IR_add, x, moved(n, x, s, by));
    return x;
}

bool import_cum_sum(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints axis;
    struct scan s = {.reverse = onnx_attr_i64(n, "reverse", 0) != 0};
    bool exclusive = onnx_attr_i64(n, "exclusive", 0) != 0;
    if (!x || !onnx_const_ints(n, 1, &axis))
        return false;
    if (axis.n != 1)
        return onnx_error(n, "%u axes, not 1", axis.n);
    if (!onnx_axis(n, axis.at[0], x->type.rank, &s.axis))
        return false;
    if (exclusive && x->type.dim[s.axis] > 0)
        x = moved(n, x, &s, 1);
    return onnx_set_out(n, 0, x ? running_sum(n, x, &s) : NULL);
}
