/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_data.c - what the report shows as JSON, for `report --json` and in a script element.
 *
 * The keys of `compile --json` but durations, more of each tile, and: verdict, crossbars, buffers,
 * traffic, path, movement. In the element every '<' and '&' is written as an escape, so that no
 * name ends it, and long arrays are cut. `report --json` has all of them, and durations.
 */
#include "findings.h"

#include "common_json.h"
#include "mapping.h"
#include "quality.h"
#include "report.h"

#include <stdlib.h>

enum { MOST_ELEMENTS = 2000 }; /* of an array in the page */

static void tiles_json(const struct build *b, const struct backend_result *r, uint32_t most,
                       struct json *j)
{
    json_open_array(j, "tiles");
    for (uint32_t i = 0; i < r->n_tiles && i < most; i++) {
        const struct tile_report *t = &r->detail->tiles[i];
        json_open_map(j, NULL);
        report_tile_json(b->program, i, j);
        json_integer(j, "pe_busy_cycles", (int64_t)t->busy_cycles[UNIT_PE]);
        json_integer(j, "vector_busy_cycles", (int64_t)t->busy_cycles[UNIT_VECTOR]);
        json_integer(j, "network_busy_cycles", (int64_t)t->busy_cycles[UNIT_NETWORK]);
        json_integer(j, "dram_busy_cycles", (int64_t)t->busy_cycles[UNIT_DRAM]);
        json_integer(j, "vector_elements", (int64_t)t->vector_elements);
        json_integer(j, "sent_bytes", (int64_t)t->sent_bytes);
        json_integer(j, "copied_bytes", (int64_t)t->copied_bytes);
        json_integer(j, "read_bytes", (int64_t)t->read_bytes);
        json_integer(j, "written_bytes", (int64_t)t->written_bytes);
        json_integer(j, "peak_bytes", (int64_t)t->peak_bytes);
        json_close_map(j);
    }
    json_close_array(j);
}

static void crossbars_json(const struct backend_detail *d, uint32_t most, struct json *j)
{
    json_integer(j, "n_crossbars", d->n_crossbars);
    json_open_array(j, "crossbars");
    for (uint32_t i = 0; i < d->n_crossbars && i < most; i++) {
        const struct crossbar_report *c = &d->crossbars[i];
        json_open_map(j, NULL);
        json_integer(j, "tile", c->tile);
        json_integer(j, "pe", c->pe);
        json_integer(j, "layer", c->layer);
        json_integer(j, "copy", c->copy);
        json_integer(j, "cells", (int64_t)c->cells);
        json_close_map(j);
    }
    json_close_array(j);
}

static void buffers_json(const struct backend_detail *d, uint32_t most, struct json *j)
{
    static const char *const kind[] = {"value", "sums", "constant"};
    json_integer(j, "n_buffers", d->n_buffers);
    json_open_array(j, "buffers");
    for (uint32_t i = 0; i < d->n_buffers && i < most; i++) {
        const struct buffer_report *b = &d->buffers[i];
        json_open_map(j, NULL);
        json_integer(j, "tile", b->tile);
        json_text(j, "name", b->name);
        json_text(j, "kind", kind[b->kind]);
        json_integer(j, "rows", (int64_t)b->rows);
        json_integer(j, "ring_rows", (int64_t)b->ring_rows);
        json_integer(j, "peak_rows", (int64_t)b->peak_rows);
        json_integer(j, "bytes", (int64_t)b->bytes);
        json_close_map(j);
    }
    json_close_array(j);
}

static void traffic_json(const struct backend_detail *d, uint32_t most, struct json *j)
{
    json_integer(j, "n_traffic", d->n_traffic);
    json_open_array(j, "traffic");
    for (uint32_t i = 0; i < d->n_traffic && i < most; i++) {
        const struct traffic_report *t = &d->traffic[i];
        json_open_map(j, NULL);
        json_integer(j, "from", t->from);
        json_integer(j, "to", t->to);
        json_integer(j, "hops", t->hops);
        json_integer(j, "messages", (int64_t)t->messages);
        json_integer(j, "bytes", (int64_t)t->bytes);
        json_close_map(j);
    }
    json_close_array(j);
}

