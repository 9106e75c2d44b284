# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""`cimc sweep`: a point that goes on from the passes of the one before has the row that it has by itself.

usage: sweep_kept_test.py CIMC ROOT
"""
import json
import os
import re
import sys

from bench import run_cases

# An analog machine that has something to be read by every pass, and a float model that is quantised.
ARCH = '''base: isaac
adc_bits: 6
adc_range: calibrated
noise_seed: 3
program_sigma_low_permille: 20
program_sigma_high_permille: 40
'''
OPTIONS = {    # the first value of each is not the default, the last one is followed by it
    'mode': ['f32', 'int'],
    'unquantised': ['error'],
    'calibrate': ['two', 'one'],
    'weight-bits': ['4'],
    'activation-bits': ['5'],
    'rounding': ['feedback', 'nearest'],
    'bias-correction': ['false'],
    'layer': ['0=w5a6'],
    'input-scale': ['2'],
    'arch': ['clsa'],
    'schedule': ['layer'],
    'set': ['1x*', 'best'],
    'cut': ['h'],
    'duplicate': ['makespan', 'interval', 'none'],
    'mapping': ['im2col', 'window'],
    'patch': ['0=2x2'],
    'copies': ['0=2', '0=3,1=2'],
    'pes': ['64', '1'],
    'extra-pes': ['4', '9'],
    'noise-seed': ['5'],
    'frames': ['3'],
    'pace': ['5000'],
}
BY_THEMSELVES = {'arch-field', 'state', 'json', 'output', 'help'}    # not of one point, or see `machine`
FIXED = ['--calibrate=one', '--arch=machine.yaml', '--extra-pes=8']


def prepare(b):
    os.symlink(b.model, b.path('digits.onnx'))
    os.symlink(b.test_data(0), b.path('one'))
    os.symlink(b.test_data(1), b.path('two'))
    b.write('machine.yaml', ARCH)


def fields(b):
    """each field of the machine with another value than it has"""
    has = dict(re.findall(r'^(\w+): *(\S+)', b.run('arch', 'machine.yaml').stdout, re.M))
    for line in b.run('list', 'arch').stdout.splitlines():
        cells = [cell.strip() for cell in line.split('|')]
        if len(cells) < 4 or not cells[1].startswith('`'):
            continue
        name, limits, now = cells[1].strip('`'), cells[3], has[cells[1].strip('`')]
        if '..' in limits:
            value = str(int(now) + 1 if int(now) < int(limits.split('..')[1]) else int(now) - 1)
        else:
            value = next(choice for choice in re.findall(r'`(\w+)`', limits) if choice != now)
        yield name, value


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def without_costs(row):
    return {key: value for key, value in row.items() if key != 'costs'}


def compare(b, name, values, *options, model='digits.onnx'):
    """all points in one process, and each in one of its own"""
    b.write('points.yaml', 'models: [' + model + ']\n%s: [%s]\n' % (name, ', '.join(values)))
    together = rows_of(b.run('sweep', 'points.yaml', *options, '--json').stdout)
    for k, row in enumerate(together, 1):
        alone = b.run('sweep', 'points.yaml', *options, '--shard', '%d/%d' % (k, len(values)), '--json').stdout
        b.equal(without_costs(row), without_costs(rows_of(alone)[0]), 'point %s' % row['point'])
    return together


def machine(b):
    """every field of the machine with another value, one after the other"""
    prepare(b)
    values = ['{%s: %s}' % value for value in fields(b)]
    rows = compare(b, 'arch-field', values, *FIXED)
    b.expect(sum('result' in row for row in rows) > 30, 'few points have results')
    b.expect(any('error' in row for row in rows), 'no point fails')


def options(b):
    """every option that may vary, one after the other"""
    prepare(b)
    offered = re.findall(r'^ +--([a-z0-9-]+)', b.run('sweep', '--help').stdout, re.M)
    b.equal(set(offered[offered.index('mode'):]) - BY_THEMSELVES, set(OPTIONS), 'options without values here')
    for name, values in OPTIONS.items():
        fixed = [option for option in FIXED if not option.startswith('--%s=' % name) and not (name == 'pes' and 'pes' in option)]
        compare(b, name, ['"%s"' % value for value in values + values[:1]], *fixed)


def named(b):
    """a model that has a name in its program: it is lowered by itself, then as a part"""
    prepare(b)
    values = ['{hop_cycles: 1}', '{hop_cycles: 2}', '{rows: 100}', '{rows: 100, crossbars: 4}', '{rows: 64}', '{hop_cycles: 2}']
    rows = compare(b, 'arch-field', values, '--arch=mesh', model='net=digits.onnx')
    # 20 passes up to `tile`, then cse, dup, readout
    b.equal([row['costs']['kept']['passes'] for row in rows], [0, 20 + 3, 19, 20 + 1, 19, 19], 'passes')


# Passes before the first that reads it, of the 22 of the standard pipeline; what is the schedule's is read by dup, if that looks for the makespan.
KEPT = [
    ('arch-field', ['{rows: 64}', '{rows: 128}'], [], 19),
    ('arch-field', ['{cell_bits: 1}', '{cell_bits: 2}'], [], 19),
    ('arch-field', ['{crossbars: 8}', '{crossbars: 16}'], [], 20),
    ('arch-field', ['{adc_bits: 6}', '{adc_bits: 7}'], [], 21),
    ('arch-field', ['{hop_cycles: 1}', '{hop_cycles: 2}'], [], 22),
    ('arch-field', ['{hop_cycles: 1}', '{hop_cycles: 2}'], ['--duplicate=makespan'], 20),
    ('noise-seed', ['1', '2'], ['--duplicate=makespan'], 21),
    ('set', ['pixel', '1x*'], [], 22),
    ('set', ['pixel', '1x*'], ['--duplicate=makespan'], 20),
    ('extra-pes', ['4', '8'], [], 20),
    ('mode', ['auto', 'int'], [], 22),
    ('weight-bits', ['4', '5'], [], 11),
    ('unquantised', ['warn', 'error'], [], 12),
]


def kept(b):
    """passes in front of the first that reads what changes are not run again; neither is the import"""
    prepare(b)
    for name, values, options, n in KEPT:
        b.write('points.yaml', 'models: [digits.onnx]\n%s: [%s]\n' % (name, ', '.join(values + values[::-1])))
        fixed = [option for option in FIXED if not option.startswith('--%s=' % name)]
        costs = [row.get('costs', row) for row in rows_of(b.run('sweep', 'points.yaml', *fixed, *options, '--json').stdout)]
        b.equal([c['kept']['passes'] for c in costs], [0, n, 22, n], '%s %s' % (values, options))
        b.equal([c['seconds']['import'] > 0 for c in costs], [True, False, False, False], 'seconds of the import')


if __name__ == '__main__':
    sys.exit(run_cases([machine, options, named, kept]))
