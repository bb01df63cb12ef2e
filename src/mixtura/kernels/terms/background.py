"""Noise beside the components of a mixture: a density that is the same wherever a row lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray

__all__ = ["Background", "Box"]


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A box around rows, with sides parallel to the columns or to other axes.

    Parameters
    ----------
    lower : ndarray of shape (D,)
        Its corner, in coordinates of the axes.
    ranges : ndarray of shape (D,)
        Lengths of its sides; positive.
    axes : ndarray of shape (D, D), optional
        Orthonormal columns; the coordinates of a row are ``x A``. Those of the columns by default.
    """

    lower: FloatArray
    ranges: FloatArray
    axes: FloatArray | None = None

    @property
    def log_volume(self) -> float:
        return float(np.log(self.ranges).sum())

    def draw(self, rng: np.random.RandomState, n_rows: int) -> FloatArray:
        """Return random rows of the uniform distribution, (n_rows, D)."""
        inside = self.lower + self.ranges * rng.uniform(size=(n_rows, len(self.lower)))
        return inside if self.axes is None else inside @ self.axes.T


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
