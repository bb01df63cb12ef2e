"""How sure the memberships of all customers are, taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import DataError
from mixtura.segments.certainty.ambiguous import ambiguity_matrix
from mixtura.segments.jsonable import jsonable_fields, plain
from mixtura.segments.weighted import quantiles, row_maxima
from mixtura.validation import Interval, require

__all__ = ["Certainty", "confusion_matrix", "measure_certainty"]

_BINS = 20
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Certainty:
    """How firmly the segments claim their customers.

    Parameters
    ----------
    names : tuple of str
        Of the K segments.
    n_customers : int
        Customers with a membership, whatever their weight.
    total_weight : float
        Their weights' sum; `n_customers` where none were given.
    entropy : ndarray of shape (N,)
        Per row, ``-sum_k r_k log r_k``, in nats: 0 for a customer wholly in one segment, ``log K`` for one equally in
        all; NaN where there is no membership.
    mean_entropy : float
        In nats.
    normalized_entropy : float
        `mean_entropy` over ``log K``, from 0 (everybody is wholly in one segment) to 1; 0 for one segment.
    edges : ndarray of shape (B + 1,)
        Of the bins of the largest membership, from 0 to 1; a bin holds its lower edge, the last also its upper.
    histogram : ndarray of shape (B,)
        Customers per bin, by weight.
    quantiles : dict of float to float
        Of the largest membership, as of `mixtura.segments.weighted.quantiles`.
    mean_certainty : float
        Mean largest membership.
    threshold : float
        Below it a customer counts as standing between two segments.
    n_ambiguous : int
        Customers below the threshold, whatever their weight; none with a single segment.
    ambiguous_share : float
        Their part of all customers with a membership, by weight.
    between : ndarray of shape (K, K)
        Of these, how many stand between each two segments, by weight; symmetric.
    confusion : ndarray of shape (K, K)
        See `confusion_matrix`.
    expected_error : float
        Share of customers expected to belong to another segment than the one they are put in, ``1 - mean max_k r_k``.
    """

    names: tuple[str, ...]
    n_customers: int
    total_weight: float
    entropy: FloatArray
    mean_entropy: float
    normalized_entropy: float
    edges: FloatArray
    histogram: FloatArray
    quantiles: dict[float, float]
    mean_certainty: float
    threshold: float
    n_ambiguous: int
    ambiguous_share: float
    between: FloatArray
    confusion: FloatArray
    expected_error: float

    def most_confused(self, most: int = 5) -> tuple[tuple[int, int, float], ...]:
        """Return (i, j, share): of those put in segment i, from 0, how many belong to j; largest first."""
        shares = np.nan_to_num(self.confusion)
        np.fill_diagonal(shares, 0.0)
        order = np.argsort(-shares, axis=None, kind="stable")[:most]
        pairs = (divmod(int(cell), len(self.names)) for cell in order)
        return tuple((i, j, float(shares[i, j])) for i, j in pairs if shares[i, j] > 0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, all but the entropy of each customer."""
        pairs = [
            {"assigned": i + 1, "belongs": j + 1, "share": share} for i, j, share in self.most_confused()
        ]
        return jsonable_fields(self, without={"entropy"}) | {"most_confused": plain(pairs)}


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
        Customers whose largest membership is below it stand between two segments.

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
    _check(threshold)
    entropy = np.full(len(memberships), np.nan)
    present = ~np.isnan(memberships).any(axis=1)
    counted = np.ones(int(present.sum())) if weights is None else weights[present]
    known = memberships[present]
    total = float(counted.sum())
    _require(total, len(memberships))
    entropy[present] = -(known * np.log(np.where(known > 0, known, 1.0))).sum(axis=1)
    largest = row_maxima(known)
    mean_entropy = float(entropy[present] @ counted / total)
    mean_certainty = float(largest @ counted / total)
    edges = np.linspace(0, 1, _BINS + 1)
    several = known.shape[1] > 1
    unsure = (largest < threshold) & several
    found = quantiles(largest, np.array(_QUANTILES), counted)
    return Certainty(
        names=tuple(names),
        n_customers=int(present.sum()),
        total_weight=total,
        entropy=entropy,
        mean_entropy=mean_entropy,
        normalized_entropy=mean_entropy / float(np.log(known.shape[1])) if several else 0.0,
        edges=edges,
        histogram=np.histogram(np.minimum(largest, 1.0), bins=edges, weights=counted)[0],
        quantiles=dict(zip(_QUANTILES, found.tolist(), strict=True)),
        mean_certainty=mean_certainty,
        threshold=threshold,
        n_ambiguous=int(np.count_nonzero(unsure)),
        ambiguous_share=float(counted[unsure].sum()) / total,
        between=ambiguity_matrix(known, threshold, counted),
        confusion=confusion_matrix(known, counted),
        expected_error=1.0 - mean_certainty,
    )


def _check(threshold: float) -> None:
    require("threshold", threshold, Interval(0, 1, open_low=True), "Try `threshold=0.6`.")


def _require(total_weight: float, n_customers: int) -> None:
    if not total_weight > 0:
        raise DataError(
            f"None of {n_customers!r} customers has a membership and a weight above zero. At least one is required. "
            "Assign customers with all values first."
        )


def confusion_matrix(memberships: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the expected misclassification between segments, shape (K, K); each row sums to one.

    ``E_ij = sum_{n in i} w_n r_nj / sum_{n in i} w_n``, over the customers n whose most probable segment is i: the
    share of those put in i who are expected to belong to j. A segment without customers has a row of NaN.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight; without, with one.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import confusion_matrix
    >>> confusion_matrix(np.array([[0.9, 0.1], [0.7, 0.3], [0.0, 1.0]]))
    array([[0.8, 0.2],
           [0. , 1. ]])
    """
    n_segments = memberships.shape[1]
    labels = memberships.argmax(axis=1)
    counted = np.ones(len(labels)) if weights is None else weights
    summed = np.stack(
        [np.bincount(labels, counted * memberships[:, j], minlength=n_segments) for j in range(n_segments)],
        axis=1,
    )
    counts = np.bincount(labels, counted, minlength=n_segments)[:, None]
    return np.divide(summed, counts, out=np.full_like(summed, np.nan), where=counts > 0)
