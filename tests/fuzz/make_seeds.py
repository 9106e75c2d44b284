# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Writes what fuzzing starts from: small inputs of every kind that are right, and dictionaries of words.

usage: make_seeds.py CIMC ROOT OUT      fills OUT/{onnx,ir,machine,asm,program,api} and OUT/*.dict

ONNX files are written here; IR text is what the golden files of ROOT begin and end with; machines are those of
ROOT/benchmarks; programs are compiled from the ONNX files, and disassembled.
"""
import glob
import os
import re
import shutil
import struct
import subprocess
import sys

import call_seeds

FLOAT, UINT8, INT8, INT32, INT64, FLOAT16 = 1, 2, 3, 6, 7, 10


# ---- ONNX: field numbers are those of onnx.proto ----

def varint(n):
    n &= (1 << 64) - 1
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack('<f', value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


class Graph:
    """A branch or a loop body: nodes, names of inputs and outputs."""
    def __init__(self, nodes, inputs, outputs):
        ports = b''.join(field(number, field(1, name)) for number, names in ((11, inputs), (12, outputs)) for name in names)
        self.message = b''.join(field(1, n) for n in nodes) + ports


def attribute(name, value):
    head = field(1, name)
    if isinstance(value, float):
        return head + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return head + field(3, value) + field(20, 2)
    if isinstance(value, str):
        return head + field(4, value) + field(20, 3)
    if isinstance(value, bytes):
        return head + field(5, value) + field(20, 4)
    if isinstance(value, Graph):
        return head + field(6, value.message) + field(20, 5)
    return head + b''.join(field(8, v) for v in value) + field(20, 7)


def tensor(name, dims, values=None):
    """Floats, or with a list of ints 64-bit integers; without values the numbers 0.5, -0.25, 0.125 in turn."""
    n = 1
    for d in dims:
        n *= d
    is_integer = values is not None and all(isinstance(v, int) for v in values)
    if values is None:
        values = [(0.5, -0.25, 0.125)[i % 3] for i in range(n)]
    raw = struct.pack('<%d%s' % (n, 'q' if is_integer else 'f'), *values)
    return (b''.join(field(1, d) for d in dims) + field(2, INT64 if is_integer else FLOAT) + field(8, name) +
            field(9, raw))


def stored(name, dims, dtype, raw):
    return b''.join(field(1, d) for d in dims) + field(2, dtype) + field(8, name) + field(9, raw)


def value_info(name, dims, dtype=FLOAT):
    shape = b''.join(field(1, field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, shape)))


def node(op, inputs, outputs, **attributes):
    """`op` is Operator or domain:Operator."""
    domain, _, op = op.rpartition(':')
    return (b''.join(field(1, i) for i in inputs) + b''.join(field(2, o) for o in outputs) + field(3, outputs[0]) +
            field(4, op) + field(7, domain) + b''.join(field(5, attribute(k, v)) for k, v in attributes.items()))


def model(nodes, constants, inputs, outputs, opset=13):
    graph = b''.join(field(1, n) for n in nodes) + field(2, 'seed') + b''.join(field(5, c) for c in constants)
    graph += b''.join(field(11, value_info(*i)) for i in inputs) + b''.join(field(12, value_info(*o)) for o in outputs)
    return field(1, 8) + field(2, 'seed') + field(7, graph) + field(8, field(1, '') + field(2, opset))


X = ('x', [1, 2, 5, 6])


def chain(opset, shape, *steps, constants=(), x=X):
    """Nodes one after another: (operator, other operands, attributes); the last one's result has `shape`."""
    nodes, last = [], x[0]
    for i, (op, others, attributes) in enumerate(steps):
        out = 'y' if i == len(steps) - 1 else 'v%d' % i
        nodes.append(node(op, [last] + others, [out], **attributes))
        last = out
    return model(nodes, constants, [x], [('y', shape)], opset)


def external_model():
    """A weight whose bytes are in the folder of the model, there in the model itself."""
    pairs = [('location', 'input'), ('offset', '0'), ('length', '96')]
    weight = b''.join(field(1, d) for d in (4, 6)) + field(2, FLOAT) + field(8, 'w') + field(14, 1)
    weight += b''.join(field(13, field(1, k) + field(2, v)) for k, v in pairs)
    return model([node('MatMul', ['x', 'w'], ['y'])], [weight], [('x', [3, 4])], [('y', [3, 6])])


def residual_model():
    nodes = [node('Conv', ['x', 'w', 'b'], ['c'], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             node('BatchNormalization', ['c', 'b', 'b', 'b', 's'], ['n']), node('Relu', ['n'], ['r']),
             node('Conv', ['r', 'u'], ['d']), node('Add', ['d', 'r'], ['a']),
             node('MaxPool', ['a'], ['y'], kernel_shape=[2, 2], strides=[2, 2])]
    constants = [tensor('w', [4, 2, 3, 3]), tensor('b', [4]), tensor('s', [4], [1.0, 2.0, 0.5, 4.0]),
                 tensor('u', [4, 4, 1, 1])]
    return model(nodes, constants, [X], [('y', [1, 4, 2, 3])])


def split_model():
    nodes = [node('Split', ['x', 'n'], ['p', 'q'], axis=3), node('Sigmoid', ['p'], ['s']), node('Mul', ['q', 's'], ['m']),
             node('Concat', ['m', 'p'], ['y'], axis=1)]
    return model(nodes, [tensor('n', [2], [3, 3])], [X], [('y', [1, 4, 5, 3])])


def shape_model():
    nodes = [node('Shape', ['x'], ['s']), node('Gather', ['s', 'i'], ['g'], axis=0),
             node('Concat', ['g', 'm'], ['t'], axis=0), node('Reshape', ['x', 't'], ['r']),
             node('Transpose', ['r'], ['p'], perm=[1, 0]), node('MatMul', ['p', 'w'], ['y'])]
    constants = [tensor('i', [1], [1]), tensor('m', [1], [-1]), tensor('w', [2, 3])]
    return model(nodes, constants, [X], [('y', [30, 3])])


def attention_model():
    nodes = [node('MatMul', ['x', 'w'], ['q']), node('Gemm', ['x', 'w', 'b'], ['g'], alpha=0.5, transB=1),
             node('Softmax', ['q'], ['s'], axis=-1), node('Mul', ['s', 'g'], ['m']),
             node('ReduceMean', ['m'], ['y'], axes=[1], keepdims=1)]
    return model(nodes, [tensor('w', [4, 4]), tensor('b', [4])], [('x', [3, 4])], [('y', [3, 1])])


def computed_model():
    """Shapes and constants that are known when the model is read."""
    nodes = [node('Constant', [], ['k'], value_ints=[2, 3]), node('ConstantOfShape', ['k'], ['o']),
             node('Cast', ['o'], ['i'], to=INT64), node('Size', ['x'], ['n']), node('Range', ['a', 'n', 'p'], ['r']),
             node('Mod', ['r', 'b'], ['m']), node('Less', ['m', 'b'], ['l']), node('Greater', ['r', 'b'], ['g']),
             node('And', ['l', 'g'], ['u']), node('Not', ['u'], ['v']), node('Equal', ['r', 'b'], ['e']),
             node('Or', ['v', 'e'], ['c']), node('Where', ['c', 'f', 'h'], ['w']), node('Reshape', ['w', 'd'], ['s']),
             node('ScatterND', ['s', 'i', 'j'], ['t']), node('Mul', ['x', 't'], ['y'])]
    constants = [tensor('a', [], [0]), tensor('b', [], [7]), tensor('p', [], [1]), tensor('f', [], [0.5]), tensor('h', [60]),
                 tensor('d', [4], [1, 2, 5, 6]), tensor('j', [2, 6])]
    return model(nodes, constants, [X], [('y', [1, 2, 5, 6])])


def quantised_model():
    """A weight of 8-bit integers with a scale for each channel."""
    weight = stored('q', [4, 6], INT8, bytes(range(24)))
    nodes = [node('DequantizeLinear', ['q', 's'], ['w'], axis=1), node('MatMul', ['x', 'w'], ['y'])]
    return model(nodes, [weight, tensor('s', [6], [0.5, 0.25, 0.125, 1., 2., 4.])], [('x', [3, 4])], [('y', [3, 6])])


def integers_model():
    """Bytes outside and inside; the operators that read and write them."""
    nodes = [node('QLinearConv', ['x', 's', 'z', 'w', 'v', 'o', 's', 'z', 'b'], ['c'], pads=[1, 1, 1, 1]),
             node('com.microsoft:QLinearAdd', ['c', 's', 'z', 'c', 's', 'z', 't', 'z'], ['a']),
             node('com.microsoft:QLinearConcat', ['s', 'z', 'a', 't', 'z', 'c', 's', 'z'], ['j'], axis=1),
             node('MaxPool', ['j'], ['m'], kernel_shape=[2, 2]), node('DequantizeLinear', ['m', 's', 'z'], ['d']),
             node('Relu', ['d'], ['r']), node('QuantizeLinear', ['r', 't', 'z'], ['y'])]
    constants = [stored('w', [4, 2, 3, 3], INT8, bytes(range(100, 172))), stored('o', [4], INT8, bytes(4)),
                 stored('z', [], UINT8, bytes([7])), stored('b', [4], INT32, bytes(range(16))),
                 tensor('s', [], [0.5]), tensor('t', [1], [2.0]), tensor('v', [4], [0.5, 0.25, 0.125, 1.0])]
    return model(nodes, constants, [('x', [1, 2, 5, 6], UINT8)], [('y', [1, 8, 4, 5], UINT8)])


def dynamic_model():
    """Scales that are known at run time only."""
    nodes = [node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']), node('MatMulInteger', ['q', 'w', 'z'], ['i']),
             node('Cast', ['i'], ['f'], to=FLOAT), node('Mul', ['f', 's'], ['y'])]
    return model(nodes, [stored('w', [4, 6], INT8, bytes(range(24)))], [('x', [3, 4])], [('y', [3, 6])])


def quant_model():
    """Floats that are integers times a scale: as QONNX has it."""
    qonnx = 'qonnx.custom_op.general:'
    nodes = [node(qonnx + 'Quant', ['x', 's', 'z', 'b'], ['q'], signed=0, rounding_mode='ROUND'),
             node(qonnx + 'BipolarQuant', ['w', 't'], ['v']), node('Conv', ['q', 'v'], ['y'])]
    constants = [tensor('w', [3, 2, 1, 1]), tensor('t', [3, 1, 1, 1], [0.5, 1.0, 2.0]), tensor('s', [], [0.25]),
                 tensor('z', [], [0.0]), tensor('b', [], [4.0])]
    return model(nodes, constants, [X], [('y', [1, 3, 5, 6])])


def function(name, inputs, outputs, nodes):
    names = b''.join(field(4, i) for i in inputs) + b''.join(field(5, o) for o in outputs)
    return field(25, field(1, name) + names + b''.join(field(7, n) for n in nodes) + field(10, 'own'))


def functions_model():
    """Calls in calls, an attribute that is the call's."""
    scale = field(1, 'value_float') + field(21, 'scale') + field(20, 1)
    inner = function('Scale', ['a'], ['b'], [node('Constant', [], ['k']) + field(5, scale), node('Mul', ['a', 'k'], ['b'])])
    outer = function('Block', ['a', 'w'], ['c'], [node('Conv', ['a', 'w'], ['b']), node('own:Scale', ['b'], ['c'], scale=0.5)])
    nodes = [node('own:Block', ['x', 'w'], ['h']), node('own:Block', ['h', 'w'], ['y'])]
    return model(nodes, [tensor('w', [2, 2, 1, 1])], [X], [('y', [1, 2, 5, 6])]) + inner + outer


def control_model():
    """A branch chosen by a shape, a loop, a scan, a sequence."""
    branches = {'then_branch': Graph([node('Relu', ['x'], ['b'])], [], ['b']), 'else_branch': Graph([node('Neg', ['x'], ['b'])], [], ['b'])}
    loop = Graph([node('Add', ['v', 'v'], ['d']), node('Identity', ['d'], ['e']), node('Identity', ['c'], ['o'])], ['i', 'c', 'v'], ['o', 'd', 'e'])
    scan = Graph([node('Add', ['t', 'r'], ['u'])], ['t', 'r'], ['u'])
    nodes = [node('Size', ['x'], ['n']), node('Equal', ['n', 'm'], ['q']), node('If', ['q'], ['f'], **branches),
             node('Loop', ['three', '', 'f'], ['g', 'all'], body=loop), node('Scan', ['g', 'all'], ['h'], body=scan, num_scan_inputs=1),
             node('SplitToSequence', ['h', 'three'], ['s'], axis=3), node('SequenceAt', ['s', 'one'], ['y'])]
    constants = [tensor('m', [], [60]), tensor('three', [], [3]), tensor('one', [], [-1])]
    return model(nodes, constants, [X], [('y', [1, 2, 5, 3])])


def halves_model():
    """Input, weight and output in fp16."""
    weight = stored('w', [4, 6], FLOAT16, bytes.fromhex('0038') * 24)
    return model([node('MatMul', ['x', 'w'], ['y'])], [weight], [('x', [3, 4], FLOAT16)], [('y', [3, 6], FLOAT16)])


MODELS = {
    'residual': residual_model(), 'split': split_model(), 'shape': shape_model(), 'attention': attention_model(),
    'external': external_model(), 'functions': functions_model(), 'control': control_model(),
    'grouped': chain(11, [1, 4, 3, 2], ('Conv', ['w'], {'group': 2, 'strides': [1, 2], 'dilations': [1, 1]}),
                     ('Clip', [], {}), constants=[tensor('w', [4, 1, 3, 3])]),
    'transposed': chain(11, [1, 3, 10, 12], ('ConvTranspose', ['w'], {'strides': [2, 2], 'output_padding': [1, 1],
                                                                     'pads': [1, 1, 1, 1]}),
                        constants=[tensor('w', [2, 3, 3, 3])]),
    'pools': chain(10, [1, 2, 1, 1], ('AveragePool', [], {'kernel_shape': [3, 2], 'pads': [1, 0, 1, 0], 'ceil_mode': 1,
                                                         'count_include_pad': 1}),
                   ('LeakyRelu', [], {'alpha': 0.25}), ('GlobalAveragePool', [], {})),
    'resize': chain(13, [1, 2, 10, 12], ('Resize', ['', 's'], {'mode': 'linear', 'coordinate_transformation_mode':
                                                              'half_pixel'}), constants=[tensor('s', [4], [1., 1., 2., 2.])]),
    'slices': chain(13, [1, 2, 3, 4], ('Slice', ['a', 'b', 'c', 'd'], {}), ('Pad', ['e'], {'mode': 'reflect'}),
                    constants=[tensor('a', [2], [4, 0]), tensor('b', [2], [-9, 6]), tensor('c', [2], [2, 3]),
                               tensor('d', [2], [-2, 2]), tensor('e', [8], [0, 0, 0, 1, 0, 0, 0, 0])]),
    'shuffle': chain(13, [1, 1, 10, 6], ('Flatten', [], {}), ('Reshape', ['r'], {}), ('DepthToSpace', [], {'blocksize': 1}),
                     ('Tanh', [], {}), constants=[tensor('r', [4], [1, 1, 10, 6])]),
    'activations': chain(14, [1, 2, 5, 6], ('HardSigmoid', [], {'alpha': 0.5}), ('HardSwish', [], {}), ('PRelu', ['p'], {}),
                         ('Pow', ['q'], {}), ('LRN', [], {'size': 3}), ('LogSoftmax', [], {'axis': 1}), ('Reciprocal', [], {}),
                         constants=[tensor('p', [2, 1, 1]), tensor('q', [1], [3.0])]),
    'elements': chain(13, [2, 5, 6], ('Max', ['p', 'q'], {}), ('Min', ['q'], {}), ('Dropout', [], {}), ('Identity', [], {}),
                      ('Sub', ['p'], {}), ('Neg', [], {}), ('Abs', [], {}), ('Sqrt', [], {}), ('Exp', [], {}),
                      ('Log', [], {}), ('Squeeze', ['z'], {}),
                      constants=[tensor('p', [2, 1, 1]), tensor('q', [6]), tensor('z', [1], [0])]),
    'reductions': chain(13, [1, 1, 1, 1], ('ReduceMax', [], {'axes': [3], 'keepdims': 0}), ('Unsqueeze', ['z'], {}),
                        ('ReduceL2', [], {'axes': [1]}), ('GlobalMaxPool', [], {}), ('ReduceSum', ['z'], {}),
                        constants=[tensor('z', [1], [3])]),
    'repeats': chain(13, [1, 4, 10, 6], ('Tile', ['t'], {}), ('Expand', ['e'], {}),
                     constants=[tensor('t', [4], [1, 2, 2, 1]), tensor('e', [4], [1, 1, 1, 6])]),
    'upsample': chain(9, [1, 2, 5, 18], ('Upsample', ['s'], {}), constants=[tensor('s', [4], [1., 1., 1., 3.])]),
    'computed': computed_model(), 'quantised': quantised_model(), 'halves': halves_model(),
    'integers': integers_model(), 'dynamic': dynamic_model(), 'quant': quant_model(),
    'requant': chain(10, [1, 3, 5, 6], ('Conv', ['w'], {}), ('PACTOps:RequantShift', ['m', 'a'], {'div': 16, 'signed': 1}),
                     constants=[tensor('w', [3, 2, 1, 1], [1.0, -2.0, 3.0, 4.0, -5.0, 6.0]), tensor('m', [3, 1, 1], [5.0, 6.0, -7.0]),
                                tensor('a', [], [9.0])]),
    'dense': chain(13, [1, 7], ('Flatten', [], {}), ('Gemm', ['w', 'b'], {}), ('Softmax', [], {'axis': 1}),
                   constants=[tensor('w', [60, 7]), tensor('b', [7])]),
}
# Machines and mappings for programs: enough for every kind of instruction and table.
OPTIONS = [[], ['--arch', 'mesh', '--arch-field', 'rows=16', '--arch-field', 'cols=16', '--arch-field', 'crossbars=2',
                '--set', '2x3', '--extra-pes', '6']]
# Of some models also a body for several frames, with products of several pixels.
BODIES = ['residual', 'pools', 'integers', 'requant', 'dense']
BODY = ['--frames', '3', '--mapping', 'window', '--set', 'pixel', '--extra-pes', '4']

# Of models of integers also programs that are read out by converters from noisy cells.
READ = ['integers', 'quant', 'requant']
READ_OUT = [word for field in ['adc_bits=4', 'adc_range=full', 'encoding=differential', 'column_flip=1', 'dac_bits=3', 'cell_bits=3', 'noise_seed=1',
                               'program_sigma_high_permille=50', 'cell_fraction_bits=2', 'rows=32'] for word in ('--arch-field', field)]


# ---- files ----

def write(out, kind, name, data):
    os.makedirs(os.path.join(out, kind), exist_ok=True)
    path = os.path.join(out, kind, name)
    with open(path, 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return path


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def write_models(cimc, out):
    for name, data in MODELS.items():
        # The external data of a model is in a file named `input`.
        path = write(out, 'onnx', name + '.onnx', data)
        source = path if name != 'external' else write(out, 'scratch', 'input', data)
        for k, options in enumerate(OPTIONS + [BODY] * (name in BODIES) + [READ_OUT] * (name in READ)):
            program = write(out, 'program', '%s_%d.cim' % (name, k), b'')
            run(cimc, 'compile', source, '-o', program, *options)
            write(out, 'asm', '%s_%d.asm' % (name, k), run(cimc, 'dis', program, '--inline'))
    shutil.rmtree(os.path.join(out, 'scratch'))


def write_texts(root, out):
    for path in glob.glob(os.path.join(root, 'tests/golden/*/*.ir')):
        with open(path) as f:
            parts = f.read().split('\n; ---\n')
        for k, part in enumerate(parts):
            if 'graph "' in part:
                write(out, 'ir', '%d_%s' % (k, os.path.basename(path)), part)
    for path in glob.glob(os.path.join(root, 'benchmarks/archs/*.yaml')):
        with open(path) as f:
            write(out, 'machine', os.path.basename(path), re.sub(r' *#.*', '', f.read()).lstrip())


def write_dictionaries(cimc, out):
    """Each table's first words, for libFuzzer's -dict."""
    tables = {'onnx': ['onnx'], 'ir': ['ops'], 'machine': ['arch', 'archs'], 'asm': ['isa', 'arch'], 'program': ['arch']}
    for kind, names in tables.items():
        words = set(re.findall(r'[A-Za-z_][A-Za-z_0-9]+', ' '.join(run(cimc, 'list', n) for n in names)))
        write(out, '', kind + '.dict', ''.join('"%s"\n' % w for w in sorted(words)))


def main(cimc, root, out):
    shutil.rmtree(out, ignore_errors=True)
    write_models(cimc, out)
    write_texts(root, out)
    for name, text in call_seeds.programs(MODELS):
        write(out, 'api', name, text)
    write_dictionaries(cimc, out)


main(*sys.argv[1:])
