/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_test.c - the duplication problem: against enumeration, a plain table, and the paper's
 * networks. */
#include "dup/dup.h"
#include "dup/dup_mip.h"
#include "dup/dup_sums.h"
#include "mvm_mapping.h"
#include "../run_suite.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dup_pass_tests.h"
#include "dup_windows_tests.h"

enum { MOST_ITEMS = 200 };

static bool proven;

/* ---- small problems against enumeration ---- */

enum { SMALL_ITEMS = 4, SMALL_COPIES = 7, SMALL_CHOICES = 4 * SMALL_COPIES };
enum { SMALL_LCM = 420 }; /* lcm(1..7) */

struct small {
    struct dup_item items[SMALL_ITEMS];
    struct dup_choice choices[SMALL_ITEMS][SMALL_CHOICES];
    struct dup_problem problem;
};

static int64_t pick(uint64_t *seed, int64_t least, int64_t most)
{
    return least + (int64_t)(random_next(seed) % (uint64_t)(most - least + 1));
}

static int by_pes(const void *x, const void *y)
{
    const struct dup_choice *a = x, *b = y;
    return (a->pes > b->pes) - (a->pes < b->pes);
}

/* Copies of one patch, some left out. Loads need not fall: with 2-D cuts, 5 copies may leave one of
 * them more than 4 do. */
static size_t add_copies(struct dup_choice *out, uint64_t *seed, const int64_t patch[2], bool holes)
{
    int64_t most = pick(seed, 1, SMALL_COPIES), pes = pick(seed, 1, 3);
    int64_t cycles = pick(seed, 0, 3) * pick(seed, 1, 6) * 2;
    size_t n = 0;
    for (int64_t k = 1; k <= most; k++) {
        if (k == 1 || !holes || pick(seed, 0, 2) > 0)
            out[n++] = (struct dup_choice){.copies = k,
                                           .pes = k * pes,
                                           .cycles = cycles,
                                           .load = pick(seed, 1, 9),
                                           .patch = {patch[0], patch[1]}};
    }
    return n;
}

/* Small numbers on purpose: ties are the rule. */
static void make_small(struct small *s, uint64_t *seed, bool windows)
{
    static const int64_t patches[][2] = {{1, 1}, {1, 2}, {2, 1}, {1, 4}};
    size_t n = (size_t)pick(seed, 1, SMALL_ITEMS);
    bool holes = pick(seed, 0, 1);
    int64_t pes = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t n_patches = windows ? pick(seed, 1, 4) : 1;
        size_t n_choices = 0;
        for (int64_t k = 0; k < n_patches; k++)
            n_choices += add_copies(s->choices[i] + n_choices, seed, patches[k], holes);
        qsort(s->choices[i], n_choices, sizeof s->choices[i][0], by_pes);
        s->items[i] = (struct dup_item){n_choices, s->choices[i]};
        pes += s->choices[i][0].pes;
    }
    s->problem = (struct dup_problem){s->items, n, pes + pick(seed, 0, 14), windows};
}

static const struct dup_choice *choice_of(const struct dup_problem *p, const uint32_t *chosen,
                                          size_t item)
{
    return &p->items[item].choices[chosen[item]];
}

/* What DUP.md compares, in its order: the objective times SMALL_LCM, an integer; PEs where they
 * count; copies; then for each item, the last one first, area, width and copies. */
enum { MOST_KEYS = 3 + 3 * SMALL_ITEMS };

static void find_keys(const struct dup_problem *p, const uint32_t *chosen, int64_t key[MOST_KEYS])
{
    memset(key, 0, MOST_KEYS * sizeof *key);
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_choice *c = choice_of(p, chosen, i);
        int64_t *own = key + 3 + 3 * (p->n_items - 1 - i);
        key[0] += c->cycles * (SMALL_LCM / c->copies);
        key[1] += p->fewest_pes ? c->pes : 0;
        key[2] += c->copies;
        own[0] = c->patch[0] * c->patch[1];
        own[1] = -c->patch[1];
        own[2] = c->copies;
    }
}

struct enumeration {
    const struct dup_problem *problem;
    int64_t most_load; /* of a choice */
    uint32_t now[SMALL_ITEMS], best[SMALL_ITEMS];
    int64_t best_key[MOST_KEYS];
    bool found;
};

static void consider(struct enumeration *e)
{
    int64_t key[MOST_KEYS];
    size_t k = 0;
    find_keys(e->problem, e->now, key);
    while (e->found && k < MOST_KEYS && key[k] == e->best_key[k])
        k++;
    if (e->found && (k == MOST_KEYS || key[k] > e->best_key[k]))
        return;
    memcpy(e->best, e->now, sizeof e->best);
    memcpy(e->best_key, key, sizeof key);
    e->found = true;
}

