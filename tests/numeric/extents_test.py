#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The longest tensors: 2^22 elements along each axis, and one more, which is refused.

usage: extents_test.py CIMC

The input is i / 2^22; what comes out is worked out here, and exact.
"""
import os
import subprocess
import sys
import tempfile
from array import array

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir))
sys.path.insert(0, os.path.join(HERE, os.pardir, 'cli'))
from onnx_bytes import field, onnx_model, onnx_node  # noqa: E402
from tap import Tap  # noqa: E402

MOST = 1 << 22


def ints(name, values):
    return field(5, field(1, name) + b''.join(field(8, v) for v in values) + field(20, 7))


def model(operator, shape, out_shape, constants=None, **attributes):
    node = onnx_node(operator, ['x', *(constants or {})], 'y', operator) + b''.join(ints(*a) for a in attributes.items())
    return onnx_model([node], constants or {}, {'x': shape}, {'y': out_shape})


def pool(shape, out_shape, window):
    return model('MaxPool', shape, out_shape, kernel_shape=window, strides=window)


def sound(n):
    return model('Conv', [1, 1, n], [1, 1, n // 64], {'w': ([1, 1, 3], [1, 2, 1])}, kernel_shape=[3], strides=[64], pads=[1, 1])


CASES = [
    ('columns', pool([1, 1, 1, MOST], [1, 1, 1, MOST // 4], [1, 4]), lambda i: (4 * i + 3) / MOST),
    ('rows', pool([1, 1, MOST, 1], [1, 1, MOST // 4, 1], [4, 1]), lambda i: (4 * i + 3) / MOST),
    ('channels', model('Relu', [1, MOST, 1, 1], [1, MOST, 1, 1]), lambda i: i / MOST),
    ('a sound', sound(MOST), lambda i: 256 * i / MOST if i else 1 / MOST),
]
REFUSED = [('columns', pool([1, 1, 1, MOST + 1], [1, 1, 1, MOST // 4], [1, 4])), ('rows', model('Relu', [1, 1, MOST + 1, 1], [1, 1, MOST + 1, 1])),
           ('a sound', sound(MOST + 64))]


class Bench:
    def __init__(self, cimc, folder):
        self.cimc, self.folder = os.path.abspath(cimc), folder

    def cimc_says(self, *arguments):
        """(exit status, what it says)"""
        done = subprocess.run([self.cimc, *arguments], capture_output=True, text=True, cwd=self.folder)
        return done.returncode, done.stderr.strip()

    def write(self, data):
        with open(os.path.join(self.folder, 'model.onnx'), 'wb') as f:
            f.write(data)

    def wrong(self, data, value):
        self.write(data)
        for command in (('compile', 'model.onnx', '-o', 'model.cim'), ('sim', 'model.cim', '--input-fill=ramp', '--save-outputs=.')):
            status, text = self.cimc_says(*command)
            if status:
                yield text
                return
        with open(os.path.join(self.folder, 'output_0.npy'), 'rb') as f:
            data = f.read()
        values = array('f', data[10 + int.from_bytes(data[8:10], 'little'):])
        bad = [i for i, v in enumerate(values) if v != value(i)]
        if bad or not values:
            yield '%d of %d values are wrong, the first is %s' % (len(bad), len(values), bad[:1])

    def accepted(self, data):
        self.write(data)
        status, text = self.cimc_says('compile', 'model.onnx', '-o', 'model.cim')
        if status != 1 or 'exceeds the machine' not in text or str(MOST) not in text:
            yield 'status %d: %s' % (status, text)


def main(cimc):
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
        bench = Bench(cimc, folder)
        for name, data, value in CASES:
            tap.point(name, list(bench.wrong(data, value)))
        for name, data in REFUSED:
            tap.point('refused: ' + name, list(bench.accepted(data)))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
