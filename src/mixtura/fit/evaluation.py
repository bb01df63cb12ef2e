"""Evaluate a mixture on all rows, block by block."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import pass_work
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.kernels import Components, Kernel, Outputs

__all__ = ["Score", "evaluate", "score_mixture"]


def evaluate(
    blocks: Blocks,
    components: Components,
    kernel: Kernel,
    runner: Runner,
    outputs: Outputs,
    *,
    hard: bool = False,
) -> None:
    """Fill whole-table arrays with what components say of the rows.

    Parameters
    ----------
    blocks : Blocks
        N rows.
    components : Components
    kernel : Kernel
    runner : Runner
    outputs : Outputs
        Arrays of N entries; each is filled where given.
    hard : bool, default=False
        Give every row wholly to its most likely component.
    """

    def one(block: Block) -> int:
        kernel.accumulate(block.rows, None, components, None, outputs.of(block.span), hard=hard)
        return 0

    work = pass_work(components.layout, blocks.n_rows, components.n_components, components.n_features)
    runner.reduce(blocks, one, operator.add, work=work)


@dataclass(frozen=True, slots=True)
class Score:
    """What a mixture makes of all rows, in nats.

    Parameters
    ----------
    log_likelihood : float
        ``sum_n w_n log p(x_n)``.
    entropy : float
        Of the responsibilities, ``-sum_n w_n sum_k r_nk log r_nk``: 0 where every row is certain.
    classification_entropy : float
        ``-sum_n w_n log max_k r_nk``; not above the entropy.
    """

    log_likelihood: float
    entropy: float
    classification_entropy: float


def score_mixture(blocks: Blocks, mixture: Mixture, kernel: Kernel, runner: Runner) -> Score:
    """Return log-likelihood and entropies in one pass; responsibilities are held for one block per worker."""
    components = mixture.components()

    def one(block: Block) -> FloatArray:
        n_rows = block.rows.shape[0]
        log_density, memberships = np.empty(n_rows), np.empty((n_rows, mixture.n_components))
        kernel.accumulate(block.rows, None, components, None, Outputs(log_density, memberships))
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

    work = pass_work(components.layout, blocks.n_rows, mixture.n_components, mixture.n_features)
    return Score(*runner.reduce(blocks, one, operator.iadd, work=work).tolist())
