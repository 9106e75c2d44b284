/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gen_typed.c - random TENSOR graphs of all types that values have at run time, of operations whose
 * every result is exact: what compares, chooses, rounds, casts, counts and moves. So each pass and
 * the simulator must compute the same bits.
 *
 * No value is a NaN or infinite: floats are bounded, and nothing is divided by what is near 0.
 */
#include "gen.h"

#include <math.h>
#include <string.h>

typedef struct ir_value *maker(struct gen *r, struct ir_value *x);

enum { MOST_ELEMENTS = 400 };
static const int64_t ones[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};

static struct ir_value *cast(struct gen *r, struct ir_value *x, enum ir_dtype to)
{
    union ir_attrs attrs = {.cast = {.to = to}};
    return x->type.dtype == to ? x : gen_op(r, IR_cast, &attrs, &x, 1);
}

/* A constant of x's type, of its shape or of one that broadcasts. */
static struct ir_value *constant(struct gen *r, const struct ir_value *x)
{
    int64_t dims[IR_MAX_RANK];
    enum ir_dtype dtype = (enum ir_dtype)x->type.dtype;
    uint32_t rank = (uint32_t)gen_range(r, 0, x->type.rank);
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = gen_chance(r, 60) ? 1 : x->type.dim[x->type.rank - rank + i];
    float most = dtype == IR_F32 ? 4 : dtype == IR_BOOL ? 1.5f : 100;
    float least = dtype == IR_U8 || dtype == IR_BOOL ? 0 : -most;
    return cast(r, gen_constant(r, rank, dims, least, most), dtype);
}

/* Between -8 and 8; integers as they are. */
static struct ir_value *bounded(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs = {.clip = {.lo = -8, .hi = 8}};
    return x->type.dtype == IR_F32 ? gen_op(r, IR_clip, &attrs, &x, 1) : x;
}

/* A float that may be divided by. */
static struct ir_value *positive(struct gen *r, struct ir_value *x)
{
    if (x->type.dtype != IR_F32)
        return x;
    return gen_binary(r, IR_add, gen_unary(r, IR_abs, x),
                      gen_constant(r, x->type.rank, ones, 0.5f, 0.5f));
}

/* A part of a value that broadcasts to it. */
static struct ir_value *part(struct gen *r, struct ir_value *x)
{
    int64_t start[IR_MAX_RANK], step[IR_MAX_RANK], count[IR_MAX_RANK];
    uint32_t rank = x->type.rank;
    for (uint32_t i = 0; i < rank; i++) {
        bool one = gen_chance(r, 50);
        start[i] = one ? gen_range(r, 0, x->type.dim[i] - 1) : 0;
        count[i] = one ? 1 : x->type.dim[i];
        step[i] = 1;
    }
    union ir_attrs attrs = {
        .slice = {.start = {rank, start}, .step = {rank, step}, .count = {rank, count}}};
    return gen_op(r, IR_slice, &attrs, &x, 1);
}

/* Something to compute with x: another value, a part of one, a constant; of x's type. */
static struct ir_value *partner(struct gen *r, struct ir_value *x)
{
    if (gen_chance(r, 30))
        return constant(r, x);
    struct ir_value *y = gen_pick(r);
    bool same =
        y->type.rank == x->type.rank && memcmp(y->type.dim, x->type.dim, sizeof x->type.dim) == 0;
    if (!same)
        y = x;
    return cast(r, gen_chance(r, 40) ? part(r, y) : y, (enum ir_dtype)x->type.dtype);
}

/* ---- elementwise ---- */

