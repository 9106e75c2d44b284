/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_elementwise.c - operations of one element each: any layout will do that all operands have,
 * or can be brought to.
 */
#include "im2col.h"

#include "eval.h"

bool lower_unary(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view x = lowered_view(lo, op->in[0].value);
    struct ir_value *base = view_base(lo, &x);
    *out = x;
    out->type.dtype = op->out->type.dtype;
    out->base = lower_same(lo, op->attrs, &base, 1);
    return true;
}

bool lower_table(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view x = lowered_view(lo, op->in[0].value);
    struct pass_place at = lowering_place(lo);
    const struct ir_op *t = op->in[1].value->def;
    struct ir_value *in[2];
    in[0] = view_base(lo, &x);
    in[1] = pass_const_as(&at, t, 1, t->out->type.dim);
    *out = x;
    out->type.dtype = op->out->type.dtype;
    out->base = lower_same(lo, NULL, in, 2);
    return true;
}

/* ---- into integers, between them, out of them ---- */

static int64_t *parameter_axis(union ir_attrs *attrs, enum ir_opcode opcode)
{
    switch (opcode) {
    case IR_quantize: return &attrs->quantize.axis;
    case IR_dequantize: return &attrs->dequantize.axis;
    case IR_requantize: return &attrs->requantize.axis;
    default: BUG("a %s has no parameters", ir_op_descs[opcode].name);
    }
}

/* Any layout does for one number for all; else the dimension of the parameters lies on c, where
 * lanes have constants. */
static struct ir_value *parameter_layout(struct lowering *lo, struct view *x, bool one, int64_t dim)
{
    struct layout l;
    if (one)
        return view_base(lo, x);
    if (!(layout_of_view(x, &l) || layout_canonical(&x->type, &l)) || l.axis[dim] != 2)
        l = layout_around(&x->type, (uint32_t)dim, 2);
    struct ir_value *base = view_materialise(lo, x, &l);
    *x = view_of_layout(base, &x->type, &l);
    return base;
}

bool lower_quantised(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view x = lowered_view(lo, op->in[0].value);
    struct pass_place at = lowering_place(lo);
    union ir_attrs attrs = *op->attrs;
    int64_t *axis = parameter_axis(&attrs, op->opcode);
    struct ir_value *in[4];
    bool one = true;
    for (uint32_t i = 1; i < op->n_in; i++) {
        one = one && ir_count(&op->in[i].value->type) == 1;
        if (!ir_is(op->in[i].value, IR_constant))
            return lower_error(lo, "scale and zero point must be constants");
    }
    in[0] = parameter_layout(lo, &x, one, *axis);
    *axis = 2;
    for (uint32_t i = 1; i < op->n_in; i++) {
        int64_t dims[3] = {1, 1, ir_count(&op->in[i].value->type)};
        in[i] = pass_const_as(&at, op->in[i].value->def, 3, dims);
    }
    *out = x;
    out->type.dtype = op->out->type.dtype;
    out->base = lower_same(lo, &attrs, in, op->n_in);
    return true;
}

