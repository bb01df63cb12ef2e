"""Contributions of the columns to the distance of a row from the components."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture

__all__ = ["column_contributions"]


def column_contributions(mixture: Mixture, rows: FloatArray) -> FloatArray:
    """Return the share of each column in the squared Mahalanobis distance of each row, averaged over components.

    For component k, ``w = R_k^-1/2 V_k^-1/2 (x - mu_k)`` with variances V_k and correlations R_k: uncorrelated, of
    variance one, and each element closest to its own column. ``w_d^2`` is the contribution of column d; they are not
    negative and sum to the squared distance (Garthwaite and Koch 2016, Evaluating the contributions of individual
    variables to a quadratic form, Australian & New Zealand Journal of Statistics 58). Components count with the
    responsibility they have for the row.

    Parameters
    ----------
    mixture : Mixture
        K components.
    rows : ndarray of shape (N, D)

    Returns
    -------
    ndarray of shape (N, D)
        Squared standard deviations; the sum of a row is the responsibility-weighted squared distance.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.core.explanation.contributions import column_contributions
    >>> mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[1.0, 4.0]], "diag")
    >>> column_contributions(mixture, np.array([[3.0, 2.0]])).tolist()
    [[9.0, 1.0]]
    """
    shares = mixture.responsibilities(rows)
    covariances = mixture.full_covariances()
    found = np.zeros(rows.shape)
    for k in range(mixture.n_components):
        deviations = np.sqrt(np.diag(covariances[k]))
        values, vectors = np.linalg.eigh(covariances[k] / np.outer(deviations, deviations))
        whitened = (rows - mixture.means[k]) / deviations @ (vectors / np.sqrt(values)) @ vectors.T
        found += shares[:, k, None] * np.square(whitened)
    return found
