# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Builds an ONNX graph operator by operator and evaluates it in PyTorch on the way.

In:  calls of the network functions (yolo.py, vgg.py, resnet.py), in layer order.
Out: an ONNX model with seeded weights and calibrated batch norms; on request the answer to a test
     image.

Calibration has to give the same bytes on every machine, but a float32 convolution rounds
differently with the thread count and the instruction set, and rounding a statistic to a few digits
only makes a difference rarer. So the calibration images go through the network on a coarse binary
grid (see conv and settle): there each sum of a convolution is exact in float32, in whatever order
it is taken. The rest is float64, elementwise, one IEEE operation at a time; what the order of its
few sums changes is far below the four digits that are kept. The test image takes the other road:
float32, with the weights and statistics as written.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper

OPSET = 13
IR_VERSION = 7
BATCH = "unk__0"

GRID = 16  # calibration activations and weights are multiples of 1/GRID,
PIXEL_GRID = 256  # the image itself, read by the first layer only, of 1/PIXEL_GRID
ACTIVATION_LIMIT = 16.0
WEIGHT_LIMIT = 4.0
EXACT_LIMIT = 2.0 ** 22  # in units of the last place; partial sums stay below 2 ** 24

TO_NCHW = (0, 3, 1, 2)
TO_NHWC = (0, 2, 3, 1)


class Value:
    """An SSA value: its ONNX name and what it holds for the calibration and the test images."""

    def __init__(self, name, grid, real):
        self.name, self.grid, self.real = name, grid, real

    @property
    def shape(self):
        return list(self.grid.shape[1:])


def settle(grid):
    """Back to the calibration grid after an operation that left it."""
    grid = torch.round(grid.double() * GRID) / GRID
    return grid.clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT).float()


def round_digits(values):
    """Four significant digits: what a reader can check by hand in a dump."""
    return np.array([float("%.3e" % value) for value in values], np.float32)


