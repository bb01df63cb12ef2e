"""The dialect of a text table: DuckDB finds how cells are separated, and rules correct it where commas are decimal."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.data.sources.files import is_compressed
from mixtura.data.sources.text.header import Header, find_header, unique_names
from mixtura.data.sources.text.table_errors import not_a_table
from mixtura.exceptions import TableError

if TYPE_CHECKING:
    import duckdb

__all__ = ["TextDialect", "dialect_of", "literal"]

_DELIMITERS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(r"\D*\d[\d.' \u00a0\u202f]*,\d+\D*")
_PLAIN_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")
_RECORDS = 50
"""Records in which the header is looked for."""
_START = 1 << 16
"""Characters in which the end of a line is looked for."""


@dataclass(frozen=True, slots=True)
class TextDialect:
    """How the cells of a file are separated, and where they begin.

    Parameters
    ----------
    delimiter, quote : str
    skip : int
        Records above the first row, of a line each but for quoted line breaks.
    line_end : str
        What ends a line, where a name or a title has line breaks of its own; else empty, and DuckDB finds it.
    names : tuple of str
        Of the columns; those without one are numbered.
    notes : tuple of str
        What was skipped or assumed.
    """

    delimiter: str
    quote: str
    skip: int
    line_end: str
    names: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def decimal(self) -> str:
        """What may be the decimal sign: where commas do not separate cells they may be decimal ones."""
        return "." if self.delimiter == "," else ","

    def named(self) -> str:
        """Return what SQL selects so that the columns have their names."""
        quoted = [name.replace('"', '""') for name in self.names]
        return ", ".join(f'c{i} AS "{name}"' for i, name in enumerate(quoted))

    def cells(self, path: Path) -> str:
        """Return what SQL selects from: every cell as text, in columns ``c0``, ``c1`` and so on."""
        columns = {f"c{i}": "VARCHAR" for i in range(len(self.names))}
        return f"read_csv({literal(str(path))}, auto_detect=false, header=false, columns={columns}, {self.options()})"

    def options(self) -> str:
        """Return what SQL says of the dialect to a function that reads text tables."""
        quote = literal(self.quote)
        ends = {"": "", "\n": r", new_line='\n'", "\r": r", new_line='\r'", "\r\n": r", new_line='\r\n'"}
        return f"skip={self.skip}, delim={literal(self.delimiter)}, quote={quote}, escape={quote}{ends[self.line_end]}"


def dialect_of(connection: duckdb.DuckDBPyConnection, path: Path) -> TextDialect:
    """Return the dialect of a file.

    Raises
    ------
    TableError
        It holds only empty lines.
    ColumnError
        Two columns have the same name.
    """
    declared = _declared_separator(path)
    delimiter, quote = (declared, '"') if declared else _sniff(connection, path)
    records = _first_records(path, delimiter, quote)[1 if declared else 0 :]
    if not any(records):
        raise TableError(not_a_table(path, "it holds only empty lines"))
    header = find_header(records)
    first = header.record + (1 if header.names else 0)
    width = len(records[header.record])
    names = unique_names(header.names or [None] * width, path)
    has_breaks = any("\n" in cell or "\r" in cell for record in records[:first] for cell in record)
    line_end = _line_end(path, quote) if has_breaks else ""
    skip = first + (1 if declared else 0)
    return TextDialect(delimiter, quote, skip, line_end, tuple(names), _notes(records, header, width))


def _line_end(path: Path, quote: str) -> str:
    """Return what ends the first line outside of quotes."""
    with _opened(path) as file:
        outside = "".join(file.read(_START).split(quote)[::2])
    found = re.search(r"\r\n|\n|\r", outside)
    return found[0] if found else ""


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
    with _opened(path, errors="replace") as file:
        first = file.readline(64).strip('\r\n "')
    return first[-1] if first.lower().startswith("sep=") and len(first) == len("sep=;") else ""


def _sniff(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, str]:
    """Return separator and quote as DuckDB finds them; the first record decides where it sees a single column."""
    import duckdb

    try:
        delimiter, quote, columns = connection.execute(
            f"SELECT Delimiter, Quote, len(Columns) FROM sniff_csv({literal(str(path))}, all_varchar=true)"
        ).fetchall()[0]
    except duckdb.Error:
        delimiter, quote, columns = "", "", 0
    if columns < 2 or delimiter not in _DELIMITERS or path.suffix.lower() in {".tsv", ".tab"}:
        delimiter = _most_frequent(path, "\t" if path.suffix.lower() in {".tsv", ".tab"} else "")
    quote = quote if quote == "'" else '"'
    return (_instead_of_commas(path, quote) if delimiter == "," else "") or delimiter, quote


def _instead_of_commas(path: Path, quote: str) -> str:
    """Return a separator that divides a file better than commas do, which may be decimal ones; empty without one.

    It divides all of the first records alike, and commas do not; or below the header all commas are decimal, or leave
    numbers beside it in one cell. A single column of decimal commas has none: any other separator does.
    """
    commas = _even_records(path, ",", quote)
    for other in _DELIMITERS[1:]:
        found = _even_records(path, other, quote)
        if found and (not commas or _are_decimal(found[1:]) or _are_divided(commas[1:], other)):
            return other
    return ";" if _is_decimal_column(path, quote) else ""


def _are_decimal(records: list[list[str]]) -> bool:
    """Return whether all cells with a comma are numbers with a decimal one."""
    return all(_DECIMAL_COMMA.fullmatch(cell) for record in records for cell in record if "," in cell)


def _are_divided(records: list[list[str]], delimiter: str) -> bool:
    """Return whether some cells hold a separator, and all of these numbers alone beside it."""
    parts = [
        part for record in records for cell in record if delimiter in cell for part in cell.split(delimiter)
    ]
    return bool(parts) and all(_PLAIN_NUMBER.fullmatch(part) for part in parts)


def _even_records(path: Path, delimiter: str, quote: str) -> list[list[str]]:
    """Return the first records that are not empty where all have the same number of cells, two or more."""
    records = [record for record in _first_records(path, delimiter, quote) if any(record)]
    even = len({len(record) for record in records}) == 1 and len(records[0]) > 1
    return records if even else []


def _is_decimal_column(path: Path, quote: str) -> bool:
    """Return whether below a name without commas all that commas would divide is a number with a decimal comma."""
    records = [record for record in _first_records(path, ",", quote) if any(record)]
    divided = [",".join(record) for record in records if len(record) > 1]
    return bool(divided) and len(records[0]) == 1 and all(map(_DECIMAL_COMMA.fullmatch, divided))


def _most_frequent(path: Path, preferred: str) -> str:
    """Return the separator found most often, outside of quotes, in the first line that is not empty."""
    with _opened(path) as file:
        first = next((line for line in file if line.strip()), "")
    outside_quotes = "".join(first.split('"')[::2])
    if preferred and preferred in outside_quotes:
        return preferred
    return max(_DELIMITERS, key=outside_quotes.count)


def _first_records(path: Path, delimiter: str, quote: str) -> list[list[str]]:
    """Return the first records."""
    records: list[list[str]] = []
    with _opened(path) as file:
        reader = csv.reader(file, delimiter=delimiter, quotechar=quote)
        with suppress(csv.Error):  # a cell too long for this reader; DuckDB reads it
            records.extend(islice(reader, _RECORDS))
    return records


@contextmanager
def _opened(path: Path, errors: str = "strict") -> Iterator[Any]:
    """Open a text file, compressed or not."""
    if not is_compressed(path):
        with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
            yield file
        return
    import pyarrow as pa

    with pa.input_stream(str(path), compression="detect") as stream:
        yield TextIOWrapper(stream, encoding="utf-8-sig", errors=errors, newline="")


def literal(text: str) -> str:
    """Return text as SQL writes it. DuckDB 1 loads pandas, if it is there, as soon as a value is bound instead."""
    return "'" + text.replace("'", "''") + "'"
