"""What profiles are made of: summaries of sizes, of columns by segment, and of typical rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.group_quantiles import GroupHistogram, Refinement, bin_edges
from mixtura.segments.mergeable import GroupMoments, TopRows
from mixtura.segments.profiles.distinctness import BINS
from mixtura.segments.scan import Scored
from mixtura.segments.weighted import NumericSummary, group_sums

__all__ = [
    "CategorySummary",
    "LevelCounts",
    "MeansSummary",
    "NumberStatistics",
    "NumberSummary",
    "SegmentSizes",
    "SizesSummary",
    "TypicalSummary",
    "sizes_of",
]

_QUARTILES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
_BIN_SHARES = np.arange(1, BINS) / BINS


@dataclass(slots=True, eq=False)
class SegmentSizes:
    """How large segments are, each customer counted for the most probable one; arrays of shape (K,).

    Parameters
    ----------
    counts : ndarray, int
        Customers.
    weights, squares : ndarray
        Sums of their weights, and of the squares of these.
    positive : ndarray, int
        Customers with a weight above zero.
    smallest, largest : float
        Of the weights above zero.
    """

    counts: IntArray
    weights: FloatArray
    squares: FloatArray
    positive: IntArray
    smallest: float = np.inf
    largest: float = -np.inf

    @property
    def effective(self) -> FloatArray:
        """Effective number of customers of each segment, ``(sum w)^2 / sum w^2`` (Kish 1965), shape (K,)."""
        return np.asarray(self.weights**2 / np.where(self.squares > 0, self.squares, 1.0))

    @property
    def shares(self) -> FloatArray:
        """Part of each segment in all customers, by weight."""
        return np.asarray(self.weights / self.weights.sum())


class SizesSummary:
    """Sizes of segments; the result is a `SegmentSizes`."""

    def __init__(self, n_segments: int) -> None:
        whole = np.zeros(n_segments, dtype=np.intp)
        self._sizes = SegmentSizes(whole, np.zeros(n_segments), np.zeros(n_segments), whole)

    def add(self, scored: Scored) -> None:
        self._merge(sizes_of(scored.labels, self._sizes.counts.size, scored.weights))

    def merge(self, other: SizesSummary) -> None:
        self._merge(other._sizes)

    def _merge(self, more: SegmentSizes) -> None:
        mine = self._sizes
        self._sizes = SegmentSizes(
            mine.counts + more.counts,
            mine.weights + more.weights,
            mine.squares + more.squares,
            mine.positive + more.positive,
            min(mine.smallest, more.smallest),
            max(mine.largest, more.largest),
        )

    def result(self) -> SegmentSizes:
        return self._sizes


def sizes_of(labels: IntArray, n_segments: int, weights: FloatArray | None = None) -> SegmentSizes:
    """Return the sizes of segments from labels, numbered from 0, and weights, shape (N,) each."""
    counts = np.bincount(labels, minlength=n_segments)
    if weights is None:
        ones = counts.astype(np.float64)
        return SegmentSizes(counts, ones, ones, counts, 1.0, 1.0)
    above = weights > 0
    return SegmentSizes(
        counts=counts,
        weights=group_sums(labels, weights, n_segments),
        squares=group_sums(labels, np.square(weights), n_segments),
        positive=np.bincount(labels[above], minlength=n_segments),
        smallest=float(weights[above].min(initial=np.inf)),
        largest=float(weights[above].max(initial=-np.inf)),
    )


class MeansSummary:
    """Moments of the columns as the mixture sees them; the result is a `GroupMoments` per column.

    Parameters
    ----------
    n_segments, n_columns : int
    """

    def __init__(self, n_segments: int, n_columns: int) -> None:
        self._moments = [GroupMoments(n_segments) for _ in range(n_columns)]

    def add(self, scored: Scored) -> None:
        for moments, values in zip(self._moments, scored.scaled.T, strict=True):
            moments.add(values, scored.labels, scored.weights)

    def merge(self, other: MeansSummary) -> None:
        for moments, more in zip(self._moments, other._moments, strict=True):
            moments.merge(more)

    def result(self) -> list[GroupMoments]:
        return self._moments


@dataclass(frozen=True, slots=True, eq=False)
class NumberStatistics:
    """A numeric column in each segment, and in all together.

    Parameters
    ----------
    segments : tuple of NumericSummary, length K
    population : NumericSummary
    bins : ndarray of shape (B, K)
        Weight per bin and segment: each value its own bin up to `BINS` different ones, else equally filled.
    moments : GroupMoments
        By segment.
    """

    segments: tuple[NumericSummary, ...]
    population: NumericSummary
    bins: FloatArray
    moments: GroupMoments


class NumberSummary:
    """A numeric column; the result is the summary for a second pass over the same rows, whose result is the statistics.

    Parameters
    ----------
    column : int or str
        Place among the active columns, or name among those described.
    n_segments : int
    sample : Scored
        Some of the rows, by which bins are chosen.
    """

    def __init__(self, column: int | str, n_segments: int, sample: Scored) -> None:
        self.column = column
        values = _values(sample, column)
        self.moments = GroupMoments(n_segments)
        self.histogram = GroupHistogram(bin_edges(values), n_segments)
        self._few = np.empty(0)
        self._is_few = np.unique(values[~np.isnan(values)]).size <= BINS

    @property
    def few(self) -> FloatArray | None:
        """The different values, ascending; None where there are more than `BINS`."""
        return self._few if self._is_few else None

    def add(self, scored: Scored) -> None:
        values, labels, weights = _values(scored, self.column), scored.labels, scored.weights
        self.moments.add(values, labels, weights)
        known = ~np.isnan(values)
        if not known.all():
            values, labels = values[known], labels[known]
            weights = None if weights is None else weights[known]
        self.histogram.add(values, labels, weights)
        self._also(values)

    def merge(self, other: NumberSummary) -> None:
        self.moments.merge(other.moments)
        self.histogram.merge(other.histogram)
        self._is_few = self._is_few and other._is_few
        self._also(other._few)

    def _also(self, values: FloatArray) -> None:
        if self._is_few:
            self._few = np.union1d(self._few, values)
            self._is_few = self._few.size <= BINS

    def result(self) -> _Exact:
        shares = np.concatenate([_QUARTILES, _BIN_SHARES])
        every = self.few is not None
        return _Exact(self, self.histogram.refine(_QUARTILES, shares, every=every))


class _Exact:
    """The second pass over a numeric column: quartiles by segment and equally filled bins, exactly."""

    def __init__(self, first: NumberSummary, refinement: Refinement) -> None:
        self._first, self._refinement = first, refinement

    def __deepcopy__(self, memo: object) -> _Exact:
        # What the first pass found is shared, not copied for each block.
        return type(self)(self._first, self._refinement.blank())

    def add(self, scored: Scored) -> None:
        values = _values(scored, self._first.column)
        known = ~np.isnan(values)
        if known.all():
            self._refinement.add(values, scored.labels, scored.weights)
        else:
            weights = None if scored.weights is None else scored.weights[known]
            self._refinement.add(values[known], scored.labels[known], weights)

    def merge(self, other: _Exact) -> None:
        self._refinement.merge(other._refinement)

    def result(self) -> NumberStatistics:
        moments, together = self._first.moments, self._first.moments.together()
        own, whole = self._refinement.quantiles()
        quartiles, edges = whole[: _QUARTILES.size], np.unique(whole[_QUARTILES.size :])
        few = self._first.few
        bins = self._refinement.counts(edges[~np.isnan(edges)] if few is None else few)
        return NumberStatistics(
            segments=tuple(_summary(moments, k, own[k]) for k in range(len(own))),
            population=_summary(together, 0, quartiles),
            bins=bins,
            moments=moments,
        )


def _values(scored: Scored, column: int | str) -> FloatArray:
    return scored.described[column] if isinstance(column, str) else scored.rows[:, column]


def _summary(moments: GroupMoments, group: int, quartiles: FloatArray) -> NumericSummary:
    mean, sd = float(moments.mean[group]), float(moments.sd[group])
    return NumericSummary(
        int(moments.count[group]), int(moments.missing[group]), mean, sd, *quartiles.tolist()
    )


@dataclass(frozen=True, slots=True, eq=False)
class LevelCounts:
    """A categorical column in each segment.

    Parameters
    ----------
    counts : ndarray of shape (L, K), int
        Customers per level.
    weights : ndarray of shape (L, K)
    """

    counts: IntArray
    weights: FloatArray


class CategorySummary:
    """A categorical column; the result is a `LevelCounts`.

    Parameters
    ----------
    column : str
        Name among those described, whose values are codes of levels.
    n_levels, n_segments : int
    """

    def __init__(self, column: str, n_levels: int, n_segments: int) -> None:
        self._column = column
        self._counts = np.zeros((n_levels, n_segments), dtype=np.intp)
        self._weights = np.zeros((n_levels, n_segments))

    def add(self, scored: Scored) -> None:
        shape = self._counts.shape
        cells = scored.described[self._column] * shape[1] + scored.labels
        counts = np.bincount(cells, minlength=self._counts.size).reshape(shape)
        self._counts += counts
        self._weights += (
            counts
            if scored.weights is None
            else np.bincount(cells, scored.weights, minlength=counts.size).reshape(shape)
        )

    def merge(self, other: CategorySummary) -> None:
        self._counts += other._counts
        self._weights += other._weights

    def result(self) -> LevelCounts:
        return LevelCounts(self._counts, self._weights)


class TypicalSummary:
    """The rows of each segment where its own component is densest; the result has a `TopRows` per segment.

    The density of a component follows from what is known: ``log N_k(z) = log p(z) + log r_k - log w_k``; keys are its
    negative.

    Parameters
    ----------
    mixing : ndarray of shape (K,)
        Weights of the components.
    most : int
        Rows per segment.
    """

    def __init__(self, mixing: FloatArray, most: int) -> None:
        self._mixing = mixing
        self._top = [TopRows(most) for _ in mixing]

    def add(self, scored: Scored) -> None:
        labels = scored.labels
        own = scored.memberships[np.arange(labels.size), labels] / self._mixing[labels]
        keys, numbers = -(scored.log_density + np.log(own)), scored.numbers
        for k, top in enumerate(self._top):
            members = np.flatnonzero(labels == k)
            top.add(keys[members], numbers[members])

    def merge(self, other: TypicalSummary) -> None:
        for top, more in zip(self._top, other._top, strict=True):
            top.merge(more)

    def result(self) -> list[TopRows]:
        return self._top
