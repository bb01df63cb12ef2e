"""A quick fit: mixtures of six families on the sample, and what they say of the shape of the groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.segments.advice.evidence.normality import Mardia, energy_p_value, mardia
from mixtura.segments.advice.findings.capacity import FAMILIES
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.weighted import effective_counts
from mixtura.select import Candidate, search

__all__ = ["ComponentNormality", "QuickFit", "component_normality", "quick_fit", "rows_by_weight"]

_COMPONENTS = range(1, 10)
_MORE = range(10, 16)
"""Tried, with the best family alone, where nine are the best so far."""
_NORMALITY_ROWS = 1000
_ENERGY_ROWS = 150
_MOST_REPEATED = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class QuickFit:
    """The mixtures of the sample.

    Parameters
    ----------
    best : Candidate
        The smallest BIC among models whose components all hold more rows than there are columns.
    mixture : Mixture
        Of the best.
    labels : ndarray of shape (N,)
        The component of each row.
    gain : float
        By how much BIC is smaller than that of the best single component; 0 if that is the best.
    round_loss : float
        By how much the BIC of the best with equal round components (EII) exceeds the best, in the standardized columns.
    box_loss : float
        The same for equal components with one variance per column (EEI).
    unequal : float
        For the latter: the largest variance over the smallest in the user's units; 1 for round in those.
    smallest : float
        Smallest over largest group.
    overlap : float
        Expected share of rows that the most probable component is wrong about, ``1 - mean max_k r_nk``.
    """

    best: Candidate
    mixture: Mixture
    labels: IntArray
    gain: float
    round_loss: float
    box_loss: float
    unequal: float
    smallest: float
    overlap: float


def quick_fit(scaled: FloatArray, scale: FloatArray, seed: int) -> QuickFit:
    """Fit one to nine components of six families, as far as there are more rows than parameters.

    Where nine are best, up to fifteen of that family are fitted.

    Parameters
    ----------
    scaled : ndarray of shape (N, D)
        Standardized rows.
    scale : ndarray of shape (D,)
        Standard deviations in the user's units.
    seed : int
    """
    fitted = _fits(scaled, FAMILIES, _COMPONENTS, seed)
    best = _best(fitted, scaled)
    if best.n_components == max(_COMPONENTS):
        fitted += _fits(scaled, [best.covariance_type], _MORE, seed)
        best = _best(fitted, scaled)
    fitted.sort(key=lambda one: one.bic)
    mixture = best.mixture
    assert mixture is not None, "only fitted candidates are left"
    labels = mixture.predict(scaled)
    counts = np.bincount(labels, minlength=mixture.n_components)
    return QuickFit(
        best=best,
        mixture=mixture,
        labels=labels,
        gain=min(one.bic for one in fitted if one.n_components == 1) - best.bic,
        round_loss=_loss(fitted, "EII", best),
        box_loss=_loss(fitted, "EEI", best),
        unequal=_unequal(fitted, scale),
        smallest=float(counts.min() / counts.max()),
        overlap=float(1 - mixture.responsibilities(scaled).max(axis=1).mean()),
    )


def _fits(scaled: FloatArray, families: Sequence[str], components: range, seed: int) -> list[Candidate]:
    """Fit up to as many components as there are rows for; degenerate fits are left out if others are left."""
    n, d = scaled.shape
    sizes = [k for k in components if k == 1 or k * (d + 1) < n]
    found = search(scaled, components=sizes, covariance_types=families, random_state=seed).candidates
    fitted = [one for one in found if not one.failure and (one.n_components == 1 or one.n_parameters < n)]
    return [one for one in fitted if not one.is_degenerate] or fitted


def _best(fitted: list[Candidate], scaled: FloatArray) -> Candidate:
    ranking = sorted(fitted, key=lambda one: one.bic)
    return next((one for one in ranking if _smallest_count(one, scaled) > scaled.shape[1]), ranking[0])


def _smallest_count(candidate: Candidate, scaled: FloatArray) -> int:
    assert candidate.mixture is not None, "only fitted candidates are asked"
    counts = np.bincount(candidate.mixture.predict(scaled), minlength=candidate.n_components)
    return int(counts.min()) if candidate.n_components > 1 else len(scaled) + scaled.shape[1]


def _loss(fitted: list[Candidate], family: str, best: Candidate) -> float:
    """Return the gap to the best with as many components, or with the best number where that many were not tried."""
    of_family = [one for one in fitted if one.covariance_type == family]
    same = [one.bic for one in of_family if one.n_components == best.n_components]
    return min(same or [one.bic for one in of_family], default=np.inf) - best.bic


def _unequal(fitted: list[Candidate], scale: FloatArray) -> float:
    boxes = [one.mixture for one in fitted if one.covariance_type == "EEI" and one.mixture is not None]
    if not boxes:
        return np.inf
    deviations = np.sqrt(np.diagonal(boxes[0].full_covariances()[0])) * (scale / scale.max())
    ratio = float(deviations.max() / deviations.min())
    return ratio * ratio


@dataclass(frozen=True, slots=True)
class ComponentNormality:
    """Whether the rows of one component are normally distributed.

    Parameters
    ----------
    component : int
        From 0.
    n_rows : int
    mardia : Mardia
    energy_p : float
        p-value of the energy test on at most 150 of the rows.
    """

    component: int
    n_rows: int
    mardia: Mardia
    energy_p: float

    def rejected(self, level: float) -> bool:
        """Return whether any of the three tests rejects, each at a third of the level; energy at no less than 0.01."""
        smallest = min(self.mardia.skewness_p, self.mardia.kurtosis_p)
        return smallest < level / 3 or self.energy_p <= max(level / 3, 0.01)


def segment_normality(
    model: SegmentModel, rows: FloatArray, memberships: FloatArray, weights: FloatArray | None
) -> tuple[ComponentNormality, ...]:
    """Return whether each segment of a model with enough customers looks Gaussian; none where some were merged."""
    if not model.columns or model.groups:
        return ()
    rng = np.random.default_rng(model.training.seed)
    # Whether whole rows look Gaussian: filled ones would.
    whole = ~np.isnan(model.scaling.masked(rows)).any(axis=1)
    if not whole.all():
        rows, memberships = rows[whole], memberships[whole]
        weights = None if weights is None else weights[whole]
    return component_normality(rows, model.mixture, rng, weights, memberships, scaled=model.scaling.apply)


def component_normality(
    rows: FloatArray,
    mixture: Mixture,
    rng: np.random.Generator,
    weights: FloatArray | None = None,
    memberships: FloatArray | None = None,
    *,
    scaled: Callable[[FloatArray], FloatArray] = np.asarray,
) -> tuple[ComponentNormality, ...]:
    """Test each component that has enough rows, not all equal.

    Rows are given to components at random with the probabilities of their memberships: if the mixture is right, each
    component's rows are then a sample of its normal distribution. (Rows given to the most probable component are
    cut off where components overlap, and never normal.)

    Parameters
    ----------
    rows : ndarray of shape (N, D)
    mixture : Mixture
        Of scaled rows.
    rng : numpy.random.Generator
    weights : ndarray of shape (N,) or None, default=None
        A row of weight w stands for w equal rows, a fraction of a row with that probability; of a total weight above
        a million, weights are taken in proportion to that.
    memberships : ndarray of shape (N, K) or None, default=None
        Of the rows, where they are known.
    scaled : callable, optional
        From rows to what the mixture sees; by default they are that.
    """
    if weights is not None:
        chosen = rows_by_weight(weights, rng)
        rows, memberships = rows[chosen], None if memberships is None else memberships[chosen]
    if memberships is None:
        memberships = mixture.responsibilities(scaled(rows))
    drawn = _drawn(memberships, rng.random(len(rows)))
    found = []
    for component in range(mixture.n_components):
        members = np.flatnonzero(drawn == component)
        if members.size < max(20, 3 * rows.shape[1]):
            continue
        some = scaled(rows[rng.permutation(members)[:_NORMALITY_ROWS]])
        if not np.ptp(some, axis=0).any():
            continue
        found.append(
            ComponentNormality(
                component=component,
                n_rows=members.size,
                mardia=mardia(some),
                energy_p=energy_p_value(some[:_ENERGY_ROWS], rng),
            )
        )
    return tuple(found)


def _drawn(memberships: FloatArray, uniform: FloatArray) -> IntArray:
    """Return the component that a uniform number, shape (N,), draws for each row, column by column: rows are short."""
    drawn, total = np.zeros(len(memberships), dtype=np.intp), np.zeros(len(memberships))
    for one in memberships.T[:-1]:
        total += one
        drawn += total < uniform
    return drawn


def rows_by_weight(weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return row numbers, each as often as its weight says; fractions are rounded at random."""
    weights = effective_counts(weights)
    total = float(weights.sum())
    if total > _MOST_REPEATED:
        weights = weights * (_MOST_REPEATED / total)
    times = np.floor(weights).astype(np.intp)
    if np.any(weights != times):
        times += rng.random(len(weights)) < weights - times
    return np.repeat(np.arange(len(weights)), times)
