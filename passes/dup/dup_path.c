/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_path.c - what the longest path of some choices says about all others.
 *
 * In: the times for some choices. Out: for each item and choice, how long the path's way through
 * the item's layer takes with it. The path leaves layer i at a pixel; some pixels of the next layer
 * read it (through derived values); of the products that these are part of, the first that the copy
 * of the next layer's exit meets, whatever its choice, can start only then, and the copy works
 * through to the product of the exit. So for all choices
 *
 *     makespan >= sum of the ways,    and = for those the path was taken from.
 *
 * Where with some choice none of these lies before the exit in its copy, the way is broken:
 * only the exit's own set and what comes after it are certain, and all that the path can have
 * before it is taken off.
 */
#include "dup_flow.h"

#include "mvm_mapping.h"

#include <stdlib.h>
#include <string.h>

/* A path's way through one base layer: from the first product with a pixel in rows x columns (by
 * copy), to that of the exit. */
struct way {
    uint32_t node;
    int32_t exit[2];
    bool *entry[2]; /* by row, by column: reads what the path came from */
};
struct tracer {
    const struct flow *f;
    struct flow_times *t;
    const uint32_t *chosen;
    struct arena *arena;
    VEC(struct way) ways; /* last layer first */
};

static int32_t size_of(const struct flow_node *n, int a)
{
    return a ? n->columns : n->rows;
}

static bool reads(const struct axis_map *m, int32_t o, int32_t at)
{
    if (m->kind == MAP_ALL)
        return true;
    if (m->kind == MAP_WINDOW) {
        int64_t taps = (int64_t)at + m->pad - (int64_t)o * m->stride;
        return taps % m->dilation == 0 && taps / m->dilation >= 0 && taps / m->dilation < m->kernel;
    }
    struct need_taps taps = need_taps_of(m, o);
    for (int32_t k = taps.from; k < taps.to; k++)
        if (need_tap(m, o, k) == at)
            return true;
    return false;
}

/* The part of the copy that owns a product. */
static struct flow_part part_at(const struct flow_layout *l, const int32_t at[2])
{
    return flow_part(l, ir_cut_owner(at[0], l->cut[0], l->size[0]),
                     ir_cut_owner(at[1], l->cut[1], l->size[1]));
}

/* The set of a part that a product lies in. */
static void set_around(const struct flow *f, const struct flow_part *p, const int32_t at[2],
                       int32_t lo[2], int32_t hi[2])
{
    const int32_t step[2] = {f->set_rows, f->set_columns};
    for (int a = 0; a < 2; a++) {
        int64_t size = step[a] ? step[a] : p->hi[a], begin = at[a] / size * size;
        lo[a] = (int32_t)max_i64(begin, p->lo[a]);
        hi[a] = (int32_t)min_i64(begin + size, p->hi[a]);
    }
}

static int64_t set_time(const struct flow_layout *l, const int32_t lo[2], const int32_t hi[2])
{
    return (int64_t)(hi[0] - lo[0]) * (hi[1] - lo[1]) * l->product;
}

/* Of the part's sets before the one that `at` lies in. */
static int64_t time_before(const struct flow *f, const struct flow_layout *l,
                           const struct flow_part *p, const int32_t at[2])
{
    int32_t lo[2], hi[2];
    set_around(f, p, at, lo, hi);
    int64_t products = (int64_t)(lo[0] - p->lo[0]) * (p->hi[1] - p->lo[1]) +
                       (int64_t)(hi[0] - lo[0]) * (lo[1] - p->lo[1]);
    return products * l->product;
}

/* ---- the ways ---- */

/* What the way with one choice costs, in the steps of dup_flow.h, besides its rows. */
enum { WAY_STEPS = 40 };

/* Is one of the pixels of product `at` marked? */
static bool is_marked(const struct flow_layout *l, int axis, const bool *marks, int32_t at)
{
    int32_t from = at * l->patch[axis], to = min_i32(from + l->patch[axis], l->pixels[axis]);
    while (from < to && !marks[from])
        from++;
    return from < to;
}

/* First entry in the part, in raster order; false if none stands before the exit's set's end. */
static bool first_entry(const struct flow *f, const struct flow_layout *l, const struct way *w,
                        const struct flow_part *p, const int32_t end[2], int32_t out[2])
{
    *f->work += WAY_STEPS + (int64_t)(end[0] - p->lo[0]) * l->patch[0];
    for (out[0] = p->lo[0]; out[0] < end[0]; out[0]++) {
        if (!is_marked(l, 0, w->entry[0], out[0]))
            continue;
        for (out[1] = p->lo[1]; out[1] < p->hi[1]; out[1]++)
            if (is_marked(l, 1, w->entry[1], out[1]))
                return true;
    }
    return false;
}

