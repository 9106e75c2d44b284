/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* export_move.c - operations that move elements, and shape arithmetic. */
#include "onnx_exporter.h"

static bool same(struct onnx_exporter *e, const struct ir_op *op)
{
    const struct export_node n = {"Identity", EXPORT_IN(export_in(e, op, 0)), .attrs = {{0}}};
    return export_result(e, op, &n);
}

bool export_concat(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const char **in = ARENA_ARRAY(e->arena, const char *, op->n_in);
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = export_in(e, op, i);
    const struct export_node n = {type, in, op->n_in, {INT_ATTR("axis", op->attrs->concat.axis)}};
    return export_result(e, op, &n);
}

/* Dimensions that stay whole are not named. Behind the first element there is no number to end at,
 * but something far away. */
bool export_slice(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct ir_attrs_slice *at = &op->attrs->slice;
    int64_t start[IR_MAX_RANK], end[IR_MAX_RANK], axis[IR_MAX_RANK], step[IR_MAX_RANK];
    size_t n = 0;
    for (uint32_t i = 0; i < at->count.n; i++) {
        int64_t last = at->start.at[i] + (at->count.at[i] - 1) * at->step.at[i];
        if (at->step.at[i] == 1 && at->count.at[i] == op->in[0].value->type.dim[i])
            continue;
        start[n] = at->start.at[i];
        step[n] = at->count.at[i] == 1 ? 1 : at->step.at[i];
        end[n] = step[n] > 0 ? last + 1 : last > 0 ? last - 1 : INT64_MIN;
        axis[n++] = i;
    }
    const struct export_node s = {type,
                                  EXPORT_IN(export_in(e, op, 0), export_list(e, start, n),
                                            export_list(e, end, n), export_list(e, axis, n),
                                            export_list(e, step, n)),
                                  .attrs = {{0}}};
    return n ? export_result(e, op, &s) : same(e, op);
}

bool export_transpose(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct ir_ints *perm = &op->attrs->transpose.perm;
    const struct export_node n = {type, EXPORT_IN(export_in(e, op, 0)),
                                  .attrs = {INTS_ATTR("perm", perm->at, perm->n)}};
    return perm->n ? export_result(e, op, &n) : same(e, op);
}

static bool by_shape(struct onnx_exporter *e, const struct ir_op *op, const char *type,
                     const struct ir_ints *shape)
{
    const struct export_node n = {
        type, EXPORT_IN(export_in(e, op, 0), export_list(e, shape->at, shape->n)), .attrs = {{0}}};
    return export_result(e, op, &n);
}

bool export_reshape(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    return by_shape(e, op, type, &op->attrs->reshape.shape);
}

bool export_expand(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    return by_shape(e, op, type, &op->attrs->expand.shape);
}

bool export_pad(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct ir_attrs_pad *at = &op->attrs->pad;
    int64_t pads[2 * IR_MAX_RANK];
    uint32_t rank = at->before.n;
    for (uint32_t i = 0; i < rank; i++) {
        pads[i] = at->before.at[i];
        pads[rank + i] = at->after.at[i];
    }
    const char *value = export_number(e, (enum ir_dtype)op->out->type.dtype, (double)at->value);
    const struct export_node n = {
        .type = type,
        .in = (const char *const[]){export_in(e, op, 0), export_list(e, pads, 2 * rank), value},
        .n_in = at->mode == IR_PAD_CONSTANT ? 3 : 2,
        .attrs = {STRING_ATTR("mode", ir_pad_mode_name(at->mode))}};
    return rank ? export_result(e, op, &n) : same(e, op);
}

/* ---- by indices ---- */

/* x, one element of `value` longer along `axis`: where an index goes that means none of x. */
static const char *with_value(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                              int64_t axis, float value)
{
    int64_t pads[2 * IR_MAX_RANK] = {0};
    size_t rank = op->in[0].value->type.rank;
    pads[rank + (size_t)axis] = 1;
    const struct export_node n = {
        "Pad",
        EXPORT_IN(x, export_list(e, pads, 2 * rank),
                  export_number(e, (enum ir_dtype)op->out->type.dtype, (double)value)),
        .attrs = {{0}}};
    return export_helper(e, op, &n);
}

static bool is_whole(const int64_t *index, int64_t n, int64_t dim)
{
    bool whole = n == dim;
    for (int64_t i = 0; whole && i < n; i++)
        whole = index[i] == i;
    return whole;
}

/* What picks elements `index` of x along one dimension of `dim`. */
static struct export_node pick(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                               int64_t axis, const struct ir_ints *index, int64_t dim, float value)
{
    int64_t *list = ARENA_ARRAY(e->arena, int64_t, index->n);
    const char **in = ARENA_ARRAY(e->arena, const char *, 2);
    bool none = false;
    for (uint32_t i = 0; i < index->n; i++) {
        none = none || index->at[i] < 0;
        list[i] = index->at[i] < 0 ? dim : index->at[i];
    }
    in[0] = none ? with_value(e, op, x, axis, value) : x;
    in[1] = export_list(e, list, index->n);
    return (struct export_node){"Gather", in, 2, {INT_ATTR("axis", axis)}};
}

