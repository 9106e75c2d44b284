#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Quantised operators, each in four sets of parameters and two types: ONNX Runtime 1.30's answers, element by element.

usage: operators_test.py CIMC ARCHIVE

ARCHIVE is what `benchmarks/operators` packs: of each operator model.onnx and test_data_set_0, made without cimc.
"""
import json
import os
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402

COMMANDS = (['eval'], ['run'], ['run', '--arch', 'mesh', '--set', '1x*'])
# A mean of an even number of integers with equal scales is often a tie, where ONNX Runtime rounds either way.
ALLOWED_STEPS = {'average_pool_ties': 1}


def differences(cimc, command, folder, steps):
    line = [cimc, command[0], os.path.join(folder, 'model.onnx'), '--test-data', os.path.join(folder, 'test_data_set_0'), '--json',
            '--tolerance=0', '--tolerance-steps=%d' % steps] + command[1:]
    done = subprocess.run(line, capture_output=True, text=True)
    problems = [] if done.returncode == 0 else ['%s: %s' % (' '.join(command), done.stderr.strip()[:1000])]
    outputs = json.loads(done.stdout)['outputs'] if done.stdout else []
    return problems + ['%s: %s is not compared' % (command[0], o['name']) for o in outputs if o['pass'] is None]


def main(cimc, archive):
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder, zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        for name in sorted(os.listdir(folder)):
            where, steps = os.path.join(folder, name), ALLOWED_STEPS.get(name, 0)
            tap.point(name, [p for command in COMMANDS for p in differences(cimc, command, where, steps)])
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
