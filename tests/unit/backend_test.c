/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* backend_test.c - schedules and programs of small graphs, against makespans worked out by hand. */
#include "backend_rig.h"
#include "../run_suite.h"

/* 12 x 12 x 3 -> 3x3 conv, pad 1 (12 x 12 x 8) -> 2x2 pool (6 x 6) -> 3x3 conv (4 x 4 x 5). */
static const char two_layers[] =
    "graph \"two\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,3,12,12], strides=[12,1,144], offset=0, "
    "extent=[12,12,3]} : f32[12x12x3] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[27,8], data=random(1)} : f32[27x8]\n"
    "%2 = pad %0 {before=[1,1,0], after=[1,1,0], mode=\"constant\", value=0.0} : f32[14x14x3]\n"
    "%3 = mvm %2, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[12x12x8] @\"a\"\n"
    "%4 = relu %3 : f32[12x12x8]\n"
    "%5 = max_pool %4 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[0,0,0,0]} : f32[6x6x8]\n"
    "%6 = constant {dtype=\"f32\", shape=[72,5], data=random(3)} : f32[72x5]\n"
    "%7 = mvm %5, %6 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[4x4x5] @\"b\"\n"
    "output %7 {index=0, dtype=\"f32\", shape=[1,5,4,4], strides=[4,1,16], offset=0} @\"y\"\n"
    "}\n";

START_TEST(layers_one_after_the_other)
{
    /* 12*12 + 4*4, whatever the sets are */
    expect(two_layers, "", SCHEDULE_LAYER_BY_LAYER, shape(1, 1), 160);
    expect(two_layers, "", SCHEDULE_LAYER_BY_LAYER, shape(2, 0), 160);
    expect(two_layers, "crossbars=1", SCHEDULE_LAYER_BY_LAYER, shape(1, 0), 160);
}
END_TEST

START_TEST(layers_overlap)
{
    /* the last pixel of b needs the last pool value, made of a's pixel 144: 144 + 1 */
    expect(two_layers, "", SCHEDULE_CROSS_LAYER, shape(1, 1), 145);
    /* b's last row starts when a's last row ends: 144 + 4 */
    expect(two_layers, "", SCHEDULE_CROSS_LAYER, shape(1, 0), 148);
    /* rows 2, 3 of b need a's last two rows; they are one set of 8 pixels: 144 + 8 */
    expect(two_layers, "crossbars=1", SCHEDULE_CROSS_LAYER, shape(2, 0), 152);
}
END_TEST

/* 6 rows of one pixel through two 1x1 convolutions; rows 0..2 and 3..5 of b have a copy each. */
static const char halves[] =
    "graph \"halves\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2,6,1], strides=[1,1,6], offset=0, "
    "extent=[6,1,2]} : f32[6x1x2] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[2,4], data=random(1)} : f32[2x4]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[6x1x4] @\"a\"\n"
    "%3 = constant {dtype=\"f32\", shape=[4,4], data=random(2)} : f32[4x4]\n"
    "%4 = mvm %2, %3 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=2, cut=[2,1]} : f32[6x1x4] @\"b\"\n"
    "output %4 {index=0, dtype=\"f32\", shape=[1,4,6,1], strides=[1,1,6], offset=0} @\"y\"\n"
    "}\n";

/* two_layers where a product of a makes 2 x 3 pixels (60 rows, 48 columns), one of b 2 x 2; a has
 * `copies` copies side by side. */
static char *in_patches(struct arena *a, int copies)
{
    static const char plain[] = "copies=1, cut=[1,1]";
    const char *first = strstr(two_layers, plain), *next = first + strlen(plain);
    return arena_printf(a, "%.*scopies=%d, cut=[1,%d], patch=[2,3]%.*s, patch=[2,2]%s",
                        (int)(first - two_layers), two_layers, copies, copies,
                        (int)(strstr(next, plain) - first), next,
                        strstr(next, plain) + strlen(plain));
}

START_TEST(products_make_patches)
{
    struct arena *a = arena_new();
    const char *one = in_patches(a, 1), *two = in_patches(a, 2);
    /* 6 x 4 products and 2 x 2; the last of b needs the last of a, or with rows its last row */
    expect(one, "", SCHEDULE_LAYER_BY_LAYER, shape(1, 0), 28);
    expect(one, "", SCHEDULE_CROSS_LAYER, shape(1, 1), 25);
    expect(one, "", SCHEDULE_CROSS_LAYER, shape(1, 0), 26);
    /* each copy has 2 of 4 columns of products, 6 x 2; the last two of b need columns of both */
    expect(two, "", SCHEDULE_CROSS_LAYER, shape(1, 1), 14);
    expect(two, "crossbars=1", SCHEDULE_CROSS_LAYER, shape(1, 0), 14);
    arena_free(a);
}
END_TEST

