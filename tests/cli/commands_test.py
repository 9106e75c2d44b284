# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The commands' contract: help, options, exit codes, messages, files and pipes.

usage: commands_test.py CIMC ROOT
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import threading

from bench import run_cases
from onnx_bytes import INT64, onnx_model, onnx_node

MODEL = {'dim', 'constant', 'input-type', 'inputs', 'outputs', 'no-weights', 'verbose'}
CALIBRATION = {'calibrate', 'input-scale', 'weight-bits', 'activation-bits', 'rounding', 'bias-correction', 'layer'}
MAPPING = CALIBRATION | {'mode', 'unquantised', 'arch', 'arch-field', 'schedule', 'set', 'cut', 'duplicate', 'mapping', 'patch', 'copies', 'pes', 'extra-pes', 'lp-file', 'print-plan'}
NOISE = {'noise-seed'}
SEVERAL = {'rate', 'frames', 'pace', 'state'}
VIEWS = {'schedule-out', 'schedule-svg', 'svg-layout', 'trace'}
TIMING = {'time-passes', 'print-changed', 'stats'}
TRACE = {'time-trace'}
VALUES = {'test-data', 'input', 'input-fill', 'input-scale'}
VERDICT = {'tolerance', 'tolerance-steps', 'labels', 'save-outputs'}
INPUTS = VALUES | VERDICT | {'compare-layers', 'latency-seed', 'max-extra-cycles'}
PASSES = {'passes', 'print-before', 'print-after', 'stop-after', 'skip', 'no-verify', 'roundtrip-each', 'dot', 'inline'}
# Command -> options, operands that make a valid line as far as the command line goes.
COMMANDS = {
    'compile': (MODEL | MAPPING | NOISE | SEVERAL | VIEWS | TIMING | TRACE | {'output', 'fill', 'energy', 'json'}, ['absent']),
    'report': (MODEL | MAPPING | NOISE | SEVERAL | TIMING | TRACE | {'report-arch', 'against', 'output', 'json'}, ['absent']),
    'sweep': (MODEL | (MAPPING - {'lp-file', 'print-plan'}) | NOISE | (SEVERAL - {'rate'}) | {'vary', 'shard', 'csv', 'merge', 'missing', 'output', 'json'}, ['absent']),
    'diff': ({'json'}, ['absent', 'absent']),
    'run': (MODEL | MAPPING | NOISE | SEVERAL | INPUTS | VIEWS | TIMING | TRACE | {'constant-weights', 'program', 'output', 'fill', 'energy', 'json'}, ['absent']),
    'sim': (INPUTS | NOISE | {'frames', 'trials'} | {'model', 'times', 'energy', 'json'}, ['absent']),
    'eval': (MODEL | (MAPPING - {'lp-file', 'print-plan'}) | NOISE | {'frames'} | {'constant-weights', 'at'} | VALUES | VERDICT | {'json'}, ['absent']),
    'arch': ({'arch-field', 'output', 'json'}, []),
    'opt': (MODEL | MAPPING | NOISE | PASSES | TIMING | {'output'}, ['absent']),
    'quantize': (MODEL | CALIBRATION | TIMING | {'arch', 'arch-field', 'test-data', 'output', 'json'}, ['absent']),
    'dis': ({'inline', 'tile', 'layer', 'output'}, ['absent']),
    'asm': ({'output'}, ['absent']),
    'where': ({'layer', 'row', 'col', 'tile', 'pe', 'cell', 'json'}, ['absent']),
    'dump': (VALUES | {'output', 'cells', 'force', 'format', 'checksums', 'latency-seed', 'max-extra-cycles'}, ['absent']),
    'check': ({'model', 'json'}, ['absent']),
    'list': ({'format'}, []),
    'completion': (set(), []),
    'man': (set(), []),
    'version': (set(), []),
    'help': (set(), []),
}
# Commands that read a file.
READERS = ('compile', 'report', 'run', 'sim', 'eval', 'opt', 'dis', 'asm', 'dump', 'check')
LISTS = ('ops', 'passes', 'isa', 'arch', 'prices', 'counters', 'archs', 'onnx', 'codes')

IR = '''graph "g" tensor {
  %0 = input {index=0, dtype="f32", shape=[2]}
  %1 = relu %0 @"r"
  %2 = relu %1
  output %2 {index=0, dtype="f32", shape=[2]}
}
'''
IR_AFTER = '''graph "g" tensor {
  %0 = input {index=0, dtype="f32", shape=[2], extent=[0,0,0], strides=[0,0,0], offset=0} : f32[2]
  %1 = relu %0 : f32[2] @"r"
  output %1 {index=0, dtype="f32", shape=[2], strides=[0,0,0], offset=0}
}
'''


