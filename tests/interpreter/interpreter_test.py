#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""ISA.md suffices: an interpreter written from it alone gives the models' answers and cimc's golden vectors, and finds the faults.

usage: interpreter_test.py CIMC ROOT [--models]

--models: real models instead, from the folder CIMC_MODELS, or shared/models beside the tree.
"""
import copy
import glob
import os
import re
import subprocess
import sys
import tempfile
from array import array

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from golden import Golden  # noqa: E402
from interpret import Interpreter, read_tensor, read_text  # noqa: E402
from program_file import Fault  # noqa: E402
from tap import Tap  # noqa: E402

SMALL = ['--arch-field', 'crossbars=3', '--arch-field', 'rows=32', '--arch-field', 'cols=24']
PATCHES = ['--mapping', 'window', '--set', '1x*', '--extra-pes', '8'] + SMALL
# Converters that saturate, columns stored inverted, noisy cells.
READ_OUT = ['--arch-field=%s' % f for f in ('cell_bits=4', 'dac_bits=4', 'adc_bits=6', 'column_flip=1', 'noise_seed=4', 'cell_fraction_bits=1',
                                            'program_sigma_low_permille=20', 'program_sigma_high_permille=60', 'stuck_low_ppm=2000')]
CONFIGURATIONS = [[], ['--set', 'pixel', '--extra-pes', '32'], ['--set', '1x*', '--extra-pes', '8'] + SMALL, ['--schedule', 'layer', '--set', '2x*']]
INTEGERS = ['micro-kws-qdq', 'torch-qat-qdq', 'mnist-convinteger', 'mlperf-tiny-dscnn-kws-int8']
CASES = ['attention_heads', 'attention_quantised']
WINDOWS = ['mnist-convinteger', 'torch-oddconv-op13']
MODELS = ['mnist-8', 'tf-mnist-nhwc', 'torch-lenet5-dyn', 'mlperf-tiny-resnet8-fp32', 'mlperf-tiny-dscnn-kws-fp32', 'torch-oddconv-op13']

LAST_RUN = (1 << 22) - 1    # after so many runs all counters reach 0 at the end of the next one


class Bench:
    def __init__(self, cimc, root, folder):
        self.cimc, self.root, self.folder = os.path.abspath(cimc), root, folder

    def run(self, *arguments):
        done = subprocess.run([self.cimc, *arguments], capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise Fault('cimc %s: %s' % (' '.join(arguments), done.stderr.strip()))

    def read(self, name):
        with open(os.path.join(self.folder, name), 'rb') as f:
            return f.read()

    def assemble(self, text):
        with open(os.path.join(self.folder, 'program.s'), 'w', encoding='utf-8') as f:
            f.write(text)
        self.run('asm', 'program.s', '-o', 'program.cim')
        return self.read('program.cim')


# ---- models ----

def differs(outputs, data):
    """Against the test data: within 1e-4 of the largest."""
    for path in glob.glob(os.path.join(data, 'output_*.pb')):
        k = int(re.search(r'(\d+)\.pb$', path).group(1))
        want = read_tensor(path)
        error = max(abs(a - b) for a, b in zip(outputs[k], want))
        if len(want) != len(outputs[k]) or not error <= 1e-4 * max(map(abs, want)):
            yield 'output %d differs by %g of %g' % (k, error, max(map(abs, want)))


def simulated(bench, data, interpreter):
    """What `cimc sim` says, by output."""
    inputs = sorted(glob.glob(os.path.join(data, 'input_*.pb')))    # no references: a read-out that is not ideal is far from them
    bench.run('sim', 'model.cim', *[word for path in inputs for word in ('--input', path)], '--save-outputs', bench.folder)
    return {b.index: read_tensor(os.path.join(bench.folder, 'output_%d.npy' % b.index)) for b in interpreter.program.bindings if b.output}


def run_model(bench, model, data, options, is_integer):
    inputs = {int(re.search(r'(\d+)\.pb$', p).group(1)): read_tensor(p) for p in glob.glob(os.path.join(data, 'input_*.pb'))}
    bench.run('compile', model, '-o', 'model.cim', *options)
    bench.run('dump', 'model.cim', '-o', 'dump', '--force', '--format=bin', '--test-data', data)
    interpreter = Interpreter(bench.read('model.cim'))
    golden = Golden(interpreter, os.path.join(bench.folder, 'dump'))
    outputs = interpreter.run(inputs, golden.wrote)
    if not is_integer:
        yield from differs(outputs, data)
    elif outputs != simulated(bench, data, interpreter):
        yield 'the simulator has other outputs'
    yield from golden.problems()
    if golden.n_instructions != sum(len(t.instructions) for t in interpreter.program.tiles) or not golden.n_writes:
        yield 'only %d instructions were compared' % golden.n_instructions
    if interpreter.run(inputs, seed=1) != outputs:
        yield 'another order of what is ready gives other answers'
    if interpreter.run(inputs, seed=2, before=[LAST_RUN]) != outputs:
        yield 'a late run, in which counters pass 2^22, gives other answers'


def bundled_models(root):
    digits = os.path.join(root, 'benchmarks', 'digits')
    yield 'digits', os.path.join(digits, 'digits.onnx'), digits, CONFIGURATIONS + [PATCHES]
    for name in CASES:
        where = os.path.join(root, 'tests', 'numeric', 'cases', name)
        yield name, os.path.join(where, 'model.onnx'), where, CONFIGURATIONS[1:3] + [READ_OUT] * name.endswith('_quantised')


def real_models(root):
    folder = os.environ.get('CIMC_MODELS') or os.path.join(os.path.dirname(os.path.abspath(root)), 'shared', 'models')
    for names, configurations in ((MODELS, CONFIGURATIONS[::2]), (INTEGERS, CONFIGURATIONS[2:3]), (WINDOWS, [PATCHES])):
        for name in names:
            yield name, os.path.join(folder, name, 'model.onnx'), os.path.join(folder, name), configurations


def run_models(tap, bench, models):
    for name, model, where, configurations in models:
        for options in configurations:
            if not os.path.exists(model):
                tap.point(name, skip='there is no %s in CIMC_MODELS or beside the tree' % name)
                break
            try:
                problems = list(run_model(bench, os.path.abspath(model), os.path.abspath(os.path.join(where, 'test_data_set_0')), options, name in INTEGERS or name.endswith('_quantised')))
            except Fault as fault:
                problems = [str(fault)]
            tap.point('%s %s' % (name, ' '.join(options)), problems)


# ---- the example of ISA.md, right and wrong ----

def example():
    text = read_text('backend', 'isa', 'ISA.md')
    section = text[text.index('\n## 13. '):text.index('\n## 14. ')]
    return '\n'.join(line[4:] for line in section.splitlines() if line.startswith('    ')) + '\n'


INPUT = {0: array('f', [1, -2, 3, 4])}
ANSWER = [1, 0, 3, 4, 0, 4, 0, 0]    # by hand: ISA.md, section 13


def view(number, **fields):
    def change(program):
        for name, value in fields.items():
            setattr(program.tiles[0].views[number], name, value)
    return change


def table(name, **fields):
    def change(program):
        for field, value in fields.items():
            setattr(getattr(program.tiles[0], name)[0], field, value)
    return change


def pe(**fields):
    return lambda program: vars(program.tiles[0].groups[0].pes[0]).update(fields)


def binding(number, **fields):
    return lambda program: vars(program.bindings[number]).update(fields)


def inst(index, **fields):
    return lambda program: vars(program.tiles[0].instructions[index]).update(fields)


def two_groups(program):
    tile = program.tiles[0]
    tile.groups.append(copy.deepcopy(tile.groups[0]))


def two_pes(program):
    pes = program.tiles[0].groups[0].pes
    pes.append(copy.deepcopy(pes[0]))
    vars(pes[0]).update(n0=1, n=1)
    vars(pes[1]).update(n=1, pe=1)


def two_bindings(program):
    program.bindings.append(copy.deepcopy(program.bindings[0]))
    program.bindings[-1].element = 1


# What is wrong, how the example becomes so, a part of the message. The instructions are load, mvm, vmap, store.
FAULTS = [
    ('an MVM in another queue', inst(1, queue=1), 'queue 1'),
    ('a group that does not exist', inst(1, obj=1), 'group 1'),
    ('a view that does not exist', inst(3, a=(64, 0, 0)), 'view'),
    ('a second source that is not used', inst(2, b=(0, 1, 0)), 'second source'),
    ('a binding that is an output', inst(0, obj=1), 'output'),
    ('a load outside its binding', inst(0, y=1), 'leaves binding'),
    ('a counter that does not exist', inst(1, waits=[(7, 1)]), 'counter'),
    ('a threshold too far', inst(1, waits=[(3, (1 << 21) + 1)]), 'counter 3'),
    ('a source node that does not exist', lambda p: p.tiles[0].nodes.__setitem__(1, 5), 'node 5'),
    ('a view that leaves the buffer', view(1, address=20), 'buffer'),
    ('a view below the buffer', view(0, row_pitch=-8), 'buffer'),
    ('a misaligned view', view(0, address=2), 'address'),
    ('a misaligned pitch', view(0, col_pitch=6), 'pitch'),
    ('held rows beyond the height', view(0, y1=3), 'extents'),
    ('a view of no channels', view(0, channels=0), 'channels'),
    ('a ring of no rows', view(0, ring_rows=0), 'ring'),
    ('a value that is no node', view(0, value=7), 'node 7'),
    ('channels of the destination', view(1, channels=1), 'channels'),
    ('a buffer that is too large', lambda p: p.machine.update(buffer_bytes=44), 'buffer'),
    ('an odd buffer', lambda p: setattr(p.tiles[0], 'buffer_bytes', 50), 'buffer'),
    ('more views than the machine has', lambda p: p.machine.update(max_views=1), 'views'),
    ('more tiles than the machine has', lambda p: (p.machine.update(tiles=1), p.tiles.append(p.tiles[0])), 'tiles'),
    ('K', table('groups', kernel_h=2), 'K is not'),
    ('one conv group', table('groups', conv_groups=1), '1 conv groups'),
    ('conv groups', table('groups', conv_groups=2), '2 conv groups'),
    ('no stride', table('groups', stride_h=0), 'geometry'),
    ('no PEs', table('groups', pes=[]), '0 PEs'),
    ('columns that are in no PE', pe(n=1), 'channels'),
    ('columns outside the image', pe(n=3), 'image'),
    ('PEs in another order', two_pes, 'listed'),
    ('a PE that does not exist', pe(pe=8), 'does not exist'),
    ('a crossbar that is too small', lambda p: p.machine.update(cols=1), 'PE 0: 1 x 2'),
    ('columns of a weight', lambda p: p.machine.update(cols=7, cell_bits=2), 'PE 0: 1 x 2'),
    ('a PE in two groups', two_groups, 'two groups'),
    ('a source channel that is not shown', table('groups', source_channel0=1), 'shown'),
    ('a lane operation that does not exist', lambda p: setattr(p.tiles[0].programs[0].ops[0], 'op', 99), 'lane operation'),
    ('a later result', lambda p: setattr(p.tiles[0].programs[0].ops[0], 'x', 0), 'operand 0'),
    ('B with one operand', lambda p: setattr(p.tiles[0].programs[0].ops[0], 'x', 17), 'operand 17'),
    ('constants of a view that is not there', lambda p: (setattr(p.tiles[0].programs[0].ops[0], 'y', 32),
                                                         setattr(p.tiles[0].programs[0], 'constants_view', 9)), 'constants_view'),
    ('an image outside its section', lambda p: setattr(p.images[0], 'k', 2), 'image 0'),
    ('a binding outside its tensor', binding(0, offset=1), 'leaves its tensor'),
    ('a binding of no element', binding(0, element=6), 'type'),
    ('a binding of another element than the view', binding(0, element=2), 'view 0: its element'),
    ('a result of another element than the view', view(1, element=4), 'its element'),
    ('a padding that is no byte', view(0, element=2, pad_value=256), 'padding of 256'),
    ('integers in a product of floats', table('groups', x_bits=8), '8 bits'),
    ('a sum of floats as integers', lambda p: setattr(p.tiles[0].programs[0].ops[0], 'op', 17), 'another type'),
    ('a table that is not there', lambda p: vars(p.tiles[0].programs[0].ops[0]).update(op=23, y=0), 'table 0'),
    ('shifts without converters', lambda p: setattr(p.images[0], 'shift', [1]), 'shifts'),
    ('a center of floats', lambda p: setattr(p.images[0], 'center', 1), 'center'),
    ('a view of another type', view(0, element=1), 'element 1'),
    ('an image of another type', lambda p: setattr(p.images[0], 'element', 3), 'element 3'),
    ('bindings of one index that differ', two_bindings, 'another tensor'),
    ('a write that is not held', view(1, x0=1), 'not all held'),
    ('a read that is not held', view(0, x1=1, width=2), 'held'),
    ('bytes that were never written', inst(0, op='nop', dst=None), 'never written'),
    ('a deadlock', inst(1, waits=[(3, 5)]), 'deadlock'),
]


def run_faults(tap, bench):
    data = bench.assemble(example())
    outputs = Interpreter(data).run(INPUT)
    tap.point("ISA.md's example", [] if list(outputs[0]) == ANSWER else ['it answers %s' % list(outputs[0])])
    for what, change, message in FAULTS:
        interpreter = Interpreter(data)
        problems = ['it is not found']
        try:
            change(interpreter.program)
            interpreter.check()
            interpreter.run(INPUT)
        except Fault as fault:
            problems = [] if message in str(fault) else ['the message: %s' % fault]
        tap.point('fault: ' + what, problems)


# ---- rings, messages and files ----

RING = '''isa 2
arch "base: clsa\\n"
node 0 {name="x"}
section 0 "none" hex { }
binding 0 {name="x", shape=[3, 1], stride_h=1, height=3, width=1, channels=1}
binding 1 {output=1, name="y", shape=[3, 1], stride_h=1, height=3, width=1, channels=1}
tile 0 {buffer_bytes=8}
view 0 {ring_rows=2, y1=3, x1=1, height=3, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
0: q2.load b0 dst=v0(0,0) h=1 w=1
1: q2.load b0 dst=v0(1,0) h=1 w=1 y=1
2: q2.store b1 a=v0(%d,0) h=1 w=1 y=%d wait q2>=2
3: q2.load b0 dst=v0(2,0) h=1 w=1 y=2 wait q2>=3
4: q2.store b1 a=v0(%d,0) h=1 w=1 y=%d wait q2>=4
'''
TWO_TILES = '''isa 2
arch "base: clsa\\n"
node 0 {name="x"}
section 0 "none" hex { }
binding 0 {name="x", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 1 {output=1, name="y", shape=[4], stride_w=1, height=1, width=4, channels=1}
tile 0 {buffer_bytes=16, inbound_counters=1}
view 0 {value=4294967295, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
route 0 [{tile=1, counter=128}, {tile=1, view=1, counter=129}]
0: q2.load b0 dst=v0(0,0) h=1 w=4
1: q1.send r0 a=v0(0,0) h=1 w=4 wait q2>=1
tile 1 {buffer_bytes=16, inbound_counters=2}
view 0 {value=4294967295, ring_rows=1, y1=1, x1=2, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 1 {address=8, value=4294967295, ring_rows=1, y1=1, x0=2, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 2 {value=4294967295, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
0: q2.store b1 a=v2(0,0) h=1 w=4 wait i128>=1, i129>=1
'''


def run_small(tap, bench):
    outputs = Interpreter(bench.assemble(RING % (0, 0, 2, 2))).run({0: array('f', [5, 6, 7])})
    tap.point('a ring of two rows', [] if list(outputs[0]) == [5, 0, 7] else ['it answers %s' % list(outputs[0])])
    problems = ['it is not found']
    try:
        Interpreter(bench.assemble(RING % (1, 1, 0, 0))).run({0: array('f', [5, 6, 7])})
    except Fault as fault:
        problems = [] if 'its slot holds row 2' in str(fault) else [str(fault)]
    tap.point('fault: a row whose slot holds another', problems)
    outputs = Interpreter(bench.assemble(TWO_TILES)).run({0: array('f', [1, 2, 3, 4])})
    tap.point('a message clipped by two views', [] if list(outputs[0]) == [1, 2, 3, 4] else ['it answers %s' % list(outputs[0])])
    run_again(tap, bench)


def run_again(tap, bench):
    """Nothing is reset between runs (ISA.md 16); an inbound counter can only go on if its step is known."""
    text = TWO_TILES.replace('inbound_counters=1', 'inbound_counters=1, step=[0]').replace('inbound_counters=2', 'inbound_counters=2, step=[1, 1]')
    outputs = Interpreter(bench.assemble(text)).run({0: array('f', [1, 2, 3, 4])}, before=[0, 1, LAST_RUN, LAST_RUN + 1])
    tap.point('run after run', [] if list(outputs[0]) == [1, 2, 3, 4] else ['it answers %s' % list(outputs[0])])
    problems = ['it is not refused']
    try:
        Interpreter(bench.assemble(TWO_TILES)).run({0: array('f', [1, 2, 3, 4])}, before=[0, 1])
    except Fault as fault:
        problems = [] if 'runs once' in str(fault) else [str(fault)]
    tap.point('fault: a second run without steps', problems)


# ---- frames ----

FRAMES_INPUT = {0: array('f', range(1, 13))}
# What is wrong, how values/17_frames_through_a_ring.s becomes so, a part of the message.
FRAME_FAULTS = [
    ('bindings of frames without frames', lambda p: vars(p).update(frames=0), 'frame_stride'),
    ('a pace without frames', lambda p: vars(p).update(frames=0, pace=1), 'frames'),
    ('too many frames', lambda p: vars(p).update(frames=(1 << 20) + 1), '1048577 frames'),
    ('a step too many', lambda p: p.tiles[0].step.append(1), '2 steps'),
    ('a step that is not what comes', lambda p: p.tiles[1].step.__setitem__(0, 2), 'its step is 2'),
    ('a part of a tensor for each frame', binding(0, frame_stride=2), 'frame_stride 2'),
    ('flags that are none', inst(0, flags=4), 'flags 4'),
    ('the pace where there is none', inst(0, waits=[(1022, 1)]), 'counter 1022'),
    ('rows that leave the buffer in some frame', lambda p: vars(p.tiles[1].views[0]).update(address=24), 'buffer'),
    ('a row of the frame before', lambda p: vars(p.tiles[1].instructions[0]).update(stage=0, waits=[]), 'never written'),
    ('a credit that does not come', lambda p: vars(p.tiles[0].instructions[1]).update(waits=[(2, 1), (128, 2)]), 'deadlock'),
]


def run_frames(tap, bench):
    data = bench.assemble(read_text('tests', 'interpreter', 'values', '17_frames_through_a_ring.s'))
    interpreter = Interpreter(data)
    outputs = interpreter.run(FRAMES_INPUT)
    problems = ['seed %d: %s' % (seed, got) for seed in range(8) for got in [interpreter.run(FRAMES_INPUT, seed=seed)] if got != outputs]
    for n in (1, 2):    # the first of the frames
        got = interpreter.run({0: FRAMES_INPUT[0][:4 * n]}, frames=n)
        problems += [] if got[0] == outputs[0][:4 * n] else ['%d frames: %s' % (n, got)]
    problems += [] if interpreter.run(FRAMES_INPUT, before=[0, 1, LAST_RUN]) == outputs else ['run after run gives other answers']
    tap.point('frames in other orders, fewer, and run after run', problems)
    for what, change, message in FRAME_FAULTS:
        interpreter = Interpreter(data)
        problems = ['it is not found']
        try:
            change(interpreter.program)
            interpreter.check()
            interpreter.run(FRAMES_INPUT)
        except Fault as fault:
            problems = [] if message in str(fault) else ['the message: %s' % fault]
        tap.point('fault: ' + what, problems)


def run_compiled_frames(tap, bench):
    """Three digits through a body: golden vectors and outputs of each frame."""
    def problems(options):
        bench.run('compile', os.path.join(bench.root, 'benchmarks', 'digits', 'digits.onnx'), '-o', 'model.cim', '--frames', '3', *options)
        bench.run('dump', 'model.cim', '-o', 'dump', '--force', '--format=bin', '--input-fill', 'random:3')
        interpreter = Interpreter(bench.read('model.cim'))
        golden = Golden(interpreter, os.path.join(bench.folder, 'dump'))
        inputs, wanted = ({b.index: array('f', bench.read('dump/%s_%d.bin' % (name, b.index))) for b in interpreter.program.bindings if b.output == is_output}
                          for name, is_output in (('input', False), ('output', True)))
        outputs = interpreter.run(inputs, golden.wrote)
        for k, values in wanted.items():
            error = max(abs(a - b) for a, b in zip(outputs[k], values))
            if len(values) != len(outputs[k]) or len(values) % 3 or not error <= 1e-4 * max(map(abs, values)):
                yield 'output %d differs by %g' % (k, error)
        yield from golden.problems()
        if interpreter.run(inputs, seed=1) != outputs:
            yield 'another order of what is ready gives other answers'
    for options in [[], ['--set', 'pixel', '--extra-pes', '32', '--duplicate', 'interval'], ['--set', '1x*', '--extra-pes', '8'] + SMALL]:
        try:
            found = list(problems(options))
        except Fault as fault:
            found = [str(fault)]
        tap.point('digits, three frames %s' % ' '.join(options), found)


def run_files(tap, bench):
    """Every byte of a file counts."""
    data = bench.assemble(example())
    problems = []
    for at in range(0, len(data), 7):
        broken = bytearray(data)
        broken[at] ^= 1
        try:
            Interpreter(bytes(broken))
            problems.append('a changed byte %d is not noticed' % at)
        except Fault:
            pass
    tap.point('damaged files', problems)


def main(cimc, root, *options):
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
        bench = Bench(cimc, root, folder)
        if options == ('--models',):
            run_models(tap, bench, real_models(root))
            return tap.finish()
        run_faults(tap, bench)
        run_small(tap, bench)
        run_frames(tap, bench)
        run_compiled_frames(tap, bench)
        run_files(tap, bench)
        run_models(tap, bench, bundled_models(root))
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
