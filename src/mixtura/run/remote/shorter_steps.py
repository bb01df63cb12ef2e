"""Fewer passes that leave the same in the states of rows on a cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mixtura.run.remote.row_states import Filled, Held, Layer, Recipe, Step, Written

__all__ = ["shortened"]


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
