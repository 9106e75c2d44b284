/* dup_test.c - the duplication problem: against enumeration, a plain table, and the paper's
 * networks. */
#include "dup/dup.h"
#include "../run_suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ITEMS = 200 };

static bool proven;

/* ---- small problems against enumeration ---- */

enum { SMALL_ITEMS = 4, SMALL_COPIES = 7, SMALL_LCM = 420 }; /* lcm(1..7) */

struct small {
    struct dup_item items[SMALL_ITEMS];
    int64_t counts[SMALL_ITEMS][SMALL_COPIES];
    struct dup_problem problem;
};

static int64_t pick(uint64_t *seed, int64_t least, int64_t most)
{
    return least + (int64_t)(random_next(seed) % (uint64_t)(most - least + 1));
}

/* Small numbers on purpose: ties are the rule. */
static void make_small(struct small *s, uint64_t *seed)
{
    size_t n = (size_t)pick(seed, 1, SMALL_ITEMS);
    bool holes = pick(seed, 0, 1);
    int64_t pes = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t most = pick(seed, 1, SMALL_COPIES);
        size_t n_counts = 0;
        for (int64_t k = 1; k <= most; k++) {
            if (k == 1 || !holes || pick(seed, 0, 2) > 0)
                s->counts[i][n_counts++] = k;
        }
        int64_t cycles = pick(seed, 0, 3) * pick(seed, 1, 6) * 2;
        s->items[i] = (struct dup_item){cycles, pick(seed, 1, 3), n_counts, s->counts[i]};
        pes += s->items[i].pes;
    }
    s->problem = (struct dup_problem){s->items, n, pes + pick(seed, 0, 14)};
}

/* The objective times SMALL_LCM: an integer. */
static int64_t scaled_objective(const struct dup_problem *p, const int64_t *copies)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->n_items; i++)
        sum += p->items[i].cycles * (SMALL_LCM / copies[i]);
    return sum;
}

static int64_t total(const struct dup_problem *p, const int64_t *copies)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->n_items; i++)
        sum += copies[i];
    return sum;
}

static bool precedes(const struct dup_problem *p, const int64_t *a, const int64_t *b)
{
    int64_t za = scaled_objective(p, a), zb = scaled_objective(p, b);
    if (za != zb)
        return za < zb;
    if (total(p, a) != total(p, b))
        return total(p, a) < total(p, b);
    for (size_t i = p->n_items; i > 0; i--) {
        if (a[i - 1] != b[i - 1])
            return a[i - 1] < b[i - 1];
    }
    return false;
}

static void enumerate(const struct dup_problem *p, size_t item, int64_t left, int64_t *now,
                      int64_t *best)
{
    if (item == p->n_items) {
        if (best[0] == 0 || precedes(p, now, best))
            memcpy(best, now, p->n_items * sizeof *best);
        return;
    }
    const struct dup_item *it = &p->items[item];
    for (size_t k = 0; k < it->n_counts; k++) {
        now[item] = it->counts[k];
        if (it->pes * it->counts[k] <= left)
            enumerate(p, item + 1, left - it->pes * it->counts[k], now, best);
    }
}

START_TEST(test_enumeration)
{
    uint64_t seed = (uint64_t)_i;
    struct diag *d = diag_new();
    for (int trial = 0; trial < 150; trial++) {
        struct small s;
        int64_t now[SMALL_ITEMS] = {0}, best[SMALL_ITEMS] = {0}, copies[SMALL_ITEMS] = {0};
        make_small(&s, &seed);
        enumerate(&s.problem, 0, s.problem.pes, now, best);
        ck_assert(dup_solve(&s.problem, NULL, d, copies, &proven) && proven);
        for (size_t i = 0; i < s.problem.n_items; i++)
            ck_assert_msg(copies[i] == best[i], "seed %d trial %d: item %zu has %lld, not %lld", _i,
                          trial, i, (long long)copies[i], (long long)best[i]);
    }
    diag_free(d);
}
END_TEST

