"""How the rows of a Spark dataframe are kept: pieces of Arrow as they came, then what a segmentation needs of them."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixtura.segments.large.on_cluster.table_parts import HeldPart, TablePart, hold_part
from mixtura.segments.large.table_reader import NeededColumns

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ArrowPart", "hold_piece", "pack_pieces", "read_held"]


@dataclass(frozen=True, slots=True, eq=False)
class ArrowPart:
    """Some consecutive rows, as bytes of an Arrow stream."""

    stream: Any

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in order."""
        import pyarrow as pa

        with pa.ipc.open_stream(pa.py_buffer(self.stream)) as reader:
            for batch in reader:
                yield batch.select(list(columns))


def pack_pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield a record of bytes for each batch that has rows."""
    import pyarrow as pa

    for batch in batches:
        if batch.num_rows:
            arrays = [pa.array([batch.num_rows]), pa.array([_as_bytes([batch])], pa.binary())]
            yield pa.RecordBatch.from_arrays(arrays, names=["size", "piece"])


def hold_piece(
    part: TablePart, n_rows: int, needed: NeededColumns, id_column: str | None
) -> tuple[bytes, bytes]:
    """Return the ids of a piece, and the columns that a segmentation needs, see `hold_part`; both as bytes."""
    held = hold_part(part, n_rows, needed)
    ids = b"" if id_column is None else _as_bytes(list(part.batches([id_column])))
    return ids, pickle.dumps(held, protocol=5)


def read_held(data: Any) -> HeldPart:
    """Return what `hold_piece` made bytes of."""
    found: HeldPart = pickle.loads(data)  # noqa: S301 -- packed by the workers of this fit
    return found


def _as_bytes(batches: list[pa.RecordBatch]) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data
