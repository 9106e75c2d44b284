/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_shadow.c - what lies where in each tile's buffer, and who wrote it.
 *
 * Every element of memory that a view shows has a mark: the event that wrote it and the tag of the
 * logical element it holds. Neighbours that are always used together (channels of a pixel) share
 * one, a grain; a grain is cut up when an access begins or ends inside it. A read needs the writing
 * event to be in the reader's clock. A write needs the events it overwrites and all readers of the
 * old contents in the writer's knowledge.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 };

/*
 * Smaller grains: each old one becomes several with consecutive tags. An element nobody has written
 * (mark 0) stays so in all its parts; else the tag, the low half of a mark, grows by the places
 * that lie between, and the event, the high half, is the same. Any access may do this; it seldom
 * happens, since a grain only ever becomes a divisor of itself.
 */
static void refine(struct cluster *c, uint64_t grain)
{
    uint64_t *marks = check_new_marks(c, grain), parts = c->grain / grain;
    if (!marks)
        out_of_memory((size_t)(check_n_places(c) / grain) * sizeof *marks);
    for (uint64_t i = 0; i < check_n_places(c) / c->grain; i++)
        for (uint64_t j = 0; c->marks[i] && j < parts; j++)
            marks[i * parts + j] = c->marks[i] + j * grain;
    heap_free(c->marks);
    c->marks = marks;
    c->grain = grain;
}

/* The marks of n elements from `place` on, in whole grains. */
static uint64_t *whole_grains(struct cluster *c, uint64_t place, uint32_t n)
{
    if (place % c->grain || n % c->grain)
        refine(c, gcd_u64(c->grain, gcd_u64(place, n)));
    return c->marks + place / c->grain;
}

/* How many marks are first, first + step, ...: same event, consecutive tags. */
static uint32_t count_consecutive(const uint64_t *m, uint32_t n, uint64_t first, uint64_t step)
{
    uint32_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint64_t differ = 0;
        for (uint32_t j = 0; j < BLOCK; j++)
            differ |= m[i + j] ^ (first + (i + j) * step);
        if (differ)
            break;
    }
    while (i < n && m[i] == first + i * step)
        i++;
    return i;
}

/* Of another frame: the right element of the wrong one. */
static bool wrong_frame(struct actor *a, uint64_t mark, int64_t frame)
{
    char what[256];
    return check_fault(a, "reads %s of frame %" PRId64,
                       check_tag_text(a->k, (uint32_t)mark, what, sizeof what), frame);
}

static int64_t frame_of(const struct check *k, const struct tile_state *t, uint32_t event,
                        int64_t frame)
{
    return k->body && event ? check_frame_of(t, event_dim(event), event_number(event)) : frame;
}

/* Without a graph nobody says what is a state. */
static bool is_frame(const struct actor *a, const struct cluster *c, int64_t frame, int64_t wanted)
{
    return frame == wanted || (!a->k->g && c->state && frame == a->frame - 1);
}

static bool event_visible(struct actor *a, const struct cluster *place, uint64_t mark, int64_t back)
{
    uint32_t event = (uint32_t)(mark >> 32), dim = event_dim(event);
    int64_t frame = frame_of(a->k, a->t, event, a->frame - back);
    if (!is_frame(a, place, frame, a->frame - back))
        return wrong_frame(a, mark, frame);
    check_keep_order(a, a->t, dim, event_number(event));
    if (a->clock[dim] >= event_number(event))
        return true;
    char what[256];
    check_tag_text(a->k, (uint32_t)mark, what, sizeof what);
    const struct tile_state *t = a->t;
    if (dim < t->n_queues)
        return check_fault(
            a,
            "reads %s without waiting for instruction %u of queue %u, which writes it "
            "(known: %u completed)",
            what, event_number(event), dim, a->clock[dim]);
    const struct channel *c = &t->channels[dim - t->n_queues];
    return check_fault(a,
                       "reads %s without waiting for message %u from queue %u of tile %u, which "
                       "brings it (known: %u arrived)",
                       what, event_number(event), c->queue, c->tile, a->clock[dim]);
}

static bool wrong_element(struct actor *a, uint64_t mark, uint32_t tag)
{
    char found[256], wanted[256];
    check_tag_text(a->k, (uint32_t)mark, found, sizeof found);
    check_tag_text(a->k, tag, wanted, sizeof wanted);
    if ((uint32_t)mark == 0 && tag == 0)
        return check_fault(a, "reads memory that was never written");
    return check_fault(a, "reads %s where %s belongs", found, tag ? wanted : "something");
}

/* Is the tag one of the value that `tag` belongs to? Then it is certainly the wrong element of it.
 */
static bool same_range(const struct check *k, uint32_t found, uint32_t tag)
{
    const struct tag_range *r = check_range_of(k, tag);
    return r && found >= r->base && found < r->base + r->n;
}

bool check_read_run(struct actor *a, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag,
                    int64_t back)
{
    const uint64_t *m = whole_grains(c, place, n);
    uint32_t grain = (uint32_t)c->grain, n_marks = n / grain;
    for (uint32_t i = 0; i < n_marks;) {
        uint32_t found = (uint32_t)m[i], want = tag ? tag + i * grain : 0;
        bool wrong = tag && found != want && (a->k->g || same_range(a->k, found, want));
        if (found == 0 || wrong)
            return wrong_element(a, m[i], want);
        if (!event_visible(a, c, m[i], back))
            return false;
        i += count_consecutive(m + i, n_marks - i, m[i], grain);
    }
    return true;
}

