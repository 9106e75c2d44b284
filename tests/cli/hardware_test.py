# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""A program for hardware teams: `cimc dump`, `cimc where`. Files are read back by other means: the interpreter's reader.

usage: hardware_test.py CIMC ROOT
"""
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from array import array
from random import Random

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'interpreter'))
from bench import run_cases  # noqa: E402
from features import read_features  # noqa: E402
from interpret import read_text  # noqa: E402
from onnx_bytes import onnx_model, onnx_node  # noqa: E402
from instruction_set import read_operations  # noqa: E402
from program_file import Message, read_fields, read_program  # noqa: E402
from streams import decode  # noqa: E402

SMALL = ['--arch-field', 'crossbars=3', '--arch-field', 'rows=32', '--arch-field', 'cols=24']


def load(b, name):
    return read_program(b.read(name), read_text('proto', 'program.proto'), read_fields(read_text('ir', 'arch', 'ARCH.md')))


def files_of(b, folder):
    """{path: bytes} of all files."""
    found = {}
    for where, _, names in os.walk(b.path(folder)):
        for name in names:
            path = os.path.join(where, name)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, b.path(folder))] = f.read()
    return found


def readmemh(text, digits):
    """{address: word} as a simulator reads it."""
    words, at = {}, 0
    for token in re.sub(r'//[^\n]*', '', text.decode()).split():
        if token[0] == '@':
            at = int(token[1:], 16)
            continue
        if len(token) != digits:
            raise ValueError('a word of %d digits' % len(token))
        words[at] = int(token, 16)
        at += 1
    return words


def words_of(data, size):
    return {i: int.from_bytes(data[size * i:size * (i + 1)], 'little') for i in range(len(data) // size)}


STREAM = [('walkers_short', 16), ('walkers_long', 32), ('extensions', 16), ('templates_short', 4), ('templates_long', 8), ('phrases', 4), ('phrase_memory', 1),
          ('symbols', 1)]    # ISA.md 9.4


def word_bytes(name, files):
    if 'stream_' in name:
        return dict(STREAM)[name[name.index('stream_') + 7:-4]]
    if 'table_' in name:
        return len(files[name[:-4] + '.hex'].split(b'\n')[1]) // 2
    if 'instructions' in name:
        return len(files[name[:-4] + '.hex'].split(b'\n')[0]) // 2
    first = re.split('[_.]', os.path.basename(name))[0]
    return {'golden': 16, 'receive': 16, 'checksums': 16, 'times': 32, 'sizes': 8, 'program': 8, 'machine': 8, 'cycles': 8}.get(first, 4)


def rows_of(pe):
    return [r for first, n in zip(pe.runs[::2] or [pe.k0], pe.runs[1::2] or [pe.k]) for r in range(first, first + n)]


def dump_files(b):
    """dump: streams, crossbars and buffers are those of the program, and hex is bin"""
    b.run('compile', b.model, '-o', 'p.cim', *SMALL)
    b.run('dump', 'p.cim', '-o', 'out', '--input-fill=random:1')
    program, files = load(b, 'p.cim'), files_of(b, 'out')
    seen = {'program.json', 'map.txt', 'cimc_pkg.sv', 'cimc_isa.h', 'program_pkg.sv', 'program.h'}
    for t, tile in enumerate(program.tiles):
        where = 'tile_%04d/' % t
        sizes = b''.join((len(files.get(where + 'stream_%s.bin' % part, b'')) // size).to_bytes(4, 'little') for part, size in STREAM)
        parts = b''.join(files.get(where + 'stream_%s.bin' % part, b'') for part, _ in STREAM)
        b.expect(sizes + parts == bytes(program.data[tile.stream]), where + 'stream')
        image = {}
        for i, p in enumerate(tile.preloads):
            data = bytes(program.data[p.section][p.offset:p.offset + p.length])
            b.expect(files[where + 'preload_%03d.bin' % i] == data, where + 'preload %d' % i)
            image.update({p.address // 4 + k: word for k, word in words_of(data, 4).items()})
            seen.add(where + 'preload_%03d.bin' % i)
        b.expect(readmemh(files[where + 'buffer.hex'], 8) == image, where + 'buffer.hex')
        for g in tile.groups:
            m = program.images[g.image]
            weights = program.data[m.section][m.offset:m.offset + 4 * m.k * m.n].cast('f')
            for pe in g.pes:    # no conv groups here
                part = array('f', [weights[k * m.n + n] for k in rows_of(pe) for n in range(pe.n0, pe.n0 + pe.n)])
                b.expect(files[where + 'pe_%03d.bin' % pe.pe] == part.tobytes(), where + 'PE %d' % pe.pe)
        seen.add(where + 'buffer.hex')
    for name, data in files.items():
        size = word_bytes(name, files)
        if 'final_buffer' in name:
            seen.add(name)
        elif name.endswith('.bin') and 'preload' not in name:
            b.expect(readmemh(files[name[:-4] + '.hex'], 2 * size) == words_of(data, size), name[:-4] + ': hex is not bin')
            seen |= {name, name[:-4] + '.hex'}
    b.equal(sorted(files), sorted(seen), 'files')
    b.equal(sum('golden' in name for name in files), 2 * sum(len(t.groups) + 3 for t in program.tiles), 'golden vectors')
    again = b.run('dump', 'p.cim', '-o', 'again', '--input-fill=random:1')
    b.expect(files_of(b, 'again') == files and again.stdout == '', 'not the same again')


def widths():
    """{record: [(field, bits, is it signed)]} as ISA.md 19 prints them, without lists"""
    rows = re.findall(r'^\| (\w+) \| (\w+ (?:\(list\) )?s?\d+(?:, .*)?) \|$', read_text('backend', 'isa', 'ISA.md'), re.MULTILINE)
    return {record: [(name, int(bits), sign == 's') for name, sign, bits in re.findall(r'(\w+) (s?)(\d+)(?:,|$)', fields)] for record, fields in rows}


def more():
    """{word: what follows the fields of its record} as ISA.md 19 prints it"""
    text = read_text('backend', 'isa', 'ISA.md')
    rows = re.findall(r'^\| (\w+) \| \d+ \| ?(.*?) ?\|$', text[text.index('| word | bits |'):], re.MULTILINE)
    return {name: [(n, int(bits), sign == 's') for n, sign, bits in re.findall(r'(\w+) (s?)(\d+)(?:,|$)', re.sub(r' \([^()]*\)', '', fields))] for name, fields in rows}


def unpack(word, fields):
    values = []
    for _, bits, is_signed in fields:
        value, word = word & (1 << bits) - 1, word >> bits
        values.append(value - (1 << bits) if is_signed and value >> bits - 1 else value)
    return values


def position(row, group):
    """Row and column of the window, channel in the conv group, of an image row; no patches here."""
    c = group.in_channels // max(group.conv_groups, 1)
    return [row // c // group.kernel_w, row // c % group.kernel_w, row % c]


def derived_group(g, image):
    n, c = image.n // max(g.conv_groups, 1), g.in_channels // max(g.conv_groups, 1)
    return [g.kernel_h, g.kernel_w, g.dilation_h, g.dilation_w, c, n, n, 0, 0, 0, 0, 1]    # f32, clsa: a cycle each


def derived_pe(pe, g, image):
    n = image.n // max(g.conv_groups, 1)
    groups = (pe.n0 + pe.n - 1) // n - pe.n0 // n + 1
    return [pe.n0 // n, groups, pe.k * groups] + position(pe.k0, g)


def derived_window(w):
    return [w.pad_top % w.stride_h, w.pad_top // w.stride_h, w.pad_left % w.stride_w, w.pad_left // w.stride_w,
            w.dilation_h % w.stride_h, w.dilation_h // w.stride_h, w.dilation_w % w.stride_w, w.dilation_w // w.stride_w]


def ranges(lists):
    """[[first, n]] of parts that lie one behind the other"""
    return [[sum(map(len, lists[:i])), len(lists[i])] for i in range(len(lists))]


def dump_tables(b):
    """dump: each table as a memory, with the widths of ISA.md, and what follows from it"""
    b.run('compile', b.model, '-o', 'p.cim', *SMALL)
    check_tables(b)
    shared = os.path.join(b.root, 'tests', 'interpreter', 'values')
    for name in sorted(os.listdir(shared)):
        if name.endswith('.s') and 'patch' not in name and 'readout' not in name:
            b.run('asm', os.path.join(shared, name), '-o', 'p.cim')
            check_tables(b, times=False)


def check_tables(b, times=True):
    b.run('dump', 'p.cim', '-o', 'tables', '--force')
    program, files, bits, extra = load(b, 'p.cim'), files_of(b, 'tables'), widths(), more()

    def check(where, name, word, record, entries, rests):
        fields = [f for f in bits.get(record, ()) if f[0] not in ('rows', 'cols', 'channels') or record != 'gather'] + extra[word]
        size = (sum(n for _, n, _ in fields) + 31) // 32 * 4
        got = [unpack(w, fields) for _, w in sorted(words_of(files.get(where + 'table_%s.bin' % name, b''), size).items())]
        wanted = [[getattr(e, f) for f, _, _ in fields[:len(fields) - len(rest)]] + rest for e, rest in zip(entries, rests)]
        if word == 'group' and not times:
            got, wanted = [[w[:-7] for w in x] for x in (got, wanted)]
        b.equal(got, wanted, '%s%s' % (where, name))

    check('', 'bindings', 'binding', 'binding', program.bindings, [[]] * len(program.bindings))
    for t, tile in enumerate(program.tiles):
        where, images = 'tile_%04d/' % t, program.images
        check(where, 'views', 'view', 'view', tile.views, [[-v.ring_origin % v.ring_rows, v.frame_rows % v.ring_rows] for v in tile.views])
        check(where, 'windows', 'window', 'window', tile.windows, [derived_window(w) for w in tile.windows])
        lists = [g.pes for g in tile.groups]
        check(where, 'groups', 'group', 'group', tile.groups, [link + derived_group(g, images[g.image]) for g, link in zip(tile.groups, ranges(lists))])
        pes = [(pe, g) for g in tile.groups for pe in g.pes]
        links = ranges([pe.runs[::2] for pe, _ in pes])
        check(where, 'pes', 'pe', 'pe', [pe for pe, _ in pes], [link + derived_pe(pe, g, images[g.image]) for (pe, g), link in zip(pes, links)])
        runs = [[row, n] + position(row, g) for pe, g in pes for row, n in zip(pe.runs[::2], pe.runs[1::2])]
        check(where, 'runs', 'run', '', runs, runs)
        lists = [p.ops for p in tile.programs]
        check(where, 'programs', 'program', 'program_entry', tile.programs, ranges(lists))
        check(where, 'lanes', 'lane', 'lane', sum(lists, []), [[]] * len(sum(lists, [])))
        lists = [[(target, 0 if target.tile == t else 1) for target in r.targets] for r in tile.routes]    # ideal: one link
        check(where, 'routes', 'route', '', lists, [link + [max(hops for _, hops in part)] for link, part in zip(ranges(lists), lists)])
        check(where, 'targets', 'target', 'target', [target for target, _ in sum(lists, [])], [[hops] for _, hops in sum(lists, [])])
        check(where, 'steps', 'step', '', tile.step, [[n] for n in tile.step])
        lists = [list(x) for g in tile.gathers for x in (g.rows, g.cols, g.channels)]
        links = ranges(lists)
        check(where, 'gathers', 'gather', 'gather', tile.gathers, [sum(links[3 * i:3 * i + 3], []) for i in range(len(tile.gathers))])
        check(where, 'entries', 'entry', '', sum(lists, []), [[x] for x in sum(lists, [])])
        luts = [word for x in tile.tables for word in struct.unpack('<256I', bytes(program.data[x.section][x.offset:x.offset + 1024]))]
        check(where, 'luts', 'lut', '', luts, [[x] for x in luts])


ELEMENTS = ['f32', 'f16', 'u8', 'i8', 'i32']    # ISA.md's table


PATTERNS = ('pad_value', 'fill', 'imm')    # bits of a float or an integer


def as_json(value):
    """A message as program.json has it."""
    if isinstance(value, list):
        return [as_json(v) for v in value]
    if not isinstance(value, Message):
        return value
    return {name: ELEMENTS[v] if name == 'element' else '%08x' % v if name in PATTERNS else as_json(v)
            for name, v in vars(value).items() if name != 'unknown'}


def dump_json(b):
    """dump: program.json holds every field of the program's header, map.txt every view"""
    b.run('compile', b.model, '-o', 'p.cim', *SMALL)
    b.run('dump', 'p.cim', '-o', 'out')
    program, got = load(b, 'p.cim'), json.loads(b.read('out/program.json'))
    for name in ('nodes', 'images', 'bindings'):
        b.equal(got[name], as_json(getattr(program, name)), name)
    for name in ('compiler', 'model', 'options', 'scheduled_cycles', 'layer_by_layer_cycles', 'pes'):
        b.equal(got['program'][name], getattr(program, name), name)
    b.equal(got['program']['graph_fingerprint'], '%016x' % program.graph_fingerprint, 'graph_fingerprint')
    b.equal([got['arch'], got['isa_version']], [program.arch, 2], 'machine')
    for name in ('structure_fingerprint', 'timing_fingerprint'):
        b.equal(got[name], '%016x' % getattr(program, name), name)
    b.equal(len(got['tiles']), len(program.tiles), 'tiles')
    for t, (tile, wanted) in enumerate(zip(got['tiles'], program.tiles)):
        n = len(wanted.groups)
        wanted = as_json(wanted)
        for name in ('stream', 'sources', 'code', 'nodes'):
            del wanted[name]
        wanted.update(n_instructions=len(decode(program.tiles[t].code, read_operations(read_text('backend', 'isa', 'ISA.md')))), queue_vu=n, queue_tx=n + 1, queue_dma=n + 2)
        b.equal(tile, wanted, 'tile %d' % t)
    b.expect('golden' not in ' '.join(files_of(b, 'out')), 'golden vectors without inputs')
    text = b.read('out/map.txt').decode()
    for t in program.tiles:
        b.expect(all('view %-4d' % i in text for i in range(len(t.views))), 'a view is not in the map')


