/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_batch_tests.h - function in batches against function at each completion, on random programs.
 *
 * A program is a chain of layers over rings, made in the order in which a pipeline needs it, in
 * sets of some pixels; each instruction waits for the one before it, or, in racy programs, often
 * for nothing. Rings may be too short. With an observer the simulator executes each instruction at
 * its completion: outputs and times must be the same without.
 */
#ifndef CIMC_SIM_BATCH_TESTS_H
#define CIMC_SIM_BATCH_TESTS_H

#include "sim_rig.h"

enum { CHAIN_LAYERS = 3, CHAIN_TRIALS = 60 };

enum chain_kind { CHAIN_CONV, CHAIN_CONV_IN_PLACE, CHAIN_SKIP, CHAIN_POOL, N_CHAIN_KINDS };
struct chain_layer {
    enum chain_kind kind;
    uint32_t kernel, unit; /* unit: pixels of a set */
    uint32_t source, sum, act, group, lanes, window, route, made, sets;
};
struct chain {
    struct rig r;
    uint64_t random;
    uint32_t h, w, c, load_unit, loaded, input, racy; /* racy: of 8 waits, how many are left out */
    struct chain_layer layers[CHAIN_LAYERS];
    uint32_t counts[ISA_N_QUEUES];
    unsigned last; /* queue of the instruction before; ISA_N_QUEUES: none */
};

static uint32_t chance(struct chain *k, uint32_t n)
{
    return (uint32_t)(random_next(&k->random) % n);
}

static void chain_emit(struct chain *k, struct isa_inst i)
{
    if (k->last != ISA_N_QUEUES && chance(k, 8) >= k->racy)
        i = on(i, k->last, k->counts[k->last]);
    emit(&k->r, 0, i);
    k->last = i.queue;
    k->counts[i.queue]++;
}

static void chain_load(struct chain *k, uint32_t pixels)
{
    while (k->loaded < pixels) {
        int y = (int)(k->loaded / k->w), x = (int)(k->loaded % k->w);
        uint32_t left = k->w - (uint32_t)x, n = k->load_unit < left ? k->load_unit : left;
        struct isa_inst i = to(inst(ISA_load, dma(&k->r, 0), 0, 1, n), at(k->input, y, x));
        i.y = (int32_t)y, i.x = (int32_t)x;
        chain_emit(k, i);
        k->loaded += n;
    }
}

static void chain_set(struct chain *k, const struct chain_layer *l, int y, int x, uint32_t n)
{
    unsigned v = vu(&k->r, 0);
    uint32_t sent = l->kind == CHAIN_CONV_IN_PLACE ? l->sum : l->act;
    if (l->kind == CHAIN_POOL) {
        struct isa_inst i = to(inst(ISA_vwin, v, l->window, 1, n), at(l->act, y, x));
        chain_emit(k, from(i, at(l->source, 0, 0)));
    } else {
        chain_emit(k, to(inst(ISA_mvm, l->group, l->group, 1, n), at(l->sum, y, x)));
        struct isa_inst i = to(inst(ISA_vmap, v, l->lanes, 1, n), at(sent, y, x));
        if (l->kind == CHAIN_SKIP)
            i.b = at(l->source, y, x);
        chain_emit(k, from(i, at(l->sum, y, x)));
    }
    chain_emit(k, from(inst(ISA_send, tx(&k->r, 0), l->route, 1, n), at(sent, y, x)));
}

/* Makes the first `pixels` pixels of layer `index` and all that they need; index -1: the input. */
static void chain_make(struct chain *k, int index, uint32_t pixels)
{
    if (index < 0) {
        chain_load(k, pixels);
        return;
    }
    struct chain_layer *l = &k->layers[index];
    while (l->made < pixels) {
        uint32_t y = l->made / k->w, x = l->made % k->w;
        uint32_t n = l->unit < k->w - x ? l->unit : k->w - x, halo = l->kernel / 2;
        uint32_t row = y + halo < k->h ? y + halo : k->h - 1;
        uint32_t end = x + n + halo < k->w ? x + n + halo : k->w;
        chain_make(k, index - 1, row * k->w + end);
        chain_set(k, l, (int)y, (int)x, n);
        l->made += n;
        l->sets++;
    }
}

/* A ring on tile 0; sometimes a part of the channels of a wider one. */
static uint32_t chain_ring(struct chain *k, uint32_t rows)
{
    if (chance(k, 3) > 0)
        return ring(&k->r, 0, rows, k->h, k->w, k->c);
    uint32_t v = ring(&k->r, 0, rows, k->h, k->w, k->c + 1);
    k->r.p->tiles[0].views[v].channels = k->c;
    k->r.p->tiles[0].views[v].base += chance(k, 2) * 4;
    return v;
}

