"""The expected complete log-likelihood of sums: what is known of a mixture's likelihood where rows are gone."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE
from mixtura.core.statistics import Statistics

__all__ = ["expected_log_likelihood"]


def expected_log_likelihood(statistics: Statistics, mixture: Mixture) -> float:
    """Return what a mixture makes of sums, in nats, but for a constant that does not depend on the mixture.

    ``Q = sum_k n_k (log w_k + log|L_k|) - tr(L_k S_k L_k^T) / 2``, with the second moments S_k about the means of the
    mixture; with ``sum_kl h_kl log theta_kl`` of levels, ``n_0 log w_0`` of noise, and of t components
    ``n_k (nu/2 log(nu/2) - log Gamma(nu/2)) + nu/2 e_k`` (Dempster, Laird and Rubin 1977; Peel and McLachlan 2000).

    By Jensen's inequality the log-likelihood of the rows rises from one mixture to another at least by the difference
    of Q, where the sums are those of the first one's responsibilities (Neal and Hinton 1998).

    Parameters
    ----------
    statistics : Statistics
        Dense or diagonal, of K components in D columns, about any means.
    mixture : Mixture

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.core.moments import DENSE
    >>> from mixtura.core.statistics import Statistics
    >>> mixture = Mixture.from_parameters([1.0], [[0.0]], [[[4.0]]])
    >>> sums = Statistics(DENSE, np.zeros((1, 1)), np.array([0.0, 2.0, 2.0, 0.0, 8.0]))  # two rows, -2 and 2
    >>> round(expected_log_likelihood(sums, mixture), 4)  # 2 log N(2; 0, 4)
    -4.2242
    """
    about = statistics.rebase(mixture.means)
    counts, seen = about.counts, about.counts > 0
    factors = mixture.family.storage.whitening(mixture.factors, DENSE, mixture.n_components)
    offsets = mixture.components(DENSE).offsets
    distances = np.einsum("kij,kjl,kil->k", factors, about.second_matrices(), factors)
    found = float(counts[seen] @ offsets[seen] - 0.5 * distances[seen].sum())
    if mixture.levels is not None and about.levels is not None:
        there = about.levels > 0
        found += float(about.levels[there] @ mixture.levels.logs[there])
    if mixture.background is not None:
        noise = about.total_weight - float(counts.sum())
        found += noise * mixture.background.log_weight if noise > 0 else 0.0
    if mixture.tails is not None and about.tails is not None:
        found += _of_tails(mixture.tails.freedom, counts, about.tails[1])
    return found


def _of_tails(freedom: FloatArray, counts: FloatArray, extra: FloatArray) -> float:
    """Return what the weights of the rows add, which have gamma distributions with shape and rate ``nu / 2``."""
    half = 0.5 * freedom
    return float(counts @ (half * np.log(half) - gammaln(half)) + half @ extra)
