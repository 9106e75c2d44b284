# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""usage: synthesis_test.py CIMC ROOT [--table]

yosys maps the parts of tests/rtl to an FPGA (synth_xilinx, xc7): no latch, no cell that has no place there, nothing driven twice or never. --table prints what they
take, as the table of SYNTHESIS.md: LUTs and flip-flops, cells of RAM, DSP and carry, and yosys' estimate of logic cells. No placement, so no clock rate. Skipped without yosys.
"""
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402
from verilated import Bench  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TILE = dict(QUEUES=9, INBOUND=16)
# What it is, module, its files, parameters.
PARTS = (('stream decoder, front: bytes to steps', 'cimc_symbols', ('symbols',), {}),
         ('stream decoder, whole: 128 walkers, 16 queues, 16 inbound counters', 'cimc_decoder', ('symbols', 'walkers', 'decoder'), dict(WALKERS=128, QUEUES=16, INBOUND=16)),
         ('one queue of 8, one of 8 waits a clock, 32 counters', 'cimc_queue', ('sequencer',), dict(PLACE=5, COUNTS=32, WAITS=1)),
         ('the same, two waits a clock', 'cimc_queue', ('sequencer',), dict(PLACE=5, COUNTS=32, WAITS=2)),
         ('the same, all 8 waits at once', 'cimc_queue', ('sequencer',), dict(PLACE=5, COUNTS=32, WAITS=8)),
         ('sequencer, 9 queues of 8, 16 inbound counters, 8 waits, one a clock', 'cimc_sequencer', ('sequencer',), dict(TILE, WAITS=1)),
         ('the same, instructions with 3 waits at most', 'cimc_sequencer', ('sequencer',), dict(TILE, WAITS=1, SLOTS=3)),
         ('started instructions of a queue, 4', 'cimc_started', ('sequencer',), {}),
         ('address generator, 41 bits', 'cimc_address', ('address',), {}),
         ('address generator, 24 bits', 'cimc_address', ('address',), dict(ADDRESS=24)),
         ('requantiser, both forms', 'cimc_requantise', ('requantise',), {}))
# Each module once, small: what the test looks at takes a minute, the table some ten.
SMALL = {'cimc_symbols': {}, 'cimc_decoder': dict(WALKERS=16, QUEUES=4, INBOUND=4), 'cimc_queue': dict(PLACE=2, COUNTS=8, WAITS=1),
         'cimc_sequencer': dict(QUEUES=3, INBOUND=4, WAITS=1, SLOTS=3), 'cimc_started': {}, 'cimc_address': dict(ADDRESS=24), 'cimc_requantise': {}}
LATCHES = ('LDCE', 'LDPE')


def synthesise(bench, module, files, parameters):
    """{cell: number}"""
    sources = ' '.join([bench.package_path] + [os.path.join(HERE, f + '.sv') for f in files])
    chosen = ''.join(' -chparam %s %d' % item for item in parameters.items())
    bench.call(['yosys', '-q', '-p', 'read_verilog -sv %s; hierarchy -check -top %s%s; synth_xilinx -family xc7 -noiopad -flatten; check -assert; '
                'tee -o stat stat -tech xilinx' % (sources, module, chosen)])
    with open(bench.path('stat'), encoding='ascii') as f:
        text = f.read()
    cells = {name: int(n) for name, n in re.findall(r'^ +(\S+) +(\d+)$', text[text.index('Number of cells'):], re.MULTILINE) if name != 'cells:'}
    cells['estimate'] = int(re.search(r'Estimated number of LCs: +(\d+)', text).group(1))
    return cells


def row(name, cells):
    def total(pattern):
        return sum(n for cell, n in cells.items() if re.fullmatch(pattern, cell))
    ram = ', '.join('%d %s' % (n, cell) for cell, n in sorted(cells.items()) if cell.startswith('RAM'))
    return '| %s | %d | %d | %d | %s | %d | %d |' % (name, total(r'LUT\d'), cells['estimate'], total(r'FD\w+'), ram or '0', total('DSP48E1'), total('CARRY4'))


def main():
    cimc, root = sys.argv[1:3]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-rtl-') as scratch:
        if not shutil.which('yosys'):
            tap.point('synthesis', skip='yosys is not installed')
            return tap.finish()
        bench = Bench(cimc, root, scratch)
        if '--table' in sys.argv:
            print('| part | LUT | logic cells | FF | RAM | DSP | CARRY4 |\n|---|---|---|---|---|---|---|')
            for name, module, files, parameters in PARTS:
                print(row(name, synthesise(bench, module, files, parameters)), flush=True)
            return 0
        for module, files in {module: files for _, module, files, _ in PARTS}.items():
            cells = synthesise(bench, module, files, SMALL[module])
            tap.point('%s %s' % (module, SMALL[module] or ''), ['%d %s' % (n, cell) for cell, n in cells.items() if cell in LATCHES or cell.startswith('$')])
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
