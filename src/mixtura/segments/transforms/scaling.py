"""Scaling: the numbers of the chosen columns on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.expressions.expression import Name, Number
from mixtura.io.export.scorer import ColumnScale
from mixtura.segments.transforms.transforms import IDENTITY, Identity, Transform
from mixtura.segments.weighted import known, mean_and_sd

__all__ = ["Scaling", "scaling_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """``z = (T(x) - center) / scale``, column by column: what the mixture sees of the user's rows.

    Parameters
    ----------
    center, scale : ndarray of shape (D,)
        Weighted mean and standard deviation (divisor: the total weight) of the transformed rows a model was learned
        from; in the user's units where a column is not transformed.
    transforms : tuple of Transform, length D, default=()
        T, one per column; empty where none is transformed.
    spikes : tuple of tuple of float, length D, default=()
        Values at which a column has a point mass: the Gaussian part of the mixture does not see it there. Empty where
        no column has one.
    """

    center: FloatArray
    scale: FloatArray
    transforms: tuple[Transform, ...] = ()
    spikes: tuple[tuple[float, ...], ...] = ()

    @property
    def is_affine(self) -> bool:
        """Whether no column is transformed; then a mixture of scaled rows is one in the user's units, too."""
        return all(isinstance(transform, Identity) for transform in self.transforms)

    @property
    def n_parameters(self) -> int:
        """Parameters of the transforms that were chosen by likelihood."""
        return sum(transform.n_parameters for transform in self.transforms)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Return rows in the user's units as the mixture sees them, shape (N, D)."""
        scaled = np.subtract(self.transformed(rows), self.center, order="C")
        scaled /= self.scale
        return scaled

    def seen(self, rows: RowTable) -> RowTable:
        """Return rows in the user's units as the mixture sees them: scaled, NaN at point masses, with their levels."""
        if isinstance(rows, MixedRows):
            return MixedRows(self.apply(self.masked(rows.rows)), rows.levels, rows.discrete)
        return self.apply(self.masked(rows))

    def masked(self, rows: RowArray) -> FloatArray:
        """Return rows in the user's units, shape (N, D), with NaN where a column is at a point mass."""
        masked = np.asarray(rows, dtype=np.float64)
        if not any(self.spikes):
            return masked
        masked = masked.copy()
        for values, spikes in zip(masked.T, self.spikes, strict=True):
            values[np.isin(values, spikes)] = np.nan
        return masked

    def transformed(self, rows: FloatArray) -> FloatArray:
        """Return ``T(x)``, shape (N, D), of rows in the user's units."""
        if self.is_affine:
            return rows
        columns = zip(self.transforms, rows.T, strict=True)
        return np.column_stack([transform.forward(values) for transform, values in columns])

    def restore(self, rows: FloatArray, columns: Sequence[int] | None = None) -> FloatArray:
        """Return the rows in the user's units, shape (N, E), of scaled rows of some columns, all by default."""
        chosen = list(range(self.center.size)) if columns is None else list(columns)
        moved = rows * self.scale[chosen] + self.center[chosen]
        if self.is_affine:
            return np.asarray(moved)
        return np.column_stack([self.transforms[d].inverse(moved[:, i]) for i, d in enumerate(chosen)])

    def column_scales(self) -> tuple[ColumnScale, ...]:
        """Return what is done to each column as expressions, for exports."""
        transforms = self.transforms or (IDENTITY,) * self.center.size
        at_center = [
            transform.log_derivative(transform.inverse(self.center[d : d + 1]))[0]
            for d, transform in enumerate(transforms)
        ]
        return tuple(
            ColumnScale(
                center=float(self.center[d]),
                scale=float(self.scale[d]),
                forward=None if isinstance(transform, Identity) else transform.expression,
                log_derivative=transform.log_derivative_expression if _bends(transform) else None,
                derivative_at_center=float(at_center[d]),
            )
            for d, transform in enumerate(transforms)
        )

    @property
    def log_volume(self) -> float:
        """``sum_d log scale_d``: the logarithm of a unit of volume of scaled rows, in transformed units."""
        return float(np.log(self.scale).sum())

    def log_jacobian(self, rows: FloatArray, *, observed: bool = False) -> FloatArray:
        """Return ``log |dz/dx|`` of rows in the user's units, shape (N,).

        Added to a log density of scaled rows, it makes one in the user's units.

        Parameters
        ----------
        rows : ndarray of shape (N, D)
        observed : bool, default=False
            Of the columns that each row has; otherwise a missing value counts as if it were the center of its column.
        """
        missing = np.isnan(rows)
        total = np.full(len(rows), -self.log_volume)
        if observed and missing.any():
            total += missing @ np.log(self.scale)
        if self.is_affine:
            return total
        for d, transform in enumerate(self.transforms):
            derivative = transform.log_derivative(rows[:, d])
            if missing[:, d].any():
                center = transform.log_derivative(transform.inverse(self.center[d : d + 1]))
                derivative = np.where(missing[:, d], 0.0 if observed else center, derivative)
            total += derivative
        return total


def _bends(transform: Transform) -> bool:
    """Return whether ``log T'(x)`` is not zero everywhere."""
    return transform.log_derivative_expression(Name("x")) != Number(0.0)


def scaling_of(
    rows: FloatArray, weights: FloatArray | None = None, transforms: tuple[Transform, ...] = ()
) -> Scaling:
    """Return mean and standard deviation of each column, once transformed; a constant column gets a scale of zero.

    Neither sums nor squares overflow or vanish between 1e-300 and 1e300: columns are divided by their largest value
    first. Missing values are not looked at.
    """
    moved = Scaling(np.zeros(rows.shape[1]), np.ones(rows.shape[1]), transforms).transformed(rows)
    if weights is not None:
        moved = moved[weights > 0]
        weights = weights[weights > 0]
    found = np.array([mean_and_sd(*known(values, weights)) for values in moved.T])
    center, scale = found.reshape(-1, 2).T
    constant = np.fmin.reduce(moved) == np.fmax.reduce(moved)
    return Scaling(np.ascontiguousarray(center), np.where(constant, 0.0, scale), transforms)
