"""The base class of covariance structures: what is equal between components, and its estimate from sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.factors import RELATIVE_FLOOR, Factors, NotPositiveDefiniteError
from mixtura.core.covariance.storage import Storage
from mixtura.core.floor import CovarianceFloor
from mixtura.core.moments import Moments
from mixtura.core.prior import Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.kernels import ClosedForm, CommonForm

__all__ = ["Maps", "Structure"]

_MEMBER = 1e-6
"""Largest distance of covariances from a structure, in units of their deviations, at which they have it."""

_NEGLIGIBLE = Ridge(float(np.finfo(np.float64).tiny))
"""A ridge that changes no digit and declares that covariances may be nearly singular."""


class Maps(Enum):
    """Linear maps of the columns, from the fewest to all."""

    SIMILARITIES = "rotations, reflections, and one factor for all columns"
    SCALINGS = "one factor for each column"
    SQUARE = "maps to as many columns"
    LINEAR = "all linear maps"

    def allow(self, matrix: FloatArray) -> bool:
        """Return whether a map is one of these: a matrix of shape (E, D), or factors of shape (D,)."""
        if matrix.ndim == 1:
            return self is not Maps.SIMILARITIES or bool(np.ptp(matrix**2) == 0)
        if self is Maps.SIMILARITIES:
            return _is_similarity(matrix)
        return self is Maps.LINEAR or (self is Maps.SQUARE and matrix.shape[0] == matrix.shape[1])


class Structure(ABC):
    """What covariances of components have in common: volume, shape, orientation; and their estimate from sums.

    A structure is mathematics alone. How covariances are held, and everything that does not depend on what is equal
    between components, is the work of its storage.

    Attributes
    ----------
    name : str
        What `covariance_type` calls it.
    storage : Storage
        How its covariances are held.
    general : str
        The structure, stored alike, of its marginals and conditionals: itself where these keep it.
    maps : Maps
        Linear maps of the columns that keep the structure.
    moments : tuple of Moments
        Those it can be estimated from, the cheapest first; those of the storage by default.
    free : bool
        Whether all covariances that can be stored have it.
    coupled : bool
        Whether the covariances of the components depend on each other, so that none can be kept or repaired alone.
    isotropic : bool
        Whether components are spherical.
    pooled : bool
        Whether all components have one covariance.
    closed_form : ClosedForm or None
        What its estimate is, where `mixtura.kernels.Algebra.closed_form` has it.
    common_form : CommonForm or None
        The same where `mixtura.kernels.Algebra.common_form` has it.
    fewest_rows : float
        Total weight below which with a ridge `estimate` adds to that.
    """

    name: str
    storage: Storage
    general: str
    maps: Maps = Maps.SIMILARITIES
    free: bool = False
    coupled: bool = True
    isotropic: bool = False
    pooled: bool = False
    closed_form: ClosedForm | None = None
    common_form: CommonForm | None = None
    fewest_rows: float = 0.0

    @property
    def moments(self) -> tuple[Moments, ...]:
        """The second moments it can be estimated from, the cheapest first."""
        return self.storage.moments

    @property
    def stores_matrices(self) -> bool:
        """Whether covariances may have any orientation; otherwise their axes are parallel to the columns."""
        return self.storage.stores_matrices

    @abstractmethod
    def n_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free covariance parameters."""

    @abstractmethod
    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        """Return the covariances that maximize the expected log-likelihood, about the new means (K, D).

        Where that takes iterations, they begin at the previous covariances, if any, and never end below them. A
        component that has lost its rows has no weight, and the covariance closest to its previous one.
        """

    @abstractmethod
    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        """Return the covariances that maximize the expected log-likelihood and do not go below a floor.

        They equal those of `estimate` without a prior where these do not. Previous covariances that do not go below
        the floor are never better.
        """

    def is_above_floor(self, factors: Factors, floor: CovarianceFloor) -> bool:
        """Return whether covariances are surely above a floor, as `Storage.is_above_floor` does."""
        return self.storage.is_above_floor(factors, floor)

    def project(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        """Return the estimate of this structure from components of equal weight that have these covariances.

        Covariances that have the structure are their own estimate.
        """
        full = self.storage.full(covariances, n_components, n_features)
        moments = self.moments[-1]
        means = np.zeros(full.shape[:2])
        sums = np.concatenate(
            [[0.0, len(full)], np.ones(len(full)), means.ravel(), moments.pack(full).ravel()]
        )
        with np.errstate(all="ignore"):
            return self.estimate(Statistics(moments, means, sums), means, _NEGLIGIBLE, covariances)

    def contains(self, covariances: FloatArray, n_components: int, n_features: int) -> bool:
        """Return whether positive definite covariances have the structure, to 1e-6 of the deviations.

        Rounding is allowed for: that of a volume where a matrix is nearly singular, and that of axes which are not
        parallel to the columns where columns have very different units.
        """
        if self.free:
            return True
        own = self.storage.full(covariances, n_components, n_features)
        projected = self.storage.full(
            self.project(covariances, n_components, n_features), n_components, n_features
        )
        deviations = np.sqrt(np.einsum("kii->ki", own))
        units = deviations[:, :, None] * deviations[:, None, :]
        smallest = max(float(np.linalg.eigvalsh(own / units)[:, 0].min()), 0.0)
        rounding = 1e3 * np.finfo(np.float64).eps / max(smallest, RELATIVE_FLOOR)
        return bool((np.abs(projected - own) <= _MEMBER * units + rounding * units.max()).all())

    def repair(
        self, covariances: FloatArray, components: tuple[int, ...], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        """Return the covariances with those of some components made positive definite, of this structure again.

        Parameters are those of `Storage.repair`. Where the estimate from repaired covariances loses the digits again,
        all components are given the same variances, which every structure has.
        """
        repaired = self.storage.repair(covariances, components, floor, magnitude)
        if self.free:
            return repaired
        size = len(repaired), magnitude.size
        try:
            projected = self.project(repaired, *size)
            self.storage.factor(projected, *size)
        except (NotPositiveDefiniteError, np.linalg.LinAlgError):
            return self.storage.equalize(repaired)
        return projected


def _is_similarity(matrix: FloatArray) -> bool:
    """Return whether a matrix (E, D) is a rotation or reflection times a factor."""
    square = matrix @ matrix.T
    factor = square[0, 0]
    return matrix.shape[0] == matrix.shape[1] and bool(
        np.allclose(square, factor * np.eye(len(square)), rtol=0, atol=1e-12 * abs(factor))
    )
