# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Values that go into and come out of models: element types, files, fills, comparison in steps; `eval`."""
import json
import os
import struct
import sys

from bench import run_cases
from npy import npy, read_npy
from onnx_bytes import BOOL, INT32, INT64, INT8, UINT8, onnx_model, onnx_node, tensor


def evaluated(b):
    """eval: a model without a base layer, all types of .npy for a float input, JSON"""
    b.write('m.onnx', onnx_model([onnx_node('Relu', ['x'], 'y', 'r')], {}, {'x': [2, 2]}, {'y': [2, 2]}))
    for descr, values in (('<f4', [-1, 2.5, 3, 0]), ('<f8', [-1, 2.5, 3, 0]), ('<i8', [-1, 2, 3, 0]), ('<i4', [-1, 2, 3, 0]),
                          ('|i1', [-1, 2, 3, -128]), ('|u1', [255, 2, 3, 0])):
        b.write('x.npy', npy(descr, [2, 2], values))
        done = b.run('eval', 'm.onnx', '--input', 'x.npy', '--save-outputs', 'out')
        b.equal(done.stdout, "output 0 'y' f32[2x2]: no reference\n", descr)
        b.equal(read_npy(b.read('out/output_0.npy')), ('<f4', [2, 2], [max(v, 0) for v in values]), 'relu of ' + descr)
    b.run('eval', 'm.onnx', '--input-fill', 'ramp', '--save-outputs', 'out')
    b.equal(read_npy(b.read('out/output_0.npy'))[2], [0, .25, .5, .75], 'ramp')
    report = json.loads(b.run('eval', b.model, '--test-data', b.test_data(0), '--json').stdout)
    b.equal(list(report), ['version', 'options', 'machine', 'model', 'outputs', 'seconds', 'peak_rss_bytes'], 'keys')
    b.equal([list(report['seconds']), report['outputs'][0]['pass']], [['import', 'evaluate'], True], 'seconds, pass')


def evaluated_wrong(b):
    """eval: an expected value that is wrong fails, and nobody agrees with anybody"""
    with open(b.test_data(0) + '/output_0.pb', 'rb') as f:
        data = bytearray(f.read())
    data[-1] ^= 0xc0
    b.run('eval', b.model, '--test-data', b.test_data(0))
    with open(b.test_data(0) + '/input_0.pb', 'rb') as f:
        b.write('input_0.pb', f.read())
    b.write('output_0.pb', bytes(data))
    done = b.run('eval', b.model, '--test-data', '.', code=1)
    b.contains(done.stdout, ': FAIL')
    b.contains(done.stderr, "output 0 'logits' differs by ", '[mismatch]')
    b.expect('evaluator' not in done.stderr, done.stderr)


# A dense layer of one output: 190 * -5 + -7 * 7 + 100 = -899 for x = (200, 3), whose zero point is 10.
WEIGHTS = {'s': ([], [1]), 'zx': ([], [10], UINT8), 'w': ([2, 1], [-5, 7], INT8), 'zw': ([], [0], INT8), 'b': ([1], [100], INT32),
           'sy': ([], [50]), 'zy': ([], [3], INT8)}
DENSE = [onnx_node('DequantizeLinear', ['x', 's', 'zx'], 'xf', 'dx'), onnx_node('DequantizeLinear', ['w', 's', 'zw'], 'wf', 'dw'),
         onnx_node('DequantizeLinear', ['b', 's'], 'bf', 'db'), onnx_node('MatMul', ['xf', 'wf'], 'm', 'dense'),
         onnx_node('Add', ['m', 'bf'], 'a', 'bias')]
QUANTIZE = [onnx_node('QuantizeLinear', ['a', 'sy', 'zy'], 'y', 'q')]


def dense(b):
    b.write('m.onnx', onnx_model(DENSE + QUANTIZE, WEIGHTS, {'x': ([1, 2], UINT8)}, {'y': ([1, 1], INT8)}))
    b.write('x.npy', npy('|u1', [1, 2], [200, 3]))


