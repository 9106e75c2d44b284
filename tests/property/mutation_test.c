/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mutation_test.c - tests the program checker: each of many programs with one fault put in must be
 * rejected, or be harmless: equal outputs, but for rounding, in 20 simulations, each with other
 * inputs and other random latencies. What is neither has escaped, and fails the test.
 *
 * The programs come from random graphs, of floats and quantised ones, of patches, as bodies of
 * three frames, the bundled digits model, and the models that CIMC_MUTATION_MODELS names (paths
 * with : between). CIMC_MUTANTS says how many mutants to try, CIMC_MUTATION_SEED which.
 */
#include "gen.h"
#include "mutate.h"
#include "onnx.h"
#include "pass.h"
#include "rig.h"
#include "../run_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_TRIALS = 20, N_RANDOM = 36, MAX_SUBJECTS = 64 };

/* A program to mutate, and what it computes for the inputs of each trial. */
struct subject {
    char name[1000];
    struct ir_graph *g;
    struct isa_program *p;
    struct rig io[N_TRIALS];
    struct tensor outputs[N_TRIALS][RIG_MAX_IO];
};
struct subjects {
    size_t n;
    struct subject at[MAX_SUBJECTS];
};
enum verdict { IMPOSSIBLE, MALFORMED, REJECTED, HARMLESS, ESCAPED, N_VERDICTS };

/* ---- running ---- */

static bool run_trial(const struct subject *s, const struct isa_program *p, unsigned trial,
                      struct tensor out[RIG_MAX_IO])
{
    const struct rig *r = &s->io[trial];
    static const uint64_t most[] = {0, 2, 30, 1000};
    struct sim_options o = {.latency_seed = trial, .max_extra_cycles = most[trial % 4]};
    struct sim_result result;
    struct diag *d = diag_new();
    bool ok = outputs_simulate(r, p, &o, out, &result, d);
    diag_free(d);
    return ok;
}

/* The same outputs in every trial? */
static bool is_harmless(const struct subject *s, const struct isa_program *p)
{
    bool same = true;
    for (unsigned i = 0; i < N_TRIALS && same; i++) {
        struct tensor out[RIG_MAX_IO];
        same = run_trial(s, p, i, out) && outputs_close(&s->io[i], out, s->outputs[i]);
        outputs_free(out);
    }
    return same;
}

/* ---- subjects ---- */

/* Takes over the CROSSBAR graph. A graph whose program is too large or not accepted is left out:
 * that is for property_test to report. */
static void add_subject(struct subjects *all, struct ir_graph *g, const struct config *c,
                        const char *name)
{
    struct subject *s = &all->at[all->n];
    struct backend_result result;
    struct diag *d = diag_new();
    ir_number(g);
    s->g = g;
    s->p = all->n < MAX_SUBJECTS ? backend_compile(g, &c->arch, &c->options, &result, d) : NULL;
    bool ok = s->p && backend_check(s->p, g, d);
    diag_free(d);
    if (!ok) {
        isa_program_free(s->p);
        ir_graph_free(g);
        return;
    }
    snprintf(s->name, sizeof s->name, "%s, %s", name, c->text);
    for (unsigned i = 0; i < N_TRIALS; i++) {
        rig_open(&s->io[i], "mutation", i, g);
        rig_repeat(&s->io[i], c->options.frames);
        ck_assert(run_trial(s, s->p, i, s->outputs[i]));
    }
    all->n++;
}

static void free_subjects(struct subjects *all)
{
    for (size_t k = 0; k < all->n; k++) {
        struct subject *s = &all->at[k];
        for (unsigned i = 0; i < N_TRIALS; i++) {
            rig_close(&s->io[i]);
            outputs_free(s->outputs[i]);
        }
        isa_program_free(s->p);
        ir_graph_free(s->g);
    }
}

