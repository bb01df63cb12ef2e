"""How much two partitions of the same customers agree, and how well each keeps its parts apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.weighted import effective_counts

__all__ = [
    "Silhouette",
    "adjusted_rand_index",
    "best_jaccard",
    "contingency_table",
    "match_clusters",
    "pairwise_adjusted_rand",
    "silhouette_widths",
]

_BLOCK = 256
"""Rows whose distances to all others are held at a time."""

_ROWS = 1_000
"""Rows whose parts in all partitions are held at a time."""


def contingency_table(
    first: IntArray, second: IntArray, n_first: int, n_second: int, weights: FloatArray | None = None
) -> FloatArray:
    """Return how many customers are in part i of one partition and part j of another, shape (n_first, n_second).

    Parameters
    ----------
    first, second : ndarray of shape (N,)
        Labels from 0.
    n_first, n_second : int
        Parts of each, empty ones included.
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight; without, with one.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.comparison.agreement import contingency_table
    >>> contingency_table(np.array([0, 0, 1]), np.array([1, 0, 1]), 2, 2)
    array([[1., 1.],
           [0., 1.]])
    """
    cells = np.bincount(first * n_second + second, weights, minlength=n_first * n_second)
    return cells.reshape(n_first, n_second).astype(np.float64)


def adjusted_rand_index(table: FloatArray) -> float:
    """Return the agreement of two partitions, corrected for chance (Hubert and Arabie 1985).

    With ``n_ij`` the crossing and ``C(n) = n (n - 1) / 2`` pairs, it is ``(S - E) / (M - E)``: ``S = sum_ij C(n_ij)``,
    ``A = sum_i C(n_i.)``, ``B = sum_j C(n_.j)``, ``E = A B / C(n)`` and ``M = (A + B) / 2``. One where they are the
    same, zero on average where they are independent.

    Parameters
    ----------
    table : ndarray of shape (I, J)
        What `crossing` returns, of customers or of counts that stand for as many.
    """
    return float(_adjusted_rand(table[None])[0])


def pairwise_adjusted_rand(
    partitions: Sequence[IntArray], n_parts: int, weights: FloatArray | None = None
) -> FloatArray:
    """Return the adjusted Rand index of each two of some partitions of the same customers, (P, P).

    All contingency tables come from products of matrices of zeros and ones, which takes a fraction of the time of one
    table after the other.

    Parameters
    ----------
    partitions : sequence of P ndarray of shape (N,)
        Labels from 0 to K - 1.
    n_parts : int
        K, empty parts included.
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight; without, with one.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.comparison.agreement import pairwise_adjusted_rand
    >>> same, other = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> pairwise_adjusted_rand([same, 1 - same, other], 2).round(6).tolist()
    [[1.0, 1.0, -0.5], [1.0, 1.0, -0.5], [-0.5, -0.5, 1.0]]
    """
    labels, n = np.asarray(partitions), len(partitions)
    tables = np.zeros((n * n_parts, n * n_parts))
    for start in range(0, labels.shape[1], _ROWS):
        rows = slice(start, start + _ROWS)
        belongs = (
            (labels[:, None, rows] == np.arange(n_parts)[:, None]).reshape(n * n_parts, -1).astype(float)
        )
        tables += belongs @ (belongs if weights is None else belongs * weights[rows]).T
    pairs = tables.reshape(n, n_parts, n, n_parts).transpose(0, 2, 1, 3).reshape(n * n, n_parts, n_parts)
    return _adjusted_rand(pairs).reshape(n, n)


def _adjusted_rand(tables: FloatArray) -> FloatArray:
    """Return `adjusted_rand_index` of each of some tables, (P, I, J)."""

    def pairs(counts: FloatArray) -> FloatArray:
        return np.asarray((counts * (counts - 1)).sum(axis=-1) / 2)

    together, total = pairs(tables.reshape(len(tables), -1)), pairs(tables.sum(axis=(1, 2))[:, None])
    rows, columns = pairs(tables.sum(axis=2)), pairs(tables.sum(axis=1))
    mean = (rows + columns) / 2
    expected = np.divide(rows * columns, total, out=mean.copy(), where=total != 0)
    gain, most = together - expected, mean - expected
    return np.divide(gain, most, out=np.ones_like(gain), where=most != 0)


def best_jaccard(table: FloatArray) -> FloatArray:
    """Return for each part of the first partition its largest Jaccard similarity to a part of the second, (I,).

    The similarity of two sets is the size of what they share over the size of what either has. A part without
    customers has NaN.

    Parameters
    ----------
    table : ndarray of shape (I, J)
        What `crossing` returns.
    """
    either = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    similarity = np.divide(table, either, out=np.zeros_like(table), where=either > 0)
    return np.where(table.sum(axis=1) > 0, similarity.max(axis=1), np.nan)


def match_clusters(table: FloatArray) -> tuple[IntArray, IntArray]:
    """Pair parts of two partitions one to one, so that most customers are in both of a pair.

    The assignment problem (Kuhn 1955).

    Parameters
    ----------
    table : ndarray of shape (I, J)
        What `crossing` returns.

    Returns
    -------
    first, second : ndarray of shape (min(I, J),)
        Parts of each, in the order of the first.
    """
    found = _match_at_sight(table)
    if found is not None:
        return found
    from scipy.optimize import linear_sum_assignment

    first, second = linear_sum_assignment(table, maximize=True)
    return np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp)


def _match_at_sight(table: FloatArray) -> tuple[IntArray, IntArray] | None:
    """Return the pairs of each part with the one that it shares most with, where these are different and no others tie.

    No other pairs can share as much. None where it takes a solver, which takes longer to import than to run.
    """
    if table.shape[0] > table.shape[1]:
        found = _match_at_sight(table.T)
        if found is None:
            return None
        order = np.argsort(found[1])
        return found[1][order], found[0][order]
    largest = table.max(axis=1, keepdims=True, initial=0.0)
    first, second = np.nonzero(table == largest)
    if first.size != len(table) or len(set(second.tolist())) != second.size:
        return None
    return first, second


@dataclass(frozen=True, slots=True)
class Silhouette:
    """Mean silhouette widths of several partitions of the same rows.

    Parameters
    ----------
    widths : tuple of float
        Per partition; NaN where it has fewer than two parts with rows.
    n_rows : int
        Rows that were measured.
    sampled : bool
        Whether there are more, and these were drawn from them.
    """

    widths: tuple[float, ...]
    n_rows: int
    sampled: bool


def silhouette_widths(
    rows: FloatArray,
    partitions: tuple[IntArray, ...],
    *,
    weights: FloatArray | None = None,
    most: int = 2000,
    seed: int = 0,
) -> Silhouette:
    """Return the mean silhouette width of each partition (Rousseeuw 1987), from Euclidean distances.

    A row's width is ``(b - a) / max(a, b)``: a is its mean distance to the other rows of its part, b the smallest mean
    distance to the rows of another part; zero where it is alone. A row of weight w stands for w equal rows, in the
    distances as in the mean of the widths.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        Those that lack a value are not measured.
    partitions : tuple of ndarray of shape (N,)
        Labels from 0.
    weights : ndarray of shape (N,) or None, default=None
        See `mixtura.segments.weighted.effective_counts`; rows of weight zero are not measured.
    most : int, default=2000
        With more rows, this many are drawn: the time grows with their square.
    seed : int, default=0
        Of the draw.
    """
    whole = np.flatnonzero(~np.isnan(rows).any(axis=1))
    if whole.size < len(rows):
        rows, partitions = rows[whole], tuple(labels[whole] for labels in partitions)
        weights = None if weights is None else weights[whole]
    if not whole.size:
        return Silhouette((float("nan"),) * len(partitions), 0, sampled=False)
    chosen, counted, sampled = _drawn(len(rows), weights, most, seed)
    rows, partitions = rows[chosen], tuple(labels[chosen] for labels in partitions)
    # Parts are renumbered without gaps, so that every one has rows.
    numbered = [np.unique(labels, return_inverse=True)[1] for labels in partitions]
    sums = [0.0] * len(numbered)
    members = [np.eye(labels.max() + 1)[labels] * counted[:, None] for labels in numbered]
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        distances = _distances(rows[block], rows)
        for number, (labels, belongs) in enumerate(zip(numbered, members, strict=True)):
            widths = _widths(distances @ belongs, labels[block], belongs.sum(axis=0))
            sums[number] += float(widths @ counted[block])
    means = (
        total / counted.sum() if belongs.shape[1] > 1 else float("nan")
        for total, belongs in zip(sums, members, strict=True)
    )
    return Silhouette(tuple(float(width) for width in means), len(rows), sampled)


def _drawn(
    n_rows: int, weights: FloatArray | None, most: int, seed: int
) -> tuple[IntArray, FloatArray, bool]:
    """Return the rows that are measured, how much each counts, and whether they were drawn from more."""
    counted = None if weights is None else effective_counts(weights)
    known = None if counted is None else np.flatnonzero(counted > 0)
    n_known = n_rows if known is None else known.size
    chosen = np.arange(n_known)
    if n_known > most:
        chosen = np.sort(np.random.RandomState(seed).choice(n_known, size=most, replace=False))
    chosen = chosen if known is None else known[chosen]
    return chosen, np.ones(chosen.size) if counted is None else counted[chosen], n_known > most


def _distances(some: FloatArray, rows: FloatArray) -> FloatArray:
    """Return Euclidean distances, (n, N); column by column, as SciPy's routine takes half a second to import."""
    squared = np.zeros((len(some), len(rows)))
    for d in range(rows.shape[1]):
        squared += np.square(some[:, d, None] - rows[None, :, d])
    return np.asarray(np.sqrt(squared))


def _widths(summed: FloatArray, labels: IntArray, counts: FloatArray) -> FloatArray:
    """Return the widths of n rows from their summed distances to each part, (n, K), and the sizes of these, (K,)."""
    if counts.size < 2:
        return np.zeros(len(labels))
    own, others = np.arange(len(labels)), summed / counts
    alone = counts[labels] <= 1
    within = summed[own, labels] / np.where(alone, 1, counts[labels] - 1)
    others[own, labels] = np.inf
    between = others.min(axis=1)
    largest = np.maximum(within, between)
    widths = np.divide(between - within, largest, out=np.zeros_like(within), where=(largest > 0) & ~alone)
    return np.asarray(widths)
