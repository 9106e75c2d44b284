/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * features.c - what a program needs of a chip (ISA.md 16): the union over its instructions.
 *
 * In: a valid program. Out: bits of features.def. They follow from the program, so nobody states
 * them: a writer adds them to the file, and a reader refuses others.
 */
#include "isa_internal.h"

#define BIT(id) ((uint32_t)1 << ISA_FEATURE_##id)

/* The field `features` of arch.def, which is below this room, ends at 262143: all of them. */
_Static_assert(ISA_N_FEATURES == 18, "another number of features: see features of arch.def");

static const struct {
    const char *name, *doc;
} features[ISA_N_FEATURES] = {
#define FEATURE(id, name, bit, doc) [bit] = {#name, doc},
#include "features.def"
};

static uint32_t lane_needs(unsigned op)
{
    switch (op) {
    case LANE_EXP:
    case LANE_LOG:
    case LANE_TANH:
    case LANE_SIGMOID:
    case LANE_ERF:
    case LANE_SIN:
    case LANE_COS:
    case LANE_POW: return BIT(F32) | BIT(FUNCTIONS);
    case LANE_DIV:
    case LANE_SQRT:
    case LANE_FMOD: return BIT(F32) | BIT(DIVISION);
    case LANE_IDIV:
    case LANE_IMOD: return BIT(INTEGERS) | BIT(INTEGER_DIVISION);
    case LANE_TAB: return BIT(INTEGERS) | BIT(TABLES);
    default: break;
    }
    enum isa_type x = isa_lane_operand(op, 0), y = isa_lane_result(op);
    bool f32 = x == ISA_TYPE_F32 || y == ISA_TYPE_F32;
    bool i32 = x == ISA_TYPE_I32 || y == ISA_TYPE_I32;
    return (f32 ? BIT(F32) : 0) | (i32 ? BIT(INTEGERS) : 0);
}

static uint32_t *programs_need(const struct isa_tile *t, struct arena *a)
{
    uint32_t *needs = ARENA_ARRAY(a, uint32_t, t->n_programs);
    for (uint32_t i = 0; i < t->n_programs; i++) {
        needs[i] = 0;
        for (uint32_t k = 0; k < t->programs[i].n_ops; k++)
            needs[i] |= lane_needs(t->programs[i].ops[k].op);
    }
    return needs;
}

static uint32_t element_needs(enum element e)
{
    switch (e) {
    case ELEMENT_f16: return BIT(F16);
    case ELEMENT_u8:
    case ELEMENT_i8:
    case ELEMENT_i32: return BIT(INTEGERS);
    case ELEMENT_i64: return BIT(INTEGERS) | BIT(I64);
    default: return 0;
    }
}

static uint32_t view_needs(const struct isa_tile *t, const struct isa_region *r)
{
    return element_needs(t->views[r->view].element);
}

/* Of work that compares or adds elements of `a`. */
static uint32_t arithmetic_needs(const struct isa_tile *t, const struct isa_inst *i)
{
    enum element e = t->views[i->a.view].element;
    return e == ELEMENT_f32 ? BIT(F32) : element_needs(e);
}

static uint32_t product_needs(const struct isa_program *p, const struct isa_group *g)
{
    bool f32 = p->images[g->image].element == ELEMENT_f32;
    bool ideal = p->arch.adc_bits == 0 && p->arch.noise_seed == 0;
    return (f32 ? BIT(F32_CROSSBARS) : BIT(INTEGERS)) | (f32 || ideal ? 0 : BIT(READOUT)) |
           (isa_has_patch(g) ? BIT(PATCHES) : 0) | (g->shares ? BIT(SHARING) : 0);
}

static uint32_t window_needs(const struct isa_tile *t, const struct isa_inst *i)
{
    unsigned kind = t->windows[i->obj].kind;
    return arithmetic_needs(t, i) | (kind == WINDOW_OVERLAP   ? BIT(OVERLAP)
                                     : kind == WINDOW_AVERAGE ? BIT(DIVISION)
                                                              : 0);
}

