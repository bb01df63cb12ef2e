"""The weight variable that an SPSS file declares, which its readers leave out: from the header of the file.

PSPP's developer guide describes both formats, "System File Format" and "Portable File Format". In a system file the
fixed header has at byte 76 the place of the variable among the records of the dictionary, from 1, 0 for none, where a
long text takes several places; names of more than eight letters are listed further on. In a portable file a record
before the variables names it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

__all__ = ["declared_weight"]

_WEIGHT_PLACE, _LAYOUT_PLACE, _HEADER = 76, 64, 176
_VARIABLE, _LABELS, _OF_LABELS, _DOCUMENT, _EXTENSION = _RECORDS = 2, 3, 4, 6, 7
_UNIT = {_OF_LABELS: 4, _DOCUMENT: 80}
"""Bytes for each entry of the records that are skipped."""
_LONG_NAMES = 13

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRST"
"""Of base 30, in which portable files write numbers."""
_PREAMBLE = 464
"""Characters of a portable file before its first number: splash strings, table of characters, signature, version."""
_TEXTS = "123"
"""Records of a portable file that hold a text: product, author, subproduct."""


def declared_weight(path: Path) -> str | None:
    """Return the name of the weight variable of a ``.sav``, ``.zsav`` or ``.por`` file; None where there is none.

    Parameters
    ----------
    path : Path
        A file that is known to be readable.
    """
    if path.suffix.lower() == ".por":
        return _of_portable(path)
    with path.open("rb") as file:
        return _of_system_file(file)


def _of_system_file(file: BinaryIO) -> str | None:
    header = file.read(_HEADER)
    order = "<" if header[_LAYOUT_PLACE : _LAYOUT_PLACE + 4] in (b"\2\0\0\0", b"\3\0\0\0") else ">"
    place = struct.unpack_from(f"{order}i", header, _WEIGHT_PLACE)[0]
    if place <= 0:
        return None
    names, long_names = _dictionary(file, order)
    return long_names.get(names[place - 1], names[place - 1]) if place <= len(names) else None


def _dictionary(file: BinaryIO, order: str) -> tuple[list[str], dict[str, str]]:
    """Return the short name at each place of the dictionary, and long names by short ones."""
    names: list[str] = []
    long_names: dict[str, str] = {}
    while (kind := _whole(file, order)[0]) in _RECORDS:
        if kind == _VARIABLE:
            names.append(_variable(file, order))
        elif kind == _LABELS:
            for _ in range(_whole(file, order)[0]):
                file.seek(8, 1)
                file.seek((1 + file.read(1)[0] + 7) // 8 * 8 - 1, 1)
        elif kind == _EXTENSION:
            subtype, size, count = _whole(file, order, 3)
            content = file.read(size * count)
            if subtype == _LONG_NAMES:
                pairs = _text(content).split("\t")
                long_names = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        else:
            file.seek(_UNIT[kind] * _whole(file, order)[0], 1)
    return names, long_names


def _variable(file: BinaryIO, order: str) -> str:
    """Return the short name of a variable, and leave its record behind."""
    _, has_label, n_missing, _, _ = _whole(file, order, 5)
    name = _text(file.read(8))
    if has_label:
        file.seek(-(-_whole(file, order)[0] // 4) * 4, 1)
    file.seek(8 * abs(n_missing), 1)
    return name


def _whole(file: BinaryIO, order: str, count: int = 1) -> tuple[int, ...]:
    return struct.unpack(f"{order}{count}i", file.read(4 * count))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").rstrip()


def _of_portable(path: Path) -> str | None:
    # Lines of eighty characters, of which the ends may be cut off.
    lines = path.read_text(encoding="latin-1")[: 1 << 16].splitlines()
    text = "".join(line.ljust(80) for line in lines)
    place = _PREAMBLE + 1
    for _ in ("date", "time"):
        _, place = _string(text, place)
    while place < len(text):
        tag, place = text[place], place + 1
        if tag == "6":
            return _string(text, place)[0] or None
        if tag in _TEXTS:
            _, place = _string(text, place)
        elif tag in "45":
            _, place = _number(text, place)
        else:
            return None
    return None


def _number(text: str, place: int) -> tuple[int, int]:
    end = text.index("/", place)
    value = 0
    for digit in text[place:end].strip():
        value = 30 * value + _DIGITS.index(digit)
    return value, end + 1


def _string(text: str, place: int) -> tuple[str, int]:
    length, start = _number(text, place)
    return text[start : start + length], start + length
