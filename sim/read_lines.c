/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * read_lines.c - which columns of cells have to be read.
 *
 * In: a group's machine and image. Out: how it is read; of each array its lines, which the largest
 * possible input drives beyond the converters' range, or all, where codes are no sums. They are of
 * the image, so that arrays of copies share them.
 */
#include "sim_internal.h"

#include "base/clones.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CODE_BITS = 31 };

/* ---- how a group is read ---- */

/* No array of the group can be driven beyond the range, whatever its cells hold. */
static bool never_saturates(const struct isa_group *g, const struct reading *r)
{
    uint64_t levels = 0;
    for (uint32_t i = 0; i < g->n_pes; i++)
        levels = g->pes[i].k > levels ? g->pes[i].k : levels;
    levels *= r->cell_most;
    return (r->rule.flip ? levels / 2 : levels) * r->input_most <= r->code_most;
}

bool reading_of(const struct isa_program *p, const struct isa_group *g, bool every_plane,
                struct reading *out)
{
    const struct isa_image *image = &p->images[g->image];
    const struct arch *a = &p->arch;
    if (image->element == ELEMENT_f32)
        return false;
    struct cell_rule rule = cell_rule_of(a, image->weight_bits, g->image);
    unsigned bits = (unsigned)a->adc_bits, d = (unsigned)a->dac_bits, x = g->x_bits;
    *out = (struct reading){.rule = rule,
                            .slices = cell_slices(&rule),
                            .phases = (x + d - 1) / d,
                            .dac_bits = d,
                            .is_signed = rule.encoding == ARCH_ANALOG_DIFFERENTIAL,
                            .noisy = a->noise_seed && arch_has_noise(a),
                            .input_most = (1u << (d < x ? d : x)) - 1,
                            .cell_most = (1u << rule.cell_bits) - 1};
    if (out->noisy)
        out->cell_most = (1u << (rule.cell_bits + rule.fraction_bits)) - 1;
    if (!bits && !out->noisy)
        return false;
    bits = bits ? bits : MOST_CODE_BITS + 1;
    bits -= out->is_signed;
    out->code_most = (uint32_t)((UINT64_C(1) << bits) - 1);
    out->collapses = !out->noisy && !every_plane;
    for (uint32_t j = 0; j < image->n_shift; j++) {
        out->drop[j] = image->shift[j];
        out->collapses &= image->shift[j] == 0;
    }
    return !out->collapses || !never_saturates(g, out);
}

/* ---- lines ---- */

/* Of the levels of a slice of a part, by column. */
struct tally {
    uint32_t *sum;
    uint8_t *most, *least;
};

enum { TALLY_COLUMNS = 512, TALLY_ROWS = 257 }; /* 257 * 255 fits 16 bits */

/* At most TALLY_ROWS rows, TALLY_COLUMNS columns; levels stay where they are in the byte. */
CLONES static void tally_block(const struct cell_rule *r, unsigned part, unsigned slice,
                               const int8_t *w, size_t pitch, uint32_t rows, uint32_t n,
                               const struct tally *t)
{
    const uint8_t mask = (uint8_t)(((1u << r->cell_bits) - 1) << r->cell_bits * slice);
    uint16_t sum[TALLY_COLUMNS] = {0};
    uint8_t level[TALLY_COLUMNS], most[TALLY_COLUMNS], least[TALLY_COLUMNS];
    memcpy(most, t->most, n);
    memcpy(least, t->least, n);
    for (uint32_t k = 0; k < rows; k++, w += pitch) {
        read_part(r, part, w, n, level);
        for (uint32_t i = 0; i < n; i++)
            level[i] &= mask;
        for (uint32_t i = 0; i < n; i++)
            sum[i] = (uint16_t)(sum[i] + level[i]);
        for (uint32_t i = 0; i < n; i++)
            most[i] = level[i] > most[i] ? level[i] : most[i];
        for (uint32_t i = 0; i < n; i++)
            least[i] = level[i] < least[i] ? level[i] : least[i];
    }
    for (uint32_t i = 0; i < n; i++)
        t->sum[i] += sum[i];
    memcpy(t->most, most, n);
    memcpy(t->least, least, n);
}

