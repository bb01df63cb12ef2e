"""Evaluate a mixture on all rows, block by block."""

from __future__ import annotations

import operator

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import accumulate, pass_work
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.core.statistics import Statistics
from mixtura.kernels import Kernel, Layout, Outputs

__all__ = ["evaluate", "total_log_likelihood"]


def evaluate(
    blocks: Blocks,
    mixture: Mixture,
    kernel: Kernel,
    runner: Runner,
    *,
    log_density: FloatArray | None = None,
    memberships: FloatArray | None = None,
    labels: IntArray | None = None,
) -> None:
    """Fill whole-table arrays with what a mixture says of the rows.

    Parameters
    ----------
    blocks : Blocks
    mixture : Mixture
    kernel : Kernel
    runner : Runner
    log_density : ndarray of shape (N,), optional
    memberships : ndarray of shape (N, K), optional
    labels : ndarray of shape (N,), optional
        Each filled where given.
    """
    components = mixture.components()

    def one(block: Block) -> int:
        span = block.span
        outputs = Outputs(
            None if log_density is None else log_density[span],
            None if memberships is None else memberships[span],
            None if labels is None else labels[span],
        )
        kernel.accumulate(block.rows, None, components, None, outputs)
        return 0

    work = pass_work(Layout.DENSE, blocks.n_rows, mixture.n_components, mixture.n_features)
    runner.reduce(blocks, one, operator.add, work=work)


def total_log_likelihood(blocks: Blocks, mixture: Mixture, kernel: Kernel, runner: Runner) -> float:
    """Return ``sum_n w_n log p(x_n)`` over all rows, in nats."""
    components = mixture.components()

    def one(block: Block) -> Statistics:
        return accumulate(block, components, kernel)

    work = pass_work(components.layout, blocks.n_rows, mixture.n_components, mixture.n_features)
    return runner.reduce(blocks, one, Statistics.__iadd__, work=work).log_likelihood
