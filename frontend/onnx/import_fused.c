/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_fused.c - com.microsoft: layers that carry an activation, FusedConv and FusedGemm. */
#include "onnx_node.h"

#include <string.h>

/* What the attribute `activation` names, with its parameters in ONNX's order; v if there is none.
 */
static struct ir_value *activated(struct onnx_node *n, struct ir_value *v, const float *p)
{
    static const struct {
        const char *name;
        enum ir_opcode opcode;
    } plain[] = {{"Relu", IR_relu}, {"Tanh", IR_tanh}, {"Sigmoid", IR_sigmoid}};
    const char *name = onnx_attr_str(n, "activation", "");
    union ir_attrs leaky = {.leaky_relu = {.alpha = p[0]}}, clip = onnx_bounds(p[0], p[1]);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(name, plain[i].name) == 0)
            return onnx_helper1(n, plain[i].opcode, NULL, v);
    if (strcmp(name, "LeakyRelu") == 0)
        return onnx_helper1(n, IR_leaky_relu, &leaky, v);
    if (strcmp(name, "Clip") == 0)
        return onnx_helper1(n, IR_clip, &clip, v);
    if (strcmp(name, "HardSigmoid") == 0)
        return onnx_hard_sigmoid(n, v, p[0], p[1]);
    if (!*name)
        return v;
    onnx_error(n,
               "activation '%s'; Relu, Tanh, Sigmoid, LeakyRelu, Clip and HardSigmoid are "
               "supported",
               name);
    return NULL;
}

/* Operand 3 is added before the activation. */
bool import_fused_conv(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *w = onnx_in(n, 1), *b = NULL;
    size_t count = 0;
    const float *given = onnx_attr_f32s(n, "activation_params", &count);
    float p[2] = {0};
    if (!x || !w || (onnx_has_in(n, 2) && !(b = onnx_in(n, 2))))
        return false;
    if (count > 2)
        return onnx_error(n, "activation_params holds %zu numbers; at most 2 are supported", count);
    if (count)
        memcpy(p, given, count * sizeof *p);
    struct ir_value *v = onnx_conv(n, x, onnx_integer_weights(n, w), b, 1, "");
    if (onnx_has_in(n, 3))
        v = onnx_helper2(n, IR_add, v, onnx_in(n, 3));
    return onnx_set_out(n, 0, activated(n, v, p));
}

bool import_fused_gemm(struct onnx_node *n)
{
    const float p[] = {onnx_attr_f32(n, "activation_alpha", 0),
                       onnx_attr_f32(n, "activation_beta", 0)};
    onnx_ignore_attr(n, "activation_gamma"); /* of activations that have three */
    return onnx_set_out(n, 0, activated(n, onnx_gemm(n), p));
}
