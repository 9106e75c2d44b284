/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * ports.c - what inputs and outputs there are: names, types, shapes, steps; from a program and, for
 * what it does not use, from the model's graph.
 */
#include "tensors.h"

enum { MAX_TENSORS = 65536 };
static const int64_t MAX_ELEMENTS = (int64_t)1 << 31;

/* What program or graph say of one input or output. */
struct io_fact {
    bool output;
    int64_t index;
    const char *name;
    struct ir_type type; /* of one frame */
    int64_t images;      /* along the first dimension in the model's file */
    bool is_state;       /* as in io_tensor, both */
    size_t state;
    double step;
};

static bool take_fact(struct io *io, const struct io_fact *f, struct diag *d)
{
    struct io_tensor *t = f->output ? &io->outputs[f->index] : &io->inputs[f->index];
    const char *what = f->output ? "output" : "input";
    int64_t n;
    if (!ir_type_count(&f->type, &n) || n > MAX_ELEMENTS)
        return diag_error(d, (struct loc){0}, DIAG_DATA, "%s %lld '%s' is too large", what,
                          (long long)f->index, f->name);
    if (t->known && t->type.dtype == IR_U8 && f->type.dtype == IR_BOOL)
        t->type.dtype = IR_BOOL; /* a program does not say what its bytes mean */
    if (t->known && !ir_type_equal(&t->type, &f->type))
        return diag_error(d, (struct loc){0}, DIAG_DATA, "%s %lld '%s' has two types", what,
                          (long long)f->index, f->name);
    if (!t->known)
        *t = (struct io_tensor){
            .name = arena_strdup(io->arena, f->name), .known = true, .type = f->type};
    if (f->step > 0)
        t->step = f->step;
    t->images = max_i64(t->images, f->images);
    t->is_state |= f->is_state || f->state;
    t->state = t->state ? t->state : f->state;
    return true;
}

/* What elements in a file are in memory: a half is f32. */
static enum ir_dtype outside(enum ir_dtype dtype)
{
    return dtype == IR_F16 ? IR_F32 : dtype;
}

static enum ir_dtype binding_dtype(const struct isa_binding *b)
{
    static const enum ir_dtype dtype[] = {
        [ELEMENT_f32] = IR_F32, [ELEMENT_f16] = IR_F16, [ELEMENT_u8] = IR_U8,
        [ELEMENT_i8] = IR_I8,   [ELEMENT_i32] = IR_I32, [ELEMENT_i64] = IR_I64};
    return outside(dtype[b->element]);
}

static struct io_fact binding_fact(const struct isa_program *p, const struct isa_binding *b)
{
    struct io_fact f = {.output = b->output,
                        .is_state = p->frames && b->frame_stride == 0,
                        .index = b->index,
                        .name = b->name ? b->name : "",
                        .type = {.dtype = (uint8_t)binding_dtype(b), .rank = (uint8_t)b->rank}};
    for (uint32_t i = 0; i < b->rank && i < IR_MAX_RANK; i++)
        f.type.dim[i] = b->shape[i] > INT64_MAX ? INT64_MAX : (int64_t)b->shape[i];
    return f;
}

/* Of a float output that is, moves left out, a dequantize with one scale: that scale. */
static double step_of(const struct ir_value *x)
{
    while (ir_op_descs[x->def->opcode].traits & IR_MOVES && x->def->n_in == 1)
        x = x->def->in[0].value;
    if (!ir_is(x, IR_dequantize))
        return 0;
    const struct ir_op *scale = x->def->in[1].value->def;
    if (scale->opcode != IR_constant || ir_count(&scale->out->type) != 1)
        return 0;
    return (double)*(const float *)blob_data(scale->attrs->constant.data);
}

static struct io_fact op_fact(const struct ir_op *op, const struct io_model *m, struct arena *a)
{
    const union ir_attrs *at = op->attrs;
    bool output = op->opcode == IR_output;
    const struct ir_ints *shape = output ? &at->output.shape : &at->input.shape;
    enum ir_dtype dtype = output ? at->output.dtype : at->input.dtype;
    struct io_fact f = {.output = output,
                        .index = output ? (int64_t)m->first_output + at->output.index
                                        : (int64_t)m->first_input + at->input.index,
                        .name = arena_printf(a, "%s%s", m->prefix, op->name),
                        .step = output ? step_of(op->in[0].value) : 0,
                        .images = 1,
                        .type = ir_type_of(outside(dtype), shape->n, shape->at)};
    if (!output && at->input.state > 0)
        f.state = m->first_output + (size_t)at->input.state;
    if (m->images > 1 && shape->n > 0 && (output || shape->at[0] == m->images)) {
        f.images = m->images;
        f.type.dim[0] /= m->images;
    }
    return f;
}

/* All facts, one after another: bindings of the program, then the graphs' own. */
static bool collect(const struct isa_program *p, const struct io *io, struct diag *d,
                    struct io_fact *out, size_t *out_n)
{
    size_t n = *out_n = 0;
    for (uint32_t i = 0; p && i < p->n_bindings; i++) {
        if (p->bindings[i].rank > IR_MAX_RANK)
            return diag_error(d, (struct loc){0}, DIAG_DATA, "'%s' has more than %d dimensions",
                              p->bindings[i].name, IR_MAX_RANK);
        out[n++] = binding_fact(p, &p->bindings[i]);
    }
    for (size_t i = 0; i < io->models.n; i++) {
        const struct io_model *m = &io->models.at[i];
        for (const struct ir_op *op = m->described ? m->described->first : NULL; op; op = op->next)
            if (op->opcode == IR_input || op->opcode == IR_output)
                out[n++] = op_fact(op, m, io->arena);
    }
    *out_n = n;
    return true;
}

bool io_describe(struct io *io, const struct isa_program *p, struct io_models models,
                 struct diag *d)
{
    *io = (struct io){.arena = arena_new(), .models = models, .frames = 1};
    size_t n = p ? p->n_bindings : 0, most[2] = {0};
    for (size_t i = 0; i < models.n; i++)
        n += models.at[i].described ? models.at[i].described->n_ops : 0;
    struct io_fact *facts = ARENA_ARRAY(io->arena, struct io_fact, n);
    if (!collect(p, io, d, facts, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (facts[i].index < 0 || facts[i].index >= MAX_TENSORS)
            return diag_error(d, (struct loc){0}, DIAG_DATA, "'%s' is number %lld", facts[i].name,
                              (long long)facts[i].index);
        size_t *m = &most[facts[i].output];
        *m = *m > (size_t)facts[i].index + 1 ? *m : (size_t)facts[i].index + 1;
    }
    io->n_inputs = most[0];
    io->n_outputs = most[1];
    io->inputs = ARENA_ARRAY(io->arena, struct io_tensor, io->n_inputs);
    io->outputs = ARENA_ARRAY(io->arena, struct io_tensor, io->n_outputs);
    io->references = ARENA_ARRAY(io->arena, struct io_tensor, io->n_outputs);
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        ok &= take_fact(io, &facts[i], d);
    for (size_t i = 0; i < io->n_inputs; i++)
        if (io->inputs[i].state)
            io->outputs[io->inputs[i].state - 1].is_state = true;
    for (size_t i = 0; i < io->n_outputs; i++)
        io->references[i] = io->outputs[i];
    return ok;
}
