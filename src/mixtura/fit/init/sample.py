"""Rows that stand for all where a start is looked for, and the start that labels of them make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.evaluate import SmallestHashes
from mixtura.core.impute import conditional_means
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import DENSE, DIAGONAL, Moments
from mixtura.core.parts.known_labels import KnownLabels, known_levels, labels_in_turn
from mixtura.core.prior import Ridge
from mixtura.core.protocols import Block, Blocks, continuous_rows
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.fit.init.base import Initializer, InitialStatistics
from mixtura.fit.init.from_kmeans import too_few_distinct
from mixtura.fit.init.level_scores import level_scores
from mixtura.fit.init.sampling.equal_rows import merge_equal_rows
from mixtura.fit.init.start_coordinates import TRANSFORMS
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.loop.stopping import AbsoluteChange
from mixtura.fit.steps.em import EMStep, Problem

__all__ = [
    "MOST_ROWS",
    "FromLabels",
    "PositiveWeight",
    "Sample",
    "draw_sample",
    "fill_missing",
    "fill_with_pooled_covariance",
]

MOST_ROWS = 2000
"""How many rows a start is looked for on; all where there are no more. mclust's number."""

_COUNTED = 5_000_000
"""Rows up to which they are drawn from a list of their numbers; of more, a sample by hashes takes no such list."""

_RIDGE, _MOST_PASSES = 1e-3, 50
"""Of the Gaussian that fills missing values: added to the variances of standardized columns, as few rows may have both
of two columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some rows of a table.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Which rows, ascending.
    rows : ndarray of shape (n, D)
        Missing values are conditional means under one Gaussian: only starts are looked for in them.
    weights : ndarray of shape (n,)
        Positive.
    data : Data
        The rows as they are.
    scores : ndarray of shape (n, d), optional
        Further coordinates, in which rows of like levels of discrete columns lie near each other.
    left_out : float, default=0
        Weight of the rows that were left out of the sample: outliers, which a start does not give to any component.
    """

    numbers: IntArray
    rows: FloatArray
    weights: FloatArray
    data: Data
    scores: FloatArray | None = None
    left_out: float = 0.0

    @property
    def n_rows(self) -> int:
        return int(self.rows.shape[0])

    @property
    def n_features(self) -> int:
        return int(self.rows.shape[1])

    @property
    def total_weight(self) -> float:
        return float(self.weights.sum())

    def of(self, chosen: BoolArray) -> Sample:
        """Return some of the rows, (n,); the others are left out."""
        numbers = np.flatnonzero(chosen)
        scores = None if self.scores is None else self.scores[chosen]
        left_out = self.left_out + float(self.weights[~chosen].sum())
        parts = (self.numbers[chosen], self.rows[chosen], self.weights[chosen])
        return Sample(*parts, self.data.select(numbers), scores, left_out)

    def distinct(self) -> tuple[Sample, IntArray]:
        """Return the sample with equal rows as one, with the sum of their weights, and which of them each row is, (n,).

        They are in an order of their own: what is found on it does not depend on whether rows are repeated or weighted,
        nor on their order.
        """
        kept, weights, owners = merge_equal_rows(self.data.mixed_rows(np.arange(self.n_rows)), self.weights)
        scores = None if self.scores is None else self.scores[kept]
        return replace(
            self, numbers=self.numbers[kept], rows=self.rows[kept], weights=weights, scores=scores
        ), owners

    def seen_as(self, transform: str) -> Sample:
        """Return the sample in other coordinates, one of `TRANSFORMS`.

        Raises
        ------
        ParameterError
            The name is unknown.
        """
        change: Callable[[FloatArray, FloatArray], FloatArray] | None = TRANSFORMS.get(transform)
        if change is None:
            raise ParameterError(
                f"`transform` must be one of {list(TRANSFORMS)!r}; got {transform!r}. 'svd' is mclust's."
            )
        rows = self.rows if self.scores is None else np.hstack([self.rows, self.scores])
        return replace(self, rows=np.ascontiguousarray(change(rows, self.weights)))


def draw_sample(data: Data, rng: np.random.RandomState, max_rows: int = MOST_ROWS) -> Sample:
    """Return the rows of positive weight, or this many of them drawn evenly; nothing is drawn where all are taken.

    Parameters
    ----------
    data : Data
    rng : RandomState
    max_rows : int, default=2000
    """
    if data.n_rows > max(_COUNTED, max_rows):
        seed = int(rng.randint(2**31 - 1))
        numbers = np.sort(data.reduce(SmallestHashes(max_rows, seed, positive=True))[0])
    else:
        numbers = np.flatnonzero(data.reduce(PositiveWeight()))
    if numbers.size > max_rows:
        numbers = _drawn(data, numbers, rng, max_rows)
    weights = data.rows_and_weights(numbers)[1]
    table = data.mixed_rows(numbers)
    chosen = data.in_memory(table, weights).alone()
    rows = fill_missing(chosen) if data.has_missing else continuous_rows(table)
    return Sample(numbers, rows, weights, chosen, level_scores(chosen, weights))


