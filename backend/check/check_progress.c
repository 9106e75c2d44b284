/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_progress.c - one abstract run of all streams: no time, one waiting instruction a queue,
 * messages delivered at once. The machine is persistent (counters only grow, queues are in order,
 * nothing chooses), so one run that ends proves that every run ends, with the same values; a run
 * that is stuck is stuck for every timing. A body runs iteration by iteration: no instruction may
 * wait for what a later iteration does.
 */
#include "check_meaning.h"

#include <stdlib.h>

struct run {
    struct check *k;
    uint32_t *tiles; /* circular list of tiles that may go on */
    uint32_t head, n;
};

static void wake_tile(struct run *r, struct tile_state *t)
{
    if (t->listed)
        return;
    t->listed = true;
    r->tiles[(r->head + r->n++) % r->k->p->n_tiles] = t->number;
}

static void make_ready(struct tile_state *t, uint32_t q)
{
    t->queues[q].next = t->ready;
    t->ready = q;
}

static void count_up(struct tile_state *t, struct counter *c)
{
    c->count++;
    for (uint32_t *link = &c->first_blocked; *link != CHECK_NONE;) {
        uint32_t q = *link;
        if (t->queues[q].awaited > c->count) {
            link = &t->queues[q].next;
            continue;
        }
        *link = t->queues[q].next;
        make_ready(t, q);
    }
}

static int64_t frame_of(const struct check *k, const struct isa_inst *in)
{
    return (int64_t)k->iteration - in->stage;
}

/* Skipped: an instruction for a frame that the run does not have. It only counts. What is for the
 * last frame runs in each one: any may be the last. */
static bool is_skipped(const struct check *k, const struct isa_inst *in)
{
    int64_t frame = frame_of(k, in);
    bool first = in->op == ISA_load && in->flags & DMA_FIRST;
    return frame < 0 || frame >= (first ? 1 : k->n_frames);
}

static const struct isa_wait *unmet_wait(const struct check *k, struct tile_state *t,
                                         const struct isa_inst *in)
{
    for (unsigned i = 0; i < in->n_waits && !is_skipped(k, in); i++) {
        int64_t awaited = check_awaited(k, t, &in->wait[i]);
        if (awaited > 0 && awaited > check_counter(t, &in->wait[i])->count)
            return &in->wait[i]; /* the pace's counter, which is none of these, is not awaited */
    }
    return NULL;
}

/* SENDs with an effect have told it when they delivered. */
static void send_counts(struct run *r, struct actor *a, bool told)
{
    const struct isa_route *route = &a->t->t->routes[a->in->obj];
    for (uint32_t i = 0; i < route->n_targets; i++) {
        const struct isa_target *to = &route->targets[i];
        struct tile_state *t = &r->k->tiles[to->tile];
        if (!told || a->in->op == ISA_signal)
            check_clock_message(r->k, a, to);
        count_up(t, &t->counters[t->n_queues + to->counter - ISA_FIRST_INBOUND]);
        wake_tile(r, t);
    }
}

/* The head of the queue runs if its waits hold, else it goes to the list of the counter it needs.
 */
static void try_head(struct run *r, struct tile_state *t, uint32_t q)
{
    struct queue_state *s = &t->queues[q];
    const struct isa_wait *w = unmet_wait(r->k, t, s->head);
    if (w) {
        struct counter *c = check_counter(t, w);
        s->awaited = (uint32_t)check_awaited(r->k, t, w);
        s->next = c->first_blocked;
        c->first_blocked = q;
        return;
    }
    const struct isa_inst *in = s->head;
    bool skipped = is_skipped(r->k, in);
    const uint32_t *clock = check_clock_start(r->k, t, q, skipped);
    struct actor a = {.k = r->k,
                      .t = t,
                      .in = in,
                      .index = s->head_index,
                      .queue = q,
                      .number = t->counters[q].count + 1,
                      .frame = frame_of(r->k, in),
                      .first_order = r->k->orders.n,
                      .first_state_order = r->k->state_orders.n,
                      .clock = clock};
    if (r->k->orders_only && !skipped)
        check_orders_hold(&a);
    else if (!skipped)
        check_effect(&a);
    s->full = false;
    check_clock_complete(t, q, a.number);
    count_up(t, &t->counters[q]);
    if (in->op == ISA_send || in->op == ISA_signal)
        send_counts(r, &a, !skipped && !r->k->orders_only);
}

/* The sequencer's next instruction enters its queue, if that has room. */
static bool dispatch(struct tile_state *t)
{
    if (t->position == t->t->n_insts)
        return false;
    const struct isa_inst *next = &t->t->insts[t->position];
    struct queue_state *s = &t->queues[next->queue];
    if (s->full)
        return false;
    s->full = true;
    s->head = next;
    s->head_index = t->position++;
    make_ready(t, next->queue);
    return true;
}

static void run_tile(struct run *r, struct tile_state *t)
{
    do {
        while (t->ready != CHECK_NONE && !check_gave_up(r->k)) {
            uint32_t q = t->ready;
            leave_if_cancelled();
            t->ready = t->queues[q].next;
            try_head(r, t, q);
        }
    } while (!check_gave_up(r->k) && dispatch(t));
}

/* ---- deadlock ---- */

static void report_head(struct check *k, struct tile_state *t, const struct queue_state *s)
{
    const struct isa_wait *w = unmet_wait(k, t, s->head);
    if (!w)
        return;
    uint32_t count = check_counter(t, w)->count, awaited = (uint32_t)check_awaited(k, t, w);
    if (w->counter < ISA_FIRST_INBOUND) {
        check_fault_at(k, t->number, s->head_index,
                       "never starts: waits for queue %u to complete %u "
                       "instructions, it stops at %u",
                       w->counter, awaited, count);
        return;
    }
    const struct channel *c = &t->channels[w->counter - ISA_FIRST_INBOUND];
    const struct queue_state *writer = &k->tiles[c->tile].queues[c->queue];
    check_fault_at(k, t->number, s->head_index,
                   "never starts: waits for message %u on counter %u, has "
                   "%u; they come from queue %u of tile %u, which stands at %s %u",
                   awaited, w->counter, count, c->queue, c->tile,
                   writer->full ? "instruction" : "stream position",
                   writer->full ? writer->head_index : k->tiles[c->tile].position);
}

static bool all_done(struct check *k)
{
    bool done = true;
    for (uint32_t i = 0; i < k->p->n_tiles && !check_gave_up(k); i++) {
        struct tile_state *t = &k->tiles[i];
        for (unsigned q = 0; q < t->n_queues; q++)
            if (t->queues[q].full) {
                report_head(k, t, &t->queues[q]);
                done = false;
            }
    }
    return done && !check_gave_up(k);
}

bool check_progress_run(struct check *k)
{
    struct run r = {k, heap_alloc(((size_t)k->p->n_tiles + 1) * sizeof *r.tiles), 0, 0};
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        k->tiles[i].position = 0;
        wake_tile(&r, &k->tiles[i]);
    }
    while (r.n && !check_gave_up(k)) {
        struct tile_state *t = &k->tiles[r.tiles[r.head]];
        r.head = (r.head + 1) % k->p->n_tiles;
        r.n--;
        t->listed = false;
        run_tile(&r, t);
    }
    heap_free(r.tiles);
    return all_done(k);
}
