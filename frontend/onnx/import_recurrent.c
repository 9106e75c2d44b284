/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_recurrent.c - LSTM, GRU, RNN: unrolled over the steps of the sequence.
 *
 * The product with W is one of all steps; that with R is one a step, on one set of crossbars.
 * A direction runs over as many steps as the longest sequence has. Sequences that are shorter keep
 * their state then, and their outputs behind the end are 0. In reverse each begins at its own end.
 */
#include "recurrent.h"

#include <math.h>
#include <string.h>

/* What a step counts as, and a sequence that is of another length than others: a file of a few
 * bytes can ask for very many. */
enum { NODES_PER_STEP = 4, NODES_PER_SEQUENCE = 4 };

enum { X, W, R, B, LENGTHS, INITIAL_H, INITIAL_C, P };

/* What all directions of a node have in common. */
struct sequence {
    struct onnx_node *n;
    const struct cell_kind *kind;
    struct ir_value *x; /* [steps, batch, inputs] */
    int64_t steps, batch, hidden, directions, longest;
    const int64_t *lengths; /* of each sequence of the batch, or of all where they are uniform */
    bool batch_first, uniform;
    unsigned direction; /* enum recurrent_direction */
};

static bool is_reverse(const struct sequence *s, int64_t direction)
{
    return direction == 1 || s->direction == DIRECTION_REVERSE;
}

/* ---- operands ---- */

/* Rows [from, from + count) of what operand i, [directions, rows, ...], has for a direction. */
static struct ir_value *rows_of(const struct sequence *s, size_t i, int64_t direction, int64_t from,
                                int64_t count)
{
    struct onnx_node *n = s->n;
    struct ir_value *v = onnx_in(n, i);
    if (!v)
        return NULL;
    v = onnx_known(n, v);
    int64_t start[] = {direction, from, 0}, step[] = {1, 1, 1};
    int64_t extent[] = {1, count, v->type.rank > 2 ? v->type.dim[2] : 1};
    v = onnx_slice(n, v, start, step, extent, false);
    return onnx_reshape(n, v, extent + 1, v ? v->type.rank - 1u : 0, false);
}

static struct ir_value *transposed(const struct sequence *s, struct ir_value *v)
{
    return onnx_transpose(s->n, v, (const int64_t[]){1, 0}, false);
}

/* Is operand i absent, or of these dimensions? */
static bool has_dims(struct onnx_node *n, size_t i, const int64_t *dims, uint32_t rank)
{
    if (!onnx_has_in(n, i))
        return true;
    const struct ir_value *v = onnx_in(n, i);
    if (!v)
        return false;
    struct text want = {0};
    bool same = v->type.rank == rank && memcmp(v->type.dim, dims, rank * sizeof *dims) == 0;
    for (uint32_t k = 0; !same && k < rank; k++)
        text_add(&want, "%s%lld", k ? "x" : "", (long long)dims[k]);
    if (!same)
        onnx_error(n, "operand %zu, '%s', is not [%s]", i, n->in[i]->name, want.at);
    text_free(&want);
    return same;
}

static bool check_operands(const struct sequence *s, int64_t inputs)
{
    struct onnx_node *n = s->n;
    int64_t d = s->directions, h = s->hidden, rows = s->kind->gates * h;
    const int64_t w[] = {d, rows, inputs}, r[] = {d, rows, h}, b[] = {d, 2 * rows};
    const int64_t state[] = {s->batch_first ? s->batch : d, s->batch_first ? d : s->batch, h};
    const int64_t p[] = {d, 3 * h};
    return has_dims(n, W, w, 3) && has_dims(n, R, r, 3) && has_dims(n, B, b, 2) &&
           has_dims(n, LENGTHS, &s->batch, 1) && has_dims(n, INITIAL_H, state, 3) &&
           has_dims(n, INITIAL_C, state, 3) && has_dims(n, P, p, 2);
}

static bool read_lengths(struct sequence *s)
{
    struct ir_ints given = {.n = 1, .at = &s->steps};
    if (onnx_has_in(s->n, LENGTHS) && !onnx_const_ints(s->n, LENGTHS, &given))
        return false;
    s->uniform = true;
    for (uint32_t b = 0; b < given.n; b++) {
        if (given.at[b] < 1 || given.at[b] > s->steps)
            return onnx_error(s->n, "sequence %u has %lld steps; 1 to %lld are supported", b,
                              (long long)given.at[b], (long long)s->steps);
        s->longest = max_i64(s->longest, given.at[b]);
        s->uniform &= given.at[b] == given.at[0];
    }
    s->lengths = given.at;
    return true;
}

