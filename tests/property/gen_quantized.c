/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gen_quantized.c - random TENSOR graphs as exporters of quantised models write them: activations
 * are integers behind `quantize`, operations stand between `dequantize` and `quantize`, base layers
 * have dequantised constants; pools and moves may stand on the integers themselves.
 *
 * In an exact graph every scale is a power of two and every sum small: then f32 computes the same
 * numbers as integers do, no quotient is close to a tie that is none, and any two ways to evaluate
 * the graph agree bit for bit. Other graphs have whatever scales, and more operations.
 */
#include "gen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An integer value and what it means: (q - zero) * scale. */
struct activation {
    struct ir_value *q;
    float scale;
    int64_t zero;
};

/* Weights that a later convolution may use again. */
struct shared {
    struct ir_value *w;
    int64_t number, dims[4];
    float scales[64];
};

struct maker_state {
    struct gen gen;
    bool exact, homogeneous;
    float unit;
    enum gen_spelling spelling;
    VEC(struct activation) made;
    VEC(struct ir_value *) leaving; /* outputs besides those of activations: f32, i32 */
    struct shared shared;
};

enum { MAX_LEAVING = 3 };

/* Real values of an activation are about so many scales large. */
static const float SPREAD = 48;

/* ---- parameters ---- */

static struct ir_value *constant_of(struct gen *r, enum ir_dtype dtype, unsigned rank,
                                    const int64_t *dims, const void *data)
{
    struct ir_type t = ir_type_of(dtype, rank, dims);
    size_t n = (size_t)ir_count(&t) * ir_dtype_bytes(dtype);
    void *copy = memcpy(heap_alloc(n), data, n);
    return ir_const_new(r->g, NULL, t, blob_own(copy, n), NULL, (struct loc){0})->out;
}

static struct ir_value *integer_constant(struct gen *r, enum ir_dtype dtype, unsigned rank,
                                         const int64_t *dims, int64_t lo, int64_t hi)
{
    struct ir_type t = ir_type_of(dtype, rank, dims);
    size_t n = (size_t)ir_count(&t);
    char *bytes = heap_alloc(n * sizeof(int32_t));
    for (size_t i = 0; i < n; i++) {
        int64_t x = gen_range(r, lo, hi);
        int32_t word = (int32_t)x;
        if (dtype == IR_I32)
            memcpy(bytes + i * sizeof word, &word, sizeof word);
        else
            bytes[i] = (char)x;
    }
    struct ir_value *c = constant_of(r, dtype, rank, dims, bytes);
    heap_free(bytes);
    return c;
}

static struct ir_value *scalar(struct gen *r, enum ir_dtype dtype, double x)
{
    float f = (float)x;
    int32_t word = (int32_t)x;
    uint8_t byte = (uint8_t)(int64_t)x;
    return constant_of(r, dtype, 0, NULL,
                       dtype == IR_F32   ? (void *)&f
                       : dtype == IR_I32 ? (void *)&word
                                         : (void *)&byte);
}

/* About `x`; a power of two in an exact graph. */
static float scale_near(struct maker_state *m, float x)
{
    if (!m->exact)
        return x * (0.7f + 0.6f * (float)gen_range(&m->gen, 0, 1000) / 1000.0f);
    int exponent;
    frexpf(x, &exponent);
    return ldexpf(1, exponent - (int)gen_range(&m->gen, 0, 1));
}

static enum ir_dtype any_dtype(struct maker_state *m)
{
    bool byte = gen_chance(&m->gen, 50);
    if (m->spelling != GEN_EITHER)
        byte = m->spelling == GEN_U8;
    return byte ? IR_U8 : IR_I8;
}

static int64_t any_zero(struct gen *r, enum ir_dtype dtype)
{
    int64_t least = dtype == IR_I8 ? -128 : 0;
    return gen_chance(r, 40) ? least + GEN_CHOICE(r, 0, 128) : gen_range(r, least, least + 255);
}

/* ---- in and out of integers ---- */

