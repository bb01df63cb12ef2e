"""How sure the memberships of all customers are, taken together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.weighted import group_sums
from mixtura.validation import Interval, require

__all__ = [
    "BANDS",
    "QUANTILES",
    "Band",
    "Certainty",
    "check_threshold",
    "confusion_matrix",
    "confusion_sums",
    "membership_entropy",
]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the largest membership, that are reported."""

BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Limits of the bands of certainty that are counted."""


@dataclass(frozen=True, slots=True)
class Band:
    """Customers whose largest membership lies between two limits.

    Parameters
    ----------
    lower, upper : float
        The lower limit belongs to the band, the upper to the next.
    count : int
        Customers, whatever their weight.
    share : float
        Of all customers with a membership, by weight.
    """

    lower: float
    upper: float
    count: int
    share: float


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
    mean_entropy : float
        Of memberships, see `membership_entropy`, in nats.
    normalized_entropy : float
        `mean_entropy` over ``log K``, from 0 (every customer is entirely in one segment) to 1; 0 for one segment.
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
    ambiguity_matrix : ndarray of shape (K, K)
        Of these, how many stand between each two segments, by weight; symmetric.
    confusion : ndarray of shape (K, K)
        See `confusion_matrix`.
    expected_error : float
        Share of customers expected to belong to another segment than the one they are put in, ``1 - mean max_k r_k``.
    bands : tuple of Band
        From 0 to 1, with the limits `BANDS`.
    table : ndarray of shape (K, K)
        Customers put in a segment (row) by the segment to which they are expected to belong (column), by weight.
    mean_square : float
        Mean sum of the squared memberships of a customer.
    """

    names: tuple[str, ...]
    n_customers: int
    total_weight: float
    mean_entropy: float
    normalized_entropy: float
    edges: FloatArray
    histogram: FloatArray
    quantiles: dict[float, float]
    mean_certainty: float
    threshold: float
    n_ambiguous: int
    ambiguous_share: float
    ambiguity_matrix: FloatArray
    confusion: FloatArray
    expected_error: float
    bands: tuple[Band, ...]
    table: FloatArray
    mean_square: float

    def most_confused(self, most: int = 5) -> tuple[tuple[int, int, float], ...]:
        """Return (i, j, share): of those put in segment i, from 0, how many belong to j; largest first."""
        shares = np.nan_to_num(self.confusion)
        np.fill_diagonal(shares, 0.0)
        order = np.argsort(-shares, axis=None, kind="stable")[:most]
        pairs = (divmod(int(cell), len(self.names)) for cell in order)
        return tuple((i, j, float(shares[i, j])) for i, j in pairs if shares[i, j] > 0)


def membership_entropy(memberships: FloatArray) -> FloatArray:
    """Return the entropy of each row, shape (N,), ``-sum_k r_k log r_k``, in nats.

    It is 0 for a customer wholly in one segment, ``log K`` for one equally in all, and NaN without a membership.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
    """
    logs = np.log(np.where(memberships > 0, memberships, 1.0))
    logs *= memberships
    # Column by column, as rows are short; a certain customer has zero, not minus zero.
    return np.asarray(0.0 - sum(logs.T))


def check_threshold(threshold: float) -> None:
    """Raise a ParameterError unless the threshold is above 0 and at most 1."""
    require("threshold", threshold, Interval(0, 1, open_low=True), "Try `threshold=0.6`.")


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
    summed, counts = confusion_sums(memberships, np.ones(len(memberships)) if weights is None else weights)
    return np.divide(summed, counts[:, None], out=np.full_like(summed, np.nan), where=counts[:, None] > 0)


def confusion_sums(memberships: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the numerators, shape (K, K), and denominators, shape (K,), of `confusion_matrix`; sums over rows."""
    n_segments, labels = memberships.shape[1], memberships.argmax(axis=1)
    summed = [group_sums(labels, weights * one, n_segments) for one in memberships.T]
    return np.stack(summed, axis=1), group_sums(labels, weights, n_segments)
