/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_makespan_test.c - copies for the makespan: against enumeration with a schedule that is
 * written down here from its definition, pixel by pixel. */
#include "dup/dup_flow.h"
#include "../run_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 4 };

/* ---- small graphs ---- */

struct fixture {
    struct ir_graph *g;
    struct diag *d;
    struct arch arch;
    struct arena *scratch;
    struct dup_options options;
    struct dup_result result;
    struct dup_schedule schedule;
    int64_t set_rows, set_columns; /* 0 = whole extent */
    struct ir_op *mvm[MOST_LAYERS];
    int n_layers, n_asked;
    uint64_t copy_cycles; /* that the schedule takes longer for each copy but the first */
};

static struct ir_value *add(struct fixture *f, enum ir_opcode opcode, const union ir_attrs *a,
                            struct ir_value *x, struct ir_value *y)
{
    struct ir_new desc = {.opcode = opcode,
                          .in = (struct ir_value *[]){x, y},
                          .n_in = (x ? 1u : 0u) + (y ? 1u : 0u),
                          .attrs = a,
                          .name = opcode == IR_mvm ? "m" : ""};
    struct ir_op *op = ir_op_new(f->g, NULL, &desc, f->d);
    ck_assert_ptr_nonnull(op);
    if (opcode == IR_mvm)
        f->mvm[f->n_layers++] = op;
    return op->out;
}

static struct ir_value *add_mvm(struct fixture *f, struct ir_value *x, int64_t kernel,
                                int64_t stride, int64_t pes)
{
    float zero = 0;
    struct ir_type wt = ir_type_of(IR_F32, 2, (int64_t[]){kernel * kernel * 4, 4});
    struct blob *data = blob_splat(&zero, sizeof zero);
    struct ir_op *w = ir_const_new(f->g, NULL, wt, data, "", (struct loc){0});
    union ir_attrs a = {.mvm = {.kernel = {kernel, kernel},
                                .stride = {stride, stride},
                                .dilation = {1, 1},
                                .group = 1,
                                .slices = {pes, 1},
                                .copies = 1,
                                .cut = {1, 1}}};
    return add(f, IR_mvm, &a, x, w->out);
}

static struct ir_value *add_pad(struct fixture *f, struct ir_value *x)
{
    static const int64_t one[] = {1, 1, 0};
    union ir_attrs a = {.pad = {.before = {3, one}, .after = {3, one}, .mode = IR_PAD_CONSTANT}};
    return add(f, IR_pad, &a, x, NULL);
}

static struct ir_value *add_pool(struct fixture *f, struct ir_value *x)
{
    union ir_attrs a = {.max_pool = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}}};
    return add(f, IR_max_pool, &a, x, NULL);
}

/* Twice as many rows, to each of which two pixels are added, and columns, the odd ones of nothing.
 */
static struct ir_value *add_upsampling(struct fixture *f, struct ir_value *x)
{
    union ir_attrs a = {
        .overlap_add = {
            .kernel = {4, 1}, .stride = {2, 2}, .dilation = {1, 1}, .pad = {1, 0, 1, -1}}};
    union ir_attrs channels = {.concat = {.axis = 2}};
    struct ir_value *y = add(f, IR_overlap_add, &a, x, NULL); /* the 4 channels were its taps */
    y = add(f, IR_concat, &channels, y, y);
    return add(f, IR_concat, &channels, y, y);
}

/* The maximum of each row. */
static struct ir_value *add_row_maximum(struct fixture *f, struct ir_value *x)
{
    static const int64_t columns[] = {1};
    union ir_attrs a = {.reduce = {.kind = IR_REDUCE_MAX, .axes = {1, columns}}};
    return add(f, IR_reduce, &a, x, NULL);
}

static struct ir_value *start(struct fixture *f, int64_t rows, int64_t columns)
{
    *f = (struct fixture){
        .g = ir_graph_new("g", IR_CROSSBAR), .d = diag_new(), .scratch = arena_new()};
    ck_assert(arch_load("clsa", f->d->arena, f->d, &f->arch));
    f->options = (struct dup_options){.objective = DUP_MAKESPAN, .pes = -1};
    f->schedule.self = f;
    f->set_rows = f->set_columns = 1;
    union ir_attrs in = {.input = {.dtype = IR_F32,
                                   .shape = {3, (int64_t[]){rows, columns, 4}},
                                   .strides = {columns * 4, 4, 1},
                                   .extent = {rows, columns, 4}}};
    return add(f, IR_input, &in, NULL, NULL);
}

