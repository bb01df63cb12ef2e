"""Several steps of expectation-maximization in one compiled call: what it is given, and the state it keeps.

A pass over a few thousand rows takes tens of microseconds, and Python between passes as long again or longer. Where
nothing has to be decided between them, `advance` makes some steps of plain or accelerated EM at once: pass, M-step,
extrapolation. It defines nothing: what a step is, `mixtura.fit.steps` says in Python, and each of its steps is the
compiled step's twin. It ends before a step that takes more care: an empty component, a common form near its floor, a
covariance not positive definite, moments that may have cancelled, an objective that falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import accumulate
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.kernels import native
from mixtura.kernels.algebra import ClosedForm, CommonForm
from mixtura.kernels.contract import Components, Layout, moment_size, sums_size

__all__ = [
    "LEVEL_KINDS",
    "MEMORY",
    "PAIRS",
    "SCALARS",
    "Ending",
    "Levels",
    "Places",
    "Race",
    "Samples",
    "Stretch",
    "can_advance",
    "can_finish",
    "places_of",
]

_VERSION = 4
"""What an extension has to say of its stretches to be called from here."""

_LAYOUTS = {Layout.DENSE: 0, Layout.DIAGONAL: 1, Layout.SHARED: 2}

SCALARS = (
    "n_made", "is_accelerated", "n_passes", "confirming", "best_then", "best", "n_changes", "change_0", "change_1",
    "change_2", "active", "radius", "little", "has_trial", "has_entered", "has_coordinates", "n_history", "n_curvature",
    "has_last", "is_concave", "is_finite", "age", "n_plain", "plain_0", "plain_1", "plain_2", "previous",
    "entered_is_last", "trial_length", "trial_expected",
)  # fmt: skip
"""Numbers at the beginning of a state; flags are 0 or 1."""

_N_SCALARS, PAIRS, MEMORY = 32, 9, 8
"""Room for numbers, for sums before and after a pass, and for differences."""


class Ending(IntEnum):
    """Why a stretch ended: all steps were made; the next takes more care; little is left; a race looks at the run."""

    COMPLETE = 0
    TROUBLE = 1
    SATISFIED = 2
    LOOKED_AT = 3


_ENDINGS = tuple(Ending)


def can_advance() -> bool:
    """Return whether the extension has stretches."""
    return getattr(native.extension(), "STRETCH", 0) == _VERSION


def can_finish() -> bool:
    """Return whether it makes whole runs, too."""
    return can_advance() and hasattr(native.extension(), "finish_runs")


@dataclass(frozen=True)
class Places:
    """Where the parts of a state stand in its vector.

    Parameters
    ----------
    form : ClosedForm or CommonForm
    layout : Layout
    n_components, n_features : int
    n_levels : int, default=0
        Of all discrete columns, with that of missing values.
    noise, tails : bool, default=False
        Whether there is noise, and whether components are t distributions.
    """

    form: ClosedForm | CommonForm
    layout: Layout
    n_components: int
    n_features: int
    n_levels: int = 0
    noise: bool = False
    tails: bool = False

    @cached_property
    def model(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of weights, means, covariances, whitening factors, log-determinants, and offsets.

        Then of what there is: levels, the weight of noise, degrees of freedom.
        """
        k, d, form = self.n_components, self.n_features, self.form
        own = (k, d) if form.diagonal else (k, d, d)
        one = isinstance(form, ClosedForm) and form.pooled and not form.diagonal
        spheres = form == ClosedForm(pooled=False, diagonal=True, averaged=True)
        whitening = (d, d) if one else own
        beside = ((self.n_levels > 0, (self.n_levels, k)), (self.noise, (1,)), (self.tails, (k,)))
        gaussian = (k,), (k, d), (k,) if spheres else whitening, whitening, (1,) if one else (k,), (k,)
        return *gaussian, *(shape for is_there, shape in beside if is_there)

    def serves(self, components: Components) -> bool:
        """Return whether a pass over components is one that stretches make."""
        return components.layout is self.layout

    @cached_property
    def frame_size(self) -> int:
        return 3 + sum(map(prod, self.model))

    @cached_property
    def _parts(self) -> Mapping[str, tuple[int, tuple[int, ...]]]:
        k, d = self.n_components, self.n_features
        size = sums_size(self.layout, k, d)
        levels, tails = (max(self.n_levels - 1, 0), k), (k if self.tails else 0,)
        sums = (k * d + size + 2 * tails[0] + self.n_levels * k,)
        point = (size - 2 + prod(levels) + tails[0],)
        own = {Layout.DENSE: (k, d, d), Layout.DIAGONAL: (k, d), Layout.SHARED: (d, d)}[self.layout]
        assert size - 2 == k * (1 + d + moment_size(self.layout, d))
        model = (self.frame_size - 3,)
        shapes = {
            "scalars": (_N_SCALARS,), "model": model, "origin_model": model,
            "entered": sums, "trial": sums, "origin": sums, "trial_point": point, "trial_left": point,
            "point": point, "left": point, "last_point": point, "last_gradient": point,
            "moves": (MEMORY, *point), "drops": (MEMORY, *point),
            "about": (k, d), "roots": (k,), "whitening": own, "coloring": own,
            "likely": levels, "widths": levels, "known": levels,
            "expected": tails, "spreads": tails,
            "linked": (PAIRS,), "history": (PAIRS, 2, *sums),
        }  # fmt: skip
        found, at = {}, 0
        for name, shape in shapes.items():
            found[name] = at, shape
            at += prod(shape)
        return MappingProxyType(found)

    @cached_property
    def size(self) -> int:
        """Length of a state."""
        at, shape = self._parts["history"]
        return at + prod(shape)

    def part(self, state: FloatArray, name: str) -> FloatArray:
        """Return a part of a state, a view."""
        at, shape = self._parts[name]
        return state[at : at + prod(shape)].reshape(shape)

    @cached_property
    def _of_model(self) -> list[tuple[slice, tuple[int, ...] | None]]:
        """Where the arrays of a model stand, and their shapes where they have several axes."""
        ends = list(accumulate(map(prod, self.model)))
        spans = [slice(end - prod(shape), end) for end, shape in zip(ends, self.model, strict=True)]
        return [
            (span, shape if len(shape) > 1 else None) for span, shape in zip(spans, self.model, strict=True)
        ]

    def model_of(self, vector: FloatArray) -> list[FloatArray]:
        """Return the arrays of a model from one vector: views in the order of `model`.

        Of vectors side by side, (..., frame_size - 3), those of all models.
        """
        if vector.ndim == 1:
            return [
                vector[span] if shape is None else vector[span].reshape(shape)
                for span, shape in self._of_model
            ]
        sides = vector.shape[:-1]
        return [vector[..., span].reshape(*sides, *(shape or (-1,))) for span, shape in self._of_model]


