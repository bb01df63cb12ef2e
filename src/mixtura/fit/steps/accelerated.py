"""Fewer passes: a quasi-Newton method on the sums, with expectation-maximization as its safeguard.

EM maps sums to sums: ``x -> M-step -> mixture -> pass -> x + f(x)``, and at its end ``f = 0``. In coordinates in which
the complete-data information is the identity, ``f`` is the gradient of the log-likelihood and ``I - J`` its negative
Hessian, J being the rate matrix of EM (Dempster, Laird and Rubin 1977). Differences of x and of f between passes hence
tell the curvature, and the next sums are ``x + H f``, H by limited-memory BFGS (Jamshidian and Jennrich 1997, who
call it QN2; Nocedal and Wright 2006, section 7.2). The M-step then makes a mixture of the family of them,
whatever the family.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from math import inf, log

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import EMPTY
from mixtura.core.mixture import Mixture
from mixtura.core.statistics import Statistics
from mixtura.fit.loop.driver import StepResult
from mixtura.fit.loop.stopping import remaining_gain
from mixtura.fit.loop.trace import PassKind
from mixtura.fit.steps.coordinates import Coordinates
from mixtura.fit.steps.em import EMStep, Problem
from mixtura.fit.steps.lbfgs import LimitedMemoryBFGS

__all__ = ["AcceleratedEMStep"]

_PASSES = 9
"""Passes remembered, from which curvature is learned anew in other coordinates."""

_AHEAD = 20
"""Passes that plain EM must still have before it, by Aitken's estimate, for extrapolation to begin."""

_UNSETTLED = 25
"""Passes after which gains that still grow are taken for a plateau."""

_LARGEST_REACH = 0.7
"""No count, mean or covariance may change by more than this share of itself, so that all stay valid."""

_FIRST_REACH = 0.3

_AGE = 3
"""Passes after which the coordinates are laid anew about the current mixture."""

_MARGIN = 0.5
"""Share of the tolerance below which the gain expected of Newton's step ends the extrapolation."""

_LEAST_MARGIN = 1e-3

_CONFIRM = 3
"""Plain changes that the stopping rule is shown before extrapolation goes on."""


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """An extrapolation under way: where it is, how far it reaches, what it should gain, and what it set out from."""

    sums: Statistics
    point: FloatArray
    reach: float
    expected: float
    origin: Statistics
    left: FloatArray
    model: Mixture


