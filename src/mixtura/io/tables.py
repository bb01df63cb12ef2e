"""Tables from files: CSV, TSV, Parquet, JSON lines, Excel.

Arrow reads and writes; text is read as text and becomes numbers only where nothing is lost, so
that ids such as ``007`` or ``1.50`` come back exactly as they were.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from mixtura._optional import require_extra
from mixtura.exceptions import ColumnError, TableError
from mixtura.io.column_names import looks_like_id
from mixtura.io.encoding import check_utf8
from mixtura.io.text_columns import typed_column

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Table", "read_table"]

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.

    Parameters
    ----------
    data : pyarrow.Table
        N rows; column names are unique and not blank.
    path : Path
        Where it came from.
    """

    data: pa.Table
    path: Path

    @property
    def n_rows(self) -> int:
        return int(self.data.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.data.column_names)


def read_table(path: str | Path, *, text: Sequence[str] = ()) -> Table:
    r"""Read a table from a file; the suffix says how.

    ``.csv`` (separator found from the header: comma, semicolon, tab or bar), ``.tsv``, ``.parquet``,
    ``.jsonl``, ``.ndjson``, ``.json`` (a list of objects, or one per line), ``.xlsx`` (first sheet).
    Any other suffix is read as CSV. Text files are UTF-8, the first line holds the names, blank
    cells are missing.

    Parameters
    ----------
    path : str or Path
        The file.
    text : sequence of str, default=()
        Ids: columns whose values must come back exactly as they stand in a text file. They become
        numbers only if printing the numbers gives the same text. Columns whose name says that they
        are ids are always treated so.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        The file is missing, empty, has a header only, is not UTF-8, or is no table.
    ColumnError
        Two columns have the same name.
    OptionalDependencyError
        Arrow, or for Excel files openpyxl, is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from mixtura.io import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "customers.csv")
    ...     _ = path.write_text("id,income\n007,51.5\n008,60\n", encoding="utf-8")
    ...     table = read_table(path)
    >>> table.data.to_pydict()
    {'id': ['007', '008'], 'income': [51.5, 60.0]}
    """
    path = Path(path)
    _check_file(path)
    suffix = path.suffix.lower()
    with require_extra("pyarrow", extra="cli", purpose="read tables"):
        import pyarrow as pa
    read = _READERS.get(suffix, _read_delimited)
    try:
        data = read(path, frozenset(text))
    except pa.ArrowException as error:
        raise TableError(_not_a_table(path, str(error))) from error
    if data.num_columns == 0:
        raise TableError(_not_a_table(path, "it has no columns"))
    if data.num_rows == 0:
        raise TableError(
            f"{str(path)!r} has a header ({', '.join(data.column_names[:8])}) and no rows. At least two rows of "
            "data are required. Check that the export was complete."
        )
    return Table(data=data, path=path)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise TableError(_missing_file(path))
    if path.is_dir():
        raise TableError(f"{str(path)!r} is a directory. One table file is required. Name a file in it.")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise TableError(
            f"{str(path)!r} cannot be read ({error.strerror}). Check its permissions."
        ) from error
    if not first:
        raise TableError(
            f"{str(path)!r} is empty (0 bytes). A table with a header and rows is required. Export it again."
        )


def _missing_file(path: Path) -> str:
    from difflib import get_close_matches

    message = (
        f"There is no file {str(path)!r}. A table file (CSV, TSV, Parquet, JSON lines, Excel) is required."
    )
    if not path.parent.is_dir():
        return f"{message} The directory {str(path.parent)!r} does not exist either."
    near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    return f"{message} Did you mean {str(path.parent / near[0])!r}?" if near else f"{message} Check the path."


def _not_a_table(path: Path, why: str) -> str:
    lines = why.strip().splitlines()
    why = (lines[0] if lines else "unknown reason")[:200]
    return (
        f"{str(path)!r} is not a table that can be read: {why}. Required: one header, then rows with as many cells "
        "as the header. Open it in a spreadsheet and save it as CSV (UTF-8)."
    )


# ---------------------------------------------------------------------------------------- text


def _read_delimited(path: Path, exact: frozenset[str]) -> pa.Table:
    import pyarrow as pa

    check_utf8(path)
    delimiter, header = _header(path)
    cells = _read_cells(path, delimiter, len(header))
    names = unique_names(header, path)
    decimal = "." if delimiter == "," else ","
    columns = [
        typed_column(cells.column(i), decimal_separator=decimal, exact=name in exact or looks_like_id(name))
        for i, name in enumerate(names)
    ]
    return pa.table(dict(zip(names, columns, strict=True)))


