#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Whole models through the compiler and the simulator: right answers, and as many cycles as scheduled.

usage: models_test.py CIMC ROOT

Each model runs on 1, 8 and 64 crossbars a tile, with sets of a pixel, a row and two rows, without copies and with copies for 0, 8
and 32 PEs more. The answers of `cimc run` are those of the test data, within 1e-4 of the largest. The bundled model always runs; the
others if there is a folder of models: CIMC_MODELS, or shared/models beside the tree. CIMC_MODELS_FULL=1 tries every test set in
every configuration; else further test sets run in one configuration only, and under CIMC_MODELS_QUICK=1 (sanitizers) the first does
in a few. A wider set of models runs in a few configurations on two machines and in both schedules. Quantised models give every
element of their stored outputs (or all but for a step, where INTEGERS says so), on two machines, with copies cut along columns and both
axes; and, of random inputs and with other latencies, bit for bit what the evaluator gives. What is more than convolutions (attention,
recurrence), and deep networks whose weights are all equal, run once on each machine. Others are refused, with every reason, or have no
weights and are compiled only.
"""
import itertools
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402

CROSSBARS = [1, 8, 64]
SETS = ['pixel', '1x*', '2x*']
COPIES = [(objective, extra) for objective in ('none', 'sum') for extra in (0, 8, 32)]
ALL = list(itertools.product(CROSSBARS, SETS, COPIES))
# One with each crossbar count, set and kind of copies.
FEW = [(1, '1x*', ('sum', 8)), (8, 'pixel', ('none', 0)), (64, '2x*', ('sum', 32))]
# The wider set: on each machine and schedule a few. light_ models keep answers only; their input is a ramp.
WIDE = ['mlperf-tiny-dscnn-kws-fp32', 'mlperf-tiny-mobilenetv1-vww-fp32', 'mlperf-tiny-autoencoder-ad-fp32', 'micro-kws-fp32',
        'squeezenet-1.x-fp32', 'squeezenet-1.x-fp16', 'ultraface-rfb-320', 'ultraface-rfb-320-simplified', 'yolox-nano',
        'torch-oddconv-op13', 'torch-unet-op13', 'light_squeezenet', 'light_inception_v1']
WIDE_OPTIONS = [[], ['--arch', 'mesh'], ['--schedule', 'layer'], ['--arch', 'mesh', '--schedule', 'layer']]
# Quantised models: steps by which an element may differ from the stored outputs (softmax, average pools, a layer of floats).
INTEGERS = {'mlperf-tiny-resnet8-int8': 0, 'mlperf-tiny-dscnn-kws-int8': 0, 'mlperf-tiny-mobilenetv1-vww-int8': 0,
            'mlperf-tiny-autoencoder-ad-int8': 0, 'micro-kws-qoperator': 0, 'mlperf-resnet8-requant': 0,
            'mnist-convinteger': 0, 'micro-kws-qdq': 1, 'torch-qat-qdq': 1}
INTEGER_OPTIONS = [['--set', '1x*', '--extra-pes', '16', '--cut', 'w'],
                   ['--set', '2x*', '--extra-pes', '16', '--cut', '2d', '--arch', 'mesh', '--arch-field', 'crossbars=2'],
                   ['--set', 'pixel', '--arch-field', 'rows=64', '--arch-field', 'crossbars=1'], ['--schedule', 'layer', '--arch', 'mesh']]
ONCE = ['silero-vad-16k-flat', 'torch-attn-op13', 'torch-encoder-op9', 'torch-lstm-bi', 'light_densenet121', 'light_resnet50',
        'light_vgg19']
REFUSED = {'style-candy-op7': ['operator ImageScaler is not', "'crop' (Crop) and 6 more", 'operator Affine is not']}
NO_WEIGHTS = ['stream-resnet18-noweights']
MODELS = ['mnist-8', 'tf-mnist-nhwc', 'onnx-mlir-mnist', 'torch-lenet5-dyn', 'mlperf-tiny-resnet8-fp32']


def sets_of(folder):
    names = [n for n in os.listdir(folder) if n.startswith('test_data_set_')]
    return [os.path.join(folder, n) for n in sorted(names, key=lambda n: int(n.rsplit('_', 1)[1]))]


def wrong(report):
    """What of a report of `cimc run --json` must not be."""
    problems = []
    if report['simulated_cycles'] != report['makespan_cycles']:
        problems.append('%s cycles simulated, %s scheduled' % (report['simulated_cycles'], report['makespan_cycles']))
    for o in report['outputs']:
        error, most = o['max_abs_error'], o['max_abs_reference']
        if error is None or most is None or error > 1e-4 * most:
            problems.append('output %s differs by %s of %s' % (o['name'], error, most))
    if not report['outputs']:
        problems.append('no outputs')
    return problems


def run_command(command, wrong):
    done = subprocess.run(command, capture_output=True, text=True)
    problems = [done.stderr.strip()] if done.returncode else []
    try:
        problems += wrong(json.loads(done.stdout))
    except ValueError:
        problems.append('no report')
    return ['%s: %s' % (' '.join(command), p) for p in problems]


def run_one(cimc, model, options, data, configuration):
    crossbars, shape, (objective, extra) = configuration
    command = [cimc, 'run', model, '--json', '--test-data', data, '--arch-field', 'crossbars=%d' % crossbars, '--set', shape,
               '--duplicate', objective, '--extra-pes', str(extra)] + options
    return run_command(command, wrong)


def wrong_integers(report):
    """Whether an output is right says `cimc run`, whose exit status was looked at."""
    problems = [] if report['simulated_cycles'] == report['makespan_cycles'] else ['not the scheduled cycles']
    return problems + ['%s is not right' % o['name'] for o in report['outputs'] if not o['pass']]


def run_integers(tap, cimc, name, where):
    """The stored answers, then the evaluator's to the bit: once as predicted, once with other latencies, whose cycles are others."""
    command = [cimc, 'run', os.path.join(where, 'model.onnx'), '--json']
    stored = ['--test-data', os.path.join(where, 'test_data_set_0'), '--tolerance-steps', str(INTEGERS[name])]
    exact = ['--input-fill', 'random:7', '--tolerance', '0']
    problems = []
    for i, options in enumerate(INTEGER_OPTIONS[:1] if os.environ.get('CIMC_MODELS_QUICK') else INTEGER_OPTIONS):
        problems += run_command(command + options + stored, wrong_integers)
        problems += run_command(command + options + exact, wrong_integers)
        problems += run_command(command + options + exact + ['--latency-seed', str(i + 1), '--max-extra-cycles', '50'], lambda report: [])
    tap.point('%s in integers' % name, problems)