static void finish(struct fixture *f)
{
    ir_graph_free(f->g);
    diag_free(f->d);
    arena_free(f->scratch);
}

static int64_t pick(uint64_t *seed, int64_t least, int64_t most)
{
    return least + (int64_t)(random_next(seed) % (uint64_t)(most - least + 1));
}

/* Chains with windows, pads, strides, a pool, upsampling, row maxima, and a sum of two branches. */
static void make_random(struct fixture *f, uint64_t *seed)
{
    struct ir_value *x = start(f, pick(seed, 5, 9), pick(seed, 5, 9));
    x = add_mvm(f, x, 1, 1, pick(seed, 1, 2));
    if (pick(seed, 0, 2) == 0)
        x = add_pool(f, x);
    else if (x->type.dim[0] * x->type.dim[1] <= 36)
        x = add_upsampling(f, x);
    x = add_mvm(f, add_pad(f, x), 3, pick(seed, 1, 2), pick(seed, 1, 3));
    struct ir_value *y = add_mvm(f, x, 1, 1, 1);
    if (pick(seed, 0, 2) == 0)
        y = add_mvm(f, add_row_maximum(f, y), 1, 1, 1);
    else if (pick(seed, 0, 1))
        y = add_mvm(f, add_pad(f, y), 3, 1, 2);
    add(f, IR_add, NULL, y, x);
    f->options.extra_pes = pick(seed, 1, 6);
    f->set_columns = pick(seed, 0, 2);
    f->set_rows = pick(seed, 1, 2);
    ir_number(f->g);
}

/* ---- the schedule, from its definition ---- */

struct naive {
    const struct fixture *f;
    int64_t *done[64]; /* by operation */
};

static int64_t when(const struct naive *n, const struct ir_value *v, int64_t y, int64_t x)
{
    const int64_t *dim = v->type.dim;
    bool inside = v->type.rank == 3 && y >= 0 && x >= 0 && y < dim[0] && x < dim[1];
    return inside && n->done[v->def->id] ? n->done[v->def->id][y * dim[1] + x] : 0;
}

static int64_t ready(const struct naive *n, const struct ir_op *op, int64_t y, int64_t x)
{
    int64_t latest = 0;
    const struct ir_attrs_mvm *m = &op->attrs->mvm;
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_value *v = op->in[i].value;
        if (op->opcode == IR_overlap_add) { /* rows (y + 1 - k) / 2, even columns */
            for (int64_t k = 0; k < 4 && x % 2 == 0; k++)
                if ((y + 1 - k) % 2 == 0)
                    latest = max_i64(latest, when(n, v, (y + 1 - k) / 2, x / 2));
        } else if (op->opcode == IR_reduce) {
            for (int64_t k = 0; k < v->type.dim[1]; k++)
                latest = max_i64(latest, when(n, v, y, k));
        } else if (op->opcode == IR_reshape) {
            for (int64_t k = 0; k < v->type.dim[0] * v->type.dim[1]; k++)
                latest = max_i64(latest, when(n, v, k / v->type.dim[1], k % v->type.dim[1]));
        } else if (op->opcode == IR_mvm || op->opcode == IR_max_pool) {
            int64_t kernel = op->opcode == IR_mvm ? m->kernel[0] : 2;
            int64_t stride = op->opcode == IR_mvm ? m->stride[0] : 2;
            for (int64_t k = 0; k < kernel * kernel && i == 0; k++)
                latest =
                    max_i64(latest, when(n, v, y * stride + k / kernel, x * stride + k % kernel));
        } else {
            int64_t shift = op->opcode == IR_pad;
            int64_t up = !shift && v->type.dim[0] == 1 ? 0 : y - shift; /* or broadcast */
            int64_t left = !shift && v->type.dim[1] == 1 ? 0 : x - shift;
            latest = max_i64(latest, when(n, v, up, left));
        }
    }
    return latest;
}

