/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_blocker.c - nodes that cannot be imported, and how the rest is looked at all the same.
 *
 * The results of such a node are lost: their values are not known, nor are those of nodes behind
 * it, which are passed over. Where the file declares the type of a lost float result, an input
 * stands for it, so that what comes behind is checked, too. What is left in the end is good for no
 * more than to see what else is in the way (onnx_rest).
 */
#include "onnx_node.h"

#include "base/closest.h"

#include <string.h>

/* ---- is the operator one that we know? ---- */

/* Operators whose results have as many elements as their data says. */
static bool depends_on_data(const Onnx__NodeProto *p)
{
    static const char *const names[] = {"NonMaxSuppression", "StringSplit", "Unique"};
    for (size_t i = 0; onnx_is_default_domain(p->domain) && i < sizeof names / sizeof *names; i++)
        if (strcmp(p->op_type, names[i]) == 0)
            return true;
    return false;
}

bool onnx_depends_on_data(struct onnx_node *n)
{
    return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                      "operator %s is not supported: the shape of its result depends on data",
                      n->proto->op_type);
}

/* Is this one of ONNX's operators, though none of operators.def? Then no other one was meant. */
static bool is_onnx_operator(const char *name)
{
    static const char *const names[] = {"Acos",
                                        "AffineGrid",
                                        "Asin",
                                        "Atan",
                                        "Bernoulli",
                                        "BitwiseAnd",
                                        "BitwiseNot",
                                        "BitwiseOr",
                                        "BitwiseXor",
                                        "BlackmanWindow",
                                        "CenterCropPad",
                                        "Col2Im",
                                        "DFT",
                                        "DeformConv",
                                        "Det",
                                        "GridSample",
                                        "HammingWindow",
                                        "HannWindow",
                                        "ImageDecoder",
                                        "MaxRoiPool",
                                        "MaxUnpool",
                                        "MelWeightMatrix",
                                        "Multinomial",
                                        "Optional",
                                        "OptionalGetElement",
                                        "OptionalHasElement",
                                        "RandomNormal",
                                        "RandomNormalLike",
                                        "RandomUniform",
                                        "RandomUniformLike",
                                        "RegexFullMatch",
                                        "RoiAlign",
                                        "STFT",
                                        "SequenceMap",
                                        "StringConcat",
                                        "StringNormalizer",
                                        "TensorScatter",
                                        "TfIdfVectorizer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool refuse_unknown(struct onnx_node *n)
{
    const Onnx__NodeProto *p = n->proto;
    bool ours = onnx_is_default_domain(p->domain);
    struct closest c = {.to = p->op_type ? p->op_type : ""};
    if (!*c.to)
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_MODEL, "names no operator");
    if (depends_on_data(p))
        return onnx_depends_on_data(n);
    bool advises = ours && !is_onnx_operator(c.to);
    for (const char *const *name = onnx_operators(); advises && *name; name++)
        closest_offer(&c, *name);
    return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                      "operator %s%s%s is not supported at opset %lld%s%s%s", ours ? "" : p->domain,
                      ours ? "" : ".", c.to, (long long)n->im->opset, CLOSEST(&c));
}

bool onnx_check_operator(struct onnx_node *n)
{
    const struct onnx_operator *op = n->op;
    const Onnx__NodeProto *p = n->proto;
    struct diag *d = n->im->diag;
    bool ok = true;
    if (!op)
        return refuse_unknown(n);
    if (n->im->opset < op->since || n->im->opset > op->until)
        return diag_error(d, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "operator %s is not supported at opset %lld, only at %d to %d", op->name,
                          (long long)n->im->opset, op->since, op->until);
    if (p->n_input < op->min_in || (p->n_input > op->max_in && op->max_in != ONNX_MANY))
        ok = diag_error(d, n->loc, DIAG_ONNX_MODEL, "has %zu operands, not %d to %d", p->n_input,
                        op->min_in, op->max_in);
    if (p->n_output == 0)
        ok = diag_error(d, n->loc, DIAG_ONNX_MODEL, "has no result");
    if (p->n_attribute > ONNX_MOST_ATTRIBUTES)
        ok = diag_error(d, n->loc, DIAG_ONNX_MODEL, "has %zu attributes", p->n_attribute);
    return ok;
}

/* ---- nodes that are not walked ---- */

void onnx_look_at(struct onnx_importer *im, const Onnx__GraphProto *g, const char *place)
{
    for (uint32_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *p = g->node[i];
        const char *entity = onnx_node_entity(im->arena, p, i);
        if (*place)
            entity = arena_printf(im->arena, "%s: %s", place, entity);
        struct onnx_node n = {.im = im, .proto = p, .loc = {.file = im->path, .entity = entity}};
        if (!onnx_operator_find(p->domain, p->op_type ? p->op_type : "") &&
            !onnx_function_find(im, p))
            refuse_unknown(&n);
        onnx_look_into(im, p, entity);
    }
}

