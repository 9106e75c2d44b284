/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gen_window.c - random CROSSBAR graphs of one or two base layers whose products may yield several
 * pixels: all that decides what a window reads, of floats or of integers.
 */
#include "gen.h"

#include <math.h>

static struct ir_value *integers(struct gen *r, enum ir_dtype dtype, unsigned rank,
                                 const int64_t *dims, int64_t lo, int64_t hi)
{
    struct ir_type t = ir_type_of(dtype, rank, dims);
    size_t n = (size_t)ir_count(&t), bytes = ir_dtype_bytes(dtype);
    uint8_t *data = heap_alloc(n * bytes);
    for (size_t i = 0; i < n; i++) {
        int64_t x = gen_range(r, lo, hi);
        if (bytes == 1)
            data[i] = (uint8_t)x;
        else
            ((int32_t *)data)[i] = (int32_t)x;
    }
    return ir_const_new(r->g, NULL, t, blob_own(data, n * bytes), NULL, (struct loc){0})->out;
}

static struct ir_value *pad(struct gen *r, struct ir_value *x)
{
    int64_t before[3] = {0}, after[3] = {0};
    for (int a = 0; a < 2; a++) {
        before[a] = gen_range(r, 0, 3);
        after[a] = gen_range(r, 0, 3);
    }
    union ir_attrs attrs = {.pad = {.before = {3, before},
                                    .after = {3, after},
                                    .mode = IR_PAD_CONSTANT,
                                    .value = gen_chance(r, 30) ? 3.0f : 0.0f}};
    return gen_op(r, IR_pad, &attrs, &x, 1);
}

/* Columns of the layer: few, or so many that blocks of columns cut pixels of a patch. */
static int64_t channels_out(struct gen *r, int64_t group)
{
    return group > 1 ? group * GEN_CHOICE(r, 1, 1, 2, 3) : GEN_CHOICE(r, 1, 2, 3, 5, 7, 12, 19);
}

/* Bytes of fewer bits, by a table. */
static struct ir_value *few_bits(struct gen *r, struct ir_value *x)
{
    const int64_t n = 256;
    struct ir_value *in[2] = {x, integers(r, IR_U8, 1, &n, 0, GEN_CHOICE(r, 1, 7, 15, 100))};
    return gen_op(r, IR_table, NULL, in, 2);
}

static struct ir_value *layer(struct gen *r, struct ir_value *x)
{
    if (x->type.dtype == IR_U8 && gen_chance(r, 30))
        x = few_bits(r, x);
    if (gen_chance(r, 70))
        x = pad(r, x);
    const int64_t *d = x->type.dim;
    bool floats = x->type.dtype == IR_F32;
    int64_t bits = floats ? 0 : GEN_CHOICE(r, 1, 2, 3, 4, 6, 8, 8, 8), half = (1 << bits) / 2;
    union ir_attrs attrs = {.mvm = {.x_bits = floats ? 0 : 8, .weight_bits = bits}};
    struct ir_attrs_mvm *m = &attrs.mvm;
    for (int a = 0; a < 2; a++) {
        m->kernel[a] = gen_range(r, 1, min_i64(d[a], gen_chance(r, 25) ? 7 : 3));
        m->dilation[a] = (m->kernel[a] - 1) * 2 < d[a] && gen_chance(r, 30) ? 2 : 1;
        m->stride[a] = GEN_CHOICE(r, 1, 1, 2, 3);
    }
    m->group = gen_groups(r, d[2]);
    int64_t k = m->kernel[0] * m->kernel[1] * d[2] / m->group, n = channels_out(r, m->group);
    float scale = 1.7f / sqrtf((float)k);
    const int64_t matrix[2] = {k, n};
    struct ir_value *in[3] = {x};
    in[1] = floats ? gen_constant(r, 2, matrix, -scale, scale)
                   : integers(r, IR_I8, 2, matrix, -half, half - 1);
    bool centers = !floats && gen_chance(r, 50);
    if (centers)
        in[2] = integers(r, IR_I32, 1, &n, 1 - half, half);
    return gen_op(r, IR_mvm, &attrs, in, centers ? 3 : 2);
}

static struct ir_value *input(struct gen *r)
{
    int64_t dim[3] = {gen_range(r, 1, 12), gen_range(r, 1, 14),
                      gen_chance(r, 20) ? gen_range(r, 7, 20) : gen_range(r, 1, 6)};
    enum ir_dtype dtype = gen_chance(r, 50) ? IR_F32 : IR_U8;
    union ir_attrs attrs = {.input = {.dtype = dtype,
                                      .shape = {3, dim},
                                      .extent = {dim[0], dim[1], dim[2]},
                                      .strides = {dim[1] * dim[2], dim[2], 1}}};
    return gen_op(r, IR_input, &attrs, NULL, 0);
}

struct ir_graph *gen_window(uint64_t seed)
{
    struct gen r;
    gen_start(&r, seed, IR_CROSSBAR);
    struct ir_value *x = layer(&r, input(&r));
    if (x->type.dtype == IR_F32 && gen_chance(&r, 60))
        x = gen_unary(&r, IR_relu, x);
    if (x->type.dtype == IR_F32 && gen_chance(&r, 30))
        x = layer(&r, x);
    const int64_t *d = x->type.dim;
    union ir_attrs attrs = {
        .output = {.dtype = x->type.dtype, .shape = {3, d}, .strides = {d[1] * d[2], d[2], 1}}};
    gen_op(&r, IR_output, &attrs, &x, 1);
    return gen_finish(&r);
}
