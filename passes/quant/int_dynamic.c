/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_dynamic.c - scales that are known at run time only: of an input that is quantised by its own
 * range, each time, and of a base layer whose input the model left float.
 *
 * With lo = min(x, 0) and hi = max(x, 0) over all of x, as ONNX's DynamicQuantizeLinear:
 *
 *   scale = (hi - lo) / 255     zero = rne(-lo / scale)     q = clamp(rne(x / scale) + zero)
 *
 * all single IEEE operations on one number. Adding and subtracting 1.5 * 2^23 rounds a float,
 * halves to even; what is clipped before is far beyond every byte.
 */
#include "int.h"

static const float ROUND = 0x1.8p23f, FAR = 1024.0f;
static const struct target BYTE = {.scale = 1.0f, .lo = 0, .hi = UINT8_MAX};

static bool is_late(const struct ir_op *op)
{
    bool late_zero = op->n_in > 2 && !ir_is(op->in[2].value, IR_constant);
    return !ir_is(op->in[1].value, IR_constant) || late_zero;
}

/* A scale or zero point of `op`, several along its axis, so that it broadcasts. */
static struct ir_value *along_axis(const struct pass_place *at, const struct ir_op *op,
                                   struct ir_value *v, int64_t axis)
{
    if (ir_count(&v->type) == 1)
        return v;
    struct ir_type type = ir_type_of(v->type.dtype, 1, v->type.dim);
    for (int64_t d = axis + 1; d < op->out->type.rank; d++)
        type.dim[type.rank++] = 1;
    return pass_reshape(at, v, &type);
}

/* quantize(x, scale, zero) in operations on floats, whose bounds a quantize by 1 makes. */
struct ir_value *int_rule_late_scale(struct ir_op *op, struct pass_ctx *ctx)
{
    (void)ctx;
    if (op->out->type.dtype != IR_U8 || !is_late(op))
        return NULL;
    struct pass_place at = pass_before(op);
    union ir_attrs far = {.clip = {.lo = -FAR, .hi = FAR}};
    struct ir_value *round = int_const_f32(&at, ROUND);
    int64_t axis = op->attrs->quantize.axis;
    struct ir_value *scale = along_axis(&at, op, op->in[1].value, axis);
    struct ir_value *x = pass_emit2(&at, IR_div, NULL, op->in[0].value, scale);
    x = pass_emit1(&at, IR_clip, &far, x);
    x = pass_emit2(&at, IR_add, NULL, x, round);
    x = pass_emit2(&at, IR_sub, NULL, x, round);
    if (op->n_in > 2)
        x = pass_emit2(&at, IR_add, NULL, x,
                       int_cast(&at, along_axis(&at, op, op->in[2].value, axis), IR_F32));
    struct target bounds = {
        .scale = 1.0f, .lo = op->attrs->quantize.lo, .hi = op->attrs->quantize.hi};
    return int_quantize(&at, x, &bounds, op->name);
}

/* (q - zero) * scale in operations on floats. */
struct ir_value *int_rule_late_parameters(struct ir_op *op, struct pass_ctx *ctx)
{
    (void)ctx;
    if (!is_late(op))
        return NULL;
    struct pass_place at = pass_before(op);
    int64_t axis = op->attrs->dequantize.axis;
    struct ir_value *x = int_cast(&at, op->in[0].value, IR_F32);
    if (op->n_in > 2)
        x = pass_emit2(&at, IR_sub, NULL, x,
                       int_cast(&at, along_axis(&at, op, op->in[2].value, axis), IR_F32));
    return pass_emit2(&at, IR_mul, NULL, x, along_axis(&at, op, op->in[1].value, axis));
}

/* The largest of all elements, or 0, of rank 0. */
static struct ir_value *largest(const struct pass_place *at, struct ir_value *x)
{
    int64_t axes[IR_MAX_RANK];
    for (int64_t d = 0; d < x->type.rank; d++)
        axes[d] = d;
    union ir_attrs all = {.reduce = {.kind = IR_REDUCE_MAX, .axes = {x->type.rank, axes}}};
    struct ir_type one = ir_type_of(IR_F32, 0, NULL);
    struct ir_value *most = x->type.rank ? pass_emit1(at, IR_reduce, &all, x) : x;
    return pass_reshape(at, pass_emit1(at, IR_relu, NULL, most), &one);
}

