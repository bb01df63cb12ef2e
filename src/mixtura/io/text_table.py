"""Text tables: DuckDB reads the cells, and types the columns.

Cells are read as text and become numbers only where nothing is lost, so that ids such as ``007`` or ``1.50`` come back
exactly as they were.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mixtura._optional import require_extra
from mixtura.data.sources.text.dialect import dialect_of
from mixtura.data.sources.text.encoding import check_text, check_utf8
from mixtura.data.sources.text.table_errors import not_a_table
from mixtura.data.sources.text.text_types import typed_columns
from mixtura.exceptions import TableError
from mixtura.io.column_names import looks_like_id

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_text_table"]


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
            dialect = dialect_of(connection, path)
            connection.execute(f"CREATE TABLE cells AS SELECT * FROM {dialect.cells(path)}")
        except (duckdb.Error, UnicodeDecodeError) as error:
            check_utf8(path)
            raise TableError(not_a_table(path, str(error))) from error
        exactly = {name for name in dialect.names if name in exact or looks_like_id(name)}
        found = typed_columns(connection, "cells", dialect.names, decimal=dialect.decimal, exact=exactly)
        return found, dialect.notes
