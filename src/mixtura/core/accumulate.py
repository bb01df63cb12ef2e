"""The E-step on one block: rows and a mixture go in, sums come out."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.protocols import Block
from mixtura.core.statistics import Statistics
from mixtura.kernels import Components, Kernel, Layout, Outputs

__all__ = ["accumulate", "accumulate_about", "accumulate_given", "pass_work"]

_NOTHING = Outputs()


def accumulate(block: Block, components: Components, kernel: Kernel) -> Statistics:
    """Return the sums of one block, weighted by the responsibilities that the mixture gives its rows.

    With ``z_k = L_k (x - mu_k)``, the log densities ``l_k = log w_k + log|L_k| - D/2 log(2 pi) - |z_k|^2 / 2``
    give ``r_k = exp(l_k - log sum_j exp l_j)``.

    Parameters
    ----------
    block : Block
    components : Components
        What the mixture asks of a kernel: `Mixture.components`, computed once per pass.
    kernel : Kernel
    """
    statistics = Statistics.zero(components.layout, components.means)
    kernel.accumulate(block.rows, block.sample_weight, components, statistics.sums, _NOTHING)
    return statistics


def accumulate_given(
    block: Block,
    responsibilities: FloatArray | IntArray,
    means: FloatArray,
    layout: Layout,
    kernel: Kernel,
) -> Statistics:
    """Return the sums of one block whose responsibilities (n, K), or labels (n,), are known.

    The sums are about ``means`` of shape (K, D).
    """
    statistics = Statistics.zero(layout, means)
    kernel.accumulate_given(block.rows, block.sample_weight, responsibilities, means, layout, statistics.sums)
    return statistics


def accumulate_about(
    block: Block, components: Components, means: FloatArray, layout: Layout, kernel: Kernel
) -> Statistics:
    """Return the sums of `accumulate`, but about other means, (K, D), and without the log-likelihood.

    For components whose means move further than their new widths: sums about the old means would cancel.
    """
    shares = np.empty((block.rows.shape[0], components.n_components))
    kernel.accumulate(block.rows, None, components, None, Outputs(memberships=shares))
    return accumulate_given(block, shares, means, layout, kernel)


def pass_work(layout: Layout, n_rows: int, n_components: int, n_features: int) -> float:
    """Estimate the floating-point operations of a pass, an exponential counted as 30."""
    per_component = {
        Layout.DENSE: 2.0 * n_features * (n_features + 3),
        Layout.DIAGONAL: 8.0 * n_features,
        Layout.SHARED: 6.0 * n_features,
    }
    return n_rows * n_components * (per_component[layout] + 30.0)
