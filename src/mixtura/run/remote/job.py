"""A pass as it travels to the workers of a cluster: with what it takes to make the states of rows there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import numpy as np

from mixtura._typing import Array
from mixtura.core.protocols import Block, Blocks, DerivedBlocks, Partition, Pass, RowState, Runner
from mixtura.run.remote.row_states import Filled, Held, Layer, Recipe, ReplayedState, Step, Written
from mixtura.run.remote.shorter_steps import shortened

__all__ = ["Job", "step_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class LocalState:
    """A state of the rows of one partition."""

    values: Array
    start: int

    def of(self, block: Block) -> Array:
        return self.values[block.start - self.start : block.start - self.start + block.n_rows]

    def gathered(self) -> Array:
        return self.values


@dataclass(frozen=True, slots=True, eq=False)
class Job(Generic[T]):
    """A pass over the rows of any partition, which closes over no rows.

    Parameters
    ----------
    runner : Runner
        That a worker runs it with: a serial one.
    step : Step
    """

    runner: Runner
    step: Step

    def __call__(self, partition: Partition, start: int, number: int) -> T:
        """Return the sum of the pass over the blocks of one partition; see `Partition.blocks`."""
        total: T = _Replay(self.runner, partition, partition.blocks(start, number), start).run(self.step)[0]
        return total

    def values(self, partition: Partition, start: int, number: int) -> tuple[Array, ...]:
        """Return what the pass leaves in its states for the rows of one partition."""
        states = _Replay(self.runner, partition, partition.blocks(start, number), start).run(self.step)[1]
        return tuple(state.values for state in states)


@dataclass(frozen=True, slots=True, eq=False)
class _Replay:
    """Makes the states of one partition, each once."""

    runner: Runner
    partition: Partition
    blocks: Blocks
    start: int
    made: dict[int, tuple[LocalState, ...]] = field(default_factory=dict)

    def run(self, step: Step) -> tuple[Any, tuple[LocalState, ...]]:
        states = tuple(self._own(one) for one in step.states)
        blocks = self.blocks
        for layer in step.layers:
            held = {name: self._state(recipe) for name, recipe in layer.states.items()}
            blocks = layer.kind(blocks=blocks, **layer.values, **held)
        return self.runner.reduce(blocks, step.task, *states), states

    def _own(self, recipe: Recipe) -> LocalState:
        """Return a state that a pass may write to."""
        state = self._state(recipe)
        return state if isinstance(recipe, Held) else LocalState(state.values.copy(), self.start)

    def _state(self, recipe: Recipe) -> LocalState:
        if isinstance(recipe, Held):
            return LocalState(self.partition.column(recipe.name), self.start)
        if isinstance(recipe, Filled):
            n_rows = self.blocks.n_rows
            shape = (n_rows, recipe.columns) if recipe.columns else (n_rows,)
            return LocalState(np.full(shape, recipe.fill, dtype=recipe.dtype), self.start)
        if id(recipe.step) not in self.made:
            self.made[id(recipe.step)] = self.run(recipe.step)[1]
        return self.made[id(recipe.step)][recipe.place]


def step_of(blocks: Blocks, task: Pass[Any], states: Sequence[RowState]) -> tuple[Any, Step]:
    """Return the rows on the cluster that blocks are derived from, and the pass over the blocks as it travels.

    States that the pass writes hold from now on what it leaves in them.
    """
    layers: list[Layer] = []
    while isinstance(blocks, DerivedBlocks):
        held = {one.name: getattr(blocks, one.name) for one in fields(blocks) if one.name != "blocks"}
        recipes = {name: one.recipe for name, one in held.items() if isinstance(one, ReplayedState)}
        plain = {name: one for name, one in held.items() if name not in recipes}
        layers.insert(0, Layer(type(blocks), plain, recipes))
        blocks = blocks.blocks
    given = [one for one in states if isinstance(one, ReplayedState)]
    step = Step(task, tuple(layers), tuple(one.recipe for one in given))
    if hasattr(task, "after"):
        written = shortened(step)
        for place, one in enumerate(given):
            one.recipe = Written(written, place)
    return blocks, step
