"""Which source it is that was given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from mixtura.data.sources.arrow import arrow_source, is_arrow
from mixtura.data.sources.batches import Source
from mixtura.data.sources.files import AsText, find_files, format_of
from mixtura.exceptions import ParameterError

__all__ = ["open_source", "unread"]


def open_source(
    X: Any = None,
    *,
    sql: str | None = None,
    database: str | Path | None = None,
    as_text: AsText = lambda name: False,
) -> Source:
    """Return what is to be read as a source; nothing but names and types is read yet.

    Parameters
    ----------
    X : path, pattern, folder, or a sequence of these; Arrow table, data set or reader; or anything with \
``__arrow_c_stream__``
    sql : str, optional
        A query, instead of X.
    database : str or Path, optional
        Where it is asked: a file of DuckDB or SQLite, or ``postgresql://...``.
    as_text : callable, optional
        Which columns of text files stay text.

    Raises
    ------
    ParameterError
        A query without a database, or the other way round, or a query and X.
    TableError
        It cannot be read.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from mixtura.data.sources import open_source
    >>> source = open_source(pa.table({"income": [31.5, 60.0], "age": [44, 27]}))
    >>> source.columns, source.n_rows, [batch.to_pydict() for batch in source.batches(["age"])]
    (('income', 'age'), 2, [{'age': [44, 27]}])
    """
    if sql is not None or database is not None:
        if sql is None or database is None or X is not None:
            raise ParameterError(
                "`sql` and `database` belong together, without a table; got "
                f"{'a table and ' if X is not None else ''}{'no query' if sql is None else 'a query'} and "
                f"{'no database' if database is None else 'a database'}. Try `sql='SELECT * FROM customers'` with "
                "`database='crm.duckdb'`."
            )
        from mixtura.data.sources.database import database_source

        return database_source(database, sql)
    if is_arrow(X):
        return arrow_source(X)
    files = find_files(X)
    kind = format_of(files)
    if kind in {"parquet", "ipc"}:
        from mixtura.data.sources.binary_files import binary_source

        return binary_source(files, kind)
    from mixtura.data.sources.text.text_files import text_source

    return text_source(files, kind, as_text)


def unread(X: Any) -> bool:
    """Return whether something is a source that has to be read: paths, data sets, and readers of Arrow."""
    if isinstance(X, Source | str | Path):
        return True
    if isinstance(X, Sequence) and len(X) and all(isinstance(one, str | Path) for one in X):
        return True
    if isinstance(X, np.ndarray) or not is_arrow(X):
        return False
    try:
        found = nw.from_native(X, pass_through=True, allow_series=True)
    except DuplicateError:  # two columns have one name: a frame, which is refused where names matter
        return False
    return not isinstance(found, nw.DataFrame | nw.LazyFrame | nw.Series)
