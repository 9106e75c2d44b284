/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * blob_derive.c - payloads computed from others: widened, scaled, permuted, in one step.
 *
 *   result[i0, .., in] = widened source element e, times factor[e / inner mod n],
 *   e = sum of index * stride
 *
 * Each of the three is a payload of its own; made from one that was not asked for and does not
 * permute yet, it takes over that one's source instead. Scaling comes before permuting: a factor
 * belongs to a source element. Anything else reads its source as it is. Products are rounded once,
 * as a payload between would be.
 *
 * Elements of one byte are permuted, and that is all. A permutation is made in square tiles: where
 * the last axis strides through the source, lines of the source and lines of the result each fit a
 * cache only that way.
 */
#include "blob_internal.h"

#include "base/half.h"

#include <stdlib.h>
#include <string.h>

enum { TILE = 16, BYTE_TILE = 64, AHEAD_BYTES = 256 };

struct derivation {
    struct blob *source;
    bool bytes; /* elements of one byte; encoding and factors are of others */
    enum blob_encoding encoding;
    float *factor; /* or NULL */
    int64_t n_factors, inner;
    uint32_t n_axes; /* 0: the source's order */
    struct blob_axis axes[BLOB_MAX_AXES];
};

/* ---- making them ---- */

static int64_t encoded_bytes(enum blob_encoding encoding)
{
    return encoding == BLOB_F32 ? 4 : 2;
}

/* The step before, if it can be one with the next; otherwise a step that reads b. */
static struct derivation start(struct blob *b, bool can_join)
{
    struct derivation d = {.source = blob_ref(b), .encoding = BLOB_F32};
    if (b->splat)
        BUG("nothing is derived from a splat");
    if (!can_join)
        return d;
    blob_unref(b);
    d = *b->derivation;
    blob_ref(d.source);
    if (d.factor) {
        d.factor = heap_alloc((size_t)d.n_factors * sizeof *d.factor);
        memcpy(d.factor, b->derivation->factor, (size_t)d.n_factors * sizeof *d.factor);
    }
    return d;
}

static struct blob *derived(const struct derivation *d, size_t bytes)
{
    struct blob *b = heap_alloc(sizeof *b);
    *b = (struct blob){.bytes = bytes, .refs = 1, .derivation = heap_alloc(sizeof *d)};
    *b->derivation = *d;
    return b;
}

void derivation_free(struct derivation *d)
{
    blob_unref_of(d, d->source);
    heap_free(d->factor);
    heap_free(d);
}

struct blob *blob_widened(struct blob *b, enum blob_encoding encoding)
{
    struct derivation d = start(b, false);
    d.encoding = encoding;
    return derived(&d, b->bytes / (size_t)encoded_bytes(encoding) * sizeof(float));
}

struct blob *blob_scaled(struct blob *b, float *factor, int64_t n, int64_t inner)
{
    struct derivation d =
        start(b, b->derivation && !b->derivation->n_axes && !b->derivation->factor);
    d.factor = factor;
    d.n_factors = n;
    d.inner = inner;
    return derived(&d, b->bytes);
}

static struct blob *permuted(struct derivation *d, size_t element, const struct blob_axis *axes,
                             uint32_t n_axes)
{
    if (n_axes > BLOB_MAX_AXES)
        BUG("a permutation of %u axes", n_axes);
    size_t bytes = element;
    for (uint32_t i = 0; i < n_axes; i++) {
        if (axes[i].size != 1)
            d->axes[d->n_axes++] = axes[i];
        bytes *= (size_t)axes[i].size;
    }
    return derived(d, bytes);
}

struct blob *blob_permuted(struct blob *b, const struct blob_axis *axes, uint32_t n_axes)
{
    bool can_join = b->derivation && !b->derivation->n_axes && !b->derivation->bytes;
    struct derivation d = start(b, can_join);
    return permuted(&d, sizeof(float), axes, n_axes);
}

struct blob *blob_permuted_bytes(struct blob *b, const struct blob_axis *axes, uint32_t n_axes)
{
    struct derivation d = start(b, false);
    d.bytes = true;
    return permuted(&d, 1, axes, n_axes);
}

/* ---- reading the source ---- */

/* n elements that follow each other in the source. */
static inline void load(const struct derivation *d, const uint8_t *source, int64_t at, int64_t n,
                        float *to)
{
    if (d->encoding == BLOB_F32) {
        memcpy(to, source + at * 4, (size_t)n * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, source + (at + i) * 2, sizeof half);
        uint32_t wide = (uint32_t)half << 16;
        if (d->encoding == BLOB_F16)
            to[i] = f16_to_f32(half);
        else
            memcpy(&to[i], &wide, sizeof wide);
    }
}

