# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What to install where a Python package is missing, instead of a traceback."""

import importlib.util
import os
import sys


def need_packages(*names):
    """Ends the script unless all can be imported; Debian calls the package of NAME python3-NAME, in small letters."""
    if all(importlib.util.find_spec(name) for name in names):
        return
    sys.exit("%s: needs the Python packages %s; on Debian: apt-get install %s"
             % (os.path.basename(sys.argv[0]), ", ".join(names), " ".join("python3-" + name.lower() for name in names)))
