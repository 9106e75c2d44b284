# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Structure of the sources: who may include whom, sizes, names, format. The rules: CONTRIBUTING.md.

usage: layering_test.py ROOT BUILD_ROOT COMPILER...
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import Tap  # noqa: E402
from source_tree import blank, functions, line_of, list_files, read  # noqa: E402

# Rooms, longest path first; None = may include any room.
ROOMS = {
    'ir/base': set(),
    'ir/arch': {'ir/base'},
    'ir/eval': {'ir/base', 'ir'},
    'ir': {'ir/base'},
    'frontend/onnx': {'ir/base', 'ir'},
    'frontend/npy': set(),
    'frontend/cimc': None,
    'frontend/cli': {'frontend/npy'},
    'passes': {'ir/base', 'ir', 'ir/eval', 'ir/arch'},
    'backend/isa': {'ir/base', 'ir/arch'},
    'backend': {'ir/base', 'ir', 'ir/arch', 'backend/isa'},
    'sim': {'ir/base', 'ir/arch', 'backend/isa'},
    'benchmarks': set(),
    'tests': None,
}
# A single header of a room, for those that may not see all of it.
HEADERS = {('ir/eval', 'ir/arch/cell_rule.h'), ('frontend/cli', 'frontend/cimc/cimc.h')}

# A third-party header and the doors it may stand in: rooms or files; of a room one file.
DOORS = {
    'onnx.pb-c.h': 'frontend/onnx', 'program.pb-c.h': 'backend/isa', 'glpk.h': 'passes/dup/dup_glpk.c', 'Cbc_C_Interface.h': 'passes/dup/dup_cbc.cc',
    'yaml.h': 'ir/arch/arch_yaml.c ir/arch/yaml_text.c frontend/cimc', 'dnnl.h': 'ir/base/gemm.c', 'yajl_gen.h': 'frontend/cimc', 'yajl_parse.h': 'frontend/cimc', 'xxhash.h': 'ir/base',
    'asan_interface.h': 'ir/base', 'check.h': 'tests',
    'verilated.h': 'tests/rtl/main.cc', 'Vcimc_machine.h': 'tests/rtl/main.cc', 'cimc_isa.h': 'tests/rtl/f32.cc',    # made by Verilator, cimc list isa
}
STANDARD = set('''ctype dirent dlfcn endian errno fcntl fenv float ftw getopt inttypes limits locale math pthread search setjmp signal stdarg stdatomic stdbool
    stddef stdint stdio stdlib string strings time unistd sys/mman sys/random sys/resource sys/stat sys/types sys/wait'''.split())

# Pure dispatch and tables may be longer than other functions.
LONG_FUNCTIONS = set()
MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100
MARKS = re.compile(r'\b(' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK']) + r')\b')
TOP = {'frontend', 'ir', 'passes', 'backend', 'sim', 'proto', 'tests', 'benchmarks'}
TOP_FILES = {'meson.build', 'meson_options.txt', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'quickstart'}


# Kinds of files that people write: each begins with licence and holder. The others are data, inputs of tests and documents.
HEADER = re.compile(r'(#!.*\n)?(/\*|//|#) SPDX-License-Identifier: Apache-2\.0( \*/)?\n(/\*|//|#) Copyright The cimc authors( \*/)?\n')
WITH_HEADER = set('.c .cc .in .h .def .py .js .css .proto .build .yaml .map .sv .svh .toml'.split())
WITHOUT_HEADER = set('.md .ir .s .onnx .pb .npy .png .svg .data .zip .json .txt .bin .typed .supp'.split())
WITHOUT_HEADER_AT = {'LICENSE', '.gitattributes', '.gitignore', '.clang-format', 'tests/fuzz/corpus', 'tests/package/debian'}


class Sources:
    def __init__(self, root):
        self.root = root
        self.files = list_files(root)
        self.c_files = [f for f in self.files if f.endswith(('.c', '.cc', '.h'))]
        self.text = {f: read(root, f) for f in self.c_files}
        self.code = {f: blank(t) for f, t in self.text.items()}


def room_of(path):
    folder = os.path.dirname(path)
    while folder and folder not in ROOMS:
        folder = os.path.dirname(folder)
    return folder


