#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Writes presets.c: the architecture files given, as byte arrays named after the files.

usage: embed_presets.py OUT.c PRESET.yaml...
"""
import pathlib
import sys


def main(out, paths):
    lines = ['/* Made by embed_presets.py; do not edit. */', '#include "arch_internal.h"', '']
    rows, names = [], []
    for path in map(pathlib.Path, paths):
        name, data = path.stem, path.read_bytes()
        lines.append(f'static const unsigned char {name}_yaml[] = {{')
        for at in range(0, len(data), 20):
            lines.append('    ' + ' '.join(f'{byte},' for byte in data[at:at + 20]))
        lines += ['};', '']
        rows.append(f'    {{"{name}", {name}_yaml, sizeof {name}_yaml}},')
        names.append(f'"{name}"')
    lines += ['const struct arch_preset arch_preset_list[] = {', *rows, '    {0, 0, 0},', '};']
    lines += [f'const char *const arch_preset_names[] = {{{", ".join(names)}, 0}};', '']
    pathlib.Path(out).write_text('\n'.join(lines))


main(sys.argv[1], sys.argv[2:])
