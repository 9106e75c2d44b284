/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * tile_bytes.c - how much memory of each kind a program takes on a tile: what a chip has to hold
 * beside the weights, side by side with them.
 */
#include "isa_mapping.h"

#include <math.h>

static uint64_t table_bytes(const struct isa_program *p, uint32_t tile)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < ISA_MEMORIES; i++) {
        struct isa_memory m = isa_tile_memory_size(p, tile, i);
        n += (uint64_t)m.n * m.word_bytes;
    }
    return n;
}

/* Groups that share PEs hold the same weights. */
static uint64_t weight_bits(const struct isa_program *p, const struct isa_group *g)
{
    struct isa_mapping m = isa_mapping_of(p, g);
    uint64_t weights = 0, each = p->images[g->image].weight_bits;
    for (uint32_t i = 0; !g->shares && i < g->n_pes; i++)
        weights += isa_mapping_held(&m, &g->pes[i]);
    return weights * (each ? each : (uint64_t)p->arch.weight_bits);
}

struct isa_tile_bytes isa_tile_bytes(const struct isa_program *p, uint32_t tile)
{
    const struct isa_tile *t = &p->tiles[tile];
    uint64_t bits = 0;
    for (uint32_t g = 0; g < t->n_groups; g++)
        bits += weight_bits(p, &t->groups[g]);
    return (struct isa_tile_bytes){.code = t->stream.n,
                                   .tables = table_bytes(p, tile),
                                   .weights = (bits + 7) / 8,
                                   .buffer = t->buffer_bytes};
}

double isa_tile_share(const struct isa_tile_bytes *b)
{
    return b->weights ? (double)(b->code + b->tables) / (double)b->weights : NAN;
}