def _drawn(data: Data, numbers: IntArray, rng: np.random.RandomState, max_rows: int) -> IntArray:
    """Return some of the rows, evenly drawn; as many known as others, where some are known."""
    known = known_levels(data.discrete)
    if known is None:
        return np.sort(rng.choice(numbers, size=max_rows, replace=False))
    return np.sort(labels_in_turn(data.reduce(KnownLabels(known)), rng.permutation(numbers))[:max_rows])


@dataclass(frozen=True, slots=True, eq=False)
class PositiveWeight:
    """Which rows have a positive weight, (N,)."""

    def __call__(self, block: Block) -> BoolArray:
        weight = block.sample_weight
        return np.ones(block.n_rows, dtype=bool) if weight is None else weight > 0

    def add(self, total: BoolArray, more: BoolArray) -> BoolArray:
        return np.concatenate([total, more])

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)


class FromLabels:
    """Start from a partition of a sample.

    The sample's statistics stand for those of all rows. A class of no more rows than columns has no covariance of its
    own; it is lent that of the rows about the means of their classes, so that any family can begin.

    Parameters
    ----------
    sample : Sample
    labels : ndarray of shape (n,)
        From 0 to K-1, one per row of the sample; components that no row is labeled with begin empty.
    """

    def __init__(self, sample: Sample, labels: IntArray) -> None:
        self._sample, self._labels = sample, labels
        self._found: dict[tuple[int, str, bool], InitialStatistics] = {}
        self._means: dict[int, tuple[FloatArray, int]] = {}

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        return self._start

    def _start(self, problem: Problem) -> InitialStatistics:
        """Return the statistics of the partition, which are the same for many structures."""
        model = problem.model
        moments, pooled = model.moments[-1], model.structure.pooled
        wanted = model.n_components, moments.name, pooled
        if wanted not in self._found:
            self._found[wanted] = self._sums(model.n_components, moments, pooled=pooled)
        return self._found[wanted]

    def _sums(self, k: int, moments: Moments, *, pooled: bool) -> InitialStatistics:
        if k not in self._means:
            self._means[k] = self._means_of(k)
        sample, (means, n_present) = self._sample, self._means[k]
        partition = sample.data.state_of(np.ascontiguousarray(self._labels, dtype=np.intp))
        statistics = sample.data.given(means, moments, partition)
        statistics.sums[1] += sample.left_out
        if not pooled:
            fill_with_pooled_covariance(statistics)
        return InitialStatistics(statistics, too_few_distinct(n_present, k))

    def _means_of(self, k: int) -> tuple[FloatArray, int]:
        """Return the means of all classes, (k, D), that of all rows where one has none, and how many have rows."""
        sample, labels = self._sample, self._labels
        means = np.repeat(sample.weights @ sample.rows[None] / sample.total_weight, k, axis=0)
        columns = [np.bincount(labels, sample.weights * column, minlength=k) for column in sample.rows.T]
        sums = np.array(columns).reshape(sample.n_features, k).T
        counts = np.bincount(labels, sample.weights, minlength=k)
        present = counts > 0
        means[present] = sums[present] / counts[present, None]
        return means, int(np.count_nonzero(present))


def fill_with_pooled_covariance(statistics: Statistics) -> None:
    """Give classes without a covariance of their own the pooled one, in place."""
    counts, second = statistics.counts, statistics.second
    needed = statistics.n_features if statistics.moments is DENSE else 1.0
    squares = statistics.moments.diagonal(second)
    few = (counts > 0) & ((counts <= needed) | (squares <= 0).any(axis=1))
    second[few] = counts[few, None] * (second.sum(axis=0) / counts.sum())


def fill_missing(data: Data) -> FloatArray:
    """Return all rows, (N, D), missing values replaced by conditional means under one Gaussian that EM fits.

    Only starts are looked for in them: rows keep to the shape of the whole table, and neither rows nor columns are left
    out.
    """
    rows = data.rows_with_missing(np.arange(data.n_rows))
    total = data.describe(DIAGONAL)
    means = total.means[0] + total.first[0] / total.total_weight
    variances = total.second[0] / total.total_weight
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    weights = data.rows_and_weights(np.arange(data.n_rows))[1]
    standard = (rows - means) / scale
    problem = Problem(
        data.in_memory(standard, weights).alone(), GaussianModel(1, get_family("full"), Ridge(_RIDGE))
    )
    d = data.n_features
    first = Mixture.from_parameters([1.0], np.zeros((1, d)), np.eye(d)[None], "full")
    step = EMStep(problem)
    fitted = iterate(begin(step, first), step, AbsoluteChange(1e-3), _MOST_PASSES).model
    return np.asarray(conditional_means(fitted, standard) * scale + means)
