/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_weights.c - who shares crossbars: base operations whose weights are the same matrix made of
 * the same initializer.
 *
 * Between an initializer and its uses may stand QuantizeLinear, DequantizeLinear and Transpose,
 * which exporters repeat for each use. Two uses are one matrix if the same way leads to them: the
 * same operators with the same parameters, which is compared as a text.
 */
#include "onnx_node.h"

#include <stdlib.h>
#include <string.h>

/* ---- the way from an initializer to a use ---- */

size_t onnx_operand_number(const struct onnx_node *n, size_t i)
{
    return onnx_has_in(n, i) ? n->in[i]->number : 0;
}

static bool keeps_identity(const struct onnx_node *n)
{
    return n->op && n->proto->n_input > 0 &&
           (n->op->import == import_quantize || n->op->import == import_dequantize ||
            n->op->opcode == IR_transpose);
}

/* "Transpose perm 1 0;", with numbers for operands: a name may be long, and many uses have one. */
static void describe(const struct onnx_node *n, struct text *out)
{
    text_add(out, "%s", n->op->name);
    for (size_t i = 1; i < n->proto->n_input && i < IR_MAX_RANK; i++)
        text_add(out, " %zu", onnx_operand_number(n, i));
    for (size_t i = 0; i < n->proto->n_attribute; i++) {
        const Onnx__AttributeProto *a = n->proto->attribute[i];
        text_add(out, " %.16s", a->name ? a->name : "");
        if (a->has_i)
            text_add(out, " %lld", (long long)a->i);
        for (size_t k = 0; k < a->n_ints && k < IR_MAX_RANK; k++)
            text_add(out, " %lld", (long long)a->ints[k]);
    }
    text_add(out, ";");
}

/* No exporter writes as many operators between; the ways of n uses must not take n^2. */
enum { LONGEST_WAY = 8 };

/* What symbol s is made of: an initializer, or the result of a node that makes another matrix. */
static const struct onnx_symbol *origin(const struct onnx_symbol *s, struct text *way)
{
    for (int i = 0; i < LONGEST_WAY && s && s->kind == ONNX_NODE_OUTPUT && keeps_identity(s->node);
         i++) {
        describe(s->node, way);
        s = s->node->in[0];
    }
    return s;
}

static bool holds_constant(const struct ir_value *weights)
{
    return onnx_is_const(weights) ||
           (ir_is(weights, IR_dequantize) && onnx_is_const(weights->def->in[0].value));
}

void onnx_note_weights(struct onnx_node *n, struct ir_value *v, size_t i, const char *variant)
{
    bool is_base = v && (ir_is(v, IR_conv) || ir_is(v, IR_matmul));
    if (!is_base || !holds_constant(v->def->in[1].value))
        return;
    struct text way = {0};
    text_add(&way, "%s", variant);
    const struct onnx_symbol *from = origin(n->in[i], &way);
    if (from)
        VEC_PUSH(&n->im->weights,
                 ((struct onnx_weight_use){v->def, from, arena_strdup(n->im->arena, way.at)}));
    text_free(&way);
}

/* ---- numbers ---- */

static int by_sharing(const void *a, const void *b)
{
    const struct onnx_weight_use *x = *(const struct onnx_weight_use *const *)a;
    const struct onnx_weight_use *y = *(const struct onnx_weight_use *const *)b;
    if (x->symbol != y->symbol)
        return x->symbol->number < y->symbol->number ? -1 : 1;
    int c = strcmp(x->variant, y->variant);
    return c ? c : x < y ? -1 : 1;
}

static void set_weights(struct ir_op *op, int64_t number)
{
    if (op->opcode == IR_conv)
        op->attrs->conv.weights = number;
    else
        op->attrs->matmul.weights = number;
}

static int64_t get_weights(const struct ir_op *op)
{
    return op->opcode == IR_conv ? op->attrs->conv.weights : op->attrs->matmul.weights;
}

/* Numbers the initializers that several base operations use, from 1 in order of first use. */
void onnx_number_weights(struct onnx_importer *im)
{
    size_t n = im->weights.n;
    int64_t next = 1;
    const struct onnx_weight_use **sorted =
        ARENA_ARRAY(im->arena, const struct onnx_weight_use *, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &im->weights.at[i];
    if (n)
        qsort(sorted, n, sizeof *sorted, by_sharing);
    /* First a mark on all that share, the place of their first use; then numbers by that place. */
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end]->symbol == sorted[i]->symbol &&
                          strcmp(sorted[end]->variant, sorted[i]->variant) == 0;)
            end++;
        for (size_t k = i; end - i > 1 && k < end; k++)
            set_weights(sorted[k]->op, sorted[i] - im->weights.at + 1);
    }
    int64_t *number = ARENA_ARRAY(im->arena, int64_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        int64_t first = get_weights(im->weights.at[i].op);
        if (first && !number[first])
            number[first] = next++;
        set_weights(im->weights.at[i].op, number[first]);
    }
}
