"""Merging of components: a non-Gaussian cluster may need several components (Baudry et al. 2010)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mixtura._optional import as_numbers
from mixtura._typing import FloatArray, IntArray
from mixtura.exceptions import DataError, ParameterError
from mixtura.validation import Interval, as_weights, require

__all__ = ["Merge", "Merging", "Pair", "bend", "line", "merge_components"]

_Group: TypeAlias = tuple[int, ...]
"""The components of a cluster, in ascending order."""

_TOLERANCE = 1e-6
"""How far memberships of a row may be from summing to one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clusters that may become one.

    Parameters
    ----------
    left, right : tuple of int
        The components of the two, in ascending order; the first of ``left`` is below the first of ``right``.
    drop : float
        By how much the entropy falls.
    largest_drop : float
        What `drop` is at most for two clusters of their sizes: where their memberships have the same proportion in
        every row, ``n_l log(n / n_l) + n_r log(n / n_r)`` with ``n = n_l + n_r``.
    """

    left: _Group
    right: _Group
    drop: float
    largest_drop: float

    @property
    def overlap(self) -> float:
        """`drop` as a share of the largest: 0 apart, 1 where all rows are in both by the same proportion."""
        return self.drop / max(self.largest_drop, float(np.finfo(np.float64).tiny))


@dataclass(frozen=True, slots=True)
class Merge(Pair):
    """Two clusters become one: a `Pair`, and what there is afterwards.

    Parameters
    ----------
    n_clusters : int
        How many clusters there are.
    entropy : float
        Of the memberships, in nats.
    merged_weight : float
        Number (sum of weights) of the rows whose most probable cluster was one of the two.
    """

    n_clusters: int
    entropy: float
    merged_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Merging:
    """The clusterings that merging components one pair at a time gives, from K clusters down to one.

    Parameters
    ----------
    component_memberships : ndarray of shape (N, K)
        Of the components; columns of it are added to give those of clusters.
    merges : tuple of Merge
        K - 1 of them, in the order made.
    entropies : ndarray of shape (K,)
        Of 1, 2, ..., K clusters, in nats.
    """

    component_memberships: FloatArray
    merges: tuple[Merge, ...]
    entropies: FloatArray

    def __repr__(self) -> str:
        return f"<Merging: {self.n_components} components, elbow at {self.elbow()} clusters>"

    @property
    def n_components(self) -> int:
        return int(self.component_memberships.shape[1])

    @property
    def cumulative_weights(self) -> FloatArray:
        """Rows merged (sum of weights) on the way from 1, 2, ..., K clusters down to one, shape (K,)."""
        return np.cumsum([0.0, *(merge.merged_weight for merge in reversed(self.merges))])

    @property
    def tree(self) -> IntArray:
        """The merges as ``scipy.cluster.hierarchy`` numbers them, (K - 1, 2): row i makes cluster ``K + i``."""
        number: dict[_Group, int] = {(k,): k for k in range(self.n_components)}
        rows = []
        for step, merge in enumerate(self.merges):
            rows.append(sorted((number[merge.left], number[merge.right])))
            number[_union(merge.left, merge.right)] = self.n_components + step
        return np.array(rows, dtype=np.intp).reshape(-1, 2)

    def groups(self, n_clusters: int) -> tuple[_Group, ...]:
        """Return the components of each of `n_clusters` clusters, ordered by their first component.

        Raises
        ------
        ParameterError
            There are not between 1 and K clusters.
        """
        self._require(n_clusters)
        found: set[_Group] = {(k,) for k in range(self.n_components)}
        for merge in self.merges[: self.n_components - n_clusters]:
            found = found - {merge.left, merge.right} | {_union(merge.left, merge.right)}
        return tuple(sorted(found))

    def memberships(self, n_clusters: int) -> FloatArray:
        """Return the probability that each row belongs to each of `n_clusters` clusters, (N, n_clusters)."""
        columns = [
            self.component_memberships[:, list(group)].sum(axis=1) for group in self.groups(n_clusters)
        ]
        return np.stack(columns, axis=1)

    def labels(self, n_clusters: int) -> IntArray:
        """Return the most probable of `n_clusters` clusters for each row, (N,)."""
        return np.asarray(self.memberships(n_clusters).argmax(axis=1), dtype=np.intp)

    def elbow(self, by: str = "weight") -> int:
        """Return the number of clusters at which the entropy plot bends.

        Two straight lines that share one point are fitted by least squares to the entropies of 1, ..., K clusters; the
        point is the one that leaves the least sum of squares. Merging down to the elbow removes entropy fast: parts
        of one cluster are put together; below it clusters are.

        Parameters
        ----------
        by : {"weight", "clusters"}, default="weight"
            What the entropies are drawn over: the number of rows merged so far, so that a small component is not
            paid more than its rows are worth (Baudry et al. 2010, section 4), or the number of clusters (mclust's
            ``clustCombiOptim``).

        Returns
        -------
        int
            K where it is below three, as two points do not bend, and where no membership is uncertain.

        Raises
        ------
        ParameterError
            ``by`` is another word.
        """
        positions = self.positions(by)
        return bend(positions, self.entropies) + 1 if self.entropies.any() else self.n_components

    def positions(self, by: str = "weight") -> FloatArray:
        """Return where the entropies of 1, ..., K clusters stand in the plot whose elbow is asked for, (K,)."""
        if by not in ("weight", "clusters"):
            raise ParameterError(f"`by` must be 'weight' or 'clusters'; got {by!r}. Try `by='weight'`.")
        if by == "weight":
            return self.cumulative_weights
        return np.arange(1.0, self.n_components + 1)

    def table(self) -> list[dict[str, Any]]:
        """Return a row per number of clusters, one first.

        Returns
        -------
        list of dict
            Keys ``n_clusters``, ``entropy``, ``drop`` (what the merge that led here took off), ``merged_weight`` (the
            rows it put together) and ``groups`` (the components of each cluster). What no merge led to has None.

        Examples
        --------
        >>> from mixtura.select import merge_components
        >>> for row in merge_components([[0.5, 0.5, 0.0], [0.4, 0.6, 0.0], [0.0, 0.1, 0.9]]).table():
        ...     print(row["n_clusters"], round(row["entropy"], 3), row["groups"])
        1 0.0 ((0, 1, 2),)
        2 0.325 ((0, 1), (2,))
        3 1.691 ((0,), (1,), (2,))
        """
        made: Mapping[int, Merge] = {merge.n_clusters: merge for merge in self.merges}
        return [
            {
                "n_clusters": count,
                "entropy": float(entropy),
                "drop": made[count].drop if count in made else None,
                "merged_weight": made[count].merged_weight if count in made else None,
                "groups": self.groups(count),
            }
            for count, entropy in enumerate(self.entropies, start=1)
        ]

    def _require(self, n_clusters: int) -> None:
        require("n_clusters", n_clusters, Interval(1, self.n_components, whole=True), "Try elbow().")


def merge_components(
    memberships: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    choose: Callable[[Sequence[Pair]], Pair] | None = None,
) -> Merging:
    """Merge the components of a mixture into clusters, one pair at a time (Baudry et al. 2010).

    A mixture needs several components for a cluster that is bent, skewed or heavy-tailed; there the memberships of
    its rows are uncertain. Each step merges the two clusters whose union lowers the entropy
    ``-sum_n w_n sum_j t_nj log t_nj`` of the memberships most, where a union's membership is the sum of its parts'. The
    density stays what it is.

    Parameters
    ----------
    memberships : array-like of shape (N, K)
        Probabilities of the components, rows summing to one: ``mixture.responsibilities(rows)``, or ``predict_proba``
        of an estimator.
    sample_weight : array-like of shape (N,), optional
    choose : callable, optional
        Given all pairs of the clusters there are, that whose union lowers the entropy most first, returns the one to
        merge; None for the first.

    Returns
    -------
    Merging
        Groups, labels and memberships for every number of clusters, the tree, the entropies and their `elbow`.

    Raises
    ------
    DataError
        Memberships are not a table, negative, not finite or do not sum to one (to 1e-6); weights are negative, not
        finite, all zero or too few.

    References
    ----------
    Baudry, Raftery, Celeux, Lo and Gottardo (2010), Combining mixture components for clustering, Journal of
    Computational and Graphical Statistics 19.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import merge_components
    >>> customers = make_customers()
    >>> model = GaussianMixture(6, covariance_type="tied", random_state=0).fit(customers)
    >>> merged = merge_components(model.predict_proba(customers))
    >>> merged.elbow()
    3
    >>> merged.labels(3)[:5]
    array([...])
    """
    shares = _as_memberships(memberships)
    weights = as_weights(sample_weight, shares.shape[0])
    clusters: dict[_Group, _Cluster] = {(k,): _Cluster.of(column) for k, column in enumerate(shares.T)}
    drops = {pair: _drop(clusters, pair, weights) for pair in combinations(clusters, 2)}
    merges, entropies = list[Merge](), [_entropy(clusters, weights)]
    while len(clusters) > 1:
        found = _pairs(clusters, drops, weights)
        chosen = found[0] if choose is None else choose(found)
        left, right = pair = chosen.left, chosen.right
        merged_weight, union = _weight_of(clusters, pair, weights), _union(left, right)
        clusters[union] = _Cluster.of(clusters.pop(left).shares + clusters.pop(right).shares)
        entropies.append(_entropy(clusters, weights))
        merges.append(
            Merge(left, right, chosen.drop, chosen.largest_drop, len(clusters), entropies[-1], merged_weight)
        )
        drops = {pair: value for pair, value in drops.items() if left not in pair and right not in pair}
        for other in clusters.keys() - {union}:
            pair = (min(union, other), max(union, other))
            drops[pair] = _drop(clusters, pair, weights)
    return Merging(shares, tuple(merges), np.array(entropies[::-1]))


def bend(x: FloatArray, y: FloatArray) -> int:
    """Return which point two least-squares lines that share it fit best; the last where there are fewer than three.

    Parameters
    ----------
    x, y : ndarray of shape (C,)
        Points from left to right.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.select.combine import bend
    >>> bend(np.arange(6.0), np.array([0.0, 0.0, 0.0, 0.0, 5.0, 10.0]))
    3
    """
    if x.size < 3:
        return int(x.size) - 1
    losses = [_loss(x[: c + 1], y[: c + 1]) + _loss(x[c:], y[c:]) for c in range(1, x.size - 1)]
    return int(np.argmin(losses)) + 1


def line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line; level where all points stand above one another."""
    apart = x - x.mean()
    spread = float(apart @ apart)
    slope = float(apart @ (y - y.mean())) / spread if spread > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())


