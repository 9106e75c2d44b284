/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* need.c - reads_<op> for every operation: its axis maps; need.h has the idea. */
#include "need.h"

static struct axis_map window(int64_t kernel, int64_t stride, int64_t dilation, int64_t pad,
                              int64_t extent)
{
    return (struct axis_map){.kind = MAP_WINDOW,
                             .kernel = (int32_t)kernel,
                             .stride = (int32_t)stride,
                             .dilation = (int32_t)dilation,
                             .pad = (int32_t)pad,
                             .extent = (int32_t)extent};
}

static void identity(const struct ir_value *x, struct axis_map out[3])
{
    for (int a = 0; a < 3; a++)
        out[a] = window(1, 1, 1, 0, x->type.dim[a]);
}

/* Windows over rows and columns, each channel by itself. `pad` NULL = none. */
static void windows(const struct ir_value *x, const int64_t *kernel, const int64_t *stride,
                    const int64_t *dilation, const int64_t *pad, struct axis_map out[3])
{
    identity(x, out);
    for (int a = 0; a < 2; a++)
        out[a] = window(kernel[a], stride[a], dilation[a], pad ? pad[a] : 0, x->type.dim[a]);
}

static void whole(const struct ir_value *x, struct axis_map *m, int a)
{
    *m = (struct axis_map){.kind = MAP_ALL, .extent = (int32_t)x->type.dim[a]};
}

/* Elementwise with broadcasting: an operand extent of 1 is read by every result element. */
static void elementwise(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_value *x = op->in[i].value;
    identity(x, out);
    for (int a = 0; a < 3; a++)
        if (x->type.dim[a] == 1 && op->out->type.dim[a] != 1)
            out[a] = (struct axis_map){.kind = MAP_ZERO, .extent = 1};
}

#define ELEMENTWISE(name)                                                                          \
    static void reads_##name(const struct ir_op *op, unsigned i, struct axis_map out[3])           \
    {                                                                                              \
        elementwise(op, i, out);                                                                   \
    }
ELEMENTWISE(relu)
ELEMENTWISE(leaky_relu)
ELEMENTWISE(clip)
ELEMENTWISE(exp)
ELEMENTWISE(log)
ELEMENTWISE(sqrt)
ELEMENTWISE(sigmoid)
ELEMENTWISE(tanh)
ELEMENTWISE(neg)
ELEMENTWISE(abs)
ELEMENTWISE(erf)
ELEMENTWISE(sin)
ELEMENTWISE(cos)
ELEMENTWISE(floor)
ELEMENTWISE(ceil)
ELEMENTWISE(round)
ELEMENTWISE(add)
ELEMENTWISE(sub)
ELEMENTWISE(mul)
ELEMENTWISE(div)
ELEMENTWISE(min)
ELEMENTWISE(max)
ELEMENTWISE(pow)
ELEMENTWISE(mod)
ELEMENTWISE(equal)
ELEMENTWISE(less)
ELEMENTWISE(greater)
ELEMENTWISE(mask)
ELEMENTWISE(merge)
ELEMENTWISE(cast)
ELEMENTWISE(quantize)
ELEMENTWISE(dequantize)
ELEMENTWISE(requantize)
ELEMENTWISE(table)
ELEMENTWISE(output)

/* Operations that are gone before CROSSBAR, and those without operands. */
#define NO_NEED(name)                                                                              \
    static void reads_##name(const struct ir_op *op, unsigned i, struct axis_map out[3])           \
    {                                                                                              \
        (void)i;                                                                                   \
        (void)out;                                                                                 \
        BUG("opcode %d has no operands at the crossbar stage", (int)op->opcode);                   \
    }
NO_NEED(input)
NO_NEED(constant)
NO_NEED(conv)
NO_NEED(matmul)
NO_NEED(batch_norm)
NO_NEED(layer_norm)
NO_NEED(interpolate)
NO_NEED(hard_sigmoid)
NO_NEED(where)
NO_NEED(gather)
NO_NEED(expand)
NO_NEED(range)
NO_NEED(softmax)

static void reads_mvm(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_mvm *m = &op->attrs->mvm;
    const struct ir_value *x = op->in[i].value;
    windows(x, m->kernel, m->stride, m->dilation, NULL, out);
    whole(x, &out[AXIS_C], AXIS_C);
}

