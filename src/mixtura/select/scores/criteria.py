"""Criteria that weigh fit against size, or against how sharply the components part; for all of them smaller is better.

Rows may be weighted: the log-likelihood and the entropies are then weighted sums, and the number of rows is the sum of
the weights. R's mclust prints BIC and ICL with the opposite sign, where larger is better; its ``icl()`` is minus the
`icl` here, its ``BIC`` minus the `bic` here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["CRITERIA", "FIT_CRITERIA", "aic", "aicc", "bic", "caic", "icl", "mmdl", "nec"]

FIT_CRITERIA = ("bic", "aic", "aicc", "caic", "mmdl", "icl", "nec")
"""What is known of every fit to all rows."""

CRITERIA = (*FIT_CRITERIA, "cv")
"""What a search can rank by; smaller is better. ``cv`` is minus twice the log-likelihood of rows held out."""


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


def aicc(log_likelihood: float, n_parameters: int, n_rows: float) -> float:
    """Return Akaike's criterion corrected for few rows, ``AIC + 2 p (p + 1) / (n - p - 1)`` (Hurvich and Tsai 1989).

    Infinite where there are no more than ``p + 1`` rows: the correction grows without limit on the way there.

    Examples
    --------
    >>> from mixtura.select import aicc
    >>> aicc(-100.0, 5, 36), aicc(-100.0, 5, 6)
    (212.0, inf)
    """
    spare = n_rows - n_parameters - 1
    if spare <= 0:
        return math.inf
    return aic(log_likelihood, n_parameters) + 2.0 * n_parameters * (n_parameters + 1) / spare


def caic(log_likelihood: float, n_parameters: int, n_rows: float) -> float:
    """Return the consistent criterion of Akaike's kind, ``-2 log L + p (log n + 1)`` (Bozdogan 1987).

    Examples
    --------
    >>> from mixtura.select import bic, caic
    >>> caic(-100.0, 5, 36) - bic(-100.0, 5, 36)
    5.0
    """
    return bic(log_likelihood, n_parameters, n_rows) + n_parameters


def mmdl(
    log_likelihood: float, n_parameters: int, n_rows: float, n_own: float, weights: Iterable[float]
) -> float:
    """Return the description length of a mixture, ``BIC + p_1 sum_k log w_k`` (Figueiredo, Leitao and Jain 1999).

    BIC takes every parameter for one that all n rows determine. The p_1 that a component has for itself, its mean and
    what is its own of the covariance, are determined by about ``n w_k`` rows, those that belong to it, and each costs
    ``log(n w_k)``; weights and what components share cost ``log n``.

    Parameters
    ----------
    log_likelihood, n_parameters, n_rows
        As for `bic`.
    n_own : float
        p_1, free parameters that each component has for itself.
    weights : iterable of float
        w_k, of the components; one of less than a row counts as one row.

    Examples
    --------
    >>> from mixtura.select import bic, mmdl
    >>> round(mmdl(-100.0, 5, 36, 2, [0.25, 0.75]) - bic(-100.0, 5, 36), 4)  # 2 log(3 / 16)
    -3.348
    """
    logs = sum(math.log(max(weight, 1.0 / n_rows)) for weight in weights)
    return bic(log_likelihood, n_parameters, n_rows) + n_own * logs


def icl(log_likelihood: float, n_parameters: int, n_rows: float, classification_entropy: float) -> float:
    """Return the integrated completed likelihood ``BIC + 2 C`` (Biernacki, Celeux and Govaert 2000).

    C is the classification entropy ``-sum_n w_n log max_k r_nk``: every row counts as a member of its most probable
    component, as in mclust's ``icl()``. (The entropy ``-sum_n w_n sum_k r_nk log r_nk`` in its place, as some authors
    have it, is never smaller.) Components that overlap cost, so that ICL counts clusters and BIC components.

    Parameters
    ----------
    log_likelihood, n_parameters, n_rows
        As for `bic`.
    classification_entropy : float
        C, in nats; 0 where every row is certain.

    Examples
    --------
    >>> from mixtura.select import bic, icl
    >>> icl(-100.0, 5, 36, 7.5) - bic(-100.0, 5, 36)
    15.0
    """
    return bic(log_likelihood, n_parameters, n_rows) + 2.0 * classification_entropy


def nec(log_likelihood: float, single_log_likelihood: float, entropy: float, n_components: int) -> float:
    """Return the normalized entropy criterion ``E / (log L(K) - log L(1))`` (Celeux and Soromenho 1996).

    Overlap of the components for what they gain. It is 1 for a single component, by convention (Biernacki, Celeux and
    Govaert 1999), so that a smaller value speaks for clusters; infinite where nothing is gained over one component.

    Parameters
    ----------
    log_likelihood : float
        Of the mixture of K components, in nats.
    single_log_likelihood : float
        Of one component of the same covariance type.
    entropy : float
        ``E = -sum_n w_n sum_k r_nk log r_nk``, in nats.
    n_components : int
        K.

    Examples
    --------
    >>> from mixtura.select import nec
    >>> nec(-100.0, -180.0, 20.0, 3), nec(-180.0, -180.0, 0.0, 1), nec(-181.0, -180.0, 20.0, 2)
    (0.25, 1.0, inf)
    """
    if n_components == 1:
        return 1.0
    gain = log_likelihood - single_log_likelihood
    return math.inf if gain <= 0 else entropy / gain
