/*
 * import_elementwise.c - ONNX operators that work element by element, with numpy broadcasting.
 */
#include "onnx_node.h"

#include "base/half.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* ---- operands ---- */

/* Before opset 7 the second operand has the first's shape, or with `broadcast` = 1 that of some of
 * its dimensions, from `axis` on, by default the last ones: a 1 for each behind is numpy's rule. */
static struct ir_value *legacy_operand(struct onnx_node *n, const struct ir_type *a,
                                       struct ir_value *b)
{
    bool broadcasts = onnx_attr_i64(n, "broadcast", 0) != 0;
    int64_t axis = onnx_attr_i64(n, "axis", a->rank - b->type.rank), dims[IR_MAX_RANK];
    uint32_t rank = b->type.rank;
    if (!broadcasts)
        axis = 0;
    axis += axis < 0 ? a->rank : 0;
    bool fits = axis >= 0 && axis + rank <= a->rank && (broadcasts || rank == a->rank);
    for (uint32_t i = 0; fits && i < rank; i++) {
        dims[i] = b->type.dim[i];
        fits = dims[i] == a->dim[axis + i] || (broadcasts && dims[i] == 1);
    }
    if (!fits) {
        onnx_error(n, "the second operand has not the first's shape, %s",
                   broadcasts ? "nor that of the dimensions from axis on"
                              : "as opset 6 wants it without broadcast=1");
        return NULL;
    }
    for (; axis + rank < a->rank; rank++)
        dims[rank] = 1;
    return onnx_reshape(n, b, dims, rank, false);
}

bool onnx_pair(struct onnx_node *n, struct ir_value *in[2])
{
    for (size_t i = 0; i < 2; i++)
        if (!(in[i] = onnx_in(n, i)))
            return false;
    if (n->im->opset < 7)
        in[1] = legacy_operand(n, &in[0]->type, in[1]);
    return in[1] != NULL;
}

/* ---- arithmetic ---- */

/* Relu, Exp, Sqrt, ...; also GlobalAveragePool: one operand, no attributes. */
bool import_unary(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_emit1(n, n->op->opcode, NULL, onnx_in(n, 0)));
}

static bool is_exact(const struct onnx_node *n, size_t i)
{
    return onnx_has_in(n, i) && n->in[i]->exact;
}

/* Add and Sub of a product of integers and a bias: the bias is dequantised by 1, as the product. */
static bool exact_sum(struct onnx_node *n)
{
    struct ir_value *in[2];
    for (size_t i = 0; i < 2; i++)
        if (!(in[i] = is_exact(n, i) ? n->in[i]->exact : onnx_as_float(n, onnx_in(n, i))))
            return false;
    return onnx_set_exact(n, onnx_emit(n, n->op->opcode, NULL, in, 2));
}

bool import_binary(struct onnx_node *n)
{
    bool sums = n->op->opcode == IR_add || n->op->opcode == IR_sub;
    struct ir_value *in[2];
    if (sums && (is_exact(n, 0) || is_exact(n, 1)))
        return exact_sum(n);
    return onnx_pair(n, in) && onnx_set_out(n, 0, onnx_emit(n, n->op->opcode, NULL, in, 2));
}

/* 1 / x */
bool import_reciprocal(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, onnx_scalar(n, 1), onnx_in(n, 0)));
}

/* Sum, Min, Max of any number of operands, from left to right. */
bool import_chain(struct onnx_node *n)
{
    struct ir_value *v = onnx_in(n, 0);
    for (size_t i = 1; v && i < n->proto->n_input; i++) {
        struct ir_value *in[] = {v, onnx_in(n, i)};
        bool last = i + 1 == n->proto->n_input;
        v = last ? onnx_emit(n, n->op->opcode, NULL, in, 2)
                 : onnx_emit_helper(n, n->op->opcode, NULL, in, 2);
    }
    return onnx_set_out(n, 0, v);
}

/* The sum of all operands, divided by their number. */
bool import_mean(struct onnx_node *n)
{
    struct ir_value *v = onnx_in(n, 0);
    size_t count = n->proto->n_input;
    for (size_t i = 1; v && i < count; i++)
        v = onnx_helper2(n, IR_add, v, onnx_in(n, i));
    if (count > 1)
        v = onnx_helper2(n, IR_div, v, onnx_scalar(n, (float)count));
    return onnx_set_out(n, 0, v);
}

/* A bound of Clip: a constant scalar of any number type. */
static bool clip_bound(struct onnx_node *n, size_t i, float *out)
{
    struct ir_value *v = onnx_in(n, i);
    if (!v)
        return false;
    v = onnx_known(n, v);
    if (!onnx_is_const(v) || ir_count(&v->type) != 1)
        return onnx_error(n, "bound %zu is not a constant scalar", i);
    *out = (float)ir_const_f64(v->def, 0);
    return true;
}

