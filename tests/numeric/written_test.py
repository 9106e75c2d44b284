#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Models that cimc writes (`cimc opt MODEL -o FILE.onnx`) mean what the ones mean that it read.

usage: written_test.py CIMC ROOT

The file is evaluated, quantised ones also run on a machine, and must give the answers of the model's test data: ONNX's, ONNX Runtime's,
PyTorch's. Read and written again it does not change any more. Tried are the operators of operators.zip, bit for bit; the cases beside
this file; of ONNX's own tests that pass one in TENTH; the bundled model; and, where there are such folders (CIMC_MODELS, CIMC_CASES, or
shared/models and shared/cases beside the tree), theirs.
"""
import os
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TENTH = 10
OWN = '/usr/share/libonnx-testdata/data'
# Quantised models, and by how many steps an element may differ from the stored outputs (models_test.py).
QUANTISED = {'mlperf-tiny-resnet8-int8': 0, 'mlperf-tiny-dscnn-kws-int8': 0, 'mlperf-tiny-mobilenetv1-vww-int8': 0,
             'mlperf-tiny-autoencoder-ad-int8': 0, 'micro-kws-qoperator': 0, 'mnist-convinteger': 0, 'micro-kws-qdq': 1,
             'torch-qat-qdq': 1}
FLOAT = ['mnist-8', 'torch-attn-op13', 'torch-encoder-op9', 'torch-lstm-bi', 'torch-unet-op13', 'torch-oddconv-op13']


def cimc_says(cimc, *arguments):
    done = subprocess.run([cimc] + list(arguments), capture_output=True, text=True)
    return ['%s: exit status %d: %s' % (' '.join(arguments), done.returncode, done.stderr.strip()[:1000])] if done.returncode else []


def content(path):
    with open(path, 'rb') as f:
        return f.read()


def written(cimc, model, data, scratch, commands):
    """What is wrong with the file that is written of a model: its answers, and itself if it is written again and again. At first
    operators are still taken apart, and what has no name gets one."""
    files = [os.path.join(scratch, '%d.onnx' % i) for i in range(4)]
    problems = cimc_says(cimc, 'opt', model, '-o', files[0])
    if problems:
        return problems
    for command in commands:
        problems += cimc_says(cimc, command[0], files[0], '--test-data', data, *command[1:])
    for a, b in zip(files, files[1:]):
        problems += cimc_says(cimc, 'opt', a, '-o', b)
    if not problems and content(files[-2]) != content(files[-1]):
        problems.append('is another file when it is written again')
    return problems


def try_folder(tap, cimc, scratch, where, commands):
    data = os.path.join(where, 'test_data_set_0')
    tap.point(os.path.basename(where), written(cimc, os.path.join(where, 'model.onnx'), data, scratch, commands))


def try_operators(tap, cimc, scratch):
    folder = os.path.join(scratch, 'operators')
    with zipfile.ZipFile(os.path.join(HERE, 'operators.zip')) as packed:
        packed.extractall(folder)
    for name in sorted(os.listdir(folder)):
        steps = '1' if name == 'average_pool_ties' else '0'
        try_folder(tap, cimc, scratch, os.path.join(folder, name), [['eval', '--tolerance=0', '--tolerance-steps=' + steps]])


def try_own(tap, cimc, scratch, root):
    """Answers only; of those that are compiled without --constant-weights."""
    with open(os.path.join(root, 'tests', 'onnx', 'own_tests.txt')) as f:
        passed = [line.split()[0] for line in f if line.split()[1:] == ['passed']]
    if not os.path.isdir(OWN):
        tap.point("ONNX's own tests", skip='they are not installed')
        return
    problems, n, file = [], 0, os.path.join(scratch, 'own.onnx')
    for name in passed[::TENTH]:
        where = os.path.join(OWN, name)
        if not cimc_says(cimc, 'opt', os.path.join(where, 'model.onnx'), '-o', file):
            problems += cimc_says(cimc, 'eval', file, '--test-data', os.path.join(where, 'test_data_set_0'))
            n += 1
    if n < 0.8 * len(passed[::TENTH]):
        problems.append('only %d of %d are written' % (n, len(passed[::TENTH])))
    tap.point("a tenth of ONNX's own tests", problems)


def beside(root, variable, name):
    return os.environ.get(variable) or os.path.join(os.path.dirname(os.path.abspath(root)), 'shared', name)


def try_models(tap, cimc, scratch, folder):
    for name in list(QUANTISED) + FLOAT:
        where = os.path.join(folder, name)
        exact = ['--tolerance-steps=%d' % QUANTISED[name]] if name in QUANTISED else []
        commands = [['eval'] + exact] + ([['run', '--mode', 'int'] + exact] if exact else [])
        if os.path.isdir(where):
            try_folder(tap, cimc, scratch, where, commands)
        else:
            tap.point(name, skip='it is neither in CIMC_MODELS nor beside the tree')


def main(cimc, root):
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as scratch:
        try_operators(tap, cimc, scratch)
        cases = os.path.join(HERE, 'cases')
        for name in sorted(os.listdir(cases)):
            try_folder(tap, cimc, scratch, os.path.join(cases, name), [['eval']])
        try_own(tap, cimc, scratch, root)
        digits = os.path.join(root, 'benchmarks', 'digits')
        tap.point('digits', written(cimc, os.path.join(digits, 'digits.onnx'), os.path.join(digits, 'test_data_set_0'), scratch, [['eval'], ['run']]))
        try_models(tap, cimc, scratch, beside(root, 'CIMC_MODELS', 'models'))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
