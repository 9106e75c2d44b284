# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The points of the evaluation: every network under every configuration, each one run of cimc.

A configuration is the paper's word: layer-by-layer, wdup (copies, layer by layer), xinf
(cross-layer, no copies), wdup+xinf; `makespan` is ours: copies chosen for the cross-layer schedule.
The first four cut along the width; `makespan` leaves the cut to the compiler. All these map each
output pixel to a product, as the paper does. `windows` is `makespan` with products of several
pixels; `interval` and `windows interval` are copies for images that follow one another, and
`throughput` is a program that so many images run through.
"""

import concurrent.futures
import sys

from paper.claims import EXTRA_PES, INTERVAL_EXTRA, MANY_PES, SETS, STUDY, STUDY_SETS, WINDOWS_EXTRA
from paper.runner import find_test_data

CONFIGURATIONS = {
    "layer-by-layer": ("layer", "none", "w", "im2col"),
    "wdup": ("layer", "sum", "w", "im2col"),
    "xinf": ("cross", "none", "w", "im2col"),
    "wdup+xinf": ("cross", "sum", "w", "im2col"),
    "makespan": ("cross", "makespan", "auto", "im2col"),
    "windows": ("cross", "makespan", "auto", "window"),
    "interval": ("cross", "interval", "w", "im2col"),
    "windows interval": ("cross", "interval", "w", "window"),
    "throughput": ("cross", "interval", "auto", "window"),
}
FRAMES = 10  # of throughput
PAPER = ("layer-by-layer", "wdup", "xinf", "wdup+xinf")
SET_OPTIONS = {**STUDY_SETS, "auto": "auto"}
WITH_COPIES = ("wdup", "wdup+xinf", "makespan")


def list_points(networks, *, makespan):
    """Keys (network, configuration, extra PEs, sets). Order: networks one by one."""
    names = PAPER + ("makespan",) * makespan
    return [(network, name, extra, sets)
            for network in networks for sets in SETS for name in names
            for extra in (EXTRA_PES if name in WITH_COPIES else (0,))]


def list_study():
    """The points that only the comparison of set sizes needs."""
    return [(*key, sets) for key in STUDY for sets in STUDY_SETS if sets not in SETS]


def list_many_pes():
    """Copies for the makespan with many more PEs than the networks need."""
    return [(network, "makespan", extra, sets) for network, extra, sets in MANY_PES]


def list_windows(networks):
    """The makespan of windows: pixel sets, that is one product each."""
    return [(network, "windows", extra, "pixel") for network in networks for extra in WINDOWS_EXTRA]


def list_intervals(networks):
    """Copies for images that follow one another. Sets do not matter: rows are quickest to compile."""
    return [(network, name, extra, "1-row") for network in networks for name in ("interval", "windows interval")
            for extra in INTERVAL_EXTRA]


def list_throughput(networks):
    """Images in a row."""
    return [(network, "throughput", extra, "auto") for network in networks for extra in INTERVAL_EXTRA]


def point_options(point):
    _, name, extra, sets = point
    schedule, duplicate, cut, mapping = CONFIGURATIONS[name]
    return ["--arch", "clsa", "--mapping", mapping, "--schedule", schedule, "--duplicate", duplicate, "--cut", cut,
            "--set", SET_OPTIONS[sets], "--extra-pes", str(extra)] + (
                ["--frames", str(FRAMES)] if name == "throughput" else [])


def run_point(cimc, path, point, simulate):
    if simulate:
        return cimc.simulate(path, point_options(point), find_test_data(path))
    return cimc.compile(path, point_options(point))


def run_points(cimc, paths, points, *, simulate, jobs):
    """{point: report}, from `jobs` processes at a time. paths: network -> file."""
    reports = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(run_point, cimc, paths[point[0]], point, simulate): point
                   for point in points}
        try:
            for future in concurrent.futures.as_completed(futures):
                point = futures[future]
                reports[point] = future.result()
                show_progress(len(reports), len(points), point)
        except Exception:
            pool.shutdown(cancel_futures=True)
            raise
    return {point: reports[point] for point in points}


def show_progress(n_done, n_all, point):
    if sys.stderr.isatty():
        network, name, extra, sets = point
        print("\r\033[K%d of %d  %s %s +%d %s" % (n_done, n_all, network, name, extra, sets),
              end="\n" if n_done == n_all else "", file=sys.stderr, flush=True)
    elif n_done % 20 == 0 or n_done == n_all:
        print("%d of %d points" % (n_done, n_all), file=sys.stderr, flush=True)


def copies_of(report):
    return [layer["copies"] for layer in report["base_layers"]]


def format_copies(copies):
    """`6 2 2 1...`: the ones at the end are left out."""
    n = len(copies)
    while n > 0 and copies[n - 1] == 1:
        n -= 1
    return " ".join(map(str, copies[:n] + [1])) + "..." if n < len(copies) \
        else " ".join(map(str, copies))
