# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Figures 6 and 7: Gantt charts by cimc, bar charts by bars.py, and the numbers behind them as CSV."""

import csv
import os

from paper import bars
from paper.claims import (CASE_STUDY, EXTRA_PES, PAPER_SPEEDUP, PAPER_UTILISATION, SETS, TITLES)
from paper.points import CONFIGURATIONS, WITH_COPIES, copies_of, point_options

# One hue for each configuration, darker with more PEs.
COLOURS = {
    "wdup": ("#f6c9a0", "#eda562", "#d97f2b", "#a95a12"),
    "xinf": ("#3b9a5c",),
    "wdup+xinf": ("#b9d3ee", "#7fb0dd", "#3f82c1", "#1d5a94"),
    "makespan": ("#d9c6ec", "#b893dc", "#9160c4", "#663798"),
}
GANTT_EXTRA_PES = 16
QUANTITIES = {"speedup": "Speedup over layer by layer", "utilisation": "Utilisation of the PEs"}


def list_series(makespan):
    """[((configuration, extra PEs), colour)] in the order of the bars."""
    names = [name for name in COLOURS if makespan or name != "makespan"]
    return [((name, extra), colour) for name in names
            for extra, colour in zip(EXTRA_PES if name in WITH_COPIES else (0,), COLOURS[name])]


def series_label(key):
    name, extra = key
    return "%s +%d" % (name, extra) if extra else name


def make_panel(title, reports, groups, quantity, *, makespan):
    """groups: {label: (network, sets)}. quantity: speedup or utilisation."""
    stated = PAPER_SPEEDUP if quantity == "speedup" else PAPER_UTILISATION
    factor = 1 if quantity == "speedup" else 100
    values, marks = {}, {}
    for label, (network, sets) in groups.items():
        for key, _ in list_series(makespan):
            at = (label, series_label(key))
            values[at] = factor * reports[(network, *key, sets)][quantity]
            if (network, *key) in stated:
                marks[at] = stated[(network, *key)]
    return {"title": title, "unit": "" if factor == 1 else " %",
            "groups": list(groups), "values": values, "marks": marks}


def write_bars(path, title, panels, makespan):
    series = [(series_label(key), colour) for key, colour in list_series(makespan)]
    with open(path, "w", encoding="utf-8") as file:
        file.write(bars.chart(title, series, panels))


def write_bar_charts(out, reports, networks, *, makespan):
    """fig6c.svg, fig7a.svg, fig7b.svg; dashed: what the paper's text states."""
    both = {sets + " sets": (CASE_STUDY, sets) for sets in SETS}
    panels = [make_panel(QUANTITIES[quantity], reports, both, quantity, makespan=makespan)
              for quantity in QUANTITIES]
    write_bars(os.path.join(out, "fig6c.svg"), "Figure 6c: " + TITLES[CASE_STUDY], panels, makespan)
    for letter, quantity in zip("ab", QUANTITIES):
        panels = [make_panel("%s, %s sets" % (QUANTITIES[quantity], sets), reports,
                             {TITLES[network]: (network, sets) for network in networks}, quantity,
                             makespan=makespan) for sets in SETS]
        write_bars(os.path.join(out, "fig7%s.svg" % letter), "Figure 7%s: %s" % (letter, quantity),
                   panels, makespan)


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_times(path, times):
    """times: {network: numbers}, all with the same keys"""
    rows = [[network, *row.values()] for network, row in times.items()]
    write_csv(path, ["network", *next(iter(times.values()))], rows)


POINT_COLUMNS = ("network", "configuration", "extra_pes", "sets", "pes", "schedule", "duplicate",
                 "cut", "mapping", "cycles", "speedup", "utilisation", "objective", "status",
                 "lower_bound_cycles", "copies", "patches", "simulated_cycles", "answers_pass",
                 "largest_relative_error")


def point_row(point, report):
    schedule, duplicate, cut, mapping = CONFIGURATIONS[point[1]]
    duplication, outputs = report["duplication"] or {}, report.get("outputs")
    errors = [o["max_abs_error"] / o["max_abs_reference"] for o in outputs or ()
              if o["max_abs_error"] is not None and o["max_abs_reference"]]
    return [*point, report["pes"], schedule, duplicate, cut, mapping, report["makespan_cycles"],
            report["speedup"], report["utilisation"], duplication.get("value"),
            duplication.get("status"), report["lower_bound_cycles"],
            " ".join(map(str, copies_of(report))),
            " ".join("%dx%d" % tuple(layer["patch"]) for layer in report["base_layers"]),
            report.get("simulated_cycles"),
            all(o["pass"] for o in outputs) if outputs else None, max(errors) if errors else None]


def write_points(path, reports):
    write_csv(path, POINT_COLUMNS, [point_row(*item) for item in reports.items()])


def write_gantt(cimc, model, out):
    """fig6.svg: the same copies layer by layer and cross-layer; fig6-copies.csv: the solution."""
    options = point_options((CASE_STUDY, "wdup+xinf", GANTT_EXTRA_PES, "pixel"))
    report = cimc.compile(model, options + ["--schedule-svg", os.path.join(out, "fig6.svg")])
    write_csv(os.path.join(out, "fig6_copies.csv"), ("layer", "pes", "cycles", "copies"),
              [[layer[key] for key in ("name", "pes", "cycles", "copies")]
               for layer in report["base_layers"]])
    return report