START_TEST(copies_share_the_sets_of_their_layer)
{
    /* a's sets of two rows end at 2, 4, 6. b's are rows 0-1 and 2, and 3 and 4-5: row 3 starts at
     * 4, rows 4-5 at 6, as without copies. Sets 3-4 and 5 would end at 9. */
    expect(halves, "", SCHEDULE_CROSS_LAYER, shape(2, 0), 8);
}
END_TEST

/* 3 rows of 4 pixels through a 1x1 convolution. */
static const char three_rows[] =
    "graph \"rows\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2,3,4], strides=[4,1,12], offset=0, "
    "extent=[3,4,2]} : f32[3x4x2] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[2,4], data=random(1)} : f32[2x4]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[3x4x4] @\"a\"\n"
    "output %2 {index=0, dtype=\"f32\", shape=[1,4,3,4], strides=[4,1,12], offset=0} @\"y\"\n"
    "}\n";

START_TEST(rows_are_loaded_ahead)
{
    /* the first row comes after 3 cycles, the others meanwhile; the last store takes 3 */
    expect(three_rows, "dram_cycles=3", SCHEDULE_CROSS_LAYER, shape(1, 0), 3 + 12 + 3);
    /* moving is slower than computing: rows of 2 x 4 x 4 bytes come, rows of 4 x 4 x 4 go, 4 bytes
     * a cycle, and the DMA never rests */
    expect(three_rows, "dram_bytes_per_cycle=4", SCHEDULE_CROSS_LAYER, shape(1, 0), 3 * (8 + 16));
}
END_TEST

static const char credits[] =
    "graph \"credits\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2,300,4], strides=[4,1,1200], offset=0, "
    "extent=[300,4,2]} : f32[300x4x2] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[2,2], data=random(1)} : f32[2x2]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[300x4x2] @\"s\"\n"
    "%3 = constant {dtype=\"f32\", shape=[2,2], data=random(2)} : f32[2x2]\n"
    "%4 = mvm %2, %3 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=2, cut=[1,2]} : f32[300x4x2] @\"a\"\n"
    "%5 = constant {dtype=\"f32\", shape=[2,2], data=random(3)} : f32[2x2]\n"
    "%6 = mvm %4, %5 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[300x4x2] @\"b\"\n"
    "%7 = add %2, %4 : f32[300x4x2]\n"
    "%8 = add %7, %6 : f32[300x4x2]\n"
    "output %8 {index=0, dtype=\"f32\", shape=[1,2,300,4], strides=[4,1,1200], offset=0} @\"y\"\n"
    "}\n";

START_TEST(credits_do_not_delay_data)
{
    struct compiled c =
        compile(credits, "crossbars=2 hop_cycles=40", SCHEDULE_CROSS_LAYER, shape(1, 0));
    ck_assert_ptr_nonnull(c.program);
    ck_assert_uint_eq(run(&c, 0), c.result.makespan_cycles);
    release(&c);
}
END_TEST

/* A 1x1 convolution with stride 2 reads even rows and columns only; 6 x 6 -> 3 x 3. */
static const char strided[] =
    "graph \"strided\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2,6,6], strides=[6,1,36], offset=0, "
    "extent=[6,6,2]} : f32[6x6x2] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[2,4], data=random(1)} : f32[2x4]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], "
    "copies=1, cut=[1,1]} : f32[6x6x4] @\"a\"\n"
    "%3 = constant {dtype=\"f32\", shape=[4,4], data=random(2)} : f32[4x4]\n"
    "%4 = mvm %2, %3 {kernel=[1,1], stride=[2,2], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], "
    "copies=1, cut=[1,1]} : f32[3x3x4] @\"b\"\n"
    "output %4 {index=0, dtype=\"f32\", shape=[1,4,3,3], strides=[3,1,9], offset=0} @\"y\"\n"
    "}\n";

START_TEST(only_what_is_read_is_waited_for)
{
    /* b's last pixel reads a's row 4, column 4: pixel 29 of 36; a goes on to 36 */
    expect(strided, "", SCHEDULE_CROSS_LAYER, shape(1, 1), 36);
}
END_TEST

