/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_readout_test.c - the checker on machines whose read-out is not ideal: a right program is
 * accepted, and each with one thing of it made wrong is rejected.
 */
#include "backend.h"
#include "../run_suite.h"

#include <check.h>
#include <string.h>

#define TEN "1,-2,3,-4,5,-6,7,-8,0,-1,"
#define SIXTY TEN TEN TEN TEN TEN "1,-2,3,-4,5,-6,7,-8,0,-1"

/* 20 rows on PEs of 8: sums of 8, 8 and 4 products, in slices of 2 bits and phases of 4. */
static const char layer[] =
    "graph \"layer\" crossbar {\n"
    "%0 = input {index=0, dtype=\"u8\", shape=[2,2,20], extent=[2,2,20], strides=[40,20,1]} "
    "@\"x\"\n"
    "%1 = constant {dtype=\"i8\", shape=[20,3], data=dense(" SIXTY ")} @\"w\"\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[3,1], "
    "weight_bits=4, x_bits=8, rows=8, cell_bits=2, dac_bits=4, adc_bits=5, encoding=\"offset\", "
    "shift=[1,0], flip=1, cols=8, noise_seed=0} : i32[2x2x3] @\"layer\"\n"
    "output %2 {index=0, dtype=\"i32\", shape=[2,2,3], strides=[6,3,1]} @\"y\"\n}\n";
static const char machine[] = "base: clsa\nrows: 8\ncols: 16\nweight_bits: 4\ncell_bits: 2\n"
                              "dac_bits: 4\nadc_bits: 5\nadc_range: calibrated\ncolumn_flip: 1\n";

struct compiled {
    struct arena *arena;
    struct diag *diag;
    struct arch arch;
    struct ir_graph *graph;
    struct isa_program *program;
};

/* The layer with a part of its text replaced, on the machine with more fields. */
static struct compiled compile_on(const char *fields, const char *old, const char *new)
{
    struct compiled c = {.arena = arena_new(), .diag = diag_new()};
    const char *yaml = arena_printf(c.arena, "%s%s", machine, fields);
    const char *at = strstr(layer, old);
    char *text = arena_printf(c.arena, "%.*s%s%s", (int)(at - layer), layer, new, at + strlen(old));
    struct backend_options o = {.set = {.rows = 1}, .pes = 100};
    struct backend_result result;
    ck_assert(arch_parse(yaml, strlen(yaml), "machine", c.arena, c.diag, &c.arch));
    c.graph = ir_parse(text, strlen(text), "test.ir", c.diag);
    if (c.graph) {
        ir_number(c.graph);
        c.program = backend_compile(c.graph, &c.arch, &o, &result, c.diag);
    }
    diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.program);
    return c;
}

static struct compiled compile(const char *old, const char *new)
{
    return compile_on("", old, new);
}

static void release(struct compiled *c)
{
    isa_program_free(c->program);
    ir_graph_free(c->graph);
    diag_free(c->diag);
    arena_free(c->arena);
}

/* ---- what can be wrong with it ---- */

static void larger_step(struct isa_program *p)
{
    p->images[0].shift[1] = 1;
}
static void steps_of_another_slice(struct isa_program *p)
{
    p->images[0].shift[0] = 0;
    p->images[0].shift[1] = 1;
}
static void no_steps(struct isa_program *p)
{
    p->images[0].n_shift = 0;
}
static void weights_of_3_bits(struct isa_program *p)
{
    p->images[0].weight_bits = 3;
}
static void inputs_of_7_bits(struct isa_program *p)
{
    p->tiles[0].groups[0].x_bits = 7;
}
static void a_bit_more(struct isa_program *p)
{
    p->arch.adc_bits = 6;
}
static void no_converters(struct isa_program *p)
{
    p->arch.adc_bits = 0;
    p->images[0].n_shift = 0;
}
static void longer_phases(struct isa_program *p)
{
    p->arch.dac_bits = 8;
}
static void nothing_inverted(struct isa_program *p)
{
    p->arch.column_flip = 0;
}
static void two_parts(struct isa_program *p)
{
    p->arch.encoding = ARCH_DIFFERENTIAL;
}
static void noise(struct isa_program *p)
{
    p->arch.noise_seed = 5;
}
static void larger_crossbars(struct isa_program *p)
{
    p->arch.rows = 9;
}
/* 7, 8 and 5 products in a sum. */
static void other_rows_together(struct isa_program *p)
{
    struct isa_pe *pe = p->tiles[0].groups[0].pes;
    pe[0].k = 7;
    pe[1].k0 = 7;
    pe[2].k0 = 15;
    pe[2].k = 5;
}

