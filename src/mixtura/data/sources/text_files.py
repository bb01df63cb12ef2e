"""CSV and JSON-lines files as a source; DuckDB finds their dialect and types, and reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources.arrow import duckdb_reader
from mixtura.data.sources.batches import Source
from mixtura.data.sources.files import AsText, FileSet
from mixtura.exceptions import ColumnError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_text", "text_source"]

_SAMPLE = 100_000
"""Rows by which DuckDB decides what type a column has."""

_MEMORY = "400MB"


def text_source(files: FileSet, kind: str, as_text: AsText) -> Source:
    """Return text tables ("csv"), or files with a JSON object per line ("json"), as a source.

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
            first = _names(connection, kind, [files.paths[0]])
            for path in files.paths[1:]:
                _require_same(first, _names(connection, kind, [path]), path, files.paths[0])
            texts = [name for name in first if as_text(name)]
            relation = _relation(kind, files.paths, texts)
            schema = duckdb_reader(connection, f"SELECT * FROM {relation} LIMIT 0").schema
            types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()}
    except duckdb.Error as error:
        raise _unreadable(files.name, error) from error

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in files.paths:
            files.check(path)
        listed = ", ".join(_quoted(name) for name in columns)
        try:
            with _connected() as connection:
                yield from duckdb_reader(connection, f"SELECT {listed} FROM {relation}")
        except duckdb.Error as error:
            raise _unreadable(files.name, error) from error
        for path in files.paths:
            files.check(path)

    def pieces() -> list[Any]:
        from mixtura.data.sources.pieces import pieces_of_text

        return list(pieces_of_text(files, kind, schema, types))

    return Source(files.name, schema, read, None, files.n_bytes, pieces=pieces)


def read_text(
    kind: str, path: Path, types: Mapping[str, str], columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file, with types that are known: those that several files have together.

    Raises
    ------
    TableError
        It cannot be read so.
    """
    import duckdb

    listed = ", ".join(f"{_literal(name)}: {_literal(one)}" for name, one in types.items())
    given = f"columns={{{listed}}}" if kind == "json" else f"types={{{listed}}}, sample_size={_SAMPLE}"
    try:
        with _connected() as connection:
            chosen = ", ".join(_quoted(name) for name in columns)
            found = f"read_{kind}({_literal(str(path))}, {given})"
            yield from duckdb_reader(connection, f"SELECT {chosen} FROM {found}")
    except duckdb.Error as error:
        raise _unreadable(repr(str(path)), error) from error


def _connected() -> Any:
    import duckdb

    # In order, and without a store of its own on disk.
    return duckdb.connect(config={"memory_limit": _MEMORY, "preserve_insertion_order": True})


def _names(connection: Any, kind: str, paths: Sequence[Path]) -> tuple[str, ...]:
    found = connection.execute(f"DESCRIBE SELECT * FROM {_relation(kind, paths, [])}").fetchall()
    return tuple(row[0] for row in found)


def _relation(kind: str, paths: Sequence[Path], texts: Sequence[str]) -> str:
    listed = "[" + ", ".join(_literal(str(path)) for path in paths) + "]"
    several = ", union_by_name=true" if len(paths) > 1 else ""
    if kind == "json":
        return f"read_json({listed}, format='auto', sample_size={_SAMPLE}{several})"
    types = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in texts)
    kept = f", types={{{types}}}" if texts else ""
    return f"read_csv({listed}, sample_size={_SAMPLE}{kept}{several})"


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
    lines = [line for line in str(error).splitlines() if line.strip()]
    return TableError(
        f"{name} cannot be read as a table ({' '.join(lines[:3])[:300]}). A header, and rows of as many cells, "
        "are required, and columns that hold numbers to their end. Correct the file, or write it as Parquet."
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
