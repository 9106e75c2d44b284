/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sweep_axis.c - lists of values: which options may have them, ranges, what is no value. */
#include "sweep.h"

#include "base/closest.h"
#include "mapping_file.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char field_prefix[] = "arch-field.";

static bool wrong(struct loc loc, struct diag *d, const char *format, ...) PRINTF_LIKE(3, 4);
static bool wrong(struct loc loc, struct diag *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    diag_vat(d, loc, DIAG_USAGE, NULL, format, ap);
    va_end(ap);
    return false;
}

/* ---- which options vary ---- */

/* Those of the model are read once for all points; files are not written. */
static bool varies(const struct cimc_option_info *o)
{
    static const char *const groups[] = {"mode",    "calibrate", "scale", "machine",
                                         "mapping", "noise",     "frames"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (strcmp(o->group, groups[i]) == 0)
            return true;
    }
    return strcmp(o->name, "pace") == 0;
}

static bool is_machine_list(const struct cimc_option_info *o)
{
    return strcmp(o->name, "arch-field") == 0;
}

bool cimc_option_varies(const struct cimc_option_info *o)
{
    bool has_commas = o->argument && ends_with(o->argument, ",.."); /* in one value */
    bool is_single = o->kind != CIMC_OPTION_LIST && o->kind != CIMC_OPTION_FLAG && !has_commas;
    return varies(o) && (is_single || is_machine_list(o));
}

static const struct cimc_option_info *find(const char *name)
{
    const struct cimc_option_info *o = cimc_option_find(name);
    return o && varies(o) ? o : NULL;
}

static bool no_axis(const char *name, struct loc loc, struct diag *d)
{
    const struct cimc_option_info *other = cimc_option_find(name), *o;
    struct closest near = {.to = name};
    if (other)
        return wrong(loc, d, "--%s is the same for all points", other->name);
    for (size_t i = 0; (o = cimc_option_at(i)); i++) {
        if (varies(o))
            closest_offer(&near, o->name);
    }
    if (loc.file) /* a specification's; on the command line they are operands */
        closest_offer(&near, "models");
    return wrong(loc, d, "there is no option '%s'%s%s%s", name, CLOSEST(&near));
}

/* The option's own message, at the place where it stands. */
static bool pass_on(bool ok, struct diag *reasons, struct loc loc, struct diag *d)
{
    if (!ok)
        wrong(loc, d, "%s", reasons->first->text);
    diag_free(reasons);
    return ok;
}

/* Of an axis of one field; NULL: of none. */
static const char *own_field(const struct sweep_axis *axis)
{
    size_t n = strlen(field_prefix);
    return axis->option && strncmp(axis->name, field_prefix, n) == 0 ? axis->name + n : NULL;
}

/* Does one of the texts, FIELD=VALUE, give the field? */
static bool texts_give(const struct cimc_strings *texts, const char *field, size_t n)
{
    for (size_t i = 0; i < texts->n; i++)
        if (strncmp(texts->at[i], field, n) == 0 && texts->at[i][n] == '=')
            return true;
    return false;
}

static bool gives(const struct sweep_axis *axis, const char *field, size_t n)
{
    const char *own = own_field(axis);
    if (own)
        return strlen(own) == n && strncmp(own, field, n) == 0;
    for (size_t i = 0; axis->option && is_machine_list(axis->option) && i < axis->values.n; i++)
        if (texts_give(&axis->values.at[i].texts, field, n))
            return true;
    return false;
}

/* Is it a field of the machine, and given by none but this axis? */
static bool is_new_field(const struct sweep_plan *p, const struct sweep_axis *axis,
                         const char *field, size_t n, struct loc loc, struct diag *d)
{
    struct diag *reasons = diag_new();
    if (!pass_on(arch_has_field(field, n, (struct loc){0}, reasons), reasons, loc, d))
        return false;
    for (size_t i = 0; i < p->axes.n; i++)
        if (&p->axes.at[i] != axis && gives(&p->axes.at[i], field, n))
            return wrong(loc, d, "'%s%.*s' is given twice", field_prefix, (int)n, field);
    return true;
}

