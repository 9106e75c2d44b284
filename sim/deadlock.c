/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * deadlock.c - who waits for whom, once nothing can happen any more.
 *
 * In: the stopped state. Out: one DEADLOCK error; a note for each queue of the circle of waits, or
 * for each blocked queue where the writer has simply ended. Every blocked queue waits on one
 * counter, every counter has one writing queue, and a queue that cannot go on has a blocked head or
 * is starved by a full queue of its tile. So the waits form a graph with one way out of each queue:
 * following it ends in a circle or at a writer whose stream is over.
 */
#include "sim_internal.h"

enum { MOST_NOTES = 12 };

bool sim_finished(const struct sim *s)
{
    return s->n_done == sim_n_instances(s);
}

/* The stopped state, and the queue that adds to each counter, or SIM_NONE. */
struct stopped {
    struct sim *s;
    uint32_t *writer;
};

static struct stopped look_at(struct sim *s)
{
    struct stopped x = {s, NULL};
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->p->n_tiles; i++)
        n += s->tiles[i].n_counters;
    x.writer = ARENA_ARRAY(s->arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++)
        x.writer[i] = SIM_NONE;
    for (uint32_t i = 0; i < s->p->n_tiles; i++)
        for (uint32_t q = 0; q < s->tiles[i].n_queues; q++)
            x.writer[s->tiles[i].first_counter + q] = s->tiles[i].first_queue + q;
    for (uint32_t i = 0; i < s->n_targets; i++)
        if (s->targets[i].used)
            x.writer[s->targets[i].counter] = s->targets[i].queue;
    return x;
}

/* What keeps the writer from going on: itself, if its head is blocked; else the full queue its
 * tile's sequencer stands at; SIM_NONE if all its instructions are done. */
static uint32_t culprit_of(const struct sim *s, uint32_t writer)
{
    const struct sim_queue *q = &s->queues[writer];
    if (q->waiting > 0)
        return writer;
    if (q->head == SIM_NONE)
        return SIM_NONE;
    const struct sim_tile *t = &s->tiles[q->tile];
    return s->insts[t->first_inst + t->pc].queue;
}

static uint32_t next_of(const struct stopped *x, uint32_t queue)
{
    uint32_t writer = x->writer[x->s->queues[queue].parked_on];
    return writer == SIM_NONE ? SIM_NONE : culprit_of(x->s, writer);
}

static void describe_writer(const struct stopped *x, uint32_t queue, struct text *out)
{
    const struct sim *s = x->s;
    uint32_t writer = x->writer[s->queues[queue].parked_on];
    if (writer == SIM_NONE) {
        text_add(out, "; nobody writes it");
        return;
    }
    uint32_t tile = s->queues[writer].tile, culprit = culprit_of(s, writer);
    text_add(out, "; tile %u queue %u writes it", tile, writer - s->tiles[tile].first_queue);
    if (culprit == SIM_NONE)
        text_add(out, " and has no instruction left");
    else if (culprit != writer)
        text_add(out, " and waits for the sequencer, which stands at full queue %u",
                 culprit - s->tiles[tile].first_queue);
}

/* How far a threshold is above a count. */
static uint32_t ahead(uint32_t threshold, uint32_t count)
{
    return (threshold - count) & ((1u << ISA_THRESHOLD_BITS) - 1);
}

/* Counter names as in assembly: q3, i12. */
static void note_queue(const struct stopped *x, uint32_t queue)
{
    struct sim *s = x->s;
    const struct sim_queue *q = &s->queues[queue];
    const struct sim_tile *t = &s->tiles[q->tile];
    uint32_t counter = q->parked_on - t->first_counter, id = q->head;
    uint32_t count = s->counters[q->parked_on].count;
    bool inbound = counter >= t->n_queues;
    struct text out = {0};
    text_add(&out, "waits for %c%u >= %u, which is %u", inbound ? 'i' : 'q',
             inbound ? counter - t->n_queues + ISA_FIRST_INBOUND : counter,
             count + ahead(q->threshold, count), count);
    describe_writer(x, queue, &out);
    uint32_t frame = sim_frame_of(s, &s->insts[id], q->head_iteration);
    diag_note(s->d, sim_loc(s, q->tile, id - t->first_inst, frame), "%s", out.at);
    text_free(&out);
}

/* Follows the waits from each blocked queue; returns a queue of a circle, or SIM_NONE. */
static uint32_t find_circle(const struct stopped *x)
{
    const struct sim *s = x->s;
    uint32_t *seen = ARENA_ARRAY(s->arena, uint32_t, s->n_queues);
    for (uint32_t q = 0; q < s->n_queues; q++) {
        if (s->queues[q].parked_on == SIM_NONE)
            continue;
        uint32_t at = q;
        while (at != SIM_NONE && seen[at] == 0) {
            seen[at] = q + 1;
            at = next_of(x, at);
        }
        if (at != SIM_NONE && seen[at] == q + 1)
            return at;
    }
    return SIM_NONE;
}

static void note_circle(const struct stopped *x, uint32_t from)
{
    uint32_t at = from;
    for (unsigned n = 0; n < MOST_NOTES; n++) {
        note_queue(x, at);
        at = next_of(x, at);
        if (at == from)
            return;
    }
    diag_note(x->s->d, (struct loc){0}, "and so on, back to the first");
}

/* Queues whose wait nobody can fulfil any more come first: the others wait for these. */
static void note_ends(const struct stopped *x)
{
    const struct sim *s = x->s;
    unsigned n = 0;
    for (int others = 0; others <= 1; others++)
        for (uint32_t q = 0; q < s->n_queues && n < MOST_NOTES; q++) {
            if (s->queues[q].parked_on == SIM_NONE || (next_of(x, q) != SIM_NONE) != others)
                continue;
            note_queue(x, q);
            n++;
        }
}

bool sim_diagnose_deadlock(struct sim *s)
{
    const struct stopped x = look_at(s);
    uint32_t blocked = 0, circle = find_circle(&x);
    for (uint32_t q = 0; q < s->n_queues; q++)
        blocked += s->queues[q].parked_on != SIM_NONE;
    diag_error(
        s->d, (struct loc){.file = s->p->file.path}, DIAG_DEADLOCK,
        "the machine cannot go on at cycle %llu: %llu of %llu instructions are done, %u queues "
        "are blocked%s",
        (unsigned long long)s->time.now, (unsigned long long)s->n_done,
        (unsigned long long)sim_n_instances(s), blocked,
        circle == SIM_NONE ? "" : "; these wait for each other in a circle:");
    if (circle != SIM_NONE)
        note_circle(&x, circle);
    else
        note_ends(&x);
    return false;
}
