# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Executes a program: ISA.md, sections 2, 3 and 5 to 8. It knows no time.

An instruction whose turn has come is executed at once, as a whole; its messages arrive at once. Which of several ready queues comes
next is chosen by a seed, or is the one that became ready last. `wrote(tile, queue, index, operation, writes)` is told of each
instruction; a write is (kind, where, addresses, values): ('buffer', tile, bytes, ...) or ('dram', output, elements, ...).
"""
import math
import random
from array import array
from collections import Counter, deque
from itertools import chain, repeat
from operator import add, mul

from functions import FUNCTIONS, Lanes
from lanes import OPERATIONS, greatest, half, requantised, saturated, wrapped
from memory import Buffer, Now, View
from patches import Patches, has_patch
from program_file import CODES, F16, F32, I8, I64, OUTSIDE, Fault
from readout import read_out

FIRST_INBOUND, PACE, COUNT_BITS = 128, 1022, 22
FIRST_FRAME, LAST_FRAME = 1, 2    # flags of LOAD and STORE
VRED_H, VRED_W, VRED_C, VRED_SUM = 1, 2, 4, 8
VDOT_KN = 1
LEAST = {'f': float('-inf'), 'B': 0, 'i': -2 ** 31}    # where a maximum begins
A, B = 16, 17    # operand codes
LANE_CODES = {'f32': 'f', 'i32': 'i', 'any': 'I'}
WINDOW_MAX, WINDOW_AVERAGE, WINDOW_OVERLAP = 0, 1, 3


def reached(count, threshold):
    return (count - threshold) % (1 << COUNT_BITS) < 1 << COUNT_BITS - 1


def round_f32(values):
    return array('f', values)


def of_patterns(code, patterns):
    """The same 32 bits as another type."""
    return patterns if patterns.typecode == code else array(code, patterns.tobytes())


def lanes_of(values):
    """What a lane holds of a view's elements: of an u8 an i32."""
    return array('i', values) if values.typecode == 'B' else values


def loaded(element, values):
    """What LOAD puts into the buffer. An i8 has bit 7 flipped: the value + 128. Of an i64 it is the low half."""
    if element == F16:
        return round_f32(map(half, values))
    if element == I64:
        return of_patterns('i', array('I', (v & 0xffffffff for v in values)))
    return array('B', (v + 128 for v in values)) if element == I8 else values


def stored(element, values):
    if element == F16:
        return round_f32(map(half, values))
    if element == I64:
        return array('q', values)
    return array('b', (v - 128 for v in values)) if element == I8 else values


def read_center(program, image):
    """For each column what the sum of its inputs is multiplied with."""
    if not image.center:
        return array('i', bytes(4 * image.n))
    at = image.center_offset
    return array('i', bytes(program.data[image.center - 1][at:at + 4 * image.n]))


def read_group(program, g):
    if has_patch(g):
        return Patches(program, g, read_center(program, program.images[g.image]))
    return Group(program, g)


