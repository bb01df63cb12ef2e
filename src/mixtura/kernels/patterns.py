"""Passes over rows with missing values, as their definition has them: one ordinary pass for each pattern.

A pattern is the set of columns that a row has. On the columns observed, o, the components are
``N(mu_k,o, Sigma_k,oo)``; with ``A_k = Sigma_k[:, o] Sigma_k,oo^-1`` and ``C_k = Sigma_k - A_k Sigma_k[o, :]`` the sums
of all columns are ``s' = A s`` and ``S' = A S A^T + n C`` (Ghahramani and Jordan 1994).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import log, pi

import numpy as np
import numpy.typing as npt

from mixtura._typing import BoolArray, FloatArray, IntArray, RowArray
from mixtura.kernels.contract import Components, Layout, Outputs, moment_size, sums_size

__all__ = [
    "Given",
    "RowPatterns",
    "accumulate_patterns",
    "as_dense",
    "is_complete",
    "order_by_pattern",
    "order_of_missing",
    "pattern_numbers",
    "patterns",
]


@dataclass(frozen=True, slots=True, eq=False)
class _Marginal:
    """The components of some columns, and what lifts their sums to all columns."""

    components: Components
    gain: FloatArray  # (K, D, O)
    spread: FloatArray  # (K, D, D)

    @classmethod
    def of(cls, components: Components, covariances: FloatArray, observed: BoolArray) -> _Marginal:
        """Return the marginal of components with these covariances, (K, D, D)."""
        d = components.means.shape[1]
        inside = covariances[:, observed][:, :, observed]
        roots = np.linalg.inv(np.linalg.cholesky(inside))
        gain = covariances[:, :, observed] @ roots.transpose(0, 2, 1) @ roots
        spread = covariances - gain @ covariances[:, observed]
        gained = np.log(np.einsum("kii->ki", roots)).sum(axis=1) - _log_determinants(components)
        offsets = components.offsets + gained + 0.5 * (d - observed.sum()) * log(2 * pi)
        means = np.ascontiguousarray(components.means[:, observed])
        if components.layout is Layout.DIAGONAL:
            factors = components.factors[:, observed]
        else:
            factors = roots if components.layout is Layout.DENSE else roots[0]
        factors = np.ascontiguousarray(factors)
        marginal = replace(components, means=means, factors=factors, offsets=offsets)
        return cls(marginal, gain, spread)

    def lift(self, sums: FloatArray) -> FloatArray:
        """Return the sums of all columns, in the shape of the layout."""
        layout, (k, d, o) = self.components.layout, self.gain.shape
        tails = 0 if self.components.freedom is None else 2 * k
        sums, beyond = np.split(sums, [len(sums) - tails])
        counts, first = sums[2 : 2 + k], sums[2 + k : 2 + k * (1 + o)].reshape(k, o)
        second = sums[2 + k * (1 + o) :].reshape(k, moment_size(layout, o))
        lifted = [sums[: 2 + k], np.einsum("kdo,ko->kd", self.gain, first).ravel()]
        if layout is Layout.DIAGONAL:
            spread = np.einsum("kdd->kd", self.spread)
            lifted.append(np.einsum("kdo,ko->kd", self.gain**2, second) + counts[:, None] * spread)
        elif layout is Layout.DENSE:
            whole = np.zeros((k, o, o))
            whole[:, *np.tril_indices(o)] = second
            whole += np.tril(whole, -1).transpose(0, 2, 1)
            every = self.gain @ whole @ self.gain.transpose(0, 2, 1) + counts[:, None, None] * self.spread
            lifted.append(every[:, *np.tril_indices(d)])
        return np.concatenate([part.ravel() for part in (*lifted, beyond)])


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What is given of each row of a chunk, in the names of `Kernel.accumulate`."""

    rows: RowArray
    sample_weight: FloatArray | None
    beside: FloatArray | None
    background: FloatArray | None

    def at(self, where: slice) -> tuple[RowArray, FloatArray | None, FloatArray | None, FloatArray | None]:
        """Return what is given of some rows: they, their weights, what is beside, and their background."""
        parts = (self.sample_weight, self.beside, self.background)
        weight, beside, background = (None if part is None else part[where] for part in parts)
        return self.rows[where], weight, beside, background

    def observed(self, numbers: IntArray, columns: BoolArray) -> Given:
        """Return what is given of the rows of a pattern, with the columns that they have."""
        rows: RowArray = self.rows[numbers][:, columns].copy(order="C")
        parts = (self.sample_weight, self.beside, self.background)
        return Given(rows, *(_part(one, numbers) for one in parts))


def accumulate_patterns(
    accumulate: Callable[..., None],
    given: Given,
    components: Components,
    sums: FloatArray | None,
    outputs: Outputs,
    *,
    hard: bool,
) -> None:
    """Evaluate rows whose missing values are NaN, by a pass over complete rows, as `Kernel.accumulate` says."""
    covariances = _covariances(components)
    for observed, numbers in patterns(given.rows):
        marginal = _Marginal.of(components, covariances, observed)
        shape, tails = (components.n_components, int(observed.sum())), components.freedom is not None
        inner = np.zeros(sums_size(components.layout, *shape, tails=tails))
        found = Outputs(_part(outputs.log_density, numbers), _part(outputs.memberships, numbers))
        labels = None if outputs.labels is None else outputs.labels[numbers]
        found = replace(found, labels=labels, scores=outputs.scores)
        wanted = inner if sums is not None else None
        accumulate(given.observed(numbers, observed), marginal.components, wanted, found, hard=hard)
        for name in ("log_density", "memberships", "labels"):
            if getattr(found, name) is not None:
                getattr(outputs, name)[numbers] = getattr(found, name)
        if sums is not None:
            sums += marginal.lift(inner)


