"""What became of the customers of a table: one later table, or one period after the other."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from mixtura.drift import MixtureDrift, Reference, Verdict, mixture_drift
from mixtura.engine import as_data
from mixtura.exceptions import ColumnWarning, DataError, ParameterError, TooFewRowsError
from mixtura.segments.change.drift_notes import FEWEST_ROWS, absent_notes, period_notes, unused_notes
from mixtura.segments.change.earlier_customers import outlier_notes, reference_for
from mixtura.segments.change.far_values import require_sums
from mixtura.segments.change.movers import Movers, movers_between
from mixtura.segments.change.periods import Period, periods_of
from mixtura.segments.change.renewal import Renewal, renew
from mixtura.segments.merging.grouped import require_single_components
from mixtura.segments.model.assign import Assignment, assign_read
from mixtura.segments.model.kept_reference import log_jacobians, with_reference
from mixtura.segments.model.read_rows import ModelRows, read_rows
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.segment import segment_table

__all__ = ["FEWEST_ROWS", "PeriodDrift", "TableDrift", "drift_of_table", "drift_over_time"]


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

    def __repr__(self) -> str:
        count = f"{len(self.periods)} period{'s' * (len(self.periods) > 1)}"
        return f"<TableDrift: {self.verdict.word} the model, after {count}>"

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
    how = _How(id_column, value or model.training.value_column, drop_missing, renewed, source)
    earlier = None if before is None else _read(model, before, how, before_source)
    read = _read(model, frame, how, source)
    _check_value(
        how.value, [one.frame for one in (earlier, read) if one is not None], asked=value is not None
    )
    reference, more = reference_for(model, read, earlier, before_source)
    found = _compared(model, reference, read, source)
    movers: Movers | str = "Who moved is not known: that requires the earlier table, `before`."
    labels = (before_source, source)
    if earlier is not None:
        pair = assign_read(model, earlier), found.assignment
        movers = movers_between(*pair, (earlier.frame, read.frame), labels=labels, value=how.value)
    said = (*read.notes, *absent_notes(read, source), *more)
    label = model.training.learned_from
    made = TableDrift(model, source, label, reference, (found,), None, labels, None, how.value, said)
    return _finished(made, movers, read, renewed=renewed)


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
    notes = period_notes(periods, kept, time, without)
    first = _reference_period(kept, periods, reference) if model is None else None
    if len(kept) < (1 if model is not None else 2):
        raise TooFewRowsError(
            f"{len(kept)} of {len(periods)} periods of {time!r} have at least {FEWEST_ROWS} rows. "
            f"{'Two are' if model is None else 'One is'} required. Try longer periods, with `every`."
        )
    how = _How(id_column, value, drop_missing, renewed, source)
    plain = table.drop(time)
    if first is not None:
        model, more = _learned(_rows(plain, first), how, first.label, options)
        notes = (*notes, *more)
    assert model is not None, "it was given, or learned from the first period"
    return _each(model, plain, first, [one for one in kept if one is not first], how, notes)


@dataclass(frozen=True, slots=True)
class _How:
    """How tables are read and compared; see `drift_over_time`."""

    id_column: str | None
    value: str | None
    drop_missing: bool
    renewed: bool
    source: str


def _learned(
    frame: Any, how: _How, label: str, options: dict[str, Any]
) -> tuple[SegmentModel, tuple[str, ...]]:
    """Return the model of the reference period, and what its search has to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        result = segment_table(
            frame,
            id_column=how.id_column,
            value=how.value,
            drop_missing=how.drop_missing,
            source=f"{how.source}, {label}",
            **options,
        )
    return with_reference(
        result.model, result.table, result.weights, result.outlier_rows, result.outlier_weights
    ), (*result.notes, *unused_notes(result.columns.left_out, label))


def _each(
    model: SegmentModel,
    table: nw.DataFrame[Any],
    first: Period | None,
    later: Sequence[Period],
    how: _How,
    notes: tuple[str, ...],
) -> TableDrift:
    """Compare each period with the reference."""
    value = how.value or model.training.value_column
    _check_value(value, [table.to_native()], asked=how.value is not None)
    reads = [_read(model, _rows(table, one), how, one.label) for one in later]
    reference, more = reference_for(model, reads[0], None, "")
    compared = zip(reads, later, strict=True)
    found = tuple(_compared(model, reference, read, one.label) for read, one in compared)
    absent = [note for read, one in zip(reads, later, strict=True) for note in absent_notes(read, one.label)]
    earlier = reads[0] if first is None else _read(model, _rows(table, first), how, first.label)
    labels = (later[0].label if first is None else first.label, later[-1].label)
    movers: Movers | str = "Who moved is not known: there is only one period."
    if labels[0] != labels[1]:
        pair = assign_read(model, earlier), found[-1].assignment
        movers = movers_between(*pair, (earlier.frame, reads[-1].frame), labels=labels, value=value)
    label = model.training.learned_from if first is None else first.label
    said = (*notes, *more, *absent)
    made = TableDrift(model, how.source, label, reference, found, None, labels, None, value, said)
    return _finished(made, movers, reads[-1], renewed=how.renewed)


def _finished(made: TableDrift, movers: Movers | str, read: ModelRows, *, renewed: bool) -> TableDrift:
    """Return a drift with its movers, or why there are none, and the model that the verdict asks for."""
    model, last = replace(made.model, reference=made.reference), made.last
    said = made.notes if isinstance(movers, Movers) else (*made.notes, movers)
    renewal = renew(model, read, last.drift, source=last.label) if renewed else None
    if renewed and renewal is None and made.verdict.word != "keep":
        said = (*said, f"No model of {last.label} is made: columns lack values there, or no mixture fits it.")
    return replace(
        made,
        model=model,
        movers=movers if isinstance(movers, Movers) else None,
        renewal=renewal,
        notes=tuple(dict.fromkeys((*outlier_notes(last.drift), *said))),
    )


def _rows(table: nw.DataFrame[Any], period: Period) -> Any:
    return table[period.rows.tolist()].to_native()


def _read(model: SegmentModel, frame: Any, how: _How, label: str) -> ModelRows:
    require_single_components(model.groups, "Comparing customers of two times")
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True, pass_through=True)
    weight = model.training.weight_column
    names = [str(name) for name in getattr(table, "columns", ())]
    read = read_rows(
        model,
        frame,
        id_column=how.id_column,
        drop_missing=how.drop_missing,
        weight=weight if weight in names else None,
        partial=True,
    )
    if len(read.rows) < FEWEST_ROWS:
        raise TooFewRowsError(
            f"{label} has {len(read.rows)} usable rows. At least {FEWEST_ROWS} are required, to say whether something "
            "changed. Take more customers, or longer periods."
        )
    require_sums(model, read)
    return read


def _compared(model: SegmentModel, reference: Reference, read: ModelRows, label: str) -> PeriodDrift:
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
