/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_fill.c - what no choice can beat: bottleneck and pipeline fill.
 *
 * In: the flow model, the items' choices, a limit. Out: the choices that can be among some with a
 * makespan within the limit; none for some item: there are no such.
 *
 * Forward, a pixel is done no sooner than with the best allowed choice of its layer, all earlier
 * layers likewise; backward, what follows a pixel takes no less than with the best allowed choices.
 * One whose path through its layer is then too long goes; so does one that does not fit beside the
 * fewest PEs of all others; until nothing changes. All in integers: what goes is proven useless.
 *
 * Where there are many choices, most are gone before their pixels are looked at: no pixel takes
 * less than one product, and the largest copy of a layer works from its first product to its last.
 */
#include "dup_flow.h"

#include <stdlib.h>
#include <string.h>

/* A pixel and choice's, forward and backward, windows included: a guess from above. */
enum { STEPS_A_ROUND = 6 };

struct refuter {
    const struct flow *f;
    struct flow_times *t; /* done: no sooner than */
    int32_t **left;       /* by node and pixel: no less time from done to the end of it all */
    bool **allowed;       /* by item and choice */
    int32_t limit;        /* makespans above it are too long */
    int64_t max_work;     /* of *f->work: no round may begin that would go beyond it */
    int32_t longest;      /* of the layers' shortest paths */
    int32_t *ready, *with, *least; /* scratch: a layer's pixels */
};

static size_t n_pixels(const struct flow_node *n)
{
    return (size_t)n->rows * (size_t)n->columns;
}

/* Of one product with any allowed choice. */
static int32_t least_product(const struct refuter *r, const struct flow_node *n)
{
    const struct dup_item *it = &r->f->problem->items[n->item];
    int64_t least = INT64_MAX;
    for (size_t k = 0; k < it->n_choices; k++)
        if (r->allowed[n->item][k])
            least = min_i64(least, it->choices[k].product);
    return (int32_t)((uint64_t)least / r->f->unit_cycles);
}

/* ---- forward ---- */

static void take_least(int32_t *least, const int32_t *with, size_t n, bool first)
{
    if (first)
        memcpy(least, with, n * sizeof *least);
    for (size_t i = 0; i < n && !first; i++)
        least[i] = min_i32(least[i], with[i]);
}

static void forward(struct refuter *r)
{
    for (uint32_t i = 0; i < r->f->nodes.n; i++) {
        const struct flow_node *n = &r->f->nodes.at[i];
        r->t->done[i] = r->t->own[i];
        if (n->item == FLOW_NONE) {
            flow_find_ready(r->f, n, r->t, r->t->own[i]);
            continue;
        }
        const struct dup_item *it = &r->f->problem->items[n->item];
        bool first = true;
        flow_find_ready(r->f, n, r->t, r->ready);
        for (size_t k = 0; k < it->n_choices; k++) {
            if (!r->allowed[n->item][k])
                continue;
            flow_scan(r->f, n, &it->choices[k], r->ready, r->with);
            *r->f->work += (int64_t)n_pixels(n);
            take_least(r->t->own[i], r->with, n_pixels(n), first);
            first = false;
        }
    }
}

/* As if each pixel had a PE of its own. */
static void forward_quickly(struct refuter *r)
{
    for (uint32_t i = 0; i < r->f->nodes.n; i++) {
        const struct flow_node *n = &r->f->nodes.at[i];
        int32_t product = n->item == FLOW_NONE ? 0 : least_product(r, n);
        r->t->done[i] = r->t->own[i];
        flow_find_ready(r->f, n, r->t, r->t->own[i]);
        for (size_t p = 0; p < n_pixels(n); p++)
            r->t->own[i][p] += product;
    }
}

/* ---- backward ---- */

/* out[x] = max over the outputs that read x. */
static void line_spread(const struct axis_map *m, const int32_t *in, int32_t n_in, int32_t *out,
                        int32_t n_out)
{
    memset(out, 0, (size_t)n_out * sizeof *out);
    for (int32_t o = 0; o < n_in; o++) {
        struct need_taps taps = need_taps_of(m, o);
        for (int32_t k = taps.from; k < taps.to; k++) {
            int32_t at = need_tap(m, o, k);
            if (at >= 0)
                out[at] = max_i32(out[at], in[o]);
        }
    }
}

