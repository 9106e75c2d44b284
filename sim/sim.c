/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim.c - one run of a program: prepare, run, judge, report. SIM.md.
 *
 * In: a program, input tensors, options. Out: output tensors, cycle counts; or diagnostics.
 * Invariant: the program is read only; all state of a run is in `struct sim`.
 */
#include "sim_internal.h"

#include <math.h>

struct loc sim_loc(struct sim *s, uint32_t tile, uint32_t index, uint32_t frame)
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
    const char *of = s->p->frames ? arena_printf(s->arena, ", frame %u", frame) : "";
    loc.entity = arena_printf(s->arena, "tile %u: instruction %u (q%u.%s)%s: %s", tile, index,
                              t->insts[index].queue, isa_op_name(t->insts[index].op), of, node);
    return loc;
}

bool sim_fault(struct sim *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    s->failed = true;
    diag_vat(s->d, sim_loc(s, s->at_tile, s->at_inst, s->at_frame), DIAG_SIM_FAULT, NULL, fmt, ap);
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
        s->o.executed(s->o.self, s, tile, s->at_frame, index, inst);
    return true;
}

uint32_t sim_frames(const struct isa_program *p, const struct sim_options *o)
{
    if (o && o->frames)
        return o->frames;
    return p->frames ? p->frames : 1;
}

/* 0 of a frame in which nothing works. */
static uint64_t latency_of(const struct sim_frame *f)
{
    return f->begin < f->end ? f->end - f->begin : 0;
}

/* What frames took; the rest of `out` is known. */
static void report_frames(const struct sim *s, struct sim_result *out)
{
    sim_pe_cycles busy = s->pe_busy / s->frames;
    uint64_t n = s->frames - 1;
    out->frames = s->frames;
    out->latency_min_cycles = UINT64_MAX;
    for (uint32_t f = 0; f < s->frames; f++) {
        uint64_t latency = latency_of(&s->frame[f]);
        if (latency < out->latency_min_cycles)
            out->latency_min_cycles = latency;
        if (latency > out->latency_max_cycles)
            out->latency_max_cycles = latency;
    }
    out->interval_cycles = out->steady_utilisation = NAN;
    if (n > 0)
        out->interval_cycles = ((double)s->frame[n].end - (double)s->frame[0].end) / (double)n;
    /* The last of few frames ends early: nothing comes behind it. */
    double begins = n > 0 ? ((double)s->frame[n].begin - (double)s->frame[0].begin) / (double)n : 0;
    double each = n > 0 ? fmax(out->interval_cycles, begins) : 0;
    if (s->p->pes > 0 && each > 0)
        out->steady_utilisation = (double)busy / ((double)s->p->pes * each);
}

static void report(const struct sim *s, struct sim_result *out)
{
    *out = (struct sim_result){.cycles = s->last_end,
                               .n_instructions = s->n_done - s->n_skipped,
                               .pe_busy_cycles =
                                   s->pe_busy > UINT64_MAX ? UINT64_MAX : (uint64_t)s->pe_busy,
                               .utilisation = NAN};
    if (s->last_end > 0 && s->p->pes > 0)
        out->utilisation = (double)s->pe_busy / ((double)s->p->pes * (double)s->last_end);
    if (s->frame)
        report_frames(s, out);
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
    return !sim_is_lazy(s) || sim_run_batches(s);
}

static bool check_frames(const struct isa_program *p, uint32_t frames, struct diag *d)
{
    if (frames > 1 && !p->frames)
        return diag_error(d, (struct loc){.file = p->file.path}, DIAG_PROGRAM,
                          "%u frames of a program that was made for one run", frames);
    return frames <= ISA_MAX_FRAMES ||
           diag_error(d, (struct loc){.file = p->file.path}, DIAG_PROGRAM,
                      "%u frames, more than %d", frames, ISA_MAX_FRAMES);
}

bool sim_run(const struct isa_program *p, const void *const *inputs, void *const *outputs,
             const struct sim_options *o, struct sim_result *out, struct diag *d)
{
    if (!isa_validate(p, d))
        return false;
    if (p->no_weights && !(o && o->no_function))
        return diag_error(d, (struct loc){0}, DIAG_PROGRAM,
                          "the program has no weights: it has times, but no values");
    if (!check_frames(p, sim_frames(p, o), d))
        return false;
    struct sim s = {.p = p,
                    .inputs = inputs,
                    .outputs = outputs,
                    .d = d,
                    .arena = arena_new(),
                    .frames = sim_frames(p, o),
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