def _header(path: Path) -> tuple[str, list[str]]:
    """Return the separator and the names: the separator is the one found most often in the first record."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = ""
        for line in file:
            first += line
            if first.strip() and first.count('"') % 2 == 0:
                break
    outside_quotes = "".join(first.split('"')[::2])
    counts = {delimiter: outside_quotes.count(delimiter) for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda candidate: counts[candidate])
    if path.suffix.lower() in {".tsv", ".tab"} and counts["\t"]:
        delimiter = "\t"
    names = next((row for row in csv.reader(io.StringIO(first, newline=""), delimiter=delimiter) if row), [])
    return delimiter, names


def _read_cells(path: Path, delimiter: str, width: int) -> pa.Table:
    """Read every cell as text; the header is the first record and is dropped."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if width == 0:
        raise TableError(_not_a_table(path, "it holds only blank lines"))

    def read(use_threads: bool) -> pa.Table:
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(autogenerate_column_names=True, use_threads=use_threads),
            # With a single column a blank line is a missing value; with more it is nothing.
            arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=width > 1
            ),
            arrow_csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=False
            ),
        )
        return table.slice(1)

    try:
        return read(use_threads=True)
    except pa.ArrowInvalid:
        # One thread is slower and knows the number of the row that does not fit.
        return read(use_threads=False)


def unique_names(header: Sequence[Any], path: Path) -> list[str]:
    """Return the names, blanks numbered.

    Raises
    ------
    ColumnError
        A name stands twice.
    """
    names = [
        str(name).strip() if name is not None and str(name).strip() else f"column_{position}"
        for position, name in enumerate(header, start=1)
    ]
    for name, count in Counter(names).items():
        if count > 1:
            where = ", ".join(str(i) for i, other in enumerate(names, start=1) if other == name)
            raise ColumnError(
                f"{str(path)!r} has {count} columns named {name!r} (columns {where}). Names must be unique. "
                "Rename or remove all but one.",
                column=name,
            )
    return names


# ------------------------------------------------------------------------------------ other formats


def _read_parquet(path: Path, exact: frozenset[str]) -> pa.Table:
    from pyarrow import parquet

    # A file object, not a path: Arrow would take a name such as year=2024/a.parquet for a partition.
    with path.open("rb") as file:
        table = parquet.read_table(file)
    return table.rename_columns(unique_names(table.column_names, path))


def _read_json(path: Path, exact: frozenset[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    check_utf8(path)
    with path.open(encoding="utf-8-sig") as file:
        start = file.read(4096).lstrip()[:1]
        if start != "[":
            table = arrow_json.read_json(path)
            return table.rename_columns(unique_names(table.column_names, path))
        file.seek(0)
        try:
            records = json.loads(file.read().removeprefix("\ufeff"))
        except ValueError as error:
            raise TableError(_not_a_table(path, f"it is not valid JSON ({error})")) from error
    if not all(isinstance(record, dict) for record in records):
        raise TableError(_not_a_table(path, "it is a JSON list of something other than objects"))
    return pa.Table.from_pylist(records)


def _read_excel(path: Path, exact: frozenset[str]) -> pa.Table:
    import pyarrow as pa

    with require_extra("openpyxl", extra="excel", purpose="read Excel files"):
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise TableError(_not_a_table(path, f"it is not an Excel workbook ({error})")) from error
    rows = [row for row in book.worksheets[0].iter_rows(values_only=True) if any(v is not None for v in row)]
    book.close()
    if not rows:
        raise TableError(_not_a_table(path, "its first sheet is empty"))
    width = max(i + 1 for row in rows for i, value in enumerate(row) if value is not None)
    names = unique_names((list(rows[0]) + [None] * width)[:width], path)
    columns = zip(*((list(row) + [None] * width)[:width] for row in rows[1:]), strict=True)
    values = [_excel_column(column) for column in columns] or [pa.array([], pa.string())] * width
    return pa.table(dict(zip(names, values, strict=True)))


def _excel_column(values: Sequence[Any]) -> pa.Array:
    """Keep a column whose cells agree; a column of numbers and words becomes text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return pa.array([None if value is None else float(value) for value in values])
    if len(kinds) <= 1:
        return pa.array(values)
    return pa.array([None if value is None else str(value) for value in values])


_READERS: dict[str, Callable[[Path, frozenset[str]], pa.Table]] = {
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
    ".xlsx": _read_excel,
    ".xlsm": _read_excel,
}