def integers(b):
    """a quantised layer by hand: u8 in, i8 out; evaluated, compiled, simulated, in either mode"""
    dense(b)
    for command in (['eval'], ['eval', '--mode', 'int'], ['eval', '--mode', 'f32'], ['run'], ['run', '--mode=f32'],
                    ['run', '--compare-layers', '--arch=mesh']):
        done = b.run(*command, 'm.onnx', '--input', 'x.npy', '--save-outputs', 'out')
        b.equal(read_npy(b.read('out/output_0.npy')), ('|i1', [1, 1], [-15]), ' '.join(command))    # rne(-899 / 50) + 3
        if command[0] == 'run':
            b.contains(done.stdout, "output 0 'y' i8[1x1]: 1 of 1 equal: PASS")
    b.write('f.onnx', onnx_model(DENSE, WEIGHTS, {'x': ([1, 2], UINT8)}, {'a': [1, 1]}))
    b.run('run', 'f.onnx', '--input', 'x.npy', '--save-outputs', 'out')
    b.equal(read_npy(b.read('out/output_0.npy')), ('<f4', [1, 1], [-899]), 'float output of the layer')


def added_integers(b):
    """integers added to the sums of ConvInteger or MatMulInteger: by channel, by place, by row, where the model says"""
    for layer, x, w, many, added, want in (
            ('ConvInteger', [1, 1, 2, 2], [2, 1, 1, 1], [1, 2, 2, 2], ([1, 2, 1, 1], [10, 20]), [11, 12, 13, 14, 22, 24, 26, 28]),
            ('ConvInteger', [1, 1, 2, 2], [2, 1, 1, 1], [1, 2, 2, 2], ([1, 1, 2, 2], [10, 20, 30, 40]), [11, 22, 33, 44, 12, 24, 36, 48]),
            ('MatMulInteger', [4, 1], [1, 2], [4, 2], ([2], [10, 20]), [11, 22, 12, 24, 13, 26, 14, 28]),
            ('MatMulInteger', [4, 1], [1, 2], [4, 2], ([4, 1], [10, 20, 30, 40]), [11, 12, 22, 24, 33, 36, 44, 48])):
        nodes = [onnx_node(layer, ['x', 'w'], 'p', 'sums'), onnx_node('Add', ['p', 'b'], 'a', 'add'), onnx_node('Reshape', ['a', 'n'], 'i', 'again'),
                 onnx_node('QuantizeLinear', ['i', 's', 'z'], 'y', 'q')]
        constants = {'w': (w, [1, 2], INT8), 'b': (*added, INT32), 'n': ([len(many)], many, INT64), 's': ([], [1]), 'z': ([], [0], UINT8)}
        b.write('m.onnx', onnx_model(nodes, constants, {'x': (x, UINT8)}, {'y': (many, UINT8)}))
        b.write('x.npy', npy('|u1', x, [1, 2, 3, 4]))
        b.run('run', 'm.onnx', '--input', 'x.npy', '--save-outputs', 'out')
        b.equal(read_npy(b.read('out/output_0.npy')), ('|u1', many, want), '%s, %s' % (layer, added[0]))


