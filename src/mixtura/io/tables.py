"""Tables from files: CSV, TSV, Parquet, JSON, Excel, SPSS, Stata, SAS; and from sources, read whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources import Source, open_source, read_whole, unread
from mixtura.data.sources.text.header import unique_names
from mixtura.data.sources.text.table_errors import missing_file, not_a_table
from mixtura.exceptions import TableError
from mixtura.io.column_names import looks_like_id
from mixtura.io.excel_table import read_excel_table
from mixtura.io.json_table import read_json_table
from mixtura.io.survey.survey_table import SURVEY_SUFFIXES, read_survey_table
from mixtura.io.text_table import read_text_table
from mixtura.io.values import release_arrow_memory

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Table", "find_source", "outline_of", "read_table", "table_of", "whole_table"]

_PARQUET = {".parquet", ".pq"}
_BUFFER = 1 << 20
"""Bytes of a Parquet file that are read at a time."""

_JSON = {".jsonl", ".ndjson", ".json"}
_EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read.

    Parameters
    ----------
    data : pyarrow.Table
        N rows; column names are unique and not empty.
    path : Path
        Where it came from.
    notes : tuple of str, default=()
        What was skipped or assumed: titles above the header, other sheets, a header that is missing.
    """

    data: pa.Table
    path: Path
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        return int(self.data.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.data.column_names)

    def without_cells(self) -> Table:
        """Return the same with every cell missing, which takes no memory: names and size stay."""
        import pyarrow as pa

        missing = pa.nulls(self.n_rows)
        return replace(self, data=pa.table([missing] * len(self.columns), names=list(self.columns)))


def read_table(path: str | Path, *, text: Sequence[str] = ()) -> Table:
    r"""Read a table from a file; the suffix says how.

    ``.csv`` (separated by comma, semicolon, tab or bar), ``.tsv``, ``.parquet``, ``.jsonl``, ``.ndjson``, ``.json`` (a
    list of objects, or one per line), ``.xlsx``, ``.xls``, ``.ods`` (the first sheet that holds a table), ``.sav``,
    ``.zsav``, ``.por`` (SPSS), ``.dta`` (Stata), ``.sas7bdat``, ``.xpt`` (SAS). Any other suffix is read as CSV.
    Text files are UTF-8; empty cells are missing. Titles above the header are skipped, and a first line of numbers is
    data: then columns are called ``column_1`` and so on. In files of SPSS, Stata and SAS codes stay codes, cells with a
    code that is declared missing are missing, and the table carries labels and levels of measurement with it.

    Parameters
    ----------
    path : str or Path
        The file.
    text : sequence of str, default=()
        Ids: columns whose values must come back exactly as they stand in a text file. They become
        whole numbers only if printing the numbers gives the same text. Columns whose name says that
        they are ids are always treated so.

    Returns
    -------
    Table

    Raises
    ------
    TableError
        The file is missing, empty, has a header only, is not UTF-8, or is not a table.
    ColumnError
        Two columns have the same name.
    OptionalDependencyError
        Arrow, DuckDB for text files, calamine for Excel files, or pyreadstat for those of SPSS, Stata and SAS, is not
        installed.

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
    with require_extra("pyarrow", extra="cli", purpose="read tables"):
        import pyarrow as pa
    try:
        data, notes = _read(path, frozenset(text))
    except pa.ArrowException as error:
        raise TableError(not_a_table(path, str(error))) from error
    if data.num_columns == 0:
        raise TableError(not_a_table(path, "it has no columns"))
    if data.num_rows == 0:
        raise TableError(
            f"{str(path)!r} has a header ({', '.join(data.column_names[:8])}) and no rows. At least two rows of "
            "data are required. Check that the export was complete."
        )
    renamed = data.rename_columns(unique_names(data.column_names, path))
    return Table(renamed.replace_schema_metadata(data.schema.metadata), path, notes)


def find_source(
    given: Any = None,
    *,
    sql: str | None = None,
    database: str | Path | None = None,
    text: Collection[str] = (),
) -> Source:
    """Return a source, as `mixtura.data.sources.open_source` does; ids in text files stay text."""
    return open_source(
        given, sql=sql, database=database, as_text=lambda name: name in text or looks_like_id(name)
    )


def outline_of(source: Source, name: str) -> Table:
    """Return the names and the size of a source as a table in which every cell is missing."""
    import pyarrow as pa

    missing = pa.nulls(source.n_rows or 0)
    return Table(pa.table([missing] * len(source.columns), names=list(source.columns)), Path(name))


def whole_table(source: Source, name: str) -> Table:
    """Return all of a source as a table of this name."""
    return Table(read_whole(source), Path(name))


def table_of(frame: Any) -> Any:
    """Return what may be a path, a data set or a stream as a table in memory; dataframes as they are."""
    if not unread(frame):
        return frame
    if isinstance(frame, str | Path) and Path(frame).suffix.lower() in (*SURVEY_SUFFIXES, *_EXCEL):
        return read_table(frame).data
    found: pa.Table = read_whole(frame if isinstance(frame, Source) else find_source(frame))
    return found


def _check_file(path: Path) -> None:
    if not path.exists():
        raise TableError(missing_file(path))
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


def _read(path: Path, exact: frozenset[str]) -> tuple[pa.Table, tuple[str, ...]]:
    suffix = path.suffix.lower()
    if suffix in _PARQUET:
        return _read_parquet(path), ()
    if suffix in _JSON:
        return read_json_table(path), ()
    if suffix in SURVEY_SUFFIXES:
        return read_survey_table(path), ()
    return read_excel_table(path) if suffix in _EXCEL else read_text_table(path, exact)


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    # A file, not a path: Arrow would take a name such as year=2024/a.parquet for a partition. And Arrow's own file,
    # not Python's: its threads may let go of it while the interpreter ends, which aborts the process.
    with pa.OSFile(str(path)) as file:
        opened = parquet.ParquetFile(file, buffer_size=_BUFFER)
        names = opened.schema_arrow.names
        if len(set(names)) < len(names):
            return opened.read()
        # Column by column, and not all at once, which takes several times the memory of the table on the way.
        columns = [opened.read(columns=[name]).column(0) for name in names]
    release_arrow_memory()
    return pa.table(columns, schema=opened.schema_arrow)
