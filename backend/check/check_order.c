/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_order.c - orders between instructions of a body, proved for runs of any number of frames.
 *
 * An instruction that is skipped has not waited, so what follows it in its queue knows less: two
 * accesses of frames e and f may be in order in a long run only because instructions of other
 * frames lie between. The endless run collects which pairs must be in order; a run of frames e..f
 * alone is where least is known, and by the shift of frames it is the run of |f - e| + 1 frames,
 * with one end in its first frame and the other in its last. So each pair is looked at there, once.
 */
#include "check_run.h"

#include <stdlib.h>

/* Whoever knows of an event knows of the earlier ones of its dimension, and of no less in a run
 * that has more frames at both ends. */
static bool follows_from(const struct order *o, const struct order *from)
{
    bool within =
        from->back == 0 || (from->back > 0 ? o->back >= from->back : o->back <= from->back);
    return within && o->of == from->of && o->dim == from->dim && o->number <= from->number;
}

/* The event is what only the first frame loads. */
static bool is_first_state(const struct tile_state *of, uint32_t dim, uint32_t number)
{
    return check_frame_of(of, dim, number) < 0;
}

void check_keep_order(struct actor *a, const struct tile_state *of, uint32_t dim, uint32_t number)
{
    struct check *k = a->k;
    if (!k->body || number == 0)
        return;
    const struct order o = {of->number, dim, number,
                            (int32_t)(a->frame - check_frame_of(of, dim, number))};
    if (is_first_state(of, dim, number)) {
        VEC_PUSH(&k->state_orders, o);
        return;
    }
    size_t n = a->first_order;
    for (size_t i = n; i < k->orders.n; i++) {
        if (follows_from(&o, &k->orders.at[i]))
            return;
        if (!follows_from(&k->orders.at[i], &o))
            k->orders.at[n++] = k->orders.at[i];
    }
    k->orders.n = n;
    VEC_PUSH(&k->orders, o);
}

void check_orders_kept(struct actor *a)
{
    struct check *k = a->k;
    if (!k->body)
        return;
    a->t->orders[a->index] =
        (struct order_range){(uint32_t)a->first_order, (uint32_t)(k->orders.n - a->first_order)};
    if (a->frame == 0)
        a->t->state_orders[a->index] = (struct order_range){
            (uint32_t)a->first_state_order, (uint32_t)(k->state_orders.n - a->first_state_order)};
}

static void missing_order(struct actor *a, const struct order *o)
{
    const struct tile_state *t = &a->k->tiles[o->of];
    bool message = o->dim >= t->n_queues;
    uint32_t nth = (o->number - 1) % t->counters[o->dim].step + 1;
    check_fault(a,
                "in a run of %d frames nothing orders it after %s %u of %s %u of tile %u%s: what "
                "orders them belongs to frames that are skipped there",
                abs(o->back) + 1, message ? "message" : "instruction", nth,
                message ? "counter" : "queue",
                message ? o->dim - t->n_queues + ISA_FIRST_INBOUND : o->dim, o->of,
                o->back ? ", of another frame" : "");
}

/* Is it known that event `number` of the order has happened? */
static void want_order(struct actor *a, const struct order *o, int64_t number)
{
    const uint32_t *known = o->of == a->t->number ? a->clock : check_clock_known(a, o->of);
    if (known[o->dim] < number)
        missing_order(a, o);
}

void check_orders_hold(struct actor *a)
{
    const struct check *k = a->k;
    struct order_range r = a->t->orders[a->index];
    for (uint32_t i = r.first; i < r.first + r.n; i++) {
        const struct order *o = &k->orders.at[i];
        int64_t step = k->tiles[o->of].counters[o->dim].step;
        if (abs(o->back) + 1 == k->n_frames && a->frame == (o->back > 0 ? o->back : 0))
            want_order(a, o, o->number + ((int64_t)k->iteration - k->orders_of) * step);
    }
    r = a->t->state_orders[a->index];
    for (uint32_t i = r.first; i < r.first + r.n && k->n_frames == 1; i++)
        want_order(a, &k->state_orders.at[i], k->state_orders.at[i].number);
}

int64_t check_orders_next(const struct check *k)
{
    int64_t next = 0;
    for (size_t i = 0; i < k->orders.n; i++) {
        int64_t span = abs(k->orders.at[i].back) + 1;
        if (span > k->n_frames && (next == 0 || span < next))
            next = span;
    }
    return next;
}