def modes(b):
    """--mode: the table, JSON and the program say what was taken; int is refused where nothing is quantised"""
    dense(b)
    done = b.run('compile', 'm.onnx', '-o', 'p.cim')
    b.contains(done.stdout, 'mode int: base layers have quantised inputs\n')
    b.run('check', 'p.cim', '--model', 'm.onnx')
    report = json.loads(b.run('compile', 'm.onnx', '--json', '--mode=f32', '-o', 'f.cim').stdout)
    b.equal([report['mode'], report['mode_reason']], ['f32', 'as asked for'], 'mode of JSON')
    b.run('sim', 'f.cim', '--model', 'm.onnx', '--input', 'x.npy')
    b.contains(b.run('dis', 'p.cim').stdout, '--mode=int')
    b.contains(b.run('dis', 'f.cim').stdout, '--mode=f32')
    narrow = ['m.onnx', '--json', '-o', 'n.cim', '--arch-field=weight_bits=3']
    b.equal([json.loads(b.run('compile', *more).stdout)['base_layers'][0]['weight_bits'] for more in
             (['m.onnx', '--json', '-o', 'n.cim'], narrow + ['--mode=f32'])], [4, 3], 'weight_bits of JSON')    # -5 and 7 fit 4 bits
    b.contains(b.run('compile', *narrow, code=1).stderr, "'dense'", 'have 4 bits, the machine holds 3 (weight_bits)', '[capacity]')
    b.contains(b.run('compile', b.model, '--mode=int', code=1).stderr, '--mode int: no base layer', 'cimc quantize')


def integer_files(b):
    """files of an integer input: any type whose elements are its integers; else the element is named"""
    dense(b)
    for descr in ('<f4', '<f8', '<i8', '<i4', '|u1'):
        b.write('x.npy', npy(descr, [1, 2], [200, 3]))
        b.run('eval', 'm.onnx', '--input', 'x.npy')
    for descr, values, message in (('<f4', [200, 3.5], 'element 1 is 3.5, which is no u8'), ('<i4', [256, 3], 'element 0 is 256, which is no u8'),
                                   ('|i1', [100, -1], 'element 1 is -1, which is no u8'),
                                   ('<f4', [float('nan'), 0], 'element 0 is nan, which is no u8')):
        b.write('x.npy', npy(descr, [1, 2], values))
        b.fails('eval', 'm.onnx', '--input', 'x.npy', code=1, message='x.npy: error: %s [data]' % message)
    b.fails('eval', 'm.onnx', '--input-type', 'x=i4', code=2, message="cimc: error: --input-type: 'i4' is none of u8, i8 [usage]")


def fortran_order(b):
    """an array whose first index runs fastest is the one in C order; other elements are told with their type"""
    b.write('m.onnx', onnx_model([onnx_node('Neg', ['x'], 'y', 'n')], {}, {'x': [1, 2, 3]}, {'y': [1, 2, 3]}))
    x = npy('<f4', [1, 2, 3], [1, 4, 2, 5, 3, 6])
    b.write('x.npy', x.replace(b"'fortran_order': False", b"'fortran_order': True "))
    b.run('eval', 'm.onnx', '--input=x.npy', '--save-outputs=out')
    b.equal(read_npy(b.read('out/output_0.npy'))[2], [-1, -2, -3, -4, -5, -6], 'C order')
    b.write('x.npy', x.replace(b'<f4', b'<u2'))
    b.fails('eval', 'm.onnx', '--input=x.npy', code=1, message="x.npy: error: the file has elements of type '<u2'; f2, f4, f8, i1, i4, i8, u1 "
            "and bool are read, little-endian: NumPy's astype makes others these [data]")


def rounding(b):
    """numbers of 64 bits are rounded to f32 once; what would become infinite is refused, what is infinite is not"""
    b.write('m.onnx', onnx_model([onnx_node('Neg', ['x'], 'y', 'n')], {}, {'x': [1, 2]}, {'y': [1, 2]}))
    b.write('x.npy', npy('<i8', [1, 2], [2**54 + 2**30 + 1, 2**63 - 1]))    # just above the middle of two floats; 2^63
    b.run('eval', 'm.onnx', '--input=x.npy', '--save-outputs=out')
    b.equal(read_npy(b.read('out/output_0.npy'))[2], [-(2.**54 + 2.**31), -2.**63], 'int64')
    b.write('x.npy', npy('<f8', [1, 2], [float('inf'), 3.4028234e38]))
    b.run('eval', 'm.onnx', '--input=x.npy', '--save-outputs=out')
    b.equal(read_npy(b.read('out/output_0.npy'))[2], [-float('inf'), -struct.unpack('<f', bytes([255, 255, 127, 127]))[0]], 'the largest')
    b.write('x.npy', npy('<f8', [1, 2], [1, -1e300]))
    b.fails('eval', 'm.onnx', '--input=x.npy', code=1, message='x.npy: error: element 1 is -1e+300, which is no f32 [data]')
    b.write('x.npy', npy('<i4', [1, 2], [1, 4]))
    b.fails('eval', 'm.onnx', '--input=x.npy', '--input-scale=1e38', code=1, message='x.npy: error: element 1 is 3.99999987e+38, which is no f32 [data]')    # 1e38 in f32 is 9.99999968e37


