/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* blob.c - reference-counted payloads of constants: their life, and what is asked of them. */
#include "blob_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SPLAT_MAX = 16, SAMPLE_BYTES = 4, N_SAMPLES = 16 };
struct splat_blob {
    struct blob blob;
    unsigned char element[SPLAT_MAX];
};

struct blob *blob_view(const void *data, size_t bytes, void (*release)(void *), void *owner)
{
    static const char nothing[1]; /* of no bytes, too, functions of string.h take no null pointer */
    struct blob *b = heap_alloc(sizeof *b);
    *b = (struct blob){
        .at = data ? data : nothing, .bytes = bytes, .refs = 1, .release = release, .owner = owner};
    return b;
}

struct blob *blob_own(void *data, size_t bytes)
{
    return blob_view(data, bytes, heap_free, data);
}

struct blob *blob_splat(const void *element, size_t elem_bytes)
{
    if (elem_bytes > SPLAT_MAX)
        BUG("splat element of %zu bytes", elem_bytes);
    struct splat_blob *s = heap_alloc(sizeof *s);
    memcpy(s->element, element, elem_bytes);
    s->blob = (struct blob){.at = s->element, .bytes = elem_bytes, .splat = true, .refs = 1};
    return &s->blob;
}

static void give_back(void *blob)
{
    blob_unref(blob);
}

struct blob *blob_ref(struct blob *b)
{
    if (b->refs == UINT32_MAX)
        BUG("too many references to a blob");
    loan_take(b, give_back);
    b->refs++;
    return b;
}

static void drop(struct blob *b)
{
    if (--b->refs)
        return;
    if (b->derivation)
        derivation_free(b->derivation);
    if (b->release)
        b->release(b->owner);
    heap_free(b);
}

void blob_unref(struct blob *b)
{
    if (!b)
        return;
    loan_end(b);
    drop(b);
}

void blob_unref_of(const void *holder, struct blob *b)
{
    if (heap_outlives_call(holder) && b)
        drop(b);
    else
        blob_unref(b);
}

/* Makes it for all who share the blob, unless another thread was first. What it is made from stays:
 * others may be reading it. */
static const void *make_shared(struct blob *b)
{
    void *data = heap_alloc_beside(b, b->bytes);
    const void *expected = NULL;
    derivation_make(b->derivation, data);
    if (!atomic_compare_exchange_strong(&b->at, &expected, data)) {
        heap_free(data);
        return expected;
    }
    b->owner = data;
    b->release = heap_free;
    return data;
}

const void *blob_data(const struct blob *b)
{
    struct blob *cache = (struct blob *)b; /* what is remembered does not change what it says */
    const void *at = b->at;
    if (at || !b->derivation)
        return at;
    if (heap_outlives_call(b))
        return make_shared(cache);
    void *data = heap_alloc(b->bytes);
    derivation_make(b->derivation, data);
    derivation_free(b->derivation);
    cache->derivation = NULL;
    cache->at = cache->owner = data;
    cache->release = heap_free;
    return data;
}

const void *blob_read(const struct blob *b, void *scratch)
{
    const void *at = b->at;
    if (at || !b->derivation)
        return at;
    derivation_make(b->derivation, scratch);
    return scratch;
}

uint64_t blob_hash(const struct blob *b)
{
    struct blob *cache = (struct blob *)b;
    if (b->hash == 0)
        cache->hash = hash_bytes(blob_data(b), b->bytes, 0);
    return b->hash;
}

uint64_t blob_sample(const struct blob *b)
{
    uint32_t sample[N_SAMPLES];
    size_t n = b->bytes / SAMPLE_BYTES;
    if (n < N_SAMPLES)
        return hash_bytes(blob_data(b), b->bytes, b->bytes);
    for (size_t k = 0; k < N_SAMPLES; k++) {
        size_t i = k < N_SAMPLES / 2 ? k : n - N_SAMPLES + k; /* first and last: few pages */
        if (b->derivation)
            derivation_element(b->derivation, (int64_t)i, &sample[k]);
        else
            memcpy(&sample[k], (const char *)b->at + i * SAMPLE_BYTES, SAMPLE_BYTES);
    }
    if (b->derivation)
        derivation_forget(b->derivation);
    else
        blob_forget(b);
    return hash_bytes(sample, sizeof sample, b->bytes);
}

bool blob_equal(const struct blob *a, const struct blob *b)
{
    if (a == b)
        return true;
    return a->bytes == b->bytes && a->splat == b->splat && blob_sample(a) == blob_sample(b) &&
           memcmp(blob_data(a), blob_data(b), a->bytes) == 0;
}

void blob_forget(const struct blob *b)
{
    if (b->forget)
        b->forget(b->owner, b->at, b->bytes);
}

/* Floats of 0.5 to 1, which also are scales and variances; integers of 1. */
struct blob *ir_missing_blob(enum ir_dtype dtype, uint64_t seed)
{
    const float x = 0.5f + (float)(hash_bytes(&seed, sizeof seed, 0) >> 41) * 0x1p-24f;
    const double wide = (double)x;
    const uint64_t one = 1; /* little endian: of any width */
    const void *element = dtype == IR_F32 ? &x : dtype == IR_F64 ? (const void *)&wide : &one;
    struct blob *b = blob_splat(element, ir_dtype_bytes(dtype));
    b->missing = true;
    return b;
}

struct blob *ir_op_blob(const struct ir_op *op)
{
    return op->opcode == IR_constant ? op->attrs->constant.data : NULL;
}

bool ir_blob_fits(const struct blob *b, const struct ir_type *t)
{
    int64_t n;
    size_t elem = ir_dtype_bytes((enum ir_dtype)t->dtype);
    if (!ir_type_count(t, &n))
        return false;
    return b->bytes == (b->splat ? elem : (size_t)n * elem);
}
