/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_node.c - what import functions work with: operands of a node, new operations, its results.
 *
 * Every operation made here is offered to options->fold at once, so that a shape computed by other
 * nodes is a constant when Reshape asks for it.
 */
#include "onnx_node.h"

#include <stdlib.h>
#include <string.h>

bool onnx_error(struct onnx_node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vat(n->im->diag, n->loc, DIAG_ONNX_ATTR, NULL, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- operands ---- */

bool onnx_has_in(const struct onnx_node *n, size_t i)
{
    return i < n->proto->n_input && n->in[i];
}

/* An initializer becomes a constant when the first node asks for it, and the exact floats of a
 * product become integers. */
struct ir_value *onnx_graph_value(struct onnx_importer *im, struct onnx_symbol *s,
                                  struct loc asking)
{
    if (!s->value && s->exact)
        s->value = onnx_as_i32(s->node, s->exact);
    if (s->value || s->kind != ONNX_INITIALIZER)
        return s->value;
    struct ir_type type;
    struct blob *b;
    struct loc loc = {.file = im->path,
                      .entity = arena_printf(im->arena, "initializer '%s'", s->name)};
    if (!onnx_tensor_blob(s->source, s->tensor, asking, im->diag, &type, &b))
        return NULL;
    return s->value = ir_const_new(im->g, NULL, type, b, s->name, loc)->out;
}

struct ir_value *onnx_in(struct onnx_node *n, size_t i)
{
    if (!onnx_has_in(n, i)) {
        onnx_error(n, "operand %zu is missing", i);
        return NULL;
    }
    struct onnx_symbol *s = n->in[i];
    if (s->sequence) {
        diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                   "operand %zu, '%s', is a sequence, not a tensor", i, s->name);
        return NULL;
    }
    if (!onnx_graph_value(n->im, s, n->loc) && s->kind == ONNX_NODE_OUTPUT)
        diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                   "operand %zu, '%s', is a result that its node does not give", i, s->name);
    return s->value;
}

bool onnx_is_const(const struct ir_value *v)
{
    return ir_is(v, IR_constant);
}

static bool all_const(const struct ir_op *op)
{
    for (uint32_t i = 0; i < op->n_in; i++)
        if (!onnx_is_const(op->in[i].value))
            return false;
    return true;
}

struct ir_value *onnx_known(struct onnx_node *n, struct ir_value *v)
{
    struct onnx_importer *im = n->im;
    if (!v || !ir_is(v, IR_dequantize) || !all_const(v->def) || !im->options->fold)
        return v;
    struct ir_op *op = v->def;
    struct ir_value *in[3];
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = op->in[i].value;
    struct ir_op *copy =
        ir_op_new(im->g, NULL, &(struct ir_new){op->opcode, in, op->n_in, op->attrs, NULL, op->loc},
                  im->diag);
    struct ir_op *folded = copy ? im->options->fold(im->options->fold_self, copy) : NULL;
    return folded ? folded->out : v;
}

enum { MOST_LISTED = 1 << 20 }; /* numbers of such an operand; they are copied */

/* The constant operand i with at most one dimension. */
static const struct ir_op *const_list(struct onnx_node *n, size_t i)
{
    struct ir_value *v = onnx_in(n, i);
    if (!v)
        return NULL;
    v = onnx_known(n, v);
    if (!onnx_is_const(v)) {
        onnx_error(n, "operand %zu, '%s', is not known at compile time", i, n->in[i]->name);
        return NULL;
    }
    if (v->def->attrs->constant.data->missing) {
        onnx_error(n, "operand %zu, '%s', must be known, but its data is missing", i,
                   n->in[i]->name);
        return NULL;
    }
    if (v->type.rank > 1) {
        onnx_error(n, "operand %zu, '%s', is no list", i, n->in[i]->name);
        return NULL;
    }
    return onnx_may_fold(n, v->def) ? v->def : NULL; /* it is copied */
}

bool onnx_const_ints(struct onnx_node *n, size_t i, struct ir_ints *out)
{
    const struct ir_op *c = const_list(n, i);
    if (!c)
        return false;
    int64_t count = ir_count(&c->out->type);
    bool is_int = c->out->type.dtype == IR_I64 || c->out->type.dtype == IR_I32;
    if (!is_int || count > MOST_LISTED)
        return onnx_error(n, "operand %zu, '%s', is %s", i, n->in[i]->name,
                          is_int ? "too long" : "not of integers");
    int64_t *at = ARENA_ARRAY(n->im->arena, int64_t, (size_t)count);
    for (int64_t k = 0; k < count; k++)
        at[k] = ir_const_i64(c, k);
    *out = (struct ir_ints){.n = (uint32_t)count, .at = at};
    return true;
}

