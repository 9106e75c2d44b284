#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Streams, byte by byte: sections built by hand from the text, and the instructions that the text says they are.

usage: streams_test.py
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, os.pardir))
from instruction_set import read_operations  # noqa: E402
from interpret import read_text  # noqa: E402
import streams  # noqa: E402
from program_file import Fault  # noqa: E402
from tap import Tap  # noqa: E402

OPERATIONS = read_operations(read_text('backend', 'isa', 'ISA.md'))
CODES = {o.name: code for code, o in OPERATIONS.items()}


def pack(*parts):
    """(value, bits)..., least significant first."""
    value = at = 0
    for part, bits in parts:
        value |= (part & (1 << bits) - 1) << at
        at += bits
    assert at % 8 == 0
    return value.to_bytes(at // 8, 'little')


def common(op, queue=0, obj=0, dst=0, a=0, b=0, flags=0, stage=0):
    return (CODES[op], 5), (queue, 7), (flags, 4), (stage, 5), (obj, 10), (dst, 10), (a, 10), (b, 10)


def short(op, xs=0, x1=0, ys=0, y1=0, w=0, **fields):
    return pack(*common(op, **fields), (xs, 14), (x1, 14), (ys, 13), (y1, 13), (w, 13))


def long(op, xs, x1, ys, y1, w, h, w_first=None, w_last=None, h_first=None, h_last=None, gap=0, extension=0, rest=0, **fields):
    w_first, w_last = (w if v is None else v for v in (w_first, w_last))
    h_first, h_last = (h if v is None else v for v in (h_first, h_last))
    return pack(*common(op, **fields), (xs, 23), (x1, 23), (ys, 23), (y1, 23), (w, 16), (w_first, 16), (w_last, 16),
                (h, 12), (h_first, 12), (h_last, 12), (gap, 4), (extension, 15))


def extension(a=(0, 0), b=(0, 0), c=0, rest=0):
    return pack((a[0], 24), (a[1], 24), (b[0], 24), (b[1], 24), (c, 24), (rest, 8))


NONE, BYTE, THREE = (0, 0, 0), 2, 3


def wait(counter, value, mode=1):
    return counter, mode, value


def small(walker, w=NONE):
    return pack((walker, 8), (w[0], 10), (w[1], 2), (w[2], 12))


def large(walker, first, second=NONE, more=0):
    return pack((walker, 14), (more, 2), *zip(first + second, (10, 2, 12) * 2))


def section(walkers=(), templates=(), stream='', phrases=(), memory='', extensions=()):
    """walkers and templates: the short ones first; phrases: (start, length)."""
    stream, memory = bytes.fromhex(stream), bytes.fromhex(memory)
    shorts, smalls = sum(len(w) == 16 for w in walkers), sum(len(t) == 4 for t in templates)
    counts = (shorts, len(walkers) - shorts, len(extensions), smalls, len(templates) - smalls, len(phrases), len(memory), len(stream))
    phrases = [pack((start, 20), (length, 12)) for start, length in phrases]
    return b''.join([*(n.to_bytes(4, 'little') for n in counts), *walkers, *extensions, *templates, *phrases, memory, stream])


def text(i):
    """As the assembler prints it, more or less."""
    parts = ['q%d.%s' % (i.queue, i.op)] + ['%s=v%d(%d,%d)' % ((name,) + region) for name, region in (('dst', i.dst), ('a', i.a), ('b', i.b)) if region]
    parts += ['%dx%d' % (i.h, i.w)] * bool(i.h) + ['from(%d,%d,%d)' % (i.y, i.x, i.c)] * bool(i.y or i.x or i.c)
    parts += ['stage=%d' % i.stage] * bool(i.stage)
    return ' '.join(parts + ['%s%d>=%d' % ('i' if c >= 128 else 'q', c, t) for c, t in i.waits])


EXAMPLE = section(
    [long('load', 0, 2, 0, 2, 2, 2, queue=3), long('mvm', 0, 2, 0, 2, 2, 2, dst=1), long('vmap', 0, 2, 0, 2, 2, 2, queue=1, dst=1, a=1),
     long('store', 0, 2, 0, 2, 2, 2, queue=3, obj=1, a=1)],
    [bytes.fromhex(t) for t in ('00000000', '01030400', '02000400', '03010400')], '00010203ff')
SIGNALS = [short('signal', queue=1), short('wait', queue=2)]
ROWS = [short('mvm', 3, 10, 1, 3, 3, dst=7)]        # columns 3..9, rows 1 and 2, three pixels a piece
ONE, TWO = [small(0)], [small(0), small(1)]

RIGHT = [
    ('the example of 5.6', EXAMPLE, ['q3.load dst=v0(0,0) 2x2', 'q0.mvm dst=v1(0,0) 2x2 q3>=1',
                                     'q1.vmap dst=v1(0,0) a=v1(0,0) b=v0(0,0) 2x2 q0>=1', 'q3.store a=v1(0,0) 2x2 q1>=1']),
    ('a raster and round again', section(ROWS, ONE, 'f10300ff'),
     ['q0.mvm dst=v7(%d,%d) 1x%d' % p for p in ((1, 3, 3), (1, 6, 3), (1, 9, 1), (2, 3, 3), (2, 6, 3), (2, 9, 1), (1, 3, 3))]),
    ('first and last extents, and a gap', section(
        [long('mvm', 0, 10, 0, 9, 3, 2, w_first=4, w_last=5, h_first=1, h_last=3, gap=1)], ONE, 'f10400ff'),
     # x: 4 wide at 0, then 6 are left: 3 wide at 4, then 3 <= 5 are left. y: 1 high at 0, gap, 2 high at 2, gap, 4 are left: 2 high at 5, gap, 1 <= 3 is left
     ['q0.mvm dst=v0(%d,%d) %dx%d' % p for p in ((0, 0, 1, 4), (0, 4, 1, 3), (0, 7, 1, 3), (2, 0, 2, 4), (2, 4, 2, 3), (2, 7, 2, 3), (5, 0, 2, 4), (5, 4, 2, 3))]),
    ('SET, and on from there', section(ROWS, ONE, '00 f0 0000 020000 060000 0400 0200 00 00 ff'),
     # 4 x 2 at (2, 6) reaches the end of its row, then h' = 2 and y >= y1
     ['q0.mvm dst=v7(1,3) 1x3', 'q0.mvm dst=v7(2,6) 2x4', 'q0.mvm dst=v7(1,3) 1x3']),
    ('FRAME: what comes before it ends another frame', section([short('mvm', 3, 10, 1, 3, 3, dst=7, stage=3), short('signal', queue=1, stage=1)], TWO,
                                                               '00 01 00 f00080 00 00 f00180 01 00 00 ff'),
     ['q0.mvm dst=v7(2,6) 1x3 stage=3', 'q1.signal stage=1', 'q0.mvm dst=v7(2,9) 1x1 stage=3', 'q0.mvm dst=v7(1,3) 1x3 stage=2', 'q0.mvm dst=v7(1,6) 1x3 stage=2',
      'q1.signal', 'q0.mvm dst=v7(1,9) 1x1 stage=2', 'q0.mvm dst=v7(2,3) 1x3 stage=2']),
    ('origins of an extension', section(
        [long('vmap', 5, 6, 5, 6, 1, 1, queue=1, dst=1, a=2, b=3, extension=1), long('load', 5, 6, 5, 6, 1, 1, queue=3, dst=1, extension=2),
         long('store', 5, 6, 5, 6, 1, 1, queue=3, a=1, extension=3), long('vwin', 5, 6, 5, 6, 1, 1, queue=1, dst=1, a=2)],
        [small(k) for k in range(4)], '00010203ff', extensions=[extension((-9, 1), (1 << 22, -2)), extension((-5, 2), c=70000), extension((0, 1 << 22))]),
     ['q1.vmap dst=v1(5,5) a=v2(-4,6) b=v3(4194309,3) 1x1', 'q3.load dst=v1(5,5) 1x1 from(0,7,70000)',
      'q3.store a=v1(5,5) 1x1 from(5,4194309,0)', 'q1.vwin dst=v1(5,5) a=v2(0,0) 1x1']),
    ('waits on own queues', section(SIGNALS, [small(0), small(1, wait(1, 0)), small(1, wait(1, 1)), small(1, wait(2, 0, BYTE))], '00 01 00 02 03 02 ff'),
     # dispatched[1] is 1, then 2; dispatched[2] is 2 before the last
     ['q1.signal', 'q2.wait q1>=1', 'q1.signal', 'q2.wait q1>=1', 'q2.wait q2>=0']),
    ('waits on messages', section(SIGNALS, [small(1, wait(130, 3)), small(1, wait(130, 0, BYTE)), small(1, wait(130, 0, THREE)), small(1, wait(131, 1))],
                                  '00 01 ff 02 feffff 03 00 02 000001 ff'),
     ['q2.wait i%d>=%d' % w for w in ((130, 3), (130, 258), (130, 256), (131, 1), (130, 259), (130, 65795))]),
    ('eight waits', section(SIGNALS, [large(1, wait(130, 1), wait(131, 0, BYTE), 3), large(0, wait(132, 3), wait(133, 4)), large(0, wait(134, 0, BYTE), wait(135, 6)),
                                      large(0, NONE, wait(137, 8)), large(0, wait(138, 9))], '00 02 05 04 ff'),
     ['q2.wait i130>=1 i131>=2 i132>=3 i133>=4 i134>=5 i135>=6 i137>=8', 'q1.signal i138>=9']),
    ('phrases in phrases', section(SIGNALS, TWO, '05 02 ff', [(0, 1), (0, 2), (2, 4), (6, 1)], '00 01 f2020003 04'),
     # 2: the first byte. 3: both. 4: twice 3. 5: 4
     ['q1.signal', 'q2.wait'] * 2 + ['q1.signal']),
    ('bytes of a phrase', section(SIGNALS, [small(1, wait(130, 0, BYTE))], 'f1 00 01 ff', [(1, 2)], '00 00 01'), ['q2.wait i130>=%d' % n for n in (1, 2, 3, 4)]),
    ('numbers of three bytes', section(SIGNALS, [small(0)] * 3056 + [small(1)], 'f3 00 fe 0000 ff'), ['q1.signal', 'q2.wait']),
    ('numbers of two bytes', section(SIGNALS, [small(0)] * 500 + [small(1)], 'f3 00 f4 04 f4 05 ff', [(0, 1)], '00'), ['q1.signal', 'q2.wait', 'q1.signal']),
]
FOUR = [(k, 1) for k in range(5)]
WRONG = [
    ('no HALT', section(ROWS, ONE, '00'), 'HALT is missing'),
    ('bytes behind HALT', section(ROWS, ONE, 'ff00'), 'HALT in front'),
    ('HALT in a phrase', section(ROWS, ONE, '01ff', [(0, 1)], 'ff'), 'HALT in front'),
    ('a length', EXAMPLE + b'\0', 'the section'),
    ('an operation that does not exist', section([pack((16, 128))], ONE, 'ff'), 'operation 16'),
    ('a view that an operation does not have', section([short('mvm', 0, 1, 0, 1, 1, a=1)], ONE, 'ff'), 'has no a'),
    ('a region that an operation does not have', section([short('wait', 0, 1, 0, 1, 1)], ONE, 'ff'), 'no region'),
    ('the rest of an extension', section([long('mvm', 0, 1, 0, 1, 1, 1)], ONE, 'ff', extensions=[extension(rest=1)]), 'bits set'),
    ('an extension that does not exist', section([long('mvm', 0, 1, 0, 1, 1, 1, extension=1)], ONE, 'ff'), 'extension'),
    ('a walker that does not exist', section(ROWS, [small(1)], 'ff'), 'names walker 1'),
    ('beyond the end of a row', section([short('mvm', 0, 10, 0, 1, 4)], ONE, '00 f0 0000 000000 080000 0400 0100 00 00 ff'), 'w -2'),
    ('no rows', section([short('mvm', 0, 2, 3, 3, 1)], ONE, '00ff'), 'h 0'),
    ('a value in no wait', section(ROWS, [small(0, wait(0, 1, 0))], 'ff'), 'mode 0'),
    ('a counter in no wait', section(ROWS, [small(0, wait(5, 0, 0))], 'ff'), 'counter 5'),
    ('a last template that goes on', section(ROWS, [large(0, NONE, more=1)], 'ff'), 'goes on'),
    ('a symbol that continues another', section(ROWS, [large(0, NONE, more=1), large(0, NONE)], '01ff'), 'continues'),
    ('a phrase that does not exist', section(ROWS, ONE, '01ff'), 'no phrase'),
    ('a phrase of no bytes', section(ROWS, ONE, 'ff', [(0, 0)], '00'), 'no bytes'),
    ('a phrase beyond its memory', section(ROWS, ONE, 'ff', [(1, 1)], '00'), 'beyond its memory'),
    ('five open phrases', section(ROWS, ONE, '05ff', FOUR, '0001020304'), 'depth 4'),
    ('a phrase that opens itself', section(ROWS, ONE, '01ff', [(0, 1)], '01'), 'depth 4'),
    ('a run of nothing', section(ROWS, ONE, 'f2000000ff'), 'run of nothing'),
    ('a run of a run', section(ROWS, ONE, 'f101f10100ff'), 'follows a run'),
    ('a run of SET', section(ROWS, ONE, 'f101f0' + '00' * 12 + 'ff'), 'follows a run'),
    ('a run of a symbol with bytes', section(ROWS, [small(0, wait(0, 0, BYTE))], 'f1010000ff'), 'takes bytes'),
    ('a symbol without its byte', section(ROWS, [small(0, wait(0, 0, BYTE))], '01ff', [(0, 1)], '00'), 'cut off'),
    ('SET of a walker that does not exist', section(ROWS, ONE, 'f00100' + '00' * 10 + 'ff'), 'SET of walker'),
    ('SET of a walker without region', section(SIGNALS, ONE, 'f00100' + '00' * 10 + 'ff'), 'without effect'),
    ('SET twice', section(ROWS, ONE, ('f0' + '00' * 8 + '01000100') * 2 + 'ff'), 'without effect'),
    ('SET at the end', section(ROWS, ONE, 'f0' + '00' * 8 + '01000100' + 'ff'), 'without effect'),
    ('SET of no columns', section(ROWS, ONE, 'f00000 010000 030000 0000 0100 00 ff'), 'w 0'),
    ('FRAME without a stage left', section(ROWS, ONE, '00f0008000ff'), 'no stage left'),
    ('FRAME of a walker that does not exist', section(ROWS, ONE, '00f0018000ff'), 'FRAME of walker'),
    ('FRAME between SET and its instruction', section([short('mvm', 0, 1, 0, 9, 1, stage=1)], ONE, 'f0' + '00' * 8 + '01000100' + 'f0008000ff'), 'is SET'),
    ('a queue that counts too far', section(SIGNALS, ONE, '02ff', [(0, 4), (4, 4)], 'f2200000 f2200001'), 'too many'),
]


def main():
    streams.MOST_IN_QUEUE = 1000    # 2^21 take Python seconds
    tap = Tap()
    for what, data, wanted in RIGHT:
        try:
            got = [text(i) for i in streams.decode(data, OPERATIONS)]
        except Fault as fault:
            got = [str(fault)]
        tap.point(what, [] if got == wanted else ['wanted %s, got %s' % (wanted, got)])
    for what, data, message in WRONG:
        problems = ['it is not found']
        try:
            streams.decode(data, OPERATIONS)
        except Fault as fault:
            problems = [] if message in str(fault) else ['the message: %s' % fault]
        tap.point('fault: ' + what, problems)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
