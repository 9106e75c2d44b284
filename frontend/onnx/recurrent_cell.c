/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * recurrent_cell.c - one step of LSTM, GRU and RNN, as the ONNX text has them.
 *
 * x holds what the inputs and the biases add to each gate, h and c are the states, (.) is the
 * product of elements, P are peepholes:
 *
 *   LSTM  i, f = f(x + h R + P (.) c)      c' = f (.) c + i (.) g(x + h R)
 *         o = f(x + h R + P (.) c')        h' = o (.) h(c')             input_forget: f = 1 - i
 *   GRU   z, r = f(x + h R)                h' = (1 - z) (.) t + z (.) h
 *         t = g(x + (r (.) h) R)           linear_before_reset: t = g(x + r (.) (h R + bias))
 *   RNN   h' = f(x + h R)
 *
 * What goes into a function is bounded by clip before. (1 - z) (.) t + z (.) h is t + z (.) (h -
 * t).
 */
#include "recurrent.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* ---- functions ---- */

enum cell_function_name {
    CELL_SIGMOID,
    CELL_TANH,
    CELL_RELU,
    CELL_AFFINE,
    CELL_LEAKY_RELU,
    CELL_SCALED_TANH,
    CELL_HARD_SIGMOID,
    CELL_SOFTSIGN,
    CELL_ELU,
    CELL_SOFTPLUS,
    CELL_THRESHOLDED_RELU,
    N_CELL_FUNCTIONS
};

/* Parameters are alpha, then beta, with the values of the operators of that name. */
static const struct {
    const char *name;
    unsigned parameters;
    float alpha, beta;
} functions[N_CELL_FUNCTIONS] = {
    [CELL_SIGMOID] = {"Sigmoid", 0, 0, 0},
    [CELL_TANH] = {"Tanh", 0, 0, 0},
    [CELL_RELU] = {"Relu", 0, 0, 0},
    [CELL_AFFINE] = {"Affine", 2, 1, 0},
    [CELL_LEAKY_RELU] = {"LeakyRelu", 1, 0.01f, 0},
    [CELL_SCALED_TANH] = {"ScaledTanh", 2, 1, 1},
    [CELL_HARD_SIGMOID] = {"HardSigmoid", 2, 0.2f, 0.5f},
    [CELL_SOFTSIGN] = {"Softsign", 0, 0, 0},
    [CELL_ELU] = {"Elu", 1, 1, 0},
    [CELL_SOFTPLUS] = {"Softplus", 0, 0, 0},
    [CELL_THRESHOLDED_RELU] = {"ThresholdedRelu", 1, 1, 0},
};

/* scale * x + shift */
static struct ir_value *affine(struct onnx_node *n, struct ir_value *x, float scale, float shift)
{
    if (scale != 1.0f)
        x = onnx_helper2(n, IR_mul, x, onnx_scalar(n, scale));
    return shift != 0.0f ? onnx_helper2(n, IR_add, x, onnx_scalar(n, shift)) : x;
}

static struct ir_value *clipped(struct onnx_node *n, struct ir_value *x, float lo, float hi)
{
    union ir_attrs attrs = onnx_bounds(lo, hi);
    return onnx_helper1(n, IR_clip, &attrs, x);
}

static struct ir_value *apply(const struct recurrence *r, unsigned k, struct ir_value *x)
{
    struct onnx_node *n = r->n;
    const struct cell_function *f = &r->f[k];
    union ir_attrs leaky = {.leaky_relu = {.alpha = f->alpha}};
    switch ((enum cell_function_name)f->is) {
    case CELL_SIGMOID: return onnx_helper1(n, IR_sigmoid, NULL, x);
    case CELL_TANH: return onnx_helper1(n, IR_tanh, NULL, x);
    case CELL_RELU: return onnx_helper1(n, IR_relu, NULL, x);
    case CELL_AFFINE: return affine(n, x, f->alpha, f->beta);
    case CELL_LEAKY_RELU: return onnx_helper1(n, IR_leaky_relu, &leaky, x);
    case CELL_SCALED_TANH:
        return affine(n, onnx_helper1(n, IR_tanh, NULL, affine(n, x, f->beta, 0)), f->alpha, 0);
    case CELL_HARD_SIGMOID: return onnx_hard_sigmoid(n, x, f->alpha, f->beta);
    case CELL_SOFTSIGN:
        return onnx_helper2(n, IR_div, x, affine(n, onnx_helper1(n, IR_abs, NULL, x), 1, 1));
    case CELL_ELU: return onnx_elu(n, x, f->alpha, 1);
    case CELL_SOFTPLUS: return onnx_softplus(n, x);
    case CELL_THRESHOLDED_RELU: return onnx_thresholded(n, x, f->alpha);
    default: BUG("cell function %u", f->is);
    }
}

/* Function k of a gate that is within the bounds of clip. */
static struct ir_value *gate(const struct recurrence *r, unsigned k, struct ir_value *x)
{
    return apply(r, k, isinf(r->clip) ? x : clipped(r->n, x, -r->clip, r->clip));
}

static bool find_function(struct onnx_node *n, const char *name, unsigned *out)
{
    for (*out = 0; *out < N_CELL_FUNCTIONS; ++*out)
        if (strcasecmp(name, functions[*out].name) == 0)
            return true;
    struct text known = {0};
    for (unsigned i = 0; i < N_CELL_FUNCTIONS; i++)
        text_add(&known, "%s%s", i ? ", " : "", functions[i].name);
    onnx_error(n, "activation '%s' is not supported; %s are", name, known.at);
    text_free(&known);
    return false;
}

/* The values of activation_alpha and activation_beta belong, one after another, to the functions
 * that take such a parameter. */
bool read_cell_functions(struct onnx_node *n, const struct cell_kind *kind, int64_t directions,
                         struct cell_function *out)
{
    size_t count, n_alpha, n_beta, alpha = 0, beta = 0;
    const char *const *names = onnx_attr_strs(n, "activations", &count);
    const float *alphas = onnx_attr_f32s(n, "activation_alpha", &n_alpha);
    const float *betas = onnx_attr_f32s(n, "activation_beta", &n_beta);
    size_t needed = (size_t)directions * kind->functions;
    if (n->failed || (count && count != needed))
        return n->failed ? false : onnx_error(n, "%zu activations; %zu are needed", count, needed);
    for (size_t i = 0; i < needed; i++) {
        unsigned is = kind->usual[i % kind->functions];
        if (count && !find_function(n, names[i], &is))
            return false;
        out[i] = (struct cell_function){is, functions[is].alpha, functions[is].beta};
        if (functions[is].parameters > 0 && alpha < n_alpha)
            out[i].alpha = alphas[alpha++];
        if (functions[is].parameters > 1 && beta < n_beta)
            out[i].beta = betas[beta++];
    }
    return true;
}

/* ---- steps ---- */

struct ir_value *cell_gates(const struct recurrence *r, struct ir_value *x, int64_t from,
                            int64_t count)
{
    if (!x)
        return NULL;
    const int64_t start[] = {0, 0, from * r->hidden}, step[] = {1, 1, 1};
    const int64_t extent[] = {1, x->type.dim[1], count * r->hidden};
    return onnx_slice(r->n, x, start, step, extent, false);
}

/* A state that is known to be zero adds nothing, at the first step. */
static bool is_zero(const struct ir_value *x)
{
    if (!onnx_is_const(x))
        return false;
    int64_t count = x->def->attrs->constant.data->splat ? 1 : ir_count(&x->type);
    for (int64_t i = 0; i < count; i++)
        if (ir_const_f64(x->def, i) != 0)
            return false;
    return true;
}

/* All steps multiply by one set of crossbars: the matrix is the same of the same operand. */
static struct ir_value *product(const struct recurrence *r, struct ir_value *h, unsigned matrix)
{
    struct onnx_node *n = r->n;
    struct ir_value *v = onnx_helper2(n, IR_matmul, h, r->r[matrix]);
    onnx_note_weights(n, v, 2,
                      arena_printf(n->im->arena, "%s direction %lld matrix %u;", n->op->name,
                                   (long long)r->direction, matrix));
    return v;
}

static struct ir_value *plus(const struct recurrence *r, struct ir_value *a, struct ir_value *b)
{
    return onnx_helper2(r->n, IR_add, a, b);
}

static struct ir_value *times(const struct recurrence *r, struct ir_value *a, struct ir_value *b)
{
    return onnx_helper2(r->n, IR_mul, a, b);
}

/* Gates [from, from + count) of x, and of h times the matrix, which has only these. */
static struct ir_value *with_product(const struct recurrence *r, struct ir_value *x, int64_t from,
                                     int64_t count, struct ir_value *h, unsigned matrix)
{
    x = cell_gates(r, x, from, count);
    return !h || is_zero(h) ? x : plus(r, x, product(r, h, matrix));
}

/* Gate k of z, i, o or f, and what its peephole sees of the cell state. */
static struct ir_value *with_peephole(const struct recurrence *r, struct ir_value *z, unsigned k,
                                      struct ir_value *c)
{
    z = cell_gates(r, z, k, 1);
    return r->peephole[k] && c && !is_zero(c) ? plus(r, z, times(r, c, r->peephole[k])) : z;
}

static void lstm_step(const struct recurrence *r, struct ir_value *x, struct ir_value *state[])
{
    enum { I, O, F, C }; /* gates, in their order */
    struct ir_value *c = state[1];
    struct ir_value *z = with_product(r, x, 0, 4, state[0], 0);
    struct ir_value *i = gate(r, 0, with_peephole(r, z, I, c));
    struct ir_value *next = times(r, i, gate(r, 1, cell_gates(r, z, C, 1)));
    if (c && !is_zero(c)) {
        struct ir_value *forget = r->input_forget
                                      ? onnx_helper2(r->n, IR_sub, onnx_scalar(r->n, 1), i)
                                      : gate(r, 0, with_peephole(r, z, F, c));
        next = plus(r, times(r, forget, c), next);
    }
    struct ir_value *o = gate(r, 0, with_peephole(r, z, O, next));
    state[0] = times(r, o, apply(r, 2, next));
    state[1] = next;
}

static void gru_step(const struct recurrence *r, struct ir_value *x, struct ir_value *state[])
{
    struct ir_value *h = state[0], *hr = NULL, *zr, *t;
    bool fresh = h && is_zero(h);
    if (r->linear_before_reset) {
        hr = fresh ? r->hidden_bias : plus(r, product(r, h, 0), r->hidden_bias);
        zr = plus(r, cell_gates(r, x, 0, 2), cell_gates(r, hr, 0, 2));
    } else {
        zr = with_product(r, x, 0, 2, h, 0);
    }
    struct ir_value *reset = gate(r, 0, cell_gates(r, zr, 1, 1));
    if (r->linear_before_reset)
        t = plus(r, cell_gates(r, x, 2, 1), times(r, reset, cell_gates(r, hr, 2, 1)));
    else
        t = with_product(r, x, 2, 1, fresh ? h : times(r, reset, h), 1);
    t = gate(r, 1, t);
    struct ir_value *z = gate(r, 0, cell_gates(r, zr, 0, 1));
    state[0] = plus(r, t, times(r, z, onnx_helper2(r->n, IR_sub, h, t)));
}

static void rnn_step(const struct recurrence *r, struct ir_value *x, struct ir_value *state[])
{
    state[0] = gate(r, 0, with_product(r, x, 0, 1, state[0], 0));
}

const struct cell_kind *cell_kind_of(enum onnx_variant variant)
{
    static const unsigned usual_lstm[] = {CELL_SIGMOID, CELL_TANH, CELL_TANH};
    static const unsigned usual_rnn[] = {CELL_TANH};
    static const struct cell_kind lstm = {4, 2, 3, usual_lstm, lstm_step};
    static const struct cell_kind gru = {3, 1, 2, usual_lstm, gru_step};
    static const struct cell_kind rnn = {1, 1, 1, usual_rnn, rnn_step};
    return variant == RECURRENT_LSTM ? &lstm : variant == RECURRENT_GRU ? &gru : &rnn;
}
