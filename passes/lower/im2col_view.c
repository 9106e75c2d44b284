/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* im2col_view.c - the algebra of views and layouts: see im2col.h. Emits nothing. */
#include "im2col.h"

#include <stdlib.h>
#include <string.h>

/* ---- atoms ---- */

void atoms_merge(struct atoms *a)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        struct atom x = a->at[i];
        struct atom *last = n ? &a->at[n - 1] : NULL;
        if (last && last->stride == x.size * x.stride)
            *last = (struct atom){last->size * x.size, x.stride};
        else
            a->at[n++] = x;
    }
    a->n = n;
}

bool atoms_equal(const struct atoms *a, const struct atoms *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->at[i].size != b->at[i].size || a->at[i].stride != b->at[i].stride)
            return false;
    }
    return true;
}

void atoms_append(struct atoms *to, const struct atom *from, uint32_t n)
{
    if (to->n + n > MAX_ATOMS)
        BUG("a layout of more than %d atoms", MAX_ATOMS);
    if (n)
        memcpy(to->at + to->n, from, n * sizeof *from);
    to->n += n;
}

bool atoms_split(const struct atoms *a, const int64_t *dim, uint32_t n, struct atoms *out,
                 uint32_t *first)
{
    struct atoms rest = *a, split = {0};
    uint32_t next = 0;
    atoms_merge(&rest);
    for (uint32_t d = 0; d < n; d++) {
        if (first)
            first[d] = split.n;
        for (int64_t left = dim[d]; left > 1;) {
            if (next >= rest.n || split.n >= MAX_ATOMS)
                return false;
            struct atom *x = &rest.at[next];
            if (left % x->size == 0) {
                split.at[split.n++] = *x;
                left /= x->size;
                next++;
            } else if (x->size % left == 0) { /* the outer part of x */
                x->size /= left;
                split.at[split.n++] = (struct atom){left, x->stride * x->size};
                left = 1;
            } else {
                return false;
            }
        }
    }
    if (first)
        first[n] = split.n;
    *out = split;
    return next == rest.n;
}

void axis_strides(const int64_t dim[3], int64_t out[3])
{
    out[0] = dim[1] * dim[2];
    out[1] = dim[2];
    out[2] = 1;
}

/* ---- views ---- */

struct view view_of_layout(struct ir_value *base, const struct ir_type *t, const struct layout *l)
{
    struct view v = {.type = *t, .base = base};
    int64_t stride[3], dim_stride[IR_MAX_RANK];
    axis_strides(base->type.dim, stride);
    for (uint32_t d = t->rank; d-- > 0;) {
        if (l->axis[d] < 0)
            continue;
        dim_stride[d] = stride[l->axis[d]];
        stride[l->axis[d]] *= t->dim[d];
    }
    for (uint32_t d = 0; d < t->rank; d++) {
        if (t->dim[d] > 1)
            v.atoms.at[v.atoms.n++] = (struct atom){t->dim[d], dim_stride[d]};
    }
    return v;
}

struct view view_of_input(const struct ir_op *input)
{
    const struct ir_type *t = &input->out->type;
    struct view v = {.type = *t, .input = input};
    int64_t stride = 1, strides[IR_MAX_RANK];
    for (uint32_t d = t->rank; d-- > 0;) {
        strides[d] = stride;
        stride *= t->dim[d];
    }
    for (uint32_t d = 0; d < t->rank; d++) {
        if (t->dim[d] > 1)
            v.atoms.at[v.atoms.n++] = (struct atom){t->dim[d], strides[d]};
    }
    return v;
}

bool view_reshape(struct view *v, const struct ir_type *to)
{
    if (!atoms_split(&v->atoms, to->dim, to->rank, &v->atoms, NULL))
        return false;
    v->type = *to;
    return true;
}

/* Ones in front, as broadcasting does; always expressible. */
void view_raise(struct view *v, uint32_t rank)
{
    struct ir_type t = {.dtype = v->type.dtype, .rank = (uint8_t)rank};
    uint32_t more = rank - v->type.rank;
    for (uint32_t d = 0; d < rank; d++)
        t.dim[d] = d < more ? 1 : v->type.dim[d - more];
    if (!view_reshape(v, &t))
        BUG("a view cannot be given leading ones");
}

void view_split(const struct view *v, struct atoms *out, uint32_t first[IR_MAX_RANK + 1])
{
    if (!atoms_split(&v->atoms, v->type.dim, v->type.rank, out, first))
        BUG("the atoms of a view do not make its dimensions");
}