static void enumerate(struct enumeration *e, size_t item, int64_t left)
{
    const struct dup_problem *p = e->problem;
    if (item == p->n_items || item == SMALL_ITEMS) {
        consider(e);
        return;
    }
    for (uint32_t k = 0; k < p->items[item].n_choices; k++) {
        const struct dup_choice *c = &p->items[item].choices[k];
        e->now[item] = k;
        if (c->pes <= left && c->load <= e->most_load)
            enumerate(e, item + 1, left - c->pes);
    }
}

static void check_answer(const struct enumeration *e, const uint32_t *chosen, int trial)
{
    int64_t key[MOST_KEYS];
    find_keys(e->problem, chosen, key);
    for (size_t k = 0; k < MOST_KEYS; k++)
        ck_assert_msg(key[k] == e->best_key[k], "trial %d: key %zu is %lld, not %lld", trial, k,
                      (long long)key[k], (long long)e->best_key[k]);
}

/* Copies of one patch, then all pairs of patch and copies: the answer is the enumeration's, ties
 * included. */
START_TEST(test_enumeration)
{
    uint64_t seed = (uint64_t)_i;
    struct diag *d = diag_new();
    for (int trial = 0; trial < 300; trial++) {
        struct small s;
        make_small(&s, &seed, trial % 2);
        struct enumeration e = {.problem = &s.problem, .most_load = INT64_MAX};
        uint32_t chosen[SMALL_ITEMS] = {0};
        enumerate(&e, 0, s.problem.pes);
        ck_assert(dup_solve(&s.problem, NULL, d, chosen, &proven) && proven);
        check_answer(&e, chosen, trial);
    }
    diag_free(d);
}
END_TEST

/* Of the runs that dup_solve leaves: with nothing to gain, the first choice only. */
static void trim(struct small *s)
{
    for (size_t i = 0; i < s->problem.n_items; i++)
        s->items[i].n_choices = s->choices[i][0].cycles ? s->items[i].n_choices : 1;
}

/* Any feasible start leads to the same answer. */
START_TEST(test_start_does_not_matter)
{
    uint64_t seed = 77;
    struct diag *d = diag_new();
    for (int trial = 0; trial < 200; trial++) {
        struct small s;
        make_small(&s, &seed, false);
        struct enumeration e = {.problem = &s.problem, .most_load = INT64_MAX};
        uint32_t chosen[SMALL_ITEMS] = {0};
        enumerate(&e, 0, s.problem.pes);
        trim(&s);
        ck_assert(dup_break_ties(&s.problem, d, chosen, &proven) && proven);
        check_answer(&e, chosen, trial);
    }
    diag_free(d);
}
END_TEST

/* ---- the least interval, by enumeration ---- */

/* PEs of the smallest choices of at most that load; 0: an item has none. */
static int64_t pes_at(const struct dup_problem *p, int64_t load)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->n_items; i++) {
        int64_t least = 0;
        for (size_t k = 0; k < p->items[i].n_choices; k++) {
            const struct dup_choice *c = &p->items[i].choices[k];
            if (c->load <= load && (least == 0 || c->pes < least))
                least = c->pes;
        }
        if (least == 0)
            return 0;
        sum += least;
    }
    return sum;
}

