/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * diff.c - what is different in two results: options, machine, numbers, layers.
 *
 * In: two results as trees of JSON (diff_read.c). Out: a list of differences in the order of the
 * first. Seconds, memory and messages are no part of a result.
 */
#include "diff.h"

#include <math.h>
#include <string.h>

/* ---- members by name ---- */

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->nth < y->nth ? -1 : x->nth > y->nth;
}

static const char *option_name(const struct json_value *v, struct arena *a, const char **value)
{
    const char *word = v->text ? v->text : "", *name = word + strspn(word, "-");
    size_t n = strcspn(name, "=");
    *value = name[n] ? name + n + 1 : "true";
    return arena_strndup(a, name, n);
}

/* An option that is given more than once is one member, whose value is the list of them. Returns
 * the last word that was taken. */
static const struct json_value *option_member(const struct json_value *v, struct arena *a,
                                              struct member *out)
{
    const char *text;
    struct json_value *list = ARENA_NEW(a, struct json_value), *last = NULL;
    *list = (struct json_value){.kind = JSON_ARRAY};
    *out = (struct member){.name = option_name(v, a, &text), .value = list};
    for (;;) {
        struct json_value *next = ARENA_NEW(a, struct json_value);
        *next = (struct json_value){.kind = JSON_STRING, .text = text, .parent = list};
        *(last ? &last->next : &list->first) = next;
        last = next;
        if (!v->next || strcmp(option_name(v->next, a, &text), out->name) != 0)
            break;
        v = v->next;
    }
    if (list->first == last)
        out->value = last;
    return v;
}

/* The same name once more is the next of that name. */
static void sort_members(struct members *m, struct arena *a)
{
    m->sorted = ARENA_ARRAY(a, struct member, m->n + 1);
    for (size_t i = 0; i < m->n; i++) {
        m->sorted[i] = m->at[i];
        m->sorted[i].nth = i; /* where it stands, until all are sorted */
    }
    qsort(m->sorted, m->n, sizeof *m->sorted, by_name);
    for (size_t i = 0, nth = 0; i < m->n; i++) {
        nth = i && strcmp(m->sorted[i - 1].name, m->sorted[i].name) == 0 ? nth + 1 : 0;
        m->at[m->sorted[i].nth].nth = nth;
        m->sorted[i].nth = nth;
    }
}

struct members members_of(const struct json_value *v, struct arena *a)
{
    struct members m = {0};
    size_t n = 0;
    for (const struct json_value *x = v ? v->first : NULL; x; x = x->next)
        n++;
    m.at = ARENA_ARRAY(a, struct member, n + 1);
    for (const struct json_value *x = v ? v->first : NULL; x; x = x->next) {
        const char *name = x->key ? x->key : json_text_of(x, "name");
        if (name)
            m.at[m.n++] = (struct member){.name = name, .value = x};
        else
            x = option_member(x, a, &m.at[m.n++]);
    }
    sort_members(&m, a);
    return m;
}

const struct json_value *member_find(const struct members *m, const struct member *like)
{
    const struct member *found = bsearch(like, m->sorted, m->n, sizeof *like, by_name);
    return found ? found->value : NULL;
}

/* ---- comparing ---- */

/* Where the members stand that are compared. */
struct place {
    struct differences *out;
    const char *section, *layer, *prefix; /* prefix: of a map in it, "latency_cycles." */
    unsigned depth;                       /* of that map */
};
enum { MOST_DEPTH = 4 }; /* maps in maps that are looked into; results are no deeper */

typedef void (*compare_fn)(const struct place *at, const char *name, const struct json_value *a,
                           const struct json_value *b);

/* Every member of either; what one does not have is NULL. */
static void each_member(const struct place *at, const struct json_value *a,
                        const struct json_value *b, compare_fn compare)
{
    struct members x = members_of(a, at->out->arena), y = members_of(b, at->out->arena);
    for (size_t i = 0; i < x.n; i++)
        compare(at, x.at[i].name, x.at[i].value, member_find(&y, &x.at[i]));
    for (size_t i = 0; i < y.n; i++) {
        if (!member_find(&x, &y.at[i]))
            compare(at, y.at[i].name, NULL, y.at[i].value);
    }
}

static bool is_same(const struct json_value *a, const struct json_value *b)
{
    struct text x = {0}, y = {0};
    if (a)
        json_add_value(a, &x);
    if (b)
        json_add_value(b, &y);
    bool same = x.n == y.n && (x.n == 0 || memcmp(x.at, y.at, x.n) == 0);
    text_free(&x);
    text_free(&y);
    return same;
}

