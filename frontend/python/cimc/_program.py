# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Models and programs."""
from __future__ import annotations

import html
import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ._arrays import Inputs, Port, ports
from ._library import Call, MismatchError, Progress, encoded, ffi, lib, sized, text
from ._options import Options
from ._simulation import Simulation, Values, as_inputs

#: A set on one group of PEs: `y, x, h, w` is a rectangle of the output of layer `layer`, worked on by copy `copy` in
#: the cycles from `start` to `end` on PEs `first_pe` to `first_pe + n_pes - 1` of tile `tile`.
SCHEDULE_DTYPE = np.dtype([(name, '<u4') for name in ('layer', 'copy', 'tile', 'first_pe', 'n_pes')]
                          + [(name, '<i4') for name in 'yxhw'] + [('frame', '<u4')]
                          + [(name, '<u8') for name in ('start', 'end', 'reserved')])
Source = Union[str, 'os.PathLike[str]', bytes, bytearray, memoryview, Any]


class Layer(NamedTuple):
    """A base layer: its output is height x width x channels, `pes` are those of one copy, `cycles` those of all its
    products on one copy, `fill` the share of a copy's cells that hold a weight."""
    name: str
    height: int
    width: int
    channels: int
    patch_height: int
    patch_width: int
    pes: int
    copies: int
    cycles: int
    weight_bits: int
    fill: float
    start_cycle: int = 0
    end_cycle: int = 0


class Tile(NamedTuple):
    n_pes: int
    code_bytes: int
    buffer_bytes: int
    n_instructions: int
    pe_busy_cycles: int
    vector_busy_cycles: int
    network_busy_cycles: int
    dram_busy_cycles: int
    sent_bytes: int
    read_bytes: int
    written_bytes: int
    peak_bytes: int
    table_bytes: int
    weight_bytes: int


class Info(NamedTuple):
    """Cycles and PEs. What a program that was read does not know is 0, NaN or ''."""
    is_compiled: bool
    model: str
    compiler: str
    options: str
    mode: str
    fingerprint: int
    pes: int
    pe_min: int
    pes_used: int
    cycle_ps: int
    makespan_cycles: int
    layer_by_layer_cycles: int
    scheduled_cycles: int
    speedup: float
    utilisation: float
    frames: int
    interval_cycles: int
    latency_min_cycles: int
    latency_max_cycles: int
    n_instructions: int
    code_bytes: int
    has_weights: bool


def _filled(kind: Any, struct: Any) -> Any:
    """A tuple of the struct's fields of the same names."""
    values = (getattr(struct, name) for name in kind._fields if name not in kind._field_defaults)
    return kind(*[text(v) if isinstance(v, ffi.CData) else v for v in values])


class _Sources:
    """struct cimc_source of each model: a path, bytes, or an object of the package onnx. {'a': ..., 'b': ...} names
    several."""

    def __init__(self, models: Sequence[Source]):
        named: List[Tuple[Optional[str], Source]] = []
        for model in models:
            named += model.items() if isinstance(model, dict) else [(None, model)]
        self.n = len(named)
        self.at = ffi.new('struct cimc_source[]', self.n)
        self.kept: List[Any] = []
        for i, (name, model) in enumerate(named):
            self._fill(self.at[i], name, model)

    def _fill(self, to: Any, name: Optional[str], model: Source) -> None:
        to.size = ffi.sizeof('struct cimc_source')
        if hasattr(model, 'SerializeToString'):
            model = model.SerializeToString()
        if isinstance(model, (bytes, bytearray, memoryview)):
            path = encoded(name) if name else None
            data = ffi.from_buffer(model)
            self.kept += [model, data]
            to.bytes, to.n_bytes = ffi.cast('const void *', data), len(data)
        else:
            path = (encoded(name) + b'=' if name else b'') + encoded(model)
        if path is not None:
            self.kept.append(ffi.new('char[]', path))
            to.path = self.kept[-1]


