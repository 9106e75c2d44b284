/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * arch.c - the machine description as data: defaults, limits, assignment, printing, fingerprint.
 * One table made from arch.def stands behind all of them, so a new field is one line there.
 */
#include "arch_internal.h"

#include "quantity.h"

#include <string.h>

const struct arch_field arch_fields[ARCH_N_FIELDS] = {
#define built false
#define later true
#define FIELD(name, part, state, initial, least, most, unit, doc)                                  \
    {#name, offsetof(struct arch, name), initial, least, most, NULL, unit, doc, ARCH_##part, state},
#define CHOICE(name, part, state, initial, choices, doc)                                           \
    {#name, offsetof(struct arch, name), initial, 0, 0, choices, "choice", doc, ARCH_##part, state},
#include "arch.def"
#undef FIELD
#undef CHOICE
#undef built
#undef later
};

static int64_t get(const struct arch *arch, const struct arch_field *f)
{
    return *(const int64_t *)((const char *)arch + f->offset);
}

static void put(struct arch *arch, const struct arch_field *f, int64_t value)
{
    *(int64_t *)((char *)arch + f->offset) = value;
}

struct arch arch_initial(const char *name)
{
    struct arch arch = {.name = name};
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++)
        put(&arch, &arch_fields[i], arch_fields[i].initial);
    return arch;
}

unsigned arch_field_find(const char *name, size_t n)
{
    unsigned i = 0;
    while (i < ARCH_N_FIELDS &&
           (strlen(arch_fields[i].name) != n || memcmp(arch_fields[i].name, name, n) != 0))
        i++;
    return i;
}

const char *arch_field_successor(const char *name, size_t n)
{
    static const char differential[] = "differential";
    return n == sizeof differential - 1 && memcmp(name, differential, n) == 0
               ? "`encoding: differential` says 1, `encoding: offset` 0"
               : NULL;
}

struct closest arch_closest(const char *name, size_t n)
{
    char word[64];
    struct closest near = {.to = word};
    snprintf(word, sizeof word, "%.*s", (int)min_i64((int64_t)n, sizeof word), name);
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++)
        closest_offer(&near, arch_fields[i].name);
    for (unsigned i = 0; i < ARCH_N_PRICES; i++)
        closest_offer(&near, arch_prices[i].name);
    near.to = "";
    return near;
}

int64_t arch_field_most(const char *field)
{
    unsigned i = arch_field_find(field, strlen(field));
    return i < ARCH_N_FIELDS ? arch_fields[i].most : INT64_MAX;
}

/* The index-th of "a|b|c" and its length; NULL past the end. */
static const char *choice_at(const char *choices, int64_t index, size_t *n)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (!choices)
            return NULL;
        choices++;
    }
    *n = strcspn(choices, "|");
    return choices;
}

