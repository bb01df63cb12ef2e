"""The compiled algebra: arrays go to the extension as they are, and results into arrays made here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.exceptions import KernelUnavailableError
from mixtura.kernels import native
from mixtura.kernels.algebra import ClosedForm, CommonForm, Estimate, Factored
from mixtura.kernels.contract import Layout
from mixtura.kernels.trees.merge_cost import floor_of

if TYPE_CHECKING:
    from mixtura.kernels.numpy_algebra import NumpyAlgebra

__all__ = ["NativeAlgebra", "why_not_native"]

_LARGEST_ROTATED = 10
"""Columns up to which loops are quicker than LAPACK and BLAS, which work in blocks, at eigenvectors and products."""

_LARGEST = 64
"""Columns up to which they are quicker at factors and at coordinates of sums."""

_LAYOUTS = {Layout.DENSE: 0, Layout.DIAGONAL: 1, Layout.SHARED: 2}

_CRITERIA = {"EII": 0, "VII": 1, "VVV": 2}

_ALGEBRA = 4
"""What an extension has to say of its algebra to be called from here."""

_NOTHING: tuple[None, None] = None, None
"""Covariances before a first step, and their factors."""

_OUTDATED = "the compiled core was built from other sources; install mixtura again"

empty = np.empty


def why_not_native() -> str | None:
    """Return why the compiled algebra is not there, or None."""
    extension = native.extension()
    if extension is None:
        return native.why_not_built()
    is_ours = getattr(extension, "ALGEBRA", 0) == _ALGEBRA and hasattr(extension, "newton_direction")
    return None if is_ours else _OUTDATED


class NativeAlgebra:
    """The algebra in C++; see `mixtura.kernels.algebra.Algebra`. Larger matrices are LAPACK's.

    Parameters
    ----------
    instruction_set : str or None, default=None
        As of `mixtura.kernels.native.NativeKernel`.

    Raises
    ------
    KernelUnavailableError
        The algebra was not compiled, or not for this instruction set.
    """

    name = "native"

    def __init__(self, instruction_set: str | None = None) -> None:
        extension, reason = native.extension(), why_not_native()
        if extension is None or reason is not None:
            raise KernelUnavailableError(f"The compiled algebra is not here: {reason}.")
        self._variant = native.position(instruction_set)
        self._extension = extension
        self._closed_form, self._common_form = extension.closed_form, extension.common_form

    @cached_property
    def _large(self) -> NumpyAlgebra:
        from mixtura.kernels.numpy_algebra import NumpyAlgebra

        return NumpyAlgebra()

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
        shape = n_components, n_features = means.shape
        pooled, diagonal, averaged = form
        if n_features > _LARGEST and not diagonal:
            return self._large.closed_form(form, means, sums, ridge, fewest, bound, added)
        n_factors = n_components
        if diagonal:
            whitening = empty(shape)
            covariances = empty(shape if pooled or not averaged else n_components)
        elif pooled:
            n_factors = 1
            whitening, covariances = empty((n_features, n_features)), empty((n_features, n_features))
        else:
            whitening, covariances = empty((*shape, n_features)), empty((*shape, n_features))
        found = (
            empty(n_components),
            empty(shape),
            covariances,
            whitening,
            empty(n_factors),
            empty(n_components),
        )
        try:
            trouble = self._closed_form(
                self._variant, *form, ridge, fewest, added, means, sums, bound, *found
            )
        except (TypeError, ValueError):
            given = [None if one is None else _plain(one) for one in (means, sums, bound)]
            trouble = self._closed_form(self._variant, *form, ridge, fewest, added, *given, *found)
        return Estimate(*found, trouble)

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
        """Return the M-step of covariances that have something in common; see `Algebra.common_form`."""
        n_components, n_features = means.shape
        if n_features > _LARGEST_ROTATED:
            return None
        shape = means.shape if form.diagonal else (*means.shape, n_features)
        found = (
            empty(n_components),
            empty(means.shape),
            empty(shape),
            empty(shape),
            empty(n_components),
            empty(n_components),
        )
        last = _NOTHING if before is None else before
        asked = (self._variant, *form, ridge, fewest, added)
        try:
            trouble = self._common_form(*asked, means, sums, bound, *found, *last)
        except (TypeError, ValueError):
            given = [None if one is None else _plain(one) for one in (means, sums, bound, *last)]
            trouble = self._common_form(*asked, *given[:3], *found, *given[3:])
        return Estimate(*found, trouble)

    def scatter(self, means: FloatArray, sums: FloatArray, centers: FloatArray) -> FloatArray:
        """Return the scatter about other points; see `Algebra.scatter`."""
        out = empty((*means.shape, means.shape[1]))
        self._extension.scatter(self._variant, _plain(means), _plain(sums), _plain(centers), out)
        return out

    def factor(self, matrices: FloatArray) -> Factored:
        """Return whitening factors; see `Algebra.factor`."""
        if matrices.shape[1] > _LARGEST:
            return self._large.factor(matrices)
        whitening, log_determinants = empty(matrices.shape), empty(len(matrices))
        trouble = self._extension.factor(self._variant, _plain(matrices), whitening, log_determinants)
        return Factored(whitening, log_determinants, trouble)

    def eigen(self, matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return eigenvalues and eigenvectors; see `Algebra.eigen`."""
        if matrices.shape[1] > _LARGEST_ROTATED:
            return self._large.eigen(matrices)
        values, axes = empty(matrices.shape[:2]), empty(matrices.shape)
        self._extension.eigen(self._variant, matrices.copy("C"), values, axes)
        return values, axes

    def congruence(self, axes: FloatArray, matrices: FloatArray) -> FloatArray:
        """Return ``A_k^T M_k A_k``; see `Algebra.congruence`."""
        if matrices.shape[1] > _LARGEST_ROTATED:
            return self._large.congruence(axes, matrices)
        out = empty(matrices.shape)
        self._extension.congruence(self._variant, _plain(axes), _plain(matrices), out)
        return out

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
        if layout is Layout.DENSE and about.shape[1] > _LARGEST:
            return self._large.whiten_sums(layout, means, sums, about, factors, roots)
        out = empty((sums.shape[0], sums.shape[1] - 2))
        arrays = _plain(means), _plain(sums), _plain(about), _plain(factors), _plain(roots), out
        self._extension.whiten_sums(self._variant, _LAYOUTS[layout], *arrays)
        return out

    def color_sums(
        self, layout: Layout, point: FloatArray, inverse: FloatArray, roots: FloatArray
    ) -> FloatArray:
        """Return sums from coordinates; see `Algebra.color_sums`."""
        if layout is Layout.DENSE and inverse.shape[-1] > _LARGEST:
            return self._large.color_sums(layout, point, inverse, roots)
        out = empty(2 + len(point))
        out[:2] = 0.0
        arrays = _plain(point), _plain(inverse), _plain(roots), out
        self._extension.color_sums(self._variant, _LAYOUTS[layout], *arrays)
        return out

    def newton_direction(self, moves: FloatArray, drops: FloatArray, gradient: FloatArray) -> FloatArray:
        """Return Newton's step as far as differences show it; see `Algebra.newton_direction`."""
        out = empty(gradient.shape)
        self._extension.newton_direction(self._variant, moves, drops, gradient, out)
        return out

    def largest_change(self, step: FloatArray, roots: FloatArray, n_features: int) -> float:
        """Return by what share a step changes a component; see `Algebra.largest_change`."""
        return float(self._extension.largest_change(self._variant, n_features, step, roots))

    def volumes(self, volumes: FloatArray, counts: FloatArray, own: FloatArray) -> FloatArray | None:
        """Return the volumes of covariances of one shape; see `Algebra.volumes`."""
        if own.ndim == 3 and own.shape[1] > _LARGEST:
            return self._large.volumes(volumes, counts, own)
        found = np.array(volumes, dtype=np.float64)
        settled = self._extension.volumes(self._variant, found, _plain(counts), _plain(own))
        return found if settled else None

    def turn_axes(
        self, axes: FloatArray, counts: FloatArray, own: FloatArray, *, equal_volume: bool
    ) -> tuple[FloatArray, bool]:
        """Return better common axes; see `Algebra.turn_axes`."""
        found = np.array(axes, dtype=np.float64, order="C")
        settled = self._extension.turn_axes(self._variant, equal_volume, found, _plain(counts), _plain(own))
        return found, settled

    def sweep_axes(
        self, axes: FloatArray, counts: FloatArray, own: FloatArray, most_sweeps: int, *, equal_volume: bool
    ) -> FloatArray:
        """Return better common axes; see `Algebra.sweep_axes`."""
        found = np.array(axes, dtype=np.float64, order="C")
        self._extension.sweep_axes(
            self._variant, equal_volume, most_sweeps, found, _plain(counts), _plain(own)
        )
        return found

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
        found, spread = np.array(axes, dtype=np.float64, order="C"), empty(own.shape[:2])
        arrays = found, _plain(counts), _plain(own), _plain(root), spread
        return found, spread, self._extension.floored_axes(self._variant, equal_volume, least, *arrays)

    def negative_binomials(self, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the distributions of counts; see `Algebra.negative_binomials`."""
        found = empty(counts.shape), empty(counts.shape[1]), empty(counts.shape[1])
        self._extension.negative_binomials(self._variant, _plain(counts), *found)
        return found

    def agglomerate(self, criterion: str, rows: FloatArray, counts: FloatArray) -> IntArray:
        """Return the clusters joined at each step; see `Algebra.agglomerate`."""
        pairs, heads = empty((len(rows) - 1, 2), dtype=np.intp), empty(len(rows), dtype=np.intp)
        arrays = _plain(rows), _plain(counts), pairs, heads
        self._extension.agglomerate(self._variant, _CRITERIA[criterion], floor_of(rows, counts), *arrays)
        return pairs


def _plain(array: FloatArray) -> FloatArray:
    """Return an array as the extension reads it."""
    return np.ascontiguousarray(array, dtype=np.float64)
