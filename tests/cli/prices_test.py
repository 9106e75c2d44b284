# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Energy: the same counts from the compiler's tasks and from the program's instructions, sums that are exact, prices.

usage: prices_test.py CIMC ROOT [--models]

--models: real models too, from the folder CIMC_MODELS, or shared/models beside the tree, and all of tests/numeric.
CIMC_NETWORKS=FOLDER: VGG16 from there too.
"""
import glob
import json
import os
import sys
from decimal import ROUND_DOWN, Decimal

from bench import run_cases

PRICES = {'adc_convert_pj': '1.67', 'dac_drive_pj': '0.417', 'shift_add_pj': '0.021', 'crossbar_read_pj': '30', 'vector_op_pj': '0.27', 'buffer_pj_per_byte': '0.64',
          'link_pj_per_byte_hop': '0.65', 'dram_pj_per_byte': '1.6', 'crossbar_write_row_pj': '165', 'crossbar_leakage_uw': '1.5', 'tile_leakage_uw': '0.000003'}
AREAS = {'crossbar_um2': '25', 'adcs_per_crossbar': '1', 'adc_um2': '1200', 'router_um2': '37500'}
COUNTERS = ('pe_products', 'active_rows', 'active_columns', 'crossbar_reads', 'row_drives', 'conversions', 'shift_adds', 'vector_ops', 'buffer_read_bytes',
            'buffer_written_bytes', 'link_byte_hops', 'dram_bytes', 'crossbar_rows_written', 'cycles')


def fields(**values):
    return [x for item in values.items() for x in ('--arch-field', '%s=%s' % item)]


SLICES = fields(rows=128, cols=128, cell_bits=2, dac_bits=1, **PRICES, **AREAS)    # 32 weights of 8 bits a row, 8 phases
MACHINES = [[], ['--arch', 'mesh', '--extra-pes', '8', '--cut', 'h'] + fields(crossbars=2, **PRICES), SLICES + ['--mapping', 'im2col', '--set', 'pixel'],
            ['--frames', '3', '--arch', 'mesh'] + fields(encoding='differential', cell_bits=4, **PRICES)]


def read(done):
    return json.loads(done.stdout, parse_float=Decimal)


def both(b, model, *options):
    """The report of a compilation, which the simulation of its program confirms."""
    compiled = read(b.run('compile', model, '-o', 'p.cim', '--json', *options))
    simulated = read(b.run('sim', 'p.cim', '--json'))
    for key in ('energy', 'area_um2', 'area_by_unit_um2'):
        b.equal(simulated.get(key), compiled.get(key), '%s %s: %s' % (model, ' '.join(options), key))
    return compiled


def check_sums(b, report):
    energy = report['energy']
    work = energy['total_pj'] - energy['leakage_pj']
    b.equal(sum(energy['by_unit'].values()), work, 'units')
    b.equal(sum(x['energy_pj'] for x in energy['by_operation']), work, 'operations')
    b.equal(sum(energy['by_tile_pj']), work, 'tiles')


def same_numbers(b):
    """compile, from its tasks, and sim, from the program's instructions, say the same"""
    for options in MACHINES:
        report = both(b, b.model, *options)
        b.equal(tuple(report['energy']['counters']), COUNTERS, 'counters')
        if 'energy_pj' in report['base_layers'][0]:
            check_sums(b, report)
        ran = read(b.run('run', b.model, '--json', '--input-fill', 'ramp', *options))
        b.equal(ran['energy'], report['energy'], 'run')
        program = read(b.run('run', b.model, '--json', '--input-fill', 'ramp', '--program', 'p.cim'))
        b.equal(program['energy'], report['energy'], 'run --program')


