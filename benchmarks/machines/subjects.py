# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The networks of the table of machines: where their files are, what they are measured at, what they see.

A network is measured at its logits: behind softmax all errors look small. Trained ones are float models
of public repositories; BENCHMARKS.md names them. Others are what make_zoo writes.
"""

import os
from dataclasses import dataclass

from paper.runner import ROOT

DIGITS = os.path.join(ROOT, "benchmarks", "digits")


@dataclass(frozen=True)
class Subject:
    name: str
    file: str          # under --models, or absolute
    logits: str = ""   # tensor in front of the softmax; "": the model's output
    scale: str = ""    # --input-scale
    trained: bool = True
    machines: bool = True    # has rows in the table of machines
    calibration: int = 32    # images
    test: int = 100

    def path(self, models):
        return os.path.join(models, self.file)

    def options(self):
        """Of every command that reads the model."""
        return ["--outputs", self.logits] if self.logits else []

    def scale_options(self):
        return ["--input-scale", self.scale] if self.scale else []


SUBJECTS = [
    Subject("digits", os.path.join(DIGITS, "digits.onnx"), scale="1/255", test=200),
    Subject("digits sets", os.path.join(DIGITS, "digits.onnx"), machines=False, calibration=5, test=5),
    Subject("resnet8", "mlperf-tiny-resnet8-fp32/model.onnx", "Add__576:0"),
    Subject("dscnn", "mlperf-tiny-dscnn-kws-fp32/model.onnx", "Add__458:0"),
    Subject("vww", "mlperf-tiny-mobilenetv1-vww-fp32/model.onnx", "Add__1209:0", scale="1/255"),
    Subject("squeezenet", "squeezenet-1.x-fp32/model.onnx", "pool10_1", calibration=24, test=10),
    Subject("mobilenet_v2", "mobilenet_v2/model.onnx", scale="1/255", trained=False, calibration=8, test=4),
]
