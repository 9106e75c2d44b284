/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * plan.h - the plan: what stands between a CROSSBAR graph and instruction streams.
 *
 * Each stage makes one result from those before it; once made it is const. BACKEND.md has the
 * picture.
 */
#ifndef CIMC_PLAN_H
#define CIMC_PLAN_H

#include "backend.h"
#include "memory.h"
#include "timeline.h"

enum { PROGRESS_TASKS = 1 << 14 }; /* so many tasks from one word about progress to the next */

struct plan {
    const struct ir_graph *graph;
    const struct arch *arch;
    const struct backend_options *options;
    struct arena *arena; /* owns the results below */
    struct diag *diag;
    bool plain; /* no copies, no patches: for layer_by_layer_cycles on machines with other costs */
    /* A tile lacks room for what homes give it: tiles hold fewer groups, and vector work goes to
     * the tile that has least. */
    bool spread;
    const uint32_t *position; /* on a mesh: number of each tile; NULL = as they were opened */

    const struct node_list *nodes;
    const struct segment *segment; /* the one segment there is so far */
    const struct cells *cells;
    const struct task_graph *tasks;
    const struct schedule *single;   /* of one frame */
    const struct schedule *schedule; /* of all of them */
    const struct memory *memory;
};

/* ---- the stages, in order ---- */
const struct segment *plan_place(const struct plan *p) CHECK_RESULT;    /* NULL with a diagnostic */
const struct cells *plan_cells(const struct plan *p);                   /* NULL: CAPACITY */
const struct task_graph *plan_tasks(const struct plan *p) CHECK_RESULT; /* NULL: likewise */
const struct schedule *plan_schedule(const struct plan *p);             /* of one frame */
const struct schedule *plan_frames(const struct plan *p); /* of several, from p->single */
/* What the busiest unit has to do for a frame: no interval is shorter. */
uint64_t plan_interval_bound(const struct plan *p);
/* stages.c: called by plan_frames. Sets the stages of tasks whose start times are known; returns
 * how long before frame 0 its first iteration begins. */
uint64_t plan_stages(const struct plan *p, struct schedule *s);
const struct memory *plan_memory(const struct plan *p);
/* What the emitted instructions tell of times. */
struct program_times {
    struct timeline frames;        /* with frames: when they run */
    const struct schedule *as_run; /* without, where instructions take time themselves; or NULL */
};
struct isa_program *plan_emit(const struct plan *p, struct program_times *out) CHECK_RESULT;
/* as_run.c. All instructions in the order of L; of each the task whose work it does, NONE: it only
 * waits or tells. */
struct emitted_order {
    const struct isa_place *at;
    const uint32_t *task;
    uint32_t n;
};
const struct schedule *plan_as_run(const struct plan *p, const struct isa_program *program,
                                   const struct emitted_order *order);
/* What arena memory does not cover; NULL is fine. */
void task_graph_free(const struct task_graph *g);
void schedule_free(const struct schedule *s);

/* state.c: does another frame's input continue the output? */
bool output_is_state(const struct ir_graph *g, const struct ir_op *output);
/* Are there frames that could leave something to the next one? */
static inline bool plan_has_states(const struct plan *p)
{
    return p->options->frames > 0;
}
/* Is the task's transfer one of the first, or the last, frame alone? */
static inline bool task_is_of_one_frame(const struct plan *p, const struct task *t)
{
    return t->kind == TASK_load    ? p->tasks->buffers.at[t->load.buffer].state
           : t->kind == TASK_store ? p->tasks->stores.at[t->store.output].state
                                   : false;
}

/* memplan.c. The longest time that a credit can be under way on this machine. */
uint64_t plan_signal_cycles(const struct plan *p);
/* Per buffer, in `a`: does it hold one frame at a time? Views of its own shape show rows of other
 * frames as rows further on; not so those that show something else as rows. */
const bool *plan_frames_alone(const struct plan *p, struct arena *a);

/* stacks.c: called by plan_memory. Fills in the stack and row of each buffer. */
struct stack *find_stacks(const struct plan *p, struct storage *of);

/* home.c: called by plan_cells. Fills the homes of cells whose grids are made. */
void find_homes(const struct plan *p, struct node_cells *cells);
/* place_mesh.c: a better number for each tile of a trial plan that has its tasks; in `a`. */
uint32_t *plan_mesh_positions(const struct plan *p, struct arena *a);

static inline const struct node *task_node(const struct plan *p, const struct task *t)
{
    return &p->nodes->at[t->node];
}
/* Spread: about how many values, its groups' and others, a tile may finish: each is shown by a few
 * views. */
static inline uint32_t tile_share(const struct plan *p)
{
    return (uint32_t)max_i64(p->arch->max_views / 8, 1);
}
/* A base layer's number, of its node. */
static inline const struct layer *node_layer(const struct plan *p, uint32_t node)
{
    return &p->segment->layer[p->segment->layer_of[node]];
}

/* The operation that the task's instruction is for. */
uint32_t task_source(const struct plan *p, const struct task *t);
/* count_energy.c: the counts of a run, in `a`. */
struct isa_energy plan_energy(const struct plan *p, struct arena *a);

/* ---- detail.c, critical.c, activity.c, print_plan.c: what a report shows of a finished plan;
 * strings and arrays in `a` ---- */
void plan_report(const struct plan *p, struct arena *a, struct backend_result *out);
const char *plan_print(const struct plan *p, struct arena *a);
/* Bytes and messages from tile to tile, from the tasks alone: one entry a pair, sorted, in `a`. */
struct traffic_report *plan_traffic(const struct plan *p, struct arena *a, uint32_t *out_n);
void plan_report_path(const struct plan *p, struct arena *a, struct backend_detail *out);
/* activity.c. Sets and works of one frame. */
uint64_t plan_layer_cycles(const struct plan *p, const struct layer *l); /* of all its products */
/* After out->energy. */
void plan_report_layers(const struct plan *p, struct arena *a, struct backend_result *out);
void plan_report_activity(const struct plan *p, struct arena *a, struct backend_result *out);
struct set_report plan_set_of(const struct plan *p, const struct schedule *s, uint32_t task);

#endif
