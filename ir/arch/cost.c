/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cost.c - what a piece of work costs on the machine, as a chain of stages. Scheduler and simulator
 * both ask here, and nowhere else. ARCH.md has the formulas; SIM.md has cycle counts by hand.
 *
 * Invariant: arithmetic saturates, so that no work, however large, looks cheap.
 */
#include "arch.h"

static uint64_t add_sat(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t mul_sat(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* Cycles to pass `amount` at `rate` a cycle; rate 0 = takes no time. */
static uint64_t throughput(uint64_t amount, int64_t rate)
{
    if (rate == 0)
        return 0;
    return amount / (uint64_t)rate + (amount % (uint64_t)rate != 0);
}

static struct cost one_stage(enum cost_unit unit, uint64_t cycles)
{
    return (struct cost){.n_stages = 1, .stage = {{unit, cycles}}};
}

static struct cost two_stages(enum cost_unit unit, uint64_t busy, enum cost_unit then,
                              uint64_t rest)
{
    return (struct cost){.n_stages = 2, .stage = {{unit, busy}, {then, rest}}};
}

bool arch_instructions_take_time(const struct arch *arch)
{
    return arch->issue_cycles || arch->start_cycles || arch->complete_cycles || arch->inflight;
}

uint64_t arch_phases(const struct arch *arch, uint32_t x_bits)
{
    return throughput(x_bits ? x_bits : 8, arch->dac_bits);
}

/* One product: an input's bits are driven in phases, and while the columns of one are read the next
 * settles. */
static uint64_t product_cycles(const struct arch *arch, const struct cost_work *work)
{
    if (arch->mvm_cycles > 0)
        return (uint64_t)arch->mvm_cycles;
    uint64_t phases = arch_phases(arch, work->x_bits);
    uint64_t phase = (uint64_t)arch->phase_cycles;
    uint64_t read = throughput(work->columns, arch->adc_columns_per_cycle);
    return mul_sat(phases, phase > read ? phase : read);
}

struct cost arch_cost(const struct arch *arch, const struct cost_work *work)
{
    uint64_t flight = mul_sat(work->hops, (uint64_t)arch->hop_cycles);
    switch (work->kind) {
    case COST_MVM: return one_stage(UNIT_PE, mul_sat(work->products, product_cycles(arch, work)));
    case COST_VECTOR:
        if (arch->lanes == 0)
            return one_stage(UNIT_VECTOR, 0);
        return one_stage(UNIT_VECTOR, add_sat((uint64_t)arch->vector_setup_cycles,
                                              throughput(work->elements, arch->lanes)));
    case COST_SEND:
        return two_stages(UNIT_NETWORK, throughput(work->bytes, arch->link_bytes_per_cycle),
                          UNIT_LINK, flight);
    case COST_SIGNAL: return one_stage(UNIT_LINK, flight);
    case COST_DMA:
        return two_stages(UNIT_DRAM, throughput(work->bytes, arch->dram_bytes_per_cycle), UNIT_DRAM,
                          (uint64_t)arch->dram_cycles);
    case COST_NONE: break;
    }
    return (struct cost){0};
}

uint64_t cost_occupancy_cycles(const struct cost *c)
{
    return c->n_stages && c->stage[0].unit != UNIT_LINK ? c->stage[0].cycles : 0;
}

static uint64_t sum_of(const struct cost *c, bool on_links)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < c->n_stages; i++)
        if ((c->stage[i].unit == UNIT_LINK) == on_links)
            sum = add_sat(sum, c->stage[i].cycles);
    return sum;
}

uint64_t cost_latency_cycles(const struct cost *c)
{
    return sum_of(c, false);
}

uint64_t cost_flight_cycles(const struct cost *c)
{
    return sum_of(c, true);
}
