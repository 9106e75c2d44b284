# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Progress on a terminal: there for long work, gone at the end, and never anywhere else.

usage: progress_test.py CIMC ROOT
"""
import os
import pty
import re
import select
import subprocess
import sys
import time

from bench import Tap, run_cases


def on_terminal(b, arguments, environment=None, stdout=subprocess.PIPE):
    """Standard error is a terminal; returns exit code, what the terminal got, standard output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([b.cimc, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=theirs, cwd=b.folder,
                               env={**os.environ, 'TERM': 'xterm', 'NO_COLOR': '', **(environment or {})})
    os.close(theirs)
    shown, data, streams = b'', b'', [ours] + ([process.stdout.fileno()] if process.stdout else [])
    while streams:
        for stream in select.select(streams, [], [], 120)[0] or [None]:
            try:
                piece = os.read(stream, 65536) if stream is not None else b''
            except OSError:  # the other end of the terminal is closed
                piece = b''
            if not piece:
                streams = [s for s in streams if s != stream] if stream is not None else []
            elif stream == ours:
                shown += piece
            else:
                data += piece
    os.close(ours)
    if process.stdout:
        process.stdout.close()
    return process.wait(120), shown.decode(), data.decode(errors='replace')


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def field(number, data):
    """A field of a protobuf message: a number, or bytes."""
    return varint(number << 3) + varint(data) if isinstance(data, int) else varint(number << 3 | 2) + varint(len(data)) + data


def value(name, shape):
    dims = b''.join(field(1, field(1, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def write_model(b, side, n_layers=8):
    """Convolutions 1x1, one after the other, of a side x side picture."""
    shape = (1, 1, side, side)
    graph = field(2, b'long') + field(5, field(1, 1) * 4 + field(2, 1) + field(8, b'w') + field(9, b'\0\0\x80?'))
    for i in range(n_layers):
        graph += field(1, field(1, b'v%d' % i) + field(1, b'w') + field(2, b'v%d' % (i + 1)) + field(3, b'c%d' % i) + field(4, b'Conv'))
    graph += field(11, value(b'v0', shape)) + field(12, value(b'v%d' % n_layers, shape))
    return b.write('long.onnx', field(1, 8) + field(7, graph) + field(8, field(2, 13)))


SIDES = 100, 160, 200, 250, 320, 500, 750
too_small = []  # those that this build does in a second


def long_model(b):
    """A model whose pixels keep this build on this machine busy for more than a second."""
    for side in SIDES[len(too_small):]:
        model, start = write_model(b, side), time.monotonic()
        b.equal(b.run('compile', model, '--mapping=im2col', '--set=pixel', '-o', 'p.cim', environment={'TERM': 'xterm', 'NO_COLOR': ''}).stderr, '',
                'standard error in a pipe')
        if time.monotonic() - start > 1 or side == SIDES[-1]:
            break
        too_small.append(side)
    return model


def shown_and_erased(b):
    """compile and run of a long model draw a line on the terminal, and the terminal is left as if they had not"""
    for arguments, works in ((['compile', '-o', 'p.cim'], ['schedule', 'write instructions', 'check']),
                             (['run', '--input-fill=ramp'], ['simulate'])):
        while True:
            model = long_model(b)
            code, shown, data = on_terminal(b, arguments + [model, '--mapping=im2col', '--set=pixel'])
            if any(work in shown for work in works) or len(too_small) == len(SIDES) - 1:
                break
            too_small.append(SIDES[len(too_small)])  # the machine was slower when its time was taken
        b.equal(code, 0, 'exit code; ' + shown[-500:])
        b.contains(data, '8 base layers')
        b.expect('\x1b' not in data, 'escape codes in the table')
        drawn = re.findall(r'\r(\w[\w: ]*?) +(?:\[[#-]{24}\] +\d+ %|\.\.\.)\x1b\[K', shown)
        b.expect(any(work in line for line in drawn for work in works), '%s: %r' % (arguments, shown[:500]))
        b.expect(len(drawn) < 600, '%d lines drawn' % len(drawn))
        b.equal(re.sub(r'\r[^\r\x1b]*\x1b\[K', '', shown), '', 'what else was written')
        b.expect(shown.endswith('\r\x1b[K'), 'not erased: %r' % shown[-100:])


def not_where_unwanted(b):
    """no progress for short work, with NO_COLOR, on dumb terminals, with --quiet"""
    model = long_model(b)
    b.equal(on_terminal(b, ['compile', b.model, '-o', 'p.cim'])[:2], (0, ''), 'short work')
    arguments = ['compile', model, '--mapping=im2col', '--set=pixel', '-o', 'p.cim']
    b.equal(on_terminal(b, arguments, {'NO_COLOR': '1'})[:2], (0, ''), 'NO_COLOR')
    b.equal(on_terminal(b, arguments, {'TERM': 'dumb'})[:2], (0, ''), 'TERM=dumb')
    b.equal(on_terminal(b, [*arguments, '-q'])[:2], (0, ''), '-q')


def messages_stay_whole(b):
    """a message after drawn progress begins at the start of its own line"""
    model = write_model(b, 330)
    code, shown, _ = on_terminal(b, ['run', model, '--set=pixel', '--input=absent.npy'])
    b.equal(code, 1, 'exit code')
    b.expect(re.search(r'(^|\x1b\[K)absent.npy: error: [^\r\x1b]*\r\n$', shown), repr(shown[-300:]))


def has_terminals():
    """A chroot without /dev/pts has none."""
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError:
        return False
    return True


CASES = [shown_and_erased, not_where_unwanted, messages_stay_whole]

if __name__ == '__main__':
    if has_terminals():
        sys.exit(run_cases(CASES))
    tap = Tap()
    for case in CASES:
        tap.point(case.__doc__.strip(), skip='no pseudo-terminal can be opened here')
    sys.exit(tap.finish())
