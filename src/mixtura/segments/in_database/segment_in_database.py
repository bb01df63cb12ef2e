"""From a table of a database to segments: a sample chooses and describes, all rows are fitted and counted there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mixtura.core.data import Data
from mixtura.core.evaluate import SmallestHashes
from mixtura.data import DatabaseTable
from mixtura.engine import as_data, as_in_database, with_database_columns
from mixtura.exceptions import MissingValuesError, ParameterError
from mixtura.expressions.expression import Call, Name
from mixtura.segments.building.searched_table import SearchedTable
from mixtura.segments.building.selection_notes import selection_notes
from mixtura.segments.in_database.sizes import CountedSegments, count_segments, scored_table
from mixtura.segments.large.draw_rows import Drawn
from mixtura.segments.large.row_reader import missing_codes_of
from mixtura.segments.large.segment_source import LargeTask
from mixtura.segments.large.whole_table import ListedRows, WholeTable
from mixtura.segments.model.build import build_model
from mixtura.segments.profiles.profile import SegmentProfile
from mixtura.segments.profiles.share_interval import share_interval
from mixtura.segments.results.deliver import SCORING_FILE
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.segment import describe_segments
from mixtura.segments.table.prepare import Prepared, prepare, warn_of_columns
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.transforms.jacobian import SumOfJacobian
from mixtura.select import Candidate
from mixtura.select.extend_fit import extend_fit
from mixtura.validation import Interval, require

__all__ = ["segment_in_database"]

_LARGEST = 1e100


def _numbers_alone(*names: str) -> ParameterError:
    """Return what to raise where options are given that a table in its database does not go with."""
    named = " and ".join(f"`{name}`" for name in names)
    return ParameterError(
        f"{named} must be left out for a table that stays in its database, where numbers alone build segments, each a "
        "single component. Segment a sample of it, or read it."
    )


def segment_in_database(
    table: DatabaseTable,
    /,
    *,
    sample_rows: int = 10_000,
    on_stage: Callable[[str], object] = lambda name: None,
    on_pass: Callable[[int, int | None], object] | None = None,
    **options: Any,
) -> SegmentationResult:
    """Segment the customers of a table that stays in its database.

    Some rows are drawn at random: they choose columns, transforms, scales and the model, and describe the segments. The
    model is then fitted to all rows, by queries, and all customers are counted where they are. Numbers alone build
    segments, as of every large table.

    Parameters
    ----------
    table : DatabaseTable
        Its `columns` are those that may be used.
    sample_rows : int, default=10000
        Rows that are drawn, at least 100; all of a table that has no more.
    on_stage, on_pass : callable, optional
        As of `segment_source`.
    **options
        As of `segment_table`. Rows that lack a value of a building column are left out with ``drop_missing=True``.

    Returns
    -------
    SegmentationResult
        `rows`, `assignment`, profiles and certainty are those of the sample; counts, shares and `whole` are of all
        rows. `whole.write` writes the statement that assigns them, ``segments.sql``.

    Raises
    ------
    MixturaError
        As `segment_table`; the database refuses a query; rows lack values and are not to be left out; or what is asked
        for, such as outliers, discrete columns or known segments, needs the rows.

    Examples
    --------
    >>> import duckdb
    >>> from mixtura import DatabaseTable
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments.in_database import segment_in_database
    >>> customers = make_customers(as_frame="polars")
    >>> connection = duckdb.connect()
    >>> _ = connection.execute("CREATE TABLE customers AS FROM customers")
    >>> found = segment_in_database(DatabaseTable(connection, "customers"), components=[3])
    >>> [(one.name, one.count) for one in found.segments]
    [('low income, high spending', 104), ('average', 100), ('high income, low spending', 96)]
    """
    if options.pop("keep", None) is not None:
        raise _numbers_alone("keep")
    require("sample_rows", sample_rows, Interval(100, whole=True), "Try `sample_rows=10_000`.")
    return _DatabaseTask(table, sample_rows, on_stage, options | {"on_pass": on_pass}).run()


class _DatabaseTask(LargeTask):
    """One segmentation of a table of a database."""

    def __init__(
        self,
        table: DatabaseTable,
        sample_rows: int,
        on_stage: Callable[[str], object],
        options: dict[str, Any],
    ) -> None:
        super().__init__(table.outline(), "float64", on_stage, **options)
        self.roles = replace(self.roles, alone=self.roles.kinds != "auto")
        self.table, self.sample_rows = table, sample_rows

    def run(self) -> SegmentationResult:
        asked = {
            "robust": self.settings.robust != "none",
            "merge": self.settings.merge is not None,
            "known": self.roles.known is not None,
        }
        if any(asked.values()):
            raise _numbers_alone(*(name for name, given in asked.items() if given))
        drawn = self._drawn()
        prepared = self._numbers(drawn)
        warn_of_columns(prepared)
        self.on_stage("Looking at all rows")
        table = self._complete(prepared)
        data = _looked_at(table, prepared.choice.weight)
        self.on_stage("Fitting models")
        search = SearchedTable.of_builders if self.select_columns else SearchedTable.of
        chosen = search(prepared, self.settings, *self.observers)
        if tuple(chosen.prepared.choice.used) != table.columns:
            table = table.part(chosen.prepared.choice.used)
            data = _looked_at(table, prepared.choice.weight)
        found = self._described(chosen, data, drawn)
        self.on_stage("Counting all customers")
        result = _of_all(found, count_segments(found.model, table, prepared.choice.weight), drawn, table)
        return replace(result, seconds=time.perf_counter() - self.started)

    def _described(self, chosen: SearchedTable, data: Data, drawn: Drawn) -> SegmentationResult:
        """Return the result of the sample, of the model fitted to all rows."""
        prepared, best = chosen.prepared, chosen.choice.best
        self.on_stage("Fitting the model to all rows")
        scaled = _scaled(prepared, data)
        model = build_model(self._fitted_there(prepared, best, data, scaled), prepared, self.settings)
        model = self.with_sums(model.renamed(self.names), prepared, scaled)
        training = replace(model.training, rows=data.n_rows, rows_dropped=drawn.n_rows - data.n_rows)
        numbers = drawn.numbers + 1 if prepared.choice.id_column is None else None
        found = describe_segments(
            replace(model, training=training),
            prepared,
            chosen.found,
            best,
            self.started,
            numbers_in_table=numbers,
        )
        selected = selection_notes(chosen.selection, len(prepared.rows))
        return replace(
            found,
            choice=chosen.choice,
            exclusions=chosen.exclusions,
            min_share=float(self.settings.min_share),
            drop_missing=self.drop_missing,
            selection=chosen.selection,
            table_notes=(self._said(drawn), *found.table_notes, *selected),
        )

    def _drawn(self) -> Drawn:
        n_rows = int(self.table.ask(f"SELECT COUNT(*) FROM {self.table.source} t")[0][0])
        if not n_rows:
            raise ParameterError(f"The table must have rows; {self.table.name!r} has none.")
        self.on_stage(f"Drawing {min(self.sample_rows, n_rows):,} of {n_rows:,} rows")
        numbers = np.sort(SmallestHashes(self.sample_rows, self.settings.seed).of_numbers(n_rows)[0])
        return Drawn(self.table.rows_at(numbers, self.needed_columns()), numbers, n_rows)

    def _numbers(self, drawn: Drawn) -> Prepared:
        """Return the sample as it is searched: by numbers alone, with a note of what else there would be."""
        prepared = prepare(drawn.table, self.roles, self.settings, drop_missing=self.drop_missing)
        if prepared.coding is None and not any(prepared.scaling.spikes):
            return prepared
        if self.roles.kinds != "auto":
            raise _numbers_alone("kinds")
        roles = replace(self.roles, kinds="continuous")
        plain = prepare(drawn.table, roles, self.settings, drop_missing=self.drop_missing)
        others = [one.name for one in prepared.choice.kinds if one.kind != "continuous"]
        said = (
            f"In a database numbers alone build segments: {', '.join(others)} would be counts, categories or amounts "
            "with point masses in a table that is read here."
        )
        return replace(plain, reading_notes=(*plain.reading_notes, said))

    def _complete(self, prepared: Prepared) -> DatabaseTable:
        """Return the table with the columns that build, and only the rows that have them all where that is asked."""
        used, dialect = prepared.choice.used, self.table.dialect
        codes = missing_codes_of(used, prepared.missing_codes, prepared.sentinels)
        coded = [name for name in used if codes[name]]
        if coded and not self.drop_missing:
            raise ParameterError(
                f"`drop_missing` must be True for a table that stays in its database and has numbers for missing "
                f"values; column {coded[0]!r} has {codes[coded[0]][0]:g}. Say so, or leave such rows out with a query."
            )
        if not self.drop_missing:
            return self.table.part(used)
        low, high = dialect.number(-_LARGEST), dialect.number(_LARGEST)
        tests = []
        for name in used:
            value = dialect.double.format(f"t.{dialect.name_of(name)}")
            tests.append(f"{value} BETWEEN {low} AND {high}")
            tests += [f"{value} <> {dialect.number(float(code))}" for code in codes[name]]
        return self.table.part(used, " AND ".join(tests))

    def _fitted_there(self, prepared: Prepared, best: Candidate, data: Data, scaled: Data) -> Candidate:
        """Return the model fitted to all rows; its log-likelihood is in the user's units."""
        scaling = prepared.scaling
        sample, steps = (
            as_data(scaling.apply(prepared.rows), prepared.weights),
            scaled_steps(prepared.rows, scaling),
        )
        asked = {"prior": self.settings.prior, "rounding": steps, "on_pass": self.on_pass}
        found = extend_fit(best, sample, scaled, **asked)
        added = data.reduce(SumOfJacobian(scaling))
        return replace(found, log_likelihood=found.log_likelihood + added)

    def _said(self, drawn: Drawn) -> str:
        return (
            f"The rows stay in the database: {len(drawn.numbers):,} of {drawn.n_rows:,}, drawn at random, chose "
            "columns, scales and the model, which was then fitted to all rows. Sizes of segments, certainty and the "
            "number of anomalies are of all rows; profiles, charts and those who are listed are of the sample."
        )


