/*
 * dup_flow.c - when every pixel is done, for one choice of copies.
 *
 * A set starts when its copy has finished the set before and all it reads is done, and takes the
 * time of one product a pixel; values derived from others are done with the last pixel they read.
 * Windows are separable: maxima over rows, then over columns. Work: O(pixels * window side); a
 * trial recomputes only what lies behind a change.
 */
#include "dup_flow.h"

#include "mvm_mapping.h"

#include <string.h>

struct flow_times *flow_times_new(const struct flow *f, struct arena *a)
{
    struct flow_times *t = ARENA_NEW(a, struct flow_times);
    t->done = ARENA_ARRAY(a, int32_t *, f->nodes.n);
    t->own = ARENA_ARRAY(a, int32_t *, f->nodes.n);
    t->end = ARENA_ARRAY(a, int32_t, f->nodes.n);
    for (size_t i = 0; i < f->nodes.n; i++) {
        const struct flow_node *n = &f->nodes.at[i];
        t->own[i] = ARENA_ARRAY(a, int32_t, (size_t)n->rows * (size_t)n->columns);
    }
    t->ready = ARENA_ARRAY(a, int32_t, f->most_pixels);
    t->line = ARENA_ARRAY(a, int32_t, f->most_pixels);
    return t;
}

/* out[o] = max of itself and what o reads of in[0 .. n_in), for a line of outputs. */
static void line_max(const struct axis_map *m, const int32_t *in, int32_t n_in, int32_t *out,
                     int32_t n_out)
{
    if (m->kind == MAP_ALL) {
        int32_t latest = 0;
        for (int32_t i = 0; i < n_in; i++)
            latest = max_i32(latest, in[i]);
        for (int32_t o = 0; o < n_out; o++)
            out[o] = max_i32(out[o], latest);
        return;
    }
    if (m->kind == MAP_TABLE || m->kind == MAP_ZERO) {
        for (int32_t o = 0; o < n_out; o++) {
            int32_t at = need_tap(m, o, 0);
            out[o] = max_i32(out[o], at < 0 ? 0 : in[at]);
        }
        return;
    }
    for (int64_t k = 0; k < m->kernel; k++) {
        int64_t at = k * m->dilation - m->pad;
        if (m->kind == MAP_OVERLAP) { /* each element goes to one output */
            for (int64_t i = 0, o = at; i < n_in; i++, o += m->stride)
                if (o >= 0 && o < n_out)
                    out[o] = max_i32(out[o], in[i]);
            continue;
        }
        if (m->stride == 1) {
            int64_t from = max_i64(0, -at), to = min_i64(n_out, n_in - at);
            for (int64_t o = from; o < to; o++)
                out[o] = max_i32(out[o], in[o + at]);
            continue;
        }
        for (int32_t o = 0; o < n_out; o++, at += m->stride)
            if (at >= 0 && at < n_in)
                out[o] = max_i32(out[o], in[at]);
    }
}

static void include_row(int32_t *out, const int32_t *in, int32_t n)
{
    for (int32_t x = 0; x < n; x++)
        out[x] = max_i32(out[x], in[x]);
}

/* Rows of the operand that output row o reads: calls include_row for each. */
static void include_rows(const struct axis_map *m, int32_t o, const int32_t *in, int32_t *out,
                         int32_t width)
{
    int32_t count = need_taps(m);
    for (int32_t k = 0; k < count; k++) {
        int32_t at = need_tap(m, o, k);
        if (at >= 0)
            include_row(out, in + (size_t)at * (size_t)width, width);
    }
}

/* What a row costs besides its pixels. */
enum { ROW_STEPS = 20 };

/* Of line_max. */
static int64_t operand_steps(const struct axis_map *m, const struct flow_node *n,
                             const struct flow_node *from)
{
    return m->kind == MAP_ALL ? from->columns + n->columns : (int64_t)need_taps(m) * n->columns;
}

