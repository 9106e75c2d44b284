/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_trace.c - both schedules as trace events for Perfetto and chrome://tracing.
 *
 * A process is a tile in one of the modes, a thread a PE group, a vector unit or a port, a slice a
 * set or a work or, where there are too many, a run of them with small gaps. An arrow (flow) leads
 * to it from the one that it waited for. One microsecond of the trace is one cycle: machines have
 * cycles shorter than the viewers' nanosecond. A counter in a process of its own holds the mean
 * number of busy PEs, another process the slowest path.
 */
#include "views.h"

#include "json.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_EVENTS = 100000, /* of a mode; about 200 bytes each */
    MOST_FLOWS = 20000,   /* of a mode; likewise */
    N_SAMPLES = 1000,     /* of the counter */
    MODE_PROCESSES = 100000,
    PATH_PROCESS = MODE_PROCESSES - 1,
    UNIT_THREADS = 2000, /* more than a tile has PEs */
};
static const char *const categories[] = {"mvm", "vector", "network", "dram"};

static int64_t process_of(int mode, uint32_t tile)
{
    return (int64_t)(mode + 1) * MODE_PROCESSES + 1 + tile;
}

static int64_t thread_of(enum cost_unit unit, uint32_t first_pe)
{
    return unit == UNIT_PE ? first_pe + 1 : UNIT_THREADS + (int64_t)unit;
}

static void open_event(struct json *j, const char *phase, const char *name, int64_t process)
{
    json_open_map(j, NULL);
    json_text(j, "ph", phase);
    json_text(j, "name", name);
    json_integer(j, "pid", process);
}

/* One event a line. */
static void close_event(struct json *j, FILE *out)
{
    json_close_map(j);
    fputc('\n', out);
}

static void name_process(struct json *j, int64_t process, const char *name, int64_t order,
                         FILE *out)
{
    open_event(j, "M", "process_name", process);
    json_open_map(j, "args");
    json_text(j, "name", name);
    json_close_map(j);
    close_event(j, out);
    open_event(j, "M", "process_sort_index", process);
    json_open_map(j, "args");
    json_integer(j, "sort_index", order);
    json_close_map(j);
    close_event(j, out);
}

static void name_thread(struct json *j, int64_t process, int64_t thread, const char *name,
                        FILE *out)
{
    open_event(j, "M", "thread_name", process);
    json_integer(j, "tid", thread);
    json_open_map(j, "args");
    json_text(j, "name", name);
    json_close_map(j);
    close_event(j, out);
    open_event(j, "M", "thread_sort_index", process);
    json_integer(j, "tid", thread);
    json_open_map(j, "args");
    json_integer(j, "sort_index", thread);
    json_close_map(j);
    close_event(j, out);
}

static void name_tiles(struct json *j, const struct view_mode *mode, int m, FILE *out)
{
    struct text name = {0};
    for (uint32_t t = 0; t < mode->result.n_tiles; t++) {
        name.n = 0;
        text_add(&name, "%s, tile %u", mode->name, t);
        name_process(j, process_of(m, t), name.at, process_of(m, t), out);
    }
    text_free(&name);
}

/* PE groups are named after their PEs and their first layer. */
static void name_threads(struct json *j, const struct view_mode *mode, int m, const view_runs *runs,
                         FILE *out)
{
    static const char *const unit[] = {"", "vector unit", "network port", "DRAM port"};
    for (size_t i = 0; i < runs->n; i++) {
        const struct view_run *r = &runs->at[i], *before = i ? r - 1 : r;
        struct text name = {0};
        if (i && before->tile == r->tile && before->unit == r->unit &&
            before->first_pe == r->first_pe)
            continue;
        if (r->unit == UNIT_PE)
            text_add(&name, "PEs %u-%u: %s copy %u", r->first_pe, r->first_pe + r->n_pes - 1,
                     mode->result.layers[r->layer].name, r->copy);
        else
            text_add(&name, "%s", unit[r->unit]);
        name_thread(j, process_of(m, r->tile), thread_of(r->unit, r->first_pe), name.at, out);
        text_free(&name);
    }
}

