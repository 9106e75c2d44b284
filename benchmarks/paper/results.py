# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""results.md: all tables as Markdown. The part between its two result markers goes into BENCHMARKS.md.

In:  what reproduce gathered, as one dict: version, reports, layers, verdicts, makespan, simulated (every
     point was executed, and rightly), times (rows of timing, or None).
"""

import re

from paper import times
from paper.claims import (BASE_LAYERS, CASE_STUDY, EXTRA_PES, INTERVAL_EXTRA, MANY_PES, SETS, STUDY, STUDY_SETS, TABLE_1,
                          TABLE_2, TARGETS, TITLES, WINDOWS_EXTRA)
from paper.explain import compare, percent
from paper.figures import GANTT_EXTRA_PES
from paper.points import FRAMES, WITH_COPIES, copies_of, format_copies

BEGIN, END = "<!-- results -->", "<!-- end results -->"
MAX_EXTRA = EXTRA_PES[-1]


def table(header, rows):
    lines = ["| %s |" % " | ".join(map(str, row)) for row in [header, *rows]]
    lines.insert(1, "|" + "---|" * len(header))
    return "\n".join(lines) + "\n"


def shape(dims):
    return "(%s)" % ", ".join(map(str, dims))


def right(ok):
    return "ok" if ok else "**differs**"


def thousands(cycles):
    return "{:,}".format(cycles)


def gap(report):
    bound = report["lower_bound_cycles"]
    return "%.1f %%" % (100 * (report["makespan_cycles"] / bound - 1)) if bound else "-"


def target_cell(network, report, sets):
    """Speedup, and whether it reaches the target."""
    target = TARGETS[sets][network]
    mark = "" if report["speedup"] >= target else ", missed"
    return "%.2f (%.1f%s)" % (report["speedup"], target, mark)


def networks_table(data):
    """One row for each network: what the paper's figure 7 is about, and how far past it we get."""
    reports, rows = data["reports"], []
    for network, title in TITLES.items():
        base = reports[(network, "layer-by-layer", 0, "pixel")]
        row = [title, len(base["base_layers"]), base["pe_min"], thousands(base["makespan_cycles"])]
        for name, extra in (("xinf", 0), ("wdup+xinf", MAX_EXTRA)):
            row.append(" / ".join("%.2f" % reports[(network, name, extra, sets)]["speedup"]
                                  for sets in SETS))
        if data["makespan"]:
            points = {sets: reports[(network, "makespan", MAX_EXTRA, sets)] for sets in SETS}
            row += [target_cell(network, report, sets) for sets, report in points.items()]
            row.append(" / ".join(gap(report) for report in points.values()))
            windows = [reports[(network, "windows", extra, "pixel")] for extra in WINDOWS_EXTRA]
            row.append(" / ".join("%.2f" % report["speedup"] for report in windows))
            row.append(" / ".join(gap(report) for report in windows))
        rows.append(row)
    header = ["network", "base layers", "PE_min", "cycles layer by layer", "xinf",
              "wdup+xinf +%d" % MAX_EXTRA]
    if data["makespan"]:
        header += ["makespan +%d, pixel sets" % MAX_EXTRA, "makespan +%d, 1-row sets" % MAX_EXTRA,
                   "above the lower bound", "windows %s" % " / ".join("+%d" % extra for extra in WINDOWS_EXTRA),
                   "above the lower bound"]
    return table(header, rows)


def interval_cell(report):
    return "%s (%s)" % (thousands(report["initiation_interval_cycles"]),
                        thousands(report["duplication"]["interval_bound_cycles"]))


def interval_table(data):
    """Cycles from image to image; how many PEs more make them fewer."""
    rows = []
    for network, title in TITLES.items():
        reports = {name: [data["reports"][(network, name, extra, "1-row")] for extra in INTERVAL_EXTRA]
                   for name in ("interval", "windows interval")}
        rows.append([title] + [interval_cell(report) for name in reports for report in reports[name]]
                    + [" / ".join("+%d" % (report["duplication"]["next_pes"] - report["pe_min"])
                                  if report["duplication"]["next_pes"] else "-"
                                  for report in reports["windows interval"])])
    header = ["network"] + ["%s +%d" % (name, extra) for name in ("pixels", "windows") for extra in INTERVAL_EXTRA]
    return ("Cycles from image to image where images follow one another (`--duplicate interval`, exact), with products "
            "of single pixels and with windows, copies cut along the width; in brackets: what all PEs together need if "
            "every one always works. Last: with how many PEs more, with windows, the interval next falls.\n\n"
            + table(header + ["falls at"], rows))


