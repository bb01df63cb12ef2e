"""scikit-learn's EM of full and tied mixtures in 50 digits, from its own starts: its numbers but for rounding.

The algorithm as it is published and written there, K-means and its draws included: ``n_k = sum_n r_nk + 10 eps``; a
shared covariance as ``(sum x x^T - sum_k n_k m_k m_k^T) / sum_k n_k``; ``reg_covar`` added to every variance.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

__all__ = ["DIGITS", "exact_log_density", "exact_lower_bounds", "exact_normal_log_density"]

DIGITS = 50
_EPS = float(np.finfo(float).eps)


def _numbers(values: Any) -> Any:
    return np.vectorize(lambda value: mpmath.mpf(float(value)), otypes=[object])(values)


_exp, _log = (np.vectorize(function, otypes=[object]) for function in (mpmath.exp, mpmath.log))


def _cholesky(matrix: Any) -> Any:
    d = len(matrix)
    lower = np.full((d, d), mpmath.mpf(0), dtype=object)
    for j in range(d):
        lower[j, j] = mpmath.sqrt(matrix[j, j] - (lower[j, :j] @ lower[j, :j] if j else 0))
        for i in range(j + 1, d):
            lower[i, j] = (matrix[i, j] - (lower[i, :j] @ lower[j, :j] if j else 0)) / lower[j, j]
    return lower


def _normal_log_density(rows: Any, mean: Any, covariance: Any) -> Any:
    lower = _cholesky(covariance)
    d, left = len(lower), (rows - mean).T.copy()
    for i in range(d):
        left[i] = (left[i] - (lower[i, :i] @ left[:i] if i else 0)) / lower[i, i]
    log_determinant = sum(mpmath.log(lower[i, i]) for i in range(d))
    return -(left * left).sum(axis=0) / 2 - log_determinant - d * mpmath.log(2 * mpmath.pi) / 2


def exact_normal_log_density(rows: Any, mean: Any, covariance: Any, digits: int = 60) -> Any:
    """Return the log density of rows at one Gaussian whose parameters are the given doubles, to so many digits."""
    with mpmath.workdps(digits):
        return _normal_log_density(_numbers(rows), _numbers(mean), _numbers(covariance)).astype(float)


def exact_log_density(rows: Any, weights: Any, means: Any, covariances: Any, digits: int = 60) -> Any:
    """Return the log density of rows at a mixture whose parameters are the given doubles, to so many digits."""
    with mpmath.workdps(digits):
        numbers = [_numbers(each) for each in (rows, weights, means, covariances)]
        return _evaluate(*numbers)[0].astype(float)


def _evaluate(rows: Any, weights: Any, means: Any, covariances: Any) -> tuple[Any, Any]:
    logs = np.array(
        [
            mpmath.log(weights[k]) + _normal_log_density(rows, means[k], covariances[k % len(covariances)])
            for k in range(len(means))
        ]
    )
    top = logs.max(axis=0)
    shares = _exp(logs - top)
    total = shares.sum(axis=0)
    return top + _log(total), (shares / total).T


def _squared_distances(rows: Any, centers: Any) -> Any:
    return np.array([((rows - center) ** 2).sum(axis=1) for center in centers]).T


def _seeds(rows: Any, n_clusters: int, rng: Any) -> Any:
    """Row numbers by greedy k-means++, drawn as scikit-learn draws."""
    found = [rng.choice(len(rows), p=np.full(len(rows), 1 / len(rows)))]
    nearest = _squared_distances(rows, rows[found])[:, 0]
    while len(found) < n_clusters:
        targets = _numbers(rng.uniform(size=2 + int(np.log(n_clusters)))) * nearest.sum()
        candidates = [int(np.searchsorted(np.cumsum(nearest), target)) for target in targets]
        each = [np.minimum(nearest, _squared_distances(rows, rows[[one]])[:, 0]) for one in candidates]
        best = min(range(len(candidates)), key=lambda i: each[i].sum())
        found.append(candidates[best])
        nearest = each[best]
    return rows[found]


def _kmeans_labels(rows: Any, n_clusters: int, rng: Any) -> Any:
    """Labels by Lloyd's algorithm with scikit-learn's rule to stop; None where a cluster loses its rows."""
    centers, labels = _seeds(rows, n_clusters, rng), None
    tolerance = 1e-4 * np.var(rows, axis=0).sum() / rows.shape[1]
    for _ in range(300):
        before, labels = labels, _squared_distances(rows, centers).argmin(axis=1)
        if len(set(labels.tolist())) < n_clusters:
            return None
        moved = np.array(
            [rows[labels == k].sum(axis=0) / int((labels == k).sum()) for k in range(n_clusters)]
        )
        shift, centers = ((moved - centers) ** 2).sum(), moved
        if before is not None and (before == labels).all():
            return labels
        if shift <= tolerance:
            break
    return _squared_distances(rows, centers).argmin(axis=1)


def _start(rows: Any, n_components: int, init_params: str, seed: int) -> Any:
    rng = np.random.RandomState(seed)
    if init_params == "random":
        shares = rng.uniform(size=(len(rows), n_components))
        return shares / shares.sum(axis=1)[:, None]
    shares = np.zeros((len(rows), n_components))
    if init_params == "kmeans":
        labels = _kmeans_labels(rows, n_components, rng)
        if labels is None:
            return None
        shares[np.arange(len(rows)), labels] = 1
    else:
        shares[rng.choice(len(rows), size=n_components, replace=False), np.arange(n_components)] = 1
    return shares


def _maximize(rows: Any, shares: Any, tied: bool, ridge: float) -> tuple[Any, Any, Any]:
    counts = shares.sum(axis=0) + 10 * mpmath.mpf(_EPS)
    means = (shares.T @ rows) / counts[:, None]
    d = rows.shape[1]
    added = np.vectorize(mpmath.mpf, otypes=[object])(np.eye(d)) * mpmath.mpf(ridge)
    if tied:
        within = rows.T @ rows - (means * counts[:, None]).T @ means
        return counts / counts.sum(), means, (within / counts.sum() + added)[None]
    covariances = []
    for k, count in enumerate(counts):
        apart = rows - means[k]
        covariances.append((apart * shares[:, k : k + 1]).T @ apart / count + added)
    return counts / counts.sum(), means, np.array(covariances)


def exact_lower_bounds(
    rows: Any, n_components: int, covariance_type: str, init_params: str, seed: int = 0,
    max_iter: int = 50, tol: float = 1e-3, ridge: float = 1e-6,
) -> Any:  # fmt: skip
    """Return ``lower_bounds_``, the weights of the start normalized; one NaN where the start is not defined."""
    with mpmath.workdps(DIGITS):
        numbers = _numbers(rows)
        start = _start(numbers, n_components, init_params, seed)
        if start is None:
            return np.array([np.nan])
        shares = _numbers(start)
        bounds: list[Any] = []
        while len(bounds) < max_iter:
            log_density, shares = _evaluate(
                numbers, *_maximize(numbers, shares, covariance_type == "tied", ridge)
            )
            bounds.append(log_density.sum() / len(rows))
            if len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < tol:
                break
        return np.array(bounds, dtype=float)
