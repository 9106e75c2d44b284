/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mutate_program.c - mutants of program files whose hashes, offsets and fingerprints are right, so
 * that they get past the reader's first look (ISA.md, "Program container").
 *
 * A mutant changes either the header, as a tree of fields, or one section: bytes of it, or, of a
 * stream, the instructions, which are encoded again.
 */
#include "fuzz.h"
#include "wire.h"

#include "isa_stream.h"

#include <string.h>

enum { PREFIX_BYTES = 24, ALIGNMENT = 64 };
/* Numbers of fields in program.proto. */
enum { PROGRAM_ARCH = 4, PROGRAM_STRUCTURE = 5, PROGRAM_SECTIONS = 8, PROGRAM_TIMING = 16 };
enum { SECTION_OFFSET = 2, SECTION_LENGTH = 3, SECTION_HASH = 4 };

struct section {
    struct wire_field *field; /* of the header */
    const uint8_t *at;
    size_t n;
};
struct mutant {
    struct arena *arena;
    struct wire_field *header;
    VEC(struct section) sections;
};

/* ---- reading ---- */

static bool read_header(struct mutant *m, const uint8_t *data, size_t n)
{
    uint64_t length;
    if (n < PREFIX_BYTES)
        return false;
    memcpy(&length, data + 8, sizeof length);
    return length <= n - PREFIX_BYTES &&
           wire_parse(data + PREFIX_BYTES, (size_t)length, m->arena, &m->header);
}

/* The bytes that each section shows; none where it leaves the file. */
static void find_sections(struct mutant *m, const uint8_t *data, size_t n)
{
    for (struct wire_field *f = m->header; (f = wire_find(f, PROGRAM_SECTIONS)); f = f->next) {
        uint64_t offset = wire_value(f->inner, SECTION_OFFSET);
        uint64_t length = wire_value(f->inner, SECTION_LENGTH);
        struct section s = {f, data, 0};
        if (offset <= n && length <= n - offset)
            s = (struct section){f, data + offset, (size_t)length};
        VEC_PUSH(&m->sections, s);
    }
}

/* ---- changing ---- */

/* Random instructions of a tile change. */
static void mutate_insts(struct isa_tile *t, struct arena *a, uint64_t *state)
{
    struct isa_inst *insts = ARENA_ARRAY(a, struct isa_inst, t->n_insts), kept;
    memcpy(insts, t->insts, t->n_insts * sizeof *insts);
    t->insts = insts;
    struct isa_inst *one = &insts[random_next(state) % t->n_insts];
    struct isa_inst *other = &insts[random_next(state) % t->n_insts];
    kept = *one;
    switch (random_next(state) % 4) {
    case 0: /* two change places */
        *one = *other;
        *other = kept;
        break;
    case 1: *one = *other; break;
    default: LLVMFuzzerMutate((uint8_t *)one, sizeof *one, sizeof *one);
    }
}

/* Can the encoder say it? Values that an instruction cannot have are its BUG. */
static bool is_encodable(const struct isa_inst *i)
{
    bool ok = !isa_inst_illegal(i) && i->queue < ISA_N_QUEUES && i->obj < 1024 && i->c >> 24 == 0 &&
              i->dst.view < 1024 && i->a.view < 1024 && i->b.view < 1024 &&
              i->n_waits <= ISA_MAX_WAITS && i->h <= ISA_MAX_H;
    const int32_t at[] = {i->dst.y, i->dst.x, i->a.y, i->a.x, i->b.y, i->b.x, i->y, i->x};
    for (size_t k = 0; ok && k < sizeof at / sizeof *at; k++)
        ok = at[k] >= -ISA_MAX_EXTENT && at[k] <= ISA_MAX_EXTENT;
    for (unsigned k = 0; ok && k < i->n_waits; k++)
        ok = i->wait[k].counter <= ISA_LAST_COUNTER && i->wait[k].threshold >> 22 == 0;
    return ok && (!isa_op_has_extent(i->op) || (i->h && i->w));
}

/* Two sections that are a stream and its sources: with other instructions. False if they are none.
 */
static bool mutate_stream(struct mutant *m, struct section *s, uint64_t *state)
{
    enum { MOST = 1 << 14 };
    struct isa_tile t = {0};
    const char *fault;
    if (s + 1 == m->sections.at + m->sections.n)
        return false;
    struct isa_bytes stream = {s[0].at, s[0].n}, map = {s[1].at, s[1].n};
    if (!isa_tile_decode(&t, &stream, &map, MOST, m->arena, &fault) || t.n_insts == 0)
        return false;
    mutate_insts(&t, m->arena, state);
    for (uint32_t i = 0; i < t.n_insts; i++)
        if (!is_encodable(&t.insts[i]))
            return false;
    if (!isa_tile_encode(&t, m->arena))
        return false;
    s[0].at = t.stream.at, s[0].n = t.stream.n;
    s[1].at = t.source_map.at, s[1].n = t.source_map.n;
    return true;
}

