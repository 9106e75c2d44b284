# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The machine of tests/rtl under Verilator, against what `cimc dump` says that it does: RTL.md.

usage: machine_test.py CIMC ROOT

Compiled once for each number of tiles; programs come by plusargs. Every write, its order, place and value, every message, the start and end
of every instruction, cycles, outputs, and buffers and counters at the end have to be those of the dump; of a second run, too. What is changed on purpose must be seen.
"""
import glob
import json
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, os.pardir), os.path.join(HERE, os.pardir, 'interpreter')]
from integers_test import read_values  # noqa: E402
from interpret import Interpreter, write_npy  # noqa: E402
from program_file import I8  # noqa: E402
from tap import Tap  # noqa: E402
from verilated import Bench  # noqa: E402

TILES = 4
ARCHS = 'clsa', 'mesh', 'rtl'
SEEDS = range(1, 11)
ALL = 'golden', 'times', 'receive'
MODULES = 'symbols walkers decoder sequencer address requantise machine_pkg ahead unit tile machine'.split()
# What a machine made of zero-time parts and one that counts its own clocks have in common is most of both: no lint, but for what would be wrong.
QUIET = '-Wno-fatal -Wno-lint -Wno-style -Wno-IMPURE -Wno-SYMRSVDWORD -Wno-UNOPTFLAT -Wno-MULTIDRIVEN'.split()


def lines(path):
    """Words of a memory; a file that is not there is empty."""
    if not os.path.exists(path):
        return []
    with open(path, encoding='ascii') as f:
        return [line.strip() for line in f if not line.startswith('//')]


def write(path, words):
    with open(path, 'w', encoding='ascii') as f:
        f.writelines(word + '\n' for word in words)


def memory(path):
    """{address of a word: the word}"""
    words, at = {}, 0
    for line in lines(path):
        if line.startswith('@'):
            at = int(line[1:], 16)
        else:
            words[at] = line
            at += 1
    return words


def same_word(wanted, got):
    """Bytes that nothing was written to are xx."""
    return all(w in ('x', g) for w, g in zip(wanted, got))


COUNTERS = 1 << 22
FEW = 200
UNWRITTEN = '7fc0dead'  # what the buffer has where nothing was written; such words are left out
SEND = '8008'


def without_sends(records):
    """Golden records of a queue, but for what SENDs write in other tiles: the sender does not know it, receive_CCC has it."""
    kept, rest = [], 0
    for record in records:
        if rest:
            rest -= 1
        elif record.startswith(SEND):
            rest = int(record[24:], 16)
            kept.append(record[:24] + '0' * 8)
        else:
            kept.append(record)
    return kept


def fnv(words):
    """DUMP.md: 64-bit FNV-1a of the bytes of records."""
    h = 0xcbf29ce484222325
    for word in words:
        for byte in bytes.fromhex(word)[::-1]:
            h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return h


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


class Dump:
    """A program's files, and how much of them two runs have in common."""

    def __init__(self, bench, program, folder, *arguments):
        self.bench, self.program, self.folder = bench, program, folder
        bench.run('dump', program, '-o', folder, '--force', '--format', 'hex', *arguments)
        self.tiles = sorted(name for name in os.listdir(folder) if name.startswith('tile_'))

    def is_clocked(self):
        with open(os.path.join(self.folder, 'program.json'), encoding='utf-8') as f:
            return len(re.findall(r'\\u000a(?:issue|start|complete)_cycles: [1-9]', f.read())) == 3

    def plusargs(self):
        return ['+clocked'] if self.is_clocked() else []

    def cycles(self):
        return int(re.search(r'cycles: (\d+) simulated', self.bench.run('sim', self.program)).group(1))

    def differences(self, out, kinds):
        """(records compared, [first difference of each file])"""
        n, found = 0, []
        for tile in self.tiles:
            for name in sorted(os.listdir(os.path.join(self.folder, tile))):
                if not name.startswith(kinds):
                    continue
                wanted, got = lines(os.path.join(self.folder, tile, name)), lines(os.path.join(out, tile, name))
                if name.startswith('golden'):
                    wanted = without_sends(wanted)
                n += len(wanted)
                if wanted != got:
                    at = next((i for i, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]), min(len(wanted), len(got)))
                    found.append('%s/%s: record %d of %d is %s, the machine has %s' % (
                        tile, name, at, len(wanted), ''.join(wanted[at:at + 1]) or 'none', ''.join(got[at:at + 1]) or 'none'))
        return n, found

    def final(self, out, times):
        """[differences of buffers and counters at the end], these after `times` runs"""
        found = []
        for tile in self.tiles:
            wanted, got = (memory(os.path.join(folder, tile, 'final_buffer.hex')) for folder in (self.folder, out))
            found += ['%s: word %x of the buffer at the end' % (tile, at) for at in sorted(wanted.keys() | got.keys())
                      if not same_word(wanted.get(at, UNWRITTEN), got.get(at, UNWRITTEN))][:1]
            wanted, got = (lines(os.path.join(folder, tile, 'final_counters.hex')) for folder in (self.folder, out))
            if ['%08x' % (int(n, 16) * times % COUNTERS) for n in wanted] != got:
                found.append('%s: counters at the end are %s' % (tile, ' '.join(got)))
        return found

    def checksums(self, out):
        """[files that have not the checksum of the dump]; of what a sender writes elsewhere and of instructions there is none"""
        found = []
        for tile in self.tiles:
            path = os.path.join(self.folder, tile, 'checksums.hex')
            with open(path, encoding='ascii') as f:
                names = f.readline().split()[1:]
            for name, wanted in zip(names, lines(path)):
                got = lines(os.path.join(out, name + '.hex'))
                if not name.endswith('instructions') and not any(w.startswith(SEND) for w in got if 'golden' in name) \
                        and '%016x%016x' % (fnv(got), len(got)) != wanted:
                    found.append('checksum of %s: %016x' % (name, fnv(got)))
        return found

    def outputs(self, out):
        """[differences of output tensors]"""
        found = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith('output_'):
                wanted, got = lines(os.path.join(self.folder, name)), lines(os.path.join(out, name))
                if wanted != [word[-len(wanted[0]):] for word in got]:
                    found.append('%s differs' % name)
        return found

    def check(self, machine):
        """Problems of a run that has to be the same in all."""
        numbers, out = machine.run(self.folder, *self.plusargs())
        n, problems = self.differences(out, ALL)
        problems += self.outputs(out) + self.final(out, 1)
        if n < FEW:  # it takes long in Python
            problems += self.checksums(out)
        if numbers.get('cycles') != self.cycles():
            problems.append('%s cycles, cimc sim has %d' % (numbers.get('cycles'), self.cycles()))
        if n == 0:
            problems.append('nothing was compared')
        shutil.rmtree(out)
        return n, numbers, problems

    def can_run_again(self):
        """Who has no `step` does not know how many messages a run has brought (ISA.md 16)."""
        return all(not lines(path) or os.path.exists(os.path.join(os.path.dirname(path), 'table_steps.hex'))
                   for path in glob.glob(os.path.join(self.folder, '*', 'receive_*.hex')))

    def busiest(self):
        """How often the counter that counts most does."""
        return max(int(n, 16) for path in glob.glob(os.path.join(self.folder, '*', 'final_counters.hex')) for n in lines(path))

    def check_again(self, machine, times):
        """Problems of the first and last of `times` + 1 runs without a reset; those between the machine does not do, but counts."""
        numbers, out = machine.run(self.folder, *self.plusargs(), '+runs=2', '+repeats=%d' % (times - 1))
        problems = []
        for run, n_runs in ((out, 1), (os.path.join(out, 'run_2'), times + 1)):
            problems += self.differences(run, ALL)[1] + self.outputs(run) + self.final(run, n_runs)
        if numbers.get('cycles') != self.cycles():
            problems.append('%s cycles, cimc sim has %d' % (numbers.get('cycles'), self.cycles()))
        shutil.rmtree(out)
        return problems


