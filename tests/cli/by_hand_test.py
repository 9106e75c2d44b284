# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Programs as no compiler writes them: assembled, then proved, simulated, dumped and looked at.

usage: by_hand_test.py CIMC ROOT
"""
import json
import os
import sys

from bench import run_cases
from npy import npy, read_npy

HEAD = 'isa 2\narch "base: clsa\\n"\n'
NONE = 'node=4294967295'
WORD = 'channels=1, row_pitch=4, col_pitch=4, channel_pitch=4, value=4294967295'
PIXEL = 'ring_rows=1, y1=1, x1=1, height=1, width=1, ' + WORD


def assembled(b, text):
    b.write('p.asm', text)
    b.run('asm', 'p.asm', '-o', 'p.cim')


def tensor(number, output, index, n, more=''):
    return 'binding %d {output=%d, index=%d, name="%s%d", shape=[%d], stride_h=1, height=%d, width=1, channels=1, %s%s}\n' % (
        number, output, index, 'y' if output else 'x', index, n, n, NONE, more)


def later_slots(b):
    """a ring of which views show slot 1 alone, its rows 1 and 3: slot 0 would lie in front of the memory"""
    row = 'view %d {ring_rows=2, y0=%d, y1=%d, x1=1, height=4, width=1, ' + WORD + '}\n'
    assembled(b, HEAD + tensor(0, 0, 0, 2) + tensor(1, 1, 0, 2) + 'tile 0 {buffer_bytes=8}\n' + row % (0, 1, 2) + row % (1, 3, 4) +
              'q2.load b0 dst=v0(1,0) h=1 w=1\nq2.store b1 a=v0(1,0) h=1 w=1 y=1 wait q2>=1\n'
              'q2.load b0 dst=v1(3,0) h=1 w=1 y=1 wait q2>=2\nq2.store b1 a=v1(3,0) h=1 w=1 wait q2>=3\n')
    b.equal(b.run('check', 'p.cim').stdout, 'p.cim: form, progress, races: proved\n', 'proof')
    b.write('x.npy', npy('<f4', [2], [5, 7]))
    b.run('sim', 'p.cim', '--input', 'x.npy', '--save-outputs', 'out')
    b.equal(read_npy(b.read('out/output_0.npy')), ('<f4', [2], [7, 5]), 'values')


def one_row_a_frame(frames, rows, tiles=1, y0=0):
    """Each tile loads row y0 of a ring; the last one stores it."""
    ports = tensor(0, 0, 0, 1, ', frame_stride=1') + tensor(1, 1, 0, 1, ', frame_stride=1')
    view = 'view 0 {ring_rows=%d, frame_rows=%d, y0=%d, y1=%d, x1=1, height=%d, width=1, %s}\n' % (rows, y0 + 1, y0, y0 + 1, y0 + 1, WORD)
    load, store = 'q2.load b0 dst=v0(%d,0) h=1 w=1' % y0, ' wait q2>=0\nq2.store b1 a=v0(%d,0) h=1 w=1 wait q2>=1' % y0
    return 'isa 2\nframes %d\narch "base: clsa\\n"\n' % frames + ports + ''.join(
        'tile %d {buffer_bytes=%d}\n' % (k, 4 * rows) + view + load + (store if k == tiles - 1 else '') + '\n'
        for k in range(tiles))


def frames(b):
    """a program of frames: slot 1 alone is proved, and what is not is said; of an interval of 0 there is no rate"""
    assembled(b, one_row_a_frame(3, 2, y0=1))
    b.equal(b.run('check', 'p.cim').stdout,
            'p.cim: form, progress, races: proved\nnot proved: that no counter runs 2^21 ahead of a wait\n', 'proof')
    proof = json.loads(b.run('check', 'p.cim', '--json').stdout)
    b.equal([proof['proved'], proof['not_proved']], [['form', 'progress', 'races'], ['counter_lead']], 'proof')
    b.expect(b.run('sim', 'p.cim').stdout.splitlines()[2] == '3 frames: latency 0 cycles = 0 ps, one every 0 = 0 ps: - images/s; utilisation -',
             'frames')


def long_rings(b):
    """rings of millions of rows, whose state is never the same for millions of frames: refused, without a long look"""
    assembled(b, one_row_a_frame(4, 4194304, 5))
    b.fails('check', 'p.cim', code=1, message='p.cim: error: its buffers are too large to be checked frame by frame [check]')


def gaps(b):
    """an output whose index leaves out others: these have no values, no name, no file"""
    assembled(b, HEAD + 'section 0 "p" hex { 0000803f }\n' + tensor(0, 1, 2, 1) + 'tile 0 {buffer_bytes=4}\nview 0 {' + PIXEL + '}\n'
              'preload 0 {section=0, length=4}\nq2.store b0 a=v0(0,0) h=1 w=1\n')
    b.equal(b.run('sim', 'p.cim', '--save-outputs', 'out').stdout.splitlines()[0], "output 2 'y2' f32[1]: no reference", 'outputs')
    b.equal(os.listdir(b.path('out')), ['output_2.npy'], 'files')
    b.equal(read_npy(b.read('out/output_2.npy')), ('<f4', [1], [1]), 'value')
    outputs = json.loads(b.run('sim', 'p.cim', '--json').stdout)['outputs']
    b.equal([(y['name'], y['shape']) for y in outputs], [('', []), ('', []), ('y2', [1])], 'JSON')
    b.run('dump', 'p.cim', '-o', 'dump', '--input-fill', 'ramp')
    b.equal([name for name in sorted(os.listdir(b.path('dump'))) if name.startswith('output')], ['output_2.bin', 'output_2.hex'], 'dump')
    trials = b.run('sim', 'p.cim', '--trials', '2').stdout
    b.expect("output 2 'y2': no reference\n" in trials and 'output 0' not in trials, trials)


def times_alone(b):
    """without weights and without an input: times, as with an input that has no values"""
    for n_inputs in (0, 1):
        assembled(b, 'isa 2\nno_weights 1\npes 1\narch "base: clsa\\nmvm_cycles: 7\\n"\nsection 0 "w" hex { }\nimage 0 {k=1, n=1, %s}\n' % NONE +
                  tensor(0, 0, 0, 1) * n_inputs + 'tile 0 {buffer_bytes=8}\nview 0 {' + PIXEL + '}\nview 1 {address=4, ' + PIXEL + '}\n'
                  'group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1}]\n'
                  'q0.mvm g0 dst=v1(0,0) h=1 w=1\n')
        b.contains(b.run('sim', 'p.cim').stdout, 'no values, so times only', 'cycles: 7 simulated', 'utilisation 100 %')
    b.contains(b.run('sim', 'p.cim', '--input-fill', 'ramp', code=1).stderr, 'weights are missing')


def busy_for_long(b):
    """busy cycles of all PEs beyond 2^64: 69 products of 4095 x 65535 pixels on 1,024 PEs, all of which are busy all the time"""
    pes = ', '.join('{k0=%d, k=1, n=1, pe=%d}' % (i, i) for i in range(1024))
    large = 'ring_rows=4095, y1=4095, x1=65535, height=4095, width=65535, channels=%d, value=4294967295'
    assembled(b, 'isa 2\nno_weights 1\npes 1024\narch "base: clsa\\ncrossbars: 1024\\nmvm_cycles: 1000000\\n"\nsection 0 "w" hex { }\n'
              'image 0 {k=1024, n=1, %s}\n' % NONE + tensor(0, 0, 0, 1) + 'tile 0 {buffer_bytes=2000000000}\nview 0 {' + large % 1024 +
              '}\nview 1 {row_pitch=262140, col_pitch=4, address=65536, ' + large % 1 + '}\n'
              'group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1024} [' + pes + ']\n' +
              'q0.mvm g0 dst=v1(0,0) h=4095 w=65535\n' * 69)
    b.contains(b.run('sim', 'p.cim').stdout, 'cycles: %d simulated' % (69 * 4095 * 65535 * 1000000), 'utilisation 100 %')


def no_tile(b):
    """a program without tiles: there is none to look at"""
    assembled(b, HEAD)
    for arguments in (['dump', 'p.cim', '--cells', '0.0'], ['dis', 'p.cim', '--tile', '0'], ['where', 'p.cim', '--tile', '0', '--pe', '0', '--cell', '0,0']):
        b.fails(*arguments, code=1, message='cimc: error: there is no tile 0, there is none [where]')


def one_image(b):
    """where: groups that read one image in other ways are layers of their own"""
    group = 'group %d {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=%d, x_bits=8%s} [{k=4, n=4, pe=%d}]\n'
    assembled(b, 'isa 2\narch "base: clsa\\nweight_bits: 8\\n"\nnode 0 {name="conv"}\n'
              'section 0 "w" hex { 0102030405060708 090a0b0c0d0e0f10 }\nimage 0 {k=4, n=4, element=i8}\ntile 0 {buffer_bytes=256}\n'
              'view 0 {ring_rows=8, y1=8, x1=8, height=8, width=8, channels=4, row_pitch=32, col_pitch=4, channel_pitch=1, value=4294967295, element=u8}\n' +
              group % (0, 4, '', 0) + group % (1, 1, ', patch_h=2, patch_w=2', 1))
    # Of one pixel a weight of 4 x 4; of the patch's four pixels the same 1 x 1 weight, each for its own row and column.
    b.contains(b.run('where', 'p.cim', '--tile', '0', '--pe', '0', '--cell', '3,3').stdout, "layer 0 'conv', row 3 of 4, column 3 of 4: 16\n")
    found = json.loads(b.run('where', 'p.cim', '--tile', '0', '--pe', '1', '--cell', '3,3', '--json').stdout)
    b.equal([found[k] for k in ('layer_number', 'rows', 'columns', 'patch', 'row', 'column')], [1, 1, 1, [2, 2], 0, 0], 'layer and weight')
    b.equal([(p['pe'], p['crossbar_row'], p['pixel']) for p in found['places']], [(1, 0, [0, 0]), (1, 1, [0, 1]), (1, 2, [1, 0]), (1, 3, [1, 1])], 'places')


if __name__ == '__main__':
    sys.exit(run_cases([later_slots, frames, long_rings, gaps, times_alone, busy_for_long, no_tile, one_image]))
