/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fold_bn.c - scales and shifts per output channel move into the base layer in front of them.
 *
 *   batch_norm(x) = a*x + b,  a = scale / sqrt(var + epsilon),  b = bias - mean*a
 *
 * (Ioffe, Szegedy 2015) becomes mul and add by constants of shape [C,1,..]. Then, walking down the
 * list,
 *
 *   mul(conv(x, w, c), a) -> conv(x, a*w, a*c)      mul(matmul(x, w), a) -> matmul(x, w*a)
 *   add(conv(x, w, c), b) -> conv(x, w, c + b)      mul|add(add(matmul, c), k) -> add(matmul', c')
 *   div(y, a) -> mul(y, 1/a), where that goes on as above: a batch normalisation written out
 *   hard_sigmoid(y) -> clip(y*alpha + beta, 0, 1), where that goes on as above
 *
 *   conv|matmul(x*k, w) -> conv|matmul(x, k*w), k one power of two, which changes no bit
 *
 * where the layer's value has no other use, nor, for the last, the product and the weights. A
 * reshape between that keeps dimensions 0 and 1 (1-D convolutions) does not matter. A layer whose
 * weights change no longer shares crossbars: its `weights` is 0.
 */
#include "passes_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STAT_EXPANDED, STAT_SCALES, STAT_SHIFTS, STAT_IN_FRONT };

/* ---- batch_norm -> mul, add ---- */

static bool parameters_constant(const struct ir_op *bn)
{
    for (uint32_t i = 1; i < 5; i++) {
        if (!pass_f32_constant(bn->in[i].value))
            return false;
    }
    return true;
}

/* Returns the mul, so that the walk goes on with it. */
static struct ir_op *expand(struct ir_op *bn)
{
    const struct ir_type *t = &bn->in[0].value->type;
    int64_t n = t->dim[1], dims[IR_MAX_RANK];
    struct pass_floats p[5];
    for (uint32_t i = 1; i < 5; i++)
        p[i] = pass_floats(bn->in[i].value->def);
    float *scale = heap_alloc((size_t)n * sizeof *scale);
    float *shift = heap_alloc((size_t)n * sizeof *shift);
    for (int64_t c = 0; c < n; c++) {
        double a = pass_float(&p[1], c) /
                   sqrt((double)pass_float(&p[4], c) + (double)bn->attrs->batch_norm.epsilon);
        scale[c] = (float)a;
        shift[c] = (float)(pass_float(&p[2], c) - pass_float(&p[3], c) * a);
    }
    dims[0] = n;
    for (uint32_t i = 2; i < t->rank; i++)
        dims[i - 1] = 1;
    struct pass_place at = pass_before(bn);
    struct ir_value *a = pass_const(&at, t->rank - 1u, dims, scale);
    struct ir_value *product = pass_emit2(&at, IR_mul, NULL, bn->in[0].value, a);
    struct ir_value *b = pass_const(&at, t->rank - 1u, dims, shift);
    struct ir_value *in[] = {product, b};
    struct ir_value *sum =
        pass_emit(&at, &(struct ir_new){.opcode = IR_add, .in = in, .n_in = 2, .name = bn->name});
    pass_replace(bn, sum);
    return product->def;
}

/* ---- what stands in front ---- */

/* A layer whose value ends, unseen by others, in operand `index` of an elementwise operation. */
struct target {
    struct ir_op *layer; /* conv, matmul by a constant, or add(matmul, constant) */
    uint32_t channel;    /* dimension of the elementwise operation that is the layer's N */
};

static bool is_dense(const struct ir_op *op)
{
    const struct ir_op *w = op->opcode == IR_matmul ? pass_f32_constant(op->in[1].value) : NULL;
    return w && w->out->type.rank == 2 && op->in[0].value->def->opcode != IR_constant;
}

static bool keeps_channels(const struct ir_op *reshape)
{
    const struct ir_type *from = &reshape->in[0].value->type, *to = &reshape->out->type;
    return from->rank >= 2 && to->rank >= 2 && from->dim[0] == to->dim[0] &&
           from->dim[1] == to->dim[1];
}

