"""Whether rows have clusters at all: the dip test on projections and distances, and Hopkins' statistic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import MixturaError
from mixtura.segments.advice.evidence.dip import dip_p_value, dip_statistic
from mixtura.select import search

__all__ = ["Clusterability", "clusterability", "hopkins", "principal_axes"]

_AXES = 2
_DISTANCE_ROWS = 375
_HOPKINS_ROWS = 100


@dataclass(frozen=True, slots=True)
class Clusterability:
    """Tests of the hypothesis that there is one cluster, and Hopkins' statistic.

    Parameters
    ----------
    axes : tuple of float
        p-values of the dip along the leading principal axes.
    distances : float
        p-value of the dip of the distances between rows.
    held_out : float
        p-value of the dip along the direction that parts one half of the rows best, measured in the other half.
    hopkins : float
        0.5 for rows spread evenly over a box, towards 1 for concentrated rows, as in clusters or a single Gaussian.
    """

    axes: tuple[float, ...]
    distances: float
    held_out: float
    hopkins: float

    @property
    def p_value(self) -> float:
        """The smallest of the p-values times their number (Bonferroni), at most 1."""
        tests = (*self.axes, self.distances, self.held_out)
        return min(1.0, len(tests) * min(tests))


def clusterability(scaled: FloatArray, mixture: Mixture, rng: np.random.Generator) -> Clusterability:
    """Test whether the rows have more than one mode.

    The null hypothesis is that every projection, and the distribution of distances, has a single mode, as for any
    log-concave density: normal, uniform, exponential.

    Parameters
    ----------
    scaled : ndarray of shape (N, D)
        Standardized rows, at least 8.
    mixture : Mixture
        Half of the rows are fitted as this one was, and directions between its components looked along.
    rng : numpy.random.Generator
    """
    axes = principal_axes(scaled)[:_AXES]
    chosen = rng.permutation(len(scaled))[:_DISTANCE_ROWS]
    distances = pdist(scaled[chosen])
    return Clusterability(
        axes=tuple(dip_p_value(scaled @ axis) for axis in axes),
        distances=dip_p_value(distances),
        held_out=_held_out(scaled, mixture, rng),
        hopkins=hopkins(scaled, rng),
    )


def principal_axes(rows: FloatArray) -> FloatArray:
    """Return the principal axes as rows of a matrix, the widest first, shape (min(N, D), D)."""
    return np.asarray(np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2])


def _held_out(scaled: FloatArray, mixture: Mixture, rng: np.random.Generator) -> float:
    """Return twice the smaller p-value of two tests; in each, one half chooses a direction for the other.

    The direction does not depend on the rows it is tested on, so that the test keeps its level however many
    directions were looked at.
    """
    order, half = rng.permutation(len(scaled)), len(scaled) // 2
    halves = scaled[order[:half]], scaled[order[half:]]
    found = []
    for learned, tested in (halves, halves[::-1]):
        directions = _directions(np.ascontiguousarray(learned), mixture)
        best = max(directions, key=lambda axis: dip_statistic(learned @ axis))
        found.append(dip_p_value(tested @ best))
    return min(1.0, 2 * min(found))


def _directions(rows: FloatArray, like: Mixture) -> list[FloatArray]:
    """Return the leading principal axes, and Fisher's direction between each pair of components."""
    axes = list(principal_axes(rows)[:_AXES])
    if like.n_components < 2:
        return axes
    try:
        found = search(rows, components=[like.n_components], covariance_types=[like.covariance_type])
    except MixturaError:  # half of the rows may be too few
        return axes
    assert found.best.mixture is not None, "a search without any mixture has raised"
    return axes + _between(found.best.mixture)


def _between(mixture: Mixture) -> list[FloatArray]:
    covariances, means, weights = mixture.full_covariances(), mixture.means, mixture.weights
    directions = []
    for i in range(mixture.n_components):
        for j in range(i):
            pooled = (weights[i] * covariances[i] + weights[j] * covariances[j]) / (weights[i] + weights[j])
            directions.append(np.linalg.lstsq(pooled, means[i] - means[j], rcond=None)[0])
    return directions


def hopkins(rows: FloatArray, rng: np.random.Generator) -> float:
    """Return Hopkins' statistic ``H = sum u^D / (sum u^D + sum w^D)`` (Hopkins and Skellam 1954; Cross and Jain 1982).

    u are the distances of m random places of the rows' bounding box to the nearest row, w those of m random rows to
    the nearest other row; m is a tenth of the rows, at most 100. For rows spread evenly over the box H has the
    distribution Beta(m, m).

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        At least two.
    rng : numpy.random.Generator
    """
    n, d = rows.shape
    m = max(1, min(n // 10, _HOPKINS_ROWS))
    tree = cKDTree(rows)
    places = rng.uniform(rows.min(axis=0), rows.max(axis=0), size=(m, d))
    to_places = tree.query(places)[0]
    to_rows = tree.query(rows[rng.choice(n, m, replace=False)], k=2)[0][:, 1]
    largest = max(to_places.max(), to_rows.max())
    if largest == 0:
        return 1.0
    u, w = _power_sum(to_places / largest, d), _power_sum(to_rows / largest, d)
    return u / (u + w)


def _power_sum(distances: Sequence[float] | FloatArray, power: int) -> float:
    return float(np.power(distances, power).sum())
