"""Segments of a table that stays in its database: one body of tests, over the engines that a test module names.

from database_segments import *
connection = loaded("duckdb")
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from engines import started
from mixtura import DatabaseTable, Segmentation
from mixtura.exceptions import ColumnError, MissingValuesError, ParameterError
from mixtura.segments import (
    Effort,
    SegmentationResult,
    SegmentModel,
    assign_table,
    deliver,
    measure_certainty,
)
from mixtura.segments.in_database import segment_in_database

__all__ = [
    "loaded",
    "result",
    "test_all_customers_are_counted_where_they_are",
    "test_missing_values_are_left_out_only_where_that_is_asked",
    "test_the_model_is_that_of_all_rows",
    "test_the_statement_assigns_as_the_model_does",
    "test_weights_count",
    "test_what_needs_rows_is_refused",
]

N = 6_000


@cache
def customers() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    group = rng.choice(3, N, p=[0.5, 0.3, 0.2])
    rows = np.array([[30, 60], [55, 25], [80, 75]])[group] + rng.standard_normal((N, 2)) * [6.0, 8.0]
    income = rows[:, 0].tolist()
    return pl.DataFrame(
        {
            "id": [f"C{number:05}" for number in range(N)],
            "income": income,
            "spending": rows[:, 1],
            "income again": [None if number % 10 == 3 else one for number, one in enumerate(income)],
            "revenue": np.exp(rng.normal(3, 1, N)),
            "region": np.array(["north", "south"])[rng.integers(0, 2, N)],
            "households": rng.integers(0, 4, N),
        }
    )


def loaded(name: str) -> Any:
    @pytest.fixture(scope="module")
    def connection() -> Iterator[Any]:
        kinds = {"id": "text", "region": "text", "households": "integer"}
        with started(name) as engine:
            columns = {one.name: (kinds.get(one.name, "double"), one.to_list()) for one in customers()}
            engine.load("customers", columns)
            yield engine.connection

    return connection


@pytest.fixture(scope="module")
def result(connection: Any) -> SegmentationResult:
    return segment_in_database(
        DatabaseTable(connection, "customers"),
        columns=["income", "spending"],
        describe=["region"],
        value="revenue",
        components=[3, 4],
        covariance_types=["diag", "full"],
        sample_rows=1_500,
    )


def assigned(model: SegmentModel) -> Any:
    return assign_table(model, customers())


def test_all_customers_are_counted_where_they_are(result: SegmentationResult) -> None:
    found, whole = assigned(result.model), result.whole
    assert whole is not None
    assert len(result.rows) == 1_500
    assert result.n_rows == result.n_complete == result.population.count == N
    counts = np.bincount(found.labels, minlength=3)
    assert [one.count for one in result.segments] == counts.tolist()
    assert_allclose([one.share for one in result.segments], counts / N)
    certainty = found.memberships.max(axis=1)
    wanted = [certainty[found.labels == k].mean() for k in range(3)]
    assert_allclose(whole.mean_certainties, wanted, rtol=1e-9)
    one, wanted = result.certainty, measure_certainty(found.memberships, result.model.names)
    assert (one.n_customers, one.n_ambiguous) == (N, wanted.n_ambiguous)
    assert one.expected_error == pytest.approx(wanted.expected_error, rel=1e-9)
    assert one.ambiguous_share == pytest.approx(wanted.ambiguous_share, rel=1e-9)
    assert_allclose(one.confusion, wanted.confusion, atol=1e-12)
    assert [(band.lower, band.count) for band in one.bands] == [
        (band.lower, band.count) for band in wanted.bands
    ]
    assert whole.n_anomalies == found.n_anomalies
    assert whole.anomaly_share == pytest.approx(found.n_anomalies / N)
    assert result.document.table.rows == N
    assert any("1,500 of 6,000" in note for note in result.notes)
    # Those who are listed are customers of the table.
    listed = customers().filter(pl.col("id").is_in(whole.anomalies.customers))
    assert listed.height == len(whole.anomalies.customers) > 0


def test_the_model_is_that_of_all_rows(result: SegmentationResult) -> None:
    rows = customers()["income", "spending"].to_numpy()
    model = result.model
    shares = model.memberships(rows)
    # One more step of expectation-maximization moves nothing: the fit ends with half a nat to gain.
    means = shares.T @ rows / shares.sum(axis=0)[:, None]
    assert_allclose(means, model.in_user_units().means, rtol=1e-3)
    assert model.training.rows == N
    assert model.training.log_likelihood == pytest.approx(model.log_density(rows).sum(), rel=1e-9)


def test_the_statement_assigns_as_the_model_does(
    result: SegmentationResult, connection: Any, tmp_path: Path
) -> None:
    with deliver(tmp_path / "found", in_database=True) as delivery:
        delivery.write(result.with_effort(Effort(resamples=0)))
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == sorted(delivery.files)
    text = (tmp_path / "found" / "segments.sql").read_text(encoding="utf-8")
    connection.execute("BEGIN")
    connection.execute(text)
    rows = connection.execute(
        "SELECT id, segment, segment_name, log_density FROM segments ORDER BY id"
    ).fetchall()
    connection.execute("ROLLBACK")
    found = assigned(SegmentModel.load(tmp_path / "found" / "model.json"))
    assert [row[0] for row in rows] == customers()["id"].to_list()
    assert [row[1] for row in rows] == (found.labels + 1).tolist()
    assert {row[2] for row in rows} == set(result.model.names)
    assert_allclose([row[3] for row in rows], found.log_density, rtol=1e-9)


def test_weights_count(connection: Any) -> None:
    table = DatabaseTable(connection, "customers")
    found = segment_in_database(
        table, columns=["income", "spending"], weight="households", components=[3], covariance_types=["diag"]
    )
    labels, weights = assigned(found.model).labels, customers()["households"].to_numpy()
    sums = np.bincount(labels, weights, minlength=3)
    assert_allclose([one.share for one in found.segments], sums / weights.sum(), rtol=1e-12)
    assert found.population.total_weight == weights.sum()
    squares = np.bincount(labels, weights**2, minlength=3)
    assert_allclose([one.effective_base for one in found.segments], sums**2 / squares, rtol=1e-12)


def test_missing_values_are_left_out_only_where_that_is_asked(connection: Any) -> None:
    table = DatabaseTable(connection, "customers")
    asked: dict[str, Any] = {"columns": ["income again", "spending"], "components": [3]}
    asked |= {"covariance_types": ["diag"], "sample_rows": 1_000}
    with pytest.raises(MissingValuesError, match=r"600 are missing, in 'income again'.*`drop_missing=True`"):
        segment_in_database(table, **asked)
    found = segment_in_database(table, drop_missing=True, transform={"spending": "yeo-johnson"}, **asked)
    assert (found.n_rows, found.n_complete) == (N, N - 600)
    training = found.model.training
    assert (training.rows, training.rows_dropped) == (N - 600, 600)
    rows = customers()["income again", "spending"].drop_nulls().to_numpy()
    assert training.log_likelihood == pytest.approx(found.model.log_density(rows).sum(), rel=1e-9)


def test_what_needs_rows_is_refused(connection: Any) -> None:
    table = DatabaseTable(connection, "customers")
    for more in (
        {"robust": "noise"},
        {"known": "region"},
        {"kinds": {"households": "count"}},
        {"merge": 2},
        {"keep": "model.json"},
    ):
        message = rf"^`{next(iter(more))}` must be left out for a table that stays in its database"
        with pytest.raises(ParameterError, match=message):
            segment_in_database(table, columns=["income", "spending", "households"], **more)
    with pytest.raises(ColumnError, match="'incom'"):
        segment_in_database(table, columns=["incom"])
    with pytest.raises(ParameterError, match=r"`sample_rows` must be .* at least 100; got 5"):
        segment_in_database(table, sample_rows=5)
    with pytest.raises(ParameterError, match="must have rows"):
        segment_in_database(DatabaseTable(connection, sql="SELECT * FROM customers WHERE income > 1e6"))
    query = DatabaseTable(connection, sql="SELECT income, spending FROM customers WHERE region = 'north'")
    found = Segmentation.fit(query, components=[3], covariance_types=["diag"])
    assert found.result.n_rows == customers().filter(region="north").height