@lru_cache(maxsize=256)
def places_of(
    form: ClosedForm | CommonForm,
    layout: Layout,
    n_components: int,
    n_features: int,
    n_levels: int = 0,
    noise: bool = False,
    tails: bool = False,
) -> Places:
    """Return the places of parts of states, found once."""
    return Places(form, layout, n_components, n_features, n_levels, noise, tails)


class Levels(NamedTuple):
    """Discrete columns beside the rows; see `mixtura.core.parts.discrete`.

    Parameters
    ----------
    of_rows : ndarray of shape (N, J), int32
        Rows of the table, as `Kernel.add_levels` takes them.
    starts : ndarray of shape (J + 1,), intp
    kinds : ndarray of shape (J,), intp
        Numbers of `LEVEL_KINDS`.
    prior : ndarray of shape (L,)
        Pseudo-counts; zero for levels that no row has.
    """

    of_rows: IntArray
    starts: IntArray
    kinds: IntArray
    prior: FloatArray


LEVEL_KINDS = ("category", "negative binomial", "poisson")
"""How levels follow from their counts. What lies beyond the largest number of a count is left to who asks, where no row
is there."""


class Samples(NamedTuple):
    """Samples of as many rows, with what a run on one of them takes.

    Parameters
    ----------
    rows : ndarray of shape (S, N, D), float64, C-contiguous
    bounds : ndarray of shape (S, D, D) or (S, D), optional
        Of the covariances, as `Stretch.bound` is.
    means, scatters : ndarray of shape (S, D) and (S, D, D), optional
        Of all rows, where second moments are pooled.
    """

    rows: FloatArray
    bounds: FloatArray | None
    means: FloatArray | None
    scatters: FloatArray | None