/* Two layers, one initializer: 8 -> 8 channels twice. The PEs do a's 100 pixels, then b's 64. */
static const char shared[] =
    "graph \"shared\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,8,12,12], strides=[12,1,144], offset=0, "
    "extent=[12,12,8]} : f32[12x12x8] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[72,8], data=random(1)} : f32[72x8]\n"
    "%2 = mvm %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, "
    "slices=[1,1], "
    "copies=1, cut=[1,1]} : f32[10x10x8] @\"a\"\n"
    "%3 = mvm %2, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=1, "
    "slices=[1,1], "
    "copies=1, cut=[1,1]} : f32[8x8x8] @\"b\"\n"
    "output %3 {index=0, dtype=\"f32\", shape=[1,8,8,8], strides=[8,1,64], offset=0} @\"y\"\n"
    "}\n";

/* Channels 0 1 2 3 of "a" and 4 5 6 7 of "b" become 0 4 1 5 2 6 3 7. "a" and "b" have 4 sets each,
 * one a row, so the shuffle is 4 pieces of work, not one for each row and channel. */
static const char channel_shuffle[] =
    "graph \"shuffle\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,3,4,4], strides=[4,1,16], offset=0, "
    "extent=[4,4,3]} : f32[4x4x3] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[3,4], data=random(1)} : f32[3x4]\n"
    "%2 = constant {dtype=\"f32\", shape=[3,4], data=random(2)} : f32[3x4]\n"
    "%3 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[4x4x4] @\"a\"\n"
    "%4 = mvm %0, %2 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=1, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[4x4x4] @\"b\"\n"
    "%5 = concat %3, %4 {axis=2} : f32[4x4x8]\n"
    "%6 = gather_grid %5 {count=[4,4,8], index=[0,1,2,3, 0,1,2,3, 0,4,1,5,2,6,3,7], value=0.0} "
    ": f32[4x4x8]\n"
    "output %6 {index=0, dtype=\"f32\", shape=[1,8,4,4], strides=[4,1,16], offset=0} @\"y\"\n"
    "}\n";

START_TEST(shuffled_channels_are_one_piece)
{
    expect(channel_shuffle, "", SCHEDULE_CROSS_LAYER, shape(1, 0), 16);
}
END_TEST

START_TEST(layers_with_the_same_weights_share_crossbars)
{
    expect(shared, "", SCHEDULE_CROSS_LAYER, shape(1, 1), 164);
    struct compiled c = compile(shared, "", SCHEDULE_CROSS_LAYER, shape(1, 0));
    ck_assert_uint_eq(c.program->tiles[0].n_groups, 2);
    ck_assert_uint_eq(c.program->tiles[0].groups[1].shares, 1);
    ck_assert_uint_eq(c.program->n_images, 1);
    release(&c);
}
END_TEST

/* s' = tanh(s w + 1), so many times; all states are stored. */
static struct compiled steps(int n)
{
    struct text t = {0};
    text_add(&t, "graph \"steps\" crossbar {\n"
                 "%%0 = input {index=0, dtype=\"f32\", shape=[1,2], strides=[2,2,1], "
                 "extent=[1,1,2]}\n"
                 "%%1 = constant {dtype=\"f32\", shape=[2,2], data=random(1)}\n"
                 "%%2 = constant {dtype=\"f32\", shape=[1,1,2], data=dense(1.0, 0.5)}\n");
    for (int i = 0, s = 0; i < n; i++, s = 3 * i + 2)
        text_add(&t,
                 "%%%d = mvm %%%d, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=1, slices=[1,1], copies=1, cut=[1,1]}\n"
                 "%%%d = add %%%d, %%2\n%%%d = tanh %%%d\n"
                 "output %%%d {index=%d, dtype=\"f32\", shape=[1,2], strides=[2,2,1]}\n",
                 3 * i + 3, s, 3 * i + 4, 3 * i + 3, 3 * i + 5, 3 * i + 4, 3 * i + 5, i);
    text_add(&t, "}\n");
    struct compiled c = compile(t.at, "", SCHEDULE_CROSS_LAYER, shape(1, 0));
    text_free(&t);
    diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.program);
    ck_assert(backend_check(c.program, c.graph, c.diag));
    return c;
}