def input_scales(b):
    """--input-scale: integers of a float input times a factor in f32, of one input or all; floats stay; wrong ones are named"""
    b.write('m.onnx', onnx_model([onnx_node('Relu', ['x'], 'p', 'r'), onnx_node('Relu', ['w'], 'q', 's'), onnx_node('Neg', ['n'], 'k', 't')], {},
                                 {'x': [1, 2], 'w': [1, 1], 'n': ([1, 1], INT32)}, {'p': [1, 2], 'q': [1, 1], 'k': ([1, 1], INT32)}))
    f32 = struct.Struct('<f')
    rounded = lambda value: f32.unpack(f32.pack(value))[0]
    for descr in ('|u1', '|i1', '<i4', '<i8'):
        b.write('x.npy', npy(descr, [1, 2], [3, 100]))
        b.write('w.npy', npy('<f4', [1, 1], [3]))
        b.write('n.npy', npy('|u1', [1, 1], [3]))
        for options, factor in ((['1/255'], 1 / 255), (['.25'], .25), (['x=3e-2', '7'], 3e-2), (['7', 'x=2', 'x=1/3'], 1 / 3), ([], 1)):
            b.run('eval', 'm.onnx', *('--input=%s.npy' % k for k in 'xwn'), *('--input-scale=' + o for o in options), '--save-outputs', 'out')
            b.equal([read_npy(b.read('out/output_%d.npy' % k))[2] for k in range(3)],
                    [[rounded(3 * rounded(factor)), rounded(100 * rounded(factor))], [3], [-3]], '%s, %s' % (descr, options))
    b.write('x.npy', npy('|u1', [1, 2], [3, 100]))
    note = 'x.npy: note: bytes of a float input are taken as 0 to 255; --input-scale 1/255 makes them 0 to 1'
    run = lambda *options: b.run('eval', 'm.onnx', '--input=x.npy', '--input=w.npy', '--input=n.npy', *options).stderr
    b.equal(run().count(note), 1, 'bytes without a scale')
    b.expect(note not in run('--input-scale=1'), 'bytes that are meant')
    for option in ('-q', '--quiet'):
        b.equal(run(option), '', option + ': no notes')
    b.contains(b.run('eval', 'm.onnx', '-q', '--input=x.npy', '--input=absent.npy', code=1).stderr, note, 'absent.npy: error: ')
    for option in ('', 'x', '1/0', '1/', '0', 'nan', '1e-99', 'x=', '1/2/3'):
        b.fails('eval', 'm.onnx', '--input-fill=ramp', '--input-scale', option, code=2,
                message="cimc: error: --input-scale: '%s' has no factor such as 0.5 or 1/255 [usage]" % option)
    for name in ('y', 'n'):
        b.fails('eval', 'm.onnx', '--input-fill=ramp', '--input-scale', name + '=2', code=2,
                message="cimc: error: --input-scale: there is no float input '%s' [usage]" % name)


