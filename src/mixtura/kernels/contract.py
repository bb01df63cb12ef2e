"""What a kernel must do: one pass over a chunk of rows.

A kernel reads rows once, evaluates the log density of every component, turns them into
responsibilities, and adds up weighted sums. It is independent of covariance families, priors,
stopping or threads; it is called from several threads at once, on different chunks.

Notation: N rows, D features (columns), K components.

========  ==============================  ===================================  =============================
layout    whitened row ``z_k``            ``factors``                          second moments gathered
========  ==============================  ===================================  =============================
dense     ``L_k (x - mu_k)``              (K, D, D), lower triangular L_k      packed lower half, D(D+1)/2
diagonal  ``s_k * (x - mu_k)``            (K, D), reciprocal deviations s_k    D squares
shared    ``L (x - mu_k)``                (D, D), lower triangular L           none
========  ==============================  ===================================  =============================

The log density of component k, mixing weight included, is
``offsets[k] - 0.5 * z_k . z_k``, with
``offsets[k] = log w_k + log |L_k| - D/2 log(2 pi)`` (which may be ``-inf`` for a weight of zero).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.kernels.terms.background import Background

__all__ = [
    "NEGLIGIBLE",
    "Components",
    "Kernel",
    "Layout",
    "Outputs",
    "accumulate_parts",
    "moment_size",
    "sums_size",
]


NEGLIGIBLE = 1e-12
"""Share of a row that the components which a kernel leaves out may have together: less than sums lose by rounding."""


class Layout(StrEnum):
    """How a pass evaluates densities, and which second moments it gathers."""

    DENSE = "dense"
    DIAGONAL = "diagonal"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """What a pass evaluates. All arrays are float64 and C-contiguous.

    Parameters
    ----------
    layout : Layout
    means : ndarray of shape (K, D)
        Subtracted from the rows before anything else; all sums are about them.
    factors : ndarray
        Whitening factors, in the shape the table above gives for the layout. The strict upper
        triangle of triangular factors is zero and need not be read.
    offsets : ndarray of shape (K,)
    table : ndarray of shape (L, K), optional
        Log probabilities of the levels of discrete columns, which `Kernel.add_levels` adds to log densities.
    background : Background, optional
        What belongs to none of the components.
    freedom : ndarray of shape (K,), optional
        Degrees of freedom where components are multivariate t distributions: log densities are then
        ``offsets[k] + t_k(D) - (nu_k + D) / 2 log(1 + z_k . z_k / nu_k)``, with t_k of `tail_tables`, and a row that
        has p columns counts in first and second moments with ``u_k = (nu_k + p) / (nu_k + z_k . z_k)``.
    negligible : float, default=1e-12
        Where components or columns are many, a kernel may leave out of a row components whose responsibilities are
        together at most this: the log density is then too small by at most it. With 0 every component counts in
        every row.
    """

    layout: Layout
    means: FloatArray
    factors: FloatArray
    offsets: FloatArray
    table: FloatArray | None = None
    background: Background | None = None
    freedom: FloatArray | None = None
    negligible: float = NEGLIGIBLE

    @property
    def n_components(self) -> int:
        return int(self.means.shape[0])

    @property
    def n_features(self) -> int:
        return int(self.means.shape[1])

    def alone(self, k: int) -> Components:
        """Return component k without the others, and without what belongs to none."""
        own = slice(k, k + 1)
        return replace(
            self,
            means=self.means[own],
            factors=self.factors if self.layout is Layout.SHARED else self.factors[own],
            offsets=self.offsets[own],
            table=None if self.table is None else np.ascontiguousarray(self.table[:, own]),
            background=None,
            freedom=None if self.freedom is None else self.freedom[own],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Arrays that a pass fills, one entry per row of the chunk but for scores; None for what is not wanted.

    Parameters
    ----------
    log_density : ndarray of shape (N,), float64
        ``log sum_k exp(log density of component k)``, the background among them; with hard assignment the largest.
    memberships : ndarray of shape (N, K), float64
        Responsibilities; rows sum to one, with a background to one less its share. With hard assignment zeros and a
        single one, or none where the background is the largest.
    labels : ndarray of shape (N,), intp
        The component with the largest log density; the lowest number among equals; -1 where the background is larger
        than all of them.
    scores : ndarray of shape (3,), float64
        Added to, not filled: sums over the rows, times their sample weights, of the log density, of the entropy of the
        responsibilities, ``-sum_k r_nk log r_nk``, and of ``-log max_k r_nk``, the background being one more component.
        With hard assignment entropies are zero. A row of weight zero adds nothing.
    """

    log_density: FloatArray | None = None
    memberships: FloatArray | None = None
    labels: IntArray | None = None
    scores: FloatArray | None = None


