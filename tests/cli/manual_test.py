# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Completion scripts and manual pages: made from the command tables, whole, and well-formed.

usage: manual_test.py CIMC ROOT
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

from bench import run_cases


def commands_of(b):
    return re.findall(r'^  (\w+) ', b.run('help').stdout, re.MULTILINE)


def complete(b, words):
    """What bash offers for the last of these words."""
    b.write('script', b.run('completion', 'bash').data)
    done = subprocess.run(['bash', '--norc', '-c', 'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cimc; '
                           'printf "%s\\n" "${COMPREPLY[@]}"', 'bash', *words], cwd=b.folder, capture_output=True, text=True, timeout=60)
    b.equal(done.stderr, '', 'bash %s: standard error' % words)
    return sorted(done.stdout.split('\n')[:-1])


def bash(b):
    """bash completes commands, options, values that are known, split at = or not, and file names"""
    b.write('model one.onnx', '')
    for words, wanted in [
            (['comp'], ['compile', 'completion']), (['--v'], ['--version']),
            (['compile', '--sche'], ['--schedule-out=', '--schedule-svg=', '--schedule=']),
            (['compile', '--js'], ['--json']), (['dis', '--js'], ['']),
            (['compile', '--schedule', ''], ['cross', 'layer']), (['compile', '--schedule', '=', 'l'], ['layer']),
            (['compile', '--schedule', '='], ['cross', 'layer']), (['compile', '--cut=2'], ['--cut=2d']),
            (['compile', 'mod'], ['model one.onnx']), (['compile', '-o', 'mod'], ['model one.onnx']),
            (['compile', '--output=mod'], ['--output=model one.onnx']), (['opt', '--print-a'], ['--print-after']),
            (['dump', '--format', '=', 'h'], ['hex']), (['compile', '--set', 'b'], ['best']), (['compile', '--set', ''], ['auto', 'best', 'pixel']),
            (['compile', '--arch', 'me'], ['mesh']), (['compile', '--pes', ''], ['all']), (['compile', '--extra-pes', ''], ['']), (['run', '--input-fill=r'], ['--input-fill=ramp']),
            (['opt', '--skip', 'fold-'], ['fold-bn']), (['opt', '--print-after', '=', 'til'], ['tile']), (['list', 'arch'], ['arch', 'archs']),
            (['sim', '--test-data', 'm'], ['model one.onnx']), (['help', 'ver'], ['version']), (['completion', 'z'], ['zsh'])]:
        b.equal(complete(b, ['cimc', *words]), wanted, 'bash: %s' % words)
    b.equal(complete(b, ['cimc', '']), sorted(commands_of(b) + ['--help', '--version']), 'bash: commands')


def other_shells(b):
    """the scripts for zsh and fish name every command and option; another shell exits 2"""
    zsh, fish = (b.run('completion', shell).stdout for shell in ('zsh', 'fish'))
    b.expect(zsh.startswith('#compdef cimc\n'), 'zsh: no #compdef')
    for name in commands_of(b):
        options = re.findall(r'^ {2,6}(?:-\w, )?--([a-z-]+)', b.run('help', name).stdout, re.MULTILINE)
        part = zsh.split('\n    %s)\n' % name)[1].split(' ;;\n')[0]
        b.contains(fish, '-a %s -d' % name)
        for option in options:
            b.expect(re.search(r"'\*?--%s[\[=]" % option, part), 'zsh: %s --%s is missing' % (name, option))
            b.contains(fish, "from %s' -l %s " % (name, option))
    b.fails('completion', 'csh', code=2, message="cimc: error: 'csh' is none of bash|zsh|fish [usage]")


def pages(b):
    """manual pages name every command and option, escaped; groff has nothing to say"""
    b.fails('man', 'polish', code=2, message="cimc: error: there is no command 'polish'; see cimc --help [usage]")
    overview = b.run('man').stdout
    for name in commands_of(b):
        page = b.run('man', name).stdout
        b.contains(overview, '.BR cimc\\-%s (1)\n' % name)
        for option in re.findall(r'^ {2,6}(?:-\w, )?--([a-z-]+)', b.run('help', name).stdout, re.MULTILINE):
            b.contains(page, '\\fB\\-\\-%s\\fR' % option.replace('-', '\\-'))
        for option in ('arch', 'json'):
            b.equal('.BR cimc\\-%s (5)\n' % option in page, '\\fB\\-\\-%s\\fR' % option in page, '%s: the page of --%s' % (name, option))
        b.expect(not re.search(r'(?<!\\)-', page), name + ': a - without \\')
        b.contains(page, *('.SH %s\n' % section for section in ('DESCRIPTION', 'EXAMPLES', 'FILES', 'ENVIRONMENT', '"EXIT STATUS"', 'BUGS')))
        b.expect('Examples:' not in page, name + ': examples are a section')
        lint(b, name, page)
    lint(b, 'overview', overview)


def lint(b, name, page):
    if shutil.which('groff'):
        done = subprocess.run(['groff', '-man', '-ww', '-z', b.write('page.1', page)], capture_output=True, text=True, timeout=60)
        b.equal(done.stdout + done.stderr, '', name + ': groff')


def built(b):
    """the build made a page for each command"""
    found = {os.path.basename(p) for p in glob.glob(os.path.join(os.path.dirname(b.cimc), '*.1'))}
    if found:  # none where only the program was built
        b.equal(sorted(found), sorted(['cimc.1'] + ['cimc-%s.1' % c for c in commands_of(b)]), 'pages')


def formats(b):
    """the pages of formats have every field, price and key; groff has nothing to say"""
    with open(os.path.join(b.root, 'frontend', 'cimc', 'cimc.schema.json'), encoding='utf-8') as f:
        schema = json.load(f)
    pages = {}
    for name in ('arch', 'json'):
        script = os.path.join(b.root, 'frontend', 'cli', 'format_pages.py')
        pages[name] = subprocess.run([sys.executable, '-B', script, os.path.join(b.root, 'frontend', 'cimc', 'cimc.schema.json'), '0.1.0', name],
                                     capture_output=True, text=True, timeout=60, check=True).stdout
        lint(b, 'cimc-%s(5)' % name, pages[name])
        b.contains(pages[name], '.SH EXAMPLES\n')
    for table in ('arch', 'prices'):
        for field in re.findall(r'^\| `(\w+)`', b.run('list', table).stdout, re.MULTILINE):
            b.contains(pages['arch'], '.B %s\n' % field)
    for part in schema['$defs']['compiled'], schema['$defs']['report'], schema['$defs']['verdict'], schema['$defs']['where'], schema['$defs']['base_layer']:
        b.contains(pages['json'], *('.B %s\n' % key for key in part['properties']))
    example = pages['arch'].split('.SH EXAMPLES\n.nf\n')[1].split('.fi')[0].replace('\\-', '-')
    b.equal(json.loads(b.run('arch', b.write('example.yaml', example), '--json').stdout)['machine']['mvm_cycles'], 980, 'the example: 1,400,000 / 1,429 ps')


if __name__ == '__main__':
    sys.exit(run_cases([bash, other_shells, pages, built, formats]))
