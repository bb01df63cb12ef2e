"""A runner on Spark: rows stay in its executors' Python, passes go out by `mapInArrow`, and sums come back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from mixtura.core.protocols import Blocks, Partition, Pass, RowState, Runner
from mixtura.run.remote.job import Job, step_of
from mixtura.run.remote.remote_runner import RemoteRunner, added
from mixtura.run.remote.spark.spark_cluster import PIECE_ROWS, SparkCluster
from mixtura.run.remote.spark.spark_unpersist import unpersist_with

__all__ = ["SparkRunner"]

T = TypeVar("T")

Unpack = Callable[[Iterable[Any]], Iterator[Any]]


class SparkRunner(RemoteRunner):
    """Run passes where the partitions of a Spark dataframe are; see `RemoteRunner`.

    Rows are packed once, and kept by Spark, which makes those of a lost executor again.

    Parameters
    ----------
    frame : pyspark dataframe
    local, serial
        As of `RemoteRunner`.
    unpack : callable, optional
        From batches of the dataframe to partitions, where Spark keeps it packed already; see `load`.
    """

    def __init__(self, frame: Any, local: Runner, serial: Runner, unpack: Unpack = iter) -> None:
        super().__init__(local, serial)
        self._cluster, self._frame, self._unpack = SparkCluster(frame), frame, unpack

    def load(
        self, pack: Callable[..., Any], unpack: Unpack, schema: str
    ) -> tuple[list[int], list[list[Any]]]:
        """Keep rows packed; return the numbers of the partitions, and what each says it found, piece by piece."""
        packed = self._cluster.kept(self._frame, pack, schema)
        unpersist_with(self, packed)
        self._frame, self._unpack = packed, unpack
        found = self._cluster.collected(
            packed, lambda pieces, partition: [piece.found() for piece in pieces], PIECE_ROWS, unpack
        )
        return [number for number, _ in found], [pieces for _, pieces in found]

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        source, step = step_of(blocks, task, states)
        sent = pickle.dumps(Job(self._serial, step))
        places = source.pieces()

        def sums(pieces: Iterator[Partition], partition: int) -> list[Any]:
            job: Job[Any] = pickle.loads(sent)  # noqa: S301 -- packed by the driver of this fit
            here = zip(pieces, places.get(partition, ()), strict=True)
            found = [job(one, *place) for one, place in here if place is not None]
            return [added(found, task)] if found else []

        found = [one for _, (one,) in self._cluster.collected(self._frame, sums, 1, self._unpack)]
        while len(found) > 1:  # neighbors: a tree that depends on the number of partitions alone
            found = [added(found[first : first + 2], task) for first in range(0, len(found), 2)]
        total: T = found[0]
        return total
