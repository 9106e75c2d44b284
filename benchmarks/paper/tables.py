# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Tables I and II: base layers, PEs and cycles, from the compiler and from the ONNX file itself.

In:  a model and the compiler's report on it.
Out: layers as (name, padded input, output, PEs, cycles), shapes (h, w, c). The compiler's report has
     all but the input, which is the convolution's operand in its IR, after padding was split off.
"""

import re

VALUE = re.compile(r"^ *%(\d+) = (\w+)(?: %(\d+))?.* : \w+\[([\dx]*)\]")


def operand_shapes(text):
    """(input shape of the graph, [input shape of each convolution]) of IR text in NCHW."""
    shapes, graph_input, operands = {}, None, []
    for line in text.splitlines():
        match = VALUE.match(line)
        if not match:
            continue
        number, operation, operand, dims = match.groups()
        shapes[number] = tuple(int(dim) for dim in dims.split("x") if dim)
        if operation == "input" and graph_input is None:
            graph_input = shapes[number]
        elif operation == "conv":
            _, channels, height, width = shapes[operand]
            operands.append((height, width, channels))
    return graph_input, operands


def read_layers(cimc, model, report):
    """(input of the network (h, w, c), layers)"""
    graph_input, operands = operand_shapes(cimc.graph_text(model, "partition"))
    layers = report["base_layers"]
    if len(operands) != len(layers):
        raise ValueError("%s: %d convolutions in the IR, %d base layers in the report"
                         % (model, len(operands), len(layers)))
    rows = [(layer["name"], shape, tuple(layer["ofm"]), layer["pes"], layer["cycles"])
            for layer, shape in zip(layers, operands)]
    return tuple(graph_input[1:]), rows


def layers_of_file(model):
    """[(name, output, PEs, cycles)] without our compiler; None where python3-onnx is missing."""
    try:
        from networks.check import read_base_layers
    except ImportError:
        return None
    return [tuple(row) for row in read_base_layers(model)]


def without_input(layers):
    return [(name, ofm, pes, cycles) for name, _, ofm, pes, cycles in layers]
