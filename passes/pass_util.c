/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pass_util.c - making operations and constants, and reading constants: see passes_internal.h. */
#include "passes_internal.h"

#include <math.h>

#include <stdlib.h>
#include <string.h>

struct pass_place pass_before(struct ir_op *op)
{
    return (struct pass_place){.g = op->graph, .before = op, .loc = op->loc};
}

struct ir_value *pass_emit(const struct pass_place *at, const struct ir_new *desc)
{
    struct ir_new located = *desc;
    located.loc = at->loc;
    struct diag *d = diag_new();
    struct ir_op *op = ir_op_new(at->g, at->before, &located, d);
    if (!op)
        BUG("a pass made a misfit: %s", d->first ? d->first->text : "no reason given");
    diag_free(d);
    return op->out;
}

struct ir_value *pass_emit1(const struct pass_place *at, enum ir_opcode opcode,
                            const union ir_attrs *attrs, struct ir_value *a)
{
    return pass_emit(at, &(struct ir_new){.opcode = opcode, .in = &a, .n_in = 1, .attrs = attrs});
}

struct ir_value *pass_emit2(const struct pass_place *at, enum ir_opcode opcode,
                            const union ir_attrs *attrs, struct ir_value *a, struct ir_value *b)
{
    struct ir_value *in[] = {a, b};
    return pass_emit(at, &(struct ir_new){.opcode = opcode, .in = in, .n_in = 2, .attrs = attrs});
}

bool pass_lose(struct ir_op *op, int64_t index)
{
    const struct ir_type *t = &op->out->type;
    if (t->dtype != IR_F32 && t->dtype != IR_I32 && t->dtype != IR_U8 && t->dtype != IR_BOOL)
        return false;
    union ir_attrs attrs = {
        .input = {.index = index, .dtype = (enum ir_dtype)t->dtype, .shape = {t->rank, t->dim}}};
    struct pass_place at = pass_before(op);
    pass_replace(op, pass_emit(&at, &(struct ir_new){.opcode = IR_input, .attrs = &attrs}));
    return true;
}

struct ir_value *pass_reshape(const struct pass_place *at, struct ir_value *a,
                              const struct ir_type *to)
{
    union ir_attrs attrs = {.reshape = {.shape = {.n = to->rank, .at = to->dim}}};
    return pass_emit1(at, IR_reshape, &attrs, a);
}

struct ir_value *pass_transpose(const struct pass_place *at, struct ir_value *a,
                                const int64_t *perm)
{
    union ir_attrs attrs = {.transpose = {.perm = {.n = a->type.rank, .at = perm}}};
    return pass_emit1(at, IR_transpose, &attrs, a);
}

struct ir_value *pass_constant(const struct pass_place *at, struct ir_type type, struct blob *b)
{
    return ir_const_new(at->g, at->before, type, b, NULL, at->loc)->out;
}

struct ir_value *pass_const_of(const struct pass_place *at, uint32_t rank, const int64_t *dims,
                               struct blob *b)
{
    return pass_constant(at, ir_type_of(IR_F32, rank, dims), b);
}

struct ir_value *pass_const(const struct pass_place *at, uint32_t rank, const int64_t *dims,
                            float *data)
{
    struct ir_type t = ir_type_of(IR_F32, rank, dims);
    return pass_const_of(at, rank, dims, blob_own(data, (size_t)ir_count(&t) * sizeof *data));
}

struct ir_value *pass_const_splat(const struct pass_place *at, uint32_t rank, const int64_t *dims,
                                  float x)
{
    return pass_const_of(at, rank, dims, blob_splat(&x, sizeof x));
}

struct ir_value *pass_const_as(const struct pass_place *at, const struct ir_op *old, uint32_t rank,
                               const int64_t *dims)
{
    struct ir_type type = ir_type_of((enum ir_dtype)old->out->type.dtype, rank, dims);
    return pass_constant(at, type, blob_ref(old->attrs->constant.data));
}

struct ir_value *pass_const_permuted(const struct pass_place *at, const struct ir_op *old,
                                     uint32_t rank, const int64_t *dims,
                                     const struct blob_axis *axes, uint32_t n_axes)
{
    enum ir_dtype dtype = (enum ir_dtype)old->out->type.dtype;
    struct blob *b = old->attrs->constant.data;
    size_t element = ir_dtype_bytes(dtype);
    if (element != 1 && element != 4)
        BUG("a constant of %s is permuted", ir_dtype_name(dtype));
    b = element == 1 ? blob_permuted_bytes(b, axes, n_axes) : blob_permuted(b, axes, n_axes);
    return pass_constant(at, ir_type_of(dtype, rank, dims), b);
}

