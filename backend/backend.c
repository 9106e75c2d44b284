/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * backend.c - the backend's table of contents: plan, schedule, memory, program.
 */
#include "plan.h"

#include <math.h>
#include <stdlib.h>

static void plan_free(struct plan *p)
{
    task_graph_free(p->tasks);
    schedule_free(p->schedule);
    if (p->single != p->schedule)
        schedule_free(p->single);
    arena_free(p->arena);
}

/* All before the schedule. */
static bool make_tasks(struct plan *p)
{
    p->segment = plan_place(p);
    if (!p->segment)
        return false;
    p->cells = plan_cells(p);
    p->tasks = p->cells ? plan_tasks(p) : NULL;
    return p->tasks != NULL;
}

/* On a mesh the tasks are made twice: their messages say where tiles should stand. */
static bool find_positions(struct plan *p)
{
    struct plan trial = *p;
    trial.arena = arena_new();
    bool ok = make_tasks(&trial);
    if (ok && trial.segment->n_tiles > 2)
        p->position = plan_mesh_positions(&trial, p->arena);
    plan_free(&trial);
    return ok;
}

static bool fill_tiles_in_order(struct plan *p)
{
    return (p->arch->topology != ARCH_MESH || find_positions(p)) && make_tasks(p);
}

/* Ways to place PEs, of which the one with the best schedule is taken, of equal ones the first. */
static bool (*const placements[])(struct plan *) = {fill_tiles_in_order};

/* From p->nodes to a schedule. */
static bool plan_and_schedule(struct plan *p)
{
    bool found = false;
    for (size_t i = 0; i < sizeof placements / sizeof *placements; i++) {
        struct plan candidate = *p;
        candidate.arena = arena_new();
        bool made = placements[i](&candidate);
        if (made)
            candidate.schedule = candidate.single = plan_schedule(&candidate);
        bool better = made && (!found || candidate.single->makespan < p->single->makespan);
        if (!better) {
            plan_free(&candidate);
            continue;
        }
        if (found)
            plan_free(p);
        *p = candidate;
        found = true;
    }
    return found;
}

/* Everything but MVMs is free, so a layer's time is that of its products. */
static bool only_mvm_takes_time(const struct arch *a)
{
    return a->lanes == 0 && a->link_bytes_per_cycle == 0 && a->hop_cycles == 0 &&
           a->dram_cycles == 0 && a->dram_bytes_per_cycle == 0 && a->issue_cycles == 0 &&
           a->start_cycles == 0 && a->complete_cycles == 0 && a->inflight == 0;
}

/* Without patches. */
static uint64_t plain_layer_cycles(const struct plan *p, const struct layer *l)
{
    static const int64_t one[2] = {1, 1};
    struct layer plain = *l;
    plain.mapping =
        ir_mapping_with(p->nodes->at[l->node].root, l->mapping.rows, l->mapping.cols, one);
    return plan_layer_cycles(p, &plain);
}

/* One base layer at a time without copies and patches. */
static bool layer_by_layer_cycles(const struct plan *p, uint64_t *out)
{
    *out = 0;
    if (only_mvm_takes_time(p->arch)) {
        for (size_t i = 0; i < p->segment->n_layers; i++)
            *out += plain_layer_cycles(p, &p->segment->layer[i]);
        return true;
    }
    struct backend_options options = *p->options;
    options.mode = SCHEDULE_LAYER_BY_LAYER;
    struct plan single = {.graph = p->graph,
                          .arch = p->arch,
                          .options = &options,
                          .diag = p->diag,
                          .plain = true,
                          .spread = p->spread,
                          .nodes = p->nodes};
    bool ok = plan_and_schedule(&single);
    *out = ok ? single.single->makespan : 0;
    plan_free(&single);
    return ok;
}

static void report_steady_sets(const struct plan *p, struct arena *a, struct backend_result *out)
{
    const struct schedule *s = p->schedule;
    out->steady_sets = ARENA_ARRAY(a, struct set_report, 2 * (size_t)out->n_sets);
    for (uint32_t i = 0; i < s->n; i++) {
        if (p->tasks->tasks.at[s->order[i]].kind != TASK_mvm)
            continue;
        struct set_report set = plan_set_of(p, s, s->order[i]);
        set.frames_ago = (uint32_t)(set.start_cycle / s->interval);
        set.start_cycle -= set.frames_ago * s->interval;
        set.end_cycle -= set.frames_ago * s->interval;
        struct set_report rest = set;
        set.end_cycle = set.end_cycle < s->interval ? set.end_cycle : s->interval;
        out->steady_sets[out->n_steady_sets++] = set;
        if (rest.end_cycle == set.end_cycle)
            continue;
        rest.start_cycle = 0;
        rest.end_cycle -= s->interval;
        rest.frames_ago++;
        out->steady_sets[out->n_steady_sets++] = rest;
    }
}

