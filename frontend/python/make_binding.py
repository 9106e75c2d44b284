# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Makes the binding of libcimc, a module for cffi in ABI mode, from cimc.h: nothing is compiled.

usage: make_binding.py CIMC_H OUT.py
"""
import re
import sys

import cffi


def declarations(header):
    """The header without what only a C or C++ compiler wants."""
    text = re.sub(r'/\*.*?\*/', ' ', header, flags=re.DOTALL)
    text = re.sub(r'#ifdef __cplusplus.*?#endif', ' ', text, flags=re.DOTALL)
    text = re.sub(r'^[ \t]*#.*?(?<!\\)$', ' ', text, flags=re.DOTALL | re.MULTILINE)
    return text.replace('CIMC_API', ' ')


def main():
    header, out = sys.argv[1:]
    ffi = cffi.FFI()
    with open(header, encoding='utf-8') as file:
        ffi.cdef(declarations(file.read()))
    ffi.set_source('cimc._binding', None)
    ffi.emit_python_code(out)


main()
