/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_tables.c - the operation table of isa.def as data, and all tables as Markdown.
 */
#include "words.h"

/* One array for each operation; the closing entry keeps those without fields from being empty. */
#define INST(name, code, obj, doc) static const struct isa_field name##_fields[] = {
#define FIELD(inst, field, kind) {#field, FIELD_##kind, offsetof(struct isa_inst, MEMBER_##field)},
#define END(inst)                                                                                  \
    {                                                                                              \
        NULL, FIELD_REGION, 0                                                                      \
    }                                                                                              \
    }                                                                                              \
    ;
#include "isa.def"
#undef INST
#undef FIELD
#undef END

static const struct isa_op_desc ops[ISA_N_OPS] = {
#define INST(name, code, obj, doc)                                                                 \
    [code] = {#name, doc, code, sizeof name##_fields / sizeof name##_fields[0] - 1, name##_fields, \
              obj, 0
#define FIELD(inst, field, kind) | USE_##field
#define END(inst)                                                                                  \
    }                                                                                              \
    ,
#include "isa.def"
#undef INST
#undef FIELD
#undef END
};

const struct isa_op_desc *isa_op_desc(unsigned op)
{
    return op < sizeof ops / sizeof ops[0] && ops[op].name ? &ops[op] : NULL;
}

const char *isa_op_reserved(unsigned op)
{
    static const char *const names[ISA_N_OPS] = {[6] = "prog", [14] = "setd", [15] = "fence"};
    return op < ISA_N_OPS ? names[op] : NULL;
}

const char *isa_op_name(unsigned op)
{
    const struct isa_op_desc *desc = isa_op_desc(op);
    return desc ? desc->name : NULL;
}

bool isa_op_has_dst(unsigned op)
{
    const struct isa_op_desc *desc = isa_op_desc(op);
    return desc && desc->uses & USE_dst;
}

bool isa_op_has_extent(unsigned op)
{
    const struct isa_op_desc *desc = isa_op_desc(op);
    return desc && desc->uses & USE_h;
}

struct isa_inst isa_inst_new(enum isa_op op, unsigned queue)
{
    struct isa_inst i = {.op = (uint8_t)op, .queue = (uint8_t)queue};
    return i;
}

void isa_inst_wait(struct isa_inst *i, uint32_t counter, uint32_t threshold)
{
    if (i->n_waits == ISA_MAX_WAITS)
        BUG("%s waits for more than %d counters", isa_op_name(i->op), ISA_MAX_WAITS);
    i->wait[i->n_waits++] = (struct isa_wait){(uint16_t)counter, threshold};
}

static unsigned region_used(const struct isa_region *r, unsigned use)
{
    return r->view || r->y || r->x ? use : 0;
}

static bool flags_right(const struct isa_inst *i)
{
    unsigned axes = i->flags & VRED_AXES;
    switch (i->op) {
    case ISA_vred: return axes && !(i->flags & ~VRED_FLAGS);
    case ISA_vtake: return axes == i->flags && (axes == VRED_H || axes == VRED_W || axes == VRED_C);
    case ISA_vdot: return !(i->flags & ~VDOT_KN);
    case ISA_load:
    case ISA_store: return !(i->flags & ~DMA_FLAGS);
    default: return i->flags == 0;
    }
}

const char *isa_inst_illegal(const struct isa_inst *i)
{
    const struct isa_op_desc *op = isa_op_desc(i->op);
    if (!op)
        return isa_op_reserved(i->op) ? "it is not supported yet" : "there is none";
    if (i->stage > ISA_MAX_STAGE)
        return "its stage must be at most 31";
    if (!flags_right(i))
        return i->op == ISA_vred                         ? "flags must be axes and kind"
               : i->op == ISA_vtake                      ? "flags must be one axis"
               : i->op == ISA_vdot                       ? "flags must be the order of b"
               : i->op == ISA_load || i->op == ISA_store ? "flags must be first or last"
                                                         : "flags must be 0";
    if (!op->obj && i->obj)
        return "obj must be 0";
    if (i->n_waits > ISA_MAX_WAITS)
        return "it has too many waits";
    unsigned used = region_used(&i->dst, USE_dst) | region_used(&i->a, USE_a) |
                    region_used(&i->b, USE_b) | (i->h ? USE_h : 0) | (i->w ? USE_w : 0) |
                    (i->y ? USE_y : 0) | (i->x ? USE_x : 0) | (i->c ? USE_c : 0);
    return used & ~op->uses ? "a field that the operation does not have must be 0" : NULL;
}

