"""Instruction words, by the tables that ISA.md prints in section 15.

In: the text of ISA.md, a word of 32 bytes. Out: an Instruction with the fields' names of that table; what the decoder does not
know raises Fault.
"""
import re

from program_file import Fault

NO_COUNTER = 1023
WAIT_BITS, REGION_BITS = (10, 22), (10, 16, 16)


class Operation:
    def __init__(self, name, obj, fields):
        self.name, self.obj, self.fields = name, obj, fields
        self.end = max([32] + [last + 1 for _, _, _, last in fields])
        names = {field for field, _, _, _ in fields}
        self.has = names & {'dst', 'a', 'b'} | {'obj' if obj else '', 'flags' if name == 'vred' else '', 'dram' if 'c' in names else ''} - {''}


def read_operations(text):
    """{code: Operation}"""
    operations = {}
    for code, name, obj, fields in re.findall(r'^\| (\d+) \| (\w+) \| (\w?) ?\|[^|]*\| ?([^|]*)\|$', text, re.MULTILINE):
        parts = [re.fullmatch(r'(\w+) (\w+) (\d+)\.\.(\d+)', f.strip()).groups() for f in fields.split(',') if f.strip()]
        operations[int(code)] = Operation(name, obj, [(n, k, int(a), int(b)) for n, k, a, b in parts])
    operations[13] = Operation('halt', '', []) # how a stream ends
    return operations


def read_lanes(text):
    """{code: (name, number of operands, their type, the result's)}; types f32, i32 and any."""
    return {int(code): (name, int(n), wants, gives)
            for code, name, n, wants, gives in re.findall(r'^\| (\d+) \| (\w+) \| ([12]) \| (\w+) -> (\w+) \|$', text, re.MULTILINE)}


class Instruction:
    def __init__(self):
        self.waits = []
        self.h = self.w = self.y = self.x = self.c = 0
        self.dst = self.a = self.b = None


def signed(value, bits):
    return value - (1 << bits) if value >> bits - 1 else value


def split(value, widths):
    parts = []
    for bits in widths:
        parts.append(value & (1 << bits) - 1)
        value >>= bits
    return parts


def set_field(instruction, name, kind, value):
    if kind == 'WAIT':
        counter, threshold = split(value, WAIT_BITS)
        if counter == NO_COUNTER and threshold:
            raise Fault('counter 1023 with a threshold')
        if counter != NO_COUNTER:
            instruction.waits.append((counter, threshold))
    elif kind == 'REGION':
        view, y, x = split(value, REGION_BITS)
        setattr(instruction, name, (view, signed(y, 16), signed(x, 16)))
    elif kind in ('S16', 'U12', 'U16'):
        setattr(instruction, name, signed(value, 16) if kind == 'S16' else value)
    else:
        raise Fault('ISA.md has a field of kind %s, which it does not explain' % kind)


def decode_word(operations, word):
    op, queue, stage, flags, obj = split(word, (6, 7, 4, 5, 10))
    if op not in operations:
        raise Fault('operation %d does not exist' % op)
    about = operations[op]
    if stage or (flags and (about.name != 'vred' or flags & 16)) or (obj and not about.obj) or word >> about.end:
        raise Fault('%s: bits are set that must be 0' % about.name)
    instruction = Instruction()
    instruction.op, instruction.queue, instruction.flags, instruction.obj = about.name, queue, flags, obj
    for name, kind, first, last in about.fields:
        set_field(instruction, name, kind, word >> first & (1 << last - first + 1) - 1)
    names = {name for name, _, _, _ in about.fields}
    if 'h' in names and not (1 <= instruction.h <= 4095 and 1 <= instruction.w <= 65535):
        raise Fault('%s: h %d, w %d' % (about.name, instruction.h, instruction.w))
    return instruction
