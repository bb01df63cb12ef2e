"""Tables from several files, compressed ones, data sets and databases, read into memory."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.data.sources import Source, open_source, read_whole
from mixtura.io.column_names import looks_like_id
from mixtura.io.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["find_source", "read_source", "table_of"]


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


def read_source(
    given: Any = None,
    *,
    sql: str | None = None,
    database: str | Path | None = None,
    text: Collection[str] = (),
    name: str = "table",
) -> Table:
    """Read files, a data set, a stream of Arrow, or the answer of a database as one table.

    Parameters
    ----------
    given : path, pattern, folder, sequence of these, or anything that gives Arrow, optional
    sql : str, optional
        A query instead.
    database : str or Path, optional
        Where it is asked.
    text : collection of str, default=()
        Columns of text files that stay text, as those do whose names say that they are ids.
    name : str, default="table"
        What the table is called.

    Raises
    ------
    TableError
        It cannot be read, files differ in their columns, or there are no rows.
    ColumnError
        Two columns have the same name.
    OptionalDependencyError
        What reads it is not installed.
    """
    return Table(read_whole(find_source(given, sql=sql, database=database, text=text)), Path(name))


def table_of(frame: Any) -> Any:
    """Return what may be a path, a data set or a stream as a table in memory; dataframes as they are."""
    from mixtura.data.sources import unread

    if not unread(frame):
        return frame
    found: pa.Table = read_whole(frame if isinstance(frame, Source) else find_source(frame))
    return found