class Model:
    """ONNX models, read once, which may be compiled any number of times. Made by `load_model`."""

    def __init__(self, at: Any, options: Dict[str, Any], kept: Tuple[Any, ...]):
        self._at = ffi.gc(at, lib.cimc_model_free)
        self._options = options
        self._kept = kept
        self.inputs: List[Port] = ports(lib.cimc_model_input, self._at)
        self.outputs: List[Port] = ports(lib.cimc_model_output, self._at)

    def compile(self, *, progress: Optional[Progress] = None, **options: Any) -> 'Program':
        """The program of these models; see `cimc.compile`."""
        out = ffi.new('cimc_program **')
        with Call(progress) as call:
            o = Options(call, {**self._options, **options})
            o.at.keep_schedule = o.at.keep_detail = True
            call.check(lib.cimc_compile(call.at, self._at, o.at, out))
            return Program(out[0], o, (self,))

    def evaluate(self, *inputs: Any, expected: Optional[Inputs] = None, labels: Optional[Sequence[int]] = None,
                 progress: Optional[Progress] = None, **options: Any) -> Simulation:
        """What the built-in evaluator makes of the model: nothing is compiled. Arguments as of `Program.simulate`."""
        out = ffi.new('cimc_simulation **')
        with Call(progress) as call:
            o = Options(call, {**self._options, **options})
            v = Values(as_inputs(inputs), self.inputs, expected, self.outputs, labels)
            status = lib.cimc_evaluate(call.at, self._at, o.at, v.at, out)
            return _finished(call, status, out[0], o, (self,))

    def __repr__(self) -> str:
        return '<cimc.Model: inputs %s, outputs %s>' % tuple(
            ', '.join('%s %s%s' % (p.name, p.dtype, list(p.shape)) for p in some) for some in (self.inputs, self.outputs))


def _finished(call: Call, status: int, at: Any, options: Options, kept: Tuple[Any, ...]) -> Simulation:
    """The results, also those of a run that differs, which are in the exception."""
    if not at:
        call.check(status or lib.CIMC_INTERNAL)
    result = Simulation(call, at, options, kept)
    try:
        call.check(status)
    except MismatchError as error:
        error.simulation = result
        raise
    return result


