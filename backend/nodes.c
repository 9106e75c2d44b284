/*
 * nodes.c - from operations to nodes: what is stored, what is fused, what is only an address map.
 *
 * A node stores one value. Elementwise operations with no second runtime operand join the node in
 * front (an mvm's epilogue, a map) while its value has no other reader. Concat and slice store
 * nothing: a reader's value is a list of parts of stored nodes. Base layers read through a constant
 * pad in front of them (need_source): it stores nothing either.
 */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

struct builder {
    struct node_list list;
    VEC(struct node) nodes;
    struct arena *arena;
    struct diag *diag;
};

static void value_dims(const struct ir_op *op, int32_t dim[3])
{
    for (int a = 0; a < 3; a++)
        dim[a] = (int32_t)op->out->type.dim[a];
}

/* A constant that a vector program can hold: one value, or one per channel. */
static bool is_vector(const struct ir_value *v)
{
    return ir_is(v, IR_constant) && v->type.dim[0] == 1 && v->type.dim[1] == 1;
}

/* The lane operation of an elementwise operation; clip needs two and is handled apart. */
static enum isa_lane_op lane_of(enum ir_opcode opcode)
{
    switch (opcode) {
    case IR_relu: return LANE_MAX;
    case IR_leaky_relu: return LANE_LEAKY;
    case IR_exp: return LANE_EXP;
    case IR_log: return LANE_LOG;
    case IR_sqrt: return LANE_SQRT;
    case IR_sigmoid: return LANE_SIGMOID;
    case IR_tanh: return LANE_TANH;
    case IR_neg: return LANE_NEG;
    case IR_abs: return LANE_ABS;
    case IR_add: return LANE_ADD;
    case IR_sub: return LANE_SUB;
    case IR_mul: return LANE_MUL;
    case IR_div: return LANE_DIV;
    case IR_min: return LANE_MIN;
    case IR_max: return LANE_MAX;
    default: return N_LANE_OPS;
    }
}

static uint8_t add_lane(struct node *n, enum isa_lane_op op, uint8_t x, uint8_t y, float imm)
{
    n->program.ops[n->program.n_ops] = (struct isa_lane){(uint8_t)op, x, y, imm};
    return (uint8_t)n->program.n_ops++;
}

/* Operand code of constant `c`: an immediate for one value, else a new constant vector. */
static uint8_t constant_code(struct node *n, const struct ir_value *c, float *imm)
{
    if (c->type.dim[2] == 1) {
        *imm = (float)ir_const_f64(c->def, 0);
        return LANE_IMM;
    }
    n->vector[n->n_vectors] = c->def;
    return (uint8_t)(LANE_CONST0 + n->n_vectors++);
}

/* Appends `op` to the node's program; operand code `a` stands for its runtime operand. */
static void append(struct node *n, const struct ir_op *op, uint8_t a)
{
    if (op->opcode == IR_clip) {
        uint8_t low = add_lane(n, LANE_MAX, a, LANE_IMM, op->attrs->clip.lo);
        add_lane(n, LANE_MIN, low, LANE_IMM, op->attrs->clip.hi);
        return;
    }
    enum isa_lane_op lane = lane_of(op->opcode);
    if (op->opcode == IR_relu)
        add_lane(n, lane, a, LANE_IMM, 0.0f);
    else if (op->opcode == IR_leaky_relu)
        add_lane(n, lane, a, LANE_IMM, op->attrs->leaky_relu.alpha);
    else if (op->n_in == 1)
        add_lane(n, lane, a, 0, 0.0f);
    else {
        float imm = 0.0f;
        bool first = is_vector(op->in[0].value);
        uint8_t c = constant_code(n, op->in[first ? 0 : 1].value, &imm);
        add_lane(n, lane, first ? c : a, first ? a : c, imm);
    }
}

static bool is_elementwise(const struct ir_op *op)
{
    return ir_op_descs[op->opcode].traits & (IR_UNARY | IR_BINARY);
}

/* The runtime operand of an elementwise operation that a program can hold alone; NULL if none. */
static const struct ir_value *single_operand(const struct ir_op *op)
{
    if (!is_elementwise(op))
        return NULL;
    if (op->n_in == 1)
        return op->in[0].value;
    for (int i = 0; i < 2; i++) {
        const struct ir_value *x = op->in[i].value, *c = op->in[1 - i].value;
        if (is_vector(c) && !ir_is(x, IR_constant) && ir_type_equal(&x->type, &op->out->type))
            return x;
    }
    return NULL;
}

/* Two more operations (clip) must fit, and one that adds a partial sum in front. */
static bool takes_more(const struct node *n)
{
    return (n->kind == NODE_mvm || n->kind == NODE_map) &&
           n->program.n_ops + 3 <= ISA_MAX_LANE_OPS && n->n_vectors < ISA_MAX_LANE_OPS;
}

static uint8_t program_result(const struct node *n)
{
    return n->program.n_ops ? (uint8_t)(n->program.n_ops - 1) : LANE_A;
}