/* What a product of a layer reads, and when its pixels are done. */
static int64_t product_ready(const struct naive *n, const struct ir_op *op, int64_t y, int64_t x)
{
    const int64_t *dim = op->out->type.dim, *patch = op->attrs->mvm.patch;
    int64_t latest = 0;
    for (int64_t r = y * patch[0]; r < min_i64((y + 1) * patch[0], dim[0]); r++)
        for (int64_t c = x * patch[1]; c < min_i64((x + 1) * patch[1], dim[1]); c++)
            latest = max_i64(latest, ready(n, op, r, c));
    return latest;
}

static void set_done(struct naive *n, const struct ir_op *op, int64_t y, int64_t x, int64_t now)
{
    const int64_t *dim = op->out->type.dim, *patch = op->attrs->mvm.patch;
    for (int64_t r = y * patch[0]; r < min_i64((y + 1) * patch[0], dim[0]); r++)
        for (int64_t c = x * patch[1]; c < min_i64((x + 1) * patch[1], dim[1]); c++)
            n->done[op->id][r * dim[1] + c] = now;
}

/* One copy of a layer: rows [lo[0], hi[0]), columns [lo[1], hi[1]) of its products. Sets begin at
 * multiples of their size, and where the copy begins. Returns its end. */
static int64_t run_copy(struct naive *n, const struct ir_op *op, const int64_t lo[2],
                        const int64_t hi[2], int64_t now)
{
    int64_t dy = n->f->set_rows ? n->f->set_rows : hi[0];
    int64_t dx = n->f->set_columns ? n->f->set_columns : hi[1];
    int64_t y1, x1;
    for (int64_t y = lo[0]; y < hi[0]; y = y1) {
        y1 = min_i64(y - y % dy + dy, hi[0]);
        for (int64_t x = lo[1]; x < hi[1]; x = x1) {
            x1 = min_i64(x - x % dx + dx, hi[1]);
            for (int64_t r = y; r < y1; r++)
                for (int64_t c = x; c < x1; c++)
                    now = max_i64(now, product_ready(n, op, r, c));
            now += (y1 - y) * (x1 - x);
            for (int64_t r = y; r < y1; r++)
                for (int64_t c = x; c < x1; c++)
                    set_done(n, op, r, c, now);
        }
    }
    return now;
}

/* Of W columns of products, w belongs to copy floor(w * d / W); rows likewise. */
static int64_t run_layer(struct naive *n, const struct ir_op *op, int64_t from)
{
    const struct ir_attrs_mvm *m = &op->attrs->mvm;
    const int64_t *cut = m->cut;
    int64_t end = 0, size[2];
    for (int a = 0; a < 2; a++)
        size[a] = ceil_div_i64(op->out->type.dim[a], m->patch[a]);
    for (int64_t copy = 0; copy < cut[0] * cut[1]; copy++) {
        int64_t part[2] = {copy / cut[1], copy % cut[1]}, lo[2], hi[2];
        for (int a = 0; a < 2; a++) {
            lo[a] = hi[a] = 0;
            while (lo[a] * cut[a] / size[a] < part[a])
                lo[a]++;
            while (hi[a] < size[a] && hi[a] * cut[a] / size[a] <= part[a])
                hi[a]++;
        }
        end = max_i64(end, run_copy(n, op, lo, hi, from));
    }
    return end;
}

static uint64_t naive_makespan(struct fixture *f, const struct ir_graph *g)
{
    struct naive n = {.f = f};
    struct arena *a = arena_new();
    int64_t end = 0;
    f->n_asked++;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_input || op->opcode == IR_constant)
            continue;
        const int64_t *dim = op->out->type.dim;
        n.done[op->id] = ARENA_ARRAY(a, int64_t, (size_t)(dim[0] * dim[1]));
        if (op->opcode == IR_mvm)
            end = max_i64(end, run_layer(&n, op, f->schedule.layer_by_layer ? end : 0));
        for (int64_t i = 0; op->opcode != IR_mvm && i < dim[0] * dim[1]; i++)
            n.done[op->id][i] = ready(&n, op, i / dim[1], i % dim[1]);
    }
    arena_free(a);
    return (uint64_t)end;
}

