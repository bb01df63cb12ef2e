"""Concentration: a mixture learned again and again from the rows that it finds most likely.

The trimmed likelihood of a share of the rows, those that are most likely, never falls where the mixture is fitted to
the rows kept and the most likely ones are then kept instead (Neykov, Filzmoser, Dimova and Neytchev 2007). With one
component that is the concentration step of the minimum covariance determinant (Rousseeuw and Van Driessen 1999). As
many strange rows as are left out have no say in what is normal, however far off they are.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.anomaly.normal_mixture import log_density_of_patterns
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError
from mixtura.kernels.patterns import RowPatterns
from mixtura.select.inference.refit import Refit

__all__ = ["concentrated", "varies"]

_MOST_STEPS = 10
_REFIT = Refit(n_steps=5)
_LEAST_DIFFERENCE = 1e-9


def concentrated(mixture: Mixture, rows: FloatArray, weights: FloatArray | None, share: float) -> Mixture:
    """Return the mixture of the rows that it finds most likely.

    It ends before the rows kept are equal in a column: from there on the density would have no bound, and rows would
    be kept for being equal (the exact fit of Rousseeuw and Leroy 1987).

    Parameters
    ----------
    mixture : Mixture
        Fitted to all of the rows.
    rows : ndarray of shape (n, D), C-contiguous
        NaN where a value is missing.
    weights : ndarray of shape (n,) or None
    share : float
        Of the weight of the rows, left out.
    """
    patterns, kept = RowPatterns.of(rows), np.empty(0, dtype=np.intp)
    for _ in range(_MOST_STEPS):
        now = _most_likely(log_density_of_patterns(mixture, rows, patterns), weights, share)
        chosen = rows[now]
        if np.array_equal(now, kept) or not varies(chosen).all():
            break
        kept = now
        data = as_data(chosen, None if weights is None else weights[now]).alone()
        try:
            mixture = _REFIT.from_mixture(data, mixture).mixture
        except MixturaError:
            break
    return mixture


def _most_likely(density: FloatArray, weights: FloatArray | None, share: float) -> IntArray:
    """Return the numbers of the rows that are kept, in ascending order."""
    order = np.argsort(-density, kind="stable")
    held = np.arange(1, len(order) + 1) if weights is None else np.cumsum(weights[order])
    n_kept = int(np.searchsorted(held, (1.0 - share) * held[-1])) + 1
    return np.sort(order[:n_kept])


def varies(rows: FloatArray) -> BoolArray:
    """Return which columns have different values among some rows, (D,)."""
    known = ~np.isnan(rows)
    highest = np.where(known, rows, -np.inf).max(axis=0)
    lowest = np.where(known, rows, np.inf).min(axis=0)
    return np.asarray(highest - lowest > _LEAST_DIFFERENCE)
