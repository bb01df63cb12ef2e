"""Priors that keep covariances from collapsing, by name."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from mixtura._typing import FloatArray
from mixtura.core.prior import Conjugate, Floor, Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.validation import Interval

__all__ = ["PRIORS", "PriorName", "make_prior"]

PriorName = Literal["floor", "conjugate"]

PRIORS = ("floor", "conjugate", Interval(0))
"""What `prior` may be; a number is added to every variance."""


def make_prior(
    prior: PriorName | float, total: Statistics, n_components: int, rounding: FloatArray | None = None
) -> Prior:
    """Return the prior of a table for a number of components.

    Parameters
    ----------
    prior : {"floor", "conjugate"} or float
        A number is added to every variance.
    total : Statistics
        Dense one-component statistics of all rows.
    n_components : int
    rounding : ndarray of shape (D,) or None, default=None
        Steps that the columns are rounded to, for the floor; see `Floor.of`.
    """
    if total.n_features == 0:
        return Ridge(0.0)
    if prior == "floor":
        return _floor(total) if rounding is None else Floor.of(total, rounding=rounding)
    return Conjugate.of(total, n_components) if prior == "conjugate" else Ridge(float(prior))


@lru_cache(maxsize=32)
def _floor(total: Statistics) -> Floor:
    """Return the floor of a table, found once: a resample is fitted with several numbers of components."""
    return Floor.of(total)
