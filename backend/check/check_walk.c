/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_walk.c - which elements a window reads: of a crossbar product only those under rows that
 * some PE holds, of a pooling window all.
 *
 * Elements that two windows of an instruction share are read once where that is easy to see.
 */
#include "check_meaning.h"

#include <inttypes.h>

#include <stdlib.h>

/* Image rows [k, end) of conv groups [q0, q1): all rows where these are several. */
struct k_range {
    uint32_t q0, q1, k, end;
};

static int by_group(const void *a, const void *b)
{
    const struct k_range *x = a, *y = b;
    if (x->q0 != y->q0)
        return x->q0 < y->q0 ? -1 : 1;
    return x->k < y->k ? -1 : x->k > y->k;
}

/* What the PEs hold, run by run. Returns how many. */
static uint32_t held_ranges(struct check *k, const struct isa_group *g, struct k_range **out)
{
    uint32_t n = 0, columns = k->p->images[g->image].n / isa_conv_groups(g);
    for (uint32_t i = 0; i < g->n_pes; i++)
        n += isa_pe_runs(&g->pes[i]);
    struct k_range *r = *out = ARENA_ARRAY(k->arena, struct k_range, n);
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i];
        for (uint32_t j = 0; j < isa_pe_runs(pe); j++) {
            struct isa_run run = isa_pe_run(pe, j);
            *r++ = (struct k_range){pe->n0 / columns, (pe->n0 + pe->n - 1) / columns + 1, run.row,
                                    run.row + run.rows};
        }
    }
    return n;
}

/* The same, joined where it touches: rows of one conv group, or conv groups with all of their rows.
 * Ascending. */
static uint32_t merged_ranges(struct check *k, const struct isa_group *g, struct k_range **out)
{
    uint32_t n_held = held_ranges(k, g, out), n = 0;
    struct k_range *r = *out;
    const struct isa_image *image = &k->p->images[g->image];
    qsort(r, n_held, sizeof *r, by_group);
    for (uint32_t i = 0; i < n_held; i++) {
        struct k_range *last = n ? &r[n - 1] : NULL;
        bool whole = last && r[i].k == 0 && r[i].end == image->k && last->k == 0 &&
                     last->end == image->k && r[i].q0 <= last->q1;
        bool rows = last && r[i].q0 == last->q0 && r[i].q1 == last->q1 && r[i].k <= last->end;
        if (whole)
            last->q1 = r[i].q1 > last->q1 ? r[i].q1 : last->q1;
        else if (rows)
            last->end = r[i].end > last->end ? r[i].end : last->end;
        else
            r[n++] = r[i];
    }
    return n;
}

/* Adds what of the range lies in row `kh` of the window: the end of one position, whole positions,
 * and the start of another. */
static void add_boxes(struct tap_boxes *out, const struct matrix *m, const struct k_range *r,
                      uint32_t kh)
{
    uint32_t channels = (uint32_t)m->channels, width = (uint32_t)m->window[1];
    uint64_t row = (uint64_t)width * channels;
    uint32_t k = (uint32_t)max_i64(r->k, (int64_t)(kh * row));
    uint32_t end = (uint32_t)min_i64(r->end, (int64_t)((kh + 1) * row));
    while (k < end) {
        uint32_t c = k % channels, kw = k / channels % width;
        struct tap_box box = {kh, kw, kw + 1, c + r->q0 * channels, r->q1 * channels};
        if (c == 0 && end - k >= channels)
            box.kw1 = kw + (end - k) / channels;
        else if (end - k < channels - c)
            box.c1 = (r->q1 - 1) * channels + c + end - k;
        k += c == 0 && end - k >= channels ? (box.kw1 - kw) * channels
                                           : (uint32_t)min_i64(channels - c, end - k);
        out->at[out->n++] = box;
    }
}

/* Of the boxes from `first` on only the columns that are read. `out` has room for as many pieces.
 */
