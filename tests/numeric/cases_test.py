#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Small models that were answered wrongly or refused once, with answers from ONNX Runtime 1.30, PyTorch or the ONNX text.

usage: cases_test.py CIMC FOLDER [ROOT]

Each folder in FOLDER holds model.onnx and test_data_set_0, as ONNX's own tests do. There are more of the kind in the folder CIMC_CASES,
or shared/cases beside the tree ROOT; where neither is there, they are skipped.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402

OPTIONS = [[], ['--arch', 'mesh', '--set', '2x*', '--extra-pes', '2']]
# What is not to be answered, and what the message says.
REFUSED = {'bn_training_form_op9': 'training mode',
           'st_rtweight': '--constant w=FILE.pb'}
# Answers of ONNX Runtime that are not ONNX's (ONNX.md), and the output that differs.
DIFFERENT = {'d1_convtranspose_same_silent': "output 1 't10'"}


def run_case(cimc, where, options):
    name, data = os.path.basename(where), os.path.join(where, 'test_data_set_0')
    command = [cimc, 'run', os.path.join(where, 'model.onnx')] + options
    command += ['--test-data', data] if os.path.isdir(data) else ['--input-fill', 'ramp']
    done = subprocess.run(command, capture_output=True, text=True)
    text = REFUSED.get(name) or DIFFERENT.get(name)
    if text is None:
        return ['%s: %s' % (' '.join(command), done.stderr.strip())] if done.returncode else []
    fits = done.returncode == 1 and text in done.stderr and (': FAIL\n' in done.stdout) == (name in DIFFERENT)
    return [] if fits else ['%s: exit status %d, not 1 with "%s": %s' % (' '.join(command), done.returncode, text, done.stderr.strip())]


def run_shared(tap, cimc, folder):
    """All that are there, compiled in one way."""
    if not os.path.isdir(folder):
        tap.point('more cases', skip='neither CIMC_CASES nor a folder beside the tree')
        return
    problems, n = [], 0
    for name in sorted(os.listdir(folder)):
        if os.path.exists(os.path.join(folder, name, 'model.onnx')):
            problems += run_case(cimc, os.path.join(folder, name), [])
            n += 1
    tap.point('%d more cases' % n, problems)


def main(cimc, folder, root=None):
    tap = Tap()
    for name in sorted(os.listdir(folder)):
        problems = [p for options in OPTIONS for p in run_case(cimc, os.path.join(folder, name), options)]
        tap.point(name, problems)
    if root:
        run_shared(tap, cimc, os.environ.get('CIMC_CASES') or os.path.join(os.path.dirname(os.path.abspath(root)), 'shared', 'cases'))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
