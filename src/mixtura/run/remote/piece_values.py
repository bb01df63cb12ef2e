"""What Spark keeps of each piece of a dataframe: named among the arguments of functions that go there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PieceValue", "Read", "by_partition", "made_columns", "reading", "resolved", "sizes_of"]

Read = Callable[[Any], Any]
"""From the bytes of a column to what they hold."""


@dataclass(frozen=True, slots=True)
class PieceValue:
    """Something that Spark keeps of one piece.

    Parameters
    ----------
    place : tuple of int
        The partition, and the number of the piece in it.
    name : str
        Of the column that has it.
    """

    place: tuple[int, int]
    name: str


def by_partition(rows: Iterable[tuple[Any, ...]]) -> dict[int, dict[int, tuple[Any, ...]]]:
    """Return arguments by the place of the piece that they are of: its partition, its number."""
    found: dict[int, dict[int, tuple[Any, ...]]] = {}
    for row in rows:
        partition, number = next(one.place for one in row if isinstance(one, PieceValue))
        found.setdefault(partition, {})[number] = row
    return found


def resolved(row: tuple[Any, ...], record: Any, readers: Mapping[str, Read]) -> list[Any]:
    """Return arguments with what a record holds in the place of its names."""
    return [
        readers[one.name](record.column(one.name)[0].as_buffer()) if isinstance(one, PieceValue) else one
        for one in row
    ]


def sizes_of(batches: Iterator[Any], partition: int) -> list[int]:
    """Return the rows of each piece of a partition."""
    return [size for batch in batches for size in batch.column("size").to_pylist()]


def reading(read: Read) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Return what reads the pieces of batches of one column."""

    def unpack(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            yield from (read(value.as_buffer()) for value in batch.column(0))

    return unpack


def made_columns(
    function: Callable[..., tuple[bytes, ...]],
    asked: Mapping[int, Mapping[int, tuple[Any, ...]]],
    readers: Mapping[str, Read],
    names: tuple[str, ...],
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Return what makes records of other columns, named, of those of a partition."""

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa
        from pyspark import TaskContext

        wanted = asked.get(TaskContext.get().partitionId(), {})
        for number, record in enumerate(batches):
            made = function(*resolved(wanted[number], record, readers))
            kept = [record.column("size"), *(pa.array([one], pa.binary()) for one in made)]
            yield pa.RecordBatch.from_arrays(kept, names=["size", *names])

    return run
