/*
 * int_bounds.c - sums keep within 32 bits, by the weights that there are: a column whose positive
 * weights sum to p, whose negative ones to -m, gives at most 255*p and at least -255*m of bytes.
 */
#include "int.h"

static const int64_t LIMIT = (int64_t)1 << 31;

static const struct column *columns_of(const struct ir_op *layer, int64_t n, struct arena *a)
{
    const struct ir_op *center = layer->n_in > 2 ? layer->in[2].value->def : NULL;
    int64_t *shift = ARENA_ARRAY(a, int64_t, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        shift[i] = int_at(center, i);
    return int_columns(layer->in[1].value->def, layer->opcode == IR_matmul, n, shift, a);
}

/* The i32 constants that are added to the sums. */
static const struct ir_op *added(const struct ir_use *u)
{
    bool adds = u->user->opcode == IR_add || u->user->opcode == IR_requantize;
    return adds && u == &u->user->in[0] && ir_is(u->user->in[1].value, IR_constant)
               ? u->user->in[1].value->def
               : NULL;
}

static void check_layer(const struct ir_op *layer, struct pass_ctx *ctx)
{
    struct arena *a = arena_new();
    int64_t n = layer->in[1].value->type.dim[layer->opcode == IR_matmul ? 1 : 0];
    const struct column *c = columns_of(layer, n, a);
    bool ok = true;
    for (const struct ir_use *u = layer->out->uses; u && ok; u = u->next) {
        const struct ir_op *bias = added(u);
        for (int64_t i = 0; i < n && ok; i++) {
            int64_t b = int_at(bias, i), most = UINT8_MAX * max_i64(c[i].up, c[i].down);
            if (most + (b < 0 ? -b : b) < LIMIT)
                continue;
            ok = diag_error(ctx->diag, layer->loc, DIAG_LOWER,
                            "%s: sums of output channel %lld can reach %lld with a bias of %lld, "
                            "which 32 bits do not hold",
                            pass_op_text(layer, ctx->scratch), (long long)i, (long long)most,
                            (long long)b);
        }
    }
    arena_free(a);
}

void int_check_sums(struct ir_graph *g, struct pass_ctx *ctx)
{
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (pass_has_trait(op, IR_BASE) && ir_is(op->in[1].value, IR_constant) &&
            op->in[1].value->type.dtype == IR_I8)
            check_layer(op, ctx);
    }
}