def shapes(b):
    """a picture without its batch of 1 is one; where channels come last the message says how they come first"""
    b.write('m.onnx', onnx_model([onnx_node('Neg', ['x'], 'y', 'n')], {}, {'x': [1, 2, 3, 1]}, {'y': [1, 2, 3, 1]}))
    b.write('x.npy', npy('<f4', [2, 3, 1], range(6)))
    b.run('eval', 'm.onnx', '--input=x.npy', '--save-outputs=out')
    b.equal(read_npy(b.read('out/output_0.npy'))[1:], ([1, 2, 3, 1], [0, -1, -2, -3, -4, -5]), 'without the batch')
    for dims in ([3, 1, 2], [1, 3, 1, 2]):
        b.write('x.npy', npy('<f4', dims, range(6)))
        b.fails('eval', 'm.onnx', '--input=x.npy', code=1, message="x.npy: error: the tensor is f32[%s], 'x' of the model is f32[1x2x3x1] [data]\n"
                'x.npy: note: it has the channels last; numpy.moveaxis(x, -1, -3) puts them first' % 'x'.join(map(str, dims)))


def accuracy(b):
    """--labels: the first of the largest elements of output 0, of each frame; eval, run and sim; JSON; labels that do not fit"""
    b.write('m.onnx', onnx_model([onnx_node('MatMul', ['x', 'w'], 'y', 'd')], {'w': ([2, 3], [1, 0, 0, 0, 1, 0])}, {'x': [1, 2]}, {'y': [1, 3]}))
    b.write('x.npy', npy('|i1', [4, 2], [5, 1, 1, 5, -1, -1, 2, 2]))    # classes 0, 1, 2, 0
    b.write('labels.txt', '0\n1\n1\n0\n')
    b.run('compile', 'm.onnx', '--frames=4', '-o', 'p.cim')
    for command in (['eval', 'm.onnx'], ['run', 'm.onnx'], ['sim', 'p.cim'], ['sim', 'p.cim', '--model=m.onnx']):
        values = ['--input=x.npy', '--labels=labels.txt']
        b.contains(b.run(*command, *values).stdout, '\naccuracy: 3 of 4\n')
        b.equal(json.loads(b.run(*command, *values, '--json').stdout)['accuracy'], {'right': 3, 'images': 4}, command[0])
    b.expect('accuracy' not in b.run('eval', 'm.onnx', '--input=x.npy', '--json').stdout, 'accuracy without labels')
    for text, message in (('0\n1\n1\n', 'labels.txt: error: has 3 labels, the run 4 frames'), ('', 'labels.txt: error: has 0 labels, the run 4 frames'),
                          ('0\n1\n3\n0', 'labels.txt:3: error: class 3, output 0 has 3 elements'),
                          ('0\none\n', 'labels.txt:2: error: is not the number of a class'), ('0\n\n', 'labels.txt:2: error: is not the number of a class'),
                          ('0 1\n', 'labels.txt:1: error: is not the number of a class'),
                          ('99999999999999999999\n', 'labels.txt:1: error: is not the number of a class')):
        b.write('labels.txt', text)
        b.fails('eval', 'm.onnx', '--input=x.npy', '--labels=labels.txt', code=1, message=message + ' [data]')
    b.run('eval', 'm.onnx', '--input=x.npy', '--labels=absent', code=1)
    b.contains(b.run('sim', 'p.cim', '--labels=labels.txt', code=1).stderr, 'has no values')


def digits(b):
    """the bundled images: u8 pixels and labels; the float network reads 199 of the 200"""
    images = lambda name: ['--input', os.path.join(b.digits, name + '.npy'), '--labels', os.path.join(b.digits, name + '_labels.txt')]
    b.contains(b.run('eval', b.model, *images('test'), '--input-scale=1/255').stdout, 'accuracy: 199 of 200')
    b.contains(b.run('eval', b.model, *images('calibration'), '--input-scale=1/255').stdout, ' of 32')


