/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * exec_take.c - VTAKE: elements whose coordinate along one axis is known at run time only. ISA.md
 * section 6.
 *
 * In: regions of the source and of indices. Out: a region of the destination view. Whatever an
 * index is, only what the source holds is read: outside its extent the element is the padding.
 */
#include "sim_view.h"

#include <string.h>

/* The element of the source along the axis; -1: the padding. */
static int64_t element_at(int32_t index, uint32_t extent)
{
    int64_t at = index < 0 ? (int64_t)index + extent : index;
    return at >= 0 && at < extent ? at : -1;
}

/* Neighbouring channels of one pixel with the same index; along c each has its own. */
static uint32_t run_of(const int32_t *index, uint32_t c, uint32_t end, unsigned axis)
{
    uint32_t n = 1;
    while (axis != VRED_C && c + n < end && index[c + n] == index[c])
        n++;
    return n;
}

/* Channels [from.c0, from.c0 + n) of one pixel; from.y, from.x say where but for the axis. */
static bool take_pixel(struct sim *s, const struct isa_inst *inst, struct run from,
                       const int32_t *index, uint32_t n, uint8_t *out)
{
    const struct isa_view *a = view_of(s, s->at_tile, inst->a.view);
    size_t size = element_bytes(a->element);
    uint32_t extent = inst->flags == VRED_H   ? a->height
                      : inst->flags == VRED_W ? a->width
                                              : a->channels;
    for (uint32_t c = 0; c < n; c += from.nc) {
        int64_t at = element_at(index[c], extent);
        struct run r = from;
        from.nc = r.nc = run_of(index, c, n, inst->flags);
        r.c0 = from.c0 + c;
        if (inst->flags == VRED_H)
            r.y = at;
        else if (inst->flags == VRED_W || at < 0)
            r.x = at; /* -1: beside the view */
        if (inst->flags == VRED_C)
            r.c0 = at < 0 ? 0 : (uint32_t)at;
        if (!view_read(s, s->at_tile, inst->a.view, r, out + c * size, r.nc))
            return false;
    }
    return true;
}

static bool take_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    size_t pixel = k->nc * element_bytes(view_of(s, s->at_tile, inst->a.view)->element);
    int32_t *index = s->slot[1];
    uint8_t *out = s->slot[0];
    struct run from = chunk_run(&inst->a, k);
    if (!view_read(s, s->at_tile, inst->b.view, chunk_run(&inst->b, k), index, k->nc))
        return false;
    from.n = 1;
    for (uint32_t i = 0; i < k->n; i++, from.x++)
        if (!take_pixel(s, inst, from, index + i * k->nc, k->nc, out + i * pixel))
            return false;
    return view_write(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k), out, k->nc);
}

bool exec_vtake(struct sim *s, const struct isa_inst *inst)
{
    struct chunks all =
        chunks_of(inst->h, inst->w, view_of(s, s->at_tile, inst->dst.view)->channels);
    for (struct chunk k; chunks_next(&all, &k);)
        if (!take_chunk(s, inst, &k))
            return false;
    return true;
}
