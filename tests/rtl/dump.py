# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""A folder of `cimc dump`, and how much of it a run of the machine has in common with it."""
import glob
import json
import os
import re
import shutil

ALL = 'golden', 'times', 'receive'
VALUES = 'golden', 'receive'  # what does not depend on how long things take
COUNTERS = 1 << 22
FEW = 200  # records whose checksums Python has quickly
UNWRITTEN = '7fc0dead'  # what the buffer has where nothing was written; such words are left out
SEND, MESSAGE = '8008', '9000'


def lines(path):
    """Words of a memory."""
    with open(path, encoding='ascii') as f:
        return [line.strip() for line in f if not line.startswith('//')]


def write(path, words):
    with open(path, 'w', encoding='ascii') as f:
        f.writelines(word + '\n' for word in words)


def memory(path):
    """{address of a word: the word}"""
    words, at = {}, 0
    for line in lines(path):
        if line.startswith('@'):
            at = int(line[1:], 16)
        else:
            words[at] = line
            at += 1
    return words


def filled(word):
    """A word of a dump, where bytes that nothing was written to are xx, as the machine has it."""
    return ''.join(u if w == 'x' else w for w, u in zip(word, UNWRITTEN))


def without_sends(records):
    """Golden records of a queue, but for what SENDs write in other tiles: the sender does not know it, receive_CCC has it."""
    kept, rest = [], 0
    for record in records:
        if rest:
            rest -= 1
        elif record.startswith(SEND):
            rest = int(record[24:], 16)
            kept.append(record[:24] + '0' * 8)
        else:
            kept.append(record)
    return kept


def without_times(records):
    """Records of an inbound counter, but for when its messages were counted."""
    return [record[:8] + '0' * 16 + record[24:] if record.startswith(MESSAGE) else record for record in records]


def fnv(words):
    """DUMP.md: 64-bit FNV-1a of the bytes of records."""
    h = 0xcbf29ce484222325
    for word in words:
        for byte in bytes.fromhex(word)[::-1]:
            h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return h


class Words:
    """Fields of the memories' words, and which number is which."""

    def __init__(self, bench):
        found = json.loads(bench.run('list', 'isa', '--format', 'json'))
        self.words = {w['name']: {f['name']: (f['lsb'], f['bits']) for f in w['fields']} for w in found['words']}
        self.numbers = {name: found[name + '_numbers'] for name in ('machine', 'program')}

    def place(self, file, name):
        """Which number of the machine or the program has this name."""
        return self.numbers[file].index(name)

    def get(self, word, field, text):
        lsb, bits = self.words[word][field]
        return int(text, 16) >> lsb & (1 << bits) - 1

    def put(self, word, field, text, value):
        lsb, bits = self.words[word][field]
        mask = ((1 << bits) - 1) << lsb
        return '%0*x' % (len(text), int(text, 16) & ~mask | (value << lsb & mask))