def patterns(rows: RowArray) -> Iterator[tuple[BoolArray, IntArray]]:
    """Yield which columns are observed, (D,), and the numbers of the rows that have them."""
    order, starts = _runs(rows)
    for numbers in np.split(order, starts[1:]) if len(rows) else ():
        yield ~np.isnan(rows[numbers[0]]), numbers


def pattern_numbers(rows: RowArray) -> tuple[IntArray, IntArray]:
    """Return the number of each row's pattern, (N,), and the number of a row that has each, (U,).

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.kernels.patterns import pattern_numbers
    >>> which, rows = pattern_numbers(np.array([[1.0, np.nan], [1.0, 2.0], [0.0, np.nan]]))
    >>> which.tolist(), rows.tolist()
    ([1, 0, 1], [1, 0])
    """
    order, starts = _runs(rows)
    return _numbers(order, starts), order[starts]


@dataclass(frozen=True, slots=True, eq=False)
class RowPatterns:
    """The patterns of some rows, found once for all that is asked of these rows.

    Parameters
    ----------
    order : ndarray of shape (n,)
        `order_by_pattern`.
    which : ndarray of shape (n,)
        The number of each row's pattern, from 0 in the order of the rows.
    lacks : ndarray of bool, shape (U, D)
        Which columns each pattern lacks.
    """

    order: IntArray
    which: IntArray
    lacks: BoolArray

    @classmethod
    def of(cls, rows: RowArray) -> RowPatterns | None:
        """Return the patterns of rows, or None where nothing is missing."""
        if is_complete(rows):
            return None
        order, starts = _runs(rows)
        return cls(order, _numbers(order, starts), np.isnan(rows[order[starts]]))


def _runs(rows: RowArray) -> tuple[IntArray, IntArray]:
    """Return row numbers in the order of their patterns, (N,), and where each pattern starts among them, (U,)."""
    packed = np.packbits(np.isnan(rows), axis=1)
    order = _order_of(packed)
    found, differs = packed[order], np.ones(len(rows), dtype=bool)
    differs[1:] = (found[1:] != found[:-1]).any(axis=1)
    return order, np.flatnonzero(differs)


def _numbers(order: IntArray, starts: IntArray) -> IntArray:
    """Return the number of each row's pattern, (N,)."""
    which = np.empty_like(order)
    which[order] = np.repeat(np.arange(starts.size), np.diff(starts, append=order.size))
    return which


def _part(output: FloatArray | None, numbers: IntArray) -> FloatArray | None:
    return None if output is None else output[numbers]


def _covariances(components: Components) -> FloatArray:
    """Return the covariance of each component, (K, D, D)."""
    k, d = components.means.shape
    if components.layout is Layout.DIAGONAL:
        return np.eye(d) / components.factors[:, :, None] ** 2
    inverse = np.linalg.inv(components.factors)
    return np.asarray(np.broadcast_to(inverse @ inverse.swapaxes(-1, -2), (k, d, d)))


def _log_determinants(components: Components) -> FloatArray:
    """Return ``log |L_k|``, (K,)."""
    if components.layout is Layout.DIAGONAL:
        return np.asarray(np.log(components.factors).sum(axis=1))
    diagonal = np.diagonal(components.factors, axis1=-2, axis2=-1)
    return np.asarray(np.broadcast_to(np.log(diagonal).sum(axis=-1), components.n_components))


def order_by_pattern(rows: RowArray) -> IntArray:
    """Return the numbers of the rows, (n,), those that lack the same columns side by side, complete rows first.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.kernels.patterns import order_by_pattern
    >>> order_by_pattern(np.array([[1.0, np.nan], [1.0, 2.0], [0.0, np.nan]])).tolist()
    [1, 0, 2]
    """
    return _order_of(np.packbits(np.isnan(rows), axis=1))


def _order_of(packed: npt.NDArray[np.uint8]) -> IntArray:
    """Return the order of rows by which columns they lack, eight to a byte, (n, B)."""
    width = next((size for size in (1, 2, 4, 8) if size >= packed.shape[1]), None)
    if width is not None:
        words = np.zeros((len(packed), width), dtype=np.uint8)
        words[:, : packed.shape[1]] = packed
        keys = words.view(f">u{width}").ravel().astype(f"u{width}")  # sorted by digits where they are short
        return np.argsort(keys, kind="stable").astype(np.intp)
    return np.lexsort(packed.T[::-1]).astype(np.intp)


def as_dense(components: Components) -> Components:
    """Return the same components with a factor for each, (K, D, D)."""
    means, factors = components.means, components.factors
    if components.layout is Layout.DIAGONAL:
        factors = factors[:, :, None] * np.eye(means.shape[1])
    factors = np.ascontiguousarray(np.broadcast_to(factors, (*means.shape, means.shape[1])))
    return replace(components, layout=Layout.DENSE, factors=factors)


def order_of_missing(rows: RowArray) -> IntArray | None:
    """Return `order_by_pattern`, or None where nothing is missing."""
    return None if is_complete(rows) else order_by_pattern(rows)


def is_complete(rows: RowArray) -> bool:
    """Return whether nothing is missing of rows."""
    # One sum shows whether to look closer; infinities of both signs or large numbers may spoil it.
    with np.errstate(invalid="ignore", over="ignore"):
        total = rows.sum(dtype=np.float64)
    return bool(np.isfinite(total)) or not np.isnan(rows).any()
