#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Writes page_files.c: style sheets and scripts as arrays named after their files, without comments and indentation.

usage: embed_page.py OUT.c FILE...

A comment is a line of its own. '<' and '&' are refused: pages are XML as well as HTML.
"""
import pathlib
import sys


def main(out, paths):
    parts = ['/* Made by embed_page.py; do not edit. */\n#include "page_files.h"\n']
    for path in map(pathlib.Path, paths):
        lines = [line.strip() for line in path.read_text(encoding='ascii').splitlines()]
        lines = [line for line in lines if line and not line.startswith(('/*', '//'))]
        for line in lines:
            if '<' in line or '&' in line:
                sys.exit(f'{path}: a line that is not XML: {line}')
        data = ''.join(line + '\n' for line in lines).encode() + b'\0'
        parts.append(f'const char {path.name.replace(".", "_")}[] = {{')
        parts += ['    ' + ' '.join(f'{byte},' for byte in data[at:at + 20]) for at in range(0, len(data), 20)]
        parts.append('};\n')
    pathlib.Path(out).write_text('\n'.join(parts), encoding='ascii')


main(sys.argv[1], sys.argv[2:])
