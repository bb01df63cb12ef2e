"""The state of plain or accelerated EM as one vector, as compiled stretches keep it, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import Factors
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import Moments
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.parts.student import Tails
from mixtura.core.statistics import Statistics
from mixtura.fit.loop.state import StepResult
from mixtura.fit.loop.trace import PassKind
from mixtura.fit.steps.accelerated import AcceleratedState, Trial
from mixtura.fit.steps.coordinates import Coordinates, TailCoordinates
from mixtura.fit.steps.em import EMState, EMStep
from mixtura.fit.steps.lbfgs import LimitedMemoryBFGS
from mixtura.fit.steps.level_coordinates import LevelCoordinates
from mixtura.kernels.iterations.places import SCALARS, Places

__all__ = ["Progressed", "StretchStates"]

_AT = {name: number for number, name in enumerate(SCALARS)}


@dataclass(frozen=True, slots=True)
class Progressed:
    """What a stretch knows beside the state of a step: passes made, the objective, and the latest plain changes."""

    n_made: int = 0
    previous: float = -np.inf
    changes: tuple[float, ...] = ()

    def after(self, found: StepResult[Mixture]) -> Progressed:
        """Return the same after one more pass."""
        change = found.objective - self.previous
        changes = (change, *self.changes[:2]) if found.kind is PassKind.PLAIN else ()
        return Progressed(self.n_made + 1, found.objective, changes)


@dataclass(frozen=True, slots=True, eq=False)
class StretchStates:
    """From states of steps to vectors, and back.

    Parameters
    ----------
    places : Places
    moments : Moments
        That passes gather: the cheapest of the model, the dearest where values are missing.
    plain : EMStep
    model : GaussianModel
    """

    places: Places
    moments: Moments
    plain: EMStep
    model: GaussianModel

    def fits(self, state: EMState | AcceleratedState) -> bool:
        """Return whether a state can be packed: whether its sums are those that passes gather."""
        if isinstance(state, EMState):
            return state.moments is self.moments
        sums = [one for pair in state.history for one in pair]
        sums += [] if state.entered is None else [state.entered]
        coordinates = state.coordinates is None or state.coordinates.moments is self.moments
        return coordinates and not state.fallen and all(one.moments is self.moments for one in sums)

    def pack(self, state: EMState | AcceleratedState, so_far: Progressed) -> FloatArray:
        """Return the state of a step as a vector."""
        vector = np.zeros(self.places.size)
        numbers: dict[str, float] = {
            "n_made": so_far.n_made,
            "previous": so_far.previous,
            "n_plain": len(so_far.changes),
        }
        numbers |= {f"plain_{i}": one for i, one in enumerate(so_far.changes)}
        if isinstance(state, EMState):
            self.places.part(vector, "model")[:] = self.pack_model(state.model)
        else:
            self.places.part(vector, "model")[:] = self.pack_model(state.plain.model)
            numbers |= self._put_accelerated(vector, state)
        for name, number in numbers.items():
            vector[_AT[name]] = number
        return vector

    def unpack(self, vector: FloatArray) -> tuple[EMState | AcceleratedState, Progressed]:
        """Return the state of a step that a vector holds; its arrays are copies."""
        vector = vector.copy()
        numbers = dict(zip(SCALARS, vector.tolist(), strict=False))
        changes = tuple(numbers[f"plain_{i}"] for i in range(int(numbers["n_plain"])))
        so_far = Progressed(int(numbers["n_made"]), numbers["previous"], changes)
        plain = EMState(self.mixture(self.places.part(vector, "model")), self.moments)
        if not numbers["is_accelerated"]:
            return plain, so_far
        return self._accelerated(vector, numbers, plain), so_far

    def mixture(self, vector: FloatArray) -> Mixture:
        """Return the mixture of which a vector has the arrays; they are views."""
        weights, means, covariances, whitening, logs, offsets, *beside = self.places.model_of(vector)
        model, factors = self.model, Factors(whitening, logs)
        found = Mixture(weights, means, covariances, model.structure, factors, offsets)
        if not beside:
            return found
        tails = None if model.tails is None else Tails(beside.pop(), model.tails.common)
        noise = None if model.background is None else model.background.with_weight(float(beside.pop()[0]))
        if model.discrete is None:
            return replace(found, background=noise, tails=tails)
        levels = LevelTable(model.discrete, model.discrete.with_larger(beside.pop()))
        return replace(found, levels=levels, background=noise, tails=tails)

    def pack_model(self, model: Mixture) -> FloatArray:
        """Return the arrays of a mixture as one vector."""
        factors, levels, noise, tails = model.factors, model.levels, model.background, model.tails
        offsets = model.components(self.moments).offsets if model.offsets is None else model.offsets
        given = (
            model.weights, model.means, model.covariances, factors.whitening, factors.log_determinants, offsets,
            None if levels is None else levels.logs, None if noise is None else np.array([noise.weight]),
            None if tails is None else tails.freedom,
        )  # fmt: skip
        return np.concatenate([one.ravel() for one in given if one is not None])

    def _put_sums(self, place: FloatArray, statistics: Statistics) -> None:
        gathered, size = statistics.gathered(), statistics.means.size
        end = size + gathered.sums.size
        place[:size], place[size:end] = gathered.means.ravel(), gathered.sums
        beside = [one.ravel() for one in (gathered.tails, gathered.levels) if one is not None]
        if beside:
            np.concatenate(beside, out=place[end:])

    def _sums(self, place: FloatArray) -> Statistics:
        shape = self.places.n_components, self.places.n_features
        size = shape[0] * shape[1]
        last = place.size - self.places.n_levels * shape[0]
        end = last - 2 * shape[0] if self.places.tails else last
        levels = place[last:].reshape(-1, shape[0]) if self.places.n_levels else None
        tails = place[end:last].reshape(2, shape[0]) if self.places.tails else None
        sums = place[:size].reshape(shape), place[size:end]
        found = Statistics(self.moments.gathered, *sums, levels, tails)
        return self.plain.complete(found, self.moments)

    def _put_accelerated(self, vector: FloatArray, s: AcceleratedState) -> dict[str, float]:
        """Put what extrapolation remembers into a vector; return its numbers."""
        last = s.history[-1][1] if s.history else None
        numbers: dict[str, float] = {
            "is_accelerated": 1,
            "n_passes": s.n_passes,
            "confirming": s.confirming,
            "best_then": s.best_then,
            "best": s.best,
            "n_changes": len(s.changes),
            "active": s.active,
            "radius": s.radius,
            "little": s.little,
            "age": s.age,
            "has_entered": s.entered is not None,
            "entered_is_last": last is not None and s.entered is last,
        }
        numbers |= {f"change_{i}": one for i, one in enumerate(s.changes)}
        if s.entered is not None:
            self._put_sums(self.places.part(vector, "entered"), s.entered)
        for name, array in (("point", s.point), ("left", s.left)):
            if array.size:
                self.places.part(vector, name)[:] = array
        numbers |= self._put_trial(vector, s.trial) | self._put_curvature(vector, s.curvature)
        return numbers | self._put_coordinates(vector, s.coordinates) | self._put_history(vector, s.history)

    def _put_trial(self, vector: FloatArray, trial: Trial | None) -> dict[str, float]:
        if trial is None:
            return {}
        self.places.part(vector, "origin_model")[:] = self.pack_model(trial.plain.model)
        self._put_sums(self.places.part(vector, "trial"), trial.sums)
        self._put_sums(self.places.part(vector, "origin"), trial.origin)
        self.places.part(vector, "trial_point")[:] = trial.point
        self.places.part(vector, "trial_left")[:] = trial.left
        return {"has_trial": 1, "trial_length": trial.length, "trial_expected": trial.expected}

    def _put_curvature(self, vector: FloatArray, curvature: LimitedMemoryBFGS) -> dict[str, float]:
        kept, last = len(curvature), curvature.last
        if last is not None:
            self.places.part(vector, "last_point")[:] = last[0][0]
            self.places.part(vector, "last_gradient")[:] = last[1][0]
        if kept:
            self.places.part(vector, "moves")[:kept] = curvature.moves
            self.places.part(vector, "drops")[:kept] = curvature.drops
        return {
            "n_curvature": kept,
            "has_last": last is not None,
            "is_concave": curvature.is_concave,
            "is_finite": curvature.is_finite,
        }

    def _put_coordinates(self, vector: FloatArray, coordinates: Coordinates | None) -> dict[str, float]:
        if coordinates is None:
            return {}
        self.places.part(vector, "about")[:] = coordinates.means
        self.places.part(vector, "roots")[:] = coordinates.roots
        self.places.part(vector, "whitening")[:] = coordinates.whitening
        self.places.part(vector, "coloring")[:] = coordinates.coloring
        if coordinates.levels is not None:
            self.places.part(vector, "likely")[:] = coordinates.levels.probabilities
            self.places.part(vector, "widths")[:] = coordinates.levels.roots
            self.places.part(vector, "known")[:] = coordinates.levels.known
        if coordinates.tails is not None:
            self.places.part(vector, "expected")[:] = coordinates.tails.expected
            self.places.part(vector, "spreads")[:] = coordinates.tails.widths
        return {"has_coordinates": 1}

    def _put_history(
        self, vector: FloatArray, history: Sequence[tuple[Statistics, Statistics]]
    ) -> dict[str, float]:
        before = None
        for number, pair in enumerate(history):
            self.places.part(vector, "linked")[number] = pair[0] is before
            for one, statistics in enumerate(pair):
                self._put_sums(self.places.part(vector, "history")[number, one], statistics)
            before = pair[1]
        return {"n_history": len(history)}

    def _accelerated(
        self, vector: FloatArray, numbers: Mapping[str, float], plain: EMState
    ) -> AcceleratedState:
        history = self._history(vector, int(numbers["n_history"]))
        entered = None
        if numbers["has_entered"]:
            is_last = numbers["entered_is_last"] and history
            entered = history[-1][1] if is_last else self._sums(self.places.part(vector, "entered"))
        return AcceleratedState(
            plain,
            little=numbers["little"],
            n_passes=int(numbers["n_passes"]),
            confirming=int(numbers["confirming"]),
            best_then=numbers["best_then"],
            best=numbers["best"],
            changes=tuple(numbers[f"change_{i}"] for i in range(int(numbers["n_changes"]))),
            active=bool(numbers["active"]),
            radius=numbers["radius"],
            trial=self._trial(vector, numbers) if numbers["has_trial"] else None,
            history=history,
            entered=entered,
            coordinates=self._coordinates(vector) if numbers["has_coordinates"] else None,
            curvature=self._curvature(vector, numbers),
            point=self.places.part(vector, "point"),
            left=self.places.part(vector, "left"),
            age=int(numbers["age"]),
        )

    def _trial(self, vector: FloatArray, numbers: Mapping[str, float]) -> Trial:
        part = self.places.part
        return Trial(
            self._sums(part(vector, "trial")),
            part(vector, "trial_point"),
            numbers["trial_length"],
            numbers["trial_expected"],
            self._sums(part(vector, "origin")),
            part(vector, "trial_left"),
            EMState(self.mixture(part(vector, "origin_model")), self.moments),
        )

    def _coordinates(self, vector: FloatArray) -> Coordinates:
        part = self.places.part
        about, roots, levels, tails = part(vector, "about"), part(vector, "roots"), None, None
        if self.model.discrete is not None:
            laid = part(vector, "likely"), part(vector, "widths"), part(vector, "known")
            levels = LevelCoordinates(self.model.discrete, *laid)
        if self.places.tails:
            tails = TailCoordinates(roots, part(vector, "expected"), part(vector, "spreads"))
        factors = part(vector, "whitening"), part(vector, "coloring")
        return Coordinates(self.moments, about, roots, *factors, levels, tails)

    def _curvature(self, vector: FloatArray, numbers: Mapping[str, float]) -> LimitedMemoryBFGS:
        part, kept, last = self.places.part, int(numbers["n_curvature"]), None
        if numbers["has_last"]:
            last = part(vector, "last_point")[None], part(vector, "last_gradient")[None]
        return LimitedMemoryBFGS(
            moves=part(vector, "moves")[:kept],
            drops=part(vector, "drops")[:kept],
            last=last,
            is_concave=bool(numbers["is_concave"]),
            is_finite=bool(numbers["is_finite"]),
        )

    def _history(self, vector: FloatArray, size: int) -> tuple[tuple[Statistics, Statistics], ...]:
        linked, found = self.places.part(vector, "linked"), list[tuple[Statistics, Statistics]]()
        for number, (before, after) in enumerate(self.places.part(vector, "history")[:size]):
            entered = found[-1][1] if number and linked[number] else self._sums(before)
            found.append((entered, self._sums(after)))
        return tuple(found)
