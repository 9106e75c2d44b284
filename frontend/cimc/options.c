/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * options.c - options from text by their table, and the line that a program keeps so that its
 * passes can be run again.
 *
 * In: an entry of the table and a value. Out: a field of struct cimc_options. What is put there is
 * in an arena that the structure owns; what callers put there themselves stays theirs.
 */
#include "options.h"

#include "mapping_file.h"

#include "base/closest.h"
#include "verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- defaults ---- */

void cimc_options_init(struct cimc_options *o, size_t size)
{
    const struct cimc_options defaults = {.size = size,
                                          .pes = -1,
                                          .extra_pes = -1,
                                          .row = -1,
                                          .col = -1,
                                          .tile = -1,
                                          .pe = -1,
                                          .at = -1,
                                          .noise_seed = -1,
                                          .pace = CIMC_PACE_STEADY,
                                          .duplicate = CIMC_DUPLICATE_SUM,
                                          .mapping = CIMC_MAPPING_WINDOW,
                                          .set = "auto",
                                          .tolerance = DEFAULT_TOLERANCE};
    memcpy(o, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

void cimc_options_free(struct cimc_options *o)
{
    if (!o)
        return;
    arena_free(o->memory);
    cimc_options_init(o, o->size);
}

/* ---- the table ---- */

/* `name` has `length` letters; an underscore is a dash. */
static bool is_called(const char *name, size_t length, const char *asked)
{
    for (size_t i = 0; i < length; i++) {
        if (asked[i] != name[i] && !(asked[i] == '_' && name[i] == '-'))
            return false;
    }
    return name[length] == 0;
}

const struct cimc_option_info *cimc_option_find(const char *name)
{
    const char *dot = strchr(name, '.'), *own = dot ? dot + 1 : name;
    for (const struct cimc_option_info *o = option_table; o->name; o++) {
        bool in_group = !dot || is_called(o->group, (size_t)(dot - name), name);
        if (in_group && is_called(o->name, strlen(own), own))
            return o;
    }
    return NULL;
}

/* ---- strings ---- */

const char *options_keep(struct cimc_options *o, const char *text)
{
    if (!o->memory)
        o->memory = arena_new();
    return arena_strdup(o->memory, text);
}

void options_append(struct cimc_options *o, struct cimc_strings *list, const char *text)
{
    const char *copy = options_keep(o, text);
    if (list->n >= list->cap) { /* also the first of a list that is the caller's */
        size_t cap = 2 * list->n + 8;
        const char **all = ARENA_ARRAY(o->memory, const char *, cap);
        for (size_t i = 0; i < list->n; i++)
            all[i] = list->at[i];
        list->at = all;
        list->cap = cap;
    }
    list->at[list->n++] = copy;
}

static void copy_list(struct cimc_options *to, struct cimc_strings *list)
{
    struct cimc_strings own = {0};
    for (size_t i = 0; i < list->n; i++)
        options_append(to, &own, list->at[i]);
    *list = own;
}

struct cimc_options options_copy(const struct cimc_options *o)
{
    struct cimc_options to = *o;
    to.memory = NULL;
    copy_list(&to, &to.mapping_files);
    for (const struct cimc_option_info *i = option_table; i->name; i++) {
        void *field = (char *)&to + i->offset;
        const char **text = field;
        if (i->kind == CIMC_OPTION_LIST)
            copy_list(&to, field);
        else if ((i->kind == CIMC_OPTION_TEXT || i->kind == CIMC_OPTION_MAY_TEXT) && *text)
            *text = options_keep(&to, *text);
    }
    return to;
}

/* ---- values ---- */

static bool choice_of(const struct cimc_option_info *o, const char *value, int64_t *out)
{
    int64_t index = 0;
    for (const char *c = o->choices; c; index++) {
        size_t n = strcspn(c, "|");
        if (strlen(value) == n && strncmp(c, value, n) == 0) {
            *out = index;
            return true;
        }
        c = c[n] ? c + n + 1 : NULL;
    }
    return false;
}

static bool integer_of(const struct cimc_option_info *o, const char *value, int64_t *out)
{
    char *end;
    errno = 0;
    if (o->all && strcmp(value, o->all) == 0) {
        *out = o->most;
        return true;
    }
    long long x = strtoll(value, &end, 10);
    if (errno || end == value || *end || x < o->least || x > o->most)
        return false;
    *out = x;
    return true;
}

static bool real_of(const struct cimc_option_info *o, const char *value, double *out)
{
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end || !(x >= (double)o->least && x <= (double)o->most))
        return false;
    *out = x;
    return true;
}

static bool flag_of(const char *value, bool *out)
{
    bool no = value && strcmp(value, "false") == 0;
    if (value && !no && strcmp(value, "true") != 0)
        return false;
    *out = !no;
    return true;
}

static bool no_choice(const char *name, const char *value, const char *choices, struct diag *d)
{
    struct closest near = {.to = value};
    struct arena *words = arena_new();
    for (const char *at = choices; *at; at += *at == '|') {
        size_t n = strcspn(at, "|");
        closest_offer(&near, arena_strndup(words, at, n));
        at += n;
    }
    diag_error(d, (struct loc){0}, DIAG_USAGE, "--%s: '%s' is none of %s%s%s%s", name, value,
               choices, CLOSEST(&near));
    arena_free(words);
    return false;
}

static bool refuse(const struct cimc_option_info *o, const char *value, struct diag *d)
{
    static const struct loc nowhere = {0};
    switch (o->kind) {
    case CIMC_OPTION_INTEGER:
        return diag_error(d, nowhere, DIAG_USAGE,
                          "--%s: '%s' is not %s%san integer from %lld to %lld", o->name, value,
                          o->all ? o->all : "", o->all ? " or " : "", (long long)o->least,
                          (long long)o->most);
    case CIMC_OPTION_REAL:
        return diag_error(d, nowhere, DIAG_USAGE, "--%s: '%s' is not a number from %lld to %lld",
                          o->name, value, (long long)o->least, (long long)o->most);
    default: return no_choice(o->name, value, o->choices ? o->choices : "true|false", d);
    }
}

static size_t field_bytes(enum cimc_option_kind kind)
{
    switch (kind) {
    case CIMC_OPTION_FLAG: return sizeof(bool);
    case CIMC_OPTION_LIST: return sizeof(struct cimc_strings);
    default: return sizeof(int64_t); /* and of a pointer or a double no more */
    }
}

static bool reach(const struct cimc_options *o, const struct cimc_option_info *option,
                  struct diag *d)
{
    return option->offset + field_bytes(option->kind) <= o->size ||
           diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "--%s: the caller's options are of a version that does not have it",
                      option->name);
}

