"""The law of the loop: the objective that is reported never falls, but for what a step says it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["NEGLIGIBLE", "Ascent"]

M = TypeVar("M")

NEGLIGIBLE = 1e-6
"""Share of an objective (of one, where it is smaller) that a step may lower it by through rounding."""


@dataclass(slots=True)
class Ascent(Generic[M]):
    """The best model of a run so far, and what the step from it may lose.

    A step of EM never lowers its objective in exact arithmetic, but for what a ridge costs. Where covariances are so
    ill-conditioned that their digits are lost, or a covariance had to be repaired, it may: such a step is rejected.

    Parameters
    ----------
    model : the model to begin with
    objective : float
    allowance : callable, optional
        By how much the next objective may be lower by the definition of the step; asked only where it is.
    """

    model: M
    objective: float = -float("inf")
    allowance: Callable[[], float] | None = None

    def reported(self, objective: float) -> float | None:
        """Return what to report for the next objective, or None where the step to it is rejected.

        A fall that is rounding is reported as no change.
        """
        if objective >= self.objective:
            return objective
        fall, negligible = self.objective - objective, NEGLIGIBLE * max(1.0, abs(self.objective))
        if fall <= negligible:
            return self.objective
        allowed = 0.0 if self.allowance is None else self.allowance()
        return objective if fall <= allowed + negligible else None

    def take(self, model: M, objective: float, allowance: Callable[[], float] | None) -> None:
        """Go on to a model, whose objective this is, and from which a step has been made."""
        self.model, self.objective, self.allowance = model, objective, allowance