/* All of a row's matrix. */
static void reads_dot(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    elementwise(op, i, out);
    whole(op->in[i].value, &out[AXIS_C], AXIS_C);
    if (i == 1)
        whole(op->in[i].value, &out[AXIS_W], AXIS_W);
}

static void reads_max_pool(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_max_pool *m = &op->attrs->max_pool;
    windows(op->in[i].value, m->kernel, m->stride, m->dilation, m->pad, out);
}

static void reads_avg_pool(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_avg_pool *m = &op->attrs->avg_pool;
    windows(op->in[i].value, m->kernel, m->stride, m->dilation, m->pad, out);
}

static void reads_global_avg_pool(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    identity(op->in[i].value, out);
    whole(op->in[i].value, &out[AXIS_H], AXIS_H);
    whole(op->in[i].value, &out[AXIS_W], AXIS_W);
}

static void reads_overlap_add(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_overlap_add *m = &op->attrs->overlap_add;
    const struct ir_value *x = op->in[i].value;
    windows(x, m->kernel, m->stride, m->dilation, m->pad, out);
    out[AXIS_H].kind = out[AXIS_W].kind = MAP_OVERLAP;
    whole(x, &out[AXIS_C], AXIS_C);
}

static void reads_reduce(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_ints *axes = &op->attrs->reduce.axes;
    identity(op->in[i].value, out);
    for (uint32_t k = 0; k < axes->n; k++)
        whole(op->in[i].value, &out[axes->at[k]], (int)axes->at[k]);
}

static void reads_concat(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    int64_t before = 0;
    int a = (int)op->attrs->concat.axis;
    for (unsigned k = 0; k < i; k++)
        before += op->in[k].value->type.dim[a];
    identity(op->in[i].value, out);
    out[a].pad = (int32_t)before;
}

static void reads_slice(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_slice *s = &op->attrs->slice;
    for (int a = 0; a < 3; a++)
        out[a] = window(1, s->step.at[a], 1, -s->start.at[a], op->in[i].value->type.dim[a]);
}

static void reads_transpose(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    for (int a = 0; a < 3; a++)
        whole(op->in[i].value, &out[a], a);
}

static void reads_reshape(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    reads_transpose(op, i, out);
}

static void reads_take(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    int axis = (int)op->attrs->take.axis;
    elementwise(op, i, out);
    if (i == 0)
        whole(op->in[0].value, &out[axis], axis);
}

static void reads_pad(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_pad *p = &op->attrs->pad;
    for (int a = 0; a < 3; a++) {
        const struct ir_value *x = op->in[i].value;
        /* edge and reflect read inside elements for outside ones: conservative where they pad */
        if (p->mode != IR_PAD_CONSTANT && (p->before.at[a] || p->after.at[a]))
            whole(x, &out[a], a);
        else
            out[a] = window(1, 1, 1, p->before.at[a], x->type.dim[a]);
    }
}

static void reads_gather_grid(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    const struct ir_attrs_gather_grid *g = &op->attrs->gather_grid;
    const int64_t *index = g->index.at;
    for (int a = 0; a < 3; a++) {
        out[a] = (struct axis_map){
            .kind = MAP_TABLE, .table = index, .extent = (int32_t)op->in[i].value->type.dim[a]};
        index += g->count.at[a];
    }
}

static bool all_fit(const int64_t *v, unsigned n, int64_t most)
{
    for (unsigned i = 0; v && i < n; i++)
        if (v[i] < -most || v[i] > most)
            return false;
    return true;
}

struct window_attrs {
    const int64_t *kernel, *stride, *dilation, *pad; /* NULL: none */
};

static struct window_attrs window_attrs(const struct ir_op *op)
{
    const union ir_attrs *a = op->attrs;
    switch (op->opcode) {
    case IR_mvm: return (struct window_attrs){a->mvm.kernel, a->mvm.stride, a->mvm.dilation, NULL};
    case IR_max_pool:
        return (struct window_attrs){a->max_pool.kernel, a->max_pool.stride, a->max_pool.dilation,
                                     a->max_pool.pad};
    case IR_avg_pool:
        return (struct window_attrs){a->avg_pool.kernel, a->avg_pool.stride, a->avg_pool.dilation,
                                     a->avg_pool.pad};
    case IR_overlap_add:
        return (struct window_attrs){a->overlap_add.kernel, a->overlap_add.stride,
                                     a->overlap_add.dilation, a->overlap_add.pad};
    default: return (struct window_attrs){NULL, NULL, NULL, NULL};
    }
}

