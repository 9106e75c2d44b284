# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Seeded pictures: coarse patches, finer ones, noise, so that depth does not blur them."""

import numpy as np


def make_images(seed, count, size):
    """float32 [count, size, size, 3] in [0, 1), multiples of 1/256; size is a multiple of 32."""
    rng = np.random.RandomState(seed)
    total = np.zeros((count, size, size, 3), np.int64)
    for patch, weight in ((32, 4), (8, 3), (1, 1)):
        coarse = rng.randint(0, 256, (count, size // patch, size // patch, 3))
        total += weight * coarse.repeat(patch, 1).repeat(patch, 2)
    return (total // 8 / 256).astype(np.float32)
