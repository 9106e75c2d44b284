/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * partition.c - TENSOR -> CANONICAL: checks that everything is static and of types of run time, and
 * splits padding and bias off the base layers, so that what is left of a convolution is one matrix
 * product a pixel:
 *   conv(x, w, b, pad) -> add(conv(pad(x), w), b as [C,1,1])
 * Convolutions of several images: partition_batch.c; layer normalisations: partition_norm.c,
 * interpolations: partition_resize.c.
 * Errors (code LOWER): one a kind, each lists every node it concerns.
 */
#include "partition.h"

enum { STAT_PADS, STAT_BIASES };

/* ---- checks ---- */

static bool is_too_large(const struct ir_op *op)
{
    return op->out && op->opcode != IR_constant && ir_count(&op->out->type) > PASS_MOST_ELEMENTS;
}
static bool is_illegal(const struct ir_op *op)
{
    return !(ir_op_descs[op->opcode].stages & IR_CANONICAL) && op->opcode != IR_batch_norm &&
           !is_too_large(op); /* what is too large was not taken apart */
}
static bool has_runtime_statistics(const struct ir_op *op)
{
    return op->opcode == IR_batch_norm; /* fold-bn takes all others away */
}
static bool has_no_form(const struct ir_op *op)
{
    return !is_illegal(op) && !pass_has_form(op);
}
static bool is_empty(const struct ir_op *op)
{
    return op->out && ir_count(&op->out->type) == 0;
}
static bool has_many_images(const struct ir_op *op)
{
    return op->opcode == IR_conv && partition_layers(op) > PARTITION_MOST_LAYERS;
}
static bool has_runtime_weights(const struct ir_op *op)
{
    return op->opcode == IR_conv && !pass_is_weights(op->in[1].value);
}

static const struct check {
    bool (*wrong)(const struct ir_op *op);
    const char *text;
    unsigned wants_constant; /* bit by operand: a constant there would do */
    bool ends;               /* nothing can be said of what is behind */
} checks[] = {
    {is_illegal, "must be computable at compile time", 0, false},
    {has_runtime_statistics, "scale, bias, mean and variance must be constant", 0x1e, false},
    {has_no_form, PASS_NO_FORM, 0, false},
    {is_empty, "without elements", 0, true},
    {is_too_large, "of more than 2^28 elements, which is the most on the machine", 0, true},
    {has_many_images, "of more than 2^14 images, each a layer of its own", 0, false},
    {has_runtime_weights, "the weights must be constant", 1u << 1, false},
};

/* For each operation, by id, the model input that it is but for moves and elementwise operations
 * with constants, or NULL. */
static const struct ir_op **only_inputs(const struct ir_graph *g, uint32_t n_ops,
                                        struct arena *scratch)
{
    const struct ir_op **only = ARENA_ARRAY(scratch, const struct ir_op *, n_ops);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        bool passes = pass_has_trait(op, IR_MOVES | IR_UNARY | IR_BINARY), found = false;
        only[op->id] = op->opcode == IR_input ? op : NULL;
        for (uint32_t i = 0; passes && i < op->n_in; i++) {
            const struct ir_op *def = op->in[i].value->def;
            if (def->opcode == IR_constant)
                continue;
            only[op->id] = found ? NULL : only[def->id];
            found = true;
        }
    }
    return only;
}

/* Once for each input (by id in `told`), how it becomes what the operation needs. */
static void note_inputs(const struct check *c, const struct ir_op *op,
                        const struct ir_op *const *only, bool *told, struct pass_ctx *ctx)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *input = only[op->in[i].value->def->id];
        if (!(c->wants_constant >> i & 1) || !input || told[input->id])
            continue;
        told[input->id] = true;
        diag_note(ctx->diag, input->loc,
                  "known only at run time; --constant %s=FILE.pb makes it a constant", input->name);
    }
}

/* One error for all operations that break this rule. */
static bool check_all(const struct check *c, const struct ir_graph *g, uint32_t n_ops,
                      struct pass_ctx *ctx)
{
    const struct ir_op *first = NULL;
    struct text names = {0};
    bool *told = ARENA_ARRAY(ctx->scratch, bool, n_ops);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (!c->wrong(op))
            continue;
        text_add(&names, "%s%s", first ? ", " : "", pass_op_text(op, ctx->scratch));
        if (!first)
            first = op;
    }
    if (first)
        diag_error(ctx->diag, first->loc, DIAG_LOWER, "%s: %s", c->text, names.at);
    text_free(&names);
    const struct ir_op **only = first ? only_inputs(g, n_ops, ctx->scratch) : NULL;
    for (const struct ir_op *op = first; op; op = op->next) {
        if (c->wrong(op))
            note_inputs(c, op, only, told, ctx);
    }
    return !first;
}

