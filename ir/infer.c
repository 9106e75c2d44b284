/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * infer.c - result types: the table of infer_<op>, what they share, and the operations with the
 * simplest rules (input, output, constant, elementwise). An infer function reads operand types and
 * attributes, checks both, and reports the first thing that does not fit.
 */
#include "ir_internal.h"

#include <math.h>
#include <string.h>

static bool (*const table[IR_N_OPCODES])(const struct ir_op *, struct diag *, struct ir_type *) = {
#define OP(name, min_in, max_in, n_out, stages, traits) infer_##name,
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END
};

bool ir_infer(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    int64_t count;
    *out = (struct ir_type){0};
    if (op->n_in < desc->min_in || op->n_in > desc->max_in)
        return ir_misfit(op, d, "has %u operands, wants %u to %u", op->n_in, desc->min_in,
                         desc->max_in);
    if (!table[op->opcode](op, d, out))
        return false;
    if (desc->n_out && !ir_type_count(out, &count))
        return ir_misfit(op, d, "the result has too many elements");
    return true;
}

bool ir_misfit(const struct ir_op *op, struct diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vat(d, op->loc, DIAG_SHAPE, ir_op_descs[op->opcode].name, fmt, ap);
    va_end(ap);
    return false;
}

bool ir_want_f32(const struct ir_op *op, uint32_t first, struct diag *d)
{
    for (uint32_t i = first; i < op->n_in; i++) {
        enum ir_dtype t = (enum ir_dtype)ir_in(op, i)->dtype;
        if (t != IR_F32)
            return ir_misfit(op, d, "operand %u is %s, wants f32", i, ir_dtype_name(t));
    }
    return true;
}

bool ir_want_dtype(const struct ir_op *op, uint32_t i, unsigned dtypes, struct diag *d)
{
    enum ir_dtype have = (enum ir_dtype)ir_in(op, i)->dtype;
    if (dtypes >> have & 1)
        return true;
    struct text wanted = {0};
    for (unsigned t = 0; t < IR_N_DTYPES; t++) {
        if (dtypes >> t & 1)
            text_add(&wanted, "%s%s", wanted.n ? ", " : "", ir_dtype_name((enum ir_dtype)t));
    }
    ir_misfit(op, d, "operand %u is %s, wants %s", i, ir_dtype_name(have), wanted.at);
    text_free(&wanted);
    return false;
}

bool ir_want_element(const struct ir_op *op, const char *attr, enum ir_dtype dtype, float x,
                     struct diag *d)
{
    static const double bounds[IR_N_DTYPES][2] = {[IR_I64] = {-0x1p63, 0x1p63},
                                                  [IR_I32] = {INT32_MIN, INT32_MAX},
                                                  [IR_I8] = {INT8_MIN, INT8_MAX},
                                                  [IR_U8] = {0, UINT8_MAX},
                                                  [IR_BOOL] = {0, 1}};
    const double *b = bounds[dtype];
    if (b[0] == b[1]) /* a float */
        return true;
    return ((double)x >= b[0] && (double)x <= b[1] && floorf(x) == x) ||
           ir_misfit(op, d, "%s %g is no %s", attr, (double)x, ir_dtype_name(dtype));
}

bool ir_want_least(const struct ir_op *op, const char *attr, const int64_t *v, uint32_t n,
                   int64_t least, struct diag *d)
{
    for (uint32_t i = 0; i < n; i++) {
        if (v[i] < least)
            return ir_misfit(op, d, "%s has %lld, wants at least %lld", attr, (long long)v[i],
                             (long long)least);
    }
    return true;
}

bool ir_shape_type(const struct ir_op *op, enum ir_dtype dtype, const struct ir_ints *shape,
                   struct diag *d, struct ir_type *out)
{
    int64_t count;
    if (shape->n > IR_MAX_RANK)
        return ir_misfit(op, d, "shape has rank %u, the most is %d", shape->n, IR_MAX_RANK);
    if (!ir_want_least(op, "shape", shape->at, shape->n, 0, d))
        return false;
    *out = ir_type_of(dtype, shape->n, shape->at);
    if (!ir_type_count(out, &count))
        return ir_misfit(op, d, "shape has too many elements");
    return true;
}

