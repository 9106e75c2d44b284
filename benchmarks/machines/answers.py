# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""How far outputs are from the float network's: .npy files that cimc wrote, with Python alone."""

import array
import math
import re
import struct


def read_floats(path):
    """(shape, elements) of a .npy file of float32."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack_from("<H", data, 8)[0]
    header = data[10:10 + size].decode()
    if "'<f4'" not in header:
        raise ValueError("%s does not hold float32" % path)
    shape = [int(n) for n in re.search(r"'shape': \(([0-9, ]*)\)", header).group(1).split(",") if n.strip()]
    return shape, array.array("f", data[10 + size:])


def snr_db(got, want):
    """10 log10 of the energy of what is wanted over that of the error; infinite where there is none."""
    signal = sum(x * x for x in want)
    noise = sum((x - y) * (x - y) for x, y in zip(got, want))
    return 10 * math.log10(signal / noise) if noise > 0 else math.inf


def classes(shape, elements):
    """Of each image the index of its largest element."""
    n = len(elements) // shape[0]
    images = (elements[i * n:(i + 1) * n] for i in range(shape[0]))
    return [max(range(n), key=image.__getitem__) for image in images]


def compare(got, want):
    """(SNR in dB, share of images with the same class) of two files."""
    (_, a), (shape, b) = read_floats(got), read_floats(want)
    same = sum(x == y for x, y in zip(classes(shape, a), classes(shape, b)))
    return snr_db(a, b), same / shape[0]
