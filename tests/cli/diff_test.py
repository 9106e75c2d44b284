# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""`cimc diff` and `cimc report --against`: what is different in two results.

usage: diff_test.py CIMC ROOT
"""
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from bench import run_cases


def compile_to(b, name, *options):
    b.write(name, b.run('compile', b.model, *options, '--json').stdout)
    return json.loads(b.read(name))


def diff(b, *arguments, code):
    """differing is no error: there is no message"""
    done = subprocess.run([b.cimc, 'diff', *arguments], cwd=b.folder, capture_output=True, text=True)
    b.equal((done.returncode, done.stderr), (code, ''), 'cimc diff ' + ' '.join(arguments))
    return done.stdout


def found(b, *arguments):
    return {(d['section'], d['layer'], d['name']): (d['first'], d['second'], d['ratio'])
            for d in json.loads(diff(b, *arguments, '--json', code=1))['differences']}


def results(b):
    """two results of compile: nothing where they are equal, each number that is not the same with its ratio"""
    first, second = compile_to(b, 'a.json'), compile_to(b, 'b.json', '--extra-pes', '8')
    compile_to(b, 'same.json')
    b.equal(diff(b, 'a.json', 'same.json', code=0), '', 'equal results')
    b.equal(json.loads(diff(b, 'a.json', 'same.json', '--json', code=0))['equal'], True, 'equal as JSON')
    differences = found(b, 'a.json', 'b.json')
    numbers = {k: (first[k], second[k]) for k in first if isinstance(first[k], (int, float)) and first[k] != second[k]
               and k not in ('seconds', 'peak_rss_bytes')}
    told = {name: pair[:2] for (section, _, name), pair in differences.items() if section == 'totals' and '.' not in name
            and isinstance(pair[0], (int, float))}
    b.equal(told, numbers, 'numbers')
    for name, (x, y) in numbers.items():
        ratio = differences['totals', None, name][2]
        b.expect(ratio is None if x == 0 else abs(ratio - y / x) < 1e-12, 'ratio of ' + name)
    counters = [result['energy']['counters'] for result in (first, second)]
    b.equal({name: pair[:2] for (_, _, name), pair in differences.items() if name.startswith('energy.counters')},
            {'energy.counters.' + k: (x, counters[1][k]) for k, x in counters[0].items() if x != counters[1][k]}, 'numbers in maps of maps')
    copies = {l['name']: (l['copies'], m['copies']) for l, m in zip(first['base_layers'], second['base_layers']) if l['copies'] != m['copies']}
    b.expect(copies, 'with more PEs there are no more copies')
    b.equal({layer: pair[:2] for (section, layer, name), pair in differences.items() if name == 'copies'}, copies, 'copies')
    text = diff(b, 'a.json', 'b.json', code=1)
    b.contains(text, 'totals\n', 'layers\n', '  makespan_cycles  %d -> %d  (x %.3g)\n' % (
        first['makespan_cycles'], second['makespan_cycles'], second['makespan_cycles'] / first['makespan_cycles']))


def programs(b):
    """programs, with each other and with JSON: options, machine, cycles"""
    second = compile_to(b, 'b.json', '--extra-pes', '8', '--arch-field', 'rows=64')
    first = compile_to(b, 'a.json')
    b.run('compile', b.model, '-o', 'a.cim')
    b.run('compile', b.model, '--extra-pes', '8', '--arch-field', 'rows=64', '-o', 'b.cim')
    for pair in ('a.cim', 'b.cim'), ('a.cim', 'b.json'), ('a.json', 'b.json'):
        differences = found(b, *pair)
        b.equal(differences['options', None, 'extra-pes'], (None, '8', None), '%s %s: options' % pair)
        b.equal(differences['machine', None, 'rows'], (first['machine']['rows'], 64, 64 / first['machine']['rows']), '%s %s: machine' % pair)
        b.equal(differences['totals', None, 'makespan_cycles'][:2], (first['makespan_cycles'], second['makespan_cycles']), '%s %s: cycles' % pair)
    b.equal(diff(b, 'a.cim', 'a.json', code=0), '', 'a program and its JSON')


def rows(b):
    """rows of a sweep, one of a file of many; what is no result is refused"""
    first, second = compile_to(b, 'a.json'), compile_to(b, 'b.json', '--extra-pes', '8')
    b.run('sweep', b.model, '--extra-pes', '0,8', '-o', 'rows.jsonl')
    cycles = ('totals', None, 'makespan_cycles')
    b.equal(found(b, 'rows.jsonl#0', 'rows.jsonl#1')[cycles][:2], (first['makespan_cycles'], second['makespan_cycles']), 'rows')
    b.equal(found(b, 'rows.jsonl#0', 'b.json')[cycles][:2], (first['makespan_cycles'], second['makespan_cycles']), 'a row and JSON')
    b.write('one.jsonl', b.read('rows.jsonl').splitlines()[1] + b'\n')
    b.equal(diff(b, 'one.jsonl', 'b.json', code=0), '', 'the same point')
    b.run('sweep', b.model, '--pes', '1', '-o', 'none.jsonl')
    for arguments, message in [
            (('rows.jsonl', 'a.json'), "rows.jsonl: error: there are several rows; 'rows.jsonl#INDEX' is one [data]"),
            (('rows.jsonl#2', 'a.json'), 'rows.jsonl: error: there is no row 2 [data]'),
            (('none.jsonl', 'a.json'), 'none.jsonl: error: the row has no result [data]')]:
        b.fails('diff', *arguments, code=1, message=message)
    b.write('broken.json', '{"a": ')
    b.fails('diff', 'broken.json', 'a.json', code=1, message='broken.json: error: not JSON [data]')


NAMESAKES = '{"options": [], "base_layers": [{"name": "?", "pes": %d}, {"name": "?", "pes": %d}]}'


def repeated(b):
    """an option that is given more than once is one list, and the second layer of a name is compared with the second"""
    patches = ['--patch', '/conv1/Conv=1x1', '--patch', '/dense/Gemm=1x1']
    compile_to(b, 'both.json', *patches)
    compile_to(b, 'one.json', *patches[2:])
    b.run('compile', b.model, *patches, '-o', 'both.cim')
    for name in 'both.json', 'both.cim':
        b.equal(diff(b, 'both.json', name, code=0), '', 'both.json and ' + name)
    b.contains(diff(b, 'both.json', 'one.json', code=1), '  patch  ["/conv1/Conv=1x1","/dense/Gemm=1x1"] -> /dense/Gemm=1x1\n')
    b.run('report', b.model, *patches, '--against', 'both.json', '-o', 'page.html')
    b.contains(b.read('page.html').decode(), 'The results are equal.')
    b.write('a.json', NAMESAKES % (1, 2))
    b.write('b.json', NAMESAKES % (1, 3))
    b.equal(diff(b, 'a.json', 'a.json', code=0), '', 'two layers of one name')
    b.equal(found(b, 'a.json', 'b.json'), {('layers', '?', 'pes'): (2, 3, 1.5)}, 'the second of them')


def page(b):
    """the report has both results: differences, and each layer's copies there and here"""
    first, second = compile_to(b, 'a.json'), compile_to(b, 'b.json', '--extra-pes', '8')
    b.run('report', b.model, '--extra-pes', '8', '--against', 'a.json', '-o', 'page.html')
    text = b.read('page.html').decode()
    section = re.search(r'<section id="against">.*?</section>', text, re.DOTALL).group(0)
    tables = ElementTree.fromstring(section).findall('.//table')
    cells = [[[''.join(c.itertext()) for c in row.iter('td')] for row in t.iter('tr')] for t in tables]
    totals = {row[1]: row[2:4] for row in cells[0] if row}
    b.equal(totals['makespan_cycles'], [str(first['makespan_cycles']), str(second['makespan_cycles'])], 'makespan')
    b.equal([row[1:3] for row in cells[1] if row],
            [[str(l['copies']), str(m['copies'])] for l, m in zip(first['base_layers'], second['base_layers'])], 'copies')
    b.run('report', b.model, '--against', 'a.json', '-o', 'same.html')
    b.contains(b.read('same.html').decode(), 'The results are equal.')
    b.run('report', b.model, '-o', 'alone.html')
    b.expect('id="against"' not in b.read('alone.html').decode(), 'a section without another result')
    b.run('report', b.model, '--against', 'none.json', '-o', 'none.html', code=1)


if __name__ == '__main__':
    sys.exit(run_cases([results, programs, rows, repeated, page]))
