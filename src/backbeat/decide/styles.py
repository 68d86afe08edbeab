# SPDX-License-Identifier: Apache-2.0
"""Styles as data: the built-in ones are TOML files of this package; anybody's own is read the same way."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from importlib import resources
from typing import Any

from backbeat.errors import InputError
from backbeat.model.plan import Style

_KNOWN = {f.name: f for f in dataclasses.fields(Style)}
_SHARES = ("quiet", "middle", "loud")


def names() -> list[str]:
    """Return the names of the built-in styles, sorted."""
    folder = resources.files("backbeat.decide") / "data"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def builtin(name: str) -> Style:
    """Return the built-in style `name`.

    Raises
    ------
    InputError
        If there is none.
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}, or a TOML file"
        raise InputError(f"no style called {name!r}", hint)
    text = (resources.files("backbeat.decide") / "data" / f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, f"{name}.toml")


def parse(text: str, where: str = "the style") -> Style:
    """Read a style from TOML `text`; `where` names it in errors. Shares are scaled to sum to 1.

    Raises
    ------
    InputError
        If it is no TOML, has unknown keys, or numbers out of range.
    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{where} is not TOML: {error}", "compare it with a built-in: backbeat style show wright"
        ) from None
    for key in plain:
        if key not in _KNOWN:
            near = difflib.get_close_matches(key, list(_KNOWN), 1)
            raise InputError(f"{where}: unknown key {key!r}", f"did you mean {near[0]}?" if near else "leave it out")
    values = {key: _value(key, value, where) for key, value in plain.items()}
    values.setdefault("name", where.removesuffix(".toml"))
    style = Style(**values)
    return _checked(style, where)


def _value(key: str, value: Any, where: str) -> Any:
    default = _KNOWN[key].default
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(v, (int, float)) for v in value):
            raise InputError(f"{where}: {key} must be a list of numbers", "for example [1, 2, 4, 8, 16]")
        return tuple(float(v) for v in value)
    if key in {"name", "order"}:
        if not isinstance(value, str):
            raise InputError(f"{where}: {key} must be text", 'put it in quotes: "…"')
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{where}: {key} must be a number", f"the usual is {default}")
    return int(value) if isinstance(default, int) else float(value)


def _checked(style: Style, where: str) -> Style:
    if (
        not style.lengths
        or any(not 0.25 <= n <= 64 for n in style.lengths)
        or list(style.lengths) != sorted(set(style.lengths))
    ):
        raise InputError(
            f"{where}: lengths must rise from at least 0.25 to at most 64 beats", "for example [1, 2, 4, 8]"
        )
    scaled: dict[str, Any] = {}
    for key in _SHARES:
        shares = getattr(style, key)
        if len(shares) != len(style.lengths):
            raise InputError(
                f"{where}: {key} has {len(shares)} shares for {len(style.lengths)} lengths", "give one share a length"
            )
        if min(shares) < 0 or not sum(shares) > 0:
            raise InputError(f"{where}: the shares of {key} must be 0 or more and not all 0", "they are scaled to 1")
        scaled[key] = tuple(s / sum(shares) for s in shares)
    low, high = style.speed if len(style.speed) == 2 else (0.0, 0.0)
    if not 0.5 <= low <= 1 <= high <= 2:
        raise InputError(f"{where}: speed must be a low and a high factor about 1", "for example [0.9, 1.1]")
    if len(style.cut_class) != 4:
        raise InputError(
            f"{where}: cut_class has four weights: section, downbeat, beat, half-beat", "give four numbers"
        )
    if style.burst_length < 0 or 0 < style.burst_length < 1:
        raise InputError(f"{where}: burst_length must be 0 or at least 1 shot", "3 is usual where quick shots gather")
    if style.hits_per_phrase < 0:
        raise InputError(f"{where}: hits_per_phrase must be 0 or more", "0 sets no cap")
    if not 0 <= style.lead_frames <= 6:
        raise InputError(f"{where}: lead_frames must lie between 0 and 6", "editors like 0 to 2")
    return dataclasses.replace(style, **scaled)


def dump(style: Style, remark: str = "") -> str:
    """Return `style` as TOML that `parse` reads back, with `remark` as a leading comment."""
    lines = [f"# {line}" for line in remark.splitlines()]
    for key in _KNOWN:
        value = getattr(style, key)
        if isinstance(value, tuple):
            lines.append(f"{key} = [{', '.join(f'{v:.6g}' for v in value)}]")
        elif isinstance(value, str):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{key} = "{escaped}"')
        else:
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"
