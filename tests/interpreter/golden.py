# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Golden vectors that `cimc dump` wrote, beside what the interpreter does: DUMP.md has the format.

For each queue: the same instructions in the same order, the same places written in the same order, the same integers, and the same floats; but
of programs with products of floats, whose sums a machine may take in any order, floats that differ by at most 1e-5 of the largest that instructions of the
same node and operation write.
"""
import os
import struct
from array import array

from program_file import F32, NONE

TOLERANCE = 1e-5
BUFFER, DRAM, INSTRUCTION = 0, 1, 0x8000
RECORD = struct.Struct('<IQHH')


def of_bits(bits, code):
    """What a record holds: an f32, an i32 (an i64 is one), or the byte of a u8 or i8."""
    code = 'i' if code == 'q' else code
    return array(code, struct.pack('<I', bits)[:array(code).itemsize])[0]


class Golden:
    """Told of each instruction as Machine's `wrote`; `problems()` afterwards."""

    def __init__(self, interpreter, folder):
        self.codes = {operation.name: code for code, operation in interpreter.operations.items()}
        self.tolerance = TOLERANCE if any(image.element == F32 for image in interpreter.program.images) else 0
        self.tiles, self.folder = interpreter.program.tiles, folder
        self.queues, self.found, self.errors, self.most = {}, [], {}, {}
        self.n_instructions = self.n_writes = 0

    def records(self, tile, queue):
        if (tile, queue) not in self.queues:
            with open(os.path.join(self.folder, 'tile_%04d' % tile, 'golden_%03d.bin' % queue), 'rb') as f:
                self.queues[tile, queue] = RECORD.iter_unpack(f.read())
        return self.queues[tile, queue]

    def wrote(self, tile, queue, index, op, writes):
        where = 'tile %d queue %d instruction %d (%s)' % (tile, queue, index, op)
        records = self.records(tile, queue)
        n = sum(len(values) for _, _, _, values in writes)
        wanted = (n & NONE, index, tile, INSTRUCTION | self.codes[op])
        got = next(records, None)
        if got != wanted:
            self.found.append('%s: %s, golden %s' % (where, wanted, got))
            return
        key = self.tiles[tile].nodes[index], op
        error, most = self.errors.get(key, (0, where)), self.most.get(key, 0)
        for kind, place, addresses, values in writes:
            kind = DRAM if kind == 'dram' else BUFFER
            for address, value, (bits, at, number, sort) in zip(addresses, values, records):
                if (sort, number, at) != (kind, place, address):
                    self.found.append('%s: writes %d of %d, golden %d of %d' % (where, address, place, at, number))
                    return
                value_there = of_bits(bits, values.typecode)
                if value != value_there and values.typecode != 'f':
                    self.found.append('%s: writes the integer %d to %d, golden %d' % (where, value, address, value_there))
                    return
                if value != value_there and not value != value_there != value_there:
                    error = max(error, (abs(value - value_there), where))
                most = max(most, abs(value_there))
        self.errors[key], self.most[key] = error, most
        self.n_instructions += 1
        self.n_writes += n

    def problems(self):
        for tile, t in enumerate(self.tiles):
            for queue in range(len(t.groups) + 3):
                if next(self.records(tile, queue), None) is not None:
                    self.found.append('tile %d queue %d: the golden vectors go on' % (tile, queue))
        for key, (error, where) in self.errors.items():
            if not error <= self.tolerance * self.most[key]:
                self.found.append('%s: differs by %g of %g' % (where, error, self.most[key]))
        return self.found[:10]
