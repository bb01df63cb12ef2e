"""The law of the loop: the objective that is reported never falls, but for what a step says it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from mixtura.fit.loop.trace import PassKind

if TYPE_CHECKING:
    from mixtura.fit.loop.driver import StepResult

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
    """

    model: M
    _objective: float = -float("inf")
    _reported: float = -float("inf")
    _allowance: Callable[[], float] | None = None

    def take(self, model: M, move: StepResult[M]) -> tuple[StepResult[M], bool]:
        """Return the move from a model with the objective to report, and whether it is rejected.

        Then it leads back to the best model.
        """
        if not self._climbs(move.objective):
            back = replace(move, model=self.model, objective=self._reported)
            return replace(back, repairs=(), kind=PassKind.REJECTED), True
        if move.kind is not PassKind.REJECTED:
            self.model, self._allowance = model, move.allowance
        return replace(move, objective=self._reported), False

    def _climbs(self, objective: float) -> bool:
        """Take in the next objective; return whether the step to it is kept.

        A fall that is rounding is reported as no change; one that the step explains, if it can be seen, as it is.
        """
        fall = self._objective - objective
        if fall > 0:
            allowed = 0.0 if self._allowance is None else self._allowance()
            size = max(1.0, abs(self._objective))
            if fall > allowed + NEGLIGIBLE * size:
                return False
            if fall > allowed:
                return True
            if self._reported - objective > _UNSEEN * size:
                self._reported = objective
        self._objective, self._reported = objective, max(objective, self._reported)
        return True
