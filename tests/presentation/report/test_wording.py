"""Numbers as the page writes them, where the examples of the functions end."""

from __future__ import annotations

import math

import pytest

from mixtura.report.wording import fixed_text, number_of, p_value_text, percent_text, word_parts


def test_what_is_no_number_is_a_dash() -> None:
    for text in (fixed_text, p_value_text, percent_text):
        assert text(None) == text(math.nan) == "–"
    assert number_of(None, 2.0) == "–"


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (-0.001, 5.0, "0.0"),
        (-3.25, 5.0, "−3.2"),
        (0.0, 5.0, "0.0"),
        (1234.56, 0.05, "1,234.560"),
        (12.0, 0.0, "12"),
        (12.0, math.nan, "12"),
        (3e8, 1e7, "3e+08"),
        (3e8, 5.0, "3e+08"),
    ],
)
def test_numbers_of_a_column_have_the_decimals_of_its_spread(value, spread, text) -> None:
    assert number_of(value, spread) == text


def test_a_share_that_is_neither_none_nor_all_is_never_written_so() -> None:
    for value in (1e-9, 0.004, 0.005, 0.995, 0.996, 1 - 1e-9):
        assert percent_text(value) in {"<1 %", ">99 %"}
    assert percent_text(0.0) == "0 %"


def test_the_pieces_of_a_name_are_the_name() -> None:
    for name in ("CASH_ADVANCE__TRX", "a.b-c", "_x_", "", "Annual Income (k$)", "__"):
        assert "".join(word_parts(name)) == name