static bool find_target(struct ir_value *x, struct target *out)
{
    if (!ir_has_one_use(x))
        return false;
    out->layer = x->def;
    if (is_dense(x->def)) {
        out->channel = x->type.rank - 1u;
        return x->type.rank >= 1;
    }
    out->channel = 1;
    if (x->def->opcode == IR_reshape && keeps_channels(x->def)) {
        out->layer = x->def->in[0].value->def;
        return out->layer->opcode == IR_conv && ir_has_one_use(out->layer->out) &&
               pass_f32_constant(out->layer->in[1].value);
    }
    return x->def->opcode == IR_conv && pass_f32_constant(x->def->in[1].value);
}

/* add(matmul(..), constant) with the sum used once and the product used once. */
static bool find_biased_dense(struct ir_value *x, uint32_t *out_constant)
{
    struct ir_op *add = x->def;
    if (add->opcode != IR_add || !ir_has_one_use(x) || !pass_constant_operand(add, out_constant))
        return false;
    struct ir_value *product = add->in[1 - *out_constant].value;
    return is_dense(product->def) && ir_has_one_use(product) &&
           ir_type_equal(&product->type, &x->type);
}

/* ---- per-channel constants ---- */

/* One number a channel, or one for all. */
struct channel_floats {
    struct pass_floats f;
    bool one;
};
static struct channel_floats channel_floats(const struct ir_op *k)
{
    return (struct channel_floats){.f = pass_floats(k), .one = ir_count(&k->out->type) == 1};
}
static float channel_float(const struct channel_floats *k, int64_t c)
{
    return pass_float(&k->f, k->one ? 0 : c);
}

/* w[i] * k[channel of i], where `inner` elements follow each step of the channel, which has n. */
static struct ir_value *scale(const struct pass_place *at, const struct ir_op *w,
                              const struct ir_op *k, int64_t n, int64_t inner)
{
    const struct ir_type *t = &w->out->type;
    struct blob *b = w->attrs->constant.data;
    struct channel_floats factor = channel_floats(k);
    if (!b->splat) {
        float *factors = heap_alloc((size_t)n * sizeof *factors);
        for (int64_t c = 0; c < n; c++)
            factors[c] = channel_float(&factor, c);
        return pass_const_of(at, t->rank, t->dim, blob_scaled(b, factors, n, inner));
    }
    struct pass_floats from = pass_floats(w);
    float all = pass_float(&from, 0);
    if (factor.one || factor.f.step == 0)
        return pass_const_splat(at, t->rank, t->dim, all * pass_float(&factor.f, 0));
    int64_t count = ir_count(t);
    float *data = heap_alloc((size_t)count * sizeof *data);
    for (int64_t i = 0; i < count; i++)
        data[i] = all * channel_float(&factor, i / inner % n);
    return pass_const(at, t->rank, t->dim, data);
}

/* [n] channel by channel: c*k for mul, c + k for add; a missing c is 0. */
static struct ir_value *combine(const struct pass_place *at, enum ir_opcode opcode,
                                const struct ir_op *c, const struct ir_op *k, int64_t n)
{
    float *data = heap_alloc((size_t)n * sizeof *data);
    struct channel_floats b = channel_floats(k), a = c ? channel_floats(c) : b;
    for (int64_t i = 0; i < n; i++) {
        float x = c ? channel_float(&a, i) : 0, y = channel_float(&b, i);
        data[i] = opcode == IR_mul ? x * y : x + y;
    }
    return pass_const(at, 1, &n, data);
}

/* ---- rewriting ---- */

static void absorb_in_conv(struct ir_op *conv, enum ir_opcode opcode, const struct ir_op *k)
{
    struct pass_place at = pass_before(conv);
    const struct ir_op *w = conv->in[1].value->def;
    const struct ir_op *bias = conv->n_in > 2 ? conv->in[2].value->def : NULL;
    int64_t n = w->out->type.dim[0], inner = ir_count(&w->out->type) / n;
    struct ir_value *in[3] = {conv->in[0].value, conv->in[1].value};
    union ir_attrs attrs = *conv->attrs;
    if (opcode == IR_mul) {
        in[1] = scale(&at, w, k, n, inner);
        attrs.conv.weights = 0;
    }
    if (opcode == IR_add || bias)
        in[2] = combine(&at, opcode, bias, k, n);
    struct ir_new desc = {
        .opcode = IR_conv, .in = in, .n_in = in[2] ? 3 : 2, .attrs = &attrs, .name = conv->name};
    struct ir_value *was[2] = {conv->in[1].value, bias ? bias->out : NULL};
    pass_replace(conv, pass_emit(&at, &desc));
    pass_remove_unused(was[0]);
    if (was[1])
        pass_remove_unused(was[1]);
}