class Dump:
    """A program's files, and how much of them two runs have in common."""

    def __init__(self, bench, words, program, folder, *arguments):
        self.words, self.folder = words, folder
        bench.run('dump', program, '-o', folder, '--force', '--format', 'hex', *arguments)
        self.tiles = sorted(name for name in os.listdir(folder) if name.startswith('tile_'))
        self.cycles = int(re.search(r'cycles: (\d+) simulated', bench.run('sim', program)).group(1))

    def number(self, file, name):
        return int(lines(os.path.join(self.folder, file + '.hex'))[self.words.place(file, name)], 16)

    def is_clocked(self):
        """Is a clock of the machine a cycle (RTL.md)?"""
        return all(self.number('machine', name) == 1 for name in ('issue_cycles', 'start_cycles', 'complete_cycles'))

    def time(self):
        return 'clocked' if self.is_clocked() else 'virtual'

    def plusargs(self):
        return ['+clocked'] if self.is_clocked() else []

    def differences(self, out, kinds):
        """(records compared, [first difference of each file]); without times also messages are compared without theirs"""
        n, found = 0, []
        for tile in self.tiles:
            for name in sorted(os.listdir(os.path.join(self.folder, tile))):
                if not name.startswith(kinds):
                    continue
                wanted, got = (lines(os.path.join(folder, tile, name)) for folder in (self.folder, out))
                if name.startswith('golden'):
                    wanted = without_sends(wanted)
                if 'times' not in kinds:
                    wanted, got = without_times(wanted), without_times(got)
                n += len(wanted)
                if wanted != got:
                    at = next((i for i, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]), min(len(wanted), len(got)))
                    found.append('%s/%s: record %d of %d is %s, the machine has %s' % (
                        tile, name, at, len(wanted), ''.join(wanted[at:at + 1]) or 'none', ''.join(got[at:at + 1]) or 'none'))
        return n, found

    def final(self, out, times):
        """[differences of buffers and counters at the end], these after `times` runs"""
        found = []
        for tile in self.tiles:
            wanted, got = (memory(os.path.join(folder, tile, 'final_buffer.hex')) for folder in (self.folder, out))
            found += ['%s: word %x of the buffer at the end' % (tile, at) for at in sorted(wanted.keys() | got.keys())
                      if filled(wanted.get(at, UNWRITTEN)) != got.get(at, UNWRITTEN)][:1]
            wanted, got = (lines(os.path.join(folder, tile, 'final_counters.hex')) for folder in (self.folder, out))
            if ['%08x' % (int(n, 16) * times % COUNTERS) for n in wanted] != got:
                found.append('%s: counters at the end are %s' % (tile, ' '.join(got)))
        return found

    def checksums(self, out):
        """[files that have not the checksum of the dump]; of what a sender writes elsewhere and of instructions there is none"""
        found = []
        for tile in self.tiles:
            path = os.path.join(self.folder, tile, 'checksums.hex')
            with open(path, encoding='ascii') as f:
                names, sums = f.readline().split()[1:], lines(path)
            if len(names) != len(sums):
                return ['%s: %d names and %d checksums' % (tile, len(names), len(sums))]
            for name, wanted in zip(names, sums):
                if name.endswith('instructions'):
                    continue
                got = lines(os.path.join(out, name + '.hex'))
                if not any(w.startswith(SEND) for w in got if 'golden' in name) and '%016x%016x' % (fnv(got), len(got)) != wanted:
                    found.append('checksum of %s: %016x' % (name, fnv(got)))
        return found

    def outputs(self, out):
        """[differences of output tensors]"""
        found = []
        for name in ('output_%d.hex' % k for k in range(self.number('program', 'outputs'))):
            wanted, got = (lines(os.path.join(folder, name)) for folder in (self.folder, out))
            if not wanted or wanted != [word[-len(wanted[0]):] for word in got]:
                found.append('%s differs' % name)
        return found

    def check(self, machine, also=()):
        """Problems of a run that has to be the same in all; `also`: functions that give problems of the dump and the run's files."""
        numbers, out = machine.run(self.folder, *self.plusargs())
        n, problems = self.differences(out, ALL)
        problems += self.outputs(out) + self.final(out, 1)
        if n < FEW:
            problems += self.checksums(out)
        if numbers.get('cycles') != self.cycles:
            problems.append('%s cycles, cimc sim has %d' % (numbers.get('cycles'), self.cycles))
        if n == 0:
            problems.append('nothing was compared')
        problems += [problem for look in also for problem in look(self, out)]
        shutil.rmtree(out)
        return n, numbers, problems

    def can_run_again(self):
        """Who has no `step` does not know how many messages a run has brought (ISA.md 16)."""
        return all(not lines(path) or os.path.exists(os.path.join(os.path.dirname(path), 'table_steps.hex'))
                   for path in glob.glob(os.path.join(self.folder, '*', 'receive_*.hex')))

    def busiest(self):
        """How often the counter that counts most does."""
        return max(int(n, 16) for path in glob.glob(os.path.join(self.folder, '*', 'final_counters.hex')) for n in lines(path))

    def check_again(self, machine, times):
        """Problems of the first and last of `times` + 1 runs without a reset; those between the machine does not do, but counts."""
        numbers, out = machine.run(self.folder, *self.plusargs(), '+runs=2', '+repeats=%d' % (times - 1))
        problems = []
        for run, n_runs in ((out, 1), (os.path.join(out, 'run_2'), times + 1)):
            problems += self.differences(run, ALL)[1] + self.outputs(run) + self.final(run, n_runs)
        if numbers.get('cycles') != self.cycles:
            problems.append('%s cycles, cimc sim has %d' % (numbers.get('cycles'), self.cycles))
        shutil.rmtree(out)
        return problems