/* Where the layer's results go: the next ring, and all of them to tile 1. */
static uint32_t chain_layer(struct chain *k, struct chain_layer *l, uint32_t source, uint32_t index)
{
    struct isa_tile *t = &k->r.p->tiles[0];
    float weights[9 * 16];
    l->kind = (enum chain_kind)chance(k, N_CHAIN_KINDS);
    l->kernel = l->kind == CHAIN_POOL || chance(k, 2) ? 3 : 1;
    l->unit = 1 + chance(k, k->w);
    l->source = source;
    l->sum = chain_ring(k, 1 + chance(k, 2));
    l->act = chain_ring(k, 1);
    if (l->kind == CHAIN_POOL) {
        t->windows[l->window = t->n_windows++] = (struct isa_window){.kind = WINDOW_MAX,
                                                                     .kernel = {3, 3},
                                                                     .stride = {1, 1},
                                                                     .dilation = {1, 1},
                                                                     .pad_top = 1,
                                                                     .pad_left = 1};
    } else {
        ramp(weights, 9 * 16, (int)index);
        l->group = t->n_groups;
        struct isa_group *g =
            group(&k->r, 0, source, image(&k->r, l->kernel * l->kernel * k->c, k->c, weights));
        g->kernel[0] = g->kernel[1] = l->kernel;
        g->pad_top = g->pad_left = (int32_t)l->kernel / 2;
        g->in_channels = k->c;
    }
    static const struct isa_lane add[] = {{LANE_ADD, LANE_A, LANE_B, 0},
                                          {LANE_MUL, 0, LANE_IMM, EIGHTH}};
    static const struct isa_lane shrink[] = {{LANE_LEAKY, LANE_A, LANE_IMM, HALF},
                                             {LANE_MUL, 0, LANE_IMM, EIGHTH}};
    l->lanes =
        lanes(&k->r, 0, l->kind == CHAIN_SKIP ? 2 : 1, 0, 2, l->kind == CHAIN_SKIP ? add : shrink);
    uint32_t next = chain_ring(k, 2 + chance(k, 3)), all = view(&k->r, 1, k->h, k->w, k->c);
    l->route =
        route(&k->r, 0, 2, (struct isa_target[]){{0, next, 128 + index}, {1, all, 128 + index}});
    return next;
}

static struct chain chain_new(uint64_t seed, uint32_t racy)
{
    struct chain k = {.r = rig_new(2), .random = seed, .racy = racy, .last = ISA_N_QUEUES};
    set_arch(&k.r, chance(&k, 2) ? "lanes=2" : "lanes=0");
    set_arch(&k.r, chance(&k, 2) ? "hop_cycles=3" : "hop_cycles=0");
    set_arch(&k.r, "queue_depth=64");
    k.h = 3 + chance(&k, 4), k.w = 2 + chance(&k, 5), k.c = 1 + chance(&k, 4);
    k.load_unit = 1 + chance(&k, k.w);
    k.input = chain_ring(&k, 2 + chance(&k, 3));
    add_binding(&k.r, false, 0, k.h, k.w, k.c);
    ramp(k.r.inputs[0], (size_t)k.h * k.w * k.c, 5);
    uint32_t source = k.input;
    for (uint32_t i = 0; i < CHAIN_LAYERS; i++)
        source = chain_layer(&k, &k.layers[i], source, i);
    chain_make(&k, CHAIN_LAYERS - 1, k.h * k.w);
    return k;
}

static void ignore(void *self, const struct sim *s, uint32_t tile, uint32_t frame, uint32_t index,
                   const struct isa_inst *i)
{
    (void)self, (void)s, (void)tile, (void)frame, (void)index, (void)i;
}

static void chain_compare(const struct rig *a, const struct rig *b, size_t n, uint64_t seed)
{
    ck_assert_uint_eq(a->result.cycles, b->result.cycles);
    for (uint32_t i = 0; i < a->p->tiles[0].n_insts; i++)
        ck_assert(a->start[0][i] == b->start[0][i] && a->end[0][i] == b->end[0][i]);
    for (int k = 1; k <= CHAIN_LAYERS; k++) {
        float most = 0;
        for (size_t i = 0; i < n; i++)
            most = fabsf(a->outputs[k][i]) > most ? fabsf(a->outputs[k][i]) : most;
        for (size_t i = 0; i < n; i++) {
            float x = a->outputs[k][i], y = b->outputs[k][i];
            ck_assert_msg(fabsf(x - y) <= 1e-6f * most || (isnan(x) && isnan(y)),
                          "seed %lu: output %d, element %zu: %g, not %g", (unsigned long)seed, k, i,
                          (double)y, (double)x);
        }
    }
}

