/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * build.c - graphs, making operations, rewriting. Keeps two invariants at every return: the list
 * order is what the caller asked for, and every operand slot is linked into its value's use list.
 */
#include "ir_internal.h"

#include <string.h>

struct ir_graph *ir_graph_new(const char *name, enum ir_stage stage)
{
    struct arena *arena = arena_new();
    struct ir_graph *g = ARENA_NEW(arena, struct ir_graph);
    g->arena = arena;
    g->name = arena_strdup(arena, name ? name : "");
    g->stage = stage;
    return g;
}

/* Only constants hold something outside the arena. */
static void drop_blob(struct ir_op *op)
{
    if (op->opcode != IR_constant)
        return;
    blob_unref_of(op->graph->arena, op->attrs->constant.data);
    op->attrs->constant.data = NULL;
}

void ir_graph_free(struct ir_graph *g)
{
    if (!g)
        return;
    for (struct ir_op *op = g->first; op; op = op->next)
        drop_blob(op);
    arena_free(g->arena); /* the graph itself lives in it */
}

/* ---- uses and list ---- */

static void use_link(struct ir_use *u, struct ir_value *v)
{
    u->value = v;
    u->next = v->uses;
    u->link = &v->uses;
    if (u->next)
        u->next->link = &u->next;
    v->uses = u;
}

static void use_unlink(struct ir_use *u)
{
    *u->link = u->next;
    if (u->next)
        u->next->link = u->link;
    u->next = NULL;
    u->link = NULL;
}

static void list_insert(struct ir_op *op, struct ir_op *before)
{
    struct ir_graph *g = op->graph;
    op->next = before;
    op->prev = before ? before->prev : g->last;
    *(op->prev ? &op->prev->next : &g->first) = op;
    *(before ? &before->prev : &g->last) = op;
}

static void list_remove(struct ir_op *op)
{
    struct ir_graph *g = op->graph;
    *(op->prev ? &op->prev->next : &g->first) = op->next;
    *(op->next ? &op->next->prev : &g->last) = op->prev;
    op->prev = op->next = NULL;
}

/* ---- making ---- */

static const char *copy_name(const char *s, const char *same, struct arena *a)
{
    if (!s)
        return NULL;
    return same && strcmp(s, same) == 0 ? same : arena_strdup(a, s);
}

struct ir_op *ir_op_detached(struct ir_graph *g, const struct ir_new *desc)
{
    if ((unsigned)desc->opcode >= IR_N_OPCODES)
        BUG("opcode %d", (int)desc->opcode);
    size_t slots = desc->n_in * sizeof(struct ir_use);
    struct ir_op *op = arena_alloc(g->arena, sizeof *op + slots);
    op->graph = g;
    op->opcode = desc->opcode;
    op->name = desc->name ? arena_strdup(g->arena, desc->name) : "";
    op->loc = desc->loc;
    /* Neighbours mostly come from the same file. */
    op->loc.file = copy_name(desc->loc.file, g->last ? g->last->loc.file : NULL, g->arena);
    op->loc.entity = copy_name(desc->loc.entity, NULL, g->arena);
    op->attrs = ir_attrs_copy(desc->opcode, desc->attrs, g->arena);
    op->n_in = desc->n_in;
    for (uint32_t i = 0; i < desc->n_in; i++) {
        if (!desc->in[i] || desc->in[i]->def->graph != g)
            BUG("operand %u of a new %s is not of this graph", i, ir_op_descs[op->opcode].name);
        op->in[i].user = op;
        op->in[i].value = desc->in[i];
    }
    return op;
}

void ir_op_attach(struct ir_op *op, struct ir_op *before, const struct ir_type *type)
{
    struct ir_graph *g = op->graph;
    for (uint32_t i = 0; i < op->n_in; i++)
        use_link(&op->in[i], op->in[i].value);
    if (ir_op_blob(op))
        blob_ref(ir_op_blob(op));
    if (ir_op_descs[op->opcode].n_out) {
        op->out = ARENA_NEW(g->arena, struct ir_value);
        op->out->def = op;
        op->out->type = *type;
    }
    op->id = g->n_ops++;
    list_insert(op, before);
}

struct ir_op *ir_op_new(struct ir_graph *g, struct ir_op *before, const struct ir_new *desc,
                        struct diag *d)
{
    struct ir_op *op = ir_op_detached(g, desc);
    struct ir_type type;
    if (!ir_infer(op, d, &type))
        return NULL;
    ir_op_attach(op, before, &type);
    return op;
}

struct ir_op *ir_const_new(struct ir_graph *g, struct ir_op *before, struct ir_type type,
                           struct blob *b, const char *name, struct loc loc)
{
    int64_t count;
    if (!ir_blob_fits(b, &type))
        BUG("constant '%s': %zu bytes do not fit its type", name ? name : "", b->bytes);
    if (b->splat && ir_type_count(&type, &count) && count == 0) {
        blob_unref(b); /* there is no element that it could stand for */
        b = blob_own(heap_alloc(1), 0);
    }
    union ir_attrs attrs = {
        .constant = {.dtype = (enum ir_dtype)type.dtype,
                     .shape = {.n = type.rank, .at = type.dim},
                     .data = b},
    };
    struct ir_op *op = ir_op_detached(
        g, &(struct ir_new){.opcode = IR_constant, .attrs = &attrs, .name = name, .loc = loc});
    ir_op_attach(op, before, &type);
    blob_unref(b); /* the caller's; the operation has its own */
    return op;
}

/* ---- rewriting ---- */

void ir_op_remove(struct ir_op *op)
{
    if (op->out && op->out->uses)
        BUG("removing op %u (%s), which is still used", op->id, ir_op_descs[op->opcode].name);
    for (uint32_t i = 0; i < op->n_in; i++)
        use_unlink(&op->in[i]);
    list_remove(op);
    op->graph->n_ops--;
    drop_blob(op);
}

void ir_op_move_before(struct ir_op *op, struct ir_op *before)
{
    if (op == before)
        return;
    list_remove(op);
    list_insert(op, before);
}

void ir_set_operand(struct ir_op *op, uint32_t i, struct ir_value *v)
{
    if (i >= op->n_in || !v)
        BUG("operand %u of op %u (%s)", i, op->id, ir_op_descs[op->opcode].name);
    use_unlink(&op->in[i]);
    use_link(&op->in[i], v);
}

void ir_replace_uses(struct ir_value *old, struct ir_value *with)
{
    if (old == with || !old->uses)
        return;
    struct ir_use *last = NULL;
    for (struct ir_use *u = old->uses; u; u = u->next) {
        u->value = with;
        last = u;
    }
    last->next = with->uses;
    if (last->next)
        last->next->link = &last->next;
    with->uses = old->uses;
    with->uses->link = &with->uses;
    old->uses = NULL;
}

bool ir_has_one_use(const struct ir_value *v)
{
    return v->uses && !v->uses->next;
}

uint32_t ir_number(struct ir_graph *g)
{
    uint32_t n = 0;
    for (struct ir_op *op = g->first; op; op = op->next)
        op->id = n++;
    return n;
}
