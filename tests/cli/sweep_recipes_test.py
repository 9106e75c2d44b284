# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The recipes in SWEEP.md: shards side by side make what one process makes.

usage: sweep_recipes_test.py CIMC ROOT
"""
import os
import re
import shutil
import subprocess
import sys

from bench import run_cases
from sweep_test import prepare


# What the recipes of SWEEP.md find instead of a cluster: all jobs, all ranks, one after the other.
STUBS = {
    'sbatch': '''#!/bin/sh
n=${1#--array=1-}
for k in $(seq $n); do
    SLURM_ARRAY_TASK_ID=$k SLURM_ARRAY_TASK_COUNT=$n sh "$2" || exit
done
''',
    'mpirun': '''#!/bin/sh
for k in 0 1 2; do
    OMPI_COMM_WORLD_RANK=$k OMPI_COMM_WORLD_SIZE=3 PMI_RANK=$k PMI_SIZE=3 "$@" || exit
done
'''}


def recipe_lines(b, what):
    """the lines of the example in SWEEP.md that has this word"""
    with open(os.path.join(b.root, 'frontend', 'cimc', 'SWEEP.md'), encoding='utf-8') as page:
        section = page.read().split('## Side by side')[1].split('## ')[0]
    examples = [block for block in re.findall(r'(?:^ {4}.*\n)+', section, re.M) if what in block]
    b.equal(len(examples), 1, 'examples with %s in SWEEP.md' % what)
    return [line[4:] for line in examples[0].splitlines()]


def follow(b, commands):
    """runs the commands, then the one that merges, and compares with one process"""
    prepare(b)
    os.mkdir(b.path('bin'))
    os.symlink(b.cimc, b.path('bin/cimc'))
    for name, text in STUBS.items():
        os.chmod(b.write('bin/' + name, text), 0o755)
    environment = dict(os.environ, PATH=b.path('bin') + ':' + os.environ['PATH'], HOME=b.folder)
    merge = [line for line in recipe_lines(b, 'parallel') if '--merge' in line]
    for command in commands + merge:
        done = subprocess.run(command, shell=True, cwd=b.folder, env=environment, capture_output=True, timeout=200)
        b.equal((done.returncode, b'error:' in done.stderr), (0, False), command + ': ' + done.stderr.decode())
    b.run('sweep', 'points.yaml', '-o', 'one.jsonl', '--csv', 'one.csv')
    b.equal(b.read('all.jsonl'), b.run('sweep', '--merge', 'one.jsonl').data, 'rows')
    b.equal(b.read('all.csv'), b.read('one.csv'), 'table')


def with_parallel(b):
    """the recipe for GNU parallel, as it stands in SWEEP.md"""
    if not shutil.which('parallel'):
        b.skipped = 'GNU parallel is not installed'
        return
    follow(b, [line for line in recipe_lines(b, 'parallel') if line.startswith('parallel ')])


def with_xargs(b):
    """the recipe for xargs"""
    follow(b, [line for line in recipe_lines(b, 'parallel') if 'xargs' in line])


def with_slurm(b):
    """the script for Slurm, as an array of jobs"""
    b.write('sweep.sh', '\n'.join(recipe_lines(b, 'SLURM')) + '\n')
    follow(b, ['sbatch --array=1-5 sweep.sh'])


def with_mpi(b):
    """the command for MPI, and the same with the names of MPICH"""
    command = recipe_lines(b, 'mpirun')
    follow(b, command)
    for name in 'rows1.jsonl', 'rows2.jsonl', 'rows3.jsonl':
        os.unlink(b.path(name))
    names = command[0].replace('OMPI_COMM_WORLD_RANK', 'PMI_RANK').replace('OMPI_COMM_WORLD_SIZE', 'PMI_SIZE')
    b.expect(names != command[0], 'there are no names of Open MPI')
    subprocess.run(names, shell=True, cwd=b.folder, check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, PATH=b.path('bin') + ':' + os.environ['PATH']))
    b.equal(b.run('sweep', '--merge', 'rows1.jsonl', 'rows2.jsonl', 'rows3.jsonl').data, b.read('all.jsonl'), 'names of MPICH')


if __name__ == '__main__':
    sys.exit(run_cases([with_parallel, with_xargs, with_slurm, with_mpi]))
