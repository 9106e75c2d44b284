/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_take.c - take: the axis alone on one axis of the machine. Along the others the operands
 * may be broadcast, which is a matter of whole axes too.
 */
#include "im2col.h"

/* For each dimension the larger extent of the two: what lies on an axis for either of them. Where
 * the axis is chosen it counts as present. */
static struct ir_type extents(const struct ir_type *x, const struct ir_type *index, int64_t axis)
{
    struct ir_type t = *x;
    for (uint32_t d = 0; d < t.rank; d++)
        t.dim[d] = max_i64(x->dim[d], index->dim[d]);
    t.dim[axis] = max_i64(t.dim[axis], 2);
    return t;
}

/* Has the operand all of what lies on axis `a`, or one element of it? */
static bool spreads_evenly(const struct layout *l, const struct ir_type *own,
                           const struct ir_type *t, int a)
{
    uint32_t full = 0, one = 0;
    for (uint32_t d = 0; d < t->rank; d++) {
        if (l->axis[d] != a || t->dim[d] == 1)
            continue;
        full += own->dim[d] == t->dim[d];
        one += own->dim[d] == 1;
    }
    return full == 0 || one == 0;
}

/* Completes a layout of some dimensions of t; false if it does not do. */
static bool serves(struct layout *l, const struct ir_type *t, const struct ir_op *op)
{
    int64_t axis = op->attrs->take.axis;
    for (uint32_t d = 0; d < t->rank; d++)
        if (t->dim[d] > 1 && !layout_add(l, t, d))
            return false;
    for (uint32_t d = 0; d < t->rank; d++)
        if (d != axis && t->dim[d] > 1 && l->axis[d] == l->axis[axis])
            return false;
    for (int a = 0; a < 3; a++)
        for (int i = 0; i < 2; i++)
            if (a != l->axis[axis] && !spreads_evenly(l, &op->in[i].value->type, t, a))
                return false;
    return true;
}

/* That of an operand that is made on the machine, else the canonical one, else three groups. */
static bool take_layout(const struct view v[2], const struct ir_type *t, const struct ir_op *op,
                        struct layout *l)
{
    for (int i = 0; i < 2; i++)
        if (v[i].base && !ir_is(v[i].base, IR_constant) && layout_of_view(&v[i], l) &&
            serves(l, t, op))
            return true;
    if (layout_canonical(t, l) && serves(l, t, op))
        return true;
    *l = layout_around(t, (uint32_t)op->attrs->take.axis, 1);
    return serves(l, t, op);
}

bool lower_take(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    union ir_attrs attrs = *op->attrs;
    const struct ir_type *x = &op->in[0].value->type, *index = &op->in[1].value->type;
    struct ir_type t = extents(x, index, attrs.take.axis);
    struct view v[2] = {lowered_view(lo, op->in[0].value), lowered_view(lo, op->in[1].value)};
    struct ir_value *in[2];
    struct layout l;
    if (!take_layout(v, &t, op, &l))
        return lower_error(lo, "operand and indices are repeated along other dimensions");
    for (int i = 0; i < 2; i++)
        in[i] = view_materialise(lo, &v[i], &l);
    attrs.take.axis = l.axis[attrs.take.axis];
    *out = view_of_layout(lower_same(lo, &attrs, in, 2), &op->out->type, &l);
    return true;
}
