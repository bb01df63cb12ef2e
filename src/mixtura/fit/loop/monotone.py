"""The law of the loop: the objective that is reported never falls, but for what a step says it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["NEGLIGIBLE", "Ascent"]

M = TypeVar("M")

NEGLIGIBLE = 1e-6
"""Share of an objective (of one, where it is smaller) by which rounding may lower it."""

_UNSEEN = 5e-7
"""The same for a fall that the definition of the step explains, and that is not reported all the same."""


@dataclass(slots=True)
class Ascent(Generic[M]):
    """The best model of a run so far, and what the step from it may lose.

    A step of EM never lowers its objective in exact arithmetic, but for what a ridge costs. Where covariances are so
    ill-conditioned that their digits are lost, or a covariance had to be repaired, it may: such a step is rejected.

    Parameters
    ----------
    model : the model to begin with
    objective : float
        Its objective, below which a step must not fall.
    reported : float
        The same as reported.
    allowance : callable, optional
        By how much the next objective may be lower by the definition of the step; asked only where it is.
    """

    model: M
    objective: float = -float("inf")
    reported: float = -float("inf")
    allowance: Callable[[], float] | None = None

    def climb(self, objective: float) -> bool:
        """Take in the next objective; return whether the step to it is kept, False where it is rejected.

        A fall that is rounding is reported as no change; one that the step explains, if it can be seen, as it is.
        """
        fall = self.objective - objective
        if fall > 0:
            allowed = 0.0 if self.allowance is None else self.allowance()
            size = max(1.0, abs(self.objective))
            if fall > allowed + NEGLIGIBLE * size:
                return False
            if fall > allowed:
                return True
            if self.reported - objective > _UNSEEN * size:
                self.reported = objective
        self.objective, self.reported = objective, max(objective, self.reported)
        return True