/* Elements at .. at + n - 1 of the source, in `x`, times their factors. */
static void scale(const struct derivation *d, int64_t at, int64_t n, float *x)
{
    for (int64_t done = 0, m; d->factor && done < n; done += m) {
        int64_t e = at + done, c = e / d->inner % d->n_factors;
        bool each = d->inner == 1;
        m = min_i64(n - done, each ? d->n_factors - c : d->inner - e % d->inner);
        for (int64_t i = 0; i < m; i++)
            x[done + i] *= d->factor[each ? c + i : c];
    }
}

/* Of the source, for element i. */
static int64_t source_element(const struct derivation *d, int64_t i)
{
    int64_t e = d->n_axes ? 0 : i;
    for (uint32_t k = d->n_axes; k-- > 0; i /= d->axes[k].size)
        e += i % d->axes[k].size * d->axes[k].stride;
    return e;
}

void derivation_element(const struct derivation *d, int64_t i, void *to)
{
    int64_t e = source_element(d, i);
    float x;
    if (d->bytes) {
        const unsigned char *from = blob_data(d->source);
        for (int64_t k = 0; k < 4; k++)
            ((unsigned char *)to)[k] = from[source_element(d, 4 * i + k)];
        return;
    }
    if (d->source->derivation) {
        derivation_element(d->source->derivation, e, &x);
    } else {
        load(d, d->source->at, e, 1, &x);
    }
    scale(d, e, 1, &x);
    memcpy(to, &x, sizeof x);
}

/* ---- the permutation ---- */

/* A row of the result: all its elements along the last axis. */
struct row {
    int64_t from; /* of its first element, in the source */
    int64_t to;   /* its number in the result */
};
/* All axes but the last. */
struct walk {
    int64_t size, from, to; /* steps of the source and of the result's rows */
};

static int by_source(const void *a, const void *b)
{
    int64_t p = ((const struct walk *)a)->from, q = ((const struct walk *)b)->from;
    return (p > q) - (p < q);
}

/* The rows in the order of the source. */
static struct row *list_rows(const struct derivation *d, int64_t *out_n)
{
    struct walk walk[BLOB_MAX_AXES];
    uint32_t n_walks = d->n_axes - 1;
    int64_t n = 1;
    for (uint32_t i = n_walks; i-- > 0; n *= walk[i].size)
        walk[i] = (struct walk){d->axes[i].size, d->axes[i].stride, n};
    qsort(walk, n_walks, sizeof *walk, by_source);
    struct row *rows = heap_alloc((size_t)n * sizeof *rows);
    for (int64_t r = 0; r < n; r++) {
        int64_t rest = r;
        for (uint32_t i = 0; i < n_walks; rest /= walk[i++].size) {
            rows[r].from += rest % walk[i].size * walk[i].from;
            rows[r].to += rest % walk[i].size * walk[i].to;
        }
    }
    *out_n = n;
    return rows;
}

struct permutation {
    const struct derivation *d;
    const uint8_t *source;
    struct row *rows;
    float *column; /* a factor for each column, or NULL: as scale() says */
    float *to;
    int64_t n_rows, n_columns, stride;
};

/* Where whole columns share a factor, as output channels do. */
static float *column_factors(const struct permutation *p)
{
    const struct derivation *d = p->d;
    if (!d->factor || p->stride % d->inner != 0)
        return NULL;
    for (int64_t r = 0; r < p->n_rows; r++) {
        if (p->rows[r].from >= d->inner)
            return NULL;
    }
    float *column = heap_alloc((size_t)p->n_columns * sizeof *column);
    for (int64_t o = 0; o < p->n_columns; o++)
        column[o] = d->factor[o * (p->stride / d->inner) % d->n_factors];
    return column;
}

/* n elements of column o, from row r on. */
static inline void load_column(const struct permutation *p, int64_t r, int64_t n, int64_t o,
                               bool adjacent, float *to)
{
    int64_t at = o * p->stride;
    if (adjacent) {
        const uint8_t *from = p->source + (at + p->rows[r].from) * encoded_bytes(p->d->encoding);
        __builtin_prefetch(from + AHEAD_BYTES); /* there are more columns than a core foresees */
        load(p->d, p->source, at + p->rows[r].from, n, to);
    }
    for (int64_t i = 0; !adjacent && i < n; i++)
        load(p->d, p->source, at + p->rows[r + i].from, 1, to + i);
    if (p->column) {
        for (int64_t i = 0; i < n; i++)
            to[i] *= p->column[o];
        return;
    }
    for (int64_t i = 0; p->d->factor && i < n; i++)
        scale(p->d, at + p->rows[r + i].from, 1, to + i);
}

