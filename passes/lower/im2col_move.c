/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_move.c - brings a view's tensor into a wanted layout with the fewest moves it can find:
 * nothing at all, the strides of an `input`, a permuted constant, one transpose, slices side by
 * side, one reshape between nesting orders, one gather_grid (a shuffle within an axis), or a
 * sequence of reshapes and transposes.
 */
#include "im2col.h"

#include <stdlib.h>
#include <string.h>

/* What is wanted, in terms of the base's (h, w, c) order. */
struct target {
    int64_t dim[3];
    struct atoms axis[3]; /* of each wanted axis */
    struct atoms all;     /* the three one after another, merged */
};

struct pass_place lowering_place(const struct lowering *lo)
{
    return (struct pass_place){.g = lo->g, .loc = lo->op->loc};
}

static struct target target_of(const struct view *v, const struct layout *l)
{
    struct target t = {0};
    struct atoms split;
    uint32_t first[IR_MAX_RANK + 1];
    view_split(v, &split, first);
    layout_dims(l, &v->type, t.dim);
    for (uint32_t d = 0; d < v->type.rank; d++) {
        if (l->axis[d] >= 0)
            atoms_append(&t.axis[l->axis[d]], split.at + first[d], first[d + 1] - first[d]);
    }
    for (int a = 0; a < 3; a++) {
        atoms_merge(&t.axis[a]);
        atoms_append(&t.all, t.axis[a].at, t.axis[a].n);
    }
    atoms_merge(&t.all);
    return t;
}

/* The base's axes in some nesting order, merged. */
static struct atoms base_atoms(const int64_t dim[3], const uint8_t axis[3])
{
    struct atoms a = {0};
    int64_t stride[3];
    axis_strides(dim, stride);
    for (int i = 0; i < 3; i++) {
        if (dim[axis[i]] > 1)
            a.at[a.n++] = (struct atom){dim[axis[i]], stride[axis[i]]};
    }
    atoms_merge(&a);
    return a;
}

/* ---- emitting ---- */

static struct ir_value *reshape_at_once(struct lowering *lo, struct ir_value *x,
                                        const int64_t dim[3], enum ir_order from, enum ir_order to)
{
    struct pass_place at = lowering_place(lo);
    union ir_attrs attrs = {.reshape = {.shape = {3, dim}, .from = from, .to = to}};
    lo->n_rearrangements++;
    return pass_emit1(&at, IR_reshape, &attrs, x);
}

/* The outermost axis of a nesting order that steps at all, and the elements of one step. */
static int outermost(enum ir_order order, const int64_t dim[3], int64_t *step)
{
    int axis = 2, i = 0;
    for (*step = dim[0] * dim[1] * dim[2]; i < 3; i++) {
        axis = ir_order_axes(order)[i];
        if (dim[axis] > 1)
            break;
    }
    *step /= dim[axis];
    return axis;
}

