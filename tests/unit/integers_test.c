/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * integers_test.c - a graph of integers becomes a program: one network with each operation of
 * theirs. On several machines the checker accepts it and the simulator computes what the evaluator
 * does, bit for bit; with any one thing made wrong it is rejected.
 */
#include "backend.h"
#include "eval.h"
#include "sim.h"
#include "../run_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define CONV(k, channels)                                                                          \
    "{kernel=[" k "," k "], stride=[1,1], dilation=[1,1], group=1, slices=[1,1], x_bits=8} : "     \
    "i32[6x6x" channels "]"

/* 6 x 6 x 4 bytes; two layers, the second with uint8 weights (center); their sum with relu; a
 * pool; a layer whose requantised value goes through a table; mean, sum, softmax. */
static const char network[] =
    "graph \"integers\" crossbar {\n"
    "%0 = input {index=0, dtype=\"i8\", shape=[6,6,4], extent=[6,6,4], strides=[24,4,1]} @\"x\"\n"
    "%1 = constant {dtype=\"i8\", shape=[36,8], data=iota} @\"w1\"\n"
    "%2 = constant {dtype=\"i32\", shape=[1,1,8], data=dense(9,-8,7,-600,5,-4,300,-2)} @\"bias\"\n"
    "%3 = constant {dtype=\"f32\", shape=[1,1,8], "
    "data=dense(0.001,0.002,0.003,0.004,0.005,0.006,0.007,0.008)} @\"scales\"\n"
    "%4 = pad %0 {before=[1,1,0], after=[1,1,0], mode=\"constant\", value=138.0}\n"
    "%5 = mvm %4, %1 " CONV(
        "3",
        "8") " @\"conv1\"\n"
             "%6 = requantize %5, %2, %3 {kind=\"f32\", axis=2, zero=3, lo=3, hi=255} @\"q1\"\n"
             "%7 = constant {dtype=\"i8\", shape=[8,8], data=iota} @\"w2\"\n"
             "%8 = constant {dtype=\"i32\", shape=[8], data=dense(7,-7,6,0,1,2,3,4)} @\"center\"\n"
             "%9 = mvm %6, %7, %8 " CONV(
                 "1",
                 "8") " @\"conv2\"\n"
                      "%10 = constant {dtype=\"i32\", shape=[1,1,1], data=splat(-3)} @\"bias2\"\n"
                      "%11 = constant {dtype=\"i32\", shape=[1,1,8], "
                      "data=dense(514,515,516,517,518,519,520,521)} "
                      "@\"mult\"\n"
                      "%12 = constant {dtype=\"i32\", shape=[1,1,1], data=splat(40000)} @\"add\"\n"
                      "%13 = requantize %9, %10, %11, %12 {kind=\"fixed\", axis=2, zero=7, lo=0, "
                      "hi=250, shift=16} "
                      "@\"q2\"\n"
                      "%14 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(0.05)} @\"s\"\n"
                      "%15 = constant {dtype=\"u8\", shape=[1,1,1], data=splat(3)} @\"z1\"\n"
                      "%16 = dequantize %6, %14, %15\n"
                      "%17 = constant {dtype=\"u8\", shape=[1,1,8], data=dense(7,8,9,7,6,5,7,7)} "
                      "@\"z2\"\n"
                      "%18 = dequantize %13, %3, %17 {axis=2}\n"
                      "%19 = add %16, %18\n"
                      "%20 = relu %19\n"
                      "%21 = quantize %20, %14, %15 {dtype=\"u8\", hi=255} @\"sum\"\n"
                      "%22 = max_pool %21 {kernel=[3,3], stride=[1,1], dilation=[1,1], "
                      "pad=[1,1,1,1]} @\"pool\"\n"
                      "%23 = mvm %22, %7 " CONV(
                          "1",
                          "8") " @\"conv3\"\n"
                               "%24 = requantize %23, %2, %3 {kind=\"f32\", axis=2, zero=100, "
                               "lo=0, hi=255} @\"q3\"\n"
                               "%25 = constant {dtype=\"u8\", shape=[256], data=iota} @\"table\"\n"
                               "%26 = table %24, %25 @\"t\"\n"
                               "%27 = avg_pool %26 {kernel=[6,6], stride=[1,1], dilation=[1,1], "
                               "pad=[0,0,0,0]} @\"mean\"\n"
                               "%28 = quantize %27, %14, %15 {dtype=\"u8\", hi=255} @\"q4\"\n"
                               "%29 = reduce %28 {kind=\"max\", axes=[2]} @\"top\"\n"
                               "%30 = cast %28 {to=\"i32\"}\n"
                               "%31 = cast %29 {to=\"i32\"}\n"
                               "%32 = sub %31, %30\n"
                               "%33 = constant {dtype=\"i32\", shape=[256], data=splat(100)} "
                               "@\"exp\"\n"
                               "%34 = table %32, %33 @\"e\"\n"
                               "%35 = reduce %34 {kind=\"sum\", axes=[2]} @\"se\"\n"
                               "%36 = cast %34 {to=\"f32\"}\n"
                               "%37 = cast %35 {to=\"f32\"}\n"
                               "%38 = div %36, %37\n"
                               "%39 = quantize %38, %14 {dtype=\"u8\", hi=255} @\"p\"\n"
                               "output %39 {index=0, dtype=\"i8\", shape=[8], strides=[8,8,1]} "
                               "@\"y\"\n"
                               "%40 = reduce %26 {kind=\"sum\", axes=[0,1]} @\"total\"\n"
                               "output %40 {index=1, dtype=\"i32\", shape=[8], strides=[8,8,1]} "
                               "@\"z\"\n"
                               "}\n";

