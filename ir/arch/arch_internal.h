/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* arch_internal.h - what the files of this room share. */
#ifndef CIMC_ARCH_INTERNAL_H
#define CIMC_ARCH_INTERNAL_H

#include "arch.h"
#include "base/closest.h"

/* A field of struct arch as data; arch_fields[] is in the order of arch.def. */
struct arch_field {
    const char *name;
    size_t offset; /* of its int64_t in struct arch */
    int64_t initial, least, most;
    const char *choices; /* "ideal|mesh": the value is an index into it; NULL for numbers */
    const char *unit, *doc;
    enum arch_part part;
    bool later; /* specified: only the initial value is accepted so far */
};
enum {
#define FIELD(name, part, state, initial, least, most, unit, doc) ARCH_FIELD_##name,
#define CHOICE(name, part, state, initial, choices, doc) ARCH_FIELD_##name,
#include "arch.def"
#undef FIELD
#undef CHOICE
    ARCH_N_FIELDS
};
extern const struct arch_field arch_fields[ARCH_N_FIELDS];

#define ARCH_MOST_PRICE INT64_C(1000000000) /* in units */

/* A price as data; arch_prices[] is in the order of prices.def. */
struct arch_price {
    const char *name;
    size_t offset; /* of its int64_t in struct arch_prices */
    const char *unit, *doc;
};
enum {
#define PRICE(name, unit, doc) ARCH_PRICE_##name,
#include "prices.def"
#undef PRICE
    ARCH_N_PRICES
};
extern const struct arch_price arch_prices[ARCH_N_PRICES];

/* Of the text that a machine was read from: its comments, and what it said. */
struct arch_notes {
    const char *head; /* whole lines; NULL: there are none */
    const char *of[ARCH_N_FIELDS + ARCH_N_PRICES];
    struct arch read;
};

/* The built-in machine descriptions, ended by name = NULL; generated from benchmarks/archs. */
struct arch_preset {
    const char *name;
    const unsigned char *yaml;
    size_t n;
};
extern const struct arch_preset arch_preset_list[];
extern const char *const arch_preset_names[];                 /* the same names, NULL-terminated */
const struct arch_preset *arch_preset_find(const char *name); /* NULL: there is none */

/* The defaults of arch.def under the name `name`. */
struct arch arch_initial(const char *name);
/* Index of the field with this name; ARCH_N_FIELDS: there is none. */
unsigned arch_field_find(const char *name, size_t n);
unsigned arch_price_find(const char *name, size_t n); /* ARCH_N_PRICES: there is none */
/* What took the place of a field that there was; NULL: there was none of that name. */
const char *arch_field_successor(const char *name, size_t n);
/* The field or price that was probably meant. */
struct closest arch_closest(const char *name, size_t n);
/* Reads `text` as the field's value and stores it if it is in range. */
bool arch_set_field(struct arch *arch, const struct arch_field *f, const char *text, struct loc loc,
                    struct diag *d) CHECK_RESULT;
bool arch_set_price(struct arch *arch, const struct arch_price *f, const char *text, struct loc loc,
                    struct diag *d) CHECK_RESULT;
/* Values as arch_print writes them. */
void arch_field_text(const struct arch *arch, const struct arch_field *f, char *out, size_t n);
void arch_price_text(const struct arch *arch, const struct arch_price *f, char *out, size_t n);
/* The mapping `energy:`; nothing if there are no prices. */
void arch_print_energy(const struct arch *arch, struct text *out);
/* Rules that concern several fields at once. */
bool arch_check(const struct arch *arch, struct loc loc, struct diag *d) CHECK_RESULT;

#endif
