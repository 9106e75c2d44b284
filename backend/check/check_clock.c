/*
 * check_clock.c - what an instruction can be sure of when it starts.
 *
 * A clock counts, for each queue of the tile, the instructions known to be complete, and for each
 * channel the messages known to have arrived. An instruction knows what its predecessor in the
 * queue knew; in the queues of groups and of the VU also that the predecessor is complete. A wait
 * for count n of a queue adds all that the n-th instruction of that queue knew at its completion; a
 * wait for a message adds that message and all before it on its counter.
 *
 * Of other tiles a tile knows what their SIGNALs tell: a SIGNAL's clock is that of its queue when
 * the predecessor has completed. Only the TX queue needs it, since only SENDs write elsewhere.
 */
#include "check_run.h"

#include <stdlib.h>
#include <string.h>

static bool is_in_order_unit(const struct tile_state *t, uint32_t queue)
{
    return queue <= isa_queue_vu(t->t); /* groups and VU: one instruction at a time */
}

static void join(uint32_t *into, const uint32_t *other, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        into[i] = into[i] > other[i] ? into[i] : other[i];
}

/* ---- set-up ---- */

static struct counter *inbound(struct tile_state *t, uint32_t counter)
{
    return &t->counters[t->n_queues + (counter - ISA_FIRST_INBOUND)];
}

static struct channel *channel_of(struct tile_state *t, uint32_t counter)
{
    return &t->channels[counter - ISA_FIRST_INBOUND];
}

static bool add_target(struct check *k, const struct tile_state *from, uint32_t index,
                       const struct isa_inst *in, const struct isa_target *to)
{
    struct tile_state *t = &k->tiles[to->tile];
    struct channel *c = channel_of(t, to->counter);
    if (c->tile == CHECK_NONE) {
        c->tile = from->number;
        c->queue = in->queue;
    }
    if (c->tile != from->number || c->queue != in->queue)
        return check_fault_at(k, from->number, index,
                              "counter %u of tile %u has another writer: "
                              "queue %u of tile %u",
                              to->counter, to->tile, c->queue, c->tile);
    inbound(t, to->counter)->total++;
    if (in->op == ISA_send)
        t->views[to->view].written = true;
    return true;
}

static bool add_route(struct check *k, struct tile_state *t, uint32_t index,
                      const struct isa_inst *in)
{
    const struct isa_route *r = &t->t->routes[in->obj];
    t->sends[in->obj] |= in->op == ISA_send;
    for (uint32_t i = 0; i < r->n_targets; i++)
        if (!add_target(k, t, index, in, &r->targets[i]))
            return false;
    return true;
}

/* Counts of all counters, which views are written, who sends where. */
static bool scan_stream(struct check *k, struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_insts; i++) {
        const struct isa_inst *in = &t->t->insts[i];
        t->counters[in->queue].total++;
        if ((in->op == ISA_send || in->op == ISA_signal) && !add_route(k, t, i, in))
            return false;
        if (isa_op_has_dst(in->op))
            t->views[in->dst.view].written = true;
    }
    return true;
}

static bool check_totals(struct check *k, const struct tile_state *t)
{
    bool ok = true;
    for (unsigned i = 0; i < t->n_queues + t->t->n_inbound; i++)
        if (t->counters[i].total > ISA_MAX_COUNT)
            ok = check_fault_program(k, "tile %u: counter %u reaches %u", t->number,
                                     i < t->n_queues ? i : i - t->n_queues + ISA_FIRST_INBOUND,
                                     t->counters[i].total);
    return ok;
}

/* Thresholds that are reached, and whose clocks will be asked for. */
static bool scan_waits(struct check *k, struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_insts; i++) {
        const struct isa_inst *in = &t->t->insts[i];
        for (unsigned j = 0; j < in->n_waits; j++) {
            const struct isa_wait *w = &in->wait[j];
            if (w->threshold == 0)
                continue;
            bool own = w->counter < ISA_FIRST_INBOUND;
            const struct counter *c = own ? &t->counters[w->counter] : inbound(t, w->counter);
            if (w->threshold > c->total)
                return check_fault_at(k, t->number, i,
                                      "waits for counter %u >= %u, which ends at %u", w->counter,
                                      w->threshold, c->total);
            if (own)
                t->wanted[t->queues[w->counter].first + w->threshold - 1]++;
        }
    }
    return true;
}

static void make_clocks(struct check *k, struct tile_state *t)
{
    t->n_dims = t->n_queues + t->n_channels;
    uint32_t first = 0;
    for (unsigned q = 0; q < t->n_queues; q++) {
        t->queues[q].clock = ARENA_ARRAY(k->arena, uint32_t, t->n_dims);
        t->queues[q].first = first;
        first += t->counters[q].total;
    }
    t->wanted = heap_alloc(((size_t)first + 1) * sizeof *t->wanted);
    t->snapshots = heap_alloc(((size_t)first + 1) * sizeof *t->snapshots);
}

