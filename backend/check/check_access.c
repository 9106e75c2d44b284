/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_access.c - reading and writing parts of views, as elements of a leaf.
 *
 * A row is walked in runs that are consecutive both in memory and in tags: the whole row where
 * channels are dense and complete, a pixel's channels otherwise, single elements where pitches or
 * index maps demand it.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>

struct writer check_local_writer(struct actor *a)
{
    return (struct writer){.a = a,
                           .t = a->t,
                           .dim = a->queue,
                           .number = a->number,
                           .known = a->clock,
                           .once = a->k->g || a->in->op == ISA_load || a->in->op == ISA_mvm};
}

static bool held(struct actor *a, const struct tile_state *t, const struct check_view *v,
                 const struct span *s)
{
    const struct isa_view *i = v->v;
    if (v->cluster && s->y >= i->y0 && s->y < i->y1 && s->x >= i->x0 && s->x + s->n_x <= i->x1 &&
        s->c >= 0 && s->c + s->n_c <= i->channels)
        return true;
    return check_fault(a,
                       "row %" PRId64 ", columns %" PRId64 "..%" PRId64 ", channels %" PRId64
                       "..%" PRId64 " are not held by view %td",
                       s->y, s->x, s->x + s->n_x - 1, s->c, s->c + s->n_c - 1, v - t->views);
}

/* ---- instructions that read where they write ---- */

static void keep_reads(struct actor *a, const struct check_view *v, const struct span *s)
{
    if (v->cluster != a->result || a->in_place)
        return;
    bool dense = v->ch == 1;
    int64_t n = dense ? s->n_c : 1;
    for (int64_t j = 0; j < s->n_x; j++)
        for (int64_t c = 0; c < s->n_c; c += n) {
            uint64_t place = check_place(v, a->frame, s->y, s->x + j, s->c + c);
            struct interval i = {place, place + (uint64_t)n};
            VEC_PUSH(&a->k->own_reads, i);
        }
    a->reads_sorted = false;
}

static int by_place(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Sorted and joined, so that they ascend in both ends. */
static void sort_reads(struct actor *a)
{
    struct interval *at = a->k->own_reads.at;
    size_t n = 0;
    qsort(at, a->k->own_reads.n, sizeof *at, by_place);
    for (size_t i = 0; i < a->k->own_reads.n; i++) {
        if (n > 0 && at[i].from <= at[n - 1].to)
            at[n - 1].to = at[i].to > at[n - 1].to ? at[i].to : at[n - 1].to;
        else
            at[n++] = at[i];
    }
    a->k->own_reads.n = n;
    a->reads_sorted = true;
}

/* Elements [place, place + n) of the result must not be among those the instruction reads. */
static void refuse_own_reads(struct actor *a, uint64_t place, uint64_t n)
{
    if (a->k->own_reads.n == 0)
        return;
    if (!a->reads_sorted)
        sort_reads(a);
    size_t lo = 0, hi = a->k->own_reads.n;
    while (lo < hi) { /* the first that ends after place */
        size_t mid = (lo + hi) / 2;
        if (a->k->own_reads.at[mid].to > place)
            hi = mid;
        else
            lo = mid + 1;
    }
    if (lo < a->k->own_reads.n && a->k->own_reads.at[lo].from < place + n)
        check_fault(a, "overwrites elements that it reads itself");
}

/* ---- reading ---- */

/* n elements, consecutive in tags; in memory as the view has its channels. */
static bool read_channels(struct actor *a, const struct check_view *v, uint64_t place, uint32_t n,
                          uint32_t tag, int64_t back)
{
    if (v->ch == 1)
        return check_read_run(a, v->cluster, place, n, tag, back);
    for (uint32_t i = 0; i < n; i++)
        if (!check_read_run(a, v->cluster, place + (uint64_t)(i * v->ch), 1, tag ? tag + i : 0,
                            back))
            return false;
    return true;
}

/* Channels s.c.. of a pixel against a constant: its own tags, or preloaded bytes equal to it. */
static bool read_constant(struct actor *a, const struct check_view *v, const struct span *s,
                          const struct expected *e)
{
    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t tag = (uint32_t)check_mark(v, a->frame, s->y, s->x, s->c + i);
        uint32_t raw, want = check_const(e->constant, e->index + i);
        bool preloaded = check_raw(a->k, tag, &raw);
        if (preloaded && raw != want)
            return check_fault(a, "reads %s where element %" PRId64 " of constant '%s' is %s",
                               check_bits_text(a->k, raw, v->v->element), e->index + i,
                               check_op_name(a->k, e->constant->id),
                               check_bits_text(a->k, want, v->v->element));
        if (!preloaded && tag != e->tag + i)
            return read_channels(a, v, check_place(v, a->frame, s->y, s->x, s->c + i), 1,
                                 e->tag + i, e->back);
    }
    return read_channels(a, v, check_place(v, a->frame, s->y, s->x, s->c), e->n, 0, e->back);
}