void onnx_look_into(struct onnx_importer *im, const Onnx__NodeProto *p, const char *place)
{
    for (size_t i = 0; i < p->n_attribute; i++) {
        if (p->attribute[i]->g)
            onnx_look_at(im, p->attribute[i]->g, place);
        for (size_t k = 0; k < p->attribute[i]->n_graphs; k++)
            onnx_look_at(im, p->attribute[i]->graphs[k], place);
    }
}

/* ---- what is lost ---- */

bool onnx_waits_for_lost(const struct onnx_node *n)
{
    for (size_t i = 0; i < n->proto->n_input; i++)
        if (n->in[i] && n->in[i]->lost && !n->in[i]->value)
            return true;
    return false;
}

static bool has_run_time_operand(const struct onnx_node *n)
{
    for (size_t i = 0; i < n->proto->n_input; i++)
        if (n->in[i] && n->in[i]->value && !onnx_is_const(n->in[i]->value))
            return true;
    return onnx_waits_for_lost(n);
}

void onnx_lose(struct onnx_node *n)
{
    bool at_run_time = has_run_time_operand(n);
    for (size_t k = 0; k < n->proto->n_output; k++) {
        if (!n->out[k])
            continue;
        n->out[k]->lost = true;
        n->out[k]->value = at_run_time ? onnx_stand_in(n, n->out[k]->name) : NULL;
    }
}

/* ---- the border ---- */

static bool has_output_type(const struct ir_value *v)
{
    switch ((enum ir_dtype)v->type.dtype) {
    case IR_F32:
    case IR_I32:
    case IR_I8:
    case IR_U8:
    case IR_BOOL: return true;
    default: return false;
    }
}

/* Computed at run time, of a type that outputs may have, and nothing before it is lost. */
static bool can_be_output(const struct onnx_symbol *s)
{
    return s && s->kind == ONNX_NODE_OUTPUT && s->value && !s->lost && !s->sequence &&
           !onnx_is_const(s->value) && has_output_type(s->value);
}

struct border {
    bool *listed; /* by number of the symbol */
    VEC(struct onnx_symbol *) symbols;
};

static void list_once(struct border *b, struct onnx_symbol *s)
{
    if (!can_be_output(s) || b->listed[s->number])
        return;
    b->listed[s->number] = true;
    VEC_PUSH(&b->symbols, s);
}

/* What is between that which was imported and that which was not, and the outputs. */
static void find_border(struct onnx_importer *im, struct border *b)
{
    *b = (struct border){.listed = ARENA_ARRAY(im->arena, bool, im->n_symbols + 1)};
    for (size_t i = 0; i < im->graph->n_node; i++) {
        const struct onnx_node *n = &im->top->nodes[i];
        bool behind = n->proto->n_output && n->out[0] && n->out[0]->lost;
        for (size_t k = 0; behind && k < n->proto->n_input; k++)
            list_once(b, n->in[k]);
    }
    for (size_t k = 0; b->symbols.n && k < im->graph->n_output; k++)
        list_once(b, onnx_symbol_find(im, im->top->body->outputs[k]));
}

void onnx_advise_cut(struct onnx_importer *im)
{
    struct border b;
    struct text names = {0};
    find_border(im, &b);
    for (size_t i = 0; i < b.symbols.n; i++)
        text_add(&names, "%s%s", i ? "," : "", b.symbols.at[i]->name);
    if (names.n)
        diag_note(im->diag, (struct loc){.file = im->path},
                  "what comes before can be compiled: --outputs %s", names.at);
    text_free(&names);
    VEC_FREE(&b.symbols);
}

static void make_rest_output(struct onnx_importer *im, struct ir_value *v)
{
    union ir_attrs attrs = {
        .output = {.dtype = (enum ir_dtype)v->type.dtype, .shape = {v->type.rank, v->type.dim}}};
    const struct ir_new desc = {
        .opcode = IR_output, .in = &v, .n_in = 1, .attrs = &attrs, .loc = v->def->loc};
    if (ir_count(&v->type) > 0 && !ir_op_new(im->g, NULL, &desc, im->diag))
        BUG("no output can be made of %s", v->def->loc.entity);
}

bool onnx_rest(struct onnx_importer *im)
{
    struct border b;
    int64_t n_inputs = 0, n_outputs = 0;
    find_border(im, &b);
    for (size_t i = 0; i < b.symbols.n; i++)
        make_rest_output(im, b.symbols.at[i]->value);
    VEC_FREE(&b.symbols);
    for (struct ir_op *op = im->g->first; op; op = op->next) {
        if (op->opcode == IR_input)
            op->attrs->input.index = n_inputs++;
        if (op->opcode == IR_output)
            op->attrs->output.index = n_outputs++;
    }
    return n_outputs > 0;
}
