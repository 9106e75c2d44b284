/* eval_matmul.c - numpy's matmul: stacks of matrices, rank 1 operands as one row or one column. */
#include "eval_internal.h"

#include "base/gemm.h"

struct matmul {
    const struct tensor *a, *b;
    struct tensor *out;
    int64_t m, n, k;
};

/* One pair of matrices for each element of the stack; positions count matrices. */
static void row(void *self, const struct broadcast_row *r)
{
    const struct matmul *v = self;
    for (int64_t i = 0; i < r->n; i++) {
        const float *a = tensor_f32(v->a) + (r->at[0] + i * r->step[0]) * v->m * v->k;
        const float *b = tensor_f32(v->b) + (r->at[1] + i * r->step[1]) * v->k * v->n;
        float *out = tensor_f32(v->out) + (r->out_at + i) * v->m * v->n;
        if (v->b->transposed)
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
    if (in[0]->type.dtype == IR_U8)
        return integer_matmul(op, in, out, d);
    if (!want_f32(op, in, d))
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
