# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Schedules as CSV, SVG and trace events; fixed copies; the best sets and cut.

usage: views_test.py CIMC ROOT
"""
import bisect
import collections
import csv
import io
import json
import os
import re
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from bench import run_cases  # noqa: E402

HEADER = ['layer', 'copy', 'y', 'x', 'h', 'w', 'pes', 'tiles', 'start', 'end']
# Rows and columns of the outputs of the bundled model's base layers.
SIZES = {'/conv1/Conv': (28, 28), '/block1/conv1/Conv': (14, 14), '/block1/conv2/Conv': (14, 14), '/conv2/Conv': (7, 7),
         '/block2/conv1/Conv': (7, 7), '/block2/conv2/Conv': (7, 7), '/dense/Gemm': (1, 1)}
GRID_SETS = ['4x*', '2x*', '1x*', '1x32', '1x16', '1x8', 'pixel']
GRID_CUTS = ['w', 'h', '2d']
MODES = {'layer by layer': 'layer_by_layer_makespan_cycles', 'cross-layer': 'cross_layer_makespan_cycles'}


def compile_report(b, *options):
    return json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim', *options).stdout)


def read_rows(b, text):
    lines = list(csv.reader(io.StringIO(text)))
    b.equal(lines[0], HEADER, 'header')
    return [dict(zip(HEADER, [line[0]] + [int(x) for x in line[1:]])) for line in lines[1:]]


def check_layer_rows(b, rows, layer, what):
    """Every pixel of the output is in one set; a set of n products takes n cycles; a copy does one at a time."""
    height, width = layer['ofm'][:2]
    rows_each, columns_each = layer['patch']
    seen = [[0] * width for _ in range(height)]
    ends = {}
    for r in rows:
        for y in range(r['y'], r['y'] + r['h']):
            for x in range(r['x'], r['x'] + r['w']):
                seen[y][x] += 1
        b.equal(r['pes'], layer['pes'], what + ': PEs')
        products = -(-r['h'] // rows_each) * -(-r['w'] // columns_each)
        b.expect(r['end'] - r['start'] >= products, what + ': too short: %r' % r)
        if r['tiles'] == 1:
            b.equal(r['end'] - r['start'], products, what + ': cycles of a set')
            b.expect(r['start'] >= ends.get(r['copy'], 0), what + ': a copy does two sets at once: %r' % r)
        ends[r['copy']] = r['end']
    b.expect(all(n == 1 for line in seen for n in line), what + ': the output is not covered exactly once')
    b.equal(sorted(ends), list(range(layer['copies'])), what + ': copies')


def csv_rows(b):
    """the CSV's sets cover each output once and end with the makespan"""
    for options in (['--set=pixel'], ['--set=1x*', '--extra-pes=9'], ['--set=3x5', '--extra-pes=12', '--cut=h'],
                    ['--set=2x4', '--extra-pes=12', '--cut=2d'], ['--schedule=layer', '--extra-pes=3'],
                    ['--arch-field=crossbars=1', '--extra-pes=5']):
        report = compile_report(b, '--schedule-out=s.csv', *options)
        rows = read_rows(b, b.read('s.csv').decode())
        for layer in report['base_layers']:
            check_layer_rows(b, [r for r in rows if r['layer'] == layer['name']], layer, '%s %s' % (options, layer['name']))
        b.equal(max(r['end'] for r in rows), report['makespan_cycles'], 'last end')
        b.equal({r['layer'] for r in rows}, set(SIZES), 'layers')
        b.equal([r['start'] for r in rows], sorted(r['start'] for r in rows), 'order')


def csv_to_stdout(b):
    """--schedule-out - prints the CSV, the table goes to standard error; run writes the same CSV"""
    options = ['--mapping=im2col', '--set=1x*']
    done = b.run('compile', b.model, '-o', 'p.cim', '--schedule-out=-', *options)
    b.contains(done.stderr, '7 base layers')
    b.equal(len(read_rows(b, done.stdout)), sum(rows for rows, _ in SIZES.values()), 'rows')
    b.run('run', b.model, '--schedule-out=s.csv', *options, '--test-data', b.test_data(0))
    b.equal(b.read('s.csv').decode(), done.stdout, 'CSV of run')


def standard_output_once(b):
    """two things never share standard output; a view needs a compilation"""
    message = 'cimc: error: %s and %s cannot both go to standard output [usage]'
    b.fails('compile', b.model, '--schedule-out=-', '--trace=-', code=2, message=message % ('schedule', 'trace'))
    b.fails('run', b.model, '--schedule-svg=-', '--json', code=2, message=message % ('picture', 'JSON'))
    b.fails('compile', b.model, '--schedule-svg=-', '-o-', code=2, message=message % ('output', 'picture'))
    b.run('compile', b.model, '-o', 'p.cim')
    b.run('run', b.model, '--program=p.cim', '--trace=t.json', code=2)
    b.run('compile', b.model, '-o', 'p.cim', '--schedule-svg=none/x.svg', code=1)


