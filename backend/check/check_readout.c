/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_readout.c - does the program's machine read a layer's arrays out as the graph says: bits,
 * steps, cells, and which rows of a column each PE adds up, since each of these sums is cut off and
 * rounded by itself (ISA.md 5.2)?
 */
#include "check_meaning.h"

#include "mvm_mapping.h"

#include <inttypes.h>
#include <string.h>

struct number {
    const char *name;
    int64_t program, graph;
};

static bool same(struct actor *a, const struct ir_op *mvm, const struct number *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i].program != at[i].graph)
            return check_fault(a, "read-out: %s %" PRId64 " instead of %" PRId64 " of '%s'",
                               at[i].name, at[i].program, at[i].graph,
                               check_op_name(a->k, mvm->id));
    return true;
}

/* What is the same for all layers, but for what one makes of the logical geometry. */
static bool same_machine(struct actor *a, const struct isa_group *g, const struct ir_op *mvm)
{
    const struct arch *m = &a->k->p->arch;
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    const struct number numbers[] = {
        {"cell_bits", m->cell_bits, at->cell_bits},
        {"dac_bits", m->dac_bits, at->dac_bits},
        {"adc_bits", m->adc_bits, at->adc_bits},
        {"column_flip", m->column_flip && m->encoding != ARCH_ANALOG_DIFFERENTIAL, at->flip},
        {"logical rows", arch_logical_rows(m), at->rows},
        {"logical columns", arch_logical_cols(m, at->weight_bits), at->cols},
        {"image", g->image, at->object},
        {"noise_seed", m->noise_seed, at->noise_seed},
    };
    const struct number noise[] = {
        {"cell_fraction_bits", m->cell_fraction_bits, at->fraction_bits},
        {"program_sigma_low_permille", m->program_sigma_low_permille, at->sigma_low},
        {"program_sigma_high_permille", m->program_sigma_high_permille, at->sigma_high},
        {"stuck_low_ppm", m->stuck_low_ppm, at->stuck_low},
        {"stuck_high_ppm", m->stuck_high_ppm, at->stuck_high},
        {"drift_permille", m->drift_permille, at->drift},
    };
    return same(a, mvm, numbers, sizeof numbers / sizeof *numbers) &&
           (!m->noise_seed || same(a, mvm, noise, sizeof noise / sizeof *noise));
}

static bool same_encoding(const struct arch *m, const struct ir_attrs_mvm *at)
{
    switch (m->encoding) {
    case ARCH_OFFSET: return at->encoding == IR_ENCODING_OFFSET;
    case ARCH_DIFFERENTIAL: return at->encoding == IR_ENCODING_DIFFERENTIAL;
    case ARCH_ANALOG_DIFFERENTIAL: return at->encoding == IR_ENCODING_ANALOG_DIFFERENTIAL;
    }
    return false;
}

/* Steps of the converters; those that are not named are 0. */
static bool same_steps(struct actor *a, const struct isa_image *image, const struct ir_op *mvm)
{
    const struct ir_ints *want = &mvm->attrs->mvm.shift;
    for (uint32_t j = 0; j < image->n_shift || j < want->n; j++) {
        const struct number step = {"shift", j < image->n_shift ? image->shift[j] : 0,
                                    j < want->n ? want->at[j] : 0};
        if (!same(a, mvm, &step, 1))
            return false;
    }
    return true;
}

/* ---- which rows are added up ---- */

/* Does the PE hold the rows of a slice of its columns' block, and no others? */
static bool holds_slice(const struct isa_pe *pe, const struct ir_mapping *m, int64_t block,
                        int64_t slice)
{
    struct ir_mapping_rows rows = ir_mapping_rows_of(m, block, slice);
    int64_t lo, hi;
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        if (!ir_mapping_next_run(&rows, &lo, &hi) || lo != run.row || hi != run.row + run.rows)
            return false;
    }
    return !ir_mapping_next_run(&rows, &lo, &hi);
}

/* PEs are listed block by block, their slices in order. */
static bool same_slices(struct actor *a, const struct isa_group *g, const struct ir_op *mvm)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    struct ir_mapping m = ir_mapping_with(mvm, at->rows, at->cols, at->patch);
    int64_t block = -1, slice = 0, lo, hi;
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i];
        int64_t own = ir_mapping_block_of(&m, pe->n0);
        slice = own == block ? slice + 1 : 0;
        block = own;
        ir_mapping_block(&m, block, &lo, &hi);
        while (slice < ir_mapping_slices(&m, block) && !holds_slice(pe, &m, block, slice))
            slice++;
        if (slice == ir_mapping_slices(&m, block) || pe->n0 + pe->n > hi)
            return check_fault(a, "PE %u reads out other rows together than '%s'", pe->pe,
                               check_op_name(a->k, mvm->id));
    }
    return true;
}

bool check_readout(struct actor *a, const struct isa_group *g, const struct ir_op *mvm)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    const struct isa_image *image = &a->k->p->images[g->image];
    bool ideal = isa_is_ideal(a->k->p) || image->element == ELEMENT_f32;
    if (ideal != (at->encoding == IR_ENCODING_IDEAL))
        return check_fault(a, "the read-out of '%s' is %s, not that of the machine",
                           check_op_name(a->k, mvm->id), ideal ? "not ideal" : "ideal");
    if (ideal)
        return true;
    if (!same_encoding(&a->k->p->arch, at))
        return check_fault(a, "read-out: another encoding than that of '%s'",
                           check_op_name(a->k, mvm->id));
    return same_machine(a, g, mvm) && same_steps(a, image, mvm) && same_slices(a, g, mvm);
}
