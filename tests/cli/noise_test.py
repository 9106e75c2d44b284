# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Noise of the cells on the command line: --noise-seed, --trials.

usage: noise_test.py CIMC ROOT
"""
import json
import math
import sys

from bench import run_cases
from npy import npy, read_npy
from onnx_bytes import INT32, INT8, UINT8, onnx_model, onnx_node

# One output: y = rne(s / 50) + 3 with s = 190 * -5 + -7 * 7 + 100 for x = (200, 3), whose zero point is 10. Weights have 4 bits;
# the zero point of x is in the bias: s = 200 * -5 + 3 * 7 + 80.
MODEL = onnx_model([onnx_node('DequantizeLinear', ['x', 's', 'zx'], 'xf', 'dx'), onnx_node('DequantizeLinear', ['w', 's', 'zw'], 'wf', 'dw'),
                    onnx_node('DequantizeLinear', ['b', 's'], 'bf', 'db'), onnx_node('MatMul', ['xf', 'wf'], 'm', 'dense'),
                    onnx_node('Add', ['m', 'bf'], 'a', 'bias'), onnx_node('QuantizeLinear', ['a', 'sy', 'zy'], 'y', 'q')],
                   {'s': ([], [1]), 'zx': ([], [10], UINT8), 'w': ([2, 1], [-5, 7], INT8), 'zw': ([], [0], INT8), 'b': ([1], [100], INT32),
                    'sy': ([], [50]), 'zy': ([], [3], INT8)}, {'x': ([1, 2], UINT8)}, {'y': ([1, 1], INT8)})
IDEAL = -15
CELLS = ['--arch-field=cell_bits=4']    # a cell holds a weight plus 8
# Cells that are all full, or all empty, whatever the seed: weights 7 and -8. s = 203 * 7 + 80, 203 * -8 + 80.
STUCK = {'stuck_high_ppm=1000000': 33, 'stuck_low_ppm=1000000': -28}


def write(b):
    b.write('m.onnx', MODEL)
    b.write('x.npy', npy('|u1', [1, 2], [200, 3]))


def output(b, *command):
    b.run(*command, '--input=x.npy', '--save-outputs=out')
    return read_npy(b.read('out/output_0.npy'))[2][0]


def seeds(b):
    """--noise-seed of compile, run, eval and sim, by hand: cells that are all stuck; 0 is without noise"""
    write(b)
    for field, value in STUCK.items():
        machine = CELLS + ['--arch-field=' + field]
        b.run('compile', 'm.onnx', *machine, '-o', 'p.cim')
        for seed in 0, 1, 7:
            wanted, option = value if seed else IDEAL, '--noise-seed=%d' % seed
            b.equal(output(b, 'sim', 'p.cim', option), wanted, 'sim, %s, %s' % (field, option))
            b.run('sim', 'p.cim', option, '--model=m.onnx', '--input=x.npy')    # as the evaluator has it
            b.equal(output(b, 'run', 'm.onnx', '--program=p.cim', option), wanted, 'run --program')
            b.equal(output(b, 'run', 'm.onnx', *machine, option), wanted, 'run')
            b.equal(output(b, 'eval', 'm.onnx', '--at=crossbar', *machine, option), wanted, 'eval')
            b.run('compile', 'm.onnx', *machine, option, '-o', 'q.cim')
            b.equal(output(b, 'sim', 'q.cim'), wanted, 'sim of a program with a seed')
    b.run('compile', 'm.onnx', '-o', 'p.cim', *CELLS)
    b.contains(b.run('sim', 'p.cim', '--noise-seed=1', '--input=x.npy').stderr, 'note: the machine', 'have no noise')
    b.contains(b.run('compile', 'm.onnx', '-o', 'q.cim', '--noise-seed=1', '--arch-field=stuck_low_ppm=1', code=1).stderr, 'can exceed 16383 [capacity]')    # 255 * 255
    coarse = CELLS + ['--arch-field=dac_bits=4', '--arch-field=program_sigma_high_permille=33']    # of 15 levels: 0.495
    b.contains(b.run('compile', 'm.onnx', *coarse, '--noise-seed=1', '-o', 'q.cim').stderr, 'less than half a step of what a cell holds')
    b.contains(b.run('sim', 'q.cim', '--noise-seed=2', '--input=x.npy').stderr, 'less than half a step of what a cell holds')
    for fine in (['--arch-field=cell_fraction_bits=1', '--noise-seed=1'], ['--noise-seed=0']):
        b.expect('half a step' not in b.run('compile', 'm.onnx', *coarse, *fine, '-o', 'q.cim').stderr, 'noise that is seen, or none: %s' % fine)
    b.run('sim', 'p.cim', '--noise-seed=-1', code=2)


def trials_by_hand(b):
    """sim --trials, by hand: every machine is wrong in the same way"""
    write(b)
    for field, value in STUCK.items():
        b.run('compile', 'm.onnx', *CELLS, '--arch-field=' + field, '-o', 'p.cim')
        snr = 10 * math.log10(IDEAL ** 2 / (value - IDEAL) ** 2)
        done = b.run('sim', 'p.cim', '--trials=3', '--model=m.onnx', '--input=x.npy')
        b.equal(done.stdout, "3 trials, noise seeds from 1 on, 1 frame each\noutput 0 'y': SNR mean %.2f dB, standard deviation 0.00, "
                'least %.2f, most %.2f\n' % (snr, snr, snr), field)
    report = json.loads(b.run('sim', 'p.cim', '--trials=2', '--noise-seed=5', '--model=m.onnx', '--input=x.npy', '--json').stdout)
    b.equal(list(report), ['program', 'version', 'options', 'machine', 'trials', 'seconds', 'peak_rss_bytes'], 'keys')
    trials = report['trials']
    b.equal([run['noise_seed'] for run in trials['runs']], [5, 6], 'seeds')
    b.equal(['%.9f' % trials['outputs'][0]['snr_db'][k] for k in ('mean', 'standard_deviation', 'least', 'most')],
            ['%.9f' % x for x in (snr, 0, snr, snr)], 'JSON')
    b.contains(b.run('sim', 'p.cim', '--trials=2', '--input=x.npy').stdout, "output 0 'y': no reference")
    b.contains(b.run('sim', 'p.cim', '--trials=2', code=1).stderr, 'has no values')
    b.run('sim', 'p.cim', '--trials=0', '--input=x.npy', code=2)
    for option in '--times=t.csv', '--save-outputs=o', '--compare-layers':
        b.contains(b.run('sim', 'p.cim', '--trials=2', '--model=m.onnx', '--input=x.npy', option, code=2).stderr, '--trials excludes')


def floats_are_exact(b):
    """compile, run and report of floats on a machine that is not ideal say that it makes no difference; of integers they say nothing"""
    write(b)
    for command in ['compile', '-o', 'p.cim'], ['run', '--input-fill=ramp'], ['report', '-o', 'p.html']:
        for machine in '--arch-field=adc_bits=6', '--arch-field=stuck_low_ppm=1':
            said = [b.run(*command, 'm.onnx', *CELLS, machine, '--mode=' + mode).stderr for mode in ('f32', 'int')]
            b.contains(said[0], 'm.onnx: note: crossbars hold floats')
            b.expect('crossbars hold floats' not in said[1], '%s of integers: %s' % (command[0], said[1]))


# y = sqrt(s), s = 190 * 7 + 100 for x = (10, 200) and -5 as first weight; where all weights are -8, s = 200 * -8 + 80
ROOT = onnx_model([onnx_node('DequantizeLinear', ['x', 's', 'zx'], 'xf', 'dx'), onnx_node('DequantizeLinear', ['w', 's', 'zw'], 'wf', 'dw'),
                   onnx_node('DequantizeLinear', ['b', 's'], 'bf', 'db'), onnx_node('MatMul', ['xf', 'wf'], 'm', 'dense'),
                   onnx_node('Add', ['m', 'bf'], 'a', 'bias'), onnx_node('Sqrt', ['a'], 'y', 'root')],
                  {'s': ([], [1]), 'zx': ([], [10], UINT8), 'w': ([2, 1], [-5, 7], INT8), 'zw': ([], [0], INT8), 'b': ([1], [100], INT32)},
                  {'x': ([1, 2], UINT8)}, {'y': [1, 1]})


def trials_not_finite(b):
    """sim --trials: outputs that are not finite have no signal-to-noise ratio; seconds are those of all that was computed"""
    b.write('m.onnx', ROOT)
    b.write('x.npy', npy('|u1', [1, 2], [10, 200]))
    b.run('compile', 'm.onnx', *CELLS, '--arch-field=stuck_low_ppm=1000000', '-o', 'p.cim')
    command = ['sim', 'p.cim', '--trials=2', '--model=m.onnx', '--input=x.npy']
    b.contains(b.run(*command).stdout, "output 0 'y': SNR unknown: not all values are finite")
    report = json.loads(b.run(*command, '--json').stdout)
    b.equal(report['trials']['outputs'][0]['snr_db'], dict.fromkeys(('mean', 'standard_deviation', 'least', 'most')), 'JSON')
    b.expect(report['seconds']['evaluate'] > 0, 'no seconds of the evaluator')


def trials_are_runs(b):
    """sim --trials of noisy cells: each is what sim --noise-seed says, and mean and spread are theirs"""
    write(b)
    b.write('x.npy', npy('|u1', [6, 2], [200, 3, 9, 255, 128, 64, 1, 2, 77, 177, 250, 0]))
    b.write('labels.txt', '0\n' * 6)    # the only class there is
    b.run('compile', 'm.onnx', *CELLS, '--arch-field=dac_bits=4', '--arch-field=cell_fraction_bits=3', '--arch-field=program_sigma_low_permille=50',
          '--arch-field=program_sigma_high_permille=100', '--frames=6', '-o', 'p.cim')
    values = ['--input=x.npy', '--model=m.onnx']
    report = json.loads(b.run('sim', 'p.cim', *values, '--trials=8', '--labels=labels.txt', '--json').stdout)['trials']
    b.run('eval', 'm.onnx', '--input=x.npy', '--save-outputs=out')
    ideal = read_npy(b.read('out/output_0.npy'))[2]
    ratios = []
    for seed in range(1, 9):
        b.run('sim', 'p.cim', *values, '--noise-seed=%d' % seed, '--save-outputs=out')
        noise = sum((x - y) ** 2 for x, y in zip(read_npy(b.read('out/output_0.npy'))[2], ideal))
        ratios.append(10 * math.log10(sum(x * x for x in ideal) / noise))
    close = lambda got, wanted: len(got) == len(wanted) and all(abs(x - y) < 1e-9 for x, y in zip(got, wanted))
    b.expect(close([run['snr_db'][0] for run in report['runs']], ratios), 'each run: %s, not %s' % (report['runs'], ratios))
    b.expect(len(set(ratios)) > 1, 'the seeds make no difference')
    b.equal([run['right'] for run in report['runs']], [6] * 8, 'right')
    b.equal(report['accuracy_percent'], {'mean': 100, 'standard_deviation': 0, 'least': 100, 'most': 100}, 'accuracy')
    mean = sum(ratios) / 8
    deviation = math.sqrt(sum((x - mean) ** 2 for x in ratios) / 7)
    found = report['outputs'][0]['snr_db']
    b.expect(close([found[k] for k in ('mean', 'standard_deviation', 'least', 'most')], [mean, deviation, min(ratios), max(ratios)]),
             'spread: %s' % found)


if __name__ == '__main__':
    sys.exit(run_cases([seeds, trials_by_hand, floats_are_exact, trials_not_finite, trials_are_runs]))
