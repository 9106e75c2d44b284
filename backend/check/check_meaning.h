/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_meaning.h - does an instruction compute what the graph says? One file for each kind of
 * them.
 */
#ifndef CIMC_CHECK_MEANING_H
#define CIMC_CHECK_MEANING_H

#include "check_run.h"

/* check_meaning.c */
/* Is dst, h x w pixels, a part of the op's value? */
bool check_inside(struct actor *a, const struct ir_op *op, int64_t h, int64_t w);
bool check_meaning_prepare(struct check *k) CHECK_RESULT;
void check_meaning_free(struct check *k);
bool check_meaning_finish(struct check *k) CHECK_RESULT;
void check_effect(struct actor *a); /* of MVM, V*, SEND, LOAD, STORE */

/* check_mvm.c */
void check_mvm(struct actor *a);
/* check_readout.c */
/* Are the products of the group read out as the mvm says? */
bool check_readout(struct actor *a, const struct isa_group *g, const struct ir_op *mvm);
/* check_sums.c */
/* [op]: the largest byte that its value can have; in the check's arena. */
uint8_t *check_bytes(struct check *k);
/* No sum of the layer, of all its rows or some, with its bias or without, leaves 32 bits. */
bool check_sums(struct actor *a, const struct ir_op *mvm);
/* check_window.c */
void check_vwin(struct actor *a);
void check_vgat(struct actor *a);
void check_vred(struct actor *a);
void check_vdot(struct actor *a);
void check_vtake(struct actor *a);
/* check_map.c */
void check_vmap(struct actor *a);

/* check_match.c */
struct match {
    struct check *k;
    const struct isa_tile *tile;
    const struct isa_program_entry *program;
    const struct check_view *constants; /* or NULL */
    const struct ir_op *result;
    int64_t channel0, n_channels; /* of the result */
    /* For a and b: an element of the result, and the tag that the operand has for it (0: padding).
     */
    int64_t at[2][3];
    uint32_t tag[2];
    bool bound[2];
    struct leaf leaf[2];                         /* found: what a and b must be */
    struct leaf made;                            /* found: what the result is */
    const struct ir_op *known[ISA_MAX_LANE_OPS]; /* found: what a lane computes */
    unsigned steps;
};
/* Is the program what the graph says about `result`? */
bool check_match(struct match *m);

/* check_walk.c */
/* Taps (kh, [kw0, kw1)) and channels [c0, c1) of a kernel. */
struct tap_box {
    uint32_t kh, kw0, kw1, c0, c1;
};
struct tap_boxes {
    uint32_t n;
    struct tap_box *at;
    uint32_t *first; /* of each kernel row; [kernel height] = n */
};
/* Reads all elements under the boxes of n[0] x n[1] windows from `first` on, each row once. */
struct walk {
    uint32_t kernel[2], stride[2], dilation[2];
    int64_t first[2], n[2];
    int64_t pad[2];
    uint32_t view, channel0; /* the leaf's channel that the view shows as channel 0 */
    int64_t first_row;       /* of the view: the leaf's row 0 */
    bool inside;             /* no row outside the view may stand for padding */
    bool whole;              /* all of the view's channels, whatever the boxes say */
    const struct tap_boxes *boxes;
};
/* Of the instruction's group, where kept[0] x kept[1] pixels of a patch are wanted. */
const struct tap_boxes *check_boxes_of_group(struct actor *a, const int64_t kept[2]);
const struct tap_boxes *check_boxes_of_kernel(struct check *k, const uint32_t kernel[2]);
void check_walk(struct actor *a, const struct walk *w, const struct leaf *leaf);

#endif