struct sweep_axis *sweep_axis_add(struct sweep_plan *p, const char *name, struct loc loc,
                                  struct diag *d)
{
    struct sweep_axis axis = {.name = arena_strdup(p->arena, name)};
    bool is_field = strncmp(name, field_prefix, strlen(field_prefix)) == 0;
    bool is_model = strcmp(name, "model") == 0;
    if (!is_model) {
        axis.option = find(is_field ? "arch-field" : name);
        if (!axis.option) {
            no_axis(name, loc, d);
            return NULL;
        }
        if (!is_field)
            axis.name = axis.option->name;
    }
    const char *field = own_field(&axis);
    if (field && !is_new_field(p, &axis, field, strlen(field), loc, d))
        return NULL;
    for (size_t i = 0; i < p->axes.n; i++) {
        if (strcmp(p->axes.at[i].name, axis.name) == 0) {
            wrong(loc, d, "'%s' is given twice", axis.name);
            return NULL;
        }
    }
    VEC_PUSH(&p->axes, axis);
    return &p->axes.at[p->axes.n - 1];
}

/* ---- values ---- */

static bool put(struct cimc_options *o, const struct cimc_option_info *option, const char *text,
                struct loc loc, struct diag *d)
{
    struct diag *reasons = diag_new();
    return pass_on(options_put(o, option, text, reasons), reasons, loc, d);
}

bool sweep_fix(struct sweep_plan *p, const struct cimc_option_info *option, const char *text,
               struct loc loc, struct diag *d)
{
    return put(&p->options, option, text, loc, d);
}

static const char *label_of(const struct cimc_strings *texts, struct arena *a)
{
    struct text label = {0};
    for (size_t i = 0; i < texts->n; i++)
        text_add(&label, "%s%s", i ? " " : "", texts->at[i]);
    const char *all = arena_strdup(a, label.n ? label.at : "");
    text_free(&label);
    return all;
}

/* May the axis have `more` values than it has? */
static bool has_room(const struct sweep_plan *p, const struct sweep_axis *axis, uint64_t more,
                     struct loc loc, struct diag *d)
{
    uint64_t n = axis->values.n, others = n ? p->n_points / n : p->n_points;
    if (more > SWEEP_MOST_VALUES - n)
        return wrong(loc, d, "'%s' has more than %d values", axis->name, SWEEP_MOST_VALUES);
    return (n + more) * others <= SWEEP_MOST_POINTS || /* both below 2^24 */
           wrong(loc, d, "more than %d points", SWEEP_MOST_POINTS);
}

static void add_value(struct sweep_plan *p, struct sweep_axis *axis, struct sweep_value value)
{
    uint64_t n = axis->values.n;
    VEC_PUSH(&axis->values, value);
    p->n_points = (n ? p->n_points / n : p->n_points) * axis->values.n;
}

/* "rows=64" of a value that says which fields change; `before`: what else it says. */
static bool is_assignment(const struct sweep_plan *p, const struct sweep_axis *axis,
                          const char *text, const struct cimc_strings *before, struct loc loc,
                          struct diag *d)
{
    size_t n = strcspn(text, "=");
    if (!text[n])
        return wrong(loc, d, "'%s' is not FIELD=VALUE", text);
    if (texts_give(before, text, n))
        return wrong(loc, d, "'%s%.*s' is given twice", field_prefix, (int)n, text);
    return is_new_field(p, axis, text, n, loc, d);
}

/* A mapping from a file is what was read now, whatever the file says when its points come. */
static struct cimc_strings mapping_read(const struct cimc_options *trial,
                                        const struct cimc_option_info *o, struct arena *a)
{
    const void *field = (const char *)trial + o->offset;
    struct cimc_strings list = {.at = (const char **)field, .n = 1};
    if (o->kind == CIMC_OPTION_LIST)
        list = *(const struct cimc_strings *)field;
    struct cimc_strings own = {.at = ARENA_ARRAY(a, const char *, list.n), .n = list.n};
    for (size_t i = 0; i < list.n; i++)
        own.at[i] = arena_strdup(a, list.at[i]);
    return own;
}

bool sweep_axis_take_all(struct sweep_plan *p, struct sweep_axis *axis,
                         const struct cimc_strings *texts, struct loc loc, struct diag *d)
{
    struct cimc_options trial;
    if (!has_room(p, axis, 1, loc, d))
        return false;
    struct cimc_strings own = {.at = ARENA_ARRAY(p->arena, const char *, texts->n + 1)};
    const char *field = own_field(axis);
    bool ok = true, is_list = !field && axis->option && is_machine_list(axis->option);
    bool has_file = false;
    cimc_options_init(&trial, sizeof trial);
    for (size_t i = 0; ok && i < texts->n; i++) {
        const char *text = field ? arena_printf(p->arena, "%s=%s", field, texts->at[i])
                                 : arena_strdup(p->arena, texts->at[i]);
        ok = (!is_list || is_assignment(p, axis, text, &own, loc, d)) &&
             (!axis->option || put(&trial, axis->option, text, loc, d));
        own.at[own.n++] = text;
        has_file |= axis->option && mapping_is_file(axis->option, text);
    }
    if (ok && has_file)
        own = mapping_read(&trial, axis->option, p->arena);
    cimc_options_free(&trial);
    if (ok)
        add_value(p, axis, (struct sweep_value){label_of(texts, p->arena), own});
    return ok;
}

