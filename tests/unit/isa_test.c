/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_test.c - text and file round trips, every kind of fault that validation knows, and damaged
 * files and texts.
 */
#include "isa.h"
#include "../run_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "isa_test_faults.h"

/* ---- helpers ---- */

static char folder[] = "/tmp/isa_test_XXXXXX";

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    static const char *const names[] = {"a", "b", "c"};
    char path[64];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    strcpy(folder, "/tmp/isa_test_XXXXXX");
}

static const char *file_in(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static char *get_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n + 1);
    ck_assert_uint_eq(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static struct isa_program *assemble(const char *text)
{
    struct diag *d = diag_new();
    struct isa_program *p = isa_assemble(text, strlen(text), "test.asm", d);
    if (!p)
        diag_print(d, stderr);
    ck_assert_ptr_nonnull(p);
    diag_free(d);
    return p;
}

static void write_program(const struct isa_program *p, const char *path)
{
    struct diag *d = diag_new();
    uint64_t bytes = 0;
    size_t n;
    ck_assert(isa_program_write(p, path, &bytes, d));
    free(get_file(path, &n));
    ck_assert_uint_eq(n, bytes);
    diag_free(d);
}

static struct isa_program *read_program(const char *path)
{
    struct diag *d = diag_new();
    struct isa_program *p = isa_program_read(path, d);
    if (!p)
        diag_print(d, stderr);
    ck_assert_ptr_nonnull(p);
    diag_free(d);
    return p;
}

static char *disassemble(const struct isa_program *p, bool hex)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    isa_disassemble(p, &(struct isa_dis_options){.inline_sections = hex}, f);
    fclose(f);
    return text;
}

static void same_files(const char *a, const char *b)
{
    size_t n, m;
    char path[64];
    snprintf(path, sizeof path, "%s", file_in(a));
    char *x = get_file(path, &n), *y = get_file(file_in(b), &m);
    ck_assert_uint_eq(n, m);
    ck_assert_int_eq(memcmp(x, y, n), 0);
    free(x);
    free(y);
}

START_TEST(tables_answer)
{
    ck_assert_ptr_null(isa_op_name(6));
    ck_assert_ptr_null(isa_op_name(1000));
    ck_assert_str_eq(isa_lane_name(LANE_LEAKY), "leaky");
    ck_assert_uint_eq(isa_lane_arity(LANE_LEAKY), 2);
    ck_assert_uint_eq(isa_lane_arity(LANE_ABS), 1);
    ck_assert_ptr_null(isa_lane_name(N_LANE_OPS));
    struct text t = {0};
    isa_print_tables(&t);
    ck_assert_ptr_nonnull(strstr(t.at, "| 9 | signal | r |"));
    ck_assert_ptr_nonnull(strstr(t.at, "| dst h w a b |"));
    text_free(&t);
}
END_TEST

/* ---- text and files ---- */

START_TEST(example_means_what_it_says)
{
    struct isa_program *p = assemble(example);
    const struct isa_tile *t = &p->tiles[0];
    const struct isa_inst *mvm = &t->insts[1];
    ck_assert_uint_eq(p->n_tiles, 1);
    ck_assert_uint_eq(t->n_insts, 4);
    ck_assert_str_eq(p->model, "example.onnx");
    ck_assert_uint_eq(p->scheduled_cycles, 4);
    ck_assert_int_eq(p->arch.rows, 256);
    ck_assert_str_eq(p->nodes[0].entity, "node 0 'conv1' (Conv)");
    const float *weights = isa_image_data(p, 0);
    ck_assert(weights[0] == 1.0f && weights[1] == -2.0f);
    ck_assert_uint_eq(isa_address(&t->views[1], 0, 1, 1), 16 + 16 + 8);
    ck_assert_uint_eq(mvm->op, ISA_mvm);
    ck_assert_uint_eq(mvm->n_waits, 1);
    ck_assert_uint_eq(mvm->wait[0].counter, 3);
    ck_assert_uint_eq(mvm->wait[0].threshold, 1);
    ck_assert_uint_eq(t->sources[0], ISA_NO_SOURCE);
    ck_assert_uint_eq(t->sources[1], 0);
    ck_assert_uint_eq(t->programs[0].ops[0].op, LANE_MAX);
    ck_assert_uint_eq(t->programs[0].ops[0].y, LANE_IMM);
    isa_program_free(p);
}
END_TEST

