# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Packages of a dump's words: SystemVerilog, C, JSON and ISA.md say the same, and the memories have it.

usage: words_test.py CIMC ROOT [verilator]    with the third, only what Verilator says
"""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'interpreter'))
from bench import run_cases  # noqa: E402
from interpret import read_text  # noqa: E402

NUMBERS = (('size', 'size_numbers'), ('program', 'program_numbers'), ('machine', 'machine_numbers'))
READER = """
#include "cimc_isa.h"
#include "program.h"
#include <stdio.h>
int main(int argc, char **argv)
{
    uint8_t word[CIMC_VIEW_BITS / 8], pe[CIMC_PE_BITS / 8];
    FILE *views = argc == 3 ? fopen(argv[1], "rb") : 0, *pes = argc == 3 ? fopen(argv[2], "rb") : 0;
    if (!views || !pes || CIMC_TILE_0_PES + 1 < 2)
        return 1;
    while (fread(word, sizeof word, 1, views) == 1)
        printf("%llu %lld %lld %lld %08llx %llu %llu %d\\n", (unsigned long long)CIMC_GET(word, VIEW, ADDRESS),
               (long long)CIMC_GET_SIGNED(word, VIEW, RING_ORIGIN), (long long)CIMC_GET_SIGNED(word, VIEW, ROW_PITCH),
               (long long)CIMC_GET_SIGNED(word, VIEW, X1), (unsigned long long)CIMC_GET(word, VIEW, PAD_VALUE),
               (unsigned long long)CIMC_GET(word, VIEW, CHANNELS), (unsigned long long)CIMC_GET(word, VIEW, SLOT0),
               CIMC_GET(word, VIEW, ELEMENT) == CIMC_ELEMENT_F32);
    while (fread(pe, sizeof pe, 1, pes) == 1)
        printf("%llu %llu %llu %llu %llu %llu\\n", (unsigned long long)CIMC_GET(pe, PE, K0), (unsigned long long)CIMC_GET(pe, PE, N0),
               (unsigned long long)CIMC_GET(pe, PE, WY), (unsigned long long)CIMC_GET(pe, PE, WX),
               (unsigned long long)CIMC_GET(pe, PE, CHANNEL), (unsigned long long)CIMC_GET(pe, PE, CROSSBAR_ROWS));
    return 0;
}
"""


def as_json(b):
    return json.loads(b.run('list', 'isa', '--format=json').stdout)


def positions(fields):
    """[(name, bits, signed)], the least significant first, with what lies below each"""
    return [(name, sum(f[1] for f in fields[:i]), bits, sign) for i, (name, bits, sign) in enumerate(fields)]


def systemverilog(b):
    """list isa: the structures of SystemVerilog have each field where JSON has it, codes and indices the same numbers"""
    text, words = b.run('list', 'isa', '--format=sv').stdout, as_json(b)
    bodies = dict((name, body) for body, name in re.findall(r'typedef struct packed \{\n(.*?)\n  \} (\w+)_t;', text, re.DOTALL))
    constants = {name: int(value) for name, value in re.findall(r'localparam int (\w+) = (\d+);', text)}
    b.equal(list(bodies), [w['name'] for w in words['words']], 'structures')
    for w in words['words']:
        members = [(re.sub('^is_', '', name), int(msb) + 1, sign != '') for sign, msb, name in re.findall(r'^    logic ((?:signed )?)\[(\d+):0\] (\w+);', bodies[w['name']], re.MULTILINE)]
        fields = positions(members[::-1])
        b.equal(sum(m[1] for m in members), w['bits'], w['name'] + ': bits')
        b.equal([f for f in fields if f[0] != 'unused'], [(f['name'], f['lsb'], f['bits'], f['signed']) for f in w['fields']], w['name'])
        b.equal(constants[w['name'].upper() + '_BITS'], w['bits'], w['name'] + ': constant')
    for prefix, key in NUMBERS:
        b.equal([constants['%s_%s' % (prefix.upper(), name.upper())] for name in words[key]], list(range(len(words[key]))), key)
    for prefix, key in (('OP', 'ops'), ('LANE', 'lanes'), ('ELEMENT', 'elements')):
        found = [(name.lower(), int(code)) for name, code in re.findall(r"^    %s_(\w+) = \d+'d(\d+)" % prefix, text, re.MULTILINE)]
        b.equal(found, [(c['name'], c['code']) for c in words[key]], key)
    b.equal([constants[c['name'].upper()] for c in words['constants']], [c['value'] for c in words['constants']], 'constants')


def header(b):
    """list isa: the macros of C are those numbers, too"""
    text, words = b.run('list', 'isa', '--format=c').stdout, as_json(b)
    macros = {name: int(value) for name, value in re.findall(r'^#define CIMC_(\w+) (\d+)$', text, re.MULTILINE)}
    enumerators = dict((name, int(value)) for name, value in re.findall(r'^    CIMC_(\w+) = (\d+),$', text, re.MULTILINE))
    wanted = {}
    for w in words['words']:
        wanted[w['name'].upper() + '_BITS'] = w['bits']
        for f in w['fields']:
            wanted['%s_%s_LSB' % (w['name'].upper(), f['name'].upper())] = f['lsb']
            wanted['%s_%s_BITS' % (w['name'].upper(), f['name'].upper())] = f['bits']
    b.equal(macros, wanted, 'macros')
    named = {c['name'].upper(): c['value'] for c in words['constants']}
    for prefix, key in (('OP', 'ops'), ('LANE', 'lanes'), ('ELEMENT', 'elements')):
        named.update(('%s_%s' % (prefix, c['name'].upper()), c['code']) for c in words[key])
    for prefix, key in NUMBERS:
        named.update(('%s_%s' % (prefix.upper(), name.upper()), i) for i, name in enumerate(words[key]))
    b.equal(enumerators, named, 'enumerators')


def as_documented(b):
    """list isa: ISA.md 19 has the same operations, elements and fields"""
    text, words = read_text('backend', 'isa', 'ISA.md'), as_json(b)
    for key, title in (('ops', r'\d+ \| (\w+) \| \w?'), ('elements', r'\d+ \| (\w+) \| \d+')):
        b.expect(set(c['name'] for c in words[key]) <= set(re.findall(r'^\| ' + title + ' \\|', text, re.MULTILINE)), key)
    records = {record: re.findall(r'(\w+) (s?)(\d+)(?:,|$)', fields) for record, fields in re.findall(r'^\| (\w+) \| (\w+ (?:\(list\) )?s?\d+(?:, .*)?) \|$', text, re.MULTILINE)}
    records['program'] = records['program_entry']
    for name, bits, more in re.findall(r'^\| (\w+) \| (\d+) \| ?(.*?) ?\|$', text[text.index('| word | bits |'):], re.MULTILINE):
        word = [w for w in words['words'] if w['name'] == name][0]
        fields = re.findall(r'(\w+) (s?)(\d+)(?:,|$)', re.sub(r' \([^()]*\)', '', more))
        if not name.startswith(('walker', 'extension', 'template', 'phrase')):
            fields = records.get(name, []) + fields
            b.equal([(f['name'], f['bits'], f['signed']) for f in word['fields']], [(n, int(w), s != '') for n, s, w in fields], name)
        b.equal(word['bits'], int(bits), name + ': bits')


def compiled_c(b):
    """dump: a program of C that includes the header reads the tables that program.json has; with each compiler and its warnings"""
    b.run('compile', b.model, '-o', 'p.cim', '--mapping=im2col')
    b.run('dump', 'p.cim', '-o', 'out', '--format=bin')
    b.equal(b.read('out/cimc_isa.h').decode(), b.run('list', 'isa', '--format=c').stdout, 'cimc_isa.h')
    b.equal(b.read('out/cimc_pkg.sv').decode(), b.run('list', 'isa', '--format=sv').stdout, 'cimc_pkg.sv')
    tile = json.loads(b.read('out/program.json'))['tiles'][0]
    wanted = ['%d %d %d %d %s %d %d %d' % (v['address'], v['ring_origin'], v['row_pitch'], v['x1'], v['pad_value'], v['channels'], -v['ring_origin'] % v['ring_rows'],
                                          v['element'] == 'f32') for v in tile['views']]
    for g in tile['groups']:    # no conv groups, no patches, no runs
        wanted += ['%d %d %d %d %d %d' % (pe['k0'], pe['n0'], pe['k0'] // g['in_channels'] // g['kernel_w'], pe['k0'] // g['in_channels'] % g['kernel_w'],
                                          pe['k0'] % g['in_channels'], pe['k']) for pe in g['pes']]
    b.write('reader.c', READER)
    compilers = [c for c in ('cc', 'gcc', 'clang', 'clang-14') if shutil.which(c)]
    for compiler in compilers:
        done = subprocess.run([compiler, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Iout', 'reader.c', '-o', 'reader'], cwd=b.folder, capture_output=True, text=True)
        b.equal((done.returncode, done.stderr), (0, ''), compiler)
        got = subprocess.run(['./reader', 'out/tile_0000/table_views.bin', 'out/tile_0000/table_pes.bin'], cwd=b.folder, capture_output=True, text=True)
        b.equal(got.stdout.splitlines(), wanted, compiler + ': what it reads')
    b.expect(compilers, 'no compiler')


def numbers(b):
    """dump: machine, program and tiles as numbers"""
    b.run('compile', b.model, '-o', 'p.cim', '--frames=3', '--arch=mesh', '--arch-field=queue_depth=3')
    b.run('dump', 'p.cim', '-o', 'out')
    got, words = json.loads(b.read('out/program.json')), as_json(b)

    def named(name, key):
        text = b.read('out/%s.hex' % name).decode().splitlines()
        b.equal(text[0], '// ' + ' '.join(words[key]), name + ': first line')
        values = [int(line, 16) for line in text[1:]]
        b.equal(b''.join(v.to_bytes(8, 'little') for v in values), b.read('out/%s.bin' % name), name + ': hex is bin')
        return dict(zip(words[key], values))

    machine = named('machine', 'machine_numbers')
    b.equal([machine[n] for n in ('queue_depth', 'topology', 'rows', 'lanes')], [3, 1, 256, json.loads(b.run('arch', 'mesh', '--json').stdout)['machine']['lanes']], 'machine')
    program = named('program', 'program_numbers')
    b.equal([program[n] for n in ('tiles', 'frames', 'pace', 'interval_cycles', 'bindings', 'inputs', 'outputs', 'stages')],
            [len(got['tiles'])] + [got['program'][n] for n in ('frames', 'pace', 'interval_cycles')] + [len(got['bindings']), 1, 1, program['stages']], 'program')
    for t, tile in enumerate(got['tiles']):
        sizes = named('tile_%04d/sizes' % t, 'size_numbers')
        b.equal([sizes[n] for n in ('views', 'groups', 'pes', 'windows', 'programs', 'lanes', 'routes', 'targets', 'steps', 'buffer_bytes', 'instructions', 'queues', 'inbound')],
                [len(tile['views']), len(tile['groups']), sum(len(g['pes']) for g in tile['groups']), len(tile['windows']), len(tile['programs']),
                 sum(len(p['ops']) for p in tile['programs']), len(tile['routes']), sum(len(r['targets']) for r in tile['routes']), len(tile['step']),
                 tile['buffer_bytes'], tile['n_instructions'], len(tile['groups']) + 3, tile['inbound_counters']], 'tile %d' % t)
        for part, size in (('walkers_short', 16), ('templates_short', 4), ('symbols', 1)):
            b.equal(sizes[part] * size, os.path.getsize(b.path('out/tile_%04d/stream_%s.bin' % (t, part))), part)


def constants(b):
    """dump: constants of the program are its numbers, the same in SystemVerilog and C; where its views lie, how many records there are"""
    b.run('compile', b.model, '-o', 'p.cim', '--frames=3', '--arch=mesh', '--arch-field=queue_depth=3')
    b.run('dump', 'p.cim', '-o', 'out', '--input-fill=ramp')
    got, words = json.loads(b.read('out/program.json')), as_json(b)
    known = {name: int(value) for name, value in re.findall(r"localparam logic \[63:0\] (\w+) = 64'd(\d+);", b.read('out/program_pkg.sv').decode())}
    b.equal({name: int(value) for name, value in re.findall(r'#define CIMC_(\w+) UINT64_C\((\d+)\)', b.read('out/program.h').decode())}, known, 'program.h')

    def values(name):
        data = b.read('out/%s.bin' % name)
        return [int.from_bytes(data[i:i + 8], 'little') for i in range(0, len(data), 8)]

    wanted = dict(zip([n.upper() for n in words['program_numbers']], values('program')))
    wanted.update(zip(['M_' + n.upper() for n in words['machine_numbers']], values('machine')))
    wanted['CYCLES'] = values('cycles')[0]
    for t, tile in enumerate(got['tiles']):
        wanted.update(zip(['TILE_%d_%s' % (t, n.upper()) for n in words['size_numbers']], values('tile_%04d/sizes' % t)))
        wanted.update(('TILE_%d_%s' % (t, n.upper()), tile[n]) for n in ('queue_vu', 'queue_tx', 'queue_dma'))
        for i, v in enumerate(tile['views']):
            name = 'TILE_%d_VIEW_%d_' % (t, i)
            wanted[name + 'ADDRESS'] = v['address']
            # Here pitches are not negative, and rings are full or do not wrap.
            slots = [(y - v['ring_origin']) % v['ring_rows'] for y in range(v['y0'], v['y1'])] if not v['frame_rows'] % v['ring_rows'] else range(v['ring_rows'])
            if slots and v['x1'] > v['x0']:
                wanted[name + 'FROM'] = v['address'] + min(slots) * v['row_pitch']
                wanted[name + 'TO'] = v['address'] + max(slots) * v['row_pitch'] + (v['x1'] - v['x0'] - 1) * v['col_pitch'] + (v['channels'] - 1) * v['channel_pitch'] + 4
        for i, p in enumerate(tile['preloads']):
            wanted.update({'TILE_%d_PRELOAD_%d_ADDRESS' % (t, i): p['address'], 'TILE_%d_PRELOAD_%d_BYTES' % (t, i): p['length']})
        for name in os.listdir(b.path('out/tile_%04d' % t)):
            kind = re.match(r'(golden|times|receive)_0*(\d+)\.bin|(instructions)\.bin', name)
            if kind:
                size = {'golden': 16, 'receive': 16, 'times': 32}.get(kind.group(1)) or [w['bits'] // 8 for w in words['words'] if w['name'] == 'instruction'][0]
                label = '%s_%s' % (kind.group(1), kind.group(2)) if kind.group(1) else 'instructions'
                wanted['TILE_%d_%s_RECORDS' % (t, label.upper())] = os.path.getsize(b.path('out/tile_%04d/%s' % (t, name))) // size
    b.equal({n: v for n, v in known.items() if wanted.get(n) != v}, {n: v for n, v in wanted.items() if known.get(n) != v}, 'constants')


def wrong_lists(b):
    """list: only isa has other forms"""
    b.fails('list', 'archs', '--format=sv', code=2, message="cimc: error: the list 'archs' is only there as Markdown: --format is for isa [usage]")
    b.equal(b.run('list', 'isa', '--format=markdown').stdout, b.run('list', 'isa').stdout, 'markdown')


def verilator(b):
    """list isa: Verilator takes the package, and a structure is as wide as a word"""
    b.write('cimc_pkg.sv', b.run('list', 'isa', '--format=sv').stdout)
    b.run('compile', b.model, '-o', 'p.cim')
    b.run('dump', 'p.cim', '-o', 'out')
    checks = ''.join('  if ($bits(cimc_pkg::%s_t) != %d) $error("%s");\n' % (w['name'], w['bits'], w['name']) for w in as_json(b)['words'])
    b.write('top.sv', 'module top import cimc_pkg::*; (input view_t v, output logic [40:0] a);\n%s  assign a = v.address + program_pkg::TILE_0_VIEW_1_ADDRESS[40:0];\nendmodule\n' % checks)
    done = subprocess.run(['verilator', '--lint-only', '-Wno-SYMRSVDWORD', 'cimc_pkg.sv', 'out/program_pkg.sv', 'top.sv'], cwd=b.folder, capture_output=True, text=True)
    b.equal((done.returncode, done.stderr), (0, ''), 'verilator')


if __name__ == '__main__':
    cases = [systemverilog, header, as_documented, compiled_c, numbers, constants, wrong_lists]
    if sys.argv[3:]:
        if not shutil.which('verilator'):
            print('1..0 # SKIP there is no verilator')
            sys.exit(0)
        cases = [verilator]
    sys.exit(run_cases(cases))
