"""Queries of databases as a source: DuckDB's files, and PostgreSQL and SQLite through ADBC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources.arrow import duckdb_reader
from mixtura.data.sources.batches import BATCH_ROWS, Source
from mixtura.exceptions import ParameterError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["connect_to", "database_source", "first_line"]

_SERVERS = ("postgresql://", "postgres://")


def database_source(database: str | Path, sql: str) -> Source:
    """Return the result of a query as a source, which is asked once.

    Parameters
    ----------
    database : str or Path
        A file of DuckDB or SQLite, or ``postgresql://user@host/name``.
    sql : str
        A SELECT; its order is that of the rows.

    Raises
    ------
    TableError
        There is no such database, it cannot be reached, or it refuses the query.
    ParameterError
        The query is empty.
    OptionalDependencyError
        The driver is not installed.
    """
    statement = sql.strip().rstrip(";").strip()
    if not statement:
        raise ParameterError("`sql` must be a query; got an empty text. Try `sql='SELECT * FROM customers'`.")
    with require_extra("pyarrow", extra="database", purpose="read tables"):
        import pyarrow  # noqa: F401, ICN001
    held, reader = _ask(str(database), statement)

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if not unused:
            raise TableError("The query has been answered already: its rows come once. Ask again.")
        unused.pop()
        try:
            for batch in reader:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.select(list(columns)).slice(start, BATCH_ROWS)
        except Exception as error:
            if isinstance(error, TableError | GeneratorExit):
                raise
            raise _broken(database, error) from error
        finally:
            for one in held:
                one.close()

    unused = [True]
    return Source("the query", reader.schema, read, repeatable=False)


def _ask(database: str, statement: str) -> tuple[tuple[Any, ...], pa.RecordBatchReader]:
    """Return what has to be closed in the end, and the answer."""
    connection = connect_to(database)
    try:
        if hasattr(connection, "sql"):
            return (connection,), duckdb_reader(connection, statement)
        cursor = connection.cursor()
        cursor.execute(statement)
        return (cursor, connection), cursor.fetch_record_batch()
    except Exception as error:
        connection.close()
        raise TableError(
            f"The database refuses the query ({first_line(error)}). A SELECT that it answers is required. Try it in "
            "the database's own client."
        ) from error


def connect_to(database: str) -> Any:
    """Return a connection to a database, whose files are only read; see `database_source`."""
    if database.startswith(_SERVERS):
        with require_extra("adbc-driver-postgresql", extra="database", purpose="ask PostgreSQL"):
            from adbc_driver_postgresql import dbapi as postgresql
        return _reached(lambda: postgresql.connect(database), database)
    path = Path(database.removeprefix("sqlite://").removeprefix("duckdb://"))
    if not path.is_file():
        raise TableError(
            f"There is no database {str(path)!r}. A file of DuckDB or SQLite, or postgresql://user@host/name, is "
            "required. Check the name."
        )
    with path.open("rb") as file:
        is_sqlite = file.read(15) == b"SQLite format 3"
    if is_sqlite:
        with require_extra("adbc-driver-sqlite", extra="database", purpose="ask SQLite"):
            from adbc_driver_sqlite import dbapi as sqlite
        return _reached(lambda: sqlite.connect(f"file:{path}?mode=ro"), database)
    with require_extra("duckdb", extra="cli", purpose="ask DuckDB"):
        import duckdb
    return _reached(lambda: duckdb.connect(str(path), read_only=True), database)


def _reached(connect: Any, database: str) -> Any:
    try:
        return connect()
    except Exception as error:
        raise TableError(
            f"The database {_without_password(database)!r} cannot be reached ({first_line(error)}). Check its "
            "address, that it runs, and that you may read it."
        ) from error


def _broken(database: str | Path, error: Exception) -> TableError:
    return TableError(
        f"The database {_without_password(str(database))!r} broke off while the query was answered "
        f"({first_line(error)}). Nothing was kept or written. Ask again."
    )


def first_line(error: Exception) -> str:
    """Return the first line of what a database says of an error."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[
        :200
    ]


def _without_password(database: str) -> str:
    """Return an address without the password that may stand in it."""
    scheme, found, rest = database.partition("://")
    user, at, host = rest.rpartition("@")
    return database if not found or not at else f"{scheme}://{user.partition(':')[0]}@{host}"
