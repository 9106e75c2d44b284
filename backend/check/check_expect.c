/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_expect.c - which element must lie where, as a tag.
 *
 * Concat and slice store nothing: their elements ARE elements of their operands, so a value is
 * described by boxes (pieces) of tags of stored values. Reshape, transpose, pad and gather_grid may
 * be computed or left to a view's pitches; a leaf with depth > 0 looks through them, element by
 * element.
 */
#include "check_run.h"

#include <string.h>

static const struct value_map *map_of(struct check *k, const struct ir_op *op);

static struct map_piece range_piece(const struct tag_range *r)
{
    struct map_piece m = {.base = (int64_t)r->base, .pitch = {r->dim[1] * r->dim[2], r->dim[2], 1}};
    memcpy(m.hi, r->dim, sizeof m.hi);
    return m;
}

/* The operands' pieces one after the other along the axis. */
static void map_concat(struct check *k, const struct ir_op *op, struct value_map *out)
{
    int64_t axis = op->attrs->concat.axis, shift = 0;
    uint32_t most = 0, n = 0;
    for (uint32_t i = 0; i < op->n_in; i++)
        most += map_of(k, op->in[i].value->def)->n;
    out->at = ARENA_ARRAY(k->arena, struct map_piece, most + (size_t)1);
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *part = op->in[i].value->def;
        const struct value_map *m = map_of(k, part);
        for (uint32_t j = 0; j < m->n; j++) {
            out->at[n] = m->at[j];
            out->at[n].lo[axis] += shift;
            out->at[n++].hi[axis] += shift;
        }
        shift += check_dim(part, (unsigned)axis);
    }
    out->n = n;
}

/* Positions j in [0, count) with start + j * step in [lo, hi), as a range; the first tag moves
 * along. */
static bool slice_axis(struct map_piece *p, unsigned axis, int64_t start, int64_t step,
                       int64_t count)
{
    int64_t first = count, end = 0;
    for (int64_t j = 0; j < count; j++) {
        int64_t at = start + j * step;
        if (at < p->lo[axis] || at >= p->hi[axis])
            continue;
        first = min_i64(first, j);
        end = j + 1;
    }
    if (first >= end)
        return false;
    p->base += (start + first * step - p->lo[axis]) * p->pitch[axis];
    p->pitch[axis] *= step;
    p->lo[axis] = first;
    p->hi[axis] = end;
    return true;
}

static bool slice_piece(const struct ir_op *op, struct map_piece *p)
{
    const struct ir_attrs_slice *s = &op->attrs->slice;
    for (unsigned axis = 0; axis < 3; axis++)
        if (!slice_axis(p, axis, s->start.at[axis], s->step.at[axis], s->count.at[axis]))
            return false;
    return true;
}

struct pieces {
    VEC(struct map_piece) v;
};

/* What the slice shows of x, which begins at `first` of the slice's operand. Of a concat only parts
 * that it shows are asked: another may be a state that continues this very slice. */
static void add_shown(struct check *k, const struct ir_op *slice, const struct ir_op *x,
                      const int64_t first[3], struct pieces *out)
{
    struct map_piece whole = {0};
    for (unsigned i = 0; i < 3; i++) {
        whole.lo[i] = first[i];
        whole.hi[i] = first[i] + check_dim(x, i);
    }
    if (!slice_piece(slice, &whole))
        return;
    if (x->opcode == IR_concat) {
        int64_t axis = x->attrs->concat.axis, at[3] = {first[0], first[1], first[2]};
        for (uint32_t i = 0; i < x->n_in; i++) {
            add_shown(k, slice, x->in[i].value->def, at, out);
            at[axis] += check_dim(x->in[i].value->def, (unsigned)axis);
        }
        return;
    }
    const struct value_map *m = map_of(k, x);
    for (uint32_t j = 0; j < m->n; j++) {
        struct map_piece p = m->at[j];
        for (unsigned i = 0; i < 3; i++) {
            p.lo[i] += first[i];
            p.hi[i] += first[i];
        }
        if (slice_piece(slice, &p))
            VEC_PUSH(&out->v, p);
    }
}