bool onnx_const_f32s(struct onnx_node *n, size_t i, const float **out, size_t *n_out)
{
    const struct ir_op *c = const_list(n, i);
    if (!c)
        return false;
    int64_t count = ir_count(&c->out->type);
    if (c->out->type.dtype != IR_F32 || count > MOST_LISTED)
        return onnx_error(n, "operand %zu, '%s', is %s", i, n->in[i]->name,
                          c->out->type.dtype == IR_F32 ? "too long" : "not of floats");
    float *at = ARENA_ARRAY(n->im->arena, float, (size_t)count);
    for (int64_t k = 0; k < count; k++)
        at[k] = (float)ir_const_f64(c, k);
    *out = at;
    *n_out = (size_t)count;
    return true;
}

/* No other number may stand in for an integer. */
static bool holds_exactly(float x, const struct ir_op *c)
{
    enum ir_dtype t = (enum ir_dtype)c->out->type.dtype;
    return t == IR_F32 || t == IR_F64 || t == IR_F16 ||
           (x < 0x1p63f && (int64_t)x == ir_const_i64(c, 0));
}

bool onnx_const_f32(struct onnx_node *n, size_t i, float *out)
{
    const struct ir_op *c = const_list(n, i);
    if (!c)
        return false;
    if (ir_count(&c->out->type) != 1)
        return onnx_error(n, "operand %zu, '%s', has %lld elements, not 1", i, n->in[i]->name,
                          (long long)ir_count(&c->out->type));
    *out = (float)ir_const_f64(c, 0);
    return holds_exactly(*out, c) ||
           onnx_error(n, "operand %zu, '%s', is %lld, which f32 does not hold", i, n->in[i]->name,
                      (long long)ir_const_i64(c, 0));
}

/* ---- new operations ---- */

/* Operands of what exists at compile time only: a dequantised constant is known, too. */
static void know_operands(struct onnx_node *n, struct ir_op *op)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        struct ir_value *known = onnx_known(n, op->in[i].value);
        if (known != op->in[i].value)
            ir_set_operand(op, i, known);
    }
}

/* Must all operands be of one type? */
static bool wants_common_types(enum ir_opcode opcode)
{
    return ir_op_descs[opcode].traits & IR_BINARY || opcode == IR_where || opcode == IR_concat;
}

static struct ir_op *new_op(struct onnx_node *n, const struct ir_new *desc)
{
    struct ir_new with = *desc;
    struct ir_value **in = ARENA_ARRAY(n->im->arena, struct ir_value *, desc->n_in);
    for (uint32_t i = 0; i < desc->n_in; i++)
        if (!(in[i] = desc->in[i]))
            return NULL;
    if (wants_common_types(desc->opcode) && !onnx_common_types(n, in, desc->n_in))
        return NULL;
    with.in = in;
    return ir_op_new(n->im->g, NULL, &with, n->im->diag);
}

static struct ir_value *emit(struct onnx_node *n, const struct ir_new *desc)
{
    struct onnx_importer *im = n->im;
    struct ir_op *op = new_op(n, desc);
    if (!op)
        return NULL;
    bool compile_time = ir_op_descs[op->opcode].traits & IR_COMPILE_TIME;
    if (compile_time)
        know_operands(n, op);
    /* Integers stay integers until it is known who reads them. */
    bool foldable = all_const(op) && op->opcode != IR_dequantize;
    if (foldable && im->options->fold) {
        struct ir_op *folded = onnx_fold(n, op);
        if (folded)
            return folded->out;
        if (im->is_too_much)
            return NULL;
        if (compile_time) {
            onnx_error(n, "its result is too large, or cannot be computed at compile time");
            return NULL;
        }
    }
    if (compile_time && !foldable)
        n->at_run_time = true; /* reported together with all others when the walk ends */
    /* A tensor without elements is known, whatever it was made from. */
    if (ir_count(&op->out->type) == 0)
        return onnx_const(n, op->out->type, blob_own(heap_alloc(1), 0));
    return op->out;
}

struct ir_value *onnx_emit(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                           struct ir_value *const *in, uint32_t n_in)
{
    n->named = true;
    return emit(n, &(struct ir_new){opcode, in, n_in, attrs, n->name, n->loc});
}

struct ir_value *onnx_emit_helper(struct onnx_node *n, enum ir_opcode opcode,
                                  const union ir_attrs *attrs, struct ir_value *const *in,
                                  uint32_t n_in)
{
    return emit(n, &(struct ir_new){opcode, in, n_in, attrs, NULL, n->loc});
}

