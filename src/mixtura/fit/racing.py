"""Racing: abandon a run that falls too far behind the best so far, be it another start or another model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import value_of
from mixtura.fit.loop.stopping import Progress, RemainingGain, StoppingRule, remaining_gain
from mixtura.kernels.iterations.stretch import CHECKS, Race

__all__ = ["PATIENT_SCHEDULE", "RACE_SCHEDULE", "SAME_OPTIMUM", "Racing", "WithinReach", "are_alike"]

SAME_OPTIMUM = 1e-3
"""Nats of the total log-likelihood by which a later start has to end higher to be kept instead of an earlier one.

Those that end in one maximum differ by what they leave to be gained; each has its own order of components."""

RACE_SCHEDULE = ((10, 5.0), (20, 3.0), (40, 1.0), (80, 0.5))
"""After this many passes, how many nats of total log-likelihood a further start may be behind the best one."""

PATIENT_SCHEDULE = ((20, 20.0), (40, 10.0), (80, 4.0), (160, 1.0))
"""The same of rows with discrete columns: each says little, so that EM is slow, and who is ahead early says less."""

_HOPELESS, _SPEEDUP, _SETTLING = 30.0, 2.0, 4
"""Before the first of these passes a run that lacks more nats than this, and that would not come close by then if every
pass gained twice as much as the better of its latest two, is abandoned from the fourth pass on."""

_ALMOST_THERE = 1.0
"""Nats below the target within which a run is looked at: whether it comes to the end that has it."""

_ALIKE = 0.1
"""Deviations of means, and shares of weights and volumes, by which components of such a run may be apart from it."""

_LOOKS = (100, 200, 400)
"""After each of these numbers of passes a run goes on only if its mixture is accepted."""


@dataclass(frozen=True, slots=True, eq=False)
class Racing:
    """Stops as another rule does, and abandons a run that falls too far behind, or whose mixture is not accepted.

    A run that comes to an end that is known already is not iterated to it once more: one that is within a nat of it,
    and has the same components to a tenth of their deviations, weights and volumes.

    Parameters
    ----------
    stop : StoppingRule
    target : float
        The best total log-likelihood so far, in nats.
    total_weight : float
    schedule : mapping of int to float
        From passes to the nats that a run may be behind by then.
    accept : callable
        Whether to go on with a mixture.
    known : Mixture, optional
        The end whose total log-likelihood is the target.
    near : float, default=0
        Nats below the target in which an end is of interest, too: a run may be behind by these, too.
    """

    stop: StoppingRule
    target: float
    total_weight: float
    schedule: Mapping[int, float]
    accept: Callable[[Mixture], bool]
    known: Mixture | None = None
    near: float = 0.0

    def __call__(self, progress: Progress) -> Outcome | None:
        outcome = self.stop(progress)
        if outcome is not None:
            return outcome
        behind = self.schedule.get(progress.iteration, np.inf)
        lacking = self.target - progress.objective * self.total_weight
        apart = lacking - self.near
        gains = (one.change for one in progress.events[-2:])
        if apart > behind or (apart > _HOPELESS and self._is_hopeless(progress.iteration, apart, gains)):
            return Outcome.ABANDONED
        if -SAME_OPTIMUM <= lacking <= _ALMOST_THERE and self._comes_to_the_known_end(progress):
            return Outcome.ABANDONED
        is_lost = progress.iteration in _LOOKS and not self.accept(value_of(progress.model))
        return Outcome.ABANDONED if is_lost else None

    @property
    def race(self) -> Race:
        """When it looks at a run besides; see `mixtura.fit.loop.ahead.RuleAhead`."""
        checks = [*sorted(self.schedule.items())[:CHECKS], *[(0, np.inf)] * CHECKS][:CHECKS]
        steps, behind = zip(*checks, strict=True)
        return Race(
            self.target,
            self.near,
            self.total_weight,
            SAME_OPTIMUM,
            _ALMOST_THERE,
            _SETTLING,
            _HOPELESS,
            _SPEEDUP,
            steps,
            behind,
        )

    @property
    def foreseen(self) -> int:
        """Passes of a run within which nobody but this rule has to be asked; 0 where others may decide, too."""
        decides = isinstance(self.stop, RemainingGain) and not self.stop.may_fall
        return _LOOKS[0] if decides and len(self.schedule) <= CHECKS else 0

    def length(self, n_made: int, objective: float) -> int:
        """Return after how many passes made ahead it looks next."""
        if -SAME_OPTIMUM <= self.target - objective * self.total_weight <= _ALMOST_THERE:
            return 0
        looks = _LOOKS if self.target == -np.inf else sorted((*self.schedule, *_LOOKS))
        return next((look for look in looks if look > n_made), sys.maxsize) - n_made

    def undecided(self, n_made: int, found: Sequence[Sequence[float]]) -> int:
        """Return how many of these passes may be taken together: up to the first that it would look at closely."""
        if not isinstance(self.stop, RemainingGain) or self.stop.may_fall:
            return 1
        before = gain = -np.inf
        for number, (objective, _, _) in enumerate(found, n_made + 1):
            lacking = self.target - objective * self.total_weight
            apart, earlier, gain = lacking - self.near, gain, objective - before
            is_near = number >= _SETTLING and -SAME_OPTIMUM <= lacking <= _ALMOST_THERE
            # What the passes before them gained is not known here.
            gains = (gain, earlier) if number - n_made > 2 else (-np.inf,)
            is_far = apart > _HOPELESS and self._is_hopeless(number, apart, gains)
            if is_near or is_far or number in _LOOKS or apart > self.schedule.get(number, np.inf):
                return number - n_made
            before = objective
        return len(found)

    def _comes_to_the_known_end(self, progress: Progress) -> bool:
        known = self.known
        return (
            known is not None
            and progress.iteration >= _SETTLING
            and are_alike(value_of(progress.model), known)
        )

    def _is_hopeless(self, number: int, lacking: float, gains: Iterable[float]) -> bool:
        """Return whether a run will hardly be as close as it has to be after the first number of passes."""
        first = min(self.schedule, default=0)
        if not _SETTLING <= number < first:
            return False
        gain = self.total_weight * max(gains)
        return lacking - self.schedule[first] > _SPEEDUP * gain * (first - number)


def are_alike(mixture: Mixture, known: Mixture) -> bool:
    """Return whether each component of a mixture is near one of another, and none of these near two."""
    variances = known.family.storage.variances(known.covariances, known.n_features)
    apart = (np.square(mixture.means[:, None] - known.means) / variances).sum(axis=2)
    nearest = apart.argmin(axis=1)
    if np.unique(nearest).size < len(nearest) or not (apart.min(axis=1) < _ALIKE**2).all():
        return False
    weights, volumes = known.weights[nearest], known.factors.log_determinants
    volumes = volumes[nearest] if len(volumes) > 1 else volumes
    return bool(
        (np.abs(mixture.weights - weights) < _ALIKE * weights).all()
        and (np.abs(mixture.factors.log_determinants - volumes) < _ALIKE).all()
    )


_FIRST_LOOK, _SURE_LOOK = 16, 32
"""Passes before the first estimate of what a run may still gain, each further one being after twice as many; and those
after which estimates are sure."""

_GRANTED = 4.0
"""How many times a sure estimate a run is granted to gain; twice as much of one after half as many passes."""


@dataclass(frozen=True, slots=True, eq=False)
class WithinReach:
    """Stops as another rule does, and ends a run whose log-likelihood will not rise to what it would have to reach.

    After 16, 32, 64, ... passes what is still to be gained is estimated twice: as if gains fell off like ``1/t^2``,
    which leaves as much as the second half of the passes gained, and by Aitken's estimate, from what the last two
    quarters of the passes gained, as if they fell off geometrically; where they do not fall off it is infinite. The run
    goes on if four times the larger estimate would suffice, after 16 passes eight times.

    Parameters
    ----------
    stop : StoppingRule
    total_weight : float
    lacking : float
        Nats of total log-likelihood that the run has to gain, from the model it begins with.
    """

    stop: StoppingRule
    total_weight: float
    lacking: float

    def __call__(self, progress: Progress) -> Outcome | None:
        outcome, n_passes = self.stop(progress), progress.iteration
        if outcome is not None or n_passes < _FIRST_LOOK or n_passes & (n_passes - 1):
            return outcome
        looks = (0, n_passes // 2 - 1, 3 * n_passes // 4 - 1, n_passes - 1)
        first, half, later, last = (self.total_weight * progress.events[i].objective for i in looks)
        estimate = max(last - half, remaining_gain(last - later, later - half))
        granted = _GRANTED * max(1.0, _SURE_LOOK / n_passes)
        return Outcome.NOT_REFINED if self.lacking - (last - first) > granted * estimate else None
