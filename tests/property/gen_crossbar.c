/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gen_crossbar.c - random CROSSBAR graphs.
 *
 * Each step picks a value and makes a new one from it; makers return NULL where their operation
 * does not fit the value. Left as they are: slices and copies of mvm, which pass tile and the tests
 * set.
 */
#include "gen.h"

#include <math.h>
#include <string.h>

typedef struct ir_value *maker(struct gen *r, struct ir_value *x);

static bool fits(const struct gen *r, int64_t h, int64_t w, int64_t c)
{
    return h > 0 && w > 0 && c > 0 && h * w * c <= r->max_elements;
}

/* ---- base layers ---- */

static struct ir_value *constant_pad(struct gen *r, struct ir_value *x)
{
    int64_t before[3] = {0}, after[3] = {0};
    for (int a = 0; a < 2; a++) {
        before[a] = gen_range(r, 0, 2);
        after[a] = gen_range(r, 0, 2);
    }
    union ir_attrs attrs = {.pad = {.before = {3, before},
                                    .after = {3, after},
                                    .mode = IR_PAD_CONSTANT,
                                    .value = gen_chance(r, 20) ? 0.5f : 0.0f}};
    struct ir_value *y = gen_op(r, IR_pad, &attrs, &x, 1);
    if (gen_chance(r, 15))
        gen_keep(r, y); /* others than the mvm may read it */
    return y;
}

static struct ir_value *epilogue(struct gen *r, struct ir_value *y)
{
    int64_t c = y->type.dim[2];
    if (gen_chance(r, 70))
        y = gen_binary(r, IR_add, y, gen_constant(r, 3, (int64_t[]){1, 1, c}, -0.5f, 0.5f));
    if (gen_chance(r, 15))
        y = gen_binary(r, IR_mul, gen_constant(r, 3, (int64_t[]){1, 1, 1}, 0.5f, 1.5f), y);
    if (gen_chance(r, 60))
        y = gen_elementwise(r, y);
    return y;
}

static struct ir_value *make_conv(struct gen *r, struct ir_value *x)
{
    if (gen_chance(r, 60))
        x = constant_pad(r, x);
    const int64_t *d = x->type.dim;
    union ir_attrs attrs = {0};
    struct ir_attrs_mvm *m = &attrs.mvm;
    bool dense = gen_chance(r, 12);
    for (int a = 0; a < 2; a++) {
        m->kernel[a] = dense ? d[a] : gen_range(r, 1, min_i64(d[a], 4));
        m->dilation[a] = (m->kernel[a] - 1) * 2 < d[a] && gen_chance(r, 15) ? 2 : 1;
        m->stride[a] = GEN_CHOICE(r, 1, 1, 1, 2, 3);
    }
    m->group = gen_groups(r, d[2]);
    int64_t k = m->kernel[0] * m->kernel[1] * d[2] / m->group;
    int64_t n = m->group > 1 ? m->group * GEN_CHOICE(r, 1, 1, 2, 3, 7)
                             : GEN_CHOICE(r, 1, 3, 4, 6, 9, 11, 20, 33);
    if (k * n > 6000 || !fits(r, d[0] / m->stride[0] + 1, d[1] / m->stride[1] + 1, n))
        return NULL;
    float scale = 1.7f / sqrtf((float)k);
    struct ir_value *w = gen_constant(r, 2, (int64_t[]){k, n}, -scale, scale);
    struct ir_value *y = gen_op(r, IR_mvm, &attrs, (struct ir_value *[]){x, w}, 2);
    return epilogue(r, y);
}

/* Runs another value through the crossbars of a layer that is there already. */
static struct ir_value *make_shared(struct gen *r, struct ir_value *x)
{
    for (struct ir_op *op = r->g->last; op; op = op->prev) {
        if (op->opcode != IR_mvm || op->in[0].value->type.dim[2] != x->type.dim[2])
            continue;
        struct ir_attrs_mvm *m = &op->attrs->mvm;
        for (int a = 0; a < 2; a++)
            if ((m->kernel[a] - 1) * m->dilation[a] + 1 > x->type.dim[a])
                return NULL;
        if (!fits(r, x->type.dim[0], x->type.dim[1], op->out->type.dim[2]))
            return NULL;
        if (!m->weights)
            m->weights = ++r->n_weights;
        return epilogue(r,
                        gen_op(r, IR_mvm, op->attrs, (struct ir_value *[]){x, op->in[1].value}, 2));
    }
    return NULL;
}

/* ---- elementwise ---- */