def by_hand(b):
    """products, rows and conversions of a network are those of its layers' shapes"""
    report = both(b, b.model, '--mapping=im2col', *SLICES)
    counters, products, conversions = report['energy']['counters'], 0, 0
    for layer in report['base_layers']:
        height, width, channels = layer['ofm']
        blocks = -(-channels // 32)    # of columns; all have as many PEs
        products += height * width * layer['pes']
        conversions += height * width * layer['pes'] // blocks * channels * 4 * 8
    b.equal([counters[k] for k in ('pe_products', 'crossbar_reads', 'conversions', 'shift_adds', 'active_columns')],
            [products, 8 * products, conversions, conversions, conversions // 8], 'products')
    b.equal(counters['row_drives'], 8 * counters['active_rows'], 'drives')
    b.equal(counters['cycles'], report['makespan_cycles'], 'cycles')
    energy = report['energy']
    b.equal(energy['by_unit']['converters'], conversions * Decimal('1.67'), 'converters')
    b.equal(energy['loading_pj'], counters['crossbar_rows_written'] * 165, 'loading')
    tiles = -(-report['pes'] // 8)
    leakage = tiles * (8 * Decimal('1.5') + Decimal('0.000003')) * counters['cycles'] * Decimal('1.4')
    b.equal(energy['leakage_pj'], leakage.quantize(Decimal('0.000001'), ROUND_DOWN), 'leakage')
    b.equal(report['area_by_unit_um2']['converters'], tiles * 8 * 1200, 'area of converters')
    b.equal(report['area_um2'], tiles * (8 * 25 + 8 * 1200 + 37500), 'area')


def frames(b):
    """the work of N frames is N times that of one; writing the weights is not"""
    one = both(b, b.model, '--frames=1', *SLICES)['energy']
    many = both(b, b.model, '--frames=7', *SLICES)['energy']
    for name in COUNTERS[:-2]:
        b.equal(many['counters'][name], 7 * one['counters'][name], name)
    b.equal(many['loading_pj'], one['loading_pj'], 'loading')
    b.equal([one['frames'], many['frames']], [1, 7], 'frames')
    b.equal(float(many['per_frame_pj']), float(many['total_pj'] / 7), 'a frame')
    more = read(b.run('sim', 'p.cim', '--json', '--frames', '9'))['energy']
    b.equal(more['counters']['conversions'], 9 * one['counters']['conversions'], 'sim --frames')


def prices(b):
    """without prices nothing costs anything, and the report says of what; they change no byte"""
    b.run('compile', b.model, '-o', 'plain.cim')
    free = read(b.run('sim', 'plain.cim', '--json'))
    b.equal([free['energy']['total_pj'], free['energy']['by_operation'], free['energy']['by_tile_pj'], 'area_um2' in free], [0, [], [], False], 'free')
    b.equal(free['energy']['no_price'], ['crossbar_read_pj', 'dac_drive_pj', 'adc_convert_pj', 'shift_add_pj', 'vector_op_pj', 'buffer_pj_per_byte', 'link_pj_per_byte_hop',
                                         'dram_pj_per_byte'], 'without a price')
    b.expect('energy' not in b.run('sim', 'plain.cim').stdout, 'a line of energy without prices')
    b.contains(b.run('sim', 'plain.cim', '--energy').stdout, 'conversions', 'none')
    table = b.run('compile', b.model, '-o', 'p.cim', '--energy', *SLICES).stdout
    b.contains(table, 'energy ', ' an image: ', 'converters ', 'area ', 'rows written, once', 'operation', 'mvm ')
    b.run('compile', b.model, '-o', 'q.cim', *fields(adc_convert_pj='1.67'))
    priced, plain = (b.run('dis', name).stdout.splitlines() for name in ('q.cim', 'plain.cim'))
    other = [x for x in priced if x not in plain and not x.startswith(('options', 'section'))]
    b.equal(other, ['  "energy:\\n"', '  "  adc_convert_pj: 1.67\\n"'], 'lines that only the program with prices has')


def presets(b):
    """the bundled network on every preset, in floats and quantised: it fits, and simulates as it was compiled"""
    quantised = ['--mode=int', '--calibrate', b.test_data(0)]
    for arch in [x.strip('| ') for x in b.run('list', 'archs').stdout.splitlines()[2:]]:
        priced = arch not in ('clsa', 'mesh', 'prime', 'rtl')
        for mode in [], quantised:
            options = ['--arch', arch, '--extra-pes=0', *mode]
            report = both(b, b.model, *options)
            b.equal([report['arch'], report['energy']['total_pj'] > 0, 'area_um2' in report], [arch, priced, priced], arch)
            if priced:
                check_sums(b, report)
            b.run('run', b.model, '--input-fill=ramp', '--compare-layers', *options)


def published(b):
    """VGG16 on the crossbars of ISAAC, and on those of one cell a weight: the products and conversions of its shapes"""
    vgg16 = os.path.join(os.environ['CIMC_NETWORKS'], 'vgg16-qdq.onnx')
    plain = ['--mapping=im2col', '--duplicate=none']
    energy = both(b, vgg16, *plain, '--arch=isaac', '--extra-pes=0')['energy']
    b.equal([energy['counters'][k] for k in ('pe_products', 'conversions')], [3901184, 3994812416], 'bit slices')
    b.equal(energy['by_unit']['converters'], 3994812416 * Decimal('1.67'), 'converters')
    b.equal(both(b, vgg16, *plain)['energy']['counters']['pe_products'], 464912, 'one cell a weight')


def cases(b):
    """small models of every kind of operation, on each machine"""
    models = sorted(glob.glob(os.path.join(b.root, 'tests', 'numeric', 'cases', '*', 'model.onnx')))
    for i, model in enumerate(models):
        for options in MACHINES if '--models' in sys.argv else [MACHINES[i % len(MACHINES)]]:
            both(b, model, *options)


def models(b):
    """real models, on each machine"""
    folder = os.environ.get('CIMC_MODELS', os.path.join(b.root, os.pardir, 'shared', 'models'))
    for model in sorted(glob.glob(os.path.join(folder, '*', '*.onnx'))):
        for options in MACHINES:
            both(b, model, *options)


sys.exit(run_cases([same_numbers, by_hand, frames, prices, presets, cases] + ([models] if '--models' in sys.argv else []) + ([published] if 'CIMC_NETWORKS' in os.environ else [])))
