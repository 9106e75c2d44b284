# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What is built of the tree otherwise: elsewhere, with another solver, for another processor, as Debian packages.

usage: package_test.py CIMC ROOT

The sysroot of the other processor, and the system in which autopkgtest tries the packages, are made beforehand, with the network:
tests/package/sysroot build-sysroot-arm64 arm64, and tests/package/testbed build-testbed
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', folder) for folder in ('.', 'repo')]
from tap import Tap  # noqa: E402
from source_tree import list_files  # noqa: E402

# Quick to build; what is compared does not depend on it.
QUICK = ['-Doptimization=1', '-Ddebug=false', '-Dtests=disabled']
PROGRAM = 'frontend/cli/cimc'
CLANG = next((c for c in ('clang-14', 'clang') if shutil.which(c)), None)
CROSS = """[constants]
root = '{root}'
target = ['--target=aarch64-linux-gnu', '--sysroot=' + root]
[binaries]
c = ['{clang}'] + target
cpp = ['{clangxx}'] + target
c_ld = 'lld'
cpp_ld = 'lld'
ar = '{ar}'
objcopy = '{objcopy}'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', root]
[properties]
sys_root = root
pkg_config_libdir = root / 'usr/lib/aarch64-linux-gnu/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


class Failed(Exception):
    pass


def run(command, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', **kwargs)
    if done.returncode:
        raise Failed('%s: exit status %d\n%s' % (' '.join(command), done.returncode, done.stdout[-3000:]))
    return done.stdout


def build(source, folder, options, targets=(PROGRAM,)):
    run(['meson', 'setup', folder, *options], cwd=source)
    run(['ninja', '-C', folder, *targets])
    return os.path.join(folder, PROGRAM)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def programs(cimc, root, folder, wrapper=()):
    """What it writes for some models: {(model, options): bytes}."""
    cases = os.path.join(root, 'tests', 'numeric', 'cases')
    models = [os.path.join(root, 'benchmarks', 'digits', 'digits.onnx')]
    models += [os.path.join(cases, case, 'model.onnx') for case in ('integers_i8_0', 'fused_conv')]
    found = {}
    for model in models:
        for options in (['--extra-pes=8'], ['--arch=mesh', '--set=1x*']):
            out = os.path.join(folder, 'out.cim')
            run([*wrapper, cimc, 'compile', model, *options, '-o', out])
            found[(model, *options)] = read(out)
    return found


def differences(a, b):
    return ['%s: other bytes' % ' '.join(key) for key in a if a[key] != b[key]]


def test_places(cimc, root, folder):
    """the same source gives the same program, wherever tree and build stand; without git it says which release it is"""
    built, problems = [], []
    for tree, place in (('a', 'a/build'), ('b/deeper/tree', 'b/elsewhere')):
        for path in list_files(root):
            target = os.path.join(folder, tree, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(root, path), target)
        program = build(os.path.join(folder, tree), os.path.join(folder, place), QUICK)
        built.append(read(program))
        said = run([program, 'version'])
        problems += [] if re.search(r'^release \d', said, re.MULTILINE) else [said]
    return problems + (['the programs differ'] if built[0] != built[1] else [])


def test_solver(cimc, root, folder):
    """with CBC the tests of duplication pass, and programs are the same"""
    if subprocess.run(['pkg-config', '--exists', 'cbc']).returncode:
        return 'coinor-libcbc-dev is not installed'
    tests = ['tests/unit/dup_test', 'tests/unit/dup_makespan_test']
    other = build(root, os.path.join(folder, 'cbc'), ['-Dsolver=cbc', '-Dtests=enabled', *QUICK[:2]], [PROGRAM, *tests])
    for test in tests:
        run([os.path.join(folder, 'cbc', test)])
    return differences(programs(cimc, root, folder), programs(other, root, folder))


def test_processor(cimc, root, folder):
    """built for arm64 it writes the same programs"""
    sysroot = os.path.join(root, 'build-sysroot-arm64')
    for name, there in (('qemu-user', shutil.which('qemu-aarch64')), ('clang', CLANG), ('lld', shutil.which('ld.lld'))):
        if not there:
            return name + ' is not installed'
    if not os.path.isdir(os.path.join(sysroot, 'usr', 'lib', 'aarch64-linux-gnu')):
        return 'there is no build-sysroot-arm64 (tests/package/sysroot build-sysroot-arm64 arm64)'
    cross = os.path.join(folder, 'cross.ini')
    with open(cross, 'w') as f:
        f.write(CROSS.format(root=sysroot, clang=CLANG, clangxx=CLANG.replace('clang', 'clang++'), ar=CLANG.replace('clang', 'llvm-ar'),
                             objcopy=CLANG.replace('clang', 'llvm-objcopy')))
    other = build(root, os.path.join(folder, 'arm64'), ['--cross-file', cross, *QUICK, '-Donnx_proto=%s/usr/include/onnx/onnx.proto' % sysroot])
    wrapper = ['qemu-aarch64', '-L', sysroot]
    said = run([*wrapper, other, 'run', os.path.join(root, 'benchmarks', 'digits', 'digits.onnx'), '--extra-pes=32', '--test-data',
                os.path.join(root, 'benchmarks', 'digits', 'test_data_set_0')])
    return differences(programs(cimc, root, folder), programs(other, root, folder, wrapper)) + ([] if 'PASS' in said else [said])


def test_debian(cimc, root, folder):
    """Debian packages are built without a warning, tests of rooms among it, lintian finds no error, and what they install does the quickstart's main job"""
    for tool, package in (('dpkg-buildpackage', 'dpkg-dev'), ('dh', 'debhelper'), ('dh_python3', 'dh-python'), ('lintian', 'lintian')):
        if not shutil.which(tool):
            return package + ' is not installed'
    debian = os.path.join(folder, 'debian')
    environment = {k: v for k, v in os.environ.items() if k not in ('CC', 'CFLAGS', 'DEB_BUILD_OPTIONS')}
    log = run([os.path.join(root, 'tests', 'package', 'build'), debian, '-us', '-uc'], env=environment)
    problems = re.findall(r'^.*\bwarning: .*$', log, re.MULTILINE)
    problems += [] if re.search(r'^Ok: +[1-9]', log, re.MULTILINE) else ['no tests were run']
    found = run(['lintian', '--allow-root', '--fail-on', 'none', '--suppress-tags', 'initial-upload-closes-no-bugs', *glob.glob(os.path.join(debian, '*.changes'))])
    problems += re.findall(r'^[EW]: .*$', found, re.MULTILINE)
    installed, scratch = os.path.join(folder, 'installed'), os.path.join(folder, 'scratch')
    for package in glob.glob(os.path.join(debian, '*.deb')):
        run(['dpkg-deb', '-x', package, installed])
    os.mkdir(scratch)
    libraries = ':'.join(glob.glob(os.path.join(installed, 'usr', 'lib', '*-linux-gnu')))
    tree = glob.glob(os.path.join(debian, 'cimc-*', 'quickstart'))[0]
    run(['debian/tests/quickstart'], cwd=os.path.dirname(tree),
        env=dict(os.environ, PATH=os.path.join(installed, 'usr', 'bin') + ':' + os.environ['PATH'], LD_LIBRARY_PATH=libraries, AUTOPKGTEST_TMP=scratch))
    return problems


