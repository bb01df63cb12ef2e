"""The small dense algebra in NumPy and LAPACK: the readable twin that defines it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mixtura._lazy import load_lapack
from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.kernels.algebra import ClosedForm, CommonForm, Estimate, Factored, Trouble
from mixtura.kernels.contract import Layout
from mixtura.kernels.iterations.angles import newton_axes
from mixtura.kernels.iterations.bound import raised
from mixtura.kernels.iterations.equal_shape import newton_volumes
from mixtura.kernels.iterations.negative_binomials import negative_binomials
from mixtura.kernels.iterations.sweeps import floored_axes, sweep_axes
from mixtura.kernels.quasi_newton import largest_change, newton_direction
from mixtura.kernels.trees.agglomeration import agglomerate
from mixtura.kernels.trees.merge_cost import CRITERIA
from mixtura.kernels.whitened import color_sums, whiten_sums

__all__ = ["NumpyAlgebra"]

_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))

_LARGEST_FACTOR = 1e153
"""Squares of larger whitening factors, the precisions, overflow."""

_TINY = float(np.finfo(np.float64).tiny)


class NumpyAlgebra:
    """The algebra in NumPy and LAPACK; see `Algebra`."""

    name = "numpy"

    def closed_form(
        self,
        form: ClosedForm,
        means: FloatArray,
        sums: FloatArray,
        ridge: float,
        fewest: float,
        bound: FloatArray | None = None,
        added: float = 0.0,
    ) -> Estimate:
        """Return the M-step of covariances with a closed form; see `Algebra.closed_form`."""
        n_components, n_features = means.shape
        with np.errstate(all="ignore"):
            counts, first, _ = _parts(means, sums)
            weights, centers = counts[:, 0] / counts.sum(), means + first / counts
            if added:
                centers = np.where(counts + added != counts, centers * counts / (counts + added), centers)
            covariances = _covariances(form, means, sums, centers, ridge)
            whitening, log_determinants, trouble = self._factored(form, covariances, means.shape)
            if bound is not None and (trouble or not _excess(form, whitening, bound) <= 1):
                covariances = _raised(form, covariances, bound)
                whitening, log_determinants, trouble = self._factored(form, covariances, means.shape)
            if not np.isfinite(sums).all():
                trouble = (int(Trouble.SINGULAR),) * n_components
            elif not (counts > fewest).all():
                trouble = _where(~(counts[:, 0] > fewest), Trouble.FEW_ROWS)
            offsets = np.log(weights) + log_determinants - n_features * _HALF_LOG_2PI
        return Estimate(weights, centers, covariances, whitening, log_determinants, offsets, trouble)

    def _factored(self, form: ClosedForm, covariances: FloatArray, shape: tuple[int, ...]) -> Factored:
        """Return factors of covariances in the shape of `Estimate`."""
        if form.diagonal:
            variances = np.broadcast_to(covariances.reshape(shape[0], -1), shape)
            usable = (variances > _LARGEST_FACTOR**-2) & (variances < np.inf)
            trouble = _where(~np.logical_and.reduce(usable, axis=1), Trouble.SINGULAR)
            return Factored(1.0 / np.sqrt(variances), -0.5 * np.log(variances).sum(axis=1), trouble)
        if not form.pooled:
            return self.factor(covariances)
        whitening, log_determinants, trouble = self.factor(covariances[None])
        return Factored(whitening[0], log_determinants, trouble * shape[0])

    def common_form(
        self,
        form: CommonForm,
        means: FloatArray,
        sums: FloatArray,
        ridge: float,
        fewest: float,
        bound: FloatArray | None = None,
        added: float = 0.0,
        before: tuple[FloatArray, FloatArray] | None = None,
    ) -> Estimate | None:
        """Return None; see `Algebra.common_form`."""
        return None

    def scatter(self, means: FloatArray, sums: FloatArray, centers: FloatArray) -> FloatArray:
        """Return the scatter about other points; see `Algebra.scatter`."""
        counts, first, second = _parts(means, sums)
        shift = centers - means
        cross = (0.5 * counts * shift - first)[:, :, None] * shift[:, None, :]
        return np.asarray(_unpack(second, means.shape[1]) + (cross + cross.transpose(0, 2, 1)))

    def factor(self, matrices: FloatArray) -> Factored:
        """Return whitening factors; see `Algebra.factor`. ``M = C C^T`` (Cholesky) gives ``L = C^-1``."""
        lapack, (n_matrices, n_features, _) = load_lapack(), matrices.shape
        whitening = np.empty_like(matrices)
        for k in range(n_matrices):
            lower, info = lapack.dpotrf(matrices[k].T, lower=1, clean=1)
            if info == 0:
                lower, info = lapack.dtrtri(lower, lower=1, overwrite_c=1)
            whitening[k] = lower if info == 0 else np.nan
        diagonal = whitening.reshape(n_matrices, -1)[:, :: n_features + 1]
        usable = np.abs(whitening.reshape(n_matrices, -1)) < _LARGEST_FACTOR
        lost = ~np.logical_and.reduce(usable, axis=1) | ~np.logical_and.reduce(diagonal > 0, axis=1)
        with np.errstate(all="ignore"):
            return Factored(whitening, np.log(diagonal).sum(axis=1), _where(lost, Trouble.SINGULAR))

    def eigen(self, matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return eigenvalues and eigenvectors; see `Algebra.eigen`."""
        finite = np.logical_and.reduce(np.isfinite(matrices), axis=(1, 2))
        values, axes = np.linalg.eigh(np.where(finite[:, None, None], matrices, 0.0))
        return np.where(finite[:, None], values, np.nan), np.asarray(axes)

    def congruence(self, axes: FloatArray, matrices: FloatArray) -> FloatArray:
        """Return ``A_k^T M_k A_k``; see `Algebra.congruence`."""
        return np.asarray(axes.swapaxes(-1, -2) @ matrices @ axes)

    def whiten_sums(
        self,
        layout: Layout,
        means: FloatArray,
        sums: FloatArray,
        about: FloatArray,
        factors: FloatArray,
        roots: FloatArray,
    ) -> FloatArray:
        """Return the coordinates of sums; see `Algebra.whiten_sums`."""
        return whiten_sums(layout, means, sums, about, factors, roots)

    def color_sums(
        self, layout: Layout, point: FloatArray, inverse: FloatArray, roots: FloatArray
    ) -> FloatArray:
        """Return sums from coordinates; see `Algebra.color_sums`."""
        return color_sums(layout, point, inverse, roots)

    def newton_direction(self, moves: FloatArray, drops: FloatArray, gradient: FloatArray) -> FloatArray:
        """Return Newton's step as far as differences show it; see `Algebra.newton_direction`."""
        return newton_direction(moves, drops, gradient)

    def largest_change(self, step: FloatArray, roots: FloatArray, n_features: int) -> float:
        """Return by what share a step changes a component; see `Algebra.largest_change`."""
        return largest_change(step, roots, n_features)

    def volumes(self, volumes: FloatArray, counts: FloatArray, own: FloatArray) -> FloatArray | None:
        """Return the volumes of covariances of one shape; see `Algebra.volumes`."""
        return newton_volumes(volumes, counts, own)

    def turn_axes(
        self, axes: FloatArray, counts: FloatArray, own: FloatArray, *, equal_volume: bool
    ) -> tuple[FloatArray, bool]:
        """Return better common axes; see `Algebra.turn_axes`."""
        return newton_axes(axes, counts, own, equal_volume=equal_volume)

    def sweep_axes(
        self, axes: FloatArray, counts: FloatArray, own: FloatArray, most_sweeps: int, *, equal_volume: bool
    ) -> FloatArray:
        """Return better common axes; see `Algebra.sweep_axes`."""
        return sweep_axes(axes, counts, own, most_sweeps, equal_volume=equal_volume)

    def floored_axes(
        self,
        axes: FloatArray,
        counts: FloatArray,
        own: FloatArray,
        root: FloatArray,
        least: float,
        *,
        equal_volume: bool,
    ) -> tuple[FloatArray, FloatArray, float]:
        """Return common axes that keep a floor; see `Algebra.floored_axes`."""
        return floored_axes(axes, counts, own, root, least, equal_volume=equal_volume)

    def negative_binomials(self, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the distributions of counts; see `Algebra.negative_binomials`."""
        return negative_binomials(counts)

    def agglomerate(self, criterion: str, rows: FloatArray, counts: FloatArray) -> IntArray:
        """Return the clusters joined at each step; see `Algebra.agglomerate`."""
        return agglomerate(CRITERIA[criterion](rows, counts))


def _parts(means: FloatArray, sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return counts (K, 1), first moments (K, D), and second moments (K, P), or (1, P) where they are pooled."""
    n_components, n_features = means.shape
    start = 2 + n_components * (1 + n_features)
    second = sums[start:]
    rows = n_components if second.size in (means.size, means.size * (n_features + 1) // 2) else 1
    return (
        sums[2 : 2 + n_components, None],
        sums[2 + n_components : start].reshape(means.shape),
        second.reshape(rows, -1),
    )


def _covariances(
    form: ClosedForm, means: FloatArray, sums: FloatArray, centers: FloatArray, ridge: float
) -> FloatArray:
    """Return covariances about the new means, with the ridge, in the shape of `Estimate`."""
    counts, first, second = _parts(means, sums)
    (n_components, n_features), shift = means.shape, centers - means
    if second.shape[1] == n_features * (n_features + 1) // 2:
        second = _unpack(second, n_features)
    elif form.pooled:
        second = second.reshape(1, n_features, n_features)
    cross = (0.5 * counts * shift - first)[:, :, None] * shift[:, None, :]
    moved = cross + cross.transpose(0, 2, 1)
    if form.diagonal:
        moved = np.einsum("kii->ki", moved)
        second = np.einsum("kii->ki", second) if second.ndim == 3 else second
    if form.pooled:
        found = (second.sum(axis=0) + moved.sum(axis=0))[None] / counts.sum()
    else:
        found = (second + moved) / (counts if form.diagonal else counts[:, :, None])
    if not form.diagonal:
        found += ridge * np.eye(n_features)
        return np.asarray(found[0] if form.pooled else found)
    variances = np.maximum(found, 0.0) + ridge
    if form.averaged:
        variances = np.repeat(variances.mean(axis=1, keepdims=True), n_features, axis=1)
    if form.pooled:
        return np.repeat(variances, n_components, axis=0)
    return variances[:, 0].copy() if form.averaged else np.asarray(variances)


def _raised(form: ClosedForm, covariances: FloatArray, bound: FloatArray) -> FloatArray:
    """Return the covariances of `Estimate` raised to a bound."""
    if form.diagonal:
        return np.asarray(np.maximum(covariances, np.square(bound[0] if covariances.ndim == 1 else bound)))
    if form.pooled:
        return np.asarray(raised(covariances[None], bound)[0])
    return raised(covariances, bound)


def _excess(form: ClosedForm, whitening: FloatArray, bound: FloatArray) -> float:
    scaled = whitening * bound if form.diagonal else whitening @ bound
    return float(np.vdot(scaled, scaled))


def _where(components: BoolArray, trouble: Trouble) -> tuple[int, ...]:
    """Return a trouble for some of the components (K,), and the empty tuple where there are none."""
    return tuple((components * int(trouble)).tolist()) if components.any() else ()


def _unpack(packed: FloatArray, n_features: int) -> FloatArray:
    """Return symmetric matrices (K, D, D) from packed lower halves (K, D(D+1)/2)."""
    return packed.take(_lower_positions(n_features), axis=1)


@lru_cache(maxsize=64)
def _lower_positions(n_features: int) -> IntArray:
    """Position in the packed lower half of each entry of a symmetric (D, D) matrix."""
    row, column = np.indices((n_features, n_features))
    high, low = np.maximum(row, column), np.minimum(row, column)
    return np.asarray(high * (high + 1) // 2 + low, dtype=np.intp)
