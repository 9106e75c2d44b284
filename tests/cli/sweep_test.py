# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""`cimc sweep`: points, rows, shards, what was interrupted, what is refused.

usage: sweep_test.py CIMC ROOT
"""
import csv
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time

from bench import run_cases

SPEC = '''# 24 points
models: [digits.onnx]
extra-pes: [0, 4..8:4]
arch-field: {rows: [64, 128], cols: [128]}
set: [pixel, "1x*"]
schedule: [cross, layer]
'''
N_POINTS = 24


def prepare(b):
    shutil.copy(b.model, b.path('digits.onnx'))
    b.write('points.yaml', SPEC)


def rows_of(b, name):
    return [json.loads(line) for line in b.read(name).splitlines()]


def results(rows):
    return [{k: v for k, v in row.items() if k != 'costs'} for row in rows]


def points(b):
    """the product of the lists, the last one fastest; a row has what `compile --json` says, and its costs apart"""
    prepare(b)
    b.run('sweep', 'points.yaml', '-o', 'rows.jsonl')
    rows = rows_of(b, 'rows.jsonl')
    wanted = [dict(zip(('model', 'extra-pes', 'arch-field.rows', 'arch-field.cols', 'set', 'schedule'), point))
              for point in itertools.product(['digits.onnx'], [0, 4, 8], [64, 128], [128], ['pixel', '1x*'], ['cross', 'layer'])]
    b.equal([row['point'] for row in rows], wanted, 'points')
    b.equal([row['index'] for row in rows], list(range(N_POINTS)), 'indices')
    b.equal(len({row['key'] for row in rows}), N_POINTS, 'keys')
    for row in random.Random(1).sample(rows, 4):
        p = row['point']
        compiled = json.loads(b.run('compile', p['model'], '--extra-pes', str(p['extra-pes']), '--arch-field', 'rows=%d' % p['arch-field.rows'],
                                    '--arch-field', 'cols=128', '--set', p['set'], '--schedule', p['schedule'], '--json').stdout)
        del compiled['tiles']
        costs = {key: compiled.pop(key) for key in ('seconds', 'peak_rss_bytes')}
        b.equal(row['result'], compiled, 'result of point %d' % row['index'])
        b.equal(set(row['costs']), set(costs) | {'kept'}, 'costs')
    typed = b.run('sweep', 'digits.onnx', '--extra-pes', '0..8:4', '--arch-field', 'rows=64,128', '--vary', 'arch-field.cols=128',
                  '--set', 'pixel,1x*', '--schedule', 'cross,layer', '--json')
    b.equal(results(json.loads(line) for line in typed.stdout.splitlines()), results(rows), 'the same on the command line')
    lines = b.run('sweep', 'points.yaml').stdout.splitlines()
    b.equal(lines[0].split(), 'extra-pes rows set schedule PEs cycles time speedup utilisation'.split(), 'table: head')
    b.equal([line.split()[5] for line in lines[1:]], [str(row['result']['makespan_cycles']) for row in rows], 'table: cycles')


def names_of_models(b):
    """the table tells models apart by their paths, without the folder that all are in"""
    for folder in ('zoo/one', 'zoo/two'):
        os.makedirs(b.path(folder))
        for name in ('model.onnx', 'other.onnx'):
            shutil.copy(b.model, b.path(os.path.join(folder, name)))

    def names(*models):
        return [line.split()[0] for line in b.run('sweep', *models).stdout.splitlines()]
    b.equal(names('zoo/one/model.onnx', 'zoo/two/model.onnx'), ['model', 'one/model.onnx', 'two/model.onnx'], 'two folders')
    b.equal(names('zoo/one/model.onnx', 'zoo/one/other.onnx'), ['model', 'model.onnx', 'other.onnx'], 'one folder')
    b.equal(names('zoo/one/model.onnx', 'x=zoo/one/other.onnx'), ['model', 'zoo/one/model.onnx', 'x=zoo/one/other.onnx'], 'a name')


def shards(b):
    """1, 3 and 7 shards, in any order, make the same file; as a table too"""
    prepare(b)
    merged = []
    for n in 1, 3, 7:
        files = []
        for k in random.Random(n).sample(range(1, n + 1), n):
            files.append('rows%d_%d.jsonl' % (n, k))
            b.run('sweep', 'points.yaml', '--shard', '%d/%d' % (k, n), '-o', files[-1])
            b.equal([row['index'] for row in rows_of(b, files[-1])], list(range(k - 1, N_POINTS, n)), files[-1])
        b.run('sweep', '--merge', *files, '-o', 'all.jsonl', '--csv', 'all.csv')
        merged.append((b.read('all.jsonl'), b.read('all.csv')))
    b.expect(merged[0] == merged[1] == merged[2], 'shards differ')
    table = list(csv.DictReader(merged[0][1].decode().splitlines()))
    rows = [json.loads(line) for line in merged[0][0].splitlines()]
    b.equal([(t['index'], t['status'], t['makespan_cycles']) for t in table],
            [(str(r['index']), 'ok', str(r['result']['makespan_cycles'])) for r in rows], 'CSV')
    b.run('sweep', 'points.yaml', '--csv', 'own.csv')
    b.equal(b.read('own.csv'), merged[0][1], 'CSV without rows')


def interrupted(b):
    """cut off at any byte, or killed, it goes on and the rows are the same; whole lines stay as they are"""
    prepare(b)
    b.run('sweep', 'points.yaml', '-o', 'rows.jsonl')
    b.run('sweep', '--merge', 'rows.jsonl', '-o', 'whole.jsonl')
    whole, text, dice = b.read('whole.jsonl'), b.read('rows.jsonl'), random.Random(7)
    for cut in [0, 1, text.index(b'\n'), text.index(b'\n') + 1, len(text) - 1] + [dice.randrange(len(text)) for _ in range(5)]:
        b.write('rows.jsonl', text[:cut])
        missing = b.run('sweep', 'points.yaml', '--missing', '-o', 'rows.jsonl').stdout.split()
        b.equal(missing, [str(i) for i in range(text[:cut].count(b'\n'), N_POINTS)], 'missing after %d bytes' % cut)
        b.equal(b.read('rows.jsonl'), text[:cut], '--missing changes nothing')
        b.run('sweep', 'points.yaml', '-o', 'rows.jsonl')
        kept = text[:text[:cut].rfind(b'\n') + 1]
        b.expect(b.read('rows.jsonl').startswith(kept), 'cut at %d: lines were changed' % cut)
        b.equal(b.run('sweep', '--merge', 'rows.jsonl').data, whole, 'cut at %d' % cut)
    b.write('rows.jsonl', '')
    for lines in 1, 5, 11:
        process = subprocess.Popen([b.cimc, 'sweep', 'points.yaml', '-o', 'rows.jsonl'], cwd=b.folder, stdout=subprocess.DEVNULL)
        while process.poll() is None and b.read('rows.jsonl').count(b'\n') < lines:
            time.sleep(0.001)
        process.kill()
        process.wait()
    b.contains(b.run('sweep', 'points.yaml', '-o', 'rows.jsonl').stdout, '24 points: ')
    b.equal(b.run('sweep', '--merge', 'rows.jsonl').data, whole, 'killed')


def failures(b):
    """what does not fit, is no machine or no model is a row, and the sweep goes on"""
    prepare(b)
    b.write('broken.onnx', b'\xff\xff')
    b.run('sweep', 'digits.onnx', 'broken.onnx', '--pes', '1,64', '--arch-field', 'rows=0,128', '-o', 'rows.jsonl')
    rows = rows_of(b, 'rows.jsonl')
    codes = [row['error'][0]['code'] if 'error' in row else 'ok' for row in rows]
    b.equal(codes, ['arch-value', 'capacity', 'arch-value', 'ok'] + ['onnx-wire'] * 4, 'codes')
    table = b.run('sweep', 'digits.onnx', '--pes', '1,64').stdout.splitlines()
    b.contains(table[1], 'failed: ', 'PE')
    b.equal(table[2].split()[:2], ['64', '64'], 'the second point')
    b.run('sweep', '--merge', 'rows.jsonl', '--csv', 'rows.csv')
    b.equal([r['status'] for r in csv.DictReader(b.read('rows.csv').decode().splitlines())], codes, 'CSV')


WRONG_SPECS = [
    ('models: [a.onnx\nset: [pixel', "points.yaml:2:4: error: not YAML: did not find expected ',' or ']' [usage]"),
    ('- a.onnx\n', "points.yaml:1:1: error: expected lines of the form 'option: [values]' [usage]"),
    ('models: [digits.onnx]\nextra-pse: [0]\n', "points.yaml:2:1: error: there is no option 'extra-pse'; did you mean 'extra-pes'? [usage]"),
    ('models: [digits.onnx]\nextra-pes: [0, x]\n', "points.yaml:2:16: error: --extra-pes: 'x' is not an integer from 0 to 9223372036854775807 [usage]"),
    ('models: [digits.onnx]\nextra-pes: [8..0]\n', "points.yaml:2:13: error: '8..0' is not a range FIRST..LAST:STEP [usage]"),
    ('models: [digits.onnx]\nset: []\n', 'points.yaml:2:6: error: the list has no values [usage]'),
    ('models: [digits.onnx]\nset: [pixel]\nset: ["1x*"]\n', "points.yaml:3:1: error: 'set' is given twice [usage]"),
    ('models: [digits.onnx]\nset: [[pixel]]\n', 'points.yaml:2:7: error: expected a plain value, found a mapping or sequence [usage]'),
    ('models: [digits.onnx]\ninputs: [a, b]\n', 'points.yaml:2:9: error: this is read with the model and the same for all points [usage]'),
    ('models: [digits.onnx]\noutput: [a]\n', 'points.yaml:2:1: error: --output is the same for all points [usage]'),
    ('set: [pixel]\n', 'points.yaml: error: there is no model [usage]'),
    # what is long to read, or makes much of little
    ('models: [digits.onnx]\npatch: [&l [a, b], *l]\n', 'points.yaml:2:9: error: anchors and tags are not allowed [usage]'),
    ('models: [digits.onnx]\npatch: [*l]\n', 'points.yaml:2:9: error: aliases are not allowed [usage]'),
    ('%TAG !a! b\n---\nmodels: [digits.onnx]\n', 'points.yaml:1:1: error: anchors and tags are not allowed [usage]'),
    ('[' * 100000, 'points.yaml:1:9: error: nested too deep [usage]'),
    ('models: [digits.onnx]\npes: [1..999999]\nframes: [1..11]\n', 'points.yaml:3:10: error: more than 10000000 points [usage]'),
    ('models: [digits.onnx]\npes: [1..9, 1..99999999999]\n', "points.yaml:2:13: error: 'pes' has more than 1000000 values [usage]"),
    ('models: [digits.onnx]\narch-field: {rowz: [1..9]}\n', "points.yaml:2:14: error: there is no field 'rowz'; did you mean 'rows'? [usage]"),
    ('models: [digits.onnx]\narch-field: [{rowz: 1}]\n', "points.yaml:2:14: error: there is no field 'rowz'; did you mean 'rows'? [usage]"),
    ('models: [digits.onnx]\narch-field: [64]\n', "points.yaml:2:14: error: '64' is not FIELD=VALUE [usage]"),
    # what one of two would be left out of
    ('models: [digits.onnx]\n---\npes: [1, 2]\n', 'points.yaml:2:1: error: there is more than one document [usage]'),
    ('models: [digits.onnx]\n...\npes: [1, 2]\n', 'points.yaml:3:1: error: there is more than one document [usage]'),
    ('models: [digits.onnx]\nmodels: [other.onnx]\n', "points.yaml:2:1: error: 'models' is given twice [usage]"),
    ('models: [digits.onnx]\ndim: [N=1]\nmodel.dim: [N=2]\n', "points.yaml:3:1: error: 'model.dim' is given twice [usage]"),
    ('models: [digits.onnx]\narch-field: ["rows=64"]\narch-field.rows: [128]\n', "points.yaml:3:1: error: 'arch-field.rows' is given twice [usage]"),
    ('models: [digits.onnx]\narch-field.rows: [128]\narch-field: [{cols: 8, rows: 64}]\n', "points.yaml:3:14: error: 'arch-field.rows' is given twice [usage]"),
    ('models: [digits.onnx]\narch-field: [{rows: 64, rows: 128}]\n', "points.yaml:2:14: error: 'arch-field.rows' is given twice [usage]"),
    # numbers that are others, or texts, to who reads the file or the rows
    ('models: [digits.onnx]\nextra-pes: [010]\n', "points.yaml:2:13: error: --extra-pes: '010' is not a plain decimal number [usage]"),
    ('models: [digits.onnx]\nextra-pes: [+5]\n', "points.yaml:2:13: error: --extra-pes: '+5' is not a plain decimal number [usage]"),
    ('models: [digits.onnx]\nextra-pes: [0..010]\n', "points.yaml:2:13: error: --extra-pes: '0..010' is not an integer from 0 to 9223372036854775807 [usage]"),
    ('models: [digits.onnx]\nmodelz: [a]\n', "points.yaml:2:1: error: there is no option 'modelz'; did you mean 'models'? [usage]"),
]


def refused(b):
    """a wrong specification is told with line and column, before anything is compiled; so are rows of another sweep"""
    prepare(b)
    for text, message in WRONG_SPECS:
        b.write('points.yaml', text)
        b.fails('sweep', 'points.yaml', code=2, message=message)
    b.fails('sweep', 'digits.onnx', '--extra-pes', '1,,2', code=2,
            message="cimc: error: --extra-pes: '' is not an integer from 0 to 9223372036854775807 [usage]")
    b.fails('sweep', 'digits.onnx', '--extra-pes', '1', '--extra-pes', '2', code=2, message="cimc: error: 'extra-pes' is given twice [usage]")
    b.fails('sweep', 'digits.onnx', '--vary', 'models=a', code=2, message="cimc: error: there is no option 'models'; did you mean 'mode'? [usage]")
    for shard in '4/3', '0/3', ' 1/3', '1/+3', '1/3x', '/3', ' -18446744073709551615/3':
        b.fails('sweep', 'digits.onnx', '--shard', shard, code=2, message="cimc: error: --shard: '%s' is not K/N with K from 1 to N [usage]" % shard)
    b.fails('sweep', 'digits.onnx', '--extra-pes', '0..999999', '--pes', '0..99', code=2, message='cimc: error: more than 10000000 points [usage]')
    b.run('sweep', 'digits.onnx', '--extra-pes', '0,4', '-o', 'rows.jsonl')
    before = b.read('rows.jsonl')
    message = 'rows.jsonl:2: error: the row is of no point of this sweep: its model, machine, options or version of cimc are others [data]'
    b.fails('sweep', 'digits.onnx', '--extra-pes', '0,8', '-o', 'rows.jsonl', code=1, message=message)
    b.equal(b.read('rows.jsonl'), before, 'rows of another sweep')
    b.write('other.jsonl', before.replace(b'"pes":', b'"sep":'))
    b.fails('sweep', '--merge', 'rows.jsonl', 'other.jsonl', code=1,
            message='other.jsonl:1: error: point 0 has two rows that differ [data]\nrows.jsonl:1: note: the other row')
    b.write('other.jsonl', '{}\n')
    b.fails('sweep', '--merge', 'other.jsonl', code=1, message='other.jsonl:1: error: this is no row of a sweep [data]')


NO_ROW = 'error: this is no row of a sweep [data]'
DAMAGED = 'error: the row is damaged: it is no JSON [data]'


def damaged(b):
    """a row that is damaged, joined to another or of another form is refused, whoever reads it, and the file stays as it is"""
    prepare(b)
    sweep = ('sweep', 'digits.onnx', '--extra-pes', '0,4,8', '-o', 'rows.jsonl')
    b.run(*sweep)
    rows = b.read('rows.jsonl').splitlines(keepends=True)
    head = rows[1][:rows[1].index(b'"point"')]
    for line, message in [
            (rows[1][:200] + rows[2], DAMAGED), (rows[1][:200] + b'}\n', DAMAGED), (rows[1][:200] + b'\0' * 50 + rows[1][250:], DAMAGED),
            (rows[1].replace(b':1,', b': 1,', 1), NO_ROW), (rows[1].replace(b':1,', b':-1,', 1), NO_ROW),
            (rows[1].replace(b':1,', b':99999999999999999999999,', 1), NO_ROW), (rows[1].replace(head[18:34], b'-0x1', 1), NO_ROW),
            (b'no row\n', NO_ROW), (b'no row', NO_ROW), (b'{"ind\n', NO_ROW), (b'{', ''), (b'{"index":1,"k', '')]:
        b.write('rows.jsonl', rows[0] + line)
        for command in sweep, ('sweep', '--merge', 'rows.jsonl'), ('diff', 'rows.jsonl#0', 'rows.jsonl#0'):
            if message:
                b.fails(*command, code=1, message='rows.jsonl:2: ' + message)
                b.equal(b.read('rows.jsonl'), rows[0] + line, 'a file that was refused')
        if not message:    # the beginning of a row, which is made again
            b.run(*sweep)
            b.equal([json.loads(row)['index'] for row in b.read('rows.jsonl').splitlines()], [0, 1, 2], 'rows behind a cut one')
            b.expect(b.read('rows.jsonl').startswith(rows[0]), 'the row before a cut one')
    for name, text in ('notes.txt', 'my notes'), ('machine.yaml', 'rows: 64'):
        b.write(name, text)
        b.fails('sweep', 'digits.onnx', '-o', name, code=1, message=name + ':1: ' + NO_ROW)
        b.equal(b.read(name), text.encode(), name)


def last_lines(b):
    """of a last line without an end --merge and diff take a row that is whole, and warn of another"""
    prepare(b)
    b.run('sweep', 'digits.onnx', '--extra-pes', '0,4', '-o', 'rows.jsonl')
    b.run('sweep', '--merge', 'rows.jsonl', '-o', 'whole.jsonl', '--csv', 'whole.csv')
    text = b.read('rows.jsonl')
    b.write('cut.jsonl', text[:-1])
    b.equal(b.run('sweep', '--merge', 'cut.jsonl').data, b.read('whole.jsonl'), 'without the end')
    b.run('diff', 'cut.jsonl#1', 'cut.jsonl#1')
    b.write('cut.jsonl', text[:-2])
    done = b.run('sweep', '--merge', 'cut.jsonl', '--csv', 'cut.csv')
    b.equal(done.stderr, 'cut.jsonl:2: warning: the last line is cut off: a row is missing [data]\n', 'a row that is cut off')
    b.equal(b.read('cut.csv').splitlines(), b.read('whole.csv').splitlines()[:2], 'the row that is whole')


def strange_tables(b):
    """results that are lists have no columns; more columns than a table has are an error"""
    row = '{"index":%d,"key":"0123456789abcdef","point":{"a":1},"result":%s}\n'
    b.write('lists.jsonl', row % (0, '[1,2]') + row % (1, '{"b":[1],"c":{"d":2}}'))
    b.equal(b.run('sweep', '--merge', 'lists.jsonl', '--csv', '-').stdout, 'index,status,a,c.d\n0,ok,1,\n1,ok,1,2\n', 'lists')
    b.write('wide.jsonl', row % (0, json.dumps({'v%d' % i: i for i in range(998)})))
    b.fails('sweep', '--merge', 'wide.jsonl', '--csv', '-', code=1, message='wide.jsonl:1: error: a table has at most 1000 columns [data]')


def read_once(b):
    """a mapping from a pipe is read once; machines, models and rows that would have to be read again are refused"""
    prepare(b)
    read, write = os.pipe()
    os.write(write, b'0=2\n')
    os.close(write)
    piped = subprocess.run([b.cimc, 'sweep', 'digits.onnx', '--vary', 'copies=@/dev/fd/%d' % read, '--extra-pes', '4', '--set', 'pixel,1x*', '--json'],
                           cwd=b.folder, pass_fds=[read], capture_output=True)
    os.close(read)
    typed = b.run('sweep', 'digits.onnx', '--copies', '0=2', '--extra-pes', '4', '--set', 'pixel,1x*', '--json')
    b.equal([json.loads(line)['result'] for line in piped.stdout.splitlines()],
            [json.loads(line)['result'] for line in typed.stdout.splitlines()], 'copies from a pipe')
    for arguments in ('-',), ('digits.onnx', '--arch', '-'), ('digits.onnx', '--vary', 'calibrate=-'), ('digits.onnx', '--vary', 'calibrate=a/b=-'):
        b.fails('sweep', *arguments, code=2, stdin='rows: 64', message="cimc: error: '-' cannot be read again for each point: a sweep reads files [usage]")
    b.run('sweep', 'digits.onnx', '--extra-pes', '0,4', '-o', 'rows.jsonl')
    for arguments in ('-o', 'all.jsonl', '--csv', 'all.csv'), ('-o', 'all.jsonl'), ('--csv', 'all.csv'):
        done = b.run('sweep', '--merge', '-', *arguments, stdin=b.read('rows.jsonl'), code=2 if len(arguments) == 4 else 0)
        b.equal('read twice' in done.stderr, len(arguments) == 4, 'a pipe to ' + ' '.join(arguments))
    b.equal([b.read(name).count(b'\n') for name in ('all.jsonl', 'all.csv')], [2, 3], 'a pipe to either')


def no_input_replaced(b):
    """what a list or a specification names is an input, too"""
    prepare(b)
    shutil.copy(b.model, b.path('other.onnx'))
    b.write('two.yaml', 'models: [digits.onnx, other.onnx]\narch: [clsa, machine.yaml]\n')
    b.write('machine.yaml', 'rows: 64\n')
    b.write('copies', '0=2\n')
    b.write('k.pb', 'tensor')
    b.write('constant.yaml', 'models: [digits.onnx]\nconstant: [a/b=k.pb]\n')
    b.write('calibrate.yaml', 'models: [digits.onnx]\ncalibrate: [[a/b=k.pb]]\n')
    for name, arguments in (('other.onnx', ['two.yaml']), ('machine.yaml', ['two.yaml']), ('machine.yaml', ['digits.onnx', '--arch', 'clsa,machine.yaml']),
                            ('copies', ['digits.onnx', '--vary', 'copies=@copies']), ('k.pb', ['constant.yaml']), ('k.pb', ['calibrate.yaml'])):
        before = b.read(name)
        for what, option in ('table', '--csv'), ('output', '-o'):
            b.fails('sweep', *arguments, option, name, code=2, message="cimc: error: the %s would replace the input '%s' [usage]" % (what, name))
            b.equal(b.read(name), before, name)


def names_in_keys(b):
    """the name of a model is in its layers' names, and so in the key"""
    prepare(b)
    b.run('sweep', 'x=digits.onnx', '-o', 'rows.jsonl')
    for model in 'y=digits.onnx', 'digits.onnx':
        b.contains(b.run('sweep', model, '-o', 'rows.jsonl', code=1).stderr, 'the row is of no point of this sweep')
    b.contains(b.run('sweep', 'x=digits.onnx', '-o', 'rows.jsonl').stdout, '1 were there')


