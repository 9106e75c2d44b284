/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_data.c - what a program is, as data: its numbers, layers, tiles, ports and schedule. */
#include "api_handles.h"

#include <math.h>
#include <string.h>

/* ---- the program ---- */

static void take_results(const struct build *b, struct cimc_program_info *i)
{
    const struct backend_result *r = &b->backend;
    i->mode = b->mode == PASS_MODE_INT ? "int" : "f32";
    i->model = b->model;
    i->n_layers = r->n_layers;
    i->pe_min = (uint64_t)b->dup.pe_min;
    i->pes_used = (uint64_t)b->dup.pes_used;
    i->makespan_cycles = r->makespan_cycles;
    if (r->makespan_cycles)
        i->speedup = (double)r->layer_by_layer_cycles / (double)r->makespan_cycles;
    i->utilisation = r->utilisation;
    i->latency_min_cycles = r->latency_min_cycles;
    i->latency_max_cycles = r->latency_max_cycles;
    i->code_bytes = r->code_bytes;
    i->file_bytes = b->program_bytes;
}

void cimc_program_info(const cimc_program *p, struct cimc_program_info *out)
{
    const struct isa_program *isa = p->isa;
    struct cimc_program_info whole = {.is_compiled = p->is_compiled,
                                      .model = isa->model,
                                      .compiler = isa->compiler,
                                      .options = isa->options,
                                      .fingerprint = isa->graph_fingerprint,
                                      .n_tiles = isa->n_tiles,
                                      .n_inputs = (uint32_t)p->ports.n_inputs,
                                      .n_outputs = (uint32_t)p->ports.n_outputs,
                                      .pes = isa->pes,
                                      .cycle_ps = (uint64_t)isa->arch.cycle_ps,
                                      .layer_by_layer_cycles = isa->layer_by_layer_cycles,
                                      .scheduled_cycles = isa->scheduled_cycles,
                                      .speedup = NAN,
                                      .utilisation = NAN,
                                      .frames = isa->frames,
                                      .interval_cycles = isa->interval_cycles,
                                      .has_weights = !isa->no_weights && !p->build.n_missing};
    for (uint32_t t = 0; t < isa->n_tiles; t++)
        whole.n_instructions += isa->tiles[t].n_insts;
    if (p->is_compiled)
        take_results(&p->build, &whole);
    struct_copy_out(out, &whole, sizeof whole);
}

/* ---- layers ---- */

bool cimc_program_layer(const cimc_program *p, size_t i, struct cimc_layer *out)
{
    const struct backend_result *r = &p->build.backend;
    if (!p->is_compiled || i >= r->n_layers)
        return false;
    const struct layer_report *l = &r->layers[i];
    struct cimc_layer whole = {.name = l->name,
                               .height = l->ofm[0],
                               .width = l->ofm[1],
                               .channels = l->ofm[2],
                               .patch_height = l->patch[0],
                               .patch_width = l->patch[1],
                               .pes = l->pes,
                               .copies = l->copies,
                               .cycles = l->cycles,
                               .weight_bits = l->weight_bits,
                               .crossbars = l->weights,
                               .fill = l->fill};
    struct_copy_out(out, &whole, sizeof whole);
    return true;
}

/* ---- tiles ---- */

bool cimc_program_tile(const cimc_program *p, size_t i, struct cimc_tile *out)
{
    if (i >= p->isa->n_tiles)
        return false;
    const struct isa_tile *t = &p->isa->tiles[i];
    struct isa_tile_bytes bytes = isa_tile_bytes(p->isa, (uint32_t)i);
    struct cimc_tile whole = {.n_pes = isa_tile_pes(t),
                              .code_bytes = bytes.code,
                              .buffer_bytes = bytes.buffer,
                              .n_instructions = t->n_insts,
                              .table_bytes = bytes.tables,
                              .weight_bytes = bytes.weights};
    const struct backend_detail *d = p->is_compiled ? p->build.backend.detail : NULL;
    if (d) {
        const struct tile_report *r = &d->tiles[i];
        whole.n_pes = r->n_pes;
        whole.pe_busy_cycles = r->busy_cycles[UNIT_PE];
        whole.vector_busy_cycles = r->busy_cycles[UNIT_VECTOR];
        whole.network_busy_cycles = r->busy_cycles[UNIT_NETWORK];
        whole.dram_busy_cycles = r->busy_cycles[UNIT_DRAM];
        whole.sent_bytes = r->sent_bytes;
        whole.read_bytes = r->read_bytes;
        whole.written_bytes = r->written_bytes;
        whole.peak_bytes = r->peak_bytes;
    }
    struct_copy_out(out, &whole, sizeof whole);
    return true;
}

/* ---- the schedule ---- */

size_t cimc_program_schedule(const cimc_program *p, struct cimc_set *out, size_t n)
{
    const struct backend_result *r = &p->build.backend;
    if (!p->is_compiled || !r->sets)
        return 0;
    for (size_t i = 0; out && i < n && i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        out[i] = (struct cimc_set){.layer = s->layer,
                                   .copy = s->copy,
                                   .tile = s->tile,
                                   .first_pe = s->first_pe,
                                   .n_pes = s->n_pes,
                                   .y = s->y,
                                   .x = s->x,
                                   .h = s->h,
                                   .w = s->w,
                                   .start = s->start_cycle,
                                   .end = s->end_cycle};
    }
    return r->n_sets;
}

/* ---- ports ---- */

/* As a run describes them; nothing where a damaged program contradicts itself. */
void ports_describe(struct io *io, const struct isa_program *p, const struct build *b)
{
    struct diag *silent = diag_new();
    struct io_models models = b->n_models && b->models[0].imported ? driver_io_models(b, b->arena)
                                                                   : (struct io_models){0};
    if (!io_describe(io, p, models, silent)) {
        io_free(io);
        *io = (struct io){0};
    }
    diag_free(silent);
}

bool cimc_program_input(const cimc_program *p, size_t i, struct cimc_port *out)
{
    return port_of(p->ports.inputs, p->ports.n_inputs, i, out);
}

bool cimc_program_output(const cimc_program *p, size_t i, struct cimc_port *out)
{
    return port_of(p->ports.outputs, p->ports.n_outputs, i, out);
}

bool cimc_model_input(const cimc_model *m, size_t i, struct cimc_port *out)
{
    return port_of(m->ports.inputs, m->ports.n_inputs, i, out);
}

bool cimc_model_output(const cimc_model *m, size_t i, struct cimc_port *out)
{
    return port_of(m->ports.outputs, m->ports.n_outputs, i, out);
}
