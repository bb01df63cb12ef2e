"""The protocol of initializations: random draws first, then work that may run elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.core.statistics import Statistics
from mixtura.fit.steps.em import Problem

__all__ = ["InitialStatistics", "Initialization", "Initializer"]


@dataclass(frozen=True, slots=True, eq=False)
class InitialStatistics:
    """Statistics whose M-step is the first mixture, and what the user should hear about them.

    Parameters
    ----------
    statistics : Statistics
    notes : tuple of str
    mixture : Mixture, optional
        Where passes were already made from these statistics: the mixture they led to, to go on from.
    n_passes : int, default=0
        Passes over the rows that were made to find the start, all that were tried counted.
    """

    statistics: Statistics
    notes: tuple[str, ...] = ()
    mixture: Mixture | None = None
    n_passes: int = 0

    def first_mixture(self, problem: Problem) -> Mixture:
        """Return the first mixture.

        Raises
        ------
        IllDefinedCovarianceError
            A covariance is not positive definite and the prior allows no floor.
        """
        if self.mixture is not None:
            return self.mixture
        return problem.model.maximize(self.statistics)[0]


Initializer: TypeAlias = Callable[[Problem], InitialStatistics]
"""The part of an initialization that draws nothing; it is called with the problem and so with the runner to use."""


class Initialization(Protocol):
    """A way to find a first mixture. It may see the rows block by block only."""

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        """Make all random draws now; return the rest of the work.

        Restarts draw one after the other, so that they do not depend on how they run, and may then
        run side by side.
        """