/* Of all frames: each the largest load of a copy behind the one before. */
static uint64_t naive_total(struct fixture *f, const struct ir_graph *g)
{
    int64_t load = 0;
    for (int i = 0; i < f->n_layers; i++) {
        const int64_t *dim = f->mvm[i]->out->type.dim, *cut = f->mvm[i]->attrs->mvm.cut;
        load = max_i64(load, ceil_div_i64(dim[0], cut[0]) * ceil_div_i64(dim[1], cut[1]));
    }
    uint32_t more = f->schedule.frames > 1 ? f->schedule.frames - 1 : 0;
    return naive_makespan(f, g) + more * (uint64_t)load;
}

static bool ask_naive(const struct dup_schedule *schedule, const struct ir_graph *g,
                      struct dup_timing *out)
{
    struct fixture *f = schedule->self;
    int64_t more = 0;
    for (int i = 0; i < f->n_layers; i++)
        more += f->mvm[i]->attrs->mvm.copies - 1;
    *out = (struct dup_timing){.cycles = naive_total(f, g) + (uint64_t)more * f->copy_cycles,
                               .set_rows = f->set_rows,
                               .set_columns = f->set_columns,
                               .n_tasks = 1};
    return true;
}

/* ---- the pass ---- */

static enum pass_result run(struct fixture *f)
{
    struct pass_ctx ctx = {.diag = f->d,
                           .arch = &f->arch,
                           .scratch = f->scratch,
                           .dup = &f->options,
                           .dup_result = &f->result,
                           .schedule = &f->schedule};
    f->schedule.makespan = ask_naive;
    return pass_dup.run(&ctx, f->g);
}

static void set_choice(struct ir_op *op, enum dup_cut cut, const struct dup_choice *c)
{
    const int64_t *dim = op->out->type.dim;
    struct ir_attrs_mvm *a = &op->attrs->mvm;
    a->copies = c->copies;
    memcpy(a->patch, c->patch, sizeof a->patch);
    ck_assert(dup_find_cut(cut, c->copies, ceil_div_i64(dim[0], c->patch[0]),
                           ceil_div_i64(dim[1], c->patch[1]), a->cut));
}

/* The least makespan over all copies that fit. */
static uint64_t enumerate(struct fixture *f, int layer, int64_t spare)
{
    uint64_t best = UINT64_MAX;
    if (layer == f->n_layers)
        return naive_total(f, f->g);
    struct ir_op *op = f->mvm[layer];
    const int64_t *dim = op->out->type.dim, pes = op->attrs->mvm.slices[0];
    int64_t parts[2];
    for (int64_t d = 1; (d - 1) * pes <= spare; d++) {
        if (!dup_find_cut(f->options.cut, d, dim[0], dim[1], parts))
            continue;
        set_choice(op, f->options.cut, &(struct dup_choice){.copies = d, .patch = {1, 1}});
        uint64_t cycles = enumerate(f, layer + 1, spare - (d - 1) * pes);
        best = cycles < best ? cycles : best;
    }
    return best;
}

static void check_against_enumeration(struct fixture *f)
{
    struct dup_options wanted = f->options;
    static const enum dup_objective others[] = {DUP_SUM, DUP_INTERVAL, DUP_NONE};
    uint64_t starts[3], bounds[3], now, best;
    int64_t copies[MOST_LAYERS];
    for (int i = 0; i < 3; i++) {
        f->options.objective = others[i];
        ck_assert_int_ne(run(f), PASS_FAILED);
        starts[i] = naive_total(f, f->g);
        ck_assert(f->result.has_bound);
        bounds[i] = f->result.lower_bound_cycles;
    }
    f->options = wanted;
    ck_assert_int_ne(run(f), PASS_FAILED);
    now = naive_total(f, f->g);
    ck_assert_uint_le(now, starts[0]);
    ck_assert_uint_le(now, starts[1]);
    ck_assert_uint_eq(now, (uint64_t)f->result.value);
    ck_assert_str_eq(f->result.objective, "makespan");
    ck_assert(f->result.has_bound);
    for (int i = 0; i < f->n_layers; i++)
        copies[i] = f->mvm[i]->attrs->mvm.copies;
    best = enumerate(f, 0, f->options.extra_pes);
    ck_assert_uint_le(f->result.lower_bound_cycles, best);
    bool in_order = f->set_rows == 1 || f->set_columns == 0; /* of single products */
    for (int i = 0; i < 3 && in_order; i++) /* of all copies, whatever the objective */
        ck_assert_uint_le(bounds[i], best);
    ck_assert_uint_ge(now, best);
    if (strcmp(f->result.status, "optimal") == 0)
        ck_assert_uint_eq(now, best);
    ck_assert_int_ne(run(f), PASS_FAILED); /* whatever the attributes were */
    for (int i = 0; i < f->n_layers; i++)
        ck_assert_int_eq(copies[i], f->mvm[i]->attrs->mvm.copies);
}