void flow_find_ready(const struct flow *f, const struct flow_node *n, struct flow_times *t,
                     int32_t *ready)
{
    memset(ready, 0, (size_t)n->rows * (size_t)n->columns * sizeof *ready);
    for (uint32_t i = 0; i < n->n_operands; i++) {
        const struct flow_operand *o = &n->operand[i];
        const struct flow_node *from = &f->nodes.at[o->node];
        const int32_t *in = t->done[o->node];
        const struct axis_map *m = &o->axis[1];
        bool straight = m->kind == MAP_WINDOW && m->kernel == 1 && m->stride == 1 && m->pad == 0 &&
                        from->columns == n->columns;
        *f->work +=
            (int64_t)n->rows * (ROW_STEPS + (int64_t)need_taps(&o->axis[0]) * from->columns +
                                operand_steps(m, n, from));
        for (int32_t y = 0; y < n->rows; y++) {
            int32_t *out = ready + (size_t)y * (size_t)n->columns;
            int32_t *line = straight ? out : t->line;
            if (!straight)
                memset(line, 0, (size_t)from->columns * sizeof *line);
            include_rows(&o->axis[0], y, in, line, from->columns);
            if (!straight)
                line_max(m, line, from->columns, out, n->columns);
        }
    }
}

/* ---- one base layer ---- */

static int32_t step_to(int32_t from, int32_t step, int32_t end)
{
    int64_t next = step == 0 ? end : ((int64_t)from / step + 1) * step;
    return (int32_t)min_i64(next, end);
}

/* Sets of several pixels: all of a set is done together. */
static void scan_sets(const struct flow *f, const struct flow_part *p, const int32_t *ready,
                      int32_t free_at, int32_t *done)
{
    int32_t now = free_at, y1, x1;
    for (int32_t y = p->lo[0]; y < p->hi[0]; y = y1) {
        y1 = step_to(y, f->set_rows, p->hi[0]);
        for (int32_t x = p->lo[1]; x < p->hi[1]; x = x1) {
            x1 = step_to(x, f->set_columns, p->hi[1]);
            for (int32_t r = y; r < y1; r++)
                for (int32_t c = x; c < x1; c++)
                    now = max_i32(now, ready[(size_t)r * p->width + (size_t)c]);
            now += (y1 - y) * (x1 - x) * p->product;
            for (int32_t r = y; r < y1; r++)
                for (int32_t c = x; c < x1; c++)
                    done[(size_t)r * p->width + (size_t)c] = now;
        }
    }
}

static void scan_pixels(const struct flow_part *p, const int32_t *ready, int32_t free_at,
                        int32_t *done)
{
    int32_t now = free_at;
    for (int32_t y = p->lo[0]; y < p->hi[0]; y++) {
        const int32_t *in = ready + (size_t)y * p->width;
        int32_t *out = done + (size_t)y * p->width;
        for (int32_t x = p->lo[1]; x < p->hi[1]; x++)
            out[x] = now = max_i32(now, in[x]) + p->product;
    }
}

static void scan(const struct flow *f, const struct flow_part *p, const int32_t *ready,
                 int32_t free_at, int32_t *done)
{
    *f->work += (int64_t)(p->hi[0] - p->lo[0]) * (p->hi[1] - p->lo[1]);
    if (f->set_rows == 1 && f->set_columns == 1)
        scan_pixels(p, ready, free_at, done);
    else
        scan_sets(f, p, ready, free_at, done);
}

void flow_find_cut(const struct flow *f, const struct flow_node *n, int64_t copies,
                   int64_t out_cut[2])
{
    if (!dup_find_cut(f->cut, copies, n->rows, n->columns, out_cut))
        BUG("%lld copies have no cut", (long long)copies);
}

struct flow_part flow_part(const struct flow_node *n, const int64_t cut[2], int64_t i, int64_t j)
{
    const int64_t part[2] = {i, j}, size[2] = {n->rows, n->columns};
    struct flow_part p = {.width = (size_t)n->columns, .product = n->product};
    for (int a = 0; a < 2; a++) {
        p.lo[a] = (int32_t)ir_cut_start(part[a], cut[a], size[a]);
        p.hi[a] = (int32_t)ir_cut_start(part[a] + 1, cut[a], size[a]);
    }
    return p;
}

