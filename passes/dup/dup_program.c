/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_program.c - duplication as 0/1 programs: built, given to the solver, read back, or written.
 *
 * In: the problem. Out: choices whose objective is the optimum to the precision of doubles; an LP
 * file. An item whose choices are a run gets one binary for each further copy k with gain
 * t/(k-1) - t/k: the gains fall, so an optimum takes them in order and needs no ordering rows. An
 * item with holes in its copies, or with several patches, gets one binary for each choice but the
 * first and a row "at most one".
 */
#include "dup_flow.h"
#include "dup_mip.h"

#include <math.h>
#include <string.h>

/* Steps, as in dup_flow.h, and columns of a program for the sum of latencies. */
static const int64_t MAX_SUM_WORK = 500000000;
enum { MAX_SUM_COLUMNS = 2000 };

struct builder {
    const struct dup_problem *problem;
    struct arena *arena;
    VEC(struct mip_column) columns;
    VEC(struct mip_row) rows;
    struct mip mip;
};

static bool is_run(const struct dup_item *it)
{
    for (size_t k = 1; k < it->n_choices; k++)
        if (!dup_follows(&it->choices[k - 1], &it->choices[k]))
            return false;
    return true;
}

static double latency(const struct dup_choice *c)
{
    return (double)c->cycles / (double)c->copies;
}

/* A binary; its first element, the PEs, is in row 0. */
static void add_binary(struct builder *b, size_t item, const struct dup_choice *c,
                       struct mip_column column)
{
    column.name =
        c->patch[0] * c->patch[1] > 1
            ? arena_printf(b->arena, "layer%zu_patch%lldx%lld_copies%lld", item + 1,
                           (long long)c->patch[0], (long long)c->patch[1], (long long)c->copies)
            : arena_printf(b->arena, "layer%zu_copies%lld", item + 1, (long long)c->copies);
    column.is_whole = true;
    VEC_PUSH(&b->columns, column);
}

static size_t add_row(struct builder *b, const char *name, double low, double high)
{
    VEC_PUSH(&b->rows, ((struct mip_row){.name = name, .low = low, .high = high}));
    return b->rows.n - 1;
}

static const struct mip *finish(struct builder *b)
{
    b->mip.columns = b->columns.at;
    b->mip.n_columns = b->columns.n;
    b->mip.rows = b->rows.at;
    b->mip.n_rows = b->rows.n;
    return &b->mip;
}

static void builder_free(struct builder *b)
{
    VEC_FREE(&b->columns);
    VEC_FREE(&b->rows);
    arena_free(b->arena);
}

/* ---- the least sum of latencies ---- */

/* One column for each choice but the first. */
static void add_item(struct builder *b, size_t item)
{
    const struct dup_item *it = &b->problem->items[item];
    bool run = is_run(it);
    size_t row = run ? 0 : add_row(b, NULL, -INFINITY, 1);
    for (size_t k = 1; k < it->n_choices; k++) {
        const struct dup_choice *c = &it->choices[k], *base = run ? c - 1 : it->choices;
        add_binary(b, item, c,
                   (struct mip_column){.cost = latency(c) - latency(base),
                                       .high = 1,
                                       .n = run ? 1 : 2,
                                       .rows = {0, row},
                                       .coefs = {(double)(c->pes - base->pes), 1}});
    }
}

static const struct mip *build_sum(struct builder *b)
{
    const struct dup_problem *p = b->problem;
    int64_t spare = p->pes;
    b->mip = (struct mip){.goal = "cycles", .wants_cuts = true};
    for (size_t i = 0; i < p->n_items; i++) {
        spare -= p->items[i].choices[0].pes;
        b->mip.constant += latency(&p->items[i].choices[0]);
    }
    add_row(b, "extra_pes", -INFINITY, (double)spare);
    for (size_t i = 0; i < p->n_items; i++)
        add_item(b, i);
    return finish(b);
}

static void read_sum(const struct dup_problem *p, const double *values, uint32_t *chosen)
{
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_item *it = &p->items[i];
        uint32_t n_taken = 0, last = 0;
        for (uint32_t k = 1; k < it->n_choices; k++) {
            if (*values++ < 0.5)
                continue;
            n_taken++;
            last = k;
        }
        chosen[i] = is_run(it) ? n_taken : last;
    }
}

/* ---- the program over paths: minimise T subject to T >= each path's length ----
 *
 * Column 0 is T. Then one binary for every choice of every item, one of which is taken; those that
 * are not allowed are fixed at 0. Row 0: the PEs.
 */

static void add_choices(struct builder *b, size_t item, const bool *allowed)
{
    const struct dup_item *it = &b->problem->items[item];
    size_t row = add_row(b, NULL, 1, 1);
    for (size_t k = 0; k < it->n_choices; k++)
        add_binary(b, item, &it->choices[k],
                   (struct mip_column){.high = allowed[k] ? 1 : 0,
                                       .n = 2,
                                       .rows = {0, row},
                                       .coefs = {(double)it->choices[k].pes, 1}});
}

