/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_sequence.c - sequences of tensors. They exist only while the model is read: a sequence is
 * a list of values, its length and the positions in it are constants.
 */
#include "onnx_node.h"

#include <string.h>

static const struct onnx_sequence *in_sequence(struct onnx_node *n, size_t i)
{
    const struct onnx_sequence *s = onnx_has_in(n, i) ? n->in[i]->sequence : NULL;
    if (!s)
        onnx_error(n, "operand %zu is no sequence", i);
    return s;
}

/* A loop may make a list of each length; 64 entries count as much as a node. NULL, reported, where
 * that is too much. */
static struct ir_value **new_values(struct onnx_node *n, size_t count)
{
    return onnx_may_expand(n, count / 64) ? ARENA_ARRAY(n->im->arena, struct ir_value *, count + 1)
                                          : NULL;
}

static bool set_sequence(struct onnx_node *n, struct ir_value *const *at, size_t count)
{
    struct onnx_sequence *s = ARENA_NEW(n->im->arena, struct onnx_sequence);
    *s = (struct onnx_sequence){count, at};
    if (n->out[0])
        n->out[0]->sequence = s;
    return true;
}

/* The constant operand i as a position among `count`, from the end where it is negative; `behind`:
 * the place behind the last one is one, too. */
static bool position(struct onnx_node *n, size_t i, size_t count, bool behind, size_t *out)
{
    struct ir_ints at;
    int64_t one;
    if (!onnx_const_ints(n, i, &at))
        return false;
    if (at.n != 1)
        return onnx_error(n, "its position has %u elements, not 1", at.n);
    one = at.at[0] < 0 ? at.at[0] + (int64_t)count : at.at[0];
    if (one < 0 || one >= (int64_t)count + behind)
        return onnx_error(n, "position %lld is not one of %zu", (long long)at.at[0], count);
    *out = (size_t)one;
    return true;
}

/* ---- making ---- */

bool import_sequence_empty(struct onnx_node *n)
{
    onnx_ignore_attr(n, "dtype");
    return set_sequence(n, NULL, 0);
}

bool import_sequence_construct(struct onnx_node *n)
{
    struct ir_value **at = new_values(n, n->proto->n_input);
    for (size_t i = 0; at && i < n->proto->n_input; i++)
        if (!(at[i] = onnx_in(n, i)))
            return false;
    return at && set_sequence(n, at, n->proto->n_input);
}

bool import_sequence_insert(struct onnx_node *n)
{
    const struct onnx_sequence *s = in_sequence(n, 0);
    struct ir_value *v = s ? onnx_in(n, 1) : NULL;
    if (!v)
        return false;
    struct ir_value **at = new_values(n, s->n + 1);
    size_t place = s->n;
    if (!at || (onnx_has_in(n, 2) && !position(n, 2, s->n, true, &place)))
        return false;
    for (size_t i = 0; i <= s->n; i++)
        at[i] = i == place ? v : s->at[i - (i > place)];
    return set_sequence(n, at, s->n + 1);
}

bool import_sequence_erase(struct onnx_node *n)
{
    const struct onnx_sequence *s = in_sequence(n, 0);
    if (!s)
        return false;
    if (!s->n)
        return onnx_error(n, "the sequence is empty");
    struct ir_value **at = new_values(n, s->n);
    size_t place = s->n - 1;
    if (!at || (onnx_has_in(n, 1) && !position(n, 1, s->n, false, &place)))
        return false;
    for (size_t i = 0; i + 1 < s->n; i++)
        at[i] = s->at[i + (i >= place)];
    return set_sequence(n, at, s->n - 1);
}

/* ---- splitting ---- */

/* Lengths of the parts of a dimension: given, or of one length but the last; NULL with an error. */
static const int64_t *part_lengths(struct onnx_node *n, int64_t dim, size_t *n_out)
{
    struct ir_ints given = {0};
    if (onnx_has_in(n, 1) && !onnx_const_ints(n, 1, &given))
        return NULL;
    bool is_list = onnx_has_in(n, 1) && onnx_in(n, 1)->type.rank == 1;
    int64_t each = !onnx_has_in(n, 1) ? 1 : given.n ? given.at[0] : 0, sum = 0;
    if (!is_list && each < 1) {
        onnx_error(n, "parts of length %lld", (long long)each);
        return NULL;
    }
    *n_out = is_list ? given.n : (size_t)ceil_div_i64(dim, each);
    int64_t *lengths = onnx_pick_list(n, 0, (int64_t)*n_out);
    for (size_t i = 0; lengths && i < *n_out; i++) {
        lengths[i] = is_list ? given.at[i] : min_i64(each, dim - sum);
        if (lengths[i] < 0 || lengths[i] > dim - sum) {
            onnx_error(n, "the parts do not add up to %lld", (long long)dim);
            return NULL;
        }
        sum += lengths[i];
    }
    if (lengths && sum != dim) {
        onnx_error(n, "the parts do not add up to %lld", (long long)dim);
        return NULL;
    }
    return lengths;
}

bool import_split_to_sequence(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool keeps = onnx_attr_i64(n, "keepdims", 1) != 0 || onnx_has_in(n, 1);
    int64_t axis, start = 0;
    size_t count;
    if (!x || !onnx_axis(n, onnx_attr_i64(n, "axis", 0), x->type.rank, &axis))
        return false;
    const int64_t *lengths = part_lengths(n, x->type.dim[axis], &count);
    if (!lengths)
        return false;
    struct ir_value **at = new_values(n, count);
    if (!at)
        return false;
    for (size_t i = 0; i < count; start += lengths[i++]) {
        at[i] = onnx_run(n, x, axis, start, lengths[i]);
        if (!keeps)
            at[i] = onnx_without_axis(n, at[i], axis);
        if (!at[i])
            return false;
    }
    return set_sequence(n, at, count);
}

/* ---- reading ---- */

bool import_sequence_at(struct onnx_node *n)
{
    const struct onnx_sequence *s = in_sequence(n, 0);
    size_t place = 0;
    return s && position(n, 1, s->n, false, &place) && onnx_set_out(n, 0, s->at[place]);
}

bool import_sequence_length(struct onnx_node *n)
{
    const struct onnx_sequence *s = in_sequence(n, 0);
    int64_t count = s ? (int64_t)s->n : 0;
    return s && onnx_set_out(n, 0, onnx_reshape(n, onnx_ints_const(n, &count, 1), NULL, 0, false));
}

/* Stacked along a new dimension, or joined along one. */
bool import_concat_from_sequence(struct onnx_node *n)
{
    const struct onnx_sequence *s = in_sequence(n, 0);
    bool stacks = onnx_attr_i64(n, "new_axis", 0) != 0;
    int64_t axis;
    if (!s)
        return false;
    if (!s->n)
        return onnx_error(n, "the sequence is empty");
    if (!onnx_axis(n, onnx_attr_i64(n, "axis", 0), s->at[0]->type.rank + stacks, &axis))
        return false;
    struct ir_value **at = new_values(n, s->n);
    if (!at)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        at[i] = stacks ? onnx_with_axis(n, s->at[i], axis) : s->at[i];
        if (!at[i])
            return false;
    }
    return onnx_set_out(n, 0, onnx_concat(n, at, s->n, axis, true));
}
