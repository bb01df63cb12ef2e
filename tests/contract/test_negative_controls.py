"""Negative controls: what is wrong on purpose, and must be noticed by the contracts and by the criterion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import ortho_group

from contract import test_families as families
from contract import test_runners as runners
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.protocols import Block, Blocks
from mixtura.data import ArrayBlocks
from mixtura.run import SerialRunner
from mixtura.select import SearchResult, search

ROWS = np.random.RandomState(0).standard_normal((runners.N, 2))
CONSTRAINED = sorted(set(FAMILIES) - {"full"})


@dataclass(frozen=True)
class OtherOrder:
    """Blocks whose last comes first."""

    inner: Blocks

    def __len__(self) -> int:
        return len(self.inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def block(self, number: int) -> Block:
        return replace(self.inner.block(len(self.inner) - 1 - number), number=number)


class AddsBackwards(SerialRunner):
    """A runner that adds the sums of the last block first."""

    def reduce(self, blocks: Blocks, task: Any, *states: Any) -> Any:
        found = [task(blocks.block(number)) for number in reversed(range(len(blocks)))]
        total = found[0]
        for more in found[1:]:
            total = task.add(total, more)
        return total


class Forgets(SerialRunner):
    """A runner that leaves out the last block."""

    def reduce(self, blocks: Blocks, task: Any, *states: Any) -> Any:
        total = task(blocks.block(0))
        for number in range(1, len(blocks) - 1):
            total = task.add(total, task(blocks.block(number)))
        return total


@pytest.mark.parametrize("runner", [AddsBackwards(), Forgets()])
@pytest.mark.parametrize(
    "contract", [runners.test_blocks_are_added_in_their_order, runners.test_sums_are_the_same_to_the_last_bit]
)
def test_a_runner_that_adds_otherwise_is_noticed(runner: Any, contract: Any) -> None:
    contract(SerialRunner(), ArrayBlocks(ROWS))
    with pytest.raises(AssertionError):
        contract(runner, ArrayBlocks(ROWS))


def test_blocks_in_another_order_are_noticed() -> None:
    with pytest.raises(AssertionError):
        runners.test_blocks_are_added_in_their_order(SerialRunner(), OtherOrder(ArrayBlocks(ROWS)))


@pytest.mark.parametrize("name", CONSTRAINED)
def test_covariances_of_another_structure_are_noticed(name: str) -> None:
    own = families.full_of(get_family(name), families.some_covariances(get_family(name)))
    families.assert_structure(get_family(name).name, own)
    other = families.full_of(get_family("full"), families.some_covariances(get_family("full")))
    with pytest.raises(AssertionError):
        families.assert_structure(get_family(name).name, other)


@cache
def searched(different: bool) -> SearchResult:
    """Two components that differ in volume, shape and axes, or two equal spheres; every family, two components."""
    rng = np.random.RandomState(3)
    scales = ([6.0, 1.0, 1.0], [0.5, 0.3, 0.05]) if different else ([1.0] * 3, [1.0] * 3)
    axes = [ortho_group.rvs(3, random_state=seed) for seed in (1, 2)] if different else [np.eye(3)] * 2
    parts = [rng.standard_normal((400, 3)) * scale @ turn for scale, turn in zip(scales, axes, strict=True)]
    rows = np.vstack([parts[0], parts[1] + [9.0, 9.0, 9.0]])
    return search(rows, components=[2], covariance_types="all")


@pytest.mark.parametrize("name", FAMILIES)
def test_there_is_a_table_on_which_each_family_loses(name: str) -> None:
    """By a difference in BIC that is very strong evidence (more than 10)."""
    found = searched(different=name != "full")
    bic = {one.covariance_type: one.bic for one in found.candidates}
    winner = "full" if name != "full" else "EII"
    assert found.best.covariance_type == winner
    assert bic[name] > bic[winner] + 10
