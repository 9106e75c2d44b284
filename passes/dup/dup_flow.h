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
    int32_t item;    /* of a base layer, else FLOW_NONE */
    int32_t product; /* of a base layer: time of a product */
    int32_t before;  /* node of the base layer before it on the same crossbars, or FLOW_NONE */
};
struct flow {
    struct arena *arena;
    VEC(struct flow_node) nodes; /* operands before users */
    enum dup_cut cut;
    int32_t set_rows, set_columns; /* 0 = whole extent */
    uint64_t unit_cycles;
    bool one_by_one;    /* a base layer starts when the one before is done */
    size_t most_pixels; /* of one node */
    /* Steps of one pixel each that were taken with this flow and its copies: what bounds a search.
     */
    int64_t *work;
};

/* item_of[op->id] of every mvm. False: too large for the model. The graph is numbered. */
bool flow_build(struct flow *f, const struct ir_graph *g, const struct arch *arch,
                const uint32_t *item_of);
void flow_free(struct flow *f);

struct flow_part {
    int32_t lo[2], hi[2];
    size_t width;    /* of the layer */
    int32_t product; /* its time */
};
/* The cut of a layer with that many copies, which must be one of its counts. */
void flow_find_cut(const struct flow *f, const struct flow_node *n, int64_t copies,
                   int64_t out_cut[2]);
/* The part of a base layer's pixels that copy (i, j) of a cut owns. */
struct flow_part flow_part(const struct flow_node *n, const int64_t cut[2], int64_t i, int64_t j);

/* ---- times of all nodes for one choice of copies ---- */
struct flow_times {
    int32_t **done;        /* by node: rows * columns; shared with the base where nothing changed */
    int32_t **own;         /* what `done` points to otherwise */
    int32_t *end;          /* by node: a base layer's last pixel */
    int32_t *ready, *line; /* scratch: when pixels can start; maxima over an operand's rows */
    int32_t makespan;
};
struct flow_times *flow_times_new(const struct flow *f, struct arena *a);
/* Everything. */
void flow_run(const struct flow *f, const int64_t *copies, struct flow_times *out);
/* Only what may differ from `base`, where item i had base_copies[i]. Gives up as soon as the
 * makespan is known to be >= limit, and then returns some value >= limit. */
int32_t flow_try(const struct flow *f, const int64_t *copies, const struct flow_times *base,
                 const int64_t *base_copies, int32_t limit, struct flow_times *out);

/* ready = when all that each pixel of the node reads is done. */
void flow_find_ready(const struct flow *f, const struct flow_node *n, struct flow_times *t,
                     int32_t *ready);
/* done = when each pixel of a base layer with that many copies is done, from `ready` alone. */
void flow_scan(const struct flow *f, const struct flow_node *n, int64_t copies,
               const int32_t *ready, int32_t *done);

/* ---- dup_fill.c: what no choice of copies can beat ---- */

/* allowed[item][count]: starts with all; drops counts that no choice of copies with a makespan <=
 * limit has. False: there is no such choice. *out_longest: no choice that is left is faster. */
bool flow_filter(const struct flow *f, const struct dup_problem *p, int32_t limit, int64_t max_work,
                 bool **allowed, int32_t *out_longest) CHECK_RESULT;
bool **flow_allowed_new(const struct dup_problem *p, struct arena *a);
/* A lower bound on every makespan, at most `known`, the makespan of some choice; a weaker one where
 * *f->work reaches max_work. */
int32_t flow_fill_bound(const struct flow *f, const struct dup_problem *p, int32_t known,
                        int64_t max_work);

/* ---- dup_path.c: what one path says about every choice of copies ---- */

/* length[item][count]: whatever the copies, makespan >= sum over the items of length[item][count
 * chosen], among the allowed counts; and equal for the copies it was made from. */
struct flow_cut {
    double **length; /* NULL: the path does not touch the item */
};
/* From the longest path through `t`, the times of flow_run with `copies`. */
struct flow_cut flow_cut_new(const struct flow *f, const struct dup_problem *p, bool **allowed,
                             const int64_t *copies, struct flow_times *t, struct arena *a);

/* ---- dup_glpk.c: the integer program over paths ---- */

struct dup_path_program {
    const struct dup_problem *problem;
    bool **allowed;
    const struct flow_cut *cuts;
    size_t n_cuts;
    int32_t limit;    /* on the makespan */
    int64_t max_work; /* steps; what is not done by then is left */
};
enum dup_answer {
    DUP_NO_ANSWER,  /* GLPK failed, or the work was spent before it found anything */
    DUP_NO_CHOICE,  /* nothing is within the limit */
    DUP_SOME_CHOICE /* the optimum, or the best found with the work given */
};
/* The allowed copies that fit with the least makespan as far as the cuts know. *io_bound is raised
 * to what is proven of it, *io_work by the steps that it took. */
enum dup_answer dup_glpk_choose(const struct dup_path_program *p, int64_t *copies, double *io_bound,
                                int64_t *io_work);
bool dup_glpk_write_paths(const struct dup_path_program *p, const char *path,
                          struct diag *d) CHECK_RESULT;

/* ---- dup_search.c: better copies by exchange ---- */

struct known_path {
    struct flow_cut cut;
    struct arena *arena;
};
struct dup_search {
    const struct flow *flow;
    const struct dup_problem *problem;
    struct arena *arena;
    int64_t *copies; /* the best so far */
    int32_t makespan;
    int32_t bound;  /* no choice of copies is faster */
    bool has_paths; /* the model is a pipeline, and no layers share crossbars */
    /* Steps of *flow->work by which to end; what is not found by then stays unknown. */
    int64_t max_work;
    struct flow_times *base, *trial;
    int64_t *base_copies;
    VEC(struct known_path) paths;
    double *path_sum; /* of each, with the choice at hand */
    size_t n_trials;  /* whose paths were remembered */
    bool **all_allowed;
    const struct progress *progress; /* the share of all_work that is spent; may be NULL */
    int64_t all_work;
};
/* Is max_work spent? */
bool dup_search_is_spent(const struct dup_search *s);
/* The start: `copies` must fit. */
void dup_search_start(struct dup_search *s, const struct flow *f, const struct dup_problem *p,
                      const int64_t *copies);
void dup_search_free(struct dup_search *s);
/* Improves `copies` (which fit) until no exchange helps, and keeps them if they are the best. */
void dup_descend(struct dup_search *s, int64_t *copies);

/* ---- dup_prove.c: bound and best copies close in on each other ---- */

/* Ends with s->bound == s->makespan, or when the work or the tree nodes are spent. Writes the last
 * integer program to `lp_file` unless NULL. */
bool dup_prove(struct dup_search *s, const char *lp_file, struct diag *d) CHECK_RESULT;

/* ---- dup_makespan.c: all of it, judged by the real schedule ---- */

struct dup_real {
    const struct dup_schedule *schedule; /* its sets and mode */
    enum dup_cut cut;
    const struct arch *arch;
    const char *lp_file;
    const struct progress *progress;
    bool (*ask)(void *self, const int64_t *copies, struct dup_timing *out);
    void *self;
};
/* From copies that fit, `starts`, to a choice whose real makespan, *out_cycles, is no longer than
 * any of theirs, nor than without copies. Fills the bound of `out`. */
enum { DUP_N_STARTS = 2 };
bool dup_solve_makespan(const struct dup_problem *p, const struct ir_graph *g,
                        const uint32_t *item_of, const struct dup_real *real,
                        int64_t *const starts[DUP_N_STARTS], struct diag *d, int64_t *copies,
                        uint64_t *out_cycles, struct dup_result *out) CHECK_RESULT;

#endif
