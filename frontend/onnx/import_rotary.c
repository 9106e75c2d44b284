/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_rotary.c - RotaryEmbedding, of ONNX and of com.microsoft: pairs of a head's elements are
 * turned by an angle that depends on the position.
 *
 *   (a, b) -> (a cos - b sin, a sin + b cos)
 *
 * A pair is element i of the first half and i of the second, or, interleaved, elements 2i and 2i+1.
 */
#include "onnx_node.h"

#include <string.h>

struct rotary {
    struct onnx_node *n;
    struct ir_value *x;         /* [batch, steps, heads, size], or with heads before steps */
    struct ir_value *cos, *sin; /* the same with one head, of the pairs */
    int64_t pairs;
    bool interleaved;
};

/* `count` elements of the last dimension from `from` on, every step-th. */
static struct ir_value *elements(struct onnx_node *n, struct ir_value *x, int64_t from,
                                 int64_t step, int64_t count)
{
    if (!x)
        return NULL;
    const int64_t start[] = {0, 0, 0, from}, steps[] = {1, 1, 1, step};
    const int64_t counts[] = {x->type.dim[0], x->type.dim[1], x->type.dim[2], count};
    return onnx_slice(n, x, start, steps, counts, false);
}

static struct ir_value *turned(const struct rotary *r)
{
    struct onnx_node *n = r->n;
    int64_t step = r->interleaved ? 2 : 1, size = r->x->type.dim[3];
    struct ir_value *a = elements(n, r->x, 0, step, r->pairs);
    struct ir_value *b = elements(n, r->x, r->interleaved ? 1 : r->pairs, step, r->pairs);
    struct ir_value *out[] = {
        onnx_helper2(n, IR_sub, onnx_helper2(n, IR_mul, a, r->cos),
                     onnx_helper2(n, IR_mul, b, r->sin)),
        onnx_helper2(n, IR_add, onnx_helper2(n, IR_mul, a, r->sin),
                     onnx_helper2(n, IR_mul, b, r->cos)),
    };
    struct ir_value *v = out[0] && out[1] ? onnx_concat(n, out, 2, 3, false) : NULL;
    int64_t *list = v && r->interleaved ? onnx_pick_list(n, 3, 2 * r->pairs) : NULL;
    for (int64_t i = 0; list && i < 2 * r->pairs; i++)
        list[i] = i / 2 + i % 2 * r->pairs;
    if (list)
        v = onnx_grid(n, v, v->type.dim, 3, list, 0);
    struct ir_value *all[] = {v, NULL};
    if (!v || size == 2 * r->pairs)
        return v;
    all[1] = elements(n, r->x, 2 * r->pairs, 1, size - 2 * r->pairs);
    return all[1] ? onnx_concat(n, all, 2, 3, false) : NULL;
}

/* Rows of a table of angles, [positions, pairs], or [batch, steps, pairs] without positions. */
static struct ir_value *angles(struct onnx_node *n, struct ir_value *table,
                               struct ir_value *positions, bool heads_first)
{
    if (table->type.rank && positions)
        table = onnx_gather(n, table, positions, 0);
    if (!table)
        return NULL;
    if (table->type.rank != 3) {
        onnx_error(n, "angles of %u dimensions, of which there must be 3", table->type.rank);
        return NULL;
    }
    const int64_t *d = table->type.dim;
    const int64_t dims[] = {d[0], heads_first ? 1 : d[1], heads_first ? d[1] : 1, d[2]};
    return onnx_reshape(n, table, dims, 4, false);
}

/* com.microsoft: [1] is the first position, the others follow it. */
static struct ir_value *spread_positions(struct onnx_node *n, struct ir_value *p, int64_t batch,
                                         int64_t steps)
{
    if (!p || ir_count(&p->type) != 1 || batch * steps == 1)
        return onnx_reshape(n, p, (const int64_t[]){batch, steps}, 2, false);
    p = onnx_cast(n, onnx_reshape(n, p, (const int64_t[]){1, 1}, 2, false), IR_I32);
    return onnx_helper2(n, IR_add, p, onnx_steps(n, IR_I32, 2, 1, steps, 0, 1));
}

/* [batch, steps, heads * size] -> [batch, steps, heads, size]; what has 4 dimensions stays. */
static struct ir_value *as_heads(struct onnx_node *n, struct ir_value *x, int64_t pairs)
{
    const int64_t *d = x->type.dim;
    int64_t heads = onnx_attr_i64(n, "num_heads", 0);
    if (x->type.rank == 4)
        return x;
    if (x->type.rank != 3) {
        onnx_error(n, "an input of %u dimensions; 3 and 4 are supported", x->type.rank);
        return NULL;
    }
    heads = heads ? heads : d[2] / max_i64(2 * pairs, 1);
    if (heads < 1 || d[2] % heads) {
        onnx_error(n, "%lld elements are not %lld heads", (long long)d[2], (long long)heads);
        return NULL;
    }
    return onnx_reshape(n, x, (const int64_t[]){d[0], d[1], heads, d[2] / heads}, 4, false);
}

/* By default all elements of a head are turned. */
static bool check_pairs(struct onnx_node *n, int64_t pairs, int64_t size)
{
    int64_t turned_size = onnx_attr_i64(n, "rotary_embedding_dim", 0);
    return (2 * pairs == (turned_size ? turned_size : size) && 2 * pairs <= size) ||
           onnx_error(n, "%lld pairs do not go with the size of a head", (long long)pairs);
}

bool import_rotary(struct onnx_node *n)
{
    bool microsoft = n->op->variant == ROTARY_MICROSOFT;
    size_t cache = microsoft ? 2 : 1, position = microsoft ? 1 : 3;
    struct ir_value *x = onnx_in(n, 0), *cos = onnx_in(n, cache), *sin = onnx_in(n, cache + 1);
    if (!x || !cos || !sin)
        return false;
    if (microsoft &&
        (onnx_attr_f32(n, "scale", 1) != 1 || onnx_attr_i64(n, "is_packed_batching", 0)))
        return onnx_error(n, "scale and is_packed_batching are not supported");
    if (cos->type.rank == 0)
        return onnx_error(n, "the cosines are one number");
    struct rotary r = {.n = n, .pairs = cos->type.dim[cos->type.rank - 1]};
    if (!(r.x = as_heads(n, x, r.pairs)) || !check_pairs(n, r.pairs, r.x->type.dim[3]))
        return false;
    bool heads_first = x->type.rank == 4;
    int64_t batch = x->type.dim[0], steps = x->type.dim[heads_first ? 2 : 1];
    struct ir_value *p = onnx_has_in(n, position) ? onnx_indices(n, position) : NULL;
    if (onnx_has_in(n, position) && !(p = spread_positions(n, p, batch, steps)))
        return false;
    r.interleaved = onnx_attr_i64(n, "interleaved", 0) != 0;
    r.cos = angles(n, cos, p, heads_first);
    r.sin = angles(n, sin, p, heads_first);
    struct ir_value *v = r.cos && r.sin ? turned(&r) : NULL;
    return onnx_set_out(n, 0, onnx_reshape(n, v, x->type.dim, x->type.rank, false));
}