static void map_slice(struct check *k, const struct ir_op *op, struct value_map *out)
{
    struct pieces shown = {0};
    add_shown(k, op, op->in[0].value->def, (const int64_t[3]){0}, &shown);
    out->at = ARENA_ARRAY(k->arena, struct map_piece, shown.v.n + (size_t)1);
    for (size_t i = 0; i < shown.v.n; i++)
        out->at[i] = shown.v.at[i];
    out->n = (uint32_t)shown.v.n;
    VEC_FREE(&shown.v);
}

/* The output that a state continues: the part of it that is the input's. */
static const struct ir_op *continued(const struct check *k, const struct ir_op *input)
{
    const struct ir_attrs_input *x = &input->attrs->input;
    for (uint32_t i = 0; i < k->tags.n_ops; i++) {
        const struct ir_op *op = k->tags.ops[i];
        const struct ir_attrs_output *y = &op->attrs->output;
        if (op->opcode == IR_output && y->index == x->state - 1 && y->offset == x->offset &&
            memcmp(y->strides, x->strides, sizeof x->strides) == 0 &&
            ir_type_equal(&op->in[0].value->type, &input->out->type))
            return op;
    }
    return NULL;
}

/* A state is what its output was in the frame before; nothing, if none of its parts is this one. */
static void map_state(struct check *k, const struct ir_op *op, struct value_map *out)
{
    const struct ir_op *output = continued(k, op);
    const struct value_map *m =
        output ? map_of(k, output->in[0].value->def) : &(struct value_map){0};
    out->at = ARENA_ARRAY(k->arena, struct map_piece, m->n + (size_t)1);
    for (uint32_t i = 0; i < m->n; i++) {
        out->at[i] = m->at[i];
        out->at[i].back++;
    }
    out->n = m->n;
}

static const struct value_map *map_of(struct check *k, const struct ir_op *op)
{
    struct value_map *m = &k->tags.maps[op->id];
    if (m->made)
        return m;
    m->made = true;
    if (op->opcode == IR_concat) {
        map_concat(k, op, m);
    } else if (op->opcode == IR_slice) {
        map_slice(k, op, m);
    } else if (k->body && op->opcode == IR_input && op->attrs->input.state) {
        map_state(k, op, m);
    } else {
        uint32_t r = check_range(k, TAG_VALUE, op->id, 0);
        m->n = 1;
        m->at = ARENA_NEW(k->arena, struct map_piece);
        *m->at = range_piece(&k->tags.ranges.at[r]);
        m->at->constant = op->opcode == IR_constant ? op : NULL;
    }
    return m;
}

/* ---- index maps of moving operations: element `at` of op is element `at` of its operand ---- */

/* Returns how many channels from `at` on move together (0: the element is a fill). */
static uint32_t move_grid(const struct ir_op *op, int64_t at[3], uint32_t n, float *fill)
{
    const struct ir_attrs_gather_grid *g = &op->attrs->gather_grid;
    const int64_t *index = g->index.at;
    int64_t c = at[2];
    *fill = g->value;
    const int64_t *channels = index + g->count.at[0] + g->count.at[1];
    int64_t from[3] = {index[at[0]], index[g->count.at[0] + at[1]], channels[c]};
    if (from[0] < 0 || from[1] < 0 || from[2] < 0)
        return 0;
    memcpy(at, from, sizeof from);
    uint32_t run = 1;
    while (run < n && channels[c + run] == from[2] + run)
        run++;
    return run;
}

