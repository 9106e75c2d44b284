/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_frames.h - the pipeline as the body of a program of many frames: the rows of a frame, each
 * instruction as early as what it waits for allows, frames at an interval; one period of that is
 * the body. And what breaks it.
 */
#ifndef CIMC_CHECK_FRAMES_H
#define CIMC_CHECK_FRAMES_H

#include "check_pipeline.h"

/* Instructions of a row, in the order of their queues. */
enum part { LOAD, PRODUCT, ACTIVATE, SEND_ROW, PRODUCT2, FREE_ROW, STORE_ROW, N_PARTS };
enum { N_TASKS = N_PARTS * ROWS };
static const struct {
    unsigned tile;
    enum isa_op op;
    unsigned queue;
    uint16_t obj, dst, a;
    const char *node;
} parts[N_PARTS] = {
    [LOAD] = {0, ISA_load, DMA, 0, X, 0, "x"},
    [PRODUCT] = {0, ISA_mvm, GROUP, 0, ACC, 0, "conv1"},
    [ACTIVATE] = {0, ISA_vmap, VU, 0, Y, ACC, "relu"},
    [SEND_ROW] = {0, ISA_send, TX, 0, 0, Y, "relu"},
    [PRODUCT2] = {1, ISA_mvm, GROUP, 0, ACC2, 0, "conv2"},
    [FREE_ROW] = {1, ISA_signal, GROUP, 0, 0, 0, "conv2"},
    [STORE_ROW] = {1, ISA_store, DMA, 1, 0, ACC2, "y"},
};

/* Cycles of an instruction, between rows, between frames; x's ring and the others, in rows. */
static const struct speed {
    int latency, rows, interval, x_ring, ring;
} speeds[] = {{1, 1, 6, 4, 2},  {1, 1, 7, 4, 2},   {1, 1, 9, 5, 3},    {1, 1, 20, 4, 2},
              {2, 1, 13, 5, 3}, {5, 1, 12, 13, 8}, {9, 1, 10, 24, 13}, {3, 2, 8, 9, 6}};
enum { N_SPEEDS = sizeof speeds / sizeof *speeds };

/* Instruction `task` of the frame `back` frames before, through a counter: its queue, or that of
 * the messages it sends. */
struct need {
    int task, back;
    bool message;
};
struct task {
    struct need needs[3];
    int n_needs, start, place; /* place: of what its counters count in a body, from 1 on */
};
struct body {
    const struct speed *speed;
    struct task tasks[N_TASKS];
    int order[N_TASKS];
};

static int task_of(enum part p, int row)
{
    return (int)p * ROWS + row;
}

static void need(struct task *t, enum part p, int row, bool message)
{
    int back = row < 0 ? (ROWS - 1 - row) / ROWS : 0;
    t->needs[t->n_needs++] = (struct need){task_of(p, row + back * ROWS), back, message};
}

/* The product that reads a row of x last; row < 0: of earlier frames. */
static int last_reader(int row)
{
    int frame = row < 0 ? -((ROWS - 1 - row) / ROWS) : 0, y = row - frame * ROWS;
    return frame * ROWS + (y + 1 < ROWS ? y + 1 : ROWS - 1);
}

static void needs_of_row(struct body *b, int r)
{
    const struct speed *s = b->speed;
    struct task *t[N_PARTS];
    for (int p = 0; p < N_PARTS; p++)
        t[p] = &b->tasks[task_of((enum part)p, r)];
    need(t[LOAD], PRODUCT, last_reader(r - s->x_ring), false);
    need(t[PRODUCT], LOAD, r + 1 < ROWS ? r + 1 : ROWS - 1, false);
    need(t[PRODUCT], ACTIVATE, r - s->ring, false);
    need(t[ACTIVATE], PRODUCT, r, false);
    need(t[ACTIVATE], SEND_ROW, r - s->ring, false);
    need(t[SEND_ROW], ACTIVATE, r, false);
    need(t[SEND_ROW], FREE_ROW, r - s->ring, true);
    need(t[PRODUCT2], SEND_ROW, r, true);
    need(t[PRODUCT2], STORE_ROW, r - s->ring, false);
    need(t[STORE_ROW], PRODUCT2, r, false);
}