static struct ir_value *dequantized(struct maker_state *m, const struct activation *a, float scale)
{
    struct gen *r = &m->gen;
    struct ir_value *in[3] = {a->q, scalar(r, IR_F32, (double)scale)};
    enum ir_dtype dtype = (enum ir_dtype)a->q->type.dtype;
    bool zero = gen_chance(r, 50) || a->zero || m->spelling != GEN_EITHER;
    if (zero)
        in[2] = scalar(r, dtype, (double)a->zero);
    return gen_op(r, IR_dequantize, NULL, in, zero ? 3 : 2);
}

static struct ir_value *real(struct maker_state *m, const struct activation *a)
{
    return dequantized(m, a, a->scale * m->unit);
}

/* Quantised with given parameters; now and then to fewer bits. */
static struct activation quantized_as(struct maker_state *m, struct ir_value *x,
                                      enum ir_dtype dtype, float scale, int64_t zero)
{
    struct gen *r = &m->gen;
    int64_t least = dtype == IR_I8 ? -128 : 0;
    union ir_attrs attrs = {.quantize = {.dtype = dtype, .lo = least, .hi = least + 255}};
    if (gen_chance(r, 10)) {
        attrs.quantize.lo = max_i64(least, zero - GEN_CHOICE(r, 8, 16, 64));
        attrs.quantize.hi = min_i64(least + 255, zero + GEN_CHOICE(r, 7, 15, 63));
    }
    struct ir_value *in[3] = {x, scalar(r, IR_F32, (double)(scale * m->unit)),
                              scalar(r, dtype, (double)zero)};
    uint32_t n = gen_chance(r, 50) || zero || m->spelling != GEN_EITHER ? 3 : 2;
    return (struct activation){gen_op(r, IR_quantize, &attrs, in, n), scale, zero};
}

/* Quantised for values of about `size`. */
static struct activation quantized(struct maker_state *m, struct ir_value *x, float size)
{
    enum ir_dtype dtype = any_dtype(m);
    float scale = scale_near(m, size / SPREAD);
    return quantized_as(m, x, dtype, scale, any_zero(&m->gen, dtype));
}

static struct activation same_parameters(struct maker_state *m, struct ir_value *x,
                                         const struct activation *a)
{
    return quantized_as(m, x, (enum ir_dtype)a->q->type.dtype, a->scale, a->zero);
}

static float size_of(const struct activation *a)
{
    return SPREAD * a->scale;
}

static bool is_image(const struct activation *a)
{
    return a->q->type.rank == 4;
}

/* An activation of these dimensions, whatever its dtype, but not of `not_this`; NULL if none is. */
static const struct activation *partner(struct maker_state *m, const struct ir_type *like,
                                        const struct ir_value *not_this)
{
    for (size_t i = m->made.n; i-- > 0;) {
        struct ir_type t = m->made.at[i].q->type;
        t.dtype = like->dtype;
        if (m->made.at[i].q != not_this && ir_type_equal(&t, like))
            return &m->made.at[i];
    }
    return NULL;
}

static void leave(struct maker_state *m, struct ir_value *x)
{
    if (m->leaving.n < MAX_LEAVING)
        VEC_PUSH(&m->leaving, x);
}

/* ---- base layers ---- */

/* Weights with one scale, or one for each index of `axis`; *size is what one is about. */
static struct ir_value *weights(struct maker_state *m, unsigned rank, const int64_t *dims,
                                unsigned axis, float size, float *scales)
{
    struct gen *r = &m->gen;
    enum ir_dtype dtype = gen_chance(r, 80) ? IR_I8 : IR_U8;
    int64_t n = dims[axis], zero = dtype == IR_U8 ? gen_range(r, 100, 150) : 0;
    if (dtype == IR_I8 && gen_chance(r, 10))
        zero = gen_range(r, -5, 5);
    bool each = gen_chance(r, 50);
    for (int64_t i = 0; i < n; i++)
        scales[i] = i && !each ? scales[0] : scale_near(m, size / 74);
    int64_t half = (int64_t)1 << GEN_CHOICE(r, 7, 7, 7, 5, 3, 2, 1); /* of their range */
    int64_t low = dtype == IR_U8 ? 128 - half : -half + gen_range(r, 0, 1);
    struct ir_value *in[3] = {
        integer_constant(r, dtype, rank, dims, low, dtype == IR_U8 ? 127 + half : half - 1),
        constant_of(r, IR_F32, each, &n, scales)};
    if (zero || gen_chance(r, 50)) {
        uint8_t zeros[64];
        memset(zeros, (int)zero & 255, sizeof zeros);
        in[2] = constant_of(r, dtype, each, &n, zeros);
    }
    union ir_attrs attrs = {.dequantize = {.axis = axis}};
    return gen_op(r, IR_dequantize, &attrs, in, in[2] ? 3 : 2);
}

