/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * container_read.c - program file -> struct isa_program (ISA.md 11). Data sections stay mapped;
 * all that validation depends on is copied.
 * Input is untrusted: lengths and hashes are checked before anything is unpacked, and isa_validate
 * passes before the program is handed out.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <string.h>

struct loading {
    struct isa_program *p;
    const Cimc__Program *m;
    struct diag *d;
    struct loc at;
};

/* The header's bytes; NULL with a diagnostic. */
static const uint8_t *find_header(const struct file *f, struct diag *d, size_t *n)
{
    struct loc at = {.file = f->path};
    uint32_t version;
    uint64_t length, hash;
    if (f->size < ISA_PREFIX_BYTES || memcmp(f->data, "CIMC", 4) != 0) {
        diag_error(d, at, DIAG_PROGRAM, "not a program file");
        return NULL;
    }
    memcpy(&version, f->data + 4, sizeof version);
    memcpy(&length, f->data + 8, sizeof length);
    memcpy(&hash, f->data + 16, sizeof hash);
    const uint8_t *header = f->data + ISA_PREFIX_BYTES;
    if (version != ISA_CONTAINER_VERSION)
        diag_error(d, at, DIAG_PROGRAM, "container version %u, this reader knows %d", version,
                   ISA_CONTAINER_VERSION);
    else if (length > ISA_MAX_HEADER_BYTES || length > f->size - ISA_PREFIX_BYTES)
        diag_error(d, at, DIAG_PROGRAM, "truncated: the header has %" PRIu64 " bytes", length);
    else if (hash_bytes(header, length, 0) != hash)
        diag_error(d, at, DIAG_PROGRAM, "damaged: the header's hash differs");
    else
        return *n = (size_t)length, header;
    return NULL;
}

static bool is_zero(const uint8_t *at, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= at[i];
    return any == 0;
}

/* Sections in order, each at the next aligned offset, hashes right, nothing after the last. */
static bool check_sections(const struct loading *l, size_t header_bytes)
{
    const struct file *f = &l->p->file;
    uint64_t end = ISA_PREFIX_BYTES + header_bytes;
    for (size_t i = 0; i < l->m->n_sections; i++) {
        const Cimc__Section *s = l->m->sections[i];
        uint64_t from = isa_section_aligned(end);
        if (s->offset != from || from > f->size || s->length > f->size - from)
            return diag_error(l->d, l->at, DIAG_PROGRAM,
                              "section %zu is not inside the file, or out of place", i);
        if (!is_zero(f->data + end, from - end))
            return diag_error(l->d, l->at, DIAG_PROGRAM, "bytes before section %zu are not 0", i);
        const uint8_t *data = f->data + from;
        if (hash_bytes(data, s->length, 0) != s->hash)
            return diag_error(l->d, l->at, DIAG_PROGRAM, "damaged: the hash of section %zu differs",
                              i);
        file_forget(f, data, s->length);
        end = from + s->length;
    }
    if (end != f->size)
        return diag_error(l->d, l->at, DIAG_PROGRAM, "%" PRIu64 " bytes after the last section",
                          f->size - end);
    return true;
}

/* Records of n messages in a row, in the program's arena. */
static void *read_records(const struct loading *l, enum record_id id, size_t n,
                          const void *messages)
{
    size_t bytes = isa_records[id].bytes;
    char *records = arena_alloc_array(l->p->arena, n, bytes);
    const void *const *m = messages;
    for (size_t i = 0; i < n; i++)
        record_from_message(id, m[i], records + i * bytes, l->p->arena);
    return records;
}

static void read_groups(const struct loading *l, const Cimc__Tile *m, struct isa_tile *t)
{
    t->n_groups = (uint32_t)m->n_groups;
    t->groups = read_records(l, REC_group, m->n_groups, m->groups);
    for (uint32_t i = 0; i < t->n_groups; i++) {
        t->groups[i].n_pes = (uint32_t)m->groups[i]->n_pes;
        t->groups[i].pes = read_records(l, REC_pe, m->groups[i]->n_pes, m->groups[i]->pes);
    }
}

