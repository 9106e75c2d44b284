# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Seconds and bytes of compiling and simulating a model, against the project's aims.

In:  a model file, options, the number of runs (each a process of its own; medians are kept).
Out: a dict for each model, see measure_model. What cannot be measured here is None.
"""

import os
import resource
import shutil
import statistics
import sys
import tempfile
import time

from paper.claims import COMPILE_FACTORS, SIMULATE_FACTOR, SIMULATE_INT8_FACTOR
from paper.runner import ROOT, RunError, find_test_data, run
from paper.weights import weight_bytes

STAGES = ("import", "passes", "schedule", "emit", "check", "write")
MEMORY_FACTOR, MEMORY_BYTES = 2, 200 * 10**6
MAKESPAN_POINTS = ((32, "pixel"), (256, "auto"), (256, "pixel"))   # extra PEs, sets
WORD_BYTES = 32                            # of an instruction, until streams were encoded
QDQ = "-qdq.onnx"                          # how the 8-bit twin of NAME.onnx is called


def machine():
    load = os.getloadavg()[0]
    return "%d CPUs (%s), load %.1f at the start" % (os.cpu_count(), cpu_name(), load)


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return os.uname().machine


def unpack_seconds(cimc, model, runs):
    """(by the clock, CPU time) of the build's program `unpack`; its build folder is that of cimc."""
    build = os.path.dirname(os.path.dirname(os.path.dirname(cimc.path)))
    path = os.path.join(build, "benchmarks", "unpack")
    if not os.path.exists(path):
        return None, None
    pairs = [map(float, run([path, model]).split()) for _ in range(runs)]
    return tuple(map(statistics.median, zip(*pairs)))


def ratio(value, base):
    return value / base if base else None


def find_ort(folder):
    """The folder for NODE_PATH, or None. Nothing is installed."""
    if folder is None or shutil.which("node") is None:
        return None
    for path in (os.path.join(folder, "node_modules"), folder):
        if os.path.isdir(os.path.join(path, "onnxruntime-node")):
            return os.path.abspath(path)
    raise RunError("no onnxruntime-node in %s" % folder)


def float_twin(model):
    """The float network of an 8-bit file of make_networks; of all others the file itself."""
    twin = model[:-len(QDQ)] + ".onnx" if model.endswith(QDQ) else model
    return twin if os.path.exists(twin) else model


def qdq_twin(model):
    """The 8-bit file beside a network, or None."""
    twin = os.path.splitext(model)[0] + QDQ
    return twin if os.path.exists(twin) else None


def simulate_factor(model):
    return SIMULATE_INT8_FACTOR if model.endswith(QDQ) else SIMULATE_FACTOR


def ort_seconds(node_path, model, runs):
    """Of the float network: what an 8-bit one is held against, too."""
    if node_path is None:
        return None
    model = float_twin(model)
    script = os.path.join(ROOT, "benchmarks", "ort_time.js")
    try:
        return float(run(["env", "NODE_PATH=" + node_path, "node", script, str(runs), model]))
    except RunError as error:
        print("ONNX Runtime: %s" % str(error).splitlines()[-1], file=sys.stderr)
        return None


def median_of(reports, *keys):
    values = []
    for report in reports:
        for key in keys:
            report = report[key]
        values.append(report)
    return statistics.median(values)


def children_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compile_model(cimc, model, options, runs):
    """Medians: whole command by the clock and in CPU time, stages; greatest peak memory; and what is
    the same in every run."""
    reports, walls, cpus = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "program.cim")
        for _ in range(runs):
            start, cpu = time.perf_counter(), children_cpu_seconds()
            reports.append(cimc.compile(model, options, output))
            walls.append(time.perf_counter() - start)
            cpus.append(children_cpu_seconds() - cpu)
    row = {"compile_s": statistics.median(walls), "compile_cpu_s": statistics.median(cpus)}
    for stage in STAGES:
        row[stage + "_s"] = median_of(reports, "seconds", stage)
    row["compile_peak_bytes"] = max(report["peak_rss_bytes"] for report in reports)
    for key in ("n_instructions", "code_bytes", "most_code_bytes", "program_bytes"):
        row[key] = reports[0][key]
    row["code_percent"] = 100 * row["code_bytes"] / (WORD_BYTES * row["n_instructions"])
    row["cycles"] = reports[0]["makespan_cycles"]
    return row


def makespan_key(extra, sets):
    return "makespan_%d_%s_cpu_s" % (extra, sets)


def measure_makespan(cimc, model, options=()):
    """CPU seconds of compiling with copies for the makespan, one run each."""
    return {makespan_key(extra, sets): compile_model(
        cimc, model, [*options, "--duplicate", "makespan", "--extra-pes", str(extra), "--set", sets], 1)["compile_cpu_s"]
            for extra, sets in MAKESPAN_POINTS}


def longest_makespan(row):
    """Of those measured; None if none were."""
    return max((row[makespan_key(*point)] for point in MAKESPAN_POINTS if makespan_key(*point) in row), default=None)


def simulate_model(cimc, model, options, runs):
    data = find_test_data(model)
    reports = [cimc.simulate(model, options, data) for _ in range(runs)]
    return {
        "simulate_s": median_of(reports, "seconds", "simulate"),
        "run_peak_bytes": max(report["peak_rss_bytes"] for report in reports),
        "simulated_cycles": reports[0]["simulated_cycles"],
        "simulated_ok": all(r["simulated_cycles"] == r["makespan_cycles"] for r in reports),
        "answers_ok": all(o["pass"] for r in reports for o in r["outputs"]),
        "reference": "test data" if data else "evaluator",
    }


def measure_model(cimc, model, options, runs, node_path):
    row = compile_model(cimc, model, options, runs)
    row.update(simulate_model(cimc, model, options, runs))
    row["weight_bytes"] = weight_bytes(model)
    row["memory_limit_bytes"] = MEMORY_FACTOR * row["weight_bytes"] + MEMORY_BYTES
    row["memory_ok"] = max(row["compile_peak_bytes"],
                           row["run_peak_bytes"]) <= row["memory_limit_bytes"]
    row["unpack_s"], row["unpack_cpu_s"] = unpack_seconds(cimc, model, runs)
    row["compile_ratio"] = ratio(row["compile_s"], row["unpack_s"])
    row["compile_cpu_ratio"] = ratio(row["compile_cpu_s"], row["unpack_cpu_s"])
    row["compile_limit_s"] = row["compile_ok"] = None
    factor = COMPILE_FACTORS.get(os.path.splitext(os.path.basename(model))[0])
    if row["unpack_s"] is not None and factor:
        row["compile_limit_s"] = factor * row["unpack_s"]
        row["compile_ok"] = row["compile_s"] <= row["compile_limit_s"]
    row["ort_s"] = ort_seconds(node_path, model, runs)
    row["simulate_limit_s"] = row["ort_s"] and simulate_factor(model) * row["ort_s"]
    row["simulate_ratio"] = ratio(row["simulate_s"], row["ort_s"])
    return row