# ---- programs ----

class Suite:
    def __init__(self, tap, bench, machine):
        self.tap, self.bench, self.machine = tap, bench, machine
        self.n = 0

    def folder(self):
        self.n += 1
        return self.bench.path('dump_%d' % self.n)

    def compiled(self, models, *options):
        program = self.bench.path('program_%d.cim' % self.n)
        self.bench.run('compile', *models, '-o', program, *options)
        return program

    def point(self, name, program, *inputs):
        """All that a dump says, of a program with these inputs; returns the dump, None where that failed."""
        dump = None
        try:
            dump = Dump(self.bench, program, self.folder(), *inputs)
            n, numbers, problems = dump.check(self.machine)
            name = '%s: %d tiles, %s cycles, %d records' % (name, len(dump.tiles), numbers.get('cycles'), n)
        except RuntimeError as error:
            problems = [str(error)]
        self.tap.point(name, problems)
        return None if problems else dump

    def again(self, name, dump):
        """A second run is as the first."""
        self.tap.point(name + ', again', dump.check_again(self.machine, 1))

    def after_many(self, name, dump):
        """So is one in which counters pass 2^22."""
        many = COUNTERS // dump.busiest()
        self.tap.point('%s, after %d runs' % (name, many), dump.check_again(self.machine, many))

    def any_order(self, name, dump):
        """Ten seeds of random latencies: other times, the same values."""
        problems = []
        for seed in SEEDS:
            numbers, out = self.machine.run(dump.folder, *dump.plusargs(), '+latency-seed=%d' % seed)
            problems += ['seed %d: %s' % (seed, p) for p in dump.differences(out, 'golden')[1] + dump.outputs(out)]
            if numbers.get('cycles', 0) <= dump.cycles():
                problems.append('seed %d: nothing took longer' % seed)
            shutil.rmtree(out)
        self.tap.point('%s, %d seeds of random latencies' % (name, len(SEEDS)), problems[:5])


