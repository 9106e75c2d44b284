# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What comes out: reports, answers of the bundled model, programs as bytes and text.

usage: programs_test.py CIMC ROOT
"""
import csv
import glob
import json
import os
import re
import shutil
import struct
import sys
import xml.etree.ElementTree
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interpreter'))
from bench import run_cases  # noqa: E402
from interpret import read_text  # noqa: E402
from program_file import read_container  # noqa: E402

COMPILE_KEYS = ['version', 'options', 'machine', 'model', 'arch', 'mode', 'mode_reason', 'missing_tensors', 'set', 'cut', 'n_tiles', 'base_layers', 'pe_min', 'pes', 'pes_used', 'cycle_ps',
                'layer_by_layer_cycles', 'layer_by_layer_seconds', 'makespan_cycles', 'makespan_seconds', 'speedup', 'utilisation', 'lower_bound_cycles', 'lower_bound_seconds', 'bottleneck', 'duplication', 'crossbar_macs', 'vector_macs', 'vector_is_free', 'n_instructions', 'code_bytes', 'most_code_bytes', 'program_bytes', 'energy', 'tiles', 'seconds',
                'peak_rss_bytes']
COMPILE_SECONDS = ['import', 'passes', 'schedule', 'emit', 'check', 'write']
ORIGIN = ['version', 'options', 'machine']
SIM_SECONDS = ['simulate', 'evaluate']
OUTPUT_KEYS = ['name', 'shape', 'max_abs_error', 'max_abs_reference', 'n_different', 'max_steps', 'pass']

# Name, (h, w, c) of the output, PEs of 256 x 256: ceil(KH*KW*KI / 256) * ceil(KO / 256), from the model's shapes.
LAYERS = [('/conv1/Conv', [28, 28, 16], 1), ('/block1/conv1/Conv', [14, 14, 16], 1), ('/block1/conv2/Conv', [14, 14, 16], 1),
          ('/conv2/Conv', [7, 7, 32], 1), ('/block2/conv1/Conv', [7, 7, 32], 2), ('/block2/conv2/Conv', [7, 7, 32], 2),
          ('/dense/Gemm', [1, 1, 10], 1)]
SUM_CYCLES = 28 * 28 + 2 * 14 * 14 + 3 * 7 * 7 + 1
PIXELS = '--mapping=im2col'    # a product yields one output pixel
# Kernel, input channels, stride of each layer, from the same model.
WINDOWS = [(3, 1, 1), (3, 16, 1), (3, 16, 1), (3, 16, 2), (3, 32, 1), (3, 32, 1), (1, 32, 1)]


WEIGHTS = [9 * 16, 9 * 16 * 16, 9 * 16 * 16, 9 * 16 * 32, 9 * 32 * 32, 9 * 32 * 32, 32 * 10]


def check_layers(b, report):
    fill = [n / (pes * 256 * 256) for n, (_, _, pes) in zip(WEIGHTS, LAYERS)]
    b.equal([x['fill'] for x in report['base_layers']], fill, 'cells that hold a weight')
    got = [(x['name'], x['ofm'], x['pes'], x['cycles'], x['copies']) for x in report['base_layers']]
    b.equal(got, [(name, ofm, pes, ofm[0] * ofm[1], 1) for name, ofm, pes in LAYERS], 'base layers')
    b.equal([report['pe_min'], report['pes'], report['layer_by_layer_cycles']], [9, 9, SUM_CYCLES], 'PEs and cycles')


def compile_json(b):
    """compile --json has the documented keys, and values that fit each other"""
    report = json.loads(b.run('compile', b.model, PIXELS, '--json', '-o', 'p.cim').stdout)
    b.equal(list(report), COMPILE_KEYS, 'keys')
    b.equal(list(report['seconds']), COMPILE_SECONDS, 'stages')
    check_layers(b, report)
    b.equal(report['duplication'], {'objective': 'sum', 'value': SUM_CYCLES, 'status': 'optimal'}, 'duplication')
    b.equal(report['program_bytes'], len(b.read('p.cim')), 'program bytes')
    tiles = read_container(b.read('p.cim'), read_text('proto', 'program.proto'))
    streams = [len(tiles.data[t.stream]) for t in tiles.tiles]
    b.equal([report['code_bytes'], report['most_code_bytes']], [sum(streams), max(streams)], 'code bytes')
    b.equal([t['code_bytes'] for t in report['tiles']], streams, 'code bytes of tiles')
    b.equal([t['buffer_bytes'] for t in report['tiles']], [t.buffer_bytes for t in tiles.tiles], 'buffers of tiles')
    b.equal([sum(t['pes'] for t in report['tiles']), sum(t['weight_bytes'] for t in report['tiles'])], [9, sum(WEIGHTS)], 'PEs and weights of 8 bits')
    b.run('dump', 'p.cim', '-o', 'dump', '--format=bin')
    for i, t in enumerate(report['tiles']):
        tables = glob.glob(os.path.join(b.folder, 'dump', 'tile_%04d' % i, 'table_*.bin'))
        b.equal(t['table_bytes'], sum(map(os.path.getsize, tables)), 'tables of tile %d' % i)
        row = ['%d' % i, *('%d' % t[key] for key in ('code_bytes', 'table_bytes', 'weight_bytes', 'buffer_bytes')), '%.1f' % (100 * (t['code_bytes'] + t['table_bytes']) / t['weight_bytes']), '%']
        b.expect(row in [line.split() for line in b.read('dump/map.txt').decode().splitlines()], 'the map has no %r' % row)
    b.expect(abs(report['speedup'] * report['makespan_cycles'] - SUM_CYCLES) < 1e-6, 'speedup')
    busy = sum(ofm[0] * ofm[1] * pes for _, ofm, pes in LAYERS)
    b.expect(abs(report['utilisation'] - busy / 9 / report['makespan_cycles']) < 1e-9, 'utilisation')
    layers = report['base_layers']    # a product of a PE takes one cycle of 1,400 ns
    b.equal([x['busy_cycles'] for x in layers], [ofm[0] * ofm[1] * pes for _, ofm, pes in LAYERS], 'busy')
    b.equal([x['slices'] for x in layers], [[pes, 1] for _, _, pes in LAYERS], 'slices')
    b.equal([x['matrix'] for x in layers], [[9, 16], [144, 16], [144, 16], [144, 32], [288, 32], [288, 32], [32, 10]], 'matrices')
    b.equal([[sum(x['slice_rows']), x['block_columns']] for x in layers], [[x['matrix'][0], x['matrix'][1:]] for x in layers], 'rows and columns of slices')
    b.equal([x['cells_used'] for x in layers], WEIGHTS, 'cells')
    b.equal(sorted({t for x in layers for t in x['tiles']}), list(range(report['n_tiles'])), 'tiles')
    b.equal([layers[0]['start'], layers[0]['end'], max(x['end'] for x in layers)], [0, 784, report['makespan_cycles']], 'from the first cycle to the last')
    b.equal(report['bottleneck'], {'layer': '/conv1/Conv', 'cycles': 784, 'seconds': 0.0010976, 'share': 784 / report['makespan_cycles']}, 'bottleneck')
    b.equal([report['cycle_ps'], report['layer_by_layer_seconds']], [1400000, 0.0018536], 'times')


def peak_memory(b):
    """peak_rss_bytes is the program's own, however large the process that starts it"""
    large = bytearray(400 << 20)
    large[::4096] = b'x' * len(large[::4096])
    report = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim').stdout)
    b.expect(1 << 20 < report['peak_rss_bytes'] < len(large), 'peak memory: %d bytes' % report['peak_rss_bytes'])


