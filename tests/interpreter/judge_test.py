#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Times have a second source: judge.py, written from SIM.md alone, and programs whose times were worked out by hand.

usage: judge_test.py CIMC PROPERTY_TEST ROOT [--models]

--models: real models instead, from the folder CIMC_MODELS, or shared/models beside the tree.

The hand-worked programs are times/*.s: `; [start, end]`, or `; [dispatch, start, end, counted]`, stands behind each instruction, of each frame in which it is not skipped. `cimc sim --times` and the judge must both say so;
of compiled programs, and of those that the property test makes for some seeds, they must say the same, and the judge's makespan is the scheduled one.
Each formula of the judge is also changed a little: the hand-worked programs must show it, so a formula of cimc's that is wrong in that way fails here.

CIMC_NETWORKS=FOLDER: only the networks in it (*.onnx), on several machines.
"""
import csv
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, os.pardir))
from judge import Costs, Judge, Reader, Stuck  # noqa: E402
from tap import Tap  # noqa: E402

MESH = ['--arch', 'mesh']
FAR = MESH + ['--arch-field', 'mvm_cycles=10', '--arch-field', 'hop_cycles=90', '--arch-field', 'crossbars=1']
READ_OUT = ['--arch-field', 'mvm_cycles=0', '--arch-field', 'phase_cycles=3', '--arch-field', 'adc_columns_per_cycle=16', '--arch-field', 'dac_bits=1']
RTL = ['--arch', 'rtl']
SLOW = ['--arch-field', 'issue_cycles=7', '--arch-field', 'start_cycles=3', '--arch-field', 'complete_cycles=5', '--arch-field', 'inflight=1']
CONFIGURATIONS = [[], RTL, RTL + SLOW + ['--arch-field', 'crossbars=2', '--set', '2x*', '--extra-pes', '4'], MESH, FAR + ['--set', '1x*', '--extra-pes', '8'], FAR + ['--arch-field', 'link_bytes_per_cycle=0', '--set', 'pixel'],
                  MESH + ['--arch-field', 'queue_depth=1', '--arch-field', 'mvm_cycles=20', '--cut', 'h', '--extra-pes', '16'],
                  FAR + ['--schedule', 'layer', '--set', '2x*', '--extra-pes', '4'], MESH + READ_OUT + ['--mapping', 'window', '--set', 'pixel', '--extra-pes', '8']]
FRAMES = [['--frames', '5', '--set', '1x*', '--extra-pes', '16', '--duplicate', 'interval'],
          FAR + ['--arch-field', 'queue_depth=1', '--frames', '3', '--pace', '0'],
          MESH + ['--frames', '2', '--pace', '2000', '--set', 'pixel', '--mapping', 'window'], RTL + ['--frames', '4', '--pace', '0'], RTL + SLOW + ['--frames', '2', '--set', '2x*']]
NETWORK_CONFIGURATIONS = [[], ['--extra-pes', '64', '--set', '1x*'], MESH + ['--arch-field', 'mvm_cycles=100', '--extra-pes', '32'],
                          FAR + ['--arch-field', 'link_bytes_per_cycle=32'], READ_OUT + ['--mapping', 'window', '--extra-pes', '32']]
MODELS = ['mlperf-tiny-resnet8-fp32', 'torch-unet-op13']
SEEDS = '300:308'


class Failed(Exception):
    pass


class Bench:
    def __init__(self, cimc, folder):
        self.cimc, self.folder, self.reader = os.path.abspath(cimc), folder, Reader()

    def run(self, *arguments):
        done = subprocess.run([self.cimc, *arguments], capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise Failed('cimc %s: %s' % (' '.join(arguments), done.stderr.strip()))

    def read(self, name):
        with open(os.path.join(self.folder, name), 'rb') as f:
            return self.reader.read(f.read())

    def simulated(self, name):
        """(tile, position, queue, operation, frame, dispatch, start, end, counted) of each instruction."""
        self.run('sim', name, '--times', 'times.csv')
        with open(os.path.join(self.folder, 'times.csv'), encoding='utf-8', newline='') as f:
            return [(int(r['tile']), int(r['position']), int(r['queue']), r['operation'], int(r.get('frame', 0)),
                     int(r['dispatch']), int(r['start']), int(r['end']), int(r['counted']))
                    for r in csv.DictReader(f)]


def differences(what, wanted, who, got):
    """None among the wanted times: whatever it is."""
    if len(got) != len(wanted):
        yield '%s has %d instructions, %s %d' % (what, len(wanted), who, len(got))
    for a, b in zip(wanted, got):
        if any(x not in (None, y) for x, y in zip(a, b)):
            yield 'tile %d instruction %d (queue %d, %s): %s frame %d %s; %s: frame %d %s' % (*a[:4], what, a[4], list(a[5:]), who, b[4], list(b[5:]))
            return


def compare(bench, name, is_scheduled=True):
    """The simulator against the judge; a program from the compiler takes as long as scheduled."""
    program, streams = bench.read(name)
    judge = Judge(program, streams)
    cycles = judge.run()
    if is_scheduled and cycles != program.scheduled_cycles:
        yield 'judge: %d cycles, scheduled %d' % (cycles, program.scheduled_cycles)
    yield from differences('judge', list(judge.times()), 'simulator', bench.simulated(name))


def caught(problems):
    try:
        return list(problems)
    except (Failed, Stuck, OSError) as error:
        return [str(error)]


# ---- by hand ----

SPAN = re.compile(r'\[(?:(\d+), )?(\d+), (\d+)(?:, (\d+))?\]')
TIMES = re.compile(r'; (\[[\d, ]+\](?: \[[\d, ]+\])*)$', re.MULTILINE)


def hand_worked(bench):
    """{name: (program, streams, wanted times)}; assembles each to name.cim."""
    programs = {}
    for path in sorted(glob.glob(os.path.join(HERE, 'times', '*.s'))):
        name = os.path.splitext(os.path.basename(path))[0]
        bench.run('asm', path, '-o', name + '.cim')
        with open(path, encoding='utf-8') as f:
            spans = [[tuple(int(t) if t else None for t in span) for span in SPAN.findall(line)] for line in TIMES.findall(f.read())]
        program, streams = bench.read(name + '.cim')
        places = [(t, p, i.queue, i.op) for t, s in enumerate(streams) for p, i in enumerate(s)]
        wanted = [place + (frame,) + span for place, line in zip(places, spans) for frame, span in enumerate(line)]
        programs[name] = program, streams, wanted if len(places) == len(spans) else []
    return programs


def judged(program, streams, costs=Costs, judge=Judge):
    j = judge(program, streams, costs)
    j.run()
    return list(j.times())


def by_hand(tap, bench, programs):
    for name, (program, streams, wanted) in programs.items():
        def problems(name=name, program=program, streams=streams, wanted=wanted):
            yield from differences('by hand', wanted, 'simulator', bench.simulated(name + '.cim'))
            yield from differences('by hand', wanted, 'judge', judged(program, streams))
        tap.point('by hand: ' + name, caught(problems()))


# ---- wrong formulas ----

class RowsDoNotCount(Costs):
    def products(self, g, i):
        return -(-i.w // (g.patch_w or 1))


class PixelsOfAPatchCount(Costs):
    def products(self, g, i):
        return i.h * i.w


class PatchesThatAreCutOffDoNotCount(Costs):
    def products(self, g, i):
        return i.h // (g.patch_h or 1) * (i.w // (g.patch_w or 1))


class BitsOfInputsDoNotCount(Costs):
    def phases(self, g):
        return -(-8 // self.m['dac_bits'])


class AllColumnsOfAGroupAreReadOneByOne(Costs):
    def cells(self, g):
        return super().cells(g) * sum(pe.n for pe in g.pes) // max(pe.n for pe in g.pes)


class AWeightHasTheMachinesBits(Costs):
    def cells(self, g):
        return max(pe.n for pe in g.pes) * -(-self.m['weight_bits'] // self.m['cell_bits'])


class SettlingAndReadingTakeTurns(Costs):
    def phase(self, g):
        return self.m['phase_cycles'] + (-(-self.cells(g) // self.m['adc_columns_per_cycle']) if self.m['adc_columns_per_cycle'] else 0)


class LaneOperationsDoNotCount(Costs):
    def vmap(self, tile, i):
        return self.vgat(tile, i)


class CellsDoNotCount(Costs):
    def vwin(self, tile, i):
        return self.vgat(tile, i)


class EveryTapOfAnOverlapCounts(Costs):
    def vwin(self, tile, i):
        t = self.p.tiles[tile]
        w = t.windows[i.obj]
        return self.vector(i.h * i.w * t.views[i.dst[0]].channels * w.kernel_h * w.kernel_w)


class ResultsOfAReductionCount(Costs):
    def vred(self, tile, i):
        return self.vector(i.h * i.w * self.p.tiles[tile].views[i.dst[0]].channels)


class GatheredChannelsOfTheSourceCount(Costs):
    def vgat(self, tile, i):
        return self.vector(i.h * i.w * self.p.tiles[tile].views[i.a[0]].channels)


class ProductsOfASumDoNotCount(Costs):
    def vdot(self, tile, i):
        return self.vgat(tile, i)


class SetUpIsFree(Costs):
    def vector(self, elements):
        return (-(-elements // self.m['lanes']), 0) if self.m['lanes'] else (0, 0)


class ChannelsOfASendDoNotCount(Costs):
    def send(self, tile, i):
        return (-(-i.h * i.w * 4 // self.m['link_bytes_per_cycle']) if self.m['link_bytes_per_cycle'] else 0, self.way(tile, i))


class WaysToTheNearestTarget(Costs):
    def way(self, tile, i):
        return min(self.hops(tile, to.tile) for to in self.p.tiles[tile].routes[i.obj].targets) * self.m['hop_cycles']


class MeshIsIdeal(Costs):
    def hops(self, a, b):
        return int(a != b)


class HalfFloatsAreFloats(Costs):
    def dram(self, i, channels):
        rate = self.m['dram_bytes_per_cycle']
        return (-(-i.h * i.w * channels * 4 // rate) if rate else 0, self.m['dram_cycles'])


class ElementsOfFourBytesAreSent(Costs):
    def send(self, tile, i):
        a, rate = self.p.tiles[tile].views[i.a[0]], self.m['link_bytes_per_cycle']
        return (-(-i.h * i.w * a.channels * 4 // rate) if rate else 0, self.way(tile, i))


class DramAnswersAtOnce(Costs):
    def dram(self, i, channels):
        return (super().dram(i, channels)[0], 0)


class SendIsCompleteOnArrival(Judge):
    def flight(self, i, stage2):
        return stage2 if i.op == 'signal' else 0


class MessagesOvertake(Judge):
    def counted(self, end, flight, before):
        return super().counted(end, flight, None)


class CompletionsOvertake(Judge):
    def end(self, start, latency, before):
        return super().end(start, latency, None)


class CompletionsCoincide(Judge):
    def end(self, start, latency, before):
        return max(start + latency, before or 0)


class MessagesCoincide(Judge):
    def counted(self, end, flight, before):
        return max(super().counted(end, flight, None), before or 0)


class CompletionsAreFarApart(Judge):
    def end(self, start, latency, before):
        return start + latency if before is None else max(start + latency, before + self.complete_cycles)


class MessagesAreFarApart(Judge):
    def counted(self, end, flight, before):
        return max(super().counted(end, flight, None), 0 if before is None else before + self.complete_cycles)


class IssueIsFree(Judge):
    def issued(self, before):
        return before


class StartIsFree(Judge):
    def register(self, x):
        return 0


class SkippedStartsAtOnce(Judge):
    def register(self, x):
        return 0 if x.frame is None else self.start_cycles


class CountIsFree(Judge):
    def own_count(self, end):
        return end


class MessagesLeaveAtOnce(Judge):
    def counted(self, end, flight, before):
        return super().counted(end - self.complete_cycles, flight, before)


class AnyNumberIsInFlight(Judge):
    def makes_way(self, n):
        return -1


class OneMoreIsInFlight(Judge):
    def makes_way(self, n):
        return super().makes_way(n) - 1 if self.inflight else -1


class FlightIsOverAtTheEnd(Judge):
    def way(self, q, n):
        return q.end[n] if n >= 0 else 0


class QueuesAreDeep(Judge):
    def makes_room(self, n):
        return -1


class UnitsAreNeverBusy(Judge):
    def start(self, dispatch, before, unit_free, held):
        return max(dispatch, before, held)


class UnitsArePipelined(Judge):
    """Free one cycle early."""
    def start(self, dispatch, before, unit_free, held):
        return max(dispatch, before, unit_free - 1, held)


class WaitsAlwaysHold(Judge):
    def start(self, dispatch, before, unit_free, held):
        return max(dispatch, before, unit_free)


class StagesDoNotCount(Judge):
    def frame(self, iteration, i):
        return iteration if iteration < self.n_frames else None


class ThresholdsStay(Judge):
    def threshold(self, t, iteration, step):
        return super().threshold(t, iteration, 0)


class ThresholdsAreNeverNegative(Judge):
    def threshold(self, t, iteration, step):
        return t + iteration * step


class PaceStartsLater(Judge):
    def paced(self, n):
        return max(n, 0) * self.pace


class SkippedTakesItsTime(Judge):
    def cost(self, t, x):
        return getattr(self.costs, x.i.op)(t.number, x.i)


class EmptyMessagesAreUnderWay(Judge):
    def cost(self, t, x):
        stage1, stage2 = getattr(self.costs, x.i.op)(t.number, x.i)
        return (None, stage2) if x.frame is None and x.i.op in ('send', 'signal') else super().cost(t, x)


WRONG_COSTS = [RowsDoNotCount, PixelsOfAPatchCount, PatchesThatAreCutOffDoNotCount, BitsOfInputsDoNotCount, AllColumnsOfAGroupAreReadOneByOne,
               AWeightHasTheMachinesBits, SettlingAndReadingTakeTurns, LaneOperationsDoNotCount, CellsDoNotCount, EveryTapOfAnOverlapCounts, ResultsOfAReductionCount,
               GatheredChannelsOfTheSourceCount, ProductsOfASumDoNotCount, SetUpIsFree, ChannelsOfASendDoNotCount, WaysToTheNearestTarget, MeshIsIdeal,
               HalfFloatsAreFloats, ElementsOfFourBytesAreSent, DramAnswersAtOnce]
WRONG_ORDERS = [SendIsCompleteOnArrival, MessagesOvertake, CompletionsOvertake, CompletionsCoincide, MessagesCoincide, CompletionsAreFarApart, MessagesAreFarApart,
                IssueIsFree, StartIsFree, SkippedStartsAtOnce, CountIsFree, MessagesLeaveAtOnce, AnyNumberIsInFlight, OneMoreIsInFlight, FlightIsOverAtTheEnd, QueuesAreDeep, UnitsAreNeverBusy, UnitsArePipelined, WaitsAlwaysHold,
                StagesDoNotCount, ThresholdsStay, ThresholdsAreNeverNegative, PaceStartsLater, SkippedTakesItsTime, EmptyMessagesAreUnderWay]


def is_wrong(program, streams, wanted, formulas):
    try:
        return bool(list(differences('by hand', wanted, 'wrong', judged(program, streams, **formulas))))
    except Stuck:
        return True


def wrong_formulas(tap, programs):
    for wrong in [{'costs': c} for c in WRONG_COSTS] + [{'judge': j} for j in WRONG_ORDERS]:
        seen = [name for name, (program, streams, wanted) in programs.items()
                if is_wrong(program, streams, wanted, wrong)]
        tap.point('a wrong formula is seen: ' + next(iter(wrong.values())).__name__, [] if seen else ['by no program'])


# ---- compiled programs ----

def compiled(tap, bench, name, model, configurations):
    for options in configurations:
        def problems(options=options):
            bench.run('compile', os.path.abspath(model), '-o', 'model.cim', *options)
            yield from compare(bench, 'model.cim')
        tap.point('compiled: %s %s' % (name, ' '.join(options)), caught(problems()))


def real_models(tap, bench, root):
    folder = os.environ.get('CIMC_MODELS') or os.path.join(os.path.dirname(os.path.abspath(root)), 'shared', 'models')
    for name in MODELS:
        path = os.path.join(folder, name, 'model.onnx')
        if os.path.exists(path):
            compiled(tap, bench, name, path, CONFIGURATIONS[:2] + CONFIGURATIONS[4:5])
        else:
            tap.point(name, skip='there is no %s in CIMC_MODELS or beside the tree' % name)


def random_programs(tap, bench, property_test):
    folder = os.path.join(bench.folder, 'random')
    os.mkdir(folder)
    done = subprocess.run([os.path.abspath(property_test)], capture_output=True, text=True,
                          env=dict(os.environ, CIMC_PROPERTY_SEEDS=SEEDS, CIMC_PROPERTY_PROGRAMS=folder))
    names = sorted(os.listdir(folder))
    tap.point('the property test keeps programs', [] if done.returncode == 0 and len(names) > 20 else ['%d: %s' % (len(names), done.stderr[:500])])
    problems = []
    for name in names:
        problems += ['%s: %s' % (name, p) for p in caught(compare(bench, os.path.join('random', name)))]
    tap.point('%d random programs' % len(names), problems)


def main(cimc, property_test, root, *options):
    tap = Tap()
    networks = os.environ.get('CIMC_NETWORKS')
    with tempfile.TemporaryDirectory(prefix='cimc-test-') as folder:
        bench = Bench(cimc, folder)
        if networks:
            for model in sorted(glob.glob(os.path.join(networks, '*.onnx'))):
                compiled(tap, bench, os.path.basename(model), model, NETWORK_CONFIGURATIONS)
            return tap.finish()
        if options == ('--models',):
            real_models(tap, bench, root)
            return tap.finish()
        programs = hand_worked(bench)
        by_hand(tap, bench, programs)
        wrong_formulas(tap, programs)
        compiled(tap, bench, 'digits', os.path.join(root, 'benchmarks', 'digits', 'digits.onnx'), CONFIGURATIONS + FRAMES)
        random_programs(tap, bench, property_test)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
