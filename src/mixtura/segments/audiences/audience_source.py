"""Audiences of a table larger than memory: it is read in parts, and only who may be in one is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.data.sources import Source
from mixtura.data.sources.row_numbers import is_numeric
from mixtura.data.spool import spool_stream
from mixtura.exceptions import DataError, MissingValuesError
from mixtura.segments.audiences.audience import AudienceLimits, Audiences, AudienceSummary, combine_audiences
from mixtura.segments.audiences.audience_table import (
    AudienceList,
    CountedCustomers,
    PickedIds,
    segments_wanted,
)
from mixtura.segments.large.assigning.assign_source import (
    SourceCounts,
    assigned_parts,
    id_column_of,
    read_notes,
    reader_of,
    with_sentinels,
)
from mixtura.segments.large.row_reader import column_numbers
from mixtura.segments.large.spooled_table import ids_of_rows
from mixtura.segments.large.table_reader import ReadCounts
from mixtura.segments.model.assign import Assignment
from mixtura.segments.model.read_rows import ROW_NAME, require_columns
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.survey.sentinel import Sentinel

__all__ = ["audiences_of_source"]


def audiences_of_source(
    model: SegmentModel,
    source: Source,
    segments: Sequence[str | int],
    *,
    min_probability: float | None = None,
    top: int | None = None,
    value: str | None = None,
    min_expected_value: float | None = None,
    weight: str | None = None,
    id_column: str | None = None,
    drop_missing: bool = False,
    on_rows: Callable[[int, int | None], object] | None = None,
) -> AudienceList:
    """Return what `audiences_of_table` returns, of a table that is read in parts.

    What is held are the customers who may be in an audience: those that pass the thresholds, and with `top` about
    twice as many as that.

    Parameters
    ----------
    model : SegmentModel
    source : Source
    segments, min_probability, top, value, min_expected_value, weight, id_column, drop_missing
        As of `audiences_of_table`; columns of values and weights hold numbers.
    on_rows : callable, optional
        As of `Source.watched`.

    Raises
    ------
    MixturaError
        As `audiences_of_table`; or the source cannot be read.
    """
    limits = AudienceLimits(min_probability, top, min_expected_value, valued=value is not None)
    wanted = segments_wanted(model, segments)
    known = model.training.weight_column
    numeric = known in source.columns and is_numeric(source.schema.field(known).type)
    weight = weight or (known if numeric else None)
    further = [one for one in (value, weight) if one is not None]
    require_columns([*model.columns, *model.discrete_columns, *further], source.columns)
    source = source if on_rows is None else source.watched(on_rows)
    source = source if source.repeatable else spool_stream(source)
    name = id_column_of(model, source, id_column)
    task = _Task(model, source, name, value, weight, limits, wanted, drop_missing)
    return with_sentinels(model, source, task.run)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """The audiences of a source; see `audiences_of_source`."""

    model: SegmentModel
    source: Source
    id_column: str | None
    value: str | None
    weight: str | None
    limits: AudienceLimits
    wanted: list[int]
    drop_missing: bool

    def run(self, sentinels: list[Sentinel] | None) -> AudienceList:
        model, names = self.model, self.model.names
        summaries = [AudienceSummary(names, names[k], self.limits) for k in self.wanted]
        counts, read, lacking = SourceCounts(model.n_segments), ReadCounts(reader_of(model, {})), 0
        further = [one for one in (self.value, self.weight) if one is not None]
        asked: dict[str, Any] = {"drop_missing": self.drop_missing, "further": further}
        for part, batch in assigned_parts(model, self.source, self.id_column, sentinels, read, **asked):
            value = None if self.value is None else column_numbers(batch, self.value)
            weights = None if self.weight is None else self._weights(batch, part, counts.n_rows)
            lacking += 0 if value is None else int((np.isnan(value) & part.complete).sum())
            for summary in summaries:
                summary.add(part.memberships, value, weights)
            counts.add(part)
        counts.require_some((*model.columns, *model.discrete_columns))
        notes = read_notes(sentinels, read)
        found = combine_audiences([one.result() for one in summaries], counts.n_rows)
        return AudienceList(self._customers(found, counts, notes), found, self.value, lacking, self.weight)

    def _customers(self, found: Audiences, counts: SourceCounts, notes: tuple[str, ...]) -> CountedCustomers:
        rows: IntArray = np.unique(np.concatenate([one.rows for one in found.audiences]))
        if self.id_column is None:
            ids = PickedIds(rows, rows + 1)
        else:
            ids = PickedIds(rows, ids_of_rows(self.source, self.id_column, rows))
        n_known = counts.n_complete + counts.n_outliers
        name = self.id_column or ROW_NAME
        return CountedCustomers(
            name, ids, counts.n_rows, counts.n_complete, n_known, counts.n_outliers, notes
        )

    def _weights(self, batch: Any, part: Assignment, start: int) -> FloatArray:
        """Return how much the customers of a part count."""
        name = str(self.weight)
        weights, complete = column_numbers(batch, name), np.asarray(part.complete)
        lacking: BoolArray = np.isnan(weights)
        if (lacking & complete).any() and not self.drop_missing:
            row = start + int(np.argmax(lacking & complete))
            raise MissingValuesError(
                f"`weight` must be a finite number for every customer; {name!r} has none in row {row + 1} of the data. "
                "Fill them, or leave those customers out with `drop_missing=True`.",
                columns=[name],
                rows=[row],
                count=int((lacking & complete).sum()),
            )
        weights[lacking | ~complete] = 0.0
        if weights.min() < 0:
            row = int(np.argmax(weights < 0))
            raise DataError(
                f"`weight` must not be negative; {name!r} is {weights[row]:g} in row {start + row + 1} of the data. "
                "Correct it, or name another column."
            )
        return weights
