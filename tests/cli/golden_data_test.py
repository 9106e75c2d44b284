# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Golden data of `cimc dump` beside its golden vectors: times, messages, decoded instructions, what is there at the end, checksums, other legal orders.

Programs are read by the interpreter's reader, whose Tile knows iterations; times of a small program are ISA.md's.

usage: golden_data_test.py CIMC ROOT
"""
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'interpreter'))
from bench import run_cases  # noqa: E402
from hardware_test import SMALL, files_of, load, readmemh, unpack, words_of  # noqa: E402
from instruction_set import read_operations  # noqa: E402
from interpret import read_text  # noqa: E402
from machine import Tile  # noqa: E402
from streams import decode  # noqa: E402

RUNS = (['--arch=rtl'] + SMALL, ['--frames=3', '--arch=mesh', '--set=1x*', '--extra-pes=8'] + SMALL)
KINDS = ('golden_', 'times_', 'receive_', 'instructions')
SEND, SIGNAL, MESSAGE = 8, 9, 0x9000


def records(b, name):
    """[(value, address, place, kind)]"""
    return list(struct.iter_unpack('<IQHH', b.read(name)))


def times(b, tile, queue, folder='out'):
    """[(instruction, iteration, dispatch, start, end)]"""
    return list(struct.iter_unpack('<IIQQQ', b.read('%s/tile_%04d/times_%03d.bin' % (folder, tile, queue))))


def entries(b, name):
    """[(head, [writes])]"""
    found, rest = [], iter(records(b, name))
    for head in rest:
        found.append((head, [next(rest) for _ in range(head[0])]))
    return found


def bodies(program):
    operations = read_operations(read_text('backend', 'isa', 'ISA.md'))
    return [decode(t.code, operations) for t in program.tiles]


def by_hand(b):
    """dump: ISA.md's example: the times of its table, its buffer and counters at the end"""
    text = read_text('backend', 'isa', 'ISA.md')
    section = text[text.index('\n## 13. '):text.index('\n## 14. ')]
    b.write('p.s', '\n'.join(line[4:] for line in section.splitlines() if line.startswith('    ')) + '\n')
    b.run('asm', 'p.s', '-o', 'p.cim')
    b.run('dump', 'p.cim', '-o', 'out', '--input-fill=ramp')
    b.equal([times(b, 0, q) for q in range(4)], [[(1, 0, 0, 0, 4)], [(2, 0, 0, 4, 4)], [], [(0, 0, 0, 0, 0), (3, 0, 0, 4, 4)]], 'times')
    b.equal(struct.unpack('<4I', b.read('out/tile_0000/final_counters.bin')), (1, 1, 0, 2), 'counters')
    b.equal(b.read('out/cycles.hex').decode().splitlines()[1:], ['%016x' % 4], 'cycles')
    x = struct.unpack('<4f', b.read('out/input_0.bin'))
    wanted = struct.pack('<12f', *x, *[max(0 + w * v, 0) for v in x for w in (1, -2)])
    b.equal(b.read('out/tile_0000/final_buffer.bin'), wanted, 'the buffer')
    b.equal(b.read('out/tile_0000/final_buffer.hex').decode().splitlines()[1:], ['@0'] + ['%08x' % v for v in struct.unpack('<12I', wanted)], 'the same as text')


def unwritten(b):
    """dump: what nothing was written to is not in the final buffer, or x"""
    b.write('p.s', 'isa 2 pes 1 arch "base: clsa\\n" node 0 {}\nbinding 0 {shape=[6], element=u8, stride_w=1, height=1, width=6, channels=1}\n'
                   'tile 0 {buffer_bytes=16}\nview 0 {address=3, element=u8, ring_rows=1, y1=1, x1=6, height=1, width=6, channels=1, col_pitch=1}\n'
                   'q2.load b0 dst=v0(0,0) h=1 w=6\n')
    b.run('asm', 'p.s', '-o', 'p.cim')
    b.run('dump', 'p.cim', '-o', 'out', '--input-fill=ramp')
    x = b.read('out/input_0.bin')
    words = ['%02xxxxxxx' % x[0], '%08x' % int.from_bytes(x[1:5], 'little'), 'xxxxxx%02x' % x[5]]
    b.equal(b.read('out/tile_0000/final_buffer.hex').decode().splitlines()[1:], ['@0'] + words, 'words')


