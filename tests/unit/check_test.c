/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_test.c - the program checker: hand-made right programs pass, and each of them with one
 * thing broken is rejected with a fault that names it.
 *
 * The main program is a two-tile pipeline of two layers with rings and credits; small one-tile
 * programs cover the other instructions.
 */
#include "check_frames.h"
#include "check_patches.h"
#include "check_pipeline.h"
#include "check_stacks.h"
#include "check_windows.h"
#include "../run_suite.h"

/* ---- the pipeline ---- */

static void load_without_credit(struct rig *r)
{
    drop_wait(nth(r, 0, ISA_load, 4), 0);
}
static void load_too_early(struct rig *r)
{
    nth(r, 0, ISA_load, 5)->wait[0].threshold = 2;
}
static void mvm_without_data(struct rig *r)
{
    drop_wait(nth(r, 0, ISA_mvm, 3), 0);
}
static void mvm_too_early(struct rig *r)
{
    nth(r, 0, ISA_mvm, 3)->wait[0].threshold = 4;
}
static void accumulator_overrun(struct rig *r)
{
    drop_wait(nth(r, 0, ISA_mvm, 2), 1);
}
static void vmap_without_product(struct rig *r)
{
    drop_wait(nth(r, 0, ISA_vmap, 2), 0);
}
static void staging_overrun(struct rig *r)
{
    nth(r, 0, ISA_vmap, 3)->wait[1].threshold = 1;
}
static void send_without_result(struct rig *r)
{
    drop_wait(nth(r, 0, ISA_send, 1), 0);
}
static void send_without_credit(struct rig *r)
{
    drop_wait(nth(r, 0, ISA_send, 2), 1);
}
static void send_too_early(struct rig *r)
{
    nth(r, 0, ISA_send, 4)->wait[1].threshold = 2;
}
static void message_not_awaited(struct rig *r)
{
    nth(r, 1, ISA_mvm, 3)->wait[0].threshold = 3;
}
static void store_without_product(struct rig *r)
{
    nth(r, 1, ISA_store, 2)->wait[0].threshold = 4;
}
static void circular_wait(struct rig *r)
{
    isa_inst_wait(nth(r, 0, ISA_send, 0), CREDIT, 1);
}
static void unreachable_threshold(struct rig *r)
{
    nth(r, 0, ISA_send, 5)->wait[1].threshold = 7;
}
static void credit_missing(struct rig *r)
{
    erase(r, 1, nth(r, 1, ISA_signal, 1));
    for (unsigned i = 2; i < ROWS; i++)
        nth(r, 1, ISA_store, i)->wait[0].threshold--;
    nth(r, 0, ISA_send, 5)->wait[1].threshold = 5;
}
static void swapped_products(struct rig *r)
{
    swap(nth(r, 0, ISA_mvm, 1), nth(r, 0, ISA_mvm, 2));
}
static void swapped_sends(struct rig *r)
{
    swap(nth(r, 0, ISA_send, 1), nth(r, 0, ISA_send, 2));
}
static void shifted_product(struct rig *r)
{
    nth(r, 0, ISA_mvm, 2)->dst.y = 1;
}
static void shifted_operand(struct rig *r)
{
    nth(r, 0, ISA_vmap, 2)->a.y = 1;
}
static void shifted_load(struct rig *r)
{
    nth(r, 0, ISA_load, 2)->y = 1;
}
static void shifted_store(struct rig *r)
{
    nth(r, 1, ISA_store, 2)->y = 3;
}
static void short_ring(struct rig *r)
{
    r->view[0][X].ring_rows = 3;
}
static void short_target_ring(struct rig *r)
{
    r->view[1][Y2].ring_rows = 1;
}
static void other_view(struct rig *r)
{
    const int64_t dim[3] = {ROWS, 4, 2};
    uint16_t v = add_view(r, 1, "relu", dim, ROWS);
    r->p->tiles[0].routes[0].targets[0].view = v;
}
static void other_channels(struct rig *r)
{
    r->view[1][Y2].channel0 = 1;
}
static void fewer_columns(struct rig *r)
{
    for (unsigned i = 0; i < ROWS; i++)
        nth(r, 0, ISA_send, i)->w = 3;
}
static void wrong_weight(struct rig *r)
{
    ((float *)(uintptr_t)r->p->sections[0].data)[35] += 1;
}
static void wrong_bias(struct rig *r)
{
    ((float *)(uintptr_t)r->p->sections[2].data)[1] = 0.25f;
}
static void wrong_padding(struct rig *r)
{
    r->view[0][X].pad_value = f32_bits(1);
}
static void wrong_pads(struct rig *r)
{
    r->p->tiles[0].groups[0].pad_left = 0;
}
static void wrong_program(struct rig *r)
{
    r->p->tiles[0].programs[0].ops[1].op = LANE_MIN;
}
static void wrong_immediate(struct rig *r)
{
    r->p->tiles[0].programs[0].ops[1].imm = f32_bits(1);
}
static void no_activation(struct rig *r)
{
    r->p->tiles[0].programs[0].n_ops = 1;
}
static void missing_slice(struct rig *r)
{
    r->p->tiles[0].groups[0].n_pes = 1;
}
static void store_missing(struct rig *r)
{
    erase(r, 1, nth(r, 1, ISA_store, 5));
}
static void store_twice(struct rig *r)
{
    struct isa_inst *again = add_inst(r, 1, ISA_store, DMA, 1);
    *again = *nth(r, 1, ISA_store, 5);
}
static void wrong_strides(struct rig *r)
{
    r->p->bindings[0].stride_h = 1;
    r->p->bindings[0].stride_w = 6;
}
static void sent_twice(struct rig *r)
{
    struct isa_inst *again = add_inst(r, 0, ISA_send, TX, 0);
    *again = *nth(r, 0, ISA_send, 5);
}