static void path_json(const struct backend_detail *d, uint32_t most, struct json *j)
{
    json_integer(j, "n_path", d->n_path);
    json_open_array(j, "path");
    for (uint32_t i = 0; i < d->n_path && i < most; i++) {
        const struct path_report *e = &d->path[i];
        json_open_map(j, NULL);
        json_text(j, "name", e->name);
        json_text(j, "work", e->work);
        json_layer(j, "layer", e->layer);
        json_integer(j, "tile", e->tile);
        json_integer(j, "start", (int64_t)e->start_cycle);
        json_integer(j, "end", (int64_t)e->end_cycle);
        json_integer(j, "steps", e->n_steps);
        json_integer(j, "input_waits", e->n_input_waits);
        json_close_map(j);
    }
    json_close_array(j);
}

static void machine_json(const struct page_machine *m, const char *key, struct json *j)
{
    if (!m->exists) {
        json_null(j, key);
        return;
    }
    json_open_map(j, key);
    json_integer(j, "makespan_cycles", (int64_t)m->result.makespan_cycles);
    json_integer(j, "cycle_ps", m->arch.cycle_ps);
    json_real(j, "utilisation", m->result.utilisation);
    json_close_map(j);
}

/* Into an open map; `b`: the build with its model's name as it is to be told. */
static void build_json(const struct page *p, const struct build *b, uint32_t most, struct json *j)
{
    report_build_json(b, j);
    mapping_report_json(p->build, j);
    findings_json(p, most, j);
    tiles_json(p->build, p->result, most, j);
    crossbars_json(p->result->detail, most, j);
    buffers_json(p->result->detail, most, j);
    traffic_json(p->result->detail, most, j);
    path_json(p->result->detail, most, j);
    if (p->build->quality.n_rows) {
        json_open_map(j, "quantisation");
        quality_json(&p->build->quality, j);
        json_close_map(j);
    }
    json_open_map(j, "movement");
    machine_json(&p->free, "free", j);
    machine_json(&p->priced, "priced", j);
    json_close_map(j);
}

struct memory {
    FILE *f; /* or NULL */
    char *text;
    size_t n;
};

static void give_memory(void *memory)
{
    struct memory *m = memory;
    if (m->f)
        fclose(m->f);
    free(m->text);
}

static void end_stream(struct memory *m)
{
    FILE *f = m->f;
    m->f = NULL;
    if (fclose(f) != 0)
        out_of_memory(0);
}

void page_data(const struct page *p)
{
    struct memory m = {0};
    struct hold *held = hold_new(give_memory);
    held->thing = &m;
    m.f = open_memstream(&m.text, &m.n);
    if (!m.f)
        out_of_memory(0);
    struct json *j = json_new_stream(m.f);
    struct build named = *p->build;
    named.model = driver_file_name(named.model);
    json_open_map(j, NULL);
    build_json(p, &named, MOST_ELEMENTS, j);
    json_close_map(j);
    json_finish(j, m.f);
    end_stream(&m);
    fputs("<script type=\"application/json\" id=\"cimc-data\">", p->out);
    for (size_t i = 0; i < m.n; i++) {
        if (m.text[i] == '<' || m.text[i] == '&' || m.text[i] == '>')
            fprintf(p->out, "\\u%04x", (unsigned)m.text[i]);
        else
            fputc(m.text[i], p->out);
    }
    fputs("</script>\n", p->out);
    heap_free(held);
    give_memory(&m);
}

void page_json(const struct page *p)
{
    struct json *j = json_new();
    json_open_map(j, NULL);
    build_json(p, p->build, UINT32_MAX, j);
    report_costs_json(p->build, NULL, j);
    json_close_map(j);
    json_finish(j, p->out);
}
