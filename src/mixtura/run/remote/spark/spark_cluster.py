"""The session of a Spark dataframe: asked to run functions where the rows are, and found out when it fails."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mixtura._optional import require_extra
from mixtura.exceptions import ClusterError
from mixtura.run.remote.spark.spark_errors import checked, explained

__all__ = ["PIECE_ROWS", "SparkCluster"]

PIECE_ROWS = 100_000
"""Rows of a batch that is packed into one record of bytes: what is sent to Python is then some large records."""

_BATCHES = "spark.sql.execution.arrow.maxRecordsPerBatch"


class SparkCluster:
    """What the session of a Spark dataframe is asked for.

    Parameters
    ----------
    frame : pyspark dataframe
    """

    def __init__(self, frame: Any) -> None:
        with require_extra("pyspark", extra="spark", purpose="compute on a Spark cluster"):
            from pyspark.errors import PySparkException
        self._session, self._error = frame.sparkSession, PySparkException

    def kept(self, frame: Any, function: Callable[[Iterable[Any]], Iterator[Any]], schema: str) -> Any:
        """Return what a function makes of the batches of each partition, as a dataframe that Spark keeps.

        It is computed when it is first asked for; what a lost executor had is made again.

        Parameters
        ----------
        frame : pyspark dataframe
        function : callable
            From batches of Arrow to such; pickles.
        schema : str
            Of what it makes, in Spark's words.
        """
        return frame.mapInArrow(checked(function), schema).persist()

    def collected(
        self,
        frame: Any,
        function: Callable[[Iterator[Any], int], list[Any]],
        n_records: int,
        unpack: Callable[[Iterable[Any]], Iterator[Any]] = iter,
    ) -> list[tuple[int, list[Any]]]:
        """Return each partition's number with the list that a function makes of it, where it is not empty.

        Parameters
        ----------
        frame : pyspark dataframe
        function : callable
            From what is unpacked of a partition, and its number.
        n_records : int
            How many records are sent to Python at a time.
        unpack : callable, optional
            From batches of Arrow to what the function takes; by default these.

        Raises
        ------
        ClusterError
            Spark cannot run it, or a worker has another version of mixtura, or none.
        """

        def run(batches: Iterable[Any]) -> Iterator[Any]:
            import pyarrow as pa
            from pyspark import TaskContext

            number = TaskContext.get().partitionId()
            found = function(unpack(batches), number)
            arrays = [pa.array([number]), pa.array([pickle.dumps(found)], pa.binary())]
            yield pa.RecordBatch.from_arrays(arrays, names=["part", "found"])

        with self.answering(), self.batches(n_records):
            rows = frame.mapInArrow(checked(run), "part bigint, found binary").collect()
        found = ((row.part, pickle.loads(row.found)) for row in rows)  # noqa: S301 -- of our own workers
        return sorted((pair for pair in found if pair[1]), key=lambda pair: pair[0])

    @contextmanager
    def batches(self, n_records: int) -> Iterator[None]:
        """Set how many records are sent to Python at a time; as it was afterward."""
        before = self._session.conf.get(_BATCHES)
        self._session.conf.set(_BATCHES, str(n_records))
        try:
            yield
        finally:
            self._session.conf.set(_BATCHES, before)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn errors of Spark into one that says what to do."""
        try:
            yield
        except (self._error, OSError) as error:
            raise ClusterError(explained(error)) from error