/* `formal`: found without the graph, too. */
static const struct mutation {
    void (*apply)(struct rig *r);
    const char *text;
    bool formal;
} mutations[] = {
    {load_without_credit, "may still be reading", true},
    {load_too_early, "may still be reading", true},
    {mvm_without_data, "without waiting", true},
    {mvm_too_early, "without waiting", true},
    {accumulator_overrun, "may still be reading", true},
    {vmap_without_product, "without waiting", true},
    {staging_overrun, "may still be reading", true},
    {send_without_result, "without waiting", true},
    {send_without_credit, "given to a later row", true},
    {send_too_early, "given to a later row", true},
    {message_not_awaited, "without waiting", true},
    {store_without_product, "without waiting", true},
    {circular_wait, "never starts", true},
    {unreachable_threshold, "which ends at 6", true},
    {credit_missing, "never starts", true},
    {swapped_products, "from nothing", true},
    {swapped_sends, "without waiting", true},
    {shifted_product, "", true},
    {shifted_operand, "", true},
    {shifted_load, "'x' (1, 0, 0)", false},
    {shifted_store, "'conv2' (2, 0, 0)", false},
    {short_ring, "", true},
    {short_target_ring, "may still be reading", true},
    {other_view, "reads nothing", true},
    {other_channels, "shows them from 1 on", true},
    {fewer_columns, "reads nothing", true},
    {wrong_weight, "does not hold the weights of 'conv1'", false},
    {wrong_bias, "does not compute 'relu'", false},
    {wrong_padding, "pads with 1 instead of 0", false},
    {wrong_pads, "padding is 1, 0", false},
    {wrong_program, "does not compute 'relu'", false},
    {wrong_immediate, "does not compute 'relu'", false},
    {no_activation, "does not compute 'relu'", false},
    {missing_slice, "summed over rows 0..15 only", false},
    {store_missing, "are never stored", true},
    {store_twice, "again", true},
    {wrong_strides, "shows no input", false},
    {sent_twice, "there already", true},
};