/* One for each pixel and place of a base layer's matrix, for each element and product of a dot.
 * What copies, padding or several columns of a weight add is the machine's affair. */
static void count_macs(const struct ir_graph *g, struct backend_result *out)
{
    out->crossbar_macs = out->vector_macs = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_mvm) {
            const int64_t *ofm = op->out->type.dim;
            uint64_t weights = (uint64_t)ir_count(&op->in[1].value->type);
            out->crossbar_macs += (uint64_t)(ofm[0] * ofm[1]) * weights;
        } else if (op->opcode == IR_dot) {
            uint64_t each = (uint64_t)op->in[0].value->type.dim[2];
            out->vector_macs += (uint64_t)ir_count(&op->out->type) * each;
        }
    }
}

/* As the steady schedule has it; how the first frames really run, the program tells. */
static void report_frames(const struct plan *p, struct backend_result *out)
{
    const struct schedule *s = p->schedule;
    out->frames = p->options->frames;
    out->interval_cycles = s->interval;
    out->interval_bound_cycles = s->interval_bound;
    out->latency_min_cycles = out->latency_max_cycles = s->makespan;
    out->scheduled_cycles = s->makespan + (out->frames - 1) * s->interval;
    out->steady_utilisation =
        (double)p->single->pe_busy_cycles / ((double)p->options->pes * (double)s->interval);
}

/* All that does not need the program; arrays in `a`. */
static void report(const struct plan *p, struct arena *a, struct backend_result *out)
{
    uint64_t makespan = out->makespan_cycles = p->single->makespan;
    uint64_t busy = out->pe_busy_cycles = p->single->pe_busy_cycles;
    out->utilisation =
        makespan ? (double)busy / ((double)p->options->pes * (double)makespan) : (double)NAN;
    out->set = p->cells->set;
    out->n_tiles = p->segment->n_tiles;
    out->energy = plan_energy(p, a);
    plan_report_layers(p, a, out);
    count_macs(p->graph, out);
    if (p->options->frames)
        report_frames(p, out);
    if (p->options->report_sets)
        plan_report_activity(p, a, out);
    if (p->options->report_sets && p->options->frames)
        report_steady_sets(p, a, out);
    if (p->options->report_detail)
        plan_report(p, a, out);
    if (p->options->print_plan)
        out->plan = plan_print(p, a);
}

static void report_program(const struct isa_program *program, struct backend_result *out)
{
    for (uint32_t t = 0; t < program->n_tiles; t++)
        out->n_instructions += program->tiles[t].n_insts;
    for (uint32_t t = 0; t < program->n_tiles; t++) {
        uint64_t bytes = program->tiles[t].stream.n;
        out->code_bytes += bytes;
        out->most_code_bytes = bytes > out->most_code_bytes ? bytes : out->most_code_bytes;
    }
}

static struct plan new_plan(const struct ir_graph *g, const struct arch *arch,
                            const struct backend_options *o, struct diag *d)
{
    return (struct plan){.graph = g, .arch = arch, .options = o, .diag = d};
}

struct backend_trials {
    struct plan plan; /* nodes only */
    struct arena *arena;
};

struct backend_trials *backend_trials_new(const struct ir_graph *g, const struct arch *arch,
                                          struct diag *d)
{
    struct arena *a = arena_new();
    struct backend_trials *t = ARENA_NEW(a, struct backend_trials);
    *t = (struct backend_trials){.plan = new_plan(g, arch, NULL, d), .arena = a};
    t->plan.nodes = plan_nodes(g, a, d);
    if (t->plan.nodes)
        return t;
    arena_free(a);
    return NULL;
}

static bool try_sets(const struct backend_trials *t, const struct backend_options *o,
                     struct backend_makespan *out)
{
    struct plan p = t->plan;
    p.options = o;
    bool ok = plan_and_schedule(&p);
    if (ok) {
        *out = (struct backend_makespan){p.single->makespan, p.cells->set, p.tasks->tasks.n};
        if (o->frames > 1)
            out->cycles += (o->frames - 1) * plan_interval_bound(&p);
    }
    plan_free(&p);
    return ok;
}

/* Twice the columns, where that is all of them whole rows, or twice the rows. */
static void coarsen(struct set_shape *s, int64_t widest)
{
    enum { MOST_ROWS = 4 };
    bool is_whole = s->cols == 0;
    s->rows = is_whole ? 2 * s->rows : 1;
    s->cols = !is_whole && 2 * s->cols < widest ? 2 * s->cols : 0;
    if (s->rows > MOST_ROWS)
        s->rows = 0;
}

/* Where nothing but products takes time, no sets are faster than finer ones that cut them. Else
 * there are fewer messages and less to start with coarser ones; of equals the finest. */
