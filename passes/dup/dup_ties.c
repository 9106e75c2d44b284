/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_ties.c - the exact optimum of the duplication problem, and among equal ones the one the rule
 * names.
 *
 * In: the problem and choices near the optimum (solvers work in doubles). Out: exact choices. What
 * the core leaves open are further copies, each with PEs and a gain. Copies of equal PEs and gain
 * are one class, of which an optimum takes the first so many in list order; an item whose choices
 * are no run (they have holes, or several patches) is a class of its own, of which one choice is
 * taken. So equal layers are one class, however many they are. A dynamic program over the classes,
 * a class in stages of 1, 2, 4 ... copies. State: PEs used, gain so far, copies so far. A state is
 * dropped if another one uses no more PEs and is better (gain, then PEs where they count, then
 * copies), or if the bound of dup_bound.c shows that no optimum goes through it. Gains are compared
 * in fixed point; where their error intervals overlap, exactly (dup_sums.c), over the classes in
 * which the two differ.
 *
 * Ties: from the last item to the first, a copy that some optimum does without is forbidden; of a
 * list, the choice that is preferred least. What failed once for a class fails for all that is
 * stricter, so there are few such questions. Effort is counted; where it ends, the best choices
 * known stay.
 */
#include "dup.h"
#include "dup_steps.h"
#include "dup_sums.h"

#include <stdlib.h>
#include <string.h>

/* States made and compared, in all. */
static const int64_t MAX_EFFORT = 60000000;
enum { MAX_STATES = 1 << 20 };

struct state {
    dup_units gain; /* the true gain is in [gain, gain + stages so far) */
    dup_units slack;
    int64_t pes, copies;
    uint32_t parent; /* in the stage before */
    uint32_t taken;  /* of the stage's class: copies, or a place in its list */
};
/* Some copies of a class, or one choice of its list. */
struct stage {
    uint32_t class;
    int64_t most; /* of a class of equal copies: takes none or this many */
};

struct search {
    const struct dup_steps *steps;
    dup_units gap; /* of the core, or less */
    VEC(struct stage) stages;
    VEC(struct state) states;
    VEC(size_t) first;     /* first.at[k]..first.at[k + 1] = states after k stages */
    VEC(int64_t) rest_pes; /* after k stages: PEs that the rest can take at most */
    int64_t effort;
    struct dup_sum difference;
};

/* ---- gains ---- */

static const struct state *parent_of(const struct search *s, size_t stage, const struct state *x)
{
    return &s->states.at[s->first.at[stage - 1] + x->parent];
}

/* What `taken` of a class gain, of a list less a constant: to s->difference, `sign` times. */
static void add_gain(struct search *s, int sign, const struct dup_class *c, int64_t taken)
{
    uint64_t top = c->gain[0] * (uint64_t)taken, below = c->gain[1];
    if (c->list) { /* less latency is more gain */
        const struct dup_choice *x = &c->list[taken].choice;
        top = (uint64_t)x->cycles;
        below = (uint64_t)x->copies;
        sign = -sign;
    }
    dup_sum_add(&s->difference, sign, top, below);
}

/* Sign of gain(a) - gain(b), both after `stage` stages. */
static int compare_exactly(struct search *s, size_t stage, const struct state *a,
                           const struct state *b)
{
    for (; stage > 0; stage--) {
        const struct dup_class *c = &s->steps->classes[s->stages.at[stage - 1].class];
        s->effort++;
        if (a->taken != b->taken) {
            add_gain(s, 1, c, a->taken);
            add_gain(s, -1, c, b->taken);
        }
        if (a->parent == b->parent)
            break;
        a = parent_of(s, stage, a);
        b = parent_of(s, stage, b);
    }
    return dup_sum_sign(&s->difference);
}

static bool is_better(struct search *s, size_t stage, const struct state *a, const struct state *b)
{
    dup_units error = 2 * (dup_units)stage;
    if (a->gain >= b->gain + error || b->gain >= a->gain + error)
        return a->gain > b->gain;
    int order = compare_exactly(s, stage, a, b);
    if (order)
        return order > 0;
    if (s->steps->core->fewest_pes && a->pes != b->pes)
        return a->pes < b->pes;
    return a->copies < b->copies;
}

/* ---- stages ---- */

static struct state extend(const struct search *s, size_t stage, size_t parent, int64_t taken)
{
    const struct dup_class *c = &s->steps->classes[s->stages.at[stage - 1].class];
    int64_t most = s->stages.at[stage - 1].most;
    const struct state *from = &s->states.at[s->first.at[stage - 1] + parent];
    struct state x = *from;
    if (c->list) {
        const struct dup_core_choice *l = &c->list[taken];
        x.gain += c->list->units - l->units - (taken ? 1 : 0);
        x.slack += l->slack;
        x.pes += l->choice.pes - c->pes;
        x.copies += l->choice.copies;
    } else {
        x.gain += ((dup_units)c->gain[0] * taken << s->steps->core->shift) / c->gain[1];
        x.slack += c->slack_taken * taken + c->slack_left * (most - taken);
        x.pes += c->pes * taken;
        x.copies += taken;
    }
    x.parent = (uint32_t)parent;
    x.taken = (uint32_t)taken;
    return x;
}