static bool read_programs(const struct loading *l, const Cimc__Tile *m, struct isa_tile *t)
{
    t->n_programs = (uint32_t)m->n_programs;
    t->programs = read_records(l, REC_program_entry, m->n_programs, m->programs);
    for (uint32_t i = 0; i < t->n_programs; i++) {
        const Cimc__VectorProgram *from = m->programs[i];
        if (from->n_ops > ISA_MAX_LANE_OPS)
            return diag_error(l->d, l->at, DIAG_PROGRAM, "vector program %u has %zu operations", i,
                              from->n_ops);
        t->programs[i].n_ops = (uint32_t)from->n_ops;
        for (uint32_t k = 0; k < from->n_ops; k++)
            record_from_message(REC_lane, from->ops[k], &t->programs[i].ops[k], l->p->arena);
    }
    return true;
}

static void read_routes(const struct loading *l, const Cimc__Tile *m, struct isa_tile *t)
{
    t->n_routes = (uint32_t)m->n_routes;
    t->routes = ARENA_ARRAY(l->p->arena, struct isa_route, m->n_routes);
    for (uint32_t i = 0; i < t->n_routes; i++) {
        const Cimc__Route *from = m->routes[i];
        t->routes[i].n_targets = (uint32_t)from->n_targets;
        t->routes[i].targets = read_records(l, REC_target, from->n_targets, from->targets);
    }
}

/* The file may be changed while it is mapped: what is validated must be what runs. */
static struct isa_bytes private_copy(const struct loading *l, const Cimc__Section *s)
{
    void *copy = arena_alloc(l->p->arena, s->length);
    if (s->length)
        memcpy(copy, l->p->file.data + s->offset, s->length);
    file_forget(&l->p->file, l->p->file.data + s->offset, s->length);
    return (struct isa_bytes){copy, s->length};
}

/* Tile number `index`: its stream and sources are the two sections that follow the data's. At most
 * `most` instructions. */
static bool read_stream(const struct loading *l, size_t index, const Cimc__Tile *m, uint32_t most,
                        struct isa_tile *t)
{
    size_t at = l->m->n_sections - 2 * l->m->n_tiles + 2 * index;
    const Cimc__Section *stream = l->m->sections[at], *sources = l->m->sections[at + 1];
    const char *fault = "its sections are out of place";
    if (m->stream == at && m->sources == at + 1) {
        struct isa_bytes code = private_copy(l, stream), map = private_copy(l, sources);
        if (isa_tile_decode(t, &code, &map, most, l->p->arena, &fault))
            return true;
    }
    return diag_error(l->d, l->at, DIAG_PROGRAM, "tile %zu, stream: %s", index, fault);
}

static bool read_tiles(const struct loading *l)
{
    struct isa_program *p = l->p;
    uint32_t left = ISA_MAX_INSTS;
    p->n_tiles = (uint32_t)l->m->n_tiles;
    p->tiles = ARENA_ARRAY(p->arena, struct isa_tile, l->m->n_tiles);
    for (size_t i = 0; i < l->m->n_tiles; i++) {
        const Cimc__Tile *m = l->m->tiles[i];
        struct isa_tile *t = &p->tiles[i];
        record_from_message(REC_tile, m, t, p->arena);
        t->n_views = (uint32_t)m->n_views;
        t->views = read_records(l, REC_view, m->n_views, m->views);
        read_groups(l, m, t);
        t->n_windows = (uint32_t)m->n_windows;
        t->windows = read_records(l, REC_window, m->n_windows, m->windows);
        read_routes(l, m, t);
        t->n_gathers = (uint32_t)m->n_gathers;
        t->gathers = read_records(l, REC_gather, m->n_gathers, m->gathers);
        t->n_preloads = (uint32_t)m->n_preloads;
        t->preloads = read_records(l, REC_preload, m->n_preloads, m->preloads);
        t->n_tables = (uint32_t)m->n_tables;
        t->tables = read_records(l, REC_table, m->n_tables, m->tables);
        if (!read_programs(l, m, t) || !read_stream(l, i, m, left, t))
            return false;
        left -= t->n_insts;
    }
    return true;
}

