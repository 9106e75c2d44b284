#!/usr/bin/env python3
"""The read-out of a crossbar, column by column: examples worked by hand, and that an ideal one is the exact product whatever the encoding.

usage: readout_test.py
"""
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, os.pardir))
from readout import Readout  # noqa: E402
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
    ('differential, 4 bits', {'encoding': 'differential', 'adc_bits': 4}, W, X, 0, -979),
    ('analog differential, 4 bits', {'encoding': 'analog_differential', 'adc_bits': 4}, W, X, 0, -659),
    ('center', {'weight_bits': 8, 'cell_bits': 8, 'dac_bits': 8}, (-128, 127), (2, 3), 7, 160),    # 2 * (0 - 121) + 3 * (255 - 121)
    # P = (3, 2), stored (0, 1); driven by 1 and 1: 3 * 2 - 1 = 5, less 2 * 2
    ('flip', {'weight_bits': 2, 'cell_bits': 2, 'flip': True}, (1, 0), (1, 1), 0, 1),
]


def exact(rng):
    """A random case that an ideal read-out gets wrong, or None."""
    bits, rows = rng.randint(2, 8), rng.randint(1, 32)
    about = {'encoding': rng.choice(('offset', 'differential', 'analog_differential')), 'weight_bits': bits, 'cell_bits': rng.randint(1, 8),
             'x_bits': 8, 'dac_bits': rng.randint(1, 8), 'flip': rng.random() < .5}
    weights = [rng.randint(-1 << bits - 1, (1 << bits - 1) - 1) for _ in range(rows)]
    inputs, center = [rng.randint(0, 255) for _ in range(rows)], rng.randint(-300, 300)
    wanted = sum((w + center) * x for w, x in zip(weights, inputs))
    got = Readout(**about).product(weights, inputs, center)
    return None if got == wanted else '%s: wanted %d, got %d' % (about, wanted, got)


def main():
    tap = Tap()
    for what, about, weights, inputs, center, wanted in EXAMPLES:
        got = Readout(**dict(SMALL, **about)).product(weights, inputs, center)
        tap.point(what, [] if got == wanted else ['wanted %d, got %d' % (wanted, got)])
    rng = random.Random(1)
    tap.point('an ideal read-out is exact', [p for p in (exact(rng) for _ in range(500)) if p][:3])
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