def overview(b):
    """cimc --help, -h and help tell the same and name every command"""
    texts = [b.run(*words) for words in (['--help'], ['-h'], ['help'])]
    b.expect(len({t.stdout for t in texts}) == 1, 'they differ')
    b.expect(not any(t.stderr for t in texts), 'help is data: nothing belongs on standard error')
    b.equal(sorted(re.findall(r'^  (\w+) ', texts[0].stdout, re.MULTILINE)), sorted(COMMANDS), 'commands')


def help_of_each(b):
    """each command's --help, -h and help COMMAND agree and name every option"""
    for name, (options, _) in COMMANDS.items():
        text = b.run(name, '--help').stdout
        b.equal(b.run(name, '-h').stdout, text, name + ' -h')
        b.equal(b.run('help', name).stdout, text, 'help ' + name)
        b.contains(text, 'cimc %s - ' % name, 'Usage: cimc ' + name, 'Exit status: 0 ')
        named = set(re.findall(r'^ {2,6}(?:-\w, )?--([a-z-]+)', text, re.MULTILINE))
        b.equal(sorted(named), sorted(options | {'help', 'quiet'}), name + ': options in its help')
        b.expect(all(len(line) <= 90 for line in text.splitlines()), name + ': lines too long for a terminal')


def unknown_options(b):
    """an unknown option exits 2, for every command"""
    for name, (_, operands) in COMMANDS.items():
        for option in ('--no-such-option', '-Z'):
            b.fails(name, option, *operands, code=2, message='cimc: error: unknown option %s; see cimc %s --help '
                    '[usage]' % (option, name))


def meant_names(b):
    """what is nearly a name is told with the name; what begins several options is told with all of them"""
    def told(message, *arguments, code=2):
        b.fails(*arguments, code=code, message=message)
    told("cimc: error: there is no command 'compille'; did you mean 'compile'? [usage]", 'compille')
    told("cimc: error: there is no list 'opps'; did you mean 'ops'? [usage]", 'list', 'opps')
    told("cimc: error: unknown option --inptu; did you mean '--input'? [usage]", 'run', '--inptu=x', b.model)
    told('cimc: error: ambiguous option --schedule-: --schedule-out, --schedule-svg [usage]', 'compile', '--schedule-', 'x', b.model)
    told('cimc: error: no value is taken by --json; see cimc compile --help [usage]', 'compile', '--json=x', b.model)
    told('cimc: error: unknown option -Z; see cimc compile --help [usage]', 'compile', '-Zo', b.model)
    told("cimc: error: --duplicate: 'sun' is none of none|sum|makespan|interval; did you mean 'sum'? [usage]", 'compile', '--duplicate=sun', b.model)
    told("cimc: error: --set: 'pixle' is none of auto, best, pixel, RxC (R, C: a number or *); did you mean 'pixel'? [usage]", 'compile', '--set=pixle',
         b.model)
    told("cimc: machine: error: there is no field 'crosbars'; did you mean 'crossbars'? [arch-value]", 'compile', '--arch-field=crosbars=4', b.model,
         code=1)
    told("cimc: error: copies: there is no base layer '/conv1/Cnv' (a name, or a number from 0 to 6); did you mean '/conv1/Conv'? [duplication]",
         'compile', '--copies=/conv1/Cnv=2', b.model, code=1)
    told("cimc: error: pipeline: there is no pass 'partitoin'; did you mean 'partition'? [pass]", 'opt', '--passes=partitoin', b.model, code=1)
    b.contains(b.run('compile', '--arch=issac', b.model, code=1).stderr, "rtl; did you mean 'isaac'?")
    b.write('a.yaml', 'rowz: 3\n')
    b.contains(b.run('compile', '--arch=a.yaml', b.model, code=1).stderr, "a.yaml:1:1: note: did you mean 'rows'?")


