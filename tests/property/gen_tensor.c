/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gen_tensor.c - random TENSOR graphs: convolutional networks with what exporters leave around them
 * (biases and batch norms apart, transposes to NHWC and back, flattens, constants still to fold,
 * things twice, things unused).
 *
 * The leading dimension is 1 all along. Makers return NULL where they do not fit the value.
 */
#include "gen.h"

#include <math.h>
#include <string.h>

typedef struct ir_value *maker(struct gen *r, struct ir_value *x);

static bool fits(const struct ir_value *v)
{
    return ir_count(&v->type) > 0 && ir_count(&v->type) <= GEN_MAX_ELEMENTS;
}

static bool is_image(const struct ir_value *v)
{
    return v->type.rank == 4 && v->type.dim[0] == 1;
}

static struct ir_value *reshape(struct gen *r, struct ir_value *x, uint32_t rank,
                                const int64_t *dim)
{
    union ir_attrs attrs = {.reshape = {.shape = {rank, dim}}};
    return gen_op(r, IR_reshape, &attrs, &x, 1);
}

static struct ir_value *transpose(struct gen *r, struct ir_value *x, const int64_t *perm)
{
    union ir_attrs attrs = {.transpose = {.perm = {x->type.rank, perm}}};
    return gen_op(r, IR_transpose, &attrs, &x, 1);
}

/* ---- constants: plain, or as an exporter computes them ---- */

static struct ir_value *constant(struct gen *r, unsigned rank, const int64_t *dims, float lo,
                                 float hi)
{
    struct ir_value *c = gen_constant(r, rank, dims, lo, hi);
    if (gen_chance(r, 90))
        return c;
    struct ir_value *one = gen_constant(r, 0, NULL, 1, 1);
    struct ir_value *sum = gen_binary(r, IR_add, c, one);
    return gen_binary(r, IR_sub, sum, one);
}

/* ---- base layers ---- */

static struct ir_value *batch_norm(struct gen *r, struct ir_value *x)
{
    int64_t c = x->type.dim[1];
    struct ir_value *in[5] = {x};
    static const float lo[] = {0.5f, -0.5f, -0.5f, 0.5f}, hi[] = {1.5f, 0.5f, 0.5f, 2.0f};
    for (int i = 0; i < 4; i++)
        in[i + 1] = constant(r, 1, &c, lo[i], hi[i]);
    union ir_attrs attrs = {.batch_norm = {.epsilon = 1e-5f}};
    return gen_op(r, IR_batch_norm, &attrs, in, 5);
}

static struct ir_value *make_batch_norm(struct gen *r, struct ir_value *x)
{
    return x->type.rank >= 2 ? batch_norm(r, x) : NULL;
}

static struct ir_value *activation(struct gen *r, struct ir_value *x)
{
    return gen_chance(r, 60) ? gen_unary(r, IR_relu, x) : gen_elementwise(r, x);
}

/* A factor and a shift by hand, as Keras exports a folded batch norm. */
static struct ir_value *scale_and_shift(struct gen *r, struct ir_value *x)
{
    int64_t column[3] = {x->type.dim[1], 1, 1};
    x = gen_binary(r, IR_mul, x, constant(r, 3, column, 0.5f, 1.5f));
    return gen_binary(r, IR_add, constant(r, 3, column, -0.5f, 0.5f), x);
}

static struct ir_value *make_conv(struct gen *r, struct ir_value *x)
{
    if (!is_image(x))
        return NULL;
    union ir_attrs attrs = {0};
    struct ir_attrs_conv *a = &attrs.conv;
    const int64_t *d = x->type.dim;
    a->group = gen_groups(r, d[1]);
    for (int i = 0; i < 2; i++) {
        a->pad[i] = GEN_CHOICE(r, 0, 0, 1, 2);
        a->pad[i + 2] = gen_chance(r, 60) ? a->pad[i] : gen_range(r, 0, 2);
        int64_t room = d[i + 2] + a->pad[i] + a->pad[i + 2];
        a->kernel[i] = gen_range(r, 1, min_i64(room, 3));
        a->dilation[i] = (a->kernel[i] - 1) * 2 < room && gen_chance(r, 10) ? 2 : 1;
        a->stride[i] = GEN_CHOICE(r, 1, 1, 1, 2, 3);
    }
    int64_t o =
        a->group > 1 ? a->group * GEN_CHOICE(r, 1, 1, 2, 3) : GEN_CHOICE(r, 1, 3, 4, 6, 9, 11, 20);
    int64_t dims[4] = {o, d[1] / a->group, a->kernel[0], a->kernel[1]},
            k = dims[1] * dims[2] * dims[3];
    if (k * o > 5000 || o * (d[2] + 4) * (d[3] + 4) > 2 * GEN_MAX_ELEMENTS)
        return NULL;
    float scale = 1.7f / sqrtf((float)k);
    struct ir_value *in[3] = {x, constant(r, 4, dims, -scale, scale)};
    uint32_t n = 2;
    if (gen_chance(r, 50))
        in[n++] = constant(r, 1, &o, -0.5f, 0.5f);
    struct ir_value *y = gen_op(r, IR_conv, &attrs, in, n);
    if (gen_chance(r, 40))
        y = batch_norm(r, y);
    else if (gen_chance(r, 20))
        y = scale_and_shift(r, y);
    return gen_chance(r, 60) ? activation(r, y) : y;
}