void view_transpose(struct view *v, const struct ir_type *to, const int64_t *perm)
{
    struct atoms old;
    uint32_t first[IR_MAX_RANK + 1];
    view_split(v, &old, first);
    v->atoms.n = 0;
    for (uint32_t i = 0; i < to->rank; i++) {
        uint32_t d = (uint32_t)perm[i];
        atoms_append(&v->atoms, old.at + first[d], first[d + 1] - first[d]);
    }
    v->type = *to;
}

void view_swap_last(struct view *v)
{
    int64_t perm[IR_MAX_RANK];
    struct ir_type t = v->type;
    uint32_t r = t.rank;
    for (uint32_t i = 0; i < r; i++)
        perm[i] = i;
    perm[r - 1] = r - 2;
    perm[r - 2] = r - 1;
    t.dim[r - 1] = v->type.dim[r - 2];
    t.dim[r - 2] = v->type.dim[r - 1];
    view_transpose(v, &t, perm);
}

/* An `input` operation has three axes, so any view of at most three merged atoms can be shown. */
bool view_slice(struct view *v, const struct ir_type *to, const int64_t *start, const int64_t *step)
{
    struct atoms old, sliced = {0};
    uint32_t first[IR_MAX_RANK + 1];
    int64_t offset = v->offset;
    view_split(v, &old, first);
    for (uint32_t d = 0; d < to->rank; d++) {
        const struct atom *x = &old.at[first[d]];
        uint32_t n = first[d + 1] - first[d];
        if (start[d] == 0 && step[d] == 1 && to->dim[d] == v->type.dim[d]) {
            atoms_append(&sliced, x, n);
            continue;
        }
        if (n != 1)
            return false;
        offset += start[d] * x->stride;
        if (to->dim[d] > 1)
            atoms_append(&sliced, &(struct atom){to->dim[d], x->stride * step[d]}, 1);
    }
    struct atoms merged = sliced;
    atoms_merge(&merged);
    if (merged.n > 3)
        return false;
    v->atoms = sliced;
    v->offset = offset;
    v->type = *to;
    return true;
}

/* The part of an atom on each axis of the base: how many steps, of how many elements of that axis
 * (size 1 where it has none). False if it steps across an axis unevenly. */
static bool atom_on_axes(const struct atom *x, const int64_t dim[3], struct atom part[3])
{
    int64_t size = x->size, stride = x->stride, below = 1;
    for (int a = 2; a >= 0; below *= dim[a--]) {
        int64_t above = below * dim[a];
        part[a] = (struct atom){1, 0};
        if (size == 1 || stride >= above)
            continue;
        if (stride % below || above % stride)
            return false;
        int64_t most = above / stride, steps = min_i64(size, most);
        if (size % steps)
            return false;
        part[a] = (struct atom){steps, stride / below};
        size /= steps;
        stride = above;
    }
    return size == 1;
}

bool view_digit(const struct view *v, uint32_t dim, struct digit *out)
{
    struct atoms split;
    uint32_t first[IR_MAX_RANK + 1];
    bool found = false;
    view_split(v, &split, first);
    for (uint32_t i = 0; v->base && i < split.n; i++) {
        struct atom part[3];
        if (!atom_on_axes(&split.at[i], v->base->type.dim, part))
            return false;
        for (int a = 0; a < 3 && i == first[dim]; a++) {
            if (part[a].size != v->type.dim[dim])
                continue;
            *out = (struct digit){.axis = a, .size = part[a].size, .inner = part[a].stride};
            out->outer = v->base->type.dim[a] / (out->size * out->inner);
            found = true;
        }
    }
    return found;
}

void view_pick(struct view *v, uint32_t dim, const struct digit *g, int64_t count)
{
    struct atoms split;
    uint32_t first[IR_MAX_RANK + 1];
    int64_t extent[3], stride[3];
    struct atom part[3];
    view_split(v, &split, first);
    memcpy(extent, v->base->type.dim, sizeof extent);
    extent[g->axis] = g->outer * count * g->inner;
    axis_strides(extent, stride);
    v->atoms.n = 0;
    for (uint32_t i = 0; i < split.n; i++) {
        if (!atom_on_axes(&split.at[i], v->base->type.dim, part))
            BUG("a view steps unevenly through an axis that has a digit of it");
        for (int a = 0; a < 3; a++) {
            bool picked = i == first[dim] && a == g->axis;
            if (a == g->axis && part[a].stride > g->inner) /* a digit outside the one picked */
                part[a].stride = part[a].stride / g->size * count;
            struct atom made = {picked ? count : part[a].size, part[a].stride * stride[a]};
            atoms_append(&v->atoms, &made, made.size > 1);
        }
    }
    v->type.dim[dim] = count;
}

