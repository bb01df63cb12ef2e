"""Whether rows are a sample of one multivariate normal distribution: Mardia's measures and the energy test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist
from scipy.special import chdtrc, gammaln, hyp1f1, ndtr

from mixtura._typing import FloatArray

__all__ = ["Mardia", "energy_p_value", "energy_statistic", "mardia", "whitened"]


@dataclass(frozen=True, slots=True)
class Mardia:
    """Mardia's multivariate skewness and kurtosis, and how unlikely they are of a normal distribution.

    Parameters
    ----------
    skewness, kurtosis : float
        ``b1 = 1/N^2 sum_ij m_ij^3`` and ``b2 = 1/N sum_i m_ii^2`` with ``m_ij = (x_i - m)' S^-1 (x_j - m)`` and S of
        divisor N.
    skewness_p, kurtosis_p : float
        Of ``N b1 / 6``, chi-squared with ``D (D + 1) (D + 2) / 6`` degrees of freedom, one-sided; and of
        ``(b2 - D (D + 2)) / sqrt(8 D (D + 2) / N)``, standard normal, two-sided.
    """

    skewness: float
    kurtosis: float
    skewness_p: float
    kurtosis_p: float


def whitened(rows: FloatArray) -> FloatArray:
    """Return rows with mean zero and the identity as covariance (divisor N), by their singular value decomposition.

    Directions without spread are left out.
    """
    left, values, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    kept = values > values[0] * 1e-10 if values.size else values > 0
    return np.ascontiguousarray(left[:, kept] * math.sqrt(len(rows)))


def mardia(rows: FloatArray) -> Mardia:
    """Measure multivariate skewness and kurtosis (Mardia 1970, Biometrika 57, 519-530).

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        More rows than columns. Memory grows with N squared.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.advice import mardia
    >>> found = mardia(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]))
    >>> abs(round(found.skewness, 12)), round(found.kurtosis, 12)
    (0.0, 1.7)
    """
    z = whitened(rows)
    n, d = z.shape
    products = z @ z.T
    skewness = float((products * products * products).mean())
    kurtosis = float((np.diagonal(products) ** 2).mean())
    score = (kurtosis - d * (d + 2)) / math.sqrt(8 * d * (d + 2) / n)
    return Mardia(
        skewness=skewness,
        kurtosis=kurtosis,
        skewness_p=float(chdtrc(d * (d + 1) * (d + 2) / 6, n * skewness / 6)),
        kurtosis_p=float(2 * ndtr(-abs(score))),
    )


def energy_statistic(z: FloatArray) -> float:
    """Return the energy distance of whitened rows from the standard normal distribution, times N.

    ``N (2/N sum_i E|z_i - Z| - E|Z - Z'| - 1/N^2 sum_ij |z_i - z_j|)`` with
    ``E|z - Z| = sqrt(2) Gamma((D + 1) / 2) / Gamma(D / 2) 1F1(-1/2; D/2; -|z|^2 / 2)`` and ``E|Z - Z'|`` that at zero
    times ``sqrt(2)`` (Szekely and Rizzo 2005, Journal of Multivariate Analysis 93, 58-80).

    Parameters
    ----------
    z : ndarray of shape (N, D)
        From `whitened`.
    """
    n, d = z.shape
    ratio = math.exp(gammaln((d + 1) / 2) - gammaln(d / 2))
    to_normal = math.sqrt(2) * ratio * hyp1f1(-0.5, d / 2, -np.square(z).sum(axis=1) / 2)
    within = 2 * pdist(z).sum() / n**2
    return float(n * (2 * to_normal.mean() - 2 * ratio - within))


def energy_p_value(rows: FloatArray, rng: np.random.Generator, n_simulated: int = 99) -> float:
    """Return the share of simulated normal samples, and this one, with at least as large an energy statistic.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        More rows than columns.
    rng : numpy.random.Generator
    n_simulated : int, default=99
        The smallest p-value possible is ``1 / (n_simulated + 1)``.
    """
    z = whitened(rows)
    observed = energy_statistic(z)
    simulated = [energy_statistic(whitened(rng.normal(size=z.shape))) for _ in range(n_simulated)]
    return (1 + sum(one >= observed for one in simulated)) / (n_simulated + 1)
