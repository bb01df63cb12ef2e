"""The law of the loop: the objective that is reported never falls, but for what a step says it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from mixtura.fit.loop.trace import PassKind

if TYPE_CHECKING:
    from mixtura.fit.loop.state import StepResult

__all__ = ["NEGLIGIBLE", "Ascent", "is_rounding"]

M = TypeVar("M")

NEGLIGIBLE = 1e-6
"""Share of an objective (of one, where it is smaller) by which rounding may lower it."""

_LAST_DIGITS = 1e-13
"""The same for a fall that is rounding beyond doubt."""

_REJECTED = PassKind.REJECTED

_UNSEEN = 5e-7
"""The same for a fall that the definition of the step explains, and that is not reported all the same."""


def is_rounding(objective: float, peak: float) -> bool:
    """Return whether an objective lies below the best so far by rounding at most: then nothing has fallen."""
    return peak - objective <= _LAST_DIGITS * abs(objective)


class Ascent(NamedTuple, Generic[M]):
    """The best model of a run so far, and what the step from it may lose.

    A step of EM never lowers its objective in exact arithmetic, but for what a ridge costs. Where covariances are so
    ill-conditioned that their digits are lost, or a covariance had to be repaired, it may: such a step is rejected.

    Parameters
    ----------
    model : the best model, at first the one to begin with
    objective : float
        The latest.
    reported : float
        The latest that was reported.
    allowance : float or callable or None, default=None
        By how much the step from the model may lower the objective; computed when it is needed.
    rejected : bool, default=False
        Whether the latest step was rejected: the run ends with the model.
    """

    model: M
    objective: float = -float("inf")
    reported: float = -float("inf")
    allowance: Callable[[], float] | float | None = None
    rejected: bool = False

    def take(self, model: M, move: StepResult[M]) -> tuple[Ascent[M], StepResult[M]]:
        """Return what follows from a move of a model, and the move with the objective to report.

        A move that is rejected leads back to the best model.
        """
        objective, fall = move.objective, self.objective - move.objective
        if fall <= 0 and objective >= self.reported and move.kind is not _REJECTED:
            return Ascent(model, objective, objective, move.allowance), move
        latest, reported = objective, max(objective, self.reported)
        if fall > 0 and is_rounding(objective, self.objective):
            latest = self.objective
        elif fall > 0:
            allowed = self.allowance() if callable(self.allowance) else self.allowance or 0.0
            size = max(1.0, abs(self.objective))
            if fall > allowed + NEGLIGIBLE * size + (0.0 if move.noise is None else move.noise()):
                back = move._replace(model=self.model, objective=self.reported)
                return self._replace(rejected=True), back._replace(repairs=(), kind=PassKind.REJECTED)
            if fall > allowed + NEGLIGIBLE * size:
                reported = self.reported  # the noise of a covariance with few digits left
            elif fall > allowed:
                latest, reported = self.objective, self.reported
            elif self.reported - objective > _UNSEEN * size:
                reported = objective
        if reported != objective:
            move = move._replace(objective=reported)
        if move.kind is _REJECTED:
            # The step is that of the model kept: what it may cost is known by now.
            return self._replace(objective=latest, reported=reported, allowance=move.allowance), move
        return Ascent(model, latest, reported, move.allowance), move
