/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_glpk.c - integer programs solved by GLPK; the only file that knows it.
 *
 * GLPK keeps hooks and memory in an environment of each thread, ends the process on misuse or lack
 * of memory, and has an error hook that may jump. It works in a thread of its own, so that the
 * caller's environment stays as it is: the hook jumps back to run, and glp_free_env frees what GLPK
 * held. Nothing that may leave by the door of base.h is called in there; it only looks whether the
 * caller is to.
 */
#include "base.h"
#include "dup_mip.h"

#include <glpk.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

const char mip_solver_name[] = "glpk";

struct job {
    const struct mip *mip;
    struct mip_answer *answer;
    int64_t max_work, branch_steps; /* of choosing branches */
    glp_prob *lp;
    int *indices; /* of a row or column, from 1 */
    double *coefs;
    const struct door *door; /* of the caller, who may cancel */
    jmp_buf on_error;
    bool no_memory;
};

/* ---- hooks ---- */

static void jump_back(void *job)
{
    longjmp(((struct job *)job)->on_error, 1);
}

/* Called for each line, of which there are some also between the steps of the search. */
static int hear(void *job, const char *text)
{
    static const char *const complaints[] = {"no memory available", "memory allocation error",
                                             "memory allocation limit exceeded"};
    struct job *j = job;
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++)
        if (strstr(text, complaints[i]))
            j->no_memory = true;
    if (door_is_stopped(j->door))
        jump_back(j);
    return 1; /* do not print */
}

/* Columns that are not whole yet. */
static int64_t count_fractional(glp_tree *tree)
{
    int64_t n = 0;
    for (int col = glp_get_num_cols(glp_ios_get_prob(tree)); col > 0; col--)
        n += glp_ios_can_branch(tree, col) != 0;
    return n;
}

/* What GLPK has done: a pivot costs about as much for each row and column, a node of the tree as
 * much as some pivots. The choice of the next branch (the default, Driebeck and Tomlin's)
 * multiplies the matrix with a row for each fractional column. */
static void count_work(struct job *j, glp_tree *tree)
{
    enum { PIVOT_STEPS = 300, NODE_PIVOTS = 8, BRANCH_STEPS = 24 };
    glp_prob *lp = glp_ios_get_prob(tree);
    int total;
    glp_ios_tree_size(tree, NULL, NULL, &total);
    if (glp_ios_reason(tree) == GLP_IBRANCH)
        j->branch_steps += count_fractional(tree) * glp_get_num_nz(lp) * BRANCH_STEPS;
    j->answer->n_steps = j->branch_steps + (glp_get_it_cnt(lp) + (int64_t)NODE_PIVOTS * total) *
                                               PIVOT_STEPS *
                                               (glp_get_num_rows(lp) + glp_get_num_cols(lp));
}

/* Called at every step of GLPK's search: counts its work, keeps the bound, ends it. */
static void watch(glp_tree *tree, void *job)
{
    struct job *j = job;
    int best = glp_ios_best_node(tree);
    count_work(j, tree);
    if (best)
        j->answer->bound = fmax(j->answer->bound, glp_ios_node_bound(tree, best));
    if (j->answer->n_steps > j->max_work || door_is_stopped(j->door))
        glp_ios_terminate(tree);
}

/* ---- the program ---- */

static int bound_kind(double low, double high)
{
    if (low == high)
        return GLP_FX;
    if (isinf(low))
        return isinf(high) ? GLP_FR : GLP_UP;
    return isinf(high) ? GLP_LO : GLP_DB;
}

static void set_column(struct job *j, int col, const struct mip_column *c)
{
    if (c->is_whole)
        glp_set_col_kind(j->lp, col, GLP_IV);
    glp_set_col_bnds(j->lp, col, bound_kind(c->low, c->high), c->low, c->high);
    glp_set_obj_coef(j->lp, col, c->cost);
    for (size_t k = 0; k < c->n; k++) {
        j->indices[k + 1] = (int)c->rows[k] + 1;
        j->coefs[k + 1] = c->coefs[k];
    }
    glp_set_mat_col(j->lp, col, (int)c->n, j->indices, j->coefs);
}

