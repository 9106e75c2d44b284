# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Small ONNX models, byte by byte: the standard library has no protobuf."""
import struct

IR_VERSION, OPSET = 8, 13
FLOAT, UINT8, INT8, INT32, INT64, BOOL = 1, 2, 3, 6, 7, 9
CODES = {FLOAT: 'f', UINT8: 'B', INT8: 'b', INT32: 'i', INT64: 'q', BOOL: 'B'}


def varint(n):
    return (bytes([n & 127 | 128]) + varint(n >> 7)) if n > 127 else bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx_node(operator, inputs, output, name):
    return b''.join(field(1, x) for x in inputs) + field(2, output) + field(3, name) + field(4, operator)


def value_info(name, shape, kind=FLOAT):
    dims = b''.join(field(1, field(1, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def tensor(name, shape, values, kind=FLOAT):
    return (b''.join(field(1, n) for n in shape) + field(2, kind) + field(8, name) +
            field(9, struct.pack('<%d%s' % (len(values), CODES[kind]), *values)))


def external(name, shape, location):
    """a tensor whose values are in a file beside the model"""
    return (b''.join(field(1, n) for n in shape) + field(2, FLOAT) + field(8, name) +
            field(13, field(1, 'location') + field(2, location)) + field(14, 1))


def onnx_model(nodes, constants, inputs, outputs):
    """constants: name -> (shape, values or the name of their file[, type]); inputs, outputs: name -> shape or (shape, type)."""
    graph = b''.join(field(1, n) for n in nodes) + field(2, 'g')
    graph += b''.join(field(5, (external if isinstance(x[1], str) else tensor)(name, *x)) for name, x in constants.items())
    for number, ports in ((11, inputs), (12, outputs)):
        graph += b''.join(field(number, value_info(name, *(x if isinstance(x, tuple) else (x,)))) for name, x in ports.items())
    return field(1, IR_VERSION) + field(7, graph) + field(8, field(2, OPSET))
