"""Values that go into and come out of models: element types, files, fills, comparison in steps; `eval`."""
import json
import re
import struct
import sys

from bench import run_cases
from onnx_bytes import onnx_model, onnx_node

CODES = {'<f4': 'f', '<f8': 'd', '<i8': 'q', '<i4': 'i', '|i1': 'b', '|u1': 'B'}


def npy(descr, shape, values):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, ''.join('%d,' % n for n in shape))
    head += ' ' * (-(len(head) + 11) % 64) + '\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(head)) + head.encode() + struct.pack('<%d%s' % (len(values), CODES[descr]), *values)


def read_npy(data):
    """(descr, shape, values)"""
    n = struct.unpack_from('<H', data, 8)[0]
    descr, shape = re.search(rb"'descr': '(...)'.*'shape': \(([0-9, ]*)\)", data[10:10 + n]).groups()
    code = CODES[descr.decode()]
    body = data[10 + n:]
    return (descr.decode(), [int(x) for x in shape.decode().split(',') if x.strip()],
            list(struct.unpack('<%d%s' % (len(body) // struct.calcsize('<' + code), code), body)))


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
    b.equal(list(report), ['model', 'outputs', 'seconds', 'peak_rss_bytes'], 'keys')
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


if __name__ == '__main__':
    sys.exit(run_cases([evaluated, evaluated_wrong]))
