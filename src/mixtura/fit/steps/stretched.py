"""Steps of EM that compiled code makes several of at a time, where nothing has to be decided between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import nan
from typing import Any, NamedTuple

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import pass_work
from mixtura.core.covariance import EMPTY
from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.protocols import Block, whole_of
from mixtura.fit.loop.ahead import KINDS, Made, RuleAhead
from mixtura.fit.loop.driver import Step
from mixtura.fit.loop.state import Deferred, StepResult, value_of
from mixtura.fit.steps.accelerated import AcceleratedEMStep
from mixtura.fit.steps.em import EMStep, Problem
from mixtura.fit.steps.stretch_state import Progressed, StretchStates
from mixtura.fit.steps.warmup import PLAIN_PASSES, WarmupEM, WarmupState
from mixtura.kernels import get_algebra
from mixtura.kernels.iterations.places import SCALARS, places_of
from mixtura.kernels.iterations.stretch import LEVEL_KINDS, Contestant, Ending, Levels, Stretch, can_advance
from mixtura.kernels.native import NativeKernel, aligned

__all__ = ["Careful", "Film", "StretchedEM", "StretchedState", "stretched"]

_LARGEST_WORK, _LARGEST_ALONE = 2e7, 2e8
"""Floating-point operations of a pass from which on threads share them; and, on a single thread, Python between passes
does not count."""

_MOST_WORK = 4e9
"""Floating-point operations of a call, about a second: whoever interrupts a fit waits for its end."""

_WORK_OF_MISSING = 4.0
"""How much longer a pass takes where values are missing."""

_WORK_OF_LEVEL = 4.0
"""Floating-point operations of a row's level in a component."""

_LARGEST_TABLE = 2**13
"""Probabilities of levels up to which a state is copied in less time than Python takes."""

_MOST_FEATURES, _MOST_ROTATED = 20, 10
"""Columns up to which Python counts, and up to which compiled M-steps have what covariances have in common."""

_ENDS = (4, 6, 8, 10, 15)
"""Passes after which a stretch ends, as a race looks at runs then; later after every five."""

_LONGEST, _FILM = 64, 2**14
"""Passes of a stretch at most, and numbers that its film holds, where the run will not be looked at before its end."""

_MOST_CAREFUL = 32
"""Steps that Python makes at most before a compiled one is tried again."""

_PREVIOUS = SCALARS.index("previous")
"""Where a state has the objective of the latest pass."""