def layer_by_layer_json(b):
    """one layer after the other takes the sum of the layers' cycles; speedup 1"""
    report = json.loads(b.run('compile', b.model, PIXELS, '--json', '-o', 'p.cim', '--schedule=layer', '--duplicate=none').stdout)
    check_layers(b, report)
    b.equal([report['makespan_cycles'], report['speedup']], [SUM_CYCLES, 1], 'makespan and speedup')
    b.equal(report['duplication']['objective'], 'none', 'objective')


def copies_from_files(b):
    """--copies @FILE and --patch @FILE: what --json printed gives the same program again; lines; what is no such file; programs name no file"""
    done = b.run('compile', b.model, '--extra-pes=8', '--json', '-o', 'a.cim')
    b.write('point.json', done.stdout)
    again = json.loads(b.run('compile', b.model, '--extra-pes=8', '--copies=@point.json', '--patch=@point.json', '--json', '-o', 'b.cim').stdout)
    b.equal(again['base_layers'], json.loads(done.stdout)['base_layers'], 'base layers')
    b.expect(not any('@' in word for word in again['options']), 'options: %s' % again['options'])
    text = [re.sub(r'(options|section) .*', '', b.run('dis', name).stdout) for name in ('a.cim', 'b.cim')]
    b.equal(text[1], text[0], 'programs')
    b.write('lines', '# two of one\n\n /conv1/Conv=2 \r\n1=1\n')
    lines = json.loads(b.run('compile', b.model, PIXELS, '--extra-pes=8', '--copies=@lines', '--json', '-o', 'c.cim').stdout)
    b.equal([x['copies'] for x in lines['base_layers']], [2, 1, 1, 1, 1, 1, 1], 'copies')
    b.contains(b.run('compile', b.model, PIXELS, '--extra-pes=8', '--copies=@lines', '-o', 'c.cim').stdout, '\nduplication given: %d cycles\n' % lines['duplication']['value'])
    for what in ('', '# nothing\n', '{"base_layers": []}', '{"base_layers": [{"copies": 2}', '{"a": [[[{"copies": 1}]]]}', 'a=1\0'):
        b.write('bad', what)
        b.fails('compile', b.model, '--copies=@bad', code=1, message='bad: error: neither lines of LAYER=N nor what compile --json printed [data]')
    b.fails('compile', b.model, '--patch=@absent', code=1, message='absent: error: cannot open: No such file or directory [io]')
    b.write('evil.s', b.run('dis', '--inline', 'a.cim').stdout.replace('--extra-pes=8', '--extra-pes=8 --copies=@lines'))
    b.run('asm', 'evil.s', '-o', 'evil.cim')
    b.contains(b.run('check', 'evil.cim', '--model', b.model, code=1).stderr, "error: the program's options: unknown option --copies [program]")


