"""The density between components: whether a valley lies between two clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture

__all__ = ["Valleys", "valley_between"]

_STEPS = 40
"""Of the way from one mean to another."""


def valley_between(mixture: Mixture, left: Sequence[int], right: Sequence[int]) -> float:
    """Return how high the density stays between two clusters, as a share of the lower of their peaks.

    One where no valley lies between them, near zero where they are apart. All extrema of the density of two Gaussians
    lie on their ridgeline, ``x(t) = ((1 - t) P_a + t P_b)^-1 ((1 - t) P_a mu_a + t P_b mu_b)`` with the precisions P
    (Ray and Lindsay 2005). From the highest mean of one cluster to that of the other the density of the whole mixture
    is followed along ridgelines of the components of both, on the way whose lowest point is highest. So a bent cluster
    is followed along its bend, and a wide component that reaches from one peak to another does not hide the valley.

    Parameters
    ----------
    mixture : Mixture
        Its continuous columns alone are looked at; without any there are no valleys, and NaN is returned.
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
    return Valleys(mixture).between(left, right)


class Valleys:
    """The valleys between the components of a mixture, each way between two followed when it is first needed, and kept.

    Parameters
    ----------
    mixture : Mixture
    """

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture
        self._precisions: FloatArray = np.linalg.inv(mixture.full_covariances()).astype(np.float64)
        self._peaks = mixture.log_density(mixture.means) if mixture.n_features else np.zeros(0)
        self._ways: dict[tuple[int, int], float] = {}

    def between(self, left: Sequence[int], right: Sequence[int]) -> float:
        """Return how high the density stays between two clusters, see `valley_between`."""
        if self._mixture.n_features == 0:
            return float("nan")
        start, end = (max(cluster, key=lambda k: float(self._peaks[k])) for cluster in (left, right))
        lower = min(self._peaks[start], self._peaks[end])
        return float(np.exp(min(0.0, self._lowest_point(start, end, [*left, *right]) - lower)))

    def _lowest_point(self, start: int, end: int, components: Sequence[int]) -> float:
        """Return the lowest log density on the highest way: along the maximal spanning tree, which is grown (Prim)."""
        point, here = np.inf, start
        reached = {k: -np.inf for k in components if k != start}
        while here != end:
            reached = {k: max(value, self._lowest(here, k)) for k, value in reached.items()}
            here = max(reached, key=lambda k: reached[k])
            point = min(point, reached.pop(here))
        return float(point)

    def _lowest(self, a: int, b: int) -> float:
        """Return the lowest log density on the ridgeline of two components."""
        pair = min(a, b), max(a, b)
        if pair not in self._ways:
            self._ways[pair] = self._lowest_along(*pair)
        return self._ways[pair]

    def _lowest_along(self, a: int, b: int) -> float:
        """Return the lowest log density on a ridgeline, looked for once more around the lowest of some points."""
        lowest, t = np.inf, np.linspace(0.0, 1.0, _STEPS + 1)
        for _ in range(2):
            density = self._mixture.log_density(_ridgeline(self._mixture, self._precisions, a, b, t[:, None]))
            at = int(density.argmin())
            lowest = min(lowest, float(density[at]))
            t = np.linspace(t[max(at - 1, 0)], t[min(at + 1, _STEPS)], _STEPS + 1)
        return lowest


def _ridgeline(mixture: Mixture, precisions: FloatArray, a: int, b: int, t: FloatArray) -> FloatArray:
    """Return points from the mean of one component (t = 0) to that of another (t = 1), shape (T, D); t is (T, 1)."""
    pulls = [precisions[k] @ mixture.means[k] for k in (a, b)]
    sums = (1 - t[:, :, None]) * precisions[a] + t[:, :, None] * precisions[b]
    points = np.linalg.solve(sums, ((1 - t) * pulls[0] + t * pulls[1])[:, :, None])
    return np.ascontiguousarray(points[:, :, 0])