def pictures(b):
    """the SVG is XML, shows both makespans, and bars stand inside the picture, whatever the layers' names"""
    with open(b.model, 'rb') as f:
        model = f.read()
    b.write('odd.onnx', model.replace(b'/conv1/Conv', b'/<&\xff"\x01\'Conv'))
    for name in (b.model, 'odd.onnx'):
        for layout in ('side', 'stacked', 'one-scale'):
            b.run('compile', name, '-o', 'p.cim', '--extra-pes=6', '--svg-layout', layout, '--schedule-svg=p.svg', '--trace=t.json')
            root = xml.etree.ElementTree.fromstring(b.read('p.svg'))
            facts = json.loads(b.read('t.json'))['otherData']
            width, height = (float(x) for x in root.get('viewBox').split()[2:])
            b.equal([root.get('width'), root.get('height')], ['100%', None], 'size')
            shown = ' '.join(e.text or '' for e in root.iter('{http://www.w3.org/2000/svg}text'))
            for mode, key in MODES.items():
                b.contains(shown, '%s: %s cycles' % (mode.capitalize(), format(facts[key], ',')))
            for layer in SIZES if name == b.model else ():
                b.expect(re.search(layer + ' ?(×[0-9]+)?, tiles? [0-9]', shown), 'no tile of ' + layer)
            bars = [e for e in root.iter('{http://www.w3.org/2000/svg}rect') if len(e)]
            b.expect(len(bars) >= 2 * len(SIZES), 'only %d bars' % len(bars))
            for e in bars:
                x, y, w, h = (float(e.get(k)) for k in ('x', 'y', 'width', 'height'))
                b.expect(0 <= x and x + w <= width and 0 <= y and y + h <= height, 'outside: %r' % e.attrib)


NAMES = {'process_name', 'process_sort_index', 'thread_name', 'thread_sort_index'}


def read_trace(b, name='t.json'):
    """A second parser of the trace event format: refuses what a viewer would drop. Returns slices by thread, flows as (from, to), names of processes."""
    trace = json.loads(b.read(name))
    b.expect(trace['displayTimeUnit'] in ('ms', 'ns'), 'unit of time')
    processes, threads, slices, ends = {}, {}, collections.defaultdict(list), collections.defaultdict(dict)
    for e in trace['traceEvents']:
        where, phase = (e['pid'], e.get('tid')), e['ph']
        b.expect(phase in 'MXCsf' and len(phase) == 1 and isinstance(e['pid'], int) and e['name'], 'event: %r' % e)
        if phase == 'M':
            b.expect(e['name'] in NAMES, 'metadata: %r' % e)
            (processes if e['name'] == 'process_name' else threads if e['name'] == 'thread_name' else {})[where if 'thread' in e['name'] else e['pid']] = e['args'].get('name')
            continue
        b.expect(isinstance(e['ts'], int) and e['ts'] >= 0, 'time: %r' % e)
        if phase == 'C':
            b.expect(all(isinstance(v, (int, float)) for v in e['args'].values()), 'counter: %r' % e)
        elif phase == 'X':
            b.expect(e['dur'] > 0 and e['cat'] in ('mvm', 'vector', 'network', 'dram', 'path'), 'slice: %r' % e)
            b.expect(not slices[where] or e['ts'] >= slices[where][-1]['ts'] + slices[where][-1]['dur'], 'slices overlap: %r' % e)
            slices[where].append(e)
        else:
            b.expect(phase not in ends[e['cat'], e['id']] and (phase == 's' or e['bp'] == 'e'), 'flow: %r' % e)
            ends[e['cat'], e['id']][phase] = e
    for where in slices:
        b.expect(where in threads and where[0] in processes, 'a thread without name: %r' % (where,))
    starts = {where: [x['ts'] for x in of] for where, of in slices.items()}

    def slice_of(e):
        where = e['pid'], e['tid']
        x = slices[where][max(bisect.bisect_right(starts[where], e['ts']) - 1, 0)]
        b.expect(x['ts'] <= e['ts'] < x['ts'] + x['dur'], 'a flow beside its slice: %r' % e)
        return x

    flows = []
    for flow in ends.values():
        b.equal(sorted(flow), ['f', 's'], 'ends of a flow')
        flows.append((slice_of(flow['s']), slice_of(flow['f'])))
        b.expect(flow['s']['ts'] < flow['f']['ts'], 'a flow back in time: %r' % flow)
    return trace, slices, flows, processes


