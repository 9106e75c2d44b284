/*
 * partition.c - TENSOR -> CANONICAL: checks that everything is static f32 and splits padding and
 * bias off the base layers, so that what is left of a convolution is one matrix product a pixel:
 *   conv(x, w, b, pad) -> add(conv(pad(x), w), b as [C,1,1])
 * Errors (code LOWER): one a kind, each lists every node it concerns.
 */
#include "passes_internal.h"

/* f32 elements of one value; what is larger has no place on a chip and would exhaust memory. */
static const int64_t MAX_ELEMENTS = (int64_t)1 << 28;

enum { STAT_PADS, STAT_BIASES };

/* ---- checks ---- */

static bool is_illegal(const struct ir_op *op)
{
    return !(ir_op_descs[op->opcode].stages & IR_CANONICAL);
}
static bool is_not_float(const struct ir_op *op)
{
    return !is_illegal(op) && op->out && op->out->type.dtype != IR_F32;
}
static bool has_bad_size(const struct ir_op *op)
{
    int64_t n = op->out ? ir_count(&op->out->type) : 1;
    return n == 0 || (n > MAX_ELEMENTS && op->opcode != IR_constant);
}
static bool has_batch(const struct ir_op *op)
{
    bool by_image =
        op->opcode == IR_conv || pass_has_trait(op, IR_WINDOW) || op->opcode == IR_global_avg_pool;
    return by_image && op->out->type.dim[0] != 1;
}
static bool has_runtime_weights(const struct ir_op *op)
{
    return op->opcode == IR_conv && !ir_is(op->in[1].value, IR_constant);
}
static bool is_runtime_product(const struct ir_op *op)
{
    bool transposed;
    return op->opcode == IR_matmul && !pass_matrix_constant(op->in[0].value, &transposed) &&
           !pass_matrix_constant(op->in[1].value, &transposed);
}

static const struct check {
    bool (*wrong)(const struct ir_op *op);
    const char *text;
} checks[] = {
    {is_illegal, "must be computable at compile time"},
    {is_not_float, "not of type f32"},
    {has_bad_size, "empty, or too large to be a value on the machine"},
    {has_batch, "the batch dimension must be 1"},
    {has_runtime_weights, "the weights must be constant"},
    {is_runtime_product, "a product of two runtime values has no mapping onto crossbars"},
};

/* One error for all operations that break this rule. */
static bool check_all(const struct check *c, const struct ir_graph *g, struct pass_ctx *ctx)
{
    const struct ir_op *first = NULL;
    struct text names = {0};
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
    return !first;
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
                                    .mode = "constant"}};
    struct ir_value *x = conv->in[0].value;
    struct ir_new desc = {.opcode = IR_pad, .in = &x, .n_in = 1, .attrs = &attrs, .loc = conv->loc};
    struct ir_op *pad = ir_op_new(conv->graph, conv, &desc, ctx->diag);
    if (!pad)
        return false;
    if (has_bad_size(pad))
        return diag_error(ctx->diag, conv->loc, DIAG_LOWER, "%s: the padded input is too large",
                          pass_op_text(conv, ctx->scratch));
    ir_set_operand(conv, 0, pad->out);
    for (int i = 0; i < 4; i++)
        conv->attrs->conv.pad[i] = 0;
    ctx->stats[STAT_PADS]++;
    return true;
}

static void split_bias(struct ir_op *conv, struct pass_ctx *ctx)
{
    if (conv->n_in < 3)
        return;
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
}

static enum pass_result run_partition(struct pass_ctx *ctx, struct ir_graph *g)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        ok = check_all(&checks[i], g, ctx) && ok;
    if (!ok)
        return PASS_FAILED;
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->opcode != IR_conv)
            continue;
        if (!split_padding(op, ctx))
            return PASS_FAILED;
        split_bias(op, ctx);
    }
    g->stage = IR_CANONICAL;
    return PASS_CHANGED;
}

static const char *const stats[] = {"paddings split off", "biases split off", NULL};
const struct pass pass_partition = {
    .name = "partition",
    .summary = "check that the network is static f32; split padding and bias off base layers",
    .needs = IR_TENSOR,
    .gives = IR_CANONICAL,
    .stats = stats,
    .run = run_partition,
};
