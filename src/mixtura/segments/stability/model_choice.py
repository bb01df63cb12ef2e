"""The choice among models that the criterion does not separate: the one that resamples find again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.known_labels import predict_free
from mixtura.core.protocols import RowTable
from mixtura.fit import Outcome
from mixtura.segments.comparison.agreement import best_jaccard, contingency_table, pairwise_adjusted_rand
from mixtura.segments.model.robust_file import components_alone
from mixtura.segments.options import Settings
from mixtura.segments.stability.resample import Refits, refit_labels
from mixtura.segments.stability.stability_verdict import is_stable
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.weighted import effective_counts
from mixtura.select import Candidate
from mixtura.select.model_search.ranking import choose_best, decided_by, with_best_types
from mixtura.select.scores.vuong import NOT_SEPARATED, criterion_separation

__all__ = ["ComparisonSample", "Contender", "ModelChoice", "choose_model"]

_CRITERIA = ("bic", "aic", "aicc", "caic", "mmdl")
"""Penalized log-likelihoods, whose differences have a standard error."""

_SAMPLE_ROWS = 2_000
"""Rows that are resampled, of larger tables, and the densities are compared in."""

_NO_OVERLAP = 1e-3
"""Mean of ``-log max_k r_k``, about the expected error, up to which components do not overlap."""

_RESAMPLES = 20
_STARTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A model that was compared with others by its stability.

    Parameters
    ----------
    candidate : Candidate
    separation : float
        By how many standard errors its criterion exceeds the smallest, see `criterion_separation`.
    agreements : ndarray of shape (B,)
        Mean adjusted Rand index of each resample's partition with those of the others.
    least_jaccard : float
        Similarity of the least stable segment to its counterpart in resamples.
    n_rows : int, default=0
        How many rows were resampled, of larger tables fewer than there are.
    """

    candidate: Candidate
    separation: float
    agreements: FloatArray
    least_jaccard: float
    n_rows: int = 0

    @property
    def adjusted_rand(self) -> float:
        """Mean adjusted Rand index over all pairs of resamples."""
        return float(self.agreements.mean())

    def less_stable_by(self, other: Contender) -> float:
        """Return by how many standard errors it is less stable than another; resamples are the same for both.

        A mean over pairs has twice the standard error of a mean over as many independent values (Hoeffding 1948).
        """
        if self is other:
            return 0.0
        gap = other.adjusted_rand - self.adjusted_rand
        if self.agreements.size == other.agreements.size > 1:
            variance = float((other.agreements - self.agreements).var(ddof=1)) / self.agreements.size
        else:  # a resample without a mixture: not the same ones any more
            variance = sum(float(one.agreements.var()) / one.agreements.size for one in (self, other))
        error = 2 * np.sqrt(variance)
        return gap / error if error > 0 else float(np.sign(gap) * np.inf) if gap else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class ModelChoice:
    """The model that was chosen, and those it was compared with.

    Parameters
    ----------
    best : Candidate
    smallest : Candidate
        The one of the smallest criterion; where models are compared, of those whose covariance type may win.
    compared : tuple of Contender, default=()
        In the order of the criterion; empty where the criterion alone decides.
    determined : bool, default=True
        Whether the table determines a number of segments: not so if the criterion falls up to the largest number that
        was tried, and resamples do not find as many segments again.
    refits : dict, optional
        What was learned from resamples, so that the stability of the segments need not learn it again.
    """

    best: Candidate
    smallest: Candidate
    compared: tuple[Contender, ...] = ()
    determined: bool = True
    refits: Refits = field(default_factory=dict)

    @property
    def rule(self) -> str:
        """What decided: ``"stability"``, or as `SearchResult.rule` says."""
        return "stability" if self.compared else decided_by(self.best, self.smallest)


def choose_model(
    candidates: Sequence[Candidate],
    rows: RowTable,
    scaling: Scaling,
    settings: Settings,
    weights: FloatArray | None = None,
) -> ModelChoice:
    """Choose among models that may be chosen.

    1. The criterion decides where it can: where no other number of segments comes within 1.96 standard errors of the
       smallest value (Vuong 1989). With ``"icl"``, ``"nec"`` and ``"cv"`` it always does.
    2. Among numbers that it does not separate, each with its best covariance type, the most stable in resamples is
       chosen; of those within one standard error of the most stable, the one of the smallest criterion. The largest
       number that was tried is not among them: with more segments the criterion might be smaller still.
    3. If the criterion prefers the largest number that was tried to all others, the table may have as many segments or
       more: it does, if its components do not overlap, or if resamples find them again. Otherwise the criterion follows
       the shape of a density which is not Gaussian, and the table does not determine a number; the most stable of the
       smaller numbers is given. The criterion has no say there, so that the standard error does not matter.

    A single segment is chosen by the criterion alone: it has no stability.

    Parameters
    ----------
    candidates : sequence of Candidate
        Not empty, the best by the criterion first.
    rows : ndarray of shape (N, D)
        In the user's units.
    scaling : Scaling
        From these to what the mixtures see.
    settings : Settings
    weights : ndarray of shape (N,) or None, default=None

    Returns
    -------
    ModelChoice
    """
    first, smallest = choose_best(candidates, settings.criterion), candidates[0]
    by_number = _best_of_each_number(candidates, settings.criterion)
    if settings.criterion not in _CRITERIA or first.n_components == 1 or len(by_number) <= 1:
        return ModelChoice(first, smallest)
    sample = ComparisonSample.of(rows, scaling, weights, settings)
    gaps = {one: sample.separation(one, first) for one in by_number}
    largest = max(one.n_components for one in by_number)
    near = [one for one in by_number if gaps[one] < NOT_SEPARATED and one.n_components < largest]
    if first.n_components < largest or near:
        if near == [first]:
            return ModelChoice(first, smallest)
        compared = [sample.contender(one, gaps[one]) for one in near]
        return ModelChoice(_most_stable(compared).candidate, first, tuple(compared), refits=sample.refits)
    if _are_apart(first):
        return ModelChoice(first, smallest)
    leader = sample.contender(first, 0.0)
    if is_stable(leader.adjusted_rand, leader.least_jaccard):
        return ModelChoice(first, smallest, refits=sample.refits)
    others = [sample.contender(one, gaps[one]) for one in by_number if one is not first]
    best = max(others, key=lambda one: one.adjusted_rand).candidate
    return ModelChoice(best, first, (leader, *others), determined=False, refits=sample.refits)


