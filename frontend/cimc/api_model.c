/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_model.c - models: imported once, compiled as often as one likes. */
#include "api_handles.h"

#include "options.h"
#include "outputs.h"

#include <string.h>

/* ---- sources ---- */

const struct cimc_source *sources_whole(const struct cimc_source *given, size_t n, struct arena *a)
{
    struct cimc_source *all = ARENA_ARRAY(a, struct cimc_source, n);
    if (n > 0 && !given)
        BUG("the caller's %zu sources are NULL", n);
    for (size_t i = 0; i < n; i++) /* as far apart as the caller's structure is long */
        struct_copy_in(&all[i], sizeof *all, (const char *)given + i * given->size);
    return all;
}

bool source_open(const struct cimc_source *source, struct arena *names, struct diag *d,
                 struct file *out)
{
    if (!source->bytes)
        return file_open(source->path ? source->path : "", names, d, out);
    *out = (struct file){.data = source->bytes,
                         .size = source->n_bytes,
                         .path = source->path ? source->path : "<memory>",
                         .borrowed = true};
    return true;
}

/* ---- import ---- */

bool build_start(struct build *b, cimc_context *c, const struct cimc_options *o)
{
    return driver_start(b, o, NULL, &c->progress, c->diag);
}

struct import_call {
    const struct cimc_source *sources;
    size_t n;
    const struct cimc_options *options;
    cimc_model **out;
};

static bool check_files(const struct build *b, const struct cimc_options *o, struct diag *d)
{
    struct cimc_strings files = {.at = ARENA_ARRAY(b->arena, const char *, b->n_models)};
    for (size_t i = 0; i < b->n_models; i++) {
        if (!b->models[i].bytes)
            files.at[files.n++] = b->models[i].path;
    }
    return outputs_check(o, &files, d);
}

static bool import(struct cimc_model *m, cimc_context *c, const struct import_call *p)
{
    struct build *b = &m->build;
    if (!build_start(b, c, &m->options))
        return false;
    const struct cimc_source *sources = sources_whole(p->sources, p->n, b->arena);
    if (!driver_take_models(b, &m->options, sources, p->n, c->diag) ||
        !check_files(b, &m->options, c->diag) || !driver_import_models(b, &m->options, c->diag))
        return false;
    ports_describe(&m->ports, NULL, b);
    return true;
}

static bool import_call(cimc_context *c, void *call)
{
    const struct import_call *p = call;
    struct cimc_model *m = heap_alloc(sizeof *m);
    struct cimc_options whole = options_whole(p->options);
    m->options = options_copy(&whole);
    if (import(m, c, p)) {
        m->build.progress = NULL;
        *p->out = m;
        return true;
    }
    cimc_model_free(m);
    return false;
}

enum cimc_status cimc_import(cimc_context *c, const struct cimc_source *sources, size_t n,
                             const struct cimc_options *o, cimc_model **out)
{
    *out = NULL;
    return guard_run(c, import_call, &(struct import_call){sources, n, o, out});
}

void cimc_model_free(cimc_model *m)
{
    if (!m)
        return;
    io_free(&m->ports);
    driver_free(&m->build);
    cimc_options_free(&m->options);
    heap_free(m);
}

int64_t cimc_model_frames(const cimc_model *m, const struct cimc_options *o)
{
    struct cimc_options whole = options_whole(o);
    whole.states = m->options.states;
    return driver_frames(&m->build, &whole);
}

/* ---- names of files ---- */

struct name_call {
    const struct cimc_source *sources;
    size_t n;
    const char *ending;
    struct cimc_options *options;
};

static bool name_output(cimc_context *c, void *call)
{
    const struct name_call *p = call;
    struct cimc_options whole = options_whole(p->options);
    if (!options_reach(p->options, "output", c->diag))
        return false;
    struct build b = {.arena = arena_new()};
    const struct cimc_source *sources = sources_whole(p->sources, p->n, b.arena);
    bool ok = driver_take_models(&b, &whole, sources, p->n, c->diag);
    if (ok)
        p->options->output =
            options_keep(p->options, driver_output_name(b.model, p->ending, b.arena));
    driver_free(&b);
    return ok;
}

enum cimc_status cimc_name_output(cimc_context *c, const struct cimc_source *sources, size_t n,
                                  const char *ending, struct cimc_options *o)
{
    return options_run(c, name_output, &(struct name_call){sources, n, ending, o}, o);
}
