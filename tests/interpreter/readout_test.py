#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The read-out of a crossbar, column by column: examples worked by hand, that an ideal one is the exact product whatever the encoding, and what cells hold.

usage: readout_test.py
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, os.pardir))
from readout import ANALOG_DIFFERENTIAL, DIFFERENTIAL, Cells, Readout, conductance, mix  # noqa: E402
from tap import Tap  # noqa: E402

W, X = (-5, 7), (200, 3)
SMALL = {'weight_bits': 4, 'cell_bits': 2, 'dac_bits': 4}
# P = w + 8 = (3, 15): slices (3, 3) and (0, 3); phases (8, 3) and (12, 0). Sums 33, 9 in phase 0 and 36, 0 in phase 1, with weights 1, 4, 16, 64; less 8 * 203.
EXAMPLES = [
    ('offset', {}, W, X, 0, -979),                                               # 200 * -5 + 3 * 7
    ('offset, 5 bits', {'adc_bits': 5}, W, X, 0, -1061),                         # 33 and 36 are clipped to 31
    ('offset, 4 bits', {'adc_bits': 4}, W, X, 0, -1333),
    ('offset, 4 bits, steps of 4', {'adc_bits': 4, 'shift': (2, 2)}, W, X, 0, -984),
    ('offset, 4 bits, steps of 2', {'adc_bits': 4, 'shift': (1, 1)}, W, X, 0, -1082),    # 16.5 and 4.5 go to even
    ('differential, 4 bits', {'encoding': DIFFERENTIAL, 'adc_bits': 4}, W, X, 0, -979),
    ('analog differential, 4 bits', {'encoding': ANALOG_DIFFERENTIAL, 'adc_bits': 4}, W, X, 0, -659),
    ('center', {'weight_bits': 8, 'cell_bits': 8, 'dac_bits': 8}, (-128, 127), (2, 3), 7, 160),    # 2 * (0 - 121) + 3 * (255 - 121)
    # P = (3, 2), stored (0, 1); driven by 1 and 1: 3 * 2 - 1 = 5, less 2 * 2
    ('flip', {'weight_bits': 2, 'cell_bits': 2, 'flip': True}, (1, 0), (1, 1), 0, 1),
    # The same with one bit: 5 would be clipped to 1, 1 is not.
    ('flip, 1 bit', {'weight_bits': 2, 'cell_bits': 2, 'flip': True, 'adc_bits': 1}, (1, 0), (1, 1), 0, 1),
    ('no flip, 1 bit', {'weight_bits': 2, 'cell_bits': 2, 'adc_bits': 1}, (1, 0), (1, 1), 0, -3),
]


def column(readout, weights, inputs, center=0):
    """D of one column of one PE; center is the image's."""
    product = readout.product(readout.column(weights, range(len(weights)), 0), readout.drive(inputs))
    return product + (center - readout.offset) * sum(inputs)


def exact(rng):
    """A random case that an ideal read-out gets wrong, or None."""
    bits, rows = rng.randint(2, 8), rng.randint(1, 32)
    about = {'encoding': rng.randrange(3), 'weight_bits': bits, 'cell_bits': rng.randint(1, 8),
             'x_bits': 8, 'dac_bits': rng.randint(1, 8), 'flip': rng.random() < .5}
    weights = [rng.randint(-1 << bits - 1, (1 << bits - 1) - 1) for _ in range(rows)]
    inputs, center = [rng.randint(0, 255) for _ in range(rows)], rng.randint(-300, 300)
    wanted = sum((w + center) * x for w, x in zip(weights, inputs))
    # A cell that keeps its level, in other units, is as good.
    for cells in (Cells(about['cell_bits']), Cells(about['cell_bits'], rng.randrange(5), 1)):
        got = column(Readout(cells, **about), weights, inputs, center)
        if got != wanted:
            return '%s: wanted %d, got %d' % (about, wanted, got)


def conductances(level, **about):
    """Of 4,000 cells of 2 bits, 4 of fraction."""
    cells = Cells(2, 4, 7, **about)
    return [conductance(cells, 0, 0, k, n, level) for k in range(80) for n in range(50)]


def spread(values, wanted):
    """Mean and deviation; 4,000 values have them within 5 standard errors."""
    mean = sum(values) / len(values)
    deviation = (sum((v - mean) ** 2 for v in values) / len(values)) ** .5
    if abs(mean - wanted[0]) > 5 * wanted[1] / 63 or abs(deviation - wanted[1]) > 5 * wanted[1] / 89 + .1:
        yield 'mean %g, deviation %g' % (mean, deviation)


def main():
    tap = Tap()
    for what, about, weights, inputs, center, wanted in EXAMPLES:
        about = dict(SMALL, **about)
        got = column(Readout(Cells(about['cell_bits']), **about), weights, inputs, center)
        tap.point(what, [] if got == wanted else ['wanted %d, got %d' % (wanted, got)])
    rng = random.Random(1)
    tap.point('an ideal read-out is exact', [p for p in (exact(rng) for _ in range(500)) if p][:3])
    # splitmix64 from state 1234567, as published.
    words = [mix(1234567 + 0x9e3779b97f4a7c15 * k & (1 << 64) - 1) for k in (1, 2)]
    tap.point('mixing', [] if words == [6457827717110365317, 3203168211198807973] else [str(words)])
    # Levels of 16 units, 48 of the whole range: 5 % of it are 2.4, 2 % are .96, between them at level 1 4 %, 1.92.
    tap.point('spread of level 2', spread(conductances(2, sigma=(50, 50)), (32, 2.4)))
    tap.point('spread of level 1', spread(conductances(1, sigma=(50, 20)), (16, 1.92)))
    stuck = conductances(1, stuck=(100000, 200000))
    tap.point('stuck cells', [p for value, share in ((0, .1), (16, .7), (48, .2)) if abs(stuck.count(value) / 4000 - share) > .03 for p in [str(value)]])
    tap.point('drift', [] if set(conductances(3, drift=100)) == {43} else ['not 43.2'])
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
