# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Parts of models: --inputs and --outputs, models without their weights, messages about many nodes.

usage: parts_test.py CIMC ROOT
"""
import json
import struct
import sys

from bench import run_cases
from onnx_bytes import onnx_model, onnx_node, tensor


def parts(b):
    """a part computes what the whole does there; the options are the program's"""
    nodes = [onnx_node('MatMul', ['x', 'w'], 'h', 'first'), onnx_node('Relu', ['h'], 'r', 'relu'), onnx_node('MatMul', ['r', 'w'], 'y', 'second')]
    b.write('m.onnx', onnx_model(nodes, {'w': ([2, 2], [1, 2, -3, 4])}, {'x': [1, 2]}, {'y': [1, 2]}))
    b.write('a.pb', tensor('', [1, 2], [1, 2]))
    b.write('b.pb', tensor('', [1, 2], [0, 10]))
    for more, given, want in (['--outputs', 'r'], 'a', [0, 10]), (['--inputs', 'r'], 'b', [-30, 40]), (['--inputs=r:1x2'], 'b', [-30, 40]):
        b.run('run', 'm.onnx', *more, '--input', given + '.pb', '--save-outputs', 'out')
        b.equal(list(struct.unpack('<2f', b.read('out/output_0.npy')[-8:])), want, ' '.join(more))
    b.run('compile', 'm.onnx', '--inputs', 'r', '-o', 'p.cim')
    b.run('check', 'p.cim', '--model', 'm.onnx')
    b.fails('compile', 'm.onnx', '--outputs', 'r,', code=2, message='cimc: error: --outputs: a name is empty [usage]')
    b.fails('compile', 'm.onnx', '--outputs', 'hh', code=1,
            message="m.onnx: error: --outputs: no tensor is named 'hh'; did you mean 'h'? [onnx-model]")


def without_weights(b):
    """a model whose data is missing: refused with the way out, compiled by --no-weights to a program of times"""
    nodes = [onnx_node('MatMul', ['x', 'w'], 'h', 'first'), onnx_node('Add', ['h', 'c'], 'y', 'sum')]
    b.write('m.onnx', onnx_model(nodes, {'w': ([300, 400], 'gone.bin'), 'c': ([400], 'gone.bin')}, {'x': [7, 300]}, {'y': [7, 400]}))
    b.fails('compile', 'm.onnx', code=1, message="m.onnx: error: external data 'gone.bin': No such file or directory; "
            '--no-weights compiles the structure alone [io]')
    report = json.loads(b.run('compile', 'm.onnx', '--no-weights', '--json', '-o', 'p.cim').stdout)
    b.equal([report[k] for k in ('missing_tensors', 'pe_min', 'makespan_cycles')], [2, 4, 7], 'report')     # 300 x 400 on 256 x 256
    b.expect(report['program_bytes'] < 100 * 400, 'the program holds weights')
    b.contains(b.run('sim', 'p.cim').stdout, 'cycles: 7 simulated, 7 scheduled')
    b.run('check', 'p.cim', '--model', 'm.onnx')
    b.run('dis', 'p.cim', '-o', 'p.asm')
    b.run('asm', 'p.asm', '-o', 'q.cim')
    b.equal(b.read('p.cim'), b.read('q.cim'), 'assembled again')
    refused = 'error: weights are missing (--no-weights): there are times, but no values [data]'
    for line in (['run', 'm.onnx', '--no-weights'], ['eval', 'm.onnx', '--no-weights'], ['sim', 'p.cim', '--input-fill', 'ramp'],
                 ['where', 'p.cim', '--layer', '0', '--row', '0', '--col', '0'], ['dump', 'p.cim', '-o', 'd']):
        b.contains(b.run(*line, code=1).stderr, refused)


def what_must_be_known(b):
    """a shape that is missing is named"""
    b.write('m.onnx', onnx_model([onnx_node('Reshape', ['x', 's'], 'y', 'r')], {'s': ([2], 'gone.bin')}, {'x': [4]}, {'y': [2, 2]}))
    b.contains(b.run('compile', 'm.onnx', '--no-weights', code=1).stderr, "operand 1, 's', must be known, but its data is missing")


def many_nodes(b):
    """one line for nodes of which the same is said, each by --verbose; what else is in the way is said too"""
    nodes = [onnx_node('Foo', ['x'], 'f%d' % k, 'n%d' % k) for k in range(5)] + [onnx_node('Bar', ['f0'], 'y', 'last')]
    b.write('m.onnx', onnx_model(nodes, {}, {'x': [4]}, {'y': [4]}))
    foo, bar = ('error: operator %s is not supported at opset 13 [onnx-unsupported]\n' % name for name in ('Foo', 'Bar'))
    b.fails('compile', 'm.onnx', code=1, message="m.onnx: node 0 'n0' (Foo) and 4 more: " + foo + "m.onnx: node 5 'last' (Bar): " + bar +
            'cimc: note: --verbose names every node')
    b.fails('compile', 'm.onnx', '--verbose', code=1, message=''.join("m.onnx: node %d 'n%d' (Foo): " % (k, k) + foo for k in range(5)) +
            "m.onnx: node 5 'last' (Bar): " + bar.strip())


def many_stages(b):
    """what the importer and what the passes refuse is in one report"""
    nodes = [onnx_node('Foo', ['x'], 'f', 'unknown'), onnx_node('Conv', ['x', 'w'], 'c', 'layer'), onnx_node('Add', ['c', 'f'], 'y', 'sum')]
    b.write('m.onnx', onnx_model(nodes, {}, {'x': [1, 3, 8, 8], 'w': [4, 3, 3, 3]}, {'y': [1, 4, 6, 6]}))
    errors = b.run('compile', 'm.onnx', code=1).stderr
    b.contains(errors, "node 0 'unknown' (Foo): error: operator Foo is not supported at opset 13 [onnx-unsupported]")
    b.contains(errors, "node 1 'layer' (Conv): error: the weights must be constant: 'layer' (conv) [lower]")
    b.contains(errors, 'known only at run time; --constant w=FILE.pb makes it a constant')
    b.expect("'sum'" not in errors, 'what stands behind what is lost is blamed')


if __name__ == '__main__':
    sys.exit(run_cases([parts, without_weights, what_must_be_known, many_nodes, many_stages]))
