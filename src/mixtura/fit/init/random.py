"""Start from responsibilities drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import AccumulateGiven, Summed, pass_work
from mixtura.core.moments import Moments
from mixtura.core.protocols import Block, Blocks, Pass
from mixtura.core.statistics import Statistics
from mixtura.fit.init.base import Initializer, InitialStatistics
from mixtura.fit.steps.em import Problem
from mixtura.kernels import Kernel

__all__ = ["FromRandomResponsibilities", "RandomShares", "RowsPerBlock", "SumsByRandomShares"]


class FromRandomResponsibilities:
    """Every row belongs to every component by a uniform random share (scikit-learn's ``random``).

    The shares are drawn and added up block by block; they are never held for all rows.
    """

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        generators = []
        k = problem.model.n_components
        for n_rows in problem.data.reduce(RowsPerBlock()):
            generators.append(rng.get_state())
            rng.uniform(size=(n_rows, k))

        def finish(problem: Problem) -> InitialStatistics:
            means = np.repeat(problem.data.mean, k, axis=0)
            moments, kernel = problem.model.structure.moments[0], problem.data.kernel
            if problem.data.has_missing:
                shares = problem.data.state(np.float64, columns=k)
                problem.data.reduce(RandomShares(tuple(generators)), shares)
                every = problem.model.structure.moments[-1]
                return InitialStatistics(problem.data.given(means, every, shares))
            sums = problem.data.reduce(SumsByRandomShares(tuple(generators), means, moments.gathered, kernel))
            return InitialStatistics(sums.complete(problem.data.total) if moments.needs_total else sums)

        return finish


@dataclass(frozen=True, slots=True, eq=False)
class RowsPerBlock:
    """How many rows each block has."""

    def __call__(self, block: Block) -> list[int]:
        return [block.n_rows]

    def add(self, total: list[int], more: list[int]) -> list[int]:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(len(blocks))


@dataclass(frozen=True, slots=True, eq=False)
class RandomShares:
    """Write random shares, which sum to one, into the state.

    Parameters
    ----------
    generators : tuple
        States of a `numpy.random.RandomState`, one per block: what is drawn does not depend on who draws it.
    """

    generators: tuple[Any, ...]

    def __call__(self, block: Block, shares: FloatArray) -> None:
        rng = np.random.RandomState()
        rng.set_state(self.generators[block.number])
        shares[...] = rng.uniform(size=shares.shape)
        shares /= shares.sum(axis=1, keepdims=True)

    def add(self, total: None, more: None) -> None:
        return None

    def after(self, earlier: Pass[Any]) -> RandomShares:
        return self

    def work(self, blocks: Blocks) -> float:
        return 10.0 * blocks.n_rows


@dataclass(frozen=True, slots=True, eq=False)
class SumsByRandomShares(Summed[Statistics]):
    """The sums of rows of which every component has a random share.

    Parameters
    ----------
    generators : tuple
        As of `RandomShares`.
    means : ndarray of shape (K, D)
        What the sums are about.
    moments : Moments
    kernel : Kernel
    """

    generators: tuple[Any, ...]
    means: FloatArray
    moments: Moments
    kernel: Kernel

    def __call__(self, block: Block) -> Statistics:
        shares = np.empty((block.n_rows, len(self.means)))
        RandomShares(self.generators)(block, shares)
        return AccumulateGiven(self.means, self.moments, self.kernel)(block, shares)

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.moments.layout, blocks.n_rows, *self.means.shape)