bool ir_broadcast(const struct ir_op *op, const struct ir_type *a, const struct ir_type *b,
                  struct diag *d, struct ir_type *out)
{
    struct ir_type r = {.dtype = a->dtype, .rank = a->rank > b->rank ? a->rank : b->rank};
    for (unsigned i = 0; i < r.rank; i++) { /* aligned at the last dimension */
        int64_t x = i < a->rank ? a->dim[a->rank - 1 - i] : 1;
        int64_t y = i < b->rank ? b->dim[b->rank - 1 - i] : 1;
        if (x != y && x != 1 && y != 1) {
            char ta[200], tb[200];
            return ir_misfit(op, d, "%s and %s do not broadcast", ir_type_text(a, ta, sizeof ta),
                             ir_type_text(b, tb, sizeof tb));
        }
        r.dim[r.rank - 1 - i] = x == 1 ? y : x;
    }
    *out = r;
    return true;
}

/* ---- input, output, constant ---- */

/* No tensor has as many elements (IR.md 1.3): a stride of a single row, which is never taken,
 * neither. */
static const int64_t MAX_STRIDE = (int64_t)1 << 60;

/* Element offset + sum i_k*strides[k] stays inside `count` elements for all i_k < extent[k]. */
static bool view_fits(int64_t offset, const int64_t strides[3], const int64_t extent[3],
                      int64_t count)
{
    int64_t low = offset, high = offset;
    for (int i = 0; i < 3; i++) {
        int64_t reach;
        if (extent[i] <= 0)
            return extent[i] == 0; /* no element, nothing to reach */
        if (strides[i] < -MAX_STRIDE || strides[i] > MAX_STRIDE)
            return false;
        if (!mul_i64(strides[i], extent[i] - 1, &reach))
            return false;
        int64_t *end = reach < 0 ? &low : &high;
        if (!add_i64(*end, reach, end))
            return false;
    }
    return low >= 0 && high < count;
}

/* What input and output share: a tensor outside, seen through `strides` at CROSSBAR. */
static bool outside_type(const struct ir_op *op, enum ir_dtype dtype, const struct ir_ints *shape,
                         struct diag *d, struct ir_type *out)
{
    if (dtype == IR_F64)
        return ir_misfit(op, d, "dtype \"%s\" outside; wants f32, f16, u8, i8, i32, i64 or bool",
                         ir_dtype_name(dtype));
    return ir_shape_type(op, ir_port_dtype(dtype, op->graph->stage), shape, d, out);
}

bool infer_input(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_input *at = &op->attrs->input;
    if (!outside_type(op, at->dtype, &at->shape, d, out) ||
        !ir_want_least(op, "index", &at->index, 1, 0, d) ||
        !ir_want_least(op, "state", &at->state, 1, 0, d))
        return false;
    if (!ir_at_crossbar(op))
        return true;
    int64_t count = ir_count(out);
    if (!ir_want_least(op, "extent", at->extent, 3, 0, d))
        return false;
    if (!view_fits(at->offset, at->strides, at->extent, count))
        return ir_misfit(op, d, "extent, strides and offset leave the %lld elements outside",
                         (long long)count);
    *out = ir_type_of((enum ir_dtype)out->dtype, 3, at->extent);
    return true;
}

/* Gives its operand's type, though there is no value. */
bool infer_output(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_output *at = &op->attrs->output;
    const struct ir_type *x = ir_in(op, 0);
    struct ir_type outside;
    if (!outside_type(op, at->dtype, &at->shape, d, &outside) ||
        !ir_want_least(op, "index", &at->index, 1, 0, d) ||
        !ir_want_dtype(op, 0, 1u << outside.dtype, d))
        return false;
    *out = *x;
    if (!ir_at_crossbar(op)) {
        char have[200], want[200];
        return ir_type_equal(x, &outside) ||
               ir_misfit(op, d, "operand is %s, shape says %s", ir_type_text(x, have, sizeof have),
                         ir_type_text(&outside, want, sizeof want));
    }
    if (x->rank != 3)
        return ir_misfit(op, d, "operand has rank %u, wants (h, w, c)", x->rank);
    if (!view_fits(at->offset, at->strides, x->dim, ir_count(&outside)))
        return ir_misfit(op, d, "operand, strides and offset leave the %lld elements outside",
                         (long long)ir_count(&outside));
    return true;
}

bool infer_constant(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_constant *at = &op->attrs->constant;
    if (!ir_shape_type(op, at->dtype, &at->shape, d, out))
        return false;
    if (!at->data)
        return ir_misfit(op, d, "has no data");
    if (!ir_blob_fits(at->data, out)) {
        char text[200];
        return ir_misfit(op, d, "%zu bytes of %sdata do not fit %s", at->data->bytes,
                         at->data->splat ? "splat " : "", ir_type_text(out, text, sizeof text));
    }
    return true;
}

