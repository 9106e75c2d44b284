/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * container_write.c - struct isa_program -> program file (ISA.md 11).
 * Invariant: the bytes depend on the program alone. Sections are streamed from where they are; what
 * is made for it is made in one buffer, again and again, and hashed while it is there. The header,
 * which has the hashes, comes last, into the room left for it; where the output cannot go back, all
 * sections are hashed first.
 */
#include "isa_internal.h"

#include <stdlib.h>
#include <string.h>

static void *message_new(struct arena *a, enum record_id id)
{
    const ProtobufCMessageDescriptor *message = isa_records[id].message;
    void *m = arena_alloc(a, message->sizeof_message);
    protobuf_c_message_init(message, m);
    return m;
}

/* Messages of n records in a row, as protobuf-c keeps repeated ones. */
static void *messages_new(struct arena *a, enum record_id id, const void *records, uint32_t n)
{
    void **m = ARENA_ARRAY(a, void *, n);
    for (uint32_t i = 0; i < n; i++) {
        m[i] = message_new(a, id);
        record_to_message(id, (const char *)records + i * isa_records[id].bytes, m[i]);
    }
    return m;
}

static void add_groups(struct arena *a, const struct isa_tile *t, Cimc__Tile *m)
{
    m->n_groups = t->n_groups;
    m->groups = messages_new(a, REC_group, t->groups, t->n_groups);
    for (uint32_t i = 0; i < t->n_groups; i++) {
        m->groups[i]->n_pes = t->groups[i].n_pes;
        m->groups[i]->pes = messages_new(a, REC_pe, t->groups[i].pes, t->groups[i].n_pes);
    }
}

static void add_programs(struct arena *a, const struct isa_tile *t, Cimc__Tile *m)
{
    m->n_programs = t->n_programs;
    m->programs = messages_new(a, REC_program_entry, t->programs, t->n_programs);
    for (uint32_t i = 0; i < t->n_programs; i++) {
        const struct isa_program_entry *e = &t->programs[i];
        m->programs[i]->n_ops = e->n_ops;
        m->programs[i]->ops = messages_new(a, REC_lane, e->ops, e->n_ops);
    }
}

static void add_routes(struct arena *a, const struct isa_tile *t, Cimc__Tile *m)
{
    m->n_routes = t->n_routes;
    /* A route has no scalar fields of its own. */
    m->routes = ARENA_ARRAY(a, Cimc__Route *, t->n_routes);
    for (uint32_t i = 0; i < t->n_routes; i++) {
        const struct isa_route *r = &t->routes[i];
        m->routes[i] = ARENA_NEW(a, Cimc__Route);
        cimc__route__init(m->routes[i]);
        m->routes[i]->n_targets = r->n_targets;
        m->routes[i]->targets = messages_new(a, REC_target, r->targets, r->n_targets);
    }
}

static Cimc__Tile *tile_message(struct arena *a, const struct isa_tile *t, uint32_t stream)
{
    Cimc__Tile *m = message_new(a, REC_tile);
    record_to_message(REC_tile, t, m);
    m->n_views = t->n_views;
    m->views = messages_new(a, REC_view, t->views, t->n_views);
    add_groups(a, t, m);
    m->n_windows = t->n_windows;
    m->windows = messages_new(a, REC_window, t->windows, t->n_windows);
    add_programs(a, t, m);
    add_routes(a, t, m);
    m->n_gathers = t->n_gathers;
    m->gathers = messages_new(a, REC_gather, t->gathers, t->n_gathers);
    m->n_preloads = t->n_preloads;
    m->preloads = messages_new(a, REC_preload, t->preloads, t->n_preloads);
    m->n_tables = t->n_tables;
    m->tables = messages_new(a, REC_table, t->tables, t->n_tables);
    m->has_stream = stream != 0;
    m->stream = stream;
    m->has_sources = 1;
    m->sources = stream + 1;
    return m;
}

