# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""numpy arrays as the library's arrays, and back: the elements are not copied."""
from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ._library import ffi, lib, sized, text

# In the order of enum cimc_dtype.
DTYPES = tuple(np.dtype(name) for name in ('<f4', '<f2', '<f8', 'u1', 'i1', '<i4', '<i8', '?'))
Inputs = Union[Sequence[Any], Mapping[str, Any]]


class Port(NamedTuple):
    """An input or output, of one frame. `dtype` is None where nobody reads it."""
    name: str
    dtype: Optional[np.dtype]
    shape: Tuple[int, ...]
    is_state: bool
    images: int
    scale: float
    step: float


def ports(get: Any, owner: Any) -> List[Port]:
    """All that `get(owner, i, out)` tells."""
    found: List[Port] = []
    p = sized('cimc_port')
    while get(owner, len(found), p):
        found.append(Port(text(p.name), DTYPES[p.dtype] if p.known else None, tuple(p.dims[0:p.rank]), p.is_state,
                          p.images, p.scale, p.step))
    return found


def _by_index(given: Inputs, known: Sequence[Port], what: str) -> List[Any]:
    if isinstance(given, np.ndarray):
        if len(known) != 1:
            raise TypeError('one array, and there are %d %ss: a list or a dict says which it is' % (len(known), what))
        return [given]
    if not isinstance(given, Mapping):
        return list(given)
    names = [port.name for port in known]
    for name in given:
        if name not in names:
            raise KeyError('there is no %s %r; there are %s' % (what, name, ', '.join(map(repr, names))))
    return [given.get(name) for name in names]


class Arrays:
    """A C array of struct cimc_array that views numpy arrays, which it keeps alive."""

    def __init__(self, given: Inputs, known: Sequence[Port], what: str):
        values = _by_index(given, known, what)
        self.n = len(values)
        self.at = ffi.new('struct cimc_array[]', self.n) if self.n else ffi.NULL
        self._kept: List[Any] = []
        for i, value in enumerate(values):
            if value is not None:
                self._view(self.at[i], value)
            else:
                self.at[i].size = ffi.sizeof('struct cimc_array')

    def _view(self, to: Any, value: Any) -> None:
        a = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
        a = a.astype(a.dtype.newbyteorder('<'), copy=False)
        if a.dtype not in DTYPES:
            raise TypeError('elements of type %s are not taken; one of %s is' % (a.dtype, ', '.join(map(str, DTYPES))))
        if a.ndim > lib.CIMC_MOST_DIMS:
            raise ValueError('an array of %d dimensions; the most are %d' % (a.ndim, lib.CIMC_MOST_DIMS))
        buffer = ffi.from_buffer(a if a.size else b'\0')    # NULL would be: not given
        self._kept += [a, buffer]
        to.size = ffi.sizeof('struct cimc_array')
        to.dtype = DTYPES.index(a.dtype)
        to.rank = a.ndim
        to.dims[0:a.ndim] = a.shape
        to.data = ffi.cast('void *', buffer)
        to.n_bytes = a.nbytes


class _Owned:
    """The elements of a library's array, which live as long as their owner."""

    def __init__(self, array: Any, owner: Any):
        self.owner = owner
        self.__array_interface__ = {
            'version': 3, 'typestr': DTYPES[array.dtype].str, 'shape': tuple(array.dims[0:array.rank]),
            'data': (int(ffi.cast('uintptr_t', array.data)), False)}


def viewed(array: Any, owner: Any) -> np.ndarray:
    """A numpy array on the library's memory; `owner` stays alive with it."""
    return np.asarray(_Owned(array, owner))
