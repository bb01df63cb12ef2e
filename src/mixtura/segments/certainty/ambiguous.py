"""Customers between segments: who they are, and between which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.model.robust_file import OUTLIER
from mixtura.segments.weighted import row_maxima
from mixtura.validation import Interval, require

__all__ = [
    "AmbiguousCustomer",
    "ambiguity_matrix",
    "ambiguous_customers",
    "ambiguous_of",
    "customers_at",
    "most_ambiguous",
    "outlier_probability",
    "top_two",
]

_ROUNDING = 1e-9
"""Sums of memberships that lack less than this of one are one."""


@dataclass(frozen=True, slots=True, eq=False)
class AmbiguousCustomer:
    """A customer whom no segment claims firmly.

    Parameters
    ----------
    row : int
        Of the table, from 0.
    customer : str
        The id.
    memberships : ndarray of shape (K,)
    first, second : int
        The two most probable segments, from 0; the second is -1 where an outlier is more probable than it.
    kmeans : int
        The segment, from 0, that the customer's K-means cluster stands for; -1 where K-means was not asked.
    """

    row: int
    customer: str
    memberships: FloatArray
    first: int
    second: int
    kmeans: int = -1

    @property
    def second_membership(self) -> float:
        """Probability of the second: of a segment, or of an outlier."""
        if self.second < 0:
            return float(outlier_probability(self.memberships))
        return float(self.memberships[self.second])

    def sentence(self, names: Sequence[str]) -> str:
        """Say in words between which segments the customer stands.

        Examples
        --------
        >>> import numpy as np
        >>> from mixtura.segments import AmbiguousCustomer
        >>> AmbiguousCustomer(118, "119", np.array([0.57, 0.43]), 0, 1).sentence(["A", "B"])
        'Customer 119 is 57 % A, 43 % B.'
        """
        named = (*names, OUTLIER)
        shares = {self.first: float(self.memberships[self.first]), self.second: self.second_membership}
        parts = (f"{100 * share:.0f} % {named[k]}" for k, share in shares.items())
        return f"Customer {self.customer} is {', '.join(parts)}."


def outlier_probability(memberships: FloatArray) -> FloatArray:
    """Return the probability of being an outlier, ``1 - sum_k r_k``, shape (...,); zero where it is rounding alone.

    Parameters
    ----------
    memberships : ndarray of shape (..., K)
        They sum to one less that probability.
    """
    rest = 1.0 - memberships.sum(axis=-1)
    return np.where(rest > _ROUNDING, rest, 0.0)


def top_two(memberships: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the most probable and the next segment of each row, (N,) each; the lower number among equals.

    The next is -1 where an outlier is more probable than any segment but the first.

    Parameters
    ----------
    memberships : ndarray of shape (N, K), K at least 2
    """
    first = memberships.argmax(axis=1)
    rest = memberships.copy()
    rest[np.arange(len(rest)), first] = -np.inf
    second = np.where(outlier_probability(memberships) > rest.max(axis=1), -1, rest.argmax(axis=1))
    return np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp)


def ambiguous_customers(
    memberships: FloatArray,
    customer: Callable[[int], str],
    threshold: float = 0.6,
    *,
    most: int | None = None,
    kmeans: IntArray | None = None,
) -> tuple[AmbiguousCustomer, ...]:
    """Return the customers whose largest membership is below a threshold, the least certain first.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
        Rows of NaN are in no segment, and not returned; nor are customers who are more
        probably outliers than in any segment.
    customer : callable
        Takes a row number and returns the customer's id, as `Assignment.customer` does.
    threshold : float, default=0.6
        Above 0 and at most 1. One returns every customer who is not entirely in one segment.
    most : int or None, default=None
        Return at most this many.
    kmeans : ndarray of shape (N,) or None, default=None
        Segments that the K-means clusters stand for.

    Returns
    -------
    tuple of AmbiguousCustomer
        None with a single segment.

    Raises
    ------
    ParameterError
        The threshold is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import ambiguous_customers
    >>> memberships = np.array([[0.9, 0.1], [0.43, 0.57], [0.55, 0.45]])
    >>> for customer in ambiguous_customers(memberships, lambda row: f"C{row + 1}", 0.6):
    ...     print(customer.sentence(["A", "B"]))
    Customer C3 is 55 % A, 45 % B.
    Customer C2 is 57 % B, 43 % A.
    """
    require("threshold", threshold, Interval(0, 1, open_low=True), "Try `threshold=0.6`.")
    if memberships.shape[1] < 2:
        return ()
    certainty = row_maxima(memberships)
    below = np.flatnonzero((certainty < threshold) & (certainty >= outlier_probability(memberships)))
    order = below[np.argsort(certainty[below], kind="stable")][:most]
    return customers_at(order, memberships, customer, kmeans)


def customers_at(
    rows: IntArray,
    memberships: FloatArray,
    customer: Callable[[int], str],
    kmeans: IntArray | None = None,
) -> tuple[AmbiguousCustomer, ...]:
    """Return the customers of some rows of the table with the two segments that are most probable for each.

    Parameters
    ----------
    rows : ndarray of row numbers
    memberships : ndarray of shape (N, K), K at least 2
    customer, kmeans
        As of `ambiguous_customers`.
    """
    first, second = top_two(memberships[rows])
    return tuple(
        AmbiguousCustomer(
            row=int(row),
            customer=customer(int(row)),
            memberships=memberships[row],
            first=int(one),
            second=int(other),
            kmeans=-1 if kmeans is None else int(kmeans[row]),
        )
        for row, one, other in zip(rows, first, second, strict=True)
    )


def ambiguous_of(
    rows: IntArray, customers: Sequence[str], memberships: FloatArray, kmeans: IntArray
) -> tuple[AmbiguousCustomer, ...]:
    """Return customers with the two segments that are most probable for each.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Their numbers in the table.
    customers : sequence of str
    memberships : ndarray of shape (n, K), K at least 2
    kmeans : ndarray of shape (n,)
        Segments that their K-means clusters stand for.
    """
    first, second = top_two(memberships)
    return tuple(
        AmbiguousCustomer(
            int(rows[i]), customers[i], memberships[i], int(first[i]), int(second[i]), int(kmeans[i])
        )
        for i in range(len(rows))
    )


def most_ambiguous(memberships: FloatArray, most: int) -> IntArray:
    """Return the rows with the smallest certainty, the least certain first; ties in the order of the table.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
        Rows of NaN come last and are never returned.
    most : int
        How many; fewer if fewer have a membership.
    """
    certainty = row_maxima(memberships)
    order: IntArray = np.argsort(certainty, kind="stable")[:most]
    return np.asarray(order[~np.isnan(certainty[order])])


def ambiguity_matrix(
    memberships: FloatArray, threshold: float, weights: FloatArray | None = None
) -> FloatArray:
    """Return how many customers stand between each two segments, a symmetric matrix of shape (K, K).

    A customer stands between the two most probable segments if the larger membership is below the threshold; one for
    whom an outlier is more probable than the second stands between no two.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
    threshold : float
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight; without, with one.
    """
    n_segments = memberships.shape[1]
    between = np.zeros((n_segments, n_segments))
    if n_segments < 2:
        return between
    unsure = row_maxima(memberships) < threshold
    first, second = top_two(memberships[unsure])
    counted = np.ones(len(first)) if weights is None else weights[unsure]
    both = second >= 0
    np.add.at(between, (first[both], second[both]), counted[both])
    return between + between.T
