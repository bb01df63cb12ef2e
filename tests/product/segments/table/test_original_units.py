"""Findings about scaled rows, told with the values of the table."""

from __future__ import annotations

import numpy as np

from mixtura.fit import Degeneracy, DegeneracyKind
from mixtura.segments.table.original_units import to_original_units


def finding(columns: tuple[int, ...], values: list[float], ranges: list[list[float]]) -> Degeneracy:
    chosen = np.arange(3)
    return Degeneracy(
        1,
        DegeneracyKind.NARROW,
        columns,
        3,
        chosen,
        np.array(ranges).reshape(-1, 2),
        np.array(values),
    )


def test_values_are_those_of_the_table_to_the_last_digit() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2)) * [0.1, 1e5] + [0.3, -1e6]
    scaled = (np.arcsinh(rows) - np.arcsinh(rows).mean(axis=0)) / np.arcsinh(rows).std(axis=0)
    low, middle, high = np.argsort(rows[:, 1])[[10, 20, 400]]
    given = finding((1,), [scaled[middle, 1]], [[scaled[low, 1], scaled[high, 1]]])
    (told,) = to_original_units([given], rows, scaled)
    assert told.values.tolist() == [rows[middle, 1]]
    assert told.ranges.tolist() == [[rows[low, 1], rows[high, 1]]]
    assert (told.component, told.kind, told.columns, told.n_rows) == (1, DegeneracyKind.NARROW, (1,), 3)
    assert f"lie from {rows[low, 1]:.9g} to {rows[high, 1]:.9g}" in told.describe(["a", "b"])


def test_several_columns_and_none() -> None:
    rows = np.array([[1.0, 30.0], [2.0, 20.0], [3.0, 10.0]])
    scaled = rows / [2.0, 5.0]
    both = finding((0, 1), [1.0, 4.0], [[0.5, 1.5], [2.0, 6.0]])
    told = to_original_units([both, finding((), [], [])], rows, scaled)
    assert told[0].values.tolist() == [2.0, 20.0]
    assert told[0].ranges.tolist() == [[1.0, 3.0], [10.0, 30.0]]
    assert (told[1].values.shape, told[1].ranges.shape) == ((0,), (0, 2))
    # Above the largest there is none: a component without rows has no values either, and tells none.
    assert to_original_units([finding((0,), [99.0], [[0.0, 99.0]])], rows, scaled)[0].values.tolist() == [3.0]