/* x [..., K] times [K, N], or [M, K'] times x; now and then a bias. */
static struct ir_value *product(struct gen *r, struct ir_value *x)
{
    const struct ir_type *t = &x->type;
    bool left = t->rank >= 2 && gen_chance(r, 20);
    int64_t k = t->dim[t->rank - (left ? 2u : 1u)], n = GEN_CHOICE(r, 1, 3, 10, 24);
    int64_t dims[2] = {left ? n : k, left ? k : n};
    if (k * n > 8000)
        return NULL;
    float scale = 1.7f / sqrtf((float)k);
    struct ir_value *w;
    if (gen_chance(r, 30)) { /* transB of a Gemm */
        int64_t turned[2] = {dims[1], dims[0]};
        w = transpose(r, gen_constant(r, 2, turned, -scale, scale), (int64_t[]){1, 0});
    } else {
        w = constant(r, 2, dims, -scale, scale);
    }
    struct ir_value *y = left ? gen_binary(r, IR_matmul, w, x) : gen_binary(r, IR_matmul, x, w);
    if (!left && gen_chance(r, 60))
        y = gen_binary(r, IR_add, y, constant(r, 1, &n, -0.5f, 0.5f));
    return y;
}

/* As g matrices of rows of `last`, or of columns: by a reshape, or as heads are cut out of rows. */
static struct ir_value *matrices(struct gen *r, struct ir_value *x, int64_t g, int64_t last,
                                 bool columns)
{
    int64_t n = ir_count(&x->type) / g / last, apart[3] = {g, n, last}, heads[3] = {n, g, last};
    if (gen_chance(r, 50))
        x = reshape(r, x, 3, apart);
    else
        x = transpose(r, reshape(r, x, 3, heads), (int64_t[]){1, 0, 2});
    return columns ? transpose(r, x, (int64_t[]){0, 2, 1}) : x;
}

/* Products of two values that are there, one matrix or several, as in attention. */
static struct ir_value *make_product(struct gen *r, struct ir_value *x)
{
    int64_t k = x->type.dim[x->type.rank - 1], n = ir_count(&x->type) / k;
    struct ir_value *y = gen_pick(r);
    int64_t n_y = ir_count(&y->type) / k;
    if (ir_count(&y->type) % k || y->type.dtype != x->type.dtype)
        y = x, n_y = n;
    int64_t g = (int64_t)gcd_u64((uint64_t)n, (uint64_t)n_y);
    if (gen_chance(r, 30))
        g = 1;
    if (n / g * n_y > GEN_MAX_ELEMENTS / 2)
        return NULL;
    bool is_one = gen_chance(r, 15); /* one matrix on the right */
    struct ir_value *a = matrices(r, x, g, k, false);
    struct ir_value *b =
        gen_chance(r, 60)
            ? matrices(r, y, is_one ? 1 : g, k, true)
            : reshape(r, y, 3, (int64_t[]){is_one ? 1 : g, k, n_y / (is_one ? 1 : g)});
    if (ir_count(&a->type) / k * b->type.dim[2] > GEN_MAX_ELEMENTS)
        return NULL;
    float mean = 1.0f / (float)k;
    struct ir_value *s = gen_binary(r, IR_mul, gen_binary(r, IR_matmul, a, b),
                                    constant(r, 1, (int64_t[]){1}, mean, mean));
    union ir_attrs attrs = {.softmax = {.axis = 2}};
    return gen_chance(r, 40) ? gen_op(r, IR_softmax, &attrs, &s, 1) : s;
}

