/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant.c - a float model becomes one of integers, by calibration tensors (post-training
 * quantisation).
 *
 * In: the CANONICAL graph in f32, tensors for its inputs. Out: the same graph with quantize and
 * dequantize in it, as a quantised model has them: what pass int computes in integers. The same
 * tensors give the same graph: everything is summed in f64, in one order, by one thread.
 */
#include "quant.h"

enum { STAT_VALUES, STAT_LAYERS };
/* Of moments at a time; more layers take more runs. */
static const size_t MOST_BYTES = (size_t)256 << 20;

/* Layers that read one constant round it once. */
static void join_layers(struct quant_plan *p)
{
    struct quant_layer **first = ARENA_ARRAY(p->arena, struct quant_layer *, p->graph->n_ops);
    for (size_t i = 0; i < p->n_layers; i++) {
        struct quant_layer *l = &p->layers[i], *f = first[l->weights.constant->id];
        bool same = f && f->weights.transposed == l->weights.transposed &&
                    f->weights.groups == l->weights.groups && f->op->opcode == l->op->opcode &&
                    f->data == l->data && f->weight_bits == l->weight_bits;
        if (!same) {
            first[l->weights.constant->id] = l;
            continue;
        }
        l->same = f;
        l->next = f->next;
        f->next = l;
    }
}

static bool has_feedback(const struct quant_plan *p, const struct quant_layer *l)
{
    enum quant_rounding rounding = p->ctx->quant->rounding;
    bool wanted = rounding == QUANT_AUTO ? l->weight_bits < 8 : rounding == QUANT_FEEDBACK;
    return wanted && !l->same;
}

/* Layers whose moments are added up in one run. */
struct run {
    struct quant_plan *plan;
    size_t first, end;
    struct quant_layer **readers;   /* by id of an operation, through next_reader */
    struct quant_moments **moments; /* of each layer of the plan, or NULL */
};

static void list_readers(struct run *r)
{
    struct quant_plan *p = r->plan;
    r->readers = ARENA_ARRAY(p->arena, struct quant_layer *, p->graph->n_ops);
    for (size_t i = 0; i < p->n_layers; i++) {
        struct quant_layer *l = &p->layers[i];
        struct quant_layer **first = &r->readers[l->op->in[l->data].value->def->id];
        l->next_reader = *first;
        *first = l;
    }
}

static void seen(void *self, const struct ir_op *op, const struct tensor *value)
{
    const struct run *r = self;
    for (struct quant_layer *l = r->readers[op->id]; l; l = l->next_reader) {
        struct quant_moments *m = r->moments[l - r->plan->layers];
        if (m)
            quant_moments_add(m, value);
    }
}

static bool round_some(struct run *r)
{
    struct quant_plan *p = r->plan;
    bool mean = p->ctx->quant->bias_correction, any = false, ok = true;
    for (size_t i = r->first; i < r->end; i++) {
        bool second = has_feedback(p, &p->layers[i]);
        if (second || mean)
            r->moments[i] =
                quant_moments_new(&p->layers[i], second, mean, p->ctx->calibration->n_images);
        any |= second || mean;
    }
    struct eval_observer observer = {.seen = seen, .self = r, .all = true};
    if (any)
        ok = pass_run_images(p->graph, p->ctx, "calibrate weights", &observer);
    for (size_t i = r->first; i < r->end; i++) {
        if (ok)
            quant_round_layer(p, &p->layers[i], r->moments[i]);
        if (r->moments[i])
            quant_moments_free(r->moments[i]);
        r->moments[i] = NULL;
    }
    return ok;
}

static bool round_all(struct quant_plan *p)
{
    struct run r = {.plan = p,
                    .moments = ARENA_ARRAY(p->arena, struct quant_moments *, p->n_layers)};
    list_readers(&r);
    for (; r.first < p->n_layers; r.first = r.end) {
        size_t bytes = 0;
        for (r.end = r.first; r.end < p->n_layers; r.end++) {
            const struct quant_layer *l = &p->layers[r.end];
            bytes += quant_moments_bytes(l, has_feedback(p, l));
            if (bytes > MOST_BYTES && r.end > r.first)
                break;
        }
        if (!round_some(&r))
            return false;
    }
    return true;
}

static enum pass_result run_quant(struct pass_ctx *ctx, struct ir_graph *g)
{
    struct quant_plan p = {.graph = g, .ctx = ctx, .arena = ctx->scratch};
    if (!ctx->quant || !ctx->calibration)
        return PASS_UNCHANGED;
    if (!quant_make_plan(&p))
        return PASS_FAILED;
    if (!p.n_values && !p.n_layers)
        return PASS_UNCHANGED;
    join_layers(&p);
    if (!quant_check_constants(&p) || !quant_calibrate(&p) || !round_all(&p) ||
        !quant_check_steps(&p))
        return PASS_FAILED;
    if (ctx->quant_report)
        quant_list_rows(&p);
    quant_insert(&p);
    if (ctx->quant_report && !quant_measure(&p))
        return PASS_FAILED;
    quant_forget_floats(&p);
    ctx->stats[STAT_VALUES] = p.n_values;
    ctx->stats[STAT_LAYERS] = p.n_layers;
    return PASS_CHANGED;
}

static const char *const stats[] = {"values quantised", "layers quantised", NULL};
const struct pass pass_quant = {
    .name = "quant",
    .summary = "quantise a float model by calibration tensors, if there are some",
    .needs = IR_CANONICAL,
    .reads = READS_QUANT | READS_CALIBRATION,
    .stats = stats,
    .run = run_quant,
};