static bool parse_choice(const struct arch_field *f, const char *text, int64_t *out)
{
    size_t n;
    const char *choice;
    for (int64_t i = 0; (choice = choice_at(f->choices, i, &n)); i++) {
        if (strlen(text) == n && memcmp(choice, text, n) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* A number of the field's unit, in the cycles that the machine has now. */
static bool parse_number(const struct arch *arch, const struct arch_field *f, const char *text,
                         struct loc loc, struct diag *d, int64_t *out)
{
    struct quantity q = {
        .what = "field", .name = f->name, .unit = f->unit, .scale = 1, .cycle_ps = arch->cycle_ps};
    if (!quantity_read(&q, text, loc, d, out))
        return false;
    return (*out >= f->least && *out <= f->most) ||
           diag_error(d, loc, DIAG_ARCH_VALUE, "field '%s' = %.64s is outside %lld..%lld %s",
                      f->name, text, (long long)f->least, (long long)f->most, f->unit);
}

bool arch_set_field(struct arch *arch, const struct arch_field *f, const char *text, struct loc loc,
                    struct diag *d)
{
    int64_t value;
    if (f->choices && !parse_choice(f, text, &value))
        return diag_error(d, loc, DIAG_ARCH_VALUE, "field '%s' is one of %s, not '%.64s'", f->name,
                          f->choices, text);
    if (!f->choices && !parse_number(arch, f, text, loc, d, &value))
        return false;
    if (f->later && value != f->initial)
        return diag_error(d, loc, DIAG_ARCH_VALUE,
                          "field '%s' = %.64s: not yet, only its default so far", f->name, text);
    put(arch, f, value);
    return true;
}

/* A weight has room in a crossbar. */
static bool check_room(const struct arch *arch, struct loc loc, struct diag *d)
{
    if (arch_logical_cols(arch, 0) == 0)
        return diag_error(
            d, loc, DIAG_ARCH_VALUE,
            "a weight of %lld bits does not fit a row of %lld cells of %lld bits%s",
            (long long)arch->weight_bits, (long long)arch->cols, (long long)arch->cell_bits,
            arch_weight_columns(arch, 0) == arch_weight_slices(arch, 0) ? ""
                                                                        : ", two for each sign");
    return arch_logical_rows(arch) > 0 ||
           diag_error(d, loc, DIAG_ARCH_VALUE,
                      "a weight takes two rows, one for each sign (pair_axis), of %lld",
                      (long long)arch->rows);
}

/* What cells are is consistent. */
static bool check_noise(const struct arch *arch, struct loc loc, struct diag *d)
{
    if (arch->cell_fraction_bits > 0 &&
        arch->cell_bits + arch->cell_fraction_bits > ARCH_MOST_FINE_BITS)
        return diag_error(
            d, loc, DIAG_ARCH_VALUE, "cells of %lld bits and %lld of fraction have more than %d",
            (long long)arch->cell_bits, (long long)arch->cell_fraction_bits, ARCH_MOST_FINE_BITS);
    return arch->stuck_low_ppm + arch->stuck_high_ppm <= 1000000 ||
           diag_error(d, loc, DIAG_ARCH_VALUE,
                      "%lld and %lld of a million cells are stuck: more than all",
                      (long long)arch->stuck_low_ppm, (long long)arch->stuck_high_ppm);
}

bool arch_check(const struct arch *arch, struct loc loc, struct diag *d)
{
    return check_room(arch, loc, d) && check_noise(arch, loc, d);
}

bool arch_has_field(const char *name, size_t n, struct loc loc, struct diag *d)
{
    if (arch_field_find(name, n) < ARCH_N_FIELDS || arch_price_find(name, n) < ARCH_N_PRICES)
        return true;
    int shown = (int)min_i64((int64_t)n, 64);
    const char *now = arch_field_successor(name, n);
    struct closest near = arch_closest(name, n);
    if (now)
        return diag_error(d, loc, DIAG_ARCH_VALUE, "there is no field '%.*s': %s", shown, name,
                          now);
    return diag_error(d, loc, DIAG_ARCH_VALUE, "there is no field '%.*s'%s%s%s", shown, name,
                      CLOSEST(&near));
}

bool arch_set(struct arch *arch, const char *assignment, struct diag *d)
{
    struct loc loc = {.entity = "machine"};
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return diag_error(d, loc, DIAG_ARCH_VALUE, "'%.64s' is not FIELD=VALUE", assignment);
    size_t n = (size_t)(equals - assignment);
    if (!arch_has_field(assignment, n, loc, d))
        return false;
    unsigned price = arch_price_find(assignment, n);
    if (price < ARCH_N_PRICES)
        return arch_set_price(arch, &arch_prices[price], equals + 1, loc, d);
    struct arch changed = *arch;
    if (!arch_set_field(&changed, &arch_fields[arch_field_find(assignment, n)], equals + 1, loc,
                        d) ||
        !arch_check(&changed, loc, d))
        return false;
    *arch = changed;
    return true;
}

static bool is_cycle_length(const char *assignment)
{
    static const char name[] = "cycle_ps=";
    return strncmp(assignment, name, strlen(name)) == 0;
}

bool arch_set_all(struct arch *arch, const char *const *assignments, size_t n, struct diag *d)
{
    bool ok = true;
    for (int cycles = 1; cycles >= 0; cycles--)
        for (size_t i = 0; i < n && ok; i++)
            ok = is_cycle_length(assignments[i]) != cycles || arch_set(arch, assignments[i], d);
    return ok;
}

void arch_field_text(const struct arch *arch, const struct arch_field *f, char *out, size_t n)
{
    size_t length = 0;
    const char *choice = f->choices ? choice_at(f->choices, get(arch, f), &length) : NULL;
    if (choice)
        snprintf(out, n, "%.*s", (int)length, choice);
    else
        snprintf(out, n, "%lld", (long long)get(arch, f));
}

void arch_print(const struct arch *arch, struct text *out)
{
    text_add(out, "name: ");
    text_add_quoted(out, arch->name);
    text_add(out, "\n");
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++) {
        char value[ARCH_VALUE_TEXT];
        arch_field_text(arch, &arch_fields[i], value, sizeof value);
        text_add(out, "%s: %s\n", arch_fields[i].name, value);
    }
    arch_print_energy(arch, out);
}

/* Names are hashed with the values, so that two fields swapped in arch.def do not go unnoticed. */
uint64_t arch_fingerprint(const struct arch *arch, enum arch_part part)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++) {
        int64_t value = get(arch, &arch_fields[i]);
        if (arch_fields[i].part != part)
            continue;
        hash = hash_bytes(arch_fields[i].name, strlen(arch_fields[i].name), hash);
        hash = hash_bytes(&value, sizeof value, hash);
    }
    return hash;
}

const char *const *arch_presets(void)
{
    return arch_preset_names;
}

const struct arch_preset *arch_preset_find(const char *name)
{
    for (const struct arch_preset *p = arch_preset_list; p->name; p++) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

void arch_print_fields(struct text *out)
{
    text_add(out,
             "| field | default | range | unit | part | meaning |\n|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < ARCH_N_FIELDS; i++) {
        const struct arch_field *f = &arch_fields[i];
        text_add(out, "| `%s` | ", f->name);
        const char *part = f->part == ARCH_structure ? "structure" : "timing";
        const char *later = f->later ? "; *not yet*: only the default" : "";
        if (!f->choices) {
            text_add(out, "%lld | %lld..%lld | %s | %s | %s%s |\n", (long long)f->initial,
                     (long long)f->least, (long long)f->most, f->unit, part, f->doc, later);
            continue;
        }
        size_t n = 0;
        const char *choice = choice_at(f->choices, f->initial, &n);
        text_add(out, "`%.*s` | ", (int)n, choice);
        for (int64_t k = 0; (choice = choice_at(f->choices, k, &n)); k++)
            text_add(out, "%s`%.*s`", k ? ", " : "", (int)n, choice);
        text_add(out, " | %s | %s | %s%s |\n", f->unit, part, f->doc, later);
    }
}
