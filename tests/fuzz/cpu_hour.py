#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Lets each fuzz target look for faults for an hour of its own processor time, and says what came of it.

usage: python3 -B tests/fuzz/cpu_hour.py [--minutes M] [--jobs N] BUILD FOLDER [TARGET...]

BUILD is set up with -Dfuzzers=true and is built first. FOLDER keeps corpora, findings and logs; another run goes on with its corpora.
A target ends at its first finding. Slow units, more than 10 seconds by the clock, are named and fail nothing: on a busy machine they
have to be tried alone. Ends with the line 'N passed, N failed'; exit status 1 if one failed.
"""
import argparse
import concurrent.futures
import math
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGETS = ['api', 'asm', 'ir', 'machine', 'onnx', 'program']
LIMITS = ['-timeout=150', '-rss_limit_mb=2048', '-max_len=8192']
SHORTEST = 30    # seconds; the corpus is loaded in each slot


class Result:
    def __init__(self):
        self.seconds, self.executions, self.peak, self.code = 0.0, 0, 0, 0


def run_slot(target, seconds, build, folder, log):
    """One process of libFuzzer: (exit code, its user and system seconds)."""
    fuzz = os.path.join(build, 'tests', 'fuzz')
    inputs = [os.path.join(folder, 'corpora', target), os.path.join(fuzz, 'seeds', target)]
    inputs += [path for path in [os.path.join(ROOT, 'tests', 'fuzz', 'corpus', target)] if os.path.isdir(path)]
    words = os.path.join(fuzz, 'seeds', target + '.dict')
    command = [os.path.join(fuzz, 'fuzz_' + target), '-max_total_time=%d' % seconds, '-print_final_stats=1']
    command += ['-artifact_prefix=%s-' % os.path.join(folder, 'found', target)] + LIMITS
    command += ['-dict=' + words] if os.path.exists(words) else []
    process = subprocess.Popen(command + inputs, cwd=os.path.join(folder, 'scratch', target), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def largest(text, name):
    return max([int(n) for n in re.findall(r'^stat::%s: *(\d+)' % name, text, re.MULTILINE)], default=0)


def fuzz_target(target, wanted, build, folder):
    """Slots until the target had `wanted` seconds or ended with something else than 0."""
    for part in ('corpora', 'scratch'):
        os.makedirs(os.path.join(folder, part, target), exist_ok=True)
    result, path = Result(), os.path.join(folder, target + '.log')
    open(path, 'w').close()
    while result.seconds < wanted and result.code == 0:
        with open(path, 'a') as log:
            start = log.tell()
            result.code, seconds = run_slot(target, max(SHORTEST, math.ceil(wanted - result.seconds)), build, folder, log)
        with open(path, errors='replace') as log:
            log.seek(start)
            text = log.read()
        result.seconds += seconds
        result.executions += largest(text, 'number_of_executed_units')
        result.peak = max(result.peak, largest(text, 'peak_rss_mb'))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, default=60, help='of processor time for each target (60)')
    parser.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)), help='targets at once (as many as there are processors)')
    parser.add_argument('build')
    parser.add_argument('folder')
    parser.add_argument('targets', nargs='*', default=TARGETS, metavar='TARGET', help=' '.join(TARGETS))
    wish = parser.parse_args()
    strange = [target for target in wish.targets if target not in TARGETS]
    if strange or wish.minutes <= 0 or wish.jobs < 1:
        parser.error('no target %s' % strange[0] if strange else 'minutes and jobs are above 0')
    wish.targets = list(dict.fromkeys(wish.targets))    # two of one target would share a log
    build, folder = os.path.abspath(wish.build), os.path.abspath(wish.folder)
    if subprocess.run(['ninja', '-C', build, 'tests/fuzz/seeds'] + ['tests/fuzz/fuzz_' + t for t in wish.targets], stdout=sys.stderr).returncode:
        return 1
    os.makedirs(os.path.join(folder, 'found'), exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(wish.jobs) as pool:
        results = list(pool.map(lambda target: fuzz_target(target, wish.minutes * 60, build, folder), wish.targets))
    found = sorted(os.listdir(os.path.join(folder, 'found')))
    print('| target | CPU minutes | executions | peak MB | end |\n|---|---|---|---|---|')
    for target, result in zip(wish.targets, results):
        end = 'status %d, %s.log' % (result.code, target) if result.code else 'nothing found'
        print('| %s | %.1f | %d | %d | %s |' % (target, result.seconds / 60, result.executions, result.peak, end))
    for name in found:
        print('# ' + os.path.join(folder, 'found', name))
    failed = sum(result.code != 0 for result in results)
    print('%d passed, %d failed' % (len(results) - failed, failed))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
