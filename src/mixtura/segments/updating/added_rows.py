"""The rows of a table that are added to those that a model was learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.data.sources import Source, read_whole
from mixtura.exceptions import ColumnError, DataError
from mixtura.fit import sums_of
from mixtura.segments.change.far_values import require_sums
from mixtura.segments.merging.grouped import require_single_components
from mixtura.segments.model.read_rows import ModelRows, in_chunks, read_rows
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.updating.effective_rows import age_notes, require_rows_left
from mixtura.segments.updating.half_life import ages_of
from mixtura.segments.updating.model_statistics import (
    ModelStatistics,
    scatter_of,
    seen_data,
    sum_of_jacobians,
)
from mixtura.segments.updating.source_rows import read_in_parts

__all__ = ["AddedRows", "rows_to_add"]

_FEW_ROWS = 30
"""Rows that are looked at to find out what columns are rounded to, at least."""


_STRANGE = 0.1
"""Share of customers whom the model hardly expects from which on that is said."""


@dataclass(frozen=True, slots=True, eq=False)
class AddedRows:
    """The rows that are added.

    Parameters
    ----------
    model : SegmentModel
        That they are added to.
    read : ModelRows
        n usable rows.
    weights : ndarray of shape (n,) or None
        How much each counts, by its age too.
    data : Data
        The same rows as the mixture sees them.
    log_jacobian : float
        What makes their log-likelihood one in the user's units.
    rounding : ndarray of shape (D,)
        Steps that the columns are rounded to, scaled.
    kept : float
        How much earlier rows still count.
    as_of : str, float or None
        The latest time, see `ModelStatistics`; None without a time column.
    notes : tuple of str
    """

    model: SegmentModel
    read: ModelRows
    weights: FloatArray | None
    data: Data
    log_jacobian: float
    rounding: FloatArray
    kept: float
    as_of: str | float | None
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, model: SegmentModel, frame: Any, time: str | None, half_life: Any, *, drop_missing: bool
    ) -> Self:
        """Read a table, or a source, with the weights of its rows by their age."""
        read = rows_to_add(model, frame, drop_missing=drop_missing, time=time)
        weights, kept, as_of, notes = read.weights, 1.0, None, tuple[str, ...]()
        if time is not None:
            known = None if model.statistics is None else model.statistics.as_of
            ages = ages_of(read.frame, time, half_life, known, model.training.created)
            factors = ages.factors[read.complete]
            require_rows_left(model, ages, read.complete, time)
            weights = factors if weights is None else weights * factors
            kept, as_of = ages.kept, ages.as_of
            notes = age_notes(model, ages, read.complete, time)
        if weights is not None and not weights.sum() > 0:
            raise DataError(
                "No row of the table has a positive weight. At least one is required. Check the weights."
            )
        data = seen_data(model.scaling, read.table, weights)
        jacobian = sum_of_jacobians(model.scaling, read.table, weights)
        return cls(model, read, weights, data, jacobian, _steps(model, read), kept, as_of, notes)

    def statistics(self, mixture: Mixture) -> ModelStatistics:
        """Return their sums about a mixture."""
        sums, total = sums_of(self.data, mixture), scatter_of(self.data)
        return ModelStatistics(sums, total, self.log_jacobian, self.rounding, self.as_of)

    def strange_notes(self) -> tuple[str, ...]:
        """Return a sentence where many of them are customers whom the model hardly expects."""
        reference = self.model.reference
        if reference is None:
            return ()
        weights = np.ones(len(self.read.rows)) if self.weights is None else self.weights
        below = in_chunks(self.model.log_density, self.read.table) < reference.cuts.tail
        share = float(weights[below].sum() / weights.sum())
        before = float(reference.sums.totals[6] / reference.sums.totals[1])
        if share < max(_STRANGE, 3 * before):
            return ()
        said = (
            f"The model hardly expects {100 * share:.0f} % of the new customers, and {100 * before:.0f} % of those "
            "before: there may be a new kind of customer, or columns in other units. Segments were moved to them; look "
            "at mixtura drift MODEL TABLE before this model is used."
        )
        return (said,)


def _steps(model: SegmentModel, read: ModelRows) -> FloatArray:
    """Return what columns are rounded to; a few rows, or equal ones, do not say it, but the model does."""
    found, rows = scaled_steps(read.table, model.scaling), read.rows
    if model.statistics is None:
        return found
    same = ~(np.fmax.reduce(rows) > np.fmin.reduce(rows))
    return np.where(same | (len(rows) < _FEW_ROWS), model.statistics.rounding, found)


def rows_to_add(
    model: SegmentModel, frame: Any, *, drop_missing: bool = False, time: str | None = None
) -> ModelRows:
    """Return the rows of a table that are learned from, with the weights that the model was learned with.

    Those of a source are read in parts, and lie in a spool, where the model has numbers alone.

    Raises
    ------
    ColumnError, DataError
        The table lacks a column of the model, or of its weights, or no row has a value, or one is beyond all sums.
    ParameterError
        Segments have several components.
    """
    require_single_components(model.groups, "Adding rows")
    if isinstance(frame, Source) and model.coding is None and not any(model.scaling.spikes):
        read = read_in_parts(model, frame, time, drop_missing=drop_missing)
    else:
        read = _read_whole(model, read_whole(frame) if isinstance(frame, Source) else frame, drop_missing)
    if read.absent:
        raise DataError(
            f"The table has no values in {', '.join(map(repr, read.absent))}. The model learns from the columns "
            f"{', '.join(map(repr, (*model.columns, *model.discrete_columns)))} "
            "together. Give a table that has them all."
        )
    require_sums(model, read)
    return read


def _read_whole(model: SegmentModel, frame: Any, drop_missing: bool) -> ModelRows:
    weight = model.training.weight_column
    names: list[str] = list(nw.from_native(frame, eager_only=True).columns)
    if weight is not None and weight not in names:
        raise ColumnError.missing(weight, names, "weight")
    return read_rows(model, frame, drop_missing=drop_missing, weight=weight, partial=True)
