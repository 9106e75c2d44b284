/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_plan.c - which values of a float graph become bytes, and which weights.
 *
 * A base layer is taken where its weights are constants, or when integers stand in front of it
 * already. Behind it, a chain of its bias, relu, clip, moves (each the only user of what is before
 * it) is one with it: the integer product goes through them exactly. A value is taken if
 *
 *   - something that computes with integers reads it (base layers, products of two values, pools,
 *     softmax whose result is taken): quantised input for each of them; or
 *   - it ends the chain of a base layer, of a sum or product of two values of one shape, of a pool
 *     or concat, and something that computes with integers comes somewhere behind it.
 *
 * Not taken are what moves and max pooling make, which keep the grid of their operand; what only
 * outputs come behind, with softmax and other functions on floats before them; what only a concat
 * reads that is taken itself, for it is rounded to that grid anyway; what is quantised already.
 */
#include "quant.h"

#include "base/closest.h"

/* ---- words ---- */

/* Elements of the result are elements of the only operand, whose grid is theirs. */
static bool keeps_grid(const struct ir_op *op)
{
    return op->n_in == 1 && (pass_has_trait(op, IR_MOVES) || op->opcode == IR_max_pool);
}

const struct ir_op *quant_source(const struct ir_value *v)
{
    while (keeps_grid(v->def))
        v = v->def->in[0].value;
    return v->def;
}

static bool is_pool(const struct ir_op *op)
{
    return op->opcode == IR_avg_pool || op->opcode == IR_global_avg_pool;
}

static bool is_f32(const struct ir_value *v)
{
    return v && v->type.dtype == IR_F32;
}

const char *quant_name(const struct ir_op *op)
{
    while (!*op->name && op->n_in)
        op = op->in[0].value->def;
    return op->name;
}

/* ---- what is known of each operation, by id ---- */

struct facts {
    bool runs;                  /* depends on an input */
    bool is_on_grid;            /* of a dequantize, which relu and clip keep to as moves do */
    bool is_wanted;             /* what computes with integers reads its result, behind moves too */
    bool reaches;               /* and if not this then something behind it is */
    const struct ir_op *source; /* in front of moves and max pooling */
    struct quant_layer *layer;
};

struct planner {
    struct quant_plan *plan;
    struct facts *of;
};

static struct facts *facts_of(const struct planner *p, const struct ir_op *op)
{
    return &p->of[op->id];
}

/* A sum or product of two values of run time that have its shape. */
static bool joins_two(const struct planner *p, const struct ir_op *op)
{
    bool joins = op->opcode == IR_add || op->opcode == IR_sub || op->opcode == IR_mul;
    for (uint32_t i = 0; i < 2 && joins; i++) {
        const struct ir_value *v = op->in[i].value;
        joins = facts_of(p, v->def)->runs && ir_type_equal(&v->type, &op->out->type);
    }
    return joins && op->in[0].value != op->in[1].value;
}

/* From the first operation to the last. */
static void find_facts(struct planner *p)
{
    for (const struct ir_op *op = p->plan->graph->first; op; op = op->next) {
        struct facts *f = facts_of(p, op);
        bool keeps = keeps_grid(op) || op->opcode == IR_relu || op->opcode == IR_clip;
        f->runs = op->opcode == IR_input;
        f->is_on_grid = op->opcode == IR_dequantize;
        f->source = op;
        for (uint32_t i = 0; i < op->n_in; i++) {
            const struct facts *operand = facts_of(p, op->in[i].value->def);
            f->runs |= operand->runs;
            f->is_on_grid |= keeps && operand->is_on_grid;
            f->source = keeps_grid(op) ? operand->source : op;
        }
        f->is_on_grid &= f->runs;
    }
}

/* ---- layers ---- */