static struct ir_value *make_dense(struct gen *r, struct ir_value *x)
{
    int64_t n = ir_count(&x->type), c = x->type.dim[x->type.rank - 1];
    if (gen_chance(r, 50))
        x = reshape(r, x, 2, (int64_t[]){1, n}); /* flatten */
    else if (gen_chance(r, 50))
        x = reshape(r, x, 3, (int64_t[]){1, n / c, c}); /* tokens */
    x = product(r, x);
    return x && gen_chance(r, 40) ? activation(r, x) : x;
}

/* ---- elementwise ---- */

static struct ir_value *make_elementwise(struct gen *r, struct ir_value *x)
{
    return gen_elementwise(r, x);
}

static struct ir_value *make_join(struct gen *r, struct ir_value *x)
{
    struct ir_value *y = gen_pick_like(r, &x->type, gen_chance(r, 10) ? NULL : x);
    if (!y)
        y = gen_elementwise(r, x);
    return gen_chance(r, 50) ? gen_join(r, x, y) : gen_join(r, y, x);
}

/* Of a mathematical library, or a choice that rounding does not change much. */
static struct ir_value *make_function(struct gen *r, struct ir_value *x)
{
    struct ir_value *y, *half = gen_constant(r, 0, NULL, 0.5f, 0.5f);
    union ir_attrs hard = {.hard_sigmoid = {.alpha = 0.25f, .beta = 0.5f}};
    switch (gen_range(r, 0, 6)) {
    case 0: return gen_unary(r, IR_erf, x);
    case 1: return gen_unary(r, IR_sin, gen_unary(r, IR_tanh, x));
    case 2: return gen_unary(r, IR_cos, gen_unary(r, IR_tanh, x));
    case 3: /* of a base in (0.5, 1.5) */
        y = gen_binary(r, IR_add, gen_unary(r, IR_sigmoid, x), half);
        return gen_binary(r, IR_pow, y, gen_unary(r, IR_tanh, x));
    case 4: /* leaky_relu as it is written out */
        y = gen_binary(r, IR_less, x, constant(r, 0, NULL, 0, 0));
        return gen_op(r, IR_where, NULL,
                      (struct ir_value *[]){y, gen_binary(r, IR_mul, x, half), x}, 3);
    case 5: return gen_op(r, IR_hard_sigmoid, &hard, &x, 1);
    default: /* the smaller one */
        y = gen_pick_like(r, &x->type, x);
        y = y ? y : constant(r, 1, &x->type.dim[x->type.rank - 1], -1, 1);
        return gen_op(r, IR_where, NULL,
                      (struct ir_value *[]){gen_binary(r, IR_greater, x, y), y, x}, 3);
    }
}

/* Squeeze and excite, or a constant of any rank and extents that broadcast. */
static struct ir_value *make_broadcast(struct gen *r, struct ir_value *x)
{
    if (is_image(x) && gen_chance(r, 40)) {
        struct ir_value *mean = gen_unary(r, IR_global_avg_pool, x);
        return gen_binary(r, IR_mul, x, gen_unary(r, IR_sigmoid, mean));
    }
    uint32_t rank = (uint32_t)gen_range(r, 0, x->type.rank);
    int64_t dims[IR_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = gen_chance(r, 50) ? 1 : x->type.dim[x->type.rank - rank + i];
    struct ir_value *c = constant(r, rank, dims, 0.25f, 1.5f);
    switch (gen_range(r, 0, 5)) {
    case 0: return gen_binary(r, IR_sub, c, x);
    case 1: return gen_binary(r, IR_div, x, c);
    case 2: return gen_binary(r, IR_max, x, c);
    case 3: return gen_binary(r, IR_mul, x, c);
    case 4: return gen_binary(r, IR_sub, x, c);
    default: return gen_binary(r, IR_add, c, x);
    }
}

/* ---- windows and reductions ---- */

static struct ir_value *make_pool(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs;
    bool average = gen_chance(r, 50);
    if (!is_image(x) || !gen_pool_attrs(r, x->type.dim[2], x->type.dim[3], average, &attrs))
        return NULL;
    return gen_op(r, average ? IR_avg_pool : IR_max_pool, &attrs, &x, 1);
}

static struct ir_value *make_mean(struct gen *r, struct ir_value *x)
{
    return x->type.rank >= 3 ? gen_unary(r, IR_global_avg_pool, x) : NULL;
}

/* A transposed convolution as it is imported: a product to the taps' channels, then their sum. */
static struct ir_value *make_overlap(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs, one = {.conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}}};
    int64_t kernel[2] = {gen_range(r, 1, 3), gen_range(r, 1, 3)}, taps = kernel[0] * kernel[1];
    if (!is_image(x) || !gen_overlap_attrs(r, x->type.dim[2], x->type.dim[3], kernel, &attrs))
        return NULL;
    int64_t k = x->type.dim[1], n = taps * gen_range(r, 1, 4);
    if (k * n > 5000 || n * x->type.dim[2] * x->type.dim[3] > 2 * GEN_MAX_ELEMENTS)
        return NULL;
    float scale = 1.7f / sqrtf((float)k);
    struct ir_value *w = constant(r, 4, (int64_t[]){n, k, 1, 1}, -scale, scale);
    one.conv.group = 1;
    if (k % taps || gen_chance(r, 60))
        x = gen_op(r, IR_conv, &one, (struct ir_value *[]){x, w}, 2);
    return gen_op(r, IR_overlap_add, &attrs, &x, 1);
}