def same_pads(size, kernel, stride):
    """TensorFlow SAME: [begin, end], the odd cell at the end."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return [total // 2, total - total // 2]


class Network:
    """A graph under construction. Activations are NCHW, except between to_nhwc and to_nchw."""

    def __init__(self, name, seed, calibration, probe):
        """calibration, probe: images, float32 arrays NHWC; probe None: no reference is computed."""
        self.name = name
        self.rng = np.random.RandomState(seed)
        self.nodes, self.weights, self.outputs = [], [], []
        self.counts = {}
        self.input = Value("input_1", torch.from_numpy(calibration),
                           None if probe is None else torch.from_numpy(probe))

    # names, constants, nodes

    def keras_name(self, kind):
        """conv2d, conv2d_1, ...: Keras numbers layers of one kind in the order of creation."""
        count = self.counts.get(kind, 0)
        self.counts[kind] = count + 1
        return kind if count == 0 else "%s_%d" % (kind, count)

    def constant(self, name, array):
        array = np.ascontiguousarray(array)
        kind = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}[array.dtype.name]
        self.weights.append(helper.make_tensor(name, kind, array.shape, array.tobytes(), raw=True))
        return name

    def emit(self, op, inputs, name, function, *, constants=(), outputs=None, **attributes):
        """Adds a node; function(*tensors) is its meaning. A caller settles what leaves the grid."""
        outputs = outputs or [name + ":0"]
        self.nodes.append(helper.make_node(op, [value.name for value in inputs] + list(constants),
                                           outputs, name=name, **attributes))
        grid = function(*[value.grid for value in inputs])
        real = None if inputs[0].real is None else function(*[value.real for value in inputs])
        return Value(outputs[-1], grid, real)

    # base layers

    def conv(self, x, filters, kernel, *, stride=1, same=True, bias=False, name=None):
        """Conv2D. One with a bias may have no batch norm, so its weights keep it at order 1."""
        name = name or self.keras_name("conv2d")
        channels = x.shape[0]
        normal = self.rng.standard_normal((filters, channels, kernel, kernel))
        deviation = math.sqrt(2.0 / (channels * kernel * kernel))
        shift = self.rng.standard_normal(filters).astype(np.float32) / 10 if bias else None

        rough = np.clip(np.rint(normal * GRID) / GRID, -WEIGHT_LIMIT, WEIGHT_LIMIT)
        grid = self.correlate(x.grid, rough, None, stride, same)
        step = GRID * (PIXEL_GRID if channels == 3 else GRID)
        assert float(grid.abs().max()) * step < EXACT_LIMIT, name
        grid = grid.double() * deviation
        if bias:
            # A power of two: it moves no rounding, so grid and weights still agree.
            scale = 2.0 ** -math.frexp(float(grid.square().mean().sqrt()))[1]
            grid, deviation = grid * scale, deviation * scale
            grid = grid + torch.from_numpy(shift).double()[:, None, None]

        weight = (normal * deviation).astype(np.float32)
        inputs = [x.name, self.constant(name + "/kernel", weight)]
        if bias:
            inputs.append(self.constant(name + "/bias", shift))
        self.nodes.append(helper.make_node(
            "Conv", inputs, [name + ":0"], name=name, kernel_shape=[kernel, kernel],
            strides=[stride, stride], dilations=[1, 1], group=1,
            auto_pad="SAME_UPPER" if same else "VALID"))
        real = None if x.real is None else self.correlate(x.real, weight, shift, stride, same)
        return Value(name + ":0", grid, real)

    @staticmethod
    def correlate(x, weight, shift, stride, same):
        if same:
            rows, columns = (same_pads(size, weight.shape[2], stride) for size in x.shape[2:])
            x = F.pad(x, columns + rows)
        return F.conv2d(x, torch.from_numpy(weight).float(),
                        None if shift is None else torch.from_numpy(shift), stride)

    # what runs on the vector units

    def batch_norm(self, x, epsilon, *, gain=(0.5, 1.5), name=None):
        """BatchNormalization of a conv's output; the calibration images give mean and variance."""
        name = name or self.keras_name("batch_normalization")
        channels = x.shape[0]
        gamma = self.rng.uniform(*gain, channels).astype(np.float32)
        beta = (self.rng.standard_normal(channels) / 5).astype(np.float32)
        mean = x.grid.mean((0, 2, 3))
        variance = (x.grid - mean[:, None, None]).square().mean((0, 2, 3))
        mean, variance = round_digits(mean.tolist()), round_digits(variance.tolist())

        constants = [self.constant("%s/%s" % (name, part), array) for part, array in
                     (("gamma", gamma), ("beta", beta),
                      ("moving_mean", mean), ("moving_variance", variance))]
        self.nodes.append(helper.make_node("BatchNormalization", [x.name] + constants,
                                           [name + ":0"], name=name, epsilon=epsilon))
        wide = [torch.from_numpy(array).double()[:, None, None]
                for array in (gamma, beta, mean, variance)]
        grid = (x.grid - wide[2]) * (wide[0] / (wide[3] + epsilon).sqrt()) + wide[1]
        real = None if x.real is None else F.batch_norm(
            x.real, *[torch.from_numpy(array) for array in (mean, variance, gamma, beta)],
            eps=epsilon)
        return Value(name + ":0", grid, real)

    def relu(self, x, name=None):
        y = self.emit("Relu", [x], name or self.keras_name("re_lu"), torch.relu)
        y.grid = settle(y.grid)
        return y

    def leaky_relu(self, x, alpha):
        y = self.emit("LeakyRelu", [x], self.keras_name("leaky_re_lu"),
                      lambda t: torch.where(t < 0, t * alpha, t), alpha=alpha)
        y.grid = settle(y.grid)
        return y

    def add(self, a, b, name):
        return self.emit("Add", [a, b], name, torch.add)

    def max_pool(self, x, kernel, stride, *, same=False, name=None):
        """Pads are written out here, where conv leaves them to auto_pad: exports do either."""
        pads = [same_pads(size, kernel, stride) if same else [0, 0] for size in x.shape[1:]]
        return self.emit(
            "MaxPool", [x], name or self.keras_name("max_pooling2d"),
            lambda t: F.max_pool2d(F.pad(t, pads[1] + pads[0], value=-math.inf), kernel, stride),
            kernel_shape=[kernel, kernel], strides=[stride, stride],
            pads=[pads[0][0], pads[1][0], pads[0][1], pads[1][1]])

    def zero_pad(self, x, begin, end, name=None):
        """ZeroPadding2D((begin, end), (begin, end))."""
        name = name or self.keras_name("zero_padding2d")
        pads = self.constant(name + "/pads", np.array([0, 0, begin, begin, 0, 0, end, end]))
        return self.emit("Pad", [x], name, lambda t: F.pad(t, (begin, end, begin, end)),
                         constants=[pads], mode="constant")

    def concat(self, values, axis):
        return self.emit("Concat", values, self.keras_name("concatenate"),
                         lambda *tensors: torch.cat(tensors, axis), axis=axis)

    def second_half(self, x, axis):
        """tf.split(x, 2, axis)[1]; the first output stays unused."""
        name = self.keras_name("tf.split")
        half = x.shape[axis - 1] // 2
        sizes = self.constant(name + "/sizes", np.array([half, half]))
        return self.emit("Split", [x], name, lambda t: t.narrow(axis, half, half),
                         constants=[sizes], outputs=[name + ":0", name + ":1"], axis=axis)

    def upsample(self, x):
        """UpSampling2D by two, nearest neighbour, NCHW."""
        name = self.keras_name("up_sampling2d")
        roi = self.constant(name + "/roi", np.array([], np.float32))
        scales = self.constant(name + "/scales", np.array([1, 1, 2, 2], np.float32))
        return self.emit("Resize", [x], name,
                         lambda t: t.repeat_interleave(2, 2).repeat_interleave(2, 3),
                         constants=[roi, scales], coordinate_transformation_mode="asymmetric",
                         mode="nearest", nearest_mode="floor")

    def transpose(self, x, order, name=None):
        name = name or self.keras_name("transpose")
        return self.emit("Transpose", [x], name, lambda t: t.permute(order), perm=list(order))

    def to_nchw(self, x):
        return self.transpose(x, TO_NCHW)

    def to_nhwc(self, x):
        return self.transpose(x, TO_NHWC)

    # ends

    def image(self):
        return self.transpose(self.input, TO_NCHW, "image")

    def output(self, x, name):
        """Makes x (NCHW) a graph output in NHWC."""
        y = self.to_nhwc(x)
        self.nodes[-1].output[0] = y.name = name
        self.outputs.append(y)

    def model(self):
        def port(value):
            return helper.make_tensor_value_info(value.name, TensorProto.FLOAT,
                                                 [BATCH] + value.shape)

        graph = helper.make_graph(self.nodes, self.name, [port(self.input)],
                                  [port(value) for value in self.outputs], self.weights)
        model = helper.make_model(graph, producer_name="cimc make_networks",
                                  opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        return model
