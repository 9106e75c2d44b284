/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * findings_text.c - the sentences of the report: what holds the network up, what would help, and
 * what moving data costs.
 *
 * The first says it in short; the others, one for each unit that counts, what there is to know of
 * it.
 */
#include "findings.h"

#include <stdlib.h>
#include <string.h>

static const double LEAST_SHOWN = 0.0005;
enum { MOST_NAMED = 3 };

/* What is no letter to be seen is no mark either. */
static void add_name(struct text *t, const char *name)
{
    text_add(t, "%c", MARK_NAME);
    for (; *name; name++)
        text_add(t, "%c", (unsigned char)*name < ' ' ? '?' : *name);
    text_add(t, "%c", MARK_END);
}

static void add_code(struct text *t, const char *code)
{
    text_add(t, "%c%s%c", MARK_CODE, code, MARK_END);
}

static void say(const struct page *p, struct findings *f, struct text *t)
{
    f->others[f->n_others++] = arena_strdup(p->build->arena, t->at);
    text_free(t);
}

/* ---- the first one ---- */

static const char *work_text(enum page_work unit)
{
    static const char *const text[] = {[WORK_MVM] = "crossbar products",
                                       [WORK_VECTOR] = "vector work",
                                       [WORK_NETWORK] = "messages",
                                       [WORK_DRAM] = "transfers from and to the DRAM",
                                       [WORK_BARRIER] = "barriers"};
    return text[unit];
}

static bool is_all(const struct page *p, const struct finding_unit *u)
{
    return findings_share(p, u->cycles) > 1 - LEAST_SHOWN;
}

/* "Messages hold the network up most: 58.4 % of the makespan goes into them, 41.6 % into ..." */
static void add_units(const struct page *p, const struct findings *f, struct text *t)
{
    const char *name = work_text(f->units[0].unit);
    bool is_one = f->units[0].unit == WORK_VECTOR;
    double share = findings_share(p, f->units[0].cycles);
    text_add(t, "%c%s hold%s the network up", *name - 'a' + 'A', name + 1, is_one ? "s" : "");
    if (is_all(p, &f->units[0])) {
        text_add(t, ": all of the makespan goes into %s.", is_one ? "it" : "them");
        return;
    }
    text_add(t, " most: %.1f %% of the makespan goes into %s", 100 * share, is_one ? "it" : "them");
    for (size_t i = 1; i < f->n_units; i++) {
        share = findings_share(p, f->units[i].cycles);
        if (share >= LEAST_SHOWN)
            text_add(t, ", %.1f %% into %s", 100 * share, work_text(f->units[i].unit));
    }
    text_add(t, ".");
}

static void add_pieces(const struct page *p, const struct findings *f, struct text *t)
{
    text_add(t, " The largest piece: ");
    for (size_t i = 0; i < f->n_pieces && i < MOST_NAMED; i++) {
        const struct page_share *s = &f->pieces[i];
        text_add(t, i == 0 ? "" : i == 1 ? "; then " : " and ");
        add_name(t, s->first->name);
        text_add(t, " (");
        if (!is_all(p, &f->units[0]))
            text_add(t, "%s, ", work_text(page_work_of(s->first)));
        text_add(t, "%.1f %%)", 100 * findings_share(p, s->cycles));
    }
    text_add(t, ".");
}

/* "8 copies of X instead of 4 (3 more PEs)", "16 lanes instead of 8" */
static void add_change(const struct page *p, const struct finding_help *h, struct text *t)
{
    text_add(t, "%lld ", (long long)h->to);
    if (h->field) {
        add_code(t, h->field);
    } else {
        text_add(t, h->to == 1 ? "copy of " : "copies of ");
        add_name(t, p->result->layers[h->layer].name);
    }
    text_add(t, " instead of %lld", (long long)h->from);
    if (h->pes > 0)
        text_add(t, " (%lld more PE%s)", (long long)h->pes, h->pes == 1 ? "" : "s");
}

static void add_gain(const struct page *p, const struct finding_help *h, bool first, struct text *t)
{
    char with[32], without[32];
    text_add(t, "%s", view_time_text(h->makespan_cycles, p->build->arch.cycle_ps, with));
    if (first)
        text_add(t, " instead of %s",
                 view_time_text(p->result->makespan_cycles, p->build->arch.cycle_ps, without));
    text_add(t, " (%+.1f %%)", 100 * (findings_share(p, h->makespan_cycles) - 1));
}