/* A bias of i32 whose scale is that of the sums, or of f32. */
static struct ir_value *bias(struct maker_state *m, const struct activation *x, int64_t n,
                             const float *scales)
{
    struct gen *r = &m->gen;
    float sums[64], numbers[64];
    for (int64_t i = 0; i < n; i++) {
        sums[i] = x->scale * m->unit * scales[i];
        numbers[i] = sums[i] * (float)gen_range(r, -20000, 20000);
        if (!m->exact)
            numbers[i] += 0.3f * sums[i];
    }
    if (gen_chance(r, 30))
        return constant_of(r, IR_F32, 1, &n, numbers);
    struct ir_value *in[2] = {integer_constant(r, IR_I32, 1, &n, -20000, 20000),
                              constant_of(r, IR_F32, 1, &n, sums)};
    return gen_op(r, IR_dequantize, NULL, in, 2);
}

static struct ir_value *behind_layer(struct maker_state *m, struct ir_value *y)
{
    union ir_attrs six = {.clip = {.lo = 0, .hi = 6 * m->unit}};
    int64_t kind = gen_range(&m->gen, 0, 9);
    return kind < 4    ? gen_unary(&m->gen, IR_relu, y)
           : kind == 4 ? gen_op(&m->gen, IR_clip, &six, &y, 1)
                       : y;
}

/* Attributes and weights' dimensions of a random convolution; false if it is too large. */
static bool random_conv(struct gen *r, const int64_t *d, struct ir_attrs_conv *a, int64_t dims[4])
{
    a->group = gen_groups(r, d[1]);
    for (int i = 0; i < 2; i++) {
        a->pad[i] = GEN_CHOICE(r, 0, 0, 1, 2);
        a->pad[i + 2] = gen_chance(r, 60) ? a->pad[i] : gen_range(r, 0, 2);
        int64_t room = d[i + 2] + a->pad[i] + a->pad[i + 2];
        a->kernel[i] = gen_range(r, 1, min_i64(room, 3));
        a->dilation[i] = (a->kernel[i] - 1) * 2 < room && gen_chance(r, 10) ? 2 : 1;
        a->stride[i] = GEN_CHOICE(r, 1, 1, 1, 2, 3);
    }
    dims[0] =
        a->group > 1 ? a->group * GEN_CHOICE(r, 1, 1, 2, 3) : GEN_CHOICE(r, 1, 3, 4, 6, 9, 11, 20);
    dims[1] = d[1] / a->group;
    dims[2] = a->kernel[0];
    dims[3] = a->kernel[1];
    return dims[0] <= 64 && dims[0] * dims[1] * dims[2] * dims[3] <= 3000 &&
           dims[0] * (d[2] + 4) * (d[3] + 4) <= 2 * GEN_MAX_ELEMENTS;
}

/* What stands behind a sum: a function and a quantize; before that perhaps an activation that is
 * added without having been quantised in between; or the sum leaves as a float, too. */
static struct activation finish_layer(struct maker_state *m, struct ir_value *y, float size)
{
    const struct activation *other = partner(m, &y->type, NULL);
    int64_t kind = gen_range(&m->gen, 0, 9);
    if (kind == 0 && other) {
        y = gen_binary(&m->gen, IR_add, y, real(m, other));
        size += size_of(other);
    } else if (kind == 1) {
        leave(m, y);
    }
    return quantized(m, behind_layer(m, y), size);
}

