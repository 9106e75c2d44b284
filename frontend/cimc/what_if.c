/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * what_if.c - the schedule of a build with one thing changed: a number of the machine, or the
 * copies of a layer.
 *
 * Sets, other copies and all else stay as they are, so what differs is what the change makes.
 */
#include "findings.h"

#include "driver.h"
#include "dup_items.h"

static const double LEAST_SAVED = 0.0005; /* of the makespan: what a tenth of a per cent shows */

static bool schedule(const struct page *p, const struct ir_graph *g, const struct arch *arch,
                     uint64_t *out_cycles)
{
    struct backend_options o = driver_backend_options(p->build, p->options);
    struct backend_result result;
    struct arena *a = arena_new();
    struct diag *trial = diag_new();
    o.set = p->result->set;
    o.pes = INT64_MAX;
    o.frames = 0;
    o.report_sets = o.report_detail = o.print_plan = false;
    bool ok = backend_schedule(g, arch, &o, a, &result, trial);
    *out_cycles = ok ? result.makespan_cycles : 0;
    diag_free(trial);
    arena_free(a);
    return ok && (double)*out_cycles <= (1 - LEAST_SAVED) * (double)p->result->makespan_cycles;
}

bool what_if_field(const struct page *p, const char *field, int64_t value, uint64_t *out_cycles)
{
    struct arch arch = p->build->arch;
    struct diag *trial = diag_new();
    char change[80];
    snprintf(change, sizeof change, "%s=%lld", field, (long long)value);
    bool ok = arch_set(&arch, change, trial);
    diag_free(trial);
    return ok && schedule(p, p->build->graph, &arch, out_cycles);
}

/* All that use the layer's crossbars have as many; false: they cannot. */
static bool set_copies(struct ir_graph *g, const struct build *b, uint32_t layer, int64_t copies)
{
    struct dup_items x = {0};
    struct diag *trial = diag_new();
    bool ok =
        dup_gather(&x, g, &(struct pass_ctx){.diag = trial, .arch = &b->arch}) && layer < x.ops.n;
    uint32_t i = ok ? x.items.at[x.item_of.at[layer]].first_user : DUP_NO_USER;
    for (; ok && i != DUP_NO_USER; i = x.next_user.at[i])
        ok = dup_set_copies(x.ops.at[i], (enum dup_cut)b->cut, copies);
    dup_items_free(&x);
    diag_free(trial);
    return ok;
}

bool what_if_copies(const struct page *p, uint32_t layer, int64_t copies, uint64_t *out_cycles)
{
    struct ir_graph *g = ir_clone(p->build->graph);
    struct arch arch = p->build->arch;
    arch.tiles = 0; /* as many as that takes */
    ir_number(g);
    bool ok = set_copies(g, p->build, layer, copies) && schedule(p, g, &arch, out_cycles);
    ir_graph_free(g);
    return ok;
}
