# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""A float model made integers: the tensors that calibrate it, what is left of its outputs."""
import json
import math
import os
import sys

from bench import run_cases
from npy import npy, read_npy
from onnx_bytes import INT32, onnx_model, onnx_node, tensor

TWO_INPUTS = onnx_model([onnx_node('Add', ['x', 'y'], 'z', 'add')], {}, {'x': [1, 2], 'y': [1, 2]}, {'z': [1, 2]})


def calibration_files(b):
    """--calibrate: sets, one set, files of a folder, a file of several images, one image for all"""
    b.write('two.onnx', TWO_INPUTS)
    b.write('three.npy', npy('<f4', [3, 2], [1, 2, 3, 4, 5, 6]))
    b.write('one.npy', npy('|u1', [1, 2], [7, 255]))
    b.write('stacked.npy', npy('<f8', [3, 1, 2], [1, 2, 3, 4, 5, 6]))
    for second in ('one.npy', 'three.npy', 'stacked.npy'):
        b.run('opt', 'two.onnx', '--calibrate', 'x=three.npy', '--calibrate', 'y=' + second)
    os.mkdir(b.path('set'))
    for k in (0, 1):
        b.write('set/input_%d.pb' % k, tensor('', [1, 2], [1, 2], INT32))
    b.run('opt', 'two.onnx', '--calibrate', 'set')
    os.mkdir(b.path('list'))
    for name in ('list/a.npy', 'list/b.npy'):
        b.write(name, npy('|u1', [1, 1, 28, 28], [9] * 784))
    for entries in ([b.digits], [b.test_data(3), b.test_data(4)], [b.test_data(1) + '/input_0.pb'], ['image=list'], ['list']):
        b.run('opt', b.model, *sum((['--calibrate', e] for e in entries), []))


def calibration_errors(b):
    """--calibrate: what cannot be the model's inputs is named with its place"""
    b.write('two.onnx', TWO_INPUTS)
    b.write('three.npy', npy('<f4', [3, 2], [1, 2, 3, 4, 5, 6]))
    b.write('two.npy', npy('<f4', [2, 2], [1, 2, 3, 4]))
    b.write('wide.npy', npy('<f4', [1, 3], [1, 2, 3]))
    b.write('nan.npy', npy('<f4', [1, 2], [1, float('nan')]))
    b.write('huge.npy', npy('<f4', [1 << 33, 2], []))
    os.truncate(b.path('huge.npy'), 1 << 36)    # of holes
    os.mkdir(b.path('empty'))
    for entries, code, message in (
            (['absent'], 1, 'absent: error: '),
            (['q=three.npy'], 2, "'q=three.npy' is neither a file nor INPUT=PATH"),
            (['three.npy'], 1, 'three.npy: error: the model has 2 inputs'),
            (['x=three.npy'], 1, "there are 0 images of input 'y', 3 of another"),
            (['x=three.npy', 'y=two.npy'], 1, "there are 2 images of input 'y', 3 of another"),
            (['x=wide.npy'], 1, "wide.npy: error: the tensor is f32[1x3], 'x' of the model is f32[1x2]"),
            (['x=huge.npy'], 1, 'huge.npy: error: there are more than 2^30 elements to calibrate by'),
            (['x=nan.npy'], 1, 'nan.npy: error: element 1 is not a finite number'),
            (['x=three.npy', '.'], 1, '.: error: the model has 2 inputs'),
            (['empty'], 1, 'empty: error: the folder has neither test_data_set_0 nor .npy or .pb files')):
        done = b.run('opt', 'two.onnx', *sum((['--calibrate', e] for e in entries), []), code=code)
        b.contains(done.stderr, message)
    done = b.run('quantize', 'two.onnx', *sum(([option, name + '=' + path] for option, name, path in (
        ('--calibrate', 'x', 'three.npy'), ('--calibrate', 'y', 'three.npy'), ('--test-data', 'x', 'three.npy'), ('--test-data', 'y', 'two.npy'))), []), code=1)
    b.contains(done.stderr, "--test-data: there are 2 images of input 'y', 3 of another")
    done = b.run('compile', 'A=' + b.model, 'B=' + b.model, '--calibrate', b.digits, '-o', 'x', code=2)
    b.contains(done.stderr, 'is not built yet')
    done = b.run('opt', 'two.onnx', '--calibrate', 'x=three.npy', '--calibrate', 'y=two.npy', '-o', 'two.npy', code=2)
    b.contains(done.stderr, "would replace the input 'two.npy'")