/* Runs the chain of this seed twice, at the same latencies. */
static void chain_check(uint64_t seed, uint32_t racy)
{
    struct chain k[2];
    for (int lazy = 0; lazy < 2; lazy++) {
        k[lazy] = chain_new(seed, racy);
        struct rig *r = &k[lazy].r;
        for (uint32_t i = 0; i < CHAIN_LAYERS; i++)
            store(r, 1, i, 128 + i, chance(&k[lazy], racy + 1) > 0 ? 1 : k[lazy].layers[i].sets);
        bool good = run_with(r, (struct sim_options){.latency_seed = seed % 4,
                                                     .max_extra_cycles = seed % 7,
                                                     .executed = lazy ? NULL : ignore});
        diag_print(r->d, stderr);
        ck_assert(good);
    }
    chain_compare(&k[0].r, &k[1].r, (size_t)k[0].h * k[0].w * k[0].c, seed);
    rig_free(&k[0].r);
    rig_free(&k[1].r);
}

START_TEST(batches_of_ordered_programs)
{
    for (uint64_t seed = 1; seed <= CHAIN_TRIALS; seed++)
        chain_check(seed, 0);
}
END_TEST

START_TEST(batches_of_racy_programs)
{
    for (uint64_t seed = 1; seed <= CHAIN_TRIALS; seed++)
        chain_check(seed, 1 + (uint32_t)seed % 8);
}
END_TEST

/* A vector program on the results of a product that reads three rows for each: it writes to where
 * the product reads (0), or reads the results in reverse too (1), or neither (2: both can go row
 * after row). */
START_TEST(batches_of_products_and_maps)
{
    enum { H = 7, W = 200, C = 2 };
    static float x[H * W * C], w[3 * C * C];
    static const struct isa_lane add[] = {{LANE_ADD, LANE_A, LANE_B, 0}};
    ramp(x, H * W * C, 3);
    ramp(w, 3 * C * C, 4);
    struct rig runs[2];
    for (int lazy = 0; lazy < 2; lazy++) {
        struct rig *r = &runs[lazy];
        *r = rig_new(1);
        uint32_t in = constant(r, 0, H, W, C, x), sums = view(r, 0, H, W, C);
        uint32_t other = view(r, 0, H, W, C), out = _i == 0 ? in : other;
        struct isa_group *g = group(r, 0, in, image(r, 3 * C, C, w));
        g->kernel[0] = 3, g->pad_top = 1, g->in_channels = C;
        struct isa_view *reverse = &r->p->tiles[0].views[r->p->tiles[0].n_views++];
        *reverse = r->p->tiles[0].views[sums];
        reverse->base += (H - 1) * (uint64_t)reverse->row_pitch;
        reverse->row_pitch *= -1;
        emit(r, 0, to(inst(ISA_mvm, 0, 0, H, W), at(sums, 0, 0)));
        struct isa_inst i = inst(ISA_vmap, vu(r, 0), 0, H, W);
        if (_i == 1) {
            i.obj = (uint16_t)lanes(r, 0, 2, 0, 1, add);
            i.b = at(r->p->tiles[0].n_views - 1, 0, 0);
        } else {
            i.obj = (uint16_t)lanes(r, 0, 1, 0, 1, RELU);
        }
        emit(r, 0, on(from(to(i, at(out, 0, 0)), at(sums, 0, 0)), 0, 1));
        store(r, 0, out, vu(r, 0), 1);
        bool good = run_with(r, (struct sim_options){.executed = lazy ? NULL : ignore});
        diag_print(r->d, stderr);
        ck_assert(good);
    }
    expect(runs[1].outputs[0], runs[0].outputs[0], H * W * C);
    rig_free(&runs[0]);
    rig_free(&runs[1]);
}
END_TEST

static TCase *batch_tests(void)
{
    TCase *c = tcase_create("batches");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, batches_of_ordered_programs);
    tcase_add_test(c, batches_of_racy_programs);
    tcase_add_loop_test(c, batches_of_products_and_maps, 0, 3);
    return c;
}

#endif