def moment_size(layout: Layout, n_features: int) -> int:
    """Return how many second moments one component has in this layout."""
    if layout is Layout.DENSE:
        return n_features * (n_features + 1) // 2
    return n_features if layout is Layout.DIAGONAL else 0


def sums_size(layout: Layout, n_components: int, n_features: int, *, tails: bool = False) -> int:
    """Return the length of the vector of sums: ``2 + K (1 + D + moment_size)``, and 2 K more of t components.

    The vector holds, in this order:

    ==============  =================  =====================================================================
    entry           size               sum over rows n, with sample weight w_n (1 where none are given)
    ==============  =================  =====================================================================
    log-likelihood  1                  ``w_n log_density_n``
    total weight    1                  ``w_n``
    counts          K                  ``w_n r_nk``
    first moments   K x D              ``w_n r_nk (x_n - mu_k)``
    second moments  K x moment_size    ``w_n r_nk (x_n - mu_k)(x_n - mu_k)^T``: diagonal, or the lower half
                                       packed by rows, (0,0) (1,0) (1,1) (2,0) ...
    ==============  =================  =====================================================================

    With t components, ``Components.freedom``, the moments are of ``w_n r_nk u_nk`` in place of ``w_n r_nk``, but what
    is not known of missing values counts with the latter, and two entries follow: mass (K), ``w_n r_nk u_nk``, and
    extra (K), ``w_n r_nk (E[log u_nk] - u_nk)``.
    """
    return 2 + n_components * (1 + n_features + moment_size(layout, n_features) + 2 * tails)


