"""Hartigan's dip test of unimodality, by the library diptest.

The dip of a sample is the largest difference between its empirical distribution function and the unimodal distribution
function that makes that largest difference smallest (Hartigan and Hartigan 1985, The dip test of unimodality, Annals of
Statistics 13, 70-84). diptest wraps the code of R's package of that name (algorithm AS 217 as corrected by Maechler)
and interpolates its table of quantiles.
"""

from __future__ import annotations

import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import FloatArray

__all__ = ["dip_p_value", "dip_statistic"]

_PURPOSE = "test whether there is more than one mode"


def dip_statistic(values: FloatArray) -> float:
    """Return the dip of a sample, between ``1 / (2 N)`` and 1/4.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite numbers, at least one, in any order and unit.

    Raises
    ------
    OptionalDependencyError
        diptest is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.advice import dip_statistic
    >>> round(dip_statistic(np.array([0.0, 0.1, 0.2, 9.8, 9.9, 10.0])), 4)
    0.2449
    """
    with require_extra("diptest", extra="cli", purpose=_PURPOSE):
        from diptest import dipstat

    return float(dipstat(np.sort(values), sort_x=False, allow_zero=False))


def dip_p_value(values: FloatArray) -> float:
    """Return how often as many values from a single mode, a uniform one, have at least the dip of a sample.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite numbers, at least 4, in any order and unit.

    Raises
    ------
    OptionalDependencyError
        diptest is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.advice import dip_p_value
    >>> one = np.random.default_rng(0).normal(size=200)
    >>> two = np.concatenate([one, one + 6.0])
    >>> dip_p_value(one) > 0.5, dip_p_value(two) < 0.01
    (True, True)
    """
    with require_extra("diptest", extra="cli", purpose=_PURPOSE):
        from diptest import diptest

    return float(diptest(np.sort(values), sort_x=False, allow_zero=False)[1])