/* Weights of its own, or those of an earlier convolution where they fit. */
static struct ir_value *conv_weights(struct maker_state *m, struct ir_attrs_conv *at,
                                     const int64_t dims[4], float scales[64])
{
    float size = 1.5f / sqrtf((float)(dims[1] * dims[2] * dims[3]));
    struct shared *s = &m->shared;
    if (s->w && memcmp(s->dims, dims, sizeof s->dims) == 0) {
        at->weights = s->number;
        memcpy(scales, s->scales, sizeof s->scales);
        return s->w;
    }
    struct ir_value *w = weights(m, 4, dims, 0, size, scales);
    if (gen_chance(&m->gen, 30)) {
        at->weights = ++m->gen.n_weights;
        *s = (struct shared){.w = w, .number = at->weights};
        memcpy(s->dims, dims, sizeof s->dims);
        memcpy(s->scales, scales, sizeof s->scales);
    }
    return w;
}

static struct activation make_conv(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    union ir_attrs attrs = {0};
    int64_t dims[4];
    float scales[64] = {0};
    if (!is_image(x) || !random_conv(r, x->q->type.dim, &attrs.conv, dims))
        return (struct activation){0};
    struct ir_value *in[3] = {real(m, x), conv_weights(m, &attrs.conv, dims, scales)};
    uint32_t n = 2;
    if (gen_chance(r, 70))
        in[n++] = bias(m, x, dims[0], scales);
    return finish_layer(m, gen_op(r, IR_conv, &attrs, in, n), 1.5f * size_of(x));
}

/* ConvInteger: scales are 1, so that the f32 sum is an integer. */
static struct ir_value *integer_sum(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    union ir_attrs attrs = {0};
    int64_t dims[4];
    if (!is_image(x) || !random_conv(r, x->q->type.dim, &attrs.conv, dims) ||
        dims[1] * dims[2] * dims[3] > 200)
        return NULL;
    struct activation w = {integer_constant(r, IR_I8, 4, dims, -127, 127), 1, gen_range(r, -3, 3)};
    return gen_op(r, IR_conv, &attrs,
                  (struct ir_value *[]){dequantized(m, x, 1), dequantized(m, &w, 1)}, 2);
}

/* The scales come behind it, as a factor; or its i32 leaves. */
static struct activation make_conv_integer(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    struct ir_value *y = integer_sum(m, x);
    if (!y)
        return (struct activation){0};
    if (gen_chance(r, 30)) {
        static const int64_t far = (int64_t)1 << 30;
        union ir_attrs attrs = {.quantize = {.dtype = IR_I32, .lo = -far, .hi = far}};
        leave(m, gen_op(r, IR_quantize, &attrs, (struct ir_value *[]){y, scalar(r, IR_F32, 1)}, 2));
    }
    y = gen_binary(r, IR_mul, y,
                   scalar(r, IR_F32, (double)(scale_near(m, x->scale / 500) * m->unit)));
    return quantized(m, behind_layer(m, y), size_of(x));
}

/* Integers to the end: (sum * mult + add + half) >> shift, as RequantShift has it. */
static struct activation make_requant_shift(struct maker_state *m, const struct activation *x)
{
    static const int64_t far = (int64_t)1 << 30;
    struct gen *r = &m->gen;
    struct ir_value *y = integer_sum(m, x);
    if (!y)
        return (struct activation){0};
    union ir_attrs to_i32 = {.quantize = {.dtype = IR_I32, .lo = -far, .hi = far}};
    union ir_attrs attrs = {.requantize = {.kind = IR_REQUANT_FIXED,
                                           .axis = 1,
                                           .zero = GEN_CHOICE(r, 0, 128),
                                           .hi = 255,
                                           .shift = gen_range(r, 14, 18),
                                           .scale = 1}};
    int64_t n = y->type.dim[1];
    struct ir_value *in[4] = {
        gen_op(r, IR_quantize, &to_i32, (struct ir_value *[]){y, scalar(r, IR_F32, 1)}, 2),
        scalar(r, IR_I32, 0), integer_constant(r, IR_I32, 1, &n, 50, 900),
        integer_constant(r, IR_I32, gen_chance(r, 50), &n, -2000000, 4000000)};
    return (struct activation){gen_op(r, IR_requantize, &attrs, in, 4), 1.0f / 64,
                               attrs.requantize.zero};
}

