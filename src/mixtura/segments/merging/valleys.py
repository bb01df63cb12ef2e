"""The density between components: whether a valley lies between two clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture

__all__ = ["valley_between"]

_STEPS = 40
"""Of the way from one mean to another."""


def valley_between(mixture: Mixture, left: Sequence[int], right: Sequence[int]) -> float:
    """Return how high the density stays between two clusters, as a share of the lower of their peaks.

    One where no valley lies between them, near zero where they are apart. All extrema of the density of two Gaussians
    lie on their ridgeline, ``x(t) = ((1 - t) P_a + t P_b)^-1 ((1 - t) P_a mu_a + t P_b mu_b)`` with the precisions P
    (Ray and Lindsay 2005). The density of the whole mixture is followed along the ridgeline of each component of one
    cluster and each of the other, and the way with the highest lowest point counts.

    Parameters
    ----------
    mixture : Mixture
        Its continuous columns alone are looked at.
    left, right : sequence of int
        Components of the two clusters.

    References
    ----------
    Ray and Lindsay (2005), The topography of multivariate normal mixtures, Annals of Statistics 33.
    Hennig (2010), Methods for merging Gaussian mixture components, Advances in Data Analysis and Classification 4.

    Examples
    --------
    Two equal Gaussians three standard deviations apart: 2 phi(1.5) over phi(0) + phi(3) is 0.6421.

    >>> from mixtura import Mixture
    >>> from mixtura.segments.merging.valleys import valley_between
    >>> apart = Mixture.from_parameters([0.5, 0.5], [[0.0], [3.0]], [1.0, 1.0], "spherical")
    >>> round(valley_between(apart, [0], [1]), 2)
    0.64
    """
    precisions: FloatArray = np.linalg.inv(mixture.full_covariances()).astype(np.float64)
    return max(_along(mixture, _ridgeline(mixture, precisions, a, b)) for a in left for b in right)


def _ridgeline(mixture: Mixture, precisions: FloatArray, a: int, b: int) -> FloatArray:
    """Return points from the mean of one component to that of another, shape (steps + 1, D)."""
    t = np.linspace(0.0, 1.0, _STEPS + 1)[:, None]
    pulls = [precisions[k] @ mixture.means[k] for k in (a, b)]
    sums = (1 - t[:, :, None]) * precisions[a] + t[:, :, None] * precisions[b]
    points = np.linalg.solve(sums, ((1 - t) * pulls[0] + t * pulls[1])[:, :, None])
    return np.ascontiguousarray(points[:, :, 0])


def _along(mixture: Mixture, points: FloatArray) -> float:
    """Return the least, along a way, of the density over the lower of the peaks before and behind."""
    density = mixture.log_density(points)
    before = np.maximum.accumulate(density)
    behind = np.maximum.accumulate(density[::-1])[::-1]
    return float(np.exp((density - np.minimum(before, behind)).min()))
