"""The readable twin of the native core: it defines the answer.

Rows are taken in blocks and transposed, components in groups, so that every step is one NumPy
operation or one batch of matrix products over arrays of shape (G, D, B): G components of a
group, D features, B rows of a block. The mean is subtracted before anything is multiplied,
which keeps the answer right for data far from the origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray, RowArray
from mixtura.kernels.arguments import check_given, check_pass
from mixtura.kernels.contract import Components, Layout, Outputs

__all__ = ["NumpyKernel"]

# Doubles in one (G, D, B) array: three of them stay in a second-level cache of 1 MiB.
_GROUP_DOUBLES = 1 << 15
_MOST_ROWS = 2048
_FEWEST_ROWS = 256


class NumpyKernel:
    """One pass over a chunk of rows with NumPy and BLAS; see `mixtura.kernels.contract.Kernel`.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.kernels.contract import Components, Layout, Outputs
    >>> one = Components(Layout.DIAGONAL, np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1))
    >>> log_density = np.empty(2)
    >>> NumpyKernel().accumulate(np.array([[0.0], [2.0]]), None, one, None, Outputs(log_density))
    >>> log_density
    array([ 0., -2.])
    """

    name = "numpy"
    instruction_set = "blas"

    def accumulate(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        components: Components,
        sums: FloatArray | None,
        outputs: Outputs,
        *,
        hard: bool = False,
    ) -> None:
        """Evaluate a chunk; add to ``sums``; fill ``outputs``. See `Kernel.accumulate`."""
        check_pass(rows, sample_weight, components, sums, outputs)
        views = None if sums is None else _views(sums, components.layout, components.means)
        center = components.means.mean(axis=0)
        # A row of NaN, or one that overflows, is part of the contract and no news.
        with np.errstate(all="ignore"):
            for block in _blocks(len(rows), components.n_components * components.n_features):
                x = _transposed(rows[block])
                logs = _log_densities(x, components, center)
                log_density, memberships = _assign(logs) if hard else _normalize(logs)
                _write(outputs, block, logs, log_density, memberships)
                if views is not None:
                    weight = None if sample_weight is None else sample_weight[block]
                    _add(views, x, weight, memberships, components.means)
                    counted = log_density if weight is None else _times(weight, log_density)
                    views.log_likelihood[0] += counted.sum()

    def accumulate_given(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        responsibilities: FloatArray | IntArray,
        means: FloatArray,
        layout: Layout,
        sums: FloatArray,
    ) -> None:
        """Add up the sums of a chunk whose responsibilities are known. See `Kernel.accumulate_given`."""
        check_given(rows, sample_weight, responsibilities, means, layout, sums)
        views = _views(sums, layout, means)
        labelled = responsibilities.ndim == 1
        with np.errstate(all="ignore"):
            for block in _blocks(len(rows), means.size):
                given = responsibilities[block]
                x = _transposed(rows[block])
                weight = None if sample_weight is None else sample_weight[block]
                if labelled:
                    _add_labelled(views, x, weight, given, means)
                else:
                    _add(views, x, weight, given.T.astype(np.float64), means)


@dataclass(frozen=True, slots=True)
class _Views:
    """The parts of the vector of sums, as views into it."""

    log_likelihood: FloatArray  # (1,)
    total_weight: FloatArray  # (1,)
    counts: FloatArray  # (K,)
    first: FloatArray  # (K, D)
    second: FloatArray  # (K, moment_size)
    layout: Layout


def _views(sums: FloatArray, layout: Layout, means: FloatArray) -> _Views:
    k, d = means.shape
    first = 2 + k
    second = first + k * d
    return _Views(
        log_likelihood=sums[0:1],
        total_weight=sums[1:2],
        counts=sums[2:first],
        first=sums[first:second].reshape(k, d),
        second=sums[second:].reshape(k, -1) if k else sums[second:].reshape(0, 0),
        layout=layout,
    )


def _blocks(n_rows: int, doubles_per_row: int) -> Iterator[slice]:
    """Cut a chunk into blocks of rows; fewer rows where one row needs much room."""
    step = min(max(_GROUP_DOUBLES // max(doubles_per_row, 1), _FEWEST_ROWS), _MOST_ROWS)
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def _groups(n_components: int, doubles_per_component: int) -> Iterator[slice]:
    """Cut the components into groups whose centered rows stay in cache together."""
    step = max(_GROUP_DOUBLES // max(doubles_per_component, 1), 1)
    return (slice(k, min(k + step, n_components)) for k in range(0, n_components, step))


def _transposed(rows: RowArray) -> FloatArray:
    """Return the block as float64 of shape (D, B), C-contiguous."""
    return np.array(rows.T, dtype=np.float64, order="C")


def _times(weight: FloatArray, values: FloatArray) -> FloatArray:
    """Multiply by the sample weights; a weight of zero gives zero whatever the value is."""
    product: FloatArray = np.where(weight == 0.0, 0.0, weight * values)
    return product


def _log_densities(x: FloatArray, components: Components, center: FloatArray) -> FloatArray:
    """Return ``offsets_k - |z_k|^2 / 2``, shape (K, B).

    In the shared layout a row is whitened once: ``z_k = L (x - c) - L (mu_k - c)``, where the
    center c is the mean of the means.
    """
    means, factors = components.means, components.factors
    shared = components.layout is Layout.SHARED
    whitened = factors @ (x - center[:, None]) if shared else x
    subtracted = (means - center) @ factors.T if shared else means
    logs = np.empty((len(means), x.shape[1]))
    for group in _groups(len(means), x.size):
        z = whitened - subtracted[group, :, None]
        if components.layout is Layout.DENSE:
            z = factors[group] @ z
        elif components.layout is Layout.DIAGONAL:
            z *= factors[group, :, None]
        z *= z
        logs[group] = components.offsets[group, None] - 0.5 * z.sum(axis=1)
    return logs


def _normalize(logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``l = log sum_k exp(logs_k)`` of shape (B,) and ``exp(logs - l)`` of shape (K, B)."""
    largest = logs.max(axis=0)
    memberships = np.exp(logs - largest)
    total = memberships.sum(axis=0)
    memberships /= total
    # log(0 / 0) where every component is infinitely far: the largest is -inf and says it.
    log_density = np.where(largest == -np.inf, largest, largest + np.log(total))
    return log_density, memberships


