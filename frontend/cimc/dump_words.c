/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_words.c - words of memories as text for $readmemh and as bytes: streams, crossbars, buffers.
 *
 * In: a program's sections and tables. Out: files of DUMP.md, written as they are made.
 */
#include "dump.h"

#include "crossbar_cells.h"

#include <inttypes.h>
#include <string.h>

enum { LINE_BYTES = 16 * 1024, MOST_WORD_BYTES = 128 };

void dump_hex_words(const void *data, size_t n, size_t bytes, FILE *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = data;
    struct text t = {0};
    if (bytes > MOST_WORD_BYTES)
        BUG("a word of %zu bytes", bytes);
    for (size_t i = 0; i < n; i++, at += bytes) {
        char line[2 * MOST_WORD_BYTES + 1], *p = line;
        for (size_t k = bytes; k-- > 0;) {
            *p++ = digits[at[k] >> 4];
            *p++ = digits[at[k] & 15];
        }
        *p++ = '\n';
        text_add_bytes(&t, line, (size_t)(p - line));
        if (t.n > LINE_BYTES)
            text_flush(&t, out);
    }
    text_flush(&t, out);
    text_free(&t);
}

bool dump_words(const struct dump *dump, const char *name, const char *head, const void *data,
                size_t n, size_t bytes, struct diag *d)
{
    const struct folder *f = &dump->folder;
    for (int is_bin = 0; is_bin < 2; is_bin++) {
        if (is_bin ? !dump->bin : !dump->hex)
            continue;
        struct text path = {0};
        text_add(&path, "%s.%s", name, is_bin ? "bin" : "hex");
        FILE *out = folder_file(f, path.at, "w", d);
        if (out && is_bin && n) {
            fwrite(data, bytes, n, out);
        } else if (out && !is_bin) {
            fprintf(out, "// %s\n", head);
            dump_hex_words(data, n, bytes, out);
        }
        bool ok = out && folder_close(f, out, path.at, d);
        text_free(&path);
        if (!ok)
            return false;
    }
    return true;
}

/* The PE's rows of one column of the image, whose rows are `pitch` bytes apart. */
static void fill_column(const struct isa_mapping *m, const struct isa_pe *pe, uint32_t column,
                        const char *image, size_t pitch, size_t bytes, char *cells)
{
    uint32_t at;
    if (!isa_mapping_crossbar_row(m, pe, pe->k0, pe->n0 + column, &at))
        BUG("PE %u does not hold its first row", pe->pe);
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        for (uint32_t row = run.row; row < run.row + run.rows; row++, at++)
            memcpy(cells + ((size_t)at * pe->n + column) * bytes,
                   image + row * pitch + (pe->n0 + column) * bytes, bytes);
    }
}

/* What the sum of a column's inputs is multiplied with. */
static bool dump_center(const struct dump *dump, uint32_t tile, const struct isa_group *g,
                        const struct isa_pe *pe, struct diag *d)
{
    const int32_t *center = isa_image_center(dump->program, g->image);
    const char *name = arena_printf(dump->folder.arena, "tile_%04u/center_%03u", tile, pe->pe);
    return !center ||
           dump_words(dump, name, "logical columns of the PE", center + pe->n0, pe->n, 4, d);
}

/* A crossbar as it is written: row after row, conv groups along the diagonal (ISA.md 5). */
static bool dump_pe(const struct dump *dump, uint32_t tile, const struct isa_group *g,
                    const struct isa_pe *pe, struct diag *d)
{
    const struct isa_image *image = &dump->program->images[g->image];
    const char *data = isa_image_data(dump->program, g->image);
    size_t bytes = element_bytes(image->element);
    struct isa_mapping m = isa_mapping_of(dump->program, g);
    uint32_t n_rows = isa_mapping_rows(&m, pe);
    char *cells = heap_alloc((size_t)n_rows * pe->n * bytes);
    struct text name = {0}, head = {0};
    for (uint32_t c = 0; c < pe->n; c++)
        fill_column(&m, pe, c, data, image->n * bytes, bytes, cells);
    text_add(&name, "tile_%04u/pe_%03u", tile, pe->pe);
    text_add(&head, "%u crossbar rows of %u words: rows %u.., columns %u.. of image %u", n_rows,
             pe->n, pe->k0, pe->n0, g->image);
    bool ok = dump_words(dump, name.at, head.at, cells, (size_t)n_rows * pe->n, bytes, d);
    text_free(&name);
    text_free(&head);
    heap_free(cells);
    return ok && dump_center(dump, tile, g, pe, d);
}

