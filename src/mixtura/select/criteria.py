"""Criteria that weigh fit against size; for all of them smaller is better."""

from __future__ import annotations

import math

__all__ = ["aic", "bic"]


def bic(log_likelihood: float, n_parameters: int, n_rows: float) -> float:
    """Return the Bayesian information criterion ``-2 log L + p log n`` (Schwarz 1978).

    Parameters
    ----------
    log_likelihood : float
        Total, in nats.
    n_parameters : int
        Free parameters p.
    n_rows : float
        Number of rows n, or the sum of the sample weights.

    Examples
    --------
    >>> from mixtura.select import bic
    >>> round(bic(-1126.326, 11, 272), 3)
    2314.316
    """
    return -2.0 * log_likelihood + n_parameters * math.log(n_rows)


def aic(log_likelihood: float, n_parameters: int) -> float:
    """Return Akaike's information criterion ``-2 log L + 2 p`` (Akaike 1974).

    Examples
    --------
    >>> from mixtura.select import aic
    >>> aic(-100.0, 5)
    210.0
    """
    return -2.0 * log_likelihood + 2.0 * n_parameters
