"""What a crossbar with sliced cells, phases of the input and an ADC makes of a product: ISA.md, section 5.2, formula by formula.

One column of one PE: `weights` and `inputs` are those of its rows. With an ideal read-out (adc_bits 0) every encoding gives the exact sum; readout_test.py says so.
"""


class Readout:
    def __init__(self, encoding='offset', weight_bits=8, cell_bits=8, x_bits=8, dac_bits=8, adc_bits=0, shift=(), flip=False):
        self.encoding, self.b, self.c, self.d, self.adc_bits, self.flip = encoding, weight_bits, cell_bits, dac_bits, adc_bits, flip
        self.slices, self.phases = -(-weight_bits // cell_bits), -(-x_bits // dac_bits)
        self.shift = shift or [0] * self.slices

    def parts(self, w):
        """P and N of a weight."""
        if self.encoding == 'offset':
            return w + (1 << self.b - 1), 0
        return max(w, 0), max(-w, 0)

    def sum(self, column, driven):
        """The converted sum's two parts: what the array gives, and what undoes a flip: (a, sign, constant), value = sign * read(a) + constant."""
        top = (1 << self.c) - 1
        if self.flip and 2 * sum(column) > len(column) * top:
            return sum(x * (top - cell) for x, cell in zip(driven, column)), -1, top * sum(driven)
        return sum(x * cell for x, cell in zip(driven, column)), 1, 0

    def read(self, a, j, is_signed=False):
        if not self.adc_bits:
            return a
        step = 1 << self.shift[j]
        low, high = (-(1 << self.adc_bits - 1), (1 << self.adc_bits - 1) - 1) if is_signed else (0, (1 << self.adc_bits) - 1)
        return min(max(round(a / step), low), high) * step    # Python rounds ties to even

    def value(self, positive, negative, driven, j):
        if self.encoding == 'analog_differential':
            return self.read(sum(x * (p - n) for x, p, n in zip(driven, positive, negative)), j, True)
        values = []
        for column in (positive, negative):
            a, sign, constant = self.sum(column, driven)
            values.append(sign * self.read(a, j) + constant)
        return values[0] - values[1]

    def product(self, weights, inputs, center=0):
        """D of one column of one PE; center is the image's."""
        parts = [self.parts(w) for w in weights]
        offset = 1 << self.b - 1 if self.encoding == 'offset' else 0
        result = (center - offset) * sum(inputs)
        for j in range(self.slices):
            positive, negative = ([part[k] >> self.c * j & (1 << self.c) - 1 for part in parts] for k in (0, 1))
            for f in range(self.phases):
                driven = [x >> self.d * f & (1 << self.d) - 1 for x in inputs]
                result += self.value(positive, negative, driven, j) << self.c * j + self.d * f
        return result
