# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Bytes of a model's weights, as dense tensors: what the memory criterion is about.

Walks the protobuf wire format of the file (ModelProto: graph 7; GraphProto: node 1, initializer 5;
NodeProto: input 1, op_type 4, attribute 5; AttributeProto: t 5; TensorProto: dims 1, data_type 2,
int64_data 7, name 8, raw_data 9), skipping the data. ConstantOfShape of an initializer is a weight
of that shape.
"""

import math
import mmap

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# TensorProto.DataType: bits of an element; strings and unknown types count nothing.
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64,
        14: 64, 15: 128, 16: 16}


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data, at, end):
    """(number, wire type, value or (start, end)) of a message."""
    while at < end:
        key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = read_varint(data, at)
        elif wire == BYTES:
            size, at = read_varint(data, at)
            value, at = (at, at + size), at + size
        elif wire in (FIXED64, FIXED32):
            value, at = None, at + (8 if wire == FIXED64 else 4)
        else:
            raise ValueError("wire type %d" % wire)
        yield number, wire, value


def tensor_bytes(data, start, end):
    dims, bits = [], 0
    for number, wire, value in fields(data, start, end):
        if number == 1 and wire == VARINT:
            dims.append(value)
        elif number == 1 and wire == BYTES:
            at = value[0]
            while at < value[1]:
                dim, at = read_varint(data, at)
                dims.append(dim)
        elif number == 2 and wire == VARINT:
            bits = BITS.get(value, 0)
    return math.prod(dims) * bits // 8


def inner(data, span, number):
    return (value for found, wire, value in fields(data, *span) if found == number and wire == BYTES)


def shape_elements(data, span):
    """(name, product of the elements) of an int64 initializer."""
    name, values = b"", []
    for number, wire, value in fields(data, *span):
        if number == 7 and wire == VARINT:
            values.append(value)
        elif number == 7:
            at = value[0]
            while at < value[1]:
                element, at = read_varint(data, at)
                values.append(element)
        elif number == 8:
            name = data[value[0]:value[1]]
        elif number == 9:
            raw = data[value[0]:value[1]]
            values = [int.from_bytes(raw[i:i + 8], "little") for i in range(0, len(raw), 8)]
    return name, math.prod(values)


def filled_bytes(data, nodes, initializers):
    """Float tensors that ConstantOfShape makes."""
    shapes = None
    total = 0
    for node in nodes:
        if any(data[slice(*span)] == b"ConstantOfShape" for span in inner(data, node, 4)):
            shapes = shapes or dict(shape_elements(data, span) for span in initializers
                                    if tensor_bytes(data, *span) <= 64)
            total += 4 * sum(shapes.get(data[slice(*span)], 0) for span in inner(data, node, 1))
    return total


def weight_bytes(path):
    """Initializers, tensors in attributes of nodes (Constant), and what ConstantOfShape fills."""
    with open(path, "rb") as file, \
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        total = 0
        for graph in inner(data, (0, len(data)), 7):
            initializers, nodes = list(inner(data, graph, 5)), list(inner(data, graph, 1))
            total += sum(tensor_bytes(data, *span) for span in initializers)
            total += filled_bytes(data, nodes, initializers)
            for node in nodes:
                for attribute in inner(data, node, 5):
                    total += sum(tensor_bytes(data, *span) for span in inner(data, attribute, 5))
        return total
