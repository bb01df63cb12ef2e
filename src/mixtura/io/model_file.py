"""Model files: numbered format, readable text, every float exact, checked when read. Never pickle.

A file is JSON. Floats are written as the shortest text that reads back as the same float64. The
checksum is SHA-256 over the content without it, keys sorted and without spaces, so that a changed digit
is noticed and changed line breaks are not.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mixtura._optional import require_extra
from mixtura.exceptions import ModelFileError

if TYPE_CHECKING:
    from mixtura.io.model_schema import Document

__all__ = ["FORMAT", "FORMAT_VERSION", "dump_document", "read_document", "readable_json"]

FORMAT = "mixtura-model"
FORMAT_VERSION = 4
"""The newest; a model without what it says is written in an earlier one, which older versions read."""

_TRY = "Write it again with: mixtura segment TABLE"


def dump_document(content: dict[str, Any]) -> str:
    """Return the text of a model file.

    Parameters
    ----------
    content : dict
        What `mixtura.io.model_schema.Document` describes, without format, version and checksum.
    """
    newest = "reference" in content or "robust" in content
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
    path = Path(path)
    name = repr(str(path))
    content = _parse(_read(path, name), name)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelFileError(
            f"{name} is not a model of mixtura. A model.json that mixtura wrote is required. {_TRY}"
        )
    version = content.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise ModelFileError(
            f"{name} has format_version {version!r}. A number from 1 to {FORMAT_VERSION} is required. {_TRY}"
        )
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{name} has format {version!r}, written by mixtura {content.get('mixtura_version')!r}. This version reads "
            f"formats up to {FORMAT_VERSION}. Upgrade: pip install --upgrade mixtura"
        )
    without = {key: value for key, value in content.items() if key != "checksum"}
    if content.get("checksum") != _checksum(without):
        raise ModelFileError(
            f"{name} was altered: its content does not fit its checksum. A file as it was written is required. "
            f"Restore it, or w{_TRY[1:]}"
        )
    return _validate(content, name)


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


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModelFileError(
            f"There is no file {name}. A model.json is required. Check the path, or write one: mixtura segment TABLE"
        ) from error
    except OSError as error:
        raise ModelFileError(
            f"{name} cannot be read ({error.strerror}). A model.json is required."
        ) from error
    except UnicodeDecodeError as error:
        raise ModelFileError(
            f"{name} is not text. A model.json is required; mixtura reads no pickles. {_TRY}"
        ) from error


def _parse(text: str, name: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{name} is truncated or not JSON ({error}). A whole model.json is required. {_TRY}"
        ) from error


def _checksum(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _validate(content: dict[str, Any], name: str) -> Document:
    with require_extra("pydantic", extra="score", purpose="read and write model files"):
        from pydantic import ValidationError

        from mixtura.io.model_schema import Document, upgraded
    try:
        return Document.model_validate(upgraded(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"{where}: {first['msg']}" if where else first["msg"]
        raise ModelFileError(f"{name} is not a valid model ({why}). {_TRY}") from error
