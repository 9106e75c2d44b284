/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * state.c - values that a frame leaves to the next one: outputs that inputs continue.
 *
 * Who reads such an input reads a buffer of its tile, as of any other. LOADs fill it for the first
 * frame. Then each cell of the output is sent there when the tasks that read these rows have done
 * so, and whoever reads them in the next frame waits for what was sent. So these sends depend on
 * readers; other readers of the output must not wait for that, and are sent the cell on its own.
 */
#include "graph_build.h"

#include <string.h>

/* Which element of the input is the output's (0, 0, 0)? Both are parts of tensors of one shape. */
static bool find_shift(const struct ir_op *input, const struct ir_op *output, int32_t shift[3])
{
    const struct ir_attrs_input *in = &input->attrs->input;
    const struct ir_attrs_output *out = &output->attrs->output;
    const int64_t *in_dim = input->out->type.dim, *out_dim = output->in[0].value->type.dim;
    int64_t stride[3], away = out->offset - in->offset;
    for (int a = 0; a < 3; a++) {
        shift[a] = 0;
        stride[a] = in_dim[a] > 1 ? in->strides[a] : out_dim[a] > 1 ? out->strides[a] : 0;
        if (in_dim[a] > 1 && out_dim[a] > 1 && in->strides[a] != out->strides[a])
            return false;
    }
    for (int k = 0; k < 3; k++) { /* the longest stride first */
        int most = 0;
        for (int a = 1; a < 3; a++)
            most = llabs(stride[a]) > llabs(stride[most]) ? a : most;
        if (stride[most] == 0)
            break;
        shift[most] = (int32_t)(away / stride[most]);
        away -= shift[most] * stride[most];
        stride[most] = 0;
    }
    return away == 0;
}

static bool refuse(const struct plan *p, const struct ir_op *input, const char *why)
{
    return diag_error(p->diag, input->loc, DIAG_LOWER, "input '%s' continues an output that %s",
                      input->name, why);
}

static int64_t volume(const struct box *b)
{
    int64_t n = 1;
    for (int a = 0; a < 3; a++)
        n *= b->hi[a] - b->lo[a];
    return box_empty(b) ? 0 : n;
}

/* Is the output made on tiles, of elements as they are in buffers? */
static bool is_made(const struct plan *p, const struct ir_op *input, const struct ir_op *output)
{
    const struct ir_op *value = output->in[0].value->def;
    const struct value_parts *v = parts_of(p->nodes, value);
    enum element element = value_element(input);
    bool ok = port_element(input) == element && port_element(output) == element;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct node *n = &p->nodes->at[v->part[i].node];
        ok &= node_is_made(n) && value_element(n->out) == element;
    }
    return ok || refuse(p, input, "no tile makes, or that has other elements");
}

static bool continues(const struct ir_op *input, const struct ir_op *output)
{
    return output->opcode == IR_output &&
           input->attrs->input.state == output->attrs->output.index + 1;
}

/* All of the input comes from outputs that can be sent to it. */
static bool check_input(const struct plan *p, const struct ir_op *input)
{
    int32_t dim[3], shift[3];
    value_dims(input, dim);
    struct box whole = box_whole(dim);
    int64_t covered = 0;
    for (const struct ir_op *op = p->graph->first; op; op = op->next) {
        if (!continues(input, op) || !find_shift(input, op, shift))
            continue;
        int32_t out_dim[3];
        value_dims(op->in[0].value->def, out_dim);
        struct box there = box_whole(out_dim);
        there = box_shift(&there, shift, 1);
        there = box_intersect(&there, &whole);
        if (volume(&there) && !is_made(p, input, op))
            return false;
        covered += volume(&there);
    }
    return covered == volume(&whole) || refuse(p, input, "lies in another order");
}

/* ---- who is sent what ---- */

/* Cells of the part's node that lie in it become targets of the part's class. */
static void add_targets(struct building *b, uint32_t buffer, uint32_t part)
{
    const struct part *s = buffer_part(b->p, b->g, buffer, part);
    const struct node_cells *cells = &b->p->cells->of[s->node];
    uint32_t target = find_target(b, buffer, part);
    for (uint32_t cell = 0; cell < cells->n; cell++) {
        struct box box = cell_box(cells, cell);
        box = box_shift(&box, s->shift, 1);
        box = box_intersect(&box, &s->where);
        if (!box_empty(&box))
            add_target(&b->g->delivery[s->node], target, cell);
    }
}

/* What the part of a buffer that shows an input is of the nodes that the next frame's is made by.
 */
static void add_parts(struct building *b, uint32_t buffer, const struct part *part)
{
    const struct ir_op *input = b->p->nodes->at[part->node].root;
    for (const struct ir_op *op = b->p->graph->first; op; op = op->next) {
        int32_t shift[3];
        if (!continues(input, op) || !find_shift(input, op, shift))
            continue;
        const struct value_parts *v = parts_of(b->p->nodes, op->in[0].value->def);
        for (uint32_t i = 0; i < v->n; i++) {
            struct part s = {.node = v->part[i].node};
            for (int a = 0; a < 3; a++)
                shift[a] += part->shift[a];
            s.where = box_shift(&v->part[i].where, shift, 1);
            s.where = box_intersect(&s.where, &part->where);
            s.where = box_intersect(&s.where, &b->g->buffers.at[buffer].held);
            for (int a = 0; a < 3; a++) {
                s.shift[a] = v->part[i].shift[a] + shift[a];
                shift[a] -= part->shift[a];
            }
            if (box_empty(&s.where))
                continue;
            VEC_PUSH(&b->g->state_parts, s);
            add_targets(b, buffer, STATE_PART | (uint32_t)(b->g->state_parts.n - 1));
        }
    }
}

