/*
 * isa_lane.c - lane operations of vector programs: the table of lanes.def as functions, and the
 * static types of a program.
 */
#include "isa.h"

static const struct {
    const char *name;
    unsigned arity;
    enum isa_type from, to;
} lanes[N_LANE_OPS] = {
#define LANE(id, name, arity, from, to) {#name, arity, ISA_TYPE_##from, ISA_TYPE_##to},
#include "lanes.def"
#undef LANE
};

const char *isa_lane_name(unsigned op)
{
    return op < N_LANE_OPS ? lanes[op].name : NULL;
}

unsigned isa_lane_arity(unsigned op)
{
    return op < N_LANE_OPS ? lanes[op].arity : 0;
}

enum isa_type isa_lane_operand(unsigned op)
{
    return op < N_LANE_OPS ? lanes[op].from : ISA_TYPE_NONE;
}

enum isa_type isa_lane_result(unsigned op)
{
    return op < N_LANE_OPS ? lanes[op].to : ISA_TYPE_NONE;
}

enum isa_type isa_type_of(enum element e)
{
    switch (e) {
    case ELEMENT_f32: return ISA_TYPE_F32;
    case ELEMENT_u8:
    case ELEMENT_i32: return ISA_TYPE_I32;
    default: return ISA_TYPE_NONE;
    }
}

/* Immediates and constants are what the operation takes; of mov, floats. */
static enum isa_type operand_type(const struct isa_lane *l, unsigned code,
                                  const enum isa_type *results, enum isa_type a, enum isa_type b)
{
    if (code < ISA_MAX_LANE_OPS)
        return results[code];
    if (code == LANE_A || code == LANE_B)
        return code == LANE_A ? a : b;
    return l->op == LANE_MOV ? ISA_TYPE_F32 : isa_lane_operand(l->op);
}

uint32_t isa_lane_types(const struct isa_tile *t, const struct isa_program_entry *e,
                        enum isa_type a, enum isa_type b, enum isa_type types[ISA_MAX_LANE_OPS])
{
    for (uint32_t k = 0; k < e->n_ops; k++) {
        const struct isa_lane *l = &e->ops[k];
        enum isa_type takes = isa_lane_operand(l->op), gives = isa_lane_result(l->op);
        enum isa_type x = operand_type(l, l->x, types, a, b);
        enum isa_type y = isa_lane_arity(l->op) == 2 ? operand_type(l, l->y, types, a, b) : takes;
        if (takes != ISA_TYPE_NONE && (x != takes || y != takes))
            return k;
        if (l->op == LANE_TAB)
            gives = isa_type_of(t->tables[l->imm].element);
        types[k] = gives == ISA_TYPE_NONE ? x : gives;
    }
    return e->n_ops;
}
