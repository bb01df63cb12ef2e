"""Customers assigned in parts: what `assign_table` says of the table in memory."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from mixtura.data.sources import open_source
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError, TableError
from mixtura.segments import SegmentModel, assign_table, segment_table
from mixtura.segments.large.assign_source import assign_source
from mixtura.segments.large.row_reader import RowReader
from mixtura.segments.large.sentinels import find_sentinels

N = 5_000


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    return segment_table(make_customers(as_frame="polars"), components=[3]).model


def table() -> pl.DataFrame:
    rows = make_customers(N, kind="five", random_state=4)
    income = np.where(np.arange(N) % 97 == 5, np.nan, rows[:, 0])
    spending = np.where(np.arange(N) % 970 == 5, np.nan, rows[:, 1])
    return pl.DataFrame(
        {
            "spending": pl.Series(spending).fill_nan(None),
            "customer_id": [f"{number:05}" for number in range(N)],
            "income": pl.Series(income).fill_nan(None),
        }
    )


def same(one: pl.DataFrame, other: pl.DataFrame, *, exactly: bool = True) -> None:
    """Compare tables: to the last digit, unless a block has rows that lack values, whose cuts are other ones."""
    if exactly:
        assert one.equals(other)
    else:
        assert_frame_equal(one, other, check_exact=False, rel_tol=1e-9, abs_tol=1e-12)


def in_memory(model: SegmentModel, frame: pl.DataFrame, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return assign_table(model, frame, **options)


@pytest.mark.parametrize("drop_missing", [False, True])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_file_is_that_of_the_table_in_memory(
    model: SegmentModel, suffix: str, drop_missing: bool, tmp_path: Path
) -> None:
    frame = table()
    expected = in_memory(model, frame, drop_missing=drop_missing)
    expected.write(tmp_path / f"expected.{suffix}")
    source = open_source(frame.to_arrow().to_reader(max_chunksize=400))
    found = assign_source(model, source, tmp_path / f"found.{suffix}", drop_missing=drop_missing)
    read = pl.read_csv if suffix == "csv" else pl.read_parquet
    one, other = (read(tmp_path / f"{name}.{suffix}") for name in ("found", "expected"))
    same(one, other, exactly=drop_missing)
    assert one.columns[0] == "customer_id"
    np.testing.assert_array_equal(found.counts, expected.counts)
    assert (found.n_rows, found.n_complete, found.n_anomalies) == (
        N,
        expected.n_complete,
        expected.n_anomalies,
    )
    assert found.notes == expected.notes


def test_complete_rows_have_the_same_digits(model: SegmentModel, tmp_path: Path) -> None:
    frame = table().drop_nulls()
    in_memory(model, frame).write(tmp_path / "b.csv")
    assign_source(model, open_source(frame.to_arrow().to_reader(max_chunksize=999)), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_rows_are_numbered_where_there_is_no_id(model: SegmentModel, tmp_path: Path) -> None:
    source = open_source(table().drop("customer_id").to_arrow())
    assign_source(model, source, tmp_path / "a.parquet")
    found = pl.read_parquet(tmp_path / "a.parquet")
    assert found["row"].to_list() == list(range(1, N + 1))


def test_numbers_that_stand_for_missing_values(model: SegmentModel, tmp_path: Path) -> None:
    frame = table().with_columns(income=pl.col("income").fill_null(-999.0))
    expected = in_memory(model, frame)
    source = open_source(frame.to_arrow().to_reader(max_chunksize=300))
    found = assign_source(model, source, tmp_path / "a.parquet")
    assert found.notes == expected.notes
    assert "holds -999 in" in found.notes[0]
    expected.write(tmp_path / "b.parquet")
    one, other = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in "ab")
    same(one, other, exactly=False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2, 3, -999, -999], -999.0),
        ([1.0, 2, 3, 4, -999], None),
        ([-999.0, -998, -997, -999, 3], None),
        ([999.0, 999, 1, 2, 3, 4], 999.0),
        ([1.0, 2, 3], None),
        ([9999999.0, 1, 9999999, 2, 3], 9999999.0),
    ],
)
@pytest.mark.parametrize("batch", [1, 2, 10])
def test_the_rule_is_that_of_whole_columns(values: list[float], expected: float | None, batch: int) -> None:
    from mixtura.segments import open_table

    frame = pa.table({"x": values})
    whole = [(one.value, one.count) for one in open_table(frame).sentinels]

    def read(columns: Any) -> Any:
        return iter(frame.select(list(columns)).to_batches(max_chunksize=batch))

    from mixtura.data.sources import Source

    found = [
        (one.value, one.count)
        for one in find_sentinels(Source("t", frame.schema, read, len(values)), RowReader(["x"]))
    ]
    assert found == whole
    assert [value for value, _ in found] == ([] if expected is None else [expected])


def test_numbers_written_as_text(model: SegmentModel, tmp_path: Path) -> None:
    frame = table().with_columns(income=pl.col("income").cast(pl.String))
    assign_source(model, open_source(frame.to_arrow()), tmp_path / "a.parquet")
    in_memory(model, frame).write(tmp_path / "b.parquet")
    one, other = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in "ab")
    same(one, other, exactly=False)


def test_a_batch_without_any_value(model: SegmentModel, tmp_path: Path) -> None:
    frame = table()[:300].with_columns(
        income=pl.when(pl.int_range(300) < 100).then(None).otherwise(pl.col("income")),
        spending=pl.when(pl.int_range(300) < 100).then(None).otherwise(pl.col("spending")),
    )
    source = open_source(frame.to_arrow().to_reader(max_chunksize=100))
    found = assign_source(model, source, tmp_path / "a.csv")
    assert found.n_rows - found.n_complete >= 100
    in_memory(model, frame).write(tmp_path / "b.csv")
    same(pl.read_csv(tmp_path / "a.csv"), pl.read_csv(tmp_path / "b.csv"), exactly=False)


def test_what_cannot_be_assigned(model: SegmentModel, tmp_path: Path) -> None:
    frame = table()
    with pytest.raises(ColumnError, match="The table lacks 'income'"):
        assign_source(model, open_source(frame.drop("income").to_arrow()), tmp_path / "a.csv")
    empty = frame.with_columns(income=pl.lit(None, pl.Float64), spending=pl.lit(None, pl.Float64))
    with pytest.raises(DataError, match="None of the 5000 rows has a number"):
        assign_source(model, open_source(empty.to_arrow()), tmp_path / "a.csv")
    with pytest.raises(TableError, match="no rows"):
        assign_source(model, open_source(frame[:0].to_arrow()), tmp_path / "a.csv")
