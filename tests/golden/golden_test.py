# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Runs `cimc opt` on the golden files and compares whole outputs. The format of the files: TESTS.md.

usage: golden_test.py CIMC [--bless] [FILE...]     (all files of this folder if none is named)
"""
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from tap import Tap  # noqa: E402

SEPARATOR = '; ---\n'
ANNOTATION = re.compile(r';\s*error:\s*\[([a-z-]+)\]\s*(.*?)\s*$')
MESSAGE = re.compile(r'^<stdin>(?::(\d+):\d+)?:.*?error: (.*) \[([a-z-]+)\]$|^(?:\S+: )*error: (.*) \[([a-z-]+)\]$')


def find_files():
    return sorted(os.path.join(folder, f) for folder, _, files in os.walk(HERE) for f in files if f.endswith('.ir'))


def run(cimc, first_line, text):
    """The command of the RUN line on the text; None if the line has no command."""
    match = re.fullmatch(r'; RUN: (opt .*)\n', first_line)
    if not match:
        return None
    command = [cimc] + shlex.split(match.group(1)) + ['-']
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)


def difference(wanted, got):
    """The first line that differs, both ways."""
    wanted, got = wanted.split('\n'), got.split('\n')
    for i in range(max(len(wanted), len(got))):
        a = wanted[i] if i < len(wanted) else '(nothing)'
        b = got[i] if i < len(got) else '(nothing)'
        if a != b:
            return 'output line %d\n  expected: %s\n  printed:  %s' % (i + 1, a, b)
    return ''


def unmet(source, output):
    """What `; expect` lines of the source ask of the output and no line of it has; `...` stands for anything, blanks for blanks."""
    lines = [' '.join(line.split()) + ' ' for line in output.split('\n')]
    problems = []
    for line in source.split('\n'):
        if not line.startswith('; expect '):
            continue
        parts = [re.escape(' '.join(p.split())) for p in line[len('; expect '):].split('...')]
        if not any(re.search('.*'.join(parts), got) for got in lines):
            problems.append('no line of the output is as expected by hand: ' + line[len('; expect '):])
    return problems


def check_good(cimc, path, text, bless):
    source, separator, wanted = text.partition(SEPARATOR)
    done = run(cimc, text[:text.find('\n') + 1], source)
    if done is None:
        return ['the first line is no "; RUN: opt ..."']
    if done.returncode or done.stderr:
        return ['exit code %d\n%s' % (done.returncode, done.stderr)]
    problems = unmet(source, done.stdout)
    if problems:
        return problems
    if bless:
        with open(path, 'w') as f:
            f.write(source + SEPARATOR + done.stdout)
        return []
    if not separator:
        return ['no line "%s" with the expected output after it' % SEPARATOR.strip()]
    return [] if done.stdout == wanted else [difference(wanted, done.stdout)]


def check_bad(cimc, text):
    """Each annotation stands for one error: of its line, or, alone on its line, for one without a line number."""
    wanted = []
    for number, line in enumerate(text.split('\n'), 1):
        match = ANNOTATION.search(line)
        if match:
            alone = line.lstrip().startswith(';')
            wanted.append((None if alone else number, match.group(1), match.group(2)))
    done = run(cimc, text[:text.find('\n') + 1], text)
    if done is None:
        return ['the first line is no "; RUN: opt ..."']
    problems = [] if done.returncode == 1 else ['exit code %d, not 1' % done.returncode]
    if done.stdout:
        problems.append('printed a graph all the same')
    for line in done.stderr.splitlines():
        match = MESSAGE.match(line)
        if not match:
            if ': error: ' in line:
                problems.append('cannot read the message: ' + line)
            continue
        number = int(match.group(1)) if match.group(1) else None
        message, code = match.group(2) or match.group(4), match.group(3) or match.group(5)
        same = [w for w in wanted if w[0] == number and w[1] == code and w[2] in message]
        if same:
            wanted.remove(same[0])
        else:
            problems.append('not expected: ' + line)
    problems += ['missing: line %s: [%s] %s' % w for w in wanted]
    return problems


def main(cimc, arguments):
    bless = '--bless' in arguments
    files = [os.path.abspath(f) for f in arguments if f != '--bless'] or find_files()
    tap = Tap()
    for path in files:
        with open(path) as f:
            text = f.read()
        is_bad = path.endswith('_bad.ir')
        problems = check_bad(cimc, text) if is_bad else check_good(cimc, path, text, bless)
        tap.point(os.path.relpath(path, HERE), problems)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2:]))
