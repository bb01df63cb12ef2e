"""A table of a database as a value: its rows stay there, and are asked for sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import FloatArray, IntArray
from mixtura.data.sources.arrow import duckdb_reader
from mixtura.data.sources.batches import Source
from mixtura.data.sources.database import connect_to, first_line
from mixtura.data.sources.row_numbers import fill_numbers
from mixtura.exceptions import ColumnError, MixturaError, ParameterError, TableError
from mixtura.expressions.dialects import Dialect, get_dialect
from mixtura.expressions.sql_names import NUMBER, check_names, numbered, table_name

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DatabaseTable"]

_DIALECTS = {
    "duckdb": "duckdb",
    "_duckdb": "duckdb",
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "postgresql": "postgresql",
}
"""The dialect of a connection by the package that it is from, or what ADBC calls the database."""

_TYPE_OF = {"duckdb": "typeof({})", "postgresql": "pg_typeof({})::text"}

_REFUSED = (
    "The database refuses a query ({}). A table that can be read, and an open connection, are required. Try the query "
    "in the database's own client."
)

_NUMBERS = (
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
    "float", "double", "decimal", "numeric", "real", "double precision",
)  # fmt: skip


class DatabaseTable:
    """A table, or the result of a query, in DuckDB or PostgreSQL, whose rows stay there.

    `mixtura.GaussianMixture.fit` takes it as rows: each pass is then one query.

    Parameters
    ----------
    connection : connection, str or Path
        Of DuckDB, or of PostgreSQL by psycopg or ADBC. Or where to connect to: a file of DuckDB, which is only read, or
        ``postgresql://user@host/name``; it is then closed by `close`, or at the end of a ``with``.
    table : str, optional
        Its name; a schema is separated by a dot, a name with a dot in it stands in double quotes.
    columns : sequence of str, optional
        That are used, in this order; by default all, but that of the weights. Those that are fitted to hold numbers.
    sql : str, optional
        A SELECT, instead of a table. It is asked once per pass: make a table of one that takes long.
    dialect : {"duckdb", "postgresql"}, optional
        By default that of the connection.
    aggregate : bool, optional
        Whether a pass is an aggregate query, which returns sums alone. So it is by default in PostgreSQL, another
        process. DuckDB is part of this process: by default the kernel reads its rows batch by batch, which
        takes an eighth of the time. Say True where its tables are in fact elsewhere.

    Attributes
    ----------
    columns : tuple of str
    types : dict of str to str
        What the database calls the type of each column of the table.

    Raises
    ------
    TableError
        The database cannot be reached, or has no such table, or refuses the query.
    ColumnError
        The table lacks a column.
    ParameterError
        A table and a query, or neither; or the connection is of another database.

    Examples
    --------
    >>> import duckdb
    >>> import mixtura
    >>> connection = duckdb.connect()
    >>> _ = connection.execute("CREATE TABLE t AS SELECT (i % 2) * 9 + i % 5 AS x FROM range(1000) r(i)")
    >>> table = mixtura.DatabaseTable(connection, "t")
    >>> table.columns
    ('x',)
    >>> mixtura.GaussianMixture(2, random_state=0).fit(table).means_.round(2).tolist()
    [[11.0], [2.0]]
    """

    def __init__(
        self,
        connection: Any,
        table: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        sql: str | None = None,
        dialect: str | None = None,
        aggregate: bool | None = None,
    ) -> None:
        if (table is None) == (sql is None):
            raise ParameterError(
                f"`table` or `sql` must be given, one of them; got {'neither' if table is None else 'both'}. Try "
                "`table='customers'`."
            )
        self._owned = isinstance(connection, str | Path)
        self._connection = connect_to(str(connection)) if self._owned else connection
        self.name = "the query" if table is None else table
        try:
            self.dialect = _dialect_of(self._connection, dialect)
            self.aggregate = _is_aggregated(self.dialect, aggregate)
            self.source = table_name(table or "", self.dialect) if sql is None else f"(\n{_statement(sql)}\n)"
            self.types = self._found()
            self.columns = tuple(self.types if columns is None else columns)
            for name in self.columns:
                self._require(name, "columns")
        except MixturaError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, where it was opened here."""
        if self._owned:
            self._connection.close()

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that a statement answers with; none where it has no answer.

        Raises
        ------
        TableError
            The database refuses it, or is not there any more.
        """
        return self._asked(statement, _REFUSED)[1]

    def batches(self, statement: str) -> Iterator[FloatArray]:
        """Yield the rows of numbers that a statement answers with, (n, C), many at a time; of DuckDB alone.

        Raises
        ------
        TableError
            The database refuses it, or is not there any more.
        """
        with require_extra("pyarrow", extra="database", purpose="read DuckDB's rows"):
            import pyarrow  # noqa: F401, ICN001
        try:
            reader = duckdb_reader(self._connection, statement)
            for batch in reader:
                found = np.empty((batch.num_rows, batch.num_columns))
                for position in range(batch.num_columns):
                    fill_numbers(found[:, position], batch.column(position))
                yield found
        except Exception as error:
            if isinstance(error, GeneratorExit):
                raise
            raise TableError(_REFUSED.replace("{}", first_line(error))) from error

    def fetch(self, statement: str) -> pa.Table:
        """Return the rows that a statement answers with as an Arrow table.

        Raises
        ------
        TableError
            The database refuses it, or is not there any more.
        """
        with require_extra("pyarrow", extra="database", purpose="read rows of a database"):
            import pyarrow as pa
        if hasattr(self._connection, "sql"):
            try:
                return duckdb_reader(self._connection, statement).read_all()
            except Exception as error:
                raise TableError(_REFUSED.replace("{}", first_line(error))) from error
        names, rows = self._asked(statement, _REFUSED)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        return pa.table({name: _arrow_of(pa, column) for name, column in zip(names, columns, strict=True)})

    def rows_at(self, numbers: IntArray, columns: Sequence[str]) -> pa.Table:
        """Return some columns of some rows by number, ascending, as an Arrow table in this order."""
        for name in columns:
            self._require(name, "columns")
        own = self.dialect.name_of
        listed = ", ".join(f"r.{own(name)}" for name in columns)
        held = numbered(self.source, numbers, self.dialect)
        return self.fetch(f"SELECT {listed} FROM {held} r ORDER BY r.{own(NUMBER)}")

    def outline(self, n_rows: int | None = None) -> Source:
        """Return the names of the columns as a source that nothing can be read of."""
        with require_extra("pyarrow", extra="database", purpose="read rows of a database"):
            import pyarrow as pa

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            raise TableError("Rows of a table that stays in its database are not read. Fetch some of them.")

        return Source(self.name, pa.schema([(name, pa.null()) for name in self.columns]), read, n_rows)

    def part(self, columns: Sequence[str], where: str | None = None) -> DatabaseTable:
        """Return the same table with other columns to fit to, and only the rows for which a condition holds.

        Parameters
        ----------
        columns : sequence of str
        where : str, optional
            Of columns of ``t``, in the dialect of the database.
        """
        found = copy(self)
        for name in columns:
            self.require_numbers(name, "columns")
        source = self.source if where is None else f"(SELECT t.* FROM {self.source} t WHERE {where})"
        vars(found).update(_owned=False, columns=tuple(columns), source=source)
        return found

    def _asked(self, statement: str, refusal: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns of an answer, and its rows."""
        # A cursor of DuckDB is another connection, which does not see temporary tables.
        is_duckdb = hasattr(self._connection, "sql")
        try:
            cursor = self._connection if is_duckdb else self._connection.cursor()
            try:
                cursor.execute(statement)
                names = [str(one[0]) for one in cursor.description or ()]
                return names, [tuple(row) for row in cursor.fetchall()] if names else []
            finally:
                if not is_duckdb:
                    cursor.close()
        except Exception as error:
            with suppress(Exception):
                self._connection.rollback()
            raise TableError(refusal.replace("{}", first_line(error))) from error

    def _require(self, name: str, parameter: str) -> None:
        if name not in self.types:
            raise ColumnError.missing(name, tuple(self.types), parameter)

    def require_numbers(self, name: str, parameter: str) -> None:
        """Raise `ColumnError` where there is no such column, or it does not hold numbers."""
        self._require(name, parameter)
        kind = self.types[name]
        if kind.lower().partition("(")[0] not in _NUMBERS:
            raise ColumnError(
                f"Column {name!r} must hold numbers; got {self.dialect.name}'s {kind}. Name the `columns` to use, "
                "without it, or cast it in a query.",
                column=name,
            )

    def _found(self) -> dict[str, str]:
        """Return the names and types of all columns."""
        if self.dialect.before:
            self.ask(self.dialect.before)
        names, _ = self._asked(
            f"SELECT * FROM {self.source} t LIMIT 0",
            f"{self.name!r} cannot be read from the database ({{}}). The name of a table or a SELECT, and an open "
            "connection, are required. Check its name, and that you may read it.",
        )
        check_names(names, self.dialect)
        listed = ", ".join(
            _TYPE_OF[self.dialect.name].format(f"t.{self.dialect.name_of(one)}") for one in names
        )
        kinds = self.ask(f"SELECT {listed} FROM (SELECT 1 AS one) one LEFT JOIN {self.source} t ON FALSE")
        return dict(zip(names, map(str, kinds[0]), strict=True))


