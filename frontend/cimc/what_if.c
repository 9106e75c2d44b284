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
#include "dup.h"

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
static bool set_copies(struct ir_graph *g, enum dup_cut cut, uint32_t layer, int64_t copies)
{
    struct ir_op *of = NULL;
    uint32_t at = 0;
    bool ok = true;
    for (struct ir_op *op = g->first; op && !of; op = op->next)
        if (op->opcode == IR_mvm && at++ == layer)
            of = op;
    for (struct ir_op *op = g->first; op && of; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        struct ir_attrs_mvm *a = &op->attrs->mvm;
        const int64_t *dim = op->out->type.dim;
        if (op != of && (a->weights == 0 || a->weights != of->attrs->mvm.weights))
            continue;
        a->copies = copies;
        ok &= dup_find_cut(cut, copies, ceil_div_i64(dim[0], a->patch[0]),
                           ceil_div_i64(dim[1], a->patch[1]), a->cut);
    }
    return of && ok;
}

bool what_if_copies(const struct page *p, uint32_t layer, int64_t copies, uint64_t *out_cycles)
{
    struct ir_graph *g = ir_clone(p->build->graph);
    struct arch arch = p->build->arch;
    arch.tiles = 0; /* as many as that takes */
    ir_number(g);
    bool ok = set_copies(g, (enum dup_cut)p->build->cut, layer, copies) &&
              schedule(p, g, &arch, out_cycles);
    ir_graph_free(g);
    return ok;
}
