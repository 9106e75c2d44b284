/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_matmul.c - numpy's matmul: stacks of matrices, rank 1 operands as one row or one column; and
 * the machine's product of two values, a matrix a row.
 */
#include "eval_internal.h"

#include "base/gemm.h"

#include <stdlib.h>

struct matmul {
    const struct tensor *a, *b;
    struct tensor *out;
    int64_t m, n, k;
};

/* [m,k] by [k,n] bytes, onto zeros. */
static void multiply_bytes(const struct matmul *v, const uint8_t *a, const uint8_t *b,
                           uint32_t *out)
{
    for (int64_t i = 0; i < v->m; i++, out += v->n)
        for (int64_t k = 0; k < v->k; k++)
            for (int64_t j = 0; j < v->n; j++)
                out[j] += (uint32_t)a[i * v->k + k] * b[k * v->n + j];
}

/* One pair of matrices for each element of the stack; positions count matrices. */
static void row(void *self, const struct broadcast_row *r)
{
    const struct matmul *v = self;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t at_a = (r->at[0] + i * r->step[0]) * v->m * v->k;
        int64_t at_b = (r->at[1] + i * r->step[1]) * v->k * v->n;
        int64_t at_out = (r->out_at + i) * v->m * v->n;
        const float *a = tensor_f32(v->a) + at_a, *b = tensor_f32(v->b) + at_b;
        float *out = tensor_f32(v->out) + at_out;
        if (v->a->type.dtype == IR_U8)
            multiply_bytes(v, (const uint8_t *)v->a->data + at_a,
                           (const uint8_t *)v->b->data + at_b, (uint32_t *)v->out->data + at_out);
        else if (v->b->transposed)
            gemm_f32_by_transpose(v->m, v->n, v->k, a, v->k, b, v->k, out, v->n);
        else
            gemm_f32(v->m, v->n, v->k, a, v->k, b, v->n, out, v->n, false);
    }
}

/* The leading dimensions alone. */
static struct tensor stack_of(const struct ir_type *t, unsigned matrix_rank)
{
    return (struct tensor){.type =
                               ir_type_of((enum ir_dtype)t->dtype, t->rank - matrix_rank, t->dim)};
}

bool eval_matmul(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    bool bytes = in[0]->type.dtype == IR_U8 && in[1]->type.dtype == IR_U8;
    if (in[0]->type.dtype == IR_U8 && !bytes)
        return integer_matmul(op, in, out, d);
    if (!bytes && !want_f32(op, in, d))
        return false;
    const struct ir_type *a = &in[0]->type, *b = &in[1]->type;
    struct matmul v = {.a = in[0], .b = in[1], .out = out};
    v.k = a->dim[a->rank - 1];
    v.m = a->rank == 1 ? 1 : a->dim[a->rank - 2];
    v.n = b->rank == 1 ? 1 : b->dim[b->rank - 1];
    if (b->rank <= 2 && a->rank > 2) { /* one matrix on the right: all rows in one product */
        int64_t rows = 1;
        for (unsigned i = 0; i + 1 < a->rank; i++)
            rows *= a->dim[i];
        v.m = rows;
        row(&v, &(struct broadcast_row){.n = 1});
        return true;
    }
    struct tensor a_stack = stack_of(a, a->rank == 1 ? 1 : 2);
    struct tensor b_stack = stack_of(b, b->rank == 1 ? 1 : 2);
    struct tensor stack = stack_of(&out->type, (a->rank > 1) + (b->rank > 1));
    broadcast_rows(&stack.type, (const struct tensor *const[]){&a_stack, &b_stack}, 2, row, &v);
    return true;
}

/* ---- dot ---- */

/* out[j] takes a[k] * b[k][j], k ascending: as the machine does it, to the bit. */
static void dot_pixel(const float *a, const float *b, float *out, int64_t n_k, int64_t n)
{
    for (int64_t k = 0; k < n_k; k++)
        for (int64_t j = 0; j < n; j++)
            out[j] = out[j] + a[k] * b[k * n + j];
}

/* The matrix of row y of b as [k][n], in `room` if it is not. */
static const void *matrix_of(const struct ir_op *op, const struct matmul *v, int64_t y, void *room)
{
    size_t bytes = ir_dtype_bytes((enum ir_dtype)v->b->type.dtype);
    int64_t row = v->b->type.dim[0] == 1 ? 0 : y;
    const char *b = (const char *)v->b->data + (size_t)(row * v->n * v->k) * bytes;
    if (op->attrs->dot.kn)
        return b;
    struct grid transposed = grid_new(2, (int64_t[]){v->k, v->n});
    grid_linear(&transposed, 0, 1);
    grid_linear(&transposed, 1, v->k);
    grid_copy(&transposed, bytes, b, b, room);
    grid_free(&transposed);
    return room;
}

bool eval_dot(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
              struct diag *d)
{
    (void)d;
    const struct ir_type *t = &out->type;
    bool bytes = in[0]->type.dtype == IR_U8;
    struct matmul v = {in[0], in[1], out, t->dim[1], t->dim[2], in[0]->type.dim[2]};
    void *room = heap_alloc((size_t)(v.n * v.k) * sizeof(float));
    for (int64_t y = 0; y < t->dim[0]; y++) {
        const void *b = matrix_of(op, &v, y, room);
        int64_t at_a = y * v.m * v.k, at_out = y * v.m * v.n;
        if (bytes)
            multiply_bytes(&v, (const uint8_t *)v.a->data + at_a, b,
                           (uint32_t *)out->data + at_out);
        for (int64_t x = 0; !bytes && x < v.m; x++)
            dot_pixel(tensor_f32(v.a) + at_a + x * v.k, b, tensor_f32(out) + at_out + x * v.n, v.k,
                      v.n);
    }
    heap_free(room);
    return true;
}
