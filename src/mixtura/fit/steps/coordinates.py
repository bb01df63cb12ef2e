"""Sums as vectors, in coordinates in which steps and gradients of EM can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.moments import Moments
from mixtura.core.statistics import Statistics
from mixtura.fit.steps.level_coordinates import LevelCoordinates
from mixtura.kernels import get_algebra, moment_size

__all__ = ["Coordinates", "TailCoordinates"]


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Sums as vectors in which the complete-data information of one mixture is the identity.

    With ``L_k (x - mu_k)`` whitening component k, and sums ``n_k``, ``s_k``, ``S_k`` about ``mu_k``, coordinates are
    ``n_k``, ``L_k s_k`` and ``(L_k S_k L_k^T - n_k I) / sqrt(2)``, each over the root of the effective count. Counts
    ``h_l`` of the levels of a discrete column, of which ``g`` are known, are ``(h_l - theta_l g) / sqrt(theta_l n)``.
    Of t components the sums are those of Gaussians with the same M-step, and `TailCoordinates` beside them.

    Parameters
    ----------
    moments : Moments
    means : ndarray of shape (K, D)
    roots : ndarray of shape (K,)
        Square roots of the effective counts.
    whitening, coloring : ndarray
        Factors as a pass in this layout reads them, and their inverses.
    levels : LevelCoordinates or None
    tails : TailCoordinates or None
    """

    moments: Moments
    means: FloatArray
    roots: FloatArray
    whitening: FloatArray
    coloring: FloatArray
    levels: LevelCoordinates | None = None
    tails: TailCoordinates | None = None

    @classmethod
    def about(cls, model: Mixture, statistics: Statistics) -> Coordinates:
        """Lay coordinates about a mixture and the sums of its pass; no component may be empty."""
        whitening = model.family.storage.whitening(model.factors, statistics.moments, model.n_components)
        coloring = statistics.moments.invert(whitening)
        roots, levels = np.sqrt(statistics.counts), None
        if model.levels is not None and statistics.levels is not None:
            levels = LevelCoordinates.about(model.levels, statistics.levels, roots)
        tails = None if model.tails is None else TailCoordinates.about(model.tails.freedom, roots)
        return cls(statistics.moments, model.means, roots, whitening, coloring, levels, tails)

    def of(self, statistics: Statistics) -> FloatArray:
        """Return the coordinates of sums about any means, (P,); a row for each where there are several, (H, P)."""
        tails, statistics = statistics.tails, statistics.gathered().as_gaussian()
        means, sums, layout = statistics.means, statistics.sums, self.moments.layout
        several = sums.ndim == 2
        means, sums = (means, sums) if several else (means[None], sums[None])
        found = get_algebra().whiten_sums(layout, means, sums, self.means, self.whitening, self.roots)
        if self.levels is not None and statistics.levels is not None:
            counts = statistics.levels if several else statistics.levels[None]
            found = np.concatenate([found, self.levels.of(counts)], axis=1)
        if self.tails is not None and tails is not None:
            found = np.concatenate([found, self.tails.of(tails[..., 1, :], statistics.counts)], axis=1)
        return found if several else found[0]

    def sums(self, point: FloatArray, like: Statistics) -> Statistics:
        """Return the statistics at a point, as a pass gathers them, about these means; the rest is another's."""
        gaussian, of_levels, of_tails = self._split(point)
        vector = get_algebra().color_sums(self.moments.layout, gaussian, self.coloring, self.roots)
        vector[:2] = like.sums[:2]
        counts, levels = vector[2 : 2 + len(self.roots)], None
        if self.levels is not None and like.levels is not None:
            levels = self.levels.counts(of_levels, counts, like.levels)
        tails = None if self.tails is None else self.tails.sums(of_tails, counts)
        return Statistics(self.moments.gathered, self.means, vector, levels, tails)

    def _split(self, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the coordinates of counts and moments, of levels, and of tails."""
        n_components, n_features = self.means.shape
        begin = int(n_components * (1 + n_features + moment_size(self.moments.layout, n_features)))
        end = len(point) if self.tails is None else len(point) - n_components
        return point[:begin], point[begin:end], point[end:]

    def step_length(self, step: FloatArray) -> float:
        """Return by what share of itself the step changes the count, mean or covariance that it changes most."""
        gaussian, of_levels, of_tails = self._split(step)
        found = get_algebra().largest_change(gaussian, self.roots, self.means.shape[1])
        if self.levels is not None:
            found = max(found, float((self.levels.changes(of_levels) / self.roots).max()))
        return found if self.tails is None else max(found, self.tails.largest_change(of_tails))


@dataclass(frozen=True, slots=True, eq=False)
class TailCoordinates:
    """What degrees of freedom are learned from, in coordinates of the same kind.

    Given its component, u of a row has a gamma distribution of shape and rate ``nu / 2``, and ``u x x^T`` about the
    mean does not depend on it. So of n rows ``sum (log u - u)``, less what is expected of as many, has the variance
    ``n (psi'(nu / 2) - 2 / nu)``, and no covariance with moments, nor with ``sum u``, which is n at an optimum.

    Parameters
    ----------
    roots : ndarray of shape (K,)
        Square roots of the effective counts.
    expected, widths : ndarray of shape (K,)
        Of one row: ``psi(nu / 2) - log(nu / 2) - 1``, and the deviation.
    """

    roots: FloatArray
    expected: FloatArray
    widths: FloatArray

    @classmethod
    def about(cls, freedom: FloatArray, roots: FloatArray) -> TailCoordinates:
        """Lay coordinates about degrees of freedom, (K,)."""
        from scipy.special import digamma, zeta  # takes longer than many a fit

        half = 0.5 * freedom
        expected = digamma(half) - np.log(half) - 1.0
        return cls(roots, expected, np.sqrt(zeta(2.0, half) - 1.0 / half))

    def of(self, logs: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the coordinates, (H, K), of expected logarithms and counts, (H, K) or (K,) each."""
        return np.atleast_2d((logs - self.expected * counts) / (self.widths * self.roots))

    def sums(self, point: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the sums at a point, (2, K), of components with these counts, which are their mass."""
        return np.stack([counts, self.expected * counts + point * self.widths * self.roots])

    def largest_change(self, step: FloatArray) -> float:
        """Return the largest change, as a share of one deviation of each row."""
        return float(np.abs(step / self.roots).max())
