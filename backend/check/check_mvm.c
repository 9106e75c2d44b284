/*
 * check_mvm.c - a crossbar product is the claimed mvm of the graph, or its sum over some slices.
 *
 * Once for each group and claimed op: kernel, strides, padding, weights (every byte of the image)
 * and PE ranges. For each instruction: the elements under the taps and channels in the PEs' K
 * ranges.
 */
#include "check_meaning.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the graph's mvm ---- */

/* Columns [from, from + n) of the destination view: slices [s0, s1) of the op. */
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

/* n elements of so many bytes are the constant's, bit for bit. */
static bool holds(const void *data, size_t n, size_t bytes, const struct blob *b)
{
    if (!b->splat)
        return memcmp(data, blob_data(b), n * bytes) == 0;
    size_t same = 0;
    while (same < n && memcmp((const char *)data + same * bytes, blob_data(b), bytes) == 0)
        same++;
    return same == n;
}

static bool holds_weights(const struct check *k, uint32_t image, const struct blob *b)
{
    const struct isa_image *m = &k->p->images[image];
    if (k->p->no_weights)
        return true; /* whatever they are */
    if (k->p->sections[m->section].owner == b && m->offset == 0)
        return true; /* the very one; it may be nowhere yet */
    return holds(isa_image_data(k->p, image), (size_t)m->k * m->n, element_bytes(m->element), b);
}

static bool image_equals(struct check *k, uint32_t image, const struct ir_op *weights)
{
    uint64_t key = (uint64_t)image << 32 | weights->id;
    for (uint32_t i = 0; i < k->n_equal_images; i++)
        if (k->equal_images[i] == key)
            return true;
    const struct isa_image *m = &k->p->images[image];
    const struct ir_type *t = &weights->out->type;
    if (t->rank != 2 || check_element(weights) != m->element || t->dim[0] != m->k ||
        t->dim[1] != m->n || !holds_weights(k, image, weights->attrs->constant.data))
        return false;
    if (k->n_equal_images < k->p->n_images)
        k->equal_images[k->n_equal_images++] = key;
    return true;
}

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

static bool center_equals(const struct check *k, uint32_t image, const struct ir_op *mvm)
{
    const int32_t *center = isa_image_center(k->p, image);
    if (mvm->n_in < 3 || !center)
        return mvm->n_in < 3 && !center;
    return holds(center, (size_t)k->p->images[image].n, sizeof *center,
                 mvm->in[2].value->def->attrs->constant.data);
}

/* ---- sums of integers ---- */

/* How large a sum of each column can be, for inputs 0..255: of its positive or negative weights. */
static int64_t *column_bounds(const struct ir_op *mvm)
{
    const struct ir_op *weights = mvm->in[1].value->def;
    const struct blob *b = weights->attrs->constant.data;
    const int8_t *w = blob_data(b);
    size_t rows = (size_t)check_dim(weights, 0), columns = (size_t)check_dim(weights, 1);
    int64_t *bound = heap_alloc((columns + 1) * sizeof *bound);
    int64_t *below = heap_alloc((columns + 1) * sizeof *below);
    memset(bound, 0, columns * sizeof *bound);
    memset(below, 0, columns * sizeof *below);
    for (size_t k = 0; k < rows; k++)
        for (size_t n = 0; n < columns; n++) {
            int64_t center = mvm->n_in > 2 ? ir_const_i64(mvm->in[2].value->def, (int64_t)n) : 0;
            int64_t weight = w[b->splat ? 0 : k * columns + n] + center;
            bound[n] += weight > 0 ? weight : 0;
            below[n] -= weight < 0 ? weight : 0;
        }
    for (size_t n = 0; n < columns; n++)
        bound[n] = UINT8_MAX * max_i64(bound[n], below[n]);
    free(below);
    return bound;
}

/* What is added to column n of the sums at once: the bias of who reads them. */
static int64_t bias_bound(const struct ir_op *mvm, int64_t n)
{
    int64_t most = 0;
    for (const struct ir_use *u = mvm->out->uses; u; u = u->next) {
        const struct ir_op *op = u->user;
        bool adds = op->opcode == IR_requantize || op->opcode == IR_add;
        const struct ir_op *bias = adds ? op->in[u == &op->in[0]].value->def : NULL;
        if (!bias || bias->opcode != IR_constant)
            continue;
        int64_t b = ir_const_i64(bias, check_dim(bias, 2) == 1 ? 0 : n);
        most = max_i64(most, b < 0 ? -b : b);
    }
    return most;
}

/* No sum of the layer, of all its rows or some, with its bias or without, leaves 32 bits. */
static bool sums_fit(struct actor *a, const struct ir_op *mvm)
{
    if (a->k->sums_fit[mvm->id])
        return true;
    int64_t *bound = column_bounds(mvm), n = 0;
    while (n < check_dim(mvm, 2) && bound[n] + bias_bound(mvm, n) <= INT32_MAX)
        n++;
    free(bound);
    a->k->sums_fit[mvm->id] = n == check_dim(mvm, 2);
    return a->k->sums_fit[mvm->id] ||
           check_fault(a, "sums of column %" PRId64 " of '%s' can leave 32 bits", n,
                       check_op_name(a->k, mvm->id));
}

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
    if (isa_conv_groups(g) != m->group)
        return check_fault(a, "%u conv groups instead of %" PRId64, isa_conv_groups(g), m->group);
    const struct ir_op *weights = op->in[1].value->def;
    if (weights->opcode != IR_constant || !image_equals(a->k, g->image, weights) ||
        !center_equals(a->k, g->image, op))
        return check_fault(a, "image %u does not hold the weights of '%s'", g->image,
                           check_op_name(a->k, op->id));
    uint32_t weight_bits = a->k->p->images[g->image].weight_bits;
    if (weight_bits != m->weight_bits)
        return check_fault(a, "weights of %u bits instead of %" PRId64, weight_bits,
                           m->weight_bits);
    if (g->x_bits != m->x_bits)
        return check_fault(a, "inputs of %u bits instead of %" PRId64, g->x_bits, m->x_bits);
    return m->x_bits == 0 || sums_fit(a, op);
}

