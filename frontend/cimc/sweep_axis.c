/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sweep_axis.c - lists of values: which options may have them, ranges, what is no value. */
#include "sweep.h"

#include "base/closest.h"
#include "options.h"

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
    closest_offer(&near, "models");
    return wrong(loc, d, "there is no option '%s'%s%s%s", name, CLOSEST(&near));
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

/* An option's own message, at the place of the value. */
static bool put(struct cimc_options *o, const struct cimc_option_info *option, const char *text,
                struct loc loc, struct diag *d)
{
    struct diag *reasons = diag_new();
    bool ok = options_put(o, option, text, reasons);
    if (!ok)
        wrong(loc, d, "%s", reasons->first->text);
    diag_free(reasons);
    return ok;
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

bool sweep_axis_take_all(struct sweep_plan *p, struct sweep_axis *axis,
                         const struct cimc_strings *texts, struct loc loc, struct diag *d)
{
    struct cimc_options trial;
    struct cimc_strings own = {.at = ARENA_ARRAY(p->arena, const char *, texts->n + 1)};
    cimc_options_init(&trial, sizeof trial);
    bool ok = true, is_field = axis->option && strcmp(axis->name, axis->option->name) != 0;
    for (size_t i = 0; ok && i < texts->n; i++) {
        const char *text = texts->at[i];
        own.at[own.n++] =
            is_field ? arena_printf(p->arena, "%s=%s", axis->name + strlen(field_prefix), text)
                     : arena_strdup(p->arena, text);
        ok = !axis->option || put(&trial, axis->option, own.at[i], loc, d);
    }
    cimc_options_free(&trial);
    if (ok && axis->values.n >= SWEEP_MOST_VALUES)
        return wrong(loc, d, "'%s' has more than %d values", axis->name, SWEEP_MOST_VALUES);
    if (ok)
        VEC_PUSH(&axis->values, ((struct sweep_value){label_of(texts, p->arena), own}));
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

/* "0..32" or "0..32:8" */
static bool is_range(const char *text, struct range *out)
{
    long long first, last, step = 1;
    int n = 0;
    if (sscanf(text, "%lld..%lld%n", &first, &last, &n) != 2)
        return false;
    if (text[n] == ':' && sscanf(text + n, ":%lld%n", &step, (int[]){0}) == 1)
        n += 1 + (int)strspn(text + n + 1, "0123456789");
    *out = (struct range){first, last, step};
    return text[n] == 0;
}

static bool take_range(struct sweep_plan *p, struct sweep_axis *axis, const struct range *r,
                       const char *text, struct loc loc, struct diag *d)
{
    bool ok = true;
    int64_t reach;
    if (r->step < 1 || r->last < r->first || !add_i64(r->last, r->step, &reach))
        return wrong(loc, d, "'%s' is not a range FIRST..LAST:STEP", text);
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
