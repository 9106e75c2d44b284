/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_walk.c - finds the rasters that regions follow.
 *
 * Instructions that are alike but for places, extents and waits are a family. Copies of a layer
 * take turns with ranges of columns, so a family is cut into stripes: at each column where many
 * regions begin whose left neighbour is not the latest one of its own column. In a stripe a row may
 * begin before the one above has ended, so it has tracks, one for each row that is under way. A
 * track is a walker, with the extents that most of its regions have; where it would be elsewhere,
 * it is SET.
 *
 * In a body a family may end a frame, in a later stage, and begin the next one. It is looked at as
 * a frame has it, the beginning first, and each of its walkers goes on to the next frame with
 * FRAME, when its track does.
 */
#include "stream_encode.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TRACKS = 8, CUT_SHARE = 4 };

struct column { /* where regions of a family begin */
    uint32_t family;
    int32_t x;
    uint32_t n, n_cuts; /* regions, and those that do not go on from the left */
};
/* Boyer and Moore's vote: the value of more than half of all, if there is one. */
struct vote {
    int32_t value;
    uint32_t lead;
    bool any;
};
struct track {
    struct stream_walker k;
    struct stream_extension from;
    struct vote w_first, w, w_last, h_first, h, h_last, gap;
    struct stream_place last; /* region; h 0: none */
    bool used, is_long;
    bool ends, begins; /* has instructions that end a frame; that do not */
    bool parted;
    uint32_t its_ends; /* the track of them, if parted */
    uint32_t next, number;
};
struct stripe {
    uint32_t family;
    int32_t x, x1;
    uint32_t first_track, n_tracks;
};
struct walk {
    const struct isa_inst *insts;
    const struct isa_region **region; /* [instruction]: stream_region */
    uint32_t n;
    uint32_t n_families;
    uint32_t *family_of;
    bool *ends;      /* [instruction]: a frame that began in the iteration before */
    uint32_t *order; /* all instructions, these behind the others */
    VEC(struct column) columns;
    uint32_t n_stripes, *first_stripe; /* [family] */
    struct stripe *stripes;
    VEC(struct track) tracks;
    uint32_t *stripe_of, *track_of;
};

/* ---- families ---- */

/* From the region on; all 0 if that is where a walker without extension has them. */
static struct stream_extension extension_of(const struct isa_inst *i, const struct isa_region *r)
{
    unsigned uses = isa_op_desc(i->op)->uses;
    const uint32_t mask = (1u << STREAM_FAR_BITS) - 1;
    struct stream_extension e = {0};
    if (uses & USE_c)
        e = (struct stream_extension){.a_y = i->y - r->y, .a_x = i->x - r->x, .c = i->c};
    else if (uses & USE_a && r != &i->a && !(stream_from_origin(i->op) && !i->a.y && !i->a.x))
        e = (struct stream_extension){.a_y = i->a.y - r->y, .a_x = i->a.x - r->x};
    if (uses & USE_b)
        e.b_y = i->b.y - r->y, e.b_x = i->b.x - r->x;
    e.a_y &= mask, e.a_x &= mask, e.b_y &= mask, e.b_x &= mask;
    return e;
}

static bool is_far(const struct stream_extension *e)
{
    return e->a_y || e->a_x || e->b_y || e->b_x || e->c;
}

static uint32_t family_of(struct map *families, const struct isa_inst *i,
                          const struct isa_region *r)
{
    struct stream_extension e = {0};
    if (r)
        e = extension_of(i, r);
    const uint32_t key[] = {(uint32_t)i->op | (uint32_t)i->queue << 8 | (uint32_t)i->flags << 16,
                            i->obj | (uint32_t)i->dst.view << 16,
                            i->a.view | (uint32_t)i->b.view << 16,
                            e.a_y,
                            e.a_x,
                            e.b_y,
                            e.b_x,
                            e.c};
    return map_intern(families, key, sizeof key, (uint32_t)families->n);
}

