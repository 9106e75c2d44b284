/*
 * exec_vector.c - the vector unit: lane programs, windows, reductions, gathers. ISA.md section 6.
 *
 * In: regions of views. Out: a region of the destination view. Works on chunks of SIM_CHUNK floats:
 * some pixels with all their channels, or some channels of one pixel. Each lane operation is a
 * plain loop that the compiler vectorises; products and sums are rounded apart (no contraction).
 */
#include "sim_view.h"

#include <math.h>
#include <string.h>

static bool write_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k,
                        const float *values)
{
    return view_write(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k), values, k->nc);
}

/* Calls `body` for all chunks of h x w x channels, channels outermost. */
static bool for_chunks(struct sim *s, const struct isa_inst *inst,
                       bool (*body)(struct sim *, const struct isa_inst *, const struct chunk *))
{
    uint32_t channels = view_of(s, s->at_tile, inst->dst.view)->channels;
    uint32_t pixels = chunk_pixels(channels), step = chunk_channels(channels);
    for (uint32_t c = 0; c < channels; c += step)
        for (uint32_t y = 0; y < inst->h; y++)
            for (uint32_t x = 0; x < inst->w; x += pixels) {
                struct chunk k = {.y = y, .x = x, .c0 = c};
                k.n = pixels < inst->w - x ? pixels : inst->w - x;
                k.nc = step < channels - c ? step : channels - c;
                if (!body(s, inst, &k))
                    return false;
            }
    return true;
}

/* ---- VMAP ---- */

static uint8_t operand_slot(struct lane_plan *plan, unsigned code, unsigned op)
{
    if (code < LANE_A)
        return (uint8_t)code;
    if (code == LANE_A || code == LANE_B)
        return code == LANE_A ? SLOT_A : SLOT_B;
    if (code < LANE_CONST0)
        return (uint8_t)(SLOT_IMM + op);
    uint32_t i = 0;
    while (i < plan->n_constants && plan->constants[i] != code - LANE_CONST0)
        i++;
    if (i == plan->n_constants)
        plan->constants[plan->n_constants++] = (uint8_t)(code - LANE_CONST0);
    return (uint8_t)(SLOT_CONST + i);
}

void lane_plan_make(const struct isa_program_entry *program, struct lane_plan *plan)
{
    for (unsigned i = 0; i < program->n_ops; i++) {
        plan->x[i] = operand_slot(plan, program->ops[i].x, i);
        plan->y[i] = plan->x[i];
        if (isa_lane_arity(program->ops[i].op) == 2)
            plan->y[i] = operand_slot(plan, program->ops[i].y, i);
    }
}

#define LANES(expression)                                                                          \
    for (uint32_t i = 0; i < n; i++)                                                               \
        z[i] = (expression);                                                                       \
    break

static void run_lane(unsigned op, float *restrict z, const float *x, const float *y, uint32_t n)
{
    switch (op) {
    case LANE_MOV: LANES(x[i]);
    case LANE_ADD: LANES(x[i] + y[i]);
    case LANE_SUB: LANES(x[i] - y[i]);
    case LANE_MUL: LANES(x[i] * y[i]);
    case LANE_DIV: LANES(x[i] / y[i]);
    case LANE_MIN: LANES(((x[i] < y[i]) | (x[i] != x[i])) ? x[i] : y[i]);
    case LANE_MAX: LANES(((x[i] > y[i]) | (x[i] != x[i])) ? x[i] : y[i]);
    case LANE_LEAKY: LANES(x[i] >= 0 ? x[i] : x[i] * y[i]);
    case LANE_EXP: LANES(expf(x[i]));
    case LANE_SQRT: LANES(sqrtf(x[i]));
    case LANE_SIGMOID: LANES(1.0f / (1.0f + expf(-x[i])));
    case LANE_TANH: LANES(tanhf(x[i]));
    case LANE_NEG: LANES(-x[i]);
    case LANE_ABS: LANES(fabsf(x[i]));
    case LANE_LOG: LANES(logf(x[i]));
    default: BUG("lane operation %u", op);
    }
}

/* Immediates and constants for a chunk: `n` pixels of `nc` channels each, or less of the same. */
static bool fill_constants(struct sim *s, const struct isa_program_entry *program,
                           const struct lane_plan *plan, const struct chunk *k)
{
    for (unsigned i = 0; i < program->n_ops; i++)
        if (plan->x[i] == SLOT_IMM + i || plan->y[i] == SLOT_IMM + i)
            for (uint32_t j = 0; j < k->n * k->nc; j++)
                s->slot[SLOT_IMM + i][j] = isa_lane_f32(&program->ops[i]);
    for (uint32_t i = 0; i < plan->n_constants; i++) {
        float *out = s->slot[SLOT_CONST + i];
        struct run r = {.y = plan->constants[i], .step = 1, .n = 1, .c0 = k->c0, .nc = k->nc};
        if (!view_read(s, s->at_tile, program->constants_view, r, out, k->nc))
            return false;
        for (uint32_t j = 1; j < k->n; j++)
            memcpy(out + j * k->nc, out, k->nc * sizeof *out);
    }
    return true;
}

