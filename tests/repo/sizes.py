#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""How large the C code is: files, lines and functions of each room, the longest of them.

usage: python3 -B tests/repo/sizes.py [ROOT]

Lines of a function: from its opening brace to its closing one. The limits are in layering_test.py.
"""
import os
import sys

from source_tree import blank, functions, list_files, read

MOST = 10


def room_of(path):
    folder = os.path.dirname(path)
    return 'tests' if folder.startswith('tests') else folder


def percentile(values, part):
    return sorted(values)[int(part * (len(values) - 1))] if values else 0


def print_table(header, rows):
    print('| %s |\n|%s' % (' | '.join(header), '---|' * len(header)))
    for row in rows:
        print('| %s |' % ' | '.join(map(str, row)))
    print()


def main(root):
    files = [path for path in list_files(root) if path.endswith(('.c', '.cc', '.h'))]
    lines = {path: read(root, path).count('\n') for path in files}
    found = [(n, name, path) for path in files for name, _, n in functions(blank(read(root, path)))]
    rows = []
    for room in sorted({room_of(path) for path in files}) + ['all but tests']:
        inside = [p for p in files if room_of(p) == room or (room == 'all but tests' and room_of(p) != 'tests')]
        lengths = [n for n, _, path in found if path in inside]
        rows.append([room, len(inside), sum(lines[p] for p in inside), max(lines[p] for p in inside), len(lengths),
                     percentile(lengths, 0.5), percentile(lengths, 0.9), max(lengths, default=0)])
    print_table(['room', 'files', 'lines', 'longest file', 'functions', 'median', 'p90', 'longest'], rows)
    outside = [path for path in files if room_of(path) != 'tests']
    print_table(['longest files', 'lines'], [[p, lines[p]] for p in sorted(outside, key=lambda p: -lines[p])[:MOST]])
    longest = sorted((f for f in found if f[2] in outside), reverse=True)[:MOST]
    print_table(['longest functions', 'lines'], [['%s, %s' % (name, path), n] for n, name, path in longest])


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
