# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Recomputes from a written ONNX file what the paper states about a network, and compares.

A base layer takes c = ceil(KH*KW*KI/256) * ceil(KO/256) crossbars and OH*OW cycles.
"""

import math

import onnx
import onnx.shape_inference

CROSSBAR = 256


def read_base_layers(path):
    """[(node name, ofm (h, w, c), PEs, cycles)] in graph order."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True, data_prop=True)
    weights = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    values = list(model.graph.value_info) + list(model.graph.output)
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
              for value in values}
    layers = []
    for node in model.graph.node:
        if node.op_type != "Conv":
            continue
        ko, ki, kh, kw = weights[node.input[1]]
        _, channels, height, width = shapes[node.output[0]]
        assert channels == ko and height > 0 and width > 0, node.name
        pes = math.ceil(kh * kw * ki / CROSSBAR) * math.ceil(ko / CROSSBAR)
        layers.append((node.name, (height, width, ko), pes, height * width))
    return layers


def check_network(path, facts):
    """Prints one line for the network; returns whether it is the paper's."""
    layers = read_base_layers(path)
    found = {"base_layers": len(layers), "pe_min": sum(layer[2] for layer in layers),
             "cycles": sum(layer[3] for layer in layers)}
    by_name = {name: rest for name, *rest in layers}
    wrong = ["%s is %d, not %d" % (key, found[key], facts[key]) for key in found
             if facts.get(key) not in (None, found[key])]
    for name, *row in facts.get("rows", ()):
        if by_name.get(name) != row:
            wrong.append("%s is %s, not %s" % (name, by_name.get(name), row))
    print("%-12s %3d base layers  PE_min %3d  sum of OH*OW %6d  %s"
          % (facts["name"], found["base_layers"], found["pe_min"], found["cycles"],
             "; ".join(wrong) or "ok"))
    return not wrong
