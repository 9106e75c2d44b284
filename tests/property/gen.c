/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* gen.c - random numbers, operations and the pieces that both graph generators use. */
#include "gen.h"

#include <stdlib.h>
#include <string.h>

void gen_start(struct gen *r, uint64_t seed, enum ir_stage stage)
{
    *r = (struct gen){.g = ir_graph_new("random", stage),
                      .d = diag_new(),
                      .state = seed,
                      .max_elements = GEN_MAX_ELEMENTS};
    random_next(&r->state);
}

struct ir_graph *gen_finish(struct gen *r)
{
    struct ir_graph *g = r->g;
    if (!ir_verify(g, r->d)) {
        diag_print(r->d, stderr);
        BUG("the generator made an invalid graph");
    }
    VEC_FREE(&r->values);
    diag_free(r->d);
    return g;
}

int64_t gen_range(struct gen *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(random_next(&r->state) % (uint64_t)(hi - lo + 1));
}

bool gen_chance(struct gen *r, unsigned percent)
{
    return gen_range(r, 0, 99) < (int64_t)percent;
}

int64_t gen_choice(struct gen *r, const int64_t *list, size_t n)
{
    return list[gen_range(r, 0, (int64_t)n - 1)];
}

int64_t gen_groups(struct gen *r, int64_t channels)
{
    if (!gen_chance(r, 30))
        return 1;
    int64_t group = gen_chance(r, 50) ? channels : gen_range(r, 1, channels);
    while (channels % group)
        group--;
    return group;
}

void gen_permutation(struct gen *r, int64_t *perm, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        perm[i] = i;
    for (unsigned i = n; i-- > 1;) {
        int64_t j = gen_range(r, 0, i), kept = perm[i];
        perm[i] = perm[j];
        perm[j] = kept;
    }
}

struct ir_value *gen_constant(struct gen *r, unsigned rank, const int64_t *dims, float lo, float hi)
{
    struct ir_type t = ir_type_of(IR_F32, rank, dims);
    size_t n = (size_t)ir_count(&t);
    bool splat = gen_chance(r, 5);
    float *data = heap_alloc(n * sizeof *data);
    for (size_t i = 0; i < n; i++)
        data[i] = lo + (hi - lo) * (float)(random_next(&r->state) >> 40) * 0x1p-24f;
    struct blob *b;
    if (splat) {
        b = blob_splat(data, sizeof *data);
        heap_free(data);
    } else {
        b = blob_own(data, n * sizeof *data);
    }
    return ir_const_new(r->g, NULL, t, b, NULL, (struct loc){0})->out;
}

struct ir_value *gen_op(struct gen *r, enum ir_opcode opcode, const union ir_attrs *attrs,
                        struct ir_value *const *in, uint32_t n_in)
{
    struct ir_new desc = {.opcode = opcode, .in = in, .n_in = n_in, .attrs = attrs};
    char name[32];
    if ((ir_op_descs[opcode].traits & IR_BASE) || gen_chance(r, 20)) {
        snprintf(name, sizeof name, "%s%u", ir_op_descs[opcode].name, r->n_names++);
        desc.name = name;
    }
    struct ir_op *op = ir_op_new(r->g, NULL, &desc, r->d);
    if (!op) {
        diag_print(r->d, stderr);
        BUG("the generator made an operation that does not fit");
    }
    return op->out;
}

struct ir_value *gen_unary(struct gen *r, enum ir_opcode opcode, struct ir_value *x)
{
    return gen_op(r, opcode, NULL, &x, 1);
}

struct ir_value *gen_binary(struct gen *r, enum ir_opcode opcode, struct ir_value *a,
                            struct ir_value *b)
{
    return gen_op(r, opcode, NULL, (struct ir_value *[]){a, b}, 2);
}

void gen_keep(struct gen *r, struct ir_value *v)
{
    VEC_PUSH(&r->values, v);
}

struct ir_value *gen_pick(struct gen *r)
{
    int64_t n = (int64_t)r->values.n, far = gen_chance(r, 25) ? n : min_i64(n, 3);
    return r->values.at[n - 1 - gen_range(r, 0, far - 1)];
}

struct ir_value *gen_pick_like(struct gen *r, const struct ir_type *t,
                               const struct ir_value *not_this)
{
    size_t n = r->values.n, from = (size_t)gen_range(r, 0, (int64_t)n - 1);
    for (size_t i = 0; i < n; i++) {
        struct ir_value *v = r->values.at[(from + i) % n];
        if (v != not_this && ir_type_equal(&v->type, t))
            return v;
    }
    return NULL;
}

/* ---- elementwise ---- */