static void keep_columns(struct tap_boxes *out, const struct tap_boxes *in, uint32_t kh,
                         const bool *reads)
{
    for (uint32_t i = in->first[kh]; i < in->first[kh + 1]; i++)
        for (uint32_t x = in->at[i].kw0, end = in->at[i].kw1; x < end; x++) {
            struct tap_box *last = out->n > out->first[kh] ? &out->at[out->n - 1] : NULL;
            if (!reads[x])
                continue;
            if (last && last->kw1 == x && x > in->at[i].kw0) {
                last->kw1++;
                continue;
            }
            out->at[out->n] = in->at[i];
            out->at[out->n].kw0 = x;
            out->at[out->n++].kw1 = x + 1;
        }
}

/* Of what the PEs hold only the positions that one of the kept pixels reads. */
static struct tap_boxes *keep_positions(struct check *k, const struct matrix *m,
                                        const struct tap_boxes *in, const int64_t kept[2])
{
    bool *reads[2];
    uint64_t most = 0;
    for (unsigned i = 0; i < 2; i++) {
        reads[i] = ARENA_ARRAY(k->arena, bool, (size_t)m->window[i]);
        check_matrix_positions(m, i, kept[i], reads[i]);
    }
    for (uint32_t i = 0; i < in->n; i++)
        most += in->at[i].kw1 - in->at[i].kw0;
    struct tap_boxes *out = ARENA_NEW(k->arena, struct tap_boxes);
    out->at = ARENA_ARRAY(k->arena, struct tap_box, most);
    out->first = ARENA_ARRAY(k->arena, uint32_t, (size_t)m->window[0] + 1);
    for (uint32_t kh = 0; kh < m->window[0]; kh++) {
        if (reads[0][kh])
            keep_columns(out, in, kh, reads[1]);
        out->first[kh + 1] = out->n;
    }
    return out;
}

/* All positions under rows that some PE holds. */
static struct tap_boxes *held_boxes(struct check *k, const struct isa_group *g,
                                    const struct matrix *m)
{
    struct k_range *range;
    uint32_t n = merged_ranges(k, g, &range);
    uint64_t row = (uint64_t)(m->window[1] * m->channels), most = 0;
    for (uint32_t i = 0; i < n; i++) /* at most three boxes in each row of the window it meets */
        most += 3 * ((range[i].end - 1) / row - range[i].k / row + 1);
    struct tap_boxes *r = ARENA_NEW(k->arena, struct tap_boxes);
    r->at = ARENA_ARRAY(k->arena, struct tap_box, most);
    r->first = ARENA_ARRAY(k->arena, uint32_t, (size_t)m->window[0] + 1);
    for (uint32_t kh = 0; kh < m->window[0]; kh++) {
        for (uint32_t i = 0; i < n; i++)
            add_boxes(r, m, &range[i], kh);
        r->first[kh + 1] = r->n;
    }
    return r;
}

const struct tap_boxes *check_boxes_of_group(struct actor *a, const int64_t kept[2])
{
    const uint32_t key[3] = {a->in->obj, (uint32_t)kept[0], (uint32_t)kept[1]};
    uint32_t fresh = (uint32_t)a->t->group_boxes.n;
    uint32_t known = map_intern(&a->t->group_boxes_of, key, sizeof key, fresh);
    if (known < fresh)
        return a->t->group_boxes.at[known];
    const struct isa_group *g = &a->t->t->groups[a->in->obj];
    struct matrix m = check_matrix_of_group(a->k->p, g);
    struct tap_boxes *boxes = held_boxes(a->k, g, &m);
    if (check_matrix_pixels(&m) > 1)
        boxes = keep_positions(a->k, &m, boxes, kept);
    VEC_PUSH(&a->t->group_boxes, boxes);
    return boxes;
}