def throughput_table(data):
    """Images in a row: rate, latency, how busy the PEs are."""
    rows = []
    for network, title in TITLES.items():
        row = [title]
        for extra in INTERVAL_EXTRA:
            report = data["reports"][(network, "throughput", extra, "auto")]
            interval = report["initiation_interval_cycles"]
            row += ["%s, %s" % (thousands(interval), thousands(report["latency_cycles"]["max"])),
                    "%.0f" % report["images_per_second"], "%.1f %%" % (100 * report["steady_utilisation"])]
        rows.append(row)
    header = ["network"] + [name % extra for extra in INTERVAL_EXTRA
                            for name in ("interval, latency +%d", "images/s +%d", "utilisation +%d")]
    return ("%d images in a row, copies for the least interval with windows and any cut, `auto` sets (`--frames %d "
            "--duplicate interval`): cycles from image to image and of one image, images a second (1,400 ns a cycle, all "
            "else free) and how busy the PEs are in the steady state.\n\n" % (FRAMES, FRAMES) + table(header, rows))


def many_pes_table(data):
    rows = []
    for (network, extra, sets), cycles in MANY_PES.items():
        report = data["reports"][(network, "makespan", extra, sets)]
        rows.append([TITLES[network], "+%d" % extra, sets, thousands(report["makespan_cycles"]), thousands(cycles),
                     "%.2f" % report["speedup"], "%.2f %%" % percent(report), gap(report)])
    return ("Copies for the makespan with many more PEs than needed:\n\n"
            + table(["network", "PEs", "sets", "cycles", "a plainer search", "speedup", "utilisation",
                     "above the lower bound"], rows))


def verdict_line(verdicts):
    wrong = [v for v in verdicts if not v.ok]
    text = "%d of %d checks hold" % (len(verdicts) - len(wrong), len(verdicts))
    return text + ("." if not wrong else ": " + "; ".join(
        "**%s: expected %s, found %s**" % v[:3] for v in wrong) + ".")


def summary(data):
    out = ["Speedup over the same network layer by layer without copies, on the preset `clsa`; pixel sets / 1-row "
           "sets, copies cut along the width. *xinf* is the cross-layer schedule, *wdup+xinf* adds the "
           "copies of the paper's problem 1 with %d PEs more than the network needs%s.\n"
           % (MAX_EXTRA, "; *makespan* chooses copies and cut for the cross-layer schedule itself. In brackets: what "
              "a plain local search had reached. All these yield an output pixel a product, as in the paper; *windows* "
              "is makespan where products yield several pixels, one product a set" if data["makespan"] else ""),
           networks_table(data), many_pes_table(data) if data["makespan"] else "", interval_table(data), throughput_table(data),
           "The paper's own numbers, as far as its text states them:\n",
           table(["", "paper", "pixel sets", "1-row sets", "why they differ"], compare(data["reports"])),
           verdict_line(data["verdicts"]) + "\n"]
    if data["times"]:
        out.append(times_table(data))
    if data["simulated"]:
        out.append("Every point was also executed: its program ran on the simulator with an image, took "
                   "exactly the scheduled cycles and gave the right outputs.\n")
    return "\n".join(out)


def table_1(data):
    found = {row[0]: row for row in data["layers"][CASE_STUDY][1]}
    rows = []
    for name, *stated in TABLE_1:
        ours = found.get(name, (None,) * 5)[1:]
        cells = [part for pair in zip(stated, ours) for part in pair]
        cells = [shape(cell) if isinstance(cell, tuple) else cell for cell in cells]
        rows.append([name, *cells, right(tuple(stated) == ours)])
    header = ["layer"] + [name + who for name in ("IFM", "OFM", "PEs", "cycles")
                          for who in (", paper", ", ours")] + [""]
    return "## Table I: TinyYOLOv4\n\n" + table(header, rows) + "\nAll layers of all networks: `layers.csv`.\n"


def table_2(data):
    rows, notes = [], []
    for network, (size, count, pes) in TABLE_2.items():
        graph_input, layers = data["layers"][network]
        ours = (graph_input, len(layers), sum(layer[3] for layer in layers))
        rows.append([TITLES[network], shape(size), shape(ours[0]), count, ours[1], pes, ours[2],
                     thousands(sum(layer[4] for layer in layers)), right(ours == (size, count, pes))])
        if network in BASE_LAYERS:
            notes.append("%s: the paper counts %d layers, but the names in its Table I run from %s to %s, which are "
                         "%d, and only with all of them do the PEs add up to its own %d.\n"
                         % (TITLES[network], count, layers[0][0], layers[-1][0], BASE_LAYERS[network], pes))
    header = ["network", "input, paper", "input, ours", "base layers, paper", "base layers, ours",
              "PE_min, paper", "PE_min, ours", "cycles, ours", ""]
    return "## Table II\n\n" + table(header, rows) + "\n" + "".join(notes)