class Program:
    """A program: an instruction stream for each tile, and what the crossbars hold. Made by `compile` or `load`."""

    def __init__(self, at: Any, options: Optional[Options], kept: Tuple[Any, ...] = ()):
        self._at = ffi.gc(at, lib.cimc_program_free)
        self._options = options
        self._kept = kept
        struct = sized('cimc_program_info')
        lib.cimc_program_info(self._at, struct)
        self.info: Info = _filled(Info, struct)
        self.inputs: List[Port] = ports(lib.cimc_program_input, self._at)
        self.outputs: List[Port] = ports(lib.cimc_program_output, self._at)

    # ---- what it does ----

    def run(self, *inputs: Any, progress: Optional[Progress] = None, **options: Any) -> Any:
        """Simulates it and returns the output, or a tuple of several, as numpy arrays.

        Inputs are arrays in the order of `inputs`, or one dict by name; each holds one frame (the shape of its port) or
        several along the first dimension. Nothing is compared.
        """
        result = self._simulate(inputs, None, None, progress, True, options)
        return result.outputs[0] if len(result.outputs) == 1 else tuple(result.outputs)

    def simulate(self, *inputs: Any, expected: Optional[Inputs] = None, labels: Optional[Sequence[int]] = None,
                 progress: Optional[Progress] = None, **options: Any) -> Simulation:
        """Simulates it and compares: with `expected` outputs, else with what the evaluator makes of its model.

        Raises MismatchError where they differ; its `simulation` has the results. `expected` are arrays in the order of
        `outputs` (None: nothing is expected of that one), a dict by name, or the array of the only output. `labels`:
        the right class of each frame. Options are those of `cimc run`.
        """
        return self._simulate(inputs, expected, labels, progress, False, options)

    def _simulate(self, inputs: Sequence[Any], expected: Optional[Inputs], labels: Optional[Sequence[int]],
                  progress: Optional[Progress], values_only: bool, options: Dict[str, Any]) -> Simulation:
        out = ffi.new('cimc_simulation **')
        with Call(progress) as call:
            o = Options(call, options)
            o.at.needs_values = True
            o.at.no_references = values_only
            v = Values(as_inputs(inputs), self.inputs, expected, self.outputs, labels)
            call.check(lib.cimc_simulation_of_program(call.at, self._at, o.at, v.at, out))
            status = lib.cimc_simulate(call.at, out[0], self._at, o.at)
            return _finished(call, status, out[0], o, (self,))

    def check(self) -> str:
        """Proves form, progress, absence of races and, of a compiled program, its meaning; returns what was proved."""
        with Call() as call:
            return call.collect(lambda w, u: lib.cimc_check(call.at, self._at, lib.CIMC_TEXT, w, u)).decode()

    # ---- what it is ----

    @property
    def makespan_cycles(self) -> int:
        return self.info.makespan_cycles

    @property
    def seconds(self) -> float:
        """Of one frame."""
        return self.info.makespan_cycles * self.info.cycle_ps * 1e-12

    @property
    def layers(self) -> List[Layer]:
        """The base layers of a compiled program, with the first and last cycle that the schedule gives them."""
        sets = self.schedule
        n = int(sets['layer'].max()) + 1 if sets.size else 0
        start, end = np.full(n, np.iinfo('u8').max, 'u8'), np.zeros(n, 'u8')
        np.minimum.at(start, sets['layer'], sets['start'])
        np.maximum.at(end, sets['layer'], sets['end'])
        return [layer._replace(start_cycle=int(first), end_cycle=int(last))
                for layer, first, last in zip(self._all(Layer, 'cimc_layer', lib.cimc_program_layer), start, end)]

    @property
    def tiles(self) -> List[Tile]:
        return self._all(Tile, 'cimc_tile', lib.cimc_program_tile)

    def _all(self, kind: Any, struct: str, get: Any) -> List[Any]:
        found: List[Any] = []
        s = sized(struct)
        while get(self._at, len(found), s):
            found.append(_filled(kind, s))
        return found

    @property
    def schedule(self) -> np.ndarray:
        """The sets of a compiled program in order of `start`, a structured array of SCHEDULE_DTYPE."""
        n = lib.cimc_program_schedule(self._at, ffi.NULL, 0)
        sets = np.empty(n, SCHEDULE_DTYPE)
        if n:
            lib.cimc_program_schedule(self._at, ffi.from_buffer('struct cimc_set[]', sets), n)
        return sets

    @property
    def json(self) -> Dict[str, Any]:
        """What `cimc compile --json` prints."""
        return json.loads(self._printed(lib.CIMC_JSON))

    def _printed(self, form: int) -> bytes:
        with Call() as call:
            options = self._options or Options(call, {})
            return call.collect(lambda w, u: lib.cimc_print_program(call.at, self._at, form, options.at, w, u))

    # ---- files and views ----

    def save(self, path: Union[str, 'os.PathLike[str]']) -> None:
        """Writes the program file, which appears whole or not at all."""
        with Call() as call:
            call.to_file(path, lambda w, u: lib.cimc_program_write(call.at, self._at, w, u))

    def __bytes__(self) -> bytes:
        with Call() as call:
            return call.collect(lambda w, u: lib.cimc_program_write(call.at, self._at, w, u))

    def report(self, path: Union[str, 'os.PathLike[str]']) -> None:
        """Writes the report of a compiled program, one HTML page, which appears whole or not at all."""
        with Call() as call:
            options = self._options or Options(call, {})
            call.to_file(path, lambda w, u: lib.cimc_print_program(call.at, self._at, lib.CIMC_HTML, options.at, w, u))

    @property
    def findings(self) -> Dict[str, Any]:
        """What the report of a compiled program says, as data (cimc-json(5)): `verdict` with its sentences, units, bottlenecks and
        what would help by how much; the slowest path, tiles, crossbars, buffers, traffic."""
        return json.loads(self._printed(lib.CIMC_REPORT))

    def svg(self) -> str:
        """The schedule of a compiled program, drawn."""
        return self._printed(lib.CIMC_SVG).decode()

    def disassemble(self) -> str:
        """The streams as text."""
        with Call() as call:
            options = Options(call, {'inline': True})
            return call.collect(lambda w, u: lib.cimc_disassemble(call.at, self._at, options.at, w, u)).decode()

    def dump(self, path: Union[str, 'os.PathLike[str]'], **options: Any) -> None:
        """Writes the folder of `cimc dump`: memories for hardware and, with `test_data`, `input` or `input_fill`,
        golden data."""
        with Call() as call:
            o = Options(call, {**options, 'output': os.fspath(path)})
            call.check(lib.cimc_dump(call.at, self._at, o.at, ffi.NULL, ffi.NULL))

    def __repr__(self) -> str:
        i = self.info
        return '<cimc.Program of %s: %d PEs, %d cycles>' % (i.model or 'unknown', i.pes_used or i.pes, i.makespan_cycles)

    def _repr_html_(self) -> str:
        """The mapping and the schedule, as Jupyter shows them."""
        if not self.info.is_compiled:
            return '<p>%s</p>' % html.escape(repr(self))
        columns = ('name', 'pes', 'copies', 'cycles', 'start_cycle', 'end_cycle')
        rows = [''.join('<td>%s</td>' % html.escape(format(v, ',') if isinstance(v, int) else v) for v in values)
                for values in ([getattr(layer, c) for c in columns] for layer in self.layers)]
        return '<table><tr>%s</tr>%s</table>%s' % (
            ''.join('<th>%s</th>' % c.replace('_', ' ') for c in columns),
            ''.join('<tr>%s</tr>' % row for row in rows), self.svg())