/* With a known set shape these are small enough to be proven, whatever the cut. */
START_TEST(test_enumeration)
{
    uint64_t seed = (uint64_t)_i;
    for (int trial = 0; trial < 6; trial++) {
        struct fixture f;
        make_random(&f, &seed);
        f.options.cut = (enum dup_cut)pick(&seed, CUT_AUTO, CUT_2D);
        check_against_enumeration(&f);
        ck_assert_str_eq(f.result.status, "optimal");
        finish(&f);
    }
}
END_TEST

/* Sets whose shape only the scheduler knows, and one layer at a time: bounds hold all the same. */
START_TEST(test_other_schedules)
{
    uint64_t seed = 100 + (uint64_t)_i;
    struct fixture f;
    make_random(&f, &seed);
    f.schedule.set_budget = _i % 2 == 0 ? 1000 : 0;
    f.schedule.layer_by_layer = _i % 2 == 1;
    check_against_enumeration(&f);
    finish(&f);
}
END_TEST

/* Several frames: what is best for one need not be best for all, nor what has the least interval.
 */
START_TEST(test_frames)
{
    uint64_t seed = 300 + (uint64_t)_i;
    struct fixture f;
    make_random(&f, &seed);
    f.schedule.frames = (uint32_t)pick(&seed, 2, 9);
    check_against_enumeration(&f);
    finish(&f);
}
END_TEST

/* Two 1x1 layers of 4 x 4 pixels, one PE each, two more to spend: one copy of either layer takes 16
 * cycles, and the second starts one later, or ends one later. With two each: 8 + 1. */
START_TEST(test_by_hand)
{
    struct fixture f;
    struct ir_value *x = start(&f, 4, 4);
    add_mvm(&f, add_mvm(&f, x, 1, 1, 1), 1, 1, 1);
    f.options.extra_pes = 1;
    ck_assert_int_ne(run(&f), PASS_FAILED);
    ck_assert_double_eq(f.result.value, 17);
    ck_assert_uint_eq(f.result.lower_bound_cycles, 17);
    f.options.extra_pes = 2;
    f.options.objective = DUP_SUM;
    ck_assert_int_ne(run(&f), PASS_FAILED);
    ck_assert_uint_eq(f.result.lower_bound_cycles, 9);
    f.options.objective = DUP_MAKESPAN;
    ck_assert_int_ne(run(&f), PASS_FAILED);
    ck_assert_double_eq(f.result.value, 9);
    ck_assert_uint_eq(f.result.lower_bound_cycles, 9);
    ck_assert_str_eq(f.result.status, "optimal");
    ck_assert_uint_eq(f.result.bottleneck_cycles, 8);
    ck_assert_int_eq(f.mvm[0]->attrs->mvm.copies, 2);
    ck_assert_int_eq(f.mvm[1]->attrs->mvm.copies, 2);
    f.arch.mvm_cycles = 10;
    ck_assert_int_ne(run(&f), PASS_FAILED); /* the schedule here goes on counting products */
    ck_assert_uint_eq(f.result.lower_bound_cycles, 90);
    finish(&f);
}
END_TEST

/* Where each further copy costs more than it saves, as messages can, there is none: the two layers
 * of 4 x 4 pixels take 16 + 1 cycles. */