struct compiled {
    struct arena *arena;
    struct diag *diag;
    struct arch arch;
    struct ir_graph *graph;
    struct isa_program *program;
};

static struct compiled compile(const char *text, const char *machine, const char *const *settings)
{
    struct compiled c = {.arena = arena_new(), .diag = diag_new()};
    ck_assert(arch_load(machine, c.arena, c.diag, &c.arch));
    for (; settings && *settings; settings++)
        ck_assert(arch_set(&c.arch, *settings, c.diag));
    c.graph = ir_parse(text, strlen(text), "test.ir", c.diag);
    if (c.graph) {
        struct backend_options o = {.set = {.rows = 1}, .pes = 100};
        struct backend_result result;
        ir_number(c.graph);
        c.program = backend_compile(c.graph, &c.arch, &o, &result, c.diag);
    }
    if (!c.program)
        diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.program);
    return c;
}

static void release(struct compiled *c)
{
    isa_program_free(c->program);
    ir_graph_free(c->graph);
    diag_free(c->diag);
    arena_free(c->arena);
}

static const struct ir_op *op_named(const struct compiled *c, const char *name)
{
    for (const struct ir_op *op = c->graph->first; op; op = op->next)
        if (strcmp(op->name, name) == 0)
            return op;
    ck_abort_msg("no %s", name);
    return NULL;
}

/* The vector program that makes the value, and the tile it is of. */
static struct isa_program_entry *program_of(struct compiled *c, const char *value,
                                            struct isa_tile **tile)
{
    uint32_t id = op_named(c, value)->id;
    for (uint32_t t = 0; t < c->program->n_tiles; t++) {
        *tile = &c->program->tiles[t];
        for (uint32_t i = 0; i < (*tile)->n_insts; i++) {
            const struct isa_inst *in = &(*tile)->insts[i];
            if (in->op == ISA_vmap && (*tile)->views[in->dst.view].value == id)
                return &(*tile)->programs[in->obj];
        }
    }
    ck_abort_msg("nothing makes %s", value);
    return NULL;
}

/* Its n-th lane of the operation. */
static struct isa_lane *lane(struct compiled *c, const char *value, enum isa_lane_op op, int n)
{
    struct isa_tile *tile;
    struct isa_program_entry *e = program_of(c, value, &tile);
    for (uint32_t i = 0; i < e->n_ops; i++)
        if (e->ops[i].op == op && n-- == 0)
            return &e->ops[i];
    ck_abort_msg("%s has no such lane", value);
    return NULL;
}

static struct isa_view *source_of(struct compiled *c, enum isa_op op, const char *value)
{
    uint32_t id = op_named(c, value)->id;
    for (uint32_t t = 0; t < c->program->n_tiles; t++) {
        struct isa_tile *tile = &c->program->tiles[t];
        for (uint32_t i = 0; i < tile->n_insts; i++) {
            const struct isa_inst *in = &tile->insts[i];
            if (in->op == op && tile->views[in->dst.view].value == id)
                return &tile->views[op == ISA_mvm ? tile->groups[in->obj].source_view : in->a.view];
        }
    }
    ck_abort_msg("nothing makes %s", value);
    return NULL;
}

static struct isa_image *image_of(struct compiled *c, const char *mvm)
{
    for (uint32_t i = 0; i < c->program->n_images; i++)
        if (c->program->images[i].node == op_named(c, mvm)->id)
            return &c->program->images[i];
    ck_abort_msg("no image");
    return NULL;
}

