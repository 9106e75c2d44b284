# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The report: one page that needs nothing else, whose numbers are those of the compiler and of the program.

usage: report_test.py CIMC ROOT
"""
import collections
import html.parser
import json
import os
import re
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from bench import run_cases  # noqa: E402

SECTIONS = ['path', 'schedule', 'mapping', 'utilisation', 'memory', 'traffic', 'movement', 'energy']
COSTS = {'topology': 'mesh', 'mvm_cycles': 20, 'cycle_ps': 5000, 'lanes': 16, 'vector_setup_cycles': 2,
         'link_bytes_per_cycle': 8, 'hop_cycles': 3, 'dram_cycles': 30, 'dram_bytes_per_cycle': 4}


WEIGHTS = [9 * 16, 9 * 16 * 16, 9 * 16 * 16, 9 * 16 * 32, 9 * 32 * 32, 9 * 32 * 32, 32 * 10]    # of digits.onnx


class Page:
    def __init__(self, b, name):
        self.text = b.read(name).decode()
        self.root = xml.etree.ElementTree.fromstring(self.text)
        self.data = json.loads(self.root.find(".//script[@id='cimc-data']").text)

    def section(self, name):
        return self.root.find(".//section[@id='%s']" % name)

    def rows(self, name, k=0):
        """Rows of the k-th table of a section: what each cell shows."""
        table = self.section(name).findall('.//table')[k]
        return [[''.join(cell.itertext()) for cell in row] for row in table.findall('./tbody/tr')]

    def values(self, name, k=0):
        """The exact values in the same cells, None where there is none."""
        table = self.section(name).findall('.//table')[k]
        return [[cell.get('data-v') for cell in row] for row in table.findall('./tbody/tr')]


def report(b, *options, model=None):
    b.run('report', model or b.model, '-o', 'r.html', *options)
    return Page(b, 'r.html')


def stands_alone(b):
    """the page is well-formed, has all sections, and asks for nothing outside"""
    page = report(b, '--extra-pes=6')
    b.equal([s.get('id') for s in page.root.iter('section')], SECTIONS, 'sections')
    links = [e.get('href') for e in page.root.find('.//nav').iter('a')]
    b.equal(links, ['#' + s for s in SECTIONS], 'links')
    for e in page.root.iter():
        b.expect(not {'src', 'xlink:href', 'onclick'} & set(e.attrib), 'loads something: %r' % e.attrib)
    outside = set(re.findall(r'[a-z]+://[^"<\s]*', page.text)) - {'http://www.w3.org/2000/svg'}
    b.equal(outside, set(), 'addresses')
    b.expect('url(' not in page.text and '@import' not in page.text, 'a style loads something')
    for tag in ('title', 'h1'):
        b.contains(page.root.find('.//' + tag).text, 'digits.onnx')
    for section in SECTIONS:
        b.expect(len(''.join(page.section(section).find('p').itertext())) > 80, section + ' is not explained')
    b.expect(len(page.text) < 1000000, '%d bytes' % len(page.text))
    arch = b.write('m.yaml', 'base: mesh\nname: own\n')
    page = report(b, '--arch', arch, '--report-arch', arch)
    for folder in (b.digits, b.folder):
        b.expect(folder not in page.text, 'the page says where its model, or machine, is: ' + folder)


def same_numbers(b):
    """data, summary and mapping table are what `compile --json` says"""
    for options in ([], ['--extra-pes=9', '--set=1x*'], ['--schedule=layer', '--extra-pes=5'], ['--set=best', '--extra-pes=4'],
                    ['--duplicate=makespan', '--extra-pes=7'], ['--arch-field=crossbars=2', '--arch-field=lanes=32']):
        want = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim', *options).stdout)
        page = report(b, *options)
        want['model'] = os.path.basename(want['model'])    # a page does not hold the folder
        for key in set(want) - {'seconds', 'peak_rss_bytes', 'program_bytes', 'tiles'}:
            b.equal(page.data[key], want[key], '%s: %s' % (options, key))
        b.equal([{key: t[key] for key in w} for t, w in zip(page.data['tiles'], want['tiles'])], want['tiles'], '%s: tiles' % options)
        shown = sorted([int(x) for x in row[:4]] + [int(row[5])] for row in page.values('memory', 1))
        b.equal(shown, [[i, *(w[key + '_bytes'] for key in ('code', 'table', 'weight', 'buffer'))] for i, w in enumerate(want['tiles'])], '%s: memories' % options)
        cards = [''.join(e.itertext()) for e in page.root.iter('div') if e.get('class') == 'card']
        for number in ('%s cycles' % format(want['makespan_cycles'], ','), '%s cycles' % format(want['layer_by_layer_cycles'], ','),
                       '%.4g times' % want['speedup'], '%.4g %%' % (100 * want['utilisation']), '%d PEs' % want['pes']):
            b.expect(any(number in card for card in cards), '%s: no card says %s: %r' % (options, number, cards))
        shown = [row[1:6] for row in page.rows('mapping')]
        b.equal(shown, [[x['name'], '%d x %d x %d' % tuple(x['ofm']), str(x['pes']), str(x['copies']), format(x['cycles'], ',')]
                        for x in want['base_layers']], '%s: mapping' % options)
        b.equal(max(int(row[8]) for row in page.values('mapping')),
                max(int(line.split(',')[-1]) for line in schedule(b, options)), '%s: last end' % options)


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def field(number, data):
    """A field of a protobuf message: a varint, or bytes."""
    return varint(number << 3) + varint(data) if isinstance(data, int) else varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name, *dims):
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, b''.join(field(1, field(1, n)) for n in dims))))


def model(nodes, initializers, inputs, outputs):
    graph = b''.join(field(1, x) for x in nodes) + field(2, b'g') + b''.join(field(5, x) for x in initializers)
    graph += b''.join(field(11, x) for x in inputs) + b''.join(field(12, x) for x in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


WORDS = {'MVM': 'crossbar products', 'send': 'messages', 'send partial sums': 'messages', 'load': 'transfers from and to the DRAM',
         'store': 'transfers from and to the DRAM', 'barrier': 'barriers'}


def first_sentences(b):
    """the page begins with the units that the slowest path is made of, then its largest pieces, and names the field of the machine that counts"""
    for options, hints in (([], ['more copies', '--extra-pes']), (['--duplicate=none'], ['1 copy of 1 PE', '--duplicate makespan']),
                           (['--arch-field=link_bytes_per_cycle=1', '--arch-field=crossbars=2'], ['link_bytes_per_cycle', 'Messages']),
                           (['--arch-field=lanes=1'], ['lanes 1', 'with 2 lanes instead of 1']),
                           (['--arch-field=dram_cycles=500'], ['dram_cycles 500', 'with 250 dram_cycles instead of 500']),
                           (['--arch-field=dram_bytes_per_cycle=1'], ['dram_bytes_per_cycle']),
                           (['--schedule=layer'], ['--schedule cross']),
                           (['--arch=isaac'], ['PEs are free', '--cut 2d', '--duplicate makespan']),
                           (['--arch=isaac', '--cut=2d', '--pes=20'], ['a machine with more tiles']),
                           (['--extra-pes=4', '--duplicate=interval', '--frames=2'], ['interval from image to image is the next shorter'])):
        page = report(b, *options)
        share, units = collections.Counter(), collections.Counter()
        for x in page.data['path']:
            share[x['name'], x['work']] += x['end'] - x['start']
            units[WORDS.get(x['work'], 'vector work')] += x['end'] - x['start']
        (name, work), cycles = share.most_common(1)[0]
        unit, most = units.most_common(1)[0]
        verdict = next(e for e in page.root.iter('div') if e.get('class') == 'verdict')
        text = ' '.join(''.join(verdict.itertext()).split())
        first = ' '.join(''.join(verdict.find('p').itertext()).split())
        percent = 100 / page.data['path'][-1]['end']
        amount = ' most: %.1f %% of the makespan goes' % (percent * most) if percent * most < 99.95 else ': all of the makespan goes'
        b.expect(re.match(re.escape(unit[0].upper() + unit[1:]) + ' holds? the network up' + re.escape(amount) + ' into (it|them)', first), first)
        kind = WORDS.get(work, 'vector work') + ', ' if percent * most < 99.95 else ''
        b.contains(first, 'The largest piece: %s (%s%.1f %%)' % (name, kind, percent * cycles))
        b.equal(' '.join(page.data['verdict']['sentences'][0].split()), first, 'the same sentence as data')
        for hint in hints:
            b.contains(text, hint)
    free = report(b, '--arch-field=dram_cycles=500').data['movement']
    b.contains(text, 'Moving data and vector work are free here')
    costs = [x['makespan_cycles'] * x['cycle_ps'] for x in (free['free'], free['priced'])]
    text = ''.join(report(b, '--arch-field=dram_cycles=500').root.find(".//div[@class='verdict']").itertext())
    b.contains(text, '(+%.1f\xa0%%' % (100 * (costs[1] / costs[0] - 1)))


def what_would_help(b):
    """as data: units and pieces add up to the makespan; what a change makes of it is what compiling with it gives; of all of them the best is said first"""
    slow = ['--arch-field=%s=%s' % item for item in COSTS.items()]
    seen = set()
    for options in (['--arch-field=link_bytes_per_cycle=1', '--arch-field=crossbars=2', '--arch-field=hop_cycles=40'], ['--extra-pes=3'], slow,
                    ['--arch-field=lanes=1', '--arch-field=vector_setup_cycles=30'], ['--arch-field=dram_cycles=500', '--schedule=layer']):
        options = options + ['--mapping=im2col', '--set=1x*']
        said = json.loads(b.run('report', b.model, '--json', *options).stdout)
        verdict = said['verdict']
        for parts in ('units', 'bottlenecks'):
            cycles = [x['cycles'] for x in verdict[parts]]
            b.equal([sum(cycles), cycles], [said['makespan_cycles'], sorted(cycles, reverse=True)], parts)
            b.expect(all(abs(x['share'] * said['makespan_cycles'] - x['cycles']) < 1e-6 for x in verdict[parts]), 'shares')
        b.expect(verdict['helps'], 'nothing helps: %s' % options)
        for h in verdict['helps']:
            if h['change'] == 'copies':
                copies = [h['to'] if i == h['layer'] else x['copies'] for i, x in enumerate(said['base_layers'])]
                b.equal(h['from'], said['base_layers'][h['layer']]['copies'], 'copies before')
                change = ['--copies=' + ','.join('%d=%d' % item for item in enumerate(copies)), '--pes=%d' % (said['pes'] + h['more_pes'])]
                kept = [x for x in options if not x.startswith('--extra-pes')]
            else:
                b.equal(h['from'], said['machine'][h['change']], 'the machine has')
                change, kept = ['--arch-field=%s=%d' % (h['change'], h['to'])], options
            there = json.loads(b.run('compile', b.model, '--json', *kept, *change).stdout)
            b.equal(there['makespan_cycles'], h['makespan_cycles'], 'with %s' % change)
            b.expect(abs(1 - there['makespan_cycles'] / said['makespan_cycles'] - h['saves']) < 1e-9, 'saves')
            seen.add(h['change'])
        best = min(verdict['helps'], key=lambda h: h['makespan_cycles'])
        b.contains(verdict['sentences'][0], 'What would help most: with %d ' % best['to'])
        page = report(b, *options)
        for key in set(page.data) - {'model', 'movement'}:
            b.equal(page.data[key], said[key], 'the page has ' + key)
        b.equal(os.path.exists(b.path('digits.html')), False, 'a page that nobody asked for')
    b.equal(seen, {'copies', 'lanes', 'vector_setup_cycles', 'link_bytes_per_cycle', 'hop_cycles', 'dram_cycles'}, 'changes')


def drawings(b):
    """bars of vector units and ports are as long as the units are busy; with many layers the mode not asked for is folded"""
    page = report(b, '--extra-pes=5', '--set=1x4', '--arch-field=crossbars=2', *['--arch-field=%s=%s' % item for item in COSTS.items()])
    svg = '{http://www.w3.org/2000/svg}'
    picture = page.section('schedule').find('.//' + svg + 'svg')
    busy = collections.Counter()
    for title in picture.iter(svg + 'title'):
        found = re.search(r'of the (\w+) (?:unit|port): cycles ([0-9,]+)-([0-9,]+), .* ([0-9]+) % busy, tile ([0-9]+)', title.text)
        if found:
            unit, start, end, share, tile = found.groups()
            busy[unit.lower(), int(tile)] += (int(end.replace(',', '')) - int(start.replace(',', ''))) * int(share) / 100
    for i, tile in enumerate(page.data['tiles']):
        for unit in ('vector', 'network', 'dram'):
            want = tile[unit + '_busy_cycles']
            b.expect(abs(busy[unit, i] - want) <= 0.02 * want + 1, '%s of tile %d: drawn %g, busy %d' % (unit, i, busy[unit, i], want))
    b.equal(len(page.section('schedule').findall('.//details[@open]')), 2, 'open drawings of few layers')
    weight = field(1, 1) * 4 + field(2, 1) + field(8, b'w') + field(9, b'\0\0\x80\x3f')
    names = [b'v%d' % i for i in range(26)]
    convs = [field(1, x) + field(1, b'w') + field(2, y) + field(3, b'conv ' + y) + field(4, b'Conv') for x, y in zip(names, names[1:])]
    b.write('chain.onnx', model(convs, [weight], [value_info(names[0], 1, 1, 4, 4)], [value_info(names[-1], 1, 1, 4, 4)]))
    for schedule, is_open in (('cross', 'Cross-layer'), ('layer', 'Layer by layer')):
        drawings = report(b, '--schedule=' + schedule, model='chain.onnx').section('schedule').findall('.//details')
        b.equal([e.find('summary').text.startswith(is_open) for e in drawings if e.get('open') is not None], [True], schedule + ': open of 25 layers')
    b.equal([e.get('title') for e in page.section('schedule').iter('button') if e.get('title')], [x['name'] for x in page.data['base_layers']], 'list of layers')


def energy(b):
    """energy: units, layers, tiles and counters are what `compile --json` says; a machine without prices has the counters alone"""
    b.write('m.yaml', 'base: mesh\nenergy: {adc_convert_pj: 1.67, crossbar_read_pj: 20, buffer_pj_per_byte: 0.5, link_pj_per_byte_hop: 3, '
            'tile_leakage_uw: 3000}\n')
    for options in (['--arch=m.yaml', '--extra-pes=5'], ['--arch=m.yaml', '--frames=3'], []):
        want = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim', *options).stdout)
        page = report(b, *options)
        units, layers, counters, tiles = (page.values('energy', k) for k in range(4))
        exact = lambda x: '%.9g' % float(x)
        if options:
            b.equal([row[1] for row in units], [exact(x) for x in [*want['energy']['by_unit'].values(), want['energy']['leakage_pj']]], 'units')
            b.equal([row[3] for row in layers], [exact(x['energy_pj']) for x in want['base_layers']], 'layers')
            b.equal('%.6g' % sum(float(row[1]) for row in units), '%.6g' % float(want['energy']['total_pj']), 'total')
            b.expect(page.section('energy').find('.//{http://www.w3.org/2000/svg}rect') is not None, 'no picture')
        else:
            b.contains(''.join(page.section('energy').itertext()), 'no prices')
        b.equal([int(row[1]) for row in counters], list(want['energy']['counters'].values())[:len(counters)], 'counters')    # behind them rows written, cycles
        b.equal(sum(int(row[1]) for row in tiles), want['energy']['counters']['pe_products'], 'products of all tiles')


def quantisation(b):
    """a float model that is quantised: the layers of `quantize --json`, the one with the most harm first"""
    options = ['--calibrate', os.path.join(b.digits, 'calibration.npy'), '--input-scale=1/255', '--weight-bits=4']
    want = json.loads(b.run('quantize', b.model, '--json', *options).stdout)
    page = report(b, '--mode=int', *options)
    names = SECTIONS + ['quantisation']
    b.equal([s.get('id') for s in page.root.iter('section')], names, 'sections')
    b.equal([e.get('href') for e in page.root.find('.//nav').iter('a')], ['#' + s for s in names], 'links')
    b.equal(page.data['quantisation'], {k: want[k] for k in page.data['quantisation']}, 'data')
    exact = 1e9    # where there is no error
    layers = sorted(want['layers'], key=lambda x: x['own_snr_db'] or exact)
    b.equal([row[0] for row in page.rows('quantisation')], [x['name'] or x['kind'] for x in layers], 'names')
    b.equal([[float(x) for x in row[-2:]] for row in page.values('quantisation')],
            [[float('%.9g' % (x[key] or exact)) for key in ('layer_snr_db', 'own_snr_db')] for x in layers], 'dB')
    b.contains(''.join(page.section('quantisation').itertext()), '%.1f dB on 32 calibration images' % want['snr_db'])


def images_in_a_row(b):
    """with frames: cards, and the picture of an interval, in which the PEs work as much as the number says"""
    options = ['--frames=5', '--extra-pes=8', '--duplicate=interval']
    want = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim', *options).stdout)
    page = report(b, *options)
    names = SECTIONS[:2] + ['steady'] + SECTIONS[2:]
    b.equal([s.get('id') for s in page.root.iter('section')], names, 'sections')
    b.equal([e.get('href') for e in page.root.find('.//nav').iter('a')], ['#' + s for s in names], 'links')
    keys = ('frames', 'latency_cycles', 'initiation_interval_cycles', 'interval_bound_cycles', 'steady_utilisation', 'images_per_second', 'makespan_cycles')
    b.equal([page.data[k] for k in keys], [want[k] for k in keys], 'data')
    cards = [''.join(e.itertext()) for e in page.root.iter('div') if e.get('class') == 'card']
    for number in ('%d cycles' % want['initiation_interval_cycles'], '%s images/s' % format(round(want['images_per_second']), ','), '%d cycles' % want['latency_cycles']['max']):
        b.expect(any(number in card for card in cards), 'no card says %s: %r' % (number, cards))
    titles = [e.text for e in page.section('steady').iter('{http://www.w3.org/2000/svg}title')]
    bars = [re.search(r'cycles ([0-9,]+)-([0-9,]+), .* (\d+) % busy, (\d+) PEs?, tile \d+, image (\d+) before', t).groups() for t in titles]
    b.expect('0' in {bar[4] for bar in bars} and len({bar[4] for bar in bars}) > 1, 'images at one time')
    busy = sum((int(end.replace(',', '')) - int(start.replace(',', ''))) * int(share) / 100 * int(pes) for start, end, share, pes, _ in bars)
    all_cycles = want['initiation_interval_cycles'] * want['pes']
    b.expect(abs(busy / all_cycles - want['steady_utilisation']) < 0.01, 'bars %g, utilisation %g' % (busy / all_cycles, want['steady_utilisation']))


def crossbars_filled(b):
    """cells of each PE that hold weights: a layer's PEs together hold its kernel once for each pixel of the patch; JSON's share of it"""
    for options in (['--mapping=im2col'], ['--mapping=window', '--extra-pes=9'], ['--patch=1=2x2', '--extra-pes=9', '--arch-field=rows=64', '--arch-field=cols=24', '--arch-field=crossbars=3']):
        page = report(b, *options)
        data = page.data
        cells = dict(re.findall(r'(rows|cols)=(\d+)', ' '.join(options)))
        size = int(cells.get('rows', 256)) * int(cells.get('cols', 256))
        b.equal(data['n_crossbars'], data['pes_used'], 'PEs')
        b.equal([(x['tile'], x['pe']) for x in data['crossbars']], sorted({(x['tile'], x['pe']) for x in data['crossbars']}), 'each once, in order')
        for i, (layer, n) in enumerate(zip(data['base_layers'], WEIGHTS)):
            own = [x['cells'] for x in data['crossbars'] if (x['layer'], x['copy']) == (i, 0)]
            b.equal(len(own), layer['pes'], 'PEs of layer %d' % i)
            b.expect(0 < min(own) and max(own) <= size and sum(own) % n == 0, '%d cells of layer %d' % (sum(own), i))
            b.expect(abs(sum(own) / (size * len(own)) - layer['fill']) < 1e-12, 'share of layer %d' % i)
            b.equal(sum(own), n * layer['patch'][0] * layer['patch'][1], 'pixels of a product')
        titles = [e.text for e in page.section('mapping').iter('{http://www.w3.org/2000/svg}title')]
        b.equal(len([t for t in titles if ' cells, ' in t]), data['n_crossbars'], 'PEs drawn')


def schedule(b, options):
    return b.run('compile', b.model, '-o', 'p.cim', '--schedule-out=-', *options).stdout.splitlines()[1:]


def sums_agree(b):
    """work, buffers and path add up to utilisation, tiles and makespan"""
    for options in (['--extra-pes=9', '--arch-field=crossbars=2'], ['--schedule=layer', '--arch-field=crossbars=1'],
                    ['--set=1x*', '--arch-field=lanes=16', '--arch-field=link_bytes_per_cycle=8', '--arch-field=dram_cycles=9',
                     '--arch-field=hop_cycles=3', '--arch-field=topology=mesh', '--arch-field=crossbars=2']):
        data = report(b, *options).data
        busy = sum(t['pe_busy_cycles'] for t in data['tiles'])
        b.expect(abs(busy / (data['pes'] * data['makespan_cycles']) - data['utilisation']) < 1e-12, 'utilisation of %s' % options)
        path = data['path']
        b.equal([path[0]['start'], path[-1]['end']], [0, data['makespan_cycles']], 'path of %s' % options)
        b.expect(all(x['end'] == y['start'] and x['end'] > x['start'] for x, y in zip(path, path[1:])), 'a gap: %r' % path)
        bytes_of = collections.Counter()
        for x in data['buffers']:
            b.expect(0 < x['peak_rows'] <= x['ring_rows'] <= x['rows'], 'buffer: %r' % x)
            bytes_of[x['tile']] += (x['bytes'] + 63) // 64 * 64
        for i, t in enumerate(data['tiles']):
            constants = t['buffer_bytes'] - bytes_of[i]    # of vector programs
            b.expect(constants >= 0 and constants % 64 == 0, 'bytes of tile %d: %d' % (i, constants))
            b.expect(0 < t['peak_bytes'] <= t['buffer_bytes'], 'peak of tile %d' % i)


def tables_of(text):
    """Per tile of a disassembled program: channels of its views, targets of its routes, its sends, loads and stores."""
    tiles = []
    for line in text.splitlines():
        if line.startswith('tile '):
            tiles.append({'views': {}, 'routes': {}, 'moves': []})
        fields = dict(re.findall(r'(\w+)=(\d+)', line))
        if re.match(r'view \d+ ', line):
            tiles[-1]['views'][int(line.split()[1])] = int(fields['channels'])
        elif re.match(r'route \d+ ', line):
            targets = re.findall(r'\{([^}]*)\}', line)  # a field that is 0 is not printed
            tiles[-1]['routes'][int(line.split()[1])] = [int((re.findall(r'\btile=(\d+)', t) or [0])[0]) for t in targets]
        found = re.search(r'q\d+\.(send|load|store) [rb](\d+) (?:a|dst)=v(\d+)', line)
        if found:
            size = int(fields['h']) * int(fields['w']) * tiles[-1]['views'][int(found.group(3))] * 4
            tiles[-1]['moves'].append((found.group(1), int(found.group(2)), size))
    return tiles


def same_as_program(b):
    """traffic and DRAM bytes are those of the program's own instructions"""
    for options in (['--extra-pes=12', '--arch-field=crossbars=2'], ['--arch-field=crossbars=1', '--set=1x*'],
                    ['--extra-pes=7', '--arch-field=crossbars=3', '--cut=h', '--schedule=layer']):
        data = report(b, *options).data
        b.run('compile', b.model, '-o', 'p.cim', *options)
        traffic, messages = collections.Counter(), collections.Counter()
        for i, tile in enumerate(tables_of(b.run('dis', 'p.cim').stdout)):
            sums = collections.Counter()
            for kind, what, size in tile['moves']:
                sums[kind] += size
                for to in tile['routes'][what] if kind == 'send' else []:
                    if to != i:
                        traffic[i, to] += size
                        messages[i, to] += 1
            b.equal(data['tiles'][i]['read_bytes'], sums['load'], '%s: read by tile %d' % (options, i))
            b.equal(data['tiles'][i]['written_bytes'], sums['store'], '%s: written by tile %d' % (options, i))
            b.equal(data['tiles'][i]['sent_bytes'] + data['tiles'][i]['copied_bytes'], sums['send'], '%s: sent by %d' % (options, i))
        b.expect(traffic, 'no traffic with %s' % options)
        b.equal({(t['from'], t['to']): t['bytes'] for t in data['traffic']}, dict(traffic), '%s: traffic' % options)
        b.equal({(t['from'], t['to']): t['messages'] for t in data['traffic']}, dict(messages), '%s: messages' % options)


