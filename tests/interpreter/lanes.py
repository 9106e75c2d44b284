# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Lane operations but for functions.py, and binary16: ISA.md, sections 6 and 8. A result that is a float is rounded to f32 by the caller, which for a sum, difference,
product, quotient or root of f32 values, and for an i32, is the correct rounding: a double has more than twice the bits."""
import math
import operator
import struct

from functions import divide


def least(x, y):
    return x if x < y or x != x else y


def greatest(x, y):
    return x if x > y or x != x else y


def leaky(x, y):
    return x if x >= 0 else x * y


def whole(rule):
    """An integer of x's sign, by a rule of such; what is infinite or NaN stays."""
    return lambda x: math.copysign(rule(x), x) if x - x == 0 else x


def remainder(x, y):
    """math.fmod is exact."""
    return math.fmod(x, y) if x - x == 0 and y else math.nan


def quotient(x, y):
    return wrapped(abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)) if y else 0


def root(x):
    return math.sqrt(x) if x >= 0 else math.nan


def wrapped(x):
    return (x + (1 << 31) & 0xffffffff) - (1 << 31)


def saturated(x, least_value, greatest_value):
    return min(max(x, least_value), greatest_value)


def to_int(x):
    return 0 if x != x else round(saturated(x, -2.0 ** 30, 2.0 ** 30))    # Python rounds ties to even


def requantised(x, factor, offset, shift):
    return saturated(x * factor + offset + (1 << shift >> 1) >> shift, -1 << 31, (1 << 31) - 1)


OPERATIONS = {'mov': lambda x: x, 'add': operator.add, 'sub': operator.sub, 'mul': operator.mul, 'div': divide, 'min': least,
              'max': greatest, 'leaky': leaky, 'sqrt': root, 'neg': operator.neg, 'abs': abs,
              'i2f': float, 'f2i': to_int, 'iadd': lambda x, y: wrapped(x + y), 'isub': lambda x, y: wrapped(x - y),
              'imul': lambda x, y: wrapped(x * y), 'imin': min, 'imax': max, 'rint': whole(round), 'floor': whole(math.floor),
              'ceil': whole(math.ceil), 'trunc': whole(math.trunc), 'fmod': remainder, 'flt': operator.lt, 'feq': operator.eq,
              'ilt': operator.lt, 'ieq': operator.eq, 'idiv': quotient, 'imod': lambda x, y: x % y if y else 0, 'iand': operator.and_,
              'ior': operator.or_, 'mask': lambda x, y: y if x else 0}


def half(x):
    """Rounded to binary16, nearest even, and widened again."""
    try:
        return struct.unpack('<e', struct.pack('<e', x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)