def features(b):
    """features: what a program needs is in its tables; a machine that lacks it refuses"""
    has = 'f32 division f32_crossbars multicast'.split()    # digits: floats, an average, a value that several tiles read
    b.run('compile', b.model, '-o', 'p.cim', *SMALL)
    b.run('dump', 'p.cim', '-o', 'out', '--force')
    b.equal(json.loads(b.read('out/program.json'))['features'], has, 'features')
    bits = read_features(read_text('backend', 'isa', 'ISA.md'))
    every = sum(bits[name] for name in has)
    b.run('compile', b.model, '-o', 'p.cim', *SMALL, '--arch-field', 'features=%d' % every)
    for name in has:
        done = b.run('compile', b.model, '-o', 'none.cim', *SMALL, '--arch-field', 'features=%d' % (every - bits[name]), code=1)
        b.expect("needs '%s' (feature %d), which the machine does not have [capacity]" % (name, bits[name]) in done.stderr, done.stderr)
    b.expect(not os.path.exists(b.path('none.cim')), 'a program of a machine that cannot run it')
    done = b.run('compile', b.model, '-o', 'none.cim', '--frames', '2', '--arch-field', 'features=%d' % every, code=1)
    b.contains(done.stderr, "the program needs 'frames' (feature 512), which the machine does not have [capacity]")


