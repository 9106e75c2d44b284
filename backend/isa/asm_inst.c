/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * asm_inst.c - one line of assembly -> one instruction; lanes of vector programs; records.
 */
#include "isa_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

/* Its name; the number of one that is none, for isa_validate to say so. */
static bool take_element(struct lexer *l, enum element *out)
{
    uint64_t number;
    if (l->token.kind != TOKEN_NAME) {
        if (!lex_take_u64(l, UINT32_MAX, &number))
            return false;
        *out = (enum element)number;
        return true;
    }
    *out = element_find(l->token.at, l->token.n);
    if (*out == N_ELEMENTS)
        return asm_lex_error(l, "no element has that name");
    lex_next(l);
    return true;
}

static bool take_scalar(struct lexer *l, enum record_kind kind, void *at)
{
    uint64_t u = 0;
    int64_t i = 0;
    switch (kind) {
    case RECORD_u8:
    case RECORD_bool:
        if (!lex_take_u64(l, kind == RECORD_bool ? 1 : UINT8_MAX, &u))
            return false;
        if (kind == RECORD_bool)
            *(bool *)at = u != 0;
        else
            *(uint8_t *)at = (uint8_t)u;
        return true;
    case RECORD_u32:
        if (!lex_take_u64(l, UINT32_MAX, &u))
            return false;
        *(uint32_t *)at = (uint32_t)u;
        return true;
    case RECORD_i32:
        if (!lex_take_i64(l, INT32_MIN, INT32_MAX, &i))
            return false;
        *(int32_t *)at = (int32_t)i;
        return true;
    case RECORD_u64:
    case RECORD_x64: return lex_take_u64(l, UINT64_MAX, at);
    case RECORD_i64: return lex_take_i64(l, INT64_MIN, INT64_MAX, at);
    case RECORD_pattern: return lex_take_pattern(l, at);
    case RECORD_element: return take_element(l, at);
    case RECORD_str: return lex_take_string(l, at);
    }
    return false;
}

/* Lists hold i32, u32 or u64. */
static bool take_list(struct lexer *l, const struct record_field *f, void *rec)
{
    VEC(uint8_t) bytes = {0};
    size_t item = f->kind == RECORD_u64 ? sizeof(uint64_t) : sizeof(uint32_t);
    bool ok = lex_take_mark(l, '[');
    while (ok && !lex_is_mark(l, ']')) {
        uint64_t value;
        ok = (bytes.n == 0 || lex_take_mark(l, ',')) && take_scalar(l, f->kind, &value);
        if (!ok)
            break;
        VEC_RESERVE(&bytes, bytes.n + item);
        memcpy(bytes.at + bytes.n, &value, item);
        bytes.n += item;
    }
    ok = ok && lex_take_mark(l, ']');
    if (ok && bytes.n / item > UINT32_MAX)
        ok = asm_lex_error(l, "the list is too long");
    if (ok && bytes.n / item % f->each)
        ok = asm_lex_error(l, "an entry of '%s' is %u numbers", f->name, f->each);
    if (ok) {
        void *copy = arena_alloc(l->arena, bytes.n);
        if (bytes.n)
            memcpy(copy, bytes.at, bytes.n);
        *(void **)((char *)rec + f->offset) = copy;
        *(uint32_t *)((char *)rec + f->count_offset) = (uint32_t)(bytes.n / item / f->each);
    }
    VEC_FREE(&bytes);
    return ok;
}

bool lex_take_value(struct lexer *l, const struct record_field *f, void *rec)
{
    return f->list ? take_list(l, f, rec) : take_scalar(l, f->kind, (char *)rec + f->offset);
}

bool lex_is_later(struct lexer *l, const struct record *r)
{
    const char *name;
    for (unsigned k = 0; (name = record_later(r, k)); k++)
        if (lex_is_name(l, name))
            return !asm_lex_error(l, "'%s' is not supported yet", name);
    return false;
}

static bool take_record_field(struct lexer *l, const struct record *r, uint32_t *seen, void *rec)
{
    unsigned k = 0;
    while (k < r->n_fields && !lex_is_name(l, r->fields[k].name))
        k++;
    if (k == r->n_fields)
        return !lex_is_later(l, r) && asm_lex_error(l, "no such field here");
    if (*seen >> k & 1)
        return asm_lex_error(l, "'%s' is given twice", r->fields[k].name);
    *seen |= 1u << k;
    lex_next(l);
    return lex_take_mark(l, '=') && lex_take_value(l, &r->fields[k], rec);
}

