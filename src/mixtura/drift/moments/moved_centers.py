"""Whether the center of any segment moved: likelihood ratios of shifts that matter, averaged over all places.

No test finds most shifts wherever they are. Of all tests of one level that rejects most often on average over given
shifts which rejects where the likelihood ratio, averaged over them, is large (Andrews and Ploberger 1994). The sum has
few large terms and many small ones, and knows that neighbors are correlated, where Bonferroni counts every place.

A shift is of one column of one segment, up or down, by itself or with the others following it as their regression says.
With the difference d of the two means, of covariance V, and a direction u the score is ``z = u' V^-1 d / sqrt(I)`` with
``I = u' V^-1 u``: ``d_j / sqrt(V_jj)`` where others follow, and ``[V^-1 d]_j / sqrt([V^-1]_jj)`` where they stay. A
shift of a standard errors has the likelihood ratio ``exp(a z - a^2 / 2)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.drift.moments.moments_by_segment import SegmentMoments

__all__ = ["center_p_values"]

_SIZES = (0.2, 0.4, 0.8)
"""Shifts that are averaged over, in standard deviations: twice the smallest that matters, and larger ones."""

_FAR = 5.0
"""Standard errors of the smallest shift at most: where rows are many, smaller ones are found as well."""

_MOST_DRAWS, _FEWEST_DRAWS, _CELLS = 10_000, 2_000, 10_000_000
_FARTHEST = 1e-290
"""Smaller tails of t underflow; the score itself then serves as that of a Gaussian."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """What the columns of one segment say: two scores for each, others following or staying.

    Parameters
    ----------
    columns : ndarray of shape (d,), int
    scores : ndarray of shape (2, d)
        Gaussian where nothing changed.
    sizes : ndarray of shape (S, 2, d)
        Shifts in standard errors of each score.
    mixing : ndarray of shape (2, d, d)
        From independent Gaussian numbers to scores where nothing changed.
    """

    columns: IntArray
    scores: FloatArray
    sizes: FloatArray
    mixing: FloatArray

    @classmethod
    def of(cls, old: SegmentMoments, new: SegmentMoments, k: int, compared: BoolArray) -> _Scores:
        """Return those of segment k in the columns in which it is compared."""
        columns = np.flatnonzero(compared)
        both = np.ix_(columns, columns)
        covariance = (old.covariances_of_means[k] + new.covariances_of_means[k])[both]
        difference = (new.means - old.means)[k, columns]
        effective = 2.0 / (1.0 / old.effective[k, columns] + 1.0 / new.effective[k, columns])
        variance = np.diagonal(covariance)
        # Few rows say little of many correlations.
        known = effective.min() / (effective.min() + columns.size + 1.0)
        weight = np.linalg.inv(known * covariance + (1.0 - known) * np.diag(variance))
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        ways = np.stack([np.eye(columns.size), weight])
        mixing = ways @ root
        errors = np.sqrt(np.maximum((mixing**2).sum(axis=2), 1e-300))
        found = (ways @ difference) / errors
        # What the others say is estimated, too: a covariate takes a degree of freedom, and adds to the variance.
        found[1] *= _covariates(old.effective[k, columns] + new.effective[k, columns])
        information = np.stack([1.0 / variance, np.diagonal(weight)])
        sizes = np.array(_SIZES)[:, None, None] * np.sqrt(information)
        sizes[0] = np.minimum(sizes[0], _FAR)
        freedom = _welch_freedom(old, new)[k, columns]
        return cls(columns, _gaussian(found, freedom), sizes, mixing / errors[:, :, None])

    def log_ratios(self) -> FloatArray:
        """Return the log of the sum of likelihood ratios of each column, (d,)."""
        shifted = self.sizes * np.abs(self.scores)
        terms = np.logaddexp(shifted, -shifted) - 0.5 * self.sizes**2
        return np.asarray(np.logaddexp.reduce(terms.reshape(-1, self.columns.size), axis=0))

    def simulated(self, draws: FloatArray) -> FloatArray:
        """Return the sum of all columns where nothing changed, (R,), from Gaussian numbers (R, d)."""
        total = np.zeros(len(draws))
        for way, mixing in enumerate(self.mixing):
            scores = np.abs(draws @ mixing.T)
            for size in self.sizes[:, way]:
                total += np.exp(size * scores - 0.5 * size**2).sum(axis=1)
                total += np.exp(-size * scores - 0.5 * size**2).sum(axis=1)
        return total


def center_p_values(
    old: SegmentMoments, new: SegmentMoments, compared: BoolArray, own: FloatArray
) -> FloatArray:
    """Return p-values of the centers, adjusted for all of them, (K, D); NaN where they are not compared.

    The largest likelihood ratio counts as the sum of all, of which it is the most; every other has to be as large by
    itself, which only adds to the sum. A column whose own mean did not move is not named, whatever the others say of
    it: p is at least its own.

    Parameters
    ----------
    old, new : SegmentMoments
    compared : ndarray of shape (K, D), bool
    own : ndarray of shape (K, D)
        P-values of the columns one by one.
    """
    adjusted = np.full(compared.shape, np.nan)
    segments = np.flatnonzero(compared.any(axis=1)).tolist()
    if not segments:
        return adjusted
    scores = [_Scores.of(old, new, k, compared[k]) for k in segments]
    n_draws = int(np.clip(_CELLS // compared.size, _FEWEST_DRAWS, _MOST_DRAWS))
    rng, simulated = np.random.RandomState(0), np.zeros(n_draws)
    for one in scores:
        simulated += one.simulated(rng.standard_normal((n_draws, one.columns.size)))
    simulated = np.log(np.sort(simulated))
    for k, one in zip(segments, scores, strict=True):
        adjusted[k, one.columns] = one.log_ratios()
    total = float(np.logaddexp.reduce(adjusted[compared]))
    adjusted[np.unravel_index(np.nanargmax(adjusted), adjusted.shape)] = total
    as_large = n_draws - np.searchsorted(simulated, adjusted[compared], side="left")
    found = np.maximum((1.0 + as_large) / (n_draws + 1.0), own[compared])
    # Beyond the draws Bonferroni says how small it is.
    counted = own[compared] * np.count_nonzero(compared)
    adjusted[compared] = np.where(counted < 1.0 / (n_draws + 1.0), counted, found)
    return adjusted


def _welch_freedom(old: SegmentMoments, new: SegmentMoments) -> FloatArray:
    """Return the degrees of freedom of differences of means, (K, D) (Welch 1947)."""
    parts = old.mean_variances, new.mean_variances
    spent = [v**2 / np.maximum(one.effective - 1.0, 1.0) for v, one in zip(parts, (old, new), strict=True)]
    return np.asarray((parts[0] + parts[1]) ** 2 / np.maximum(spent[0] + spent[1], 1e-300))


def _covariates(n_rows: FloatArray) -> FloatArray:
    """Return by what scores are smaller whose weights are learned from as many rows, ``sqrt((n - d) / (n + d))``."""
    return np.asarray(np.sqrt(np.maximum(n_rows - n_rows.size, 1.0) / (n_rows + n_rows.size)))


def _gaussian(scores: FloatArray, freedom: FloatArray) -> FloatArray:
    """Return Gaussian numbers with the tails of t-scores; those too far out for it are as they are."""
    tail = stdtr(freedom, -np.abs(scores))
    return np.where(tail > _FARTHEST, np.abs(ndtri(np.maximum(tail, _FARTHEST))), np.abs(scores))
