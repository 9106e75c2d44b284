/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_test_data.c - tensors as files of their own: a serialised TensorProto, the form of ONNX's
 * test data (test_data_set_0/input_0.pb). Values are f32 on this side of the door.
 */
#include "onnx_source.h"

bool onnx_read_tensor(const char *path, struct onnx_tensor *out, struct diag *d)
{
    struct onnx_source s;
    *out = (struct onnx_tensor){0};
    if (!onnx_source_open(path, &onnx__tensor_proto__descriptor, &s, d))
        return false;
    bool ok = onnx_tensor_values(&s, (const Onnx__TensorProto *)s.root, (struct loc){.file = path},
                                 d, out);
    onnx_source_close(&s);
    return ok;
}
