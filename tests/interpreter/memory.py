"""A tile's buffer and the views of it: ISA.md, sections 1 and 4.

A cell is 4 bytes: its value, whether it was ever written, and for views with a ring the row of which tensor it holds. Reading what
was never written, what is not held, or a row whose slot holds another row by now raises Fault.
"""
from array import array
from itertools import repeat

from program_file import NONE, Fault, float_of


class Buffer:
    def __init__(self, n_bytes):
        self.cells = array('f', bytes(n_bytes // 4 * 4))
        self.written = bytearray(n_bytes // 4)
        self.rows = array('q', repeat(-1, n_bytes // 4))

    def preload(self, address, data):
        a = address // 4
        values = array('f', bytes(data))
        self.cells[a:a + len(values)] = values
        self.written[a:a + len(values)] = b'\1' * len(values)


class View:
    def __init__(self, buffer, v, number):
        self.buffer, self.number = buffer, number
        self.height, self.width, self.channels, self.pad = v.height, v.width, v.channels, float_of(v.pad_value)
        self.y0, self.y1, self.x0, self.x1 = v.y0, v.y1, v.x0, v.x1
        self.base, self.ring_rows, self.origin = v.address, v.ring_rows, v.ring_origin
        self.row_pitch, self.col_pitch, self.channel_pitch = v.row_pitch, v.col_pitch, v.channel_pitch
        self.step = v.channel_pitch // 4
        self.value = v.value
        # All channels of neighbouring pixels follow each other.
        self.is_dense = v.channel_pitch == 4 and v.col_pitch == 4 * v.channels

    def holds(self, y, x, w=1):
        return self.y0 <= y < self.y1 and self.x0 <= x and x + w <= self.x1

    def address(self, y, x, c=0):
        slot = (y - self.origin) % self.ring_rows
        return self.base + slot * self.row_pitch + (x - self.x0) * self.col_pitch + c * self.channel_pitch

    def tag(self, y):
        return self.value << 16 | y

    def take(self, y, x, c, n):
        """n values from (y, x, c) on, one channel after the other; what is held."""
        if not self.holds(y, x):
            raise Fault('view %d: (%d, %d) is read and not held' % (self.number, y, x))
        a, buffer = self.address(y, x, c) // 4, self.buffer
        if self.step == 1:
            values, is_written = buffer.cells[a:a + n], buffer.written.find(0, a, a + n) < 0
        else:
            places = [a + k * self.step for k in range(n)]
            values, is_written = array('f', [buffer.cells[i] for i in places]), all(buffer.written[i] for i in places)
        if not is_written:
            raise Fault('view %d: (%d, %d) is read and was never written' % (self.number, y, x))
        if self.value != NONE:
            held = buffer.rows[a]
            if held >> 16 == self.value and held != self.tag(y):
                raise Fault('view %d: row %d is read, its slot holds row %d' % (self.number, y, held & 0xffff))
        return values

    def pixel(self, y, x, c=0, n=None):
        """n channels of a pixel, with the padding rule."""
        n = self.channels - c if n is None else n
        if 0 <= y < self.height and 0 <= x < self.width:
            return self.take(y, x, c, n)
        return array('f', [self.pad]) * n

    def row(self, y, x, w):
        """All channels of w pixels, one pixel after the other, with the padding rule."""
        if self.is_dense and self.holds(y, x, w):
            return self.take(y, x, 0, w * self.channels)
        values = array('f')
        for i in range(w):
            values.extend(self.pixel(y, x + i))
        return values

    def put(self, y, x, values):
        """Writes all channels of one pixel, or of several where the view is dense; the addresses written."""
        n, a = len(values), self.address(y, x) // 4
        buffer, tag = self.buffer, self.tag(y)
        if self.step == 1:
            buffer.cells[a:a + n] = values
            buffer.written[a:a + n] = b'\1' * n
            buffer.rows[a:a + n] = array('q', [tag]) * n
            return range(4 * a, 4 * (a + n), 4)
        for k in range(n):
            i = a + k * self.step
            buffer.cells[i], buffer.written[i], buffer.rows[i] = values[k], 1, tag
        return [4 * (a + k * self.step) for k in range(n)]

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