START_TEST(pipeline_passes)
{
    struct rig r;
    pipeline_open(&r);
    expect_fine(&r, _i == 1);
    rig_close(&r);
}
END_TEST

START_TEST(pipeline_mutant)
{
    const struct mutation *m = &mutations[_i / 2];
    bool with_graph = _i % 2;
    if (!with_graph && !m->formal)
        return;
    struct rig r;
    pipeline_open(&r);
    m->apply(&r);
    if (with_graph)
        expect_fault(&r, true, m->text);
    else
        ck_assert(!check_rig(&r, false));
    rig_close(&r);
}
END_TEST

static const char pool_output[] =
    "output %1 {index=0, dtype=\"f32\", shape=[8], strides=[4,2,1]} @\"y\"\n";

static void open_pool(struct rig *r)
{
    open_small(
        r, one_input,
        "%1 = max_pool %0 {kernel=[3,3], stride=[2,2], dilation=[1,1], pad=[1,1,0,0]} @\"m\"\n",
        pool_output);
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0);
    r->view[0][x].pad_value = f32_bits(-__builtin_inff());
    r->p->tiles[0].windows[0] = (struct isa_window){WINDOW_MAX, {3, 3}, {2, 2}, {1, 1}, 1, 1, {0}};
    r->p->tiles[0].n_windows = 1;
    vector(r, ISA_vwin, 0, m, x);
    store_all(r, m);
}

