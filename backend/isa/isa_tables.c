/*
 * isa_tables.c - the operation table of isa.def and the lane operations, as data and as Markdown.
 */
#include "isa_internal.h"

/* One array for each operation; the closing entry keeps those without fields from being empty. */
#define INST(name, code, obj, doc) static const struct isa_field name##_fields[] = {
#define FIELD(inst, field, kind) {#field, FIELD_##kind, offsetof(struct isa_inst, MEMBER_##field)},
#define END(inst)                                                                                  \
    {                                                                                              \
        NULL, FIELD_WAIT, 0                                                                        \
    }                                                                                              \
    }                                                                                              \
    ;
#include "isa.def"
#undef INST
#undef FIELD
#undef END

static const struct isa_op_desc ops[1 << ISA_OP_BITS] = {
#define INST(name, code, obj, doc)                                                                 \
    [code] = {#name,         doc, code, sizeof name##_fields / sizeof name##_fields[0] - 1,        \
              name##_fields, obj},
#define FIELD(inst, field, kind)
#define END(inst)
#include "isa.def"
#undef INST
#undef FIELD
#undef END
};

const struct isa_op_desc *isa_op_desc(unsigned op)
{
    return op < sizeof ops / sizeof ops[0] && ops[op].name ? &ops[op] : NULL;
}

const char *isa_op_name(unsigned op)
{
    const struct isa_op_desc *desc = isa_op_desc(op);
    return desc ? desc->name : NULL;
}

static bool has_field(unsigned op, size_t offset)
{
    const struct isa_op_desc *desc = isa_op_desc(op);
    for (unsigned i = 0; desc && i < desc->n_fields; i++)
        if (desc->fields[i].offset == offset)
            return true;
    return false;
}

bool isa_op_has_dst(unsigned op)
{
    return has_field(op, offsetof(struct isa_inst, dst));
}

bool isa_op_has_extent(unsigned op)
{
    return has_field(op, offsetof(struct isa_inst, h));
}

unsigned isa_max_waits(enum isa_op op)
{
    const struct isa_op_desc *desc = isa_op_desc(op);
    unsigned n = 0;
    for (unsigned i = 0; desc && i < desc->n_fields; i++)
        n += desc->fields[i].kind == FIELD_WAIT;
    return n;
}

unsigned isa_field_bits(enum isa_field_kind kind)
{
    static const unsigned bits[] = {[FIELD_WAIT] = ISA_COUNTER_BITS + ISA_THRESHOLD_BITS,
                                    [FIELD_REGION] = ISA_VIEW_BITS + 32,
                                    [FIELD_U12] = 12,
                                    [FIELD_U16] = 16,
                                    [FIELD_S16] = 16};
    return bits[kind];
}

struct isa_inst isa_inst_new(enum isa_op op, unsigned queue)
{
    struct isa_inst i = {.op = (uint8_t)op, .queue = (uint8_t)queue};
    for (unsigned k = 0; k < ISA_MAX_WAITS; k++)
        i.wait[k].counter = ISA_NO_COUNTER;
    return i;
}

static const struct {
    const char *name;
    unsigned arity;
} lanes[N_LANE_OPS] = {
    [LANE_MOV] = {"mov", 1},   [LANE_ADD] = {"add", 2},         [LANE_SUB] = {"sub", 2},
    [LANE_MUL] = {"mul", 2},   [LANE_DIV] = {"div", 2},         [LANE_MIN] = {"min", 2},
    [LANE_MAX] = {"max", 2},   [LANE_LEAKY] = {"leaky", 2},     [LANE_EXP] = {"exp", 1},
    [LANE_SQRT] = {"sqrt", 1}, [LANE_SIGMOID] = {"sigmoid", 1}, [LANE_TANH] = {"tanh", 1},
    [LANE_NEG] = {"neg", 1},   [LANE_ABS] = {"abs", 1},         [LANE_LOG] = {"log", 1},
};

const char *isa_lane_name(unsigned op)
{
    return op < N_LANE_OPS ? lanes[op].name : NULL;
}

unsigned isa_lane_arity(unsigned op)
{
    return op < N_LANE_OPS ? lanes[op].arity : 0;
}

/* "dst REGION 96..137" for each field. */
static void print_fields(const struct isa_op_desc *op, struct text *out)
{
    static const char *const kinds[] = {"WAIT", "REGION", "U12", "U16", "S16"};
    unsigned bit = 32;
    for (unsigned i = 0; i < op->n_fields; i++) {
        const struct isa_field *f = &op->fields[i];
        unsigned bits = isa_field_bits(f->kind);
        text_add(out, "%s%s %s %u..%u", i ? ", " : "", f->name, kinds[f->kind], bit,
                 bit + bits - 1);
        bit += bits;
    }
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

void isa_print_tables(struct text *out)
{
    text_add(out,
             "| code | operation | obj | meaning | fields: kind, bits |\n|---|---|---|---|---|\n");
    for (unsigned code = 0; code < sizeof ops / sizeof ops[0]; code++) {
        const struct isa_op_desc *op = isa_op_desc(code);
        if (!op)
            continue;
        text_add(out, "| %u | %s | %.1s | %s | ", code, op->name, op->obj ? &op->obj : "", op->doc);
        print_fields(op, out);
        text_add(out, " |\n");
    }
    text_add(out, "\n| code | lane operation | operands |\n|---|---|---|\n");
    for (unsigned code = 0; code < N_LANE_OPS; code++)
        text_add(out, "| %u | %s | %u |\n", code, lanes[code].name, lanes[code].arity);
    print_elements(out);
}
