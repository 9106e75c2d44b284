/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_graph.c - runs a whole graph in list order.
 * Input: tensors for the graph's inputs, in the shapes outside. Output: tensors for its outputs.
 * Invariant: a value is held from its operation to its last use; constants that need no expansion
 * are used in place and never copied, and neither are the transposes of such matrices that only
 * products read (Gemm with transB): a dense head's weights would be in memory once more.
 */
#include "eval_internal.h"

#include "base/half.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    const struct ir_op *op;
    struct tensor value;
    bool owned;                /* value.data is ours to free */
    const struct blob *viewed; /* or lies in this payload */
    bool needed;               /* else it is left out */
    uint32_t uses_left;        /* operand slots of needed operations that have not read it yet */
};

struct run {
    const struct ir_graph *graph;
    const struct tensor *inputs;
    struct tensor *outputs;
    size_t n_inputs, n_outputs;
    struct diag *diag;
    struct slot *slot; /* sorted by address of the operation, for lookup only */
    size_t n;
};

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct slot *)a)->op,
              y = (uintptr_t)((const struct slot *)b)->op;
    return (x > y) - (x < y);
}

/* The graph is not ours to number, so operations are found by a search. */
static struct slot *slot_of(const struct run *r, const struct ir_op *op)
{
    struct slot *s = bsearch(&(struct slot){.op = op}, r->slot, r->n, sizeof *s, by_address);
    if (!s)
        BUG("an operand of the graph is not in it");
    return s;
}

/* Users come later in the list. */
static void make_slots(struct run *r, bool all)
{
    for (const struct ir_op *op = r->graph->first; op; op = op->next)
        r->n++;
    r->slot = heap_alloc(r->n * sizeof *r->slot);
    size_t i = 0;
    for (const struct ir_op *op = r->graph->first; op; op = op->next)
        r->slot[i++].op = op;
    qsort(r->slot, r->n, sizeof *r->slot, by_address);
    for (const struct ir_op *op = r->graph->last; op; op = op->prev) {
        struct slot *s = slot_of(r, op);
        bool is_io = op->opcode == IR_input || op->opcode == IR_output;
        s->needed = all || is_io || s->uses_left > 0;
        for (uint32_t k = 0; s->needed && k < op->n_in; k++)
            slot_of(r, op->in[k].value->def)->uses_left++;
    }
}

static void release(struct slot *s)
{
    if (s->owned)
        tensor_free(&s->value);
    if (s->viewed)
        blob_forget(s->viewed);
    s->owned = false;
    s->viewed = NULL;
}

/* ---- what is outside ---- */

/* At CROSSBAR: element (h, w, c) inside is `offset + h*strides[0] + ...` outside. */
struct view {
    const int64_t *strides;
    int64_t offset;
};

/* Copies between the dense (h,w,c) tensor inside and the viewed elements outside. */
static void copy_view(const struct view *v, const struct ir_type *inside, void *in, void *outside,
                      bool outward)
{
    size_t elem = ir_dtype_bytes((enum ir_dtype)inside->dtype);
    char *here = in;
    for (int64_t h = 0; h < inside->dim[0]; h++) {
        for (int64_t w = 0; w < inside->dim[1]; w++) {
            for (int64_t c = 0; c < inside->dim[2]; c++, here += elem) {
                int64_t at = v->offset + h * v->strides[0] + w * v->strides[1] + c * v->strides[2];
                char *there = (char *)outside + at * (int64_t)elem;
                memcpy(outward ? there : here, outward ? here : there, elem);
            }
        }
    }
}

/* What a value goes through where it enters or leaves: fp16 rounds, which a second time changes
 * nothing. */
static void round_f16(struct tensor *t, enum ir_dtype outside)
{
    float *x = t->data;
    for (int64_t i = 0, n = outside == IR_F16 ? ir_count(&t->type) : 0; i < n; i++)
        x[i] = f16_round(x[i]);
}

/* An i64 outside is i32 inside; truth is 0 or 1. The tensor outside as elements of the value. */
static struct tensor entering(const struct tensor *given, enum ir_dtype outside)
{
    struct tensor t = tensor_copy(given);
    int64_t n = ir_count(&t.type);
    if (outside == IR_I64) {
        t.type.dtype = IR_I32;
        for (int64_t i = 0; i < n; i++)
            ((int32_t *)t.data)[i] = (int32_t)((const int64_t *)given->data)[i];
    }
    for (int64_t i = 0; outside == IR_BOOL && i < n; i++)
        ((uint8_t *)t.data)[i] = ((const uint8_t *)given->data)[i] != 0;
    return t;
}

