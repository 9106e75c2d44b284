/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * prices.c - what events and units cost, as data: reading, printing. One table made from prices.def
 * stands behind it. Prices are decimal numbers, kept in millionths, so that sums are exact.
 */
#include "arch_internal.h"

#include "quantity.h"

#include <string.h>

enum { PLACES = 6 }; /* behind the point: ARCH_PRICE_ONE = 10^PLACES */

const struct arch_price arch_prices[ARCH_N_PRICES] = {
#define PRICE(name, unit, doc) {#name, offsetof(struct arch_prices, name), unit, doc},
#include "prices.def"
#undef PRICE
};

static int64_t get(const struct arch *arch, const struct arch_price *f)
{
    return *(const int64_t *)((const char *)&arch->price + f->offset);
}

unsigned arch_price_find(const char *name, size_t n)
{
    unsigned i = 0;
    while (i < ARCH_N_PRICES &&
           (strlen(arch_prices[i].name) != n || memcmp(arch_prices[i].name, name, n) != 0))
        i++;
    return i;
}

bool arch_set_price(struct arch *arch, const struct arch_price *f, const char *text, struct loc loc,
                    struct diag *d)
{
    struct quantity q = {
        .what = "price", .name = f->name, .unit = f->unit, .scale = ARCH_PRICE_ONE};
    int64_t value;
    if (!quantity_read(&q, text, loc, d, &value))
        return false;
    if (value > ARCH_MOST_PRICE * ARCH_PRICE_ONE)
        return diag_error(d, loc, DIAG_ARCH_VALUE, "price '%s' = %.64s is outside 0..%lld %s",
                          f->name, text, (long long)ARCH_MOST_PRICE, f->unit);
    *(int64_t *)((char *)&arch->price + f->offset) = value;
    return true;
}

void arch_price_text(const struct arch *arch, const struct arch_price *f, char *out, size_t n)
{
    int64_t value = get(arch, f), fraction = value % ARCH_PRICE_ONE;
    int places = PLACES;
    for (; fraction != 0 && fraction % 10 == 0; fraction /= 10)
        places--;
    if (fraction == 0)
        snprintf(out, n, "%lld", (long long)(value / ARCH_PRICE_ONE));
    else
        snprintf(out, n, "%lld.%0*lld", (long long)(value / ARCH_PRICE_ONE), places,
                 (long long)fraction);
}

void arch_print_energy(const struct arch *arch, struct text *out)
{
    bool any = false;
    for (unsigned i = 0; i < ARCH_N_PRICES; i++) {
        char value[ARCH_VALUE_TEXT];
        if (get(arch, &arch_prices[i]) == 0)
            continue;
        arch_price_text(arch, &arch_prices[i], value, sizeof value);
        text_add(out, "%s  %s: %s\n", any ? "" : "energy:\n", arch_prices[i].name, value);
        any = true;
    }
}

void arch_print_prices(struct text *out)
{
    text_add(out, "| price | unit | of |\n|---|---|---|\n");
    for (unsigned i = 0; i < ARCH_N_PRICES; i++)
        text_add(out, "| `%s` | %s | %s |\n", arch_prices[i].name, arch_prices[i].unit,
                 arch_prices[i].doc);
}
