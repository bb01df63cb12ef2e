"""What `Outputs.scores` gain by rows, as the NumPy twin adds it up."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["scores_of"]


def scores_of(
    weight: FloatArray | None,
    log_density: FloatArray,
    logs: FloatArray,
    background: FloatArray | None,
    *,
    hard: bool,
) -> FloatArray:
    """Return the sums of log density, entropy and ``-log max_k r_k`` of some rows, (3,).

    Parameters
    ----------
    weight : ndarray of shape (B,), optional
        A weight of zero adds nothing, whatever the row holds.
    log_density : ndarray of shape (B,)
    logs : ndarray of shape (K, B)
        Log densities of the components.
    background : ndarray of shape (B,), optional
        That of what belongs to none of them.
    hard : bool
        Whether rows are wholly their most likely component's, so that entropies are zero.
    """
    if hard:
        entropy = certain = np.zeros(log_density.shape)
    else:
        logs = logs if background is None else np.vstack([logs, background])
        shares = logs - log_density
        # The limit of r log r at 0 is 0.
        entropy = -(np.exp(shares) * np.where(shares == -np.inf, 0.0, shares)).sum(axis=0)
        certain = np.minimum(shares.max(axis=0), 0.0)
    per_row = np.stack([log_density, entropy, 0.0 - certain])
    if weight is not None:
        per_row = np.where(weight == 0.0, 0.0, weight * per_row)
    return np.asarray(per_row.sum(axis=1))
