# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""An interpreter of program files, written from ISA.md, program.proto and ARCH.md alone. Standard library only.

usage: interpret.py PROGRAM [--input FILE]... [--frames N] [--seed N] [--save DIR]

Executes the program on the inputs (.npy or ONNX .pb files, little-endian) and prints the outputs' largest magnitudes; --save
writes them as .npy. --frames: how many (those the program was made for); inputs and outputs are those of all frames, one after the other. --seed: another order of what is ready at the same time; the answers must not depend on it.
"""
import argparse
import ast
import os
import struct
import sys
from array import array

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from features import Features, read_features  # noqa: E402
from form import Form  # noqa: E402
from instruction_set import read_lanes, read_operations  # noqa: E402
from machine import Machine  # noqa: E402
from program_file import OUTSIDE, Fault, raw_field, read_fields, read_program, varint  # noqa: E402
from streams import add_instructions  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir)


def read_text(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as f:
        return f.read()


def elements(shape):
    n = 1
    for d in shape:
        n *= d
    return n


class Interpreter:
    """A program that is well formed, ready to run any number of times."""

    def __init__(self, data):
        isa = read_text('backend', 'isa', 'ISA.md')
        self.lanes, self.operations = read_lanes(isa), read_operations(isa)
        program = read_program(data, read_text('proto', 'program.proto'), read_fields(read_text('ir', 'arch', 'ARCH.md')))
        self.program = add_instructions(program, self.operations)
        self.check()
        self.check_features(read_features(isa))

    def check_features(self, bits):
        needed = sum(bits[name] for name in Features(self.program, self.lanes).needed())
        if (self.program.features or 0) != needed:
            raise Fault('features %s, but its instructions need %d' % (self.program.features, needed))

    def check(self):
        """Faults of form."""
        Form(self.program, self.operations, self.lanes).check()

    def run(self, inputs, wrote=None, seed=None, frames=None, before=(0,)):
        """Outputs by index, from inputs by index; arrays in row-major order, of the bindings' elements (f32 where a binding is f16), frame after frame.
        before: runs on one machine, each after so many runs before it."""
        outputs, frames = {}, frames or self.program.frames or 1
        if frames > 1 and not self.program.frames:
            raise Fault('the program has no frames')
        for b in self.program.bindings:
            n = elements(b.shape) * (frames if b.frame_stride else 1)
            if b.output:
                outputs.setdefault(b.index, array(OUTSIDE[b.element], [0]) * n)
            elif len(inputs.get(b.index, ())) != n:
                raise Fault('input %d needs %d values' % (b.index, n))
        machine = Machine(self.program, [t.instructions for t in self.program.tiles], self.lanes, inputs, outputs, wrote, seed, frames)
        for n in before:
            for values in outputs.values():
                values[:] = array(values.typecode, [0]) * len(values)
            machine.run(n * machine.n_iterations)
        return outputs


# ---- tensors ----

DESCRIPTIONS = {'f': '<f4', 'B': '|u1', 'b': '|i1', 'i': '<i4', 'q': '<i8'}    # of .npy
PB_TYPES = {1: 'f', 2: 'B', 3: 'b', 6: 'i', 7: 'q', 9: 'B'}


def int32_data(packed):
    at = 0
    while at < len(packed):
        value, at = varint(packed, at, len(packed))
        yield value - (1 << 64) if value >> 63 else value


def read_npy(data):
    n_header = struct.unpack_from('<H', data, 8)[0]
    about = ast.literal_eval(data[10:10 + n_header].decode('latin-1'))
    if data[6] != 1 or about['descr'] not in DESCRIPTIONS.values() or about['fortran_order']:
        raise Fault('only version 1 .npy files with f32, u8, i8, i32 or i64 in C order are read')
    return array(next(code for code, d in DESCRIPTIONS.items() if d == about['descr']), data[10 + n_header:])


def read_pb(data):
    """An ONNX TensorProto: data_type (2), then raw_data (9), float_data (4) or, for integers, int32_data (5) or int64_data (7)."""
    at, fields = 0, []
    while at < len(data):
        number, wire, value, at = raw_field(data, at, len(data))
        fields.append((number, wire, data[slice(*value)] if wire == 2 else value))
    code = next((PB_TYPES.get(value, '') for number, _, value in fields if number == 2), 'f')
    if not code:
        raise Fault('a tensor of another type')
    values = array(code)
    for number, wire, value in fields:
        if number == 9 or (number == 4 and wire == 2):
            values.frombytes(value)
        elif number == 4:
            values.frombytes(value.to_bytes(4, 'little'))
        elif number in (5, 7) and wire == 2:
            values.extend(int32_data(value))
    return values


def read_tensor(path):
    with open(path, 'rb') as f:
        data = f.read()
    return read_npy(data) if path.endswith('.npy') else read_pb(data)


def write_npy(path, shape, values):
    header = repr({'descr': DESCRIPTIONS[values.typecode], 'fortran_order': False, 'shape': tuple(shape)})
    header += ' ' * (-(len(header) + 11) % 64) + '\n'
    with open(path, 'wb') as f:
        f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode() + values.tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('--input', action='append', default=[])
    parser.add_argument('--seed', type=int)
    parser.add_argument('--frames', type=int)
    parser.add_argument('--save')
    args = parser.parse_args()
    try:
        with open(args.program, 'rb') as f:
            interpreter = Interpreter(f.read())
        outputs = interpreter.run(dict(enumerate(map(read_tensor, args.input))), seed=args.seed, frames=args.frames)
    except Fault as fault:
        print('%s: %s' % (args.program, fault), file=sys.stderr)
        return 1
    for b in interpreter.program.bindings:
        if b.output:
            shape = b.shape if not b.frame_stride else [len(outputs[b.index]) // elements(b.shape), *b.shape]
            print("output %d '%s' %s: largest magnitude %.6g" % (b.index, b.name, list(shape), max(map(abs, outputs[b.index]))))
            if args.save:
                os.makedirs(args.save, exist_ok=True)
                write_npy(os.path.join(args.save, 'output_%d.npy' % b.index), shape, outputs[b.index])
    return 0


if __name__ == '__main__':
    sys.exit(main())
