/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_activation.c - activations that are no operation of their own but a few of them. */
#include "onnx_node.h"

#include <math.h>

struct ir_value *onnx_hard_sigmoid(struct onnx_node *n, struct ir_value *x, float scale,
                                   float shift)
{
    union ir_attrs attrs = {.hard_sigmoid = {.alpha = scale, .beta = shift}};
    return onnx_helper1(n, IR_hard_sigmoid, &attrs, x);
}

bool import_hard_sigmoid(struct onnx_node *n)
{
    float alpha = onnx_attr_f32(n, "alpha", 0.2f), beta = onnx_attr_f32(n, "beta", 0.5f);
    return onnx_set_out(n, 0, onnx_hard_sigmoid(n, onnx_in(n, 0), alpha, beta));
}

bool import_hard_swish(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_mul, x, onnx_hard_sigmoid(n, x, 1.0f / 6, 0.5f)));
}

bool import_leaky_relu(struct onnx_node *n)
{
    union ir_attrs attrs = {.leaky_relu = {.alpha = onnx_attr_f32(n, "alpha", 0.01f)}};
    return onnx_set_out(n, 0, onnx_emit1(n, IR_leaky_relu, &attrs, onnx_in(n, 0)));
}

/* Before opset 7 several slopes are those of the channels. */
static struct ir_value *slopes(struct onnx_node *n, const struct ir_type *x, struct ir_value *slope)
{
    int64_t dims[IR_MAX_RANK];
    if (n->im->opset >= 7 || slope->type.rank != 1 || x->rank < 2)
        return slope;
    for (int i = 0; i + 1 < x->rank; i++)
        dims[i] = i ? 1 : slope->type.dim[0];
    return onnx_reshape(n, slope, dims, x->rank - 1u, false);
}

/* One slope is a leaky_relu; others relu(x) - slope*relu(-x), of which one part is 0. */
bool import_prelu(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *slope = onnx_in(n, 1);
    if (!x || !slope)
        return false;
    slope = slopes(n, &x->type, onnx_known(n, slope));
    if (slope && onnx_is_const(slope) && ir_count(&slope->type) == 1 &&
        slope->type.rank <= x->type.rank) {
        union ir_attrs attrs = {.leaky_relu = {.alpha = (float)ir_const_f64(slope->def, 0)}};
        return onnx_set_out(n, 0, onnx_emit1(n, IR_leaky_relu, &attrs, x));
    }
    struct ir_value *below = onnx_helper1(n, IR_relu, NULL, onnx_helper1(n, IR_neg, NULL, x));
    below = onnx_helper2(n, IR_mul, below, slope);
    struct ir_value *v = onnx_helper2(n, IR_sub, onnx_helper1(n, IR_relu, NULL, x), below);
    if (v && !ir_type_equal(&v->type, &x->type))
        return onnx_error(n, "the slope does not broadcast to the input");
    return onnx_set_out(n, 0, v);
}

/* ---- of exponentials ---- */

/* relu(x) + alpha*(exp(min(x, 0) / scale) - 1) */
struct ir_value *onnx_elu(struct onnx_node *n, struct ir_value *x, float alpha, float scale)
{
    union ir_attrs below = {.clip = {.lo = -INFINITY, .hi = 0}};
    struct ir_value *v = onnx_helper1(n, IR_clip, &below, x);
    if (scale != 1)
        v = onnx_helper2(n, IR_div, v, onnx_scalar(n, scale));
    v = onnx_helper2(n, IR_sub, onnx_helper1(n, IR_exp, NULL, v), onnx_scalar(n, 1));
    if (alpha != 1)
        v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, alpha));
    return onnx_helper2(n, IR_add, onnx_helper1(n, IR_relu, NULL, x), v);
}

bool import_elu(struct onnx_node *n)
{
    float alpha = onnx_attr_f32(n, "alpha", 1);
    return onnx_set_out(n, 0, onnx_elu(n, onnx_in(n, 0), alpha, 1));
}

bool import_celu(struct onnx_node *n)
{
    float alpha = onnx_attr_f32(n, "alpha", 1);
    if (alpha == 0)
        return onnx_error(n, "alpha is 0");
    return onnx_set_out(n, 0, onnx_elu(n, onnx_in(n, 0), alpha, alpha));
}

