/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* ops.c - the descriptor of every operation, expanded from ops.def. */
#include "ir_internal.h"

#define OP(name, min_in, max_in, n_out, stages, traits)                                            \
    static const struct ir_attr_desc attrs_##name[] = {
#define ATTR(op, kind, field) {#field, IR_ATTR_##kind, offsetof(union ir_attrs, op.field)},
/* The last entry only keeps the array of an operation without attributes from being empty. */
#define END(op)                                                                                    \
    {                                                                                              \
        NULL, IR_ATTR_i64, 0                                                                       \
    }                                                                                              \
    }                                                                                              \
    ;
#include "ops.def"
#undef OP
#undef ATTR
#undef END

#define OP(name, min_in, max_in, n_out, stages, traits)                                            \
    {#name,                                                                                        \
     min_in,                                                                                       \
     max_in,                                                                                       \
     n_out,                                                                                        \
     stages,                                                                                       \
     traits,                                                                                       \
     sizeof attrs_##name / sizeof *attrs_##name - 1,                                               \
     attrs_##name},
#define ATTR(op, kind, field)
#define END(op)
const struct ir_op_desc ir_op_descs[IR_N_OPCODES] = {
#include "ops.def"
};
#undef OP
#undef ATTR
#undef END

const char *ir_stage_name(enum ir_stage s)
{
    switch (s) {
    case IR_TENSOR: return "tensor";
    case IR_CANONICAL: return "canonical";
    case IR_INTEGER: return "integer";
    case IR_CROSSBAR: return "crossbar";
    }
    return NULL;
}
