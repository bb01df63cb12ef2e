"""Arrow in memory, data sets, and streams: whatever follows the Arrow PyCapsule protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources.batches import BATCH_ROWS, Source
from mixtura.exceptions import TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_source", "dataset_source", "duckdb_reader", "is_arrow", "stream_source", "table_source"]


def is_arrow(X: Any) -> bool:
    """Return whether something is a data set of Arrow, or gives its rows as a stream of Arrow."""
    is_dataset = type(X).__module__.startswith("pyarrow") and hasattr(X, "scanner")
    return is_dataset or hasattr(X, "__arrow_c_stream__")


def arrow_source(X: Any) -> Source:
    """Return tables, data sets, readers of record batches, and all that has ``__arrow_c_stream__``, as a source."""
    with require_extra("pyarrow", extra="cli", purpose="read tables"):
        import pyarrow as pa
    if isinstance(X, pa.Table):
        return table_source(X)
    if hasattr(X, "scanner"):
        return dataset_source(X)
    reader = X if isinstance(X, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(X)
    return stream_source(reader, f"the {type(X).__name__}")


def table_source(table: pa.Table, name: str = "the table") -> Source:
    """Return a table in memory as a source; nothing is copied."""

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return iter(table.select(list(columns)).to_batches(max_chunksize=BATCH_ROWS))

    return Source(name, table.schema, read, table.num_rows, table.nbytes)


def dataset_source(dataset: Any) -> Source:
    """Return a data set of Arrow as a source; its order of fragments is that of the rows."""
    import pyarrow as pa

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        try:
            yield from dataset.to_batches(
                columns=list(columns), batch_size=BATCH_ROWS, batch_readahead=2, fragment_readahead=1
            )
        except (pa.ArrowException, OSError) as error:
            raise TableError(
                f"The data set cannot be read ({error}). Check its files, or write them again."
            ) from error

    return Source("the data set", dataset.schema, read)


def duckdb_reader(connection: Any, statement: str) -> pa.RecordBatchReader:
    """Return what DuckDB answers as a reader of record batches; it computes them as they are read."""
    answer = connection.sql(statement)
    # The name before DuckDB 1.4.
    found = getattr(answer, "to_arrow_reader", None) or answer.fetch_arrow_reader
    return found(BATCH_ROWS)


def stream_source(reader: pa.RecordBatchReader, name: str) -> Source:
    """Return a reader of record batches as a source, which can be read once."""
    import pyarrow as pa

    unused = [reader]

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if not unused:
            raise TableError(
                f"{name} has been read already: a stream gives its rows once. Give a table, a file or a data set."
            )
        try:
            for batch in unused.pop():
                yield batch.select(list(columns))
        except (pa.ArrowException, OSError) as error:
            raise TableError(
                f"{name} broke off while it was read ({error}). Nothing was kept. Open it again and repeat."
            ) from error

    return Source(name, reader.schema, read, repeatable=False)
