/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_map.c - VMAP: the vector program is matched with the graph once for each program, result
 * and kind of operands; each instruction then only shows that its operands are the elements it
 * needs.
 */
#include "check_meaning.h"

#include <string.h>

/* What a match is of. */
struct map_key {
    uint32_t program, value, channel0, n_channels;
    uint32_t range_index[2];
};
struct map_plan {
    struct map_key key;
    uint32_t preload_writes; /* of the tile, when the constants were compared */
    struct match match;
    bool right;
};

static const struct check_view *dst_view(const struct actor *a)
{
    return &a->t->views[a->in->dst.view];
}

/* The first pixel of an operand that is no padding, and the tag of its first channel. */
static void take_sample(const struct actor *a, unsigned i, struct match *m)
{
    const struct isa_region *r = i ? &a->in->b : &a->in->a;
    const struct check_view *v = &a->t->views[r->view];
    int64_t y = max_i64(r->y, 0), x = max_i64(r->x, 0);
    bool inside = y >= v->v->y0 && y < min_i64(r->y + (int64_t)a->in->h, v->v->y1) &&
                  x >= v->v->x0 && x < min_i64(r->x + (int64_t)a->in->w, v->v->x1) && v->cluster;
    if (!inside) {
        y = r->y;
        x = r->x;
    }
    m->at[i][0] = a->in->dst.y - check_claim(a).row + y - r->y;
    m->at[i][1] = a->in->dst.x + x - r->x;
    m->at[i][2] = m->channel0;
    m->tag[i] = inside ? (uint32_t)check_mark(v, a->frame, y, x, 0) : 0;
}

static uint32_t range_index(const struct check *k, uint32_t tag)
{
    const struct tag_range *r = tag ? check_range_of(k, tag) : NULL;
    return r ? (uint32_t)(r - k->tags.ranges.at) : CHECK_NONE;
}

/* Does what was found once hold for this instruction's sample? */
static bool still_fits(struct check *k, const struct map_plan *p, const struct match *sample)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!p->match.bound[i])
            continue;
        struct expected e = check_expect(k, &p->match.leaf[i], sample->at[i], 1);
        if (e.is_fill ? sample->tag[i] != 0 : e.tag != sample->tag[i] && !e.constant)
            return false;
    }
    return true;
}

static void report_mismatch(struct actor *a, const struct match *m)
{
    char x[256], y[256];
    check_tag_text(a->k, m->tag[0], x, sizeof x);
    check_tag_text(a->k, m->tag[1], y, sizeof y);
    check_fault(a, "vector program %u does not compute '%s' from %s%s%s", a->in->obj,
                check_op_name(a->k, m->result->id), x, m->program->arity == 2 ? " and " : "",
                m->program->arity == 2 ? y : "");
}

/* What the instruction asks, as a plan without an answer. */
static struct map_plan question(struct actor *a, const struct ir_op *result)
{
    const struct isa_program_entry *e = &a->t->t->programs[a->in->obj];
    const struct isa_view *dst = dst_view(a)->v;
    struct map_plan q = {.key = {.program = a->in->obj,
                                 .value = check_claim(a).value,
                                 .channel0 = dst->channel0,
                                 .n_channels = dst->channels},
                         .preload_writes = a->t->preload_writes};
    q.match = (struct match){.k = a->k,
                             .tile = a->t->t,
                             .program = e,
                             .constants = &a->t->views[e->constants_view],
                             .result = result,
                             .channel0 = dst->channel0,
                             .n_channels = dst->channels};
    for (unsigned i = 0; i < 2; i++) {
        if (i < e->arity)
            take_sample(a, i, &q.match);
        q.key.range_index[i] = range_index(a->k, q.match.tag[i]);
    }
    return q;
}

/* NULL if the program does not compute the result, which is reported. */
static const struct map_plan *plan_of(struct actor *a, const struct ir_op *result)
{
    struct map_plan q = question(a, result);
    uint32_t fresh = (uint32_t)a->t->map_plans.n;
    uint32_t known = map_intern(&a->t->map_plan_of, &q.key, sizeof q.key, fresh);
    if (known == fresh)
        VEC_PUSH(&a->t->map_plans, ARENA_NEW(a->k->arena, struct map_plan));
    struct map_plan *p = a->t->map_plans.at[known];
    if (p->right && p->preload_writes == q.preload_writes && still_fits(a->k, p, &q.match))
        return p;
    *p = q;
    p->right = check_match(&p->match);
    if (!p->right)
        report_mismatch(a, &q.match);
    return p->right ? p : NULL;
}

