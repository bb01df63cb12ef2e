"""Fewer passes: a quasi-Newton method on the sums, with expectation-maximization as its safeguard.

EM maps sums to sums: ``x -> M-step -> mixture -> pass -> x + f(x)``, and at its end ``f = 0``. In coordinates in which
the complete-data information is the identity, ``f`` is the gradient of the log-likelihood and ``I - J`` its negative
Hessian, J being the rate matrix of EM (Dempster, Laird and Rubin 1977). Differences of x and of f between passes hence
determine the curvature, and the next sums are ``x + H f``, H by limited-memory BFGS (Jamshidian and Jennrich 1997, who
call it QN2; Nocedal and Wright 2006, section 7.2). The M-step then makes a mixture of the family of them,
whatever the family.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import inf, isfinite, log
from operator import attrgetter

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import EMPTY
from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.core.statistics import Statistics
from mixtura.fit.loop.state import StepResult
from mixtura.fit.loop.stopping import remaining_gain
from mixtura.fit.loop.trace import PassKind
from mixtura.fit.steps.coordinates import Coordinates
from mixtura.fit.steps.em import EMState, EMStep, Problem
from mixtura.fit.steps.lbfgs import LimitedMemoryBFGS

__all__ = ["AcceleratedEMStep", "AcceleratedState", "Trial"]

_PASSES = 9
"""Passes remembered, from which curvature is learned again in other coordinates."""

_AHEAD = 20
"""Passes that plain EM must still have before it, by Aitken's estimate, for extrapolation to begin."""

_UNSETTLED = 25
"""Passes after which gains that still grow are taken for a plateau."""

_LARGEST_STEP = 0.7
"""No count, mean or covariance may change by more than this share of itself, so that all stay valid."""

_FIRST_STEP = 0.3

_AGE = 3
"""Passes after which the coordinates are laid again about the current mixture."""

_MARGIN = 0.5
"""Share of the tolerance below which the gain expected of Newton's step ends the extrapolation."""

_LEAST_MARGIN = 1e-3