const struct tap_boxes *check_boxes_of_kernel(struct check *k, const uint32_t kernel[2])
{
    struct tap_boxes *r = ARENA_NEW(k->arena, struct tap_boxes);
    r->n = kernel[0];
    r->at = ARENA_ARRAY(k->arena, struct tap_box, r->n);
    r->first = ARENA_ARRAY(k->arena, uint32_t, (size_t)r->n + 1);
    for (uint32_t kh = 0; kh < r->n; kh++) {
        r->at[kh] = (struct tap_box){.kh = kh, .kw1 = kernel[1]};
        r->first[kh + 1] = kh + 1;
    }
    return r;
}

/* Columns [s.x, s.x + s.n_x), clipped to the tensor: the rest is padding. */
static void read_columns(struct actor *a, const struct walk *w, const struct leaf *leaf,
                         struct span s)
{
    int64_t end = min_i64(s.x + s.n_x, a->t->t->views[w->view].width);
    s.x = max_i64(s.x, 0);
    s.n_x = end - s.x;
    check_read_span(a, w->view, s, leaf, (int64_t[3]){s.y - w->first_row, s.x, s.c + w->channel0});
}

static void read_box(struct actor *a, const struct walk *w, const struct leaf *leaf, int64_t y,
                     const struct tap_box *b)
{
    int64_t stride = w->stride[1], n_taps = b->kw1 - b->kw0, width = w->n[1];
    int64_t x0 = w->first[1] * stride - w->pad[1];
    struct span s = {.y = y, .c = (int64_t)b->c0 - w->channel0, .n_c = b->c1 - b->c0};
    if (w->whole)
        s = (struct span){.y = y, .n_c = a->t->t->views[w->view].channels};
    if (w->dilation[1] == 1 && (n_taps >= stride || width == 1)) { /* no gaps */
        s.x = x0 + b->kw0;
        s.n_x = (width - 1) * stride + n_taps;
        read_columns(a, w, leaf, s);
        return;
    }
    s.n_x = stride == 1 ? width : 1;
    for (uint32_t kw = b->kw0; kw < b->kw1; kw++)
        for (int64_t j = 0; j < (stride == 1 ? 1 : width); j++) {
            s.x = x0 + j * stride + (int64_t)kw * w->dilation[1];
            read_columns(a, w, leaf, s);
        }
}

/* The row of windows above has read this source row, with the same boxes, as a later kernel row. */
static bool read_above(const struct walk *w, int64_t i, uint32_t kh)
{
    const uint32_t *first = w->boxes->first;
    uint32_t later = kh + w->stride[0] / w->dilation[0];
    if (i == 0 || w->stride[0] % w->dilation[0] != 0 || later >= w->kernel[0] ||
        first[later + 1] - first[later] != first[kh + 1] - first[kh])
        return false;
    const struct tap_box *b = &w->boxes->at[first[kh]], *o = &w->boxes->at[first[later]];
    for (uint32_t j = 0; j < first[kh + 1] - first[kh]; j++)
        if (b[j].kw0 != o[j].kw0 || b[j].kw1 != o[j].kw1 || b[j].c0 != o[j].c0 ||
            b[j].c1 != o[j].c1)
            return false;
    return true;
}

void check_walk(struct actor *a, const struct walk *w, const struct leaf *leaf)
{
    int64_t height = a->t->t->views[w->view].height;
    for (int64_t i = 0; i < w->n[0]; i++)
        for (uint32_t kh = 0; kh < w->kernel[0] && !a->faulted; kh++) {
            int64_t y = (w->first[0] + i) * w->stride[0] + (int64_t)kh * w->dilation[0] - w->pad[0];
            bool outside = y < 0 || y >= height;
            if (outside && w->inside)
                check_fault(a, "reads row %" PRId64 ", which its view does not have", y);
            if (outside || read_above(w, i, kh))
                continue;
            for (uint32_t b = w->boxes->first[kh]; b < w->boxes->first[kh + 1]; b++)
                read_box(a, w, leaf, y, &w->boxes->at[b]);
        }
}
