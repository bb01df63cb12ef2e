"""Texts into values, and values into texts."""

from __future__ import annotations

import pytest

from mixtura.cli.option_types import parse_components, parse_names
from mixtura.cli.printing.numbers import decimals_for, percent, readable
from mixtura.exceptions import ParameterError


@pytest.mark.parametrize(
    ("text", "counts"),
    [("3", [3]), ("1-4", [1, 2, 3, 4]), ("2,4, 6", [2, 4, 6]), ("5,1-2,2", [1, 2, 5]), ("7-7", [7])],
)
def test_components(text, counts) -> None:
    assert parse_components(text) == counts


@pytest.mark.parametrize("text", ["", "0", "-1", "2-", "-", "1.5", "a", "3-1", "1-2-3", "²", "1-99999"])
def test_components_that_are_none(text) -> None:
    with pytest.raises(ParameterError, match="Try 3, 1-9 or 2,4,6"):
        parse_components(text)


def test_names() -> None:
    assert parse_names(None) is None
    assert parse_names(["a, b", "c"]) == ["a", "b", "c"]
    assert parse_names(['"a, b",c']) == ["a, b", "c"]
    with pytest.raises(ParameterError):
        parse_names([" , "])


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.0, 2, "0.00"),
        (1234567.891, 2, "1,234,567.89"),
        (-0.5, 1, "-0.5"),
        (3e9, 0, "3e+09"),
        (2e-7, 6, "2e-07"),
    ],
)
def test_readable(value, decimals, text) -> None:
    assert readable(value, decimals) == text


def test_decimals_follow_the_spread() -> None:
    assert [decimals_for(spread) for spread in (1e-12, 0.02, 1.5, 15.0, 1e6)] == [6, 3, 1, 0, 0]
    assert decimals_for(0.0) == decimals_for(float("nan")) == 2
    assert percent(0.42809) == "42.8 %"