class AcceleratedEMStep:
    """EM that looks ahead where it is slow: one pass per call, as `EMStep`, and the same fixed points.

    It begins with plain steps. When Aitken's estimate says that many more would follow, it extrapolates the sums by
    limited-memory BFGS, no count, mean or covariance by more than a share of itself that adapts to how well the
    extrapolations do. An extrapolation that turns out to lower the objective is refused and the plain step from
    where it set out is taken: the pass is lost, the objective never falls. When little seems left to gain, plain steps
    follow, so that the stopping rule may judge by their changes.

    Parameters
    ----------
    problem : Problem
        With its total scatter where the family needs one.
    tolerance : float, default=0.01
        Gain of the total log-likelihood, in nats, that is not worth more passes.
    """

    def __init__(self, problem: Problem, tolerance: float = 0.01) -> None:
        self._problem, self._model, self._tolerance = problem, problem.model, tolerance
        self._plain = EMStep(problem)
        self._n_passes, self._confirming = 0, 0
        self._little, self._best_then = _MARGIN * tolerance, inf
        self._best, self._changes = -inf, tuple[float, ...]()
        self._active = False
        self._radius = _FIRST_REACH
        self._trial: _Trial | None = None
        # Sums that a mixture was made of, and those of its pass; in coordinates, where the latest of each are.
        self._history: deque[tuple[Statistics, Statistics]] = deque(maxlen=_PASSES)
        self._entered: Statistics | None = None
        self._coordinates: Coordinates | None = None
        self._curvature = LimitedMemoryBFGS()
        self._point, self._left, self._age = np.empty(0), np.empty(0), 0

    def __call__(self, model: Mixture) -> StepResult[Mixture]:
        statistics = self._plain.gather(model)
        objective = self._plain.objective(statistics, model)
        trial, self._trial = self._trial, None
        change = (objective - self._best) * statistics.total_weight
        if trial is not None and not change >= 0:
            return self._refuse(trial, statistics)
        self._n_passes += 1
        self._best = objective
        if trial is None:
            kind, self._changes = PassKind.PLAIN, (change, *self._changes[:2])
            self._point = self._left
        else:
            kind, self._changes = PassKind.EXTRAPOLATED, ()
            self._adapt(trial, change)
            self._entered, self._point = trial.sums, trial.point
        if self._entered is not None:
            self._history.append((self._entered, statistics))
        self._active = self._active or self._is_slow()
        ahead = self._look_ahead(model, statistics) if self._active else None
        if ahead is None:
            return self._step(statistics, model, kind)
        fallback = partial(self._step, statistics, model, kind)
        return StepResult(ahead, objective, kind=kind, fallback=fallback)

    def _step(self, statistics: Statistics, model: Mixture, kind: PassKind) -> StepResult[Mixture]:
        move = self._plain.finish(statistics, model)
        # A mixture that was repaired is not what its sums lead to.
        self._entered = None if move.repairs else statistics
        return move if kind is PassKind.PLAIN else replace(move, kind=kind)

    def _refuse(self, trial: _Trial, statistics: Statistics) -> StepResult[Mixture]:
        """Go back to where the trial set out, and take the plain step from there."""
        self._radius = min(self._radius, trial.reach) / 4
        self._changes = ()
        if self._coordinates is not None and statistics.moments is self._coordinates.moments:
            self._curvature.update(trial.point, self._coordinates.of(statistics) - trial.point, stay=True)
        self._left = trial.left
        move = self._step(trial.origin, trial.model, PassKind.REJECTED)
        return replace(move, objective=self._best)

    def _adapt(self, trial: _Trial, gain: float) -> None:
        """Reach further after gains as expected, less far after disappointments (Nocedal and Wright 2006, 4.1)."""
        if gain > 0.5 * trial.expected:
            self._radius = min(_LARGEST_REACH, max(self._radius, 2 * trial.reach))
        elif gain < 0.1 * trial.expected:
            self._radius = trial.reach / 2

    def _is_slow(self) -> bool:
        """Return whether plain steps have many passes before them."""
        if len(self._changes) < 3:
            return False
        change, previous, before = self._changes
        if not change < previous:
            return self._n_passes > _UNSETTLED
        remaining = remaining_gain(change, previous)
        if not (previous < before and remaining > self._tolerance):
            return False
        return log(self._tolerance / remaining) / log(change / previous) > _AHEAD

    def _look_ahead(self, model: Mixture, statistics: Statistics) -> Mixture | None:
        """Return the mixture that the extrapolated sums lead to; None where a plain step is due."""
        self._confirming = max(0, self._confirming - 1)
        coordinates = self._learn(model, statistics)
        if coordinates is None or self._confirming or not len(self._curvature):
            return None
        gradient = self._left - self._point
        direction = self._curvature.direction(gradient)
        slope, concave = float(gradient @ direction), self._curvature.is_concave
        if concave and self._is_near_the_end(0.5 * slope):
            self._confirming = _CONFIRM
            return None
        reach = coordinates.reach(direction)
        if reach == 0:
            return None
        share = self._radius / reach
        share = min(share, 1.0) if concave else share
        if share**2 * float(direction @ direction) <= float(gradient @ gradient):
            self._radius *= 2
            return None
        point = self._point + share * direction
        expected = slope * share * (1 - 0.5 * share if concave else 1.0)
        sums = self._plain.complete(coordinates.sums(point, statistics))
        return self._attempt(_Trial(sums, point, share * reach, expected, statistics, self._left, model))

    def _is_near_the_end(self, remaining: float) -> bool:
        """Return whether little is left to gain; after each time that more was gained than that, less must be left."""
        if not remaining < self._little:
            return False
        if (self._best - self._best_then) * self._problem.data.total_weight > self._little:
            self._little = max(self._little / 4, _LEAST_MARGIN * self._tolerance)
        self._best_then = self._best
        return remaining < self._little

    def _attempt(self, trial: _Trial) -> Mixture | None:
        """Return the mixture of extrapolated sums, None where it is none without repairs."""
        if not (trial.sums.counts > 0).all():
            return None
        found, repairs = self._model.maximize(trial.sums, trial.model)
        if repairs or not self._plain.is_precise(found):
            self._radius /= 4
            return None
        self._trial = trial
        return found

    def _learn(self, model: Mixture, statistics: Statistics) -> Coordinates | None:
        """Take in what the pass told; None where its sums have no coordinates, or those before it are not alike."""
        known = self._history
        alike = self._entered is not None and self._entered.moments is statistics.moments
        if not alike or not (statistics.counts > EMPTY).all():
            self._coordinates = None
            known.clear()
            return None
        self._age += 1
        # Widths near the smallest numbers have no coordinates.
        with np.errstate(all="ignore"):
            if self._coordinates is None or self._age >= _AGE:
                self._relearn(model, statistics)
            else:
                self._left = self._coordinates.of(statistics)
                self._curvature.update(self._point, self._left - self._point)
        if not np.isfinite(self._left).all() or not self._curvature.is_finite:
            self._coordinates = None
        return self._coordinates

    def _relearn(self, model: Mixture, statistics: Statistics) -> None:
        """Lay coordinates about the mixture, and bring into them what is remembered."""
        self._coordinates, self._curvature, self._age = (
            Coordinates.about(model, statistics),
            LimitedMemoryBFGS(),
            0,
        )
        alike = [pair for pair in self._history if pair[0].moments is pair[1].moments is statistics.moments]
        # Mostly a pass begins with the sums that the one before it ended with.
        distinct = {id(one): one for pair in alike for one in pair}
        points = dict(
            zip(distinct, self._coordinates.of(Statistics.stack([*distinct.values()])), strict=True)
        )
        before, left = (np.array([points[id(one)] for one in of]) for of in zip(*alike, strict=True))
        self._point, self._left = before[-1], left[-1]
        self._curvature.update(before, left - before)