def figure_6(data):
    report = data["reports"][(CASE_STUDY, "wdup+xinf", GANTT_EXTRA_PES, "pixel")]
    wdup = data["reports"][(CASE_STUDY, "wdup", GANTT_EXTRA_PES, "pixel")]
    copied = sum(copies > 1 for copies in copies_of(report))
    return ("## Figure 6: TinyYOLOv4, x = %d\n\n"
            "Problem 1's solution d = `%s`: %d layers are duplicated, %s (the paper: the first 6). wdup takes %s "
            "cycles, wdup+xinf %s.\n\n![wdup and wdup+xinf over time](fig6.svg)\n\n![figure 6c](fig6c.svg)\n"
            % (GANTT_EXTRA_PES, format_copies(copies_of(report)), copied,
               "the first ones" if all(c > 1 for c in copies_of(report)[:copied]) else "not the first ones",
               thousands(wdup["makespan_cycles"]), thousands(report["makespan_cycles"])))


def points_table(data, sets):
    """Speedup and utilisation of every configuration."""
    names = ["wdup", "xinf", "wdup+xinf"] + ["makespan"] * data["makespan"]
    keys = [(name, extra) for name in names
            for extra in (EXTRA_PES if name in WITH_COPIES else (0,))]
    rows = [[TITLES[network]] + ["%.2f, %.2f %%" % (r["speedup"], percent(r)) for r in
                                 (data["reports"][(network, *key, sets)] for key in keys)]
            for network in TITLES]
    header = ["network"] + ["%s +%d" % key if key[1] else key[0] for key in keys]
    return "### %s sets: speedup, utilisation\n\n" % sets + table(header, rows)


def figure_7(data):
    return ("## Figure 7\n\n![speedup](fig7a.svg)\n\n![utilisation](fig7b.svg)\n\n"
            + "\n".join(points_table(data, sets) for sets in SETS)
            + "\nAll points with copies, objective and bound: `points.csv`.\n")


def set_sizes(data):
    rows = []
    for network, name, extra in STUDY:
        cells = ["%.2f, %.2f %%" % (r["speedup"], percent(r)) for r in
                 (data["reports"][(network, name, extra, sets)] for sets in STUDY_SETS)]
        rows.append(["%s %s%s" % (TITLES[network], name, " +%d" % extra if extra else "")] + cells)
    return ("## How the size of the sets moves the results\n\n"
            + table(["speedup, utilisation"] + list(STUDY_SETS), rows))


def makespan_section(data):
    rows = []
    for network in TITLES:
        for sets in SETS:
            for extra in EXTRA_PES:
                plain = data["reports"][(network, "wdup+xinf", extra, sets)]
                ours = data["reports"][(network, "makespan", extra, sets)]
                bound = ours["lower_bound_cycles"]
                rows.append([TITLES[network], sets, "+%d" % extra, thousands(plain["makespan_cycles"]),
                             thousands(ours["makespan_cycles"]),
                             target_cell(network, ours, sets) if extra == MAX_EXTRA
                             else "%.2f" % ours["speedup"],
                             "%.2f %%" % percent(ours), thousands(bound) if bound else "-", gap(ours),
                             (ours["duplication"] or {}).get("status", "-"),
                             "`%s`" % format_copies(copies_of(ours))])
    return ("## Copies chosen for the makespan\n\nIn brackets: what a plain local search had reached.\n\n"
            + table(["network", "sets", "PEs", "cycles, sum", "cycles, makespan", "speedup", "utilisation",
                     "lower bound", "above it", "status", "copies"], rows))


def plain(value):
    """A row of a table, without the quotes and brackets of Python."""
    if not isinstance(value, tuple):
        return value
    return " ".join("x".join(map(str, part)) if isinstance(part, tuple) else str(part)
                    for part in value)


def checks(data):
    rows = [[v.what, plain(v.expected), plain(v.found), right(v.ok)] for v in data["verdicts"]]
    return "## Checks\n\n" + table(["", "expected", "found", ""], rows)


def times_table(data):
    return "%s\n\n%s" % (times.about(data["times"]), table(times.HEADER, times.rows_of(data["times"])))


def write(path, data):
    parts = ["# CLSA-CIM's evaluation, by cimc %s\n" % data["version"],
             "%s\n%s%s\n" % (BEGIN, summary(data), END), table_1(data), table_2(data), figure_6(data),
             figure_7(data), set_sizes(data)]
    if data["makespan"]:
        parts.append(makespan_section(data))
    parts.append(checks(data))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))


def replace_marked(path, new, begin, end):
    """Puts the text, markers included, in place of what stands from marker to marker; False if they are not there."""
    block = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not block.search(text):
        return False
    with open(path, "w", encoding="utf-8") as file:
        file.write(block.sub(lambda match: new, text))
    return True


def refresh(path, results):
    """Puts the marked part of results.md between the markers of `path`; False if it has none."""
    with open(results, encoding="utf-8") as file:
        part = re.search(re.escape(BEGIN) + ".*?" + re.escape(END), file.read(), re.DOTALL).group()
    return replace_marked(path, part, BEGIN, END)
