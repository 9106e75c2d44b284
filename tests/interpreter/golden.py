# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Golden vectors that `cimc dump` wrote, beside what the interpreter does: DUMP.md has the format.

For each queue: the same instructions in the same order, the same places written in the same order, the same values to the bit. Any NaN is as good
as another.
"""
import os
import struct

from program_file import NONE

BUFFER, DRAM, INSTRUCTION = 0, 1, 0x8000
NAN = 0x7fc00000
RECORD = struct.Struct('<IQHH')


def bits_of(value, code):
    """What a record holds of it: the bits of an f32 or i32 (of an i64 the low half), or the byte of a u8 or i8."""
    if code == 'f':
        return NAN if value != value else struct.unpack('<I', struct.pack('<f', value))[0]
    return value & (0xff if code in 'bB' else 0xffffffff)


def as_written(bits, code):
    """The same of a record: all NaNs are one."""
    return NAN if code == 'f' and bits & 0x7fffffff > 0x7f800000 else bits


class Golden:
    """Told of each instruction as Machine's `wrote`; `problems()` afterwards."""

    def __init__(self, interpreter, folder):
        self.codes = {operation.name: code for code, operation in interpreter.operations.items()}
        self.tiles, self.folder = interpreter.program.tiles, folder
        self.queues, self.found = {}, []
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
        for kind, place, addresses, values in writes:
            kind = DRAM if kind == 'dram' else BUFFER
            for address, value, (bits, at, number, sort) in zip(addresses, values, records):
                if (sort, number, at) != (kind, place, address):
                    self.found.append('%s: writes %d of %d, golden %d of %d' % (where, address, place, at, number))
                    return
                if bits_of(value, values.typecode) != as_written(bits, values.typecode):
                    self.found.append('%s: writes %r to %d, golden %08x' % (where, value, address, bits))
                    return
        self.n_instructions += 1
        self.n_writes += n

    def problems(self):
        for tile, t in enumerate(self.tiles):
            for queue in range(len(t.groups) + 3):
                if next(self.records(tile, queue), None) is not None:
                    self.found.append('tile %d queue %d: the golden vectors go on' % (tile, queue))
        return self.found[:10]
