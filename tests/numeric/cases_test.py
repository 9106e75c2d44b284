#!/usr/bin/env python3
"""Small models that were answered wrongly or refused once, with answers from ONNX Runtime 1.30, PyTorch or the ONNX text.

usage: cases_test.py CIMC FOLDER

Each folder in FOLDER holds model.onnx and test_data_set_0, as ONNX's own tests do.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402

OPTIONS = [[], ['--arch', 'mesh', '--set', '2x*', '--extra-pes', '2']]


def run_case(cimc, where, options):
    command = [cimc, 'run', os.path.join(where, 'model.onnx'), '--test-data', os.path.join(where, 'test_data_set_0')] + options
    done = subprocess.run(command, capture_output=True, text=True)
    return ['%s: %s' % (' '.join(command), done.stderr.strip())] if done.returncode else []


def main(cimc, folder):
    tap = Tap()
    for name in sorted(os.listdir(folder)):
        problems = [p for options in OPTIONS for p in run_case(cimc, os.path.join(folder, name), options)]
        tap.point(name, problems)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