def usage_errors(b):
    """wrong command lines exit 2 with one line that says what is wrong"""
    def usage(message, *arguments):
        b.fails(*arguments, code=2, message='cimc: error: %s [usage]' % message)
    usage('a command is missing; see cimc --help')
    usage("there is no command 'polish'; see cimc --help", 'polish')
    usage("there is no command 'polish'; see cimc --help", 'help', 'polish')
    usage("there is no list 'nothing'; there are ops, passes, isa, archs, onnx, arch, prices, counters, codes", 'list', 'nothing')
    usage('missing operand: ops|passes|isa|arch|prices|counters|archs|onnx|codes; see cimc list --help', 'list')
    usage('missing operand: MODEL...; see cimc compile --help', 'compile')
    usage('too many operands: b; see cimc eval --help', 'eval', 'a', 'b')
    usage('a value is missing after --set; see cimc compile --help', 'compile', '--set')
    usage("--pes: 'x' is not all or an integer from 0 to 9223372036854775807", 'compile', '--pes=x', 'a')
    usage("--pes: '-1' is not all or an integer from 0 to 9223372036854775807", 'compile', '--pes=-1', 'a')
    usage("--cut: 'x' is none of auto|w|h|2d", 'compile', '--cut=x', 'a')
    usage("--set: '0x3' is none of auto, best, pixel, RxC (R, C: a number or *)", 'compile', '--set=0x3', b.model)
    usage("--dim: 'N' has no NAME=", 'compile', '--dim=N', b.model)
    usage('--pes and --extra-pes exclude each other', 'compile', '--pes=9', '--extra-pes=1', b.model)
    usage('output and JSON cannot both go to standard output', 'compile', '-o', '-', '--json', b.model)
    usage("--arch-field: 'rows' is not FIELD=VALUE", 'compile', '--arch-field=rows', b.model)
    usage('--lp-file: with --duplicate none there is no duplication problem to write', 'opt', '--lp-file=x', '--duplicate=none', '--mapping=im2col', b.model)
    for patch in ('0', '0=', '0=2', '0=2x', '0=x2', '0=2x2x', '=1x1', '0=-1x1'):
        usage("--patch: '%s' is not LAYER=AxB" % patch, 'compile', '--patch=' + patch, b.model)
    usage('--lp-file: with --copies there is no duplication problem to write', 'compile', '--lp-file=x', '--copies=0=1', b.model)
    b.equal(os.listdir(b.folder), [], 'files')
    b.run('compile', b.model, '-o', 'p.cim')
    usage('--compare-layers needs --model', 'sim', '--compare-layers', '--input-fill=ramp', 'p.cim')


def missing_files(b):
    """a missing file, a folder, an unreadable kind exit 1 and name the file"""
    for name in READERS:
        more = ['-o', 'out'] if 'output' in COMMANDS[name][0] else []
        b.fails(name, 'absent', *more, code=1, message='absent: error: cannot open: No such file or directory [io]')
        b.fails(name, b.folder, *more, code=1, message=b.folder + ': error: is a directory [io]')
    b.equal(os.listdir(b.folder), [], 'files left behind')
    empty = b.write('empty', '')
    for name in READERS:
        b.run(name, empty, *(['-o', 'out'] if 'output' in COMMANDS[name][0] else []), code=1)
    b.equal(os.listdir(b.folder), ['empty'], 'files left behind')
    os.mkdir(os.path.join(b.folder, 'keras'))
    b.write('keras/saved_model.pb', '')
    b.fails('compile', 'keras', code=1, message='keras: error: is a directory [io]\nkeras: note: it is a TensorFlow SavedModel; convert the model with tf2onnx')


def other_inputs(b):
    """files named by options that are missing or wrong exit 1"""
    b.run('compile', b.model, '-o', 'p.cim')
    for arguments in (['compile', b.model, '-o', 'x', '--arch=absent.yaml'], ['run', b.model, '--test-data=absent'],
                      ['run', b.model, '--input=absent.npy'], ['sim', 'p.cim', '--model=absent', '--input-fill=ramp'],
                      ['compile', b.model, '-o', 'x', '--constant=image=absent.pb'],
                      ['run', b.model, '--program=absent'], ['check', 'p.cim', '--model=absent'],
                      ['compile', b.model, '-o', 'x', '--arch-field=polish=1'],
                      ['compile', b.model, '-o', 'x', '--arch-field=rows=0']):
        done = b.run(*arguments, code=1)
        b.expect(re.search(r'error: .* \[[a-z-]+\]$', done.stderr, re.MULTILINE), 'no coded message:\n' + done.stderr)
    b.equal(sorted(os.listdir(b.folder)), ['p.cim'], 'files left behind')


# The layers' widths times their PEs.
WIDTHS = 28 * 1 + 14 * 1 + 14 * 1 + 7 * 1 + 7 * 2 + 7 * 2 + 1 * 1
LARGEST = ("cimc: note: largest layers, in PEs: '/block2/conv1/Conv' 2, '/block2/conv2/Conv' 2, '/conv1/Conv' 1, "
           "'/block1/conv1/Conv' 1, '/block1/conv2/Conv' 1, ...\n")