def traces(b):
    """trace events: both modes, in order, one a set, until the makespan; what a set waited for"""
    for options in (['--set=1x*'], ['--set=pixel', '--extra-pes=9'], ['--set=1x3', '--schedule=layer', '--extra-pes=9']):
        # All PEs of a copy on one tile: one PE group a set.
        report = compile_report(b, '--trace=t.json', '--schedule-out=s.csv', '--arch-field=crossbars=64', *options)
        trace, slices, flows, processes = read_trace(b)
        n_sets = len(read_rows(b, b.read('s.csv').decode()))
        for mode, key in MODES.items():
            sets = [x for (pid, _), of in slices.items() if processes[pid].startswith(mode + ', tile') for x in of]
            b.equal([len(sets), max(x['ts'] + x['dur'] for x in sets)], [n_sets, trace['otherData'][key]], '%s %s: sets, last end' % (options, mode))
            ways = [(x, y) for x, y in flows if processes[x['pid']].startswith(mode)]
            # Sets of the first layer wait for nothing that takes time, others for a set of a layer before. Rows one by one: the last of the four
            # 3x3 layers of stride 1 sees padding below, and nothing that the one before it did not see.
            others = [x for x in sets if x['name'] != '/conv1/Conv']
            b.expect(len(ways) == len(others) - 4 if options == ['--set=1x*'] else 0 < len(ways) < len(others), '%s %s: %d flows' % (options, mode, len(ways)))
            waited = {(y['pid'], y['tid'], y['ts']) for _, y in ways}
            first = {}
            for x in others:
                first.setdefault((x['name'], x['args']['copy']), (x['pid'], x['tid'], x['ts']))
            b.expect(set(first.values()) <= waited, 'the first set of a copy waited for nothing: %r' % first)
            names = list(SIZES)
            b.expect(all(names.index(x['name']) < names.index(y['name']) for x, y in ways), 'a flow from a layer to one before it')
        mode = 'layer by layer' if '--schedule=layer' in options else 'cross-layer'
        b.equal(trace['otherData'][MODES[mode]], report['makespan_cycles'], 'makespan')
        path = next(of for (pid, _), of in slices.items() if processes[pid] == mode + ', slowest path')
        b.equal([path[0]['ts'], path[-1]['ts'] + path[-1]['dur'], sum(x['dur'] for x in path)], [0, report['makespan_cycles'], report['makespan_cycles']], 'path')


def traces_of_units(b):
    """where vector work, messages and transfers take time, they are slices: as long as the units are busy"""
    common = ['--arch-field=crossbars=2', '--arch-field=lanes=16', '--arch-field=link_bytes_per_cycle=8', '--arch-field=dram_cycles=9', '--arch-field=dram_bytes_per_cycle=4', '--extra-pes=5']
    b.run('report', b.model, '-o', 'r.html', *common)
    compile_report(b, '--trace=t.json', *common)
    _, slices, flows, processes = read_trace(b)
    tiles = json.loads(re.search('id="cimc-data">(.*?)</script>', b.read('r.html').decode()).group(1))['tiles']
    for i, tile in enumerate(tiles):
        busy = collections.Counter()
        for (pid, _), of in slices.items():
            for x in of if processes[pid] == 'cross-layer, tile %d' % i else ():
                busy[x['cat']] += x['dur']
        b.equal([busy[c] for c in ('vector', 'network', 'dram')], [tile[c + '_busy_cycles'] for c in ('vector', 'network', 'dram')], 'tile %d' % i)
    kinds = {(x['cat'], y['cat']) for x, y in flows}
    b.expect({('dram', 'mvm'), ('mvm', 'vector'), ('vector', 'network'), ('network', 'mvm'), ('vector', 'dram')} <= kinds, 'flows: %r' % kinds)


