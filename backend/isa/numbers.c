/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* numbers.c - a machine, a program and a tile as lists of numbers, for testbenches. */
#include "stream.h"
#include "words.h"

#include <string.h>

struct list {
    struct isa_number *at;
    size_t n, cap;
};

static void add(struct list *out, const char *name, uint64_t value)
{
    VEC_PUSH(out, ((struct isa_number){name, value}));
}

static void of_machine(const struct arch *m, struct list *out)
{
#define FIELD(name, part, state, initial, least, most, unit, doc)                                  \
    add(out, #name, (uint64_t)m->name);
#define CHOICE(name, part, state, initial, choices, doc) add(out, #name, (uint64_t)m->name);
#include "arch.def"
#undef FIELD
#undef CHOICE
}

/* Tensors of the outside: one more than the greatest index. */
static uint32_t n_tensors(const struct isa_program *p, bool output)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_bindings; i++)
        if (p->bindings[i].output == output)
            n = (uint32_t)max_i64(n, (int64_t)p->bindings[i].index + 1);
    return n;
}

static void of_program(const struct isa_program *p, struct list *out)
{
    const struct record *r = &isa_records[REC_program];
    for (unsigned i = 0; i < r->n_fields; i++) {
        const struct record_field *f = &r->fields[i];
        if (f->bits)
            add(out, f->name, record_number(f->kind, (const char *)p + f->offset));
    }
    add(out, "tiles", p->n_tiles);
    add(out, "stages", isa_stages(p));
    add(out, "bindings", p->n_bindings);
    add(out, "inputs", n_tensors(p, false));
    add(out, "outputs", n_tensors(p, true));
    add(out, "features", isa_features(p, NULL));
}

static void of_tile(const struct isa_program *p, uint32_t tile, struct list *out)
{
    const struct isa_tile *t = &p->tiles[tile];
    for (unsigned i = 0; i < ISA_STREAM_PARTS; i++) {
        struct isa_bytes bytes;
        unsigned record;
        const char *name = isa_stream_part(&t->stream, i, &bytes, &record);
        add(out, name + strlen("stream_"), bytes.n / record);
    }
    for (unsigned i = 0; i < ISA_MEMORIES; i++) {
        struct isa_memory m = isa_tile_memory_size(p, tile, i);
        add(out, m.name, m.n);
    }
    add(out, "buffer_bytes", t->buffer_bytes);
    add(out, "instructions", t->n_insts);
    add(out, "queues", isa_n_queues(t));
    add(out, "inbound", t->n_inbound);
}

struct isa_numbers isa_numbers_of(enum isa_number_list list, const struct isa_program *p,
                                  uint32_t tile, struct arena *a)
{
    static const uint8_t no_stream[STREAM_HEAD_BYTES];
    struct isa_tile no_tile = {.stream = {no_stream, sizeof no_stream}};
    const struct isa_program none = {.n_tiles = 1, .tiles = &no_tile}, *of = p ? p : &none;
    struct list out = {0};
    switch (list) {
    case ISA_TILE_NUMBERS: of_tile(of, tile, &out); break;
    case ISA_PROGRAM_NUMBERS: of_program(of, &out); break;
    case ISA_MACHINE_NUMBERS: of_machine(&of->arch, &out); break;
    case ISA_N_LISTS: break;
    }
    struct isa_number *copy = ARENA_ARRAY(a, struct isa_number, out.n);
    memcpy(copy, out.at, out.n * sizeof *copy);
    size_t n = out.n;
    VEC_FREE(&out);
    return (struct isa_numbers){copy, n};
}
