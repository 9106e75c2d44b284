# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The table of times that `reproduce --time` adds, every cell with its aim beside it.

In:  the networks' files. Out: one dict of numbers for each network (times.csv), and Markdown.
An aim that is missed is marked in its cell. Times by the clock suffer on a busy machine, CPU time
hardly does; ratios are of times taken one after the other.
"""

from paper import timing
from paper.claims import (MAKESPAN_SECONDS, SHAPE_FACTOR, SCHEDULE_SECONDS, SIMULATE_FACTOR, SIMULATE_INT8_FACTOR, STUDY_SETS,
                          TITLES)

RUNS = 3


def measure_network(cimc, path, network, node_path, makespan):
    """`sum` copies and `auto` sets; schedule and simulation with other sets; copies for the makespan."""
    row = timing.measure_model(cimc, path, [], RUNS, node_path)
    for sets in ("pixel", "1-row"):
        options = ["--set", STUDY_SETS[sets]]
        row["simulate_%s_s" % sets] = timing.simulate_model(cimc, path, options, RUNS)["simulate_s"]
    pixel = timing.compile_model(cimc, path, ["--set", STUDY_SETS["pixel"]], RUNS)
    row["schedule_pixel_s"] = pixel["schedule_s"]
    row.update(timing.measure_makespan(cimc, path) if makespan else {})
    int8 = timing.qdq_twin(path)
    row["simulate_int8_s"] = int8 and timing.simulate_model(cimc, int8, [], RUNS)["simulate_s"]
    return row


def measure(cimc, paths, node_path, makespan):
    about = timing.machine()
    rows = {network: measure_network(cimc, path, network, node_path, makespan)
            for network, path in paths.items()}
    return {"machine": about, "rows": rows}


def cell(value, aim, form="%.2f"):
    """`0.21 of 0.45`; without an aim, or without the number, what there is."""
    if value is None:
        return "-"
    text = form % value
    if aim is not None:
        text += " of " + form % aim + ("" if value <= aim else ", **missed**")
    return text


def network_cells(network, row):
    int8_aim = row["ort_s"] and SIMULATE_INT8_FACTOR * row["ort_s"]
    peak = max(row["compile_peak_bytes"], row["run_peak_bytes"])
    return [TITLES[network], cell(row["compile_s"], row["compile_limit_s"]), cell(row["compile_cpu_s"], None),
            cell(row["schedule_pixel_s"], SCHEDULE_SECONDS),
            cell(timing.longest_makespan(row), MAKESPAN_SECONDS, "%.1f"),
            cell(row["simulate_s"], row["simulate_limit_s"]), cell(row["simulate_int8_s"], int8_aim), cell(row["ort_s"], None),
            cell(row["simulate_pixel_s"], SHAPE_FACTOR * row["simulate_1-row_s"]),
            cell(peak / 1e6, row["memory_limit_bytes"] / 1e6, "%.0f")]


HEADER = ("network", "compile s, of 2 (ResNet50: 1.5) x unpacking", "CPU s", "schedule s, pixel sets",
          "CPU s, makespan, the longest of three", "simulate s, of %g x ONNX Runtime" % SIMULATE_FACTOR,
          "in 8 bits, of %g x" % SIMULATE_INT8_FACTOR,
          "ONNX Runtime s", "simulate s, pixel sets, of 2 x 1-row sets", "peak MB, of 2 x weights + 200")


def rows_of(times):
    return [network_cells(network, row) for network, row in times["rows"].items()]


def about(times):
    return ("%s. Seconds by the clock, medians of %d runs, makespan one run each (%s); where nothing else is said "
            "with `sum` copies and `auto` sets; ONNX Runtime with one thread."
            % (times["machine"], RUNS, ", ".join("+%d %s sets" % point for point in timing.MAKESPAN_POINTS)))
