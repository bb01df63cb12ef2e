"""A Dask cluster: asked to compute, and found out when it is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from mixtura._optional import require_extra
from mixtura.exceptions import ClusterError, MixturaError

__all__ = ["DaskCluster"]

_PATIENCE = 30.0
"""Seconds in which a scheduler must answer."""


class DaskCluster:
    """What a client of `distributed` is asked for, by default the one that was made last.

    Raises
    ------
    ClusterError
        There is no client, or the cluster does not answer or has no workers.
    """

    def __init__(self) -> None:
        with require_extra("distributed", extra="dask", purpose="compute on a Dask cluster"):
            import distributed
            from dask import delayed
        self._dask, self.delayed = distributed, delayed
        try:
            self.client = distributed.get_client()
        except ValueError as error:
            raise ClusterError(
                "Rows in a Dask collection need a client of the cluster that holds them; there is none. Try `client = "
                "dask.distributed.Client()` before, which uses this machine, or Client('tcp://scheduler:8786')."
            ) from error
        with self.answering():
            self.client.wait_for_workers(1, timeout=_PATIENCE)

    @property
    def n_threads(self) -> int:
        """Threads of all workers."""
        return max(1, int(sum(self.client.nthreads().values())))

    @property
    def n_workers(self) -> int:
        return len(self.client.nthreads())

    def each(self, function: Callable[..., Any], *values: Sequence[Any]) -> list[Any]:
        """Return what a function makes of the first of all values, of the second, and so on; workers compute it."""
        made = [self.delayed(function, pure=False)(*ones) for ones in zip(*values, strict=True)]
        with self.answering():
            futures = self.client.compute(made)
        return self.gather(futures)

    def held(self, made: Sequence[Any]) -> list[Any]:
        """Return delayed values as futures: what workers keep, and make again where one is lost.

        Neighbors go to one worker, as many to each as it has threads: left to itself the scheduler may give all to
        one. Once they are made they may be anywhere, so that nothing waits for a worker that is lost.
        """
        seats = [worker for worker, threads in self.client.nthreads().items() for _ in range(threads)]
        asked = {"allow_other_workers": True, "optimize_graph": False}
        keys = dict.fromkeys(key for one in made for key in one.__dask_graph__())
        with self.answering():
            futures = [
                self.client.compute(one, workers=[seats[place * len(seats) // len(made)]], **asked)
                for place, one in enumerate(made)
            ]
            self.gather(self.client.map(bool, futures, pure=False))
            self.client.sync(self.client.scheduler.set_restrictions, worker=keys)
        return futures

    def gather(self, futures: Sequence[Any]) -> list[Any]:
        """Return results; that a scheduler no longer answers is noticed while waiting for them."""
        with self.answering():
            while True:
                try:
                    self._dask.wait(futures, timeout=_PATIENCE)
                except TimeoutError:
                    self.client.sync(self.client.scheduler.identity, callback_timeout=_PATIENCE)
                else:
                    return list(self.client.gather(futures))

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn errors of a cluster that is lost into one that says so."""
        lost = (CancelledError, TimeoutError, self._dask.comm.CommClosedError, self._dask.KilledWorker)
        try:
            yield
        except lost as error:
            raise ClusterError(
                f"The Dask cluster was lost or did not answer within {_PATIENCE:.0f} s: {error}. What was saved by a "
                "checkpoint is kept; connect again and go on from there."
            ) from error
        except ImportError as error:
            if isinstance(error, MixturaError):
                raise
            raise ClusterError(
                f"A worker of the Dask cluster lacks a library ({error}). Its Python must have mixtura as this one "
                'does: pip install "mixtura[dask,cli]".'
            ) from error
