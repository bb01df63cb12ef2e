"""A model that is given further rows, without those that it was learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.expected_likelihood import expected_log_likelihood
from mixtura.drift import drift_sums, reference_of_fresh_rows
from mixtura.exceptions import ParameterError
from mixtura.fit import FitResult, IncrementalEMStep, KeptSums, Problem, RemainingGain, Settings, continue_fit
from mixtura.fit import log_likelihood as log_likelihood_of
from mixtura.io import to_float64
from mixtura.segments.model.kept_reference import log_jacobians
from mixtura.segments.model.read_rows import in_chunks
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.updating.added_rows import AddedRows
from mixtura.segments.updating.carried_reference import carried_reference
from mixtura.segments.updating.model_statistics import (
    ModelStatistics,
    implied_statistics,
)
from mixtura.segments.updating.training_info import Addition, TrainingInfo
from mixtura.segments.weighted import percentile
from mixtura.select.model_search.robustness import Robustness
from mixtura.select.priors import make_prior

__all__ = [
    "ModelUpdate",
    "learned_statistics",
    "model_to_learn",
    "update_model",
    "updated_training",
]

_TOLERANCE = 0.01
"""Nats of the total log-likelihood that may be left to be gained."""

_MAX_ITER = 500

_FEW_ROWS = 30
"""Rows that others can be compared with, at least."""

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class ModelUpdate:
    """What an update has made of a model.

    Parameters
    ----------
    before, model : SegmentModel
        Segments keep their numbers and names.
    source : str
        Name of the table that was added.
    rows, rows_left_out : int
        Of the table: rows that were added, and rows that could not be used.
    kept : float
        Share of the weight of earlier rows that was kept.
    weight_before, weight_added : float
        Of earlier rows, as far as they are kept, and of those added.
    log_likelihoods : (float, float)
        Mean log density of an added row under the old model and under the new one, in nats.
    result : FitResult
        How the fit ended.
    notes : tuple of str
        What was noticed when the table was read.
    """

    before: SegmentModel
    model: SegmentModel
    source: str
    rows: int
    rows_left_out: int
    kept: float
    weight_before: float
    weight_added: float
    log_likelihoods: tuple[float, float]
    result: FitResult
    notes: tuple[str, ...]


def update_model(
    model: SegmentModel,
    frame: Any,
    *,
    time: str | None = None,
    half_life: float | str | timedelta | None = None,
    drop_missing: bool = False,
    source: str = "the new table",
) -> ModelUpdate:
    """Add the rows of a table to those that a model was learned from.

    Of the earlier rows the model has sums, which stay as they are: responsibilities of the new rows and the mixture are
    improved in turn until nothing is gained (incremental EM; Neal and Hinton 1998). The bound of the log-likelihood
    of all rows never falls. Columns, scales, transforms, the number of segments and their names are kept; a
    new kind of customer needs a new model, see `mixtura.segments.change.drift_of_table`.

    Parameters
    ----------
    model : SegmentModel
        From a file of this version, or with `with_reference`. Where the sums are not known they are taken for what the
        mixture itself says of its rows.
    frame : pandas, polars or pyarrow table, or Source
        Rows that were not learned from before; columns are found by name. Those of a source are read in parts, and lie
        in a spool, where the model has numbers alone.
    time : str or None, default=None
        The column that says when a row is of.
    half_life : float, str, timedelta or None, default=None
        After this time a row counts half: "90d", "12w", "6m", "1y", or a number in the units of the time column.
        Nothing is forgotten by default.
    drop_missing : bool, default=False
        Leave out rows with missing values.
    source : str
        What the table is called.

    Raises
    ------
    ColumnError, DataError
        The table lacks a column of the model, its weights or its time, no row has a value, or by their age so few rows
        count that nothing can be learned from them.
    ParameterError
        A half-life without a time column, or not a positive one; or the model does not say from how many rows it was
        learned.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import segment_table, update_model, with_reference
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3])
    >>> model = with_reference(result.model, result.table)
    >>> found = update_model(model, make_customers(random_state=1, as_frame="polars"), source="february.csv")
    >>> found.model.training.rows, found.model.names == model.names
    (600, True)
    """
    if half_life is not None and time is None:
        raise ParameterError(
            "`half_life` requires the column that says when a row is of. Name it as `time`, or leave it out."
        )
    rows = AddedRows.of(model, frame, time, half_life, drop_missing=drop_missing)
    statistics, notes = learned_statistics(model)
    earlier = statistics.scaled(rows.kept)
    result = _fitted(model, earlier, rows)
    added = rows.statistics(result.mixture)
    new = _with_densities(model, _updated(model, rows, earlier, added, result, source), rows, earlier)
    was = log_likelihood_of(rows.data, model.mixture) + added.log_jacobian
    weight = rows.data.total_weight
    return ModelUpdate(
        before=model,
        model=new,
        source=source,
        rows=len(rows.read.rows),
        rows_left_out=int((~rows.read.complete).sum()),
        kept=rows.kept,
        weight_before=earlier.weight,
        weight_added=weight,
        log_likelihoods=(was / weight, added.log_likelihood / weight),
        result=result,
        notes=(*rows.strange_notes(), *notes, *_repeated(model, source), *rows.notes, *rows.read.notes),
    )


def _updated(
    model: SegmentModel,
    rows: AddedRows,
    earlier: ModelStatistics,
    added: ModelStatistics,
    result: FitResult,
    source: str,
) -> SegmentModel:
    mixture, whole = result.mixture, earlier.about(model.mixture, result.mixture) + added
    addition = Addition("updated", source, _now(), len(rows.read.rows), rows.kept)
    return replace(
        model,
        mixture=mixture,
        statistics=whole,
        training=updated_training(model, addition, whole, mixture, result),
        mixtura_version=version("mixtura"),
        mean_values=_mean_values(model, mixture, rows, earlier.components.counts),
    )


def _repeated(model: SegmentModel, source: str) -> tuple[str, ...]:
    """Return a sentence where a table of this name was learned from before."""
    before = [one for one in (model.training.history or (model.training,)) if one.source == source]
    if not before:
        return ()
    said = (
        f"{source!r} was learned from before, {before[-1].created}: customers of the same table count twice."
    )
    return (said,)


def learned_statistics(model: SegmentModel) -> tuple[ModelStatistics, tuple[str, ...]]:
    """Return the sums that a model was learned from, and what is to be said of them.

    Raises
    ------
    ParameterError
        The model says neither them nor from how many rows it was learned.
    """
    if model.statistics is not None:
        return model.statistics, ()
    training = model.training
    if not training.rows:
        raise ParameterError(
            "`model` must say from how many rows it was learned, so that others can be added; this one, of "
            f"{training.source}, does not. Learn a model of your own: mixtura segment TABLE."
        )
    said = (
        "The model file does not have the sums of the customers that it was learned from. They are taken for what the "
        "model itself says of them: write the model again with this version to have them exactly."
    )
    return implied_statistics(model.mixture, float(training.rows), training.log_likelihood), (said,)


def model_to_learn(model: SegmentModel, statistics: ModelStatistics) -> GaussianModel:
    """Return what is learned: the family, noise, tails and levels of a model, kept from collapsing by all rows."""
    mixture = model.mixture
    prior = make_prior(model.training.prior, statistics.total, model.n_segments, statistics.rounding)
    terms = Robustness.of(mixture)
    discrete = None if model.coding is None else model.coding.discrete
    return GaussianModel(model.n_segments, mixture.family, prior, discrete, terms.background, terms.tails)


def _fitted(model: SegmentModel, earlier: ModelStatistics, rows: AddedRows) -> FitResult:
    learned = model_to_learn(model, earlier + rows.statistics(model.mixture))
    stop = RemainingGain(earlier.weight + rows.data.total_weight, _TOLERANCE, learned.prior.ridge > 0)
    step = partial(IncrementalEMStep, kept=KeptSums(earlier.components, model.mixture))
    return continue_fit(Problem(rows.data, learned), model.mixture, Settings(stop, _MAX_ITER, step=step))


def updated_training(
    model: SegmentModel,
    addition: Addition,
    statistics: ModelStatistics,
    mixture: Mixture,
    result: FitResult | None = None,
) -> TrainingInfo:
    """Return how a model came about that rows were added to; the log-likelihood is a bound below that of all rows."""
    before, total = model.training, statistics.log_likelihood
    first = Addition("learned", before.source, before.created, before.rows, 0.0)
    count = mixture.n_parameters + model.scaling.n_parameters
    replaced = addition.kind == "merged"
    return replace(
        before,
        source=addition.source if replaced else before.source,
        created=addition.created,
        rows=addition.rows if replaced else before.rows + addition.rows,
        rows_dropped=0 if replaced else before.rows_dropped,
        log_likelihood=total,
        bic=-2 * total + count * float(np.log(statistics.weight)),
        aic=-2 * total + 2 * count,
        n_iter=1 if result is None else result.n_iter,
        converged=result is not None and result.converged,
        outcome="one step on merged sums" if result is None else result.outcome.value,
        history=(addition,) if replaced else (*(before.history or (first,)), addition),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _mean_values(
    model: SegmentModel, mixture: Mixture, rows: AddedRows, counts: FloatArray
) -> tuple[float | None, ...]:
    """Return what a customer of each segment is worth on average, with the new ones where the table says it."""
    name, read = model.training.value_column, rows.read
    table: nw.DataFrame[Any] = nw.from_native(read.frame, eager_only=True)
    if name not in table.columns or not table[name].dtype.is_numeric() or not model.mean_values:
        return model.mean_values
    values = to_float64(table[name])[read.complete]
    labels = in_chunks(lambda rows: mixture.predict(model.scaling.seen(rows)), read.table)
    weights = np.ones(len(values)) if rows.weights is None else rows.weights
    found = list[float | None]()
    for k, before in enumerate(model.mean_values):
        chosen = (labels == k) & np.isfinite(values)
        new, old = float(weights[chosen].sum()), 0.0 if before is None else float(counts[k])
        total = float(weights[chosen] @ values[chosen]) + old * (before or 0.0)
        found.append(total / (new + old) if new + old > 0 else before)
    return tuple(found)


def _with_densities(
    old: SegmentModel, new: SegmentModel, rows: AddedRows, earlier: ModelStatistics
) -> SegmentModel:
    """Return the model with its threshold of anomalies, and with what later rows are compared with.

    Log densities of earlier rows are gone: they are taken to have moved by what they do on average at least. The
    threshold is the mean of that of the earlier rows and the percentile of the new ones, by weight.
    """
    moved = expected_log_likelihood(earlier.components, new.mixture)
    moved -= expected_log_likelihood(earlier.components, old.mixture)
    gain = moved / max(earlier.weight, _TINY)
    if old.anomaly_threshold is not None:
        own = percentile(in_chunks(new.log_density, rows.read.table), old.anomaly_percentile, rows.weights)
        weights = (earlier.weight, rows.data.total_weight)
        threshold = float(np.average([old.anomaly_threshold + gain, own], weights=weights))
        new = replace(new, anomaly_threshold=threshold)
    jacobians = in_chunks(partial(log_jacobians, new.scaling), rows.read.table)
    if old.reference is None:
        # What is known of the spread is that of the new rows alone.
        few, limit = len(jacobians) < _FEW_ROWS, new.anomaly_threshold
        made = None if few else reference_of_fresh_rows(rows.data, new.mixture, jacobians, threshold=limit)
        return replace(new, reference=made)
    before = carried_reference(old.reference, old.mixture, new.mixture, factor=rows.kept, gain=gain)
    before = replace(before, cuts=replace(before.cuts, threshold=new.anomaly_threshold))
    added = drift_sums(rows.data, new.mixture, before.cuts, rows.data.state_of(jacobians))
    return replace(new, reference=replace(before, sums=before.sums + added))
