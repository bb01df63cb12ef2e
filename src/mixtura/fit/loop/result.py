"""How a fit ended, as a value that explains itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.fit.loop.trace import Trace

__all__ = ["FitResult", "Outcome"]


class Outcome(Enum):
    """How a fit ended; `explanation` says what it means and what to do."""

    CONVERGED = "converged"
    REPAIRED = "converged after repair"
    REJECTED = "step rejected"
    ITERATION_LIMIT = "iteration limit"
    NOT_ITERATED = "not iterated"
    NOT_REFINED = "set aside"

    @property
    def explanation(self) -> str:
        """What it means, and what to change, in plain words."""
        return {
            Outcome.CONVERGED: "The stopping rule was satisfied.",
            Outcome.REPAIRED: (
                "The stopping rule was satisfied, but a component lost its rows or its width on the way and was "
                "repaired; `repairs` says which. Try fewer components, a larger reg_covar, or another start."
            ),
            Outcome.REJECTED: (
                "A step would have lowered the objective, because a covariance is so nearly singular that its digits "
                "are lost; the mixture before it was kept. Look for outliers, rescale the columns, or try fewer "
                "components or a larger reg_covar."
            ),
            Outcome.ITERATION_LIMIT: (
                "max_iter passes were made before the stopping rule was satisfied. The mixture is valid but may still "
                "improve: increase max_iter, or tol."
            ),
            Outcome.NOT_ITERATED: "max_iter is 0: this is the start, not a fit.",
            Outcome.NOT_REFINED: (
                "The model was found on a sample of the rows and brought to all of them by a few passes, where others "
                "were better. Its log-likelihood is of all rows and would still rise a little."
            ),
        }[self]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FitResult:
    """A fitted mixture and how it came about.

    Parameters
    ----------
    mixture : Mixture
    outcome : Outcome
    lower_bound : float
        Mean log-likelihood per unit of weight, in nats, of the mixture that entered the last iteration.
    traces : tuple of Trace
        One per restart, in the order drawn.
    best : int
        Which restart the mixture is from.
    kernel, instruction_set : str
        What evaluated the passes.
    n_threads : int
    seconds : mapping of str to float
        Wall-clock seconds of each phase: ``"initialization"`` and ``"iterations"``.
    notes : tuple of str
        What the user should hear about the start.
    total_weight : float
        Sum of the sample weights; the number of rows where none were given.
    """

    mixture: Mixture
    outcome: Outcome
    lower_bound: float
    traces: tuple[Trace, ...]
    best: int
    kernel: str
    instruction_set: str
    n_threads: int
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    total_weight: float = float("nan")

    def __repr__(self) -> str:
        return f"<FitResult: {self}>"

    def __str__(self) -> str:
        """Say in one line how the fit ended and what it ran on."""
        return (
            f"{self.outcome.value} after {self.n_iter} iterations, best of {len(self.traces)} starts; "
            f"mean log-likelihood {self.lower_bound:.6g}; {self.kernel} kernel ({self.instruction_set}), "
            f"{self.n_threads} threads, {sum(self.seconds.values()):.3g} s"
        )

    @property
    def trace(self) -> Trace:
        """The iterations of the restart that was kept."""
        return self.traces[self.best]

    @property
    def n_iter(self) -> int:
        return len(self.trace.events)

    @property
    def remaining_gain(self) -> float:
        """Total log-likelihood that further iterations would gain, in nats, by Aitken's estimate."""
        return self.trace.remaining_gain * self.total_weight

    @property
    def converged(self) -> bool:
        return self.outcome in (Outcome.CONVERGED, Outcome.REPAIRED)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Components of the kept restart that had to be repaired."""
        return self.trace.repairs