static Cimc__Program *program_message(struct arena *a, const struct isa_program *p,
                                      const char *arch)
{
    Cimc__Program *m = message_new(a, REC_program);
    record_to_message(REC_program, p, m);
    m->has_isa_version = 1;
    m->isa_version = ISA_VERSION;
    m->arch = arena_strdup(a, arch);
    m->has_structure_fingerprint = m->has_timing_fingerprint = 1;
    m->structure_fingerprint = arch_fingerprint(&p->arch, ARCH_structure);
    m->timing_fingerprint = arch_fingerprint(&p->arch, ARCH_timing);
    m->features = isa_features(p, NULL);
    m->has_features = m->features != 0;
    m->n_tiles = p->n_tiles;
    m->tiles = ARENA_ARRAY(a, Cimc__Tile *, p->n_tiles);
    for (uint32_t t = 0; t < p->n_tiles; t++)
        m->tiles[t] = tile_message(a, &p->tiles[t], p->n_sections + 2 * t);
    m->n_bindings = p->n_bindings;
    m->bindings = messages_new(a, REC_binding, p->bindings, p->n_bindings);
    m->n_images = p->n_images;
    m->images = messages_new(a, REC_image, p->images, p->n_images);
    m->n_nodes = p->n_nodes;
    m->nodes = messages_new(a, REC_node, p->nodes, p->n_nodes);
    return m;
}

/* All sections, in file order. */
static struct isa_section *list_sections(struct arena *a, const struct isa_program *p, size_t *n)
{
    *n = p->n_sections + 2 * (size_t)p->n_tiles;
    struct isa_section *all = ARENA_ARRAY(a, struct isa_section, *n), *next = all;
    for (uint32_t i = 0; i < p->n_sections; i++)
        *next++ = p->sections[i];
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        const struct isa_tile *tile = &p->tiles[t];
        if (!tile->stream.at)
            BUG("tile %u is not encoded", t);
        *next++ = (struct isa_section){
            .name = "stream", .data = tile->stream.at, .length = tile->stream.n};
        *next++ = (struct isa_section){
            .name = "sources", .data = tile->source_map.at, .length = tile->source_map.n};
    }
    return all;
}

struct writer {
    FILE *f;
    const struct isa_program *program;
    Cimc__Program *message;
    struct isa_section *sections;
    size_t n_sections, header_bytes;
    void *scratch; /* as long as the longest section that has to be made */
};

/* Names and lengths into the message; room for the hashes, which are not known yet. */
static void describe_sections(struct writer *w, struct arena *a)
{
    Cimc__Program *m = w->message;
    uint64_t longest = 0;
    w->sections = list_sections(a, w->program, &w->n_sections);
    m->n_sections = w->n_sections;
    m->sections = ARENA_ARRAY(a, Cimc__Section *, m->n_sections);
    for (size_t i = 0; i < m->n_sections; i++) {
        Cimc__Section *s = m->sections[i] = ARENA_NEW(a, Cimc__Section);
        const struct isa_section *from = &w->sections[i];
        cimc__section__init(s);
        s->name = from->name && *from->name ? arena_strdup(a, from->name) : NULL;
        s->has_offset = s->has_length = s->has_hash = 1;
        s->length = from->length;
        if (from->read && from->length > longest)
            longest = from->length;
    }
    m->has_graph_fingerprint = w->program->fingerprint || w->program->graph_fingerprint;
    w->scratch = heap_alloc(longest);
}

/*
 * Offsets are varints, so the header's length depends on them and they on it. A longer header only
 * moves sections up, so lengths grow from one round to the next until they stay.
 */
static size_t place_sections(Cimc__Program *m)
{
    for (size_t header = 0;;) {
        uint64_t at = ISA_PREFIX_BYTES + header;
        for (size_t i = 0; i < m->n_sections; i++) {
            m->sections[i]->offset = isa_section_aligned(at);
            at = m->sections[i]->offset + m->sections[i]->length;
        }
        size_t packed = cimc__program__get_packed_size(m);
        if (packed == header)
            return header;
        header = packed;
    }
}

static const void *section_bytes(const struct writer *w, size_t i)
{
    const struct isa_section *s = &w->sections[i];
    const void *bytes = s->read ? s->read(s->owner, w->scratch) : s->data;
    return s->length ? bytes : "";
}

static void note_hash(const struct writer *w, size_t i, const void *bytes)
{
    const struct isa_section *s = &w->sections[i];
    uint64_t hash = s->hash && *s->hash ? *s->hash : hash_bytes(bytes, s->length, 0);
    w->message->sections[i]->hash = hash;
    if (s->hash)
        *s->hash = hash;
}

static void write_zeros(FILE *f, uint64_t n)
{
    static const char zeros[ISA_SECTION_ALIGNMENT] = {0};
    fwrite(zeros, 1, (size_t)n, f);
}

