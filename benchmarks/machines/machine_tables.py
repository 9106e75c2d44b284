# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The tables of machines as Markdown, and whether what was asked for is reached."""

from machines import limits
from machines.runs import FEWEST, WHOLE
from machines.study import RESOLUTION_BITS, RESOLUTION_NETWORK
from paper.results import replace_marked, table, thousands

BEGIN, END = "<!-- machines -->", "<!-- end machines -->"


def quality_cell(quality):
    """Signal to noise in dB, images with the float network's class in %."""
    return "%.1f, %.0f %%" % (quality[0], 100 * quality[1])


def mark(ok):
    return "" if ok else " **missed**"


def within(x, bounds):
    least, most = bounds
    return (least is None or x >= least) and (most is None or x <= most)


# ---- quality of quantised models ----

def least(key):
    """Of (network, weight bits, activation bits, rounding); None: nothing was asked for."""
    return limits.QUALITY[key[:3]][key[3]]


def quality_ok(results, key):
    return within(results[key][0], (least(key), None))


def quality_table(results):
    rows = [[*key, quality_cell(quality), "" if least(key) is None else "%d%s" % (least(key), mark(quality_ok(results, key)))]
            for key, quality in results.items()]
    return table(["network", "weight bits", "activation bits", "rounding", "SNR dB, same class", "at least"], rows)


# ---- read-outs ----

def readout_ok(results, key):
    network, name = key
    snr, ideal = results[key][0], results[(network, "ideal")][0]
    return within(snr, limits.READOUT.get(key, (None, None))) and \
        within(round(ideal - snr, 6), limits.LOSS.get(key, (None, None)))


def limits_text(key):
    parts = []
    for bounds, form in ((limits.READOUT.get(key), "%s %d"), (limits.LOSS.get(key), "%s %d below ideal")):
        if bounds:
            least, most = bounds
            parts.append("as ideal" if bounds == (0, 0) else form % (("at least", least) if most is None else ("at most", most)))
    return ", ".join(parts)


def readout_table(results):
    return table(["network", "read-out", "SNR dB, same class", "asked for"],
                 [[*key, quality_cell(quality), limits_text(key) + mark(readout_ok(results, key))]
                  for key, quality in results.items()])


# ---- networks on machines ----

def three_digits(x):
    """The first three that count, and no exponent of ten above them: 1,220."""
    rounded = float("%.3g" % x)
    return "%.3g" % rounded if rounded < 1000 else thousands(round(rounded))


def energy(report):
    """Of one image, in microjoules; "-" of a machine without prices."""
    picojoules = float(report["energy"]["per_frame_pj"])
    return three_digits(picojoules / 1e6) if picojoules else "-"


def machine_row(rows, trained):
    """Of one network, preset and number of bits: the machine with the fewest PEs and the whole one."""
    fewest, whole = rows[FEWEST], rows[WHOLE]
    head = [fewest["network"], fewest["preset"], fewest["bits"]]
    reports = [row["report"] for row in (fewest, whole)]
    if isinstance(reports[0], str):
        return head + [reports[0]] + [""] * 5

    def show(function):
        return " / ".join(report if isinstance(report, str) else function(report) for report in reports)
    return head + [show(lambda report: thousands(report["pes_used"])),
                   show(lambda report: thousands(report["latency_cycles"]["max"])),
                   show(lambda report: thousands(report["initiation_interval_cycles"])),
                   show(lambda report: "%.1f %%" % (100 * report["steady_utilisation"])), show(energy),
                   quality_cell(fewest["quality"]) if trained else "random weights"]


def machines_table(rows, trained):
    grouped = {}
    for row in rows:
        grouped.setdefault((row["network"], row["preset"], row["bits"]), {})[row["pes"]] = row
    header = ["network", "machine", "bits", "crossbars", "cycles", "interval", "utilisation", "energy uJ", "SNR dB, same class"]
    return table(header, [machine_row(group, trained[key[0]]) for key, group in grouped.items()])


def agreements(rows):
    return [ok for row in rows for ok in row.get("agrees", [])]


# ---- resolution of converters ----

def resolution_table(results):
    rows = []
    for preset, bits in dict.fromkeys(key[:2] for key in results):
        found = [results[(preset, bits, adc)] for adc in RESOLUTION_BITS]
        report = found[0][0]
        if isinstance(report, str):
            rows.append([preset, bits, report, "", ""] + [""] * len(found))
        else:
            rows.append([preset, bits, thousands(report["pes_used"]), thousands(report["latency_cycles"]["max"]),
                         "%.1f %%" % (100 * report["steady_utilisation"])] + [quality_cell(quality) for _, quality in found])
    header = ["machine", "weight bits", "crossbars", "cycles", "utilisation"] + [
        "%d bits" % adc if adc else "ideal" for adc in RESOLUTION_BITS]
    return table(header, rows)


# ---- all ----

def all_hold(results):
    return (all(quality_ok(results["quality"], key) for key in results["quality"])
            and all(readout_ok(results["readout"], key) for key in results["readout"])
            and all(agreements(results["machines"])))


def text(results, trained):
    agreed = agreements(results["machines"])
    parts = ["Networks on machines, weights rounded with error feedback; with the fewest crossbars that hold the network / with "
             "the whole machine, copies for the least interval. Cycles are those of one image, energy too. Quality is that of the "
             "outputs before the softmax against the float network's: signal to noise, and the share of images with the same "
             "class.\n", machines_table(results["machines"], trained),
             "Simulator and evaluator, an image each without noise of the cells and with it: %d of %d equal in every bit.\n"
             % (sum(agreed), len(agreed)),
             "Quantised models without a machine (`cimc eval --mode int`):\n", quality_table(results["quality"]),
             "Weights and activations of 8 bits, cells of 2 bits, an input bit at a time, 256 rows:\n", readout_table(results["readout"])]
    if results["resolution"]:
        parts += ["%s with other converters on the same machines, the fewest crossbars:\n" % RESOLUTION_NETWORK,
                  resolution_table(results["resolution"])]
    return "\n".join(parts)


def refresh(path, new):
    """Puts the text between the markers of the file; False if it has none."""
    return replace_marked(path, "%s\n%s\n%s" % (BEGIN, new, END), BEGIN, END)
