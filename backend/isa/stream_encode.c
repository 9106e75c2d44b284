/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_encode.c - instructions -> a stream's section (ISA.md 9): which units get a template of
 * their own and which share one and say their values in the stream; numbers; bytes.
 * The same instructions always give the same bytes.
 */
#include "stream_encode.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* Of one walker, waiting for the same counters. */
struct shape {
    uint32_t unit; /* the first of those that share its template */
    struct range { /* of their values */
        int32_t least, most;
    } range[ISA_MAX_WAITS];
    uint32_t number; /* of its template */
};
struct use { /* of a unit, in all strings */
    uint32_t singles, runs, run_length;
    uint32_t shape;
    bool own;
    uint32_t number; /* of its template */
};
struct encoder {
    struct arena *arena;
    struct stream_walks walks;
    struct stream_units units;
    struct stream_strings strings;
    struct use *use; /* [unit] */
    VEC(struct shape) shapes;
    uint32_t n_small, n_large; /* templates */
    VEC(struct stream_template) small, large;
    VEC(struct stream_phrase) phrases;
};

/* ---- how often units stand where ---- */

/* How many symbols from `at` on are the same as it; 1 if they are no run. */
static uint32_t run_at(const uint32_t *at, const uint32_t *end)
{
    uint32_t n = 1;
    while (at + n < end && n < UINT16_MAX && at[n] == *at)
        n++;
    return n < STREAM_SHORT_RUN ? 1 : n;
}

static void count_uses(struct encoder *e)
{
    const struct stream_strings *s = &e->strings;
    e->use = ARENA_ARRAY(e->arena, struct use, e->units.n_units);
    for (uint32_t k = 0; k <= s->n_phrases; k++) {
        const uint32_t *end = s->at + s->first[k + 1];
        for (const uint32_t *at = s->at + s->first[k]; at < end;) {
            uint32_t n = run_at(at, end);
            if (*at < e->units.n_units) {
                struct use *u = &e->use[*at];
                u->singles += n == 1;
                u->runs += n > 1;
                u->run_length += n > 1 ? n : 0;
            }
            at += n;
        }
    }
}

/* ---- templates ---- */

static bool is_small(const struct stream_unit *u)
{
    return u->n_waits <= 1 && u->walker < STREAM_SMALL_WALKERS;
}

static uint32_t template_bytes(const struct stream_unit *u)
{
    unsigned records = u->n_waits > 2 ? (u->n_waits + 1u) / 2 : 1;
    return is_small(u) ? stream_part_bytes[PART_SMALL_TEMPLATES]
                       : stream_part_bytes[PART_LARGE_TEMPLATES] * records;
}

static bool fits_template(const struct stream_unit *u)
{
    for (unsigned k = 0; k < u->n_waits; k++)
        if (u->value[k] < 0 || u->value[k] >> STREAM_VALUE_BITS)
            return false;
    return true;
}

/* A template of its own, if that takes no more bytes than its values in the stream. */
static bool wants_own(const struct stream_unit *u, const struct use *use)
{
    uint64_t bytes = 1 + (uint64_t)stream_unit_bytes(u);
    uint64_t shared = bytes * (use->singles + use->run_length);
    return fits_template(u) && template_bytes(u) + use->singles + 3 * use->runs <= shared;
}

/* Its template is shared: its values go into the ranges of the shape. */
static uint32_t join_shape(struct encoder *e, struct map *known, uint32_t unit)
{
    const struct stream_unit *u = &e->units.units[unit];
    uint32_t key[1 + ISA_MAX_WAITS] = {u->walker};
    for (unsigned k = 0; k < u->n_waits; k++)
        key[1 + k] = u->counter[k];
    uint32_t number =
        map_intern(known, key, (1 + (size_t)u->n_waits) * sizeof *key, (uint32_t)e->shapes.n);
    bool is_new = number == e->shapes.n;
    if (is_new)
        VEC_PUSH(&e->shapes, ((struct shape){.unit = unit}));
    for (unsigned k = 0; k < u->n_waits; k++) {
        struct range *r = &e->shapes.at[number].range[k];
        int32_t v = u->value[k];
        *r = is_new ? (struct range){v, v}
                    : (struct range){v < r->least ? v : r->least, v > r->most ? v : r->most};
    }
    return number;
}

/* A value stays in the template if all have it. */
static enum stream_mode mode_of(const struct range *r)
{
    if (r->least == r->most && r->least >= 0 && r->most >> STREAM_VALUE_BITS == 0)
        return MODE_VALUE;
    return r->least >= 0 && r->most <= UINT8_MAX ? MODE_BYTE : MODE_THREE_BYTES;
}

static void add_record(struct encoder *e, bool small, const struct stream_template *t)
{
    if (small)
        VEC_PUSH(&e->small, *t);
    else
        VEC_PUSH(&e->large, *t);
}