static const char *const round_trips[] = {example, everything, integers, patched, body};

/* File a -> text -> file b == a, with sections inline and by reference; text is stable. */
START_TEST(text_and_file_round_trip)
{
    struct isa_program *p = assemble(round_trips[_i]);
    write_program(p, file_in("a"));
    isa_program_free(p);
    for (int hex = 0; hex < 2; hex++) {
        p = read_program(file_in("a"));
        char *text = disassemble(p, hex);
        ck_assert((strstr(text, " file(\"") != NULL) == !hex);
        struct isa_program *q = assemble(text);
        write_program(q, file_in("b"));
        same_files("a", "b");
        char *again = disassemble(q, hex);
        ck_assert_str_eq(text, again);
        free(text);
        free(again);
        isa_program_free(p);
        isa_program_free(q);
    }
}
END_TEST

/* Five NOPs that are no run, as ISA.md 9.4 lays them out by hand: a walker and a template of zeros;
 * the fourth has no node. */
#define FIVE_NOPS                                                                                  \
    "stream hex { 01000000 00000000 00000000 01000000 00000000 00000000 00000000 06000000 "        \
    "00000000000000000000000000000000 00000000 00 00 00 00 00 ff }\n"
#define TWO_NODES "sources hex { 00000000 03000000 ffffffff }\n"
#define ONE_TILE "isa 2 arch \"base: clsa\\n\" node 0 {name=\"n\"} tile 0 {}\n"

START_TEST(foreign_encodings_stay_as_they_are)
{
    struct isa_program *p = assemble(ONE_TILE FIVE_NOPS TWO_NODES);
    ck_assert_uint_eq(p->tiles[0].n_insts, 5);
    ck_assert_uint_eq(p->tiles[0].sources[2], 0);
    ck_assert_uint_eq(p->tiles[0].sources[3], ISA_NO_SOURCE);
    write_program(p, file_in("a"));
    isa_program_free(p);
    p = read_program(file_in("a"));
    char *text = disassemble(p, false);
    ck_assert_ptr_nonnull(strstr(text, "\nstream hex {\n  01000000 "));
    ck_assert_ptr_nonnull(strstr(text, "\nsources hex {\n  00000000 03000000 ffffffff\n}\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n;     2: q0.nop @0"));
    struct isa_program *q = assemble(text);
    write_program(q, file_in("b"));
    same_files("a", "b");
    isa_program_free(p);
    isa_program_free(q);
    free(text);
    p = assemble(ONE_TILE "q0.nop @0 q0.nop @0 q0.nop @0 q0.nop q0.nop @0\n");
    text = disassemble(p, false);
    ck_assert_ptr_null(strstr(text, "stream hex"));
    free(text);
    isa_program_free(p);
}
END_TEST

/* A walker of stage 1 and its FRAME, then its NOP, of stage 0. */
#define STAGE_AND_FRAME                                                                            \
    "stream hex { 01000000 00000000 00000000 01000000 00000000 00000000 00000000 05000000\n"       \
    "  00000100 00000000 00000000 00000000 00000000 f00080 00 ff }\nsources hex { ffffffff }\n"