/* ---- elementwise ---- */

static bool want_numeric(const struct ir_op *op, struct diag *d)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (ir_in(op, i)->dtype == IR_BOOL)
            return ir_misfit(op, d, "operand %u is bool, wants numbers", i);
    }
    return true;
}

static bool same_f32(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    *out = *ir_in(op, 0);
    return ir_want_f32(op, 0, d);
}

static bool same_numeric(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    *out = *ir_in(op, 0);
    return want_numeric(op, d);
}

bool infer_relu(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_numeric(op, d, out);
}

bool infer_leaky_relu(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_hard_sigmoid(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

/* Some number of the type is in each bound; else the result would be none. */
static bool bounds_are_met(const struct ir_attrs_clip *clip, enum ir_dtype dtype)
{
    switch (dtype) {
    case IR_U8: return clip->lo <= UINT8_MAX && clip->hi >= 0;
    case IR_I8: return clip->lo <= INT8_MAX && clip->hi >= INT8_MIN;
    case IR_I32: return clip->lo < 0x1p31f && clip->hi >= -0x1p31f;
    default: return true;
    }
}

bool infer_clip(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_clip *clip = &op->attrs->clip;
    if (isnan(clip->lo) || isnan(clip->hi))
        return ir_misfit(op, d, "a bound is no number");
    enum ir_dtype dtype = (enum ir_dtype)ir_in(op, 0)->dtype;
    if (!bounds_are_met(clip, dtype))
        return ir_misfit(op, d, "no %s is within %g and %g", ir_dtype_name(dtype), (double)clip->lo,
                         (double)clip->hi);
    return same_numeric(op, d, out);
}

bool infer_exp(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_log(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_sqrt(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_sigmoid(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_tanh(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_neg(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_numeric(op, d, out);
}

bool infer_abs(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_numeric(op, d, out);
}

bool infer_erf(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_sin(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_cos(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_floor(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_ceil(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

bool infer_round(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return same_f32(op, d, out);
}

/* Operands a and b, from slot `first` on, of one dtype, broadcast. */
static bool pair(const struct ir_op *op, uint32_t first, struct diag *d, struct ir_type *out)
{
    const struct ir_type *a = ir_in(op, first), *b = ir_in(op, first + 1);
    if (a->dtype != b->dtype)
        return ir_misfit(op, d, "operands are %s and %s", ir_dtype_name((enum ir_dtype)a->dtype),
                         ir_dtype_name((enum ir_dtype)b->dtype));
    return ir_broadcast(op, a, b, d, out);
}

static bool arithmetic(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return want_numeric(op, d) && pair(op, 0, d, out);
}

bool infer_add(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return arithmetic(op, d, out);
}

bool infer_sub(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return arithmetic(op, d, out);
}

bool infer_mul(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return arithmetic(op, d, out);
}

bool infer_div(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return arithmetic(op, d, out);
}

/* Of bool too: and, or. */
bool infer_min(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return pair(op, 0, d, out);
}

bool infer_max(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return pair(op, 0, d, out);
}

bool infer_pow(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return arithmetic(op, d, out);
}

bool infer_mod(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return arithmetic(op, d, out);
}

/* What holds or not: a machine has bytes for it. */
static enum ir_dtype truth(const struct ir_op *op)
{
    return ir_is_lowered(op) ? IR_U8 : IR_BOOL;
}

bool infer_equal(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    bool fits = pair(op, 0, d, out);
    out->dtype = (uint8_t)truth(op);
    return fits;
}

bool infer_less(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    bool fits = arithmetic(op, d, out);
    out->dtype = (uint8_t)truth(op);
    return fits;
}

bool infer_greater(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return infer_less(op, d, out);
}

bool infer_where(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    struct ir_type values;
    return ir_want_dtype(op, 0, 1u << truth(op), d) && pair(op, 1, d, &values) &&
           ir_broadcast(op, &values, ir_in(op, 0), d, out);
}

bool infer_mask(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return ir_want_dtype(op, 0, 1u << truth(op), d) &&
           ir_broadcast(op, ir_in(op, 1), ir_in(op, 0), d, out);
}

bool infer_merge(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    return pair(op, 0, d, out);
}
