# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""usage: decoder_test.py CIMC ROOT

The stream decoder in SystemVerilog against the one of tests/interpreter, field by field, over the instructions of all iterations: the bundled model, with frames
too, run twice without a reset, with `ready` at all times and at random; streams with one byte changed must be told or give what the other one gives. With CIMC_MODELS (or shared/models beside
the tree) real models, too, of which it says how many clocks an instruction takes. Skipped without Verilator.
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'interpreter'))
from verilated import Bench  # noqa: E402
from instruction_set import read_operations  # noqa: E402
from interpret import read_text  # noqa: E402
from program_file import Fault, read_fields, read_program  # noqa: E402
from streams import Stream  # noqa: E402
from tap import Tap  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ('symbols.sv', 'walkers.sv', 'decoder.sv', 'decoder_tb.sv')
FIELDS = ('op', 'queue', 'flags', 'stage', 'obj', 'h', 'w', 'dst', 'a', 'b', 'y', 'x', 'c', 'skipped', 'frame', 'waits')
COUNTS, COUNT_MASK, PACE = 'symbols phrase_memory phrases templates_short templates_long walkers_short walkers_long extensions'.split(), (1 << 22) - 1, 1022
MODELS = (('mnist-8', ()), ('mlperf-tiny-resnet8-int8', ()), ('mlperf-tiny-resnet8-int8', ('--frames', '5')), ('mlperf-tiny-mobilenetv1-vww-int8', ()),
          ('torch-unet-op13', ()), ('squeezenet-1.x-fp32', ()), ('yolox-nano', ()))


class Expected:
    """The instructions of a tile in all iterations, from those of one body."""

    def __init__(self, program, tile, operations, by_name):
        self.stream = Stream(tile.code, operations)
        self.body = self.stream.decode()
        self.program, self.tile, self.by_name = program, tile, by_name
        stages = max([w.first_stage for t in program.tiles for w in Stream(t.code, operations).walkers], default=0) if program.frames else 0
        self.n_stages = stages + 1
        self.n_iterations = program.frames + stages if program.frames else 1
        self.steps = {}
        for i in self.body:
            self.steps[i.queue] = self.steps.get(i.queue, 0) + 1
        self.steps.update({128 + k: n for k, n in enumerate(tile.step)})
        self.steps[PACE] = 1

    def skipped(self, i, frame):
        n = self.program.frames
        return bool(n) and (not 0 <= frame < n or (i.op in ('load', 'store') and bool(i.flags & 1 and frame != 0 or i.flags & 2 and frame != n - 1)))

    def all(self, runs=1):
        for iteration in range(self.n_iterations * runs):
            for i in self.body:
                frame = iteration % self.n_iterations - i.stage
                skipped = self.skipped(i, frame)
                waits = [(c, t + iteration * self.steps.get(c, 0) & COUNT_MASK) for c, t in i.waits]
                yield dict(op=self.by_name[i.op], queue=i.queue, flags=i.flags, stage=i.stage, obj=i.obj, h=i.h, w=i.w, dst=i.dst or (0, 0, 0),
                           a=i.a or (0, 0, 0), b=i.b or (0, 0, 0), y=i.y, x=i.x, c=i.c, skipped=skipped,
                           frame=frame if self.program.frames and not skipped else 0, waits=waits)


def parsed(line):
    n = [int(word) for word in line.split()[:-1]]
    bits = int(line.split()[-1], 16)
    waits = [(bits >> 32 * k & 1023, bits >> 32 * k + 10 & COUNT_MASK) for k in range(8)]
    assert not any(waits[k] != (0, 0) for k in range(n[22], 8))
    return dict(op=n[0], queue=n[1], flags=n[2], stage=n[3], obj=n[4], h=n[5], w=n[6], dst=tuple(n[7:10]), a=tuple(n[10:13]), b=tuple(n[13:16]),
                y=n[16], x=n[17], c=n[18], skipped=bool(n[19]), frame=n[20], waits=waits[:n[22]]), n[21]


class Decoder:
    def __init__(self, bench):
        self.bench = bench
        self.program = bench.build('decoder_tb', [self.bench.package_path, *(os.path.join(HERE, s) for s in SOURCES)])

    def run(self, folder, counts, frames, n_stages, n_steps, pause, out, runs=1):
        sizes = dict(n_symbols=counts[0], n_phrase_bytes=counts[1], n_phrases=counts[2], n_templates_short=counts[3], n_templates=counts[3] + counts[4],
                     n_walkers_short=counts[5], n_walkers=counts[5] + counts[6], n_extensions=counts[7], frames=frames, n_stages=n_stages, n_steps=n_steps,
                     pause=pause, runs=runs, tile=folder, out=out)
        self.bench.simulate(self.program, ['+%s=%s' % item for item in sizes.items()])
        with open(out, encoding='ascii') as f:
            lines = f.read().splitlines()
        return lines[:-1], lines[-1]


def sizes_of(folder):
    """Records of each of its memories."""
    result = []
    for name in COUNTS:
        path = os.path.join(folder, 'stream_%s.hex' % name)
        result.append(sum(not line.startswith('//') for line in open(path, encoding='ascii')) if os.path.exists(path) else 0)
    return result


