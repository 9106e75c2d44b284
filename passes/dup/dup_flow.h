/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_flow.h - the pipeline as pass dup sees it: when each pixel of a CROSSBAR graph is there if
 * nothing but crossbars takes time. DUP.md states the model.
 *
 * Times are in units of so many cycles that every layer's product takes a whole number of them:
 * one, where all take as long. A pixel is done when all its channels are.
 */
#ifndef CIMC_DUP_FLOW_H
#define CIMC_DUP_FLOW_H

#include "dup.h"
#include "need.h"

enum { FLOW_NONE = -1 };
/* More pixels of all values together, or a longer time, than this, or none at all: no model. */
enum { FLOW_MAX_PIXELS = 1 << 23, FLOW_MAX_TIME = 1 << 30 };

struct flow_operand {
    uint32_t node;
    struct axis_map axis[2]; /* rows, columns */
};
/* A base layer, or a value made from others in no time. */
struct flow_node {
    int32_t rows, columns;
    uint32_t n_operands;
    struct flow_operand *operand;
    int32_t item;   /* of a base layer, else FLOW_NONE */
    int32_t before; /* node of the base layer before it on the same crossbars, or FLOW_NONE */
};
struct flow {
    const struct dup_problem *problem; /* what its items choose from */
    struct arena *arena;
    VEC(struct flow_node) nodes; /* operands before users */
    enum dup_cut cut;
    int32_t set_rows, set_columns; /* in products; 0 = whole extent */
    uint64_t unit_cycles;
    bool one_by_one;     /* a base layer starts when the one before is done */
    size_t most_pixels;  /* of one node */
    int32_t *scratch[2]; /* of its products: when they can start, when they are done */
    /* Steps of one pixel each that were taken with this flow and its copies: what bounds a search.
     */
    int64_t *work;
};

/* item_of[op->id] of every mvm. False: too large for the model. The graph is numbered. */
bool flow_build(struct flow *f, const struct dup_problem *p, const struct ir_graph *g,
                const uint32_t *item_of);
void flow_free(struct flow *f);

/* The products of a base layer with one choice, and their cut. */
struct flow_layout {
    int32_t patch[2], size[2]; /* output pixels of a product; products of the layer */
    int32_t pixels[2];
    int32_t product; /* time of one */
    int64_t cut[2];
};
struct flow_layout flow_layout(const struct flow *f, const struct flow_node *n,
                               const struct dup_choice *c);
/* Products [lo, hi) that copy (i, j) owns. */
struct flow_part {
    int32_t lo[2], hi[2];
};
struct flow_part flow_part(const struct flow_layout *l, int64_t i, int64_t j);
/* What is so of some pixel, latest, by product; and what is so of a product, by pixel. May give
 * back what it was given. */
const int32_t *flow_to_products(const struct flow *f, const struct flow_layout *l,
                                const int32_t *pixels, int32_t *products);
void flow_to_pixels(const struct flow *f, const struct flow_layout *l, const int32_t *products,
                    int32_t *pixels);

/* ---- times of all nodes for one choice of copies ---- */
struct flow_times {
    int32_t **done;        /* by node: rows * columns; shared with the base where nothing changed */
    int32_t **own;         /* what `done` points to otherwise */
    int32_t *end;          /* by node: a base layer's last pixel */
    int32_t *ready, *line; /* scratch: when pixels can start; maxima over an operand's rows */
    int32_t makespan;
};
struct flow_times *flow_times_new(const struct flow *f, struct arena *a);
/* Everything; chosen[item] is an index into its choices. */
void flow_run(const struct flow *f, const uint32_t *chosen, struct flow_times *out);
/* Only what may differ from `base`, which was made with base_chosen. Gives up as soon as the
 * makespan is known to be >= limit, and then returns some value >= limit. */
int32_t flow_try(const struct flow *f, const uint32_t *chosen, const struct flow_times *base,
                 const uint32_t *base_chosen, int32_t limit, struct flow_times *out);

/* ready = when all that each pixel of the node reads is done. */
void flow_find_ready(const struct flow *f, const struct flow_node *n, struct flow_times *t,
                     int32_t *ready);
/* done = when each pixel of a base layer with that choice is done, from `ready` alone. */
void flow_scan(const struct flow *f, const struct flow_node *n, const struct dup_choice *c,
               const int32_t *ready, int32_t *done);

/* ---- dup_fill.c: what no choice can beat ---- */

/* allowed[item][choice]: starts with all; drops those that no choices with a makespan <= limit
 * have. False: there are none. *out_longest: nothing that is left is faster. */
bool flow_filter(const struct flow *f, int32_t limit, int64_t max_work, bool **allowed,
                 int32_t *out_longest) CHECK_RESULT;
bool **flow_allowed_new(const struct dup_problem *p, struct arena *a);
/* A lower bound on every makespan, at most `known`, the makespan of some choice; a weaker one where
 * *f->work reaches max_work. */
