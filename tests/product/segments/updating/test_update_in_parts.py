"""Rows of a table that is read in parts, added to a model: what the same table in memory gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from mixtura.data.sources import Source, open_source
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError
from mixtura.segments import (
    ModelUpdate,
    SegmentModel,
    segment_table,
    site_statistics,
    update_model,
    with_reference,
)
from mixtura.segments.model import read_rows

N = 2_000


def made(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return make_customers(N, as_frame="polars", random_state=seed).with_columns(
        income=pl.when(pl.int_range(N) % 97 == 3).then(None).otherwise(pl.col("income")),
        worth=pl.Series(rng.gamma(2.0, 10.0, N)),
        households=pl.Series(rng.integers(0, 4, N)),
        day=pl.Series(np.datetime64("2026-01-01") + rng.integers(0, 200, N).astype("timedelta64[D]")),
    )


FIRST, SECOND = made(3), made(4)


def in_batches(frame: pl.DataFrame, n_rows: int) -> Source:
    table = frame.to_arrow()

    def read(columns: Any) -> Any:
        return iter(table.select(list(columns)).to_batches(max_chunksize=n_rows))

    return Source("batches", open_source(table).schema, read, len(frame))


def learned(**options: Any) -> SegmentModel:
    found = segment_table(FIRST, columns=["income", "spending"], components=[3], **options)
    return with_reference(found.model, found.table, found.weights)


def require_same(left: ModelUpdate, right: ModelUpdate) -> None:
    for name in ("weights", "means", "covariances"):
        one, other = (getattr(found.model.mixture, name) for found in (left, right))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    assert (left.rows, left.rows_left_out) == (right.rows, right.rows_left_out)
    for name in ("kept", "weight_before", "weight_added", "log_likelihoods"):
        assert getattr(left, name) == pytest.approx(getattr(right, name), rel=1e-10), name
    assert left.result.n_iter == right.result.n_iter
    assert left.notes == right.notes
    one, other = left.model, right.model
    assert one.anomaly_threshold == pytest.approx(other.anomaly_threshold, rel=1e-9)
    assert one.mean_values == pytest.approx(other.mean_values, rel=1e-9)
    assert one.training.log_likelihood == pytest.approx(other.training.log_likelihood, rel=1e-10)
    assert (one.statistics is None, one.reference is None) == (False, False)
    np.testing.assert_allclose(one.statistics.components.sums, other.statistics.components.sums, rtol=1e-8)
    np.testing.assert_allclose(one.statistics.total.sums, other.statistics.total.sums, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(one.statistics.rounding, other.statistics.rounding)
    np.testing.assert_allclose(one.reference.sums.totals, other.reference.sums.totals, rtol=1e-8)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "whole rows": ({}, {"drop_missing": True}),
    "by age": ({"value": "worth"}, {"time": "day", "half_life": "30d"}),
    "weighted": ({"weight": "households", "value": "worth"}, {}),
    "transformed": ({"transform": "yeo-johnson"}, {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_rows", [N, 300])
def test_it_is_the_update_by_the_table_in_memory(
    case: str, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_rows, "_CHUNK_ROWS", 700)
    options, asked = CASES[case]
    model = learned(**options)
    there = update_model(model, in_batches(SECOND, n_rows), **asked)
    require_same(there, update_model(model, SECOND, **asked))


def test_numbers_that_stand_for_missing_values_are_found() -> None:
    coded, model = SECOND.with_columns(income=pl.col("income").fill_null(-999.0)), learned()
    require_same(update_model(model, in_batches(coded, 300)), update_model(model, coded))


@pytest.mark.parametrize("case", ["plain", "whole rows", "weighted", "transformed"])
def test_statistics_of_a_site_are_those_of_the_table_in_memory(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_rows, "_CHUNK_ROWS", 700)
    options, asked = CASES[case]
    model = learned(**options)
    there = site_statistics(model, in_batches(SECOND, 300), **asked)
    here = site_statistics(model, SECOND, **asked)
    assert (there.rows, there.about) == (here.rows, here.about)
    left, right = there.statistics, here.statistics
    np.testing.assert_allclose(left.components.sums, right.components.sums, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(left.total.sums, right.total.sums, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(left.rounding, right.rounding)
    assert left.log_likelihood == pytest.approx(right.log_likelihood, rel=1e-12)
    with pytest.raises(DataError, match="At least 1e\\+06 customers are required in each segment"):
        site_statistics(model, in_batches(SECOND, 300), min_rows=1e6)


def test_what_cannot_be_added_is_named() -> None:
    model = learned(weight="households")
    with pytest.raises(ColumnError, match="'households'"):
        update_model(model, in_batches(SECOND.drop("households"), 300))
    model = learned()
    with pytest.raises(ColumnError, match="lacks 'spending'"):
        update_model(model, in_batches(SECOND.drop("spending"), 300))
    far = SECOND.with_columns(
        spending=pl.when(pl.int_range(N) == 1_500).then(1e30).otherwise(pl.col("spending"))
    )
    with pytest.raises(DataError, match=r"'spending' has the value 1e\+30; in 1 of 2,000 rows"):
        update_model(model, in_batches(far, 300))
    nothing = SECOND.with_columns(income=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(DataError, match="no values in 'income'"):
        update_model(model, in_batches(nothing, 300))
    assert isinstance(in_batches(SECOND, 300).schema, pa.Schema)
