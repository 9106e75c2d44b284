/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_scatter.c - ScatterND, ScatterElements: places of a tensor get other values.
 *
 * Data and updates stand one behind the other, and each place of the result takes from there what
 * was written to it last: moves, so of every type and exact. Which that is stands in a list where
 * the indices are constants; else it is the greatest of what matches, by comparison of all places
 * with all indices. A reduction adds up (multiplies, ...) what is written to a place.
 */
#include "onnx_node.h"

#include <math.h>
#include <string.h>

/* Of places times indices that are compared at run time. */
enum { MOST_COMPARED = 1 << 24 };
/* Of updates of one place that a reduction takes. */
enum { MOST_ROUNDS = 64 };

/* Everything as (outside, along, inside): [a,d,b] data, [a,j,b] updates, [a,j,b or 1] indices. */
struct scatter {
    struct ir_value *data, *updates, *index;
    unsigned reduction;
};

static const struct {
    enum ir_opcode opcode;
    float nothing; /* that changes nothing */
} reductions[] = {[SCATTER_ADD] = {IR_add, 0},
                  [SCATTER_MUL] = {IR_mul, 1},
                  [SCATTER_MAX] = {IR_max, -INFINITY},
                  [SCATTER_MIN] = {IR_min, INFINITY}};

static struct ir_value *joined(struct onnx_node *n, const struct scatter *s)
{
    struct ir_value *in[] = {s->data, s->updates};
    union ir_attrs attrs = {.concat = {.axis = 1}};
    return onnx_emit_helper(n, IR_concat, &attrs, in, 2);
}

static struct ir_value *combined(struct onnx_node *n, const struct scatter *s, struct ir_value *v)
{
    return onnx_helper2(n, reductions[s->reduction].opcode, s->data, v);
}

/* ---- indices known now ---- */

/* [a,d,b] as one line of a*d*b elements where the indices differ from element to element. */
static struct scatter as_lines(struct onnx_node *n, const struct scatter *s)
{
    struct scatter out = *s;
    const int64_t *d = s->data->type.dim, *k = s->index->type.dim;
    int64_t count = ir_count(&s->index->type), at[3];
    int64_t line[2][3] = {{1, d[0] * d[1] * d[2], 1}, {1, count, 1}};
    int64_t *place = heap_alloc(((size_t)count + 1) * sizeof *place);
    for (int64_t i = 0; i < count; i++) {
        at[0] = i / (k[1] * k[2]);
        at[1] = ir_const_i64(s->index->def, i);
        at[2] = i % k[2];
        place[i] = (at[0] * d[1] + at[1] + (at[1] < 0 ? d[1] : 0)) * d[2] + at[2];
    }
    out.data = onnx_reshape(n, s->data, line[0], 3, false);
    out.updates = onnx_reshape(n, s->updates, line[1], 3, false);
    out.index = onnx_const(n, ir_type_of(IR_I64, 3, line[1]),
                           blob_own(place, (size_t)count * sizeof *place));
    return out;
}

/* For each place the update that is its `round`-th, counted from the last; -1 if there is none.
 * Returns whether there is any. */
static bool list_round(const struct ir_op *index, int64_t dim, int64_t round, int64_t *seen,
                       int64_t *list)
{
    int64_t count = ir_count(&index->out->type);
    bool any = false;
    for (int64_t i = 0; i < dim; i++)
        seen[i] = 0, list[i] = -1;
    for (int64_t i = count - 1; i >= 0; i--) {
        int64_t at = ir_const_i64(index, i);
        at += at < 0 ? dim : 0;
        if (seen[at]++ != round)
            continue;
        list[at] = i;
        any = true;
    }
    return any;
}

static struct ir_value *scatter_by_list(struct onnx_node *n, const struct scatter *s)
{
    int64_t counts[3], d = s->data->type.dim[1];
    const struct ir_op *index = s->index->def;
    int64_t *list = onnx_pick_list(n, 1, d), *seen = list ? onnx_pick_list(n, 1, d) : NULL;
    struct scatter now = *s;
    memcpy(counts, s->data->type.dim, sizeof counts);
    if (!seen)
        return NULL;
    if (s->reduction == SCATTER_NONE) {
        list_round(index, d, 0, seen, list);
        for (int64_t i = 0; i < d; i++)
            list[i] = list[i] < 0 ? i : d + list[i];
        struct ir_value *both = joined(n, s);
        return both ? onnx_grid(n, both, counts, 1, list, 0) : NULL;
    }
    for (int64_t k = 0; now.data && list_round(index, d, k, seen, list); k++) {
        if (k == MOST_ROUNDS) {
            onnx_error(n, "more than %d updates of one place", MOST_ROUNDS);
            return NULL;
        }
        now.data = combined(
            n, &now, onnx_grid(n, s->updates, counts, 1, list, reductions[s->reduction].nothing));
    }
    return now.data;
}

/* ---- indices of run time ---- */