class Kernel(Protocol):
    """One pass over one chunk of rows.

    Accuracy
        Two kernels agree to 1e-10 relative in the log-likelihood and in the sums, the latter
        relative to the largest sum of their kind in absolute value, because sums about a mean cancel.
    Precision
        float32 rows are converted row by row; everything is computed and added in float64.
    NaN
        A row that holds a NaN gets a NaN log density and NaN memberships, and makes the log-likelihood
        and the sums NaN. A row of weight zero adds nothing to any sum, whatever it holds. A row infinitely
        far from every component (all log densities ``-inf``) gets log density ``-inf`` and NaN memberships.
        Labels of such rows are 0.
    Alignment
        Inputs may lie anywhere in memory, as behind a header of a few bytes; outputs lie where their type asks for.
    Aliasing
        Inputs are only read and may be read-only. Outputs overlap neither inputs nor each other.
    Order
        The sums of a chunk depend on its rows, not on the thread or on what was computed before.
    """

    @property
    def name(self) -> str:
        """``"native"`` or ``"numpy"``."""

    @property
    def instruction_set(self) -> str:
        """What the native core was compiled for: ``"baseline"``, ``"avx2"``, ``"avx512"``; ``"blas"`` for numpy."""

    @property
    def uses_blas(self) -> bool:
        """Whether a pass calls BLAS, which then has to be held to one thread."""

    def accumulate(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        components: Components,
        sums: FloatArray | None,
        outputs: Outputs,
        *,
        hard: bool = False,
        order: IntArray | None = None,
        beside: FloatArray | None = None,
        background: FloatArray | None = None,
    ) -> None:
        """Evaluate a chunk; add to ``sums``; fill ``outputs``.

        Parameters
        ----------
        rows : ndarray of shape (N, D), float64 or float32, C-contiguous; N may be 0
        sample_weight : ndarray of shape (N,), float64, or None for weights of one
        components : Components
        sums : ndarray of length ``sums_size(layout, K, D, tails=...)``, float64, or None
            Added to, not overwritten. None when only outputs are wanted.
        outputs : Outputs
        hard : bool, default=False
            Give each row wholly to its most probable component (as K-means does); the
            log-likelihood is then the classification log-likelihood ``sum_n w_n max_k``.
        order : ndarray of shape (N,), intp, or None for rows without missing values
            The rows in an order in which those that lack the same columns are neighbors, a permutation of row numbers;
            NaN then stands for a missing value. Densities are those of the columns observed,
            ``N(x_o; mu_k,o, Sigma_k,oo)``; sums are of all columns: missing values count with their conditional means
            and covariances, ``E[x - mu_k | x_o]`` and ``E[(x - mu_k)(x - mu_k)^T | x_o]``, as in full-information EM
            (Ghahramani and Jordan 1994). A row without any value has the density 1 and the mixing weights as
            responsibilities. Outputs stand in the order of the rows themselves.
        beside : ndarray of shape (N, K), float64, or None
            Added to the log densities of the components before anything follows from them: what other parts of the
            model say of each row. It may be ``-inf``.
        background : ndarray of shape (N,), float64, or None
            Logarithm of weight times density of what belongs to no component: one more term of the density of a row,
            which takes its share of the row and adds to no other sum. It may be ``-inf``.
        """

    def add_levels(self, levels: IntArray, table: FloatArray, out: FloatArray) -> None:
        """Add to ``out[n, k]`` the sum over columns j of ``table[levels[n, j], k]``.

        Parameters
        ----------
        levels : ndarray of shape (N, J), int32, C-contiguous
            From 0 to L - 1.
        table : ndarray of shape (L, K), float64
        out : ndarray of shape (N, K), float64
        """

    def count_levels(
        self, levels: IntArray, sample_weight: FloatArray | None, memberships: FloatArray, counts: FloatArray
    ) -> None:
        """Add to ``counts[l, k]`` the sum of ``w_n memberships[n, k]`` over the rows and columns that are at level l.

        Parameters
        ----------
        levels : ndarray of shape (N, J), int32, C-contiguous
        sample_weight : ndarray of shape (N,), float64, or None for weights of one
            A row of weight zero adds nothing, whatever it holds.
        memberships : ndarray of shape (N, K), float64
        counts : ndarray of shape (L, K), float64
        """

    def add_masses(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        distances: FloatArray,
        candidates: FloatArray,
        masses: FloatArray,
    ) -> None:
        """Add to ``masses[t]`` the sum of ``w_n min(distances[n], |x_n - candidates[t]|^2)``: k-means++ needs it.

        Parameters
        ----------
        rows, sample_weight
            As in `accumulate`, without missing values. A row of weight zero adds nothing, whatever it holds.
        distances : ndarray of shape (N,), float64
            Squared, to the nearest seed so far.
        candidates : ndarray of shape (T, D), float64
        masses : ndarray of shape (T,), float64
        """

    def lower_distances(self, rows: RowArray, seeds: FloatArray, distances: FloatArray) -> None:
        """Set ``distances[n]`` to ``|x_n - seeds[s]|^2`` where that of some seed s is smaller.

        Parameters
        ----------
        rows
            As in `accumulate`, without missing values.
        seeds : ndarray of shape (S, D), float64
        distances : ndarray of shape (N,), float64
            Squared, to the nearest seed so far.
        """

    def accumulate_given(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        responsibilities: FloatArray | IntArray,
        means: FloatArray,
        layout: Layout,
        sums: FloatArray,
    ) -> None:
        """Add up the sums of a chunk whose responsibilities are known; nothing is evaluated.

        Parameters
        ----------
        rows, sample_weight
            As in `accumulate`.
        responsibilities : ndarray of shape (N, K), float64; or labels of shape (N,), intp
            A label outside 0..K-1 gives the row to no component. Rows need not sum to one.
        means : ndarray of shape (K, D), float64
            What the sums are about.
        layout : Layout
        sums : ndarray of length ``sums_size(layout, K, D)``, float64
            Added to. The log-likelihood entry stays as it is; the total weight is added.
        """


def _levels_beside(kernel: Kernel, levels: IntArray | None, components: Components) -> FloatArray | None:
    """Return what components say of the levels of rows, (N, K), as `Kernel.accumulate` takes it; None for nothing."""
    if levels is None or components.table is None:
        return None
    beside = np.zeros((len(levels), components.n_components))
    kernel.add_levels(levels, components.table, beside)
    return beside


def _background_beside(
    rows: RowArray, order: IntArray | None, levels: IntArray | None, components: Components
) -> FloatArray | None:
    """Return the background of rows, (N,), as `Kernel.accumulate` takes it; None where there is none."""
    if components.background is None:
        return None
    return components.background.log_densities(rows, levels, complete=order is None)


def accumulate_parts(
    kernel: Kernel,
    rows: RowArray,
    sample_weight: FloatArray | None,
    components: Components,
    sums: FloatArray | None,
    outputs: Outputs,
    *,
    hard: bool = False,
    order: IntArray | None = None,
    levels: IntArray | None = None,
) -> None:
    """Evaluate a chunk with all parts of its components: as `Kernel.accumulate`, given the levels of its rows."""
    beside = _levels_beside(kernel, levels, components)
    background = _background_beside(rows, order, levels, components)
    kernel.accumulate(
        rows,
        sample_weight,
        components,
        sums,
        outputs,
        hard=hard,
        order=order,
        beside=beside,
        background=background,
    )
