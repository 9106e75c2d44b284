/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * elementwise_test.c - elementwise operations become vector programs: the checker accepts them and
 * the simulator computes what the evaluator does, bit for bit; with one lane made wrong they are
 * rejected.
 */
#include "backend.h"
#include "eval.h"
#include "sim.h"
#include "../run_suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 24, MOST_INPUTS = 3, MOST_TEXT = 4096 };

/* Operands %0, %1, ...: letters f, i, u of f32, i32, u8. The last operation's value is the output,
 * of type `gives`. */
struct expression {
    const char *operands;
    char gives;
    const char *text;
};

static const struct expression expressions[] = {
    {"f", 'f', "exp %0"},
    {"f", 'f', "log %0"},
    {"f", 'f', "sigmoid %0"},
    {"f", 'f', "tanh %0"},
    {"f", 'f', "erf %0"},
    {"f", 'f', "sin %0"},
    {"f", 'f', "cos %0"},
    {"f", 'f', "floor %0"},
    {"f", 'f', "ceil %0"},
    {"f", 'f', "round %0"},
    {"ff", 'f', "pow %0, %1"},
    {"ff", 'f', "mod %0, %1"},
    {"ff", 'u', "equal %0, %1"},
    {"ff", 'u', "less %0, %1"},
    {"ff", 'u', "greater %0, %1"},
    {"ii", 'i', "div %0, %1"},
    {"ii", 'i', "mod %0, %1"},
    {"ii", 'u', "equal %0, %1"},
    {"ii", 'u', "less %0, %1"},
    {"ii", 'u', "greater %0, %1"},
    {"uu", 'u', "equal %0, %1"},
    {"uu", 'u', "less %0, %1"},
    {"uu", 'u', "min %0, %1"},
    {"uu", 'u', "max %0, %1"},
    {"f", 'i', "cast %0 {to=\"i32\"}"},
    {"i", 'u', "cast %0 {to=\"u8\"}"},
    {"i", 'f', "cast %0 {to=\"f32\"}"},
    {"u", 'i', "cast %0 {to=\"i32\"}"},
    {"u", 'f', "cast %0 {to=\"f32\"}"},
    {"uf", 'f', "mask %0, %1"},
    {"ui", 'i', "mask %0, %1"},
    {"uu", 'u', "mask %0, %1"},
};
enum { N_EXPRESSIONS = sizeof expressions / sizeof *expressions };

static enum ir_dtype dtype_of(char letter)
{
    return letter == 'f' ? IR_F32 : letter == 'i' ? IR_I32 : IR_U8;
}

/* "%2 = constant ..., %3 = ...": operations between the inputs and the last one. */
static const char *graph_text(const struct expression *e, const char *between, unsigned last)
{
    static char text[MOST_TEXT];
    size_t n = (size_t)snprintf(text, sizeof text, "graph \"one\" crossbar {\n");
    for (unsigned i = 0; e->operands[i]; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "%%%u = input {index=%u, dtype=\"%s\", shape=[3,8], extent=[1,3,8], "
                              "strides=[0,8,1]} @\"x%u\"\n",
                              i, i, ir_dtype_name(dtype_of(e->operands[i])), i);
    snprintf(
        text + n, sizeof text - n,
        "%s%%%u = %s @\"v\"\noutput %%%u {index=0, dtype=\"%s\", shape=[3,8], strides=[0,8,1]} "
        "@\"y\"\n}\n",
        between, last, e->text, last, ir_dtype_name(dtype_of(e->gives)));
    return text;
}

struct compiled {
    struct arena *arena;
    struct diag *diag;
    struct arch arch;
    struct ir_graph *graph;
    struct isa_program *program;
};

static struct compiled compile(const char *text)
{
    struct compiled c = {.arena = arena_new(), .diag = diag_new()};
    ck_assert(arch_load("clsa", c.arena, c.diag, &c.arch));
    c.graph = ir_parse(text, strlen(text), "test.ir", c.diag);
    if (c.graph) {
        struct backend_options o = {.set = {.rows = 1}, .pes = 100};
        struct backend_result result;
        ir_number(c.graph);
        c.program = backend_compile(c.graph, &c.arch, &o, &result, c.diag);
    }
    if (!c.program)
        diag_print(c.diag, stderr);
    ck_assert_msg(c.program != NULL, "%s", text);
    return c;
}

