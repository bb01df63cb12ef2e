"""From a table to segments: choose columns, scale, choose the model, assign, describe."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.exceptions import ColumnError, DataError, ParameterError, TooFewRowsError
from mixtura.segments.ambiguity import AmbiguousCustomer, Comparison, compare_with_kmeans, most_ambiguous
from mixtura.segments.assignment import Assignment, assign_rows, customer_ids
from mixtura.segments.columns import ColumnChoice, LeftOut, choose_columns
from mixtura.segments.model import SegmentModel, Training, ordered
from mixtura.segments.profile import SegmentProfile, hard_means, name_components, profile_segments
from mixtura.segments.rows import Scaling, complete_rows, scaling_of
from mixtura.select import Candidate, OnCandidate, SearchResult, search

__all__ = ["COVARIANCE_TYPES", "Segmentation", "segment_table"]

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")

_COMPONENTS = range(1, 10)
_AMBIGUOUS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
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
        All models tried, the best by the criterion first; log-likelihood, BIC and AIC in the user's units. Those that
        could not be fitted come last.
    best : Candidate
        The model that was chosen: the first of the ranking in which every segment has more customers than there are
        columns. With fewer, a segment's spread is unknown, and it is outliers that the criterion pays for.
    ambiguous : tuple of AmbiguousCustomer
        At most five, the least certain first; none with a single segment.
    kmeans : Comparison
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
    kmeans: Comparison
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
    covariance_types: Sequence[str] = COVARIANCE_TYPES,
    criterion: str = "bic",
    n_init: int = 1,
    random_state: int = 0,
    anomaly_percentile: float = 4.0,
    drop_missing: bool = False,
    source: str = "table",
    on_candidate: OnCandidate | None = None,
) -> Segmentation:
    """Segment the customers of a table.

    Numeric columns are standardized (mean 0, standard deviation 1), every covariance type is fitted with every number
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
    covariance_types : sequence of str, default all four
    criterion : {"bic", "aic"}, default="bic"
        Schwarz (1978), Akaike (1974); smaller is better.
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
    Segmentation

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
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3], covariance_types=["spherical"])
    >>> for segment in result.segments:
    ...     print(segment.number, segment.name, segment.count)
    1 average 101
    2 high income, low spending 100
    3 high spending, low income 99
    """
    started = time.perf_counter()
    settings = _Settings(
        components, covariance_types, criterion, n_init, random_state, anomaly_percentile, source
    )
    choice = choose_columns(frame, columns=columns, id_column=id_column)
    rows, complete = complete_rows(frame, choice.used, drop_missing=drop_missing)
    choice, rows, scaling = _without_constants(choice, rows, explicit=columns is not None)
    result = settings.search(scaling.apply(rows), on_candidate)
    ranking = _in_user_units(result.ranking, len(rows) * scaling.log_volume)
    best = _choose(ranking, rows)
    training = _training(settings, best, choice, complete)
    model = _named_model(settings, best, choice.used, scaling, rows, training)
    assignment = assign_rows(model, rows, complete, *customer_ids(frame, choice.id_column))
    labels = assignment.labels[complete]
    kmeans = compare_with_kmeans(model, rows, labels)
    return Segmentation(
        model=model,
        columns=choice,
        rows=rows,
        assignment=assignment,
        segments=profile_segments(model, rows, labels),
        ranking=ranking,
        best=best,
        ambiguous=_ambiguous(assignment, kmeans),
        kmeans=kmeans,
        notes=_notes(ranking, best, assignment),
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, slots=True)
class _Settings:
    """What was asked for, checked."""

    components: Sequence[int] | None
    covariance_types: Sequence[str]
    criterion: str
    n_init: int
    random_state: int
    anomaly_percentile: float
    source: str

    def __post_init__(self) -> None:
        if self.components is not None and (not self.components or min(self.components) < 1):
            raise ParameterError(
                f"components={list(self.components)!r} was given; whole numbers of at least 1 are required. Try 1-9."
            )
        if not self.covariance_types or not set(self.covariance_types) <= set(COVARIANCE_TYPES):
            raise ParameterError(
                f"covariance_types={list(self.covariance_types)!r} was given; they must be among "
                f"{', '.join(COVARIANCE_TYPES)}. Leave it out to try all of them."
            )
        if self.criterion not in {"bic", "aic"}:
            raise ParameterError(f"criterion={self.criterion!r} was given; it must be 'bic' or 'aic'. Try 'bic'.")
        if self.n_init < 1:
            raise ParameterError(f"n_init={self.n_init!r} was given; it must be at least 1. Try 5.")
        if not 0 <= self.anomaly_percentile < 100:
            raise ParameterError(
                f"anomaly_percentile={self.anomaly_percentile!r} was given; it must be at least 0 and below 100. Try 4."
            )

    def search(
        self, scaled: FloatArray, on_candidate: OnCandidate | None
    ) -> SearchResult:
        return search(
            scaled,
            components=_feasible(self.components, len(scaled)),
            covariance_types=tuple(self.covariance_types),
            criterion=self.criterion,
            n_init=self.n_init,
            random_state=self.random_state,
            on_candidate=on_candidate,
        )


def _without_constants(
    choice: ColumnChoice, rows: FloatArray, *, explicit: bool
) -> tuple[ColumnChoice, FloatArray, Scaling]:
    """Take out columns that are constant once incomplete rows are gone; they have no scale."""
    if len(rows) < 2:
        raise TooFewRowsError(
            f"There is {len(rows)} row with all values; at least 2 are required to make segments. Add rows."
        )
    scaling = scaling_of(rows)
    varies = scaling.scale > 0
    if varies.all():
        return choice, rows, scaling
    constant = [name for name, kept in zip(choice.used, varies, strict=True) if not kept]
    if not varies.any():
        raise DataError(
            f"All {len(rows)} rows are equal in the columns {', '.join(repr(name) for name in constant)}. "
            "Segments need differences. Name other columns with --columns."
        )
    if explicit:
        raise ColumnError(
            f"The column {constant[0]!r} has the same value in every row. A column with differences is required. "
            "Leave it out of --columns.",
            column=constant[0],
        )
    left_out = (*choice.left_out, *(LeftOut(name, "the same value in every complete row") for name in constant))
    used = tuple(name for name in choice.used if name not in constant)
    kept = Scaling(scaling.center[varies], scaling.scale[varies])
    return replace(choice, used=used, left_out=left_out), np.ascontiguousarray(rows[:, varies]), kept


def _feasible(components: Sequence[int] | None, n_rows: int) -> list[int]:
    if components is None:
        return [count for count in _COMPONENTS if count <= n_rows]
    if max(components) > n_rows:
        raise TooFewRowsError(
            f"{max(components)} segments of {n_rows} complete rows were asked for; there must be at least as many rows as "
            f"segments. Ask for at most {n_rows}, better for far fewer: --components."
        )
    return sorted(set(components))


def _in_user_units(ranking: Sequence[Candidate], added: float) -> tuple[Candidate, ...]:
    """Scaling the columns adds ``N sum_d log scale_d`` to every log-likelihood; the ranking stays."""
    return tuple(
        replace(
            candidate,
            log_likelihood=candidate.log_likelihood - added,
            bic=candidate.bic + 2 * added,
            aic=candidate.aic + 2 * added,
        )
        for candidate in ranking
    )


def _choose(ranking: Sequence[Candidate], rows: FloatArray) -> Candidate:
    n_rows, n_features = rows.shape
    for candidate in ranking:
        if candidate.mixture is not None and candidate.mixture.weights.min() * n_rows > n_features:
            return candidate
    return ranking[0]


def _training(settings: _Settings, best: Candidate, choice: ColumnChoice, complete: Array) -> Training:
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
    settings: _Settings,
    best: Candidate,
    columns: tuple[str, ...],
    scaling: Scaling,
    rows: FloatArray,
    training: Training,
) -> SegmentModel:
    """Order the components by their customers, name them, and set the threshold for anomalies."""
    from mixtura import __version__

    assert best.mixture is not None, "a search without any mixture has raised"
    scaled, found = scaling.apply(rows), best.mixture
    counts, means = hard_means(scaled, found.predict(scaled), found.means)
    order = np.lexsort((-found.weights, -counts))
    mixture = ordered(found, order.tolist())
    threshold = None
    if settings.anomaly_percentile > 0:
        log_density = mixture.log_density(scaled) - scaling.log_volume
        threshold = float(np.percentile(log_density, settings.anomaly_percentile))
    return SegmentModel(
        mixture=mixture,
        columns=columns,
        scaling=scaling,
        names=name_components(means[order], columns),
        anomaly_percentile=float(settings.anomaly_percentile),
        anomaly_threshold=threshold,
        training=training,
        mixtura_version=__version__,
    )


def _ambiguous(assignment: Assignment, kmeans: Comparison) -> tuple[AmbiguousCustomer, ...]:
    if len(assignment.names) < 2:
        return ()
    clusters = np.full(assignment.labels.shape, -1)
    clusters[assignment.complete] = kmeans.labels
    found = []
    for row in most_ambiguous(assignment.memberships, _AMBIGUOUS):
        memberships = assignment.memberships[row]
        first, second = np.argsort(-memberships, kind="stable")[:2]
        found.append(
            AmbiguousCustomer(
                row=int(row),
                customer=assignment.customer(int(row)),
                memberships=memberships,
                first=int(first),
                second=int(second),
                kmeans=int(clusters[row]),
            )
        )
    return tuple(found)


def _notes(ranking: Sequence[Candidate], best: Candidate, assignment: Assignment) -> tuple[str, ...]:
    notes = []
    passed, largest = ranking.index(best), max(candidate.n_components for candidate in ranking)
    if passed:
        notes.append(
            f"{_count(passed, 'model')} with a smaller criterion passed over: in each of them a segment has no more "
            "customers than there are columns, which makes them outliers and not a segment."
        )
    small = np.flatnonzero(assignment.counts <= 1)
    if small.size and best.n_components > 1:
        notes.append(
            f"Segments with at most one customer: {', '.join(str(k + 1) for k in small)}. Look at them as outliers, or ask "
            "for fewer segments with --components."
        )
    if 1 < best.n_components == largest and any(candidate.n_components < largest for candidate in ranking):
        notes.append(
            f"The best number of segments is the largest that was tried ({largest}). The table may have more structure, "
            f"or columns too skewed for a mixture of bells: try --components {largest}-{2 * largest}."
        )
    n_incomplete = int((~assignment.complete).sum())
    if n_incomplete:
        notes.append(f"{_count(n_incomplete, 'row')} with missing or infinite values: in no segment.")
    if best.outcome is not None and not best.converged:
        notes.append(best.outcome.explanation)
    if isinstance(assignment.ids, nw.Series) and assignment.ids.n_unique() < len(assignment.ids):
        notes.append(f"Values of {assignment.id_name!r} repeat; rows are told apart by their order only.")
    return tuple(notes)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