def load_model(*models: Source, progress: Optional[Progress] = None, **options: Any) -> Model:
    """Reads ONNX models: paths, bytes or onnx.ModelProto; several, or a dict of names, become one program.

    Options are those that say something of the model: `dim`, `constant`, `inputs`, `outputs`, ...
    Raises CimcError, whose `diagnostics` name every node that is in the way.
    """
    sources = _Sources(models)
    out = ffi.new('cimc_model **')
    with Call(progress) as call:
        o = Options(call, options)
        call.check(lib.cimc_import(call.at, sources.at, sources.n, o.at, out))
        return Model(out[0], options, (sources,))


def compile(*models: Source, progress: Optional[Progress] = None, **options: Any) -> Program:
    """Compiles ONNX models into a program for a machine.

    Options are those of `cimc compile` with '_' for '-': `arch='mesh'`, `extra_pes=32`, `duplicate='makespan'`,
    `arch_field={'rows': 128}`. `progress(what, done, total)` is told how far long work is; False from it, or an
    exception, stops the call. `option_help()` says what each option means.
    """
    return load_model(*models, **options).compile(progress=progress)


def load(program: Source) -> Program:
    """Reads a program file, a path or its bytes. It can be run, checked and saved; layers and schedule stay with the
    program that was compiled."""
    sources = _Sources([program])
    out = ffi.new('cimc_program **')
    with Call() as call:
        call.check(lib.cimc_program_read(call.at, sources.at, out))
        return Program(out[0], None, (sources,))


def evaluate(model: Source, *inputs: Any, **options: Any) -> Any:
    """What the model says of the inputs, by the built-in evaluator: one array, or a tuple of several."""
    result = load_model(model, **options).evaluate(*inputs)
    return result.outputs[0] if len(result.outputs) == 1 else tuple(result.outputs)


def words() -> Dict[str, Any]:
    """Codes, and the fields of all words in the files of `Program.dump`: what `cimc list isa --format json` prints."""
    with Call() as call:
        return json.loads(call.collect(lambda w, u: lib.cimc_print_table(call.at, b'isa', lib.CIMC_JSON, w, u)))