static struct node *node_new(struct builder *b, enum node_kind kind, const struct ir_op *op)
{
    struct node n = {.kind = kind, .root = op, .out = op};
    value_dims(op, n.dim);
    n.program.arity = 1;
    b->list.node_of[op->id] = (uint32_t)b->nodes.n;
    VEC_PUSH(&b->nodes, n);
    return &b->nodes.at[b->nodes.n - 1];
}

static void add_operand(struct node *n, const struct ir_op *op, unsigned i)
{
    struct need_source s = need_source(op, i);
    struct operand *o = &n->operand[n->n_operands++];
    *o = (struct operand){.value = s.value, .pad_value = s.pad_value};
    memcpy(o->map, s.map, sizeof o->map);
}

/* Elementwise on runtime operands, or one and a constant map; `a` is made at run time. */
static void add_map(struct builder *b, const struct ir_op *op)
{
    struct node *n = node_new(b, NODE_map, op);
    const struct ir_value *only = single_operand(op);
    if (only) {
        add_operand(n, op, op->in[0].value == only ? 0 : 1);
        append(n, op, LANE_A);
        return;
    }
    bool swap = ir_is(op->in[0].value, IR_constant);
    add_operand(n, op, swap);
    add_operand(n, op, !swap);
    n->program.arity = 2;
    add_lane(n, lane_of(op->opcode), swap ? LANE_B : LANE_A, swap ? LANE_A : LANE_B, 0.0f);
}

/* An alias: the parts of its operands, each moved along; room for all of them at once. */
static struct value_parts *alias_new(struct builder *b, const struct ir_op *op)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < op->n_in; i++)
        most += b->list.parts[op->in[i].value->def->id].n;
    struct value_parts *v = &b->list.parts[op->id];
    v->part = ARENA_ARRAY(b->arena, struct part, most);
    return v;
}

/* Adds the parts of `from`, moved by `shift` and cut to `where` of the alias. */
static void add_shifted(const struct builder *b, struct value_parts *v, const struct ir_op *from,
                        const int32_t shift[3], const struct box *where)
{
    const struct value_parts *src = &b->list.parts[from->id];
    for (uint32_t i = 0; i < src->n; i++) {
        struct part part = src->part[i];
        struct box moved = box_shift(&part.where, shift, 1);
        part.where = box_intersect(&moved, where);
        for (int a = 0; a < 3; a++)
            part.shift[a] += shift[a];
        if (!box_empty(&part.where))
            v->part[v->n++] = part;
    }
}

static void alias_concat(struct builder *b, const struct ir_op *op)
{
    struct value_parts *v = alias_new(b, op);
    int axis = (int)op->attrs->concat.axis;
    int32_t shift[3] = {0}, dim[3];
    value_dims(op, dim);
    struct box whole = box_whole(dim);
    for (uint32_t i = 0; i < op->n_in; i++) {
        add_shifted(b, v, op->in[i].value->def, shift, &whole);
        shift[axis] += (int32_t)op->in[i].value->type.dim[axis];
    }
}

static void alias_slice(struct builder *b, const struct ir_op *op)
{
    int32_t shift[3], dim[3];
    value_dims(op, dim);
    struct box whole = box_whole(dim);
    for (int a = 0; a < 3; a++)
        shift[a] = (int32_t)-op->attrs->slice.start.at[a];
    add_shifted(b, alias_new(b, op), op->in[0].value->def, shift, &whole);
}

static void stored_part(struct builder *b, const struct ir_op *op)
{
    struct value_parts *v = &b->list.parts[op->id];
    int32_t dim[3];
    value_dims(op, dim);
    *v = (struct value_parts){1, ARENA_NEW(b->arena, struct part)};
    *v->part = (struct part){.node = b->list.node_of[op->id], .where = box_whole(dim)};
}

/* Joins `op` to the node in front of it, if that node can take it. */
static bool fuse(struct builder *b, const struct ir_op *op)
{
    const struct ir_value *x = single_operand(op);
    if (!x || !ir_has_one_use(x) || b->list.node_of[x->def->id] == NONE)
        return false;
    struct node *n = &b->nodes.at[b->list.node_of[x->def->id]];
    if (!takes_more(n))
        return false;
    append(n, op, program_result(n));
    b->list.node_of[x->def->id] = NONE;
    b->list.parts[x->def->id].n = 0;
    b->list.node_of[op->id] = (uint32_t)(n - b->nodes.at);
    n->out = op;
    return true;
}