static bool read_pixel(struct actor *a, const struct check_view *v, struct span s,
                       const struct leaf *leaf, const int64_t at[3])
{
    for (int64_t c = 0; c < s.n_c;) {
        struct span rest = {s.y, s.x, 1, s.c + c, 0};
        int64_t where[3] = {at[0], at[1], at[2] + c};
        struct expected e = check_expect(a->k, leaf, where, (uint32_t)(s.n_c - c));
        if (e.n == 0)
            return check_fault(a,
                               "needs element (%" PRId64 ", %" PRId64 ", %" PRId64
                               ") of '%s', which "
                               "does not exist",
                               where[0], where[1], where[2], check_op_name(a->k, leaf->op->id));
        if (e.is_fill)
            return check_fault(a,
                               "reads an element where (%" PRId64 ", %" PRId64 ", %" PRId64 ") of "
                               "'%s' is the constant %g",
                               where[0], where[1], where[2], check_op_name(a->k, leaf->op->id),
                               e.fill);
        if (e.constant ? !read_constant(a, v, &rest, &e)
                       : !read_channels(a, v, check_place(v, a->frame, s.y, s.x, s.c + c), e.n,
                                        e.tag, e.back))
            return false;
        c += e.n;
    }
    return true;
}

/* Does the view show elements of the value's kind? The same bits would be another number. */
static bool shows_element(struct actor *a, const struct check_view *v, const struct leaf *leaf)
{
    enum element want = check_element(leaf->op);
    return v->v->element == want ||
           check_fault(a, "'%s' is %s, the view shows %s", check_op_name(a->k, leaf->op->id),
                       element_name(want), element_name(v->v->element));
}

/* Anything written, or what the claims say. */
static bool read_claimed(struct actor *a, const struct check_view *v, struct span s)
{
    for (int64_t j = 0; j < s.n_x; j++) {
        uint32_t tag = 0;
        if (!a->k->g && v->claimed)
            tag = check_claimed_tag(a->k, v, s.y, s.x + j, s.c);
        if (!read_channels(a, v, check_place(v, a->frame, s.y, s.x + j, s.c), (uint32_t)s.n_c, tag,
                           0))
            return false;
    }
    return true;
}

/* The row as one run: tags and memory are dense over columns and channels. */
static bool dense_row(const struct check_view *v, const struct span *s, const struct map_piece *p)
{
    return p && v->ch == 1 && v->col == s->n_c && p->pitch[1] == s->n_c;
}

static bool inside_piece(const struct map_piece *p, const int64_t at[3], const struct span *s)
{
    return at[0] >= p->lo[0] && at[0] < p->hi[0] && at[1] >= p->lo[1] &&
           at[1] + s->n_x <= p->hi[1] && at[2] >= p->lo[2] && at[2] + s->n_c <= p->hi[2];
}

static uint32_t piece_tag(const struct map_piece *p, const int64_t at[3])
{
    return (uint32_t)(p->base + (at[0] - p->lo[0]) * p->pitch[0] +
                      (at[1] - p->lo[1]) * p->pitch[1] + (at[2] - p->lo[2]) * p->pitch[2]);
}

bool check_read_span(struct actor *a, uint32_t view, struct span s, const struct leaf *leaf,
                     const int64_t at[3])
{
    const struct check_view *v = &a->t->views[view];
    if (s.n_x <= 0 || s.n_c <= 0)
        return true;
    if (!held(a, a->t, v, &s))
        return false;
    check_note_read(a, v, s.y);
    keep_reads(a, v, &s);
    if (!leaf || !leaf->op)
        return read_claimed(a, v, s);
    if (!shows_element(a, v, leaf))
        return false;
    struct map_piece room;
    const struct map_piece *p = check_plain_leaf(a->k, leaf, &room);
    if (dense_row(v, &s, p) && inside_piece(p, at, &s))
        return check_read_run(a, v->cluster, check_place(v, a->frame, s.y, s.x, s.c),
                              (uint32_t)(s.n_x * s.n_c), piece_tag(p, at), p->back);
    for (int64_t j = 0; j < s.n_x; j++) {
        struct span pixel = {s.y, s.x + j, 1, s.c, s.n_c};
        if (!read_pixel(a, v, pixel, leaf, (int64_t[3]){at[0], at[1] + j, at[2]}))
            return false;
    }
    return true;
}

/* Padding in place of n elements from `at` on. */
static bool read_padding(struct actor *a, const struct check_view *v, int64_t n,
                         const struct leaf *leaf, const int64_t at[3])
{
    if (!leaf || !leaf->op)
        return true;
    for (int64_t j = 0; j < n; j++)
        for (int64_t c = 0; c < v->v->channels; c++) {
            int64_t where[3] = {at[0], at[1] + j, at[2] + c};
            struct expected e = check_expect(a->k, leaf, where, 1);
            if (!e.is_fill || check_pattern(e.fill, v->v->element) != v->v->pad_value)
                return check_fault(a,
                                   "reads padding (%s) for element (%" PRId64 ", %" PRId64
                                   ", %" PRId64 ") of '%s'",
                                   check_bits_text(a->k, v->v->pad_value, v->v->element), where[0],
                                   where[1], where[2], check_op_name(a->k, leaf->op->id));
        }
    return true;
}