def snr(wanted, got):
    """in dB"""
    return 10 * math.log10(sum(x * x for x in wanted) / sum((x - y) ** 2 for x, y in zip(wanted, got)))


def digits_thresholds(b):
    """digits, calibrated on sets 0 to 4, measured on 5 to 9: signal to noise by bits and rounding"""
    calibrate = sum((['--calibrate', b.test_data(k)] for k in range(5)), [])

    def logits(*options):
        b.run('eval', b.model, '--test-data', b.digits, '--tolerance', '1', '--save-outputs', 'out', *options)
        return read_npy(b.read('out/output_0.npy'))[2][50:]

    # floats of other processors round elsewhere: a dB less than what is asked for where little is left
    wanted = logits()
    for options, least in (([], 33), (['--weight-bits', '6', '--rounding', 'nearest'], 27), (['--weight-bits', '6'], 31),
                           (['--weight-bits', '4', '--rounding', 'nearest'], 14), (['--weight-bits', '4'], 22),
                           (['--weight-bits', '4', '--activation-bits', '4'], 13), (['--bias-correction'], 32)):
        got = logits(*calibrate, *options)
        b.expect(snr(wanted, got) >= least, '%s: %.1f dB, expected %d' % (' '.join(options), snr(wanted, got), least))
        for i in range(0, 50, 10):
            b.equal(got[i:i + 10].index(max(got[i:i + 10])), wanted[i:i + 10].index(max(wanted[i:i + 10])), 'digit')


def same_bytes(b):
    """compile --calibrate: the same program again, in another folder, with other numbers of threads"""
    programs = []
    for folder, threads in (('one', '1'), ('two', '8'), ('one', '8')):
        os.makedirs(b.path(folder), exist_ok=True)
        b.run('compile', b.model, '--calibrate', b.digits, '--weight-bits', '4', '-o', folder + '/p.cim', environment={'OMP_NUM_THREADS': threads})
        programs.append(b.read(folder + '/p.cim'))
    b.expect(programs[0] == programs[1] == programs[2], 'the programs differ')
    b.run('check', 'one/p.cim', '--model', b.model)
    b.run('run', b.model, '--calibrate', b.digits, '--test-data', b.test_data(7), '--tolerance', '0.05', '--compare-layers')