def capacity(b):
    """a network that does not fit: what it needs, its largest layers, machines that would fit"""
    def refuse(arguments, text):
        done = b.run('compile', b.model, '-o', 'x', *arguments, code=1)
        b.equal(done.stderr, text, ' '.join(arguments))
    refuse(['--pes=3'], 'cimc: error: the network needs 9 PEs, --pes gives 3 [capacity]\n' + LARGEST +
           'cimc: note: would fit: --pes 9\n')
    refuse(['--arch-field', 'tiles=1'],
           'cimc: error: the network needs 9 PEs, the machine has 8 (1 tiles of 8 crossbars) [capacity]\n' + LARGEST +
           'cimc: note: would fit: --arch-field tiles=2; --arch-field crossbars=9; '
           '--arch-field rows=512 --arch-field cols=512 (7 PEs)\n')
    refuse(['--arch-field', 'tiles=2', '--extra-pes=8'],
           'cimc: error: --extra-pes asks for 17 PEs, the machine has 16 (2 tiles of 8 crossbars); at most --extra-pes 7 [capacity]\n')
    refuse(['--arch=rtl', '--arch-field', 'buffer_bytes=4000'],
           'cimc: error: tile 0 needs 170880 bytes of buffer, the machine has 4000: raise buffer_bytes to 170880 [capacity]\n')
    refuse(['--arch-field', 'tiles=2', '--pes=20'],
           'cimc: error: --pes asks for 20 PEs, the machine has 16 (2 tiles of 8 crossbars); at most --pes 16 [capacity]\n')
    b.fails('compile', b.model, '-o', 'x', '--pes=all', code=2,
            message='cimc: error: --pes all: the machine has as many tiles as needed; give --arch-field tiles=N [usage]')
    b.equal(os.listdir(b.folder), [], 'files left behind')


def raised_is_enough(b):
    """what is said to be raised for a list of a table, and to what, is raised_is_enough, and one less is not"""
    nodes = [onnx_node('MatMul', ['x', 'w'], 'v', 'one'), onnx_node('Gather', ['v', 'order'], 'u', 'shuffle'), onnx_node('MatMul', ['u', 'w'], 'y', 'two')]
    b.write('m.onnx', onnx_model(nodes, {'w': ([4, 4], [1] * 16), 'order': ([4], [3, 0, 1, 2], INT64)}, {'x': [4, 4]}, {'y': [4, 4]}))
    for field, model, options in (('max_group_pes', b.model, []), ('max_targets', b.model, ['--extra-pes', '20', '--arch-field', 'crossbars=3']),
                                  ('max_gathers', 'm.onnx', [])):
        command = ['compile', model, '-o', 'x', *options, '--arch-field']
        told = b.run(*command, field + '=1', code=1).stderr
        most = re.fullmatch(r'cimc: error: tile \d+ needs (\d+) .* of one .*, the machine has 1: raise %s to \1 \[capacity\]\n' % field, told)
        b.expect(most, told)
        if most:
            b.run(*command, '%s=%s' % (field, most[1]))
            less = b.run(*command, '%s=%d' % (field, int(most[1]) - 1), code=1).stderr
            b.contains(less, 'raise %s to %s [capacity]' % (field, most[1]))


def whole_machine(b):
    """a machine with a fixed number of tiles is used whole; --extra-pes 0 asks for the fewest PEs"""
    def pes_of(*arguments):
        report = json.loads(b.run('compile', b.model, '--mapping=im2col', '-o', 'x', '--json', '--arch-field', *arguments).stdout)
        return [report[k] for k in ('pe_min', 'pes', 'pes_used')]
    b.equal(pes_of('tiles=3'), [9, 24, 24], '3 tiles of 8')
    b.equal(pes_of('tiles=3', '--pes=all'), [9, 24, 24], '--pes all')
    b.equal(pes_of('tiles=3', '--extra-pes=0'), [9, 9, 9], '--extra-pes 0')
    # at most one copy a column
    b.equal(pes_of('tiles=16'), [9, 128, WIDTHS], '16 tiles of 8')
    table = b.run('compile', b.model, '--mapping=im2col', '-o', 'x', '--arch-field', 'tiles=16').stdout
    b.expect('7 base layers, 9 of 128 PEs needed, %d of 128 PEs used, 12 tiles' % WIDTHS in table, table)


def version(b):
    """version"""
    done = b.run('version')
    b.expect(re.fullmatch(r'cimc \d+\.\d+\.\d+ \(instruction set \d+\)\n'
                          r'(commit [-\w.]+, )?(gcc|clang) [\d.]+(, [\w-]+ \d+\.[\d.]+)+\n', done.stdout), done.stdout)
    for option in ('--version', '-V'):
        b.equal(b.run(option).stdout, done.stdout, 'cimc ' + option)


def lists(b):
    """every list is a Markdown table"""
    for name in LISTS:
        lines = b.run('list', name).stdout.splitlines()
        b.expect(len(lines) > 2 and lines[0].startswith('| ') and re.fullmatch(r'[|-]+', lines[1]), name + ' is no table')
    b.contains(b.run('list', '--help').stdout, *LISTS)


