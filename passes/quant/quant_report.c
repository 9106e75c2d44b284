/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_report.c - what quantising did to a model: of each layer, alone and together.
 *
 * Every value of the graph that was put in for a float has its float still beside it (a swap). So
 * one graph is both models and all between them: what is evaluated with the swaps of one row on,
 * and all others off, tells what that row does by itself. Values of the float model are kept for
 * one image at a time; for a row only what its swaps change is computed again.
 *
 * Signal to noise in dB: 10 log10 of the sum of squares of the float values by that of the errors;
 * NaN where one of them is no finite number, or nothing was measured.
 */
#include "quant.h"

#include <math.h>

/* Rows are measured one by one on so many images, and fewer of a model of many rows; with more rows
 * than runs only the first are: a run costs as much as the model has operations. */
enum { MOST_ROW_IMAGES = 8, MOST_ROW_RUNS = 1024 };

struct sums {
    double signal, noise;
};

struct measure {
    const struct quant_plan *plan;
    struct arena *arena;
    uint32_t n_ops;
    const struct quant_swap **swap_of; /* by id of the operation that is on */
    const struct quant_swap **for_off; /* and of that which is off */
    int64_t *serves;                   /* by id: the row whose swaps alone need it; -1: others do */
    struct tensor *plain;              /* by id: values of the float model */
    struct tensor *changed;            /* by id: those that differ now; data NULL: none */
    struct tensor *all_on;             /* by id: inputs, and what is judged with all swaps on */
    bool *is_judged;                   /* by id */
    int64_t row;                       /* whose swaps are on; -1: none */
};

/* ---- values ---- */

/* What an output is judged by: what is in front of a softmax, which hides or magnifies errors. */
static const struct ir_value *judged(const struct ir_op *output)
{
    const struct ir_op *source = quant_source(output->in[0].value);
    return source->opcode == IR_softmax ? source->in[0].value : output->in[0].value;
}

static const struct tensor *value_now(const struct measure *m, const struct ir_op *op)
{
    return m->changed[op->id].data ? &m->changed[op->id] : &m->plain[op->id];
}

/* The operand or, where it is a swap that is off, the float. */
static const struct tensor *operand_now(const struct measure *m, const struct ir_value *v)
{
    const struct quant_swap *s = m->swap_of[v->def->id];
    return value_now(m, s && s->row != m->row ? s->off->def : v->def);
}

static bool depends_on_change(const struct measure *m, const struct ir_op *op)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *def = op->in[i].value->def;
        const struct quant_swap *s = m->swap_of[def->id];
        bool is_on = s && s->row == m->row;
        if (is_on || m->changed[s && !is_on ? s->off->def->id : def->id].data)
            return true;
    }
    return false;
}

static bool compute(const struct measure *m, const struct ir_op *op, struct tensor *out)
{
    const struct tensor **in = heap_alloc((op->n_in + 1) * sizeof *in);
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = operand_now(m, op->in[i].value);
    bool ok = eval_op(op, in, out, m->plan->ctx->diag);
    heap_free(in);
    return ok;
}

static bool is_computed(const struct ir_op *op)
{
    return op->out && op->opcode != IR_input && op->opcode != IR_constant;
}

/* All swaps are off. */
static bool compute_plain(struct measure *m)
{
    m->row = -1;
    for (const struct ir_op *op = m->plan->graph->first; op; op = op->next) {
        if (op->opcode == IR_input)
            m->plain[op->id] = tensor_copy(&m->all_on[op->id]);
        if (is_computed(op) && m->serves[op->id] < 0 && !compute(m, op, &m->plain[op->id]))
            return false;
    }
    return true;
}

static bool compute_changed(struct measure *m, int64_t row)
{
    m->row = row;
    for (const struct ir_op *op = m->plan->graph->first; op; op = op->next) {
        int64_t serves = m->serves[op->id];
        bool changes = serves == row || (serves < 0 && depends_on_change(m, op));
        if (is_computed(op) && changes && !compute(m, op, &m->changed[op->id]))
            return false;
    }
    return true;
}

/* But for constants, which stay. */
static void release(const struct measure *m, struct tensor *values)
{
    for (const struct ir_op *op = m->plan->graph->first; op; op = op->next) {
        if (op->opcode != IR_constant)
            tensor_free(&values[op->id]);
    }
}

/* ---- sums ---- */

