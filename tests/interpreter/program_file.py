# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Reads a program file as ISA.md, section 11, and proto/program.proto describe it.

In: the bytes; the text of program.proto, from which the messages' fields are taken; the fields of a machine, from ARCH.md. Out: the header as objects with the names of
program.proto (what is absent is 0, '' or [], a float its bits; fields that it does not have are in `unknown`), the sections' bytes, the machine's fields. What is wrong raises Fault.
"""
import re
import struct

from xxh3 import xxh3_64

NONE = 0xffffffff
F32, F16, U8, I8, I32, I64 = range(6)    # elements
CODES = {F32: 'f', U8: 'B', I32: 'i'}    # of arrays: what views show
OUTSIDE = {F32: 'f', F16: 'f', U8: 'B', I8: 'b', I32: 'i', I64: 'q'}    # and the tensors of bindings
VIEWED = {F32: F32, F16: F32, U8: U8, I8: U8, I32: I32, I64: I32}    # what LOAD makes of a binding's elements, and STORE takes
ELEMENT_BYTES = {F32: 4, F16: 2, U8: 1, I8: 1, I32: 4, I64: 8}


class Fault(Exception):
    """The program is wrong, or did what ISA.md calls a fault."""


# ---- program.proto ----

FIELD = re.compile(r'(optional|repeated)\s+(\w+)\s+(\w+)\s*=\s*(\d+)')
DEFAULTS = {'string': '', 'bool': False}


class Message:
    pass


def read_schema(text):
    """{message: {number: (name, type, is_repeated)}}"""
    text = re.sub(r'//[^\n]*', '', text)
    schema = {}
    for name, body in re.findall(r'message\s+(\w+)\s*\{(.*?)\}', text, re.DOTALL):
        schema[name] = {int(number): (field, kind, label == 'repeated') for label, kind, field, number in FIELD.findall(body)}
    return schema


# ---- the wire format of protocol buffers ----

def varint(data, at, end):
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (1 << 64) - 1, at
    raise Fault('header: a number has no end')


def raw_field(data, at, end):
    """(number, wire type, value: an int or the (start, end) of bytes, next)"""
    key, at = varint(data, at, end)
    wire = key & 7
    if wire == 0:
        value, at = varint(data, at, end)
    elif wire in (1, 5):
        size = 8 if wire == 1 else 4
        if at + size > end:
            raise Fault('header: cut off')
        value, at = int.from_bytes(data[at:at + size], 'little'), at + size
    elif wire == 2:
        size, at = varint(data, at, end)
        if size > end - at:
            raise Fault('header: cut off')
        value, at = (at, at + size), at + size
    else:
        raise Fault('header: wire type %d' % wire)
    return key >> 3, wire, value, at


def scalar(kind, raw):
    if kind in ('sint32', 'sint64'):
        return raw >> 1 ^ -(raw & 1)
    if kind == 'bool':
        return bool(raw)
    return raw & 0xffffffff if kind == 'uint32' else raw


def decode_field(schema, kind, data, wire, value):
    """The values of one field on the wire: one, or those of a packed list."""
    if kind in schema or kind == 'string':
        if wire != 2:
            raise Fault('header: a field of another wire type')
        return [decode(schema, kind, data, *value) if kind in schema else bytes(data[slice(*value)]).decode(errors='replace')]
    if wire != 2:
        return [scalar(kind, value)]
    values, at = [], value[0]
    while at < value[1]:
        raw, at = varint(data, at, value[1])
        values.append(scalar(kind, raw))
    return values


def decode(schema, message, data, at, end):
    fields = schema[message]
    result = Message()
    result.unknown = []
    for name, kind, is_repeated in fields.values():
        setattr(result, name, [] if is_repeated else DEFAULTS.get(kind, 0))
    while at < end:
        number, wire, value, at = raw_field(data, at, end)
        if number not in fields:
            result.unknown.append((number, bytes(data[slice(*value)]) if wire == 2 else value))
            continue
        name, kind, is_repeated = fields[number]
        values = decode_field(schema, kind, data, wire, value)
        if is_repeated:
            getattr(result, name).extend(values)
        elif values:
            setattr(result, name, values[-1])
    return result


# ---- the container ----

def read_fields(text):
    """From ARCH.md's table: {field: (default, choices, part)}, in its order."""
    fields = {}
    for name, default, values, part in re.findall(r'^\| `(\w+)` \| (\S+) \| (.*?) \| [\w/]+ \| (structure|timing) \|', text, re.MULTILINE):
        choices = re.findall(r'`(\w+)`', values)
        fields[name] = (choices.index(default.strip('`')) if choices else int(default), choices, part)
    return fields


