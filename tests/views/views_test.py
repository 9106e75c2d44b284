# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Schedules as CSV, SVG and trace events; fixed copies; the best sets and cut.

usage: views_test.py CIMC ROOT
"""
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
        for layout in ('side', 'stacked'):
            b.run('compile', name, '-o', 'p.cim', '--extra-pes=6', '--svg-layout', layout, '--schedule-svg=p.svg', '--trace=t.json')
            root = xml.etree.ElementTree.fromstring(b.read('p.svg'))
            facts = json.loads(b.read('t.json'))['otherData']
            width, height = float(root.get('width')), float(root.get('height'))
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


def check_events(b, trace, what):
    """Events of a thread follow each other inside [0, makespan]; returns mode -> (events, last end)."""
    names = {e['pid']: e['args']['name'] for e in trace['traceEvents'] if e['name'] == 'process_name'}
    last, found = {}, {mode: [0, 0] for mode in MODES}
    for e in trace['traceEvents']:
        if e['ph'] != 'X':
            continue
        mode = names[e['pid']].split(',')[0]
        thread, end = (e['pid'], e['tid']), e['ts'] + e['dur']
        b.expect(e['dur'] > 0 and e['ts'] >= last.get(thread, 0), what + ': events overlap: %r' % e)
        b.expect(end <= trace['otherData'][MODES[mode]], what + ': after the makespan: %r' % e)
        last[thread] = end
        found[mode] = [found[mode][0] + 1, max(found[mode][1], end)]
    return found


def traces(b):
    """trace events: both modes, in order, one a set, until the makespan"""
    for options in (['--set=1x*'], ['--set=pixel', '--extra-pes=9'], ['--set=1x3', '--schedule=layer', '--extra-pes=9']):
        # All PEs of a copy on one tile: one PE group a set.
        report = compile_report(b, '--trace=t.json', '--schedule-out=s.csv', '--arch-field=crossbars=64', *options)
        trace = json.loads(b.read('t.json'))
        found = check_events(b, trace, str(options))
        n_sets = len(read_rows(b, b.read('s.csv').decode()))
        for mode, key in MODES.items():
            b.equal(found[mode], [n_sets, trace['otherData'][key]], '%s %s: events, last end' % (options, mode))
        mode = 'layer by layer' if '--schedule=layer' in options else 'cross-layer'
        b.equal(trace['otherData'][MODES[mode]], report['makespan_cycles'], 'makespan')


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
    sys.exit(run_cases([csv_rows, csv_to_stdout, standard_output_once, pictures, traces, fixed_copies, best_of_grid]))