_CONFIRM = 3
"""Plain changes that the stopping rule is shown before extrapolation goes on."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """An extrapolation under way: where it is, its step length, what it should gain, and what it set out from."""

    sums: Statistics
    point: FloatArray
    length: float
    expected: float
    origin: Statistics
    left: FloatArray
    plain: EMState


@dataclass(slots=True, eq=False)
class AcceleratedState:
    """The state of `AcceleratedEMStep`: a value, which a pass copies before it changes anything.

    Parameters
    ----------
    plain : EMState
        What enters the next pass.
    little : float
        Nats below which what is left to gain ends the extrapolation.
    n_passes, confirming, age : int
        Passes that were not rejected, plain passes still to confirm the end, and passes since coordinates were laid.
    best, best_then : float
        The objective, and what it was when little seemed left to gain.
    changes : tuple of float
        Of the latest plain passes, in nats, the latest first.
    active : bool
        Whether extrapolation has begun.
    fallen : bool
        Whether a plain step has lowered the objective, as with a ridge it may: extrapolations, which are taken only
        where they raise it, would then lead away from where the steps lead.
    radius : float
        The step length that is trusted, as a share of counts, means and covariances.
    trial : Trial or None
        The extrapolation that the next pass evaluates.
    history : tuple of pairs of Statistics
        Sums that a mixture was made of, and those of its pass, of the latest passes.
    entered : Statistics or None
        The sums that the mixture of the next pass was made of.
    coordinates : Coordinates or None
    curvature : LimitedMemoryBFGS
    point, left : ndarray
        Where in the coordinates the latest pass began, and where it led.
    """

    plain: EMState
    little: float
    n_passes: int = 0
    confirming: int = 0
    best_then: float = inf
    best: float = -inf
    changes: tuple[float, ...] = ()
    active: bool = False
    fallen: bool = False
    radius: float = _FIRST_STEP
    trial: Trial | None = None
    history: tuple[tuple[Statistics, Statistics], ...] = ()
    entered: Statistics | None = None
    coordinates: Coordinates | None = None
    curvature: LimitedMemoryBFGS = field(default_factory=LimitedMemoryBFGS)
    point: FloatArray = field(default_factory=lambda: np.empty(0))
    left: FloatArray = field(default_factory=lambda: np.empty(0))
    age: int = 0


_fields_of = attrgetter(*(one.name for one in fields(AcceleratedState)))


class AcceleratedEMStep:
    """EM that looks ahead where it is slow: one pass per call, as `EMStep`, and the same fixed points.

    It begins with plain steps. When Aitken's estimate says that many more would follow, it extrapolates the sums by
    limited-memory BFGS, no count, mean or covariance by more than a share of itself that adapts to how well the
    extrapolations do. An extrapolation that lowers the objective is rejected and the plain step from
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
        self._problem, self._model, self.tolerance = problem, problem.model, tolerance
        self.plain = EMStep(problem)
        self._may_fall = problem.model.prior.ridge > 0
        # Kept components do not follow their sums, which never settle.
        self._extrapolates = problem.model.kept is None

    def init(self, model: Mixture) -> AcceleratedState:
        return AcceleratedState(self.plain.init(model), little=_MARGIN * self.tolerance)

    def __call__(self, state: AcceleratedState) -> tuple[AcceleratedState, StepResult[Mixture]]:
        s, model = AcceleratedState(*_fields_of(state)), state.plain.model
        statistics = self.plain.gather(s.plain)
        objective = self.plain.objective(statistics, model)
        trial, s.trial = s.trial, None
        change = (objective - s.best) * statistics.total_weight
        if trial is not None and not change >= 0:
            return s, self._reject(s, trial, statistics)
        s.n_passes += 1
        s.best = objective
        s.fallen = s.fallen or (self._may_fall and trial is None and change < -_LEAST_MARGIN * self.tolerance)
        if trial is None:
            kind, s.changes = PassKind.PLAIN, (change, *s.changes[:2])
            s.point = s.left
        else:
            kind, s.changes = PassKind.EXTRAPOLATED, ()
            self._adapt(s, trial, change)
            s.entered, s.point = trial.sums, trial.point
        if s.entered is not None:
            s.history = (*s.history, (s.entered, statistics))[-_PASSES:]
        s.active = s.active or (self._extrapolates and self._is_slow(s))
        ahead = self._look_ahead(s, model, statistics) if s.active and not s.fallen else None
        if ahead is None:
            return s, self._step(s, statistics, s.plain, kind)
        s.plain = s.plain._replace(model=ahead)
        return s, StepResult(ahead, objective, kind=kind)

    def final(self, state: AcceleratedState) -> tuple[Mixture, tuple[Repair, ...]]:
        """Return the model of the plain step where the next one is on trial."""
        trial = state.trial
        if trial is None:
            return state.plain.model, ()
        _, found = self.plain.finish(trial.plain, trial.origin)
        return found.model, found.repairs

    def _step(
        self, s: AcceleratedState, statistics: Statistics, plain: EMState, kind: PassKind
    ) -> StepResult[Mixture]:
        s.plain, move = self.plain.finish(plain, statistics)
        # A mixture that was repaired is not what its sums lead to.
        s.entered = None if move.repairs else statistics
        return move if kind is PassKind.PLAIN else move._replace(kind=kind)

    def _reject(self, s: AcceleratedState, trial: Trial, statistics: Statistics) -> StepResult[Mixture]:
        """Go back to where the trial set out, and take the plain step from there."""
        s.radius = min(s.radius, trial.length) / 4
        s.changes = ()
        if s.coordinates is not None and statistics.moments is s.coordinates.moments:
            s.curvature = s.curvature.update(
                trial.point, s.coordinates.of(statistics) - trial.point, stay=True
            )
        s.left = trial.left
        move = self._step(s, trial.origin, trial.plain, PassKind.REJECTED)
        return move._replace(objective=s.best)

    def _adapt(self, s: AcceleratedState, trial: Trial, gain: float) -> None:
        """Trust longer steps after gains as expected, shorter ones after less (Nocedal and Wright 2006, 4.1)."""
        if gain > 0.5 * trial.expected:
            s.radius = min(_LARGEST_STEP, max(s.radius, 2 * trial.length))
        elif gain < 0.1 * trial.expected:
            s.radius = trial.length / 2

    def _is_slow(self, s: AcceleratedState) -> bool:
        """Return whether plain steps have many passes before them."""
        if len(s.changes) < 3:
            return False
        change, previous, before = s.changes
        if not change < previous:
            return s.n_passes > _UNSETTLED
        remaining = remaining_gain(change, previous)
        if not (previous < before and remaining > self.tolerance):
            return False
        return log(self.tolerance / remaining) / log(change / previous) > _AHEAD

    def _look_ahead(self, s: AcceleratedState, model: Mixture, statistics: Statistics) -> Mixture | None:
        """Return the mixture that the extrapolated sums lead to; None where a plain step is due."""
        s.confirming = max(0, s.confirming - 1)
        coordinates = self._learn(s, model, statistics)
        if coordinates is None or s.confirming or not len(s.curvature):
            return None
        gradient = s.left - s.point
        direction = s.curvature.direction(gradient)
        slope, concave = float(gradient @ direction), s.curvature.is_concave
        if concave and self._is_near_the_end(s, 0.5 * slope):
            s.confirming = _CONFIRM
            return None
        length = coordinates.step_length(direction)
        if length == 0:
            return None
        share = s.radius / length
        share = min(share, 1.0) if concave else share
        if share**2 * float(direction @ direction) <= float(gradient @ gradient):
            s.radius *= 2
            return None
        point = s.point + share * direction
        expected = slope * share * (1 - 0.5 * share if concave else 1.0)
        sums = self.plain.complete(coordinates.sums(point, statistics), s.plain.moments)
        return self._attempt(s, Trial(sums, point, share * length, expected, statistics, s.left, s.plain))

    def _is_near_the_end(self, s: AcceleratedState, remaining: float) -> bool:
        """Return whether little is left to gain; after each time that more was gained than that, less must be left."""
        if not remaining < s.little:
            return False
        if (s.best - s.best_then) * self._problem.data.total_weight > s.little:
            s.little = max(s.little / 4, _LEAST_MARGIN * self.tolerance)
        s.best_then = s.best
        return remaining < s.little

    def _attempt(self, s: AcceleratedState, trial: Trial) -> Mixture | None:
        """Return the mixture of extrapolated sums, None where it is none without repairs.

        Covariances that have something in common are not raised to a floor for it: sums of which they are not positive
        definite are hardly those of any rows.
        """
        if not np.minimum.reduce(trial.sums.counts) > 0:
            return None
        lift = self._model.structure.common_form is None
        found, repairs = self._model.maximize(trial.sums, trial.plain.model, lift=lift)
        if repairs or not self.plain.is_precise(found, trial.plain.moments):
            s.radius /= 4
            return None
        s.trial = trial
        return found

    def _learn(self, s: AcceleratedState, model: Mixture, statistics: Statistics) -> Coordinates | None:
        """Take in the sums of a pass; None where its sums have no coordinates, or those before it are not alike."""
        alike = s.entered is not None and s.entered.moments is statistics.moments
        if not alike or not np.minimum.reduce(statistics.counts) > EMPTY:
            s.coordinates = None
            s.history = ()
            return None
        s.age += 1
        # Widths near the smallest numbers have no coordinates.
        with np.errstate(all="ignore"):
            if s.coordinates is None or s.age >= _AGE:
                self._relearn(s, model, statistics)
            else:
                s.left = s.coordinates.of(statistics)
                s.curvature = s.curvature.update(s.point, s.left - s.point)
        if not isfinite(np.add.reduce(s.left)) or not s.curvature.is_finite:
            s.coordinates = None
        return s.coordinates

    def _relearn(self, s: AcceleratedState, model: Mixture, statistics: Statistics) -> None:
        """Lay coordinates about the mixture, and bring into them what is remembered."""
        s.coordinates, s.curvature, s.age = (
            Coordinates.about(model, statistics),
            LimitedMemoryBFGS(),
            0,
        )
        alike = [pair for pair in s.history if pair[0].moments is pair[1].moments is statistics.moments]
        # Mostly a pass begins with the sums that the one before it ended with.
        distinct = {id(one): one for pair in alike for one in pair}
        points = dict(zip(distinct, s.coordinates.of(Statistics.stack([*distinct.values()])), strict=True))
        before, left = (np.array([points[id(one)] for one in of]) for of in zip(*alike, strict=True))
        s.point, s.left = before[-1], left[-1]
        s.curvature = s.curvature.update(before, left - before)