def read_machine(text, fields):
    machine = {name: default for name, (default, _, _) in fields.items()}
    for name, value in re.findall(r'^(\w+): *(\w+)', text, re.MULTILINE):
        if name in fields:
            choices = fields[name][1]
            machine[name] = choices.index(value) if choices else int(value)
    return machine


def fingerprint(machine, fields, part):
    h = 0
    for name, value in machine.items():
        if fields[name][2] == part:
            h = xxh3_64(struct.pack('<q', value), xxh3_64(name.encode(), h))
    return h


def check_hash(data, wanted, what):
    got = xxh3_64(data)
    if got != wanted:
        raise Fault('%s: its hash is %016x, not %016x' % (what, got, wanted))


def read_sections(data, header, at, verify):
    """The sections' bytes; each starts at the next multiple of 64 after the one before."""
    sections = []
    for i, s in enumerate(header.sections):
        start = (at + 63) // 64 * 64
        if s.offset != start or start + s.length > len(data):
            raise Fault('section %d: out of place' % i)
        if any(data[at:start]):
            raise Fault('section %d: bytes in front of it are not 0' % i)
        sections.append(data[start:start + s.length])
        if verify:
            check_hash(sections[-1], s.hash, 'section %d' % i)
        at = start + s.length
    if at != len(data):
        raise Fault('the file does not end with its last section')
    return sections


def read_container(data, proto, verify=True):
    """The header, with `data` (sections) added. verify: the hashes, which take Python a second a megabyte."""
    data = memoryview(data)
    if len(data) < 24 or data[:4] != b'CIMC':
        raise Fault('this is no program file')
    version, n_header, header_hash = struct.unpack_from('<IQQ', data, 4)
    if version != 2 or n_header > 1 << 30 or 24 + n_header > len(data):
        raise Fault('container version %d, header of %d bytes' % (version, n_header))
    if verify:
        check_hash(data[24:24 + n_header], header_hash, 'header')
    program = decode(read_schema(proto), 'Program', data, 24, 24 + n_header)
    if program.isa_version != 2:
        raise Fault('version %d of the instruction set' % program.isa_version)
    program.data = read_sections(data, program, 24 + n_header, verify)
    return program


def add_sections(program, fields):
    """Adds `machine` (fields), and `code` and `nodes`, the bytes of a stream and of its sources, for each tile."""
    program.machine = read_machine(program.arch, fields)
    if (fingerprint(program.machine, fields, 'structure') != program.structure_fingerprint or
            fingerprint(program.machine, fields, 'timing') != program.timing_fingerprint):
        raise Fault('the machine is not the one of the fingerprints')
    program.n_data = len(program.data) - 2 * len(program.tiles)
    for t, tile in enumerate(program.tiles):
        if program.n_data < 0 or (tile.stream, tile.sources) != (program.n_data + 2 * t, program.n_data + 2 * t + 1):
            raise Fault('tile %d: its stream or its sources are not in their places' % t)
        tile.code, tile.nodes = bytes(program.data[tile.stream]), bytes(program.data[tile.sources])
    return program


def read_program(data, proto, fields):
    return add_sections(read_container(data, proto), fields)
