/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_external.c - tensors whose bytes are in files beside the model (external_data).
 *
 * In: the key-value pairs of a TensorProto: `location` (a path relative to the folder of the file
 * that holds the tensor), `offset` and `length` (decimal; by default 0 and as much as the tensor
 * needs). Out: a view of the file, which is mapped once however many tensors lie in it.
 * A model must not be a means to read files elsewhere: absolute paths, "..", and links that lead
 * out of the model's folder are refused. A file that is not there leaves its tensors missing. The
 * folder of a model that is itself a link is both where the link is and where it leads: stores that
 * keep files under their hash lay links this way.
 */
#include "onnx_source.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Node of a tsearch tree, by location. */
struct onnx_external {
    const char *location;
    struct onnx_file *file; /* NULL: it is absent */
};

static int by_location(const void *a, const void *b)
{
    return strcmp(((const struct onnx_external *)a)->location,
                  ((const struct onnx_external *)b)->location);
}

struct place {
    const struct onnx_source *source;
    const Onnx__TensorProto *tensor;
    struct loc loc;
    struct diag *diag;
    const char *location;
    uint64_t offset, length;
    bool has_length;
};

static bool fail(const struct place *p, enum diag_code code, const char *what)
{
    return diag_error(p->diag, p->loc, code, "tensor '%s', external data '%s': %s",
                      p->tensor->name ? p->tensor->name : "", p->location ? p->location : "", what);
}

static bool read_number(const struct place *p, const char *key, const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno)
        return true;
    struct text t = {0};
    text_add(&t, "%s is '%s', not a number", key, text);
    fail(p, DIAG_ONNX_MODEL, t.at);
    text_free(&t);
    return false;
}

static bool read_pairs(struct place *p)
{
    bool has_offset = false;
    for (size_t i = 0; i < p->tensor->n_external_data; i++) {
        const Onnx__StringStringEntryProto *e = p->tensor->external_data[i];
        const char *key = e->key ? e->key : "", *value = e->value ? e->value : "";
        bool again = false;
        if (strcmp(key, "location") == 0) {
            again = p->location != NULL;
            p->location = value;
        } else if (strcmp(key, "offset") == 0) {
            again = has_offset;
            has_offset = true;
            if (!read_number(p, key, value, &p->offset))
                return false;
        } else if (strcmp(key, "length") == 0) {
            again = p->has_length;
            p->has_length = true;
            if (!read_number(p, key, value, &p->length))
                return false;
        }
        if (again)
            return fail(p, DIAG_ONNX_MODEL, "says twice where it is");
    }
    return (p->location && *p->location) || fail(p, DIAG_ONNX_MODEL, "has no location");
}

/* A path that does not climb. */
static bool check_form(const struct place *p)
{
    if (*p->location == '/')
        return fail(p, DIAG_ONNX_MODEL, "an absolute path; it must be relative to the model");
    for (const char *at = p->location; *at;) {
        size_t n = strcspn(at, "/");
        if (n == 2 && memcmp(at, "..", 2) == 0)
            return fail(p, DIAG_ONNX_MODEL, "'..' leads out of the model's folder");
        at += n + (at[n] == '/');
    }
    return true;
}

/* Is `path` below the folder of the file `beside`? Both are absolute. */
static bool is_beside(const char *path, const char *beside)
{
    const char *slash = strrchr(beside, '/');
    size_t n = slash ? (size_t)(slash - beside) + 1 : 0;
    return n && strncmp(path, beside, n) == 0;
}

/* True if a link leads out of the model's folder. */
static bool leads_out(const char *model_path, const char *folder, const char *path)
{
    char real[PATH_MAX], model[PATH_MAX], home[PATH_MAX];
    if (!realpath(path, real))
        return false; /* opening it will say why */
    bool inside = realpath(model_path, model) && is_beside(real, model);
    if (!inside && realpath(folder, home)) {
        size_t n = strlen(home);
        inside = strncmp(real, home, n) == 0 && (n == 1 || real[n] == '/');
    }
    return !inside;
}

