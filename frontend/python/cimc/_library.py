# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The shared library, and calls of it: each in a context of its own, whose diagnostics become exceptions and warnings."""
from __future__ import annotations

import os
import warnings
from typing import Any, Callable, List, NamedTuple, Optional

from ._binding import ffi


def _open() -> Any:
    """CIMC_LIBRARY, else the library of the build tree that this package lies in, else the system's."""
    told = os.environ.get('CIMC_LIBRARY')
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'cimc', 'libcimc.so.0')
    return ffi.dlopen(told or (beside if os.path.exists(beside) else 'libcimc.so.0'))


lib = _open()


class Diagnostic(NamedTuple):
    """One message. `code` is stable (`cimc list codes`); what does not apply is None or 0."""
    severity: str
    code: str
    file: Optional[str]
    line: int
    column: int
    entity: Optional[str]
    text: str

    def __str__(self) -> str:
        place = self.file or ''
        if self.line:
            place += ':%d:%d' % (self.line, self.column)
        parts = [part for part in (place, self.entity) if part]
        return '%s [%s]' % (': '.join(parts + [self.severity, self.text]), self.code)


class CimcError(Exception):
    """The model, a file or the machine stands in the way. `diagnostics` says what, each by itself."""

    def __init__(self, message: str, diagnostics: List[Diagnostic]):
        super().__init__(message)
        self.diagnostics = diagnostics


class UsageError(CimcError, ValueError):
    """An option, an argument or a combination of them is wrong."""


class MismatchError(CimcError):
    """Results differ from what is expected. `simulation` has them."""

    simulation: Any = None


class Cancelled(CimcError):
    """The progress function asked to stop."""


class InternalError(CimcError):
    """A mistake of the library."""


class CimcWarning(UserWarning):
    """What the library warns of."""


_SEVERITIES = ('error', 'warning', 'note')
Progress = Callable[[str, int, int], Optional[bool]]


def text(pointer: Any) -> str:
    return ffi.string(pointer).decode('utf-8', 'replace') if pointer else ''


def encoded(value: Any) -> bytes:
    """A text or path as the library takes it."""
    told = os.fsencode(value if isinstance(value, (str, bytes, os.PathLike)) else str(value))
    if b'\0' in told:    # the library would take what is in front of it
        raise ValueError('a text with a null character: %r' % (value,))
    return told


class Call:
    """`with Call() as c: c.check(lib.cimc_...(c.at, ...))`. Warnings are told at its end."""

    def __init__(self, progress: Optional[Progress] = None):
        self.at = ffi.gc(lib.cimc_context_new(), lib.cimc_context_free)
        if not self.at:
            raise MemoryError('no memory for a context')
        self._raised: Optional[BaseException] = None
        self._callbacks: List[Any] = []
        # Also without a function: Python handles an interrupt only where Python code runs.
        self._watch(progress or (lambda what, done, total: None))

    def __enter__(self) -> 'Call':
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        lib.cimc_set_progress(self.at, ffi.NULL, ffi.NULL)
        self._callbacks.clear()    # which hold self
        if kind is not None:
            return
        for d in self.diagnostics():
            if d.severity == 'warning':
                warnings.warn(str(d), CimcWarning, stacklevel=4)

    def _watch(self, progress: Progress) -> None:
        def raised(kind: Any, error: BaseException, trace: Any) -> None:
            self._raised = error

        def tell(_: Any, what: Any, done: int, total: int) -> bool:
            return progress(text(what), done, total) is not False

        callback = ffi.callback('cimc_progress_fn', tell, error=False, onerror=raised)
        self._callbacks.append(callback)
        lib.cimc_set_progress(self.at, callback, ffi.NULL)

    def diagnostics(self) -> List[Diagnostic]:
        found = []
        d = ffi.new('struct cimc_diagnostic *', {'size': ffi.sizeof('struct cimc_diagnostic')})
        for i in range(lib.cimc_diagnostic_count(self.at)):
            lib.cimc_diagnostic_at(self.at, i, d)
            found.append(Diagnostic(_SEVERITIES[d.severity], text(d.code), text(d.file) or None, d.line, d.column,
                                    text(d.entity) or None, text(d.text)))
        return found

    def check(self, status: int) -> None:
        """Raises what the status and the diagnostics say."""
        if self._raised:
            raise self._raised
        if status == lib.CIMC_OK:
            return
        if status == lib.CIMC_NO_MEMORY:
            raise MemoryError('cimc: out of memory')
        found = self.diagnostics()
        errors = [d for d in found if d.severity == 'error']
        kind = {lib.CIMC_WRONG_USAGE: UsageError, lib.CIMC_CANCELLED: Cancelled,
                lib.CIMC_INTERNAL: InternalError}.get(status, CimcError)
        if kind is CimcError and errors and all(d.code == 'mismatch' for d in errors):
            kind = MismatchError
        told = '\n'.join(str(d) for d in errors) or text(lib.cimc_failure(self.at))
        raise kind(told or ('cancelled' if kind is Cancelled else 'status %d' % status), found)

    def collect(self, print_to: Callable[[Any, Any], int]) -> bytes:
        """What a function prints to its write function and `user`."""
        parts: List[bytes] = []

        @ffi.callback('cimc_write_fn', error=False)
        def write(_: Any, at: Any, n: int) -> bool:
            parts.append(ffi.buffer(at, n)[:])
            return True

        self.check(print_to(write, ffi.NULL))
        return b''.join(parts)

    def to_file(self, path: Any, print_to: Callable[[Any, Any], int]) -> None:
        """The same, as a file that appears whole or not at all."""
        out = ffi.new('cimc_output **')
        self.check(lib.cimc_output_open(self.at, encoded(path), out))
        try:
            self.check(print_to(ffi.addressof(lib, 'cimc_output_write'), out[0]))
        except BaseException:
            lib.cimc_output_discard(self.at, out[0])
            raise
        self.check(lib.cimc_output_commit(self.at, out[0]))


def sized(name: str) -> Any:
    """A structure of this type, with its size set."""
    return ffi.new('struct %s *' % name, {'size': ffi.sizeof('struct ' + name)})