/* Any feasible start leads to the same answer. */
START_TEST(test_start_does_not_matter)
{
    uint64_t seed = 77;
    struct diag *d = diag_new();
    for (int trial = 0; trial < 200; trial++) {
        struct small s;
        int64_t now[SMALL_ITEMS] = {0}, best[SMALL_ITEMS] = {0}, copies[SMALL_ITEMS];
        make_small(&s, &seed);
        enumerate(&s.problem, 0, s.problem.pes, now, best);
        for (size_t i = 0; i < SMALL_ITEMS; i++)
            copies[i] = 1;
        /* What has nothing to gain is cut off before the search (dup_solve does it). */
        for (size_t i = 0; i < s.problem.n_items; i++)
            s.items[i].n_counts = s.items[i].cycles ? s.items[i].n_counts : 1;
        ck_assert(dup_break_ties(&s.problem, d, copies, &proven) && proven);
        ck_assert_mem_eq(copies, best, s.problem.n_items * sizeof *best);
    }
    diag_free(d);
}
END_TEST

/* ---- the least interval, by enumeration ---- */

/* Of the first n items. */
static void find_interval(const struct dup_problem *p, const int64_t *const *loads, size_t n,
                          int64_t left, int64_t most, int64_t *best)
{
    if (n == 0) {
        *best = min_i64(*best, most);
        return;
    }
    const struct dup_item *it = &p->items[n - 1];
    for (size_t k = 0; k < it->n_counts; k++)
        if (it->pes * it->counts[k] <= left)
            find_interval(p, loads, n - 1, left - it->pes * it->counts[k],
                          max_i64(most, loads[n - 1][k]), best);
}

/* Loads that need not fall: with 2-D cuts, 5 copies may leave one of them more than 4 do. */
START_TEST(test_interval)
{
    uint64_t seed = 50 + (uint64_t)_i;
    struct diag *d = diag_new();
    for (int trial = 0; trial < 150; trial++) {
        struct small s;
        int64_t load[SMALL_ITEMS][SMALL_COPIES], want = INT64_MAX, got;
        const int64_t *loads[SMALL_ITEMS];
        int64_t now[SMALL_ITEMS] = {0}, best[SMALL_ITEMS] = {0}, copies[SMALL_ITEMS] = {0};
        make_small(&s, &seed);
        for (size_t i = 0; i < s.problem.n_items; i++) {
            loads[i] = load[i];
            for (size_t k = 0; k < s.items[i].n_counts; k++)
                load[i][k] = pick(&seed, 1, 9);
        }
        find_interval(&s.problem, loads, s.problem.n_items, s.problem.pes, 0, &want);
        ck_assert(dup_solve_interval(&s.problem, loads, NULL, d, copies, &got));
        ck_assert_int_eq(got, want);
        for (size_t i = 0; i < s.problem.n_items; i++) { /* what is left goes to the sum */
            size_t n = 0;
            for (size_t k = 0; k < s.items[i].n_counts; k++)
                if (load[i][k] <= want)
                    s.counts[i][n++] = s.counts[i][k];
            s.items[i].n_counts = n;
        }
        enumerate(&s.problem, 0, s.problem.pes, now, best);
        ck_assert_mem_eq(copies, best, s.problem.n_items * sizeof *best);
    }
    diag_free(d);
}
END_TEST

/* ---- the paper's networks: shapes as published ---- */

/* t = OH * OW, c = ceil(K / 256) * ceil(KO / 256) */

struct network {
    size_t n;
    struct dup_item items[MOST_ITEMS];
    struct arena *arena;
};

struct layer {
    int kernel, in, out, size;
};

