/*
 * import_reduce.c - sums, means and maxima over dimensions: ReduceSum, ReduceMean, ReduceL2,
 * ReduceMax, ReduceMin, GlobalMaxPool.
 *
 * The IR keeps reduced dimensions as 1. A mean is the sum times 1/n, except over all dimensions
 * after the second: that is global_avg_pool. ReduceMin is the maximum of negated values, negated.
 */
#include "onnx_node.h"

#include <string.h>

struct ir_value *onnx_reduce(struct onnx_node *n, enum ir_reduce_kind kind, struct ir_value *x,
                             const bool *axes)
{
    int64_t list[IR_MAX_RANK];
    uint32_t count = 0;
    for (int64_t i = 0; x && i < x->type.rank; i++)
        if (axes[i])
            list[count++] = i;
    if (!x || count == 0)
        return x;
    union ir_attrs attrs = {.reduce = {.kind = kind, .axes = {count, list}}};
    return onnx_helper1(n, IR_reduce, &attrs, x);
}

/* The dimensions to reduce: attribute or operand `axes`, all if there are none, unless
 * noop_with_empty_axes says that nothing happens then. */
static bool read_axes(struct onnx_node *n, const struct ir_type *x, bool axes[IR_MAX_RANK])
{
    int64_t operand_since = n->op->variant == REDUCE_SUM ? 13 : 18;
    struct ir_ints list = {0};
    bool noop = false;
    if (n->im->opset < operand_since) {
        list = onnx_attr_ints(n, "axes");
    } else {
        noop = onnx_attr_i64(n, "noop_with_empty_axes", 0) != 0;
        if (onnx_has_in(n, 1) && !onnx_const_ints(n, 1, &list))
            return false;
    }
    if (!onnx_axes(n, list, x->rank, axes))
        return false;
    for (int i = 0; list.n == 0 && !noop && i < x->rank; i++)
        axes[i] = true;
    return true;
}

static struct ir_value *mean(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    bool is_pool = x->type.rank >= 3;
    int64_t count = 1;
    for (int i = 0; i < x->type.rank; i++) {
        is_pool &= axes[i] == (i >= 2);
        count *= axes[i] ? x->type.dim[i] : 1;
    }
    if (is_pool)
        return onnx_helper1(n, IR_global_avg_pool, NULL, x);
    struct ir_value *sum = onnx_reduce(n, IR_REDUCE_SUM, x, axes);
    return count == 1 ? sum : onnx_helper2(n, IR_mul, sum, onnx_scalar(n, 1.0f / (float)count));
}

static struct ir_value *reduced(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    struct ir_value *v;
    switch (n->op->variant) {
    case REDUCE_MEAN: return mean(n, x, axes);
    case REDUCE_MAX: return onnx_reduce(n, IR_REDUCE_MAX, x, axes);
    case REDUCE_SUM: return onnx_reduce(n, IR_REDUCE_SUM, x, axes);
    case REDUCE_L2:
        v = onnx_reduce(n, IR_REDUCE_SUM, onnx_helper2(n, IR_mul, x, x), axes);
        return onnx_helper1(n, IR_sqrt, NULL, v);
    case REDUCE_MIN:
        v = onnx_reduce(n, IR_REDUCE_MAX, onnx_helper1(n, IR_neg, NULL, x), axes);
        return onnx_helper1(n, IR_neg, NULL, v);
    default: BUG("%s reduces nothing", n->op->name);
    }
}

bool import_reduce(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool axes[IR_MAX_RANK], keep = onnx_attr_i64(n, "keepdims", 1) != 0;
    int64_t dims[IR_MAX_RANK];
    uint32_t rank = 0;
    if (!x || !read_axes(n, &x->type, axes))
        return false;
    for (int i = 0; i < x->type.rank; i++)
        if (!keep && !axes[i])
            dims[rank++] = x->type.dim[i];
    struct ir_value *v = reduced(n, x, axes);
    return onnx_set_out(n, 0, keep ? v : onnx_reshape(n, v, dims, rank, false));
}

bool import_global_max_pool(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool axes[IR_MAX_RANK] = {0};
    if (!x)
        return false;
    if (x->type.rank < 3)
        return onnx_error(n, "an input of %u dimensions", x->type.rank);
    for (int i = 2; i < x->type.rank; i++)
        axes[i] = true;
    return onnx_set_out(n, 0, onnx_reduce(n, IR_REDUCE_MAX, x, axes));
}
