/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cell_rule.c - levels and conductances of cells. Noise has no state: a cell's is a hash of the
 * seed and of the cell's place in the image, so that copies of a layer agree and the order of
 * questions does not matter; all of it is integers, so that whoever asks gets the same bits.
 */
#include "cell_rule.h"

#include "arch.h"
#include "base/clones.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { BATCH = 256 };

struct cell_rule cell_rule_of(const struct arch *arch, int64_t weight_bits, uint32_t object)
{
    return (struct cell_rule){
        .encoding = (int)arch->encoding,
        .weight_bits = (unsigned)(weight_bits ? weight_bits : arch->weight_bits),
        .cell_bits = (unsigned)arch->cell_bits,
        .fraction_bits = (unsigned)arch->cell_fraction_bits,
        .flip = arch->column_flip && arch->encoding != ARCH_ANALOG_DIFFERENTIAL,
        .sigma_low = (unsigned)arch->program_sigma_low_permille,
        .sigma_high = (unsigned)arch->program_sigma_high_permille,
        .stuck_low = (unsigned)arch->stuck_low_ppm,
        .stuck_high = (unsigned)arch->stuck_high_ppm,
        .drift = (unsigned)arch->drift_permille,
        .seed = (uint64_t)arch->noise_seed,
        .object = object};
}

unsigned cell_slices(const struct cell_rule *r)
{
    return (r->weight_bits + r->cell_bits - 1) / r->cell_bits;
}

unsigned cell_parts(const struct cell_rule *r)
{
    return r->encoding == ARCH_OFFSET ? 1 : 2;
}

static unsigned most_level(const struct cell_rule *r)
{
    return (1u << r->cell_bits) - 1;
}

unsigned cell_level(const struct cell_rule *r, unsigned part, unsigned slice, int weight)
{
    int negative = part == 0 ? weight : -weight;
    unsigned magnitude = r->encoding == ARCH_OFFSET
                             ? (unsigned)(weight + (1 << (r->weight_bits - 1)))
                             : (unsigned)(negative > 0 ? negative : 0);
    return magnitude >> r->cell_bits * slice & most_level(r);
}

bool cell_column_flips(const struct cell_rule *r, uint64_t levels, uint64_t rows)
{
    return r->flip && 2 * levels > rows * most_level(r);
}

/* ---- noise ---- */

/* Loops over the cells of a row, each with elements of one size, so that compilers make vectors of
 * them: 64 bits for hashes, 32 for what is made of them. `first` is what the first cell's hash is
 * of; the next cell's is GOLDEN more. */

static const uint64_t GOLDEN = 0x9e3779b97f4a7c15;

/* The finaliser of splitmix64. */
ALWAYS_INLINE uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Normal deviates in units of 2^-16: sums of twelve uniform ones, four in each of three words. */
CLONES static void deviate(uint64_t first, uint32_t n, int32_t *restrict to)
{
    const uint64_t fields = 0x0000ffff0000ffff;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t base = mix(first + GOLDEN * i), sums = 0;
        for (unsigned k = 1; k <= 3; k++) {
            uint64_t word = mix(base + GOLDEN * k);
            sums += (word & fields) + (word >> 16 & fields);
        }
        to[i] = (int32_t)((sums + (sums >> 32)) & UINT32_MAX) - 6 * 65535;
    }
}

/* To nearest, ties to even: the sum is what is divided and half the divisor. `below`: bits that
 * both have below these, of the sum (those of the divisor are 0). */
ALWAYS_INLINE uint32_t nearest(uint32_t sum, uint32_t divisor, uint32_t below)
{
    uint32_t quotient = sum / divisor, tie = (sum - quotient * divisor + below) == 0;
    return quotient - (tie & quotient);
}

/* What is programmed where levels were meant, and what is left of it. Errors are divided by
 * 1000 * 2^16 = 125 * 2^19, and positive with LIFT added: 6 deviations of 255 levels of 2^4 are
 * less than that. */
CLONES static void programmed(const struct cell_rule *r, const int32_t *restrict deviates,
                              const uint8_t *restrict levels, uint32_t n, uint8_t *restrict to)
{
    enum { LIFT = 1 << 15, SHIFT = 19, DIVISOR = 125 };
    const int64_t lift = ((int64_t)LIFT * DIVISOR << SHIFT) + ((int64_t)DIVISOR << SHIFT) / 2;
    const int32_t most = (int32_t)most_level(r), fraction = (int32_t)r->fraction_bits;
    const int32_t largest = (1 << (r->cell_bits + r->fraction_bits)) - 1;
    const int32_t low = (int32_t)r->sigma_low, high = (int32_t)r->sigma_high;
    const uint32_t left = 1000 - r->drift;
    for (uint32_t i = 0; i < n; i++) {
        int32_t level = levels[i], sigma = (low * (most - level) + high * level) << fraction;
        uint64_t sum = (uint64_t)((int64_t)deviates[i] * sigma + lift);
        uint32_t below = sum & ((1 << SHIFT) - 1);
        int32_t error = (int32_t)nearest((uint32_t)(sum >> SHIFT), DIVISOR, below) - LIFT;
        int32_t g = (level << fraction) + error;
        g = g < 0 ? 0 : g > largest ? largest : g;
        to[i] = (uint8_t)nearest((uint32_t)g * left + 500, 1000, 0);
    }
}

/* Cells that hold nothing, or most, whatever is programmed. */
CLONES static void stick(const struct cell_rule *r, uint64_t first, uint32_t n,
                         uint8_t *restrict to)
{
    const uint64_t empty = r->stuck_low, stuck = empty + r->stuck_high;
    const uint8_t full = (uint8_t)(most_level(r) << r->fraction_bits);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t lot = (mix(mix(first + GOLDEN * i)) & UINT32_MAX) * 1000000 >> 32;
        to[i] = lot < empty ? 0 : lot < stuck ? full : to[i];
    }
}

void cell_conductances(const struct cell_rule *r, unsigned part, unsigned slice, uint64_t row,
                       uint64_t column, uint32_t n, const uint8_t *levels, uint8_t *to)
{
    if (!r->seed) {
        for (uint32_t i = 0; i < n; i++)
            to[i] = (uint8_t)(levels[i] << r->fraction_bits);
        return;
    }
    uint64_t plane = mix(r->seed + GOLDEN * (1 + (uint64_t)r->object * 16 + part * 8 + slice));
    for (uint32_t at = 0; at < n; at += BATCH) {
        int32_t deviates[BATCH];
        uint32_t some = n - at < BATCH ? n - at : BATCH;
        uint64_t first = plane + GOLDEN * (1 + (row << 24) + column + at);
        deviate(first, some, deviates);
        programmed(r, deviates, levels + at, some, to + at);
        if (r->stuck_low + r->stuck_high)
            stick(r, first, some, to + at);
    }
}

unsigned cell_conductance(const struct cell_rule *r, unsigned part, unsigned slice, uint64_t row,
                          uint64_t column, unsigned level)
{
    uint8_t meant = (uint8_t)level, g;
    cell_conductances(r, part, slice, row, column, 1, &meant, &g);
    return g;
}
