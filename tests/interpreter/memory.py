# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""A tile's buffer and the views of it: ISA.md, sections 1 and 4.

Of each byte is known whether it was ever written, and of each element that a view wrote, by its first byte, the row of which tensor it belongs to. Reading what
was never written, what is not held, or a row whose slot holds another row by now raises Fault.
"""
from array import array
from itertools import repeat
from operator import add

from lanes import wrapped
from program_file import CODES, NONE, Fault

ROW_BITS = 31    # of a row's number, counted through the frames


def add_wrapped(x, y):
    return wrapped(x + y)


class Buffer:
    def __init__(self, n_bytes):
        self.bytes = bytearray(n_bytes)
        self.written = bytearray(n_bytes)
        self.rows = array('q', repeat(-1, n_bytes))

    def cells(self, code):
        return memoryview(self.bytes).cast(code)

    def preload(self, address, data):
        self.bytes[address:address + len(data)] = data
        self.written[address:address + len(data)] = b'\1' * len(data)


class Now:
    """The frame that the instruction at hand acts on."""
    frame = 0


class View:
    def __init__(self, buffer, v, number, now):
        self.buffer, self.number, self.now, self.frame_rows = buffer, number, now, v.frame_rows
        self.height, self.width, self.channels = v.height, v.width, v.channels
        self.y0, self.y1, self.x0, self.x1 = v.y0, v.y1, v.x0, v.x1
        self.base, self.ring_rows, self.origin = v.address, v.ring_rows, v.ring_origin
        self.row_pitch, self.col_pitch, self.channel_pitch = v.row_pitch, v.col_pitch, v.channel_pitch
        self.code = CODES[v.element]
        self.sum_code = 'f' if self.code == 'f' else 'i'    # of sums of its elements
        self.plus = add if self.code == 'f' else add_wrapped
        self.cells, self.pad = buffer.cells(self.code), self.of_pattern(v.pad_value)
        self.size = self.cells.itemsize
        self.step = v.channel_pitch // self.size
        self.value = v.value
        # All channels of neighbouring pixels follow each other.
        self.is_dense = self.step == 1 and v.col_pitch == self.size * v.channels

    def of_pattern(self, bits):
        """One element of these 32 bits."""
        return array(self.code, bits.to_bytes(4, 'little'))[0]

    def array(self, values=()):
        return array(self.code, values)

    def holds(self, y, x, w=1):
        return self.y0 <= y < self.y1 and self.x0 <= x and x + w <= self.x1

    def address(self, y, x, c=0):
        slot = (self.now.frame * self.frame_rows + y - self.origin) % self.ring_rows
        return self.base + slot * self.row_pitch + (x - self.x0) * self.col_pitch + c * self.channel_pitch

    def tag(self, y):
        return self.value << ROW_BITS | self.now.frame * self.frame_rows + y

    def take(self, y, x, c, n):
        """n values from (y, x, c) on, one channel after the other; what is held."""
        if not self.holds(y, x):
            raise Fault('view %d: (%d, %d) is read and not held' % (self.number, y, x))
        at, size, buffer = self.address(y, x, c), self.size, self.buffer
        if self.step == 1:
            values = self.array(buffer.bytes[at:at + n * size])
            is_written = buffer.written.find(0, at, at + n * size) < 0
        else:
            places = [at // size + k * self.step for k in range(n)]
            values = self.array(self.cells[i] for i in places)
            is_written = all(buffer.written[i * size] for i in places)
        if not is_written:
            raise Fault('view %d: (%d, %d) is read and was never written' % (self.number, y, x))
        if self.value != NONE and self.row_pitch:    # else all rows are one
            held = buffer.rows[at]
            if held >> ROW_BITS == self.value and held != self.tag(y):
                row = (held & (1 << ROW_BITS) - 1) - self.now.frame * self.frame_rows
                raise Fault('view %d: row %d is read, its slot holds row %d' % (self.number, y, row))
        return values

    def pixel(self, y, x, c=0, n=None):
        """n channels of a pixel, with the padding rule."""
        n = self.channels - c if n is None else n
        if 0 <= y < self.height and 0 <= x < self.width:
            return self.take(y, x, c, n)
        return self.array([self.pad]) * n

    def row(self, y, x, w):
        """All channels of w pixels, one pixel after the other, with the padding rule."""
        if self.is_dense and self.holds(y, x, w):
            return self.take(y, x, 0, w * self.channels)
        values = self.array()
        for i in range(w):
            values.extend(self.pixel(y, x + i))
        return values

    def put(self, y, x, values):
        """Writes all channels of one pixel, or of several where the view is dense; the addresses written."""
        n, at, size = len(values), self.address(y, x), self.size
        buffer, tag = self.buffer, self.tag(y)
        if self.step == 1:
            end = at + n * size
            self.cells[at // size:end // size] = values
            buffer.written[at:end] = b'\1' * (n * size)
            buffer.rows[at:end:size] = array('q', [tag]) * n
            return range(at, end, size)
        addresses = [at + k * self.channel_pitch for k in range(n)]
        for a, value in zip(addresses, values):
            self.cells[a // size], buffer.rows[a] = value, tag
            buffer.written[a:a + size] = b'\1' * size
        return addresses

    def put_row(self, y, x, values):
        """Writes neighbouring pixels, all of them held; yields (addresses, values) in their order."""
        w = len(values) // self.channels
        if not self.holds(y, x, w):
            raise Fault('view %d: row %d, columns %d to %d are written and not all held' % (self.number, y, x, x + w - 1))
        if self.is_dense:
            yield self.put(y, x, values), values
            return
        for i in range(w):
            part = values[i * self.channels:(i + 1) * self.channels]
            yield self.put(y, x + i, part), part