def _are_apart(candidate: Candidate) -> bool:
    """Return whether the components do not overlap: parts of one group would, at their borders."""
    return bool(candidate.classification_entropy <= _NO_OVERLAP * candidate.n_rows)


def _best_of_each_number(candidates: Sequence[Candidate], criterion: str) -> list[Candidate]:
    """Return the best of each number of segments above one, of models that were iterated to their optimum."""
    found: dict[int, Candidate] = {}
    refined = [
        one for one in candidates if one.mixture is not None and one.outcome is not Outcome.NOT_REFINED
    ]
    for one in with_best_types(refined, criterion):
        if one.n_components > 1:
            found.setdefault(one.n_components, one)
    return list(found.values())


def _most_stable(compared: Sequence[Contender]) -> Contender:
    """Return the first that is within one standard error of the most stable."""
    most = max(compared, key=lambda one: one.adjusted_rand)
    return next(one for one in compared if one.less_stable_by(most) <= 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonSample:
    """The rows in which models are compared, a sample of large tables."""

    scaled: RowTable
    weights: FloatArray | None
    total_weight: float
    rounding: FloatArray
    settings: Settings
    refits: Refits = field(default_factory=dict)

    @classmethod
    def of(
        cls, rows: RowTable, scaling: Scaling, weights: FloatArray | None, settings: Settings
    ) -> ComparisonSample:
        counted = None if weights is None else effective_counts(weights)
        steps = scaled_steps(rows, scaling)
        total = float(len(rows) if counted is None else counted.sum())
        if counted is not None:
            rows, counted = rows[counted > 0], counted[counted > 0]
        if len(rows) > _SAMPLE_ROWS:
            drawn = np.random.RandomState(settings.seed).choice(len(rows), _SAMPLE_ROWS, replace=False)
            chosen = np.sort(drawn)
            rows, counted = rows[chosen], None if counted is None else counted[chosen]
        return cls(scaling.seen(rows), counted, total, steps, settings)

    def separation(self, one: Candidate, first: Candidate) -> float:
        if one is first:
            return 0.0
        densities = self._log_density(first), self._log_density(one)
        name = self.settings.criterion
        difference = one.criterion(name) - first.criterion(name)
        return criterion_separation(difference, *densities, self.total_weight, self.weights)

    def _log_density(self, one: Candidate) -> FloatArray:
        assert one.mixture is not None, "models that failed are not compared"
        return one.mixture.log_density(self.scaled)

    def contender(self, one: Candidate, separation: float) -> Contender:
        k, settings = one.n_components, self.settings
        assert one.mixture is not None, "models that failed are not compared"
        rows, weights = self._in_segments(one.mixture)
        parts = refit_labels(
            rows,
            one.covariance_type,
            k,
            n_bootstraps=_RESAMPLES,
            n_init=max(settings.n_init, _STARTS),
            seed=settings.seed,
            weights=weights,
            prior=settings.prior,
            rounding=self.rounding,
            tails=one.mixture.tails is not None,
            refits=self.refits,
        )
        agreements = _mean_agreements(parts, k, weights)
        labels = predict_free(components_alone(one.mixture), rows)
        similar = [best_jaccard(contingency_table(labels, part, k, k, weights)) for part in parts]
        least = float(np.nanmin(np.mean(similar, axis=0))) if similar else 0.0
        return Contender(one, separation, agreements, least, len(rows))

    def _in_segments(self, mixture: Mixture) -> tuple[RowTable, FloatArray | None]:
        """Return the rows that are in a component, all where there is no noise, and their weights."""
        if mixture.background is None:
            return self.scaled, self.weights
        inside = mixture.predict(self.scaled) >= 0
        return self.scaled[inside], None if self.weights is None else self.weights[inside]


def _mean_agreements(parts: Sequence[IntArray], k: int, weights: FloatArray | None) -> FloatArray:
    """Return the mean adjusted Rand index of each partition with the others; zero where there are no two."""
    if len(parts) < 2:
        return np.zeros(1)
    agreements = pairwise_adjusted_rand(parts, k, weights)
    return np.asarray((agreements.sum(axis=1) - agreements.diagonal()) / (len(parts) - 1))
