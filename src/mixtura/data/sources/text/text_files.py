"""Text tables and JSON-lines files as a source; DuckDB reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources.arrow import duckdb_reader
from mixtura.data.sources.batches import Source
from mixtura.data.sources.files import AsText, FileSet, is_compressed
from mixtura.data.sources.text.dialect import TextDialect, dialect_of, literal
from mixtura.data.sources.text.encoding import check_text
from mixtura.data.sources.text.line_ranges import TextQuery
from mixtura.data.sources.text.text_types import typed_by_first_rows
from mixtura.exceptions import ColumnError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_query", "text_source"]

_SAMPLE = 100_000
"""Rows by which it is decided what type a column has."""

_MEMORY = "400MB"


def text_source(files: FileSet, kind: str, as_text: AsText) -> Source:
    """Return text tables ("csv"), or files with a JSON object per line ("json"), as a source.

    Text tables have the dialect and the types that they have when they are read whole; types are decided by the first
    100,000 rows.

    Parameters
    ----------
    files : FileSet
        Compressed as .gz or .zst, or not.
    kind : {"csv", "json"}
    as_text : callable
        Which columns stay text, whatever they hold.

    Raises
    ------
    TableError
        A file cannot be read, or has other columns than the first.
    """
    with require_extra("duckdb", extra="cli", purpose="read text tables"):
        import duckdb
    with require_extra("pyarrow", extra="cli", purpose="read tables"):
        import pyarrow  # noqa: F401, ICN001
    for path in files.paths:
        files.check(path)
    try:
        with _connected() as connection:
            queries = (_of_csv if kind == "csv" else _of_json)(connection, files, as_text)
            relation = "(" + " UNION ALL BY NAME ".join(one.whole for one in queries.values()) + ")"
            schema = duckdb_reader(connection, f"SELECT * FROM {relation} LIMIT 0").schema
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise _unreadable(files.name, error) from error

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in files.paths:
            files.check(path)
        yield from read_query(relation, columns, files.name)
        for path in files.paths:
            files.check(path)

    def pieces() -> list[Any]:
        from mixtura.data.sources.pieces import pieces_of_text

        return list(pieces_of_text(files, kind, schema, queries))

    return Source(files.name, schema, read, None, files.n_bytes, pieces=pieces)


def read_query(query: str, columns: Sequence[str], name: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a query of files.

    Raises
    ------
    TableError
        They cannot be read so; the message has `name`.
    """
    import duckdb

    listed = ", ".join(_quoted(column) for column in columns)
    try:
        with _connected() as connection:
            yield from duckdb_reader(connection, f"SELECT {listed} FROM {query}")
    except (duckdb.Error, OSError) as error:  # Arrow's, where DuckDB stops while batches are read
        raise _unreadable(name, error) from error


