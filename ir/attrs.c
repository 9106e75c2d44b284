/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* attrs.c - attributes handled by their descriptors, so that no operation is named here. */
#include "ir_internal.h"

#include <string.h>

static void copy_list(struct ir_ints *list, struct arena *a)
{
    int64_t *at = ARENA_ARRAY(a, int64_t, list->n);
    if (list->n)
        memcpy(at, list->at, list->n * sizeof *at);
    list->at = at;
}

static void fill_ones(int64_t pair[2])
{
    for (int i = 0; i < 2; i++)
        pair[i] = pair[i] ? pair[i] : 1;
}

bool ir_attr_is_implied(const void *field, enum ir_attr_kind kind)
{
    const int64_t *number = field;
    return kind == IR_ATTR_ones ? number[0] == 1 && number[1] == 1
                                : (kind == IR_ATTR_opt || kind == IR_ATTR_loose) && number[0] == 0;
}

/* Of an attribute that is all in its field. */
static size_t field_bytes(enum ir_attr_kind kind)
{
    switch (kind) {
    case IR_ATTR_i64:
    case IR_ATTR_opt:
    case IR_ATTR_loose: return 8;
    case IR_ATTR_i64x2:
    case IR_ATTR_ones: return 16;
    case IR_ATTR_i64x3: return 24;
    case IR_ATTR_i64x4: return 32;
    case IR_ATTR_f32: return 4; /* bits: -0 is not 0 */
    default: return sizeof(ir_attr_enum_dtype);
    }
}

uint64_t ir_attr_hash(const void *field, enum ir_attr_kind kind, uint64_t seed)
{
    const struct ir_ints *list = field;
    struct blob *const *b = field;
    switch (kind) {
    case IR_ATTR_ints: return hash_bytes(list->at, list->n * sizeof *list->at, seed);
    case IR_ATTR_blob: return seed ^ blob_sample(*b);
    default: return hash_bytes(field, field_bytes(kind), seed);
    }
}

bool ir_attr_equal(const void *x, const void *y, enum ir_attr_kind kind)
{
    const struct ir_ints *p = x, *q = y;
    struct blob *const *b = x, *const *c = y;
    switch (kind) {
    case IR_ATTR_ints: return p->n == q->n && memcmp(p->at, q->at, p->n * sizeof *p->at) == 0;
    case IR_ATTR_blob: return blob_equal(*b, *c);
    default: return memcmp(x, y, field_bytes(kind)) == 0;
    }
}

union ir_attrs *ir_attrs_copy(enum ir_opcode opcode, const union ir_attrs *from, struct arena *a)
{
    const struct ir_op_desc *desc = &ir_op_descs[opcode];
    union ir_attrs *to = ARENA_NEW(a, union ir_attrs);
    if (from)
        *to = *from;
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        void *field = (char *)to + desc->attrs[i].offset;
        if (desc->attrs[i].kind == IR_ATTR_ints)
            copy_list(field, a);
        if (desc->attrs[i].kind == IR_ATTR_ones)
            fill_ones(field);
    }
    return to;
}