static void release(struct compiled *c)
{
    isa_program_free(c->program);
    ir_graph_free(c->graph);
    diag_free(c->diag);
    arena_free(c->arena);
}

/* Special values, then a mixture of signs and sizes; operand `k` in an order of its own. */
static void fill(struct tensor *t, unsigned k)
{
    static const float floats[N] = {0,     -0.0f, NAN,   INFINITY,  -INFINITY, 1,     -1,  0.5f,
                                    2.5f,  -2.5f, 0.3f,  -0.7f,     1e10f,     -3e9f, 255, 256,
                                    -1.5f, 7,     10000, 0x1p-149f, 88.9f,     -104,  3,   -12.25f};
    static const int32_t integers[N] = {0,   1,     -1,  INT32_MIN, INT32_MAX, 7,  -7, 3,
                                        -3,  255,   256, 257,       -256,      12, 5,  -5,
                                        100, 65537, 2,   -2,        1 << 24,   9,  4,  0};
    for (unsigned i = 0; i < N; i++) {
        unsigned from = (i * (2 * k + 1) + 3 * k) % N;
        if (t->type.dtype == IR_F32)
            ((float *)t->data)[i] = floats[from];
        else if (t->type.dtype == IR_I32)
            ((int32_t *)t->data)[i] = integers[from];
        else
            ((uint8_t *)t->data)[i] = (uint8_t)integers[from];
    }
}

static bool same(const struct tensor *want, const void *got, unsigned i)
{
    size_t size = ir_dtype_bytes((enum ir_dtype)want->type.dtype);
    const char *a = (const char *)want->data + i * size, *b = (const char *)got + i * size;
    if (want->type.dtype == IR_F32 && isnan(((const float *)want->data)[i]))
        return isnan(((const float *)got)[i]);
    return memcmp(a, b, size) == 0;
}

/* The simulator computes what the evaluator does. */
static void run(struct compiled *c, const char *operands)
{
    struct tensor in[MOST_INPUTS], want = {0};
    const void *inputs[MOST_INPUTS];
    unsigned n = (unsigned)strlen(operands);
    int32_t got[N];
    void *outputs[1] = {got};
    for (unsigned k = 0; k < n; k++) {
        struct ir_type type = ir_type_of(dtype_of(operands[k]), 2, (const int64_t[]){3, 8});
        in[k] = tensor_new(&type);
        fill(&in[k], k);
        inputs[k] = in[k].data;
    }
    struct sim_options o = {0};
    struct sim_result r;
    bool ok = eval_graph(c->graph, in, n, &want, 1, NULL, c->diag) &&
              sim_run(c->program, inputs, outputs, &o, &r, c->diag);
    diag_print(c->diag, stderr);
    ck_assert(ok);
    for (unsigned i = 0; i < N; i++)
        ck_assert_msg(same(&want, got, i), "element %u", i);
    tensor_free(&want);
    for (unsigned k = 0; k < n; k++)
        tensor_free(&in[k]);
}

static bool accepted(struct compiled *c)
{
    return isa_validate(c->program, c->diag) && backend_check(c->program, c->graph, c->diag);
}

START_TEST(operations_on_values)
{
    const struct expression *e = &expressions[_i];
    struct compiled c = compile(graph_text(e, "", (unsigned)strlen(e->operands)));
    bool ok = accepted(&c);
    diag_print(c.diag, stderr);
    ck_assert_msg(ok, "%s", e->text);
    run(&c, e->operands);
    release(&c);
}
END_TEST