/* T - sum of the chosen lengths >= 0. */
static void add_path(struct builder *b, const struct flow_cut *cut, const size_t *first_column)
{
    size_t *columns = ARENA_ARRAY(b->arena, size_t, b->columns.n), n = 1;
    double *coefs = ARENA_ARRAY(b->arena, double, b->columns.n);
    columns[0] = 0;
    coefs[0] = 1;
    for (size_t i = 0; i < b->problem->n_items; i++)
        for (size_t k = 0; cut->length[i] && k < b->problem->items[i].n_choices; k++, n++) {
            columns[n] = first_column[i] + k;
            coefs[n] = -cut->length[i][k];
        }
    size_t at = add_row(b, NULL, 0, INFINITY);
    b->rows.at[at].n = n;
    b->rows.at[at].columns = columns;
    b->rows.at[at].coefs = coefs;
}

static const struct mip *build_paths(struct builder *b, const struct dup_path_program *p,
                                     double bound)
{
    size_t *first_column = ARENA_ARRAY(b->arena, size_t, b->problem->n_items);
    b->mip = (struct mip){.goal = "makespan"};
    VEC_PUSH(&b->columns, ((struct mip_column){.name = "makespan_products",
                                               .cost = 1,
                                               .low = bound,
                                               .high = fmax(bound + 1, p->limit)}));
    add_row(b, "pes", -INFINITY, (double)b->problem->pes);
    for (size_t i = 0; i < b->problem->n_items; i++) {
        first_column[i] = b->columns.n;
        add_choices(b, i, p->allowed[i]);
    }
    for (size_t i = 0; i < p->n_cuts; i++)
        add_path(b, &p->cuts[i], first_column);
    return finish(b);
}

static void read_paths(const struct dup_problem *p, const double *values, uint32_t *chosen)
{
    values++;
    for (size_t i = 0; i < p->n_items; i++)
        for (uint32_t k = 0; k < p->items[i].n_choices; k++)
            if (*values++ > 0.5)
                chosen[i] = k;
}

/* ---- both ---- */

static struct mip_answer answer_to(struct builder *b, const struct mip *mip, double bound,
                                   int64_t max_work)
{
    struct mip_answer answer = {.values = ARENA_ARRAY(b->arena, double, mip->n_columns),
                                .bound = bound};
    mip_solve(mip, max_work, &answer);
    leave_if_cancelled();
    if (answer.status == MIP_NO_MEMORY)
        out_of_memory(0);
    return answer;
}

bool dup_program_solve(const struct dup_problem *p, uint32_t *chosen)
{
    size_t n_columns = 0;
    for (size_t i = 0; i < p->n_items; i++)
        n_columns += p->items[i].n_choices - 1;
    if (n_columns > MAX_SUM_COLUMNS)
        return false;
    struct builder b = {.problem = p, .arena = arena_new()};
    struct mip_answer answer = answer_to(&b, build_sum(&b), -INFINITY, MAX_SUM_WORK);
    bool ok = answer.status == MIP_OPTIMAL || answer.status == MIP_FEASIBLE;
    if (ok)
        read_sum(p, answer.values, chosen);
    builder_free(&b);
    return ok;
}

enum dup_answer dup_program_choose(const struct dup_path_program *p, uint32_t *chosen,
                                   double *io_bound, int64_t *io_work)
{
    struct builder b = {.problem = p->problem, .arena = arena_new()};
    struct mip_answer answer = answer_to(&b, build_paths(&b, p, *io_bound), *io_bound, p->max_work);
    bool ok = answer.status == MIP_OPTIMAL || answer.status == MIP_FEASIBLE;
    if (ok)
        read_paths(p->problem, answer.values, chosen);
    builder_free(&b);
    *io_bound = fmax(*io_bound, answer.bound);
    *io_work += answer.n_steps;
    if (answer.status == MIP_INFEASIBLE)
        return DUP_NO_CHOICE;
    return ok ? DUP_SOME_CHOICE : DUP_NO_ANSWER;
}

bool dup_program_write(const struct dup_problem *p, const char *path, struct diag *d)
{
    struct builder b = {.problem = p, .arena = arena_new()};
    bool ok = mip_write(build_sum(&b), path, d);
    builder_free(&b);
    return ok;
}

bool dup_program_write_paths(const struct dup_path_program *p, const char *path, struct diag *d)
{
    struct builder b = {.problem = p->problem, .arena = arena_new()};
    bool ok = mip_write(build_paths(&b, p, 0), path, d);
    builder_free(&b);
    return ok;
}
