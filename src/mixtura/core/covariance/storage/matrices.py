"""Covariances held as matrices: one for each component, or one for all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.algebra.refinement import refine
from mixtura.core.covariance.algebra.volumes import geometric_mean
from mixtura.core.covariance.factors import (
    LARGEST_VARIANCE,
    Factors,
    NotPositiveDefiniteError,
    lift_eigenvalues,
    symmetric,
    whiten,
)
from mixtura.core.covariance.storage.base import Storage
from mixtura.core.floor import CovarianceFloor
from mixtura.core.moments import DENSE, POOLED, Moments

__all__ = ["Matrices", "OneMatrix"]


def _draw(rng: np.random.RandomState, mean: FloatArray, covariance: FloatArray, size: int) -> FloatArray:
    """Return the rows that ``rng.multivariate_normal`` returns, which finds the root again each time."""
    root = _root(np.asarray(covariance, dtype=np.float64).tobytes(), len(mean))
    return np.asarray(np.dot(rng.standard_normal((size, len(mean))), root) + mean)


@lru_cache(maxsize=64)
def _root(covariance: bytes, n_features: int) -> FloatArray:
    """Return a matrix R with ``R^T R`` the covariance: a bootstrap draws from one mixture again and again."""
    _, values, axes = np.linalg.svd(np.frombuffer(covariance).reshape(n_features, n_features))
    return np.asarray(np.sqrt(values)[:, None] * axes)


class _AnyOrientation(Storage):
    """What matrices (..., D, D) have in common."""

    stores_matrices = True

    def is_above_floor(self, factors: Factors, floor: CovarianceFloor) -> bool:
        scaled = factors.whitening @ floor.root
        return bool(np.vdot(scaled, scaled) <= 1.0)

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances[..., columns[:, None], columns[None, :]]

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray:
        return covariances * scale[:, None] * scale[None, :]

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray:
        return symmetric(matrix @ covariances @ matrix.T)

    def _condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        cross = covariances[..., rest[:, None], given[None, :]].swapaxes(-1, -2)
        gain = np.linalg.solve(self.marginal(covariances, given), cross).swapaxes(-1, -2)
        return np.asarray(gain), symmetric(self.marginal(covariances, rest) - gain @ cross)


class Matrices(_AnyOrientation):
    """One matrix for each component, (K, D, D)."""

    moments = (DENSE,)
    per_component = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components, n_features, n_features)

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances.copy()

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten(covariances)

    def refine(self, covariances: FloatArray, factors: Factors) -> Factors:
        return refine(covariances, factors)

    def whitening(self, factors: Factors, moments: Moments, n_components: int) -> FloatArray:
        return factors.whitening

    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        return self._condition(covariances, given, rest)

    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        return _draw(rng, mean, covariances[component], size)

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        for k in components:
            finite = np.nan_to_num(covariances[k], posinf=0.0, neginf=0.0)
            covariances[k] = lift_eigenvalues(finite, floor, magnitude)
        return covariances

    def variances(self, covariances: FloatArray, n_features: int) -> FloatArray:
        return covariances.diagonal(axis1=1, axis2=2)

    def equalize(self, covariances: FloatArray) -> FloatArray:
        variances = geometric_mean(covariances.diagonal(axis1=1, axis2=2).T.clip(max=LARGEST_VARIANCE))
        return np.repeat(np.diag(variances)[None], len(covariances), axis=0)


class OneMatrix(_AnyOrientation):
    """One matrix for all components, (D, D)."""

    moments = (POOLED, DENSE)
    per_component = False

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_features, n_features)

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return np.repeat(covariances[None], n_components, axis=0)

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        try:
            one = whiten(covariances[None])
        except NotPositiveDefiniteError as error:
            raise NotPositiveDefiniteError(range(n_components)) from error
        return Factors(one.whitening[0], one.log_determinants)

    def refine(self, covariances: FloatArray, factors: Factors) -> Factors:
        one = refine(covariances[None], Factors(factors.whitening[None], factors.log_determinants))
        return Factors(one.whitening[0], one.log_determinants)

    def whitening(self, factors: Factors, moments: Moments, n_components: int) -> FloatArray:
        if moments.one_factor:
            return factors.whitening
        return np.repeat(factors.whitening[None], n_components, axis=0)

    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        gain, conditional = self._condition(covariances, given, rest)
        return np.repeat(gain[None], n_components, axis=0), conditional

    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        return _draw(rng, mean, covariances, size)

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        return lift_eigenvalues(covariances, floor, magnitude)

    def variances(self, covariances: FloatArray, n_features: int) -> FloatArray:
        return covariances.diagonal()[None]

    def equalize(self, covariances: FloatArray) -> FloatArray:
        return np.diag(covariances.diagonal().clip(max=LARGEST_VARIANCE))

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        """Return the previous one, which all components had."""
        return previous
