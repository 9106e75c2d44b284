/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * exec_move.c - elements moved as they are: VGAT, between tiles, and between tiles and DRAM. ISA.md
 * sections 6, 7 and 8.
 *
 * In: regions of views, gather tables, bindings of the model's tensors. Out: target views, clipped
 * to what they hold; output tensors. On the way from and to DRAM elements of f16 are rounded (the
 * tensor outside is of f32), those of i8 have bit 7 flipped.
 */
#include "sim_view.h"

#include "base/half.h"

#include <string.h>

/* The chunk of region `a`: where it lies, or copied into a slot; NULL after a fault. */
static const uint8_t *source(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    struct run r = chunk_run(&inst->a, k);
    const void *direct = view_direct(s, s->at_tile, inst->a.view, r);
    if (direct)
        return direct;
    return view_read(s, s->at_tile, inst->a.view, r, s->slot[0], k->nc) ? s->slot[0] : NULL;
}

static struct chunks chunks_of_view(struct sim *s, const struct isa_inst *inst,
                                    const struct isa_region *r)
{
    return chunks_of(inst->h, inst->w, view_of(s, s->at_tile, r->view)->channels);
}

/* ---- VGAT ---- */

static int64_t index_of(const int32_t *list, uint32_t n, int64_t at)
{
    return n == 0 ? at : list[at];
}

static void put_fill(uint8_t *out, uint32_t fill, uint32_t n, size_t size)
{
    for (uint32_t c = 0; c < n; c++)
        memcpy(out + c * size, &fill, size); /* its low bytes */
}

uint32_t gather_run(const struct isa_gather *g, uint32_t c, uint32_t end)
{
    uint32_t n = 1;
    bool adjacent = g->channels[c] != -1;
    while (adjacent && c + n < end && g->channels[c + n] == g->channels[c] + (int32_t)n)
        n++;
    return n;
}

/* Channels of one pixel; the source pixel is (y, x), or nothing where one of them is -1. */
static bool gather_pixel(struct sim *s, const struct isa_inst *inst, struct run from, uint8_t *out)
{
    const struct isa_gather *g = &s->p->tiles[s->at_tile].gathers[inst->obj];
    size_t size = element_bytes(view_of(s, s->at_tile, inst->a.view)->element);
    uint32_t c0 = from.c0, nc = from.nc;
    if (from.y == -1 || from.x == -1) {
        put_fill(out, g->fill, nc, size);
        return true;
    }
    if (g->n_channels == 0)
        return view_read(s, s->at_tile, inst->a.view, from, out, nc);
    put_fill(out, g->fill, nc, size);
    for (uint32_t c = 0; c < nc; c += from.nc) {
        from.c0 = (uint32_t)g->channels[c0 + c];
        from.nc = gather_run(g, c0 + c, c0 + nc);
        if (g->channels[c0 + c] != -1 &&
            !view_read(s, s->at_tile, inst->a.view, from, out + c * size, from.nc))
            return false;
    }
    return true;
}

static bool gather_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_gather *g = &s->p->tiles[s->at_tile].gathers[inst->obj];
    size_t size = element_bytes(view_of(s, s->at_tile, inst->a.view)->element);
    struct run at = chunk_run(&inst->dst, k);
    uint8_t *out = s->slot[0];
    for (uint32_t i = 0; i < k->n; i++) {
        struct run from = {.y = index_of(g->rows, g->n_rows, at.y),
                           .x = index_of(g->cols, g->n_cols, at.x + i),
                           .step = 1,
                           .n = 1,
                           .c0 = k->c0,
                           .nc = k->nc};
        if (!gather_pixel(s, inst, from, out + i * k->nc * size))
            return false;
    }
    return view_write(s, s->at_tile, inst->dst.view, at, out, k->nc);
}

bool exec_vgat(struct sim *s, const struct isa_inst *inst)
{
    struct chunks all = chunks_of_view(s, inst, &inst->dst);
    for (struct chunk k; chunks_next(&all, &k);)
        if (!gather_chunk(s, inst, &k))
            return false;
    return true;
}

/* ---- SEND ---- */

/* Puts what the target holds of the run into its view. */
static bool put(struct sim *s, const struct isa_target *t, struct run r, const uint8_t *values)
{
    const struct isa_view *v = view_of(s, t->tile, t->view);
    int64_t x0 = r.x > v->x0 ? r.x : v->x0;
    int64_t x1 = r.x + r.n < v->x1 ? r.x + r.n : v->x1;
    if (r.y < v->y0 || r.y >= v->y1 || x0 >= x1)
        return true;
    values += (size_t)(x0 - r.x) * r.nc * element_bytes(v->element);
    r.n = (uint32_t)(x1 - x0);
    r.x = x0;
    return view_write(s, t->tile, t->view, r, values, r.nc);
}