/* Perfetto has its own colour for each name; chrome://tracing takes one of these. */
static const char *colour_of(uint32_t layer)
{
    static const char *const names[] = {"thread_state_running", "rail_response", "good",
                                        "rail_animation",       "rail_load",     "bad",
                                        "thread_state_iowait",  "olive"};
    return layer == UINT32_MAX ? "grey" : names[layer % (sizeof names / sizeof *names)];
}

static void open_slice(struct json *j, const char *name, const char *category, uint32_t layer,
                       int64_t process, int64_t thread, uint64_t start, uint64_t end)
{
    open_event(j, "X", name, process);
    json_integer(j, "tid", thread);
    json_text(j, "cat", category);
    json_integer(j, "ts", (int64_t)start);
    json_integer(j, "dur", (int64_t)(end - start));
    json_text(j, "cname", colour_of(layer));
    json_open_map(j, "args");
}

static void add_run(struct json *j, const struct backend_result *result, int m,
                    const struct view_run *r, FILE *out)
{
    bool is_set = r->unit == UNIT_PE;
    open_slice(j,
               is_set    ? result->layers[r->layer].name
               : r->name ? r->name
                         : "several values",
               categories[r->unit], r->layer, process_of(m, r->tile),
               thread_of(r->unit, r->first_pe), r->start, r->end);
    if (r->work)
        json_text(j, "work", r->work);
    if (is_set)
        json_integer(j, "copy", r->copy);
    if (r->n_sets > 1 || is_set)
        json_integer(j, is_set ? "sets" : "steps", r->n_sets);
    if (r->n_sets == 1 && is_set) {
        json_integer(j, "y", r->y);
        json_integer(j, "x", r->x);
        json_integer(j, "h", r->h);
        json_integer(j, "w", r->w);
    } else if (r->n_sets > 1) {
        json_integer(j, "busy_cycles", (int64_t)r->busy_cycles);
    }
    json_close_map(j);
    close_event(j, out);
}

/* ---- flows ---- */

/* Where a set or work is, by its task; process 0: the task is none. */
struct spot {
    int64_t process, thread;
    uint64_t start, end;
    uint32_t waited_for;
};

static uint32_t find_spots(const struct backend_result *r, int m, struct spot **out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_sets; i++)
        n = r->sets[i].task >= n ? r->sets[i].task + 1 : n;
    for (uint32_t i = 0; i < r->n_works; i++)
        n = r->works[i].task >= n ? r->works[i].task + 1 : n;
    *out = heap_alloc(((size_t)n + 1) * sizeof **out);
    for (uint32_t i = 0; i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        (*out)[s->task] = (struct spot){process_of(m, s->tile), thread_of(UNIT_PE, s->first_pe),
                                        s->start_cycle, s->end_cycle, s->waited_for};
    }
    for (uint32_t i = 0; i < r->n_works; i++) {
        const struct work_report *w = &r->works[i];
        (*out)[w->task] = (struct spot){process_of(m, w->tile), thread_of(w->unit, 0),
                                        w->start_cycle, w->end_cycle, w->waited_for};
    }
    return n;
}

/* A flow belongs to the slice that its time is in. */
static void add_end(struct json *j, const char *phase, int64_t id, const struct spot *s,
                    uint64_t time, FILE *out)
{
    open_event(j, phase, "waited for", s->process);
    json_integer(j, "tid", s->thread);
    json_text(j, "cat", "flow");
    json_integer(j, "id", id);
    json_integer(j, "ts", (int64_t)time);
    if (*phase == 'f')
        json_text(j, "bp", "e");
    close_event(j, out);
}

/* From the last cycle of each to the first of what waited for it; of too many each so-many-th. */
static void add_flows(struct json *j, const struct backend_result *r, int m, FILE *out)
{
    struct spot *spots;
    uint32_t n = find_spots(r, m, &spots), n_flows = 0, at = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t step = n_flows / MOST_FLOWS + 1;
        for (uint32_t i = 0; i < n; i++) {
            const struct spot *to = &spots[i];
            const struct spot *from =
                to->process && to->waited_for < n ? &spots[to->waited_for] : NULL;
            if (!from || !from->process || to->end == to->start)
                continue;
            if (pass == 0) {
                n_flows++;
            } else if (at++ % step == 0) {
                int64_t id = (int64_t)(m + 1) * UINT32_MAX + at;
                add_end(j, "s", id, from, from->end - 1, out);
                add_end(j, "f", id, to, to->start, out);
            }
        }
    }
    heap_free(spots);
}