def opt_text(b):
    """opt: IR text from a file or standard input, to standard output or a file"""
    source = b.write('g.ir', IR)
    b.equal(b.run('opt', source, '--passes=simplify').stdout, IR_AFTER, 'from a file')
    done = b.run('opt', '-', '--passes=simplify', stdin=IR)
    b.equal(done.stdout, IR_AFTER, 'from standard input')
    b.equal(done.stderr, '', 'standard error')
    b.equal(b.run('opt', '-', '--passes=simplify', '-o', 'out.ir', stdin=IR).stdout, '', 'with -o')
    b.equal(b.read('out.ir').decode(), IR_AFTER, 'the file')
    b.equal(b.run('opt', 'out.ir', '--passes=simplify', '-o', '-').stdout, IR_AFTER, 'with -o -')


def opt_prints(b):
    """opt: dumps go to standard error, the result to standard output; --roundtrip-each and --dot"""
    source = b.write('g.ir', IR)
    done = b.run('opt', source, '--passes=cse,simplify', '--print-before=cse', '--print-after', '--stats', '--time-passes')
    b.equal(done.stdout, IR_AFTER, 'standard output')
    b.equal(done.stderr.count('graph "g" tensor {'), 3, 'dumps')
    b.contains(done.stderr, 'cse', 'simplify')
    changed = re.findall(r'^; after ([\w-]+)\ngraph ', b.run('compile', b.model, '--print-changed').stderr, re.MULTILINE)
    b.expect('partition' in changed and 'quant' not in changed, '--print-changed, nothing is quantised here: %r' % changed)
    plain = b.run('opt', b.model, '--inline').stdout
    b.equal(b.run('opt', b.model, '--inline', '--roundtrip-each').stdout, plain, '--roundtrip-each changes the result')
    b.equal(b.run('opt', '-', '--inline', '--passes=dce', stdin=plain).stdout, plain, 'what --inline prints, read again')
    b.contains(b.run('opt', b.model, '--stop-after=partition').stdout, 'canonical {')
    dot = b.run('opt', b.model, '--dot').stdout
    b.expect(dot.startswith('digraph') and dot.rstrip().endswith('}'), dot[:200])


def opt_dot(b):
    """opt --dot: the graphs of --print-before and --print-after are DOT too, each complete"""
    done = b.run('opt', b.model, '--dot', '--print-after=fold-bn,dup', '--print-before=fold-bn')
    graphs = re.split(r'^(// \w+ [\w-]+)\n', done.stderr, flags=re.MULTILINE)
    b.equal(graphs[:1] + graphs[1::2], ['', '// before fold-bn', '// after fold-bn', '// after dup'], 'graphs')
    b.equal(done.stdout, graphs[-1], 'dup is the last pass')
    for dot in graphs[2::2]:
        b.expect(dot.startswith('digraph "') and dot.endswith('\n}\n') and dot.count('digraph "') == 1, dot[:200])
        nodes = set(re.findall(r'^  (n\d+) \[', dot, re.MULTILINE))
        edges = re.findall(r'^  (n\d+) -> (n\d+);$', dot, re.MULTILINE)
        b.expect(edges and all(x in nodes and y in nodes for x, y in edges), 'an edge without its node')
    b.expect('batch_norm' not in graphs[4] and 'mvm' in graphs[6], 'the graphs are not those of their passes')


def tables_of_passes(b):
    """--time-passes and --stats: one table on standard error, of opt, compile, run and report; data stays as it is"""
    passes = b.run('list', 'passes').stdout.split('The standard pipeline: `')[1].split('`')[0].split(',')
    stages = ['import', 'passes', 'schedule', 'emit', 'check', 'write']
    for arguments, more in ((['opt', b.model], []), (['compile', b.model, '-o', 'p.cim'], stages), (['report', b.model, '-o', '-'], stages),
                            (['run', b.model, '--test-data', b.test_data(0)], stages + ['simulate', 'evaluate'])):
        plain = b.run(*arguments)
        done = b.run(*arguments, '--time-passes', '--stats')
        b.equal([plain.stderr, done.stdout], ['', plain.stdout], 'standard output')
        lines = done.stderr.splitlines()
        b.equal(lines[0].split(), ['pass', 'seconds', 'operations', 'change', 'statistics'], arguments[0])
        rows = [line.split(None, 4) for line in lines[1:1 + len(passes)]]
        b.equal([row[0] for row in rows], passes, arguments[0] + ': passes')
        for before, row in zip([None] + rows, rows):
            b.expect(re.fullmatch(r'\d+\.\d{6}', row[1]) and (not before or int(row[2]) == int(before[2]) + int(row[3])), '%r' % row)
        b.expect('base layers' in dict((row[0], row[4]) for row in rows if len(row) > 4).get('im2col', ''), 'statistics of im2col')
        total = lines[1 + len(passes)].split()
        b.expect(total[:2] == ['all', 'passes'] and abs(float(total[2]) - sum(float(r[1]) for r in rows)) < 2e-5, '%r' % total)
        b.equal([line.split()[0] for line in lines[2 + len(passes):]], ['stage'] * bool(more) + more, arguments[0] + ': stages')
    b.equal(b.run('opt', b.model, '--stats').stderr, b.run('opt', b.model, '--stats').stderr, 'statistics have no times')


