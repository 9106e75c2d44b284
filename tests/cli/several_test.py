# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Several models in one program: names, rates, options, values and references of each.

usage: several_test.py CIMC ROOT
"""
import json
import os
import struct
import sys

from bench import run_cases
from onnx_bytes import onnx_model, onnx_node, tensor

W = {'w': ([2, 2], [1, 2, -3, 4])}


def write_models(b):
    """a.onnx: relu(x w), one base layer; b.onnx: u w w, two that share their crossbar"""
    nodes = [onnx_node('MatMul', ['x', 'w'], 'h', 'first'), onnx_node('Relu', ['h'], 'y', 'relu')]
    b.write('a.onnx', onnx_model(nodes, W, {'x': [1, 2]}, {'y': [1, 2]}))
    nodes = [onnx_node('MatMul', ['u', 'w'], 'h', 'first'), onnx_node('MatMul', ['h', 'w'], 'v', 'second')]
    b.write('b.onnx', onnx_model(nodes, W, {'u': [1, 2]}, {'v': [1, 2]}))
    for folder, given, wanted in ('A', [1, 2], [0, 10]), ('B', [0, 1], [-15, 10]):
        os.makedirs(b.path(folder), exist_ok=True)
        b.write(folder + '/input_0.pb', tensor('', [1, 2], given))
        b.write(folder + '/output_0.pb', tensor('', [1, 2], wanted))


def values(b, path):
    return list(struct.unpack('<2f', b.read(path)[-8:]))


def two(b):
    """each model computes what it does alone; its layers, inputs and outputs have its name in front"""
    write_models(b)
    report = json.loads(b.run('run', 'a.onnx', 'b.onnx', '--test-data', 'a=A', '--test-data', 'b=B', '-o', 'p.cim',
                              '--save-outputs', 'out', '--copies', 'b/first=1', '--compare-layers', '--json').stdout)
    b.equal([l['name'] for l in report['base_layers']], ['a/first', 'b/first', 'b/second'], 'layers')
    b.equal([(o['name'], o['pass']) for o in report['outputs']], [('a/y', True), ('b/v', True)], 'outputs')
    b.equal([(m['name'], m['model'], m['rate'], m['mode']) for m in report['models']], [('a', 'a.onnx', 1, 'f32'), ('b', 'b.onnx', 1, 'f32')], 'models')
    b.equal([report[k] for k in ('model', 'mode_reason', 'pe_min')], ['a+b', None, 2], 'report')
    b.equal([values(b, 'out/output_%d.npy' % k) for k in (0, 1)], [[0, 10], [-15, 10]], 'values')
    b.contains(b.run('check', 'p.cim', '--model', 'a.onnx', '--model', 'b.onnx').stdout, 'meaning')
    b.contains(b.run('check', 'p.cim', '--model', 'b.onnx', '--model', 'a.onnx', code=1).stderr,
               'the program was not made from these models, in this order')
    b.contains(b.run('sim', 'p.cim', '--test-data', 'b=B', '--test-data', 'a=A').stdout, "output 1 'b/v' f32[1x2]: largest error 0 of 15: PASS")
    b.write('B/output_0.pb', tensor('', [1, 2], [-15, 11]))
    b.contains(b.run('sim', 'p.cim', '--test-data', 'b=B', '--test-data', 'a=A', code=1).stderr, "output 1 'b/v' differs by 1 of 15")


def rates(b):
    """a model that is there twice has its crossbars once; a name of one's own; what there is by default"""
    write_models(b)
    report = json.loads(b.run('run', 'one=a.onnx', 'b.onnx', '--rate', 'one=2', '--input-fill', 'random:1', '-o', 'p.cim', '--json').stdout)
    b.equal([l['name'] for l in report['base_layers']], ['one.0/first', 'one.1/first', 'b/first', 'b/second'], 'layers')
    b.equal([o['name'] for o in report['outputs']], ['one.0/y', 'one.1/y', 'b/v'], 'outputs')
    b.equal([report['pe_min'], [m['rate'] for m in report['models']]], [2, [2, 1]], 'report')
    b.run('check', 'p.cim', '--model', 'one=a.onnx', '--model', 'b.onnx')
    b.run('compile', 'a.onnx', 'b.onnx')
    b.expect(b.read('a+b.cim'), 'the program has the names of its models')


def read_out(b):
    """on a machine with converters and noise the reference is what the crossbars of all models together are read out as"""
    model = os.path.join(b.root, 'tests', 'numeric', 'cases', 'attention_quantised', 'model.onnx')
    fields = ['cell_bits=2', 'dac_bits=2', 'adc_bits=4', 'noise_seed=3', 'cell_fraction_bits=1', 'program_sigma_high_permille=50']
    report = json.loads(b.run('run', 'one=' + model, 'two=' + model, '--rate', 'two=2', '--input-fill', 'random:1', '--frames=2', '--json',
                              *['--arch-field=' + f for f in fields]).stdout)
    b.equal([(o['n_different'], o['pass']) for o in report['outputs']], [(0, True)] * 3, 'outputs')


def options(b):
    """options about tensors name the model"""
    write_models(b)
    b.run('run', 'a.onnx', 'b.onnx', '--outputs', 'b/h', '--input-fill', 'ramp', '-o', 'p.cim')
    b.run('check', 'p.cim', '--model', 'a.onnx', '--model', 'b.onnx')
    b.contains(b.run('run', 'a.onnx', 'b.onnx', '--test-data', 'b=B', code=1).stderr, "input 0 'a/x', f32[1x2], has no values")
    for line, message in ((['a.onnx', 'a.onnx'], "two models are called 'a'; NAME=FILE gives one another name"),
                          (['a.onnx', 'b.onnx', '--rate', 'c=2'], "--rate: there is no model 'c'"),
                          (['a.onnx', 'b.onnx', '--rate', 'a=0'], "--rate: 'a=0' is not MODEL=R with R from 1 to 255"),
                          (['a.onnx', 'b.onnx', '--outputs', 'h'], "--outputs: 'h' begins with no model's name: MODEL/...")):
        b.fails('compile', *line, code=2, message='cimc: error: %s [usage]' % message)


if __name__ == '__main__':
    sys.exit(run_cases([two, rates, read_out, options]))
