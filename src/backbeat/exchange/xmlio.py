# SPDX-License-Identifier: Apache-2.0
"""XML in and out. Files from elsewhere are hostile: no entity is ever expanded, nothing outside is fetched."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, TreeBuilder, indent, tostring
from xml.parsers import expat

from backbeat.errors import InputError

_DEEPEST, _LARGEST = 200, 512 * 1024 * 1024
# XML 1.0 has no way to write these, not even escaped.
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return `text` without the characters that XML cannot carry."""
    return _UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def add(parent: Element, tag: str, text: object = None, **attributes: object) -> Element:
    """Append an element; attributes that are None are left out, a trailing ``_`` is dropped (``in_``)."""
    known = {k.rstrip("_"): clean(str(v)) for k, v in attributes.items() if v is not None}
    element = SubElement(parent, tag, known)
    if text is not None:
        element.text = clean(str(text))
    return element


def write(root: Element, doctype: str = "") -> bytes:
    """Return the document, indented, with its declaration."""
    indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' + (f"<!DOCTYPE {doctype}>\n" if doctype else "")
    # As text first: written as bytes at once, every tag would pass the codec on its own.
    body: str = tostring(root, encoding="unicode")
    return f"{head}{body}\n".encode()


class _RefusedError(Exception):
    pass


def read(path: str | Path) -> Element:
    """Return the root of the document at `path`.

    Raises
    ------
    InputError
        If it is missing, no XML, over 512 MiB, nested over 200 deep, or declares entities.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file", "check the name")
    if path.stat().st_size > _LARGEST:
        raise InputError(f"{path}: larger than any edit", "export the sequence alone")
    try:
        return parse(path.read_bytes())
    except _RefusedError as error:
        raise InputError(f"{path}: refused, {error}", "export it again from the program that made it") from error
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise InputError(f"{path}: no whole XML file ({error})", "export it again, or copy it again") from error


def parse(data: bytes) -> Element:
    """Return the root of `data`; a document type may be named, but may declare nothing."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise _RefusedError(f"it is nested more than {_DEEPEST} deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def entity(*_: object) -> None:
        raise _RefusedError("it declares XML entities")

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = entity
    parser.UnparsedEntityDeclHandler = entity
    parser.ExternalEntityRefHandler = lambda *_: 0
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.Parse(data, True)
    return builder.close()


def text(parent: Element | None, path: str, default: str = "") -> str:
    """Return the text of the element at `path` under `parent`, stripped."""
    found = parent.find(path) if parent is not None else None
    return (found.text or "").strip() if found is not None else default