static void product_of(const struct flow_layout *l, const int32_t pixel[2], int32_t out[2])
{
    for (int a = 0; a < 2; a++)
        out[a] = pixel[a] / l->patch[a];
}

/* The way's length with that choice; *out_broken: it holds only from the exit's set on. */
static int64_t way_length(const struct flow *f, const struct way *w, const struct dup_choice *c,
                          bool *out_broken)
{
    struct flow_layout l = flow_layout(f, &f->nodes.at[w->node], c);
    int64_t length = -1;
    int32_t exit[2], lo[2], hi[2], from[2];
    product_of(&l, w->exit, exit);
    struct flow_part p = part_at(&l, exit);
    set_around(f, &p, exit, lo, hi);
    if (first_entry(f, &l, w, &p, hi, from))
        length = time_before(f, &l, &p, exit) - time_before(f, &l, &p, from);
    *out_broken = length < 0;
    return max_i64(length, 0) + set_time(&l, lo, hi);
}

/* ---- back through the schedule ---- */

/* A pixel of products [lo, hi) that was ready at that time; false if there is none. */
static bool find_ready(const struct flow_layout *l, const int32_t lo[2], const int32_t hi[2],
                       const int32_t *ready, int64_t time, int32_t out[2])
{
    int32_t end[2];
    for (int a = 0; a < 2; a++)
        end[a] = min_i32(hi[a] * l->patch[a], l->pixels[a]);
    for (out[0] = lo[0] * l->patch[0]; out[0] < end[0]; out[0]++)
        for (out[1] = lo[1] * l->patch[1]; out[1] < end[1]; out[1]++)
            if (ready[(size_t)out[0] * (size_t)l->pixels[1] + (size_t)out[1]] == time)
                return true;
    return false;
}

/* The pixel of the copy, at or before the exit, whose operands were done just when its set started,
 * and no set waited since; false: the copy has worked from the start. */
static bool find_start(struct tracer *x, const struct way *w, int32_t out[2])
{
    const struct flow_node *n = &x->f->nodes.at[w->node];
    const int32_t *ready = x->t->ready, *done = x->t->done[w->node];
    struct flow_layout l =
        flow_layout(x->f, n, &x->f->problem->items[n->item].choices[x->chosen[n->item]]);
    int32_t lo[2], hi[2], at[2];
    product_of(&l, w->exit, at);
    struct flow_part p = part_at(&l, at);
    for (;;) {
        size_t pixel =
            (size_t)(at[0] * l.patch[0]) * (size_t)n->columns + (size_t)(at[1] * l.patch[1]);
        set_around(x->f, &p, at, lo, hi);
        int64_t start = done[pixel] - set_time(&l, lo, hi);
        if (start > 0 && find_ready(&l, lo, hi, ready, start, out))
            return true;
        if (start <= 0)
            return false;
        at[1] = lo[1] > p.lo[1] ? lo[1] - 1 : p.hi[1] - 1;
        at[0] = lo[1] > p.lo[1] ? lo[0] : lo[0] - 1;
    }
}

/* Of one row or column that is looked at. */
enum { READS_STEPS = 20 };

/* A pixel of operand `o` that the pixel `at` reads and that was done at `time`; false if none. */
static bool find_source(const struct tracer *x, const struct flow_operand *o, const int32_t at[2],
                        int32_t time, int32_t out[2])
{
    const struct flow_node *from = &x->f->nodes.at[o->node];
    const int32_t *done = x->t->done[o->node];
    *x->f->work += (int64_t)(from->rows + from->columns) * READS_STEPS;
    for (out[0] = 0; out[0] < from->rows; out[0]++) {
        if (!reads(&o->axis[0], at[0], out[0]))
            continue;
        for (out[1] = 0; out[1] < from->columns; out[1]++)
            if (done[(size_t)out[0] * (size_t)from->columns + (size_t)out[1]] == time &&
                reads(&o->axis[1], at[1], out[1]))
                return true;
    }
    return false;
}