static void tally(const struct read_holding *h, unsigned part, unsigned slice,
                  const struct tally *t)
{
    memset(t->sum, 0, h->n * sizeof *t->sum);
    memset(t->most, 0, h->n);
    memset(t->least, UINT8_MAX, h->n);
    for (uint32_t c = 0; c < h->n; c += TALLY_COLUMNS)
        for (uint32_t b = 0; b < h->n_blocks; b++)
            for (uint32_t k = 0; k < h->blocks[b].k; k += TALLY_ROWS) {
                uint32_t rows = h->blocks[b].k - k, n = h->n - c;
                tally_block(&h->r->rule, part, slice,
                            h->weights + (h->blocks[b].row + k) * h->pitch + c, h->pitch,
                            rows < TALLY_ROWS ? rows : TALLY_ROWS,
                            n < TALLY_COLUMNS ? n : TALLY_COLUMNS,
                            &(struct tally){t->sum + c, t->most + c, t->least + c});
            }
    const unsigned low = h->r->rule.cell_bits * slice;
    for (uint32_t c = 0; c < h->n; c++) {
        t->sum[c] >>= low;
        t->most[c] = (uint8_t)(t->most[c] >> low);
        t->least[c] = (uint8_t)(t->least[c] >> low);
    }
}

static void add_line(struct read_lines *l, unsigned part, unsigned slice, uint32_t column,
                     uint32_t scale, unsigned invert)
{
    struct read_run *last = l->n_runs > 0 ? &l->runs[l->n_runs - 1] : NULL;
    if (last && last->part == part && last->slice == slice && last->column + last->n == column)
        last->n++;
    else
        l->runs[l->n_runs++] = (struct read_run){l->n, column, 1, part, slice};
    l->scale[l->n] = (int32_t)scale;
    l->invert[l->n++] = (uint8_t)invert;
}

/* The columns of a part's slice that have to be read, and how they are stored. */
static void add_lines(const struct read_holding *h, unsigned part, unsigned slice,
                      const struct tally *t, struct read_lines *l)
{
    const struct reading *r = h->r;
    const uint32_t top = (1u << r->rule.cell_bits) - 1;
    const uint32_t unit = (part > 0 ? -1u : 1u) << r->rule.cell_bits * slice;
    for (uint32_t c = 0; c < h->n; c++) {
        bool flips = cell_column_flips(&r->rule, t->sum[c], l->k);
        uint64_t sum = flips ? (uint64_t)l->k * top - t->sum[c] : t->sum[c];
        uint32_t most = flips ? top - t->least[c] : t->most[c];
        if (flips && l->center)
            l->center[c] = (int32_t)((uint32_t)l->center[c] + unit * top);
        if (r->collapses && sum * r->input_most <= r->code_most)
            continue;
        add_line(l, part, slice, c, flips ? -unit : unit, flips ? top : 0);
        l->most = most > l->most ? most : l->most;
    }
}

/* The larger of two parts that are subtracted before they are read. */
static void tally_both(const struct read_holding *h, unsigned slice, const struct tally *t,
                       const struct tally *other)
{
    tally(h, 0, slice, t);
    tally(h, 1, slice, other);
    for (uint32_t c = 0; c < h->n; c++) {
        t->sum[c] = other->sum[c] > t->sum[c] ? other->sum[c] : t->sum[c];
        t->most[c] = other->most[c] > t->most[c] ? other->most[c] : t->most[c];
    }
}