/* What reads the operands cannot end sooner than `needs` after they are done. */
static void spread(struct refuter *r, const struct flow_node *n, const int32_t *needs)
{
    int32_t *line = r->t->line;
    for (uint32_t i = 0; i < n->n_operands; i++) {
        const struct flow_operand *o = &n->operand[i];
        const struct flow_node *from = &r->f->nodes.at[o->node];
        const struct axis_map *m = &o->axis[0];
        *r->f->work += (int64_t)n->rows * (need_taps(&o->axis[1]) * (int64_t)n->columns +
                                           (need_taps(m) + 1) * (int64_t)from->columns);
        for (int32_t y = 0; y < n->rows; y++) {
            struct need_taps taps = need_taps_of(m, y);
            line_spread(&o->axis[1], needs + (size_t)y * (size_t)n->columns, n->columns, line,
                        from->columns);
            for (int32_t k = taps.from; k < taps.to; k++) {
                int32_t at = need_tap(m, y, k);
                int32_t *out = r->left[o->node] + (size_t)max_i32(at, 0) * (size_t)from->columns;
                for (int32_t x = 0; at >= 0 && x < from->columns; x++)
                    out[x] = max_i32(out[x], line[x]);
            }
        }
    }
}

static int32_t step_back(int32_t from, int32_t start, int32_t step)
{
    return step == 0 ? start : max_i32((from - 1) / step * step, start);
}

/* Last set first: a set's products are followed by what reads them, and by the copy's next set. */
static void scan_back(const struct flow *f, const struct flow_layout *l, const struct flow_part *p,
                      const int32_t *left, int32_t *needs)
{
    size_t width = (size_t)l->size[1];
    int32_t after = 0, y0, x0;
    for (int32_t y = p->hi[0]; y > p->lo[0]; y = y0) {
        y0 = step_back(y, p->lo[0], f->set_rows);
        for (int32_t x = p->hi[1]; x > p->lo[1]; x = x0) {
            x0 = step_back(x, p->lo[1], f->set_columns);
            for (int32_t row = y0; row < y; row++)
                for (int32_t c = x0; c < x; c++)
                    after = max_i32(after, left[(size_t)row * width + (size_t)c]);
            after += (y - y0) * (x - x0) * l->product;
            for (int32_t row = y0; row < y; row++)
                for (int32_t c = x0; c < x; c++)
                    needs[(size_t)row * width + (size_t)c] = after;
        }
    }
}

/* `with` = needs of a layer with that choice: from all read is done, to the end. */
static void needs_with(struct refuter *r, const struct flow_node *n, const struct dup_choice *c,
                       const int32_t *left)
{
    struct flow_layout l = flow_layout(r->f, n, c);
    const int32_t *in = flow_to_products(r->f, &l, left, r->f->scratch[0]);
    int32_t *out = in == left ? r->with : r->f->scratch[1];
    for (int64_t i = 0; i < l.cut[0]; i++)
        for (int64_t j = 0; j < l.cut[1]; j++) {
            struct flow_part part = flow_part(&l, i, j);
            scan_back(r->f, &l, &part, in, out);
        }
    flow_to_pixels(r->f, &l, out, r->with);
}

static int32_t longest_path(const struct refuter *r, size_t n)
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = max_i32(most, r->ready[i] + r->with[i]);
    return most;
}

/* Drops choices whose path through this layer is too long. *out_dropped: some were. */
static bool filter_layer(struct refuter *r, uint32_t node, bool *out_dropped)
{
    const struct flow_node *n = &r->f->nodes.at[node];
    const struct dup_item *it = &r->f->problem->items[n->item];
    int32_t shortest = INT32_MAX;
    bool first = true;
    flow_find_ready(r->f, n, r->t, r->ready);
    for (size_t k = 0; k < it->n_choices; k++) {
        if (!r->allowed[n->item][k])
            continue;
        *r->f->work += 3 * (int64_t)n_pixels(n);
        needs_with(r, n, &it->choices[k], r->left[node]);
        int32_t path = longest_path(r, n_pixels(n));
        if (path > r->limit) {
            r->allowed[n->item][k] = false;
            *out_dropped = true;
            continue;
        }
        take_least(r->least, r->with, n_pixels(n), first);
        shortest = min_i32(shortest, path);
        first = false;
    }
    if (first)
        return false;
    r->longest = max_i32(r->longest, shortest);
    spread(r, n, r->least);
    return true;
}

