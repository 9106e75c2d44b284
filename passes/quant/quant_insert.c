/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_insert.c - the plan becomes operations: a quantize and a dequantize behind each value, a
 * dequantize behind the integers of weights and biases.
 */
#include "quant.h"

#include <math.h>

static void swap(struct quant_plan *p, struct ir_value *on, struct ir_value *off, int64_t row)
{
    p->swaps[p->n_swaps++] = (struct quant_swap){on, off, row};
}

static void insert_value(struct quant_plan *p, struct quant_value *v)
{
    struct ir_value *x = v->op->out;
    struct pass_place at = {p->graph, v->op->next, v->op->loc};
    const char *name = quant_name(v->op);
    name = *name ? arena_printf(p->arena, "%s_quantize", name) : NULL;
    struct ir_value *q = int_quantize(&at, x, &v->grid, name);
    struct ir_value *zero = q->def->n_in > 2 ? q->def->in[2].value : NULL;
    struct ir_value *real = int_dequantize(&at, q, q->def->in[1].value, zero, 0);
    ir_replace_uses(x, real);
    ir_set_operand(q->def, 0, x);
    swap(p, real, x, v->row);
}

/* A vector of all columns. */
static struct ir_value *vector(const struct pass_place *at, enum ir_dtype dtype, int64_t n,
                               const void *data)
{
    size_t bytes = (size_t)n * ir_dtype_bytes(dtype);
    return int_const_each(at, dtype, n, memcpy(heap_alloc(bytes), data, bytes));
}

/* The weights' dequantize, which layers of one constant share. */
static struct ir_value *real_weights(const struct pass_place *at, struct quant_layer *l)
{
    const struct quant_weights *w = &l->weights;
    const struct ir_type *t = &w->constant->out->type;
    if (l->same)
        return l->same->real;
    size_t n = (size_t)(w->n * w->k);
    struct blob *b = blob_own(memcpy(heap_alloc(n), l->q, n), n);
    struct ir_value *q = pass_constant(at, ir_type_of(IR_I8, t->rank, t->dim), b);
    return int_dequantize(at, q, vector(at, IR_F32, w->n, l->scale), NULL, max_i64(w->axis, 0));
}

static void insert_weights(struct quant_plan *p, struct quant_layer *l)
{
    static const int64_t exchange[2] = {1, 0};
    struct pass_place at = pass_before(l->op);
    struct ir_value *old = l->op->in[1 - l->data].value;
    l->real = real_weights(&at, l);
    struct ir_value *w = l->weights.transposed ? pass_transpose(&at, l->real, exchange) : l->real;
    ir_set_operand(l->op, 1 - l->data, w);
    swap(p, w, old, l->row);
}

/* The bias in steps of the layer's sums, [N,1,1] where two dimensions follow the columns. */
static struct ir_value *real_bias(const struct pass_place *at, const struct quant_layer *l,
                                  const struct ir_op *old)
{
    int64_t n = l->weights.n, dims[IR_MAX_RANK], after = quant_column_axis(l);
    after = l->op->out->type.rank - after;
    float *scale = heap_alloc((size_t)n * sizeof *scale);
    int32_t *q = heap_alloc((size_t)n * sizeof *q);
    for (int64_t j = 0; j < n; j++) {
        double b = old ? ir_const_f64(old, ir_count(&old->out->type) == 1 ? 0 : j) : 0;
        scale[j] = l->grid.scale * l->scale[j];
        b = rint((b + (l->correction ? l->correction[j] : 0)) / (double)scale[j]);
        q[j] = (int32_t)fmin(fmax(b, -0x1p30), 0x1p30);
    }
    for (int64_t d = 0; d < after; d++)
        dims[d] = d == 0 ? n : 1;
    struct ir_value *sums = pass_constant(at, ir_type_of(IR_I32, (uint32_t)after, dims),
                                          blob_own(q, (size_t)n * sizeof *q));
    return int_dequantize(at, sums, int_const_each(at, IR_F32, n, scale), NULL, 0);
}

static void insert_bias(struct quant_plan *p, struct quant_layer *l)
{
    struct ir_value *product = l->op->out;
    if (l->bias) {
        struct pass_place at = pass_before(l->bias);
        uint32_t i = l->bias->in[0].value == product;
        struct ir_value *old = l->bias->in[i].value;
        struct ir_value *bias = real_bias(&at, l, old->def);
        ir_set_operand(l->bias, i, bias);
        swap(p, bias, old, l->row);
    } else if (l->correction) {
        struct pass_place at = {l->op->graph, l->op->next, l->op->loc};
        struct ir_value *bias = real_bias(&at, l, NULL);
        struct ir_value *sum = pass_emit2(&at, IR_add, NULL, product, bias);
        ir_replace_uses(product, sum);
        ir_set_operand(sum->def, 0, product);
        swap(p, sum, product, l->row);
    }
}

void quant_insert(struct quant_plan *p)
{
    p->swaps = ARENA_ARRAY(p->arena, struct quant_swap, 2 * p->n_layers + p->n_values);
    for (size_t i = 0; i < p->n_layers; i++) {
        insert_weights(p, &p->layers[i]);
        insert_bias(p, &p->layers[i]);
    }
    for (size_t i = 0; i < p->n_values; i++)
        insert_value(p, &p->values[i]);
}

void quant_forget_floats(struct quant_plan *p)
{
    for (size_t i = 0; i < p->n_swaps; i++)
        pass_remove_unused(p->swaps[i].off);
}