static void read_data_sections(const struct loading *l)
{
    struct isa_program *p = l->p;
    p->n_sections = (uint32_t)(l->m->n_sections - 2 * l->m->n_tiles);
    p->sections = ARENA_ARRAY(p->arena, struct isa_section, p->n_sections);
    for (uint32_t i = 0; i < p->n_sections; i++) {
        const Cimc__Section *s = l->m->sections[i];
        p->sections[i] = (struct isa_section){
            .name = arena_strdup(p->arena, s->name ? s->name : ""),
            .data = p->file.data + s->offset,
            .length = s->length,
        };
    }
}

static bool read_arch(const struct loading *l)
{
    const char *text = l->m->arch ? l->m->arch : "";
    struct isa_program *p = l->p;
    if (!arch_parse(text, strlen(text), l->at.file, p->arena, l->d, &p->arch))
        return false;
    if (arch_fingerprint(&p->arch, ARCH_structure) != l->m->structure_fingerprint ||
        arch_fingerprint(&p->arch, ARCH_timing) != l->m->timing_fingerprint)
        return diag_error(l->d, l->at, DIAG_PROGRAM,
                          "the machine's fingerprint differs: written by a version with other "
                          "architecture fields");
    return true;
}

static bool read_message(const struct loading *l, size_t header_bytes)
{
    const Cimc__Program *m = l->m;
    struct isa_program *p = l->p;
    if (m->n_tiles > UINT16_MAX || m->n_sections < 2 * m->n_tiles)
        return diag_error(l->d, l->at, DIAG_PROGRAM, "%zu tiles with %zu sections", m->n_tiles,
                          m->n_sections);
    if (!check_sections(l, header_bytes) || !read_arch(l))
        return false;
    record_from_message(REC_program, m, p, p->arena);
    read_data_sections(l);
    p->n_bindings = (uint32_t)m->n_bindings;
    p->bindings = read_records(l, REC_binding, m->n_bindings, m->bindings);
    p->n_images = (uint32_t)m->n_images;
    p->images = read_records(l, REC_image, m->n_images, m->images);
    p->n_nodes = (uint32_t)m->n_nodes;
    p->nodes = read_records(l, REC_node, m->n_nodes, m->nodes);
    return read_tiles(l);
}

/* They follow from the instructions, so there is one right value. */
static bool check_features(const struct loading *l)
{
    uint32_t needed = isa_features(l->p, NULL);
    return l->m->features == needed ||
           diag_error(l->d, l->at, DIAG_PROGRAM, "features 0x%x, but its instructions need 0x%x",
                      l->m->features, needed);
}

/* p->file */
static bool load(struct isa_program *p, struct diag *d)
{
    size_t n;
    struct loc at = {.file = p->file.path};
    const uint8_t *header = find_header(&p->file, d, &n);
    if (!header)
        return false;
    if (!isa_header_guard(header, n, &p->file, d))
        return false;
    struct arena *words = arena_new();
    ProtobufCAllocator allocator = {arena_hook_alloc, arena_hook_free, words};
    const Cimc__Program *m = cimc__program__unpack(&allocator, n, header);
    struct loading l = {p, m, d, at};
    bool ok = m ? read_message(&l, n) && isa_validate(p, d) && check_features(&l)
                : diag_error(d, at, DIAG_PROGRAM, "the header does not parse");
    arena_free(words);
    return ok;
}

struct isa_program *isa_program_read(const char *path, struct diag *d)
{
    struct isa_program *p = isa_program_new();
    if (file_open(path, p->arena, d, &p->file) && load(p, d))
        return p;
    isa_program_free(p);
    return NULL;
}

/* Sections are read in place: they must lie as they do in a file that is mapped. */
enum { ALIGNMENT = 16 };

struct isa_program *isa_program_read_bytes(const void *bytes, size_t n, const char *name,
                                           struct diag *d)
{
    struct isa_program *p = isa_program_new();
    bool is_aligned = (uintptr_t)bytes % ALIGNMENT == 0;
    if (!is_aligned)
        bytes = memcpy(heap_alloc(n), bytes, n);
    p->file = (struct file){
        .data = bytes, .size = n, .path = arena_strdup(p->arena, name), .borrowed = is_aligned};
    if (load(p, d))
        return p;
    isa_program_free(p);
    return NULL;
}
