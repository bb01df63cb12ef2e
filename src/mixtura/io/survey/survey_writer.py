"""Tables for SPSS and Stata, written by pyreadstat: with labels of columns and of values, and measurement levels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.exceptions import OutputError
from mixtura.io.survey.codebook import Codebook

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SURVEY_OUTPUTS", "allowed_names", "write_survey_table"]

SURVEY_OUTPUTS = (".sav", ".dta")
"""What `write_survey_table` writes."""

_LONGEST_NAME = {".sav": 64, ".dta": 32}
_LONGEST_LABEL = {".sav": 120, ".dta": 32_000}
_LONGEST_COLUMN_LABEL = {".sav": 255, ".dta": 80}
_RESERVED = frozenset(["ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"])


def write_survey_table(table: pa.Table, path: Path, codebook: Codebook) -> None:
    """Write an Arrow table as a file of SPSS (``.sav``) or Stata (``.dta``).

    Parameters
    ----------
    table : pyarrow.Table
    path : Path
    codebook : Codebook
        Labels, and measurement levels, which only SPSS has. A column whose name the program does not allow gets a
        similar one, and its name as its label.

    Raises
    ------
    OutputError
        The file cannot be written.
    OptionalDependencyError
        pyreadstat or polars is not installed.
    """
    suffix = path.suffix.lower()
    with require_extra("pyreadstat", extra="survey", purpose="write files of SPSS and Stata"):
        import pyreadstat
    with require_extra("polars", extra="survey", purpose="write files of SPSS and Stata"):
        import polars as pl
    names = allowed_names(table.column_names, suffix)
    known = {new: codebook.column(old) for old, new in names.items()}
    columns = {
        new: _cut(known[new].label or ("" if old == new else old), _LONGEST_COLUMN_LABEL[suffix])
        for old, new in names.items()
    }
    values = {
        new: {int(code): _cut(text, _LONGEST_LABEL[suffix]) for code, text in column.labels.items()}
        for new, column in known.items()
        if column.labels
    }
    options: dict[str, Any] = {"column_labels": columns, "variable_value_labels": values}
    if suffix == ".sav":
        options |= _of_spss({new: column.measure for new, column in known.items()}, table, names)
    frame = pl.from_arrow(_plain(table).rename_columns(list(names.values())))
    writer = pyreadstat.write_sav if suffix == ".sav" else pyreadstat.write_dta
    try:
        writer(frame, str(path), **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        raise OutputError(
            f"{str(path)!r} cannot be written: {error}. Write a .csv or .parquet file instead."
        ) from error


def _of_spss(measures: Mapping[str, str], table: pa.Table, names: Mapping[str, str]) -> dict[str, Any]:
    import pyarrow as pa

    kinds = {names[one.name]: one.type for one in table.schema}
    return {
        "variable_measure": {name: measure for name, measure in measures.items() if measure},
        "variable_format": {
            name: "F8.4" if pa.types.is_floating(kind) else "F8.0"
            for name, kind in kinds.items()
            if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        },
    }


def _plain(table: pa.Table) -> pa.Table:
    """Return a table of the types that the writers know: truth values as 0 and 1, small numbers of segments as such."""
    import pyarrow as pa

    schema = pa.schema(
        [
            pa.field(one.name, pa.int8() if pa.types.is_boolean(one.type) else _plain_type(one.type))
            for one in table.schema
        ]
    )
    return table.cast(schema)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return kind.value_type
    return kind


def allowed_names(names: Sequence[str], suffix: str) -> dict[str, str]:
    """Return a name for each column that SPSS or Stata allows, different without regard to capital letters.

    Parameters
    ----------
    names : sequence of str
    suffix : {".sav", ".dta"}

    Examples
    --------
    >>> from mixtura.io.survey.survey_writer import allowed_names
    >>> allowed_names(["income", "net income", "1st"], ".sav")
    {'income': 'income', 'net income': 'net_income', '1st': 'v_1st'}
    """
    longest = _LONGEST_NAME[suffix]
    allowed: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
        plain = plain if re.match(r"[A-Za-z]", plain) and plain.upper() not in _RESERVED else f"v_{plain}"
        plain, number = plain[:longest], 1
        while plain.upper() in taken:
            number += 1
            plain = f"{plain[: longest - 4]}_{number}"
        taken.add(plain.upper())
        allowed[name] = plain
    return allowed


def _cut(text: str, longest: int) -> str:
    """Return a text of at most N bytes."""
    return text.encode()[:longest].decode(errors="ignore")
