/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_compile_time.c - shape arithmetic and what else exists only before a graph is canonical:
 * gather, expand, range, constants.
 */
#include "eval_internal.h"

bool eval_constant(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                   struct diag *d)
{
    (void)in;
    (void)d;
    bool owned;
    struct tensor t = constant_tensor(op, &owned);
    tensor_free(out);
    *out = owned ? t : tensor_copy(&t);
    return true;
}

/* As a grid of [before axis][indices][after axis]. */
bool eval_gather(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    const struct tensor *x = in[0], *indices = in[1];
    int64_t axis = op->attrs->gather.axis, extent = x->type.dim[axis];
    int64_t dim[3] = {1, ir_count(&indices->type), 1};
    for (int64_t k = 0; k < x->type.rank; k++)
        dim[k < axis ? 0 : 2] *= k == axis ? 1 : x->type.dim[k];
    struct grid g = grid_new(3, dim);
    grid_linear(&g, 0, extent * dim[2]);
    grid_linear(&g, 2, 1);
    bool ok = true;
    for (int64_t i = 0; i < dim[1] && ok; i++) {
        int64_t index = tensor_load_i64(indices, i);
        ok = (index >= -extent && index < extent) ||
             diag_error(d, op->loc, DIAG_ONNX_ATTR, "gather: index %lld is outside 0..%lld",
                        (long long)index, (long long)extent - 1);
        g.offset[1][i] = ok ? (index < 0 ? index + extent : index) * dim[2] : 0;
    }
    if (ok)
        grid_copy(&g, ir_dtype_bytes((enum ir_dtype)out->type.dtype), x->data, NULL, out->data);
    grid_free(&g);
    return ok;
}

bool eval_expand(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    (void)op;
    (void)d;
    int64_t dense[IR_MAX_RANK];
    dense_strides(&in[0]->type, dense);
    struct grid g = grid_new(out->type.rank, out->type.dim);
    for (unsigned k = 0; k < g.rank; k++) {
        unsigned own = k + in[0]->type.rank - g.rank; /* wraps for dimensions that x lacks */
        bool repeats = k + in[0]->type.rank < g.rank || in[0]->type.dim[own] == 1;
        grid_linear(&g, k, repeats ? 0 : dense[own]);
    }
    grid_copy(&g, ir_dtype_bytes((enum ir_dtype)out->type.dtype), in[0]->data, NULL, out->data);
    grid_free(&g);
    return true;
}

/* start + i * delta */
bool eval_range(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                struct diag *d)
{
    (void)op;
    (void)d;
    int64_t n = ir_count(&out->type);
    for (int64_t i = 0; i < n; i++) {
        if (dtype_is_float(out->type.dtype))
            tensor_store_f64(out, i,
                             tensor_load_f64(in[0], 0) + (double)i * tensor_load_f64(in[2], 0));
        else
            tensor_store_i64(out, i,
                             (int64_t)((uint64_t)tensor_load_i64(in[0], 0) +
                                       (uint64_t)i * (uint64_t)tensor_load_i64(in[2], 0)));
    }
    return true;
}