def run_json(b):
    """run --json holds compile's keys too; sim --json; check --json"""
    report = json.loads(b.run('run', b.model, PIXELS, '--json', '--test-data', b.test_data(0), '-o', 'p.cim').stdout)
    b.equal(sorted(report), sorted(COMPILE_KEYS + ['simulated_cycles', 'simulated_seconds', 'outputs']), 'keys of run')
    b.equal(sorted(report['seconds']), sorted(COMPILE_SECONDS + SIM_SECONDS), 'stages of run')
    check_layers(b, report)
    b.equal(report['simulated_cycles'], report['makespan_cycles'], 'cycles')
    b.equal([list(o) for o in report['outputs']], [OUTPUT_KEYS], 'keys of outputs')
    b.equal([report['outputs'][0][k] for k in ('name', 'shape', 'pass')], ['logits', [1, 10], True], 'output')
    sim = json.loads(b.run('sim', 'p.cim', '--json', '--test-data', b.test_data(0)).stdout)
    b.equal(sorted(sim), sorted(['version', 'options', 'machine', 'cycle_ps', 'program', 'simulated_cycles', 'simulated_seconds', 'utilisation', 'outputs', 'energy', 'seconds', 'peak_rss_bytes']), 'keys of sim')
    b.equal([sim[k] for k in ORIGIN + ['simulated_cycles', 'simulated_seconds', 'utilisation', 'outputs', 'energy']],
            [report[k] for k in ORIGIN + ['simulated_cycles', 'simulated_seconds', 'utilisation', 'outputs', 'energy']], 'sim and run')
    blind = json.loads(b.run('sim', 'p.cim', '--json', '--input-fill=random:3').stdout)
    b.equal([blind['outputs'][0][k] for k in OUTPUT_KEYS[2:]], [None] * 5, 'outputs without a reference')
    origin = {k: report[k] for k in ORIGIN}
    proof = json.loads(b.run('check', 'p.cim', '--json', '--model', b.model).stdout)
    b.equal(proof, dict(origin, program='p.cim', model=b.model, proved=['form', 'progress', 'races', 'meaning'], not_proved=[]), 'check')
    proof = json.loads(b.run('check', 'p.cim', '--json').stdout)
    b.equal(proof, dict(origin, program='p.cim', model=None, proved=['form', 'progress', 'races'], not_proved=[]), 'check without a model')


def compile_table(b):
    """compile's table for people"""
    lines = b.run('compile', b.model, PIXELS).stdout.splitlines()
    b.equal([line.split() for line in lines[:9]],
            ['layer output h x w x c PEs cycles copies'.split()] +
            [[name, *' x '.join(map(str, ofm)).split(), str(pes), str(ofm[0] * ofm[1]), '1'] for name, ofm, pes in LAYERS] + [[]],
            'layers')
    b.equal(lines[9:11], ['7 base layers, 9 of 9 PEs needed, 2 tiles, sets 1x1', 'duplication sum: 1324 cycles (optimal)'], 'summary')
    bound = re.fullmatch(r'no copies that fit take less than (\d+) cycles: gap [\d.]+ %', lines[11])
    b.expect(bound and int(bound.group(1)) <= int(re.match(r'makespan (\d+)', lines[13]).group(1)), '%s; %s' % (lines[11], lines[13]))
    del lines[11]
    b.expect(re.fullmatch(r'bottleneck /conv1/Conv, 784 cycles = 1.1 ms, [\d.]+ % of the makespan', lines[11]), lines[11])
    del lines[11]
    b.expect(re.fullmatch(r'makespan \d+ cycles = [\d.]+ ms, layer by layer 1324 = 1.85 ms, speedup [\d.]+, utilisation [\d.]+ %', lines[11]), lines[11])
    b.expect(re.fullmatch(r'\d+ instructions, \d+ bytes of code, program \d+ bytes', lines[12]), lines[12])
    b.equal(lines[13:], ['multiply-adds: 2145344 on crossbars, 0 on vector units', 'mode f32: no base layer has a quantised input', "dimension 0 of input 'image', 'batch', is free and taken as 1 (--dim batch=SIZE)", 'wrote digits.cim'], 'the rest')
    filled = b.run('compile', b.model, PIXELS, '--fill', '--arch-field=weight_bits=4', '--arch-field=cell_bits=2').stdout.splitlines()    # two columns a weight
    b.equal([line.split()[-2:] for line in filled[1:8]], [['%.1f' % (200 * n / (pes * 256 * 256)), '%'] for n, (_, _, pes) in zip(WEIGHTS, LAYERS)], 'fill')
    b.equal(b.run('compile', b.model, '--dim=batch=1').stdout.splitlines()[17:], ['wrote digits.cim'], 'nothing was taken as 1')
    patches = ['--patch=0=2x14', '--patch=/conv2/Conv=7x1']
    lines = b.run('compile', b.model, PIXELS, *patches, '--extra-pes=3', '--duplicate=none').stdout.splitlines()
    b.equal([line.split()[-4:] for line in lines[:5]],
            [['PEs', 'cycles', 'copies', 'patch'], ['2', str(14 * 2), '1', '2x14'], ['1', '196', '1', '1x1'], ['1', '196', '1', '1x1'],
             ['3', '7', '1', '7x1']], 'column of patches')


