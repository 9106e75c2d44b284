/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_mvm.c - a crossbar product is the claimed mvm of the graph, or its sum over some slices.
 *
 * Once for each group and claimed op: kernel, strides, patch, padding, weights (every byte of the
 * image) and which of them the PEs hold. For each instruction: the elements under the rows that
 * they hold.
 */
#include "check_matrix.h"
#include "check_meaning.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the graph's mvm ---- */

/* Channels [from, from + n) of the destination view: the op's, or a part of their sums. */
struct mvm_block {
    uint32_t from, n;
    struct leaf result;
};
struct mvm_plan {
    const struct ir_op *op; /* NULL: the group is not this op's */
    struct leaf source;
    int64_t top;  /* padding of the source */
    bool in_rows; /* of views that show several values */
    uint32_t n_blocks;
    struct mvm_block *blocks;
};

/* A product whose result and source are rows of views that show several values: it must read just
 * the row that the group's padding says, whatever values the rows are of. */
static bool reads_one_row(struct actor *a, const struct isa_group *g, const struct mvm_plan *plan)
{
    return (g->kernel[0] == 1 && g->stride[0] == 1 && check_dim(plan->op, 0) == 1) ||
           check_fault(a, "'%s' is more than one row of a view that shows no value",
                       check_op_name(a->k, plan->op->id));
}

/* The mvm's operand as the group's source view shows it: itself, or what a constant pad stands
 * before. */
static bool find_source(struct actor *a, const struct isa_group *g, struct mvm_plan *plan)
{
    const struct isa_view *v = &a->t->t->views[g->source_view];
    const struct ir_op *x = plan->op->in[0].value->def;
    int64_t top = 0, left = 0;
    if (x->opcode == IR_pad && x->attrs->pad.mode == IR_PAD_CONSTANT && v->value != x->id) {
        const struct ir_attrs_pad *p = &x->attrs->pad;
        if (p->before.at[2] || p->after.at[2])
            return check_fault(a, "channels are padded, which no view can show");
        if (check_pattern(p->value, v->element) != v->pad_value)
            return check_fault(a, "pads with %s instead of %g",
                               check_bits_text(a->k, v->pad_value, v->element), (double)p->value);
        top = p->before.at[0];
        left = p->before.at[1];
        x = x->in[0].value->def;
    }
    plan->source = (struct leaf){x, 0, CHECK_NONE};
    plan->top = top;
    plan->in_rows = a->t->t->views[a->in->dst.view].value == ISA_NO_SOURCE;
    if (plan->in_rows && !reads_one_row(a, g, plan))
        return false;
    if ((!plan->in_rows && g->pad_top != top) || g->pad_left != left)
        return check_fault(a, "padding is %d, %d instead of %" PRId64 ", %" PRId64, g->pad_top,
                           g->pad_left, top, left);
    if ((!plan->in_rows && v->height != check_dim(x, 0)) || v->width != check_dim(x, 1) ||
        g->in_channels != check_dim(x, 2))
        return check_fault(
            a, "the source is %u x %u x %u, but '%s' is %" PRId64 " x %" PRId64 " x %" PRId64,
            v->height, v->width, g->in_channels, check_op_name(a->k, x->id), check_dim(x, 0),
            check_dim(x, 1), check_dim(x, 2));
    return true;
}

/* ---- a group's products ---- */

