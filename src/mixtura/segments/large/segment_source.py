"""From a source larger than memory to segments: a sample chooses the model, all rows fit and describe it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.data import DatabaseTable
from mixtura.data.sources import Source, read_whole, unread
from mixtura.engine import as_data, is_distributed, is_spark
from mixtura.fit import sums_of
from mixtura.io import find_source, looks_like_id, release_arrow_memory
from mixtura.segments.building.searched_table import SearchedTable
from mixtura.segments.building.selection_notes import selection_notes
from mixtura.segments.known_options import require_options
from mixtura.segments.large.described import described_columns
from mixtura.segments.large.draw_rows import Drawn, draw_rows
from mixtura.segments.large.measure_whole import MeasuredWhole, TableInParts, measure_whole
from mixtura.segments.large.opening import LARGE_ROWS, counted
from mixtura.segments.large.spooled_table import SpooledTable, spool_table
from mixtura.segments.large.table_reader import NeededColumns, TableReader
from mixtura.segments.large.whole_table import WholeTable
from mixtura.segments.large.write_customers import CustomerTables
from mixtura.segments.merging.grouped import check_merge
from mixtura.segments.merging.groups_to_make import groups_to_make
from mixtura.segments.model.assign import Assignment, assign_rows
from mixtura.segments.model.assignment_frame import eager
from mixtura.segments.model.build import build_model, with_mean_values
from mixtura.segments.model.read_rows import ROW_NAME, customer_ids
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.options import COVARIANCE_TYPES, Settings
from mixtura.segments.profiles.profile_columns import Categories, Numbers, read_columns
from mixtura.segments.results.notes import interruption_notes
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.segment import segment_table
from mixtura.segments.table.prepare import Prepared, prepare, warn_of_columns
from mixtura.segments.table.roles import Roles
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.table.survey.missing_codes import MissingCodes
from mixtura.segments.transforms.jacobian import SumOfJacobian, seen_as_read
from mixtura.segments.updating.model_statistics import ModelStatistics, scatter_of
from mixtura.select import Candidate
from mixtura.select.extend_fit import extend_fit

__all__ = ["LargeTask", "segment_any", "segment_source"]


def segment_source(
    table: Source,
    /,
    *,
    spool_dtype: str = "float64",
    on_stage: Callable[[str], object] = lambda name: None,
    on_rows: Callable[[int, int | None], object] | None = None,
    on_pass: Callable[[int, int | None], object] | None = None,
    **options: Any,
) -> SegmentationResult:
    """Segment the customers of a table that need not fit into memory.

    Up to 262,144 rows it is read and segmented as `segment_table` does. Of more, as many drawn at random choose
    columns, transforms, scales and the model; the model is then fitted to all rows, which are spooled, and all rows are
    evaluated, profiled and written, in blocks. Where outliers are modeled (`robust`), the segments of some customers
    are known, or segments are kept, the table is read into memory.

    Parameters
    ----------
    table : Source
    spool_dtype : {"float64", "float32"}, default="float64"
        Of the rows in the spool; single precision takes half the room.
    on_stage : callable, optional
        Called with what is done next, when it begins.
    on_rows, on_pass : callable, optional
        Called with how many rows were read in this reading, and how many there are; and with how many passes were made
        over all rows to fit the model.
    **options
        As of `segment_table`.

    Returns
    -------
    SegmentationResult
        `rows` and `assignment` are those of the sample, where one was drawn; `whole` has what is known of all rows.

    Raises
    ------
    MixturaError
        As `segment_table`; the disk has no room; or the source cannot be read, or changes while it is.
    """
    table = counted(table)
    if table.n_rows is None or table.n_rows <= LARGE_ROWS or options.get("keep") is not None:
        return segment_table(read_whole(table), **options)
    options.pop("keep", None)
    given = table if on_rows is None else table.watched(on_rows)
    return LargeTask(given, spool_dtype, on_stage, on_pass=on_pass, **options).run()


def segment_any(frame: Any, **options: Any) -> tuple[SegmentationResult, Any]:
    """Return the segments of a dataframe or a source, and the table; None where it is not held in memory.

    Parameters
    ----------
    frame : dataframe, path, or source
        As `mixtura.Segmentation.fit` takes it.
    **options
        As of `mixtura.segments.segment_table`.
    """
    if isinstance(frame, DatabaseTable):
        from mixtura.segments.in_database.segment_in_database import segment_in_database

        return segment_in_database(frame, **options), None
    require_options("Segmentation.fit", options, segment_table, segment_source)
    if is_spark(frame):
        from mixtura.segments.large.on_cluster.segment_on_spark import segment_on_spark

        return segment_on_spark(frame, **options)
    if is_distributed(frame) and hasattr(frame, "columns"):
        from mixtura.segments.large.on_cluster.segment_on_cluster import segment_on_cluster

        result = segment_on_cluster(frame, **options)
        return result, None if result.whole is not None else frame.compute()
    if not unread(frame):
        table = eager(frame)
        return segment_table(table, **options), table
    source = counted(frame if isinstance(frame, Source) else find_source(frame))
    if source.n_rows is not None and source.n_rows > LARGE_ROWS:
        return segment_source(source, **options), None
    table = read_whole(source)
    return segment_table(table, **options), table


class LargeTask:
    """One segmentation of a source of which a sample is searched; the arguments are those of `segment_source`."""

    def __init__(
        self,
        given: Source,
        spool_dtype: str,
        on_stage: Callable[[str], object],
        /,
        *,
        columns: Sequence[str] | None = None, id_column: str | None = None, components: Sequence[int] | None = None,
        covariance_types: Sequence[str] | None = None, criterion: str = "bic", n_init: int = 1,
        random_state: int | None = 0, anomaly_percentile: float = 4.0, drop_missing: bool = False,
        describe: Sequence[str] = (), value: str | None = None, weight: str | None = None,
        names: Mapping[str | int, str] | None = None, kinds: Any = "auto", missing_codes: MissingCodes = None,
        known: str | None = None, on_candidate: Any = None, on_fold: Any = None, on_pass: Any = None,
        **others: Any,
    ) -> None:  # fmt: skip
        self.select_columns, self.started = others.pop("select_columns", False), time.perf_counter()
        self.source, self.spool_dtype = given, spool_dtype
        self.drop_missing, self.on_stage = drop_missing, on_stage
        fitted = components, covariance_types or COVARIANCE_TYPES, criterion, n_init, random_state
        check_merge(others.get("merge"), known=known)
        self.settings = Settings(*fitted, anomaly_percentile, **others)
        self.roles = Roles(
            columns, id_column, describe, value, weight, kinds, (), missing_codes, known, alone=True
        )
        self.names, self.observers = names or {}, (on_candidate, on_fold)
        self.on_pass = on_pass
        self.given = {
            "columns": columns, "id_column": id_column, "components": components, "covariance_types": covariance_types,
            "criterion": criterion, "n_init": n_init, "random_state": random_state, "names": names, "kinds": kinds,
            "anomaly_percentile": anomaly_percentile, "drop_missing": drop_missing, "describe": describe,
            "value": value, "weight": weight, "missing_codes": missing_codes, "known": known,
            "on_candidate": on_candidate, "on_fold": on_fold, "select_columns": self.select_columns, **others,
        }  # fmt: skip

    def run(self) -> SegmentationResult:
        self.on_stage(f"Drawing {LARGE_ROWS:,} of {self.source.n_rows or 0:,} rows")
        drawn = self.drawn()
        prepared = self.prepared_sample(drawn)
        if prepared is None:
            return self.in_memory()
        warn_of_columns(prepared)
        self.on_stage("Fitting models")
        search = SearchedTable.of_builders if self.select_columns else SearchedTable.of
        chosen = search(prepared, self.settings, *self.observers)
        prepared = chosen.prepared
        numbers, levels = read_columns(
            prepared.frame, prepared.choice, prepared.rows, prepared.complete, prepared.weights
        )
        release_arrow_memory()
        described = described_columns(numbers, levels, prepared.choice.used)
        reader = TableReader.of(
            prepared.choice.used,
            prepared.coding,
            prepared.missing_codes,
            prepared.sentinels,
            drop_missing=self.drop_missing,
        )
        self.on_stage("Reading the columns of all rows")
        needed = NeededColumns(reader, described, prepared.choice.weight)
        table = self.read_of_all(needed, prepared.choice.id_column)
        release_arrow_memory()
        levels = [
            Categories(one.name, one.levels, np.empty(0, dtype=np.intp))
            for one in described
            if one.levels is not None
        ]
        return self._result(drawn, prepared, chosen, table, numbers, levels)

    def drawn(self) -> Drawn:
        """Return the sample that is searched."""
        return draw_rows(self.source, self.needed_columns(), LARGE_ROWS, self.settings.seed)

    def in_memory(self) -> SegmentationResult:
        """Return the segments of a table that has to be in memory."""
        return segment_table(read_whole(self.source), **self.given)

    def read_of_all(self, needed: NeededColumns, id_column: str | None) -> TableInParts:
        """Return the columns of all rows that are needed; the ids, too, where they cannot be read again."""
        return spool_table(self.source, needed, dtype=self.spool_dtype)

    def customers_of(
        self, model: SegmentModel, table: TableInParts, id_column: str | None
    ) -> Callable[[Path], None]:
        """Return what writes the tables of all customers to a folder."""
        assert isinstance(table, SpooledTable)
        return CustomerTables(model, table, self.source, id_column)

    def said_of_rows(self) -> str:
        """Return what a note says of where the rows are, if anything."""
        return ""

    def prepared_sample(self, drawn: Drawn) -> Prepared | None:
        """Return the sample as it is searched; None where the table has to be in memory."""
        if self.settings.robust != "none" or self.roles.known is not None:
            return None
        return prepare(drawn.table, self.roles, self.settings, drop_missing=self.drop_missing)

    def needed_columns(self) -> list[str]:
        """Return the columns that are read of the sample: all, unless it was said which ones."""
        roles = self.roles
        roles.check_names(self.source.columns)
        if roles.columns is None:
            return list(self.source.columns)
        named = [*roles.columns, *roles.describe, roles.id_column, roles.value, roles.weight]
        asked = dict.fromkeys(name for name in named if name is not None)
        if roles.id_column is None:
            asked |= dict.fromkeys(filter(looks_like_id, self.source.columns))
        return list(asked)

    def _result(
        self, drawn: Drawn, prepared: Prepared, chosen: SearchedTable, table: TableInParts, numbers: list[Numbers],
        levels: list[Categories],
    ) -> SegmentationResult:  # fmt: skip
        data, id_column = table.data(), prepared.choice.id_column
        model = self._model(prepared, chosen, table, data)
        self.on_stage("Evaluating all rows")
        measured = measure_whole(
            model, table, data, numbers, levels, value=prepared.choice.value, id_column=id_column
        )
        model = replace(with_mean_values(model, measured.segments), anomaly_threshold=measured.threshold)
        return SegmentationResult(
            model=model,
            columns=prepared.choice,
            rows=prepared.rows,
            assignment=_assigned(model, drawn, prepared),
            ranking=chosen.found.ranking,
            interrupted=chosen.found.interrupted,
            best=chosen.choice.best,
            seconds=time.perf_counter() - self.started,
            segments=measured.segments,
            population=measured.population,
            certainty=measured.certainty,
            uncertain_rows=np.empty(0, dtype=np.intp),
            weights=prepared.weights,
            values=None,
            advice=prepared.advice,
            table_notes=_notes(drawn, prepared, chosen, table, self.said_of_rows()),
            levels=prepared.levels,
            residuals=measured.residuals,
            ids_repeat=prepared.ids_repeat,
            drop_missing=prepared.drop_missing,
            choice=chosen.choice,
            exclusions=chosen.exclusions,
            min_share=float(self.settings.min_share),
            merge=self.settings.merge,
            selection=chosen.selection,
            whole=_whole(table, measured, id_column, self.customers_of(model, table, id_column)),
        )

    def _model(
        self, prepared: Prepared, chosen: SearchedTable, table: TableInParts, data: Data
    ) -> SegmentModel:
        self.on_stage("Fitting the model to all rows")
        fitted = self._fitted(prepared, chosen.choice.best, data)
        groups = groups_to_make(self.settings.merge, fitted, prepared, self.settings.seed)
        model = build_model(fitted, prepared, self.settings, groups=groups).renamed(self.names)
        n_complete, n_rows = data.n_rows, table.n_rows
        training = replace(model.training, rows=n_complete, rows_dropped=n_rows - n_complete)
        scaled = seen_as_read(data, prepared.scaling)
        return self.with_sums(replace(model, training=training), prepared, scaled)

    def with_sums(self, model: SegmentModel, prepared: Prepared, scaled: Data) -> SegmentModel:
        """Return the model with the sums of all rows, to which others can be added; their scatter is the sample's."""
        scaling = prepared.scaling
        sums = sums_of(scaled, model.mixture)
        total = scatter_of(as_data(scaling.seen(prepared.table), prepared.weights))
        found = ModelStatistics(
            sums,
            total.scale(sums.total_weight / total.total_weight),
            model.training.log_likelihood - sums.log_likelihood,
            scaled_steps(prepared.rows, scaling),
        )
        return replace(model, statistics=found)

    def _fitted(self, prepared: Prepared, best: Candidate, data: Data) -> Candidate:
        """Return the model fitted to all rows; its log-likelihood is in the user's units."""
        scaling = prepared.scaling
        sample = as_data(scaling.seen(prepared.table), prepared.weights)
        steps = scaled_steps(prepared.rows, scaling)
        found = extend_fit(
            best,
            sample,
            seen_as_read(data, scaling),
            prior=self.settings.prior,
            rounding=steps,
            on_pass=self.on_pass,
        )
        added = data.reduce(SumOfJacobian(scaling))
        return replace(found, log_likelihood=found.log_likelihood + added)