/* One dimension after another; the last node is op's. */
bool export_gather_grid(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    const struct ir_attrs_gather_grid *at = &op->attrs->gather_grid;
    const int64_t *index = at->index.at, *dim = op->in[0].value->type.dim;
    const char *x = export_in(e, op, 0);
    struct export_node n = {0};
    for (uint32_t d = 0; d < at->count.n; index += at->count.at[d++]) {
        int64_t count = at->count.at[d];
        if (is_whole(index, count, dim[d]))
            continue;
        if (n.type)
            x = export_helper(e, op, &n);
        n = pick(e, op, x, d, &(struct ir_ints){(uint32_t)count, index}, dim[d], at->value);
    }
    return n.type ? export_result(e, op, &n) : same(e, op);
}

/* As partition takes it apart. */
bool export_interpolate(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    const struct ir_attrs_interpolate *at = &op->attrs->interpolate;
    struct ir_type t = op->in[0].value->type;
    const char *x = export_in(e, op, 0);
    struct ir_ints low = {0, at->low.at}, high = {0, at->high.at};
    for (uint32_t i = 0; i < at->axes.n; i++) {
        int64_t axis = at->axes.at[i], dims[IR_MAX_RANK];
        low.n = high.n = (uint32_t)op->in[i + 1].value->type.dim[0];
        struct export_node a = pick(e, op, x, axis, &low, t.dim[axis], at->value),
                           b = pick(e, op, x, axis, &high, t.dim[axis], at->value);
        for (int64_t d = 0; d < t.rank; d++)
            dims[d] = d == axis ? low.n : 1;
        const char *from = export_helper(e, op, &a),
                   *way = export_helper2(e, op, "Sub", export_helper(e, op, &b), from),
                   *weight = export_helper2(e, op, "Reshape", export_in(e, op, i + 1),
                                            export_list(e, dims, t.rank));
        x = export_helper2(e, op, "Add", from, export_helper2(e, op, "Mul", way, weight));
        t.dim[axis] = low.n;
        low.at += low.n;
        high.at += high.n;
    }
    const struct export_node n = {"Identity", EXPORT_IN(x), .attrs = {{0}}};
    return export_result(e, op, &n);
}

/* May an index be of none of `dim` elements? Those of run time are not, where a 0 would be taken
 * then: such a take was made from operators whose indices stay inside. */
static bool may_be_outside(const struct ir_op *op, int64_t dim)
{
    const struct ir_value *index = op->in[1].value;
    if (!ir_is(index, IR_constant))
        return op->attrs->take.value != 0;
    int64_t n = index->def->attrs->constant.data->splat ? 1 : ir_count(&index->type);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = ir_const_i64(index->def, i);
        if (at < -dim || at >= dim)
            return true;
    }
    return false;
}

/* Indices from the end are counted from the front; those of no element are `dim`. */
static const char *bounded(struct onnx_exporter *e, const struct ir_op *op, int64_t dim)
{
    const char *i = export_in(e, op, 1), *zero = export_number(e, IR_I32, 0),
               *all = export_number(e, IR_I32, (double)dim);
    struct export_node where = {
        "Where",
        EXPORT_IN(export_helper2(e, op, "Less", i, zero), export_helper2(e, op, "Add", i, all), i),
        .attrs = {{0}}};
    i = export_helper(e, op, &where);
    const char *outside = export_helper2(
        e, op, "Or", export_helper2(e, op, "Less", i, zero),
        export_helper2(e, op, "Greater", i, export_number(e, IR_I32, (double)(dim - 1))));
    where = (struct export_node){"Where", EXPORT_IN(outside, all, i), .attrs = {{0}}};
    return export_helper(e, op, &where);
}

static const char *expanded(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                            const struct ir_type *t, int64_t axis, int64_t along)
{
    int64_t dims[IR_MAX_RANK];
    bool is_so = true;
    for (unsigned i = 0; i < t->rank; i++) {
        dims[i] = i == axis ? along : op->out->type.dim[i];
        is_so = is_so && (i == axis || dims[i] == t->dim[i]);
    }
    return is_so ? x : export_helper2(e, op, "Expand", x, export_list(e, dims, t->rank));
}

/* Indices that are the same for all other dimensions are Gather's, others GatherElements'. */
bool export_take(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    const struct ir_attrs_take *at = &op->attrs->take;
    const struct ir_type *x = &op->in[0].value->type, *index = &op->in[1].value->type;
    int64_t axis = at->axis, n = index->dim[axis], dim = x->dim[axis];
    const char *in[] = {export_in(e, op, 0), export_in(e, op, 1)};
    if (dim >= INT32_MAX)
        return export_refuse(e, op, "a dimension of %lld", (long long)dim);
    if (may_be_outside(op, dim)) {
        in[0] = with_value(e, op, in[0], axis, at->value);
        in[1] = bounded(e, op, dim++);
    }
    const struct export_attr along = INT_ATTR("axis", axis);
    if (ir_count(index) == n) {
        in[1] = export_helper2(e, op, "Reshape", in[1], export_list(e, &n, 1));
        return export_result(e, op, &(struct export_node){"Gather", in, 2, {along}});
    }
    in[0] = expanded(e, op, in[0], x, axis, dim);
    in[1] = expanded(e, op, in[1], index, axis, n);
    return export_result(e, op, &(struct export_node){"GatherElements", in, 2, {along}});
}

bool export_gather(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct export_node n = {type, EXPORT_IN(export_in(e, op, 0), export_in(e, op, 1)),
                                  .attrs = {INT_ATTR("axis", op->attrs->gather.axis)}};
    return export_result(e, op, &n);
}