_NO_FRAMES = np.empty((0, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """What the steps of a stretch found.

    Parameters
    ----------
    begun : ndarray, or a deferred one
        The state before them, as a vector.
    after : ndarray
        That after them.
    frames : ndarray of shape (steps, size)
        As `Stretch.advance` fills it.
    found : list of (float, float, float)
        Objective, kind and whether the model is on trial, of each step.
    is_hard : bool
        Whether the step that follows takes more care.
    patience : int
        Passes that the step itself makes then.
    foreseen : bool
        Whether its steps are taken together: nothing is to be decided before the last.
    """

    begun: FloatArray | Deferred[FloatArray]
    after: FloatArray
    frames: FloatArray
    found: Sequence[Sequence[float]] = ()
    is_hard: bool = False
    patience: int = 1
    foreseen: bool = False


class Careful(NamedTuple):
    """Passes that the step itself makes.

    Parameters
    ----------
    inner : state of the step
    so_far : Progressed
    n_left : int
        Passes before a stretch is tried again.
    """

    inner: Any
    so_far: Progressed
    n_left: int


class StretchedState(NamedTuple):
    """The state of `StretchedEM`.

    Parameters
    ----------
    film : Film
    at : int
        How many of its steps have been taken.
    careful : Careful or None
        What follows it, if the step itself makes the next pass.
    """

    film: Film
    at: int = 0
    careful: Careful | None = None


class StretchedEM:
    """A step whose passes compiled code makes ahead, some at a time; each is taken as if it had just been made.

    Steps that take more care are made by the step itself, so that results are those of it.

    Parameters
    ----------
    step : EMStep, AcceleratedEMStep or WarmupEM
    stretch : Stretch
    states : StretchStates
    rule : RuleAhead, optional
        What may end the run, where that looks at some passes alone: the loop takes those between them together.
    most_steps : int, default=64
        That a call makes.
    film : Film, optional
        The first steps of the run, where they were made before it begins.
    """

    def __init__(
        self,
        step: Any,
        stretch: Stretch,
        states: StretchStates,
        rule: RuleAhead | None = None,
        most_steps: int = _LONGEST,
        film: Film | None = None,
    ) -> None:
        self.step, self.stretch, self.states, self._rule, self._film = step, stretch, states, rule, film
        self.most_steps = most_steps
        self._warms_up = isinstance(step, WarmupEM)
        self._longest = max(_ENDS[0], min(_LONGEST, most_steps, _FILM // states.places.frame_size))

    def init(self, model: Mixture) -> StretchedState:
        if self._film is not None:
            return StretchedState(self._film)
        return self._begin(self.step.init(model), Progressed(), 1)

    def playing(self, run: Contestant, start: Mixture, rule: RuleAhead) -> StretchedEM:
        """Return the step of a run from a start whose first passes were made in a contest."""
        begun, is_hard = Deferred(self._packed, start), run.ending is Ending.TROUBLE
        film = Film(begun, run.state, run.frames, run.frames[:, :3].tolist(), is_hard, foreseen=True)
        return StretchedEM(self.step, self.stretch, self.states, rule, self.most_steps, film)

    def _packed(self, model: Mixture) -> FloatArray:
        """Return the state in which a model enters its first pass, as a vector."""
        return self._begin(self.step.init(model), Progressed(), 1).film.after

    @cached_property
    def _race(self) -> FloatArray | None:
        race = None if self._rule is None else self._rule.race
        return None if race is None else race.numbers

    def __call__(
        self, state: StretchedState
    ) -> tuple[StretchedState, StepResult[Mixture | Deferred[Mixture]]]:
        film, at, careful = state
        if at == len(film.found) and careful is None:
            film, at, careful = self._advance(film)
        if careful is not None:
            return self._take_care(film, careful)
        objective, kind, _ = film.found[at]
        model = Deferred(self._filmed, film, at)
        return StretchedState(film, at + 1), StepResult(model, objective, (), nan, -1, KINDS[int(kind)])

    def ahead(self, state: StretchedState, most: int) -> tuple[StretchedState, Made[Any]] | None:
        """Return the state after passes that the loop may take together, and what they found.

        None where each is to be judged, or the next takes more care.
        """
        film, at, careful = state
        if self._rule is None or careful is not None or (film.is_hard and at == len(film.found)):
            return None
        n_made = int(film.after[0]) - len(film.found) + at
        if at == len(film.found):
            next_look = self._rule.length(n_made, float(film.after[_PREVIOUS]))
            film, at, careful = self._advance(film, min(most, self._longest, next_look))
            if careful is not None:
                return None
        found = film.found[at : at + most]
        found = found if film.foreseen else found[: self._rule.undecided(n_made, found)]
        return StretchedState(film, at + len(found)), Made(found, partial(self._deferred, film, at))

    def final(self, state: StretchedState) -> tuple[Mixture, tuple[Repair, ...]]:
        film, at, careful = state
        if careful is not None:
            inner = careful.inner
        elif at and not film.found[at - 1][2]:
            return self._filmed(film, at - 1), ()
        else:
            is_last = at == len(film.found)
            inner, _ = self.unpacked(
                film.after if is_last else self.stretch.advance(value_of(film.begun), at)[0]
            )
        model, repairs = self.step.final(inner)
        return model, repairs

    def _deferred(self, film: Film, begun: int, number: int) -> Deferred[Mixture]:
        return Deferred(self._filmed, film, begun + number)

    def _filmed(self, film: Film, at: int) -> Mixture:
        """Return the model after a step of a film."""
        return self.states.mixture(film.frames[at, 3:].copy())  # of a film little is kept

    def _advance(self, film: Film, length: int = 0) -> StretchedState:
        """Return the film of the next steps, or the state of the step itself where they take more care."""
        before, patience = film.after, film.patience
        if not film.is_hard:
            after, frames, ending = self.stretch.advance(
                before, length or _length(int(before[0])), self._race
            )
            is_hard = ending is Ending.TROUBLE
            if len(frames):
                return StretchedState(Film(before, after, frames, frames[:, :3].tolist(), is_hard))
            film = Film(before, before, _NO_FRAMES, patience=min(2 * patience, _MOST_CAREFUL))
        return StretchedState(film, len(film.found), Careful(*self.unpacked(before), patience))

    def _take_care(
        self, film: Film, careful: Careful
    ) -> tuple[StretchedState, StepResult[Mixture | Deferred[Mixture]]]:
        """Make a pass by the step itself; then go on with stretches, if it is time to."""
        inner, found = self.step(careful.inner)
        so_far, n_left = careful.so_far.after(found), careful.n_left - 1
        if n_left > 0 or not self.states.fits(inner.inner if self._warms_up else inner):
            return StretchedState(film, len(film.found), Careful(inner, so_far, n_left)), found
        return self._begin(inner, so_far, film.patience), found

    def _begin(self, inner: Any, so_far: Progressed, patience: int) -> StretchedState:
        vector = self.states.pack(inner.inner if self._warms_up else inner, so_far)
        return StretchedState(Film(vector, vector, _NO_FRAMES, patience=patience))

    def unpacked(self, vector: FloatArray) -> tuple[Any, Progressed]:
        """Return the state of the step that a vector holds, and what goes with it."""
        inner, so_far = self.states.unpack(vector)
        return WarmupState(inner, so_far.n_made) if self._warms_up else inner, so_far


def _length(n_made: int) -> int:
    """Return how many steps the next stretch has."""
    return next((end for end in _ENDS if end > n_made), n_made + 5 - n_made % 5) - n_made


def stretched(
    step: Step[Mixture, Any], problem: Problem, enough: float, rule: RuleAhead | None = None
) -> Step[Any, Any]:
    """Return a step that makes several passes at a time where it can be done; otherwise the step as it is.

    Parameters
    ----------
    step : Step
    problem : Problem
        Of which the step is.
    enough : float
        Nats that a run may leave to be gained by the rule that ends it, `RemainingGain`; 0 where another does.
    rule : RuleAhead, optional
        Where it looks at some passes alone, as nobody else looks at single ones.
    """
    warmup, plain, tolerance = _schedule(step)
    work = _work_of(problem)
    found = _rows_of(problem, work) if plain is not None and can_advance() else None
    if plain is None or found is None:
        return step
    data, model = problem.data, problem.model
    structure, floor, moments = model.structure, model.prior.floor, problem.moments
    form = structure.closed_form or structure.common_form
    if (
        form is None
        or not _is_plain(problem)
        or (form is structure.common_form and data.n_features > _MOST_ROTATED)
    ):
        return step
    total = None
    if moments.needs_total:
        whole = data.total.pooled()
        total = whole.means[0], np.ascontiguousarray(whole.second_matrices()[0])
    (block, size), bound = found, None if floor is None else floor.bound(form)
    levels = None if model.discrete is None else _levels_of(block, model.discrete)
    n_levels = 0 if levels is None else levels.prior.size
    shape = form, moments.layout, model.n_components, data.n_features, n_levels
    places = places_of(*shape, model.background is not None, model.tails is not None)
    rows, weights = aligned((block.rows, block.sample_weight))
    order = None if block.order is None else block.order % size
    stretch = Stretch(
        places, rows, weights, size, bound, total, warmup, EMPTY, plain.negligible, tolerance, enough,
        data.kernel.instruction_set, order, levels,
        *_robust(block, model),
    )  # fmt: skip
    most_steps = max(_ENDS[0], int(_MOST_WORK / work))
    return StretchedEM(step, stretch, StretchStates(places, moments, plain, model), rule, most_steps)


def _schedule(step: object) -> tuple[int, EMStep | None, float]:
    """Return after how many plain passes a step extrapolates, its plain step, and its tolerance."""
    if type(step) is EMStep:
        return -1, step, 0.0
    if type(step) is AcceleratedEMStep:
        return 0, step.plain, step.tolerance
    if type(step) is WarmupEM:
        return PLAIN_PASSES, step.plain, step.accelerated.tolerance
    return 0, None, 0.0


def _rows_of(problem: Problem, work: float) -> tuple[Block, int] | None:
    """Return the rows and the size of their blocks; None of many rows or levels, or not in the memory of the kernel."""
    data, model = problem.data, problem.model
    if type(data.kernel) is not NativeKernel:
        return None
    if model.discrete is not None and model.discrete.size * model.n_components > _LARGEST_TABLE:
        return None
    largest = _LARGEST_WORK if data.runner.n_workers > 1 else _LARGEST_ALONE
    if data.n_features > _MOST_FEATURES or work > largest:
        return None
    return whole_of(data.blocks)


def _work_of(problem: Problem) -> float:
    """Return about how many floating-point operations a pass takes."""
    data, model = problem.data, problem.model
    work = pass_work(problem.moments.layout, data.n_rows, model.n_components, data.n_features)
    work *= _WORK_OF_MISSING if data.has_missing else 1.0
    if model.discrete is not None:
        work += _WORK_OF_LEVEL * data.n_rows * model.discrete.n_columns * model.n_components
    return work


def _is_known(discrete: DiscreteColumns) -> bool:
    """Return whether compiled code has the models of all columns, from three numbers seen of a count on."""
    return all(
        one.name in LEVEL_KINDS and (one is CATEGORICAL or len(shares) > 3)
        for one, shares in zip(discrete.models, discrete.shares, strict=True)
    )


def _levels_of(block: Block, discrete: DiscreteColumns) -> Levels:
    kinds = np.array([LEVEL_KINDS.index(one.name) for one in discrete.models], dtype=np.intp)
    assert block.levels is not None, "there are levels where there are discrete columns"
    return Levels(np.ascontiguousarray(block.levels), discrete.starts, kinds, discrete.pseudo_counts)


def _robust(block: Block, model: GaussianModel) -> tuple[FloatArray | None, FloatArray | None]:
    """Return the log densities of noise but for its weight, and how degrees of freedom are found."""
    densities = freedom = None
    if model.background is not None:
        noise, complete = model.background.with_weight(1.0), block.order is None
        densities = noise.log_densities(block.rows, block.levels, complete=complete)
    if (tails := model.tails) is not None:
        freedom = np.array([float(tails.common), tails.least, tails.most])
    return densities, freedom


def _is_plain(problem: Problem) -> bool:
    """Return whether compiled code knows what is beside components, and no prior is added to the sums of their rows."""
    data, model = problem.data, problem.model
    if model.discrete is not data.discrete or not (model.discrete is None or _is_known(model.discrete)):
        return False
    is_flat = model.prior.is_flat and not model.prior.ridge
    return is_flat and get_algebra().name == "native" and model.kept is None
