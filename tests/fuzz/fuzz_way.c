/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuzz_way.c - what the targets have in common behind their readers: a graph is compiled, checked
 * and simulated as `cimc run` does; a program is printed, read back, checked and simulated.
 */
#include "fuzz.h"

#include "driver.h"
#include "onnx.h"
#include "onnx_export.h"
#include "options.h"
#include "simulate.h"
#include "verdict.h"

#include <math.h>
#include <string.h>

static bool has_error(const struct diag *d, enum diag_code code)
{
    for (const struct diag_entry *e = d->first; e; e = e->next)
        if (e->severity == DIAG_ERROR && e->code == code)
            return true;
    return false;
}

/* ---- simulation ---- */

/* `g` (may be NULL) names the inputs and outputs that the program does not use. */
static bool run(struct simulation *sim, struct cimc_options *s, const struct isa_program *p,
                struct io_models models, struct diag *d)
{
    s->input_fill = "random:1";
    *sim = (struct simulation){.settings = s, .program = p, .models = models};
    return simulate(sim, d);
}

/* ---- programs ---- */

static bool same_outputs(const struct io *a, const struct io *b)
{
    for (size_t k = 0; k < a->n_outputs; k++)
        if (a->outputs[k].known &&
            memcmp(a->outputs[k].data, b->outputs[k].data,
                   (size_t)ir_count(&a->outputs[k].type) * sizeof(float)) != 0)
            return false;
    return true;
}

/* Sums of products depend on which products the simulator joins, and so on latencies. */
static bool has_products(const struct isa_program *p)
{
    for (uint32_t i = 0; i < p->n_tiles; i++)
        if (p->tiles[i].n_groups)
            return true;
    return false;
}

/* A program that the checker accepts ends, and computes the same for any latencies. */
static void simulate_twice(const struct isa_program *p, bool accepted)
{
    struct simulation sim[2];
    struct diag *d = diag_new();
    bool ok = true;
    for (unsigned i = 0; i < 2; i++) {
        struct cimc_options s;
        cimc_options_init(&s, sizeof s);
        s.latency_seed = i;
        s.max_extra_cycles = i ? 50 : 0;
        ok &= run(&sim[i], &s, p, (struct io_models){0}, d);
        sim[i].settings = NULL;
        cimc_options_free(&s);
    }
    fuzz_judge(ok, d);
    fuzz_require(!accepted || !has_error(d, DIAG_DEADLOCK), "an accepted program ends", d);
    if (ok && accepted && !has_products(p))
        fuzz_require(same_outputs(&sim[0].io, &sim[1].io),
                     "an accepted program computes the same for any latencies", d);
    for (unsigned i = 0; i < 2; i++)
        simulation_free(&sim[i]);
    diag_free(d);
}

static struct text disassembled(const struct isa_program *p)
{
    struct text t = {0};
    char *at = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&at, &n);
    fuzz_require(f != NULL, "there is memory for a text", NULL);
    isa_disassemble(p, &(struct isa_dis_options){.inline_sections = true}, f);
    fclose(f);
    text_add_bytes(&t, at, n);
    free(at);
    return t;
}

/* The text of a program assembles to a program of the same text. */
static void read_back(const struct isa_program *p)
{
    struct diag *d = diag_new();
    struct text first = disassembled(p);
    struct isa_program *again = isa_assemble(first.at, first.n, "printed", d);
    fuzz_require(again != NULL, "a disassembled program assembles", d);
    struct text second = disassembled(again);
    fuzz_require(first.n == second.n && memcmp(first.at, second.at, first.n) == 0,
                 "a disassembled program assembles to the same one", d);
    text_free(&first);
    text_free(&second);
    isa_program_free(again);
    diag_free(d);
}

void fuzz_program(const struct isa_program *p)
{
    read_back(p);
    if (!fuzz_program_is_small(p))
        return;
    struct diag *d = diag_new();
    bool accepted = backend_check(p, NULL, d);
    fuzz_judge(accepted, d);
    diag_free(d);
    simulate_twice(p, accepted);
}

/* ---- graphs ---- */

