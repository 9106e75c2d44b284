#!/usr/bin/env python3
"""The benchmark scripts that need no further packages, on the bundled model.

usage: benchmarks_test.py CIMC ROOT
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bench import run_cases  # noqa: E402


def script(b, name, *arguments, code=0):
    done = subprocess.run([sys.executable, '-B', os.path.join(b.root, 'benchmarks', name), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=b.folder, timeout=120, text=True)
    b.expect(done.returncode == code, '%s %s: exit code %d, expected %d\n%s%s' % (
        name, ' '.join(arguments), done.returncode, code, done.stdout[-1000:], done.stderr[-1000:]))
    return done


def zoo_folder(b):
    """A folder as make_zoo writes them."""
    shutil.copytree(b.test_data(0), b.path('digits/test_data_set_0'))
    shutil.copy(b.model, b.path('digits/model.onnx'))
    return b.path('digits')


def zoo(b):
    """zoo runs a model in every mode and prints a row"""
    out = script(b, 'zoo', '--cimc', b.cimc, '--archs', 'clsa', '--runs', '1', '--csv', 'zoo.csv', zoo_folder(b)).stdout
    b.contains(out, '| digits | 7 | 9 | 1324 |')    # PEs and OH*OW of the seven layers, by hand
    b.equal(len(b.read('zoo.csv').splitlines()), 5, 'lines of the CSV file')


def zoo_wrong_answer(b):
    """zoo fails when an answer is wrong"""
    answer = os.path.join(zoo_folder(b), 'test_data_set_0', 'output_0.pb')
    with open(answer, 'r+b') as f:
        f.seek(-4, os.SEEK_END)
        f.write(b'\0\0\x80\x43')    # 256.0
    out = script(b, 'zoo', '--cimc', b.cimc, '--archs', 'clsa', '--runs', '1', b.path('digits'), code=1).stdout
    b.contains(out, "digits: clsa, layer, +0: output 'logits' is wrong")


if __name__ == '__main__':
    sys.exit(run_cases([zoo, zoo_wrong_answer]))
