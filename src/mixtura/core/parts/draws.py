"""Random rows of a mixture, from its parameters."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance import Structure
from mixtura.core.parts.student import Tails
from mixtura.kernels.terms.background import Background

__all__ = ["draw_rows"]


def draw_rows(
    rng: np.random.RandomState,
    n_samples: int,
    weights: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    family: Structure,
    *,
    tails: Tails | None = None,
    noise: Background | None = None,
) -> tuple[FloatArray, IntArray]:
    """Return random rows (n_samples, D) of a mixture, ordered by component, and their components (n_samples,)."""
    sizes = rng.multinomial(n_samples, weights if noise is None else [*weights, noise.weight])
    rows = [
        family.storage.draw(rng, mean, covariances, k, int(size))
        for k, (mean, size) in enumerate(zip(means, sizes, strict=False))
    ]
    numbers = np.arange(len(means)).repeat(sizes[: len(means)])
    if tails is not None:
        for mean, own, nu in zip(means, rows, tails.freedom, strict=True):
            own -= mean
            own /= np.sqrt(rng.chisquare(nu, size=len(own)) / nu)[:, None]
            own += mean
    if noise is None:
        return np.concatenate(rows), numbers
    own = noise.box.draw(rng, int(sizes[-1]))
    return np.vstack([*rows, own]), np.concatenate([numbers, np.full(len(own), -1)])
