"""Several iterations of K-means in one compiled call, and its seeds in another.

An iteration over a few thousand rows takes about ten microseconds, and Python between two of them several times as
long. It defines nothing: what an iteration is, `mixtura.fit.kmeans.lloyd` says in Python, and how seeds are drawn
`mixtura.fit.kmeans.plusplus`. A call ends before an
iteration that takes more care: a center without rows, an objective that falls or is not finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.kernels import native

__all__ = ["CenterMoves", "can_move_centers", "draw_seeds"]

_VERSION = 2
"""What an extension has to say of its iterations to be called from here."""


def can_move_centers() -> bool:
    """Return whether the extension makes iterations of K-means."""
    return getattr(native.extension(), "LLOYD", 0) == _VERSION


@dataclass(frozen=True, slots=True)
class CenterMoves:
    """What iterations are made of: rows in memory, and when centers have settled.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous and aligned
    sample_weight : ndarray of shape (N,), optional
        Aligned, too.
    block : int
        Rows whose sums are added up together.
    tolerance : float
        Iterations end when the sum of squared moves of the centers is not above this, or no row has another center.
    instruction_set : str
    """

    rows: RowArray
    sample_weight: FloatArray | None
    block: int
    tolerance: float
    instruction_set: str

    def advance(self, centers: FloatArray, labels: IntArray, best: float, n_steps: int) -> FloatArray:
        """Make some iterations.

        Parameters
        ----------
        centers : ndarray of shape (K, D)
        labels : ndarray of shape (N,)
            Of the latest iteration; those of the last one that is made take their place.
        best : float
            The largest objective so far, minus the sum of squared distances.
        n_steps : int

        Returns
        -------
        ndarray of shape (steps made, 3 + K D)
            Objective, sum of squared moves, how many rows have another center, and the centers, after each.
        """
        film = np.empty((n_steps, 3 + centers.size))
        extension = native.extension()
        assert extension is not None, "there are iterations only where there is an extension"
        made, _ = extension.settle(
            native.position(self.instruction_set), self.block, self.tolerance, best,
            self.rows, self.sample_weight, np.ascontiguousarray(centers), labels, film,
        )  # fmt: skip
        return film[:made]


def draw_seeds(
    rows: RowArray, sample_weight: FloatArray | None, draws: FloatArray, n_seeds: int, instruction_set: str
) -> IntArray:
    """Return the seeds of greedy k-means++, the numbers of K rows.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous and aligned
    sample_weight : ndarray of shape (N,), optional
        Aligned, too.
    draws : ndarray of shape (1 + (K - 1) T,)
        Evenly from 0 to 1: of the first seed, then of T candidates for each further one.
    n_seeds : int
    instruction_set : str
    """
    seeds = np.empty(n_seeds, dtype=np.intp)
    extension = native.extension()
    assert extension is not None, "seeds are drawn here only where there is an extension"
    extension.sow(native.position(instruction_set), rows, sample_weight, draws, seeds)
    return seeds
