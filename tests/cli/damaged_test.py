# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Damaged files of the bundled model: models, programs, texts.

usage: damaged_test.py CIMC ROOT
"""
import random
import sys

from bench import run_cases


def variants(data, seed, n):
    """n damaged versions: cut short, and with 1 to 4 bytes changed."""
    rng = random.Random(seed)
    for k in range(n):
        if k % 3 == 0:
            yield data[:rng.randrange(len(data))]
            continue
        changed = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            # Half of the changes where structure is, in the first kilobytes.
            changed[rng.randrange(len(data) if rng.random() < 0.5 else min(4096, len(data)))] = rng.randrange(256)
        if changed != data:
            yield bytes(changed)


def damaged_models(b):
    """damaged .onnx files are read or refused, nothing worse"""
    with open(b.model, 'rb') as f:
        data = f.read()
    for k, damaged in enumerate(variants(data, 1, 90)):
        b.write('bad.onnx', damaged)
        b.run('opt', 'bad.onnx', '--stop-after=dup', '-o', '/dev/null', code=(0, 1))
        if b.problems:
            b.problems.append('variant %d of seed 1' % k)
            return


def damaged_programs(b):
    """damaged program files are refused: everything in them has a checksum"""
    b.run('compile', b.model, '--set=1x*', '-o', 'p.cim')
    for k, damaged in enumerate(variants(b.read('p.cim'), 2, 90)):
        b.write('bad.cim', damaged)
        b.contains(b.run('sim', 'bad.cim', '--input-fill=ramp', code=1).stderr, '[program]')
        if b.problems:
            b.problems.append('variant %d of seed 2' % k)
            return


def damaged_texts(b):
    """damaged assembly and IR texts are read or refused, nothing worse"""
    b.run('compile', b.model, '--set=1x*', '-o', 'p.cim')
    for name, text, command in (('assembly', b.run('dis', 'p.cim').data, ['asm', '-', '-o', '/dev/null']),
                                ('IR', b.run('opt', b.model, '--passes=fold').data, ['opt', '-', '-o', '/dev/null'])):
        for k, damaged in enumerate(variants(text, 3, 30)):
            b.run(*command, stdin=damaged, code=(0, 1))
            if b.problems:
                b.problems.append('%s, variant %d of seed 3' % (name, k))
                return


if __name__ == '__main__':
    sys.exit(run_cases([damaged_models, damaged_programs, damaged_texts]))
