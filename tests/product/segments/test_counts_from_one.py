"""Counts that begin at 1: orders of customers who bought, people of a household, visits of those who came."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from scipy.optimize import minimize_scalar
from scipy.stats import nbinom, norm, poisson

from mixtura.cli.printing.print_model import print_model
from mixtura.exceptions import ColumnError, ColumnWarning, ModelFileError, ParameterError
from mixtura.io.model_file import _checksum
from mixtura.segments import SegmentModel, assign_table, segment_table
from mixtura.segments.change.renewal import _options
from mixtura.segments.known.larger_counts import with_larger_counts
from mixtura.segments.known.prepare_kept import _kinds
from mixtura.segments.table.discrete.coding import standard_moments
from mixtura.segments.table.discrete.number_rules import first_of_count


def buyers(n: int = 700, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "age": rng.normal(40.0, 8.0, n),
            "orders": 1 + rng.negative_binomial(0.8, 0.3, n),
            "spent": rng.normal(size=n),
        }
    )


def segmented(table: pl.DataFrame, kinds: Any = "auto", **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        return segment_table(
            table, **{"components": [1], "covariance_types": ["diag"], "kinds": kinds} | options
        )


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    found: SegmentModel = segmented(buyers()).model
    return found


def orders_of(model: SegmentModel) -> Any:
    assert model.coding is not None
    (column,) = model.coding.columns
    return column


def draws(kind: str, seed: int = 0) -> Any:
    """Numbers of SciPy's distributions."""
    made = {
        "orders": lambda: 1 + nbinom.rvs(0.8, 0.3, size=400, random_state=seed),
        "households": lambda: 1 + poisson.rvs(1.4, size=400, random_state=seed),
        "buyers": lambda: nbinom.rvs(0.8, 0.3, size=2000, random_state=seed),
        "poisson buyers": lambda: poisson.rvs(1.2, size=400, random_state=seed),
        "large": lambda: np.maximum(nbinom.rvs(5.0, 0.2, size=2000, random_state=seed), 1),
        "few": lambda: np.arange(1, 9).repeat([3, 3, 3, 2, 2, 1, 1, 1]),
        "ages": lambda: 18 + nbinom.rvs(0.8, 0.3, size=400, random_state=seed),
        "visits": lambda: nbinom.rvs(0.8, 0.3, size=400, random_state=seed),
    }[kind]()
    return made[made > 0] if "buyers" in kind else made


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("orders", 1), ("households", 1), ("buyers", 1), ("poisson buyers", 1),
        ("large", 0), ("few", 0), ("ages", 0), ("visits", 0),
    ],
)  # fmt: skip
def test_a_count_begins_at_one_where_zeros_would_have_to_be_there(kind: str, first: int) -> None:
    assert first_of_count(draws(kind).astype(float)) == first


@pytest.mark.parametrize("size", [0.2, 1.0, 8.0])
def test_mixtures_have_at_least_as_many_zeros_as_the_rule_expects(size: float) -> None:
    """``p_0 >= p_1^2 / (2 p_2)`` for SciPy's negative binomials and their mixtures, with equality for Poisson's."""
    few, many = nbinom.pmf([0, 1, 2], size, 0.3), nbinom.pmf([0, 1, 2], size, 0.9)
    for zeros, ones, twos in (few, many, 0.4 * few + 0.6 * many):
        assert zeros >= ones**2 / (2 * twos)
    zeros, ones, twos = poisson.pmf([0, 1, 2], size)
    assert zeros == pytest.approx(ones**2 / (2 * twos), rel=1e-12)


def test_a_column_of_zeros_that_are_few_is_rarely_taken_for_one_that_begins_at_one() -> None:
    """Of columns that might have zeros, and by chance have none, hardly any."""
    wrong = 0
    for seed in range(400):
        values = poisson.rvs(4.0, size=200, random_state=seed)
        wrong += int(values.min() == 1) and first_of_count(values.astype(float))
    assert wrong <= 2


