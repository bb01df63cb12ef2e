"""A runner on a Dask cluster: rows stay with the workers, passes go out, and sums come back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeVar

from mixtura._optional import require_extra
from mixtura.core.protocols import Blocks, Pass, RowState, Runner
from mixtura.exceptions import ClusterError
from mixtura.run.remote.job import Job, step_of
from mixtura.run.remote.remote_runner import RemoteRunner, added

__all__ = ["DaskRunner"]

T = TypeVar("T")
PARTS_PER_THREAD = 2
"""Parts that a thread of the cluster has: each costs the scheduler milliseconds a pass, several even out the work."""

_FAN_IN = 16
"""Sums that are added at a time, first by workers, at last here: a tree that depends on the number of parts alone."""

_PATIENCE = 30.0
"""Seconds in which a scheduler must answer."""


class DaskRunner(RemoteRunner):
    """Run passes where the partitions of a Dask collection are; see `RemoteRunner`.

    Partitions that a lost worker had are made again from their source.

    Raises
    ------
    ClusterError
        There is no client of a cluster, or the cluster does not answer or has no workers.
    """

    def __init__(self, local: Runner, serial: Runner) -> None:
        with require_extra("distributed", extra="dask", purpose="compute on a Dask cluster"):
            import distributed
            from dask import delayed
        super().__init__(local, serial)
        self._dask, self._delayed = distributed, delayed
        try:
            self._client = distributed.get_client()
        except ValueError as error:
            raise ClusterError(
                "Rows in a Dask collection need a client of the cluster that holds them; there is none. Try `client = "
                "dask.distributed.Client()` before, which uses this machine, or Client('tcp://scheduler:8786')."
            ) from error
        with self._answering():
            self._client.wait_for_workers(1, timeout=_PATIENCE)

    def load(self, parts: Sequence[Sequence[Any]], pack: Callable[..., Any], join: Callable[..., Any]) -> Any:
        """Return partitions as workers keep them, and what each says it found.

        Parameters
        ----------
        parts : sequence of tuple
            The delayed partitions of one or more collections.
        pack : callable
            Of these, what is kept of one.
        join : callable
            Of a list of neighbors, what a worker computes on in one go.
        """
        packed = [self._delayed(pack)(*part) for part in parts]
        n = min(len(packed), PARTS_PER_THREAD * max(1, sum(self._client.nthreads().values())))
        cuts = [len(packed) * i // n for i in range(n + 1)]
        joined = [self._delayed(join)(packed[a:b]) for a, b in pairwise(cuts)]
        with self._answering():
            futures = self._client.compute(joined)
            return futures, self._gather(self._client.map(_found, futures, pure=False))

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        source, step = step_of(blocks, task, states)
        parts, starts, numbers = zip(*source.places(), strict=True)
        sent: Any = pickle.dumps(Job(self._serial, step))
        with self._answering():
            if len(sent) * len(parts) > 1e6:  # once to the cluster; workers pass it on among themselves
                sent = self._client.submit(bytes, sent, pure=False)
            sums = self._client.map(_run, parts, starts, numbers, [sent] * len(parts), pure=False)
            while len(sums) > _FAN_IN:
                groups = [sums[first : first + _FAN_IN] for first in range(0, len(sums), _FAN_IN)]
                sums = self._client.map(added, groups, [task] * len(groups), pure=False)
            total: T = added(self._gather(sums), task)
        return total

    def _gather(self, futures: Sequence[Any]) -> list[Any]:
        """Return results; that a scheduler no longer answers is noticed while waiting for them."""
        while True:
            try:
                self._dask.wait(futures, timeout=_PATIENCE)
            except TimeoutError:
                self._client.sync(self._client.scheduler.identity, callback_timeout=_PATIENCE)
            else:
                return list(self._client.gather(futures))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        lost = (CancelledError, TimeoutError, self._dask.comm.CommClosedError, self._dask.KilledWorker)
        try:
            yield
        except lost as error:
            raise ClusterError(
                f"The Dask cluster was lost or did not answer within {_PATIENCE:.0f} s: {error}. What was saved by a "
                "checkpoint is kept; connect again and go on from there."
            ) from error


def _found(packed: Any) -> Any:
    return packed.found()


def _run(packed: Any, start: int, number: int, job: bytes) -> Any:
    work: Job[Any] = pickle.loads(job)  # noqa: S301 -- packed by the driver of this fit
    return work(packed, start, number)