def words_and_truth(b):
    """inputs and outputs of int64, which are i32 inside, and of bool: files, ranges, every command that has values"""
    moves = [onnx_node('Transpose', ['x'], 'y', 't'), onnx_node('Transpose', ['m'], 'n', 'u')]
    b.write('m.onnx', onnx_model(moves, {}, {'x': ([1, 3], INT64), 'm': ([1, 3], BOOL)}, {'y': ([3, 1], INT64), 'n': ([3, 1], BOOL)}))
    b.write('x.npy', npy('<i8', [1, 3], [-1, 2 ** 31 - 1, -2 ** 31]))
    b.write('m.npy', npy('|b1', [1, 3], [0, 1, 7]))
    os.mkdir(b.path('t'))
    b.write('t/input_0.pb', tensor('x', [1, 3], [-1, 2 ** 31 - 1, -2 ** 31], INT64))
    b.write('t/input_1.pb', tensor('m', [1, 3], [0, 1, 1], BOOL))
    b.write('t/output_0.pb', tensor('y', [3, 1], [-1, 2 ** 31 - 1, -2 ** 31], INT64))
    b.write('t/output_1.pb', tensor('n', [3, 1], [0, 1, 1], BOOL))
    files = ['--input', 'x.npy', '--input', 'm.npy']
    b.run('compile', 'm.onnx', '-o', 'p.cim')
    for command in (['eval', 'm.onnx'], ['run', 'm.onnx'], ['sim', 'p.cim', '--model', 'm.onnx']):
        b.run(*command, *files, '--save-outputs', 'out')
        b.equal(read_npy(b.read('out/output_0.npy')), ('<i8', [3, 1], [-1, 2 ** 31 - 1, -2 ** 31]), command[0])
        b.equal(read_npy(b.read('out/output_1.npy')), ('|b1', [3, 1], [0, 1, 1]), command[0])
        done = b.run(*command, '--test-data', 't')
        b.contains(done.stdout, "output 0 'y' i64[3x1]: 3 of 3 equal: PASS", "output 1 'n' bool[3x1]: 3 of 3 equal: PASS")
    b.run('sim', 'p.cim', *files, '--save-outputs', 'out')    # a program has bytes where the model has bool
    b.equal(read_npy(b.read('out/output_1.npy')), ('|u1', [3, 1], [0, 1, 1]), 'bool of a program')
    b.run('check', 'p.cim', '--model', 'm.onnx')
    b.run('dump', 'p.cim', '-o', 'd', '--test-data', 't')
    b.equal(b.read('d/input_0.hex').decode().split()[-3:], ['ffffffffffffffff', '000000007fffffff', 'ffffffff80000000'], 'words')
    b.write('x.npy', npy('<i8', [1, 3], [0, 2 ** 31, 5000000000]))
    b.fails('run', 'm.onnx', *files, code=1, message='x.npy: error: element 1 is 2147483648, which is no i32 [data]')
    b.write('t/output_0.pb', tensor('y', [3, 1], [-1, 2 ** 31 - 2, -2 ** 31], INT64))
    done = b.run('run', 'm.onnx', '--test-data', 't', code=1)
    b.contains(done.stderr, "output 0 'y' differs: 2 of 3 equal, 1 by 1 step, worst at [1, 0]: 2.14748365e+09, expected 2.14748365e+09")


