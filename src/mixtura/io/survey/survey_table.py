"""Tables of statistics programs, read by pyreadstat: codes stay codes, declared missing codes are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import Array, FloatArray
from mixtura.exceptions import TableError
from mixtura.io.survey.codebook import Codebook, CodebookColumn, code_text, with_codebook
from mixtura.io.survey.declared_weight import declared_weight
from mixtura.io.survey.file_dates import Program, dates_of
from mixtura.io.writers import arrow_column

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SURVEY_SUFFIXES", "read_survey_table"]

_PROGRAMS: dict[str, tuple[Program, str, str]] = {
    ".sav": ("spss", "read_sav", "an SPSS file"),
    ".zsav": ("spss", "read_sav", "a compressed SPSS file"),
    ".por": ("spss", "read_por", "a portable SPSS file"),
    ".dta": ("stata", "read_dta", "a Stata file"),
    ".sas7bdat": ("sas", "read_sas7bdat", "a SAS file"),
    ".xpt": ("sas", "read_xport", "a SAS transport file"),
}
SURVEY_SUFFIXES = tuple(_PROGRAMS)
"""What `read_survey_table` reads."""

_ASKED_MISSING = {".sav", ".zsav", ".dta", ".sas7bdat"}
"""Files of which pyreadstat gives codes that are declared missing as they are."""
_EXACT = 2.0**53


def read_survey_table(path: Path) -> pa.Table:
    """Read a file of SPSS, Stata or SAS as an Arrow table that carries its codebook, see `codebook_of`.

    Values are codes; labels are in the codebook. Cells with a code that is declared missing are missing, and counted
    in the codebook. Numbers of a format of dates are dates.

    Raises
    ------
    TableError
        It is truncated, or of another kind than its name says.
    OptionalDependencyError
        pyreadstat is not installed.
    """
    import pyarrow as pa

    program, reader, what = _PROGRAMS[path.suffix.lower()]
    with require_extra("pyreadstat", extra="survey", purpose=f"read {what}"):
        import pyreadstat
    asked: dict[str, Any] = {"output_format": "dict", "disable_datetime_conversion": True}
    if path.suffix.lower() in _ASKED_MISSING:
        asked["user_missing"] = True
    try:
        columns, meta = getattr(pyreadstat, reader)(str(path), **asked)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OSError) as error:
        raise TableError(_unreadable(path, what, str(error))) from error
    arrays, book = [], {}
    for name, cells in columns.items():
        declared = meta.missing_ranges.get(name, ())
        if meta.readstat_variable_types[name] == "string":
            texts, missing = _texts(cells, declared)
            arrays.append(pa.array(texts, pa.string()))
        else:
            numbers, missing = _numbers(cells, declared)
            dates = dates_of(numbers, program, meta.original_variable_types.get(name) or "")
            arrays.append(_arrow_numbers(numbers) if dates is None else _arrow_dates(dates))
        book[name] = _codebook_column(name, meta, missing)
    table = pa.table(arrays, names=list(columns))
    return with_codebook(table, Codebook(book, declared_weight(path) if program == "spss" else None))


def _unreadable(path: Path, what: str, why: str) -> str:
    return (
        f"{str(path)!r} is not {what} that can be read, whole and uncorrupted: {why.rstrip('.')}. Export or copy it "
        "again, or save it as CSV."
    )


Declared = Sequence[Mapping[str, Any]]
"""Ranges of missing values, each with its lowest, ``lo``, and its highest, ``hi``."""


def _texts(cells: Sequence[Any], declared: Declared) -> tuple[list[str | None], dict[str, int]]:
    """Return the cells of a column of text, None where they are missing or empty, and counts of declared codes."""
    missing: Counter[str] = Counter()
    codes = {str(one["lo"]) for one in declared}
    texts: list[str | None] = []
    for cell in cells:
        text = "" if cell is None else str(cell).rstrip()
        if text in codes:
            missing[text] += 1
        texts.append(text if text and text not in codes else None)
    return texts, dict(missing.most_common())


def _numbers(cells: Sequence[Any], declared: Declared) -> tuple[FloatArray, dict[str, int]]:
    """Return the cells of a column of numbers, NaN where they are missing, and counts of declared codes.

    A text among them is one of the special missing values of Stata and SAS, such as ``.a``.
    """
    missing: Counter[str] = Counter()
    try:
        numbers = np.array(cells, dtype=np.float64)
    except ValueError:  # of a letter
        missing.update(f".{cell}" for cell in cells if isinstance(cell, str))
        numbers = np.array([None if isinstance(cell, str) else cell for cell in cells], dtype=np.float64)
    for one in declared:
        if isinstance(one["lo"], str):
            continue
        found = (numbers >= one["lo"]) & (numbers <= one["hi"])
        values, counts = np.unique(numbers[found], return_counts=True)
        missing.update({code_text(float(value)): int(n) for value, n in zip(values, counts, strict=True)})
        numbers[found] = np.nan
    return numbers, dict(missing.most_common())


def _codebook_column(name: str, meta: Any, missing: Mapping[str, int]) -> CodebookColumn:
    labels = {code_text(code): str(text) for code, text in meta.variable_value_labels.get(name, {}).items()}
    measure = meta.variable_measure.get(name, "")
    return CodebookColumn(
        label=meta.column_names_to_labels.get(name) or "",
        labels=labels,
        measure=measure if measure in {"nominal", "ordinal", "scale"} else "",
        missing=missing,
    )


def _arrow_numbers(numbers: FloatArray) -> pa.Array:
    missing = np.isnan(numbers)
    present = numbers[~missing]
    if np.all(present == np.rint(present)) and np.abs(present).max(initial=0.0) < _EXACT:
        numbers = np.where(missing, 0.0, numbers).astype(np.int64)
    found: pa.Array = arrow_column(numbers, ~missing)
    return found


def _arrow_dates(dates: Array) -> pa.Array:
    import pyarrow as pa

    missing = np.isnat(dates)
    in_days = dates.dtype == np.dtype("datetime64[D]")
    counted = np.where(missing, 0, dates.astype(np.int64)).astype(np.int32 if in_days else np.int64)
    return arrow_column(counted, ~missing).view(pa.date32() if in_days else pa.timestamp("us"))
