# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""usage: requantise_test.py CIMC ROOT

The requantiser in SystemVerilog against arithmetic of Python: 64-bit shifts, and binary32 products by the host's rounding (struct rounds to nearest, ties to even). Worked
examples, corners of every operand crossed, and numbers at random. Skipped without Verilator.
"""
import math
import os
import random
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from verilated import Bench  # noqa: E402
from tap import Tap  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LEAST, GREATEST = -(1 << 31), (1 << 31) - 1
INTEGERS = (0, 1, -1, 2, -3, 127, 128, 255, 256, 12345, -4500, 127500, 499, 501, (1 << 24) - 1, 1 << 24, (1 << 24) + 1, (1 << 24) + 3, -(1 << 25) - 2,
            (1 << 30) - 1, 1 << 30, GREATEST - 64, GREATEST - 63, GREATEST, LEAST, LEAST + 1, LEAST + 127)
FLOATS = (0x3a83126e, 0x3f000000, 0x3f800000, 0x3f7fffff, 0x3effffff, 0x3f000001, 0x33800000, 0x33800001, 0x337fffff, 0x00000000, 0x80000000, 0x00000001,
          0x007fffff, 0x00800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xbf000000, 0x4e800000, 0x4e7fffff, 0x3faaaaab, 0x30000000,
          0x2f800000, 0x40490fdb, 0xc2c80000, 0x4f000000)
# By hand: m = f32(.02 * .005 / .1), zero point 3; mul 514, shift 16; halves go to the even number, and up.
EXAMPLES = ((1, 12345, 0x3a83126e, 3, 0, 15), (1, -4500, 0x3a83126e, 3, 0, -1), (1, 127500, 0x3a83126e, 3, 0, 130), (1, 499, 0x3a83126e, 3, 0, 3),
            (1, 501, 0x3a83126e, 3, 0, 4), (1, (1 << 24) + 1, 0x3f800000, 0, 0, 1 << 24), (1, -3, 0x3f000000, 0, 0, -2), (0, -3, 1 << 30, 0, 31, -1),
            (0, 64, 514, 0, 16, 1), (0, 63, 514, 0, 16, 0), (0, -25088, 514, 0, 16, -197), (0, 32444, 514, 0, 16, 254))


def f32(value):
    """Rounded to binary32; what overflows is infinite."""
    try:
        return struct.unpack('<f', struct.pack('<f', value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def wrapped(value):
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def expected(floating, x, multiplier, add, shift):
    if not floating:
        total = x * wrapped(multiplier) + add + (1 << shift - 1 if shift else 0)
        return min(max(total >> shift, LEAST), GREATEST)
    factor = struct.unpack('<f', struct.pack('<I', multiplier))[0]
    product = f32(f32(float(x)) * factor)     # exact in binary64: 24 bits times 24
    return wrapped((0 if math.isnan(product) else round(min(max(product, -2.0 ** 30), 2.0 ** 30))) + add)


def cases():
    for floating, x, multiplier, add, shift, result in EXAMPLES:
        assert expected(floating, x, multiplier, add, shift) == result
        yield floating, x, multiplier, add, shift
    for x in INTEGERS:
        for k in FLOATS:
            yield 1, x, k, 0, 0
        for k in INTEGERS:
            for shift in (0, 1, 16, 31, 32, 61, 62):
                yield 0, x, k & 0xffffffff, 0, shift
                yield 0, x, k & 0xffffffff, GREATEST if shift & 1 else LEAST, shift
    chance = random.Random(20)
    for _ in range(20000):
        x = chance.getrandbits(32) - (1 << 31) >> chance.randrange(32)
        yield 1, x, chance.getrandbits(32), chance.getrandbits(9) - 256, 0
        yield 1, x, chance.randrange(0x2e000000, 0x50000000), chance.getrandbits(9) - 256, 0
        # Products near a half: x odd, the multiplier about 2^-n.
        yield 1, chance.getrandbits(20) | 1, (127 - chance.randrange(1, 21) << 23) + chance.randrange(3), 0, 0
        yield 0, x, chance.getrandbits(32) >> chance.randrange(32), wrapped(chance.getrandbits(32)), chance.randrange(63)


def main():
    cimc, root = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-rtl-') as scratch:
        bench = Bench(cimc, root, scratch)
        if not bench.can_simulate():
            tap.point('requantise', skip='verilator is not installed')
            return tap.finish()
        program = bench.build('requantise_tb', [os.path.join(HERE, s) for s in ('requantise.sv', 'requantise_tb.sv')])
        n = 0
        with open(bench.path('cases.hex'), 'w', encoding='ascii') as f:
            for case in cases():
                result = expected(*case)
                f.write(' '.join('%08x' % (v & 0xffffffff) for v in (*case, result, min(max(result, 0), 255))) + '\n')
                n += 1
        said = bench.simulate(program, ['+cases=' + bench.path('cases.hex'), '+n=%d' % n])
        tap.point('requantise: f32 and shift, %d cases' % n, [] if '%d cases, 0 wrong' % n in said else said.splitlines())
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