/* And back: the value with elements of the tensor outside. */
static struct tensor leaving(const struct tensor *value, enum ir_dtype outside)
{
    if (outside != IR_I64)
        return tensor_copy(value);
    struct ir_type type = value->type;
    type.dtype = IR_I64;
    struct tensor t = tensor_new(&type);
    for (int64_t i = 0, n = ir_count(&type); i < n; i++)
        ((int64_t *)t.data)[i] = ((const int32_t *)value->data)[i];
    return t;
}

/* An i8 outside is u8 inside once the graph is lowered, q + 128, and back. */
static void flip_i8(struct tensor *t, enum ir_dtype outside, enum ir_dtype inside)
{
    uint8_t *x = t->data;
    for (int64_t i = 0, n = outside == IR_I8 && inside == IR_U8 ? ir_count(&t->type) : 0; i < n;
         i++)
        x[i] ^= 0x80;
}

/* The type of the tensor outside: f32 for f16, which only its values show. */
static struct ir_type outside_type(enum ir_dtype dtype, const struct ir_ints *shape)
{
    return ir_type_of(dtype == IR_F16 ? IR_F32 : dtype, shape->n, shape->at);
}

static bool read_input(struct run *r, const struct ir_op *op, struct slot *s)
{
    const struct ir_attrs_input *at = &op->attrs->input;
    if ((uint64_t)at->index >= r->n_inputs)
        return diag_error(r->diag, op->loc, DIAG_DATA, "input %lld is not given",
                          (long long)at->index);
    const struct tensor *given = &r->inputs[at->index];
    struct ir_type want = outside_type(at->dtype, &at->shape);
    if (!given->data || given->type.dtype != want.dtype ||
        ir_count(&given->type) != ir_count(&want)) {
        char text[200];
        return diag_error(r->diag, op->loc, DIAG_DATA, "input %lld does not fit %s",
                          (long long)at->index, ir_type_text(&want, text, sizeof text));
    }
    if (r->graph->stage == IR_CROSSBAR) { /* many may show parts of one tensor */
        bool differs = at->dtype == IR_I64 || at->dtype == IR_BOOL;
        struct tensor all = differs ? entering(given, at->dtype) : *given;
        s->value = tensor_new(&op->out->type);
        struct view v = {at->strides, at->offset};
        copy_view(&v, &op->out->type, s->value.data, all.data, false);
        if (differs)
            tensor_free(&all);
    } else {
        s->value = entering(given, at->dtype);
        s->value.type = op->out->type;
    }
    s->owned = true;
    round_f16(&s->value, at->dtype);
    flip_i8(&s->value, at->dtype, (enum ir_dtype)op->out->type.dtype);
    return true;
}

static bool write_output(struct run *r, const struct ir_op *op)
{
    const struct ir_attrs_output *at = &op->attrs->output;
    if ((uint64_t)at->index >= r->n_outputs)
        return diag_error(r->diag, op->loc, DIAG_DATA, "there is no room for output %lld",
                          (long long)at->index);
    struct tensor *out = &r->outputs[at->index];
    const struct tensor *value = &slot_of(r, op->in[0].value->def)->value;
    struct ir_type type = outside_type(at->dtype, &at->shape);
    if (out->data && !ir_type_equal(&type, &out->type))
        return diag_error(r->diag, op->loc, DIAG_IR_INVALID, "output %lld has two shapes",
                          (long long)at->index);
    if (!out->data)
        *out = tensor_new(&type);
    struct tensor all = leaving(value, at->dtype);
    flip_i8(&all, at->dtype, (enum ir_dtype)value->type.dtype);
    round_f16(&all, at->dtype);
    struct view v = {at->strides, at->offset};
    if (r->graph->stage == IR_CROSSBAR)
        copy_view(&v, &all.type, all.data, out->data, true);
    else if (ir_count(&type))
        memcpy(out->data, all.data,
               (size_t)ir_count(&type) * ir_dtype_bytes((enum ir_dtype)type.dtype));
    tensor_free(&all);
    return true;
}

