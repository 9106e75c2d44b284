/*
 * sim.c - one run of a program: prepare, run, judge, report. SIM.md.
 *
 * In: a program, input tensors, options. Out: output tensors, cycle counts; or diagnostics.
 * Invariant: the program is read only; all state of a run is in `struct sim`.
 */
#include "sim_internal.h"

#include <math.h>

struct loc sim_loc(struct sim *s, uint32_t tile, uint32_t index)
{
    const struct isa_tile *t = &s->p->tiles[tile];
    struct loc loc = {.file = s->p->file.path};
    const char *node = "no node";
    if (index >= t->n_insts) {
        loc.entity = arena_printf(s->arena, "tile %u", tile);
        return loc;
    }
    if (t->sources && t->sources[index] < s->p->n_nodes)
        node = s->p->nodes[t->sources[index]].entity;
    loc.entity = arena_printf(s->arena, "tile %u: instruction %u (q%u.%s): %s", tile, index,
                              t->insts[index].queue, isa_op_name(t->insts[index].op), node);
    return loc;
}

bool sim_fault(struct sim *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    s->failed = true;
    diag_vat(s->d, sim_loc(s, s->at_tile, s->at_inst), DIAG_SIM_FAULT, NULL, fmt, ap);
    va_end(ap);
    return false;
}

static bool execute(struct sim *s, const struct isa_inst *inst)
{
    switch (inst->op) {
    case ISA_mvm: return exec_mvm(s, inst);
    case ISA_vmap: return exec_vmap(s, inst);
    case ISA_vwin: return exec_vwin(s, inst);
    case ISA_vred: return exec_vred(s, inst);
    case ISA_vgat: return exec_vgat(s, inst);
    case ISA_vdot: return exec_vdot(s, inst);
    case ISA_vtake: return exec_vtake(s, inst);
    case ISA_send: return exec_send(s, inst);
    case ISA_load: return exec_load(s, inst);
    case ISA_store: return exec_store(s, inst);
    default: return true;
    }
}

bool sim_execute(struct sim *s, uint32_t tile, uint32_t index, const struct isa_inst *inst)
{
    if (!execute(s, inst))
        return false;
    if (s->o.executed)
        s->o.executed(s->o.self, s, tile, index, inst);
    return true;
}

static void report(const struct sim *s, struct sim_result *out)
{
    *out = (struct sim_result){.cycles = s->last_end,
                               .n_instructions = s->n_done,
                               .pe_busy_cycles = s->pe_busy,
                               .utilisation = NAN};
    if (s->last_end > 0 && s->p->pes > 0)
        out->utilisation = (double)s->pe_busy / ((double)s->p->pes * (double)s->last_end);
}

static bool run(struct sim *s)
{
    if (!sim_prepare(s))
        return false;
    if (!s->o.no_function && !sim_prepare_function(s))
        return false;
    if (!sim_engine(s))
        return false;
    if (!sim_finished(s))
        return sim_diagnose_deadlock(s);
    return !s->completed || sim_run_batches(s);
}

bool sim_run(const struct isa_program *p, const void *const *inputs, void *const *outputs,
             const struct sim_options *o, struct sim_result *out, struct diag *d)
{
    if (!isa_validate(p, d) || !isa_without_frames(p, d))
        return false;
    if (p->no_weights && !(o && o->no_function))
        return diag_error(d, (struct loc){0}, DIAG_PROGRAM,
                          "the program has no weights: it has times, but no values");
    struct sim s = {.p = p,
                    .inputs = inputs,
                    .outputs = outputs,
                    .d = d,
                    .arena = arena_new(),
                    .at_inst = SIM_NONE};
    if (o)
        s.o = *o;
    s.random = s.o.latency_seed;
    bool good = run(&s);
    progress_tell(s.o.progress, "simulate", 1, 1);
    report(&s, out);
    sim_release(&s);
    return good;
}
