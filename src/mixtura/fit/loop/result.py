"""What a fit has found, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.trace import Trace

__all__ = ["FitResult"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FitResult:
    """A fitted mixture and how it came about.

    Parameters
    ----------
    mixture : Mixture
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
        Remarks about the start for the user.
    total_weight : float
        Sum of the sample weights; the number of rows where none were given.
    rivals : tuple of Mixture
        Other ends that are not far below, the most likely first, where they were asked for.
    ahead : Mixture or None
        Where a sample led from the mixture, if it was asked; its likelihood is not known yet, and may be lower.
    """

    mixture: Mixture
    lower_bound: float
    traces: tuple[Trace, ...]
    best: int
    kernel: str
    instruction_set: str
    n_threads: int
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    total_weight: float = float("nan")
    rivals: tuple[Mixture, ...] = ()
    ahead: Mixture | None = None

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
    def outcome(self) -> Outcome:
        """How the restart that was kept ended."""
        return self.trace.outcome

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
        return self.outcome.is_converged

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Components of the kept restart that had to be repaired."""
        return self.trace.repairs
