"""Parsimonious factor-analyser covariances: ``Sigma_k = Lambda_k Lambda_k' + Psi_k`` with few factors.

The names are McNicholas and Murphy's (2008): whether the loadings Lambda are constrained to be equal (C) or not (U),
the noise Psi equal or not, and the noise of all columns one variance (C) or not (U), here with the number of factors.
Of their eight models those are here whose M-step is in closed form, or that of one covariance at a time.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.factor_analysis import (
    factor_covariance,
    factor_loss,
    isotropic_covariance,
    isotropic_noise,
)
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_covariances, within_scatter
from mixtura.core.covariance.storage import MATRICES, ONE_MATRIX
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["FACTOR_MODELS", "FactorAnalyser"]


class FactorAnalyser(Structure):
    """Covariances of few factors and the noise of each column.

    Parameters
    ----------
    n_factors : int
        Columns of the loadings.
    """

    letters: str

    def __init__(self, n_factors: int) -> None:
        self.n_factors = n_factors
        self.name = f"{self.letters}-{n_factors}"

    @property
    def has_own_noise(self) -> bool:
        """Whether every column has a noise variance of its own."""
        return self.letters[2] == "U"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        q = self.n_factors
        loadings, noise = n_features * q - q * (q - 1) // 2, n_features if self.has_own_noise else 1
        own = [n_components if letter == "U" else 1 for letter in self.letters[:2]]
        return own[0] * loadings + own[1] * noise

    @abstractmethod
    def fitted(self, own: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the covariances of this model closest to those of the components, both (K, D, D)."""

    def _wanted(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the covariances that the model is to be closest to, (K, D, D), and their weights, (K,)."""
        return component_covariances(statistics, means, prior, previous), statistics.counts

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = self._wanted(statistics, means, prior, previous)
        if not np.isfinite(own).all():
            return own
        return self._better(self.fitted(own, counts), previous, own, counts)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        """Noise is added until no covariance is below the floor: its variances, times D where columns differ."""
        own, counts = self._wanted(statistics, means, NO_RIDGE, previous)
        if not np.isfinite(own).all():
            return own
        found = self.fitted(own, counts)
        low = np.linalg.eigvalsh(floor.whiten(found))[:, 0] < 1.0
        least = floor.root @ floor.root.T
        size = len(least)
        lift = size * np.diag(least.diagonal()) if self.has_own_noise else floor.spectrum[-1] * np.eye(size)
        chosen = low if self.letters[1] == "U" else np.full(len(found), low.any())
        return self._better(found + chosen[:, None, None] * lift, previous, own, counts)

    def _better(
        self, found: FloatArray, previous: FloatArray | None, own: FloatArray, counts: FloatArray
    ) -> FloatArray:
        """Return the covariances, or the previous ones where these are more likely."""
        if previous is None:
            return found
        losses = [factor_loss(one, own) for one in (found, previous)]
        if not self.coupled:
            worse = losses[0] > losses[1]
            return np.where(worse[:, None, None], previous, found)
        return previous if counts @ losses[0] > counts @ losses[1] else found

    def project(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return self.fitted(self.storage.full(covariances, n_components, n_features), np.ones(n_components))


class _OwnLoadings(FactorAnalyser):
    storage, general = MATRICES, "full"


class UUU(_OwnLoadings):
    """``Sigma_k = Lambda_k Lambda_k' + Psi_k``."""

    letters, maps, coupled = "UUU", Maps.SCALINGS, False

    def fitted(self, own: FloatArray, counts: FloatArray) -> FloatArray:
        return np.array([factor_covariance(one, self.n_factors) for one in own])


class UUC(_OwnLoadings):
    """``Sigma_k = Lambda_k Lambda_k' + psi_k I``: probabilistic principal components (Tipping and Bishop 1999)."""

    letters, coupled = "UUC", False

    def fitted(self, own: FloatArray, counts: FloatArray) -> FloatArray:
        values, axes = np.linalg.eigh(own)
        return isotropic_covariance(values, axes, isotropic_noise(values, self.n_factors), self.n_factors)


class UCC(_OwnLoadings):
    """``Sigma_k = Lambda_k Lambda_k' + psi I``, with the mean noise of the components."""

    letters = "UCC"

    def fitted(self, own: FloatArray, counts: FloatArray) -> FloatArray:
        values, axes = np.linalg.eigh(own)
        noise = counts @ isotropic_noise(values, self.n_factors) / counts.sum()
        return isotropic_covariance(values, axes, np.full(len(own), noise), self.n_factors)


class _OneCovariance(FactorAnalyser):
    """One covariance for all components, from the scatter within them."""

    storage, general, pooled = ONE_MATRIX, "tied", True

    @abstractmethod
    def of_one(self, covariance: FloatArray) -> FloatArray:
        """Return the covariance of this model closest to one, both (D, D)."""

    def fitted(self, own: FloatArray, counts: FloatArray) -> FloatArray:
        return self.of_one(np.tensordot(counts, own, axes=1) / counts.sum())[None]

    def _wanted(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        total = statistics.counts.sum()
        within = within_scatter(statistics, means) / total + prior.ridge * np.eye(means.shape[1])
        return np.asarray(within)[None], np.array([total])

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        before = None if previous is None else previous[None]
        return np.asarray(super().estimate(statistics, means, prior, before)[0])

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        before = None if previous is None else previous[None]
        return np.asarray(super().estimate_constrained(statistics, means, floor, before)[0])

    def project(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return np.asarray(super().project(covariances, n_components, n_features)[0])


class CCU(_OneCovariance):
    """``Sigma = Lambda Lambda' + Psi``."""

    letters, maps = "CCU", Maps.SCALINGS

    def of_one(self, covariance: FloatArray) -> FloatArray:
        return factor_covariance(covariance, self.n_factors)


class CCC(_OneCovariance):
    """``Sigma = Lambda Lambda' + psi I``."""

    letters = "CCC"

    def of_one(self, covariance: FloatArray) -> FloatArray:
        values, axes = np.linalg.eigh(covariance[None])
        noise = isotropic_noise(values, self.n_factors)
        return np.asarray(isotropic_covariance(values, axes, noise, self.n_factors)[0])


FACTOR_MODELS: dict[str, type[FactorAnalyser]] = {one.letters: one for one in (UUU, UUC, UCC, CCU, CCC)}
"""The models by their letters."""
