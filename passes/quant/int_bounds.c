/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_bounds.c - sums keep within 32 bits, by the weights that there are: a column whose positive
 * weights sum to p, whose negative ones to -m, gives at most 255*p and at least -255*m of bytes.
 */
#include "int.h"

static const int64_t LIMIT = (int64_t)1 << 31;

/* Centers are any i32. Where one is larger than all weights, those of its column add up with one
 * sign: up to NEAR it is counted with each of them, what is beyond at once. */
enum { NEAR = INT_MOST_SHIFT };
static const int64_t ENOUGH = (int64_t)1 << 54; /* beyond LIMIT, and its products fit */

static void add_beyond(struct column *c, int64_t rows, int64_t beyond)
{
    int64_t *side = beyond < 0 ? &c->down : &c->up, more;
    if (!mul_i64(rows, beyond < 0 ? -beyond : beyond, &more) || more > ENOUGH)
        more = ENOUGH;
    *side += more;
}

static const struct column *columns_of(const struct ir_op *layer, int64_t n, struct arena *a)
{
    const struct ir_op *center = layer->n_in > 2 ? layer->in[2].value->def : NULL;
    const struct ir_op *w = layer->in[1].value->def;
    int64_t *shift = ARENA_ARRAY(a, int64_t, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        shift[i] = min_i64(max_i64(int_at(center, i), -NEAR), NEAR);
    struct column *c = int_columns(w, layer->opcode == IR_matmul, n, shift, a);
    for (int64_t i = 0; i < n; i++)
        add_beyond(&c[i], ir_count(&w->out->type) / n, int_at(center, i) - shift[i]);
    return c;
}

/* An i32 constant that is added to the sums; NULL: none. */
static const struct ir_op *added(const struct ir_use *u)
{
    const struct ir_op *user = u->user;
    bool adds = user->opcode == IR_add || user->opcode == IR_requantize;
    const struct ir_value *other = adds ? user->in[u == &user->in[0]].value : NULL;
    return other && ir_is(other, IR_constant) ? other->def : NULL;
}

/* Is element j of what the user adds that of column j? */
static bool is_by_column(const struct ir_op *layer, const struct ir_op *user,
                         const struct ir_type *bias)
{
    const struct ir_type *t = &layer->out->type;
    int64_t n;
    if (user->opcode == IR_requantize)
        return int_axis(user->attrs->requantize.axis, t, &n) == int_column_axis(layer);
    return pass_is_per_channel(bias, t, int_column_axis(layer));
}

/* By column the largest magnitude that the user adds to its sums; in `a`. */
static const int64_t *most_added(const struct ir_op *layer, const struct ir_use *u, int64_t n,
                                 struct arena *a)
{
    int64_t *most = ARENA_ARRAY(a, int64_t, (size_t)n + 1), largest = 0;
    const struct ir_op *bias = added(u);
    int64_t count = bias ? ir_count(&bias->out->type) : 0;
    bool by_column = count == n && is_by_column(layer, u->user, &bias->out->type);
    for (int64_t i = 0; i < count; i++) {
        int64_t b = ir_const_i64(bias, i), magnitude = b < 0 ? -b : b;
        if (by_column)
            most[i] = magnitude;
        largest = max_i64(largest, magnitude);
    }
    for (int64_t i = 0; i < n && !by_column; i++)
        most[i] = largest;
    return most;
}

static bool check_layer(const struct ir_op *layer, struct pass_ctx *ctx)
{
    struct arena *a = arena_new();
    int64_t n = layer->in[1].value->type.dim[layer->opcode == IR_matmul ? 1 : 0];
    const struct column *c = columns_of(layer, n, a);
    bool ok = true;
    for (const struct ir_use *u = layer->out->uses; u && ok; u = u->next) {
        const int64_t *bias = most_added(layer, u, n, a);
        for (int64_t i = 0; i < n && ok; i++) {
            int64_t most = UINT8_MAX * max_i64(c[i].up, c[i].down);
            if (most + bias[i] < LIMIT)
                continue;
            ok = diag_error(ctx->diag, layer->loc, DIAG_LOWER,
                            "%s: sums of output channel %lld can reach %lld with a bias of %lld, "
                            "which 32 bits do not hold",
                            pass_op_text(layer, ctx->scratch), (long long)i, (long long)most,
                            (long long)bias[i]);
        }
    }
    arena_free(a);
    return ok;
}

bool int_check_sums(const struct ir_graph *g, struct pass_ctx *ctx)
{
    bool ok = true;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (pass_has_trait(op, IR_BASE) && ir_is(op->in[1].value, IR_constant) &&
            op->in[1].value->type.dtype == IR_I8)
            ok &= check_layer(op, ctx);
    }
    return ok;
}
