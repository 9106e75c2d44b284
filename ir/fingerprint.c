/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fingerprint.c - one number for what a graph means: stage, names, operations, operands, types,
 * attributes, payload contents. Every operation is written into a record with a length before each
 * variable part, and the hash of one record is the seed of the next.
 */
#include "ir_internal.h"

#include <math.h>
#include <string.h>

static void put_u64(struct text *t, uint64_t x)
{
    text_add_bytes(t, &x, sizeof x);
}

static void put_string(struct text *t, const char *s)
{
    size_t n = strlen(s);
    put_u64(t, n);
    text_add_bytes(t, s, n);
}

static void put_list(struct text *t, const int64_t *at, uint32_t n)
{
    put_u64(t, n);
    text_add_bytes(t, at, n * sizeof *at);
}

static void put_choice(struct text *t, enum ir_attr_kind kind, unsigned choice)
{
    const char *text = ir_choice_text(kind, choice);
    put_string(t, text ? text : "?");
}

static void put_blob(struct text *t, const struct blob *b, bool contents)
{
    put_u64(t, b ? b->bytes : 0);
    put_u64(t, !b ? 0 : contents ? blob_hash(b) : (uintptr_t)b);
}

static void put_attr(struct text *t, const void *field, enum ir_attr_kind kind, bool contents)
{
    const struct ir_ints *list = field;
    float x;
    uint32_t bits;
    switch (kind) {
    case IR_ATTR_i64:
    case IR_ATTR_opt:
    case IR_ATTR_loose: put_list(t, field, 1); break;
    case IR_ATTR_i64x2:
    case IR_ATTR_ones: put_list(t, field, 2); break;
    case IR_ATTR_i64x3: put_list(t, field, 3); break;
    case IR_ATTR_i64x4: put_list(t, field, 4); break;
    case IR_ATTR_f32:
        memcpy(&x, field, sizeof x);
        memcpy(&bits, field, sizeof bits);
        put_u64(t, isnan(x) ? IR_NAN_F32 : bits); /* as text, all NaN attributes are `nan` */
        break;
    case IR_ATTR_ints: put_list(t, list->at, list->n); break;
    case IR_ATTR_blob: put_blob(t, *(struct blob *const *)field, contents); break;
    default: put_choice(t, kind, ir_attr_choice(field));
    }
}

static void put_op(struct text *t, const struct ir_op *op, const struct ir_index *index,
                   bool contents)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    put_string(t, desc->name);
    put_string(t, op->name);
    put_u64(t, op->n_in);
    for (uint32_t i = 0; i < op->n_in; i++) {
        uint32_t at = UINT32_MAX;
        if (op->in[i].value && op->in[i].value->def)
            ir_index_find(index, op->in[i].value->def, &at);
        put_u64(t, at);
    }
    if (op->out) {
        put_u64(t, op->out->type.dtype);
        put_list(t, op->out->type.dim, op->out->type.rank);
    }
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        const void *field = ir_attr_at(op->attrs, &desc->attrs[i]);
        enum ir_attr_kind kind = desc->attrs[i].kind;
        if (!ir_attr_is_implied(field, kind) && !(contents && kind == IR_ATTR_loose))
            put_attr(t, field, kind, contents);
    }
}

static uint64_t hash_graph(const struct ir_graph *g, bool contents)
{
    struct ir_index index;
    struct text record = {0};
    ir_index_init(&index, g);
    put_u64(&record, g->stage);
    put_string(&record, g->name);
    put_u64(&record, g->n_ops);
    uint64_t hash = hash_bytes(record.at, record.n, 0);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        record.n = 0;
        put_op(&record, op, &index, contents);
        hash = hash_bytes(record.at, record.n, hash);
    }
    text_free(&record);
    ir_index_free(&index);
    return hash;
}

uint64_t ir_fingerprint(const struct ir_graph *g)
{
    return hash_graph(g, true);
}

uint64_t ir_digest(const struct ir_graph *g)
{
    return hash_graph(g, false);
}