class Group:
    """A group's crossbars as columns, and the taps of the kernel that they read for each conv group."""

    def __init__(self, program, g):
        image = program.images[g.image]
        self.is_f32 = image.element == F32
        self.readout = read_out(program, g)
        n_bytes = image.k * image.n * (4 if self.is_f32 else 1)
        data = program.data[image.section][image.offset:image.offset + n_bytes].cast(OUTSIDE[image.element])
        self.center = read_center(program, image)
        groups = g.conv_groups or 1
        self.g, self.pes = g, []
        self.channels, width = g.in_channels // groups, image.n // groups
        ranges = {}    # conv group: rows of the image that some PE holds for it
        for pe in sorted(g.pes, key=lambda pe: (pe.n0, pe.k0)):
            rows = range(pe.k0, pe.k0 + pe.k)
            columns = [(n // width, self.readout.column(data[rows.start * image.n + n:rows.stop * image.n:image.n].tolist(), rows, n))
                       for n in range(pe.n0, pe.n0 + pe.n)]
            self.pes.append((pe, columns))
            for q in {q for q, _ in columns}:
                ranges.setdefault(q, set()).add((pe.k0, pe.k0 + pe.k))
        self.spans = {q: self.find_spans(sorted(r)) for q, r in ranges.items()}
        # Where every conv group has whole taps, and the same, a tap is read for all of them at once.
        spans = list(self.spans.values())
        self.is_joint = all(s == spans[0] for s in spans) and all(n == self.channels for *_, n in spans[0])

    def find_spans(self, ranges):
        """(first row, kh, kw, first channel, channels), tap by tap."""
        spans, done = [], 0
        for first, last in ranges:
            k = max(first, done)
            while k < last:
                tap, channel = divmod(k, self.channels)
                n = min(self.channels - channel, last - k)
                spans.append((k, tap // self.g.kernel_w, tap % self.g.kernel_w, channel, n))
                k += n
            done = max(done, last)
        return spans

    def tap(self, source, oy, ox, kh, kw, channel, n):
        g = self.g
        y = oy * g.stride_h + kh * g.dilation_h - g.pad_top
        x = ox * g.stride_w + kw * g.dilation_w - g.pad_left
        return source.pixel(y, x, channel - g.source_channel0, n).tolist()

    def inputs(self, source, oy, ox):
        """{conv group: in(k)} for the rows that are held; the others stay 0 and are not used."""
        c, size = self.channels, self.g.kernel_h * self.g.kernel_w * self.channels
        values = {q: [0.0 if self.is_f32 else 0] * size for q in self.spans}
        if self.is_joint:
            first, n_groups = min(values), max(values) - min(values) + 1
            for k, kh, kw, _, n in self.spans[first]:
                tap = self.tap(source, oy, ox, kh, kw, first * c, n_groups * c)
                for q, into in values.items():
                    into[k:k + n] = tap[(q - first) * c:(q - first + 1) * c]
            return values
        for q, spans in self.spans.items():
            for k, kh, kw, channel, n in spans:
                values[q][k:k + n] = self.tap(source, oy, ox, kh, kw, q * c + channel, n)
        return values

    def product(self, values):
        """Sums over each PE's rows, added up in ascending order of rows."""
        results, code = {}, 'f' if self.is_f32 else 'i'
        for pe, columns in self.pes:
            parts = {q: values[q][pe.k0:pe.k0 + pe.k] for q, _ in columns}
            driven = {q: self.readout.drive(part) for q, part in parts.items()}
            sums = (self.readout.product(column, driven[q]) for q, column in columns)
            if not self.is_f32:
                whole = {q: sum(part) for q, part in parts.items()}
                sums = (s + (center - self.readout.offset) * whole[q] for s, (q, _), center in zip(sums, columns, self.center[pe.n0:]))
            sums = array(code, sums)
            results[pe.n0] = array(code, map(add, results[pe.n0], sums)) if pe.n0 in results else sums
        return array(code, chain.from_iterable(results[n0] for n0 in sorted(results)))

    def region(self, source, y, x, h, w, _):
        """Yields (y, x, values) of each pixel of the region, row by row."""
        for oy in range(y, y + h):
            for ox in range(x, x + w):
                yield oy, ox, self.product(self.inputs(source, oy, ox))


class Instance:
    """An instruction in an iteration of the body. frame None: it is skipped."""

    def __init__(self, index, i, frame, waits):
        self.index, self.i, self.frame, self.waits = index, i, frame, waits


class Tile:
    def __init__(self, program, number, instructions, now):
        t = program.tiles[number]
        self.number, self.t, self.instructions = number, t, instructions
        self.buffer = Buffer(t.buffer_bytes)
        for p in t.preloads:
            self.buffer.preload(p.address, program.data[p.section][p.offset:p.offset + p.length])
        self.views = [View(self.buffer, v, i, now) for i, v in enumerate(t.views)]
        self.groups = [read_group(program, g) for g in t.groups]
        self.tables = [array(CODES[x.element], bytes(program.data[x.section][x.offset:x.offset + 1024])) for x in t.tables]
        self.position, self.stalled_on = 0, None    # position: through all iterations
        self.queues = [deque() for _ in range(len(t.groups) + 3)]
        self.counters = dict.fromkeys([*range(len(self.queues)), *range(FIRST_INBOUND, FIRST_INBOUND + t.inbound_counters)], 0)
        self.step = Counter(i.queue for i in instructions)
        self.step.update({FIRST_INBOUND + k: n for k, n in enumerate(t.step)})
        self.parked = {}    # counter: queues whose heads wait for it
        self.before = 0    # iterations of earlier runs

    def begin(self, before):
        """A run after so many iterations, which all came to their end: nothing is reset."""
        if before and len(self.t.step) != self.t.inbound_counters:
            raise Fault('tile %d: without steps a program runs once' % self.number)
        self.before, self.position = before, 0
        self.counters = {c: before * self.step[c] % (1 << COUNT_BITS) for c in self.counters}

    def instance(self, position, n_frames):
        """Of the body's instructions, iteration by iteration."""
        iteration, index = divmod(position, len(self.instructions))
        i = self.instructions[index]
        frame = iteration - i.stage
        only = i.flags if i.op in ('load', 'store') else 0
        if not 0 <= frame < n_frames or (only & FIRST_FRAME and frame) or (only & LAST_FRAME and frame != n_frames - 1):
            return Instance(index, i, None, [])
        # The pace counts by itself, sooner or later.
        waits = [(c, (t + (self.before + iteration) * self.step[c]) % (1 << COUNT_BITS)) for c, t in i.waits if c != PACE]
        return Instance(index, i, frame, waits)


class Machine:
    def __init__(self, program, streams, lanes, inputs, outputs, wrote=None, seed=None, n_frames=1):
        """`streams`: the tiles' instructions, decoded and checked; `lanes`: {code: (name, operands)}."""
        self.program, self.lanes, self.inputs, self.outputs = program, lanes, inputs, outputs
        self.now, self.n_frames = Now(), n_frames
        self.n_iterations = n_frames + max((i.stage for s in streams for i in s), default=0)
        self.tiles = [Tile(program, i, s, self.now) for i, s in enumerate(streams)]
        self.wrote, self.depth = wrote, program.machine['queue_depth']
        self.random = random.Random(seed) if seed is not None else None
        self.ready, self.writes, self.n_executed = [], [], 0

    # ---- order ----

    def dispatch(self, tile):
        """The sequencer, as far as it comes."""
        while tile.position < len(tile.instructions) * self.n_iterations:
            x = tile.instance(tile.position, self.n_frames)
            queue = tile.queues[x.i.queue]
            if len(queue) >= self.depth:
                tile.stalled_on = x.i.queue
                return
            queue.append(x)
            tile.position += 1
            if len(queue) == 1:
                self.ready.append((tile, x.i.queue))
        tile.stalled_on = None

    def count(self, tile, counter):
        tile.counters[counter] = (tile.counters[counter] + 1) % (1 << COUNT_BITS)
        self.ready.extend((tile, q) for q in tile.parked.pop(counter, ()))

    def execute(self, tile, x):
        self.now.frame, self.writes = x.frame, []
        try:
            getattr(self, 'do_' + x.i.op)(tile, x.i)
        except (Fault, OverflowError) as fault:    # an integer that leaves 32 bits
            of = ', frame %d' % x.frame if self.program.frames else ''
            raise Fault('tile %d, instruction %d (%s), queue %d%s: %s' % (tile.number, x.index, x.i.op, x.i.queue, of, fault)) from fault
        self.n_executed += 1
        if self.wrote:
            self.wrote(tile.number, x.i.queue, x.index, x.i.op, self.writes)

    def step(self, tile, q):
        """Executes the head of a queue if its waits hold."""
        x = tile.queues[q][0]
        for counter, threshold in x.waits:
            if not reached(tile.counters[counter], threshold):
                tile.parked.setdefault(counter, []).append(q)
                return
        if x.frame is not None:
            self.execute(tile, x)
        elif x.i.op in ('send', 'signal'):
            self.do_signal(tile, x.i)
        tile.queues[q].popleft()
        self.count(tile, q)
        if tile.queues[q]:
            self.ready.append((tile, q))
        if tile.stalled_on == q:
            self.dispatch(tile)

    def run(self, before=0):
        """before: iterations of runs that came to their end before this one."""
        for tile in self.tiles:
            tile.begin(before)
        for tile in self.tiles:
            self.dispatch(tile)
        while self.ready:
            if self.random:
                k = self.random.randrange(len(self.ready))
                self.ready[k], self.ready[-1] = self.ready[-1], self.ready[k]
            self.step(*self.ready.pop())
        waiting = ['tile %d queue %d: instruction %d waits for %s' % (
            tile.number, q, queue[0].index, ', '.join('counter %d >= %d' % w for w in queue[0].waits))
            for tile in self.tiles for q, queue in enumerate(tile.queues) if queue]
        if waiting:
            raise Fault('deadlock: ' + '; '.join(waiting))

    # ---- what instructions do ----

    def put(self, tile, view, y, x, values):
        into = tile.views[view]
        if into.code == 'B' and values.typecode != 'B':
            values = into.array(saturated(v, 0, 255) for v in of_patterns('i', values))
        elif into.code != values.typecode:
            values = of_patterns(into.code, values)
        for addresses, part in into.put_row(y, x, values):
            self.writes.append(('buffer', tile.number, addresses, part))

    def do_nop(self, tile, i):
        pass

    do_wait = do_nop

    def do_mvm(self, tile, i):
        group = tile.groups[i.obj]
        source = tile.views[group.g.source_view]
        view, y, x = i.dst
        for oy, ox, values in group.region(source, y, x, i.h, i.w, tile.views[view].channels):
            self.put(tile, view, oy, ox, values)

    @staticmethod
    def lane_operand(tile, program, code, known, imm, wanted):
        """Lanes as the operation wants them: as f32, i32 or, where it takes any, as bits."""
        if code < 18:
            values = known[code]
        elif code == 18:
            values = array('I', [imm]) * len(known[A])
        else:
            constants = tile.views[program.constants_view]
            values = constants.pixel(code - 32, 0) * (len(known[A]) // constants.channels)
        return of_patterns(LANE_CODES[wanted], values)

    def lane_result(self, tile, program, lane, known):
        name, _, wants, gives = self.lanes[lane.op]
        x, *y = (self.lane_operand(tile, program, code, known, lane.imm, wanted) for code, wanted in zip((lane.x, lane.y), wants))
        if name == 'mov':
            return x
        if name == 'tab':
            table = tile.tables[lane.imm]
            return array(table.typecode, (table[v & 255] for v in x))
        if name == 'rq':
            offset = self.lane_operand(tile, program, lane.y + 1, known, 0, 'i32')
            return array('i', map(requantised, x, y[0], offset, repeat(lane.imm)))
        if name in FUNCTIONS:
            return FUNCTIONS[name](*map(Lanes, (x, *y))).values
        return array(LANE_CODES[gives], map(OPERATIONS[name], x, *y))

    def do_vmap(self, tile, i):
        program = tile.t.programs[i.obj]
        view, y, x = i.dst
        for row in range(i.h):
            known = {A: lanes_of(tile.views[i.a[0]].row(i.a[1] + row, i.a[2], i.w))}
            if program.arity == 2:
                known[B] = lanes_of(tile.views[i.b[0]].row(i.b[1] + row, i.b[2], i.w))
            for k, lane in enumerate(program.ops):
                known[k] = self.lane_result(tile, program, lane, known)
            self.put(tile, view, y + row, x, known[len(program.ops) - 1])

    def do_vwin(self, tile, i):
        window, a = tile.t.windows[i.obj], tile.views[i.a[0]]
        view, y, x = i.dst
        for oy in range(y, y + i.h):
            for ox in range(x, x + i.w):
                if window.kind == WINDOW_OVERLAP:
                    values = self.overlap(window, a, oy, ox, tile.views[view].channels)
                else:
                    values = self.window(window, a, oy, ox)
                self.put(tile, view, oy, ox, values)

    @staticmethod
    def overlap(w, a, oy, ox, channels):
        """The transposed window."""
        result, plus = array(a.code, [0]) * channels, a.plus
        for kh in range(w.kernel_h):
            for kw in range(w.kernel_w):
                iy, beside_y = divmod(oy + w.pad_top - kh * w.dilation_h, w.stride_h)
                ix, beside_x = divmod(ox + w.pad_left - kw * w.dilation_w, w.stride_w)
                if not beside_y and not beside_x and 0 <= iy < a.height and 0 <= ix < a.width:
                    tap = a.pixel(iy, ix, (kh * w.kernel_w + kw) * channels, channels)
                    result = array(a.code, map(plus, result, tap))
        return result

    @staticmethod
    def cells(w, a, oy, ox):
        """Those of the window that count: of an average some, of a maximum of u8 those inside; else all."""
        top, left, bottom, right = w.counted_top, w.counted_left, w.counted_bottom, w.counted_right
        if w.kind != WINDOW_AVERAGE:
            top = left = bottom = right = 0 if w.kind == WINDOW_MAX and a.code == 'B' else math.inf
        for kh in range(w.kernel_h):
            y = oy * w.stride_h - w.pad_top + kh * w.dilation_h
            for kw in range(w.kernel_w):
                x = ox * w.stride_w - w.pad_left + kw * w.dilation_w
                if -top <= y < a.height + bottom and -left <= x < a.width + right:
                    yield y, x

    def window(self, w, a, oy, ox):
        cells = list(self.cells(w, a, oy, ox))
        result = array(a.sum_code, [LEAST[a.code] if w.kind == WINDOW_MAX else 0]) * a.channels
        for y, x in cells:
            cell = a.pixel(y, x)
            result = array(a.sum_code, map(greatest, cell, result) if w.kind == WINDOW_MAX else map(a.plus, result, cell))
        if w.kind == WINDOW_AVERAGE:
            if not cells:
                raise Fault('an average of no cells')
            result = round_f32(OPERATIONS['div'](r, float(len(cells))) for r in round_f32(result))
        return result

    def do_vred(self, tile, i):
        a = tile.views[i.a[0]]
        view, y, x = i.dst
        h, w, c = (1 if i.flags & axis else n for axis, n in ((VRED_H, i.h), (VRED_W, i.w), (VRED_C, a.channels)))
        is_sum = i.flags & VRED_SUM
        result = [array(a.sum_code, [0 if is_sum else LEAST[a.code]]) * (w * c) for _ in range(h)]
        for row in range(i.h):
            values = a.row(i.a[1] + row, i.a[2], i.w)
            into = result[row if h > 1 else 0]
            for k, value in enumerate(values):
                at = (k // a.channels if w > 1 else 0) * c + (k % a.channels if c > 1 else 0)
                into[at] = a.plus(into[at], value) if is_sum else greatest(value, into[at])
        for row in range(h):
            self.put(tile, view, y + row, x, result[row])

    def do_vgat(self, tile, i):
        table, a = tile.t.gathers[i.obj], tile.views[i.a[0]]
        view, y, x = i.dst
        channels, fill = table.channels or range(tile.views[view].channels), a.of_pattern(table.fill)
        for oy in range(y, y + i.h):
            r = table.rows[oy] if table.rows else oy
            for ox in range(x, x + i.w):
                q = table.cols[ox] if table.cols else ox
                values = [fill if min(r, q, k) < 0 else a.pixel(r, q, k, 1)[0] for k in channels]
                self.put(tile, view, oy, ox, a.array(values))

    def do_vdot(self, tile, i):
        a, b = tile.views[i.a[0]], tile.views[i.b[0]]
        view, y, x = i.dst
        for row in range(i.h):
            matrix = [b.pixel(i.b[1] + row, column) for column in range(b.width)]
            columns = zip(*matrix) if i.flags & VDOT_KN else matrix
            columns = [list(column) for column in columns]
            for col in range(i.w):
                values = a.pixel(i.a[1] + row, i.a[2] + col)
                self.put(tile, view, y + row, x + col, array(a.sum_code, (self.dot(a, values, column) for column in columns)))

    @staticmethod
    def dot(a, x, y):
        if a.code != 'f':
            return wrapped(sum(map(mul, x, y)))
        result = array('f', [0])
        for product in round_f32(map(mul, x, y)):
            result[0] += product
        return result[0]

    def do_vtake(self, tile, i):
        a, b = tile.views[i.a[0]], tile.views[i.b[0]]
        view, y, x = i.dst
        extent = {VRED_H: a.height, VRED_W: a.width, VRED_C: a.channels}[i.flags]
        for row in range(i.h):
            for col in range(i.w):
                values = []
                for c, k in enumerate(b.pixel(i.b[1] + row, i.b[2] + col)):
                    k += extent if k < 0 else 0
                    at = [i.a[1] + row, i.a[2] + col, c]
                    at[i.flags.bit_length() - 1] = k
                    values.append(a.pixel(*at, 1)[0] if 0 <= k < extent else a.pad)
                self.put(tile, view, y + row, x + col, a.array(values))

    def do_send(self, tile, i):
        view, y, x = i.a
        source = tile.views[view]
        rows = [source.row(y + row, x, i.w) for row in range(i.h)]
        n = source.channels
        for target in tile.t.routes[i.obj].targets:
            other = self.tiles[target.tile]
            into = other.views[target.view]
            for row, values in enumerate(rows):
                if not into.y0 <= y + row < into.y1:
                    continue
                first, last = max(x, into.x0), min(x + i.w, into.x1)
                if first < last:
                    self.put(other, target.view, y + row, first, values[(first - x) * n:(last - x) * n])
            self.count(other, target.counter)

    def do_signal(self, tile, i):
        for target in tile.t.routes[i.obj].targets:
            self.count(self.tiles[target.tile], target.counter)

    def places(self, i, channels):
        """The elements of a LOAD's or STORE's tensor, row by row."""
        b = self.program.bindings[i.obj]
        for row in range(i.h):
            start = b.offset + self.now.frame * b.frame_stride + (i.y + row) * b.stride_h + i.c * b.stride_c
            yield [start + (i.x + col) * b.stride_w + k * b.stride_c for col in range(i.w) for k in range(channels)]

    def do_load(self, tile, i):
        b = self.program.bindings[i.obj]
        view, y, x = i.dst
        for row, places in enumerate(self.places(i, tile.views[view].channels)):
            values = array(OUTSIDE[b.element], (self.inputs[b.index][p] for p in places))
            self.put(tile, view, y + row, x, loaded(b.element, values))

    def do_store(self, tile, i):
        b = self.program.bindings[i.obj]
        view, y, x = i.a
        for row, places in enumerate(self.places(i, tile.views[view].channels)):
            values = stored(b.element, tile.views[view].row(y + row, x, i.w))
            for p, value in zip(places, values):
                self.outputs[b.index][p] = value
            self.writes.append(('dram', b.index, places, values))