bool lex_take_record(struct lexer *l, enum record_id id, void *rec)
{
    uint32_t seen = 0;
    if (!lex_take_mark(l, '{'))
        return false;
    while (!lex_is_mark(l, '}')) {
        if (seen && !lex_take_mark(l, ','))
            return false;
        if (!take_record_field(l, &isa_records[id], &seen, rec))
            return false;
    }
    lex_next(l);
    return true;
}

/* ---- lanes ---- */

/* "#number": of an operation on floats a float; of one on any, what it is written as. */
static bool take_immediate(struct lexer *l, enum isa_type type, uint32_t *out)
{
    float x;
    lex_next(l);
    if (type != ISA_TYPE_F32)
        return lex_take_pattern(l, out);
    if (!lex_take_f32(l, &x))
        return false;
    *out = f32_bits(x);
    return true;
}

/* The number that ends an operation of such. */
static bool take_number(struct lexer *l, struct isa_lane *lane)
{
    uint64_t n;
    if (!lex_is_mark(l, '#'))
        return asm_lex_error(l, "expected #number");
    lex_next(l);
    if (!lex_take_u64(l, UINT32_MAX, &n))
        return false;
    lane->imm = (uint32_t)n;
    return true;
}

static bool take_operand(struct lexer *l, struct isa_lane *lane, unsigned i, bool *has_imm)
{
    uint64_t n;
    uint8_t *out = i == 0 ? &lane->x : &lane->y;
    if (lex_is_name(l, "a") || lex_is_name(l, "b")) {
        *out = lex_is_name(l, "a") ? LANE_A : LANE_B;
        lex_next(l);
        return true;
    }
    if (lex_is_numbered(l, 't')) {
        if (!lex_take_numbered(l, 't', ISA_MAX_LANE_OPS - 1, &n))
            return false;
        *out = (uint8_t)n;
        return true;
    }
    if (lex_is_numbered(l, 'c')) {
        if (!lex_take_numbered(l, 'c', ISA_LAST_CONSTANT - LANE_CONST0, &n))
            return false;
        *out = (uint8_t)(LANE_CONST0 + n);
        return true;
    }
    uint32_t imm;
    if (!lex_is_mark(l, '#'))
        return asm_lex_error(l, "expected an operand: a, b, t<n>, c<n> or #number");
    if (!take_immediate(l, isa_lane_operand(lane->op, i), &imm))
        return false;
    if (*has_imm && imm != lane->imm)
        return asm_lex_error(l, "one operation has one immediate");
    *has_imm = true;
    lane->imm = imm;
    *out = LANE_IMM;
    return true;
}

bool asm_take_lane(struct lexer *l, struct isa_lane *out)
{
    bool has_imm = false;
    *out = (struct isa_lane){0};
    while (out->op < N_LANE_OPS && !lex_is_name(l, isa_lane_name(out->op)))
        out->op++;
    if (out->op == N_LANE_OPS)
        return asm_lex_error(l, "no such lane operation");
    lex_next(l);
    return take_operand(l, out, 0, &has_imm) &&
           (isa_lane_arity(out->op) == 1 || take_operand(l, out, 1, &has_imm)) &&
           (!isa_lane_takes_number(out->op) || take_number(l, out));
}

/* ---- instructions ---- */

static bool take_region(struct lexer *l, struct isa_region *r)
{
    uint64_t view;
    int64_t y, x;
    if (!lex_take_numbered(l, 'v', ISA_MAX_TABLE - 1, &view) || !lex_take_mark(l, '(') ||
        !lex_take_i64(l, -ISA_MAX_EXTENT, ISA_MAX_EXTENT, &y) || !lex_take_mark(l, ',') ||
        !lex_take_i64(l, -ISA_MAX_EXTENT, ISA_MAX_EXTENT, &x) || !lex_take_mark(l, ')'))
        return false;
    *r = (struct isa_region){(uint16_t)view, (int32_t)y, (int32_t)x};
    return true;
}

