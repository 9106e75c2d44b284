/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * placement.h - which PE holds which slice of which copy, and on which tile. place.c makes it.
 */
#ifndef CIMC_PLACEMENT_H
#define CIMC_PLACEMENT_H

#include "mvm_mapping.h"
#include "nodes.h"

/* A run of K slices of one N block that one group holds. */
struct group_column {
    uint32_t ph, pv0, pv1;
};
struct group {             /* PEs of a copy in one tile: they work in lockstep */
    uint32_t tile, number; /* number in the tile's table */
    uint32_t owner; /* whose PEs and queue it uses: itself, or an earlier group of its weights */
    uint32_t layer, copy;
    uint32_t first_pe; /* number in the tile of its first PE */
    uint32_t n_pes, n_columns;
    struct group_column *column; /* ascending ph */
};
struct contributor { /* a group's share of an N block */
    uint32_t group, pv0, pv1;
};
/* Who holds slices of an N block of a copy. With patches all N blocks are one, as they divide
 * pixels, which lie in one set: each group's share then is all that it holds. */
struct block {
    uint32_t n_contributors;
    struct contributor *contributor; /* ascending slices; the first one's tile is home */
};
struct copy {
    struct box rect; /* rows and columns it owns */
    uint32_t first_group, n_groups;
    struct block *block; /* one per N block, or the only one */
};
struct layer {
    uint32_t node;
    struct ir_mapping mapping;
    uint32_t n_copies, copies_h, copies_w;
    struct copy *copy;
    uint32_t shares; /* earlier layer with the same weights, or NONE */
    uint32_t same;   /* earlier layer whose groups are its own, but for rows of stacks, or NONE */
};
struct tile {
    uint32_t n_groups, n_pes;
};
/* Layers whose weights are in the crossbars at the same time: all of them, so far. Groups and tiles
 * are a segment's. */
struct segment {
    uint32_t n_layers, n_groups, n_tiles;
    const struct layer *layer;
    const struct group *group;
    const struct tile *tile;
    const uint32_t *layer_of; /* node -> its layer, or NONE */
    /* family -> do layers that share a group make or read its values? Then these must lie in stacks
     */
    const bool *stacked;
};

/* Products in a row or column of its output. */
static inline int64_t layer_products(const struct layer *l, const struct node *n, int axis)
{
    return ceil_div_i64(n->dim[axis], l->mapping.patch[axis]);
}
/* Entries of a copy's list of blocks. */
static inline uint32_t layer_blocks(const struct layer *l)
{
    return ir_mapping_has_patch(&l->mapping) ? 1 : (uint32_t)l->mapping.n_blocks;
}
/* Of the layer: who computes output (y, x). */
const struct copy *layer_copy_at(const struct node_list *nodes, const struct layer *l, int32_t y,
                                 int32_t x);
/* Output channels that the group's PEs compute: [lo, hi). Those of patches make all, 0 where they
 * hold nothing. */
void group_channels(const struct segment *s, const struct group *g, int32_t *lo, int32_t *hi);
/* Columns of its layer's matrix that its fullest PE holds. */
int64_t group_most_columns(const struct segment *s, const struct group *g);
/* What a group multiplies: bounds of the kernel taps (per axis) and input channels of its K slices.
 */
struct box group_taps(const struct segment *s, const struct group *g);

#endif