/* Of all that was tried the best. */
static void add_best(const struct page *p, const struct findings *f, struct text *t)
{
    const struct finding_help *best = NULL;
    for (size_t i = 0; i < f->n_helps; i++)
        if (!best || f->helps[i].makespan_cycles < best->makespan_cycles)
            best = &f->helps[i];
    if (!best)
        return;
    text_add(t, " What would help most: with ");
    add_change(p, best, t);
    text_add(t, " it takes ");
    add_gain(p, best, true, t);
    text_add(t, ".");
}

static const char *first_sentence(const struct page *p, const struct findings *f)
{
    struct text t = {0};
    if (f->n_units == 0) {
        text_add(&t, "Nothing takes time: the makespan is 0.");
    } else {
        add_units(p, f, &t);
        add_pieces(p, f, &t);
        add_best(p, f, &t);
    }
    const char *kept = arena_strdup(p->build->arena, t.at);
    text_free(&t);
    return kept;
}

/* ---- copies ---- */

static bool has_objective(const struct page *p, const char *name)
{
    return strcmp(p->build->dup.objective, name) == 0;
}

/* There are PEs for one more copy: why is it not there? */
static void add_why_not(const struct page *p, struct text *t)
{
    bool may_cut = p->options->cut != (int64_t)CUT_2D, may_search = !has_objective(p, "makespan");
    if (may_cut) {
        text_add(t, "; ");
        add_code(t, "--cut 2d");
        text_add(t, " allows more copies");
    }
    if (may_search) {
        text_add(t, may_cut ? ", and " : "; ");
        add_code(t, "--duplicate makespan");
        text_add(t, " looks for those that make the schedule shorter");
    }
    if (!may_cut && !may_search)
        text_add(t, ", and no more copies were found that make the schedule shorter");
}

/* What more copies would take. */
static void add_need(const struct page *p, const struct layer_report *l, struct text *t)
{
    const struct dup_result *dup = &p->build->dup;
    uint64_t n_free = (uint64_t)(dup->pes - dup->pes_used);
    char some[32], all[32];
    if (has_objective(p, "none") || has_objective(p, "given")) {
        text_add(t, ", as was asked for; ");
        add_code(t, "--duplicate makespan");
        text_add(t, " looks for better ones");
        return;
    }
    text_add(t, ", and %s of %s PEs %s free", view_cycles_text(n_free, some),
             view_cycles_text((uint64_t)dup->pes, all), n_free == 1 ? "is" : "are");
    if (n_free >= (uint64_t)l->pes) {
        add_why_not(p, t);
    } else if (p->build->arch.tiles > 0) {
        text_add(t, "; a machine with more tiles (");
        add_code(t, "tiles");
        text_add(t, ") has more");
    } else {
        text_add(t, "; ");
        add_code(t, "--extra-pes");
        text_add(t, " gives more");
    }
}

static void say_crossbars(const struct page *p, struct findings *f, uint32_t layer)
{
    const struct dup_result *dup = &p->build->dup;
    const struct layer_report *l = &p->result->layers[layer];
    struct text t = {0};
    char text[32];
    add_name(&t, l->name);
    if (l->copies >= l->ofm[0] * l->ofm[1]) {
        text_add(&t, " has a copy for each of its output pixels: only faster crossbar products "
                     "would help.");
        say(p, f, &t);
        return;
    }
    text_add(&t, " would be faster with more copies: it has %lld cop%s of %lld PE%s",
             (long long)l->copies, l->copies == 1 ? "y" : "ies", (long long)l->pes,
             l->pes == 1 ? "" : "s");
    add_need(p, l, &t);
    if (dup->has_interval && dup->next_pes > 0)
        text_add(&t, ": with %s the interval from image to image is the next shorter",
                 view_cycles_text((uint64_t)(dup->next_pes - dup->pe_min), text));
    text_add(&t, ".");
    if (dup->has_bound && dup->lower_bound_cycles == p->result->makespan_cycles)
        text_add(&t, " No other copies on these PEs give a shorter schedule.");
    say(p, f, &t);
}

/* ---- the other units ---- */

