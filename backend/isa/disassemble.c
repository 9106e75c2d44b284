/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * disassemble.c - program -> text (ISA.md 12) that assembles to the same file, byte for byte.
 * What is derived (fingerprint of the machine, names of nodes) is printed as comment.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_LINE_BYTES = 32 };

/* A node's name as a comment: one line, whatever it holds. */
static void print_node_comment(const struct isa_program *p, uint32_t node, struct text *t)
{
    if (node >= p->n_nodes || !p->nodes[node].name || !*p->nodes[node].name)
        return;
    text_add(t, "  ; ");
    for (const char *s = p->nodes[node].name; *s; s++) {
        unsigned char c = (unsigned char)*s;
        text_add_bytes(t, c < 32 || c == 127 ? "?" : s, 1);
    }
}

static void print_records(const char *what, enum record_id id, const void *records, uint32_t n,
                          struct text *t, FILE *out)
{
    for (uint32_t i = 0; i < n; i++) {
        text_add(t, "%s %u ", what, i);
        record_print(id, (const char *)records + i * isa_records[id].bytes, t);
        text_add(t, "\n");
        text_flush(t, out);
    }
}

static void print_arch(const struct isa_program *p, struct text *t)
{
    struct text yaml = {0};
    arch_print(&p->arch, &yaml);
    text_add(t, "arch ; fingerprints 0x%016" PRIx64 ", 0x%016" PRIx64 "\n",
             arch_fingerprint(&p->arch, ARCH_structure), arch_fingerprint(&p->arch, ARCH_timing));
    for (char *line = yaml.at ? yaml.at : (char[]){""}; *line;) {
        char *end = strchrnul(line, '\n');
        char *next = end + (*end == '\n'), saved = *next;
        *next = '\0';
        text_add(t, "  ");
        text_add_quoted(t, line);
        text_add(t, "\n");
        *next = saved;
        line = next;
    }
    text_free(&yaml);
}

static void print_hex(const struct isa_bytes *b, struct text *t, FILE *out)
{
    text_add(t, "hex {\n");
    for (uint64_t i = 0; i < b->n; i++) {
        text_add(t, "%s%02x", i % HEX_LINE_BYTES == 0 ? "  " : i % 4 == 0 ? " " : "", b->at[i]);
        if (i % HEX_LINE_BYTES == HEX_LINE_BYTES - 1 || i == b->n - 1) {
            text_add(t, "\n");
            text_flush(t, out);
        }
    }
    text_add(t, "}\n");
}

static void print_section(const struct isa_program *p, const struct isa_dis_options *o,
                          uint32_t index, struct text *t, FILE *out)
{
    const struct isa_section *s = &p->sections[index];
    const void *data = isa_section_data(s);
    const struct file *f = o->inline_sections ? NULL : isa_program_file_of(p, data);
    text_add(t, "section %u ", index);
    text_add_quoted(t, s->name ? s->name : "");
    text_add(t, " ");
    if (!f || !file_is_mapped(f)) { /* a pipe cannot be read again */
        print_hex(&(struct isa_bytes){data, s->length}, t, out);
        return;
    }
    text_add(t, "file(");
    text_add_quoted(t, f == &p->file && o->path ? o->path : f->path);
    text_add(t, ", %td, %" PRIu64 ", 0x%016" PRIx64 ")\n", (const uint8_t *)data - f->data,
             s->length, hash_bytes(s->length ? data : "", s->length, 0));
}

static void print_program_fields(const struct isa_program *p, struct text *t)
{
    const struct record *r = &isa_records[REC_program];
    isa_program_settle(p);
    text_add(t, "isa %d\n", ISA_VERSION);
    for (unsigned i = 0; i < r->n_fields; i++) {
        if (record_field_is_zero(&r->fields[i], p))
            continue;
        text_add(t, "%s ", r->fields[i].name);
        record_print_value(&r->fields[i], p, t);
        text_add(t, "\n");
    }
    print_arch(p, t);
}

/* ---- tables of a tile ---- */

