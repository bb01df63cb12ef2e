"""Limited-memory BFGS in its compact form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np

from mixtura._typing import FloatArray
from mixtura.kernels import get_algebra

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
        if points.ndim == 1:
            return self._updated(points, gradients, stay=stay)
        last = self.last if stay else (points[-1:], gradients[-1:])
        if self.last is not None:
            points = np.concatenate([self.last[0], points])
            gradients = np.concatenate([self.last[1], gradients])
        if len(points) == 1:
            return replace(self, last=last)
        moves, drops = points[1:] - points[:-1], gradients[:-1] - gradients[1:]
        lengths, bends = np.add.reduce(moves * moves, axis=1), np.add.reduce(moves * drops, axis=1)
        concave = bends > _LEAST_BEND * lengths
        is_finite = self.is_finite and isfinite(np.add.reduce(lengths + np.abs(bends)))
        return self._kept(moves[concave], drops[concave], last, bool(concave[-1]), is_finite)

    def _updated(self, point: FloatArray, gradient: FloatArray, *, stay: bool) -> LimitedMemoryBFGS:
        """Return the same for one point, (P,), as nearly every pass adds one."""
        last = self.last if stay else (point[None], gradient[None])
        if self.last is None:
            return replace(self, last=last)
        move, drop = point - self.last[0][0], self.last[1][0] - gradient
        length, bend = float(move.dot(move)), float(move.dot(drop))
        concave = bend > _LEAST_BEND * length
        is_finite = self.is_finite and isfinite(length + abs(bend))
        if not concave:
            return LimitedMemoryBFGS(self.memory, self.moves, self.drops, last, False, is_finite)
        return self._kept(move[None], drop[None], last, True, is_finite)

    def _kept(
        self,
        moves: FloatArray,
        drops: FloatArray,
        last: tuple[FloatArray, FloatArray] | None,
        is_concave: bool,
        is_finite: bool,
    ) -> LimitedMemoryBFGS:
        """Return what differences add; only those along which it is concave keep H positive definite."""
        if len(self.moves):
            moves, drops = np.concatenate([self.moves, moves]), np.concatenate([self.drops, drops])
        kept = moves[-self.memory :], drops[-self.memory :]
        return LimitedMemoryBFGS(self.memory, *kept, last, is_concave, is_finite)

    def direction(self, gradient: FloatArray) -> FloatArray:
        """Return ``H gradient``: Newton's step as far as it is known."""
        return (
            get_algebra().newton_direction(self.moves, self.drops, gradient) if len(self.moves) else gradient
        )
