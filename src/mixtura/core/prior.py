"""What is known of covariances before any row is seen."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Ridge"]


@dataclass(frozen=True, slots=True)
class Ridge:
    """A constant added to every variance, in squared units of the data.

    This is scikit-learn's ``reg_covar``: ``Sigma_k = S_k / n_k + ridge I``. It is also the floor to
    which a covariance that is not positive definite is repaired.

    Parameters
    ----------
    ridge : float, default=1e-6
        Not negative. Zero allows no floor: an ill-defined covariance is then an error.
    """

    ridge: float = 1e-6