static int max_of(int a, int b)
{
    return a > b ? a : b;
}

/* One after the other in each queue, and after what they need. FREE_ROW goes with its product. */
static bool start_later(struct body *b, int i)
{
    struct task *t = &b->tasks[i];
    int latency = b->speed->latency, start = t->start;
    if (i / ROWS == FREE_ROW)
        start = b->tasks[i - ROWS].start;
    else if (i % ROWS)
        start = max_of(start, b->tasks[i - 1].start + b->speed->rows);
    for (int n = 0; n < t->n_needs; n++) {
        int from =
            b->tasks[t->needs[n].task].start + latency - t->needs[n].back * b->speed->interval;
        start = max_of(start, from);
    }
    bool later = start > t->start;
    t->start = start;
    return later;
}

static int stage_of(const struct body *b, int i)
{
    return b->tasks[i].start / b->speed->interval;
}

static bool goes_before(const struct body *b, int i, int j)
{
    int n = b->speed->interval, x = b->tasks[i].start % n, y = b->tasks[j].start % n;
    if (x != y)
        return x < y;
    if (stage_of(b, i) != stage_of(b, j))
        return stage_of(b, i) > stage_of(b, j);
    return i % ROWS != j % ROWS ? i % ROWS < j % ROWS : i < j;
}

static void order_body(struct body *b)
{
    bool more = true;
    for (int tries = 0; more; tries++) {
        ck_assert_int_lt(tries, 1000); /* else the interval is too short for the rings */
        more = false;
        for (int i = 0; i < N_TASKS; i++)
            more |= start_later(b, i);
    }
    for (int n = 0; n < N_TASKS; n++) {
        int at = n;
        for (; at > 0 && goes_before(b, n, b->order[at - 1]); at--)
            b->order[at] = b->order[at - 1];
        b->order[at] = n;
    }
}

/* Counts in a body, of queues and of both inbound counters. */
static int counted_by(int task, bool message)
{
    unsigned part = (unsigned)task / ROWS;
    return message ? 100 + (int)parts[part].tile : (int)(10 * parts[part].tile + parts[part].queue);
}

static void emit_body(struct rig *r, struct body *b)
{
    int n[102] = {0};
    for (int k = 0; k < N_TASKS; k++)
        b->tasks[b->order[k]].place = ++n[counted_by(b->order[k], false)];
    for (int k = 0; k < N_TASKS; k++) {
        int i = b->order[k], part = i / ROWS, row = i % ROWS;
        const struct task *t = &b->tasks[i];
        struct isa_inst *in =
            add_inst(r, parts[part].tile, parts[part].op, parts[part].queue, parts[part].obj);
        if (part != FREE_ROW)
            rows(r, parts[part].tile, in, parts[part].dst, parts[part].a, row, 1);
        r->source[parts[part].tile][in - r->inst[parts[part].tile]] =
            op_named(r, parts[part].node)->id;
        in->stage = (uint8_t)stage_of(b, i);
        for (int j = 0; j < t->n_needs; j++) {
            const struct need *x = &t->needs[j];
            int place = b->tasks[x->task].place, step = n[counted_by(x->task, false)];
            if (x->message && parts[x->task / ROWS].op == ISA_signal)
                place /= 2, step = ROWS; /* every second one of its queue */
            int32_t threshold = place + (stage_of(b, x->task) - in->stage - x->back) * step;
            isa_inst_wait(in, x->message ? DATA : parts[x->task / ROWS].queue,
                          (uint32_t)threshold & ((1u << ISA_THRESHOLD_BITS) - 1));
        }
    }
}

