/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_qlinear.c - operators whose operands and results are integers with scales of their own:
 * QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger and Microsoft's QLinear... and QGemm.
 *
 * Each is the operator on floats between `dequantize` and `quantize`, which is what a model of
 * QuantizeLinear and DequantizeLinear says, so that one set of rules serves both. Operands come
 * in threes: tensor, scale, zero point.
 */
#include "onnx_node.h"

/* ---- one operand ---- */

static bool between(struct onnx_node *n, struct ir_value *v)
{
    return v && onnx_set_quantized(n, v, 3, 0);
}

static bool channels_last(struct onnx_node *n)
{
    return onnx_attr_i64(n, "channels_last", 0) != 0 &&
           !onnx_error(n, "channels_last is not supported");
}

bool import_qlinear_unary(struct onnx_node *n)
{
    return !channels_last(n) &&
           between(n, onnx_helper1(n, n->op->opcode, NULL, onnx_dequantized(n, 0, 0)));
}

bool import_qlinear_leaky_relu(struct onnx_node *n)
{
    union ir_attrs attrs = {.leaky_relu = {.alpha = onnx_attr_f32(n, "alpha", 0.01f)}};
    return between(n, onnx_helper1(n, IR_leaky_relu, &attrs, onnx_dequantized(n, 0, 0)));
}

bool import_qlinear_avg_pool(struct onnx_node *n)
{
    return !channels_last(n) && between(n, onnx_avg_pool(n, onnx_dequantized(n, 0, 0)));
}

/* Attribute `opset` says which Softmax of ONNX it is. */
bool import_qlinear_softmax(struct onnx_node *n)
{
    bool flattens = onnx_attr_i64(n, "opset", 13) < 13;
    return between(n, onnx_softmax(n, onnx_dequantized(n, 0, 0), flattens));
}

/* ---- several ---- */

bool import_qlinear_add(struct onnx_node *n)
{
    struct ir_value *a = onnx_dequantized(n, 0, 0), *b = onnx_dequantized(n, 3, 0);
    return a && b && onnx_set_quantized(n, onnx_helper2(n, IR_add, a, b), 6, 0);
}

/* (A - A_zero_point) * (B - B_zero_point) is an exact float, and the three scales are one number.
 */
bool import_qlinear_mul(struct onnx_node *n)
{
    struct ir_value *factor[2], *scale[3];
    struct onnx_params p;
    for (size_t i = 0; i < 2; i++) {
        struct ir_value *q = onnx_in(n, 3 * i);
        if (!q || !onnx_read_params(n, 3 * i + 1, 3 * i + 2, &q->type, 0, &p))
            return false;
        scale[i] = p.scale;
        p.scale = onnx_scalar(n, 1);
        if (!(factor[i] = onnx_dequantize(n, q, &p)))
            return false;
    }
    if (!(scale[2] = onnx_in(n, 6)))
        return false;
    struct ir_value *ratio = onnx_helper2(n, IR_mul, scale[0], scale[1]);
    ratio = onnx_helper2(n, IR_div, ratio, onnx_reshape(n, scale[2], NULL, 0, false));
    struct ir_value *v = onnx_helper2(n, IR_mul, factor[0], factor[1]);
    return onnx_set_integers(n, onnx_helper2(n, IR_mul, v, ratio), 7);
}

/* The result's scale and zero point come first. */
bool import_qlinear_concat(struct onnx_node *n)
{
    uint32_t count = (uint32_t)(n->proto->n_input - 2) / 3;
    struct ir_value **in = ARENA_ARRAY(n->im->arena, struct ir_value *, count);
    if (n->proto->n_input != 2 + 3 * (size_t)count)
        return onnx_error(n, "%zu operands are no whole number of tensors", n->proto->n_input);
    for (uint32_t i = 0; i < count; i++)
        if (!(in[i] = onnx_dequantized(n, 2 + 3 * (size_t)i, 0)))
            return false;
    union ir_attrs attrs = {0};
    if (!onnx_axis(n, onnx_attr_i64(n, "axis", 0), in[0]->type.rank, &attrs.concat.axis))
        return false;
    return onnx_set_quantized(n, onnx_emit_helper(n, IR_concat, &attrs, in, count), 0, 0);
}

/* ---- base layers ---- */

/* Input and weights as floats, and which operands they were. */
struct factors {
    struct ir_value *x, *w;
    struct ir_value *scale_x, *scale_w; /* the input has one for all */
    size_t weights;
    const char *variant;
};

static bool optional_in(struct onnx_node *n, size_t i, struct ir_value **out)
{
    *out = NULL;
    return !onnx_has_in(n, i) || (*out = onnx_in(n, i));
}

/* [N], where an operand has its columns in the last of several dimensions. */
static struct ir_value *column_list(struct onnx_node *n, struct ir_value *v)
{
    int64_t last = v && v->type.rank > 1 ? v->type.dim[v->type.rank - 1] : 0;
    return last && ir_count(&v->type) == last ? onnx_reshape(n, v, &last, 1, false) : v;
}