int32_t flow_fill_bound(const struct flow *f, int32_t known, int64_t max_work);

/* ---- dup_path.c: what one path says about every choice ---- */

/* length[item][choice]: whatever is chosen, makespan >= sum over the items of length[item][chosen],
 * among the allowed choices; and equal for the one it was made from. */
struct flow_cut {
    double **length; /* NULL: the path does not touch the item */
};
/* From the longest path through `t`, the times of flow_run with `chosen`. */
struct flow_cut flow_cut_new(const struct flow *f, bool **allowed, const uint32_t *chosen,
                             struct flow_times *t, struct arena *a);

/* ---- dup_program.c: the integer program over paths ---- */

struct dup_path_program {
    const struct dup_problem *problem;
    bool **allowed;
    const struct flow_cut *cuts;
    size_t n_cuts;
    int32_t limit;    /* on the makespan */
    int64_t max_work; /* steps; what is not done by then is left */
};
enum dup_answer {
    DUP_NO_ANSWER,  /* the solver failed, or the work was spent before it found anything */
    DUP_NO_CHOICE,  /* nothing is within the limit */
    DUP_SOME_CHOICE /* the optimum, or the best found with the work given */
};
/* What is allowed, fits and has the least makespan as far as the cuts know. *io_bound is raised to
 * what is proven of it, *io_work by the steps that it took. */
enum dup_answer dup_program_choose(const struct dup_path_program *p, uint32_t *chosen,
                                   double *io_bound, int64_t *io_work);
bool dup_program_write_paths(const struct dup_path_program *p, const char *path,
                             struct diag *d) CHECK_RESULT;

/* ---- dup_lp.c ---- */

struct mip; /* dup_mip.h */
bool mip_write(const struct mip *p, const char *path, struct diag *d) CHECK_RESULT;

/* ---- dup_search.c: better choices by exchange ---- */

struct known_path {
    struct flow_cut cut;
    struct arena *arena;
};
struct dup_search {
    const struct flow *flow;
    const struct dup_problem *problem;
    struct arena *arena;
    uint32_t *chosen; /* the best so far */
    int32_t makespan;
    int32_t bound;  /* nothing is faster */
    bool has_paths; /* the model is a pipeline, and no layers share crossbars */
    /* Steps of *flow->work by which to end; what is not found by then stays unknown. */
    int64_t max_work;
    struct flow_times *base, *trial;
    uint32_t *base_chosen;
    VEC(struct known_path) paths;
    double *path_sum; /* of each, with the choice at hand */
    size_t n_trials;  /* whose paths were remembered */
    bool **all_allowed;
    const struct progress *progress; /* the share of all_work that is spent; may be NULL */
    int64_t all_work;
};
/* Is max_work spent? */
bool dup_search_is_spent(const struct dup_search *s);
/* The start: `chosen` must fit. */
void dup_search_start(struct dup_search *s, const struct flow *f, const uint32_t *chosen);
void dup_search_free(struct dup_search *s);
/* Improves `chosen` (which fits) until no exchange helps, and keeps it if it is the best. */
void dup_descend(struct dup_search *s, uint32_t *chosen);

/* ---- dup_prove.c: bound and best choices close in on each other ---- */

/* Ends with s->bound == s->makespan, or when the work or the tree nodes are spent. Writes the last
 * integer program to `lp_file` unless NULL. */
bool dup_prove(struct dup_search *s, const char *lp_file, struct diag *d) CHECK_RESULT;

/* ---- dup_makespan.c: all of it, judged by the real schedule ---- */

struct dup_real {
    const struct dup_schedule *schedule; /* its sets and mode */
    enum dup_cut cut;
    int64_t share; /* of the effort: one of so many */
    const char *lp_file;
    const struct progress *progress;
    bool (*ask)(void *self, const uint32_t *chosen, struct dup_timing *out);
    void *self;
};
/* `all` has every choice, `p` those that are searched. From what fits, `starts`, to choices whose
 * real makespan, *out_cycles, is no longer than any of
 * theirs, nor than with the fewest PEs. Fills the bound of `out`. */
enum { DUP_N_STARTS = 2 };
bool dup_solve_makespan(const struct dup_problem *p, const struct dup_problem *all,
                        const struct ir_graph *g, const uint32_t *item_of,
                        const struct dup_real *real, uint32_t *const starts[DUP_N_STARTS],
                        struct diag *d, uint32_t *chosen, uint64_t *out_cycles,
                        struct dup_result *out) CHECK_RESULT;

/* The bound alone: what no choices of `all` can beat with sets of a part of one row, or of whole
 * rows, looked for with little effort. False: none is known. */
bool dup_bound_pipeline(const struct dup_problem *all, const struct ir_graph *g,
                        const uint32_t *item_of, enum dup_cut cut, const uint32_t *known,
                        uint64_t *out_cycles);

#endif