def digits(suite, bench):
    """The digit reader, from image to label: of integers and of floats, on three machines, frames, and beside another network."""
    folder = os.path.join(bench.root, 'benchmarks', 'digits')
    model = os.path.join(folder, 'digits.onnx')
    integers = '--calibrate', os.path.join(folder, 'calibration.npy'), '--weight-bits', '8'
    image = '--test-data', os.path.join(folder, 'test_data_set_3')
    for arch in ARCHS:
        for kind, options in (('int8', integers), ('f32', ())):
            dump = suite.point('digits %s, %s' % (kind, arch), suite.compiled([model], '--arch', arch, *options), *image)
            if dump and kind == 'int8':
                suite.any_order('digits %s, %s' % (kind, arch), dump)
                if arch != 'mesh':
                    (suite.after_many if dump.is_clocked() else suite.again)('digits %s, %s' % (kind, arch), dump)
        frames = suite.compiled([model], '--arch', arch, '--frames', '5', *integers)
        suite.point('digits int8, 5 frames, %s' % arch, frames, '--input-fill', 'random:1')
        if arch != 'mesh':
            frames = suite.compiled([model], '--arch', arch, '--frames', '2', *integers)
            suite.after_many('digits int8, 2 frames, %s' % arch, Dump(bench, frames, suite.folder(), '--input-fill', 'random:1'))
        two = suite.compiled(['left=' + model, 'right=' + model], '--arch', arch)
        suite.point('two networks, %s' % arch, two, '--input-fill', 'random:2')
    other = os.path.join(bench.root, 'tests', 'numeric', 'cases', 'fused_conv', 'model.onnx')
    suite.point('two different networks, rtl', suite.compiled(['left=' + model, 'right=' + other], '--arch', 'rtl'), '--input-fill', 'random:3')
    # Cells and converters (ISA.md 5.2) in a whole network.
    suite.point('digits int8, prime', suite.compiled([model], '--arch', 'prime', *integers), '--cells', 'all', *image)


MODELS = {'resnet8 int8': 'mlperf-tiny-resnet8-int8', 'DS-CNN int8': 'mlperf-tiny-dscnn-kws-int8', 'U-Net f32': 'torch-unet-op13'}


def real_models(suite, bench):
    for name, folder in MODELS.items():
        model = bench.model(folder)
        for arch in ARCHS:
            title = '%s, %s' % (name, arch)
            if model:
                suite.point(title, suite.compiled([model], '--arch', arch), '--test-data', os.path.join(os.path.dirname(model), 'test_data_set_0'))
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


# ---- what is changed on purpose ----

class Words:
    """Fields of the memories' words, and which number is which."""

    def __init__(self, bench):
        found = json.loads(bench.run('list', 'isa', '--format', 'json'))
        self.words = {w['name']: {f['name']: (f['lsb'], f['bits']) for f in w['fields']} for w in found['words']}
        self.numbers = {'machine': found['machine_numbers']}

    def get(self, word, field, text):
        lsb, bits = self.words[word][field]
        return int(text, 16) >> lsb & (1 << bits) - 1

    def put(self, word, field, text, value):
        lsb, bits = self.words[word][field]
        mask = ((1 << bits) - 1) << lsb
        return '%0*x' % (len(text), int(text, 16) & ~mask | (value << lsb & mask))


