/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_layer_norm.c - normalisation by statistics of the values themselves: LayerNormalization,
 * RMSNormalization, InstanceNormalization, GroupNormalization, MeanVarianceNormalization,
 * LpNormalization; com.microsoft: SkipLayerNormalization and the simplified ones.
 *
 * The variance is the mean of (x - mean)^2, in a second pass over the values as ONNX defines it;
 * mean(x^2) - mean(x)^2 loses all digits where the mean is large.
 */
#include "onnx_node.h"

#include <float.h>
#include <math.h>

/* ---- what statistics are taken over ---- */

struct onnx_region {
    bool axes[IR_MAX_RANK]; /* these dimensions; */
    int64_t groups;         /* > 0: and dimension 1 by so many equal parts */
};

/* Of each part one number -> the same one for each of the C channels of dimension 1. */
static struct ir_value *spread_groups(struct onnx_node *n, struct ir_value *v, int64_t channels)
{
    struct ir_type t = v->type;
    int64_t groups = t.dim[1], *list = onnx_pick_list(n, 1, channels);
    if (!list)
        return NULL;
    for (int64_t c = 0; c < channels; c++)
        list[c] = c / (channels / groups);
    t.dim[1] = channels;
    return onnx_grid(n, v, t.dim, 1, list, 0);
}

/* Of each part of dimension 1 the mean. All other dimensions but the first are 1. */
static struct ir_value *mean_of_groups(struct onnx_node *n, struct ir_value *v, int64_t groups)
{
    struct ir_type t = v->type;
    const bool last[IR_MAX_RANK] = {false, false, true};
    const int64_t apart[3] = {t.dim[0], groups, t.dim[1] / groups};
    v = onnx_mean(n, onnx_reshape(n, v, apart, 3, false), last);
    t.dim[1] = groups;
    return onnx_reshape(n, v, t.dim, t.rank, false);
}

/* Of a region its mean, in the dimensions of x or 1. */
static struct ir_value *region_mean(struct onnx_node *n, struct ir_value *x,
                                    const struct onnx_region *r)
{
    struct ir_value *v = onnx_mean(n, x, r->axes);
    if (!v || !r->groups || r->groups == v->type.dim[1])
        return v;
    int64_t channels = v->type.dim[1];
    v = mean_of_groups(n, v, r->groups);
    return v && r->groups > 1 ? spread_groups(n, v, channels) : v;
}

static struct ir_value *root_mean_square(struct onnx_node *n, struct ir_value *x, float epsilon,
                                         const struct onnx_region *r)
{
    struct ir_value *v = region_mean(n, onnx_helper2(n, IR_mul, x, x), r);
    return onnx_helper1(n, IR_sqrt, NULL, onnx_helper2(n, IR_add, v, onnx_scalar(n, epsilon)));
}

/* (x - mean) / sqrt(variance + epsilon), and of what it is made */
struct standardised {
    struct ir_value *value, *mean, *inverse;
};
static struct standardised standardise(struct onnx_node *n, struct ir_value *x, float epsilon,
                                       const struct onnx_region *r)
{
    struct standardised s = {.mean = region_mean(n, x, r)};
    struct ir_value *d = onnx_helper2(n, IR_sub, x, s.mean);
    struct ir_value *deviation = root_mean_square(n, d, epsilon, r);
    s.inverse = onnx_helper2(n, IR_div, onnx_scalar(n, 1), deviation);
    s.value = onnx_helper2(n, IR_mul, d, s.inverse);
    return s;
}

/* Its value alone. */
static struct ir_value *normalised(struct onnx_node *n, struct ir_value *x, float epsilon,
                                   const struct onnx_region *r)
{
    int64_t list[IR_MAX_RANK];
    union ir_attrs attrs = {.layer_norm = {.axes = {0, list}, .epsilon = epsilon}};
    if (!x || (r->groups && r->groups != x->type.dim[1]))
        return standardise(n, x, epsilon, r).value;
    for (int i = 0; i < x->type.rank; i++)
        if (r->axes[i])
            list[attrs.layer_norm.axes.n++] = i;
    return onnx_helper1(n, IR_layer_norm, &attrs, x);
}

