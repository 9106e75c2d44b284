"""A float model made integers: the tensors that calibrate it."""
import os
import sys

from bench import run_cases
from onnx_bytes import INT32, onnx_model, onnx_node, tensor
from values_test import npy

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
    os.mkdir(b.path('empty'))
    for entries, code, message in (
            (['absent'], 1, 'absent: error: '),
            (['q=three.npy'], 2, "'q=three.npy' is neither a file nor INPUT=PATH"),
            (['three.npy'], 1, 'three.npy: error: the model has 2 inputs'),
            (['x=three.npy'], 1, "there are 0 images of input 'y', 3 of another"),
            (['x=three.npy', 'y=two.npy'], 1, "there are 2 images of input 'y', 3 of another"),
            (['x=wide.npy'], 1, "wide.npy: error: the tensor is f32[1x3], 'x' of the model is f32[1x2]"),
            (['x=nan.npy'], 1, 'nan.npy: error: element 1 is not a finite number'),
            (['x=three.npy', '.'], 1, '.: error: the model has 2 inputs'),
            (['empty'], 1, 'empty: error: the folder has neither test_data_set_0 nor .npy or .pb files')):
        done = b.run('opt', 'two.onnx', *sum((['--calibrate', e] for e in entries), []), code=code)
        b.contains(done.stderr, message)
    done = b.run('compile', 'A=' + b.model, 'B=' + b.model, '--calibrate', b.digits, '-o', 'x', code=2)
    b.contains(done.stderr, 'is not built yet')
    done = b.run('opt', 'two.onnx', '--calibrate', 'x=three.npy', '--calibrate', 'y=two.npy', '-o', 'two.npy', code=2)
    b.contains(done.stderr, "would replace the input 'two.npy'")


if __name__ == '__main__':
    sys.exit(run_cases([calibration_files, calibration_errors]))
