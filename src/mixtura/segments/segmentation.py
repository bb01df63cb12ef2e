"""From a table to segments: choose columns, scale, choose the model, assign, describe."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.segments.ambiguity import AmbiguousCustomer, ambiguous_customers
from mixtura.segments.assignment import Assignment, assign_rows, customer_ids
from mixtura.segments.columns import ColumnChoice
from mixtura.segments.kmeans_comparison import KMeansComparison, compare_with_kmeans
from mixtura.segments.model import SegmentModel, Training, ordered
from mixtura.segments.notes import make_notes
from mixtura.segments.preparation import prepare
from mixtura.segments.profile import SegmentProfile, hard_means, name_components, profile_segments
from mixtura.segments.rows import Scaling
from mixtura.segments.settings import COVARIANCE_TYPES, Settings
from mixtura.select import Candidate, OnCandidate

__all__ = ["COVARIANCE_TYPES", "SegmentationResult", "segment_table"]

_AMBIGUOUS = 5


@dataclass(frozen=True, slots=True, eq=False)
class SegmentationResult:
    """The segments of a table, and all there is to say about them.

    Parameters
    ----------
    model : SegmentModel
        Assigns customers, these and later ones.
    columns : ColumnChoice
    rows : ndarray of shape (n_complete, D)
        The numbers the segments were made from, in the user's units.
    assignment : Assignment
        One entry per row of the table.
    segments : tuple of SegmentProfile
        The largest first.
    ranking : tuple of Candidate
        All models tried, the best by the criterion first; log-likelihood and criteria in the user's units. Those that
        could not be fitted come last.
    best : Candidate
        The model that was chosen: the first of the ranking in which every segment has more customers than there are
        columns. With fewer, a segment's spread is unknown, and it is outliers that the criterion pays for.
    ambiguous : tuple of AmbiguousCustomer
        At most five, the least certain first; none with a single segment.
    kmeans : KMeansComparison
    notes : tuple of str
        What the user should hear.
    seconds : float
        From the call to the result.
    """

    model: SegmentModel
    columns: ColumnChoice
    rows: FloatArray
    assignment: Assignment
    segments: tuple[SegmentProfile, ...]
    ranking: tuple[Candidate, ...]
    best: Candidate
    ambiguous: tuple[AmbiguousCustomer, ...]
    kmeans: KMeansComparison
    notes: tuple[str, ...]
    seconds: float

    @property
    def passed_over(self) -> tuple[Candidate, ...]:
        """Models with a smaller criterion that were not chosen, because a segment of theirs is a few outliers."""
        return self.ranking[: self.ranking.index(self.best)]

    @property
    def anomalies(self) -> list[int]:
        """Row numbers (from 0) of the anomalies, the least usual first."""
        rows = np.flatnonzero(self.assignment.anomaly)
        order = np.argsort(self.assignment.log_density[rows], kind="stable")
        return [int(row) for row in rows[order]]


def segment_table(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    components: Sequence[int] | None = None,
    covariance_types: Sequence[str] | None = None,
    criterion: str = "bic",
    n_init: int = 1,
    random_state: int = 0,
    anomaly_percentile: float = 4.0,
    drop_missing: bool = False,
    source: str = "table",
    on_candidate: OnCandidate | None = None,
) -> SegmentationResult:
    """Segment the customers of a table.

    Numeric columns are standardized (mean 0, standard deviation 1), each covariance type is fitted with every number
    of components, and the mixture with the smallest criterion is kept. Results are in the user's units.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        One row per customer, N rows.
    columns : sequence of str or None, default=None
        Columns to use; None for all that describe customers, see `choose_columns`.
    id_column : str or None, default=None
        The column that names customers; None to guess, or number rows from 1.
    components : sequence of int or None, default=None
        Numbers of segments to try; None for 1 to 9, fewer in tables with fewer rows.
    covariance_types : sequence of str or None, default=None
        Any of ``full``, ``tied``, ``diag``, ``spherical``, ``EII`` to ``VVV``, or ``all``; None for the first four.
    criterion : str, default="bic"
        One of `mixtura.select.CRITERIA`; smaller is better.
    n_init : int, default=1
        Starts per model; the best is kept.
    random_state : int, default=0
        Seed of everything random.
    anomaly_percentile : float, default=4
        Customers with a log density below this percentile are anomalies; 0 for none.
    drop_missing : bool, default=False
        Leave rows with missing or infinite values unassigned instead of raising.
    source : str, default="table"
        What the model file calls the table.
    on_candidate : callable or None, default=None
        Called as ``on_candidate(candidate, done, total)`` after each model.

    Returns
    -------
    SegmentationResult

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    ColumnError, TableError
        A column is missing or not numeric, or none is left.
    MissingValuesError, TooFewRowsError, DataError
        The rows cannot be used.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[2, 3, 4])
    >>> for segment in result.segments:
    ...     print(segment.number, segment.name, segment.count)
    1 high spending, low income 104
    2 average 100
    3 low spending, high income 96
    """
    started = time.perf_counter()
    settings = Settings(
        components,
        covariance_types or COVARIANCE_TYPES,
        criterion,
        n_init,
        random_state,
        anomaly_percentile,
        source,
    )
    prepared = prepare(frame, columns=columns, id_column=id_column, drop_missing=drop_missing)
    choice, rows, complete, scaling = prepared.choice, prepared.rows, prepared.complete, prepared.scaling
    ranking = prepared.search(settings, on_candidate).ranking
    best = _choose(ranking, rows)
    model = _named_model(
        best, choice.used, scaling, rows, _training(settings, best, choice, complete), anomaly_percentile
    )
    assignment = assign_rows(model, rows, complete, *customer_ids(frame, choice.id_column))
    return _describe(model, choice, rows, assignment, ranking, best, started)


def _describe(
    model: SegmentModel,
    choice: ColumnChoice,
    rows: FloatArray,
    assignment: Assignment,
    ranking: tuple[Candidate, ...],
    best: Candidate,
    started: float,
) -> SegmentationResult:
    labels = assignment.labels[assignment.complete]
    kmeans = compare_with_kmeans(model, rows, assignment.memberships[assignment.complete])
    return SegmentationResult(
        model=model,
        columns=choice,
        rows=rows,
        assignment=assignment,
        segments=profile_segments(model, rows, labels),
        ranking=ranking,
        best=best,
        ambiguous=_ambiguous(assignment, kmeans),
        kmeans=kmeans,
        notes=make_notes(ranking, best, assignment),
        seconds=time.perf_counter() - started,
    )


def _choose(ranking: Sequence[Candidate], rows: FloatArray) -> Candidate:
    n_rows, n_features = rows.shape
    for candidate in ranking:
        if candidate.mixture is not None and candidate.mixture.weights.min() * n_rows > n_features:
            return candidate
    return ranking[0]


def _training(settings: Settings, best: Candidate, choice: ColumnChoice, complete: Array) -> Training:
    return Training(
        source=settings.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        id_column=choice.id_column,
        rows=int(complete.sum()),
        rows_dropped=int((~complete).sum()),
        seed=settings.random_state,
        n_init=settings.n_init,
        criterion=settings.criterion,
        log_likelihood=float(best.log_likelihood),
        bic=float(best.bic),
        aic=float(best.aic),
        n_iter=best.n_iter,
        converged=best.converged,
        outcome="" if best.outcome is None else best.outcome.value,
    )


def _named_model(
    best: Candidate,
    columns: tuple[str, ...],
    scaling: Scaling,
    rows: FloatArray,
    training: Training,
    anomaly_percentile: float,
) -> SegmentModel:
    """Order the components by their customers, name them, and set the threshold for anomalies."""
    from mixtura import __version__

    assert best.mixture is not None, "a search without any mixture has raised"
    scaled, found = scaling.apply(rows), best.mixture
    counts, means = hard_means(scaled, found.predict(scaled), found.means)
    order = np.lexsort((-found.weights, -counts))
    mixture = ordered(found, order.tolist())
    threshold = None
    if anomaly_percentile > 0:
        log_density = mixture.log_density(scaled) - scaling.log_volume
        threshold = float(np.percentile(log_density, anomaly_percentile))
    return SegmentModel(
        mixture=mixture,
        columns=columns,
        scaling=scaling,
        names=name_components(means[order], columns),
        anomaly_percentile=float(anomaly_percentile),
        anomaly_threshold=threshold,
        training=training,
        mixtura_version=__version__,
    )


def _ambiguous(assignment: Assignment, kmeans: KMeansComparison) -> tuple[AmbiguousCustomer, ...]:
    clusters = np.full(assignment.labels.shape, -1)
    clusters[assignment.complete] = kmeans.labels
    # The least certain, however certain they are.
    return ambiguous_customers(
        assignment.memberships, assignment.customer, 1.0, most=_AMBIGUOUS, kmeans=clusters
    )
