/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * verify_stage.c - what a stage demands beyond types: legal operations, layouts, and how inputs,
 * outputs and shared weights fit together.
 */
#include "ir_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- one operation ---- */

static bool all_zero(const int64_t *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (v[i])
            return false;
    }
    return true;
}

static void verify_before_crossbar(struct ir_verifier *v, const struct ir_op *op)
{
    const struct ir_attrs_input *in = &op->attrs->input;
    const struct ir_attrs_output *out = &op->attrs->output;
    const struct ir_attrs_conv *conv = &op->attrs->conv;
    if (op->opcode == IR_input &&
        (!all_zero(in->extent, 3) || !all_zero(in->strides, 3) || in->offset))
        ir_fault(v, op, "extent, strides and offset belong to stage crossbar");
    if (op->opcode == IR_output && (!all_zero(out->strides, 3) || out->offset))
        ir_fault(v, op, "strides and offset belong to stage crossbar");
    bool bias = op->opcode == IR_conv && op->n_in == 3 && ir_in(op, 2)->dtype == IR_F32;
    if (v->graph->stage != IR_TENSOR && op->opcode == IR_conv && (bias || !all_zero(conv->pad, 4)))
        ir_fault(v, op, "bias and padding must be operations of their own at stage %s",
                 ir_stage_name(v->graph->stage));
}

/* Partition asks for it; passes behind it divide by extents. */
static void verify_elements(struct ir_verifier *v, const struct ir_op *op)
{
    if (op->out && ir_count(&op->out->type) == 0)
        ir_fault(v, op, "the result has no elements at stage %s", ir_stage_name(v->graph->stage));
}

/* What a machine stores with an array, or as a table: no (h, w, c), and nothing else reads it. */
static bool is_stored(const struct ir_value *x)
{
    for (const struct ir_use *u = x->uses; u; u = u->next) {
        enum ir_opcode user = u->user->opcode;
        if (u == &u->user->in[0] || (user != IR_mvm && user != IR_table))
            return false;
    }
    return x->def->opcode == IR_constant;
}

/* Every value is (h, w, c); only weights (with centers) and tables are not. */
static void verify_at_crossbar(struct ir_verifier *v, const struct ir_op *op)
{
    if (!op->out)
        return;
    const struct ir_type *t = &op->out->type;
    bool stored = is_stored(op->out);
    if (t->rank != 3 && !((t->rank == 2 || t->rank == 1) && stored))
        ir_fault(v, op, "the result has rank %u, wants (h, w, c) at stage crossbar", t->rank);
    if (t->dtype == IR_I8 && !(t->rank == 2 && stored))
        ir_fault(v, op, "the result is i8, which only weights are at stage crossbar");
}

void ir_verify_stage(struct ir_verifier *v, const struct ir_op *op)
{
    if (!(ir_op_descs[op->opcode].stages & v->graph->stage)) {
        ir_fault(v, op, "is not legal at stage %s",
                 ir_stage_name(v->graph->stage) ? ir_stage_name(v->graph->stage) : "?");
        return;
    }
    if (v->graph->stage != IR_TENSOR)
        verify_elements(v, op);
    if (v->graph->stage == IR_CROSSBAR)
        verify_at_crossbar(v, op);
    else
        verify_before_crossbar(v, op);
    if (ir_is_lowered(op))
        ir_verify_lowered(v, op);
}

/* ---- operations that belong together: one key, then list order ---- */

struct member {
    int64_t key;
    uint32_t position;
    const struct ir_op *op;
};

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

typedef bool key_of(const struct ir_op *op, int64_t *key);

/* All operations that `key_of` answers for, sorted; of heap_alloc. */
static struct member *members(const struct ir_verifier *v, key_of *key, size_t *out_n)
{
    struct member *m = heap_alloc(v->index.n * sizeof *m);
    uint32_t position = 0;
    *out_n = 0;
    for (const struct ir_op *op = v->graph->first; op; op = op->next, position++) {
        int64_t k;
        if (key(op, &k))
            m[(*out_n)++] = (struct member){k, position, op};
    }
    qsort(m, *out_n, sizeof *m, by_key);
    return m;
}

static bool input_key(const struct ir_op *op, int64_t *key)
{
    *key = op->opcode == IR_input ? op->attrs->input.index : 0;
    return op->opcode == IR_input;
}

