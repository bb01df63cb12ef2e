"""Log-likelihood and entropies of a mixture on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import EStep, Summed, evaluate, pass_work
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Block, Blocks
from mixtura.core.queries.moment_sums import scoring_query
from mixtura.expressions.aggregates import Aggregates
from mixtura.kernels import Components, Kernel, Outputs

__all__ = ["Score", "Scoring", "log_likelihood", "score_mixture"]


@dataclass(frozen=True, slots=True)
class Score:
    """How well a mixture fits all rows, and how sure it is of them, in nats.

    Parameters
    ----------
    log_likelihood : float
        ``sum_n w_n log p(x_n)``.
    entropy : float
        Of the responsibilities, ``-sum_n w_n sum_k r_nk log r_nk``, noise included: 0 where every row is certain.
    classification_entropy : float
        ``-sum_n w_n log max_k r_nk``; not above the entropy.
    """

    log_likelihood: float
    entropy: float
    classification_entropy: float


@dataclass(frozen=True, slots=True, eq=False)
class Scoring(Summed[FloatArray]):
    """Log-likelihood and both entropies of some rows, (3,); responsibilities are held for one block per worker.

    Parameters
    ----------
    components : Components
    kernel : Kernel
    """

    components: Components
    kernel: Kernel

    def __call__(self, block: Block) -> FloatArray:
        n_rows = block.n_rows
        log_density, memberships = np.empty(n_rows), np.empty((n_rows, self.components.n_components))
        outputs = Outputs(log_density, memberships)
        evaluate(block, self.components, self.kernel, outputs)
        if self.components.background is not None:
            noise = np.clip(1.0 - memberships.sum(axis=1), 0.0, 1.0)
            memberships = np.column_stack([memberships, noise])
        # The limit of r log r at 0 is 0, which the smallest positive number stands for.
        logs = np.log(np.maximum(memberships, np.finfo(np.float64).tiny))
        # Rounding may leave a certain row a little above one.
        per_row = (
            log_density,
            -np.einsum("nk,nk->n", memberships, logs),
            0.0 - np.minimum(reduce(np.maximum, logs.T), 0.0),
        )
        weights = block.sample_weight
        return np.array([values.sum() if weights is None else values @ weights for values in per_row])

    def query(self, *, weighted: bool) -> Aggregates[FloatArray]:
        return scoring_query(self.components, weighted=weighted)

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.components.layout, blocks.n_rows, *self.components.means.shape)


def score_mixture(data: Data, mixture: Mixture) -> Score:
    """Return log-likelihood and entropies in one pass."""
    return Score(*data.reduce(Scoring(mixture.components(), data.kernel)).tolist())


def log_likelihood(data: Data, mixture: Mixture) -> float:
    """Return the total log-likelihood, ``sum_n w_n log p(x_n)``, in nats."""
    return data.reduce(EStep(mixture.components(), data.kernel)).log_likelihood
