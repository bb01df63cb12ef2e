"""One block after the other, on the calling thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mixtura.core.protocols import Block, Blocks

__all__ = ["SerialRunner"]

T = TypeVar("T")


class SerialRunner:
    """Run everything on the calling thread."""

    n_workers = 1

    def reduce(
        self,
        blocks: Blocks,
        function: Callable[[Block], T],
        add: Callable[[T, T], T],
        *,
        work: float = float("inf"),
    ) -> T:
        total = function(blocks.block(0))
        for number in range(1, len(blocks)):
            total = add(total, function(blocks.block(number)))
        return total

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tasks]
