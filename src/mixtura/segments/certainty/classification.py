"""Classification statistics as Latent GOLD prints them: errors, their reduction, R-squared, and the table behind them.

Vermunt and Magidson (2016), Technical Guide for Latent GOLD 5.1, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.certainty.certainty import Certainty

__all__ = ["Classification", "classification_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """How well segments are recognized by the columns; sums over customers by weight.

    Parameters
    ----------
    errors : float
        Classification errors: ``E = mean_n (1 - max_k r_nk)``, the share expected in the wrong segment.
    reduction_of_errors : float
        Lambda: ``1 - E / (1 - max_k P_k)`` with ``P_k = mean_n r_nk``; 0 where the columns help as little as knowing
        the largest segment.
    entropy_r2 : float
        Entropy R-squared: ``1 - mean_n H(r_n) / H(P)`` with ``H(p) = -sum_k p_k log p_k``. It differs from
        ``1 - mean_n H(r_n) / log K``, which some programs call relative entropy.
    standard_r2 : float
        Standard R-squared: ``1 - mean_n (1 - sum_k r_nk^2) / (1 - sum_k P_k^2)``.
    table : ndarray of shape (K, K)
        Customers assigned to a segment (row) by the segment to which they are expected to belong (column), by weight.
    """

    errors: float
    reduction_of_errors: float
    entropy_r2: float
    standard_r2: float
    table: FloatArray


def classification_of(certainty: Certainty) -> Classification:
    """Return the statistics; with one segment there is nothing to reduce or explain, and they are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import measure_certainty
    >>> from mixtura.segments.certainty.classification import classification_of
    >>> found = classification_of(measure_certainty(np.array([[0.9, 0.1], [0.2, 0.8]]), ["A", "B"]))
    >>> round(found.errors, 3), round(found.reduction_of_errors, 3), round(found.entropy_r2, 3)
    (0.15, 0.667, 0.4)
    """
    shares = certainty.table.sum(axis=0) / certainty.table.sum()
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return Classification(
        errors=certainty.expected_error,
        reduction_of_errors=_explained(certainty.expected_error, 1.0 - float(shares.max())),
        entropy_r2=_explained(certainty.mean_entropy, -float(shares @ logs)),
        standard_r2=_explained(1.0 - certainty.mean_square, 1.0 - float(shares @ shares)),
        table=certainty.table,
    )


def _explained(left: float, whole: float) -> float:
    return 1.0 - left / whole if whole > 0 else float("nan")
