#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Values by hand: values/*.s are programs whose inputs and outputs stand at their beginning, and the interpreter and `cimc sim` must give exactly these.

usage: integers_test.py CIMC
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
from array import array

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, os.pardir))
from interpret import Interpreter, elements, read_tensor, write_npy  # noqa: E402
from program_file import OUTSIDE, Fault  # noqa: E402
from tap import Tap  # noqa: E402

VALUES = re.compile(r'^; (input|output) (\d+): (.*)$', re.MULTILINE)


def read_values(text, bindings):
    """{kind: {index: array}}, of the bindings' elements."""
    codes = {(b.output, b.index): OUTSIDE[b.element] for b in bindings}
    values = {'input': {}, 'output': {}}
    for kind, index, numbers in VALUES.findall(text):
        code = codes[kind == 'output', int(index)]
        values[kind][int(index)] = array(code, map(float if code == 'f' else int, numbers.split()))
    return values['input'], values['output']


def compare(who, got, wanted):
    for index, values in wanted.items():
        if list(got[index]) != list(values):
            yield '%s: output %d is %s, by hand %s' % (who, index, list(got[index]), list(values))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Fault('%s: %s' % (' '.join(command[1:3]), done.stderr.strip()))


def simulate(cimc, folder, interpreter, inputs):
    """The outputs of `cimc sim`, by index."""
    frames = [interpreter.program.frames] if interpreter.program.frames else []
    shapes = {b.index: (frames if b.frame_stride else []) + b.shape for b in interpreter.program.bindings if not b.output}
    command = [cimc, 'sim', os.path.join(folder, 'program.cim'), '--save-outputs', folder]
    for index, values in sorted(inputs.items()):
        path = os.path.join(folder, 'input_%d.npy' % index)
        write_npy(path, shapes[index], values)
        command += ['--input', path]
    run(*command)
    outputs = {b.index: (b, read_tensor(os.path.join(folder, 'output_%d.npy' % b.index))) for b in interpreter.program.bindings if b.output}
    # Of what all frames share there is one.
    return {k: values if b.frame_stride or not frames else values[:elements(b.shape)] for k, (b, values) in outputs.items()}


def problems(cimc, path):
    with open(path, encoding='utf-8') as f:
        text = f.read()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
        program = os.path.join(folder, 'program.cim')
        run(cimc, 'asm', path, '-o', program)
        with open(program, 'rb') as f:
            interpreter = Interpreter(f.read())
        inputs, wanted = read_values(text, interpreter.program.bindings)
        yield from compare('interpreter', interpreter.run(inputs), wanted)
        yield from compare('simulator', simulate(cimc, folder, interpreter, inputs), wanted)


def main(cimc):
    tap = Tap()
    for path in sorted(glob.glob(os.path.join(HERE, 'values', '*.s'))):
        try:
            found = list(problems(os.path.abspath(cimc), path))
        except Fault as fault:
            found = [str(fault)]
        tap.point(os.path.basename(path), found)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
