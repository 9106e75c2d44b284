# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The code behind `benchmarks/reproduce`, `measure` and `zoo`, on the bundled model and on small numbers.

usage: benchmarks_test.py CIMC ROOT
"""
import importlib.machinery
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys

from bench import run_cases

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'benchmarks'))
from machines import machine_tables  # noqa: E402
from paper import explain, points, results, tables, times, timing, verdicts, weights  # noqa: E402
from paper.claims import TITLES  # noqa: E402
from paper.runner import BENCHMARKS, Cimc, RunError  # noqa: E402


def call(b, *command):
    """Without CIMC_MODELS: what is measured is what the command names."""
    return subprocess.run([os.path.join(b.root, 'benchmarks', command[0]), *command[1:]], capture_output=True, text=True,
                          timeout=120, env={k: v for k, v in os.environ.items() if k != 'CIMC_MODELS'})


def commands(b):
    """measure prints the bundled model's row, sweep those of two fields, and refuses to put a part of them into a page, or any where there are no markers; reproduce has a help text, and says what is wrong with a program"""
    done = call(b, 'measure', b.model, '--runs', '1', '--cimc', b.cimc)
    b.equal(done.returncode, 0, 'measure: exit code; ' + done.stderr)
    row = [cell.strip() for cell in done.stdout.splitlines()[4].split('|')]
    b.equal([row[1], row[-3], row[-2]], ['digits', 'yes', 'yes'], 'measure: name, cycles, answers')
    done = call(b, 'sweep', b.model, '--points', '3', '--cimc', b.cimc)
    rows = [[cell.strip() for cell in line.split('|')][1:4] for line in done.stdout.splitlines()[2:] if line]
    b.equal(rows, [['digits.onnx', '`hop_cycles`', '22 of 22'], ['digits.onnx', '`rows`', '19 of 22']], 'sweep: what is shared; ' + done.stderr)
    for option in ('--field=rows', '--shards'):
        b.contains(call(b, 'sweep', '--update', b.path('page.md'), option, '--cimc', b.cimc).stderr, '--update takes the whole table')
    page = b.write('page.md', 'no markers')
    done = call(b, 'sweep', b.model, '--points', '2', '--update', page, '--cimc', b.cimc)
    b.equal((done.returncode, b.read('page.md')), (1, b'no markers'), 'sweep: a page without markers')
    b.contains(done.stderr, 'has no markers')
    b.contains(call(b, 'reproduce', '--help').stdout, '--simulate', '--update')
    wrong = call(b, 'reproduce', b.path('out'), '--cimc', b.path('none'))
    b.equal(wrong.returncode, 1, 'reproduce without a program')
    b.contains(wrong.stderr, 'no program')


def points_of_the_paper(b):
    """seven networks, two set sizes, 14 configurations; 24 more to study set sizes"""
    listed = points.list_points(TITLES, makespan=True)
    b.equal([len(listed), len(set(listed))], [7 * 2 * (1 + 4 + 1 + 4 + 4)] * 2, 'points')
    b.equal(len(points.list_study()), 8 * 3, 'points with other sets')
    b.equal([points.point_options(key)[-3:] for key in points.list_many_pes()[:2]],
            [['auto', '--extra-pes', '256'], ['pixel', '--extra-pes', '256']], 'points with many PEs')
    b.equal(points.format_copies([3, 1, 2, 1, 1]), '3 1 2 1...', 'copies')
    b.equal(points.format_copies([3, 2]), '3 2', 'copies of all layers')


def reports_are_judged(b):
    """equation 3 holds for the bundled model; wrong cycles, answers and bounds are found"""
    cimc = Cimc(b.cimc)
    keys = [('tinyyolov4', 'layer-by-layer', 0, 'pixel'), ('tinyyolov4', 'wdup+xinf', 4, 'pixel')]
    reports = {key: points.run_point(cimc, b.model, key, True) for key in keys}
    for judge in (verdicts.utilisation_formula, verdicts.bounds_hold, verdicts.executions):
        b.equal([v.ok for v in judge(reports)], [True], judge.__name__)
    report = reports[keys[1]]
    report['speedup'] *= 1.01
    report['lower_bound_cycles'] = report['makespan_cycles'] + 1
    report['simulated_cycles'] += 1
    report['outputs'][0]['pass'] = False
    b.equal([v.ok for v in verdicts.utilisation_formula(reports)], [False], 'wrong speedup')
    b.equal([v.ok for v in verdicts.bounds_hold(reports)], [False], 'wrong bound')
    b.equal([v.ok for v in verdicts.executions(reports)], [False, False], 'wrong cycles and answers')


