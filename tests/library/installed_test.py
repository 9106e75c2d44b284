# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The library as others find it: an installed tree, the symbols that can be seen, an example built against it.

usage: installed_test.py CIMC BUILD_ROOT SOURCE_ROOT COMPILER...
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import Tap  # noqa: E402
from npy import npy, read_npy  # noqa: E402


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, **more)
    if done.returncode:
        raise RuntimeError('%s: exit code %d\n%s' % (' '.join(command), done.returncode, done.stderr))
    return done.stdout


def found(folder, name):
    """The one file or folder of this name."""
    paths = [os.path.join(at, name) for at, folders, files in os.walk(folder) if name in folders + files]
    if len(paths) != 1:
        raise RuntimeError('%s: %s' % (name, paths))
    return paths[0]


def declared(header):
    """Functions of cimc.h."""
    with open(header) as f:
        text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.DOTALL)
    return set(re.findall(r'^CIMC_API[^;]*?\b(cimc_\w+)\(', text, re.MULTILINE))


def symbol_problems(tree):
    """What cimc.h declares is to be seen of both, and nothing else."""
    want = declared(found(tree, 'cimc.h'))
    shared = run('nm', '-D', '--defined-only', found(tree, 'libcimc.so'))
    archive = run('nm', '-g', '--defined-only', found(tree, 'libcimc.a'))
    versioned = {line.split()[-1] for line in shared.splitlines()} - {'CIMC_0.1'}
    for symbol in sorted(versioned):
        if not symbol.endswith('@@CIMC_0.1'):
            yield 'libcimc.so: %s is of no version' % symbol
    seen = {'libcimc.so': {s.split('@')[0] for s in versioned},
            'libcimc.a': {line.split()[2] for line in archive.splitlines() if len(line.split()) == 3}}
    for name, symbols in seen.items():
        for symbol in sorted(symbols - want):
            yield '%s: %s is not declared' % (name, symbol)
        for symbol in sorted(want - symbols):
            yield '%s: %s is declared and not there' % (name, symbol)


def example_problems(tree, cimc, model, compiler, folder):
    """The example against the installed tree, shared and static, says what the command line says."""
    pkg_config = found(tree, 'cimc.pc')
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=tree, LD_LIBRARY_PATH=os.path.dirname(found(tree, 'libcimc.so')))
    source, values = found(tree, 'largest.c'), os.path.join(folder, 'x.npy')
    with open(values, 'wb') as f:
        f.write(npy('<f4', (1, 1, 28, 28), [i % 17 / 16 for i in range(784)]))
    run(cimc, 'run', model, '--extra-pes', '32', '--input', values, '--save-outputs', os.path.join(folder, 'out'))
    outputs = os.listdir(os.path.join(folder, 'out'))
    with open(os.path.join(folder, 'out', outputs[0]), 'rb') as f:
        y = read_npy(f.read())[2]
    table = run(cimc, 'compile', model, '--extra-pes', '32', '-o', os.path.join(folder, 'p.cim'), '--json')
    cycles = re.search(r'"makespan_cycles": (\d+)', table).group(1)
    want = 'cycles: %s\nlargest: %d, %.9g\n' % (cycles, y.index(max(y)), max(y))
    # Who links the shared library needs no development packages of what it uses.
    for way, package, places in ('shared', 'cimc', 'PKG_CONFIG_LIBDIR'), ('static', 'cimc-static', 'PKG_CONFIG_PATH'):
        flags = run('pkg-config', '--cflags', '--libs', package, env=dict(env, **{places: os.path.dirname(pkg_config)})).split()
        program = os.path.join(folder, way)
        run(*compiler, '-Wall', '-Wextra', '-Werror', source, *flags, '-o', program)
        needs = 'libcimc.so.0' in run('readelf', '-d', program)
        if needs != (way == 'shared'):
            yield '%s: libcimc.so.0 is %s' % (way, 'needed' if needs else 'not needed')
        got = run(program, model, '32', env=env)
        if got != want:
            yield '%s: %r, not %r' % (way, got, want)
        wrong = subprocess.run([program, source, '32'], capture_output=True, text=True, env=env)
        if wrong.returncode != 1 or 'error: ' not in wrong.stderr:
            yield '%s: no model: exit code %d, %s' % (way, wrong.returncode, wrong.stderr)


def main(cimc, build, root, compiler):
    tap = Tap()
    folder = tempfile.mkdtemp(prefix='cimc-installed-')
    tree = os.path.join(folder, 'tree')
    try:
        run('meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir', tree)
        tap.point('what cimc.h declares can be seen of the libraries, and nothing else', symbol_problems(tree))
        model = os.path.join(root, 'benchmarks', 'digits', 'digits.onnx')
        tap.point('an example built against the installed tree, shared and static, says what the command line says',
                  example_problems(tree, cimc, model, compiler, folder))
    finally:
        shutil.rmtree(folder)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:4], sys.argv[4:]))
