# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Each number of the paper's text beside ours, and a sentence on the difference.

Every number in a sentence is computed from the reports or is the paper's.
"""

import math

from paper.claims import (EXTRA_PES, LARGE, PAPER_GAIN, PAPER_OVER_XINF, PAPER_SPEEDUP,
                          PAPER_UTILISATION, PAPER_WDUP_LARGE, PAPER_XINF_LARGE, SETS, STUDY_SETS,
                          TABLE_2, TITLES)
from paper.points import copies_of, format_copies


def percent(report):
    return 100 * report["utilisation"]


def by_sets(reports, key, measure):
    return {sets: measure(reports[(*key, sets)]) for sets in STUDY_SETS}


def place(values, stated, digits, unit=""):
    """Where a stated number lies among ours for sets of growing size."""
    named = ["%s sets (%.*f%s)" % (sets, digits + 1, value, unit) for sets, value in values.items()]
    for text, (sets, value) in zip(named, values.items()):
        if round(value, digits) == stated:
            return "%s give the paper's number" % text
    for k, ((_, above), (_, below)) in enumerate(zip(list(values.items()), list(values.items())[1:])):
        if above > stated > below:
            return "the paper's number lies between %s and %s" % (named[k], named[k + 1])
    return "nothing from %s to %s gives the paper's number" % (named[0], named[-1])


def set_size(reports, key, measure, stated, unit):
    return "Set size: %s." % place(by_sets(reports, key, measure), stated, 1, unit)


def pair(reports, key, measure, form):
    return [form % measure(reports[(*key, sets)]) for sets in SETS]


def explain_first_layer(reports, key):
    """Why TinyYOLOv3's solution cannot be what the paper used."""
    report = reports[(*key, "pixel")]
    first, copies = report["base_layers"][0], copies_of(report)
    height, width, _ = first["ofm"]
    cut = height * math.ceil(width / copies[0])
    whole = report["layer_by_layer_cycles"] / PAPER_SPEEDUP[key]
    return ("Other copies: problem 1's optimum is `%s`, whose first layer alone takes at least "
            "%s cycles, %s with a cut along the width, %s than the paper's whole %s."
            % (format_copies(copies), "{:,.1f}".format(first["cycles"] / copies[0]),
               "{:,}".format(cut), "more" if first["cycles"] / copies[0] > whole else "not more",
               "{:,.0f}".format(whole))
            + explain_makespan(reports.get((key[0], "makespan", key[2], "pixel"))))


def explain_makespan(report):
    if report is None:
        return ""
    return (" Copies chosen for the makespan, `%s`, give %.2fx."
            % (format_copies(copies_of(report)), report["speedup"]))


def explain_equation(reports, key):
    network, _, extra = key
    base = reports[(network, "layer-by-layer", 0, "pixel")]
    pes = TABLE_2[network][2]
    value = PAPER_SPEEDUP[key] * percent(base) * pes / (pes + extra)
    return ("As the speedup: by equation 3 the paper's %gx is %.1f %%." % (PAPER_SPEEDUP[key], value))


def row_gain(reports):
    network, gain = PAPER_GAIN
    most = reports[(network, "wdup+xinf", 32, "pixel")]
    base, xinf = (percent(reports[(network, name, 0, "pixel")]) for name in ("layer-by-layer", "xinf"))
    stated = PAPER_UTILISATION[(network, "wdup+xinf", 32)]
    ours = ["%.1fx" % (percent(reports[(network, "wdup+xinf", 32, sets)])
                      / percent(reports[(network, "xinf", 0, sets)])) for sets in SETS]
    why = ("It is over xinf: %g %% is %.1f times xinf's %.2f %%, and %.1f times layer by layer's %.3f %%, "
           "over which the paper states it; ours would be %.1f."
           % (stated, stated / xinf, xinf, stated / base, base, percent(most) / base))
    return ["%s, utilisation +32 over xinf" % TITLES[network], "%gx" % gain, *ours, why]


def row_wdup(reports):
    """Pure duplication on the large networks."""
    def span(extras):
        values = [reports[(network, "wdup", extra, "pixel")]["speedup"]
                  for network in LARGE for extra in extras]
        return min(values), max(values)
    low, high = span(EXTRA_PES)
    few = span(EXTRA_PES[:2])
    text = "%.2f to %.2fx" % (low, high)
    top = max((reports[(network, "wdup", EXTRA_PES[-1], "pixel")]["speedup"], network)
              for network in LARGE)
    why = ("Up to +%d PEs it is %.2f to %.2f, the paper's range cut to one digit; with +%d PEs problem 1 "
           "alone, without any schedule, gives %s %.2f."
           % (EXTRA_PES[1], *few, EXTRA_PES[-1], TITLES[top[1]], top[0]))
    return ["large networks, wdup", "%g to %gx" % PAPER_WDUP_LARGE, text, text, why]


def row_xinf(reports):
    def best(sets):
        return max((reports[(network, "xinf", 0, sets)]["speedup"], network) for network in LARGE)
    values = {sets: best(sets)[0] for sets in STUDY_SETS}
    why = "Set size: %s; the best is %s." % (place(values, PAPER_XINF_LARGE, 1, "x"),
                                            TITLES[best("1-row")[1]])
    return ["large networks, best xinf", "%gx" % PAPER_XINF_LARGE,
            *("%.2fx" % values[sets] for sets in SETS), why]


def row_over_xinf(reports):
    def ratio(network, sets):
        return (reports[(network, "xinf", 0, sets)]["makespan_cycles"]
                / reports[(network, "wdup+xinf", 4, sets)]["makespan_cycles"])
    spans = ["%.2f to %.2fx" % (min(ratio(n, sets) for n in TITLES), max(ratio(n, sets) for n in TITLES))
             for sets in SETS]
    least = min(TITLES, key=lambda network: ratio(network, "pixel"))
    why = ("The least is %s's; where the first layer is a larger part of the makespan, +4 PEs gain more."
           % TITLES[least])
    return ["all networks, +4 over xinf", "almost %gx" % PAPER_OVER_XINF, *spans, why]


def compare(reports):
    """Rows: what, paper, ours with pixel sets, ours with 1-row sets, why they differ."""
    def speedup(report):
        return report["speedup"]
    v4, v4_xinf, v3 = (("tinyyolov4", "wdup+xinf", 32), ("tinyyolov4", "xinf", 0),
                       ("tinyyolov3", "wdup+xinf", 32))
    rows = []
    for key in (v4_xinf, v4):
        stated = PAPER_UTILISATION[key]
        rows.append(["%s, utilisation %s%s" % (TITLES[key[0]], key[1], " +32" if key[2] else ""),
                     "%g %%" % stated, *pair(reports, key, percent, "%.2f %%"),
                     set_size(reports, key, percent, stated, " %")])
    rows.append(["TinyYOLOv4, speedup wdup+xinf +32", "%gx" % PAPER_SPEEDUP[v4],
                 *pair(reports, v4, speedup, "%.2fx"),
                 set_size(reports, v4, speedup, PAPER_SPEEDUP[v4], "x")])
    rows.append(["TinyYOLOv3, speedup wdup+xinf +32", "%gx" % PAPER_SPEEDUP[v3],
                 *pair(reports, v3, speedup, "%.2fx"), explain_first_layer(reports, v3)])
    rows.append(["TinyYOLOv3, utilisation wdup+xinf +32", "%g %%" % PAPER_UTILISATION[v3],
                 *pair(reports, v3, percent, "%.2f %%"), explain_equation(reports, v3)])
    return rows + [row_gain(reports), row_wdup(reports), row_xinf(reports), row_over_xinf(reports)]
