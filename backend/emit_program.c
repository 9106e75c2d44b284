/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit_program.c - the parts of a program that follow from graph and placement alone: nodes,
 * bindings, groups.
 */
#include "emit.h"

#include <string.h>

void emit_nodes(struct emitter *e)
{
    struct isa_program *out = e->out;
    out->n_nodes = e->p->nodes->n_ops;
    out->nodes = ARENA_ARRAY(out->arena, struct isa_node, out->n_nodes);
    for (uint32_t i = 0; i < e->p->nodes->n_ops; i++) {
        const struct ir_op *op = e->p->nodes->ops[i];
        out->nodes[i].name = arena_strdup(out->arena, op->name);
        out->nodes[i].op = ir_op_descs[op->opcode].name;
        out->nodes[i].entity = arena_strdup(out->arena, op->loc.entity ? op->loc.entity : "");
    }
}

static struct isa_binding binding_of(struct emitter *e, const struct ir_op *op)
{
    bool output = op->opcode == IR_output;
    const struct ir_attrs_input *in = &op->attrs->input; /* which of the two it is, says `output` */
    const struct ir_attrs_output *res = &op->attrs->output;
    const struct ir_ints shape = output ? res->shape : in->shape;
    const int64_t *stride = output ? res->strides : in->strides;
    const struct ir_type *type = output ? &op->in[0].value->type : &op->out->type;
    struct isa_binding b = {.output = output, .node = op->id, .rank = shape.n};
    b.index = (uint32_t)(output ? res->index : in->index);
    b.element = port_element(op);
    b.name = arena_strdup(e->out->arena, op->name);
    uint64_t *dims = ARENA_ARRAY(e->out->arena, uint64_t, shape.n);
    for (uint32_t i = 0; i < shape.n; i++)
        dims[i] = (uint64_t)shape.at[i];
    b.shape = dims;
    int64_t all = 1;
    for (uint32_t i = 0; i < shape.n; i++)
        all *= shape.at[i];
    bool state = output ? output_is_state(e->p->graph, op) : in->state > 0;
    b.frame_stride = schedule_repeats(e->p->schedule) && !state ? all : 0;
    b.offset = (uint64_t)(output ? res->offset : in->offset);
    b.stride_h = stride[0];
    b.stride_w = stride[1];
    b.stride_c = stride[2];
    b.height = (uint32_t)type->dim[0];
    b.width = (uint32_t)type->dim[1];
    b.channels = (uint32_t)type->dim[2];
    return b;
}

void emit_bindings(struct emitter *e)
{
    struct isa_program *out = e->out;
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->p->nodes->n_ops; i++)
        n += e->p->nodes->ops[i]->opcode == IR_input || e->p->nodes->ops[i]->opcode == IR_output;
    out->bindings = ARENA_ARRAY(out->arena, struct isa_binding, n);
    for (uint32_t i = 0; i < e->p->nodes->n_ops; i++) {
        const struct ir_op *op = e->p->nodes->ops[i];
        if (op->opcode != IR_input && op->opcode != IR_output)
            continue;
        e->binding_of[i] = out->n_bindings;
        out->bindings[out->n_bindings++] = binding_of(e, op);
    }
}

/* The rows of a slice; a list only where they are several runs. */
static void fill_runs(struct emitter *e, const struct layer *l, uint32_t block, uint32_t slice,
                      struct isa_pe *pe)
{
    struct ir_mapping_rows rows = ir_mapping_rows_of(&l->mapping, block, slice);
    VEC(struct isa_run) runs = {0};
    int64_t lo, hi;
    while (ir_mapping_next_run(&rows, &lo, &hi)) {
        VEC_PUSH(&runs, ((struct isa_run){(uint32_t)lo, (uint32_t)(hi - lo)}));
        pe->k += (uint32_t)(hi - lo);
    }
    pe->k0 = runs.at[0].row;
    if (runs.n > 1) {
        pe->n_runs = (uint32_t)runs.n;
        pe->runs = ARENA_ARRAY(e->out->arena, struct isa_run, runs.n);
        memcpy(pe->runs, runs.at, runs.n * sizeof *runs.at);
    }
    VEC_FREE(&runs);
}

