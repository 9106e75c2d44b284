# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""When each instruction of a program starts and ends: the formulas of SIM.md, sections 1 and 2, on a program file.

There is no clock and there are no events here: a time is the maximum of other times, and is computed when these are known. A queue is
looked at when what its head misses has become known: its dispatch, or the n-th count of a counter.
"""
from collections import Counter
from math import gcd

from instruction_set import read_operations
from interpret import read_text
from program_file import ELEMENT_BYTES, add_sections, read_container, read_fields
from streams import add_instructions


FIRST_INBOUND, PACE, MOST = 128, 1022, 1 << 22


class Stuck(Exception):
    """Some instruction can never start."""


# ---- section 1: work and cost ----

def up(amount, rate):
    return -(-amount // rate) if rate else 0


def taps(kernel, stride, dilation):
    return -(-kernel // (stride // gcd(stride, dilation)))


class Costs:
    """(stage 1, stage 2) of an instruction of a tile. Stage 1 None: it asks for no unit."""

    def __init__(self, program):
        self.p, self.m = program, program.machine
        tiles, self.columns = self.m['tiles'] or len(program.tiles), 1
        while self.columns * self.columns < tiles:
            self.columns += 1

    def hops(self, a, b):
        if a == b:
            return 0
        if not self.m['topology']:
            return 1
        return abs(a % self.columns - b % self.columns) + abs(a // self.columns - b // self.columns)

    def way(self, tile, i):
        route = self.p.tiles[tile].routes[i.obj]
        return max(self.hops(tile, to.tile) for to in route.targets) * self.m['hop_cycles']

    def vector(self, elements):
        return (self.m['vector_setup_cycles'] + up(elements, self.m['lanes']) if self.m['lanes'] else 0, 0)

    def dram(self, i, channels):
        size = ELEMENT_BYTES[self.p.bindings[i.obj].element]
        return (up(i.h * i.w * channels * size, self.m['dram_bytes_per_cycle']), self.m['dram_cycles'])

    def phases(self, g):
        return up(g.x_bits or 8, self.m['dac_bits'])

    def cells(self, g):
        bits = self.p.images[g.image].weight_bits or self.m['weight_bits']
        return max(pe.n for pe in g.pes) * up(bits, self.m['cell_bits']) * (2 if self.m['encoding'] and not self.m['pair_axis'] else 1)

    def phase(self, g):
        return max(self.m['phase_cycles'], up(self.cells(g), self.m['adc_columns_per_cycle']))

    def products(self, g, i):
        return -(-i.h // (g.patch_h or 1)) * -(-i.w // (g.patch_w or 1))

    def mvm(self, tile, i):
        g = self.p.tiles[tile].groups[i.obj]
        return (self.products(g, i) * (self.m['mvm_cycles'] or self.phases(g) * self.phase(g)), 0)

    def vmap(self, tile, i):
        t = self.p.tiles[tile]
        return self.vector(i.h * i.w * t.views[i.dst[0]].channels * len(t.programs[i.obj].ops))

    def vwin(self, tile, i):
        t = self.p.tiles[tile]
        w = t.windows[i.obj]
        each = w.kernel_h * w.kernel_w
        if w.kind == 3:
            each = taps(w.kernel_h, w.stride_h, w.dilation_h) * taps(w.kernel_w, w.stride_w, w.dilation_w)
        return self.vector(i.h * i.w * t.views[i.dst[0]].channels * each)

    def vred(self, tile, i):
        return self.vector(i.h * i.w * self.p.tiles[tile].views[i.a[0]].channels)

    def vgat(self, tile, i):
        return self.vector(i.h * i.w * self.p.tiles[tile].views[i.dst[0]].channels)

    def vdot(self, tile, i):
        views = self.p.tiles[tile].views
        return self.vector(i.h * i.w * views[i.dst[0]].channels * views[i.a[0]].channels)

    vtake = vgat

    def send(self, tile, i):
        a = self.p.tiles[tile].views[i.a[0]]
        size = i.h * i.w * a.channels * ELEMENT_BYTES[a.element]
        return (up(size, self.m['link_bytes_per_cycle']), self.way(tile, i))

    def signal(self, tile, i):
        return (None, self.way(tile, i))

    def load(self, tile, i):
        return self.dram(i, self.p.tiles[tile].views[i.dst[0]].channels)

    def store(self, tile, i):
        return self.dram(i, self.p.tiles[tile].views[i.a[0]].channels)

    def wait(self, tile, i):
        return (None, 0)

    nop = wait


# ---- section 2: times ----

class Instance:
    """An instruction in an iteration of the body. frame None: it is skipped."""

    def __init__(self, position, i, frame, waits):
        self.position, self.i, self.frame, self.waits = position, i, frame, waits


class Queue:
    def __init__(self, tile, number):
        self.tile, self.number = tile, number
        self.insts = []                  # places in the tile's list of instances
        self.start, self.end, self.counted = [], [], []
        self.unit_free = 0


class Tile:
    def __init__(self, number, instances):
        self.number, self.instances = number, instances
        self.queues = {}
        self.place = []                  # of each instance: its queue, its number there
        for at, x in enumerate(instances):
            q = self.queues.setdefault(x.i.queue, Queue(self, x.i.queue))
            self.place.append((q, len(q.insts)))
            q.insts.append(at)
        self.dispatched = []             # times
        self.counts = {}                 # counter: times at which it reached 1, 2, ...
        self.waiting = {}                # counter: (threshold, queue)


class Judge:
    """`streams`: of each tile the decoded instructions, without HALT."""

    def __init__(self, program, streams, costs=Costs):
        m = program.machine
        self.costs, self.depth, self.inflight = costs(program), m['queue_depth'], m['inflight']
        self.issue_cycles, self.start_cycles, self.complete_cycles = m['issue_cycles'], m['start_cycles'], m['complete_cycles']
        self.gap = min(1, self.complete_cycles)
        self.routes = [t.routes for t in program.tiles]
        self.n_frames, self.pace = program.frames or 1, program.pace
        n = self.n_frames + max((i.stage for s in streams for i in s), default=0)
        self.tiles = [Tile(t, list(self.instances(program.tiles[t], s, n))) for t, s in enumerate(streams)]
        self.ready = []

    def instances(self, tile, stream, n_iterations):
        """The body's instructions, iteration by iteration."""
        step = Counter(i.queue for i in stream)
        step.update({FIRST_INBOUND + k: n for k, n in enumerate(tile.step)})
        step[PACE] = 1
        for iteration in range(n_iterations):
            for position, i in enumerate(stream):
                frame = self.frame(iteration, i)
                waits = [(counter, self.threshold(t, iteration, step[counter])) for counter, t in i.waits]
                yield Instance(position, i, frame, [] if frame is None else waits)

    # The formulas, each by itself.

    def makes_room(self, n):
        """Which instruction of a queue must have started before its n-th is dispatched."""
        return n - self.depth

    def makes_way(self, n):
        """Which instruction of a queue must have been counted before its n-th starts."""
        return n - self.inflight if self.inflight else -1

    def way(self, q, n):
        return q.counted[n] if n >= 0 else 0

    def issued(self, before):
        """When, after the dispatch of the instruction before, the next one can be dispatched."""
        return before + self.issue_cycles

    def start(self, dispatch, before, unit_free, held):
        """But for the register behind it."""
        return max(dispatch, before, unit_free, held)

    def register(self, x):
        return self.start_cycles

    def end(self, start, latency, before):
        """before: None of the first one of a queue; so in what follows, of the first one of a counter."""
        return start + latency if before is None else max(start + latency, before + self.gap)

    def own_count(self, end):
        return end + self.complete_cycles

    def counted(self, end, flight, before):
        arrival = end + self.complete_cycles + flight
        return arrival if before is None else max(arrival, before + self.gap)

    def flight(self, i, stage2):
        return stage2 if i.op in ('send', 'signal') else 0

    def frame(self, iteration, i):
        frame = iteration - i.stage
        moves = i.op in ('load', 'store')
        skipped = (moves and i.flags & 1 and frame != 0) or (moves and i.flags & 2 and frame != self.n_frames - 1)
        return frame if 0 <= frame < self.n_frames and not skipped else None

    def threshold(self, t, iteration, step):
        return (t - MOST if t > MOST // 2 else t) + iteration * step

    def paced(self, n):
        """When the pace counter is n."""
        return max(n - 1, 0) * self.pace

    # Their evaluation.

    def run(self):
        """The makespan."""
        for t in self.tiles:
            self.dispatch(t)
        while self.ready:
            self.advance(self.ready.pop())
        left = sum(len(q.insts) - len(q.start) for t in self.tiles for q in t.queues.values())
        if left:
            raise Stuck('%d instructions never start' % left)
        return max((end for *_, end, _ in self.times()), default=0)

    def times(self):
        """(tile, position, queue, operation, frame, dispatch, start, end, counted) of each instruction, as `cimc sim --times` lists them."""
        for t in self.tiles:
            for at, x in sorted(enumerate(t.instances), key=lambda e: (e[1].position, e[0])):
                q, n = t.place[at]
                if x.frame is not None:
                    yield t.number, x.position, q.number, x.i.op, x.frame, t.dispatched[at], q.start[n], q.end[n], q.counted[n]

    def dispatch(self, t):
        while len(t.dispatched) < len(t.instances):
            q, n = t.place[len(t.dispatched)]
            j = self.makes_room(n)
            if j >= len(q.start):
                return                   # comes back when that has started
            time = self.issued(t.dispatched[-1]) if t.dispatched else 0
            t.dispatched.append(max(time, q.start[j]) if j >= 0 else time)
            if n == len(q.start):
                self.ready.append(q)

    def held(self, q, waits):
        """When the waits have come to hold, or None."""
        time = 0
        for counter, threshold in waits:
            if counter == PACE:
                time = max(time, self.paced(threshold))
                continue
            counts = q.tile.counts.get(counter, ())
            if threshold > len(counts):
                q.tile.waiting.setdefault(counter, []).append((threshold, q))
                return None
            if threshold > 0:
                time = max(time, counts[threshold - 1])
        return time

    def cost(self, t, x):
        """Stages of an instance; what is skipped has none."""
        return (None, 0) if x.frame is None else getattr(self.costs, x.i.op)(t.number, x.i)

    def advance(self, q):
        t = q.tile
        while len(q.start) < len(q.insts) and q.insts[len(q.start)] < len(t.dispatched):
            at = q.insts[len(q.start)]
            x = t.instances[at]
            held = self.held(q, x.waits)
            if held is None:
                return
            stage1, stage2 = self.cost(t, x)
            held = max(held, self.way(q, self.makes_way(len(q.start))))
            start = self.start(t.dispatched[at], q.start[-1] if q.start else 0, 0 if stage1 is None else q.unit_free, held) + self.register(x)
            q.start.append(start)
            if stage1 is not None:
                q.unit_free = start + stage1
            self.complete(q, x.i, start, stage1 or 0, stage2)
            self.dispatch(t)

    def complete(self, q, i, start, occupancy, stage2):
        flight = self.flight(i, stage2)
        end = self.end(start, occupancy + stage2 - flight, q.end[-1] if q.end else None)
        q.end.append(end)
        q.counted.append(self.own_count(end))
        self.count(q.tile, q.number, q.counted[-1])
        if i.op in ('send', 'signal'):
            for to in self.routes[q.tile.number][i.obj].targets:
                counts = self.tiles[to.tile].counts.get(to.counter)
                self.count(self.tiles[to.tile], to.counter, self.counted(end, flight, counts[-1] if counts else None))

    def count(self, tile, counter, time):
        counts = tile.counts.setdefault(counter, [])
        counts.append(time)
        blocked = tile.waiting.get(counter)
        if blocked:
            self.ready += [q for threshold, q in blocked if threshold <= len(counts)]
            tile.waiting[counter] = [b for b in blocked if b[0] > len(counts)]


# ---- program files ----

class Reader:
    """Reads many programs; the hashes of their sections are the interpreter's affair."""

    def __init__(self):
        self.proto, self.fields = read_text('proto', 'program.proto'), read_fields(read_text('ir', 'arch', 'ARCH.md'))
        self.operations = read_operations(read_text('backend', 'isa', 'ISA.md'))

    def read(self, data):
        """The program, and of each tile its instructions without HALT."""
        program = add_instructions(add_sections(read_container(data, self.proto, verify=False), self.fields), self.operations)
        return program, [t.instructions for t in program.tiles]
