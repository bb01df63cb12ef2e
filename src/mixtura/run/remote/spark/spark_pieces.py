"""What Spark keeps of a dataframe, piece by piece: functions go to the pieces, what they find comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mixtura.run.remote.piece_values import (
    PieceValue,
    Read,
    by_partition,
    made_columns,
    reading,
    resolved,
    sizes_of,
)
from mixtura.run.remote.spark.spark_cluster import PIECE_ROWS, SparkCluster
from mixtura.run.remote.spark.spark_unpersist import unpersist_with

__all__ = ["SparkPieces"]


class SparkPieces:
    """Pieces of consecutive rows, a record each, in columns of bytes.

    Parameters
    ----------
    cluster : SparkCluster
    frame : pyspark dataframe
        That Spark keeps: ``size bigint``, the rows of a piece, and binary columns.
    readers : mapping of str to callable
        What the bytes of each column are read with.
    n_records : int
        Rows that are sent to Python at a time where the pieces are made.

    Raises
    ------
    ClusterError
        Spark cannot make them.
    """

    def __init__(
        self, cluster: SparkCluster, frame: Any, readers: Mapping[str, Read], n_records: int
    ) -> None:
        self._cluster, self._frame, self._readers = cluster, frame, dict(readers)
        self._release = unpersist_with(self, frame)
        found = cluster.collected(frame, sizes_of, n_records)
        self.places = [(number, place) for number, sizes in found for place in range(len(sizes))]
        self.sizes: list[int] = [size for _, sizes in found for size in sizes]

    @classmethod
    def of(
        cls, frame: Any, pack: Callable[[Iterable[Any]], Iterator[Any]], name: str, read: Read
    ) -> SparkPieces:
        """Return a dataframe in pieces: `pack` makes a record of each batch, with the columns ``size`` and `name`."""
        cluster = SparkCluster(frame)
        kept = cluster.kept(frame, pack, f"size bigint, {name} binary")
        return cls(cluster, kept, {name: read}, PIECE_ROWS)

    @property
    def n_partitions(self) -> int:
        """How many partitions have rows."""
        return len({partition for partition, _ in self.places})

    def values(self, name: str) -> list[PieceValue]:
        """Return a column, piece by piece."""
        return [PieceValue(place, name) for place in self.places]

    def each(self, function: Callable[..., Any], *values: Sequence[Any]) -> list[Any]:
        """Return what a function makes of the first of all values, of the second, and so on, where the pieces are.

        One of the values is a `PieceValue`, at least; all are of one piece.
        """
        asked = by_partition(zip(*values, strict=True))
        readers = self._readers

        def run(batches: Iterator[Any], partition: int) -> list[Any]:
            wanted = asked.get(partition, {})
            here = ((wanted[number], record) for number, record in enumerate(batches) if number in wanted)
            return [function(*resolved(row, record, readers)) for row, record in here]

        return [one for _, ones in self._cluster.collected(self._frame, run, 1) for one in ones]

    def mapped(
        self, function: Callable[..., tuple[bytes, ...]], readers: Mapping[str, Read], *values: Sequence[Any]
    ) -> SparkPieces:
        """Return other columns of the same pieces; these are let go.

        Parameters
        ----------
        function : callable
            Makes the bytes of each column.
        readers : mapping of str to callable
        *values : sequence
            As of `each`, for all pieces in order.
        """
        asked = by_partition(zip(*values, strict=True))
        run = made_columns(function, asked, self._readers, tuple(readers))
        schema = ", ".join(["size bigint", *(f"{name} binary" for name in readers)])
        found = SparkPieces(self._cluster, self._cluster.kept(self._frame, run, schema), readers, 1)
        self._release()
        return found

    def arrives(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Yield columns of all pieces, in order: a partition comes here at a time."""
        with self._cluster.answering():
            for record in self._frame.select(*names).toLocalIterator():
                yield tuple(self._readers[name](bytes(record[name])) for name in names)

    def partitions_of(self, name: str) -> tuple[Any, Callable[[Iterable[Any]], Iterator[Any]]]:
        """Return a dataframe of one column, and what reads it from batches."""
        return self._frame.select(name), reading(self._readers[name])
