"""Several steps of expectation-maximization in one compiled call: what it is given, and the state it keeps.

A pass over a few thousand rows takes tens of microseconds, and Python between passes as long again or longer. Where
nothing has to be decided between them, `advance` makes some steps of plain or accelerated EM at once: pass, M-step,
extrapolation. It defines nothing: what a step is, `mixtura.fit.steps` says in Python, and each of its steps is the
compiled step's twin. It ends before a step that takes more care: an empty component, a common form near its floor, a
covariance not positive definite, moments that may have cancelled, an objective that falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.kernels import native
from mixtura.kernels.contract import Layout
from mixtura.kernels.iterations.places import Places

__all__ = [
    "CHECKS",
    "LEVEL_KINDS",
    "Contestant",
    "Ending",
    "Levels",
    "Race",
    "Samples",
    "Stretch",
    "can_advance",
    "can_finish",
]

_VERSION = 5
"""What an extension has to say of its stretches to be called from here."""

CHECKS = 4
"""Numbers of steps after which a race looks at how far a run is behind."""

_LAYOUTS = {Layout.DENSE: 0, Layout.DIAGONAL: 1, Layout.SHARED: 2}


class Ending(IntEnum):
    """Why a stretch ended: all steps were made; the next takes more care; little is left; a race looks at the run.

    Or it is too far behind in its race, or comes to the end that is known.
    """

    COMPLETE = 0
    TROUBLE = 1
    SATISFIED = 2
    LOOKED_AT = 3
    ABANDONED = 4


_ENDINGS = tuple(Ending)


def can_advance() -> bool:
    """Return whether the extension has stretches."""
    return getattr(native.extension(), "STRETCH", 0) == _VERSION


def can_finish() -> bool:
    """Return whether it makes whole runs, too."""
    return can_advance() and hasattr(native.extension(), "finish_runs")


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
    weight : float
        Of all rows.
    same, almost : float
        A run that comes within so much above and below the target is looked at.
    settled, hopeless, speed : float
        The first look. A run further behind than the second number is given up before the first check, if it would be
        too far behind then with this many times the better of its latest two gains in each step that is left.
    steps, behind : tuple of `CHECKS` float
        After each of these numbers of steps a run ends that is further behind; infinite where there are fewer checks.
    """

    target: float
    near: float
    weight: float
    same: float
    almost: float
    settled: float
    hopeless: float
    speed: float
    steps: tuple[float, ...]
    behind: tuple[float, ...]

    @property
    def numbers(self) -> FloatArray:
        """All of them, as compiled code has them."""
        return np.array([*self[:-2], *self.steps, *self.behind])


class Contestant(NamedTuple):
    """A run of a contest.

    Parameters
    ----------
    state : ndarray of shape (size,)
        Where it has come to.
    frames : ndarray of shape (steps made, frame_size)
        As of `Stretch.advance`.
    ending : Ending
    target : float
        That it ran against.
    """

    state: FloatArray
    frames: FloatArray
    ending: Ending
    target: float


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
    order: IntArray | None = None
    levels: Levels | None = None
    noise: FloatArray | None = None
    freedom: FloatArray | None = None

    def advance(
        self, state: FloatArray, n_steps: int, race: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray, Ending]:
        """Make some steps.

        Parameters
        ----------
        state : ndarray of shape (size,)
        n_steps : int
        race : ndarray, optional
            `Race.numbers` of the one that the run is in.

        Returns
        -------
        state : ndarray of shape (size,)
            The next one; after trouble the one before it.
        film : ndarray of shape (steps made, frame_size)
            Objective, kind, whether the model is on trial, and the model, after each step.
        ending : Ending
        """
        after, film = state.copy(), np.empty((n_steps, self.places.frame_size))
        _, found = self._run(after[None], film, race, n_steps)
        return after, film[: int(found[0, 0])], _ENDINGS[int(found[0, 1])]

    def contest(
        self, starts: FloatArray, race: Race | None, known: FloatArray | None, n_steps: int, n_frames: int
    ) -> list[Contestant]:
        """Make runs of a race one after the other, until one is not over where nothing has to be decided.

        A run that ends above the target is the target of those after it. Without a race they are over after their
        steps.

        Parameters
        ----------
        starts : ndarray of shape (R, frame_size - 3)
            The models that they set out from.
        race : Race, optional
        known : ndarray of shape (frame_size - 3,), optional
            The model of its target: runs that come near to it end.
        n_steps, n_frames : int
            Steps of a run at most, and of all.

        Returns
        -------
        list of Contestant
            Of the first, one at least.
        """
        states = np.empty((len(starts), self.places.size))
        states[:, self.places.span("model")] = starts
        film = np.empty((n_frames, self.places.frame_size))
        numbers = None if race is None else race.numbers
        begun, found = self._run(states, film, numbers, n_steps, known, begins=True)
        runs, at = [], 0
        for number, (made, ending, target) in enumerate(found[:begun].tolist()):
            frames = film[at : at + int(made)]
            runs.append(Contestant(states[number], frames, _ENDINGS[int(ending)], target))
            at += int(made)
        return runs

    def _run(
        self,
        states: FloatArray,
        film: FloatArray,
        race: FloatArray | None,
        n_steps: int,
        known: FloatArray | None = None,
        *,
        begins: bool = False,
    ) -> tuple[int, FloatArray]:
        """Advance states on a film; return how many were begun, and of each what was found."""
        found = np.empty((len(states), 3))
        rows = self.rows, self.sample_weight, self.bound, *(self.total or (None, None))
        beside = self.levels or (None, None, None, None)
        begun = _extension().advance(
            *self._described, n_steps, begins, *rows, states, film, found, race, known,
            self.order, *beside, self.noise, self.freedom,
        )  # fmt: skip
        return begun, found

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