static uint32_t *constant_word(struct compiled *c, uint32_t section, uint64_t offset)
{
    return (uint32_t *)(void *)((uint8_t *)c->program->sections[section].data + offset);
}

/* ---- mutants ---- */

static void other_zero_point(struct compiled *c)
{
    lane(c, "q1", LANE_IADD, 1)->imm++;
}
static void other_relu(struct compiled *c)
{
    lane(c, "q1", LANE_IMAX, 0)->imm = 0;
}
static void other_bound(struct compiled *c)
{
    lane(c, "q2", LANE_IMIN, 0)->imm++;
}
static void other_shift(struct compiled *c)
{
    lane(c, "q2", LANE_RQ, 0)->imm--;
}
static void other_scale(struct compiled *c)
{
    lane(c, "sum", LANE_DIV, 0)->imm++; /* one unit in the last place */
}
static void times_instead_of_divided(struct compiled *c)
{
    lane(c, "sum", LANE_DIV, 0)->op = LANE_MUL;
}
static void no_relu(struct compiled *c)
{
    lane(c, "sum", LANE_MAX, 0)->imm = f32_bits(-1);
}
static void added_as_floats(struct compiled *c)
{
    lane(c, "q1", LANE_I2F, 0)->x = LANE_A; /* the bias is lost */
}
static void unsettled_index(struct compiled *c)
{
    lane(c, "t", LANE_IMIN, 0)->imm = 511; /* 256.. would be looked up as 0.. */
}
static void negative_index(struct compiled *c)
{
    lane(c, "t", LANE_IMAX, 0)->imm = (uint32_t)-1;
}
static void other_table(struct compiled *c)
{
    struct isa_tile *tile;
    program_of(c, "t", &tile);
    *constant_word(c, tile->tables[lane(c, "t", LANE_TAB, 0)->imm].section,
                   tile->tables[lane(c, "t", LANE_TAB, 0)->imm].offset + 4 * 77) ^= 1;
}
static void table_of_floats(struct compiled *c)
{
    struct isa_tile *tile;
    program_of(c, "e", &tile);
    tile->tables[lane(c, "e", LANE_TAB, 0)->imm].element = ELEMENT_f32;
}
static void subtracted_the_other_way(struct compiled *c)
{
    struct isa_lane *l = lane(c, "e", LANE_ISUB, 0);
    uint8_t x = l->x;
    l->x = l->y;
    l->y = x;
}
/* Row `row` of the program's constants begins a channel later. */
static void shift_row(struct compiled *c, const char *value, uint32_t row)
{
    struct isa_tile *tile;
    const struct isa_program_entry *e = program_of(c, value, &tile);
    const struct isa_view *v = &tile->views[e->constants_view];
    for (uint32_t i = 0; i < tile->n_preloads; i++)
        if (tile->preloads[i].address == v->base + row * (uint64_t)v->row_pitch)
            tile->preloads[i].offset += 4;
}
static void bias_of_another_channel(struct compiled *c)
{
    shift_row(c, "q1", 0);
}
static void multiplier_of_another_channel(struct compiled *c)
{
    shift_row(c, "q1", 1);
}
static void zero_point_of_another_channel(struct compiled *c)
{
    shift_row(c, "sum", 0);
}
static void fixed_multiplier_of_another_channel(struct compiled *c)
{
    shift_row(c, "q2", 0);
}
static void pads_with_0(struct compiled *c)
{
    source_of(c, ISA_mvm, "conv1")->pad_value = 0;
}
static void pool_pads_with_zero_point(struct compiled *c)
{
    source_of(c, ISA_vwin, "pool")->pad_value = 3;
}
static void other_weight(struct compiled *c)
{
    struct isa_section *s = &c->program->sections[image_of(c, "conv1")->section];
    uint8_t *copy = arena_alloc(c->arena, s->length);
    memcpy(copy, isa_section_data(s), s->length);
    copy[100] ^= 1;
    *s = (struct isa_section){.name = s->name, .data = copy, .length = s->length};
}
static void other_center(struct compiled *c)
{
    const struct isa_image *m = image_of(c, "conv2");
    *constant_word(c, m->center - 1, m->center_offset) ^= 1;
}
static void no_center(struct compiled *c)
{
    image_of(c, "conv2")->center = 0;
}
static void a_center_too_many(struct compiled *c)
{
    image_of(c, "conv1")->center = image_of(c, "conv2")->center;
}
static void weights_of_1_bit(struct compiled *c)
{
    image_of(c, "conv1")->weight_bits = 1;
}
static void inputs_of_7_bits(struct compiled *c)
{
    for (uint32_t t = 0; t < c->program->n_tiles; t++)
        for (uint32_t i = 0; i < c->program->tiles[t].n_groups; i++)
            c->program->tiles[t].groups[i].x_bits = 7;
}
static void sums_as_floats(struct compiled *c)
{
    for (uint32_t t = 0; t < c->program->n_tiles; t++)
        for (uint32_t i = 0; i < c->program->tiles[t].n_views; i++) {
            struct isa_view *v = &c->program->tiles[t].views[i];
            v->element = v->element == ELEMENT_i32 ? ELEMENT_f32 : v->element;
        }
}