bool view_reduce(const struct view *v, const bool reduced[IR_MAX_RANK], const struct ir_type *to,
                 bool on_axis[3], struct view *out)
{
    struct atoms split;
    uint32_t first[IR_MAX_RANK + 1];
    struct atom part[MAX_ATOMS][3];
    bool kept[3] = {false, false, false};
    memset(on_axis, 0, 3 * sizeof *on_axis);
    view_split(v, &split, first);
    for (uint32_t d = 0; d < v->type.rank; d++) {
        for (uint32_t i = first[d]; i < first[d + 1]; i++) {
            if (!atom_on_axes(&split.at[i], v->base->type.dim, part[i]))
                return false;
            for (int a = 0; a < 3; a++)
                *(reduced[d] ? &on_axis[a] : &kept[a]) |= part[i][a].size > 1;
        }
    }
    int64_t dim[3], stride[3];
    for (int a = 0; a < 3; a++) {
        if (on_axis[a] && kept[a])
            return false;
        dim[a] = on_axis[a] ? 1 : v->base->type.dim[a];
    }
    axis_strides(dim, stride);
    *out = (struct view){.type = *to};
    for (uint32_t d = 0; d < to->rank; d++) {
        for (uint32_t i = first[d]; !reduced[d] && i < first[d + 1]; i++) {
            for (int a = 0; a < 3; a++) {
                struct atom moved = {part[i][a].size, part[i][a].stride * stride[a]};
                atoms_append(&out->atoms, &moved, moved.size > 1);
            }
        }
    }
    return true;
}

/* ---- layouts ---- */

bool layout_canonical(const struct ir_type *t, struct layout *out)
{
    static const int8_t image[3] = {2, 0, 1}, tokens[3] = {0, 1, 2};
    const int8_t *last = t->rank >= 4 ? image : tokens;
    for (uint32_t d = 0; d < t->rank; d++) {
        uint32_t from_end = t->rank - 1 - d;
        if (from_end >= 3 && t->dim[d] != 1)
            return false;
        out->axis[d] = from_end < 3 ? last[2 - from_end] : (int8_t)-1;
    }
    return true;
}

bool layout_of_view(const struct view *v, struct layout *out)
{
    struct atoms split;
    uint32_t first[IR_MAX_RANK + 1];
    int64_t stride[3];
    if (!v->base)
        return false;
    view_split(v, &split, first);
    axis_strides(v->base->type.dim, stride);
    for (uint32_t d = 0; d < v->type.rank; d++) {
        out->axis[d] = -1;
        if (v->type.dim[d] == 1)
            continue;
        const struct atom *x = &split.at[first[d]];
        for (int8_t a = 0; a < 3 && first[d + 1] - first[d] == 1; a++) {
            if (x->stride == stride[a] && x->size == v->base->type.dim[a])
                out->axis[d] = a;
        }
        if (out->axis[d] < 0)
            return false;
    }
    return true;
}

struct layout layout_around(const struct ir_type *t, uint32_t axis, int axis_on)
{
    struct layout l;
    int after_on = axis_on == 2 ? 1 : 2;
    for (uint32_t d = 0; d < t->rank; d++)
        l.axis[d] = (int8_t)(d < axis ? 0 : d == axis ? axis_on : after_on);
    return l;
}

struct layout layout_flat(const struct ir_type *t)
{
    struct layout l;
    for (uint32_t d = 0; d < t->rank; d++)
        l.axis[d] = 2;
    return l;
}

bool layout_add(struct layout *l, const struct ir_type *t, uint32_t d)
{
    struct layout canonical;
    bool taken[3] = {false, false, false};
    if (l->axis[d] >= 0)
        return true;
    for (uint32_t i = 0; i < t->rank; i++) {
        if (l->axis[i] >= 0)
            taken[l->axis[i]] = true;
    }
    if (layout_canonical(t, &canonical) && canonical.axis[d] >= 0 && !taken[canonical.axis[d]]) {
        l->axis[d] = canonical.axis[d];
        return true;
    }
    for (int8_t a = 0; a < 3; a++) {
        if (!taken[a]) {
            l->axis[d] = a;
            return true;
        }
    }
    return false;
}

void layout_dims(const struct layout *l, const struct ir_type *t, int64_t out[3])
{
    out[0] = out[1] = out[2] = 1;
    for (uint32_t d = 0; d < t->rank; d++) {
        if (l->axis[d] >= 0)
            out[l->axis[d]] *= t->dim[d];
        else if (t->dim[d] != 1)
            BUG("dimension %u of %lld lies on no axis", d, (long long)t->dim[d]);
    }
}
