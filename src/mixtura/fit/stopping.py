"""When a fit has gone far enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["AbsoluteChange", "CentersSettled", "Progress", "StoppingRule"]


@dataclass(frozen=True, slots=True)
class Progress:
    """What one iteration achieved, as far as stopping depends on it.

    Parameters
    ----------
    objective : float
        Of the model that entered the iteration.
    change : float
        Against the previous iteration's objective.
    shift : float
        How far the model moved (K-means: sum of squared moves of the centers).
    n_changed : int
        How many rows went to another component (K-means), -1 where that is not counted.
    """

    objective: float
    change: float
    shift: float
    n_changed: int


class StoppingRule(Protocol):
    """Decides after each iteration."""

    def __call__(self, progress: Progress) -> bool:
        """Return whether to stop here."""


@dataclass(frozen=True, slots=True)
class AbsoluteChange:
    """Stop when the objective changed by less than ``tolerance``: scikit-learn's rule.

    Parameters
    ----------
    tolerance : float
        In nats per unit of weight, as the objective is the mean log-likelihood.
    """

    tolerance: float

    def __call__(self, progress: Progress) -> bool:
        return abs(progress.change) < self.tolerance


@dataclass(frozen=True, slots=True)
class CentersSettled:
    """Stop when no row changed its center, or the centers moved no further than ``tolerance``.

    Parameters
    ----------
    tolerance : float
        On the sum of squared moves, in squared units of the data.
    """

    tolerance: float

    def __call__(self, progress: Progress) -> bool:
        return progress.n_changed == 0 or progress.shift <= self.tolerance
