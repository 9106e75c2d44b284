/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* rig_readout.c - machines whose arrays are not read out ideally (ISA.md 5.2). */
#include "rig.h"

/* Cells that are not what was programmed; products with what is driven stay small. */
static void add_noise(struct rig *r, struct arch *a)
{
    static const int64_t permille[] = {0, 10, 50, 300}, ppm[] = {0, 1000, 200000};
    a->noise_seed = rig_range(r, 1, INT32_MAX);
    a->cell_bits = min_i64(a->cell_bits, 7);
    a->cell_fraction_bits = rig_range(r, 0, min_i64(4, 7 - a->cell_bits));
    a->program_sigma_low_permille = permille[rig_range(r, 0, 3)];
    a->program_sigma_high_permille = permille[rig_range(r, 0, 3)];
    a->stuck_low_ppm = ppm[rig_range(r, 0, 2)];
    a->stuck_high_ppm = ppm[rig_range(r, 0, 2)];
    a->drift_permille = permille[rig_range(r, 0, 3)];
    while (!arch_noise_fits(a))
        a->dac_bits--;
}

void rig_check_planes(struct rig *r, const struct isa_program *p)
{
    struct tensor corrected[RIG_MAX_IO], summed[RIG_MAX_IO];
    struct sim_result result;
    if (!outputs_simulate(r, p, &(struct sim_options){0}, corrected, &result, r->diag) ||
        !outputs_simulate(r, p, &(struct sim_options){.every_plane = true}, summed, &result,
                          r->diag))
        rig_fail(r, "the simulator stops");
    if (!outputs_equal(r, corrected, summed))
        rig_fail(r, "all planes together give other outputs than corrections of exact products");
    outputs_free(corrected);
    outputs_free(summed);
}

void config_readout(struct rig *r, struct config *c)
{
    static const int64_t extents[] = {16, 24, 32, 48, 64, 200};
    struct arch *a = &c->arch;
    a->encoding = (enum arch_encoding)rig_range(r, ARCH_OFFSET, ARCH_ANALOG_DIFFERENTIAL);
    a->pair_axis = (enum arch_pair_axis)rig_range(r, ARCH_PAIR_COLUMNS, ARCH_PAIR_ROWS);
    a->column_flip = rig_range(r, 0, 1);
    a->rows = extents[rig_range(r, 0, 5)];
    a->cols = extents[rig_range(r, 0, 5)];
    a->cell_bits = rig_range(r, 1, 8);
    a->dac_bits = rig_range(r, 1, 8);
    a->adc_bits = rig_range(r, 0, 9);
    a->adc_range = (enum arch_adc_range)rig_range(r, ARCH_RANGE_UNIT, ARCH_RANGE_CALIBRATED);
    if (!a->adc_bits || rig_range(r, 0, 2) == 0)
        add_noise(r, a);
}
