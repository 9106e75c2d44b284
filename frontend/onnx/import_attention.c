/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_attention.c - Attention, and MultiHeadAttention and Attention of com.microsoft: two
 * products and a softmax.
 *
 *   softmax(softcap(scale * Q K') + mask) V          softcap(x) = c * tanh(x / c)
 *
 * for each head of queries; heads of keys and values may be fewer, each for as many neighbouring
 * heads of queries, whose rows are then taken together. A mask is added: 0 where an element takes
 * part, -inf (com.microsoft: mask_filter_value) where it does not.
 */
#include "onnx_node.h"

#include <math.h>
#include <string.h>

/* What the three operators have in common. Tensors are [batch, heads, steps, size]. */
struct attention {
    struct onnx_node *n;
    struct ir_value *q, *k, *v; /* NULL: an error */
    struct ir_value *mask;      /* or NULL */
    float scale;                /* 0: one over the root of a head's size */
    float softcap;              /* 0: none */
    int64_t mode;               /* of `shown` */
    struct ir_value *shown;     /* scores: 0 products, 1 capped, 2 masked, 3 softmax */
};

/* ---- heads ---- */

/* [batch, steps, heads * size] -> [batch, heads, steps, size] */
static struct ir_value *split_heads(struct onnx_node *n, struct ir_value *x, int64_t heads)
{
    if (!x)
        return NULL;
    const int64_t *d = x->type.dim;
    if (x->type.rank != 3) {
        onnx_error(n, "a tensor of %u dimensions; 3 are supported", x->type.rank);
        return NULL;
    }
    if (heads < 1 || d[2] % heads) {
        onnx_error(n, "%lld elements are not %lld heads", (long long)d[2], (long long)heads);
        return NULL;
    }
    x = onnx_reshape(n, x, (const int64_t[]){d[0], d[1], heads, d[2] / heads}, 4, false);
    return onnx_transpose(n, x, (const int64_t[]){0, 2, 1, 3}, false);
}

static struct ir_value *join_heads(struct onnx_node *n, struct ir_value *x)
{
    x = onnx_transpose(n, x, (const int64_t[]){0, 2, 1, 3}, false);
    if (!x)
        return NULL;
    const int64_t *d = x->type.dim;
    return onnx_reshape(n, x, (const int64_t[]){d[0], d[1], d[2] * d[3]}, 3, false);
}

/* The past, if there is one, in front of what is new; result `k` if anybody wants it. */
static struct ir_value *with_past(struct onnx_node *n, size_t past, struct ir_value *now, size_t k)
{
    struct ir_value *in[] = {NULL, now}, *v = now;
    if (onnx_has_in(n, past)) {
        in[0] = onnx_in(n, past);
        v = in[0] && now ? onnx_concat(n, in, 2, 2, false) : NULL;
    }
    return !onnx_out_used(n, k) || onnx_set_out(n, k, v) ? v : NULL;
}

/* ---- masks ---- */

/* Masks that are known are spelled out, and a file of a few bytes can ask for very large ones. */
enum { MOST_MASKED = 1 << 26 };

static bool may_be_mask(struct onnx_node *n, const struct ir_type *t)
{
    char text[256];
    int64_t count;
    return (ir_type_count(t, &count) && count <= MOST_MASKED) ||
           onnx_error(n, "a mask %s; at most %d elements are supported",
                      ir_type_text(t, text, sizeof text), MOST_MASKED);
}

static struct ir_value *plus_mask(struct attention *a, struct ir_value *mask)
{
    return a->mask ? onnx_helper2(a->n, IR_add, a->mask, mask) : mask;
}

/* 0 where the condition holds, `otherwise` elsewhere. */
static struct ir_value *mask_of(struct onnx_node *n, struct ir_value *condition, float otherwise)
{
    if (!condition)
        return NULL;
    if (condition->type.dtype != IR_BOOL) {
        struct ir_value *zero =
            onnx_cast(n, onnx_scalar(n, 0), (enum ir_dtype)condition->type.dtype);
        struct ir_value *none = onnx_helper2(n, IR_equal, condition, zero);
        return none ? onnx_emit_helper(
                          n, IR_where, NULL,
                          (struct ir_value *[]){none, onnx_scalar(n, otherwise), onnx_scalar(n, 0)},
                          3)
                    : NULL;
    }
    struct ir_value *in[] = {condition, onnx_scalar(n, 0), onnx_scalar(n, otherwise)};
    return onnx_emit_helper(n, IR_where, NULL, in, 3);
}

/* Query i of sequence b sees keys up to i + ahead[b], and below length[b]. */
struct limits {
    int64_t batch, ahead, q_steps, kv_steps;
    const int64_t *length; /* NULL: all keys */
    bool causal;
};

static bool sees(const struct limits *l, int64_t b, int64_t i, int64_t j)
{
    int64_t ahead = l->length && !l->ahead ? l->length[b] - l->q_steps : l->ahead;
    return !(l->causal && j > i + ahead) && !(l->length && j >= l->length[b]);
}

static struct ir_value *mask_of_limits(struct onnx_node *n, const struct limits *l, float otherwise)
{
    const int64_t dims[] = {l->length ? l->batch : 1, 1, l->q_steps, l->kv_steps};
    struct ir_type type = ir_type_of(IR_F32, 4, dims);
    if (!may_be_mask(n, &type))
        return NULL;
    size_t count = (size_t)ir_count(&type), at = 0;
    float *m = heap_alloc(count * sizeof *m);
    for (int64_t b = 0; b < dims[0]; b++)
        for (int64_t i = 0; i < l->q_steps; i++)
            for (int64_t j = 0; j < l->kv_steps; j++)
                m[at++] = sees(l, b, i, j) ? 0 : otherwise;
    struct ir_value *mask = onnx_const(n, type, blob_own(m, count * sizeof *m));
    return onnx_may_fold(n, mask->def) ? mask : NULL;
}

/* ---- the computation ---- */

static struct ir_value *show(struct attention *a, int64_t mode, struct ir_value *scores)
{
    if (a->mode == mode)
        a->shown = scores;
    return scores;
}

/* Queries of the heads that share keys are rows of one matrix. */
static struct ir_value *by_heads_of(struct attention *a, struct ir_value *x, int64_t heads)
{
    if (!x)
        return NULL;
    const int64_t *d = x->type.dim;
    return onnx_reshape(a->n, x, (const int64_t[]){d[0], heads, d[1] * d[2] / heads, d[3]}, 4,
                        false);
}

static struct ir_value *capped(struct attention *a, struct ir_value *x)
{
    if (a->softcap == 0)
        return x;
    x = onnx_helper2(a->n, IR_div, x, onnx_scalar(a->n, a->softcap));
    x = onnx_helper1(a->n, IR_tanh, NULL, x);
    return onnx_helper2(a->n, IR_mul, x, onnx_scalar(a->n, a->softcap));
}

/* Are there queries, keys and values, and can one attend to another? */
static bool go_together(const struct attention *a)
{
    if (!a->q || !a->k || !a->v)
        return false;
    const struct ir_type *q = &a->q->type, *k = &a->k->type, *v = &a->v->type;
    bool agree = q->rank == 4 && k->rank == 4 && v->rank == 4 && q->dim[0] == k->dim[0] &&
                 k->dim[0] == v->dim[0] && k->dim[1] > 0 && k->dim[1] == v->dim[1] &&
                 q->dim[1] % k->dim[1] == 0 && q->dim[3] == k->dim[3] && k->dim[2] == v->dim[2];
    if (!agree)
        return onnx_error(a->n, "queries, keys and values do not go together");
    return (ir_count(q) && ir_count(k) && ir_count(v)) ||
           onnx_error(a->n, "queries, keys or values have no elements");
}

/* Of what goes together: [batch, heads, steps, size of values]. */
static struct ir_value *attend(struct attention *a)
{
    struct onnx_node *n = a->n;
    union ir_attrs last = {.softmax = {.axis = 3}};
    const int64_t heads = a->q->type.dim[1], shared = a->k->type.dim[1];
    const int64_t q_steps = a->q->type.dim[2], size = a->v->type.dim[3];
    float scale = a->scale != 0 ? a->scale : 1 / sqrtf((float)a->q->type.dim[3]);
    struct ir_value *q = onnx_helper2(n, IR_mul, a->q, onnx_scalar(n, scale));
    struct ir_value *k = onnx_transpose(n, a->k, (const int64_t[]){0, 1, 3, 2}, false);
    struct ir_value *s = onnx_helper2(n, IR_matmul, by_heads_of(a, q, shared), k);
    s = show(a, 0, by_heads_of(a, s, heads));
    s = show(a, 1, capped(a, s));
    s = show(a, 2, a->mask && s ? onnx_helper2(n, IR_add, s, a->mask) : s);
    s = show(a, 3, onnx_helper1(n, IR_softmax, &last, s));
    struct ir_value *y = onnx_helper2(n, IR_matmul, by_heads_of(a, s, shared), a->v);
    const int64_t dims[] = {a->q->type.dim[0], heads, q_steps, size};
    return onnx_reshape(n, y, dims, 4, false);
}

/* ---- Attention ---- */

static bool holds_nowhere(const struct ir_value *condition)
{
    if (!onnx_is_const(condition))
        return false;
    const struct blob *b = condition->def->attrs->constant.data;
    return !memchr(blob_data(b), true, b->bytes);
}

/* What a query that sees no key comes to is 0 (ONNX's erratum of 2026); the softmax of it is NaN.
 */
static struct ir_value *zero_where_blind(struct attention *a, struct ir_value *y)
{
    struct onnx_node *n = a->n;
    bool keys[IR_MAX_RANK] = {false};
    if (!a->mask || a->mask->type.rank == 0 || !y)
        return y;
    keys[a->mask->type.rank - 1] = true;
    struct ir_value *most = onnx_reduce(n, IR_REDUCE_MAX, a->mask, keys);
    struct ir_value *blind = onnx_helper2(n, IR_equal, most, onnx_scalar(n, -INFINITY));
    if (!blind || holds_nowhere(blind))
        return blind ? y : NULL;
    return onnx_emit_helper(n, IR_where, NULL, (struct ir_value *[]){blind, onnx_scalar(n, 0), y},
                            3);
}

/* A mask may be of fewer keys than there are: the others do not take part. */
static struct ir_value *whole_mask(struct onnx_node *n, struct ir_value *m, int64_t kv_steps)
{
    int64_t before[IR_MAX_RANK] = {0}, after[IR_MAX_RANK] = {0};
    if (!m || m->type.rank == 0)
        return m;
    uint32_t rank = m->type.rank;
    after[rank - 1] = kv_steps - m->type.dim[rank - 1];
    if (after[rank - 1] <= 0 || m->type.dim[rank - 1] == 1)
        return m;
    struct ir_type whole = ir_type_of(IR_F32, rank, m->type.dim);
    whole.dim[rank - 1] = kv_steps;
    if (onnx_is_const(m) && !may_be_mask(n, &whole))
        return NULL;
    union ir_attrs attrs = {.pad = {.before = {rank, before},
                                    .after = {rank, after},
                                    .mode = IR_PAD_CONSTANT,
                                    .value = -INFINITY}};
    return onnx_helper1(n, IR_pad, &attrs, m);
}

static bool read_mask(struct attention *a)
{
    struct onnx_node *n = a->n;
    struct limits l = {
        .batch = a->q->type.dim[0], .q_steps = a->q->type.dim[2], .kv_steps = a->k->type.dim[2]};
    struct ir_ints lengths;
    l.causal = onnx_attr_i64(n, "is_causal", 0) != 0;
    if (onnx_has_in(n, 4))
        l.ahead = onnx_in(n, 4)->type.dim[2];
    if (onnx_has_in(n, 6)) {
        if (!onnx_const_ints(n, 6, &lengths))
            return false;
        if (lengths.n != l.batch)
            return onnx_error(n, "nonpad_kv_seqlen has %u elements, not one a sequence", lengths.n);
        for (uint32_t b = 0; b < lengths.n; b++)
            if (lengths.at[b] < 0 || lengths.at[b] > l.kv_steps)
                return onnx_error(n, "nonpad_kv_seqlen says %lld of %lld keys",
                                  (long long)lengths.at[b], (long long)l.kv_steps);
        l.length = lengths.at;
    }
    if (onnx_has_in(n, 3)) {
        struct ir_value *m = onnx_in(n, 3);
        bool condition = m && m->type.dtype != IR_F32;
        m = whole_mask(n, condition ? mask_of(n, m, -INFINITY) : m, l.kv_steps);
        if (!m)
            return false;
        a->mask = m;
    }
    if (!l.causal && !l.length)
        return true;
    a->mask = plus_mask(a, mask_of_limits(n, &l, -INFINITY));
    return a->mask != NULL;
}

bool import_attention(struct onnx_node *n)
{
    struct attention a = {.n = n, .q = onnx_in(n, 0), .k = onnx_in(n, 1), .v = onnx_in(n, 2)};
    if (!a.q || !a.k || !a.v)
        return false;
    bool flat = a.q->type.rank == 3;
    int64_t heads = onnx_attr_i64(n, "q_num_heads", 0);
    int64_t shared = onnx_attr_i64(n, "kv_num_heads", heads);
    onnx_ignore_attr(n, "softmax_precision");
    a.scale = onnx_attr_f32(n, "scale", 0);
    a.softcap = onnx_attr_f32(n, "softcap", 0);
    a.mode = onnx_attr_i64(n, "qk_matmul_output_mode", 0);
    if (a.mode < 0 || a.mode > 3)
        return onnx_error(n, "qk_matmul_output_mode is %lld, not 0 to 3", (long long)a.mode);
    if (flat) {
        a.q = split_heads(n, a.q, heads);
        a.k = split_heads(n, a.k, shared);
        a.v = split_heads(n, a.v, shared);
    }
    a.k = with_past(n, 4, a.k, 1);
    a.v = with_past(n, 5, a.v, 2);
    if (!go_together(&a) || !read_mask(&a))
        return false;
    struct ir_value *y = zero_where_blind(&a, attend(&a));
    if (onnx_out_used(n, 3) && !onnx_set_out(n, 3, a.shown))
        return false;
    return onnx_set_out(n, 0, flat ? join_heads(n, y) : y);
}

/* ---- com.microsoft ---- */

/* Operand i: 0 where [batch, keys] or [batch, queries, keys] do not take part; adds the mask. */
static bool read_key_mask(struct attention *a, size_t i, float filter)
{
    struct onnx_node *n = a->n;
    struct ir_value *m = onnx_has_in(n, i) ? onnx_in(n, i) : NULL;
    if (!m)
        return !onnx_has_in(n, i);
    if (m->type.rank != 2 && m->type.rank != 3)
        return onnx_error(n, "operand %zu, a mask of %u dimensions; 2 and 3 are supported", i,
                          m->type.rank);
    const int64_t *d = m->type.dim;
    const int64_t dims[] = {d[0], 1, m->type.rank == 3 ? d[1] : 1, d[m->type.rank - 1]};
    m = mask_of(n, onnx_reshape(n, m, dims, 4, false), filter);
    a->mask = m ? plus_mask(a, m) : NULL;
    return m != NULL;
}

/* Key mask, bias of scores and attribute `unidirectional`, after keys and queries are known. */
static bool read_microsoft_mask(struct attention *a, size_t key_mask, size_t bias)
{
    struct onnx_node *n = a->n;
    float filter = onnx_attr_f32(n, "mask_filter_value", -10000);
    struct limits l = {.q_steps = a->q->type.dim[2],
                       .kv_steps = a->k->type.dim[2],
                       .ahead = a->k->type.dim[2] - a->q->type.dim[2],
                       .causal = true};
    if (!read_key_mask(a, key_mask, filter))
        return false;
    if (onnx_attr_i64(n, "unidirectional", 0) != 0 &&
        !(a->mask = plus_mask(a, mask_of_limits(n, &l, filter))))
        return false;
    if (onnx_has_in(n, bias))
        a->mask = onnx_in(n, bias) ? plus_mask(a, onnx_in(n, bias)) : NULL;
    return !onnx_has_in(n, bias) || a->mask;
}

/* Elements [from, from + count) of x's last dimension. */
static struct ir_value *last_part(struct onnx_node *n, struct ir_value *x, int64_t from,
                                  int64_t count)
{
    int64_t start[IR_MAX_RANK] = {0}, step[IR_MAX_RANK], extent[IR_MAX_RANK];
    for (uint32_t i = 0; x && i < x->type.rank; i++) {
        step[i] = 1;
        extent[i] = x->type.dim[i];
    }
    if (!x || x->type.rank == 0 || from + count > x->type.dim[x->type.rank - 1]) {
        onnx_error(n, "queries, keys and values do not go with their biases or weights");
        return NULL;
    }
    start[x->type.rank - 1] = from;
    extent[x->type.rank - 1] = count;
    return onnx_slice(n, x, start, step, extent, false);
}

/* x plus its part of operand 3, which begins at *from, as heads. */
static struct ir_value *biased_heads(struct onnx_node *n, struct ir_value *x, int64_t heads,
                                     int64_t *from)
{
    if (x && x->type.rank == 4)
        return x;
    if (x && x->type.rank == 3 && onnx_has_in(n, 3)) {
        struct ir_value *b = last_part(n, onnx_in(n, 3), *from, x->type.dim[2]);
        *from += x->type.dim[2];
        x = onnx_helper2(n, IR_add, x, b);
    }
    return split_heads(n, x, heads);
}

bool import_multi_head_attention(struct onnx_node *n)
{
    struct attention a = {.n = n, .mode = -1, .scale = onnx_attr_f32(n, "scale", 0)};
    int64_t heads = onnx_attr_i64(n, "num_heads", 0), from = 0;
    if (!onnx_has_in(n, 1) || !onnx_has_in(n, 2))
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "queries, keys and values in one tensor are not supported");
    a.q = biased_heads(n, onnx_in(n, 0), heads, &from);
    a.k = biased_heads(n, onnx_in(n, 1), heads, &from);
    a.v = biased_heads(n, onnx_in(n, 2), heads, &from);
    a.k = with_past(n, 6, a.k, 1);
    a.v = with_past(n, 7, a.v, 2);
    return go_together(&a) && read_microsoft_mask(&a, 4, 5) &&
           onnx_set_out(n, 0, join_heads(n, attend(&a)));
}

/* Sizes of queries, keys and values side by side. */
static bool read_sizes(struct onnx_node *n, int64_t all, int64_t size[3])
{
    struct ir_ints given = onnx_attr_ints(n, "qkv_hidden_sizes");
    bool fit = !n->failed;
    for (uint32_t i = 0; i < 3; i++) {
        size[i] = given.n == 3 ? given.at[i] : all / 3;
        fit &= size[i] > 0 && size[i] <= all;
    }
    return (fit && size[0] + size[1] + size[2] == all) ||
           onnx_error(n, "weights of %lld columns are not queries, keys and values",
                      (long long)all);
}

bool import_microsoft_attention(struct onnx_node *n)
{
    struct attention a = {.n = n, .mode = -1, .scale = onnx_attr_f32(n, "scale", 0)};
    int64_t heads = onnx_attr_i64(n, "num_heads", 0), size[3];
    struct ir_value *ab[] = {onnx_in(n, 0), onnx_in(n, 1)};
    if (onnx_has_in(n, 4) || onnx_out_used(n, 1) || onnx_attr_i64(n, "do_rotary", 0))
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "past, present and do_rotary are not supported");
    struct ir_value *x = onnx_product(n, ab, (const bool[]){false, false}, 1, "");
    if (x && onnx_has_in(n, 2))
        x = onnx_helper2(n, IR_add, x, onnx_in(n, 2));
    if (x && x->type.rank != 3)
        return onnx_error(n, "inputs times weights have %u dimensions, not 3", x->type.rank);
    if (!x || !read_sizes(n, x->type.dim[2], size))
        return false;
    a.q = split_heads(n, last_part(n, x, 0, size[0]), heads);
    a.k = split_heads(n, last_part(n, x, size[0], size[1]), heads);
    a.v = split_heads(n, last_part(n, x, size[0] + size[1], size[2]), heads);
    return go_together(&a) && read_microsoft_mask(&a, 3, 5) &&
           onnx_set_out(n, 0, join_heads(n, attend(&a)));
}
