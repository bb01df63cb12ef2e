"""What a quasi-Newton method remembers: limited-memory BFGS in its compact form."""

from __future__ import annotations

from math import isfinite

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray

__all__ = ["Curvature"]

_MEMORY = 8
"""Pairs of differences remembered."""

_LEAST_BEND = 1e-4
"""Smallest curvature along a difference that is told from none; EM's own is at most 1."""


class Curvature:
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
        self._memory, self._size = memory, 0
        # The latest differences last.
        self._moves = self._drops = np.empty((0, 0))
        self._last: tuple[FloatArray, FloatArray] | None = None
        self.is_concave = self.is_finite = True

    def __len__(self) -> int:
        return self._size

    def learn(self, point: FloatArray, gradient: FloatArray, *, stay: bool = False) -> None:
        """Take in the gradient at a point; with ``stay`` the point is not where the next difference begins."""
        if self._last is not None:
            move, drop = point - self._last[0], self._last[1] - gradient
            length = float(move @ move)
            bend = float(move @ drop)
            self.is_concave = bend > _LEAST_BEND * length
            self.is_finite = self.is_finite and isfinite(length) and isfinite(bend)
            # Only differences along which it is concave keep H positive definite.
            if self.is_concave:
                self._remember(move, drop)
        if not stay:
            self._last = point, gradient

    def _remember(self, move: FloatArray, drop: FloatArray) -> None:
        if not self._size:
            self._moves, self._drops = np.empty((2, self._memory, move.size))
        for kept, latest in ((self._moves, move), (self._drops, drop)):
            kept[:-1] = kept[1:]
            kept[-1] = latest
        self._size = min(self._size + 1, self._memory)

    def ascent(self, gradient: FloatArray) -> FloatArray:
        """Return ``H gradient``: Newton's step as far as it is known (Byrd, Nocedal and Schnabel 1994, eq. 3.1)."""
        if not self._size:
            return gradient
        moves, drops = self._moves[-self._size :], self._drops[-self._size :]
        cross = (drops @ moves.T).T
        # EM's own step is never too long where all of J's eigenvalues lie between 0 and 1.
        scale = max(1.0, cross[-1, -1] / (drops[-1] @ drops[-1]))
        # Of the products only the upper triangle is read.
        along, _ = lapack.dtrtrs(cross, moves @ gradient)
        left = gradient - along @ drops
        across, _ = lapack.dtrtrs(cross, cross.diagonal() * along - scale * (drops @ left), trans=1)
        return np.asarray(scale * left + across @ moves)
