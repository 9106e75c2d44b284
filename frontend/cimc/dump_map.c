/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_map.c - the memory map: every table of a program as JSON, and the buffers as text for
 * people.
 */
#include "dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes [lo, hi) of the buffer that a line of the text is about. */
struct line {
    uint64_t lo, hi;
    bool is_preload;
    uint32_t index;
};

/* A view that holds nothing is an empty line at its address. */
static struct line view_line(const struct isa_view *v, uint32_t index)
{
    struct isa_extent e = {(int64_t)v->base, (int64_t)v->base};
    if (!isa_view_is_empty(v) && !isa_view_extent(v, &e))
        BUG("view %u of a valid program has no extent", index);
    return (struct line){(uint64_t)e.lo, (uint64_t)e.hi, false, index};
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->lo != y->lo)
        return x->lo < y->lo ? -1 : 1;
    if (x->hi != y->hi)
        return x->hi > y->hi ? -1 : 1;
    if (x->is_preload != y->is_preload)
        return x->is_preload ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void print_view(const struct isa_program *p, const struct isa_view *v,
                       const struct line *line, FILE *out)
{
    const char *name = v->value < p->n_nodes ? p->nodes[v->value].name : "";
    const char *op = v->value < p->n_nodes ? p->nodes[v->value].op : "";
    fprintf(out, "  %010" PRIx64 "..%010" PRIx64 "  view %-4u  %ux%ux%u", line->lo, line->hi,
            line->index, v->height, v->width, v->channels);
    if ((uint32_t)(v->y1 - v->y0) != v->height || (uint32_t)(v->x1 - v->x0) != v->width)
        fprintf(out, ", holds [%d, %d) x [%d, %d)", v->y0, v->y1, v->x0, v->x1);
    if ((int64_t)v->ring_rows < v->y1 - v->y0)
        fprintf(out, ", ring of %u rows", v->ring_rows);
    fprintf(out, "  %s%s", op ? op : "", name && *name ? " " : "");
    print_plain(name ? name : "", out);
    fputc('\n', out);
}

/* What a chip's tiles hold, side by side. */
static void print_bytes(const struct isa_program *p, FILE *out)
{
    fprintf(out,
            "Bytes of each tile: what its memories hold. Tables are table_*; weights have "
            "the bits that cells hold.\n\n"
            "  tile        code      tables     weights      buffer  (code + tables) / weights\n");
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        struct isa_tile_bytes b = isa_tile_bytes(p, i);
        fprintf(out, "%6u  %10" PRIu64 "  %10" PRIu64 "  %10" PRIu64 "  %10" PRIu64, i, b.code,
                b.tables, b.weights, b.buffer);
        if (b.weights)
            fprintf(out, "  %.1f %%\n", 100 * isa_tile_share(&b));
        else
            fputs("  -\n", out);
    }
}

static void print_tile(const struct isa_program *p, uint32_t index, FILE *out)
{
    const struct isa_tile *t = &p->tiles[index];
    size_t n = 0;
    struct line *lines = heap_alloc(((size_t)t->n_views + t->n_preloads) * sizeof *lines);
    fprintf(out,
            "\ntile %u: buffer of %" PRIu64
            " bytes, %u instructions, queues VU %u, TX %u, DMA %u\n",
            index, t->buffer_bytes, t->n_insts, isa_queue_vu(t), isa_queue_tx(t), isa_queue_dma(t));
    for (uint32_t i = 0; i < t->n_views; i++)
        lines[n++] = view_line(&t->views[i], i);
    for (uint32_t i = 0; i < t->n_preloads; i++) {
        const struct isa_preload *l = &t->preloads[i];
        lines[n++] = (struct line){l->address, l->address + l->length, true, i};
    }
    if (n)
        qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++) {
        const struct line *line = &lines[i];
        if (line->is_preload)
            fprintf(out, "  %010" PRIx64 "..%010" PRIx64 "  preload %-4u section %u\n", line->lo,
                    line->hi, line->index, t->preloads[line->index].section);
        else
            print_view(p, &t->views[line->index], line, out);
    }
    heap_free(lines);
    for (uint32_t g = 0; g < t->n_groups; g++) {
        for (uint32_t i = 0; i < t->groups[g].n_pes; i++) {
            const struct isa_pe *pe = &t->groups[g].pes[i];
            fprintf(out, "  PE %-3u  group %u%s: rows ", pe->pe, g,
                    t->groups[g].shares ? " (shared)" : "");
            for (uint32_t k = 0; k < isa_pe_runs(pe); k++) {
                struct isa_run run = isa_pe_run(pe, k);
                fprintf(out, "%s%u..%u", k ? " " : "", run.row, run.row + run.rows - 1);
            }
            fprintf(out, ", columns %u..%u of image %u\n", pe->n0, pe->n0 + pe->n - 1,
                    t->groups[g].image);
        }
    }
}

bool dump_map(const struct dump *dump, struct diag *d)
{
    const struct isa_program *p = dump->program;
    FILE *out = folder_file(&dump->folder, "program.json", "w", d);
    if (!out)
        return false;
    isa_print_json(p, out);
    if (!folder_close(&dump->folder, out, "program.json", d))
        return false;
    out = folder_file(&dump->folder, "map.txt", "w", d);
    if (!out)
        return false;
    print_bytes(p, out);
    fprintf(out,
            "\nBuffers: bytes from..to (not included), hexadecimal. Views may share memory.\n");
    for (uint32_t i = 0; i < p->n_tiles; i++)
        print_tile(p, i, out);
    return folder_close(&dump->folder, out, "map.txt", d);
}
