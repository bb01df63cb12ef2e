"""Text tables: DuckDB finds the dialect, reads the cells, and types the columns.

Cells are read as text and become numbers only where nothing is lost, so that ids such as ``007`` or ``1.50`` come back
exactly as they were.
"""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mixtura._optional import require_extra
from mixtura.exceptions import TableError
from mixtura.io.column_names import looks_like_id
from mixtura.io.encoding import check_text, check_utf8
from mixtura.io.header import Header, find_header, unique_names
from mixtura.io.table_errors import not_a_table
from mixtura.io.text_types import typed_columns

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["read_text_table"]

_DELIMITERS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"\D*\d[\d.' \u00a0\u202f]*,\d+\D*")
_RECORDS = 50
"""Records in which the header is looked for."""


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How the cells of a file are separated, and where they begin."""

    delimiter: str
    quote: str
    skip: int
    width: int
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_text_table(path: Path, exact: frozenset[str]) -> tuple[pa.Table, tuple[str, ...]]:
    """Read a text table; return it with notes on what was skipped.

    Parameters
    ----------
    path : Path
        UTF-8. A first line such as ``sep=;`` names the separator; titles above the header are skipped; without a header
        columns are numbered.
    exact : frozenset of str
        Columns that become numbers only if printing the numbers gives the same text.

    Raises
    ------
    TableError
        It is not UTF-8, or a row has more or fewer cells than the header.
    ColumnError
        Two columns have the same name.
    """
    with require_extra("duckdb", extra="cli", purpose="read text tables"):
        import duckdb
    check_text(path)
    with duckdb.connect() as connection:
        try:
            dialect = _dialect(connection, path)
            names = unique_names(dialect.names or [None] * dialect.width, path)
            _read_cells(connection, path, dialect)
        except (duckdb.Error, UnicodeDecodeError) as error:
            check_utf8(path)
            raise TableError(not_a_table(path, str(error))) from error
        exactly = {name for name in names if name in exact or looks_like_id(name)}
        decimal = "." if dialect.delimiter == "," else ","
        return typed_columns(connection, "cells", names, decimal=decimal, exact=exactly), dialect.notes


def _dialect(connection: duckdb.DuckDBPyConnection, path: Path) -> _Dialect:
    declared = _declared_separator(path)
    delimiter, quote = (declared, '"') if declared else _sniff(connection, path)
    records, lines = _first_records(path, delimiter, quote)
    if declared:
        records, lines = records[1:], lines[1:]
    if not any(records):
        raise TableError(not_a_table(path, "it holds only empty lines"))
    header = find_header(records)
    first = header.record + (1 if header.names else 0)
    width = len(records[header.record])
    return _Dialect(delimiter, quote, lines[first], width, header.names, _notes(records, header, width))


def _notes(records: list[list[str]], header: Header, width: int) -> tuple[str, ...]:
    notes = []
    titles = [" ".join(cell.strip() for cell in record).strip() for record in records[: header.record]]
    titles = [repr(text[:60]) for text in titles if text]
    if titles:
        notes.append(f"Not read, above the header: {'; '.join(titles[:3])}.")
    if not header.names:
        notes.append(
            f"The first line holds numbers, not names: every line is a row, and the {width} columns are called "
            f"column_1, column_2 and so on."
        )
    return tuple(notes)


def _declared_separator(path: Path) -> str:
    """Return the separator that a first line such as ``sep=;`` names; empty where there is none."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(64).strip('\r\n "')
    return first[-1] if first.lower().startswith("sep=") and len(first) == len("sep=;") else ""


def _sniff(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, str]:
    """Return separator and quote as DuckDB finds them; the first record decides where it sees a single column."""
    import duckdb

    try:
        delimiter, quote, columns = connection.execute(
            f"SELECT Delimiter, Quote, len(Columns) FROM sniff_csv({_literal(str(path))}, all_varchar=true)"
        ).fetchall()[0]
    except duckdb.Error:
        delimiter, quote, columns = "", "", 0
    if columns < 2 or delimiter not in _DELIMITERS or path.suffix.lower() in {".tsv", ".tab"}:
        delimiter = _most_frequent(path, "\t" if path.suffix.lower() in {".tsv", ".tab"} else "")
    quote = quote if quote == "'" else '"'
    return (_instead_of_commas(path, quote) if delimiter == "," else "") or delimiter, quote


def _instead_of_commas(path: Path, quote: str) -> str:
    """Return a separator that divides a file better than commas do, which may be decimal ones; empty without one.

    It divides all of the first records alike, and commas do not, or all that stand in a cell are decimal.
    """
    commas = _even_cells(path, ",", quote)
    for other in _DELIMITERS[1:]:
        cells = _even_cells(path, other, quote)
        if cells and (not commas or all(_DECIMAL_COMMA.fullmatch(cell) for cell in cells if "," in cell)):
            return other
    return ""


def _even_cells(path: Path, delimiter: str, quote: str) -> list[str]:
    """Return the cells of the first records where all that are not empty have the same number, two or more."""
    records = [record for record in _first_records(path, delimiter, quote)[0] if any(record)]
    even = len({len(record) for record in records}) == 1 and len(records[0]) > 1
    return [cell for record in records for cell in record] if even else []


def _most_frequent(path: Path, preferred: str) -> str:
    """Return the separator found most often, outside of quotes, in the first line that is not empty."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = next((line for line in file if line.strip()), "")
    outside_quotes = "".join(first.split('"')[::2])
    if preferred and preferred in outside_quotes:
        return preferred
    return max(_DELIMITERS, key=outside_quotes.count)


def _first_records(path: Path, delimiter: str, quote: str) -> tuple[list[list[str]], list[int]]:
    """Return the first records, and for each how many lines stand before it; one more for what follows the last."""
    records: list[list[str]] = []
    lines = [0]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, quotechar=quote)
        with suppress(csv.Error):  # a cell too long for this reader; DuckDB reads it
            for record in islice(reader, _RECORDS):
                records.append(record)
                lines.append(reader.line_num)
    return records, lines


def _read_cells(connection: duckdb.DuckDBPyConnection, path: Path, dialect: _Dialect) -> None:
    """Fill the table ``cells``, every cell as text, in columns ``c0``, ``c1`` and so on."""
    columns = {f"c{i}": "VARCHAR" for i in range(dialect.width)}
    quote = _literal(dialect.quote)
    connection.execute(
        f"CREATE TABLE cells AS SELECT * FROM read_csv({_literal(str(path))}, auto_detect=false, header=false, "
        f"columns={columns}, delim={_literal(dialect.delimiter)}, quote={quote}, escape={quote}, skip={dialect.skip})"
    )


def _literal(text: str) -> str:
    """Return text as SQL writes it. DuckDB 1 loads pandas, if it is there, as soon as a value is bound instead."""
    return "'" + text.replace("'", "''") + "'"
