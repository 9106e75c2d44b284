# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Images in a row: how many there are, values and references of each, a batch as frames, what is told of throughput.

usage: images_test.py CIMC ROOT
"""
import json
import os
import struct
import sys

from bench import run_cases
from npy import read_npy
from onnx_bytes import INT64, field, onnx_model, onnx_node, tensor

W = {'w': ([2, 2], [1, 2, -3, 4])}
PIXELS = ['--mapping=im2col']                               # a product a token
AXIS_1 = field(5, field(1, 'axis') + field(3, 1) + field(20, 2))   # attribute axis = 1
IMAGE = 6                                                   # elements: three tokens of two
GIVEN = [1, 2, 0, 1, -1, 0] + [2, 0, 1, 1, 0, 0] + [3, 1, 0, 2, 1, -1] + [0, 3, 2, 2, -2, 1]


def times_w(x):
    return [y for i in range(0, len(x), 2) for y in (x[i] - 3 * x[i + 1], 2 * x[i] + 4 * x[i + 1])]


WANTED = times_w(GIVEN)


def write_line(b):
    """m.onnx: x w as h, and relu(h) w, on one crossbar"""
    nodes = [onnx_node('MatMul', ['x', 'w'], 'h', 'first'), onnx_node('Relu', ['h'], 'r', 'relu'), onnx_node('MatMul', ['r', 'w'], 'y', 'second')]
    b.write('m.onnx', onnx_model(nodes, W, {'x': [1, 3, 2]}, {'h': [1, 3, 2], 'y': [1, 3, 2]}))


def write_set(b, folder, given, wanted):
    os.makedirs(b.path(folder), exist_ok=True)
    b.write(folder + '/input_0.pb', tensor('', [len(given) // IMAGE, 3, 2], given))
    b.write(folder + '/output_0.pb', tensor('', [len(wanted) // IMAGE, 3, 2], wanted))


def images(values, *numbers):
    """these images one after another"""
    return [x for n in numbers for x in values[n * IMAGE:(n + 1) * IMAGE]]


def saved(b, path, n):
    return list(struct.unpack('<%df' % n, b.read(path)[-4 * n:]))


def in_one_file(b):
    """a file with several frames: so many are run; outputs have them along the first dimension"""
    write_line(b)
    write_set(b, 'set', GIVEN, WANTED)
    report = json.loads(b.run('run', 'm.onnx', *PIXELS, '--outputs', 'h', '--test-data', 'set', '--save-outputs', 'out', '-o', 'p.cim', '--json').stdout)
    b.equal(saved(b, 'out/output_0.npy', 4 * IMAGE), WANTED, 'values')
    b.contains(b.read('out/output_0.npy').decode('latin-1'), "'shape': (4, 3, 2,)")
    b.equal([report[k] for k in ('frames', 'latency_cycles', 'initiation_interval_cycles', 'interval_bound_cycles', 'makespan_cycles', 'simulated_cycles')],
            [4, {'min': 3, 'max': 3}, 3, 3, 12, 12], 'a product takes one cycle')
    b.equal(report['simulated'], {'frames': 4, 'latency_cycles': {'min': 3, 'max': 3}, 'latency_seconds': {'min': 4.2e-06, 'max': 4.2e-06},
                                  'interval_cycles': 3, 'interval_seconds': 4.2e-06, 'steady_utilisation': 1,
                                  'images_per_second': 1e12 / (3 * 1400000)}, 'simulated')
    b.equal([f['pass'] for f in report['outputs'][0]['frames']], [True] * 4, 'each frame is compared')
    b.contains(b.run('sim', 'p.cim', '--test-data', 'set').stdout, "output 0 'h' f32[1x3x2], worst of 4 frames 0: largest error 0 of 10: PASS",
               'cycles: 12 simulated, 12 scheduled = 16.8 us', '4 frames: latency 3 cycles = 4.2 us, one every 3 = 4.2 us: 238095 images/s; utilisation 100 % in the steady state')
    b.run('check', 'p.cim', '--model', 'm.onnx')
    wrong = list(WANTED)
    wrong[IMAGE + 3] += 1                                      # second image, second token: [-2, 6]
    write_set(b, 'set', GIVEN, wrong)
    b.contains(b.run('sim', 'p.cim', '--test-data', 'set', code=1).stderr, "output 0 'h' differs in frame 1 by 1 of 7, worst at [0, 1, 1]: 6, expected 7")


def how_many(b):
    """--frames, one folder a frame, one image for all; the program runs any number"""
    write_line(b)
    for f in range(3):
        write_set(b, 'sets/test_data_set_%d' % f, images(GIVEN, f), images(WANTED, f))
    for more, n in ([], 3), (['--frames', '2'], 2):
        b.run('run', 'm.onnx', *PIXELS, '--outputs', 'h', '--test-data', 'sets', *more, '--save-outputs', 'out')
        b.equal(saved(b, 'out/output_0.npy', n * IMAGE), images(WANTED, *range(n)), 'sets %s' % more)
    b.run('compile', 'm.onnx', *PIXELS, '--frames', '2', '-o', 'p.cim')
    b.contains(b.run('sim', 'p.cim', '--frames', '50').stdout, 'cycles: 300 simulated = 420 us;', '50 frames: latency 6 cycles = 8.4 us, one every 6 = 8.4 us: 119048 images/s')
    times = json.loads(b.run('sim', 'p.cim', '--frames', '4', '--json').stdout)
    b.equal([times['simulated_cycles'], [f['pass'] for f in times['outputs'][0]['frames']]], [24, [None] * 4], 'times only')
    b.run('sim', 'p.cim', '--frames', '4', '--test-data', 'sets/test_data_set_0', '--save-outputs', 'out')
    b.equal(saved(b, 'out/output_0.npy', 4 * IMAGE), images(WANTED, 0, 0, 0, 0), 'one image for all frames')
    b.run('sim', 'p.cim', '--frames', '4', '--input-fill', 'random:3', '--model', 'm.onnx', '--save-outputs', 'out')
    random = saved(b, 'out/output_0.npy', 4 * IMAGE)
    b.expect(len({tuple(images(random, f)) for f in range(4)}) == 4, 'frames are filled alike: %s' % random)
    b.run('compile', 'm.onnx', '-o', 'one.cim')
    b.contains(b.run('sim', 'one.cim', '--frames', '2', '--input-fill', 'ramp', code=1).stderr,
               'the program is for one frame, the run has 2; compile --frames N makes one for several [data]')
    write_set(b, 'set', GIVEN, WANTED)
    b.contains(b.run('sim', 'p.cim', '--frames', '2', '--test-data', 'set', code=1).stderr, "input 'x' has 4 frames, the run 2 [data]")
    b.fails('compile', 'm.onnx', '--pace', str(2**62), code=2, message="cimc: error: --pace: '%d' is not ii or an integer from 0 to %d [usage]" % (2**62, 2**40))
    report = json.loads(b.run('compile', 'm.onnx', *PIXELS, '--pace', str(2**40 - 1), '--frames', '1000000', '--json').stdout)
    b.expect(report['makespan_cycles'] > 999999 * (2**40 - 1), 'the longest pace: %d cycles' % report['makespan_cycles'])
    b.contains(b.run('run', 'm.onnx', *PIXELS, '--pace', '10', '--frames', '3', '--input-fill', 'ramp').stdout, 'cycles: 26 simulated, 26 scheduled',
               '3 frames: latency 6 cycles = 8.4 us, one every 10 = 14 us: 71429 images/s; utilisation 60 % in the steady state')


def batch(b):
    """a batch in the file is as many frames: inputs and outputs keep its shape; what mixes images is named"""
    def write_model(last):
        nodes = [onnx_node('Conv', ['x', 'w'], 'h', 'conv'), last]
        b.write('m.onnx', onnx_model(nodes, {'w': ([1, 1, 1, 1], [-2])}, {'x': [4, 1, 3, 2]}, {'y': [4, 1, 3, 2]}))
    write_model(onnx_node('Relu', ['h'], 'y', 'relu'))
    b.write('x.pb', tensor('', [4, 1, 3, 2], GIVEN))
    wanted = [max(-2 * x, 0) for x in GIVEN]
    report = json.loads(b.run('run', 'm.onnx', '--input', 'x.pb', '--save-outputs', 'out', '-o', 'p.cim', '--json').stdout)
    b.equal(saved(b, 'out/output_0.npy', 4 * IMAGE), wanted, 'values')
    b.contains(b.read('out/output_0.npy').decode('latin-1'), "'shape': (4, 1, 3, 2,)")
    b.equal([report['frames'], report['base_layers'][0]['ofm']], [4, [3, 2, 1]], 'report')
    b.run('check', 'p.cim', '--model', 'm.onnx')
    b.run('run', 'm.onnx', '--frames', '7', '--input-fill', 'random:1')      # for the evaluator 4 and 3
    b.run('eval', 'm.onnx', '--input', 'x.pb', '--at', 'crossbar', '--save-outputs', 'again')
    b.equal(saved(b, 'again/output_0.npy', 4 * IMAGE), wanted, 'eval')
    axis = b'\x2a' + bytes([9]) + b'\x0a\x04axis\x18\x00\xa0\x01\x02'      # attribute axis = 0, an integer
    write_model(onnx_node('Softmax', ['h'], 'y', 'all') + axis.replace(b'\x09', bytes([len(axis) - 2])))
    b.contains(b.run('compile', 'm.onnx', code=1).stderr, "node 1 'all' (Softmax): error: softmax does not keep the 4 images of the batch apart")
    for n in 2**20 + 1, 2**32 + 1, 2**40:
        b.write('m.onnx', onnx_model([onnx_node('Conv', ['x', 'w'], 'y', 'conv')], {'w': ([1, 1, 1, 1], [-2])}, {'x': [n, 1, 3, 2]}, {'y': [n, 1, 3, 2]}))
        b.fails('compile', 'm.onnx', code=1, message='m.onnx: error: %d frames, more than 1048576 [program]' % n)


def mixed(b):
    """a batch whose images the model mixes is one frame for eval, as the file has it; other commands name the operation"""
    scalar = field(5, field(1, 'keepdims') + field(3, 0) + field(20, 2))
    perm = field(5, field(1, 'perm') + b''.join(field(8, n) for n in (1, 0, 2, 3)) + field(20, 7))
    constants = {'w': ([1, 1, 1, 1], [-2]), 'zero': ([1], [0], INT64), 'six': ([1], [6], INT64)}
    h = [-2 * x for x in GIVEN]
    cases = [([onnx_node('ReduceSum', ['h', 'zero'], 'y', 'sum')], [1, 1, 3, 2], [sum(h[i::IMAGE]) for i in range(IMAGE)],
              "node 1 'sum' (ReduceSum)", 'reduce'),
             ([onnx_node('Transpose', ['h'], 'y', 'turn') + perm], [1, 4, 3, 2], h, "output 'y'", 'output'),
             ([onnx_node('Concat', ['h', 'h'], 'd', 'twice') + AXIS_1.replace(b'\x18\x01', b'\x18\x00'), onnx_node('Slice', ['d', 'zero', 'six'], 'y', 'cut')],
              [6, 1, 3, 2], h + h[:2 * IMAGE], "node 1 'twice' (Concat)", 'concat'),
             ([onnx_node('ReduceSum', ['h'], 'y', 'all') + scalar], [], [sum(h)], "node 1 'all' (ReduceSum)", 'reduce')]
    os.makedirs(b.path('set'))
    b.write('set/input_0.pb', tensor('', [4, 1, 3, 2], GIVEN))
    b.write('set/output_0.pb', tensor('', [4, 1, 3, 2], h))
    for nodes, shape, values, place, name in cases:
        b.write('m.onnx', onnx_model([onnx_node('Conv', ['x', 'w'], 'h', 'conv'), *nodes], constants, {'x': [4, 1, 3, 2]}, {'h': [4, 1, 3, 2], 'y': shape}))
        b.write('set/output_1.pb', tensor('', shape, values))
        b.run('eval', 'm.onnx', '--test-data', 'set', '--save-outputs', 'out')
        b.equal([read_npy(b.read('out/output_%d.npy' % k))[1:] for k in range(2)], [([4, 1, 3, 2], h), (shape, values)], place)
        for command, *more in (['compile'], ['run', '--input', 'nothing.npy'], ['eval', '--at', 'crossbar', '--input', 'nothing.npy']):
            b.fails(command, 'm.onnx', *more, code=1, message="m.onnx: %s: error: %s does not keep the 4 images of the batch apart, which are frames: "
                    "one after another on the machine [lower]" % (place, name))
    b.write('two.pb', tensor('', [2, 4, 1, 3, 2], GIVEN + 4 * IMAGE * [0]))
    b.run('eval', 'm.onnx', '--input', 'two.pb', '--save-outputs', 'out')
    b.equal(read_npy(b.read('out/output_1.npy'))[1:], ([2], [sum(h), 0]), 'two batches are two frames')
    b.write('five.pb', tensor('', [5, 1, 3, 2], GIVEN + IMAGE * [0]))
    b.fails('eval', 'm.onnx', '--input', 'five.pb', code=1, message="five.pb: error: the tensor is f32[5x1x3x2], 'x' of the model is f32[4x1x3x2] [data]")


def rates(b):
    """a model that is there twice takes two images a frame"""
    write_line(b)
    write_set(b, 'set', GIVEN, WANTED)
    write_set(b, 'one', images(GIVEN, 0), images(WANTED, 0))
    b.run('run', 'a=m.onnx', 'b=m.onnx', '--rate', 'a=2', '--outputs', 'a/h,b/h', '--test-data', 'a=set', '--test-data', 'b=one', '--save-outputs', 'out')
    b.equal([saved(b, 'out/output_%d.npy' % k, 2 * IMAGE) for k in range(3)],
            [images(WANTED, 0, 2), images(WANTED, 1, 3), images(WANTED, 0, 0)], 'values')


def states(b):
    """an output that is the next image's input: t = s + x, y = t (1, 1), s (10, 20) at first"""
    nodes = [onnx_node('Add', ['x', 's'], 't', 'sum'), onnx_node('MatMul', ['t', 'w'], 'y', 'both')]
    b.write('m.onnx', onnx_model(nodes, {'w': ([2, 1], [1, 1])}, {'x': [1, 2], 's': [1, 2]}, {'y': [1, 1], 't': [1, 2]}))
    b.write('x.pb', tensor('', [3, 2], [1, 2, 3, 4, 5, 6]))
    b.write('s.pb', tensor('', [1, 2], [10, 20]))
    given = ['--input', 'x.pb', '--input', 's.pb', '--save-outputs', 'out']
    b.run('run', 'm.onnx', '--state', 't=s', *given, '-o', 'p.cim')
    b.equal([saved(b, 'out/output_0.npy', 3), saved(b, 'out/output_1.npy', 2)], [[33, 40, 51], [19, 32]], 'run')
    b.contains(b.read('out/output_1.npy').decode('latin-1'), "'shape': (1, 2,)")
    b.run('check', 'p.cim', '--model', 'm.onnx')
    b.run('sim', 'p.cim', *given, '--latency-seed', '3')
    b.equal([saved(b, 'out/output_0.npy', 3), saved(b, 'out/output_1.npy', 2)], [[33, 40, 51], [19, 32]], 'sim')
    several = ['a=m.onnx', 'b=m.onnx', *given[:2], '--input', 's.pb', '--input', 'x.pb', *given[2:]]
    b.run('run', *several, '--state', 'a/t=a/s', '--state', 'b/t=b/s')
    b.equal([saved(b, 'out/output_%d.npy' % k, 3 - k % 2) for k in range(4)], 2 * [[33, 40, 51], [19, 32]], 'two models')
    for state in 'a/t=s', 'a/t=b/s':
        b.contains(b.run('compile', 'a=m.onnx', 'b=m.onnx', '--state', state, code=2).stderr,
                   "--state: '%s' is no input of model 'a', as the output is: a/..." % state[4:])
    b.run('compile', 'm.onnx', '--state', 't=s', '-o', 'q.cim')               # one frame, run as four
    b.run('sim', 'q.cim', '--frames', '4', '--input-fill', 'ramp', '--model', 'm.onnx')
    # a window over what came last: b = (s, x * x), s the last two of b, which come from x
    nodes = [onnx_node('Mul', ['x', 'x'], 'r', 'square'), onnx_node('Concat', ['s', 'r'], 'b', 'join') + AXIS_1, onnx_node('Neg', ['b'], 'y', 'minus'),
             onnx_node('Slice', ['b', 'from', 'to', 'axis'], 't', 'last')]
    b.write('w.onnx', onnx_model(nodes, {'from': ([1], [3], INT64), 'to': ([1], [5], INT64), 'axis': ([1], [1], INT64)}, {'x': [1, 3], 's': [1, 2]}, {'y': [1, 5], 't': [1, 2]}))
    b.write('x.pb', tensor('', [2, 3], [1, 2, 3, 4, 5, 6]))
    b.run('run', 'w.onnx', '--state', 't=s', *given)
    b.equal([saved(b, 'out/output_0.npy', 10), saved(b, 'out/output_1.npy', 2)], [[-10, -20, -1, -4, -9, -4, -9, -16, -25, -36], [25, 36]], 'window')
    # a message to the next frame goes where none goes within one, and takes its hops
    size = field(5, field(1, 'hidden_size') + field(3, 20) + field(20, 2))
    nodes = [onnx_node('GRU', ['x', 'w', 'r', '', '', 's'], '', 'gru') + field(2, 't') + size, onnx_node('MatMul', ['t', 'v'], 'y', 'head')]
    values = {'w': ([1, 60, 3], [.1] * 180), 'r': ([1, 60, 20], [.1] * 1200), 'v': ([20, 3], [.1] * 60)}
    b.write('far.onnx', onnx_model(nodes, values, {'x': [1, 1, 3], 's': [1, 1, 20]}, {'y': [1, 1, 3], 't': [1, 1, 20]}))
    small = [x for field_ in ('rows=40', 'cols=48', 'crossbars=1') for x in ('--arch-field', field_)]
    far = [json.loads(b.run('run', 'far.onnx', '--state', 't=s', '--arch', 'mesh', *small, '--input-fill', 'ramp', '--frames', n, '--json').stdout) for n in ('30', '31')]
    b.expect(far[1]['simulated_cycles'] - far[0]['simulated_cycles'] <= far[0]['initiation_interval_cycles'], 'the interval is not kept')
    for state, why in (('t', "'t' is not OUT=IN"), ('u=s', "the model has no output 'u'"), ('t=z', "the model has no input 'z'"),
                       ('y=s', "'y' and 's' differ in shape or type of elements")):
        b.contains(b.run('compile', 'm.onnx', '--state', state, code=2).stderr, '--state: ' + why)


if __name__ == '__main__':
    sys.exit(run_cases([in_one_file, how_many, batch, mixed, rates, states]))