/* The operand's elements: where they lie, or copied into its slot; NULL after a fault. */
static const float *operand(struct sim *s, const struct isa_region *r, unsigned slot,
                            const struct chunk *k)
{
    const float *direct = view_direct(s, s->at_tile, r->view, chunk_run(r, k));
    if (direct)
        return direct;
    bool good = view_read(s, s->at_tile, r->view, chunk_run(r, k), s->slot[slot], k->nc);
    return good ? s->slot[slot] : NULL;
}

/* Where the last operation may put its values: into place, unless that is where it reads. */
static float *map_target(struct sim *s, const struct isa_inst *inst, const struct chunk *k,
                         const float *a, const float *b)
{
    float *direct = view_direct(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k));
    const struct sim_view *views = s->tiles[s->at_tile].views;
    bool apart =
        (a == s->slot[SLOT_A] || views[inst->a.view].store != views[inst->dst.view].store) &&
        (b == a || b == s->slot[SLOT_B] ||
         views[inst->b.view].store != views[inst->dst.view].store);
    return direct && apart ? direct : NULL;
}

static bool map_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_program_entry *program = &s->p->tiles[s->at_tile].programs[inst->obj];
    const struct lane_plan *plan = &s->tiles[s->at_tile].lanes[inst->obj];
    /* The first chunk of a channel range is the longest: its constants serve the others. */
    if (k->y == 0 && k->x == 0 && !fill_constants(s, program, plan, k))
        return false;
    const float *a = operand(s, &inst->a, SLOT_A, k);
    const float *b = program->arity == 2 ? operand(s, &inst->b, SLOT_B, k) : a;
    if (!a || !b)
        return false;
    float *target = map_target(s, inst, k, a, b);
    unsigned last = program->n_ops - 1;
    for (unsigned i = 0; i <= last; i++) {
        const float *x = s->slot[plan->x[i]], *y = s->slot[plan->y[i]];
        x = plan->x[i] == SLOT_A ? a : plan->x[i] == SLOT_B ? b : x;
        y = plan->y[i] == SLOT_A ? a : plan->y[i] == SLOT_B ? b : y;
        float *z = i == last && target ? target : s->slot[i];
        run_lane(program->ops[i].op, z, x, y, k->n * k->nc);
    }
    return target || write_chunk(s, inst, k, s->slot[last]);
}

bool exec_vmap(struct sim *s, const struct isa_inst *inst)
{
    return for_chunks(s, inst, map_chunk);
}

/* ---- VWIN ---- */

static void take_max(float *restrict r, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        r[i] = ((x[i] > r[i]) | (x[i] != x[i])) ? x[i] : r[i];
}

static void take_sum(float *restrict r, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        r[i] = r[i] + x[i];
}

/* Coordinates of a counted cell lie in [lo, hi). */
struct limits {
    int64_t lo, hi;
};

static struct limits counted(const struct isa_window *w, const struct isa_view *v, unsigned axis)
{
    if (w->kind != WINDOW_AVERAGE)
        return (struct limits){INT64_MIN, INT64_MAX};
    uint32_t extent = axis == 0 ? v->height : v->width;
    return (struct limits){-(int64_t)w->counted[axis], (int64_t)extent + w->counted[axis + 2]};
}

/* Pixels [*first, *end) of the run whose column counts. */
static void counted_pixels(struct run r, struct limits l, uint32_t *first, uint32_t *end)
{
    *first = 0;
    *end = r.n;
    while (*first < r.n && r.x + (int64_t)*first * r.step < l.lo)
        ++*first;
    while (*end > *first && r.x + (int64_t)(*end - 1) * r.step >= l.hi)
        --*end;
}

static uint32_t cells_in(int64_t at, uint32_t kernel, uint32_t dilation, struct limits l)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < kernel; k++, at += dilation)
        n += at >= l.lo && at < l.hi;
    return n;
}

/* Divides each pixel's sum by the number of its counted cells. */
static void divide(const struct isa_window *w, const struct isa_view *v, struct run r, float *sums)
{
    uint32_t rows = cells_in(r.y, w->kernel[0], w->dilation[0], counted(w, v, 0));
    for (uint32_t i = 0; i < r.n; i++, sums += r.nc) {
        uint32_t columns =
            cells_in(r.x + (int64_t)i * r.step, w->kernel[1], w->dilation[1], counted(w, v, 1));
        float count = (float)(rows * columns);
        for (uint32_t c = 0; c < r.nc; c++)
            sums[c] = sums[c] / count;
    }
}

