"""Start from responsibilities drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import AccumulateGiven, Summed, pass_work
from mixtura.core.protocols import Block, Blocks
from mixtura.core.statistics import Statistics
from mixtura.fit.init.base import Deferred, InitialStatistics
from mixtura.fit.steps.em import Problem
from mixtura.kernels import Kernel, Layout

__all__ = ["FromRandomResponsibilities", "SumsByRandomShares"]


class FromRandomResponsibilities:
    """Every row belongs to every component by a uniform random share (scikit-learn's ``random``).

    The shares are drawn and added up block by block; they are never held for all rows.
    """

    def draw(self, problem: Problem, rng: np.random.RandomState) -> Deferred:
        blocks, k = problem.data.blocks, problem.n_components
        generators = []
        for number in range(len(blocks)):
            generators.append(rng.get_state())
            rng.uniform(size=(blocks.block(number).n_rows, k))

        def finish(problem: Problem) -> InitialStatistics:
            means = np.repeat(problem.data.mean, k, axis=0)
            layout, kernel = problem.family.layouts[0], problem.data.kernel
            sums = problem.data.reduce(SumsByRandomShares(tuple(generators), means, layout, kernel))
            return InitialStatistics(replace(sums, total=problem.total))

        return finish


@dataclass(frozen=True, slots=True, eq=False)
class SumsByRandomShares(Summed[Statistics]):
    """The sums of rows of which every component has a random share.

    Parameters
    ----------
    generators : tuple
        States of a `numpy.random.RandomState`, one per block: what is drawn does not depend on who draws it.
    means : ndarray of shape (K, D)
        What the sums are about.
    layout : Layout
    kernel : Kernel
    """

    generators: tuple[Any, ...]
    means: FloatArray
    layout: Layout
    kernel: Kernel

    def __call__(self, block: Block) -> Statistics:
        rng = np.random.RandomState()
        rng.set_state(self.generators[block.number])
        shares = rng.uniform(size=(block.n_rows, len(self.means)))
        shares /= shares.sum(axis=1, keepdims=True)
        return AccumulateGiven(self.means, self.layout, self.kernel)(block, shares)

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.layout, blocks.n_rows, *self.means.shape)