/* Stages of a family's instructions. If there are more than two each is a family of its own. */
struct stages {
    uint8_t least, most;
    bool any;
};

static void note_stage(struct stages *s, uint8_t stage)
{
    s->least = s->any && s->least < stage ? s->least : stage;
    s->most = s->any && s->most > stage ? s->most : stage;
    s->any = true;
}

static void part_stages(struct walk *w, const struct stages *stages)
{
    struct map families = {0};
    for (uint32_t i = 0; i < w->n; i++) {
        const struct stages *s = &stages[w->family_of[i]];
        bool apart = s->most - s->least > 1;
        uint32_t stage = apart ? w->insts[i].stage : 0;
        w->ends[i] = !apart && w->insts[i].stage > s->least;
        w->family_of[i] =
            map_intern_u64(&families, map_pair(w->family_of[i], stage), (uint32_t)families.n);
    }
    w->n_families = (uint32_t)families.n;
    map_free(&families);
}

static void find_families(struct walk *w, struct arena *a)
{
    struct map families = {0};
    struct stages *stages = ARENA_ARRAY(a, struct stages, w->n);
    w->family_of = ARENA_ARRAY(a, uint32_t, w->n);
    w->region = ARENA_ARRAY(a, const struct isa_region *, w->n);
    w->ends = ARENA_ARRAY(a, bool, w->n);
    w->order = ARENA_ARRAY(a, uint32_t, w->n);
    for (uint32_t i = 0; i < w->n; i++) {
        w->region[i] = stream_region(&w->insts[i]);
        w->family_of[i] = family_of(&families, &w->insts[i], w->region[i]);
        note_stage(&stages[w->family_of[i]], w->insts[i].stage);
    }
    map_free(&families);
    part_stages(w, stages);
    uint32_t n = 0;
    for (int ends = 0; ends < 2; ends++)
        for (uint32_t i = 0; i < w->n; i++)
            if (w->ends[i] == ends)
                w->order[n++] = i;
}

/* ---- stripes ---- */

static int compare_columns(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    return x->x < y->x ? -1 : x->x > y->x;
}

/* A column of a family that is likely to be asked for next. */
struct recent {
    int32_t x;
    uint32_t column; /* number + 1, or 0 */
};

static uint32_t column_at(struct walk *w, struct map *known, struct recent *likely, uint32_t family,
                          int32_t x)
{
    if (likely->column && likely->x == x)
        return likely->column - 1;
    uint32_t i = map_intern_u64(known, map_pair(family, (uint32_t)x), (uint32_t)w->columns.n);
    if (i == w->columns.n)
        VEC_PUSH(&w->columns, ((struct column){family, x, 0, 0}));
    *likely = (struct recent){x, i + 1};
    return i;
}

/* All columns, sorted. An edge is where a region ends, a column too: `row` is that of the latest.
 */
static void find_columns(struct walk *w, struct arena *a)
{
    struct map known = {0};
    VEC(int32_t) row = {0};
    struct recent *start = ARENA_ARRAY(a, struct recent, w->n_families);
    struct recent *edges = ARENA_ARRAY(a, struct recent, w->n_families);
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t i = w->order[k];
        const struct isa_region *r = w->region[i];
        uint32_t family = w->family_of[i];
        int32_t x = r ? r->x : 0;
        struct recent *from = edges[family].x == x ? &edges[family] : &start[family];
        uint32_t at = column_at(w, &known, from, family, x);
        uint32_t edge = r ? column_at(w, &known, &edges[family], family, x + w->insts[i].w) : at;
        while (row.n < w->columns.n)
            VEC_PUSH(&row, INT32_MIN);
        w->columns.at[at].n++;
        w->columns.at[at].n_cuts += r && row.at[at] != r->y;
        if (r)
            row.at[edge] = r->y;
    }
    VEC_FREE(&row);
    map_free(&known);
    if (w->columns.n)
        qsort(w->columns.at, w->columns.n, sizeof *w->columns.at, compare_columns);
}

