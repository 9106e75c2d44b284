# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What commands print with --json, held against cimc.schema.json, which has every key and refuses others.

usage: json_test.py CIMC ROOT
"""
import copy
import json
import os
import re
import subprocess
import sys

from bench import run_cases
from schema import faults


def schema_of(b):
    with open(os.path.join(b.root, 'frontend', 'cimc', 'cimc.schema.json'), encoding='utf-8') as f:
        return json.load(f)


def holds(b, kind, *arguments, code=0, form='--json'):
    """Runs a command; what it prints is of this kind and no other."""
    printed = json.loads(b.run(*arguments, form, code=code).stdout)
    schema = schema_of(b)
    for fault in faults(printed, {'$ref': '#/$defs/' + kind}, schema)[:3]:
        b.expect(False, '%s: %s' % (' '.join(arguments), fault))
    kinds = [k['$ref'] for k in schema['oneOf'] if not faults(printed, k, schema)]
    b.equal(kinds, ['#/$defs/' + kind], ' '.join(arguments) + ': kinds that it is of')
    return printed


def calibrated(b):
    return ['--calibrate', os.path.join(b.digits, 'calibration.npy')]


def compiled(b):
    """compile, in all its forms: objectives, frames, several models, prices, the best sets, no product that takes time"""
    for more in (['--duplicate=none'], ['--extra-pes=8', '--duplicate=makespan'], ['--extra-pes=8', '--duplicate=interval'], ['--copies=0=4', '--extra-pes=8'],
                 ['--frames=3', '--extra-pes=4'], ['--arch=isaac', '--mapping=im2col'], ['--set=best', '--mapping=im2col'],
                 ['--arch-field=mvm_cycles=0'], ['--arch=mesh', '--schedule=layer'], ['-o', 'p.cim']):
        holds(b, 'compile', 'compile', b.model, *more)
    two = holds(b, 'compile', 'compile', 'a=' + b.model, 'b=' + b.model, '--rate', 'a=2')
    b.equal([m['name'] for m in two['models']], ['a', 'b'], 'models')


def reported(b):
    """report: what the page says"""
    for more in ([], ['--arch=mesh', '--extra-pes=5'], ['--frames=3', '--schedule=layer'], ['--set=best', '-o', 'page.html'], ['--mode=int', '--arch=isaac', *calibrated(b)]):
        holds(b, 'report', 'report', b.model, *more)
    b.equal([os.path.exists(b.path(name)) for name in ('page.html', 'digits.html')], [True, False], 'pages')


def simulated(b):
    """run, sim, eval: with and without references, several images, trials, labels, a result that differs"""
    data = ['--test-data', b.test_data(0)]
    holds(b, 'run', 'run', b.model, *data, '-o', 'p.cim')
    holds(b, 'run', 'run', b.model, '--frames=2', '--input-fill=ramp', '-o', 'two.cim')
    holds(b, 'run', 'run', b.model, '--input-fill=ramp', '--arch=mesh', *calibrated(b))
    wrong = holds(b, 'run', 'run', b.model, *data, '--tolerance=0', code=1)
    b.equal(wrong['outputs'][0]['pass'], False, 'a result that differs is a result')
    holds(b, 'sim', 'run', b.model, '--program=p.cim', *data)
    holds(b, 'sim', 'sim', 'p.cim')
    holds(b, 'sim', 'sim', 'two.cim', '--input-fill=random:1')
    holds(b, 'eval', 'eval', b.model, *data)
    b.run('compile', b.model, '-o', 'noisy.cim', '--arch-field=program_sigma_high_permille=100', '--arch-field=dac_bits=1', *calibrated(b))
    holds(b, 'trials', 'sim', 'noisy.cim', '--model', b.model, '--trials=2', '--input-fill=ramp')


def swept(b):
    """rows of a sweep, with and without results, and what is different in two"""
    schema = schema_of(b)
    for line in b.run('sweep', b.model, '--pes=1,30', '--arch=clsa,isaac', '--json').stdout.splitlines():
        row = json.loads(line)
        b.equal([k['$ref'] for k in schema['oneOf'] if not faults(row, k, schema)], ['#/$defs/row'], line[:80])
        if 'result' in row:
            b.equal(faults({**row['result'], 'tiles': [], **{k: v for k, v in row['costs'].items() if k != 'kept'}}, {'$ref': '#/$defs/compile'}, schema), [], 'result')
        b.expect(('result' in row) != ('error' in row), line[:80])
    for name, more in ('a.json', '--cut=w'), ('b.json', '--extra-pes=8'):
        b.write(name, b.run('compile', b.model, more, '--json').stdout)
    done = subprocess.run([b.cimc, 'diff', 'a.json', 'b.json', '--json'], cwd=b.folder, capture_output=True)
    b.equal([k['$ref'] for k in schema['oneOf'] if not faults(json.loads(done.stdout), k, schema)], ['#/$defs/diff'], 'diff')


def others(b):
    """quantize, check, where, arch, words of memories"""
    b.run('compile', b.model, '-o', 'p.cim')
    b.run('compile', b.model, '-o', 'int.cim', '--arch=puma', *calibrated(b))
    holds(b, 'quantize', 'quantize', b.model, *calibrated(b))
    holds(b, 'check', 'check', 'p.cim')
    holds(b, 'check', 'check', 'p.cim', '--model', b.model)
    holds(b, 'where', 'where', 'p.cim', '--layer=0', '--row=0', '--col=3')
    holds(b, 'where', 'where', 'int.cim', '--layer=0', '--row=0', '--col=3')
    holds(b, 'where', 'where', 'p.cim', '--tile=0', '--pe=0', '--cell=0,0')
    holds(b, 'arch', 'arch', 'isaac')
    words = holds(b, 'words', 'list', 'isa', form='--format=json')
    b.equal(words['machine_numbers'], re.findall(r'^\| `(\w+)`', b.run('list', 'arch').stdout, re.MULTILINE), 'numbers of a machine')


def failures(b):
    """a command that fails says why as JSON, too; of one whose results differ the result is printed alone"""
    b.write('bad.yaml', 'rows: 64\ncolums: 64\n')
    why = holds(b, 'failure', 'compile', b.model, '--arch=bad.yaml', code=1)['diagnostics']
    b.equal([(d['severity'], d['code'], d['file'], d['line'], d['column']) for d in why][:1], [('error', 'arch-value', 'bad.yaml', 2, 1)], 'place')
    b.equal(holds(b, 'failure', 'compile', 'none.onnx', code=1)['diagnostics'][0]['code'], 'io', 'no such file')
    b.equal(holds(b, 'failure', 'where', b.model, '--layer=0', '--row=0', '--col=0', code=1)['diagnostics'][0]['code'], 'program', 'no program')
    holds(b, 'run', 'run', b.model, '--test-data', b.test_data(0), '--tolerance=0', code=1)
    b.equal(b.run('compile', 'none.onnx', code=1).stdout, '', 'without --json')


def made_again(b):
    """options and machine of a result make it again, byte for byte"""
    first = json.loads(b.run('compile', b.model, '--arch=isaac', '--extra-pes=9', '--set=best', '--arch-field=rows=96', '--mapping=im2col', '-o', 'a.cim', '--json').stdout)
    b.write('machine.json', json.dumps(first['machine']))
    b.run('compile', b.model, '--arch', 'machine.json', '-o', 'b.cim', *first['options'])
    b.equal(b.read('b.cim'), b.read('a.cim'), 'program')


def schema_is_whole(b):
    """the schema has the machine's fields with their limits, and refuses what is missing, unknown or of another type"""
    schema, machine = schema_of(b), json.loads(b.run('arch', '--json').stdout)['machine']
    fields = schema['$defs']['machine']['properties']
    b.equal(sorted(fields), sorted(machine), 'fields')
    listed = []
    for name, limits, unit, meaning in re.findall(r'^\| `(\w+)` \| \S+ \| (.*?) \| (\S+) \| \w+ \| (.*) \|$', b.run('list', 'arch').stdout, re.MULTILINE):
        known = fields[name]
        b.equal(known['description'], meaning.replace('*not yet*', 'not yet') + ('' if 'enum' in known else ' [%s]' % unit), name)
        listed.append(name)
        b.equal(', '.join('`%s`' % c for c in known['enum']) if 'enum' in known else '%d..%d' % (known['minimum'], known['maximum']), limits, name)
    b.equal(sorted(listed), sorted(set(fields) - {'name', 'energy'}), 'fields that list arch has')
    b.equal(sorted(fields['energy']['properties']), sorted(machine['energy']), 'prices')
    good = json.loads(b.run('compile', b.model, '--json', '-o', 'p.cim').stdout)

    def change(what, edit):
        bad = copy.deepcopy(good)
        edit(bad)
        b.expect(faults(bad, {'$ref': '#/$defs/compile'}, schema) != [], 'accepted: ' + what)
    change('an unknown key', lambda r: r.update(more=1))
    change('an unknown key of a layer', lambda r: r['base_layers'][0].update(more=1))
    change('a key that is missing', lambda r: r.pop('cut'))
    change('a text for a number', lambda r: r.update(pes='9'))
    change('a negative number', lambda r: r['seconds'].update(emit=-1))
    change('another word', lambda r: r.update(mode='f16'))
    change('a real number for a whole one', lambda r: r.update(pes=1.5))


if __name__ == '__main__':
    sys.exit(run_cases([compiled, reported, simulated, swept, others, failures, made_again, schema_is_whole]))
