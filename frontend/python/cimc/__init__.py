# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""cimc: ONNX models on compute-in-memory chips, over the library libcimc.

    import cimc
    program = cimc.compile('model.onnx', extra_pes=32)
    program.makespan_cycles         # cycles of one image
    program.schedule                # numpy structured array: which PEs work on what, when
    program.run(image)              # simulated; numpy in, numpy out
    program.report('report.html')

Each call has a context of its own, so calls may run in several threads at once; while the library works other Python
threads go on. What is in the way of a call is a CimcError, whose `diagnostics` have code, file and place.
"""
from ._arrays import Port
from ._library import (Cancelled, CimcError, CimcWarning, Diagnostic, InternalError, MismatchError, UsageError, lib as
                       _lib, text as _text)
from ._options import option_help
from ._program import SCHEDULE_DTYPE, Info, Layer, Model, Program, Tile, compile, evaluate, load, load_model, words
from ._simulation import Difference, Simulation

__version__ = _text(_lib.cimc_version())
__all__ = ['Cancelled', 'CimcError', 'CimcWarning', 'Diagnostic', 'Difference', 'Info', 'InternalError', 'Layer',
           'MismatchError', 'Model', 'Port', 'Program', 'SCHEDULE_DTYPE', 'Simulation', 'Tile', 'UsageError', 'compile',
           'evaluate', 'load', 'load_model', 'option_help', 'words']