static void add_layer(struct network *net, struct layer l)
{
    int64_t *counts = ARENA_ARRAY(net->arena, int64_t, (size_t)l.size);
    for (int i = 0; i < l.size; i++)
        counts[i] = i + 1;
    int64_t pes = ceil_div_i64(l.kernel * l.kernel * l.in, 256) * ceil_div_i64(l.out, 256);
    net->items[net->n++] = (struct dup_item){(int64_t)l.size * l.size, pes, (size_t)l.size, counts};
}

static struct network network_new(const struct layer *layers, size_t n)
{
    struct network net = {.arena = arena_new()};
    for (size_t i = 0; i < n; i++)
        add_layer(&net, layers[i]);
    return net;
}

static int64_t pe_min(const struct network *net)
{
    int64_t sum = 0;
    for (size_t i = 0; i < net->n; i++)
        sum += net->items[i].pes;
    return sum;
}

static const struct layer vgg16[] = {
    {3, 3, 64, 224},   {3, 64, 64, 224},  {3, 64, 128, 112}, {3, 128, 128, 112}, {3, 128, 256, 56},
    {3, 256, 256, 56}, {3, 256, 256, 56}, {3, 256, 512, 28}, {3, 512, 512, 28},  {3, 512, 512, 28},
    {3, 512, 512, 14}, {3, 512, 512, 14}, {3, 512, 512, 14},
};
static const struct layer tinyyolov3[] = {
    {3, 3, 16, 416},   {3, 16, 32, 208},   {3, 32, 64, 104},   {3, 64, 128, 52},  {3, 128, 256, 26},
    {3, 256, 512, 13}, {3, 512, 1024, 13}, {1, 1024, 256, 13}, {3, 256, 512, 13}, {1, 512, 255, 13},
    {1, 256, 128, 13}, {3, 384, 256, 26},  {1, 256, 255, 26},
};
static const struct layer tinyyolov4[] = {
    {3, 3, 32, 208},   {3, 32, 64, 104},  {3, 64, 64, 104},  {3, 32, 32, 104},  {3, 32, 32, 104},
    {1, 64, 64, 104},  {3, 128, 128, 52}, {3, 64, 64, 52},   {3, 64, 64, 52},   {1, 128, 128, 52},
    {3, 256, 256, 26}, {3, 128, 128, 26}, {3, 128, 128, 26}, {1, 256, 256, 26}, {3, 512, 512, 13},
    {1, 512, 256, 13}, {3, 256, 512, 13}, {1, 512, 255, 13}, {1, 256, 128, 13}, {3, 384, 256, 26},
    {1, 256, 255, 26},
};

