# SPDX-License-Identifier: Apache-2.0
"""The compiled inner loops (``kernel/*.c``), as a WebAssembly module: small, and the same on every machine.

WebAssembly fixes every result of floating point to the last bit, and a module reaches nothing but its own memory. It
loads in a few hundredths of a second, on the first run as on any other.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import weakref
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

PAGE = 65_536
ALIGNED = 16

_stores: weakref.WeakSet[Any] = weakref.WeakSet()


@functools.cache
def _module() -> tuple[Any, Any]:
    import wasmtime

    code = (resources.files("backbeat.decide") / "data" / "kernel.wasm").read_bytes()
    engine = wasmtime.Engine()
    atexit.register(_close)
    return engine, wasmtime.Module(engine, code)


def _close() -> None:
    """Free what the module holds while the interpreter is still whole; its own finalisers may come too late."""
    for store in list(_stores):
        store.close()
    engine, module = _module()
    module.close()
    engine.close()


class Kernel:
    """One instance of the module, with arrays laid into its memory one behind another. Addresses are plain numbers."""

    def __init__(self) -> None:
        import wasmtime

        engine, module = _module()
        self._store = wasmtime.Store(engine)
        _stores.add(self._store)
        self._exports: Any = wasmtime.Instance(self._store, module, []).exports(self._store)
        memory: Any = self._exports["memory"]
        self._memory = memory
        self._end: int = self._memory.size(self._store) * PAGE

    def room(self, count: int, dtype: DTypeLike) -> int:
        """Return the address of room for `count` numbers: zeros, but where room was given back before."""
        at: int = -(-self._end // ALIGNED) * ALIGNED
        self._end = at + count * np.dtype(dtype).itemsize
        missing = self._end - self._memory.size(self._store) * PAGE
        if missing > 0:
            self._memory.grow(self._store, -(-missing // PAGE))
        return at

    def mark(self) -> int:
        """Return a mark up to which `release` gives room back."""
        return self._end

    def release(self, mark: int) -> None:
        """Give back all room that was asked for since `mark` was taken."""
        self._end = mark

    def put(self, values: ArrayLike, dtype: DTypeLike) -> int:
        """Return the address of a copy of `values`."""
        array = np.ascontiguousarray(values, dtype)
        at = self.room(array.size, dtype)
        self.write(at, array)
        return at

    def write(self, at: int, array: NDArray[Any]) -> None:
        """Copy `array` to address `at`."""
        self._view(at, array.nbytes)[:] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)

    def read(self, at: int, count: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return a copy of `count` numbers from address `at`."""
        return self._view(at, count * np.dtype(dtype).itemsize).copy().view(dtype)

    def _view(self, at: int, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes of the memory itself, valid until it next grows."""
        if at < 0 or at + size > self._memory.size(self._store) * PAGE:
            raise ValueError("outside of the kernel's memory")
        base = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        return np.frombuffer(memoryview((ctypes.c_ubyte * size).from_address(base + at)), np.uint8)

    def call(self, name: str, *arguments: float) -> int:
        """Return what the function `name` of the module answers, 0 if it is nothing."""
        return int(self._exports[name](self._store, *arguments) or 0)
