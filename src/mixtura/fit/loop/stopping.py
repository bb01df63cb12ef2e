"""When a fit has gone far enough."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mixtura.fit.loop.outcome import Outcome

if TYPE_CHECKING:
    from mixtura.fit.loop.trace import Event

__all__ = [
    "AbsoluteChange",
    "CentersSettled",
    "Progress",
    "RemainingGain",
    "StoppingRule",
    "remaining_gain",
    "without_rounding",
]

_ROUNDING = 8 * sys.float_info.epsilon
"""Share of an objective that a change of it may be by rounding alone."""

_CAUTION = 100.0
"""How many times smaller an estimate must be that is larger than the one before."""


class Progress(NamedTuple):
    """What one iteration achieved, as far as stopping depends on it.

    Parameters
    ----------
    objective : float
        Of the model that entered the iteration.
    changes : tuple of float
        Against the previous iteration's objective, of this iteration and up to two before it, the latest first; only
        as far back as models came from steps, not from extrapolations.
    shift : float
        How far the model moved (K-means: sum of squared moves of the centers).
    n_changed : int
        How many rows went to another component (K-means), -1 where that is not counted.
    iteration : int
        From 1; those of a run that is continued are counted.
    model : the model that entered the iteration
    repaired : bool
        Whether a component had to be repaired, in this iteration or before.
    events : sequence of Event
        All iterations, this one included.
    """

    objective: float
    changes: tuple[float, ...]
    shift: float
    n_changed: int
    iteration: int = 0
    model: Any = None
    repaired: bool = False
    events: Sequence[Event] = ()

    def satisfied(self, is_satisfied: bool) -> Outcome | None:
        """Return how a run ends whose rule is satisfied, None where it is not."""
        if not is_satisfied:
            return None
        return Outcome.REPAIRED if self.repaired else Outcome.CONVERGED


class StoppingRule(Protocol):
    """Decides after each iteration whether, and how, a run ends."""

    def __call__(self, progress: Progress) -> Outcome | None:
        """Return how the run ends here, None where it goes on."""


@dataclass(frozen=True, slots=True)
class AbsoluteChange:
    """Stop when the objective changed by less than ``tolerance``: scikit-learn's rule.

    Parameters
    ----------
    tolerance : float
        In nats per unit of weight, as the objective is the mean log-likelihood.
    """

    tolerance: float

    def __call__(self, progress: Progress) -> Outcome | None:
        return progress.satisfied(bool(progress.changes) and abs(progress.changes[0]) < self.tolerance)


def remaining_gain(change: float, previous: float) -> float:
    """Return how much the objective would still rise, by Aitken's estimate: ``change a / (1 - a)``.

    Near its end EM gains in each iteration a share ``a = change / previous`` of what it gained in the one before; the
    gains to come are a geometric series (Aitken 1926; for EM: Boehning et al. 1994; McLachlan and Peel 2000, 2.11).

    Parameters
    ----------
    change, previous : float
        Of the last iteration and the one before it.

    Returns
    -------
    float
        Zero where the objective does not rise any more, infinite where the gains do not shrink.

    Examples
    --------
    >>> from mixtura.fit.loop.stopping import remaining_gain
    >>> remaining_gain(1.0, 2.0)  # 1/2 + 1/4 + 1/8 + ... is still to come
    1.0
    """
    if change <= 0:
        return 0.0
    if not change < previous < float("inf"):
        return float("inf")
    return change * change / (previous - change)


def without_rounding(changes: Iterable[float], objective: float) -> tuple[float, ...]:
    """Return the changes of an objective, zero for those that are its rounding: at the end they alternate in sign."""
    least = _ROUNDING * max(1.0, abs(objective))
    return tuple(0.0 if abs(change) <= least else change for change in changes)


@dataclass(frozen=True, slots=True)
class RemainingGain:
    """Stop when the total log-likelihood still to be gained is below ``tolerance``, by two estimates in a row.

    Unlike a bound on the change it does not stop where EM is merely slow: a change of 1e-3 per row is followed by
    hundreds of nats on large tables with overlapping components. Where the later estimate is the larger one, it must be
    below a hundredth of ``tolerance``.

    Parameters
    ----------
    total_weight : float
        Sum of the sample weights, as the objective is the mean log-likelihood.
    tolerance : float, default=0.01
        In nats, of the total log-likelihood.
    may_fall : bool, default=False
        Whether the objective may fall on the way, as the log-likelihood does where a ridge is added to covariances:
        what the M-step maximizes then is penalized, with counts that change. Falls count like gains, so that a run
        that has turned around is not taken for one that has ended.
    """

    total_weight: float
    tolerance: float = 0.01
    may_fall: bool = False

    def __call__(self, progress: Progress) -> Outcome | None:
        if len(progress.changes) < 3:
            return None
        changes = without_rounding(progress.changes, progress.objective)
        if self.may_fall:
            changes = tuple(map(abs, changes))
        latest, before = remaining_gain(changes[0], changes[1]), remaining_gain(changes[1], changes[2])
        # An estimate that rises says that slower gains come into view, as after an extrapolation or at a saddle.
        caution = _CAUTION if latest > before else 1.0
        return progress.satisfied(max(latest, before) * self.total_weight * caution < self.tolerance)

    @property
    def race(self) -> None:
        """It is none."""

    def length(self, n_made: int, objective: float) -> int:
        """Return after how many passes made ahead it looks next; see `mixtura.fit.loop.ahead.RuleAhead`."""
        return sys.maxsize

    def undecided(self, n_made: int, found: Sequence[Sequence[float]]) -> int:
        """Return how many of these passes may be taken together."""
        return 1 if self.may_fall else len(found)


@dataclass(frozen=True, slots=True)
class CentersSettled:
    """Stop when no row changed its center, or the centers moved no further than ``tolerance``.

    Parameters
    ----------
    tolerance : float
        On the sum of squared moves, in squared units of the data.
    """

    tolerance: float

    def __call__(self, progress: Progress) -> Outcome | None:
        return progress.satisfied(progress.n_changed == 0 or progress.shift <= self.tolerance)