/* The latest of a product's pixels. */
static int32_t latest_of(const struct flow_layout *l, int32_t y, int32_t x, const int32_t *pixels)
{
    int32_t to_y = min_i32((y + 1) * l->patch[0], l->pixels[0]);
    int32_t to_x = min_i32((x + 1) * l->patch[1], l->pixels[1]), latest = 0;
    for (int32_t row = y * l->patch[0]; row < to_y; row++)
        for (int32_t c = x * l->patch[1]; c < to_x; c++)
            latest = max_i32(latest, pixels[(size_t)row * (size_t)l->pixels[1] + (size_t)c]);
    return latest;
}

/* At least: of copy (0, 0), the largest, from when it can start to the end of what reads it last.
 */
static int32_t quick_path(const struct refuter *r, uint32_t node, const struct dup_choice *c)
{
    struct flow_layout l = flow_layout(r->f, &r->f->nodes.at[node], c);
    struct flow_part p = flow_part(&l, 0, 0);
    *r->f->work += 2 * (int64_t)l.patch[0] * l.patch[1];
    return latest_of(&l, 0, 0, r->ready) + p.hi[0] * p.hi[1] * l.product +
           latest_of(&l, p.hi[0] - 1, p.hi[1] - 1, r->left[node]);
}

static bool filter_quickly(struct refuter *r, uint32_t node, bool *out_dropped)
{
    const struct flow_node *n = &r->f->nodes.at[node];
    const struct dup_item *it = &r->f->problem->items[n->item];
    int32_t shortest = INT32_MAX;
    flow_find_ready(r->f, n, r->t, r->ready);
    for (size_t k = 0; k < it->n_choices; k++) {
        if (!r->allowed[n->item][k])
            continue;
        int32_t path = quick_path(r, node, &it->choices[k]);
        shortest = min_i32(shortest, path);
        r->allowed[n->item][k] = path <= r->limit;
        *out_dropped = *out_dropped || path > r->limit;
    }
    if (shortest > r->limit)
        return false;
    r->longest = max_i32(r->longest, shortest);
    int32_t product = least_product(r, n);
    for (size_t p = 0; p < n_pixels(n); p++)
        r->least[p] = r->left[node][p] + product;
    spread(r, n, r->least);
    return true;
}

/* False: some layer has nothing left. */
static bool backward(struct refuter *r, bool (*filter_node)(struct refuter *, uint32_t, bool *),
                     bool *out_dropped)
{
    for (uint32_t i = 0; i < r->f->nodes.n; i++)
        memset(r->left[i], 0, n_pixels(&r->f->nodes.at[i]) * sizeof **r->left);
    for (size_t i = r->f->nodes.n; i-- > 0;) {
        const struct flow_node *n = &r->f->nodes.at[i];
        if (n->item == FLOW_NONE)
            spread(r, n, r->left[i]);
        else if (!filter_node(r, (uint32_t)i, out_dropped))
            return false;
    }
    return true;
}

/* ---- the PEs ---- */

/* Of what is allowed for the item, at least one: the fewest PEs; the choices stand by them. */
static int64_t fewest(const struct refuter *r, size_t item)
{
    size_t k = 0;
    while (!r->allowed[item][k])
        k++;
    return r->f->problem->items[item].choices[k].pes;
}

/* False: the fewest PEs of all items do not fit. */
static bool filter_pes(struct refuter *r, bool *out_dropped)
{
    const struct dup_problem *p = r->f->problem;
    int64_t spare = p->pes;
    for (size_t i = 0; i < p->n_items; i++)
        spare -= fewest(r, i);
    if (spare < 0)
        return false;
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_item *it = &p->items[i];
        int64_t least = fewest(r, i);
        for (size_t k = 0; k < it->n_choices; k++)
            if (r->allowed[i][k] && it->choices[k].pes - least > spare) {
                r->allowed[i][k] = false;
                *out_dropped = true;
            }
    }
    return true;
}