def lists(b):
    """a program whose lists are longer than its machine takes is refused, wherever it comes from"""
    for name, field, place, length in (('times/08_overtaking', 'max_targets', 'tile 0, route 0', 2), ('values/08_messages_and_gathers', 'max_gathers', 'tile 1, gather 0 and 1 more', 3)):
        text = read_text('tests', 'interpreter', name + '.s')
        for most, code in ((length, 0), (length - 1, 1)):
            b.write('p.s', re.sub(r'^(arch ".*)"$', lambda m: m[1] + '%s: %d\\n"' % (field, most), text, flags=re.M))
            done = b.run('asm', 'p.s', '-o', 'p.cim', code=code)
        b.contains(done.stderr, '%s: error: a list of %d, the machine has %d: raise %s [capacity]' % (place, length, length - 1, field))


def f32(x):
    return struct.unpack('<I', struct.pack('<f', x))[0]


def dump_golden(b):
    """dump: golden vectors of ISA.md's example, by hand"""
    text = read_text('backend', 'isa', 'ISA.md')
    section = text[text.index('\n## 13. '):text.index('\n## 14. ')]
    b.write('p.s', '\n'.join(line[4:] for line in section.splitlines() if line.startswith('    ')) + '\n')
    b.run('asm', 'p.s', '-o', 'p.cim')
    header = b"\x93NUMPY\x01\x00" + struct.pack('<H', 70) + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 2), }".ljust(69) + b'\n'
    b.write('x.npy', header + struct.pack('<4f', 1, -2, 3, 4))
    b.run('dump', 'p.cim', '-o', 'out', '--input', 'x.npy', '--format=hex')
    b.equal(sorted(files_of(b, 'out')), sorted(['program.json', 'map.txt', 'cimc_pkg.sv', 'cimc_isa.h', 'program_pkg.sv', 'program.h', 'machine.hex', 'program.hex', 'table_bindings.hex', 'cycles.hex', 'input_0.hex', 'output_0.hex'] + ['tile_0000/%s.hex' % n for n in (
        'stream_walkers_long', 'stream_templates_short', 'stream_symbols', 'table_views', 'table_groups', 'table_pes', 'table_programs', 'table_lanes', 'pe_000',
        'buffer', 'sizes', 'golden_000', 'golden_001', 'golden_002', 'golden_003', 'times_000', 'times_001', 'times_002', 'times_003', 'instructions', 'checksums', 'final_buffer', 'final_counters')]), 'files')
    def record(kind, where, address, value):
        return '%04x%04x%016x%08x' % (kind, where, address, value)
    def head(op, index, n):
        return record(0x8000 + op, 0, index, n)
    product = [1, -2, -2, 4, 3, -6, 4, -8]
    relu = [1, 0, 0, 4, 3, 0, 4, 0]
    wanted = {
        'golden_000': [head(1, 1, 8)] + [record(0, 0, 16 + 4 * i, f32(v)) for i, v in enumerate(product)],
        'golden_001': [head(2, 2, 8)] + [record(0, 0, 16 + 4 * i, f32(v)) for i, v in enumerate(relu)],
        'golden_002': [],
        # Channel c of pixel i goes to element 4 * c + i of y.
        'golden_003': [head(10, 0, 4)] + [record(0, 0, 4 * i, f32(v)) for i, v in enumerate([1, -2, 3, 4])] +
                      [head(11, 3, 8)] + [record(1, 0, i // 2 + 4 * (i % 2), f32(v)) for i, v in enumerate(relu)],
    }
    for name, lines in wanted.items():
        b.equal(b.read('out/tile_0000/%s.hex' % name).decode().split(), lines, name)
    b.equal(list(readmemh(b.read('out/output_0.hex'), 8).values()), [f32(v) for v in [1, 0, 3, 4, 0, 4, 0, 0]], 'the output')


def dump_mvm_order(b):
    """dump: sums of MVM are those of DUMP.md's order, to the bit, with rows on two PEs"""
    random = Random(5)
    k, n = 60, 20
    weights = [random.uniform(-1, 1) * 10 ** random.randint(-3, 3) for _ in range(k * n)]
    b.write('m.onnx', onnx_model([onnx_node('MatMul', ['x', 'w'], 'y', 'dense')], {'w': ([k, n], weights)}, {'x': [1, k]}, {'y': [1, n]}))
    b.run('compile', 'm.onnx', '-o', 'p.cim', *SMALL)
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin', '--input-fill=random:3')
    x, group = array('f', b.read('out/input_0.bin')), json.loads(b.read('out/program.json'))['tiles'][0]['groups'][0]
    wanted, whole = array('f', bytes(4 * n)), array('f', bytes(4 * n))
    for pe in group['pes']:
        cells = array('f', b.read('out/tile_0000/pe_%03d.bin' % pe['pe']))
        for c in range(pe['n']):
            part = array('f', [0])
            for r in range(pe['k']):
                product = array('f', [x[pe['k0'] + r] * cells[r * pe['n'] + c]])
                part[0] += product[0]
                whole[pe['n0'] + c] += product[0]
            wanted[pe['n0'] + c] += part[0]
    golden = array('f', [value for value, _, _, _ in struct.iter_unpack('<fQHH', b.read('out/tile_0000/golden_000.bin'))])
    b.equal((len(group['pes']), len(golden)), (2, 1 + n), 'PEs and records')
    b.expect(wanted != whole, 'the order is not seen')
    b.expect(golden[1:] == wanted == array('f', b.read('out/output_0.bin')), 'another order')


def dump_wide_tile(b):
    """dump: 1,024 crossbars of a tile are one group, each with its weight; where finds the last one"""
    k, n = 40, 26
    random = Random(1)
    weights = [random.uniform(-1, 1) for _ in range(k * n)]
    b.write('m.onnx', onnx_model([onnx_node('MatMul', ['x', 'w'], 'y', 'dense')], {'w': ([k, n], weights)}, {'x': [1, k]}, {'y': [1, n]}))
    b.run('compile', 'm.onnx', '-o', 'p.cim', '--arch-field=crossbars=1024', '--arch-field=rows=1', '--arch-field=cols=1')
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin')
    tiles = json.loads(b.read('out/program.json'))['tiles']
    b.equal([[len(g['pes']) for g in t['groups']] for t in tiles], [[1024], [16]], 'PEs of groups')
    for t, tile in enumerate(tiles):
        for pe in tile['groups'][0]['pes']:
            b.equal(b.read('out/tile_%04d/pe_%03d.bin' % (t, pe['pe'])), struct.pack('<f', weights[pe['k0'] * n + pe['n0']]), 'PE %d' % pe['pe'])
    last = tiles[0]['groups'][0]['pes'][1023]
    got = json.loads(b.run('where', 'p.cim', '--tile=0', '--pe=1023', '--cell=0,0', '--json').stdout)
    b.equal((got['row'], got['column']), (last['k0'], last['n0']), 'the weight of PE 1023')


def dump_folder(b):
    """dump: the folder appears whole or not at all; only an earlier dump is replaced, and only with --force"""
    b.run('compile', b.model, '-o', 'p.cim')
    b.fails('dump', 'p.cim', code=2, message='cimc: error: give the folder to write, -o DIR [usage]')
    b.fails('dump', 'p.cim', '-o', '-', code=2, message='cimc: error: give the folder to write, -o DIR [usage]')
    b.write('file', '')
    b.fails('dump', 'p.cim', '-o', 'file', code=1, message='file: error: is there and is no folder [io]')
    os.unlink(b.path('file'))
    b.fails('dump', 'p.cim', '-o', 'absent/out', code=1, message='absent/out: error: cannot write: No such file or directory [io]')
    b.run('dump', 'p.cim', '-o', 'out', '--test-data=absent', code=1)
    b.run('dump', 'p.cim', '-o', 'out', '--input=p.cim', code=1)
    b.equal(os.listdir(b.folder), ['p.cim'], 'files left behind')
    os.mkdir(b.path('out'))
    b.run('dump', 'p.cim', '-o', 'out/', '--format=bin')    # empty
    files = files_of(b, 'out')
    b.expect('tile_0000/stream_symbols.bin' in files and 'tile_0000/stream_symbols.hex' not in files, str(sorted(files)))
    b.fails('dump', 'p.cim', '-o', 'out', code=1, message='out: error: the folder is not empty; --force replaces a dump [io]')
    b.run('dump', 'p.cim', '-o', 'out', '--force', '--input=p.cim', code=1)
    b.expect(files_of(b, 'out') == files, 'a failure changed the folder')
    b.run('dump', 'p.cim', '-o', 'out', '--force', '--format=hex')
    b.expect('tile_0000/stream_symbols.bin' not in files_of(b, 'out'), 'files of the dump before')
    os.mkdir(b.path('mine'))
    b.write('mine/precious', 'x')
    b.fails('dump', 'p.cim', '-o', 'mine', '--force', code=1,
            message='mine: error: the folder holds no program.json: it is no dump and stays [io]')
    b.equal(files_of(b, 'mine'), {'precious': b'x'}, 'a folder that is no dump')
    b.equal(sorted(os.listdir(b.folder)), ['mine', 'out', 'p.cim'], 'files left behind')


def dump_interrupted(b):
    """dump: a signal ends it before the folder is whole, and what was written of it goes first"""
    b.run('compile', b.model, '-o', 'p.cim', '--set=pixel')
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = subprocess.Popen([b.cimc, 'dump', 'p.cim', '-o', 'out', '--test-data', b.test_data(0)], cwd=b.folder,
                                   stdin=subprocess.DEVNULL, preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)])
        while process.poll() is None and len(os.listdir(b.folder)) == 1:
            pass
        process.send_signal(number)
        code = process.wait(60)
        b.expect(code in (-number, 0), 'signal %d: exit code %d' % (number, code))
        b.equal(sorted(os.listdir(b.folder)), ['p.cim'] if code else ['out', 'p.cim'], 'files after signal %d' % number)
        shutil.rmtree(b.path('out'), ignore_errors=True)


