/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_steps.c - the core's open copies, sorted into classes of equal PEs and gain. */
#include "dup_steps.h"

#include <stdlib.h>
#include <string.h>

static bool is_run(const struct dup_core_item *it)
{
    for (size_t k = 1; k < it->n_choices; k++)
        if (!dup_follows(&it->choices[k - 1].choice, &it->choices[k].choice))
            return false;
    return true;
}

/* t/k - t/(k + 1) = t / (k * (k + 1)); k < 2^21. */
static struct dup_step make_step(const struct dup_core_item *it, uint32_t item, uint32_t level)
{
    const struct dup_core_choice *here = &it->choices[level], *next = here + 1;
    uint64_t t = (uint64_t)here->choice.cycles, k = (uint64_t)here->choice.copies;
    uint64_t common = gcd_u64(t, k * (k + 1));
    dup_units change = next->slack - here->slack;
    return (struct dup_step){.item = item,
                             .level = level,
                             .pes = next->choice.pes - here->choice.pes,
                             .gain = {t / common, k * (k + 1) / common},
                             .slack_taken = change > 0 ? change : 0,
                             .slack_left = change < 0 ? -change : 0};
}

static int by_class(const void *x, const void *y)
{
    const struct dup_step *a = *(struct dup_step *const *)x, *b = *(struct dup_step *const *)y;
    if (a->pes != b->pes)
        return a->pes < b->pes ? -1 : 1;
    for (int i = 0; i < 2; i++)
        if (a->gain[i] != b->gain[i])
            return a->gain[i] < b->gain[i] ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static bool same_class(const struct dup_step *s, const struct dup_class *c)
{
    return s->pes == c->pes && s->gain[0] == c->gain[0] && s->gain[1] == c->gain[1];
}

/* Fixed-point slacks of equal gains differ by their rounding: the least keeps the bound a bound. */
static void join_class(struct dup_class *c, struct dup_step *s, uint32_t number)
{
    s->class = number;
    s->rank = (uint32_t)c->most++;
    c->slack_taken = s->slack_taken < c->slack_taken ? s->slack_taken : c->slack_taken;
    c->slack_left = s->slack_left < c->slack_left ? s->slack_left : c->slack_left;
}

static void find_classes(struct dup_steps *x, struct dup_step **sorted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dup_step *s = sorted[i];
        if (i == 0 || !same_class(s, &x->classes[x->n_classes - 1]))
            x->classes[x->n_classes++] = (struct dup_class){.pes = s->pes,
                                                            .gain = {s->gain[0], s->gain[1]},
                                                            .slack_taken = s->slack_taken,
                                                            .slack_left = s->slack_left};
        join_class(&x->classes[x->n_classes - 1], s, (uint32_t)x->n_classes - 1);
    }
}

static int by_preference(const void *x, const void *y)
{
    const struct dup_core_choice *a = x, *b = y;
    return dup_prefer(&a->choice, &b->choice);
}

static struct dup_class list_class(const struct dup_core_item *it, struct arena *a)
{
    struct dup_core_choice *list = ARENA_ARRAY(a, struct dup_core_choice, it->n_choices);
    memcpy(list, it->choices, it->n_choices * sizeof *list);
    qsort(list, it->n_choices, sizeof *list, by_preference);
    return (struct dup_class){
        .pes = it->choices[0].choice.pes, .most = (int64_t)it->n_choices - 1, .list = list};
}

void dup_find_steps(const struct dup_core *core, struct arena *a, struct dup_steps *out)
{
    size_t n = 0, most = 0;
    for (size_t i = 0; i < core->n_items; i++)
        most += core->items[i].n_choices;
    *out = (struct dup_steps){.core = core,
                              .classes = ARENA_ARRAY(a, struct dup_class, most),
                              .steps = ARENA_ARRAY(a, struct dup_step, most),
                              .first = ARENA_ARRAY(a, size_t, core->n_items + 1),
                              .list_class = ARENA_ARRAY(a, uint32_t, core->n_items),
                              .budget = core->budget};
    struct dup_step **sorted = ARENA_ARRAY(a, struct dup_step *, most);
    for (uint32_t i = 0; i < core->n_items; i++) {
        const struct dup_core_item *it = &core->items[i];
        bool is_list = !is_run(it);
        out->budget -= it->choices[0].choice.pes;
        out->first[i] = n;
        for (uint32_t level = 0; !is_list && level + 1 < it->n_choices; level++) {
            out->steps[n] = make_step(it, i, level);
            sorted[n] = &out->steps[n];
            n++;
        }
        if (is_list) {
            out->list_class[i] = (uint32_t)out->n_classes;
            out->classes[out->n_classes++] = list_class(it, a);
        }
    }
    out->first[core->n_items] = n;
    qsort(sorted, n, sizeof *sorted, by_class);
    find_classes(out, sorted, n);
}