static void add_errors(struct sums *s, const struct tensor *plain, const struct tensor *now)
{
    const float *x = plain->data, *y = now->data;
    for (int64_t i = 0, n = ir_count(&plain->type); i < n; i++) {
        double error = (double)x[i] - (double)y[i];
        s->signal += (double)x[i] * (double)x[i];
        s->noise += error * error;
    }
}

static double decibels(const struct sums *s)
{
    return s->noise == 0 ? INFINITY : 10 * log10(s->signal / s->noise);
}

static bool is_float_output(const struct ir_op *op)
{
    return op->opcode == IR_output && judged(op)->type.dtype == IR_F32;
}

/* With the swaps on that are. */
static void add_outputs(const struct measure *m, struct sums *s, bool all_on)
{
    for (const struct ir_op *op = m->plan->graph->first; op; op = op->next) {
        if (!is_float_output(op))
            continue;
        const struct ir_value *v = judged(op);
        const struct quant_swap *swap = m->swap_of[v->def->id];
        const struct ir_op *plain = swap ? swap->off->def : v->def;
        add_errors(s, &m->plain[plain->id], all_on ? &m->all_on[v->def->id] : operand_now(m, v));
    }
}

/* ---- images ---- */

static void keep(void *self, const struct ir_op *op, const struct tensor *value)
{
    struct measure *m = self;
    if (op->opcode == IR_input || m->is_judged[op->id])
        m->all_on[op->id] = tensor_copy(value);
}

/* m->all_on and m->plain of one image. */
static bool evaluate_both(struct measure *m, const struct pass_calibration *c, size_t image)
{
    struct eval_observer observer = {.seen = keep, .self = m, .all = true};
    return pass_run_image(m->plan->graph, c, image, &observer, m->plan->ctx->diag) &&
           compute_plain(m);
}

/* Of each row by itself: what its layer yields, and what the outputs become. */
struct row_sums {
    struct sums layer, outputs;
};

static bool add_row(struct measure *m, int64_t row, struct row_sums *s)
{
    const struct ir_value *plain = m->plan->yields[row];
    const struct quant_swap *swap = m->for_off[plain->def->id];
    bool ok = compute_changed(m, row);
    if (ok) {
        add_errors(&s->layer, &m->plain[plain->def->id], operand_now(m, swap ? swap->on : plain));
        add_outputs(m, &s->outputs, false);
    }
    release(m, m->changed);
    return ok;
}

static size_t n_measured_rows(const struct quant_plan *p)
{
    return p->n_rows < MOST_ROW_RUNS ? p->n_rows : MOST_ROW_RUNS;
}

/* rows NULL: only all together. */
static bool add_image(struct measure *m, const struct pass_calibration *c, size_t image,
                      struct row_sums *rows, struct sums *all)
{
    bool ok = evaluate_both(m, c, image);
    if (ok)
        add_outputs(m, all, true);
    for (size_t i = 0; i < n_measured_rows(m->plan) && ok && rows; i++)
        ok = add_row(m, (int64_t)i, &rows[i]);
    release(m, m->all_on);
    release(m, m->plain);
    return ok;
}

static bool add_images(struct measure *m, const struct pass_calibration *c, struct row_sums *rows,
                       double *out_snr)
{
    const struct progress *progress = m->plan->ctx->progress;
    struct sums all = {0};
    bool ok = true;
    for (size_t i = 0; i < c->n_images && ok; i++) {
        progress_tell(progress, "measure", i, c->n_images);
        ok = add_image(m, c, i, i < m->plan->ctx->quant_report->n_row_images ? rows : NULL, &all);
    }
    progress_tell(progress, "measure", c->n_images, c->n_images);
    *out_snr = decibels(&all);
    return ok;
}

/* ---- the report ---- */

/* From the last operation to the first. */
static void find_service(struct measure *m)
{
    for (const struct ir_op *op = m->plan->graph->last; op; op = op->prev) {
        const struct quant_swap *s = m->swap_of[op->id];
        const struct ir_use *u = op->out && !m->for_off[op->id] ? op->out->uses : NULL;
        int64_t row = s ? s->row : u ? m->serves[u->user->id] : -1;
        for (; u && !s; u = u->next)
            row = m->serves[u->user->id] == row ? row : -1;
        m->serves[op->id] = row;
    }
}

