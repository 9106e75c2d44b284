/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stages.c - when the body begins, and with it the stage of each task.
 *
 * Any time of the interval will do. Instructions that are alike, those of a kind for a node in a
 * queue, are of one stage if the body does not begin among them; of two their stream has to say
 * which. So it begins where it is among the fewest.
 */
#include "plan.h"

#include "base/map.h"

#include <stdlib.h>

/* Starts of tasks that are alike. */
struct alike {
    uint64_t first, last;
};
/* From then on the body would begin among `more` more kinds. */
struct change {
    uint64_t at;
    int32_t more;
};
struct phases {
    uint64_t interval;
    VEC(struct alike) alike;
    VEC(struct change) changes;
};

static void find_alike(const struct plan *p, const struct schedule *s, struct phases *out)
{
    struct map known = {0};
    for (uint32_t i = 0; i < p->single->n; i++) {
        uint32_t id = p->single->order[i];
        const struct task *t = &p->tasks->tasks.at[id];
        const uint32_t key[] = {t->kind, t->node, t->queue};
        uint32_t k = map_intern(&known, key, sizeof key, (uint32_t)out->alike.n);
        if (k == out->alike.n)
            VEC_PUSH(&out->alike, ((struct alike){s->start[id], s->start[id]}));
        struct alike *a = &out->alike.at[k];
        a->first = s->start[id] < a->first ? s->start[id] : a->first;
        a->last = max_u64(a->last, s->start[id]);
    }
    map_free(&known);
}

/* A body that begins in (first, last] begins among them. */
static void add_changes(struct phases *p, const struct alike *a)
{
    uint64_t from = (a->first + 1) % p->interval, to = (a->last + 1) % p->interval;
    if (a->last - a->first >= p->interval)
        return; /* any does */
    VEC_PUSH(&p->changes, ((struct change){from, 1}));
    VEC_PUSH(&p->changes, ((struct change){to, -1}));
    if (to < from)
        VEC_PUSH(&p->changes, ((struct change){0, 1}));
}

static int compare_changes(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* The first time that is among the fewest. */
static uint64_t best_beginning(const struct phases *p)
{
    int64_t now = 0, least = INT64_MAX;
    uint64_t best = 0;
    for (size_t i = 0, next; i < p->changes.n; i = next) {
        uint64_t at = p->changes.at[i].at;
        if (i == 0 && at > 0)
            least = 0;
        for (next = i; next < p->changes.n && p->changes.at[next].at == at; next++)
            now += p->changes.at[next].more;
        if (now < least) {
            least = now;
            best = at;
        }
    }
    return best;
}

uint64_t plan_stages(const struct plan *p, struct schedule *s)
{
    struct phases phases = {.interval = s->interval};
    find_alike(p, s, &phases);
    for (size_t i = 0; i < phases.alike.n; i++)
        add_changes(&phases, &phases.alike.at[i]);
    if (phases.changes.n)
        qsort(phases.changes.at, phases.changes.n, sizeof *phases.changes.at, compare_changes);
    uint64_t begin = best_beginning(&phases);
    uint64_t before = begin > 0 ? s->interval - begin : 0; /* what starts earlier is of stage 0 */
    s->n_stages = 1;
    for (uint32_t i = 0; i < p->single->n; i++) {
        uint32_t id = p->single->order[i];
        uint64_t stage = (s->start[id] + before) / s->interval;
        s->stage[id] = (uint8_t)stage;
        if (stage >= s->n_stages)
            s->n_stages = (uint32_t)stage + 1;
    }
    VEC_FREE(&phases.alike);
    VEC_FREE(&phases.changes);
    return before;
}