void flow_scan(const struct flow *f, const struct flow_node *n, int64_t copies,
               const int32_t *ready, int32_t *done)
{
    int64_t cut[2];
    flow_find_cut(f, n, copies, cut);
    for (int64_t i = 0; i < cut[0]; i++)
        for (int64_t j = 0; j < cut[1]; j++) {
            struct flow_part p = flow_part(n, cut, i, j);
            scan(f, &p, ready, 0, done);
        }
}

static int32_t last_of(const struct flow_part *p, const int32_t *done)
{
    return done[(size_t)(p->hi[0] - 1) * p->width + (size_t)p->hi[1] - 1];
}

/* Returns when the layer's last pixel is done. */
static int32_t run_layer(const struct flow *f, uint32_t node, int64_t copies, struct flow_times *t,
                         int32_t start)
{
    const struct flow_node *n = &f->nodes.at[node];
    int64_t cut[2];
    int32_t end = 0;
    flow_find_cut(f, n, copies, cut);
    for (int64_t i = 0; i < cut[0]; i++)
        for (int64_t j = 0; j < cut[1]; j++) {
            struct flow_part p = flow_part(n, cut, i, j);
            int32_t free_at = start;
            if (n->before != FLOW_NONE) {
                struct flow_part q = flow_part(&f->nodes.at[n->before], cut, i, j);
                free_at = max_i32(free_at, last_of(&q, t->done[n->before]));
            }
            scan(f, &p, t->ready, free_at, t->own[node]);
            end = max_i32(end, last_of(&p, t->own[node]));
        }
    return end;
}

/* ---- all of them ---- */

static void run_node(const struct flow *f, uint32_t i, const int64_t *copies, int32_t start,
                     struct flow_times *t)
{
    const struct flow_node *n = &f->nodes.at[i];
    if (n->item == FLOW_NONE) {
        flow_find_ready(f, n, t, t->own[i]);
    } else {
        flow_find_ready(f, n, t, t->ready);
        t->end[i] = run_layer(f, i, copies[n->item], t, f->one_by_one ? start : 0);
    }
    t->done[i] = t->own[i];
}

void flow_run(const struct flow *f, const int64_t *copies, struct flow_times *out)
{
    out->makespan = 0;
    for (uint32_t i = 0; i < f->nodes.n; i++) {
        run_node(f, i, copies, out->makespan, out);
        out->makespan = max_i32(out->makespan, out->end[i]);
    }
}

static bool may_differ(const struct flow *f, uint32_t i, const int64_t *copies,
                       const struct flow_times *base, const int64_t *base_copies,
                       const struct flow_times *t)
{
    const struct flow_node *n = &f->nodes.at[i];
    if (n->item != FLOW_NONE &&
        (f->one_by_one || copies[n->item] != base_copies[n->item] ||
         (n->before != FLOW_NONE && t->done[n->before] != base->done[n->before])))
        return true;
    for (uint32_t k = 0; k < n->n_operands; k++)
        if (t->done[n->operand[k].node] != base->done[n->operand[k].node])
            return true;
    return false;
}

int32_t flow_try(const struct flow *f, const int64_t *copies, const struct flow_times *base,
                 const int64_t *base_copies, int32_t limit, struct flow_times *out)
{
    out->makespan = 0;
    for (uint32_t i = 0; i < f->nodes.n && out->makespan < limit; i++) {
        const struct flow_node *n = &f->nodes.at[i];
        out->end[i] = base->end[i];
        out->done[i] = base->done[i];
        if (may_differ(f, i, copies, base, base_copies, out)) {
            run_node(f, i, copies, out->makespan, out);
            size_t bytes = (size_t)n->rows * (size_t)n->columns * sizeof **out->done;
            if (memcmp(out->done[i], base->done[i], bytes) == 0)
                out->done[i] = base->done[i];
        }
        out->makespan = max_i32(out->makespan, out->end[i]);
    }
    return out->makespan;
}