START_TEST(test_copies_that_cost)
{
    struct fixture f;
    struct ir_value *x = start(&f, 4, 4);
    add_mvm(&f, add_mvm(&f, x, 1, 1, 1), 1, 1, 1);
    f.options.extra_pes = 2;
    f.copy_cycles = 20;
    ck_assert_int_ne(run(&f), PASS_FAILED);
    ck_assert_double_eq(f.result.value, 17);
    ck_assert_int_eq(f.mvm[0]->attrs->mvm.copies, 1);
    ck_assert_int_eq(f.mvm[1]->attrs->mvm.copies, 1);
    finish(&f);
}
END_TEST

/* 512 rows become 512 columns, all of which read all of them: two layers one after the other, and
 * one more copy halves either. */
START_TEST(test_rows_become_columns)
{
    static const int64_t row[] = {1, 512, 4};
    struct fixture f;
    struct ir_value *x = add_mvm(&f, start(&f, 512, 1), 1, 1, 1);
    union ir_attrs a = {.reshape = {.shape = {3, row}, .from = IR_HWC, .to = IR_HWC}};
    add_mvm(&f, add(&f, IR_reshape, &a, x, NULL), 1, 1, 1);
    ir_number(f.g);
    f.options.extra_pes = 1;
    ck_assert_int_ne(run(&f), PASS_FAILED);
    ck_assert_double_eq(f.result.value, 512 + 256);
    ck_assert_uint_eq(f.result.lower_bound_cycles, 512 + 256);
    finish(&f);
}
END_TEST

/* A network without base layers has one choice: none. */
START_TEST(test_nothing_to_choose)
{
    struct fixture f;
    add(&f, IR_relu, NULL, start(&f, 2, 3), NULL);
    ir_number(f.g);
    f.options.extra_pes = 8;
    ck_assert_int_eq(run(&f), PASS_UNCHANGED);
    ck_assert_str_eq(f.result.status, "optimal");
    ck_assert(!f.result.has_bound);
    finish(&f);
}
END_TEST

/* ---- the parts ---- */

struct parts {
    struct fixture f;
    struct flow flow;
    struct dup_item items[MOST_LAYERS];
    struct dup_choice choices[MOST_LAYERS][16];
    struct dup_problem problem;
};

/* As many copies as there are PEs, of one pixel a product; and of a patch, for a PE more. */
static size_t add_choices(const struct parts *p, const int64_t *dim, const int64_t patch[2],
                          int64_t more_pes, struct dup_choice *out)
{
    int64_t rows = ceil_div_i64(dim[0], patch[0]), columns = ceil_div_i64(dim[1], patch[1]);
    int64_t ignored[2];
    size_t n = 0;
    for (int64_t d = 1; d <= 5; d++)
        if (dup_find_cut(p->flow.cut, d, rows, columns, ignored))
            out[n++] = (struct dup_choice){.copies = d,
                                           .pes = d + more_pes,
                                           .cycles = rows * columns,
                                           .product = 1,
                                           .patch = {patch[0], patch[1]}};
    return n;
}

static int by_pes(const void *x, const void *y)
{
    const struct dup_choice *a = x, *b = y;
    return (a->pes > b->pes) - (a->pes < b->pes);
}

static void make_parts(struct parts *p, uint64_t *seed)
{
    uint32_t item_of[64] = {0};
    make_random(&p->f, seed);
    p->flow = (struct flow){.cut = (enum dup_cut)pick(seed, CUT_W, CUT_2D),
                            .set_rows = (int32_t)p->f.set_rows,
                            .set_columns = (int32_t)p->f.set_columns};
    p->problem = (struct dup_problem){p->items, (size_t)p->f.n_layers, 0, false};
    for (int i = 0; i < p->f.n_layers; i++) {
        const int64_t *dim = p->f.mvm[i]->out->type.dim;
        const int64_t pixel[2] = {1, 1};
        const int64_t patch[2] = {pick(seed, 1, min_i64(dim[0], 3)),
                                  pick(seed, 1, min_i64(dim[1], 3))};
        item_of[p->f.mvm[i]->id] = (uint32_t)i;
        size_t n = add_choices(p, dim, pixel, 0, p->choices[i]);
        if (pick(seed, 0, 2))
            n += add_choices(p, dim, patch, 1, p->choices[i] + n);
        qsort(p->choices[i], n, sizeof p->choices[i][0], by_pes);
        p->items[i] = (struct dup_item){n, p->choices[i]};
    }
    ck_assert(flow_build(&p->flow, &p->problem, p->f.g, item_of));
}