def cost_of_movement(b):
    """the other machine's makespan is what compiling for it gives, in both directions"""
    b.write('costs.yaml', 'name: costs\n' + ''.join('%s: %s\n' % item for item in COSTS.items()))
    fields = ['--arch-field=%s=%s' % item for item in COSTS.items()]
    common = ['--extra-pes=5', '--set=1x4', '--arch-field=crossbars=2']
    makespan = {}
    for name, options in (('free', common), ('priced', common + fields)):
        makespan[name] = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim', *options).stdout)['makespan_cycles']
    page = report(b, '--report-arch=costs.yaml', *common)
    b.equal({k: v['makespan_cycles'] for k, v in page.data['movement'].items()}, makespan, 'from the free machine')
    b.equal(page.data['makespan_cycles'], makespan['free'], 'the page is about the machine asked for')
    shown = {row[0]: row[1:] for row in page.rows('movement')}
    b.equal(shown['makespan'], ['%s cycles' % format(makespan[k], ',') for k in ('free', 'priced')], 'the table')
    exact = dict(zip((row[0] for row in page.rows('movement')), page.values('movement')))
    hops = page.data['traffic'] and sum(t['bytes'] for t in page.data['traffic'])
    b.equal(int(exact['carried over links (bytes x hops)'][1]), hops, 'one hop between any two tiles')
    b.expect(int(exact['carried over links (bytes x hops)'][2]) > hops, 'a mesh of more than two tiles has longer ways')
    back = report(b, *common, *fields)
    free = [f for f in fields if 'mvm_cycles' in f or 'cycle_ps' in f or 'topology' in f]
    makespan['free'] = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim', *common, *free).stdout)['makespan_cycles']
    b.equal({k: v['makespan_cycles'] for k, v in back.data['movement'].items()}, makespan, 'from the priced machine')
    b.contains(b.run('report', b.model, '-o', 'x.html', '--report-arch=absent', code=1).stderr, 'absent: error: cannot open')
    b.expect(not os.path.exists(b.path('x.html')), 'a page in spite of the error')


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = collections.Counter()

    def handle_starttag(self, tag, attrs):
        self.seen[tag] += 1


