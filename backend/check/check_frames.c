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

/* Iterations within which the state has to repeat: to fill the stages, and rings behind them. */
static uint32_t most_iterations(const struct check *k)
{
    return 2 * k->n_stages + 8;
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

static bool may_go_on(struct check *k)
{
    if (k->iteration < most_iterations(k))
        return events_fit(k);
    return check_fault_program(k,
                               "its memory does not repeat from frame to frame within %u "
                               "iterations of the body: rings of more frames than the stages need",
                               most_iterations(k));
}

static bool run_endless(struct check *k)
{
    struct words before = {0}, now = {0};
    bool repeats = false, ok = true;
    k->n_frames = INT64_MAX;
    for (k->iteration = 0; ok && !repeats; k->iteration++) {
        k->orders.n = 0;
        k->orders_of = k->iteration;
        ok = may_go_on(k) && check_progress_run(k) && k->n_faults == 0;
        if (!ok || k->iteration + 1 < k->n_stages)
            continue;
        check_state(k, k->iteration + 1, &now);
        repeats = now.n == before.n && memcmp(now.at, before.at, now.n * sizeof *now.at) == 0;
        struct words swap = before;
        before = now;
        now = swap;
    }
    VEC_FREE(&before);
    VEC_FREE(&now);
    return ok;
}

/* The orders of the endless run's last iteration, in runs of 1, 2, ... frames. */
static bool run_ends(struct check *k)
{
    uint32_t reach = check_orders_reach(k);
    bool ok = true;
    k->orders_only = true;
    for (k->n_frames = 1; ok && k->n_frames <= reach; k->n_frames++) {
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
