/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * export_elementwise.c - operations that work element by element. Where runtimes have no kernel for
 * 8-bit integers, as a rule, they are computed as int32 and converted back, which wraps as ours do.
 */
#include "onnx_exporter.h"

#include <float.h>
#include <math.h>

static enum ir_dtype dtype_of(const struct ir_op *op, uint32_t i)
{
    return (enum ir_dtype)op->in[i].value->type.dtype;
}

/* In which type integers are computed. */
static enum ir_dtype widened(enum ir_dtype t)
{
    return t == IR_U8 || t == IR_I8 ? IR_I32 : t;
}

/* Operand i as `to`. */
static const char *operand(struct onnx_exporter *e, const struct ir_op *op, uint32_t i,
                           enum ir_dtype to)
{
    return export_cast(e, op, export_in(e, op, i), dtype_of(op, i), to);
}

/* Operators that take what the operation takes, as it is. */
bool export_plain(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const char *in[3];
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = export_in(e, op, i);
    return export_result(e, op, &(struct export_node){type, in, op->n_in, {{0}}});
}

bool export_arithmetic(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const char *in[2];
    enum ir_dtype work = widened(dtype_of(op, 0));
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = operand(e, op, i, work);
    return export_result_of(e, op, &(struct export_node){type, in, op->n_in, {{0}}}, work);
}

bool export_add(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    return export_biased(e, op) || export_arithmetic(e, op, type);
}

/* Of bool: and, or. */
bool export_extreme(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    if (dtype_of(op, 0) == IR_BOOL)
        type = op->opcode == IR_min ? "And" : "Or";
    return export_arithmetic(e, op, type);
}

bool export_comparison(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype work = widened(dtype_of(op, 0));
    const struct export_node n = {type, EXPORT_IN(operand(e, op, 0, work), operand(e, op, 1, work)),
                                  .attrs = {{0}}};
    return export_result(e, op, &n);
}

/* ---- bounds ---- */

bool export_leaky_relu(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct export_node n = {type, EXPORT_IN(export_in(e, op, 0)),
                                  .attrs = {FLOAT_ATTR("alpha", op->attrs->leaky_relu.alpha)}};
    return export_result(e, op, &n);
}

bool export_hard_sigmoid(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct ir_attrs_hard_sigmoid *at = &op->attrs->hard_sigmoid;
    const struct export_node n = {
        type, EXPORT_IN(export_in(e, op, 0)),
        .attrs = {FLOAT_ATTR("alpha", at->alpha), FLOAT_ATTR("beta", at->beta)}};
    return export_result(e, op, &n);
}

/* What the integers of a type end at. */
static void ends(enum ir_dtype t, double *least, double *most)
{
    *least = t == IR_I8 ? INT8_MIN : t == IR_I32 ? INT32_MIN : t == IR_I64 ? -0x1p63 : 0;
    *most = t == IR_I8 ? INT8_MAX : t == IR_I32 ? INT32_MAX : t == IR_I64 ? 0x1p63 : UINT8_MAX;
}

/* Bounds that do nothing are left out, with "" in the place of the first. */
static bool clip(struct onnx_exporter *e, const struct ir_op *op, double lo, double hi)
{
    enum ir_dtype t = dtype_of(op, 0);
    double least = (double)-FLT_MAX, most = (double)FLT_MAX;
    if (t != IR_F32 && t != IR_F16 && t != IR_F64) {
        ends(t, &least, &most);
        lo = fmin(fmax(ceil(lo), least), most);
        hi = fmax(fmin(floor(hi), most), least);
    }
    bool has_lo = lo != least, has_hi = hi != most;
    const char *in[] = {export_in(e, op, 0), has_lo ? export_number(e, t, lo) : "",
                        has_hi ? export_number(e, t, hi) : ""};
    const struct export_node n = {"Clip", in, has_hi ? 3 : has_lo ? 2 : 1, {{0}}};
    return export_result(e, op, &n);
}

bool export_clip(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    return clip(e, op, (double)op->attrs->clip.lo, (double)op->attrs->clip.hi);
}

