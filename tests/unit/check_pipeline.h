/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_pipeline.h - the main program of check_test.c: a pipeline of two layers in two tiles, with
 * rings and credits; and how to break a stream.
 */
#ifndef CIMC_CHECK_PIPELINE_H
#define CIMC_CHECK_PIPELINE_H

#include "check_rig.h"

static const char pipeline_ir[] =
    "graph \"pipeline\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2,6,4], extent=[6,4,2], strides=[4,1,24]} "
    "@\"x\"\n"
    "%1 = pad %0 {before=[1,1,0], after=[1,1,0], mode=\"constant\"} @\"pad\"\n"
    "%2 = constant {dtype=\"f32\", shape=[18,2], data=random(1)} @\"w1\"\n"
    "%3 = mvm %1, %2 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, slices=[2,1]} "
    "@\"conv1\"\n"
    "%4 = constant {dtype=\"f32\", shape=[1,1,2], data=dense(0.5, -0.25)} @\"bias\"\n"
    "%5 = add %3, %4 @\"add\"\n"
    "%6 = relu %5 @\"relu\"\n"
    "%7 = constant {dtype=\"f32\", shape=[2,3], data=random(2)} @\"w2\"\n"
    "%8 = mvm %6, %7 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]} "
    "@\"conv2\"\n"
    "output %8 {index=0, dtype=\"f32\", shape=[1,3,6,4], strides=[4,1,24]} @\"y\"\n"
    "}\n";

enum { GROUP = 0, VU = 1, TX = 2, DMA = 3, CREDIT = 128, DATA = 128, ROWS = 6 };
enum { X, ACC, Y, BIAS }; /* views of tile 0 */
enum { Y2, ACC2 };        /* views of tile 1 */

/* Row r of x, in a ring of 4: row r - 4 was read last by the product of row r - 3. */
static void load_row(struct rig *r, int row)
{
    struct isa_inst *i = add_inst(r, 0, ISA_load, DMA, 0);
    rows(r, 0, i, X, 0, row, 1);
    wait(i, GROUP, row >= 4 ? row - 2 : 0);
}

static void first_layer_row(struct rig *r, int row)
{
    struct isa_inst *i = add_inst(r, 0, ISA_mvm, GROUP, 0);
    rows(r, 0, i, ACC, 0, row, 1);
    wait(i, DMA, row + 2 < ROWS ? row + 2 : ROWS);
    wait(i, VU, row - 1);
    i = add_inst(r, 0, ISA_vmap, VU, 0);
    rows(r, 0, i, Y, ACC, row, 1);
    wait(i, GROUP, row + 1);
    wait(i, TX, row - 1);
    i = add_inst(r, 0, ISA_send, TX, 0);
    rows(r, 0, i, 0, Y, row, 1);
    wait(i, VU, row + 1);
    wait(i, CREDIT, row - 1);
}

/* In tile 1: product, credit for the row it has read, store. The group's queue counts both. */
static void second_layer_row(struct rig *r, int row)
{
    struct isa_inst *i = add_inst(r, 1, ISA_mvm, GROUP, 0);
    rows(r, 1, i, ACC2, 0, row, 1);
    wait(i, DATA, row + 1);
    wait(i, DMA, row - 1);
    add_inst(r, 1, ISA_signal, GROUP, 0);
    i = add_inst(r, 1, ISA_store, DMA, 1);
    rows(r, 1, i, 0, ACC2, row, 1);
    wait(i, GROUP, 2 * row + 1);
}

static void pipeline_tables(struct rig *r, uint32_t x_ring, uint32_t ring)
{
    view_of(r, 0, "x", x_ring);
    view_of(r, 0, "conv1", ring);
    view_of(r, 0, "relu", ring);
    view_of(r, 0, "bias", 0);
    view_of(r, 1, "relu", ring);
    view_of(r, 1, "conv2", ring);
    add_group(r, 0, X, "conv1", 1);
    add_group(r, 1, Y2, "conv2", 0);
    uint64_t bytes;
    uint32_t section = add_section(r, "bias", &bytes);
    r->p->tiles[0].preloads[0] = (struct isa_preload){r->view[0][BIAS].base, section, 0, bytes};
    r->p->tiles[0].n_preloads = 1;
    add_program(r, 0,
                (struct isa_program_entry){
                    1, BIAS, 2, {{LANE_ADD, LANE_A, LANE_CONST0, 0}, {LANE_MAX, 0, LANE_IMM, 0}}});
    add_route(r, 0, (struct isa_target){1, Y2, DATA});
    add_route(r, 1, (struct isa_target){0, 0, CREDIT});
    r->p->tiles[0].n_inbound = r->p->tiles[1].n_inbound = 1;
    add_binding(r, "x");
    add_binding(r, "y");
}

static void pipeline_open(struct rig *r)
{
    rig_open(r, pipeline_ir, 2);
    pipeline_tables(r, 4, 2);
    load_row(r, 0);
    for (int row = 0; row < ROWS; row++) {
        if (row + 1 < ROWS)
            load_row(r, row + 1);
        first_layer_row(r, row);
        second_layer_row(r, row);
    }
}

static void drop_wait(struct isa_inst *i, unsigned k)
{
    for (i->n_waits--; k < i->n_waits; k++)
        i->wait[k] = i->wait[k + 1];
}

static void erase(struct rig *r, unsigned t, struct isa_inst *i)
{
    size_t after = (size_t)(&r->inst[t][r->p->tiles[t].n_insts] - (i + 1));
    memmove(i, i + 1, after * sizeof *i);
    r->p->tiles[t].n_insts--;
}

static void swap(struct isa_inst *a, struct isa_inst *b)
{
    struct isa_inst c = *a;
    *a = *b;
    *b = c;
}

#endif