static void cut_stripes(struct walk *w, struct arena *a)
{
    w->stripes = ARENA_ARRAY(a, struct stripe, w->columns.n);
    w->first_stripe = ARENA_ARRAY(a, uint32_t, (size_t)w->n_families + 1);
    for (size_t i = 0; i < w->columns.n; i++) {
        const struct column *c = &w->columns.at[i];
        bool is_first = i == 0 || w->columns.at[i - 1].family != c->family;
        if (!is_first && (c->n == 0 || c->n_cuts * CUT_SHARE < c->n))
            continue;
        w->stripes[w->n_stripes++] =
            (struct stripe){.family = c->family, .x = c->x, .first_track = UINT32_MAX};
        w->first_stripe[c->family + 1] = w->n_stripes;
    }
}

/* The family's last stripe that does not begin right of x. */
static uint32_t stripe_at(const struct walk *w, uint32_t family, int32_t x)
{
    uint32_t lo = w->first_stripe[family], hi = w->first_stripe[family + 1];
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (w->stripes[mid].x <= x)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static void assign_stripes(struct walk *w, struct arena *a)
{
    w->stripe_of = ARENA_ARRAY(a, uint32_t, w->n);
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t i = w->order[k];
        const struct isa_region *r = w->region[i];
        uint32_t s = w->stripe_of[i] = stripe_at(w, w->family_of[i], r ? r->x : 0);
        int32_t x1 = r ? r->x + w->insts[i].w : 0;
        if (x1 > w->stripes[s].x1)
            w->stripes[s].x1 = x1;
    }
}

/* ---- tracks ---- */

/* Does the region follow the track's last one, in its row, or as the start of another? */
static bool goes_on(const struct track *t, const struct stripe *s, const struct isa_region *r)
{
    if (r->x != s->x)
        return t->last.y == r->y && t->last.x + t->last.w == r->x;
    return t->last.x + t->last.w == s->x1 && t->last.y < r->y;
}

static uint32_t new_track(struct walk *w, struct stripe *s)
{
    VEC_PUSH(&w->tracks, ((struct track){.next = s->first_track}));
    s->first_track = (uint32_t)w->tracks.n - 1;
    s->n_tracks++;
    return s->first_track;
}

/* The latest track that the region goes on from; a new one for a row that begins too early; else
 * any.
 */
static uint32_t track_at(struct walk *w, struct stripe *s, const struct isa_region *r)
{
    if (s->first_track == UINT32_MAX)
        return new_track(w, s);
    for (uint32_t t = r ? s->first_track : UINT32_MAX; t != UINT32_MAX; t = w->tracks.at[t].next)
        if (goes_on(&w->tracks.at[t], s, r))
            return t;
    return r && r->x == s->x && s->n_tracks < MOST_TRACKS ? new_track(w, s) : s->first_track;
}

static void assign_tracks(struct walk *w, struct arena *a)
{
    w->track_of = ARENA_ARRAY(a, uint32_t, w->n);
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t i = w->order[k];
        const struct isa_inst *in = &w->insts[i];
        const struct isa_region *r = w->region[i];
        uint32_t t = w->track_of[i] = track_at(w, &w->stripes[w->stripe_of[i]], r);
        if (r)
            w->tracks.at[t].last = (struct stream_place){r->y, r->x, in->w, in->h};
    }
    for (size_t i = 0; i < w->tracks.n; i++)
        w->tracks.at[i].last = (struct stream_place){0};
}

/* A walker goes on to the next frame once. Where a track has not ended one when it begins the next
 * one, its ends are a track of their own. */