static bool take_field_value(struct lexer *l, const struct isa_field *f, struct isa_inst *i)
{
    void *at = (char *)i + f->offset;
    uint64_t u;
    int64_t s;
    switch (f->kind) {
    case FIELD_REGION: return take_region(l, at);
    case FIELD_ROWS:
    case FIELD_COLUMNS:
        if (!lex_take_u64(l, f->kind == FIELD_ROWS ? ISA_MAX_H : ISA_MAX_W, &u))
            return false;
        *(uint16_t *)at = (uint16_t)u;
        return true;
    case FIELD_COORD:
        if (!lex_take_i64(l, -ISA_MAX_EXTENT, ISA_MAX_EXTENT, &s))
            return false;
        *(int32_t *)at = (int32_t)s;
        return true;
    case FIELD_CHANNEL:
        if (!lex_take_u64(l, ISA_MAX_CHANNELS, &u))
            return false;
        *(uint32_t *)at = (uint32_t)u;
        return true;
    }
    return false;
}

static bool take_stage(struct lexer *l, struct isa_inst *i)
{
    uint64_t stage;
    if (i->stage)
        return asm_lex_error(l, "'stage' is given twice");
    lex_next(l);
    if (!lex_take_mark(l, '=') || !lex_take_u64(l, ISA_MAX_STAGE, &stage))
        return false;
    i->stage = (uint8_t)stage;
    return true;
}

static bool take_inst_field(struct lexer *l, const struct isa_op_desc *op, uint32_t *seen,
                            struct isa_inst *i)
{
    unsigned k = 0;
    if (lex_is_name(l, "stage"))
        return take_stage(l, i);
    while (k < op->n_fields && !lex_is_name(l, op->fields[k].name))
        k++;
    if (k == op->n_fields)
        return asm_lex_error(l, "%s has no such operand", op->name);
    if (*seen >> k & 1)
        return asm_lex_error(l, "'%s' is given twice", op->fields[k].name);
    *seen |= 1u << k;
    lex_next(l);
    return lex_take_mark(l, '=') && take_field_value(l, &op->fields[k], i);
}

/* (hw), (c) */
static bool take_axes(struct lexer *l, struct isa_inst *i)
{
    lex_next(l);
    if (!lex_take_mark(l, '('))
        return false;
    for (size_t k = 0; l->token.kind == TOKEN_NAME && k < l->token.n; k++) {
        char axis = l->token.at[k];
        unsigned bit = axis == 'h' ? VRED_H : axis == 'w' ? VRED_W : axis == 'c' ? VRED_C : 0;
        if (!bit || i->flags & bit)
            return asm_lex_error(l, "axes are h, w, c, each at most once");
        i->flags = (uint8_t)(i->flags | bit);
    }
    if (!(i->flags & VRED_AXES))
        return asm_lex_error(l, "axes are missing");
    lex_next(l);
    return lex_take_mark(l, ')');
}

/* nk, kn */
static bool take_order(struct lexer *l, struct isa_inst *i)
{
    bool kn = lex_is_name(l, "kn");
    if (!kn && !lex_is_name(l, "nk"))
        return asm_lex_error(l, "expected nk or kn, the order of b's columns and channels");
    i->flags = kn ? VDOT_KN : 0;
    lex_next(l);
    return true;
}

/* max(hw), sum(c); of VTAKE along(c) */
static bool take_flags(struct lexer *l, struct isa_inst *i)
{
    bool sum = lex_is_name(l, "sum");
    if (i->op == ISA_vtake) {
        if (!lex_is_name(l, "along"))
            return asm_lex_error(l, "expected along(..) with the axis: h, w or c");
        return take_axes(l, i) && (!isa_inst_illegal(i) || asm_lex_error(l, "one axis only"));
    }
    if (!sum && !lex_is_name(l, "max"))
        return asm_lex_error(l, "expected max(..) or sum(..) with the axes: h, w, c");
    i->flags = sum ? VRED_SUM : 0;
    return take_axes(l, i);
}

/* first, last: of LOAD and STORE, in these frames only */
static void take_frames(struct lexer *l, struct isa_inst *i)
{
    for (;; lex_next(l)) {
        unsigned flag = lex_is_name(l, "first") ? DMA_FIRST : lex_is_name(l, "last") ? DMA_LAST : 0;
        if (!flag || i->flags & flag)
            return;
        i->flags = (uint8_t)(i->flags | flag);
    }
}

