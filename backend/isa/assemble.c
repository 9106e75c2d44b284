/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * assemble.c - text (ISA.md 12) -> program. Reports up to 20 errors, resuming at the next line;
 * then the same isa_validate as for files. Memory is bounded by the text and the files it names.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The tile being read; moves into the arena when it ends. */
struct open_tile {
    bool open;
    struct isa_tile tile;
    VEC(struct isa_view) views;
    VEC(struct isa_group) groups;
    VEC(struct isa_window) windows;
    VEC(struct isa_program_entry) programs;
    VEC(struct isa_route) routes;
    VEC(struct isa_gather) gathers;
    VEC(struct isa_preload) preloads;
    VEC(struct isa_table) tables;
    VEC(struct isa_inst) insts;
    VEC(uint32_t) sources;
    struct token encoded; /* what gives bytes instead of instructions, if something does */
    struct isa_bytes stream, source_map;
};
struct assembler {
    struct lexer l;
    struct isa_program *p;
    bool has_isa, has_arch;
    uint32_t n_insts;
    uint32_t seen; /* program fields */
    struct open_tile t;
    VEC(struct isa_tile) tiles;
    VEC(struct isa_node) nodes;
    VEC(struct isa_section) sections;
    VEC(struct isa_image) images;
    VEC(struct isa_binding) bindings;
};

/* Copies n elements into the program's arena. */
static void *settled(struct assembler *a, const void *at, size_t n, size_t bytes)
{
    void *copy = arena_alloc_array(a->p->arena, n, bytes);
    if (n)
        memcpy(copy, at, n * bytes);
    return copy;
}

#define SETTLE(a, vec) settled((a), (vec).at, (vec).n, sizeof *(vec).at)

/* The number of an entry: entries are numbered in order, so that references can be read off. After
 * an error that is not looked at: a faulty entry is missing in its table. */
static bool take_index(struct assembler *a, size_t expected)
{
    uint64_t index;
    struct token first = a->l.token;
    if (!lex_take_u64(&a->l, UINT32_MAX, &index))
        return false;
    return index == expected || a->l.n_errors > 0 ||
           lex_error_at(&a->l, &first, "entries are numbered in order: this is number %zu",
                        expected);
}

/* Index and record of an entry of a plain table. */
static bool take_entry(struct assembler *a, size_t expected, enum record_id id, void *rec)
{
    return take_index(a, expected) && lex_take_record(&a->l, id, rec);
}

/* What was given as bytes; a tile has no instructions beside them. */
static void decode_tile(struct assembler *a, struct isa_tile *t)
{
    struct open_tile *o = &a->t;
    const char *fault = "the tile has no sources";
    if (o->insts.n)
        lex_error_at(&a->l, &o->encoded, "the tile has instructions, too");
    else if (!o->stream.at)
        lex_error_at(&a->l, &o->encoded, "the tile has no stream");
    else if (!o->source_map.at || !isa_tile_decode(t, &o->stream, &o->source_map,
                                                   ISA_MAX_INSTS - a->n_insts, a->p->arena, &fault))
        lex_error_at(&a->l, &o->encoded, "stream: %s", fault);
}

static void tile_end(struct assembler *a)
{
    struct open_tile *o = &a->t;
    if (!o->open)
        return;
    struct isa_tile *t = &o->tile;
    t->views = SETTLE(a, o->views);
    t->groups = SETTLE(a, o->groups);
    t->windows = SETTLE(a, o->windows);
    t->programs = SETTLE(a, o->programs);
    t->routes = SETTLE(a, o->routes);
    t->gathers = SETTLE(a, o->gathers);
    t->preloads = SETTLE(a, o->preloads);
    t->tables = SETTLE(a, o->tables);
    t->insts = SETTLE(a, o->insts);
    t->sources = SETTLE(a, o->sources);
    t->n_views = (uint32_t)o->views.n;
    t->n_groups = (uint32_t)o->groups.n;
    t->n_windows = (uint32_t)o->windows.n;
    t->n_programs = (uint32_t)o->programs.n;
    t->n_routes = (uint32_t)o->routes.n;
    t->n_gathers = (uint32_t)o->gathers.n;
    t->n_preloads = (uint32_t)o->preloads.n;
    t->n_tables = (uint32_t)o->tables.n;
    t->n_insts = (uint32_t)o->sources.n;
    if (o->stream.at || o->source_map.at)
        decode_tile(a, t);
    a->n_insts += t->n_insts;
    VEC_PUSH(&a->tiles, *t);
    o->views.n = o->groups.n = o->windows.n = o->programs.n = o->routes.n = 0;
    o->gathers.n = o->preloads.n = o->tables.n = o->insts.n = o->sources.n = 0;
    o->open = false;
}