/* The constant behind v, or behind a transpose of it. */
static bool find_matrix(const struct ir_value *v, struct quant_weights *w)
{
    w->constant = pass_matrix_constant(v, &w->transposed);
    if (!w->constant)
        return false;
    const struct ir_type *t = &w->constant->out->type;
    if (t->rank == 1) {
        *w = (struct quant_weights){.constant = w->constant,
                                    .n = 1,
                                    .k = t->dim[0],
                                    .groups = 1,
                                    .row_step = 1,
                                    .axis = -1};
        return true;
    }
    for (int d = 0; d + 2 < t->rank; d++) {
        if (t->dim[d] != 1)
            return false; /* several matrices */
    }
    int64_t rows = t->dim[t->rank - 2], columns = t->dim[t->rank - 1];
    *w = (struct quant_weights){.constant = w->constant,
                                .transposed = w->transposed,
                                .n = w->transposed ? rows : columns,
                                .k = w->transposed ? columns : rows,
                                .groups = 1,
                                .row_step = w->transposed ? 1 : columns,
                                .column_step = w->transposed ? columns : 1,
                                .axis = t->rank - (w->transposed ? 2 : 1)};
    return true;
}

/* The constant on the left: its rows are the columns. */
static bool find_left_matrix(const struct ir_op *op, struct quant_weights *w)
{
    const struct ir_value *a = op->in[0].value;
    if (a->type.rank != 2 || op->in[1].value->type.rank > 2 || !pass_f32_constant(a))
        return false;
    *w = (struct quant_weights){.constant = a->def,
                                .n = a->type.dim[0],
                                .k = a->type.dim[1],
                                .groups = 1,
                                .row_step = 1,
                                .column_step = a->type.dim[1]};
    return true;
}

static bool find_kernel(const struct ir_op *conv, struct quant_weights *w)
{
    const struct ir_value *v = conv->in[1].value;
    if (!pass_f32_constant(v))
        return false;
    int64_t k = ir_count(&v->type) / v->type.dim[0];
    *w = (struct quant_weights){.constant = v->def,
                                .n = v->type.dim[0],
                                .k = k,
                                .groups = conv->attrs->conv.group,
                                .row_step = 1,
                                .column_step = k};
    return true;
}

/* Weights that are integers already. */
static bool has_integers(const struct ir_value *v)
{
    while (ir_is(v, IR_transpose) || ir_is(v, IR_reshape))
        v = v->def->in[0].value;
    return ir_is(v, IR_dequantize) && ir_is(v->def->in[0].value, IR_constant);
}

/* Fills in which operand is data, and the weights. */
static bool find_weights(const struct ir_op *op, struct quant_layer *l)
{
    bool is_conv = op->opcode == IR_conv;
    l->has_weights = true;
    l->data = 0;
    if (is_conv ? find_kernel(op, &l->weights) : find_matrix(op->in[1].value, &l->weights))
        return true;
    if (!is_conv && find_left_matrix(op, &l->weights)) {
        l->data = 1;
        return true;
    }
    l->has_weights = false;
    l->data = !is_conv && has_integers(op->in[0].value);
    return has_integers(op->in[1 - l->data].value);
}

uint32_t quant_column_axis(const struct quant_layer *l)
{
    const struct ir_type *t = &l->op->out->type;
    if (l->op->opcode == IR_conv)
        return 1;
    return t->rank - (l->data == 1 && t->rank == 2 ? 2u : 1u);
}

/* The add of a constant by column that alone reads the products. */
static struct ir_op *find_bias(const struct quant_layer *l)
{
    const struct ir_value *v = l->op->out;
    struct ir_op *add = ir_has_one_use(v) ? v->uses->user : NULL;
    if (!add || add->opcode != IR_add || !l->has_weights)
        return NULL;
    const struct ir_value *b = add->in[add->in[0].value == v].value;
    bool fits = pass_f32_constant(b) &&
                pass_is_per_channel(&b->type, &v->type, quant_column_axis(l)) &&
                ir_type_equal(&v->type, &add->out->type);
    return fits ? add : NULL;
}

/* Sums of that many products keep within 2^30 whatever the input is, and leave as much to the
 * bias. */
