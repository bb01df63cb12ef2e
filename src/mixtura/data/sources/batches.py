"""A source: columns with names and types, and their rows as batches of Arrow, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.exceptions import ColumnError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BATCH_ROWS", "Source", "no_rows", "read_whole"]

BATCH_ROWS = 131_072
"""Rows that are asked for at a time: of ten columns about ten megabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A table somewhere else.

    Parameters
    ----------
    name : str
        What it is called in texts.
    schema : pyarrow.Schema
        Names are unique.
    read : callable
        From names of columns to an iterator of record batches with these columns, in the order of the rows.
    n_rows : int or None, default=None
        None where it is not known before they are read.
    n_bytes : int or None, default=None
        About how large it is where it lies, compressed or not.
    repeatable : bool, default=True
        Whether it can be read several times, and is the same each time.
    pieces : callable or None, default=None
        Returns its rows, in order, as values that other machines can read, see `FilePiece`; None where the table is
        not in files.
    """

    name: str
    schema: pa.Schema
    read: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
    n_rows: int | None = None
    n_bytes: int | None = None
    repeatable: bool = True
    pieces: Callable[[], list[Any]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.schema.names)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in order; batches without rows are left out.

        Parameters
        ----------
        columns : sequence of str or None, default=None
            Which columns, in which order; None for all.

        Raises
        ------
        ColumnError
            There is no such column.
        TableError
            It cannot be read.
        """
        wanted = list(self.columns if columns is None else columns)
        for name in wanted:
            if name not in self.columns:
                raise ColumnError.missing(name, self.columns, "columns")
        return (batch for batch in self.read(wanted) if batch.num_rows)

    def watched(self, on_rows: Callable[[int, int | None], object]) -> Source:
        """Return the source, with an observer of every reading of it.

        Parameters
        ----------
        on_rows : callable
            Called after each batch, from the thread that reads, with how many rows were read in this reading, and how
            many there are, None where that is not known.
        """

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            done = 0
            for batch in self.read(columns):
                done += batch.num_rows
                on_rows(done, self.n_rows)
                yield batch

        return replace(self, read=read)

    def only(self, columns: Sequence[str]) -> Source:
        """Return some of the columns, of which no others are read."""
        import pyarrow as pa

        schema = pa.schema([self.schema.field(name) for name in columns])
        return replace(self, schema=schema)


def read_whole(source: Source, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a source as a table in memory.

    Raises
    ------
    TableError
        It cannot be read, or has no rows.
    """
    with require_extra("pyarrow", extra="cli", purpose="read tables"):
        import pyarrow as pa
    wanted = list(source.columns if columns is None else columns)
    batches = list(source.batches(wanted))
    if not batches:
        raise no_rows(source)
    return pa.Table.from_batches(batches)


def no_rows(source: Source) -> TableError:
    """Return the error for a source without rows."""
    listed = ", ".join(source.columns[:8])
    return TableError(
        f"{source.name} has columns ({listed}) and no rows. At least two rows of data are required. Check that the "
        "export, or the query, was complete."
    )
