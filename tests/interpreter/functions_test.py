#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Lane operations of f32: over patterns of all exponents and what is special, the simulator gives the interpreter's bits (any NaN for a NaN).

usage: functions_test.py CIMC
"""
import os
import random
import sys
import tempfile
from array import array

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, os.pardir))
from integers_test import run, simulate  # noqa: E402
from interpret import Interpreter  # noqa: E402
from program_file import Fault  # noqa: E402
from tap import Tap  # noqa: E402

N = 4096
ONE = ('exp', 'log', 'tanh', 'sigmoid', 'erf', 'sin', 'cos', 'sqrt', 'floor', 'ceil', 'rint', 'trunc')
TWO = ('pow', 'fmod', 'div')
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, float('inf'), float('-inf'), float('nan'), 2.0 ** -149, -2.0 ** -149, 2.0 ** -126,
           16777217.0, 16777215.0, -8388607.0, 4096.0, 4096.0005, 88.72283, -103.97, 0.55, 3.4028235e38, 1e30]


def patterns(rng, tame):
    """Specials, then bits at even distances; or where `tame`, numbers that are not far from 1."""
    bits = array('I', ((k << 20) + rng.randrange(1 << 20) for k in range(N)))
    values = array('f', bits.tobytes())
    if tame:
        values = array('f', (rng.uniform(-12, 12) for _ in range(N)))
    values[:len(SPECIAL)] = array('f', SPECIAL)
    return values


def program(names, arity):
    """Each operation from the inputs to an output of its own."""
    def fields(name, output, index):
        return '{output=%d, index=%d, name="%s", shape=[%d], stride_h=%d, stride_w=1, stride_c=1, height=1, width=%d, channels=1}' % (
            output, index, name, N, N, N)
    lines = ['isa 2', 'arch "base: clsa\\n"', 'node 0 {name="values"}']
    lines += ['binding %d %s' % (k, fields('x%d' % k, 0, k)) for k in range(arity)]
    lines += ['binding %d %s' % (arity + k, fields(name, 1, k)) for k, name in enumerate(names)]
    n_views = arity + len(names)
    lines.append('tile 0 {buffer_bytes=%d}' % (4 * N * n_views))
    lines += ['view %d {address=%d, ring_rows=1, y1=1, x1=%d, height=1, width=%d, channels=1, row_pitch=%d, col_pitch=4, channel_pitch=4}' % (
        k, 4 * N * k, N, N, 4 * N) for k in range(n_views)]
    lines += ['program %d {arity=%d} [%s a%s]' % (k, arity, name, ' b' if arity == 2 else '') for k, name in enumerate(names)]
    lines += ['q2.load b%d dst=v%d(0,0) h=1 w=%d' % (k, k, N) for k in range(arity)]
    for k in range(len(names)):
        wait = ' wait q2>=%d' % arity if k == 0 else ''
        lines.append('q0.vmap p%d dst=v%d(0,0) h=1 w=%d a=v0(0,0)%s%s' % (k, arity + k, N, ' b=v1(0,0)' if arity == 2 else '', wait))
    for k in range(len(names)):
        lines.append('q2.store b%d a=v%d(0,0) h=1 w=%d wait q0>=%d' % (arity + k, arity + k, N, k + 1))
    return '\n'.join(lines) + '\n'


def problems(cimc, names, inputs):
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
        text, path = os.path.join(folder, 'program.s'), os.path.join(folder, 'program.cim')
        with open(text, 'w', encoding='utf-8') as f:
            f.write(program(names, len(inputs)))
        run(cimc, 'asm', text, '-o', path)
        with open(path, 'rb') as f:
            interpreter = Interpreter(f.read())
        wanted, got = interpreter.run(inputs), simulate(cimc, folder, interpreter, inputs)
    for k, name in enumerate(names):
        for i, (a, b) in enumerate(zip(wanted[k], got[k])):
            same = a != a and b != b or array('f', [a]).tobytes() == array('f', [b]).tobytes()
            if not same:
                yield '%s(%s) is %s, simulated %s' % (name, ', '.join(inputs[j][i].hex() for j in inputs), a.hex(), b.hex())
                break


def main(cimc):
    tap, rng = Tap(), random.Random(5)
    for tame in (False, True):
        x, y = patterns(rng, tame), patterns(rng, tame)
        y[len(SPECIAL):] = array('f', rng.sample(list(y[len(SPECIAL):]), N - len(SPECIAL)))
        for i, value in enumerate(SPECIAL):    # each with each
            for j, other in enumerate(SPECIAL):
                x[N - 1 - i * len(SPECIAL) - j], y[N - 1 - i * len(SPECIAL) - j] = value, other
        for names, inputs in ((ONE, {0: x}), (TWO, {0: x, 1: y})):
            try:
                found = list(problems(os.path.abspath(cimc), names, inputs))
            except Fault as fault:
                found = [str(fault)]
            tap.point('%s of %s' % (' '.join(names), 'numbers near 1' if tame else 'all exponents'), found)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