static bool take_one(struct sweep_plan *p, struct sweep_axis *axis, const char *text,
                     struct loc loc, struct diag *d)
{
    return sweep_axis_take_all(p, axis, &(struct cimc_strings){&text, 1, 0}, loc, d);
}

struct range {
    int64_t first, last, step;
};

/* An integer as JSON has it, and what stands behind it: without blanks, + or leading zeros. */
static bool read_integer(const char **at, int64_t *out)
{
    const char *digits = *at + (**at == '-');
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || (digits[0] == '0' && (n > 1 || digits > *at)))
        return false;
    errno = 0;
    *out = strtoll(*at, NULL, 10);
    *at = digits + n;
    return errno == 0;
}

/* "0..32" or "0..32:8" */
static bool is_range(const char *text, struct range *out)
{
    *out = (struct range){.step = 1};
    if (!read_integer(&text, &out->first) || strncmp(text, "..", 2) != 0)
        return false;
    text += 2;
    if (!read_integer(&text, &out->last))
        return false;
    bool has_step = *text == ':';
    text += has_step;
    return (!has_step || read_integer(&text, &out->step)) && !*text;
}

/* Options take "010" and "+5" too; YAML 1.1 would read eight, and a row does not show a number. */
static bool is_odd_integer(const char *text)
{
    char *end;
    int64_t ignored;
    strtoll(text, &end, 10);
    return end != text && !*end && (!read_integer(&text, &ignored) || *text);
}

static bool take_range(struct sweep_plan *p, struct sweep_axis *axis, const struct range *r,
                       const char *text, struct loc loc, struct diag *d)
{
    int64_t reach;
    if (r->step < 1 || r->last < r->first || !add_i64(r->last, r->step, &reach))
        return wrong(loc, d, "'%s' is not a range FIRST..LAST:STEP", text);
    uint64_t n = ((uint64_t)r->last - (uint64_t)r->first) / (uint64_t)r->step + 1;
    bool ok = has_room(p, axis, n, loc, d);
    for (int64_t x = r->first; ok && x <= r->last; x += r->step)
        ok = take_one(p, axis, arena_printf(p->arena, "%lld", (long long)x), loc, d);
    return ok;
}

bool sweep_axis_take(struct sweep_plan *p, struct sweep_axis *axis, const char *text,
                     struct loc loc, struct diag *d)
{
    const struct cimc_option_info *o = axis->option;
    struct range range;
    bool is_number = o && (o->kind == CIMC_OPTION_INTEGER || is_machine_list(o));
    if (is_number && is_range(text, &range))
        return take_range(p, axis, &range, text, loc, d);
    if (o && o->kind == CIMC_OPTION_INTEGER && is_odd_integer(text))
        return wrong(loc, d, "--%s: '%s' is not a plain decimal number", o->name, text);
    return take_one(p, axis, text, loc, d);
}

/* ---- the command line's form ---- */

bool sweep_axis_parse(struct sweep_plan *p, const char *text, struct diag *d)
{
    static const struct loc nowhere = {0};
    const char *equals = strchr(text, '=');
    if (!equals)
        return wrong(nowhere, d, "--vary: '%s' is not NAME=VALUE,..", text);
    const char *name = arena_strndup(p->arena, text, (size_t)(equals - text));
    if (strcmp(name, "arch-field") == 0) {
        const char *second = strchr(equals + 1, '=');
        if (!second)
            return wrong(nowhere, d, "--arch-field: '%s' is not FIELD=VALUE,..", equals + 1);
        name =
            arena_printf(p->arena, "%s%.*s", field_prefix, (int)(second - equals - 1), equals + 1);
        equals = second;
    }
    struct sweep_axis *axis = sweep_axis_add(p, name, nowhere, d);
    bool ok = axis != NULL;
    for (const char *at = equals + 1; ok && *at;) {
        size_t n = strcspn(at, ",");
        ok = sweep_axis_take(p, axis, arena_strndup(p->arena, at, n), nowhere, d);
        at += n + (at[n] == ',');
    }
    return ok && (axis->values.n > 0 || wrong(nowhere, d, "'%s' has no values", axis->name));
}