static void prepare(struct refuter *r, struct arena *a)
{
    r->t = flow_times_new(r->f, a);
    r->left = ARENA_ARRAY(a, int32_t *, r->f->nodes.n);
    for (uint32_t i = 0; i < r->f->nodes.n; i++)
        r->left[i] = ARENA_ARRAY(a, int32_t, n_pixels(&r->f->nodes.at[i]));
    r->ready = ARENA_ARRAY(a, int32_t, r->f->most_pixels);
    r->with = ARENA_ARRAY(a, int32_t, r->f->most_pixels);
    r->least = ARENA_ARRAY(a, int32_t, r->f->most_pixels);
}

/* Another round over all pixels and the choices still allowed? */
static bool has_work_left(const struct refuter *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->f->nodes.n; i++) {
        const struct flow_node *n = &r->f->nodes.at[i];
        size_t open = 1;
        for (size_t k = 0; n->item != FLOW_NONE && k < r->f->problem->items[n->item].n_choices; k++)
            open += r->allowed[n->item][k];
        sum += (double)n_pixels(n) * (double)open * STEPS_A_ROUND;
    }
    return (double)*r->f->work + sum <= (double)r->max_work;
}

/* False: refuted. Else r->longest is a bound, if a round was possible. */
static bool reduce(struct refuter *r, int32_t limit)
{
    r->limit = limit;
    r->longest = 0;
    for (bool dropped = true; dropped && *r->f->work < r->max_work;) {
        dropped = false;
        r->longest = 0;
        if (!filter_pes(r, &dropped))
            return false;
        forward_quickly(r);
        if (!backward(r, filter_quickly, &dropped))
            return false;
    }
    return true;
}

static bool filter(struct refuter *r, int32_t limit)
{
    bool dropped = true;
    r->limit = limit;
    r->longest = 0;
    while (dropped && has_work_left(r)) {
        dropped = false;
        r->longest = 0;
        if (!filter_pes(r, &dropped))
            return false;
        forward(r);
        if (!backward(r, filter_layer, &dropped))
            return false;
    }
    return true;
}

bool **flow_allowed_new(const struct dup_problem *p, struct arena *a)
{
    bool **allowed = ARENA_ARRAY(a, bool *, p->n_items);
    for (size_t i = 0; i < p->n_items; i++) {
        allowed[i] = ARENA_ARRAY(a, bool, p->items[i].n_choices);
        memset(allowed[i], true, p->items[i].n_choices * sizeof **allowed);
    }
    return allowed;
}

bool flow_filter(const struct flow *f, int32_t limit, int64_t max_work, bool **allowed,
                 int32_t *out_longest)
{
    struct arena *a = arena_new();
    struct refuter r = {.f = f, .allowed = allowed, .max_work = max_work};
    prepare(&r, a);
    bool ok = filter(&r, limit);
    *out_longest = r.longest;
    arena_free(a);
    return ok;
}

static void copy_allowed(const struct dup_problem *p, bool **from, bool **to)
{
    for (size_t i = 0; i < p->n_items; i++)
        memcpy(to[i], from[i], p->items[i].n_choices * sizeof **to);
}

int32_t flow_fill_bound(const struct flow *f, int32_t known, int64_t max_work)
{
    struct arena *a = arena_new();
    struct refuter r = {.f = f, .max_work = max_work, .allowed = flow_allowed_new(f->problem, a)};
    bool **open = flow_allowed_new(f->problem, a); /* with a makespan of at most `high` */
    prepare(&r, a);
    int32_t low = 0, high = known; /* low <= every makespan; high is not refuted */
    if (reduce(&r, known)) {
        low = min_i32(r.longest, known);
        if (filter(&r, known))
            low = max_i32(low, min_i32(r.longest, known));
    }
    if (low == 0) /* no work was left for either */
        high = 0;
    copy_allowed(f->problem, r.allowed, open);
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        copy_allowed(f->problem, open, r.allowed);
        if (reduce(&r, middle) && filter(&r, middle)) {
            high = middle;
            copy_allowed(f->problem, r.allowed, open);
        } else {
            low = middle + 1;
        }
    }
    arena_free(a);
    return low;
}