struct ir_value *onnx_emit1(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *x)
{
    return onnx_emit(n, opcode, attrs, &x, 1);
}

struct ir_value *onnx_emit2(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *a, struct ir_value *b)
{
    struct ir_value *in[] = {a, b};
    return onnx_emit(n, opcode, attrs, in, 2);
}

struct ir_value *onnx_helper1(struct onnx_node *n, enum ir_opcode opcode,
                              const union ir_attrs *attrs, struct ir_value *x)
{
    return onnx_emit_helper(n, opcode, attrs, &x, 1);
}

struct ir_value *onnx_helper2(struct onnx_node *n, enum ir_opcode opcode, struct ir_value *a,
                              struct ir_value *b)
{
    return onnx_emit_helper(n, opcode, NULL, (struct ir_value *[]){a, b}, 2);
}

bool onnx_broadcasts_to(const struct ir_type *from, const struct ir_type *to)
{
    bool fits = from->rank <= to->rank;
    for (int i = 1; fits && i <= from->rank; i++) {
        int64_t d = from->dim[from->rank - i];
        fits = d == 1 || d == to->dim[to->rank - i];
    }
    return fits;
}

bool onnx_varying_axis(const struct ir_type *from, const struct ir_type *to, int64_t *out)
{
    *out = -1;
    if (!onnx_broadcasts_to(from, to))
        return false;
    for (int64_t i = 0; i < from->rank; i++) {
        if (from->dim[i] == 1)
            continue;
        if (*out >= 0)
            return false;
        *out = to->rank - from->rank + i;
    }
    return true;
}

struct ir_value *onnx_const(struct onnx_node *n, struct ir_type type, struct blob *b)
{
    return ir_const_new(n->im->g, NULL, type, b, NULL, n->loc)->out;
}

struct ir_value *onnx_const_i8(struct onnx_node *n, const struct ir_value *x, int8_t (*of)(double))
{
    bool splat = x->def->attrs->constant.data->splat;
    int64_t count = splat ? 1 : ir_count(&x->type);
    int8_t *q = heap_alloc(count ? (size_t)count : 1);
    for (int64_t i = 0; i < count; i++)
        q[i] = of(ir_const_f64(x->def, i));
    struct ir_type type = x->type;
    type.dtype = IR_I8;
    struct blob *b = splat ? blob_splat(q, 1) : blob_own(q, (size_t)count);
    if (splat)
        heap_free(q);
    return onnx_const(n, type, b);
}

struct ir_value *onnx_const_i32(struct onnx_node *n, const struct ir_value *x,
                                int32_t (*of)(double x, int parameter), int parameter)
{
    bool splat = x->def->attrs->constant.data->splat;
    int64_t count = splat ? 1 : ir_count(&x->type);
    int32_t *data = heap_alloc((size_t)max_i64(count, 1) * sizeof *data);
    for (int64_t i = 0; i < count; i++)
        data[i] = of(ir_const_f64(x->def, i), parameter);
    struct ir_type type = x->type;
    type.dtype = IR_I32;
    struct blob *b =
        splat ? blob_splat(data, sizeof *data) : blob_own(data, (size_t)count * sizeof *data);
    if (splat)
        heap_free(data);
    return onnx_const(n, type, b);
}

struct ir_value *onnx_scalar(struct onnx_node *n, float x)
{
    float *data = heap_alloc(sizeof *data);
    *data = x;
    return onnx_const(n, ir_type_of(IR_F32, 0, NULL), blob_own(data, sizeof *data));
}

struct ir_value *onnx_ints_const(struct onnx_node *n, const int64_t *at, uint32_t count)
{
    int64_t length = count;
    size_t bytes = count * sizeof *at;
    int64_t *data = heap_alloc(bytes ? bytes : 1);
    if (bytes)
        memcpy(data, at, bytes);
    return onnx_const(n, ir_type_of(IR_I64, 1, &length), blob_own(data, bytes));
}

static struct ir_value *emit_moved(struct onnx_node *n, enum ir_opcode opcode,
                                   const union ir_attrs *attrs, struct ir_value *x, bool named)
{
    return named ? onnx_emit(n, opcode, attrs, &x, 1) : onnx_emit_helper(n, opcode, attrs, &x, 1);
}

