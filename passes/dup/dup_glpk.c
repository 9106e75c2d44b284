/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_glpk.c - duplication as 0/1 programs for GLPK; the only file that knows GLPK.
 *
 * In: the problem. Out: choices whose objective is the optimum to the precision of doubles; an LP
 * file. An item whose choices are a run gets one binary for each further copy k with gain
 * t/(k-1) - t/k: the gains fall, so an optimum takes them in order and needs no ordering rows. An
 * item with holes in its copies, or with several patches, gets one binary for each choice but the
 * first and a row "at most one". GLPK ends the process on misuse or lack of memory; its error hook
 * jumps back to run_guarded, and glp_free_env frees what it held. No jump leaves this file.
 */
#include "dup_flow.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 200 };
/* Steps, as in dup_flow.h, and columns of a program for the sum of latencies. */
static const int64_t MAX_SUM_WORK = 500000000;
enum { MAX_SUM_COLUMNS = 2000 };

struct job {
    const struct dup_problem *problem;
    const struct dup_path_program *paths; /* NULL: the sum of latencies */
    bool (*work)(struct job *);           /* once the program is built */
    const char *lp_path;                  /* for write_lp */
    uint32_t *chosen;                     /* for optimise */
    enum dup_answer answer;               /* for choose */
    double bound;
    int64_t max_work, n_steps, branch_steps; /* of it; of choosing branches */
    struct arena *arena;                     /* for the program over paths */
    glp_prob *lp;
    jmp_buf on_error;
    char message[MESSAGE_BYTES]; /* the last line that GLPK would have printed */
};

static int keep_message(void *job, const char *text)
{
    struct job *j = job;
    snprintf(j->message, sizeof j->message, "%s", text);
    j->message[strcspn(j->message, "\n")] = 0;
    return 1; /* do not print */
}

static void jump_back(void *job)
{
    longjmp(((struct job *)job)->on_error, 1);
}

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

static void name_column(struct job *j, int col, size_t item, const struct dup_choice *c)
{
    char name[100], patch[60] = "";
    if (c->patch[0] * c->patch[1] > 1)
        snprintf(patch, sizeof patch, "_patch%lldx%lld", (long long)c->patch[0],
                 (long long)c->patch[1]);
    snprintf(name, sizeof name, "layer%zu%s_copies%lld", item + 1, patch, (long long)c->copies);
    glp_set_col_name(j->lp, col, name);
    glp_set_col_kind(j->lp, col, GLP_BV);
}

/* One column for each choice but the first; its crossbars beyond those of `base` use row 1. */
static void add_column(struct job *j, size_t item, size_t k, int choice_row)
{
    const struct dup_choice *c = &j->problem->items[item].choices[k];
    const struct dup_choice *base = choice_row ? j->problem->items[item].choices : c - 1;
    int col = glp_add_cols(j->lp, 1);
    name_column(j, col, item, c);
    glp_set_obj_coef(j->lp, col, latency(c) - latency(base));
    int rows[] = {0, 1, choice_row};
    double coefs[] = {0, (double)(c->pes - base->pes), 1};
    glp_set_mat_col(j->lp, col, choice_row ? 2 : 1, rows, coefs);
}

static void add_item(struct job *j, size_t item)
{
    const struct dup_item *it = &j->problem->items[item];
    int choice_row = 0;
    if (!is_run(it)) {
        choice_row = glp_add_rows(j->lp, 1);
        glp_set_row_bnds(j->lp, choice_row, GLP_UP, 0, 1);
    }
    for (size_t k = 1; k < it->n_choices; k++)
        add_column(j, item, k, choice_row);
}

static void build_sum(struct job *j)
{
    const struct dup_problem *p = j->problem;
    int64_t spare = p->pes;
    double sum = 0;
    for (size_t i = 0; i < p->n_items; i++) {
        spare -= p->items[i].choices[0].pes;
        sum += latency(&p->items[i].choices[0]);
    }
    j->lp = glp_create_prob();
    glp_set_prob_name(j->lp, "duplication");
    glp_set_obj_name(j->lp, "cycles");
    glp_set_obj_dir(j->lp, GLP_MIN);
    glp_set_obj_coef(j->lp, 0, sum);
    glp_add_rows(j->lp, 1);
    glp_set_row_name(j->lp, 1, "extra_pes");
    glp_set_row_bnds(j->lp, 1, GLP_UP, 0, (double)spare);
    for (size_t i = 0; i < p->n_items; i++)
        add_item(j, i);
}

static void read_choices(const struct job *j)
{
    int col = 0;
    for (size_t i = 0; i < j->problem->n_items; i++) {
        const struct dup_item *it = &j->problem->items[i];
        uint32_t n_taken = 0, last = 0;
        for (uint32_t k = 1; k < it->n_choices; k++) {
            if (glp_mip_col_val(j->lp, ++col) < 0.5)
                continue;
            n_taken++;
            last = k;
        }
        j->chosen[i] = is_run(it) ? n_taken : last;
    }
}

