# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Inputs that nobody means well: files that are empty, cut, huge, or in the way.

usage: hostile_test.py CIMC ROOT SABOTAGE    (the library built from sabotage.c)
"""
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys

from bench import run_cases
from onnx_bytes import onnx_model, onnx_node

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interpreter'))
import xxh3  # noqa: E402

HEAD = 'isa 2\narch "base: clsa\\n"\n'
PIXEL = 'ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4'


def value_ranges(b):
    """a program of 0, 1, 7, 8, 9, 16, 32 or 64 values without work is proved"""
    for n in (0, 1, 7, 8, 9, 16, 32, 64):
        nodes = ''.join('node %d {name="n%d", op="relu"}\n' % (i, i) for i in range(n))
        views = ''.join('view %d {address=%d, %s, value=%d}\n' % (i, 4 * i, PIXEL, i) for i in range(n))
        b.write('p.asm', HEAD + nodes + 'tile 0 {buffer_bytes=%d}\n' % (4 * n) + views)
        b.run('asm', 'p.asm', '-o', 'p.cim')
        b.equal(b.run('check', 'p.cim').stdout, 'p.cim: form, progress, races: proved\n', '%d values' % n)
    b.write('p.asm', HEAD)
    b.run('asm', 'p.asm', '-o', 'p.cim')
    b.equal(b.run('check', 'p.cim').stdout, 'p.cim: form, progress, races: proved\n', 'no tile')


def open_quote(b):
    """a string without end at the end of the text is reported where it begins"""
    b.write('p.asm', 'isa 2\nmodel   "')
    b.fails('asm', 'p.asm', '-o', 'p.cim', code=1,
            message='p.asm:2:9: error: expected a string, found a string without end [asm-syntax]')


def large_header(b):
    """a header of many empty messages is refused before it is unpacked, another version before that"""
    def program(header):
        return b.write('p.cim', b'CIMC' + struct.pack('<IQQ', 2, len(header), xxh3.xxh3_64(header)) + header)
    version = re.search(r'instruction set (\d+)', b.run('version').stdout).group(1)
    empty = bytes((9 << 3 | 2, 0)) * 100000    # a tile each
    program(b'\x08' + bytes([int(version)]) + empty)
    b.fails('check', 'p.cim', code=1, message='p.cim: error: the header would take more than 19977632 bytes of memory [program]')
    program(b'\x08\x7f' + empty)
    b.fails('check', 'p.cim', code=1, message='p.cim: error: instruction set version 127, this reader knows %s [program]' % version)


# ---- networks beyond the machine's numbers ----

def convolution(height, width, n_outputs=1):
    """An ONNX model: a 1x1 convolution of one channel, and that many rectified copies of its result."""
    outputs = ['y%d' % k for k in range(n_outputs)]
    nodes = [onnx_node('Conv', ['x', 'w'], 'c', 'conv')] + [onnx_node('Relu', ['c'], y, y) for y in outputs]
    shape = [1, 1, height, width]
    return onnx_model(nodes, {'w': ([1, 1, 1, 1], [2])}, {'x': shape}, {y: shape for y in outputs})


def many_outputs(b):
    """1,023 outputs and an input are compiled and right; one more is beyond what an instruction names"""
    b.write('m.onnx', convolution(1, 1, 1023))
    b.equal(b.run('run', 'm.onnx', '--input-fill=ramp').stdout.count(': PASS\n'), 1023, 'outputs')
    b.write('m.onnx', convolution(1, 1, 1024))
    b.fails('compile', 'm.onnx', code=1,
            message='cimc: error: the network has 1025 inputs and outputs, an instruction can name 1024 [capacity]')


def many_readers(b):
    """more layers that tell of their reads than any machine has counters for: nothing is said to be enough"""
    outputs = ['y%d' % k for k in range(1000)]
    nodes = [onnx_node('Conv', ['x', 'w'], 'c', 'conv')] + [onnx_node('Conv', ['c', 'w' + y], y, y) for y in outputs]
    weights = {w: ([1, 1, 1, 1], [k]) for k, w in enumerate(['w'] + ['w' + y for y in outputs], 2)}
    b.write('m.onnx', onnx_model(nodes, weights, {'x': [1, 1, 4, 4]}, {y: [1, 1, 4, 4] for y in outputs}))
    b.fails('compile', 'm.onnx', '--mapping=im2col', code=1,
            message='cimc: error: tile 0 needs more than the 892 inbound counters that a tile can have [capacity]')


def many_uses(b):
    """weights that more layers use than a tile has groups are refused; two that fill a tile each are on two"""
    def chain(n_layers, n_weights):
        values = ['x'] + ['v%d' % k for k in range(1, n_layers)] + ['y']
        nodes = [onnx_node('Conv', [values[k], 'w%d' % (k % n_weights)], values[k + 1], 'conv%d' % k) for k in range(n_layers)]
        weights = {'w%d' % k: ([1, 1, 1, 1], [1]) for k in range(n_weights)}
        b.write('m.onnx', onnx_model(nodes, weights, {'x': [1, 1, 2, 2]}, {'y': [1, 1, 2, 2]}))
    chain(150, 1)
    b.fails('compile', 'm.onnx', code=1,
            message="m.onnx: node 0 'conv0' (Conv): error: 150 layers use its weights, a tile can have 120 groups at most [capacity]")
    chain(140, 2)
    b.expect(': PASS' in b.run('run', 'm.onnx', '--input-fill=ramp').stdout, 'two tiles')


def many_sets(b):
    """more sets than a queue counts are refused before anything is made for each of them"""
    b.write('m.onnx', convolution(2000, 2000))
    b.fails('compile', 'm.onnx', '--mapping=im2col', '--set=pixel', code=1, message="m.onnx: node 0 'conv' (Conv): error: 4000000 sets in one queue, "
            'at most 2097152 can be counted: use larger sets [capacity]')


# ---- files on their way ----

def npy(shape, values):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %r, }" % (shape,)
    header += ' ' * (-(len(header) + 11) % 64) + '\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode() + struct.pack('<%df' % len(values), *values)


def while_it_waits(b, arguments, change):
    """Runs cimc with its input 0 from a pipe; `change` is called when the program file is read and validated."""
    os.mkfifo(b.path('in.npy'))
    process = subprocess.Popen([b.cimc, *arguments, '--input', 'in.npy'], cwd=b.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    with open(b.path('in.npy'), 'wb') as pipe:    # opens when cimc does
        change()
        pipe.write(npy((1, 1, 28, 28), [0.5] * 784))
    out, err = process.communicate(timeout=120)
    os.unlink(b.path('in.npy'))
    return process.returncode, out.decode(), err.decode()


def cut_file(b):
    """a program file that is cut while it is mapped is named, exit code 1; nothing stays of what was written"""
    b.run('compile', b.model, '-o', 'p.cim')
    whole = b.read('p.cim')
    for command in (['sim', 'p.cim'], ['dump', 'p.cim', '-o', 'd']):
        got = while_it_waits(b, command, lambda: os.truncate(b.path('p.cim'), 4096))
        b.equal(got, (1, '', 'p.cim: error: the file was cut while it was read [io]\n'), ' '.join(command))
        b.equal(sorted(os.listdir(b.folder)), ['p.cim'], 'files')
        b.write('p.cim', whole)


def changed_file(b):
    """a program file that is overwritten while it is mapped runs as it was validated, but for the weights"""
    b.run('compile', b.model, '-o', 'p.cim')
    cycles = re.search(r'cycles: .*', b.run('sim', 'p.cim', '--input-fill', 'ramp').stdout).group()

    def overwrite():
        with open(b.path('p.cim'), 'r+b') as f:
            f.write(b'\x55' * len(b.read('p.cim')))
    code, out, err = while_it_waits(b, ['sim', 'p.cim'], overwrite)
    b.equal((code, err), (0, ''), 'exit code and messages')
    b.contains(out, cycles)


# Every command that writes files, and what.
WRITERS = [(['compile', 'm.onnx', '-o', 'out'], 'out'), (['compile', 'm.onnx', '-o', 'p', '--schedule-out', 'out'], 'out'),
           (['compile', 'm.onnx', '-o', 'p', '--schedule-svg', 'out'], 'out'), (['compile', 'm.onnx', '-o', 'p', '--trace', 'out'], 'out'),
           (['compile', 'm.onnx', '-o', 'p', '--extra-pes', '4', '--lp-file', 'out'], 'out'), (['report', 'm.onnx', '-o', 'out'], 'out'),
           (['run', 'm.onnx', '--input-fill', 'ramp', '-o', 'out'], 'out'), (['opt', 'm.onnx', '-o', 'out'], 'out'),
           (['dis', 'p.cim', '-o', 'out'], 'out'), (['asm', 'p.asm', '-o', 'out'], 'out'),
           (['sim', 'p.cim', '--times', 'out'], 'out'),
           (['sim', 'p.cim', '--input-fill', 'ramp', '--save-outputs', 'out'], 'out'), (['dump', 'p.cim', '-o', 'out', '--format=bin'], 'out')]


def writable(b):
    with open(b.model, 'rb') as f:
        b.write('m.onnx', f.read())
    b.run('compile', 'm.onnx', '-o', 'p.cim')
    b.run('dis', 'p.cim', '-o', 'p.asm')
    return sorted(os.listdir(b.folder))


def full_device(b):
    """every command that writes files says when the device is full"""
    writable(b)
    for arguments, _ in WRITERS[:-2]:    # the last two write folders
        done = b.run(*['/dev/full' if a == 'out' else a for a in arguments], code=1)
        b.contains(done.stderr, '/dev/full: error: cannot write: No space left on device [io]')
    # A full file system cuts what goes into a folder: a limit on the size of files does the same.
    for arguments, _ in WRITERS:
        before = sorted(os.listdir(b.folder))
        done = subprocess.run([b.cimc, *arguments], cwd=b.folder, capture_output=True, text=True,
                              preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                  resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))))
        b.equal(done.returncode, 1, ' '.join(arguments) + ': exit code')
        b.expect(re.search(r'error: cannot write.*: File too large \[io\]', done.stderr), ' '.join(arguments) + ': ' + done.stderr)
        stay = [x for x in sorted(os.listdir(b.folder)) if x not in before]
        b.expect(not stay or (stay == ['out'] and os.path.isdir(b.path('out')) and not os.listdir(b.path('out'))),
                 '%s: %s stays' % (' '.join(arguments), stay))


def sabotaged(b, arguments, **environment):
    done = subprocess.run([b.cimc, *arguments], cwd=b.folder, capture_output=True, text=True,
                          env=dict(os.environ, LD_PRELOAD=os.path.abspath(sys.argv[3]), **environment))
    return done.returncode, done.stderr


def is_sanitized(b):
    """AddressSanitizer has an allocator of its own and wants to be the first library."""
    with open(b.cimc, 'rb') as f:
        return b'__asan_init' in f.read()


def tree(path):
    """All of a file or folder, as something to compare."""
    if os.path.isdir(path):
        return {name: tree(os.path.join(path, name)) for name in os.listdir(path)}
    with open(path, 'rb') as f:
        return f.read()


def killed(b):
    """SIGKILL before any step of any command that writes files leaves what was there, or what is to be there, whole"""
    before = writable(b)
    for arguments, out in [] if is_sanitized(b) else WRITERS:
        arguments = arguments + ['--force'] * (arguments[0] == 'dump')
        b.run(*arguments)
        new = tree(b.path(out))
        if os.path.isdir(b.path(out)):
            b.write(os.path.join(out, 'program.json'), 'old')    # a dump's mark
        else:
            b.write(out, 'old')
        old, n, code = tree(b.path(out)), 0, -9
        while code == -9 and n < 400:
            n += 1
            code, _ = sabotaged(b, arguments, CIMC_KILL_AT=str(n))
            found = tree(b.path(out))
            if '--save-outputs' in arguments:    # a file each, in a folder that stays
                b.expect(all(found.get(name) in (new[name], old.get(name)) for name in new), 'sim: step %d' % n)
            else:
                b.expect(found in (old, new), '%s: step %d' % (' '.join(arguments), n))
        b.equal((code, n > 2), (0, True), '%s: the end, at step %d' % (' '.join(arguments), n))
        for name in set(os.listdir(b.folder)) - set(before):
            shutil.rmtree(b.path(name)) if os.path.isdir(b.path(name)) else os.unlink(b.path(name))


def no_memory(b):
    """an allocation that fails ends every command that writes files as out of memory, and nothing under a passing name stays"""
    before = writable(b)
    for arguments, _ in [] if is_sanitized(b) else WRITERS:
        n, code = 1, 3
        while code != 0 and n < 1000000:
            code, message = sabotaged(b, arguments, CIMC_FAIL_MALLOC=str(n))
            b.expect(code == 0 or (code == 3 and re.fullmatch(r'cimc: out of memory.*\n', message)) or
                     (code == 1 and message.endswith('Cannot allocate memory [io]\n')),
                     '%s: allocation %d: %d, %s' % (' '.join(arguments), n, code, message))
            b.equal([name for name in os.listdir(b.folder) if '.tmp' in name], [], '%s: allocation %d' % (' '.join(arguments), n))
            n = n * 3 + 1
        for name in set(os.listdir(b.folder)) - set(before):
            shutil.rmtree(b.path(name)) if os.path.isdir(b.path(name)) else os.unlink(b.path(name))


def all_pes(b):
    """with as many PEs as can be counted each product of the bundled network has a copy of its own: 7 layers, 7 cycles"""
    for objective, value in (('sum', 7), ('interval', 1), ('makespan', 7)):
        for number in (['--extra-pes', str(2**63 - 1)], ['--extra-pes', str(2**63 - 50)], ['--pes', str(2**63 - 2)]):
            got = json.loads(b.run('compile', b.model, '-o', 'p.cim', '--json', '--duplicate', objective, *number).stdout)
            b.equal((got['duplication']['value'], got['makespan_cycles']), (value, 7), '%s %s' % (objective, ' '.join(number)))


def dangling_link(b):
    """an output through a link that leads nowhere yet makes the link's target, also through several folders"""
    os.makedirs(b.path('a/b'))
    os.symlink('a/next', b.path('link'))
    os.symlink('b/target', b.path('a/next'))
    b.write('g.ir', 'graph "g" tensor {\n  %0 = input {index=0, dtype="f32", shape=[1]} : f32[1]\n  output %0 {index=0, dtype="f32", shape=[1]}\n}\n')
    b.run('opt', 'g.ir', '--passes=dce', '-o', 'link')
    b.equal(b.read('a/b/target').decode().split()[:2], ['graph', '"g"'], 'the target')
    b.expect(os.path.islink(b.path('link')) and os.path.islink(b.path('a/next')), 'the links stay')
    os.symlink('round', b.path('round'))
    b.fails('opt', 'g.ir', '--passes=dce', '-o', 'round', code=1,
            message='round: error: cannot write: Too many levels of symbolic links [io]')
    b.expect(os.path.islink(b.path('round')), 'a link to itself stays')


CASES = [value_ranges, open_quote, large_header, many_outputs, many_readers, many_uses, many_sets, cut_file, changed_file, full_device, killed, no_memory, all_pes, dangling_link]

if __name__ == '__main__':
    sys.exit(run_cases(CASES))
