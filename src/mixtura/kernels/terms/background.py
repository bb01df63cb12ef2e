"""Noise beside the components of a mixture: a density that is the same wherever a row lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray

__all__ = ["Background", "Box"]


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A box around rows, with sides parallel to the columns or to other axes: ``x = o + A u`` with u between bounds.

    Parameters
    ----------
    lower : ndarray of shape (D,)
        Its corner, in coordinates of the axes.
    ranges : ndarray of shape (D,)
        Lengths of its sides, in the same coordinates; positive.
    axes : ndarray of shape (D, D), optional
        A, of which each column is an axis; those of the columns by default.
    origin : ndarray of shape (D,), optional
        o; zero by default.
    """

    lower: FloatArray
    ranges: FloatArray
    axes: FloatArray | None = None
    origin: FloatArray | None = None

    @property
    def log_volume(self) -> float:
        turned = 0.0 if self.axes is None else float(np.linalg.slogdet(self.axes)[1])
        return float(np.log(self.ranges).sum()) + turned

    def draw(self, rng: np.random.RandomState, n_rows: int) -> FloatArray:
        """Return random rows of the uniform distribution, (n_rows, D)."""
        inside = self.lower + self.ranges * rng.uniform(size=(n_rows, len(self.lower)))
        rows = inside if self.axes is None else inside @ self.axes.T
        return rows if self.origin is None else rows + self.origin

    @property
    def center(self) -> FloatArray:
        """Its middle, (D,)."""
        middle = self.lower + 0.5 * self.ranges
        middle = middle if self.axes is None else self.axes @ middle
        return middle if self.origin is None else middle + self.origin

    def of(self, columns: IntArray) -> Box:
        """Return the box of some columns, in this order, of one along the columns."""
        return Box(self.lower[columns], self.ranges[columns])

    def around(self, matrix: FloatArray, shift: FloatArray) -> Box:
        """Return the smallest box along the columns around ``M x + b``, of the rows x of one along the columns."""
        half = np.abs(matrix) @ (0.5 * self.ranges)
        return Box(matrix @ self.center + shift - half, 2.0 * half)

    def affine(self, matrix: FloatArray, shift: FloatArray) -> Box:
        """Return the box of ``M x + b``, M of shape (D, D)."""
        axes = matrix if self.axes is None else matrix @ self.axes
        origin = np.zeros(len(self.lower)) if self.origin is None else self.origin
        return Box(self.lower, self.ranges, axes, matrix @ origin + shift)


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A uniform distribution over the volume of the data, with a weight of its own (Banfield and Raftery 1993).

    Its density is ``w_0 / V`` for every row, inside of the volume or not. A row that lacks values has the density of
    the columns observed, ``w_0 / prod_o range_j``.

    Parameters
    ----------
    weight : float
        Expected share of the rows that belong to no component, w_0.
    box : Box
        Of volume V.
    columns : Box
        With sides parallel to the columns.
    level_logs : ndarray of shape (L,), optional
        Logarithms of the shares of the levels of discrete columns in the whole table; zero for missing values.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.kernels.terms.background import Background, Box
    >>> box = Box(np.zeros(2), np.array([2.0, 4.0]))
    >>> noise = Background(0.5, box, box)
    >>> np.exp(noise.log_densities(np.array([[0.0, 1.0], [1.0, np.nan]]))).tolist()
    [0.0625, 0.25]
    """

    N_PARAMETERS: ClassVar[int] = 2
    """As mclust counts them: the share and the volume."""

    weight: float
    box: Box
    columns: Box
    level_logs: FloatArray | None = None

    @property
    def log_weight(self) -> float:
        return float(np.log(self.weight)) if self.weight > 0 else -np.inf

    def log_densities(
        self, rows: RowArray, levels: IntArray | None = None, *, complete: bool = False
    ) -> FloatArray:
        """Return the logarithm of weight times density of rows, (N,).

        Parameters
        ----------
        rows : ndarray of shape (N, D)
            NaN is missing.
        levels : ndarray of shape (N, J), optional
            Levels of discrete columns, as numbers of rows of a table.
        complete : bool, default=False
            Whether no value of the rows is missing, which then is not looked for.
        """
        found = np.full(len(rows), self.log_weight - self.box.log_volume)
        if not complete:
            missing = np.isnan(rows)
            lacking = missing.any(axis=1)
            found[lacking] = self.log_weight - ~missing[lacking] @ np.log(self.columns.ranges)
        if levels is not None and self.level_logs is not None:
            found += self.level_logs[levels].sum(axis=1)
        return found

    def with_weight(self, weight: float) -> Background:
        """Return the same distribution with another weight."""
        return replace(self, weight=weight)

    def of(self, columns: IntArray, weight: float) -> Background:
        """Return the distribution of some continuous columns, in this order, with another weight."""
        box = self.columns.of(columns)
        return Background(weight, box, box)

    def affine(self, matrix: FloatArray, shift: FloatArray) -> Background:
        """Return the distribution of ``M x + b``, M of shape (D, D)."""
        return replace(self, box=self.box.affine(matrix, shift), columns=self.columns.around(matrix, shift))