/* The same weights, but other cells where there is noise. */
static void another_image(struct isa_program *p)
{
    struct isa_image *images = ARENA_ARRAY(p->arena, struct isa_image, 2);
    images[0] = images[1] = p->images[0];
    p->images = images;
    p->n_images = 2;
    p->tiles[0].groups[0].image = 1;
}

static const struct {
    void (*make)(struct isa_program *p);
    const char *message; /* a part of the first one */
} mutants[] = {
    {larger_step, "shift 1 instead of 0"},
    {steps_of_another_slice, "shift 0 instead of 1"},
    {no_steps, "shift 0 instead of 1"},
    {weights_of_3_bits, "weights of 3 bits instead of 4"},
    {inputs_of_7_bits, "inputs of 7 bits instead of 8"},
    {a_bit_more, "adc_bits 6 instead of 5"},
    {no_converters, "is not ideal, not that of the machine"},
    {longer_phases, "dac_bits 8 instead of 4"},
    {nothing_inverted, "column_flip 0 instead of 1"},
    {two_parts, "another encoding"},
    {noise, "noise_seed 5 instead of 0"},
    {larger_crossbars, "logical rows 9 instead of 8"},
    {other_rows_together, "PE 0 reads out other rows together"},
    {another_image, "image 1 instead of 0"},
};
enum { N_MUTANTS = sizeof mutants / sizeof *mutants };

START_TEST(a_right_program_is_accepted)
{
    struct compiled c = compile("", "");
    bool ok = isa_validate(c.program, c.diag) && backend_check(c.program, c.graph, c.diag);
    diag_print(c.diag, stderr);
    ck_assert(ok);
    release(&c);
}
END_TEST

START_TEST(a_wrong_program_is_rejected)
{
    struct compiled c = compile("", "");
    mutants[_i].make(c.program);
    ck_assert(!backend_check(c.program, c.graph, c.diag));
    const char *text = c.diag->first->text;
    ck_assert_msg(strstr(text, mutants[_i].message), "%s", text);
    release(&c);
}
END_TEST

/* Half a step of 2^28, in 3 PEs and 2 phases with 1 and 16: 51 * 2^27 is more than 2^31. */
START_TEST(rounding_counts_in_sums)
{
    struct compiled c = compile("shift=[1,0]", "shift=[28,0]");
    ck_assert(isa_validate(c.program, c.diag) && !backend_check(c.program, c.graph, c.diag));
    ck_assert_ptr_nonnull(strstr(c.diag->first->text, "can leave 32 bits"));
    release(&c);
}
END_TEST

/* Half a step of 2^26 in 3 PEs and 2 phases with 1 and 16: 51 * 2^25 is less than 2^31, and is
 * rounded once where the two parts are subtracted in front of the converter, not behind two. */
START_TEST(a_difference_is_rounded_once)
{
    struct compiled c = compile_on("encoding: analog_differential\n",
                                   "encoding=\"offset\", shift=[1,0], flip=1, cols=8",
                                   "encoding=\"analog_differential\", shift=[26,0], cols=4");
    bool ok = isa_validate(c.program, c.diag) && backend_check(c.program, c.graph, c.diag);
    diag_print(c.diag, stderr);
    ck_assert(ok);
    release(&c);
}
END_TEST

START_TEST(two_converters_round_twice)
{
    struct compiled c =
        compile_on("encoding: differential\n", "encoding=\"offset\", shift=[1,0], flip=1, cols=8",
                   "encoding=\"differential\", shift=[26,0], flip=1, cols=4");
    ck_assert(isa_validate(c.program, c.diag) && !backend_check(c.program, c.graph, c.diag));
    ck_assert_ptr_nonnull(strstr(c.diag->first->text, "can leave 32 bits"));
    release(&c);
}
END_TEST

START_TEST(bytes_of_the_input_have_8_bits)
{
    struct compiled c = compile("x_bits=8", "x_bits=7");
    ck_assert(!backend_check(c.program, c.graph, c.diag));
    ck_assert_ptr_nonnull(strstr(c.diag->first->text, "go up to 255, which are more than 7 bits"));
    release(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("check_readout");
    TCase *t = tcase_create("check_readout");
    suite_add_tcase(s, t);
    tcase_add_test(t, a_right_program_is_accepted);
    tcase_add_loop_test(t, a_wrong_program_is_rejected, 0, N_MUTANTS);
    tcase_add_test(t, rounding_counts_in_sums);
    tcase_add_test(t, a_difference_is_rounded_once);
    tcase_add_test(t, two_converters_round_twice);
    tcase_add_test(t, bytes_of_the_input_have_8_bits);
    return run_suite(s);
}
