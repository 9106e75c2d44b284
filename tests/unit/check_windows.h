/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* check_windows.h - small programs with an overlap window or a reduction, and what breaks them. */
#ifndef CIMC_CHECK_WINDOWS_H
#define CIMC_CHECK_WINDOWS_H

#include "check_rig.h"

/* Two channels of 4 x 4 pixels are the taps of a 2 x 1 kernel: 8 x 4 pixels, the last row cropped.
 */
static void open_overlap(struct rig *r)
{
    open_small(r, one_input,
               "%1 = overlap_add %0 {kernel=[2,1], stride=[2,1], dilation=[1,1], pad=[0,0,1,0]}"
               " @\"m\"\n",
               "output %1 {index=0, dtype=\"f32\", shape=[28], strides=[4,1,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0);
    r->p->tiles[0].windows[0] =
        (struct isa_window){WINDOW_OVERLAP, {2, 1}, {2, 1}, {1, 1}, 0, 0, {0}};
    r->p->tiles[0].n_windows = 1;
    vector(r, ISA_vwin, 0, m, x);
    store_all(r, m);
}
static void overlap_crop(struct rig *r)
{
    r->p->tiles[0].windows[0].pad_top = 1;
}
static void overlap_dilation(struct rig *r)
{
    r->p->tiles[0].windows[0].dilation[0] = 2;
}
static void overlap_stride(struct rig *r)
{
    r->p->tiles[0].windows[0].stride[0] = 1;
}
static void overlap_as_sum(struct rig *r)
{
    r->p->tiles[0].windows[0].kind = WINDOW_SUM;
    r->view[0][0].channels = 1;
}
/* The taps' channels in the other order: tap 0 takes what tap 1 should. */
static void overlap_swapped_taps(struct rig *r)
{
    struct isa_view *v = &r->view[0][nth(r, 0, ISA_vwin, 0)->a.view];
    uint16_t at = (uint16_t)r->p->tiles[0].n_views++;
    r->view[0][at] = *v;
    r->view[0][at].base += 4;
    r->view[0][at].channel_pitch = -4;
    nth(r, 0, ISA_vwin, 0)->a.view = at;
}

/* The sum over rows and columns. */
static void open_reduce(struct rig *r)
{
    open_small(r, one_input, "%1 = reduce %0 {kind=\"sum\", axes=[0,1]} @\"m\"\n",
               "output %1 {index=0, dtype=\"f32\", shape=[2], strides=[2,2,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0);
    struct isa_inst *i = vector(r, ISA_vred, 0, m, x);
    i->h = i->w = 4;
    i->flags = 1 | 2 | 8;
    store_all(r, m);
}
static void reduce_to_maximum(struct rig *r)
{
    nth(r, 0, ISA_vred, 0)->flags = 1 | 2;
}
static void reduce_fewer_rows(struct rig *r)
{
    nth(r, 0, ISA_vred, 0)->h = 3;
}

/* Rows named by a constant: the second twice, then none. */
static void open_take(struct rig *r)
{
    open_small(r, one_input,
               "%1 = constant {dtype=\"i32\", shape=[3,1,1], data=dense(1,-3,4)} @\"k\"\n"
               "%2 = take %0, %1 {axis=0, value=7} @\"m\"\n",
               "output %2 {index=0, dtype=\"f32\", shape=[24], strides=[8,2,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0), k = view_of(r, 0, "k", 0);
    struct isa_view *index = &r->view[0][k];
    uint64_t bytes;
    r->p->tiles[0].preloads[0] =
        (struct isa_preload){index->base, add_section(r, "k", &bytes), 0, 12};
    r->p->tiles[0].n_preloads = 1;
    index->element = ELEMENT_i32;
    index->width = 4;
    index->x1 = 4;
    index->channels = 2;
    index->col_pitch = index->channel_pitch = 0;
    r->view[0][x].pad_value = f32_bits(7);
    struct isa_inst *i = vector(r, ISA_vtake, 0, m, x);
    i->flags = VRED_H;
    i->b.view = k;
    store_all(r, m);
}
static void take_columns(struct rig *r)
{
    nth(r, 0, ISA_vtake, 0)->flags = VRED_W;
}
static void take_other_padding(struct rig *r)
{
    r->view[0][nth(r, 0, ISA_vtake, 0)->a.view].pad_value = 0;
}
static void take_from_fewer_rows(struct rig *r)
{
    uint16_t at = (uint16_t)r->p->tiles[0].n_views++;
    r->view[0][at] = r->view[0][nth(r, 0, ISA_vtake, 0)->a.view];
    r->view[0][at].height = 3;
    r->view[0][at].y1 = 3;
    nth(r, 0, ISA_vtake, 0)->a.view = at;
}
static void take_by_turned_indices(struct rig *r)
{
    struct isa_view *v = &r->view[0][nth(r, 0, ISA_vtake, 0)->b.view];
    v->base += 8;
    v->row_pitch = -4;
}
static void take_from_other_columns(struct rig *r)
{
    struct isa_view *v = &r->view[0][nth(r, 0, ISA_vtake, 0)->a.view];
    uint16_t at = (uint16_t)r->p->tiles[0].n_views++;
    r->view[0][at] = *v;
    r->view[0][at].base += 24;
    r->view[0][at].col_pitch = -8;
    nth(r, 0, ISA_vtake, 0)->a.view = at;
}

#endif
