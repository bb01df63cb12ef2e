"""A runner on Spark: rows stay in its executors' Python, passes go out by `mapInArrow`, and sums come back."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mixtura._optional import require_extra
from mixtura.core.protocols import Blocks, Partition, Pass, RowState, Runner
from mixtura.exceptions import ClusterError
from mixtura.run.remote.job import Job, step_of
from mixtura.run.remote.remote_runner import RemoteRunner, added

__all__ = ["SparkRunner"]

T = TypeVar("T")

_ROWS = 100_000
"""Rows of a batch that is packed into one piece of bytes: what is sent to Python is then some large pieces."""

_BATCHES = "spark.sql.execution.arrow.maxRecordsPerBatch"

Unpack = Callable[[Iterable[Any]], Iterator[Any]]


class SparkRunner(RemoteRunner):
    """Run passes where the partitions of a Spark dataframe are; see `RemoteRunner`.

    Rows are packed once, and kept by Spark, which makes those of a lost executor again.

    Parameters
    ----------
    frame : pyspark dataframe
    local, serial
        As of `RemoteRunner`.
    """

    def __init__(self, frame: Any, local: Runner, serial: Runner) -> None:
        with require_extra("pyspark", extra="spark", purpose="compute on a Spark cluster"):
            from pyspark.errors import PySparkException
        super().__init__(local, serial)
        self._frame, self._session, self._error = frame, frame.sparkSession, PySparkException
        self._unpack: Unpack = iter

    def load(
        self, pack: Callable[..., Any], unpack: Unpack, schema: str
    ) -> tuple[list[int], list[list[Any]]]:
        """Keep rows packed; return the numbers of the partitions, and what each says it found, piece by piece."""
        packed = self._frame.mapInArrow(pack, schema).persist()
        weakref.finalize(self, packed.unpersist).atexit = False  # Spark may be over by then
        with self._batches(_ROWS):
            self._frame, self._unpack = packed, unpack
            found = self._collect(lambda pieces, partition: [piece.found() for piece in pieces])
        return [number for number, _ in found], [pieces for _, pieces in found]

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        source, step = step_of(blocks, task, states)
        sent = pickle.dumps(Job(self._serial, step))
        places = source.pieces()

        def sums(pieces: Iterator[Partition], partition: int) -> list[Any]:
            job: Job[Any] = pickle.loads(sent)  # noqa: S301 -- packed by the driver of this fit
            found = [job(one, *place) for one, place in zip(pieces, places.get(partition, ()), strict=True)]
            return [added(found, task)] if found else []

        with self._batches(1):
            found = [one for _, (one,) in self._collect(sums)]
        while len(found) > 1:  # neighbors: a tree that depends on the number of partitions alone
            found = [added(found[first : first + 2], task) for first in range(0, len(found), 2)]
        total: T = found[0]
        return total

    def _collect(self, function: Callable[[Iterator[Any], int], list[Any]]) -> list[Any]:
        """Return each partition's number with the list that a function makes of its pieces, where it is not empty."""
        unpack = self._unpack

        def run(batches: Iterable[Any]) -> Iterator[Any]:
            import pyarrow as pa
            from pyspark import TaskContext

            number = TaskContext.get().partitionId()
            found = function(unpack(batches), number)
            arrays = [pa.array([number]), pa.array([pickle.dumps(found)], pa.binary())]
            yield pa.RecordBatch.from_arrays(arrays, names=["part", "found"])

        try:
            rows = self._frame.mapInArrow(run, "part bigint, found binary").collect()
        except (self._error, OSError) as error:
            raise ClusterError(_explained(error)) from error
        found = ((row.part, pickle.loads(row.found)) for row in rows)  # noqa: S301 -- of our own workers
        return sorted((pair for pair in found if pair[1]), key=lambda pair: pair[0])

    @contextmanager
    def _batches(self, n_records: int) -> Iterator[None]:
        """Set how many records are sent to Python at a time; as it was afterward."""
        before = self._session.conf.get(_BATCHES)
        self._session.conf.set(_BATCHES, str(n_records))
        try:
            yield
        finally:
            self._session.conf.set(_BATCHES, before)


def _explained(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    if "No module named" in str(error):
        return (
            "Spark's Python workers must have mixtura, with its extra 'spark'. Set PYSPARK_PYTHON to a Python that has "
            f"it, or send an environment along (spark.archives); got {lines[-1]}"
        )
    return f"Spark could not run a pass: {lines[-1] if lines else error}. What was saved by a checkpoint is kept."