/* Where position `at` of a padded axis comes from; -1 = fill. */
static int64_t pad_source(enum ir_pad_mode mode, int64_t at, int64_t extent)
{
    if (at >= 0 && at < extent)
        return at;
    if (mode == IR_PAD_EDGE)
        return at < 0 ? 0 : extent - 1;
    if (mode != IR_PAD_REFLECT || extent < 1)
        return -1;
    if (extent == 1)
        return 0;
    int64_t period = 2 * (extent - 1), m = ((at % period) + period) % period;
    return m < extent ? m : period - m;
}

static uint32_t move_pad(const struct ir_op *op, int64_t at[3], uint32_t n, float *fill)
{
    const struct ir_attrs_pad *p = &op->attrs->pad;
    const struct ir_op *x = op->in[0].value->def;
    *fill = p->value;
    int64_t inside = at[2] - p->before.at[2];
    for (unsigned i = 0; i < 3; i++) {
        at[i] = pad_source(p->mode, at[i] - p->before.at[i], check_dim(x, i));
        if (at[i] < 0)
            return 0;
    }
    if (inside < 0 || inside >= check_dim(x, 2))
        return 1;
    return (uint32_t)min_i64(n, check_dim(x, 2) - inside);
}

static uint32_t move_transpose(const struct ir_op *op, int64_t at[3], uint32_t n)
{
    const int64_t *perm = op->attrs->transpose.perm.at;
    int64_t from[3];
    for (unsigned i = 0; i < 3; i++)
        from[perm[i]] = at[i];
    memcpy(at, from, sizeof from);
    return perm[2] == 2 ? n : 1;
}

/* The flat position in nesting order `to` of the result is the one in order `from` of the operand.
 */
static uint32_t move_reshape(const struct ir_op *op, int64_t at[3], uint32_t n)
{
    const uint8_t *to = ir_order_axes(op->attrs->reshape.to);
    const uint8_t *from = ir_order_axes(op->attrs->reshape.from);
    const struct ir_op *x = op->in[0].value->def;
    int64_t flat = 0;
    for (unsigned i = 0; i < 3; i++)
        flat = flat * check_dim(op, to[i]) + at[to[i]];
    for (unsigned i = 3; i-- > 0;) {
        unsigned axis = from[i];
        at[axis] = flat % check_dim(x, axis);
        flat /= check_dim(x, axis);
    }
    if (from[2] != 2 || to[2] != 2)
        return 1;
    return (uint32_t)min_i64(n, check_dim(x, 2) - at[2]);
}

int64_t check_reshape_forward(const struct ir_op *op, int64_t at[3], int64_t n)
{
    const uint8_t *to = ir_order_axes(op->attrs->reshape.to);
    const uint8_t *from = ir_order_axes(op->attrs->reshape.from);
    const struct ir_op *x = op->in[0].value->def;
    int64_t flat = 0;
    for (unsigned i = 0; i < 3; i++)
        flat = flat * check_dim(x, from[i]) + at[from[i]];
    for (unsigned i = 3; i-- > 0;) {
        unsigned axis = to[i];
        at[axis] = flat % check_dim(op, axis);
        flat /= check_dim(op, axis);
    }
    return from[2] == 2 && to[2] == 2 ? min_i64(n, check_dim(op, 2) - at[2]) : 1;
}

static bool moves(const struct ir_op *op)
{
    return op->opcode == IR_gather_grid || op->opcode == IR_pad || op->opcode == IR_transpose ||
           op->opcode == IR_reshape;
}

static uint32_t move(const struct ir_op *op, int64_t at[3], uint32_t n, float *fill)
{
    switch (op->opcode) {
    case IR_gather_grid: return move_grid(op, at, n, fill);
    case IR_pad: return move_pad(op, at, n, fill);
    case IR_transpose: return move_transpose(op, at, n);
    case IR_reshape: return move_reshape(op, at, n);
    default: BUG("%s does not move elements", op->name);
    }
}

/* ---- expectations ---- */

