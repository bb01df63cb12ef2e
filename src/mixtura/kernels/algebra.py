"""What the small dense algebra between two passes must do; `mixtura.kernels.numpy_algebra` is the twin that defines it.

It works on K matrices of D x D, and on vectors of sums as passes add them up, see `mixtura.kernels.sums_size`. It knows
no covariance structure, prior or policy: what is to be done with a component that has lost its rows, or whose
covariance is not positive definite, is decided by who asks.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol

from mixtura._typing import FloatArray, IntArray
from mixtura.kernels.contract import Layout

__all__ = ["Algebra", "ClosedForm", "CommonForm", "Estimate", "Factored", "Trouble"]


class ClosedForm(NamedTuple):
    """What covariances with a closed-form estimate have in common.

    Parameters
    ----------
    pooled : bool
        One covariance for all components, ``W / n``, W the scatter within components; otherwise each its own,
        ``S_k / n_k``.
    diagonal : bool
        Variances, axes parallel to the columns; otherwise matrices.
    averaged : bool
        One variance for all columns, the mean of theirs; of diagonal covariances alone.
    """

    pooled: bool
    diagonal: bool
    averaged: bool


class CommonForm(NamedTuple):
    """What covariances have in common that are not equal, and have no closed form by `ClosedForm`.

    Parameters
    ----------
    diagonal : bool
        Variances, axes parallel to the columns; otherwise matrices.
    equal_volume : bool
        One volume for all components.
    equal_shape : bool
        One shape for all components.
    own_axes : bool
        Matrices each of its own orientation; otherwise one for all.
    """

    diagonal: bool
    equal_volume: bool
    equal_shape: bool
    own_axes: bool


class Trouble(IntEnum):
    """Why there is no estimate of a component; 0 stands for a good one."""

    FEW_ROWS = 1
    SINGULAR = 2
    NEAR_BOUND = 3


class Estimate(NamedTuple):
    """What `Algebra.closed_form`, or `common_form`, found; arrays say nothing where there is trouble.

    Parameters
    ----------
    weights : ndarray of shape (K,)
        ``n_k / sum_j n_j``.
    means : ndarray of shape (K, D)
    covariances : ndarray
        (K, D, D), or (D, D) where they are pooled; diagonal ones (K, D), or (K,) where they are averaged and not
        pooled.
    whitening : ndarray
        Lower triangular ``L_k`` of shape (K, D, D), or (D, D) where they are pooled; of diagonal ones the reciprocal
        deviations, (K, D).
    log_determinants : ndarray of shape (K,), or (1,) of one matrix
        ``log |L_k|``.
    offsets : ndarray of shape (K,)
        ``log w_k + log |L_k| - D/2 log(2 pi)``, as `mixtura.kernels.Components` has them.
    trouble : tuple of int
        Empty where all components have an estimate; otherwise a `Trouble`, or 0, for each.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    whitening: FloatArray
    log_determinants: FloatArray
    offsets: FloatArray
    trouble: tuple[int, ...]


class Factored(NamedTuple):
    """Factors of matrices, see `Algebra.factor`; those of matrices in trouble say nothing."""

    whitening: FloatArray
    log_determinants: FloatArray
    trouble: tuple[int, ...]