START_TEST(test_interval)
{
    uint64_t seed = 50 + (uint64_t)_i;
    struct diag *d = diag_new();
    for (int trial = 0; trial < 300; trial++) {
        struct small s;
        make_small(&s, &seed, trial % 2);
        struct enumeration e = {.problem = &s.problem};
        uint32_t chosen[SMALL_ITEMS] = {0};
        int64_t got, pes = s.problem.pes;
        while (!e.found && ++e.most_load) /* then what is left goes to the sum */
            enumerate(&e, 0, pes);
        ck_assert(dup_solve_interval(&s.problem, NULL, d, chosen, &got, &proven) && proven);
        ck_assert_int_eq(got, e.most_load);
        check_answer(&e, chosen, trial);
        for (int64_t load = 0; load <= got; load++)
            ck_assert_int_eq(dup_interval_pes(&s.problem, load), pes_at(&s.problem, load));
        ck_assert(pes_at(&s.problem, got) > 0 && pes_at(&s.problem, got) <= pes);
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

/* 1 .. most copies of one pixel a product. */
static struct dup_item item_new(struct arena *a, int64_t cycles, int64_t pes, int most)
{
    struct dup_choice *choices = ARENA_ARRAY(a, struct dup_choice, (size_t)most);
    for (int i = 0; i < most; i++)
        choices[i] = (struct dup_choice){
            .copies = i + 1, .pes = (i + 1) * pes, .cycles = cycles, .patch = {1, 1}};
    return (struct dup_item){(size_t)most, choices};
}

static void add_layer(struct network *net, struct layer l)
{
    int64_t pes = ceil_div_i64(l.kernel * l.kernel * l.in, 256) * ceil_div_i64(l.out, 256);
    net->items[net->n++] = item_new(net->arena, (int64_t)l.size * l.size, pes, l.size);
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
        sum += net->items[i].choices[0].pes;
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
    struct dup_problem p = {net.items, net.n, pe_min(&net) + extra, false};
    uint32_t chosen[MOST_ITEMS];
    struct diag *d = diag_new();
    ck_assert_int_eq(pe_min(&net), want_pe_min);
    ck_assert(dup_solve(&p, NULL, d, chosen, &proven) && proven);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(chosen[i] + 1 == (i < n_want ? want[i] : 1), "layer %zu has %u copies", i,
                      chosen[i] + 1);
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
            for (size_t k = 0; k < it->n_choices; k++) {
                const struct dup_choice *c = &it->choices[k];
                int64_t used = c->pes - it->choices[0].pes;
                if (used <= left)
                    least = fmin(least, best[left - used] + (double)c->cycles / (double)c->copies);
            }
            best[left] = least;
        }
    }
    double optimum = best[spare];
    heap_free(best);
    return optimum;
}

START_TEST(test_resnet152)
{
    struct network net = resnet152();
    struct diag *d = diag_new();
    uint32_t chosen[MOST_ITEMS];
    int64_t used = 0;
    ck_assert_uint_eq(net.n, 155);
    ck_assert_int_eq(pe_min(&net), 936);
    struct dup_problem p = {net.items, net.n, 936 + 256, false};
    double start = now_seconds();
    ck_assert(dup_solve(&p, NULL, d, chosen, &proven) && proven);
    ck_assert(now_seconds() - start < 1);
    for (size_t i = 0; i < net.n; i++)
        used += choice_of(&p, chosen, i)->pes;
    ck_assert_int_le(used, p.pes);
    ck_assert_double_eq_tol(dup_objective(&p, chosen), table_optimum(&net, 256), 1e-6);
    diag_free(d);
    arena_free(net.arena);
}
END_TEST

/* Every tie among 36 equal layers goes to the earlier ones. */
START_TEST(test_equal_layers)
{
    struct network net = {.arena = arena_new()};
    struct diag *d = diag_new();
    uint32_t chosen[MOST_ITEMS];
    for (int i = 0; i < 36; i++)
        add_layer(&net, (struct layer){3, 64, 64, 14});
    struct dup_problem p = {net.items, net.n, pe_min(&net) + 3 * 20 + 2, false};
    ck_assert(dup_solve(&p, NULL, d, chosen, &proven) && proven);
    for (size_t i = 0; i < net.n; i++)
        ck_assert_int_eq(chosen[i] + 1, i < 20 ? 2 : 1);
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
    struct dup_item *items = heap_alloc(N * sizeof *items);
    uint32_t *chosen = heap_alloc(N * sizeof *chosen);
    struct diag *d = diag_new();
    struct dup_item kinds[2] = {item_new(d->arena, 12, 1, 8), item_new(d->arena, 24, 2, 8)};
    for (int i = 0; i < N; i++)
        items[i] = kinds[i % 2];
    struct dup_problem p = {items, N, 3 * N + 5000, false};
    ck_assert(dup_solve(&p, NULL, d, chosen, &proven) && proven);
    int64_t pes = 0, sum = 0;
    for (int i = 0; i < N; i++) {
        int64_t copies = chosen[i] + 1;
        pes += choice_of(&p, chosen, (size_t)i)->pes;
        sum += copies;
        ck_assert(copies == 2 || copies == 3);
        ck_assert(i < 2 || chosen[i] <= chosen[i - 2]); /* of equal layers the first */
    }
    /* the same gain from fewer copies: third ones for 2,500 layers of two PEs, none of one */
    ck_assert_int_eq(pes, p.pes);
    ck_assert_int_eq(sum, 2 * N + 2500);
    ck_assert_int_eq(chosen[4999] + 1, 3);
    ck_assert_int_eq(chosen[5001] + 1, 2);
    ck_assert_int_eq(chosen[0] + 1, 2);
    heap_free(items);
    heap_free(chosen);
    diag_free(d);
}
END_TEST