/* Room for all lines; what is not needed stays unused. */
static struct read_lines *room_for(struct arena *a, const struct read_holding *h)
{
    struct read_lines *l = ARENA_NEW(a, struct read_lines);
    size_t most = (size_t)h->n * h->r->slices * (h->r->is_signed ? 1 : cell_parts(&h->r->rule));
    l->runs = heap_alloc(most * sizeof *l->runs);
    l->scale = heap_alloc(most * sizeof *l->scale);
    l->invert = heap_alloc(most);
    for (uint32_t b = 0; b < h->n_blocks; b++)
        l->k += h->blocks[b].k;
    if (!h->r->noisy)
        return l;
    const struct cell_rule *rule = &h->r->rule;
    uint32_t offset = rule->encoding == ARCH_OFFSET ? 1u << (rule->weight_bits - 1) : 0;
    l->center = ARENA_ARRAY(a, int32_t, h->n);
    for (uint32_t c = 0; c < h->n; c++)
        l->center[c] = (int32_t)((h->center ? (uint32_t)h->center[c] : 0) - offset);
    return l;
}

static void *kept(struct arena *a, void *temporary, size_t bytes)
{
    void *copy = arena_alloc(a, bytes);
    memcpy(copy, temporary, bytes);
    heap_free(temporary);
    return copy;
}

static struct read_lines *make_lines(struct arena *a, const struct read_holding *h)
{
    struct read_lines *l = room_for(a, h);
    const size_t each = sizeof(uint32_t) + 2;
    char *memory = heap_alloc(2 * h->n * each);
    struct tally t[2];
    for (int i = 0; i < 2; i++) {
        t[i].sum = (uint32_t *)memory + (size_t)i * h->n;
        t[i].most = (uint8_t *)memory + 2 * h->n * sizeof(uint32_t) + (size_t)i * 2 * h->n;
        t[i].least = t[i].most + h->n;
    }
    for (unsigned slice = 0; slice < h->r->slices; slice++) {
        unsigned parts = h->r->is_signed ? 1 : cell_parts(&h->r->rule);
        for (unsigned part = 0; part < parts; part++) {
            if (h->r->is_signed)
                tally_both(h, slice, &t[0], &t[1]);
            else
                tally(h, part, slice, &t[0]);
            add_lines(h, part, slice, &t[0], l);
        }
        l->first[slice + 1] = l->n;
    }
    heap_free(memory);
    l->runs = kept(a, l->runs, l->n_runs * sizeof *l->runs);
    l->scale = kept(a, l->scale, l->n * sizeof *l->scale);
    l->invert = kept(a, l->invert, l->n);
    return l;
}

/* What lines depend on, as a key: the image, the range of x, columns, rows. */
static uint32_t *key_of(const struct read_holding *h, size_t *bytes)
{
    uint32_t *key = heap_alloc((4 + 2 * (size_t)h->n_blocks) * sizeof *key), n = 0;
    key[n++] = h->image;
    key[n++] = h->x_bits;
    key[n++] = h->n0;
    key[n++] = h->n;
    for (uint32_t b = 0; b < h->n_blocks; b++) {
        key[n++] = h->blocks[b].row;
        key[n++] = h->blocks[b].k;
    }
    *bytes = n * sizeof *key;
    return key;
}

struct read_lines *read_lines_of(struct sim *s, const struct read_holding *h)
{
    size_t bytes;
    uint32_t *key = key_of(h, &bytes);
    uint32_t at = map_intern(&s->read.lines_of, key, bytes, (uint32_t)s->read.lines.n);
    heap_free(key);
    if (at == s->read.lines.n)
        VEC_PUSH(&s->read.lines, make_lines(s->arena, h));
    return s->read.lines.at[at];
}

void read_release(struct sim *s)
{
    for (size_t i = 0; i < s->read.lines.n; i++)
        heap_free(s->read.lines.at[i]->cells);
    VEC_FREE(&s->read.lines);
    map_free(&s->read.lines_of);
    heap_free(s->read.passing);
    heap_free(s->read.rows);
    heap_free(s->read.planes);
    heap_free(s->read.sums);
}
