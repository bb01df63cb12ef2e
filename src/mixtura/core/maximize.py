"""The M-step: a mixture from sums, a covariance structure and a prior. It never sees rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.covariance import EMPTY, Factors, NotPositiveDefiniteError, Structure
from mixtura.core.covariance.factors import whiten
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Prior
from mixtura.core.statistics import NOT_FINITE, Statistics
from mixtura.exceptions import DataError, IllDefinedCovarianceError
from mixtura.kernels import Estimate, get_algebra
from mixtura.kernels.algebra import Trouble

__all__ = ["Repair", "RepairKind", "maximize"]

_FEW = 20.0
"""From this many rows on, adding `EMPTY` changes no digit."""

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
    statistics: Statistics,
    family: Structure,
    prior: Prior,
    previous: Mixture | None = None,
    *,
    lift: bool = True,
) -> tuple[Mixture, tuple[Repair, ...]]:
    """Return the mixture that maximizes the expected complete log-likelihood, and the repairs it needed.

    ``w_k = n_k / sum_j n_j``, ``mu_k = mean_k + s_k / n_k``, and the family's covariances of the second moments
    about the new means (Dempster, Laird and Rubin 1977; McLachlan and Peel 2000, section 3.2). With a conjugate prior
    it is that plus the logarithm of the prior density which is largest; with a floor the covariances keep it. With a
    ridge the means are scikit-learn's, ``mu_k = sum r x / (n_k + 10 eps)``: some units in the last place apart, which
    is many widths of a component that has collapsed onto a row far from zero.

    Parameters
    ----------
    statistics : Statistics
    family : Structure
    prior : Prior
    previous : Mixture, optional
        The mixture that weighted the rows; an empty component keeps its covariance.
    lift : bool, default=True
        Whether covariances that are not positive definite may be raised to a floor; where they may not, that is
        reported as a repair, and the mixture is of no use.

    Raises
    ------
    IllDefinedCovarianceError
        A covariance of the start is not positive definite and the prior has no least variance.
    DataError
        The sums are not finite.
    """
    found = _in_one_call(statistics, family, prior, previous)
    if isinstance(found, Mixture):
        return found, ()
    if found and previous is not None and not lift:
        return previous, tuple(Repair(k, RepairKind.COLLAPSED) for k in found)
    counts = statistics.counts
    statistics.require_finite()
    means = statistics.means + statistics.first / np.maximum(counts, EMPTY)[:, None]
    repairs = list[Repair]()
    fewest = np.minimum.reduce(counts)
    if fewest < _FEW and prior.ridge:
        means *= counts[:, None]
        means /= (counts + EMPTY)[:, None]
    if fewest <= EMPTY:
        empty = np.flatnonzero(counts <= EMPTY)
        means[empty] = statistics.means[empty]
        repairs += [Repair(int(k), RepairKind.EMPTY) for k in empty]
    # What overflows, or is not a number, shows below, as a covariance that is not positive definite.
    with np.errstate(all="ignore"):
        sums, means = prior.add_pseudo_observations(statistics, means, family)
        covariances, factors = _estimate(sums, means, family, prior, previous, lift=lift)
    weights = counts / np.add.reduce(counts)
    if isinstance(factors, NotPositiveDefiniteError):
        repairs += [Repair(k, RepairKind.COLLAPSED) for k in factors.components]
        covariances = _repaired(covariances, factors, statistics, family, prior, previous)
        factors = _factor(family, covariances, means)
        if isinstance(factors, NotPositiveDefiniteError):
            raise DataError(NOT_FINITE) from factors
    return Mixture(weights, means, covariances, family, factors), tuple(repairs)


def _in_one_call(
    statistics: Statistics, family: Structure, prior: Prior, previous: Mixture | None
) -> Mixture | tuple[int, ...]:
    """Return the mixture where the algebra has it and nothing stands against it.

    That is a component without rows, which keeps its last covariance, a covariance that is not positive definite, and,
    where covariances have something in common, one near the floor. Then the components whose covariances are not
    positive definite are returned.
    """
    closed, common = family.closed_form, family.common_form
    form = closed or common
    if form is None or not prior.is_flat or statistics.moments not in family.moments:
        return ()
    ridge, floor = prior.ridge, prior.floor
    if ridge and statistics.total_weight < family.fewest_rows:
        return ()
    bound, added = None if floor is None else floor.bound(form), EMPTY if ridge else 0.0
    given = statistics.means, statistics.sums, ridge, EMPTY, bound, added
    if closed is not None:
        found: Estimate | None = get_algebra().closed_form(closed, *given)
    elif common is not None:
        before = None if previous is None else (previous.covariances, previous.factors.whitening)
        found = get_algebra().common_form(common, *given, before)
    if found is None or found.trouble:
        trouble = () if found is None else found.trouble
        return tuple(k for k, one in enumerate(trouble) if one == Trouble.SINGULAR)
    weights, means, covariances, whitening, log_determinants, offsets, _ = found
    return Mixture(weights, means, covariances, family, Factors(whitening, log_determinants), offsets)


def _estimate(
    sums: Statistics,
    means: FloatArray,
    family: Structure,
    prior: Prior,
    previous: Mixture | None,
    *,
    lift: bool,
) -> tuple[FloatArray, Factors | NotPositiveDefiniteError]:
    """Return the best covariances and their factors, or why there are none.

    Where the best covariances are well above the floor of the prior, it is as if there were none. Where those of the
    last step were not, these hardly are.
    """
    before, floor = None if previous is None else previous.covariances, prior.floor
    if floor is None:
        covariances = family.estimate(sums, means, prior, before)
        return covariances, _factor(family, covariances, means)
    if previous is None or family.is_above_floor(previous.factors, floor):
        covariances = family.estimate(sums, means, prior, before)
        factors = _factor(family, covariances, means)
        if isinstance(factors, NotPositiveDefiniteError):
            if not lift:
                return covariances, factors
        elif family.is_above_floor(factors, floor):
            return covariances, factors
    covariances = family.estimate_constrained(sums, means, floor, before)
    return covariances, _factor(family, covariances, means)


def _factor(
    family: Structure, covariances: FloatArray, means: FloatArray
) -> Factors | NotPositiveDefiniteError:
    try:
        return family.storage.factor(covariances, *means.shape)
    except NotPositiveDefiniteError as error:
        return error


def _repaired(
    covariances: FloatArray,
    error: NotPositiveDefiniteError,
    statistics: Statistics,
    family: Structure,
    prior: Prior,
    previous: Mixture | None,
) -> FloatArray:
    """Return positive definite covariances.

    With a floor, the smallest variances are raised to it, unless the last covariance is more likely. Without one, a
    component keeps its last covariance.
    """
    broken = np.array(range(statistics.n_components) if family.coupled else error.components)
    if prior.least_variance <= 0:
        if previous is None:
            raise IllDefinedCovarianceError(_ILL_DEFINED) from error
        return family.storage.keep(covariances, previous.covariances, broken)
    with np.errstate(all="ignore"):
        wanted = (
            _own(statistics, prior)
            if family.coupled
            else family.storage.full(covariances, *statistics.means.shape)
        )
        raised = family.repair(covariances, error.components, prior.least_variance, _column_scale(statistics))
        if previous is None:
            return raised
        worse = _worse(family, raised, previous, wanted, statistics.counts)
    kept = broken[worse[broken]]
    return family.storage.keep(raised, previous.covariances, kept) if kept.size else raised


def _worse(
    family: Structure, raised: FloatArray, previous: Mixture, wanted: FloatArray, counts: FloatArray
) -> npt.NDArray[np.bool_]:
    """Return for which components repaired covariances are less likely than the previous ones, (K,).

    Given the sums, a covariance is worth ``-n_k (log|Sigma_k| + tr(Sigma_k^-1 C_k)) / 2``, with C_k the covariance of
    the component by itself. As the means maximize the expected log-likelihood for any covariances, the better of the
    two never lowers it (a generalized M-step). Covariances that depend on each other are compared in sum.
    """
    shape = previous.means.shape
    losses = [_losses(family.storage.full(each, *shape), wanted) for each in (raised, previous.covariances)]
    worse = ~(losses[0] <= losses[1])
    if not family.coupled:
        return worse
    return np.full(shape[0], not counts @ losses[0] <= counts @ losses[1])


def _own(statistics: Statistics, prior: Prior) -> FloatArray:
    """Return the covariance that each component has by itself, (K, D, D); of all together where moments are pooled."""
    counts = np.maximum(statistics.counts, EMPTY)
    about = statistics.rebase(statistics.means + statistics.first / counts[:, None])
    own = about.second_matrices()
    own /= counts[:, None, None] if len(own) == len(counts) else counts.sum()
    return np.broadcast_to(own + prior.ridge * np.eye(own.shape[-1]), (len(counts), *own.shape[1:]))


def _losses(covariances: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return ``log|Sigma_k| + tr(Sigma_k^-1 C_k)`` of each component, (K,); NaN where it is not a number."""
    try:
        factors = whiten(covariances)
    except NotPositiveDefiniteError:
        return np.full(len(covariances), np.nan)
    lower = factors.whitening
    return np.asarray(np.einsum("kij,kjl,kil->k", lower, wanted, lower) - 2.0 * factors.log_determinants)


def _column_scale(statistics: Statistics) -> FloatArray:
    """Magnitude of each column, (D,): a variance far below its square is lost in rounding."""
    return np.asarray(np.abs(statistics.means).max(axis=0))