static void assembler_release(struct assembler *a)
{
    struct open_tile *o = &a->t;
    VEC_FREE(&o->views);
    VEC_FREE(&o->groups);
    VEC_FREE(&o->windows);
    VEC_FREE(&o->programs);
    VEC_FREE(&o->routes);
    VEC_FREE(&o->gathers);
    VEC_FREE(&o->preloads);
    VEC_FREE(&o->tables);
    VEC_FREE(&o->insts);
    VEC_FREE(&o->sources);
    VEC_FREE(&a->tiles);
    VEC_FREE(&a->nodes);
    VEC_FREE(&a->sections);
    VEC_FREE(&a->images);
    VEC_FREE(&a->bindings);
}

/* ---- entries of the program ---- */

static bool take_isa(struct assembler *a)
{
    uint64_t version;
    struct token first = a->l.token;
    if (!lex_take_u64(&a->l, UINT32_MAX, &version))
        return false;
    if (a->has_isa)
        return lex_error_at(&a->l, &first, "'isa' is given twice");
    a->has_isa = true;
    return version == ISA_VERSION ||
           lex_error_at(&a->l, &first, "isa %" PRIu64 ", this assembler knows %d", version,
                        ISA_VERSION);
}

static bool take_arch(struct assembler *a)
{
    const char *yaml;
    struct token first = a->l.token;
    if (!lex_take_string(&a->l, &yaml))
        return false;
    if (a->has_arch)
        return lex_error_at(&a->l, &first, "'arch' is given twice");
    a->has_arch = true;
    if (arch_parse(yaml, strlen(yaml), "arch", a->p->arena, a->l.d, &a->p->arch))
        return true;
    return lex_error_at(&a->l, &first, "the machine does not parse");
}

static bool take_node(struct assembler *a)
{
    struct isa_node n = {"", "", ""};
    if (!take_entry(a, a->nodes.n, REC_node, &n))
        return false;
    VEC_PUSH(&a->nodes, n);
    return true;
}

static bool take_image(struct assembler *a)
{
    struct isa_image i = {0};
    if (!take_entry(a, a->images.n, REC_image, &i))
        return false;
    VEC_PUSH(&a->images, i);
    return true;
}

static bool take_binding(struct assembler *a)
{
    struct isa_binding b = {.name = ""};
    if (!take_entry(a, a->bindings.n, REC_binding, &b))
        return false;
    VEC_PUSH(&a->bindings, b);
    return true;
}

/* file("path", offset, length, hash): mapped, length and hash held against the file. */
static bool take_file(struct assembler *a, struct isa_section *s)
{
    const char *path;
    uint64_t offset, hash;
    struct lexer *l = &a->l;
    struct token first = l->token;
    if (!lex_take_mark(l, '(') || !lex_take_string(l, &path) || !lex_take_mark(l, ',') ||
        !lex_take_u64(l, UINT64_MAX, &offset) || !lex_take_mark(l, ',') ||
        !lex_take_u64(l, UINT64_MAX, &s->length) || !lex_take_mark(l, ',') ||
        !lex_take_u64(l, UINT64_MAX, &hash) || !lex_take_mark(l, ')'))
        return false;
    const struct file *f = isa_program_map(
        a->p, path, (struct loc){.file = l->file, .line = first.line, .col = first.col}, l->d);
    if (!f) {
        l->n_errors++;
        return false;
    }
    if (s->length > f->size || offset > f->size - s->length)
        return lex_error_at(l, &first, "'%s' has %zu bytes, not %" PRIu64 " from %" PRIu64 " on",
                            path, f->size, s->length, offset);
    s->data = f->data ? f->data + offset : (const uint8_t *)"";
    uint64_t found = hash_bytes(s->data, s->length, 0);
    if (found != hash)
        return lex_error_at(l, &first, "the bytes in '%s' have hash 0x%016" PRIx64, path, found);
    return offset % ISA_WORD_BYTES == 0 ||
           lex_error_at(l, &first, "offset %" PRIu64 " is no multiple of %d", offset,
                        ISA_WORD_BYTES);
}

static bool take_section(struct assembler *a)
{
    struct isa_section s = {0};
    const uint8_t *bytes;
    if (!take_index(a, a->sections.n) || !lex_take_string(&a->l, &s.name))
        return false;
    if (lex_is_name(&a->l, "file")) {
        lex_next(&a->l);
        if (!take_file(a, &s))
            return false;
    } else if (lex_is_name(&a->l, "hex")) {
        lex_next(&a->l);
        if (!lex_take_hex(&a->l, &bytes, &s.length))
            return false;
        s.data = bytes;
    } else {
        return asm_lex_error(&a->l, "expected file(...) or hex {...}");
    }
    VEC_PUSH(&a->sections, s);
    return true;
}

