/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_meaning.c - what instructions read and write, as elements of the graph's values: DRAM
 * transfers and messages here, computing ones in files of their own.
 *
 * LOAD makes tags of the input operation its binding shows, SEND carries tags on, STORE demands
 * those of the output's operand. Every element of every output must be stored exactly once.
 */
#include "check_meaning.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool check_inside(struct actor *a, const struct ir_op *op, int64_t h, int64_t w)
{
    const struct isa_region *r = &a->in->dst;
    const struct isa_view *v = a->t->views[r->view].v;
    if (r->y - check_claim(a).row + h <= check_dim(op, 0) && r->x + w <= check_dim(op, 1) &&
        (int64_t)v->channel0 + v->channels <= check_dim(op, 2))
        return true;
    return check_fault(a, "its result leaves '%s', which is %" PRId64 " x %" PRId64 " x %" PRId64,
                       check_op_name(a->k, op->id), check_dim(op, 0), check_dim(op, 1),
                       check_dim(op, 2));
}

/* ---- bindings ---- */

static bool same_shape(const struct isa_binding *b, const struct ir_ints *shape,
                       enum ir_dtype dtype)
{
    if (b->rank != shape->n || b->element != ir_dtype_element(dtype))
        return false;
    for (uint32_t i = 0; i < b->rank; i++)
        if (shape->at[i] < 0 || b->shape[i] != (uint64_t)shape->at[i])
            return false;
    return true;
}

/* Along an axis of one element no stride matters. */
static bool same_strides(const struct isa_binding *b, const int64_t stride[3])
{
    return (b->height == 1 || b->stride_h == stride[0]) &&
           (b->width == 1 || b->stride_w == stride[1]) &&
           (b->channels == 1 || b->stride_c == stride[2]);
}

static bool same_extents(const struct isa_binding *b, const struct ir_op *value)
{
    return b->height == check_dim(value, 0) && b->width == check_dim(value, 1) &&
           b->channels == check_dim(value, 2);
}

static bool shows(const struct isa_binding *b, const struct ir_op *op)
{
    if (b->output != (op->opcode == IR_output) || (!b->output && op->opcode != IR_input))
        return false;
    if (b->output) {
        const struct ir_attrs_output *o = &op->attrs->output;
        return b->index == o->index && same_shape(b, &o->shape, o->dtype) &&
               b->offset == (uint64_t)o->offset && same_strides(b, o->strides) &&
               same_extents(b, op->in[0].value->def);
    }
    const struct ir_attrs_input *i = &op->attrs->input;
    return b->index == i->index && same_shape(b, &i->shape, i->dtype) &&
           b->offset == (uint64_t)i->offset && same_strides(b, i->strides) && same_extents(b, op);
}

/* The operation that a binding shows; its claim first, for several may look alike. */
static const struct ir_op *op_of_binding(const struct check *k, const struct isa_binding *b)
{
    if (b->node < k->tags.n_ops && shows(b, k->tags.ops[b->node]))
        return k->tags.ops[b->node];
    for (uint32_t i = 0; i < k->tags.n_ops; i++)
        if (shows(b, k->tags.ops[i]))
            return k->tags.ops[i];
    return NULL;
}

/* ---- coverage ---- */

static bool count_elements(const struct isa_binding *b, uint64_t *n)
{
    *n = 1;
    for (uint32_t i = 0; i < b->rank; i++)
        if (__builtin_mul_overflow(*n, b->shape[i], n))
            return false;
    return true;
}

static bool cover(struct check *k, uint32_t binding)
{
    const struct isa_binding *b = &k->p->bindings[binding];
    uint64_t n;
    if (!count_elements(b, &n))
        return check_fault_program(k, "binding %u is too large", binding);
    for (uint32_t i = 0; i < k->n_coverage; i++)
        if (k->coverage[i].index == b->index) {
            k->binding_coverage[binding] = &k->coverage[i];
            return k->coverage[i].n == n ||
                   check_fault_program(k, "output %u has two shapes", b->index);
        }
    struct coverage *c = &k->coverage[k->n_coverage++];
    *c = (struct coverage){.index = b->index, .name = b->name, .n = n};
    size_t bytes = (size_t)(n / 8 + 1);
    c->bits = heap_unless_huge(bytes);
    k->binding_coverage[binding] = c;
    return c->bits || check_fault_program(k, "output %u is too large to check", b->index);
}

bool check_meaning_prepare(struct check *k)
{
    const struct isa_program *p = k->p;
    k->coverage = ARENA_ARRAY(k->arena, struct coverage, (size_t)p->n_bindings + 1);
    k->binding_coverage = ARENA_ARRAY(k->arena, struct coverage *, (size_t)p->n_bindings + 1);
    k->binding_ops = ARENA_ARRAY(k->arena, const struct ir_op *, (size_t)p->n_bindings + 1);
    k->most_bytes = check_bytes(k);
    k->sums_fit = ARENA_ARRAY(k->arena, bool, (size_t)k->tags.n_ops + 1);
    for (uint32_t i = 0; i < p->n_bindings; i++) {
        if (p->bindings[i].output && !cover(k, i))
            return false;
        if (k->g)
            k->binding_ops[i] = op_of_binding(k, &p->bindings[i]);
    }
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        t->window_boxes =
            ARENA_ARRAY(k->arena, const struct tap_boxes *, (size_t)t->t->n_windows + 1);
    }
    return true;
}

