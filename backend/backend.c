/*
 * backend.c - the backend's table of contents: plan, schedule, memory, program.
 */
#include "backend_internal.h"

#include <math.h>
#include <stdlib.h>

static void plan_free(struct plan *p)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        VEC_FREE(&p->nodes.at[i].targets);
        VEC_FREE(&p->nodes.at[i].classes);
        free(p->nodes.at[i].target_sets);
    }
    VEC_FREE(&p->nodes);
    VEC_FREE(&p->layers);
    VEC_FREE(&p->groups);
    VEC_FREE(&p->tiles);
    VEC_FREE(&p->buffers);
    VEC_FREE(&p->tasks);
    VEC_FREE(&p->preds);
    VEC_FREE(&p->stores);
    map_free(&p->buffer_of);
    map_free(&p->target_of);
    VEC_FREE(&p->arrival);
    map_free(&p->arrival_of);
    arena_free(p->arena);
}

/* All before the schedule. */
static bool plan_all_tasks(struct plan *p)
{
    p->n_ops = p->graph->n_ops;
    if (!plan_nodes(p) || !plan_place(p))
        return false;
    plan_sets(p);
    plan_homes(p);
    return plan_tasks(p);
}

/* On a mesh the tasks are made twice: their messages say where tiles should stand. */
static bool plan_positions(struct plan *p)
{
    struct plan trial = *p;
    trial.arena = arena_new();
    bool ok = plan_all_tasks(&trial);
    if (ok && trial.tiles.n > 2)
        p->position = plan_mesh_positions(&trial, p->arena);
    plan_free(&trial);
    return ok;
}

static bool plan_and_schedule(struct plan *p)
{
    p->arena = arena_new();
    if (p->arch->topology == ARCH_MESH && !plan_positions(p))
        return false;
    if (!plan_all_tasks(p))
        return false;
    plan_schedule(p);
    return true;
}

/* Everything but MVMs is free, so a layer's time is that of its products. */
static bool only_mvm_takes_time(const struct arch *a)
{
    return a->lanes == 0 && a->link_bytes_per_cycle == 0 && a->hop_cycles == 0 &&
           a->dram_cycles == 0 && a->dram_bytes_per_cycle == 0;
}

/* Of its products, one after the other. */
static int64_t layer_cycles(const struct plan *p, const struct layer *l)
{
    const int32_t *dim = p->nodes.at[l->node].dim;
    return ir_mapping_products(&l->mapping, dim[0], dim[1]) * p->arch->mvm_cycles;
}

/* One base layer at a time without copies. */
static bool layer_by_layer_cycles(const struct plan *p, uint64_t *out)
{
    *out = 0;
    if (only_mvm_takes_time(p->arch)) {
        for (size_t i = 0; i < p->layers.n; i++)
            *out += (uint64_t)layer_cycles(p, &p->layers.at[i]);
        return true;
    }
    struct backend_options options = *p->options;
    options.mode = SCHEDULE_LAYER_BY_LAYER;
    struct plan single = {.graph = p->graph,
                          .arch = p->arch,
                          .options = &options,
                          .diag = p->diag,
                          .single_copies = true};
    bool ok = plan_and_schedule(&single);
    *out = single.makespan;
    plan_free(&single);
    return ok;
}

static void report_layers(const struct plan *p, struct arena *a, struct backend_result *out)
{
    out->n_layers = (uint32_t)p->layers.n;
    out->layers = ARENA_ARRAY(a, struct layer_report, out->n_layers);
    for (uint32_t i = 0; i < out->n_layers; i++) {
        const struct layer *l = &p->layers.at[i];
        const struct node *n = &p->nodes.at[l->node];
        struct layer_report *r = &out->layers[i];
        r->name = arena_strdup(a, n->root->name);
        for (int axis = 0; axis < 3; axis++)
            r->ofm[axis] = n->dim[axis];
        r->pes = (int64_t)l->pv * l->ph;
        r->cycles = layer_cycles(p, l);
        r->copies = l->n_copies;
    }
}