static bool send_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_route *route = &s->p->tiles[s->at_tile].routes[inst->obj];
    const uint8_t *values = source(s, inst, k);
    if (!values)
        return false;
    for (uint32_t t = 0; t < route->n_targets; t++)
        if (!put(s, &route->targets[t], chunk_run(&inst->a, k), values))
            return false;
    return true;
}

bool exec_send(struct sim *s, const struct isa_inst *inst)
{
    struct chunks all = chunks_of_view(s, inst, &inst->a);
    for (struct chunk k; chunks_next(&all, &k);)
        if (!send_chunk(s, inst, &k))
            return false;
    return true;
}

/* ---- LOAD, STORE ---- */

/* Index in the tensors of the frames of the piece's first element. */
static int64_t element_of(const struct sim *s, const struct isa_binding *b,
                          const struct isa_inst *inst, const struct chunk *k)
{
    return (int64_t)b->offset + s->at_frame * b->frame_stride +
           (inst->y + (int64_t)k->y) * b->stride_h + (inst->x + (int64_t)k->x) * b->stride_w +
           ((int64_t)inst->c + k->c0) * b->stride_c;
}

/* Elements of the tensor outside. */
static size_t outside_bytes(const struct isa_binding *b)
{
    return b->element == ELEMENT_f16 ? sizeof(float) : element_bytes(b->element);
}

/* And of the buffer, where an i64 has its low half. */
static size_t inside_bytes(const struct isa_binding *b)
{
    return b->element == ELEMENT_i64 ? sizeof(int32_t) : outside_bytes(b);
}

/* What LOAD and STORE do to n packed elements. */
static void convert(const struct isa_binding *b, void *elements, uint32_t n)
{
    float *x = elements;
    uint8_t *q = elements;
    for (uint32_t i = 0; b->element == ELEMENT_f16 && i < n; i++)
        x[i] = f16_round(x[i]);
    for (uint32_t i = 0; b->element == ELEMENT_i8 && i < n; i++)
        q[i] ^= 1 << 7;
}

/* The piece in the tensor outside. */
static struct pixels outside(const struct sim *s, const struct isa_binding *b, uint8_t *tensor,
                             const struct isa_inst *inst, const struct chunk *k)
{
    int64_t size = (int64_t)outside_bytes(b);
    return (struct pixels){tensor + element_of(s, b, inst, k) * size, b->stride_w * size,
                           b->stride_c * size};
}

/* And in slot 0. */
static struct pixels inside(struct sim *s, const struct isa_binding *b, const struct chunk *k)
{
    int64_t size = (int64_t)inside_bytes(b);
    return (struct pixels){(uint8_t *)s->slot[0], k->nc * size, size};
}

static bool load_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_binding *b = &s->p->bindings[inst->obj];
    struct run r = chunk_run(&inst->dst, k);
    copy_elements(inside(s, b, k), outside(s, b, (uint8_t *)s->inputs[b->index], inst, k), r,
                  inside_bytes(b));
    convert(b, s->slot[0], k->n * k->nc);
    return view_write(s, s->at_tile, inst->dst.view, r, s->slot[0], k->nc);
}

bool exec_load(struct sim *s, const struct isa_inst *inst)
{
    struct chunks all = chunks_of_view(s, inst, &inst->dst);
    for (struct chunk k; chunks_next(&all, &k);)
        if (!load_chunk(s, inst, &k))
            return false;
    return true;
}

/* The upper halves of i64: their sign. */
static void put_signs(struct pixels out, struct pixels in, const struct chunk *k)
{
    for (uint32_t j = 0; j < k->n; j++)
        for (uint32_t c = 0; c < k->nc; c++) {
            const uint8_t *low = in.at + j * in.col + c * in.channel;
            memset(out.at + j * out.col + c * out.channel + sizeof(int32_t),
                   low[sizeof(int32_t) - 1] >> 7 ? 0xff : 0, sizeof(int32_t));
        }
}

static bool store_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_binding *b = &s->p->bindings[inst->obj];
    struct run r = chunk_run(&inst->a, k);
    struct pixels in = inside(s, b, k), out = outside(s, b, s->outputs[b->index], inst, k);
    if (!view_read(s, s->at_tile, inst->a.view, r, in.at, k->nc))
        return false;
    convert(b, in.at, k->n * k->nc);
    copy_elements(out, in, r, inside_bytes(b));
    if (b->element == ELEMENT_i64)
        put_signs(out, in, k);
    return true;
}

bool exec_store(struct sim *s, const struct isa_inst *inst)
{
    struct chunks all = chunks_of_view(s, inst, &inst->a);
    for (struct chunk k; chunks_next(&all, &k);)
        if (!store_chunk(s, inst, &k))
            return false;
    return true;
}