static void free_parts(struct parts *p)
{
    flow_free(&p->flow);
    finish(&p->f);
}

static void pick_copies(struct parts *p, uint64_t *seed, uint32_t *chosen)
{
    for (int i = 0; i < p->f.n_layers; i++) {
        chosen[i] = (uint32_t)pick(seed, 0, (int64_t)p->items[i].n_choices - 1);
        set_choice(p->f.mvm[i], p->flow.cut, &p->choices[i][chosen[i]]);
    }
}

static double length_with(const struct parts *p, const struct flow_cut *cut, const uint32_t *chosen)
{
    double sum = 0;
    for (int i = 0; i < p->f.n_layers; i++)
        sum += cut->length[i] ? cut->length[i][chosen[i]] : 0;
    return sum;
}

/* The model's times are the schedule's; a trial from a base gives the same; and a path's cut never
 * exceeds the makespan of other copies. */
START_TEST(test_flow)
{
    struct parts p;
    uint64_t seed = 500 + (uint64_t)_i, want, limit_seed;
    make_parts(&p, &seed);
    struct flow_times *base = flow_times_new(&p.flow, p.f.scratch);
    struct flow_times *trial = flow_times_new(&p.flow, p.f.scratch);
    bool **allowed = flow_allowed_new(&p.problem, p.f.scratch);
    for (int k = 0; k < 12; k++) {
        uint32_t first[MOST_LAYERS], other[MOST_LAYERS];
        pick_copies(&p, &seed, first);
        flow_run(&p.flow, first, base);
        want = naive_makespan(&p.f, p.f.g);
        ck_assert_int_eq(base->makespan, (int64_t)want);
        limit_seed = seed;
        pick_copies(&p, &seed, other);
        want = naive_makespan(&p.f, p.f.g);
        ck_assert_int_eq(flow_try(&p.flow, other, base, first, INT32_MAX, trial), (int64_t)want);
        int32_t limit = (int32_t)pick(&limit_seed, 1, 2 * (int64_t)want);
        int32_t got = flow_try(&p.flow, other, base, first, limit, trial);
        ck_assert(got == (int32_t)want || (got >= limit && got <= (int32_t)want));
        struct flow_cut cut = flow_cut_new(&p.flow, allowed, first, base, p.f.scratch);
        ck_assert_double_eq(length_with(&p, &cut, first), base->makespan);
        ck_assert_double_le(length_with(&p, &cut, other), (double)want);
        cut = flow_cut_new(&p.flow, allowed, other, trial, p.f.scratch);
        ck_assert_double_eq(length_with(&p, &cut, other), got); /* as far as the trial went */
        ck_assert_double_le(length_with(&p, &cut, first), base->makespan);
    }
    free_parts(&p);
}
END_TEST

/* What the bound refutes is false: copies with a makespan within the limit keep their counts. */
START_TEST(test_filter)
{
    struct parts p;
    uint64_t seed = 900 + (uint64_t)_i, cycles;
    make_parts(&p, &seed);
    for (int k = 0; k < 12; k++) {
        uint32_t chosen[MOST_LAYERS];
        int32_t longest;
        bool **allowed = flow_allowed_new(&p.problem, p.f.scratch);
        pick_copies(&p, &seed, chosen);
        p.problem.pes = 0;
        for (int i = 0; i < p.f.n_layers; i++)
            p.problem.pes += p.choices[i][chosen[i]].pes;
        cycles = naive_makespan(&p.f, p.f.g);
        ck_assert(flow_filter(&p.flow, (int32_t)cycles, INT64_MAX, allowed, &longest));
        ck_assert_int_le(longest, (int64_t)cycles);
        for (int i = 0; i < p.f.n_layers; i++)
            ck_assert(allowed[i][chosen[i]]);
    }
    free_parts(&p);
}
END_TEST