/* What t must know about the tiles it sends data to: their clocks, through their channels. */
static void make_knowledge(struct check *k, struct tile_state *t)
{
    const struct isa_tile *s = t->t;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_routes; i++)
        n += s->routes[i].n_targets;
    t->knowledge = ARENA_ARRAY(k->arena, struct knowledge, (size_t)n + 1);
    for (uint32_t i = 0; i < s->n_routes; i++)
        for (uint32_t j = 0; t->sends[i] && j < s->routes[i].n_targets; j++) {
            uint32_t of = s->routes[i].targets[j].tile, m = 0;
            while (m < t->n_knowledge && t->knowledge[m].tile != of)
                m++;
            if (of == t->number || m < t->n_knowledge)
                continue;
            struct knowledge *w = &t->knowledge[t->n_knowledge++];
            w->tile = of;
            w->clock = ARENA_ARRAY(k->arena, uint32_t, k->tiles[of].n_dims);
            w->channels = ARENA_ARRAY(k->arena, uint32_t, (size_t)t->n_channels + 1);
            for (uint32_t c = 0; c < t->n_channels; c++) {
                if (t->channels[c].tile != of)
                    continue;
                t->channels[c].wanted = true;
                t->channels[c].told = ARENA_ARRAY(k->arena, uint32_t, k->tiles[of].n_dims);
                w->channels[w->n_channels++] = c;
            }
        }
}

bool check_clock_prepare(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        if (!scan_stream(k, &k->tiles[i]))
            return false;
    bool ok = true;
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        ok &= check_totals(k, &k->tiles[i]);
    for (uint32_t i = 0; ok && i < k->p->n_tiles; i++)
        make_clocks(k, &k->tiles[i]);
    for (uint32_t i = 0; ok && i < k->p->n_tiles; i++) {
        make_knowledge(k, &k->tiles[i]);
        ok = scan_waits(k, &k->tiles[i]);
    }
    return ok;
}

void check_clock_free(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        for (unsigned j = 0; j < t->n_channels; j++)
            VEC_FREE(&t->channels[j].news);
        VEC_FREE(&t->pool);
        VEC_FREE(&t->pool_free);
        free(t->wanted);
        free(t->snapshots);
    }
}

/* ---- snapshots ---- */

static uint32_t *snapshot_at(struct tile_state *t, uint32_t place)
{
    return t->pool.at + (size_t)(place - 1) * t->n_dims;
}

static uint32_t take_place(struct tile_state *t)
{
    if (t->pool_free.n)
        return t->pool_free.at[--t->pool_free.n];
    VEC_RESERVE(&t->pool, t->pool.n + t->n_dims);
    t->pool.n += t->n_dims;
    return (uint32_t)(t->pool.n / t->n_dims);
}

void check_clock_complete(struct tile_state *t, uint32_t q, uint32_t number)
{
    uint32_t at = t->queues[q].first + number - 1;
    if (!t->wanted[at])
        return;
    t->snapshots[at] = take_place(t);
    uint32_t *s = snapshot_at(t, t->snapshots[at]);
    memcpy(s, t->queues[q].clock, t->n_dims * sizeof *s);
    s[q] = number;
}

static void learn_from_queue(struct tile_state *t, uint32_t *clock, const struct isa_wait *w)
{
    uint32_t at = t->queues[w->counter].first + w->threshold - 1;
    if (clock[w->counter] < w->threshold)
        join(clock, snapshot_at(t, t->snapshots[at]), t->n_dims);
    if (--t->wanted[at] == 0)
        VEC_PUSH(&t->pool_free, t->snapshots[at]);
}

static void learn_from_messages(struct tile_state *t, uint32_t *clock, const struct isa_wait *w)
{
    uint32_t *known = &clock[t->n_queues + (w->counter - ISA_FIRST_INBOUND)];
    *known = *known > w->threshold ? *known : w->threshold;
}

void check_clock_start(struct tile_state *t, uint32_t q)
{
    struct queue_state *s = &t->queues[q];
    if (is_in_order_unit(t, q))
        s->clock[q] = t->counters[q].count;
    for (unsigned i = 0; i < s->head->n_waits; i++) {
        const struct isa_wait *w = &s->head->wait[i];
        if (w->threshold == 0)
            continue;
        if (w->counter < ISA_FIRST_INBOUND)
            learn_from_queue(t, s->clock, w);
        else
            learn_from_messages(t, s->clock, w);
    }
}

/* ---- messages ---- */

/* A SIGNAL leaves when its predecessor is complete. */
static void tell(const struct actor *a, struct channel *c)
{
    for (uint32_t dim = 0; dim < a->t->n_dims; dim++) {
        uint32_t count = dim == a->queue ? a->number - 1 : a->clock[dim];
        if (count <= c->told[dim])
            continue;
        c->told[dim] = count;
        struct news n = {c->n_messages, dim, count};
        VEC_PUSH(&c->news, n);
    }
}

uint32_t check_clock_message(struct check *k, const struct actor *a, const struct isa_target *to)
{
    struct channel *c = channel_of(&k->tiles[to->tile], to->counter);
    c->n_messages++;
    if (a->in->op == ISA_signal && c->wanted)
        tell(a, c);
    return c->n_messages;
}

const uint32_t *check_clock_known(const struct actor *a, uint32_t of)
{
    struct tile_state *t = a->t;
    if (of == t->number)
        return a->clock;
    struct knowledge *w = t->knowledge;
    while (w < t->knowledge + t->n_knowledge && w->tile != of)
        w++;
    if (w == t->knowledge + t->n_knowledge)
        BUG("tile %u sends to tile %u unexpectedly", t->number, of);
    for (uint32_t i = 0; i < w->n_channels; i++) {
        struct channel *c = &t->channels[w->channels[i]];
        uint32_t arrived = a->clock[t->n_queues + w->channels[i]];
        for (; c->heard < c->news.n && c->news.at[c->heard].message <= arrived; c->heard++) {
            const struct news *n = &c->news.at[c->heard];
            w->clock[n->dim] = w->clock[n->dim] > n->count ? w->clock[n->dim] : n->count;
        }
    }
    return w->clock;
}
