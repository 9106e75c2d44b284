/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_trace.c - both schedules as trace events for Perfetto and chrome://tracing.
 *
 * A process is a tile in one of the modes, a thread a PE group, an event a set or, where there are
 * too many, a run of sets with small gaps. One microsecond of the trace is one cycle: machines have
 * cycles shorter than the viewers' nanosecond. A counter in a process of its own holds the mean
 * number of busy PEs.
 */
#include "views.h"

#include "json.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_EVENTS = 200000, /* about 150 bytes each */
    N_SAMPLES = 1000,     /* of the counter */
    MODE_PROCESSES = 100000,
};

static int64_t process_of(int mode, uint32_t tile)
{
    return (int64_t)(mode + 1) * MODE_PROCESSES + 1 + tile;
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

static void name_thread(struct json *j, int64_t process, const struct view_run *r, const char *name,
                        FILE *out)
{
    open_event(j, "M", "thread_name", process);
    json_integer(j, "tid", r->first_pe + 1);
    json_open_map(j, "args");
    json_text(j, "name", name);
    json_close_map(j);
    close_event(j, out);
}

/* Threads are named after their PEs and their first layer. */
static void name_places(struct json *j, const struct view_mode *mode, int m, const view_runs *runs,
                        FILE *out)
{
    for (size_t i = 0; i < runs->n; i++) {
        const struct view_run *r = &runs->at[i], *before = i ? r - 1 : NULL;
        int64_t process = process_of(m, r->tile);
        struct text name = {0};
        if (!before || before->tile != r->tile) {
            text_add(&name, "%s, tile %u", mode->name, r->tile);
            name_process(j, process, name.at, process, out);
            name.n = 0;
        }
        if (!before || before->tile != r->tile || before->first_pe != r->first_pe) {
            text_add(&name, "PEs %u-%u: %s copy %u", r->first_pe, r->first_pe + r->n_pes - 1,
                     mode->result.layers[r->layer].name, r->copy);
            name_thread(j, process, r, name.at, out);
        }
        text_free(&name);
    }
}

static void add_run(struct json *j, const struct backend_result *result, int m,
                    const struct view_run *r, FILE *out)
{
    open_event(j, "X", result->layers[r->layer].name, process_of(m, r->tile));
    json_integer(j, "tid", r->first_pe + 1);
    json_integer(j, "ts", (int64_t)r->start);
    json_integer(j, "dur", (int64_t)(r->end - r->start));
    json_open_map(j, "args");
    json_integer(j, "copy", r->copy);
    json_integer(j, "sets", r->n_sets);
    if (r->n_sets == 1) {
        json_integer(j, "y", r->y);
        json_integer(j, "x", r->x);
        json_integer(j, "h", r->h);
        json_integer(j, "w", r->w);
    } else {
        json_integer(j, "busy_cycles", (int64_t)r->busy_cycles);
    }
    json_close_map(j);
    close_event(j, out);
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

bool view_write_trace(const struct views *v, const char *path, struct diag *d)
{
    struct out out;
    view_runs runs[VIEW_MODES] = {0};
    if (!out_open(&out, path, d))
        return false;
    size_t n_sets = (size_t)v->mode[0].result.n_sets + v->mode[1].result.n_sets;
    if (n_sets > MOST_EVENTS)
        view_merge_to(v, (uint64_t[VIEW_MODES]){0}, MOST_EVENTS, runs);
    struct json *j = json_new_stream(out.f);
    json_open_map(j, NULL);
    add_facts(j, v);
    json_open_array(j, "traceEvents");
    for (int m = 0; m < VIEW_MODES; m++) {
        const struct view_mode *mode = &v->mode[m];
        if (n_sets <= MOST_EVENTS)
            view_each(&mode->result, &runs[m]);
        add_counter(j, mode, m, out.f);
        name_places(j, mode, m, &runs[m], out.f);
        for (size_t i = 0; i < runs[m].n; i++)
            add_run(j, &mode->result, m, &runs[m].at[i], out.f);
        VEC_FREE(&runs[m]);
    }
    json_close_array(j);
    json_close_map(j);
    json_finish(j, out.f);
    return out_commit(&out, d);
}
