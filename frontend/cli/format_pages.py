#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Writes the manual pages of file formats, cimc-arch(5) and cimc-json(5), from the schema of what cimc prints as JSON.

usage: format_pages.py SCHEMA VERSION arch|json      (the page goes to standard output)
"""
import json
import sys

ARCH_HEAD = '''
A machine is a YAML file of one mapping, from names of fields to plain values; order is free. Fields that are not named are those of the preset that
.B base
names, or of clsa. Prices stand in a mapping of their own,
.BR energy .
What cannot be right is refused with line and column.
.TP
.B name
1 to 64 printable ASCII characters; "custom" if it is left out.
.TP
.B base
A preset: cimc list archs.
.SH NUMBERS
Decimal digits, at most 16; an underscore may stand between two. A number of these units may have another behind it, and then a point too:
.TP
.B bytes
B, kB, MB, GB of 1,000, KiB, MiB, GiB of 1,024.
.TP
.B bytes/cycle
The same, exactly; each of them per second (6.4GB/s): rounded down, with a note. Not less than 1.
.TP
.B cycles
ps, ns, us, ms, s: rounded up, with a note.
.TP
.B ps
The same, exactly; Hz, kHz, MHz, GHz: the nearest, with a note.
.TP
.B pJ, uW, um2
aJ to uJ, pW to W, nm2 to mm2: to a millionth.
.PP
Times are counted in the cycle_ps of the same file, wherever it stands.
'''
ARCH_TAIL = '''.SH EXAMPLES
.nf
name: my\\-chip
base: clsa
tiles: 16
crossbars: 8
cycle_ps: 700MHz
mvm_cycles: 1400ns
buffer_bytes: 64KiB
topology: mesh
link_bytes_per_cycle: 6.4GB/s
energy:
  adc_convert_pj: 1.67
  crossbar_leakage_uw: 1.5mW
.fi
.PP
.nf
cimc arch mesh > my.yaml
cimc arch my.yaml \\-\\-arch\\-field rows=128
cimc compile model.onnx \\-\\-arch my.yaml
.fi
.SH "SEE ALSO"
.BR cimc (1),
.BR cimc\\-arch (1),
.BR cimc\\-json (5)
'''
JSON_HEAD = '''
With
.B \\-\\-json
a command prints one object. What does not exist is null. Keys marked
.I optional
are there where they make sense. cimc.schema.json, installed in share/cimc, says the same as a JSON Schema (draft 2020\\-12).
'''
JSON_TAIL = '''.SH EXAMPLES
Cycles, time and the layer that holds the network up:
.PP
.nf
cimc compile model.onnx \\-\\-json | jq '.makespan_cycles, .makespan_seconds, .bottleneck.layer'
.fi
.PP
Make the result again, and change the machine that it is of:
.PP
.nf
cimc compile model.onnx \\-\\-json > point.json
jq .machine point.json > machine.yaml
jq \\-r '.options[]' point.json | xargs \\-d '\\en' cimc compile model.onnx \\-\\-arch machine.yaml
.fi
.SH "SEE ALSO"
.BR cimc (1),
.BR cimc\\-arch (5)
'''


def escape(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text[:1] in ('.', "'") else text


def kind(part):
    """The type of a value, in a word or two."""
    if '$ref' in part:
        return 'see ' + part['$ref'].split('/')[-1].upper()
    if 'enum' in part:
        return ', '.join('null' if x is None else str(x) for x in part['enum'])
    if 'anyOf' in part:
        return ' or '.join(kind(x) for x in part['anyOf'])
    if 'minimum' in part and 'maximum' in part:
        return '%d to %d' % (part['minimum'], part['maximum'])
    name = part.get('type', 'object')
    return ' or '.join(name) if isinstance(name, list) else 'array of ' + kind(part['items']) if name == 'array' else name


def inner(part):
    """The object whose keys stand below this one: itself, an element, the choice that is one; None."""
    if part.get('type') == 'array':
        return inner(part['items'])
    for choice in part.get('anyOf', []):
        if 'properties' in choice:
            return choice
    return part if 'properties' in part else None


def put_keys(part, out, prefix=''):
    for name, value in part['properties'].items():
        optional = '' if name in part.get('required', []) else ', optional'
        out.append('.TP\n.B %s\n(%s%s) %s' % (escape(prefix + name), escape(kind(value)), optional, escape(value.get('description', ''))))
        below = inner(value)
        if below:
            put_keys(below, out, prefix + name + '.')


def put_machine(root, out):
    machine = root['$defs']['machine']['properties']
    for title, fields in (('FIELDS', {k: v for k, v in machine.items() if k not in ('name', 'energy')}), ('PRICES', machine['energy']['properties'])):
        out.append('.SH ' + title)
        if title == 'PRICES':
            out.append('Of energy and area, with at most 6 places behind the point; what is left out has none.')
        for name, value in fields.items():
            range_text = '' if title == 'PRICES' else '(%s) ' % escape(kind(value))
            out.append('.TP\n.B %s\n%s%s' % (escape(name), range_text, escape(value['description'])))


def page(root, version, name, summary, head, body, tail):
    out = ['.TH "CIMC\\-%s" 5 "" "cimc %s" "File Formats"' % (name.upper(), version), '.SH NAME', 'cimc\\-%s \\- %s' % (name, summary),
           '.SH DESCRIPTION' + head.rstrip('\n')]
    body(root, out)
    return '\n'.join(out) + '\n' + tail


def put_objects(root, out):
    commands = [k['$ref'].split('/')[-1] for k in root['oneOf']]
    for name in ['compiled'] + commands + [n for n in root['$defs'] if n not in commands + ['compiled', 'machine']]:
        part = root['$defs'][name]
        out.append('.SH ' + name.upper())
        if 'description' in part:
            out.append(escape(part['description']) + '.')
        for base in part.get('allOf', []):
            out.append('The keys of %s%s' % (base['$ref'].split('/')[-1].upper(), ', and:' if 'properties' in part else '.'))
        part, first = inner(part), root['$defs']['compiled']['properties']
        if part is None:
            continue
        if name != 'compiled' and all(key in part['properties'] for key in first):
            out.append('The keys of COMPILED, and:')
            part = dict(part, properties={k: v for k, v in part['properties'].items() if first.get(k) != v})
        put_keys(part, out)
    out.append('.SH MACHINE\nAll fields, and in\n.B energy\nall prices, of\n.BR cimc\\-arch (5);\nby itself it is a machine\'s file.')


def main(schema, version, name):
    with open(schema, encoding='utf-8') as f:
        root = json.load(f)
    pages = {'arch': ('a machine, as a YAML file', ARCH_HEAD, put_machine, ARCH_TAIL), 'json': ('what cimc prints with --json', JSON_HEAD, put_objects, JSON_TAIL)}
    summary, head, body, tail = pages[name]
    sys.stdout.write(page(root, version, name, escape(summary), head, body, tail))


main(*sys.argv[1:])