/* Weights that nobody quantised: the layer stays f32. Its sums are exact where all scales are
 * powers of two; others depend on their order. */
static struct activation make_float_conv(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    union ir_attrs attrs = {0};
    int64_t dims[4];
    if (!m->exact || !is_image(x) || !random_conv(r, x->q->type.dim, &attrs.conv, dims))
        return (struct activation){0};
    int64_t k = dims[1] * dims[2] * dims[3], n = dims[0] * k;
    float scale = scale_near(m, 0.02f / sqrtf((float)k)), *w = heap_alloc((size_t)n * sizeof *w);
    for (int64_t i = 0; i < n; i++)
        w[i] = scale * (float)gen_range(r, -127, 127);
    struct ir_value *in[2] = {real(m, x), constant_of(r, IR_F32, 4, dims, w)};
    heap_free(w);
    return finish_layer(m, gen_op(r, IR_conv, &attrs, in, 2), 1.5f * size_of(x));
}

static struct activation make_dense(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    float scales[64];
    int64_t k = ir_count(&x->q->type), flat[2] = {1, k}, dims[2] = {k, GEN_CHOICE(r, 1, 3, 10, 24)};
    if (k > 300)
        return (struct activation){0};
    union ir_attrs shape = {.reshape = {.shape = {2, flat}}};
    struct activation row = *x;
    if (gen_chance(r, 50))
        row.q = gen_op(r, IR_reshape, &shape, &row.q, 1);
    struct ir_value *in[2] = {real(m, &row), NULL};
    if (row.q == x->q)
        in[0] = gen_op(r, IR_reshape, &shape, &in[0], 1);
    in[1] = weights(m, 2, dims, 1, 1.5f / sqrtf((float)k), scales);
    struct ir_value *y = gen_op(r, IR_matmul, NULL, in, 2);
    if (gen_chance(r, 60))
        y = gen_binary(r, IR_add, y, bias(m, x, dims[1], scales));
    return finish_layer(m, y, 1.5f * size_of(x));
}

/* Rows of one value by those of another, or of itself, as in attention. */
static struct activation make_product(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    const struct activation *y = partner(m, &x->q->type, x->q);
    int64_t k = x->q->type.dim[x->q->type.rank - 1], n = ir_count(&x->q->type) / k;
    int64_t heads = n % 3 == 0 ? 3 : 1, dims[3] = {heads, n / heads, k};
    if (m->homogeneous || n > 60 || k > 200)
        return (struct activation){0};
    y = y ? y : x;
    union ir_attrs shape = {.reshape = {.shape = {3, dims}}},
                   turn = {.transpose = {.perm = {3, (int64_t[]){0, 2, 1}}}};
    struct ir_value *in[2] = {real(m, x), real(m, y)};
    for (int i = 0; i < 2; i++)
        in[i] = gen_op(r, IR_reshape, &shape, &in[i], 1);
    in[1] = gen_op(r, IR_transpose, &turn, &in[1], 1);
    return finish_layer(m, gen_op(r, IR_matmul, NULL, in, 2),
                        size_of(x) * size_of(y) * sqrtf((float)k));
}

/* ---- pools, moves: on the integers, or between their meanings ---- */

static struct activation make_pool(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    union ir_attrs attrs;
    bool average = gen_chance(r, 50);
    const int64_t *d = x->q->type.dim;
    if (!is_image(x) || !gen_pool_attrs(r, d[2], d[3], average, &attrs))
        return (struct activation){0};
    if (!average && gen_chance(r, 40))
        return (struct activation){gen_op(r, IR_max_pool, &attrs, (struct ir_value *[]){x->q}, 1),
                                   x->scale, x->zero};
    struct ir_value *y = real(m, x);
    if (average && gen_chance(r, 30))
        y = gen_unary(r, IR_global_avg_pool, y);
    else
        y = gen_op(r, average ? IR_avg_pool : IR_max_pool, &attrs, &y, 1);
    if (!average || !m->exact)
        return gen_chance(r, 60) ? same_parameters(m, y, x) : quantized(m, y, size_of(x));
    /* Means of equal parameters are rounded with the zero point in them: ties move where it is odd.
     */
    return quantized_as(m, y, IR_U8, scale_near(m, x->scale), any_zero(r, IR_U8) & ~1);
}

