/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit_image.c - the weights of base layers, as crossbars hold them.
 *
 * Without patches an image is the matrix of the graph. With them it is the expansion of that to all
 * pixels of a patch (mvm_mapping.h): what a column does not read is zero there. It is made when
 * somebody reads it, so that a program is written without it ever being in memory.
 */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

static const void *read_blob(void *owner, void *scratch)
{
    const struct blob *b = owner;
    return scratch ? blob_read(b, scratch) : blob_data(b);
}

struct expansion {
    struct ir_mapping mapping;
    const struct blob *weights; /* K x N of one pixel */
    int64_t columns, rows;      /* of them */
    size_t element;
    const int8_t *zero; /* per output channel, what stands for zero; NULL: zero bits */
    struct arena *arena;
    void *kept;
    _Atomic uint64_t hash;
};

/* In all rows of a column, what stands for zero. */
static void fill_zeros(const struct expansion *x, char *to)
{
    const struct ir_mapping *m = &x->mapping;
    size_t line = (size_t)m->n * x->element;
    memset(to, 0, line);
    for (int64_t n = 0; x->zero && n < m->n; n++)
        to[n] = x->zero[ir_mapping_pixel(m, n).channel];
    for (int64_t row = 1; row < m->k; row++)
        memcpy(to + (size_t)row * line, to, line);
}

/* The weights of kernel tap `tap` to where pixel `pixel` reads them. */
static void place_tap(const struct expansion *x, int64_t pixel, int64_t tap, const char *weights,
                      char *to)
{
    const struct ir_mapping *m = &x->mapping;
    int64_t wy = pixel / m->patch[1] * m->stride[0] + tap / m->kernel[1] * m->dilation[0];
    int64_t wx = pixel % m->patch[1] * m->stride[1] + tap % m->kernel[1] * m->dilation[1];
    size_t run = (size_t)m->pixel_columns * x->element;
    for (int64_t c = 0; c < m->channels; c++) {
        int64_t row = (wy * m->window[1] + wx) * m->channels + c;
        char *line = to + (size_t)(row * m->n + pixel * m->pixel_columns) * x->element;
        const char *from = weights + (size_t)((tap * m->channels + c) * x->columns) * x->element;
        for (int64_t q = 0; q < m->groups; q++)
            memcpy(line + (size_t)(q * m->columns) * x->element, from + (size_t)q * run, run);
    }
}

/* The weights of one pixel; in *scratch if they are in memory nowhere else. */
static const char *pixel_weights(const struct expansion *x, void **scratch)
{
    const struct blob *b = x->weights;
    size_t bytes = (size_t)(x->rows * x->columns) * x->element;
    *scratch = heap_alloc(bytes);
    if (!b->splat)
        return blob_read(b, *scratch);
    for (size_t at = 0; at < bytes; at += x->element)
        memcpy((char *)*scratch + at, b->at, x->element);
    return *scratch;
}

static const void *read_expansion(void *owner, void *scratch)
{
    struct expansion *x = owner;
    const struct ir_mapping *m = &x->mapping;
    if (x->kept)
        return x->kept;
    char *to = scratch ? scratch : arena_alloc_array(x->arena, (size_t)(m->k * m->n), x->element);
    void *own;
    const char *weights = pixel_weights(x, &own);
    fill_zeros(x, to);
    for (int64_t pixel = 0; pixel < m->patch[0] * m->patch[1]; pixel++)
        for (int64_t tap = 0; tap < m->kernel[0] * m->kernel[1]; tap++)
            place_tap(x, pixel, tap, weights, to);
    heap_free(own);
    if (!scratch)
        x->kept = to;
    return to;
}

/* Per output channel: the weight that makes nothing of any input. */
static const int8_t *zero_codes(struct emitter *e, const struct ir_op *mvm)
{
    if (mvm->n_in < 3)
        return NULL;
    const struct ir_op *center = mvm->in[2].value->def;
    int64_t n = ir_count(&center->out->type);
    int8_t *zero = ARENA_ARRAY(e->out->arena, int8_t, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        zero[i] = (int8_t)-ir_const_i64(center, i);
    return zero;
}

static void expanded_section(struct emitter *e, const struct layer *l, const struct ir_op *mvm,
                             struct isa_section *out)
{
    const struct ir_op *w = mvm->in[1].value->def;
    struct expansion *x = ARENA_NEW(e->out->arena, struct expansion);
    *x = (struct expansion){.mapping = l->mapping,
                            .weights = w->attrs->constant.data,
                            .rows = w->out->type.dim[0],
                            .columns = w->out->type.dim[1],
                            .element = element_bytes(value_element(w)),
                            .zero = zero_codes(e, mvm),
                            .arena = e->out->arena};
    out->length = (uint64_t)(x->mapping.k * x->mapping.n) * x->element;
    out->read = read_expansion;
    out->owner = x;
    out->hash = &x->hash;
}

/* The matrix's bytes: in memory, or made from the model's weights when they are read. */
static void matrix_section(struct emitter *e, const struct ir_op *mvm, struct isa_section *out)
{
    const struct ir_op *w = mvm->in[1].value->def;
    struct blob *b = w->attrs->constant.data;
    out->length = (uint64_t)ir_count(&w->out->type) * element_bytes(value_element(w));
    if (b->splat) {
        out->data = ir_const_data(w, e->out->arena);
        return;
    }
    out->read = read_blob;
    out->owner = b;
    out->hash = &b->hash;
}

/* The center of each of the image's columns: their channel's. */
static uint64_t emit_center(struct emitter *e, const struct layer *l, const struct ir_op *center)
{
    const struct ir_mapping *m = &l->mapping;
    if (!ir_mapping_has_patch(m))
        return emit_constant(e, center);
    int32_t *columns = heap_alloc((size_t)m->n * sizeof *columns);
    for (int64_t n = 0; n < m->n; n++)
        columns[n] = (int32_t)ir_const_i64(center, ir_mapping_pixel(m, n).channel);
    uint64_t offset = emit_bytes(e, columns, (size_t)m->n * sizeof *columns);
    heap_free(columns);
    return offset;
}

/* What the converters of each slice leave out. What noise does to cells goes by the image's number.
 */
static void emit_readout(struct emitter *e, const struct ir_op *mvm, uint32_t index)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    const struct ir_ints *shift = &at->shift;
    struct isa_image *image = &e->out->images[index];
    if (at->rows > 0 && at->object != index)
        BUG("the weights of %s are image %u, not %lld", mvm->name, index, (long long)at->object);
    image->n_shift = shift->n;
    image->shift = ARENA_ARRAY(e->out->arena, uint32_t, shift->n);
    for (uint32_t i = 0; i < shift->n; i++)
        image->shift[i] = (uint32_t)shift->at[i];
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
        emit_readout(e, mvm, i);
        if (mvm->n_in > 2) {
            out->images[i].center = e->constants_section + 1;
            out->images[i].center_offset = emit_center(e, l, mvm->in[2].value->def);
        }
        struct isa_section *section = &out->sections[i];
        section->name = arena_printf(out->arena, "weights %s", mvm->name);
        if (ir_mapping_has_patch(&l->mapping))
            expanded_section(e, l, mvm, section);
        else
            matrix_section(e, mvm, section);
    }
}