static bool try_coarser_sets(const struct backend_trials *t, const struct backend_options *o,
                             struct backend_makespan *io)
{
    struct backend_options coarse = *o;
    struct backend_makespan found;
    int64_t widest = 0;
    for (uint32_t i = 0; i < t->plan.nodes->n; i++)
        if (t->plan.nodes->at[i].kind == NODE_mvm)
            widest = max_i64(widest, t->plan.nodes->at[i].dim[AXIS_W]);
    coarse.set = io->set;
    for (coarsen(&coarse.set, widest); coarse.set.rows > 0; coarsen(&coarse.set, widest)) {
        if (!try_sets(t, &coarse, &found))
            return false;
        found.n_tasks += io->n_tasks;
        io->n_tasks = found.n_tasks;
        if (found.cycles < io->cycles)
            *io = found;
    }
    return true;
}

bool backend_trial_makespan(const struct backend_trials *t, const struct backend_options *o,
                            struct backend_makespan *out)
{
    bool is_open = o->set.budget > 0 && !only_mvm_takes_time(t->plan.arch);
    return try_sets(t, o, out) && (!is_open || try_coarser_sets(t, o, out));
}

void backend_trials_free(struct backend_trials *t)
{
    if (t)
        arena_free(t->arena);
}

/* From p->nodes to the schedule, and what it is compared with. */
static bool plan_all(struct plan *p, struct backend_result *out)
{
    double start = now_seconds();
    bool ok =
        p->nodes && plan_and_schedule(p) && layer_by_layer_cycles(p, &out->layer_by_layer_cycles);
    if (ok && p->options->frames)
        p->schedule = plan_frames(p);
    out->seconds_schedule += now_seconds() - start;
    return ok;
}

bool backend_schedule(const struct ir_graph *g, const struct arch *arch,
                      const struct backend_options *o, struct arena *a, struct backend_result *out,
                      struct diag *d)
{
    *out = (struct backend_result){0};
    struct plan p = new_plan(g, arch, o, d);
    struct arena *nodes = arena_new();
    p.nodes = plan_nodes(g, nodes, d);
    bool ok = plan_all(&p, out);
    if (ok && (o->report_detail || o->print_plan))
        p.memory = plan_memory(&p);
    if (ok)
        report(&p, a, out);
    plan_free(&p);
    arena_free(nodes);
    return ok;
}

static uint64_t fingerprint(const void *graph)
{
    return ir_fingerprint(graph);
}

static struct isa_program *make_program(struct plan *p, struct backend_result *out)
{
    double start = now_seconds();
    p->memory = plan_memory(p);
    struct program_times times = {0};
    struct isa_program *program = plan_emit(p, &times);
    if (times.as_run) {
        schedule_free(p->schedule);
        p->schedule = p->single = times.as_run;
    }
    if (program) {
        program->fingerprint = fingerprint;
        program->graph = p->graph;
        program->layer_by_layer_cycles = out->layer_by_layer_cycles;
        report(p, program->arena, out);
        report_program(program, out);
        out->scheduled_cycles = program->scheduled_cycles;
        out->latency_min_cycles = times.frames.latency_min;
        out->latency_max_cycles = times.frames.latency_max;
    }
    out->seconds_emit += now_seconds() - start;
    return program;
}

/* Some tile lacks room for what the plan gives it, as `lacking` says: the same with the work
 * spread. If that does not help either, what was lacking is said. */
static struct isa_program *make_spread(struct plan *p, const struct diag *lacking,
                                       struct backend_result *out)
{
    struct diag *d = diag_new();
    struct plan spread = new_plan(p->graph, p->arch, p->options, d);
    spread.nodes = p->nodes;
    spread.spread = true;
    struct isa_program *program = plan_all(&spread, out) ? make_program(&spread, out) : NULL;
    plan_free(&spread);
    for (const struct diag_entry *e = lacking->first; !program && e; e = e->next)
        diag_error(p->diag, e->loc, e->code, "%s", e->text);
    diag_free(d);
    return program;
}

struct isa_program *backend_compile(const struct ir_graph *g, const struct arch *arch,
                                    const struct backend_options *o, struct backend_result *out,
                                    struct diag *d)
{
    *out = (struct backend_result){0};
    struct plan p = new_plan(g, arch, o, d);
    struct arena *nodes = arena_new();
    struct diag *lacking = diag_new();
    struct isa_program *program = NULL;
    p.nodes = plan_nodes(g, nodes, d);
    if (plan_all(&p, out)) {
        p.diag = lacking;
        program = make_program(&p, out);
        p.diag = d;
        if (!program)
            program = make_spread(&p, lacking, out);
    }
    plan_free(&p);
    arena_free(nodes);
    diag_free(lacking);
    return program;
}
