/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * tile.c - cuts each base layer's matrix to crossbars: slices = K slices, N blocks of its mapping
 * (ir/mvm_mapping.h); one copy, uncut; x_bits = what its inputs need, as many phases does a product
 * take. Input and output: CROSSBAR.
 */
#include "x_bits.h"

#include "mvm_mapping.h"

static bool tile_mvm(struct ir_op *op, const struct arch *arch, const uint8_t *bits)
{
    struct ir_attrs_mvm *a = &op->attrs->mvm;
    struct ir_mapping m =
        ir_mapping_of(op, arch_logical_rows(arch), arch_logical_cols(arch, a->weight_bits));
    struct ir_attrs_mvm old = *a;
    a->slices[0] = m.n_slices;
    a->slices[1] = m.n_blocks;
    a->copies = a->cut[0] = a->cut[1] = 1;
    if (op->in[0].value->type.dtype == IR_U8)
        a->x_bits = bits[op->in[0].value->def->id];
    return old.x_bits != a->x_bits || old.slices[0] != a->slices[0] ||
           old.slices[1] != a->slices[1] || old.copies != 1 || old.cut[0] != 1 || old.cut[1] != 1;
}

/* A machine holds weights of so many bits at most. */
static bool check_bits(const struct ir_graph *g, struct pass_ctx *ctx)
{
    const struct ir_op *first = NULL;
    uint64_t n = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm || op->attrs->mvm.weight_bits <= ctx->arch->weight_bits)
            continue;
        first = first ? first : op;
        n++;
    }
    if (!first)
        return true;
    return diag_error(ctx->diag, first->loc, DIAG_CAPACITY,
                      "%s: its weights have %lld bits, the machine holds %lld (weight_bits); "
                      "layers of too many bits: %llu",
                      pass_op_text(first, ctx->scratch), (long long)first->attrs->mvm.weight_bits,
                      (long long)ctx->arch->weight_bits, (unsigned long long)n);
}

static enum pass_result run_tile(struct pass_ctx *ctx, struct ir_graph *g)
{
    if (!ctx->arch)
        BUG("pass tile runs without a machine");
    if (arch_logical_cols(ctx->arch, 0) < 1) {
        diag_error(ctx->diag, (struct loc){0}, DIAG_CAPACITY,
                   "a weight is wider than a crossbar: %lld columns hold no output channel",
                   (long long)ctx->arch->cols);
        return PASS_FAILED;
    }
    if (!check_bits(g, ctx))
        return PASS_FAILED;
    const uint8_t *bits = x_bits_of(g, ctx->scratch);
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_mvm && tile_mvm(op, ctx->arch, bits))
            ctx->stats[0]++;
    }
    return ctx->stats[0] ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {"base layers cut", NULL};
static const struct arch fields = {
    .rows = 1, .cols = 1, .weight_bits = 1, .cell_bits = 1, .encoding = 1, .pair_axis = 1};
const struct pass pass_tile = {
    .name = "tile",
    .summary = "cut base layers into crossbar-sized slices",
    .needs = IR_CROSSBAR,
    .fields = &fields,
    .stats = stats,
    .run = run_tile,
};