static void compare_value(const struct place *at, const char *name, const struct json_value *a,
                          const struct json_value *b)
{
    bool are_maps = a && b && a->kind == JSON_MAP && b->kind == JSON_MAP;
    struct place inner = *at;
    if (is_same(a, b))
        return;
    if (are_maps && at->depth < MOST_DEPTH) {
        inner.prefix = arena_printf(at->out->arena, "%s%s.", at->prefix, name);
        inner.depth++;
        each_member(&inner, a, b, compare_value);
        return;
    }
    const char *full = arena_printf(at->out->arena, "%s%s", at->prefix, name);
    VEC_PUSH(&at->out->list, ((struct difference_of){at->section, at->layer, full, a, b}));
}

static void compare_total(const struct place *at, const char *name, const struct json_value *a,
                          const struct json_value *b)
{
    static const char *const others[] = {"seconds",     "peak_rss_bytes", "diagnostics",
                                         "base_layers", "options",        "machine"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(others[i], name) == 0)
            return;
    }
    /* a program says less than a result */
    if (a && b)
        compare_value(at, name, a, b);
}

static void compare_layer(const struct place *at, const char *name, const struct json_value *a,
                          const struct json_value *b)
{
    struct place inner = *at;
    inner.layer = name;
    if (a && b)
        each_member(&inner, a, b, compare_value);
    else
        VEC_PUSH(&at->out->list, ((struct difference_of){at->section, name, "", a, b}));
}

static void compare_section(struct differences *out, const char *section, const char *key,
                            const struct json_value *a, const struct json_value *b,
                            compare_fn compare)
{
    const struct place at = {.out = out, .section = section, .prefix = ""};
    const struct json_value *x = key ? json_find(a, key) : a, *y = key ? json_find(b, key) : b;
    if (x && y)
        each_member(&at, x, y, compare);
}

void diff_find(struct differences *out, const struct json_value *a, const struct json_value *b)
{
    compare_section(out, "options", "options", a, b, compare_value);
    compare_section(out, "machine", "machine", a, b, compare_value);
    compare_section(out, "totals", NULL, a, b, compare_total);
    compare_section(out, "layers", "base_layers", a, b, compare_layer);
}

double diff_ratio(const struct difference_of *d)
{
    double a = json_number_of(d->a), b = json_number_of(d->b);
    return a != 0 ? b / a : NAN;
}

/* ---- telling ---- */

static void print_value(const struct json_value *v, FILE *out)
{
    struct text all = {0};
    if (v && v->kind != JSON_STRING)
        json_add_value(v, &all);
    const char *text = !v ? "-" : v->kind == JSON_STRING ? v->text : all.at;
    print_plain(text, out);
    text_free(&all);
}

static void print_line(const struct difference_of *d, FILE *out)
{
    double ratio = diff_ratio(d);
    fputs("  ", out);
    if (d->layer) {
        print_plain(d->layer, out);
        fputs(*d->name ? ": " : "", out);
    }
    print_plain(d->name, out);
    if (!*d->name) {
        fprintf(out, ": only in the %s\n", d->a ? "first" : "second");
        return;
    }
    fputs("  ", out);
    print_value(d->a, out);
    fputs(" -> ", out);
    print_value(d->b, out);
    if (isfinite(ratio))
        fprintf(out, "  (x %.3g)", ratio);
    fputc('\n', out);
}

void diff_print(const struct differences *all, FILE *out)
{
    const char *section = "";
    for (size_t i = 0; i < all->list.n; i++) {
        const struct difference_of *d = &all->list.at[i];
        if (strcmp(section, d->section) != 0)
            fprintf(out, "%s\n", d->section);
        section = d->section;
        print_line(d, out);
    }
}

static void value_json(const struct json_value *v, const char *key, struct json *j)
{
    struct text all = {0};
    if (!v || v->kind == JSON_NULL) {
        json_null(j, key);
    } else if (v->kind == JSON_NUMBER) {
        json_number(j, key, v->text);
    } else if (v->kind == JSON_BOOL) {
        json_bool(j, key, *v->text == 't');
    } else if (v->kind == JSON_STRING) {
        json_text(j, key, v->text);
    } else { /* an array, mostly of numbers, as text */
        json_add_value(v, &all);
        json_text(j, key, all.at);
    }
    text_free(&all);
}

void diff_json(const struct differences *all, struct json *j)
{
    json_bool(j, "equal", all->list.n == 0);
    json_open_array(j, "differences");
    for (size_t i = 0; i < all->list.n; i++) {
        const struct difference_of *d = &all->list.at[i];
        bool is_layer = d->layer && !*d->name; /* that one does not have */
        json_open_map(j, NULL);
        json_text(j, "section", d->section);
        json_text(j, "layer", d->layer);
        json_text(j, "name", is_layer ? NULL : d->name);
        if (is_layer) {
            json_bool(j, "first", d->a != NULL);
            json_bool(j, "second", d->b != NULL);
        } else {
            value_json(d->a, "first", j);
            value_json(d->b, "second", j);
        }
        json_real(j, "ratio", diff_ratio(d));
        json_close_map(j);
    }
    json_close_array(j);
}
