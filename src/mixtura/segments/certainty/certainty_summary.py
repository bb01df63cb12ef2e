"""The certainty of all memberships, gathered in two passes: sums and counts, then quantiles exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import DataError
from mixtura.segments.certainty.ambiguous import ambiguity_matrix
from mixtura.segments.certainty.certainty import (
    BANDS,
    QUANTILES,
    Band,
    Certainty,
    check_threshold,
    confusion_sums,
    membership_entropy,
)
from mixtura.segments.group_quantiles import GroupHistogram, Refinement, bin_edges
from mixtura.segments.mergeable import TopRows
from mixtura.segments.scan import Scored
from mixtura.segments.weighted import row_maxima

__all__ = ["AmbiguousSummary", "CertaintySummary", "MeanCertaintySummary", "bands_of", "measure_certainty"]

_BINS = 20


class CertaintySummary:
    """How firmly segments claim customers; the result is the summary for a second pass, whose result is a `Certainty`.

    Parameters
    ----------
    names : sequence of str, length K
    sample : ndarray of shape (n,)
        Largest memberships of some rows, by which bins are chosen.
    threshold : float, default=0.6
    """

    def __init__(self, names: Sequence[str], sample: FloatArray, threshold: float = 0.6) -> None:
        check_threshold(threshold)
        self.names, self.threshold = tuple(names), threshold
        k, self.edges = len(self.names), np.linspace(0, 1, _BINS + 1)
        self.n_rows = self.n_customers = self.n_ambiguous = 0
        # Sums over customers of their weights, of entropies, of largest memberships, of the weights of the unsure, and
        # of squared memberships.
        self.sums = np.zeros(5)
        self.histogram, self.ambiguity_matrix = np.zeros(_BINS), np.zeros((k, k))
        self.confusion, self.sizes = np.zeros((k, k)), np.zeros(k)
        self.bands = np.zeros((len(BANDS) + 1, 2))
        self.fine = GroupHistogram(bin_edges(sample), 1)

    def add(self, scored: Scored) -> None:
        self.add_rows(scored.memberships, scored.certainty, scored.weights)

    def add_rows(self, memberships: FloatArray, largest: FloatArray, weights: FloatArray | None) -> None:
        """Add memberships of shape (n, K) and the largest of each row; rows of NaN are not counted."""
        self.n_rows += len(memberships)
        memberships, largest, weights = _known(memberships, largest, weights)
        counted = np.ones(largest.size) if weights is None else weights
        unsure = (largest < self.threshold) & (memberships.shape[1] > 1)
        self.n_customers += largest.size
        self.n_ambiguous += int(np.count_nonzero(unsure))
        entropy = membership_entropy(memberships)
        squares = counted @ np.square(memberships).sum(axis=1)
        self.sums += (counted.sum(), entropy @ counted, largest @ counted, counted[unsure].sum(), squares)
        places = np.minimum(np.searchsorted(self.edges, largest, side="right") - 1, _BINS - 1)
        self.histogram += np.bincount(places, counted, minlength=_BINS)
        self.ambiguity_matrix += ambiguity_matrix(memberships, self.threshold, counted)
        summed, sizes = confusion_sums(memberships, counted)
        self.confusion, self.sizes = self.confusion + summed, self.sizes + sizes
        bands = np.searchsorted(BANDS, largest, side="right")
        self.bands += np.column_stack(
            [np.bincount(bands, one, minlength=len(self.bands)) for one in (None, counted)]
        )
        self.fine.add(largest, np.zeros(largest.size, dtype=np.intp), weights)

    def merge(self, other: CertaintySummary) -> None:
        for name in ("n_rows", "n_customers", "n_ambiguous"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("sums", "histogram", "ambiguity_matrix", "confusion", "sizes", "bands"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.fine.merge(other.fine)

    def result(self) -> _Exact:
        return _Exact(self, self.fine.refine(np.empty(0), np.array(QUANTILES)))


class _Exact:
    """The second pass over memberships: quantiles of the largest, exactly."""

    def __init__(self, first: CertaintySummary, refinement: Refinement) -> None:
        self._first, self._refinement = first, refinement

    def __deepcopy__(self, memo: object) -> _Exact:
        # What the first pass found is shared, not copied for each block.
        return type(self)(self._first, self._refinement.blank())

    def add(self, scored: Scored) -> None:
        self.add_rows(scored.certainty, scored.weights)

    def add_rows(self, largest: FloatArray, weights: FloatArray | None) -> None:
        """Add the largest membership of each row once more."""
        known = ~np.isnan(largest)
        weights = None if weights is None else weights[known]
        self._refinement.add(largest[known], np.zeros(int(known.sum()), dtype=np.intp), weights)

    def merge(self, other: _Exact) -> None:
        self._refinement.merge(other._refinement)

    def result(self) -> Certainty:
        first, found = self._first, self._refinement.quantiles()[1]
        total, entropy, largest, unsure, squares = first.sums.tolist()
        if not total > 0:
            raise DataError(
                f"None of {first.n_rows!r} customers has a membership and a weight above zero. At least one is "
                "required. Assign customers with all values first."
            )
        several = len(first.names) > 1
        sizes = first.sizes[:, None]
        empty = np.full_like(first.confusion, np.nan)
        return Certainty(
            names=first.names,
            n_customers=first.n_customers,
            total_weight=total,
            mean_entropy=entropy / total,
            normalized_entropy=entropy / total / float(np.log(len(first.names))) if several else 0.0,
            edges=first.edges,
            histogram=first.histogram,
            quantiles=dict(zip(QUANTILES, found.tolist(), strict=True)),
            mean_certainty=largest / total,
            threshold=first.threshold,
            n_ambiguous=first.n_ambiguous,
            ambiguous_share=unsure / total,
            ambiguity_matrix=first.ambiguity_matrix,
            confusion=np.divide(first.confusion, sizes, out=empty, where=sizes > 0),
            expected_error=1.0 - largest / total,
            bands=bands_of(first.bands),
            table=first.confusion,
            mean_square=squares / total,
        )


def _known(
    memberships: FloatArray, largest: FloatArray, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    known = ~np.isnan(largest)
    if known.all():
        return memberships, largest, weights
    return memberships[known], largest[known], None if weights is None else weights[known]


def bands_of(table: FloatArray) -> tuple[Band, ...]:
    """Return bands from the customers of each and their weight, shape (B, 2)."""
    lower, upper = (0.0, *BANDS), (*BANDS, 1.0)
    shares = table[:, 1] / table[:, 1].sum()
    return tuple(
        Band(low, high, int(count), float(share))
        for low, high, count, share in zip(lower, upper, table[:, 0], shares, strict=True)
    )


def measure_certainty(
    memberships: FloatArray,
    names: Sequence[str],
    *,
    weights: FloatArray | None = None,
    threshold: float = 0.6,
) -> Certainty:
    """Measure how firmly the segments claim their customers.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
        Rows of NaN are in no segment, and not counted.
    names : sequence of str, length K
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight in everything but numbers of customers; without, with one.
    threshold : float, default=0.6
        Customers whose largest membership is below it are ambiguous.

    Raises
    ------
    DataError
        No row has a membership.
    ParameterError
        The threshold is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import measure_certainty
    >>> found = measure_certainty(np.array([[1.0, 0.0], [0.5, 0.5], [0.2, 0.8]]), ["A", "B"])
    >>> round(found.expected_error, 4), found.n_ambiguous
    (0.2333, 1)
    >>> found.confusion
    array([[0.75, 0.25],
           [0.2 , 0.8 ]])
    """
    largest = row_maxima(memberships)
    summary = CertaintySummary(names, largest, threshold)
    summary.add_rows(memberships, largest, weights)
    exact = summary.result()
    exact.add_rows(largest, weights)
    return exact.result()


class MeanCertaintySummary:
    """The mean of the largest memberships, by weight; the result is a number."""

    def __init__(self) -> None:
        self._sums = np.zeros(2)

    def add(self, scored: Scored) -> None:
        largest, weights = scored.certainty, scored.weights
        self._sums += (largest.sum(), largest.size) if weights is None else (largest @ weights, weights.sum())

    def merge(self, other: MeanCertaintySummary) -> None:
        self._sums += other._sums

    def result(self) -> float:
        return float(self._sums[0] / self._sums[1])


class AmbiguousSummary:
    """The customers whose largest membership is smallest; the result is a `TopRows`.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self._top = TopRows(most)

    def add(self, scored: Scored) -> None:
        self._top.add(scored.certainty, scored.numbers)

    def merge(self, other: AmbiguousSummary) -> None:
        self._top.merge(other._top)

    def result(self) -> TopRows:
        return self._top