/* In which the model is; NULL for one from standard input. */
static const char *folder_of(const struct onnx_source *s)
{
    const char *slash = s->path ? strrchr(s->path, '/') : NULL;
    if (!s->path)
        return NULL;
    return slash ? arena_strndup(s->arena, s->path, (size_t)(slash - s->path) + 1) : "./";
}

/* The file may be absent, which is said once for all the tensors in it. */
static bool note_absence(const struct place *p, const char *why)
{
    const struct onnx_options *o = p->source->options;
    if (o && o->no_weights)
        return true;
    return diag_error(p->diag, (struct loc){.file = p->source->path, .entity = NULL}, DIAG_IO,
                      "external data '%s': %s; --no-weights compiles the structure alone",
                      p->location, why);
}

/* *out is NULL if the file is absent. */
static bool open_file(const struct place *p, const char *folder, struct onnx_file **out)
{
    struct arena *a = p->source->arena;
    const char *path =
        strchr(p->source->path, '/') ? arena_printf(a, "%s%s", folder, p->location) : p->location;
    struct stat st;
    if (stat(path, &st) < 0 && errno == ENOENT) {
        note_absence(p, strerror(errno));
        return true;
    }
    if (stat(path, &st) < 0)
        return fail(p, DIAG_IO, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(p, DIAG_IO, "is no regular file");
    if (leads_out(p->source->path, folder, path))
        return fail(p, DIAG_ONNX_MODEL, "a link leads out of the model's folder");
    const struct onnx_options *o = p->source->options;
    if (o && o->may_read && !o->may_read(o->may_read_self, path, p->diag))
        return false;
    *out = onnx_file_open(path, a, p->diag);
    *p->source->bytes += *out ? onnx_file_of(*out)->size : 0;
    return *out != NULL;
}

static bool find_file(const struct place *p, struct onnx_file **out)
{
    struct onnx_external key = {.location = p->location};
    void **root = p->source->externals;
    void *node = tfind(&key, root, by_location);
    const char *folder = folder_of(p->source);
    *out = node ? (*(struct onnx_external **)node)->file : NULL;
    if (node)
        return true;
    if (!folder) {
        const struct onnx_options *o = p->source->options;
        return (o && o->no_weights) ||
               fail(p, DIAG_ONNX_MODEL, "the model comes from standard input, which has no folder");
    }
    if (!open_file(p, folder, out))
        return false;
    struct onnx_external *e = ARENA_NEW(p->source->arena, struct onnx_external);
    *e = (struct onnx_external){p->location, *out};
    if (!tsearch(e, root, by_location))
        out_of_memory(0);
    return true;
}

bool onnx_external_find(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                        struct diag *d, struct onnx_bytes *out)
{
    struct place p = {.source = s, .tensor = t, .loc = loc, .diag = d};
    struct onnx_file *file;
    if (!read_pairs(&p) || !check_form(&p) || !find_file(&p, &file))
        return false;
    out->file = file;
    if (!file) {
        if (s->options && s->options->n_missing)
            ++*s->options->n_missing;
        return true;
    }
    const struct file *f = onnx_file_of(file);
    if (p.offset > f->size || out->n > f->size - p.offset ||
        (p.has_length && p.length > f->size - p.offset)) {
        struct text says = {0};
        text_add(&says, "%llu bytes from byte %llu on reach beyond its %zu bytes",
                 (unsigned long long)(p.has_length ? p.length : out->n),
                 (unsigned long long)p.offset, f->size);
        fail(&p, DIAG_ONNX_MODEL, says.at);
        text_free(&says);
        return false;
    }
    if (p.has_length)
        out->n = (size_t)p.length;
    out->at = f->data ? f->data + p.offset : NULL;
    return true;
}

static void close_external(void *node)
{
    struct onnx_external *e = node;
    if (e->file)
        onnx_file_unref(e->file);
}

void onnx_externals_close(struct onnx_source *s)
{
    if (s->externals && *s->externals)
        tdestroy(*s->externals, close_external);
}
