/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* diff_read.c - results from files: JSON, rows of a sweep, programs; and the function of cimc.h. */
#include "diff.h"

#include "api.h"
#include "common_json.h"
#include "isa.h"
#include "sweep.h"

#include <string.h>
#include <sys/stat.h>

/* ---- one side ---- */

/* Where "#12" begins, unless a file is called so. */
static const char *row_of(const char *path)
{
    struct stat st;
    const char *hash = strrchr(path, '#');
    bool is_row = hash && hash[1] && !hash[1 + strspn(hash + 1, "0123456789")];
    return is_row && stat(path, &st) != 0 ? hash : NULL;
}

const char *diff_file(const char *path, struct arena *a)
{
    const char *hash = row_of(path);
    return hash ? arena_strndup(a, path, (size_t)(hash - path)) : path;
}

/* "FILE#12": that row of the file. */
static const struct json_value *read_row(const char *path, const char *hash, struct arena *a,
                                         struct diag *d)
{
    const char *file = diff_file(path, a);
    unsigned long long index = strtoull(hash + 1, NULL, 10);
    struct sweep_rows rows = {.arena = a};
    const struct sweep_row *found = NULL;
    const struct json_value *v = NULL;
    bool ok = sweep_rows_read(&rows, file, NULL, d);
    for (size_t i = 0; ok && i < rows.list.n; i++) {
        if (rows.list.at[i].index == index)
            found = &rows.list.at[i];
    }
    if (found)
        v = json_tree(found->line, strlen(found->line), a,
                      (struct loc){.file = file, .line = (uint32_t)found->number}, DIAG_DATA, d);
    else if (ok)
        diag_error(d, (struct loc){.file = file}, DIAG_DATA, "there is no row %llu", index);
    VEC_FREE(&rows.list);
    return v;
}

/* What a program file says; the machine and the options are all that it depends on. */
static const struct json_value *read_program(const struct file *f, struct arena *a, struct diag *d)
{
    struct isa_program *p = isa_program_read_bytes(f->data, f->size, f->path, d);
    struct text all = {0};
    if (!p)
        return NULL;
    struct json *j = json_new_line();
    json_open_map(j, NULL);
    origin_json(p->options, &p->arch, j);
    json_text(j, "arch", p->arch.name);
    json_integer(j, "n_tiles", p->n_tiles);
    json_integer(j, "makespan_cycles", (int64_t)p->scheduled_cycles);
    json_close_map(j);
    json_finish_text(j, &all);
    const struct json_value *v =
        json_tree(all.at, all.n, a, (struct loc){.file = f->path}, DIAG_PROGRAM, d);
    text_free(&all);
    isa_program_free(p);
    return v;
}

static bool begins_json(const struct file *f)
{
    size_t at = 0;
    while (at < f->size && strchr(" \t\r\n", f->data[at]))
        at++;
    return at < f->size && f->data[at] == '{';
}

static bool has_several_rows(const struct file *f)
{
    static const char row[] = "{\"index\":";
    const uint8_t *end = f->size ? memchr(f->data, '\n', f->size) : NULL;
    return end && end + 1 < f->data + f->size && f->size > strlen(row) &&
           memcmp(f->data, row, strlen(row)) == 0;
}

static const struct json_value *read_file(const char *path, struct arena *a, struct diag *d)
{
    struct file f;
    struct loc loc = {.file = path};
    const struct json_value *v = NULL;
    if (!file_open(path, a, d, &f))
        return NULL;
    if (has_several_rows(&f))
        diag_error(d, loc, DIAG_DATA, "there are several rows; '%s#INDEX' is one", path);
    else if (begins_json(&f))
        v = json_tree((const char *)f.data, f.size, a, loc, DIAG_DATA, d);
    else
        v = read_program(&f, a, d);
    file_close(&f);
    return v;
}

bool diff_read(const char *path, struct arena *a, struct diag *d, const struct json_value **out)
{
    const char *hash = row_of(path);
    const struct json_value *v = hash ? read_row(path, hash, a, d) : read_file(path, a, d);
    if (json_find(v, "error"))
        return diag_error(d, (struct loc){.file = path}, DIAG_DATA, "the row has no result");
    *out = json_find(v, "result") ? json_find(v, "result") : v;
    return v != NULL;
}

/* ---- the function of cimc.h ---- */

struct diff_call {
    const char *a, *b;
    enum cimc_form form;
    bool *equal;
    cimc_write_fn write;
    void *user;
};

static void print(const struct diff_call *k, const struct differences *all, FILE *out)
{
    if (k->form != CIMC_JSON) {
        diff_print(all, out);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "version", CIMC_VERSION);
    json_text(j, "first", k->a);
    json_text(j, "second", k->b);
    diff_json(all, j);
    json_close_map(j);
    json_finish(j, out);
}

static bool diff(cimc_context *c, void *call)
{
    const struct diff_call *k = call;
    const struct json_value *a, *b;
    struct differences all = {.arena = arena_new()};
    struct writer w;
    writer_open(&w, k->write, k->user);
    bool ok = form_is_known(c, k->form, FORM(CIMC_TABLE) | FORM(CIMC_JSON)) &&
              diff_read(k->a, all.arena, c->diag, &a) && diff_read(k->b, all.arena, c->diag, &b);
    if (ok) {
        diff_find(&all, a, b);
        print(k, &all, w.f);
        *k->equal = all.list.n == 0;
    }
    VEC_FREE(&all.list);
    arena_free(all.arena);
    return writer_close(&w, c->diag) && ok;
}

enum cimc_status cimc_diff(cimc_context *c, const char *a, const char *b, enum cimc_form form,
                           bool *equal, cimc_write_fn write, void *user)
{
    return guard_run(c, diff, &(struct diff_call){a, b, form, equal, write, user});
}