/* "with 16 lanes instead of 8 4.1 ms instead of 5.2 ms (-21.0 %), with ..." */
static void add_tried(const struct page *p, const struct findings *f, enum page_work unit,
                      struct text *t)
{
    bool first = true;
    for (size_t i = 0; i < f->n_helps; i++) {
        const struct finding_help *h = &f->helps[i];
        if (h->unit != unit)
            continue;
        text_add(t, first ? ": it takes " : ", ");
        add_gain(p, h, first, t);
        text_add(t, " with ");
        add_change(p, h, t);
        first = false;
    }
    text_add(t, first ? ": twice of it, or half, alone would not make the schedule shorter." : ".");
}

/* "link_bytes_per_cycle 8, hop_cycles 3", of those that there are. */
static void add_fields(const struct arch *a, enum page_work unit, struct text *t)
{
    bool first = true;
    for (size_t i = 0; i < N_FINDING_FIELDS; i++) {
        const struct finding_field *field = &finding_fields[i];
        int64_t value = finding_field_value(field, a);
        if (field->unit != unit || value <= 0)
            continue;
        text_add(t, first ? "" : ", ");
        add_code(t, field->name);
        text_add(t, " %lld", (long long)value);
        first = false;
    }
}

static void say_unit(const struct page *p, struct findings *f, const struct finding_unit *u)
{
    static const char *const name[] = {
        [WORK_VECTOR] = "Vector units", [WORK_NETWORK] = "Network", [WORK_DRAM] = "DRAM"};
    struct text t = {0};
    text_add(&t, "%s: %s idle before %u of %u steps; the machine has ", name[u->unit],
             u->unit == WORK_VECTOR ? "the unit was" : "the port was", u->n_input_waits,
             u->n_steps);
    add_fields(&p->build->arch, u->unit, &t);
    add_tried(p, f, u->unit, &t);
    say(p, f, &t);
}

static void say_units(const struct page *p, struct findings *f)
{
    for (size_t i = 0; i < f->n_units; i++) {
        const struct finding_unit *u = &f->units[i];
        if (!findings_counts(p, u) || u->unit == WORK_BARRIER)
            continue;
        if (u->unit != WORK_MVM)
            say_unit(p, f, u);
        else if (f->slowest_layer != UINT32_MAX)
            say_crossbars(p, f, f->slowest_layer);
    }
}

/* ---- the schedule as a whole ---- */

static void say_mode(const struct page *p, struct findings *f)
{
    const struct backend_result *cross = &p->views->mode[1].result;
    struct text t = {0};
    char text[32];
    if (p->is_cross || cross->makespan_cycles >= p->result->makespan_cycles)
        return;
    text_add(&t, "The schedule is layer by layer; cross-layer (");
    add_code(&t, "--schedule cross");
    text_add(&t, ") takes %s cycles.", view_cycles_text(cross->makespan_cycles, text));
    say(p, f, &t);
}

static double picoseconds(const struct page_machine *m)
{
    return (double)m->result.makespan_cycles * (double)m->arch.cycle_ps;
}

static const char *time_of(const struct page_machine *m, char text[32])
{
    return view_time_text(m->result.makespan_cycles, m->arch.cycle_ps, text);
}

static void say_movement(const struct page *p, struct findings *f)
{
    struct text t = {0};
    char with[32], without[32];
    if (!p->free.exists || !p->priced.exists)
        return;
    double more = 100 * (picoseconds(&p->priced) / picoseconds(&p->free) - 1);
    if (p->asked_is_free) {
        text_add(&t, "Moving data and vector work are free here; with all costs of ");
        add_name(&t, p->priced_name);
        text_add(&t, " the network would take %s instead of %s", time_of(&p->priced, with),
                 time_of(&p->free, without));
    } else {
        text_add(&t, "Moving data and vector work take time here: %s, and %s if they were free",
                 time_of(&p->priced, with), time_of(&p->free, without));
    }
    text_add(&t, " (%+.1f %%, %ccost of movement%c).", more, MARK_MOVEMENT, MARK_END);
    say(p, f, &t);
}

void findings_say(const struct page *p, struct findings *f)
{
    f->others = ARENA_ARRAY(p->build->arena, const char *, N_PAGE_WORKS + 2);
    f->first = first_sentence(p, f);
    if (f->n_units == 0)
        return;
    say_units(p, f);
    say_mode(p, f);
    say_movement(p, f);
}