static struct ir_value *with_axis(struct onnx_node *n, struct ir_value *x, int at)
{
    int64_t dims[4];
    for (int i = 0; x && i < 4; i++)
        dims[i] = i == at ? 1 : x->type.dim[i - (i > at)];
    return onnx_reshape(n, x, dims, 4, false);
}

/* Of [a,d,j,b], reduced over j. */
static struct ir_value *over_updates(struct onnx_node *n, enum ir_reduce_kind kind,
                                     struct ir_value *x)
{
    const bool axes[IR_MAX_RANK] = {[2] = true};
    x = onnx_reduce(n, kind, x, axes);
    return x ? onnx_reshape(n, x, (int64_t[]){x->type.dim[0], x->type.dim[1], x->type.dim[3]}, 3,
                            false)
             : NULL;
}

static struct ir_value *chosen(struct onnx_node *n, struct ir_value *which, struct ir_value *a,
                               struct ir_value *b)
{
    return onnx_emit_helper(n, IR_where, NULL, (struct ir_value *[]){which, a, b}, 3);
}

static struct ir_value *reduced_updates(struct onnx_node *n, const struct scatter *s,
                                        struct ir_value *match)
{
    struct ir_value *u = with_axis(n, s->updates, 1), *nothing;
    nothing = onnx_cast(n, onnx_scalar(n, reductions[s->reduction].nothing),
                        (enum ir_dtype)s->updates->type.dtype);
    if (s->reduction == SCATTER_ADD)
        return over_updates(n, IR_REDUCE_SUM, chosen(n, match, u, nothing));
    if (s->reduction == SCATTER_MAX)
        return over_updates(n, IR_REDUCE_MAX, chosen(n, match, u, nothing));
    if (s->reduction == SCATTER_MUL) {
        onnx_error(n, "reduction mul wants indices that are constants");
        return NULL;
    }
    u = onnx_helper1(n, IR_neg, NULL, chosen(n, match, u, nothing));
    return onnx_helper1(n, IR_neg, NULL, over_updates(n, IR_REDUCE_MAX, u));
}

static struct ir_value *scatter_by_comparison(struct onnx_node *n, const struct scatter *s)
{
    const int64_t *d = s->data->type.dim, *k = s->index->type.dim;
    int64_t each = s->reduction ? ir_count(&s->updates->type) : 1, comparisons;
    bool small = mul_i64(d[1], max_i64(ir_count(&s->index->type), each), &comparisons) &&
                 comparisons <= MOST_COMPARED;
    if (!small) {
        onnx_error(
            n, "%lld places by %lld indices of run time; at most 2^24 comparisons are supported",
            (long long)d[1], (long long)ir_count(&s->index->type));
        return NULL;
    }
    struct ir_value *index = with_axis(n, onnx_from_start(n, s->index, d[1]), 1);
    struct ir_value *match =
        onnx_helper2(n, IR_equal, onnx_steps(n, IR_I32, 4, 1, d[1], 0, 1), index);
    if (s->reduction != SCATTER_NONE)
        return combined(n, s, reduced_updates(n, s, match));
    struct ir_value *from = chosen(n, match, onnx_steps(n, IR_F32, 4, 2, k[1], d[1], 1),
                                   onnx_steps(n, IR_F32, 4, 1, d[1], 0, 1));
    from = onnx_cast(n, over_updates(n, IR_REDUCE_MAX, from), IR_I32);
    return onnx_take(n, joined(n, s), from, 1);
}

static struct ir_value *scattered(struct onnx_node *n, struct scatter *s)
{
    if (!s->data || !s->updates || !s->index)
        return NULL;
    if (ir_count(&s->index->type) == 0)
        return s->data;
    bool known = onnx_is_const(s->data) && onnx_is_const(s->updates) && onnx_is_const(s->index);
    if (!known) {
        s->data = onnx_at_run_time(n, s->data);
        s->updates = onnx_at_run_time(n, s->updates);
    }
    if (!onnx_is_const(s->index))
        return scatter_by_comparison(n, s);
    bool same = ir_count(&s->index->type) == s->index->type.dim[1];
    if (same)
        return scatter_by_list(n, s);
    struct scatter line = as_lines(n, s);
    return line.data && line.updates ? scatter_by_list(n, &line) : NULL;
}

/* ---- the operators ---- */

static bool read_scatter(struct onnx_node *n, struct scatter *s)
{
    *s = (struct scatter){.data = onnx_in(n, 0), .index = onnx_indices(n, 1)};
    s->updates = s->index ? onnx_in(n, 2) : NULL;
    if (!s->data || !s->updates ||
        !onnx_attr_choice(n, "reduction", CHOICES_scatter_reduction, &s->reduction))
        return false;
    struct ir_value *both[] = {s->data, s->updates};
    if (!onnx_common_types(n, both, 2))
        return false;
    s->data = both[0];
    s->updates = both[1];
    bool ordered = s->reduction == SCATTER_MAX || s->reduction == SCATTER_MIN;
    if (ordered && s->data->type.dtype != IR_F32)
        return onnx_error(n, "a reduction of integers to the largest or smallest");
    return s->updates->type.dtype == s->data->type.dtype ||
           onnx_error(n, "updates are of another type than the input");
}