void check_meaning_free(struct check *k)
{
    for (uint32_t i = 0; i < k->n_coverage; i++)
        heap_free(k->coverage[i].bits);
    VEC_FREE(&k->own_reads);
    VEC_FREE(&k->parts);
    map_free(&k->part_of);
    map_free(&k->equal_images);
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        VEC_FREE(&k->tiles[i].group_boxes);
        VEC_FREE(&k->tiles[i].mvm_plans);
        VEC_FREE(&k->tiles[i].map_plans);
        map_free(&k->tiles[i].group_boxes_of);
        map_free(&k->tiles[i].mvm_plan_of);
        map_free(&k->tiles[i].map_plan_of);
    }
}

static bool output_complete(struct check *k, const struct coverage *c)
{
    if (c->n_stored == c->n)
        return true;
    uint64_t at = 0;
    while (c->bits[at / 8] >> at % 8 & 1)
        at++;
    return check_fault_program(k,
                               "output '%s': %" PRIu64 " of %" PRIu64
                               " elements are never stored, the first is element %" PRIu64,
                               c->name ? c->name : "", c->n - c->n_stored, c->n, at);
}

bool check_meaning_finish(struct check *k)
{
    bool ok = true;
    for (uint32_t i = 0; i < k->n_coverage; i++)
        ok &= output_complete(k, &k->coverage[i]);
    for (uint32_t i = 0; k->g && i < k->tags.n_ops; i++) {
        const struct ir_op *op = k->tags.ops[i];
        bool found = op->opcode != IR_output;
        for (uint32_t j = 0; j < k->n_coverage && !found; j++)
            found = k->coverage[j].index == op->attrs->output.index;
        if (!found)
            ok = check_fault_program(k, "output %" PRId64 " of the graph is never stored",
                                     op->attrs->output.index);
    }
    return ok;
}

/* ---- DRAM ---- */

/* Is the output the one that a state continues? */
static bool is_continued(const struct check *k, const struct ir_op *output)
{
    for (uint32_t i = 0; i < k->tags.n_ops; i++) {
        const struct ir_op *op = k->tags.ops[i];
        if (op->opcode == IR_input && op->attrs->input.state == output->attrs->output.index + 1)
            return true;
    }
    return false;
}

/* Each frame has its own tensor; but a state comes with the first frame and goes with the last. */
static void check_frames_of_binding(struct actor *a, const struct ir_op *op)
{
    const bool load = a->in->op == ISA_load;
    bool shared = a->k->p->bindings[a->in->obj].frame_stride == 0;
    bool may = !a->k->g || (op && (load ? op->attrs->input.state > 0 : is_continued(a->k, op)));
    if (!a->k->body)
        return;
    if (a->in->flags && (!may || a->in->flags != (load ? DMA_FIRST : DMA_LAST)))
        check_fault(a, "acts in some frames only");
    else if (!a->in->flags && load && may && a->k->g)
        check_fault(a, "loads a state in each frame");
    else if (shared != (a->in->flags != 0))
        check_fault(a,
                    shared ? "all frames have one place in binding %u"
                           : "a state has many places in binding %u",
                    a->in->obj);
}

static void do_load(struct actor *a)
{
    const struct isa_inst *in = a->in;
    const struct ir_op *op = a->k->binding_ops[in->obj];
    if (a->k->g && !op)
        check_fault(a, "binding %u shows no input of the graph", in->obj);
    check_frames_of_binding(a, op);
    struct leaf leaf = {op, 0, CHECK_NONE};
    struct writer w = check_local_writer(a);
    for (uint32_t i = 0; i < in->h; i++) {
        struct span s = {in->dst.y + (int64_t)i, in->dst.x, in->w, 0,
                         a->t->views[in->dst.view].v->channels};
        check_write_span(&w, in->dst.view, s, op ? &leaf : NULL,
                         (int64_t[3]){in->y + (int64_t)i, in->x, in->c});
    }
}

static void store_pixel(struct actor *a, const struct isa_binding *b, struct coverage *c,
                        const int64_t at[3], int64_t n)
{
    int64_t element =
        (int64_t)b->offset + at[0] * b->stride_h + at[1] * b->stride_w + at[2] * b->stride_c;
    for (int64_t i = 0; i < n; i++, element += b->stride_c) {
        if (element < 0 || (uint64_t)element >= c->n) {
            check_fault(a, "stores element %" PRId64 " of an output of %" PRIu64, element, c->n);
            return;
        }
        uint8_t bit = (uint8_t)(1u << element % 8);
        if (c->bits[element / 8] & bit) {
            check_fault(a, "stores element %" PRId64 " of output '%s' again", element,
                        c->name ? c->name : "");
            return;
        }
        c->bits[element / 8] |= bit;
        c->n_stored++;
    }
}

