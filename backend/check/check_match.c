/*
 * check_match.c - is a vector program what the graph computes?
 *
 * The program's expression and the graph are walked side by side, from the result backwards:
 * operation against operation, constants by their bits. Where the program reads a or b the walk
 * ends, and the tag found there decides which of the graph's values it is; all other elements are
 * compared with that value later, in each instruction. Sums of partial products are not in the
 * graph; they match the mvm by the ranges of their tags.
 */
#include "check_meaning.h"

#include <math.h>
#include <string.h>

enum { MAX_STEPS = 10000 }; /* shared subexpressions and swapped operands can explode */

struct operand {
    unsigned code;
    float imm;
};

static struct operand first_of(const struct isa_lane *l)
{
    return (struct operand){l->x, isa_lane_f32(l)};
}

static struct operand second_of(const struct isa_lane *l)
{
    return (struct operand){l->y, isa_lane_f32(l)};
}

/* The lane operation that computes the operand, looking through mov; NULL if it is none. */
static const struct isa_lane *lane_of(const struct match *m, struct operand *o)
{
    while (o->code < ISA_MAX_LANE_OPS) {
        const struct isa_lane *l = &m->program->ops[o->code];
        if (l->op != LANE_MOV)
            return l;
        *o = first_of(l);
    }
    return NULL;
}

static bool is_imm(const struct match *m, struct operand o, float value)
{
    return !lane_of(m, &o) && o.code == LANE_IMM && check_same_bits(o.imm, value);
}

/* ---- leaves ---- */

static bool bind(struct match *m, unsigned i, const struct leaf *leaf)
{
    if (m->bound[i])
        return m->leaf[i].op == leaf->op && m->leaf[i].depth == leaf->depth &&
               m->leaf[i].range == leaf->range;
    m->bound[i] = true;
    m->leaf[i] = *leaf;
    return true;
}

static bool is_leaf(struct operand o)
{
    return o.code == LANE_A || o.code == LANE_B;
}

static bool match_leaf(struct match *m, struct operand o, const struct ir_op *v)
{
    struct leaf leaf;
    unsigned i = o.code - LANE_A;
    return check_find_leaf(m->k, v, m->at[i], m->tag[i], &leaf) && bind(m, i, &leaf);
}

/* The operand is in the given range of the op, at the right place. */
static bool match_range(struct match *m, struct operand o, const struct ir_op *v, uint32_t range)
{
    if (lane_of(m, &o) || !is_leaf(o))
        return false;
    unsigned i = o.code - LANE_A;
    struct leaf leaf = {v, 0, range};
    struct expected e = check_expect(m->k, &leaf, m->at[i], 1);
    return e.n && e.tag == m->tag[i] && bind(m, i, &leaf);
}

static float constant_at(const struct ir_op *v, int64_t c)
{
    return check_const(v, check_dim(v, 2) == 1 ? 0 : c);
}

/* A constant that does not depend on the pixel, against an immediate or a preloaded vector. */
static bool match_constant(struct match *m, struct operand o, const struct ir_op *v)
{
    bool splat = v->attrs->constant.data->splat;
    if (v->out->type.rank != 3 || (!splat && (check_dim(v, 0) != 1 || check_dim(v, 1) != 1)))
        return false;
    for (int64_t c = 0; c < m->n_channels; c++) {
        float want = constant_at(v, m->channel0 + c), imm = o.imm;
        const float *have = &imm;
        if (o.code >= LANE_CONST0) {
            uint64_t mark = check_mark(m->constants, o.code - LANE_CONST0, 0, c);
            have = mark >> 32 ? NULL : check_raw_bytes(m->k, (uint32_t)mark);
        }
        if (!have || !check_same_bits(*have, want))
            return false;
    }
    return true;
}

/* ---- sums of partial products ---- */

static uint32_t n_slices(const struct match *m, const struct ir_op *mvm)
{
    return (uint32_t)ceil_div_i64(check_dim(mvm->in[1].value->def, 0),
                                  arch_logical_rows(&m->k->p->arch));
}

/* The operand is the mvm summed over slices [*from, *to). */
static bool match_sum(struct match *m, struct operand o, const struct ir_op *mvm, uint32_t *from,
                      uint32_t *to)
{
    const struct isa_lane *l = lane_of(m, &o);
    if (++m->steps > MAX_STEPS)
        return false;
    if (l) {
        uint32_t a0, a1, b0, b1;
        if (l->op != LANE_ADD || !match_sum(m, first_of(l), mvm, &a0, &a1) ||
            !match_sum(m, second_of(l), mvm, &b0, &b1) || (a1 != b0 && b1 != a0))
            return false;
        *from = a1 == b0 ? a0 : b0;
        *to = a1 == b0 ? b1 : a1;
        return true;
    }
    const struct tag_range *r = is_leaf(o) ? check_range_of(m->k, m->tag[o.code - LANE_A]) : NULL;
    if (!r || r->op != mvm->id || (r->kind != TAG_PARTIAL && r->kind != TAG_VALUE))
        return false;
    *from = r->kind == TAG_PARTIAL ? r->from : 0;
    *to = r->kind == TAG_PARTIAL ? r->to : n_slices(m, mvm);
    if (r->kind == TAG_VALUE)
        return match_leaf(m, o, mvm);
    return match_range(m, o, mvm, (uint32_t)(r - m->k->tags.ranges.at));
}