static struct ir_value *make_join(struct gen *r, struct ir_value *x)
{
    struct ir_value *y = gen_pick_like(r, &x->type, gen_chance(r, 20) ? NULL : x);
    if (!y && gen_chance(r, 50))
        y = gen_constant(r, 3, x->type.dim, -1, 1);
    if (!y)
        y = gen_elementwise(r, x);
    return gen_chance(r, 50) ? gen_join(r, x, y) : gen_join(r, y, x);
}

/* The smaller of two values by what a `where` is lowered to. */
static struct ir_value *make_choice(struct gen *r, struct ir_value *x)
{
    struct ir_value *y = gen_pick_like(r, &x->type, x), *zero;
    if (!y)
        y = gen_constant(r, 3, (int64_t[]){1, 1, x->type.dim[2]}, -1, 1);
    zero = ir_const_new(r->g, NULL, ir_type_of(IR_U8, 3, (int64_t[]){1, 1, 1}),
                        blob_splat(&(uint8_t){0}, 1), NULL, (struct loc){0})
               ->out;
    struct ir_value *c = gen_binary(r, IR_less, x, y);
    struct ir_value *a = gen_binary(r, IR_mask, c, x);
    struct ir_value *b = gen_binary(r, IR_mask, gen_binary(r, IR_equal, c, zero), y);
    return gen_binary(r, IR_merge, a, b);
}

static struct ir_value *slice_of(struct gen *r, struct ir_value *x, const int64_t count[3])
{
    int64_t start[3], step[3] = {1, 1, 1};
    for (int a = 0; a < 3; a++)
        start[a] = gen_range(r, 0, x->type.dim[a] - count[a]);
    union ir_attrs attrs = {.slice = {.start = {3, start}, .step = {3, step}, .count = {3, count}}};
    return gen_op(r, IR_slice, &attrs, &x, 1);
}

/* With an operand that has extent 1 along some axes: a constant, a slice, or a mean. */
static struct ir_value *make_broadcast(struct gen *r, struct ir_value *x)
{
    int64_t dims[3];
    for (int a = 0; a < 3; a++)
        dims[a] = gen_chance(r, 50) ? 1 : x->type.dim[a];
    struct ir_value *y;
    switch (gen_range(r, 0, 4)) {
    case 0: y = slice_of(r, gen_chance(r, 50) ? x : gen_elementwise(r, x), dims); break;
    case 1: y = gen_unary(r, IR_global_avg_pool, x); break;
    case 2: y = gen_reduce(r, x); break;
    default: y = gen_constant(r, 3, dims, 0.25f, 1.5f);
    }
    if (!y)
        return NULL;
    return gen_chance(r, 60) ? gen_join(r, x, y) : gen_join(r, y, x);
}

/* ---- windows and reductions ---- */

static struct ir_value *make_pool(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs;
    bool average = gen_chance(r, 50);
    if (!gen_pool_attrs(r, x->type.dim[0], x->type.dim[1], average, &attrs))
        return NULL;
    return gen_op(r, average ? IR_avg_pool : IR_max_pool, &attrs, &x, 1);
}

static struct ir_value *make_mean(struct gen *r, struct ir_value *x)
{
    return gen_unary(r, IR_global_avg_pool, x);
}

/* Of a product that makes the taps' channels, or of whatever has a multiple of them. */
static struct ir_value *make_overlap(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs;
    int64_t kernel[2] = {gen_range(r, 1, 3), gen_range(r, 1, 3)}, taps = kernel[0] * kernel[1];
    if (!gen_overlap_attrs(r, x->type.dim[0], x->type.dim[1], kernel, &attrs))
        return NULL;
    int64_t k = x->type.dim[2], n = taps * gen_range(r, 1, 4);
    bool product = k % taps || gen_chance(r, 50);
    if (product && (k * n > 6000 || !fits(r, x->type.dim[0], x->type.dim[1], n)))
        return NULL;
    const int64_t *s = attrs.overlap_add.stride;
    if (!fits(r, x->type.dim[0] * s[0] + 8, x->type.dim[1] * s[1] + 8, (product ? n : k) / taps))
        return NULL;
    if (product) {
        union ir_attrs one = {
            .mvm = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1}};
        float scale = 1.7f / sqrtf((float)k);
        struct ir_value *w = gen_constant(r, 2, (int64_t[]){k, n}, -scale, scale);
        x = gen_op(r, IR_mvm, &one, (struct ir_value *[]){x, w}, 2);
    }
    struct ir_value *y = gen_op(r, IR_overlap_add, &attrs, &x, 1);
    return gen_chance(r, 50) ? epilogue(r, y) : y;
}