static const struct {
    const char *machine, *options;
} choices[] = {
    {"base: clsa", ""},
    {"{base: clsa, crossbars: 2, rows: 16, cols: 16}", "--set=1x*"},
    {"{base: clsa, crossbars: 1, rows: 32, cols: 32, queue_depth: 1}", "--set=pixel --extra-pes=5"},
    {"{base: mesh, crossbars: 4, rows: 24, cols: 16}", "--set=2x3 --extra-pes=9 --cut=2d"},
    {"{base: mesh, rows: 64, cols: 64, dram_cycles: 3}", "--schedule=layer --extra-pes=4 --cut=h"},
    {"{base: clsa, crossbars: 3, rows: 40, cols: 20, cell_bits: 4, buffer_bytes: 16384}",
     "--duplicate=none"},
    {"{base: clsa, crossbars: 3, rows: 24, cols: 48, encoding: differential, cell_bits: 2, "
     "column_flip: 1, dac_bits: 3, adc_bits: 5, adc_range: full, noise_seed: 9, "
     "cell_fraction_bits: 2, program_sigma_high_permille: 40, stuck_low_ppm: 9000}",
     "--extra-pes=6"},
};

/* What is left of the standard pipeline. */
static const char *pipeline(const struct ir_graph *g)
{
    switch (g->stage) {
    case IR_TENSOR: return pass_default_pipeline;
    case IR_CANONICAL:
        return "simplify,fold,cse,dce,int,fold,cse,dce,im2col,cse,dce,tile,dup,readout";
    case IR_INTEGER: return "fold,cse,dce,im2col,cse,dce,tile,dup,readout";
    default: return "cse,dce,tile,dup,readout";
    }
}

/* ---- what the evaluator says ---- */

/* Sums and roots are compared only where rounding cannot have grown beyond the tolerance. */
static const float most_magnitude = 1e4f, tolerance = 1e-3f;

static void note_magnitude(void *self, const struct ir_op *op, const struct tensor *value)
{
    float *most = self;
    const float *x = value->data;
    for (int64_t i = 0; op->out->type.dtype == IR_F32 && i < ir_count(&value->type); i++)
        *most = fabsf(x[i]) <= *most ? *most : isnan(x[i]) ? INFINITY : fabsf(x[i]);
}

static struct difference difference_of(const struct io *io, size_t k, const void *data)
{
    const struct io_tensor *t = &io->references[k];
    return compare_values(t->type.dtype, data, t->data, ir_count(&t->type), 0,
                          (struct tolerance){.relative = tolerance});
}

static void nudge_inputs(struct io *io)
{
    for (size_t k = 0; k < io->n_inputs; k++) {
        const struct io_tensor *t = &io->inputs[k];
        float *x = t->data;
        for (int64_t i = 0; x && t->type.dtype == IR_F32 && i < ir_count(&t->type); i++)
            x[i] *= 1 + 0x1p-20f;
    }
}

/* What changes by as much when its inputs change by some units in the last place consists of
 * rounding errors: a difference that cancels, divided by little. */
static bool is_rounding(struct io *io, size_t k, float most, struct diag *d)
{
    struct tensor *again = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    nudge_inputs(io);
    fuzz_require(io_evaluate(io, NULL, again, d), "the evaluator computes the graph again", d);
    float error = (float)difference_of(io, k, again[k].data).max_abs_error;
    for (size_t i = 0; i < io->n_outputs; i++)
        tensor_free(&again[i]);
    return error > tolerance * most / 2;
}

static void compare_with_evaluator(struct io *io)
{
    struct diag *d = diag_new();
    float most = 1;
    struct eval_observer observer = {.seen = note_magnitude, .self = &most};
    fuzz_require(io_evaluate_references(io, &observer, d), "the evaluator computes the graph", d);
    for (size_t k = 0; k < io->n_outputs && most <= most_magnitude; k++) {
        const struct io_tensor *out = &io->outputs[k];
        if (!out->known || !io->references[k].data)
            continue;
        fuzz_require(difference_of(io, k, out->data).max_abs_error <= tolerance * most ||
                         is_rounding(io, k, most, d),
                     "what was compiled computes what the evaluator does", d);
    }
    diag_free(d);
}

/* Quantises by a scale that is known at run time only? Lowered, such rounds by adding and
 * subtracting 1.5 * 2^23. */
