/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* arch_geometry.c - what a crossbar has room for, and whether what it gives is exact. ARCH.md. */
#include "arch.h"

/* The positive and the negative part have cells of their own, which lie along this axis. */
static bool is_paired(const struct arch *arch, enum arch_pair_axis axis)
{
    return arch->encoding != ARCH_OFFSET && arch->pair_axis == axis;
}

int64_t arch_weight_slices(const struct arch *arch, int64_t weight_bits)
{
    return ceil_div_i64(weight_bits ? weight_bits : arch->weight_bits, arch->cell_bits);
}

int64_t arch_weight_columns(const struct arch *arch, int64_t weight_bits)
{
    return arch_weight_slices(arch, weight_bits) * (1 + is_paired(arch, ARCH_PAIR_COLUMNS));
}

int64_t arch_weight_cells(const struct arch *arch, int64_t weight_bits)
{
    return arch_weight_slices(arch, weight_bits) * (1 + (arch->encoding != ARCH_OFFSET));
}

int64_t arch_weight_conversions(const struct arch *arch, int64_t weight_bits)
{
    return arch_weight_slices(arch, weight_bits) * (1 + (arch->encoding == ARCH_DIFFERENTIAL));
}

int64_t arch_input_rows(const struct arch *arch)
{
    return 1 + is_paired(arch, ARCH_PAIR_ROWS);
}

int64_t arch_logical_rows(const struct arch *arch)
{
    return arch->rows / arch_input_rows(arch);
}

int64_t arch_logical_cols(const struct arch *arch, int64_t weight_bits)
{
    return arch->cols / arch_weight_columns(arch, weight_bits);
}

bool arch_has_noise(const struct arch *arch)
{
    return arch->program_sigma_low_permille || arch->program_sigma_high_permille ||
           arch->stuck_low_ppm || arch->stuck_high_ppm || arch->drift_permille;
}

struct arch arch_without_noise(const struct arch *arch)
{
    struct arch a = *arch;
    a.noise_seed = a.cell_fraction_bits = a.drift_permille = 0;
    a.program_sigma_low_permille = a.program_sigma_high_permille = 0;
    a.stuck_low_ppm = a.stuck_high_ppm = 0;
    return a;
}

bool arch_readout_is_ideal(const struct arch *arch)
{
    return arch->adc_bits == 0 && !arch_has_noise(arch);
}

bool arch_noise_fits(const struct arch *arch)
{
    enum { MOST_PRODUCT = (1 << 14) - 1 };
    int64_t cell = (INT64_C(1) << (arch->cell_bits + arch->cell_fraction_bits)) - 1;
    return ((INT64_C(1) << arch->dac_bits) - 1) * cell <= MOST_PRODUCT;
}

bool arch_noise_is_lost(const struct arch *arch)
{
    int64_t full = ((INT64_C(1) << arch->cell_bits) - 1) << arch->cell_fraction_bits; /* steps */
    int64_t sigma = max_i64(arch->program_sigma_low_permille, arch->program_sigma_high_permille);
    int64_t loss = arch->drift_permille;
    return (sigma > 0 && 2 * sigma * full < 1000) || (loss > 0 && 2 * loss * full < 1000);
}
