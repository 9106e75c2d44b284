/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_loss.c - losses of classification: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
 *
 * With scores x [N,C,...], targets t [N,...] and weights w [C]: -w[t] * x[.., t, ..], and 0 where t
 * is `ignore_index`; the mean is one of weights.
 */
#include "onnx_node.h"

static struct ir_value *integer(struct onnx_node *n, int64_t x)
{
    return onnx_cast(n, onnx_ints_const(n, &x, 1), IR_I32);
}

static struct ir_value *choose(struct onnx_node *n, struct ir_value *when, struct ir_value *a,
                               struct ir_value *b)
{
    struct ir_value *in[] = {when, a, b};
    return onnx_emit_helper(n, IR_where, NULL, in, 3);
}

/* Where is the class of dimension 1 the target's? Of x's dimensions, but those that idx lacks. */
static struct ir_value *is_target(struct onnx_node *n, const struct ir_type *x,
                                  struct ir_value *idx)
{
    if (x->dim[1] > ONNX_MOST_PICKED) {
        onnx_error(n, "%lld classes; at most %d are supported", (long long)x->dim[1],
                   ONNX_MOST_PICKED);
        return NULL;
    }
    struct ir_value *classes = onnx_steps(n, IR_I32, x->rank, 1, x->dim[1], 0, 1);
    if (!classes || !onnx_may_fold(n, classes->def))
        return NULL;
    return onnx_helper2(n, IR_equal, classes, idx);
}

/* Of dimension 1 of v the element of the target: the only one that is not 0. */
static struct ir_value *pick(struct onnx_node *n, struct ir_value *v, struct ir_value *is_target)
{
    const bool axes[IR_MAX_RANK] = {false, true};
    return onnx_reduce(n, IR_REDUCE_SUM, choose(n, is_target, v, onnx_scalar(n, 0)), axes);
}

/* Weights of classes beside x, of which dimension 1 are the classes. */
static struct ir_value *beside(struct onnx_node *n, struct ir_value *w, const struct ir_type *x)
{
    int64_t dims[IR_MAX_RANK] = {1, x->dim[1], 1, 1, 1, 1, 1, 1};
    return onnx_reshape(n, w, dims, x->rank, false);
}

/* The targets as [N,1,...]. */
static struct ir_value *index_of(struct onnx_node *n, const struct ir_type *x, struct ir_value *t)
{
    int64_t dims[IR_MAX_RANK];
    bool fits = x->rank >= 2 && t->type.rank + 1 == x->rank;
    for (unsigned d = 0; fits && d < x->rank; d++) {
        dims[d] = d == 1 ? 1 : x->dim[d];
        fits = d == 1 || t->type.dim[d - (d > 1)] == x->dim[d];
    }
    if (!fits) {
        onnx_error(n, "the targets do not have the scores' dimensions but the second");
        return NULL;
    }
    return onnx_reshape(n, t, dims, x->rank, false);
}

static struct ir_value *total(struct onnx_node *n, struct ir_value *v)
{
    const bool all[IR_MAX_RANK] = {true, true, true, true, true, true, true, true};
    return onnx_reshape(n, onnx_reduce(n, IR_REDUCE_SUM, v, all), NULL, 0, false);
}

/* loss and weight of each target -> result 0 */
static struct ir_value *reduced(struct onnx_node *n, struct ir_value *loss, struct ir_value *weight,
                                const struct ir_type *targets)
{
    unsigned how;
    if (!loss || !onnx_attr_choice(n, "reduction", CHOICES_loss_reduction, &how))
        return NULL;
    if (how == LOSS_NONE)
        return onnx_reshape(n, loss, targets->dim, targets->rank, false);
    struct ir_value *sum = total(n, loss);
    if (how == LOSS_SUM)
        return sum;
    struct ir_value *parts = weight ? total(n, weight) : onnx_scalar(n, (float)ir_count(targets));
    return onnx_helper2(n, IR_div, sum, parts);
}

/* Of log-probabilities. */
static struct ir_value *likelihood_loss(struct onnx_node *n, struct ir_value *x)
{
    struct ir_value *t = onnx_in(n, 1), *w = onnx_has_in(n, 2) ? onnx_in(n, 2) : NULL;
    if (!x || !t || (onnx_has_in(n, 2) && !w))
        return NULL;
    struct ir_value *idx = onnx_cast(n, index_of(n, &x->type, t), IR_I32);
    struct ir_value *here = idx ? is_target(n, &x->type, idx) : NULL;
    struct ir_value *loss = onnx_helper1(n, IR_neg, NULL, pick(n, x, here));
    struct ir_value *weight = w ? pick(n, beside(n, w, &x->type), here) : NULL;
    if (w)
        loss = onnx_helper2(n, IR_mul, loss, weight);
    if (onnx_has_attr(n, "ignore_index")) {
        struct ir_value *ignored =
            onnx_helper2(n, IR_equal, idx, integer(n, onnx_attr_i64(n, "ignore_index", 0)));
        weight = choose(n, ignored, onnx_scalar(n, 0), w ? weight : onnx_scalar(n, 1));
        loss = choose(n, ignored, onnx_scalar(n, 0), loss);
    }
    return reduced(n, loss, weight, &t->type);
}

bool import_likelihood_loss(struct onnx_node *n)
{
    return onnx_set_out(n, 0, likelihood_loss(n, onnx_in(n, 0)));
}

bool import_cross_entropy_loss(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    if (x && x->type.rank < 2)
        return onnx_error(n, "the scores have %u dimensions, not two or more", x->type.rank);
    struct ir_value *log_prob = onnx_log_softmax(n, x, 1);
    return onnx_set_out(n, 0, likelihood_loss(n, log_prob)) &&
           (!onnx_out_used(n, 1) || onnx_set_out(n, 1, log_prob));
}
