# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What a program needs of a chip: ISA.md, sections 16 and 19, and the table of features there."""
import re

from patches import has_patch
from program_file import F16, F32, I64

FUNCTIONS = {'exp', 'log', 'tanh', 'sigmoid', 'erf', 'sin', 'cos', 'pow'}
DIVISIONS = {'div', 'sqrt', 'fmod'}
AVERAGE, OVERLAP = 1, 3    # kinds of a window


def read_features(text):
    """{name: bit}"""
    table = text[text.index('\n| feature | bit of'):]
    return {name: int(bit) for name, bit in re.findall(r'^\| (\w+) \| (\d+) \|', table[:table.index('\n\n')], re.MULTILINE)}


class Features:
    def __init__(self, program, lanes):
        self.p, self.lanes = program, lanes

    @staticmethod
    def element(e):
        return {F32: set(), F16: {'f16'}, I64: {'integers', 'i64'}}.get(e, {'integers'})

    def arithmetic(self, e):
        return {'f32'} if e == F32 else self.element(e)

    def lane(self, code):
        name, _, wants, gives = self.lanes[code]
        types = {*wants, gives}
        return ({'f32'} & types | ({'integers'} if 'i32' in types else set()) | ({'functions'} if name in FUNCTIONS else set()) |
                ({'division'} if name in DIVISIONS else set()) | ({'integer_division'} if name in ('idiv', 'imod') else set()) |
                ({'tables'} if name == 'tab' else set()))

    def product(self, g):
        f32 = self.p.images[g.image].element == F32
        needs = {'f32_crossbars'} if f32 else {'integers'}
        if not f32 and (self.p.machine['adc_bits'] or self.p.machine['noise_seed']):
            needs.add('readout')
        return needs | ({'patches'} if has_patch(g) else set()) | ({'sharing'} if g.shares else set())

    def instruction(self, t, i):
        def of(region):
            return t.views[region[0]].element
        if i.op == 'mvm':
            return self.product(t.groups[i.obj])
        if i.op == 'vmap':
            return set().union(self.element(of(i.dst)), self.element(of(i.a)), *(self.lane(o.op) for o in t.programs[i.obj].ops))
        if i.op == 'vwin':
            kind = t.windows[i.obj].kind
            return self.arithmetic(of(i.a)) | ({'overlap'} if kind == OVERLAP else set()) | ({'division'} if kind == AVERAGE else set())
        if i.op in ('vgat', 'vtake'):
            return {'gather'} | self.element(of(i.a))
        if i.op == 'vred':
            return self.arithmetic(of(i.a))
        if i.op == 'vdot':
            return {'vdot'} | self.arithmetic(of(i.a))
        if i.op in ('send', 'signal'):
            multicast = {'multicast'} if len(t.routes[i.obj].targets) > 1 else set()
            return multicast | (self.element(of(i.a)) if i.op == 'send' else set())
        return self.element(self.p.bindings[i.obj].element) if i.op in ('load', 'store') else set()

    def needed(self):
        """Names."""
        needs = {'frames'} if self.p.frames else set()
        return needs.union(*(self.instruction(t, i) for t in self.p.tiles for i in t.instructions))
