"""Rows that form a segment that the model lacks.

More rows than chance explains lie where the model expects few. They are a new kind of customer if they lie together: a
mixture with one more component, started where the strangest rows are densest and learned from half of the rows, must
make the other half more likely than one without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import ndtr, ndtri

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.data import Data
from mixtura.core.evaluate import hash_numbers
from mixtura.core.mixture import Mixture
from mixtura.drift.change import LEVEL
from mixtura.drift.comparison import Comparison
from mixtura.drift.drift_sums import log_densities
from mixtura.exceptions import MixturaError
from mixtura.select.inference.refit import Refit
from mixtura.select.priors import PriorName

__all__ = ["NewSegment", "find_new_segment"]

_MOST_ROWS, _MOST_STRANGE = 20_000, 2_000
_FEWEST = 8
_WIDEST = 2.0
"""Deviations of a new segment over the largest of the others, on average over columns, at most."""
_STRANGE = 0.5
"""Share of a new segment's rows that the model must hardly expect."""


@dataclass(frozen=True, slots=True, eq=False)
class NewSegment:
    """A segment that a model lacks.

    Parameters
    ----------
    share, low, high : float
        Expected share of the rows, and an interval at 95 %.
    mean, deviations : ndarray of shape (D,)
        Of its rows, as the mixture sees them.
    nearest : int
        The segment of the model that lies nearest, from 0.
    distances : ndarray of shape (D,)
        From the center of that segment, in its standard deviations.
    gain : float
        Nats by which it makes rows more likely that it was not learned from, per row.
    p_value : float
        Of no gain.
    rows : ndarray of shape (n,), int
        Numbers of the rows that are most likely in it.
    memberships : ndarray of shape (N,)
        Probability of each row to be in it.
    """

    share: float
    low: float
    high: float
    mean: FloatArray
    deviations: FloatArray
    nearest: int
    distances: FloatArray
    gain: float
    p_value: float
    rows: IntArray
    memberships: FloatArray


def find_new_segment(
    data: Data,
    mixture: Mixture,
    comparison: Comparison,
    offsets: FloatArray | None = None,
    *,
    prior: PriorName | float = "floor",
) -> NewSegment | None:
    """Return the segment that new rows form and the model lacks; None without one.

    Parameters
    ----------
    data : Data
        The new rows, as the mixture sees them, N of them.
    mixture : Mixture
    comparison : Comparison
        Of these rows with those that the mixture was learned from.
    offsets : ndarray of shape (N,), optional
        What is added to the log density of each row.
    prior : {"floor", "conjugate"} or float, default="floor"
    """
    if not any(one.is_found for one in comparison.of_family("tail")):
        return None
    added = np.zeros(data.n_rows) if offsets is None else offsets
    density = log_densities(data, mixture, added)
    strange = np.flatnonzero(density < comparison.reference.cuts.tail)
    if strange.size < _FEWEST:
        return None
    plain = replace(mixture, levels=None, offsets=None)
    start = _with_component(plain, data.rows(strange[:_MOST_STRANGE]), comparison.tail.difference)
    rows = data.rows_with_missing(np.arange(data.n_rows))
    try:
        gain, p_value = _gain(data, rows, plain, start, prior)
        if p_value >= LEVEL:
            return None
        used = data.in_memory(rows[_places(len(rows), 0)])
        found = Refit(prior).from_mixture(used, start).mixture
    except MixturaError:
        return None
    return _described(found, mixture, rows, density < comparison.reference.cuts.tail, gain, p_value)


def _with_component(mixture: Mixture, strange: FloatArray, share: float) -> Mixture:
    """Return the mixture with one component more, where the given rows are densest."""
    widths = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2)).mean(axis=0)
    near = min(len(strange), max(_FEWEST, len(strange) // 5))
    distances, neighbors = cKDTree(strange / widths).query(strange / widths, k=near)
    rows = strange[neighbors[int(np.argmin(distances[:, -1]))]]
    # The nearest rows lie closer together than all of the segment: its deviations are at least half of the others'.
    variances = np.maximum(rows.var(axis=0), widths**2 / 4)
    full = mixture.family.storage.full(mixture.covariances, *mixture.means.shape)
    covariances = np.concatenate([full, np.diag(variances)[None]])
    narrow = bool(np.count_nonzero(full[0] - np.diag(np.diagonal(full[0]))) == 0)
    share = float(np.clip(share, 0.002, 0.5))
    weights = np.append(mixture.weights / mixture.weights.sum() * (1 - share), share)
    means = np.vstack([mixture.means, rows.mean(axis=0)])
    if narrow:
        return Mixture.from_parameters(weights, means, np.diagonal(covariances, axis1=1, axis2=2), "diag")
    return Mixture.from_parameters(weights, means, covariances, "full")


def _places(n_rows: int, part: int, parts: int = 1) -> IntArray:
    """Return the numbers of a random part of the rows, at most as many as are used."""
    numbers = np.arange(n_rows)
    chosen = numbers[hash_numbers(numbers, 1) % np.uint64(parts) == part]
    return np.asarray(chosen[np.argsort(hash_numbers(chosen, 2))][:_MOST_ROWS])


def _gain(
    data: Data, rows: FloatArray, mixture: Mixture, start: Mixture, prior: PriorName | float
) -> tuple[float, float]:
    """Return the mean gain of rows held out, in nats per row, and the p-value of none; both halves in turn."""
    gains = []
    general = Mixture.from_parameters(
        mixture.weights / mixture.weights.sum(), mixture.means, start.covariances[:-1], start.covariance_type
    )
    for part in (0, 1):
        learned, held = rows[_places(len(rows), part, 2)], rows[_places(len(rows), 1 - part, 2)]
        half = data.in_memory(learned)
        more, fewer = (Refit(prior).from_mixture(half, one).mixture for one in (start, general))
        gains.append(more.log_density(held) - fewer.log_density(held))
    gain = np.concatenate(gains)
    error = float(gain.std() / np.sqrt(gain.size))
    mean = float(gain.mean())
    return mean, float(ndtr(-mean / error)) if error > 0 else 1.0


def _described(
    found: Mixture,
    mixture: Mixture,
    rows: FloatArray,
    strange: BoolArray,
    gain: float,
    p_value: float,
) -> NewSegment | None:
    memberships = found.responsibilities(rows)
    own = memberships[:, -1]
    size = float(own.sum())
    if size < _FEWEST or float(own @ strange) < _STRANGE * size:
        return None
    widths = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2))
    deviations = np.sqrt(np.diagonal(found.full_covariances()[-1]))
    # A component that is wider than all segments holds rows that are scattered between and beyond them.
    if float(np.log(deviations / widths.max(axis=0)).mean()) > np.log(_WIDEST):
        return None
    mean = found.means[-1]
    distances = (mean - mixture.means) / widths
    nearest = int(np.argmin((distances**2).sum(axis=1)))
    share = size / len(rows)
    half = float(ndtri(0.975) * np.sqrt(share * (1 - share) / len(rows)))
    members = np.flatnonzero(memberships.argmax(axis=1) == found.n_components - 1)
    return NewSegment(
        share, max(0.0, share - half), min(1.0, share + half), mean, deviations, nearest, distances[nearest],
        gain, p_value, members, own,
    )  # fmt: skip