# A depthwise convolution of two channels by hand: y = (2 x0, 3 x1); its two blocks lie along the diagonal of PE 1.
DEPTHWISE = """isa 2
arch "base: clsa\\nweight_bits: 3\\ncell_bits: 2\\nencoding: differential\\nrows: 4\\ncols: 10\\ncrossbars: 2\\n"
node 0 {name="x"}
node 1 {name="depthwise"}
node 2 {name="again"}
section 0 "weights" hex { 00000040 00004040 }
image 0 {k=1, n=2, node=1}
binding 0 {name="x", shape=[2], stride_c=1, height=1, width=1, channels=2}
binding 1 {output=1, name="y", shape=[2], stride_c=1, height=1, width=1, channels=2}
tile 0 {buffer_bytes=16}
view 0 {ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4}
view 1 {address=8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=8, col_pitch=8, channel_pitch=4, value=1}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, conv_groups=2} [{k=1, n=2, pe=1}]
group 1 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, conv_groups=2, shares=1} [{k=1, n=2, pe=1}]
0: q4.load b0 dst=v0(0,0) h=1 w=1
1: q0.mvm g0 dst=v1(0,0) h=1 w=1 wait q4>=1 @1
2: q0.mvm g1 dst=v1(0,0) h=1 w=1 wait q4>=1 @2
3: q4.store b1 a=v1(0,0) h=1 w=1 wait q0>=2
"""


