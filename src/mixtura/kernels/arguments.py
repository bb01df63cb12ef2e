"""Checks of the arguments of a pass, with errors that say which is wrong and how.

The NumPy kernel checks before each pass. The native kernel checks only after its extension has refused
the arguments, so that a pass over a few hundred rows does not pay for it.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import Array
from mixtura.exceptions import ParameterError
from mixtura.kernels.contract import Components, Layout, Outputs, sums_size

__all__ = ["check_given", "check_levels", "check_lowered", "check_masses", "check_pass"]

_FLOAT = (np.dtype(np.float64),)
_ROWS = (np.dtype(np.float64), np.dtype(np.float32))
_LABELS = (np.dtype(np.intp),)


def check_pass(
    rows: Array,
    sample_weight: Array | None,
    components: Components,
    sums: Array | None,
    outputs: Outputs,
    order: Array | None = None,
    beside: Array | None = None,
    background: Array | None = None,
) -> None:
    """Raise `ParameterError` unless the arguments of `Kernel.accumulate` are as the contract says."""
    k, d = components.means.shape if components.means.ndim == 2 else (0, 0)
    shapes = {Layout.DENSE: (k, d, d), Layout.DIAGONAL: (k, d), Layout.SHARED: (d, d)}
    n = rows.shape[0] if rows.ndim == 2 else 0
    _check("means", components.means, (k, d), _FLOAT)
    _check("factors", components.factors, shapes[components.layout], _FLOAT)
    _check("offsets", components.offsets, (k,), _FLOAT)
    _check("rows", rows, (n, d), _ROWS)
    _check("sample_weight", sample_weight, (n,), _FLOAT)
    _check("freedom", components.freedom, (k,), _FLOAT)
    size = sums_size(components.layout, k, d, tails=components.freedom is not None)
    _check("sums", sums, (size,), _FLOAT, written=True)
    _check("log_density", outputs.log_density, (n,), _FLOAT, written=True)
    _check("memberships", outputs.memberships, (n, k), _FLOAT, written=True)
    _check("labels", outputs.labels, (n,), _LABELS, written=True)
    _check("scores", outputs.scores, (3,), _FLOAT, written=True)
    _check("order", order, (n,), _LABELS)
    _check("beside", beside, (n, k), _FLOAT)
    _check("background", background, (n,), _FLOAT)
    if not 0 <= components.negligible < 1:
        raise ParameterError(
            f"`negligible` must be from 0 to less than 1; got {components.negligible!r}. It is the share of a row that "
            "components may have together which are left out; 0 leaves out none."
        )
    if order is not None and n and not (order.min() >= 0 and order.max() < n):
        raise ParameterError(
            f"`order` must hold the numbers of {n!r} rows; got numbers from {order.min().item()!r} to "
            f"{order.max().item()!r}. `mixtura.kernels.patterns.order_by_pattern` finds it."
        )


def check_given(
    rows: Array,
    sample_weight: Array | None,
    responsibilities: Array,
    means: Array,
    layout: Layout,
    sums: Array,
) -> None:
    """Raise `ParameterError` unless the arguments of `Kernel.accumulate_given` are as the contract says."""
    k, d = means.shape if means.ndim == 2 else (0, 0)
    n = rows.shape[0] if rows.ndim == 2 else 0
    _check("means", means, (k, d), _FLOAT)
    _check("rows", rows, (n, d), _ROWS)
    _check("sample_weight", sample_weight, (n,), _FLOAT)
    if responsibilities.ndim == 1:
        _check("responsibilities", responsibilities, (n,), _LABELS)
    else:
        _check("responsibilities", responsibilities, (n, k), _FLOAT)
    _check("sums", sums, (sums_size(layout, k, d),), _FLOAT, written=True)


def check_masses(
    rows: Array, sample_weight: Array | None, distances: Array, candidates: Array, masses: Array
) -> None:
    """Raise `ParameterError` unless the arguments of `Kernel.add_masses` are as the contract says."""
    t, d = candidates.shape if candidates.ndim == 2 else (0, 0)
    n = rows.shape[0] if rows.ndim == 2 else 0
    _check("candidates", candidates, (t, d), _FLOAT)
    _check("rows", rows, (n, d), _ROWS)
    _check("sample_weight", sample_weight, (n,), _FLOAT)
    _check("distances", distances, (n,), _FLOAT)
    _check("masses", masses, (t,), _FLOAT, written=True)


def check_lowered(rows: Array, seeds: Array, distances: Array) -> None:
    """Raise `ParameterError` unless the arguments of `Kernel.lower_distances` are as the contract says."""
    s, d = seeds.shape if seeds.ndim == 2 else (0, 0)
    n = rows.shape[0] if rows.ndim == 2 else 0
    _check("seeds", seeds, (s, d), _FLOAT)
    _check("rows", rows, (n, d), _ROWS)
    _check("distances", distances, (n,), _FLOAT, written=True)


def check_levels(
    levels: Array, sample_weight: Array | None, table: Array, per_row: Array, *, table_written: bool
) -> None:
    """Raise `ParameterError` unless the arguments of `Kernel.add_levels` or `Kernel.count_levels` fit."""
    n = levels.shape[0] if levels.ndim == 2 else 0
    size, k = table.shape if table.ndim == 2 else (0, 0)
    _check("levels", levels, (n, levels.shape[-1]), (np.dtype(np.int32),))
    _check("sample_weight", sample_weight, (n,), _FLOAT)
    _check("counts" if table_written else "table", table, (size, k), _FLOAT, written=table_written)
    _check("memberships" if table_written else "out", per_row, (n, k), _FLOAT, written=not table_written)
    if levels.size and not (levels.min() >= 0 and levels.max() < size):
        raise ParameterError(
            f"`levels` must be from 0 to {size - 1!r}, the rows of the table; got numbers from "
            f"{levels.min().item()!r} to {levels.max().item()!r}. `DiscreteColumns.numbered` finds them."
        )


def _check(
    name: str,
    array: Array | None,
    shape: tuple[int, ...],
    dtypes: tuple[np.dtype[np.generic], ...],
    *,
    written: bool = False,
) -> None:
    if array is None:
        return
    fits = array.shape == shape and array.dtype in dtypes and array.flags.c_contiguous
    if fits and ((array.flags.writeable and array.flags.aligned) or not written):
        return
    order = "C-contiguous" if array.flags.c_contiguous else "not C-contiguous"
    access = "writable" if array.flags.writeable else "read-only"
    access = access if array.flags.aligned else f"{access}, not aligned"
    wanted = " or ".join(str(dtype) for dtype in dtypes)
    raise ParameterError(
        f"`{name}` has shape {array.shape!r}, dtype {str(array.dtype)!r}, is {order} and {access}; a kernel needs"
        f" shape {shape!r}, dtype {wanted}, C order{', writable, aligned' if written else ''}."
        f" Convert it with np.ascontiguousarray(..., dtype=...) and check it against the means."
    )
