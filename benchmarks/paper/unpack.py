"""Seconds that protobuf-c alone takes to unpack a model file that is already in memory.

usage: unpack.py LIBRARY MODEL     (LIBRARY: protoc-c's code for onnx.proto, see meson.build)
A process of its own: the allocator's state is then the same for every file.
"""

import ctypes
import sys
import time


def unpack_seconds(library, model):
    with open(model, "rb") as file:
        data = file.read()
    unpack = ctypes.CDLL(library).onnx__model_proto__unpack
    unpack.restype = ctypes.c_void_p
    unpack.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
    start = time.perf_counter()
    message = unpack(None, len(data), data)
    seconds = time.perf_counter() - start
    return seconds if message else None


if __name__ == "__main__":
    found = unpack_seconds(*sys.argv[1:])
    if found is None:
        sys.exit("%s is no ONNX file" % sys.argv[2])
    print(found)