def test_densities_are_those_of_scipy(model: SegmentModel) -> None:
    """The number of further orders is negative binomial: likeliest parameters and densities by SciPy."""
    table, column = buyers(), orders_of(model)
    further = table["orders"].to_numpy() - 1
    mean = further.mean()
    best = minimize_scalar(
        lambda log_size: -nbinom.logpmf(further, np.exp(log_size), 1 / (1 + mean / np.exp(log_size))).sum(),
        bounds=(-4, 6), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    size = float(np.exp(best.x))
    assert (column.first, column.levels[0], column.levels[-1]) == (1, "1", "more")
    assert column.numbers.tolist() == list(range(1, len(column.levels) + 1))
    logs = model.mixture.levels.logs[:-2, 0]
    np.testing.assert_allclose(
        logs, nbinom.logpmf(np.arange(len(logs)), size, 1 / (1 + mean / size)), atol=1e-5
    )

    ages, spent = table["age"].to_numpy(), table["spent"].to_numpy()
    numbers = sum(norm.logpdf(one, one.mean(), one.std()) for one in (ages, spent))
    scored = assign_table(model, table).log_density
    np.testing.assert_allclose(scored, numbers + logs[further], atol=1e-4)


def test_the_columns_say_where_they_begin() -> None:
    result = segmented(buyers())
    (orders,) = (one for one in result.columns.kinds if one.name == "orders")
    assert (orders.kind, orders.first) == ("count", 1)
    assert orders.reason.endswith(", as of counts that begin at 1")
    assert "that begin at 1" in " ".join(result.notes)


def test_numbers_below_the_first_count_as_missing_and_are_named(model: SegmentModel) -> None:
    some = buyers(6)
    missing = assign_table(model, some.with_columns(orders=pl.lit(None, dtype=pl.Int64)))
    for number in (0, -1, 1.5):
        found = assign_table(model, some.with_columns(orders=pl.lit(number)))
        assert np.isfinite(found.log_density).all()
        np.testing.assert_array_equal(found.log_density, missing.log_density)
        said = f"orders: 6 of 6 values are unknown to the model, such as '{number}'; they count as missing"
        assert said in " ".join(found.notes)
    larger = assign_table(model, some.with_columns(orders=pl.lit(900)))
    assert np.isfinite(larger.log_density).all()
    assert not any("unknown" in note for note in larger.notes)


def test_what_is_said_of_the_first_number_is_taken() -> None:
    table = buyers(300)
    assert orders_of(segmented(table, {"orders": "count"}).model).first == 1
    assert orders_of(segmented(table, {"orders": "count-from-0"}).model).levels[0] == "0"
    few = table.with_columns(orders=pl.Series(np.maximum(np.random.default_rng(0).poisson(9.0, 300), 1)))
    assert orders_of(segmented(few, {"orders": "count"}).model).first == 0
    assert orders_of(segmented(few, {"orders": "count-from-1"}).model).first == 1
    adults = table.with_columns(orders=pl.col("orders") + 17)
    assert orders_of(segmented(adults, {"orders": "count"}).model).first == 0


@pytest.mark.parametrize(
    ("orders", "kind", "error", "match"),
    [
        (0, "count-from-1", ColumnError, "whole numbers from 1 are required; got 0 and 99 more. Try 'count'"),
        (
            -2,
            "count-from-1",
            ColumnError,
            "whole numbers from 1 are required; got -2 and 99 more. Try 'continuous'",
        ),
        (
            0.5,
            "count-from-0",
            ColumnError,
            "whole numbers from 0 are required; got 0.5 and 99 more. Try 'cont",
        ),
        (2000, "count-from-1", ColumnError, "numbers up to 1000 are required; it has 2000"),
        (1, "count-from-2", ParameterError, "count-from-1; got 'count-from-2'"),
    ],
)
def test_what_cannot_be_is_refused(orders: float, kind: str, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        segmented(buyers(100).with_columns(orders=pl.lit(orders)), {"orders": kind})


def test_a_count_that_varies_no_more_than_poisson_above_one_has_one_parameter() -> None:
    rng = np.random.default_rng(3)
    table = buyers(500).with_columns(orders=pl.Series(1 + rng.binomial(8, 0.2, 500)))
    column = orders_of(segmented(table, {"orders": "count"}).model)
    assert (column.first, column.model.name) == (1, "poisson")


def test_files_keep_the_first_number(model: SegmentModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    again = SegmentModel.load(tmp_path / "model.json")
    assert orders_of(again).first == 1
    scored = assign_table(again, buyers(40, seed=1)).log_density
    np.testing.assert_allclose(scored, assign_table(model, buyers(40, seed=1)).log_density, rtol=1e-12)
    content = json.loads((tmp_path / "model.json").read_text())
    del content["checksum"]
    content["discrete"]["columns"][0]["levels"][0] = "few"
    (tmp_path / "wrong.json").write_text(json.dumps(content | {"checksum": _checksum(content)}))
    with pytest.raises(ModelFileError, match="'orders' must begin at 0 or 1"):
        SegmentModel.load(tmp_path / "wrong.json")


def test_means_of_segments_are_of_the_numbers(model: SegmentModel) -> None:
    mean = buyers()["orders"].mean()
    shown = StringIO()
    print_model(Console(file=shown, width=100, markup=False), "model", model)
    (line,) = (one for one in shown.getvalue().splitlines() if "orders, mean" in one)
    assert float(line.split()[-1]) == pytest.approx(mean, abs=0.011)
    assert model.coding is not None
    names, means, _ = standard_moments(model.coding, model.mixture.levels)
    assert names == ["orders"]
    assert means[0, 0] == pytest.approx(0.0, abs=0.02)


def test_larger_numbers_of_a_kept_model_go_on_where_it_ends(model: SegmentModel) -> None:
    table = buyers(5).with_columns(orders=pl.Series([1, 2, 3, 60, 5]))
    larger = with_larger_counts(model, table, np.ones(5, dtype=bool))
    column = orders_of(larger)
    assert column.levels == (*map(str, range(1, 61)), "more")
    before, now = model.mixture.levels.logs, larger.mixture.levels.logs
    assert now[: len(before) - 2].tobytes() == before[:-2].tobytes()
    np.testing.assert_allclose(np.exp(now[:-1]).sum(axis=0), 1.0, rtol=1e-6)
    assert [(one.name, one.first) for one in _kinds(model)] == [("orders", 1)]


def test_a_later_period_begins_where_its_numbers_do_unless_the_model_begins_at_zero(
    model: SegmentModel,
) -> None:
    assert _options(model)["kinds"]["orders"] == "count"
    column = replace(orders_of(model), levels=("0", *orders_of(model).levels[:-1]))
    assert model.coding is not None
    from_zero = replace(model, coding=replace(model.coding, columns=(column,)))
    assert _options(from_zero)["kinds"]["orders"] == "count-from-0"
