# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Writes tensors as ONNX's own tests keep them: input_K.pb, output_K.pb."""

import os

from onnx import numpy_helper


def write_tensor(path, tensor):
    with open(path, "wb") as file:
        file.write(numpy_helper.from_array(tensor.contiguous().numpy()).SerializeToString())


def write_test_data(folder, inputs, outputs):
    """Torch tensors, in the order of the model's inputs and outputs."""
    os.makedirs(folder, exist_ok=True)
    for kind, tensors in (("input", inputs), ("output", outputs)):
        for index, tensor in enumerate(tensors):
            write_tensor(os.path.join(folder, "%s_%d.pb" % (kind, index)), tensor)