static size_t expanded_nodes(const struct sequence *s)
{
    size_t unequal = s->uniform ? 0 : (size_t)s->batch;
    return (size_t)s->directions *
           (NODES_PER_STEP * (size_t)s->longest + NODES_PER_SEQUENCE * unequal);
}

static bool read_sequence(struct onnx_node *n, struct sequence *s)
{
    *s = (struct sequence){.n = n, .kind = cell_kind_of(n->op->variant)};
    struct ir_value *x = onnx_in(n, X), *r = onnx_in(n, R);
    s->batch_first = onnx_attr_i64(n, "layout", 0) != 0;
    if (!x || !r || !onnx_attr_choice(n, "direction", CHOICES_recurrent_direction, &s->direction))
        return false;
    if (x->type.rank != 3 || r->type.rank != 3)
        return onnx_error(n, "X and R have %u and %u dimensions, not 3", x->type.rank,
                          r->type.rank);
    if (s->batch_first)
        x = onnx_transpose(n, x, (const int64_t[]){1, 0, 2}, false);
    if (!x)
        return false;
    s->x = x;
    s->steps = x->type.dim[0];
    s->batch = x->type.dim[1];
    s->hidden = r->type.dim[2];
    if (s->batch < 1 || s->hidden < 1)
        return onnx_error(n, "a batch of %lld sequences, states of %lld values",
                          (long long)s->batch, (long long)s->hidden);
    s->directions = s->direction == DIRECTION_BIDIRECTIONAL ? 2 : 1;
    if (onnx_attr_i64(n, "hidden_size", s->hidden) != s->hidden)
        return onnx_error(n, "hidden_size is not that of R, %lld", (long long)s->hidden);
    return check_operands(s, x->type.dim[2]) && read_lengths(s) &&
           onnx_may_expand(n, expanded_nodes(s));
}

/* ---- order of steps ---- */

/* Steps [0, to) of x, [.., batch, channels], of which `length` belong to the sequences: in reverse,
 * or as they are, and 0 behind the end. */
static struct ir_value *in_order(const struct sequence *s, struct ir_value *x, int64_t to,
                                 int64_t length, bool reverse)
{
    int64_t counts[3], *list = x ? onnx_pick_list(s->n, 0, to) : NULL;
    if (!list)
        return NULL;
    bool same = to == x->type.dim[0];
    for (int64_t t = 0; t < to; t++) {
        list[t] = t >= length ? -1 : reverse ? length - 1 - t : t;
        same &= list[t] == t;
    }
    memcpy(counts, x->type.dim, sizeof counts);
    counts[0] = to;
    return same ? x : onnx_grid(s->n, x, counts, 0, list, 0);
}

/* The same for sequences of different lengths: one after another. */
static struct ir_value *each_in_order(const struct sequence *s, struct ir_value *x, int64_t to,
                                      bool reverse)
{
    if (s->uniform || !x)
        return in_order(s, x, to, s->lengths[0], reverse);
    struct ir_value **part = ARENA_ARRAY(s->n->im->arena, struct ir_value *, (size_t)s->batch);
    for (int64_t b = 0; b < s->batch; b++) {
        const int64_t start[] = {0, b, 0}, step[] = {1, 1, 1};
        const int64_t count[] = {x->type.dim[0], 1, x->type.dim[2]};
        part[b] =
            in_order(s, onnx_slice(s->n, x, start, step, count, false), to, s->lengths[b], reverse);
        if (!part[b])
            return NULL;
    }
    return onnx_concat(s->n, part, (size_t)s->batch, 1, false);
}

/* ---- one direction ---- */

