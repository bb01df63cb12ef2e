"""Customers known at two times: who moved, along which paths, and what they are worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.drift import Migration, membership_distances, migrate
from mixtura.exceptions import DataError
from mixtura.io import to_float64, write_table
from mixtura.segments.model.assign import OUTLIER, Assignment

__all__ = ["Movers", "movers_between"]


@dataclass(frozen=True, slots=True, eq=False)
class Movers:
    """Customers who are in a segment, or outliers, at two times, n of them, the one who moved most first.

    Parameters
    ----------
    id_name : str
    ids : ndarray of shape (n,), text
    names : tuple of str
        Of the K segments, and then of outliers where some of the customers are.
    before, after : ndarray of shape (n,), int
        Places among the names, from 0.
    certainty_before, certainty_after : ndarray of shape (n,)
    distances : ndarray of shape (n,)
        Jensen-Shannon distances of their memberships, from 0 to 1.
    migration : Migration
    only_before, only_after : int
        Customers who are known at one of the times only.
    value : str or None
        Name of the column with what they are worth.
    values_before, values_after : ndarray of shape (n,) or None
        What they are worth at each time, where the column is there.
    has_outliers : bool, default=False
        Whether the last name is that of outliers.
    """

    id_name: str
    ids: Array
    names: tuple[str, ...]
    before: IntArray
    after: IntArray
    certainty_before: FloatArray
    certainty_after: FloatArray
    distances: FloatArray
    migration: Migration
    only_before: int
    only_after: int
    value: str | None = None
    values_before: FloatArray | None = None
    values_after: FloatArray | None = None
    has_outliers: bool = False

    def numbers(self, places: IntArray) -> IntArray:
        """Return the numbers of places among the names as they are written: from 1, -1 for outliers."""
        n_segments = len(self.names) - self.has_outliers
        return np.where(places < n_segments, places + 1, -1)

    @property
    def moved(self) -> int:
        """Customers in another segment than before."""
        return int(np.count_nonzero(self.before != self.after))

    def value_moved(self, values: FloatArray | None) -> FloatArray | None:
        """Return the sum of values along each path, shape (K, K); missing ones add nothing."""
        if values is None:
            return None
        total = np.zeros((len(self.names), len(self.names)))
        np.add.at(total, (self.before, self.after), np.nan_to_num(values))
        return total

    def write(self, path: str | Path) -> None:
        """Write the customers as CSV or Parquet, by suffix, the one who moved most first."""
        named = np.array(self.names, dtype=object)
        columns: dict[str, Array] = {
            "segment_before": self.numbers(self.before),
            "segment_before_name": named[self.before],
            "certainty_before": self.certainty_before,
            "segment_after": self.numbers(self.after),
            "segment_after_name": named[self.after],
            "certainty_after": self.certainty_after,
            "distance": self.distances,
        }
        for when, values in (("before", self.values_before), ("after", self.values_after)):
            if values is not None:
                columns[f"value_{when}"] = np.ma.MaskedArray(np.nan_to_num(values), np.isnan(values))
        id_name = self.id_name if self.id_name not in columns else f"{self.id_name}_id"
        write_table(path, {id_name: self.ids}, columns, np.ones(self.ids.size, dtype=bool))


def movers_between(
    before: Assignment,
    after: Assignment,
    frames: tuple[Any, Any],
    *,
    labels: tuple[str, str],
    value: str | None = None,
) -> Movers | str:
    """Return who moved between two times, or a sentence that says why that is not known.

    Parameters
    ----------
    before, after : Assignment
        By the same model.
    frames : (table, table)
        The tables that they are of, for the values.
    labels : (str, str)
        What the times are called, for errors.
    value : str or None, default=None
        A column of numbers that one of the tables has at least.

    Raises
    ------
    DataError
        An id repeats in one of the tables.
    """
    if before.id_name != after.id_name or isinstance(before.ids, np.ndarray):
        return "Who moved is not known: no column identifies the customers at both times. Name it with `id_column`."
    places = [_places(one, label) for one, label in zip((before, after), labels, strict=True)]
    both = [one for one in places[0] if one in places[1]]
    rows = tuple(np.array([one[key] for key in both], dtype=np.intp) for one in places)
    known = before.known[rows[0]] & after.known[rows[1]]
    if not known.any():
        return (
            f"Who moved is not known: no customer of {labels[0]} is among those of {labels[1]}, by the column "
            f"{before.id_name!r}."
        )
    first, second = (one[known] for one in rows)
    ids = np.array(both, dtype=object)[known]
    only = len(places[0]) - len(both), len(places[1]) - len(both)
    found = _moved(before, after, (first, second), ids, only)
    order = np.argsort(-found.distances, kind="stable")
    values = [_values(frame, value, one[order]) for frame, one in zip(frames, (first, second), strict=True)]
    return replace(_sorted(found, order), value=value, values_before=values[0], values_after=values[1])


def _moved(
    before: Assignment, after: Assignment, rows: tuple[IntArray, IntArray], ids: Array, only: tuple[int, int]
) -> Movers:
    """Return the customers in the order of their rows."""
    first, second = rows
    memberships = before.memberships[first], after.memberships[second]
    labels = before.labels[first], after.labels[second]
    names, has_outliers = before.names, any((one < 0).any() for one in labels)
    if has_outliers:
        memberships = _with_noise(memberships[0]), _with_noise(memberships[1])
        labels = (
            np.where(labels[0] < 0, len(names), labels[0]),
            np.where(labels[1] < 0, len(names), labels[1]),
        )
        names = (*names, OUTLIER)
    return Movers(
        id_name=before.id_name,
        ids=ids,
        names=names,
        before=labels[0],
        after=labels[1],
        certainty_before=before.certainty[first],
        certainty_after=after.certainty[second],
        distances=membership_distances(*memberships),
        migration=migrate(*memberships),
        only_before=only[0],
        only_after=only[1],
        has_outliers=has_outliers,
    )


def _with_noise(memberships: FloatArray) -> FloatArray:
    """Return memberships with the probability of an outlier as the last, (n, K + 1)."""
    return np.column_stack([memberships, np.clip(1.0 - memberships.sum(axis=1), 0.0, 1.0)])


def _sorted(found: Movers, order: IntArray) -> Movers:
    names = ("ids", "before", "after", "certainty_before", "certainty_after", "distances")
    return replace(found, **{name: getattr(found, name)[order] for name in names})


def _places(assignment: Assignment, label: str) -> dict[str, int]:
    """Return the row of each customer; missing ids name nobody."""
    held = assignment.ids
    values = held.to_list() if isinstance(held, nw.Series) else held.tolist()
    keys = [None if value is None or value != value else _text(value) for value in values]
    twice = [(key, count) for key, count in Counter(keys).items() if count > 1 and key is not None]
    if twice:
        key, count = max(twice, key=lambda one: one[1])
        raise DataError(
            f"The id {assignment.id_name!r} repeats in {label}: {key!r} stands {count} times, and {len(twice):,} ids "
            "stand more than once. One row per customer and time is required, to say who moved. Aggregate the rows, or "
            "name another `id_column`."
        )
    return {key: row for row, key in enumerate(keys) if key is not None}


def _text(value: Any) -> str:
    """Return an id as text, whole numbers alike whether they were read as integers or not."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _values(frame: Any, value: str | None, rows: IntArray) -> FloatArray | None:
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    if value is None or value not in table.columns:
        return None
    return to_float64(table[value])[rows]
