# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""usage: address_test.py CIMC ROOT

The address generator in SystemVerilog against section 4 of ISA.md written down in Python, with its `mod`: views at random (rings, frames, padding, pitches of every
sign), and those of compiled programs: the regions of their instructions, and the rows of each PE for corners and middles of the regions of its products. Skipped without Verilator.
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'interpreter'))
from instruction_set import read_operations  # noqa: E402
from interpret import read_text  # noqa: E402
from program_file import read_fields, read_program  # noqa: E402
from streams import add_instructions  # noqa: E402
from tap import Tap  # noqa: E402
from verilated import Bench, pack  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MOST, ALL = 400, (1 << 40) - 1
WALK = ('count', 'first_c', 'first_x', 'first_y', 'n_c', 'n_x', 'n_y', 'c', 'x', 'y', 'frame', 'step_x', 'step_y')
MODELS = (('mlperf-tiny-resnet8-int8', ('--frames', '3')), ('mlperf-tiny-dscnn-kws-int8', ()), ('torch-unet-op13', ()))


class View(dict):
    __getattr__ = dict.__getitem__


def view_of(v):
    """With what follows from it."""
    return View(v, slot0=-v['ring_origin'] % v['ring_rows'], frame_step=v['frame_rows'] % v['ring_rows'])


def walk(y=0, x=0, c=0, n_y=1, n_x=1, n_c=1, step_y=1, step_x=1, first_y=0, first_x=0, first_c=0, count=ALL, frame=0):
    return dict(locals())


def elements(v, w):
    """(address or None, held, inside) of each element of the walk."""
    result = []
    at = (w['first_y'] * w['n_x'] + w['first_x']) * w['n_c'] + w['first_c']
    for k in range(at, min(at + w['count'], w['n_y'] * w['n_x'] * w['n_c'])):
        y, x = w['y'] + k // w['n_c'] // w['n_x'] * w['step_y'], w['x'] + k // w['n_c'] % w['n_x'] * w['step_x']
        held = v.y0 <= y < v.y1 and v.x0 <= x < v.x1
        slot = (w['frame'] * v.frame_rows + y - v.ring_origin) % v.ring_rows
        address = v.address + slot * v.row_pitch + (x - v.x0) * v.col_pitch + (w['c'] + k % w['n_c']) * v.channel_pitch
        result.append((address if held else None, held, 0 <= y < v.height and 0 <= x < v.width))
    return result


def random_walks(chance):
    for _ in range(600):
        height, width, channels = chance.randrange(1, 40), chance.randrange(1, 30), chance.randrange(1, 9)
        y0, x0 = chance.randrange(height), chance.randrange(width)
        y1, x1 = chance.randrange(y0, height + 1), chance.randrange(x0, width + 1)
        sign = [chance.choice((1, 1, 1, 0, -1)) for _ in range(3)]
        v = view_of(dict(address=chance.choice((1 << 20, 1 << 39)), ring_rows=chance.choice((1, 2, 3, 5, 7, 8, 40, chance.randrange(1, 60))),
                         ring_origin=chance.randrange(-50, 50), y0=y0, y1=y1, x0=x0, x1=x1, height=height, width=width, channels=channels,
                         row_pitch=sign[0] * 4 * channels * width, col_pitch=sign[1] * 4 * channels, channel_pitch=sign[2] * 4, pad_value=0, value=0,
                         channel0=0, element=0, frame_rows=chance.choice((0, 0, 1, height, chance.randrange(100)))))
        w = walk(y=chance.randrange(-5, height + 3), x=chance.randrange(-5, width + 3), c=chance.randrange(channels), n_y=chance.randrange(1, 8),
                 n_x=chance.randrange(1, 8), n_c=chance.randrange(1, 5), step_y=chance.choice((1, 1, 2, 9)), step_x=chance.choice((1, 1, 2, 5)),
                 frame=chance.choice((0, 0, 1, 5, (1 << 20) - 1)) if v.frame_rows else 0)
        if chance.randrange(2):
            w.update(first_y=chance.randrange(w['n_y']), first_x=chance.randrange(w['n_x']), first_c=chance.randrange(w['n_c']))
            w['count'] = chance.randrange(1, 60)
        yield v, w


