/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_stacks.h - small programs whose views show a row of several values each, and what breaks
 * them: only the source of an instruction says which value it makes.
 */
#ifndef CIMC_CHECK_STACKS_H
#define CIMC_CHECK_STACKS_H

#include "check_rig.h"

/* A view of `n` rows from `base` on, of two channels each, that claims nothing. */
static uint16_t stack_view(struct rig *r, uint64_t base, uint32_t n)
{
    uint16_t v = add_view(r, 0, "x", (const int64_t[]){n, 1, 2}, n);
    r->view[0][v].value = ISA_NO_SOURCE;
    r->view[0][v].base = base;
    return v;
}

static void step_inst(struct rig *r, enum isa_op op, int to, int from, const char *made)
{
    const uint16_t states = 1, products = 2;
    bool mvm = op == ISA_mvm;
    struct isa_inst *i = add_inst(r, 0, op, mvm ? 0 : 1, 0);
    rows(r, 0, i, mvm ? products : states, mvm ? 0 : products, to, 1);
    i->a.y = mvm ? 0 : from;
    wait(i, mvm ? 1 : 0, to);
    r->source[0][r->p->tiles[0].n_insts - 1] = op_named(r, made)->id;
}

/* m = -(-(x w) w): x and the states are rows of one view, the products of another; both are made by
 * one group, product r from state r. */
static void open_steps(struct rig *r)
{
    open_small(r,
               "%0 = input {index=0, dtype=\"f32\", shape=[2], extent=[1,1,2], strides=[2,2,1]} "
               "@\"x\"\n",
               "%1 = constant {dtype=\"f32\", shape=[2,2], data=random(5)} @\"w\"\n"
               "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=1, "
               "slices=[1,1]} @\"fc1\"\n"
               "%3 = neg %2 @\"h\"\n"
               "%4 = mvm %3, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=1, "
               "slices=[1,1]} @\"fc2\"\n"
               "%5 = neg %4 @\"m\"\n",
               "output %5 {index=0, dtype=\"f32\", shape=[2], strides=[2,2,1]} @\"y\"\n");
    uint16_t x = view_of(r, 0, "x", 0), states = stack_view(r, 0, 3);
    stack_view(r, r->used[0], 2);
    add_group(r, 0, states, "fc1", 0);
    add_program(r, 0, (struct isa_program_entry){1, 0, 1, {{LANE_NEG, LANE_A, 0, 0}}});
    struct isa_inst *i = add_inst(r, 0, ISA_load, 3, add_binding(r, "x"));
    rows(r, 0, i, x, 0, 0, 1);
    step_inst(r, ISA_mvm, 0, 0, "fc1");
    wait(nth(r, 0, ISA_mvm, 0), 3, 1);
    step_inst(r, ISA_vmap, 1, 0, "h");
    step_inst(r, ISA_mvm, 1, 0, "fc2");
    step_inst(r, ISA_vmap, 2, 1, "m");
    i = add_inst(r, 0, ISA_store, 3, add_binding(r, "y"));
    rows(r, 0, i, 0, states, 0, 1);
    i->a.y = 2;
    wait(i, 1, 2);
}
static void step_of_another_value(struct rig *r)
{
    r->source[0][4] = op_named(r, "h")->id;
}
static void step_of_no_value(struct rig *r)
{
    r->source[0][4] = ISA_NO_SOURCE;
}
static void step_reads_another_row(struct rig *r)
{
    nth(r, 0, ISA_vmap, 1)->a.y = 0;
}
static void product_of_another_value(struct rig *r)
{
    r->source[0][3] = op_named(r, "fc1")->id;
}
static void product_of_a_row_outside(struct rig *r)
{
    r->p->tiles[0].groups[0].pad_top = 1;
}
static void product_of_every_second_row(struct rig *r)
{
    op_named(r, "fc1")->attrs->mvm.stride[0] = 2;
    r->p->tiles[0].groups[0].stride[0] = 2;
}

#endif
