# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Documents against the program: generated tables, options, links and paths they name.

usage: docs_test.py CIMC ROOT [--refresh]      (--refresh rewrites the generated tables)

A generated table stands between `<!-- generated: cimc list isa -->` and `<!-- end -->`; instead of `cimc` a script of the tree may be
named, which ends with 77 where it cannot make its table: then what stands there is left alone.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import Tap  # noqa: E402
from source_tree import list_files, read  # noqa: E402

TABLE = re.compile(r'(<!-- generated: (cimc list [a-z]+|tests/[\w/.]+\.py [\w/.]+) -->\n)(.*?)(<!-- end -->)', re.DOTALL)
# Each of these stands in some document.
LISTS = ('ops', 'passes', 'isa', 'arch', 'codes')


def table(cimc, root, words, old=''):
    """What the command prints; `old` where it cannot say."""
    program, *operands = words.split()
    command = [cimc] if program == 'cimc' else [sys.executable, '-B', program]
    done = subprocess.run(command + operands, cwd=root, capture_output=True, text=True)
    return old if done.returncode == 77 else '\n' + done.stdout.strip('\n') + '\n\n'


def check_tables(cimc, root, documents, refresh):
    for path in documents:
        text = read(root, path)
        if refresh:
            new = TABLE.sub(lambda m: m.group(1) + table(cimc, root, m.group(2), m.group(3)) + m.group(4), text)
            if new != text:
                with open(os.path.join(root, path), 'w', encoding='utf-8') as f:
                    f.write(new)
            continue
        for match in TABLE.finditer(text):
            wanted = table(cimc, root, match.group(2), match.group(3)).splitlines()
            got = match.group(3).splitlines()
            for line in [x for x in wanted if x not in got][:3]:
                yield '%s: missing or old: %s' % (path, line)
            for line in [x for x in got if x not in wanted][:3]:
                yield '%s: not what `%s` prints: %s' % (path, match.group(2), line)
            if got != wanted and set(got) == set(wanted):
                yield '%s: `%s` prints another order' % (path, match.group(2))
        if text.count('<!-- generated:') != len(TABLE.findall(text)):
            yield '%s: a marker "generated" without its "end", or of another form' % path


def check_listed(root, documents):
    marked = {m.group(2) for path in documents for m in TABLE.finditer(read(root, path))}
    for name in LISTS:
        if 'cimc list ' + name not in marked:
            yield 'no document has the table <!-- generated: cimc list %s -->' % name


def check_operations(cimc, root):
    """IR.md explains every operation of the table, and no other."""
    known = set(re.findall(r'^\| (\w+) \|', table(cimc, root, 'cimc list ops'), re.MULTILINE)) - {'operation'}
    text = TABLE.sub('', read(root, 'ir/IR.md'))
    section = text[text.index('\n## 3. '):text.index('\n## 4. ')]
    explained = {name for row in re.findall(r'^\| (`[^|]*)\|', section, re.MULTILINE) for name in re.findall(r'`(\w+)`', row)}
    yield from ('ir/IR.md does not explain %s' % name for name in sorted(known - explained))
    yield from ('ir/IR.md explains %s, which does not exist' % name for name in sorted(explained - known))


def check_onnx(cimc, root):
    """ONNX.md names every operator that is supported, whatever its domain, and no other."""
    known = set(re.findall(r'^\| (?:[\w.]+\.)?(\w+) \|', table(cimc, root, 'cimc list onnx'), re.MULTILINE))
    text = TABLE.sub('', read(root, 'frontend/onnx/ONNX.md'))
    section = text[text.index('\n## Operators'):text.index('\n## Limits')]
    rows = [row.split('|')[1] for row in section.splitlines() if row.startswith('| ')]
    named = {name for row in rows for name in re.findall(r'\b[A-Z]\w+', re.sub(r'\([^)]*\)', '', row))} - {'ONNX'}
    yield from ('frontend/onnx/ONNX.md does not name %s' % name for name in sorted(known - named))
    yield from ('frontend/onnx/ONNX.md names %s, which is not supported' % name for name in sorted(named - known))


def check_commands(cimc, root, documents):
    """Commands and options written as `cimc ...` exist."""
    helps = {}
    for path in documents:
        for line in re.findall(r'cimc ([a-z]+)((?: [^`\n|]*)?)', read(root, path)):
            command, rest = line
            if command not in helps:
                done = subprocess.run([cimc, command, '--help'], capture_output=True, text=True)
                helps[command] = done.stdout
            for option in re.findall(r'(?<![\w-])--([a-z][a-z-]+)', rest if helps[command] else ''):
                if not re.search(r'--%s\b' % option, helps[command]):
                    yield '%s: cimc %s has no option --%s' % (path, command, option)


