/*
 * dup_items.h - the items of the duplication problem as they stand in a graph: weights objects and
 * the base layers that use them.
 */
#ifndef CIMC_DUP_ITEMS_H
#define CIMC_DUP_ITEMS_H

#include "dup.h"

/* A weights object; its users are mvm operations. */
struct dup_object {
    int64_t cycles, pes, most_copies;
    uint32_t first_user, last_user; /* by index into `ops`; the others through `next_user` */
};
struct dup_items {
    VEC(struct ir_op *) ops;      /* the base layers in list order */
    VEC(uint32_t) item_of;        /* of ops.at[i] */
    VEC(uint32_t) next_user;      /* of ops.at[i]: the next with the same weights, or DUP_NO_USER */
    VEC(struct dup_object) items; /* by first user in list order */
    int64_t pe_min;
};
#define DUP_NO_USER UINT32_MAX

/* False: no slices yet, users that disagree, numbers out of range. */
bool dup_gather(struct dup_items *x, const struct ir_graph *g,
                const struct pass_ctx *ctx) CHECK_RESULT;
void dup_items_free(struct dup_items *x);
/* The problem for a machine of `pes`, copies of which no more than what `spend` PEs hold. */
struct dup_problem dup_make_problem(const struct dup_items *x, int64_t pes, int64_t spend,
                                    const struct pass_ctx *ctx);
/* Cycles of the products that rows x columns of the layer's output take. */
uint64_t dup_cycles(const struct ir_op *mvm, const struct arch *arch, int64_t rows,
                    int64_t columns);
/* loads[item][count]: cycles that the largest copy works for all users of the weights. */
const int64_t *const *dup_find_loads(const struct dup_items *x, const struct dup_problem *p,
                                     const struct pass_ctx *ctx);
/* F, and whether the network fits it and the chip; else CAPACITY, with what would fit. */
bool dup_find_pes(const struct dup_items *x, const struct pass_ctx *ctx,
                  int64_t *out_pes) CHECK_RESULT;
/* copies[i] of every item from ctx->dup->fixed (dup_fixed.c). False: DUPLICATION, CAPACITY. */
bool dup_take_fixed(const struct dup_items *x, int64_t pes, const struct pass_ctx *ctx,
                    int64_t *copies) CHECK_RESULT;

#endif
