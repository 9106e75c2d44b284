"""Inputs that nobody means well: files that are empty, cut, huge, or in the way.

usage: hostile_test.py CIMC ROOT
"""
import sys

from bench import run_cases

HEAD = 'isa 1\narch "base: clsa\\n"\n'
PIXEL = 'ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4'


def value_ranges(b):
    """a program of 0, 1, 7, 8, 9, 16, 32 or 64 values without work is proved"""
    for n in (0, 1, 7, 8, 9, 16, 32, 64):
        nodes = ''.join('node %d {name="n%d", op="relu"}\n' % (i, i) for i in range(n))
        views = ''.join('view %d {address=%d, %s, value=%d}\n' % (i, 4 * i, PIXEL, i) for i in range(n))
        b.write('p.asm', HEAD + nodes + 'tile 0 {buffer_bytes=%d}\n' % (4 * n) + views + 'q0.halt\n')
        b.run('asm', 'p.asm', '-o', 'p.cim')
        b.equal(b.run('check', 'p.cim').stdout, 'p.cim: form, progress, races: proved\n', '%d values' % n)
    b.write('p.asm', HEAD)
    b.run('asm', 'p.asm', '-o', 'p.cim')
    b.equal(b.run('check', 'p.cim').stdout, 'p.cim: form, progress, races: proved\n', 'no tile')


def open_quote(b):
    """a string without end at the end of the text is reported where it begins"""
    b.write('p.asm', 'isa 1\nmodel   "')
    b.fails('asm', 'p.asm', '-o', 'p.cim', code=1,
            message='p.asm:2:9: error: expected a string, found a string without end [asm-syntax]')


CASES = [value_ranges, open_quote]

if __name__ == '__main__':
    sys.exit(run_cases(CASES))