bool need_check(const struct ir_op *op, struct diag *d)
{
    struct window_attrs w = window_attrs(op);
    return (all_fit(w.kernel, 2, NEED_MOST_STEP) && all_fit(w.stride, 2, NEED_MOST_STEP) &&
            all_fit(w.dilation, 2, NEED_MOST_STEP) && all_fit(w.pad, 4, NEED_MOST_PAD)) ||
           diag_error(d, op->loc, DIAG_CAPACITY,
                      "a kernel, stride or dilation exceeds the machine's %d, or a padding its %d",
                      NEED_MOST_STEP, NEED_MOST_PAD);
}

void need(const struct ir_op *op, unsigned i, struct axis_map out[3])
{
    static void (*const table[IR_N_OPCODES])(const struct ir_op *, unsigned, struct axis_map *) = {
#define OP(name, min_in, max_in, n_out, stages, traits) [IR_##name] = reads_##name,
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END
    };
    table[op->opcode](op, i, out);
}

static bool is_margin(const struct ir_op *op)
{
    const struct ir_attrs_pad *p = &op->attrs->pad;
    return op->opcode == IR_pad && p->mode == IR_PAD_CONSTANT && !p->before.at[AXIS_C] &&
           !p->after.at[AXIS_C];
}

struct need_source need_source(const struct ir_op *op, unsigned i)
{
    struct need_source s = {.value = op->in[i].value->def};
    need(op, i, s.map);
    if (op->opcode != IR_mvm || !is_margin(s.value))
        return s;
    const struct ir_attrs_pad *p = &s.value->attrs->pad;
    s.value = s.value->in[0].value->def;
    s.pad_value = p->value;
    for (int a = 0; a < 2; a++) {
        s.map[a].pad += (int32_t)p->before.at[a];
        s.map[a].extent = (int32_t)s.value->out->type.dim[a];
    }
    return s;
}

bool need_reads_through(const struct ir_op *pad)
{
    if (!is_margin(pad))
        return false;
    for (const struct ir_use *u = pad->out->uses; u; u = u->next)
        if (u->user->opcode != IR_mvm)
            return false;
    return true;
}

/* The last taps of a window read the last elements; of an overlap, the first ones. */
static int32_t need_end(const struct axis_map *m, int32_t o, bool last)
{
    struct need_taps taps = need_taps_of(m, o);
    bool backwards = last != (m->kind == MAP_OVERLAP);
    if (m->kind == MAP_ALL)
        return last ? taps.to - 1 : 0;
    for (int32_t k = taps.from; k < taps.to; k++) {
        int32_t at = need_tap(m, o, backwards ? taps.to - 1 - (k - taps.from) : k);
        if (at >= 0)
            return at;
    }
    return -1;
}

int32_t need_last(const struct axis_map *m, int32_t o)
{
    return need_end(m, o, true);
}

/* Windows without holes, and parts of them, begin and end the later the later the output: its ends
 * tell all. */
static bool ends_tell(const struct axis_map *m)
{
    return (m->kind == MAP_WINDOW || m->kind == MAP_PATCH) &&
           (m->kernel == 1 || m->dilation == 1) && m->stride > 0;
}

static bool range_of_ends(const struct axis_map *m, int32_t lo, int32_t hi, int32_t *first,
                          int32_t *last)
{
    *first = *last = -1;
    for (int32_t o = lo; o < hi && *first < 0; o++)
        *first = need_end(m, o, false);
    for (int32_t o = hi - 1; o >= lo && *last < 0; o--)
        *last = need_last(m, o);
    return *last >= 0;
}

bool need_range(const struct axis_map *m, int32_t lo, int32_t hi, int32_t *first, int32_t *last)
{
    if (ends_tell(m))
        return range_of_ends(m, lo, hi, first, last);
    *first = INT32_MAX;
    *last = -1;
    for (int32_t o = lo; o < hi; o++) {
        int32_t f = need_end(m, o, false), l = need_end(m, o, true);
        if (f >= 0 && f < *first)
            *first = f;
        if (l > *last)
            *last = l;
        if (m->kind == MAP_ALL || m->kind == MAP_ZERO)
            break;
    }
    return *last >= 0;
}
