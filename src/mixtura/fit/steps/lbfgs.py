"""Limited-memory BFGS in its compact form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray

__all__ = ["LimitedMemoryBFGS"]

_MEMORY = 8
"""Pairs of differences remembered."""

_LEAST_BEND = 1e-4
"""Smallest curvature along a difference that counts as one; EM's own is at most 1."""


@dataclass(frozen=True, slots=True, eq=False)
class LimitedMemoryBFGS:
    """The inverse of the negative Hessian as far as differences of points and of gradients show it.

    Parameters
    ----------
    memory : int, default=8
        Differences kept, the latest ones.
    moves, drops : ndarray of shape (H, P)
        Differences of points, and by how much the gradient fell along them; the latest last.
    last : tuple of ndarray, optional
        The point and the gradient at which the next difference begins, each of shape (1, P).
    is_concave : bool
        Whether along the latest difference the objective bends downwards, as near a maximum it does.
    is_finite : bool
        Whether every difference was a finite number.
    """

    memory: int = _MEMORY
    moves: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    drops: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    last: tuple[FloatArray, FloatArray] | None = None
    is_concave: bool = True
    is_finite: bool = True

    def __len__(self) -> int:
        return len(self.moves)

    def update(self, points: FloatArray, gradients: FloatArray, *, stay: bool = False) -> LimitedMemoryBFGS:
        """Return what the gradients at some points, (H, P), one after the other, or at one, (P,), add.

        With ``stay`` they are not where the next difference begins.
        """
        points, gradients = np.atleast_2d(points, gradients)
        last = self.last if stay else (points[-1:], gradients[-1:])
        if self.last is not None:
            points = np.concatenate([self.last[0], points])
            gradients = np.concatenate([self.last[1], gradients])
        if len(points) == 1:
            return replace(self, last=last)
        return self._kept(points[1:] - points[:-1], gradients[:-1] - gradients[1:], last)

    def _kept(
        self, moves: FloatArray, drops: FloatArray, last: tuple[FloatArray, FloatArray] | None
    ) -> LimitedMemoryBFGS:
        lengths, bends = np.add.reduce(moves * moves, axis=1), np.add.reduce(moves * drops, axis=1)
        # Only differences along which it is concave keep H positive definite.
        concave = bends > _LEAST_BEND * lengths
        is_finite = self.is_finite and isfinite(np.add.reduce(lengths + np.abs(bends)))
        if len(self.moves):
            moves = np.concatenate([self.moves, moves[concave]])
            drops = np.concatenate([self.drops, drops[concave]])
        else:
            moves, drops = moves[concave], drops[concave]
        kept = moves[-self.memory :], drops[-self.memory :]
        return LimitedMemoryBFGS(self.memory, *kept, last, bool(concave[-1]), is_finite)

    def direction(self, gradient: FloatArray) -> FloatArray:
        """Return ``H gradient``: Newton's step as far as it is known (Byrd, Nocedal and Schnabel 1994, eq. 3.1)."""
        moves, drops = self.moves, self.drops
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