static void check_network(const struct layer *layers, size_t n, int64_t want_pe_min, int64_t extra,
                          const int64_t *want, size_t n_want)
{
    struct network net = network_new(layers, n);
    struct dup_problem p = {net.items, net.n, pe_min(&net) + extra};
    int64_t copies[MOST_ITEMS];
    struct diag *d = diag_new();
    ck_assert_int_eq(pe_min(&net), want_pe_min);
    ck_assert(dup_solve(&p, NULL, d, copies, &proven) && proven);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(copies[i] == (i < n_want ? want[i] : 1), "layer %zu has %lld copies", i,
                      (long long)copies[i]);
    diag_free(d);
    arena_free(net.arena);
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

START_TEST(test_paper_networks)
{
    check_network(vgg16, COUNT(vgg16), 233, 8, (int64_t[]){3, 3}, 2);
    check_network(vgg16, COUNT(vgg16), 233, 0, NULL, 0);
    check_network(tinyyolov4, COUNT(tinyyolov4), 117, 16, (int64_t[]){6, 2, 2, 2, 2, 3}, 6);
    check_network(tinyyolov4, COUNT(tinyyolov4), 117, 32,
                  (int64_t[]){10, 3, 3, 3, 3, 5, 1, 1, 1, 2}, 10);
    check_network(tinyyolov3, COUNT(tinyyolov3), 142, 32, (int64_t[]){20, 10, 3}, 3);
}
END_TEST

static struct network resnet152(void)
{
    static const int depths[] = {3, 8, 36, 3};
    struct network net = {.arena = arena_new()};
    int in = 64, filters = 64, size = 56;
    add_layer(&net, (struct layer){7, 3, 64, 112});
    for (int stage = 0; stage < 4; stage++, filters *= 2) {
        size /= stage ? 2 : 1;
        for (int block = 0; block < depths[stage]; block++) {
            if (block == 0)
                add_layer(&net, (struct layer){1, in, 4 * filters, size});
            add_layer(&net, (struct layer){1, in, filters, size});
            add_layer(&net, (struct layer){3, filters, filters, size});
            add_layer(&net, (struct layer){1, filters, 4 * filters, size});
            in = 4 * filters;
        }
    }
    return net;
}

/* The least objective with `spare` more PEs, by a plain table over the PEs. */
static double table_optimum(const struct network *net, int64_t spare)
{
    double *best = heap_alloc((size_t)(spare + 1) * sizeof *best);
    for (size_t i = 0; i < net->n; i++) {
        const struct dup_item *it = &net->items[i];
        for (int64_t left = spare; left >= 0; left--) {
            double least = INFINITY;
            for (size_t k = 0; k < it->n_counts; k++) {
                int64_t used = it->pes * (it->counts[k] - 1);
                if (used <= left)
                    least =
                        fmin(least, best[left - used] + (double)it->cycles / (double)it->counts[k]);
            }
            best[left] = least;
        }
    }
    double optimum = best[spare];
    free(best);
    return optimum;
}

START_TEST(test_resnet152)
{
    struct network net = resnet152();
    struct diag *d = diag_new();
    int64_t copies[MOST_ITEMS], used = 0;
    ck_assert_uint_eq(net.n, 155);
    ck_assert_int_eq(pe_min(&net), 936);
    struct dup_problem p = {net.items, net.n, 936 + 256};
    double start = now_seconds();
    ck_assert(dup_solve(&p, NULL, d, copies, &proven) && proven);
    ck_assert(now_seconds() - start < 1);
    for (size_t i = 0; i < net.n; i++)
        used += copies[i] * net.items[i].pes;
    ck_assert_int_le(used, p.pes);
    ck_assert_double_eq_tol(dup_objective(&p, copies), table_optimum(&net, 256), 1e-6);
    diag_free(d);
    arena_free(net.arena);
}
END_TEST

/* Every tie among 36 equal layers goes to the earlier ones. */
START_TEST(test_equal_layers)
{
    struct network net = {.arena = arena_new()};
    struct diag *d = diag_new();
    int64_t copies[MOST_ITEMS];
    for (int i = 0; i < 36; i++)
        add_layer(&net, (struct layer){3, 64, 64, 14});
    struct dup_problem p = {net.items, net.n, pe_min(&net) + 3 * 20 + 2};
    ck_assert(dup_solve(&p, NULL, d, copies, &proven) && proven);
    for (size_t i = 0; i < net.n; i++)
        ck_assert_int_eq(copies[i], i < 20 ? 2 : 1);
    diag_free(d);
    arena_free(net.arena);
}
END_TEST

/* So many that work for each pair of layers would take minutes. Two kinds take turns, t = 12 with
 * one PE and t = 24 with two: second copies gain 6 a PE, third ones 2. One copy of all takes 15,000
 * PEs, the second ones as many; of 35,000 the last 5,000 go to third copies, fewest if they are of
 * two. */
START_TEST(test_many_layers)
{
    enum { N = 10000 };
    static const int64_t counts[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct dup_item *items = heap_alloc(N * sizeof *items);
    int64_t *copies = heap_alloc(N * sizeof *copies);
    struct diag *d = diag_new();
    for (int i = 0; i < N; i++)
        items[i] = (struct dup_item){i % 2 ? 24 : 12, i % 2 ? 2 : 1, COUNT(counts), counts};
    struct dup_problem p = {items, N, 3 * N + 5000};
    ck_assert(dup_solve(&p, NULL, d, copies, &proven) && proven);
    int64_t pes = 0, sum = 0;
    for (int i = 0; i < N; i++) {
        pes += copies[i] * items[i].pes;
        sum += copies[i];
        ck_assert(copies[i] == 2 || copies[i] == 3);
        ck_assert(i < 2 || copies[i] <= copies[i - 2]); /* of equal layers the first */
    }
    /* the same gain from fewer copies: third ones for 2,500 layers of two PEs, none of one */
    ck_assert_int_eq(pes, p.pes);
    ck_assert_int_eq(sum, 2 * N + 2500);
    ck_assert_int_eq(copies[4999], 3);
    ck_assert_int_eq(copies[5001], 2);
    ck_assert_int_eq(copies[0], 2);
    free(items);
    free(copies);
    diag_free(d);
}
END_TEST

/* ---- limits ---- */

START_TEST(test_does_not_fit)
{
    struct network net = network_new(vgg16, COUNT(vgg16));
    struct dup_problem p = {net.items, net.n, 232};
    struct diag *d = diag_new();
    int64_t copies[MOST_ITEMS];
    ck_assert(!dup_solve(&p, NULL, d, copies, &proven));
    ck_assert_int_eq(d->first->code, DIAG_CAPACITY);
    diag_free(d);
    arena_free(net.arena);
}
END_TEST

START_TEST(test_numbers_out_of_range)
{
    static const int64_t one[] = {1, 2};
    const struct dup_item huge[] = {{INT64_MAX, 1, 2, one}, {INT64_MAX, INT64_MAX / 4, 2, one}};
    struct dup_problem p = {huge, 2, INT64_MAX};
    struct diag *d = diag_new();
    int64_t copies[2];
    ck_assert(!dup_solve(&p, NULL, d, copies, &proven));
    ck_assert_int_eq(d->first->code, DIAG_DUPLICATION);
    diag_free(d);
}
END_TEST

START_TEST(test_no_items)
{
    struct dup_problem p = {NULL, 0, 5};
    struct diag *d = diag_new();
    int64_t copies[1];
    ck_assert(dup_solve(&p, NULL, d, copies, &proven) && proven);
    ck_assert_double_eq(dup_objective(&p, copies), 0);
    diag_free(d);
}
END_TEST

START_TEST(test_lp_file)
{
    struct network net = network_new((struct layer[]){{1, 64, 64, 2}, {3, 64, 64, 2}}, 2);
    struct dup_problem p = {net.items, net.n, 4 + 3};
    struct diag *d = diag_new();
    int64_t copies[2];
    char path[] = "/tmp/dup_test.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert(dup_solve(&p, path, d, copies, &proven));
    struct file f;
    ck_assert(file_open(path, d->arena, d, &f));
    char *text = arena_strndup(d->arena, (const char *)f.data, f.size);
    /* 1 and 3 PEs a copy, a second copy saves 4 - 2 cycles of each; 3 PEs to spare. */
    ck_assert_ptr_nonnull(strstr(text, "Minimize"));
    ck_assert_ptr_nonnull(strstr(text, "- 2 layer1_copies2 - 2 layer2_copies2"));
    ck_assert_ptr_nonnull(strstr(text, "extra_pes: + 3 layer2_copies2 + layer1_copies2 <= 3"));
    file_close(&f);
    remove(path);
    ck_assert(!dup_solve(&p, "/no such folder/x.lp", d, copies, &proven));
    ck_assert_int_eq(d->first->code, DIAG_IO);
    diag_free(d);
    arena_free(net.arena);
}
END_TEST

/* ---- cuts ---- */

START_TEST(test_cuts)
{
    static const struct {
        enum dup_cut cut;
        int64_t copies, rows, columns, want[2]; /* 0: there is none */
    } cases[] = {
        {CUT_W, 5, 3, 7, {1, 5}},        {CUT_AUTO, 7, 3, 7, {1, 7}}, {CUT_W, 8, 30, 7, {0}},
        {CUT_H, 3, 3, 7, {3, 1}},        {CUT_H, 4, 3, 7, {0}},       {CUT_2D, 6, 13, 13, {2, 3}},
        {CUT_2D, 9, 13, 13, {3, 3}},     {CUT_2D, 6, 3, 2, {3, 2}},   {CUT_2D, 17, 13, 13, {0}},
        {CUT_2D, 13, 13, 13, {1, 13}},   {CUT_2D, 12, 2, 8, {2, 6}},  {CUT_2D, 12, 12, 1, {12, 1}},
        {CUT_2D, 169, 13, 13, {13, 13}}, {CUT_2D, 1, 1, 1, {1, 1}},   {CUT_W, 1, 0, 0, {1, 1}},
        {CUT_2D, 14, 6, 6, {0}},
    };
    int64_t got[2];
    bool found =
        dup_find_cut(cases[_i].cut, cases[_i].copies, cases[_i].rows, cases[_i].columns, got);
    ck_assert_int_eq(found, cases[_i].want[0] != 0);
    if (found)
        ck_assert_mem_eq(got, cases[_i].want, sizeof got);
}
END_TEST

/* ---- the pass ---- */

struct fixture {
    struct ir_graph *g;
    struct diag *d;
    struct arch arch;
    struct arena *scratch;
    struct dup_result result;
    struct ir_op *mvm[3];
};

static struct ir_op *add(struct fixture *f, const struct ir_new *desc)
{
    struct ir_op *op = ir_op_new(f->g, NULL, desc, f->d);
    ck_assert_ptr_nonnull(op);
    return op;
}

/* A 3x3 product, (h, w, 8) -> (h - 2, w - 2, 8). */
static struct ir_op *add_mvm(struct fixture *f, struct ir_value *x, const char *name,
                             int64_t weights, int64_t pes)
{
    float zero = 0;
    struct ir_type wt = ir_type_of(IR_F32, 2, (int64_t[]){72, 8});
    struct ir_op *w =
        ir_const_new(f->g, NULL, wt, blob_splat(&zero, sizeof zero), "", (struct loc){0});
    union ir_attrs a = {.mvm = {.kernel = {3, 3},
                                .stride = {1, 1},
                                .dilation = {1, 1},
                                .group = 1,
                                .weights = weights,
                                .slices = {pes, 1},
                                .copies = 1,
                                .cut = {1, 1}}};
    return add(f, &(struct ir_new){.opcode = IR_mvm,
                                   .in = (struct ir_value *[]){x, w->out},
                                   .n_in = 2,
                                   .attrs = &a,
                                   .name = name});
}

/* Three layers of 10 x 12, 8 x 10 and 6 x 8 pixels; the last two share their weights. */
static void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .g = ir_graph_new("g", IR_CROSSBAR), .d = diag_new(), .scratch = arena_new()};
    ck_assert(arch_load("clsa", f->d->arena, f->d, &f->arch));
    union ir_attrs in = {.input = {.dtype = IR_F32,
                                   .shape = {3, (int64_t[]){12, 14, 8}},
                                   .strides = {112, 8, 1},
                                   .extent = {12, 14, 8}}};
    struct ir_value *x = add(f, &(struct ir_new){.opcode = IR_input, .attrs = &in})->out;
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        f->mvm[i] = add_mvm(f, x, names[i], i > 0 ? 1 : 0, i > 0 ? 2 : 1);
        x = f->mvm[i]->out;
    }
}

