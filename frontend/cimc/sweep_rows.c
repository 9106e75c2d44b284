/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sweep_rows.c - rows of sweeps, read back from their files.
 *
 * A row begins with its index and key in one form, so that a file of many is read without looking
 * at the rest; what it cost is its last key.
 */
#include "sweep.h"

#include "json_read.h"

#include <string.h>

/* ---- reading ---- */

static const char row_begins[] = "{\"index\":";

struct row_reader {
    struct sweep_rows *rows;
    const char *path;
    size_t number; /* of the line */
    struct diag *diag;
};

static bool refuse(const struct row_reader *r, const char *why)
{
    return diag_error(r->diag, (struct loc){.file = r->path, .line = (uint32_t)r->number},
                      DIAG_DATA, "%s", why);
}

/* Index and key in their one form, without signs and blanks. */
static bool read_head(const char *line, struct sweep_row *row)
{
    char index[9], key[17];
    int head = 0;
    bool ok = sscanf(line, "{\"index\":%8[0-9],\"key\":\"%16[0-9a-f]\",\"point\":{%n", index, key,
                     &head) == 2;
    if (!ok || head == 0 || strlen(key) != 16)
        return false;
    row->index = strtoull(index, NULL, 10);
    row->key = strtoull(key, NULL, 16);
    return true;
}

/* What was lost in a line, or joined to it, is seen where it is no JSON any more. */
static bool read_row(const struct row_reader *r, const char *line, size_t n)
{
    struct sweep_row row = {.file = r->path, .number = r->number};
    row.line = arena_strndup(r->rows->arena, line, n);
    if (!read_head(row.line, &row))
        return refuse(r, "this is no row of a sweep");
    if (!json_is_whole(line, n))
        return refuse(r, "the row is damaged: it is no JSON");
    VEC_PUSH(&r->rows->list, row);
    return true;
}

/* A last line without an end. Only what is the beginning of a row may be cut off: anything else is
 * somebody's file. */
static bool read_rest(const struct row_reader *r, const char *line, size_t n, bool goes_on)
{
    size_t head = strlen(row_begins);
    if (memcmp(line, row_begins, n < head ? n : head) != 0)
        return refuse(r, "this is no row of a sweep");
    if (goes_on)
        return true;
    if (json_is_whole(line, n))
        return read_row(r, line, n);
    diag_warn(r->diag, (struct loc){.file = r->path, .line = (uint32_t)r->number}, DIAG_DATA,
              "the last line is cut off: a row is missing");
    return true;
}

bool sweep_rows_read(struct sweep_rows *rows, const char *path, uint64_t *end, struct diag *d)
{
    struct file f;
    if (!file_open(path, rows->arena, d, &f))
        return false;
    struct row_reader r = {rows, arena_strdup(rows->arena, f.path), 1, d};
    const char *first = (const char *)f.data, *at = first, *last = at + f.size, *next;
    bool ok = true;
    for (; ok && at < last && (next = memchr(at, '\n', (size_t)(last - at))); at = next + 1) {
        ok = read_row(&r, at, (size_t)(next - at));
        r.number++;
    }
    if (end)
        *end = (uint64_t)(at - first);
    ok = ok && (at == last || read_rest(&r, at, (size_t)(last - at), end != NULL));
    file_close(&f);
    return ok;
}

/* ---- joining ---- */

static size_t result_length(const struct sweep_row *row)
{
    static const char costs[] = ",\"costs\":{"; /* quotes in texts have a backslash */
    const char *at = row->line, *last = NULL;
    while ((at = strstr(at, costs)))
        last = at++;
    return last ? (size_t)(last - row->line) : strlen(row->line) - 1;
}

void sweep_row_add_result(const struct sweep_row *row, struct text *out)
{
    text_add_bytes(out, row->line, result_length(row));
    text_add(out, "}\n");
}

