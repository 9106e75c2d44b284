/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * times.c - when each instruction of a simulated program was dispatched, started, ended and was
 * counted, as CSV.
 *
 * In: completions, in the order in which the simulator comes to them. Out: a line for each
 * instruction but HALT, by tile, position and frame; the frame is named where a program has some.
 */
#include "times.h"

#include <stdlib.h>

struct span {
    uint64_t dispatch, start, end, counted;
    bool ran; /* not skipped */
};
struct times {
    const struct isa_program *p;
    uint32_t frames;
    uint32_t *first;    /* of each tile's instructions */
    struct span *spans; /* [instruction, frame] */
};

struct times *times_new(const struct isa_program *p, uint32_t frames)
{
    struct times *t = heap_alloc(sizeof *t);
    uint32_t n = 0;
    t->p = p;
    t->frames = frames;
    t->first = heap_alloc((p->n_tiles + 1) * sizeof *t->first);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        t->first[i] = n;
        n += p->tiles[i].n_insts;
    }
    t->spans = heap_alloc(((size_t)n * frames + 1) * sizeof *t->spans);
    return t;
}

void times_free(struct times *t)
{
    if (!t)
        return;
    heap_free(t->first);
    heap_free(t->spans);
    heap_free(t);
}

static struct span *span_of(const struct times *t, uint32_t tile, uint32_t index, uint32_t frame)
{
    return &t->spans[(size_t)(t->first[tile] + index) * t->frames + frame];
}

void times_completed(struct times *t, const struct sim_times *of)
{
    if (!sim_is_skipped(&of->at))
        *span_of(t, of->at.tile, of->at.index, of->at.frame) =
            (struct span){of->dispatch, of->start, of->end, of->counted, true};
}

static void print_inst(const struct times *t, uint32_t tile, uint32_t index, FILE *out)
{
    const struct isa_inst *inst = &t->p->tiles[tile].insts[index];
    for (uint32_t f = 0; f < t->frames; f++) {
        const struct span *s = span_of(t, tile, index, f);
        if (!s->ran)
            continue;
        fprintf(out, "%u,%u,%u,%s,", tile, index, inst->queue, isa_op_name(inst->op));
        if (t->p->frames)
            fprintf(out, "%u,", f);
        fprintf(out, "%llu,%llu,%llu,%llu\n", (unsigned long long)s->dispatch,
                (unsigned long long)s->start, (unsigned long long)s->end,
                (unsigned long long)s->counted);
    }
}

bool times_write(const struct times *t, const char *path, struct diag *d)
{
    struct out out;
    if (!out_open(&out, path, d))
        return false;
    fprintf(out.f, "tile,position,queue,operation,%sdispatch,start,end,counted\n",
            t->p->frames ? "frame," : "");
    for (uint32_t i = 0; i < t->p->n_tiles; i++)
        for (uint32_t k = 0; k < t->p->tiles[i].n_insts; k++)
            print_inst(t, i, k, out.f);
    return out_commit(&out, d);
}