static struct ir_value *gathered(struct gen *r, struct ir_value *x, float hole)
{
    uint32_t rank = x->type.rank;
    int64_t count[IR_MAX_RANK] = {1}, index[512] = {0}, n = 1;
    for (uint32_t i = 1; i < rank; i++) {
        int64_t e = x->type.dim[i];
        count[i] = min_i64(i == 1 ? e : GEN_CHOICE(r, e, 2 * e, e + 1), 100);
        gen_index(r, e, count[i], true, index + n);
        n += count[i];
    }
    union ir_attrs attrs = {
        .gather_grid = {.count = {rank, count}, .index = {(uint32_t)n, index}, .value = hole}};
    return gen_op(r, IR_gather_grid, &attrs, &x, 1);
}

/* A value that only moves, with holes of real 0 where it has some. */
static struct ir_value *moved(struct gen *r, struct ir_value *x, float zero)
{
    uint32_t rank = x->type.rank;
    int64_t list[3][IR_MAX_RANK] = {{0}}, perm[IR_MAX_RANK] = {0};
    union ir_attrs attrs = {0};
    switch (gen_range(r, 0, 3)) {
    case 0:
        gen_permutation(r, perm + 1, rank - 1);
        for (uint32_t i = 1; i < rank; i++)
            perm[i]++;
        attrs.transpose.perm = (struct ir_ints){rank, perm};
        return gen_op(r, IR_transpose, &attrs, &x, 1);
    case 1:
        for (uint32_t i = 0; i < rank; i++) {
            list[0][i] = i ? gen_range(r, 0, x->type.dim[i] - 1) : 0;
            list[1][i] = 1;
            list[2][i] = gen_range(r, 1, x->type.dim[i] - list[0][i]);
        }
        attrs.slice = (struct ir_attrs_slice){
            .start = {rank, list[0]}, .step = {rank, list[1]}, .count = {rank, list[2]}};
        return gen_op(r, IR_slice, &attrs, &x, 1);
    case 2: return gathered(r, x, zero);
    default:
        for (uint32_t i = rank > 2 ? 2 : 1; i < rank; i++) {
            list[0][i] = gen_range(r, 0, 2);
            list[1][i] = gen_range(r, 0, 2);
        }
        attrs.pad = (struct ir_attrs_pad){
            .before = {rank, list[0]}, .after = {rank, list[1]}, .value = zero};
        return gen_op(r, IR_pad, &attrs, &x, 1);
    }
}

static struct activation make_move(struct maker_state *m, const struct activation *x)
{
    if (gen_chance(&m->gen, 50))
        return (struct activation){moved(&m->gen, x->q, (float)x->zero), x->scale, x->zero};
    return same_parameters(m, moved(&m->gen, real(m, x), 0), x);
}

static struct activation make_concat(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    struct ir_value *in[3] = {real(m, x)};
    uint32_t n = 1;
    union ir_attrs attrs = {.concat = {.axis = 1}};
    for (size_t i = m->made.n; i-- > 0 && n < 3;) {
        struct ir_type t = m->made.at[i].q->type;
        if (t.rank != x->q->type.rank || m->made.at[i].q == x->q)
            continue;
        t.dim[1] = x->q->type.dim[1];
        t.dtype = x->q->type.dtype;
        if (ir_type_equal(&t, &x->q->type))
            in[n++] = real(m, &m->made.at[i]);
    }
    return quantized(m, gen_op(r, IR_concat, &attrs, in, n), size_of(x));
}

/* ---- elementwise ---- */

static struct activation make_join(struct maker_state *m, const struct activation *x)
{
    const struct activation *y = partner(m, &x->q->type, x->q);
    struct gen *r = &m->gen;
    if (!y)
        return (struct activation){0};
    float size = size_of(x) + size_of(y), product = size_of(x) * size_of(y);
    struct ir_value *a = real(m, x), *b = real(m, y);
    switch (gen_range(r, 0, 5)) {
    case 0:
        if (!m->homogeneous)
            return quantized(m, gen_binary(r, IR_mul, a, b), product);
        return quantized(m, gen_binary(r, IR_min, a, b), size);
    case 1: return quantized(m, gen_binary(r, IR_sub, a, b), size);
    case 2: return quantized(m, gen_binary(r, IR_max, a, b), size);
    default: return quantized(m, behind_layer(m, gen_binary(r, IR_add, a, b)), size);
    }
}