/* dequantize(quantize(x)) by x's own range. */
static struct ir_value *by_own_range(const struct pass_place *at, struct ir_value *x)
{
    struct ir_value *high = largest(at, x);
    struct ir_value *low = largest(at, pass_emit1(at, IR_neg, NULL, x)); /* -min(x, 0) */
    struct ir_value *range = pass_emit2(at, IR_add, NULL, high, low);
    struct ir_value *scale = pass_emit2(at, IR_div, NULL, range, int_const_f32(at, UINT8_MAX));
    struct ir_value *zero = int_quantize(at, pass_emit2(at, IR_div, NULL, low, scale), &BYTE, NULL);
    union ir_attrs attrs = {.quantize = {.dtype = IR_U8, .lo = BYTE.lo, .hi = BYTE.hi}};
    struct ir_value *in[] = {x, scale, zero};
    struct ir_new desc = {.opcode = IR_quantize, .in = in, .n_in = 3, .attrs = &attrs};
    return int_dequantize(at, pass_emit(at, &desc), scale, zero, 0);
}

/* Can a crossbar hold the layer's weights as integers, with the scales that they have? */
static bool has_integer_weights(const struct ir_op *layer)
{
    struct weights w;
    const struct ir_value *v = layer->in[1].value;
    bool is_matrix = layer->opcode == IR_conv || v->type.rank == 2;
    return is_matrix && int_weights(v, layer->opcode == IR_conv ? 0 : 1, &w);
}

struct ir_value *int_rule_own_range(struct ir_op *op, struct pass_ctx *ctx)
{
    const struct ir_value *x = op->in[0].value;
    (void)ctx;
    bool has_scale = ir_is(x, IR_dequantize) && x->def->in[0].value->type.dtype == IR_U8 &&
                     ir_count(&x->def->in[1].value->type) == 1;
    if (x->type.dtype != IR_F32 || has_scale || !has_integer_weights(op))
        return NULL;
    struct pass_place at = pass_before(op);
    struct ir_value *in[] = {by_own_range(&at, op->in[0].value), op->in[1].value};
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = op->opcode, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name});
}

/* ---- what the model left float ---- */

static void report(const struct ir_op *layer, const char *what, const struct pass_ctx *ctx)
{
    const char *name = pass_op_text(layer, ctx->scratch);
    if (ctx->unquantised_is_error)
        diag_error(ctx->diag, layer->loc, DIAG_LOWER, "%s: %s", name, what);
    else
        diag_warn(ctx->diag, layer->loc, DIAG_LOWER, "%s: %s", name, what);
}

static bool is_late_padding(const struct ir_value *x)
{
    return ir_is(x, IR_pad) && ir_is(x->def->in[0].value, IR_dequantize) &&
           is_late(x->def->in[0].value->def);
}

bool int_report_float_layers(const struct ir_graph *g, struct pass_ctx *ctx)
{
    unsigned n_errors = ctx->diag->n_errors;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (!pass_has_trait(op, IR_BASE) || op->in[0].value->type.dtype != IR_F32)
            continue;
        const struct ir_value *x = op->in[0].value, *w = op->in[1].value;
        if (is_late_padding(x))
            diag_error(ctx->diag, op->loc, DIAG_LOWER,
                       "%s: padding by a zero point that is known at run time only; --mode f32 "
                       "compiles it",
                       pass_op_text(op, ctx->scratch));
        else if (!ir_is(w, IR_dequantize))
            report(op, "its weights are not quantised: it is computed in f32", ctx);
        else if (!has_integer_weights(op))
            report(op,
                   "its weights do not have one scale, or one for each output channel: it is "
                   "computed in f32",
                   ctx);
        else
            report(op,
                   "its input is not quantised: it is at run time, by the range of all its values",
                   ctx);
    }
    return ctx->diag->n_errors == n_errors;
}