/* x - max - log(sum(exp(x - max))): the logarithm of a softmax. */
static struct ir_value *make_log_softmax(struct gen *r, struct ir_value *x)
{
    int64_t axis = gen_range(r, 0, x->type.rank - 1);
    union ir_attrs max = {.reduce = {.kind = IR_REDUCE_MAX, .axes = {1, &axis}}};
    union ir_attrs sum = {.reduce = {.kind = IR_REDUCE_SUM, .axes = {1, &axis}}};
    x = gen_binary(r, IR_sub, x, gen_op(r, IR_reduce, &max, &x, 1));
    struct ir_value *e = gen_unary(r, IR_exp, x);
    return gen_binary(r, IR_sub, x, gen_unary(r, IR_log, gen_op(r, IR_reduce, &sum, &e, 1)));
}

static struct ir_value *make_softmax(struct gen *r, struct ir_value *x)
{
    union ir_attrs attrs = {.softmax = {.axis = gen_range(r, 0, x->type.rank - 1)}};
    return gen_op(r, IR_softmax, &attrs, &x, 1);
}

/* ---- moving ---- */

static struct ir_value *make_concat(struct gen *r, struct ir_value *x)
{
    int64_t axis = gen_range(r, x->type.rank > 1, x->type.rank - 1);
    struct ir_value *in[4] = {x};
    uint32_t n = 1;
    for (size_t i = 0; i < r->values.n && n < 3; i++) {
        struct ir_value *y = r->values.at[r->values.n - 1 - i];
        struct ir_type t = y->type;
        t.dim[axis] = x->type.dim[axis];
        if (ir_type_equal(&t, &x->type) && gen_chance(r, 70))
            in[n++] = y;
    }
    union ir_attrs attrs = {.concat = {.axis = axis}};
    return gen_op(r, IR_concat, &attrs, in, n);
}

static struct ir_value *make_slice(struct gen *r, struct ir_value *x)
{
    uint32_t rank = x->type.rank;
    int64_t start[IR_MAX_RANK], step[IR_MAX_RANK], count[IR_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) {
        int64_t e = x->type.dim[i];
        bool cuts = gen_chance(r, 50);
        step[i] = cuts ? GEN_CHOICE(r, 1, 1, 1, 2, -1, -2) : 1;
        start[i] = cuts ? gen_range(r, 0, e - 1) : 0;
        int64_t room = step[i] > 0 ? (e - 1 - start[i]) / step[i] : start[i] / -step[i];
        count[i] = cuts ? gen_range(r, 1, room + 1) : e;
    }
    union ir_attrs attrs = {
        .slice = {.start = {rank, start}, .step = {rank, step}, .count = {rank, count}}};
    return gen_op(r, IR_slice, &attrs, &x, 1);
}

/* Nearest resize and the like; the leading dimension stays. */
static struct ir_value *make_gather(struct gen *r, struct ir_value *x)
{
    uint32_t rank = x->type.rank;
    int64_t count[IR_MAX_RANK] = {1}, index[256] = {0}, n = 1;
    if (!is_image(x))
        return NULL;
    for (uint32_t i = 1; i < rank; i++) {
        int64_t e = x->type.dim[i];
        count[i] = min_i64(i == 1 ? e : GEN_CHOICE(r, e, 2 * e, e + 1), 64);
        gen_index(r, e, count[i], false, index + n);
        n += count[i];
    }
    union ir_attrs attrs = {.gather_grid = {.count = {rank, count}, .index = {(uint32_t)n, index}}};
    return gen_op(r, IR_gather_grid, &attrs, &x, 1);
}