/* Bounds are attributes before opset 11, operands since; either may be absent. */
bool import_clip(struct onnx_node *n)
{
    float lo = -FLT_MAX, hi = FLT_MAX;
    if (n->im->opset < 11) {
        lo = onnx_attr_f32(n, "min", lo);
        hi = onnx_attr_f32(n, "max", hi);
    } else if ((onnx_has_in(n, 1) && !clip_bound(n, 1, &lo)) ||
               (onnx_has_in(n, 2) && !clip_bound(n, 2, &hi))) {
        return false;
    }
    union ir_attrs attrs = {.clip = {.lo = lo, .hi = hi}};
    return onnx_set_out(n, 0, onnx_emit1(n, IR_clip, &attrs, onnx_in(n, 0)));
}

/* Integers: the remainder has the divisor's sign, as in Python, or with fmod = 1 the dividend's, as
 * in C. Floats need fmod = 1. */
bool import_mod(struct onnx_node *n)
{
    struct ir_value *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    bool fmod = onnx_attr_i64(n, "fmod", 0) != 0;
    if (!a || !b)
        return false;
    if (a->type.dtype == IR_F32 && !fmod)
        return onnx_error(n, "floats need fmod=1");
    if (a->type.dtype == IR_F32 || !fmod)
        return import_binary(n);
    struct ir_value *quotient = onnx_emit_helper(n, IR_div, NULL, (struct ir_value *[]){a, b}, 2);
    struct ir_value *whole =
        onnx_emit_helper(n, IR_mul, NULL, (struct ir_value *[]){quotient, b}, 2);
    return onnx_set_out(n, 0, onnx_emit2(n, IR_sub, NULL, a, whole));
}

/* ---- logic ---- */

static struct ir_value *truth(struct onnx_node *n, bool value)
{
    uint8_t *byte = heap_alloc(1);
    *byte = value;
    return onnx_const(n, ir_type_of(IR_BOOL, 0, NULL), blob_own(byte, 1));
}

static bool want_bool(struct onnx_node *n, const struct ir_value *v)
{
    return v && (v->type.dtype == IR_BOOL || onnx_error(n, "an operand is not bool"));
}

/* not x = (x == false) */
bool import_not(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    if (!want_bool(n, x))
        return false;
    return onnx_set_out(n, 0, onnx_emit2(n, IR_equal, NULL, x, truth(n, false)));
}

/* a and b = (a ? b : false); a or b = (a ? true : b) */
bool import_logic(struct onnx_node *n)
{
    struct ir_value *ab[2];
    if (!onnx_pair(n, ab) || !want_bool(n, ab[0]) || !want_bool(n, ab[1]))
        return false;
    bool is_and = n->op->variant == LOGIC_AND;
    struct ir_value *in[] = {ab[0], is_and ? ab[1] : truth(n, true),
                             is_and ? truth(n, false) : ab[1]};
    return onnx_set_out(n, 0, onnx_emit(n, IR_where, NULL, in, 3));
}

bool import_where(struct onnx_node *n)
{
    struct ir_value *in[] = {onnx_in(n, 0), onnx_in(n, 1), onnx_in(n, 2)};
    return onnx_set_out(n, 0, onnx_emit(n, IR_where, NULL, in, 3));
}

/* ---- Cast ---- */

struct ir_value *onnx_cast(struct onnx_node *n, struct ir_value *x, enum ir_dtype to)
{
    if (!x || x->type.dtype == to)
        return x;
    union ir_attrs attrs = {.cast = {.to = to}};
    return onnx_emit1(n, IR_cast, &attrs, x);
}

/* A constant of floats rounded to what bfloat16 can hold. */
static struct ir_value *rounded_to_bf16(struct onnx_node *n, struct ir_value *x)
{
    if (!x)
        return NULL;
    bool splat = x->def->attrs->constant.data->splat;
    int64_t count = splat ? 1 : ir_count(&x->type);
    float *data = heap_alloc((size_t)max_i64(count, 1) * sizeof *data);
    for (int64_t i = 0; i < count; i++)
        data[i] = bf16_round((float)ir_const_f64(x->def, i));
    struct blob *b =
        splat ? blob_splat(data, sizeof *data) : blob_own(data, (size_t)count * sizeof *data);
    if (splat)
        free(data);
    return onnx_const(n, x->type, b);
}

/* Between float types: nothing to do, since all are f32 inside; but constants that become float16
 * or bfloat16 are rounded to what those can hold. Integers computed at run time become floats by
 * `dequantize`. */
bool import_cast(struct onnx_node *n)
{
    int64_t to = onnx_attr_i64(n, "to", 0);
    onnx_ignore_attr(n, "saturate"); /* of 8-bit floats, as round_mode */
    onnx_ignore_attr(n, "round_mode");
    enum ir_dtype inside;
    if (!onnx_dtype_inside(to, &inside))
        return onnx_error(n, "to %s is not supported", onnx_dtype_name(to));
    if (inside == IR_F32 && is_exact(n, 0))
        return onnx_set_out(n, 0, n->in[0]->exact);
    struct ir_value *x = onnx_in(n, 0);
    if (!x)
        return false;
    if (inside == IR_F32 && x->type.dtype != IR_F32 && !onnx_is_const(x))
        x = onnx_as_float(n, x);
    if (to == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 && onnx_is_const(x))
        x = onnx_cast(n, x, IR_F16);
    bool known = onnx_is_const(x);
    x = onnx_cast(n, x, inside);
    if (to == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 && known)
        x = rounded_to_bf16(n, x);
    return onnx_set_out(n, 0, x);
}
