"""The protocol of a storage: how covariances are held, and what can be asked of them whatever their structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.factors import Factors
from mixtura.core.floor import CovarianceFloor
from mixtura.core.moments import Moments

__all__ = ["Storage"]


class Storage(ABC):
    """A form in which the covariances of K components in D columns are held.

    There are four: one matrix per component, one matrix for all, variances per component, and one variance per
    component. Every argument ``covariances`` is an array in this form, and so is every result that is not said to be
    otherwise. Covariances are in squared units of the data.

    Attributes
    ----------
    moments : tuple of Moments
        Those that covariances can be estimated from, the cheapest first.
    stores_matrices : bool
        Whether covariances may have any orientation; otherwise their axes are parallel to the columns.
    per_component : bool
        Whether each component has its own covariance, along the first axis.
    """

    moments: tuple[Moments, ...]
    stores_matrices: bool
    per_component: bool

    @abstractmethod
    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        """Return the shape of the array."""

    @abstractmethod
    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        """Return every component's covariance matrix, (K, D, D)."""

    @abstractmethod
    def variances(self, covariances: FloatArray, n_features: int) -> FloatArray:
        """Return the variance of each column in each component, (K, D), or (1, D) where one matrix serves all."""

    @abstractmethod
    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        """Return what whitens the rows.

        Raises
        ------
        NotPositiveDefiniteError
            Naming the components of which a covariance is not positive definite.
        """

    def refine(self, covariances: FloatArray, factors: Factors) -> Factors:
        """Return factors that are right to the last digits, where those of ill-conditioned covariances are not."""
        return factors

    @abstractmethod
    def whitening(self, factors: Factors, moments: Moments, n_components: int) -> FloatArray:
        """Return the whitening factors in the shape that a pass for these moments reads."""

    @abstractmethod
    def is_above_floor(self, factors: Factors, floor: CovarianceFloor) -> bool:
        """Return whether covariances are surely above a floor B, by ``sum_k tr(B Sigma_k^-1) <= 1``.

        The trace is at least the largest of the eigenvalues, and those are at most 1 where ``Sigma_k >= B``. False
        says only that one is near.
        """

    @abstractmethod
    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        """Return the covariances of some of the columns."""

    @abstractmethod
    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gain ``Sigma_rg Sigma_gg^-1`` (K, R, G) and the covariances of the rest given the given."""

    @abstractmethod
    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray:
        """Return the covariances of ``scale * x``, scale of shape (D,)."""

    @abstractmethod
    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray:
        """Return the covariances of ``A x``, A of shape (E, D); variances only of maps that leave them variances."""

    @abstractmethod
    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        """Return random rows (size, D) of one component."""

    @abstractmethod
    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        """Return the covariances with those of some components made positive definite.

        Parameters
        ----------
        covariances : ndarray
        components : sequence of int
        floor : float
            Smallest variance, in squared units of the data.
        magnitude : ndarray of shape (D,)
            Largest absolute value of each column; its rounding hides smaller variances.
        """

    @abstractmethod
    def equalize(self, covariances: FloatArray) -> FloatArray:
        """Return the geometric mean of the variances for all components: covariances that every structure has."""

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        """Return the covariances with those of some components taken from the previous ones, in place."""
        covariances[components] = previous[components]
        return covariances
