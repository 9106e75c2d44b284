# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""Keyword arguments as options: the names of the command line with '_' for '-'."""
from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping

from ._library import Call, UsageError, encoded, ffi, lib, text


def _words(value: Any) -> List[Any]:
    """A value as the words that the command line would have."""
    if isinstance(value, Mapping):
        return ['%s=%s' % (k, os.fspath(v) if isinstance(v, os.PathLike) else v) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]


class Options:
    """The library's struct cimc_options, from keyword arguments. None is 'not given'."""

    def __init__(self, call: Call, given: Mapping[str, Any]):
        self.at = ffi.new('struct cimc_options *')
        lib.cimc_options_init(self.at, ffi.sizeof('struct cimc_options'))
        self.at = ffi.gc(self.at, lib.cimc_options_free)
        for name, value in given.items():
            self._set(call, name, value)

    def _set(self, call: Call, name: str, value: Any) -> None:
        info = lib.cimc_option_find(encoded(name))
        if not info:
            call.check(lib.cimc_options_set(call.at, self.at, encoded(name), b''))
        if value is None:
            return
        if info.kind == lib.CIMC_OPTION_FLAG:
            value = 'true' if value else 'false'
        words = _words(value) if info.kind == lib.CIMC_OPTION_LIST else [value]
        if info.kind == lib.CIMC_OPTION_TEXT and isinstance(value, (list, tuple, Mapping)):
            words = [','.join(str(word) for word in _words(value))]
        for word in words:
            call.check(lib.cimc_options_put(call.at, self.at, info, encoded(word)))


def option_help() -> Dict[str, str]:
    """What each keyword argument of `compile`, `run` and the others means."""
    found: Dict[str, str] = {}
    i = 0
    while True:
        info = lib.cimc_option_at(i)
        if not info:
            return found
        found.setdefault(text(info.name).replace('-', '_'), text(info.help))
        i += 1


__all__ = ['Options', 'UsageError', 'option_help']
