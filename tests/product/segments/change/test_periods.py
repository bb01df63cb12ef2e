"""Rows by period, from columns as people have them."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import polars as pl
import pytest

from mixtura.exceptions import ColumnError, DataError, ParameterError
from mixtura.segments.change import periods_of


def labels(values: list[object], every: str = "auto") -> list[str]:
    found, _ = periods_of(pl.DataFrame({"when": values}, strict=False), "when", every)
    return [one.label for one in found]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2024-01-31", "2024-02-01"], ["2024-01", "2024-02"]),
        (["2024-01-31T12:00:00", "2024-02-01 08:30"], ["2024-01", "2024-02"]),
        (["31.01.2024", "01.02.2024"], ["2024-01", "2024-02"]),
        (["1/31/2024", "2/1/2024"], ["2024-01", "2024-02"]),
        (["Jan 2024", "Feb 2024"], ["2024-01", "2024-02"]),
        ([20240131, 20240201], ["2024-01", "2024-02"]),
        (["20240131", "20240201"], ["2024-01", "2024-02"]),
        ([date(2024, 1, 31), date(2024, 2, 1)], ["2024-01", "2024-02"]),
        ([datetime(2024, 1, 31, 8), datetime(2023, 2, 1)], ["2023-02", "2024-01"]),
        (["2024-Q2", "2023-Q4", "2024-Q1"], ["2023-Q4", "2024-Q1", "2024-Q2"]),
        (["2024-05", "2023-11"], ["2023-11", "2024-05"]),
        ([12, 1, 2], ["1", "2", "12"]),
        ([2021, 2020], ["2020", "2021"]),
        (["2024-01-01", "2024-01-09"], ["2024-W01", "2024-W02"]),
        ([f"{year}-01-01" for year in range(1980, 2024)], [f"{year}" for year in range(1980, 2024)]),
    ],
)
def test_times_as_people_have_them(values: list[object], expected: list[str]) -> None:
    assert labels(values) == expected


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("day", ["2024-01-31", "2024-02-01", "2024-05-05"]),
        ("week", ["2024-W05", "2024-W18"]),
        ("quarter", ["2024-Q1", "2024-Q2"]),
        ("value", ["2024-01-31", "2024-02-01", "2024-05-05"]),
    ],
)
def test_periods_of_a_given_length(every: str, expected: list[str]) -> None:
    assert labels(["2024-01-31", "2024-02-01", "2024-05-05"], every) == expected


def test_rows_without_a_time_are_counted() -> None:
    frame = pd.DataFrame({"when": ["2024-01-01", None, " ", "2024-02-01", "2024-02-02"]})
    found, without = periods_of(frame, "when")
    assert without == 2
    assert [one.rows.tolist() for one in found] == [[0], [3, 4]]


def test_what_is_not_a_time_is_shown() -> None:
    with pytest.raises(ColumnError, match=r"in 4 of 6 rows: 'spring', 'n/a', 'soon'\. Dates"):
        labels(["2024-01-01", "spring", "n/a", "2024-02-01", "soon", "spring"])
    assert labels(["b", "a"], "value") == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "every", "error", "said"),
    [
        (["2024-01-01"] * 3, "month", DataError, "has 1 period, 2024-01"),
        ([None, None], "auto", DataError, "has 0 periods"),
        ([1, 2, 3], "month", ColumnError, r"requires a column of dates; 'when' holds numbers: 1, 2, 3"),
        (list(range(500)), "auto", DataError, "500 different values"),
        (["2024-01-01", "2024-02-01"], "decade", ParameterError, "`every` must be"),
    ],
)
def test_what_cannot_be_periods(values: list[object], every: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        labels(values, every)
    with pytest.raises(ColumnError, match="'other'"):
        periods_of(pl.DataFrame({"when": values}, strict=False), "other")


def test_dates_that_may_begin_with_the_day_or_the_month_are_refused() -> None:
    clear = pl.DataFrame({"day": ["13/01/2024", "01/02/2024"]})
    assert [one.label for one in periods_of(clear, "day")[0]] == ["2024-01", "2024-02"]
    same = pl.DataFrame({"day": ["01/01/2024", "02/02/2024"]})
    assert [one.label for one in periods_of(same, "day")[0]] == ["2024-01", "2024-02"]
    with pytest.raises(ColumnError, match=r"'01/02/2024'.*month or the day.*2024-02-01 or 2024-01-02"):
        periods_of(pl.DataFrame({"day": ["01/01/2024", "01/02/2024", "01/03/2024"]}), "day")