bool check_read_extent(struct actor *a, const struct isa_region *r, int64_t h, int64_t w,
                       const struct leaf *leaf, const int64_t at[3])
{
    const struct check_view *v = &a->t->views[r->view];
    int64_t x0 = r->x, x1 = x0 + w, left = min_i64(max_i64(0, x0), x1);
    int64_t right = max_i64(left, min_i64(v->v->width, x1));
    for (int64_t i = 0; i < h; i++) {
        int64_t y = r->y + i;
        bool inside = y >= 0 && y < v->v->height;
        struct span s = {y, left, inside ? right - left : 0, 0, v->v->channels};
        int64_t before = inside ? left - x0 : x1 - x0, after = inside ? x1 - right : 0;
        int64_t row[3] = {at[0] + i, at[1], at[2]}, mid[3] = {row[0], at[1] + left - x0, at[2]};
        int64_t end[3] = {row[0], at[1] + right - x0, at[2]};
        if (!read_padding(a, v, before, leaf, row) || !check_read_span(a, r->view, s, leaf, mid) ||
            !read_padding(a, v, after, leaf, end))
            return false;
    }
    return true;
}

bool check_read_region(struct actor *a, const struct isa_region *r, const struct leaf *leaf,
                       const int64_t at[3])
{
    return check_read_extent(a, r, a->in->h, a->in->w, leaf, at);
}

/* ---- writing ---- */

static void write_channels(struct writer *w, const struct check_view *v, uint64_t place, uint32_t n,
                           uint32_t tag)
{
    if (v->ch == 1) {
        refuse_own_reads(w->a, place, n);
        check_write_run(w, v->cluster, place, n, tag);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        refuse_own_reads(w->a, place + (uint64_t)(i * v->ch), 1);
        check_write_run(w, v->cluster, place + (uint64_t)(i * v->ch), 1, tag + i);
    }
}

static void write_pixel(struct writer *w, const struct check_view *v, struct span s,
                        const struct leaf *leaf, const int64_t at[3])
{
    uint64_t place = check_place(v, w->a->frame, s.y, s.x, s.c);
    if (!leaf) {
        uint32_t tag = check_claimed_tag(w->a->k, v, s.y, s.x, s.c);
        write_channels(w, v, place, (uint32_t)s.n_c, tag ? tag : w->a->k->tags.anonymous);
        return;
    }
    for (int64_t c = 0; c < s.n_c;) {
        struct expected e = check_expect(w->a->k, leaf, (int64_t[3]){at[0], at[1], at[2] + c},
                                         (uint32_t)(s.n_c - c));
        if (e.n == 0 || e.is_fill) {
            check_fault(w->a,
                        "writes element (%" PRId64 ", %" PRId64 ", %" PRId64 ") of '%s', which "
                        "does not exist",
                        at[0], at[1], at[2] + c, check_op_name(w->a->k, leaf->op->id));
            return;
        }
        write_channels(w, v, place + (uint64_t)(c * v->ch), e.n, e.tag);
        c += e.n;
    }
}

void check_write_span(struct writer *w, uint32_t view, struct span s, const struct leaf *leaf,
                      const int64_t at[3])
{
    const struct check_view *v = &w->t->views[view];
    if (s.n_x <= 0 || s.n_c <= 0 || !held(w->a, w->t, v, &s))
        return;
    if (leaf && leaf->op && !shows_element(w->a, v, leaf))
        return;
    check_begin_row(w, v, s.y);
    struct map_piece room;
    const struct map_piece *p = leaf ? check_plain_leaf(w->a->k, leaf, &room) : NULL;
    if (dense_row(v, &s, p) && inside_piece(p, at, &s)) {
        uint32_t n = (uint32_t)(s.n_x * s.n_c);
        uint64_t place = check_place(v, w->a->frame, s.y, s.x, s.c);
        refuse_own_reads(w->a, place, n);
        check_write_run(w, v->cluster, place, n, piece_tag(p, at));
        return;
    }
    for (int64_t j = 0; j < s.n_x; j++) {
        struct span pixel = {s.y, s.x + j, 1, s.c, s.n_c};
        write_pixel(w, v, pixel, leaf, (int64_t[3]){at[0], at[1] + j, at[2]});
    }
}

struct claim check_claim(const struct actor *a)
{
    uint32_t value = a->t->views[a->in->dst.view].v->value;
    if (value != ISA_NO_SOURCE)
        return (struct claim){value, 0};
    const uint32_t *sources = a->t->t->sources;
    return (struct claim){sources ? sources[a->index] : ISA_NO_SOURCE, a->in->dst.y};
}

void check_write_dst(struct actor *a, int64_t h, int64_t w, const struct leaf *leaf)
{
    struct claim claim = check_claim(a);
    const struct isa_region *r = &a->in->dst;
    const struct isa_view *v = a->t->views[r->view].v;
    struct writer writer = check_local_writer(a);
    for (int64_t i = 0; i < h; i++) {
        struct span s = {r->y + i, r->x, w, 0, v->channels};
        check_write_span(&writer, r->view, s, leaf,
                         (int64_t[3]){s.y - claim.row, s.x, v->channel0});
    }
}