/* Takes one cell of each pixel's window into the results. */
static bool window_cell(struct sim *s, const struct isa_inst *inst, struct run cell, float *results)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    const struct isa_view *v = view_of(s, s->at_tile, inst->a.view);
    struct limits rows = counted(w, v, 0);
    uint32_t first, end;
    counted_pixels(cell, counted(w, v, 1), &first, &end);
    if (cell.y < rows.lo || cell.y >= rows.hi || first == end)
        return true;
    const float *x = view_direct(s, s->at_tile, inst->a.view, cell);
    if (!x) {
        if (!view_read(s, s->at_tile, inst->a.view, cell, s->slot[SLOT_A], cell.nc))
            return false;
        x = s->slot[SLOT_A];
    }
    (w->kind == WINDOW_MAX ? take_max : take_sum)(results + first * cell.nc, x + first * cell.nc,
                                                  (end - first) * cell.nc);
    return true;
}

struct overlap_row overlap_row(const struct isa_window *w, const struct isa_view *a, uint32_t tap,
                               int64_t y, int64_t x, uint32_t n)
{
    int64_t sh = w->stride[0], sw = w->stride[1];
    int64_t up = y + w->pad_top - (int64_t)(tap / w->kernel[1]) * w->dilation[0];
    int64_t left = x + w->pad_left - (int64_t)(tap % w->kernel[1]) * w->dilation[1];
    struct overlap_row r = {0};
    if (up < 0 || up % sh != 0 || up / sh >= a->height)
        return r;
    int64_t first = left < 0 ? -left : (sw - left % sw) % sw; /* to the next multiple, from 0 on */
    if (first >= n || (left + first) / sw >= a->width)
        return r;
    r.y = up / sh;
    r.x = (left + first) / sw;
    r.first = (uint32_t)first;
    r.n = (uint32_t)min_i64((n - 1 - first) / sw + 1, a->width - r.x);
    return r;
}

/* Adds one tap to the pixels of the chunk that meet it: every stride-th, from neighbouring pixels
 * of a. */
static bool overlap_tap(struct sim *s, const struct isa_inst *inst, const struct chunk *k,
                        uint32_t tap, float *results)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    struct run at = chunk_run(&inst->dst, k);
    struct overlap_row row =
        overlap_row(w, view_of(s, s->at_tile, inst->a.view), tap, at.y, at.x, k->n);
    if (row.n == 0)
        return true;
    uint32_t channels = view_of(s, s->at_tile, inst->dst.view)->channels;
    struct run cell = {.y = row.y, .x = row.x, .step = 1, .n = row.n, .nc = k->nc};
    cell.c0 = tap * channels + k->c0;
    const float *x = view_direct(s, s->at_tile, inst->a.view, cell);
    if (!x) {
        if (!view_read(s, s->at_tile, inst->a.view, cell, s->slot[SLOT_A], k->nc))
            return false;
        x = s->slot[SLOT_A];
    }
    for (uint32_t i = 0; i < row.n; i++)
        take_sum(results + (size_t)(row.first + i * w->stride[1]) * k->nc, x + (size_t)i * k->nc,
                 k->nc);
    return true;
}

static bool overlap_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    float *results = s->slot[0];
    for (uint32_t i = 0; i < k->n * k->nc; i++)
        results[i] = 0.0f;
    for (uint32_t tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++)
        if (!overlap_tap(s, inst, k, tap, results))
            return false;
    return write_chunk(s, inst, k, results);
}

static bool window_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    float *results = s->slot[0];
    struct run corner = chunk_run(&inst->dst, k);
    corner.y = corner.y * w->stride[0] - w->pad_top;
    corner.x = corner.x * w->stride[1] - w->pad_left;
    corner.step = w->stride[1];
    for (uint32_t i = 0; i < k->n * k->nc; i++)
        results[i] = w->kind == WINDOW_MAX ? -INFINITY : 0.0f;
    for (uint32_t kh = 0; kh < w->kernel[0]; kh++)
        for (uint32_t kw = 0; kw < w->kernel[1]; kw++) {
            struct run cell = corner;
            cell.y += (int64_t)kh * w->dilation[0];
            cell.x += (int64_t)kw * w->dilation[1];
            if (!window_cell(s, inst, cell, results))
                return false;
        }
    if (w->kind == WINDOW_AVERAGE)
        divide(w, view_of(s, s->at_tile, inst->a.view), corner, results);
    return write_chunk(s, inst, k, results);
}

bool exec_vwin(struct sim *s, const struct isa_inst *inst)
{
    bool overlap = s->p->tiles[s->at_tile].windows[inst->obj].kind == WINDOW_OVERLAP;
    return for_chunks(s, inst, overlap ? overlap_chunk : window_chunk);
}