static void open_average(struct rig *r)
{
    open_small(r, one_input, "%1 = global_avg_pool %0 @\"m\"\n",
               "output %1 {index=0, dtype=\"f32\", shape=[2], strides=[2,2,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0);
    r->p->tiles[0].windows[0] =
        (struct isa_window){WINDOW_AVERAGE, {4, 4}, {1, 1}, {1, 1}, 0, 0, {0}};
    r->p->tiles[0].n_windows = 1;
    vector(r, ISA_vwin, 0, m, x);
    store_all(r, m);
}

/* y = a * sigmoid(a + b): two operands, a shared subexpression. */
static void open_residual(struct rig *r)
{
    open_small(
        r,
        "%0 = input {index=0, dtype=\"f32\", shape=[32], extent=[4,4,2], strides=[8,2,1]} @\"x\"\n"
        "%1 = input {index=1, dtype=\"f32\", shape=[2], extent=[1,1,2], strides=[2,2,1]} @\"z\"\n",
        "%2 = add %0, %1 @\"sum\"\n%3 = sigmoid %2 @\"gate\"\n%4 = mul %0, %3 @\"m\"\n",
        "output %4 {index=0, dtype=\"f32\", shape=[32], strides=[8,2,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), z = load_all(r, "z"), m = view_of(r, 0, "m", 0);
    r->view[0][z].x1 = 4; /* one pixel for all */
    r->view[0][z].y1 = 4;
    r->view[0][z].height = r->view[0][z].width = 4;
    r->view[0][z].row_pitch = r->view[0][z].col_pitch = 0;
    add_program(
        r, 0,
        (struct isa_program_entry){
            2,
            0,
            3,
            {{LANE_ADD, LANE_B, LANE_A, 0}, {LANE_SIGMOID, 0, 0, 0}, {LANE_MUL, 1, LANE_A, 0}}});
    nth(r, 0, ISA_load, 1)->w = nth(r, 0, ISA_load, 1)->h = 1;
    vector(r, ISA_vmap, 0, m, x)->b = (struct isa_region){z, 0, 0};
    store_all(r, m);
}

/* Two inputs loaded into one view of their concat: no instruction makes it. */
static void open_concat(struct rig *r)
{
    open_small(
        r,
        "%0 = input {index=0, dtype=\"f32\", shape=[32], extent=[4,4,2], strides=[8,2,1]} @\"x\"\n"
        "%1 = input {index=1, dtype=\"f32\", shape=[16], extent=[4,4,1], strides=[4,1,1]} @\"z\"\n",
        "%2 = concat %0, %1 {axis=2} @\"c\"\n"
        "%3 = slice %2 {start=[3,0,1], step=[-1,2,1], count=[4,2,2]} @\"s\"\n",
        "output %3 {index=0, dtype=\"f32\", shape=[16], strides=[4,2,1]} @\"y\"\n");
    uint16_t c = view_of(r, 0, "c", 0), s = view_of(r, 0, "s", 0);
    struct isa_view *v = r->view[0];
    for (unsigned part = 0; part < 2; part++) {
        uint16_t at = (uint16_t)r->p->tiles[0].n_views++;
        v[at] = v[c];
        v[at].base += 8 * part;
        v[at].channels = 2 - part;
        v[at].value = op_named(r, part ? "z" : "x")->id;
        struct isa_inst *i = add_inst(r, 0, ISA_load, 2, add_binding(r, part ? "z" : "x"));
        rows(r, 0, i, at, 0, 0, 4);
    }
    /* the slice is a view with a negative row pitch */
    v[s].base = v[c].base + 3 * 48 + 4;
    v[s].row_pitch = -48;
    v[s].col_pitch = 24;
    store_all(r, s);
    r->inst[0][2].n_waits = 0;
    isa_inst_wait(&r->inst[0][2], 2, 2);
}

/* A softmax along the channels: operations that read what they reduce. */
static void open_softmax(struct rig *r)
{
    open_small(r, one_input,
               "%1 = reduce %0 {kind=\"max\", axes=[2]} @\"most\"\n%2 = sub %0, %1\n"
               "%3 = exp %2 @\"e\"\n%4 = reduce %3 {kind=\"sum\", axes=[2]} @\"all\"\n"
               "%5 = div %3, %4 @\"m\"\n",
               "output %5 {index=0, dtype=\"f32\", shape=[32], strides=[8,2,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), max = view_of(r, 0, "most", 0);
    uint16_t e = view_of(r, 0, "e", 0), sum = view_of(r, 0, "all", 0);
    uint16_t out = view_of(r, 0, "m", 0);
    uint16_t wide[2] = {max, sum};
    for (unsigned i = 0; i < 2; i++) { /* the same number for both channels */
        uint16_t at = (uint16_t)r->p->tiles[0].n_views++;
        r->view[0][at] = r->view[0][wide[i]];
        r->view[0][at].channels = 2;
        r->view[0][at].channel_pitch = 0;
        wide[i] = at;
    }
    add_program(
        r, 0,
        (struct isa_program_entry){2, 0, 2, {{LANE_SUB, LANE_A, LANE_B, 0}, {LANE_EXP, 0, 0, 0}}});
    add_program(r, 0, (struct isa_program_entry){2, 0, 1, {{LANE_DIV, LANE_A, LANE_B, 0}}});
    vector(r, ISA_vred, 0, max, x)->flags = 4;
    vector(r, ISA_vmap, 0, e, x)->b = (struct isa_region){wide[0], 0, 0};
    vector(r, ISA_vred, 0, sum, e)->flags = 4 + 8;
    vector(r, ISA_vmap, 1, out, e)->b = (struct isa_region){wide[1], 0, 0};
    store_all(r, out);
}

/* Transposed by the pitches of a view. */
static void open_transpose(struct rig *r)
{
    open_small(r, one_input, "%1 = transpose %0 {perm=[1,0,2]} @\"m\"\n",
               "output %1 {index=0, dtype=\"f32\", shape=[32], strides=[8,2,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0), t = (uint16_t)2;
    r->view[0][t] = r->view[0][x];
    r->view[0][t].row_pitch = r->view[0][x].col_pitch;
    r->view[0][t].col_pitch = r->view[0][x].row_pitch;
    r->p->tiles[0].n_views++;
    add_program(r, 0, (struct isa_program_entry){1, 0, 1, {{LANE_MOV, LANE_A, 0, 0}}});
    vector(r, ISA_vmap, 0, m, t);
    store_all(r, m);
}

/* Each row's matrix transposed, times itself: (4, 4, 2) and (4, 4, 2) to (4, 4, 4). */
static void open_dot(struct rig *r)
{
    open_small(r, one_input, "%1 = dot %0, %0 @\"m\"\n",
               "output %1 {index=0, dtype=\"f32\", shape=[64], strides=[16,4,1]} @\"y\"\n");
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0);
    vector(r, ISA_vdot, 0, m, x)->b = (struct isa_region){x, 0, 0};
    store_all(r, m);
}

/* Nearest upsampling of rows and a border of 7. */
static void open_gather(struct rig *r)
{
    open_small(
        r, one_input,
        "%1 = gather_grid %0 {count=[5,4,2], index=[-1,0,0,1,1, 0,1,2,3, 0,1], value=7} @\"m\"\n",
        "output %1 {index=0, dtype=\"f32\", shape=[40], strides=[8,2,1]} @\"y\"\n");
    static int32_t list[] = {-1, 0, 0, 1, 1};
    uint16_t x = load_all(r, "x"), m = view_of(r, 0, "m", 0);
    int32_t *copy = arena_alloc(r->p->arena, sizeof list);
    memcpy(copy, list, sizeof list);
    r->p->tiles[0].gathers[0] = (struct isa_gather){.n_rows = 5, .rows = copy, .fill = f32_bits(7)};
    r->p->tiles[0].n_gathers = 1;
    vector(r, ISA_vgat, 0, m, x);
    store_all(r, m);
}

/* A dense layer of K = 32 in two groups of one slice each, summed by the vector unit. */
static void open_partial(struct rig *r)
{
    open_small(r,
               "%0 = input {index=0, dtype=\"f32\", shape=[32], extent=[1,1,32], "
               "strides=[32,32,1]} @\"x\"\n",
               "%1 = constant {dtype=\"f32\", shape=[32,3], data=random(5)} @\"w\"\n"
               "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
               "slices=[2,1]} @\"fc\"\n"
               "%3 = neg %2 @\"m\"\n",
               "output %3 {index=0, dtype=\"f32\", shape=[3], strides=[3,3,1]} @\"y\"\n");
    uint16_t x = view_of(r, 0, "x", 0), part[2];
    for (unsigned i = 0; i < 2; i++) {
        add_group(r, 0, x, "fc", 0);
        struct isa_group *g = &r->p->tiles[0].groups[i];
        g->n_pes = 1;
        g->pes[0] = g->pes[i];
        part[i] = view_of(r, 0, "fc", 0);
    }
    struct isa_inst *i = add_inst(r, 0, ISA_load, 4, add_binding(r, "x"));
    rows(r, 0, i, x, 0, 0, 1);
    for (unsigned k = 0; k < 2; k++) {
        i = add_inst(r, 0, ISA_mvm, k, (uint16_t)k);
        rows(r, 0, i, part[k], 0, 0, 1);
        wait(i, 4, 1);
    }
    add_program(
        r, 0,
        (struct isa_program_entry){2, 0, 2, {{LANE_ADD, LANE_A, LANE_B, 0}, {LANE_NEG, 0, 0, 0}}});
    uint16_t m = view_of(r, 0, "m", 0);
    i = add_inst(r, 0, ISA_vmap, 2, 0);
    rows(r, 0, i, m, part[0], 0, 1);
    i->b = (struct isa_region){part[1], 0, 0};
    wait(i, 0, 1);
    wait(i, 1, 1);
    store_all(r, m);
}

/* Four channels in two conv groups, 1 x 1: both along the diagonal of one PE. */
static void open_grouped(struct rig *r)
{
    open_small(r,
               "%0 = input {index=0, dtype=\"f32\", shape=[4], extent=[1,1,4], "
               "strides=[4,4,1]} @\"x\"\n",
               "%1 = constant {dtype=\"f32\", shape=[2,6], data=random(5)} @\"w\"\n"
               "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=2, "
               "slices=[1,1]} @\"fc\"\n"
               "%3 = neg %2 @\"m\"\n",
               "output %3 {index=0, dtype=\"f32\", shape=[6], strides=[6,6,1]} @\"y\"\n");
    uint16_t x = view_of(r, 0, "x", 0);
    add_group(r, 0, x, "fc", 0);
    uint16_t product = view_of(r, 0, "fc", 0);
    struct isa_inst *i = add_inst(r, 0, ISA_load, 3, add_binding(r, "x"));
    rows(r, 0, i, x, 0, 0, 1);
    i = add_inst(r, 0, ISA_mvm, 0, 0);
    rows(r, 0, i, product, 0, 0, 1);
    wait(i, 3, 1);
    add_program(r, 0, (struct isa_program_entry){1, 0, 1, {{LANE_NEG, LANE_A, 0, 0}}});
    uint16_t m = view_of(r, 0, "m", 0);
    i = add_inst(r, 0, ISA_vmap, 1, 0);
    rows(r, 0, i, m, product, 0, 1);
    wait(i, 0, 1);
    store_all(r, m);
}

static void no_change(struct rig *r)
{
    (void)r;
}
static void no_conv_groups(struct rig *r)
{
    r->p->tiles[0].groups[0].conv_groups = 0;
    r->p->tiles[0].groups[0].in_channels = 2;
}
static void pool_stride(struct rig *r)
{
    r->p->tiles[0].windows[0].stride[1] = 1;
}
static void pool_padding(struct rig *r)
{
    r->view[0][0].pad_value = 0;
}
static void pool_kind(struct rig *r)
{
    r->p->tiles[0].windows[0].kind = WINDOW_SUM;
}
static void other_operand_order(struct rig *r)
{
    r->p->tiles[0].programs[0].ops[0] = (struct isa_lane){LANE_SUB, LANE_A, LANE_B, 0};
}
static void same_operand(struct rig *r)
{
    nth(r, 0, ISA_vmap, 0)->b.view = 0;
}
static void shifted_columns(struct rig *r)
{
    r->view[0][1].base += 4;
    r->p->tiles[0].buffer_bytes += 4;
}
static void swapped_parts(struct rig *r)
{
    r->view[0][2].base += 4;
    r->view[0][3].base -= 8;
}
static void in_place(struct rig *r)
{
    r->view[0][2].base = r->view[0][0].base;
}
static void overlapping_result(struct rig *r)
{
    r->view[0][1].base -= 32;
}
static void reduce_other_axis(struct rig *r)
{
    struct isa_inst *i = nth(r, 0, ISA_vred, 0);
    i->flags = 2;
    r->view[0][1].channels = 2;
    r->view[0][1].col_pitch = 8;
    r->view[0][1].row_pitch = 8;
}
static void divide_by_maximum(struct rig *r)
{
    nth(r, 0, ISA_vmap, 1)->b = nth(r, 0, ISA_vmap, 0)->b;
}
static void swapped_quotient(struct rig *r)
{
    r->p->tiles[0].programs[1].ops[0] = (struct isa_lane){LANE_DIV, LANE_B, LANE_A, 0};
}
static void not_transposed(struct rig *r)
{
    nth(r, 0, ISA_vmap, 0)->a.view = 0;
}
static void other_matrix(struct rig *r)
{
    struct isa_view *v = r->view[0], *x = &v[2];
    *x = v[0];
    x->row_pitch = 0;
    r->p->tiles[0].n_views++;
    nth(r, 0, ISA_vdot, 0)->b.view = 2;
}
static void other_order(struct rig *r)
{
    struct isa_view *v = r->view[0], *x = &v[2];
    *x = v[0];
    x->width = x->channels = 0;
    x->width = (uint32_t)(x->x1 = 2);
    x->channels = 4;
    x->col_pitch = 4;
    x->channel_pitch = 8;
    r->p->tiles[0].n_views++;
    nth(r, 0, ISA_vdot, 0)->b.view = 2;
    nth(r, 0, ISA_vdot, 0)->flags = VDOT_KN;
}
static void fewer_products(struct rig *r)
{
    r->view[0][2] = r->view[0][0];
    r->view[0][2].channels = 1;
    r->p->tiles[0].n_views++;
    nth(r, 0, ISA_vdot, 0)->a.view = nth(r, 0, ISA_vdot, 0)->b.view = 2;
}
static void other_rows(struct rig *r)
{
    r->p->tiles[0].gathers[0].rows[4] = 2;
}
static void other_fill(struct rig *r)
{
    r->p->tiles[0].gathers[0].fill = 0;
}
static void same_slice_twice(struct rig *r)
{
    nth(r, 0, ISA_vmap, 0)->b.view = nth(r, 0, ISA_vmap, 0)->a.view;
}
static void one_slice_only(struct rig *r)
{
    struct isa_program_entry *e = &r->p->tiles[0].programs[0];
    e->arity = 1;
    e->n_ops = 1;
    e->ops[0] = (struct isa_lane){LANE_NEG, LANE_A, 0, 0};
    e->ops[1] = (struct isa_lane){0};
    nth(r, 0, ISA_vmap, 0)->b = (struct isa_region){0};
}

static const struct small {
    void (*open)(struct rig *r);
    void (*apply)(struct rig *r);
    const char *text; /* NULL: right */
} smalls[] = {
    {open_pool, no_change, NULL},
    {open_pool, pool_stride, "window 0 is not that of 'm'"},
    {open_pool, pool_padding, "pads 'm' with 0"},
    {open_pool, pool_kind, "window 0 is not that of 'm'"},
    {open_average, no_change, NULL},
    {open_overlap, no_change, NULL},
    {open_overlap, overlap_crop, "window 0 is not that of 'm'"},
    {open_overlap, overlap_dilation, "window 0 is not that of 'm'"},
    {open_overlap, overlap_stride, "window 0 is not that of 'm'"},
    {open_overlap, overlap_as_sum, "window 0 is not that of 'm'"},
    {open_overlap, overlap_swapped_taps, "reads 'x' (0, 0, 1) where 'x' (0, 0, 0) belongs"},
    {open_reduce, no_change, NULL},
    {open_reduce, reduce_to_maximum, "'m' reduces to the sum"},
    {open_reduce, reduce_fewer_rows, "reduces 3 of 4 elements"},
    {open_take, no_change, NULL},
    {open_take, take_columns, "takes along another axis than 'm'"},
    {open_take, take_other_padding, "is 0 outside the operand of 'm'"},
    {open_take, take_from_fewer_rows, "takes from 3 of 4 elements"},
    {open_take, take_by_turned_indices, "of constant 'k' is 1"},
    {open_take, take_from_other_columns, "where 'x' (0, 0, 0) belongs"},
    {open_residual, no_change, NULL},
    {open_residual, other_operand_order, "does not compute 'm'"},
    {open_residual, same_operand, "does not compute 'm'"},
    {open_residual, in_place, NULL},
    {open_concat, no_change, NULL},
    {open_concat, shifted_columns, "reads"},
    {open_concat, swapped_parts, "reads"},
    {open_softmax, no_change, NULL},
    {open_softmax, reduce_other_axis, "reduces other axes"},
    {open_softmax, divide_by_maximum, "does not compute 'm'"},
    {open_softmax, swapped_quotient, "does not compute 'm'"},
    {open_transpose, no_change, NULL},
    {open_transpose, not_transposed, "reads 'x' (0, 1, 0) where 'x' (1, 0, 0) belongs"},
    {open_transpose, overlapping_result, "overwrites elements that it reads itself"},
    {open_dot, no_change, NULL},
    {open_dot, other_matrix, "reads 'x' (0, 0, 0) where 'x' (1, 0, 0) belongs"},
    {open_dot, other_order, "takes b in the other order than 'm'"},
    {open_dot, fewer_products, "'m' is 4 sums of 2 products"},
    {open_gather, no_change, NULL},
    {open_gather, other_rows, "reads 'x' (2, 0, 0) where 'x' (1, 0, 0) belongs"},
    {open_gather, other_fill, "fills element"},
    {open_grouped, no_change, NULL},
    {open_grouped, no_conv_groups, "conv groups instead of 2"},
    {open_partial, no_change, NULL},
    {open_partial, same_slice_twice, "does not compute 'm'"},
    {open_partial, one_slice_only, "does not compute 'm'"},
    {open_window_layer, no_change, NULL},
    {open_window_layer, patch_of_one, "2 x 4 x 3 inputs, but image 0 has 48 rows"},
    {open_window_layer, run_dropped, "summed over some columns' rows only"},
    {open_window_layer, run_moved, "summed over some columns' rows only"},
    {open_window_layer, run_shorter, "summed over some columns' rows only"},
    {open_window_layer, block_moved, "summed over some columns' rows only"},
    {open_window_layer, block_shorter, "summed over some columns' rows only"},
    {open_window_layer, pe_missing, "summed over some columns' rows only"},
    {open_window_layer, weight_changed, "image 0 does not hold the weights of 'm'"},
    {open_window_layer, weight_of_next_pixel, "image 0 does not hold the weights of 'm'"},
    {open_window_layer, product_unaligned, "2 x 5 at (1, 0) are not whole patches of 2 x 2"},
    {open_window_layer, product_cut_inside, "2 x 3 at (0, 0) are not whole patches of 2 x 2"},
    {open_window_layer, products_of_too_few_rows, "reads nothing"},
    {open_window_layer, last_column_unloaded, "reads nothing"},
    {open_window_parts, no_change, NULL},
    {open_window_parts, part_twice, "does not compute 'm'"},
    {open_window_parts, part_alone, "where 'm' (0, 0, 0) belongs"},
    {open_window_parts, part_overlaps, "does not compute 'm'"},
    {open_window_diagonal, no_change, NULL},
    {open_window_diagonal, patch_turned, "a patch of 3 x 1 instead of 1 x 3"},
    {open_window_diagonal, weight_changed, "image 0 does not hold the weights of 'm'"},
    {open_window_diagonal, last_column_unloaded, "reads nothing"},
    {open_steps, no_change, NULL},
    {open_steps, step_of_another_value, "vector program 0 does not compute 'h' from 'fc2'"},
    {open_steps, step_of_no_value, "its result is no value of the graph"},
    {open_steps, step_reads_another_row, "does not compute 'm'"},
    {open_steps, product_of_another_value, "reads 'h' (0, 0, 0) where 'x' (0, 0, 0) belongs"},
    {open_steps, product_of_a_row_outside, "reads row -1, which its view does not have"},
    {open_steps, product_of_every_second_row, "'fc1' is more than one row of a view"},
};

START_TEST(small_program)
{
    const struct small *s = &smalls[_i / 2];
    bool with_graph = _i % 2;
    if (s->text && !with_graph)
        return;
    struct rig r;
    s->open(&r);
    s->apply(&r);
    if (s->text)
        expect_fault(&r, with_graph, s->text);
    else
        expect_fine(&r, with_graph);
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("check");
    TCase *tc = tcase_create("check");
    tcase_add_loop_test(tc, pipeline_passes, 0, 2);
    tcase_add_loop_test(tc, pipeline_mutant, 0, 2 * (int)(sizeof mutations / sizeof *mutations));
    tcase_add_loop_test(tc, small_program, 0, 2 * (int)(sizeof smalls / sizeof *smalls));
    tcase_add_loop_test(tc, frames_pass, 0, 2 * N_SPEEDS);
    tcase_add_loop_test(tc, frames_need_each_wait, 0, N_SPEEDS);
    tcase_add_loop_test(tc, frames_need_their_stage, 0, N_SPEEDS);
    tcase_add_loop_test(tc, frames_mutant, 0, N_FRAME_MUTANTS);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
