/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quantity.c - reads numbers as people write them.
 *
 * A number is a fraction of whole numbers until it is known to come out even, or which way it is
 * rounded: nothing goes through floating point. At most MOST_DIGITS digits and the largest unit
 * times the longest cycle stay below 2^128.
 */
#include "quantity.h"

#include <string.h>

enum { MOST_DIGITS = 16 };
#define KILO INT64_C(1000)
#define MEGA (1000 * KILO)
#define GIGA (1000 * MEGA)
#define TERA (1000 * GIGA)

__extension__ typedef unsigned __int128 wide;

enum kind { PLAIN, BYTES, BANDWIDTH, TIME, FREQUENCY, ENERGY, POWER, AREA };
/* Times in ps; energies, powers and areas in millionths of pJ, uW and um2. */
static const struct unit {
    const char *name;
    enum kind kind;
    int64_t factor;
} units[] = {
    {"B", BYTES, 1},
    {"kB", BYTES, KILO},
    {"MB", BYTES, MEGA},
    {"GB", BYTES, GIGA},
    {"KiB", BYTES, 1 << 10},
    {"MiB", BYTES, 1 << 20},
    {"GiB", BYTES, 1 << 30},
    {"B/s", BANDWIDTH, 1},
    {"kB/s", BANDWIDTH, KILO},
    {"MB/s", BANDWIDTH, MEGA},
    {"GB/s", BANDWIDTH, GIGA},
    {"KiB/s", BANDWIDTH, 1 << 10},
    {"MiB/s", BANDWIDTH, 1 << 20},
    {"GiB/s", BANDWIDTH, 1 << 30},
    {"ps", TIME, 1},
    {"ns", TIME, KILO},
    {"us", TIME, MEGA},
    {"ms", TIME, GIGA},
    {"s", TIME, TERA},
    {"Hz", FREQUENCY, 1},
    {"kHz", FREQUENCY, KILO},
    {"MHz", FREQUENCY, MEGA},
    {"GHz", FREQUENCY, GIGA},
    {"aJ", ENERGY, 1},
    {"fJ", ENERGY, KILO},
    {"pJ", ENERGY, MEGA},
    {"nJ", ENERGY, GIGA},
    {"uJ", ENERGY, TERA},
    {"pW", POWER, 1},
    {"nW", POWER, KILO},
    {"uW", POWER, MEGA},
    {"mW", POWER, GIGA},
    {"W", POWER, TERA},
    {"nm2", AREA, 1},
    {"um2", AREA, MEGA},
    {"mm2", AREA, TERA},
};
/* What may stand behind a number of a unit, and examples. */
static const struct accepted {
    const char *unit;
    unsigned kinds; /* bits 1 << enum kind */
    const char *examples;
} accepted[] = {
    {"bytes", 1 << BYTES, "64KiB"},  {"bytes/cycle", 1 << BYTES | 1 << BANDWIDTH, "8B, 6.4GB/s"},
    {"cycles", 1 << TIME, "1400ns"}, {"ps", 1 << TIME | 1 << FREQUENCY, "1.4us, 700MHz"},
    {"pJ", 1 << ENERGY, "250fJ"},    {"uW", 1 << POWER, "1.5mW"},
    {"um2", 1 << AREA, "0.25mm2"},
};

static const struct accepted *accepted_by(const struct quantity *q)
{
    static const struct accepted none;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        if (strcmp(accepted[i].unit, q->unit) == 0)
            return &accepted[i];
    return &none;
}

struct fraction {
    wide num, den;
    enum kind kind;
    unsigned places; /* that are written behind the point */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *at, _ between two of them, which then stands behind them; false: there are none, or
 * all in all more than MOST_DIGITS. */
static bool read_digits(const char **at, unsigned *n, wide *value)
{
    const char *first = *at;
    for (; is_digit(**at) || (**at == '_' && *at > first && is_digit((*at)[1])); (*at)++) {
        if (**at == '_')
            continue;
        *value = 10 * *value + (unsigned)(**at - '0');
        *n += *value > 0;
        if (*n > MOST_DIGITS)
            return false;
    }
    return *at > first;
}

static wide power_of_ten(unsigned n)
{
    wide power = 1;
    for (; n > 0; n--)
        power *= 10;
    return power;
}

/* No sign, and no leading zero: YAML 1.1 would read 010 as eight. */
static bool read_number(const char **at, struct fraction *out)
{
    unsigned n = 0;
    if ((*at)[0] == '0' && (is_digit((*at)[1]) || (*at)[1] == '_'))
        return false;
    *out = (struct fraction){.den = 1};
    if (!read_digits(at, &n, &out->num))
        return false;
    if (**at == '.') {
        const char *first = ++*at;
        if (!read_digits(at, &n, &out->num))
            return false;
        for (const char *c = first; c < *at; c++)
            out->places += *c != '_';
    }
    if (out->places > MOST_DIGITS)
        return false;
    out->den = power_of_ten(out->places);
    return true;
}

static bool read_unit(const char *at, struct fraction *x)
{
    at += *at == ' ' && at[1];
    for (size_t i = 0; *at && i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, at) != 0)
            continue;
        x->kind = units[i].kind;
        x->num *= (uint64_t)units[i].factor;
        return true;
    }
    return !*at;
}