def fills(b):
    """--input-fill of integers: the ramp wraps around, random ones have all values"""
    n = 600
    for kind, name, descr, wrap in ((UINT8, 'u8', '|u1', lambda i: i % 256), (INT8, 'i8', '|i1', lambda i: (i + 128) % 256 - 128)):
        pair = [onnx_node('DequantizeLinear', ['x', 's', 'z'], 'f', 'd'), onnx_node('QuantizeLinear', ['f', 's', 'z'], 'y', 'q')]
        b.write('m.onnx', onnx_model(pair, {'s': ([], [.5]), 'z': ([], [1], kind)}, {'x': ([1, n], kind)}, {'y': ([1, n], kind)}))
        b.run('eval', 'm.onnx', '--input-fill=ramp', '--save-outputs=out')
        b.equal(read_npy(b.read('out/output_0.npy')), (descr, [1, n], [wrap(i) for i in range(n)]), 'ramp of ' + name)
        b.run('eval', 'm.onnx', '--input-fill=random:7', '--save-outputs=out')
        values = read_npy(b.read('out/output_0.npy'))[2]
        b.expect(min(values) < wrap(0) + 8 or kind == INT8 and min(values) < -120, 'small random values of ' + name)
        b.expect(len(set(values)) > 200, 'few random values of ' + name)
    b.write('m.onnx', onnx_model([onnx_node('DequantizeLinear', ['x', 's'], 'y', 'd')], {'s': ([], [.5])}, {'x': ([1, 4], INT32)}, {'y': [1, 4]}))
    b.run('eval', 'm.onnx', '--input-fill=ramp', '--save-outputs=out')
    b.equal(read_npy(b.read('out/output_0.npy')), ('<f4', [1, 4], [0, .5, 1, 1.5]), 'ramp of i32')


def seeds(b):
    """--input-fill random: seeds of 64 bits; a longer one is no other's"""
    b.write('m.onnx', onnx_model([onnx_node('Neg', ['x'], 'y', 'n')], {}, {'x': [1, 2]}, {'y': [1, 2]}))
    b.run('eval', 'm.onnx', '--input-fill=random:%d' % (2**64 - 1))
    for seed in ('%d' % 2**64, '9' * 30, '-1', '', '1x'):
        b.fails('eval', 'm.onnx', '--input-fill=random:' + seed, code=2,
                message="cimc: error: --input-fill: 'random:%s' is none of ramp, random:SEED [usage]" % seed)


def steps(b):
    """outputs in steps: how many differ by how many, the tolerance, JSON; floats behind a DequantizeLinear too"""
    same = [onnx_node('DequantizeLinear', ['x', 's', 'z'], 'f', 'd'), onnx_node('QuantizeLinear', ['f', 's', 'z'], 'q', 'q')]
    both = same + [onnx_node('DequantizeLinear', ['q', 's', 'z'], 'y', 'back')]
    constants = {'s': ([], [.5]), 'z': ([], [1], INT8)}
    got, want = [0, 1, 2, 3, 4, 5], [0, 1, 3, 3, 2, 127]
    b.write('input_0.pb', tensor('x', [1, 6], got, INT8))
    b.write('q.onnx', onnx_model(same, constants, {'x': ([1, 6], INT8)}, {'q': ([1, 6], INT8)}))
    b.write('output_0.pb', tensor('q', [1, 6], want, INT8))
    text = '3 of 6 equal, 1 by 1 step, 1 by 2 steps, 1 by more, at most 122'
    done = b.run('eval', 'q.onnx', '--test-data=.', code=1)
    b.equal(done.stdout, "output 0 'q' i8[1x6]: %s: FAIL\n" % text, 'integers')
    b.equal(done.stderr, "cimc: error: output 0 'q' differs: %s, worst at [0, 5]: 5, expected 127 [mismatch]\n" % text, 'integers')
    b.run('eval', 'q.onnx', '--test-data=.', '--tolerance-steps=121', code=1)
    report = json.loads(b.run('eval', 'q.onnx', '--test-data=.', '--tolerance-steps=122', '--json').stdout)['outputs'][0]
    b.equal([report[k] for k in ('max_abs_error', 'max_abs_reference', 'n_different', 'max_steps', 'pass')], [122, 127, 3, 122, True], 'JSON')
    b.write('f.onnx', onnx_model(both, constants, {'x': ([1, 6], INT8)}, {'y': [1, 6]}))
    b.write('output_0.pb', tensor('y', [1, 6], [(x - 1) / 2 for x in want[:5] + [6]]))
    done = b.run('eval', 'f.onnx', '--test-data=.', '--tolerance-steps=2')
    b.equal(done.stdout, "output 0 'y' f32[1x6]: 3 of 6 equal, 2 by 1 step, 1 by 2 steps (a step is 0.5): PASS\n", 'floats')
    b.write('output_0.pb', tensor('y', [1, 6], [(x - 1) / 2 for x in [0, 1, 3, 3, 4, 5]]))
    note = 'note: the built-in evaluator agrees with the program: exact integers may differ by a step from floats (--tolerance-steps 1)\n'
    b.contains(b.run('run', 'f.onnx', '--test-data=.', code=1).stderr, note)


