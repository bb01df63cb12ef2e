"""Parquet and Arrow IPC files as a source; Arrow reads them, of each the needed columns alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources.batches import BATCH_ROWS, Source
from mixtura.data.sources.files import FileSet, is_compressed
from mixtura.exceptions import ColumnError, TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["binary_source", "in_turn", "naming", "opened_file", "read_batches"]

_BUFFER = 1 << 20
"""Bytes of a Parquet file that are read at a time."""


def binary_source(files: FileSet, kind: str) -> Source:
    """Return Parquet ("parquet") or Arrow ("ipc") files as a source.

    Raises
    ------
    TableError
        A file is not one, or has other columns or types than the first.
    """
    with require_extra("pyarrow", extra="cli", purpose="read tables"):
        import pyarrow as pa
    schema: pa.Schema | None = None
    n_rows: int | None = 0
    for path in files.paths:
        with naming(path), opened_file(path, kind) as opened:
            found, count = _outline(opened, kind)
        found = _with_partition(found, files.partition(path))
        schema = found if schema is None else _same(schema, found, path, files.paths[0])
        n_rows = None if n_rows is None or count is None else n_rows + count
    assert schema is not None, "a set of files holds at least one"
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise ColumnError(
            f"Names of columns must be unique; {twice!r} repeats in {files.name}.", column=twice
        )
    types = pa.schema(schema)

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for path in files.paths:
            files.check(path)
            with naming(path), opened_file(path, kind) as opened:
                yield from read_batches(opened, kind, list(columns), files.partition(path), types)
            files.check(path)

    def pieces() -> list[Any]:
        from mixtura.data.sources.pieces import pieces_of_binary

        return list(pieces_of_binary(files, kind, types))

    return Source(files.name, types, read, n_rows, files.n_bytes, pieces=pieces)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in errors of reading it."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(
            f"{str(path)!r} cannot be read as it says it is ({str(error)[:200]}). A whole file is required: it may be "
            "damaged or cut off. Write it again, or leave it out."
        ) from error


@contextmanager
def opened_file(path: Path, kind: str) -> Iterator[Any]:
    """Give a Parquet or Arrow file, open."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    # Arrow's own files, not Python's: its threads may let go of them while the interpreter ends.
    if kind == "parquet":
        with pa.OSFile(str(path)) as file:
            yield parquet.ParquetFile(file, buffer_size=_BUFFER)
    elif is_compressed(path):
        with (
            pa.OSFile(str(path)) as file,
            pa.CompressedInputStream(file, pa.Codec.detect(str(path)).name) as plain,
        ):
            yield ipc.open_stream(plain)
    else:
        with pa.OSFile(str(path)) as file:
            try:
                yield ipc.open_file(file)
            except pa.ArrowInvalid:
                file.seek(0)
                yield ipc.open_stream(file)


def _outline(opened: Any, kind: str) -> tuple[pa.Schema, int | None]:
    if kind == "parquet":
        return _plain(opened.schema_arrow), int(opened.metadata.num_rows)
    return _plain(opened.schema), None


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return names and types alone; text that polars writes as views is plain text, as Arrow takes no rows of views."""
    import pyarrow as pa

    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return pa.schema([(one.name, views.get(one.type, one.type)) for one in schema])


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    schema = _plain(batch.schema)
    return batch if schema.types == batch.schema.types else batch.cast(schema)


def read_batches(
    opened: Any,
    kind: str,
    columns: list[str],
    partition: dict[str, str],
    schema: pa.Schema,
    groups: Sequence[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an opened file, columns that folders say included.

    Parameters
    ----------
    opened
        From `opened_file`.
    kind : {"parquet", "ipc"}
    columns : list of str
    partition : dict of str to str
    schema : pyarrow.Schema
    groups : sequence of int or None, default=None
        Which row groups of a Parquet file; None for all.
    """
    own = [name for name in columns if name not in partition]
    if kind == "parquet":
        # Some row groups at a time: a reader of all keeps what it has read of each.
        found = (
            batch
            for some in in_turn(opened.metadata, groups)
            for batch in opened.iter_batches(batch_size=BATCH_ROWS, row_groups=some, columns=own)
        )
    elif hasattr(opened, "num_record_batches"):
        found = (opened.get_batch(number) for number in range(opened.num_record_batches))
    else:
        found = iter(opened)
    for batch in found:
        if partition:
            batch = _filled(batch, partition, schema)
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield _without_views(batch.select(columns).slice(start, BATCH_ROWS))


def in_turn(metadata: Any, groups: Sequence[int] | None = None) -> Iterator[list[int]]:
    """Yield the numbers of row groups, by default of all, as many at a time as have the rows of a batch."""
    held, n_rows = list[int](), 0
    for number in range(metadata.num_row_groups) if groups is None else groups:
        held.append(number)
        n_rows += metadata.row_group(number).num_rows
        if n_rows >= BATCH_ROWS:
            yield held
            held, n_rows = [], 0
    if held:
        yield held


def _with_partition(schema: pa.Schema, partition: dict[str, str]) -> pa.Schema:
    import pyarrow as pa

    for name, value in partition.items():
        if name not in schema.names:
            schema = schema.append(
                pa.field(name, pa.int64() if value.lstrip("-").isdecimal() else pa.string())
            )
    return schema


def _filled(batch: pa.RecordBatch, partition: dict[str, str], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    for name, value in partition.items():
        if name not in batch.schema.names:
            kind = schema.field(name).type
            same = pa.repeat(pa.scalar(value).cast(kind), batch.num_rows)
            batch = batch.append_column(pa.field(name, kind), same)
    return batch


def _same(schema: pa.Schema, found: pa.Schema, path: Path, first: Path) -> pa.Schema:
    if found.names != schema.names:
        absent = [name for name in schema.names if name not in found.names]
        more = [name for name in found.names if name not in schema.names]
        said = (
            f"lacks {absent[0]!r}"
            if absent
            else f"has {more[0]!r} beside them"
            if more
            else "has another order"
        )
        raise TableError(
            f"{str(path)!r} has other columns than {str(first)!r}: it {said}. All files must have the same. Leave it "
            "out, or write it again."
        )
    for field in schema:
        if found.field(field.name).type != field.type:
            raise TableError(
                f"{field.name!r} is {found.field(field.name).type} in {str(path)!r} and {field.type} in "
                f"{str(first)!r}. All files must have the same types. Leave it out, or write it again."
            )
    return schema
