# SPDX-License-Identifier: Apache-2.0
"""Dataclasses to and from plain JSON values, by their type hints. Fractions are written "n/d"."""

from __future__ import annotations

import dataclasses
import types
import typing
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

SCHEMA = 1
T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Return `value` as dicts, lists, strings and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, (tuple, list)):
        return [to_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): to_plain(v) for k, v in value.items()}
    if hasattr(value, "item"):  # a numpy scalar
        return value.item()
    return value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def from_plain(cls: type[T], plain: Any) -> T:
    """Return a `cls` from what `to_plain` gave; unknown keys are ignored, missing ones take their defaults.

    Raises
    ------
    TypeError, ValueError, KeyError
        If `plain` does not fit.
    """
    return typing.cast("T", _read(cls, plain))


def _read(hint: Any, plain: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        inner = [a for a in args if a is not type(None)]
        return None if plain is None else _read(inner[0], plain)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_read(args[0], v) for v in plain)
        return tuple(_read(a, v) for a, v in zip(args, plain, strict=True))
    if origin is dict:
        return {_read(args[0], k): _read(args[1], v) for k, v in plain.items()}
    if hint is Fraction:
        return Fraction(plain)
    if dataclasses.is_dataclass(hint):
        hints = _hints(typing.cast("type", hint))
        return typing.cast("type", hint)(**{k: _read(hints[k], v) for k, v in plain.items() if k in hints})
    if hint is float:
        return float(plain)
    return plain