/* Puts inputs in the place of what breaks a rule. False: they cannot stand for it. */
static bool lose_wrong(struct ir_graph *g)
{
    int64_t n_inputs = 0;
    for (const struct ir_op *op = g->first; op; op = op->next)
        n_inputs += op->opcode == IR_input;
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
            if (!checks[i].wrong(op))
                continue;
            if (checks[i].ends || !op->out || !pass_lose(op, n_inputs++))
                return false;
            break;
        }
    }
    return true;
}

/* ---- splitting ---- */

/* False with a diagnostic where the padded value would be too large. */
static bool split_padding(struct ir_op *conv, struct pass_ctx *ctx)
{
    const int64_t *p = conv->attrs->conv.pad;
    if (!p[0] && !p[1] && !p[2] && !p[3])
        return true;
    union ir_attrs attrs = {.pad = {.before = {4, (int64_t[]){0, 0, p[0], p[1]}},
                                    .after = {4, (int64_t[]){0, 0, p[2], p[3]}},
                                    .mode = IR_PAD_CONSTANT}};
    struct ir_value *x = conv->in[0].value;
    struct ir_new desc = {.opcode = IR_pad, .in = &x, .n_in = 1, .attrs = &attrs, .loc = conv->loc};
    struct ir_op *pad = ir_op_new(conv->graph, conv, &desc, ctx->diag);
    if (!pad)
        return false;
    if (is_too_large(pad))
        return diag_error(ctx->diag, conv->loc, DIAG_LOWER, "%s: the padded input is too large",
                          pass_op_text(conv, ctx->scratch));
    ir_set_operand(conv, 0, pad->out);
    for (int i = 0; i < 4; i++)
        conv->attrs->conv.pad[i] = 0;
    ctx->stats[STAT_PADS]++;
    return true;
}

/* The convolution that is left. */
static struct ir_op *split_bias(struct ir_op *conv, struct pass_ctx *ctx)
{
    if (conv->n_in < 3)
        return conv;
    struct ir_value *in[] = {conv->in[0].value, conv->in[1].value}, *b = conv->in[2].value;
    struct ir_new desc = {
        .opcode = IR_conv, .in = in, .n_in = 2, .attrs = conv->attrs, .name = conv->name};
    struct pass_place at = pass_before(conv);
    struct ir_value *product = pass_emit(&at, &desc);
    struct ir_type column = ir_type_of(IR_F32, 3, (int64_t[]){b->type.dim[0], 1, 1});
    struct ir_value *shift = pass_f32_constant(b)
                                 ? pass_const_as(&at, b->def, column.rank, column.dim)
                                 : pass_reshape(&at, b, &column);
    pass_replace(conv, pass_emit2(&at, IR_add, NULL, product, shift));
    pass_remove_unused(b);
    ctx->stats[STAT_BIASES]++;
    return product->def;
}

static int64_t weights_of(const struct ir_op *op)
{
    return op->opcode == IR_conv     ? op->attrs->conv.weights
           : op->opcode == IR_matmul ? op->attrs->matmul.weights
                                     : 0;
}

/* The largest number of crossbars that are shared, behind which those of batches go; -1: that
 * leaves none for all. */
static int64_t last_weights(const struct ir_graph *g, uint32_t n_ops, struct pass_ctx *ctx)
{
    int64_t last = 0, most = (int64_t)UINT32_MAX - n_ops;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (weights_of(op) > most) {
            diag_error(ctx->diag, op->loc, DIAG_LOWER, "%s: weights is %lld, wants at most %lld",
                       pass_op_text(op, ctx->scratch), (long long)weights_of(op), (long long)most);
            return -1;
        }
        last = max_i64(last, weights_of(op));
    }
    return last;
}

static void take_apart(struct ir_graph *g)
{
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (is_too_large(op))
            continue; /* it is told below */
        if (op->opcode == IR_layer_norm)
            partition_norm(op);
        else if (op->opcode == IR_interpolate)
            partition_interpolate(op);
        else if (op->opcode == IR_hard_sigmoid)
            pass_expand_hard_sigmoid(op);
    }
}

static enum pass_result run_partition(struct pass_ctx *ctx, struct ir_graph *g)
{
    take_apart(g);
    uint32_t n_ops = ir_number(g);
    bool ok = true;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        ok = check_all(&checks[i], g, n_ops, ctx) && ok;
    if (!ok && !lose_wrong(g))
        return PASS_FAILED;
    int64_t weights = last_weights(g, n_ops, ctx);
    if (weights < 0)
        return PASS_FAILED;
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->opcode != IR_conv)
            continue;
        if (!split_padding(op, ctx))
            return PASS_FAILED;
        partition_batch(split_bias(op, ctx), &weights, ctx->scratch);
    }
    g->stage = IR_CANONICAL;
    return ok ? PASS_CHANGED : PASS_BLOCKED;
}

static const char *const stats[] = {"paddings split off", "biases split off", NULL};
const struct pass pass_partition = {
    .name = "partition",
    .summary = "check that the network is static and of types that a machine has; split padding "
               "and bias off base layers",
    .needs = IR_TENSOR,
    .gives = IR_CANONICAL,
    .stats = stats,
    .run = run_partition,
};
