"""A pass as it travels to the workers of a cluster: with what it takes to make the states of rows there.

What is kept per row is not kept at all: a state is the passes that wrote it, and a worker makes it anew. So a worker
that is lost takes nothing with it, and nothing of the size of the rows is held or sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array
from mixtura.core.protocols import Block, Blocks, DerivedBlocks, Partition, Pass, RowState, Runner

__all__ = ["Job", "Kept", "ReplayedState", "job_of"]

T = TypeVar("T")


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


Recipe: TypeAlias = Filled | Written


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
        total: T = _Replay(self.runner, partition.blocks(start, number), start).run(self.step)[0]
        return total

    def values(self, partition: Partition, start: int, number: int) -> tuple[Array, ...]:
        """Return what the pass leaves in its states for the rows of one partition."""
        states = _Replay(self.runner, partition.blocks(start, number), start).run(self.step)[1]
        return tuple(state.values for state in states)


class _Replay:
    """Makes the states of one partition, each once."""

    def __init__(self, runner: Runner, blocks: Blocks, start: int) -> None:
        self._runner, self._blocks, self._start = runner, blocks, start
        self._made: dict[int, tuple[LocalState, ...]] = {}

    def run(self, step: Step) -> tuple[Any, tuple[LocalState, ...]]:
        states = tuple(LocalState(self._state(one).values.copy(), self._start) for one in step.states)
        blocks = self._blocks
        for layer in step.layers:
            held = {name: self._state(recipe) for name, recipe in layer.states.items()}
            blocks = layer.kind(blocks=blocks, **layer.values, **held)
        return self._runner.reduce(blocks, step.task, *states), states

    def _state(self, recipe: Recipe) -> LocalState:
        if isinstance(recipe, Filled):
            n_rows = self._blocks.n_rows
            shape = (n_rows, recipe.columns) if recipe.columns else (n_rows,)
            return LocalState(np.full(shape, recipe.fill, dtype=recipe.dtype), self._start)
        if id(recipe.step) not in self._made:
            self._made[id(recipe.step)] = self.run(recipe.step)[1]
        return self._made[id(recipe.step)][recipe.place]


def job_of(runner: Runner, blocks: Blocks, task: Pass[T], states: Sequence[RowState]) -> tuple[Any, Job[T]]:
    """Return the rows on the cluster that blocks are derived from, and the job of a pass over the blocks.

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
        written = _shortened(step)
        for place, one in enumerate(given):
            one.recipe = Written(written, place)
    return blocks, Job(runner, step)


def _shortened(step: Step) -> Step:
    """Return a step that leaves the same in the states by fewer passes, where the pass knows how."""
    after: Any = getattr(step.task, "after")  # noqa: B009 -- only passes that write states have it
    if all(isinstance(one, Filled) or after(one.step.task) is step.task for one in step.states):
        return replace(step, states=tuple(_first(one) for one in step.states))
    if len(step.states) == 1 and isinstance(earlier := step.states[0], Written):
        both = after(earlier.step.task)
        if both is not None and len(earlier.step.states) == 1:
            return replace(step, task=both, states=earlier.step.states)
    return step


def _first(recipe: Recipe) -> Recipe:
    while isinstance(recipe, Written):
        recipe = recipe.step.states[recipe.place]
    return recipe


def filled(runner: Runner, blocks: Blocks, dtype: npt.DTypeLike, columns: int, fill: float) -> ReplayedState:
    """Return a state of equal numbers."""
    return ReplayedState(runner, blocks, Filled(np.dtype(dtype).str, columns, fill))
