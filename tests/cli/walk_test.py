# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The README's walk from a float model to an analog chip: its commands, in their order, on the bundled model and images.

usage: walk_test.py CIMC ROOT
"""
import os
import re
import shlex
import shutil
import sys

from bench import run_cases

FILES = {'digits.onnx': 'model.onnx', 'calibration.npy': 'calibration.npy', 'test.npy': 'test.npy', 'test_labels.txt': 'test_labels.txt'}


def commands(b):
    with open(os.path.join(b.root, 'README.md'), encoding='utf-8') as f:
        part = re.search('<!-- walk -->\n(.*?)<!-- end walk -->', f.read(), re.DOTALL).group(1)
    return [shlex.split(line)[1:] for line in part.splitlines() if line.strip()]


def right(text):
    """Of `accuracy: 199 of 200`."""
    return int(re.search(r'accuracy: (\d+) of 200', text).group(1))


def walk(b):
    """each command works; 4-bit weights lose at most one of twenty images in integers, and with converters of 6 bits"""
    for name, here in FILES.items():
        shutil.copy(os.path.join(b.digits, name), b.path(here))
    done = {}
    for command in commands(b):
        done[' '.join(command[:2])] = b.run(*command).stdout
    b.equal(list(done), ['eval model.onnx', 'quantize model.onnx', 'eval small.onnx', 'compile small.onnx', 'sim small.cim',
                         'sim noisy.cim', 'report model.onnx'], 'the commands')
    b.equal(right(done['eval model.onnx']), 199, 'float')    # as PyTorch has it
    for command in 'eval small.onnx', 'sim small.cim':
        b.expect(right(done[command]) >= 189, '%s: %d of 200' % (command, right(done[command])))
    b.contains(done['sim noisy.cim'], '10 trials, noise seeds from 1 on, 200 frames each', 'accuracy: mean ')
    b.contains(b.read('small.html').decode(), 'id="quantisation"', 'id="energy"')


if __name__ == '__main__':
    sys.exit(run_cases([walk]))
