"""Log-likelihood and entropies of a mixture on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import mixtura.core.queries as queries
from mixtura._typing import FloatArray
from mixtura.core.accumulate import EStep, Summed, evaluate, pass_work
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Block, Blocks
from mixtura.kernels import Components, Kernel, Outputs

if TYPE_CHECKING:
    from mixtura.expressions.aggregates import Aggregates

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
    """Log-likelihood and both entropies of some rows, (3,).

    Parameters
    ----------
    components : Components
    kernel : Kernel
    """

    components: Components
    kernel: Kernel

    def __call__(self, block: Block) -> FloatArray:
        scores, components = np.zeros(3), self.components
        evaluate(block, components, self.kernel, Outputs(scores=scores), weight=block.sample_weight)
        return scores

    def query(self, *, weighted: bool) -> Aggregates[FloatArray]:
        return queries.scoring_query(self.components, weighted=weighted)

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.components.layout, blocks.n_rows, *self.components.means.shape)


def score_mixture(data: Data, mixture: Mixture) -> Score:
    """Return log-likelihood and entropies in one pass."""
    return Score(*data.reduce(Scoring(mixture.components(), data.kernel)).tolist())


def log_likelihood(data: Data, mixture: Mixture) -> float:
    """Return the total log-likelihood, ``sum_n w_n log p(x_n)``, in nats."""
    return data.reduce(EStep(mixture.components(), data.kernel)).log_likelihood