static void report_sets(const struct plan *p, struct arena *a, struct backend_result *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_order; i++)
        n += p->tasks.at[p->order[i]].kind == TASK_mvm;
    out->sets = ARENA_ARRAY(a, struct set_report, n);
    for (uint32_t i = 0; i < p->n_order; i++) {
        const struct task *t = &p->tasks.at[p->order[i]];
        if (t->kind != TASK_mvm)
            continue;
        const struct group *g = &p->groups.at[t->aux];
        struct box b = task_box(p, t);
        out->sets[out->n_sets++] = (struct set_report){.layer = g->layer,
                                                       .copy = g->copy,
                                                       .tile = g->tile,
                                                       .first_pe = g->first_pe,
                                                       .n_pes = g->n_pes,
                                                       .y = b.lo[0],
                                                       .x = b.lo[1],
                                                       .h = b.hi[0] - b.lo[0],
                                                       .w = b.hi[1] - b.lo[1],
                                                       .start_cycle = t->start,
                                                       .end_cycle = t->end};
    }
}

/* All that does not need the program; arrays in `a`. */
static void report(const struct plan *p, struct arena *a, struct backend_result *out)
{
    out->makespan_cycles = p->makespan;
    out->pe_busy_cycles = p->pe_busy_cycles;
    out->utilisation =
        p->makespan ? (double)p->pe_busy_cycles / ((double)p->options->pes * (double)p->makespan)
                    : (double)NAN;
    out->n_tiles = (uint32_t)p->tiles.n;
    report_layers(p, a, out);
    if (p->options->report_sets)
        report_sets(p, a, out);
    if (p->options->report_detail)
        plan_report(p, a, out);
}

static void report_program(const struct isa_program *program, struct backend_result *out)
{
    for (uint32_t t = 0; t < program->n_tiles; t++)
        out->n_instructions += program->tiles[t].n_insts;
    out->code_bytes = out->n_instructions * ISA_INST_BYTES;
}

bool backend_makespan(const struct ir_graph *g, const struct arch *arch,
                      const struct backend_options *o, uint64_t *out_cycles, struct diag *d)
{
    struct plan p = {.graph = g, .arch = arch, .options = o, .diag = d};
    bool ok = plan_and_schedule(&p);
    *out_cycles = p.makespan;
    plan_free(&p);
    return ok;
}

bool backend_schedule(const struct ir_graph *g, const struct arch *arch,
                      const struct backend_options *o, struct arena *a, struct backend_result *out,
                      struct diag *d)
{
    *out = (struct backend_result){0};
    struct plan p = {.graph = g, .arch = arch, .options = o, .diag = d};
    double start = now_seconds();
    bool ok = plan_and_schedule(&p) && layer_by_layer_cycles(&p, &out->layer_by_layer_cycles);
    out->seconds_schedule = now_seconds() - start;
    if (ok && o->report_detail) {
        plan_lives(&p);
        plan_memory(&p);
    }
    if (ok)
        report(&p, a, out);
    plan_free(&p);
    return ok;
}

static uint64_t fingerprint(const void *graph)
{
    return ir_fingerprint(graph);
}

struct isa_program *backend_compile(const struct ir_graph *g, const struct arch *arch,
                                    const struct backend_options *o, struct backend_result *out,
                                    struct diag *d)
{
    *out = (struct backend_result){0};
    struct plan p = {.graph = g, .arch = arch, .options = o, .diag = d};
    struct isa_program *program = NULL;
    double start = now_seconds();
    if (plan_and_schedule(&p) && layer_by_layer_cycles(&p, &out->layer_by_layer_cycles)) {
        out->seconds_schedule = now_seconds() - start;
        plan_lives(&p);
        plan_memory(&p);
        program = plan_emit(&p);
        if (program) {
            program->fingerprint = fingerprint;
            program->graph = g;
            program->layer_by_layer_cycles = out->layer_by_layer_cycles;
            report(&p, program->arena, out);
            report_program(program, out);
        }
        out->seconds_emit = now_seconds() - start - out->seconds_schedule;
    }
    plan_free(&p);
    return program;
}