static bool fits_sum(const struct quant_layer *l)
{
    int64_t most = (INT64_C(1) << (l->weight_bits - 1)) - 1;
    return !l->has_weights || l->weights.k < (INT64_C(1) << 30) / (UINT8_MAX * most);
}

static bool is_named(const struct quant_override *o, const struct quant_layer *l)
{
    char *end;
    unsigned long long number = strtoull(o->layer, &end, 10);
    bool is_number = *o->layer >= '0' && *o->layer <= '9' && !*end;
    return strcmp(o->layer, l->op->name) == 0 || (is_number && number == l->number);
}

/* The bits of its weights; of what it reads if it asks for some. */
static int64_t bits_asked(const struct quant_plan *p, const struct quant_layer *l, bool weights)
{
    const struct quant_options *o = p->ctx->quant;
    int64_t bits = weights ? o->weight_bits : o->activation_bits;
    for (size_t i = 0; i < o->n_layers; i++) {
        int64_t own = weights ? o->layers[i].weight_bits : o->layers[i].activation_bits;
        if (own && is_named(&o->layers[i], l))
            bits = own;
    }
    return bits;
}

static bool check_overrides(const struct quant_plan *p)
{
    const struct quant_options *o = p->ctx->quant;
    for (size_t i = 0; i < o->n_layers; i++) {
        bool found = false;
        struct closest near = {.to = o->layers[i].layer};
        for (size_t k = 0; k < p->n_layers; k++) {
            found |= is_named(&o->layers[i], &p->layers[k]);
            closest_offer(&near, p->layers[k].op->name);
        }
        if (!found)
            return diag_error(p->ctx->diag, (struct loc){0}, DIAG_LOWER,
                              "--layer: '%s' is no base layer with constant weights%s%s%s",
                              o->layers[i].layer, CLOSEST(&near));
    }
    return true;
}

static void refuse(const struct quant_plan *p, const struct quant_layer *l)
{
    diag_warn(
        p->ctx->diag, l->op->loc, DIAG_LOWER,
        "%s: sums of %lld products of bytes and %lld-bit weights may leave 32 bits: it is not "
        "quantised",
        pass_op_text(l->op, p->arena), (long long)l->weights.k, (long long)l->weight_bits);
}

static void find_layers(struct planner *p)
{
    struct quant_plan *plan = p->plan;
    uint32_t number = 0;
    for (struct ir_op *op = plan->graph->first; op; op = op->next) {
        struct quant_layer l = {.op = op, .number = number};
        number += pass_has_trait(op, IR_BASE);
        if (!pass_has_trait(op, IR_BASE) || !find_weights(op, &l) ||
            !is_f32(op->in[l.data].value) || !facts_of(p, op)->runs)
            continue;
        l.weight_bits = bits_asked(plan, &l, true);
        l.bias = find_bias(&l);
        plan->layers[plan->n_layers] = l;
        if (!fits_sum(&l)) {
            refuse(plan, &l);
            continue;
        }
        facts_of(p, op)->layer = &plan->layers[plan->n_layers++];
    }
}

/* ---- who computes with integers ---- */

static bool is_taken(const struct planner *p, const struct ir_op *op)
{
    return p->plan->value_of[op->id] != NULL;
}

/* Is what a softmax reads the sums of a layer or product, scaled perhaps? A mask that is added to
 * them makes some so small that no grid holds the others. */
static bool has_plain_scores(const struct planner *p, const struct ir_op *softmax)
{
    enum { MOST_SCALES = 8 };
    const struct ir_op *op = facts_of(p, softmax->in[0].value->def)->source;
    for (int i = 0; (op->opcode == IR_mul || op->opcode == IR_div) && i < MOST_SCALES; i++) {
        const struct facts *a = facts_of(p, op->in[0].value->def);
        const struct facts *b = facts_of(p, op->in[1].value->def);
        if (a->runs == b->runs)
            return false;
        op = a->runs ? a->source : b->source;
    }
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct quant_layer *l = facts_of(p, op->in[i].value->def)->layer;
        if (l && l->bias == op)
            return true;
    }
    return pass_has_trait(op, IR_BASE);
}