/* A function of one value: what a table can be. */
static struct ir_value *function(struct maker_state *m, struct ir_value *x)
{
    struct gen *r = &m->gen;
    union ir_attrs leaky = {.leaky_relu = {.alpha = 0.25f}},
                   clip = {.clip = {.lo = -0.5f * m->unit, .hi = 0.75f * m->unit}};
    switch (gen_range(r, 0, m->exact || m->homogeneous ? 4 : 8)) {
    case 0: return gen_op(r, IR_leaky_relu, &leaky, &x, 1);
    case 1: return gen_op(r, IR_clip, &clip, &x, 1);
    case 2: return gen_unary(r, IR_abs, x);
    case 3: return gen_binary(r, IR_sub, scalar(r, IR_F32, (double)(0.5f * m->unit)), x);
    case 4: return gen_unary(r, IR_relu, x);
    case 5: return gen_unary(r, IR_sigmoid, x);
    case 6: return gen_unary(r, IR_tanh, x);
    case 7: return gen_binary(r, IR_mul, x, gen_unary(r, IR_sigmoid, x));
    default: return gen_unary(r, IR_exp, gen_unary(r, IR_tanh, x));
    }
}

static struct activation make_function(struct maker_state *m, const struct activation *x)
{
    struct ir_value *y = real(m, x);
    for (int64_t n = gen_range(&m->gen, 1, 3); n > 0; n--)
        y = function(m, y);
    return quantized(m, y, size_of(x) + (m->exact ? 0 : 0.5f));
}

/* A factor and a shift for each channel, which no layer in front takes over. */
static struct activation make_channels(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    int64_t c = x->q->type.dim[1], column[3] = {c, 1, 1};
    float factor[64], shift[64];
    if (!is_image(x) || c > 64)
        return (struct activation){0};
    for (int64_t i = 0; i < c; i++) {
        factor[i] = scale_near(m, 1);
        shift[i] = x->scale * m->unit * (float)gen_range(r, -50, 50);
    }
    struct ir_value *y =
        gen_binary(r, IR_mul, real(m, x), constant_of(r, IR_F32, 3, column, factor));
    y = gen_binary(r, IR_add, y, constant_of(r, IR_F32, 3, column, shift));
    return quantized(m, y, 1.5f * size_of(x));
}

/* A constant of 8 bits behind a scale of its own, as biases of dense layers are written by some. */
static struct activation make_shift(struct maker_state *m, const struct activation *x)
{
    struct gen *r = &m->gen;
    int64_t n = x->q->type.dim[x->q->type.rank - 1];
    struct activation c = {integer_constant(r, IR_I8, 1, &n, -128, 127), x->scale, -18};
    return quantized(m, gen_binary(r, IR_add, real(m, x), real(m, &c)), 2 * size_of(x));
}

static struct activation make_other_scale(struct maker_state *m, const struct activation *x)
{
    return gen_chance(&m->gen, 30) ? same_parameters(m, real(m, x), x)
                                   : quantized(m, real(m, x), size_of(x));
}

static struct activation make_softmax(struct maker_state *m, const struct activation *x)
{
    union ir_attrs attrs = {.softmax = {.axis = gen_range(&m->gen, 1, x->q->type.rank - 1)}};
    if (m->exact || m->homogeneous)
        return (struct activation){0};
    struct ir_value *y = real(m, x);
    y = gen_op(&m->gen, IR_softmax, &attrs, &y, 1);
    enum ir_dtype dtype = any_dtype(m);
    return quantized_as(m, y, dtype, 1.0f / 256, dtype == IR_I8 ? -128 : 0);
}

/* ---- graphs ---- */

