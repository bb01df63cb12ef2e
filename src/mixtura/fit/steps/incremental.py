"""Incremental expectation-maximization: new rows beside the sums of earlier ones, which are kept as they are.

The sums of the rows at hand are computed again in every pass, those of earlier rows stay as they are: coordinate ascent
in the bound of Neal and Hinton (1998), over the mixture and the responsibilities of the rows at hand. Sums that are
multiplied by a factor first are those of rows that count less: forgetting (Cappe and Moulines 2009).

R. M. Neal and G. E. Hinton (1998). A view of the EM algorithm that justifies incremental, sparse, and other variants.
In: Learning in Graphical Models, 355-368.
O. Cappe and E. Moulines (2009). On-line expectation-maximization algorithm for latent data models. Journal of the Royal
Statistical Society B 71, 593-613.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma

from mixtura._typing import FloatArray
from mixtura.core.accumulate import EStep
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.parts.expected_likelihood import expected_log_likelihood
from mixtura.core.statistics import Statistics
from mixtura.fit.steps.em import EMState, EMStep, Problem

__all__ = ["IncrementalEMStep", "KeptSums", "implied_sums", "sums_of"]


def sums_of(data: Data, mixture: Mixture) -> Statistics:
    """Return the sums that a mixture can be learned from again: with all second moments that its family needs.

    Their log-likelihood is that of the rows.
    """
    moments = mixture.family.moments[-1]
    return data.reduce(EStep(mixture.components(moments), data.kernel))


def implied_sums(mixture: Mixture, total_weight: float, *, ridge: float = 0.0) -> Statistics:
    """Return sums of which the M-step makes just this mixture: what it says itself of the rows it was learned from.

    ``n_k = W w_k``, ``s_k = 0`` and ``S_k = n_k Sigma_k``. In a family whose covariances are restricted the rows had
    others, which are not known any more. At a maximum the weights u of t components have the mean one (Kent, Tyler and
    Vardi 1994), and their logarithms the one that makes the degrees of freedom the likeliest.

    Parameters
    ----------
    mixture : Mixture
    total_weight : float
        W, of rows in components or not.
    ridge : float, default=0
        What was added to variances.
    """
    moments, counts = mixture.family.moments[-1], total_weight * mixture.weights
    covariances = mixture.full_covariances() - ridge * np.eye(mixture.n_features)
    second = moments.pack(counts[:, None, None] * covariances)
    parts = ([0.0, total_weight], counts, np.zeros(mixture.means.size), second.ravel())
    found = Statistics(moments, mixture.means, np.concatenate(parts))
    if mixture.tails is not None:
        half = 0.5 * mixture.tails.freedom
        extra = -counts * (1.0 + np.log(half) - digamma(half))
        found = replace(found, tails=np.stack([counts, extra]))
    if mixture.levels is not None:
        found = replace(found, levels=mixture.levels.implied_counts(counts))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class KeptSums:
    """Sums of rows that are gone.

    Parameters
    ----------
    sums : Statistics
        As `sums_of` gives them. Their log-likelihood is that of the rows under `mixture`, or a bound below it.
    mixture : Mixture
    """

    sums: Statistics
    mixture: Mixture

    def about(self, mixture: Mixture) -> Statistics:
        """Return the sums about the means of another mixture, with the bound of the log-likelihood under it."""
        found = self.sums.rebase(mixture.means)
        gained = expected_log_likelihood(self.sums, mixture) - expected_log_likelihood(
            self.sums, self.mixture
        )
        found.sums[0] = self.sums.log_likelihood + gained
        return found

    def scaled(self, factor: float) -> KeptSums:
        """Return the sums of rows that count less, or more."""
        return KeptSums(self.sums.scale(factor), self.mixture)


class IncrementalEMStep(EMStep):
    """One EM iteration on the rows at hand, beside kept sums of earlier rows.

    The objective is the bound of the log-likelihood of all rows, with the log prior density, per unit of weight.

    Parameters
    ----------
    problem : Problem
        The rows at hand.
    kept : KeptSums
    """

    def __init__(self, problem: Problem, kept: KeptSums) -> None:
        super().__init__(problem)
        self._kept = kept

    def init(self, model: Mixture) -> EMState:
        return EMState(model, model.family.moments[-1])

    def gather(self, state: EMState) -> Statistics:
        """Pass over the rows at hand; add what is kept of the others."""
        return super().gather(state) + self._kept.about(state.model)

    def _gather_about(self, means: FloatArray, state: EMState, found: Statistics) -> Statistics:
        rows = super()._gather_about(means, state, found) + self._kept.sums.rebase(means)
        rows.sums[0] = found.log_likelihood
        return rows