/* The template of a unit, or of all that have its shape. */
static uint32_t add_template(struct encoder *e, const struct stream_unit *u, const struct shape *s)
{
    bool small = is_small(u);
    uint32_t number = (uint32_t)(small ? e->small.n : e->large.n);
    unsigned k = 0;
    struct stream_template t = {.walker = u->walker};
    if (u->n_waits > 2)
        t.more = (u->n_waits - 1u) / 2;
    do {
        for (unsigned i = 0; i < (small ? 1 : 2) && k < u->n_waits; i++, k++) {
            enum stream_mode mode = s ? mode_of(&s->range[k]) : MODE_VALUE;
            t.wait[i] = (struct stream_wait){u->counter[k], mode,
                                             mode == MODE_VALUE ? (uint32_t)u->value[k] : 0};
        }
        add_record(e, small, &t);
        t = (struct stream_template){0};
    } while (k < u->n_waits);
    return number;
}

static void choose_templates(struct encoder *e)
{
    struct map known = {0};
    const struct stream_unit *units = e->units.units;
    for (uint32_t i = 0; i < e->units.n_units; i++) {
        struct use *use = &e->use[i];
        if (units[i].order_bytes)
            continue;
        use->own = wants_own(&units[i], use);
        if (use->own)
            continue;
        use->shape = join_shape(e, &known, i);
    }
    for (uint32_t i = 0; i < e->units.n_units; i++) {
        struct use *use = &e->use[i];
        if (units[i].order_bytes)
            continue;
        struct shape *s = use->own ? NULL : &e->shapes.at[use->shape];
        if (!s)
            use->number = add_template(e, &units[i], NULL);
        else if (s->unit == i)
            s->number = add_template(e, &units[i], s);
    }
    map_free(&known);
}

/* ---- bytes ---- */

typedef VEC(uint8_t) byte_vector;

static void put(byte_vector *out, uint32_t value, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        VEC_PUSH(out, (uint8_t)(value >> 8 * k));
}

static void put_number(byte_vector *out, uint32_t number)
{
    if (number < SYMBOL_SET) {
        put(out, number, 1);
    } else if (number < STREAM_FIRST_FAR) {
        put(out, SYMBOL_PAGE + (number - SYMBOL_SET) / 256, 1);
        put(out, (number - SYMBOL_SET) % 256, 1);
    } else {
        put(out, SYMBOL_FAR, 1);
        put(out, number - STREAM_FIRST_FAR, 2);
    }
}

static uint32_t number_of(const struct encoder *e, uint32_t symbol)
{
    uint32_t n_templates = (uint32_t)(e->small.n + e->large.n);
    if (symbol >= e->units.n_units)
        return n_templates + symbol - e->units.n_units;
    const struct use *use = &e->use[symbol];
    uint32_t number = use->own ? use->number : e->shapes.at[use->shape].number;
    return is_small(&e->units.units[symbol]) ? number : (uint32_t)e->small.n + number;
}

static void put_order(byte_vector *out, const struct stream_unit *u)
{
    put(out, SYMBOL_SET, 1);
    if (u->order_bytes == STREAM_FRAME_BYTES) {
        put(out, u->walker | STREAM_FRAME, 2);
        return;
    }
    put(out, u->walker, 2);
    put(out, (uint32_t)u->place.y, 3);
    put(out, (uint32_t)u->place.x, 3);
    put(out, (uint32_t)u->place.w, 2);
    put(out, (uint32_t)u->place.h, 2);
}

/* A unit that is no run. */
static void put_unit(const struct encoder *e, byte_vector *out, uint32_t unit)
{
    const struct stream_unit *u = &e->units.units[unit];
    const struct use *use = &e->use[unit];
    if (u->order_bytes) {
        put_order(out, u);
        return;
    }
    put_number(out, number_of(e, unit));
    for (unsigned k = 0; k < u->n_waits && !use->own; k++) {
        enum stream_mode mode = mode_of(&e->shapes.at[use->shape].range[k]);
        put(out, (uint32_t)u->value[k], mode == MODE_VALUE ? 0 : mode == MODE_BYTE ? 1 : 3);
    }
}

/* Does the unit's symbol take more bytes? Then it cannot be a run. */
static bool takes_bytes(const struct encoder *e, uint32_t unit)
{
    const struct stream_unit *u = &e->units.units[unit];
    bool takes = u->order_bytes > 0;
    for (unsigned k = 0; k < u->n_waits && !e->use[unit].own; k++)
        takes |= mode_of(&e->shapes.at[e->use[unit].shape].range[k]) != MODE_VALUE;
    return takes;
}

static void put_symbols(const struct encoder *e, byte_vector *out, uint32_t symbol, uint32_t n)
{
    bool is_unit = symbol < e->units.n_units;
    if (n > 1 && !(is_unit && takes_bytes(e, symbol))) {
        bool is_short = n - STREAM_SHORT_RUN <= UINT8_MAX;
        put(out, is_short ? SYMBOL_RUN : SYMBOL_LONG_RUN, 1);
        put(out, is_short ? n - STREAM_SHORT_RUN : n, is_short ? 1 : 2);
        put_number(out, number_of(e, symbol));
        return;
    }
    for (; n > 0; n--) {
        if (is_unit)
            put_unit(e, out, symbol);
        else
            put_number(out, number_of(e, symbol));
    }
}

