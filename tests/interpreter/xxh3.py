# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""XXH3-64 for the hashes of a program file; a seed for texts of up to 240 bytes only. After the algorithm's published description."""
import struct

SECRET = bytes.fromhex(
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221'
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8'
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb'
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e')
MASK = (1 << 64) - 1
P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
MIX_1, MIX_2 = 0x165667919E3779F9, 0x9FB21C651E98DF25
STRIPE, BLOCK = 64, 1024


def u32(data, at):
    return struct.unpack_from('<I', data, at)[0]


def u64(data, at):
    return struct.unpack_from('<Q', data, at)[0]


def rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def swap(x):
    return int.from_bytes(x.to_bytes(8, 'little'), 'big')


def fold(a, b):
    product = a * b
    return (product ^ product >> 64) & MASK


def avalanche(h):
    h ^= h >> 37
    h = h * MIX_1 & MASK
    return h ^ h >> 32


def avalanche_64(h):
    h = (h ^ h >> 33) * P64[1] & MASK
    h = (h ^ h >> 29) * P64[2] & MASK
    return h ^ h >> 32


def up_to_16(data, seed):
    n = len(data)
    if n == 0:
        return avalanche_64(seed ^ u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        mixed = data[0] << 16 | data[n >> 1] << 24 | data[-1] | n << 8
        return avalanche_64(mixed ^ (u32(SECRET, 0) ^ u32(SECRET, 4)) + seed & MASK)
    if n <= 8:
        seed ^= int.from_bytes((seed & 0xffffffff).to_bytes(4, 'little'), 'big') << 32
        h = u32(data, n - 4) + (u32(data, 0) << 32) ^ (u64(SECRET, 8) ^ u64(SECRET, 16)) - seed & MASK
        h ^= rotate(h, 49) ^ rotate(h, 24)
        h = h * MIX_2 & MASK
        h = (h ^ (h >> 35) + n) * MIX_2 & MASK
        return h ^ h >> 28
    low = u64(data, 0) ^ (u64(SECRET, 24) ^ u64(SECRET, 32)) + seed & MASK
    high = u64(data, n - 8) ^ (u64(SECRET, 40) ^ u64(SECRET, 48)) - seed & MASK
    return avalanche(n + swap(low) + high + fold(low, high) & MASK)


def mix_16(data, at, secret, seed):
    return fold(u64(data, at) ^ u64(SECRET, secret) + seed & MASK, u64(data, at + 8) ^ u64(SECRET, secret + 8) - seed & MASK)


def up_to_240(data, seed):
    n = len(data)
    h = n * P64[0]
    if n <= 128:
        for i in range((n - 1) // 32 + 1):
            h += mix_16(data, 16 * i, 32 * i, seed) + mix_16(data, n - 16 * (i + 1), 32 * i + 16, seed)
        return avalanche(h & MASK)
    h = avalanche(h + sum(mix_16(data, 16 * i, 16 * i, seed) for i in range(8)) & MASK)
    h += sum(mix_16(data, 16 * i, 16 * (i - 8) + 3, seed) for i in range(8, n // 16))
    return avalanche(h + mix_16(data, n - 16, 136 - 17, seed) & MASK)


def accumulate(lanes, stripe, secret):
    for i, (value, key) in enumerate(zip(stripe, struct.unpack_from('<8Q', SECRET, secret))):
        key ^= value
        lanes[i ^ 1] = lanes[i ^ 1] + value & MASK
        lanes[i] = lanes[i] + (key & 0xffffffff) * (key >> 32) & MASK


def scramble(lanes):
    for i, key in enumerate(struct.unpack_from('<8Q', SECRET, len(SECRET) - STRIPE)):
        lanes[i] = (lanes[i] ^ lanes[i] >> 47 ^ key) * P32[0] & MASK


def longer(data):
    lanes = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]]
    n = len(data)
    n_stripes = (n - 1) // STRIPE
    for s, stripe in enumerate(struct.iter_unpack('<8Q', data[:n_stripes * STRIPE])):
        accumulate(lanes, stripe, s % 16 * 8)
        if s % 16 == 15:
            scramble(lanes)
    accumulate(lanes, struct.unpack_from('<8Q', data, n - STRIPE), len(SECRET) - STRIPE - 7)
    h = n * P64[0]
    for i in range(4):
        h += fold(lanes[2 * i] ^ u64(SECRET, 11 + 16 * i), lanes[2 * i + 1] ^ u64(SECRET, 19 + 16 * i))
    return avalanche(h & MASK)


def xxh3_64(data, seed=0):
    data = bytes(data)
    if len(data) <= 16:
        return up_to_16(data, seed)
    if len(data) <= 240:
        return up_to_240(data, seed)
    if seed:
        raise ValueError('a seed is for short texts only')
    return longer(data)