static void run_passes(const char *pipeline, struct ir_graph **g, const struct arch *arch,
                       int64_t extra_pes)
{
    struct dup_options dup = {.pes = -1, .objective = DUP_SUM, .extra_pes = extra_pes};
    struct pass_ctx ctx = {.diag = diag_new(), .arch = arch, .scratch = arena_new(), .dup = &dup};
    bool ok = pass_run_pipeline(pipeline, g, &ctx, &(struct pass_options){0});
    if (!ok)
        diag_print(ctx.diag, stderr);
    ck_assert(ok);
    diag_free(ctx.diag);
    arena_free(ctx.scratch);
}

static void add_random(struct subjects *all, uint64_t seed)
{
    struct rig r = {.state = seed, .diag = diag_new()};
    struct config c;
    char name[40];
    struct ir_graph *g = seed % 4 == 0   ? gen_crossbar(seed)
                         : seed % 4 == 1 ? gen_tensor(seed)
                         : seed % 4 == 2 ? gen_window(seed)
                                         : gen_quantized(seed, &(struct gen_quantization){0});
    config_machine(&r, &c);
    if (seed % 4 >= 2) {
        config_readout(&r, &c);
        c.arch.adc_range = ARCH_RANGE_FULL;
    }
    config_set(&c, (unsigned)rig_range(&r, 0, N_SET_SHAPES - 1),
               rig_range(&r, 0, 3) ? SCHEDULE_CROSS_LAYER : SCHEDULE_LAYER_BY_LAYER);
    if (seed % 8 < 3) { /* a body */
        c.options.frames = 3;
        c.options.pace = PACE_INTERVAL;
    }
    if (seed % 4 == 2) {
        r.seed = seed;
        rig_random_patches(&r, g);
        run_passes("tile", &g, &c.arch, 0);
        rig_random_copies(&r, g);
        run_passes("readout", &g, &c.arch, 0);
    } else {
        run_passes(seed % 4 ? pass_default_pipeline : "cse,dce,tile,dup,readout", &g, &c.arch,
                   rig_range(&r, 0, 10));
    }
    snprintf(name, sizeof name, "random graph %llu", (unsigned long long)seed);
    add_subject(all, g, &c, name);
    diag_free(r.diag);
}

static struct ir_op *fold(void *self, struct ir_op *op)
{
    return eval_fold(op, (size_t)64 << 20, self);
}

/* On 8 crossbars and on 1, in rows and in pixels. */
static void add_model(struct subjects *all, const char *path, unsigned n_configs)
{
    for (unsigned i = 0; i < n_configs; i++) {
        struct rig r = {.diag = diag_new()};
        struct config c;
        struct onnx_options o = {.fold = fold, .fold_self = r.diag};
        struct ir_graph *g = onnx_import(path, &o, r.diag);
        if (!g)
            diag_print(r.diag, stderr);
        ck_assert_msg(g != NULL, "%s: not imported", path);
        config_machine(&r, &c);
        c.arch.rows = c.arch.cols = 256;
        c.arch.crossbars = i ? 1 : 8;
        config_set(&c, i ? 0 : 1, SCHEDULE_CROSS_LAYER);
        run_passes(pass_default_pipeline, &g, &c.arch, 8);
        add_subject(all, g, &c, path);
        diag_free(r.diag);
    }
}

/* ---- mutants ---- */

static enum verdict judge(const struct subject *s, const struct isa_program *mutant)
{
    struct diag *d = diag_new();
    enum verdict v = !isa_validate(mutant, d)          ? MALFORMED
                     : !backend_check(mutant, s->g, d) ? REJECTED
                     : is_harmless(s, mutant)          ? HARMLESS
                                                       : ESCAPED;
    diag_free(d);
    return v;
}

