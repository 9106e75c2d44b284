/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_kind.c - what a file is that turned out not to be ONNX, by the bytes its format begins with.
 *
 * Asked only when the guard has refused the file, so that no ONNX file is mistaken for another.
 */
#include "onnx_source.h"

#include <string.h>
#include <unistd.h>

struct kind {
    size_t at; /* of `bytes` in the file */
    const char *bytes;
    size_t n;
    const char *inside; /* a name near the beginning or end of an archive, or NULL */
    const char *says;
};
#define BYTES(text) text, sizeof(text) - 1
static const struct kind kinds[] = {
    {0, BYTES("PK\3\4"), "data.pkl", "a PyTorch file; export the model with torch.onnx.export"},
    {0, BYTES("PK\3\4"), "metadata.json", "a Keras file; convert the model with tf2onnx"},
    {0, BYTES("PK\3\4"), "config.json", "a Keras file; convert the model with tf2onnx"},
    {0, BYTES("PK\3\4"), ".npy", "an archive of NumPy arrays"},
    {0, BYTES("PK\3\4"), NULL, "a zip archive; unpack it"},
    {0, BYTES("\x80\x02"), NULL,
     "a Python pickle, perhaps a PyTorch file; export the model with torch.onnx.export"},
    {0, BYTES("\x89HDF\r\n"), NULL,
     "an HDF5 file, perhaps a Keras model; convert the model with tf2onnx"},
    {4, BYTES("TFL3"), NULL, "a TensorFlow Lite file; convert the model with tf2onnx"},
    {4, BYTES("ORTM"), NULL,
     "a model in ONNX Runtime's own format; take the .onnx file it is made from"},
    {0, BYTES("\x93NUMPY"), NULL, "a NumPy array"},
    {0, BYTES("CIMC"), NULL,
     "a compiled program; sim, check, where, dump and dis take one, here goes the model"},
    {0, BYTES("\x1f\x8b"), NULL, "compressed by gzip; unpack it"},
    {0, BYTES("version https://git-lfs"), NULL,
     "a pointer of Git LFS; fetch the file by git lfs pull"},
    {0, BYTES("<"), NULL, "a web page or XML"},
};

/* File names stand before an archive's entries, and in its directory at the end. */
enum { NEAR = 1 << 16 };

static bool is_kind(const struct kind *k, const uint8_t *data, size_t n)
{
    if (n < k->at + k->n || memcmp(data + k->at, k->bytes, k->n) != 0)
        return false;
    size_t near = n < NEAR ? n : NEAR;
    return !k->inside || memmem(data, near, k->inside, strlen(k->inside)) ||
           memmem(data + n - near, near, k->inside, strlen(k->inside));
}

const char *onnx_kind_of(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (is_kind(&kinds[i], data, n))
            return kinds[i].says;
    }
    return NULL;
}

void onnx_note_folder(const char *path, struct diag *d)
{
    struct text inside = {0};
    text_add(&inside, "%s/saved_model.pb", path);
    if (access(inside.at, F_OK) == 0)
        diag_note(d, (struct loc){.file = path},
                  "it is a TensorFlow SavedModel; convert the model with tf2onnx");
    text_free(&inside);
}
