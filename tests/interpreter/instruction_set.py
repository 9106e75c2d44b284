# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Operations, by the tables that ISA.md prints at its end."""
import re


class Operation:
    def __init__(self, name, obj, fields):
        self.name, self.obj = name, obj
        self.has = fields & {'dst', 'a', 'b'} | {'obj' if obj else '', 'flags' if name in ('vred', 'vdot', 'vtake', 'load', 'store') else '', 'dram' if 'c' in fields else ''} - {''}


def read_operations(text):
    """{code: Operation}"""
    found = re.findall(r'^\| (\d+) \| (\w+) \| (\w?) ?\|[^|]*\| ?([a-z ]*)\|$', text, re.MULTILINE)
    return {int(code): Operation(name, obj, set(fields.split())) for code, name, obj, fields in found}


def read_lanes(text):
    """{code: (name, number of operands, the type of each, the result's)}; types f32, i32 and any."""
    return {int(code): (name, int(n), [x, y or x][:int(n)], gives)
            for code, name, n, x, y, gives in re.findall(r'^\| (\d+) \| (\w+) \| ([12]) \| (\w+)(?:, (\w+))? -> (\w+) \|$', text, re.MULTILINE)}
