# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Sessions that documents show: each command works, and prints the lines that stand below it.

usage: sessions_test.py CIMC ROOT [MODULE...]

    <!-- session -->
        $ cimc compile benchmarks/digits/digits.onnx
        7 base layers, ...
    <!-- end session -->

A line after `$ ` is a command of the shell, lines after `> ` belong to it, the others are some lines of what it prints, in their order;
`...` stands for anything, blanks for blanks. What stands between `<!-- file: NAME -->` and `<!-- end file -->` is written to that file. All sessions of a document are one shell in one folder, where `benchmarks/digits` is the
tree's. `<!-- session: with MODULE -->` runs where MODULE, of Python, is the first on the command line, `<!-- session: without MODULE -->`
where it is not; a document that has none of these is left out if a module is named. Where one of the modules is missing, all is skipped. A picture that a session makes, and
the document shows, has the same bytes.
"""
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import Tap  # noqa: E402
from source_tree import list_files, read  # noqa: E402

SESSION = re.compile(r'<!-- session(?:: (with|without) (\w+))? -->\n(.*?)<!-- end session -->|<!-- file: (\S+) -->\n(.*?)<!-- end file -->', re.DOTALL)


def takes_part(how, named, module):
    return not how or (named == module) == (how == 'with')


def has_sessions(text, module):
    return any(lines and takes_part(how, named, module) for how, named, lines, _, _ in SESSION.findall(text))


def commands(text, module):
    """[(command, [line that it prints])] of a document."""
    found = []
    for how, named, lines, name, contents in SESSION.findall(text):
        if name:
            found.append(("cat >%s <<'END OF FILE'\n%s\nEND OF FILE" % (name, re.sub('^    ', '', contents, flags=re.MULTILINE).strip('\n')), []))
        for line in filter(str.strip, lines.splitlines() if takes_part(how, named, module) else ()):
            line = line[4:]
            if line.startswith('$ '):
                found.append((line[2:], []))
            elif line.startswith('> ') or line == '>':
                found[-1] = (found[-1][0] + '\n' + line[2:], found[-1][1])
            else:
                found[-1][1].append(line)
    return found


def script(steps):
    """One shell for all; what step K prints goes to K.out, and a step that fails is the last one."""
    return ''.join('{\n%s\n} >"$OUT/%d.out" 2>&1 || exit 1\n' % (command, k) for k, (command, _) in enumerate(steps))


def matches(wanted, line):
    pattern = r'\s+'.join('.*'.join(map(re.escape, word.split('...'))) for word in wanted.split())
    return re.fullmatch(pattern, line.strip()) is not None


def missing_lines(command, wanted, printed):
    """The first line of `wanted` that is not printed behind those before it."""
    rest = iter(printed.splitlines())
    for line in wanted:
        if not any(matches(line, got) for got in rest):
            yield '`%s` does not print: %s\nbut:\n%s' % (command, line, printed[-3000:])
            return


def check_pictures(root, path, text, folder):
    for name in re.findall(r'!\[[^]]*\]\(([^)]+)\)', text):
        made = os.path.join(folder, os.path.basename(name))
        if not os.path.exists(made):
            yield '%s: no session makes %s' % (path, name)
            continue
        with open(made, 'rb') as f, open(os.path.join(root, os.path.dirname(path), name), 'rb') as g:
            if f.read() != g.read():
                yield '%s: %s is not what its command makes' % (path, name)


def check_document(cimc, root, path, module):
    text = read(root, path)
    steps = commands(text, module)
    with tempfile.TemporaryDirectory(prefix='cimc-session-') as folder, tempfile.TemporaryDirectory(prefix='cimc-out-') as out:
        os.mkdir(os.path.join(folder, 'benchmarks'))
        os.symlink(os.path.join(root, 'benchmarks', 'digits'), os.path.join(folder, 'benchmarks', 'digits'))
        path_of_programs = os.pathsep.join([os.path.dirname(cimc), os.path.dirname(sys.executable), os.environ['PATH']])
        environment = dict(os.environ, PATH=path_of_programs, OUT=out)
        code = subprocess.run(['sh', '-c', script(steps)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, timeout=200).returncode
        for k, (command, wanted) in enumerate(steps):
            printed = read(out, '%d.out' % k)
            if code and not os.path.exists(os.path.join(out, '%d.out' % (k + 1))):
                yield '`%s` fails:\n%s' % (command, printed[-3000:])
                return
            yield from missing_lines(command, wanted, printed)
        yield from check_pictures(root, path, text, folder)


def main(cimc, root, *modules):
    tap = Tap()
    cimc, root = os.path.abspath(cimc), os.path.abspath(root)
    module = modules[0] if modules else None
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    for path in [f for f in list_files(root) if f.endswith('.md')]:
        text = read(root, path)
        if not has_sessions(text, module) or (module and '<!-- session: with %s -->' % module not in text):
            continue
        if absent:
            tap.point('sessions of %s' % path, skip='Python has no module ' + ', '.join(absent))
        else:
            tap.point('sessions of %s' % path, check_document(cimc, root, path, module))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
