/*
 * exec_move.c - data between tiles and between tiles and DRAM. ISA.md sections 7 and 8.
 *
 * In: regions of views, bindings of the model's tensors. Out: target views, clipped to what they
 * hold; output tensors. fp16 tensors: each element is rounded to fp16 on its way.
 */
#include "sim_view.h"

#include "base/half.h"

/* Calls `body` for all chunks, pixel by pixel: channels innermost. */
static bool for_chunks(struct sim *s, const struct isa_inst *inst, uint32_t channels,
                       bool (*body)(struct sim *, const struct isa_inst *, const struct chunk *))
{
    uint32_t pixels = chunk_pixels(channels), step = chunk_channels(channels);
    for (uint32_t y = 0; y < inst->h; y++)
        for (uint32_t x = 0; x < inst->w; x += pixels)
            for (uint32_t c = 0; c < channels; c += step) {
                struct chunk k = {.y = y, .x = x, .c0 = c};
                k.n = pixels < inst->w - x ? pixels : inst->w - x;
                k.nc = step < channels - c ? step : channels - c;
                if (!body(s, inst, &k))
                    return false;
            }
    return true;
}

/* The chunk of region `a`: where it lies, or copied into a slot; NULL after a fault. */
static const float *source(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    struct run r = chunk_run(&inst->a, k);
    const float *direct = view_direct(s, s->at_tile, inst->a.view, r);
    if (direct)
        return direct;
    return view_read(s, s->at_tile, inst->a.view, r, s->slot[SLOT_A], k->nc) ? s->slot[SLOT_A]
                                                                             : NULL;
}

/* ---- SEND ---- */

/* Puts what the target holds of the run into its view. */
static bool put(struct sim *s, const struct isa_target *t, struct run r, const float *values)
{
    const struct isa_view *v = view_of(s, t->tile, t->view);
    int64_t x0 = r.x > v->x0 ? r.x : v->x0;
    int64_t x1 = r.x + r.n < v->x1 ? r.x + r.n : v->x1;
    if (r.y < v->y0 || r.y >= v->y1 || x0 >= x1)
        return true;
    values += (x0 - r.x) * r.nc;
    r.n = (uint32_t)(x1 - x0);
    r.x = x0;
    return view_write(s, t->tile, t->view, r, values, r.nc);
}

static bool send_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_route *route = &s->p->tiles[s->at_tile].routes[inst->obj];
    const float *values = source(s, inst, k);
    if (!values)
        return false;
    for (uint32_t t = 0; t < route->n_targets; t++)
        if (!put(s, &route->targets[t], chunk_run(&inst->a, k), values))
            return false;
    return true;
}

bool exec_send(struct sim *s, const struct isa_inst *inst)
{
    return for_chunks(s, inst, view_of(s, s->at_tile, inst->a.view)->channels, send_chunk);
}

/* ---- LOAD, STORE ---- */

/* Index in the tensor of the piece's first element. */
static int64_t element_of(const struct isa_binding *b, const struct isa_inst *inst,
                          const struct chunk *k)
{
    return (int64_t)b->offset + (inst->y + (int64_t)k->y) * b->stride_h +
           (inst->x + (int64_t)k->x) * b->stride_w + ((int64_t)inst->c + k->c0) * b->stride_c;
}

static bool load_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_binding *b = &s->p->bindings[inst->obj];
    const float *in = s->inputs[b->index] + element_of(b, inst, k);
    float *out = s->slot[SLOT_A];
    for (uint32_t j = 0; j < k->n; j++)
        for (uint32_t c = 0; c < k->nc; c++)
            out[j * k->nc + c] = in[j * b->stride_w + c * b->stride_c];
    for (uint32_t i = 0; b->element == ELEMENT_f16 && i < k->n * k->nc; i++)
        out[i] = f16_round(out[i]);
    return view_write(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k), out, k->nc);
}

bool exec_load(struct sim *s, const struct isa_inst *inst)
{
    return for_chunks(s, inst, view_of(s, s->at_tile, inst->dst.view)->channels, load_chunk);
}

static bool store_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_binding *b = &s->p->bindings[inst->obj];
    float *out = s->outputs[b->index] + element_of(b, inst, k);
    const float *in = source(s, inst, k);
    if (!in)
        return false;
    for (uint32_t j = 0; j < k->n; j++)
        for (uint32_t c = 0; c < k->nc; c++) {
            float x = in[j * k->nc + c];
            out[j * b->stride_w + c * b->stride_c] = b->element == ELEMENT_f16 ? f16_round(x) : x;
        }
    return true;
}

bool exec_store(struct sim *s, const struct isa_inst *inst)
{
    return for_chunks(s, inst, view_of(s, s->at_tile, inst->a.view)->channels, store_chunk);
}
