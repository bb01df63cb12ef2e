"""Steps to responsibilities: rows ``y``, whitened ``z``, log densities ``l``, ``e = exp(l - m)``, sum ``s`` of ``e``.

``m`` is the largest of the log densities, so that no power overflows.
"""

from __future__ import annotations

import numpy as np

from mixtura.core.moments import GATHERED
from mixtura.exceptions import ParameterError
from mixtura.expressions.aggregates import column_names
from mixtura.expressions.expression import Call, Expression, Greatest, Name, Number, linear, total
from mixtura.expressions.sql_text import Step
from mixtura.kernels import Components
from mixtura.kernels.patterns import as_dense

__all__ = ["log_mean", "present_of", "responsibility_steps"]

_LEAST_EXPONENT = -700.0
"""exp of it is the smallest that no engine takes for an underflow."""

_HALF_ROOT = 0.5**0.5
"""Factor of z, so that ``l`` is a constant less the sum of its squares."""


def present_of(components: Components) -> list[int]:
    """Return the components whose weight is not zero."""
    return [int(k) for k in np.flatnonzero(np.isfinite(components.offsets))]


def responsibility_steps(components: Components, *, weighted: bool) -> tuple[Step, ...]:
    """Return the steps that end with ``e1`` to ``eK``, their sum ``s`` and ``m``; the columns of the rows are kept.

    Parameters
    ----------
    components : Components
        Those without weight have no ``e``.
    weighted : bool
        Whether rows have a weight ``w``, which is kept, too.

    Raises
    ------
    ParameterError
        Components of t distributions, noise, or levels of discrete columns.
    """
    parts = {"noise": components.background, "t components": components.freedom, "levels": components.table}
    for what, part in parts.items():
        if part is not None:
            raise ParameterError(
                f"In a database the mixture must have Gaussian parts alone; got one with {what}. Leave that out, or "
                "read the rows."
            )
    kept: dict[str, Expression] = {one.name: one for one in column_names(components.n_features)}
    kept |= {"w": Name("w")} if weighted else {}
    numbers = present_of(components)
    logs, powers = [Name(f"l{k + 1}") for k in numbers], [Name(f"e{k + 1}") for k in numbers]
    moved = [
        Greatest((one - Name("m"), Number(_LEAST_EXPONENT))) if len(logs) > 1 else one - Name("m")
        for one in logs
    ]
    raised = {power.name: Call("exp", one) for power, one in zip(powers, moved, strict=True)}
    held: dict[str, Expression] = {one.name: one for one in logs}
    return (
        *(Step(kept | columns) for columns in _whitened(components)),
        Step(kept | {f"l{k + 1}": _log_density(components, k) for k in numbers}),
        Step(kept | held | {"m": Greatest(tuple(logs))}),
        Step(kept | held | {"m": Name("m")} | raised),
        Step(kept | held | {"m": Name("m")} | {one.name: one for one in powers} | {"s": total(powers)}),
    )


def _whitened(components: Components) -> list[dict[str, Expression]]:
    """Return the steps to whitened deviations, times the root of a half.

    Where all components have one factor, a row is whitened once.
    """
    columns, means = column_names(components.n_features), components.means
    numbers, d = present_of(components), range(components.n_features)
    if GATHERED[components.layout].one_factor:
        center, factor = means.mean(axis=0), components.factors * _HALF_ROOT
        places = (means - center) @ factor.T
        moved: dict[str, Expression] = {f"d{i + 1}": columns[i] - Number(float(center[i])) for i in d}
        turned = {
            f"u{i + 1}": linear(factor[i, : i + 1].tolist(), list(map(Name, list(moved)[: i + 1]))) for i in d
        }
        apart = {
            f"z{k + 1}_{i + 1}": Name(f"u{i + 1}") - Number(float(places[k, i])) for k in numbers for i in d
        }
        return [moved, turned, apart]
    factors = as_dense(components).factors * _HALF_ROOT
    # Differences from the means before anything is multiplied: far from zero products would cancel.
    moved = {f"d{k + 1}_{i + 1}": columns[i] - Number(float(means[k, i])) for k in numbers for i in d}
    whitened = {
        f"z{k + 1}_{i + 1}": linear(
            factors[k, i, : i + 1].tolist(), [Name(f"d{k + 1}_{j + 1}") for j in range(i + 1)]
        )
        for k in numbers
        for i in d
    }
    return [moved, whitened]


def _log_density(components: Components, k: int) -> Expression:
    coordinates = [Name(f"z{k + 1}_{i + 1}") for i in range(components.n_features)]
    return Number(float(components.offsets[k])) - total([one * one for one in coordinates])


def log_mean() -> Expression:
    """Return the log density of a row: ``m + log s``."""
    return Name("m") + Call("ln", Name("s"))