/* Operands that are one number, or one a channel, on either side; where(x < y, x, k * x). */
static const struct {
    struct expression of;
    const char *between;
    unsigned last;
} composed[] = {
    {{"f", 'u', "less %0, %1"},
     "%1 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(0.5)}\n",
     2},
    {{"f", 'u', "greater %1, %0"}, "%1 = constant {dtype=\"f32\", shape=[1,1,8], data=iota}\n", 2},
    {{"i", 'i', "mod %1, %0"}, "%1 = constant {dtype=\"i32\", shape=[1,1,8], data=iota}\n", 2},
    {{"f", 'f', "pow %0, %1"}, "%1 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(3)}\n", 2},
    {{"u", 'i', "mask %0, %1"}, "%1 = constant {dtype=\"i32\", shape=[1,1,8], data=iota}\n", 2},
    {{"ff", 'f', "merge %7, %8"},
     "%2 = less %0, %1\n%3 = constant {dtype=\"u8\", shape=[1,1,1], data=splat(0)}\n"
     "%4 = equal %2, %3\n%5 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(0.1)}\n"
     "%6 = mul %0, %5\n%7 = mask %2, %0\n%8 = mask %4, %6\n",
     9},
};

START_TEST(composed_operations)
{
    struct compiled c =
        compile(graph_text(&composed[_i].of, composed[_i].between, composed[_i].last));
    bool ok = accepted(&c);
    diag_print(c.diag, stderr);
    ck_assert(ok);
    run(&c, composed[_i].of.operands);
    release(&c);
}
END_TEST

/* ---- programs with several readers of a value ---- */

#define HALF "%1 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(0.5)}\n"
#define SQUARE(n, x) "%" #n " = mul %" #x ", %" #x "\n"
/* Each becomes one program of these many lanes that reads the inputs alone. */
static const struct {
    struct expression of;
    const char *between;
    unsigned last, n_lanes;
} shared[] = {
    /* where(x > .5, x, .5 * x) */
    {{"f", 'f', "merge %6, %7"},
     HALF "%2 = greater %0, %1\n%3 = constant {dtype=\"u8\", shape=[1,1,1], data=splat(0)}\n"
          "%4 = equal %2, %3\n%5 = mul %0, %1\n%6 = mask %2, %0\n%7 = mask %4, %5\n",
     8,
     6},
    {{"f", 'f', "mul %0, %1"}, "%1 = sigmoid %0\n", 2, 2},
    /* a value of two readers, each of which reads another input as well */
    {{"ff", 'f', "mul %3, %4"}, "%2 = sub %0, %1\n%3 = add %2, %0\n%4 = sub %2, %1\n", 5, 4},
    /* by halves of the bits of 2^15, which a walk over all paths would not end */
    {{"f", 'f', "mul %15, %15"},
     HALF SQUARE(2, 0) SQUARE(3, 2) SQUARE(4, 3) SQUARE(5, 4) SQUARE(6, 5) SQUARE(7, 6) SQUARE(8, 7)
         SQUARE(9, 8) SQUARE(10, 9) SQUARE(11, 10) SQUARE(12, 11) SQUARE(13, 12) SQUARE(14, 13)
             SQUARE(15, 14),
     16,
     15},
    /* an u8 between is bounded by lanes: mul, f2i, imax, imin, i2f, i2f, mul */
    {{"f", 'f', "mul %3, %4"},
     HALF "%2 = quantize %0, %1 {dtype=\"u8\", hi=255}\n%3 = cast %2 {to=\"f32\"}\n"
          "%4 = tanh %3\n",
     5,
     7},
};

/* The vector programs of all tiles. */
static unsigned n_programs(const struct isa_program *p, const struct isa_program_entry **last)
{
    unsigned n = 0;
    for (uint32_t t = 0; t < p->n_tiles; t++)
        for (uint32_t i = 0; i < p->tiles[t].n_programs; i++, n++)
            *last = &p->tiles[t].programs[i];
    return n;
}

START_TEST(shared_values_are_lanes)
{
    struct compiled c = compile(graph_text(&shared[_i].of, shared[_i].between, shared[_i].last));
    const struct isa_program_entry *program = NULL;
    bool ok = accepted(&c);
    diag_print(c.diag, stderr);
    ck_assert(ok);
    ck_assert_uint_eq(n_programs(c.program, &program), 1);
    ck_assert_uint_eq(program->n_ops, shared[_i].n_lanes);
    run(&c, shared[_i].of.operands);
    release(&c);
}
END_TEST

/* Sums of a base layer, times their own sigmoid: an epilogue. What the graph gives as well is
 * stored. */