/* Marks what reads marked elements of the operand. */
static bool *readers(struct tracer *x, const struct axis_map *m, const bool *marked, int32_t n_in,
                     int32_t n_out)
{
    bool *out = ARENA_ARRAY(x->arena, bool, (size_t)n_out);
    *x->f->work += (int64_t)n_out * READS_STEPS;
    for (int32_t o = 0; o < n_out; o++)
        for (int32_t at = 0; at < n_in && !out[o]; at++)
            out[o] = marked[at] && reads(m, o, at);
    return out;
}

/* From pixel `at` of `node`, ready at `time`, back to the base layer's pixel it waited for:
 * *out_node, out_at. Marks, on the way forth, the pixels of `node` that wait for it likewise. */
static void step_back(struct tracer *x, uint32_t node, const int32_t at[2], int32_t time,
                      uint32_t *out_node, int32_t out_at[2], bool *marked[2])
{
    const struct flow_node *n = &x->f->nodes.at[node];
    const struct flow_operand *o = n->operand;
    while (!find_source(x, o, at, time, out_at))
        if (++o == n->operand + n->n_operands)
            BUG("nothing that a pixel reads is done when it is ready");
    const struct flow_node *from = &x->f->nodes.at[o->node];
    bool *source[2];
    *out_node = o->node;
    if (from->item == FLOW_NONE) {
        int32_t pixel[2] = {out_at[0], out_at[1]};
        step_back(x, o->node, pixel, time, out_node, out_at, source);
    } else {
        for (int a = 0; a < 2; a++) {
            source[a] = ARENA_ARRAY(x->arena, bool, (size_t)size_of(from, a));
            source[a][out_at[a]] = true;
        }
    }
    for (int a = 0; a < 2; a++)
        marked[a] = readers(x, &o->axis[a], source[a], size_of(from, a), size_of(n, a));
}

/* The last pixel of all. */
static struct way last_way(const struct tracer *x)
{
    struct way w = {0};
    while (x->f->nodes.at[w.node].item == FLOW_NONE || x->t->end[w.node] != x->t->makespan)
        w.node++;
    const struct flow_node *n = &x->f->nodes.at[w.node];
    size_t at = 0;
    while (x->t->done[w.node][at] != x->t->makespan)
        at++;
    w.exit[0] = (int32_t)(at / (size_t)n->columns);
    w.exit[1] = (int32_t)(at % (size_t)n->columns);
    return w;
}

static void trace(struct tracer *x)
{
    struct way w = last_way(x);
    for (;;) {
        const struct flow_node *n = &x->f->nodes.at[w.node];
        struct way next = {0};
        int32_t start[2];
        flow_find_ready(x->f, n, x->t, x->t->ready);
        if (!find_start(x, &w, start))
            break;
        int32_t time = x->t->ready[(size_t)start[0] * (size_t)n->columns + (size_t)start[1]];
        step_back(x, w.node, start, time, &next.node, next.exit, w.entry);
        VEC_PUSH(&x->ways, w);
        w = next;
    }
    for (int a = 0; a < 2; a++) { /* the path starts with the copy, whichever it is */
        size_t size = (size_t)size_of(&x->f->nodes.at[w.node], a);
        w.entry[a] = ARENA_ARRAY(x->arena, bool, size);
        memset(w.entry[a], true, size * sizeof **w.entry);
    }
    VEC_PUSH(&x->ways, w);
}

struct flow_cut flow_cut_new(const struct flow *f, bool **allowed, const uint32_t *chosen,
                             struct flow_times *t, struct arena *a)
{
    const struct dup_problem *p = f->problem;
    struct tracer x = {.f = f, .t = t, .chosen = chosen, .arena = arena_new()};
    struct flow_cut cut = {.length = ARENA_ARRAY(a, double *, p->n_items)};
    double before = 0; /* the longest that the path can be up to here */
    trace(&x);
    for (size_t i = x.ways.n; i-- > 0;) {
        int32_t item = f->nodes.at[x.ways.at[i].node].item;
        const struct dup_item *it = &p->items[item];
        double longest = 0, *length = ARENA_ARRAY(a, double, it->n_choices);
        for (size_t k = 0; k < it->n_choices; k++) {
            bool broken;
            if (!allowed[item][k] && k != chosen[item])
                continue;
            length[k] = (double)way_length(f, &x.ways.at[i], &it->choices[k], &broken);
            length[k] -= broken ? before : 0;
            longest = length[k] > longest ? length[k] : longest;
        }
        before += longest;
        cut.length[item] = length;
    }
    VEC_FREE(&x.ways);
    arena_free(x.arena);
    return cut;
}