static void open_measure(struct measure *m, const struct quant_plan *p)
{
    *m = (struct measure){.plan = p, .arena = arena_new(), .n_ops = ir_number(p->graph)};
    m->swap_of = ARENA_ARRAY(m->arena, const struct quant_swap *, m->n_ops);
    m->serves = ARENA_ARRAY(m->arena, int64_t, m->n_ops);
    m->plain = ARENA_ARRAY(m->arena, struct tensor, m->n_ops);
    m->changed = ARENA_ARRAY(m->arena, struct tensor, m->n_ops);
    m->all_on = ARENA_ARRAY(m->arena, struct tensor, m->n_ops);
    m->is_judged = ARENA_ARRAY(m->arena, bool, m->n_ops);
    m->for_off = ARENA_ARRAY(m->arena, const struct quant_swap *, m->n_ops);
    for (size_t i = 0; i < p->n_swaps; i++) {
        m->swap_of[p->swaps[i].on->def->id] = &p->swaps[i];
        m->for_off[p->swaps[i].off->def->id] = &p->swaps[i];
    }
    for (const struct ir_op *op = p->graph->first; op; op = op->next)
        if (op->opcode == IR_constant)
            m->plain[op->id] =
                (struct tensor){.type = op->out->type, .data = (void *)ir_const_data(op, m->arena)};
    for (const struct ir_op *op = p->graph->first; op; op = op->next)
        if (is_float_output(op))
            m->is_judged[judged(op)->def->id] = true;
    find_service(m);
}

/* ---- what is known without a run ---- */

static void describe(struct quant_row *row, const struct quant_layer *l,
                     const struct quant_value *v, struct arena *a)
{
    const struct ir_op *op = l ? l->op : v->op;
    row->name = arena_strdup(a, quant_name(op));
    row->kind = ir_op_descs[op->opcode].name;
    if (l)
        row->weight_bits = l->weight_bits;
    if (!v)
        return;
    row->bits = v->bits;
    row->least = v->spread.least;
    row->most = v->spread.most;
    row->scale = v->grid.scale;
    row->zero = v->grid.zero;
    row->cut_off = spread_cut_off(&v->spread, &v->grid);
}

/* A row for each layer, together with the value it yields, and for each other value. */
void quant_list_rows(struct quant_plan *p)
{
    struct quant_report *r = p->ctx->quant_report;
    struct quant_layer **layer_of = ARENA_ARRAY(p->arena, struct quant_layer *, p->graph->n_ops);
    bool *listed = ARENA_ARRAY(p->arena, bool, p->graph->n_ops);
    size_t most = p->n_layers + p->n_values;
    r->rows = ARENA_ARRAY(r->arena, struct quant_row, most);
    p->yields = ARENA_ARRAY(p->arena, struct ir_value *, most);
    for (size_t i = 0; i < p->n_layers; i++) {
        layer_of[p->layers[i].op->id] = &p->layers[i];
        listed[p->layers[i].end->id] = true;
    }
    for (const struct ir_op *op = p->graph->first; op; op = op->next) {
        struct quant_layer *l = layer_of[op->id];
        struct quant_value *v = p->value_of[l ? l->end->id : op->id];
        if (!l && (!v || listed[op->id]))
            continue;
        describe(&r->rows[p->n_rows], l, v, r->arena);
        p->yields[p->n_rows] = l ? l->end->out : op->out;
        if (l)
            l->row = (int64_t)p->n_rows;
        if (v)
            v->row = (int64_t)p->n_rows;
        p->n_rows++;
    }
    r->n_rows = p->n_rows;
}

static int64_t images_of_rows(const struct quant_plan *p)
{
    return max_i64(1, min_i64(MOST_ROW_IMAGES, MOST_ROW_RUNS / max_i64(1, (int64_t)p->n_rows)));
}

bool quant_measure(struct quant_plan *p)
{
    struct quant_report *report = p->ctx->quant_report;
    const struct pass_calibration *test = p->ctx->quant_test;
    struct measure m;
    open_measure(&m, p);
    report->n_images = p->ctx->calibration->n_images;
    report->n_row_images = (size_t)min_i64((int64_t)report->n_images, images_of_rows(p));
    struct row_sums *sums = ARENA_ARRAY(m.arena, struct row_sums, p->n_rows);
    bool ok = add_images(&m, p->ctx->calibration, sums, &report->snr);
    if (ok && test)
        ok = add_images(&m, test, NULL, &report->test_snr);
    for (size_t i = 0; i < p->n_rows; i++) {
        bool measured = i < n_measured_rows(p);
        report->rows[i].layer_snr = measured ? decibels(&sums[i].layer) : (double)NAN;
        report->rows[i].own_snr = measured ? decibels(&sums[i].outputs) : (double)NAN;
    }
    report->n_test_images = test ? test->n_images : 0;
    arena_free(m.arena);
    return ok;
}
