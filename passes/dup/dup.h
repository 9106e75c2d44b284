/*
 * dup.h - the duplication problem on plain arrays: what the files of this room and their tests
 * share. DUP.md states the problem.
 */
#ifndef CIMC_DUP_H
#define CIMC_DUP_H

#include "pass.h"

/* A `weights` object: one or more layers whose weights sit on the same crossbars. */
struct dup_item {
    int64_t cycles; /* t: of all its users together, with one copy; >= 0 */
    int64_t pes;    /* c: of one copy; >= 1 */
    size_t n_counts;
    const int64_t *counts; /* allowed numbers of copies, ascending; >= 1 */
};
struct dup_problem {
    const struct dup_item *items; /* in list order: ties are broken from the last one on */
    size_t n_items;
    int64_t pes; /* F; >= the sum of the items' pes */
};
/* More candidates than this (all items together), or a larger number of copies, is refused. */
enum { DUP_MAX_COUNTS = 1 << 20 };

/*
 * copies[i] of every item: exactly the optimum, ties broken by the rule of DUP.md. Writes the
 * integer program to `lp_file` unless NULL. Not proven: the work allowed was spent, the copies are
 * feasible. False with a diagnostic (DUPLICATION, IO).
 */
bool dup_solve(const struct dup_problem *p, const char *lp_file, struct diag *d, int64_t *copies,
               bool *out_proven) CHECK_RESULT;
/* The least interval: copies whose largest load, loads[item][count], is as small as the PEs allow,
 * exactly; among those the optimum of dup_solve, whose program goes to `lp_file` unless NULL.
 * *out_interval: that load. */
bool dup_solve_interval(const struct dup_problem *p, const int64_t *const *loads,
                        const char *lp_file, struct diag *d, int64_t *copies,
                        int64_t *out_interval) CHECK_RESULT;
/* Sum of cycles / copies. */
double dup_objective(const struct dup_problem *p, const int64_t *copies);

/* GLPK's optimum, to the precision of doubles, where the first count of an item need not be 1.
 * False: no answer (GLPK failed, or its work was spent); `copies` then has no meaning. */
bool dup_glpk_solve(const struct dup_problem *p, int64_t *copies) CHECK_RESULT;
/* The same program in CPLEX LP format. */
bool dup_glpk_write(const struct dup_problem *p, const char *path, struct diag *d) CHECK_RESULT;
/* From any feasible `copies` (the better, the quicker) to the exact optimum with ties broken. Not
 * proven: the effort was spent before, and `copies` stay. */
bool dup_break_ties(const struct dup_problem *p, struct diag *d, int64_t *copies,
                    bool *out_proven) CHECK_RESULT;

/* ---- the core: what a Lagrangian bound leaves open (dup_bound.c) ---- */

/* Fixed point, 2^-shift cycles: quotients are rounded down, so sums of n of them are at most n low.
 */
__extension__ typedef __int128 dup_units;

/* An item with more than one number of copies that an optimum could have. */
struct dup_core_item {
    size_t item; /* index into the problem's items */
    int64_t cycles, pes;
    size_t n_counts;
    const int64_t *counts;  /* ascending */
    const dup_units *units; /* cycles / counts[k] */
    const dup_units *slack; /* how far counts[k] is from the item's cheapest at `price` */
};
struct dup_core {
    struct dup_core_item *items; /* in list order */
    size_t n_items;
    int64_t budget; /* PEs for them */
    unsigned shift; /* of dup_units */
    /* Every optimum has: sum of slacks + price * unused PEs <= gap. */
    dup_units price, gap;
};
/* Feasible copies to start from: the cheapest at the bound's price, then whatever still fits. */
bool dup_find_start(const struct dup_problem *p, struct diag *d, int64_t *copies) CHECK_RESULT;
/* `copies` is feasible on entry; afterwards it holds the only possible number for every item that
 * is not in the core. False: numbers out of range (DUPLICATION). */
bool dup_find_core(const struct dup_problem *p, struct arena *a, struct diag *d, int64_t *copies,
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
