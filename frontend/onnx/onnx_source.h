/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_source.h - from the bytes of files to messages and tensors. onnx.pb-c.h goes no further than
 * this room.
 */
#ifndef CIMC_ONNX_SOURCE_H
#define CIMC_ONNX_SOURCE_H

#include "onnx.h"

#include "onnx.pb-c.h"

/* ---- guard: bytes of a file -> a small message and what was cut out of it ---- */

enum {
    ONNX_FLOAT_DATA = 4, /* field numbers of TensorProto */
    ONNX_RAW_DATA = 9,
    ONNX_DOUBLE_DATA = 10,
    ONNX_MARK = 1 << 28, /* our own: stands for a payload that was cut out */
};
struct onnx_cut {
    uint32_t field;      /* ONNX_RAW_DATA, ONNX_FLOAT_DATA or ONNX_DOUBLE_DATA */
    const uint8_t *data; /* in the file */
    size_t bytes;
};
struct onnx_wire {
    struct text message;
    struct onnx_cut *cuts;
    size_t n_cuts, cap_cuts;
};
bool onnx_guard(const struct file *f, const ProtobufCMessageDescriptor *root, struct onnx_wire *out,
                struct diag *d) CHECK_RESULT;
void onnx_wire_free(struct onnx_wire *w);
/* "a PyTorch file; ...": what bytes that are not ONNX are, and what to do; NULL if unknown. */
const char *onnx_kind_of(const uint8_t *data, size_t n);
/* Says of a folder that cannot be opened as a file whether it is another program's model. */
void onnx_note_folder(const char *path, struct diag *d);

/* ---- source: an unpacked file ---- */

struct onnx_file; /* a mapping, shared with the blobs that view it */
struct onnx_source {
    struct onnx_file *file;
    const char *path;    /* NULL: standard input */
    struct arena *arena; /* of the unpacked message */
    struct onnx_wire wire;
    const ProtobufCMessage *root;
    void **externals;                   /* root of the tree of files that its tensors lie in */
    uint64_t *bytes;                    /* of all these files */
    const struct onnx_options *options; /* say which of these may be read; NULL: all */
};
/* NULL with a diagnostic. */
struct onnx_file *onnx_file_open(const char *path, struct arena *names, struct diag *d);
/* Of a file that is open. */
struct onnx_file *onnx_file_share(struct file f);
const struct file *onnx_file_of(const struct onnx_file *f);
void onnx_file_unref(void *f);
bool onnx_source_open(const char *path, const ProtobufCMessageDescriptor *root,
                      struct onnx_source *out, struct diag *d) CHECK_RESULT;
/* The same of bytes in memory, which `path` only names; NULL: they have no name. */
bool onnx_source_read(const struct onnx_memory *memory, const char *path,
                      const ProtobufCMessageDescriptor *root, struct onnx_source *out,
                      struct diag *d) CHECK_RESULT;
void onnx_source_close(struct onnx_source *s);
/* The payload that the guard cut out of t, or NULL. */
const struct onnx_cut *onnx_source_cut(const struct onnx_source *s, const Onnx__TensorProto *t);
/* Bytes of a mapped file. */
struct onnx_bytes {
    struct onnx_file *file; /* NULL: the data is missing */
    const uint8_t *at;
    size_t n;
};
/* A blob over them. */
struct blob *onnx_bytes_view(const struct onnx_bytes *b);
/* They are not needed in memory for now. */
void onnx_bytes_forget(const struct onnx_bytes *b);
/* The bytes of a tensor that keeps them in another file; out->n says how many it needs, and is what
 * `length` says afterwards. A file that is not there is reported, once, or counted where the
 * options allow it, and no error here: the model can be looked at without its weights. */
bool onnx_external_find(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                        struct diag *d, struct onnx_bytes *out) CHECK_RESULT;
void onnx_externals_close(struct onnx_source *s);

/* ---- tensors ---- */

const char *onnx_dtype_name(int64_t data_type); /* "float16" */
/* The type that such elements have inside the compiler; false if they are not supported. */
bool onnx_dtype_inside(int64_t data_type, enum ir_dtype *out) CHECK_RESULT;
/* Integers of at most 8 bits; false if it is another type. */
struct onnx_integers {
    enum ir_dtype dtype;
    int64_t lo, hi;
};
bool onnx_dtype_quantized(int64_t data_type, struct onnx_integers *out) CHECK_RESULT;
bool onnx_tensor_blob(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                      struct diag *d, struct ir_type *type, struct blob **out) CHECK_RESULT;
bool onnx_tensor_values(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                        struct diag *d, struct onnx_tensor *out) CHECK_RESULT;

#endif
