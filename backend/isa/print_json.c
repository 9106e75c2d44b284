/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * print_json.c - a program's tables as JSON, for tools that do not read protocol buffers.
 *
 * In: a program. Out: all that program.proto holds but the sections' bytes; what is there follows
 * tables.def. One table entry a line, so that a person can read it too.
 */
#include "isa_internal.h"

#include <inttypes.h>

/* `,` after all but the last entry. */
static void end_entry(uint32_t index, uint32_t n, struct text *t, FILE *out)
{
    text_add(t, index + 1 < n ? ",\n" : "\n");
    text_flush(t, out);
}

/* "key": [entries], each a record. */
static void print_table(const char *indent, const char *key, enum record_id id, const void *records,
                        uint32_t n, struct text *t, FILE *out)
{
    text_add(t, "%s\"%s\": [\n", indent, key);
    for (uint32_t i = 0; i < n; i++) {
        text_add(t, "%s  ", indent);
        record_print_json(id, (const char *)records + i * isa_records[id].bytes, false, t);
        end_entry(i, n, t, out);
    }
    text_add(t, "%s],\n", indent);
}

/* "key": [records] inside an entry, which it ends. */
static void print_inner(const char *key, enum record_id id, const void *records, uint32_t n,
                        struct text *t)
{
    text_add(t, "\"%s\": [", key);
    for (uint32_t i = 0; i < n; i++) {
        text_add(t, "%s", i ? ", " : "");
        record_print_json(id, (const char *)records + i * isa_records[id].bytes, false, t);
    }
    text_add(t, "]}");
}

static void print_groups(const struct isa_tile *tile, struct text *t, FILE *out)
{
    text_add(t, "    \"groups\": [\n");
    for (uint32_t i = 0; i < tile->n_groups; i++) {
        text_add(t, "      ");
        record_print_json(REC_group, &tile->groups[i], true, t);
        print_inner("pes", REC_pe, tile->groups[i].pes, tile->groups[i].n_pes, t);
        end_entry(i, tile->n_groups, t, out);
    }
    text_add(t, "    ],\n    \"programs\": [\n");
    for (uint32_t i = 0; i < tile->n_programs; i++) {
        text_add(t, "      ");
        record_print_json(REC_program_entry, &tile->programs[i], true, t);
        print_inner("ops", REC_lane, tile->programs[i].ops, tile->programs[i].n_ops, t);
        end_entry(i, tile->n_programs, t, out);
    }
    text_add(t, "    ],\n    \"routes\": [\n");
    for (uint32_t i = 0; i < tile->n_routes; i++) {
        text_add(t, "      {");
        print_inner("targets", REC_target, tile->routes[i].targets, tile->routes[i].n_targets, t);
        end_entry(i, tile->n_routes, t, out);
    }
    text_add(t, "    ],\n");
}

static void print_tile(const struct isa_program *p, uint32_t index, struct text *t, FILE *out)
{
    const struct isa_tile *tile = &p->tiles[index];
    const char *indent = "    ";
    text_add(t, "  ");
    record_print_json(REC_tile, tile, true, t);
    text_add(t,
             "\"n_instructions\": %u, \"queue_vu\": %u, \"queue_tx\": %u, \"queue_dma\": "
             "%u,\n",
             tile->n_insts, isa_queue_vu(tile), isa_queue_tx(tile), isa_queue_dma(tile));
    print_table(indent, "views", REC_view, tile->views, tile->n_views, t, out);
    print_groups(tile, t, out);
    print_table(indent, "windows", REC_window, tile->windows, tile->n_windows, t, out);
    print_table(indent, "gathers", REC_gather, tile->gathers, tile->n_gathers, t, out);
    print_table(indent, "preloads", REC_preload, tile->preloads, tile->n_preloads, t, out);
    text_add(t, "    \"tables\": [\n");
    for (uint32_t i = 0; i < tile->n_tables; i++) {
        text_add(t, "      ");
        record_print_json(REC_table, &tile->tables[i], false, t);
        end_entry(i, tile->n_tables, t, out);
    }
    text_add(t, "    ]}");
    end_entry(index, p->n_tiles, t, out);
}

/* Their names. */
static void print_features(uint32_t features, struct text *t)
{
    const char *separator = "";
    text_add(t, "\"features\": [");
    for (unsigned bit = 0; bit < ISA_N_FEATURES; bit++) {
        if (!(features >> bit & 1))
            continue;
        text_add(t, "%s\"%s\"", separator, isa_feature_name(bit));
        separator = ", ";
    }
    text_add(t, "],\n");
}

void isa_print_json(const struct isa_program *p, FILE *out)
{
    struct text t = {0}, arch = {0};
    text_add(&t, "{\"isa_version\": %d,\n\"program\": ", ISA_VERSION);
    isa_program_settle(p);
    record_print_json(REC_program, p, false, &t);
    arch_print(&p->arch, &arch);
    text_add(&t, ",\n\"arch\": ");
    text_add_json(&t, arch.at ? arch.at : "");
    text_add(&t,
             ",\n\"structure_fingerprint\": \"%016" PRIx64
             "\",\n\"timing_fingerprint\": \"%016" PRIx64 "\",\n",
             arch_fingerprint(&p->arch, ARCH_structure), arch_fingerprint(&p->arch, ARCH_timing));
    print_features(isa_features(p, NULL), &t);
    print_table("", "nodes", REC_node, p->nodes, p->n_nodes, &t, out);
    print_table("", "images", REC_image, p->images, p->n_images, &t, out);
    print_table("", "bindings", REC_binding, p->bindings, p->n_bindings, &t, out);
    text_add(&t, "\"tiles\": [\n");
    for (uint32_t i = 0; i < p->n_tiles; i++)
        print_tile(p, i, &t, out);
    text_add(&t, "]}\n");
    text_flush(&t, out);
    text_free(&t);
    text_free(&arch);
}