/* "[{...}, {...}]" */
static void print_list(enum record_id id, const void *records, uint32_t n, struct text *t)
{
    text_add(t, "[");
    for (uint32_t i = 0; i < n; i++) {
        text_add(t, "%s", i ? ", " : "");
        record_print(id, (const char *)records + i * isa_records[id].bytes, t);
    }
    text_add(t, "]\n");
}

static void print_immediate(const struct isa_lane *l, enum isa_type type, struct text *t)
{
    text_add(t, " #");
    if (type == ISA_TYPE_I32)
        text_add(t, "%d", (int32_t)l->imm);
    else if (type == ISA_TYPE_F32)
        isa_print_f32(t, isa_lane_f32(l));
    else
        isa_print_pattern(t, l->imm);
}

static void print_operand(const struct isa_lane *l, unsigned i, struct text *t)
{
    unsigned code = i == 0 ? l->x : l->y;
    if (code < ISA_MAX_LANE_OPS) {
        text_add(t, " t%u", code);
    } else if (code == LANE_IMM) {
        print_immediate(l, isa_lane_operand(l->op, i), t);
    } else if (code >= LANE_CONST0) {
        text_add(t, " c%u", code - LANE_CONST0);
    } else {
        text_add(t, code == LANE_A ? " a" : code == LANE_B ? " b" : " ?%u", code);
    }
}

static void print_program(const struct isa_program_entry *e, uint32_t index, struct text *t)
{
    text_add(t, "program %u ", index);
    record_print(REC_program_entry, e, t);
    text_add(t, " [");
    for (uint32_t k = 0; k < e->n_ops; k++) {
        const struct isa_lane *l = &e->ops[k];
        const char *name = isa_lane_name(l->op);
        text_add(t, "%s%s", k ? ", " : "", name ? name : "?");
        print_operand(l, 0, t);
        if (isa_lane_arity(l->op) == 2)
            print_operand(l, 1, t);
        if (isa_lane_takes_number(l->op))
            text_add(t, " #%u", l->imm);
    }
    text_add(t, "]\n");
}

static void print_group(const struct isa_tile *tile, uint32_t i, struct text *t, FILE *out)
{
    text_add(t, "group %u ", i);
    record_print(REC_group, &tile->groups[i], t);
    text_add(t, " ");
    print_list(REC_pe, tile->groups[i].pes, tile->groups[i].n_pes, t);
    text_flush(t, out);
}

static void print_view(const struct isa_program *p, const struct isa_tile *tile, uint32_t i,
                       struct text *t, FILE *out)
{
    text_add(t, "view %u ", i);
    record_print(REC_view, &tile->views[i], t);
    print_node_comment(p, tile->views[i].value, t);
    text_add(t, "\n");
    text_flush(t, out);
}

static void print_routes(const struct isa_tile *tile, struct text *t, FILE *out)
{
    for (uint32_t i = 0; i < tile->n_routes; i++) {
        text_add(t, "route %u ", i);
        print_list(REC_target, tile->routes[i].targets, tile->routes[i].n_targets, t);
        text_flush(t, out);
    }
}

/* ---- instructions ---- */

static void print_flags(const struct isa_inst *i, struct text *t)
{
    const char *what = i->op == ISA_vtake ? "along" : i->flags & VRED_SUM ? "sum" : "max";
    text_add(t, " %s(%s%s%s)", what, i->flags & VRED_H ? "h" : "", i->flags & VRED_W ? "w" : "",
             i->flags & VRED_C ? "c" : "");
}

static void print_field(const struct isa_inst *i, const struct isa_field *f, struct text *t)
{
    const void *at = (const char *)i + f->offset;
    const struct isa_region *r = at;
    switch (f->kind) {
    case FIELD_REGION:
        if (f->offset == offsetof(struct isa_inst, b) && isa_is_plain_b(i))
            return;
        text_add(t, " %s=v%u(%d,%d)", f->name, r->view, r->y, r->x);
        return;
    case FIELD_ROWS:
    case FIELD_COLUMNS: text_add(t, " %s=%u", f->name, *(const uint16_t *)at); return;
    case FIELD_COORD: text_add(t, " %s=%d", f->name, *(const int32_t *)at); return;
    case FIELD_CHANNEL: text_add(t, " %s=%u", f->name, *(const uint32_t *)at); return;
    }
}

