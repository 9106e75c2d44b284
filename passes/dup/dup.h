/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup.h - the duplication problem on plain arrays: what the files of this room and their tests
 * share. DUP.md states the problem.
 */
#ifndef CIMC_DUP_H
#define CIMC_DUP_H

#include "pass.h"

/* One way to lay out a `weights` object, whose users are one or more layers: so many copies, each
 * of whose products yields a patch of the output. */
struct dup_choice {
    int64_t copies;  /* d >= 1 */
    int64_t pes;     /* of all copies; >= 1 */
    int64_t cycles;  /* t: of all users together, with one copy; >= 0 */
    int64_t load;    /* of the copy that works longest, for all users */
    int64_t product; /* cycles of one product */
    int64_t patch[2];
};
struct dup_item {
    size_t n_choices;
    const struct dup_choice *choices; /* by PEs, ascending */
};
struct dup_problem {
    const struct dup_item *items; /* in list order: ties are broken from the last one on */
    size_t n_items;
    int64_t pes;     /* F; >= the sum of the items' fewest PEs */
    bool fewest_pes; /* ties: fewest PEs, before fewest copies. Else an item has one patch */
};
/* More choices than this (all items together), or a larger number of copies, is refused. */
enum { DUP_MAX_CHOICES = 1 << 20 };

/* Exactly: is the latency cycles / copies of `a` less than that of `b`? */
bool dup_is_faster(const struct dup_choice *a, const struct dup_choice *b);
/* Of an item's choices that are equal in all that counts: the smaller patch, then the wider one,
 * then fewer copies. < 0: `a` comes first. */
int dup_prefer(const struct dup_choice *a, const struct dup_choice *b);
/* Is `b` one more copy of what `a` has? In a run of these each gains less than the one before. */
bool dup_follows(const struct dup_choice *a, const struct dup_choice *b);

/*
 * chosen[i] of every item, an index into its choices: exactly the optimum, ties broken by the rule
 * of DUP.md. Writes the integer program to `lp_file` unless NULL. Not proven: the work allowed was
 * spent, the choices fit. False with a diagnostic (DUPLICATION, IO).
 */
bool dup_solve(const struct dup_problem *p, const char *lp_file, struct diag *d, uint32_t *chosen,
               bool *out_proven) CHECK_RESULT;
/* The least interval: choices whose largest load is as small as the PEs allow, exactly; among those
 * the optimum of dup_solve, whose program goes to `lp_file` unless NULL. *out_interval: that load.
 */
bool dup_solve_interval(const struct dup_problem *p, const char *lp_file, struct diag *d,
                        uint32_t *chosen, int64_t *out_interval, bool *out_proven) CHECK_RESULT;
/* The problem with choices of at most that load, of which each item has one; at[item]: where they
 * stand in the whole. */
struct dup_problem dup_within(const struct dup_problem *p, int64_t load, struct arena *a,
                              uint32_t **at);
/* The fewest PEs with which the interval is at most `load`; 0: it is not with any. */
int64_t dup_interval_pes(const struct dup_problem *p, int64_t load);
/* Sum of cycles / copies. */
double dup_objective(const struct dup_problem *p, const uint32_t *chosen);

/* What follows takes problems as dup_solve leaves them: of an item's choices, those with more PEs
 * are faster. */

/* The solver's optimum, to the precision of doubles. False: no answer (it failed, or its work was
 * spent); `chosen` then has no meaning. */
bool dup_program_solve(const struct dup_problem *p, uint32_t *chosen) CHECK_RESULT;
/* The same program in CPLEX LP format. */
bool dup_program_write(const struct dup_problem *p, const char *path, struct diag *d) CHECK_RESULT;
/* From anything that fits (the better, the quicker) to the exact optimum with ties broken. Not
 * proven: the effort was spent before, and `chosen` stays. */
bool dup_break_ties(const struct dup_problem *p, struct diag *d, uint32_t *chosen,
                    bool *out_proven) CHECK_RESULT;

/* ---- the core: what a Lagrangian bound leaves open (dup_bound.c) ---- */

/* Fixed point, 2^-shift cycles: quotients are rounded down, so sums of n of them are at most n low.
 */
__extension__ typedef __int128 dup_units;

/* A choice that an optimum could have. */
struct dup_core_choice {
    struct dup_choice choice;
    uint32_t at;     /* among the item's */
    dup_units units; /* cycles / copies */
    dup_units slack; /* how far it is from the item's cheapest at `price` */
};
/* An item with more than one of them. */
struct dup_core_item {
    size_t item; /* index into the problem's items */
    size_t n_choices;
    const struct dup_core_choice *choices; /* by PEs, ascending */
};
struct dup_core {
    struct dup_core_item *items; /* in list order */
    size_t n_items;
    bool fewest_pes; /* as the problem says */
    int64_t budget;  /* PEs for them */
    unsigned shift;  /* of dup_units */
    /* Every optimum has: sum of slacks + price * unused PEs <= gap. */
    dup_units price, gap;
};
/* Something that fits, to start from: the cheapest at the bound's price, then what still fits. */
bool dup_find_start(const struct dup_problem *p, struct diag *d, uint32_t *chosen) CHECK_RESULT;
/* `chosen` fits on entry; afterwards it holds the only possible choice for every item that is not
 * in the core. False: numbers out of range (DUPLICATION). */
bool dup_find_core(const struct dup_problem *p, struct arena *a, struct diag *d, uint32_t *chosen,
                   struct dup_core *out) CHECK_RESULT;

/* ---- cutting an OFM (dup_cut.c) ---- */

/* rows x columns cut into out_cut[0] x out_cut[1] = copies parts, no side into more parts than it
 * has elements. 2-D: as square as possible, the larger factor along the columns where both ways
 * fit. False if there is no such cut. One copy is always [1, 1]. */
bool dup_find_cut(enum dup_cut cut, int64_t copies, int64_t rows, int64_t columns,
                  int64_t out_cut[2]);
/* No number of copies above this has a cut; >= 1. */
int64_t dup_most_copies(enum dup_cut cut, int64_t rows, int64_t columns);

#endif