def run_model(tap, cimc, name, folder, model):
    configurations = FEW if os.environ.get('CIMC_MODELS_QUICK') else ALL
    if not os.path.exists(model):
        tap.point(name, skip='no such file')
        return
    for i, data in enumerate(sets_of(folder)):
        tried = configurations if i == 0 or os.environ.get('CIMC_MODELS_FULL') else FEW[:1]
        problems = []
        for configuration in tried:
            problems += run_one(cimc, model, [], data, configuration)
        tap.point('%s %s: %d configurations' % (name, os.path.basename(data), len(tried)), problems)


def run_wide(tap, cimc, name, where):
    """One configuration of FEW for each machine and schedule, another for each; with sanitizers one in all."""
    quick = os.environ.get('CIMC_MODELS_QUICK')
    problems = []
    for i, options in enumerate(WIDE_OPTIONS[:1] if quick else WIDE_OPTIONS):
        problems += run_one(cimc, os.path.join(where, 'model.onnx'), options + ['--input-fill', 'ramp'],
                            os.path.join(where, 'test_data_set_0'), FEW[i % len(FEW)])
    tap.point('%s on machines and schedules' % name, problems)


def run_once(tap, cimc, name, where):
    problems = []
    for options in WIDE_OPTIONS[:1 if os.environ.get('CIMC_MODELS_QUICK') else 2]:
        command = [cimc, 'run', os.path.join(where, 'model.onnx'), '--json', '--test-data', os.path.join(where, 'test_data_set_0')]
        problems += run_command(command + ['--input-fill', 'ramp'] + options, wrong)
    tap.point(name, problems)


def run_refused(tap, cimc, name, where):
    done = subprocess.run([cimc, 'compile', os.path.join(where, 'model.onnx'), '-o', '/dev/null'], capture_output=True, text=True)
    missing = [text for text in REFUSED[name] if text not in done.stderr]
    tap.point('%s is refused' % name, ['exit status %d, %s not in: %s' % (done.returncode, missing, done.stderr)] if missing or done.returncode != 1 else [])


def run_without_weights(tap, cimc, name, where):
    """A schedule and cycles; but nothing that could be run."""
    model, problems = os.path.join(where, 'model.onnx'), []
    for command, status in (('compile', 0), ('run', 1)):
        done = subprocess.run([cimc, command, model, '--no-weights', '--json'], capture_output=True, text=True)
        if done.returncode != status or (command == 'compile' and not json.loads(done.stdout)['makespan_cycles']):
            problems.append('%s: exit status %d: %s' % (command, done.returncode, done.stderr))
    tap.point('%s is compiled without weights' % name, problems)


KINDS = [(WIDE, run_wide), (INTEGERS, run_integers), (ONCE, run_once), (REFUSED, run_refused), (NO_WEIGHTS, run_without_weights)]


def main(cimc, root):
    tap = Tap()
    digits = os.path.join(root, 'benchmarks', 'digits')
    run_model(tap, cimc, 'digits', digits, os.path.join(digits, 'digits.onnx'))
    folder = os.environ.get('CIMC_MODELS') or os.path.join(os.path.dirname(os.path.abspath(root)), 'shared', 'models')
    for name, run in [(name, None) for name in MODELS] + [(name, run) for names, run in KINDS for name in names]:
        where = os.path.join(folder, name)
        if not os.path.isdir(where):
            tap.point(name, skip='there is no %s in CIMC_MODELS or beside the tree' % name)
        elif run:
            run(tap, cimc, name, where)
        else:
            run_model(tap, cimc, name, where, os.path.join(where, 'model.onnx'))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
