"""Warnings of a fit, in scikit-learn's words where it has them."""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning

from mixtura.fit import FitResult

__all__ = ["warn_of"]

_NOT_CONVERGED = (
    "Best performing initialization did not converge. Try different init parameters, or increase max_iter, tol, or "
    "check for degenerate data."
)
_MOST_IS_NOISE = (
    "{:.0%} of the rows are noise. Standardize the columns if `reg_covar`, {:g}, is near their variances."
)
_CALLER = 5
"""How many calls up the one stands who called `fit`."""


def warn_of(result: FitResult, *, max_iter: int, reg_covar: float) -> None:
    """Warn of what the user should hear of a fit: its notes, that it did not converge, or that most is noise."""
    for note in result.notes:
        warnings.warn(note, ConvergenceWarning, stacklevel=_CALLER)
    if not result.converged and max_iter > 0:
        warnings.warn(_NOT_CONVERGED, ConvergenceWarning, stacklevel=_CALLER)
    if (noise := result.mixture.background) is not None and noise.weight > 0.5:
        warnings.warn(_MOST_IS_NOISE.format(noise.weight, reg_covar), ConvergenceWarning, stacklevel=_CALLER)