def where_json(b, *options):
    """What `where` says, but for the program's origin, which all results have."""
    printed = json.loads(b.run('where', 'p.cim', *options, '--json').stdout)
    return {key: value for key, value in printed.items() if key not in ('version', 'options', 'machine')}


def where_by_hand(b):
    """where: a depthwise layer by hand: diagonal, slices, polarity, shared weights; the dumped crossbar agrees"""
    b.write('p.s', DEPTHWISE)
    b.run('asm', 'p.s', '-o', 'p.cim')
    header = b"\x93NUMPY\x01\x00" + struct.pack('<H', 70) + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(69) + b'\n'
    b.write('x.npy', header + struct.pack('<2f', 4, 7))
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin', '--input=x.npy')
    b.equal(struct.unpack('<4f', b.read('out/tile_0000/pe_001.bin')), (2, 0, 0, 3), 'the crossbar')
    b.equal([struct.unpack('<f', struct.pack('<I', word))[0] for at, word in sorted(words_of(b.read('out/tile_0000/golden_000.bin'), 4).items())
             if at % 4 == 0][1:3], [8, 21], 'what the first MVM writes')
    # A weight of 3 bits takes two cells of 2, twice: column 1 of the matrix begins at crossbar column 4.
    columns = [{'row': 1, 'column': 4, 'slice': 0, 'low_bit': 0, 'high_bit': 1, 'polarity': 'positive'},
               {'row': 1, 'column': 5, 'slice': 1, 'low_bit': 2, 'high_bit': 2, 'polarity': 'positive'},
               {'row': 1, 'column': 6, 'slice': 0, 'low_bit': 0, 'high_bit': 1, 'polarity': 'negative'},
               {'row': 1, 'column': 7, 'slice': 1, 'low_bit': 2, 'high_bit': 2, 'polarity': 'negative'}]
    wanted = {'program': 'p.cim', 'layer': 'depthwise', 'layer_number': 0, 'source': None, 'rows': 1, 'columns': 2, 'patch': [1, 1], 'row': 0, 'column': 1,
              'value': 3, 'kernel_row': 0, 'kernel_column': 0, 'input_channel': 1, 'output_channel': 1, 'shared_with': ['again'],
              'places': [{'tile': 0, 'pe': 1, 'group': 0, 'crossbar_row': 1, 'pixel': [0, 0], 'columns': columns}]}
    b.equal(where_json(b, '--layer=0', '--row=0', '--col=1'), wanted, 'a weight')
    wanted['cell'] = {'tile': 0, 'pe': 1, 'crossbar_row': 1, 'column': 6}
    b.equal(where_json(b, '--tile=0', '--pe=1', '--cell=1,6'), wanted, 'a cell')
    b.equal(b.run('where', 'p.cim', '--layer=again', '--row=0', '--col=0').stdout, """layer 1 'again', row 0 of 1, column 0 of 2: 2.0
kernel row 0, kernel column 0, input channel 0, output channel 0
also layer 0 'depthwise'

  tile    PE  crossbar row  columns
     0     1             0  0 + bits 0-1, 1 + bit 2, 2 - bits 0-1, 3 - bit 2
""", 'the table')
    for cell, message in (('0,4', 'row 0, column 4 of PE 1 in tile 0 holds nothing'), ('2,0', 'row 2, column 0 of PE 1 in tile 0 holds nothing'),
                          ('0,9', 'row 0, column 9 of PE 1 in tile 0 holds nothing'), ('4,0', 'there is no crossbar row 4, they go from 0 to 3'),
                          ('0,10', 'there is no crossbar column 10, they go from 0 to 9')):
        b.fails('where', 'p.cim', '--tile=0', '--pe=1', '--cell', cell, code=1, message='cimc: error: %s [where]' % message)
    b.fails('where', 'p.cim', '--tile=0', '--pe=0', '--cell=0,0', code=1, message='cimc: error: PE 0 of tile 0 holds nothing [where]')


