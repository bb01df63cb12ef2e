"""Start from responsibilities drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura.core.accumulate import accumulate_given
from mixtura.core.statistics import Statistics
from mixtura.fit.init.base import Deferred, InitialStatistics
from mixtura.fit.steps.em import Problem
from mixtura.kernels import Layout

__all__ = ["FromRandomResponsibilities"]


class FromRandomResponsibilities:
    """Every row belongs to every component by a uniform random share (scikit-learn's ``random``).

    The shares are drawn and added up block by block; they are never held for all rows.
    """

    def draw(self, problem: Problem, rng: np.random.RandomState) -> Deferred:
        layout = problem.family.layouts[0]
        rows = problem.describe(Layout.SHARED)
        means = np.repeat(rows.means, problem.n_components, axis=0)
        total = Statistics.zero(layout, means)
        for number in range(len(problem.blocks)):
            block = problem.blocks.block(number)
            shares = rng.uniform(size=(block.rows.shape[0], problem.n_components))
            shares /= shares.sum(axis=1, keepdims=True)
            total += accumulate_given(block, shares, means, layout, problem.kernel)
        return lambda problem: InitialStatistics(replace(total, total=problem.total))