/* Does this user of a value compute with integers, itself or behind moves? What is behind it is
 * known already. */
static bool wants_bytes(const struct planner *p, const struct ir_use *u)
{
    const struct ir_op *op = u->user;
    const struct quant_layer *l = facts_of(p, op)->layer;
    if (l)
        return u == &op->in[l->data];
    if (op->opcode == IR_matmul)
        return is_f32(op->out) && facts_of(p, op->in[0].value->def)->runs &&
               facts_of(p, op->in[1].value->def)->runs;
    if (op->opcode == IR_softmax)
        return is_taken(p, op) && has_plain_scores(p, op);
    return is_pool(op) || (keeps_grid(op) && facts_of(p, op)->is_wanted);
}

/* ---- chains ---- */

/* What the model has quantised itself keeps the grids that it gave. */
static bool starts_chain(const struct planner *p, const struct ir_op *op)
{
    bool starts = facts_of(p, op)->layer || joins_two(p, op) || is_pool(op) ||
                  (op->opcode == IR_concat && op->n_in > 1) || op->opcode == IR_matmul;
    for (uint32_t i = 0; i < op->n_in && starts; i++)
        starts = !facts_of(p, op->in[i].value->def)->is_on_grid;
    return starts;
}

/* x + a constant, perhaps one that is quantised. */
static bool adds_constant(const struct planner *p, const struct ir_op *op)
{
    if (op->opcode != IR_add)
        return false;
    uint32_t i = facts_of(p, op->in[0].value->def)->runs ? 0 : 1;
    return !facts_of(p, op->in[1 - i].value->def)->runs &&
           ir_type_equal(&op->in[i].value->type, &op->out->type);
}

/* Does the quantize behind `op` go through it to what op reads? */
static bool continues(const struct planner *p, const struct ir_op *start, const struct ir_op *op)
{
    bool is_layer = pass_has_trait(start, IR_BASE);
    if (op->opcode == IR_relu || op->opcode == IR_clip || keeps_grid(op))
        return true;
    return is_layer && (op->opcode == IR_overlap_add || adds_constant(p, op));
}

/* The last operation of the chain that computes. No operation is in two chains. */
static const struct ir_op *end_of_chain(const struct planner *p, const struct ir_op *start)
{
    const struct ir_op *end = start;
    for (const struct ir_op *at = start; ir_has_one_use(at->out);) {
        const struct ir_op *user = at->out->uses->user;
        if (!user->out || !continues(p, start, user))
            break;
        at = user;
        if (!keeps_grid(at))
            end = at;
    }
    return end;
}

/* Behind moves its only reader is a concat that is taken. */
static bool is_part_of_concat(const struct planner *p, const struct ir_op *op)
{
    while (ir_has_one_use(op->out)) {
        const struct ir_op *user = op->out->uses->user;
        if (user->opcode == IR_concat && is_f32(user->out))
            return facts_of(p, user)->reaches;
        if (!keeps_grid(user) || user->opcode == IR_max_pool)
            return false;
        op = user;
    }
    return false;
}

/* ---- values ---- */

static bool is_quantised(const struct planner *p, const struct ir_op *op)
{
    const struct ir_use *u = op->out->uses;
    return facts_of(p, op)->is_on_grid || (u && !u->next && u->user->opcode == IR_quantize);
}

static void take(struct planner *p, struct ir_op *op)
{
    struct quant_plan *plan = p->plan;
    if (is_taken(p, op) || is_quantised(p, op))
        return;
    struct quant_value *v = &plan->values[plan->n_values++];
    *v = (struct quant_value){.op = op};
    plan->value_of[op->id] = v;
}

/* From the last operation to the first. */
static void take_what_is_wanted(struct planner *p)
{
    for (struct ir_op *op = p->plan->graph->last; op; op = op->prev) {
        struct facts *f = facts_of(p, op);
        for (const struct ir_use *u = op->out ? op->out->uses : NULL; u; u = u->next) {
            f->is_wanted |= wants_bytes(p, u);
            f->reaches |= f->is_wanted || facts_of(p, u->user)->reaches;
        }
        if (f->is_wanted && f->runs && is_f32(op->out) && !keeps_grid(op))
            take(p, op);
    }
}