def stages(b):
    """eval --at: each stage of a quantised layer by hand; a batch"""
    dense(b)
    for stage in ('tensor', 'canonical', 'integer', 'crossbar'):
        b.run('eval', 'm.onnx', '--input', 'x.npy', '--at', stage, '--save-outputs', stage)
        b.equal(read_npy(b.read(stage + '/output_0.npy'))[2], [-15], stage)
    b.run('eval', 'm.onnx', '--input', 'x.npy', '--at', 'tile', code=2)
    nodes = [onnx_node('Conv', ['x', 'w'], 'y', 'c')]    # a batch of two: two frames
    b.write('c.onnx', onnx_model(nodes, {'w': ([1, 1, 1, 1], [3])}, {'x': [2, 1, 1, 2]}, {'y': [2, 1, 1, 2]}))
    b.write('x.npy', npy('<f4', [2, 1, 1, 2], [1, 2, 3, 4]))
    for more in [], ['--at=crossbar']:
        b.run('eval', 'c.onnx', '--input', 'x.npy', '--save-outputs', 'c', *more)
        b.equal(read_npy(b.read('c/output_0.npy'))[1:], ([2, 1, 1, 2], [3, 6, 9, 12]), 'batch')


def constant_weights(b):
    """--constant-weights: inputs that a dense layer reads as weights are constants, what it reads as data is not"""
    b.write('m.onnx', onnx_model([onnx_node('Gemm', ['w2', 'x', 'b'], 'y', 'g')], {}, {'b': [2], 'w2': [1, 3], 'x': [3, 2]}, {'y': [1, 2]}))
    for k, (name, shape, values) in enumerate([('b', [2], [10, 20]), ('w2', [1, 3], [1, 2, 3]), ('x', [3, 2], [1, 0, 0, 1, 2, -1])]):
        b.write('input_%d.pb' % k, tensor(name, shape, values))
    b.write('output_0.pb', tensor('y', [1, 2], [17, 19]))
    b.run('run', 'm.onnx', '--test-data=.', '--constant-weights', '-o', 'p.cim')
    b.run('sim', 'p.cim', '--input=input_1.pb')
    b.run('eval', 'm.onnx', '--test-data=.', '--constant-weights')
    b.contains(b.run('run', 'm.onnx', '--constant-weights', code=2).stderr, '--constant-weights takes constants from --test-data')


def integer_cells(b):
    """where and dump of an integer program: weights of 8 bits as they lie in the crossbar"""
    dense(b)
    b.run('compile', 'm.onnx', '-o', 'p.cim')
    report = json.loads(b.run('where', 'p.cim', '--layer=dense', '--row=1', '--col=0', '--json').stdout)
    b.equal(report['value'], 7, 'weight')
    b.contains(b.run('where', 'p.cim', '--layer=dense', '--row=0', '--col=0').stdout, 'column 0 of 1: -5\n')
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin', '--input=x.npy')
    b.equal(struct.unpack('<2b', b.read('out/tile_0000/pe_000.bin')), (-5, 7), 'crossbar')
    b.equal((b.read('out/input_0.bin'), b.read('out/output_0.bin')), (bytes([200, 3]), struct.pack('b', -15)), 'tensors of the run')


if __name__ == '__main__':
    sys.exit(run_cases([evaluated, evaluated_wrong, integers, added_integers, modes, integer_files, fortran_order, rounding, input_scales, shapes, accuracy, digits, words_and_truth, fills, seeds, steps, stages, constant_weights, integer_cells]))
