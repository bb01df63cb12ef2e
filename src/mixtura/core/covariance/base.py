"""What a covariance family is, and the symmetric-matrix work that several share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray, IntArray
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior, Ridge
from mixtura.core.statistics import Statistics, diagonal_of_packed, pack_lower
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.kernels import Layout

__all__ = [
    "EMPTY",
    "LARGEST_FACTOR",
    "LARGEST_VARIANCE",
    "CovarianceFamily",
    "Factors",
    "NotPositiveDefiniteError",
    "keeps_digits",
    "lift_eigenvalues",
    "scatter_matrices",
    "symmetric",
    "whiten",
    "within_scatter",
]

EMPTY = 10 * float(np.finfo(np.float64).eps)
"""An effective count up to which a component has no rows: what rounding leaves of none."""

LARGEST_FACTOR = 1e153
"""Whitening factors beyond this have squares, the precisions, that are no finite numbers."""

LARGEST_VARIANCE = 1e305
"""Of variances beyond this the factors would be lost."""

_LARGEST_CANCELLATION = 1e-8
"""A variance within components below this share of the total variance has lost half its digits."""

_MEMBER = 1e-6
"""How far covariances may be from a family's, measured by their deviations, to count as of it."""

_RELATIVE_FLOOR = 1e-12
"""Eigenvalues below this share of the largest are lost in the rounding of a Cholesky factorization."""


