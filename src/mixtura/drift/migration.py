"""Customers at two times: how far their memberships moved, and who changed segment beyond what chance explains.

A customer near a border may be put in another segment without having moved. If nobody moves, a customer with
memberships r belongs to segment s with probability r_s, and another look at the same segment puts them in j with the
probability ``A_sj`` with which members of s are put there: ``p_j = sum_s r_s A_sj``. Sums of these probabilities are
the migration that chance explains, with the variance ``sum p (1 - p)`` of independent draws. Customers who look the
same at both times flip less often than that, so that what remains is rather too small than too large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, rel_entr

from mixtura._typing import FloatArray, IntArray

__all__ = ["Migration", "membership_distances", "migrate"]

_Z = float(ndtri(0.975))


def membership_distances(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return the Jensen-Shannon distance of the memberships of each customer, shape (N,), from 0 to 1.

    The root of the divergence in bits: 1 is between wholly different segments (Lin 1991; Endres and Schindelin 2003).

    Parameters
    ----------
    before, after : ndarray of shape (N, K)
        Of the same customers, in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.drift import membership_distances
    >>> membership_distances(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])).tolist()
    [1.0, 0.0]
    """
    middle = (before + after) / 2
    divergence = rel_entr(before, middle).sum(axis=1) + rel_entr(after, middle).sum(axis=1)
    # Rounding makes that of equal memberships negative.
    return np.asarray(np.sqrt(np.clip(divergence / (2 * np.log(2)), 0.0, 1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Migration:
    """How many of N customers went from each segment to each.

    Parameters
    ----------
    counts : ndarray of shape (K, K)
        From the rows to the columns.
    expected : ndarray of shape (K, K)
        What chance explains if nobody moved.
    errors : ndarray of shape (K, K)
        Standard deviations of the counts, if nobody moved.
    moved, moved_expected, moved_error : float
        The same of all who changed segment.
    """

    counts: FloatArray
    expected: FloatArray
    errors: FloatArray
    moved: float
    moved_expected: float
    moved_error: float

    @property
    def excess(self) -> FloatArray:
        """Counts less what chance explains, shape (K, K)."""
        return np.asarray(self.counts - self.expected)

    @property
    def half_width(self) -> FloatArray:
        """Half the width of intervals at 95 % of `excess`, shape (K, K)."""
        return np.asarray(_Z * self.errors)

    @property
    def beyond_chance(self) -> FloatArray:
        """`excess` where chance does not explain it, by Bonferroni over all paths at 5 %, and zero elsewhere."""
        paths = max(1, self.counts.size - len(self.counts))
        limit = -float(ndtri(0.05 / paths)) * self.errors
        # The sums are of a few whole customers: one of them is not beyond chance where half of one was expected.
        found = np.where(self.excess > np.maximum(limit, 1.0), self.excess, 0.0)
        np.fill_diagonal(found, 0.0)
        return np.asarray(found)

    @property
    def moved_interval(self) -> tuple[float, float]:
        """Interval at 95 % of the customers who changed segment beyond chance; not below zero."""
        excess, half = self.moved - self.moved_expected, _Z * self.moved_error
        return max(0.0, excess - half), max(0.0, excess + half)

    @property
    def moved_beyond_chance(self) -> float:
        """Customers who changed segment beyond chance: zero where the interval includes it."""
        low, _ = self.moved_interval
        return max(0.0, self.moved - self.moved_expected) if low > 0 else 0.0


def migrate(before: FloatArray, after: FloatArray) -> Migration:
    """Return the migration of customers whose memberships are known at two times.

    Parameters
    ----------
    before, after : ndarray of shape (N, K)
        Memberships of the same customers, in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.drift import migrate
    >>> sure = np.eye(2)[[0] * 50 + [1] * 50]
    >>> migrate(sure, sure).moved_beyond_chance, migrate(sure, sure[::-1]).moved_beyond_chance
    (0.0, 100.0)
    """
    k = before.shape[1]
    one, other = before.argmax(axis=1), after.argmax(axis=1)
    counts = np.zeros((k, k))
    np.add.at(counts, (one, other), 1.0)
    chances = before @ _assigned(before, after, one, other)
    expected, variances = np.zeros((k, k)), np.zeros((k, k))
    np.add.at(expected, one, chances)
    np.add.at(variances, one, chances * (1 - chances))
    stays = chances[np.arange(len(one)), one]
    return Migration(
        counts,
        expected,
        np.sqrt(np.maximum(variances, 0.0)),
        float(counts.sum() - np.trace(counts)),
        float((1 - stays).sum()),
        float(np.sqrt(np.maximum(stays * (1 - stays), 0.0).sum())),
    )


def _assigned(before: FloatArray, after: FloatArray, one: IntArray, other: IntArray) -> FloatArray:
    """Return the probability with which members of each segment are put in each, (K, K), at both times."""
    k = before.shape[1]
    labels = np.eye(k)
    members = before.T @ labels[one] + after.T @ labels[other]
    return np.asarray(members / np.maximum(members.sum(axis=1, keepdims=True), 1e-300))
