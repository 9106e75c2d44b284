/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int.c - CANONICAL -> INTEGER: what is quantised is computed in integers.
 *
 * The graph that comes in says everything in f32 operations between dequantize and quantize. The
 * rules of int.def bring the two together with what stands between them until nothing more fits;
 * what is left between them stays f32, as the model has it. In mode f32 only signs and pairs that
 * cancel go.
 */
#include "int.h"

#include "rewrite.h"

static const enum ir_opcode roots[] = {
#define RULE(when, root, name, doc) IR_##root,
#include "int.def"
#undef RULE
};
/* When a rule is tried. */
enum { EARLY = 1, LATE = 2, ALSO_FLOAT = 4 };
static const int times[] = {
#define RULE(when, root, name, doc) when,
#include "int.def"
#undef RULE
};
static struct ir_value *(*const rules[])(struct ir_op *op, struct pass_ctx *ctx) = {
#define RULE(when, root, name, doc) int_rule_##name,
#include "int.def"
#undef RULE
};
enum { N_RULES = sizeof roots / sizeof *roots, STAT_SHIFTED = N_RULES };
_Static_assert((int)STAT_SHIFTED < (int)PASS_MAX_STATS, "each rule has a statistic");

struct rules {
    struct pass_ctx *ctx;
    int now; /* those of any of these times are tried */
};

static struct ir_value *apply(void *self, size_t i, struct ir_op *root)
{
    const struct rules *r = self;
    return times[i] & r->now ? rules[i](root, r->ctx) : NULL;
}

static void rewrite(struct rules *r, int now, struct ir_graph *g)
{
    struct rewrite_rules all = {.n = N_RULES, .roots = roots, .apply = apply, .self = r};
    r->now = now;
    rewrite_graph(g, &all, r->ctx->stats);
}

static void compute_in_integers(struct rules *r, struct ir_graph *g)
{
    rewrite(r, EARLY, g);
    if (int_report_float_layers(g, r->ctx))
        rewrite(r, EARLY | LATE, g);
}

/* The first of a requantize's or table's parameters that is no constant; 0: all are. */
static uint32_t unknown_parameter(const struct ir_op *op)
{
    uint32_t n = op->opcode == IR_requantize || op->opcode == IR_table ? op->n_in : 0;
    for (uint32_t i = 1; i < n; i++) {
        if (!ir_is(op->in[i].value, IR_constant))
            return i;
    }
    return 0;
}

/* What partition and the importer promise; a graph of text may not have been there. */
static bool check_values(const struct ir_graph *g, struct pass_ctx *ctx)
{
    bool ok = true;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (!pass_has_form(op))
            ok = diag_error(ctx->diag, op->loc, DIAG_LOWER, "%s: " PASS_NO_FORM,
                            pass_op_text(op, ctx->scratch));
        uint32_t unknown = unknown_parameter(op);
        if (unknown)
            ok = diag_error(ctx->diag, op->loc, DIAG_LOWER, "%s: operand %u must be constant",
                            pass_op_text(op, ctx->scratch), unknown);
    }
    return ok;
}

static enum pass_result run_int(struct pass_ctx *ctx, struct ir_graph *g)
{
    struct rules r = {.ctx = ctx};
    unsigned n_errors = ctx->diag->n_errors;
    if (!check_values(g, ctx))
        return PASS_FAILED;
    g->stage = IR_INTEGER;
    ctx->stats[STAT_SHIFTED] = int_bring_to_bytes(g, ctx);
    if (ctx->mode == PASS_MODE_INT)
        compute_in_integers(&r, g);
    else
        rewrite(&r, ALSO_FLOAT, g);
    return ctx->diag->n_errors == n_errors ? PASS_CHANGED : PASS_FAILED;
}

static const char *const stats[] = {
#define RULE(when, root, name, doc) #name " of " #root,
#include "int.def"
#undef RULE
    "values brought to u8",
    NULL,
};
const struct pass pass_int = {
    .name = "int",
    .summary = "compute what is quantised in integers",
    .needs = IR_CANONICAL,
    .gives = IR_INTEGER,
    .reads = READS_MODE | READS_UNQUANTISED,
    .stats = stats,
    .run = run_int,
};
