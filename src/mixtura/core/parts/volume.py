"""The volume of the data, over which the noise of a mixture is spread evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.parts.known_labels import known_levels
from mixtura.core.protocols import Block, Blocks
from mixtura.exceptions import DataError
from mixtura.kernels.terms.background import Background, Box

__all__ = ["Extent", "measure_background"]

_START = 0.05
"""Share of the rows that the noise begins with."""

_FLAT = 1e-7
"""Share of the longest side below which a side of a box along principal axes is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """The smallest and the largest coordinate of the rows of positive weight along each axis, each (D,).

    Missing values do not count.

    Parameters
    ----------
    center : ndarray of shape (D,), optional
        Subtracted from the rows first.
    axes : ndarray of shape (D, D), optional
        Those of the columns by default.
    """

    center: FloatArray | None = None
    axes: FloatArray | None = None

    def __call__(self, block: Block) -> tuple[FloatArray, FloatArray]:
        rows = np.asarray(block.rows, dtype=np.float64)
        if block.sample_weight is not None:
            rows = rows[block.sample_weight > 0]
        if self.center is not None:
            rows = rows - self.center
        if self.axes is not None:
            rows = rows @ self.axes
        infinity = np.full((1, rows.shape[1]), np.inf)
        return np.fmin.reduce(np.vstack([rows, infinity])), np.fmax.reduce(np.vstack([rows, -infinity]))

    def add(
        self, total: tuple[FloatArray, FloatArray], more: tuple[FloatArray, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        return np.minimum(total[0], more[0]), np.maximum(total[1], more[1])

    def work(self, blocks: Blocks) -> float:
        return (4.0 if self.axes is None else 2.0 * blocks.n_features) * blocks.n_rows * blocks.n_features


def measure_background(data: Data) -> Background:
    """Return the noise of some rows, with the share that it begins with.

    Its volume is the smaller of the box along the columns and the box along the principal axes (mclust's ``hypvol``);
    where values are missing it is the former, as then densities of the columns observed are its marginals.

    Raises
    ------
    DataError
        A column is constant, so that there is no volume.
    """
    lower, upper = data.reduce(Extent())
    columns = Box(lower, upper - lower)
    flat = np.flatnonzero(~(columns.ranges > 0))
    if flat.size:
        raise DataError(
            f"`noise` needs columns that vary, as it is spread evenly over the volume of the data; column {flat[0]} is "
            "constant. Leave it out."
        )
    plain = data.has_missing or data.n_features < 2
    box = columns if plain else _smaller(columns, _along_axes(data))
    logs = None
    if data.discrete is not None:
        logs = data.discrete.maximize(None)[:, 0]
        if (known := known_levels(data.discrete)) is not None:
            logs[known] = -np.inf
    return Background(_START, box, columns, logs)


def _along_axes(data: Data) -> Box:
    center = data.mean[0]
    axes = np.linalg.eigh(data.total.second_matrices()[0])[1]
    lower, upper = data.reduce(Extent(center, axes))
    return Box(lower + center @ axes, upper - lower, axes)


def _smaller(columns: Box, other: Box) -> Box:
    if not other.ranges.min() > _FLAT * other.ranges.max():
        return columns
    return other if other.log_volume < columns.log_volume else columns