static void tear_down(struct fixture *f)
{
    ir_graph_free(f->g);
    diag_free(f->d);
    arena_free(f->scratch);
}

static enum pass_result run(struct fixture *f, struct dup_options o)
{
    struct pass_ctx ctx = {
        .diag = f->d, .arch = &f->arch, .scratch = f->scratch, .dup = &o, .dup_result = &f->result};
    return pass_dup.run(&ctx, f->g);
}

static struct dup_options options(enum dup_objective objective, enum dup_cut cut, int64_t pes,
                                  int64_t extra_pes)
{
    return (struct dup_options){
        .objective = objective, .cut = cut, .pes = pes, .extra_pes = extra_pes};
}

static void check_mvm(const struct ir_op *op, int64_t copies, int64_t dh, int64_t dw)
{
    ck_assert_int_eq(op->attrs->mvm.copies, copies);
    ck_assert_int_eq(op->attrs->mvm.cut[0], dh);
    ck_assert_int_eq(op->attrs->mvm.cut[1], dw);
}

/* t = 120 with c = 1, and 80 + 48 = 128 with c = 2 (once): with 4 more PEs, d = 5, 1 gives 152, d =
 * 3, 2 gives 104 and d = 1, 3 gives 162.7. */
START_TEST(test_pass_sum)
{
    struct fixture f;
    set_up(&f);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_AUTO, -1, 4)), PASS_CHANGED);
    check_mvm(f.mvm[0], 3, 1, 3);
    check_mvm(f.mvm[1], 2, 1, 2);
    check_mvm(f.mvm[2], 2, 1, 2);
    ck_assert_int_eq(f.result.pe_min, 3);
    ck_assert_int_eq(f.result.pes, 7);
    ck_assert_double_eq(f.result.value, 104);
    ck_assert_str_eq(f.result.objective, "sum");
    ck_assert_str_eq(f.result.status, "optimal");
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_AUTO, 7, 0)), PASS_UNCHANGED);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_H, 7, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 3, 3, 1);
    tear_down(&f);
}
END_TEST