def _of_csv(connection: Any, files: FileSet, as_text: AsText) -> dict[Path, TextQuery]:
    """Return what selects the rows of each text table, with the types of all together."""
    dialects: dict[Path, TextDialect] = {}
    for path in files.paths:
        if not is_compressed(path):
            check_text(path)
        dialects[path] = dialect_of(connection, path)
        _require_same(dialects[files.paths[0]].names, dialects[path].names, path, files.paths[0])
    names = dialects[files.paths[0]].names
    each = max(_SAMPLE // len(files.paths), 1000)
    first = " UNION ALL BY NAME ".join(
        f"(SELECT {one.named()} FROM {one.cells(path)} LIMIT {each})" for path, one in dialects.items()
    )
    connection.execute(f"CREATE TEMP TABLE first_rows AS {first}")
    decimal = "," if any(one.decimal == "," for one in dialects.values()) else "."
    texts = [name for name in names if as_text(name)]
    types = typed_by_first_rows(
        connection, "first_rows", [name for name in names if name not in texts], decimal=decimal
    )
    dates = _dates(connection, files.paths[0], dialects[files.paths[0]], {*names} - {*texts} - {*types})
    listed = ", ".join(f"{ {**types, **dates}.get(name, _text(name)) } AS {_quoted(name)}" for name in names)

    def select(dialect: TextDialect, path: Path) -> str:
        return f"(SELECT {listed} FROM (SELECT {dialect.named()} FROM {dialect.cells(path)}))"

    return {
        path.absolute(): TextQuery(
            select(one, path.absolute()), select(replace(one, skip=0), path.absolute()), one.quote
        )
        for path, one in dialects.items()
    }


def _text(name: str) -> str:
    """Return how a column of text is read: an empty one is missing."""
    return rf"CASE WHEN regexp_full_match({_quoted(name)}, '\s*') THEN NULL ELSE {_quoted(name)} END"


def _dates(connection: Any, path: Path, dialect: TextDialect, names: Collection[str]) -> dict[str, str]:
    """Return how columns of dates and times are read, by the formats that DuckDB finds in the first file."""
    import duckdb

    sniffed = f"sniff_csv({literal(str(path))}, header=false, {dialect.options()}, sample_size={_SAMPLE})"
    try:
        row = connection.execute(f"SELECT Columns, DateFormat, TimestampFormat FROM {sniffed}").fetchall()[0]
    except duckdb.Error:
        return {}
    formats, found = {"DATE": row[1], "TIMESTAMP": row[2]}, dict[str, str]()
    for name, column in zip(dialect.names, row[0], strict=False):
        kind = str(column["type"])
        if name in names and kind in formats:
            written = formats[kind]
            parsed = f"strptime({_quoted(name)}, {literal(written)})" if written else _quoted(name)
            found[name] = f"CAST({parsed} AS {kind})"
    return found


def _of_json(connection: Any, files: FileSet, as_text: AsText) -> dict[Path, TextQuery]:
    """Return what selects the rows of each file of objects, with the types of all together."""
    names = [_names(connection, [path]) for path in files.paths]
    for path, found in zip(files.paths, names, strict=True):
        _require_same(names[0], found, path, files.paths[0])
    described = connection.execute(f"DESCRIBE FROM {_json(files.paths)}").fetchall()
    types = ", ".join(f"{literal(row[0])}: {literal(row[1])}" for row in described)
    return {
        path.absolute(): TextQuery(f"(FROM read_json({literal(str(path.absolute()))}, columns={{{types}}}))")
        for path in files.paths
    }


def _connected() -> Any:
    import duckdb

    # In order, and without a store of its own on disk.
    return duckdb.connect(config={"memory_limit": _MEMORY, "preserve_insertion_order": True})


def _names(connection: Any, paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(f"DESCRIBE FROM {_json(paths)}").fetchall())


def _json(paths: Sequence[Path]) -> str:
    listed = "[" + ", ".join(literal(str(path)) for path in paths) + "]"
    several = ", union_by_name=true" if len(paths) > 1 else ""
    return f"read_json({listed}, format='auto', sample_size={_SAMPLE}{several})"


def _require_same(first: tuple[str, ...], found: tuple[str, ...], path: Path, where: Path) -> None:
    if set(found) == set(first):
        return
    absent = [name for name in first if name not in found] or [name for name in found if name not in first]
    said = "lacks" if absent[0] in first else "has, beside them,"
    raise ColumnError(
        f"{str(path)!r} has other columns than {str(where)!r}: it {said} {absent[0]!r}. All files must have the same. "
        "Leave it out, or write it again.",
        column=absent[0],
    )


def _unreadable(name: str, error: Exception) -> TableError:
    said = str(error).partition("\nLINE ")[0]  # what follows is the query
    lines = [line for line in said.splitlines() if line.strip()]
    return TableError(
        f"{name} cannot be read as a table ({' '.join(lines[:3])[:300]}). A header, and rows of as many cells, "
        "are required, and columns that hold numbers to their end. Correct the file, or write it as Parquet."
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