typedef struct activation maker(struct maker_state *m, const struct activation *x);
static const struct {
    maker *make;
    unsigned weight;
} makers[] = {{make_float_conv, 3},  {make_conv_integer, 5}, {make_requant_shift, 4},
              {make_conv, 40},       {make_dense, 6},        {make_pool, 14},
              {make_move, 10},       {make_concat, 8},       {make_join, 14},
              {make_function, 8},    {make_channels, 4},     {make_shift, 3},
              {make_other_scale, 4}, {make_softmax, 4},      {make_product, 5}};

static const struct activation *pick(struct maker_state *m)
{
    int64_t n = (int64_t)m->made.n, far = gen_chance(&m->gen, 25) ? n : min_i64(n, 3);
    return &m->made.at[n - 1 - gen_range(&m->gen, 0, far - 1)];
}

static void step(struct maker_state *m)
{
    unsigned total = 0, i = 0;
    for (size_t k = 0; k < sizeof makers / sizeof *makers; k++)
        total += makers[k].weight;
    int64_t at = gen_range(&m->gen, 0, (int64_t)total - 1);
    while (at >= (int64_t)makers[i].weight)
        at -= makers[i++].weight;
    struct activation x = *pick(m), y = makers[i].make(m, &x);
    if (y.q && ir_count(&y.q->type) > 0 && ir_count(&y.q->type) <= GEN_MAX_ELEMENTS)
        VEC_PUSH(&m->made, y);
}

static void add_input(struct maker_state *m)
{
    static const int64_t images[][4] = {{1, 3, 9, 11}, {1, 1, 14, 14}, {1, 8, 6, 5},
                                        {1, 4, 12, 7}, {1, 9, 11, 3},  {1, 2, 1, 20}};
    static const enum ir_dtype dtypes[] = {IR_F32, IR_F32, IR_U8, IR_I8};
    struct gen *r = &m->gen;
    enum ir_dtype dtype = dtypes[gen_range(r, 0, 3)];
    if (m->spelling != GEN_EITHER) /* ports are spelled, too */
        dtype = IR_F32;
    union ir_attrs attrs = {.input = {.dtype = dtype, .shape = {4, images[gen_range(r, 0, 5)]}}};
    struct ir_value *x = gen_op(r, IR_input, &attrs, NULL, 0);
    struct activation a = {x, scale_near(m, 1.0f / 64), 0};
    if (dtype == IR_F32)
        a = quantized(m, x, 0.75f);
    else
        a.zero = any_zero(r, dtype);
    VEC_PUSH(&m->made, a);
}

static void add_output(struct maker_state *m, int64_t index, struct ir_value *x)
{
    bool half = x->type.dtype == IR_F32 && gen_chance(&m->gen, 15);
    union ir_attrs attrs = {.output = {.index = index,
                                       .dtype = half ? IR_F16 : (enum ir_dtype)x->type.dtype,
                                       .shape = {x->type.rank, x->type.dim}}};
    gen_op(&m->gen, IR_output, &attrs, &x, 1);
}

struct ir_graph *gen_quantized(uint64_t seed, const struct gen_quantization *how)
{
    struct maker_state m = {.exact = how->exact,
                            .homogeneous = how->unit != 0,
                            .unit = how->unit != 0 ? how->unit : 1,
                            .spelling = how->spelling};
    gen_start(&m.gen, seed, IR_TENSOR);
    add_input(&m);
    int64_t n_steps = gen_range(&m.gen, 2, 12), n_outputs = GEN_CHOICE(&m.gen, 1, 1, 1, 2);
    for (int64_t i = 0; i < n_steps; i++)
        step(&m);
    for (int64_t k = 0; k < n_outputs; k++) { /* the integers, or what they mean */
        const struct activation *a = k ? pick(&m) : &m.made.at[m.made.n - 1];
        bool integers = gen_chance(&m.gen, 60) && how->spelling == GEN_EITHER;
        add_output(&m, k, integers ? a->q : real(&m, a));
    }
    for (size_t i = 0; i < m.leaving.n; i++)
        add_output(&m, n_outputs + (int64_t)i, m.leaving.at[i]);
    VEC_FREE(&m.made);
    VEC_FREE(&m.leaving);
    return gen_finish(&m.gen);
}
