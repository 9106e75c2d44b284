/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_power.c - Pow. */
#include "onnx_node.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* By repeated squaring; n > 0. */
static struct ir_value *whole_power(struct onnx_node *n, struct ir_value *x, int64_t exponent)
{
    struct ir_value *v = NULL;
    for (;; exponent >>= 1) {
        if (exponent & 1)
            v = v ? onnx_helper2(n, IR_mul, v, x) : x;
        if (exponent <= 1)
            return v;
        x = onnx_helper2(n, IR_mul, x, x);
    }
}

/* x^(quarters/4), quarters >= 1 */
static struct ir_value *quarter_power(struct onnx_node *n, struct ir_value *x, int64_t quarters)
{
    struct ir_value *v = NULL, *root = quarters % 4 ? onnx_helper1(n, IR_sqrt, NULL, x) : NULL;
    if (quarters % 4 == 2)
        v = root;
    if (quarters % 2)
        v = onnx_helper1(n, IR_sqrt, NULL, root);
    if (quarters % 4 == 3)
        v = onnx_helper2(n, IR_mul, root, v);
    if (quarters < 4)
        return v;
    struct ir_value *whole = whole_power(n, x, quarters / 4);
    return v ? onnx_helper2(n, IR_mul, whole, v) : whole;
}

static struct ir_value *all_ones(struct onnx_node *n, const struct ir_value *like)
{
    const float one = 1;
    return onnx_const(n, like->type, blob_splat(&one, sizeof one));
}

/* What a root is drawn of: x, but -inf becomes +inf and -0 becomes +0, as IEEE 754's pow has it for
 * exponents that are not whole. Other negative numbers have no root and stay. */
static struct ir_value *radicand(struct onnx_node *n, struct ir_value *x)
{
    union ir_attrs finite = {.clip = {.lo = -FLT_MAX, .hi = FLT_MAX}};
    struct ir_value *cut = onnx_helper1(n, IR_clip, &finite, x);
    struct ir_value *rest = onnx_helper2(n, IR_sub, x, cut); /* 0, or x if that is infinite */
    return onnx_helper2(n, IR_add, cut, onnx_helper1(n, IR_abs, NULL, rest));
}

/* Quarters of whole numbers up to MOST by multiplications and roots, others by `pow`. */
struct ir_value *onnx_power(struct onnx_node *n, struct ir_value *x, double exponent,
                            bool is_positive)
{
    enum { MOST = 1024 };
    double quarters = 4 * fabs(exponent);
    if (!x)
        return NULL;
    if (exponent == 0)
        return all_ones(n, x);
    if (quarters != floor(quarters) || quarters > 4 * MOST)
        return onnx_helper2(n, IR_pow, x, onnx_scalar(n, (float)exponent));
    if (exponent != floor(exponent) && !is_positive)
        x = radicand(n, x);
    struct ir_value *v = quarter_power(n, x, (int64_t)quarters);
    return exponent > 0 ? v : onnx_helper2(n, IR_div, onnx_scalar(n, 1), v);
}

/* x in the dimensions that numpy's rule gives it together with `other`. */
static struct ir_value *broadcast(struct onnx_node *n, struct ir_value *x,
                                  const struct ir_type *other)
{
    if (!x || onnx_broadcasts_to(other, &x->type))
        return x;
    const float none = -0.0f; /* x + -0 is x, whatever x */
    struct ir_type type = {.dtype = IR_F32, .rank = other->rank};
    memcpy(type.dim, other->dim, other->rank * sizeof *type.dim);
    return onnx_helper2(n, IR_add, x, onnx_const(n, type, blob_splat(&none, sizeof none)));
}

/* The exponent, if it is one constant number. */
static bool constant_exponent(const struct ir_value *v, double *out)
{
    int64_t count = ir_count(&v->type);
    if (!onnx_is_const(v) || count == 0)
        return false;
    *out = ir_const_f64(v->def, 0);
    if (v->def->attrs->constant.data->splat)
        return true;
    for (int64_t i = 1; i < count; i++)
        if (ir_const_f64(v->def, i) != *out)
            return false;
    return true;
}

static int32_t bit_of(double exponent, int bit)
{
    return (int32_t)exponent >> bit & 1;
}

/* Integers, exactly: for each bit k of the exponent a factor x^(2^k) or 1, as 1 + bit*(x^(2^k) -
 * 1).
 */
static struct ir_value *integer_power(struct onnx_node *n, struct ir_value *x, struct ir_value *y)
{
    enum { MOST = 1024 };
    bool known = onnx_is_const(y), splat = known && y->def->attrs->constant.data->splat;
    int64_t count = !known ? 0 : splat ? 1 : ir_count(&y->type);
    double largest = 0, single;
    for (int64_t i = 0; i < count; i++) {
        double e = ir_const_f64(y->def, i);
        largest = e >= 0 && e == floor(e) ? fmax(largest, e) : INFINITY;
    }
    if (largest > MOST || !count) {
        onnx_error(n,
                   "integers to a power that is %s; constant whole exponents of 0 to %d are "
                   "supported",
                   count ? "none of those" : "computed", MOST);
        return NULL;
    }
    enum ir_dtype dtype = (enum ir_dtype)x->type.dtype;
    x = onnx_cast(n, x, IR_I32);
    if (constant_exponent(y, &single) && single > 0 && onnx_broadcasts_to(&y->type, &x->type))
        return onnx_cast(n, whole_power(n, x, (int64_t)single), dtype);
    struct ir_value *one = onnx_cast(n, onnx_scalar(n, 1), IR_I32), *v = one;
    for (int bit = 0; bit == 0 || (int)largest >> bit; bit++) {
        struct ir_value *factor = onnx_helper2(n, IR_sub, x, one);
        factor = onnx_helper2(n, IR_mul, factor, onnx_const_i32(n, y, bit_of, bit));
        v = onnx_helper2(n, IR_mul, v, onnx_helper2(n, IR_add, factor, one));
        x = onnx_helper2(n, IR_mul, x, x);
    }
    return onnx_cast(n, v, dtype);
}

/* The result has the type of the base, whatever the exponent's. */
bool import_pow(struct onnx_node *n)
{
    struct ir_value *in[2];
    double exponent;
    if (!onnx_pair(n, in))
        return false;
    struct ir_value *x = in[0], *y = onnx_known(n, in[1]);
    enum ir_dtype base = (enum ir_dtype)x->type.dtype;
    bool known = constant_exponent(y, &exponent);
    if (!onnx_is_const(x) && base != IR_F32)
        return onnx_set_out(n, 0, integer_power(n, x, y));
    if (!onnx_is_const(x) && known) {
        struct ir_value *power = onnx_power(n, x, exponent, false);
        return onnx_set_out(n, 0, broadcast(n, power, &y->type));
    }
    enum ir_dtype wide = base == IR_F32 || y->type.dtype == IR_F32 ? IR_F32 : IR_I64;
    struct ir_value *v = onnx_emit2(n, IR_pow, NULL, onnx_cast(n, x, wide), onnx_cast(n, y, wide));
    return onnx_set_out(n, 0, onnx_cast(n, v, base));
}
