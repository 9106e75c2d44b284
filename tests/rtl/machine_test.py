# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The machine of tests/rtl under Verilator, against what `cimc dump` says that it does: RTL.md.

usage: machine_test.py CIMC ROOT

Compiled once for each number of tiles; programs come by plusargs. Every write, its order, place and value, every message, the start and end
of every instruction, cycles, outputs, and buffers and counters at the end have to be those of the dump; of a second run, too. What is changed on purpose must be seen.
"""
import contextlib
import copy
import glob
import os
import re
import shutil
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, os.pardir), os.path.join(HERE, os.pardir, 'interpreter')]
from dump import ALL, COUNTERS, Dump, VALUES, Words, lines, write  # noqa: E402
from integers_test import read_values  # noqa: E402
from interpret import Interpreter, write_npy  # noqa: E402
from program_file import I8  # noqa: E402
from tap import Tap  # noqa: E402
from verilated import Bench  # noqa: E402

TILES = 4
ARCHS = 'clsa', 'mesh', 'rtl'
SEEDS = range(1, 11)
IMAGE = 3  # of the digit reader's
MODULES = 'symbols walkers decoder sequencer address requantise machine_pkg ahead unit tile machine'.split()
# What a machine made of zero-time parts and one that counts its own clocks have in common is most of both: no lint, but for what would be wrong.
QUIET = '-Wno-fatal -Wno-lint -Wno-style -Wno-IMPURE -Wno-SYMRSVDWORD -Wno-UNOPTFLAT -Wno-MULTIDRIVEN'.split()


class Machine:
    """The compiled machine and where it works."""

    def __init__(self, bench):
        self.bench, self.n_runs = bench, 0
        with open(bench.path('cimc_isa.h'), 'w', encoding='ascii') as f:
            f.write(bench.run('list', 'isa', '--format', 'c'))
        sources = [bench.package_path] + [os.path.join(HERE, name + '.sv') for name in MODULES]
        sources += [os.path.join(HERE, name) for name in ('main.cc', 'f32.cc')]
        folder = bench.path('machine')
        bench.call(['verilator', '--cc', '--exe', '--build', '-j', str(os.cpu_count() or 1), '-O3', '--x-assign', '0', '--x-initial', '0', *QUIET, '--output-split', '20000', '-fno-expand',
                    '-MAKEFLAGS', 'OPT_FAST=-O1 OPT_SLOW=-O0', '-CFLAGS', '-g0 -ffp-contract=off -I%s' % bench.scratch, '-I' + HERE, '-GTILES=%d' % TILES,
                    '--top-module', 'cimc_machine', '--Mdir', folder, *sources])
        self.program = os.path.join(folder, 'Vcimc_machine')

    def run(self, dump, *plusargs):
        """(what it printed as {name: number}, where its files are)"""
        self.n_runs += 1
        out = self.bench.path('out_%d' % self.n_runs)
        for t in range(TILES):
            for run in '', 'run_2':
                os.makedirs(os.path.join(out, run, 'tile_%04d' % t))
        text = self.bench.simulate(self.program, ['+dump=' + dump, '+out=' + out, *plusargs])
        return {name: int(value) for name, value in re.findall(r'^(\w[\w ]*): (\d+)$', text, re.MULTILINE)}, out


# ---- programs ----

class Suite:
    def __init__(self, tap, bench, machine):
        self.tap, self.bench, self.machine = tap, bench, machine
        self.words, self.n = Words(bench), 0

    def new(self, name):
        """A path that nothing has."""
        self.n += 1
        return self.bench.path(name % self.n)

    def folder(self):
        return self.new('dump_%d')

    def compiled(self, models, *options):
        program = self.new('program_%d.cim')
        self.bench.run('compile', *models, '-o', program, *options)
        return program

    def dump(self, program, *inputs):
        return Dump(self.bench, self.words, program, self.folder(), *inputs)

    def look(self, name, problems_of):
        """A point with the problems that a function gives; that something fails is one."""
        try:
            problems = problems_of()
        except (RuntimeError, OSError) as error:
            problems = [str(error)]
        self.tap.point(name, problems)

    def point(self, name, program, *inputs, arch=None, also=()):
        """All that a dump says, of a program (for this preset) with these inputs; returns the dump, None where that failed."""
        dump = None
        try:
            dump = self.dump(program, *inputs)
            n, numbers, problems = dump.check(self.machine, also)
            problems += time_is_of(arch, dump)
            name = '%s: %d tiles, %s, %s cycles, %d records' % (name, len(dump.tiles), dump.time(), numbers.get('cycles'), n)
        except (RuntimeError, OSError) as error:
            problems = [str(error)]
        self.tap.point(name, problems)
        return None if problems else dump

    def again(self, name, dump):
        """A second run is as the first."""
        self.look(name + ', again', lambda: dump.check_again(self.machine, 1))

    def after_many(self, name, dump):
        """So is one in which counters pass 2^22."""
        many = COUNTERS // dump.busiest()
        self.look('%s, after %d runs' % (name, many), lambda: dump.check_again(self.machine, many))

    def any_order(self, name, dump):
        """Ten seeds of random latencies: other times, the same values and messages."""
        def problems():
            found = []
            for seed in SEEDS:
                numbers, out = self.machine.run(dump.folder, *dump.plusargs(), '+latency-seed=%d' % seed)
                found += ['seed %d: %s' % (seed, p) for p in dump.differences(out, VALUES)[1] + dump.outputs(out)]
                if numbers.get('cycles', 0) <= dump.cycles:
                    found.append('seed %d: nothing took longer' % seed)
                shutil.rmtree(out)
            return found[:5]
        self.look('%s, %d seeds of random latencies' % (name, len(SEEDS)), problems)


def time_is_of(arch, dump):
    """Of the presets a clock is a cycle on `rtl` alone; programs by hand have machines of their own."""
    return [] if not arch or dump.is_clocked() == (arch == 'rtl') else ['time is %s' % dump.time()]


def reads(label):
    """The largest logit is that of the label."""
    def problems(_, out):
        logits = [struct.unpack('>f', bytes.fromhex(word[-8:]))[0] for word in lines(os.path.join(out, 'output_0.hex'))]
        read = logits.index(max(logits))
        return [] if read == label else ['reads a %d, the label is %d' % (read, label)]
    return problems


def int8(folder):
    """Options that quantise the digit reader; its calibration images are bytes."""
    return '--calibrate', os.path.join(folder, 'calibration.npy'), '--input-scale', '1/255', '--weight-bits', '8'


def digits(suite, bench):
    """The digit reader, from image to label: of integers and of floats, on three machines, frames, and beside another network."""
    folder = os.path.join(bench.root, 'benchmarks', 'digits')
    model, other = os.path.join(folder, 'digits.onnx'), os.path.join(bench.root, 'tests', 'numeric', 'cases', 'fused_conv', 'model.onnx')
    integers = int8(folder)
    image = '--test-data', os.path.join(folder, 'test_data_set_%d' % IMAGE)
    reads_it = reads(int(lines(os.path.join(folder, 'labels.txt'))[IMAGE]))
    for arch in ARCHS:
        for kind, options in (('int8', integers), ('f32', ())):
            dump = suite.point('digits %s, %s' % (kind, arch), suite.compiled([model], '--arch', arch, *options), *image, arch=arch, also=(reads_it,))
            if dump and kind == 'int8':
                suite.any_order('digits %s, %s' % (kind, arch), dump)
                if arch != 'mesh':
                    (suite.after_many if dump.is_clocked() else suite.again)('digits %s, %s' % (kind, arch), dump)
        frames = suite.compiled([model], '--arch', arch, '--frames', '5', *integers)
        suite.point('digits int8, 5 frames, %s' % arch, frames, '--input-fill', 'random:1', arch=arch)
        if arch != 'mesh':
            frames = suite.compiled([model], '--arch', arch, '--frames', '2', *integers)
            suite.after_many('digits int8, 2 frames, %s' % arch, suite.dump(frames, '--input-fill', 'random:1'))
        for name, right, fill in (('two networks', model, 2), ('two different networks', other, 3)):
            two = suite.compiled(['left=' + model, 'right=' + right], '--arch', arch)
            suite.point('%s, %s' % (name, arch), two, '--input-fill', 'random:%d' % fill, arch=arch)
    # Cells and converters (ISA.md 5.2) in a whole network.
    suite.point('digits int8, prime', suite.compiled([model], '--arch', 'prime', *integers), '--cells', 'all', *image, arch='prime', also=(reads_it,))


MODELS = {'resnet8 int8': 'mlperf-tiny-resnet8-int8', 'DS-CNN int8': 'mlperf-tiny-dscnn-kws-int8', 'U-Net f32': 'torch-unet-op13'}


def real_models(suite, bench):
    for name, folder in MODELS.items():
        model = bench.model(folder)
        for arch in ARCHS:
            title = '%s, %s' % (name, arch)
            if model:
                suite.point(title, suite.compiled([model], '--arch', arch), '--test-data', os.path.join(os.path.dirname(model), 'test_data_set_0'), arch=arch)
            else:
                suite.tap.point(title, skip='there is no %s in CIMC_MODELS or beside the tree' % folder)


def programs_by_hand(suite, bench):
    """Those whose times or values were worked out by hand, with the inputs that stand at their beginning."""
    folder = os.path.join(bench.root, 'tests', 'interpreter')
    for path in sorted(glob.glob(os.path.join(folder, '*', '*.s'))):
        program, inputs = bench.path('by_hand.cim'), []
        bench.run('asm', path, '-o', program)
        with open(program, 'rb') as f, open(path, encoding='utf-8') as text:
            decoded = Interpreter(f.read()).program
            values, _ = read_values(text.read(), decoded.bindings)
        shapes = {b.index: ([decoded.frames] if decoded.frames and b.frame_stride else []) + b.shape for b in decoded.bindings if not b.output}
        for index, numbers in sorted(values.items()):
            write_npy(bench.path('input_%d.npy' % index), shapes[index], numbers)
            inputs += ['--input', bench.path('input_%d.npy' % index)]
        cells = ['--cells', 'all'] if any(image.element == I8 for image in decoded.images) else []
        name = 'by hand: ' + os.path.basename(path)
        dump = suite.point(name, program, *cells, *(inputs or ['--input-fill', 'random:1']))
        if dump and dump.can_run_again():
            suite.again(name, dump)
        elif dump:
            suite.tap.point(name + ', again', skip='it does not say how many messages a run brings (no step)')


# ---- what is changed on purpose ----

def deadlock(error):
    """That a machine waits for ever is a difference; no other failure is."""
    if 'deadlock' not in str(error):
        raise error
    return ['deadlock']


class Control:
    """Runs of changed files, against the dump of those that were not."""

    def __init__(self, machine, dump, copied):
        self.machine, self.dump, self.copied = machine, dump, copied

    def differences(self, *plusargs):
        """([those of values], [all])"""
        try:
            numbers, out = self.machine.run(self.copied.folder, *self.dump.plusargs(), *plusargs)
        except RuntimeError as error:
            return (deadlock(error),) * 2
        outputs = self.dump.outputs(out)
        values, everything = (self.dump.differences(out, kinds)[1] + outputs for kinds in (VALUES, ALL))
        shutil.rmtree(out)
        return values, everything + (['cycles'] if numbers.get('cycles') != self.dump.cycles else [])

    def under_latencies(self):
        """Differences of values, of one seed of random latencies after the other."""
        return (self.differences('+latency-seed=%d' % seed)[0] for seed in SEEDS)


@contextlib.contextmanager
def changed(suite, dump, change):
    """A control with a copy of the dump's files after `change`, which gets their folder."""
    copied = copy.copy(dump)
    copied.folder = suite.folder()
    try:
        shutil.copytree(dump.folder, copied.folder)
        change(copied.folder)
        yield Control(suite.machine, dump, copied)
    finally:
        shutil.rmtree(copied.folder, ignore_errors=True)


