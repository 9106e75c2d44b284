/*
 * check_walk.c - which elements a window reads: of a crossbar product only those under rows that
 * some PE holds, of a pooling window all.
 *
 * Elements that two windows of an instruction share are read once where that is easy to see.
 */
#include "check_internal.h"

/* The PEs' K ranges, joined and ascending; returns how many. */
static uint32_t merged_ranges(struct check *k, const struct isa_group *g, struct isa_pe **out)
{
    struct isa_pe *pe = ARENA_ARRAY(k->arena, struct isa_pe, g->n_pes);
    for (uint32_t i = 0; i < g->n_pes; i++) {
        uint32_t j = i;
        for (; j > 0 && g->pes[i].k0 < pe[j - 1].k0; j--)
            pe[j] = pe[j - 1];
        pe[j] = g->pes[i];
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_pes; i++) {
        if (n > 0 && pe[i].k0 <= pe[n - 1].k0 + pe[n - 1].k) {
            uint32_t end = pe[i].k0 + pe[i].k, last = pe[n - 1].k0 + pe[n - 1].k;
            pe[n - 1].k = (end > last ? end : last) - pe[n - 1].k0;
        } else {
            pe[n++] = pe[i];
        }
    }
    *out = pe;
    return n;
}

/* Adds what of rows [k, end) lies in one tap, or the whole taps of one kernel row; returns its
 * size. */
static uint32_t add_box(struct tap_boxes *r, const struct isa_group *g, uint32_t k, uint32_t end)
{
    uint32_t c = k % g->in_channels, tap = k / g->in_channels;
    uint32_t kh = tap / g->kernel[1], kw = tap % g->kernel[1];
    struct tap_box box = {kh, kw, kw + 1, c, g->in_channels};
    uint32_t whole = c == 0 ? (end - k) / g->in_channels : 0, room = g->kernel[1] - kw;
    if (whole > 0)
        box.kw1 = kw + (whole < room ? whole : room);
    else if (end - k < g->in_channels - c)
        box.c1 = c + end - k;
    r->at[r->n++] = box;
    return whole > 0 ? (box.kw1 - kw) * g->in_channels : box.c1 - c;
}

const struct tap_boxes *check_boxes_of_group(struct check *k, const struct isa_group *g)
{
    struct isa_pe *range;
    uint32_t n = merged_ranges(k, g, &range), row = 0;
    struct tap_boxes *r = ARENA_NEW(k->arena, struct tap_boxes);
    r->at = ARENA_ARRAY(k->arena, struct tap_box, 3 * (size_t)n + g->kernel[0]);
    r->first = ARENA_ARRAY(k->arena, uint32_t, (size_t)g->kernel[0] + 1);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t at = range[i].k0, end = at + range[i].k; at < end;) {
            at += add_box(r, g, at, end);
            while (row < r->at[r->n - 1].kh)
                r->first[++row] = r->n - 1;
        }
    while (row < g->kernel[0])
        r->first[++row] = r->n;
    return r;
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
    check_read_span(a, w->view, s, leaf, (int64_t[3]){s.y, s.x, s.c + w->channel0});
}

static void read_box(struct actor *a, const struct walk *w, const struct leaf *leaf, int64_t y,
                     const struct tap_box *b)
{
    const struct isa_inst *in = a->in;
    int64_t stride = w->stride[1], n_taps = b->kw1 - b->kw0, width = in->w;
    int64_t x0 = in->dst.x * stride - w->pad[1];
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

/* The row of pixels above has read this source row, with the same boxes, as a later kernel row. */
static bool read_above(const struct walk *w, uint32_t i, uint32_t kh)
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
    for (uint32_t i = 0; i < a->in->h; i++)
        for (uint32_t kh = 0; kh < w->kernel[0] && !a->faulted; kh++) {
            int64_t y = (a->in->dst.y + (int64_t)i) * w->stride[0] + (int64_t)kh * w->dilation[0] -
                        w->pad[0];
            if (y < 0 || y >= height || read_above(w, i, kh))
                continue;
            for (uint32_t b = w->boxes->first[kh]; b < w->boxes->first[kh + 1]; b++)
                read_box(a, w, leaf, y, &w->boxes->at[b]);
        }
}