def layers_from_graph_and_file(b):
    """Table I's columns for the bundled model; weights are counted; a broken model is an error"""
    cimc = Cimc(b.cimc)
    report = cimc.compile(b.model, ['--mapping', 'im2col'])
    b.equal(report['base_layers'].pop()['name'], '/dense/Gemm', 'the one layer that is no convolution')
    graph_input, layers = tables.read_layers(cimc, b.model, report)
    b.equal(graph_input, (1, 28, 28), 'input, as the file has it')
    b.equal(layers[0], ('/conv1/Conv', (30, 30, 1), (28, 28, 16), 1, 784), 'first layer')
    # Of four bytes: 3x3 convolutions 1-16, 16-16, 16-16, 16-32, 32-32, 32-32, each with four parameters a channel; 32-10 with bias
    n_weights = 9 * (16 + 2 * 256 + 512 + 2 * 1024) + 4 * (3 * 16 + 3 * 32) + 32 * 10 + 10
    b.equal(weights.weight_bytes(b.model), 4 * n_weights, 'bytes of weights')
    # ModelProto.graph: initializer "s" = int64[2] {3, 300}; node ConstantOfShape("s"): 16 + 4 * 900 bytes
    initializer = b'\x08\x02\x10\x07\x3a\x03\x03\xac\x02\x42\x01s'
    node = b'\x0a\x01s\x12\x01w\x22\x0fConstantOfShape'
    graph = b'\x0a%c%s\x2a%c%s' % (len(node), node, len(initializer), initializer)
    filled = b.write('filled.onnx', b'\x3a%c%s' % (len(graph), graph))
    b.equal(weights.weight_bytes(filled), 16 + 4 * 900, 'bytes of weights that ConstantOfShape fills')
    try:
        cimc.compile(b.write('broken.onnx', 'no model'))
        b.expect(False, 'a broken model compiles')
    except RunError as error:
        b.contains(str(error), 'ended with 1')


def sentences(b):
    """where a stated number lies among ours"""
    values = {'pixel': 4.52, '1-row': 4.17, '2-row': 3.74}
    b.equal(explain.place(values, 4.2, 1, 'x'), "1-row sets (4.17x) give the paper's number", 'equal')
    b.equal(explain.place(values, 4.4, 1, 'x'),
            "the paper's number lies between pixel sets (4.52x) and 1-row sets (4.17x)", 'between')
    b.equal(explain.place(values, 9, 1), 'nothing from pixel sets (4.52) to 2-row sets (3.74) gives the paper\'s number',
            'outside')


def times_and_aims(b):
    """an aim that is missed is marked; times of the bundled model have all columns"""
    b.equal(times.cell(0.25, 0.5), '0.25 of 0.50', 'met')
    b.equal(times.cell(0.75, 0.5), '0.75 of 0.50, **missed**', 'missed')
    b.equal([times.cell(None, 1), times.cell(3, None)], ['-', '3.00'], 'nothing to compare')
    row = times.measure_network(Cimc(b.cimc), b.model, 'tinyyolov4', None, False)
    b.equal(len(times.network_cells('tinyyolov4', row)), len(times.HEADER), 'columns')
    b.equal([row['simulated_ok'], row['answers_ok'], row['memory_ok']], [True, True, True], 'verdicts')
    b.equal(timing.find_ort(None), None, 'ONNX Runtime, not asked for')