static void frames_open(struct rig *r, struct body *b, const struct speed *s)
{
    *b = (struct body){.speed = s};
    rig_open(r, pipeline_ir, 2);
    pipeline_tables(r, (uint32_t)s->x_ring, (uint32_t)s->ring);
    for (int row = 0; row < ROWS; row++)
        needs_of_row(b, row);
    order_body(b);
    emit_body(r, b);
    r->p->frames = 3;
    for (unsigned t = 0; t < 2; t++) {
        struct isa_tile *tile = &r->p->tiles[t];
        tile->n_steps = 1;
        tile->step = ARENA_NEW(r->p->arena, uint32_t);
        *tile->step = ROWS;
        for (uint32_t v = 0; v < tile->n_views; v++)
            r->view[t][v].frame_rows = r->view[t][v].height == ROWS ? ROWS : 0;
    }
    for (uint32_t i = 0; i < r->p->n_bindings; i++) {
        struct isa_binding *x = &r->p->bindings[i];
        x->frame_stride = (int64_t)x->height * x->width * x->channels;
    }
}

START_TEST(frames_pass)
{
    struct rig r;
    struct body b;
    frames_open(&r, &b, &speeds[_i / 2]);
    expect_fine(&r, _i % 2);
    rig_close(&r);
}
END_TEST

/* The instruction of a task. */
static struct isa_inst *inst_of(struct rig *r, const struct body *b, int task)
{
    unsigned tile = parts[task / ROWS].tile, n = 0;
    for (int k = 0; b->order[k] != task; k++)
        n += parts[b->order[k] / ROWS].tile == tile;
    return &r->inst[tile][n];
}

static void add_threshold(struct isa_wait *w, int n)
{
    w->threshold = (w->threshold + (uint32_t)n) & ((1u << ISA_THRESHOLD_BITS) - 1);
}

/* The row before has waited for the same: then it is known, if it was not in a frame before that
 * of what is waited for. */
static bool waited_before(const struct body *b, int task, int n)
{
    int frames = task % ROWS == 0, before = task - 1 + frames * ROWS;
    const struct need *x = &b->tasks[task].needs[n], *y = &b->tasks[before].needs[n];
    return x->task == y->task && x->back == y->back + frames;
}

/* Without a wait, or with one for the instruction before, an order is missing. */
START_TEST(frames_need_each_wait)
{
    struct rig r;
    struct body b;
    frames_open(&r, &b, &speeds[_i]);
    rig_close(&r);
    for (int task = 0; task < N_TASKS; task++)
        for (int n = 0; n < 2 * b.tasks[task].n_needs; n++) {
            frames_open(&r, &b, &speeds[_i]);
            struct isa_inst *in = inst_of(&r, &b, task);
            if (n % 2)
                drop_wait(in, (unsigned)n / 2);
            else
                add_threshold(&in->wait[n / 2], -1);
            ck_assert_msg(check_rig(&r, true) == waited_before(&b, task, n / 2),
                          "part %d row %d need %d", task / ROWS, task % ROWS, n);
            rig_close(&r);
        }
}
END_TEST

/* An instruction for the frame before, or the one after. A SIGNAL has no frame of its own. */
START_TEST(frames_need_their_stage)
{
    struct rig r;
    struct body b;
    for (int n = 0; n < 2 * N_TASKS; n++) {
        frames_open(&r, &b, &speeds[_i]);
        struct isa_inst *in = inst_of(&r, &b, n / 2);
        if (in->op != ISA_signal && (n % 2 || in->stage > 0)) {
            in->stage = (uint8_t)(n % 2 ? in->stage + 1 : in->stage - 1);
            ck_assert_msg(!check_rig(&r, true), "part %d row %d", n / 2 / ROWS, n / 2 % ROWS);
        }
        rig_close(&r);
    }
}
END_TEST

/* Two activations one after the other in the queue, the latter of so many frames before; its own
 * wait for its product goes to the former, that waits at least as long. */
static void move_wait(struct rig *r, int frames)
{
    struct isa_inst *first = NULL;
    for (uint32_t i = 0; i < r->p->tiles[0].n_insts; i++) {
        struct isa_inst *in = &r->inst[0][i];
        if (in->op != ISA_vmap)
            continue;
        if (first && in->stage - first->stage == frames) {
            isa_inst_wait(first, GROUP, in->wait[0].threshold);
            drop_wait(in, 0);
            return;
        }
        first = in;
    }
    ck_abort_msg("no such pair");
}