static uint32_t message_needs(const struct isa_route *r)
{
    return r->n_targets > 1 ? BIT(MULTICAST) : 0;
}

/* programs: programs_need of the tile. */
static uint32_t inst_needs(const struct isa_program *p, const struct isa_tile *t,
                           const uint32_t *programs, const struct isa_inst *i)
{
    switch (i->op) {
    case ISA_mvm: return product_needs(p, &t->groups[i->obj]);
    case ISA_vmap: return programs[i->obj] | view_needs(t, &i->dst) | view_needs(t, &i->a);
    case ISA_vwin: return window_needs(t, i);
    case ISA_vred: return arithmetic_needs(t, i);
    case ISA_vgat:
    case ISA_vtake: return BIT(GATHER) | view_needs(t, &i->a);
    case ISA_vdot: return BIT(VDOT) | arithmetic_needs(t, i);
    case ISA_send: return message_needs(&t->routes[i->obj]) | view_needs(t, &i->a);
    case ISA_signal: return message_needs(&t->routes[i->obj]);
    case ISA_load:
    case ISA_store: return element_needs(p->bindings[i->obj].element);
    default: return 0;
    }
}

uint32_t isa_features(const struct isa_program *p, struct isa_place first[ISA_N_FEATURES])
{
    struct arena *a = arena_new();
    uint32_t all = p->frames ? BIT(FRAMES) : 0;
    for (uint32_t n = 0; n < p->n_tiles; n++) {
        const struct isa_tile *t = &p->tiles[n];
        const uint32_t *programs = programs_need(t, a);
        for (uint32_t i = 0; i < t->n_insts; i++) {
            uint32_t more = inst_needs(p, t, programs, &t->insts[i]) & ~all;
            all |= more;
            for (unsigned bit = 0; first && more; bit++, more >>= 1)
                if (more & 1)
                    first[bit] = (struct isa_place){n, i};
        }
    }
    arena_free(a);
    return all;
}

/* "vwin, of node 21 'pool' (GlobalAveragePool),": who needs it; frames are needed by the program.
 */
static const char *needing(const struct isa_program *p, struct isa_place at, struct arena *a)
{
    const struct isa_tile *t = &p->tiles[at.tile];
    uint32_t node = t->sources ? t->sources[at.inst] : ISA_NO_SOURCE;
    return arena_printf(a, "%s, of %s,", isa_op_name(t->insts[at.inst].op),
                        node < p->n_nodes ? p->nodes[node].entity : "no node");
}

bool isa_check_features(const struct isa_program *p, struct fault_sink *s)
{
    struct isa_place first[ISA_N_FEATURES];
    uint32_t has = (uint32_t)p->arch.features;
    uint32_t missing = has ? isa_features(p, first) & ~has : 0;
    struct arena *a = arena_new();
    for (unsigned bit = 0; bit < ISA_N_FEATURES && missing >> bit; bit++) {
        bool in_tile = bit != ISA_FEATURE_FRAMES;
        if (!(missing >> bit & 1))
            continue;
        s->tile = in_tile ? (int64_t)first[bit].tile : -1;
        isa_misfit(s, in_tile ? "instruction" : NULL, in_tile ? first[bit].inst : 0,
                   "%s needs '%s' (feature %u), which the machine does not have",
                   in_tile ? needing(p, first[bit], a) : "the program", features[bit].name,
                   (unsigned)1 << bit);
    }
    arena_free(a);
    return !missing;
}

const char *isa_feature_name(unsigned bit)
{
    return bit < ISA_N_FEATURES ? features[bit].name : NULL;
}

void isa_print_features(struct text *out)
{
    text_add(out,
             "\n| feature | bit of `features` | what a program with it needs |\n|---|---|---|\n");
    for (unsigned bit = 0; bit < ISA_N_FEATURES; bit++)
        text_add(out, "| %s | %u | %s |\n", features[bit].name, (unsigned)1 << bit,
                 features[bit].doc);
}
