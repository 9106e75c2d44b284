# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""How many nodes a model has: in its file, after cimc's folding, after ONNX Runtime's.

The first walks the protobuf wire format (ModelProto: graph 7; GraphProto: node 1); nodes inside If and Loop are not counted.
"""

import mmap
import os
import re
import tempfile

from paper.runner import ROOT, RunError, run
from paper.weights import BYTES, fields

# The standard pipeline before layers are taken apart.
FOLDING = "fold,cse,dce,simplify,layout,fold-bn,simplify,fold,cse,dce"


def messages(data, at, end, number):
    return [value for field, wire, value in fields(data, at, end) if field == number and wire == BYTES]


def nodes_of_file(model):
    with open(model, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(len(messages(data, *graph, 1)) for graph in messages(data, 0, len(data), 7))


def nodes_folded(cimc, model):
    """Operations at the end of the standard pipeline's TENSOR stage."""
    text = run([cimc.path, "opt", model, "--passes=" + FOLDING])
    names = re.findall(r"^  %\d+ = (\w+)", text, re.MULTILINE)
    return sum(name not in ("constant", "input", "output") for name in names)


def nodes_of_ort(node_path, model):
    """At the level "basic", which is to fold, and to fuse no more than batch norms and the like; None if that fails."""
    if node_path is None:
        return None
    script = os.path.join(ROOT, "benchmarks", "ort_fold.js")
    with tempfile.TemporaryDirectory() as folder:
        folded = os.path.join(folder, "folded.onnx")
        try:
            run(["env", "NODE_PATH=" + node_path, "node", script, os.path.abspath(model), folded])
            return nodes_of_file(folded)
        except (RunError, OSError):
            return None