def odd_names(b):
    """names from the model are text: no markup, no end of a script, valid UTF-8"""
    with open(b.model, 'rb') as f:
        model = f.read()
    old = b'/conv1/Conv'
    plain = Tags()
    plain.feed(report(b).text)
    for new in (b'</script >x', b'<b>&\xff"\'---\x01', b']]><!--<scr', b'<script>\xc0\xaf1'):
        b.equal(len(new), len(old), 'length of %r' % new)
        b.write('odd.onnx', model.replace(old, new))
        page = report(b, model='odd.onnx')
        tags = Tags()
        tags.feed(page.text)
        b.equal(tags.seen, plain.seen, 'elements with %r' % new)
        name = page.data['base_layers'][0]['name']
        b.equal(page.rows('mapping')[0][1], re.sub('[\x00-\x1f]', '?', name), 'shown name of %r' % new)


def no_base_layer(b):
    """a network without base layers has a makespan of 0 and still a page, without values that are no numbers"""
    relu = field(1, b'x') + field(2, b'y') + field(4, b'Relu')
    b.write('relu.onnx', model([relu], [], [value_info(b'x', 1, 3)], [value_info(b'y', 1, 3)]))
    page = report(b, model='relu.onnx')
    b.equal([page.data['makespan_cycles'], page.data['base_layers'], page.data['path']], [0, [], []], 'data')
    b.expect(not re.search(r'\b(nan|inf)\b', page.text), 'values that are no numbers')
    priced = report(b, '--arch-field=lanes=2', model='relu.onnx')
    b.equal([(x['work'], x['start'], x['end']) for x in priced.data['path']], [('vector', 0, 2)], '3 results on 2 lanes')


def same_bytes(b):
    """equal input gives equal bytes; default name; standard output"""
    first = report(b, '--extra-pes=3').text
    b.equal(report(b, '--extra-pes=3').text, first, 'again')
    b.expect(b.run('report', b.model, '-o', '-', '--extra-pes=3').data.decode() == first, '-o - writes something else')
    done = b.run('report', b.model, '--extra-pes=3')
    b.equal([done.stdout, done.stderr, b.read('digits.html').decode()], ['', '', first], 'default name')
    b.equal(sorted(os.listdir(b.folder)), ['digits.html', 'r.html'], 'files')
    b.run('report', b.model, '-o', 'r.html', '--pes=1', code=1)
    b.equal(b.read('r.html').decode(), first, 'kept after a failure')


if __name__ == '__main__':
    sys.exit(run_cases([stands_alone, same_numbers, first_sentences, what_would_help, drawings, energy, quantisation, images_in_a_row, crossbars_filled, sums_agree, same_as_program, cost_of_movement, odd_names, no_base_layer, same_bytes]))