def outputs_to_pipes(b):
    """compile | sim and dis | asm through pipes; with -o - the table is on standard error"""
    table = b.run('compile', b.model, '-o', 'digits.cim').stdout
    program = b.read('digits.cim')
    done = b.run('compile', b.model, '-o', '-')
    b.expect(done.data == program, '-o - writes other bytes than -o FILE')
    b.equal(done.stderr + 'wrote digits.cim\n', table, 'the table')
    done = b.run('sim', '-', '--test-data', b.test_data(3), stdin=program)
    b.contains(done.stdout, 'PASS')
    text = b.run('dis', '-', stdin=program).stdout
    b.expect(b.run('asm', '-', stdin=text).data == program, 'asm(dis(x)) is not x')
    b.run('compile', '-', '-o', 'again.cim', stdin=open(b.model, 'rb').read())
    b.run('sim', 'again.cim', '--test-data', b.test_data(3))


def default_output(b):
    """compile without -o writes MODEL's name with .cim into the current folder, unless another output is asked for"""
    for arguments, wrote in ((['--json'], []), (['--schedule-svg=s.svg', '--trace=t.json'], ['s.svg', 't.json']), (['--schedule-out=s.csv'], ['s.csv']),
                             (['--extra-pes=1', '--lp-file=p.lp'], ['p.lp']), ([], ['digits.cim'])):
        last = b.run('compile', b.model, *arguments).stdout.splitlines()[-1]
        b.equal(sorted(os.listdir(b.folder)), wrote, 'files')
        b.expect(not wrote or last == 'wrote ' + ', '.join(wrote), 'last line ' + last)
        for name in wrote:
            os.unlink(b.path(name))


def special_files(b):
    """devices and pipes are written directly; a full device is an error"""
    b.run('compile', b.model, '-o', '/dev/null')
    b.expect(not os.path.isfile('/dev/null'), '/dev/null was replaced')
    fifo = b.path('fifo')
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(open(fifo, 'rb').read()), daemon=True)
    reader.start()
    b.run('compile', b.model, '-o', fifo)
    reader.join(10)
    b.run('compile', b.model, '-o', 'p.cim')
    b.expect(got == [b.read('p.cim')], 'the pipe got something else')
    b.fails('compile', b.model, '-o', '/dev/full', code=1, message='/dev/full: error: cannot write: No space left on device [io]')
    b.fails('compile', b.model, '-o', 'absent/p.cim', code=1,
            message='absent/p.cim: error: cannot write: No such file or directory [io]')
    with open('/dev/full', 'w') as full:
        for arguments in (['list', 'isa'], ['opt', b.model], ['dis', 'p.cim'], ['--help'], ['compile', b.model, '--json', '-o', 'x']):
            b.run(*arguments, code=1, stdout=full)


