/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check.c - the program checker's entry: form, then one run that proves progress, absence of races
 * and, with a graph, meaning. CHECK.md says what that covers.
 *
 * In: a program, and the CROSSBAR graph it claims to compute (or none). Out: faults of code CHECK.
 * The checker shares nothing with the emitter but the ISA's tables.
 */
#include "check_meaning.h"

#include <inttypes.h>

/* ---- reporting ---- */

static bool report(struct check *k, struct loc loc, const char *fmt, va_list ap)
{
    return k->n_faults++ < CHECK_MAX_FAULTS && diag_vat(k->d, loc, DIAG_CHECK, NULL, fmt, ap);
}

static struct loc loc_of(struct check *k, uint32_t tile, uint32_t index)
{
    const struct isa_tile *t = &k->p->tiles[tile];
    const char *op = isa_op_name(t->insts[index].op);
    const char *of = "";
    if (t->sources && t->sources[index] < k->p->n_nodes)
        of = arena_printf(k->arena, " of node '%s'", check_op_name(k, t->sources[index]));
    return (struct loc){
        .file = k->p->file.path,
        .entity = arena_printf(k->arena, "tile %u instruction %u (%s)%s", tile, index, op, of)};
}

bool check_fault(struct actor *a, const char *fmt, ...)
{
    if (a->faulted)
        return false;
    a->faulted = true;
    struct loc loc = loc_of(a->k, a->t->number, a->index);
    if (a->k->body)
        loc.entity = arena_printf(a->k->arena, "%s, frame %" PRId64, loc.entity, a->frame);
    va_list ap;
    va_start(ap, fmt);
    report(a->k, loc, fmt, ap);
    va_end(ap);
    return false;
}

bool check_fault_at(struct check *k, uint32_t tile, uint32_t index, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(k, loc_of(k, tile, index), fmt, ap);
    va_end(ap);
    return false;
}

bool check_fault_program(struct check *k, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(k, (struct loc){.file = k->p->file.path}, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- the whole check ---- */

static void make_tiles(struct check *k)
{
    k->tiles = ARENA_ARRAY(k->arena, struct tile_state, (size_t)k->p->n_tiles + 1);
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        const struct isa_tile *s = &k->p->tiles[i];
        t->number = i;
        t->t = s;
        t->ready = CHECK_NONE;
        t->n_queues = isa_n_queues(s);
        t->queues = ARENA_ARRAY(k->arena, struct queue_state, t->n_queues);
        t->counters = ARENA_ARRAY(k->arena, struct counter, t->n_queues + (size_t)s->n_inbound);
        for (size_t j = 0; j < t->n_queues + (size_t)s->n_inbound; j++)
            t->counters[j].first_blocked = CHECK_NONE;
        t->n_channels = s->n_inbound;
        t->n_dims = t->n_queues + t->n_channels;
        t->channels = ARENA_ARRAY(k->arena, struct channel, (size_t)s->n_inbound + 1);
        for (uint32_t j = 0; j < s->n_inbound; j++)
            t->channels[j].tile = CHECK_NONE;
        t->orders = ARENA_ARRAY(k->arena, struct order_range, s->n_insts + (size_t)1);
        t->state_orders = ARENA_ARRAY(k->arena, struct order_range, s->n_insts + (size_t)1);
        t->sends = ARENA_ARRAY(k->arena, bool, (size_t)s->n_routes + 1);
        t->views = ARENA_ARRAY(k->arena, struct check_view, (size_t)s->n_views + 1);
        for (uint32_t j = 0; j < s->n_views; j++)
            t->views[j].v = &s->views[j];
    }
}

static bool check_all(struct check *k)
{
    return check_tags_prepare(k) && check_clock_prepare(k) && check_clusters_prepare(k) &&
           check_frame_rows(k) && check_meaning_prepare(k) && check_frames(k) &&
           check_meaning_finish(k);
}

bool backend_check(const struct isa_program *p, const struct ir_graph *g, struct diag *d)
{
    if (!isa_validate(p, d))
        return false;
    struct check k = {.p = p, .g = g, .d = d, .arena = arena_new()};
    k.body = p->frames > 0;
    k.n_stages = isa_stages(p);
    make_tiles(&k);
    bool ok = check_all(&k) && k.n_faults == 0;
    check_clock_free(&k);
    check_clusters_free(&k);
    check_meaning_free(&k);
    check_tags_free(&k);
    VEC_FREE(&k.orders);
    VEC_FREE(&k.state_orders);
    arena_free(k.arena);
    return ok;
}
