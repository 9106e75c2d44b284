/*
 * container_write.c - struct isa_program -> program file (ISA.md 11).
 * Invariant: the bytes depend on the program alone. Sections are streamed from where they are.
 */
#include "isa_internal.h"

#include <stdlib.h>
#include <string.h>

struct raw {
    const void *data;
    uint64_t length;
};

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
    m->has_arch_fingerprint = 1;
    m->arch_fingerprint = arch_fingerprint(&p->arch);
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

/* The bytes of all sections, in file order; names, lengths and hashes into the message. */
static struct raw *add_sections(struct arena *a, const struct isa_program *p, Cimc__Program *m)
{
    size_t n = p->n_sections + 2 * (size_t)p->n_tiles;
    struct raw *raw = ARENA_ARRAY(a, struct raw, n);
    m->n_sections = n;
    m->sections = ARENA_ARRAY(a, Cimc__Section *, n);
    for (size_t i = 0; i < n; i++) {
        Cimc__Section *s = m->sections[i] = ARENA_NEW(a, Cimc__Section);
        cimc__section__init(s);
        if (i < p->n_sections) {
            const struct isa_section *from = &p->sections[i];
            raw[i] = (struct raw){from->data, from->length};
            s->name = from->name && *from->name ? arena_strdup(a, from->name) : NULL;
        } else {
            const struct isa_tile *t = &p->tiles[(i - p->n_sections) / 2];
            bool stream = (i - p->n_sections) % 2 == 0;
            raw[i].data = stream ? (const void *)t->stream : t->sources;
            raw[i].length = (uint64_t)t->n_insts * (stream ? ISA_INST_BYTES : sizeof(uint32_t));
            s->name = stream ? "stream" : "sources";
        }
        s->has_offset = s->has_length = s->has_hash = 1;
        s->length = raw[i].length;
        s->hash = hash_bytes(raw[i].length ? raw[i].data : "", raw[i].length, 0);
    }
    return raw;
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

static void write_zeros(FILE *f, uint64_t n)
{
    static const char zeros[ISA_SECTION_ALIGNMENT] = {0};
    fwrite(zeros, 1, (size_t)n, f);
}

/* Returns the file's length. Write errors stay in the stream for out_commit. */
static uint64_t write_all(FILE *f, const Cimc__Program *m, size_t header_bytes,
                          const struct raw *raw)
{
    uint8_t *header = heap_alloc(header_bytes);
    cimc__program__pack(m, header);
    uint32_t version = ISA_CONTAINER_VERSION;
    uint64_t length = header_bytes, hash = hash_bytes(header, header_bytes, 0);
    fwrite("CIMC", 1, 4, f);
    fwrite(&version, sizeof version, 1, f);
    fwrite(&length, sizeof length, 1, f);
    fwrite(&hash, sizeof hash, 1, f);
    fwrite(header, 1, header_bytes, f);
    free(header);
    uint64_t at = ISA_PREFIX_BYTES + header_bytes;
    for (size_t i = 0; i < m->n_sections; i++) {
        write_zeros(f, m->sections[i]->offset - at);
        if (raw[i].length)
            fwrite(raw[i].data, 1, raw[i].length, f);
        at = m->sections[i]->offset + raw[i].length;
    }
    return at;
}

bool isa_program_write(const struct isa_program *p, const char *path, uint64_t *out_bytes,
                       struct diag *d)
{
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    struct arena *a = arena_new();
    struct text arch = {0};
    arch_print(&p->arch, &arch);
    Cimc__Program *m = program_message(a, p, arch.at ? arch.at : "");
    const struct raw *raw = add_sections(a, p, m);
    size_t header_bytes = place_sections(m);
    bool ok = true;
    uint64_t bytes = 0;
    if (header_bytes > ISA_MAX_HEADER_BYTES) {
        ok = diag_error(d, (struct loc){.file = path}, DIAG_PROGRAM,
                        "the program's tables take %zu bytes, more than a header can hold",
                        header_bytes);
        out_discard(&o);
    } else {
        bytes = write_all(o.f, m, header_bytes, raw);
        ok = out_commit(&o, d);
    }
    if (ok && out_bytes)
        *out_bytes = bytes;
    text_free(&arch);
    arena_free(a);
    return ok;
}
