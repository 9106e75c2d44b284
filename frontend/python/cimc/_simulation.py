# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Results of a run or an evaluation."""
from __future__ import annotations

import json
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ._arrays import Arrays, Inputs, Port, ports, viewed
from ._library import Call, ffi, lib, sized
from ._options import Options


class Difference(NamedTuple):
    """How an output of a frame differs from what is expected. `step` 0: not compared in steps."""
    passed: bool
    max_abs_error: float
    max_abs_reference: float
    step: float
    max_steps: float
    worst: int


class Simulation:
    """What a run of a program, or an evaluation of a model, yielded.

    `outputs` are arrays on the simulation's memory, of the shapes of the model's outputs; with several frames these
    stand along the first dimension.
    """

    def __init__(self, call: Call, at: Any, options: Options, kept: Tuple[Any, ...]):
        self._at = ffi.gc(at, lib.cimc_simulation_free)
        self._kept = kept
        info = sized('cimc_simulation_info')
        lib.cimc_simulation_info(self._at, info)
        self.ran: bool = info.ran
        self.frames: int = info.frames
        #: Of all frames; 0 of an evaluation.
        self.cycles: int = info.cycles
        #: With `labels`: frames whose class is right; else None.
        self.n_right: Optional[int] = info.n_right if info.n_right >= 0 else None
        self.simulate_seconds: float = info.simulate_seconds
        self.evaluate_seconds: float = info.evaluate_seconds
        self.ports: List[Port] = ports(lib.cimc_simulation_output, self._at)
        self.outputs: List[Optional[np.ndarray]] = self._arrays(lib.cimc_simulation_values)
        self.expected: List[Optional[np.ndarray]] = self._arrays(lib.cimc_simulation_expected)
        self._json = json.loads(call.collect(
            lambda write, user: lib.cimc_print_simulation(call.at, self._at, lib.CIMC_JSON, options.at, write, user))
        ) if self.ran else {}

    def _arrays(self, get: Any) -> List[Optional[np.ndarray]]:
        found: List[Optional[np.ndarray]] = []
        a = sized('cimc_array')
        for i in range(len(self.ports)):
            found.append(viewed(a, self._at) if self.ran and get(self._at, i, a) else None)
        return found

    def difference(self, output: int = 0, frame: int = 0) -> Optional[Difference]:
        """None: it was compared with nothing."""
        d = sized('cimc_difference')
        if not lib.cimc_simulation_difference(self._at, output, frame, d):
            return None
        return Difference(getattr(d, 'pass'), d.max_abs_error, d.max_abs_reference, d.step, d.max_steps, d.worst)

    @property
    def passed(self) -> bool:
        """Every output that was compared is what was expected."""
        every = [self.difference(i, f) for i in range(len(self.ports)) for f in range(self.frames)]
        return self.ran and all(d is None or d.passed for d in every)

    @property
    def json(self) -> Dict[str, Any]:
        """What `cimc run --json` or `cimc eval --json` would print."""
        return self._json

    def __repr__(self) -> str:
        return '<cimc.Simulation: %d frames, %d cycles>' % (self.frames, self.cycles)


def _whole_numbers(labels: Optional[Sequence[int]]) -> np.ndarray:
    given = np.asarray([] if labels is None else labels)
    with np.errstate(invalid='ignore'):
        taken = np.ascontiguousarray(given, dtype='<i8')
    if labels is not None and not (given.size and np.array_equal(given, taken)):
        raise ValueError('labels are whole numbers, one of each frame')
    return taken


class Values:
    """Inputs, expected outputs and labels as struct cimc_values."""

    def __init__(self, inputs: Inputs, known_inputs: Sequence[Port], expected: Optional[Inputs],
                 known_outputs: Sequence[Port], labels: Optional[Sequence[int]]):
        self.inputs = Arrays(inputs, known_inputs, 'input')
        self.expected = Arrays([] if expected is None else expected, known_outputs, 'output')
        self.labels = _whole_numbers(labels)
        self.at = sized('cimc_values')
        self.at.inputs, self.at.n_inputs = self.inputs.at, self.inputs.n
        self.at.expected, self.at.n_expected = self.expected.at, self.expected.n
        if self.labels.size:
            self._buffer = ffi.from_buffer('int64_t[]', self.labels)
            self.at.labels, self.at.n_labels = self._buffer, self.labels.size


def as_inputs(arrays: Sequence[Any]) -> Inputs:
    """`f(a, b)` or `f({'x': a})`."""
    return arrays[0] if len(arrays) == 1 and isinstance(arrays[0], dict) else arrays
