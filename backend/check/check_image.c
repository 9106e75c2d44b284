/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_image.c - does an image hold the weights of a base layer? Where a product yields several
 * pixels the image is the matrix of check_matrix.h: each weight in the columns of all pixels, and
 * what stands for zero in the rows that a pixel does not read.
 */
#include "check_matrix.h"
#include "check_run.h"

#include <stdlib.h>
#include <string.h>

/* n elements of so many bytes are the constant's, bit for bit. */
static bool holds(const void *data, size_t n, size_t bytes, const struct blob *b)
{
    if (!b->splat)
        return memcmp(data, blob_data(b), n * bytes) == 0;
    size_t same = 0;
    while (same < n && memcmp((const char *)data + same * bytes, blob_data(b), bytes) == 0)
        same++;
    return same == n;
}

/* ---- one pixel a product: the image is the constant ---- */

static bool holds_weights(const struct check *k, uint32_t image, const struct blob *b)
{
    const struct isa_image *m = &k->p->images[image];
    if (k->p->sections[m->section].owner == b && m->offset == 0)
        return true; /* the very one; it may be nowhere yet */
    return holds(isa_image_data(k->p, image), (size_t)m->k * m->n, element_bytes(m->element), b);
}

/* ---- several ---- */

/* Of the constant that a matrix is made of: element (row, channel), and zeros for all channels. */
struct expansion {
    struct matrix m;
    size_t bytes;        /* of an element */
    const uint8_t *from; /* row 0 */
    size_t pitch;        /* to the next row; 0: all rows are the same */
    const uint8_t *zeros;
    int64_t *tap; /* [pixel of the patch]: the constant's row / channels, or -1 */
};