/* ---- the program over paths: minimise T subject to T >= each path's length ----
 *
 * Column 1 is T. Then one binary for every choice of every item, one of which is taken; those that
 * are not allowed are fixed at 0. Row 1: the PEs.
 */

static void add_choice(struct job *j, size_t item, int *first_column)
{
    const struct dup_item *it = &j->problem->items[item];
    int row = glp_add_rows(j->lp, 1);
    glp_set_row_bnds(j->lp, row, GLP_FX, 1, 1);
    *first_column = glp_add_cols(j->lp, (int)it->n_choices);
    for (size_t k = 0; k < it->n_choices; k++) {
        int col = *first_column + (int)k, rows[] = {0, 1, row};
        double coefs[] = {0, (double)it->choices[k].pes, 1};
        name_column(j, col, item, &it->choices[k]);
        glp_set_mat_col(j->lp, col, 2, rows, coefs);
        if (!j->paths->allowed[item][k])
            glp_set_col_bnds(j->lp, col, GLP_FX, 0, 0);
    }
}

/* T - sum of the chosen lengths >= 0. */
static void add_path(struct job *j, const struct flow_cut *cut, const int *first_column,
                     struct arena *a)
{
    size_t n_columns = (size_t)glp_get_num_cols(j->lp) + 1;
    int *cols = ARENA_ARRAY(a, int, n_columns), n = 1;
    double *coefs = ARENA_ARRAY(a, double, n_columns);
    cols[1] = 1;
    coefs[1] = 1;
    for (size_t i = 0; i < j->problem->n_items; i++)
        for (size_t k = 0; cut->length[i] && k < j->problem->items[i].n_choices; k++) {
            cols[++n] = first_column[i] + (int)k;
            coefs[n] = -cut->length[i][k];
        }
    int row = glp_add_rows(j->lp, 1);
    glp_set_row_bnds(j->lp, row, GLP_LO, 0, 0);
    glp_set_mat_row(j->lp, row, n, cols, coefs);
}

static void build_paths(struct job *j)
{
    struct arena *a = j->arena;
    int *first_column = ARENA_ARRAY(a, int, j->problem->n_items);
    j->lp = glp_create_prob();
    glp_set_prob_name(j->lp, "duplication");
    glp_set_obj_name(j->lp, "makespan");
    glp_set_obj_dir(j->lp, GLP_MIN);
    glp_add_cols(j->lp, 1);
    glp_set_col_name(j->lp, 1, "makespan_products");
    glp_set_col_bnds(j->lp, 1, GLP_DB, j->bound, fmax(j->bound + 1, j->paths->limit));
    glp_set_obj_coef(j->lp, 1, 1);
    glp_add_rows(j->lp, 1);
    glp_set_row_name(j->lp, 1, "pes");
    glp_set_row_bnds(j->lp, 1, GLP_UP, 0, (double)j->problem->pes);
    for (size_t i = 0; i < j->problem->n_items; i++)
        add_choice(j, i, &first_column[i]);
    for (size_t i = 0; i < j->paths->n_cuts; i++)
        add_path(j, &j->paths->cuts[i], first_column, a);
}

/* Columns that are not whole yet. */
static int64_t count_fractional(glp_tree *tree)
{
    int64_t n = 0;
    for (int col = glp_get_num_cols(glp_ios_get_prob(tree)); col > 0; col--)
        n += glp_ios_can_branch(tree, col) != 0;
    return n;
}

/* What GLPK has done, in the steps of dup_flow.h: a pivot costs about as much for each row and
 * column, a node of the tree as much as some pivots. The choice of the next branch (the default,
 * Driebeck and Tomlin's) multiplies the matrix with a row for each fractional column. */
static void count_work(struct job *j, glp_tree *tree)
{
    enum { PIVOT_STEPS = 300, NODE_PIVOTS = 8, BRANCH_STEPS = 24 };
    glp_prob *lp = glp_ios_get_prob(tree);
    int total;
    glp_ios_tree_size(tree, NULL, NULL, &total);
    if (glp_ios_reason(tree) == GLP_IBRANCH)
        j->branch_steps += count_fractional(tree) * glp_get_num_nz(lp) * BRANCH_STEPS;
    j->n_steps = j->branch_steps + (glp_get_it_cnt(lp) + (int64_t)NODE_PIVOTS * total) *
                                       PIVOT_STEPS * (glp_get_num_rows(lp) + glp_get_num_cols(lp));
}

/* Called at every step of GLPK's search: counts its work, keeps the bound, ends it. */
static void watch(glp_tree *tree, void *job)
{
    struct job *j = job;
    int best = glp_ios_best_node(tree);
    count_work(j, tree);
    if (best)
        j->bound = fmax(j->bound, glp_ios_node_bound(tree, best));
    if (j->n_steps > j->max_work)
        glp_ios_terminate(tree);
}

