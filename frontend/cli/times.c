/*
 * times.c - when each instruction of a simulated program started and ended, as CSV.
 *
 * In: completions, in the order in which the simulator comes to them. Out: a line for each
 * instruction but HALT, by tile and position.
 */
#include "times.h"

#include <stdlib.h>

struct span {
    uint64_t start, end;
};
struct times {
    const struct isa_program *p;
    uint32_t *first; /* of each tile's instructions in `spans` */
    struct span *spans;
};

struct times *times_new(const struct isa_program *p)
{
    struct times *t = heap_alloc(sizeof *t);
    uint32_t n = 0;
    t->p = p;
    t->first = heap_alloc((p->n_tiles + 1) * sizeof *t->first);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        t->first[i] = n;
        n += p->tiles[i].n_insts;
    }
    t->spans = heap_alloc((n + 1) * sizeof *t->spans);
    return t;
}

void times_free(struct times *t)
{
    if (!t)
        return;
    free(t->first);
    free(t->spans);
    free(t);
}

void times_completed(struct times *t, uint32_t tile, uint32_t inst_index, uint64_t start_cycle,
                     uint64_t end_cycle)
{
    t->spans[t->first[tile] + inst_index] = (struct span){start_cycle, end_cycle};
}

static void print_tile(const struct times *t, uint32_t tile, FILE *out)
{
    const struct isa_tile *from = &t->p->tiles[tile];
    for (uint32_t i = 0; i < from->n_insts; i++) {
        const struct span *s = &t->spans[t->first[tile] + i];
        const struct isa_inst *inst = &from->insts[i];
        fprintf(out, "%u,%u,%u,%s,%llu,%llu\n", tile, i, inst->queue, isa_op_name(inst->op),
                (unsigned long long)s->start, (unsigned long long)s->end);
    }
}

bool times_write(const struct times *t, const char *path, struct diag *d)
{
    struct out out;
    if (!out_open(&out, path, d))
        return false;
    fputs("tile,position,queue,operation,start,end\n", out.f);
    for (uint32_t i = 0; i < t->p->n_tiles; i++)
        print_tile(t, i, out.f);
    return out_commit(&out, d);
}