static void part_tracks(struct walk *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        struct track *t = &w->tracks.at[w->track_of[i]];
        t->parted |= t->begins && w->ends[i];
        t->begins |= !w->ends[i];
    }
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t t = w->track_of[i];
        if (!w->ends[i] || !w->tracks.at[t].parted)
            continue;
        if (w->tracks.at[t].its_ends == 0) {
            w->tracks.at[t].its_ends = (uint32_t)w->tracks.n;
            VEC_PUSH(&w->tracks, ((struct track){0}));
        }
        w->track_of[i] = w->tracks.at[t].its_ends;
    }
    for (size_t i = 0; i < w->tracks.n; i++)
        w->tracks.at[i].begins = false;
}

/* ---- rasters ---- */

static void cast_vote(struct vote *v, int32_t value)
{
    v->any = true;
    if (v->lead == 0)
        v->value = value;
    v->lead += v->value == value ? 1 : -1u;
}

/* What all of a track's instructions share, and how far it reaches. */
static void bound_track(struct track *t, const struct isa_inst *i, const struct isa_region *r)
{
    struct stream_walker *k = &t->k;
    if (!t->used) {
        *k = (struct stream_walker){.op = i->op,
                                    .queue = i->queue,
                                    .flags = i->flags,
                                    .stage = i->stage,
                                    .obj = i->obj,
                                    .dst = i->dst.view,
                                    .a = i->a.view,
                                    .b = i->b.view};
        if (r) {
            t->from = extension_of(i, r);
            k->xs = k->ys = UINT32_MAX;
        }
    }
    t->used = true;
    if (i->stage > k->stage)
        k->stage = i->stage;
    if (!r)
        return;
    /* What lies outside the numbers of a walker is SET. */
    int64_t xs = max_i64(r->x, 0), ys = max_i64(r->y, 0);
    k->xs = (uint32_t)min_i64(k->xs, xs);
    k->ys = (uint32_t)min_i64(k->ys, ys);
    k->x1 = (uint32_t)max_i64(k->x1, xs + i->w);
    k->y1 = (uint32_t)max_i64(k->y1, ys + i->h);
}

static void count_votes(struct track *t, const struct isa_inst *i, const struct isa_region *r)
{
    const struct stream_walker *k = &t->k;
    if (!r)
        return;
    bool right = r->x + i->w == (int32_t)k->x1, bottom = r->y + i->h == (int32_t)k->y1;
    cast_vote(right ? &t->w_last : r->x == (int32_t)k->xs ? &t->w_first : &t->w, i->w);
    cast_vote(bottom ? &t->h_last : r->y == (int32_t)k->ys ? &t->h_first : &t->h, i->h);
    int32_t gap = r->y - (t->last.y + t->last.h);
    if (t->last.h && r->x == (int32_t)k->xs && gap >= 0 && gap < 16)
        cast_vote(&t->gap, gap);
    t->last = (struct stream_place){r->y, r->x, i->w, i->h};
}

/* Extents of an axis: where the last one is no longer than the others, any limit up to theirs does.
 */
static void settle(const struct vote *first, const struct vote *usual, const struct vote *last,
                   uint32_t *out_first, uint32_t *out_usual, uint32_t *out_last)
{
    int32_t u = usual->any ? usual->value : first->any ? first->value : last->value;
    *out_usual = (uint32_t)u;
    *out_first = (uint32_t)(first->any ? first->value : u);
    *out_last = (uint32_t)(last->any && last->value > u ? last->value : u);
}

static void settle_track(struct track *t)
{
    struct stream_walker *k = &t->k;
    bool has_region = t->last.h != 0;
    if (!has_region)
        return;
    settle(&t->w_first, &t->w, &t->w_last, &k->w_first, &k->w, &k->w_last);
    settle(&t->h_first, &t->h, &t->h_last, &k->h_first, &k->h, &k->h_last);
    k->gap = t->gap.any ? (uint32_t)t->gap.value : 0;
    t->is_long = is_far(&t->from) || k->w != k->w_first || k->w != k->w_last || k->h != 1 ||
                 k->h_first != 1 || k->h_last != 1 || k->gap || k->x1 >> 14 || k->y1 >> 13 ||
                 k->w >> 13;
}

