"""What a quasi-Newton method remembers: limited-memory BFGS in its compact form."""

from __future__ import annotations

from math import isfinite

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray

__all__ = ["LimitedMemoryBFGS"]

_MEMORY = 8
"""Pairs of differences remembered."""

_LEAST_BEND = 1e-4
"""Smallest curvature along a difference that is told from none; EM's own is at most 1."""


class LimitedMemoryBFGS:
    """What differences of points and of gradients tell of the inverse of the negative Hessian: limited-memory BFGS.

    Parameters
    ----------
    memory : int, default=8
        Differences kept, the latest ones.

    Attributes
    ----------
    is_concave : bool
        Whether along the latest difference the objective bends downwards, as near a maximum it does.
    is_finite : bool
        Whether every difference was a finite number.
    """

    def __init__(self, memory: int = _MEMORY) -> None:
        self._memory = memory
        # The latest differences last.
        self._moves = self._drops = np.empty((0, 0))
        self._last: tuple[FloatArray, FloatArray] | None = None
        self.is_concave = self.is_finite = True

    def __len__(self) -> int:
        return len(self._moves)

    def update(self, points: FloatArray, gradients: FloatArray, *, stay: bool = False) -> None:
        """Take in the gradients at some points, (H, P), one after the other, or at one, (P,).

        With ``stay`` they are not where the next difference begins.
        """
        points, gradients = np.atleast_2d(points, gradients)
        last = points[-1:], gradients[-1:]
        if self._last is not None:
            points = np.concatenate([self._last[0], points])
            gradients = np.concatenate([self._last[1], gradients])
        if len(points) > 1:
            self._keep(points[1:] - points[:-1], gradients[:-1] - gradients[1:])
        if not stay:
            self._last = last

    def _keep(self, moves: FloatArray, drops: FloatArray) -> None:
        lengths, bends = np.add.reduce(moves * moves, axis=1), np.add.reduce(moves * drops, axis=1)
        # Only differences along which it is concave keep H positive definite.
        concave = bends > _LEAST_BEND * lengths
        self.is_concave = bool(concave[-1])
        self.is_finite = self.is_finite and isfinite(np.add.reduce(lengths + np.abs(bends)))
        if len(self._moves):
            moves = np.concatenate([self._moves, moves[concave]])
            drops = np.concatenate([self._drops, drops[concave]])
        else:
            moves, drops = moves[concave], drops[concave]
        self._moves, self._drops = moves[-self._memory :], drops[-self._memory :]

    def direction(self, gradient: FloatArray) -> FloatArray:
        """Return ``H gradient``: Newton's step as far as it is known (Byrd, Nocedal and Schnabel 1994, eq. 3.1)."""
        moves, drops = self._moves, self._drops
        if not len(moves):
            return gradient
        cross = (drops @ moves.T).T
        # EM's own step is never too long where all of J's eigenvalues lie between 0 and 1.
        scale = max(1.0, cross[-1, -1] / (drops[-1] @ drops[-1]))
        # Of the products only the upper triangle is read.
        along, _ = lapack.dtrtrs(cross, moves @ gradient)
        left = gradient - along @ drops
        across, _ = lapack.dtrtrs(cross, cross.diagonal() * along - scale * (drops @ left), trans=1)
        return np.asarray(scale * left + across @ moves)