/* ---- limits ---- */

START_TEST(test_does_not_fit)
{
    struct network net = network_new(vgg16, COUNT(vgg16));
    struct dup_problem p = {net.items, net.n, 232, false};
    struct diag *d = diag_new();
    uint32_t chosen[MOST_ITEMS];
    ck_assert(!dup_solve(&p, NULL, d, chosen, &proven));
    ck_assert_int_eq(d->first->code, DIAG_CAPACITY);
    diag_free(d);
    arena_free(net.arena);
}
END_TEST

START_TEST(test_numbers_out_of_range)
{
    struct diag *d = diag_new();
    const struct dup_item huge[] = {item_new(d->arena, INT64_MAX, 1, 2),
                                    item_new(d->arena, INT64_MAX, INT64_MAX / 4, 2)};
    struct dup_problem p = {huge, 2, INT64_MAX, false};
    uint32_t chosen[2];
    ck_assert(!dup_solve(&p, NULL, d, chosen, &proven));
    ck_assert_int_eq(d->first->code, DIAG_DUPLICATION);
    diag_free(d);
}
END_TEST

/* As many PEs as can be counted: every item has its fastest choice. */
START_TEST(test_all_pes_that_there_are)
{
    struct diag *d = diag_new();
    const struct dup_choice a[] = {
        {.copies = 1, .pes = 4, .cycles = 8, .load = 8, .patch = {1, 1}},
        {.copies = 4, .pes = 16, .cycles = 8, .load = 2, .patch = {1, 1}}};
    const struct dup_choice b[] = {
        {.copies = 1, .pes = 5, .cycles = 6, .load = 6, .patch = {1, 1}},
        {.copies = 2, .pes = 10, .cycles = 6, .load = 3, .patch = {1, 1}}};
    const struct dup_item items[] = {{2, a}, {2, b}};
    struct dup_problem p = {items, 2, INT64_MAX, false};
    uint32_t chosen[2];
    int64_t interval;
    ck_assert(dup_solve_interval(&p, NULL, d, chosen, &interval, &proven));
    ck_assert_int_eq(interval, 3);
    ck_assert(chosen[0] == 1 && chosen[1] == 1);
    ck_assert_int_eq(dup_interval_pes(&p, 3), 16 + 10);
    ck_assert_int_eq(dup_interval_pes(&p, 1), 0); /* not with any */
    diag_free(d);
}
END_TEST

START_TEST(test_no_items)
{
    struct dup_problem p = {NULL, 0, 5, false};
    struct diag *d = diag_new();
    uint32_t chosen[1];
    ck_assert(dup_solve(&p, NULL, d, chosen, &proven) && proven);
    ck_assert_double_eq(dup_objective(&p, chosen), 0);
    diag_free(d);
}
END_TEST

/* ---- cancelled ---- */

enum { MARKETS = 5, CUSTOMERS = 40 };

static atomic_bool stop;

__attribute__((noreturn)) static void no_way_out(struct door *d, enum mishap why,
                                                 const char *message)
{
    (void)d;
    (void)why;
    fprintf(stderr, "%s\n", message);
    abort();
}

static void *stop_soon(void *ignored)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    stop = true;
    return ignored;
}

/* Customers of each market are to be split into halves (Cornuejols and Dawande): more than a
 * solver can do in days. */
START_TEST(test_a_solve_that_is_cancelled)
{
    static struct mip_column columns[CUSTOMERS];
    static struct mip_row rows[MARKETS];
    static double demand[MARKETS][CUSTOMERS], values[CUSTOMERS];
    static size_t all[CUSTOMERS];
    struct mip mip = {"goal", 0, columns, rows, CUSTOMERS, MARKETS, false};
    struct mip_answer answer = {.values = values};
    struct door door = {.leave = no_way_out, .stop = &stop};
    pthread_t other;
    uint64_t seed = 1;
    for (size_t k = 0; k < CUSTOMERS; k++) {
        columns[k] = (struct mip_column){.name = "x", .high = 1, .is_whole = true};
        all[k] = k;
    }
    for (size_t i = 0; i < MARKETS; i++) {
        double sum = 0;
        for (size_t k = 0; k < CUSTOMERS; k++)
            sum += demand[i][k] = (double)pick(&seed, 0, 99);
        double half = floor(sum / 2);
        rows[i] = (struct mip_row){
            .low = half, .high = half, .n = CUSTOMERS, .columns = all, .coefs = demand[i]};
    }
    door_set(&door);
    ck_assert_int_eq(pthread_create(&other, NULL, stop_soon, NULL), 0);
    mip_solve(&mip, INT64_MAX, &answer);
    ck_assert(stop); /* it has not come to an end by itself */
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    stop = false;
    door_reset(&door);
    ck_assert_int_eq(answer.status, MIP_NONE);
}
END_TEST