static void fill_pes(struct emitter *e, const struct layer *l, const struct group *g,
                     struct isa_pe *pe)
{
    uint32_t number = g->first_pe;
    for (uint32_t i = 0; i < g->n_columns; i++)
        for (uint32_t pv = g->column[i].pv0; pv < g->column[i].pv1; pv++, pe++, number++) {
            pe->pe = number;
            fill_runs(e, l, g->column[i].ph, pv, pe);
            int64_t lo, hi;
            ir_mapping_block(&l->mapping, g->column[i].ph, &lo, &hi);
            pe->n0 = (uint32_t)lo;
            pe->n = (uint32_t)(hi - lo);
        }
}

/* The view that the group reads. In stacks the rows of a product and of its source are as far from
 * each other as for all that use the group. */
static void emit_source(struct emitter *e, uint32_t group, const struct box *taps,
                        uint32_t pad_value, struct isa_group *out)
{
    const struct group_work *work = &e->p->tasks->group[group];
    if (!group_is_stacked(e, group)) {
        out->source_view = emit_view(e, work->source, taps->lo[2], taps->hi[2], pad_value);
        return;
    }
    struct box first = {{0, 0, taps->lo[2]}, {1, 1, taps->hi[2]}};
    out->source_view = emit_place(e, work->source, &first, pad_value).view;
    out->pad_top =
        (int32_t)storage_of(e, work->acc)->row - (int32_t)storage_of(e, work->source)->row;
}

void emit_groups(struct emitter *e)
{
    const struct plan *p = e->p;
    for (uint32_t t = 0; t < p->segment->n_tiles; t++) {
        e->out->tiles[t].n_groups = p->segment->tile[t].n_groups;
        e->out->tiles[t].groups =
            ARENA_ARRAY(e->out->arena, struct isa_group, p->segment->tile[t].n_groups);
    }
    for (uint32_t i = 0; i < p->segment->n_groups; i++) {
        const struct group *g = &p->segment->group[i];
        const struct layer *l = &p->segment->layer[g->layer];
        const struct node *n = &p->nodes->at[l->node];
        const struct operand *o = &n->operand[0];
        if (l->same != NONE)
            continue;
        struct isa_group *out = &e->out->tiles[g->tile].groups[g->number];
        int32_t lo, hi;
        bool has_patch = ir_mapping_has_patch(&l->mapping);
        group_channels(p->segment, g, &lo, &hi);
        for (int a = 0; a < 2; a++) {
            out->kernel[a] = (uint32_t)o->map[a].kernel;
            out->stride[a] = (uint32_t)o->map[a].stride;
            out->dilation[a] = (uint32_t)o->map[a].dilation;
            out->patch[a] = has_patch ? (uint32_t)l->mapping.patch[a] : 0;
        }
        out->pad_top = o->map[0].pad;
        out->pad_left = o->map[1].pad;
        out->in_channels = (uint32_t)o->value->out->type.dim[2];
        out->conv_groups = l->mapping.groups > 1 ? (uint32_t)l->mapping.groups : 0;
        struct box taps = group_taps(p->segment, g);
        out->source_channel0 = (uint32_t)taps.lo[2];
        emit_source(e, i, &taps, element_bits(o->pad_value, value_element(o->value)), out);
        out->x_bits = (uint32_t)n->root->attrs->mvm.x_bits;
        out->image = e->image_of[g->layer];
        out->shares = g->owner == i ? 0 : p->segment->group[g->owner].number + 1;
        out->channel0 = (uint32_t)lo;
        out->n_pes = g->n_pes;
        out->pes = ARENA_ARRAY(e->out->arena, struct isa_pe, g->n_pes);
        fill_pes(e, l, g, out->pes);
    }
}