/* The mutated program as text, beside the original, for whoever has to find out. */
static void save_escaped(const struct subject *s, const struct isa_program *mutant, unsigned number)
{
    const char *folder = getenv("CIMC_MUTATION_SAVE");
    const struct isa_program *programs[] = {s->p, mutant};
    static const char *const kinds[] = {"original", "mutant"};
    for (int i = 0; folder && i < 2; i++) {
        struct text path = {0};
        text_add(&path, "%s/%u-%s.s", folder, number, kinds[i]);
        FILE *f = fopen(path.at, "w");
        if (f) {
            isa_disassemble(programs[i], &(struct isa_dis_options){.inline_sections = true}, f);
            fclose(f);
        }
        text_free(&path);
    }
}

static enum verdict try_mutant(const struct subjects *all, unsigned kind, uint64_t seed)
{
    uint64_t state = seed;
    random_next(&state);
    for (int attempt = 0; attempt < 20; attempt++) {
        const struct subject *s = &all->at[random_next(&state) % all->n];
        struct isa_program *mutant = mutate_clone(s->p);
        enum verdict v = IMPOSSIBLE;
        if (mutations[kind].apply(mutant, &state))
            v = judge(s, mutant);
        if (v == ESCAPED) {
            fprintf(stderr, "ESCAPED: %s, mutant %llu of %s\n", mutations[kind].name,
                    (unsigned long long)seed, s->name);
            save_escaped(s, mutant, (unsigned)seed);
        }
        isa_program_free(mutant);
        if (v != IMPOSSIBLE)
            return v;
    }
    return IMPOSSIBLE;
}

static unsigned long long number_from(const char *variable, unsigned long long otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void print_table(unsigned (*count)[N_VERDICTS])
{
    unsigned total[N_VERDICTS] = {0};
    printf("# %-26s %9s %9s %9s %9s\n", "mutants", "malformed", "rejected", "harmless", "escaped");
    for (unsigned k = 0; k <= n_mutations; k++) {
        const unsigned *n = k < n_mutations ? count[k] : total;
        printf("# %-26s %9u %9u %9u %9u\n", k < n_mutations ? mutations[k].name : "all",
               n[MALFORMED], n[REJECTED], n[HARMLESS], n[ESCAPED]);
        for (unsigned v = 0; k < n_mutations && v < N_VERDICTS; v++)
            total[v] += n[v];
    }
    fflush(stdout);
}

START_TEST(no_mutant_escapes)
{
    struct subjects *all = heap_alloc(sizeof *all);
    unsigned(*count)[N_VERDICTS] = heap_alloc(n_mutations * sizeof *count);
    unsigned long long n = number_from("CIMC_MUTANTS", 500);
    unsigned long long seed = number_from("CIMC_MUTATION_SEED", 0);
    char *models = strdup(getenv("CIMC_MUTATION_MODELS") ? getenv("CIMC_MUTATION_MODELS") : "");
    for (uint64_t i = 0; i < N_RANDOM; i++)
        add_random(all, 1000 + seed + i);
    if (access(CIMC_DIGITS, R_OK) == 0)
        add_model(all, CIMC_DIGITS, 2);
    for (char *rest = models, *path; (path = strsep(&rest, ":"));)
        if (*path)
            add_model(all, path, 1);
    ck_assert_uint_ge(all->n, 4);
    for (unsigned long long i = 0; i < n; i++) {
        unsigned kind = (unsigned)(i % n_mutations);
        count[kind][try_mutant(all, kind, seed + i)]++;
    }
    print_table(count);
    unsigned escaped = 0, tried = 0;
    for (unsigned k = 0; k < n_mutations; k++) {
        escaped += count[k][ESCAPED];
        tried += count[k][MALFORMED] + count[k][REJECTED] + count[k][HARMLESS];
    }
    free_subjects(all);
    heap_free(all);
    heap_free(count);
    free(models);
    ck_assert_uint_eq(escaped, 0);
    ck_assert_uint_ge(tried, n / 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mutation");
    TCase *tc = tcase_create("programs with one fault");
    tcase_set_timeout(tc, 3000);
    tcase_add_test(tc, no_mutant_escapes);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