static struct ir_value *number(struct gen *r, const struct ir_value *like, float x)
{
    static const int64_t ones[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    return gen_constant(r, like->type.rank, ones, x, x);
}

/* In (0.5, 1.5): may stand below a fraction, or have its logarithm taken. */
static struct ir_value *positive(struct gen *r, struct ir_value *x)
{
    struct ir_value *half = number(r, x, 0.5f);
    return gen_binary(r, IR_add, gen_unary(r, IR_sigmoid, x), half);
}

static struct ir_value *one_unary(struct gen *r, struct ir_value *x)
{
    struct ir_value *half;
    union ir_attrs leaky = {.leaky_relu = {.alpha = 0.125f + 0.25f * (float)gen_range(r, 0, 2)}};
    union ir_attrs clip = {.clip = {.lo = -0.75f, .hi = (float)gen_range(r, 1, 6)}};
    switch (gen_range(r, 0, 14)) {
    case 0: return gen_op(r, IR_leaky_relu, &leaky, &x, 1);
    case 1: return gen_op(r, IR_clip, &clip, &x, 1);
    case 2: return gen_unary(r, IR_exp, gen_unary(r, IR_tanh, x));
    case 3:
        half = number(r, x, 0.5f);
        return gen_unary(r, IR_sqrt, gen_binary(r, IR_add, gen_unary(r, IR_abs, x), half));
    case 4: return gen_unary(r, IR_sigmoid, x);
    case 5: return gen_unary(r, IR_tanh, x);
    case 6: return gen_unary(r, IR_neg, x);
    case 7: return gen_unary(r, IR_abs, x);
    case 8: return gen_unary(r, IR_log, positive(r, x));
    case 9: return gen_unary(r, IR_erf, x);
    case 10: return gen_unary(r, gen_chance(r, 50) ? IR_sin : IR_cos, x);
    case 11: return gen_binary(r, IR_mul, x, gen_unary(r, IR_sigmoid, x));
    case 12: return gen_binary(r, IR_pow, positive(r, x), number(r, x, -1.5f));
    case 13: /* read by three */
        x = gen_unary(r, IR_tanh, x);
        return gen_binary(r, IR_sub, gen_binary(r, IR_mul, x, x), gen_unary(r, IR_abs, x));
    default: return gen_unary(r, IR_relu, x);
    }
}

struct ir_value *gen_elementwise(struct gen *r, struct ir_value *x)
{
    int64_t n = gen_chance(r, 5) ? 20 : gen_range(r, 1, 3); /* 20: more than one program holds */
    while (n-- > 0)
        x = one_unary(r, x);
    return x;
}

struct ir_value *gen_join(struct gen *r, struct ir_value *a, struct ir_value *b)
{
    switch (gen_range(r, 0, 6)) {
    case 0: return gen_binary(r, IR_sub, a, b);
    case 1: return gen_binary(r, IR_mul, a, gen_unary(r, IR_tanh, b));
    case 2: return gen_binary(r, IR_div, a, positive(r, b));
    case 3: return gen_binary(r, IR_min, a, b);
    case 4: return gen_binary(r, IR_max, a, b);
    default: return gen_binary(r, IR_add, a, b);
    }
}

/* ---- windows, indices ---- */

/* Every window along this axis has a cell in -counted[0] .. extent + counted[1] - 1. */
static bool meets_cells(int64_t extent, int64_t kernel, int64_t stride, int64_t dilation,
                        int64_t before, int64_t after, const int64_t counted[2])
{
    int64_t span = (kernel - 1) * dilation + 1;
    if (extent + before + after < span)
        return false;
    for (int64_t at = -before; at + span <= extent + after; at += stride) {
        bool meets = false;
        for (int64_t k = 0; k < kernel; k++)
            meets = meets ||
                    (at + k * dilation >= -counted[0] && at + k * dilation < extent + counted[1]);
        if (!meets)
            return false;
    }
    return true;
}

bool gen_pool_attrs(struct gen *r, int64_t h, int64_t w, bool average, union ir_attrs *out)
{
    int64_t extent[2] = {h, w}, kernel[2], stride[2], dilation[2], pad[4], counted[4];
    bool count_pad = average && gen_chance(r, 50);
    for (int a = 0; a < 2; a++) {
        kernel[a] = gen_range(r, 1, 3);
        stride[a] = gen_range(r, 1, 3);
        dilation[a] = GEN_CHOICE(r, 1, 1, 1, 2);
        pad[a] = GEN_CHOICE(r, 0, 0, 1, 2);
        pad[a + 2] = GEN_CHOICE(r, 0, 0, 1, 2);
        counted[a] = gen_range(r, 0, pad[a]);
        counted[a + 2] = gen_range(r, 0, pad[a + 2]);
        const int64_t more[2] = {count_pad ? counted[a] : 0, count_pad ? counted[a + 2] : 0};
        if (!meets_cells(extent[a], kernel[a], stride[a], dilation[a], pad[a], pad[a + 2], more))
            return false;
    }
    *out = (union ir_attrs){0};
    if (average) {
        memcpy(out->avg_pool.kernel, kernel, sizeof kernel);
        memcpy(out->avg_pool.stride, stride, sizeof stride);
        memcpy(out->avg_pool.dilation, dilation, sizeof dilation);
        memcpy(out->avg_pool.pad, pad, sizeof pad);
        out->avg_pool.count_pad = count_pad;
        memcpy(out->avg_pool.counted, counted, sizeof counted);
    } else {
        memcpy(out->max_pool.kernel, kernel, sizeof kernel);
        memcpy(out->max_pool.stride, stride, sizeof stride);
        memcpy(out->max_pool.dilation, dilation, sizeof dilation);
        memcpy(out->max_pool.pad, pad, sizeof pad);
    }
    return true;
}

bool gen_overlap_attrs(struct gen *r, int64_t h, int64_t w, const int64_t kernel[2],
                       union ir_attrs *out)
{
    int64_t extent[2] = {h, w};
    struct ir_attrs_overlap_add *o = &out->overlap_add;
    *out = (union ir_attrs){0};
    for (int a = 0; a < 2; a++) {
        o->kernel[a] = kernel[a];
        o->stride[a] = gen_chance(r, 40) ? kernel[a] : gen_range(r, 1, 4);
        o->dilation[a] = GEN_CHOICE(r, 1, 1, 1, 2, 3);
        o->pad[a] = GEN_CHOICE(r, 0, 0, 0, 1, 2, -1);
        o->pad[a + 2] = GEN_CHOICE(r, 0, 0, 0, 1, -1, -2);
        int64_t n = (extent[a] - 1) * o->stride[a] + (kernel[a] - 1) * o->dilation[a] + 1 -
                    o->pad[a] - o->pad[a + 2];
        if (n < 1 || n > 40)
            return false;
    }
    return true;
}

struct ir_value *gen_reduce(struct gen *r, struct ir_value *x)
{
    int64_t axes[IR_MAX_RANK], n = 1;
    uint32_t n_axes = 0;
    for (uint32_t d = 0; d < x->type.rank; d++) {
        if (!gen_chance(r, 45))
            continue;
        axes[n_axes++] = d;
        n *= x->type.dim[d];
    }
    if (n_axes == 0)
        return NULL;
    bool is_max = gen_chance(r, 40);
    union ir_attrs attrs = {
        .reduce = {.kind = is_max ? IR_REDUCE_MAX : IR_REDUCE_SUM, .axes = {n_axes, axes}}};
    struct ir_value *y = gen_op(r, IR_reduce, &attrs, &x, 1);
    return is_max ? y : gen_binary(r, IR_mul, y, number(r, y, 1.0f / (float)n));
}

void gen_index(struct gen *r, int64_t extent, int64_t count, bool holes, int64_t *out)
{
    int64_t kind = gen_range(r, 0, 3);
    for (int64_t i = 0; i < count; i++) {
        switch (kind) {
        case 0: out[i] = i * extent / count; break; /* nearest */
        case 1: out[i] = extent - 1 - i % extent; break;
        case 2: out[i] = i % extent; break;
        default: out[i] = gen_range(r, 0, extent - 1);
        }
        if (holes && gen_chance(r, 15))
            out[i] = -1;
    }
}

struct ir_value *gen_take(struct gen *r, struct ir_value *x)
{
    if (x->type.rank == 0)
        return NULL;
    int64_t axis = gen_range(r, 0, x->type.rank - 1), extent = x->type.dim[axis];
    bool same_everywhere = gen_chance(r, 40);
    struct ir_type t = x->type;
    t.dtype = IR_I32;
    for (unsigned d = 0; d < t.rank; d++)
        t.dim[d] = d == axis ? gen_range(r, 1, extent) : same_everywhere ? 1 : t.dim[d];
    size_t n = (size_t)ir_count(&t);
    int32_t *index = heap_alloc(n * sizeof *index);
    for (size_t i = 0; i < n; i++)
        index[i] = (int32_t)gen_range(r, -extent - 1, extent);
    struct blob *b = blob_own(index, n * sizeof *index);
    struct ir_value *in[] = {x, ir_const_new(r->g, NULL, t, b, NULL, (struct loc){0})->out};
    union ir_attrs attrs = {.take = {.axis = axis, .value = gen_chance(r, 50) ? 0.5f : 0}};
    return gen_op(r, IR_take, &attrs, in, 2);
}
