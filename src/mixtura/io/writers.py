"""Tables to files: CSV for spreadsheets, Parquet for programs, files of SPSS and Stata for researchers."""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import narwhals as nw
import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import Array
from mixtura.exceptions import OutputError
from mixtura.io.outputs import alternatives, translate_os_errors
from mixtura.io.survey.codebook import Codebook
from mixtura.io.survey.survey_writer import SURVEY_OUTPUTS, write_survey_table
from mixtura.io.values import release_arrow_memory

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "TABLE_SUFFIXES",
    "Computed",
    "TableWriter",
    "Words",
    "arrow_column",
    "join_tables",
    "write_table",
]

TABLE_SUFFIXES = (".csv", ".parquet", *SURVEY_OUTPUTS)
"""What `write_table` writes."""

_ROWS = {".csv": 32_768, ".parquet": 65_536} | dict.fromkeys(SURVEY_OUTPUTS, 65_536)
"""Rows that are converted and written at a time: text takes several times the memory of numbers."""

_WAITING = 2
"""Parts that may wait to be written."""

_FORMULA = r"^([=+\-@\t\r])"


def write_table(
    path: str | Path,
    ids: Mapping[str, Array | nw.Series[Any]],
    columns: Mapping[str, Array | Words | Computed],
    present: Array,
    codebook: Codebook | None = None,
) -> None:
    """Write columns to a file of CSV, Parquet, SPSS or Stata; the suffix says which.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv``, ``.parquet``, ``.sav`` or ``.dta``.
    ids : mapping of str to ndarray of numbers or narwhals Series, each of length N
        Written whole, and first.
    columns : mapping of str to ndarray (numbers, bool, or objects that are str), Words or Computed, each of length N
        Written where `present`, empty elsewhere and where a masked array is masked.
    present : ndarray of shape (N,), bool
    codebook : Codebook or None, default=None
        Labels of columns and of their codes, for SPSS and Stata.

    Raises
    ------
    OutputError
        The suffix is another, or the file cannot be written.
    OptionalDependencyError
        pyreadstat is not installed.

    Notes
    -----
    A spreadsheet takes text that starts with ``=``, ``+``, ``-`` or ``@`` for a formula, and a table of customers may
    hold such text on purpose. In CSV it gets an apostrophe in front, in headers too. Numbers stay
    numbers; Parquet keeps all text.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise OutputError(
            f"The name of the results must end in {alternatives(TABLE_SUFFIXES)}; got {path.name!r}."
        )
    with require_extra("pyarrow", extra="cli", purpose="write tables"):
        import pyarrow as pa
    whole = {
        name: values.to_arrow() if isinstance(values, nw.Series) else values for name, values in ids.items()
    }
    parts = _Parts(whole, columns, present, _ROWS[suffix])
    with translate_os_errors(path):
        if suffix == ".parquet":
            _write_parquet(parts, path)
        elif suffix in SURVEY_OUTPUTS:
            write_survey_table(pa.concat_tables(list(parts)), path, codebook or Codebook())
        else:
            _write_csv(parts, path)
    release_arrow_memory()


class TableWriter:
    """Writes a table to a CSV or Parquet file part by part, on a thread of its own; a context.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` or ``.parquet``.

    Raises
    ------
    OutputError
        The file cannot be written, or is one of SPSS or Stata, which are written whole.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        if self._path.suffix.lower() in SURVEY_OUTPUTS:
            raise OutputError(
                f"A table in parts is written to a .csv or .parquet file; got one that ends in {self._path.suffix!r}. "
                f"Try {'.parquet'!r}."
            )
        self._pool, self._writing = ThreadPoolExecutor(1, "mixtura-writer"), deque[Future[None]]()
        self._writer: Any = None
        self._names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            if exc[0] is None:
                while self._writing:
                    self._writing.popleft().result()
        finally:
            self._pool.shutdown(cancel_futures=True)
            if self._writer is not None:
                with translate_os_errors(self._path):
                    self._writer.close()

    def append(
        self,
        ids: Mapping[str, Array | nw.Series[Any]],
        columns: Mapping[str, Array | Words | Computed],
        present: Array,
    ) -> None:
        """Write some rows; parameters as of `write_table`. They are not changed afterwards."""
        whole = {
            name: values.to_arrow() if isinstance(values, nw.Series) else values
            for name, values in ids.items()
        }
        self._writing.append(
            self._pool.submit(self._write, _Parts(whole, columns, present, max(1, present.size)))
        )
        while len(self._writing) > _WAITING:
            self._writing.popleft().result()

    def _write(self, parts: _Parts) -> None:
        (table,) = parts
        with translate_os_errors(self._path):
            if self._path.suffix.lower() == ".parquet":
                self._writer = self._writer or _parquet_writer(self._path, table.schema)
            else:
                table = self._as_text(parts, table)
            self._writer.write_table(table)

    def _as_text(self, parts: _Parts, table: pa.Table) -> pa.Table:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        self._names = [re.sub(_FORMULA, r"'\1", name) for name in parts.names]
        table = pa.table([_guarded(column) for column in table.columns], names=self._names)
        if self._writer is None:
            options = arrow_csv.WriteOptions(quoting_style="needed", quoting_header="needed")
            self._writer = arrow_csv.CSVWriter(self._path, table.schema, write_options=options)
        return table


def join_tables(parts: Sequence[Path], path: Path) -> None:
    """Write one CSV or Parquet file with the rows of several that `TableWriter` wrote, in their order.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with translate_os_errors(path):
        if path.suffix.lower() == ".csv":
            _join_text(parts, path)
        else:
            from pyarrow import parquet

            with _parquet_writer(path, parquet.read_schema(parts[0])) as writer:
                for one in parts:
                    writer.write_table(parquet.read_table(one))


def _join_text(parts: Sequence[Path], path: Path) -> None:
    with path.open("wb") as whole:
        for number, one in enumerate(parts):
            with one.open("rb") as file:
                header = file.readline()
                whole.write(b"" if number else header)
                shutil.copyfileobj(file, whole)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of a few different texts.

    Parameters
    ----------
    texts : sequence of str
    codes : ndarray of shape (N,), int
        Which of them a row has.
    """

    texts: Sequence[str]
    codes: Array


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """A column of numbers that is computed when it is written, so that it is never held whole.

    Parameters
    ----------
    of : callable
        From a slice of row numbers to the values of these rows, an ndarray.
    """

    of: Callable[[slice], Array]


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Columns as Arrow tables of some rows each, so that little is converted at a time."""

    ids: Mapping[str, Any]
    columns: Mapping[str, Array | Words | Computed]
    present: Array
    n_rows: int

    @property
    def names(self) -> list[str]:
        return [*self.ids, *self.columns]

    def texts(self) -> Iterator[Any]:
        """Yield the texts of each column that has such, repeated ones once."""
        for values in (*self.ids.values(), *self.columns.values()):
            if isinstance(values, Computed):
                continue
            if isinstance(values, Words):
                yield _arrow_text(values.texts, None)
            elif not isinstance(values, np.ndarray) or values.dtype == object:
                found = _plain(arrow_column(values, np.ones(self.present.size, dtype=bool)))
                if _is_text(found.type):
                    yield found

    def __iter__(self) -> Iterator[pa.Table]:
        import pyarrow as pa

        for start in range(0, max(1, self.present.size), self.n_rows):
            span = slice(start, start + self.n_rows)
            present = self.present[span]
            whole = np.ones(present.size, dtype=bool)
            found = {name: arrow_column(values[span], whole) for name, values in self.ids.items()}
            for name, values in self.columns.items():
                found[name] = arrow_column(_part(values, span), present)
            yield pa.table(found)


def _part(values: Array | Words | Computed, span: slice) -> Array | Words:
    if isinstance(values, Computed):
        return values.of(span)
    return Words(values.texts, values.codes[span]) if isinstance(values, Words) else values[span]


def _parquet_writer(path: Path, schema: pa.Schema) -> Any:
    from pyarrow import parquet

    # Numbers hardly ever repeat: looking for those that do would double the time.
    repeated = [field.name for field in schema if not _is_number(field.type)]
    return parquet.ParquetWriter(path, schema, use_dictionary=repeated)


def _write_parquet(parts: _Parts, path: Path) -> None:
    tables = iter(parts)
    first = next(tables)
    with _parquet_writer(path, first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def arrow_column(values: Any, present: Array) -> Any:
    """Return a column over the memory of an array, or of words; `pyarrow.array` would load pandas for its types."""
    import pyarrow as pa

    if isinstance(values, Words):
        return _arrow_text(values.texts, None).take(arrow_column(values.codes, present))
    if not isinstance(values, np.ndarray):
        return values
    if isinstance(values, np.ma.MaskedArray):
        return arrow_column(values.data, present & ~np.ma.getmaskarray(values))
    missing = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    if values.dtype == object:
        return _arrow_text(values, missing)
    if values.dtype == bool:
        bits = pa.py_buffer(np.packbits(values, bitorder="little"))
        return pa.Array.from_buffers(pa.bool_(), values.size, [missing, bits])
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [missing, pa.py_buffer(np.ascontiguousarray(values))])


def _arrow_text(values: Sequence[str] | Array, missing: pa.Buffer | None) -> pa.Array:
    import pyarrow as pa

    encoded = [text.encode() for text in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [missing, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def _write_csv(parts: _Parts, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import csv as arrow_csv

    names = [re.sub(_FORMULA, r"'\1", name) for name in parts.names]
    structural = any(set(name) & set('",\r\n') for name in names) or any(
        bool(pc.any(pc.match_substring_regex(texts, '[",\r\n]')).as_py()) for texts in parts.texts()
    )
    # Arrow quotes all text or none; files without a comma inside a cell read better without quotes.
    style = "needed" if structural else "none"
    tables = (pa.table([_guarded(column) for column in table.columns], names=names) for table in parts)
    first = next(tables)
    options = arrow_csv.WriteOptions(quoting_style=style, quoting_header=style)
    with arrow_csv.CSVWriter(path, first.schema, write_options=options) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _guarded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in which no text is a formula."""
    from pyarrow import compute as pc

    column = _plain(column)
    return pc.replace_substring_regex(column, _FORMULA, r"'\1") if _is_text(column.type) else column


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
