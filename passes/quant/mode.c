/*
 * mode.c - f32 or int? A model is quantised if the data input of a base layer comes, through moves,
 * max pooling, relu and clip, from a dequantize of a value that is not known before run time: of a
 * quantize, an integer operation or an integer input. Weights alone do not count: that is how float
 * networks are kept small.
 */
#include "passes_internal.h"

/* By id: does the value depend on an input of the model? */
static bool *at_run_time(struct ir_graph *g)
{
    bool *known_late = heap_alloc(ir_number(g) + 1);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        known_late[op->id] = op->opcode == IR_input;
        for (uint32_t i = 0; i < op->n_in; i++)
            known_late[op->id] |= known_late[op->in[i].value->def->id];
    }
    return known_late;
}

static bool keeps_quantised(const struct ir_op *op)
{
    return pass_has_trait(op, IR_MOVES) || op->opcode == IR_max_pool || op->opcode == IR_relu ||
           op->opcode == IR_clip;
}

static bool is_quantised(const struct ir_value *x, const bool *known_late)
{
    while (keeps_quantised(x->def))
        x = x->def->in[0].value;
    bool integer = x->type.dtype == IR_U8 || x->type.dtype == IR_I8;
    bool runs = known_late[x->def->id];
    return runs && (integer || ir_is(x, IR_dequantize));
}

static bool has_quantised_layer(struct ir_graph *g)
{
    bool *known_late = at_run_time(g), found = false;
    for (const struct ir_op *op = g->first; op && !found; op = op->next) {
        /* either operand of a matmul may be the weights, which are known early */
        for (uint32_t i = 0; i < 2 && pass_has_trait(op, IR_BASE); i++)
            found |= is_quantised(op->in[i].value, known_late);
    }
    free(known_late);
    return found;
}

bool pass_settle_mode(struct ir_graph *g, struct pass_ctx *ctx)
{
    if (ctx->mode_reason)
        return true;
    bool quantised = has_quantised_layer(g);
    bool is_early = g->stage == IR_TENSOR || g->stage == IR_CANONICAL; /* later it was settled */
    if (ctx->mode == PASS_MODE_INT && !quantised && is_early)
        return diag_error(ctx->diag, (struct loc){0}, DIAG_PASS,
                          "--mode int: no base layer of this model has a quantised input, and cimc "
                          "quantize, which will quantise models, does not exist yet");
    if (ctx->mode != PASS_MODE_AUTO)
        ctx->mode_reason = "as asked for";
    else
        ctx->mode_reason =
            quantised ? "base layers have quantised inputs" : "no base layer has a quantised input";
    if (ctx->mode == PASS_MODE_AUTO)
        ctx->mode = quantised ? PASS_MODE_INT : PASS_MODE_F32;
    return true;
}