class NotPositiveDefiniteError(MixturaError, ValueError):
    """Some covariances are not positive definite; `components` says whose."""

    def __init__(self, components: Sequence[int]) -> None:
        super().__init__(f"The covariances of components {list(components)!r} are not positive definite.")
        self.components = tuple(components)


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What whitens the rows: ``z_k = L_k (x - mu_k)`` has covariance I.

    Parameters
    ----------
    whitening : ndarray
        Lower triangular ``L_k`` of shape (K, D, D), one ``L`` of shape (D, D), or reciprocal
        deviations of shape (K, D): the shape of the family's first layout.
    log_determinants : ndarray of shape (K,), or (1,) where all components share it
        ``log |L_k|``, which is ``-log |Sigma_k| / 2``.
    """

    whitening: FloatArray
    log_determinants: FloatArray


def whiten(covariances: FloatArray) -> Factors:
    """Return ``L_k`` with ``L_k Sigma_k L_k^T = I`` for matrices of shape (K, D, D).

    ``Sigma = C C^T`` (Cholesky) gives ``L = C^{-1}``.

    Raises
    ------
    NotPositiveDefiniteError
        Naming every component whose factorization fails, or whose precisions would be no finite numbers.
    """
    n_components, n_features, _ = covariances.shape
    whitening = np.empty_like(covariances)
    for k in range(n_components):
        lower, info = lapack.dpotrf(covariances[k].T, lower=1, clean=1)
        if info == 0:
            lower, info = lapack.dtrtri(lower, lower=1, overwrite_c=1)
        whitening[k] = lower if info == 0 else np.nan
    diagonal = whitening.reshape(n_components, -1)[:, :: n_features + 1]
    if not (np.abs(whitening).max() < LARGEST_FACTOR and diagonal.min() > 0):
        usable = (np.abs(whitening) < LARGEST_FACTOR).all(axis=(1, 2)) & (diagonal > 0).all(axis=1)
        raise NotPositiveDefiniteError(np.flatnonzero(~usable).tolist())
    return Factors(whitening, np.log(diagonal).sum(axis=1))


def lift_eigenvalues(matrix: FloatArray, floor: float, magnitude: FloatArray) -> FloatArray:
    """Return the symmetric (D, D) matrix with its smallest eigenvalues raised to a floor.

    No variance stays below ``floor``, nor below what rounding leaves of values of the given magnitude; no
    eigenvalue below 1e-12 of the largest. The latter holds in coordinates scaled by the standard deviations, so
    that columns in small units keep their variances.

    Parameters
    ----------
    matrix : ndarray of shape (D, D)
    floor : float
        In squared units of the data.
    magnitude : ndarray of shape (D,)
        Largest absolute value of each column.
    """
    rounding = (np.finfo(np.float64).eps * magnitude) ** 2
    variances = np.maximum(matrix.diagonal(), np.maximum(rounding, floor))
    scale = np.sqrt(variances)
    correlation = matrix / scale[:, None] / scale[None, :]
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    values = np.maximum(values, _RELATIVE_FLOOR * max(float(values[-1]), 1.0))
    lifted = symmetric((vectors * values) @ vectors.T * scale[:, None] * scale[None, :])
    lifted[np.diag_indices_from(lifted)] = np.maximum(lifted.diagonal(), variances)
    return lifted


def symmetric(matrices: FloatArray) -> FloatArray:
    """Return the symmetric part of matrices (..., D, D)."""
    return 0.5 * (matrices + np.swapaxes(matrices, -1, -2))


def scatter_matrices(statistics: Statistics, means: FloatArray) -> FloatArray:
    """Return ``sum r (x - m_k)(x - m_k)^T`` about the new means, (K, D, D), from dense statistics."""
    shift = means - statistics.means
    moved = statistics.counts[:, None] * shift
    cross = 0.5 * moved - statistics.first
    scatter = statistics.second_matrices()
    outer = cross[:, :, None] * shift[:, None, :]
    scatter += outer
    scatter += outer.transpose(0, 2, 1)
    return scatter


def within_scatter(statistics: Statistics, means: FloatArray) -> FloatArray:
    """Return the scatter within components, ``W = sum_k sum_n r_nk (x_n - m_k)(x_n - m_k)^T``, (D, D).

    From dense statistics it is a sum. In the shared layout a pass gathers no second moments: the total scatter T
    about one point c does not change between passes, and ``W = T - sum_k n_k (m_k - c)(m_k - c)^T``.

    Raises
    ------
    ParameterError
        Statistics of the shared layout come without their total.
    """
    if statistics.layout is Layout.DENSE:
        return np.asarray(scatter_matrices(statistics, means).sum(axis=0))
    total = statistics.total
    if total is None:
        raise ParameterError(
            "Statistics of the shared layout were given without the total scatter; a covariance that all components "
            "share needs it. Attach the dense one-component statistics of all rows as `total`."
        )
    apart = means - total.means
    return np.asarray(total.second_matrices()[0] - (statistics.counts[:, None] * apart).T @ apart)


def keeps_digits(statistics: Statistics, variances: FloatArray) -> bool:
    """Return whether variances (D,) within components kept their digits in `within_scatter`.

    Where components lie far apart for their width, the subtraction cancels, and the dense layout has to gather W.
    """
    if statistics.total is None or statistics.layout is not Layout.SHARED:
        return True
    scatter = statistics.total.second[0, diagonal_of_packed(variances.size)]
    least = _LARGEST_CANCELLATION / np.add.reduce(statistics.counts) * scatter
    return bool((variances > least).all())


class CovarianceFamily(ABC):
    """A set of covariance structures: how they are stored, evaluated and estimated from sums.

    Attributes
    ----------
    name : str
        What `covariance_type` calls it.
    layouts : tuple of Layout
        How a pass can evaluate it, the cheapest first.
    stores_matrices : bool
        Whether the stored covariances are (D, D) matrices rather than variances.
    general : str
        The family, stored alike, that holds this one's marginals and conditionals: itself where the
        structure survives them.
    coupled : bool
        Whether the covariances of the components depend on each other, so that none can be kept or repaired alone.
    isotropic : bool
        Whether covariances are balls.
    pooled : bool
        Whether all components have one covariance.
    """

    name: str
    layouts: tuple[Layout, ...]
    stores_matrices: bool
    general: str
    coupled: bool = False
    isotropic: bool = False
    pooled: bool = False

    @abstractmethod
    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return the shape in which covariances are stored."""

    @abstractmethod
    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free covariance parameters."""

    @abstractmethod
    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        """Return the covariances that maximize the expected log-likelihood, about the new means (K, D).

        Where that takes iterations, they begin at the previous covariances, if any, and never end below them. A
        component that has lost its rows weighs nothing, and is given what its previous covariance is nearest to.
        """

    @abstractmethod
    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        bound: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        """Return the covariances that maximize the expected log-likelihood and do not go below a bound.

        They equal those of `estimate` without a prior where these do not. Previous covariances that do not go below
        the bound are never better.
        """

    def is_above_floor(self, factors: Factors, bound: CovarianceFloor) -> bool:
        """Return whether covariances are surely above a bound B, by ``sum_k tr(B Sigma_k^-1) <= 1``.

        The trace is at least the largest of the eigenvalues, and those are at most 1 where ``Sigma_k >= B``. False
        says only that one is near.
        """
        scaled = factors.whitening @ bound.root
        return bool(np.vdot(scaled, scaled) <= 1.0)

    @abstractmethod
    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        """Return what whitens the rows; raise `NotPositiveDefiniteError` where that is impossible."""

    @abstractmethod
    def whitening(self, factors: Factors, layout: Layout, n_components: int) -> FloatArray:
        """Return the whitening factors in the shape that a pass in this layout reads."""

    @abstractmethod
    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        """Return the covariances with those of some components made positive definite, and in the family again.

        Parameters
        ----------
        covariances : ndarray, as stored
        components : sequence of int
        floor : float
            Smallest variance, in squared units of the data.
        magnitude : ndarray of shape (D,)
            Largest absolute value of each column, below whose rounding no variance can be told.
        """

    @abstractmethod
    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        """Return the covariances with those of some components (all, where coupled) taken from the previous ones."""

    @abstractmethod
    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        """Return every component's covariance matrix, (K, D, D)."""

    @abstractmethod
    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        """Return the covariances of some of the columns."""

    @abstractmethod
    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        """Return the covariances of ``scale * x`` (scale of shape (D,)), or None if they leave the family."""

    @abstractmethod
    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray | None:
        """Return the covariances of ``A x`` (A of shape (E, D)), or None if they leave the family."""

    @abstractmethod
    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gain ``Sigma_rg Sigma_gg^-1`` (K, R, G) and the covariances of the rest given the given."""

    @abstractmethod
    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        """Return random rows (size, D) of one component."""

    def project(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        """Return this family's estimate from components that have these covariances and weigh the same.

        Covariances of the family are their own estimate.
        """
        full = self.full(covariances, n_components, n_features)
        dense = self.layouts[-1] is Layout.DENSE
        moments = pack_lower(full) if dense else np.einsum("kii->ki", full)
        means = np.zeros(full.shape[:2])
        sums = np.concatenate([[0.0, len(full)], np.ones(len(full)), means.ravel(), moments.ravel()])
        # A ridge that changes nothing but says that covariances may be nearly singular.
        ridge = Ridge(float(np.finfo(np.float64).tiny))
        with np.errstate(all="ignore"):
            return self.estimate(Statistics(self.layouts[-1], means, sums), means, ridge, covariances)

    def contains(self, covariances: FloatArray, n_components: int, n_features: int) -> bool:
        """Return whether positive definite covariances have the structure, to 1e-6 of the deviations.

        Rounding is not held against them: that of a volume where a matrix is nearly singular, and that of axes which
        are no columns where columns have very different units.
        """
        if not self.coupled:
            return True
        own = self.full(covariances, n_components, n_features)
        projected = self.full(self.project(covariances, n_components, n_features), n_components, n_features)
        deviations = np.sqrt(np.einsum("kii->ki", own))
        units = deviations[:, :, None] * deviations[:, None, :]
        smallest = max(float(np.linalg.eigvalsh(own / units)[:, 0].min()), 0.0)
        rounding = 1e3 * np.finfo(np.float64).eps / max(smallest, _RELATIVE_FLOOR)
        return bool((np.abs(projected - own) <= _MEMBER * units + rounding * units.max()).all())

    def is_precise(self, statistics: Statistics, covariances: FloatArray) -> bool:
        """Return whether the estimate from these sums kept its digits; if not, another layout is needed."""
        return True