bool options_reach(const struct cimc_options *o, const char *name, struct diag *d)
{
    const struct cimc_option_info *option = cimc_option_find(name);
    if (!option)
        BUG("there is no option --%s", name);
    return reach(o, option, d);
}

bool options_put(struct cimc_options *o, const struct cimc_option_info *option, const char *value,
                 struct diag *d)
{
    void *field = (char *)o + option->offset;
    if (!reach(o, option, d))
        return false;
    if (!value && option->kind != CIMC_OPTION_FLAG && option->kind != CIMC_OPTION_MAY_TEXT)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--%s has no value", option->name);
    if (mapping_is_file(option, value))
        return mapping_put_file(o, option, value, d);
    bool ok = true;
    switch (option->kind) {
    case CIMC_OPTION_FLAG: ok = flag_of(value, field); break;
    case CIMC_OPTION_TEXT: *(const char **)field = options_keep(o, value); break;
    case CIMC_OPTION_MAY_TEXT:
        *(const char **)field = value ? options_keep(o, value) : option->fallback;
        break;
    case CIMC_OPTION_LIST: options_append(o, field, value); break;
    case CIMC_OPTION_INTEGER: ok = integer_of(option, value, field); break;
    case CIMC_OPTION_REAL: ok = real_of(option, value, field); break;
    case CIMC_OPTION_CHOICE: ok = choice_of(option, value, field); break;
    }
    return ok || refuse(option, value, d);
}

static int64_t count_choices(const struct cimc_option_info *o)
{
    int64_t n = 1;
    for (const char *c = o->choices; *c; c++)
        n += *c == '|';
    return n;
}

static bool is_allowed(const struct cimc_option_info *o, const void *value, const void *otherwise)
{
    const int64_t *n = value;
    const double *x = value;
    const struct cimc_strings *list = value;
    switch (o->kind) {
    case CIMC_OPTION_LIST: return list->n == 0 || list->at;
    case CIMC_OPTION_INTEGER: return *n <= o->most;
    case CIMC_OPTION_CHOICE:
        return *n == *(const int64_t *)otherwise || (*n >= 0 && *n < count_choices(o));
    case CIMC_OPTION_REAL: return *x >= (double)o->least && *x <= (double)o->most;
    default: return true;
    }
}