/* What is in the buffer before the first instruction; in the text at word addresses. */
static bool dump_preloads(const struct dump *dump, uint32_t tile, struct diag *d)
{
    const struct isa_tile *t = &dump->program->tiles[tile];
    struct text name = {0};
    bool ok = true;
    text_add(&name, "tile_%04u/buffer.hex", tile);
    FILE *out = dump->hex ? folder_file(&dump->folder, name.at, "w", d) : NULL;
    if (dump->hex && !out)
        ok = false;
    if (out)
        fprintf(out,
                "// the buffer before the first instruction: 32-bit words at word addresses\n");
    for (uint32_t i = 0; ok && i < t->n_preloads; i++) {
        const struct isa_preload *l = &t->preloads[i];
        const uint8_t *section = isa_section_data(&dump->program->sections[l->section]);
        const uint8_t *data = section + l->offset;
        if (out) {
            fprintf(out, "@%" PRIx64 "\n", l->address / 4);
            dump_hex_words(data, l->length / 4, 4, out);
        }
        struct dump bytes = *dump;
        struct text part = {0};
        bytes.hex = false;
        text_add(&part, "tile_%04u/preload_%03u", tile, i);
        ok = dump_words(&bytes, part.at, "", data, l->length / 4, 4, d);
        text_free(&part);
    }
    if (out)
        ok &= folder_close(&dump->folder, out, name.at, d);
    text_free(&name);
    return ok;
}

/* Each part that has records is a memory of its own. */
static bool dump_stream(const struct dump *dump, const char *folder, const struct isa_tile *t,
                        struct diag *d)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < ISA_STREAM_PARTS; i++) {
        struct isa_bytes part;
        unsigned record;
        const char *what = isa_stream_part(&t->stream, i, &part, &record);
        const char *name = arena_printf(dump->folder.arena, "%s/%s", folder, what);
        const char *head =
            arena_printf(dump->folder.arena, "%s: words of %u bits", what, 8 * record);
        ok = part.n == 0 || dump_words(dump, name, head, part.at, part.n / record, record, d);
    }
    return ok;
}

bool dump_memory(const struct dump *dump, const char *folder, const struct isa_memory *m,
                 struct diag *d)
{
    struct arena *a = dump->folder.arena;
    const char *name = arena_printf(a, "%stable_%s", folder, m->name);
    const char *head = arena_printf(a, "%s: words of %u bits", m->name, 8 * m->word_bytes);
    return m->n == 0 || dump_words(dump, name, head, m->words, m->n, m->word_bytes, d);
}

/* The tables, but what the host alone needs (preloads). */
static bool dump_tables(const struct dump *dump, uint32_t tile, const char *folder, struct diag *d)
{
    struct arena *a = arena_new();
    const char *prefix = arena_printf(a, "%s/", folder);
    bool ok = true;
    for (unsigned i = 0; ok && i < ISA_MEMORIES; i++) {
        struct isa_memory m = isa_tile_memory(dump->program, tile, i, a);
        ok = dump_memory(dump, prefix, &m, d);
    }
    arena_free(a);
    return ok;
}

/* Its weights and, if they are asked for, the levels of its cells. */
static bool dump_crossbar(const struct dump *dump, uint32_t tile, const struct isa_group *g,
                          const struct isa_pe *pe, struct diag *d)
{
    const char *which = dump->settings->cells;
    return dump_pe(dump, tile, g, pe, d) &&
           (!which || !dump_is_asked(which, tile, pe->pe) ||
            !crossbar_has_levels(dump->program, g) || dump_cells(dump, tile, g, pe, d));
}

bool dump_tile(const struct dump *dump, uint32_t tile, struct diag *d)
{
    const struct isa_tile *t = &dump->program->tiles[tile];
    const char *folder = arena_printf(dump->folder.arena, "tile_%04u", tile);
    bool ok = folder_make(&dump->folder, folder, d) && dump_stream(dump, folder, t, d) &&
              dump_tables(dump, tile, folder, d) && dump_tile_numbers(dump, tile, d) &&
              dump_preloads(dump, tile, d);
    for (uint32_t g = 0; ok && g < t->n_groups; g++) {
        for (uint32_t i = 0; ok && !t->groups[g].shares && i < t->groups[g].n_pes; i++)
            ok = dump_crossbar(dump, tile, &t->groups[g], &t->groups[g].pes[i], d);
    }
    return ok;
}