/* Slices [*from, *to) of the PEs that hold columns n0.. of the image; they must be neighbours. */
static bool block_slices(struct actor *a, const struct isa_group *g, uint32_t n0, int64_t k_total,
                         uint32_t *from, uint32_t *to)
{
    int64_t rows = arch_logical_rows(&a->k->p->arch), least = INT64_MAX, end = 0, n = 0;
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i];
        if (pe->n0 != n0)
            continue;
        if (pe->k0 % rows != 0 || pe->k != min_i64(rows, k_total - pe->k0))
            return check_fault(a, "PE %u holds rows %u..%u, which is no slice of %" PRId64, pe->pe,
                               pe->k0, pe->k0 + pe->k - 1, rows);
        least = min_i64(least, pe->k0 / rows);
        end = max_i64(end, pe->k0 / rows + 1);
        n++;
    }
    if (n != end - least)
        return check_fault(a, "slices %" PRId64 "..%" PRId64 " of columns %u.. are not all there",
                           least, end - 1, n0);
    *from = (uint32_t)least;
    *to = (uint32_t)end;
    return true;
}

static void add_block(struct mvm_plan *plan, struct mvm_block b)
{
    struct mvm_block *last = plan->n_blocks ? &plan->blocks[plan->n_blocks - 1] : NULL;
    if (last && last->from + last->n == b.from && last->result.range == b.result.range)
        last->n += b.n;
    else
        plan->blocks[plan->n_blocks++] = b;
}

/* Do the PE's columns begin and end where a PE's may: whole conv groups, or a part of one as wide
 * as a PE (the last part takes what is left)? */
static bool is_block(const struct isa_pe *pe, int64_t columns, int64_t cols)
{
    int64_t from = pe->n0 % columns;
    if (pe->n >= columns)
        return from == 0 && pe->n % columns == 0;
    return from % cols == 0 && pe->n == min_i64(cols, columns - from);
}

/* Which columns the destination gets, and how much of the sum. */
static bool find_blocks(struct actor *a, const struct isa_group *g, struct mvm_plan *plan)
{
    const struct ir_op *op = plan->op;
    int64_t k_total = check_dim(op->in[1].value->def, 0);
    int64_t columns = check_dim(op, 2) / op->attrs->mvm.group;
    int64_t rows = arch_logical_rows(&a->k->p->arch);
    int64_t cols = arch_logical_cols(&a->k->p->arch, op->attrs->mvm.weight_bits);
    uint32_t all = (uint32_t)ceil_div_i64(k_total, rows), channels;
    if (op->attrs->mvm.slices[0] && op->attrs->mvm.slices[0] != all)
        return check_fault(a, "'%s' is cut into %" PRId64 " slices, not %u",
                           check_op_name(a->k, op->id), op->attrs->mvm.slices[0], all);
    channels = a->t->t->views[a->in->dst.view].channels;
    plan->blocks = ARENA_ARRAY(a->k->arena, struct mvm_block, g->n_pes);
    for (uint32_t at = g->channel0; at < g->channel0 + channels;) {
        const struct isa_pe *pe = NULL;
        for (uint32_t i = 0; i < g->n_pes && !pe; i++)
            pe = g->pes[i].n0 == at ? &g->pes[i] : NULL;
        if (!pe || !is_block(pe, columns, cols))
            return check_fault(a, "column %u does not begin a block of %" PRId64, at, cols);
        struct mvm_block b = {at - g->channel0, pe->n, {op, 0, CHECK_NONE}};
        uint32_t from = 0, to = 0;
        if (!block_slices(a, g, at, k_total, &from, &to))
            return false;
        if (from > 0 || to < all)
            b.result.range = check_range(a->k, TAG_PARTIAL, op->id, from, to);
        add_block(plan, b);
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

void check_mvm(struct actor *a)
{
    const struct isa_group *g = &a->t->t->groups[a->in->obj];
    const struct tap_boxes **boxes = &a->t->group_boxes[a->in->obj];
    if (!*boxes)
        *boxes = check_boxes_of_group(a->k, g);
    const struct mvm_plan *plan = a->k->g ? plan_of(a, g) : NULL;
    bool known = plan && plan->op && check_inside(a, plan->op, a->in->h, a->in->w);
    struct walk walk = {.kernel = g->kernel,
                        .stride = g->stride,
                        .dilation = g->dilation,
                        .pad = {g->pad_top, g->pad_left},
                        .view = g->source_view,
                        .channel0 = g->source_channel0,
                        .boxes = *boxes};
    if (known && plan->in_rows) {
        walk.first_row = a->in->dst.y - g->pad_top + plan->top;
        walk.inside = true;
    }
    check_walk(a, &walk, known ? &plan->source : NULL);
    if (known)
        write_blocks(a, g, plan);
    else
        check_write_dst(a, a->in->h, a->in->w, NULL);
}
