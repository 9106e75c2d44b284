# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What the tests of tests/rtl share: `cimc`, Verilator and a scratch folder."""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 1800  # seconds


def read_layouts(text):
    """{structure: [(field, bits)]} of a package, the least significant field first."""
    found = re.findall(r'typedef struct packed \{(.*?)\} (\w+)_t;', text, re.DOTALL)
    return {name: [(field, int(high or 0) + 1) for high, field in reversed(re.findall(r'(?:logic|op_e)(?: signed)?(?: \[(\d+):0\])? (\w+);', body))]
            for body, name in found}


def pack(layouts, name, values):
    """The word of a structure; fields without a value are 0."""
    word, at = 0, 0
    for field, bits in layouts[name]:
        word |= (int(values.get(field, 0)) & (1 << bits) - 1) << at
        at += bits
    return word


class Bench:
    def __init__(self, cimc, root, scratch):
        self.cimc, self.root, self.scratch = cimc, root, scratch
        self.n_built = 0
        self.package_path = self.path('cimc_pkg.sv')
        text = self.run('list', 'isa', '--format', 'sv')
        self.package = read_layouts(text)
        with open(self.package_path, 'w', encoding='ascii') as f:
            f.write(text)

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def remove(self, folder):
        shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def can_simulate():
        return bool(shutil.which('verilator'))

    def call(self, command):
        """Its standard output; what fails raises RuntimeError with what it said."""
        done = subprocess.run(command, cwd=self.scratch, capture_output=True, text=True, timeout=LIMIT, check=False)
        if done.returncode:
            raise RuntimeError('%s: exit code %d\n%s%s' % (' '.join(command)[:300], done.returncode, done.stdout[-3000:], done.stderr[-3000:]))
        return done.stdout

    def run(self, *arguments):
        return self.call([self.cimc, *arguments])

    def build(self, top, sources, *options):
        """The simulator of a module. Every warning is an error, but for names of the tables that C++ has, too."""
        self.n_built += 1
        folder = self.path('build_%d' % self.n_built)
        self.call(['verilator', '--binary', '--Mdir', folder, '--top-module', top, '-Wno-SYMRSVDWORD', *options, *sources])
        return os.path.join(folder, 'V' + top)

    def simulate(self, program, plusargs):
        return self.call([program, *plusargs])

    def model(self, name):
        """A real model's file, or None."""
        folder = os.path.join(os.environ.get('CIMC_MODELS') or os.path.join(os.path.dirname(os.path.abspath(self.root)), 'shared', 'models'), name)
        files = sorted(f for f in os.listdir(folder) if f.endswith('.onnx')) if os.path.isdir(folder) else []
        return os.path.join(folder, files[0]) if files else None