/* The least makespan of all choices that fit, in the model. */
static int32_t least_makespan(struct parts *p, int layer, int64_t left, uint32_t *chosen,
                              struct flow_times *t)
{
    int32_t best = INT32_MAX;
    if (layer == p->f.n_layers || layer == MOST_LAYERS) {
        flow_run(&p->flow, chosen, t);
        return t->makespan;
    }
    for (uint32_t k = 0; k < p->items[layer].n_choices; k++) {
        int64_t pes = p->choices[layer][k].pes;
        chosen[layer] = k;
        if (pes <= left)
            best = min_i32(best, least_makespan(p, layer + 1, left - pes, chosen, t));
    }
    return best;
}

/* No choice is faster than the bound, which is never above what is known. */
START_TEST(test_fill_bound)
{
    struct parts p;
    uint64_t seed = 1300 + (uint64_t)_i;
    make_parts(&p, &seed);
    uint32_t chosen[MOST_LAYERS];
    struct flow_times *t = flow_times_new(&p.flow, p.f.scratch);
    p.problem.pes = p.f.n_layers + pick(&seed, 0, 5);
    int32_t best = least_makespan(&p, 0, p.problem.pes, chosen, t);
    for (int32_t known = best; known < 2 * best; known += 1 + best / 3) {
        int32_t bound = flow_fill_bound(&p.flow, known, INT64_MAX);
        ck_assert_int_le(bound, best);
        ck_assert_int_ge(bound, 1);
    }
    ck_assert_int_le(flow_fill_bound(&p.flow, best, 0), best); /* no work at all */
    free_parts(&p);
}
END_TEST

START_TEST(test_needs_a_schedule)
{
    struct fixture f;
    add_mvm(&f, start(&f, 4, 4), 1, 1, 1);
    struct pass_ctx ctx = {.diag = f.d, .arch = &f.arch, .scratch = f.scratch, .dup = &f.options};
    ck_assert_int_eq(pass_dup.run(&ctx, f.g), PASS_FAILED);
    ck_assert_int_eq(f.d->first->code, DIAG_DUPLICATION);
    finish(&f);
}
END_TEST

/* The program that is written names PEs, makespan and choices. */
START_TEST(test_lp_file)
{
    struct fixture f;
    char path[] = "/tmp/dup_makespan_test.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    struct ir_value *x = start(&f, 4, 4);
    add_mvm(&f, add_mvm(&f, x, 1, 1, 1), 1, 1, 1);
    f.options.extra_pes = 1;
    f.options.lp_file = path;
    ck_assert_int_ne(run(&f), PASS_FAILED);
    struct file file;
    ck_assert(file_open(path, f.d->arena, f.d, &file));
    char *text = arena_strndup(f.d->arena, (const char *)file.data, file.size);
    ck_assert_ptr_nonnull(strstr(text, "makespan: + makespan_products"));
    ck_assert_ptr_nonnull(
        strstr(text, " pes: + layer1_copies1 + 2 layer1_copies2 + layer2_copies1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n + 2 layer2_copies2 <= 3\n"));
    file_close(&file);
    remove(path);
    f.options.lp_file = "/no such folder/x.lp";
    ck_assert_int_eq(run(&f), PASS_FAILED);
    ck_assert_int_eq(f.d->first->code, DIAG_IO);
    finish(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dup_makespan");
    TCase *t = tcase_create("dup_makespan");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_enumeration, 1, 9);
    tcase_add_loop_test(t, test_other_schedules, 0, 10);
    tcase_add_loop_test(t, test_frames, 0, 20);
    tcase_add_test(t, test_by_hand);
    tcase_add_test(t, test_copies_that_cost);
    tcase_add_test(t, test_rows_become_columns);
    tcase_add_test(t, test_nothing_to_choose);
    tcase_add_loop_test(t, test_flow, 0, 40);
    tcase_add_loop_test(t, test_filter, 0, 40);
    tcase_add_loop_test(t, test_fill_bound, 0, 40);
    tcase_add_test(t, test_needs_a_schedule);
    tcase_add_test(t, test_lp_file);
    suite_add_tcase(s, t);
    return run_suite(s);
}