/* All sections and what is between them, behind the header. */
static void write_sections(const struct writer *w)
{
    uint64_t at = ISA_PREFIX_BYTES + w->header_bytes;
    for (size_t i = 0; i < w->n_sections; i++) {
        const void *bytes = section_bytes(w, i);
        note_hash(w, i, bytes);
        write_zeros(w->f, w->message->sections[i]->offset - at);
        fwrite(bytes, 1, w->sections[i].length, w->f);
        at = w->message->sections[i]->offset + w->sections[i].length;
    }
}

static void write_header(const struct writer *w)
{
    isa_program_settle(w->program);
    w->message->graph_fingerprint = w->program->graph_fingerprint;
    uint8_t *header = heap_alloc(w->header_bytes);
    uint32_t version = ISA_CONTAINER_VERSION;
    uint64_t length = cimc__program__pack(w->message, header);
    if (length != w->header_bytes)
        BUG("a header of %llu bytes, not %zu", (unsigned long long)length, w->header_bytes);
    uint64_t hash = hash_bytes(header, w->header_bytes, 0);
    fwrite("CIMC", 1, 4, w->f);
    fwrite(&version, sizeof version, 1, w->f);
    fwrite(&length, sizeof length, 1, w->f);
    fwrite(&hash, sizeof hash, 1, w->f);
    fwrite(header, 1, w->header_bytes, w->f);
    heap_free(header);
}

/* Write errors stay in the stream for out_commit. */
static void write_all(const struct writer *w, bool can_go_back)
{
    for (size_t i = 0; !can_go_back && i < w->n_sections; i++)
        note_hash(w, i, section_bytes(w, i));
    if (!can_go_back) {
        write_header(w);
        write_sections(w);
        return;
    }
    if (fseeko(w->f, (off_t)(ISA_PREFIX_BYTES + w->header_bytes), SEEK_SET) == 0)
        write_sections(w);
    if (fseeko(w->f, 0, SEEK_SET) == 0)
        write_header(w);
}

/* The file's length. */
static uint64_t file_bytes(const struct writer *w)
{
    const Cimc__Program *m = w->message;
    const Cimc__Section *last = m->n_sections ? m->sections[m->n_sections - 1] : NULL;
    return last ? last->offset + last->length : ISA_PREFIX_BYTES + w->header_bytes;
}

/* A reader refuses headers that are too long, or take too much memory. Hashes have no part in it.
 */
static bool is_readable(const struct writer *w, const char *path, struct diag *d)
{
    if (w->header_bytes > ISA_MAX_HEADER_BYTES)
        return diag_error(d, (struct loc){.file = path}, DIAG_PROGRAM,
                          "the program's tables take %zu bytes, more than a header can hold",
                          w->header_bytes);
    struct file f = {.path = path, .size = file_bytes(w)};
    uint8_t *header = heap_alloc(w->header_bytes);
    cimc__program__pack(w->message, header);
    bool ok = isa_header_guard(header, w->header_bytes, &f, d);
    heap_free(header);
    return ok;
}

/* `path`: what messages call it. */
static bool print(const struct isa_program *p, FILE *out, const char *path, bool can_go_back,
                  uint64_t *out_bytes, struct diag *d)
{
    struct arena *a = arena_new();
    struct text arch = {0};
    arch_print(&p->arch, &arch);
    struct writer w = {.f = out, .program = p};
    w.message = program_message(a, p, arch.at ? arch.at : "");
    describe_sections(&w, a);
    w.header_bytes = place_sections(w.message);
    bool ok = is_readable(&w, path, d);
    if (ok)
        write_all(&w, can_go_back);
    if (ok && out_bytes)
        *out_bytes = file_bytes(&w);
    heap_free(w.scratch);
    text_free(&arch);
    arena_free(a);
    return ok;
}

bool isa_program_print(const struct isa_program *p, FILE *out, uint64_t *out_bytes, struct diag *d)
{
    return print(p, out, NULL, false, out_bytes, d);
}

bool isa_program_write(const struct isa_program *p, const char *path, uint64_t *out_bytes,
                       struct diag *d)
{
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    if (print(p, o.f, path, o.temp != NULL, out_bytes, d))
        return out_commit(&o, d);
    out_discard(&o);
    return false;
}
