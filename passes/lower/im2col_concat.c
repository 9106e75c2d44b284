/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_concat.c - concatenation at the crossbar stage, where an operand may be a constant.
 *
 * Concatenation stores nothing: readers fetch the parts from where they were made, and a constant
 * is made nowhere. So constants are added instead: concat(x, K, y) = concat(pad(x), y) + K', with
 * zeros in x's pad and K' zero outside K's place. Bytes are not added; of these it is the maximum.
 */
#include "im2col.h"

#include <stdlib.h>
#include <string.h>

static bool is_constant(const struct ir_value *v)
{
    return ir_is(v, IR_constant);
}

/* Copies constant `c` to position `start` of `axis` in a result of dimensions `dim`. */
static void place_constant(char *result, const int64_t dim[3], const struct ir_op *c, uint32_t axis,
                           int64_t start)
{
    const int64_t *d = c->out->type.dim;
    size_t element = ir_dtype_bytes((enum ir_dtype)c->out->type.dtype);
    const struct blob *b = c->attrs->constant.data;
    const char *from = blob_data(b);
    int64_t at[3];
    for (at[0] = 0; at[0] < d[0]; at[0]++)
        for (at[1] = 0; at[1] < d[1]; at[1]++)
            for (at[2] = 0; at[2] < d[2]; at[2]++) {
                int64_t to[3] = {at[0], at[1], at[2]};
                to[axis] += start;
                int64_t place = (to[0] * dim[1] + to[1]) * dim[2] + to[2];
                memcpy(result + (size_t)place * element, from, element);
                from += b->splat ? 0 : element;
            }
}

/* Extents of the constants directly before operand i (from the first operand on) or after it. */
static int64_t constants_beside(struct ir_value *const *in, uint32_t n, uint32_t axis, uint32_t i,
                                bool after)
{
    int64_t extent = 0;
    if (after)
        for (uint32_t k = i + 1; k < n && is_constant(in[k]); k++)
            extent += in[k]->type.dim[axis];
    else
        for (uint32_t k = 0; k < i; k++) {
            if (!is_constant(in[k]))
                return 0; /* they are in the pad after that one */
            extent += in[k]->type.dim[axis];
        }
    return extent;
}

static struct ir_value *pad_over_constants(const struct pass_place *at, struct ir_value *const *in,
                                           uint32_t n, uint32_t axis, uint32_t i)
{
    int64_t before[3] = {0}, after[3] = {0};
    before[axis] = constants_beside(in, n, axis, i, false);
    after[axis] = constants_beside(in, n, axis, i, true);
    if (!before[axis] && !after[axis])
        return in[i];
    union ir_attrs attrs = {
        .pad = {
            .before = {3, before}, .after = {3, after}, .mode = IR_PAD_CONSTANT, .value = 0.0f}};
    return pass_emit1(at, IR_pad, &attrs, in[i]);
}

struct ir_value *emit_concat(struct lowering *lo, struct ir_value *const *in, uint32_t n,
                             uint32_t axis)
{
    struct pass_place at = lowering_place(lo);
    union ir_attrs attrs = {.concat = {.axis = axis}};
    struct ir_value **parts = ARENA_ARRAY(lo->ctx->scratch, struct ir_value *, n);
    int64_t dim[3] = {in[0]->type.dim[0], in[0]->type.dim[1], in[0]->type.dim[2]};
    uint32_t n_parts = 0;
    dim[axis] = 0;
    for (uint32_t i = 0; i < n; i++) {
        dim[axis] += in[i]->type.dim[axis];
        if (!is_constant(in[i]))
            parts[n_parts++] = pad_over_constants(&at, in, n, axis, i);
    }
    struct ir_new desc = {
        .opcode = IR_concat, .in = parts, .n_in = n_parts, .attrs = &attrs, .name = lo->op->name};
    if (n_parts == n)
        return pass_emit(&at, &desc);
    if (n_parts == 0)
        BUG("a concatenation of constants was not folded");
    struct ir_type type = ir_type_of((enum ir_dtype)in[0]->type.dtype, 3, dim);
    size_t bytes = (size_t)ir_count(&type) * ir_dtype_bytes((enum ir_dtype)type.dtype);
    char *sum = heap_alloc(bytes);
    for (uint32_t i = 0, start = 0; i < n; start += (uint32_t)in[i++]->type.dim[axis])
        if (is_constant(in[i]))
            place_constant(sum, dim, in[i]->def, axis, start);
    struct ir_value *runtime = n_parts == 1 ? parts[0] : pass_emit(&at, &desc);
    enum ir_opcode join = type.dtype == IR_U8 ? IR_max : IR_add;
    return pass_emit2(&at, join, NULL, runtime, pass_constant(&at, type, blob_own(sum, bytes)));
}