/* ---- all tiles ---- */

static void add_path(struct json *j, const struct view_mode *mode, int m, FILE *out)
{
    const struct backend_detail *d = mode->result.detail;
    int64_t process = (int64_t)(m + 1) * MODE_PROCESSES + PATH_PROCESS;
    struct text name = {0};
    if (!d)
        return;
    text_add(&name, "%s, slowest path", mode->name);
    name_process(j, process, name.at, 0, out);
    name_thread(j, process, 1, "slowest path", out);
    for (uint32_t i = 0; i < d->n_path; i++) {
        const struct path_report *e = &d->path[i];
        open_slice(j, e->name, "path", e->layer, process, 1, e->start_cycle, e->end_cycle);
        json_text(j, "work", e->work);
        json_integer(j, "tile", e->tile);
        json_integer(j, "steps", e->n_steps);
        json_integer(j, "waited", e->n_input_waits);
        json_close_map(j);
        close_event(j, out);
    }
    text_free(&name);
}

static void add_counter(struct json *j, const struct view_mode *mode, int m, FILE *out)
{
    uint64_t makespan = mode->result.makespan_cycles;
    size_t n = makespan < N_SAMPLES ? (size_t)makespan : N_SAMPLES;
    int64_t process = (int64_t)(m + 1) * MODE_PROCESSES;
    struct text name = {0};
    double *busy = heap_alloc((n + 1) * sizeof *busy);
    view_profile(&mode->result, n ? n : 1, busy);
    busy[n] = 0;
    text_add(&name, "%s, all tiles", mode->name);
    name_process(j, process, name.at, process, out);
    for (size_t i = 0; i <= n; i++) {
        open_event(j, "C", "busy PEs", process);
        json_integer(j, "ts", n ? (int64_t)((double)makespan * (double)i / (double)n) : 0);
        json_open_map(j, "args");
        json_real(j, "PEs", round(1000 * busy[i]) / 1000);
        json_close_map(j);
        close_event(j, out);
    }
    text_free(&name);
    heap_free(busy);
}

static void add_facts(struct json *j, const struct views *v)
{
    json_open_map(j, "otherData");
    json_text(j, "compiler", "cimc " CIMC_VERSION);
    json_text(j, "model", driver_file_name(v->build->model));
    json_text(j, "arch", v->build->arch.name);
    json_text(j, "unit_of_time", "1 us of this trace is 1 cycle");
    json_integer(j, "cycle_ps", v->build->arch.cycle_ps);
    json_integer(j, "pes", v->build->dup.pes);
    json_integer(j, "layer_by_layer_makespan_cycles", (int64_t)v->mode[0].result.makespan_cycles);
    json_integer(j, "cross_layer_makespan_cycles", (int64_t)v->mode[1].result.makespan_cycles);
    json_close_map(j);
}

static void add_mode(struct json *j, const struct view_mode *mode, int m, FILE *out)
{
    view_runs runs = {0};
    if ((size_t)mode->result.n_sets + mode->result.n_works > MOST_EVENTS)
        view_merge_to(&mode->result, 0, MOST_EVENTS, &runs);
    else
        view_each(&mode->result, &runs);
    add_path(j, mode, m, out);
    add_counter(j, mode, m, out);
    name_tiles(j, mode, m, out);
    name_threads(j, mode, m, &runs, out);
    for (size_t i = 0; i < runs.n; i++)
        add_run(j, &mode->result, m, &runs.at[i], out);
    add_flows(j, &mode->result, m, out);
    VEC_FREE(&runs);
}

void view_print_trace(const struct views *v, FILE *out)
{
    struct json *j = json_new_stream(out);
    json_open_map(j, NULL);
    json_text(j, "displayTimeUnit", "ms");
    add_facts(j, v);
    json_open_array(j, "traceEvents");
    for (int m = 0; m < VIEW_MODES; m++)
        add_mode(j, &v->mode[m], m, out);
    json_close_array(j);
    json_close_map(j);
    json_finish(j, out);
}