/* Can an optimum go through this state after `stage` stages? */
static bool is_open(const struct search *s, size_t stage, const struct state *x)
{
    int64_t unused = s->steps->budget - x->pes - s->rest_pes.at[stage];
    return x->pes <= s->steps->budget &&
           x->slack + (unused > 0 ? s->steps->core->price * unused : 0) <= s->gap;
}

static int by_pes(const void *x, const void *y)
{
    const struct state *a = x, *b = y;
    if (a->pes != b->pes)
        return a->pes < b->pes ? -1 : 1;
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    return (a->taken > b->taken) - (a->taken < b->taken);
}

/* Keeps the states that improve on all before them; those after the stage before are new. */
static void keep_best(struct search *s, size_t stage)
{
    size_t first = s->first.at[stage], kept = first;
    struct state *at = s->states.at;
    qsort(at + first, s->states.n - first, sizeof *at, by_pes);
    for (size_t i = first; i < s->states.n; i++) {
        if (kept > first && !is_better(s, stage, &at[i], &at[kept - 1]))
            continue;
        if (kept > first && at[kept - 1].pes == at[i].pes)
            kept--;
        at[kept++] = at[i];
    }
    s->states.n = kept;
}

static bool run_stage(struct search *s, size_t stage)
{
    const struct stage *g = &s->stages.at[stage - 1];
    bool is_list = s->steps->classes[g->class].list != NULL;
    size_t n_before = s->states.n - s->first.at[stage - 1];
    leave_if_cancelled();
    VEC_PUSH(&s->first, s->states.n);
    for (size_t parent = 0; parent < n_before; parent++) {
        for (int64_t taken = 0; taken <= g->most; taken += is_list ? 1 : g->most) {
            struct state x = extend(s, stage, parent, taken);
            s->effort++;
            if (is_open(s, stage, &x))
                VEC_PUSH(&s->states, x);
        }
        if (s->states.n > MAX_STATES || s->effort > MAX_EFFORT)
            return false;
    }
    keep_best(s, stage);
    return s->effort <= MAX_EFFORT;
}

/* PEs of all that the stage can take, beside the fewest. */
static int64_t stage_pes(const struct search *s, const struct stage *g)
{
    const struct dup_class *c = &s->steps->classes[g->class];
    int64_t most = 0;
    if (!c->list)
        return c->pes * g->most;
    for (int64_t k = 0; k <= g->most; k++)
        most = max_i64(most, c->list[k].choice.pes - c->pes);
    return most;
}

static void make_stages(struct search *s, const int64_t *most)
{
    int64_t rest = 0;
    s->stages.n = s->rest_pes.n = 0;
    for (uint32_t c = 0; c < s->steps->n_classes; c++) {
        bool is_list = s->steps->classes[c].list != NULL;
        if (is_list)
            VEC_PUSH(&s->stages, ((struct stage){c, most[c]}));
        for (int64_t left = is_list ? 0 : most[c], n = 1; left > 0; left -= n, n *= 2) {
            n = min_i64(n, left);
            VEC_PUSH(&s->stages, ((struct stage){c, n}));
        }
    }
    for (size_t i = 0; i < s->stages.n; i++)
        rest += stage_pes(s, &s->stages.at[i]);
    VEC_PUSH(&s->rest_pes, rest);
    for (size_t i = 0; i < s->stages.n; i++) {
        rest -= stage_pes(s, &s->stages.at[i]);
        VEC_PUSH(&s->rest_pes, rest);
    }
}

/* What must be left is left. */
static struct state first_state(const struct search *s, const int64_t *most)
{
    struct state x = {0};
    for (size_t c = 0; c < s->steps->n_classes; c++)
        x.slack += s->steps->classes[c].slack_left * (s->steps->classes[c].most - most[c]);
    return x;
}

/* What each class gives to the best choice with at most most[class] of each; false: there is none
 * within the bound, or the effort is spent. */
static bool find_best(struct search *s, const int64_t *most, int64_t *taken, struct state *out)
{
    make_stages(s, most);
    s->states.n = s->first.n = 0;
    VEC_PUSH(&s->first, 0);
    VEC_PUSH(&s->states, first_state(s, most));
    for (size_t stage = 1; stage <= s->stages.n; stage++)
        if (!run_stage(s, stage) || s->states.n == s->first.at[stage])
            return false;
    const struct state *x = &s->states.at[s->states.n - 1];
    *out = *x;
    memset(taken, 0, s->steps->n_classes * sizeof *taken);
    for (size_t stage = s->stages.n; stage > 0; stage--) {
        taken[s->stages.at[stage - 1].class] += x->taken;
        x = parent_of(s, stage, x);
    }
    return true;
}