static struct ir_value *make_arithmetic(struct gen *r, struct ir_value *x)
{
    if (x->type.dtype == IR_BOOL)
        return NULL;
    struct ir_value *y = partner(r, x), *in[2] = {x, y};
    switch (gen_range(r, 0, 6)) {
    case 0: return bounded(r, gen_binary(r, IR_add, x, y));
    case 1: return bounded(r, gen_op(r, IR_sub, NULL, (struct ir_value *[]){y, x}, 2));
    case 2: return bounded(r, gen_binary(r, IR_mul, x, y));
    case 3: return bounded(r, gen_binary(r, IR_div, x, positive(r, y)));
    case 4: return gen_binary(r, IR_mod, x, positive(r, y));
    case 5: return gen_op(r, IR_min, NULL, in, 2);
    default: return gen_op(r, IR_max, NULL, in, 2);
    }
}

static struct ir_value *make_rounding(struct gen *r, struct ir_value *x)
{
    static const enum ir_opcode opcodes[] = {IR_floor, IR_ceil, IR_round};
    return x->type.dtype == IR_F32 ? gen_unary(r, opcodes[gen_range(r, 0, 2)], x) : NULL;
}

static struct ir_value *make_sign(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs = {.clip = {.lo = -3, .hi = 5}};
    bool is_signed = x->type.dtype != IR_U8;
    if (x->type.dtype == IR_BOOL)
        return NULL;
    switch (gen_range(r, 0, is_signed ? 3 : 1)) {
    case 0: return gen_unary(r, IR_relu, x);
    case 1: return gen_op(r, IR_clip, &attrs, &x, 1);
    case 2: return gen_unary(r, IR_neg, x);
    default: return gen_unary(r, IR_abs, x);
    }
}

static struct ir_value *make_comparison(struct gen *r, struct ir_value *x)
{
    static const enum ir_opcode opcodes[] = {IR_equal, IR_less, IR_greater};
    int64_t kind = x->type.dtype == IR_BOOL ? 0 : gen_range(r, 0, 2);
    struct ir_value *y = partner(r, x);
    return gen_chance(r, 50) ? gen_binary(r, opcodes[kind], x, y)
                             : gen_binary(r, opcodes[kind], y, x);
}

static struct ir_value *make_logic(struct gen *r, struct ir_value *x)
{
    struct ir_value *a = cast(r, x, IR_BOOL), *b = cast(r, partner(r, x), IR_BOOL);
    return gen_binary(r, gen_chance(r, 50) ? IR_min : IR_max, a, b);
}

static struct ir_value *make_choice(struct gen *r, struct ir_value *x)
{
    struct ir_value *y = partner(r, x);
    struct ir_value *in[3] = {cast(r, partner(r, x), IR_BOOL), x, y};
    if (gen_chance(r, 50)) {
        in[1] = y;
        in[2] = x;
    }
    if (gen_chance(r, 20))
        in[1] = constant(r, in[2]);
    return gen_op(r, IR_where, NULL, in, 3);
}

static struct ir_value *make_cast(struct gen *r, struct ir_value *x)
{
    static const enum ir_dtype to[] = {IR_F32, IR_I32, IR_U8, IR_I8, IR_BOOL};
    return bounded(r, cast(r, x, to[gen_range(r, 0, 4)]));
}

/* ---- moves ---- */

static struct ir_value *make_transpose(struct gen *r, struct ir_value *x)
{
    int64_t perm[IR_MAX_RANK];
    gen_permutation(r, perm, x->type.rank);
    union ir_attrs attrs = {.transpose = {.perm = {x->type.rank, perm}}};
    return gen_op(r, IR_transpose, &attrs, &x, 1);
}

static struct ir_value *make_reshape(struct gen *r, struct ir_value *x)
{
    int64_t n = ir_count(&x->type), dim[4];
    uint32_t rank = (uint32_t)gen_range(r, 1, 4);
    for (uint32_t i = 0; i + 1 < rank; i++) {
        dim[i] = gen_range(r, 1, 4);
        while (n % dim[i])
            dim[i]--;
        n /= dim[i];
    }
    dim[rank - 1] = n;
    union ir_attrs attrs = {.reshape = {.shape = {rank, dim}}};
    return gen_op(r, IR_reshape, &attrs, &x, 1);
}

static struct ir_value *make_part(struct gen *r, struct ir_value *x)
{
    return part(r, x);
}