START_TEST(many_steps_take_the_tables_of_a_few)
{
    struct compiled few = steps(40), many = steps(300);
    const struct isa_tile *a = few.program->tiles, *b = many.program->tiles;
    ck_assert_uint_eq(a->n_groups, b->n_groups);
    ck_assert_uint_le(b->n_groups,
                      6); /* the first ones, which read no state made so, and all others */
    ck_assert_uint_eq(a->n_views, b->n_views);
    ck_assert_uint_eq(a->n_programs, 1);
    ck_assert_uint_eq(b->n_programs, 1);
    ck_assert_uint_eq(a->n_routes, b->n_routes);
    ck_assert_uint_eq(many.program->n_images, 1);
    release(&few);
    release(&many);
}
END_TEST

/* Layer a and the pool on tile 0, b on tile 1, a row a set: a's row takes 12 cycles, a pool row
 * follows every 24, b's row of 4 cycles starts when three pool rows are there. */
START_TEST(a_report_tells_what_is_moved_and_kept)
{
    struct compiled c = compile(two_layers, "crossbars=1", SCHEDULE_CROSS_LAYER, shape(1, 0));
    const struct backend_detail *d = c.result.detail;
    ck_assert_uint_eq(c.result.makespan_cycles, 148);
    ck_assert_uint_eq(d->tiles[0].busy_cycles[UNIT_PE], 144);
    ck_assert_uint_eq(d->tiles[1].busy_cycles[UNIT_PE], 16);
    ck_assert_uint_eq(d->tiles[0].busy_cycles[UNIT_VECTOR], 0);
    ck_assert_uint_eq(d->tiles[0].vector_elements, 12 * 12 * 8 + 6 * 6 * 8 * 4);
    ck_assert_uint_eq(d->tiles[1].vector_elements, 4 * 4 * 5);
    ck_assert_uint_eq(d->tiles[0].read_bytes, 12 * 12 * 3 * 4);
    ck_assert_uint_eq(d->tiles[1].written_bytes, 4 * 4 * 5 * 4);
    ck_assert_uint_eq(d->tiles[0].sent_bytes, 6 * 6 * 8 * 4);
    ck_assert_uint_eq(d->n_traffic, 1);
    ck_assert_uint_eq(d->traffic[0].from, 0);
    ck_assert_uint_eq(d->traffic[0].to, 1);
    ck_assert_uint_eq(d->traffic[0].hops, 1);
    ck_assert_uint_eq(d->traffic[0].bytes, 6 * 6 * 8 * 4);
    ck_assert_uint_eq(d->traffic[0].messages, 6);
    /* the pool's rows on b's tile: six in all, three in use while a row of b is computed */
    unsigned n = 0;
    for (uint32_t i = 0; i < d->n_buffers; i++) {
        const struct buffer_report *b = &d->buffers[i];
        ck_assert_uint_le(b->peak_rows, b->ring_rows);
        if (b->tile != 1 || b->kind != BUFFER_VALUE || strcmp(b->name, "(max_pool)") != 0)
            continue;
        n++;
        ck_assert_uint_eq(b->rows, 6);
        ck_assert_uint_eq(b->ring_rows, 3);
        ck_assert_uint_eq(b->peak_rows, 3);
        ck_assert_uint_eq(b->row_bytes, 6 * 8 * 4);
    }
    ck_assert_uint_eq(n, 1);
    release(&c);
}
END_TEST

static void expect_step(const struct path_report *e, const char *name, const char *work,
                        uint64_t start, uint64_t end)
{
    ck_assert_str_eq(e->name, name);
    ck_assert_str_eq(e->work, work);
    ck_assert_uint_eq(e->start_cycle, start);
    ck_assert_uint_eq(e->end_cycle, end);
}

/* Steps of that many cycles, one after the other. */
static void expect_path(const struct compiled *c, const uint64_t *cycles, uint32_t n)
{
    const struct backend_detail *d = c->result.detail;
    uint64_t at = 0;
    ck_assert_uint_eq(d->n_path, n);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(d->path[i].start_cycle, at);
        ck_assert_uint_eq(d->path[i].end_cycle - d->path[i].start_cycle, cycles[i]);
        at = d->path[i].end_cycle;
    }
    ck_assert_uint_eq(at, c->result.makespan_cycles);
}

