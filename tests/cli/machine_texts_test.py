# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""`cimc arch` and what may stand in a machine's file: commented YAML that reads back, units, places of faults.

usage: machine_texts_test.py CIMC ROOT
"""
import json
import sys

from bench import run_cases


def machine(b, *arguments):
    return json.loads(b.run('arch', '--json', *arguments).stdout)['machine']


def presets_of(b):
    return [line.strip('| ') for line in b.run('list', 'archs').stdout.splitlines()[2:]]


def reads_back(b):
    """what `arch` prints of a preset is that machine, and prints as it is; JSON's `machine` is a file too"""
    for preset in presets_of(b):
        text = b.run('arch', preset).stdout
        mine = b.write(preset + '.yaml', text)
        b.equal(b.run('arch', mine).stdout, text, preset + ': printed again')
        wanted = machine(b, preset)
        b.equal(machine(b, mine), wanted, preset + ': read back')
        b.equal(machine(b, b.write('m.json', json.dumps(wanted))), wanted, preset + ': from JSON')
    b.equal(b.run('arch').stdout, b.run('arch', 'clsa').stdout, 'default')


def sources_stay(b):
    """what a preset says of its values stays: all of its comments, at its head and behind them, but for the licence"""
    for preset in presets_of(b):
        with open('%s/benchmarks/archs/%s.yaml' % (b.root, preset), encoding='utf-8') as f:
            lines = f.read().splitlines()
        printed = b.run('arch', preset).stdout
        for line in lines:
            if '#' in line and not line.startswith(('# SPDX-', '# Copyright ')):
                b.expect(line[line.index('#'):] in printed, '%s: lost: %s' % (preset, line))


def as_asked(b):
    """--arch-field, -o, a base, comments of one's own; what is changed loses the comment of what it was"""
    b.write('own.yaml', '# My chip.\r\nbase: mesh   # not kept\r\nname: own\r\nrows: 128 # "\u00b5" of mine\r\n')
    text = b.run('arch', 'own.yaml', '--arch-field', 'lanes=1_6').stdout
    b.contains(text, '# My chip.\n# Of the base:\n# The crossbars of preset clsa', '\nrows: 128                    # "\u00b5" of mine\n',
               '\nlanes: 16\n', '\nhop_cycles: 4                # choice; PUMA counts')
    b.equal(b.run('arch', 'own.yaml', '-o', 'out.yaml').stdout, '', '-o: standard output')
    b.equal(machine(b, 'out.yaml')['rows'], 128, '-o')
    b.fails('arch', 'own.yaml', '-o', 'own.yaml', code=2, message="cimc: error: the output would replace the input 'own.yaml' [usage]")
    b.run('arch', 'absent', code=1)
    b.run('compile', b.model, '--arch', 'out.yaml')


def units(b):
    """units in a file and in --arch-field: exact, rounded with a note, or refused with line and column"""
    own = b.write('u.yaml', 'mvm_cycles: 1400ns\nbuffer_bytes: 64KiB\nrows: 1_024\ncycle_ps: 1.28GHz\nenergy:\n  adc_convert_pj: 250fJ\n')
    done = b.run('arch', own, '--json')
    m = json.loads(done.stdout)['machine']
    b.equal([m['cycle_ps'], m['mvm_cycles'], m['buffer_bytes'], m['rows'], m['energy']['adc_convert_pj']], [781, 1793, 65536, 1024, 0.25], 'values')
    b.contains(done.stderr, "u.yaml:4:11: note: field 'cycle_ps': 1.28GHz is no whole number of ps: 781 is taken",
               "u.yaml:1:13: note: field 'mvm_cycles': 1400ns is no whole number of cycles of 781 ps: 1793 is taken")
    m = machine(b, 'clsa', '--arch-field', 'mvm_cycles=1.4us', '--arch-field', 'cycle_ps=100ns', '--arch-field', 'dram_bytes_per_cycle=6.4GB/s')
    b.equal([m['mvm_cycles'], m['dram_bytes_per_cycle']], [14, 640], 'the length of a cycle stands behind what is counted in it')
    bad = b.write('bad.yaml', 'name: bad\nmvm_cycles:  64KiB\n')
    b.fails('arch', bad, code=1, message="%s:2:14: error: field 'mvm_cycles': 64KiB is no number of cycles [arch-value]" % bad)


if __name__ == '__main__':
    sys.exit(run_cases([reads_back, sources_stay, as_asked, units]))