/* The rows of constants that the program uses. */
static void read_constants(struct actor *a)
{
    const struct isa_program_entry *e = &a->t->t->programs[a->in->obj];
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->n_ops; i++) {
        uint32_t x = e->ops[i].x, y = e->ops[i].y, most = x > y ? x : y;
        if (most >= LANE_CONST0 && most - LANE_CONST0 >= n)
            n = most - LANE_CONST0 + 1;
    }
    const struct check_view *v = &a->t->views[e->constants_view];
    for (uint32_t i = 0; i < n; i++) {
        if (!a->k->g)
            check_read_span(a, e->constants_view, (struct span){i, 0, 1, 0, v->v->channels}, NULL,
                            (int64_t[3]){0});
        else
            check_note_read(a, v, i);
    }
}

/* An operand may lie in the place of the result, element by element. */
static void read_operand(struct actor *a, const struct isa_region *r, const struct leaf *leaf)
{
    const struct check_view *v = &a->t->views[r->view], *dst = dst_view(a);
    a->in_place = v->cluster == dst->cluster && v->row == dst->row && v->col == dst->col &&
                  v->ch == dst->ch && v->ch != 0 && v->col != 0 &&
                  (v->row != 0 || v->v->ring_rows == 1) && v->v->ring_rows == dst->v->ring_rows &&
                  v->v->ring_rows >= a->in->h &&
                  check_place(v, a->frame, r->y, r->x, 0) ==
                      check_place(dst, a->frame, a->in->dst.y, a->in->dst.x, 0);
    int64_t at[3] = {a->in->dst.y - check_claim(a).row, a->in->dst.x, dst->v->channel0};
    check_read_region(a, r, leaf, at);
    a->in_place = false;
}

/* The reshape that the instruction is for, if its result is written in the operand's coordinates:
 * the source names the reshape, the view of the result its operand. */
static const struct ir_op *reshape_of(const struct actor *a)
{
    uint32_t source = a->t->t->sources ? a->t->t->sources[a->index] : ISA_NO_SOURCE;
    if (!a->k->g || source >= a->k->tags.n_ops)
        return NULL;
    const struct ir_op *op = a->k->tags.ops[source];
    return op->opcode == IR_reshape && op->in[0].value->def->id == dst_view(a)->v->value ? op
                                                                                         : NULL;
}

/* Copies the operand; each element becomes the element of the result at the same flat position. */
static void copy_reshaped(struct actor *a, const struct ir_op *reshape)
{
    const struct isa_inst *in = a->in;
    const struct isa_program_entry *e = &a->t->t->programs[in->obj];
    const struct ir_op *x = reshape->in[0].value->def;
    struct leaf operand = {x, 0, CHECK_NONE}, result = {reshape, 0, CHECK_NONE};
    if (e->n_ops != 1 || e->ops[0].op != LANE_MOV || e->ops[0].x != LANE_A) {
        check_fault(a, "vector program %u does not copy", in->obj);
        return;
    }
    if (!check_inside(a, x, in->h, in->w))
        return;
    const struct isa_view *dst = dst_view(a)->v;
    read_operand(a, &in->a, &operand);
    struct writer w = check_local_writer(a);
    for (int64_t y = in->dst.y; y < in->dst.y + (int64_t)in->h; y++)
        for (int64_t j = in->dst.x; j < in->dst.x + (int64_t)in->w; j++)
            for (int64_t c = 0, n; c < dst->channels; c += n) {
                int64_t at[3] = {y, j, dst->channel0 + c};
                n = check_reshape_forward(reshape, at, dst->channels - c);
                check_write_span(&w, in->dst.view, (struct span){y, j, 1, c, n}, &result, at);
            }
}

void check_vmap(struct actor *a)
{
    const struct isa_inst *in = a->in;
    const struct ir_op *reshape = reshape_of(a);
    if (reshape) {
        copy_reshaped(a, reshape);
        return;
    }
    uint32_t value = check_claim(a).value, arity = a->t->t->programs[in->obj].arity;
    const struct ir_op *op = a->k->g && value < a->k->tags.n_ops ? a->k->tags.ops[value] : NULL;
    const struct map_plan *p = NULL;
    if (a->k->g && !(op && op->out))
        check_fault(a, "its result is no value of the graph");
    else if (op && check_inside(a, op, in->h, in->w))
        p = plan_of(a, op);
    read_operand(a, &in->a, p && p->match.bound[0] ? &p->match.leaf[0] : NULL);
    if (arity == 2)
        read_operand(a, &in->b, p && p->match.bound[1] ? &p->match.leaf[1] : NULL);
    read_constants(a);
    check_write_dst(a, in->h, in->w, p ? &p->match.made : NULL);
}