def marked_section(b):
    """the marked part of the results replaces that of BENCHMARKS.md; without markers a page is left alone"""
    part = results.BEGIN + '\n\\1 new\n' + results.END
    b.write('results.md', 'a\n%s\nb\n' % part)
    b.write('page.md', 'x\n%s\nold\n%s\ny\n' % (results.BEGIN, results.END))
    b.expect(results.refresh(b.path('page.md'), b.path('results.md')), 'markers are not found')
    b.equal(b.read('page.md').decode(), 'x\n%s\ny\n' % part, 'page')
    b.expect(not results.refresh(b.write('plain.md', 'text'), b.path('results.md')), 'markers out of nothing')
    with open(BENCHMARKS, encoding='utf-8') as f:
        text = f.read()
    for begin, end in (results.BEGIN, results.END), (machine_tables.BEGIN, machine_tables.END), ('<!-- precision -->', '<!-- end precision -->'), ('<!-- memories -->', '<!-- end memories -->'), ('<!-- sweep -->', '<!-- end sweep -->'):
        b.expect(text.count(begin + '\n') == text.count(end) == 1, 'BENCHMARKS.md has no markers ' + begin)


def zoo_folder(b):
    """The bundled model in a folder as make_zoo writes them."""
    shutil.copytree(b.test_data(0), b.path('digits/test_data_set_0'))
    shutil.copy(b.model, b.path('digits/model.onnx'))
    return b.path('digits')


def zoo(b):
    """zoo runs a model in every mode on two machines and prints a row"""
    done = call(b, 'zoo', '--cimc', b.cimc, '--runs', '1', '--csv', b.path('zoo.csv'), zoo_folder(b))
    b.equal(done.returncode, 0, 'zoo: exit code; ' + done.stdout + done.stderr)
    b.contains(done.stdout, '| digits | 7 | 9 | 1324 |')    # PEs and the sum of OH*OW of the seven layers, by hand
    b.equal(len(b.read('zoo.csv').splitlines()), 1 + 2 * 2 * 2, 'lines of the CSV file')


def zoo_wrong_answer(b):
    """zoo fails when an answer is wrong"""
    answer = os.path.join(zoo_folder(b), 'test_data_set_0', 'output_0.pb')
    with open(answer, 'r+b') as f:
        f.seek(-4, os.SEEK_END)
        f.write(b'\0\0\x80\x43')    # 256.0
    done = call(b, 'zoo', '--cimc', b.cimc, '--archs', 'clsa', '--runs', '1', b.path('digits'))
    b.equal(done.returncode, 1, 'zoo: exit code')
    b.contains(done.stdout, "digits: clsa, layer, +0: output 'logits' is wrong")


def memories(b):
    """memories adds up the tiles of a model, finds the worst, and says why it is above a tenth; small models only when asked for"""
    done = call(b, 'memories', '--cimc', b.cimc, '--smallest', '0', '--options=--mapping=im2col', b.model)
    cells = [x.strip() for x in done.stdout.splitlines()[-1].strip('|').split('|')]
    n_weights = 9 * (16 + 2 * 16 * 16 + 16 * 32 + 2 * 32 * 32) + 32 * 10    # of 8 bits each; the last layer is alone on the second tile
    b.equal([cells[i] for i in (0, 1, 4, 6, 9, 11, 12)], ['digits', '2', format(n_weights, ','), '1', '320', '2', '2: PEs %.1f to %.1f %% full' % (100 * 320 / 65536, 100 * (n_weights - 320) / (8 * 65536))], 'row')
    b.equal(len(call(b, 'memories', '--cimc', b.cimc, '--options=--mapping=im2col', b.model).stdout.splitlines()), 2, 'too small a model: the head alone')


def missing_packages(b):
    """without site-packages the scripts that need PyTorch say what to install"""
    for script in ('make_zoo', 'make_networks'):
        done = subprocess.run([sys.executable, '-S', os.path.join(b.root, 'benchmarks', script), '--help'], capture_output=True, text=True)
        b.equal(done.returncode, 1, script + ': exit code')
        b.contains(done.stderr, script + ': needs the Python packages onnx, torch')
        b.contains(done.stderr, 'python3-torch')


def load_zoo(b):
    """The script as a module; its name has no .py."""
    path = os.path.join(b.root, 'benchmarks', 'zoo')
    loader = importlib.machinery.SourceFileLoader('zoo', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('zoo', loader))
    loader.exec_module(module)
    return module


def zoo_reports(cycles):
    """{(arch, schedule, extra PEs): report} with these cycles, and nothing else to complain about"""
    return {key: {'outputs': [{'name': 'y', 'pass': True}], 'simulated_cycles': n, 'makespan_cycles': n}
            for key, n in cycles.items()}