/* v * scale + bias; either may be absent, and neither may widen v. */
static struct ir_value *affine(struct onnx_node *n, struct ir_value *v, struct ir_value *scale,
                               struct ir_value *bias)
{
    struct ir_value *factor[2] = {scale, bias};
    for (int i = 0; i < 2; i++) {
        if (!v || !factor[i])
            continue;
        if (!onnx_broadcasts_to(&factor[i]->type, &v->type)) {
            onnx_error(n, "the %s does not broadcast to the input", i ? "bias" : "scale");
            return NULL;
        }
        v = onnx_helper2(n, i ? IR_add : IR_mul, v, factor[i]);
    }
    return v;
}

/* ---- over the last dimensions ---- */

/* The dimensions from attribute `axis` on, by default the last. */
static bool trailing_region(struct onnx_node *n, const struct ir_type *x, struct onnx_region *out)
{
    int64_t axis = onnx_attr_i64(n, "axis", -1);
    *out = (struct onnx_region){0};
    if (!onnx_axis(n, axis, x->rank, &axis))
        return false;
    for (int64_t i = axis; i < x->rank; i++)
        out->axes[i] = true;
    return true;
}

/* The results: normalised, and where asked for mean and inverse deviation, which may be absent. */
static bool set_results(struct onnx_node *n, struct ir_value *v, struct ir_value *mean,
                        struct ir_value *inverse)
{
    return onnx_set_out(n, 0, v) && (!onnx_out_used(n, 1) || !mean || onnx_set_out(n, 1, mean)) &&
           (!onnx_out_used(n, 2) || onnx_set_out(n, 2, inverse));
}

bool import_layer_norm(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *scale = onnx_in(n, 1);
    struct ir_value *bias = onnx_has_in(n, 2) ? onnx_in(n, 2) : NULL;
    struct onnx_region r;
    onnx_ignore_attr(n, "stash_type"); /* all floats are f32 inside */
    if (!x || !scale || (onnx_has_in(n, 2) && !bias) || !trailing_region(n, &x->type, &r))
        return false;
    float epsilon = onnx_attr_f32(n, "epsilon", 1e-5f);
    struct standardised s = {0};
    if (onnx_out_used(n, 1) || onnx_out_used(n, 2))
        s = standardise(n, x, epsilon, &r);
    else
        s.value = normalised(n, x, epsilon, &r);
    return set_results(n, affine(n, s.value, scale, bias), s.mean, s.inverse);
}

/* SimplifiedLayerNormalization is ONNX Runtime's name for it; its second result is not supported.
 */
bool import_rms_norm(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *scale = onnx_in(n, 1);
    struct onnx_region r;
    onnx_ignore_attr(n, "stash_type");
    if (!x || !scale || !trailing_region(n, &x->type, &r))
        return false;
    struct ir_value *rms = root_mean_square(n, x, onnx_attr_f32(n, "epsilon", 1e-5f), &r);
    return onnx_set_out(n, 0, affine(n, onnx_helper2(n, IR_div, x, rms), scale, NULL));
}

/* com.microsoft: of the sum of operands 0 and 1 and a bias, which is result 3. Operands: gamma,
 * beta (not of the simplified one, which is an RMSNormalization), bias. */
bool import_skip_layer_norm(struct onnx_node *n)
{
    bool simplified = n->op->variant == SIMPLIFIED;
    size_t bias = simplified ? 3 : 4;
    struct ir_value *x = onnx_helper2(n, IR_add, onnx_in(n, 0), onnx_in(n, 1));
    struct ir_value *gamma = onnx_in(n, 2);
    struct ir_value *beta = !simplified && onnx_has_in(n, 3) ? onnx_in(n, 3) : NULL;
    struct onnx_region r;
    if (onnx_has_in(n, bias))
        x = onnx_helper2(n, IR_add, x, onnx_in(n, bias));
    if (!x || !gamma || !trailing_region(n, &x->type, &r))
        return false;
    float epsilon = onnx_attr_f32(n, "epsilon", 1e-12f);
    struct standardised s = {0};
    if (simplified)
        s.value = onnx_helper2(n, IR_div, x, root_mean_square(n, x, epsilon, &r));
    else
        s = standardise(n, x, epsilon, &r);
    return (!onnx_out_used(n, 3) || onnx_set_out(n, 3, x)) &&
           set_results(n, affine(n, s.value, gamma, beta), s.mean, s.inverse);
}

