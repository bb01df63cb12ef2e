"""A runner on a Dask cluster: rows stay with the workers, passes go out, and sums come back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from mixtura.core.protocols import Blocks, Pass, RowState, Runner
from mixtura.run.remote.dask_cluster import DaskCluster
from mixtura.run.remote.dask_connection import require_seen
from mixtura.run.remote.job import Job, step_of
from mixtura.run.remote.remote_runner import RemoteRunner, added

__all__ = ["DaskRunner"]

T = TypeVar("T")

_FAN_IN = 16
"""Sums that are added at a time, first by workers, at last here: a tree that depends on the number of parts alone."""


class DaskRunner(RemoteRunner):
    """Run passes where the partitions of a Dask collection are; see `RemoteRunner`.

    Partitions that a lost worker had are made again from their source.

    Raises
    ------
    ClusterError
        There is no client of a cluster, or the cluster does not answer or has no workers.
    """

    def __init__(self, local: Runner, serial: Runner) -> None:
        super().__init__(local, serial)
        self._cluster = DaskCluster()

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

        Raises
        ------
        ClusterError
            A worker has another version of mixtura, or none.
        """
        require_seen(self._cluster, [])
        delayed = self._cluster.delayed
        packed = [delayed(pack)(*part) for part in parts]
        # One part for a thread: each costs the scheduler, the client and a worker milliseconds a pass.
        n = min(len(packed), self._cluster.n_threads)
        cuts = [len(packed) * i // n for i in range(n + 1)]
        futures = self._cluster.held([delayed(join)(packed[a:b]) for a, b in pairwise(cuts)])
        return futures, self._cluster.each(_found, futures)

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        source, step = step_of(blocks, task, states)
        parts, starts, numbers = zip(*source.places(), strict=True)
        sent: Any = pickle.dumps(Job(self._serial, step))
        client = self._cluster.client
        with self._cluster.answering():
            if len(sent) * len(parts) > 1e6:  # once to the cluster; workers pass it on among themselves
                sent = client.submit(bytes, sent, pure=False)
            sums = client.map(_run, parts, starts, numbers, [sent] * len(parts), pure=False)
            while len(sums) > _FAN_IN:
                groups = [sums[first : first + _FAN_IN] for first in range(0, len(sums), _FAN_IN)]
                sums = client.map(added, groups, [task] * len(groups), pure=False)
        total: T = added(self._cluster.gather(sums), task)
        return total


def _found(packed: Any) -> Any:
    return packed.found()


def _run(packed: Any, start: int, number: int, job: bytes) -> Any:
    work: Job[Any] = pickle.loads(job)  # noqa: S301 -- packed by the driver of this fit
    return work(packed, start, number)
