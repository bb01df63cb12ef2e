"""A distribution of a single peak: skewed or with long or short tails, but without groups."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import MixturaError
from mixtura.select.model_search.search import search

__all__ = ["count_peaks", "single_peak_gain"]

_COMPONENTS = range(2, 5)

_VALLEY, _ERRORS = 0.1, 3.5
"""Share of the lower of two peaks, and standard errors of the density there, that the density between them is lower by
at least, for them to be two."""

_LOW = 0.02
"""Share of the highest density below which nothing is a peak, but a few outliers."""

_BINS = 512


def single_peak_gain(values: FloatArray, weights: FloatArray, price: float) -> tuple[float, int]:
    """Return what a mixture of up to four Gaussians gains over one, in nats, and the parameters it has more.

    Zero where the values have several peaks, which are groups, or where one Gaussian is as good. It is looked for only
    where skewness or kurtosis differ from a Gaussian's by more than a mixture costs (the statistic of Jarque and Bera
    1980 is about twice the log-likelihood to be gained).

    Parameters
    ----------
    values : ndarray of shape (n,)
    weights : ndarray of shape (n,)
    price : float
        Of a parameter, in units of minus twice the log-likelihood.
    """
    total = float(weights.sum())
    z = _standardized(values, weights)
    if z is None:
        return 0.0, 0
    skewness, excess = float(weights @ z**3) / total, float(weights @ z**4) / total - 3.0
    if total * (skewness**2 / 6.0 + excess**2 / 24.0) < 3.0 * price or count_peaks(values, weights) > 1:
        return 0.0, 0
    gaussian = -0.5 * total * (np.log(2.0 * np.pi) + 1.0)
    try:
        found = search(z[:, None], components=_COMPONENTS, covariance_types="full", sample_weight=weights)
    except MixturaError:
        return 0.0, 0
    best = found.best
    if best.is_degenerate or not 2.0 * (best.log_likelihood - gaussian) > (best.n_parameters - 2) * price:
        return 0.0, 0
    return best.log_likelihood - gaussian, best.n_parameters - 2


def count_peaks(values: FloatArray, weights: FloatArray) -> int:
    """Return the number of peaks of a kernel density estimate that chance does not explain.

    The bandwidth is Silverman's (1986, formula 3.31). Two peaks with a valley between them that is not deeper than 3.5
    standard errors of the density, or than a tenth, are one.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.select.columns.single_peak import count_peaks
    >>> one = np.random.default_rng(0).normal(size=500)
    >>> [count_peaks(values, np.ones(values.size)) for values in (one, np.concatenate([one, one + 4.0]))]
    [1, 2]
    """
    z = _standardized(values, weights)
    if z is None:
        return 1
    n = float(weights.sum()) ** 2 / float(weights @ weights)
    low, high = np.quantile(z, [0.25, 0.75])
    bandwidth = 0.9 * min(1.0, (high - low) / 1.349 or 1.0) * n**-0.2
    counts, edges = np.histogram(
        z, _BINS, (z.min() - 3 * bandwidth, z.max() + 3 * bandwidth), weights=weights
    )
    width = edges[1] - edges[0]
    reach = np.arange(-_BINS + 1, _BINS) * width / bandwidth
    kernel = np.exp(-0.5 * reach**2) / (np.sqrt(2.0 * np.pi) * bandwidth)
    density = np.maximum(np.convolve(counts / counts.sum(), kernel, "valid"), 0.0)
    # The variance of the estimate is about f R(K) / (n h), with R(K) = 1 / (2 sqrt(pi)).
    error = _ERRORS * np.sqrt(density / (2.0 * np.sqrt(np.pi) * n * bandwidth))
    return _peaks(density, error)


def _peaks(density: FloatArray, error: FloatArray) -> int:
    least = _LOW * density.max()

    def is_below(valley: int, peak: int) -> bool:
        fall = density[peak] - density[valley]
        return bool(fall > max(_VALLEY * density[peak], error[peak]))

    peaks, highest, valley = 1, 0, 0
    for place, value in enumerate(density):
        if value >= density[highest] and not is_below(valley, highest):
            highest = valley = place
            continue
        if value < density[valley]:
            valley = place
        if value > least and is_below(valley, highest) and is_below(valley, place):
            peaks, highest, valley = peaks + 1, place, place
    return peaks


def _standardized(values: FloatArray, weights: FloatArray) -> FloatArray | None:
    total = float(weights.sum())
    if not total > 0:
        return None
    apart = values - float(weights @ values) / total
    deviation = float(np.sqrt(weights @ apart**2 / total))
    return np.asarray(apart / deviation) if deviation > 0 else None
