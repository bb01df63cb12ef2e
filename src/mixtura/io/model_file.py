"""Model files and files of statistics: numbered formats, readable text, every float exact, checked. Never pickle.

A file is JSON. Floats are written as the shortest text that reads back as the same float64. The
checksum is SHA-256 over the content without it, keys sorted and without spaces, so that a changed digit
is noticed and changed line breaks are not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mixtura._optional import require_extra
from mixtura.exceptions import ModelFileError

if TYPE_CHECKING:
    from mixtura.io.model_schema import Document
    from mixtura.io.schema.statistics_schema import StatisticsDocument

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "dump_document",
    "dump_statistics",
    "read_document",
    "read_statistics_document",
    "readable_json",
]

FORMAT = "mixtura-model"
FORMAT_VERSION = 4
"""The newest; a model without what it says is written in an earlier one, which older versions read."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A format: its name and newest version, what it is, and what to do without a sound file of it."""

    name: str
    version: int
    what: str
    needed: str
    again: str


_MODEL = _Kind(FORMAT, FORMAT_VERSION, "model", "model.json", "mixtura segment TABLE")
_STATISTICS = _Kind(
    "mixtura-statistics",
    1,
    "file of statistics",
    "file of statistics",
    "mixtura update MODEL TABLE, with `statistics`",
)


def dump_document(content: dict[str, Any]) -> str:
    """Return the text of a model file.

    Parameters
    ----------
    content : dict
        What `mixtura.io.model_schema.Document` describes, without format, version and checksum.
    """
    newest = not {"groups", "reference", "robust", "statistics"}.isdisjoint(content)
    version = FORMAT_VERSION if newest else 3 if "discrete" in content else 2
    content = {"format": FORMAT, "format_version": version} | content
    checked = content | {"checksum": _checksum(content)}
    _validate(checked, "the model")
    return readable_json(checked)


def read_document(path: str | Path) -> Document:
    """Read a model file and check all of it.

    Raises
    ------
    ModelFileError
        It is missing, truncated, altered, of a newer format, or not consistent.
    """
    content = _checked(Path(path), _MODEL)
    return _validate(content, repr(str(path)))


def dump_statistics(content: dict[str, Any]) -> str:
    """Return the text of a file of statistics.

    Parameters
    ----------
    content : dict
        What `mixtura.io.schema.statistics_schema.StatisticsDocument` describes, without format, version and checksum.
    """
    content = {"format": _STATISTICS.name, "format_version": _STATISTICS.version} | content
    checked = content | {"checksum": _checksum(content)}
    _validate_statistics(checked, "the file of statistics")
    return readable_json(checked)


def read_statistics_document(path: str | Path) -> StatisticsDocument:
    """Read a file of statistics and check all of it.

    Raises
    ------
    ModelFileError
        It is missing, truncated, altered, of a newer format, or not consistent.
    """
    return _validate_statistics(_checked(Path(path), _STATISTICS), repr(str(path)))


def _checked(path: Path, kind: _Kind) -> dict[str, Any]:
    """Return the content of a file of a format as it was written."""
    name, again = repr(str(path)), f"Write it again with: {kind.again}"
    content = _parse(_read(path, name, kind), name, kind)
    if not isinstance(content, dict) or content.get("format") != kind.name:
        raise ModelFileError(
            f"{name} is not a {kind.what} of mixtura. A {kind.needed} that mixtura wrote is required. {again}"
        )
    version = content.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise ModelFileError(
            f"{name} has format_version {version!r}. A number from 1 to {kind.version} is required. {again}"
        )
    if version > kind.version:
        raise ModelFileError(
            f"{name} has format {version!r}, written by mixtura {content.get('mixtura_version')!r}. This version reads "
            f"formats up to {kind.version}. Upgrade: pip install --upgrade mixtura"
        )
    without = {key: value for key, value in content.items() if key != "checksum"}
    if content.get("checksum") != _checksum(without):
        raise ModelFileError(
            f"{name} was altered: its content does not fit its checksum. A file as it was written is required. "
            f"Restore it, or w{again[1:]}"
        )
    return content


def readable_json(content: Any) -> str:
    """Return JSON with one line per row of numbers; NaN and infinities are refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    # A line break is never inside a JSON string, so only lists are joined.
    return (
        re.sub(
            r"\[\n\s+([^\[\]{}]*?)\n\s+\]",
            lambda match: "[" + re.sub(r",\n\s+", ", ", match[1]) + "]",
            text,
        )
        + "\n"
    )


def _read(path: Path, name: str, kind: _Kind) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModelFileError(
            f"There is no file {name}. A {kind.needed} is required. Check the path, or write one: {kind.again}"
        ) from error
    except OSError as error:
        raise ModelFileError(
            f"{name} cannot be read ({error.strerror}). A {kind.needed} is required."
        ) from error
    except UnicodeDecodeError as error:
        raise ModelFileError(
            f"{name} is not text. A {kind.needed} is required; mixtura reads no pickles. Write it again with: "
            f"{kind.again}"
        ) from error


def _parse(text: str, name: str, kind: _Kind) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{name} is truncated or not JSON ({error}). A whole {kind.needed} is required. Write it again with: "
            f"{kind.again}"
        ) from error


def _checksum(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _validate(content: dict[str, Any], name: str) -> Document:
    with _checking(name, _MODEL):
        from mixtura.io.model_schema import Document, upgraded

        return Document.model_validate(upgraded(content))


def _validate_statistics(content: dict[str, Any], name: str) -> StatisticsDocument:
    with _checking(name, _STATISTICS):
        from mixtura.io.schema.statistics_schema import StatisticsDocument

        return StatisticsDocument.model_validate(content)


@contextmanager
def _checking(name: str, kind: _Kind) -> Iterator[None]:
    """Raise what pydantic finds as an error of the file."""
    with require_extra("pydantic", extra="score", purpose="read and write model files"):
        from pydantic import ValidationError
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"{where}: {first['msg']}" if where else first["msg"]
        again = f"Write it again with: {kind.again}"
        raise ModelFileError(f"{name} is not a valid {kind.what} ({why}). {again}") from error