/* ---- operations ---- */

static bool match_value(struct match *m, struct operand o, const struct ir_op *v);

static const struct ir_op *operand_of(const struct ir_op *op, uint32_t i)
{
    return op->in[i].value->def;
}

/* Lane operation of a graph operation that has one; N_LANE_OPS otherwise. */
static unsigned lane_for(enum ir_opcode opcode)
{
    switch (opcode) {
    case IR_exp: return LANE_EXP;
    case IR_log: return LANE_LOG;
    case IR_sqrt: return LANE_SQRT;
    case IR_sigmoid: return LANE_SIGMOID;
    case IR_tanh: return LANE_TANH;
    case IR_neg: return LANE_NEG;
    case IR_abs: return LANE_ABS;
    case IR_add: return LANE_ADD;
    case IR_sub: return LANE_SUB;
    case IR_mul: return LANE_MUL;
    case IR_div: return LANE_DIV;
    case IR_min: return LANE_MIN;
    case IR_max: return LANE_MAX;
    default: return N_LANE_OPS;
    }
}

/* op(x, bound) with a constant bound, in either order. */
static bool match_bound(struct match *m, const struct isa_lane *l, unsigned op,
                        const struct ir_op *x, float bound)
{
    if (!l || l->op != op)
        return false;
    if (is_imm(m, second_of(l), bound))
        return match_value(m, first_of(l), x);
    return is_imm(m, first_of(l), bound) && match_value(m, second_of(l), x);
}

/* min(max(x, lo), hi); an infinite bound may be left out. */
static bool match_clip(struct match *m, const struct isa_lane *l, const struct ir_op *v)
{
    const struct ir_op *x = operand_of(v, 0);
    float lo = v->attrs->clip.lo, hi = v->attrs->clip.hi;
    if (isinf(hi) && hi > 0 && match_bound(m, l, LANE_MAX, x, lo))
        return true;
    if (l->op != LANE_MIN)
        return false;
    if (isinf(lo) && lo < 0 && match_bound(m, l, LANE_MIN, x, hi))
        return true;
    struct operand inner = first_of(l);
    return is_imm(m, second_of(l), hi) && match_bound(m, lane_of(m, &inner), LANE_MAX, x, lo);
}

static bool match_binary(struct match *m, const struct isa_lane *l, const struct ir_op *v)
{
    struct match before = *m;
    if (match_value(m, first_of(l), operand_of(v, 0)) &&
        match_value(m, second_of(l), operand_of(v, 1)))
        return true;
    if (!(ir_op_descs[v->opcode].traits & IR_COMMUTES))
        return false;
    before.steps = m->steps;
    *m = before;
    return match_value(m, second_of(l), operand_of(v, 0)) &&
           match_value(m, first_of(l), operand_of(v, 1));
}

static bool match_op(struct match *m, const struct isa_lane *l, const struct ir_op *v)
{
    switch (v->opcode) {
    case IR_relu: return match_bound(m, l, LANE_MAX, operand_of(v, 0), 0);
    case IR_leaky_relu:
        return l->op == LANE_LEAKY && is_imm(m, second_of(l), v->attrs->leaky_relu.alpha) &&
               match_value(m, first_of(l), operand_of(v, 0));
    case IR_clip: return match_clip(m, l, v);
    default: break;
    }
    if (l->op != lane_for(v->opcode))
        return false;
    if (isa_lane_arity(l->op) == 1)
        return match_value(m, first_of(l), operand_of(v, 0));
    return match_binary(m, l, v);
}

static bool match_value(struct match *m, struct operand o, const struct ir_op *v)
{
    if (++m->steps > MAX_STEPS)
        return false;
    const struct isa_lane *l = lane_of(m, &o);
    if (v->opcode == IR_mvm) {
        uint32_t from, to;
        return match_sum(m, o, v, &from, &to) && from == 0 && to == n_slices(m, v);
    }
    if (l)
        return match_op(m, l, v);
    if (is_leaf(o))
        return match_leaf(m, o, v);
    return v->opcode == IR_constant && match_constant(m, o, v);
}

bool check_match(struct match *m)
{
    struct operand root = {m->program->n_ops - 1, 0};
    const struct ir_op *v = m->result;
    m->made = (struct leaf){v, 0, CHECK_NONE};
    if (v->opcode == IR_mvm) {
        uint32_t from, to;
        if (!match_sum(m, root, v, &from, &to))
            return false;
        if (from > 0 || to < n_slices(m, v))
            m->made.range = check_range(m->k, TAG_PARTIAL, v->id, from, to);
        return true;
    }
    return match_value(m, root, v);
}
