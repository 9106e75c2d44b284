/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * map.c - open addressing with linear probing, at most three quarters full; hashes decide where a
 * key is looked for, its bytes whether it is the one.
 */
#include "base/map.h"

#include "base/base.h"

#include <string.h>

enum { FIRST_SLOTS = 16 };

/* Numbers are most keys: they are mixed in a few steps (the finaliser of MurmurHash3). */
static uint64_t hash_key(const void *key, size_t n)
{
    uint64_t h;
    if (n != sizeof h)
        return hash_bytes(key, n, 0);
    memcpy(&h, key, sizeof h);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static bool same_key(const void *a, const void *b, size_t n)
{
    if (n == sizeof(uint64_t))
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    return memcmp(a, b, n) == 0;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct map_slot *slot_of(const struct map *m, const void *key, size_t n, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        struct map_slot *s = &m->slots[i & (m->n_slots - 1)];
        if (s->value == MAP_NONE ||
            (s->hash == hash && s->length == n && (n == 0 || same_key(m->keys + s->key, key, n))))
            return s;
    }
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->n_slots = old.n_slots ? old.n_slots * 2 : FIRST_SLOTS;
    m->slots = heap_alloc(m->n_slots * sizeof *m->slots);
    memset(m->slots, 0xff, m->n_slots * sizeof *m->slots);
    for (size_t i = 0; i < old.n_slots; i++) {
        const struct map_slot *s = &old.slots[i];
        if (s->value == MAP_NONE)
            continue;
        size_t at = s->hash & (m->n_slots - 1); /* all keys differ: the next free slot is its own */
        while (m->slots[at].value != MAP_NONE)
            at = (at + 1) & (m->n_slots - 1);
        m->slots[at] = *s;
    }
    heap_free(old.slots);
}

uint32_t map_find(const struct map *m, const void *key, size_t n)
{
    return m->n ? slot_of(m, key, n, hash_key(key, n))->value : MAP_NONE;
}

uint32_t map_intern(struct map *m, const void *key, size_t n, uint32_t fresh)
{
    if (fresh == MAP_NONE || n > UINT32_MAX)
        BUG("a key of %zu bytes for %u", n, fresh);
    if (m->n >= m->n_slots / 4 * 3)
        grow(m);
    uint64_t hash = hash_key(key, n);
    struct map_slot *s = slot_of(m, key, n, hash);
    if (s->value != MAP_NONE)
        return s->value;
    m->keys = vec_reserve(m->keys, &m->keys_cap, m->keys_n + n, 1);
    if (n)
        memcpy(m->keys + m->keys_n, key, n);
    *s = (struct map_slot){hash, m->keys_n, (uint32_t)n, fresh};
    m->keys_n += n;
    m->n++;
    return fresh;
}

void map_free(struct map *m)
{
    heap_free(m->slots);
    heap_free(m->keys);
    *m = (struct map){0};
}