def _loss(x: FloatArray, y: FloatArray) -> float:
    slope, intercept = line(x, y)
    return float(((y - slope * x - intercept) ** 2).sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Cluster:
    """The memberships t of the rows in one cluster, and ``t log t``, each (N,)."""

    shares: FloatArray
    logs: FloatArray

    @classmethod
    def of(cls, shares: FloatArray) -> _Cluster:
        return cls(np.ascontiguousarray(shares), _x_log_x(shares))


_Clusters: TypeAlias = Mapping[_Group, _Cluster]


def _union(left: _Group, right: _Group) -> _Group:
    return tuple(sorted(left + right))


def _x_log_x(values: FloatArray) -> FloatArray:
    """Return ``x log x``, whose limit at 0 is 0."""
    return np.asarray(values * np.log(np.maximum(values, np.finfo(np.float64).tiny)))


def _sum(values: FloatArray, weights: FloatArray | None) -> float:
    return float(values.sum() if weights is None else values @ weights)


def _entropy(clusters: _Clusters, weights: FloatArray | None) -> float:
    # Rounding may leave a certain row a little above one.
    return max(0.0, -sum(_sum(one.logs, weights) for one in clusters.values()))


def _drop(clusters: _Clusters, pair: tuple[_Group, _Group], weights: FloatArray | None) -> float:
    """Return ``sum_n w_n [(a + b) log(a + b) - a log a - b log b]``, which is never negative.

    Row by row, so that it is zero exactly where no row is uncertain between the two.
    """
    a, b = (clusters[one] for one in pair)
    return _sum(_x_log_x(a.shares + b.shares) - a.logs - b.logs, weights)


def _pairs(
    clusters: _Clusters, drops: Mapping[tuple[_Group, _Group], float], weights: FloatArray | None
) -> list[Pair]:
    """Return all pairs, the largest drop first; of equals the first, so that the order of the components decides."""
    sizes = {name: _sum(one.shares, weights) for name, one in clusters.items()}
    ordered = sorted(drops, key=lambda pair: (-drops[pair], pair))
    return [Pair(*pair, drops[pair], _largest_drop(*(sizes[one] for one in pair))) for pair in ordered]


def _largest_drop(left: float, right: float) -> float:
    """Return the drop by clusters of these sizes that no row decides between; entropy is concave, so none is larger."""
    sizes = np.array([left, right])
    return float(_x_log_x(sizes.sum()) - _x_log_x(sizes).sum())


def _weight_of(clusters: _Clusters, pair: tuple[_Group, _Group], weights: FloatArray | None) -> float:
    """Return the weight of the rows whose most probable cluster is one of a pair; of equals the first counts."""
    names = sorted(clusters)
    labels = np.argmax([clusters[name].shares for name in names], axis=0)
    mine = np.isin(labels, [names.index(one) for one in pair])
    return _sum(mine.astype(np.float64), weights)


def _as_memberships(memberships: npt.ArrayLike) -> FloatArray:
    shares = np.ascontiguousarray(as_numbers("Memberships", memberships), dtype=np.float64)
    if shares.ndim != 2 or 0 in shares.shape:
        raise DataError(
            f"`memberships` must have the shape (rows, components); got {shares.shape!r}. Give "
            "mixture.responsibilities(rows)."
        )
    with np.errstate(invalid="ignore", over="ignore"):
        sums = shares.sum(axis=1)
    if not (np.isfinite(sums).all() and shares.min() >= 0 and np.abs(sums - 1).max() <= _TOLERANCE):
        raise DataError(
            "`memberships` must be finite and not negative, and every row must sum to one; got values from "
            f"{float(shares.min())!r} to {float(shares.max())!r} and sums from {float(sums.min())!r} to "
            f"{float(sums.max())!r}. Divide each row by its sum."
        )
    return shares