/* A scale of 1 for each zero point. */
static struct ir_value *ones(struct onnx_node *n, const struct ir_value *zero)
{
    const float one = 1;
    struct ir_type type = zero ? zero->type : ir_type_of(IR_F32, 0, NULL);
    type.dtype = IR_F32;
    return onnx_const(n, type, blob_splat(&one, sizeof one));
}

/* What else than the initializer makes the matrix; `scale` 0: none. */
static const char *variant_of(struct onnx_node *n, size_t scale, size_t zero)
{
    return arena_printf(n->im->arena, "scale %zu zero %zu;",
                        scale ? onnx_operand_number(n, scale) : 0, onnx_operand_number(n, zero));
}

/* Operands: with scales x, its scale and zero point, w, its own; without x, w, their zero points.
 * Several scales or zero points of w belong to the elements of its dimension `axis`. */
static bool read_factors(struct onnx_node *n, bool scaled, int64_t axis, float alpha,
                         struct factors *f)
{
    size_t w = scaled ? 3 : 1, zero_w = scaled ? 5 : 3;
    struct ir_value *zx, *zw, *sx, *sw;
    struct onnx_params px, pw;
    *f = (struct factors){.x = onnx_in(n, 0), .w = onnx_in(n, w), .weights = w};
    if (!f->x || !f->w || !optional_in(n, 2, &zx) || !optional_in(n, zero_w, &zw))
        return false;
    zw = column_list(n, zw);
    sx = scaled ? onnx_in(n, 1) : ones(n, zx);
    sw = scaled ? column_list(n, onnx_in(n, 4)) : ones(n, zw);
    if (sx && alpha != 1)
        sx = onnx_helper2(n, IR_mul, sx, onnx_scalar(n, alpha));
    if (!onnx_make_params(n, sx, zx, &f->x->type, 0, &px) ||
        !onnx_make_params(n, sw, zw, &f->w->type, axis, &pw))
        return false;
    if (px.scale->type.rank)
        return onnx_error(n, "several scales or zero points of operand 0 are not supported");
    f->x = onnx_dequantize(n, f->x, &px);
    f->w = onnx_dequantize(n, f->w, &pw);
    f->scale_x = px.scale;
    f->scale_w = pw.scale;
    f->variant = variant_of(n, scaled ? 4 : 0, zero_w);
    return f->x && f->w;
}

/* Operand i: integers that are added to the products. */
static struct ir_value *bias(struct onnx_node *n, size_t i, const struct factors *f)
{
    struct ir_value *b = onnx_in(n, i);
    struct onnx_params p;
    struct ir_value *scale = onnx_helper2(n, IR_mul, f->scale_x, f->scale_w);
    if (!b || !onnx_make_params(n, scale, NULL, &b->type, -1, &p))
        return NULL;
    return onnx_dequantize(n, b, &p);
}

bool import_qlinear_conv(struct onnx_node *n)
{
    struct factors f;
    struct ir_value *b = NULL;
    if (!read_factors(n, true, 0, 1, &f) || (onnx_has_in(n, 8) && !(b = bias(n, 8, &f))))
        return false;
    return onnx_set_quantized(n, onnx_conv(n, f.x, f.w, b, f.weights, f.variant), 6, 1);
}

bool import_conv_integer(struct onnx_node *n)
{
    struct factors f;
    return read_factors(n, false, 0, 1, &f) &&
           onnx_set_exact(n, onnx_conv(n, f.x, f.w, NULL, f.weights, f.variant));
}

static struct ir_value *product(struct onnx_node *n, const struct factors *f, bool across_x,
                                bool across_w)
{
    return onnx_product(n, (struct ir_value *[]){f->x, f->w}, (bool[]){across_x, across_w},
                        f->weights, f->variant);
}

bool import_qlinear_matmul(struct onnx_node *n)
{
    struct factors f;
    return read_factors(n, true, -1, 1, &f) &&
           onnx_set_quantized(n, product(n, &f, false, false), 6, -1);
}

bool import_matmul_integer(struct onnx_node *n)
{
    struct factors f;
    return read_factors(n, false, -1, 1, &f) && onnx_set_exact(n, product(n, &f, false, false));
}

/* alpha * A' * B' + C; floats where the result has no scale. alpha is part of A's scale. */
bool import_qgemm(struct onnx_node *n)
{
    struct factors f;
    bool across_a = onnx_attr_i64(n, "transA", 0) != 0,
         across_b = onnx_attr_i64(n, "transB", 0) != 0;
    if (!read_factors(n, true, across_b ? 0 : 1, onnx_attr_f32(n, "alpha", 1), &f))
        return false;
    struct ir_value *v = product(n, &f, across_a, across_b);
    if (v && onnx_has_in(n, 6))
        v = onnx_helper2(n, IR_add, v, bias(n, 6, &f));
    return onnx_has_in(n, 7) ? onnx_set_quantized(n, v, 7, 1) : onnx_set_out(n, 0, v);
}