/* ---- over maps of [N,C,...] ---- */

/* [groups] -> [C] -> [C,1,1,..], to be broadcast to x; NULL, reported, if it is neither. */
static struct ir_value *by_channel(struct onnx_node *n, size_t operand, const struct ir_type *x,
                                   int64_t groups)
{
    struct ir_value *v = onnx_in(n, operand);
    int64_t dims[IR_MAX_RANK] = {1, x->dim[1]};
    if (!v)
        return NULL;
    if (v->type.rank != 1 || v->type.dim[0] != groups) {
        onnx_error(n, "operand %zu has not one number for each of %lld", operand,
                   (long long)groups);
        return NULL;
    }
    for (int i = 2; i < x->rank; i++)
        dims[i] = 1;
    v = onnx_reshape(n, v, (const int64_t[]){1, groups}, 2, false);
    if (v && groups != x->dim[1])
        v = spread_groups(n, v, x->dim[1]);
    return onnx_reshape(n, v, dims + 1, x->rank - 1u, false);
}

/* `each`: so many numbers have scale and bias. */
static bool group_norm(struct onnx_node *n, struct ir_value *x, int64_t groups, int64_t each)
{
    struct onnx_region r = {.groups = groups};
    for (int i = 2; i < x->type.rank; i++)
        r.axes[i] = true;
    struct ir_value *scale = by_channel(n, 1, &x->type, each);
    struct ir_value *bias = by_channel(n, 2, &x->type, each);
    float epsilon = onnx_attr_f32(n, "epsilon", 1e-5f);
    return scale && bias &&
           onnx_set_out(n, 0, affine(n, normalised(n, x, epsilon, &r), scale, bias));
}

bool import_instance_norm(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    if (!x)
        return false;
    if (x->type.rank < 3)
        return onnx_error(n, "an input of %u dimensions; at least 3 are supported", x->type.rank);
    return group_norm(n, x, x->type.dim[1], x->type.dim[1]);
}

/* Scale and bias are by group before opset 21, by channel since. */
bool import_group_norm(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t groups = onnx_attr_i64(n, "num_groups", 0);
    onnx_ignore_attr(n, "stash_type");
    if (!x)
        return false;
    if (x->type.rank < 2)
        return onnx_error(n, "an input of %u dimensions; at least 2 are supported", x->type.rank);
    if (groups < 1 || x->type.dim[1] % groups)
        return onnx_error(n, "num_groups is %lld, of %lld channels", (long long)groups,
                          (long long)x->type.dim[1]);
    return group_norm(n, x, groups, n->im->opset < 21 ? groups : x->type.dim[1]);
}

/* (x - mean) / (deviation + 1e-9), over the axes given, by default all but the channels. */
bool import_mean_variance_norm(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    static const int64_t all_but_channels[] = {0, 2, 3};
    struct ir_ints axes = {3, all_but_channels};
    struct onnx_region r = {0};
    if (onnx_has_attr(n, "axes"))
        axes = onnx_attr_ints(n, "axes");
    if (!x || !onnx_axes(n, axes, x->type.rank, r.axes))
        return false;
    struct ir_value *d = onnx_helper2(n, IR_sub, x, region_mean(n, x, &r));
    struct ir_value *deviation =
        onnx_helper2(n, IR_add, root_mean_square(n, d, 0, &r), onnx_scalar(n, 1e-9f));
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, d, deviation));
}

/* x / (sum of |x|^p)^(1/p), p = 1 or 2; where that is 0, so is the result. */
bool import_lp_norm(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t axis = onnx_attr_i64(n, "axis", -1), p = onnx_attr_i64(n, "p", 2);
    bool axes[IR_MAX_RANK] = {false};
    if (!x || !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    if (p != 1 && p != 2)
        return onnx_error(n, "p is %lld; 1 and 2 are supported", (long long)p);
    axes[axis] = true;
    struct ir_value *norm = onnx_lp(n, x, p, axes);
    norm = onnx_helper2(n, IR_max, norm, onnx_scalar(n, FLT_TRUE_MIN));
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, x, norm));
}