def table_of_shared_crossbars(b):
    """layers that use one set of crossbars are one line of the table, with the cycles of all"""
    model = os.path.join(b.root, 'tests', 'numeric', 'cases', 'batch_of_windows', 'model.onnx')
    lines = b.run('compile', model, PIXELS, '-o', 'windows.cim').stdout.splitlines()
    b.equal(lines[1].split(), ['/c/Conv/0', 'x16', *'4 x 4 x 5'.split(), '1', str(16 * 4 * 4), '1'], 'sixteen windows')
    b.equal(lines[5:7], ['', '19 base layers, 4 of 4 PEs needed, 1 tile, sets 1x1'], 'four sets of crossbars')


def ten_images(b):
    """run gives PyTorch's outputs for all ten images"""
    b.run('compile', b.model, '-o', 'p.cim')
    for k in range(10):
        done = b.run('run', b.model, '--program', 'p.cim', '--test-data', b.test_data(k), '--save-outputs', 'answer')
        b.expect(re.search(r"^output 0 'logits' f32\[1x10\]: largest error \S+ of \S+: PASS$", done.stdout, re.MULTILINE), done.stdout)
        npy = b.read('answer/output_0.npy')
        b.expect(npy[:6] == b'\x93NUMPY' and b"'descr': '<f4'" in npy and b'(1, 10,' in npy, 'not a .npy file of [1, 10]')
        with open(os.path.join(b.test_data(k), 'output_0.pb'), 'rb') as f:
            wanted = struct.unpack('<10f', f.read()[-40:])
        got = struct.unpack('<10f', npy[-40:])
        b.expect(max(abs(x - y) for x, y in zip(got, wanted)) <= 1e-4 * max(map(abs, wanted)), 'set %d: %s' % (k, got))


def saved_outputs_as_inputs(b):
    """a .npy input gives what the same .pb input gives"""
    with open(os.path.join(b.test_data(2), 'input_0.pb'), 'rb') as f:
        values = f.read()[-4 * 28 * 28:]
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }"
    header += ' ' * (-(10 + len(header) + 1) % 64) + '\n'
    b.write('in.npy', b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode() + values)
    b.run('run', b.model, '--input=in.npy', '--save-outputs=a')
    b.run('run', b.model, '--test-data', b.test_data(2), '--save-outputs=b')
    b.expect(b.read('a/output_0.npy') == b.read('b/output_0.npy'), 'other answers')
    b.write('short.npy', b.read('in.npy')[:-4])
    b.run('run', b.model, '--input=short.npy', code=1)
    b.write('two.npy', b.read('in.npy').replace(b'(1, 1,', b'(2, 1,') + values)
    b.run('run', b.model, '--input=two.npy', '--save-outputs=c')
    b.expect(b.read('c/output_0.npy')[-40:] == b.read('a/output_0.npy')[-40:] == b.read('c/output_0.npy')[-80:-40], 'two images are two frames')
    b.write('other.npy', b.read('in.npy').replace(b'(1, 1, 28, 28)', b'(1, 1, 14, 56)'))
    message = "other.npy: error: the tensor is f32[1x1x14x56], 'image' of the model is f32[1x1x28x28] [data]\n"
    b.equal(b.run('run', b.model, '--input=other.npy', code=1).stderr, message
            + "cimc: note: dimension 0 of input 'image', 'batch', is free and taken as 1 (--dim batch=SIZE)\n", 'another shape')
    b.equal(b.run('run', b.model, '--dim=batch=1', '--input=other.npy', code=1).stderr, message, 'nothing was taken as 1')


def wrong_reference(b):
    """a wrong expected output exits 1, says FAIL and which output"""
    shutil.copytree(b.test_data(0), b.path('set'))
    data = b.read('set/output_0.pb')
    last = struct.unpack('<f', data[-4:])[0]
    b.write('set/output_0.pb', data[:-4] + struct.pack('<f', last + 1))
    done = b.run('run', b.model, '--test-data=set', code=1)
    b.contains(done.stdout, ': FAIL')
    b.expect(re.fullmatch(r"cimc: error: output 0 'logits' differs by 1 of \S+, worst at \[0, 9\]: \S+, expected \S+ \[mismatch\]\n"
                          r"cimc: note: the built-in evaluator agrees with the program: model and expected values differ\n", done.stderr),
             done.stderr)
    b.contains(b.run('run', b.model, '--test-data=set', '--tolerance=0.5').stdout, ': PASS\n')
    b.fails('run', b.model, '--tolerance=2', code=2, message="cimc: error: --tolerance: '2' is not a number from 0 to 1 [usage]")
    b.run('compile', b.model, '-o', 'p.cim')    # without the model there is no evaluator to ask
    b.equal(b.run('sim', 'p.cim', '--test-data=set', code=1).stderr.count('note'), 0, 'notes')
    report = json.loads(b.run('run', b.model, '--test-data=set', '--json', code=1).stdout)
    b.equal(report['outputs'][0]['pass'], False, 'pass')


# Sigmoid of a dense layer: 8 inputs, y[1x1]. Input and expected output are ONNX Runtime's.
SIGMOID = ('08071204636173653a84010a120a01780a01770a0162120161220447656d6d0a0f0a016112017922075369676d6f69641201672a2b08080801100142'
           '01774a20cf9e4ebcbae428bd0a169bbc38d84cbddc49383ca32f3b3d1eba0b3dd429063d2a0d080110014201624a04cdcc54c15a130a0178120e0a0c'
           '080112080a0208010a02080862090a017912040a02080142040a00100d')