static void scale_dense(struct ir_op *dense, const struct ir_op *k)
{
    struct pass_place at = pass_before(dense);
    struct ir_value *w = dense->in[1].value;
    union ir_attrs attrs = {.matmul = {.weights = 0}};
    struct ir_value *in[] = {dense->in[0].value, scale(&at, w->def, k, w->type.dim[1], 1)};
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = &attrs, .name = dense->name};
    pass_replace(dense, pass_emit(&at, &desc));
    pass_remove_unused(w);
}

/* `op` = mul or add of x and constant k disappears: its users read x. */
static void remove_step(struct ir_op *op, struct ir_value *x)
{
    struct ir_value *k[] = {op->in[0].value, op->in[1].value};
    pass_replace(op, x);
    for (uint32_t i = 0; i < 2; i++) {
        if (k[i] != x && ir_is(k[i], IR_constant))
            pass_remove_unused(k[i]);
    }
}

static bool conv_bias_usable(const struct ir_op *conv)
{
    return conv->n_in < 3 || pass_f32_constant(conv->in[2].value);
}

/* mul|add(add(matmul, c), k): the constant c moves on, the scale goes into the matrix. */
static bool absorb_in_biased(struct ir_op *op, struct ir_value *x, const struct ir_op *k)
{
    uint32_t ci;
    if (!find_biased_dense(x, &ci))
        return false;
    struct ir_op *add = x->def, *dense = add->in[1 - ci].value->def;
    uint32_t channel = x->type.rank - 1u;
    const struct ir_op *c = add->in[ci].value->def;
    if (!pass_is_per_channel(&c->out->type, &x->type, channel) ||
        !pass_is_per_channel(&k->out->type, &x->type, channel))
        return false;
    struct pass_place at = pass_before(add);
    struct ir_value *old = add->in[ci].value;
    ir_set_operand(add, ci, combine(&at, op->opcode, c, k, x->type.dim[channel]));
    pass_remove_unused(old);
    if (op->opcode == IR_mul)
        scale_dense(dense, k);
    remove_step(op, x);
    return true;
}

/* ---- a division by constants is a product where it will be absorbed ---- */

/* Would a product of x with a constant of type `k` be absorbed? */
static bool takes_scale(struct ir_value *x, const struct ir_type *k)
{
    uint32_t ci, last = x->type.rank - 1u;
    struct target t;
    if (find_biased_dense(x, &ci))
        return pass_is_per_channel(&x->def->in[ci].value->type, &x->type, last) &&
               pass_is_per_channel(k, &x->type, last);
    return find_target(x, &t) && pass_is_per_channel(k, &x->type, t.channel) &&
           (t.layer->opcode == IR_matmul || conv_bias_usable(t.layer));
}

/* 1 / k; NULL where one is no normal number. */
static float *reciprocals(const struct ir_op *k)
{
    int64_t n = ir_count(&k->out->type);
    struct pass_floats f = pass_floats(k);
    float *data = heap_alloc((size_t)n * sizeof *data);
    for (int64_t i = 0; i < n; i++) {
        data[i] = 1 / pass_float(&f, i);
        if (!isnormal(data[i]) || !isnormal(pass_float(&f, i))) {
            heap_free(data);
            return NULL;
        }
    }
    return data;
}

static struct ir_op *as_product(struct ir_op *div)
{
    uint32_t ki;
    float *data;
    if (div->opcode != IR_div || !pass_constant_operand(div, &ki) || ki != 1)
        return div;
    struct ir_value *x = div->in[0].value, *k = div->in[1].value;
    if (!ir_type_equal(&x->type, &div->out->type) || ir_count(&x->type) == 0 ||
        !takes_scale(x, &k->type) || !(data = reciprocals(k->def)))
        return div;
    struct pass_place at = pass_before(div);
    struct ir_value *in[] = {x, pass_const(&at, k->type.rank, k->type.dim, data)};
    struct ir_value *product =
        pass_emit(&at, &(struct ir_new){.opcode = IR_mul, .in = in, .n_in = 2, .name = div->name});
    pass_replace(div, product);
    pass_remove_unused(k);
    return product->def;
}

static bool expands_hard_sigmoid(const struct ir_op *op)
{
    struct ir_type number = ir_type_of(IR_F32, 0, NULL);
    return op->opcode == IR_hard_sigmoid && ir_count(&op->out->type) > 0 &&
           takes_scale(op->in[0].value, &number);
}