def includes(sources, path):
    """(line, name, is_quoted) of each #include."""
    text = blank(sources.text[path], keep_strings=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', text, re.MULTILINE):
        yield line_of(text, match.start()), match.group(2), match.group(1) == '"'


def check_own_include(sources, path, line, name):
    """An #include of a file of the tree, found by its unique base name."""
    found = [f for f in sources.files if os.path.basename(f) == os.path.basename(name)]
    where = '%s:%d: #include "%s"' % (path, line, name)
    if not found:
        return ['%s: no such file in the tree' % where]
    room, other = room_of(path), room_of(found[0])
    allowed = ROOMS.get(room, set())
    if room == other or allowed is None or other in allowed or (room, found[0]) in HEADERS:
        if other != room and '_internal' in name and other != 'tests':
            return ['%s: internal to %s' % (where, other)]
        return []
    return ['%s: %s must not see %s' % (where, room, other)]


def include_problems(sources):
    doors = {}
    for path in sources.c_files:
        for line, name, quoted in includes(sources, path):
            base = os.path.basename(name)
            if base in DOORS and path.startswith('benchmarks/'):
                continue    # what is measured against is no part of a room
            if base in DOORS:
                doors.setdefault(base, []).append((path, line))
            elif quoted or path.startswith('frontend/cimc/examples/') and name == 'cimc.h':    # installed
                yield from check_own_include(sources, path, line, name)
            elif name[:-2] not in STANDARD and not (path.endswith('.cc') and '.' not in name):    # C++'s own have no ending
                yield '%s:%d: #include <%s>: neither standard nor a known library' % (path, line, name)
    for base, users in doors.items():
        if base == 'check.h':
            users = [u for u in users if not u[0].startswith('tests/')]
        outside = list(users)
        for door in DOORS[base].split():
            inside = {p for p, _ in users if p == door or p.startswith(door + '/')}
            outside = [u for u in outside if u[0] not in inside]
            if len(inside) > 1:
                yield '%s is included by more than one file: %s' % (base, ', '.join(sorted(inside)))
        yield from ('%s:%d: %s may only be included in %s' % (p, l, base, DOORS[base]) for p, l in outside)


def name_problems(sources):
    seen = {}
    for path in sources.files:
        base = os.path.basename(path)
        if not path.endswith(('.c', '.cc', '.h', '.def', '.proto', '.py', '.ir')):
            continue
        if base in seen and base != '__init__.py':
            yield '%s and %s have one name' % (seen[base], path)
        seen[base] = path
        if not re.fullmatch(r'_{0,2}[a-z][a-z0-9_]*\.[a-z]+', base):
            yield '%s: the name is not snake_case' % path


def top_problems(sources):
    for path in sources.files:
        top = path.split('/')[0]
        if '/' in path and top not in TOP and not top.startswith('.'):
            yield '%s: no such folder is planned at the top' % path
        if '/' not in path and top not in TOP_FILES and not top.startswith('.'):
            yield '%s: no such file is planned at the top' % path


def room_problems(sources):
    for path in sources.c_files:
        if room_of(path) not in ROOMS:
            yield '%s: belongs to no room' % path


def guard_problems(sources):
    for path in sources.c_files:
        if path.endswith('.h') and not re.search(r'^#ifndef (\w+)\n#define \1$', sources.text[path], re.MULTILINE):
            yield '%s: no include guard' % path


def abort_problems(sources):
    """Only the command line ends the process; and the door, where nobody set one."""
    for path in sources.c_files:
        if path.startswith(('tests/', 'frontend/cli/')):
            continue
        code = sources.code[path]
        if path == 'ir/base/bug.c':
            code = re.sub(r'if \(!door\) \{.*?\}', lambda match: re.sub(r'\S', ' ', match.group()), code, flags=re.DOTALL)
        for match in re.finditer(r'\b(exit|_exit|_Exit|quick_exit|abort|assert)\s*\(', code):
            yield '%s:%d: %s(' % (path, line_of(code, match.start()), match.group(1))


def global_problems(sources):
    """No variable of file scope that is written: each is const."""
    for path in sources.c_files:
        if path.startswith('tests/'):
            continue
        code = re.sub(r'^\s*#.*(\\\n.*)*', '', sources.code[path], flags=re.MULTILINE)
        for match in re.finditer(r'^static (?!const\b|inline\b|_Noreturn\b)[^\n(;{]*(=|;|\[)', code, re.MULTILINE):
            if 'const ' not in match.group() and '_Thread_local' not in match.group():
                yield '%s: "%s" is not const' % (path, match.group().strip())


def clone_problems(sources):
    """Functions for several processors have names of their own (clones.h)."""
    seen = {}
    for path in sources.c_files:
        for match in re.finditer(r'^CLONES\b[^(;{]*?(\w+)\(', sources.code[path], re.MULTILINE):
            first = seen.setdefault(match.group(1), path)
            if first != path:
                yield '%s: %s() is also in %s' % (path, match.group(1), first)


def size_problems(sources):
    for path in sources.c_files:
        n = sources.text[path].count('\n')
        if n > MAX_FILE_LINES:
            yield '%s: %d lines' % (path, n)
        yield from function_problems(path, sources.code[path])


def function_problems(path, code):
    for name, line, n in functions(code):
        if n > MAX_FUNCTION_LINES and name not in LONG_FUNCTIONS:
            yield '%s:%d: a function of %d lines' % (path, line, n)


def header_kind(root, path):
    """Does the file need the header? None: nobody said."""
    base, kind = os.path.basename(path), os.path.splitext(path)[1]
    if path in WITHOUT_HEADER_AT or any(path.startswith(folder + '/') for folder in WITHOUT_HEADER_AT):
        return False
    if kind in WITH_HEADER or base == 'meson_options.txt':
        return True
    if kind in WITHOUT_HEADER:
        return False
    with open(os.path.join(root, path), 'rb') as f:
        return True if f.read(2) == b'#!' else None


def licence_problems(sources):
    for path in sources.files:
        needed = header_kind(sources.root, path)
        if needed is None:
            yield '%s: is this kind of file a source, with licence and holder at its head?' % path
        elif needed and not HEADER.match(read(sources.root, path)):
            yield '%s: does not begin with licence and holder' % path


def mark_problems(sources):
    for path in sources.files:
        if path.endswith(('.c', '.cc', '.h', '.def', '.py', '.md', '.proto', '.build', '.txt', '.yaml', '.css', '.ir')) or '.' not in path:
            text = read(sources.root, path)
            for match in MARKS.finditer(text):
                yield '%s:%d: %s' % (path, line_of(text, match.start()), match.group())


def line_problems(sources):
    """Blanks at line ends, tabs, missing last line end, lines wider than an editor."""
    for path in sources.files:
        if path.endswith(('.c', '.cc', '.h', '.py', '.md', '.def', '.build', '.proto')):
            text = read(sources.root, path)
            if re.search(r'[ \t]+$', text, re.MULTILINE):
                yield '%s: blanks at a line end' % path
            if '\t' in text:
                yield '%s: tabs' % path
            if text and (not text.endswith('\n') or text.endswith('\n\n')):
                yield '%s: must end with one line end' % path


def compile_alone(sources, path, build_root, compiler):
    folders = sorted({os.path.dirname(p) for p in sources.c_files})
    command = compiler + ['-std=gnu11', '-Wall', '-Wextra', '-fsyntax-only', '-x', 'c', '-D_GNU_SOURCE',
                          '-isystem', os.path.join(build_root, 'proto')]
    command += [arg for f in folders for arg in ('-I', os.path.join(sources.root, f))]
    # Included, not compiled, so that the unused static functions of a header do not matter.
    text = '#include "%s"\n' % os.path.join(sources.root, path)
    done = subprocess.run(command + ['-'], input=text, capture_output=True, text=True)
    return ['%s does not compile alone:\n%s' % (path, done.stderr)] if done.returncode or done.stderr else []


def header_problems(sources, build_root, compiler):
    # Test headers are parts of one test each.
    headers = [p for p in sources.c_files if p.endswith('.h') and not p.startswith('tests/')]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda p: compile_alone(sources, p, build_root, compiler), headers):
            yield from found