static bool output_key(const struct ir_op *op, int64_t *key)
{
    *key = op->opcode == IR_output ? op->attrs->output.index : 0;
    return op->opcode == IR_output;
}

static bool weights_key(const struct ir_op *op, int64_t *key)
{
    *key = op->opcode == IR_mvm ? op->attrs->mvm.weights : 0;
    return *key > 0;
}

/* ---- inputs and outputs ---- */

static const struct ir_ints *outside_shape(const struct ir_op *op)
{
    return op->opcode == IR_input ? &op->attrs->input.shape : &op->attrs->output.shape;
}

static enum ir_dtype outside_dtype(const struct ir_op *op)
{
    return op->opcode == IR_input ? op->attrs->input.dtype : op->attrs->output.dtype;
}

/* Do they speak of tensors of one type? */
static bool same_outside(const struct ir_op *x, const struct ir_op *y)
{
    const struct ir_ints *a = outside_shape(x), *b = outside_shape(y);
    return outside_dtype(x) == outside_dtype(y) && a->n == b->n &&
           (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof *a->at) == 0);
}

/* Indices run from 0 without gaps; who shares one speaks of the same tensor outside. */
static void verify_indices(struct ir_verifier *v, const struct member *m, size_t n)
{
    int64_t next = 0;
    for (size_t i = 0; i < n; i++) {
        const struct ir_op *op = m[i].op;
        if (i == 0 || m[i].key != m[i - 1].key) {
            if (m[i].key != next)
                ir_fault(v, op, "index %lld, but there is none with index %lld",
                         (long long)m[i].key, (long long)next);
            next = m[i].key < INT64_MAX ? m[i].key + 1 : m[i].key;
            continue;
        }
        if (v->graph->stage != IR_CROSSBAR)
            ir_fault(v, op, "index %lld is taken", (long long)m[i].key);
        else if (!same_outside(op, m[i - 1].op))
            ir_fault(v, op, "dtype or shape differs from another part of index %lld",
                     (long long)m[i].key);
    }
}

/* Larger outputs are only counted; a bit for each element of these takes 32 MB. */
static const int64_t MAX_COVERED = (int64_t)1 << 28;

/* Sets the bits of one part; false if one was set before. */
static bool cover(const struct ir_op *op, uint8_t *bits)
{
    const struct ir_attrs_output *at = &op->attrs->output;
    const int64_t *extent = op->in[0].value->type.dim;
    if (ir_count(&op->in[0].value->type) == 0)
        return true; /* the other extents may be huge */
    for (int64_t h = 0; h < extent[0]; h++) {
        for (int64_t w = 0; w < extent[1]; w++) {
            for (int64_t c = 0; c < extent[2]; c++) {
                int64_t e =
                    at->offset + h * at->strides[0] + w * at->strides[1] + c * at->strides[2];
                uint8_t bit = (uint8_t)(1u << (e & 7));
                if (bits[e >> 3] & bit)
                    return false;
                bits[e >> 3] |= bit;
            }
        }
    }
    return true;
}

/* The parts m[0..n) of one output write every element once. */
static void verify_coverage(struct ir_verifier *v, const struct member *m, size_t n)
{
    const struct ir_ints *shape = outside_shape(m[0].op);
    struct ir_type outside = ir_type_of(IR_F32, shape->n, shape->at);
    int64_t want = ir_count(&outside), have = 0;
    for (size_t i = 0; i < n; i++) {
        if (!add_i64(have, ir_count(&m[i].op->in[0].value->type), &have))
            have = INT64_MAX;
    }
    if (have != want) {
        ir_fault(v, m[0].op, "the parts of index %lld hold %lld of %lld elements",
                 (long long)m[0].key, (long long)have, (long long)want);
        return;
    }
    if (want > MAX_COVERED)
        return;
    uint8_t *bits = heap_alloc((size_t)want / 8 + 1);
    for (size_t i = 0; i < n; i++) {
        if (!cover(m[i].op, bits)) {
            ir_fault(v, m[i].op, "writes an element of index %lld a second time",
                     (long long)m[i].key);
            break;
        }
    }
    heap_free(bits);
}

