"""What became of the customers of a table: one later table, or one period after the other."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np

from mixtura.drift import MixtureDrift, Reference, Verdict, mixture_drift, reference_of_fresh_rows
from mixtura.engine import as_data
from mixtura.exceptions import ColumnWarning, DataError, ParameterError, TooFewRowsError
from mixtura.segments.change.movers import Movers, movers_between
from mixtura.segments.change.periods import Period, periods_of
from mixtura.segments.change.renewal import Renewal, renew
from mixtura.segments.model.assign import Assignment, assign_read
from mixtura.segments.model.kept_reference import log_jacobians, simulated_reference, with_reference
from mixtura.segments.model.read_rows import ReadRows, read_for
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.segment import segment_table

__all__ = ["FEWEST_ROWS", "PeriodDrift", "TableDrift", "drift_of_table", "drift_over_time"]

FEWEST_ROWS = 30
"""Rows with which a period is compared, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class PeriodDrift:
    """The customers of one time, compared with those that the model was learned from.

    Parameters
    ----------
    label : str
    drift : MixtureDrift
    assignment : Assignment
    """

    label: str
    drift: MixtureDrift
    assignment: Assignment


@dataclass(frozen=True, slots=True, eq=False)
class TableDrift:
    """What became of the customers whom a model was learned from.

    Parameters
    ----------
    model : SegmentModel
    source : str
        Name of the table.
    reference_label : str
        What the customers of the model are called: a table or a period.
    reference : Reference
    periods : tuple of PeriodDrift
        The earliest first; one for a later table.
    movers : Movers or None
        Between the first time and the last.
    movers_labels : (str, str)
        What these times are called.
    renewal : Renewal or None
        The model of the last period that the verdict asks for; None where it is to keep the old one.
    value : str or None
    notes : tuple of str
        What is not known, and what was noticed when the tables were read.
    """

    model: SegmentModel
    source: str
    reference_label: str
    reference: Reference
    periods: tuple[PeriodDrift, ...]
    movers: Movers | None
    movers_labels: tuple[str, str]
    renewal: Renewal | None
    value: str | None
    notes: tuple[str, ...]

    @property
    def last(self) -> PeriodDrift:
        return self.periods[-1]

    @property
    def verdict(self) -> Verdict:
        """The verdict on the model, of the last period."""
        return self.last.drift.verdict


def drift_of_table(
    model: SegmentModel,
    frame: Any,
    *,
    before: Any = None,
    id_column: str | None = None,
    value: str | None = None,
    drop_missing: bool = False,
    renewed: bool = True,
    source: str = "the new table",
    before_source: str = "the earlier table",
) -> TableDrift:
    """Compare the customers of a later table with those that a model was learned from.

    Parameters
    ----------
    model : SegmentModel
    frame : pandas, polars or pyarrow table
        Customers of today, with the columns of the model.
    before : table or None, default=None
        The same customers at an earlier time, such as the table that the model was learned from: to say who moved.
        A model of a version that did not keep a reference is compared with it.
    id_column : str or None, default=None
        The column that identifies customers; by default that of the model.
    value : str or None, default=None
        A column that says what a customer is worth; by default that of the model, where the table has it.
    drop_missing : bool, default=False
        Leave out rows with missing values.
    renewed : bool, default=True
        Whether to learn the model that the verdict asks for.
    source, before_source : str
        What the tables are called.

    Raises
    ------
    ColumnError, DataError
        The table lacks a column of the model, or no row has a value; an id repeats.
    TooFewRowsError
        There are fewer than 30 usable rows.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import segment_table, with_reference
    >>> from mixtura.segments.change import drift_of_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3])
    >>> model = with_reference(result.model, result.table)
    >>> drift_of_table(model, make_customers(random_state=1, as_frame="polars")).verdict.word
    'keep'
    """
    value, asked = value or model.training.value_column, value is not None
    earlier = None if before is None else _read(model, before, id_column, drop_missing, before_source)
    read = _read(model, frame, id_column, drop_missing, source)
    _check_value(value, [one.frame for one in (earlier, read) if one is not None], asked=asked)
    reference, notes = _reference(model, read, earlier, before_source)
    notes = (*read.notes, *_absent_notes(read, source), *notes)
    found = _compared(model, reference, read, source)
    movers: Movers | str = "Who moved is not known: that requires the earlier table, `before`."
    if earlier is not None:
        movers = movers_between(
            assign_read(model, earlier),
            found.assignment,
            (earlier.frame, read.frame),
            labels=(before_source, source),
            value=value,
        )
    return _finished(
        model, source, model.training.source, reference, (found,), movers, (before_source, source), read, value, notes,
        renewed,
    )  # fmt: skip