static struct ir_value *reduce_along(struct gen *r, enum ir_reduce_kind kind, int64_t axis,
                                     struct ir_value *x)
{
    union ir_attrs attrs = {.reduce = {.kind = kind, .axes = {1, &axis}}};
    return gen_op(r, IR_reduce, &attrs, &x, 1);
}

/* What a softmax is lowered to. */
static struct ir_value *make_softmax(struct gen *r, struct ir_value *x)
{
    int64_t axis = gen_range(r, 0, 2);
    struct ir_value *most = reduce_along(r, IR_REDUCE_MAX, axis, x);
    x = gen_op(r, IR_sub, NULL, (struct ir_value *[]){x, most}, 2);
    x = gen_op(r, IR_exp, NULL, &x, 1);
    struct ir_value *sum = reduce_along(r, IR_REDUCE_SUM, axis, x);
    return gen_op(r, IR_div, NULL, (struct ir_value *[]){x, sum}, 2);
}

/* ---- products of two values ---- */

/* A matrix for each row, or one: of a value that is there, or a constant. */
static struct ir_value *pick_matrix(struct gen *r, const struct ir_value *x, bool kn)
{
    for (size_t i = r->values.n; i-- > 0 && gen_chance(r, 85);) {
        struct ir_value *y = r->values.at[i];
        if (y->type.dim[kn ? 1 : 2] == x->type.dim[2] &&
            (y->type.dim[0] == x->type.dim[0] || y->type.dim[0] == 1))
            return y;
    }
    int64_t n = GEN_CHOICE(r, 1, 2, 5, 33), k = x->type.dim[2];
    int64_t dim[3] = {gen_chance(r, 50) ? 1 : x->type.dim[0], kn ? k : n, kn ? n : k};
    return gen_constant(r, 3, dim, -1, 1);
}

static struct ir_value *make_dot(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs = {.dot = {.kn = gen_chance(r, 50)}};
    struct ir_value *b = pick_matrix(r, x, attrs.dot.kn);
    if (!fits(r, x->type.dim[0], x->type.dim[1], b->type.dim[1 + attrs.dot.kn]))
        return NULL;
    struct ir_value *y = gen_op(r, IR_dot, &attrs, (struct ir_value *[]){x, b}, 2);
    float mean = 1.0f / (float)x->type.dim[2];
    return gen_binary(r, IR_mul, y, gen_constant(r, 3, (int64_t[]){1, 1, 1}, mean, mean));
}

/* ---- moving ---- */

static struct ir_value *make_concat(struct gen *r, struct ir_value *x)
{
    int64_t axis = gen_range(r, 0, 2), total = x->type.dim[axis];
    struct ir_value *in[4] = {x};
    uint32_t n = 1, want = (uint32_t)gen_range(r, 1, 4);
    for (size_t i = 0; i < r->values.n && n < want; i++) {
        struct ir_value *y = r->values.at[r->values.n - 1 - i];
        struct ir_type t = y->type;
        t.dim[axis] = x->type.dim[axis];
        if (!ir_type_equal(&t, &x->type) || gen_chance(r, 30))
            continue;
        total += y->type.dim[axis];
        in[n++] = y;
    }
    if (ir_count(&x->type) / x->type.dim[axis] * total > r->max_elements)
        return NULL;
    if (gen_chance(r, 50)) {
        in[0] = in[n - 1];
        in[n - 1] = x;
    }
    union ir_attrs attrs = {.concat = {.axis = axis}};
    return gen_op(r, IR_concat, &attrs, in, n);
}

static struct ir_value *make_slice(struct gen *r, struct ir_value *x)
{
    int64_t count[3];
    for (int a = 0; a < 3; a++)
        count[a] = gen_chance(r, 50) ? x->type.dim[a] : gen_range(r, 1, x->type.dim[a]);
    return slice_of(r, x, count);
}

static struct ir_value *make_gather(struct gen *r, struct ir_value *x)
{
    int64_t count[3], index[3 * 64], n = 0;
    bool holes = gen_chance(r, 30);
    for (int a = 0; a < 3; a++) {
        int64_t e = x->type.dim[a];
        count[a] = min_i64(GEN_CHOICE(r, e, e, 2 * e, e + 1, (e + 1) / 2), 64);
    }
    if (!fits(r, count[0], count[1], count[2]))
        return NULL;
    for (int a = 0; a < 3; a++) {
        gen_index(r, x->type.dim[a], count[a], holes, index + n);
        n += count[a];
    }
    union ir_attrs attrs = {
        .gather_grid = {.count = {3, count}, .index = {(uint32_t)n, index}, .value = 0.25f}};
    return gen_op(r, IR_gather_grid, &attrs, &x, 1);
}