static void put_string(const struct encoder *e, byte_vector *out, uint32_t string)
{
    const uint32_t *at = e->strings.at + e->strings.first[string];
    const uint32_t *end = e->strings.at + e->strings.first[string + 1];
    while (at < end) {
        uint32_t n = run_at(at, end);
        put_symbols(e, out, *at, n);
        at += n;
    }
}

static void write_strings(struct encoder *e, byte_vector *memory, byte_vector *stream)
{
    for (uint32_t i = 0; i < e->strings.n_phrases; i++) {
        uint32_t start = (uint32_t)memory->n;
        put_string(e, memory, i);
        VEC_PUSH(&e->phrases, ((struct stream_phrase){start, (uint32_t)memory->n - start}));
    }
    put_string(e, stream, e->strings.n_phrases);
    put(stream, SYMBOL_HALT, 1);
}

/* ---- the section ---- */

static void put_records(byte_vector *out, enum stream_part part, const void *records, size_t n,
                        size_t bytes)
{
    for (size_t i = 0; i < n; i++) {
        VEC_RESERVE(out, out->n + stream_part_bytes[part]);
        stream_pack(part, (const char *)records + i * bytes, out->at + out->n);
        out->n += stream_part_bytes[part];
    }
}

#define PUT(part, records, n) put_records(out, (part), (records), (n), sizeof *(records))

static void write_section(struct encoder *e, byte_vector *out)
{
    byte_vector memory = {0}, stream = {0};
    const struct stream_walks *w = &e->walks;
    write_strings(e, &memory, &stream);
    const size_t n[N_STREAM_PARTS] = {w->n_short,      w->n_walkers - w->n_short,
                                      w->n_extensions, e->small.n,
                                      e->large.n,      e->phrases.n,
                                      memory.n,        stream.n};
    for (unsigned i = 0; i < N_STREAM_PARTS; i++)
        put(out, (uint32_t)n[i], 4);
    PUT(PART_SHORT_WALKERS, w->walkers, w->n_short);
    PUT(PART_LONG_WALKERS, w->walkers + w->n_short, w->n_walkers - w->n_short);
    PUT(PART_EXTENSIONS, w->extensions, w->n_extensions);
    PUT(PART_SMALL_TEMPLATES, e->small.at, e->small.n);
    PUT(PART_LARGE_TEMPLATES, e->large.at, e->large.n);
    PUT(PART_PHRASES, e->phrases.at, e->phrases.n);
    VEC_RESERVE(out, out->n + memory.n + stream.n);
    if (memory.n)
        memcpy(out->at + out->n, memory.at, memory.n);
    memcpy(out->at + out->n + memory.n, stream.at, stream.n);
    out->n += memory.n + stream.n;
    VEC_FREE(&memory);
    VEC_FREE(&stream);
}

static void encoder_free(struct encoder *e)
{
    VEC_FREE(&e->shapes);
    VEC_FREE(&e->small);
    VEC_FREE(&e->large);
    VEC_FREE(&e->phrases);
    arena_free(e->arena);
}

/* Are there numbers for all of them? */
static bool has_numbers(const struct encoder *e)
{
    return e->small.n + e->large.n + e->strings.n_phrases <= STREAM_MAX_SYMBOLS;
}

static void take_bytes(const struct encoder *e, uint32_t n, const byte_vector *section,
                       struct arena *a, struct isa_stream_bytes *out)
{
    uint8_t *bytes = arena_alloc(a, section->n);
    uint16_t *walker_of = ARENA_ARRAY(a, uint16_t, n);
    memcpy(bytes, section->at, section->n);
    for (uint32_t i = 0; i < n; i++)
        walker_of[i] = (uint16_t)e->walks.walker_of[i];
    *out = (struct isa_stream_bytes){{bytes, section->n}, e->walks.n_walkers, walker_of};
}

bool isa_stream_encode(const struct isa_inst *insts, uint32_t n, struct arena *a,
                       struct isa_stream_bytes *out)
{
    struct encoder e = {.arena = arena_new()};
    bool ok = stream_walk(insts, n, e.arena, &e.walks);
    if (ok) {
        stream_units(insts, n, &e.walks, e.arena, &e.units);
        stream_phrases(&e.units, e.arena, &e.strings);
        count_uses(&e);
        choose_templates(&e);
        ok = has_numbers(&e);
    }
    if (ok) {
        byte_vector section = {0};
        write_section(&e, &section);
        take_bytes(&e, n, &section, a, out);
        VEC_FREE(&section);
    }
    encoder_free(&e);
    return ok;
}
