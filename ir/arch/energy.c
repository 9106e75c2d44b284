/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * energy.c - counts become energy, a machine becomes area.
 *
 * In: exact counts, cycles, a machine with prices. Out: attojoules, millionths of a square
 * micrometre. Invariant: energies are sums of count * price, nothing is rounded but leakage.
 */
#include "energy.h"

#include <stdio.h>
#include <string.h>

const char *const energy_unit_names[N_ENERGY_UNITS] = {
#define UNIT(name) #name,
#include "energy.def"
#undef UNIT
};

const struct energy_counter energy_counters[N_ENERGY_COUNTERS] = {
#define COUNTED(name, doc) {#name, NULL, 0, offsetof(struct energy_counts, name), 0, doc},
#define COUNTER(name, unit, price, doc)                                                            \
    {#name,                                                                                        \
     #price,                                                                                       \
     ENERGY_##unit,                                                                                \
     offsetof(struct energy_counts, name),                                                         \
     offsetof(struct arch_prices, price),                                                          \
     doc},
#include "energy.def"
#undef COUNTED
#undef COUNTER
};

uint64_t energy_count(const struct energy_counts *c, const struct energy_counter *of)
{
    return *(const uint64_t *)((const char *)c + of->offset);
}

uint64_t energy_price(const struct arch *arch, const struct energy_counter *c)
{
    return c->price_name ? *(const uint64_t *)((const char *)&arch->price + c->price) : 0;
}

bool energy_lacks_price(const struct arch *arch, const struct energy_counter *c)
{
    return c->price_name && energy_price(arch, c) == 0;
}

static void add_times(uint64_t *sum, uint64_t count, uint64_t times)
{
    uint64_t more;
    if (__builtin_mul_overflow(count, times, &more) || __builtin_add_overflow(*sum, more, sum))
        *sum = UINT64_MAX;
}

void energy_add(struct energy_counts *sum, const struct energy_counts *c, uint64_t times)
{
#define COUNTED(name, doc) add_times(&sum->name, c->name, times);
#define COUNTER(name, unit, price, doc) add_times(&sum->name, c->name, times);
#include "energy.def"
#undef COUNTED
#undef COUNTER
}

millionths energy_of_unit(const struct arch *arch, const struct energy_counts *c,
                          enum energy_unit unit)
{
    millionths sum = 0;
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++) {
        const struct energy_counter *of = &energy_counters[i];
        if (of->unit == unit)
            sum += (millionths)energy_count(c, of) * energy_price(arch, of);
    }
    return sum;
}

millionths energy_of(const struct arch *arch, const struct energy_counts *c)
{
    millionths sum = 0;
    for (unsigned u = 0; u < N_ENERGY_UNITS; u++)
        sum += energy_of_unit(arch, c, u);
    return sum;
}

/* A millionth of a microwatt for a picosecond is a millionth of an attojoule. */
millionths energy_leakage(const struct arch *arch, uint64_t tiles, uint64_t cycles)
{
    millionths power = ((millionths)arch->crossbars * (uint64_t)arch->price.crossbar_leakage_uw +
                        (uint64_t)arch->price.tile_leakage_uw) *
                       tiles;
    millionths time = (millionths)cycles * (uint64_t)arch->cycle_ps, energy;
    if (__builtin_mul_overflow(power, time, &energy))
        energy = ~(millionths)0;
    return energy / ARCH_PRICE_ONE;
}

/* The share of a converter that a crossbar has is in millionths as well: divided last. */
millionths energy_area(const struct arch *arch, uint64_t tiles, enum energy_unit unit)
{
    const struct arch_prices *p = &arch->price;
    millionths crossbars = (millionths)tiles * (uint64_t)arch->crossbars;
    millionths converters = crossbars * (uint64_t)p->adcs_per_crossbar;
    switch (unit) {
    case ENERGY_crossbars: return crossbars * (uint64_t)p->crossbar_um2;
    case ENERGY_drivers: return crossbars * (uint64_t)arch->rows * (uint64_t)p->dac_um2;
    case ENERGY_converters: return converters * (uint64_t)p->adc_um2 / ARCH_PRICE_ONE;
    case ENERGY_shift_adds: return converters * (uint64_t)p->shift_add_um2 / ARCH_PRICE_ONE;
    case ENERGY_vector_units:
        return (millionths)tiles * (uint64_t)arch->lanes * (uint64_t)p->lane_um2;
    case ENERGY_buffers: return (millionths)tiles * (uint64_t)p->buffer_um2;
    case ENERGY_network: return (millionths)tiles * (uint64_t)p->router_um2;
    default: return 0;
    }
}

const char *millionths_text(millionths value, char buffer[MILLIONTHS_TEXT])
{
    char *at = buffer + MILLIONTHS_TEXT - 1;
    unsigned digits = 0;
    bool shown = false; /* trailing zeros behind the point are not */
    *at = '\0';
    for (; value > 0 || digits <= 6; value /= 10, digits++) {
        char digit = (char)('0' + (int)(value % 10));
        if (digits == 6 && shown)
            *--at = '.';
        shown = shown || digit != '0' || digits >= 6;
        if (shown)
            *--at = digit;
    }
    return at;
}

double millionths_real(millionths value)
{
    return (double)value / ARCH_PRICE_ONE;
}

void energy_print_counters(struct text *out)
{
    text_add(out, "| counter | unit | price | counts |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++) {
        const struct energy_counter *c = &energy_counters[i];
        text_add(out, "| `%s` | %s | ", c->name, c->price_name ? energy_unit_names[c->unit] : "");
        if (c->price_name)
            text_add(out, "`%s`", c->price_name);
        text_add(out, " | %s |\n", c->doc);
    }
}