/* Of W and R; with linear_before_reset the reset gate is in front of the hidden bias of GRU's t. */
static struct ir_value *bias_of(const struct sequence *s, struct recurrence *r)
{
    int64_t rows = s->kind->gates * s->hidden, inner = r->linear_before_reset ? s->hidden : 0;
    if (!onnx_has_in(s->n, B) && !inner)
        return NULL;
    const float zero = 0;
    struct ir_value *zeros =
        onnx_const(s->n, ir_type_of(IR_F32, 1, &rows), blob_splat(&zero, sizeof zero));
    if (!onnx_has_in(s->n, B)) {
        r->hidden_bias = onnx_reshape(s->n, zeros, (const int64_t[]){1, 1, rows}, 3, false);
        return NULL;
    }
    struct ir_value *w = rows_of(s, B, r->direction, 0, rows);
    struct ir_value *outer = rows_of(s, B, r->direction, rows, rows);
    if (inner) {
        int64_t start = 0, step = 1, count = rows - inner, from = count;
        struct ir_value *head[] = {onnx_slice(s->n, outer, &start, &step, &count, false),
                                   onnx_slice(s->n, zeros, &from, &step, &inner, false)};
        struct ir_value *tail[] = {onnx_slice(s->n, zeros, &start, &step, &count, false),
                                   onnx_slice(s->n, outer, &from, &step, &inner, false)};
        outer = head[0] ? onnx_concat(s->n, head, 2, 0, false) : NULL;
        struct ir_value *hidden = tail[1] ? onnx_concat(s->n, tail, 2, 0, false) : NULL;
        r->hidden_bias = onnx_reshape(s->n, hidden, (const int64_t[]){1, 1, rows}, 3, false);
    }
    return onnx_helper2(s->n, IR_add, w, outer);
}

/* GRU multiplies the candidate's part by another vector, but for linear_before_reset. */
static void take_matrices(const struct sequence *s, struct recurrence *r)
{
    int64_t rows = s->kind->gates * s->hidden, first = rows;
    if (s->n->op->variant == RECURRENT_GRU && !r->linear_before_reset)
        first = 2 * s->hidden;
    r->r[0] = transposed(s, rows_of(s, R, r->direction, 0, first));
    if (first < rows)
        r->r[1] = transposed(s, rows_of(s, R, r->direction, first, rows - first));
    for (int64_t k = 0; k < 3; k++)
        if (onnx_has_in(s->n, P))
            r->peephole[k] = rows_of(s, P, r->direction, k * s->hidden, s->hidden);
}

/* What the inputs and biases add to the gates at all steps, in the order of steps. */
static struct ir_value *input_part(const struct sequence *s, const struct recurrence *r,
                                   struct ir_value *bias)
{
    struct onnx_node *n = s->n;
    bool reverse = is_reverse(s, r->direction);
    struct ir_value *x = reverse ? each_in_order(s, s->x, s->longest, true) : s->x;
    struct ir_value *w = transposed(s, rows_of(s, W, r->direction, 0, s->kind->gates * s->hidden));
    struct ir_value *v =
        r->direction ? onnx_helper2(n, IR_matmul, x, w) : onnx_emit2(n, IR_matmul, NULL, x, w);
    onnx_note_weights(
        n, v, W, arena_printf(n->im->arena, "input of direction %lld;", (long long)r->direction));
    return bias ? onnx_helper2(n, IR_add, v, bias) : v;
}

/* [1, batch, hidden] of operand i, or zeros. */
static struct ir_value *initial_state(const struct sequence *s, size_t i, int64_t direction)
{
    struct onnx_node *n = s->n;
    const float zero = 0;
    const int64_t dims[] = {1, s->batch, s->hidden}, step[] = {1, 1, 1};
    if (!onnx_has_in(n, i))
        return onnx_const(n, ir_type_of(IR_F32, 3, dims), blob_splat(&zero, sizeof zero));
    struct ir_value *v = onnx_in(n, i);
    if (s->batch_first)
        v = onnx_transpose(n, v, (const int64_t[]){1, 0, 2}, false);
    return onnx_slice(n, v, (const int64_t[]){direction, 0, 0}, step, dims, false);
}

/* The next state of sequences that go on at step t, the last one of others. */
static struct ir_value *kept_state(const struct sequence *s, int64_t t, struct ir_value *next,
                                   struct ir_value *last)
{
    const int64_t dims[] = {1, s->batch, 1};
    if (s->uniform || !next || !last)
        return last ? next : NULL;
    uint8_t *goes_on = heap_alloc((size_t)s->batch);
    bool all = true;
    for (int64_t b = 0; b < s->batch; b++) {
        goes_on[b] = t < s->lengths[b];
        all &= goes_on[b];
    }
    if (all) {
        heap_free(goes_on);
        return next;
    }
    struct ir_value *in[] = {
        onnx_const(s->n, ir_type_of(IR_BOOL, 3, dims), blob_own(goes_on, (size_t)s->batch)), next,
        last};
    return onnx_emit_helper(s->n, IR_where, NULL, in, 3);
}

