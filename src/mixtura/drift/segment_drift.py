"""Each segment at two times: its share, its center and its shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from mixtura._typing import BoolArray, FloatArray
from mixtura.drift.comparison import Comparison, mean_memberships
from mixtura.drift.drift_sums import DriftSums
from mixtura.drift.gaussian_distances import hellinger_distance, symmetric_divergence
from mixtura.drift.moments.moments_by_segment import SegmentMoments

__all__ = ["SegmentDrift", "ShareChange", "segment_drifts", "share_changes"]

_Z = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class ShareChange:
    """The shares of the segments at two times.

    Parameters
    ----------
    before, after : tuple of float, length K
        Mean memberships; where there is noise they sum to less than one.
    before_half, after_half : tuple of float, length K
        Half the widths of their intervals at 95 %.
    stability_index : float
        Population stability index, ``sum (q - p) log (q / p)``.
    stability_index_expected : float
        Its mean if nothing changed, from sampling alone: ``sum_k var(q_k - p_k) / p_k``.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    before_half: tuple[float, ...]
    after_half: tuple[float, ...]
    stability_index: float
    stability_index_expected: float


@dataclass(frozen=True, slots=True, eq=False)
class SegmentDrift:
    """A segment at two times, in units of its own standard deviations.

    Parameters
    ----------
    rows_before, rows_after : float
        Expected number of rows, as their weights say.
    shifts : ndarray of shape (D,)
        From the center before to that after; NaN in a column in which it has too few rows.
    spreads : ndarray of shape (D,)
        Standard deviations after over those before.
    hellinger, hellinger_expected : float
        Hellinger distance of the Gaussians before and after, and about what it is if nothing changed.
    divergence, divergence_expected : float
        The same of the symmetric Kullback-Leibler divergence, in nats.
    """

    rows_before: float
    rows_after: float
    shifts: FloatArray
    spreads: FloatArray
    hellinger: float
    hellinger_expected: float
    divergence: float
    divergence_expected: float


def share_changes(before: DriftSums, after: DriftSums) -> ShareChange:
    """Return the shares of the segments at two times, with intervals; noise counts for the stability index alone."""
    noise, k = before.has_noise or after.has_noise, before.n_components
    (p, covariance), (q, other) = (mean_memberships(sums, noise=noise) for sums in (before, after))
    spreads = [np.diagonal(one) for one in (covariance, other)]
    halves = [tuple((_Z * np.sqrt(np.maximum(one[:k], 0.0))).tolist()) for one in spreads]
    floor = np.maximum(p, 0.5 / before.effective_rows), np.maximum(q, 0.5 / after.effective_rows)
    index = float(((floor[1] - floor[0]) * np.log(floor[1] / floor[0])).sum())
    expected = float(((spreads[0] + spreads[1]) / floor[0]).sum())
    return ShareChange(tuple(p[:k].tolist()), tuple(q[:k].tolist()), halves[0], halves[1], index, expected)


def segment_drifts(comparison: Comparison) -> tuple[SegmentDrift | None, ...]:
    """Return what became of each segment; None where it has too few rows to be compared in any column.

    To first order the symmetric divergence of two estimates of one Gaussian is a quadratic form with the mean
    ``d (1 / n + 1 / m)``, d the number of its parameters, and the squared Hellinger distance an eighth of it.
    """
    before, after = comparison.reference.sums, comparison.after
    old, new = SegmentMoments(before), SegmentMoments(after)
    return tuple(
        _segment_drift(old, new, k, comparison.compared[k]) if comparison.compared[k].any() else None
        for k in range(before.n_components)
    )


def _segment_drift(old: SegmentMoments, new: SegmentMoments, k: int, compared: BoolArray) -> SegmentDrift:
    """Return what became of a segment in the columns in which it is compared; NaN in the others."""
    d = int(compared.sum())
    both = np.ix_(compared, compared)
    one, other = ((each.means[k][compared], _positive(each.covariances[k][both])) for each in (old, new))
    effective = [float(each.effective[k][compared].min()) for each in (old, new)]
    expected = (d + d * (d + 1) / 2) * (1 / effective[0] + 1 / effective[1])
    return SegmentDrift(
        rows_before=float(old.sums.shares[k]),
        rows_after=float(new.sums.shares[k]),
        shifts=np.where(compared, new.means[k] - old.means[k], np.nan),
        spreads=np.where(compared, np.exp(new.log_deviations[k] - old.log_deviations[k]), np.nan),
        hellinger=hellinger_distance(*one, *other),
        hellinger_expected=float(np.sqrt(min(1.0, expected / 8))),
        divergence=symmetric_divergence(*one, *other),
        divergence_expected=float(expected),
    )


def _positive(covariance: FloatArray) -> FloatArray:
    """Return the covariance with eigenvalues of at least 1e-8 of the largest: pairs of columns lack different rows."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.maximum(values, 1e-8 * values[-1])) @ vectors.T)