/* The limit costs nothing in exactness: dup_break_ties starts from any answer. */
static bool optimise(struct job *j)
{
    glp_iocp options;
    glp_init_iocp(&options);
    options.presolve = GLP_ON;
    options.cov_cuts = GLP_ON;
    options.gmi_cuts = GLP_ON;
    options.cb_func = watch;
    options.cb_info = j;
    glp_intopt(j->lp, &options);
    int status = glp_mip_status(j->lp);
    if (status != GLP_OPT && status != GLP_FEAS)
        return false;
    read_choices(j);
    return true;
}

static void read_choice(const struct job *j)
{
    int col = 1;
    for (size_t i = 0; i < j->problem->n_items; i++)
        for (uint32_t k = 0; k < j->problem->items[i].n_choices; k++)
            if (glp_mip_col_val(j->lp, ++col) > 0.5)
                j->chosen[i] = k;
}

static bool choose(struct job *j)
{
    glp_iocp options;
    glp_init_iocp(&options);
    options.presolve = GLP_ON; /* no cuts: they cost more here than they save */
    options.cb_func = watch;
    options.cb_info = j;
    int result = glp_intopt(j->lp, &options), status = glp_mip_status(j->lp);
    if (result == GLP_ENOPFS || (result == 0 && status == GLP_NOFEAS))
        j->answer = DUP_NO_CHOICE;
    if ((result != 0 && result != GLP_ESTOP) || (status != GLP_OPT && status != GLP_FEAS))
        return true;
    if (status == GLP_OPT)
        j->bound = fmax(j->bound, glp_mip_obj_val(j->lp));
    read_choice(j);
    j->answer = DUP_SOME_CHOICE;
    return true;
}

/* ---- both ---- */

static bool write_lp(struct job *j)
{
    return glp_write_lp(j->lp, NULL, j->lp_path) == 0;
}

static bool run(struct job *j)
{
    if (setjmp(j->on_error))
        return false;
    glp_term_hook(keep_message, j);
    glp_error_hook(jump_back, j);
    if (j->paths)
        build_paths(j);
    else
        build_sum(j);
    return j->work(j);
}

static bool run_guarded(struct job *j)
{
    bool ok = run(j);
    glp_free_env();
    return ok;
}

bool dup_glpk_solve(const struct dup_problem *p, uint32_t *chosen)
{
    struct job j = {.problem = p, .work = optimise, .chosen = chosen, .max_work = MAX_SUM_WORK};
    size_t n_columns = 0;
    for (size_t i = 0; i < p->n_items; i++)
        n_columns += p->items[i].n_choices - 1;
    return n_columns <= MAX_SUM_COLUMNS && run_guarded(&j);
}

enum dup_answer dup_glpk_choose(const struct dup_path_program *p, uint32_t *chosen,
                                double *io_bound, int64_t *io_work)
{
    struct job j = {.problem = p->problem,
                    .paths = p,
                    .work = choose,
                    .chosen = chosen,
                    .max_work = p->max_work,
                    .bound = *io_bound,
                    .arena = arena_new()};
    if (!run_guarded(&j))
        j.answer = DUP_NO_ANSWER;
    arena_free(j.arena);
    *io_bound = fmax(*io_bound, j.bound);
    *io_work += j.n_steps;
    return j.answer;
}

/* All of the file `fd`. */
static bool copy_file(int fd, FILE *to)
{
    char block[1 << 14];
    ssize_t n = -1;
    if (lseek(fd, 0, SEEK_SET) == 0) {
        while ((n = read(fd, block, sizeof block)) > 0)
            fwrite(block, 1, (size_t)n, to); /* out_commit reports what failed */
    }
    return n == 0;
}

/* GLPK writes to paths only and does not look whether its last block was written: it gets a file in
 * memory. */
static bool write_program(struct job *j, const char *path, struct diag *d)
{
    struct out out;
    char in_memory[40];
    if (!out_open(&out, path, d))
        return false;
    int fd = memfd_create("lp", MFD_CLOEXEC);
    snprintf(in_memory, sizeof in_memory, "/proc/self/fd/%d", fd);
    j->work = write_lp;
    j->lp_path = in_memory;
    bool ok = fd >= 0 && run_guarded(j) && copy_file(fd, out.f);
    if (fd >= 0)
        close(fd);
    if (ok)
        return out_commit(&out, d);
    out_discard(&out);
    return diag_error(d, (struct loc){.file = path}, DIAG_IO, "cannot write: %s", j->message);
}

bool dup_glpk_write(const struct dup_problem *p, const char *path, struct diag *d)
{
    struct job j = {.problem = p};
    return write_program(&j, path, d);
}

bool dup_glpk_write_paths(const struct dup_path_program *p, const char *path, struct diag *d)
{
    struct job j = {.problem = p->problem, .paths = p, .arena = arena_new()};
    bool ok = write_program(&j, path, d);
    arena_free(j.arena);
    return ok;
}
