# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Models of single quantised operators: four sets of random parameters, in uint8 and int8.

In:  a seed and how large the tensors are. Out: {name: (ONNX model, inputs)}; the model of an operator
     holds it eight times, once for each set of parameters and type, with inputs and outputs of their own.
"""

import numpy as np
from onnx import TensorProto, helper

OPSET, IR_VERSION = 13, 8
MICROSOFT = "com.microsoft"
KINDS = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int32": TensorProto.INT32}
SETS, TYPES = 4, (np.uint8, np.int8)


class Parameters:
    """Random numbers of one set, and the model that they go into."""

    def __init__(self, model, rng, dtype, size):
        self.model, self.rng, self.dtype, self.size = model, rng, np.dtype(dtype), size
        self.least = int(np.iinfo(dtype).min)

    def integers(self, shape, dtype=None):
        about = np.iinfo(dtype or self.dtype)
        return self.rng.randint(about.min, about.max + 1, shape).astype(dtype or self.dtype)

    def input(self, array):
        return self.model.port(self.model.inputs, array, "x%d" % len(self.model.inputs))

    def constant(self, array):
        name = "c%d" % len(self.model.constants)
        self.model.constants.append(helper.make_tensor(name, KINDS[array.dtype.name], array.shape, array.tobytes(), raw=True))
        return name

    def scale(self, least=0.01, most=0.2, shape=()):
        return self.constant(np.float32(self.rng.uniform(least, most, shape)))

    def zero(self, dtype=None):
        """Near the middle of the type."""
        dtype = np.dtype(dtype or self.dtype)
        middle = 0 if dtype == np.int8 else 128
        return self.constant(dtype.type(middle + self.rng.randint(-40, 40)))

    def pair(self, **scale):
        return [self.scale(**scale), self.zero()]

    def node(self, op, inputs, *, domain=MICROSOFT, outputs=1, kinds=None, **attributes):
        names = ["y%d" % (len(self.model.outputs) + i) for i in range(outputs)]
        self.model.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        for name, kind in zip(names, kinds or [KINDS[self.dtype.name]] * outputs):
            self.model.outputs.append(helper.make_tensor_value_info(name, kind, None))


class Model:
    def __init__(self):
        self.nodes, self.constants, self.outputs, self.inputs = [], [], [], []

    @staticmethod
    def port(ports, array, name):
        ports.append((name, array))
        return name

    def made(self, name):
        ports = [helper.make_tensor_value_info(n, KINDS[x.dtype.name], x.shape) for n, x in self.inputs]
        graph = helper.make_graph(self.nodes, name, ports, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)])
        model.ir_version = IR_VERSION
        return model, [x for _, x in self.inputs]


def quantize(p):
    x = np.float32(p.rng.normal(0, 8, (1, p.size, 6)))
    ties = np.float32(np.arange(6 * p.size).reshape(1, p.size, 6) - 20)    # with scale 2 every second one lies between two steps
    scale, zero = p.pair()
    p.node("QuantizeLinear", [p.input(x), scale, zero], domain="")
    p.node("QuantizeLinear", [p.input(ties), p.constant(np.float32(2)), zero], domain="")


def dequantize(p):
    p.node("DequantizeLinear", [p.input(p.integers((1, p.size, 6))), *p.pair()], domain="", kinds=[TensorProto.FLOAT])


def dynamic_quantize(p):
    if p.dtype == np.uint8:
        spread = p.rng.uniform(0.5, 20)
        p.node("DynamicQuantizeLinear", [p.input(np.float32(p.rng.normal(p.rng.uniform(-2, 2), spread, (1, p.size, 6))))], domain="",
               outputs=3, kinds=[TensorProto.UINT8, TensorProto.FLOAT, TensorProto.UINT8])


def conv(p):
    """Per channel or not; groups, strides, padding with a zero point that is not 0; uint8 weights."""
    k = len(p.model.nodes)
    groups = 2 if k % 4 == 3 else 1
    channels, filters, kernel = 4, 6, 1 + k % 3
    weights = np.int8 if p.dtype == np.int8 or k % 2 else np.uint8
    per_channel = k % 4 != 1 and weights == np.int8
    x = [p.input(p.integers((1, channels, p.size, p.size))), *p.pair()]
    w = [p.constant(p.integers((filters, channels // groups, kernel, kernel), weights)),
         p.scale(0.001, 0.01, (filters,) if per_channel else ()),
         p.constant(np.zeros(filters, np.int8)) if per_channel else p.constant(weights(0) if weights == np.int8 else weights(121))]
    y = p.pair(least=0.1, most=0.8)
    bias = p.constant(p.rng.randint(-3000, 3000, filters).astype(np.int32))
    p.node("QLinearConv", [*x, *w, *y, bias], domain="", group=groups, kernel_shape=[kernel] * 2, strides=[1 + k % 2] * 2,
           pads=[kernel // 2] * 4)


def gemm(p):
    k = len(p.model.nodes)
    weights = np.int8 if p.dtype == np.int8 or k % 2 else np.uint8
    a = [p.input(p.integers((2, 3 * p.size))), *p.pair()]
    b = [p.constant(p.integers((3 * p.size, 10), weights)), p.scale(0.001, 0.01),
         p.constant(weights(0) if weights == np.int8 else weights(137))]
    p.node("QGemm", [*a, *b, p.constant(p.rng.randint(-3000, 3000, 10).astype(np.int32)), *p.pair(least=0.1, most=0.8)], alpha=1.0)


def matmul(p):
    a = [p.input(p.integers((2, 3 * p.size))), *p.pair()]
    b = [p.constant(p.integers((3 * p.size, 10), np.int8)), p.scale(0.001, 0.01), p.constant(np.int8(0))]
    p.node("QLinearMatMul", [*a, *b, *p.pair(least=0.1, most=0.8)], domain="")


def two_operands(op):
    def build(p):
        shape = (1, 4, p.size, p.size)
        p.node(op, [p.input(p.integers(shape)), *p.pair(), p.input(p.integers(shape)), *p.pair(), *p.pair(least=0.05, most=0.4)])
    return build


def concat(p):
    shape = (1, 3, p.size, p.size)
    parts = [part for _ in range(3) for part in (p.input(p.integers(shape)), *p.pair())]
    p.node("QLinearConcat", [*p.pair(), *parts], axis=1)


def global_average(p):
    p.node("QLinearGlobalAveragePool", [p.input(p.integers((1, 4, p.size, p.size + 1))), *p.pair(), *p.pair()], channels_last=0)


def average(p):
    """Other scales; an odd number of cells with equal ones. (Of an even number the mean is often a tie.)"""
    x = p.input(p.integers((1, 4, p.size, p.size)))
    scale, zero = p.pair()
    p.node("QLinearAveragePool", [x, scale, zero, *p.pair()], kernel_shape=[2, 2], strides=[2, 2])
    p.node("QLinearAveragePool", [x, scale, zero, scale, zero], kernel_shape=[3, 3])


def average_of_ties(p):
    """Equal scales and an even number of cells: ONNX Runtime rounds ties either way, so one step is allowed."""
    x = p.input(p.integers((1, 4, p.size, p.size)))
    scale, zero = p.pair()
    p.node("QLinearAveragePool", [x, scale, zero, scale, zero], kernel_shape=[2, 2], strides=[2, 2])


def sigmoid(p):
    p.node("QLinearSigmoid", [p.input(p.integers((1, 4, p.size, p.size))), *p.pair(), p.constant(np.float32(1 / 256)),
                              p.constant(p.dtype.type(p.least))])


def softmax(p):
    p.node("QLinearSoftmax", [p.input(p.integers((2, 10 * p.size))), *p.pair(), p.constant(np.float32(1 / 256)),
                              p.constant(p.dtype.type(p.least))], axis=-1, opset=13)


def product(p):
    """Of two values of run time: heads, each with a matrix of its own, and one matrix for all."""
    a, b = p.integers((1, 3, p.size, 8)), p.integers((1, 3, 8, p.size + 1))
    p.node("QLinearMatMul", [p.input(a), *p.pair(), p.input(b), *p.pair(), *p.pair(least=0.5, most=4)], domain="")
    p.node("QLinearMatMul", [p.input(a), *p.pair(), p.input(b[0, 0]), *p.pair(), *p.pair(least=0.5, most=4)], domain="")


ALLOWED_STEPS = {"average_pool_ties": 1}
OPERATORS = {"quantize": quantize, "dequantize": dequantize, "dynamic_quantize": dynamic_quantize, "conv": conv, "gemm": gemm, "matmul": matmul,
             "add": two_operands("QLinearAdd"), "mul": two_operands("QLinearMul"), "concat": concat,
             "global_average_pool": global_average, "average_pool": average, "average_pool_ties": average_of_ties, "sigmoid": sigmoid, "softmax": softmax,
             "product": product}


def make_models(seed, size):
    models = {}
    for number, (name, build) in enumerate(OPERATORS.items()):
        model = Model()
        for k in range(SETS):
            for dtype in TYPES:
                rng = np.random.RandomState(seed + 1000 * number + 10 * k + (dtype == np.int8))
                build(Parameters(model, rng, dtype, size))
        models[name] = model.made(name)
    return models