START_TEST(faults_of_given_streams)
{
    static const char *const cases[][2] = {
        {ONE_TILE FIVE_NOPS, "the tile has no sources"},
        {ONE_TILE FIVE_NOPS TWO_NODES "q0.nop\n", "the tile has instructions, too"},
        {ONE_TILE FIVE_NOPS FIVE_NOPS, "given twice"},
        {ONE_TILE "stream file(\"x\")\n", "expected hex"},
        {ONE_TILE TWO_NODES, "the tile has no stream"},
        {ONE_TILE TWO_NODES "q0.nop\n", "the tile has instructions, too"},
        {ONE_TILE STAGE_AND_FRAME, "a walker with a stage in a program without frames"},
        {ONE_TILE "stream hex { 00 }" TWO_NODES, "it has no head"},
        {ONE_TILE FIVE_NOPS "sources hex { }\n", "one node for each walker"},
        {ONE_TILE FIVE_NOPS "sources hex { 00 }\n", "one node for each walker"},
        {ONE_TILE FIVE_NOPS "sources hex { 00000000 00000000 }\n", "one node for each walker"},
        /* another node than the first one's; listed for nothing; out of order; beyond the end */
        {ONE_TILE FIVE_NOPS "sources hex { ffffffff 00000000 00000000 }\n", "one node for each"},
        {ONE_TILE FIVE_NOPS "sources hex { 00000000 03000000 00000000 }\n", "one node for each"},
        {ONE_TILE FIVE_NOPS "sources hex { 00000000 03000000 ffffffff 02000000 ffffffff }\n",
         "one node for each"},
        {ONE_TILE FIVE_NOPS "sources hex { 00000000 05000000 ffffffff }\n", "one node for each"},
        {ONE_TILE FIVE_NOPS "sources hex { 01000000 }\n", "no node 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diag *d = diag_new();
        ck_assert_ptr_null(isa_assemble(cases[i][0], strlen(cases[i][0]), "text", d));
        ck_assert_msg(strstr(d->first->text, cases[i][1]), "expected: %s, found: %s", cases[i][1],
                      d->first->text);
        diag_free(d);
    }
}
END_TEST

START_TEST(text_is_readable)
{
    struct isa_program *p = assemble(everything);
    char *text = disassemble(p, false);
    static const char *const lines[] = {
        "\ntile 0 {buffer_bytes=4096, inbound_counters=2}  ; queues: VU q2, TX q3, DMA q4\n",
        "\n     2: q0.mvm g0 dst=v1(1,1) h=2 w=2 wait q0>=1, q4>=1 @0  ; conv?1\n",
        "\n     4: q2.vmap p0 dst=v1(0,0) h=2 w=1 a=v0(-1,-1) b=v1(3,3) wait i129>=2097152\n",
        "\n     8: q2.vred sum(hw) dst=v3(0,0) h=4 w=4 a=v0(0,0)\n",
        "\n    14: q4.store b1 a=v1(3,0) h=1 w=4 y=0 x=0 c=1\n",
        "\nroute 0 [{tile=1, counter=128}, {view=1, counter=128}]\n",
        "\ngather 0 {rows=[0, -1, 3, 3], channels=[1, 0], fill=0.1}\n",
        "[mul a c0, add t0 c1, max t1 #-1.5e-07, leaky t2 b, sigmoid t3, div t4 #inf, abs #nan]\n",
        "pad_value=nan:0xffc00001",
        "pad_value=-0.0",
        "\ngraph_fingerprint 0x0123456789abcdef\n",
        "\nsection 1 \"\" hex {\n  0000003f 0000803f 000000bf 000080bf\n}\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(strstr(text, lines[i]), "missing: %s", lines[i]);
    free(text);
    isa_program_free(p);
}
END_TEST

START_TEST(text_of_frames)
{
    struct isa_program *p = assemble(body);
    const struct isa_inst *load = &p->tiles[0].insts[1];
    ck_assert_uint_eq(p->frames, 3);
    ck_assert_uint_eq(p->pace, 10);
    ck_assert_uint_eq(p->tiles[0].step[0], 1);
    ck_assert_int_eq(isa_threshold(load->wait[1].threshold), -1);
    ck_assert_uint_eq(load->wait[1].threshold, (1 << ISA_THRESHOLD_BITS) - 1);
    ck_assert_uint_eq(p->tiles[0].insts[0].flags, DMA_FIRST);
    ck_assert_uint_eq(p->tiles[1].insts[1].flags, DMA_LAST);
    char *text = disassemble(p, false);
    static const char *const lines[] = {
        "\nframes 3\npace 10\ninterval_cycles 10\nlatency_cycles 14\n",
        "frame_stride=2}\n",
        "\ntile 0 {buffer_bytes=24, inbound_counters=1, step=[1]}",
        "frame_rows=1}\n",
        "q2.load b1 first dst=v1(0,0) h=1 w=2",
        " wait i1022>=1, i128>=-1\n",
        "q2.store b3 last a=v0(0,0) h=1 w=2 y=0 x=0 c=0 stage=1\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(strstr(text, lines[i]), "missing: %s", lines[i]);
    free(text);
    isa_program_free(p);
}
END_TEST

static struct isa_memory memory_named(const struct isa_program *p, const char *name,
                                      struct arena *a)
{
    for (unsigned i = 0; i < ISA_MEMORIES; i++) {
        struct isa_memory m = isa_tile_memory(p, 0, i, a);
        if (strcmp(m.name, name) == 0)
            return m;
    }
    ck_abort_msg("no memory %s", name);
}

/* By hand from DUMP.md: a PE's 100 bits, then the number of its first run and how many it has. */
START_TEST(memories_of_runs_and_steps)
{
    struct isa_program *p = assemble(patched);
    struct arena *a = arena_new();
    struct isa_memory pes = memory_named(p, "pes", a), runs = memory_named(p, "runs", a);
    ck_assert_uint_eq(pes.n, 2);
    enum { PE = 44, RUN = 20 };
    ck_assert_uint_eq(pes.word_bytes, PE);
    /* bit 100: first run 2 of the second PE; bit 132: two runs; bit 164: conv group 0; bit 188: of
     * 1; bit 212: 4 rows */
    ck_assert_uint_eq(pes.words[PE + 12], 2 << 4);
    ck_assert_uint_eq(pes.words[PE + 16], 2 << 4);
    ck_assert_uint_eq(pes.words[PE + 23], 1 << 4);
    ck_assert_uint_eq(pes.words[PE + 26], 4 << 4);
    ck_assert_uint_eq(runs.n, 4);
    ck_assert_uint_eq(runs.word_bytes, RUN);
    /* the window is one row of 5 positions: row 3 is its position (0, 3) */
    static const uint8_t words[] = {
        [4] = 2, [RUN] = 3, [RUN + 4] = 2, [RUN + 12] = 3, [2 * RUN] = 0};
    ck_assert_mem_eq(runs.words, words, 2 * RUN);
    ck_assert_mem_eq(runs.words + 2 * RUN, words, 2 * RUN);
    isa_program_free(p);
    p = assemble(body);
    struct isa_memory steps = memory_named(p, "steps", a);
    ck_assert_uint_eq(steps.n, 1);
    ck_assert_mem_eq(steps.words, "\1\0\0\0", 4);
    isa_program_free(p);
    arena_free(a);
}
END_TEST

/* Immediates and paddings of integers are integers. */
START_TEST(text_of_integers)
{
    struct isa_program *p = assemble(integers);
    char *text = disassemble(p, true);
    static const char *const lines[] = {
        "\nimage 0 {k=1, n=2, element=i8, center=2, shift=[0, 3]}\n",
        "pad_value=10,",
        "pad_value=-3,",
        "fill=200}\n",
        "x_bits=8}",
        "[iadd a c0, i2f t0, mul t1 c1, f2i t2, iadd t3 #3]\n",
        "[rq a c2 #16, imax t0 #-128, tab t1 #0, mov t2]\n",
        "\ntable 0 {element=i32, section=2}\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(strstr(text, lines[i]), "missing: %s", lines[i]);
    free(text);
    isa_program_free(p);
}
END_TEST

/* `text` with the first `old` replaced; to be freed. */
static char *replaced(const char *text, const char *old, const char *by)
{
    const char *at = strstr(text, old);
    ck_assert_msg(at, "not in the text: %s", old);
    char *out = malloc(strlen(text) + strlen(by) + 1);
    sprintf(out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(old));
    return out;
}

/* Assembling fails, and the first error has this code and holds these words. */
static void rejects(const char *text, enum diag_code code, uint32_t line, const char *words)
{
    struct diag *d = diag_new();
    struct isa_program *p = isa_assemble(text, strlen(text), "test.asm", d);
    ck_assert_msg(!p, "accepted, expected: %s", words);
    ck_assert_ptr_nonnull(d->first);
    ck_assert_msg(d->first->code == code && strstr(d->first->text, words), "expected %s, found %s",
                  words, d->first->text);
    if (line)
        ck_assert_uint_eq(d->first->loc.line, line);
    diag_free(d);
}

static void rejects_edit(const char *text, const char *old, const char *by, const char *words)
{
    char *edited = replaced(text, old, by);
    rejects(edited, DIAG_PROGRAM, 0, words);
    free(edited);
}

START_TEST(faults_are_found)
{
    rejects_edit(faults[_i].text, faults[_i].old, faults[_i].by, faults[_i].words);
}
END_TEST

START_TEST(faults_are_limited)
{
    struct text t = {0};
    text_add(&t, "isa 2 arch \"base: clsa\\n\" tile 0 {}\n");
    for (int i = 0; i < 100; i++)
        text_add(&t, "q1.wait wait i128>=1\n");
    struct diag *d = diag_new();
    ck_assert_ptr_null(isa_assemble(t.at, t.n, "test.asm", d));
    ck_assert_uint_eq(d->n_errors, 20);
    diag_free(d);
    text_free(&t);
}
END_TEST

/* Reads outside a view's extents are padding; inside they must be held, tap by tap. */
START_TEST(windows_read_exactly_their_taps)
{
    static const char text[] =
        "isa 2 arch \"base: clsa\\n\" node 0 {} section 0 \"\" hex {\n"
        "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000}\n"
        "image 0 {k=9, n=1} tile 0 {buffer_bytes=400}\n"
        "view 0 {ring_rows=3, y0=2, y1=5, x0=0, x1=5, height=5, width=5, channels=1, row_pitch=20,"
        " col_pitch=4, channel_pitch=4}\n"
        "view 1 {address=60, ring_rows=5, y1=5, x1=5, height=5, width=5, channels=1, row_pitch=20,"
        " col_pitch=4, channel_pitch=4}\n"
        "group 0 {kernel_h=3, kernel_w=3, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1,"
        " pad_top=1, pad_left=1, in_channels=1} [{k0=0, k=9, n=1}]\n"
        "q0.mvm g0 dst=v1(3,0) h=2 w=5\n";
    isa_program_free(assemble(text));
    rejects_edit(text, "v1(3,0) h=2", "v1(2,0) h=2", "reads rows 1..2");
    /* Only the last kernel row: output row 1 reads input row 2. */
    char *last_taps = replaced(text, "k0=0, k=9", "k0=6, k=3");
    char *row_1 = replaced(last_taps, "v1(3,0) h=2", "v1(1,0) h=2");
    isa_program_free(assemble(row_1));
    rejects_edit(last_taps, "v1(3,0) h=2", "v1(0,0) h=2", "reads rows 1..");
    /* Taps (0, 2) to (1, 0): the first row of an output read whole, column 2 of it only. */
    char *across = replaced(text, "k0=0, k=9", "k0=2, k=2");
    rejects_edit(across, "v1(3,0) h=2 w=5", "v1(2,0) h=1 w=1", "reads rows 1..1, columns 1..1");
    char *padding = replaced(across, "v1(3,0) h=2 w=5", "v1(2,4) h=1 w=1");
    isa_program_free(assemble(padding));
    /* Stride 2 with a 1 x 1 window never reads odd rows. */
    char *strided = replaced(text, "stride_h=1", "stride_h=2");
    char *even = replaced(strided, "k0=0, k=9", "k0=3, k=3");
    char *row_2 = replaced(even, "v1(3,0) h=2", "v1(1,0) h=2");
    isa_program_free(assemble(row_2));
    free(last_taps), free(row_1), free(across), free(padding);
    free(strided), free(even), free(row_2);
}
END_TEST

/* Streams have more bits for places than views have coordinates. */
START_TEST(places_have_limits)
{
    struct isa_program *p = assemble(everything);
    struct diag *d = diag_new();
    struct isa_inst *vmap = (struct isa_inst *)&p->tiles[0].insts[4];
    vmap->a.y = -ISA_MAX_EXTENT;
    ck_assert(isa_validate(p, d));
    vmap->a.y = -ISA_MAX_EXTENT - 1;
    ck_assert(!isa_validate(p, d));
    ck_assert_ptr_nonnull(strstr(d->first->text, "vmap: coordinates beyond +-4194304"));
    isa_program_free(p);
    diag_free(d);
}
END_TEST

/* A PE of a patch may hold some of the columns, and pixels read what their taps say. */
START_TEST(patches_read_exactly_their_taps)
{
    char *other = replaced(patched, "[{k=4, n=2, pe=0, runs=[0, 2, 3, 2]}]",
                           "[{k0=1, k=2, n0=1, n=1, runs=[1, 1, 4, 1]}]");
    char *second = replaced(other, "[{k=4, n=2, runs=[0, 2, 3, 2]}]",
                            "[{k0=1, k=2, n0=1, n=1, runs=[1, 1, 4, 1]}]");
    isa_program_free(assemble(second));
    /* The second pixel of the products at 0 and 2 reads 1, 4, 3 and 6; that at 4 is cut off. */
    char *narrow = replaced(second, "x1=8", "x0=1, x1=7");
    isa_program_free(assemble(narrow));
    rejects_edit(second, "x1=8", "x0=2, x1=7", "columns 1..3 of view 0");
    rejects_edit(second, "x1=8", "x0=1, x1=6", "columns 4..6 of view 0");
    free(other), free(second), free(narrow);
}
END_TEST

/* Of a view that holds rows 2..4: output row o of an overlap reads row i where 2*i + k = o, k < 2;
 * a gather that names no column reads nothing, whatever rows it names. */
START_TEST(overlaps_and_gathers_read_what_they_take)
{
    static const char text[] =
        "isa 2 arch \"base: clsa\\n\" node 0 {} tile 0 {buffer_bytes=400}\n"
        "view 0 {ring_rows=3, y0=2, y1=5, x1=5, height=5, width=5, channels=2, row_pitch=40,"
        " col_pitch=8, channel_pitch=4}\n"
        "view 1 {address=120, ring_rows=9, y1=9, x1=5, height=9, width=5, channels=1, row_pitch=20,"
        " col_pitch=4, channel_pitch=4}\n"
        "window 0 {kind=3, kernel_h=2, kernel_w=1, stride_h=2, stride_w=1, dilation_h=1,"
        " dilation_w=1}\n"
        "gather 0 {rows=[0, 0, 0, 0, 0, 0, 0, 0, 0], cols=[-1, -1, -1, -1, 0], channels=[0]}\n"
        "q0.vwin w0 dst=v1(4,0) h=5 w=5 a=v0(0,0)\n";
    isa_program_free(assemble(text));
    rejects_edit(text, "v1(4,0)", "v1(3,0)", "reads rows 1..3");
    rejects_edit(text, "kernel_w=1", "kernel_w=2", "not 2 x 2 x 1");
    char *none = replaced(text, "vwin w0 dst=v1(4,0) h=5 w=5", "vgat t0 dst=v1(0,0) h=9 w=4");
    isa_program_free(assemble(none));
    rejects_edit(none, "h=9 w=4", "h=9 w=5", "reads 0, held is [2");
    free(none);
}
END_TEST

/* ---- syntax ---- */

START_TEST(mistakes_are_located)
{
    char *text = replaced(example, mistakes[_i].old, mistakes[_i].by);
    rejects(text, DIAG_ASM_SYNTAX, mistakes[_i].line, mistakes[_i].words);
    free(text);
}
END_TEST

START_TEST(mistakes_are_collected)
{
    struct diag *d = diag_new();
    struct text t = {0};
    text_add(&t, "isa 2\n frob\n bar 7\n");
    ck_assert_ptr_null(isa_assemble(t.at, t.n, "test.asm", d));
    ck_assert_uint_eq(d->n_errors, 2);
    ck_assert_uint_eq(d->first->loc.line, 2);
    ck_assert_uint_eq(d->first->loc.col, 2);
    ck_assert_uint_eq(d->first->next->loc.line, 3);
    diag_free(d);
    /* A block of bytes ends where its brace is. */
    static const char block[] =
        "section 0 \"w\" hex {\n00 0z\n00 11\nframes 1 }\nnode 1 {}\nfrob\n";
    d = diag_new();
    ck_assert_ptr_null(isa_assemble(block, strlen(block), "test.asm", d));
    ck_assert_uint_eq(d->n_errors, 2);
    ck_assert_uint_eq(d->first->next->loc.line, 6);
    diag_free(d);
    /* What follows a faulty entry is not faulty for it: neither its number nor its place. */
    static const char after[] = "node 0 {nam=\"a\"}\nnode 1 {}\nsection 7 \"w\" hex {}\n"
                                "section 8 \"w\" hex {}\ntile 0 {bytes=4}\nview 0 {}\n";
    d = diag_new();
    ck_assert_ptr_null(isa_assemble(after, strlen(after), "test.asm", d));
    ck_assert_uint_eq(d->n_errors, 2);
    diag_free(d);
    for (int i = 0; i < 50; i++)
        text_add(&t, "frob\n");
    d = diag_new();
    ck_assert_ptr_null(isa_assemble(t.at, t.n, "test.asm", d));
    ck_assert_uint_eq(d->n_errors, 20);
    diag_free(d);
    text_free(&t);
}
END_TEST

/* Sections by reference: length and hash are held against the file. */
START_TEST(files_are_verified)
{
    static const float weights[3] = {0, 1.0f, -2.0f};
    put_file(file_in("c"), weights, sizeof weights);
    uint64_t hash = hash_bytes(weights + 1, 8, 0);
    const struct {
        const char *name;
        unsigned long long offset, length, hash;
        const char *words; /* NULL: right */
    } cases[] = {
        {"c", 4, 8, hash, NULL},
        {"c", 4, 8, hash ^ 1, "have hash 0x"},
        {"c", 0, 8, hash, "have hash 0x"},
        {"c", 8, 8, hash, "has 12 bytes, not 8 from 8 on"},
        {"c", 4, 18446744073709551615u, hash, "has 12 bytes"},
        {"c", 18446744073709551615u, 8, hash, "has 12 bytes"},
        {".", 4, 8, hash, "not a regular file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, "file(\"%s\", %llu, %llu, 0x%llx)", file_in(cases[i].name),
                 cases[i].offset, cases[i].length, cases[i].hash);
        char *text = replaced(example, "hex { 0000803f 000000c0 }", line);
        if (cases[i].words) {
            rejects(text, DIAG_ASM_SYNTAX, 8, cases[i].words);
        } else {
            struct isa_program *p = assemble(text);
            ck_assert(((const float *)isa_image_data(p, 0))[1] == -2.0f);
            isa_program_free(p);
        }
        free(text);
    }
    char *missing = replaced(example, "hex { 0000803f 000000c0 }", "file(\"/no/file\", 0, 0, 0)");
    rejects(missing, DIAG_IO, 0, "cannot open");
    free(missing);
}
END_TEST

/* ---- damage ---- */

static bool reads(const char *path)
{
    struct diag *d = diag_new();
    struct isa_program *p = isa_program_read(path, d);
    ck_assert(p || d->n_errors > 0);
    isa_program_free(p);
    diag_free(d);
    return p != NULL;
}

START_TEST(every_damaged_byte_is_noticed)
{
    size_t n;
    struct isa_program *p = assemble(example);
    write_program(p, file_in("a"));
    isa_program_free(p);
    char *bytes = get_file(file_in("a"), &n);
    ck_assert(reads(file_in("a")));
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= (char)(1 << i % 8);
        put_file(file_in("b"), bytes, n);
        ck_assert_msg(!reads(file_in("b")), "byte %zu", i);
        bytes[i] ^= (char)(1 << i % 8);
    }
    for (size_t i = 0; i < n; i += 7) {
        put_file(file_in("b"), bytes, i);
        ck_assert_msg(!reads(file_in("b")), "%zu bytes", i);
    }
    put_file(file_in("b"), bytes, n + 1);
    ck_assert(!reads(file_in("b")));
    free(bytes);
}
END_TEST

/* An empty node has two bytes in a file and some hundred in memory. */
START_TEST(what_nobody_could_read_is_not_written)
{
    enum { NODES = 300000 };
    struct diag *d = diag_new();
    struct isa_program *p = assemble(example);
    struct isa_node *nodes = ARENA_ARRAY(p->arena, struct isa_node, NODES);
    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = (struct isa_node){"", "", ""};
    p->nodes = nodes;
    p->n_nodes = NODES;
    ck_assert(!isa_program_write(p, file_in("a"), NULL, d));
    ck_assert_uint_eq(d->n_errors, 1);
    ck_assert_int_ne(access(file_in("a"), F_OK), 0);
    isa_program_free(p);
    diag_free(d);
}
END_TEST

/* Headers that carry the right hash but say something else; and headers that claim to be huge. */
START_TEST(forged_headers_are_survived)
{
    size_t n;
    uint64_t random = 1, header;
    struct isa_program *p = assemble(everything);
    write_program(p, file_in("a"));
    isa_program_free(p);
    char *original = get_file(file_in("a"), &n), *bytes = malloc(n);
    memcpy(&header, original + 8, sizeof header);
    for (int round = 0; round < 1500; round++) {
        memcpy(bytes, original, n);
        for (uint64_t k = random_next(&random) % 3 + 1; k > 0; k--)
            bytes[24 + random_next(&random) % header] = (char)random_next(&random);
        uint64_t hash = hash_bytes(bytes + 24, header, 0);
        memcpy(bytes + 16, &hash, sizeof hash);
        put_file(file_in("b"), bytes, n);
        reads(file_in("b"));
    }
    for (uint64_t claim = 1; claim; claim <<= 1) {
        memcpy(bytes, original, n);
        memcpy(bytes + 8, &claim, sizeof claim);
        put_file(file_in("b"), bytes, n);
        ck_assert(!reads(file_in("b")));
    }
    free(original);
    free(bytes);
}
END_TEST

/* Whatever a field says. */
START_TEST(damaged_instructions_are_survived)
{
    uint64_t random = 2;
    struct isa_program *p = assemble(everything);
    struct isa_tile *t = &p->tiles[0];
    struct isa_inst *insts = ARENA_ARRAY(p->arena, struct isa_inst, t->n_insts);
    const struct isa_inst *original = t->insts;
    t->insts = insts;
    for (int round = 0; round < 3000; round++) {
        struct diag *d = diag_new();
        memcpy(insts, original, t->n_insts * sizeof *insts);
        struct isa_inst *i = &insts[random_next(&random) % t->n_insts];
        uint64_t bit = random_next(&random) % (sizeof *i * 8);
        ((uint8_t *)i)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert(isa_validate(p, d) == (d->n_errors == 0));
        diag_free(d);
    }
    isa_program_free(p);
}
END_TEST

START_TEST(damaged_texts_are_survived)
{
    static const char marks[] = "{}[]()=,;:.@#-\"\\0129qvx \n";
    uint64_t random = 3;
    size_t n = strlen(everything);
    char *text = malloc(n);
    for (int round = 0; round < 1500; round++) {
        struct diag *d = diag_new();
        memcpy(text, everything, n);
        for (uint64_t k = random_next(&random) % 4 + 1; k > 0; k--)
            text[random_next(&random) % n] = marks[random_next(&random) % (sizeof marks - 1)];
        size_t length = random_next(&random) % 4 ? n : random_next(&random) % n;
        struct isa_program *p = isa_assemble(text, length, "test.asm", d);
        ck_assert(p || d->n_errors > 0);
        isa_program_free(p);
        diag_free(d);
    }
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("isa");
    TCase *words = tcase_create("words"), *texts = tcase_create("text"),
          *faulty = tcase_create("faults"), *damage = tcase_create("damage");
    tcase_add_test(words, tables_answer);
    tcase_add_checked_fixture(texts, make_folder, remove_folder);
    tcase_add_test(texts, example_means_what_it_says);
    tcase_add_loop_test(texts, text_and_file_round_trip, 0,
                        sizeof round_trips / sizeof *round_trips);
    tcase_add_test(texts, foreign_encodings_stay_as_they_are);
    tcase_add_test(texts, faults_of_given_streams);
    tcase_add_test(texts, text_is_readable);
    tcase_add_test(texts, text_of_integers);
    tcase_add_test(texts, text_of_frames);
    tcase_add_test(texts, memories_of_runs_and_steps);
    tcase_add_test(texts, files_are_verified);
    tcase_add_loop_test(faulty, faults_are_found, 0, sizeof faults / sizeof faults[0]);
    tcase_add_test(faulty, faults_are_limited);
    tcase_add_test(faulty, windows_read_exactly_their_taps);
    tcase_add_test(faulty, patches_read_exactly_their_taps);
    tcase_add_test(faulty, places_have_limits);
    tcase_add_test(faulty, overlaps_and_gathers_read_what_they_take);
    tcase_add_loop_test(faulty, mistakes_are_located, 0, sizeof mistakes / sizeof mistakes[0]);
    tcase_add_test(faulty, mistakes_are_collected);
    tcase_add_checked_fixture(damage, make_folder, remove_folder);
    tcase_add_test(damage, every_damaged_byte_is_noticed);
    tcase_add_test(damage, what_nobody_could_read_is_not_written);
    tcase_add_test(damage, forged_headers_are_survived);
    tcase_add_test(damage, damaged_instructions_are_survived);
    tcase_add_test(damage, damaged_texts_are_survived);
    tcase_set_timeout(damage, 60);
    suite_add_tcase(s, words);
    suite_add_tcase(s, texts);
    suite_add_tcase(s, faulty);
    suite_add_tcase(s, damage);
    return run_suite(s);
}