# Weights -5 and 7 of 4 bits, cells of 2: P = w + 8 = 3, 15, the low slices 3, 3, the high ones 0, 3. 3 + 3 is more than half of 2 * 3: that column is stored inverted.
TWO_WEIGHTS = r"""isa 2
arch "base: clsa\n" "rows: 8\n" "cols: 16\n" "weight_bits: 4\n" "cell_bits: 2\n" "column_flip: 1\n" "encoding: offset\n"
node 0 {name="layer"}
section 0 "weights" hex { fb07 }
image 0 {k=2, n=1, element=i8, weight_bits=4}
binding 0 {element=u8, name="x", shape=[2], stride_h=2, stride_w=2, stride_c=1, height=1, width=1, channels=2}
binding 1 {output=1, element=i32, name="y", shape=[1], stride_h=1, stride_w=1, stride_c=1, height=1, width=1, channels=1}
tile 0 {buffer_bytes=8}
view 0 {element=u8, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=2, row_pitch=2, col_pitch=2, channel_pitch=1}
view 1 {address=4, element=i32, ring_rows=1, y1=1, x1=1, height=1, width=1, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, x_bits=8} [{k=2, n=1}]
q3.load b0 dst=v0(0,0) h=1 w=1
q0.mvm g0 dst=v1(0,0) h=1 w=1 wait q3>=1
q3.store b1 a=v1(0,0) h=1 w=1 wait q0>=1
"""
# Encoding and axis, rows and columns of the crossbar, levels, bits for inverted columns.
CELLS = [('offset', 'columns', 2, [[0, 0], [0, 3]], [1, 0]), ('differential', 'columns', 2, [[0, 0, 1, 1], [3, 1, 0, 0]], [0, 0, 0, 0]),
         ('differential', 'rows', 4, [[0, 0], [1, 1], [3, 1], [0, 0]], [0, 0])]


