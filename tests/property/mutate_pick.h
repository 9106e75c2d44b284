/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* mutate_pick.h - what all mutations choose with, and those of tables (mutate_tables.c). */
#ifndef CIMC_MUTATE_PICK_H
#define CIMC_MUTATE_PICK_H

#include "mutate.h"

static inline int64_t pick(uint64_t *state, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(random_next(state) % (uint64_t)(hi - lo + 1));
}

static inline int one_up_or_down(uint64_t *state)
{
    return pick(state, 0, 1) ? 1 : -1;
}

/* Another value of the element, a little off; of integers now and then 0, as of one that forgot the
 * zero point. */
static inline uint32_t other_value(uint64_t *state, uint32_t is, bool real)
{
    if (real)
        return f32_bits(f32_of_bits(is) + (float)pick(state, 1, 2) * 0.5f);
    return is && pick(state, 0, 1) ? 0 : is + (uint32_t)one_up_or_down(state);
}

/* Another number below n; false if there is none. */
static inline bool pick_other(uint64_t *state, uint32_t n, uint32_t is, uint32_t *out)
{
    if (n < 2)
        return false;
    *out = (uint32_t)pick(state, 0, (int64_t)n - 2);
    *out += *out >= is;
    return true;
}

static inline struct isa_tile *pick_tile(struct isa_program *p, uint64_t *state,
                                         bool (*fits)(const struct isa_tile *))
{
    uint32_t from = (uint32_t)pick(state, 0, (int64_t)p->n_tiles - 1);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        struct isa_tile *t = &p->tiles[(from + i) % p->n_tiles];
        if (fits(t))
            return t;
    }
    return NULL;
}

/* mutate_tables.c */
bool other_lane(struct isa_program *p, uint64_t *state);
bool other_table(struct isa_program *p, uint64_t *state);
bool other_pe(struct isa_program *p, uint64_t *state);
bool other_run(struct isa_program *p, uint64_t *state);
bool other_group(struct isa_program *p, uint64_t *state);
bool other_window(struct isa_program *p, uint64_t *state);
bool other_gather(struct isa_program *p, uint64_t *state);
bool other_preload(struct isa_program *p, uint64_t *state);
bool other_image(struct isa_program *p, uint64_t *state);
bool other_readout(struct isa_program *p, uint64_t *state);
bool other_binding(struct isa_program *p, uint64_t *state);

#endif
