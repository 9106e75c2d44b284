# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""A tile's stream, as section 9 of ISA.md describes it: walkers, templates, phrases and a string of symbols.

In: the bytes of a section; the operations, {code: Operation} with `name` and `has`, the set of fields that it has ('obj', 'flags', 'dst', 'a', 'b', 'dram').
Out: the instructions in their order, without HALT. What the decoder does not know raises Fault.
"""
from program_file import Fault

FIRST_INBOUND, COUNT_BITS, MOST_IN_QUEUE, MOST_DEPTH = 128, 22, 1 << 21, 4
SET, RUN, LONG_RUN, PAGES, FAR, HALT = 0xf0, 0xf1, 0xf2, 0xf3, 0xfe, 0xff
FIRST_FAR = SET + 256 * (FAR - PAGES)
FRAME = 0x8000                               # with the walker behind SET
SHORT_RUN = 4                 # a run of n says n - 4
NO_WAIT, VALUE, BYTE, THREE_BYTES = range(4)
COMMON = (('op', 5), ('queue', 7), ('flags', 4), ('stage', 5), ('obj', 10), ('dst', 10), ('a', 10), ('b', 10))
SHORT = COMMON + (('xs', 14), ('x1', 14), ('ys', 13), ('y1', 13), ('w', 13))
LONG = COMMON + (('xs', 23), ('x1', 23), ('ys', 23), ('y1', 23), ('w', 16), ('w_first', 16), ('w_last', 16),
                 ('h', 12), ('h_first', 12), ('h_last', 12), ('gap', 4), ('extension', 15))
EXTENSION = (('a_y', 24), ('a_x', 24), ('b_y', 24), ('b_x', 24), ('c', 24), ('rest', 8))
SIZES = ('short', 'long', 'extensions', 'small', 'large', 'phrases', 'memory', 'stream')
BYTES = (16, 32, 16, 4, 8, 4, 1, 1)


def need(condition, text, *values):
    if not condition:
        raise Fault(text % values)


def signed(value, bits):
    return value - (1 << bits) if value >> bits - 1 else value


def unpack(data, widths):
    """Fields from the least significant bit on."""
    value, fields = int.from_bytes(data, 'little'), {}
    for name, bits in widths:
        fields[name] = value & (1 << bits) - 1
        value >>= bits
    return fields


class Instruction:
    def __init__(self, about):
        self.op, self.queue, self.flags, self.stage, self.obj = (about[k] for k in ('op', 'queue', 'flags', 'stage', 'obj'))
        self.dst = self.a = self.b = None    # (view, y, x)
        self.h = self.w = self.y = self.x = self.c = 0
        self.waits = []


class Walker:
    only_walks = False

    def __init__(self, fields, extension, operations):
        need(fields['op'] in operations, 'operation %d does not exist', fields['op'])
        operation = operations[fields['op']]
        self.has = operation.has
        self.is_region = 'dst' in self.has or 'a' in self.has
        self.__dict__.update(fields, op=operation.name)
        unused = [name for name in ('obj', 'flags', 'dst', 'a', 'b') if name not in self.has and fields[name]]
        need(not unused, '%s: it has no %s', self.op, ', '.join(unused))
        need(self.is_region or not any(fields.get(name, 0) for name in ('xs', 'x1', 'ys', 'y1', 'w', 'w_first', 'extension')), '%s: it has no region', self.op)
        self.relative = extension
        self.first_stage = self.stage
        self.start = self.ys, self.xs        # of a body
        self.given = None                    # what SET said of the next instruction: (w, h)
        self.begin()

    def begin(self):
        self.y, self.x = self.start
        self.stage = self.first_stage

    def frame(self):
        need(self.stage and self.given is None, 'FRAME of a walker that has no stage left, or is SET')
        self.y, self.x = self.ys, self.xs
        self.stage -= 1

    def set(self, y, x, w, h):
        need(self.is_region and self.given is None, 'a SET without effect')
        need(w and 1 <= h <= 4095, 'a SET of h %d, w %d', h, w)
        self.y, self.x, self.given = y, x, (w, h)

    @staticmethod
    def extent(at, first, end, usual, at_first, at_last):
        if end - at <= at_last:
            return end - at
        return at_first if at == first else usual

    def next(self):
        i = Instruction(vars(self))
        if not self.is_region:
            return i
        i.w = self.extent(self.x, self.xs, self.x1, self.w, self.w_first, self.w_last)
        i.h = self.extent(self.y, self.ys, self.y1, self.h, self.h_first, self.h_last)
        if self.given:
            (i.w, i.h), self.given = self.given, None
        need(self.only_walks or 1 <= i.w <= 65535 and 1 <= i.h <= 4095, '%s: h %d, w %d', self.op, i.h, i.w)
        self.place(i)
        self.x += i.w
        if self.x == self.x1:
            self.x = self.xs
            self.y += i.h + self.gap
            if self.y >= self.y1:
                self.y = self.ys
        return i

    def place(self, i):
        y, x, far = self.y, self.x, self.relative
        from_origin = self.op in ('vwin', 'vgat') and not far
        if 'dst' in self.has:
            i.dst = (self.dst, y, x)
        if 'a' in self.has:
            away = (far['a_y'], far['a_x']) if far and 'dst' in self.has else (0, 0)
            i.a = (self.a, 0, 0) if from_origin else (self.a, y + away[0], x + away[1])
        if 'b' in self.has:
            i.b = (self.b, y + far['b_y'], x + far['b_x']) if far else (self.b, y, x)
        if 'dram' in self.has:
            i.y, i.x, i.c = (y + far['a_y'], x + far['a_x'], far['c']) if far else (y, x, 0)


class Stream:
    def __init__(self, data, operations):
        self.parts = self.split(bytes(data))
        self.walkers = self.read_walkers(operations)
        self.templates = self.read_templates()
        self.phrases = [(p & 0xfffff, p >> 20) for p in (int.from_bytes(d, 'little') for d in self.records('phrases'))]
        for start, length in self.phrases:
            need(length and start + length <= len(self.parts['memory']), 'a phrase of no bytes or beyond its memory')
        self.dispatched, self.last, self.result = {}, {}, []

    # ---- the section ----

    @staticmethod
    def split(data):
        need(len(data) >= 32, 'a stream of %d bytes', len(data))
        counts = [int.from_bytes(data[4 * k:4 * k + 4], 'little') for k in range(8)]
        at, parts = 32, {}
        for name, n, size in zip(SIZES, counts, BYTES):
            parts[name] = data[at:at + n * size]
            at += n * size
        need(at == len(data), 'its parts have %d bytes, the section %d', at, len(data))
        need(counts[0] + counts[1] <= 1 << 14, '%d walkers', counts[0] + counts[1])
        need(counts[3] + counts[4] + counts[5] <= FIRST_FAR + (1 << 16), 'too many templates and phrases')
        return parts

    def records(self, name):
        size = BYTES[SIZES.index(name)]
        return [self.parts[name][at:at + size] for at in range(0, len(self.parts[name]), size)]

    # ---- walkers and templates ----

    def read_walkers(self, operations):
        extensions = []
        for data in self.records('extensions'):
            e = unpack(data, EXTENSION)
            need(not e.pop('rest'), 'an extension with bits set that must be 0')
            extensions.append({name: value if name == 'c' else signed(value, 24) for name, value in e.items()})
        walkers = []
        for data in self.records('short'):
            f = unpack(data, SHORT)
            walkers.append(Walker(dict(f, w_first=f['w'], w_last=f['w'], h=1, h_first=1, h_last=1, gap=0), None, operations))
        for data in self.records('long'):
            f = unpack(data, LONG)
            need(f['extension'] <= len(extensions), 'walker %d: extension %d does not exist', len(walkers), f['extension'] - 1)
            walkers.append(Walker(f, extensions[f['extension'] - 1] if f['extension'] else None, operations))
            need(walkers[-1].is_region, '%s: a long walker', walkers[-1].op)
        return walkers

    @staticmethod
    def wait(bits):
        """(counter, mode, value)"""
        counter, mode, value = bits & 0x3ff, bits >> 10 & 3, bits >> 12
        need(mode == VALUE or not value, 'a wait of mode %d with a value', mode)
        need(mode != NO_WAIT or not counter, 'no wait, but counter %d', counter)
        return counter, mode, value

    def read_templates(self):
        """(walker, waits) by number; None: it continues the one before."""
        templates, more = [], 0
        for data in self.records('small'):
            bits = int.from_bytes(data, 'little')
            templates.append((bits & 0xff, [self.wait(bits >> 8)]))
        for data in self.records('large'):
            bits = int.from_bytes(data, 'little')
            walker, continued = bits & 0x3fff, bits >> 14 & 3
            waits = [self.wait(bits >> 16 & 0xffffff), self.wait(bits >> 40)]
            if more:
                need(not walker and not continued, 'template %d continues another and names a walker', len(templates))
                head[1].extend(waits)
                templates.append(None)
                more -= 1
                continue
            head, more = (walker, waits), continued
            templates.append(head)
        need(not more, 'the last template goes on')
        result = [t and (t[0], [w for w in t[1] if w[1] != NO_WAIT]) for t in templates]
        for t in result:
            need(t is None or t[0] < len(self.walkers), 'a template names walker %d', t and t[0])
        return result

    # ---- symbols ----

    def take(self, code, at, n, is_signed=False):
        need(at + n <= len(code), 'a symbol is cut off')
        return int.from_bytes(code[at:at + n], 'little', signed=is_signed), at + n

    def number(self, code, at):
        """(number of a template or phrase, next)"""
        byte, at = self.take(code, at, 1)
        need(byte < SET or PAGES <= byte < HALT, 'symbol %02x follows a run', byte)
        if byte < SET:
            return byte, at
        low, at = self.take(code, at, 2 if byte == FAR else 1)
        return low + (FIRST_FAR if byte == FAR else SET + 256 * (byte - PAGES)), at

    def set(self, code, at):
        walker, at = self.take(code, at, 2)
        if walker & FRAME:
            need(walker - FRAME < len(self.walkers), 'FRAME of walker %d', walker - FRAME)
            self.walkers[walker - FRAME].frame()
            return at
        y, at = self.take(code, at, 3, True)
        x, at = self.take(code, at, 3, True)
        w, at = self.take(code, at, 2)
        h, at = self.take(code, at, 2)
        need(walker < len(self.walkers), 'SET of walker %d', walker)
        self.walkers[walker].set(y, x, w, h)
        return at

    def threshold(self, counter, mode, value, code, at):
        if mode != VALUE:
            value, at = self.take(code, at, 1 if mode == BYTE else 3, mode == THREE_BYTES)
        if counter < FIRST_INBOUND:
            result = self.dispatched.get(counter, 0) - value
        else:
            result = self.last[counter] = self.last.get(counter, 0) + value
        return result % (1 << COUNT_BITS), at

    def instruction(self, template, code, at):
        need(template, 'a template that continues another')
        walker, waits = template
        i = self.walkers[walker].next()
        i.walker = walker
        for counter, mode, value in waits:
            threshold, at = self.threshold(counter, mode, value, code, at)
            i.waits.append((counter, threshold))
        n = self.dispatched[i.queue] = self.dispatched.get(i.queue, 0) + 1
        need(n <= MOST_IN_QUEUE, 'queue %d has too many instructions', i.queue)
        self.result.append(i)
        return at

    def symbol(self, number, code, at, depth):
        if number < len(self.templates):
            return self.instruction(self.templates[number], code, at)
        number -= len(self.templates)
        need(number < len(self.phrases), 'no phrase %d', number)
        need(depth < MOST_DEPTH, 'phrases in phrases beyond depth %d', MOST_DEPTH)
        start, length = self.phrases[number]
        self.string(self.parts['memory'][start:start + length], depth + 1)
        return at

    def run(self, code, at, depth):
        wide = code[at] == LONG_RUN
        n, at = self.take(code, at + 1, 2 if wide else 1)
        n += 0 if wide else SHORT_RUN
        need(n, 'a run of nothing')
        number, at = self.number(code, at)
        if number < len(self.templates):
            template = self.templates[number]
            need(template and all(mode == VALUE for _, mode, _ in template[1]), 'a run of a symbol that takes bytes')
        for _ in range(n):
            self.symbol(number, code, at, depth)
        return at

    def string(self, code, depth=0):
        at = 0
        while at < len(code):
            byte = code[at]
            if byte == HALT:
                need(depth == 0 and at == len(code) - 1, 'HALT in front of the end')
                return True
            if byte == SET:
                at = self.set(code, at + 1)
            elif byte in (RUN, LONG_RUN):
                at = self.run(code, at, depth)
            else:
                number, at = self.number(code, at)
                at = self.symbol(number, code, at, depth)
        return False

    def body(self):
        self.dispatched, self.last, self.result = {}, {}, []
        for w in self.walkers:
            w.begin()
        need(self.string(self.parts['stream']), 'HALT is missing')
        need(all(w.given is None for w in self.walkers), 'a SET without effect')

    def decode(self):
        if any(w.first_stage for w in self.walkers):
            for w in self.walkers:
                w.only_walks = True          # it does not begin where it should
            self.body()
            for w in self.walkers:
                w.only_walks = False
                if w.stage < w.first_stage:
                    w.start = w.y, w.x
        self.body()
        return self.result


def decode(data, operations):
    return Stream(data, operations).decode()


def add_instructions(program, operations):
    """Adds `instructions` to each tile, and its `nodes`: one for each."""
    for t, tile in enumerate(program.tiles):
        try:
            stream = Stream(tile.code, operations)
            tile.instructions = stream.decode()
            tile.nodes = decode_sources(tile.nodes, tile.instructions, len(stream.walkers))
        except Fault as fault:
            raise Fault('tile %d, stream: %s' % (t, fault)) from fault
    return program


def decode_sources(data, instructions, n_walkers):
    """The node of each instruction: that of its walker's first one, but for those that are listed."""
    need(len(data) % 4 == 0 and len(data) // 4 >= n_walkers and (len(data) // 4 - n_walkers) % 2 == 0, 'sources of %d bytes', len(data))
    words = [int.from_bytes(data[at:at + 4], 'little') for at in range(0, len(data), 4)]
    of_walker, other = words[:n_walkers], dict(zip(words[n_walkers::2], words[n_walkers + 1::2]))
    listed = words[n_walkers::2]
    need(all(a < b for a, b in zip(listed, listed[1:])) and all(i < len(instructions) for i in listed), 'sources out of order')
    nodes, seen = [], set()
    for index, i in enumerate(instructions):
        node = other.get(index, of_walker[i.walker])
        need(index not in other or (i.walker in seen and node != of_walker[i.walker]), 'instruction %d: its source is listed for nothing', index)
        seen.add(i.walker)
        nodes.append(node)
    need(all(node == 0xffffffff for k, node in enumerate(of_walker) if k not in seen), 'a source of a walker without instructions')
    return nodes
