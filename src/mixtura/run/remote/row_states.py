"""What is kept per row of a cluster: nothing but the passes that wrote it.

A worker makes a state again where a pass needs it. So one that is lost takes nothing with it, and nothing of the size
of the rows is held or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.core.protocols import Block, Blocks, Pass, Runner
from mixtura.run.remote.state_passes import Kept, Picked

__all__ = [
    "Filled",
    "Held",
    "Layer",
    "Recipe",
    "ReplayedState",
    "Step",
    "Written",
]


@dataclass(frozen=True, slots=True)
class Filled:
    """A state that no pass has written yet: one number per row."""

    dtype: str
    columns: int
    fill: float


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Blocks derived from others, without them."""

    kind: type[Any]
    values: Mapping[str, Any]
    states: Mapping[str, Recipe]

    @property
    def parts(self) -> list[Any]:
        """What it is made of, in order."""
        return [*self.values.values(), *self.states.values()]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A pass that wrote states, what these were before, and the blocks that it was given."""

    task: Pass[Any]
    layers: tuple[Layer, ...]
    states: tuple[Recipe, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """One of the states that a pass wrote."""

    step: Step
    place: int


@dataclass(frozen=True, slots=True)
class Held:
    """A column that a partition holds beside its rows; no pass writes it."""

    name: str


Recipe: TypeAlias = Filled | Written | Held


@dataclass(slots=True, eq=False)
class ReplayedState:
    """Numbers kept per row, as the passes that write them; see `RowState`."""

    runner: Runner
    source: Blocks
    recipe: Recipe

    def of(self, block: Block) -> Array:
        return self.gathered()[block.span]

    def gathered(self) -> Array:
        return np.concatenate(self.runner.reduce(self.source, Kept(), self))

    def __getitem__(self, numbers: IntArray) -> Array:
        """Return what it holds of some rows, which ascend."""
        return np.concatenate(self.runner.reduce(self.source, Picked(numbers), self))