static void fit_tracks(struct walk *w)
{
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t i = w->order[k];
        struct track *t = &w->tracks.at[w->track_of[i]];
        bound_track(t, &w->insts[i], w->region[i]);
        t->ends |= w->ends[i];
        t->begins |= !w->ends[i];
    }
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t i = w->order[k];
        count_votes(&w->tracks.at[w->track_of[i]], &w->insts[i], w->region[i]);
    }
    for (size_t i = 0; i < w->tracks.n; i++)
        settle_track(&w->tracks.at[i]);
}

/* ---- numbers ---- */

/* Walkers in order of first appearance, short ones first. */
static void number_walkers(struct walk *w, struct arena *a, struct stream_walks *out)
{
    uint32_t *order = ARENA_ARRAY(a, uint32_t, w->tracks.n), n = 0;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->tracks.at[w->track_of[i]].used) {
            w->tracks.at[w->track_of[i]].used = false;
            order[n++] = w->track_of[i];
        }
    out->walkers = ARENA_ARRAY(a, struct stream_walker, n);
    out->extensions = ARENA_ARRAY(a, struct stream_extension, n);
    for (int is_long = 0; is_long < 2; is_long++)
        for (uint32_t i = 0; i < n; i++) {
            struct track *t = &w->tracks.at[order[i]];
            if (t->is_long != is_long)
                continue;
            if (is_far(&t->from)) {
                out->extensions[out->n_extensions++] = t->from;
                t->k.extension = out->n_extensions;
            }
            out->n_short += !is_long;
            t->number = out->n_walkers++;
            out->walkers[t->number] = t->k;
        }
}

/* Which instructions their walkers miss, and with which they go on to the next frame. */
static void follow(const struct walk *w, struct arena *a, struct stream_walks *out)
{
    struct stream_state *states = ARENA_ARRAY(a, struct stream_state, out->n_walkers);
    for (uint32_t k = 0; k < out->n_walkers; k++)
        stream_start(&out->walkers[k], &states[k]);
    for (uint32_t at = 0; at < w->n; at++) {
        uint32_t i = w->order[at];
        const struct isa_inst *inst = &w->insts[i];
        const struct isa_region *r = w->region[i];
        struct track *t = &w->tracks.at[w->track_of[i]];
        uint32_t k = out->walker_of[i] = t->number;
        struct stream_place p;
        out->frame[i] = t->ends && t->begins && !w->ends[i];
        t->begins &= w->ends[i]; /* once */
        if (!r)
            continue;
        if (stream_step(&out->walkers[k], &states[k], &p) && p.y == r->y && p.x == r->x &&
            p.h == inst->h && p.w == inst->w)
            continue;
        out->set[i] = true;
        states[k] = (struct stream_state){r->y, r->x, inst->w, inst->h};
        if (!stream_step(&out->walkers[k], &states[k], &p))
            BUG("%s of %u x %u", isa_op_name(inst->op), inst->h, inst->w);
    }
}

bool stream_walk(const struct isa_inst *insts, uint32_t n, struct arena *a,
                 struct stream_walks *out)
{
    struct walk w = {.insts = insts, .n = n};
    *out = (struct stream_walks){.walker_of = ARENA_ARRAY(a, uint32_t, n),
                                 .set = ARENA_ARRAY(a, bool, n),
                                 .frame = ARENA_ARRAY(a, bool, n)};
    find_families(&w, a);
    find_columns(&w, a);
    cut_stripes(&w, a);
    assign_stripes(&w, a);
    assign_tracks(&w, a);
    part_tracks(&w);
    fit_tracks(&w);
    number_walkers(&w, a, out);
    follow(&w, a, out);
    VEC_FREE(&w.columns);
    VEC_FREE(&w.tracks);
    return out->n_walkers <= STREAM_MAX_WALKERS;
}