static bool absorb(struct ir_op *op)
{
    uint32_t ki;
    struct target t;
    if ((op->opcode != IR_mul && op->opcode != IR_add) || !pass_constant_operand(op, &ki))
        return false;
    struct ir_value *x = op->in[1 - ki].value;
    const struct ir_op *k = op->in[ki].value->def;
    if (!ir_type_equal(&x->type, &op->out->type) || ir_count(&x->type) == 0)
        return false;
    if (absorb_in_biased(op, x, k))
        return true;
    if (!find_target(x, &t) || !pass_is_per_channel(&k->out->type, &x->type, t.channel))
        return false;
    if (t.layer->opcode == IR_conv && conv_bias_usable(t.layer)) {
        bool direct = x->def == t.layer;
        struct ir_op *reshape = x->def;
        absorb_in_conv(t.layer, op->opcode, k);
        /* The new layer took the place of the old one in front of op or the reshape. */
        remove_step(op, direct ? op->in[1 - ki].value : reshape->out);
        return true;
    }
    if (t.layer->opcode == IR_matmul && op->opcode == IR_mul) {
        scale_dense(t.layer, k);
        remove_step(op, op->in[1 - ki].value);
        return true;
    }
    return false;
}

/* A layer by constants whose operand nobody else reads and is x * k: k of one power of two, and x.
 */
static const struct ir_op *factor_in_front(const struct ir_op *op, struct ir_value **x)
{
    uint32_t ki;
    const struct ir_op *mul = op->n_in ? op->in[0].value->def : op;
    if (!(op->opcode == IR_conv || is_dense(op)) || !pass_f32_constant(op->in[1].value) ||
        !ir_has_one_use(op->in[1].value) || mul->opcode != IR_mul || !ir_has_one_use(mul->out) ||
        !pass_constant_operand(mul, &ki))
        return NULL;
    const struct ir_op *k = mul->in[ki].value->def;
    *x = mul->in[1 - ki].value;
    if (ir_count(&k->out->type) != 1 || !ir_type_equal(&(*x)->type, &mul->out->type))
        return NULL;
    struct pass_floats number = pass_floats(k);
    return pass_is_power_of_two(pass_float(&number, 0)) ? k : NULL;
}

/* As far as its numbers are normal the product is the same, bit for bit. */
static bool absorb_in_front(struct ir_op *op)
{
    struct ir_value *x;
    const struct ir_op *k = factor_in_front(op, &x);
    if (!k)
        return false;
    struct pass_place at = pass_before(op);
    struct ir_value *was[] = {op->in[0].value, op->in[1].value};
    ir_set_operand(op, 0, x);
    ir_set_operand(op, 1, scale(&at, was[1]->def, k, 1, ir_count(&was[1]->type)));
    if (op->opcode == IR_conv)
        op->attrs->conv.weights = 0;
    else
        op->attrs->matmul.weights = 0;
    pass_remove_unused(was[0]);
    pass_remove_unused(was[1]);
    return true;
}

static enum pass_result run_fold_bn(struct pass_ctx *ctx, struct ir_graph *g)
{
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->opcode == IR_batch_norm && parameters_constant(op)) {
            next = expand(op);
            ctx->stats[STAT_EXPANDED]++;
            continue;
        }
        if (expands_hard_sigmoid(op)) {
            next = pass_expand_hard_sigmoid(op);
            continue;
        }
        if (absorb_in_front(op)) {
            ctx->stats[STAT_IN_FRONT]++;
            continue;
        }
        op = as_product(op);
        unsigned stat = op->opcode == IR_mul ? STAT_SCALES : STAT_SHIFTS;
        if (absorb(op))
            ctx->stats[stat]++;
    }
    bool changed = ctx->stats[STAT_EXPANDED] || ctx->stats[STAT_SCALES] ||
                   ctx->stats[STAT_SHIFTS] || ctx->stats[STAT_IN_FRONT];
    return changed ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {"batch_norm expanded", "scales absorbed", "shifts absorbed",
                                    "scales absorbed from in front", NULL};
const struct pass pass_fold_bn = {
    .name = "fold-bn",
    .summary = "fold batch normalisation and per-channel constants into base layers",
    .needs = IR_TENSOR,
    .stats = stats,
    .run = run_fold_bn,
};
