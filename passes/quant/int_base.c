/*
 * int_base.c - base layers in exact integers.
 *
 * A column n of a layer computes sum over k of (x - z) * (w[k][n] - zw[n]), x u8. The crossbar
 * holds w' i8 and, where one is needed, a center: w - zw = w' + center. What is left of z is
 * constant:
 *
 *   sum = product(x, w' + center) - z * sum over k of (w' + center)      all K rows, for padding is
 * z
 *
 * and stands for sum * (scale of x * scale of w[n]). Bytes of which w - zw is no i8 are held as
 * w - 128 with center 128 - zw, so that no weight needs a ninth bit.
 */
#include "int.h"

#include <math.h>

/* ---- weights ---- */

/* Constant weights behind a dequantize: k elements for each of n columns, those of a column
 * together, or a row of all columns together. */
struct weights {
    const struct ir_op *c, *scale, *zero; /* zero may be NULL */
    int64_t n, k;
    bool by_rows;
};

static bool parameters_by_column(const struct ir_op *dq, int64_t axis)
{
    bool one = ir_count(&dq->in[1].value->type) == 1;
    return ir_is(dq->in[1].value, IR_constant) &&
           (dq->n_in < 3 || ir_is(dq->in[2].value, IR_constant)) &&
           (one || dq->attrs->dequantize.axis == axis);
}

static bool weights_of(const struct ir_value *v, int64_t axis, struct weights *out)
{
    const struct ir_op *dq = v->def;
    if (dq->opcode != IR_dequantize || !ir_is(dq->in[0].value, IR_constant) ||
        v->def->in[0].value->type.dtype == IR_I32 || !parameters_by_column(dq, axis))
        return false;
    *out = (struct weights){.c = dq->in[0].value->def,
                            .scale = dq->in[1].value->def,
                            .zero = dq->n_in > 2 ? dq->in[2].value->def : NULL,
                            .by_rows = axis != 0};
    out->n = v->type.dim[axis];
    out->k = ir_count(&v->type) / out->n;
    return true;
}

/* Elements of 8 bits, as they are. */
struct bytes {
    const unsigned char *at;
    int64_t step; /* 0 for a splat */
    bool is_signed;
};

static struct bytes bytes_of(const struct ir_op *c)
{
    const struct blob *b = c->attrs->constant.data;
    return (struct bytes){blob_data(b), b->splat ? 0 : 1, c->out->type.dtype == IR_I8};
}

static int64_t byte_at(const struct bytes *b, int64_t i)
{
    unsigned char x = b->at[i * b->step];
    return b->is_signed ? (int64_t)(int8_t)x : (int64_t)x;
}

/* How the crossbar holds them, by column: w' = w - offset, center = offset - zero; the sum of all
 * w - zero. */
struct held {
    int64_t *zero, *offset, *sum;
    bool is_shifted, has_center;
    int8_t *data; /* w' */
};

/* Calls each() for all elements, in their order. */
static void walk(const struct weights *w, struct held *h,
                 void (*each)(struct held *h, int64_t n, int64_t i, int64_t x))
{
    struct bytes b = bytes_of(w->c);
    int64_t outer = w->by_rows ? w->k : w->n, inner = w->by_rows ? w->n : w->k, i = 0;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t e = 0; e < inner; e++, i++)
            each(h, w->by_rows ? e : o, i, byte_at(&b, i));
}

static void measure(struct held *h, int64_t n, int64_t i, int64_t x)
{
    (void)i;
    h->sum[n] += x - h->zero[n];
    h->has_center |= x - h->zero[n] < INT8_MIN || x - h->zero[n] > INT8_MAX;
}

static struct held hold(const struct weights *w, struct arena *a)
{
    bool is_signed = w->c->out->type.dtype == IR_I8;
    struct held h = {.zero = ARENA_ARRAY(a, int64_t, (size_t)w->n),
                     .offset = ARENA_ARRAY(a, int64_t, (size_t)w->n),
                     .sum = ARENA_ARRAY(a, int64_t, (size_t)w->n)};
    for (int64_t n = 0; n < w->n; n++)
        h.zero[n] = int_at(w->zero, n);
    walk(w, &h, measure);
    for (int64_t n = 0; n < w->n; n++) {
        h.offset[n] = !h.has_center ? h.zero[n] : is_signed ? 0 : 128;
        h.is_shifted = h.is_shifted || h.offset[n] || !is_signed;
    }
    return h;
}

static void store(struct held *h, int64_t n, int64_t i, int64_t x)
{
    h->data[i] = (int8_t)(x - h->offset[n]);
}