static struct ir_value *make_pad(struct gen *r, struct ir_value *x)
{
    enum ir_pad_mode mode = (enum ir_pad_mode)gen_range(r, 0, IR_N_PAD_MODES - 1);
    int64_t before[3], after[3], dim[3];
    for (int a = 0; a < 3; a++) {
        int64_t e = x->type.dim[a], most = mode == IR_PAD_REFLECT ? min_i64(2, e - 1) : 2;
        bool pads = gen_chance(r, a < 2 ? 70 : 25);
        before[a] = pads ? gen_range(r, 0, most) : 0;
        after[a] = pads ? gen_range(r, 0, most) : 0;
        dim[a] = e + before[a] + after[a];
    }
    if (!fits(r, dim[0], dim[1], dim[2]))
        return NULL;
    union ir_attrs attrs = {
        .pad = {.before = {3, before}, .after = {3, after}, .mode = mode, .value = -0.25f}};
    return gen_op(r, IR_pad, &attrs, &x, 1);
}

static struct ir_value *make_transpose(struct gen *r, struct ir_value *x)
{
    int64_t perm[3];
    gen_permutation(r, perm, 3);
    union ir_attrs attrs = {.transpose = {.perm = {3, perm}}};
    return gen_op(r, IR_transpose, &attrs, &x, 1);
}

static int64_t divisor(struct gen *r, int64_t n)
{
    int64_t d = gen_range(r, 1, n);
    while (n % d)
        d--;
    return d;
}

static struct ir_value *make_reshape(struct gen *r, struct ir_value *x)
{
    int64_t n = ir_count(&x->type), dim[3];
    dim[0] = divisor(r, n);
    dim[1] = divisor(r, n / dim[0]);
    dim[2] = n / dim[0] / dim[1];
    if (gen_chance(r, 30))
        memcpy(dim, x->type.dim, sizeof dim);
    enum ir_order from = (enum ir_order)gen_range(r, IR_HWC, IR_N_ORDERS - 1);
    enum ir_order to = (enum ir_order)gen_range(r, IR_HWC, IR_N_ORDERS - 1);
    union ir_attrs attrs = {.reshape = {.shape = {3, dim}, .from = from, .to = to}};
    return gen_op(r, IR_reshape, &attrs, &x, 1);
}

/* ---- inputs and outputs ---- */

/* How an (h, w, c) value lies in a tensor outside: `spread` times as large, in any order. */
struct outside {
    uint32_t rank;
    int64_t shape[5], strides[3], offset;
};

static struct outside random_outside(struct gen *r, const int64_t dim[3], int64_t spread)
{
    int64_t order[3], step = 1;
    struct outside o = {.rank = 5, .shape = {1, 0, 0, 0, spread}};
    bool inner = spread > 1 && gen_chance(r, 50); /* parts interleave, or follow each other */
    gen_permutation(r, order, 3);
    if (inner)
        step = spread;
    for (int i = 3; i-- > 0;) {
        o.strides[order[i]] = step;
        step *= dim[order[i]];
        o.shape[i + 1] = dim[order[i]];
    }
    o.offset = inner ? 1 : step; /* of the second part */
    if (!inner) {
        o.shape[0] = spread;
        o.shape[4] = 1;
    }
    return o;
}

/* Takes an axis backwards. */
static void reverse(struct outside *o, const int64_t dim[3], int axis)
{
    o->offset += (dim[axis] - 1) * o->strides[axis];
    o->strides[axis] = -o->strides[axis];
}

static void add_input(struct gen *r, int64_t index, const int64_t dim[3])
{
    int64_t spread = GEN_CHOICE(r, 1, 1, 1, 2);
    struct outside o = random_outside(r, dim, spread);
    enum ir_dtype dtype = gen_chance(r, 20) ? IR_F16 : IR_F32;
    for (int64_t part = 0; part < spread; part++) {
        struct outside v = o;
        v.offset = part * o.offset;
        if (gen_chance(r, 10))
            reverse(&v, dim, (int)gen_range(r, 0, 2));
        union ir_attrs attrs = {
            .input = {
                .index = index, .dtype = dtype, .shape = {v.rank, v.shape}, .offset = v.offset}};
        memcpy(attrs.input.extent, dim, sizeof attrs.input.extent);
        memcpy(attrs.input.strides, v.strides, sizeof v.strides);
        gen_keep(r, gen_op(r, IR_input, &attrs, NULL, 0));
    }
}