SIGMOID_IN = '0801080810014201784a205b50523fb26df8beb047a23fdca2afbfb39d763f803f1d3c84f93cbfc66985bf'
SIGMOID_OUT = '0801080110014201794a040000e435'    # 1.69873238e-06, 1.4e-8 from the exact value


def tiny_values(b):
    """an output that was rounded away beside larger values passes absolutely, and --tolerance scales that"""
    b.write('m.onnx', bytes.fromhex(SIGMOID))
    os.mkdir(b.path('set'))
    b.write('set/input_0.pb', bytes.fromhex(SIGMOID_IN))
    b.write('set/output_0.pb', bytes.fromhex(SIGMOID_OUT))
    b.contains(b.run('run', 'm.onnx', '--test-data=set', '--compare-layers').stdout, "output 0 'y' f32[1x1]: largest error 1.38e-08 of 1.7e-06: PASS (absolute)\n")
    # 2^-22 = 2.4e-7 is for 1e-4; a tenth of it still is more than 1.38e-8, a hundredth is less.
    b.contains(b.run('run', 'm.onnx', '--test-data=set', '--tolerance=1e-5').stdout, ': PASS (absolute)\n')
    b.contains(b.run('run', 'm.onnx', '--test-data=set', '--tolerance=1e-6', code=1).stdout, ': FAIL\n')
    b.contains(b.run('run', 'm.onnx', '--test-data=set', '--tolerance=0.01').stdout, ': PASS\n')


def times_only(b):
    """sim without values says so and simulates times only; what needs values is refused"""
    b.run('compile', b.model, '-o', 'p.cim')
    last = b.run('sim', 'p.cim', '--input-fill=ramp').stdout.splitlines()[-1]
    b.equal(b.run('sim', 'p.cim').stdout, 'no values, so times only: --test-data, --input or --input-fill gives the inputs\n%s\n' % last, 'sim')
    b.equal(json.loads(b.run('sim', 'p.cim', '--json', '--model', b.model).stdout)['outputs'][0],
            {'name': 'logits', 'shape': [1, 10], 'max_abs_error': None, 'max_abs_reference': None, 'n_different': None, 'max_steps': None, 'pass': None}, 'output')
    b.fails('sim', 'p.cim', '--save-outputs=s', code=1, message="cimc: error: input 0 'image', f32[1x1x28x28], has no values; "
            'give --test-data, --input or --input-fill [data]')


def no_folders(b):
    """report, trace and picture do not depend on the folder that the model lies in"""
    os.makedirs(b.path('secret/place'))
    shutil.copy(b.model, b.path('secret/place/m.onnx'))
    shutil.copy(b.model, b.path('m.onnx'))
    made = []
    for model in ('m.onnx', 'secret/place/m.onnx'):
        b.run('report', model, '-o', 'r.html')
        b.run('compile', model, '--trace=t.json', '--schedule-svg=s.svg')
        made.append([b.read(name) for name in ('r.html', 't.json', 's.svg')])
    b.expect(made[0] == made[1], 'other bytes')


def options_matter(b):
    """every set shape, cut, schedule and number of copies gives the right answers, cycles as scheduled"""
    sets = ['auto', 'pixel', '1x*', '2x*', '3x5']
    for k, shape in enumerate(sets):
        b.run('run', b.model, '--set', shape, '--test-data', b.test_data(k), '--compare-layers')
    for cut in ('w', 'h', '2d'):
        b.run('run', b.model, '--cut', cut, '--extra-pes=8', '--set=1x*', '--test-data', b.test_data(4), '--compare-layers')
    for crossbars in ('1', '64'):
        b.run('run', b.model, '--arch-field', 'crossbars=' + crossbars, '--extra-pes=4', '--test-data', b.test_data(5))
    b.run('run', b.model, '--schedule=layer', '--extra-pes=4', '--test-data', b.test_data(6))
    b.run('run', b.model, '--latency-seed=7', '--max-extra-cycles=9', '--test-data', b.test_data(7))