/* Three more PEs: the layer of 120 pixels alone would take them all (10 rows x 3 columns), but 80 +
 * 48 for the other two are then the longest. Two copies of these (4 PEs) leave 5 x 8 + 4 x 6 = 64,
 * and two of the first 6 x 10 = 60. */
START_TEST(test_pass_interval)
{
    struct fixture f;
    set_up(&f);
    ck_assert_int_eq(run(&f, options(DUP_INTERVAL, CUT_AUTO, -1, 3)), PASS_CHANGED);
    check_mvm(f.mvm[0], 2, 1, 2);
    check_mvm(f.mvm[1], 2, 1, 2);
    check_mvm(f.mvm[2], 2, 1, 2);
    ck_assert_double_eq(f.result.value, 64);
    ck_assert_str_eq(f.result.objective, "interval");
    ck_assert_str_eq(f.result.status, "optimal");
    tear_down(&f);
}
END_TEST

/* With PEs for everyone the smaller user bounds both: 6 rows, 8 columns, 6 x 8 parts. */
START_TEST(test_pass_bounds)
{
    struct fixture f;
    set_up(&f);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, 100000, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 12, 1, 12);
    check_mvm(f.mvm[1], 8, 1, 8);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_H, 100000, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 10, 10, 1);
    check_mvm(f.mvm[1], 6, 6, 1);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_2D, 100000, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 120, 10, 12);
    check_mvm(f.mvm[1], 48, 6, 8);
    check_mvm(f.mvm[2], 48, 6, 8);
    tear_down(&f);
}
END_TEST