static void mutate_section(struct mutant *m, uint64_t *state)
{
    struct section *s = &m->sections.at[random_next(state) % m->sections.n];
    if (s->n == 0 || (random_next(state) % 2 && mutate_stream(m, s, state)))
        return;
    uint8_t *copy = arena_alloc(m->arena, s->n);
    memcpy(copy, s->at, s->n);
    LLVMFuzzerMutate(copy, s->n, s->n);
    s->at = copy;
}

/* ---- writing ---- */

static size_t aligned(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void pad(struct text *t, size_t n)
{
    static const uint8_t zeros[ALIGNMENT];
    text_add_bytes(t, zeros, n - t->n);
}

/* Offsets take room in the header, whose size decides the offsets: they only grow, so it ends. */
static void place_sections(struct mutant *m)
{
    for (size_t before = SIZE_MAX, now = 0; now != before;) {
        struct text t = {0};
        wire_write(m->header, &t);
        before = now;
        now = t.n;
        size_t at = PREFIX_BYTES + t.n;
        for (size_t i = 0; i < m->sections.n; i++) {
            const struct section *s = &m->sections.at[i];
            at = aligned(at);
            wire_set(&s->field->inner, SECTION_OFFSET, WIRE_VARINT, at, m->arena);
            at += s->n;
        }
        text_free(&t);
    }
}

static void sign_sections(struct mutant *m)
{
    for (size_t i = 0; i < m->sections.n; i++) {
        const struct section *s = &m->sections.at[i];
        wire_set(&s->field->inner, SECTION_LENGTH, WIRE_VARINT, s->n, m->arena);
        wire_set(&s->field->inner, SECTION_HASH, WIRE_FIXED64, hash_bytes(s->at, s->n, 0),
                 m->arena);
    }
}

static void sign_machine(struct mutant *m)
{
    const struct wire_field *f = wire_find(m->header, PROGRAM_ARCH);
    struct diag *d = diag_new();
    struct arch arch;
    if (f && f->type == WIRE_BYTES && !f->inner &&
        arch_parse((const char *)f->bytes, f->n, "machine", d->arena, d, &arch)) {
        wire_set(&m->header, PROGRAM_STRUCTURE, WIRE_FIXED64,
                 arch_fingerprint(&arch, ARCH_structure), m->arena);
        wire_set(&m->header, PROGRAM_TIMING, WIRE_FIXED64, arch_fingerprint(&arch, ARCH_timing),
                 m->arena);
    }
    diag_free(d);
}

static void write(struct mutant *m, const uint8_t *magic, struct text *out)
{
    struct text header = {0};
    sign_machine(m);
    sign_sections(m);
    place_sections(m);
    wire_write(m->header, &header);
    uint64_t length = header.n, hash = hash_bytes(header.at, header.n, 0);
    text_add_bytes(out, magic, 8);
    text_add_bytes(out, &length, sizeof length);
    text_add_bytes(out, &hash, sizeof hash);
    text_add_bytes(out, header.at, header.n);
    for (size_t i = 0; i < m->sections.n; i++) {
        pad(out, aligned(out->n));
        text_add_bytes(out, m->sections.at[i].at, m->sections.at[i].n);
    }
    text_free(&header);
}

static void mutate(struct mutant *m, const uint8_t *data, size_t n, uint64_t *state,
                   struct text *out)
{
    bool in_header = random_next(state) % 5 < 3;
    if (!read_header(m, data, n))
        return;
    if (in_header)
        wire_mutate(&m->header, m->arena, state);
    find_sections(m, data, n);
    if (!in_header && m->sections.n)
        mutate_section(m, state);
    if (m->header)
        write(m, data, out);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    uint64_t state = seed;
    struct mutant m = {.arena = arena_new()};
    struct text out = {0};
    if (random_next(&state) % 32)
        mutate(&m, data, n, &state, &out);
    if (out.n && out.n <= most)
        memcpy(data, out.at, n = out.n);
    else
        n = LLVMFuzzerMutate(data, n, most);
    text_free(&out);
    VEC_FREE(&m.sections);
    arena_free(m.arena);
    return n;
}