struct ir_value *onnx_reshape(struct onnx_node *n, struct ir_value *x, const int64_t *dims,
                              uint32_t rank, bool named)
{
    if (!x)
        return NULL;
    if (rank > IR_MAX_RANK) {
        onnx_error(n, "a result of %u dimensions; at most %d are supported", rank, IR_MAX_RANK);
        return NULL;
    }
    if (rank == x->type.rank && (!rank || memcmp(dims, x->type.dim, rank * sizeof *dims) == 0))
        return x;
    struct onnx_scale_place place;
    if (onnx_is_dequantized(x) && onnx_reshaped_scales(x, dims, rank, &place))
        return onnx_dequantize_moved(n, x, onnx_reshape(n, x->def->in[0].value, dims, rank, false),
                                     &place, named);
    union ir_attrs attrs = {.reshape = {.shape = {rank, dims}}};
    return emit_moved(n, IR_reshape, &attrs, x, named);
}

struct ir_value *onnx_transpose(struct onnx_node *n, struct ir_value *x, const int64_t *perm,
                                bool named)
{
    bool moves = false;
    if (!x)
        return NULL;
    for (int64_t i = 0; i < x->type.rank; i++)
        moves |= perm[i] != i;
    if (!moves)
        return x;
    if (onnx_is_dequantized(x)) {
        struct onnx_scale_place place = {.each = 1};
        while (perm[place.axis] != x->def->attrs->dequantize.axis)
            place.axis++;
        return onnx_dequantize_moved(n, x, onnx_transpose(n, x->def->in[0].value, perm, false),
                                     &place, named);
    }
    union ir_attrs attrs = {.transpose = {.perm = {x->type.rank, perm}}};
    return emit_moved(n, IR_transpose, &attrs, x, named);
}

struct ir_value *onnx_slice(struct onnx_node *n, struct ir_value *x, const int64_t *start,
                            const int64_t *step, const int64_t *count, bool named)
{
    bool cuts = false;
    if (!x)
        return NULL;
    for (uint32_t i = 0; i < x->type.rank; i++)
        cuts |= start[i] != 0 || step[i] != 1 || count[i] != x->type.dim[i];
    if (!cuts)
        return x;
    uint32_t rank = x->type.rank;
    union ir_attrs attrs = {
        .slice = {.start = {rank, start}, .step = {rank, step}, .count = {rank, count}}};
    return emit_moved(n, IR_slice, &attrs, x, named);
}

struct ir_value *onnx_run(struct onnx_node *n, struct ir_value *x, int64_t axis, int64_t start,
                          int64_t count)
{
    int64_t at[IR_MAX_RANK] = {0}, step[IR_MAX_RANK], dims[IR_MAX_RANK];
    if (!x)
        return NULL;
    for (int i = 0; i < x->type.rank; i++) {
        step[i] = 1;
        dims[i] = x->type.dim[i];
    }
    at[axis] = start;
    dims[axis] = count;
    return onnx_slice(n, x, at, step, dims, false);
}

struct ir_value *onnx_with_axis(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    int64_t dims[IR_MAX_RANK + 1];
    if (!x)
        return NULL;
    for (int64_t i = 0, from = 0; i <= x->type.rank; i++)
        dims[i] = i == axis ? 1 : x->type.dim[from++];
    return onnx_reshape(n, x, dims, x->type.rank + 1u, false);
}

struct ir_value *onnx_without_axis(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    int64_t dims[IR_MAX_RANK];
    uint32_t kept = 0;
    for (int64_t i = 0; x && i < x->type.rank; i++)
        if (i != axis)
            dims[kept++] = x->type.dim[i];
    return onnx_reshape(n, x, dims, kept, false);
}

/* ---- results ---- */

/* The operation that yields the result carries the name if it is this node's and none does yet. */
static void name_result(struct onnx_node *n, struct ir_op *result)
{
    const struct ir_op *op = n->im->g->last;
    while (op && op != n->before && op != result)
        op = op->prev;
    if (n->named || op != result || op == n->before || result->opcode == IR_constant)
        return;
    result->name = arena_strdup(n->im->g->arena, n->name);
    n->named = true;
}

bool onnx_set_out(struct onnx_node *n, size_t k, struct ir_value *v)
{
    if (v && k == 0)
        name_result(n, v->def);
    if (v && k < n->proto->n_output && n->out[k])
        n->out[k]->value = v;
    return v != NULL;
}

bool onnx_set_exact(struct onnx_node *n, struct ir_value *v)
{
    if (v && n->out[0])
        n->out[0]->exact = v;
    return v != NULL;
}

bool onnx_is_exact(const struct onnx_node *n, size_t i)
{
    return onnx_has_in(n, i) && n->in[i]->exact;
}

bool onnx_out_used(const struct onnx_node *n, size_t k)
{
    return k < n->proto->n_output && n->out[k] && n->out[k]->used;
}
