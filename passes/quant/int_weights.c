/*
 * int_weights.c - what a crossbar holds of quantised weights: w - zero = w' + center, w' i8.
 *
 * Bytes of which w - zero is no i8 are held as w - 128 with center 128 - zero, so that no weight
 * needs a ninth bit.
 */
#include "int.h"

static bool parameters_by_column(const struct ir_op *dq, int64_t axis)
{
    bool one = ir_count(&dq->in[1].value->type) == 1;
    return ir_is(dq->in[1].value, IR_constant) &&
           (dq->n_in < 3 || ir_is(dq->in[2].value, IR_constant)) &&
           (one || dq->attrs->dequantize.axis == axis);
}

bool int_weights(const struct ir_value *v, int64_t axis, struct weights *out)
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

struct held int_hold(const struct weights *w, struct arena *a)
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
struct ir_value *int_held_weights(const struct pass_place *at, const struct weights *w,
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

struct ir_value *int_centers(const struct pass_place *at, const struct weights *w,
                             const struct held *h)
{
    if (!h->has_center)
        return NULL;
    int32_t *data = heap_alloc((size_t)w->n * sizeof *data);
    for (int64_t n = 0; n < w->n; n++)
        data[n] = (int32_t)(h->offset[n] - h->zero[n]);
    return pass_constant(at, ir_type_of(IR_I32, 1, &w->n),
                         blob_own(data, (size_t)w->n * sizeof *data));
}