/* Only a softmax reads it, which then is one of floats. */
static bool is_score(const struct ir_op *op)
{
    return ir_has_one_use(op->out) && op->out->uses->user->opcode == IR_softmax;
}

static void take_ends_of_chains(struct planner *p)
{
    for (struct ir_op *op = p->plan->graph->first; op; op = op->next) {
        struct quant_layer *l = facts_of(p, op)->layer;
        bool starts = starts_chain(p, op);
        if (!is_f32(op->out) || !facts_of(p, op)->runs || !(l || starts))
            continue;
        struct ir_op *end = (struct ir_op *)end_of_chain(p, op);
        if (l)
            l->end = end;
        if (starts && facts_of(p, end)->reaches && !is_part_of_concat(p, end) && !is_score(end))
            take(p, end);
    }
}

static int by_place(const void *a, const void *b)
{
    uint32_t x = ((const struct quant_value *)a)->op->id,
             y = ((const struct quant_value *)b)->op->id;
    return (x > y) - (x < y);
}

static void sort_values(struct quant_plan *p)
{
    if (p->n_values)
        qsort(p->values, p->n_values, sizeof *p->values, by_place);
    for (size_t i = 0; i < p->n_values; i++)
        p->value_of[p->values[i].op->id] = &p->values[i];
}

/* A value has as many bits as any of the layers that read it asks for. */
static void settle_bits(struct planner *p)
{
    struct quant_plan *plan = p->plan;
    for (size_t i = 0; i < plan->n_layers; i++) {
        struct quant_layer *l = &plan->layers[i];
        const struct ir_op *source = facts_of(p, l->op->in[l->data].value->def)->source;
        struct affine a;
        l->reads = plan->value_of[source->id];
        if (l->reads)
            l->reads->bits = max_i64(l->reads->bits, bits_asked(plan, l, false));
        else if (int_affine(source->out, &a))
            l->grid = (struct target){a.scale, a.zero, 0, UINT8_MAX};
    }
    for (size_t i = 0; i < plan->n_values; i++) {
        if (!plan->values[i].bits)
            plan->values[i].bits = plan->ctx->quant->activation_bits;
    }
}

/* Does a base layer read a value that was taken? Else there is nothing for a crossbar. */
static bool serves_layers(const struct planner *p)
{
    for (const struct ir_op *op = p->plan->graph->first; op; op = op->next) {
        for (uint32_t i = 0; pass_has_trait(op, IR_BASE) && i < op->n_in; i++) {
            if (is_taken(p, facts_of(p, op->in[i].value->def)->source))
                return true;
        }
    }
    return p->plan->n_layers > 0;
}

/* Layers behind which there is nothing to do, or whose input has no grid of its own. */
static void drop_layers(struct quant_plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_layers; i++) {
        const struct quant_layer *l = &p->layers[i];
        if (l->has_weights && (l->reads || l->grid.scale > 0))
            p->layers[n++] = *l;
    }
    p->n_layers = n;
}

bool quant_make_plan(struct quant_plan *plan)
{
    uint32_t n = ir_number(plan->graph);
    struct planner p = {plan, ARENA_ARRAY(plan->arena, struct facts, n)};
    plan->values = ARENA_ARRAY(plan->arena, struct quant_value, n);
    plan->layers = ARENA_ARRAY(plan->arena, struct quant_layer, n);
    plan->value_of = ARENA_ARRAY(plan->arena, struct quant_value *, n);
    find_facts(&p);
    find_layers(&p);
    take_what_is_wanted(&p);
    take_ends_of_chains(&p);
    sort_values(plan);
    settle_bits(&p);
    if (!check_overrides(plan))
        return false;
    drop_layers(plan);
    if (!serves_layers(&p))
        plan->n_values = 0;
    return true;
}