void pass_replace(struct ir_op *old, struct ir_value *with)
{
    ir_replace_uses(old->out, with);
    ir_op_remove(old);
}

void pass_remove_unused(struct ir_value *v)
{
    VEC(struct ir_value *) todo = {0};
    VEC_PUSH(&todo, v);
    while (todo.n) {
        struct ir_op *op = todo.at[--todo.n]->def;
        if (!op->graph || op->out->uses || pass_has_trait(op, IR_IO))
            continue;
        for (uint32_t i = 0; i < op->n_in; i++)
            VEC_PUSH(&todo, op->in[i].value);
        ir_op_remove(op);
        op->graph = NULL; /* an operand named twice comes up twice */
    }
    VEC_FREE(&todo);
}

struct pass_floats pass_floats(const struct ir_op *op)
{
    const struct blob *b = op->attrs->constant.data;
    return (struct pass_floats){.at = blob_data(b), .step = b->splat ? 0 : sizeof(float)};
}

bool pass_is_per_channel(const struct ir_type *k, const struct ir_type *t, uint32_t channel)
{
    if (k->rank > t->rank)
        return false;
    for (uint32_t i = 0; i < k->rank; i++) {
        uint32_t d = t->rank - k->rank + i;
        if (k->dim[i] != 1 && (d != channel || k->dim[i] != t->dim[channel]))
            return false;
    }
    return true;
}

const struct ir_op *pass_f32_constant(const struct ir_value *v)
{
    return ir_is(v, IR_constant) && v->type.dtype == IR_F32 ? v->def : NULL;
}

const struct ir_op *pass_matrix_constant(const struct ir_value *v, bool *out_transposed)
{
    *out_transposed =
        ir_is(v, IR_transpose) && v->type.rank == 2 && v->def->attrs->transpose.perm.at[0] == 1;
    return pass_f32_constant(*out_transposed ? v->def->in[0].value : v);
}

bool pass_is_weights(const struct ir_value *v)
{
    while (ir_is(v, IR_dequantize) || ir_is(v, IR_transpose) || ir_is(v, IR_reshape))
        v = v->def->in[0].value;
    return ir_is(v, IR_constant);
}

bool pass_has_form(const struct ir_op *op)
{
    const unsigned run_time =
        1u << IR_F32 | 1u << IR_U8 | 1u << IR_I8 | 1u << IR_I32 | 1u << IR_BOOL;
    if (op->opcode == IR_pow && op->out->type.dtype != IR_F32)
        return false;
    return !op->out || run_time >> op->out->type.dtype & 1;
}

bool pass_constant_operand(const struct ir_op *x, uint32_t *out_index)
{
    if (x->n_in != 2)
        return false;
    bool a = pass_f32_constant(x->in[0].value), b = pass_f32_constant(x->in[1].value);
    *out_index = b ? 1 : 0;
    return a != b;
}

bool pass_is_power_of_two(float x)
{
    int exponent;
    return isnormal(x) && fabsf(frexpf(x, &exponent)) == 0.5f && isnormal(1.0f / x);
}

struct ir_op *pass_expand_hard_sigmoid(struct ir_op *op)
{
    struct pass_place at = pass_before(op);
    const struct ir_attrs_hard_sigmoid *a = &op->attrs->hard_sigmoid;
    union ir_attrs unit = {.clip = {.lo = 0, .hi = 1}};
    struct ir_value *product =
        pass_emit2(&at, IR_mul, NULL, op->in[0].value, pass_const_splat(&at, 0, NULL, a->alpha));
    struct ir_value *sum =
        pass_emit2(&at, IR_add, NULL, product, pass_const_splat(&at, 0, NULL, a->beta));
    pass_replace(
        op,
        pass_emit(&at,
                  &(struct ir_new){
                      .opcode = IR_clip, .in = &sum, .n_in = 1, .attrs = &unit, .name = op->name}));
    return product->def;
}

bool pass_has_trait(const struct ir_op *op, unsigned trait)
{
    return (ir_op_descs[op->opcode].traits & trait) != 0;
}

const char *pass_op_text(const struct ir_op *op, struct arena *a)
{
    const char *kind = ir_op_descs[op->opcode].name;
    if (*op->name)
        return arena_printf(a, "'%s' (%s)", op->name, kind);
    return op->loc.entity ? arena_printf(a, "%s (%s)", op->loc.entity, kind) : kind;
}