/* ---- entries of a tile ---- */

static bool take_tile(struct assembler *a)
{
    tile_end(a);
    a->t.tile = (struct isa_tile){0};
    a->t.stream = a->t.source_map = (struct isa_bytes){0};
    a->t.open = true;
    return take_entry(a, a->tiles.n, REC_tile, &a->t.tile);
}

static bool take_view(struct assembler *a)
{
    struct isa_view v = {0};
    if (!take_entry(a, a->t.views.n, REC_view, &v))
        return false;
    VEC_PUSH(&a->t.views, v);
    return true;
}

static bool take_window(struct assembler *a)
{
    struct isa_window w = {0};
    if (!take_entry(a, a->t.windows.n, REC_window, &w))
        return false;
    VEC_PUSH(&a->t.windows, w);
    return true;
}

static bool take_gather(struct assembler *a)
{
    struct isa_gather g = {0};
    if (!take_entry(a, a->t.gathers.n, REC_gather, &g))
        return false;
    VEC_PUSH(&a->t.gathers, g);
    return true;
}

static bool take_preload(struct assembler *a)
{
    struct isa_preload l = {0};
    if (!take_entry(a, a->t.preloads.n, REC_preload, &l))
        return false;
    VEC_PUSH(&a->t.preloads, l);
    return true;
}

static bool take_table(struct assembler *a)
{
    struct isa_table t = {0};
    if (!take_entry(a, a->t.tables.n, REC_table, &t))
        return false;
    VEC_PUSH(&a->t.tables, t);
    return true;
}

/* "[{...}, ...]" of PEs or targets, into the arena. */
static bool take_records(struct assembler *a, enum record_id id, void *out_records, uint32_t *out_n)
{
    VEC(uint8_t) bytes = {0};
    size_t item = isa_records[id].bytes;
    struct lexer *l = &a->l;
    bool ok = lex_take_mark(l, '[');
    while (ok && !lex_is_mark(l, ']')) {
        ok = bytes.n == 0 || lex_take_mark(l, ',');
        VEC_RESERVE(&bytes, bytes.n + item);
        memset(bytes.at + bytes.n, 0, item);
        ok = ok && lex_take_record(l, id, bytes.at + bytes.n);
        bytes.n += item;
    }
    ok = ok && lex_take_mark(l, ']');
    if (ok) {
        *(void **)out_records = settled(a, bytes.at, bytes.n, 1);
        *out_n = (uint32_t)(bytes.n / item);
    }
    VEC_FREE(&bytes);
    return ok;
}

static bool take_group(struct assembler *a)
{
    struct isa_group g = {0};
    if (!take_entry(a, a->t.groups.n, REC_group, &g) || !take_records(a, REC_pe, &g.pes, &g.n_pes))
        return false;
    VEC_PUSH(&a->t.groups, g);
    return true;
}

static bool take_route(struct assembler *a)
{
    struct isa_route r = {0};
    if (!take_index(a, a->t.routes.n) || !take_records(a, REC_target, &r.targets, &r.n_targets))
        return false;
    VEC_PUSH(&a->t.routes, r);
    return true;
}

static bool take_program(struct assembler *a)
{
    struct isa_program_entry e = {0};
    struct lexer *l = &a->l;
    if (!take_entry(a, a->t.programs.n, REC_program_entry, &e) || !lex_take_mark(l, '['))
        return false;
    while (!lex_is_mark(l, ']')) {
        if (e.n_ops && !lex_take_mark(l, ','))
            return false;
        if (e.n_ops == ISA_MAX_LANE_OPS)
            return asm_lex_error(l, "a vector program has at most %d operations", ISA_MAX_LANE_OPS);
        if (!asm_take_lane(l, &e.ops[e.n_ops++]))
            return false;
    }
    lex_next(l);
    VEC_PUSH(&a->t.programs, e);
    return true;
}

static bool take_inst(struct assembler *a)
{
    struct asm_inst i;
    struct open_tile *o = &a->t;
    if (!o->open)
        return asm_lex_error(&a->l, "an instruction outside a tile");
    if (!asm_take_inst(&a->l, &i))
        return false;
    if (o->insts.n == ISA_MAX_INSTS - a->n_insts)
        return asm_lex_error(&a->l, "a program has at most %d instructions", ISA_MAX_INSTS);
    VEC_PUSH(&o->insts, i.inst);
    VEC_PUSH(&o->sources, i.source);
    return true;
}

