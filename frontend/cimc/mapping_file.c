/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mapping_file.c - copies and patches from a file: lines LAYER=N or LAYER=AxB, or the JSON that
 * `compile` and `run` print, whose layers are named by their numbers.
 *
 * A program records what the file said, not the file.
 */
#include "mapping_file.h"

#include "json.h"
#include "options.h"

#include <string.h>

struct reader {
    struct cimc_options *options;
    bool patches;       /* else copies */
    struct text copies; /* "0=4,1=2" */
    size_t n;
};

static void put_entry(struct reader *r, const char *entry)
{
    r->n++;
    if (r->patches)
        options_append(r->options, &r->options->patches, entry);
    else
        text_add(&r->copies, "%s%s", r->copies.n ? "," : "", entry);
}

/* ---- lines ---- */

static void read_lines(struct reader *r, const char *text, size_t n)
{
    struct text line = {0};
    for (const char *at = text, *end = text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop ? stop + 1 : end, *last = stop ? stop : end;
        while (at < last && (*at == ' ' || *at == '\t'))
            at++;
        while (at < last && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
            last--;
        line.n = 0;
        text_add(&line, "%.*s", (int)(last - at), at);
        if (at < last && *at != '#')
            put_entry(r, line.at);
        at = next;
    }
    text_free(&line);
}

/* ---- JSON: {"base_layers": [{"copies": N, "patch": [A, B]}, ...]} ---- */

enum { IN_OBJECT = 1, IN_LAYER = 3, IN_PATCH = 4 }; /* depths */
struct json_reader {
    struct reader *to;
    unsigned depth, n_patch;
    bool in_layers;
    enum { OTHER, COPIES, PATCH } key;
    int64_t layer, copies, patch[2];
};

static bool is_key(const char *key, size_t n, const char *name)
{
    return n == strlen(name) && memcmp(key, name, n) == 0;
}

static void see_key(void *self, const char *key, size_t n)
{
    struct json_reader *r = self;
    if (r->depth == IN_OBJECT)
        r->in_layers = is_key(key, n, "base_layers");
    if (r->depth == IN_LAYER)
        r->key = is_key(key, n, "copies") ? COPIES : is_key(key, n, "patch") ? PATCH : OTHER;
}

static void see_integer(void *self, int64_t x)
{
    struct json_reader *r = self;
    if (r->depth == IN_LAYER && r->key == COPIES)
        r->copies = x;
    if (r->depth == IN_PATCH && r->key == PATCH && r->n_patch < 2)
        r->patch[r->n_patch++] = x;
}

static void see_open(void *self)
{
    struct json_reader *r = self;
    r->depth++;
    if (r->depth == IN_LAYER) {
        r->copies = 0;
        r->n_patch = 0;
        r->key = OTHER;
    }
}

static void see_close(void *self)
{
    struct json_reader *r = self;
    struct text entry = {0};
    if (r->depth-- != IN_LAYER || !r->in_layers)
        return;
    if (!r->to->patches)
        text_add(&entry, "%lld=%lld", (long long)r->layer, (long long)r->copies);
    else if (r->n_patch == 2)
        text_add(&entry, "%lld=%lldx%lld", (long long)r->layer, (long long)r->patch[0],
                 (long long)r->patch[1]);
    if (entry.n)
        put_entry(r->to, entry.at);
    text_free(&entry);
    r->layer++;
}

static bool read_json(struct reader *to, const struct file *f)
{
    static const struct json_events events = {
        .open = see_open, .close = see_close, .key = see_key, .integer = see_integer};
    struct json_reader r = {.to = to};
    return json_read(f->data, f->size, &events, &r);
}

/* ---- both ---- */

bool mapping_is_file(const struct cimc_option_info *option, const char *value)
{
    return value && value[0] == '@' &&
           (option->offset == offsetof(struct cimc_options, copies) ||
            option->offset == offsetof(struct cimc_options, patches));
}

static bool read_file(struct reader *r, const struct file *f, struct diag *d)
{
    bool is_json = f->size > 0 && *f->data == '{';
    bool ok = !memchr(f->data, 0, f->size) && (!is_json || read_json(r, f));
    if (ok && !is_json)
        read_lines(r, (const char *)f->data, f->size);
    return (ok && r->n > 0) || diag_error(d, (struct loc){.file = f->path}, DIAG_DATA,
                                          "neither lines of %s nor what compile --json printed",
                                          r->patches ? "LAYER=AxB" : "LAYER=N");
}

bool mapping_put_file(struct cimc_options *o, const struct cimc_option_info *option,
                      const char *value, struct diag *d)
{
    struct reader r = {.options = o,
                       .patches = option->offset == offsetof(struct cimc_options, patches)};
    struct cimc_strings before = o->patches;
    struct arena *names = arena_new();
    struct file f;
    bool ok = file_open(value + 1, names, d, &f);
    if (ok) {
        ok = read_file(&r, &f, d);
        file_close(&f);
    }
    if (!ok)
        o->patches = before;
    else if (!r.patches)
        o->copies = options_keep(o, r.copies.at);
    if (ok && offsetof(struct cimc_options, mapping_files) + sizeof o->mapping_files <= o->size)
        options_append(o, &o->mapping_files, value + 1);
    text_free(&r.copies);
    arena_free(names);
    return ok;
}