def streams(b):
    """what goes to standard output alone: diagnostics as JSON where there are no rows, a table without a summary"""
    prepare(b)
    for model, pes, code in ('digits.onnx', 'x', 2), ('none.onnx', '0', 1):
        told = json.loads(b.run('sweep', model, '--extra-pes', pes, '--json', code=code).stdout)
        b.equal(len(told['diagnostics']), 1, 'diagnostics')
    done = b.run('sweep', 'digits.onnx', '--extra-pes', '0', '-o', 'rows.jsonl', '--csv', '-')
    b.equal([line.split(',')[0] for line in done.stdout.splitlines()], ['index', '0'], 'the table')
    b.contains(done.stderr, '1 points: ')
    os.symlink('loop', b.path('loop'))
    for path in 'rows.jsonl/x', 'loop':
        b.contains(b.run('sweep', 'digits.onnx', '--missing', '-o', path, code=1).stderr, path + ': error: cannot open: ')
    b.equal(b.run('sweep', 'digits.onnx', '--missing', '-o', 'none.jsonl').stdout, '0\n', 'no file yet')
    b.contains(b.run('sweep', '--merge', 'rows.jsonl', '--json', '--csv', 'rows.csv', code=2).stderr, '--csv with rows on standard output')
    b.contains(b.run('sweep', '--merge', 'rows.jsonl', '--shard', '1/2', code=2).stderr, '--merge takes rows as they are')


if __name__ == '__main__':
    sys.exit(run_cases([points, names_of_models, shards, interrupted, failures, refused, damaged, last_lines, strange_tables, read_once, no_input_replaced, names_in_keys, streams]))
