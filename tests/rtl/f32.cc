/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * f32.cc - the floating-point units of the machine, called from SystemVerilog: ISA.md 6 and 6.1 as
 * they are written there, each operation rounded to binary32 (the build turns contraction off).
 * Values are their bits.
 */
#include "cimc_isa.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>

static float value(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

/* p(v; c0, c1, ...) of ISA.md 6.1 */
static float polynomial(float v, std::initializer_list<float> c)
{
    float r = *c.begin();
    for (const float *at = c.begin() + 1; at < c.end(); at++)
        r = v * r + *at;
    return r;
}

static const float round_to_integer = 0x1.8p23f;

static int32_t rounded(float t)
{
    return (int32_t)(bits(t) - bits(round_to_integer));
}

static float scaled(float v, int32_t n)
{
    int32_t half = n >> 1;
    return v * value((uint32_t)(half + 127) << 23) * value((uint32_t)(n - half + 127) << 23);
}

static float f_exp(float x)
{
    float v = x > 89 ? 89 : x;
    v = v < -104 ? -104 : v;
    float t = v * 0x1.715476p0f + round_to_integer, n = t - round_to_integer;
    float r = (v - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    float q = polynomial(
        r, {0x1.6a4746p-10f, 0x1.1239a2p-7f, 0x1.5558b6p-5f, 0x1.555492p-3f, 0x1.fffffcp-2f});
    return std::isnan(x) ? x : scaled(1 + (r + r * r * q), rounded(t));
}

static float f_sigmoid(float x)
{
    float e = f_exp(-fabsf(x)), w = x < 0 ? e : 1;
    return w - w * (e / (1 + e));
}

static float f_tanh(float x)
{
    float a = fabsf(x), u = x * x;
    float q = polynomial(
        u, {-0x1.9921ap-8f, 0x1.58e518p-6f, -0x1.b91e7ep-5f, 0x1.110ceep-3f, -0x1.55554ap-2f});
    return copysignf(a < 0.55f ? a + a * (u * q) : 1 - 2 / (f_exp(a + a) + 1), x);
}

static float f_erf(float x)
{
    float a = fabsf(x), u = x * x, v = a > 4 ? 4 : a;
    float q = polynomial(u, {-0x1.38ep-11f, 0x1.471a58p-8f, -0x1.b691b2p-6f, 0x1.ce1c44p-4f,
                             -0x1.8127p-2f, 0x1.06eba8p-3f});
    float w = polynomial(v, {-0x1.22p-16f, 0x1.91cfb2p-12f, -0x1.fd1438p-9f, 0x1.8d6342p-6f,
                             -0x1.b55cb8p-4f, -0x1.450aap-1f, -0x1.079d0cp-3f});
    return copysignf(a < 0x1.dbp-1f ? a + a * q : 1 - f_exp(v * w - v), x);
}

/* x = m * 2^k with sqrt(1/2) <= m < sqrt(2) */
static float parts(float x, int32_t *k)
{
    int d = x < 0x1p-126f;
    int32_t b = (int32_t)(bits(x * (d ? 0x1p24f : 1)) - 0x3f3504f3);
    *k = (b >> 23) - (d ? 24 : 0);
    return value((uint32_t)((b & 0x7fffff) + 0x3f3504f3));
}

static float f_log(float x)
{
    if (x == 0)
        return -INFINITY;
    if (x < 0 || std::isnan(x) || std::isinf(x))
        return x < 0 ? NAN : x;
    int32_t exponent;
    float f = parts(x, &exponent) - 1, k = (float)exponent;
    float s = f / (2 + f), u = s * s, h = f * f * 0.5f;
    float q = polynomial(u, {0x1.f13c4cp-3f, 0x1.23d3dcp-2f, 0x1.999c26p-2f, 0x1.555554p-1f});
    return k * 0x1.62e3p-1f - ((h - (s * (h + u * q) + k * 0x1.2fefa2p-17f)) - f);
}

/* A sum of two floats. */
struct pair {
    float high, low;
};

static struct pair difference(float x, float y)
{
    float d = x - y, g = d - x;
    return {d, (x - (d - g)) - (y + g)};
}

static struct pair sum(float x, float y)
{
    float h = x + y;
    return {h, y - (h - x)};
}

static struct pair product(float x, float y)
{
    float i = x * 4097, j = y * 4097;
    float a = i - (i - x), b = j - (j - y), x2 = x - a, y2 = y - b, h = x * y;
    return {h, ((a * b - h) + a * y2 + x2 * b) + x2 * y2};
}

/* q quarters of a circle and the rest, of a large x: in integers */
static float reduced_far(float x, uint32_t *q)
{
    static const uint32_t two_over_pi[] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                           0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    uint32_t m = (bits(x) & 0x7fffff) | 0x800000, w[3];
    int e = (int)(bits(x) >> 23) - 127 - 23, from = e + 30;
    for (int i = 0; i < 3; i++) {
        int word = from / 32 + i, shift = from % 32;
        uint64_t two = (uint64_t)two_over_pi[word] << 32 | (word < 7 ? two_over_pi[word + 1] : 0);
        w[i] = (uint32_t)(two << shift >> 32);
    }
    uint64_t f = ((uint64_t)m * w[0] << 32) + (uint64_t)m * w[1] + ((uint64_t)m * w[2] >> 32);
    *q = (uint32_t)((f + ((uint64_t)1 << 61)) >> 62);
    int64_t i = (int64_t)(f - ((uint64_t)*q << 62));
    return (float)(int64_t)((__int128)i * 0x6487ed5110b4611a >> 64) * 0x1p-60f;
}

static float reduced(float x, uint32_t *q)
{
    if (x > 4096)
        return reduced_far(x, q);
    float t = x * 0x1.45f306p-1f + round_to_integer, n = t - round_to_integer;
    *q = (uint32_t)rounded(t);
    struct pair b = difference(x - n * 0x1.92p0f, n * 0x1.fb4p-12f);
    struct pair c = difference(b.high, n * 0x1.444p-24f);
    return c.high + ((b.low + c.low) - n * 0x1.68c234p-39f);
}

static float turned(uint32_t q, float r)
{
    float u = r * r;
    float s = r + r * (u * polynomial(u, {-0x1.9955bp-13f, 0x1.11077cp-7f, -0x1.555546p-3f}));
    float c =
        1 - (u * 0.5f - u * u * polynomial(u, {0x1.99e0e4p-16f, -0x1.6c0c1ap-10f, 0x1.55554ap-5f}));
    float w = q & 1 ? c : s;
    return q & 2 ? -w : w;
}

static float circular(float x, uint32_t more)
{
    if (std::isnan(x) || std::isinf(x))
        return NAN;
    uint32_t q;
    float r = reduced(fabsf(x), &q), w = turned(q + more, r);
    return !more && std::signbit(x) ? -w : w;
}

static struct pair f_log2(float x)
{
    int32_t exponent;
    float m = parts(x, &exponent), f = m - 1, d = m + 1, s = f / d;
    struct pair g = product(s, d), u = product(s, s), t = product(u.high, 0x1.555556p-2f);
    float s2 = (((f - g.high) - g.low) - s * (m - (d - 1))) / d;
    float q = u.high * u.high * polynomial(u.high, {0x1.dfa302p-4f, 0x1.24527ap-3f, 0x1.999ap-3f});
    float t2 = t.low + u.high * -0x1.555556p-27f + (u.low + (s + s) * s2) * 0x1.555556p-2f + q;
    struct pair w = product(s, t.high), a = sum(s, w.high);
    float a2 = a.low + (w.low + s * t2 + s2 * t.high + s2);
    struct pair c = product(a.high, 0x1.715476p1f);
    float c2 = c.low + a.high * 0x1.4ae0cp-25f + a2 * 0x1.715476p1f;
    struct pair l = sum((float)exponent, c.high);
    return {l.high, l.low + c2};
}

static float power_of_positive(float x, float y)
{
    if (x == 0 || std::isinf(x))
        return (x == 0) == (y < 0) ? INFINITY : 0;
    float v = fabsf(y) > 0x1p32f ? copysignf(0x1p32f, y) : y;
    struct pair l = f_log2(x), h = product(v, l.high);
    h.low = h.low + v * l.low;
    if (fabsf(h.high) > 160)
        h = pair{copysignf(160, h.high), 0};
    float t = h.high + round_to_integer, r = (h.high - (t - round_to_integer)) + h.low;
    float q = polynomial(r, {0x1.4172b8p-13f, 0x1.5f0976p-10f, 0x1.3b2ddap-7f, 0x1.c6af7ap-5f,
                             0x1.ebfbdcp-3f, 0x1.62e43p-1f});
    return scaled(1 + r * q, rounded(t));
}

static float f_pow(float x, float y)
{
    if (x == 1 || y == 0)
        return 1;
    if (std::isnan(x) || std::isnan(y) || (x < 0 && !std::isinf(x) && truncf(y) != y))
        return NAN;
    int odd = fabsf(y) < 0x1p24f && truncf(y) == y && fmodf(y, 2) != 0;
    float z = power_of_positive(fabsf(x), y);
    return odd ? copysignf(z, x) : z;
}

static int32_t f_to_integer(float x)
{
    if (std::isnan(x))
        return 0;
    x = x > 0x1p30f ? 0x1p30f : x < -0x1p30f ? -0x1p30f : x;
    return (int32_t)lrintf(x);
}

extern "C" {

/* Lane operations of floats by their codes. */
uint32_t cimc_lane_f32(uint32_t op, uint32_t x_bits, uint32_t y_bits)
{
    float x = value(x_bits), y = value(y_bits);
    switch (op) {
    case CIMC_LANE_ADD: return bits(x + y);
    case CIMC_LANE_SUB: return bits(x - y);
    case CIMC_LANE_MUL: return bits(x * y);
    case CIMC_LANE_DIV: return bits(x / y);
    case CIMC_LANE_MIN: return bits(x < y || std::isnan(x) ? x : y);
    case CIMC_LANE_MAX: return bits(x > y || std::isnan(x) ? x : y);
    case CIMC_LANE_LEAKY: return bits(x >= 0 ? x : x * y);
    case CIMC_LANE_EXP: return bits(f_exp(x));
    case CIMC_LANE_SQRT: return bits(sqrtf(x));
    case CIMC_LANE_SIGMOID: return bits(f_sigmoid(x));
    case CIMC_LANE_TANH: return bits(f_tanh(x));
    case CIMC_LANE_NEG: return x_bits ^ 0x80000000;
    case CIMC_LANE_ABS: return x_bits & 0x7fffffff;
    case CIMC_LANE_LOG: return bits(f_log(x));
    case CIMC_LANE_I2F: return bits((float)(int32_t)x_bits);
    case CIMC_LANE_F2I: return (uint32_t)f_to_integer(x);
    case CIMC_LANE_FLOOR: return bits(floorf(x));
    case CIMC_LANE_CEIL: return bits(ceilf(x));
    case CIMC_LANE_RINT: return bits(rintf(x));
    case CIMC_LANE_TRUNC: return bits(truncf(x));
    case CIMC_LANE_FMOD: return bits(fmodf(x, y));
    case CIMC_LANE_FLT: return x < y;
    case CIMC_LANE_FEQ: return x == y;
    case CIMC_LANE_ERF: return bits(f_erf(x));
    case CIMC_LANE_SIN: return bits(circular(x, 0));
    case CIMC_LANE_COS: return bits(circular(x, 1));
    case CIMC_LANE_POW: return bits(f_pow(x, y));
    }
    return 0;
}

/* sum + x * y, product and sum each rounded */
uint32_t cimc_mac_f32(uint32_t sum_bits, uint32_t x, uint32_t y)
{
    float p = value(x) * value(y);
    return bits(value(sum_bits) + p);
}

/* A value rounded to binary16 and widened again: nearest even, overflow to infinity. */
uint32_t cimc_round_f16(uint32_t x)
{
    float f = value(x), a = fabsf(f);
    if (std::isnan(f) || std::isinf(f))
        return x;
    if (a >= 65520)
        return bits(copysignf(INFINITY, f));
    int e = a < 0x1p-14f ? -14 : (int)(bits(a) >> 23) - 127;
    float unit = ldexpf(1, e - 10);
    return bits(copysignf(rintf(a / unit) * unit, f));
}
}