def check_paths(root, documents, files):
    """Relative links, and paths in backquotes that look like files of the tree, exist."""
    folders = {os.path.dirname(f) for f in files}
    tops = {f.split('/')[0] for f in folders if f}
    for path in documents:
        text = read(root, path)
        here = os.path.dirname(path)
        named = set(re.findall(r'\]\(([^):#]+)\)', text))
        # `tests/cli` and the like; placeholders (a capital, *, <) are not paths.
        named |= {name for name in re.findall(r'`([\w./-]+/[\w./-]*)`', text) if name.split('/')[0] in tops}
        # Another document is found by its path or by the end of it: `SIM.md`, `check/CHECK.md`.
        for name in set(re.findall(r'(?<![\w./-])((?:\w+/)*[A-Z]+\.md)\b', text)):
            if not any(f == name or f.endswith('/' + name) for f in files):
                yield '%s: %s does not exist' % (path, name)
        for name in sorted(named):
            if not any(os.path.exists(os.path.join(root, base, name)) for base in (here, '')):
                yield '%s: %s does not exist' % (path, name)


def check_results(root):
    """The lines of results in the README have their numbers from the tables in BENCHMARKS.md."""
    known = set(re.findall(r'\d[\d,.]*\d', read(root, 'benchmarks/BENCHMARKS.md')))
    text = read(root, 'README.md')
    section = text[text.index('\n## Results'):text.index('\n## Your own model')]
    for row in re.findall(r'^\|[^|]*\|([^|]*)\|', section, re.MULTILINE):
        for number in re.findall(r'\d[\d,.]*\d', row):
            if number not in known:
                yield 'README.md: %s is not in benchmarks/BENCHMARKS.md' % number


def check_compliance(root, files):
    """COMPLIANCE.md names each program by hand, and sections that exist."""
    text = read(root, 'backend/isa/COMPLIANCE.md')
    rows = re.findall(r'^\| [^|]+ \| ((?:ISA|SIM)[^|]*) \| ([^|]*) \|$', text, re.MULTILINE)
    named = {'tests/interpreter/' + name for _, programs in rows for name in re.findall(r'`((?:times|values)/\w+\.s)`', programs)}
    programs = {f for f in files if re.match(r'tests/interpreter/(times|values)/', f)}
    yield from ('COMPLIANCE.md does not name %s' % name for name in sorted(programs - named))
    yield from ('COMPLIANCE.md names %s, which does not exist' % name for name in sorted(named - programs))
    pages = {'ISA': read(root, 'backend/isa/ISA.md'), 'SIM': read(root, 'sim/SIM.md')}
    for sections, _ in rows:
        for page, numbers in re.findall(r'(ISA|SIM)((?:,? \d+)+)', sections):
            yield from ('%s.md has no section %s' % (page, n) for n in re.findall(r'\d+', numbers) if '\n## %s. ' % n not in pages[page])


def check_installed(root, documents):
    """`doc_pages` of meson.build: what `meson install` brings."""
    installed = set(re.findall(r"'([^']+)'", re.search(r'^doc_pages = \[(.*?)\]', read(root, 'meson.build'), re.DOTALL | re.MULTILINE).group(1)))
    yield from ('%s is not among doc_pages in meson.build' % path for path in sorted(set(documents) - installed))


def main(cimc, root, refresh):
    files = list_files(root)
    documents = [f for f in files if f.endswith('.md')]
    tap = Tap()
    tap.point('generated tables are what the program prints', check_tables(cimc, root, documents, refresh))
    tap.point('every generated table has its document', check_listed(root, documents))
    tap.point('IR.md explains every operation', check_operations(cimc, root))
    tap.point('ONNX.md names every operator', check_onnx(cimc, root))
    tap.point('documents name options that exist', check_commands(cimc, root, documents))
    tap.point('documents name files that exist', check_paths(root, documents, files))
    tap.point('results in the README are those of BENCHMARKS.md', check_results(root))
    tap.point('COMPLIANCE.md names every program by hand', check_compliance(root, files))
    tap.point('documents are installed', check_installed(root, documents))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], '--refresh' in sys.argv[3:]))
