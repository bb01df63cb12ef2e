"""What runners on clusters have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array
from mixtura.core.protocols import Blocks, Pass, RowState, Runner
from mixtura.exceptions import ParameterError
from mixtura.run.remote.row_states import Filled, Held, ReplayedState

__all__ = ["RemoteRunner", "added"]

T = TypeVar("T")


class RemoteRunner:
    """A runner whose passes all workers share, so that tasks of `map` follow each other.

    Parameters
    ----------
    local : Runner
        For rows in the memory of this process.
    serial : Runner
        That workers run a pass with, each part of the rows on one thread: they report all cores of their machine.
    """

    n_workers = 1

    def __init__(self, local: Runner, serial: Runner) -> None:
        self._local, self._serial = local, serial

    def alone(self) -> Any:
        return self

    def in_memory(self) -> Runner:
        return self._local

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        raise NotImplementedError

    def state(self, blocks: Blocks, dtype: npt.DTypeLike, columns: int = 0, fill: float = 0) -> RowState:
        return ReplayedState(self, blocks, Filled(np.dtype(dtype).str, columns, fill))

    def held(self, blocks: Blocks, name: str) -> ReplayedState:
        """Return a column that partitions hold beside their rows."""
        return ReplayedState(self, blocks, Held(name))

    def state_of(self, values: Array | RowState) -> RowState:
        if isinstance(values, ReplayedState):
            return values
        raise ParameterError(
            "Numbers per row, such as a partition as `init_params`, must lie where the rows are; got an array in "
            "memory for rows on a cluster. Try init_params='kmeans', or means_init."
        )

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tasks]


def added(sums: Sequence[T], task: Pass[T]) -> T:
    """Return the sum of results of a pass, from the left."""
    total = sums[0]
    for more in sums[1:]:
        total = task.add(total, more)
    return total