# Each gives problems: what a control does not show, or shows and should not.

def nothing(control):
    return control.differences()[1] + [p for found in control.under_latencies() for p in found]


def values_differ(control):
    return [] if control.differences()[0] else ['no difference of values']


def times_differ(control):
    """Times, and nothing else."""
    values, everything = control.differences()
    return values if everything else ['no difference']


def latencies_show(control):
    """Values, of a run with random latencies."""
    return [] if any(control.under_latencies()) else ['no difference of values']


def latencies_alone_show(control):
    return control.differences()[0] or latencies_show(control)


def second_run_shows(control):
    """Anything, but only of a second run."""
    problems = control.copied.check(control.machine)[2]
    try:
        return problems or ([] if control.copied.check_again(control.machine, 1) else ['no difference'])
    except RuntimeError as error:
        deadlock(error)
        return []


def golden_differs(control):
    """What the machine writes, from what it is compared with: that is what was changed."""
    _, out = control.machine.run(control.copied.folder, *control.copied.plusargs())
    found = control.copied.differences(out, ('golden',))[1]
    shutil.rmtree(out)
    return [] if len(found) == 1 else ['%d files differ' % len(found)]


def edit(folder, name, edited):
    path = os.path.join(folder, name)
    write(path, edited(lines(path)))


