/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
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
    uint32_t imm;
};

static struct operand first_of(const struct isa_lane *l)
{
    return (struct operand){l->x, l->imm};
}

static struct operand second_of(const struct isa_lane *l)
{
    return (struct operand){l->y, l->imm};
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

static bool is_imm(const struct match *m, struct operand o, uint32_t value)
{
    return !lane_of(m, &o) && o.code == LANE_IMM && o.imm == value;
}

/* If the operand is lane operation `op` of something and the immediate, it becomes the former. */
static bool take_bound(const struct match *m, struct operand *o, unsigned op, uint32_t value)
{
    struct operand at = *o;
    const struct isa_lane *l = lane_of(m, &at);
    if (!l || l->op != op)
        return false;
    bool second = is_imm(m, second_of(l), value);
    if (!second && !is_imm(m, first_of(l), value))
        return false;
    *o = second ? first_of(l) : second_of(l);
    return true;
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

/* Element `at` of a constant that has one value, or one for each channel. */
static uint32_t constant_at(const struct ir_op *v, int64_t at)
{
    return check_const(v, check_dim(v, 2) == 1 ? 0 : at);
}

/* A constant that does not depend on the pixel, against an immediate or a preloaded vector. */
static bool match_constant(struct match *m, struct operand o, const struct ir_op *v)
{
    bool splat = v->attrs->constant.data->splat;
    if (v->out->type.rank != 3 || (!splat && (check_dim(v, 0) != 1 || check_dim(v, 1) != 1)))
        return false;
    for (int64_t c = 0; c < m->n_channels; c++) {
        uint32_t have = o.imm;
        if (o.code >= LANE_CONST0) {
            uint64_t mark = check_mark(m->constants, 0, o.code - LANE_CONST0, 0, c);
            if (mark >> 32 || !check_raw(m->k, (uint32_t)mark, &have))
                return false;
        } else if (o.code != LANE_IMM) {
            return false;
        }
        if (have != constant_at(v, m->channel0 + c))
            return false;
    }
    return true;
}

/* ---- sums of partial products ---- */

/* The operand is a part of the mvm's sums. */
static bool match_sum(struct match *m, struct operand o, const struct ir_op *mvm, uint32_t *part)
{
    const struct isa_lane *l = lane_of(m, &o);
    const unsigned sums = check_element(mvm) == ELEMENT_f32 ? LANE_ADD : LANE_IADD;
    if (++m->steps > MAX_STEPS)
        return false;
    if (l) {
        uint32_t x, y;
        if (l->op != sums || !match_sum(m, first_of(l), mvm, &x) ||
            !match_sum(m, second_of(l), mvm, &y))
            return false;
        *part = check_part_join(m->k, x, y);
        return *part != CHECK_NONE;
    }
    const struct tag_range *r = is_leaf(o) ? check_range_of(m->k, m->tag[o.code - LANE_A]) : NULL;
    if (!r || r->op != mvm->id || (r->kind != TAG_PARTIAL && r->kind != TAG_VALUE))
        return false;
    *part = r->kind == TAG_PARTIAL ? r->part : check_part_whole(m->k, mvm);
    if (r->kind == TAG_VALUE)
        return match_leaf(m, o, mvm);
    return match_range(m, o, mvm, (uint32_t)(r - m->k->tags.ranges.at));
}

static bool is_whole(const struct match *m, uint32_t part, const struct ir_op *mvm)
{
    return check_part_complete(m->k, part, mvm, m->channel0, m->n_channels);
}

/* ---- operations ---- */

static bool match_value(struct match *m, struct operand o, const struct ir_op *v);

static const struct ir_op *operand_of(const struct ir_op *op, uint32_t i)
{
    return op->in[i].value->def;
}

/* Lane operation of a graph operation that has one; N_LANE_OPS otherwise. */
static unsigned lane_for(const struct ir_op *v)
{
    bool integer = v->n_in > 0 && check_element(operand_of(v, 0)) != ELEMENT_f32;
    switch (v->opcode) {
    case IR_exp: return LANE_EXP;
    case IR_log: return LANE_LOG;
    case IR_sqrt: return LANE_SQRT;
    case IR_sigmoid: return LANE_SIGMOID;
    case IR_tanh: return LANE_TANH;
    case IR_neg: return LANE_NEG;
    case IR_abs: return LANE_ABS;
    case IR_erf: return LANE_ERF;
    case IR_sin: return LANE_SIN;
    case IR_cos: return LANE_COS;
    case IR_floor: return LANE_FLOOR;
    case IR_ceil: return LANE_CEIL;
    case IR_round: return LANE_RINT;
    case IR_pow: return LANE_POW;
    case IR_mask: return LANE_MASK;
    case IR_merge: return LANE_IOR;
    case IR_mod: return integer ? LANE_IMOD : LANE_FMOD;
    case IR_equal: return integer ? LANE_IEQ : LANE_FEQ;
    case IR_less:
    case IR_greater: return integer ? LANE_ILT : LANE_FLT;
    case IR_add: return integer ? LANE_IADD : LANE_ADD;
    case IR_sub: return integer ? LANE_ISUB : LANE_SUB;
    case IR_mul: return integer ? LANE_IMUL : LANE_MUL;
    case IR_div: return integer ? LANE_IDIV : LANE_DIV;
    case IR_min: return integer ? LANE_IMIN : LANE_MIN;
    case IR_max: return integer ? LANE_IMAX : LANE_MAX;
    default: return N_LANE_OPS;
    }
}

/* max(x, 0) */
static bool match_relu(struct match *m, struct operand o, const struct ir_op *v)
{
    return take_bound(m, &o, LANE_MAX, f32_bits(0)) && match_value(m, o, operand_of(v, 0));
}

/* The bound's lane, or none where the bound is `none`: no integer is that. */
static bool match_bound(const struct match *m, struct operand *o, unsigned lane, float bound,
                        float none, enum element e)
{
    bool number = e == ELEMENT_f32 || !isinf(bound);
    return (number && take_bound(m, o, lane, check_pattern(bound, e))) || bound == none;
}

/* min(max(x, lo), hi) */
static bool match_clip(struct match *m, struct operand o, const struct ir_op *v)
{
    enum element e = check_element(v);
    bool integer = e != ELEMENT_f32;
    const struct ir_attrs_clip *clip = &v->attrs->clip;
    return match_bound(m, &o, integer ? LANE_IMIN : LANE_MIN, clip->hi, INFINITY, e) &&
           match_bound(m, &o, integer ? LANE_IMAX : LANE_MAX, clip->lo, -INFINITY, e) &&
           match_value(m, o, operand_of(v, 0));
}

static bool match_binary(struct match *m, const struct isa_lane *l, const struct ir_op *v)
{
    struct match before = *m;
    bool swap = v->opcode == IR_greater; /* which is less, swapped */
    struct operand x = swap ? second_of(l) : first_of(l), y = swap ? first_of(l) : second_of(l);
    if (match_value(m, x, operand_of(v, 0)) && match_value(m, y, operand_of(v, 1)))
        return true;
    if (!(ir_op_descs[v->opcode].traits & IR_COMMUTES))
        return false;
    before.steps = m->steps;
    *m = before;
    return match_value(m, y, operand_of(v, 0)) && match_value(m, x, operand_of(v, 1));
}

/* ---- integers ---- */

/* If the operand is `op` of something and the constant, it becomes the former. A constant that is
 * only the value that changes nothing has no lane: one like it belongs to what is before. */
static bool take_constant(struct match *m, struct operand *o, unsigned op, const struct ir_op *c,
                          uint32_t nothing)
{
    if (check_dim(c, 2) == 1 && check_const(c, 0) == nothing)
        return true;
    const struct isa_lane *l = lane_of(m, o);
    if (!l || l->op != op || !match_constant(m, second_of(l), c))
        return false;
    *o = first_of(l);
    return true;
}

/* The operand becomes that of a lane operation of one operand. */
static bool take_lane(struct match *m, struct operand *o, unsigned op)
{
    const struct isa_lane *l = lane_of(m, o);
    if (!l || l->op != op)
        return false;
    *o = first_of(l);
    return true;
}

/* Takes the bounds lo..hi of what was rounded to v, in any order. A store into u8 has 0..255 by
 * itself, f2i +-2^30. */
static bool take_bounds(struct match *m, struct operand *o, const struct ir_op *v, int64_t lo,
                        int64_t hi, bool stored)
{
    const int64_t far = IR_MOST_QUANTIZED;
    bool wide = check_element(v) == ELEMENT_i32, more = true;
    bool below = wide ? lo <= -far : stored && lo <= 0;
    bool above = wide ? hi >= far : stored && hi >= UINT8_MAX;
    while (more) {
        bool low = take_bound(m, o, LANE_IMAX, (uint32_t)lo);
        bool high = take_bound(m, o, LANE_IMIN, (uint32_t)hi);
        below |= low;
        above |= high;
        more = low || high;
    }
    return below && above;
}

/* bounds(f2i(x / scale) + zero) */
static bool match_quantize(struct match *m, struct operand o, const struct ir_op *v, bool stored)
{
    const struct ir_attrs_quantize *q = &v->attrs->quantize;
    return take_bounds(m, &o, v, q->lo, q->hi, stored) &&
           (v->n_in < 3 || take_constant(m, &o, LANE_IADD, operand_of(v, 2), 0)) &&
           take_lane(m, &o, LANE_F2I) &&
           take_constant(m, &o, LANE_DIV, operand_of(v, 1), f32_bits(1)) &&
           match_value(m, o, operand_of(v, 0));
}

/* i2f(x - zero) * scale */
static bool match_dequantize(struct match *m, struct operand o, const struct ir_op *v)
{
    return take_constant(m, &o, LANE_MUL, operand_of(v, 1), f32_bits(1)) &&
           take_lane(m, &o, LANE_I2F) &&
           (v->n_in < 3 || take_constant(m, &o, LANE_ISUB, operand_of(v, 2), 0)) &&
           match_value(m, o, operand_of(v, 0));
}

/* Can no result of a fixed multiplication be so large that adding the zero point wraps? */
static bool stays_small(const struct match *m, const struct ir_op *v)
{
    const struct ir_op *mult = operand_of(v, 2), *offset = operand_of(v, 3);
    const struct ir_attrs_requantize *r = &v->attrs->requantize;
    for (int64_t c = 0; c < m->n_channels; c++) {
        double k = (int32_t)constant_at(mult, m->channel0 + c);
        double o = (int32_t)constant_at(offset, m->channel0 + c);
        double most = ldexp(fabs(k) * 0x1p31 + fabs(o), (int)-r->shift) + 1; /* half */
        if (most + (double)r->zero >= INT32_MAX)
            return false;
    }
    return true;
}

/* rq(x, mult, add) */
static bool take_fixed(struct match *m, struct operand *o, const struct ir_op *v)
{
    const struct isa_lane *l = lane_of(m, o);
    if (!l || l->op != LANE_RQ || l->imm != (uint32_t)v->attrs->requantize.shift)
        return false;
    struct operand k = {l->y, 0}, offset = {l->y + 1u, 0};
    *o = first_of(l);
    return match_constant(m, k, operand_of(v, 2)) && match_constant(m, offset, operand_of(v, 3));
}

/* bounds(f2i(i2f(x + bias) * mult) + zero), or bounds(rq(x + bias) + zero); rq saturates, so that
 * adding to it must not wrap. */
static bool match_requantize(struct match *m, struct operand o, const struct ir_op *v, bool stored)
{
    const struct ir_attrs_requantize *r = &v->attrs->requantize;
    if (!take_bounds(m, &o, v, r->lo, r->hi, stored))
        return false;
    if (r->zero && !take_bound(m, &o, LANE_IADD, (uint32_t)r->zero))
        return false;
    bool limited = take_bound(m, &o, LANE_IMIN, (uint32_t)(INT32_MAX - r->zero));
    if (r->kind == IR_REQUANT_FIXED) {
        if ((r->zero && !limited && !stays_small(m, v)) || !take_fixed(m, &o, v))
            return false;
    } else if (!take_lane(m, &o, LANE_F2I) ||
               !take_constant(m, &o, LANE_MUL, operand_of(v, 2), f32_bits(1)) ||
               !take_lane(m, &o, LANE_I2F)) {
        return false;
    }
    return take_constant(m, &o, LANE_IADD, operand_of(v, 1), 0) &&
           match_value(m, o, operand_of(v, 0));
}

/* The tile's table holds the graph's, as a lane reads it. */
static bool match_table(struct match *m, struct operand o, const struct ir_op *v)
{
    const struct isa_lane *l = lane_of(m, &o);
    if (!l || l->op != LANE_TAB)
        return false;
    const struct isa_table *table = &m->tile->tables[l->imm];
    const struct ir_op *want = operand_of(v, 1);
    const uint32_t *have = isa_table_data(m->k->p, table);
    if ((table->element == ELEMENT_f32) != (check_element(want) == ELEMENT_f32))
        return false;
    for (int64_t i = 0; i < ISA_TABLE_ENTRIES; i++)
        if (have[i] != check_const(want, i))
            return false;
    return match_value(m, first_of(l), operand_of(v, 0));
}

/* A value of another type: an u8 is an i32 already; i2f(x), f2i(trunc(x)), and 255 to become one.
 */
static bool match_cast(struct match *m, struct operand o, const struct ir_op *v)
{
    const struct ir_op *x = operand_of(v, 0);
    enum element from = check_element(x), to = check_element(v);
    if (to == ELEMENT_u8 && from != ELEMENT_u8 && !take_bound(m, &o, LANE_IAND, UINT8_MAX))
        return false;
    bool real = to == ELEMENT_f32, fits = from == to || (from != ELEMENT_f32 && !real);
    if (!fits && !(real ? take_lane(m, &o, LANE_I2F)
                        : take_lane(m, &o, LANE_F2I) && take_lane(m, &o, LANE_TRUNC)))
        return false;
    return match_value(m, o, x);
}

/* `stored`: into the value's element, and nobody else reads the operand. */
static bool match_op(struct match *m, struct operand o, const struct ir_op *v, bool stored)
{
    const struct isa_lane *l = lane_of(m, &o);
    switch (v->opcode) {
    case IR_relu: return match_relu(m, o, v);
    case IR_clip: return match_clip(m, o, v);
    case IR_quantize: return match_quantize(m, o, v, stored);
    case IR_dequantize: return match_dequantize(m, o, v);
    case IR_requantize: return match_requantize(m, o, v, stored);
    case IR_table: return match_table(m, o, v);
    case IR_cast: return match_cast(m, o, v);
    case IR_leaky_relu:
        return l && l->op == LANE_LEAKY &&
               is_imm(m, second_of(l), f32_bits(v->attrs->leaky_relu.alpha)) &&
               match_value(m, first_of(l), operand_of(v, 0));
    default: break;
    }
    if (!l || l->op != lane_for(v))
        return false;
    if (isa_lane_arity(l->op) == 1)
        return match_value(m, first_of(l), operand_of(v, 0));
    return match_binary(m, l, v);
}

static bool match_value(struct match *m, struct operand o, const struct ir_op *v)
{
    struct operand at = o;
    const struct isa_lane *l = lane_of(m, &at);
    if (l && m->known[at.code] == v) /* it has several readers */
        return true;
    if (++m->steps > MAX_STEPS)
        return false;
    if (v->opcode == IR_mvm) {
        uint32_t part;
        return match_sum(m, o, v, &part) && is_whole(m, part, v);
    }
    if (!l && is_leaf(at) && match_leaf(m, at, v))
        return true;
    if (v->opcode == IR_constant)
        return !l && match_constant(m, at, v);
    bool matches = match_op(m, o, v, false);
    if (matches && l)
        m->known[at.code] = v;
    return matches;
}

bool check_match(struct match *m)
{
    struct operand root = {m->program->n_ops - 1, 0};
    const struct ir_op *v = m->result;
    m->made = (struct leaf){v, 0, CHECK_NONE};
    if (v->opcode == IR_mvm) {
        uint32_t part;
        if (!match_sum(m, root, v, &part))
            return false;
        if (!is_whole(m, part, v))
            m->made.range = check_range(m->k, TAG_PARTIAL, v->id, part);
        return true;
    }
    struct operand at = root;
    bool saturates = check_element(v) == ELEMENT_u8 && lane_of(m, &at);
    return saturates ? match_op(m, root, v, true) : match_value(m, root, v);
}