void options_settle(struct cimc_options *o)
{
    struct cimc_options defaults;
    cimc_options_init(&defaults, sizeof defaults);
    for (const struct cimc_option_info *i = option_table; i->name; i++) {
        int64_t *field = (int64_t *)((char *)o + i->offset);
        if (i->kind == CIMC_OPTION_INTEGER && *field < i->least)
            *field = *(const int64_t *)((const char *)&defaults + i->offset);
    }
    if (!o->set)
        o->set = defaults.set;
}

const struct cimc_option_info *options_first_wrong(const struct cimc_options *o)
{
    struct cimc_options defaults;
    cimc_options_init(&defaults, sizeof defaults);
    for (const struct cimc_option_info *i = option_table; i->name; i++) {
        if (!is_allowed(i, (const char *)o + i->offset, (const char *)&defaults + i->offset))
            return i;
    }
    return NULL;
}

/* ---- the recorded options ---- */

/* One word of the line: blanks and backslashes get a backslash. */
static void add_word(struct text *out, const char *name, const char *value)
{
    text_add(out, "%s--%s=", out->n ? " " : "", name);
    for (; *value; value++)
        text_add(out, *value == ' ' || *value == '\\' ? "\\%c" : "%c", *value);
}

static void record_option(const struct cimc_option_info *o, const struct cimc_options *s,
                          struct text *out)
{
    const void *field = (const char *)s + o->offset;
    if (o->kind == CIMC_OPTION_FLAG && *(const bool *)field)
        text_add(out, "%s--%s", out->n ? " " : "", o->name);
    if (o->kind == CIMC_OPTION_TEXT && *(const char *const *)field)
        add_word(out, o->name, *(const char *const *)field);
    if (o->kind == CIMC_OPTION_INTEGER && o->all && *(const int64_t *)field == o->most)
        add_word(out, o->name, o->all);
    else if (o->kind == CIMC_OPTION_INTEGER && *(const int64_t *)field >= o->least)
        text_add(out, "%s--%s=%lld", out->n ? " " : "", o->name,
                 (long long)*(const int64_t *)field);
    if (o->kind == CIMC_OPTION_CHOICE) {
        const char *choice = o->choices;
        for (int64_t i = 0; i < *(const int64_t *)field; i++)
            choice += strcspn(choice, "|") + 1;
        text_add(out, "%s--%s=%.*s", out->n ? " " : "", o->name, (int)strcspn(choice, "|"), choice);
    }
    if (o->kind == CIMC_OPTION_LIST) {
        const struct cimc_strings *list = field;
        for (size_t i = 0; i < list->n; i++)
            add_word(out, o->name, list->at[i]);
    }
}

void options_record(const struct cimc_options *s, struct text *out)
{
    for (const struct cimc_option_info *o = option_table; o->name; o++) {
        if (o->recorded)
            record_option(o, s, out);
    }
}

char *options_next_word(const char **line, struct arena *a)
{
    *line += strspn(*line, " ");
    if (!**line)
        return NULL;
    char *word = arena_alloc(a, strlen(*line) + 1);
    size_t n = 0;
    for (; **line && **line != ' '; (*line)++) {
        if (**line == '\\' && (*line)[1])
            (*line)++;
        word[n++] = **line;
    }
    return word;
}

/* "--name=value" or "--name" */
static bool recall_word(char *word, struct cimc_options *s, struct diag *d)
{
    char *equals = strchr(word, '=');
    if (equals)
        *equals = 0;
    const struct cimc_option_info *o =
        strncmp(word, "--", 2) == 0 ? cimc_option_find(word + 2) : NULL;
    if (!o || !o->recorded || mapping_is_file(o, equals ? equals + 1 : NULL)) /* nor reads files */
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "unknown option %s", word);
    return options_put(s, o, equals ? equals + 1 : NULL, d);
}

bool options_recall(const char *line, struct cimc_options *s, struct diag *d)
{
    struct arena *words = arena_new();
    struct diag *reasons = diag_new(); /* wrong options in a file are not a wrong command line */
    bool ok = true;
    cimc_options_init(s, sizeof *s);
    for (char *word; ok && (word = options_next_word(&line, words));)
        ok = recall_word(word, s, reasons);
    if (!ok)
        diag_error(d, (struct loc){0}, DIAG_PROGRAM, "the program's options: %s",
                   reasons->first->text);
    diag_free(reasons);
    arena_free(words);
    return ok;
}