/* Relu is of floats up to opset 13. */
bool export_relu(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype t = dtype_of(op, 0);
    bool is_float = t == IR_F32 || t == IR_F16 || t == IR_F64;
    return is_float ? export_plain(e, op, type) : clip(e, op, 0, INFINITY);
}

/* ---- quotients of integers ---- */

static bool has_zero(const struct ir_value *v)
{
    if (!ir_is(v, IR_constant))
        return true;
    int64_t n = v->def->attrs->constant.data->splat ? 1 : ir_count(&v->type);
    for (int64_t i = 0; i < n; i++)
        if (ir_const_i64(v->def, i) == 0)
            return true;
    return false;
}

/* where(x == 0, a constant that is not, x) */
static bool is_guarded(const struct ir_value *v)
{
    const struct ir_op *where = v->def, *equal;
    if (where->opcode != IR_where || has_zero(where->in[1].value))
        return false;
    equal = where->in[0].value->def;
    for (int i = 0; i < 2 && equal->opcode == IR_equal; i++) {
        const struct ir_value *zero = equal->in[1 - i].value;
        if (equal->in[i].value == where->in[2].value && ir_is(zero, IR_constant) &&
            ir_count(&zero->type) == 1 && has_zero(zero))
            return true;
    }
    return false;
}

/* The divisor, 1 where it is 0: runtimes may end there. *is_zero tells where, or is NULL. */
static const char *divisor(struct onnx_exporter *e, const struct ir_op *op, enum ir_dtype work,
                           const char **is_zero)
{
    const char *b = operand(e, op, 1, work);
    *is_zero = NULL;
    if (!has_zero(op->in[1].value) || is_guarded(op->in[1].value))
        return b;
    const struct export_node equal = {"Equal", EXPORT_IN(b, export_number(e, work, 0)),
                                      .attrs = {{0}}};
    *is_zero = export_helper(e, op, &equal);
    const struct export_node where = {"Where", EXPORT_IN(*is_zero, export_number(e, work, 1), b),
                                      .attrs = {{0}}};
    return export_helper(e, op, &where);
}

/* What is divided by 0 is 0. */
bool export_div(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype work = widened(dtype_of(op, 0));
    const char *is_zero;
    if (work != IR_I32 && work != IR_I64)
        return export_plain(e, op, type);
    const char *b = divisor(e, op, work, &is_zero);
    struct export_node n = {type, EXPORT_IN(operand(e, op, 0, work), b), .attrs = {{0}}};
    if (!is_zero)
        return export_result_of(e, op, &n, work);
    n = (struct export_node){
        "Where", EXPORT_IN(is_zero, export_number(e, work, 0), export_helper(e, op, &n)),
        .attrs = {{0}}};
    return export_result_of(e, op, &n, work);
}

/* The remainder by 1 is 0, as ours by 0. */
bool export_mod(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype work = widened(dtype_of(op, 0));
    const char *is_zero;
    bool whole = work == IR_I32 || work == IR_I64;
    const char *b = whole ? divisor(e, op, work, &is_zero) : export_in(e, op, 1);
    const struct export_node n = {type, EXPORT_IN(operand(e, op, 0, work), b),
                                  .attrs = {INT_ATTR("fmod", !whole)}};
    return export_result_of(e, op, &n, work);
}

/* ---- types ---- */

/* Runtimes have no kernel for int8 and bool. */
bool export_where(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype t = dtype_of(op, 1), work = t == IR_I8 ? IR_I32 : t == IR_BOOL ? IR_U8 : t;
    const struct export_node n = {
        type, EXPORT_IN(export_in(e, op, 0), operand(e, op, 1, work), operand(e, op, 2, work)),
        .attrs = {{0}}};
    return export_result_of(e, op, &n, work);
}

bool export_convert(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct export_node n = {type, EXPORT_IN(export_in(e, op, 0)),
                                  .attrs = {INT_ATTR("to", export_dtype(op->attrs->cast.to))}};
    return export_result(e, op, &n);
}