static struct ir_value *make_pad(struct gen *r, struct ir_value *x)
{
    enum ir_pad_mode mode = (enum ir_pad_mode)gen_range(r, 0, IR_N_PAD_MODES - 1);
    uint32_t rank = x->type.rank;
    int64_t before[IR_MAX_RANK] = {0}, after[IR_MAX_RANK] = {0};
    for (uint32_t i = rank > 2 ? rank - 2 : 0; i < rank; i++) {
        int64_t most = mode == IR_PAD_REFLECT ? min_i64(2, x->type.dim[i] - 1) : 2;
        before[i] = gen_range(r, 0, most);
        after[i] = gen_range(r, 0, most);
    }
    union ir_attrs attrs = {.pad = {.before = {rank, before},
                                    .after = {rank, after},
                                    .mode = mode,
                                    .value = gen_chance(r, 50) ? -0.25f : 0.0f}};
    return gen_op(r, IR_pad, &attrs, &x, 1);
}

/* The leading 1 stays in front. */
static struct ir_value *make_transpose(struct gen *r, struct ir_value *x)
{
    int64_t perm[IR_MAX_RANK];
    uint32_t fixed = x->type.dim[0] == 1 && x->type.rank > 1;
    gen_permutation(r, perm + fixed, x->type.rank - fixed);
    for (uint32_t i = fixed; fixed && i < x->type.rank; i++)
        perm[i]++;
    perm[0] = fixed ? 0 : perm[0];
    return transpose(r, x, perm);
}

/* As from TensorFlow: something done in NHWC between two transposes. */
static struct ir_value *make_nhwc(struct gen *r, struct ir_value *x)
{
    if (!is_image(x))
        return NULL;
    x = transpose(r, x, (int64_t[]){0, 2, 3, 1});
    switch (gen_range(r, 0, 4)) {
    case 0: x = make_elementwise(r, x); break;
    case 1: x = make_pad(r, x); break;
    case 2: x = make_concat(r, x); break;
    case 3: x = make_softmax(r, x); break;
    default: x = gen_binary(r, IR_add, x, constant(r, 1, &x->type.dim[3], -0.5f, 0.5f));
    }
    return transpose(r, x, (int64_t[]){0, 3, 1, 2});
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
    int64_t n = ir_count(&x->type), dim[4] = {1};
    uint32_t rank = (uint32_t)gen_range(r, 2, 4);
    if (gen_chance(r, 60))
        rank = 4;
    for (uint32_t i = 1; i + 1 < rank; i++) {
        dim[i] = divisor(r, n);
        n /= dim[i];
    }
    dim[rank - 1] = n;
    return reshape(r, x, rank, dim);
}

/* Channels seen as (outer, inner) digits, some of one digit kept, the two perhaps swapped:
 * shuffles, and the parts of an anchor's channels. */
static struct ir_value *make_digits(struct gen *r, struct ir_value *x)
{
    if (!is_image(x))
        return NULL;
    int64_t c = x->type.dim[1], h = x->type.dim[2], w = x->type.dim[3], inner = divisor(r, c);
    int64_t apart[5] = {1, c / inner, inner, h, w};
    uint32_t at = (uint32_t)gen_range(r, 1, 4);
    int64_t count[5], list[64], n = 0, picked = gen_range(r, 1, apart[at]);
    if (c / inner + inner + h + w >= 63)
        return NULL;
    for (uint32_t d = 0; d < 5; d++) {
        count[d] = d == at ? picked : apart[d];
        for (int64_t i = 0; i < count[d]; i++)
            list[n++] = d == at ? gen_range(r, -1, apart[d] - 1) : i;
    }
    union ir_attrs attrs = {
        .gather_grid = {.count = {5, count}, .index = {(uint32_t)n, list}, .value = 0.25f}};
    x = reshape(r, x, 5, apart);
    x = gen_op(r, IR_gather_grid, &attrs, &x, 1);
    if (gen_chance(r, 50))
        x = transpose(r, x, (int64_t[]){0, 2, 1, 3, 4});
    return reshape(r, x, 4, (int64_t[]){1, count[1] * count[2], count[3], count[4]});
}

