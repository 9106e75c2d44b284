/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_mip.h - an integer program as data, and what every solver of one offers.
 *
 * In: columns and rows. Out: values. One file is built that defines mip_solve: dup_glpk.c or
 * dup_cbc.cc (option `solver`). It knows nothing else of the compiler, and is C++ too.
 */
#ifndef CIMC_DUP_MIP_H
#define CIMC_DUP_MIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mip_column {
    const char *name;
    double cost, low, high;
    bool is_whole;
    /* Elements of the matrix that stand with the column. */
    size_t n;
    size_t rows[2];
    double coefs[2];
};
struct mip_row {
    const char *name; /* may be NULL */
    double low, high; /* may be infinite */
    /* Elements that stand with the row. */
    size_t n;
    const size_t *columns;
    const double *coefs;
};
/* The least sum of costs. */
struct mip {
    const char *goal; /* a name for the sum */
    double constant;  /* of it */
    struct mip_column *columns;
    struct mip_row *rows;
    size_t n_columns, n_rows;
    bool wants_cuts; /* they save more than they cost */
};

enum mip_status {
    MIP_NONE,       /* nothing is known; also where the work was spent before anything was found */
    MIP_INFEASIBLE, /* there is no solution */
    MIP_FEASIBLE,   /* the work was spent: `values` are a solution */
    MIP_OPTIMAL,    /* to the precision of doubles */
    MIP_NO_MEMORY
};
struct mip_answer {
    enum mip_status status;
    double *values;  /* by column: the caller's */
    double bound;    /* raised to what is proven of the sum */
    int64_t n_steps; /* that it took, in those of dup_flow.h */
};

#ifdef __cplusplus
extern "C" {
#endif
/* Ends after about max_work steps, or (GLPK) when the call is cancelled. Counted, not timed: the
 * same each time. What it allocates is free again; it prints nothing, never jumps or throws, and
 * leaves what the process has set for the solver's library as it was. */
void mip_solve(const struct mip *p, int64_t max_work, struct mip_answer *io);
extern const char mip_solver_name[];
#ifdef __cplusplus
}
#endif

#endif