def test_autopkgtest(cimc, root, folder):
    """in a clean Debian autopkgtest installs them with what they depend on: quickstart, the example of the library, Python"""
    packages, testbed = glob.glob(os.path.join(folder, 'debian', '*.deb')), os.path.join(root, 'build-testbed')
    if not shutil.which('autopkgtest'):
        return 'autopkgtest is not installed'
    if os.getuid():
        return 'chroot needs root'
    if not os.path.isdir(os.path.join(testbed, 'usr')):
        return 'there is no build-testbed (tests/package/testbed build-testbed)'
    if not packages:
        return 'the packages were not built'
    tried = os.path.join(folder, 'testbed')
    run(['cp', '-a', testbed, tried])
    log = run(['autopkgtest', *packages, *glob.glob(os.path.join(folder, 'debian', '*.dsc')), '--', 'chroot', tried])
    results = re.findall(r'^(\S+) +(PASS|FAIL|SKIP)', log[log.index('@@@ summary'):], re.MULTILINE)
    return [] if results == [(name, 'PASS') for name in ('quickstart', 'library', 'python')] else ['%r' % results]


def main(cimc, root):
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
        for test in (test_places, test_solver, test_processor, test_debian, test_autopkgtest):
            try:
                result = test(cimc, root, folder)
            except Failed as failed:
                result = [str(failed)]
            if isinstance(result, str):
                tap.point(test.__doc__, skip=result)
            else:
                tap.point(test.__doc__, result)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*map(os.path.abspath, sys.argv[1:3])))