def drift_over_time(
    frame: Any,
    time: str,
    *,
    every: str = "auto",
    reference: str | None = None,
    model: SegmentModel | None = None,
    id_column: str | None = None,
    value: str | None = None,
    drop_missing: bool = False,
    renewed: bool = True,
    source: str = "table",
    **options: Any,
) -> TableDrift:
    """Compare the customers of each period of a table with those of the first.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        A row per customer and period.
    time : str
        The column that says when.
    every : {"auto", "value", "day", "week", "month", "quarter", "year"}, default="auto"
        How long a period is; see `periods_of`.
    reference : str or None, default=None
        The period whose customers the model is learned from, and the others are compared with; by default the first.
    model : SegmentModel or None, default=None
        A model that was learned before: then all periods are compared with the customers it was learned from.
    id_column : str or None, default=None
        The column that identifies customers, each once in a period.
    value : str or None, default=None
        A column that says what a customer is worth.
    drop_missing : bool, default=False
    renewed : bool, default=True
        Whether to learn the model that the verdict on the last period asks for.
    source : str, default="table"
    **options
        Further parameters of `segment_table`, for the reference period.

    Raises
    ------
    ColumnError, DataError
        The time column is not there or does not hold times; there are fewer than two periods with enough rows.
    MixturaError
        As `segment_table` says.

    Examples
    --------
    >>> import polars
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments.change import drift_over_time
    >>> months = [make_customers(random_state=seed, as_frame="polars").with_columns(month=seed) for seed in (1, 2, 3)]
    >>> found = drift_over_time(polars.concat(months, how="vertical_relaxed"), "month", components=[3])
    >>> [(one.label, one.drift.verdict.word) for one in found.periods]
    [('2', 'keep'), ('3', 'keep')]
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    periods, without = periods_of(frame, time, every)
    kept = [one for one in periods if one.rows.size >= FEWEST_ROWS]
    notes = _period_notes(periods, kept, time, without)
    plain = table.drop(time)
    first = _reference_period(kept, periods, reference) if model is None else None
    if len(kept) < (1 if first is None else 2):
        raise TooFewRowsError(
            f"{len(kept)} of {len(periods)} periods of {time!r} have at least {FEWEST_ROWS} rows. "
            f"{'One is' if first is None else 'Two are'} required. Try longer periods, with `every`."
        )
    if model is None:
        assert first is not None, "there is a reference period without a model"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ColumnWarning)
            result = segment_table(
                _rows(plain, first),
                id_column=id_column,
                value=value,
                drop_missing=drop_missing,
                source=f"{source}, {first.label}",
                **options,
            )
        notes = (*notes, *result.notes)
        model = with_reference(result.model, result.table, result.weights)
    later = [one for one in kept if one is not first]
    return _each(model, plain, first, later, id_column, value, drop_missing, renewed, source, notes)


def _each(
    model: SegmentModel,
    table: nw.DataFrame[Any],
    first: Period | None,
    later: Sequence[Period],
    id_column: str | None,
    value: str | None,
    drop_missing: bool,
    renewed: bool,
    source: str,
    notes: tuple[str, ...],
) -> TableDrift:
    """Compare each period with the reference."""
    value, asked = value or model.training.value_column, value is not None
    _check_value(value, [table.to_native()], asked=asked)
    reads = [_read(model, _rows(table, one), id_column, drop_missing, one.label) for one in later]
    reference, more = _reference(model, reads[0], None, "")
    found = tuple(
        _compared(model, reference, read, one.label) for read, one in zip(reads, later, strict=True)
    )
    absent = [note for read, one in zip(reads, later, strict=True) for note in _absent_notes(read, one.label)]
    if first is not None:
        earlier, start = _read(model, _rows(table, first), id_column, drop_missing, first.label), first.label
    else:
        earlier, start = reads[0], later[0].label
    labels = (start, later[-1].label)
    movers: Movers | str = "Who moved is not known: there is only one period."
    if labels[0] != labels[1]:
        pair = assign_read(model, earlier), found[-1].assignment
        movers = movers_between(*pair, (earlier.frame, reads[-1].frame), labels=labels, value=value)
    label = model.training.source if first is None else first.label
    notes = (*notes, *more, *absent)
    return _finished(model, source, label, reference, found, movers, labels, reads[-1], value, notes, renewed)


def _finished(
    model: SegmentModel,
    source: str,
    label: str,
    reference: Reference,
    found: tuple[PeriodDrift, ...],
    movers: Movers | str,
    labels: tuple[str, str],
    read: ReadRows,
    value: str | None,
    notes: tuple[str, ...],
    renewed: bool,
) -> TableDrift:
    drift = found[-1].drift
    model = replace(model, reference=reference)
    renewal = renew(model, read, drift, source=found[-1].label) if renewed else None
    said = notes if isinstance(movers, Movers) else (*notes, movers)
    held = movers if isinstance(movers, Movers) else None
    return TableDrift(
        model, source, label, reference, found, held, labels, renewal, value, tuple(dict.fromkeys(said))
    )


def _rows(table: nw.DataFrame[Any], period: Period) -> Any:
    return table[period.rows.tolist()].to_native()


def _read(model: SegmentModel, frame: Any, id_column: str | None, drop_missing: bool, label: str) -> ReadRows:
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True, pass_through=True)
    weight = model.training.weight_column
    names = [str(name) for name in getattr(table, "columns", ())]
    read = read_for(
        model,
        frame,
        id_column=id_column,
        drop_missing=drop_missing,
        weight=weight if weight in names else None,
        partial=True,
    )
    if len(read.rows) < FEWEST_ROWS:
        raise TooFewRowsError(
            f"{label} has {len(read.rows)} usable rows. At least {FEWEST_ROWS} are required, to say whether something "
            "changed. Take more customers, or longer periods."
        )
    return read


def _reference(
    model: SegmentModel, read: ReadRows, earlier: ReadRows | None, label: str
) -> tuple[Reference, tuple[str, ...]]:
    """Return what is compared with, and what is to be said of it."""
    if model.reference is not None:
        return model.reference, ()
    if earlier is None:
        said = (
            "The model file is of an earlier version, and does not say how the customers were spread that it was "
            "learned from. Compared is with what the model expects, as if it were exactly right: where customers are "
            "not quite Gaussian, they will look changed. Give the earlier table, or write the model again."
        )
        return simulated_reference(model, read.table), (said,)
    if _is_learned_from(model, earlier):
        found = with_reference(model, earlier.table, earlier.weights).reference
        assert found is not None, "it was just made"
        return found, ()
    data = as_data(model.scaling.seen(earlier.table), earlier.weights)
    jacobians = log_jacobians(model.scaling, earlier.table)
    made = reference_of_fresh_rows(data, model.mixture, jacobians, threshold=model.anomaly_threshold)
    return made, (f"The model file is of an earlier version: compared is with {label}.",)


def _is_learned_from(model: SegmentModel, read: ReadRows) -> bool:
    """Return whether these are the rows that a model was learned from, by their number and likelihood."""
    if len(read.rows) != model.training.rows:
        return False
    weights = np.ones(len(read.rows)) if read.weights is None else read.weights
    total = float(weights @ model.log_density(read.table))
    return abs(total - model.training.log_likelihood) <= 1e-6 * abs(total)


def _compared(model: SegmentModel, reference: Reference, read: ReadRows, label: str) -> PeriodDrift:
    data = as_data(model.scaling.seen(read.table), read.weights)
    jacobians = log_jacobians(model.scaling, read.table)
    found = mixture_drift(model.mixture, reference, data, jacobians, prior=model.training.prior)
    return PeriodDrift(label, found, assign_read(model, read))


def _reference_period(kept: Sequence[Period], periods: Sequence[Period], label: str | None) -> Period | None:
    if label is None:
        return kept[0] if kept else None
    for one in kept:
        if one.label == label:
            return one
    known = next((one for one in periods if one.label == label), None)
    if known is not None:
        raise TooFewRowsError(
            f"The period {label!r} has {known.rows.size} rows. At least {FEWEST_ROWS} are required for `reference`."
        )
    raise ParameterError(
        f"`reference` must be one of the periods, {', '.join(one.label for one in kept[:12])}; got {label!r}. Leave it "
        "out for the first."
    )


def _check_value(value: str | None, frames: Sequence[Any], *, asked: bool) -> None:
    if value is None or not asked:
        return
    tables = [nw.from_native(frame, eager_only=True) for frame in frames]
    holding = [table for table in tables if value in table.columns]
    if not holding or not all(table[value].dtype.is_numeric() for table in holding):
        why = "is not a column of the table" if not holding else "is not a column of numbers"
        raise DataError(
            f"`value` must name a column of numbers; {value!r} {why}. Leave it out, or name another."
        )


def _period_notes(
    periods: Sequence[Period], kept: Sequence[Period], time: str, without: int
) -> tuple[str, ...]:
    few = [f"{one.label} ({one.rows.size})" for one in periods if one not in kept]
    said = []
    if few:
        more = f" and {len(few) - 8} more" if len(few) > 8 else ""
        said.append(f"Periods with fewer than {FEWEST_ROWS} rows are left out: {', '.join(few[:8])}{more}.")
    if without:
        said.append(f"{without:,} row{'' if without == 1 else 's'} without a time in {time!r} are left out.")
    return tuple(said)


def _absent_notes(read: ReadRows, label: str) -> tuple[str, ...]:
    if not read.absent:
        return ()
    named = ", ".join(map(repr, read.absent))
    return (f"{label} has no values in {named}: nothing is said of changes in it, and the rest is compared.",)
