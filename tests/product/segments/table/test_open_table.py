"""Tables as people have them: numbers as text, sentinels, totals, labels that are not text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mixtura import Segmentation
from mixtura.exceptions import ColumnError, ColumnWarning, ParameterError, TableError
from mixtura.io import to_float64
from mixtura.segments import choose_columns, segment_table, select_table
from mixtura.segments.table.open_table import OddCell, open_table
from mixtura.segments.table.survey.sentinel import Sentinel

RNG = np.random.default_rng(8)
N = 60
INCOME = RNG.normal(3000, 500, N).round(2)
AGE = RNG.integers(18, 80, N)


def column(frame: object, name: str) -> np.ndarray:
    import narwhals as nw

    return to_float64(nw.from_native(frame, eager_only=True)[name])


def as_backend(columns: dict[str, list[object]], backend: str) -> object:
    frame = pl.DataFrame(columns, strict=False)
    return {"polars": frame, "pandas": frame.to_pandas(), "pyarrow": frame.to_arrow()}[backend]


WRITTEN = {
    "$ 12": 12.0, "12 %": 12.0, "1,212.57": 1212.57, "-5": -5.0, "(3.50)": -3.5, "7-": -7.0, "EUR 4.5": 4.5,
    "4.5 €": 4.5,     "1 234.5": 1234.5, "1'234.50": 1234.5, "\u22128": -8.0, "1e3": 1000.0, "+2": 2.0, ".5": 0.5,
    "12,345,678": 12345678.0,
}  # fmt: skip


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_numbers_written_by_people_are_read(backend) -> None:
    cells = [*WRITTEN, *(str(value) for value in INCOME)]
    opened = open_table(as_backend({"x": cells}, backend))
    np.testing.assert_array_equal(column(opened.frame, "x"), [*WRITTEN.values(), *INCOME])
    assert opened.odd_cells == ()


def test_both_decimal_signs_are_read_where_no_cell_has_thousands() -> None:
    mixed = open_table(pl.DataFrame({"x": ["0,9", "12.5", "7", "-1,25"] * 15}))
    np.testing.assert_array_equal(column(mixed.frame, "x"), [0.9, 12.5, 7.0, -1.25] * 15)
    thousands = open_table(pl.DataFrame({"x": ["12.5", "7.25", "8.5", "1.234", "0,9"] * 12}))
    assert column(thousands.frame, "x")[:4].tolist() == [12.5, 7.25, 8.5, 1.234]
    assert {cell.text for cell in thousands.odd_cells} == {"0,9"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("odd", ["n.b.", "-", "about 12", "12 kg", "?", "1.2.3", "12:30", "2024-01-02"])
@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_an_odd_cell_is_missing_and_named(backend, odd) -> None:
    cells = [str(value) for value in INCOME]
    cells[16] = odd
    frame = as_backend({"income": cells, "age": AGE.tolist()}, backend)
    opened = open_table(frame)
    assert opened.odd_cells == (OddCell("income", 17, odd),)
    assert np.isnan(column(opened.frame, "income")).sum() == 1
    with pytest.warns(ColumnWarning, match="row 17 of 'income'"):
        left_out = segment_table(frame, components=[2], drop_missing=True)
    assert left_out.assignment.labels[16] == -1
    with pytest.warns(ColumnWarning, match=r"in row 17 of 'income'.* 1 value is missing"):
        used = segment_table(frame, components=[2])
    assert used.assignment.complete.all()
    assert used.assignment.labels[16] >= 0


@pytest.mark.parametrize(
    "cells",
    [
        [f"A{i}" for i in range(N)],
        ["S", "M", "38", "40"] * 15,
        ["401", "250", "V45", "E878", "414"] * 12,  # codes of diagnoses, most of them digits
        [f"{i:04d}" for i in range(N)],
        [f"2024-01-{i % 28 + 1:02d}" for i in range(N)],
        [f"{i % 28 + 1:02d}.01.2024" for i in range(N)],
        ["+49 171 1234567"] * N,
    ],
)
def test_text_stays_text(cells) -> None:
    frame = pl.DataFrame({"code": cells, "income": INCOME})
    assert open_table(frame).frame["code"].to_list() == cells
    assert choose_columns(frame).used == ("income",)


def test_long_columns_are_read_by_their_beginning_and_whole() -> None:
    words = ["a", "b"] * 1500
    late = [""] * 1500 + ["$ 5"] * 1499 + ["n.b."]
    opened = open_table(
        pl.DataFrame({"word": words, "late": [None if cell == "" else cell for cell in late]})
    )
    assert opened.frame["word"].to_list() == words
    assert opened.odd_cells == (OddCell("late", 3000, "n.b."),)
    assert opened.frame["late"][2000] == 5.0


def test_ids_written_as_text_come_back_as_they_stand() -> None:
    for name in ("customer_id", "opaque"):
        frame = pl.DataFrame({"income": INCOME, name: [str(i) for i in range(1000, 1000 + N)]})
        assert open_table(frame).frame[name].to_list() == frame[name].to_list()


def test_the_decimal_comma_is_learned_from_the_column() -> None:
    frame = pl.DataFrame({"x": ["1.234,5", "7,25", "1.000", "3"], "y": ["1,234.5", "7.25", "1,000", "3"]})
    opened = open_table(frame).frame
    assert opened["x"].to_list() == opened["y"].to_list() == [1234.5, 7.25, 1000.0, 3.0]


def test_objects_of_python_are_numbers() -> None:
    decimals = [Decimal(str(value)) for value in INCOME]
    ages = [None if i == 3 else int(age) for i, age in enumerate(AGE)]
    frame = pd.DataFrame({
        "income": pd.Series(decimals, dtype=object),
        "age": pd.Series(ages, dtype=object),
        "score": pd.Categorical(np.round(INCOME / 7)),
        "grade": pd.Categorical([str(1 + i % 5) for i in range(N)]),
        "label": pd.Categorical(["very good", "good", "bad"] * (N // 3)),
        "flag": pd.Series([True, None] * (N // 2), dtype=object),
        "day": pd.Series([dt.date(2024, 1, 2)] * N, dtype=object),
    }).set_index(np.arange(100, 100 + N))  # fmt: skip
    opened = open_table(frame)
    np.testing.assert_array_equal(column(opened.frame, "income"), INCOME)
    np.testing.assert_array_equal(column(opened.frame, "age"), [np.nan if a is None else a for a in ages])
    np.testing.assert_array_equal(column(opened.frame, "score"), np.round(INCOME / 7))
    assert choose_columns(frame).used == ("income", "age", "score", "grade")
    assert {one.name for one in choose_columns(frame).left_out} == {"label", "flag", "day"}


def test_describing_columns_keep_their_words() -> None:
    sizes = ["38", "40", "42", "44", "46", "M"] * (N // 6)
    frame = pl.DataFrame({"income": INCOME, "age": AGE, "size": sizes})
    result = segment_table(frame, describe=["size"], components=[2])
    assert {level.level for level in result.segments[0].categories[0].levels} >= {"38", "M"}


def test_a_column_of_numbers_and_words_is_warned_about() -> None:
    frame = pl.DataFrame({"income": INCOME, "age": AGE, "size": ["38", "40", "S", "M"] * (N // 4)})
    with pytest.warns(ColumnWarning, match=r"'size' \(numbers and text, such as 'S'\)"):
        result = segment_table(frame, components=[2])
    assert [one.name for one in result.columns.left_out if one.numeric] == ["size"]
    with pytest.warns(ColumnWarning, match="'size'"):
        select_table(frame, components=[2])


@pytest.mark.parametrize("sentinel", [-999, -99, -9, 9999, -32768])
def test_a_sentinel_is_a_missing_value(sentinel) -> None:
    small = RNG.integers(0, 6, N) if sentinel == -9 else AGE
    values = np.where(np.arange(N) % 12 == 5, sentinel, small)
    frame = pl.DataFrame({"income": INCOME, "x": values})
    opened = open_table(frame)
    assert opened.sentinels == (Sentinel("x", sentinel, 5),)
    with pytest.warns(ColumnWarning, match=f"'x' holds {sentinel} in 5 rows"):
        assert segment_table(frame, components=[2]).assignment.complete.all()
    with pytest.warns(ColumnWarning, match="stands for a missing value"):
        result = segment_table(frame, components=[2], drop_missing=True)
    assert result.assignment.complete.sum() == N - 5
    assert any("stands for a missing value" in note for note in result.notes)


@pytest.mark.parametrize(
    "values",
    [
        [-999, *range(-998, -940)],  # one end of many
        [999, *range(700, 758)],
        [999] * 10 + [9, 19, 49, 99, 199] * 10,  # prices
        [-9.0, -9.0, *np.linspace(-8, 8, 58)],  # degrees
        [9999, *range(100, 159)],  # once
        [999, 999, *np.arange(10, 970, 16)],  # prices just below a thousand
    ],
)
def test_real_values_are_not_sentinels(values) -> None:
    assert open_table(pl.DataFrame({"x": values}, strict=False)).sentinels == ()


def total_row(label: str, *values: object) -> pl.DataFrame:
    rows = {
        "customer": [*(f"c{i}" for i in range(N)), label],
        "income": [*INCOME, values[0]],
        "age": [*AGE, values[1]],
    }
    return pl.DataFrame(rows, strict=False)


@pytest.mark.parametrize("label", ["Total", "TOTAL:", "Grand total", "Summe", "Gesamt"])
def test_a_row_of_totals_is_left_out(label) -> None:
    frame = total_row(label, INCOME.sum(), int(AGE.sum()))
    with pytest.warns(ColumnWarning, match=f"last row, '{label}', holds totals"):
        result = segment_table(frame, components=[1])
    assert result.segments[0].count == len(result.assignment.labels) == N
    assert result.rows[:, 0].tolist() == INCOME.tolist()


@pytest.mark.parametrize("label", ["Average", "Mean:", "Durchschnitt", "moyenne"])
def test_a_row_of_means_is_left_out(label) -> None:
    assert open_table(total_row(label, float(INCOME.mean()), int(AGE.mean()))).total == label
    assert open_table(total_row(label, 2900.0, 1)).total == ""


@pytest.mark.parametrize("label", ["", None])
def test_sums_without_a_label_are_left_out(label) -> None:
    frame = total_row(label, float(INCOME.sum()), int(AGE.sum()))
    opened = open_table(frame)
    assert (opened.total, len(opened.frame)) == ("without a label", N)
    assert "The last row, without a label, holds totals" in " ".join(opened.notes(()))
    # A last customer of whom the id is missing stays, however much it buys.
    for income, age in ((float(INCOME.sum()), 40), (5000.0, int(AGE.sum()))):
        assert len(open_table(total_row(label, income, age)).frame) == N + 1


@pytest.mark.parametrize(
    ("label", "income"), [("Total", 2900.0), ("c60", float(INCOME.sum())), ("TotalEnergies", 1e6)]
)
def test_a_last_customer_stays(label, income) -> None:
    opened = open_table(total_row(label, income, 40))
    assert (opened.total, len(opened.frame)) == ("", N + 1)


def test_labels_that_are_not_text() -> None:
    rows = np.column_stack([INCOME, AGE, RNG.normal(size=N)])
    frame = pd.DataFrame(rows)
    assert segment_table(frame, components=[2]).model.columns == ("0", "1", "2")
    several = pd.DataFrame(
        rows, columns=pd.MultiIndex.from_tuples([("spent", "sum"), ("age", ""), ("spent", "mean")])
    )
    found = Segmentation.fit(several, columns=several.columns, components=np.arange(1, 4), random_state=None)
    assert found.model.columns == ("spent sum", "age", "spent mean")
    assert len(found.assign(several)) == N
    assert segment_table(frame, columns=frame.columns[:2], components=np.int64(2)).model.columns == ("0", "1")
    once = segment_table(frame, columns=0, components=(k for k in (2.0,)), covariance_types="full")
    assert [one.n_components for one in once.ranking] == [2]
    assert segment_table(frame, columns=0, components=[2], covariance_types="full").model.columns == ("0",)


def test_seeds_that_are_drawn_or_refused() -> None:
    frame = pl.DataFrame({"income": INCOME, "age": AGE})
    seeds = {segment_table(frame, components=[2], random_state=None).model.training.seed for _ in range(2)}
    assert len(seeds) == 2
    assert segment_table(frame, components=[2], random_state=np.uint32(7)).model.training.seed == 7
    for wrong in (1.5, "seed", -1, 2**32):
        with pytest.raises(ParameterError, match="`random_state`"):
            segment_table(frame, components=[2], random_state=wrong)


@pytest.mark.parametrize("wrong", [np.zeros((5, 2)), [[1, 2], [3, 4]], {"a": [1, 2]}, "customers.csv", None])
def test_what_is_not_a_dataframe_is_refused(wrong) -> None:
    with pytest.raises(TableError, match="A dataframe"):
        segment_table(wrong)


def test_names_that_stand_twice_are_refused() -> None:
    for names in (["a", "a"], [0, 0], [0, "0"]):
        with pytest.raises(ColumnError, match="must be unique"):
            segment_table(pd.DataFrame(np.zeros((5, 2)), columns=names))


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        (pd.Series([1.0, 2.0]), TableError, "A dataframe .* is required; got Series"),
        (pl.Series([1.0, 2.0]), TableError, "A dataframe .* is required; got Series"),
        (
            pa.chunked_array([[1.0, 2.0]]),
            TableError,
            "A dataframe .* is required; got ChunkedArray",
        ),
        (pd.DataFrame(index=range(3)), TableError, "The table has no columns"),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), ColumnError, "Names of columns must be unique"),
        (
            pd.DataFrame({"a": 1e200 * INCOME}),
            TableError,
            "'a': numbers beyond 1e\\+100, which cannot be squared",
        ),
    ],
)
def test_what_is_no_table_of_customers_is_refused_in_words(table: Any, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        Segmentation.fit(table)
