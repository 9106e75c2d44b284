/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_frames.c - any number of frames, proved by few iterations of the body.
 *
 * The endless run begins with frame 0 and has no last frame. Once the state behind an iteration is
 * the one before it, moved by a frame, all further iterations are like this one. Runs that end are
 * parts of it: each place is written by frames in ascending order, so a run of N frames does to
 * each what the endless one does in these frames, if only the same orders hold, which
 * check_order.c proves.
 */
#include "check_meaning.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CYCLE = 256, MIN_ITERATIONS = 3, MAX_VISITS = 1 << 26, SLOT_WORDS = 5 };

/* Words of state that are looked at in all iterations. */
#define MAX_STATE (UINT64_C(1) << 28)

/* Frames after which a slot of the ring has the same row of a frame again. */
static uint64_t cycle_of(const struct cluster *c)
{
    return c->ringed && c->frame_rows ? c->n_slots / gcd_u64(c->n_slots, c->frame_rows) : 1;
}

static uint64_t longest_cycle(const struct check *k)
{
    uint64_t longest = 1;
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        for (uint32_t j = 0; j < k->tiles[i].n_clusters; j++) {
            uint64_t cycle = cycle_of(&k->tiles[i].clusters[j]);
            longest = cycle > longest ? cycle : longest;
        }
    return longest;
}

/* What check_state looks at, marks and slots; there is no end of them in a buffer that is large
 * enough. */
static uint64_t state_words(const struct check *k)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        for (uint32_t j = 0; j < k->tiles[i].n_clusters; j++) {
            const struct cluster *c = &k->tiles[i].clusters[j];
            if (c->written)
                n += check_n_places(c) / c->grain + c->n_slots * SLOT_WORDS;
        }
    return n;
}

/* Iterations within which the state has to repeat. Stages + 1 will do where what is written is
 * read; else a slot may remember what lay there a cycle or two ago. 0: its memory is too large. */
static uint32_t most_iterations(const struct check *k)
{
    int64_t most = 3 * min_i64((int64_t)longest_cycle(k), MAX_CYCLE), n = 1;
    int64_t looks = (int64_t)(MAX_STATE / state_words(k)); /* from the last stage's first on */
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        n += k->p->tiles[i].n_insts;
    most = min_i64(most, max_i64(MIN_ITERATIONS, MAX_VISITS / n));
    return looks < MIN_ITERATIONS ? 0 : k->n_stages + 1 + (uint32_t)min_i64(most, looks);
}

/* Numbers of events are bounded (check_clock.h). */
static bool events_fit(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        for (unsigned j = 0; j < k->tiles[i].n_dims; j++)
            if ((k->iteration + (uint64_t)1) * k->tiles[i].counters[j].step >> EVENT_NUMBER_BITS)
                return check_fault_program(k,
                                           "tile %u: too many instructions to be checked for "
                                           "any number of frames",
                                           i);
    return true;
}

static bool may_go_on(struct check *k, uint32_t most)
{
    if (k->iteration < most)
        return events_fit(k);
    if (most == 0)
        return check_fault_program(k, "its buffers are too large to be checked frame by frame");
    return check_fault_program(k,
                               "its memory does not repeat from frame to frame within %u "
                               "iterations of the body",
                               most);
}

static bool run_endless(struct check *k)
{
    struct words before = {0}, now = {0};
    bool repeats = false, ok = true;
    const uint32_t most = most_iterations(k);
    k->n_frames = INT64_MAX;
    for (k->iteration = 0; ok && !repeats; k->iteration++) {
        k->orders.n = 0;
        k->orders_of = k->iteration;
        ok = may_go_on(k, most) && check_progress_run(k) && k->n_faults == 0;
        if (!ok || k->iteration + 1 < k->n_stages)
            continue;
        check_state(k, k->iteration + 1, &now);
        repeats = now.n == before.n &&
                  (now.n == 0 || memcmp(now.at, before.at, now.n * sizeof *now.at) == 0);
        struct words swap = before;
        before = now;
        now = swap;
    }
    VEC_FREE(&before);
    VEC_FREE(&now);
    return ok;
}

/* The orders of the endless run's last iteration, in runs of as many frames as they span. */
static bool run_ends(struct check *k)
{
    bool ok = true;
    k->orders_only = true;
    for (k->n_frames = 1; ok && k->n_frames; k->n_frames = check_orders_next(k)) {
        uint32_t n = (uint32_t)k->n_frames + k->n_stages - 1;
        check_clock_reset(k);
        for (k->iteration = 0; ok && k->iteration < n; k->iteration++)
            ok = check_progress_run(k);
    }
    return ok && k->n_faults == 0;
}

bool check_frames(struct check *k)
{
    k->n_frames = 1;
    return k->body ? run_endless(k) && run_ends(k) : check_progress_run(k);
}
