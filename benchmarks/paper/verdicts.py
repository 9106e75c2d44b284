# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""What has to hold: a list of verdicts, each something expected, something found, and whether it is ok.

In:  the reports of all points, the layers of all networks.
"""

import collections
import math

from paper.claims import (BASE_LAYERS, CASE_STUDY, EXTRA_PES, INTERVAL_CYCLES, INTERVAL_EXTRA, KNOWN_COPIES, KNOWN_CYCLES,
                          MANY_PES, KNOWN_SPEEDUP, KNOWN_UTILISATION, SETS, TABLE_1, TABLE_2, TITLES, WINDOWS_CYCLES,
                          WINDOWS_EXTRA)
from paper.points import CONFIGURATIONS, copies_of, format_copies
from paper.tables import without_input

Verdict = collections.namedtuple("Verdict", "what expected found ok")


def verdict(what, expected, found):
    return Verdict(what, expected, found, expected == found)


def point_name(point):
    network, name, extra, sets = point
    return "%s %s%s, %s sets" % (TITLES[network], name, " +%d" % extra if extra else "", sets)


def known_points(reports):
    out = []
    for point, cycles in KNOWN_CYCLES.items():
        found = reports[point]["makespan_cycles"]
        out.append(verdict(point_name(point) + ": cycles", cycles, found))
    for known, key, factor in ((KNOWN_UTILISATION, "utilisation", 100), (KNOWN_SPEEDUP, "speedup", 1)):
        for point, (value, digits) in known.items():
            found = round(factor * reports[point][key], digits)
            out.append(verdict("%s: %s" % (point_name(point), key), value, found))
    for (network, extra), start in KNOWN_COPIES.items():
        report = reports[(network, "wdup+xinf", extra, "pixel")]
        copies = copies_of(report)
        expected = list(start) + [1] * (len(copies) - len(start))
        out.append(verdict("%s +%d: problem 1's solution" % (TITLES[network], extra),
                           format_copies(expected), format_copies(copies)))
    return out


def table_rows(layers):
    """Table I against the compiler."""
    by_name = {row[0]: row for row in layers[CASE_STUDY][1]}
    return [verdict("Table I: " + row[0], row, by_name.get(row[0])) for row in TABLE_1]


def table_totals(layers):
    """Table II; where the paper contradicts itself, what its layer names say."""
    out = []
    for network, (shape, count, pes) in TABLE_2.items():
        graph_input, rows = layers[network]
        count = BASE_LAYERS.get(network, count)
        out.append(verdict("Table II: %s: input, base layers, PE_min" % TITLES[network],
                           (shape, count, pes), (graph_input, len(rows), sum(r[3] for r in rows))))
    return out


def independent_layers(layers, by_file):
    """by_file: {network: layers_of_file()}"""
    out = []
    for network, rows in by_file.items():
        if rows is not None:
            same = rows == without_input(layers[network][1])
            out.append(Verdict("%s: %d layers as computed from the ONNX file"
                               % (TITLES[network], len(rows)), "equal",
                               "equal" if same else "differ", same))
    return out


def utilisation_formula(reports):
    """Equation 3: S = Ut (PE_min + x) / (Ut_layer_by_layer PE_min), at every point whose products are single pixels."""
    wrong = []
    pixels = {point: report for point, report in reports.items() if CONFIGURATIONS[point[1]][-1] == "im2col"}
    for point, report in pixels.items():
        base = reports[(point[0], "layer-by-layer", 0, "pixel")]
        speedup = (report["utilisation"] * report["pes"]) / (base["utilisation"] * base["pes"])
        if not math.isclose(speedup, report["speedup"], rel_tol=1e-9):
            wrong.append(point_name(point))
    return [Verdict("equation 3 at %d points" % len(pixels), "holds",
                    "not at " + "; ".join(wrong) if wrong else "holds", not wrong)]


def never_worse(reports):
    """Copies chosen for the makespan against copies chosen for the sum."""
    out = []
    for network in TITLES:
        for sets in SETS:
            worse = [extra for extra in EXTRA_PES
                     if reports[(network, "makespan", extra, sets)]["makespan_cycles"]
                     > reports[(network, "wdup+xinf", extra, sets)]["makespan_cycles"]]
            if worse:
                out.append(Verdict("%s, %s sets: makespan no worse than sum" % (TITLES[network], sets),
                                   "never", "worse at " + " ".join("+%d" % x for x in worse), False))
    return out or [Verdict("duplication for the makespan is no worse than for the sum", "never",
                           "never", True)]


def many_pes(reports):
    """Copies for the makespan against those of a plainer search, with many PEs."""
    out = []
    for (network, extra, sets), cycles in MANY_PES.items():
        found = reports[(network, "makespan", extra, sets)]["makespan_cycles"]
        out.append(Verdict("%s +%d, %s sets: makespan" % (TITLES[network], extra, sets),
                           "at most %d" % cycles, found, found <= cycles))
    return out


def windows(reports):
    """Makespans of windows against those of a prototype."""
    out = []
    for network, aims in WINDOWS_CYCLES.items():
        for extra, cycles in zip(WINDOWS_EXTRA, aims):
            found = reports[(network, "windows", extra, "pixel")]["makespan_cycles"]
            out.append(Verdict("%s +%d, windows: makespan" % (TITLES[network], extra), "at most %d" % cycles, found,
                               found <= cycles))
    return out


def intervals(reports):
    """Least intervals of single pixels, which are known; windows are never slower."""
    out = []
    for network, known in INTERVAL_CYCLES.items():
        for extra, cycles in zip(INTERVAL_EXTRA, known):
            name = "%s +%d: interval" % (TITLES[network], extra)
            found, windows_found = (reports[(network, configuration, extra, "1-row")]["initiation_interval_cycles"]
                                    for configuration in ("interval", "windows interval"))
            out.append(verdict(name, cycles, found))
            if windows_found > found:
                out.append(Verdict(name + ", windows", "at most %d" % found, windows_found, False))
    return out


def bounds_hold(reports):
    wrong = [point_name(point) for point, report in reports.items()
             if (report["lower_bound_cycles"] or 0) > report["makespan_cycles"]]
    return [Verdict("no makespan below its lower bound", "none", "; ".join(wrong) or "none",
                    not wrong)]


def executions(reports):
    """Of the points that were executed."""
    out = []
    for point, report in reports.items():
        if "simulated_cycles" not in report:
            continue
        if report["simulated_cycles"] != report["makespan_cycles"]:
            out.append(verdict(point_name(point) + ": simulated cycles", report["makespan_cycles"],
                               report["simulated_cycles"]))
        failed = [output["name"] for output in report["outputs"] if not output["pass"]]
        if failed:
            out.append(verdict(point_name(point) + ": wrong answers", "none", " ".join(failed)))
    n = sum("simulated_cycles" in report for report in reports.values())
    if n and not out:
        out.append(Verdict("%d points executed: simulated = scheduled cycles, answers pass" % n,
                           "all", "all", True))
    return out
