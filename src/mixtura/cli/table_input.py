"""The table of a command: files, patterns, folders, or a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixtura.exceptions import ParameterError, TableError

if TYPE_CHECKING:
    from mixtura.data.sources import Source
    from mixtura.io import Table

__all__ = ["CustomerTable", "Database", "NewCustomers", "SpoolDir", "Sql", "TableInput"]

CustomerTable = Annotated[
    list[str] | None,
    typer.Argument(
        help="CSV, TSV, Parquet, JSON lines, Arrow, Excel, SPSS, Stata or SAS; one row per customer. Several files, a "
        "pattern in quotes such as 'sales/*.parquet', or a folder are one table."
    ),
]
NewCustomers = Annotated[
    list[str] | None,
    typer.Argument(help="Customers, in a file or several; columns are matched by name, in any order."),
]
Sql = Annotated[str | None, typer.Option(help="A query instead of a table; with --database.")]
Database = Annotated[
    str | None,
    typer.Option(
        help="Where the query is asked: a file of DuckDB or SQLite, or postgresql://user@host/name."
    ),
]
SpoolDir = Annotated[
    Path | None,
    typer.Option(help="Folder for temporary files of tables larger than memory. [default: the system's]"),
]


@dataclass(frozen=True, slots=True)
class TableInput:
    """What was given as a table.

    Parameters
    ----------
    tables : sequence of str or None
        Files, patterns or folders.
    sql, database : str or None
        Instead of them.

    Raises
    ------
    ParameterError
        Neither was given, or both.
    """

    tables: Sequence[str] | None
    sql: str | None = None
    database: str | None = None

    def __post_init__(self) -> None:
        if not self.tables and self.sql is None and self.database is None:
            raise ParameterError(
                "A table is required: the name of a file, or a query with `sql` and `database`. Try customers.csv."
            )
        if self.tables and (self.sql is not None or self.database is not None):
            raise ParameterError(
                f"A table is required, or a query; got {self.tables[0]!r} and a query. Leave one of them out."
            )

    @property
    def name(self) -> str:
        """What the table is called in results."""
        if not self.tables:
            return "query"
        first = Path(self.tables[0]).name or str(self.tables[0])
        return first if len(self.tables) == 1 else f"{first} and {len(self.tables) - 1} more"

    @property
    def stem(self) -> str:
        """What the names of results begin with."""
        if not self.tables:
            return "query"
        stem = Path(self.tables[0]).name.split(".")[0] if self._is_plain else Path(self.tables[0]).stem
        return "".join(sign for sign in stem if sign not in "*?[]").strip("-_. ") or "table"

    @property
    def _is_plain(self) -> bool:
        assert self.tables, "asked of tables only"
        return len(self.tables) > 1 or Path(self.tables[0]).suffix.lower() in {".gz", ".zst"}

    @property
    def arguments(self) -> list[str]:
        """The same as words of a command line."""
        if self.tables:
            return list(self.tables)
        return ["--sql", self.sql or "", "--database", self.database or ""]

    @property
    def inputs(self) -> list[Path]:
        """The files that are read, as far as they are there."""
        from mixtura.data.sources.files import find_files

        if not self.tables:
            return [Path(self.database)] if self.database and "://" not in self.database else []
        try:
            return list(find_files(self.tables).paths)
        except TableError:
            # Reading says what is wrong.
            return []

    def read(self, *id_columns: str | None) -> Table:
        """Return the table in memory, its columns of ids as text, in which leading zeros stay."""
        from mixtura.io import read_table

        text = [name for name in id_columns if name is not None]
        if self._single is not None:
            return read_table(self._single, text=text)
        return self._whole(self._source(text))

    def open(
        self, *id_columns: str | None, on_rows: Callable[[int, int | None], object] | None = None
    ) -> Table | Source:
        """Return the table as `read` does, a large one as a source that can be read in parts.

        `on_rows` is called while a table is read that has to be read to know its length, see `Source.watched`.
        """
        from mixtura.io import read_table
        from mixtura.segments.large import LARGE_ROWS, counted

        text = [name for name in id_columns if name is not None]
        if self._single is not None and not _may_be_large(Path(self._single)):
            return read_table(self._single, text=text)
        source = self._source(text)
        source = counted(source if on_rows is None else source.watched(on_rows))
        if source.n_rows is not None and source.n_rows > LARGE_ROWS:
            return source
        return self._whole(source) if self._single is None else read_table(self._single, text=text)

    def rows(self, *id_columns: str | None) -> Any:
        """Return what `open` does, of a table in memory its dataframe alone."""
        from mixtura.data.sources import Source

        found = self.open(*id_columns)
        return found if isinstance(found, Source) else found.data

    def drawn(self, seed: int, *id_columns: str | None) -> Table:
        """Return the table as `read` does; of a large one as many rows as models are compared on, drawn at random."""
        from mixtura.data.sources import Source
        from mixtura.io import Table
        from mixtura.segments.large import LARGE_ROWS
        from mixtura.segments.large.draw_rows import draw_rows

        found = self.open(*id_columns)
        if not isinstance(found, Source):
            return found
        drawn = draw_rows(found, found.columns, LARGE_ROWS, seed)
        said = f"Looked at {drawn.table.num_rows:,} of {drawn.n_rows:,} rows, drawn at random."
        return Table(drawn.table, Path(self.name), (said,))

    @property
    def _single(self) -> str | None:
        """The one file that is read as a table of people is, whatever stands above its header."""
        one = self.tables[0] if self.tables and len(self.tables) == 1 else None
        return one if one is not None and _is_single(one) else None

    def _source(self, text: Sequence[str]) -> Source:
        from mixtura.io import find_source

        return find_source(self.tables or None, sql=self.sql, database=self.database, text=text)

    def _whole(self, source: Source) -> Table:
        from mixtura.io import whole_table

        return whole_table(source, self.name)


def _may_be_large(path: Path) -> bool:
    """Return whether a file may have more rows than are worked on in memory, by its size."""
    least = {".parquet": 500_000, ".pq": 500_000, ".csv": 4_000_000, ".tsv": 4_000_000, ".jsonl": 8_000_000}
    suffix = path.suffix.lower()
    return suffix in least and path.is_file() and path.stat().st_size > least[suffix]


def _is_single(given: str) -> bool:
    """Return whether it names one file that is read whole: not a folder, a pattern, or a file in parts."""
    path = Path(given)
    if path.exists() or not any(sign in given for sign in "*?["):
        return not path.is_dir() and path.suffix.lower() not in {".gz", ".zst", ".arrow", ".feather", ".ipc"}
    return False
