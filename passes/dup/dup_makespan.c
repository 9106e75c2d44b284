/*
 * dup_makespan.c - copies for the shortest schedule: the flow model proposes, the real schedule
 * decides.
 *
 * In: the optimum for the sum of latencies. Out: copies whose real makespan is never longer, and a
 * lower bound. On a machine where nothing but crossbars takes time the flow model's makespan is the
 * schedule's, and the bound meets it where the search ends in time; elsewhere the model only ranks,
 * and its bound, being free of all other costs, still holds.
 */
#include "dup_flow.h"

#include <math.h>
#include <string.h>

/* Pixels that the search may compute: a few seconds. */
static const int64_t MAX_WORK = 2000000000;

/* Sets whose shape the scheduler chooses: of the row segments, those whose times in the model come
 * nearest to the schedule's. */
static const int32_t SEGMENTS[] = {1, 2, 4, 8, 16, 32, 64, 128, 0};

static void guess_sets(struct flow *f, const int64_t *copies, double products)
{
    struct arena *a = arena_new();
    struct flow_times *t = flow_times_new(f, a);
    double least = INFINITY;
    int32_t best = 0;
    for (size_t i = 0; i < sizeof SEGMENTS / sizeof *SEGMENTS; i++) {
        f->set_columns = SEGMENTS[i];
        flow_run(f, copies, t);
        double apart = fabs((double)t->makespan - products);
        if (apart < least) {
            least = apart;
            best = SEGMENTS[i];
        }
    }
    f->set_columns = best;
    arena_free(a);
}

static bool shares_crossbars(const struct flow *f)
{
    for (size_t i = 0; i < f->nodes.n; i++)
        if (f->nodes.at[i].before != FLOW_NONE)
            return true;
    return false;
}

/* One layer after the other, no path of the pipeline: at least the sum of latencies. */
static int32_t sum_bound(const struct dup_problem *p, const int64_t *copies, uint64_t per_product)
{
    double sum = dup_objective(p, copies) / (double)per_product;
    return (int32_t)ceil(sum - 1e-6 * fmax(sum, 1));
}

/* The bound has to hold for any sets: the finest are the fastest. */
static int32_t bound_of_pixels(const struct flow *f, const struct dup_problem *p, int32_t known)
{
    struct flow finest = *f;
    finest.set_rows = finest.set_columns = 1;
    return flow_fill_bound(&finest, p, known);
}

/* Searches in the model; s->copies and s->bound. */
static bool search(struct dup_search *s, const struct dup_real *real, const int64_t *sum_copies,
                   struct diag *d)
{
    const struct dup_schedule *sets = real->schedule;
    int64_t *copies = ARENA_ARRAY(s->arena, int64_t, s->problem->n_items);
    s->max_work = MAX_WORK;
    memcpy(copies, sum_copies, s->problem->n_items * sizeof *copies);
    dup_descend(s, copies);
    if (s->flow->one_by_one || shares_crossbars(s->flow)) { /* no paths to learn from */
        s->bound = s->flow->one_by_one ? sum_bound(s->problem, sum_copies, real->cycles_per_product)
                                       : bound_of_pixels(s->flow, s->problem, s->makespan);
        return !real->lp_file || dup_glpk_write(s->problem, real->lp_file, d);
    }
    if (!dup_prove(s, real->lp_file, d))
        return false;
    if (sets->automatic_sets)
        s->bound = bound_of_pixels(s->flow, s->problem, s->makespan);
    return true;
}

bool dup_solve_makespan(const struct dup_problem *p, const struct ir_graph *g,
                        const uint32_t *item_of, const struct dup_real *real, struct diag *d,
                        int64_t *copies, uint64_t *out_cycles, struct dup_result *out)
{
    const struct dup_schedule *sets = real->schedule;
    struct flow f = {.cut = real->cut, .one_by_one = sets->layer_by_layer, .set_rows = 1};
    uint64_t found;
    if (!real->makespan(real->self, copies, out_cycles))
        return false;
    if (p->n_items == 0 || !flow_build(&f, g, item_of) || real->cycles_per_product == 0) {
        flow_free(&f);
        return !real->lp_file || dup_glpk_write(p, real->lp_file, d);
    }
    if (sets->automatic_sets) {
        guess_sets(&f, copies, (double)*out_cycles / (double)real->cycles_per_product);
    } else {
        f.set_rows = (int32_t)sets->set_rows;
        f.set_columns = (int32_t)sets->set_columns;
    }
    struct dup_search s;
    dup_search_start(&s, &f, p, copies);
    s.progress = real->progress;
    bool ok = search(&s, real, copies, d) && real->makespan(real->self, s.copies, &found);
    if (ok && found < *out_cycles) {
        *out_cycles = found;
        memcpy(copies, s.copies, p->n_items * sizeof *copies);
    }
    out->has_bound = ok && s.bound > 0;
    out->lower_bound_cycles = (uint64_t)s.bound * real->cycles_per_product;
    progress_tell(real->progress, "search for copies", 1, 1);
    dup_search_free(&s);
    flow_free(&f);
    return ok;
}