/* "hex {...}" of a section of the tile's. */
static bool take_bytes(struct assembler *a, struct isa_bytes *out)
{
    if (out->at)
        return asm_lex_error(&a->l, "given twice");
    if (!lex_is_name(&a->l, "hex"))
        return asm_lex_error(&a->l, "expected hex {...}");
    a->t.encoded = a->l.token;
    lex_next(&a->l);
    return lex_take_hex(&a->l, &out->at, &out->n);
}

static bool take_stream(struct assembler *a)
{
    return take_bytes(a, &a->t.stream);
}

static bool take_sources(struct assembler *a)
{
    return take_bytes(a, &a->t.source_map);
}

/* ---- statements ---- */

/* "model "x"", "pes 8": a field of the program itself. */
static bool take_program_field(struct assembler *a, bool *found)
{
    const struct record *r = &isa_records[REC_program];
    unsigned k = 0;
    while (k < r->n_fields && !lex_is_name(&a->l, r->fields[k].name))
        k++;
    *found = k < r->n_fields || lex_is_later(&a->l, r);
    if (k == r->n_fields)
        return false;
    if (a->seen >> k & 1)
        return asm_lex_error(&a->l, "'%s' is given twice", r->fields[k].name);
    a->seen |= 1u << k;
    lex_next(&a->l);
    return lex_take_value(&a->l, &r->fields[k], a->p);
}

static const struct statement {
    const char *name;
    bool in_tile;
    bool (*take)(struct assembler *a);
} statements[] = {
    {"isa", false, take_isa},        {"arch", false, take_arch},
    {"node", false, take_node},      {"section", false, take_section},
    {"image", false, take_image},    {"binding", false, take_binding},
    {"tile", false, take_tile},      {"view", true, take_view},
    {"group", true, take_group},     {"window", true, take_window},
    {"program", true, take_program}, {"route", true, take_route},
    {"gather", true, take_gather},   {"preload", true, take_preload},
    {"table", true, take_table},     {"stream", true, take_stream},
    {"sources", true, take_sources},
};

static bool take_statement(struct assembler *a)
{
    struct lexer *l = &a->l;
    bool found;
    if (l->token.kind == TOKEN_NUMBER || lex_is_numbered(l, 'q'))
        return take_inst(a);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (!lex_is_name(l, statements[i].name))
            continue;
        if (statements[i].in_tile && !a->t.open)
            return asm_lex_error(l, "'%s' outside a tile", statements[i].name);
        lex_next(l);
        return statements[i].take(a);
    }
    bool ok = take_program_field(a, &found);
    return found ? ok : asm_lex_error(l, "expected a statement");
}

static bool read_statements(struct assembler *a)
{
    struct lexer *l = &a->l;
    while (l->token.kind != TOKEN_END && l->n_errors < ISA_MAX_SYNTAX_ERRORS) {
        const char *start = l->token.at;
        if (take_statement(a))
            continue;
        /* Resume at the line after the error. */
        uint32_t line = l->token.line;
        while (l->token.kind != TOKEN_END && (l->token.line == line || l->token.at == start))
            lex_next(l);
    }
    tile_end(a);
    if (l->n_errors == 0 && !a->has_isa)
        asm_lex_error(l, "'isa %d' is missing", ISA_VERSION);
    if (l->n_errors == 0 && !a->has_arch)
        asm_lex_error(l, "'arch' is missing");
    return l->n_errors == 0;
}

static void finish(struct assembler *a)
{
    struct isa_program *p = a->p;
    p->tiles = SETTLE(a, a->tiles);
    p->nodes = SETTLE(a, a->nodes);
    p->sections = SETTLE(a, a->sections);
    p->images = SETTLE(a, a->images);
    p->bindings = SETTLE(a, a->bindings);
    p->n_tiles = (uint32_t)a->tiles.n;
    p->n_nodes = (uint32_t)a->nodes.n;
    p->n_sections = (uint32_t)a->sections.n;
    p->n_images = (uint32_t)a->images.n;
    p->n_bindings = (uint32_t)a->bindings.n;
}

struct isa_program *isa_assemble(const char *text, size_t n, const char *file, struct diag *d)
{
    struct assembler a = {.p = isa_program_new()};
    lex_start(&a.l, text, n, file, a.p->arena, d);
    bool ok = read_statements(&a);
    finish(&a);
    assembler_release(&a);
    if (ok && isa_validate(a.p, d) && isa_program_encode(a.p, d))
        return a.p;
    isa_program_free(a.p);
    return NULL;
}