static void add_inputs(struct gen *r)
{
    static const int64_t sizes[][3] = {{9, 11, 3}, {12, 12, 4}, {7, 16, 2}, {1, 20, 5},
                                       {6, 6, 9},  {20, 1, 1},  {5, 5, 17}, {1, 1, 30}};
    int64_t n = GEN_CHOICE(r, 1, 1, 2, 3);
    const int64_t *dim = sizes[gen_range(r, 0, 7)];
    for (int64_t i = 0; i < n; i++) {
        if (gen_chance(r, 50))
            dim = sizes[gen_range(r, 0, 7)];
        add_input(r, i, dim);
    }
}

static void add_output(struct gen *r, int64_t index, struct ir_value *x)
{
    struct ir_value *parts[2] = {x, gen_pick_like(r, &x->type, NULL)};
    int64_t spread = parts[1] && gen_chance(r, 30) ? 2 : 1;
    struct outside o = random_outside(r, x->type.dim, spread);
    enum ir_dtype dtype = gen_chance(r, 20) ? IR_F16 : IR_F32;
    for (int64_t part = 0; part < spread; part++) {
        struct outside v = o;
        v.offset = part * o.offset;
        if (gen_chance(r, 10))
            reverse(&v, x->type.dim, (int)gen_range(r, 0, 2));
        union ir_attrs attrs = {
            .output = {
                .index = index, .dtype = dtype, .shape = {v.rank, v.shape}, .offset = v.offset}};
        memcpy(attrs.output.strides, v.strides, sizeof v.strides);
        gen_op(r, IR_output, &attrs, &parts[part], 1);
    }
}

static struct ir_value *make_elementwise(struct gen *r, struct ir_value *x)
{
    return gen_elementwise(r, x);
}

struct choice {
    maker *make;
    unsigned weight;
};

static const struct choice all_makers[] = {
    {make_conv, 30},     {make_shared, 4},  {make_elementwise, 5}, {make_join, 10},
    {make_broadcast, 8}, {make_pool, 10},   {make_mean, 3},        {make_softmax, 4},
    {make_dot, 8},       {gen_take, 5},     {make_concat, 9},      {make_slice, 6},
    {make_gather, 5},    {make_pad, 5},     {make_transpose, 3},   {make_reshape, 4},
    {gen_reduce, 6},     {make_overlap, 8}, {make_choice, 5},      {0}};
static const struct choice tall_makers[] = {{make_conv, 50},
                                            {make_shared, 5},
                                            {make_join, 10},
                                            {make_pool, 8},
                                            {make_concat, 10},
                                            {make_slice, 5},
                                            {0}};

static void steps(struct gen *r, const struct choice *list, int64_t n)
{
    unsigned total = 0;
    for (const struct choice *c = list; c->make; c++)
        total += c->weight;
    while (n-- > 0) {
        const struct choice *c = list;
        int64_t at = gen_range(r, 0, (int64_t)total - 1);
        for (; at >= (int64_t)c->weight; c++)
            at -= c->weight;
        struct ir_value *v = c->make(r, gen_pick(r));
        if (v)
            gen_keep(r, v);
    }
}

struct ir_graph *gen_crossbar(uint64_t seed)
{
    struct gen r;
    gen_start(&r, seed, IR_CROSSBAR);
    add_inputs(&r);
    int64_t n_steps = gen_range(&r, 1, 12), n_outputs = GEN_CHOICE(&r, 1, 1, 2, 3);
    steps(&r, all_makers, n_steps);
    for (int64_t k = 0; k < n_outputs; k++)
        add_output(&r, k, k ? gen_pick(&r) : r.values.at[r.values.n - 1]);
    return gen_finish(&r);
}

struct ir_graph *gen_tall(uint64_t seed)
{
    struct gen r;
    gen_start(&r, seed, IR_CROSSBAR);
    r.max_elements = GEN_MAX_TALL_ELEMENTS;
    int64_t dim[3];
    dim[0] = gen_range(&r, 40, 64);
    dim[1] = gen_range(&r, 3, 10);
    dim[2] = gen_range(&r, 2, 5);
    add_input(&r, 0, dim);
    steps(&r, tall_makers, gen_range(&r, 3, 8));
    add_output(&r, 0, r.values.at[r.values.n - 1]);
    return gen_finish(&r);
}
