"""A program for hardware teams: `cimc dump`. Files are read back by other means: the interpreter's reader.

usage: hardware_test.py CIMC ROOT
"""
import json
import os
import re
import struct
import sys
from array import array

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'interpreter'))
from bench import run_cases  # noqa: E402
from interpret import read_text  # noqa: E402
from program_file import Message, read_fields, read_program  # noqa: E402

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


def dump_files(b):
    """dump: streams, crossbars and buffers are those of the program, and hex is bin"""
    b.run('compile', b.model, '-o', 'p.cim', *SMALL)
    b.run('dump', 'p.cim', '-o', 'out', '--input-fill=random:1')
    program, files = load(b, 'p.cim'), files_of(b, 'out')
    seen = {'program.json', 'map.txt'}
    for t, tile in enumerate(program.tiles):
        where = 'tile_%04d/' % t
        b.expect(files[where + 'stream.bin'] == bytes(program.data[tile.stream]), where + 'stream.bin')
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
                part = array('f', [weights[k * m.n + n] for k in range(pe.k0, pe.k0 + pe.k) for n in range(pe.n0, pe.n0 + pe.n)])
                b.expect(files[where + 'pe_%03d.bin' % pe.pe] == part.tobytes(), where + 'PE %d' % pe.pe)
        seen.add(where + 'buffer.hex')
    for name, data in files.items():
        size = 32 if 'stream' in name else 16 if 'golden' in name else 4
        if name.endswith('.bin') and 'preload' not in name:
            b.expect(readmemh(files[name[:-4] + '.hex'], 2 * size) == words_of(data, size), name[:-4] + ': hex is not bin')
            seen |= {name, name[:-4] + '.hex'}
    b.equal(sorted(files), sorted(seen), 'files')
    b.equal(sum('golden' in name for name in files), 2 * sum(len(t.groups) + 3 for t in program.tiles), 'golden vectors')
    again = b.run('dump', 'p.cim', '-o', 'again', '--input-fill=random:1')
    b.expect(files_of(b, 'again') == files and again.stdout == '', 'not the same again')


def as_json(value):
    """A message as program.json has it."""
    if isinstance(value, list):
        return [as_json(v) for v in value]
    if isinstance(value, float):
        return struct.pack('>f', value).hex()
    if not isinstance(value, Message):
        return value
    return {name: as_json(v) for name, v in vars(value).items()}


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
    b.equal([got['arch'], got['arch_fingerprint'], got['isa_version']], [program.arch, '%016x' % program.arch_fingerprint, 1], 'machine')
    b.equal(len(got['tiles']), len(program.tiles), 'tiles')
    for t, (tile, wanted) in enumerate(zip(got['tiles'], program.tiles)):
        n = len(wanted.groups)
        wanted = as_json(wanted)
        for name in ('stream', 'sources', 'words', 'nodes'):
            del wanted[name]
        wanted.update(n_instructions=len(program.tiles[t].words), queue_vu=n, queue_tx=n + 1, queue_dma=n + 2)
        b.equal(tile, wanted, 'tile %d' % t)
    b.expect('golden' not in ' '.join(files_of(b, 'out')), 'golden vectors without inputs')
    text = b.read('out/map.txt').decode()
    for t in program.tiles:
        b.expect(all('view %-4d' % i in text for i in range(len(t.views))), 'a view is not in the map')


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
    b.equal(sorted(files_of(b, 'out')), sorted(['program.json', 'map.txt', 'input_0.hex', 'output_0.hex'] + ['tile_0000/%s.hex' % n for n in (
        'stream', 'pe_000', 'buffer', 'golden_000', 'golden_001', 'golden_002', 'golden_003')]), 'files')
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


def dump_folder(b):
    """dump: the folder appears whole or not at all; only an earlier dump is replaced, and only with --force"""
    b.run('compile', b.model, '-o', 'p.cim')
    b.fails('dump', 'p.cim', code=2, message='cimc: error: give the folder to write, -o DIR [usage]')
    b.fails('dump', 'p.cim', '-o', 'p.cim', code=1, message='p.cim: error: is there and is no folder [io]')
    b.fails('dump', 'p.cim', '-o', 'absent/out', code=1, message='absent/out: error: cannot write: No such file or directory [io]')
    b.run('dump', 'p.cim', '-o', 'out', '--test-data=absent', code=1)
    b.run('dump', 'p.cim', '-o', 'out', '--input=p.cim', code=1)
    b.equal(os.listdir(b.folder), ['p.cim'], 'files left behind')
    os.mkdir(b.path('out'))
    b.run('dump', 'p.cim', '-o', 'out/', '--format=bin')    # empty
    files = files_of(b, 'out')
    b.expect('tile_0000/stream.bin' in files and 'tile_0000/stream.hex' not in files, str(sorted(files)))
    b.fails('dump', 'p.cim', '-o', 'out', code=1, message='out: error: the folder is not empty; --force replaces a dump [io]')
    b.run('dump', 'p.cim', '-o', 'out', '--force', '--input=p.cim', code=1)
    b.expect(files_of(b, 'out') == files, 'a failure changed the folder')
    b.run('dump', 'p.cim', '-o', 'out', '--force', '--format=hex')
    b.expect('tile_0000/stream.bin' not in files_of(b, 'out'), 'files of the dump before')
    os.mkdir(b.path('mine'))
    b.write('mine/precious', 'x')
    b.fails('dump', 'p.cim', '-o', 'mine', '--force', code=1,
            message='mine: error: the folder holds no program.json: it is no dump and stays [io]')
    b.equal(files_of(b, 'mine'), {'precious': b'x'}, 'a folder that is no dump')
    b.equal(sorted(os.listdir(b.folder)), ['mine', 'out', 'p.cim'], 'files left behind')


if __name__ == '__main__':
    sys.exit(run_cases([dump_files, dump_json, dump_golden, dump_folder]))