/* w', as the same constant where nothing changes. */
static struct ir_value *held_weights(const struct pass_place *at, const struct weights *w,
                                     struct held *h)
{
    const struct ir_type *t = &w->c->out->type;
    if (!h->is_shifted)
        return w->c->out;
    h->data = heap_alloc((size_t)(w->n * w->k) + 1);
    walk(w, h, store);
    return pass_constant(at, ir_type_of(IR_I8, t->rank, t->dim),
                         blob_own(h->data, (size_t)(w->n * w->k)));
}

static struct ir_value *centers(const struct pass_place *at, const struct weights *w,
                                const struct held *h)
{
    int32_t *data = heap_alloc((size_t)w->n * sizeof *data);
    for (int64_t n = 0; n < w->n; n++)
        data[n] = (int32_t)(h->offset[n] - h->zero[n]);
    return pass_constant(at, ir_type_of(IR_I32, 1, &w->n),
                         blob_own(data, (size_t)w->n * sizeof *data));
}

/* ---- products ---- */

/* i32 by column, where they broadcast against a value whose dimension `axis` is the columns. */
static struct ir_value *by_column(const struct pass_place *at, const struct ir_type *t,
                                  uint32_t axis, const int64_t *x)
{
    int64_t dims[IR_MAX_RANK] = {0}, n = t->dim[axis];
    for (uint32_t d = axis; d < t->rank; d++)
        dims[d - axis] = d == axis ? n : 1;
    int32_t *data = heap_alloc((size_t)n * sizeof *data);
    for (int64_t i = 0; i < n; i++)
        data[i] = (int32_t)x[i];
    return pass_constant(at, ir_type_of(IR_I32, t->rank - axis, dims),
                         blob_own(data, (size_t)n * sizeof *data));
}

/* sum + what the zero point of x, `zero`, contributes. */
static struct ir_value *corrected(const struct pass_place *at, struct ir_value *sum, uint32_t axis,
                                  int64_t zero, const struct held *h, int64_t n)
{
    int64_t *x = heap_alloc((size_t)n * sizeof *x);
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
        x[i] = -zero * h->sum[i];
        any = any || x[i];
    }
    if (any)
        sum = pass_emit2(at, IR_add, NULL, sum, by_column(at, &sum->type, axis, x));
    free(x);
    return sum;
}

/* scale of x times scale of w, rounded once: the scale of the sums. NULL if one is no scale. */
static float *sum_scales(float x_scale, const struct weights *w)
{
    int64_t n = ir_count(&w->scale->out->type);
    float *data = heap_alloc((size_t)n * sizeof *data + 1);
    bool good = true;
    for (int64_t i = 0; i < n; i++) {
        data[i] = x_scale * int_f32_at(w->scale, i);
        good = good && isnormal(data[i]);
    }
    if (good)
        return data;
    free(data);
    return NULL;
}

/* dequantize(product + correction) in place of the f32 layer; `axis` = the columns of its result.
 */
static struct ir_value *integer_layer(struct ir_op *op, const struct affine *x,
                                      const struct weights *w, uint32_t axis, struct pass_ctx *ctx)
{
    struct pass_place at = pass_before(op);
    float *scales = sum_scales(x->scale, w);
    if (!scales)
        return NULL;
    struct held h = hold(w, ctx->scratch);
    struct ir_value *in[] = {x->q, held_weights(&at, w, &h),
                             h.has_center ? centers(&at, w, &h) : NULL};
    struct ir_new desc = {.opcode = op->opcode,
                          .in = in,
                          .n_in = h.has_center ? 3 : 2,
                          .attrs = op->attrs,
                          .name = op->name};
    struct ir_value *sum = corrected(&at, pass_emit(&at, &desc), axis, x->zero, &h, w->n);
    struct ir_value *scale = int_const_each(&at, IR_F32, ir_count(&w->scale->out->type), scales);
    return int_dequantize(&at, sum, scale, NULL, axis);
}

struct ir_value *int_rule_conv(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine x;
    struct weights w;
    if (!int_affine(op->in[0].value, &x) || !weights_of(op->in[1].value, 0, &w))
        return NULL;
    return integer_layer(op, &x, &w, 1, ctx);
}

/* A constant on the left: A x = (x^T A^T)^T. */
static struct ir_value *swap_operands(struct ir_op *op)
{
    struct pass_place at = pass_before(op);
    struct ir_value *a = op->in[0].value, *x = op->in[1].value;
    static const int64_t swap[2] = {1, 0};
    struct ir_value *in[2] = {x, pass_transpose(&at, a, swap)};
    if (x->type.rank == 2)
        in[0] = pass_transpose(&at, x, swap);
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name};
    struct ir_value *y = pass_emit(&at, &desc);
    return x->type.rank == 2 ? pass_transpose(&at, y, swap) : y;
}

