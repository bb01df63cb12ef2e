"""Covariances held as variances, their axes parallel to the columns: D for each component, or one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.algebra.volumes import geometric_mean
from mixtura.core.covariance.factors import LARGEST_VARIANCE, Factors, whiten_variances
from mixtura.core.covariance.storage.base import Storage
from mixtura.core.floor import CovarianceFloor
from mixtura.core.moments import DIAGONAL, Moments

__all__ = ["OneVariance", "Variances"]


class _AxisParallel(Storage):
    """What variances have in common: factors of shape (K, D)."""

    moments = (DIAGONAL,)
    stores_matrices = False
    per_component = True

    def whitening(self, factors: Factors, moments: Moments, n_components: int) -> FloatArray:
        return moments.of_deviations(factors.whitening)

    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        return np.zeros((n_components, rest.size, given.size)), self.marginal(covariances, rest)

    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        deviations = np.sqrt(covariances[component])
        return np.asarray(mean + rng.standard_normal(size=(size, mean.shape[0])) * deviations)

    def equalize(self, covariances: FloatArray) -> FloatArray:
        mean = geometric_mean(covariances.T.clip(max=LARGEST_VARIANCE))
        return np.repeat(mean[None], len(covariances), axis=0)


class Variances(_AxisParallel):
    """The variance of each column in each component, (K, D)."""

    def variances(self, covariances: FloatArray, n_features: int) -> FloatArray:
        return covariances

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components, n_features)

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances[:, :, None] * np.eye(n_features)

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten_variances(covariances)

    def is_above_floor(self, factors: Factors, floor: CovarianceFloor) -> bool:
        scaled = factors.whitening * floor.deviations
        return bool(np.vdot(scaled, scaled) <= 1.0)

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances[:, columns]

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray:
        return covariances * scale**2

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray:
        return covariances @ (matrix**2).T

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        return np.fmax(np.nan_to_num(covariances, posinf=0.0), floor)


class OneVariance(_AxisParallel):
    """One variance in each component, that of all its columns, (K,)."""

    def variances(self, covariances: FloatArray, n_features: int) -> FloatArray:
        return np.repeat(covariances[:, None], n_features, axis=1)

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components,)

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances[:, None, None] * np.eye(n_features)

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten_variances(np.repeat(covariances[:, None], n_features, axis=1))

    def is_above_floor(self, factors: Factors, floor: CovarianceFloor) -> bool:
        return floor.is_below_spheres(factors.whitening)

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances.copy()

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray:
        return np.asarray(covariances * scale[0] ** 2)

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray:
        return np.asarray(covariances * matrix[0].dot(matrix[0]))

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        return np.fmax(covariances, floor)
