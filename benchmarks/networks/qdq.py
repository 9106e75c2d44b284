# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Quantises a network to 8 bits as QDQ files do, and evaluates the result in integers on the way.

In:  a float model of networks/builder.py; an image, if an answer is wanted.
Out: the same network with QuantizeLinear and DequantizeLinear around every operation.

No calibration: the scales are fixed. The image is uint8 with scale 1/256 (its pixels are multiples of
that), every other activation int8 with scale 1/16, zero points are 0: the networks' batch norms keep
activations at order 1, what leaves -8..7.94 saturates. Weights are int8 by the largest magnitude of
each output channel, biases int32 with the scale input * weight. Batch norms are folded before that.

The answer takes the road that the files mean on integer hardware: sums exactly, in float64, then
one product with a float32 factor, rounded half to even; Add and LeakyRelu in float32.
"""

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from networks.builder import same_pads

PIXEL_SCALE, SCALE = np.float32(1 / 256), np.float32(1 / 16)
RANGES = {"uint8": (0, 255), "int8": (-128, 127)}
KINDS = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int32": TensorProto.INT32}
MOVES = ("Transpose", "Pad", "MaxPool", "Concat", "Split", "Resize")


class Activation:
    """A float tensor of the model, its quantised form, and what that holds for the image, as float64."""

    def __init__(self, name, scale, dtype, values):
        self.name, self.scale, self.dtype, self.values = name, scale, dtype, values

    def floats(self):
        return None if self.values is None else self.values.float() * float(self.scale)


def attributes(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def quantise(values, scale, dtype):
    """float32 division, half to even; -> float64 integers"""
    return (values / torch.tensor(scale)).round().double().clamp(*RANGES[dtype])


class Quantizer:
    def __init__(self, model, image):
        self.graph = model.graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}
        self.consumers = {}
        for node in self.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self.nodes, self.weights, self.values = [], [], {}
        name = self.graph.input[0].name
        image = None if image is None else quantise(torch.tensor(image), PIXEL_SCALE, "uint8")
        self.values[name] = self.activation(name, name, PIXEL_SCALE, "uint8", image)

    def constant(self, name, array):
        array = np.ascontiguousarray(array)
        self.weights.append(helper.make_tensor(name, KINDS[array.dtype.name], array.shape, array.tobytes(), raw=True))
        return name

    def emit(self, op, inputs, output, name, **more):
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **more))
        return output

    def activation(self, source, name, scale, dtype, values):
        """QuantizeLinear and DequantizeLinear behind the float tensor `source`; readers of `name` read the result."""
        pair = [self.constant(name + "/scale", scale), self.constant(name + "/zero", np.zeros((), dtype))]
        q = self.emit("QuantizeLinear", [source, *pair], name + "/q", name + "/quantize")
        return Activation(self.emit("DequantizeLinear", [q, *pair], name + "/dq", name + "/dequantize"), scale, dtype, values)

    def weight(self, name, array, scale):
        pair = [self.constant(name, array), self.constant(name + "/scale", scale), self.constant(name + "/zero", np.zeros(len(scale), array.dtype))]
        return self.emit("DequantizeLinear", pair, name + "/dq", name + "/dequantize", axis=0)

    # base layers

    def only_reader(self, name):
        readers = self.consumers.get(name, [])
        return readers[0] if len(readers) == 1 else None

    def fold_norm(self, node, weight, bias):
        """Weight and bias with the batch norm that follows in them, in float64; and the last tensor."""
        norm = self.only_reader(node.output[0])
        if norm is None or norm.op_type != "BatchNormalization":
            return weight, bias, node.output[0]
        gamma, beta, mean, variance = (self.constants[name].astype(np.float64) for name in norm.input[1:])
        gain = gamma / np.sqrt(variance + attributes(norm)["epsilon"])
        return weight * gain[:, None, None, None], (bias - mean) * gain + beta, norm.output[0]

    def conv(self, node):
        x = self.values[node.input[0]]
        weight = self.constants[node.input[1]].astype(np.float64)
        bias = self.constants[node.input[2]].astype(np.float64) if len(node.input) > 2 else np.zeros(len(weight))
        weight, bias, last = self.fold_norm(node, weight, bias)
        scale = (np.abs(weight).max((1, 2, 3)) / 127).astype(np.float32)
        weight = np.rint(weight / scale[:, None, None, None].astype(np.float64)).clip(-127, 127).astype(np.int8)
        product = x.scale * scale
        bias = np.rint(bias / product.astype(np.float64)).clip(-2 ** 31, 2 ** 31 - 1).astype(np.int32)
        output = self.emit("Conv", [x.name, self.weight(node.input[1], weight, scale), self.weight(node.name + "/bias", bias, product)],
                           last, node.name, **attributes(node))
        relu = self.only_reader(last)
        is_relu = relu is not None and relu.op_type == "Relu"
        values = self.product(node, x, weight, bias, product / SCALE, is_relu)
        if is_relu:
            output = last = self.emit("Relu", [output], relu.output[0], relu.name)
        self.values[last] = self.activation(output, last, SCALE, "int8", values)

    @staticmethod
    def product(node, x, weight, bias, factor, is_relu):
        if x.values is None:
            return None
        told, values = attributes(node), x.values
        if told["auto_pad"] == b"SAME_UPPER":
            rows, columns = (same_pads(size, weight.shape[2], told["strides"][0]) for size in values.shape[2:])
            values = F.pad(values, columns + rows)
        sums = F.conv2d(values, torch.from_numpy(weight).double(), torch.from_numpy(bias).double(), told["strides"])
        assert float(sums.abs().max()) < 2 ** 31
        scaled = (sums.float() * torch.from_numpy(factor)[:, None, None]).round().double()
        return scaled.clamp(0 if is_relu else -128, 127)

    # the others

    def other(self, node):
        inputs = [self.values[name] for name in node.input if name in self.values]
        rest = [self.keep(name) for name in node.input if name not in self.values]
        outputs = [name + "/float" if name in self.graph_outputs() else name for name in node.output]
        self.nodes.append(helper.make_node(node.op_type, [x.name for x in inputs] + rest, outputs, name=node.name, **attributes(node)))
        name, source = node.output[-1], outputs[-1]
        values = self.meaning(node, inputs) if inputs[0].values is not None else None
        relu = self.only_reader(name)
        if node.op_type == "Add" and relu is not None and relu.op_type == "Relu":
            name = relu.output[0]
            source = self.emit("Relu", [source], name, relu.name)
            values = None if values is None else values.clamp(min=0)
        scale, dtype = (inputs[0].scale, inputs[0].dtype) if node.op_type in MOVES else (SCALE, "int8")
        self.values[name] = self.activation(source, name, scale, dtype, values)

    def keep(self, name):
        if name and not any(t.name == name for t in self.weights):
            self.weights.append(next(t for t in self.graph.initializer if t.name == name))
        return name

    def graph_outputs(self):
        return [o.name for o in self.graph.output]

    def meaning(self, node, inputs):
        x, told = inputs[0].values, attributes(node)
        if node.op_type == "Transpose":
            return x.permute(told["perm"])
        if node.op_type == "Pad":
            pads = self.constants[node.input[1]]
            return F.pad(x, [int(pads[3]), int(pads[7]), int(pads[2]), int(pads[6])])
        if node.op_type == "MaxPool":
            pads = told["pads"]
            return F.max_pool2d(F.pad(x, [pads[1], pads[3], pads[0], pads[2]], value=-1000), told["kernel_shape"], told["strides"])
        if node.op_type == "Concat":
            return torch.cat([v.values for v in inputs], told["axis"])
        if node.op_type == "Split":
            half = x.shape[told["axis"]] // 2
            return x.narrow(told["axis"], half, half)
        if node.op_type == "Resize":
            return x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        if node.op_type == "LeakyRelu":
            t = inputs[0].floats()
            return quantise(torch.where(t < 0, t * torch.tensor(told["alpha"], dtype=torch.float32), t), SCALE, "int8")
        assert node.op_type == "Add", node.op_type
        return quantise(inputs[0].floats() + inputs[1].floats(), SCALE, "int8")

    def model(self, original):
        for node in self.graph.node:
            if node.op_type == "Conv":
                self.conv(node)
            elif node.output[-1] not in self.values and node.op_type not in ("BatchNormalization", "Relu"):
                self.other(node)
        for name in self.graph_outputs():   # the last DequantizeLinear writes the output itself
            inner = self.values[name].name
            for node in self.nodes:
                node.output[:] = [name if o == inner else o for o in node.output]
        graph = helper.make_graph(self.nodes, original.graph.name, self.graph.input, self.graph.output, self.weights)
        model = helper.make_model(graph, producer_name=original.producer_name, opset_imports=original.opset_import)
        model.ir_version = original.ir_version
        return model


def quantised(model, image):
    """(QDQ model, its outputs for the image as float32 tensors)"""
    quantizer = Quantizer(model, image)
    with torch.no_grad():
        made = quantizer.model(model)
    return made, [quantizer.values[name].floats() for name in quantizer.graph_outputs()]