def whole_or_not_at_all(b):
    """when a command fails, an existing output file stays as it is and no new one appears"""
    bad = b.write('bad.onnx', open(b.model, 'rb').read()[:50000])
    b.run('compile', b.model, '-o', 'good.cim')
    text = b.run('dis', 'good.cim', '--inline').stdout
    bad_program = b.write('bad.cim', b.read('good.cim')[:-100])
    bad_text = b.write('bad.s', text[:len(text) // 2] + '\nnonsense here\n')
    kept = b.write('kept', 'what was here before')
    before = sorted(os.listdir(b.folder))
    for arguments in (['compile', bad], ['run', bad, '--input-fill=ramp'], ['opt', bad], ['dis', bad_program], ['asm', bad_text],
                      ['compile', b.model, '--pes=1']):
        for output in (kept, 'new'):
            b.run(*arguments, '-o', output, code=1)
        b.equal(b.read('kept'), b'what was here before', ' '.join(arguments))
    b.equal(sorted(os.listdir(b.folder)), before, 'files')


def same_file(b):
    """a text may be assembled over the program that its sections are taken from"""
    b.run('compile', b.model, '-o', 'p.cim')
    program = b.read('p.cim')
    b.write('p.s', b.run('dis', 'p.cim').stdout)
    b.run('asm', 'p.s', '-o', 'p.cim')
    b.expect(b.read('p.cim') == program, 'assembled over its own source of sections')


def links(b):
    """an output that is a link goes to what it points at, also where that is standard output as a file; the link stays"""
    b.run('compile', b.model, '-o', 'p.cim')
    text = b.run('dis', 'p.cim').data
    os.symlink('target', b.path('link'))
    os.symlink('/proc/self/fd/1', b.path('stdout'))
    for _ in range(2):
        b.write('target', 'old')
        b.run('dis', 'p.cim', '-o', 'link')
        b.equal(b.read('target'), text, 'what the link points at')
    with open(b.path('file'), 'wb') as f:
        b.run('dis', 'p.cim', '-o', 'stdout', stdout=f)
    b.equal(b.read('file'), text, 'standard output')
    b.equal([os.path.islink(b.path(name)) for name in ('link', 'stdout')], [True, True], 'links')
    b.equal(sorted(os.listdir(b.folder)), ['file', 'link', 'p.cim', 'stdout', 'target'], 'files')


def no_file_twice(b):
    """no output replaces an input or another output of the same command; a device may take several"""
    def usage(message, *arguments):
        b.fails(*arguments, code=2, message='cimc: error: %s [usage]' % message)
    data = open(b.model, 'rb').read()
    model = b.write('m.onnx', data)
    os.symlink(model, b.path('link'))
    for command in ('compile', 'report', 'run', 'opt'):
        usage("the output would replace the input 'm.onnx'", command, 'm.onnx', '-o', './m.onnx')
    usage("the trace would replace the input 'link'", 'compile', 'link', '--trace', 'm.onnx')
    usage('output and trace cannot both go to x', 'compile', 'm.onnx', '-o', 'x', '--trace', 'x')
    usage('schedule and duplication problem cannot both go to x', 'run', 'm.onnx', '--schedule-out', 'x', '--lp-file', 'x')
    os.symlink('not_there', b.path('way'))    # of files that are not there yet, too
    for path in './x', os.path.join('..', os.path.basename(b.folder), 'x'), b.path('x'):
        usage('output and trace cannot both go to ' + path, 'compile', 'm.onnx', '-o', 'x', '--trace', path)
    usage('output and trace cannot both go to not_there', 'compile', 'm.onnx', '-o', 'way', '--trace', 'not_there')
    os.remove(b.path('way'))
    b.equal([b.read('m.onnx') == data, sorted(os.listdir(b.folder))], [True, ['link', 'm.onnx']], 'files')
    b.run('compile', 'm.onnx', '-o', '/dev/null', '--trace', '/dev/null')
    b.run('compile', 'm.onnx', '-o', 'p.cim')
    b.run('dis', 'p.cim', '-o', 'p.asm')
    b.write('a.yaml', 'base: clsa\n')
    b.write('copies', '0=1\n')
    b.write('patches', '0=1x1\n')
    b.write('classes', '5\n')
    b.run('sweep', 'm.onnx', '-o', 'rows')
    shutil.copytree(b.test_data(0), b.path('t'))
    os.mkdir(b.path('d'))
    os.link(b.path('p.cim'), b.path('d/p.cim'))
    b.write('d/program.json', '')
    b.run('run', 'm.onnx', '--input-fill=ramp', '--save-outputs=s')
    before = {name: b.read(name) for name in ('p.cim', 'p.asm', 'a.yaml', 'copies', 'patches', 'classes', 'rows', 't/input_0.pb', 't/output_0.pb', 's/output_0.npy')}
    files = sorted(os.listdir(b.folder))
    for what, path, arguments in (
            ('output', 'p.cim', ['dis', 'p.cim', '-o', 'p.cim']), ('output', 'p.asm', ['asm', 'p.asm', '-o', 'p.asm']),
            ('output', 'a.yaml', ['compile', 'm.onnx', '--arch', 'a.yaml', '-o', 'a.yaml']),
            ('output', 'a.yaml', ['report', 'm.onnx', '--report-arch', 'a.yaml', '-o', 'a.yaml']),
            ('output', 'copies', ['compile', 'm.onnx', '--copies', '@copies', '-o', 'copies']),
            ('trace', 'patches', ['compile', 'm.onnx', '--patch', '@patches', '--trace', './patches']),
            ('list of times', 'classes', ['sim', 'p.cim', '--model=m.onnx', '--input-fill=ramp', '--labels=classes', '--times=classes']),
            ('output', 'rows', ['report', 'm.onnx', '--against', 'rows#0', '-o', 'rows']),
            ('output', 't/input_0.pb', ['compile', 'm.onnx', '--constant', 'w=t/input_0.pb', '-o', 't/input_0.pb']),
            ('output', 't/output_0.pb', ['run', 'm.onnx', '--test-data', 't', '-o', 't/output_0.pb']),
            ('saved output', 's/output_0.npy', ['sim', 'p.cim', '--input', 's/output_0.npy', '--save-outputs', 's']),
            ('output', 'p.cim', ['run', 'm.onnx', '--program', 'p.cim', '-o', 'p.cim']),
            ('output', 'd/p.cim', ['dump', 'd/p.cim', '-o', 'd', '--force'])):
        usage("the %s would replace the input '%s'" % (what, path), *arguments)
    b.equal([before, files], [{name: b.read(name) for name in before}, sorted(os.listdir(b.folder))], 'files')


def weights_beside_the_model(b):
    """a file that only the model names is an input like any other"""
    weights = struct.pack('<4f', 1, 2, 3, 4)
    b.write('w.bin', weights)
    b.write('default.cim', weights)
    node = onnx_node('MatMul', ['x', 'w'], 'y', 'n')
    for model, file in (('m.onnx', 'w.bin'), ('default.onnx', 'default.cim')):
        b.write(model, onnx_model([node], {'w': ([2, 2], file)}, {'x': [1, 2]}, {'y': [1, 2]}))
    b.run('compile', 'm.onnx', '-o', 'p.cim')
    b.run('run', 'm.onnx', '--input-fill=ramp', '--save-outputs=s')
    os.link(b.path('w.bin'), b.path('link'))
    os.remove(b.path('s/output_0.npy'))
    os.link(b.path('w.bin'), b.path('s/output_0.npy'))
    files = sorted(os.listdir(b.folder))
    for what, arguments in (
            ('output', ['compile', 'm.onnx', '-o', 'w.bin']), ('report', ['report', 'm.onnx', '-o', 'link']),
            ('trace', ['compile', 'm.onnx', '--trace', 'w.bin']), ('output', ['opt', 'm.onnx', '-o', 'w.bin']),
            ('output', ['run', 'm.onnx', '--input-fill=ramp', '-o', 'w.bin']),
            ('saved output', ['run', 'm.onnx', '--program=p.cim', '--input-fill=ramp', '--save-outputs=s']),
            ('list of times', ['sim', 'p.cim', '--model=m.onnx', '--input-fill=ramp', '--times=w.bin']),
            ('saved output', ['sim', 'p.cim', '--model=m.onnx', '--input-fill=ramp', '--save-outputs=s'])):
        b.fails(*arguments, code=2, message="cimc: error: the %s would replace the input 'w.bin' [usage]" % what)
    b.fails('compile', 'default.onnx', code=2, message="cimc: error: the output would replace the input 'default.cim' [usage]")
    b.fails('compile', 'm.onnx', '-o', '.', code=1, message='.: error: cannot write: Is a directory [io]')
    b.equal([b.read('w.bin'), b.read('default.cim'), sorted(os.listdir(b.folder))], [weights, weights, files], 'files')


def multiply_adds(b):
    """how many on crossbars, how many on vector units, and whether these are free: 3 x 2 by 2 x 2 weights, by 2 x 4"""
    b.write('w.bin', struct.pack('<4f', 1, 2, 3, 4))
    nodes = [onnx_node('MatMul', ['x', 'w'], 'a', 'n'), onnx_node('MatMul', ['a', 'z'], 'y', 'm')]
    b.write('m.onnx', onnx_model(nodes, {'w': ([2, 2], 'w.bin')}, {'x': [3, 2], 'z': [2, 4]}, {'y': [3, 4]}))
    for arch, free in (('clsa', True), ('mesh', False)):
        report = json.loads(b.run('compile', 'm.onnx', '-o', 'p.cim', '--json', '--arch', arch).stdout)
        b.equal([report[key] for key in ('crossbar_macs', 'vector_macs', 'vector_is_free')], [12, 24, free], arch)
        text = b.run('compile', 'm.onnx', '-o', 'p.cim', '--arch', arch).stdout
        b.expect('multiply-adds: 12 on crossbars, 24 on vector units' in text, 'no multiply-adds')
        b.equal('takes no time on this machine' in text, free, 'note of ' + arch)


def closed_output(b):
    """a reader that goes away does not make a crash"""
    for arguments in (['list', 'isa'], ['opt', b.model, '--inline']):
        process = subprocess.Popen([b.cimc, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=b.folder)
        process.stdout.close()
        process.stderr.read()
        process.stderr.close()
        b.expect(process.wait(60) in (0, 1, -13), '%s: exit code %d' % (arguments[0], process.returncode))


if __name__ == '__main__':
    sys.exit(run_cases([overview, help_of_each, unknown_options, meant_names, usage_errors, missing_files, other_inputs, capacity, raised_is_enough, whole_machine, version, lists, opt_text,
                        opt_prints, opt_dot, tables_of_passes, outputs_to_pipes, default_output, special_files, whole_or_not_at_all, same_file,
                        links, no_file_twice, weights_beside_the_model, multiply_adds, closed_output]))