/* Weights of another rank become [K,N], the result keeps its shape. */
static struct ir_value *as_matrix(struct ir_op *op)
{
    struct pass_place at = pass_before(op);
    const struct ir_type *t = &op->in[1].value->type;
    int64_t dims[2] = {t->dim[0], 1};
    for (int d = 0; d + 2 < t->rank; d++) {
        if (t->dim[d] != 1)
            return NULL; /* several matrices */
    }
    if (t->rank > 2)
        memcpy(dims, &t->dim[t->rank - 2], sizeof dims);
    struct ir_type matrix = ir_type_of(IR_F32, 2, dims);
    struct ir_value *in[] = {op->in[0].value, pass_reshape(&at, op->in[1].value, &matrix)};
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name};
    struct ir_value *y = pass_emit(&at, &desc);
    return ir_type_equal(&y->type, &op->out->type) ? y : pass_reshape(&at, y, &op->out->type);
}

static bool is_constant_weights(const struct ir_value *v)
{
    return ir_is(v, IR_dequantize) && ir_is(v->def->in[0].value, IR_constant);
}

struct ir_value *int_rule_matmul(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine x;
    struct weights w;
    const struct ir_value *a = op->in[0].value, *b = op->in[1].value;
    if (is_constant_weights(a) && a->type.rank == 2 && b->type.rank <= 2)
        return swap_operands(op);
    if (is_constant_weights(b) && b->type.rank != 2)
        return as_matrix(op);
    if (!int_affine(a, &x) || b->type.rank != 2 || !weights_of(b, 1, &w))
        return NULL;
    return integer_layer(op, &x, &w, op->out->type.rank - 1u, ctx);
}

/* ---- bias ---- */

/* DQ(b), b an i32 constant that varies along the accumulator's axis at most. */
static bool integer_bias(const struct ir_value *v, const struct ir_type *t, uint32_t axis)
{
    const struct ir_op *dq = v->def;
    return dq->opcode == IR_dequantize && ir_is(dq->in[0].value, IR_constant) &&
           dq->in[0].value->type.dtype == IR_I32 && ir_is(dq->in[1].value, IR_constant) &&
           pass_is_per_channel(&v->type, t, axis);
}

/* As many steps of the accumulator as the bias is: its own integer where the scales are the same,
 * bit for bit, for i32 may have more digits than f32. */
static int64_t bias_steps(const struct accumulator *acc, const struct ir_op *dq, int64_t n)
{
    float s = int_f32_at(acc->scale, n), s_b = int_f32_at(dq->in[1].value->def, n);
    int64_t b = int_at(dq->in[0].value->def, n);
    if (s == s_b)
        return b;
    return (int64_t)fmin(fmax(rint((double)b * (double)s_b / (double)s), -0x1p62), 0x1p62);
}

bool int_bias_fits(const struct ir_op *layer, int64_t n, int64_t bias, struct pass_ctx *ctx)
{
    if (bias > -((int64_t)1 << 31) && bias < (int64_t)1 << 31)
        return true;
    return diag_error(ctx->diag, layer->loc, DIAG_LOWER,
                      "%s: the bias of output channel %lld is %lld steps of its sums, which 32 "
                      "bits do not hold",
                      pass_op_text(layer, ctx->scratch), (long long)n, (long long)bias);
}

struct ir_value *int_rule_bias(struct ir_op *op, struct pass_ctx *ctx)
{
    struct accumulator acc;
    uint32_t i = int_accumulator(op->in[0].value, &acc) ? 0 : 1;
    if ((i == 1 && !int_accumulator(op->in[1].value, &acc)) ||
        !ir_type_equal(&op->in[i].value->type, &op->out->type) ||
        !integer_bias(op->in[1 - i].value, &op->out->type, acc.axis))
        return NULL;
    const struct ir_op *dq = op->in[1 - i].value->def;
    int64_t *x = ARENA_ARRAY(ctx->scratch, int64_t, (size_t)acc.n);
    for (int64_t n = 0; n < acc.n; n++) {
        x[n] = int_at(acc.bias, n) + bias_steps(&acc, dq, n);
        if (!int_bias_fits(acc.product->def, n, x[n], ctx))
            return op->in[i].value;
    }
    struct pass_place at = pass_before(op);
    struct ir_value *sum =
        pass_emit2(&at, IR_add, NULL, acc.product, by_column(&at, &acc.product->type, acc.axis, x));
    return int_dequantize(&at, sum, op->in[i].value->def->in[1].value, NULL, acc.axis);
}
