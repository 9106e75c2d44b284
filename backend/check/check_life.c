/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_life.c - who reads and writes the slots of rings.
 *
 * Where the written views of a cluster agree on rows, each row is a slot and its life is the lap of
 * the ring: the first write of a lap turns the readers so far into readers of an earlier life, for
 * which every writer of the new life must have waited. Writing other columns of the row that is
 * being read is fine; writing an element of this life again needs this life's readers too. Where
 * they do not agree slots are pieces of memory without lives, and overwriting anything in one needs
 * all who have read there.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct ring_slot *slot_of(const struct check_view *v, int64_t frame, int64_t y,
                                 int64_t *life)
{
    int64_t u = check_ring_row(v, frame, y), ring = v->v->ring_rows;
    *life = floor_div_i64(u, ring);
    return &v->cluster->slots[u - ring * *life];
}

/* Room for one more in a list of n in the arena. Lists here are short, hundreds of thousands and
 * never freed, so they have no capacity field: its length says when a list is full, which is at 0,
 * 1, 2, 4, 8 ... entries, and then it moves to twice the room. */
static void *grown(struct check *k, void *at, uint32_t n, size_t bytes)
{
    if (n & (n - 1))
        return at; /* between powers of two there is room */
    void *more = arena_alloc(k->arena, (n ? 2 * (size_t)n : 1) * bytes);
    if (n)
        memcpy(more, at, n * bytes);
    return more;
}

static void note_reader(struct actor *a, struct ring_slot *s)
{
    for (uint32_t i = 0; i < s->n_readers; i++)
        if (s->readers[i].queue == a->queue && s->readers[i].stage == a->in->stage) {
            s->readers[i].now = a->number;
            return;
        }
    s->readers = grown(a->k, s->readers, s->n_readers, sizeof *s->readers);
    s->readers[s->n_readers++] = (struct slot_reader){a->queue, a->in->stage, a->number, 0};
}

/* Slots that a row of a view with another geometry touches. */
static void note_by_address(struct actor *a, const struct check_view *v, int64_t y)
{
    struct cluster *c = v->cluster;
    int64_t lo, hi;
    check_row_bytes(v->v, &lo, &hi);
    int64_t row = (int64_t)(check_place(v, a->frame, y, v->v->x0, 0) * c->place_bytes + c->lo);
    int64_t first = floor_div_i64(row + lo - (int64_t)c->slot_lo, (int64_t)c->slot_bytes);
    int64_t last = floor_div_i64(row + hi - 1 - (int64_t)c->slot_lo, (int64_t)c->slot_bytes);
    for (int64_t s = max_i64(first, 0); s <= min_i64(last, (int64_t)c->n_slots - 1); s++)
        note_reader(a, &c->slots[s]);
}

void check_note_read(struct actor *a, const struct check_view *v, int64_t y)
{
    struct cluster *c = v->cluster;
    if (!c->written)
        return;
    if (!v->in_ring) {
        note_by_address(a, v, y);
        return;
    }
    int64_t life;
    struct ring_slot *s = slot_of(v, a->frame, y, &life);
    if (!s->used) {
        s->used = true;
        s->life = life;
    }
    if (life < s->life)
        check_fault(a,
                    "reads row %" PRId64
                    " of view %td, whose place in the ring has been given to a "
                    "later row",
                    y, v->v - a->t->t->views);
    s->read |= life == s->life && !c->preloaded;
    note_reader(a, s);
}

void check_want_reader(struct writer *w, uint32_t queue, uint32_t number, const char *what)
{
    if (w->t == w->a->t && queue == w->a->queue && number == w->a->number)
        return; /* it reads in place */
    check_keep_order(w->a, w->t, queue, number);
    if (w->known[queue] >= number)
        return;
    check_fault(w->a,
                "overwrites memory of tile %u that instruction %u of its queue %u, a reader of "
                "%s, may still be reading (known: %u completed)",
                w->t->number, number, queue, what, w->known[queue]);
}

/* Who has read a row came after a writer of it, which came after all readers of older lives: in
 * their place those of the row will do. Else a ring would remember readers of many frames ago. */
static void end_life(struct ring_slot *s)
{
    bool passed_on = s->n_writers > 0 && s->read;
    for (uint32_t i = 0; i < s->n_readers; i++) {
        struct slot_reader *r = &s->readers[i];
        r->before = passed_on || r->now > r->before ? r->now : r->before;
        r->now = 0;
    }
    s->n_writers = 0;
    s->read = false;
    s->lapped = true;
}

static void begin_life(struct writer *w, struct ring_slot *s, int64_t life)
{
    if (s->used && life > s->life)
        end_life(s);
    if (!s->used || life > s->life)
        s->life = life;
    s->used = true;
    for (uint32_t i = 0; i < s->n_readers; i++) {
        check_want_reader(w, s->readers[i].queue, s->readers[i].before, "an older row");
        if (life < s->life)
            check_want_reader(w, s->readers[i].queue, s->readers[i].now, "a newer row");
    }
}

void check_begin_row(struct writer *w, const struct check_view *v, int64_t y)
{
    struct cluster *c = v->cluster;
    if (c->preloaded)
        w->t->preload_writes++;
    w->lives = c->ringed;
    w->slot = NULL;
    if (!c->ringed)
        return;
    int64_t life;
    struct ring_slot *s = slot_of(v, w->a->frame, y, &life);
    begin_life(w, s, life);
    w->slot = s;
    /* Other channels of the slot may be a lap ahead; this is no write of its present life then. */
    if (life < s->life)
        return;
    for (uint32_t i = 0; i < s->n_writers; i++)
        if (s->writers[i].dim == w->dim)
            return;
    s->writers = grown(w->a->k, s->writers, s->n_writers, sizeof *s->writers);
    s->writers[s->n_writers++] = (struct slot_writer){w->dim, w->number};
}