def changed(suite, dump, change):
    """Problems that a run of the dump has after `change` of a copy of its files, which gets the copy's folder."""
    folder = suite.folder()
    shutil.copytree(dump.folder, folder)
    change(folder)
    seen = []
    for plusargs in [[]] + [['+latency-seed=%d' % seed] for seed in SEEDS]:
        try:
            numbers, out = suite.machine.run(folder, *dump.plusargs(), *plusargs)
        except RuntimeError as error:
            return [str(error)]
        seen = dump.differences(out, 'golden' if plusargs else ALL)[1] + dump.outputs(out)
        if not plusargs and numbers.get('cycles') != dump.cycles():
            seen.append('cycles')
        shutil.rmtree(out)
        if seen:
            break
    return seen


def edit(folder, name, edited):
    path = os.path.join(folder, name)
    write(path, edited(lines(path)))


def golden_digit(folder):
    edit(folder, 'tile_0000/golden_000.hex', lambda words: words[:1] + [words[1][:23] + '%x' % (int(words[1][23], 16) ^ 4) + words[1][24:]] + words[2:])


def weight_bit(folder):
    edit(folder, 'tile_0000/pe_000.hex', lambda words: ['%0*x' % (len(words[0]), int(words[0], 16) ^ 1)] + words[1:])


def fewer_lanes(words):
    at = words.numbers['machine'].index('lanes')
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


def lower_threshold(bench, program, data, which):
    """The wait of an MVM for another queue, by one; which: 0 to 1, from the first to the last that has one."""
    def change(folder):
        text, other = bench.path('changed.s'), bench.path('changed.cim')
        waits = list(re.finditer(r'\.mvm .* wait q(\d+)>=(\d+)', bench.run('dis', program, '--inline')))
        wait = waits[int(which * (len(waits) - 1))]
        with open(text, 'w', encoding='utf-8') as f:
            f.write(wait.string[:wait.start(2)] + str(int(wait.group(2)) - 1) + wait.string[wait.end(2):])
        bench.run('asm', text, '-o', other)
        shutil.rmtree(folder)
        bench.run('dump', other, '-o', folder, '--format', 'hex', '--test-data', data)
    return change


def longer_step(folder):
    for path in glob.glob(os.path.join(folder, '*', 'table_steps.hex')):
        write(path, ['%0*x' % (len(n), int(n, 16) + 1) for n in lines(path)])


def seen_again(suite, dump, change):
    """Does a second run show the change?"""
    change(dump.folder)
    try:
        return dump.check_again(suite.machine, 1)
    except RuntimeError as error:  # it waits for ever
        return [str(error)]


def controls(suite, bench):
    folder = os.path.join(bench.root, 'benchmarks', 'digits')
    data = os.path.join(folder, 'test_data_set_0')
    integers = '--calibrate', os.path.join(folder, 'calibration.npy'), '--weight-bits', '8'
    words = Words(bench)
    for arch, changes in (('mesh', {'a weight bit': [weight_bit], 'half of the lanes': [fewer_lanes(words)], 'rings of one row less': [shorter_ring(words)]}),
                          ('clsa', {'one of four waits for a result less': None})):
        program = suite.compiled([os.path.join(folder, 'digits.onnx')], '--arch', arch, *integers)
        dump = Dump(bench, program, suite.folder(), '--test-data', data)
        for name, tried in changes.items():
            # Not every wait matters: some are for padding, or for what another wait has already seen.
            tried = tried or [lower_threshold(bench, program, data, which) for which in (0.5, 1, 0.25, 0.75)]
            suite.tap.point('seen: ' + name, [] if any(changed(suite, dump, change) for change in tried) else ['no difference'])
    golden_digit(dump.folder)
    suite.tap.point('seen: a digit of a golden address', [] if dump.check(suite.machine)[2] else ['no difference'])
    dump = Dump(bench, program, suite.folder(), '--test-data', data)
    suite.tap.point('seen: a step of an inbound counter, in a second run', [] if seen_again(suite, dump, longer_step) else ['no difference'])


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
