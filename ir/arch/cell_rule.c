/*
 * cell_rule.c - levels and conductances of cells. Noise has no state: a cell's is a hash of the
 * seed and of the cell's place in the image, so that copies of a layer agree and the order of
 * questions does not matter; all of it is integers, so that whoever asks gets the same bits.
 */
#include "cell_rule.h"

#include "arch.h"

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

static const uint64_t GOLDEN = 0x9e3779b97f4a7c15;

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* A normal deviate in units of 2^-16: the sum of twelve uniform ones. */
static int64_t normal(uint64_t base)
{
    int64_t sum = -6 * 65535;
    for (uint64_t i = 1; i <= 3; i++) {
        uint64_t word = mix(base + GOLDEN * i);
        for (unsigned at = 0; at < 64; at += 16)
            sum += word >> at & 0xffff;
    }
    return sum;
}

/* What is programmed where `level` was meant, and what is left of it. */
static int64_t programmed(const struct cell_rule *r, unsigned level, uint64_t base)
{
    int64_t most = most_level(r), one = INT64_C(1) << r->fraction_bits;
    int64_t sigma = r->sigma_low * (most - level) + r->sigma_high * (int64_t)level;
    int64_t error = rne_div_i64(normal(base) * sigma * one, INT64_C(1000) << 16);
    int64_t largest = (INT64_C(1) << (r->cell_bits + r->fraction_bits)) - 1;
    int64_t g = max_i64(0, min_i64(level * one + error, largest));
    return rne_div_i64(g * (1000 - (int64_t)r->drift), 1000);
}

unsigned cell_conductance(const struct cell_rule *r, unsigned part, unsigned slice, uint64_t row,
                          uint64_t column, unsigned level)
{
    if (!r->seed)
        return level << r->fraction_bits;
    uint64_t plane = mix(r->seed + GOLDEN * (1 + (uint64_t)r->object * 16 + part * 8 + slice));
    uint64_t base = mix(plane + GOLDEN * (1 + (row << 24) + column));
    uint64_t lot = (mix(base) & UINT32_MAX) * 1000000 >> 32;
    if (lot < r->stuck_low)
        return 0;
    if (lot < (uint64_t)r->stuck_low + r->stuck_high)
        return most_level(r) << r->fraction_bits;
    return (unsigned)programmed(r, level, base);
}
