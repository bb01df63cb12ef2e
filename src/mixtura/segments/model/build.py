"""From a candidate of a search to a model: its components ordered by size and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.segments.known.known_column import names_of_kept, names_of_known, numbered_as_known
from mixtura.segments.merging.grouped import Groups, in_sequence, united
from mixtura.segments.model.component_order import ordered
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.options import Settings
from mixtura.segments.profiles.profile import SegmentProfile, name_components
from mixtura.segments.profiles.segment_statistics import MeansSummary, SizesSummary
from mixtura.segments.scan import scan_of
from mixtura.segments.table.discrete.coding import names_by_levels, standard_moments
from mixtura.segments.table.prepare import Prepared
from mixtura.segments.updating.training_info import KeptFrom, TrainingInfo
from mixtura.segments.weighted import percentile
from mixtura.select import Candidate

__all__ = ["build_model", "with_mean_values", "with_threshold"]


def build_model(
    best: Candidate,
    prepared: Prepared,
    settings: Settings,
    all_rows: Prepared | None = None,
    groups: Groups = (),
) -> SegmentModel:
    """Order the components by the share of customers put in them, and name them; without a threshold for anomalies.

    Names come from the columns as the mixture sees them: where they are transformed, from transformed means, which a
    few large values do not carry away. `all_rows` has the outliers, too, where `prepared` has none; `groups` are the
    components of each segment where some were merged.
    """
    assert best.mixture is not None, "a search without any mixture has raised"
    scaling, found, columns = prepared.scaling, best.mixture, prepared.choice.used
    scan = scan_of(found, scaling, prepared.table, prepared.weights, groups=groups)
    segments = united(found, groups)
    k = segments.n_components
    sizes, moments = scan.run([SizesSummary(k), MeansSummary(k, len(columns))])
    means = np.array([one.mean for one in moments]).reshape(len(columns), k).T
    means = np.where(np.isnan(means), segments.means, means)
    order = numbered_as_known(prepared.known, found, np.lexsort((-segments.weights, -sizes.weights)))
    if prepared.kept is not None:  # which keep their numbers
        order = np.concatenate(
            [np.sort(order)[: prepared.kept.n_segments], order[order >= prepared.kept.n_segments]]
        )
    sequence, groups = in_sequence(found, groups, order.tolist())
    mixture = ordered(found, sequence)
    names = _automatic_names(united(mixture, groups), means[order], prepared)
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
        groups=groups,
    )


def _automatic_names(segments: Mixture, means: FloatArray, prepared: Prepared) -> tuple[str, ...]:
    """Return names by the means of scaled columns, shape (K, D), and what the mixture says beside these."""
    spreads = np.sqrt(np.diagonal(segments.full_covariances(), axis1=1, axis2=2))
    words = list(prepared.choice.used)
    if prepared.coding is not None and segments.levels is not None:
        more, further, wide = standard_moments(prepared.coding, segments.levels)
        words, means, spreads = [*words, *more], np.hstack([means, further]), np.hstack([spreads, wide])
    if not words and prepared.coding is not None and segments.levels is not None:
        return names_by_levels(prepared.coding, segments.levels)
    return name_components(means, words, spreads)


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
        kept_from=_kept_from(prepared.kept),
    )


def _kept_from(model: SegmentModel | None) -> KeptFrom | None:
    return (
        None if model is None else KeptFrom(model.training.source, model.training.created, model.n_segments)
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