def _scaled(prepared: Prepared, data: Data) -> Data:
    """Return the rows of a table as the mixture sees them."""
    pairs = zip(prepared.choice.used, prepared.scaling.column_scales(), strict=True)
    return with_database_columns(data, {name: one.scaled(Call("double", Name(name))) for name, one in pairs})


def _looked_at(table: DatabaseTable, weight: str | None) -> Data:
    try:
        return as_in_database(table, weight)
    except MissingValuesError as error:
        raise MissingValuesError(
            f"Rows of a table that stays in its database must have all values; of {table.name!r} {error.count:,} are "
            f"missing, in {', '.join(map(repr, error.columns[:5]))}. Leave such rows out with `drop_missing=True`, or "
            "read the table.",
            columns=error.columns,
            count=error.count,
        ) from error


def _of_all(
    found: SegmentationResult, counted: CountedSegments, drawn: Drawn, table: DatabaseTable
) -> SegmentationResult:
    """Return the result of a sample with the counts of all rows."""
    sizes, id_column = counted.sizes, found.model.training.id_column
    segments = tuple(_with_size(one, counted) for one in found.segments)
    population = replace(
        found.population,
        count=int(sizes.counts.sum()),
        total_weight=float(sizes.weights.sum()),
        effective_base=float(sizes.weights.sum() ** 2 / sizes.squares.sum()),
    )
    whole = WholeTable(
        n_rows=drawn.n_rows,
        n_complete=int(sizes.counts.sum()),
        counts=sizes.counts,
        mean_certainties=tuple(counted.certainties.tolist()),
        n_anomalies=counted.n_anomalies,
        anomaly_share=counted.anomaly_share,
        anomalies=_listed(found, drawn, np.array(found.anomalies, dtype=np.intp)),
        least_certain=_listed(found, drawn, found.uncertain_rows),
        id_name=found.assignment.id_name,
        write=_Statement(found, table, () if id_column is None else (id_column,)),
        in_database=True,
    )
    certainty = counted.certainty(found.certainty)
    return replace(found, segments=segments, population=population, certainty=certainty, whole=whole)