/* ---- writing ---- */

/* An element written in the slot's present life: then the life's readers matter, too. */
static bool of_this_life(const struct writer *w, uint32_t event)
{
    if (!w->lives)
        return true;
    if (event == 0)
        return !w->slot->lapped;
    for (uint32_t i = 0; i < w->slot->n_writers; i++)
        if (w->slot->writers[i].dim == event_dim(event))
            return event_number(event) >= w->slot->writers[i].first;
    return false;
}

static void want_readers(struct writer *w, const struct ring_slot *s)
{
    for (uint32_t i = 0; i < s->n_readers; i++)
        check_want_reader(w, s->readers[i].queue, s->readers[i].now, "the present contents");
}

static void overwrite_event(struct writer *w, uint64_t mark)
{
    uint32_t event = (uint32_t)(mark >> 32), dim = event_dim(event);
    if ((uint32_t)mark == 0)
        return;
    int64_t frame = frame_of(w->a->k, w->t, event, w->a->frame);
    if (frame > w->a->frame) {
        char what[256];
        check_fault(w->a, "overwrites %s of the later frame %" PRId64 " in tile %u",
                    check_tag_text(w->a->k, (uint32_t)mark, what, sizeof what), frame,
                    w->t->number);
        return;
    }
    if (dim != w->dim)
        check_keep_order(w->a, w->t, dim, event_number(event));
    if (event && dim != w->dim && w->known[dim] < event_number(event)) {
        char what[256];
        check_fault(w->a, "overwrites %s in tile %u, but may come before it (%s %u: known are %u)",
                    check_tag_text(w->a->k, (uint32_t)mark, what, sizeof what), w->t->number,
                    dim < w->t->n_queues ? "instruction" : "message", event_number(event),
                    w->known[dim]);
        return;
    }
    if (w->lives && of_this_life(w, event))
        want_readers(w, w->slot);
}

/* Without lives: who has read in the pieces of memory that hold one of the marks. */
static void overwrite_pieces(struct writer *w, const struct cluster *c, const uint64_t *m,
                             uint32_t n)
{
    const uint64_t each = c->slot_bytes / c->place_bytes / c->grain,
                   first = (uint64_t)(m - c->marks);
    for (uint64_t i = first, end; i < first + n; i = end) {
        uint64_t slot = i / each, any = 0;
        end = (slot + 1) * each < first + n ? (slot + 1) * each : first + n;
        for (uint64_t j = i; j < end; j++)
            any |= c->marks[j];
        if (any)
            want_readers(w, &c->slots[slot]);
    }
}

static void overwrite(struct writer *w, const struct cluster *c, const uint64_t *m, uint32_t n)
{
    uint64_t any = 0, differ = 0;
    for (uint32_t i = 0; i < n; i++) {
        any |= m[i];
        differ |= (m[i] ^ m[0]) >> 32;
    }
    if (!any)
        return;
    if (!w->lives)
        overwrite_pieces(w, c, m, n);
    for (uint32_t i = 0; i < n; i++) {
        if ((uint32_t)m[i] == 0 || (i && m[i] >> 32 == m[i - 1] >> 32 && (uint32_t)m[i - 1]))
            continue;
        overwrite_event(w, m[i]);
        if (!differ)
            return;
    }
}

/* The same element twice. A ring may well meet it again a lap later, where a value shows one part
 * of another value in several places. */
static bool is_again(const struct writer *w, uint64_t mark, uint32_t tag)
{
    uint32_t event = (uint32_t)(mark >> 32);
    return (uint32_t)mark == tag && w->once && of_this_life(w, event) &&
           frame_of(w->a->k, w->t, event, w->a->frame) == w->a->frame;
}

static void written_again(struct writer *w, const uint64_t *m)
{
    char what[256];
    check_fault(w->a, "writes elements of tile %u that are there already, near %s", w->t->number,
                check_tag_text(w->a->k, (uint32_t)*m, what, sizeof what));
}

void check_write_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n, uint32_t tag)
{
    uint64_t *m = whole_grains(c, place, n);
    uint32_t grain = (uint32_t)c->grain, n_marks = n / grain;
    bool again = false;
    uint64_t first = (uint64_t)check_event(w->dim, w->number) << 32 | tag;
    overwrite(w, c, m, n_marks);
    for (uint32_t i = 0; i < n_marks; i++) {
        again |= is_again(w, m[i], tag + i * grain);
        m[i] = first + (uint64_t)i * grain;
    }
    if (again)
        written_again(w, m);
}

void check_copy_run(struct writer *w, struct cluster *c, uint64_t place, uint32_t n,
                    struct cluster *source, uint64_t from)
{
    whole_grains(c, place, n);
    whole_grains(source, from, n);
    if (c->grain != source->grain) {
        uint64_t grain = gcd_u64(c->grain, source->grain);
        whole_grains(c, place, (uint32_t)grain);
        whole_grains(source, from, (uint32_t)grain);
    }
    uint64_t *m = whole_grains(c, place, n), event = (uint64_t)check_event(w->dim, w->number) << 32;
    const uint64_t *f = whole_grains(source, from, n);
    uint32_t n_marks = n / (uint32_t)c->grain;
    bool again = false;
    overwrite(w, c, m, n_marks);
    for (uint32_t i = 0; i < n_marks; i++) {
        again |= is_again(w, m[i], (uint32_t)f[i]);
        m[i] = event | (uint32_t)f[i];
    }
    if (again)
        written_again(w, m);
}