static bool same_pair(const uint32_t a[2], const int64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

static bool same_product(struct actor *a, const struct isa_group *g, const struct ir_op *op)
{
    const struct ir_attrs_mvm *m = &op->attrs->mvm;
    if (!same_pair(g->kernel, m->kernel) || !same_pair(g->stride, m->stride) ||
        !same_pair(g->dilation, m->dilation))
        return check_fault(a, "kernel, stride or dilation is not that of '%s'",
                           check_op_name(a->k, op->id));
    for (unsigned i = 0; i < 2; i++)
        if (isa_patch(g, i) != m->patch[i])
            return check_fault(a, "a patch of %u x %u instead of %" PRId64 " x %" PRId64,
                               isa_patch(g, 0), isa_patch(g, 1), m->patch[0], m->patch[1]);
    if (isa_conv_groups(g) != m->group)
        return check_fault(a, "%u conv groups instead of %" PRId64, isa_conv_groups(g), m->group);
    if (!check_image(a->k, g->image, op))
        return check_fault(a, "image %u does not hold the weights of '%s'", g->image,
                           check_op_name(a->k, op->id));
    uint32_t weight_bits = a->k->p->images[g->image].weight_bits;
    if (weight_bits != m->weight_bits)
        return check_fault(a, "weights of %u bits instead of %" PRId64, weight_bits,
                           m->weight_bits);
    if (g->x_bits != m->x_bits)
        return check_fault(a, "inputs of %u bits instead of %" PRId64, g->x_bits, m->x_bits);
    return m->x_bits == 0 || (check_readout(a, g, op) && check_sums(a, op));
}

static void add_block(struct mvm_plan *plan, struct mvm_block b)
{
    struct mvm_block *last = plan->n_blocks ? &plan->blocks[plan->n_blocks - 1] : NULL;
    if (last && last->from + last->n == b.from && last->result.range == b.result.range)
        last->n += b.n;
    else
        plan->blocks[plan->n_blocks++] = b;
}

/* Which weights the PEs hold: those of the block that begins at column n0, or, where a product
 * yields several pixels, all. A block's rows are taken as those of all columns: then blocks of the
 * same rows are one part. */
static uint32_t held_part(struct actor *a, const struct isa_group *g, const uint32_t *n0)
{
    const struct isa_image *image = &a->k->p->images[g->image];
    uint32_t n = 0, most = 0;
    for (uint32_t i = 0; i < g->n_pes; i++)
        most += isa_pe_runs(&g->pes[i]);
    struct part_piece *at = heap_alloc(((size_t)most + 1) * sizeof *at);
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i];
        for (uint32_t j = 0; j < isa_pe_runs(pe) && (!n0 || pe->n0 == *n0); j++) {
            struct isa_run r = isa_pe_run(pe, j);
            at[n++] = (struct part_piece){n0 ? 0 : pe->n0, n0 ? image->n : pe->n0 + pe->n, r.row,
                                          r.row + r.rows};
        }
    }
    uint32_t part = check_part(a->k, at, n);
    heap_free(at);
    if (part == CHECK_NONE)
        check_fault(a, "two PEs hold the same weight");
    return part;
}

/* Channels [from, from + n) of the destination get what the part's weights make of them. */
static bool set_block(struct actor *a, const struct isa_group *g, struct mvm_plan *plan,
                      uint32_t from, uint32_t n, uint32_t part)
{
    struct mvm_block b = {from, n, {plan->op, 0, CHECK_NONE}};
    if (part == CHECK_NONE)
        return false;
    if (!check_part_complete(a->k, part, plan->op, (int64_t)g->channel0 + from, n))
        b.result.range = check_range(a->k, TAG_PARTIAL, plan->op->id, part);
    add_block(plan, b);
    return true;
}

/* Which channels the destination gets, and how much of their sums. */
static bool find_blocks(struct actor *a, const struct isa_group *g, struct mvm_plan *plan)
{
    uint32_t channels = a->t->t->views[a->in->dst.view].channels;
    plan->blocks = ARENA_ARRAY(a->k->arena, struct mvm_block, g->n_pes);
    if (isa_patch(g, 0) * isa_patch(g, 1) > 1)
        return set_block(a, g, plan, 0, channels, held_part(a, g, NULL));
    for (uint32_t at = g->channel0; at < g->channel0 + channels;) {
        const struct isa_pe *pe = NULL;
        for (uint32_t i = 0; i < g->n_pes && !pe; i++)
            pe = g->pes[i].n0 == at ? &g->pes[i] : NULL;
        if (!pe)
            return check_fault(a, "no PE's columns begin at %u", at);
        if (!set_block(a, g, plan, at - g->channel0, pe->n, held_part(a, g, &at)))
            return false;
        at += pe->n;
    }
    return true;
}