static struct ir_value *step_part(const struct recurrence *r, struct ir_value *x, int64_t t)
{
    const int64_t start[] = {t, 0, 0}, step[] = {1, 1, 1};
    const int64_t count[] = {1, r->batch, x->type.dim[2]};
    return onnx_slice(r->n, x, start, step, count, false);
}

/* Results of a direction: all hidden states [steps, batch, hidden], and the last states. */
struct direction_results {
    struct ir_value *y, *state[MOST_STATES];
};

static bool walk(const struct sequence *s, const struct recurrence *r, struct ir_value *x,
                 struct direction_results *out)
{
    struct ir_value **h = ARENA_ARRAY(s->n->im->arena, struct ir_value *, (size_t)s->longest);
    for (unsigned k = 0; k < s->kind->states; k++)
        out->state[k] = initial_state(s, INITIAL_H + k, r->direction);
    for (int64_t t = 0; t < s->longest; t++) {
        struct ir_value *state[MOST_STATES] = {out->state[0], out->state[1]};
        if (!state[0])
            return false;
        s->kind->step(r, step_part(r, x, t), state);
        for (unsigned k = 0; k < s->kind->states; k++)
            out->state[k] = kept_state(s, t, state[k], out->state[k]);
        h[t] = out->state[0];
    }
    if (!out->state[0])
        return false;
    if (onnx_out_used(s->n, 0))
        out->y = each_in_order(s, onnx_concat(s->n, h, (size_t)s->longest, 0, false), s->steps,
                               is_reverse(s, r->direction));
    return out->y || !onnx_out_used(s->n, 0);
}

static bool run_direction(const struct sequence *s, int64_t direction,
                          const struct cell_function *functions, struct direction_results *out)
{
    struct onnx_node *n = s->n;
    struct recurrence r = {.n = n,
                           .kind = s->kind,
                           .direction = direction,
                           .hidden = s->hidden,
                           .batch = s->batch,
                           .clip = onnx_attr_f32(n, "clip", INFINITY)};
    r.input_forget = n->op->variant == RECURRENT_LSTM && onnx_attr_i64(n, "input_forget", 0) != 0;
    r.linear_before_reset =
        n->op->variant == RECURRENT_GRU && onnx_attr_i64(n, "linear_before_reset", 0) != 0;
    memcpy(r.f, functions + direction * s->kind->functions, s->kind->functions * sizeof *functions);
    struct ir_value *bias = bias_of(s, &r);
    take_matrices(s, &r);
    struct ir_value *x = input_part(s, &r, bias);
    return x && walk(s, &r, x, out);
}

/* ---- results ---- */

/* Of both directions, [1, batch, hidden] each. */
static struct ir_value *joined_states(const struct sequence *s, const struct direction_results *d,
                                      unsigned k)
{
    struct ir_value *part[] = {d[0].state[k], d[1].state[k]};
    struct ir_value *v = onnx_concat(s->n, part, (size_t)s->directions, 0, false);
    return s->batch_first ? onnx_transpose(s->n, v, (const int64_t[]){1, 0, 2}, false) : v;
}

/* [steps, directions, batch, hidden] */
static struct ir_value *joined_outputs(const struct sequence *s, const struct direction_results *d)
{
    struct ir_value *part[2];
    for (int64_t i = 0; i < s->directions; i++)
        part[i] = onnx_reshape(s->n, d[i].y, (const int64_t[]){s->steps, 1, s->batch, s->hidden}, 4,
                               false);
    struct ir_value *v = part[0] ? onnx_concat(s->n, part, (size_t)s->directions, 1, false) : NULL;
    return s->batch_first ? onnx_transpose(s->n, v, (const int64_t[]){2, 0, 1, 3}, false) : v;
}

bool import_recurrent(struct onnx_node *n)
{
    struct sequence s;
    struct cell_function functions[2 * MOST_FUNCTIONS];
    struct direction_results d[2] = {0};
    if (!read_sequence(n, &s) || !read_cell_functions(n, s.kind, s.directions, functions))
        return false;
    for (int64_t i = 0; i < s.directions; i++)
        if (!run_direction(&s, i, functions, &d[i]))
            return false;
    if (onnx_out_used(n, 0) && !onnx_set_out(n, 0, joined_outputs(&s, d)))
        return false;
    for (unsigned k = 0; k < s.kind->states; k++)
        if (onnx_out_used(n, 1 + k) && !onnx_set_out(n, 1 + k, joined_states(&s, d, k)))
            return false;
    return true;
}