def least_interval(pes):
    """Least T such that copies of which none takes more than T cycles fit the PEs; cuts along the width"""
    for limit in range(1, SUM_CYCLES + 1):
        fewest = [(min((d for d in range(1, w + 1) if h * -(-w // d) <= limit), default=None), c)
                  for _, (h, w, _), c in LAYERS]
        if all(d for d, _ in fewest) and sum(d * c for d, c in fewest) <= pes:
            return limit
    return None


def least_sum(pes):
    """min of sum t_i / d_i with sum c_i * d_i <= pes and d_i <= columns of the output (cut by width)."""
    best = {pes: Fraction(0)}    # PEs left -> least sum so far
    for _, (h, w, _), c in LAYERS:
        step = {}
        for left, total in best.items():
            for d in range(1, min(w, left // c) + 1):
                key, value = left - c * d, total + Fraction(h * w, d)
                if key not in step or value < step[key]:
                    step[key] = value
        best = step
    return min(best.values())


def copies_for_a_pipeline(b):
    """--duplicate interval: no copy works longer; makespan: no slower than interval and sum, the same bytes again"""
    reports = {}
    for objective in ('sum', 'interval', 'makespan'):
        arguments = ['compile', b.model, PIXELS, '--json', '--extra-pes=32', '--duplicate', objective]
        reports[objective] = json.loads(b.run(*arguments, '-o', objective + '.cim').stdout)
        b.run(*arguments, '-o', 'again.cim')
        b.equal(b.read('again.cim'), b.read(objective + '.cim'), objective + ': bytes of a second run')
    longest = max(x['ofm'][0] * -(-x['ofm'][1] // x['copies']) for x in reports['interval']['base_layers'])
    b.equal([reports['interval']['duplication'][k] for k in ('objective', 'value', 'status')],
            ['interval', longest, 'optimal'], 'interval')
    b.equal(longest, least_interval(41), 'least interval')
    for objective in ('sum', 'interval'):
        b.expect(reports['makespan']['makespan_cycles'] <= reports[objective]['makespan_cycles'], 'slower than ' + objective)


def sets_for_a_pipeline(b):
    """--set auto with makespan is no slower than other sets, wherever messages take time; options of the result make the same program again"""
    for arch in ('clsa', 'mesh', 'isaac'):
        common = ['compile', b.model, '--json', '--arch', arch, '--extra-pes=9', '--duplicate=makespan']
        auto = json.loads(b.run(*common, '-o', 'auto.cim').stdout)
        for shape in ('pixel', '1x2', '1x8', '1x*', '2x*', '4x*'):
            other = json.loads(b.run(*common, '--set', shape, '-o', 'p.cim').stdout)
            b.expect(auto['makespan_cycles'] <= other['makespan_cycles'], '%s: slower than with %s' % (arch, shape))
        b.contains(auto['options'], '--set=' + auto['set'])
        b.run('compile', b.model, '--arch', arch, *auto['options'], '-o', 'again.cim')
        b.equal(b.read('again.cim'), b.read('auto.cim'), arch + ': made of the options again')


def duplication(b):
    """copies are those of the least sum of cycles, found here by dynamic programming"""
    for extra in (0, 1, 8, 32, 64):
        report = json.loads(b.run('compile', b.model, PIXELS, '--json', '--extra-pes=%d' % extra, '-o', 'p.cim').stdout)
        copies = [x['copies'] for x in report['base_layers']]
        total = sum(Fraction(ofm[0] * ofm[1], d) for (_, ofm, _), d in zip(LAYERS, copies))
        b.equal(total, least_sum(9 + extra), '+%d: sum of cycles of %s' % (extra, copies))
        b.expect(abs(report['duplication']['value'] - total) < 1e-9, '+%d: value' % extra)
        b.equal([report['pe_min'], report['pes']], [9, 9 + extra], 'PEs')
        b.expect(sum(c * d for (_, _, c), d in zip(LAYERS, copies)) <= 9 + extra, '+%d: more PEs than there are' % extra)


def crossbars_of(layer, patch):
    """PEs of 256 x 256 whose products yield the patch, pixel by pixel: 256 columns and what rows they read, 256 at a time."""
    (kernel, channels, stride), outputs = WINDOWS[layer], LAYERS[layer][1][2]
    pixels = [(y, x) for y in range(patch[0]) for x in range(patch[1])]
    total = 0
    for first in range(0, len(pixels) * outputs, 256):
        last = min(first + 256, len(pixels) * outputs) - 1
        read = {(y * stride + i, x * stride + j) for y, x in pixels[first // outputs:last // outputs + 1]
                for i in range(kernel) for j in range(kernel)}
        total += -(-len(read) * channels // 256)
    return total


def choices_of(layer, most):
    """(PEs, cycles of one copy, copies, cycles of the copy that works longest), cut along the width; every patch."""
    h, w, _ = LAYERS[layer][1]
    for a in range(1, h + 1):
        for c in range(1, w + 1):
            pes, rows, columns = crossbars_of(layer, (a, c)), -(-h // a), -(-w // c)
            for d in range(1, min(columns, most // pes) + 1):
                yield pes * d, rows * columns, d, rows * -(-columns // d)


def best_of(layers, pes, join, zero):
    """Least value, over one choice a layer within the PEs."""
    best = {0: zero}    # PEs used -> least value
    for choices in layers:
        step = {}
        for used, value in best.items():
            for more, own in choices.items():
                key, total = used + more, join(value, own)
                if key <= pes and (key not in step or total < step[key]):
                    step[key] = total
        best = step
    return min(best.values())


def least_of(layer, most, value):
    """PEs -> least value of a layer's choices."""
    out = {}
    for pes, cycles, copies, load in choices_of(layer, most):
        own = value(cycles, copies, load)
        if own is not None and (pes not in out or own < out[pes]):
            out[pes] = own
    return out


OBJECTIVES = {
    'none': (lambda cycles, copies, load: Fraction(cycles) if copies == 1 else None, lambda x, y: x + y),
    'sum': (lambda cycles, copies, load: Fraction(cycles, copies), lambda x, y: x + y),
    'interval': (lambda cycles, copies, load: load, max),
}


def patches(b):
    """with windows every objective's value is the least over all patches and copies, found here by dynamic programming"""
    for extra in (0, 8, 24):
        tables = {name: [least_of(i, extra + 2, value) for i in range(len(LAYERS))] for name, (value, _) in OBJECTIVES.items()}
        for objective, (_, join) in OBJECTIVES.items():
            report = json.loads(b.run('compile', b.model, '--mapping=window', '--json', '--extra-pes=%d' % extra, '--duplicate', objective,
                                      '-o', 'p.cim').stdout)
            where = '%s +%d: ' % (objective, extra)
            least = best_of(tables[objective], 9 + extra, join, 0)
            b.expect(abs(report['duplication']['value'] - least) < 1e-9, where + 'value %s, not %s' % (report['duplication'], least))
            b.equal(report['duplication']['status'], 'optimal', where + 'status')
            layers = report['base_layers']
            b.equal([(x['pes'], x['cycles']) for x in layers],
                    [(crossbars_of(i, x['patch']), -(-x['ofm'][0] // x['patch'][0]) * -(-x['ofm'][1] // x['patch'][1]))
                     for i, x in enumerate(layers)], where + 'PEs and cycles of the patches')
            b.equal(sum(x['pes'] * x['copies'] for x in layers), report['pes_used'], where + 'PEs used')
            b.expect(report['pes_used'] <= 9 + extra, where + 'too many PEs')
            b.equal([report['pe_min'], report['layer_by_layer_cycles']], [9, SUM_CYCLES], where + 'of single pixels')
            b.run('run', b.model, '--program=p.cim', '--test-data', b.test_data(1))
            b.run('check', 'p.cim', '--model', b.model)


def fixed_patches(b):
    """--patch goes for its layer, the others choose around it; what does not fit is an error"""
    report = json.loads(b.run('compile', b.model, '--mapping=window', '--json', '--patch=1=2x2', '--patch=/conv1/Conv=1x28', '--extra-pes=16', '-o', 'p.cim').stdout)
    b.equal([x['patch'] for x in report['base_layers'][:2]], [[1, 28], [2, 2]], 'patches')
    b.expect(report['base_layers'][2]['patch'] != [1, 1], 'the others choose')
    b.run('check', 'p.cim', '--model', b.model)
    for patch, message in (('0=29x1', "patch: '0' cannot have 29 x 1: its output is 28 x 28"),
                           ('0=0x1', "patch: '0' cannot have 0 x 1"),
                           ('none=1x1', "patch: there is no base layer 'none'"),
                           ('7=1x1', "patch: there is no base layer '7' (a name, or a number from 0 to 6)"),
                           ('0=28x28', 'with the patches asked for the network needs')):
        b.contains(b.run('compile', b.model, '--patch', patch, '-o', 'no.cim', code=1).stderr, message)
    b.contains(b.run('compile', b.model, '--patch=0=1x2', '--patch=/conv1/Conv=2x1', '-o', 'no.cim', code=1).stderr,
               "patch: '/conv1/Conv', or a layer with the same weights, is given two of them")


def schedule_views(b):
    """the schedule as CSV, SVG and trace events; every output pixel stands in it once"""
    report = json.loads(b.run('compile', b.model, PIXELS, '--json', '--extra-pes=8', '--schedule-out=s.csv', '--schedule-svg=s.svg',
                              '--trace=t.json', '-o', 'p.cim').stdout)
    rows = list(csv.DictReader(b.read('s.csv').decode().splitlines()))
    for name, (h, w, _), _ in LAYERS:
        pixels = [(y, x) for r in rows if r['layer'] == name for y in range(int(r['y']), int(r['y']) + int(r['h']))
                  for x in range(int(r['x']), int(r['x']) + int(r['w']))]
        b.equal(sorted(pixels), [(y, x) for y in range(h) for x in range(w)], name + ': pixels')
    b.expect(all(int(r['end']) - int(r['start']) == int(r['h']) * int(r['w']) for r in rows), 'a set of n pixels takes n cycles')
    b.equal(max(int(r['end']) for r in rows), report['makespan_cycles'], 'last end')
    trace = json.loads(b.read('t.json'))
    b.expect(len(trace['traceEvents']) > len(rows), 'trace events')
    xml.etree.ElementTree.fromstring(b.read('s.svg').decode())


def lp_file(b):
    """--lp-file writes the problem that was solved"""
    b.run('compile', b.model, PIXELS, '--extra-pes=8', '--lp-file=p.lp', '-o', 'p.cim')
    b.contains(b.read('p.lp').decode(), 'constant term = %d ' % SUM_CYCLES, 'extra_pes: ', '<= 8', 'End')
    text = b.run('opt', b.model, PIXELS, '--extra-pes=8', '--lp-file=-', '-o', '/dev/null').stdout
    b.equal(text, b.read('p.lp').decode(), 'the problem on standard output')
    b.fails('opt', b.model, '--extra-pes=8', '--lp-file=/dev/full', '-o', '/dev/null', code=1,
            message='/dev/full: error: cannot write: No space left on device [io]')


def same_bytes(b):
    """four compiles give the same bytes, at any number of threads and in any folder"""
    b.run('compile', b.model, '--extra-pes=8', '-o', 'first.cim')
    shutil.copy(b.model, b.path('digits.onnx'))
    for k, threads in enumerate(('1', '2', '7')):
        b.run('compile', 'digits.onnx', '--extra-pes=8', '-o', 'next.cim',
              environment={'OMP_NUM_THREADS': threads, 'LC_ALL': 'C', 'TZ': 'UTC+%d' % k})
        b.expect(b.read('next.cim') == b.read('first.cim'), 'compile %d differs' % (k + 2))


def round_trip(b):
    """asm(dis(x)) is x, with sections in the file and inline; the same text comes out again"""
    for name, options in (('auto', []), ('rows', ['--set=1x*', '--extra-pes=16', '--arch-field=crossbars=3'])):
        b.run('compile', b.model, '-o', name + '.cim', *options)
        for inline in ([], ['--inline']):
            text = b.run('dis', name + '.cim', *inline).stdout
            b.write('p.s', text)
            b.run('asm', 'p.s', '-o', 'again.cim')
            b.expect(b.read('again.cim') == b.read(name + '.cim'), '%s %s: not the same bytes' % (name, inline))
        b.equal(b.run('dis', 'again.cim', '--inline').stdout, text, 'the text')


def edited_instruction(b):
    """--compare-layers names the operation whose instruction was edited; check finds it too"""
    b.run('compile', b.model, '--set=pixel', '-o', 'p.cim')
    b.run('sim', 'p.cim', '--model', b.model, '--test-data', b.test_data(0), '--compare-layers')
    b.run('check', 'p.cim', '--model', b.model)
    text = b.run('dis', 'p.cim').stdout
    lines = text.split('\n')
    # A vector instruction of this operation at column 3 or later now reads the column before.
    edit = re.compile(r'^(.*\.vmap p\d+ dst=v\d+\(\d+,([3-9])\) .* a=v\d+\(\d+,)(\d+)(\).*; /relu2/Relu)$')
    at, match = next((i, m) for i, m in enumerate(map(edit.match, lines)) if m)
    lines[at] = match.group(1) + str(int(match.group(3)) - 1) + match.group(4)
    b.write('edited.s', '\n'.join(lines))
    b.run('asm', 'edited.s', '-o', 'edited.cim')
    for command in (['sim', 'edited.cim', '--model', b.model], ['run', b.model, '--program', 'edited.cim']):
        done = b.run(*command, '--test-data', b.test_data(0), '--compare-layers', code=1)
        b.expect(re.search(r"digits\.onnx: node \d+ '/relu2/Relu' \(Relu\): error: first difference: relu '/relu2/Relu' at h \d+, w %s, "
                           r'c \d+: simulated \S+, evaluated .*\[mismatch\]$' % match.group(2), done.stderr, re.MULTILINE), done.stderr)
    done = b.run('check', 'edited.cim', '--model', b.model, code=1)
    b.contains(done.stderr, '[check]')


def dropped_wait(b):
    """a program without one of its waits is refused by check"""
    b.run('compile', b.model, '--set=1x*', '-o', 'p.cim')
    lines = b.run('dis', 'p.cim').stdout.split('\n')
    at = next(i for i, line in enumerate(lines) if '.mvm g1 ' in line and ' wait ' in line)
    lines[at] = re.sub(r' wait [^@;]*', ' ', lines[at])
    b.write('edited.s', '\n'.join(lines))
    b.run('asm', 'edited.s', '-o', 'edited.cim')
    b.contains(b.run('check', 'edited.cim', code=1).stderr, '[check]')
    b.contains(b.run('check', 'edited.cim', '--model', b.model, code=1).stderr, '[check]')


def deadlock(b):
    """a wait for a message that never comes is diagnosed by sim and refused by check"""
    b.run('compile', b.model, '--set=1x*', '-o', 'p.cim')
    lines = b.run('dis', 'p.cim').stdout.split('\n')
    at = next(i for i, line in enumerate(lines) if '.mvm g1 ' in line and ' wait q' in line)
    lines[at] = re.sub(r' wait q(\d+)>=\d+', r' wait q\1>=100000', lines[at])
    b.write('edited.s', '\n'.join(lines))
    b.run('asm', 'edited.s', '-o', 'edited.cim')
    b.contains(b.run('sim', 'edited.cim', '--input-fill=ramp', code=1).stderr, '[deadlock]')
    b.run('check', 'edited.cim', code=1)


def other_model(b):
    """a program and a model that do not belong together are told apart"""
    b.run('compile', b.model, '-o', 'p.cim')
    data = bytearray(open(b.model, 'rb').read())
    at = len(data) // 2    # inside the weights
    data[at] ^= 1
    b.write('other.onnx', bytes(data))
    for command in (['check', 'p.cim', '--model', 'other.onnx'], ['sim', 'p.cim', '--model=other.onnx', '--input-fill=ramp'],
                    ['run', 'other.onnx', '--program=p.cim', '--input-fill=ramp']):
        b.run(*command, code=1)


if __name__ == '__main__':
    sys.exit(run_cases([compile_json, copies_from_files, peak_memory, layer_by_layer_json, run_json, compile_table, table_of_shared_crossbars, ten_images, saved_outputs_as_inputs, wrong_reference,
                        tiny_values, times_only, no_folders,
                        options_matter, duplication, patches, fixed_patches, copies_for_a_pipeline, sets_for_a_pipeline,
                        schedule_views, lp_file, same_bytes, round_trip, edited_instruction, dropped_wait, deadlock, other_model]))