/* Channels as images of a batch, pooled, and channels again. */
static struct ir_value *make_batch(struct gen *r, struct ir_value *x)
{
    if (!is_image(x))
        return NULL;
    int64_t c = x->type.dim[1], n = divisor(r, c);
    x = reshape(r, x, 4, (int64_t[]){n, c / n, x->type.dim[2], x->type.dim[3]});
    union ir_attrs attrs;
    bool average = gen_chance(r, 50);
    if (gen_chance(r, 30))
        x = make_mean(r, x);
    else if (gen_pool_attrs(r, x->type.dim[2], x->type.dim[3], average, &attrs))
        x = gen_op(r, average ? IR_avg_pool : IR_max_pool, &attrs, &x, 1);
    else
        x = NULL;
    return x ? reshape(r, x, 4, (int64_t[]){1, c, x->type.dim[2], x->type.dim[3]}) : NULL;
}

/* The last operation once more, for cse; or something that nobody uses, for dce. */
static struct ir_value *make_useless(struct gen *r, struct ir_value *x)
{
    const struct ir_op *op = x->def;
    if (op->opcode == IR_input || gen_chance(r, 30)) {
        (void)gen_elementwise(r, x);
        return NULL;
    }
    struct ir_value *in[8];
    if (op->n_in > 8)
        return NULL;
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = op->in[i].value;
    return gen_op(r, op->opcode, op->attrs, in, op->n_in);
}

static const struct {
    maker *make;
    unsigned weight;
} makers[] = {{make_conv, 40},   {make_dense, 6},     {make_batch_norm, 3}, {make_elementwise, 5},
              {make_join, 8},    {make_broadcast, 8}, {make_pool, 10},      {make_mean, 2},
              {make_softmax, 3}, {make_concat, 6},    {make_slice, 5},      {make_gather, 3},
              {make_pad, 4},     {make_transpose, 5}, {make_nhwc, 6},       {make_reshape, 4},
              {make_useless, 4}, {gen_reduce, 5},     {make_overlap, 6},    {make_log_softmax, 2},
              {make_digits, 4},  {make_batch, 2},     {make_product, 6},    {make_function, 6},
              {gen_take, 4}};

static void step(struct gen *r)
{
    unsigned total = 0, i = 0;
    for (size_t k = 0; k < sizeof makers / sizeof *makers; k++)
        total += makers[k].weight;
    int64_t at = gen_range(r, 0, (int64_t)total - 1);
    while (at >= (int64_t)makers[i].weight)
        at -= makers[i++].weight;
    struct ir_value *v = makers[i].make(r, gen_pick(r));
    if (v && fits(v))
        gen_keep(r, v);
}

static void add_inputs(struct gen *r)
{
    static const int64_t images[][4] = {{1, 3, 9, 11}, {1, 1, 14, 14}, {1, 8, 6, 5},
                                        {1, 4, 12, 7}, {1, 9, 11, 3},  {1, 2, 1, 20}};
    static const int64_t rows[][4] = {{1, 24}, {1, 6, 10}, {5, 12}};
    int64_t n = GEN_CHOICE(r, 1, 1, 1, 2);
    const int64_t *image = images[gen_range(r, 0, 5)];
    for (int64_t i = 0; i < n; i++) {
        bool nhwc = gen_chance(r, 20), is_row = i > 0 && gen_chance(r, 30);
        int64_t which = gen_range(r, 0, 2);
        struct ir_ints shape =
            is_row ? (struct ir_ints){which == 1 ? 3 : 2, rows[which]} : (struct ir_ints){4, image};
        union ir_attrs attrs = {
            .input = {.index = i, .dtype = gen_chance(r, 15) ? IR_F16 : IR_F32, .shape = shape}};
        struct ir_value *x = gen_op(r, IR_input, &attrs, NULL, 0);
        gen_keep(r, nhwc && !is_row ? transpose(r, x, (int64_t[]){0, 3, 1, 2}) : x);
    }
}

static void add_output(struct gen *r, int64_t index, struct ir_value *x)
{
    union ir_attrs attrs = {.output = {.index = index,
                                       .dtype = gen_chance(r, 15) ? IR_F16 : IR_F32,
                                       .shape = {x->type.rank, x->type.dim}}};
    gen_op(r, IR_output, &attrs, &x, 1);
}

struct ir_graph *gen_tensor(uint64_t seed)
{
    struct gen r;
    gen_start(&r, seed, IR_TENSOR);
    add_inputs(&r);
    int64_t n_steps = gen_range(&r, 2, 14), n_outputs = GEN_CHOICE(&r, 1, 1, 1, 2);
    for (int64_t i = 0; i < n_steps; i++)
        step(&r);
    for (int64_t k = 0; k < n_outputs; k++)
        add_output(&r, k, k ? gen_pick(&r) : r.values.at[r.values.n - 1]);
    return gen_finish(&r);
}