static void verify_outputs(struct ir_verifier *v)
{
    size_t n;
    struct member *m = members(v, output_key, &n);
    bool was_ok = v->ok;
    if (n == 0)
        ir_fault(v, NULL, "there is no output");
    verify_indices(v, m, n);
    if (v->graph->stage == IR_CROSSBAR && v->ok == was_ok) {
        for (size_t i = 0, end; i < n; i = end) {
            for (end = i + 1; end < n && m[end].key == m[i].key;)
                end++;
            verify_coverage(v, m + i, end - i);
        }
    }
    heap_free(m);
}

/* ---- shared weights ---- */

static bool same_constant(const struct ir_op *a, const struct ir_op *b)
{
    if (a == b)
        return true;
    const struct blob *x = ir_op_blob(a), *y = ir_op_blob(b);
    return x && y && ir_type_equal(&a->out->type, &b->out->type) && blob_equal(x, y);
}

/* Of users of one matrix: what of an mvm's attributes says how it lies on crossbars. Expanded to a
 * patch, it depends on the window, too. */
static bool same_mapping(const struct ir_attrs_mvm *x, const struct ir_attrs_mvm *y)
{
    bool one = x->patch[0] == 1 && x->patch[1] == 1;
    return x->copies == y->copies && x->group == y->group && x->weight_bits == y->weight_bits &&
           memcmp(x->slices, y->slices, sizeof x->slices) == 0 &&
           memcmp(x->patch, y->patch, sizeof x->patch) == 0 && x->object == y->object &&
           (one || (memcmp(x->kernel, y->kernel, sizeof x->kernel) == 0 &&
                    memcmp(x->stride, y->stride, sizeof x->stride) == 0 &&
                    memcmp(x->dilation, y->dilation, sizeof x->dilation) == 0));
}

static int by_output(const void *wanted, const void *member)
{
    int64_t a = *(const int64_t *)wanted, b = ((const struct member *)member)->key;
    return (a > b) - (a < b);
}

/* An input that is a state continues an output of its type, and all parts of it do. */
static void verify_states(struct ir_verifier *v, const struct member *inputs, size_t n)
{
    size_t n_outputs;
    struct member *outputs = members(v, output_key, &n_outputs);
    for (size_t i = 0; i < n; i++) {
        int64_t state = inputs[i].op->attrs->input.state, wanted = state - 1;
        bool first = i == 0 || inputs[i].key != inputs[i - 1].key;
        if (!first && state != inputs[i - 1].op->attrs->input.state)
            ir_fault(v, inputs[i].op, "state differs from another part of the input");
        if (state == 0 || !first)
            continue;
        const struct member *m = bsearch(&wanted, outputs, n_outputs, sizeof *outputs, by_output);
        if (!m)
            ir_fault(v, inputs[i].op, "state %lld, but there is no output %lld", (long long)state,
                     (long long)wanted);
        else if (!same_outside(inputs[i].op, m->op))
            ir_fault(v, inputs[i].op, "is of another type than output %lld, which it continues",
                     (long long)wanted);
    }
    heap_free(outputs);
}

/* One set of crossbars holds one matrix, and is copied as a whole. Up to CROSSBAR a number only
 * says what the file calls the weights: folding may make other matrices of them, which pass im2col
 * parts. */
static void verify_weights(struct ir_verifier *v)
{
    size_t n;
    struct member *m = members(v, weights_key, &n);
    for (size_t i = 1; i < n; i++) {
        const struct ir_op *a = m[i - 1].op, *b = m[i].op;
        if (m[i].key != m[i - 1].key)
            continue;
        if (!same_constant(a->in[1].value->def, b->in[1].value->def))
            ir_fault(v, b, "weights = %lld is another matrix elsewhere", (long long)m[i].key);
        if (!same_mapping(&a->attrs->mvm, &b->attrs->mvm))
            ir_fault(
                v, b,
                "group, patch (or, with one, the window), slices, copies, weight_bits or object "
                "differ from another user of weights = %lld",
                (long long)m[i].key);
    }
    heap_free(m);
}

void ir_verify_interface(struct ir_verifier *v)
{
    size_t n;
    struct member *inputs = members(v, input_key, &n);
    verify_indices(v, inputs, n);
    verify_states(v, inputs, n);
    heap_free(inputs);
    verify_outputs(v);
    if (v->graph->stage == IR_CROSSBAR)
        verify_weights(v);
}
