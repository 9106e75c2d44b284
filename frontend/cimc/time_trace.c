/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * time_trace.c - where the compiler's own time went, as trace events: stages, and inside them
 * passes. One thread, one microsecond of the trace is one of the clock.
 */
#include "time_trace.h"

#include "json.h"

static void open_event(struct json *j, const char *phase, const char *name)
{
    json_open_map(j, NULL);
    json_text(j, "ph", phase);
    json_text(j, "name", name);
    json_integer(j, "pid", 1);
    json_integer(j, "tid", 1);
}

static void add_name(struct json *j, const char *what, const char *name)
{
    open_event(j, "M", what);
    json_open_map(j, "args");
    json_text(j, "name", name);
    json_close_map(j);
    json_close_map(j);
}

static void add_microseconds(struct json *j, const char *key, double seconds)
{
    char text[32];
    snprintf(text, sizeof text, "%.3f", 1e6 * seconds);
    json_number(j, key, text);
}

static void add_spans(struct json *j, const struct spans *s)
{
    for (size_t i = 0; i < s->list.n; i++) {
        const struct span *x = &s->list.at[i];
        open_event(j, "X", x->name);
        json_text(j, "cat", x->kind);
        add_microseconds(j, "ts", x->start - s->list.at[0].start);
        add_microseconds(j, "dur", x->end - x->start);
        json_close_map(j);
    }
}

void time_trace_print(const struct build *b, const struct simulation *sim, FILE *out)
{
    struct spans all = {0};
    for (size_t i = 0; i < b->spans.list.n; i++)
        VEC_PUSH(&all.list, b->spans.list.at[i]);
    for (size_t i = 0; sim && i < sim->spans.list.n; i++)
        VEC_PUSH(&all.list, sim->spans.list.at[i]);
    spans_sort(&all);
    struct json *j = json_new_stream(out);
    json_open_map(j, NULL);
    json_text(j, "displayTimeUnit", "ms");
    json_open_map(j, "otherData");
    json_text(j, "compiler", "cimc " CIMC_VERSION);
    json_text(j, "model", b->model ? driver_file_name(b->model) : NULL);
    json_close_map(j);
    json_open_array(j, "traceEvents");
    add_name(j, "process_name", "cimc");
    add_name(j, "thread_name", "stages and passes");
    add_spans(j, &all);
    json_close_array(j);
    json_close_map(j);
    json_finish(j, out);
    VEC_FREE(&all.list);
}