/* ---- operations ---- */

static bool only_multiplied_by(const struct ir_value *v)
{
    for (const struct ir_use *u = v->uses; u; u = u->next) {
        if (u->user->opcode != IR_matmul || u->user->in[0].value == v)
            return false;
    }
    return true;
}

/* The transpose of a constant matrix, left as it is stored; false if it has to be made. */
static bool view_transpose(struct run *r, const struct ir_op *op, struct slot *s)
{
    if (op->opcode != IR_transpose || op->out->type.rank != 2 || op->out->type.dtype != IR_F32 ||
        op->attrs->transpose.perm.at[0] != 1 || !only_multiplied_by(op->out))
        return false;
    const struct slot *from = slot_of(r, op->in[0].value->def);
    if (!from->viewed)
        return false;
    s->value = (struct tensor){.type = op->out->type, .data = from->value.data, .transposed = true};
    s->viewed = from->viewed;
    return true;
}

static bool compute(struct run *r, const struct ir_op *op, const struct eval_observer *observer,
                    struct slot *s)
{
    if (!type_fits(&op->out->type))
        return diag_error(r->diag, op->loc, DIAG_CAPACITY, "%s: the value is too large to compute",
                          ir_op_descs[op->opcode].name);
    if (op->opcode == IR_constant) {
        s->value = constant_tensor(op, &s->owned);
        s->viewed = s->owned ? NULL : op->attrs->constant.data;
        return true;
    }
    const struct tensor **in = heap_alloc(op->n_in * sizeof *in);
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = &slot_of(r, op->in[i].value->def)->value;
    bool ok = eval_op_observed(op, in, &s->value, observer, r->diag);
    s->owned = ok;
    heap_free(in);
    return ok;
}

static bool step(struct run *r, const struct ir_op *op, const struct eval_observer *observer)
{
    struct slot *s = slot_of(r, op);
    if (!s->needed)
        return true;
    bool ok = op->opcode == IR_output                 ? write_output(r, op)
              : op->opcode == IR_input                ? read_input(r, op, s)
              : !observer && view_transpose(r, op, s) ? true
                                                      : compute(r, op, observer, s);
    if (!ok)
        return false;
    if (observer && observer->seen && op->out)
        observer->seen(observer->self, op, &s->value);
    for (uint32_t i = 0; i < op->n_in; i++) {
        struct slot *operand = slot_of(r, op->in[i].value->def);
        if (--operand->uses_left == 0)
            release(operand);
    }
    if (s->uses_left == 0)
        release(s);
    return true;
}

static bool all_written(const struct run *r)
{
    for (size_t k = 0; k < r->n_outputs; k++) {
        if (!r->outputs[k].data)
            return diag_error(r->diag, (struct loc){.entity = r->graph->name}, DIAG_DATA,
                              "the graph has no output %zu", k);
    }
    return true;
}

bool eval_graph(const struct ir_graph *g, const struct tensor *inputs, size_t n_inputs,
                struct tensor *outputs, size_t n_outputs, const struct eval_observer *observer,
                struct diag *d)
{
    struct run r = {g, inputs, outputs, n_inputs, n_outputs, d, NULL, 0};
    for (size_t k = 0; k < n_outputs; k++)
        outputs[k] = (struct tensor){0};
    make_slots(&r, observer && observer->all);
    bool ok = true;
    const struct progress *progress = observer ? observer->progress : NULL;
    uint32_t n_done = 0;
    for (const struct ir_op *op = g->first; op && ok; op = op->next) {
        progress_tell(progress, "evaluate", n_done++, g->n_ops);
        ok = step(&r, op, observer);
    }
    progress_tell(progress, "evaluate", g->n_ops, g->n_ops);
    ok = ok && all_written(&r);
    for (size_t i = 0; i < r.n; i++)
        release(&r.slot[i]);
    heap_free(r.slot);
    for (size_t k = 0; k < n_outputs && !ok; k++)
        tensor_free(&outputs[k]);
    return ok;
}

/* The table of kernels names every operation; these two never get there. */
bool eval_input(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                struct diag *d)
{
    (void)in;
    (void)out;
    (void)d;
    BUG("input op %u is read by eval_graph", op->id);
}

bool eval_output(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    (void)in;
    (void)out;
    (void)d;
    BUG("output op %u is written by eval_graph", op->id);
}