static void print_waits(const struct isa_inst *i, struct text *t)
{
    for (unsigned k = 0; k < i->n_waits; k++) {
        const struct isa_wait *w = &i->wait[k];
        text_add(t, "%s%c%u>=%d", k ? ", " : " wait ", w->counter < ISA_FIRST_INBOUND ? 'q' : 'i',
                 w->counter, isa_threshold(w->threshold));
    }
}

static void print_inst(const struct isa_program *p, const struct isa_tile *tile, uint32_t index,
                       struct text *t)
{
    const struct isa_inst *i = &tile->insts[index];
    const struct isa_op_desc *op = isa_op_desc(i->op);
    text_add(t, "%6u: q%u.%s", index, i->queue, op->name);
    if (op->obj)
        text_add(t, " %c%u", op->obj, i->obj);
    if (i->op == ISA_vred || i->op == ISA_vtake)
        print_flags(i, t);
    if (i->op == ISA_vdot)
        text_add(t, i->flags & VDOT_KN ? " kn" : " nk");
    if (i->op == ISA_load || i->op == ISA_store)
        text_add(t, "%s%s", i->flags & DMA_FIRST ? " first" : "",
                 i->flags & DMA_LAST ? " last" : "");
    for (unsigned k = 0; k < op->n_fields; k++)
        print_field(i, &op->fields[k], t);
    if (i->stage)
        text_add(t, " stage=%u", i->stage);
    print_waits(i, t);
    if (tile->sources[index] != ISA_NO_SOURCE)
        text_add(t, " @%u", tile->sources[index]);
    print_node_comment(p, tile->sources[index], t);
    text_add(t, "\n");
}

/* Does the assembler make the tile's bytes of its instructions? */
static bool is_own_encoding(const struct isa_tile *tile)
{
    if (!tile->stream.at)
        return true;
    struct arena *a = arena_new();
    struct isa_tile t = *tile;
    bool same =
        isa_tile_encode(&t, a) && t.stream.n == tile->stream.n &&
        t.source_map.n == tile->source_map.n &&
        memcmp(t.stream.at, tile->stream.at, t.stream.n) == 0 &&
        (t.source_map.n == 0 || memcmp(t.source_map.at, tile->source_map.at, t.source_map.n) == 0);
    arena_free(a);
    return same;
}

static void print_bytes(const char *what, const struct isa_bytes *b, struct text *t, FILE *out)
{
    text_add(t, "%s ", what);
    print_hex(b, t, out);
}

static void print_tile_line(const struct isa_program *p, uint32_t index, struct text *t)
{
    const struct isa_tile *tile = &p->tiles[index];
    text_add(t, "\ntile %u ", index);
    record_print(REC_tile, tile, t);
    text_add(t, "  ; queues: VU q%u, TX q%u, DMA q%u\n", isa_queue_vu(tile), isa_queue_tx(tile),
             isa_queue_dma(tile));
}

static void print_tile(const struct isa_program *p, uint32_t index, struct text *t, FILE *out)
{
    const struct isa_tile *tile = &p->tiles[index];
    print_tile_line(p, index, t);
    for (uint32_t i = 0; i < tile->n_views; i++)
        print_view(p, tile, i, t, out);
    for (uint32_t i = 0; i < tile->n_groups; i++)
        print_group(tile, i, t, out);
    print_records("window", REC_window, tile->windows, tile->n_windows, t, out);
    for (uint32_t i = 0; i < tile->n_programs; i++)
        print_program(&tile->programs[i], i, t);
    print_routes(tile, t, out);
    print_records("gather", REC_gather, tile->gathers, tile->n_gathers, t, out);
    print_records("preload", REC_preload, tile->preloads, tile->n_preloads, t, out);
    print_records("table", REC_table, tile->tables, tile->n_tables, t, out);
    bool foreign = !is_own_encoding(tile);
    if (foreign) {
        print_bytes("stream", &tile->stream, t, out);
        print_bytes("sources", &tile->source_map, t, out);
    }
    for (uint32_t i = 0; i < tile->n_insts; i++) {
        text_add(t, foreign ? ";" : "");
        print_inst(p, tile, i, t);
        text_flush(t, out);
    }
}