/* By hand. 1/(1*2) + 1/(2*3) + ... + 1/(60*61) = 60/61. */
START_TEST(test_sums_of_fractions)
{
    static const uint64_t large = UINT64_C(1) << 40;
    static const struct {
        struct {
            int sign;
            uint64_t top, below;
        } terms[4];
        int want;
    } cases[] = {
        {{{0, 0, 0}}, 0},
        {{{1, 7, 7}, {-1, 1, 1}}, 0},
        {{{1, 1, 2}, {1, 1, 3}, {-1, 5, 6}}, 0},
        {{{1, 1, 3}, {-1, 333333, 1000000}}, 1},
        {{{1, 1, large + 1}, {-1, 1, large}}, -1},
        {{{1, UINT64_MAX, 3}, {-1, UINT64_MAX / 3, 1}}, 0},
        {{{1, UINT64_MAX, 1}, {1, UINT64_MAX, 1}, {-1, UINT64_MAX, 1}, {-1, UINT64_MAX - 1, 1}}, 1},
    };
    struct dup_sum s = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 4 && cases[i].terms[k].sign; k++)
            dup_sum_add(&s, cases[i].terms[k].sign, cases[i].terms[k].top, cases[i].terms[k].below);
        ck_assert_int_eq(dup_sum_sign(&s), cases[i].want);
    }
    for (int more = -1; more <= 1; more++) {
        for (uint64_t k = 1; k <= 60; k++)
            dup_sum_add(&s, 1, 1, k * (k + 1));
        dup_sum_add(&s, -1, 60, 61);
        if (more)
            dup_sum_add(&s, more, 1, UINT64_MAX);
        ck_assert_int_eq(dup_sum_sign(&s), more);
    }
    dup_sum_free(&s);
}
END_TEST

START_TEST(test_lp_file)
{
    struct network net = network_new((struct layer[]){{1, 64, 64, 2}, {3, 64, 64, 2}}, 2);
    struct dup_problem p = {net.items, net.n, 4 + 3, false};
    struct diag *d = diag_new();
    uint32_t chosen[2];
    char path[] = "/tmp/dup_test.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert(dup_solve(&p, path, d, chosen, &proven));
    struct file f;
    ck_assert(file_open(path, d->arena, d, &f));
    char *text = arena_strndup(d->arena, (const char *)f.data, f.size);
    /* 1 and 3 PEs a copy, a second copy saves 4 - 2 cycles of each; 3 PEs to spare. */
    ck_assert_ptr_nonnull(strstr(text, "Minimize"));
    ck_assert_ptr_nonnull(strstr(text, "- 2 layer1_copies2 - 2 layer2_copies2"));
    ck_assert_ptr_nonnull(strstr(text, "extra_pes: + layer1_copies2 + 3 layer2_copies2 <= 3"));
    file_close(&f);
    remove(path);
    ck_assert(!dup_solve(&p, "/no such folder/x.lp", d, chosen, &proven));
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
    tcase_add_test(t, test_all_pes_that_there_are);
    tcase_add_test(t, test_no_items);
    tcase_add_test(t, test_sums_of_fractions);
    if (strcmp(mip_solver_name, "glpk") == 0) /* the other one goes on: dup_mip.h */
        tcase_add_test(t, test_a_solve_that_is_cancelled);
    tcase_add_test(t, test_lp_file);
    tcase_add_loop_test(t, test_cuts, 0, 16);
    tcase_add_loop_test(t, test_published_windows, 0, VW_PUBLISHED);
    tcase_add_loop_test(t, test_flat_cuts, 0, VW_PUBLISHED);
    tcase_add_test(t, test_pass_sum);
    tcase_add_test(t, test_pass_interval);
    tcase_add_test(t, test_pass_windows);
    tcase_add_test(t, test_pass_wide_readout);
    tcase_add_test(t, test_pass_fixed_patch);
    tcase_add_test(t, test_pass_bounds);
    tcase_add_test(t, test_pass_none);
    tcase_add_test(t, test_pass_whole_machine);
    tcase_add_test(t, test_pass_failures);
    tcase_add_test(t, test_pass_bad_graphs);
    suite_add_tcase(s, t);
    return run_suite(s);
}