def _arrow_of(pa: Any, values: Sequence[Any]) -> Any:
    """Return values of Python as a column; as text where Arrow does not know them."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if one is None else str(one) for one in values])


def _is_aggregated(dialect: Dialect, asked: bool | None) -> bool:
    """Return whether a pass is an aggregate query."""
    if dialect.name == "duckdb":
        return bool(asked)
    if asked is not None and not asked:
        raise ParameterError(
            f"`aggregate` must be True for {dialect.name}, whose rows are in another process; got False."
        )
    return True


def _statement(sql: str) -> str:
    statement = sql.strip().rstrip(";").strip()
    if not statement:
        raise ParameterError("`sql` must be a query; got an empty text. Try `sql='SELECT * FROM customers'`.")
    return statement


def _dialect_of(connection: Any, dialect: str | None) -> Dialect:
    package = type(connection).__module__.partition(".")[0]
    if hasattr(connection, "adbc_get_info"):
        package = str(connection.adbc_get_info().get("vendor_name", package)).lower()
    name = _DIALECTS.get(package) if dialect is None else dialect
    if name not in _TYPE_OF:
        got = f"one of {package}" if dialect is None else f"dialect {dialect!r}"
        raise ParameterError(
            f"`connection` must be of DuckDB or PostgreSQL; got {got}. Read the rows instead, with `database` and "
            "`sql`, or name the `dialect`."
        )
    return get_dialect(name)