/* updates: the dimensions of indices but the last, then those of x from `depth` on. */
static bool updates_fit(const struct ir_type *x, const struct ir_type *index,
                        const struct ir_type *updates)
{
    int64_t depth = index->rank ? index->dim[index->rank - 1] : 0;
    bool fits =
        index->rank && depth <= x->rank && updates->rank == index->rank - 1 + x->rank - depth;
    for (int64_t i = 0; fits && i < updates->rank; i++)
        fits = updates->dim[i] ==
               (i < index->rank - 1 ? index->dim[i] : x->dim[depth + i - (index->rank - 1)]);
    return fits;
}

bool import_scatter_nd(struct onnx_node *n)
{
    struct scatter s;
    if (!read_scatter(n, &s))
        return false;
    const struct ir_type t = s.data->type;
    if (!updates_fit(&t, &s.index->type, &s.updates->type))
        return onnx_error(n, "indices and updates do not fit the input");
    if (ir_count(&s.updates->type) == 0)
        return onnx_set_out(n, 0, s.data);
    int64_t depth = s.index->type.dim[s.index->type.rank - 1];
    int64_t grid[3] = {1, 1, 1}, tuples[3] = {1, 1, depth};
    for (int64_t i = 0; i < t.rank; i++)
        grid[i < depth ? 1 : 2] *= t.dim[i];
    for (int64_t i = 0; i + 1 < s.index->type.rank; i++)
        tuples[1] *= s.index->type.dim[i];
    s.index = onnx_reshape(n, s.index, tuples, 3, false);
    s.index = s.index ? onnx_positions(n, s.index, t.dim, depth) : NULL;
    s.data = onnx_reshape(n, s.data, grid, 3, false);
    s.updates = onnx_reshape(n, s.updates, (int64_t[]){1, tuples[1], grid[2]}, 3, false);
    return onnx_set_out(n, 0, onnx_reshape(n, scattered(n, &s), t.dim, t.rank, false));
}

/* Where there are indices for a part of the other dimensions only, that part is scattered to. */
static struct ir_value *in_part(struct onnx_node *n, struct ir_value *data, struct ir_value *part,
                                const struct ir_type *covered, int64_t axis)
{
    for (int64_t i = 0; part && i < data->type.rank; i++) {
        int64_t dim = data->type.dim[i], from = covered->dim[i];
        if (i == axis || from == dim)
            continue;
        struct ir_value *rest = onnx_run(n, data, i, from, dim - from);
        for (int64_t k = 0; k < data->type.rank; k++) /* as far as `part` has come so far */
            rest = k == axis || k == i ? rest : onnx_run(n, rest, k, 0, part->type.dim[k]);
        union ir_attrs attrs = {.concat = {.axis = i}};
        part = onnx_emit_helper(n, IR_concat, &attrs, (struct ir_value *[]){part, rest}, 2);
    }
    return part;
}

bool import_scatter_elements(struct onnx_node *n)
{
    struct scatter s;
    int64_t axis = onnx_attr_i64(n, "axis", 0), grid[3] = {1, 1, 1}, places[3] = {1, 1, 1};
    if (!read_scatter(n, &s) || !onnx_axis(n, axis, s.data->type.rank, &axis))
        return false;
    struct ir_value *data = s.data;
    const struct ir_type k = s.index->type;
    bool fits = k.rank == data->type.rank && k.rank == s.updates->type.rank;
    for (int64_t i = 0; fits && i < k.rank; i++)
        fits = k.dim[i] == s.updates->type.dim[i] && (i == axis || k.dim[i] <= data->type.dim[i]);
    if (!fits)
        return onnx_error(n, "indices and updates do not fit the input");
    if (ir_count(&k) == 0)
        return onnx_set_out(n, 0, data);
    for (int64_t i = 0; i < k.rank; i++) {
        s.data = i == axis ? s.data : onnx_run(n, s.data, i, 0, k.dim[i]);
        grid[i < axis ? 0 : i == axis ? 1 : 2] *= i == axis ? data->type.dim[i] : k.dim[i];
        places[i < axis ? 0 : i == axis ? 1 : 2] *= k.dim[i];
    }
    if (!s.data)
        return false;
    const struct ir_type part = s.data->type;
    if (onnx_is_const(s.index) && !onnx_indices_fit(n, s.index, grid[1]))
        return false;
    s.data = onnx_reshape(n, s.data, grid, 3, false);
    s.updates = onnx_reshape(n, s.updates, places, 3, false);
    s.index = onnx_reshape(n, s.index, places, 3, false);
    struct ir_value *v = onnx_reshape(n, scattered(n, &s), part.dim, part.rank, false);
    return onnx_set_out(n, 0, in_part(n, data, v, &k, axis));
}
