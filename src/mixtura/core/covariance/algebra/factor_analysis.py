"""Maximum likelihood factor analysis of a covariance: ``Lambda Lambda' + Psi``, closest to it.

With ``Sigma = Lambda Lambda' + Psi`` the loss of a covariance S is ``log|Sigma| + tr(Sigma^-1 S)``. Where all noise is
one variance, the best is in closed form (Tipping and Bishop 1999). Otherwise the best Lambda for a diagonal Psi follows
from the eigenvectors of ``Psi^-1/2 S Psi^-1/2``, and Psi minimizes what is left (Joereskog 1967; Lawley and Maxwell
1971, chapter 4), by Newton's method with their approximate second derivatives.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["factor_covariance", "factor_loss", "isotropic_covariance", "isotropic_noise"]

_LEAST = 0.005
"""Share of the variance of a column that is noise at least, as in R's factanal: without it a column may become a factor
of its own (a Heywood case)."""

_INDEFINITE, _SINGULAR = 1e-8, 1e-6
"""Eigenvalues of correlations below minus which, and up to which, they are not a covariance, and have no inverse."""

_ROUNDS, _HALVINGS, _PRECISE = 100, 20, 1e-11


def isotropic_noise(eigenvalues: FloatArray, n_factors: int) -> FloatArray:
    """Return the noise variance, the mean of the smallest of the eigenvalues, (..., D), in ascending order."""
    return np.asarray(eigenvalues[..., : eigenvalues.shape[-1] - n_factors].mean(axis=-1))


def isotropic_covariance(
    eigenvalues: FloatArray, axes: FloatArray, noise: FloatArray, n_factors: int
) -> FloatArray:
    """Return the best covariances with this noise, (K, D, D), from ascending eigenvalues and axes, (K, D, D)."""
    rest = eigenvalues.shape[-1] - n_factors
    kept = np.repeat(noise[..., None], eigenvalues.shape[-1], axis=-1)
    kept[..., rest:] = np.maximum(eigenvalues[..., rest:], noise[..., None])
    return np.asarray((axes * kept[..., None, :]) @ np.swapaxes(axes, -1, -2))


def factor_covariance(covariance: FloatArray, n_factors: int) -> FloatArray:
    """Return the covariance of a factor model with own noise of each column that is closest to one, (D, D).

    A matrix that is not positive semidefinite is returned as it is.
    """
    deviations = np.sqrt(covariance.diagonal())
    if not (deviations > 0).all():
        return covariance
    correlations = covariance / np.outer(deviations, deviations)
    values, axes = np.linalg.eigh(correlations)
    if values[0] < -_INDEFINITE:
        return covariance
    precision = (axes**2) @ (1.0 / np.maximum(values, _SINGULAR))
    noise = np.exp(_log_noise(correlations, precision, n_factors))
    values, axes = _scaled_eigen(correlations, noise)
    top = np.maximum(values[-n_factors:] - 1.0, 0.0)
    loadings = np.sqrt(noise)[:, None] * axes[:, -n_factors:] * np.sqrt(top)
    fitted = loadings @ loadings.T
    fitted[np.diag_indices_from(fitted)] += noise
    return np.asarray(fitted * np.outer(deviations, deviations))


def factor_loss(covariances: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return ``log|Sigma_k| + tr(Sigma_k^-1 S_k)``, (K,); infinite where Sigma_k is not positive definite."""
    found = np.full(len(covariances), np.inf)
    for k, (one, other) in enumerate(zip(covariances, wanted, strict=True)):
        try:
            lower = np.linalg.cholesky(one)
        except np.linalg.LinAlgError:
            continue
        found[k] = 2.0 * np.log(lower.diagonal()).sum() + np.trace(np.linalg.solve(one, other))
    return found


def _scaled_eigen(correlations: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    root = 1.0 / np.sqrt(noise)
    values, axes = np.linalg.eigh(correlations * np.outer(root, root))
    return np.maximum(values, 0.0), axes


def _loss(values: FloatArray, logs: FloatArray, n_factors: int) -> float:
    """Return the loss of the best loadings: factors whose eigenvalue is below one are none."""
    top = np.maximum(values[-n_factors:], 1.0)
    rest = values[:-n_factors].sum() + np.minimum(values[-n_factors:], 1.0).sum()
    return float(logs.sum() + np.log(top).sum() + rest)


def _log_noise(correlations: FloatArray, precision: FloatArray, n_factors: int) -> FloatArray:
    """Return the logarithms of the noise variances of correlations, (D,), which begin at those of all other columns."""
    size = len(correlations)
    least = np.log(_LEAST)
    logs = np.clip(np.log((1.0 - 0.5 * n_factors / size) / precision), least, 0.0)
    values, axes = _scaled_eigen(correlations, np.exp(logs))
    loss = _loss(values, logs, n_factors)
    for _ in range(_ROUNDS):
        rest = np.concatenate(
            [np.arange(size - n_factors), size - n_factors + np.flatnonzero(values[-n_factors:] < 1.0)]
        )
        squares = axes[:, rest] ** 2
        slope = squares @ (1.0 - values[rest])
        curvature = (axes[:, rest] @ axes[:, rest].T) ** 2
        free = ~((logs <= least) & (slope > 0) | (logs >= 0.0) & (slope < 0))
        if not free.any() or np.abs(slope[free]).max() < _PRECISE:
            break
        step = np.zeros(size)
        inner = curvature[np.ix_(free, free)]
        step[free] = np.linalg.solve(inner + 1e-9 * np.eye(len(inner)), slope[free])
        moved = _shorter(correlations, logs, step, loss, n_factors)
        if moved is None:
            break
        logs, values, axes, now = moved
        if loss - now <= _PRECISE * abs(loss) and np.abs(slope[free]).max() < 1e-7:
            break
        loss = now
    return np.asarray(logs)


def _shorter(
    correlations: FloatArray, logs: FloatArray, step: FloatArray, loss: float, n_factors: int
) -> tuple[FloatArray, FloatArray, FloatArray, float] | None:
    """Return where a step ends that lowers the loss, halved until it does; None where none does."""
    for _ in range(_HALVINGS):
        moved = np.clip(logs - step, np.log(_LEAST), 0.0)
        values, axes = _scaled_eigen(correlations, np.exp(moved))
        found = _loss(values, moved, n_factors)
        if found < loss:
            return moved, values, axes, found
        step = step / 2.0
    return None