/* ---- a part ---- */

/* Entries of a tile's tables that printed instructions name. */
struct named {
    bool *views, *groups;
};

static bool is_of(const struct isa_tile *tile, uint32_t index, uint32_t node)
{
    return tile->sources[index] == node;
}

static void name_entries(const struct isa_inst *i, struct named *out)
{
    const struct isa_op_desc *op = isa_op_desc(i->op);
    for (unsigned k = 0; k < op->n_fields; k++) {
        const struct isa_field *f = &op->fields[k];
        const struct isa_region *r = (const void *)((const char *)i + f->offset);
        bool is_named = f->kind == FIELD_REGION &&
                        !(f->offset == offsetof(struct isa_inst, b) && isa_is_plain_b(i));
        if (is_named)
            out->views[r->view] = true;
    }
    if (i->op == ISA_mvm)
        out->groups[i->obj] = true;
}

/* What the node does on the tile; nothing if it does nothing there. */
static void print_node_of_tile(const struct isa_program *p, uint32_t index, uint32_t node,
                               struct text *t, FILE *out)
{
    const struct isa_tile *tile = &p->tiles[index];
    struct arena *a = arena_new();
    struct named named = {ARENA_ARRAY(a, bool, tile->n_views),
                          ARENA_ARRAY(a, bool, tile->n_groups)};
    bool is_any = false;
    for (uint32_t i = 0; i < tile->n_insts; i++) {
        if (!is_of(tile, i, node))
            continue;
        name_entries(&tile->insts[i], &named);
        is_any = true;
    }
    if (is_any)
        print_tile_line(p, index, t);
    for (uint32_t i = 0; i < tile->n_views; i++)
        if (named.views[i])
            print_view(p, tile, i, t, out);
    for (uint32_t i = 0; i < tile->n_groups; i++)
        if (named.groups[i])
            print_group(tile, i, t, out);
    for (uint32_t i = 0; i < tile->n_insts; i++) {
        if (!is_of(tile, i, node))
            continue;
        print_inst(p, tile, i, t);
        text_flush(t, out);
    }
    arena_free(a);
}

static void print_part(const struct isa_program *p, const struct isa_dis_options *o, struct text *t,
                       FILE *out)
{
    text_add(t, "; a part of the program, which does not assemble\n");
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        if (o->tile && *o->tile != i)
            continue;
        if (o->node)
            print_node_of_tile(p, i, *o->node, t, out);
        else
            print_tile(p, i, t, out);
    }
    text_flush(t, out);
}

static void print_all(const struct isa_program *p, const struct isa_dis_options *o, struct text *t,
                      FILE *out)
{
    print_program_fields(p, t);
    print_records("node", REC_node, p->nodes, p->n_nodes, t, out);
    for (uint32_t i = 0; i < p->n_sections; i++)
        print_section(p, o, i, t, out);
    text_flush(t, out);
    print_records("image", REC_image, p->images, p->n_images, t, out);
    print_records("binding", REC_binding, p->bindings, p->n_bindings, t, out);
    for (uint32_t i = 0; i < p->n_tiles; i++)
        print_tile(p, i, t, out);
    text_flush(t, out);
}

void isa_disassemble(const struct isa_program *p, const struct isa_dis_options *o, FILE *out)
{
    static const struct isa_dis_options standard = {0};
    struct text t = {0};
    if (o && (o->tile || o->node))
        print_part(p, o, &t, out);
    else
        print_all(p, o ? o : &standard, &t, out);
    text_free(&t);
}
