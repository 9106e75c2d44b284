/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * layers.c - compares every stored value of a simulation with the evaluator, operation by
 * operation.
 *
 * In: what instructions wrote (each view says which operation's elements it shows) and the
 * evaluator's values of the same CROSSBAR graph. Out: the first operation, in graph order, whose
 * values differ. Operations that the compiler fused into others are never stored and not compared.
 * A base layer whose K is split over tiles and that is summed into another operation's value only
 * shows partial sums: its consumer is compared instead.
 */
#include "layers.h"

#include "isa_mapping.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct collected {
    struct ir_type type;
    void *value;      /* NULL: nothing was written */
    uint8_t *written; /* per element */
    bool partial;     /* a group wrote parts of sums */
    bool summed_away; /* ... and they were added into another operation's value */
};
struct layers {
    const struct isa_program *program;
    struct tolerance tolerance;
    double largest; /* magnitude of any value so far */
    bool **whole;   /* of each tile's groups: does it make pixels, not parts of sums? */
    uint32_t n;
    struct collected *nodes; /* by operation id = node index */
    const struct ir_op *differs;
    struct difference difference;
    bool is_unwritten;
    int64_t at; /* its worst element, or the first that nothing wrote */
    double got, want;
    uint32_t n_compared;
};

/* ---- what the program says before it runs ---- */

/* The group's PEs hold all that makes the pixels: every weight of the columns that they hold, and
 * with a patch, where they may hold a part of the pixels, every column. PEs are listed by n0. */
static bool is_whole(const struct isa_program *p, const struct isa_group *g)
{
    struct isa_mapping m = isa_mapping_of(p, g);
    uint64_t all = isa_mapping_weights(&m).row, columns = 0, rows = 0;
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i];
        bool first = i == 0 || pe->n0 != g->pes[i - 1].n0, last = pe + 1 == g->pes + g->n_pes;
        columns += first ? pe->n : 0;
        rows = first ? 0 : rows;
        rows += isa_mapping_held(&m, pe);
        if ((last || pe[1].n0 != pe->n0) && rows < all * pe->n)
            return false;
    }
    return !isa_has_patch(g) || columns == p->images[g->image].n;
}

static bool **find_whole(const struct isa_program *p)
{
    bool **whole = heap_alloc(p->n_tiles * sizeof *whole);
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        whole[t] = heap_alloc(p->tiles[t].n_groups * sizeof *whole[t]);
        for (uint32_t g = 0; g < p->tiles[t].n_groups; g++)
            whole[t][g] = is_whole(p, &p->tiles[t].groups[g]);
    }
    return whole;
}

static struct collected *shown_by(struct layers *l, const struct isa_tile *t, uint16_t view)
{
    uint32_t value = t->views[view].value;
    return value < l->n ? &l->nodes[value] : NULL;
}

/* What the instruction writes, and which row of its view is the value's row 0: where the view shows
 * rows of several values, the instruction's source says whose. */
static struct collected *made_by(struct layers *l, const struct isa_tile *t, uint32_t index,
                                 int32_t *row)
{
    const struct isa_inst *inst = &t->insts[index];
    *row = 0;
    if (t->views[inst->dst.view].value != ISA_NO_SOURCE)
        return shown_by(l, t, inst->dst.view);
    *row = inst->dst.y;
    uint32_t source = t->sources ? t->sources[index] : ISA_NO_SOURCE;
    return source < l->n ? &l->nodes[source] : NULL;
}

/* Calls `see` for every instruction of one operation. */
static void each_inst(struct layers *l, enum isa_op op,
                      void (*see)(struct layers *, const struct isa_tile *, uint32_t))
{
    for (uint32_t i = 0; i < l->program->n_tiles; i++) {
        const struct isa_tile *t = &l->program->tiles[i];
        for (uint32_t k = 0; k < t->n_insts; k++) {
            if (t->insts[k].op == op)
                see(l, t, k);
        }
    }
}

static void see_mvm(struct layers *l, const struct isa_tile *t, uint32_t index)
{
    int32_t row;
    struct collected *c = made_by(l, t, index, &row);
    if (!c || c->partial)
        return;
    c->partial = !l->whole[t - l->program->tiles][t->insts[index].obj];
    /* nothing says which sums are read from such a view */
    c->summed_away = c->partial && t->views[t->insts[index].dst.view].value == ISA_NO_SOURCE;
}

static void see_vmap(struct layers *l, const struct isa_tile *t, uint32_t index)
{
    const struct isa_inst *inst = &t->insts[index];
    int32_t row;
    const struct collected *dst = made_by(l, t, index, &row);
    struct collected *sources[] = {shown_by(l, t, inst->a.view), NULL};
    if (t->programs[inst->obj].arity == 2)
        sources[1] = shown_by(l, t, inst->b.view);
    for (int i = 0; i < 2; i++) {
        if (sources[i] && sources[i] != dst && sources[i]->partial)
            sources[i]->summed_away = true;
    }
}

struct layers *layers_new(const struct isa_program *p, const struct ir_graph *g,
                          struct tolerance tolerance, struct diag *d)
{
    if (p->n_nodes != g->n_ops) {
        diag_error(d, (struct loc){0}, DIAG_DATA, "the program has %u nodes, the graph %u",
                   p->n_nodes, g->n_ops);
        return NULL;
    }
    struct layers *l = heap_alloc(sizeof *l);
    l->program = p;
    l->tolerance = tolerance;
    l->n = p->n_nodes;
    l->nodes = heap_alloc(l->n * sizeof *l->nodes);
    l->whole = find_whole(p);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->out)
            l->nodes[op->id].type = op->out->type;
    }
    each_inst(l, ISA_mvm, see_mvm);
    each_inst(l, ISA_vmap, see_vmap);
    return l;
}