static int64_t least_multiple(int64_t a, int64_t b)
{
    int64_t x = a, y = b;
    while (y) {
        int64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

static struct ir_value *emit_reshape(struct lowering *lo, struct ir_value *x, const int64_t dim[3],
                                     enum ir_order from, enum ir_order to);

int64_t lowering_covers(int axis)
{
    static const int64_t most[3] = {ARCH_MOST_ROWS, ARCH_MOST_COLUMNS, INT64_MAX};
    return most[axis];
}

static bool is_covered(const int64_t dim[3])
{
    return dim[0] <= lowering_covers(0) && dim[1] <= lowering_covers(1);
}

/* Of so many units of elements, how many make a part that one instruction covers. An axis that is
 * too long within one step of the outermost one asks for parts of one step. */
static int64_t units_covered(const int64_t dim[3], int axis, int64_t step, int64_t unit)
{
    int64_t inner[3] = {dim[0], dim[1], dim[2]};
    inner[axis] = 1;
    if (!is_covered(inner))
        return 1;
    return max_i64(lowering_covers(axis) / (unit / step), 1);
}

/* A reshape is one instruction. Where it would have more rows or columns than that covers, parts of
 * whole steps of both outermost axes are reshaped one by one and joined. */
static struct ir_value *reshape_in_parts(struct lowering *lo, struct ir_value *x,
                                         const int64_t dim[3], enum ir_order from, enum ir_order to)
{
    int64_t in_step, out_step, shape[3];
    int in_axis = outermost(from, x->type.dim, &in_step), out_axis = outermost(to, dim, &out_step);
    int64_t unit = least_multiple(in_step, out_step), units = ir_count(&x->type) / unit;
    int64_t most = min_i64(units_covered(x->type.dim, in_axis, in_step, unit),
                           units_covered(dim, out_axis, out_step, unit));
    if (units == 1 || ceil_div_i64(units, most) > MOST_PARTS)
        return reshape_at_once(lo, x, dim, from, to); /* the backend refuses it */
    uint32_t n = 0;
    struct ir_value *part[MOST_PARTS];
    memcpy(shape, dim, sizeof shape);
    for (int64_t at = 0; at < units; at += most) {
        int64_t elements = min_i64(most, units - at) * unit;
        struct ir_value *in = emit_run(lo, x, in_axis, at * unit / in_step, elements / in_step, "");
        shape[out_axis] = elements / out_step;
        part[n++] = emit_reshape(lo, in, shape, from, to);
    }
    return emit_concat(lo, part, n, (uint32_t)out_axis);
}

static struct ir_value *emit_reshape(struct lowering *lo, struct ir_value *x, const int64_t dim[3],
                                     enum ir_order from, enum ir_order to)
{
    return is_covered(x->type.dim) && is_covered(dim) ? reshape_at_once(lo, x, dim, from, to)
                                                      : reshape_in_parts(lo, x, dim, from, to);
}

static struct ir_value *emit_transpose(struct lowering *lo, struct ir_value *x,
                                       const uint8_t axis[3])
{
    struct pass_place at = lowering_place(lo);
    lo->n_rearrangements++;
    return pass_transpose(&at, x, (int64_t[]){axis[0], axis[1], axis[2]});
}

struct ir_value *emit_run(struct lowering *lo, struct ir_value *x, int axis, int64_t start,
                          int64_t count, const char *name)
{
    static const int64_t ones[3] = {1, 1, 1};
    int64_t from[3] = {0}, counts[3];
    memcpy(counts, x->type.dim, sizeof counts);
    from[axis] = start;
    counts[axis] = count;
    union ir_attrs attrs = {.slice = {.start = {3, from}, .step = {3, ones}, .count = {3, counts}}};
    struct pass_place at = lowering_place(lo);
    struct ir_new desc = {.opcode = IR_slice, .in = &x, .n_in = 1, .attrs = &attrs, .name = name};
    return pass_emit(&at, &desc);
}

static struct ir_value *reshape_plain(struct lowering *lo, struct ir_value *x, int64_t h, int64_t w,
                                      int64_t c)
{
    int64_t dim[3] = {h, w, c};
    if (memcmp(dim, x->type.dim, sizeof dim) == 0)
        return x;
    return emit_reshape(lo, x, dim, IR_HWC, IR_HWC);
}

/* ---- constants ---- */

static struct ir_value *permute_constant(struct lowering *lo, const struct ir_op *constant,
                                         const struct target *t)
{
    struct pass_place at = lowering_place(lo);
    struct blob *b = constant->attrs->constant.data;
    struct blob_axis axes[MAX_ATOMS];
    if (b->splat || t->all.n <= 1)
        return pass_const_as(&at, constant, 3, t->dim);
    for (uint32_t i = 0; i < t->all.n; i++)
        axes[i] = (struct blob_axis){t->all.at[i].size, t->all.at[i].stride};
    return pass_const_permuted(&at, constant, 3, t->dim, axes, t->all.n);
}

/* ---- values ---- */

static struct ir_value *try_transpose(struct lowering *lo, struct ir_value *base,
                                      const struct target *t)
{
    for (unsigned i = IR_HCW; i < IR_N_ORDERS; i++) {
        const uint8_t *axis = ir_order_axes((enum ir_order)i);
        struct atoms a = base_atoms(base->type.dim, axis);
        bool fits = atoms_equal(&a, &t->all);
        for (int k = 0; k < 3; k++)
            fits = fits && base->type.dim[axis[k]] == t->dim[k];
        if (fits)
            return emit_transpose(lo, base, axis);
    }
    return NULL;
}

static struct ir_value *try_reshape(struct lowering *lo, struct ir_value *base,
                                    const struct target *t)
{
    for (unsigned to = IR_HWC; to < IR_N_ORDERS; to++) {
        struct atoms want = {0};
        for (int k = 0; k < 3; k++) {
            const struct atoms *a = &t->axis[ir_order_axes((enum ir_order)to)[k]];
            atoms_append(&want, a->at, a->n);
        }
        atoms_merge(&want);
        for (unsigned from = IR_HWC; from < IR_N_ORDERS; from++) {
            struct atoms have = base_atoms(base->type.dim, ir_order_axes((enum ir_order)from));
            if (atoms_equal(&have, &want))
                return emit_reshape(lo, base, t->dim, (enum ir_order)from, (enum ir_order)to);
        }
    }
    return NULL;
}

/* Element offset of the next position along an axis, by counting in its atoms' digits. */
static int64_t next_offset(const struct atoms *a, int64_t *digit, int64_t offset)
{
    for (uint32_t i = a->n; i-- > 0;) {
        offset += a->at[i].stride;
        if (++digit[i] < a->at[i].size)
            return offset;
        offset -= a->at[i].size * a->at[i].stride;
        digit[i] = 0;
    }
    return offset;
}

/* Each axis keeps its extent and is shuffled within itself. */
static struct ir_value *try_shuffle(struct lowering *lo, struct ir_value *base,
                                    const struct target *t)
{
    int64_t stride[3];
    axis_strides(base->type.dim, stride);
    for (int k = 0; k < 3; k++) {
        if (t->dim[k] != base->type.dim[k])
            return NULL;
        for (uint32_t i = 0; i < t->axis[k].n; i++) {
            const struct atom *x = &t->axis[k].at[i];
            if (x->stride < stride[k] || x->size * x->stride > stride[k] * t->dim[k])
                return NULL;
        }
    }
    int64_t n = t->dim[0] + t->dim[1] + t->dim[2];
    int64_t *index = ARENA_ARRAY(lo->ctx->scratch, int64_t, (size_t)n), *next = index;
    for (int k = 0; k < 3; k++) {
        int64_t digit[MAX_ATOMS] = {0}, offset = 0;
        for (int64_t i = 0; i < t->dim[k]; i++) {
            *next++ = offset / stride[k];
            offset = next_offset(&t->axis[k], digit, offset);
        }
    }
    struct pass_place at = lowering_place(lo);
    union ir_attrs attrs = {.gather_grid = {.count = {3, t->dim}, .index = {(uint32_t)n, index}}};
    lo->n_rearrangements++;
    return pass_emit1(&at, IR_gather_grid, &attrs, base);
}

static enum ir_order order_of(const int64_t perm[3])
{
    unsigned order = IR_HWC;
    const uint8_t *axis = ir_order_axes(IR_HWC);
    while (axis[0] != perm[0] || axis[1] != perm[1] || axis[2] != perm[2])
        axis = ir_order_axes((enum ir_order)++ order);
    return (enum ir_order)order;
}

/* Of a value on its way from `base`: a transpose before it is but the order in which it is taken.
 */
static struct ir_value *reshape_step(struct lowering *lo, const struct ir_value *base,
                                     struct ir_value *x, int64_t h, int64_t w, int64_t c)
{
    int64_t dim[3] = {h, w, c};
    if (x == base || !ir_is(x, IR_transpose) || memcmp(dim, x->type.dim, sizeof dim) == 0)
        return reshape_plain(lo, x, h, w, c);
    struct ir_op *transpose = x->def;
    struct ir_value *from = transpose->in[0].value;
    enum ir_order order = order_of(transpose->attrs->transpose.perm.at);
    ir_op_remove(transpose);
    lo->n_rearrangements--;
    return emit_reshape(lo, from, dim, order, IR_HWC);
}

/* x in the order p, a, b, q (extents) becomes p, b, a, q. Three axes hold three blocks, so with
 * four p goes to the end and comes back. */
static struct ir_value *swap_blocks(struct lowering *lo, const struct ir_value *base,
                                    struct ir_value *x, const int64_t block[4])
{
    static const uint8_t first_two[3] = {1, 0, 2}, last_two[3] = {0, 2, 1};
    int64_t p = block[0], a = block[1], b = block[2], q = block[3];
    if (p == 1)
        return emit_transpose(lo, reshape_step(lo, base, x, a, b, q), first_two);
    if (q == 1)
        return emit_transpose(lo, reshape_step(lo, base, x, p, a, b), last_two);
    x = emit_transpose(lo, reshape_step(lo, base, x, p, a * b * q, 1), first_two);
    x = emit_transpose(lo, reshape_step(lo, base, x, a, b, q * p), first_two);
    return emit_transpose(lo, reshape_step(lo, base, x, a * b * q, p, 1), first_two);
}

static int by_stride(const void *a, const void *b)
{
    const struct atom *x = a, *y = b;
    int64_t p = llabs(x->stride), q = llabs(y->stride);
    return p > q ? -1 : p < q;
}

static int64_t product(const struct atoms *a, uint32_t from, uint32_t to)
{
    int64_t n = 1;
    for (uint32_t i = from; i < to; i++)
        n *= a->at[i].size;
    return n;
}

/* The blocks that are swapped to bring atom i of `now` to its place; false if it is there. */
static bool next_swap(struct atoms *now, const struct target *t, uint32_t i, int64_t block[4])
{
    uint32_t j = i;
    while (now->at[j].stride != t->all.at[i].stride)
        j++;
    block[0] = product(now, 0, i);
    block[1] = product(now, i, j);
    block[2] = now->at[j].size;
    block[3] = product(now, j + 1, now->n);
    struct atom moved = now->at[j];
    memmove(now->at + i + 1, now->at + i, (j - i) * sizeof *now->at);
    now->at[i] = moved;
    return j > i;
}

static struct atoms sorted(const struct atoms *a)
{
    struct atoms s = *a;
    qsort(s.at, s.n, sizeof *s.at, by_stride);
    return s;
}

/* Any permutation: sorts the base's order into the wanted one, block by block. */
static struct ir_value *rearrange_in_steps(struct lowering *lo, struct ir_value *base,
                                           const struct target *t)
{
    struct ir_value *x = base;
    struct atoms now = sorted(&t->all);
    int64_t block[4];
    for (uint32_t i = 0; i < now.n; i++)
        if (next_swap(&now, t, i, block))
            x = swap_blocks(lo, base, x, block);
    return reshape_step(lo, base, x, t->dim[0], t->dim[1], t->dim[2]);
}

/* Does that take a swap of four blocks, or three of fewer? */
static bool takes_many_steps(const struct target *t)
{
    struct atoms now = sorted(&t->all);
    int64_t block[4];
    unsigned n = 0;
    for (uint32_t i = 0; i < now.n; i++)
        if (next_swap(&now, t, i, block))
            n += block[0] == 1 || block[3] == 1 ? 1 : 3;
    return n > 2;
}

/* ---- slices side by side ---- */

enum { MOST_SLICES = 32 }; /* a view each, wherever they are read */

/* The outermost digit of axis `from` of the base is outermost on axis `to` of the target: n slices
 * along the one, each brought into `rest`, and joined along the other. */
struct slicing {
    int from, to;
    int64_t n;
    struct target rest; /* of one slice */
};

static bool find_slicing(const struct ir_value *base, const struct target *t, int from, int to,
                         struct slicing *out)
{
    const int64_t *dim = base->type.dim;
    int64_t stride[3];
    axis_strides(dim, stride);
    const struct atom *digit = &t->axis[to].at[0];
    int64_t end = stride[from] * dim[from];
    if (t->axis[to].n == 0 || digit->stride * digit->size != end || digit->stride < stride[from])
        return false;
    *out = (struct slicing){.from = from, .to = to, .n = digit->size};
    for (int a = 0; a < 3; a++) {
        out->rest.dim[a] = t->dim[a] / (a == to ? digit->size : 1);
        for (uint32_t i = a == to ? 1 : 0; i < t->axis[a].n; i++) {
            struct atom x = t->axis[a].at[i];
            x.stride /= x.stride >= end ? digit->size : 1; /* axes outside are closer together */
            atoms_append(&out->rest.axis[a], &x, 1);
        }
        atoms_append(&out->rest.all, out->rest.axis[a].at, out->rest.axis[a].n);
    }
    atoms_merge(&out->rest.all);
    return true;
}

static bool needs_nothing(const struct ir_value *base, const struct slicing *s)
{
    bool same = s->rest.all.n <= 1;
    for (int a = 0; a < 3; a++)
        same = same && s->rest.dim[a] == base->type.dim[a] / (a == s->from ? s->n : 1);
    return same;
}

static struct ir_value *rearrange(struct lowering *lo, struct ir_value *base,
                                  const struct target *t, int64_t most_slices);

/* Slices that store nothing if they need nothing else: so heads go from channels to rows and back.
 * Otherwise each of at most `most` is rearranged by itself, with one digit less to care for. */
static struct ir_value *try_slices(struct lowering *lo, struct ir_value *base,
                                   const struct target *t, int64_t most, bool as_they_are)
{
    struct slicing s;
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            if (!find_slicing(base, t, from, to, &s) || s.n > most ||
                (as_they_are && (from == to || !needs_nothing(base, &s))))
                continue;
            struct ir_value *part[MOST_SLICES];
            int64_t extent = base->type.dim[from] / s.n;
            for (int64_t i = 0; i < s.n; i++)
                part[i] = rearrange(lo, emit_run(lo, base, from, i * extent, extent, ""), &s.rest,
                                    most / s.n);
            return emit_concat(lo, part, (uint32_t)s.n, (uint32_t)to);
        }
    return NULL;
}

static struct ir_value *rearrange(struct lowering *lo, struct ir_value *base,
                                  const struct target *t, int64_t most_slices)
{
    struct ir_value *x;
    if (t->all.n <= 1 && memcmp(t->dim, base->type.dim, sizeof t->dim) == 0)
        return base;
    if (ir_is(base, IR_constant))
        return permute_constant(lo, base->def, t);
    if (t->all.n <= 1)
        return reshape_plain(lo, base, t->dim[0], t->dim[1], t->dim[2]);
    if ((x = try_transpose(lo, base, t)) || (x = try_slices(lo, base, t, most_slices, true)) ||
        (x = try_reshape(lo, base, t)) || (x = try_shuffle(lo, base, t)))
        return x;
    if (takes_many_steps(t) && (x = try_slices(lo, base, t, most_slices, false)))
        return x;
    return rearrange_in_steps(lo, base, t);
}

/* ---- inputs ---- */

static struct made_input **input_bucket(struct lowering *lo, const struct ir_op *input,
                                        const struct made_input *want)
{
    uint64_t h = hash_bytes(want->extent, sizeof want->extent, input->id);
    h = hash_bytes(want->strides, sizeof want->strides, h);
    return &lo->inputs[hash_bytes(&want->offset, sizeof want->offset, h) % INPUT_BUCKETS];
}

/* An `input` operation; the same one for the same question. */
static struct ir_value *lower_input(struct lowering *lo, const struct ir_op *input,
                                    const struct made_input *want)
{
    struct made_input **bucket = input_bucket(lo, input, want);
    for (struct made_input *m = *bucket; m; m = m->next) {
        if (m->value->def->attrs->input.index == input->attrs->input.index &&
            memcmp(m->extent, want->extent, sizeof m->extent) == 0 &&
            memcmp(m->strides, want->strides, sizeof m->strides) == 0 && m->offset == want->offset)
            return m->value;
    }
    union ir_attrs attrs = *input->attrs;
    memcpy(attrs.input.extent, want->extent, sizeof want->extent);
    memcpy(attrs.input.strides, want->strides, sizeof want->strides);
    attrs.input.offset = want->offset;
    struct pass_place at = {.g = lo->g, .loc = input->loc};
    struct ir_new desc = {.opcode = IR_input, .attrs = &attrs, .name = input->name};
    struct made_input *made = ARENA_NEW(lo->ctx->scratch, struct made_input);
    *made = *want;
    made->value = pass_emit(&at, &desc);
    made->next = *bucket;
    *bucket = made;
    lo->is_read[input->id] = true;
    return made->value;
}

void view_ground(struct lowering *lo, struct view *v)
{
    struct atoms own = v->atoms;
    atoms_merge(&own);
    qsort(own.at, own.n, sizeof *own.at, by_stride);
    atoms_merge(&own);
    if (own.n > 3)
        BUG("a view of an input with %u axes", own.n);
    struct made_input want = {.extent = {1, 1, 1}, .offset = v->offset};
    for (uint32_t i = 0; i < own.n; i++) {
        uint32_t axis = 3 - own.n + i;
        want.extent[axis] = own.at[i].size;
        want.strides[axis] = own.at[i].stride;
    }
    int64_t stride[3];
    axis_strides(want.extent, stride);
    for (uint32_t k = 0; k < v->atoms.n; k++) { /* strides outside -> strides of the new base */
        for (uint32_t i = own.n; i-- > 0;) {
            int64_t steps = v->atoms.at[k].stride / own.at[i].stride;
            if (v->atoms.at[k].stride % own.at[i].stride || steps < 1 || steps >= own.at[i].size)
                continue;
            v->atoms.at[k].stride = steps * stride[3 - own.n + i];
            break;
        }
    }
    v->base = lower_input(lo, v->input, &want);
    v->offset = 0;
}

static bool input_in_layout(struct lowering *lo, const struct view *v, const struct target *t,
                            struct ir_value **out)
{
    struct made_input want = {.offset = v->offset};
    for (int a = 0; a < 3; a++) {
        if (t->axis[a].n > 1)
            return false;
        want.extent[a] = t->dim[a];
        want.strides[a] = t->axis[a].n ? t->axis[a].at[0].stride : 0;
    }
    *out = lower_input(lo, v->input, &want);
    return true;
}

struct ir_value *view_materialise(struct lowering *lo, struct view *v, const struct layout *l)
{
    struct target t = target_of(v, l);
    if (!v->base) {
        struct ir_value *made;
        if (input_in_layout(lo, v, &t, &made)) {
            *v = view_of_layout(made, &v->type, l);
            return made;
        }
        view_ground(lo, v);
        t = target_of(v, l);
    }
    return rearrange(lo, v->base, &t, MOST_SLICES);
}
