# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Faults of form: ISA.md, section 10. In: a program as read from its file. Out: the decoded streams, or Fault.

That regions are held, and padding, is looked at when an instruction executes; everything else here, before anything runs.
"""
from collections import Counter

from patches import has_patch, runs_of, window_of
from program_file import CODES, ELEMENT_BYTES, F32, I8, I32, NONE, OUTSIDE, U8, VIEWED, Fault

MOST_EXTENT, MOST_STEP, MOST_CHANNELS, MOST_COUNT, MOST_BYTES = 1 << 22, 65535, (1 << 24) - 1, 1 << 21, 1 << 40
MOST_TABLE, FIRST_INBOUND, A, B, IMMEDIATE, CONSTANT, LAST_CONSTANT = 1024, 128, 16, 17, 18, 32, 254
MAXIMUM, AVERAGE, SUM, OVERLAP = range(4)    # kinds of a window
# Elements of the result, by those of the source and the kind.
WINDOWS = {(F32, kind): F32 for kind in range(4)} | {(U8, MAXIMUM): U8, (U8, SUM): I32, (U8, AVERAGE): F32, (I32, OVERLAP): I32}
REDUCTIONS = {(F32, 0): F32, (F32, 8): F32, (U8, 0): U8, (U8, 8): I32, (I32, 0): I32, (I32, 8): I32}    # maximum 0, sum 8
PRODUCTS = {F32: F32, U8: I32}
MOST_TABLES, MOST_SHIFT = 64, 62
MOST_FRAMES, PACE, DMA_FLAGS = 1 << 20, 1022, 3
MOST_BUFFER = 1 << 31    # of this interpreter


def need(condition, text, *values):
    if not condition:
        raise Fault(text % values)


def slices(machine, image):
    """Of each weight."""
    return -(-(image.weight_bits or machine['weight_bits']) // machine['cell_bits'])


def overlap(a, b):
    return a[0] < b[1] and b[0] < a[1]


class Form:
    def __init__(self, program, operations, lanes):
        self.p, self.operations, self.lanes = program, operations, lanes
        self.n_nodes = len(program.nodes)
        self.writers = {}              # (tile, inbound counter): (tile, queue)
        self.messages = Counter()      # of each inbound counter

    def node(self, number, what):
        need(number == NONE or number < self.n_nodes, '%s: node %d does not exist', what, number)

    # ---- tables ----

    def sizes(self, t):
        m = self.p.machine
        for name, most in (('groups', min(120, m['max_groups'])), ('views', min(1024, m['max_views'])),
                           ('routes', min(1024, m['max_routes'])), ('windows', MOST_TABLE), ('programs', MOST_TABLE),
                           ('gathers', MOST_TABLE), ('tables', MOST_TABLES)):
            need(len(getattr(t, name)) <= most, 'more than %d %s', most, name)
        need(t.inbound_counters <= min(892, m['max_inbound']), '%d inbound counters', t.inbound_counters)
        need(len(t.step) == t.inbound_counters or not (self.p.frames or t.step), '%d steps', len(t.step))
        need(t.buffer_bytes % 4 == 0 and t.buffer_bytes <= (m['buffer_bytes'] or MOST_BYTES), 'a buffer of %d bytes', t.buffer_bytes)
        need(t.buffer_bytes <= MOST_BUFFER, 'a buffer of %d bytes is too large for this interpreter', t.buffer_bytes)

    def view(self, t, v):
        need(v.element in CODES, 'element %d', v.element)
        size = ELEMENT_BYTES[v.element]
        need(v.element != U8 or v.pad_value <= 255, 'a padding of %d', v.pad_value)
        need(0 <= v.y0 <= v.y1 <= v.height <= MOST_EXTENT and 0 <= v.x0 <= v.x1 <= v.width <= MOST_EXTENT, 'extents')
        need(1 <= v.channels <= MOST_CHANNELS and 1 <= v.ring_rows <= MOST_EXTENT and abs(v.ring_origin) <= MOST_EXTENT, 'channels or ring')
        pitches = (v.row_pitch, v.col_pitch, v.channel_pitch)
        need(all(p % size == 0 and abs(p) <= MOST_BYTES for p in pitches) and v.address % size == 0 and v.address <= MOST_BYTES, 'a pitch or its address')
        need(v.frame_rows <= (MOST_EXTENT if self.p.frames else 0), 'frame_rows %d', v.frame_rows)
        self.node(v.value, 'value')
        if v.y0 == v.y1 or v.x0 == v.x1:
            return
        slots = {(y - v.ring_origin) % v.ring_rows for y in range(v.y0, min(v.y1, v.y0 + v.ring_rows))}
        if v.frame_rows % v.ring_rows:
            slots = range(v.ring_rows)
        parts = [(min(0, n * p), max(0, n * p)) for n, p in ((v.x1 - v.x0 - 1, v.col_pitch), (v.channels - 1, v.channel_pitch))]
        rows = [slot * v.row_pitch for slot in slots]
        least = v.address + min(rows) + sum(low for low, _ in parts)
        most = v.address + max(rows) + sum(high for _, high in parts)
        need(least >= 0 and most + size <= t.buffer_bytes, 'bytes %d to %d are not all in the buffer', least, most + size - 1)

    @staticmethod
    def conv_groups(g, image, pe):
        """First and last conv group of a PE's columns."""
        width = image.n // (g.conv_groups or 1)
        return pe.n0 // width, (pe.n0 + pe.n - 1) // width

    def columns(self, image):
        """Logical columns of a crossbar."""
        m = self.p.machine
        return m['cols'] // (slices(m, image) * (2 if m['encoding'] and not m['pair_axis'] else 1))

    def rows(self):
        """Logical rows of a crossbar."""
        m = self.p.machine
        return m['rows'] // (2 if m['encoding'] and m['pair_axis'] else 1)

    def pes(self, t, g, image):
        m = self.p.machine
        for pe in g.pes:
            runs = runs_of(pe)
            need(pe.k and pe.n and sum(runs[-1]) <= image.k and pe.n0 + pe.n <= image.n, 'PE %d: outside the image', pe.pe)
            need(len(pe.runs) % 2 == 0 and len(pe.runs) != 2 and runs[0][0] == pe.k0 and sum(n for _, n in runs) == pe.k and
                 all(n > 0 for _, n in runs) and all(r + n < after for (r, n), (after, _) in zip(runs, runs[1:])), 'PE %d: its runs', pe.pe)
            first, last = self.conv_groups(g, image, pe)
            width = image.n // (g.conv_groups or 1)
            need(first == last or (pe.n0 % width == pe.n % width == 0 and (pe.k == image.k or has_patch(g))), 'PE %d: parts of conv groups', pe.pe)
            rows = pe.k * (last - first + 1)
            need(rows <= self.rows() and pe.n <= self.columns(image), 'PE %d: %d x %d', pe.pe, rows, pe.n)
            need(pe.pe < m['crossbars'], 'PE %d does not exist', pe.pe)
        for i, p in enumerate(g.pes):
            for q in g.pes[:i]:
                ns = (p.n0, p.n0 + p.n), (q.n0, q.n0 + q.n)
                need(ns[0] == ns[1] or not overlap(*ns), 'columns of PEs overlap in part')
                ks = (p.k0, sum(runs_of(p)[-1])), (q.k0, sum(runs_of(q)[-1]))
                need(ns[0] != ns[1] or not overlap(*ks), 'rows of PEs overlap')
        order = [(pe.n0, pe.k0) for pe in g.pes]
        need(order == sorted(order), 'PEs are not listed by n0, then k0')
        if has_patch(g):
            g.n_columns = None    # any part of the columns
            return
        at = g.channel0
        for n0, n1 in sorted({(pe.n0, pe.n0 + pe.n) for pe in g.pes}):
            need(n0 == at, 'columns %d to %d are in no PE', at, n0)
            at = n1
        g.n_columns = at - g.channel0

    def geometry(self, x):
        sizes = (x.kernel_h, x.kernel_w, x.stride_h, x.stride_w, x.dilation_h, x.dilation_w)
        need(all(1 <= n <= MOST_STEP for n in sizes) and max(abs(x.pad_top), abs(x.pad_left)) <= MOST_EXTENT, 'geometry')

    def group(self, t, number, g):
        need(g.source_view < len(t.views) and g.image < len(self.p.images), 'view or image does not exist')
        image = self.p.images[g.image]
        need(len(g.pes) <= (self.p.machine['max_group_pes'] or len(g.pes)), '%d PEs', len(g.pes))
        self.geometry(g)
        need((g.x_bits == 0) == (image.element == F32) and g.x_bits <= 8, '%d bits for an image of element %d', g.x_bits, image.element)
        need(t.views[g.source_view].element == (U8 if g.x_bits else F32), 'the element of its source')
        groups = g.conv_groups or 1
        need(g.conv_groups != 1 and g.in_channels % groups == 0 and image.n % groups == 0, '%d conv groups', g.conv_groups)
        channels = g.in_channels // groups
        positions, pixels = (window_of(g) if has_patch(g) else (g.kernel_h, g.kernel_w)), (g.patch_h or 1) * (g.patch_w or 1)
        need(max(positions) <= MOST_STEP, 'a window of %d x %d', *positions)
        need(channels and positions[0] * positions[1] * channels == image.k, 'K is not positions x channels')
        need(image.n // groups % pixels == 0 and g.channel0 < image.n // pixels, 'columns of %d pixels', pixels)
        need(1 <= len(g.pes) <= self.p.machine['crossbars'], '%d PEs', len(g.pes))
        self.pes(t, g, image)
        shown = range(g.source_channel0, g.source_channel0 + t.views[g.source_view].channels)
        for pe, (row, rows) in ((pe, run) for pe in g.pes for run in runs_of(pe)):
            first, last = row % channels, (row + rows - 1) % channels
            if first + rows > channels:
                first, last = 0, channels - 1
            q0, q1 = self.conv_groups(g, image, pe)
            first, last = q0 * channels + first, q1 * channels + last
            need(first in shown and last in shown, 'channels %d to %d are not all shown', first, last)
        if g.shares:
            need(g.shares - 1 < number, 'shares a later group')
            other = t.groups[g.shares - 1]
            holds = [[(runs_of(pe), pe.n0, pe.n, pe.pe) for pe in x.pes] for x in (g, other)]
            same = (other.image, other.conv_groups) == (g.image, g.conv_groups)
            need(not other.shares and same and holds[0] == holds[1], 'shares another kind of group')

    def owners(self, t):
        seen = [pe.pe for g in t.groups if not g.shares for pe in g.pes]
        need(len(seen) == len(set(seen)), 'a PE in two groups')

    def window(self, t, w):
        self.geometry(w)
        need(w.kind <= OVERLAP and max(w.counted_top, w.counted_left, w.counted_bottom, w.counted_right) <= MOST_EXTENT, 'kind or cells')

    def program(self, t, v):
        need(v.arity in (1, 2) and 1 <= len(v.ops) <= 16, 'arity %d, %d operations', v.arity, len(v.ops))
        v.n_constants = max(self.lane(t, v, k) for k in range(len(v.ops)))
        need(v.n_constants or v.constants_view == 0, 'a view of constants that are not read')
        if v.n_constants:
            need(v.constants_view < len(t.views), 'constants_view')
            c = t.views[v.constants_view]
            need(c.y0 == 0 and c.y1 >= v.n_constants and c.x0 == 0 < c.x1, 'constant %d is not held', v.n_constants - 1)
            need(c.element in (F32, I32), 'constants of element %d', c.element)

    def lane(self, t, v, k):
        """Checks an operation; how many rows of constants it needs."""
        lane = v.ops[k]
        need(lane.op in self.lanes, 'lane operation %d', lane.op)
        name, n_operands = self.lanes[lane.op][:2]
        codes = (lane.x, lane.y)[:n_operands]
        for code in codes:
            good = code < k or code in (A, IMMEDIATE) or (code == B and v.arity == 2) or CONSTANT <= code <= LAST_CONSTANT
            need(good, 'operand %d of operation %d', code, k)
        need(n_operands == 2 or lane.y == 0, 'operation %d: a second operand', k)
        if name == 'rq':
            need(IMMEDIATE not in codes and CONSTANT <= lane.y < LAST_CONSTANT and lane.imm <= MOST_SHIFT, 'operation %d: constants or shift', k)
            codes += (lane.y + 1,)
        elif name == 'tab':
            need(IMMEDIATE not in codes and lane.imm < len(t.tables), 'operation %d: table %d', k, lane.imm)
        else:
            need(IMMEDIATE in codes or lane.imm == 0, 'operation %d: an unused immediate', k)
        return max(0, *(code - CONSTANT + 1 for code in codes))

    def result(self, t, v, a, b):
        """Type of what the program gives, with elements a and b: 'f32', 'i32' or, if nothing says which, 'any'."""
        known = {A: 'f32' if a == F32 else 'i32', B: 'f32' if b == F32 else 'i32'}
        for k, lane in enumerate(v.ops):
            name, n_operands, wants, gives = self.lanes[lane.op]
            types = [known.get(code, 'any') for code in (lane.x, lane.y)[:n_operands]]
            shared = {t for t, wanted in zip(types, wants) if wanted == 'any'} - {'any'} or {'any'}
            fits = all('any' in (t, wanted) or t == wanted for t, wanted in zip(types, wants))
            need(fits and len(shared) == 1, 'operation %d (%s) has operands of another type', k, name)
            if name == 'tab':
                gives = 'f32' if t.tables[lane.imm].element == F32 else 'i32'
            known[k] = shared.pop() if gives == 'any' else gives
        return known[len(v.ops) - 1]

    def table(self, t, x):
        need(x.element in (F32, I32), 'element %d', x.element)
        need(x.section < self.p.n_data and x.offset % 4 == 0 and x.offset + 1024 <= len(self.p.data[x.section]), 'leaves its section')

    def route(self, t, r):
        need(r.targets, 'no targets')
        need(len(r.targets) <= (self.p.machine['max_targets'] or len(r.targets)), '%d targets', len(r.targets))
        for target in r.targets:
            need(target.tile < len(self.p.tiles), 'tile %d does not exist', target.tile)
            other = self.p.tiles[target.tile]
            need(0 <= target.counter - FIRST_INBOUND < other.inbound_counters, 'counter %d of tile %d', target.counter, target.tile)

    def gather(self, t, g):
        need(min([0, *g.rows, *g.cols, *g.channels]) >= -1, 'an index below -1')
        n = len(g.rows) + len(g.cols) + len(g.channels)
        need(n <= (self.p.machine['max_gathers'] or n), '%d entries', n)

    def preload(self, t, p):
        need(p.section < self.p.n_data, 'section %d', p.section)
        need(p.offset + p.length <= len(self.p.data[p.section]), 'leaves its section')
        need(p.address + p.length <= t.buffer_bytes, 'leaves the buffer')
        need(p.address % 4 == 0 and p.offset % 4 == 0 and p.length % 4 == 0, 'not aligned')

    def images(self):
        for i, image in enumerate(self.p.images):
            need(image.element in (F32, I8), 'image %d: element %d', i, image.element)
            n_bytes = image.k * image.n * ELEMENT_BYTES[image.element]
            need(image.section < self.p.n_data and image.offset % 64 == 0 and image.k and image.n and
                 image.offset + n_bytes <= len(self.p.data[image.section]), 'image %d', i)
            need(not image.shift or (image.element == I8 and self.p.machine['adc_bits'] and len(image.shift) == slices(self.p.machine, image) and
                                     max(image.shift) <= 31), 'image %d: shifts of the read-out', i)
            if image.center or image.center_offset:
                need(image.element == I8 and 1 <= image.center <= self.p.n_data and image.center_offset % 4 == 0 and
                     image.center_offset + 4 * image.n <= len(self.p.data[image.center - 1]), 'image %d: center', i)
            self.node(image.node, 'image %d' % i)

    def bindings(self):
        tensors = {}
        for i, b in enumerate(self.p.bindings):
            elements = 1
            for n in b.shape:
                elements *= n
            need(b.element in OUTSIDE and min(b.height, b.width, b.channels) >= 1, 'binding %d: empty, or of another type', i)
            need(b.index <= 65535, 'binding %d: index %d', i, b.index)
            need(b.frame_stride in (0, elements) and (self.p.frames or not b.frame_stride), 'binding %d: frame_stride %d', i, b.frame_stride)
            tensor = (b.element, list(b.shape), b.frame_stride)
            need(tensors.setdefault((b.output, b.index), tensor) == tensor, 'binding %d: another tensor of the same index', i)
            spans = [(n - 1) * s for n, s in ((b.height, b.stride_h), (b.width, b.stride_w), (b.channels, b.stride_c))]
            need(b.offset + sum(min(0, s) for s in spans) >= 0 and b.offset + sum(max(0, s) for s in spans) < elements,
                 'binding %d leaves its tensor', i)
            self.node(b.node, 'binding %d' % i)

    def tables(self, t):
        self.sizes(t)
        for name in ('views', 'tables', 'groups', 'windows', 'programs', 'gathers', 'preloads', 'routes'):
            for i, entry in enumerate(getattr(t, name)):
                try:
                    if name == 'groups':
                        self.group(t, i, entry)
                    else:
                        getattr(self, name[:-1])(t, entry)
                except Fault as fault:
                    raise Fault('%s %d: %s' % (name[:-1], i, fault)) from fault
        self.owners(t)

    # ---- streams ----

    def inside(self, t, region, channels=None):
        need(region[0] < len(t.views), 'view %d does not exist', region[0])
        need(channels is None or t.views[region[0]].channels == channels, 'channels of view %d', region[0])
        return t.views[region[0]].channels

    @staticmethod
    def elements(t, region, wanted):
        need(t.views[region[0]].element == wanted, 'view %d: its element', region[0])

    def check_mvm(self, t, i):
        need(i.obj < len(t.groups), 'group %d', i.obj)
        g = t.groups[i.obj]
        need(i.queue == (g.shares - 1 if g.shares else i.obj), 'queue %d', i.queue)
        self.inside(t, i.dst, g.n_columns)
        if has_patch(g):
            dst, a, b = t.views[i.dst[0]], g.patch_h or 1, g.patch_w or 1
            need(g.channel0 + dst.channels <= self.p.images[g.image].n // (a * b), 'channels of view %d', i.dst[0])
            need(all(at % n == 0 and (size % n == 0 or at + size == extent) for at, size, n, extent in
                     ((i.dst[1], i.h, a, dst.height), (i.dst[2], i.w, b, dst.width))), 'parts of patches')
        self.elements(t, i.dst, I32 if g.x_bits else F32)

    def check_vmap(self, t, i):
        need(i.obj < len(t.programs), 'program %d', i.obj)
        v, channels = t.programs[i.obj], self.inside(t, i.dst)
        self.inside(t, i.a, channels)
        if v.arity == 2:
            self.inside(t, i.b, channels)
        else:
            need(i.b == (0, *i.dst[1:]), 'a second source')
        if v.n_constants:
            need(t.views[v.constants_view].channels == channels, 'channels of the constants')
        gives = self.result(t, v, t.views[i.a[0]].element, t.views[i.b[0]].element)
        need(gives in ('any', 'f32' if t.views[i.dst[0]].element == F32 else 'i32'), 'the result is of another type than view %d', i.dst[0])

    def check_vwin(self, t, i):
        need(i.obj < len(t.windows), 'window %d', i.obj)
        w = t.windows[i.obj]
        self.inside(t, i.a, self.inside(t, i.dst) * (w.kernel_h * w.kernel_w if w.kind == OVERLAP else 1))
        need(i.a[1:] == (0, 0), 'the origin of a')
        self.elements(t, i.dst, WINDOWS.get((t.views[i.a[0]].element, w.kind)))

    def check_vred(self, t, i):
        need(i.flags & 7, 'no axis')
        channels = self.inside(t, i.a)
        self.inside(t, i.dst, 1 if i.flags & 4 else channels)
        self.elements(t, i.dst, REDUCTIONS.get((t.views[i.a[0]].element, i.flags & 8)))

    def check_vgat(self, t, i):
        need(i.obj < len(t.gathers), 'gather table %d', i.obj)
        g, channels = t.gathers[i.obj], self.inside(t, i.dst)
        self.inside(t, i.a)
        a = t.views[i.a[0]]
        self.elements(t, i.dst, a.element)
        need(i.a[1:] == (0, 0), 'the origin of a')
        need(not g.rows or i.dst[1] + i.h <= len(g.rows), 'rows of the gather table')
        need(not g.cols or i.dst[2] + i.w <= len(g.cols), 'columns of the gather table')
        need((len(g.channels) or a.channels) == channels, 'channels of the gather table')
        for name, used, most in (('rows', g.rows[i.dst[1]:i.dst[1] + i.h], a.height),
                                 ('columns', g.cols[i.dst[2]:i.dst[2] + i.w], a.width), ('channels', g.channels, a.channels)):
            need(max(used, default=0) < most, '%s outside the source', name)

    def check_vdot(self, t, i):
        n, k, b = self.inside(t, i.dst), self.inside(t, i.a), t.views[i.b[0]]
        self.inside(t, i.b, n if i.flags & 1 else k)
        need(i.flags <= 1 and b.width == (k if i.flags & 1 else n), 'b has %d columns', b.width)
        need(i.b[2] == i.dst[2], 'the column of b')
        self.elements(t, i.b, t.views[i.a[0]].element)
        self.elements(t, i.dst, PRODUCTS.get(b.element))

    def check_vtake(self, t, i):
        need(i.flags in (1, 2, 4), 'no axis, or several')
        channels = self.inside(t, i.dst)
        self.inside(t, i.a, None if i.flags == 4 else channels)
        self.inside(t, i.b, channels)
        self.elements(t, i.a, t.views[i.dst[0]].element)
        self.elements(t, i.b, I32)
        a = t.views[i.a[0]]
        need(i.flags != 1 or (a.y0, a.y1) == (0, a.height), 'rows of the source are not held')
        need(i.flags != 2 or (a.x0, a.x1) == (0, a.width), 'columns of the source are not held')

    def check_route(self, t, i):
        need(i.obj < len(t.routes), 'route %d', i.obj)
        route = t.routes[i.obj]
        for target in route.targets:
            other = self.p.tiles[target.tile]
            if i.op == 'send':
                need(target.view < len(other.views) and other.views[target.view].channels == self.inside(t, i.a),
                     'view %d of tile %d', target.view, target.tile)
                self.elements(other, (target.view,), t.views[i.a[0]].element)
            else:
                need(target.view == 0, 'a signal to a view')
            key, me = (target.tile, target.counter), (t.number, i.queue)
            need(self.writers.setdefault(key, me) == me, 'counter %d of tile %d has two writers', key[1], key[0])
            self.messages[key] += 1
        need(route.__dict__.setdefault('queue', i.queue) == i.queue, 'route %d is used by two queues', i.obj)

    check_send = check_signal = check_route

    def check_binding(self, t, i):
        need(i.obj < len(self.p.bindings), 'binding %d', i.obj)
        b, region = self.p.bindings[i.obj], i.dst if i.op == 'load' else i.a
        channels = self.inside(t, region)
        need(b.output == (i.op == 'store'), 'an output is loaded or an input stored')
        self.elements(t, region, VIEWED[b.element])
        need(0 <= i.y and i.y + i.h <= b.height and 0 <= i.x and i.x + i.w <= b.width and i.c + channels <= b.channels,
             'leaves binding %d', i.obj)

    check_load = check_store = check_binding

    def instruction(self, t, i):
        n = len(t.groups)
        queues = {'send': n + 1, 'load': n + 2, 'store': n + 2}
        if i.op.startswith('v'):
            need(i.queue == n, 'queue %d', i.queue)
        elif i.op in queues:
            need(i.queue == queues[i.op], 'queue %d', i.queue)
        need(i.queue < n + 3, 'queue %d does not exist', i.queue)
        only = i.flags if i.op in ('load', 'store') else 0
        need(only <= DMA_FLAGS and (self.p.frames or not (only or i.stage)), 'stage %d, flags %d', i.stage, only)
        for counter, threshold in i.waits:
            known = counter < n + 3 or 0 <= counter - FIRST_INBOUND < t.inbound_counters or (counter == PACE and self.p.pace)
            need(known and (threshold <= MOST_COUNT or self.p.frames), 'waits for counter %d >= %d', counter, threshold)
        if i.dst:
            need(i.dst[1] >= 0 and i.dst[2] >= 0, 'a destination with negative coordinates')
        check = getattr(self, 'check_' + i.op, None)
        if check:
            check(t, i)

    def stream(self, t):
        for index, i in enumerate(t.instructions):
            try:
                self.instruction(t, i)
                self.node(t.nodes[index], 'source')
            except Fault as fault:
                raise Fault('instruction %d: %s' % (index, fault)) from fault
        counts = Counter(i.queue for i in t.instructions)
        need(max(counts.values(), default=0) <= MOST_COUNT, 'a queue counts too far')

    def totals(self):
        p, tiles = self.p, self.p.tiles
        need(p.frames <= MOST_FRAMES and (p.frames or not (p.pace or p.interval_cycles or p.latency_cycles)), '%d frames', p.frames)
        need(len(tiles) <= (self.p.machine['tiles'] or 65535), '%d tiles', len(tiles))
        need(sum(t.buffer_bytes for t in tiles) <= MOST_BYTES, 'buffers of too many bytes together')

    def check(self):
        self.totals()
        self.images()
        self.bindings()
        for part in (self.tables, self.stream):
            for number, t in enumerate(self.p.tiles):
                t.number = number
                try:
                    part(t)
                except Fault as fault:
                    raise Fault('tile %d, %s' % (number, fault)) from fault
        need(max(self.messages.values(), default=0) <= MOST_COUNT, 'an inbound counter counts too far')
        for number, t in enumerate(self.p.tiles):
            for k, n in enumerate(t.step):
                got = self.messages[number, FIRST_INBOUND + k]
                need(got == n, 'counter %d of tile %d: %d messages, its step is %d', FIRST_INBOUND + k, number, got, n)
