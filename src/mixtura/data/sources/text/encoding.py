"""Encoding of text files: a check at the start, and the place of the first byte that is not UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

from mixtura.exceptions import TableError

__all__ = ["check_text", "check_utf8"]

_CHUNK = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_UNPACK = "Unpack it, or compress the table itself, as .csv.gz or .csv.zst."
_PACKED = {
    b"PK\x03\x04": ("a ZIP archive", _UNPACK),
    b"BZh": ("compressed by bzip2", _UNPACK),
    b"\xfd7zXZ\0": ("compressed by xz", _UNPACK),
    b"7z\xbc\xaf": ("a 7z archive", _UNPACK),
    b"\x1f\x8b": ("compressed by gzip", "Give it a suffix that ends in .gz."),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", "Give it a suffix that ends in .zst."),
}
"""How compressed files begin, and what helps."""


def check_text(path: Path) -> None:
    """Look at the beginning of a file.

    Raises
    ------
    TableError
        It is binary or UTF-16.
    """
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    if start.startswith(_UTF16):
        raise TableError(_not_utf8(path, "it is UTF-16", "UTF-16"))
    for magic, (what, remedy) in _PACKED.items():
        if start.startswith(magic):
            if b"[Content_Types].xml" in start:
                what, remedy = "an Excel workbook", "Give it the suffix .xlsx."
            raise TableError(f"{str(path)!r} is {what}, not a table as text. {remedy}")
    if b"\0" in start:
        raise TableError(
            f"{str(path)!r} is a binary file, not a table. Required: CSV, TSV, Parquet, JSON or Excel, with the suffix "
            "that says which. Export it as CSV (UTF-8)."
        )


def check_utf8(path: Path) -> None:
    """Read through the file once, without keeping it.

    Raises
    ------
    TableError
        Some bytes are not UTF-8; the message names the line.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                byte = error.object[error.start]
                raise TableError(_not_utf8(path, f"byte 0x{byte:02X} in line {line}", "LATIN1")) from error
            line += chunk.count(b"\n")


def _not_utf8(path: Path, what: str, encoding: str) -> str:
    return (
        f"{str(path)!r} is not UTF-8: {what}. Tables are read as UTF-8. Save it as 'CSV UTF-8' in the spreadsheet, "
        f"or convert it: iconv -f {encoding} -t UTF-8 {path.name} > {path.stem}-utf8{path.suffix}"
    )
