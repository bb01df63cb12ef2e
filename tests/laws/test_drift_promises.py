"""What drift promises: few false alarms, and changes that are found. Seeds are the first ones."""

from __future__ import annotations

import pytest
from benchmarks.drift import SCENARIOS, run
from scipy.stats import binom


def alarms(name: str, n_rows: int, seeds: int) -> int:
    return sum(run(name, n_rows, seed).verdict.word != "keep" for seed in range(seeds))


def named(name: str, n_rows: int, seeds: int) -> int:
    return sum(SCENARIOS[name].named(run(name, n_rows, seed)) for seed in range(seeds))


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [300, 3000])
def test_at_most_one_table_in_twenty_raises_a_false_alarm(n_rows: int) -> None:
    assert alarms("nothing", n_rows, 200) <= 10


def test_few_of_the_first_tables_raise_a_false_alarm() -> None:
    assert alarms("nothing", 300, 20) <= binom.ppf(0.999, 20, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("share", [40, 35])
def test_a_shift_of_a_fifth_of_a_deviation_is_found_in_nine_of_ten(share: int) -> None:
    assert named(f"a shift of 0.2 sd, segment of {share} %", 3000, 100) >= 90


def test_a_model_that_cuts_a_group_in_two_raises_no_alarm() -> None:
    """Folds of it went on to the other optimum, and shares were others with p = 1e-289."""
    assert run("nothing", 3000, 954).verdict.word == "keep"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shares 34, 35, 31 %", "a new segment of 3 %", "a correlation of 0.3 more"])
def test_other_changes_are_found_in_nine_of_ten(name: str) -> None:
    assert named(name, 3000, 50) >= 45


def test_each_change_is_found_where_it_is_large() -> None:
    for name in ("a new segment of 3 %", "a correlation of 0.3 more"):
        assert named(name, 3000, 1) == 1
