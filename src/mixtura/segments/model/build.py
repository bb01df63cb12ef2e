"""From a candidate of a search to a model: its components ordered by size and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.known.known_column import names_of_kept, names_of_known, numbered_as_known
from mixtura.segments.model.component_order import ordered
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.options import Settings
from mixtura.segments.profiles.profile import SegmentProfile, name_components
from mixtura.segments.profiles.segment_statistics import MeansSummary, SizesSummary
from mixtura.segments.scan import scan_of
from mixtura.segments.table.discrete.coding import names_by_levels, standard_moments
from mixtura.segments.table.prepare import Prepared
from mixtura.segments.updating.training_info import TrainingInfo
from mixtura.segments.weighted import percentile
from mixtura.select import Candidate

__all__ = ["build_model", "with_mean_values", "with_threshold"]


def build_model(
    best: Candidate, prepared: Prepared, settings: Settings, all_rows: Prepared | None = None
) -> SegmentModel:
    """Order the components by the share of customers put in them, and name them; without a threshold for anomalies.

    Names come from the columns as the mixture sees them: where they are transformed, from transformed means, which a
    few large values do not carry away. `all_rows` has the outliers, too, where `prepared` has none.
    """
    assert best.mixture is not None, "a search without any mixture has raised"
    scaling, found, columns = prepared.scaling, best.mixture, prepared.choice.used
    scan = scan_of(found, scaling, prepared.table, prepared.weights)
    k = found.n_components
    sizes, moments = scan.run([SizesSummary(k), MeansSummary(k, len(columns))])
    means = np.array([one.mean for one in moments]).reshape(len(columns), k).T
    means = np.where(np.isnan(means), found.means, means)
    order = numbered_as_known(prepared.known, found, np.lexsort((-found.weights, -sizes.weights)))
    if prepared.kept is not None:  # which keep their numbers
        order = np.concatenate(
            [np.sort(order)[: prepared.kept.n_segments], order[order >= prepared.kept.n_segments]]
        )
    mixture = ordered(found, order.tolist())
    spreads = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2))
    words, means = list(columns), means[order]
    if prepared.coding is not None and mixture.levels is not None:
        more, further, wide = standard_moments(prepared.coding, mixture.levels)
        words, means, spreads = [*words, *more], np.hstack([means, further]), np.hstack([spreads, wide])
    if not words and prepared.coding is not None and mixture.levels is not None:
        names = names_by_levels(prepared.coding, mixture.levels)
    else:
        names = name_components(means, words, spreads)
    return SegmentModel(
        mixture=mixture,
        columns=columns,
        scaling=scaling,
        names=names_of_known(prepared.known, mixture, names)
        if prepared.kept is None
        else names_of_kept(prepared.kept.names, names),
        anomaly_percentile=float(settings.anomaly_percentile),
        anomaly_threshold=None,
        training=_training(settings, best, all_rows or prepared),
        mixtura_version=version("mixtura"),
        automatic_names=names,
        coding=prepared.coding,
    )


def _training(settings: Settings, best: Candidate, prepared: Prepared) -> TrainingInfo:
    choice, complete = prepared.choice, prepared.complete
    return TrainingInfo(
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
        missing_codes=prepared.missing_codes,
    )


def with_threshold(
    model: SegmentModel, log_density: FloatArray, weights: FloatArray | None = None
) -> SegmentModel:
    """Return the model with the log density below which customers are anomalies, where it has a percentile.

    Parameters
    ----------
    model : SegmentModel
    log_density : ndarray of shape (N,)
        Of the rows learned from, in the user's units.
    weights : ndarray of shape (N,) or None, default=None
    """
    if not model.anomaly_percentile > 0:
        return model
    return replace(model, anomaly_threshold=percentile(log_density, model.anomaly_percentile, weights))


def with_mean_values(model: SegmentModel, segments: Sequence[SegmentProfile]) -> SegmentModel:
    """Return the model with what a customer of each segment is worth on average, where there is a value."""
    values = tuple(segment.value.mean for segment in segments if segment.value is not None)
    return replace(model, mean_values=tuple(value if math.isfinite(value) else None for value in values))
