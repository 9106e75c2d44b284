/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * blob.h - the payload of constants: bytes that are shared, and made when somebody reads them.
 *
 * A payload is elements in little-endian row-major order. It lies in memory (heap, or a view of a
 * file), or is derived: computed from another payload by one step that converts, scales and
 * permutes. So weights, which go through all three on their way from the model to a crossbar, are
 * read once and written once, and nothing in between is ever in memory.
 *
 * Several threads may read, ref and unref one blob at once; what it remembers, each may be first
 * to make.
 */
#ifndef CIMC_BLOB_H
#define CIMC_BLOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct derivation;

struct blob {
    /* Through blob_data only: NULL while a derived payload was not asked for. */
    const void *_Atomic at;
    size_t bytes; /* stored bytes: elem for a splat, elements * elem otherwise */
    bool splat;   /* ONE element that stands for all */
    bool missing; /* nobody knows the data, or what it was made from; it is a splat */
    atomic_uint refs;
    _Atomic uint64_t hash; /* through blob_hash only: 0 while nobody asked */
    struct derivation *derivation;
    void (*release)(void *owner); /* called when refs falls to 0; may be NULL */
    void (*forget)(void *owner, const void *data, size_t bytes); /* see blob_forget; may be NULL */
    void *owner;
};

/* Owned copy-free: `data` from heap_alloc, freed with the blob. */
struct blob *blob_own(void *data, size_t bytes);
/* A view of memory that outlives the blob's users, or that `release(owner)` gives back. */
struct blob *blob_view(const void *data, size_t bytes, void (*release)(void *), void *owner);
struct blob *blob_splat(const void *element, size_t elem_bytes);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b);
/* The reference that `holder`, a block of the heap, has had since it was made. Of a holder that
 * outlives the call it is no loan of the call (base.h). */
void blob_unref_of(const void *holder, struct blob *b);

/* The payload; a derived one is made and kept. */
const void *blob_data(const struct blob *b);
/* The payload, for a while: where it lies if it is in memory, else made in `scratch`, b->bytes
 * long. What it was made from is forgotten. */
const void *blob_read(const struct blob *b, void *scratch);
/* XXH3-64 of the stored bytes, computed when first asked for. */
uint64_t blob_hash(const struct blob *b);
/* Of its size and a few elements: cheap, equal for equal payloads. */
uint64_t blob_sample(const struct blob *b);
bool blob_equal(const struct blob *a, const struct blob *b);
/* Nobody is about to read the payload: memory that can be had again from a file may go. */
void blob_forget(const struct blob *b);

/* ---- derived payloads, of elements of four bytes; each takes a reference to `b` ---- */

enum blob_encoding { BLOB_F32, BLOB_F16, BLOB_BF16 };
/* Of elements at any alignment. */
struct blob *blob_widened(struct blob *b, enum blob_encoding encoding);
/* Element e times factor[e / inner mod n]; takes over `factor`. */
struct blob *blob_scaled(struct blob *b, float *factor, int64_t n, int64_t inner);

/* One axis of the result, the last the fastest; an element is b's at the sum of index * stride. */
struct blob_axis {
    int64_t size, stride;
};
enum { BLOB_MAX_AXES = 24 };
struct blob *blob_permuted(struct blob *b, const struct blob_axis *axes, uint32_t n_axes);
/* The same of elements of one byte. */
struct blob *blob_permuted_bytes(struct blob *b, const struct blob_axis *axes, uint32_t n_axes);

#endif
