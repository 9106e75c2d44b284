/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* diag.c - collected diagnostics. */
#include "base/base.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *doc;
} codes[N_DIAG_CODES] = {
#define CODE(id, text, doc) {text, doc},
#include "diag.def"
#undef CODE
};

struct diag *diag_new(void)
{
    struct diag *d = heap_alloc(sizeof *d);
    d->arena = arena_new();
    return d;
}

void diag_free(struct diag *d)
{
    if (!d)
        return;
    arena_free(d->arena);
    heap_free(d);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Would the entry print the line that this work said last? */
static bool repeats_last(const struct diag *d, enum diag_severity severity, struct loc loc,
                         const char *text)
{
    const struct diag_entry *e = d->last;
    return e && e != d->earlier && e->severity == severity && e->loc.line == loc.line &&
           e->loc.col == loc.col && same_text(e->loc.file, loc.file) &&
           same_text(e->loc.entity, loc.entity) && same_text(e->text, text);
}

static void add_text(struct diag *d, enum diag_severity severity, struct loc loc,
                     enum diag_code code, const char *text)
{
    d->n_errors += severity == DIAG_ERROR;
    if (repeats_last(d, severity, loc, text))
        return;
    struct diag_entry *e = ARENA_NEW(d->arena, struct diag_entry);
    e->severity = severity;
    e->code = code;
    e->loc = loc;
    e->loc.file = loc.file ? arena_strdup(d->arena, loc.file) : NULL;
    e->loc.entity = loc.entity ? arena_strdup(d->arena, loc.entity) : NULL;
    e->text = arena_strdup(d->arena, text);
    if (d->last)
        d->last->next = e;
    else
        d->first = e;
    d->last = e;
}

static void add(struct diag *d, enum diag_severity severity, struct loc loc, enum diag_code code,
                const char *prefix, const char *fmt, va_list ap)
{
    struct text t = {0};
    if (prefix)
        text_add(&t, "%s: ", prefix);
    text_addv(&t, fmt, ap);
    add_text(d, severity, loc, code, t.at);
    text_free(&t);
}

bool diag_vat(struct diag *d, struct loc loc, enum diag_code code, const char *prefix,
              const char *fmt, va_list ap)
{
    add(d, DIAG_ERROR, loc, code, prefix, fmt, ap);
    return false;
}

bool diag_error(struct diag *d, struct loc loc, enum diag_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, DIAG_ERROR, loc, code, NULL, fmt, ap);
    va_end(ap);
    return false;
}

void diag_warn(struct diag *d, struct loc loc, enum diag_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, DIAG_WARNING, loc, code, NULL, fmt, ap);
    va_end(ap);
}

void diag_note(struct diag *d, struct loc loc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, DIAG_NOTE, loc, d->last ? d->last->code : DIAG_IO, NULL, fmt, ap);
    va_end(ap);
}

void diag_repeat(struct diag *d, const struct diag_entry *e)
{
    add_text(d, e->severity, e->loc, e->code, e->text);
}

/* ---- printing ---- */

/* "node 3 'a' (Conv)" -> "(Conv)": the kind of what an entry is about. */
static const char *kind_of(const char *entity)
{
    const char *at = entity ? strrchr(entity, '(') : NULL;
    return at ? at : "";
}

/* Entries with one key are one line: the same said of the same kind of node. */
static void write_key(struct text *out, const struct diag_entry *e)
{
    out->n = 0;
    text_add(out, "%d %d %u:%u %s %s\n%s", (int)e->severity, (int)e->code, e->loc.line, e->loc.col,
             e->loc.file ? e->loc.file : "", kind_of(e->loc.entity), e->text);
}

struct tally {
    struct map keys;
    VEC(unsigned) n;
};

static void count_entries(const struct diag *d, struct tally *t)
{
    struct text key = {0};
    for (const struct diag_entry *e = d->first; e; e = e->next) {
        write_key(&key, e);
        uint32_t fresh = (uint32_t)t->n.n, i = map_intern(&t->keys, key.at, key.n, fresh);
        if (i == fresh)
            VEC_PUSH(&t->n, 0);
        t->n.at[i]++;
    }
    text_free(&key);
}

/* So many print this line; 0 if it stands already. */
static unsigned take_count(struct tally *t, const struct diag_entry *e)
{
    struct text key = {0};
    write_key(&key, e);
    unsigned *n = &t->n.at[map_find(&t->keys, key.at, key.n)], had = *n;
    *n = 0;
    text_free(&key);
    return had;
}

static void print_entry(const struct diag_entry *e, unsigned n, FILE *out)
{
    static const char *const severities[] = {"error", "warning", "note"};
    print_plain(e->loc.file ? e->loc.file : "cimc", out);
    if (e->loc.line)
        fprintf(out, ":%u", e->loc.line);
    if (e->loc.line && e->loc.col)
        fprintf(out, ":%u", e->loc.col);
    if (e->loc.entity) {
        fputs(": ", out);
        print_plain(e->loc.entity, out);
        if (n > 1)
            fprintf(out, " and %u more", n - 1);
    }
    fprintf(out, ": %s: ", severities[e->severity]);
    print_plain(e->text, out);
    if (e->severity != DIAG_NOTE)
        fprintf(out, " [%s]", codes[e->code].name);
    fputc('\n', out);
}

void diag_print(const struct diag *d, FILE *out)
{
    struct tally t = {0};
    bool joined = false;
    if (d->brief)
        count_entries(d, &t);
    for (const struct diag_entry *e = d->first; e; e = e->next) {
        unsigned n = d->brief ? take_count(&t, e) : 1;
        joined |= n > 1;
        if (n)
            print_entry(e, n, out);
    }
    if (joined)
        fputs("cimc: note: --verbose names every node\n", out);
    map_free(&t.keys);
    VEC_FREE(&t.n);
}

const char *diag_code_name(enum diag_code code)
{
    return codes[code].name;
}

const char *diag_code_doc(enum diag_code code)
{
    return codes[code].doc;
}