static const struct mutant {
    const char *name;
    void (*make)(struct compiled *c);
} mutants[] = {
#define MUTANT(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }
    MUTANT(other_zero_point),
    MUTANT(other_relu),
    MUTANT(other_bound),
    MUTANT(other_shift),
    MUTANT(other_scale),
    MUTANT(times_instead_of_divided),
    MUTANT(no_relu),
    MUTANT(added_as_floats),
    MUTANT(unsettled_index),
    MUTANT(negative_index),
    MUTANT(other_table),
    MUTANT(table_of_floats),
    MUTANT(subtracted_the_other_way),
    MUTANT(bias_of_another_channel),
    MUTANT(multiplier_of_another_channel),
    MUTANT(zero_point_of_another_channel),
    MUTANT(fixed_multiplier_of_another_channel),
    MUTANT(pads_with_0),
    MUTANT(pool_pads_with_zero_point),
    MUTANT(other_weight),
    MUTANT(other_center),
    MUTANT(no_center),
    MUTANT(a_center_too_many),
    MUTANT(weights_of_1_bit),
    MUTANT(inputs_of_7_bits),
    MUTANT(sums_as_floats),
#undef MUTANT
};
enum { N_MUTANTS = sizeof mutants / sizeof *mutants };

START_TEST(a_wrong_program_is_rejected)
{
    static const char *const settings[] = {"crossbars=1", NULL};
    struct compiled c = compile(network, "clsa", settings);
    ck_assert(isa_validate(c.program, c.diag) && backend_check(c.program, c.graph, c.diag));
    mutants[_i].make(&c);
    bool rejected = !isa_validate(c.program, c.diag) || !backend_check(c.program, c.graph, c.diag);
    ck_assert_msg(rejected, "%s", mutants[_i].name);
    release(&c);
}
END_TEST

enum { IN = 6 * 6 * 4, OUT = 8 };

/* Random bytes give what the evaluator gives, in the scheduled cycles or with other latencies. */
static void run(struct compiled *c, uint64_t latency_seed)
{
    int8_t x[IN], y[OUT];
    int32_t z[OUT];
    uint64_t seed = latency_seed;
    for (int i = 0; i < IN; i++)
        x[i] = (int8_t)(random_next(&seed) >> 40);
    struct ir_type type = ir_type_of(IR_I8, 3, (const int64_t[]){6, 6, 4});
    struct tensor in = {.type = type, .data = x}, want[2] = {0};
    struct sim_options o = {.latency_seed = latency_seed, .max_extra_cycles = 9};
    struct sim_result r;
    const void *inputs[1] = {x};
    void *outputs[2] = {y, z};
    bool ok = eval_graph(c->graph, &in, 1, want, 2, NULL, c->diag) &&
              sim_run(c->program, inputs, outputs, &o, &r, c->diag);
    diag_print(c->diag, stderr);
    ck_assert(ok);
    ck_assert_mem_eq(y, want[0].data, sizeof y);
    ck_assert_mem_eq(z, want[1].data, sizeof z);
    if (latency_seed == 0)
        ck_assert_uint_eq(r.cycles, c->program->scheduled_cycles);
    tensor_free(&want[0]);
    tensor_free(&want[1]);
}

/* The first layer's sums on one tile, or on three. */
START_TEST(right_programs_are_accepted_and_right)
{
    static const struct {
        const char *machine, *settings[4];
        char slices;
    } cases[] = {
        {"clsa", {"crossbars=64"}, '1'},
        {"mesh", {"crossbars=1"}, '1'},
        {"clsa", {"crossbars=1", "rows=12"}, '3'},
        {"mesh", {"crossbars=2", "rows=12"}, '3'},
    };
    char text[sizeof network];
    memcpy(text, network, sizeof text);
    strstr(text, "slices=[")[strlen("slices=[")] = cases[_i].slices;
    struct compiled c = compile(text, cases[_i].machine, cases[_i].settings);
    bool ok = isa_validate(c.program, c.diag) && backend_check(c.program, c.graph, c.diag);
    diag_print(c.diag, stderr);
    ck_assert(ok);
    for (uint64_t seed = 0; seed < 5; seed++)
        run(&c, seed);
    release(&c);
}
END_TEST