static const char *const layers[] = {
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]} @\"m\"\n"
    "%3 = sigmoid %2\n%4 = mul %2, %3 @\"v\"\n",
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]} @\"m\"\n"
    "%3 = sigmoid %2 @\"s\"\n%4 = mul %2, %3 @\"v\"\n"
    "output %3 {index=1, dtype=\"f32\", shape=[3,8], strides=[0,8,1]} @\"z\"\n"};

START_TEST(an_epilogue_reads_sums_twice)
{
    char text[MOST_TEXT];
    snprintf(text, sizeof text,
             "graph \"one\" crossbar {\n"
             "%%0 = input {index=0, dtype=\"f32\", shape=[3,8], extent=[1,3,8], strides=[0,8,1]} "
             "@\"x\"\n%%1 = constant {dtype=\"f32\", shape=[8,8], data=iota} @\"w\"\n%s"
             "output %%4 {index=0, dtype=\"f32\", shape=[3,8], strides=[0,8,1]} @\"y\"\n}\n",
             layers[_i]);
    struct compiled c = compile(text);
    const struct isa_program_entry *program = NULL;
    ck_assert(accepted(&c));
    ck_assert_int_eq(n_programs(c.program, &program) == 1, _i == 0);
    release(&c);
}
END_TEST

/* ---- wrong programs ---- */

static const struct {
    struct expression of;
    enum isa_lane_op lane, wrong; /* the same: operands swapped, or another immediate */
} wrong[] = {
    {{"ff", 'u', "less %0, %1"}, LANE_FLT, LANE_FLT},
    {{"ff", 'u', "greater %0, %1"}, LANE_FLT, LANE_FLT},
    {{"ii", 'u', "less %0, %1"}, LANE_ILT, LANE_IEQ},
    {{"f", 'f', "sin %0"}, LANE_SIN, LANE_COS},
    {{"f", 'f', "round %0"}, LANE_RINT, LANE_TRUNC},
    {{"f", 'i', "cast %0 {to=\"i32\"}"}, LANE_TRUNC, LANE_FLOOR},
    {{"i", 'u', "cast %0 {to=\"u8\"}"}, LANE_IAND, LANE_IAND},
    {{"ui", 'i', "mask %0, %1"}, LANE_MASK, LANE_IAND},
    {{"ff", 'f', "pow %0, %1"}, LANE_POW, LANE_POW},
};

START_TEST(a_wrong_lane_is_rejected)
{
    const struct expression *e = &wrong[_i].of;
    struct compiled c = compile(graph_text(e, "", (unsigned)strlen(e->operands)));
    unsigned found = 0;
    for (uint32_t t = 0; t < c.program->n_tiles; t++)
        for (uint32_t p = 0; p < c.program->tiles[t].n_programs; p++)
            for (uint32_t k = 0; k < c.program->tiles[t].programs[p].n_ops; k++) {
                struct isa_lane *l = &c.program->tiles[t].programs[p].ops[k];
                if (l->op != wrong[_i].lane)
                    continue;
                uint8_t x = l->x;
                l->imm = l->y == LANE_IMM ? l->imm / 2 : l->imm;
                if (l->op == wrong[_i].wrong && l->y != LANE_IMM)
                    l->x = l->y, l->y = x;
                l->op = (uint8_t)wrong[_i].wrong;
                found++;
            }
    ck_assert_uint_gt(found, 0);
    ck_assert(!accepted(&c));
    release(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("elementwise");
    TCase *t = tcase_create("elementwise");
    tcase_add_loop_test(t, operations_on_values, 0, N_EXPRESSIONS);
    tcase_add_loop_test(t, composed_operations, 0, sizeof composed / sizeof *composed);
    tcase_add_loop_test(t, shared_values_are_lanes, 0, sizeof shared / sizeof *shared);
    tcase_add_loop_test(t, an_epilogue_reads_sums_twice, 0, 2);
    tcase_add_loop_test(t, a_wrong_lane_is_rejected, 0, sizeof wrong / sizeof *wrong);
    suite_add_tcase(s, t);
    return run_suite(s);
}