class Race(NamedTuple):
    """When a race looks at a run closely: a stretch ends there. Nats of the total log-likelihood, and numbers of steps.

    Parameters
    ----------
    target, near : float
        That of the best end so far, and how far below it an end is of interest, too.
    same, almost : float
        A run that comes within so much above and below the target is looked at.
    settled, first : float
        The first look, and until when runs may be hopeless.
    hopeless, allowed, speed : float
        A run further behind than the first is, if it would be further behind than the second with this many times the
        better of its latest two gains in each step that is left.
    """

    target: float
    near: float
    same: float
    almost: float
    settled: float
    first: float
    hopeless: float
    allowed: float
    speed: float


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What steps are made of: rows in memory, an M-step, and when to extrapolate.

    Parameters
    ----------
    places : Places
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous and aligned
    sample_weight : ndarray of shape (N,), optional
        Aligned, too.
    block : int
        Rows whose sums are added up together.
    bound : ndarray, optional
        As of `Algebra.closed_form`.
    total : pair of ndarray, optional
        Mean (D,) and scatter (D, D) about it of all rows, where second moments are pooled.
    warmup : int
        Plain steps after which extrapolation may begin; negative for never.
    fewest, negligible : float
        As of `Algebra.closed_form` and of `Components`.
    tolerance, enough : float
        Nats of the total log-likelihood: of extrapolation, and of the rule by which a stretch ends.
    instruction_set : str
    race : ndarray, optional
        The numbers of a `Race` that the run is in.
    order : ndarray of shape (N,), optional
        Where values are missing: rows of each block, by their numbers in it, as `Kernel.accumulate` takes them.
    levels : Levels, optional
    noise : ndarray of shape (N,), optional
        Log densities of noise but for its weight, as `Kernel.accumulate` takes them.
    freedom : ndarray of shape (3,), optional
        Of t components: 1 where all have the same degrees of freedom, otherwise 0, and their bounds.
    """

    places: Places
    rows: RowArray
    sample_weight: FloatArray | None
    block: int
    bound: FloatArray | None
    total: tuple[FloatArray, FloatArray] | None
    warmup: int
    fewest: float
    negligible: float
    tolerance: float
    enough: float
    instruction_set: str
    race: FloatArray | None = None
    order: IntArray | None = None
    levels: Levels | None = None
    noise: FloatArray | None = None
    freedom: FloatArray | None = None

    def advance(self, state: FloatArray, n_steps: int) -> tuple[FloatArray, FloatArray, Ending]:
        """Make some steps.

        Parameters
        ----------
        state : ndarray of shape (size,)
        n_steps : int

        Returns
        -------
        state : ndarray of shape (size,)
            The next one; it says nothing after trouble.
        film : ndarray of shape (steps made, frame_size)
            Objective, kind, whether the model is on trial, and the model, after each step.
        ending : Ending
        """
        after, film = state.copy(), np.empty((n_steps, self.places.frame_size))
        rows = self.rows, self.sample_weight, self.bound, *(self.total or (None, None))
        beside = self.levels or (None, None, None, None)
        made, ending = _extension().advance(
            *self._described, *rows, after, film, self.race, self.order, *beside, self.noise, self.freedom
        )
        return after, film[:made], _ENDINGS[ending]

    def finish(
        self, samples: Samples, numbers: IntArray, starts: FloatArray, most_steps: int
    ) -> tuple[FloatArray, FloatArray]:
        """Make runs from their starts to their ends, on samples in place of the rows.

        Parameters
        ----------
        samples : Samples
        numbers : ndarray of shape (R,)
            The sample of each run.
        starts : ndarray of shape (R, frame_size - 3)
            The models that they set out from.
        most_steps : int

        Returns
        -------
        ends : ndarray of shape (R, frame_size - 3)
            The models that they lead to.
        found : ndarray of shape (R, 3)
            The log-likelihood of these, in nats, how many steps were made, and the `Ending`. What did not end satisfied
            takes more care.
        """
        ends, found = np.empty_like(starts), np.empty((len(starts), 3))
        of_samples = samples.rows, samples.bounds, samples.means, samples.scatters
        _extension().finish_runs(*self._described, most_steps, *of_samples, numbers, starts, ends, found)
        return ends, found

    @property
    def finishes(self) -> bool:
        """Whether runs to their ends are made of such steps: of complete rows of numbers, by Gaussian components."""
        return all(one is None for one in (self.order, self.levels, self.noise, self.freedom))

    @property
    def _described(self) -> tuple[object, ...]:
        """What the extension is given of steps, but for the arrays."""
        form, layout = self.places.form, _LAYOUTS[self.places.layout]
        schedule = self.block, self.warmup, self.fewest, self.negligible, self.tolerance, self.enough
        return native.position(self.instruction_set), layout, self.places.n_components, form, *schedule


def _extension() -> Any:
    extension = native.extension()
    assert extension is not None, "there is a stretch only where there is an extension"
    return extension