def _assigned(model: SegmentModel, drawn: Drawn, prepared: Prepared) -> Assignment:
    """Return the assignment of the sample; without ids its rows have their numbers in the table."""
    id_column = prepared.choice.id_column
    id_name, ids = customer_ids(prepared.frame, id_column)
    ids = drawn.numbers + 1 if id_column is None else ids
    return assign_rows(model, prepared.table, prepared.complete, id_name, ids)


def _notes(
    drawn: Drawn, prepared: Prepared, chosen: SearchedTable, table: TableInParts, there: str
) -> tuple[str, ...]:
    said = (
        f"Columns, scales and the model were chosen by {len(prepared.complete):,} of {drawn.n_rows:,} rows, drawn at "
        "random; the model was then fitted to all rows. The criteria of models, the comparison with K-means, stability "
        "and charts are of that sample; segments, their sizes, profiles, certainty and anomalies are of all rows."
    )
    return (
        *interruption_notes(chosen.found),
        said,
        *([there] if there else []),
        *prepared.reading_notes,
        *selection_notes(chosen.selection, len(prepared.complete)),
        *table.noticed,
    )


def _whole(
    table: TableInParts, measured: MeasuredWhole, id_column: str | None, write: Callable[[Path], None]
) -> WholeTable:
    certainties: FloatArray = measured.certainty.confusion.diagonal()
    return WholeTable(
        n_rows=table.n_rows,
        n_complete=table.data().n_rows,
        counts=measured.counts,
        mean_certainties=tuple(certainties.tolist()),
        n_anomalies=measured.n_anomalies,
        anomaly_share=measured.anomaly_share,
        anomalies=measured.anomalies,
        least_certain=measured.least_certain,
        id_name=ROW_NAME if id_column is None else id_column,
        write=write,
    )