def zoo_faults(b):
    """zoo finds cycles that rise with PEs or cross-layer, on the first machine only, and unequal cycles"""
    faults = load_zoo(b).faults
    cycles = {('clsa', 'layer', 0): 40, ('clsa', 'layer', 8): 30, ('clsa', 'cross', 0): 20, ('clsa', 'cross', 8): 20,
              ('mesh', 'layer', 0): 40, ('mesh', 'layer', 8): 50, ('mesh', 'cross', 0): 60, ('mesh', 'cross', 8): 70}
    b.equal(faults(zoo_reports(cycles), 'clsa'), [], 'equal cycles are right, and the second machine is not compared')
    rising = dict(cycles)
    rising['clsa', 'cross', 8] = 21
    b.equal(faults(zoo_reports(rising), 'clsa'), ['cross: +8 PEs cost cycles against +0'], 'more PEs')
    late = dict(cycles)
    late['clsa', 'cross', 0] = 41
    b.equal(faults(zoo_reports(late), 'clsa'), ['+0: cross-layer takes longer than layer by layer'], 'cross-layer')
    unequal = zoo_reports(cycles)
    unequal['mesh', 'cross', 8]['simulated_cycles'] = 71
    b.equal(faults(unequal, 'clsa'), ['mesh, cross, +8: 71 cycles simulated, 70 scheduled'], 'simulated cycles')


def copies_cost_nothing(b):
    """no number of copies takes longer than none; nor does cross-layer than layer by layer"""
    cimc = Cimc(b.cimc)
    for cut, shape in itertools.product(('w', 'h', '2d'), ('pixel', '1x*', '2x*', '3x4')):
        cycles = {(schedule, extra): cimc.compile(b.model, ['--arch', 'clsa', '--mapping', 'im2col', '--cut', cut, '--set', shape, '--schedule', schedule,
                                                            '--extra-pes', str(extra)])['makespan_cycles']
                  for schedule in ('layer', 'cross') for extra in (0, 1, 2, 3, 5, 8)}
        for (schedule, extra), n in cycles.items():
            b.expect(n <= cycles[schedule, 0], '%s, %s, %s: +%d takes longer than +0' % (cut, shape, schedule, extra))
            b.expect(n <= cycles['layer', extra], '%s, %s, +%d: cross-layer takes longer' % (cut, shape, extra))


def compare_builds(b):
    """compare_programs: a build equals itself; one that takes other sets or other weights does not"""
    script = os.path.join(b.root, 'tests', 'compare_programs')

    def compare(new, *arguments):
        return subprocess.run([sys.executable, '-B', script, b.cimc, new, *arguments], capture_output=True, text=True, timeout=120)

    def stand_in(name, command):
        path = b.write(name, '#!/bin/sh\nexec %s\n' % command)
        os.chmod(path, 0o755)
        return path

    same = compare(b.cimc, '--config', 'digits', '--config=--set 1x*', b.model)
    b.equal(same.returncode, 0, 'the same build: exit code; ' + same.stderr)
    b.contains(same.stdout, 'digits: equal, ', ' --set 1x*: equal, ', '2 compared, 0 differ')
    sets = compare(stand_in('sets', "%s \"$@\" --set '2x*'" % b.cimc), '--config=--mapping im2col', b.model)
    b.equal(sets.returncode, 1, 'other sets: exit code')
    b.contains(sets.stdout, 'scheduled_cycles: 836, ', ' views | ', ' | 836 -> ', '1 compared, 1 differ')
    with open(b.model, 'rb') as file:
        model = bytearray(file.read())
    model[model.index(b'\x42\x0cconv1.weight') + 100] ^= 1    # a byte of the tensor of this name
    b.write('other.onnx', bytes(model))
    images = compare(stand_in('weights', '%s compile %s -o "$4"' % (b.cimc, b.path('other.onnx'))), b.model)
    b.contains(images.stdout, 'images[0]: ', '1 differences')
    b.equal(compare(b.cimc, '--config', 'none').returncode, 2, 'no such configuration: exit code')


if __name__ == '__main__':
    sys.exit(run_cases([compare_builds, commands, points_of_the_paper, reports_are_judged, layers_from_graph_and_file, sentences, zoo, zoo_wrong_answer,
                        zoo_faults, missing_packages, copies_cost_nothing, memories, times_and_aims, marked_section]))
