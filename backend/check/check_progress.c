/*
 * check_progress.c - one abstract run of all streams: no time, one waiting instruction a queue,
 * messages delivered at once. The machine is persistent (counters only grow, queues are in order,
 * nothing chooses), so one run that ends proves that every run ends, with the same values; a run
 * that is stuck is stuck for every timing.
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

/* The counter of a wait as a place in the tile's table. */
static struct counter *counter_of(struct tile_state *t, const struct isa_wait *w)
{
    return w->counter < ISA_FIRST_INBOUND
               ? &t->counters[w->counter]
               : &t->counters[t->n_queues + w->counter - ISA_FIRST_INBOUND];
}

static void count_up(struct tile_state *t, struct counter *c)
{
    c->count++;
    for (uint32_t *link = &c->first_blocked; *link != CHECK_NONE;) {
        uint32_t q = *link;
        if (t->queues[q].threshold > c->count) {
            link = &t->queues[q].next;
            continue;
        }
        *link = t->queues[q].next;
        make_ready(t, q);
    }
}

static const struct isa_wait *unmet_wait(struct tile_state *t, const struct isa_inst *in)
{
    for (unsigned i = 0; i < in->n_waits; i++)
        if (counter_of(t, &in->wait[i])->count < in->wait[i].threshold)
            return &in->wait[i];
    return NULL;
}

static void send_counts(struct run *r, struct actor *a)
{
    const struct isa_route *route = &a->t->t->routes[a->in->obj];
    for (uint32_t i = 0; i < route->n_targets; i++) {
        const struct isa_target *to = &route->targets[i];
        struct tile_state *t = &r->k->tiles[to->tile];
        if (a->in->op == ISA_signal)
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
    const struct isa_wait *w = unmet_wait(t, s->head);
    if (w) {
        struct counter *c = counter_of(t, w);
        s->threshold = w->threshold;
        s->next = c->first_blocked;
        c->first_blocked = q;
        return;
    }
    check_clock_start(t, q);
    const struct isa_inst *in = s->head;
    struct actor a = {.k = r->k,
                      .t = t,
                      .in = in,
                      .index = s->head_index,
                      .queue = q,
                      .number = t->counters[q].count + 1,
                      .clock = s->clock};
    check_effect(&a);
    s->full = false;
    check_clock_complete(t, q, a.number);
    count_up(t, &t->counters[q]);
    if (in->op == ISA_send || in->op == ISA_signal)
        send_counts(r, &a);
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
            t->ready = t->queues[q].next;
            try_head(r, t, q);
        }
    } while (!check_gave_up(r->k) && dispatch(t));
}

/* ---- deadlock ---- */

static void report_head(struct check *k, struct tile_state *t, const struct queue_state *s)
{
    const struct isa_wait *w = unmet_wait(t, s->head);
    if (!w)
        return;
    uint32_t count = counter_of(t, w)->count;
    if (w->counter < ISA_FIRST_INBOUND) {
        check_fault_at(k, t->number, s->head_index,
                       "never starts: waits for queue %u to complete %u "
                       "instructions, it stops at %u",
                       w->counter, w->threshold, count);
        return;
    }
    const struct channel *c = &t->channels[w->counter - ISA_FIRST_INBOUND];
    const struct queue_state *writer = &k->tiles[c->tile].queues[c->queue];
    check_fault_at(k, t->number, s->head_index,
                   "never starts: waits for message %u on counter %u, has "
                   "%u; they come from queue %u of tile %u, which stands at %s %u",
                   w->threshold, w->counter, count, c->queue, c->tile,
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
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        wake_tile(&r, &k->tiles[i]);
    while (r.n && !check_gave_up(k)) {
        struct tile_state *t = &k->tiles[r.tiles[r.head]];
        r.head = (r.head + 1) % k->p->n_tiles;
        r.n--;
        t->listed = false;
        run_tile(&r, t);
    }
    free(r.tiles);
    return all_done(k);
}