START_TEST(test_pass_none)
{
    struct fixture f;
    set_up(&f);
    f.mvm[1]->attrs->mvm.copies = 5;
    ck_assert_int_eq(run(&f, options(DUP_NONE, CUT_W, 50, 0)), PASS_CHANGED);
    check_mvm(f.mvm[1], 1, 1, 1);
    ck_assert_str_eq(f.result.status, "none");
    ck_assert_double_eq(f.result.value, 120 + 80 + 48);
    ck_assert_int_eq(f.result.pes, 50);
    tear_down(&f);
}
END_TEST

static void check_failure(struct dup_options o, int64_t tiles, enum diag_code code,
                          const char *text)
{
    struct fixture f;
    set_up(&f);
    f.arch.tiles = tiles;
    f.arch.crossbars = 2;
    ck_assert_int_eq(run(&f, o), PASS_FAILED);
    ck_assert_int_eq(f.d->first->code, code);
    ck_assert_msg(strstr(f.d->first->text, text) != NULL, "%s", f.d->first->text);
    tear_down(&f);
}

/* Two tiles of two crossbars: four PEs, one of them for a second copy of the first layer. */
START_TEST(test_pass_whole_machine)
{
    struct fixture f;
    set_up(&f);
    f.arch.tiles = f.arch.crossbars = 2;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, -1)), PASS_CHANGED);
    ck_assert_int_eq(f.result.pes, 4);
    ck_assert_int_eq(f.result.pes_used, 4);
    check_mvm(f.mvm[0], 2, 1, 2);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, 0)), PASS_CHANGED);
    ck_assert_int_eq(f.result.pes, 3);
    f.arch.tiles = 0;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, -1)), PASS_UNCHANGED);
    ck_assert_int_eq(f.result.pes, 3);
    tear_down(&f);
}
END_TEST

