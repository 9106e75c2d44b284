/*
 * int_bounds.c - sums keep within 32 bits, by the weights that there are: a column whose positive
 * weights sum to p, whose negative ones to -m, gives at most 255*p and at least -255*m of bytes.
 */
#include "int.h"

static const int64_t LIMIT = (int64_t)1 << 31;

/* Per column, 255 times the larger of the two sums. */
static int64_t *reach_of(const struct ir_op *layer, struct arena *a, int64_t *out_n)
{
    const struct ir_op *w = layer->in[1].value->def;
    const struct ir_op *center = layer->n_in > 2 ? layer->in[2].value->def : NULL;
    bool by_rows = layer->opcode == IR_matmul;
    const struct ir_type *t = &w->out->type;
    int64_t n = *out_n = t->dim[by_rows ? 1 : 0], count = ir_count(t), k = n ? count / n : 0;
    int64_t *sum[2] = {ARENA_ARRAY(a, int64_t, (size_t)n + 1),
                       ARENA_ARRAY(a, int64_t, (size_t)n + 1)};
    const signed char *data = ir_const_data(w, a);
    int64_t outer = by_rows ? k : n, inner = by_rows ? n : k;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            int64_t column = by_rows ? i : o, x = *data++ + int_at(center, column);
            sum[x < 0][column] += x < 0 ? -x : x;
        }
    for (int64_t i = 0; i < n; i++)
        sum[0][i] = UINT8_MAX * max_i64(sum[0][i], sum[1][i]);
    return sum[0];
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
    int64_t n;
    struct arena *a = arena_new();
    const int64_t *reach = reach_of(layer, a, &n);
    bool ok = true;
    for (const struct ir_use *u = layer->out->uses; u && ok; u = u->next) {
        const struct ir_op *bias = added(u);
        for (int64_t i = 0; i < n && ok; i++) {
            int64_t b = int_at(bias, i);
            if (reach[i] + (b < 0 ? -b : b) < LIMIT)
                continue;
            ok = diag_error(ctx->diag, layer->loc, DIAG_LOWER,
                            "%s: sums of output channel %lld can reach %lld with a bias of %lld, "
                            "which 32 bits do not hold",
                            pass_op_text(layer, ctx->scratch), (long long)i, (long long)reach[i],
                            (long long)b);
        }
    }
    arena_free(a);
}

void int_check_sums(struct ir_graph *g, struct pass_ctx *ctx)
{
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (pass_has_trait(op, IR_BASE) && op->out->type.dtype == IR_I32)
            check_layer(op, ctx);
    }
}