static inline void copy_tile(const struct permutation *p, int64_t r0, int64_t n_rows, int64_t o0,
                             int64_t n_columns)
{
    float tile[TILE][TILE];
    bool adjacent = true;
    for (int64_t i = 1; i < n_rows; i++)
        adjacent &= p->rows[r0 + i].from == p->rows[r0].from + i;
    for (int64_t o = 0; o < n_columns; o++)
        load_column(p, r0, n_rows, o0 + o, adjacent, tile[o]);
    for (int64_t i = 0; i < n_rows; i++) {
        float *to = p->to + p->rows[r0 + i].to * p->n_columns + o0;
        for (int64_t o = 0; o < n_columns; o++)
            to[o] = tile[o][i];
    }
}

static void copy_tiles(const struct permutation *p)
{
    for (int64_t o = 0; o < p->n_columns; o += TILE) {
        for (int64_t r = 0; r < p->n_rows; r += TILE) {
            int64_t n_columns = min_i64(TILE, p->n_columns - o),
                    n_rows = min_i64(TILE, p->n_rows - r);
            if (n_columns == TILE && n_rows == TILE)
                copy_tile(p, r, TILE, o, TILE); /* loops that the compiler can unroll */
            else
                copy_tile(p, r, n_rows, o, n_columns);
        }
    }
}

static void copy_rows(const struct permutation *p)
{
    for (int64_t r = 0; r < p->n_rows; r++) {
        float *to = p->to + p->rows[r].to * p->n_columns;
        load(p->d, p->source, p->rows[r].from, p->n_columns, to);
        scale(p->d, p->rows[r].from, p->n_columns, to);
    }
}

static void permute(const struct derivation *d, const uint8_t *source, float *to)
{
    const struct blob_axis *last = &d->axes[d->n_axes - 1];
    struct permutation p = {
        .d = d, .source = source, .to = to, .n_columns = last->size, .stride = last->stride};
    p.rows = list_rows(d, &p.n_rows);
    p.column = column_factors(&p);
    if (p.stride == 1)
        copy_rows(&p);
    else
        copy_tiles(&p);
    heap_free(p.column);
    heap_free(p.rows);
}

static void copy_byte_tile(const struct permutation *p, int64_t r0, int64_t o0, uint8_t *to)
{
    for (int64_t r = r0; r < min_i64(r0 + BYTE_TILE, p->n_rows); r++) {
        const uint8_t *from = p->source + p->rows[r].from;
        uint8_t *row = to + p->rows[r].to * p->n_columns;
        for (int64_t o = o0; o < min_i64(o0 + BYTE_TILE, p->n_columns); o++)
            row[o] = from[o * p->stride];
    }
}

static void permute_bytes(const struct derivation *d, const uint8_t *source, uint8_t *to)
{
    const struct blob_axis *last = &d->axes[d->n_axes - 1];
    struct permutation p = {.source = source, .n_columns = last->size, .stride = last->stride};
    p.rows = list_rows(d, &p.n_rows);
    for (int64_t o = 0; o < p.n_columns; o += BYTE_TILE) {
        for (int64_t r = 0; r < p.n_rows; r += BYTE_TILE)
            copy_byte_tile(&p, r, o, to);
    }
    heap_free(p.rows);
}

void derivation_make(const struct derivation *d, void *to)
{
    const struct blob *b = d->source;
    if (b->bytes == 0)
        return; /* it may be nowhere */
    void *scratch = b->derivation ? heap_alloc(b->bytes) : NULL;
    const void *source = blob_read(b, scratch);
    if (d->bytes && d->n_axes) {
        permute_bytes(d, source, to);
    } else if (d->bytes) {
        memcpy(to, source, b->bytes);
    } else if (d->n_axes) {
        permute(d, source, to);
    } else {
        int64_t n = (int64_t)b->bytes / encoded_bytes(d->encoding);
        load(d, source, 0, n, to);
        scale(d, 0, n, to);
    }
    heap_free(scratch);
    blob_forget(b);
}

void derivation_forget(const struct derivation *d)
{
    if (d->source->derivation)
        derivation_forget(d->source->derivation);
    else
        blob_forget(d->source);
}
