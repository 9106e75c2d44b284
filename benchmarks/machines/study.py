# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The four tables' points: quality of quantised models, read-outs, networks on machines, resolution of converters."""

import os

from machines import limits, runs

RESOLUTION_NETWORK, RESOLUTION_BITS = "squeezenet", (0, 6, 7, 8)


def named(cases):
    return {case.subject.name: case for case in cases}


def qualities(cimc, cases, parallel):
    """{(network, weight bits, activation bits, rounding): (SNR in dB, share of equal classes)}"""
    keys = [(*point, rounding) for point in limits.QUALITY for rounding in limits.QUALITY[point] if point[0] in named(cases)]
    work = [(runs.quality, cimc, named(cases)[network], *how) for network, *how in keys]
    return dict(zip(keys, parallel("quality", work)))


def readout(cimc, case, name):
    """Of weights of 8 bits on small cells that are read out this way."""
    program = os.path.join(case.folder, "readout-%s.cim" % name.replace(" ", "-"))
    model = runs.quantised_file(case, 8, rounding="nearest")
    runs.compile_point(cimc, case, model, runs.fields(limits.SMALL_CELLS + limits.READOUTS[name]), runs.FEWEST, program)
    return runs.simulate(cimc, case, program)


def readouts(cimc, cases, parallel):
    """{(network, read-out): (SNR in dB, share)}"""
    asked = dict.fromkeys(network for network, _ in [*limits.READOUT, *limits.LOSS])
    keys = [(network, name) for network in asked if network in named(cases) for name in limits.READOUTS]
    return dict(zip(keys, parallel("read-outs", [(readout, cimc, named(cases)[network], name) for network, name in keys])))


def machines(cimc, case, parallel):
    """Rows of runs.machine_point, of a network."""
    if not case.subject.machines:
        return []
    name = case.subject.name
    models = parallel(name + ", quantise", [(runs.quantise, cimc, case, bits) for bits in runs.WEIGHT_BITS])
    return parallel(name, [(runs.machine_point, cimc, case, bits, model, preset, pes)
                           for bits, model in zip(runs.WEIGHT_BITS, models) for preset in runs.PRESETS for pes in runs.PES])


def resolution(cimc, case, bits, preset, adc_bits):
    """(report or why there is none, quality or None) of a preset whose converters have so many bits; 0: ideal ones."""
    model = runs.quantised_file(case, bits)
    program = os.path.join(case.folder, "adc-%s-w%d-%d.cim" % (preset, bits, adc_bits))
    machine = ["--arch", preset, *runs.fields(["adc_bits=%d" % adc_bits])]
    report = runs.compile_point(cimc, case, model, machine, runs.FEWEST, program)
    return report, None if isinstance(report, str) else runs.simulate(cimc, case, program)


def resolutions(cimc, cases, parallel):
    """{(preset, weight bits, converter's bits): resolution's}"""
    case = named(cases).get(RESOLUTION_NETWORK)
    keys = [(preset, bits, adc) for preset in runs.PRESETS for bits in runs.WEIGHT_BITS for adc in RESOLUTION_BITS] if case else []
    return dict(zip(keys, parallel("resolution", [(resolution, cimc, case, bits, preset, adc) for preset, bits, adc in keys])))