START_TEST(the_slowest_path_has_no_gap)
{
    /* b's last row waits for a's twelve rows of 12 cycles, one after the other */
    struct compiled c = compile(two_layers, "crossbars=1", SCHEDULE_CROSS_LAYER, shape(1, 0));
    const struct backend_detail *d = c.result.detail;
    ck_assert_uint_eq(d->n_path, 2);
    expect_step(&d->path[0], "a", "MVM", 0, 144);
    ck_assert_uint_eq(d->path[0].n_steps, 12);
    ck_assert_uint_eq(d->path[0].n_input_waits, 0);
    expect_step(&d->path[1], "b", "MVM", 144, 148);
    ck_assert_uint_eq(d->path[1].n_input_waits, 1);
    release(&c);
    /* With costs: a's 144 pixels; the relu of its last row, 12 * 8 results on 64 lanes; the pool
     * row, 6 * 8 * 4; its message, 192 bytes at 16 a cycle and a hop; b's row; its 4 * 5 results.
     */
    c = compile(two_layers, "crossbars=1 lanes=64 link_bytes_per_cycle=16 hop_cycles=2",
                SCHEDULE_CROSS_LAYER, shape(1, 0));
    expect_path(&c, (const uint64_t[]){144, 2, 3, 12 + 2, 4, 1}, 6);
    ck_assert_uint_eq(c.result.detail->tiles[0].busy_cycles[UNIT_NETWORK], 6 * 12);
    release(&c);
    /* A cycle before each start, two from an end to its count elsewhere. A LOAD starts at 1, the
     * next one, when that is counted, at 4, the first product at 7; the STORE takes no time. */
    c = compile(two_layers,
                "crossbars=1 lanes=64 link_bytes_per_cycle=16 hop_cycles=2 start_cycles=1 "
                "complete_cycles=2",
                SCHEDULE_CROSS_LAYER, shape(1, 0));
    expect_path(&c, (const uint64_t[]){7, 12 * 13 + 2, 2 + 1, 3 + 3, 12 + 2 + 3, 4 + 3, 1 + 3}, 7);
    release(&c);
}
END_TEST

static const struct work_report *work_at(const struct backend_result *r, uint32_t task)
{
    for (uint32_t i = 0; i < r->n_works; i++)
        if (r->works[i].task == task)
            return &r->works[i];
    ck_abort_msg("no work has the task");
}

START_TEST(works_say_what_they_waited_for)
{
    /* As above: b's last row, back through message, pool row and relu to a's last row. */
    struct compiled c =
        compile(two_layers, "crossbars=1 lanes=64 link_bytes_per_cycle=16 hop_cycles=2",
                SCHEDULE_CROSS_LAYER, shape(1, 0));
    const struct backend_result *r = &c.result;
    const struct set_report *last = &r->sets[r->n_sets - 1];
    static const uint64_t start[] = {149, 146, 144}, end[] = {161, 149, 146};
    static const enum cost_unit unit[] = {UNIT_NETWORK, UNIT_VECTOR, UNIT_VECTOR};
    ck_assert_uint_eq(last->start_cycle, 163);
    uint32_t task = last->waited_for;
    for (int i = 0; i < 3; i++) {
        const struct work_report *w = work_at(r, task);
        ck_assert_int_eq(w->unit, unit[i]);
        ck_assert_uint_eq(w->tile, 0);
        ck_assert_uint_eq(w->start_cycle, start[i]);
        ck_assert_uint_eq(w->end_cycle, end[i]);
        task = w->waited_for;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        n += s->task == task;
        ck_assert(s->task != task || (s->layer == 0 && s->start_cycle == 132));
    }
    ck_assert_uint_eq(n, 1);
    release(&c);
    /* Where the rest is free, b's set waits for a's. */
    c = compile(two_layers, "crossbars=1", SCHEDULE_CROSS_LAYER, shape(1, 0));
    r = &c.result;
    ck_assert_uint_eq(r->n_works, 0);
    for (uint32_t i = 0; i < r->n_sets; i++)
        if (r->sets[i].task == r->sets[r->n_sets - 1].waited_for)
            ck_assert_uint_eq(r->sets[i].end_cycle, 144);
    release(&c);
}
END_TEST

