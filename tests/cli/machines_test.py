# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The code behind `benchmarks/precision` and `benchmarks/analog`: answers by hand, tables, refusals; the table of the bundled network.

usage: machines_test.py CIMC ROOT
"""
import math
import os
import subprocess
import sys

from bench import run_cases
from npy import npy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'benchmarks'))
from machines import answers, machine_tables, runs  # noqa: E402
from paper.runner import RunError  # noqa: E402


def answers_by_hand(b):
    """signal to noise and classes of two files, by hand"""
    want = b.write('want.npy', npy('<f4', [3, 2], [3, 4, 0, 1, 2, 2]))
    got = b.write('got.npy', npy('<f4', [3, 2], [3, 3, 0, 1, 2, 2]))
    b.equal(answers.compare(got, want), (10 * math.log10(34 / 1), 2 / 3), 'an error of 1 where the squares are 34; the first is now class 0')
    b.equal(answers.compare(want, want), (math.inf, 1), 'no error')


def refusals(b):
    """what a machine lacks is a row, anything else is an error"""
    b.equal(runs.refusal(RunError('cimc: error: the network needs 9 PEs, the machine has 4 (1 tiles of 4 crossbars)')), 'needs 9 PEs, has 4', 'PEs')
    try:
        runs.refusal(RunError('broken'))
        b.expect(False, 'an error became a row')
    except RunError:
        pass


def report(pes):
    return {'pes_used': pes, 'latency_cycles': {'max': 2000}, 'initiation_interval_cycles': 1500, 'steady_utilisation': .5,
            'energy': {'per_frame_pj': 2.5e6}}


def rows(b):
    """a row has the fewest PEs and the whole machine; a machine that is too small says so; a bit that differs is found"""
    def row(pes, what, **more):
        return {'network': 'n', 'preset': 'p', 'bits': 4, 'pes': pes, 'report': what, **more}
    both = [row(runs.FEWEST, report(3), quality=(20, 1), agrees=[True, True]), row(runs.WHOLE, report(4))]
    b.equal(machine_tables.machines_table(both, {'n': True}).splitlines()[2],
            '| n | p | 4 | 3 / 4 | 2,000 / 2,000 | 1,500 / 1,500 | 50.0 % / 50.0 % | 2.5 / 2.5 | 20.0, 100 % |', 'both')
    b.contains(machine_tables.machines_table(both, {'n': False}), '| random weights |')
    b.equal([machine_tables.three_digits(x) for x in (0, .0625, 2.5, 999.4, 999.6, 1224, 28649.9)], ['0', '0.0625', '2.5', '999', '1,000', '1,220', '28,600'], 'digits')
    small = [row(runs.FEWEST, 'needs 9 PEs, has 4'), row(runs.WHOLE, 'needs 9 PEs, has 4')]
    b.contains(machine_tables.machines_table(small, {'n': True}), '| n | p | 4 | needs 9 PEs, has 4 |')
    results = {'quality': {}, 'readout': {}, 'machines': both, 'resolution': {}}
    b.expect(machine_tables.all_hold(results), 'all is right')
    both[0]['agrees'] = [True, False]
    b.expect(not machine_tables.all_hold(results), 'a bit that differs')
    b.contains(machine_tables.text(results, {'n': True}), '1 of 2 equal in every bit')


def markers(b):
    """the tables go between the markers of BENCHMARKS.md"""
    b.write('x.md', 'a\n%s\nold\n%s\nb\n' % (machine_tables.BEGIN, machine_tables.END))
    b.expect(machine_tables.refresh(b.path('x.md'), 'new\n'), 'markers are not found')
    b.equal(b.read('x.md').decode(), 'a\n%s\nnew\n\n%s\nb\n' % (machine_tables.BEGIN, machine_tables.END), 'file')
    with open(os.path.join(b.root, 'benchmarks', 'BENCHMARKS.md'), encoding='utf-8') as f:
        text = f.read()
    b.expect(text.count(machine_tables.BEGIN) == text.count(machine_tables.END) == 1, 'BENCHMARKS.md has no markers')


def precision(b):
    """precision: rows of the float network and of each number of bits; 199 of 200 in floats, few fewer in integers with ideal converters"""
    done = subprocess.run([os.path.join(b.root, 'benchmarks', 'precision'), '--cimc', b.cimc], capture_output=True, text=True, timeout=120)
    b.equal(done.returncode, 0, 'exit code; ' + done.stderr)
    cells = [[cell.strip() for cell in line.split('|')[1:-1]] for line in done.stdout.splitlines()[2:]]
    b.equal(cells[0][:3], ['float', '-', '199 of 200'], 'float')    # as PyTorch has it
    b.equal([row[0] for row in cells[1:] if row[1] == 'ideal'], ['8 bits', '6 bits', '4 bits'], 'weights')
    for row in cells[1:]:
        if row[1] == 'ideal':
            b.expect(int(row[2].split()[0]) >= 195, 'accuracy: %s' % row)
        b.expect(float(row[6]) > 0, 'energy: %s' % row)
    few = subprocess.run([os.path.join(b.root, 'benchmarks', 'analog'), b.path('out'), '--cimc', b.path('none')], capture_output=True, text=True)
    b.equal(few.returncode, 1, 'analog without a program')
    b.contains(few.stderr, 'analog: no program ')


if __name__ == '__main__':
    sys.exit(run_cases([answers_by_hand, refusals, rows, markers, precision]))