def golden_digit(folder):
    edit(folder, 'tile_0000/golden_000.hex', lambda words: words[:1] + [words[1][:23] + '%x' % (int(words[1][23], 16) ^ 4) + words[1][24:]] + words[2:])


def weight_bit(folder):
    edit(folder, 'tile_0000/pe_000.hex', lambda words: ['%0*x' % (len(words[0]), int(words[0], 16) ^ 1)] + words[1:])


def fewer_lanes(words):
    at = words.place('machine', 'lanes')
    return lambda folder: edit(folder, 'machine.hex', lambda numbers: numbers[:at] + ['%016x' % (int(numbers[at], 16) // 2)] + numbers[at + 1:])


def shorter_ring(words):
    def change(folder):
        def one_less(views):
            for i, view in enumerate(views):
                rows = words.get('view', 'ring_rows', view)
                if 1 < rows < words.get('view', 'y1', view) - words.get('view', 'y0', view):
                    views[i] = words.put('view', 'ring_rows', view, rows - 1)
            return views
        edit(folder, 'tile_0000/table_views.hex', one_less)
    return change


def assembled(bench, program, data, edited):
    """The program's text, edited, as a program again."""
    def change(folder):
        text, other = bench.path('changed.s'), bench.path('changed.cim')
        with open(text, 'w', encoding='utf-8') as f:
            f.write(edited(bench.run('dis', program, '--inline')))
        bench.run('asm', text, '-o', other)
        shutil.rmtree(folder)
        bench.run('dump', other, '-o', folder, '--format', 'hex', '--test-data', data)
    return change


def lower_threshold(which):
    """The wait of a vector instruction for a product that it reads, by one; which: 0 to 1, from the first to the last that has one."""
    def edited(text):
        products = set(re.findall(r'q(\d+)\.mvm ', text))
        waits = [wait for wait in re.finditer(r'\.vmap .* wait q(\d+)>=(\d+)', text) if wait.group(1) in products]
        wait = waits[int(which * (len(waits) - 1))]
        return text[:wait.start(2)] + str(int(wait.group(2)) - 1) + text[wait.end(2):]
    return edited


def longer_step(folder):
    for path in glob.glob(os.path.join(folder, '*', 'table_steps.hex')):
        write(path, ['%0*x' % (len(n), int(n, 16) + 1) for n in lines(path)])


def controls(suite, bench):
    """What is changed is seen, and of what is not nothing."""
    folder = os.path.join(bench.root, 'benchmarks', 'digits')
    data = os.path.join(folder, 'test_data_set_0')
    integers = int8(folder)
    programs = {arch: suite.compiled([os.path.join(folder, 'digits.onnx')], '--arch', arch, *integers) for arch in ('mesh', 'clsa')}
    dumps = {arch: suite.dump(program, '--test-data', data) for arch, program in programs.items()}

    def wait(edited):
        return assembled(bench, programs['clsa'], data, edited)

    def shows(arch, change, problems_of):
        with changed(suite, dumps[arch], change) as control:
            return problems_of(control)
    points = [('nothing seen: a copy', 'mesh', lambda folder: None, nothing), ('nothing seen: assembled again', 'clsa', wait(lambda text: text), nothing),
              ('seen: a weight bit', 'mesh', weight_bit, values_differ), ('seen: rings of one row less', 'mesh', shorter_ring(suite.words), values_differ),
              ('seen by times alone: half of the lanes', 'mesh', fewer_lanes(suite.words), times_differ),
              ('seen in a second run alone: a step of an inbound counter', 'clsa', longer_step, second_run_shows),
              ('seen: a digit of a golden address', 'clsa', golden_digit, golden_differs)]
    # Not the first: its product is there long before the vector unit is through with the image, at these latencies too.
    waits = [wait(lower_threshold(third / 3)) for third in range(1, 4)]
    points += [('seen under random latencies: a wait for a product less, %d/3 of the way' % third, 'clsa', change, latencies_show) for third, change in enumerate(waits, 1)]
    for name, arch, change, problems_of in points:
        suite.look(name, lambda a=arch, c=change, p=problems_of: shows(a, c, p))

    def one_alone():
        """Most waits are what holds an instruction up, so that values show them in any run."""
        found = [shows('clsa', change, latencies_alone_show) for change in waits]
        return [] if [] in found else found[0]
    suite.look('seen under random latencies alone: one of these waits', one_alone)


def main(cimc, root):
    tap = Tap()
    if not Bench.can_simulate():
        tap.point('machine', skip='there is no verilator')
        return tap.finish()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as scratch:
        bench = Bench(os.path.abspath(cimc), os.path.abspath(root), scratch)
        suite = Suite(tap, bench, Machine(bench))
        for part in (digits, programs_by_hand, real_models, controls):
            part(suite, bench)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