def time_trace(b):
    """--time-trace: a slice for each stage and pass of the compiler, nested, whole; alone it is all that is written"""
    passes = re.search('pipeline: `(.*?)`', b.run('list', 'passes').stdout).group(1).split(',')
    stages = ['import', 'passes', 'schedule', 'emit', 'check']
    for arguments, more in ((['compile', b.model], []), (['compile', b.model, '-o', 'p.cim'], ['write']), (['report', b.model, '-o', 'r.html'], []),
                            (['run', b.model, '--test-data', b.test_data(0)], ['evaluate', 'simulate'])):
        b.run(*arguments, '--time-trace=t.json')
        b.equal([name for name in os.listdir(b.folder) if name.endswith('.cim')], ['p.cim'] * ('write' in more), ' '.join(arguments) + ': programs')
        trace = json.loads(b.read('t.json'))
        b.equal({e['name'] for e in trace['traceEvents'] if e['ph'] == 'M'}, {'process_name', 'thread_name'}, 'names')
        slices, open_ends = [e for e in trace['traceEvents'] if e['ph'] == 'X'], []
        for e in slices:
            while open_ends and open_ends[-1] <= e['ts'] + 0.002:
                open_ends.pop()
            b.expect(e['dur'] >= 0 and (not open_ends or e['ts'] + e['dur'] <= open_ends[-1] + 0.002), '%s: a slice out of the one around it: %r' % (arguments[0], e))
            open_ends.append(e['ts'] + e['dur'])
        b.equal(sorted({e['name'] for e in slices if e['cat'] == 'stage'}), sorted(stages + more), ' '.join(arguments) + ': stages')
        b.equal([e['name'] for e in slices if e['cat'] == 'pass'], passes, arguments[0] + ': passes')
        if 'write' in more:
            os.remove(b.path('p.cim'))
        around = next(e for e in slices if e['name'] == 'passes')
        b.expect(all(around['ts'] <= e['ts'] + 0.002 for e in slices if e['cat'] == 'pass'), 'a pass before the passes')
    b.fails('compile', b.model, '--trace=-', '--time-trace=-', code=2, message='cimc: error: trace and time trace cannot both go to standard output [usage]')


def fixed_copies(b):
    """--copies: by name and number, recorded in the program, and every wrong one refused"""
    report = compile_report(b, '--copies=/conv1/Conv=3,4=2', '--extra-pes=4')
    b.equal([x['copies'] for x in report['base_layers']], [3, 1, 1, 1, 2, 1, 1], 'copies')
    b.equal(report['duplication']['objective'], 'given', 'objective')
    b.run('check', 'p.cim', '--model', b.model)
    b.run('run', b.model, '--copies=0=3,4=2', '--extra-pes=4', '--cut=h', '--test-data', b.test_data(1))
    for wrong, code in (('nope=2', 'duplication'), ('7=2', 'duplication'), ('0=0', 'duplication'), ('0=29', 'duplication'),
                        ('0=2,/conv1/Conv=3', 'duplication'), ('0=6', 'capacity')):
        b.contains(b.run('compile', b.model, '--extra-pes=4', '--copies', wrong, code=1).stderr, '[%s]' % code)
    for wrong in ('', '0', '0=', '=3', '0=-1', '0=2,', '0=99999999999999999999'):
        b.contains(b.run('compile', b.model, '--copies', wrong, code=2).stderr, '[usage]')
    b.run('compile', b.model, '-o', 'p.cim', '--copies=0=29', '--cut=2d', '--extra-pes=40', code=1)
    b.run('compile', b.model, '-o', 'p.cim', '--copies=0=30', '--cut=2d', '--extra-pes=40')


def best_of_grid(b):
    """--set best is the least makespan of its grid, and the program records what was chosen"""
    for schedule, extra in (('cross', 11), ('layer', 7)):
        common = ['--schedule', schedule, '--extra-pes=%d' % extra]
        cycles = {(cut, shape): compile_report(b, '--cut', cut, '--set', shape, *common)['makespan_cycles']
                  for cut in GRID_CUTS for shape in GRID_SETS}
        best = compile_report(b, '--set=best', *common)
        b.equal(best['makespan_cycles'], min(cycles.values()), 'makespan of %s' % schedule)
        first = min(cycles, key=lambda c: (cycles[c], GRID_SETS.index(c[1]), GRID_CUTS.index(c[0])))
        b.equal(best['best'], {'set': first[1], 'cut': first[0], 'n_tried': 21}, 'choice of %s' % schedule)
        b.run('check', 'p.cim', '--model', b.model)
        fixed = compile_report(b, '--set=best', '--cut=h', *common)
        b.equal(fixed['makespan_cycles'], min(v for (cut, _), v in cycles.items() if cut == 'h'), 'makespan of cut h')
    done = b.run('run', b.model, '--set=best', '--extra-pes=11', '--test-data', b.test_data(2))
    b.expect(re.search(r'^best of 21: sets \S+, cut (w|h|2d)$', done.stdout, re.MULTILINE), done.stdout)


if __name__ == '__main__':
    sys.exit(run_cases([csv_rows, csv_to_stdout, standard_output_once, pictures, traces, traces_of_units, time_trace, fixed_copies, best_of_grid]))
