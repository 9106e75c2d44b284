# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Tensors as .npy files, with Python alone."""
import re
import struct

CODES = {'<f4': 'f', '<f8': 'd', '<i8': 'q', '<i4': 'i', '|i1': 'b', '|u1': 'B', '|b1': 'B'}


def npy(descr, shape, values):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, ''.join('%d,' % n for n in shape))
    head += ' ' * (-(len(head) + 11) % 64) + '\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(head)) + head.encode() + struct.pack('<%d%s' % (len(values), CODES[descr]), *values)


def read_npy(data):
    """(descr, shape, values)"""
    n = struct.unpack_from('<H', data, 8)[0]
    descr, shape = re.search(rb"'descr': '(...)'.*'shape': \(([0-9, ]*)\)", data[10:10 + n]).groups()
    code = CODES[descr.decode()]
    body = data[10 + n:]
    return (descr.decode(), [int(x) for x in shape.decode().split(',') if x.strip()],
            list(struct.unpack('<%d%s' % (len(body) // struct.calcsize('<' + code), code), body)))
