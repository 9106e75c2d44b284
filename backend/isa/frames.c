/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* frames.c - the stages of a program, and how often its body runs (ISA.md 14). */
#include "isa.h"

uint32_t isa_stages(const struct isa_program *p)
{
    uint8_t most = 0;
    for (uint32_t t = 0; t < p->n_tiles; t++)
        for (uint32_t i = 0; i < p->tiles[t].n_insts; i++)
            most = p->tiles[t].insts[i].stage > most ? p->tiles[t].insts[i].stage : most;
    return most + 1u;
}

uint32_t isa_iterations(const struct isa_program *p, uint32_t frames)
{
    return p->frames ? frames + isa_stages(p) - 1 : 1;
}