static bool add_op(struct builder *b, const struct ir_op *op)
{
    switch (op->opcode) {
    case IR_output: return true;
    case IR_input: node_new(b, NODE_input, op); break;
    case IR_constant:
        if (op->out->type.rank == 3)
            node_new(b, NODE_constant, op);
        else
            return true; /* weights of an mvm */
        break;
    case IR_mvm: add_operand(node_new(b, NODE_mvm, op), op, 0); break;
    case IR_concat:
        for (uint32_t i = 0; i < op->n_in; i++)
            if (ir_is(op->in[i].value, IR_constant))
                return diag_error(b->diag, op->loc, DIAG_LOWER,
                                  "concatenation with a constant has no mapping yet");
        alias_concat(b, op);
        return true;
    case IR_slice: alias_slice(b, op); return true;
    case IR_pad:
        if (need_reads_through(op))
            return true;
        add_operand(node_new(b, NODE_gather, op), op, 0);
        break;
    case IR_gather_grid: add_operand(node_new(b, NODE_gather, op), op, 0); break;
    case IR_max_pool:
    case IR_avg_pool:
    case IR_overlap_add:
    case IR_global_avg_pool: add_operand(node_new(b, NODE_window, op), op, 0); break;
    case IR_reduce: add_operand(node_new(b, NODE_reduce, op), op, 0); break;
    case IR_reshape: add_operand(node_new(b, NODE_reshape, op), op, 0); break;
    case IR_transpose: add_operand(node_new(b, NODE_transpose, op), op, 0); break;
    default:
        if (!is_elementwise(op))
            BUG("%s at the crossbar stage", ir_op_descs[op->opcode].name);
        if (!fuse(b, op))
            add_map(b, op);
    }
    stored_part(b, op);
    return true;
}

static bool fits_coordinates(struct builder *b, const struct ir_op *op)
{
    for (int a = 0; op->out && op->out->type.rank == 3 && a < 3; a++)
        if (op->out->type.dim[a] > ISA_MAX_COORD)
            return diag_error(b->diag, op->loc, DIAG_CAPACITY,
                              "an extent of %ld exceeds the machine's coordinates (%d)",
                              (long)op->out->type.dim[a], ISA_MAX_COORD);
    return true;
}

static bool all_fit(const int64_t *v, unsigned n)
{
    for (unsigned i = 0; v && i < n; i++)
        if (v[i] < -ISA_MAX_COORD || v[i] > ISA_MAX_COORD)
            return false;
    return true;
}

struct window_attrs {
    const int64_t *kernel, *stride, *dilation, *pad; /* NULL: none */
};

static struct window_attrs window_attrs(const struct ir_op *op)
{
    const union ir_attrs *a = op->attrs;
    switch (op->opcode) {
    case IR_mvm: return (struct window_attrs){a->mvm.kernel, a->mvm.stride, a->mvm.dilation, NULL};
    case IR_max_pool:
        return (struct window_attrs){a->max_pool.kernel, a->max_pool.stride, a->max_pool.dilation,
                                     a->max_pool.pad};
    case IR_avg_pool:
        return (struct window_attrs){a->avg_pool.kernel, a->avg_pool.stride, a->avg_pool.dilation,
                                     a->avg_pool.pad};
    case IR_overlap_add:
        return (struct window_attrs){a->overlap_add.kernel, a->overlap_add.stride,
                                     a->overlap_add.dilation, a->overlap_add.pad};
    default: return (struct window_attrs){NULL, NULL, NULL, NULL};
    }
}

/* A stride of one step, or a dilation of one tap, may be larger than any extent. */
static bool fits_window(struct builder *b, const struct ir_op *op)
{
    struct window_attrs w = window_attrs(op);
    return (all_fit(w.kernel, 2) && all_fit(w.stride, 2) && all_fit(w.dilation, 2) &&
            all_fit(w.pad, 4)) ||
           diag_error(b->diag, op->loc, DIAG_CAPACITY,
                      "a kernel, stride, dilation or padding exceeds the machine's %d",
                      ISA_MAX_COORD);
}

static bool fits_bindings(struct builder *b)
{
    uint32_t n = 0;
    for (const struct ir_op *op = b->list.graph->first; op; op = op->next)
        n += op->opcode == IR_input || op->opcode == IR_output;
    return n <= ISA_MAX_BINDINGS ||
           diag_error(b->diag, (struct loc){0}, DIAG_CAPACITY,
                      "the network has %u inputs and outputs, an instruction can name %d", n,
                      ISA_MAX_BINDINGS);
}

const struct node_list *plan_nodes(const struct ir_graph *g, struct arena *a, struct diag *d)
{
    struct builder b = {.list = {.graph = g, .n_ops = g->n_ops}, .arena = a, .diag = d};
    struct node_list *out = ARENA_NEW(a, struct node_list);
    b.list.ops = ARENA_ARRAY(a, const struct ir_op *, g->n_ops);
    b.list.node_of = ARENA_ARRAY(a, uint32_t, g->n_ops);
    b.list.parts = ARENA_ARRAY(a, struct value_parts, g->n_ops);
    memset(b.list.node_of, 0xff, g->n_ops * sizeof *b.list.node_of);
    bool ok = fits_bindings(&b);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        b.list.ops[op->id] = op;
        ok &= fits_coordinates(&b, op) && fits_window(&b, op) && add_op(&b, op);
    }
    *out = b.list;
    out->n = (uint32_t)b.nodes.n;
    out->at = ARENA_ARRAY(a, struct node, out->n);
    if (out->n)
        memcpy(out->at, b.nodes.at, out->n * sizeof *out->at);
    VEC_FREE(&b.nodes);
    return ok ? out : NULL;
}
