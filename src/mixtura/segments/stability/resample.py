"""The same mixture learned again from resampled customers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import count
from typing import TypeAlias

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.known_labels import known_levels, predict_free
from mixtura.core.parts.student import StudentTails
from mixtura.core.protocols import RowTable
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError
from mixtura.fit import (
    INITIALIZATIONS,
    FromKnown,
    Problem,
    RemainingGain,
    Settings,
    WithKnown,
    continue_fit,
    fit_mixture,
)
from mixtura.fit.init import FromHierarchy, FromSample, Initialization
from mixtura.run import map_tasks
from mixtura.segments.merging.grouped import grouped, grouped_labels
from mixtura.segments.merging.segment_merging import merging_of
from mixtura.select.inference.refit import runner_for_family
from mixtura.select.model_search.cost import search_seconds, workers_for
from mixtura.select.priors import PriorName, make_prior

__all__ = ["Refits", "refit_labels"]

Refits: TypeAlias = dict[bytes, list[IntArray | None]]
"""Partitions of what was resampled before, by number of the resample; the key says of what, and how it was learned."""

_TOLERANCE = 1.0
"""Nats of the total log-likelihood still to be gained: partitions change by single customers for less."""

_TREE_ROWS = 200
"""A tree of more rows finds the same groups, and takes longer than all fits."""

_SHORT, _LONG = 20, 300
"""Iterations from every start, and from the best of them on (short runs of EM: Biernacki, Celeux and Govaert 2003)."""


def refit_labels(
    rows: RowTable,
    family: str,
    n_components: int,
    *,
    n_bootstraps: int, n_init: int, seed: int,
    weights: FloatArray | None = None,
    prior: PriorName | float = "floor",
    rounding: FloatArray | None = None,
    tails: bool = False,
    n_segments: int | None = None,
    on_resample: Callable[[int], object] = lambda done: None,
    refits: Refits | None = None,
) -> list[IntArray]:  # fmt: skip
    """Return the partitions of the rows by mixtures learned from resamples of them, each of shape (N,).

    Each resample has as many rows as there are, drawn with replacement: it is the same rows with the number of times
    each was drawn as their weight. Fits start cold, from K-means on the resample and from the tree of some of its rows:
    one that started from the mixture in question would find its way back to it, and make every segment look stable.
    They run side by side on all cores, in threads where passes take long and in processes where they do not. Rows that
    are known to belong to a component do so in resamples, too; they are partitioned as all others. The seed of a
    resample is its number, so that this does not change a digit.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        Standardized.
    family : str
    n_components : int
    n_bootstraps : int
    n_init : int
        Starts per resample.
    seed : int
    weights : ndarray of shape (N,) or None, default=None
        Of the rows; multiplied with the numbers of times they were drawn.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, as in `mixtura.select.search`; made from the rows themselves.
    rounding : ndarray of shape (D,) or None, default=None
        Steps that the columns are rounded to, for the floor.
    tails : bool, default=False
        Whether components are t distributions.
    n_segments : int or None, default=None
        Merge the components of each resample to this many segments, see `SegmentMerging`; None for none.
    on_resample : callable, optional
        Called after resamples with how many are done; from several threads.
    refits : dict, optional
        What is found in it is not learned again, and what is learned is put into it.

    Returns
    -------
    list of ndarray
        Fewer than `n_bootstraps` where a mixture could not be learned from a resample.
    """
    groups = n_segments or n_components
    asked = rows, weights, family, n_components, groups, n_init, seed, prior, rounding, tails
    found = {} if refits is None else refits
    known = found.setdefault(blake2b(pickle.dumps(asked)).digest(), [])
    if len(known) < n_bootstraps:
        data = as_data(rows, weights)
        structure = get_family(family)
        # That of the rows themselves, as the mixture in question had it: a resample of few rows has none to speak of.
        kept = make_prior(prior, data.total, n_components, rounding)
        heavy = StudentTails() if tails else None
        model = GaussianModel(n_components, structure, kept, data.discrete, tails=heavy)
        task = _Refit(rows, weights, data.alone(), model, n_init, seed, groups)
        known += _refitted(data, task, range(len(known), n_bootstraps), on_resample)
    return [labels for labels in known[:n_bootstraps] if labels is not None]


def _refitted(
    data: Data, task: _Refit, numbers: range, on_resample: Callable[[int], object]
) -> list[IntArray | None]:
    """Return the partitions of some resamples by their numbers, in threads or in processes."""
    model = task.model
    runner = runner_for_family(data, model.structure, model.n_components)
    if runner.n_workers > 1:
        done = count(numbers.start + 1)

        def labels_of(number: int) -> IntArray | None:
            found = _labels(task, number)
            on_resample(next(done))
            return found

        return runner.map([partial(labels_of, number) for number in numbers])
    cells = [(model.structure.name, model.n_components)]
    seconds = len(numbers) * search_seconds(cells, len(task.rows), data.n_features)
    workers = workers_for(seconds, len(numbers))
    found, ahead = list[IntArray | None](), [0]
    note = partial(ahead.__setitem__, 0)
    for labels in map_tasks(_labels, task, numbers, workers, note):
        found.append(labels)
        on_resample(numbers.start + len(found) + ahead[0])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Refit:
    """What the refits to all resamples have in common."""

    rows: RowTable
    weights: FloatArray | None
    data: Data
    model: GaussianModel
    n_init: int
    seed: int
    n_segments: int


def _labels(refits: _Refit, number: int) -> IntArray | None:
    """Return the partition of the rows by a mixture of a resample, by its number; None where there is none."""
    rows, weights = refits.rows, refits.weights
    rng = np.random.RandomState(np.random.SeedSequence((refits.seed, number)).generate_state(1))
    counted = np.ones(len(rows)) if weights is None else weights
    drawn = np.bincount(rng.randint(len(rows), size=len(rows)), minlength=len(rows)) * counted
    chosen = np.flatnonzero(drawn > 0)
    if chosen.size < refits.model.n_components:
        return None
    resample = refits.data.in_memory(rows[chosen], drawn[chosen]).alone()
    mixture = _learned(Problem(resample, refits.model), refits.n_init, rng)
    if mixture is None or refits.n_segments == mixture.n_components:
        return None if mixture is None else predict_free(mixture, rows)
    memberships = mixture.responsibilities(rows)
    groups = merging_of(mixture, memberships, weights, refits.seed).groups(refits.n_segments)
    return grouped_labels(grouped(memberships, groups))


def _learned(problem: Problem, n_init: int, rng: np.random.RandomState) -> Mixture | None:
    data = problem.data
    stop = RemainingGain(data.total_weight, _TOLERANCE)
    scattered = INITIALIZATIONS["kmeans"] if data.discrete is None else FromSample()
    starts: tuple[tuple[Initialization, int], ...] = (
        (scattered, n_init),
        (FromHierarchy("EII", max_rows=_TREE_ROWS), 1),
    )
    known = known_levels(data.discrete)
    if known is not None and known.stop - known.start <= problem.model.n_components:
        starts = ((FromKnown(), 1), *((WithKnown(one), number) for one, number in starts))
    try:
        ends = [
            fit_mixture(problem, start, Settings(stop, _SHORT), n_init=number, random_state=rng)
            for start, number in starts
        ]
        short = max(ends, key=lambda end: end.lower_bound)
        return (
            short.mixture
            if short.converged
            else continue_fit(problem, short.mixture, Settings(stop, _LONG)).mixture
        )
    except MixturaError:
        return None