def instructions(b):
    """dump: decoded instructions of each iteration, with its thresholds and frames; in times they are all, in the order of their queues"""
    words = [w for w in json.loads(b.run('list', 'isa', '--format=json').stdout)['words'] if w['name'] == 'instruction'][0]
    fields = [(f['name'], f['bits'], f['signed']) for f in words['fields']]
    codes = {op.name: code for code, op in read_operations(read_text('backend', 'isa', 'ISA.md')).items()}
    for options in RUNS:
        b.run('compile', b.model, '-o', 'p.cim', *options)
        b.run('dump', 'p.cim', '-o', 'out', '--force', '--format=bin', '--input-fill=random:1')
        program = load(b, 'p.cim')
        frames, streams = max(program.frames, 1), bodies(program)
        n = frames + max(i.stage for s in streams for i in s)
        for t, body in enumerate(streams):
            tile, wanted, at = Tile(program, t, body, None), [], {}
            for position in range(n * len(body)):
                x = tile.instance(position, frames)
                regions = [v for r in (x.i.dst, x.i.a, x.i.b) for v in (r or (0, 0, 0))]
                waits = [(c, (v + position // len(body) * (tile.step[c] if c != 1022 else 1)) % (1 << 22)) for c, v in x.i.waits]
                wanted.append([codes[x.i.op], x.i.queue, x.i.flags, x.i.stage, x.i.obj, x.i.h, x.i.w, *regions, x.i.y, x.i.x, x.i.c, len(waits),
                               sum((c | v << 10) << 32 * k for k, (c, v) in enumerate(waits)), int(x.frame is None), x.frame or 0])
                at.setdefault(x.i.queue, []).append((x.index, position // len(body)))
            got = [unpack(w, fields) for w in words_of(b.read('out/tile_%04d/instructions.bin' % t), words['bits'] // 8).values()]
            b.expect(got == wanted, 'tile %d: %s' % (t, [(g, w) for g, w in zip(got, wanted) if g != w][:1]))
            for queue in range(len(tile.queues)):
                found = times(b, t, queue)
                b.expect([f[:2] for f in found] == at.get(queue, []), 'tile %d, queue %d: instructions with times' % (t, queue))
                b.expect(all(d <= s <= e for _, _, d, s, e in found), 'tile %d, queue %d: times' % (t, queue))


def messages(b):
    """dump: each counter's messages are those that name it, in order, with the writes of the sender's golden vectors; counts at the end"""
    for options in RUNS:
        b.run('compile', b.model, '-o', 'p.cim', *options)
        b.run('dump', 'p.cim', '-o', 'out', '--force', '--format=bin', '--input-fill=random:1')
        program, streams = load(b, 'p.cim'), bodies(load(b, 'p.cim'))
        wanted = {(t, 128 + c): [] for t, tile in enumerate(program.tiles) for c in range(tile.inbound_counters)}
        for t, tile in enumerate(program.tiles):
            for queue in range(len(tile.groups) + 3):
                golden = iter(entries(b, 'out/tile_%04d/golden_%03d.bin' % (t, queue)))
                head, writes = next(golden, (None, None))
                frames = max(program.frames, 1)
                for index, iteration, _, _, end in times(b, t, queue):
                    i = streams[t][index]
                    acts = 0 <= iteration - i.stage < frames and (i.op not in ('load', 'store') or not i.flags or iteration - i.stage == (0 if i.flags == 1 else frames - 1))
                    if acts:
                        b.expect(head[1] == index, 'golden vectors have another instruction')
                    if i.op in ('send', 'signal'):
                        for target in tile.routes[i.obj].targets:
                            part = [w for w in writes if w[2] == target.tile] if acts else []    # one target a tile
                            wanted[target.tile, target.counter].append((t, end, part))
                    if acts:
                        head, writes = next(golden, (None, None))
        n_messages = 0
        for (t, counter), sent in wanted.items():
            got, last = entries(b, 'out/tile_%04d/receive_%03d.bin' % (t, counter)), 0
            b.equal([(kind, place, writes) for (_, _, place, kind), writes in got], [(MESSAGE, sender, writes) for sender, _, writes in sent], 'tile %d, counter %d' % (t, counter))
            for ((_, counted, _, _), _), (_, end, _) in zip(got, sent):
                b.expect(max(end, last) <= counted, 'counted before its end, or before an earlier one')
                last = counted
            n_messages += len(got)
        b.expect(n_messages > 0, 'no messages')
        for t, tile in enumerate(program.tiles):
            counts = [len(times(b, t, q)) for q in range(len(tile.groups) + 3)] + [len(wanted[t, 128 + c]) for c in range(tile.inbound_counters)]
            b.equal(list(struct.unpack('<%dI' % len(counts), b.read('out/tile_%04d/final_counters.bin' % t))), counts, 'tile %d: counters' % t)


def final_buffers(b):
    """dump: the buffer at the end is what preloads and all writes make of it, in the order of their ends"""
    b.run('compile', b.model, '-o', 'p.cim', *RUNS[1])
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin', '--input-fill=random:1')
    program, writes = load(b, 'p.cim'), []
    for t, tile in enumerate(program.tiles):
        for queue in range(len(tile.groups) + 3):
            golden = iter(entries(b, 'out/tile_%04d/golden_%03d.bin' % (t, queue)))
            ends = {}
            for index, _, _, _, end in times(b, t, queue):
                ends.setdefault(index, []).append(end)
            for head, part in golden:
                writes += [(ends[head[1]].pop(0) if len(ends[head[1]]) == program.frames else ends[head[1]][0], w) for w in part if w[3] == 0]
    buffers = [bytearray(t.buffer_bytes) for t in program.tiles]
    for tile, buffer in zip(program.tiles, buffers):
        for p in tile.preloads:
            buffer[p.address:p.address + p.length] = program.data[p.section][p.offset:p.offset + p.length]
    touched = [{} for _ in program.tiles]    # address: values that were written
    for _, (value, address, place, _) in writes:
        touched[place].setdefault(address, set()).add(value)
    for t, buffer in enumerate(buffers):
        got = b.read('out/tile_%04d/final_buffer.bin' % t)
        b.equal(len(got), len(buffer), 'tile %d: bytes' % t)
        for address in range(0, len(buffer), 4):
            word = struct.unpack_from('<I', got, address)[0]
            if address in touched[t]:
                if word not in touched[t][address]:
                    b.expect(False, 'tile %d: %08x at %d was never written there' % (t, word, address))
            elif word != struct.unpack_from('<I', buffer, address)[0]:
                b.expect(False, 'tile %d: %d is not what was preloaded' % (t, address))


def fnv(data):
    """64-bit FNV-1a."""
    h = 0xcbf29ce484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return h


def checksums(b):
    """dump --checksums: instead of the records, of which they are FNV-1a"""
    b.equal([fnv(b''), fnv(b'a'), fnv(b'foobar')], [0xcbf29ce484222325, 0xaf63dc4c8601ec8c, 0x85944171f73967e8], 'FNV-1a of the texts of its authors')
    b.run('compile', b.model, '-o', 'p.cim', *SMALL)
    b.run('dump', 'p.cim', '-o', 'out', '--input-fill=random:1')
    b.run('dump', 'p.cim', '-o', 'sums', '--input-fill=random:1', '--checksums')
    full, short = files_of(b, 'out'), files_of(b, 'sums')
    b.equal(sorted(short), sorted(n for n in full if not os.path.basename(n).startswith(KINDS)), 'files')
    b.expect(all(full[n] == data for n, data in short.items()), 'other files')
    for name in [n for n in full if n.endswith('checksums.bin')]:
        of = full[name[:-4] + '.hex'].decode().splitlines()[0].split()[1:]
        b.equal(sorted(of), sorted({n[:-4] for n in full if n.startswith(os.path.dirname(name) + '/') and os.path.basename(n).startswith(KINDS)}), name + ': files')
        for file, words in zip(of, words_of(full[name], 16).values()):
            data = full[file + '.bin']
            size = 16 if 'golden' in file or 'receive' in file else 32 if 'times' in file else len(full[file + '.hex'].split(b'\n')[0]) // 2
            b.equal((words & (1 << 64) - 1, words >> 64), (len(data) // size, fnv(data)), file)


def other_orders(b):
    """dump --latency-seed: other times, the same values, messages and counts"""
    b.run('compile', b.model, '-o', 'p.cim', *RUNS[1])
    for folder, more in (('out', []), ('one', ['--latency-seed=1', '--max-extra-cycles=40']), ('two', ['--latency-seed=2', '--max-extra-cycles=40'])):
        b.run('dump', 'p.cim', '-o', folder, '--format=bin', '--input-fill=random:1', *more)
    first, seen = files_of(b, 'out'), set()
    for folder in ('one', 'two'):
        other = files_of(b, folder)
        b.equal(sorted(other), sorted(first), 'files')
        seen.add(other['cycles.bin'])
        for name, data in other.items():
            if 'times_' in name or 'checksums' in name or name in ('cycles.bin', 'program.h', 'program_pkg.sv'):
                continue
            if 'receive_' in name:
                data, wanted = [[(v, a if kind != MESSAGE else 0, p, kind) for v, a, p, kind in struct.iter_unpack('<IQHH', x)] for x in (data, first[name])]
                b.expect(data == wanted, folder + '/' + name)
            else:
                b.expect(data == first[name], folder + '/' + name)
    b.equal(len(seen | {first['cycles.bin']}), 3, 'cycles')


def wrong_options(b):
    """dump: what is about a run needs values for the inputs, what is about files a folder"""
    b.run('compile', b.model, '-o', 'p.cim')
    no_folder = 'cimc: error: %s: without a folder, -o DIR, only the cells of --cells are printed [usage]'
    for option in ('--checksums', '--latency-seed=1', '--max-extra-cycles=5'):
        name = option.split('=')[0]
        b.fails('dump', 'p.cim', '-o', 'out', option, code=2, message='cimc: error: %s: there is no run without values for the inputs: --test-data, --input or --input-fill [usage]' % name)
        b.fails('dump', 'p.cim', '--cells', '0.0', option, code=2, message=no_folder % name)
    b.fails('dump', 'p.cim', '--cells', '0.0', '--force', code=2, message=no_folder % '--force')


if __name__ == '__main__':
    sys.exit(run_cases([by_hand, unwritten, instructions, messages, final_buffers, checksums, other_orders, wrong_options]))