static int by_index(const void *a, const void *b)
{
    const struct sweep_row *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool is_same(const struct sweep_row *a, const struct sweep_row *b)
{
    size_t n = result_length(a);
    return n == result_length(b) && memcmp(a->line, b->line, n) == 0;
}

bool sweep_rows_join(struct sweep_rows *rows, struct diag *d)
{
    size_t n = 0;
    if (rows->list.n)
        qsort(rows->list.at, rows->list.n, sizeof *rows->list.at, by_index);
    for (size_t i = 0; i < rows->list.n; i++) {
        const struct sweep_row *row = &rows->list.at[i];
        const struct sweep_row *before = n ? &rows->list.at[n - 1] : NULL;
        if (!before || before->index != row->index) {
            rows->list.at[n++] = *row;
        } else if (!is_same(before, row)) {
            diag_error(d, (struct loc){.file = row->file, .line = (uint32_t)row->number}, DIAG_DATA,
                       "point %llu has two rows that differ", (unsigned long long)row->index);
            diag_note(d, (struct loc){.file = before->file, .line = (uint32_t)before->number},
                      "the other row");
            return false;
        }
    }
    rows->list.n = n;
    return true;
}

/* ---- CSV ---- */

enum { MOST_COLUMNS = 1000 };
struct cells {
    const char **at; /* may be NULL */
    size_t n, cap;
};
struct table {
    struct arena *arena;
    VEC(const char *) columns;
    VEC(struct cells) rows;
    bool is_full; /* a cell had no column any more */
};

static const char *first_error(const struct json_value *row, const char *key)
{
    const struct json_value *errors = json_find(row, "error");
    for (const struct json_value *e = errors ? errors->first : NULL; e; e = e->next) {
        const char *severity = json_text_of(e, "severity");
        if (severity && strcmp(severity, "error") == 0)
            return json_text_of(e, key);
    }
    return NULL;
}

/* A cell of the last row. */
static void put(struct table *t, const char *column, const char *text)
{
    size_t i = 0;
    while (i < t->columns.n && strcmp(t->columns.at[i], column) != 0)
        i++;
    if (i == t->columns.n && i < MOST_COLUMNS)
        VEC_PUSH(&t->columns, column);
    t->is_full |= i == MOST_COLUMNS;
    if (t->is_full)
        return;
    size_t last = t->rows.n - 1;
    while (t->rows.at[last].n <= i)
        VEC_PUSH(&t->rows.at[last], NULL);
    t->rows.at[last].at[i] = text;
}

static void put_point(struct table *t, const struct json_value *point)
{
    for (const struct json_value *v = json_first(point); v; v = v->next)
        put(t, v->key, v->text);
}

/* Plain values, and those of maps in it; lists and the machine are for programs that read JSON.
 * What the point asked for by the same name stands in a column of its own. */
static void put_result(struct table *t, const struct json_value *row)
{
    const struct json_value *result = json_find(row, "result"), *point = json_find(row, "point");
    for (const struct json_value *v = json_first(result); v; v = v->next) {
        if (json_is_plain(v))
            put(t, json_find(point, v->key) ? arena_printf(t->arena, "result.%s", v->key) : v->key,
                v->text);
        else if (strcmp(v->key, "machine") != 0)
            for (const struct json_value *in = json_first(v); in; in = in->next)
                if (json_is_plain(in))
                    put(t, arena_printf(t->arena, "%s.%s", v->key, in->key), in->text);
    }
}

static bool put_row(struct table *t, const struct sweep_row *row, struct diag *d)
{
    struct loc loc = {.file = row->file, .line = (uint32_t)row->number};
    const struct json_value *v =
        json_tree(row->line, strlen(row->line), t->arena, loc, DIAG_DATA, d);
    if (!v)
        return false;
    const char *code = first_error(v, "code");
    VEC_RESERVE(&t->rows, t->rows.n + 1);
    memset(&t->rows.at[t->rows.n++], 0, sizeof *t->rows.at);
    put(t, "index", json_text_of(v, "index"));
    put(t, "status", json_find(v, "error") ? code ? code : "error" : "ok");
    put_point(t, json_find(v, "point"));
    put_result(t, v);
    if (json_find(v, "error"))
        put(t, "error", first_error(v, "text"));
    return !t->is_full ||
           diag_error(d, loc, DIAG_DATA, "a table has at most %d columns", MOST_COLUMNS);
}

/* RFC 4180 */
static void add_cell(struct text *out, const char *cell, bool is_first)
{
    text_add(out, "%s", is_first ? "" : ",");
    if (!cell || !strpbrk(cell, ",\"\r\n")) {
        text_add(out, "%s", cell ? cell : "");
        return;
    }
    text_add(out, "\"");
    for (; *cell; cell++)
        text_add(out, *cell == '"' ? "\"%c" : "%c", *cell);
    text_add(out, "\"");
}

static void add_table(const struct table *t, struct text *out)
{
    for (size_t i = 0; i < t->columns.n; i++)
        add_cell(out, t->columns.at[i], i == 0);
    text_add(out, "\n");
    for (size_t r = 0; r < t->rows.n; r++) {
        for (size_t i = 0; i < t->columns.n; i++)
            add_cell(out, i < t->rows.at[r].n ? t->rows.at[r].at[i] : NULL, i == 0);
        text_add(out, "\n");
    }
}

bool sweep_rows_csv(const struct sweep_rows *rows, struct text *out, struct diag *d)
{
    struct table t = {.arena = arena_new()};
    bool ok = true;
    for (size_t i = 0; ok && i < rows->list.n; i++)
        ok = put_row(&t, &rows->list.at[i], d);
    if (ok)
        add_table(&t, out);
    for (size_t i = 0; i < t.rows.n; i++)
        VEC_FREE(&t.rows.at[i]);
    VEC_FREE(&t.rows);
    VEC_FREE(&t.columns);
    arena_free(t.arena);
    return ok;
}
