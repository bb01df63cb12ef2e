"""The M-step: sums, a covariance family and a prior go in, a mixture comes out. It never sees rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import CovarianceFamily, NotPositiveDefiniteError
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.exceptions import IllDefinedCovarianceError

__all__ = ["Repair", "RepairKind", "maximize"]

_EMPTY = 10 * float(np.finfo(np.float64).eps)
"""An effective count below which a component has no rows: what rounding leaves of none."""

_ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for instance "
    "caused by singleton or collapsed samples). Try to decrease the number of components, increase reg_covar, or "
    "scale the input data."
)


class RepairKind(Enum):
    """What had to be repaired in a component."""

    EMPTY = "no row belongs to it any more; it keeps its place with weight zero"
    COLLAPSED = (
        "its covariance was not positive definite; its smallest variances were raised to the floor that reg_covar "
        "sets, or where that is zero it kept its last covariance"
    )


@dataclass(frozen=True, slots=True)
class Repair:
    """A component that would have broken the fit, and what was done.

    Parameters
    ----------
    component : int
    kind : RepairKind
    """

    component: int
    kind: RepairKind


def maximize(
    statistics: Statistics, family: CovarianceFamily, prior: Ridge, previous: Mixture | None = None
) -> tuple[Mixture, tuple[Repair, ...]]:
    """Return the mixture that maximizes the expected complete log-likelihood, and the repairs it needed.

    ``w_k = n_k / sum_j n_j``, ``mu_k = mean_k + s_k / n_k``, and the family's covariances of the second moments
    about the new means (Dempster, Laird and Rubin 1977; McLachlan and Peel 2000, section 3.2).

    Parameters
    ----------
    statistics : Statistics
    family : CovarianceFamily
    prior : Ridge
    previous : Mixture, optional
        The mixture that weighted the rows; an empty component keeps its covariance.

    Raises
    ------
    IllDefinedCovarianceError
        A covariance of the start is not positive definite and ``prior.ridge`` is zero.
    DataError
        The sums are not finite.
    """
    counts = statistics.counts
    statistics.require_finite()
    empty = np.flatnonzero(counts <= _EMPTY)
    means = statistics.means + statistics.first / np.maximum(counts, _EMPTY)[:, None]
    means[empty] = statistics.means[empty]
    covariances = family.estimate(
        statistics, means, prior, None if previous is None else previous.covariances
    )
    if empty.size and previous is not None and not family.coupled:
        covariances = family.keep(covariances, previous.covariances, empty)
    repairs = [Repair(int(k), RepairKind.EMPTY) for k in empty]
    weights = counts / counts.sum()
    try:
        factors = family.factor(covariances, *means.shape)
    except NotPositiveDefiniteError as error:
        covariances = _repaired(covariances, error, statistics, family, prior, previous)
        factors = family.factor(covariances, *means.shape)
        repairs += [Repair(k, RepairKind.COLLAPSED) for k in error.components]
    return Mixture(weights, means, covariances, family, factors), tuple(repairs)


def _repaired(
    covariances: FloatArray,
    error: NotPositiveDefiniteError,
    statistics: Statistics,
    family: CovarianceFamily,
    prior: Ridge,
    previous: Mixture | None,
) -> FloatArray:
    """Return positive definite covariances.

    With a floor, the smallest variances are raised to it. Without one, a component keeps its last covariance: the
    expected log-likelihood still does not fall, as the means maximize it for any covariance (a generalized M-step).
    """
    if prior.ridge > 0:
        return family.repair(covariances, error.components, prior.ridge, _column_scale(statistics))
    if previous is None:
        raise IllDefinedCovarianceError(_ILL_DEFINED) from error
    kept = range(statistics.n_components) if family.coupled else error.components
    return family.keep(covariances, previous.covariances, np.array(kept))


def _column_scale(statistics: Statistics) -> FloatArray:
    """Magnitude of each column, (D,): a variance far below its square is lost in rounding."""
    return np.asarray(np.abs(statistics.means).max(axis=0))
