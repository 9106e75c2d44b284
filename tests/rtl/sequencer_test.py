# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""usage: sequencer_test.py CIMC ROOT

Queues, waits, counters and lists of what has started, in SystemVerilog, against the times of SIM.md 2 with a cycle each to issue, start and complete: an example worked
out by hand, and programs at random with waits, skipped instructions, messages, several depths and places in flight. A sequencer that looks at fewer waits in a
clock gives the same orders and starts nothing earlier. Skipped without Verilator.
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
from tap import Tap  # noqa: E402
from verilated import Bench, pack  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
QUEUES, INBOUND = 5, 4
NOP, MVM, SEND, SIGNAL, WAIT = 0, 1, 8, 9, 12
AT_ONCE = (NOP, SIGNAL, WAIT)
DISPATCH, START, END, MESSAGE = range(4)
# (queue, operation, cycles, waits) and its [dispatch, start, end]: queue 0 two products of 3, queue 1 one that waits for the second, depth 1, two in flight.
# The first enters at 0, starts at 1 and ends at 4, counted at 5. The second enters at 1, when the first leaves, and finds the unit free at 4: [5, 8], counted at 9. The third
# enters at 2; count 2 is seen at 9: it starts at 10. The NOP behind it enters at 10, starts at 11, and ends one cycle after its predecessor.
BY_HAND = (((0, MVM, 3, ()), (0, 1, 4)), ((0, MVM, 3, ()), (1, 5, 8)), ((1, MVM, 2, ((0, 2),)), (2, 10, 12)), ((1, NOP, 0, ()), (10, 11, 13)))


class Instruction:
    def __init__(self, queue, op, cycles, waits, skipped=False, obj=0):
        self.queue, self.op, self.waits, self.skipped, self.obj = queue, op, waits, skipped, obj
        self.cycles = 0 if op in AT_ONCE or skipped else cycles
        self.extra = 0 if op in AT_ONCE or skipped else 4 * (queue == 4)     # DRAM: the unit is free, but the work is not over

    def at_once(self):
        return self.op in AT_ONCE or self.skipped


def times(program, messages, depth, inflight):
    """(dispatch, start, end) of each."""
    of_queue, result, before = [[] for _ in range(QUEUES)], [], -1
    free = [0] * QUEUES
    arrivals = [sorted(t for t, c in messages if c == k) for k in range(INBOUND)]
    for i in program:
        line = of_queue[i.queue]
        dispatch = max(before + 1, line[-depth][1] if len(line) >= depth else 0)
        ready = [dispatch] + [t[1] for t in line[-1:]] + [line[-inflight][2] + 1 for _ in line[:1] if len(line) >= inflight]
        ready += [] if i.at_once() else [free[i.queue]]
        if not i.skipped:
            ready += [of_queue[c][n - 1][2] + 1 if c < 128 else arrivals[c - 128][n - 1] for c, n in i.waits if n > 0]
        start = max(ready) + 1
        end = max([start + i.cycles + i.extra] + [t[2] + 1 for t in line[-1:]])
        if not i.at_once():
            free[i.queue] = start + i.cycles
        line.append((dispatch, start, end))
        result.append((dispatch, start, end))
        before = dispatch
    return result