/* ---- sends ---- */

/* Tasks that read a buffer of state, by buffer. */
struct reading {
    uint32_t buffer, task;
    struct rows rows;
};
struct readings {
    VEC(struct reading) v;
};

static int compare_readings(const void *a, const void *b)
{
    const struct reading *x = a, *y = b;
    if (x->buffer != y->buffer)
        return x->buffer < y->buffer ? -1 : 1;
    return (x->task > y->task) - (x->task < y->task);
}

static void find_readings(struct building *b, struct readings *out)
{
    struct plan p = *b->p;
    struct accesses accesses = {0};
    p.tasks = b->g;
    for (uint32_t id = 0; id < b->g->tasks.n; id++) {
        task_accesses(&p, &b->g->tasks.at[id], &accesses);
        for (size_t k = 0; k < accesses.v.n; k++) {
            const struct access *a = &accesses.v.at[k];
            if (!a->write && b->g->buffers.at[a->buffer].state)
                VEC_PUSH(&out->v, ((struct reading){a->buffer, id, a->rows}));
        }
    }
    if (out->v.n)
        qsort(out->v.at, out->v.n, sizeof *out->v.at, compare_readings);
    VEC_FREE(&accesses.v);
}

static size_t first_reading(const struct readings *r, uint32_t buffer)
{
    size_t lo = 0, hi = r->v.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r->v.at[mid].buffer < buffer)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* After the cell is made and who reads its rows in the targets has done so. Those wait for the send
 * in the next frame. */
static void add_send(struct building *b, uint32_t node, uint32_t class, uint32_t cell,
                     const struct readings *all)
{
    struct delivery *d = &b->g->delivery[node];
    const struct node_cells *cells = &b->p->cells->of[node];
    struct box box = cell_box(cells, cell);
    struct task t = {
        .kind = TASK_send, .tile = cells->home[cell], .node = node, .cell = cell, .send = {class}};
    uint32_t id = (uint32_t)b->g->tasks.n, link = NONE;
    b->preds.v.n = 0;
    VEC_PUSH(&b->preds.v, d->done[cell]);
    for (const struct target *to; (to = next_target(d, class, cell, &link));) {
        int32_t down = buffer_part(b->p, b->g, to->buffer, to->part)->shift[0];
        for (size_t i = first_reading(all, to->buffer);
             i < all->v.n && all->v.at[i].buffer == to->buffer; i++) {
            const struct reading *r = &all->v.at[i];
            if (r->rows.lo >= box.hi[0] + down || r->rows.hi <= box.lo[0] + down)
                continue;
            VEC_PUSH(&b->preds.v, r->task);
            VEC_PUSH(&b->g->carries, ((struct carry){r->task, id, to->buffer}));
        }
    }
    d->classes.at[class].send[cell] = add_task(b, t, b->preds.v.at, (uint32_t)b->preds.v.n);
}

static int compare_carries(const void *a, const void *b)
{
    const struct carry *x = a, *y = b;
    if (x->reader != y->reader)
        return x->reader < y->reader ? -1 : 1;
    return (x->send > y->send) - (x->send < y->send);
}

static void add_sends(struct building *b)
{
    struct readings all = {0};
    find_readings(b, &all);
    for (uint32_t node = 0; node < b->p->nodes->n; node++)
        for (uint32_t c = 0; c < b->g->delivery[node].classes.n; c++)
            for (uint32_t cell = 0; cell < b->p->cells->of[node].n; cell++) {
                const struct send_class *class = &b->g->delivery[node].classes.at[c];
                if (class->state && class->last[cell] != NONE)
                    add_send(b, node, c, cell, &all);
            }
    if (b->g->carries.n)
        qsort(b->g->carries.at, b->g->carries.n, sizeof *b->g->carries.at, compare_carries);
    VEC_FREE(&all.v);
}

bool output_is_state(const struct ir_graph *g, const struct ir_op *output)
{
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == IR_input && continues(op, output))
            return true;
    return false;
}

bool add_states(struct building *b)
{
    for (uint32_t i = 0; i < b->p->nodes->n; i++) {
        const struct ir_op *root = b->p->nodes->at[i].root;
        if (root->opcode == IR_input && root->attrs->input.state && !check_input(b->p, root))
            return false;
    }
    for (uint32_t i = 0; i < b->g->buffers.n; i++) {
        const struct ir_op *value = b->g->buffers.at[i].value;
        const struct value_parts *v = value ? parts_of(b->p->nodes, value) : NULL;
        for (uint32_t k = 0; v && k < v->n; k++) {
            const struct ir_op *root = b->p->nodes->at[v->part[k].node].root;
            if (root->opcode != IR_input || !root->attrs->input.state)
                continue;
            b->g->buffers.at[i].state = true;
            add_parts(b, i, &v->part[k]);
        }
    }
    if (b->g->state_parts.n > 0)
        add_sends(b);
    return true;
}
