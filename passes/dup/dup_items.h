/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_items.h - the items of the duplication problem as they stand in a graph: weights objects, the
 * base layers that use them, and the patches that their products can yield.
 */
#ifndef CIMC_DUP_ITEMS_H
#define CIMC_DUP_ITEMS_H

#include "dup.h"

/* A patch that the products of all users can yield. */
struct dup_option {
    int64_t patch[2], slices[2]; /* slices: as the attribute has them */
    int64_t pes, cycles;         /* of one copy, all users */
    int64_t product;             /* cycles of one product */
    int64_t most_copies;
};
/* A weights object; its users are mvm operations. */
struct dup_object {
    int64_t pes, slices[2];         /* of one copy, each product one pixel */
    uint32_t first_user, last_user; /* by index into `ops`; the others through `next_user` */
    size_t n_options;
    const struct dup_option *options; /* as dup_prefer has them */
};
struct dup_items {
    VEC(struct ir_op *) ops;      /* the base layers in list order */
    VEC(uint32_t) item_of;        /* of ops.at[i] */
    VEC(uint32_t) next_user;      /* of ops.at[i]: the next with the same weights, or DUP_NO_USER */
    VEC(struct dup_object) items; /* by first user in list order */
    int64_t pe_min;               /* each product one pixel */
};
#define DUP_NO_USER UINT32_MAX

/* Objects without options yet. False: no slices yet, users that disagree, numbers out of range. Of
 * ctx it reads diag and arch. */
bool dup_gather(struct dup_items *x, const struct ir_graph *g,
                const struct pass_ctx *ctx) CHECK_RESULT;
void dup_items_free(struct dup_items *x);
/* The base layer of that name, or number from 0; DUP_NO_USER, with an error about `what`, if there
 * is none. */
struct map dup_index_names(const struct dup_items *x);
uint32_t dup_find_layer(const struct dup_items *x, const struct map *by_name, const char *layer,
                        const char *what, struct diag *d);

/* The base layer gets so many, with the patch that it has. False: there is no such cut. */
bool dup_set_copies(struct ir_op *op, enum dup_cut cut, int64_t copies) CHECK_RESULT;

/* Of the option with the fewest. */
int64_t dup_least_pes(const struct dup_object *it);
/* The options of all objects that `pes` PEs can hold (dup_options.c): what the user fixed, all
 * patches of use, or one pixel. False: DUPLICATION, CAPACITY. */
bool dup_find_options(struct dup_items *x, int64_t pes, const struct pass_ctx *ctx) CHECK_RESULT;
/* The problem for a machine of `pes`: at most `most_copies` of each; with all choices that there
 * are, or those of use. */
enum dup_range { DUP_USEFUL, DUP_ALL };
struct dup_problem dup_make_problem(const struct dup_items *x, int64_t pes, int64_t most_copies,
                                    enum dup_range range, const struct pass_ctx *ctx);
/* F, and whether the network fits it and the chip; else CAPACITY, with what would fit. */
bool dup_find_pes(const struct dup_items *x, const struct pass_ctx *ctx,
                  int64_t *out_pes) CHECK_RESULT;
/* The option with that many copies; false: some user has no such cut. */
bool dup_make_choice(const struct dup_items *x, const struct dup_object *it,
                     const struct dup_option *o, int64_t copies, enum dup_cut cut,
                     struct dup_choice *out);
/* The problem that ctx->dup->fixed leaves (dup_fixed.c): one choice an item. False: DUPLICATION,
 * CAPACITY. */
bool dup_take_fixed(const struct dup_items *x, int64_t pes, const struct pass_ctx *ctx,
                    struct dup_problem *out) CHECK_RESULT;

#endif
