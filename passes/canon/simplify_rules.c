/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* simplify_rules.c - the rules of simplify.def, in its order: see simplify_internal.h. */
#include "simplify_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ir_op *def(const struct ir_op *op)
{
    return op->in[0].value->def;
}

static struct ir_value *emit_like(struct ir_op *op, const union ir_attrs *attrs, struct ir_value *x)
{
    struct pass_place at = pass_before(op);
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = op->opcode, .in = &x, .n_in = 1, .attrs = attrs, .name = op->name});
}

/* Has every element of the constant this property? */
static bool all_elements(const struct ir_op *constant, bool (*is)(float))
{
    struct pass_floats f = pass_floats(constant);
    int64_t n = f.step ? ir_count(&constant->out->type) : 1;
    for (int64_t i = 0; i < n; i++) {
        if (!is(pass_float(&f, i)))
            return false;
    }
    return true;
}

/* op = f(x, constant) with x of op's type; `commutes`: the constant may come first. */
static const struct ir_op *constant_of(const struct ir_op *op, bool commutes, struct ir_value **x)
{
    uint32_t i;
    if (!pass_constant_operand(op, &i) || (i == 0 && !commutes))
        return NULL;
    *x = op->in[1 - i].value;
    return ir_type_equal(&(*x)->type, &op->out->type) ? op->in[i].value->def : NULL;
}

/* ---- reshape, transpose ---- */

struct ir_value *rule_reshape_identity(struct ir_op *op)
{
    struct ir_value *x = op->in[0].value;
    return ir_type_equal(&x->type, &op->out->type) ? x : NULL;
}

struct ir_value *rule_reshape_of_reshape(struct ir_op *op)
{
    return def(op)->opcode == IR_reshape ? emit_like(op, op->attrs, def(op)->in[0].value) : NULL;
}

struct ir_value *rule_reshape_past_unary(struct ir_op *op)
{
    struct ir_op *f = def(op);
    if (!pass_has_trait(f, IR_UNARY) || def(f)->opcode != IR_reshape || !ir_has_one_use(f->out))
        return NULL;
    struct pass_place at = pass_before(op);
    struct ir_value *x = emit_like(op, op->attrs, def(f)->in[0].value);
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = f->opcode, .in = &x, .n_in = 1, .attrs = f->attrs, .name = f->name});
}

struct ir_value *rule_transpose_identity(struct ir_op *op)
{
    for (uint32_t i = 0; i < op->out->type.rank; i++) {
        if (op->attrs->transpose.perm.at[i] != i)
            return NULL;
    }
    return op->in[0].value;
}

struct ir_value *rule_transpose_of_transpose(struct ir_op *op)
{
    int64_t perm[IR_MAX_RANK];
    if (def(op)->opcode != IR_transpose)
        return NULL;
    for (uint32_t i = 0; i < op->out->type.rank; i++)
        perm[i] = def(op)->attrs->transpose.perm.at[op->attrs->transpose.perm.at[i]];
    union ir_attrs attrs = {.transpose = {.perm = {op->out->type.rank, perm}}};
    return emit_like(op, &attrs, def(op)->in[0].value);
}

/* ---- pad, slice, gather_grid, concat ---- */

struct ir_value *rule_pad_nothing(struct ir_op *op)
{
    struct ir_value *x = op->in[0].value;
    return ir_type_equal(&x->type, &op->out->type) ? x : NULL;
}

struct ir_value *rule_pad_of_pad(struct ir_op *op)
{
    const struct ir_attrs_pad *a = &op->attrs->pad, *b = &def(op)->attrs->pad;
    int64_t before[IR_MAX_RANK], after[IR_MAX_RANK];
    if (def(op)->opcode != IR_pad || a->mode != IR_PAD_CONSTANT || b->mode != IR_PAD_CONSTANT ||
        memcmp(&a->value, &b->value, sizeof a->value) != 0)
        return NULL;
    for (uint32_t i = 0; i < op->out->type.rank; i++) {
        before[i] = a->before.at[i] + b->before.at[i];
        after[i] = a->after.at[i] + b->after.at[i];
    }
    union ir_attrs attrs = *op->attrs;
    attrs.pad.before.at = before;
    attrs.pad.after.at = after;
    return emit_like(op, &attrs, def(op)->in[0].value);
}

struct ir_value *rule_slice_everything(struct ir_op *op)
{
    const struct ir_attrs_slice *a = &op->attrs->slice;
    struct ir_value *x = op->in[0].value;
    for (uint32_t i = 0; i < x->type.rank; i++) {
        if (a->count.at[i] != x->type.dim[i] || (a->step.at[i] != 1 && a->count.at[i] > 1))
            return NULL;
    }
    return x;
}