class Algebra(Protocol):
    """Small dense algebra. All arrays are float64 and C-contiguous, and are only read.

    Two implementations agree to 1e-12 relative to the largest entry, times the condition of a matrix where it is
    factored, and give trouble to the same matrices but for those that are singular to rounding.
    """

    @property
    def name(self) -> str:
        """``"native"`` or ``"numpy"``."""

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
        """Return the M-step of covariances with a closed form.

        ``mu_k = mean_k + s_k / n_k``, times ``n_k / (n_k + added)``, and the covariances of the second moments about
        these means, with the ridge added to their diagonal.

        Parameters
        ----------
        form : ClosedForm
        means : ndarray of shape (K, D)
            What the sums are about.
        sums : ndarray
            As a pass adds them up: log-likelihood, total weight, counts, first moments, second moments. The latter are
            packed lower halves; or else squares (K, D) for diagonal estimates, added up over the components and of
            shape (D, D) for pooled ones.
        ridge : float
        fewest : float
            Components with no more rows are in trouble.
        bound : ndarray of shape (D, D) or (D,), optional
            Covariances below ``B B^T``, B lower triangular, are raised to it, see `mixtura.kernels.iterations.bound`;
            diagonal ones to the squares of deviations. Unless ``sum_k |L_k B|^2 <= 1`` they may be below.
        added : float, default=0.0
            Rows at the origin that each component has besides its own, for its mean alone.
        """

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
        """Return the M-step of covariances that have something in common; None where it is not had in one call.

        What it is, `mixtura.core.covariance.families` define; so the twin has none. There is trouble, too, where it is
        delicate: iterations that do not settle, shapes that are rounding, covariances that were near the bound before.

        Parameters
        ----------
        form : CommonForm
        means, sums, ridge, fewest, bound, added
            As of `closed_form`; second moments are packed lower halves, or squares where the form is diagonal. Near the
            bound, where ``sum_k |L_k B|^2 > 1``, all are in trouble.
        before : tuple of ndarray, optional
            Covariances of the last step, where iterations begin, and their whitening factors.
        """

    def scatter(self, means: FloatArray, sums: FloatArray, centers: FloatArray) -> FloatArray:
        """Return ``sum_n r_nk (x_n - c_k)(x_n - c_k)^T`` about centers (K, D), of shape (K, D, D), from packed sums."""

    def factor(self, matrices: FloatArray) -> Factored:
        """Return lower triangular ``L_k`` with ``L_k M_k L_k^T = I``, and ``log |L_k|``, for matrices (K, D, D).

        In trouble are those that are not positive definite, and those whose precisions would overflow.
        """

    def eigen(self, matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the eigenvalues of symmetric matrices, (K, D) in ascending order, and eigenvectors as columns.

        Eigenvectors have unit length, and any sign. Those of a matrix that is not finite are NaN, or its eigenvalues.
        """

    def congruence(self, axes: FloatArray, matrices: FloatArray) -> FloatArray:
        """Return ``A_k^T M_k A_k`` of symmetric matrices (K, D, D), with axes A (K, D, D), or (D, D) for all."""

    def whiten_sums(
        self,
        layout: Layout,
        means: FloatArray,
        sums: FloatArray,
        about: FloatArray,
        factors: FloatArray,
        roots: FloatArray,
    ) -> FloatArray:
        """Return the coordinates of sums; see `mixtura.kernels.whitened.whiten_sums`."""

    def color_sums(
        self, layout: Layout, point: FloatArray, inverse: FloatArray, roots: FloatArray
    ) -> FloatArray:
        """Return sums from coordinates; see `mixtura.kernels.whitened.color_sums`."""

    def newton_direction(self, moves: FloatArray, drops: FloatArray, gradient: FloatArray) -> FloatArray:
        """Return Newton's step as far as differences show it; see `mixtura.kernels.quasi_newton.newton_direction`."""

    def largest_change(self, step: FloatArray, roots: FloatArray, n_features: int) -> float:
        """Return by what share a step changes a component; see `mixtura.kernels.quasi_newton.largest_change`."""

    def volumes(self, volumes: FloatArray, counts: FloatArray, own: FloatArray) -> FloatArray | None:
        """Return the volumes of covariances of one shape; see `mixtura.kernels.iterations.equal_shape`."""

    def turn_axes(
        self, axes: FloatArray, counts: FloatArray, own: FloatArray, *, equal_volume: bool
    ) -> tuple[FloatArray, bool]:
        """Return better common axes, and whether they are the best; see `mixtura.kernels.iterations.angles`."""

    def sweep_axes(
        self, axes: FloatArray, counts: FloatArray, own: FloatArray, most_sweeps: int, *, equal_volume: bool
    ) -> FloatArray:
        """Return better common axes; see `mixtura.kernels.iterations.sweeps.sweep_axes`."""

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
        """Return common axes, variances along them, and the loss; see `mixtura.kernels.iterations.sweeps`."""

    def negative_binomials(self, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log probabilities, means and sizes; see `mixtura.kernels.iterations.negative_binomials`."""

    def agglomerate(self, criterion: str, rows: FloatArray, counts: FloatArray) -> IntArray:
        """Return the clusters joined at each step, (m - 1, 2), by the smallest number of their rows; the smaller first.

        See `mixtura.kernels.trees.agglomeration`. Two implementations join the same, unless costs are equal but for
        rounding.

        Parameters
        ----------
        criterion : {"EII", "VII", "VVV"}
        rows : ndarray of shape (m, D)
            Finite; one per first cluster.
        counts : ndarray of shape (m,)
            How many equal rows each stands for.
        """
