# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The functions of ISA.md, section 6.1, on arrays of f32: each operation between two of them is rounded to f32 element by element, which of
doubles that hold f32 values is the correct rounding."""
import math
from array import array
from itertools import repeat
from operator import add, mul, sub

ROUND = float.fromhex('0x1.8p23')
TWO_OVER_PI = 0x00000000a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163ab
HALF_PI = 0x6487ed5110b4611a


def divide(x, y):
    if y:
        return x / y
    if not x or x != x:
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


class Lanes:
    """f32 values that are added, multiplied and chosen all at once; numbers beside them stand for as many of themselves."""

    def __init__(self, values):
        self.values = values if isinstance(values, array) else array('f', values)

    def other(self, y):
        return y.values if isinstance(y, Lanes) else repeat(y)

    def __add__(self, y):
        return Lanes(map(add, self.values, self.other(y)))

    def __sub__(self, y):
        return Lanes(map(sub, self.values, self.other(y)))

    def __rsub__(self, y):
        return Lanes(map(sub, repeat(y), self.values))

    def __mul__(self, y):
        return Lanes(map(mul, self.values, self.other(y)))

    def __truediv__(self, y):
        return Lanes(map(divide, self.values, self.other(y)))

    def __rtruediv__(self, y):
        return Lanes(map(divide, repeat(y), self.values))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return Lanes(-v for v in self.values)

    def __abs__(self):
        return Lanes(map(abs, self.values))

    def where(self, condition, a, b):
        """a where the condition holds of an element, else b."""
        return Lanes(p if condition(v) else q for v, p, q in zip(self.values, Lanes.other(self, a), Lanes.other(self, b)))

    def with_sign(self, s):
        return Lanes(map(math.copysign, self.values, self.other(s)))

    def bits(self):
        return array('i', self.values.tobytes())


def of_bits(bits):
    return Lanes(array('f', array('I', (b & 0xffffffff for b in bits)).tobytes()))


def p(v, *coefficients):
    first, *rest = map(float.fromhex, coefficients)
    value = Lanes(array('f', [first])) * 1.0
    value = Lanes(list(value.values) * len(v.values))
    for c in rest:
        value = v * value + c
    return value


def c(text):
    return float.fromhex(text)


def rounded(t):
    first = Lanes([ROUND]).bits()[0]
    return [b - first for b in t.bits()]


def scaled(v, n):
    return v * of_bits((k >> 1) + 127 << 23 for k in n) * of_bits(k - (k >> 1) + 127 << 23 for k in n)


def exp(x):
    v = x.where(lambda k: k > 89, 89.0, x)
    v = v.where(lambda k: k < -104, -104.0, v)
    t = v * c('0x1.715476p0') + ROUND
    n = t - ROUND
    r = (v - n * c('0x1.62e4p-1')) - n * c('0x1.7f7d1cp-20')
    q = p(r, '0x1.6a4746p-10', '0x1.1239a2p-7', '0x1.5558b6p-5', '0x1.555492p-3', '0x1.fffffcp-2')
    return scaled(1.0 + (r + r * r * q), rounded(t))


def sigmoid(x):
    e = exp(-abs(x))
    w = x.where(lambda k: k < 0, e, 1.0)
    return w - w * (e / (1.0 + e))


def tanh(x):
    a, u = abs(x), x * x
    q = p(u, '-0x1.9921ap-8', '0x1.58e518p-6', '-0x1.b91e7ep-5', '0x1.110ceep-3', '-0x1.55554ap-2')
    border = Lanes([0.55]).values[0]
    return a.where(lambda k: k < border, a + a * (u * q), 1.0 - 2.0 / (exp(a + a) + 1.0)).with_sign(x)


def erf(x):
    a, u = abs(x), x * x
    v = a.where(lambda k: k > 4, 4.0, a)
    q = p(u, '-0x1.38ep-11', '0x1.471a58p-8', '-0x1.b691b2p-6', '0x1.ce1c44p-4', '-0x1.8127p-2', '0x1.06eba8p-3')
    w = p(v, '-0x1.22p-16', '0x1.91cfb2p-12', '-0x1.fd1438p-9', '0x1.8d6342p-6', '-0x1.b55cb8p-4', '-0x1.450aap-1', '-0x1.079d0cp-3')
    return a.where(lambda k: k < c('0x1.dbp-1'), a + a * q, 1.0 - exp(v * w - v)).with_sign(x)


def parts(x):
    small = [v < c('0x1p-126') for v in x.values]
    b = [(k & 0xffffffff) - 0x3f3504f3 for k in (x * Lanes(c('0x1p24') if s else 1.0 for s in small)).bits()]
    b = [(k + (1 << 31) & 0xffffffff) - (1 << 31) for k in b]
    k = Lanes(float((i >> 23) - (24 if s else 0)) for i, s in zip(b, small))
    return of_bits((i & 0x7fffff) + 0x3f3504f3 for i in b), k


def log(x):
    m, k = parts(x)
    f = m - 1.0
    s = f / (2.0 + f)
    u, h = s * s, f * f * 0.5
    q = p(u, '0x1.f13c4cp-3', '0x1.23d3dcp-2', '0x1.999c26p-2', '0x1.555554p-1')
    z = k * c('0x1.62e3p-1') - ((h - (s * (h + u * q) + k * c('0x1.2fefa2p-17'))) - f)
    z = x.where(lambda v: v < math.inf, z, x)
    return x.where(lambda v: v == 0, -math.inf, x.where(lambda v: v < 0, math.nan, z))


# ---- sine and cosine ----

def difference(x, y):
    d = x - y
    g = d - x
    return d, (x - (d - g)) - (y + g)


def reduced_near(x):
    t = x * c('0x1.45f306p-1') + ROUND
    n = t - ROUND
    b, e = difference(x - n * c('0x1.92p0'), n * c('0x1.fb4p-12'))
    d, f = difference(b, n * c('0x1.444p-24'))
    return rounded(t), d + ((e + f) - n * c('0x1.68c234p-39'))


def reduced_far(x):
    """(q, r) of one number."""
    m, e = math.frexp(x)
    m, e = int(m * (1 << 24)), e - 24
    window = TWO_OVER_PI >> 160 - (e + 30) & (1 << 96) - 1
    w0, w1, w2 = window >> 64, window >> 32 & 0xffffffff, window & 0xffffffff
    turns = (m * w0 << 32) + m * w1 + (m * w2 >> 32) & (1 << 64) - 1
    q = turns + (1 << 61) >> 62
    return q, nearest_f32((turns - (q << 62)) * HALF_PI >> 64) * c('0x1p-60')


def nearest_f32(i):
    """The integer rounded to 24 bits, ties to even, as a float: a double in between would round twice."""
    spare = max(0, abs(i).bit_length() - 24)
    kept, rest = abs(i) >> spare, abs(i) & (1 << spare) - 1
    kept += 2 * rest > 1 << spare or (2 * rest == 1 << spare and spare > 0 and kept & 1)
    return math.copysign(float(kept << spare), i)


def turned(x, quarter):
    """sin(|x| + quarter * pi/2)"""
    magnitude = abs(x)
    q, r = reduced_near(magnitude.where(lambda v: v <= 4096, magnitude, 0.0))
    for i, v in enumerate(magnitude.values):
        if 4096 < v < math.inf:
            q[i], r.values[i] = reduced_far(v)
    u = r * r
    s = r + r * (u * p(u, '-0x1.9955bp-13', '0x1.11077cp-7', '-0x1.555546p-3'))
    o = 1.0 - (u * 0.5 - u * u * p(u, '0x1.99e0e4p-16', '-0x1.6c0c1ap-10', '0x1.55554ap-5'))
    w = Lanes(a if k + quarter & 1 else b for k, a, b in zip(q, o.values, s.values))
    w = Lanes(-v if k + quarter & 2 else v for k, v in zip(q, w.values))
    return magnitude.where(lambda v: v < math.inf, w, math.nan)


def sin(x):
    return Lanes(v if math.copysign(1.0, s) > 0 else -v for v, s in zip(turned(x, 0).values, x.values))


def cos(x):
    return turned(x, 1)


# ---- powers ----

def two_sum(x, y):
    h = x + y
    return h, y - (h - x)


def product(x, y):
    y = y if isinstance(y, Lanes) else Lanes([y] * len(x.values))
    i, j = x * 4097.0, y * 4097.0
    big_x, big_y = i - (i - x), j - (j - y)
    x2, y2, h = x - big_x, y - big_y, x * y
    return h, ((big_x * big_y - h) + big_x * y2 + x2 * big_y) + x2 * y2


def log2(x):
    m, k = parts(x)
    f, d = m - 1.0, m + 1.0
    s = f / d
    g, h = product(s, d)
    s2 = (((f - g) - h) - s * (m - (d - 1.0))) / d
    u, u2 = product(s, s)
    q = u * u * p(u, '0x1.dfa302p-4', '0x1.24527ap-3', '0x1.999ap-3')
    third = c('0x1.555556p-2')
    t, t2 = product(u, third)
    t2 = t2 + u * c('-0x1.555556p-27') + (u2 + (s + s) * s2) * third + q
    w, w2 = product(s, t)
    a, a2 = two_sum(s, w)
    a2 = a2 + (w2 + s * t2 + s2 * t + s2)
    e, e2 = product(a, c('0x1.715476p1'))
    e2 = e2 + a * c('0x1.4ae0cp-25') + a2 * c('0x1.715476p1')
    high, low = two_sum(k, e)
    return high, low + e2


def power_of(x, y, z):
    """What pow(x, y) is, where |x|^|y| by the sequence is z."""
    if x == 1 or y == 0:
        return 1.0
    if x != x or y != y:
        return math.nan
    is_whole = math.isinf(y) or y == math.floor(y)
    if x < 0 and not math.isinf(x) and not is_whole:
        return math.nan
    if x == 0 or math.isinf(x):
        z = math.inf if (x == 0) == (y < 0) else 0.0
    return -z if math.copysign(1.0, x) < 0 and not math.isinf(y) and is_whole and y % 2 == 1 else z


def power(x, y):
    v = abs(y).where(lambda k: k > 2.0 ** 32, Lanes([2.0 ** 32] * len(y.values)).with_sign(y), y)
    high, low = log2(abs(x))
    h, g = product(v, high)
    g = g + v * low
    far = [abs(k) > 160 for k in h.values]
    g = Lanes(0.0 if f else k for f, k in zip(far, g.values))
    h = Lanes(math.copysign(160.0, k) if f else k for f, k in zip(far, h.values))
    t = h + ROUND
    r = (h - (t - ROUND)) + g
    q = p(r, '0x1.4172b8p-13', '0x1.5f0976p-10', '0x1.3b2ddap-7', '0x1.c6af7ap-5', '0x1.ebfbdcp-3', '0x1.62e43p-1')
    z = scaled(1.0 + r * q, rounded(t))
    return Lanes(map(power_of, x.values, y.values, z.values))


FUNCTIONS = {'exp': exp, 'log': log, 'tanh': tanh, 'sigmoid': sigmoid, 'erf': erf, 'sin': sin, 'cos': cos, 'pow': power}
