/*
 * dup_glpk.c - the duplication problem as a 0/1 program for GLPK; the only file that knows GLPK.
 *
 * In: the problem. Out: copies whose objective is the optimum to the precision of doubles; an LP
 * file. An item whose counts follow each other without holes gets one binary for each further copy
 * k with gain t/(k-1) - t/k: the gains fall, so an optimum takes them in order and needs no
 * ordering rows. An item with holes in its list gets one binary for each count and a row "at most
 * one". GLPK ends the process on misuse or lack of memory; its error hook jumps back to
 * run_guarded, and glp_free_env frees what it held. No jump leaves this file.
 */
#include "dup.h"

#include <glpk.h>
#include <setjmp.h>
#include <string.h>

enum { TIME_LIMIT_MS = 2000, MESSAGE_BYTES = 200 };

struct job {
    const struct dup_problem *problem;
    bool (*work)(struct job *); /* once the program is built */
    const char *lp_path;        /* for write_lp */
    int64_t *copies;            /* for optimise */
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

static bool has_holes(const struct dup_item *it)
{
    return it->counts[it->n_counts - 1] - it->counts[0] != (int64_t)it->n_counts - 1;
}

/* One column for each count but the first; the crossbars of its copies beyond `base` use row 1. */
static void add_column(struct job *j, size_t item, size_t k, int choice_row)
{
    const struct dup_item *it = &j->problem->items[item];
    int64_t base = it->counts[choice_row ? 0 : k - 1];
    double t = (double)it->cycles;
    int col = glp_add_cols(j->lp, 1);
    char name[64];
    snprintf(name, sizeof name, "layer%zu_copies%lld", item + 1, (long long)it->counts[k]);
    glp_set_col_name(j->lp, col, name);
    glp_set_col_kind(j->lp, col, GLP_BV);
    glp_set_obj_coef(j->lp, col, t / (double)it->counts[k] - t / (double)base);
    int rows[] = {0, 1, choice_row};
    double coefs[] = {0, (double)((it->counts[k] - base) * it->pes), 1};
    glp_set_mat_col(j->lp, col, choice_row ? 2 : 1, rows, coefs);
}

static void add_item(struct job *j, size_t item)
{
    const struct dup_item *it = &j->problem->items[item];
    int choice_row = 0;
    if (has_holes(it)) {
        choice_row = glp_add_rows(j->lp, 1);
        glp_set_row_bnds(j->lp, choice_row, GLP_UP, 0, 1);
    }
    for (size_t k = 1; k < it->n_counts; k++)
        add_column(j, item, k, choice_row);
}

static void build(struct job *j)
{
    const struct dup_problem *p = j->problem;
    int64_t spare = p->pes;
    double sum = 0;
    for (size_t i = 0; i < p->n_items; i++) {
        spare -= p->items[i].pes * p->items[i].counts[0];
        sum += (double)p->items[i].cycles / (double)p->items[i].counts[0];
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

static void read_copies(const struct job *j)
{
    int col = 0;
    for (size_t i = 0; i < j->problem->n_items; i++) {
        const struct dup_item *it = &j->problem->items[i];
        int64_t n_taken = 0, last = it->counts[0];
        for (size_t k = 1; k < it->n_counts; k++) {
            if (glp_mip_col_val(j->lp, ++col) < 0.5)
                continue;
            n_taken++;
            last = it->counts[k];
        }
        j->copies[i] = has_holes(it) ? last : it->counts[0] + n_taken;
    }
}

/* The time limit costs nothing in exactness or determinism: dup_break_ties starts from any answer.
 */
static bool optimise(struct job *j)
{
    glp_iocp options;
    glp_init_iocp(&options);
    options.presolve = GLP_ON;
    options.cov_cuts = GLP_ON;
    options.gmi_cuts = GLP_ON;
    options.tm_lim = TIME_LIMIT_MS;
    glp_intopt(j->lp, &options);
    int status = glp_mip_status(j->lp);
    if (status != GLP_OPT && status != GLP_FEAS)
        return false;
    read_copies(j);
    return true;
}

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
    build(j);
    return j->work(j);
}

static bool run_guarded(struct job *j)
{
    bool ok = run(j);
    glp_free_env();
    return ok;
}

bool dup_glpk_solve(const struct dup_problem *p, int64_t *copies)
{
    struct job j = {.problem = p, .work = optimise, .copies = copies};
    return run_guarded(&j);
}

bool dup_glpk_write(const struct dup_problem *p, const char *path, struct diag *d)
{
    struct out out;
    if (!out_open(&out, path, d))
        return false;
    fflush(stdout);
    struct job j = {.problem = p, .work = write_lp, .lp_path = out.temp_path};
    if (!j.lp_path)
        j.lp_path = strcmp(path, "-") == 0 ? "/dev/stdout" : path;
    if (run_guarded(&j))
        return out_commit(&out, d);
    out_discard(&out);
    return diag_error(d, (struct loc){.file = path}, DIAG_IO, "cannot write: %s", j.message);
}