def find_formatter():
    for name in ('clang-format-14', 'clang-format'):
        if shutil.which(name):
            version = subprocess.run([name, '--version'], capture_output=True, text=True).stdout
            if ' 14.' in version:
                return name
    return None


def format_problems(sources, formatter):
    command = [formatter, '--dry-run', '--Werror', '--ferror-limit=1'] + sources.c_files
    done = subprocess.run(command, cwd=sources.root, capture_output=True, text=True)
    return re.findall(r'^\S+:\d+:\d+: error: .*$', done.stderr, re.MULTILINE) or ([done.stderr] if done.returncode else [])


def main(root, build_root, compiler):
    tap = Tap()
    sources = Sources(root)
    tap.point('every source belongs to a room', room_problems(sources))
    tap.point('top level holds what is planned', top_problems(sources))
    tap.point('include edges and third-party doors', include_problems(sources))
    tap.point('file names are unique and snake_case', name_problems(sources))
    tap.point('headers have guards', guard_problems(sources))
    tap.point('headers compile alone', header_problems(sources, build_root, compiler))
    tap.point('nothing but the command line ends the process', abort_problems(sources))
    tap.point('no written globals', global_problems(sources))
    tap.point('functions for several processors have unique names', clone_problems(sources))
    tap.point('files and functions are not too long', size_problems(sources))
    tap.point('licence and holder stand at the head of each source', licence_problems(sources))
    tap.point('no marks of unfinished work', mark_problems(sources))
    tap.point('line ends', line_problems(sources))
    formatter = find_formatter()
    if formatter:
        tap.point('clang-format', format_problems(sources, formatter))
    else:
        tap.point('clang-format', skip='clang-format 14 is not installed')
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
