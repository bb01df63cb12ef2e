"""Reasons for anomalies: the columns that drive them, and what would have been normal given the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.kernels.patterns import pattern_numbers

__all__ = ["Reasons", "reasons_for"]


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """Why rows are strange to a mixture, one entry per row.

    Parameters
    ----------
    components : ndarray of shape (N,), int
        The component most likely to have produced the row, from 0.
    contributions : ndarray of shape (N, D)
        Of each column to the squared distance from that component, in squared standard deviations; they add up to
        it. NaN where a value is missing.
    expected : ndarray of shape (N, D)
        What is normal for each column given the others: ``E[x_j | x_others]`` in that component.
    """

    components: IntArray
    contributions: FloatArray
    expected: FloatArray

    @property
    def squared_distances(self) -> FloatArray:
        """Squared distance of each row from its component, (N,)."""
        return np.asarray(np.nansum(self.contributions, axis=1))

    def of(self, rows: Sequence[int]) -> Reasons:
        """Return those of some rows."""
        return Reasons(self.components[rows], self.contributions[rows], self.expected[rows])

    def drivers(self, row: int, most: int = 3) -> list[int]:
        """Return the columns that contribute most to a row, the largest first; positive contributions only."""
        own = np.nan_to_num(self.contributions[row], nan=-np.inf)
        return [int(d) for d in np.argsort(-own, kind="stable")[:most] if own[d] > 0]


def reasons_for(mixture: Mixture, rows: FloatArray) -> Reasons:
    """Return why rows are strange.

    With the precision matrix P of the columns that the row has, ``d^2 = sum_j (x_j - mu_j) [P (x - mu)]_j``, and
    ``[P (x - mu)]_j = (x_j - E[x_j | others]) / Var[x_j | others]``: each column contributes how far it is from its
    mean times how far it is from what the others make likely, over the variance that they leave open (Bishop 2006,
    section 2.3.1). A column that is ordinary by itself counts where it does not go with the others. A
    contribution may be negative: the column makes the row less strange.

    Parameters
    ----------
    mixture : Mixture
        K components.
    rows : ndarray of shape (N, D)
        NaN where a value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.anomaly import reasons_for
    >>> mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[[1.0, 0.8], [0.8, 1.0]]])
    >>> found = reasons_for(mixture, np.array([[1.0, -1.0]]))
    >>> found.contributions.round(6).tolist(), found.expected.round(6).tolist()
    ([[5.0, 5.0]], [[-0.8, 0.8]])
    """
    components = mixture.responsibilities(rows).argmax(axis=1)
    covariances = mixture.full_covariances()
    contributions, expected = np.full(rows.shape, np.nan), np.empty(rows.shape)
    pattern, _ = pattern_numbers(rows)
    kind = pattern * mixture.n_components + components
    for numbers in _alike(kind):
        k = components[numbers[0]]
        own, normal = _explain(rows[numbers], mixture.means[k], covariances[k])
        contributions[numbers], expected[numbers] = own, normal
    return Reasons(components, contributions, expected)


def _alike(kind: IntArray) -> Iterator[IntArray]:
    """Yield the numbers of the rows of each kind."""
    order = np.argsort(kind, kind="stable")
    starts = np.flatnonzero(np.diff(kind[order])) + 1
    return iter(np.split(order, starts) if order.size else [])


def _explain(rows: FloatArray, mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return contributions and conditional means of rows that lack the same columns, (n, D) each."""
    known = ~np.isnan(rows[0])
    precision = np.linalg.inv(covariance[np.ix_(known, known)])
    apart = (rows - mean)[:, known]
    pulled = apart @ precision
    contributions = np.full(rows.shape, np.nan)
    contributions[:, known] = apart * pulled
    expected = np.tile(mean, (len(rows), 1))
    # A missing value has its mean given all that is there.
    expected[:, ~known] += pulled @ covariance[np.ix_(known, ~known)]
    expected[:, known] = rows[:, known] - pulled / precision.diagonal()
    return contributions, expected