/* ---- ties ---- */

/* An optimum under way: what it takes, what may be taken, what could not be forbidden. */
struct optimum {
    struct state state;
    int64_t *taken, *trial;
    int64_t *most;   /* by class */
    int64_t *failed; /* by class: no optimum takes at most that many; -1: not known */
};

static bool is_equal(struct search *s, const struct optimum *o, const struct state *x)
{
    for (size_t c = 0; c < s->steps->n_classes; c++)
        if (o->taken[c] != o->trial[c]) {
            add_gain(s, 1, &s->steps->classes[c], o->trial[c]);
            add_gain(s, -1, &s->steps->classes[c], o->taken[c]);
        }
    return dup_sum_sign(&s->difference) == 0 && x->copies == o->state.copies &&
           (!s->steps->core->fewest_pes || x->pes == o->state.pes);
}

/* Some optimum takes at most `most` of the class: then o is one. */
static bool forbid(struct search *s, struct optimum *o, uint32_t class, int64_t most)
{
    struct state x;
    int64_t before = o->most[class];
    if (o->taken[class] <= most) {
        o->most[class] = min_i64(before, most);
        return true;
    }
    if (most <= o->failed[class])
        return false;
    o->most[class] = most;
    if (find_best(s, o->most, o->trial, &x) && is_equal(s, o, &x)) {
        memcpy(o->taken, o->trial, s->steps->n_classes * sizeof *o->taken);
        return true;
    }
    o->most[class] = before;
    o->failed[class] = most;
    return false;
}

/* From the last item on, each gets what dup_prefer has first of all that an optimum can give it. */
static void break_ties(struct search *s, struct optimum *o)
{
    const struct dup_steps *x = s->steps;
    for (size_t i = x->core->n_items; i-- > 0 && s->effort <= MAX_EFFORT;) {
        if (x->first[i] == x->first[i + 1]) {
            uint32_t class = x->list_class[i];
            while (o->taken[class] > 0 && forbid(s, o, class, o->taken[class] - 1))
                ;
            o->most[class] = o->taken[class];
        }
        for (size_t k = x->first[i + 1]; k-- > x->first[i];)
            if (!forbid(s, o, x->steps[k].class, x->steps[k].rank))
                break;
    }
}

static void write_choices(const struct dup_steps *x, const struct optimum *o, uint32_t *chosen)
{
    for (size_t i = 0; i < x->core->n_items; i++) {
        const struct dup_core_item *it = &x->core->items[i];
        int64_t at = 0;
        for (size_t k = x->first[i]; k < x->first[i + 1]; k++)
            at += x->steps[k].rank < o->taken[x->steps[k].class];
        if (x->first[i] == x->first[i + 1])
            chosen[it->item] = x->classes[x->list_class[i]].list[o->taken[x->list_class[i]]].at;
        else
            chosen[it->item] = it->choices[at].at;
    }
}

/* No optimum costs more than the one found: what is above that cannot be part of one. Each choice
 * of an item may be off by a unit. */
static void tighten(struct search *s, const struct state *optimum)
{
    const struct dup_core *core = s->steps->core;
    dup_units gap = optimum->slack + core->price * (s->steps->budget - optimum->pes) +
                    4 * (dup_units)core->n_items;
    for (size_t i = 0; i < core->n_items; i++)
        gap += (dup_units)core->items[i].n_choices;
    s->gap = gap < s->gap ? gap : s->gap;
}

static bool search_core(const struct dup_core *core, struct arena *a, uint32_t *chosen)
{
    struct dup_steps steps;
    dup_find_steps(core, a, &steps);
    struct search s = {.steps = &steps, .gap = core->gap};
    struct optimum o = {.taken = ARENA_ARRAY(a, int64_t, steps.n_classes),
                        .trial = ARENA_ARRAY(a, int64_t, steps.n_classes),
                        .most = ARENA_ARRAY(a, int64_t, steps.n_classes),
                        .failed = ARENA_ARRAY(a, int64_t, steps.n_classes)};
    for (size_t c = 0; c < steps.n_classes; c++) {
        o.most[c] = steps.classes[c].most;
        o.failed[c] = -1;
    }
    bool ok = find_best(&s, o.most, o.taken, &o.state);
    if (ok) {
        tighten(&s, &o.state);
        break_ties(&s, &o);
        write_choices(&steps, &o, chosen);
    }
    dup_sum_free(&s.difference);
    VEC_FREE(&s.stages);
    VEC_FREE(&s.states);
    VEC_FREE(&s.first);
    VEC_FREE(&s.rest_pes);
    return ok;
}

bool dup_break_ties(const struct dup_problem *p, struct diag *d, uint32_t *chosen, bool *out_proven)
{
    struct arena *a = arena_new();
    struct dup_core core;
    bool ok = dup_find_core(p, a, d, chosen, &core);
    if (ok)
        *out_proven = search_core(&core, a, chosen);
    arena_free(a);
    return ok;
}
