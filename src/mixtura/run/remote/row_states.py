"""What is kept per row of a cluster: nothing but the passes that wrote it.

A worker makes a state again where a pass needs it. So one that is lost takes nothing with it, and nothing of the size
of the rows is held or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.core.protocols import Block, Blocks, Pass, Runner

__all__ = [
    "Filled",
    "Held",
    "Kept",
    "Layer",
    "Picked",
    "Recipe",
    "ReplayedState",
    "Step",
    "Written",
    "shortened",
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


@dataclass(frozen=True, slots=True)
class Kept:
    """What a state holds, block by block."""

    def __call__(self, block: Block, values: Array) -> list[Array]:
        return [values.copy()]

    def add(self, total: list[Array], more: list[Array]) -> list[Array]:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """What a state holds of some rows, block by block.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Of the rows, ascending.
    """

    numbers: IntArray

    def __call__(self, block: Block, values: Array) -> list[Array]:
        first, last = np.searchsorted(self.numbers, [block.span.start, block.span.stop])
        return [values[self.numbers[first:last] - block.start]]

    def add(self, total: list[Array], more: list[Array]) -> list[Array]:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(self.numbers.size + len(blocks))


def shortened(step: Step) -> Step:
    """Return a step that leaves the same in the states by fewer passes, where the pass knows how."""
    after: Any = getattr(step.task, "after")  # noqa: B009 -- only passes that write states have it
    if all(isinstance(one, Filled | Held) or after(one.step.task) is step.task for one in step.states):
        return replace(step, states=tuple(_first(one) for one in step.states))
    if len(step.states) == 1 and isinstance(earlier := step.states[0], Written):
        both = after(earlier.step.task)
        if both is not None and len(earlier.step.states) == 1 and _equal(step.layers, earlier.step.layers):
            return replace(step, task=both, states=earlier.step.states)
    return step


def _equal(left: tuple[Layer, ...], right: tuple[Layer, ...]) -> bool:
    """Return whether blocks are derived in the same way."""
    if [one.kind for one in left] != [one.kind for one in right]:
        return False
    pairs = [
        (a, b)
        for one, other in zip(left, right, strict=True)
        for a, b in zip(one.parts, other.parts, strict=True)
    ]
    return all(a is b for a, b in pairs)


def _first(recipe: Recipe) -> Recipe:
    while isinstance(recipe, Written):
        recipe = recipe.step.states[recipe.place]
    return recipe