def _assign(logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the largest log density and the memberships of a hard assignment."""
    largest = logs.max(axis=0)
    memberships = np.zeros_like(logs)
    np.put_along_axis(memberships, logs.argmax(axis=0)[None], 1.0, axis=0)
    memberships[:, ~(largest > -np.inf)] = np.nan
    return largest, memberships


def _write(
    outputs: Outputs, block: slice, logs: FloatArray, log_density: FloatArray, memberships: FloatArray
) -> None:
    if outputs.log_density is not None:
        outputs.log_density[block] = log_density
    if outputs.memberships is not None:
        outputs.memberships[block] = memberships.T
    if outputs.labels is not None:
        outputs.labels[block] = np.where(np.isnan(log_density), 0, logs.argmax(axis=0))


def _add(
    views: _Views, x: FloatArray, weight: FloatArray | None, memberships: FloatArray, means: FloatArray
) -> None:
    """Add the weighted counts, first and second moments about the means.

    ``memberships`` has shape (K, B) and may be overwritten.
    """
    if weight is not None:
        memberships = _times(weight, memberships)
        x = np.where(weight == 0.0, 0.0, x)
    views.total_weight[0] += x.shape[1] if weight is None else weight.sum()
    views.counts[:] += memberships.sum(axis=1)
    for group in _groups(len(means), x.size):
        centered = x - means[group, :, None]
        share = memberships[group]
        views.first[group] += (centered @ share[:, :, None])[:, :, 0]
        if views.layout is not Layout.SHARED:
            views.second[group] += _second(centered, share, views.layout)


def _add_labelled(
    views: _Views, x: FloatArray, weight: FloatArray | None, labels: Array, means: FloatArray
) -> None:
    """Add the rows of each label to its component alone; labels outside 0..K-1 to none."""
    views.total_weight[0] += x.shape[1] if weight is None else weight.sum()
    for k in np.unique(labels[(labels >= 0) & (labels < len(means))]):
        chosen = labels == k if weight is None else (labels == k) & (weight != 0.0)
        centered = (x[:, chosen] - means[k, :, None])[None]
        share = np.ones((1, centered.shape[2])) if weight is None else weight[None, chosen]
        views.counts[k] += share.sum()
        views.first[k] += centered[0] @ share[0]
        if views.layout is not Layout.SHARED:
            views.second[k] += _second(centered, share, views.layout)[0]


def _second(centered: FloatArray, share: FloatArray, layout: Layout) -> FloatArray:
    """Return ``sum_n share_n c_n c_n^T``: the diagonal, or the lower half packed by rows."""
    weighted = centered * share[:, None, :]
    if layout is Layout.DIAGONAL:
        weighted *= centered
        squares: FloatArray = weighted.sum(axis=2)
        return squares
    scatter = weighted @ centered.transpose(0, 2, 1)
    lower: FloatArray = scatter[:, *np.tril_indices(scatter.shape[1])]
    return lower