static void do_store(struct actor *a)
{
    const struct isa_inst *in = a->in;
    const struct ir_op *op = a->k->binding_ops[in->obj];
    if (a->k->g && !op)
        check_fault(a, "binding %u shows no output of the graph", in->obj);
    check_frames_of_binding(a, op);
    struct leaf leaf = {op ? op->in[0].value->def : NULL, 0, CHECK_NONE};
    int64_t n_c = a->t->views[in->a.view].v->channels;
    for (uint32_t i = 0; i < in->h; i++) {
        struct span s = {in->a.y + (int64_t)i, in->a.x, in->w, 0, n_c};
        int64_t at[3] = {in->y + (int64_t)i, in->x, in->c};
        if (!check_read_span(a, in->a.view, s, op ? &leaf : NULL, at))
            return;
        for (uint32_t j = 0; j < in->w && a->frame == 0; j++, at[1]++) /* all store alike */
            store_pixel(a, &a->k->p->bindings[in->obj], a->k->binding_coverage[in->obj], at, n_c);
    }
}

/* ---- messages ---- */

static void copy_channels(struct writer *w, const struct check_view *from,
                          const struct check_view *to, uint64_t source, uint64_t target, uint32_t n)
{
    if (from->ch == 1 && to->ch == 1) {
        check_copy_run(w, to->cluster, target, n, from->cluster, source);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        check_copy_run(w, to->cluster, target + (uint64_t)(i * to->ch), 1, from->cluster,
                       source + (uint64_t)(i * from->ch));
}

/* Columns [s.x, s.x + s.n_x) of one row, all channels. */
static void deliver_row(struct writer *w, const struct check_view *from,
                        const struct check_view *to, uint32_t view, struct span s)
{
    if (!w->a->k->g) {
        check_write_span(w, view, s, NULL, (int64_t[3]){0});
        return;
    }
    check_begin_row(w, to, s.y);
    bool dense = from->ch == 1 && to->ch == 1 && from->col == s.n_c && to->col == s.n_c;
    int64_t step = dense ? s.n_x : 1;
    for (int64_t x = s.x; x < s.x + s.n_x; x += step)
        copy_channels(w, from, to, check_place(from, w->a->frame, s.y, x, 0),
                      check_place(to, w->a->frame, s.y, x, 0), (uint32_t)(step * s.n_c));
}

/* The part of the message that the target's view holds: rows, columns. Both views show the same
 * channels. */
static void deliver(struct actor *a, const struct isa_target *target)
{
    const struct isa_inst *in = a->in;
    struct tile_state *t = &a->k->tiles[target->tile];
    const struct check_view *from = &a->t->views[in->a.view], *to = &t->views[target->view];
    const struct isa_view *v = to->v;
    struct writer w = {.a = a,
                       .t = t,
                       .dim = t->n_queues + target->counter - ISA_FIRST_INBOUND,
                       .number = check_clock_message(a->k, a, target),
                       .known = check_clock_known(a, target->tile),
                       .once = true};
    if (from->v->channel0 != v->channel0)
        check_fault(a, "sends channels from %u on to a view of tile %u that shows them from %u on",
                    from->v->channel0, target->tile, v->channel0);
    int64_t x0 = max_i64(in->a.x, v->x0), x1 = min_i64((int64_t)in->a.x + in->w, v->x1);
    int64_t y0 = max_i64(in->a.y, v->y0), y1 = min_i64((int64_t)in->a.y + in->h, v->y1);
    if (x0 >= x1)
        return;
    struct span s = {0, x0, x1 - x0, 0, v->channels};
    for (s.y = y0; s.y < y1; s.y++)
        deliver_row(&w, from, to, target->view, s);
}

static void do_send(struct actor *a)
{
    const struct isa_inst *in = a->in;
    const struct isa_route *r = &a->t->t->routes[in->obj];
    for (uint32_t i = 0; i < in->h; i++) {
        struct span s = {in->a.y + (int64_t)i, in->a.x, in->w, 0,
                         a->t->views[in->a.view].v->channels};
        if (!check_read_span(a, in->a.view, s, NULL, (int64_t[3]){0}))
            break;
    }
    for (uint32_t i = 0; i < r->n_targets; i++)
        deliver(a, &r->targets[i]);
}

static void take_effect(struct actor *a)
{
    a->k->own_reads.n = 0;
    if (isa_op_has_dst(a->in->op) && a->in->op != ISA_load)
        a->result = a->t->views[a->in->dst.view].cluster;
    switch ((enum isa_op)a->in->op) {
    case ISA_mvm: check_mvm(a); return;
    case ISA_vmap: check_vmap(a); return;
    case ISA_vwin: check_vwin(a); return;
    case ISA_vred: check_vred(a); return;
    case ISA_vgat: check_vgat(a); return;
    case ISA_vdot: check_vdot(a); return;
    case ISA_vtake: check_vtake(a); return;
    case ISA_send: do_send(a); return;
    case ISA_load: do_load(a); return;
    case ISA_store: do_store(a); return;
    case ISA_nop:
    case ISA_signal:
    case ISA_wait: return;
    }
}

void check_effect(struct actor *a)
{
    take_effect(a);
    check_orders_kept(a);
}