static bool same_region(const struct isa_region *a, const struct isa_region *b)
{
    return a->view == b->view && a->y == b->y && a->x == b->x;
}

bool isa_inst_equal(const struct isa_inst *a, const struct isa_inst *b)
{
    if (a->op != b->op || a->queue != b->queue || a->stage != b->stage || a->flags != b->flags ||
        a->obj != b->obj || a->h != b->h || a->w != b->w || a->n_waits != b->n_waits ||
        a->y != b->y || a->x != b->x || a->c != b->c || !same_region(&a->dst, &b->dst) ||
        !same_region(&a->a, &b->a) || !same_region(&a->b, &b->b))
        return false;
    for (unsigned k = 0; k < a->n_waits; k++)
        if (a->wait[k].counter != b->wait[k].counter ||
            a->wait[k].threshold != b->wait[k].threshold)
            return false;
    return true;
}

/* "dst a h w" */
static void print_fields(const struct isa_op_desc *op, struct text *out)
{
    for (unsigned i = 0; i < op->n_fields; i++)
        text_add(out, "%s%s", i ? " " : "", op->fields[i].name);
}

/* "buffer, DRAM (not yet)" */
static void print_places(enum element e, struct text *out)
{
    static const struct {
        enum element_place place;
        const char *name;
    } places[] = {
        {ELEMENT_IN_BUFFER, "buffer"}, {ELEMENT_IN_DRAM, "DRAM"}, {ELEMENT_IN_IMAGE, "image"}};
    const char *separator = "";
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!element_may_be(e, places[i].place, false))
            continue;
        bool now = element_may_be(e, places[i].place, true);
        text_add(out, "%s%s%s", separator, places[i].name, now ? "" : " (not yet)");
        separator = ", ";
    }
}

static void print_elements(struct text *out)
{
    text_add(out, "\n| number | element | bytes | may be in |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < N_ELEMENTS; i++) {
        enum element e = (enum element)i;
        text_add(out, "| %u | %s | %zu | ", i, element_name(e), element_bytes(e));
        print_places(e, out);
        text_add(out, " |\n");
    }
}

static void print_lanes(struct text *out)
{
    static const char *const types[] = {
        [ISA_TYPE_NONE] = "any", [ISA_TYPE_F32] = "f32", [ISA_TYPE_I32] = "i32"};
    text_add(
        out,
        "\n| code | lane operation | operands | type of operands -> result |\n|---|---|---|---|\n");
    for (unsigned code = 0; code < N_LANE_OPS; code++) {
        enum isa_type x = isa_lane_operand(code, 0), y = isa_lane_operand(code, 1);
        text_add(out, "| %u | %s | %u | %s", code, isa_lane_name(code), isa_lane_arity(code),
                 types[x]);
        if (isa_lane_arity(code) == 2 && x != y)
            text_add(out, ", %s", types[y]);
        text_add(out, " -> %s |\n", types[isa_lane_result(code)]);
    }
}

static void print_record(const struct record *r, struct text *out)
{
    text_add(out, "| %s | ", r->name);
    for (unsigned i = 0; i < r->n_fields; i++) {
        const struct record_field *f = &r->fields[i];
        bool is_signed = f->kind == RECORD_i32 || f->kind == RECORD_i64;
        if (f->bits)
            text_add(out, "%s%s%s %s%u", i > 0 ? ", " : "", f->name, f->list ? " (list)" : "",
                     is_signed ? "s" : "", f->bits);
    }
    text_add(out, " |\n");
}

static void print_records(struct text *out)
{
    text_add(out, "\n| record | fields: bits, s = signed |\n|---|---|\n");
    for (unsigned id = 0; id < N_RECORDS; id++)
        if (id != REC_node && id != REC_program) /* for people and for tools */
            print_record(&isa_records[id], out);
}

void isa_print_tables(struct text *out)
{
    text_add(out, "| code | operation | obj | meaning | fields |\n|---|---|---|---|---|\n");
    for (unsigned code = 0; code < sizeof ops / sizeof ops[0]; code++) {
        const struct isa_op_desc *op = isa_op_desc(code);
        if (!op)
            continue;
        text_add(out, "| %u | %s | %.1s | %s | ", code, op->name, op->obj ? &op->obj : "", op->doc);
        print_fields(op, out);
        text_add(out, " |\n");
    }
    print_lanes(out);
    print_elements(out);
    isa_print_features(out);
    print_records(out);
    words_print(out);
}