static void wait_of_next_frame(struct rig *r)
{
    move_wait(r, 1);
}
static void wait_of_previous_frame(struct rig *r)
{
    move_wait(r, -1);
}
static void wait_of_same_frame(struct rig *r)
{
    move_wait(r, 0);
}
static void rows_of_a_longer_frame(struct rig *r)
{
    r->view[0][Y].frame_rows++;
}
static void rows_of_a_shorter_frame(struct rig *r)
{
    r->view[0][X].frame_rows--;
}
static void rows_of_no_frame(struct rig *r)
{
    r->view[1][Y2].frame_rows = 0;
}
static void constants_that_move(struct rig *r)
{
    r->view[0][BIAS].frame_rows = 2;
    r->view[0][BIAS].ring_rows = 3;
    r->p->tiles[0].buffer_bytes += 2 * 8;
}
static void views_that_move_apart(struct rig *r)
{
    struct isa_view *v = &r->view[0][r->p->tiles[0].n_views++];
    *v = r->view[0][X];
    v->frame_rows = ROWS + 1;
}
static void outputs_at_one_place(struct rig *r)
{
    r->p->bindings[1].frame_stride = 0;
}
static void load_in_the_first_frame(struct rig *r)
{
    nth(r, 0, ISA_load, 2)->flags = DMA_FIRST;
}
static void store_in_the_last_frame(struct rig *r)
{
    nth(r, 1, ISA_store, 2)->flags = DMA_LAST;
}
static void wait_for_next_iteration(struct rig *r)
{
    add_threshold(&nth(r, 1, ISA_mvm, 0)->wait[0], ROWS);
}
static void circle(struct rig *r)
{
    isa_inst_wait(nth(r, 0, ISA_send, 0), CREDIT, ROWS);
}
static void row_twice(struct rig *r)
{
    nth(r, 1, ISA_store, 2)->y = nth(r, 1, ISA_store, 3)->y;
}
static void much_larger_ring(struct rig *r)
{
    struct isa_view *v = &r->view[1][ACC2];
    v->ring_rows = 500 * ROWS;
    r->p->tiles[1].buffer_bytes += 500 * (uint64_t)(ROWS * v->row_pitch);
}
static void pace(struct rig *r)
{
    r->p->pace = 6;
    isa_inst_wait(nth(r, 0, ISA_load, 0), ISA_PACE_COUNTER, 1);
}
static void other_number_of_frames(struct rig *r)
{
    r->p->frames = 1;
}

static const struct {
    unsigned speed;
    void (*apply)(struct rig *r);
    const char *text; /* NULL: right */
} frame_mutants[] = {
    {1, wait_of_same_frame, NULL},
    {1, pace, NULL},
    {1, other_number_of_frames, NULL},
    {7, wait_of_next_frame, "in a run of 1 frames nothing orders it after instruction"},
    {1, wait_of_previous_frame, "without waiting for instruction"},
    {1, rows_of_a_longer_frame, "overwrites memory of tile 0"},
    {1, rows_of_a_shorter_frame, "overwrites memory of tile 0"},
    {1, rows_of_no_frame, "whose place in the ring has been given to a later row"},
    {1, constants_that_move, "view 3 has 2 rows a frame"},
    {1, views_that_move_apart, "view 4 has 7 rows a frame"},
    {1, load_in_the_first_frame, "acts in some frames only"},
    {1, store_in_the_last_frame, "acts in some frames only"},
    {1, outputs_at_one_place, "all frames have one place in binding 1"},
    {1, wait_for_next_iteration, "never starts: waits for message 7 on counter 128, has 6"},
    {1, circle, "never starts: waits for message"},
    {1, row_twice, "where 'conv2'"},
    {1, much_larger_ring, "does not repeat from frame to frame"},
};
enum { N_FRAME_MUTANTS = sizeof frame_mutants / sizeof *frame_mutants };

START_TEST(frames_mutant)
{
    struct rig r;
    struct body b;
    frames_open(&r, &b, &speeds[frame_mutants[_i].speed]);
    frame_mutants[_i].apply(&r);
    if (frame_mutants[_i].text)
        expect_fault(&r, true, frame_mutants[_i].text);
    else
        expect_fine(&r, true);
    rig_close(&r);
}
END_TEST

#endif
