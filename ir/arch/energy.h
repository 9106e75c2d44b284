/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * energy.h - what a run costs in energy, and a chip in area: exact counts (energy.def) times the
 * machine's prices. ARCH.md has the formulas.
 *
 * Counts are whole and prices whole millionths, so energies are whole attojoules: sums over layers,
 * tiles or units are the total, in whatever order they are added.
 */
#ifndef CIMC_ENERGY_H
#define CIMC_ENERGY_H

#include "arch.h"

struct energy_counts {
#define COUNTED(name, doc) uint64_t name;
#define COUNTER(name, unit, price, doc) uint64_t name;
#include "energy.def"
#undef COUNTED
#undef COUNTER
};
enum energy_unit {
#define UNIT(name) ENERGY_##name,
#include "energy.def"
#undef UNIT
    N_ENERGY_UNITS
};
extern const char *const energy_unit_names[N_ENERGY_UNITS];

/* The counters as data, in the order of energy.def. */
struct energy_counter {
    const char *name, *price_name; /* NULL: it has no price */
    enum energy_unit unit;         /* what it works on, if it has one */
    size_t offset, price;          /* in struct energy_counts, in struct arch_prices */
    const char *doc;
};
enum {
#define COUNTED(name, doc) ENERGY_COUNTER_##name,
#define COUNTER(name, unit, price, doc) ENERGY_COUNTER_##name,
#include "energy.def"
#undef COUNTED
#undef COUNTER
    N_ENERGY_COUNTERS
};
extern const struct energy_counter energy_counters[N_ENERGY_COUNTERS];
uint64_t energy_count(const struct energy_counts *c, const struct energy_counter *of);
/* In millionths of a pJ; 0: none. */
uint64_t energy_price(const struct arch *arch, const struct energy_counter *c);
/* It has a price that this machine does not give. */
bool energy_lacks_price(const struct arch *arch, const struct energy_counter *c);
/* Adds `times` times what was counted; counts saturate at 2^64 - 1. */
void energy_add(struct energy_counts *sum, const struct energy_counts *c, uint64_t times);

/* Of a pJ, that is attojoules; of a square micrometre. */
__extension__ typedef unsigned __int128 millionths;
millionths energy_of_unit(const struct arch *arch, const struct energy_counts *c,
                          enum energy_unit unit);
millionths energy_of(const struct arch *arch, const struct energy_counts *c); /* of all units */
/* In so many cycles; rounded down. Saturates. */
millionths energy_leakage(const struct arch *arch, uint64_t tiles, uint64_t cycles);
/* Of the chip; what has no price has no area. Converters are rounded down. */
millionths energy_area(const struct arch *arch, uint64_t tiles, enum energy_unit unit);
/* Decimal, exact. */
enum { MILLIONTHS_TEXT = 48 };
const char *millionths_text(millionths value, char buffer[MILLIONTHS_TEXT]);
double millionths_real(millionths value); /* in whole units */

/* Markdown table of the counters, for ARCH.md. */
void energy_print_counters(struct text *out);

#endif
