/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval.c - one operation: finds the kernel by opcode, allocates the result, computes.
 * The table is made from ops.def, so an operation without a kernel does not link.
 */
#include "eval_internal.h"

static eval_kernel *const kernels[IR_N_OPCODES] = {
#define OP(name, min_in, max_in, n_out, stages, traits) [IR_##name] = eval_##name,
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END
};

bool eval_op_observed(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                      const struct eval_observer *observer, struct diag *d)
{
    *out = (struct tensor){0};
    if (!op->out || op->opcode == IR_input)
        BUG("evaluating op %u (%s) by itself", op->id, ir_op_descs[op->opcode].name);
    if (!type_fits(&op->out->type))
        return diag_error(d, op->loc, DIAG_CAPACITY, "%s: the result is too large to compute",
                          ir_op_descs[op->opcode].name);
    *out = tensor_new(&op->out->type);
    if (ir_count(&op->out->type) == 0)
        return true; /* its other dimensions may be of any size: kernels' tables follow them */
    if (op->opcode == IR_mvm ? eval_mvm_observed(op, in, out, observer, d)
                             : kernels[op->opcode](op, in, out, d))
        return true;
    tensor_free(out);
    return false;
}

bool eval_op(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
             struct diag *d)
{
    return eval_op_observed(op, in, out, NULL, d);
}