/* One base layer of 400 x 200 pixels and six pools: far more cells that are no sets than sets. */
static char *many_pools(void)
{
    struct text t = {0};
    text_add(&t, "graph \"pools\" crossbar {\n"
                 "%%0 = input {index=0, dtype=\"f32\", shape=[1,1,400,200], strides=[200,1,80000], "
                 "offset=0, extent=[400,200,1]} : f32[400x200x1] @\"x\"\n"
                 "%%1 = constant {dtype=\"f32\", shape=[1,1], data=random(1)} : f32[1x1]\n"
                 "%%2 = mvm %%0, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=0, slices=[1,1], copies=1, cut=[1,1]} : f32[400x200x1] @\"a\"\n");
    for (int i = 3; i < 9; i++)
        text_add(&t,
                 "%%%d = max_pool %%%d {kernel=[3,3], stride=[1,1], dilation=[1,1], "
                 "pad=[1,1,1,1]} : f32[400x200x1]\n",
                 i, i - 1);
    text_add(&t, "output %%8 {index=0, dtype=\"f32\", shape=[1,1,400,200], "
                 "strides=[200,1,80000], offset=0} @\"y\"\n}\n");
    return t.at;
}

START_TEST(automatic_sets_keep_to_the_budget)
{
    char *text = many_pools();
    struct compiled c =
        compile(text, "", SCHEDULE_CROSS_LAYER, (struct set_shape){.budget = 100000});
    ck_assert_ptr_nonnull(c.program);
    uint64_t n = 0;
    for (uint32_t t = 0; t < c.program->n_tiles; t++)
        n += c.program->tiles[t].n_insts;
    ck_assert_uint_le(n, 100000);
    ck_assert_uint_ge(n, 25000); /* segments half as wide would be about twice as many */
    release(&c);
    heap_free(text);
}
END_TEST

static struct backend_makespan try_sets(struct compiled *c, struct set_shape set)
{
    struct backend_trials *t = backend_trials_new(c->graph, &c->arch, c->diag);
    struct backend_options o = {.set = set, .pes = 10000};
    struct backend_makespan found = {0};
    ck_assert_ptr_nonnull(t);
    ck_assert(backend_trial_makespan(t, &o, &found));
    backend_trials_free(t);
    return found;
}

/* Where starting work takes time, sets of single products are not the fastest. */
START_TEST(trials_find_the_fastest_sets_of_a_budget)
{
    static const char *const machines[] = {"", "lanes=4 vector_setup_cycles=30 hop_cycles=5",
                                           "start_cycles=9 complete_cycles=9"};
    static const struct set_shape all[] = {{.rows = 1, .cols = 1},
                                           {.rows = 1, .cols = 2},
                                           {.rows = 1, .cols = 4},
                                           {.rows = 1, .cols = 8},
                                           {.rows = 1},
                                           {.rows = 2},
                                           {.rows = 4}};
    for (int m = 0; m < 3; m++) {
        struct compiled c = compile(two_layers, machines[m], SCHEDULE_CROSS_LAYER, shape(1, 0));
        struct backend_makespan best = try_sets(&c, (struct set_shape){.budget = 100000});
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            ck_assert_uint_ge(try_sets(&c, all[i]).cycles, best.cycles);
        ck_assert_uint_eq(try_sets(&c, best.set).cycles, best.cycles);
        ck_assert_int_eq(best.set.rows == 1 && best.set.cols == 1, m == 0);
        release(&c);
    }
}
END_TEST

START_TEST(too_small_a_machine_is_an_error)
{
    struct compiled c =
        compile(two_layers, "tiles=1 crossbars=1", SCHEDULE_CROSS_LAYER, shape(1, 0));
    ck_assert_ptr_null(c.program);
    ck_assert_int_eq(c.diag->first->code, DIAG_CAPACITY);
    ck_assert_ptr_nonnull(strstr(c.diag->first->text, "needs 2 tiles"));
    release(&c);
    c = compile(two_layers, "buffer_bytes=100", SCHEDULE_CROSS_LAYER, shape(1, 0));
    ck_assert_ptr_null(c.program);
    ck_assert_ptr_nonnull(strstr(c.diag->first->text, "buffer_bytes"));
    release(&c);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        layers_one_after_the_other,
        layers_overlap,
        products_make_patches,
        copies_share_the_sets_of_their_layer,
        rows_are_loaded_ahead,
        credits_do_not_delay_data,
        only_what_is_read_is_waited_for,
        shuffled_channels_are_one_piece,
        layers_with_the_same_weights_share_crossbars,
        many_steps_take_the_tables_of_a_few,
        a_report_tells_what_is_moved_and_kept,
        the_slowest_path_has_no_gap,
        works_say_what_they_waited_for,
        automatic_sets_keep_to_the_budget,
        trials_find_the_fastest_sets_of_a_budget,
        too_small_a_machine_is_an_error,
    };
    Suite *s = suite_create("backend");
    TCase *t = tcase_create("backend");
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(t, tests[i]);
    return run_suite(s);
}