static bool take_wait(struct lexer *l, struct isa_inst *i)
{
    const int64_t most = ((int64_t)1 << ISA_THRESHOLD_BITS) - 1;
    bool inbound = lex_is_numbered(l, 'i');
    uint64_t counter;
    int64_t threshold;
    if (!lex_take_numbered(l, inbound ? 'i' : 'q', inbound ? ISA_LAST_COUNTER : ISA_N_QUEUES - 1,
                           &counter))
        return false;
    if (inbound && counter < ISA_FIRST_INBOUND)
        return asm_lex_error(l, "inbound counters start at i%d", ISA_FIRST_INBOUND);
    if (!lex_take_mark(l, '>') || !lex_take_i64(l, 1 - ISA_MAX_COUNT, most, &threshold))
        return false;
    isa_inst_wait(i, (uint32_t)counter, (uint32_t)threshold & (uint32_t)most);
    return true;
}

static bool take_waits(struct lexer *l, const struct isa_op_desc *op, struct isa_inst *i)
{
    for (;;) {
        if (i->n_waits == ISA_MAX_WAITS)
            return asm_lex_error(l, "%s can wait for %d counters", op->name, ISA_MAX_WAITS);
        if (!take_wait(l, i))
            return false;
        if (!lex_is_mark(l, ','))
            return true;
        lex_next(l);
    }
}

static const struct isa_op_desc *take_op(struct lexer *l)
{
    for (unsigned code = 0; code < ISA_N_OPS; code++) {
        const struct isa_op_desc *op = isa_op_desc(code);
        if (op && lex_is_name(l, op->name)) {
            lex_next(l);
            return op;
        }
        const char *reserved = isa_op_reserved(code);
        if (reserved && lex_is_name(l, reserved)) {
            asm_lex_error(l, "%s is not supported yet", reserved);
            return NULL;
        }
    }
    asm_lex_error(l, "no such operation");
    return NULL;
}

/* Operands in any order, up to what cannot be one. */
static bool take_operands(struct lexer *l, const struct isa_op_desc *op, struct isa_inst *i)
{
    uint32_t seen = 0;
    uint64_t obj;
    if (op->obj) {
        if (!lex_take_numbered(l, op->obj, ISA_MAX_TABLE - 1, &obj))
            return false;
        i->obj = (uint16_t)obj;
    }
    if ((op->code == ISA_vred || op->code == ISA_vtake) && !take_flags(l, i))
        return false;
    if (op->code == ISA_vdot && !take_order(l, i))
        return false;
    if (op->code == ISA_load || op->code == ISA_store)
        take_frames(l, i);
    while (l->token.kind == TOKEN_NAME) {
        if (lex_is_name(l, "wait")) {
            lex_next(l);
            return take_waits(l, op, i);
        }
        const char *after = l->token.at + l->token.n, *end = l->text + l->n;
        while (after < end && (*after == ' ' || *after == '\t'))
            after++;
        if (after == end || *after != '=')
            return true; /* the next statement */
        if (!take_inst_field(l, op, &seen, i))
            return false;
    }
    return true;
}

bool asm_take_inst(struct lexer *l, struct asm_inst *out)
{
    uint64_t queue, source = ISA_NO_SOURCE;
    if (l->token.kind == TOKEN_NUMBER) { /* for the reader only */
        lex_next(l);
        if (!lex_take_mark(l, ':'))
            return false;
    }
    if (!lex_take_numbered(l, 'q', ISA_N_QUEUES - 1, &queue) || !lex_take_mark(l, '.'))
        return false;
    const struct isa_op_desc *op = take_op(l);
    if (!op)
        return false;
    enum { NOT_GIVEN = ISA_MAX_TABLE };
    struct isa_inst i = isa_inst_new(op->code, (unsigned)queue);
    i.b.view = op->uses & USE_b ? NOT_GIVEN : 0;
    if (!take_operands(l, op, &i))
        return false;
    if (i.b.view == NOT_GIVEN)
        i.b = (struct isa_region){0, i.dst.y, i.dst.x};
    if (lex_is_mark(l, '@')) {
        lex_next(l);
        if (!lex_take_u64(l, ISA_NO_SOURCE, &source))
            return false;
    }
    out->inst = i;
    out->source = (uint32_t)source;
    return true;
}
