# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Makes the binding from the header beside it while pip builds the package; all else is in pyproject.toml."""
import os
import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))


class BuildWithBinding(build_py):
    def run(self):
        super().run()
        subprocess.run([sys.executable, os.path.join(HERE, 'make_binding.py'), os.path.join(HERE, '..', 'cimc', 'cimc.h'),
                        os.path.join(self.build_lib, 'cimc', '_binding.py')], check=True)


setup(cmdclass={'build_py': BuildWithBinding})