void layers_free(struct layers *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->n; i++) {
        heap_free(l->nodes[i].value);
        heap_free(l->nodes[i].written);
    }
    for (uint32_t t = 0; t < l->program->n_tiles; t++)
        heap_free(l->whole[t]);
    heap_free(l->whole);
    heap_free(l->nodes);
    heap_free(l);
}

/* ---- while it runs ---- */

static void put(struct collected *c, int64_t y, int64_t x, int64_t channel, uint32_t pattern)
{
    const int64_t *dim = c->type.dim;
    if (c->type.rank != 3 || y >= dim[0] || x >= dim[1] || channel >= dim[2])
        return;
    if (!c->value) {
        size_t n = (size_t)ir_count(&c->type);
        c->value = heap_alloc(n * ir_dtype_bytes(c->type.dtype));
        c->written = heap_alloc(n);
    }
    size_t at = (size_t)((y * dim[1] + x) * dim[2] + channel);
    if (ir_dtype_bytes(c->type.dtype) == 1)
        ((uint8_t *)c->value)[at] = (uint8_t)pattern;
    else
        ((uint32_t *)c->value)[at] = pattern;
    c->written[at] = 1;
}

void layers_executed(struct layers *l, const struct sim *s, uint32_t tile, uint32_t index)
{
    const struct isa_tile *t = &l->program->tiles[tile];
    const struct isa_inst *inst = &t->insts[index];
    int32_t row = 0;
    struct collected *c = isa_op_has_dst(inst->op) ? made_by(l, t, index, &row) : NULL;
    if (!c)
        return;
    const struct isa_view *v = &t->views[inst->dst.view];
    bool reduces = inst->op == ISA_vred;
    int32_t h = reduces && (inst->flags & VRED_H) ? 1 : inst->h;
    int32_t w = reduces && (inst->flags & VRED_W) ? 1 : inst->w;
    for (int32_t y = inst->dst.y; y < inst->dst.y + h; y++) {
        for (int32_t x = inst->dst.x; x < inst->dst.x + w; x++) {
            for (uint32_t k = 0; k < v->channels; k++)
                put(c, y - row, x, (int64_t)v->channel0 + k,
                    sim_read(s, tile, inst->dst.view, y, x, k));
        }
    }
}

/* ---- the evaluator, in graph order ---- */

/* First element that nothing wrote; -1 if there is none. Of an input only what is read is loaded:
 * its other elements count as right. */
static int64_t find_unwritten(struct collected *c, const struct ir_op *op, const void *want)
{
    size_t bytes = ir_dtype_bytes(c->type.dtype);
    int64_t n = ir_count(&c->type);
    for (int64_t i = 0; i < n; i++) {
        if (c->written[i])
            continue;
        if (op->opcode != IR_input)
            return i;
        memcpy((char *)c->value + (size_t)i * bytes, (const char *)want + (size_t)i * bytes, bytes);
    }
    return -1;
}

void layers_seen(void *self, const struct ir_op *op, const struct tensor *value)
{
    struct layers *l = self;
    struct collected *c = op->id < l->n ? &l->nodes[op->id] : NULL;
    if (l->differs || !c || !c->value || !ir_type_equal(&c->type, &value->type))
        return;
    const void *want = value->data;
    int64_t unwritten = find_unwritten(c, op, want);
    struct difference r =
        compare_values(c->type.dtype, c->value, want, ir_count(&c->type), 0, l->tolerance);
    l->largest = fmax(l->largest, r.max_abs_reference);
    bool differs =
        unwritten >= 0 || (!r.pass && !is_rounded_away(&r, l->largest, l->tolerance.relative));
    if (differs && c->summed_away)
        return;
    l->n_compared++;
    if (!differs)
        return;
    l->differs = op;
    l->difference = r;
    l->is_unwritten = unwritten >= 0;
    l->at = l->is_unwritten ? unwritten : r.worst;
    l->got = values_at(c->type.dtype, c->value, l->at);
    l->want = values_at(c->type.dtype, want, l->at);
}

bool layers_verdict(const struct layers *l, struct diag *d)
{
    const struct ir_op *op = l->differs;
    if (!op)
        return true;
    const int64_t *dim = op->out->type.dim;
    struct text t = {0};
    text_add(&t,
             "first difference: %s '%s' at h %lld, w %lld, c %lld: ", ir_op_descs[op->opcode].name,
             op->name, (long long)(l->at / (dim[1] * dim[2])), (long long)(l->at / dim[2] % dim[1]),
             (long long)(l->at % dim[2]));
    if (l->is_unwritten)
        text_add(&t, "never written, evaluated %.9g", l->want);
    else
        text_add(&t, "simulated %.9g, evaluated %.9g; largest error %.3g of %.3g", l->got, l->want,
                 l->difference.max_abs_error, l->difference.max_abs_reference);
    diag_error(d, op->loc, DIAG_MISMATCH, "%s", t.at);
    text_free(&t);
    return false;
}

uint32_t layers_compared(const struct layers *l)
{
    return l->n_compared;
}