def _with_size(segment: SegmentProfile, counted: CountedSegments) -> SegmentProfile:
    sizes, k = counted.sizes, segment.number - 1
    return replace(
        segment,
        count=int(sizes.counts[k]),
        share=float(sizes.shares[k]),
        share_interval=share_interval(sizes, k),
        effective_base=float(sizes.effective[k]),
    )


def _listed(found: SegmentationResult, drawn: Drawn, rows: Any) -> ListedRows:
    """Return some rows of the sample, by their numbers there."""
    assignment = found.assignment
    return ListedRows(
        drawn.numbers[rows],
        tuple(assignment.customer(int(row)) for row in rows),
        found.numbers_of(rows),
        assignment.memberships[rows],
        assignment.log_density[rows],
        assignment.labels[rows],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Statement:
    """Writes the statement that assigns all customers where they are."""

    result: SegmentationResult
    table: DatabaseTable
    id_columns: tuple[str, ...]

    def __call__(self, folder: Path) -> None:
        dialect = self.table.dialect
        before = f"{dialect.before};\n" if dialect.before else ""
        scored = scored_table(self.result.model, self.table, self.id_columns)
        said = "-- The segment of each customer, as a table of the database."
        text = f"{said}\n{before}CREATE TABLE segments AS\n{scored};\n"
        (folder / SCORING_FILE).write_text(text, encoding="utf-8")
