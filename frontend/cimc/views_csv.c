/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_csv.c - a schedule as comma-separated values: a header, then one line for each set.
 *
 * A copy whose PEs lie on several tiles works on a set with one PE group a tile: their PEs are
 * added, and the set takes the time of the last one: only then is its whole window there. Lines in
 * order of start.
 */
#include "views.h"

#include <stdlib.h>
#include <string.h>

struct row {
    uint32_t layer, copy, n_pes, n_tiles;
    int32_t y, x, h, w;
    uint64_t start, end;
};

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_i32(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

static int compare_set(const void *a, const void *b)
{
    const struct row *p = a, *q = b;
    int c = compare_u64(p->layer, q->layer);
    c = c ? c : compare_u64(p->copy, q->copy);
    c = c ? c : compare_i32(p->y, q->y);
    return c ? c : compare_i32(p->x, q->x);
}

static int compare_start(const void *a, const void *b)
{
    const struct row *p = a, *q = b;
    int c = compare_u64(p->start, q->start);
    return c ? c : compare_set(a, b);
}

/* The rows sorted by set become one a set; returns how many. */
static size_t join_groups(struct row *rows, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct row *last = kept ? &rows[kept - 1] : NULL;
        if (!last || compare_set(last, &rows[i]) != 0) {
            rows[kept++] = rows[i];
            continue;
        }
        last->n_pes += rows[i].n_pes;
        last->n_tiles++;
        last->start = rows[i].start > last->start ? rows[i].start : last->start;
        last->end = rows[i].end > last->end ? rows[i].end : last->end;
    }
    return kept;
}

/* Quoted where commas, quotes or line ends ask for it (RFC 4180). */
static void print_field(const char *s, FILE *out)
{
    if (!strpbrk(s, ",\"\r\n")) {
        fputs(s, out);
        return;
    }
    fputc('"', out);
    for (; *s; s++) {
        if (*s == '"')
            fputc('"', out);
        fputc(*s, out);
    }
    fputc('"', out);
}

static void print_rows(const struct backend_result *r, const struct row *rows, size_t n, FILE *out)
{
    fputs("layer,copy,y,x,h,w,pes,tiles,start,end\n", out);
    for (size_t i = 0; i < n; i++) {
        const struct row *p = &rows[i];
        print_field(r->layers[p->layer].name, out);
        fprintf(out, ",%u,%d,%d,%d,%d,%u,%u,%llu,%llu\n", p->copy, p->y, p->x, p->h, p->w, p->n_pes,
                p->n_tiles, (unsigned long long)p->start, (unsigned long long)p->end);
    }
}

void view_print_csv(const struct build *b, FILE *out)
{
    const struct backend_result *r = &b->backend;
    struct row *rows = heap_alloc((r->n_sets + 1) * sizeof *rows);
    for (uint32_t i = 0; i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        rows[i] = (struct row){.layer = s->layer,
                               .copy = s->copy,
                               .n_pes = s->n_pes,
                               .n_tiles = 1,
                               .y = s->y,
                               .x = s->x,
                               .h = s->h,
                               .w = s->w,
                               .start = s->start_cycle,
                               .end = s->end_cycle};
    }
    qsort(rows, r->n_sets, sizeof *rows, compare_set);
    size_t n = join_groups(rows, r->n_sets);
    qsort(rows, n, sizeof *rows, compare_start);
    print_rows(r, rows, n, out);
    heap_free(rows);
}
