/*
 * emit_program.c - the parts of a program that follow from graph and placement alone: nodes,
 * bindings, images, groups.
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
    b.frame_stride = schedule_repeats(e->p->schedule) ? all : 0;
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

static const void *read_blob(void *owner, void *scratch)
{
    const struct blob *b = owner;
    return scratch ? blob_read(b, scratch) : blob_data(b);
}

/* The matrix's bytes: in memory, or made from the model's weights when they are read. */
static struct isa_section image_section(struct emitter *e, const struct ir_op *mvm)
{
    const struct ir_op *w = mvm->in[1].value->def;
    struct blob *b = w->attrs->constant.data;
    size_t bytes = (size_t)ir_count(&w->out->type) * element_bytes(value_element(w));
    struct isa_section s = {.length = bytes};
    s.name = arena_printf(e->out->arena, "weights %s", mvm->name);
    if (b->splat) {
        s.data = ir_const_data(w, e->out->arena);
        return s;
    }
    s.read = read_blob;
    s.owner = b;
    s.hash = &b->hash;
    return s;
}

void emit_images(struct emitter *e)
{
    struct isa_program *out = e->out;
    out->images = ARENA_ARRAY(out->arena, struct isa_image, e->p->segment->n_layers);
    for (uint32_t k = 0; k < e->p->segment->n_layers; k++) {
        const struct layer *l = &e->p->segment->layer[k];
        if (l->shares != NONE) {
            e->image_of[k] = e->image_of[l->shares];
            continue;
        }
        uint32_t i = e->image_of[k] = out->n_images++;
        const struct ir_op *mvm = e->p->nodes->at[l->node].root;
        out->images[i] = (struct isa_image){.section = i,
                                            .k = (uint32_t)l->mapping.k,
                                            .n = (uint32_t)l->mapping.n,
                                            .node = mvm->id,
                                            .weight_bits = (uint32_t)mvm->attrs->mvm.weight_bits,
                                            .element = value_element(mvm->in[1].value->def)};
        if (mvm->n_in > 2) {
            out->images[i].center = e->constants_section + 1;
            out->images[i].center_offset = emit_constant(e, mvm->in[2].value->def);
        }
        out->sections[i] = image_section(e, mvm);
    }
}

static void fill_pes(const struct layer *l, const struct group *g, struct isa_pe *pe)
{
    uint32_t number = g->first_pe;
    for (uint32_t i = 0; i < g->n_columns; i++)
        for (uint32_t pv = g->column[i].pv0; pv < g->column[i].pv1; pv++, pe++, number++) {
            pe->pe = number;
            int64_t lo, hi;
            struct ir_mapping_rows rows = ir_mapping_rows_of(&l->mapping, g->column[i].ph, pv);
            if (!ir_mapping_next_run(&rows, &lo, &hi))
                BUG("slice %u of layer %u holds no rows", pv, g->layer);
            pe->k0 = (uint32_t)lo;
            pe->k = (uint32_t)(hi - lo);
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
        group_channels(p->segment, g, &lo, &hi);
        for (int a = 0; a < 2; a++) {
            out->kernel[a] = (uint32_t)o->map[a].kernel;
            out->stride[a] = (uint32_t)o->map[a].stride;
            out->dilation[a] = (uint32_t)o->map[a].dilation;
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
        fill_pes(l, g, out->pes);
    }
}
