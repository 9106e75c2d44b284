/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * export_base.c - base layers. What `partition` has split off a convolution comes back to it: zeros
 * around its input are its `pads`, the addition of one number a channel is its third operand. So
 * does the addition behind a matrix product, as Gemm: runtimes that compute in integers look for
 * these forms.
 */
#include "onnx_exporter.h"

/* Zeros around rows and columns, which a convolution adds by itself. */
static bool is_window_padding(const struct ir_op *op)
{
    const struct ir_attrs_pad *p = &op->attrs->pad;
    return op->opcode == IR_pad && p->mode == IR_PAD_CONSTANT && p->value == 0 &&
           p->before.n == 4 && !p->before.at[0] && !p->before.at[1] && !p->after.at[0] &&
           !p->after.at[1];
}

/* The convolution, with a bias or NULL, as the value of op. */
static bool conv_as(struct onnx_exporter *e, const struct ir_op *op, const struct ir_op *conv,
                    const char *bias)
{
    const struct ir_attrs_conv *at = &conv->attrs->conv;
    const struct ir_op *x = conv->in[0].value->def;
    int64_t pads[] = {at->pad[0], at->pad[1], at->pad[2], at->pad[3]};
    bool padded = is_window_padding(x);
    for (int i = 0; padded && i < 2; i++) {
        pads[i] += x->attrs->pad.before.at[2 + i];
        pads[2 + i] += x->attrs->pad.after.at[2 + i];
    }
    const struct export_node n = {
        .type = "Conv",
        .in = (const char *const[]){padded ? export_in(e, x, 0) : export_in(e, conv, 0),
                                    export_in(e, conv, 1), bias},
        .n_in = bias ? 3 : 2,
        .attrs = {INTS_ATTR("dilations", at->dilation, 2), INT_ATTR("group", at->group),
                  INTS_ATTR("kernel_shape", at->kernel, 2), INTS_ATTR("pads", pads, 4),
                  INTS_ATTR("strides", at->stride, 2)}};
    return export_named(e, op, *conv->name ? conv->name : op->name, &n);
}

bool export_conv(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    return conv_as(e, op, op, op->n_in == 3 ? export_in(e, op, 2) : NULL);
}

static bool is_dequantized(const struct ir_value *v)
{
    return v->def->opcode == IR_dequantize && v->def->n_in == 2 &&
           ir_is(v->def->in[0].value, IR_constant) && ir_is(v->def->in[1].value, IR_constant);
}

/* Is v [.., n, 1, 1], or with `last` [.., n], all other dimensions 1? */
static bool is_one_each(const struct ir_type *t, int64_t n, bool last)
{
    unsigned behind = last ? 1 : 3;
    return t->dtype == IR_F32 && t->rank >= behind && t->dim[t->rank - behind] == n &&
           ir_count(t) == n;
}

/* As [n]; NULL where that would take a node that was not there. */
static const char *as_vector(struct onnx_exporter *e, const struct ir_value *v, int64_t n)
{
    const struct ir_op *def = v->def;
    if (v->type.rank == 1)
        return export_value(e, v);
    if (def->opcode == IR_reshape && def->in[0].value->type.rank == 1)
        return export_in(e, def, 0);
    if (def->opcode == IR_constant)
        return export_constant_as(e, def, 1, &n);
    if (!is_dequantized(v))
        return NULL;
    const struct export_node q = {
        "DequantizeLinear",
        EXPORT_IN(export_constant_as(e, def->in[0].value->def, 1, &n), export_in(e, def, 1)),
        .attrs = {INT_ATTR("axis", 0)}};
    return export_helper(e, def, &q);
}

/* An addition with a name of its own stays one, but where runtimes need to see a bias. */
static bool may_join(const struct ir_op *add, const struct ir_op *base, const struct ir_value *b)
{
    const struct ir_value *q = b->def->opcode == IR_reshape ? b->def->in[0].value : b;
    return ir_has_one_use(base->out) && (!*add->name || !*base->name || is_dequantized(q));
}

static bool biased_conv(struct onnx_exporter *e, const struct ir_op *add, const struct ir_op *conv,
                        const struct ir_value *b)
{
    int64_t channels = conv->out->type.dim[1];
    const char *bias =
        conv->n_in == 2 && b->type.rank <= 4 && is_one_each(&b->type, channels, false)
            ? as_vector(e, b, channels)
            : NULL;
    return bias && conv_as(e, add, conv, bias);
}

static bool biased_matmul(struct onnx_exporter *e, const struct ir_op *add,
                          const struct ir_op *matmul, const struct ir_value *b)
{
    const struct ir_type *w = &matmul->in[1].value->type;
    if (matmul->in[0].value->type.rank != 2 || w->rank != 2 || b->type.rank > 2 ||
        !is_one_each(&b->type, w->dim[1], true))
        return false;
    const char *bias = as_vector(e, b, w->dim[1]);
    const struct export_node n = {
        "Gemm", EXPORT_IN(export_in(e, matmul, 0), export_in(e, matmul, 1), bias)};
    return bias && export_named(e, add, *matmul->name ? matmul->name : add->name, &n);
}

bool export_biased(struct onnx_exporter *e, const struct ir_op *add)
{
    for (int i = 0; i < 2; i++) {
        const struct ir_op *base = add->in[i].value->def;
        const struct ir_value *b = add->in[1 - i].value;
        bool is_base = base->opcode == IR_conv || base->opcode == IR_matmul;
        if (is_base && may_join(add, base, b) &&
            (base->opcode == IR_conv ? biased_conv : biased_matmul)(e, add, base, b))
            return true;
    }
    return false;
}

bool export_batch_norm(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct export_node n = {type,
                                  EXPORT_IN(export_in(e, op, 0), export_in(e, op, 1),
                                            export_in(e, op, 2), export_in(e, op, 3),
                                            export_in(e, op, 4)),
                                  .attrs = {FLOAT_ATTR("epsilon", op->attrs->batch_norm.epsilon)}};
    return export_result(e, op, &n);
}