/* ---- VRED ---- */

/* Extents of the result. */
struct reduction {
    uint32_t flags, h, w, c;
    float *results;
};

/* Takes a chunk of a's region, in order, into the results. */
static void reduce_chunk(const struct reduction *r, const struct chunk *k, const float *x)
{
    size_t y = r->flags & VRED_H ? 0 : k->y;
    for (uint32_t i = 0; i < k->n; i++, x += k->nc) {
        size_t column = r->flags & VRED_W ? 0 : k->x + i;
        float *out = r->results + (y * r->w + column) * r->c;
        if (!(r->flags & VRED_C)) {
            (r->flags & VRED_SUM ? take_sum : take_max)(out + k->c0, x, k->nc);
            continue;
        }
        for (uint32_t c = 0; c < k->nc; c++)
            (r->flags & VRED_SUM ? take_sum : take_max)(out, x + c, 1);
    }
}

static bool reduce_region(struct sim *s, const struct isa_inst *inst, const struct reduction *r)
{
    uint32_t channels = view_of(s, s->at_tile, inst->a.view)->channels;
    uint32_t pixels = chunk_pixels(channels), step = chunk_channels(channels);
    for (uint32_t y = 0; y < inst->h; y++)
        for (uint32_t x = 0; x < inst->w; x += pixels)
            for (uint32_t c = 0; c < channels; c += step) {
                struct chunk k = {.y = y, .x = x, .c0 = c};
                k.n = pixels < inst->w - x ? pixels : inst->w - x;
                k.nc = step < channels - c ? step : channels - c;
                const float *values = operand(s, &inst->a, SLOT_A, &k);
                if (!values)
                    return false;
                reduce_chunk(r, &k, values);
            }
    return true;
}

bool exec_vred(struct sim *s, const struct isa_inst *inst)
{
    uint32_t channels = view_of(s, s->at_tile, inst->a.view)->channels;
    struct reduction r = {.flags = inst->flags,
                          .h = inst->flags & VRED_H ? 1 : inst->h,
                          .w = inst->flags & VRED_W ? 1 : inst->w,
                          .c = inst->flags & VRED_C ? 1 : channels};
    size_t n = (size_t)r.h * r.w * r.c;
    r.results = sim_scratch(s, n);
    for (size_t i = 0; i < n; i++)
        r.results[i] = r.flags & VRED_SUM ? 0.0f : -INFINITY;
    if (!reduce_region(s, inst, &r))
        return false;
    for (uint32_t y = 0; y < r.h; y++) {
        struct chunk row = {.y = y, .n = r.w, .nc = r.c};
        if (!write_chunk(s, inst, &row, r.results + (size_t)y * r.w * r.c))
            return false;
    }
    return true;
}

/* ---- VGAT ---- */

static int64_t index_of(const int32_t *list, uint32_t n, int64_t at)
{
    return n == 0 ? at : list[at];
}

/* Channels of one pixel; the source pixel is (y, x), or nothing where one of them is -1. */
static bool gather_pixel(struct sim *s, const struct isa_inst *inst, struct run from, float *out)
{
    const struct isa_gather *g = &s->p->tiles[s->at_tile].gathers[inst->obj];
    uint32_t c0 = from.c0, nc = from.nc;
    if (from.y == -1 || from.x == -1) {
        for (uint32_t c = 0; c < nc; c++)
            out[c] = isa_f32_of(g->fill);
        return true;
    }
    if (g->n_channels == 0)
        return view_read(s, s->at_tile, inst->a.view, from, out, nc);
    from.nc = 1;
    for (uint32_t c = 0; c < nc; c++) {
        int32_t channel = g->channels[c0 + c];
        from.c0 = (uint32_t)channel;
        out[c] = isa_f32_of(g->fill);
        if (channel != -1 && !view_read(s, s->at_tile, inst->a.view, from, out + c, 1))
            return false;
    }
    return true;
}

static bool gather_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_gather *g = &s->p->tiles[s->at_tile].gathers[inst->obj];
    struct run at = chunk_run(&inst->dst, k);
    for (uint32_t i = 0; i < k->n; i++) {
        struct run from = {.y = index_of(g->rows, g->n_rows, at.y),
                           .x = index_of(g->cols, g->n_cols, at.x + i),
                           .step = 1,
                           .n = 1,
                           .c0 = k->c0,
                           .nc = k->nc};
        if (!gather_pixel(s, inst, from, s->slot[0] + i * k->nc))
            return false;
    }
    return write_chunk(s, inst, k, s->slot[0]);
}

bool exec_vgat(struct sim *s, const struct isa_inst *inst)
{
    return for_chunks(s, inst, gather_chunk);
}