bool same_dimensions(const struct ir_type *a, const struct ir_type *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

static bool same_arrangement(const struct view *a, const struct view *b)
{
    struct atoms x = a->atoms, y = b->atoms;
    atoms_merge(&x);
    atoms_merge(&y);
    return a->base && b->base && same_dimensions(&a->base->type, &b->base->type) &&
           same_dimensions(&a->type, &b->type) && atoms_equal(&x, &y);
}

bool runtime_layout(const struct view *v, const struct ir_type *t, struct layout *out)
{
    return v->base && !ir_is(v->base, IR_constant) && same_dimensions(&v->type, t) &&
           layout_of_view(v, out);
}

/* For any type: dimensions that both operands have in full lie on c, those that one has on h, on w.
 */
static struct layout broadcast_layout(const struct ir_type *a, const struct ir_type *b,
                                      const struct ir_type *t)
{
    struct layout l;
    for (uint32_t d = 0; d < t->rank; d++) {
        bool full[2] = {a->dim[d] == t->dim[d], b->dim[d] == t->dim[d]};
        l.axis[d] = (int8_t)(full[0] && full[1] ? 2 : full[0] ? 1 : 0);
    }
    return l;
}

/* A layout in which both operands can be laid out for a result of this type. */
static struct layout common_layout(const struct view *a, const struct view *b,
                                   const struct ir_type *t)
{
    struct layout l;
    if (runtime_layout(a, t, &l) || runtime_layout(b, t, &l) || layout_canonical(t, &l))
        return l;
    return broadcast_layout(&a->type, &b->type, t);
}

/* An elementwise operation on two views, for a result of type t. */
struct pair {
    enum ir_opcode opcode;
    struct view v[2];
    struct ir_type t;
    const char *name;
};

/* What is known now is made now, as nothing folds it later. */
static struct ir_value *emit_pair(struct lowering *lo, const struct pair *p,
                                  struct ir_value *const in[2])
{
    struct pass_place at = lowering_place(lo);
    struct ir_value *v =
        pass_emit(&at, &(struct ir_new){.opcode = p->opcode, .in = in, .n_in = 2, .name = p->name});
    bool known = ir_is(in[0], IR_constant) && ir_is(in[1], IR_constant);
    struct ir_op *folded = known ? eval_fold(v->def, EVAL_FOLD_BYTES, lo->ctx->diag) : NULL;
    return folded ? folded->out : v;
}

static struct view lower_pair(struct lowering *lo, struct pair *p)
{
    struct view *v = p->v, out;
    struct ir_value *in[2];
    for (int i = 0; i < 2; i++) { /* one number for all: any layout will do */
        if (ir_count(&v[i].type) != 1 || !same_dimensions(&v[1 - i].type, &p->t))
            continue;
        in[i] = view_base(lo, &v[i]);
        in[1 - i] = view_base(lo, &v[1 - i]);
        out = v[1 - i];
        out.type = p->t;
        out.base = emit_pair(lo, p, in);
        return out;
    }
    if (same_arrangement(&v[0], &v[1])) {
        out = v[0];
        out.type = p->t;
        out.base = emit_pair(lo, p, (struct ir_value *[]){v[0].base, v[1].base});
        return out;
    }
    for (int i = 0; i < 2; i++)
        view_raise(&v[i], p->t.rank);
    struct layout l = common_layout(&v[0], &v[1], &p->t);
    for (int i = 0; i < 2; i++)
        in[i] = view_materialise(lo, &v[i], &l);
    return view_of_layout(emit_pair(lo, p, in), &p->t, &l);
}

bool lower_binary(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct pair p = {.opcode = op->opcode,
                     .v = {lowered_view(lo, op->in[0].value), lowered_view(lo, op->in[1].value)},
                     .t = op->out->type,
                     .name = op->name};
    *out = lower_pair(lo, &p);
    return true;
}

/* The dimensions that two operands have together, with a's dtype. */
static struct ir_type broadcast_type(const struct ir_type *a, const struct ir_type *b)
{
    struct ir_type t = a->rank >= b->rank ? *a : *b;
    const struct ir_type *less = a->rank >= b->rank ? b : a;
    uint32_t more = t.rank - less->rank;
    for (uint32_t d = more; d < t.rank; d++)
        t.dim[d] = t.dim[d] == 1 ? less->dim[d - more] : t.dim[d];
    t.dtype = a->dtype;
    return t;
}

/* Of no bit set: nothing would be left of it behind a mask. */
static bool is_nothing(const struct ir_value *v)
{
    const struct blob *b = ir_is(v, IR_constant) ? v->def->attrs->constant.data : NULL;
    static const char zero[8];
    return b && b->splat && memcmp(blob_data(b), zero, b->bytes) == 0;
}

/* x where the condition holds. */
static struct view masked(struct lowering *lo, const struct view *condition, const struct view *x)
{
    struct pair p = {
        .opcode = IR_mask, .v = {*condition, *x}, .t = broadcast_type(&x->type, &condition->type)};
    return lower_pair(lo, &p);
}

static struct view inverse(struct lowering *lo, const struct view *condition)
{
    static const int64_t one[3] = {1, 1, 1};
    struct pass_place at = lowering_place(lo);
    struct ir_type number = ir_type_of(IR_U8, 0, NULL), first = ir_type_of(IR_U8, 3, one);
    struct ir_value *zero = pass_constant(&at, first, blob_splat(&(uint8_t){0}, 1));
    struct layout flat = layout_flat(&number);
    struct pair p = {.opcode = IR_equal,
                     .v = {*condition, view_of_layout(zero, &number, &flat)},
                     .t = condition->type};
    return lower_pair(lo, &p);
}

/* The machine has no choice of two: what is masked out is no bit of what both masks let through. */
bool lower_where(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view condition = lowered_view(lo, op->in[0].value);
    struct view a = lowered_view(lo, op->in[1].value), b = lowered_view(lo, op->in[2].value);
    struct pair p = {.opcode = IR_merge, .t = op->out->type, .name = op->name};
    p.v[0] = masked(lo, &condition, &a);
    if (is_nothing(op->in[2].value) && same_dimensions(&p.v[0].type, &p.t)) {
        *out = p.v[0];
        return true;
    }
    condition = inverse(lo, &condition);
    p.v[1] = masked(lo, &condition, &b);
    *out = is_nothing(op->in[1].value) && same_dimensions(&p.v[1].type, &p.t) ? p.v[1]
                                                                              : lower_pair(lo, &p);
    return true;
}
