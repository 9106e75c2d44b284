/*
 * exec_move.c - data between tiles and between tiles and DRAM. ISA.md sections 7 and 8.
 *
 * In: regions of views, bindings of the model's tensors. Out: target views, clipped to what they
 * hold; output tensors. fp16 tensors: each element is rounded to fp16 on its way.
 */
#include "sim_internal.h"

#include "base/half.h"

/* A row piece of an instruction: n pixels from (i, j) of its region on, channels [c0, c0 + nc). */
struct piece {
    uint32_t i, j, n, c0, nc;
};

static bool for_pieces(struct sim *s, const struct isa_inst *inst, uint32_t channels,
                       bool (*body)(struct sim *, const struct isa_inst *, const struct piece *))
{
    uint32_t pixels = chunk_pixels(channels), step = chunk_channels(channels);
    for (uint32_t i = 0; i < inst->h; i++)
        for (uint32_t j = 0; j < inst->w; j += pixels)
            for (uint32_t c = 0; c < channels; c += step) {
                struct piece k = {.i = i, .j = j, .c0 = c};
                k.n = pixels < inst->w - j ? pixels : inst->w - j;
                k.nc = step < channels - c ? step : channels - c;
                if (!body(s, inst, &k))
                    return false;
            }
    return true;
}

static struct run run_at(const struct isa_region *r, const struct piece *k)
{
    return (struct run){.y = r->y + (int64_t)k->i,
                        .x = r->x + (int64_t)k->j,
                        .step = 1,
                        .n = k->n,
                        .c0 = k->c0,
                        .nc = k->nc};
}

/* The piece of region `a`: where it lies, or copied into a slot; NULL after a fault. */
static const float *source(struct sim *s, const struct isa_inst *inst, const struct piece *k)
{
    struct run r = run_at(&inst->a, k);
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

static bool send_piece(struct sim *s, const struct isa_inst *inst, const struct piece *k)
{
    const struct isa_route *route = &s->p->tiles[s->at_tile].routes[inst->obj];
    const float *values = source(s, inst, k);
    if (!values)
        return false;
    for (uint32_t t = 0; t < route->n_targets; t++)
        if (!put(s, &route->targets[t], run_at(&inst->a, k), values))
            return false;
    return true;
}

bool exec_send(struct sim *s, const struct isa_inst *inst)
{
    return for_pieces(s, inst, view_of(s, s->at_tile, inst->a.view)->channels, send_piece);
}

/* ---- LOAD, STORE ---- */

/* Index in the tensor of the piece's first element. */
static int64_t element_of(const struct isa_binding *b, const struct isa_inst *inst,
                          const struct piece *k)
{
    return (int64_t)b->offset + (inst->y + (int64_t)k->i) * b->stride_h +
           (inst->x + (int64_t)k->j) * b->stride_w + ((int64_t)inst->c + k->c0) * b->stride_c;
}

static bool load_piece(struct sim *s, const struct isa_inst *inst, const struct piece *k)
{
    const struct isa_binding *b = &s->p->bindings[inst->obj];
    const float *in = s->inputs[b->index] + element_of(b, inst, k);
    float *out = s->slot[SLOT_A];
    for (uint32_t j = 0; j < k->n; j++)
        for (uint32_t c = 0; c < k->nc; c++)
            out[j * k->nc + c] = in[j * b->stride_w + c * b->stride_c];
    for (uint32_t i = 0; b->dtype == 1 && i < k->n * k->nc; i++)
        out[i] = f16_round(out[i]);
    return view_write(s, s->at_tile, inst->dst.view, run_at(&inst->dst, k), out, k->nc);
}

bool exec_load(struct sim *s, const struct isa_inst *inst)
{
    return for_pieces(s, inst, view_of(s, s->at_tile, inst->dst.view)->channels, load_piece);
}

static bool store_piece(struct sim *s, const struct isa_inst *inst, const struct piece *k)
{
    const struct isa_binding *b = &s->p->bindings[inst->obj];
    float *out = s->outputs[b->index] + element_of(b, inst, k);
    const float *in = source(s, inst, k);
    if (!in)
        return false;
    for (uint32_t j = 0; j < k->n; j++)
        for (uint32_t c = 0; c < k->nc; c++) {
            float x = in[j * k->nc + c];
            out[j * b->stride_w + c * b->stride_c] = b->dtype == 1 ? f16_round(x) : x;
        }
    return true;
}

bool exec_store(struct sim *s, const struct isa_inst *inst)
{
    return for_pieces(s, inst, view_of(s, s->at_tile, inst->a.view)->channels, store_piece);
}