static struct mvm_plan *plan_of(struct actor *a, const struct isa_group *g)
{
    uint32_t value = check_claim(a).value;
    uint32_t fresh = (uint32_t)a->t->mvm_plans.n;
    uint32_t known = map_intern_u64(&a->t->mvm_plan_of, map_pair(a->in->obj, value), fresh);
    if (known < fresh)
        return a->t->mvm_plans.at[known];
    struct mvm_plan *p = ARENA_NEW(a->k->arena, struct mvm_plan);
    VEC_PUSH(&a->t->mvm_plans, p);
    p->op = check_op(a->k, value, IR_mvm);
    if (!p->op)
        check_fault(a, "its result '%s' is no mvm of the graph", check_op_name(a->k, value));
    else if (!same_product(a, g, p->op) || !find_source(a, g, p) || !find_blocks(a, g, p))
        p->op = NULL;
    return p;
}

/* ---- an instruction ---- */

static void write_blocks(struct actor *a, const struct isa_group *g, const struct mvm_plan *plan)
{
    const struct isa_region *r = &a->in->dst;
    struct writer w = check_local_writer(a);
    for (uint32_t i = 0; i < a->in->h; i++)
        for (uint32_t j = 0; j < plan->n_blocks; j++) {
            const struct mvm_block *b = &plan->blocks[j];
            struct span s = {r->y + (int64_t)i, r->x, a->in->w, b->from, b->n};
            int64_t at[3] = {s.y - check_claim(a).row, s.x, (int64_t)g->channel0 + b->from};
            check_write_span(&w, r->view, s, &b->result, at);
        }
}

/* The instruction's patches along an axis: whole ones, and one that the region's end cuts. */
struct patches {
    int64_t first, whole, rest;
};
static struct patches patches_of(int64_t from, int64_t n, int64_t patch)
{
    return (struct patches){from / patch, n / patch, n % patch};
}

/* What its products read: four kinds of patches, whole or cut along each axis. */
static void walk_patches(struct actor *a, const struct isa_group *g, struct walk *w,
                         const struct leaf *leaf)
{
    const int64_t patch[2] = {isa_patch(g, 0), isa_patch(g, 1)};
    const struct patches at[2] = {patches_of(a->in->dst.y, a->in->h, patch[0]),
                                  patches_of(a->in->dst.x, a->in->w, patch[1])};
    for (unsigned cut = 0; cut < 4 && !a->faulted; cut++) {
        int64_t kept[2];
        for (unsigned i = 0; i < 2; i++) {
            bool is_cut = cut >> i & 1;
            kept[i] = is_cut ? at[i].rest : patch[i];
            w->n[i] = is_cut ? at[i].rest > 0 : at[i].whole;
            w->first[i] = at[i].first + (is_cut ? at[i].whole : 0);
        }
        if (w->n[0] > 0 && w->n[1] > 0) {
            w->boxes = check_boxes_of_group(a, kept);
            check_walk(a, w, leaf);
        }
    }
}

void check_mvm(struct actor *a)
{
    const struct isa_group *g = &a->t->t->groups[a->in->obj];
    const struct mvm_plan *plan = a->k->g ? plan_of(a, g) : NULL;
    bool known = plan && plan->op && check_inside(a, plan->op, a->in->h, a->in->w);
    const struct matrix m = check_matrix_of_group(a->k->p, g);
    bool single = check_matrix_pixels(&m) == 1;
    struct walk walk = {
        .pad = {g->pad_top, g->pad_left}, .view = g->source_view, .channel0 = g->source_channel0};
    for (unsigned i = 0; i < 2; i++) {
        walk.kernel[i] = (uint32_t)m.window[i];
        walk.stride[i] = (uint32_t)(m.patch[i] * m.stride[i]);
        walk.dilation[i] = single ? g->dilation[i] : 1;
    }
    if (known && plan->in_rows) {
        walk.first_row = a->in->dst.y - g->pad_top + plan->top;
        walk.inside = true;
    }
    walk_patches(a, g, &walk, known ? &plan->source : NULL);
    if (known)
        write_blocks(a, g, plan);
    else
        check_write_dst(a, a->in->h, a->in->w, NULL);
}