START_TEST(test_pass_failures)
{
    check_failure(options(DUP_SUM, CUT_W, 2, 0), 0, DIAG_CAPACITY,
                  "the network needs 3 PEs, --pes gives 2");
    check_failure(options(DUP_SUM, CUT_W, -1, -1), 1, DIAG_CAPACITY,
                  "the network needs 3 PEs, the machine has 2 (1 tiles of 2 crossbars)");
    check_failure(options(DUP_SUM, CUT_W, -1, INT64_MAX), 2, DIAG_CAPACITY,
                  "--extra-pes asks for 9223372036854775807 PEs, the machine has 4 (2 tiles of 2 "
                  "crossbars); at most --extra-pes 1");
    check_failure(options(DUP_MAKESPAN, CUT_W, -1, 0), 0, DIAG_DUPLICATION, "needs a schedule");
}
END_TEST

START_TEST(test_pass_bad_graphs)
{
    struct fixture f;
    set_up(&f);
    f.mvm[2]->attrs->mvm.slices[0] = 3;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, 0)), PASS_FAILED);
    ck_assert_int_eq(f.d->last->code, DIAG_LOWER);
    f.mvm[0]->attrs->mvm.slices[0] = 0;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, 0)), PASS_FAILED);
    ck_assert_int_eq(f.d->last->code, DIAG_PASS);
    tear_down(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dup");
    TCase *t = tcase_create("dup");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_enumeration, 1, 9);
    tcase_add_loop_test(t, test_interval, 0, 4);
    tcase_add_test(t, test_start_does_not_matter);
    tcase_add_test(t, test_paper_networks);
    tcase_add_test(t, test_resnet152);
    tcase_add_test(t, test_equal_layers);
    tcase_add_test(t, test_many_layers);
    tcase_add_test(t, test_does_not_fit);
    tcase_add_test(t, test_numbers_out_of_range);
    tcase_add_test(t, test_no_items);
    tcase_add_test(t, test_lp_file);
    tcase_add_loop_test(t, test_cuts, 0, 16);
    tcase_add_test(t, test_pass_sum);
    tcase_add_test(t, test_pass_interval);
    tcase_add_test(t, test_pass_bounds);
    tcase_add_test(t, test_pass_none);
    tcase_add_test(t, test_pass_whole_machine);
    tcase_add_test(t, test_pass_failures);
    tcase_add_test(t, test_pass_bad_graphs);
    suite_add_tcase(s, t);
    return run_suite(s);
}
