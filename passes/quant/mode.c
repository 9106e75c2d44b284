/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mode.c - f32 or int? A model is quantised if the data input of a base layer comes, through moves,
 * max pooling, relu and clip, from a dequantize of a value that is not known before run time: of a
 * quantize, an integer operation or an integer input. Weights alone do not count: that is how float
 * networks are kept small.
 */
#include "passes_internal.h"

static bool keeps_quantised(const struct ir_op *op)
{
    return pass_has_trait(op, IR_MOVES) || op->opcode == IR_max_pool || op->opcode == IR_relu ||
           op->opcode == IR_clip;
}

/* Of a value: does it depend on an input of the model, and is it quantised as said above? */
struct origin {
    bool runs, quantised;
};

static struct origin origin_of(const struct ir_op *op, const struct origin *by_id)
{
    struct origin o = {.runs = op->opcode == IR_input};
    for (uint32_t i = 0; i < op->n_in; i++)
        o.runs |= by_id[op->in[i].value->def->id].runs;
    if (keeps_quantised(op)) {
        o.quantised = by_id[op->in[0].value->def->id].quantised;
    } else if (op->out) {
        uint8_t dtype = op->out->type.dtype;
        o.quantised = o.runs && (dtype == IR_U8 || dtype == IR_I8 || op->opcode == IR_dequantize);
    }
    return o;
}

static bool has_quantised_layer(struct ir_graph *g)
{
    struct origin *by_id = heap_alloc((ir_number(g) + 1) * sizeof *by_id);
    bool found = false;
    for (const struct ir_op *op = g->first; op && !found; op = op->next) {
        by_id[op->id] = origin_of(op, by_id);
        /* either operand of a matmul may be the weights, which are known early */
        for (uint32_t i = 0; i < 2 && pass_has_trait(op, IR_BASE); i++)
            found |= by_id[op->in[i].value->def->id].quantised;
    }
    heap_free(by_id);
    return found;
}

bool pass_settle_mode(struct ir_graph *g, struct pass_ctx *ctx)
{
    if (ctx->mode_reason)
        return true;
    bool quantised = has_quantised_layer(g);
    bool is_early = g->stage == IR_TENSOR || g->stage == IR_CANONICAL; /* later it was settled */
    bool will_be = is_early && ctx->quant;
    if (ctx->mode == PASS_MODE_INT && !quantised && is_early && !will_be)
        return diag_error(ctx->diag, (struct loc){0}, DIAG_PASS,
                          "--mode int: no base layer of this model has a quantised input; cimc "
                          "quantize gives it some, as --calibrate does here");
    if (ctx->mode == PASS_MODE_F32 && will_be)
        return diag_error(ctx->diag, (struct loc){0}, DIAG_PASS,
                          "--mode f32 and --calibrate, which makes integers of a float model, "
                          "exclude each other");
    if (ctx->mode != PASS_MODE_AUTO)
        ctx->mode_reason = "as asked for";
    else if (!quantised && will_be)
        ctx->mode_reason = "quantised by calibration";
    else
        ctx->mode_reason =
            quantised ? "base layers have quantised inputs" : "no base layer has a quantised input";
    if (ctx->mode == PASS_MODE_AUTO)
        ctx->mode = quantised || will_be ? PASS_MODE_INT : PASS_MODE_F32;
    return true;
}
