# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What a crossbar makes of a product with sliced cells that are not what was programmed, phases of the input and converters: ISA.md, section 5.2, formula by formula.

A read-out makes a column of one PE of the weights of its rows, drives inputs phase by phase, and multiplies the two. Centers are added by who has them, `offset` subtracted from them.
"""
from array import array
from functools import lru_cache
from operator import mul
from typing import NamedTuple

WORD, STEP = (1 << 64) - 1, 0x9e3779b97f4a7c15
OFFSET, DIFFERENTIAL, ANALOG_DIFFERENTIAL = range(3)    # choices of `encoding`


def nearest(a, b):
    """a / b to the nearest integer, ties to even."""
    quotient, rest = divmod(a, b)
    return quotient + (2 * rest > b or (2 * rest == b and quotient % 2))


def mix(z):
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & WORD
    z = (z ^ z >> 27) * 0x94d049bb133111eb & WORD
    return z ^ z >> 31


class Cells(NamedTuple):
    """Cells of an image. Without a seed they hold their levels."""
    cell_bits: int
    fraction_bits: int = 0
    seed: int = 0
    number: int = 0    # of the image
    sigma: tuple = (0, 0)
    stuck: tuple = (0, 0)
    drift: int = 0


def words(cells, part, j, row, column):
    q = mix(cells.seed + STEP * (1 + cells.number * 16 + part * 8 + j) & WORD)
    base = mix(q + STEP * (1 + row * (1 << 24) + column) & WORD)
    return [mix(base + STEP * i & WORD) for i in range(4)]


@lru_cache(maxsize=None)
def conductance(cells, part, j, row, column, level):
    """In units of 2^-f of a level."""
    f, top = cells.fraction_bits, (1 << cells.cell_bits) - 1
    first, *others = words(cells, part, j, row, column)
    u = (first & 0xffffffff) * 1000000 >> 32
    if u < sum(cells.stuck):
        return 0 if u < cells.stuck[0] else top << f
    normal = sum(word >> 16 * k & 0xffff for word in others for k in range(4)) - 6 * 0xffff
    spread = cells.sigma[0] * (top - level) + cells.sigma[1] * level
    error = nearest(normal * spread << f, 1000 * 65536)
    programmed = min(max((level << f) + error, 0), (top + 1 << f) - 1)
    return nearest(programmed * (1000 - cells.drift), 1000)


class Ideal:
    """The exact product of integers."""
    offset = 0

    def column(self, weights, rows, n):
        return weights

    def drive(self, inputs):
        return inputs

    def product(self, column, driven):
        return sum(map(mul, driven, column))


class Floats(Ideal):
    """Products and sums are rounded to f32 each, in the order of the rows (DUMP.md's)."""

    def product(self, column, driven):
        result = array('f', [0])
        for product in array('f', map(mul, driven, column)):
            result[0] += product
        return result[0]


class Readout:
    def __init__(self, cells, encoding=OFFSET, weight_bits=8, cell_bits=8, x_bits=8, dac_bits=8, adc_bits=0, shift=(), flip=False):
        self.cells, self.encoding, self.b, self.c, self.d, self.adc_bits = cells, encoding, weight_bits, cell_bits, dac_bits, adc_bits
        self.is_signed, self.flip = encoding == ANALOG_DIFFERENTIAL, flip and encoding != ANALOG_DIFFERENTIAL
        self.slices, self.phases, self.top = -(-weight_bits // cell_bits), -(-x_bits // dac_bits), (1 << cell_bits) - 1
        self.shift = shift or [0] * self.slices
        self.offset = 1 << weight_bits - 1 if encoding == OFFSET else 0

    def parts(self, w):
        """P and, unless it is always 0, N of a weight."""
        return (w + self.offset,) if self.encoding == OFFSET else (max(w, 0), max(-w, 0))

    def stored(self, part, j, levels, rows, n):
        """Conductances of a column of the crossbar, and whether it is stored inverted."""
        flipped = self.flip and 2 * sum(levels) > len(levels) * self.top
        levels = [self.top - level for level in levels] if flipped else levels
        if self.cells.seed:
            levels = [conductance(self.cells, part, j, row, n, level) for row, level in zip(rows, levels)]
        return levels, flipped

    def column(self, weights, rows, n):
        """[slice][part] of column n of the image, whose rows these are."""
        parts = list(zip(*map(self.parts, weights)))
        return [[self.stored(s, j, [value >> self.c * j & self.top for value in part], rows, n) for s, part in enumerate(parts)]
                for j in range(self.slices)]

    def drive(self, inputs):
        """[phase]: what is driven, and its sum."""
        phases = [[x >> self.d * f & (1 << self.d) - 1 for x in inputs] for f in range(self.phases)]
        return [(driven, sum(driven)) for driven in phases]

    def read(self, a, j):
        f = self.cells.fraction_bits if self.cells.seed else 0
        if not self.adc_bits:
            return nearest(a, 1 << f)
        low, high = (-(1 << self.adc_bits - 1), (1 << self.adc_bits - 1) - 1) if self.is_signed else (0, (1 << self.adc_bits) - 1)
        return min(max(nearest(a, 1 << self.shift[j] + f), low), high) << self.shift[j]

    def value(self, parts, j, driven, total):
        """v of one slice and phase."""
        sums = [sum(map(mul, driven, cells)) for cells, _ in parts]
        if self.is_signed:
            return self.read(sums[0] - sums[1], j)
        values = [self.top * total - self.read(a, j) if flipped else self.read(a, j) for a, (_, flipped) in zip(sums, parts)]
        return values[0] - sum(values[1:])

    def product(self, column, driven):
        return sum(self.value(parts, j, x, total) << self.c * j + self.d * f
                   for j, parts in enumerate(column) for f, (x, total) in enumerate(driven))


def read_out(program, g):
    """That of a group's products."""
    m, image = program.machine, program.images[g.image]
    seed = m['noise_seed']
    if not g.x_bits:
        return Floats()
    if not (seed or m['adc_bits']):
        return Ideal()
    cells = Cells(m['cell_bits'], m['cell_fraction_bits'], seed, g.image, (m['program_sigma_low_permille'], m['program_sigma_high_permille']),
                  (m['stuck_low_ppm'], m['stuck_high_ppm']), m['drift_permille'])
    return Readout(cells, m['encoding'], image.weight_bits or m['weight_bits'], m['cell_bits'], g.x_bits, m['dac_bits'], m['adc_bits'],
                   image.shift, m['column_flip'])