static void set_row_elements(struct job *j, int row, const struct mip_row *r)
{
    for (size_t k = 0; k < r->n; k++) {
        j->indices[k + 1] = (int)r->columns[k] + 1;
        j->coefs[k + 1] = r->coefs[k];
    }
    glp_set_mat_row(j->lp, row, (int)r->n, j->indices, j->coefs);
}

static void load(struct job *j)
{
    const struct mip *p = j->mip;
    j->lp = glp_create_prob();
    glp_set_obj_dir(j->lp, GLP_MIN);
    glp_set_obj_coef(j->lp, 0, p->constant);
    glp_add_rows(j->lp, (int)p->n_rows);
    for (size_t i = 0; i < p->n_rows; i++) {
        const struct mip_row *r = &p->rows[i];
        glp_set_row_bnds(j->lp, (int)i + 1, bound_kind(r->low, r->high), r->low, r->high);
    }
    glp_add_cols(j->lp, (int)p->n_columns);
    for (size_t i = 0; i < p->n_columns; i++)
        set_column(j, (int)i + 1, &p->columns[i]);
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].n > 0)
            set_row_elements(j, (int)i + 1, &p->rows[i]);
}

static enum mip_status solve(struct job *j)
{
    glp_iocp options;
    glp_init_iocp(&options);
    options.presolve = GLP_ON;
    options.cov_cuts = options.gmi_cuts = j->mip->wants_cuts ? GLP_ON : GLP_OFF;
    options.cb_func = watch;
    options.cb_info = j;
    int result = glp_intopt(j->lp, &options), status = glp_mip_status(j->lp);
    if (result == GLP_ENOPFS || (result == 0 && status == GLP_NOFEAS))
        return MIP_INFEASIBLE;
    if ((result != 0 && result != GLP_ESTOP) || (status != GLP_OPT && status != GLP_FEAS))
        return MIP_NONE;
    for (size_t i = 0; i < j->mip->n_columns; i++)
        j->answer->values[i] = glp_mip_col_val(j->lp, (int)i + 1);
    if (status == GLP_OPT)
        j->answer->bound = fmax(j->answer->bound, glp_mip_obj_val(j->lp));
    return status == GLP_OPT ? MIP_OPTIMAL : MIP_FEASIBLE;
}

/* ---- the thread ---- */

static enum mip_status run(struct job *j)
{
    if (setjmp(j->on_error))
        return j->no_memory ? MIP_NO_MEMORY : MIP_NONE;
    glp_term_hook(hear, j);
    glp_error_hook(jump_back, j);
    load(j);
    return solve(j);
}

static void *run_thread(void *job)
{
    struct job *j = job;
    if (glp_init_env() != 0) { /* it would end the process by itself */
        j->answer->status = MIP_NO_MEMORY;
        return NULL;
    }
    j->answer->status = run(j);
    glp_free_env();
    return NULL;
}

/* Signals are for the threads of the caller. */
static bool start(pthread_t *thread, struct job *j)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(thread, NULL, run_thread, j) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

void mip_solve(const struct mip *p, int64_t max_work, struct mip_answer *io)
{
    pthread_t thread;
    struct arena *a = arena_new();
    size_t most = p->n_columns > 2 ? p->n_columns : 2;
    struct job j = {.mip = p,
                    .answer = io,
                    .max_work = max_work,
                    .door = door_here(),
                    .indices = ARENA_ARRAY(a, int, most + 1),
                    .coefs = ARENA_ARRAY(a, double, most + 1)};
    io->n_steps = 0;
    if (start(&thread, &j))
        pthread_join(thread, NULL);
    else
        io->status = MIP_NO_MEMORY;
    arena_free(a);
}