struct ir_value *rule_slice_of_slice(struct ir_op *op)
{
    const struct ir_attrs_slice *a = &op->attrs->slice, *b = &def(op)->attrs->slice;
    int64_t start[IR_MAX_RANK], step[IR_MAX_RANK];
    if (def(op)->opcode != IR_slice)
        return NULL;
    for (uint32_t i = 0; i < op->out->type.rank; i++) {
        /* One element: its step does not matter and may be too large to multiply. */
        bool one = a->count.at[i] <= 1;
        start[i] = a->count.at[i] ? b->start.at[i] + a->start.at[i] * b->step.at[i] : 0;
        step[i] = one ? 1 : a->step.at[i] * b->step.at[i];
    }
    union ir_attrs attrs = *op->attrs;
    attrs.slice.start.at = start;
    attrs.slice.step.at = step;
    return emit_like(op, &attrs, def(op)->in[0].value);
}

struct ir_value *rule_gather_everything(struct ir_op *op)
{
    struct ir_value *x = op->in[0].value;
    const int64_t *next = op->attrs->gather_grid.index.at;
    if (!ir_type_equal(&x->type, &op->out->type))
        return NULL;
    for (uint32_t d = 0; d < x->type.rank; d++) {
        for (int64_t i = 0; i < x->type.dim[d]; i++) {
            if (*next++ != i)
                return NULL;
        }
    }
    return x;
}

struct ir_value *rule_concat_with_empty(struct ir_op *op)
{
    struct ir_value *in[255]; /* the most that a concat has */
    uint32_t n = 0;
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (ir_count(&op->in[i].value->type) > 0)
            in[n++] = op->in[i].value;
    }
    if (n == 0 || n == op->n_in)
        return NULL;
    struct pass_place at = pass_before(op);
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = IR_concat, .in = in, .n_in = n, .attrs = op->attrs, .name = op->name});
}

struct ir_value *rule_concat_of_one(struct ir_op *op)
{
    return op->n_in == 1 ? op->in[0].value : NULL;
}

/* ---- arithmetic ---- */

static bool is_one(float x)
{
    return x == 1.0f;
}
static bool is_zero(float x)
{
    return x == 0.0f;
}

struct ir_value *rule_mul_by_one(struct ir_op *op)
{
    struct ir_value *x;
    const struct ir_op *c = constant_of(op, true, &x);
    return c && all_elements(c, is_one) ? x : NULL;
}

struct ir_value *rule_add_zero(struct ir_op *op)
{
    struct ir_value *x;
    const struct ir_op *c = constant_of(op, true, &x);
    return c && all_elements(c, is_zero) ? x : NULL;
}

static float negated(float x)
{
    return -x;
}
static float reciprocal(float x)
{
    return 1.0f / x;
}

/* opcode(x, f(c)), where op was another opcode of x and c. */
static struct ir_value *with_constant(struct ir_op *op, enum ir_opcode opcode, float (*f)(float))
{
    struct pass_place at = pass_before(op);
    const struct ir_op *c = op->in[1].value->def;
    struct pass_floats from = pass_floats(c);
    const struct ir_type *t = &c->out->type;
    struct ir_value *in[2] = {op->in[0].value, NULL};
    if (from.step == 0) {
        in[1] = pass_const_splat(&at, t->rank, t->dim, f(pass_float(&from, 0)));
    } else {
        int64_t n = ir_count(t);
        float *data = heap_alloc((size_t)n * sizeof *data);
        for (int64_t i = 0; i < n; i++)
            data[i] = f(pass_float(&from, i));
        in[1] = pass_const(&at, t->rank, t->dim, data);
    }
    return pass_emit(&at,
                     &(struct ir_new){.opcode = opcode, .in = in, .n_in = 2, .name = op->name});
}

struct ir_value *rule_sub_constant(struct ir_op *op)
{
    uint32_t i;
    bool matches = pass_constant_operand(op, &i) && i == 1;
    return matches ? with_constant(op, IR_add, negated) : NULL;
}

struct ir_value *rule_div_by_power_of_two(struct ir_op *op)
{
    uint32_t i;
    if (!pass_constant_operand(op, &i) || i != 1 ||
        !all_elements(op->in[1].value->def, pass_is_power_of_two))
        return NULL;
    return with_constant(op, IR_mul, reciprocal);
}

/* ---- activations ---- */

/* clip(x, lo, hi) = min(max(x, lo), hi), and max(relu(x), lo) = max(x, max(lo, 0)). */
struct ir_value *rule_clip_of_relu(struct ir_op *op)
{
    union ir_attrs attrs = *op->attrs;
    if (def(op)->opcode != IR_relu)
        return NULL;
    attrs.clip.lo = fmaxf(attrs.clip.lo, 0.0f);
    return emit_like(op, &attrs, def(op)->in[0].value);
}