bool import_selu(struct onnx_node *n)
{
    float alpha = onnx_attr_f32(n, "alpha", 1.67326319217681884765625f);
    float gamma = onnx_attr_f32(n, "gamma", 1.05070102214813232421875f);
    struct ir_value *v = onnx_elu(n, onnx_in(n, 0), alpha, 1);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_mul, v, onnx_scalar(n, gamma)));
}

/* log(1 + exp(x)) as relu(x) + log(1 + exp(-|x|)), in which nothing overflows. */
struct ir_value *onnx_softplus(struct onnx_node *n, struct ir_value *x)
{
    struct ir_value *v = onnx_helper1(n, IR_neg, NULL, onnx_helper1(n, IR_abs, NULL, x));
    v = onnx_helper2(n, IR_add, onnx_helper1(n, IR_exp, NULL, v), onnx_scalar(n, 1));
    v = onnx_helper1(n, IR_log, NULL, v);
    return onnx_helper2(n, IR_add, onnx_helper1(n, IR_relu, NULL, x), v);
}

bool import_softplus(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_softplus(n, onnx_in(n, 0)));
}

/* x * tanh(softplus(x)) */
bool import_mish(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_value *v = onnx_helper1(n, IR_tanh, NULL, onnx_softplus(n, x));
    return onnx_set_out(n, 0, onnx_helper2(n, IR_mul, x, v));
}

/* x / (1 + |x|) */
bool import_softsign(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_value *v =
        onnx_helper2(n, IR_add, onnx_helper1(n, IR_abs, NULL, x), onnx_scalar(n, 1));
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, x, v));
}

/* x * sigmoid(alpha*x) */
bool import_swish(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *v = x;
    float alpha = onnx_attr_f32(n, "alpha", n->op->variant == QUICK_GELU ? 1.702f : 1);
    if (alpha != 1)
        v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, alpha));
    return onnx_set_out(n, 0, onnx_helper2(n, IR_mul, x, onnx_helper1(n, IR_sigmoid, NULL, v)));
}

/* ---- Gelu ---- */

/* x/2 * (1 + v) */
static struct ir_value *gated(struct onnx_node *n, struct ir_value *x, struct ir_value *v)
{
    struct ir_value *half = onnx_helper2(n, IR_mul, x, onnx_scalar(n, 0.5f));
    return onnx_helper2(n, IR_mul, half, onnx_helper2(n, IR_add, v, onnx_scalar(n, 1)));
}

/* x/2 * (1 + erf(x / sqrt(2))) */
static struct ir_value *gelu(struct onnx_node *n, struct ir_value *x)
{
    struct ir_value *v = onnx_helper2(n, IR_mul, x, onnx_scalar(n, (float)M_SQRT1_2));
    return gated(n, x, onnx_helper1(n, IR_erf, NULL, v));
}

/* x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715*x^3))) */
static struct ir_value *gelu_tanh(struct onnx_node *n, struct ir_value *x)
{
    struct ir_value *v = onnx_helper2(n, IR_mul, x, x);
    v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, 0.044715f));
    v = onnx_helper2(n, IR_mul, x, onnx_helper2(n, IR_add, v, onnx_scalar(n, 1)));
    v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, (float)(M_2_SQRTPI * M_SQRT1_2)));
    return gated(n, x, onnx_helper1(n, IR_tanh, NULL, v));
}

/* Gelu, and Microsoft's: BiasGelu adds operand 1 first, as FastGelu does where there is one. */
bool import_gelu(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    unsigned approximate = n->op->variant == FAST_GELU ? GELU_TANH : GELU_NONE;
    if (n->op->variant == ONLY &&
        !onnx_attr_choice(n, "approximate", CHOICES_gelu_approximate, &approximate))
        return false;
    if (onnx_has_in(n, 1))
        x = onnx_helper2(n, IR_add, x, onnx_in(n, 1));
    return onnx_set_out(n, 0, approximate == GELU_TANH ? gelu_tanh(n, x) : gelu(n, x));
}