/* ---- to the number that is kept ---- */

/* Of a number without a unit. */
static unsigned most_places(const struct quantity *q)
{
    unsigned places = 0;
    for (int64_t part = q->scale; part > 1; part /= 10)
        places++;
    return places;
}

static bool not_a_number(const struct quantity *q, const char *text, struct loc loc, struct diag *d)
{
    const struct accepted *may = accepted_by(q);
    struct text how = {0};
    unsigned places = most_places(q);
    if (places > 0)
        text_add(&how, " with at most %u places", places);
    if (may->examples)
        text_add(&how, ", or one with a unit (%s)", may->examples);
    diag_error(d, loc, DIAG_ARCH_VALUE, "%s '%s' is a plain decimal number%s, not '%.64s'%s",
               q->what, q->name, how.at ? how.at : "", text,
               strstr(text, "KB") ? ": kB are 1,000, KiB 1,024 bytes" : "");
    text_free(&how);
    return false;
}

/* In the unit of what is kept. False: a unit that does not go with it. */
static bool convert(const struct quantity *q, struct fraction *x)
{
    switch (x->kind) {
    case PLAIN: x->num *= (uint64_t)q->scale; return true;
    case FREQUENCY: /* of cycles: their length */
        *x = (struct fraction){(wide)TERA * x->den, x->num, FREQUENCY, x->places};
        break;
    case BANDWIDTH:
        x->num *= (uint64_t)q->cycle_ps;
        x->den *= (uint64_t)TERA;
        break;
    case TIME:
        if (strcmp(q->unit, "cycles") == 0)
            x->den *= (uint64_t)q->cycle_ps;
        break;
    default: break;
    }
    return x->den > 0 && (accepted_by(q)->kinds & 1u << x->kind) != 0;
}

static int64_t most_i64(wide value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* A latency is not made shorter than it is, a bandwidth not wider. */
static bool round_off(const struct quantity *q, const struct fraction *x, const char *text,
                      struct loc loc, struct diag *d, wide *value)
{
    bool is_cycles = strcmp(q->unit, "cycles") == 0;
    wide nearest = *value + (2 * (x->num % x->den) >= x->den);
    if (x->kind != BANDWIDTH && x->kind != FREQUENCY && !is_cycles)
        return diag_error(d, loc, DIAG_ARCH_VALUE,
                          "%s '%s': %.64s is no whole number of %s%s; the nearest is %lld", q->what,
                          q->name, text, q->scale > 1 ? "millionths of a " : "", q->unit,
                          (long long)most_i64(nearest));
    *value = x->kind == BANDWIDTH ? *value : is_cycles ? *value + 1 : nearest;
    struct text cycles = {0};
    if (x->kind != FREQUENCY)
        text_add(&cycles, " of %lld ps", (long long)q->cycle_ps);
    diag_note(d, loc, "%s '%s': %.64s is no whole number of %s%s: %lld is taken", q->what, q->name,
              text, q->unit, cycles.at ? cycles.at : "", (long long)most_i64(*value));
    text_free(&cycles);
    return true;
}

bool quantity_read(const struct quantity *q, const char *text, struct loc loc, struct diag *d,
                   int64_t *out)
{
    struct fraction x;
    const char *at = text;
    if (!read_number(&at, &x) || !read_unit(at, &x) ||
        (x.kind == PLAIN && x.places > most_places(q)))
        return not_a_number(q, text, loc, d);
    if (!convert(q, &x))
        return diag_error(d, loc, DIAG_ARCH_VALUE, "%s '%s': %.64s is no number of %s", q->what,
                          q->name, text, q->unit);
    wide value = x.num / x.den;
    if (value == 0 && x.kind != PLAIN && strcmp(q->unit, "bytes/cycle") == 0)
        return diag_error(d, loc, DIAG_ARCH_VALUE, "%s '%s': %.64s is less than a byte per cycle",
                          q->what, q->name, text);
    if (x.num % x.den != 0 && !round_off(q, &x, text, loc, d, &value))
        return false;
    *out = most_i64(value);
    return true;
}