def quantised_models(b):
    """quantize: a model that another import computes alike; a table by harm; JSON; measured on other tensors too"""
    calibrate = sum((['--calibrate', b.test_data(k)] for k in range(5)), [])
    other = sum((['--test-data', b.test_data(k)] for k in range(5, 10)), [])
    for bits in ('8', '4'):
        done = b.run('quantize', b.model, *calibrate, *other, '--weight-bits', bits, '-o', 'q.onnx')
        b.run('eval', 'q.onnx', '--test-data', b.digits, '--mode', 'int', '--tolerance', '1', '--save-outputs', 'a')
        b.run('eval', b.model, '--test-data', b.digits, '--weight-bits', bits, *calibrate, '--tolerance', '1', '--save-outputs', 'b')
        b.equal(read_npy(b.read('a/output_0.npy')), read_npy(b.read('b/output_0.npy')), bits + ' bits: what the file and what the passes make')
    lines = done.stdout.splitlines()
    b.equal(lines[0].split()[:6], ['layer', 'weights', 'values', 'least', 'most', 'scale'], 'head of the table')
    alone = [float(line.split()[-1]) for line in lines[1:lines.index('')]]
    b.equal(alone, sorted(alone), 'layers by harm')
    b.contains(done.stdout, ' dB on 5 calibration images, ', ' dB on 5 other images', 'wrote q.onnx\n')
    first = b.read('q.onnx')
    os.mkdir(b.path('elsewhere'))
    report = json.loads(b.run('quantize', b.model, *calibrate, *other, '--weight-bits', '4', '-o', 'elsewhere/again.onnx', '--json',
                              environment={'OMP_NUM_THREADS': '8'}).stdout)
    b.expect(first == b.read('elsewhere/again.onnx'), 'the same tensors give another model')
    b.equal([report['images'], report['test_images'], report['layer_images']], [5, 5, 5], 'images')
    b.expect(report['snr_db'] > 22 and report['test_snr_db'] > 22, str(report)[:200])
    layers = report['layers']
    b.equal((layers[0]['name'], layers[0]['weight_bits'], layers[0]['bits'], layers[0]['zero']), ('image', 0, 8, 0), 'the input')
    b.equal([x['name'] for x in layers if x['weight_bits'] == 4 and x['bits'] == 0], ['/dense/Gemm'], 'logits stay float')
    b.run('quantize', b.model, *calibrate)
    b.expect(os.path.exists(b.path('digits.qdq.onnx')), 'the name without -o')
    b.contains(b.run('quantize', b.model, code=2).stderr, '--calibrate is missing')
    b.contains(b.run('quantize', 'q.onnx', *calibrate, code=1).stderr, 'there is nothing to quantise')


def not_finite(b):
    """quantize and report: outputs that f32 does not hold have no signal to noise, which is not the same as no error"""
    b.write('m.onnx', onnx_model([onnx_node('MatMul', ['x', 'w'], 'y', 'fc')], {'w': ([1, 1], [3e38])}, {'x': [1, 1]}, {'y': [1, 1]}))
    b.write('x.npy', npy('<f4', [1, 1], [2]))
    text = b.run('quantize', 'm.onnx', '--calibrate', 'x.npy').stdout
    b.contains(text, 'signal to noise of the outputs: unknown on 1 calibration image')
    b.run('report', 'm.onnx', '--calibrate', 'x.npy', '-o', 'm.html')
    b.contains(b.read('m.html').decode(), 'the outputs have a signal to noise of <b>unknown</b>')


def quantising_options(b):
    """what is no number of bits, no layer, or contradicts itself"""
    calibrate = ['--calibrate', b.digits]
    for options, code, message in ((['--layer', '/conv1/Conv=w9'], 2, "'/conv1/Conv=w9' is not LAYER=wNaM"),
                                   (['--layer', 'w4'], 2, "'w4' is not LAYER=wNaM"), (['--layer', '0=a3'], 2, "'0=a3' is not LAYER=wNaM"),
                                   (['--layer', 'conv9=w4a8'], 1, "'conv9' is no base layer"), (['--mode', 'f32'], 1, 'exclude each other')):
        b.contains(b.run('opt', b.model, *calibrate, *options, code=code).stderr, message)
    for option in (['--weight-bits', '4'], ['--layer', '0=w4'], ['--bias-correction']):
        b.contains(b.run('opt', b.model, *option, code=2).stderr, 'is quantised by --calibrate, which is missing')
    b.run('opt', b.model, *calibrate, '--layer', '/conv1/Conv=w2', '--layer', '5=w4a4', '--mode', 'int')
    b.contains(b.run('opt', b.model, '--mode', 'int', code=1).stderr, 'cimc quantize')


if __name__ == '__main__':
    sys.exit(run_cases([calibration_files, calibration_errors, digits_thresholds, same_bytes, quantised_models, not_finite, quantising_options]))