static struct expected of_piece(const struct map_piece *p, const int64_t at[3], uint32_t n)
{
    struct expected e = {.n = 1, .constant = p->constant, .back = p->back};
    int64_t tag = p->base;
    for (unsigned i = 0; i < 3; i++)
        tag += (at[i] - p->lo[i]) * p->pitch[i];
    e.tag = (uint32_t)tag;
    e.index = tag - p->base;
    if (p->pitch[2] == 1)
        e.n = (uint32_t)min_i64(n, p->hi[2] - at[2]);
    return e;
}

static bool in_piece(const struct map_piece *p, const int64_t at[3])
{
    for (unsigned i = 0; i < 3; i++)
        if (at[i] < p->lo[i] || at[i] >= p->hi[i])
            return false;
    return true;
}

/* A constant's piece may have been sliced: its index counts from the constant's first element. */
static struct expected of_value(struct check *k, const struct ir_op *op, const int64_t at[3],
                                uint32_t n)
{
    const struct value_map *m = map_of(k, op);
    for (uint32_t i = 0; i < m->n; i++) {
        if (!in_piece(&m->at[i], at))
            continue;
        struct expected e = of_piece(&m->at[i], at, n);
        if (e.constant)
            e.index = e.tag - map_of(k, e.constant)->at->base;
        return e;
    }
    return (struct expected){0};
}

/* Broadcasting: an axis of extent 1 has the same element everywhere. */
static uint32_t broadcast(const int64_t dim[3], int64_t at[3], uint32_t n)
{
    for (unsigned i = 0; i < 3; i++)
        if (dim[i] == 1)
            at[i] = 0;
    return dim[2] == 1 ? 1 : n;
}

struct expected check_expect(struct check *k, const struct leaf *leaf, const int64_t where[3],
                             uint32_t n)
{
    int64_t at[3] = {where[0], where[1], where[2]};
    if (leaf->range != CHECK_NONE) {
        const struct tag_range *r = &k->tags.ranges.at[leaf->range];
        struct map_piece piece = range_piece(r);
        n = broadcast(r->dim, at, n);
        return in_piece(&piece, at) ? of_piece(&piece, at, n) : (struct expected){0};
    }
    const struct ir_op *op = leaf->op;
    n = broadcast(op->out->type.dim, at, n);
    for (unsigned i = 0; i < 3; i++)
        if (at[i] < 0 || at[i] >= check_dim(op, i))
            return (struct expected){0};
    for (unsigned depth = leaf->depth; depth > 0; depth--) {
        float fill = 0;
        uint32_t together = move(op, at, n, &fill);
        if (together == 0)
            return (struct expected){.n = 1, .is_fill = true, .fill = fill};
        n = together < n ? together : n;
        op = op->in[0].value->def;
    }
    return of_value(k, op, at, n);
}

const struct map_piece *check_plain_leaf(struct check *k, const struct leaf *leaf,
                                         struct map_piece *room)
{
    if (leaf->range != CHECK_NONE) {
        *room = range_piece(&k->tags.ranges.at[leaf->range]);
        return room;
    }
    const struct value_map *m = map_of(k, leaf->op);
    if (leaf->depth > 0 || m->n != 1 || m->at->constant || m->at->pitch[2] != 1)
        return NULL;
    return m->at;
}

bool check_find_leaf(struct check *k, const struct ir_op *op, const int64_t at[3], uint32_t tag,
                     struct leaf *out)
{
    const struct ir_op *x = op;
    for (unsigned depth = 0;; depth++) {
        *out = (struct leaf){op, depth, CHECK_NONE};
        struct expected e = check_expect(k, out, at, 1);
        if (e.is_fill ? tag == 0 : e.n && tag == e.tag)
            return true;
        uint32_t raw;
        if (e.constant && check_raw(k, tag, &raw) && raw == check_const(e.constant, e.index))
            return true;
        if (e.is_fill || !moves(x))
            return false;
        x = x->in[0].value->def;
    }
}