def program_walks(bench, model, options, chance):
    program_path = bench.path('model.cim')
    bench.run('compile', model, '-o', program_path, *options)
    operations = read_operations(read_text('backend', 'isa', 'ISA.md'))
    with open(program_path, 'rb') as f:
        program = read_program(f.read(), read_text('proto', 'program.proto'), read_fields(read_text('ir', 'arch', 'ARCH.md')))
    names = 'ring_rows ring_origin y0 y1 x0 x1 height width channels row_pitch col_pitch channel_pitch pad_value value channel0 element frame_rows'.split()
    for tile in add_instructions(program, operations).tiles:
        views = [view_of(dict({n: getattr(v, n) for n in names}, address=v.address)) for v in tile.views]
        chosen = tile.instructions if len(tile.instructions) < 150 else chance.sample(tile.instructions, 150)
        for i in chosen:
            frame = chance.randrange(program.frames) if program.frames else 0
            for region in (i.dst, i.a if i.op not in ('vwin', 'vgat') else None):
                if region:
                    v = views[region[0]]
                    yield v, walk(y=region[1], x=region[2], n_y=i.h, n_x=i.w, n_c=v.channels, count=MOST, frame=frame)
            if i.op == 'mvm':
                yield from product_walks(tile.groups[i.obj], views, i, frame, chance)


def product_walks(g, views, i, frame, chance):
    """Rows of each PE for a corner and a pixel of the region, of groups without patches."""
    if g.patch_h > 1 or g.patch_w > 1 or len(g.pes) == 0:
        return
    channels = g.in_channels // (g.conv_groups or 1)
    for oy, ox in ((i.dst[1], i.dst[2]), (i.dst[1] + chance.randrange(i.h), i.dst[2] + chance.randrange(i.w))):
        for pe in g.pes:
            if not pe.runs:
                yield views[g.source_view], walk(
                    y=oy * g.stride_h - g.pad_top, x=ox * g.stride_w - g.pad_left, c=-g.source_channel0, n_y=g.kernel_h, n_x=g.kernel_w, n_c=channels,
                    step_y=g.dilation_h, step_x=g.dilation_w, first_y=pe.k0 // channels // g.kernel_w, first_x=pe.k0 // channels % g.kernel_w,
                    first_c=pe.k0 % channels, count=min(pe.k, MOST), frame=frame)


def check(bench, program, name, walks, tap):
    bits = dict(count=40, frame=24, step_x=16, step_y=16)
    with open(bench.path('walks.hex'), 'w', encoding='ascii') as f:
        for v, w in walks:
            word, at = 0, 0
            for field in WALK:
                word |= (w[field] & (1 << bits.get(field, 24)) - 1) << at
                at += bits.get(field, 24)
            f.write('%x\n' % (word | pack(bench.package, 'view', v) << at))
    said = bench.simulate(program, ['+walks=' + bench.path('walks.hex'), '+n=%d' % len(walks), '+out=' + bench.path('out')])
    found = [[] for _ in walks]
    with open(bench.path('out'), encoding='ascii') as f:
        for line in f:
            k, address, held, inside = (int(t) for t in line.split())
            found[k].append((address if held else None, bool(held), bool(inside)))
    problems, total = [], 0
    for (v, w), got in zip(walks, found):
        want = elements(v, w)
        total += len(want)
        if got != want:
            at = next((k for k, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            problems.append('view %s, walk %s: element %d of %d is %s, not %s' % (dict(v), w, at, len(want), got[at:at + 1], want[at:at + 1]))
    tap.point('address: %s, %d walks of %d elements' % (name, len(walks), total), problems[:5])
    print('# ' + said.splitlines()[0])


def main():
    cimc, root = sys.argv[1:]
    tap, chance = Tap(), random.Random(3)
    with tempfile.TemporaryDirectory(prefix='cimc-rtl-') as scratch:
        bench = Bench(cimc, root, scratch)
        if not bench.can_simulate():
            tap.point('address', skip='verilator is not installed')
            return tap.finish()
        program = bench.build('address_tb', [bench.package_path, os.path.join(HERE, 'address.sv'), os.path.join(HERE, 'address_tb.sv')])
        check(bench, program, 'at random', list(random_walks(chance)), tap)
        digits = os.path.join(root, 'benchmarks', 'digits', 'digits.onnx')
        for options in ((), ('--frames', '3')):
            check(bench, program, ' '.join(('digits',) + options), list(program_walks(bench, digits, options, chance)), tap)
        for name, options in MODELS:
            if bench.model(name):
                check(bench, program, ' '.join((name,) + options), list(program_walks(bench, bench.model(name), options, chance)), tap)
            else:
                tap.point('address: ' + name, skip='there is no %s in CIMC_MODELS or beside the tree' % name)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