def cells_by_hand(b):
    """dump --cells, where: levels of two weights in all encodings, by hand, inverted columns and pairs in rows"""
    for encoding, axis, n_rows, levels, inverted in CELLS:
        b.write('p.s', TWO_WEIGHTS.replace('offset', '%s\\n" "pair_axis: %s' % (encoding, axis)))
        b.run('asm', 'p.s', '-o', 'p.cim')
        b.run('dump', 'p.cim', '-o', 'out', '--force', '--cells=0.0')
        files = files_of(b, 'out')
        b.equal((list(files['tile_0000/cells_000.bin']), list(files['tile_0000/inverted_000.bin'])), (sum(levels, []), inverted), 'levels')
        b.equal(list(readmemh(files['tile_0000/cells_000.hex'], 2).values()), sum(levels, []), 'levels as text')
        b.expect('tile_0000/conductances_000.bin' not in files, 'conductances without noise')
        shown = b.run('dump', 'p.cim', '--cells=0.0').stdout
        b.equal([line.split(':')[1].split() for line in shown.split('\n') if line.startswith('row')], [[str(x) for x in row] for row in levels], 'levels shown')
        b.equal('inverted: 0\n' in shown, 1 in inverted, 'inverted columns shown')
        got = json.loads(b.run('where', 'p.cim', '--layer=0', '--row=1', '--col=0', '--json').stdout)['places'][0]
        b.equal(got['crossbar_row'], n_rows // 2, 'the first row of the second weight')
        for cell in got['columns']:
            b.equal((cell['level'], int(cell['inverted'])), (levels[cell['row']][cell['column']], inverted[cell['column']]), 'a cell')
            back = json.loads(b.run('where', 'p.cim', '--tile=0', '--pe=0', '--json', '--cell=%d,%d' % (cell['row'], cell['column'])).stdout)
            b.equal((back['row'], back['places']), (1, [got]), 'and back')
    b.fails('dump', 'p.cim', '--cells=0', code=2, message="cimc: error: --cells: '0' is not TILE.PE or all [usage]")
    b.fails('dump', 'p.cim', '--cells=all', code=2, message='cimc: error: --cells all: give the folder to write, -o DIR [usage]')
    b.fails('dump', 'p.cim', '--cells=1.0', code=1, message='cimc: error: there is no tile 1, they go from 0 to 0 [where]')
    b.fails('dump', 'p.cim', '-o', 'new', '--cells=0.1', code=1, message='cimc: error: PE 1 of tile 0 holds nothing [where]')
    b.write('p.s', DEPTHWISE)
    b.run('asm', 'p.s', '-o', 'p.cim')
    b.fails('dump', 'p.cim', '--cells=0.1', code=1, message='cimc: error: PE 1 of tile 0 holds floats, which have no levels: compile with --mode int [where]')
    b.fails('dump', 'p.cim', '--cells=all', '-o', 'new', code=1,
            message='cimc: error: --cells all: the crossbars hold floats, which have no levels: compile with --mode int [where]')
    b.expect(not os.path.exists(b.path('new')), 'a folder without cells')
    for option in ('--test-data=t', '--input=x.npy', '--input-fill=ramp', '--format=hex'):
        b.fails('dump', 'p.cim', '--cells=0.1', option, code=2, message='cimc: error: %s: without a folder, -o DIR, only the cells of '
                '--cells are printed [usage]' % option.split('=')[0])


def cells_of_patches(b):
    """dump --cells: off the diagonal of conv groups is nothing, and what a pixel does not read stands for zero; noise gives conductances"""
    with open(os.path.join(b.root, 'tests', 'interpreter', 'values', '15_patch_conv_groups.s'), encoding='utf-8') as f:
        text = f.read()
    b.write('p.s', text.replace('base: clsa\\n"', 'base: clsa\\n" "cell_bits: 4\\n"'))
    b.run('asm', 'p.s', '-o', 'p.cim')
    # Kernels (1, 2) and (3, 4), two slices a weight: 128 + w is 8 in the high slice and w in the low one.
    first, second = ['1 8 0 8 . . . .', '2 8 0 8 . . . .', '0 8 1 8 . . . .', '0 8 2 8 . . . .'], ['. . . . 3 8 0 8', '. . . . 4 8 0 8', '. . . . 0 8 3 8', '. . . . 0 8 4 8']
    shown = b.run('dump', 'p.cim', '--cells=0.0').stdout
    b.equal([line.split(': ')[1] for line in shown.split('\n') if line.startswith('row')], first + second, 'levels')
    b.write('p.s', text.replace('base: clsa\\n"', 'base: clsa\\n" "cell_bits: 4\\n" "noise_seed: 1\\n" "cell_fraction_bits: 2\\n" "stuck_high_ppm: 1000000\\n"'))
    b.run('asm', 'p.s', '-o', 'p.cim')
    b.run('dump', 'p.cim', '-o', 'out', '--cells=all', '--format=bin')
    b.equal(list(b.read('out/tile_0000/conductances_000.bin')), [60 if x != '.' else 0 for row in first + second for x in row.split()], 'conductances of stuck cells')
    b.equal(list(b.read('out/tile_0000/cells_000.bin')), [0 if x == '.' else int(x) for row in first + second for x in row.split()], 'levels')


def where_patch(b):
    """where: a product of two pixels holds a weight twice, and cells of rows that a pixel does not read are empty; the dumped crossbar has them"""
    b.run('asm', os.path.join(b.root, 'tests', 'interpreter', 'values', '15_patch_conv_groups.s'), '-o', 'p.cim')
    # Kernels (1, 2) and (3, 4), two columns further right for the second pixel; the second conv group lies four rows down the diagonal.
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin')
    b.equal(list(b.read('out/tile_0000/pe_000.bin')), [1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 3, 0, 0, 0, 4], 'the crossbar')
    b.equal(b.run('where', 'p.cim', '--layer=0', '--row=1', '--col=1').stdout, """layer 0 'values', row 1 of 2, column 1 of 2: 4
kernel row 0, kernel column 1, input channel 1, output channel 1

  tile    PE  crossbar row       pixel  column
     0     0             5     0,    0  2: 132
     0     0             7     0,    1  3: 132
""", 'the table')
    got = json.loads(b.run('where', 'p.cim', '--layer=0', '--row=1', '--col=1', '--json').stdout)
    b.equal((got['patch'], got['value'], [(p['pixel'], p['crossbar_row']) for p in got['places']]), ([1, 2], 4, [([0, 0], 5), ([0, 1], 7)]), 'as JSON')
    for place in got['places']:
        back = json.loads(b.run('where', 'p.cim', '--tile=0', '--pe=0', '--json', '--cell', '%d,%d' % (place['crossbar_row'], place['columns'][0]['column'])).stdout)
        del back['cell']
        b.equal(back, got, 'and back')
    for cell, message in (('6,2', 'row 6, column 2 of PE 0 in tile 0 is empty: pixel (0, 0) of a patch does not read that row'),
                          ('1,2', 'row 1, column 2 of PE 0 in tile 0 holds nothing')):
        b.fails('where', 'p.cim', '--tile=0', '--pe=0', '--cell', cell, code=1, message='cimc: error: %s [where]' % message)
    # Two PEs with two runs each: rows 0 and 2 of the window, rows 1 and 3.
    b.run('asm', os.path.join(b.root, 'tests', 'interpreter', 'values', '14_patch_runs.s'), '-o', 'p.cim')
    b.run('dump', 'p.cim', '-o', 'runs', '--format=bin')
    b.equal([list(struct.unpack('4b', b.read('runs/tile_0000/pe_000.bin'))), list(struct.unpack('2b', b.read('runs/tile_0000/pe_001.bin')))],
            [[-2, 97, 7, -3], [-2, 7]], 'crossbars of runs')
    b.contains(b.read('runs/map.txt').decode(), 'PE 1    group 0: rows 1..1 3..3, columns 2..2 of image 0')
    got = json.loads(b.run('where', 'p.cim', '--layer=0', '--row=1', '--col=0', '--json').stdout)
    b.equal([(p['pixel'], p['pe'], p['crossbar_row']) for p in got['places']], [([0, 0], 0, 1), ([1, 0], 1, 1)], 'a weight in two PEs')


def names_of_files(b):
    """control characters of a model's names reach no terminal, and a name of any alphabet keeps its column"""
    with open(b.model, 'rb') as f:
        b.write('m.onnx', f.read().replace(b'/conv1/Conv', b'/c\x1b[31m/C\xc3\xb6'))
    table = b.run('compile', 'm.onnx', '-o', 'p.cim').stdout
    rows = table.split('\n\n')[0].split('\n')
    b.equal({len(row) for row in rows}, {len(rows[0])}, 'lengths of rows')
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin')
    for text in (table, b.run('where', 'p.cim', '--layer=0', '--row=0', '--col=0').stdout, b.read('out/map.txt').decode()):
        b.contains(text, '/c\\x1b[31m/C\u00f6')
        b.expect('\x1b' not in text, 'a control character')


def where_model(b):
    """where: every copy of a weight of the bundled model, and back; the values are the model's"""
    b.run('compile', b.model, '-o', 'p.cim', '--mapping=im2col', '--copies', '1=3', '--extra-pes=40', *SMALL)
    program = load(b, 'p.cim')
    for part, name in (('conv1', '/conv1/Conv'), ('block1/conv1', '/block1/conv1/Conv'), ('Gemm', '/dense/Gemm'), ('2/conv2', '/block2/conv2/Conv')):
        b.contains(b.run('where', 'p.cim', '--layer', part, '--row=0', '--col=0').stdout, " '%s', row 0" % name)
    for layer, row, col in ((1, 77, 9), (4, 287, 31), (6, 0, 0)):
        got = json.loads(b.run('where', 'p.cim', '--layer', str(layer), '--row', str(row), '--col', str(col), '--json').stdout)
        image = program.images[layer]
        weights = program.data[image.section].cast('f')
        b.expect(got['value'] == weights[row * image.n + col], 'the value of layer %d' % layer)
        b.equal(len(got['places']), 3 if layer == 1 else 1, 'copies of layer %d' % layer)
        for place in got['places']:
            entry = [pe for pe in program.tiles[place['tile']].groups[place['group']].pes if pe.pe == place['pe']]
            b.equal([(pe.k0 + place['crossbar_row'], pe.n0 + place['columns'][0]['column']) for pe in entry], [(row, col)], 'a place')
            back = json.loads(b.run('where', 'p.cim', '--tile', str(place['tile']), '--pe', str(place['pe']), '--json', '--cell',
                                    '%d,%d' % (place['crossbar_row'], place['columns'][0]['column'])).stdout)
            del back['cell']
            b.equal(back, got, 'and back')
        if layer == 1:    # 3 x 3 x 16: row = (kh * 3 + kw) * 16 + channel
            b.equal([got[k] for k in ('kernel_row', 'kernel_column', 'input_channel', 'output_channel')], [1, 1, 13, 9], 'coordinates')


def where_model_of_patches(b):
    """where: with patches, each weight of the bundled model's kernel matrix has its cells for each pixel of a product, and these its value"""
    b.run('compile', b.model, '-o', 'plain.cim', '--mapping=im2col', *SMALL)
    b.run('compile', b.model, '-o', 'p.cim', '--mapping=im2col', '--patch', '1=2x3', '--patch', '3=1x2', '--extra-pes=40', *SMALL)
    plain, program = load(b, 'plain.cim'), load(b, 'p.cim')
    for layer, pixels, row, col in ((1, [[y, x] for y in range(2) for x in range(3)], 77, 9), (3, [[0, 0], [0, 1]], 143, 31), (4, [[0, 0]], 5, 6)):
        got = json.loads(b.run('where', 'p.cim', '--layer', str(layer), '--row', str(row), '--col', str(col), '--json').stdout)
        image = plain.images[layer]
        b.equal((got['value'], got['rows'], got['columns']), (plain.data[image.section].cast('f')[row * image.n + col], image.k, image.n), 'layer %d' % layer)
        b.equal(sorted(p['pixel'] for p in got['places']), sorted(pixels * (len(got['places']) // len(pixels))), 'pixels of layer %d' % layer)
        for place in got['places'][:6]:
            group = program.tiles[place['tile']].groups[place['group']]
            pe = [pe for pe in group.pes if pe.pe == place['pe']][0]
            image = program.images[group.image]
            at = rows_of(pe)[place['crossbar_row']] * image.n + pe.n0 + place['columns'][0]['column']
            b.equal(program.data[image.section].cast('f')[at], got['value'], 'what the cell holds')
            back = json.loads(b.run('where', 'p.cim', '--tile', str(place['tile']), '--pe', str(place['pe']), '--json', '--cell',
                                    '%d,%d' % (place['crossbar_row'], place['columns'][0]['column'])).stdout)
            del back['cell']
            b.equal(back, got, 'and back')


def parts_of_text(b):
    """dis --tile, --layer: lines of the whole text, all of that tile or layer; what they read; it does not assemble"""
    b.run('compile', b.model, '-o', 'p.cim')
    text = b.run('dis', 'p.cim').stdout
    tiles = {int(part.split()[0]): 'tile ' + part for part in text.split('\ntile ')[1:]}
    head = '; a part of the program, which does not assemble\n\n'
    for tile in tiles:
        b.equal(b.run('dis', 'p.cim', '--tile', str(tile)).stdout, head + tiles[tile], 'tile %d' % tile)
    for name, layer in (('/conv1/Conv', 'conv1'), ('/conv1/Conv', '0'), ('image', 'image')):
        lines = b.run('dis', 'p.cim', '--layer', layer).stdout.splitlines()
        of = re.compile(r' *\d+: .*  ; %s$' % name)
        b.equal([x for x in lines if re.match(' *\\d+:', x)], [x for x in text.splitlines() if of.match(x)], 'instructions of ' + name)
        b.expect(all(line in text.splitlines() for line in lines[1:]), 'a line that the whole text has not')
        views = {v for line in lines if of.match(line) for v in re.findall(r'=(v\d+)\(', line)}
        b.equal({'v' + line.split()[1] for line in lines if line.startswith('view ')}, views, 'views that they name')
    b.expect('tile 0' not in b.run('dis', 'p.cim', '--tile=1', '--layer=0').stdout, 'tile 0')
    b.write('part.s', b.run('dis', 'p.cim', '--tile=1').stdout)
    b.run('asm', 'part.s', '-o', 'q.cim', code=1)
    b.fails('dis', 'p.cim', '--tile=9', code=1, message='cimc: error: there is no tile 9, they go from 0 to 1 [where]')
    b.contains(b.run('dis', 'p.cim', '--layer=/conv1/Cnv', code=1).stderr, "there is no layer '/conv1/Cnv'", "near: '/conv1/Conv' (0)")


def where_errors(b):
    """where: wrong questions say what there is"""
    form = 'cimc: error: give --layer, --row and --col, or --tile, --pe and --cell [usage]'
    b.run('compile', b.model, '-o', 'p.cim')
    for options in ([], ['--layer=0'], ['--layer=0', '--row=0'], ['--tile=0', '--pe=0'], ['--layer=0', '--row=0', '--col=0', '--tile=0']):
        b.fails('where', 'p.cim', *options, code=2, message=form)
    b.fails('where', 'p.cim', '--tile=0', '--pe=0', '--cell=3', code=2,
            message="cimc: error: --cell: '3' is not ROW,COLUMN of a crossbar [usage]")
    for options, message in ((['--layer=/conv2/Konv', '--row=0', '--col=0'],
                              "there is no layer '/conv2/Konv' among the layers 0 to 6; near: '/conv1/Conv' (0), '/conv2/Conv' (3)"),
                             (['--layer=Conv', '--row=0', '--col=0'],
                              "6 layers have 'Conv' in their names; near: '/conv1/Conv' (0), '/block1/conv1/Conv' (1), "
                              "'/block1/conv2/Conv' (2), '/conv2/Conv' (3), '/block2/conv1/Conv' (4), '/block2/conv2/Conv' (5)"),
                             (['--layer=7', '--row=0', '--col=0'], "there is no layer '7' among the layers 0 to 6"),
                             (['--layer=0', '--row=9', '--col=0'], 'there is no row 9, they go from 0 to 8'),
                             (['--layer=0', '--row=0', '--col=16'], 'there is no column 16, they go from 0 to 15'),
                             (['--tile=2', '--pe=0', '--cell=0,0'], 'there is no tile 2, they go from 0 to 1'),
                             (['--tile=0', '--pe=8', '--cell=0,0'], 'there is no PE 8, they go from 0 to 7')):
        b.fails('where', 'p.cim', *options, code=1, message='cimc: error: %s [where]' % message)


if __name__ == '__main__':
    sys.exit(run_cases([dump_files, dump_tables, dump_json, features, lists, dump_golden, dump_mvm_order, dump_wide_tile, dump_folder, dump_interrupted, where_by_hand, cells_by_hand, cells_of_patches, where_patch, names_of_files, where_model, where_model_of_patches, parts_of_text, where_errors]))
