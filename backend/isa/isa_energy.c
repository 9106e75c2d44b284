/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_energy.c - the counters of a run: those of a program's instructions, each as often as it is
 * executed. By node and by tile; both add up to the total.
 */
#include "isa_mapping.h"

struct isa_energy isa_energy_new(uint32_t n_nodes, uint32_t n_tiles, uint32_t frames,
                                 struct arena *a)
{
    return (struct isa_energy){.frames = frames,
                               .n_nodes = n_nodes,
                               .n_tiles = n_tiles,
                               .of_node = ARENA_ARRAY(a, struct energy_counts, n_nodes + 1),
                               .of_tile = ARENA_ARRAY(a, struct energy_counts, n_tiles)};
}

void isa_energy_add(struct isa_energy *e, uint32_t tile, uint32_t node, uint64_t times,
                    const struct energy_counts *counts)
{
    energy_add(&e->of_tile[tile], counts, times);
    energy_add(&e->of_node[node < e->n_nodes ? node : e->n_nodes], counts, times);
}

void isa_energy_sum_up(struct isa_energy *e)
{
    for (uint32_t i = 0; i < e->n_tiles; i++)
        energy_add(&e->total, &e->of_tile[i], 1);
}

/* Frames of a run in which the instruction is executed. */
static uint64_t times_of(const struct isa_inst *inst, uint32_t frames)
{
    bool is_transfer = inst->op == ISA_load || inst->op == ISA_store;
    unsigned flags = is_transfer ? inst->flags & DMA_FLAGS : 0;
    if (flags == DMA_FLAGS)
        return frames == 1;
    return flags ? 1 : frames;
}

/* Crossbar rows with weights; those that share PEs have written none of their own. */
static uint64_t rows_written(const struct isa_program *p, const struct isa_tile *t)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < t->n_groups; i++) {
        const struct isa_group *g = &t->groups[i];
        struct isa_mapping m = isa_mapping_of(p, g);
        for (uint32_t k = 0; k < g->n_pes && !g->shares; k++)
            rows += isa_mapping_rows(&m, &g->pes[k]);
    }
    return rows * (uint64_t)arch_input_rows(&p->arch);
}

struct isa_energy isa_program_energy(const struct isa_program *p, uint32_t frames, struct arena *a)
{
    struct isa_energy e = isa_energy_new(p->n_nodes, p->n_tiles, frames, a);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        const struct isa_tile *t = &p->tiles[i];
        e.rows_written += rows_written(p, t);
        for (uint32_t k = 0; k < t->n_insts; k++) {
            struct energy_counts c = isa_inst_counts(p, i, &t->insts[k]);
            uint32_t node = t->sources ? t->sources[k] : ISA_NO_SOURCE;
            isa_energy_add(&e, i, node, times_of(&t->insts[k], frames), &c);
        }
    }
    isa_energy_sum_up(&e);
    return e;
}