def compare(decoder, folder, expected, pause, out, runs=1):
    """(problems, clocks from the first instruction on, instructions)"""
    lines, end = decoder.run(folder, sizes_of(folder), expected.program.frames, expected.n_stages, len(expected.tile.step), pause, out, runs)
    problems, clocks, seen = [] if end == 'done' else ['it ends with: ' + end], [], 0
    for n, (want, line) in enumerate(zip(expected.all(runs), lines)):
        got, clock = parsed(line)
        clocks.append(clock)
        seen += 1
        same = FIELDS if not want['skipped'] else [f for f in FIELDS if f not in ('h', 'w', 'dst', 'a', 'b', 'y', 'x')]
        wrong = ['%s %s, not %s' % (f, got[f], want[f]) for f in same if got[f] != want[f]]
        wrong += ['%s: other view' % f for f in ('dst', 'a', 'b') if want['skipped'] and got[f][0] != want[f][0]]
        if wrong:
            problems.append('%s, instruction %d: %s' % (folder, n, '; '.join(wrong)))
            break
    total = len(expected.body) * expected.n_iterations * runs
    if len(lines) != total:
        problems.append('%s: %d instructions, not %d' % (folder, len(lines), total))
    return problems, clocks[-1] - clocks[0] + 1 if clocks else 0, seen


class Suite:
    def __init__(self, bench, tap):
        self.bench, self.tap = bench, tap
        self.operations = read_operations(read_text('backend', 'isa', 'ISA.md'))
        self.by_name = {o.name: code for code, o in self.operations.items()}
        self.schema, self.fields = read_text('proto', 'program.proto'), read_fields(read_text('ir', 'arch', 'ARCH.md'))
        self.decoder = Decoder(bench)

    def expected(self, program_path):
        with open(program_path, 'rb') as f:
            program = read_program(f.read(), self.schema, self.fields)
        return [Expected(program, tile, self.operations, self.by_name) for tile in program.tiles]

    def compiled(self, model, options):
        program, folder = self.bench.path('model.cim'), self.bench.path('dump')
        self.bench.run('compile', model, '-o', program, *options)
        self.bench.remove(folder)
        self.bench.run('dump', program, '-o', folder, '--format', 'hex')
        return folder, self.expected(program)

    def model(self, name, model, options, pauses, runs=1):
        folder, tiles = self.compiled(model, options)
        problems, clocks, n, worst = [], 0, 0, 0
        for t, tile in enumerate(tiles):
            for pause in pauses:
                found, used, seen = compare(self.decoder, os.path.join(folder, 'tile_%04d' % t), tile, pause, self.bench.path('out'), runs)
                problems += found
                if not pause:
                    clocks, n, worst = clocks + used, n + seen, max(worst, used / seen if seen >= 1000 else 0)
        self.tap.point('decoder: %s%s' % (name, ' '.join(('',) + options)), problems)
        print('# %d instructions, %.3f clocks each%s' % (n, clocks / n, '; of the worst tile with 1,000 and more %.3f' % worst if worst else ''))

    def damaged(self, model):
        """One byte of a string of symbols changed: a fault, or what the other decoder makes of it."""
        folder, tiles = self.compiled(model, ('--frames', '3'))
        tile, chance, problems, told = tiles[0], random.Random(1), [], 0
        path = os.path.join(folder, 'tile_0000', 'stream_symbols.hex')
        with open(path, encoding='ascii') as f:
            lines = f.read().splitlines()
        begin = next(k for k, line in enumerate(lines) if not line.startswith('//'))
        n_before = len(tile.tile.code) - (len(lines) - begin)
        for _ in range(60):
            at, value = chance.randrange(len(lines) - begin), chance.randrange(256)
            code = bytearray(tile.tile.code)
            code[n_before + at] = value
            with open(path, 'w', encoding='ascii') as f:
                f.write('\n'.join(lines[:begin + at] + ['%02x' % value] + lines[begin + at + 1:]) + '\n')
            try:
                damaged = Expected(tile.program, type('Tile', (), dict(vars(tile.tile), code=bytes(code))), self.operations, self.by_name)
            except Fault as fault:
                counts = sizes_of(os.path.join(folder, 'tile_0000'))
                _, end = self.decoder.run(os.path.join(folder, 'tile_0000'), counts, 3, tile.n_stages, len(tile.tile.step), 0, self.bench.path('out'))
                told += end == 'illegal'
                if end != 'illegal' and 'SET without' not in str(fault):
                    problems.append('byte %d := %02x: %s, but it ends with: %s' % (at, value, fault, end))
                continue
            problems += compare(self.decoder, os.path.join(folder, 'tile_0000'), damaged, 0, self.bench.path('out'))[0]
        self.tap.point('decoder: one byte changed', problems + ([] if told > 10 else ['only %d of 60 faults' % told]))


def main():
    cimc, root = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-rtl-') as scratch:
        bench = Bench(cimc, root, scratch)
        if not bench.can_simulate():
            tap.point('decoder', skip='verilator is not installed')
            return tap.finish()
        suite = Suite(bench, tap)
        digits = os.path.join(root, 'benchmarks', 'digits', 'digits.onnx')
        for options in ((), ('--frames', '3'), ('--set', '1x*', '--frames', '2')):
            suite.model('digits', digits, options, (0, 40), runs=2)
        suite.damaged(digits)
        for name, options in MODELS:
            model = bench.model(name)
            if model:
                suite.model(name, model, options, (0,))
            else:
                tap.point('decoder: ' + name, skip='there is no %s in CIMC_MODELS or beside the tree' % name)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
