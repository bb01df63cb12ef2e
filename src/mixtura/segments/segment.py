"""From a table to segments: choose columns, scale, choose the model, assign, describe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.segments.building.searched_table import SearchedTable
from mixtura.segments.building.selection_notes import selection_notes
from mixtura.segments.known.kept_segments import with_kept_segments
from mixtura.segments.known.known_segments import with_known_segments
from mixtura.segments.known.prepare_kept import kept_model, prepare_any, require_alone, weight_of_kept
from mixtura.segments.known.untried import untried_notes
from mixtura.segments.measure import measure_segments
from mixtura.segments.mergeable import TopRows
from mixtura.segments.merging.grouped import check_merge
from mixtura.segments.merging.groups_to_make import groups_to_make
from mixtura.segments.model.assign import Assignment, assignment_of
from mixtura.segments.model.build import build_model, with_mean_values, with_threshold
from mixtura.segments.model.read_rows import customer_ids
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.options import COVARIANCE_TYPES, Settings
from mixtura.segments.outliers import with_outliers, without_outliers
from mixtura.segments.profiles.compute import profile_segments
from mixtura.segments.profiles.profile_columns import read_columns
from mixtura.segments.results.notes import interruption_notes
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.table.discrete.kinds import Kinds
from mixtura.segments.table.prepare import Prepared, warn_of_columns
from mixtura.segments.table.roles import Roles
from mixtura.segments.table.survey.accepted_weight import accepted_weight
from mixtura.segments.table.survey.missing_codes import MissingCodes
from mixtura.select import Candidate, OnCandidate, OnFold, SearchResult
from mixtura.select.priors import PriorName

__all__ = ["COVARIANCE_TYPES", "describe_segments", "segment_table"]


def segment_table(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    components: Sequence[int] | None = None,
    covariance_types: Sequence[str] | None = None,
    criterion: str = "bic",
    n_init: int = 1,
    random_state: int | None = 0,
    anomaly_percentile: float = 4.0,
    drop_missing: bool = False,
    describe: Sequence[str] = (),
    value: str | None = None,
    weight: str | None = None,
    transform: str | Mapping[str, str] = "none",
    prior: PriorName | float = "floor",
    kinds: Kinds = "auto",
    missing_codes: MissingCodes = None,
    names: Mapping[str | int, str] | None = None,
    source: str = "table",
    n_folds: int = 10,
    min_share: float = 0.0,
    robust: str = "none", merge: str | int | None = None,
    known: str | None = None, keep: SegmentModel | str | Path | None = None,
    checkpoint: str | Path | None = None, keep_interrupted: bool = False,
    select_columns: bool = False, on_candidate: OnCandidate | None = None, on_fold: OnFold | None = None,
) -> SegmentationResult:  # fmt: skip
    """Segment the customers of a table.

    Numeric columns are transformed if that is asked for, and standardized (mean 0, standard deviation 1); each
    covariance type is fitted with every number of components, and the mixture with the smallest criterion is kept.
    Results are in the user's units.

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
        Any of ``full``, ``tied``, ``diag``, ``spherical``, ``EII`` to ``VVV``, ``all``, or covariances of factors such
        as ``UUU-2``; None for the first four, beside discrete columns without spherical ones, and with 20 columns and
        more for six of factors, too.
    criterion : str, default="bic"
        One of `mixtura.select.CRITERIA`; smaller is better. With ``"cv"``, minus twice the log-likelihood of customers
        held out, the mixture of fewest parameters within one standard error of the smallest is kept.
    n_init : int, default=1
        Every model has several starts, of which the best end is kept; each above one adds a start of K-means, and
        starts from neighbors, see `mixtura.select.search`.
    random_state : int or None, default=0
        Seed of everything random; None draws one.
    anomaly_percentile : float, default=4
        Customers with a log density below this percentile are anomalies; 0 for none.
    drop_missing : bool, default=False
        Leave rows with missing or infinite values unassigned, instead of using them with the values that they have
        (full-information maximum likelihood, see `mixtura.GaussianMixture`).
    describe : sequence of str, default=()
        Descriptive columns, which profile the segments and do not build them: numbers, text, codes, dates, booleans.
    value : str or None, default=None
        A numeric column that says what a customer is worth, such as revenue. It builds segments only where it is named
        in `columns`, too.
    weight : str or None, default=None
        A numeric column that says how much a customer counts, in the fit and in every share, mean and quantile; numbers
        of customers are those in the list. A weight of 3 gives the same results as the row three times. Where the file
        declares a weight it must be named here, or refused with ``"none"``.
    transform : str or mapping of str to str, default="none"
        ``"none"``, ``"log1p"``, ``"yeo-johnson"``, ``"winsorize"``, or ``"auto"`` to choose by rule, see
        `advise_transform`, and use it only where it makes customers held out more likely and segments more stable; for
        all columns, or column by column, where ``"*"`` stands for those not named.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing: a floor far below every real cluster, or the prior of Fraley and Raftery
        (2007), which draws small segments to the width of the table; a number is added to the variance of every
        standardized column. See `mixtura.select.search`. Stability is assessed with the same.
    kinds : {"auto", "continuous"} or mapping of str to str, default="auto"
        What columns are taken for. ``"auto"``: each for what it looks like; amounts with point masses (zeros, caps),
        counts, ordered answers and categories have a distribution of their own, and categories that go with no other
        column describe the segments. ``"continuous"``: only numbers build segments. A mapping says the kind of some
        columns (``"continuous"``, ``"spike"``, ``"count"``, ``"count-from-0"``, ``"count-from-1"``, ``"ordered"`` or
        ``"category"``); others are as with ``"auto"``. Where a count begins its numbers say: at 1 if that is the
        smallest, and zeros would have to be there; ``"count-from-0"`` and ``"count-from-1"`` say it otherwise.
    missing_codes : mapping of str to sequence of float, sequence of float, or None, default=None
        Numbers that stand for missing values, such as 97, 98 and 99 in a survey, by column or for all columns. Codes
        that a survey file declares are missing already.
    names : mapping of str or int to str, or None, default=None
        What segments shall be called, by number or automatic name.
    source : str, default="table"
        What the model file calls the table.
    n_folds : int, default=10
        Folds of ``criterion="cv"``, by the seed; the other criteria hold out no customers.
    min_share : float, default=0
        Least share of the customers in a segment, from 0 to 0.5: models with a smaller one are excluded, and the notes
        say which. It is the share that the mixture expects (its weight, the mean membership).
    robust : {"none", "noise", "t", "auto"}, default="none"
        What the model has against outliers. ``"noise"``: customers may be in no segment, outliers spread evenly over
        the volume of the table, whose share is estimated; profiles, shares and stability are those of the others.
        ``"t"``: segments are multivariate t distributions, each with degrees of freedom of its own. ``"auto"``: the
        criterion decides. See `mixtura.select.search`.
    merge : "auto", int or None, default=None
        Make segments of components that overlap so much that they are one group, such as a bent or skewed one: merged
        by the entropy of their memberships (Baudry et al. 2010) as long as they overlap and no valley of the density
        lies between them, or to this many segments, from 2. Probabilities of components add up, the density stays. See
        `SegmentMerging`. Not with `known` or `keep`.
    known : str or None, default=None
        A column that says which segment some customers are known to be in; missing where that is not known. They stay
        in it, its value is the name of their segment, and all others are divided by likelihood. There are at least as
        many segments as it names, and more where the criterion finds more; see `KnownSegments`. Texts such as ``NA``,
        and -1, count as missing.
    keep : SegmentModel, path of a model file, or None, default=None
        A model whose segments stay as they are, with their numbers and names; only their shares are estimated, and new
        segments are found beside them, none where the criterion finds none. It says which columns are read, and how;
        see `KeptSegments`; also the weight, where `weight` says nothing. Not with `known`, `columns`, `transform`,
        `kinds`, `missing_codes`, `select_columns` or `robust`.
    checkpoint : str or Path, optional
        A file in which models are kept while they are fitted: the same call on the same table goes on where it was
        interrupted, see `mixtura.select.search`. It is removed once all are fitted.
    keep_interrupted : bool, default=False
        Whether an interruption (Ctrl-C) while models are fitted gives segments from those that are done, if there are
        some; the result's `interrupted` is then true, and its notes say so.
    select_columns : bool, default=False
        Let only those columns build segments in which these differ, see `mixtura.select_columns`; the others describe
        them. Should another number of segments be chosen than they were selected for, they are selected again for it.
    on_candidate : callable or None, default=None
        Called as ``on_candidate(candidate, done, total)`` after each model.
    on_fold : callable or None, default=None
        Called as ``on_fold(done, total)`` after each fold; folds come before models.

    Returns
    -------
    SegmentationResult

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    ColumnError, TableError
        A column is missing, in two roles, or not numeric, or none is left.
    MissingValuesError, TooFewRowsError, DataError
        The rows cannot be used.
    CheckpointError
        The checkpoint cannot be written, is used by another run, or is of another table or other parameters.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[2, 3, 4])
    >>> for segment in result.segments:
    ...     print(segment.number, segment.name, segment.count)
    1 low income, high spending 104
    2 average 100
    3 high income, low spending 96
    """
    settings = Settings(components, covariance_types or COVARIANCE_TYPES, criterion, n_init, random_state,
                        anomaly_percentile, source, transform, prior, n_folds, min_share, robust, merge,
                        checkpoint, keep_interrupted)  # fmt: skip
    check_merge(merge, known=known, keep=keep)
    weight = accepted_weight(frame, weight_of_kept(model := kept_model(keep), weight, frame))
    roles = Roles(columns, id_column, describe, value, weight, kinds, (), missing_codes, known, alone=True)
    started = time.perf_counter()
    if model is not None:
        require_alone(roles, settings, select_columns=select_columns)
    prepared = prepare_any(frame, roles, settings, model, drop_missing=drop_missing)
    callbacks = on_candidate, on_fold
    return _segment(prepared, settings, names or {}, callbacks, started, select_columns=select_columns)


def _segment(
    prepared: Prepared,
    settings: Settings,
    names: Mapping[str | int, str],
    callbacks: tuple[OnCandidate | None, OnFold | None],
    started: float,
    *,
    select_columns: bool,
) -> SegmentationResult:
    """Return the segments of a table that is prepared."""
    warn_of_columns(prepared)
    search = SearchedTable.of_builders if select_columns else SearchedTable.of
    chosen = search(prepared, settings, *callbacks)
    built, best = chosen.prepared, chosen.choice.best
    inside = without_outliers(built, best)
    groups = groups_to_make(settings.merge, best, inside, settings.seed)
    model = build_model(best, inside, settings, built, groups).renamed(names)
    result = describe_segments(model, inside, chosen.found, best, started)
    if inside is not built:
        result = with_outliers(result, built, inside)
    untried = untried_notes(prepared, settings.components)
    result = with_kept_segments(with_known_segments(result, inside), inside)
    return replace(
        result,
        choice=chosen.choice,
        exclusions=chosen.exclusions,
        min_share=float(settings.min_share),
        merge=settings.merge,
        drop_missing=prepared.drop_missing,
        robust_reason=chosen.found.robust_reason,
        selection=chosen.selection,
        table_notes=(*result.table_notes, *selection_notes(chosen.selection, len(prepared.rows)), *untried),
    )


def describe_segments(
    model: SegmentModel,
    prepared: Prepared,
    found: SearchResult,
    best: Candidate,
    started: float,
    numbers_in_table: Array | None = None,
) -> SegmentationResult:
    """Return what is known of the rows that are prepared, given the model of them; ids may be numbers of a table."""
    choice, rows, weights = prepared.choice, prepared.rows, prepared.weights
    numbers, levels = read_columns(prepared.frame, choice, rows, prepared.complete, weights)
    id_name, ids = _ids(prepared, numbers_in_table)
    named = _naming(prepared.complete, ids)
    measured = measure_segments(
        model, prepared.table, weights, numbers, levels, value=choice.value, customer=named
    )
    segments, population = profile_segments(measured.profiles)
    scores = measured.scores.in_user_units(model.scaling, model.scaling.masked(rows))
    model = with_threshold(model, scores.log_density, weights)
    assignment = assignment_of(model, scores, prepared.complete, id_name, ids)
    return SegmentationResult(
        model=with_mean_values(model, segments),
        columns=choice,
        rows=rows,
        assignment=assignment,
        ranking=found.ranking,
        interrupted=found.interrupted,
        best=best,
        seconds=time.perf_counter() - started,
        segments=segments,
        population=population,
        certainty=measured.certainty,
        uncertain_rows=_uncertain_rows(measured.ambiguous, assignment),
        weights=weights,
        values=next((one.values for one in numbers if one.name == choice.value), None),
        advice=prepared.advice,
        table_notes=(*interruption_notes(found), *prepared.notes),
        levels=prepared.levels,
        residuals=measured.residuals,
        ids_repeat=prepared.ids_repeat,
    )


def _ids(prepared: Prepared, numbers: Array | None) -> tuple[str, Any]:
    """Return what ids are called, and the ids; given numbers where there are some."""
    id_name, own = customer_ids(prepared.frame, prepared.choice.id_column)
    return id_name, own if numbers is None else numbers


def _naming(complete: Array, ids: Any) -> Callable[[int], tuple[int, str]]:
    """Return what finds, for a complete row, its number in the table and the id of its customer."""
    numbers = np.flatnonzero(complete)
    return lambda row: (int(numbers[row]), str(ids[int(numbers[row])]))


def _uncertain_rows(top: TopRows, assignment: Assignment) -> IntArray:
    """Return the numbers, in the table, of the customers who are not wholly in one segment, the least certain first."""
    return np.asarray(np.flatnonzero(assignment.complete)[top.rows[top.keys < 1.0]], dtype=np.intp)
