/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_lane.c - lane operations of vector programs: the table of lanes.def as functions, and the
 * static types of a program.
 */
#include "isa.h"

static const struct {
    const char *name;
    unsigned arity;
    enum isa_type from[2], to;
} lanes[N_LANE_OPS] = {
#define LANE(id, name, arity, x, y, to) {#name, arity, {ISA_TYPE_##x, ISA_TYPE_##y}, ISA_TYPE_##to},
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

enum isa_type isa_lane_operand(unsigned op, unsigned i)
{
    return op < N_LANE_OPS ? lanes[op].from[i] : ISA_TYPE_NONE;
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

/* Does an operand of type `is` fit? What is of either type fits always. */
static bool fits(enum isa_type takes, enum isa_type is)
{
    return takes == ISA_TYPE_NONE || is == ISA_TYPE_NONE || takes == is;
}

/* Immediates and constants are what the operation takes: of either type until something says which.
 */
static enum isa_type operand_type(unsigned code, const enum isa_type *results, enum isa_type a,
                                  enum isa_type b)
{
    if (code < ISA_MAX_LANE_OPS)
        return results[code];
    return code == LANE_A ? a : code == LANE_B ? b : ISA_TYPE_NONE;
}

uint32_t isa_lane_types(const struct isa_tile *t, const struct isa_program_entry *e,
                        enum isa_type a, enum isa_type b, enum isa_type types[ISA_MAX_LANE_OPS])
{
    for (uint32_t k = 0; k < e->n_ops; k++) {
        const struct isa_lane *l = &e->ops[k];
        const uint8_t codes[2] = {l->x, l->y};
        enum isa_type any = ISA_TYPE_NONE, gives = isa_lane_result(l->op);
        for (unsigned i = 0; i < isa_lane_arity(l->op); i++) {
            enum isa_type is = operand_type(codes[i], types, a, b);
            enum isa_type takes = isa_lane_operand(l->op, i);
            if (!fits(takes == ISA_TYPE_NONE ? any : takes, is))
                return k;
            if (takes == ISA_TYPE_NONE && is != ISA_TYPE_NONE)
                any = is;
        }
        if (l->op == LANE_TAB)
            gives = isa_type_of(t->tables[l->imm].element);
        types[k] = gives == ISA_TYPE_NONE ? any : gives;
    }
    return e->n_ops;
}
