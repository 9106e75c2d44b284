/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * npy.h - bytes of NumPy's .npy format (numpy.lib.format, versions 1 to 3): what array they hold.
 *
 * Needs nothing but the C library, allocates nothing, and reads no files.
 */
#ifndef CIMC_NPY_H
#define CIMC_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Elements that are read and written, little-endian; the order that a single byte names is any. */
enum npy_dtype {
    NPY_F32,
    NPY_F16,
    NPY_F64,
    NPY_I64,
    NPY_I32,
    NPY_I8,
    NPY_U8,
    NPY_BOOL, /* a byte, 0 or 1 */
    NPY_N_DTYPES
};
enum { NPY_MOST_DIMS = 8, NPY_ERROR_BYTES = 160, NPY_HEADER_BYTES = 320 };

struct npy_array {
    enum npy_dtype dtype;
    unsigned rank;
    int64_t dims[NPY_MOST_DIMS];
    bool is_fortran;  /* in the file the first index runs fastest */
    size_t count;     /* elements */
    const void *data; /* count of them, at any address; the file's */
};
size_t npy_dtype_bytes(enum npy_dtype dtype);
/* What the `n` bytes of a file hold; more behind the elements is left alone. False: `error` says
 * why, as the rest of a sentence about the file. */
bool npy_parse(const void *bytes, size_t n, struct npy_array *out, char error[NPY_ERROR_BYTES]);
/* All elements, the last index fastest. */
void npy_copy(const struct npy_array *a, void *out);
/* What stands in front of the elements, in C order, of a file; its length, a multiple of 64. */
size_t npy_header(enum npy_dtype dtype, unsigned rank, const int64_t *dims,
                  char out[NPY_HEADER_BYTES]);

#endif