/* Fewer bits than 8 are written like this (QCDQ). */
struct ir_value *rule_clip_of_quantize(struct ir_op *op)
{
    struct ir_op *q = def(op);
    const struct ir_attrs_clip *clip = &op->attrs->clip;
    union ir_attrs attrs = *q->attrs;
    struct ir_value *in[3];
    if (q->opcode != IR_quantize || !ir_has_one_use(q->out) || !(clip->lo <= clip->hi))
        return NULL;
    double lo = fmax((double)attrs.quantize.lo, (double)ceilf(clip->lo));
    double hi = fmin((double)attrs.quantize.hi, (double)floorf(clip->hi));
    if (lo > hi)
        return NULL; /* one value is left */
    attrs.quantize.lo = (int64_t)lo;
    attrs.quantize.hi = (int64_t)hi;
    for (uint32_t i = 0; i < q->n_in; i++)
        in[i] = q->in[i].value;
    struct pass_place at = pass_before(op);
    return pass_emit(&at, &(struct ir_new){.opcode = IR_quantize,
                                           .in = in,
                                           .n_in = q->n_in,
                                           .attrs = &attrs,
                                           .name = *op->name ? op->name : q->name});
}

struct ir_value *rule_clip_as_relu(struct ir_op *op)
{
    struct pass_place at = pass_before(op);
    if (op->attrs->clip.lo != 0.0f || op->attrs->clip.hi != INFINITY)
        return NULL;
    struct ir_value *x = op->in[0].value;
    return pass_emit(&at,
                     &(struct ir_new){.opcode = IR_relu, .in = &x, .n_in = 1, .name = op->name});
}

struct ir_value *rule_relu_of_nonnegative(struct ir_op *op)
{
    const struct ir_attrs_clip *clip = &def(op)->attrs->clip;
    bool matches = def(op)->opcode == IR_relu ||
                   (def(op)->opcode == IR_clip && clip->lo >= 0.0f && clip->hi >= 0.0f);
    return matches ? op->in[0].value : NULL;
}

/* ---- pooling ---- */

static bool is_one_by_one(const int64_t kernel[2], const int64_t stride[2], const int64_t pad[4])
{
    return kernel[0] == 1 && kernel[1] == 1 && stride[0] == 1 && stride[1] == 1 && !pad[0] &&
           !pad[1] && !pad[2] && !pad[3];
}

struct ir_value *rule_max_pool_of_one(struct ir_op *op)
{
    const struct ir_attrs_max_pool *a = &op->attrs->max_pool;
    return is_one_by_one(a->kernel, a->stride, a->pad) ? op->in[0].value : NULL;
}

struct ir_value *rule_avg_pool_of_one(struct ir_op *op)
{
    const struct ir_attrs_avg_pool *a = &op->attrs->avg_pool;
    bool same_type = op->in[0].value->type.dtype == op->out->type.dtype; /* not of bytes */
    return same_type && is_one_by_one(a->kernel, a->stride, a->pad) ? op->in[0].value : NULL;
}

struct ir_value *rule_overlap_add_of_one(struct ir_op *op)
{
    const struct ir_attrs_overlap_add *a = &op->attrs->overlap_add;
    return is_one_by_one(a->kernel, a->stride, a->pad) ? op->in[0].value : NULL;
}

struct ir_value *rule_reduce_of_one(struct ir_op *op)
{
    return ir_type_equal(&op->in[0].value->type, &op->out->type) ? op->in[0].value : NULL;
}

/* ---- matmul ---- */

struct ir_value *rule_matmul_by_matrix(struct ir_op *op)
{
    const struct ir_op *c = pass_f32_constant(op->in[1].value);
    if (!c || c->out->type.rank == 2)
        return NULL;
    const struct ir_type *t = &c->out->type;
    for (int d = 0; d + 2 < t->rank; d++) {
        if (t->dim[d] != 1)
            return NULL;
    }
    int64_t matrix[2] = {t->dim[0], 1};
    if (t->rank > 2)
        memcpy(matrix, &t->dim[t->rank - 2], sizeof matrix);
    struct pass_place at = pass_before(op);
    struct ir_value *in[2] = {op->in[0].value, pass_const_as(&at, c, 2, matrix)};
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name};
    struct ir_value *product = pass_emit(&at, &desc);
    return ir_type_equal(&product->type, &op->out->type)
               ? product
               : pass_reshape(&at, product, &op->out->type);
}
