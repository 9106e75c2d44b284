/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_units.c - waits relative to what was dispatched, or to the counter's last threshold
 * (ISA.md 9): then what repeats itself is the same number again and again.
 */
#include "stream_encode.h"

#include "base/map.h"

#include <string.h>

struct naming {
    struct map known;
    VEC(struct stream_unit) units;
    uint32_t dispatched[ISA_N_QUEUES], last[STREAM_COUNTERS];
};

static uint32_t intern(struct naming *m, const uint32_t *key, size_t n, const struct stream_unit *u)
{
    uint32_t i = map_intern(&m->known, key, n * sizeof *key, (uint32_t)m->units.n);
    if (i == m->units.n)
        VEC_PUSH(&m->units, *u);
    return i;
}

static uint32_t set_unit(struct naming *m, const struct isa_inst *i, uint32_t walker)
{
    const struct isa_region *r = stream_region(i);
    struct stream_unit u = {
        .walker = walker, .order_bytes = STREAM_SET_BYTES, .place = {r->y, r->x, i->w, i->h}};
    const uint32_t key[] = {walker, UINT32_MAX, (uint32_t)r->y, (uint32_t)r->x, i->w, i->h};
    return intern(m, key, sizeof key / sizeof *key, &u);
}

static uint32_t frame_unit(struct naming *m, uint32_t walker)
{
    struct stream_unit u = {.walker = walker, .order_bytes = STREAM_FRAME_BYTES};
    const uint32_t key[] = {walker, UINT32_MAX};
    return intern(m, key, sizeof key / sizeof *key, &u);
}

/* Numbers modulo 2^22, as short as they can be. */
static int32_t difference(uint32_t a, uint32_t b)
{
    return isa_threshold((a - b) & ((1u << ISA_THRESHOLD_BITS) - 1));
}

static uint32_t inst_unit(struct naming *m, const struct isa_inst *i, uint32_t walker)
{
    struct stream_unit u = {.walker = walker, .n_waits = i->n_waits};
    uint32_t key[1 + 2 * ISA_MAX_WAITS] = {walker};
    for (unsigned k = 0; k < i->n_waits; k++) {
        uint16_t c = i->wait[k].counter;
        uint32_t t = i->wait[k].threshold;
        u.counter[k] = c;
        if (c < ISA_FIRST_INBOUND)
            u.value[k] = difference(m->dispatched[c], t);
        else
            u.value[k] = difference(t, m->last[c]), m->last[c] = t;
        key[1 + 2 * k] = c;
        key[2 + 2 * k] = (uint32_t)u.value[k];
    }
    m->dispatched[i->queue]++;
    return intern(m, key, 1 + 2 * (size_t)i->n_waits, &u);
}

void stream_units(const struct isa_inst *insts, uint32_t n, const struct stream_walks *walks,
                  struct arena *a, struct stream_units *out)
{
    struct naming m = {0};
    *out = (struct stream_units){.sequence = ARENA_ARRAY(a, uint32_t, 3 * (size_t)n)};
    for (uint32_t i = 0; i < n; i++) {
        if (walks->frame[i])
            out->sequence[out->n++] = frame_unit(&m, walks->walker_of[i]);
        if (walks->set[i])
            out->sequence[out->n++] = set_unit(&m, &insts[i], walks->walker_of[i]);
        out->sequence[out->n++] = inst_unit(&m, &insts[i], walks->walker_of[i]);
    }
    struct stream_unit *units = ARENA_ARRAY(a, struct stream_unit, m.units.n);
    if (m.units.n)
        memcpy(units, m.units.at, m.units.n * sizeof *units);
    out->units = units;
    out->n_units = (uint32_t)m.units.n;
    VEC_FREE(&m.units);
    map_free(&m.known);
}

unsigned stream_unit_bytes(const struct stream_unit *u)
{
    unsigned bytes = 0;
    for (unsigned k = 0; k < u->n_waits; k++)
        bytes += u->value[k] >= 0 && u->value[k] <= UINT8_MAX ? 1 : 3;
    return bytes;
}