/* The vector programs are those of ISA.md 4 and the worked residual of 11 lanes. */
START_TEST(an_addition_is_one_program)
{
    static const enum isa_lane_op want[] = {LANE_ISUB, LANE_I2F, LANE_MUL, LANE_ISUB,
                                            LANE_I2F,  LANE_MUL, LANE_ADD, LANE_MAX,
                                            LANE_DIV,  LANE_F2I, LANE_IADD};
    struct compiled c = compile(network, "clsa", NULL);
    struct isa_tile *tile;
    const struct isa_program_entry *e = program_of(&c, "sum", &tile);
    ck_assert_uint_eq(e->n_ops, 11);
    for (uint32_t i = 0; i < e->n_ops; i++)
        ck_assert_uint_eq(e->ops[i].op, want[i]);
    release(&c);
}
END_TEST

/* A narrow quantisation, a division by 1, and scales of 1, which take no lane. */
START_TEST(a_scale_of_1_is_not_the_division_before)
{
    static const char text[] =
        "graph \"ones\" crossbar {\n"
        "%0 = input {index=0, dtype=\"f32\", shape=[4], extent=[1,1,4], strides=[0,0,1]} @\"x\"\n"
        "%1 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(1)}\n"
        "%2 = quantize %0, %1 {dtype=\"u8\", lo=31, hi=158}\n"
        "%3 = cast %2 {to=\"f32\"}\n"
        "%4 = div %3, %1\n"
        "%5 = quantize %4, %1 {dtype=\"u8\", hi=255}\n"
        "%6 = dequantize %5, %1 @\"q\"\n"
        "output %6 {index=0, dtype=\"f32\", shape=[4], strides=[0,0,1]} @\"y\"\n"
        "}\n";
    static const enum isa_lane_op want[] = {LANE_F2I, LANE_IMAX, LANE_IMIN, LANE_I2F, LANE_DIV,
                                            LANE_F2I, LANE_IMAX, LANE_IMIN, LANE_I2F};
    struct compiled c = compile(text, "clsa", NULL);
    struct isa_tile *tile;
    const struct isa_program_entry *e = program_of(&c, "q", &tile);
    ck_assert_uint_eq(e->n_ops, sizeof want / sizeof *want);
    for (uint32_t i = 0; i < e->n_ops; i++)
        ck_assert_uint_eq(e->ops[i].op, want[i]);
    ck_assert(backend_check(c.program, c.graph, c.diag));
    release(&c);
}
END_TEST

/* 255 * 128 + 2147451007 = 2^31 - 1: one more is too much. */
START_TEST(sums_that_leave_32_bits_are_rejected)
{
    static const char form[] =
        "graph \"sums\" crossbar {\n"
        "%%0 = input {index=0, dtype=\"u8\", shape=[2], extent=[1,1,2], strides=[0,0,1]} @\"x\"\n"
        "%%1 = constant {dtype=\"i8\", shape=[2,1], data=dense(127, -128)} @\"w\"\n"
        "%%2 = constant {dtype=\"i32\", shape=[1,1,1], data=splat(%d)} @\"b\"\n"
        "%%3 = mvm %%0, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
        "slices=[1,1], x_bits=8} @\"sums\"\n"
        "%%4 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(0.5)} @\"m\"\n"
        "%%5 = requantize %%3, %%2, %%4 {kind=\"f32\", hi=255} @\"q\"\n"
        "output %%5 {index=0, dtype=\"u8\", shape=[1], strides=[0,0,1]} @\"y\"\n"
        "}\n";
    static const int32_t bias[] = {2147483647 - 255 * 128, 2147483647 - 255 * 128 + 1};
    char text[sizeof form + 20];
    snprintf(text, sizeof text, form, bias[_i]);
    struct compiled c = compile(text, "clsa", NULL);
    bool right = backend_check(c.program, c.graph, c.diag);
    ck_assert_int_eq(right, _i == 0);
    if (!right)
        ck_assert_ptr_nonnull(strstr(c.diag->first->text, "sums of column 0 of 'sums' can leave"));
    release(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("integers");
    TCase *t = tcase_create("integers");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_wrong_program_is_rejected, 0, N_MUTANTS);
    tcase_add_loop_test(t, right_programs_are_accepted_and_right, 0, 4);
    tcase_add_test(t, an_addition_is_one_program);
    tcase_add_test(t, a_scale_of_1_is_not_the_division_before);
    tcase_add_loop_test(t, sums_that_leave_32_bits_are_rejected, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
