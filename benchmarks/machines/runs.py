# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What is asked of cimc for the tables of machines, and what comes back.

A network is a case: its model, its images, and what the float network makes of them. A float model is
quantised once for each number of bits and then compiled for each machine; every program runs.
"""

import concurrent.futures
import os
import re
from dataclasses import dataclass

from machines.answers import compare
from machines.limits import ROUNDING
from paper.runner import RunError, run

PRESETS = ("isaac", "puma", "prime", "neurram", "raella", "mnsim")
WEIGHT_BITS = (2, 4, 8)
WHOLE, FEWEST = "whole", "fewest"
PES = {WHOLE: [], FEWEST: ["--extra-pes", "0"]}
FRAMES = 2    # what a program is for: it then says its interval, and runs any number
# A machine whose cells are not what was written: deviation of an empty and a full cell, stuck cells, drift.
NOISE = ["program_sigma_low_permille=5", "program_sigma_high_permille=20", "stuck_low_ppm=500", "stuck_high_ppm=100",
         "drift_permille=10", "noise_seed=1"]
TOO_FEW = re.compile(r"the network needs (\d+) PEs, the machine has (\d+)")
TOO_NARROW = re.compile(r"have (\d+) bits, the machine holds (\d+)")


@dataclass
class Case:
    subject: object    # of subjects.py
    model: str
    images: dict       # {"calibration": file, "test": file}
    folder: str        # for what is made of it

    def inputs(self, name):
        return ["--input", self.images[name], *self.subject.scale_options()]

    def calibration(self, images="calibration"):
        return ["--calibrate", self.images[images], *self.subject.scale_options()]

    def reference(self):
        return os.path.join(self.folder, "float", "output_0.npy")


def fields(assignments):
    return ["--arch-field=" + assignment for assignment in assignments]


def evaluate(cimc, model, options, folder):
    """The evaluator's outputs, in folder/output_0.npy."""
    run([cimc.path, "eval", model, *options, "--save-outputs", folder])
    return os.path.join(folder, "output_0.npy")


def evaluate_float(cimc, case):
    evaluate(cimc, case.model, [*case.subject.options(), *case.inputs("test")], os.path.dirname(case.reference()))


def quantised_file(case, bits, activation_bits=8, rounding="feedback"):
    return os.path.join(case.folder, "w%da%d-%s.onnx" % (bits, activation_bits, rounding.replace(", ", "-")))


def quantise(cimc, case, bits, activation_bits=8, rounding="feedback"):
    """The quantised model's file."""
    path = quantised_file(case, bits, activation_bits, rounding)
    run([cimc.path, "quantize", case.model, *case.subject.options(), *case.calibration(), "--weight-bits", str(bits),
         "--activation-bits", str(activation_bits), *ROUNDING[rounding], "-o", path])
    return path


def quality(cimc, case, bits, activation_bits, rounding):
    """(SNR in dB, share of equal classes) of the quantised model in integers, without a machine."""
    model = quantise(cimc, case, bits, activation_bits, rounding)
    folder = os.path.splitext(model)[0]
    return compare(evaluate(cimc, model, ["--mode", "int", *case.inputs("test")], folder), case.reference())


def simulate(cimc, case, program):
    """(SNR in dB, share of equal classes) of the program's outputs."""
    folder = os.path.splitext(program)[0]
    run([cimc.path, "sim", program, *case.inputs("test"), "--save-outputs", folder])
    return compare(os.path.join(folder, "output_0.npy"), case.reference())


def refusal(error):
    """What a machine lacks, in words; anything else is an error."""
    few, narrow = TOO_FEW.search(str(error)), TOO_NARROW.search(str(error))
    if few:
        return "needs %s PEs, has %s" % few.groups()
    if narrow:
        return "weights of %s bits, holds %s" % narrow.groups()
    raise error


def compile_point(cimc, case, model, machine, pes, program):
    """The report; a text where the machine cannot hold the network."""
    try:
        return cimc.compile(model, [*machine, *PES[pes], *case.calibration("ranges"), "--duplicate", "interval", "--frames",
                                    str(FRAMES)], program)
    except RunError as error:
        return refusal(error)


def agrees(cimc, case, model, machine):
    """Is the simulator the evaluator, bit for bit, on the first image?"""
    report = cimc.execute(model, [*machine, *case.calibration("ranges"), *case.inputs("first"), "--extra-pes", "0"])
    return all(output["max_abs_error"] == 0 for output in report["outputs"])


def machine_point(cimc, case, bits, model, preset, pes):
    """One row: the report, and of the fewest PEs, whose outputs are those of any number, quality and agreement."""
    program = os.path.join(case.folder, "%s-w%d-%s.cim" % (preset, bits, pes))
    machine = ["--arch", preset]
    row = {"network": case.subject.name, "preset": preset, "bits": bits, "pes": pes,
           "report": compile_point(cimc, case, model, machine, pes, program)}
    if isinstance(row["report"], dict) and pes == FEWEST:
        row["quality"] = simulate(cimc, case, program)
        row["agrees"] = [agrees(cimc, case, model, machine + more) for more in ([], fields(NOISE))]
    if os.path.exists(program):
        os.remove(program)
    return row


def in_parallel(jobs, work, tell):
    """Results of the calls (function, arguments), in their order; from `jobs` at a time."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(function, *arguments) for function, *arguments in work]
        try:
            for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
                future.result()
                tell(done, len(futures))
        except Exception:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]
