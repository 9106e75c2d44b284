/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_tile.c - a tile's instructions and their nodes <-> the two sections that hold them
 * (ISA.md 9).
 */
#include "stream.h"

#include <endian.h>
#include <string.h>

bool isa_tile_encode(struct isa_tile *t, struct arena *a)
{
    struct isa_stream_bytes s;
    if (!isa_stream_encode(t->insts, t->n_insts, a, &s))
        return false;
    t->stream = s.section;
    t->source_map = isa_sources_encode(t, &s, a);
    return true;
}

bool isa_tile_decode(struct isa_tile *t, const struct isa_bytes *stream,
                     const struct isa_bytes *source_map, uint32_t most, struct arena *a,
                     const char **fault)
{
    struct isa_stream s;
    if (!isa_stream_decode(stream->at, stream->n, most, a, &s, fault))
        return false;
    t->insts = s.insts;
    t->n_insts = s.n;
    t->sources = isa_sources_decode(source_map, &s, a);
    t->stream = *stream;
    t->source_map = *source_map;
    *fault = "its sources are not one node for each walker, then what differs, in order";
    return t->sources != NULL;
}

static uint64_t count_records(const struct isa_bytes *stream, unsigned part)
{
    uint32_t n;
    memcpy(&n, stream->at + sizeof n * part, sizeof n);
    return le32toh(n);
}

void isa_stream_limits(const struct arch *arch, const struct isa_bytes *stream,
                       struct isa_stream_limit out[ISA_STREAM_LIMITS])
{
    const struct isa_stream_limit limits[ISA_STREAM_LIMITS] = {
        {"walkers", "max_walkers",
         count_records(stream, PART_SHORT_WALKERS) + count_records(stream, PART_LONG_WALKERS),
         (uint64_t)arch->max_walkers},
        {"templates", "max_templates",
         count_records(stream, PART_SMALL_TEMPLATES) + count_records(stream, PART_LARGE_TEMPLATES),
         (uint64_t)arch->max_templates},
        {"phrases", "max_phrases", count_records(stream, PART_PHRASES),
         (uint64_t)arch->max_phrases},
        {"bytes of stream", "max_stream_bytes", stream->n, (uint64_t)arch->max_stream_bytes}};
    memcpy(out, limits, sizeof limits);
}

/* Says what the tile that lacks most needs; once, however many tiles lack. */
static bool streams_fit(const struct isa_program *p, struct diag *d)
{
    struct isa_stream_limit most[ISA_STREAM_LIMITS] = {0};
    uint32_t tile[ISA_STREAM_LIMITS] = {0};
    bool ok = true;
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        struct isa_stream_limit of[ISA_STREAM_LIMITS];
        isa_stream_limits(&p->arch, &p->tiles[t].stream, of);
        for (int i = 0; i < ISA_STREAM_LIMITS; i++)
            if (of[i].n > most[i].n)
                most[i] = of[i], tile[i] = t;
    }
    for (int i = 0; i < ISA_STREAM_LIMITS; i++)
        if (most[i].most && most[i].n > most[i].most)
            ok = diag_error(d, (struct loc){.file = p->file.path}, DIAG_CAPACITY,
                            "tile %u needs %llu %s, the machine has %llu: raise %s to %llu",
                            tile[i], (unsigned long long)most[i].n, most[i].what,
                            (unsigned long long)most[i].most, most[i].field,
                            (unsigned long long)most[i].n);
    return ok;
}

bool isa_program_encode(struct isa_program *p, struct diag *d)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        struct isa_tile *t = &p->tiles[i];
        n += t->n_insts;
        if (!t->stream.at && !isa_tile_encode(t, p->arena))
            return diag_error(d, (struct loc){.file = p->file.path}, DIAG_CAPACITY,
                              "tile %u has more kinds of instructions than a stream can hold: "
                              "%d walkers, %d templates and phrases",
                              i, STREAM_MAX_WALKERS, STREAM_MAX_SYMBOLS);
    }
    if (n > ISA_MAX_INSTS)
        return diag_error(d, (struct loc){.file = p->file.path}, DIAG_CAPACITY,
                          "%llu instructions, a program has at most %d: use larger sets",
                          (unsigned long long)n, ISA_MAX_INSTS);
    return streams_fit(p, d);
}

bool isa_stream_has_stages(const struct isa_bytes *stream)
{
    for (unsigned i = PART_SHORT_WALKERS; i <= PART_LONG_WALKERS; i++) {
        struct isa_bytes part;
        unsigned record;
        isa_stream_part(stream, i, &part, &record);
        for (uint64_t at = 0; at < part.n; at += record) {
            struct stream_walker w = {0};
            if (stream_unpack((enum stream_part)i, part.at + at, &w) && w.stage)
                return true;
        }
    }
    return false;
}

const char *isa_stream_part(const struct isa_bytes *stream, unsigned part, struct isa_bytes *out,
                            unsigned *record)
{
    static const char *const names[N_STREAM_PARTS] = {
        "stream_walkers_short",   "stream_walkers_long",   "stream_extensions",
        "stream_templates_short", "stream_templates_long", "stream_phrases",
        "stream_phrase_memory",   "stream_symbols"};
    *out = (struct isa_bytes){stream->at + STREAM_HEAD_BYTES, 0};
    for (unsigned i = 0; i <= part; i++) {
        out->at += out->n;
        out->n = count_records(stream, i) * stream_part_bytes[i];
    }
    *record = stream_part_bytes[part];
    return names[part];
}
