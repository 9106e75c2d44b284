/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* values.h - the elements of one tensor: in files, and as another type of element. */
#ifndef CIMC_VALUES_H
#define CIMC_VALUES_H

#include "eval.h"

/* ---- values_file.c ---- */
/* Of a .npy file (NPY.md), else of a serialised TensorProto. The type is the
 * file's, but that floats of a TensorProto come as f32. */
bool values_read(const char *path, struct arena *names, struct diag *d,
                 struct tensor *out) CHECK_RESULT;
bool values_write_npy(const char *path, const struct ir_type *type, const void *data,
                      struct diag *d) CHECK_RESULT;

/* ---- values.c ---- */
/* Makes the elements those of a port of `dtype`: numbers are rounded to f32, once, and not beyond
 * its range; an integer has to be one of its integers (of i64: of 32 bits), truth is what is not 0.
 * Integers that become floats are multiplied by `scale`, in f32; 0: they are what they are. `loc`:
 * where they come from. */
bool values_convert(struct tensor *t, enum ir_dtype dtype, float scale, struct loc loc,
                    struct diag *d) CHECK_RESULT;
/* One element; integers of 64 bits are rounded. */
double values_at(enum ir_dtype dtype, const void *data, int64_t i);
void values_put(enum ir_dtype dtype, void *data, int64_t i, double value);
/* What an element of an integer type can be. */
bool values_range(enum ir_dtype dtype, double *lo, double *hi);

#endif
