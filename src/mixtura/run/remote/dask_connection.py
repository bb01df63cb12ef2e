"""The way to a Dask cluster: a scheduler somewhere, or workers that are started here."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mixtura._optional import require_extra
from mixtura.exceptions import ClusterError
from mixtura.run.remote.dask_cluster import DaskCluster

__all__ = ["dask_cluster", "require_seen"]

_CONNECTING = 10.0
"""Seconds in which a scheduler must be there."""


@contextmanager
def dask_cluster(address: str, n_workers: int = 1) -> Iterator[DaskCluster]:
    """Give a cluster, and disconnect at the end.

    Parameters
    ----------
    address : str
        Of a scheduler, such as ``tcp://scheduler:8786``; ``"local"`` starts workers on this machine.
    n_workers : int, default=1
        That are started here, of one thread each.

    Raises
    ------
    ClusterError
        Nothing answers there, or there are no workers.
    """
    with require_extra("distributed", extra="dask", purpose="compute on a Dask cluster"):
        import distributed
    # What it has to say it says by errors, which are raised here.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        place: Any = address
        if address == "local":
            made = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
            place = stack.enter_context(distributed.LocalCluster(**made))
        try:
            client = distributed.Client(place, timeout=_CONNECTING)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                f"`dask` must be the address of a scheduler that answers, or 'local'; {address!r} did not within "
                f"{_CONNECTING:.0f} s ({str(error) or type(error).__name__}). Try one such as tcp://scheduler:8786, "
                "and whether this machine reaches it."
            ) from error
        stack.enter_context(client)
        yield DaskCluster()


def require_seen(cluster: DaskCluster, paths: Sequence[Path]) -> None:
    """Raise `ClusterError` unless every worker sees these files and folders, and has mixtura as it is here."""
    here = version("mixtura")
    with cluster.answering():
        found = cluster.client.run(_looked_for, [str(path.absolute()) for path in paths])
    for worker, (there, missing) in found.items():
        if there != here:
            raise ClusterError(
                f"The worker {worker} has mixtura {there}; {here} is required there, as here. Install the "
                "same on all workers."
            )
        if missing:
            raise ClusterError(
                f"The worker {worker} does not see {missing[0]!r}. Every worker must see the files that are read, "
                "and the folder of the results, under the same names as this machine. Put them on a disk that all "
                "share."
            )


def _looked_for(paths: list[str]) -> tuple[str, list[str]]:
    """Return the version of mixtura here, and which files are not."""
    return version("mixtura"), [path for path in paths if not Path(path).exists()]
