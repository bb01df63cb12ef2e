"""What keeps covariances from collapsing, by name."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mixtura.core.prior import Conjugate, Floor, Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError

__all__ = ["PriorName", "make_prior", "require_prior"]

PriorName = Literal["floor", "conjugate"]


def require_prior(prior: PriorName | float) -> None:
    """Raise `ParameterError` unless it is a name, or a number that is not negative."""
    is_number = not isinstance(prior, str) and 0 <= prior < np.inf
    if prior not in ("floor", "conjugate") and not is_number:
        raise ParameterError(
            f"`prior` must be 'floor', 'conjugate', or a number of at least 0; got {prior!r}. Try `prior='floor'`."
        )


def make_prior(prior: PriorName | float, total: Statistics, n_components: int) -> Prior:
    """Return the prior of a table for a number of components.

    Parameters
    ----------
    prior : {"floor", "conjugate"} or float
        A number is added to every variance.
    total : Statistics
        Dense one-component statistics of all rows.
    n_components : int
    """
    if prior == "floor":
        return Floor.of(total)
    return Conjugate.of(total, n_components) if prior == "conjugate" else Ridge(float(prior))
