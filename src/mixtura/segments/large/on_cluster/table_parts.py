"""What workers do with their part of a table: count and draw rows, hold the columns that are needed, find ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray, IntArray
from mixtura.core.evaluate import hash_numbers
from mixtura.core.protocols import Blocks, MixedRows, continuous_rows
from mixtura.data.packing import PackedRows, PartFound
from mixtura.data.sources.batches import BATCH_ROWS
from mixtura.data.sources.pieces import FilePiece
from mixtura.exceptions import DataError
from mixtura.segments.large.draw_rows import SmallestRows
from mixtura.segments.large.spooled_table import ids_at
from mixtura.segments.large.table_reader import NeededColumns, ReadCounts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "FileParts",
    "FrameParts",
    "HeldPart",
    "HeldSummary",
    "TablePart",
    "common_schema",
    "count_rows",
    "draw_part",
    "hold_part",
    "ids_of_part",
    "outline_of",
    "summary_of",
]


class TablePart(Protocol):
    """Some consecutive rows of a table, which a worker reads as often as it is asked to."""

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class FileParts:
    """Pieces of files that stand one after the other."""

    pieces: tuple[FilePiece, ...]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in order."""
        for piece in self.pieces:
            yield from piece.batches(columns)


@dataclass(frozen=True, slots=True, eq=False)
class FrameParts:
    """Partitions of a dataframe that stand one after the other."""

    frames: tuple[Any, ...]
    schema: pa.Schema

    @classmethod
    def of(cls, frames: Sequence[Any], schema: pa.Schema) -> FrameParts:
        """Return these partitions, pandas' frames."""
        return cls(tuple(frames), schema)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in order."""
        import pyarrow as pa

        schema = pa.schema([self.schema.field(name) for name in columns])
        for frame in self.frames:
            table = pa.Table.from_pandas(frame[list(columns)], schema=schema, preserve_index=False)
            yield from table.to_batches(max_chunksize=BATCH_ROWS)


@dataclass(frozen=True, slots=True, eq=False)
class HeldPart:
    """The columns of a part that are needed, as its worker keeps them.

    Parameters
    ----------
    packed : PackedRows
        The n usable rows in the user's units, and their weights.
    complete : ndarray of shape (N,), bool
        Which rows of the part they are.
    described : dict of str to ndarray of shape (n,)
        Further columns: numbers, or the codes of levels.
    read : ReadCounts
        What is missing in the usable rows, or unknown.
    """

    packed: PackedRows
    complete: BoolArray
    described: dict[str, Array]
    read: ReadCounts

    def blocks(self, start: int, number: int) -> Blocks:
        """Return its blocks, given the numbers of its first row and first block among all."""
        return self.packed.blocks(start, number)

    def column(self, name: str) -> Array:
        """Return one of the further columns."""
        return self.described[name]


@dataclass(frozen=True, slots=True, eq=False)
class HeldSummary:
    """What is known here of a part that a worker holds.

    Parameters
    ----------
    n_rows : int
        All, usable or not.
    found : PartFound
        Of the usable ones.
    read : ReadCounts
    """

    n_rows: int
    found: PartFound
    read: ReadCounts


def outline_of(frames: Sequence[Any]) -> tuple[int, pa.Schema]:
    """Return how many rows pandas' frames have, and the names and types of their columns."""
    import pyarrow as pa

    try:
        schemas = [pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata() for frame in frames]
    except pa.ArrowException as error:
        raise _several_types(error) from error
    return sum(map(len, frames)), common_schema(schemas)


def common_schema(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return types that hold what those of the same columns in several places do: text where others have no value.

    Raises
    ------
    DataError
        A column has words in one place, and numbers in another.
    """
    import pyarrow as pa

    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise _several_types(error) from error


def _several_types(error: Exception) -> DataError:
    return DataError(
        f"Each column of a dataframe on a cluster must hold values of one type; got {error}. Convert the column, or "
        "leave it out."
    )


def count_rows(part: TablePart, column: str) -> int:
    """Return how many rows a part has; one column is read."""
    return sum(batch.num_rows for batch in part.batches([column]))


def draw_part(
    part: TablePart, start: int, columns: Sequence[str], n_rows: int, bound: np.uint64, seed: int
) -> list[tuple[pa.RecordBatch, IntArray, Array]]:
    """Return the rows of a part with the smallest hashes, as `SmallestRows.add` takes them.

    Parameters
    ----------
    part : TablePart
    start : int
        The number of its first row among all.
    columns : sequence of str
    n_rows, bound, seed
        How many rows are drawn of all, the hash that they lie below, and what hashes depend on.
    """
    kept = SmallestRows(n_rows, bound)
    for batch in part.batches(columns):
        numbers = np.arange(start, start + batch.num_rows)
        start += batch.num_rows
        kept.add(batch, numbers, hash_numbers(numbers, seed))
    return kept.kept()


def hold_part(part: TablePart, n_rows: int, needed: NeededColumns) -> HeldPart:
    """Return the columns of a part that a segmentation needs.

    Raises
    ------
    DataError
        A weight is missing or negative.
    """
    reader, read = needed.reader, ReadCounts(needed.reader)
    rows: FloatArray = np.empty((n_rows, len(reader.numbers.columns)))
    levels: IntArray = np.empty((n_rows, reader.n_levels), dtype=np.int32)
    complete, counted = np.zeros(n_rows, dtype=bool), np.empty(0 if needed.weight is None else n_rows)
    columns: dict[str, Array] = {one.name: np.empty(n_rows, dtype=one.dtype) for one in needed.described}
    place = end = 0
    for batch in part.batches(needed.columns):
        found, weights, further = needed.read(batch)
        read.add(found)
        complete[place : place + batch.num_rows] = found.complete
        here = slice(end, end + len(found.table))
        rows[here] = continuous_rows(found.table)
        if isinstance(found.table, MixedRows):
            levels[here] = found.table.levels
        if weights is not None:
            counted[here] = weights
        for kept, values in zip(columns.values(), further, strict=True):
            kept[here] = values
        place, end = place + batch.num_rows, here.stop
    modeled = reader.modeled
    table = rows[:end] if modeled is None else MixedRows(rows[:end], levels[:end], modeled)
    packed = PackedRows.of(table, None if needed.weight is None else counted[:end])
    return HeldPart(packed, complete, {name: one[:end] for name, one in columns.items()}, read)


def summary_of(held: HeldPart) -> HeldSummary:
    """Return what is known here of a part that a worker holds."""
    return HeldSummary(held.complete.size, held.packed.found(), held.read)


def ids_of_part(
    part: TablePart, held: HeldPart, rows: IntArray, id_column: str | None, start: int
) -> tuple[IntArray, list[str]]:
    """Return the numbers in the table of some usable rows of a part, and the ids of these customers.

    Parameters
    ----------
    part : TablePart
    held : HeldPart
    rows : ndarray of shape (n,)
        Ascending, numbered among the usable rows of the part.
    id_column : str or None
    start : int
        The number of the first row of the part in the table.
    """
    numbers = np.flatnonzero(held.complete)[rows]
    if id_column is None:
        return numbers + start, [str(number + start + 1) for number in numbers]
    return numbers + start, ids_at(part.batches([id_column]), numbers)
