/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * map.h - from keys to numbers, usually places in an array beside it:
 *
 *     uint32_t i = map_intern(&m, &key, sizeof key, (uint32_t)things.n);
 *     if (i == things.n)
 *         VEC_PUSH(&things, make(key));
 *
 * A key is a string of bytes and is copied; two keys are one if their bytes are. A struct as a key
 * must have no padding, or zeros there. There is no walk over a map, so that nothing can depend on
 * the order of hashes.
 */
#ifndef CIMC_MAP_H
#define CIMC_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map_slot {
    uint64_t hash;
    size_t key;      /* where its bytes start in `keys` */
    uint32_t length; /* of the key */
    uint32_t value;  /* MAP_NONE: the slot is free */
};
struct map { /* {0} is an empty one */
    struct map_slot *slots;
    size_t n, n_slots; /* a power of two, or 0 */
    uint8_t *keys;
    size_t keys_n, keys_cap;
};
/* MAP_NONE if the key is not there. */
uint32_t map_find(const struct map *m, const void *key, size_t n);
/* The key's value; one that is not there gets `fresh`, which must not be MAP_NONE. */
uint32_t map_intern(struct map *m, const void *key, size_t n, uint32_t fresh);
void map_free(struct map *m); /* empty again */

static inline uint32_t map_find_u64(const struct map *m, uint64_t key)
{
    return map_find(m, &key, sizeof key);
}
static inline uint32_t map_intern_u64(struct map *m, uint64_t key, uint32_t fresh)
{
    return map_intern(m, &key, sizeof key, fresh);
}
/* Two numbers as one key. */
static inline uint64_t map_pair(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

#endif
