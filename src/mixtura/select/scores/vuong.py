"""Whether a criterion separates two models: Vuong's statistic with the penalty of the criterion."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["NOT_SEPARATED", "criterion_separation"]

NOT_SEPARATED = 1.96
"""Two-sided 5 % quantile of the normal distribution: criteria closer than this many standard errors are as good."""


def criterion_separation(
    difference: float,
    log_densities: FloatArray,
    other: FloatArray,
    total_weight: float,
    weights: FloatArray | None = None,
) -> float:
    """Return by how many standard errors the criterion of one model exceeds that of another.

    Half the difference of criteria such as BIC is the difference of the log-likelihoods, corrected for the parameters.
    Vuong (1989, section 5) compares it with its standard error over samples, ``sqrt(N) omega``, where omega is the
    standard deviation of ``log f(x) - log g(x)``. Models are not separated where another sample may well rank them the
    other way round.

    Parameters
    ----------
    difference : float
        Of the criteria: minus twice a penalized log-likelihood each, of all rows.
    log_densities, other : ndarray of shape (n,)
        Of the same rows, or a random sample of them, under each model.
    total_weight : float
        Number of all rows, or the sum of their weights.
    weights : ndarray of shape (n,) or None, default=None
        How often each row counts.

    Returns
    -------
    float
        With the sign of the difference; infinite where both have the same densities and another number of parameters.

    References
    ----------
    Vuong (1989), Likelihood ratio tests for model selection and non-nested hypotheses, Econometrica 57.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.select.scores.vuong import criterion_separation
    >>> better = np.array([0.3, -0.1, 0.5, 0.1])
    >>> round(criterion_separation(1.6, better, np.zeros(4), 4.0), 3)
    1.789
    """
    ratios = log_densities - other
    variance = float(np.average((ratios - np.average(ratios, weights=weights)) ** 2, weights=weights))
    error = np.sqrt(total_weight * variance)
    if error == 0:
        return float(np.sign(difference) * np.inf) if difference else 0.0
    return float(difference / 2 / error)