/* A row of elements, all of them the constant's one where it has but one. */
static const uint8_t *first_row(struct arena *arena, const struct blob *b, size_t n, size_t bytes)
{
    if (!b->splat)
        return blob_data(b);
    uint8_t *row = arena_alloc(arena, n * bytes + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(row + i * bytes, blob_data(b), bytes);
    return row;
}

/* What is multiplied with nothing: 0, less the center that is added to it. */
static const uint8_t *zero_weights(struct arena *arena, const struct ir_op *mvm, size_t n,
                                   size_t bytes)
{
    uint8_t *zeros = ARENA_ARRAY(arena, uint8_t, n * bytes + 1);
    for (size_t i = 0; mvm->n_in > 2 && i < n; i++)
        zeros[i] = (uint8_t)-ir_const_i64(mvm->in[2].value->def, (int64_t)i);
    return zeros;
}

/* The tap of pixel p at a position of its axis; -1 if the pixel does not read there. */
static int64_t tap_at(const struct matrix *m, unsigned axis, int64_t position, int64_t p)
{
    int64_t from = position - p * m->stride[axis];
    if (from < 0 || from % m->step[axis] || from / m->step[axis] >= m->kernel[axis])
        return -1;
    return from / m->step[axis];
}

static void find_taps(struct expansion *e, int64_t y, int64_t x)
{
    const struct matrix *m = &e->m;
    for (int64_t py = 0; py < m->patch[0]; py++)
        for (int64_t px = 0; px < m->patch[1]; px++) {
            int64_t kh = tap_at(m, 0, y, py), kw = tap_at(m, 1, x, px);
            e->tap[py * m->patch[1] + px] = kh < 0 || kw < 0 ? -1 : kh * m->kernel[1] + kw;
        }
}

/* The row of channel c, at the position whose taps were found. */
static bool row_equals(const struct expansion *e, const uint8_t *row, int64_t c)
{
    const struct matrix *m = &e->m;
    size_t n = (size_t)m->columns * e->bytes;
    for (int64_t q = 0; q < m->groups; q++)
        for (int64_t p = 0; p < check_matrix_pixels(m); p++, row += n) {
            const uint8_t *from = e->zeros;
            if (e->tap[p] >= 0)
                from = e->from + (size_t)(e->tap[p] * m->channels + c) * e->pitch;
            if (memcmp(row, from + (size_t)q * n, n) != 0)
                return false;
        }
    return true;
}

static bool holds_expanded(struct check *k, uint32_t image, const struct ir_op *mvm)
{
    const struct isa_image *i = &k->p->images[image];
    const struct blob *b = mvm->in[1].value->def->attrs->constant.data;
    struct expansion e = {.m = check_matrix_of_op(mvm), .bytes = element_bytes(i->element)};
    struct arena *arena = arena_new();
    size_t n = (size_t)(e.m.groups * e.m.columns);
    e.from = first_row(arena, b, n, e.bytes);
    e.pitch = b->splat ? 0 : n * e.bytes;
    e.zeros = zero_weights(arena, mvm, n, e.bytes);
    e.tap = ARENA_ARRAY(arena, int64_t, (size_t)check_matrix_pixels(&e.m));
    /* Nobody keeps it: all images together are much more than the weights. */
    const struct isa_section *section = &k->p->sections[i->section];
    void *scratch = section->read ? heap_alloc(section->length) : NULL;
    const uint8_t *row =
        (const uint8_t *)(scratch ? section->read(section->owner, scratch) : section->data) +
        i->offset;
    bool same = true;
    for (int64_t y = 0; y < e.m.window[0]; y++)
        for (int64_t x = 0; x < e.m.window[1] && same; x++) {
            find_taps(&e, y, x);
            for (int64_t c = 0; c < e.m.channels && same; c++, row += i->n * e.bytes)
                same = row_equals(&e, row, c);
        }
    arena_free(arena);
    heap_free(scratch);
    return same;
}

/* ---- centers ---- */

/* Of several pixels some weights are nothing, so there must be an i8 that is nothing. */
static bool center_equals(const struct check *k, uint32_t image, const struct ir_op *mvm)
{
    const int32_t *center = isa_image_center(k->p, image);
    if (mvm->n_in < 3 || !center)
        return mvm->n_in < 3 && !center;
    const struct ir_op *want = mvm->in[2].value->def;
    struct matrix m = check_matrix_of_op(mvm);
    bool single = check_matrix_pixels(&m) == 1;
    for (int64_t q = 0; q < m.groups; q++)
        for (int64_t p = 0; p < check_matrix_pixels(&m); p++)
            for (int64_t n = 0; n < m.columns; n++, center++)
                if (*center != ir_const_i64(want, q * m.columns + n) ||
                    (!single && (*center < -INT8_MAX || *center > -INT8_MIN)))
                    return false;
    return true;
}

/* ---- one answer for each image and layer of that weight and geometry ---- */

static bool has_extents(const struct isa_image *i, const struct ir_op *mvm)
{
    struct matrix m = check_matrix_of_op(mvm);
    const struct ir_op *weights = mvm->in[1].value->def;
    return weights->opcode == IR_constant && weights->out->type.rank == 2 &&
           check_element(weights) == i->element && m.window[0] * m.window[1] * m.channels == i->k &&
           m.groups * check_matrix_pixels(&m) * m.columns == i->n;
}

bool check_image(struct check *k, uint32_t image, const struct ir_op *mvm)
{
    struct matrix m = check_matrix_of_op(mvm);
    const struct ir_op *weights = mvm->in[1].value->def;
    struct {
        int64_t image, weights, center;
        struct matrix m;
    } key = {image, weights->id, mvm->in[mvm->n_in - 1].value->def->id, m};
    if (map_find(&k->equal_images, &key, sizeof key) != MAP_NONE)
        return true;
    if (!has_extents(&k->p->images[image], mvm) || !center_equals(k, image, mvm))
        return false;
    bool same =
        k->p->no_weights || /* whatever they are */
        (check_matrix_pixels(&m) == 1 ? holds_weights(k, image, weights->attrs->constant.data)
                                      : holds_expanded(k, image, mvm));
    if (same)
        map_intern(&k->equal_images, &key, sizeof key, 0);
    return same;
}
