"""From the candidates of a search to a model: one chosen, its components ordered by size and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.model.segment_model import SegmentModel, Training, ordered
from mixtura.segments.options import Settings
from mixtura.segments.profiles.profile import SegmentProfile, hard_means, name_components
from mixtura.segments.table.prepare import Prepared
from mixtura.segments.weighted import effective_counts, percentile
from mixtura.select import Candidate
from mixtura.select.model_search.ranking import choose_best

__all__ = ["build_model", "choose_candidate", "passed_over", "with_mean_values"]


def choose_candidate(
    ranking: Sequence[Candidate],
    rows: FloatArray,
    weights: FloatArray | None = None,
    *,
    criterion: str = "bic",
) -> Candidate:
    """Return the best that is not degenerate and in which every segment has more customers than there are columns.

    Where none has enough customers it is the best that is not degenerate, and where all are, the first. The best is the
    first of the ranking, or where the criterion is ``"cv"``, the simplest within one standard error of it. With weights
    customers are counted by them, see `effective_counts`.
    """
    sound = [one for one in ranking if one.mixture is not None and not one.is_degenerate]
    enough = [one for one in sound if _has_enough(one, rows, weights)]
    return choose_best(enough or sound, criterion) if sound else ranking[0]


def passed_over(
    ranking: Sequence[Candidate], best: Candidate, rows: FloatArray, weights: FloatArray | None = None
) -> tuple[Candidate, ...]:
    """Return those with a smaller criterion than the best that are degenerate or have a segment of a few outliers."""
    return tuple(
        one
        for one in ranking[: ranking.index(best)]
        if one.is_degenerate or not _has_enough(one, rows, weights)
    )


def _has_enough(candidate: Candidate, rows: FloatArray, weights: FloatArray | None) -> bool:
    """Return whether every segment has more customers than there are columns."""
    n_rows = len(rows) if weights is None else float(effective_counts(weights).sum())
    return candidate.mixture is not None and bool(candidate.mixture.weights.min() * n_rows > rows.shape[1])


def build_model(best: Candidate, prepared: Prepared, settings: Settings) -> SegmentModel:
    """Order the components by the share of customers put in them, name them, and set the threshold for anomalies.

    Names come from the columns as the mixture sees them: where they are transformed, from transformed means, which a
    few large values do not carry away.
    """
    assert best.mixture is not None, "a search without any mixture has raised"
    scaling, weights, found = prepared.scaling, prepared.weights, best.mixture
    scaled = scaling.apply(prepared.rows)
    labels = found.predict(scaled)
    means = hard_means(scaled, labels, found.means, weights)[1]
    sizes = np.bincount(labels, weights=weights, minlength=found.n_components)
    order = np.lexsort((-found.weights, -sizes))
    mixture = ordered(found, order.tolist())
    spreads = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2))
    names = name_components(means[order], prepared.choice.used, spreads)
    threshold = None
    if settings.anomaly_percentile > 0:
        log_density = mixture.log_density(scaled) + scaling.log_jacobian(prepared.rows)
        threshold = percentile(log_density, settings.anomaly_percentile, weights)
    return SegmentModel(
        mixture=mixture,
        columns=prepared.choice.used,
        scaling=scaling,
        names=names,
        anomaly_percentile=float(settings.anomaly_percentile),
        anomaly_threshold=threshold,
        training=_training(settings, best, prepared),
        mixtura_version=version("mixtura"),
        automatic_names=names,
    )


def _training(settings: Settings, best: Candidate, prepared: Prepared) -> Training:
    choice, complete = prepared.choice, prepared.complete
    return Training(
        source=settings.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        id_column=choice.id_column,
        rows=int(complete.sum()),
        rows_dropped=int((~complete).sum()),
        seed=settings.seed,
        n_init=settings.n_init,
        criterion=settings.criterion,
        log_likelihood=float(best.log_likelihood),
        bic=float(best.bic),
        aic=float(best.aic),
        n_iter=best.n_iter,
        converged=best.converged,
        outcome="" if best.outcome is None else best.outcome.value,
        weight_column=choice.weight,
        value_column=choice.value,
        describe=choice.describe,
        prior=settings.prior,
    )


def with_mean_values(model: SegmentModel, segments: Sequence[SegmentProfile]) -> SegmentModel:
    """Return the model with what a customer of each segment is worth on average, where there is a value."""
    values = tuple(segment.value.mean for segment in segments if segment.value is not None)
    return replace(model, mean_values=tuple(value if math.isfinite(value) else None for value in values))