static struct ir_value *make_pad(struct gen *r, struct ir_value *x)
{
    int64_t before[IR_MAX_RANK] = {0}, after[IR_MAX_RANK] = {0};
    uint32_t rank = x->type.rank;
    if (rank == 0)
        return NULL;
    before[gen_range(r, 0, rank - 1)] = 1;
    after[gen_range(r, 0, rank - 1)] = gen_range(r, 0, 2);
    union ir_attrs attrs = {
        .pad = {.before = {rank, before}, .after = {rank, after}, .value = gen_chance(r, 50)}};
    return gen_op(r, IR_pad, &attrs, &x, 1);
}

static struct ir_value *make_concat(struct gen *r, struct ir_value *x)
{
    if (x->type.rank == 0)
        return NULL;
    struct ir_value *y = gen_pick_like(r, &x->type, x), *in[2] = {y ? y : x, x};
    union ir_attrs attrs = {.concat = {.axis = gen_range(r, 0, x->type.rank - 1)}};
    return gen_op(r, IR_concat, &attrs, in, 2);
}

/* ---- graphs ---- */

static const struct {
    maker *make;
    unsigned weight;
} makers[] = {{make_arithmetic, 10}, {make_rounding, 4}, {make_sign, 4}, {make_comparison, 8},
              {make_logic, 5},       {make_choice, 10},  {make_cast, 8}, {make_transpose, 5},
              {make_reshape, 3},     {make_part, 3},     {make_pad, 2},  {make_concat, 3}};

static void step(struct gen *r)
{
    unsigned total = 0, i = 0;
    for (size_t k = 0; k < sizeof makers / sizeof *makers; k++)
        total += makers[k].weight;
    int64_t at = gen_range(r, 0, (int64_t)total - 1);
    while (at >= (int64_t)makers[i].weight)
        at -= makers[i++].weight;
    struct ir_value *v = makers[i].make(r, gen_pick(r));
    if (v && ir_count(&v->type) <= MOST_ELEMENTS)
        gen_keep(r, v);
}

/* What stands outside for a value of that type. */
static enum ir_dtype outside(struct gen *r, enum ir_dtype dtype)
{
    bool other = gen_chance(r, 50);
    return other && dtype == IR_I32 ? IR_I64 : other && dtype == IR_F32 ? IR_F16 : dtype;
}

static void add_inputs(struct gen *r)
{
    static const enum ir_dtype types[] = {IR_F32, IR_F32, IR_I32, IR_U8, IR_I8, IR_BOOL};
    static const int64_t shapes[][4] = {{1, 3, 4, 5}, {2, 3, 4, 2}, {1, 6, 9, 1}, {5, 1, 2, 7}};
    const int64_t *shape = shapes[gen_range(r, 0, 3)];
    uint32_t rank = (uint32_t)gen_range(r, 2, 4);
    for (int64_t i = 0; i < 3; i++) {
        union ir_attrs attrs = {.input = {.index = i,
                                          .dtype = outside(r, types[gen_range(r, 0, 5)]),
                                          .shape = {rank, shape}}};
        gen_keep(r, gen_op(r, IR_input, &attrs, NULL, 0));
    }
}

static void add_output(struct gen *r, int64_t index, struct ir_value *x)
{
    union ir_attrs attrs = {.output = {.index = index,
                                       .dtype = outside(r, (enum ir_dtype)x->type.dtype),
                                       .shape = {x->type.rank, x->type.dim}}};
    gen_op(r, IR_output, &attrs, &x, 1);
}

struct ir_graph *gen_typed(uint64_t seed)
{
    struct gen r;
    gen_start(&r, seed, IR_TENSOR);
    add_inputs(&r);
    for (int64_t i = gen_range(&r, 3, 12); i > 0; i--)
        step(&r);
    for (int64_t k = 0; k < 3; k++)
        add_output(&r, k, r.values.at[r.values.n - 1 - (size_t)k]);
    return gen_finish(&r);
}