def random_program(chance):
    messages = sorted({(chance.randrange(1, 400), c) for c in range(INBOUND) for _ in range(60)})
    of_counter = {c: sum(m[1] == c for m in messages) for c in range(INBOUND)}
    program, counted = [], [0] * QUEUES
    for k in range(300):
        queue = chance.randrange(QUEUES)
        waits, n_waits = [], chance.choice((0, 0, 1, 1, 1, 2, 2, 3, 4, 8))
        for _ in range(n_waits):
            if chance.randrange(3):
                c = chance.randrange(QUEUES)
                waits.append((c, max(0, counted[c] - chance.randrange(4))))
            else:
                c = chance.randrange(INBOUND)
                waits.append((128 + c, min(of_counter[c], k // 6 + chance.randrange(2))))
        op = chance.choice((NOP, SIGNAL, WAIT, SEND, MVM, MVM, MVM, MVM))
        program.append(Instruction(queue, op, chance.choice((1, 1, 2, 3, 9)), waits, not chance.randrange(10), k))
        counted[queue] += 1
    return program, messages


class Suite:
    def __init__(self, bench, tap):
        self.bench, self.tap = bench, tap
        self.programs = {w: bench.build('sequencer_tb', [bench.package_path] + [os.path.join(HERE, s) for s in ('sequencer.sv', 'sequencer_tb.sv')],
                                        '-GWAITS=%d' % w) for w in (8, 2)}

    def simulate(self, n_waits, program, messages, depth, inflight):
        """Per queue and kind of event: the cycles, and what comes with them."""
        with open(self.bench.path('program.hex'), 'w', encoding='ascii') as f:
            for i in program:
                waits = sum((n << 10 | c) << 32 * k for k, (c, n) in enumerate(i.waits))
                word = pack(self.bench.package, 'instruction', dict(op=i.op, queue=i.queue, obj=i.obj, n_waits=len(i.waits), waits=waits, skipped=i.skipped))
                f.write('%x\n' % (word << 32 | i.cycles + i.extra << 16 | i.cycles))
        with open(self.bench.path('messages.hex'), 'w', encoding='ascii') as f:
            f.writelines('%x\n' % (c << 32 | t) for t, c in messages)
        self.bench.simulate(self.programs[n_waits], ['+program=' + self.bench.path('program.hex'), '+n=%d' % len(program), '+depth=%d' % depth, '+inflight=%d' % inflight,
                                                     '+messages=' + self.bench.path('messages.hex'), '+n_messages=%d' % len(messages), '+out=' + self.bench.path('out')])
        events = {(what, q): [] for what in range(4) for q in range(QUEUES)}
        with open(self.bench.path('out'), encoding='ascii') as f:
            for line in f:
                what, queue, cycle, about = (int(t) for t in line.split())
                events[what, queue].append((cycle, about))
        return events

    def problems(self, program, messages, depth, inflight):
        expected, found = times(program, messages, depth, inflight), []
        for n_waits in (8, 2):
            events = self.simulate(n_waits, program, messages, depth, inflight)
            for q in range(QUEUES):
                own = [(i, t) for i, t in zip(program, expected) if i.queue == q]
                for what, got in ((w, events[w, q]) for w in (DISPATCH, START, END)):
                    want = [t[what] for _, t in own]
                    cycles = [cycle for cycle, _ in got]
                    if len(cycles) != len(want) or (cycles != want if n_waits == 8 else any(a < b for a, b in zip(cycles, want))):
                        found.append('%d waits a clock, queue %d, event %d: %s, not %s' % (n_waits, q, what, cycles[:20], want[:20]))
                if [about for _, about in events[START, q]] != [i.obj for i, _ in own]:
                    found.append('queue %d: another order' % q)
                want = [(t[2], i.obj) for i, t in own if i.op in (SEND, SIGNAL)]
                if events[MESSAGE, q] != want and n_waits == 8:
                    found.append('queue %d: messages %s, not %s' % (q, events[MESSAGE, q][:5], want[:5]))
        return found[:4]

    def by_hand(self):
        program = [Instruction(*i) for i, _ in BY_HAND]
        assert times(program, [], 1, 2) == [t for _, t in BY_HAND]
        self.tap.point('sequencer: by hand', self.problems(program, [], 1, 2))

    def at_random(self):
        for depth, inflight in ((8, 4), (4, 4), (1, 1), (1, 4), (8, 1), (2, 3)):
            chance, found = random.Random(100 * depth + inflight), []
            for _ in range(4):
                found += self.problems(*random_program(chance), depth, inflight)
            self.tap.point('sequencer: depth %d, %d in flight' % (depth, inflight), found[:4])


def main():
    cimc, root = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='cimc-rtl-') as scratch:
        bench = Bench(cimc, root, scratch)
        if not bench.can_simulate():
            tap.point('sequencer', skip='verilator is not installed')
            return tap.finish()
        suite = Suite(bench, tap)
        suite.by_hand()
        suite.at_random()
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