static bool is_late_scale(const struct ir_op *op)
{
    const float round = 0x1.8p23f;
    if (op->opcode == IR_quantize)
        return !ir_is(op->in[1].value, IR_constant);
    const struct ir_value *c = op->opcode == IR_sub ? op->in[1].value : NULL;
    return c && ir_is(c, IR_constant) && ir_count(&c->type) > 0 && c->type.dtype == IR_F32 &&
           memcmp(blob_data(c->def->attrs->constant.data), &round, sizeof round) == 0;
}

static unsigned n_late_scales(const struct ir_graph *g)
{
    unsigned n = 0;
    for (const struct ir_op *op = g->first; op; op = op->next)
        n += is_late_scale(op);
    return n;
}

static bool compile_and_run(struct build *b, struct cimc_options *s, struct diag *d)
{
    struct simulation sim;
    struct model input = {.name = "", .imported = ir_clone(b->graph), .rate = 1};
    struct io_model model = {.prefix = "", .described = input.imported};
    b->models = ARENA_NEW(b->arena, struct model);
    b->models[b->n_models++] = input;
    /* A read-out is the machine's; what an input says of one is overwritten. */
    bool as_lowered = b->graph->stage == IR_CROSSBAR || !arch_readout_is_ideal(&b->arch);
    if (!driver_run_passes(b, s, pipeline(b->graph), &(struct pass_options){0}, d) ||
        !fuzz_graph_is_small(b->graph))
        return d->n_errors == 0;
    ir_number(b->graph);
    bool ok = driver_compile(b, s, d);
    fuzz_require(!has_error(d, DIAG_CHECK), "the checker accepts what was compiled", d);
    fuzz_require(!has_error(d, DIAG_PROGRAM), "what was compiled is a valid program", d);
    if (!ok || !fuzz_program_is_small(b->program))
        return ok;
    ok = run(&sim, s, b->program, (struct io_models){.at = &model, .n = 1}, d);
    fuzz_require(ok, "what was compiled runs", d);
    fuzz_require(sim.result.cycles == b->program->scheduled_cycles,
                 "what was compiled takes the scheduled cycles", d);
    /* A layer with integer weights whose input was float has it in eight bits, by its own range. */
    as_lowered |= n_late_scales(b->graph) > n_late_scales(input.imported);
    model.reference = as_lowered ? b->graph : input.imported;
    compare_with_evaluator(&sim.io);
    simulation_free(&sim);
    return true;
}

static struct ir_op *fold(void *self, struct ir_op *op)
{
    return eval_fold(op, (size_t)1 << 20, self);
}

/* What it means is for others to say: some graphs of any text are nothing that is imported. */
static void write_and_read(const struct ir_graph *g)
{
    struct diag *d = diag_new();
    struct text file = {0};
    bool ok = onnx_export(g, &file, d);
    fuzz_judge(ok, d);
    diag_free(d);
    d = diag_new();
    struct onnx_options o = {.fold = fold, .fold_self = d};
    struct ir_graph *back =
        ok ? onnx_import(fuzz_file((const uint8_t *)file.at, file.n), &o, d) : NULL;
    if (ok)
        fuzz_judge(back != NULL, d);
    ir_graph_free(back);
    text_free(&file);
    diag_free(d);
}

void fuzz_graph(struct ir_graph *g, const struct arch *arch)
{
    if (!fuzz_graph_is_small(g)) {
        ir_graph_free(g);
        return;
    }
    if (g->stage == IR_TENSOR || g->stage == IR_CANONICAL)
        write_and_read(g);
    size_t choice = arch ? 0 : ir_fingerprint(g) % (sizeof choices / sizeof *choices);
    const char *machine = choices[choice].machine;
    struct diag *d = diag_new();
    struct arch chosen;
    struct cimc_options s;
    struct build b;
    bool ok = options_recall(choices[choice].options, &s, d) &&
              arch_parse(machine, strlen(machine), "machine", d->arena, d, &chosen) &&
              driver_start(&b, &s, arch ? arch : &chosen, NULL, d);
    fuzz_require(ok, "machine and options of the harness are right", d);
    b.model = "input";
    b.graph = g;
    fuzz_judge(compile_and_run(&b, &s, d), d);
    driver_free(&b);
    cimc_options_free(&s);
    diag_free(d);
}
