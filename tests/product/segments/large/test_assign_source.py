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
from mixtura.segments.large.assigning.assign_source import assign_source
from mixtura.segments.large.row_reader import RowReader
from mixtura.segments.large.sentinels import find_sentinels

N = 5_000


@pytest.fixture(scope="module")
def mixed() -> SegmentModel:
    """A model of numbers, one with a point mass, of counts and of words, that knows a code of missing values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = {"visits": "count", "channel": "category", "grade": "ordered"}
        return segment_table(
            mixed_table(600),
            kinds=kinds,
            components=[2],
            covariance_types=["diag"],
            missing_codes={"grade": [9]},
        ).model


def mixed_table(n: int, seed: int = 0) -> pl.DataFrame:
    """Two groups in all kinds of columns; some cells are empty, some rows without any value."""
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=n)
    frame = pl.DataFrame(
        {
            "customer_id": [f"{number:05}" for number in range(n)],
            "amount": np.where(rng.uniform(size=n) < 0.3, 0.0, rng.normal(20.0 + 20.0 * group, 4.0)),
            "age": rng.normal(35.0 + 15.0 * group, 5.0),
            "visits": 1 + rng.poisson(0.4 + 5.0 * group),
            "channel": np.array(["web", "shop", "phone"])[(group + (rng.uniform(size=n) < 0.2)) % 3],
            "grade": np.where(rng.uniform(size=n) < 0.1, 9, 1 + group + rng.integers(2, size=n)),
        }
    )
    empty, numbers = pl.int_range(pl.len()) % 97 == 5, pl.int_range(pl.len()) % 31 == 3
    without = [pl.when(empty).then(None).otherwise(pl.col(name)).alias(name) for name in frame.columns[1:]]
    return frame.with_columns(without).with_columns(age=pl.when(numbers).then(None).otherwise(pl.col("age")))


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


@pytest.mark.parametrize("drop_missing", [False, True])
def test_counts_and_categories(mixed: SegmentModel, drop_missing: bool, tmp_path: Path) -> None:
    """They were read whole, however large the table; notes and numbers are those of that way."""
    assert set(mixed.discrete_columns) == {"visits", "channel", "grade"}
    assert any(one.kind == "spike" for one in mixed.coding.columns)  # type: ignore[union-attr]
    unseen = pl.when(pl.int_range(pl.len()) % 53 == 7).then(pl.lit("letter")).otherwise(pl.col("channel"))
    never = pl.when(pl.int_range(pl.len()) % 61 == 9).then(0).otherwise(pl.col("visits"))
    frame = mixed_table(1_000, seed=1).with_columns(channel=unseen, visits=never)
    expected = in_memory(mixed, frame, drop_missing=drop_missing)
    expected.write(tmp_path / "expected.parquet")
    source = open_source(frame.to_arrow().to_reader(max_chunksize=130))
    found = assign_source(mixed, source, tmp_path / "found.parquet", drop_missing=drop_missing)
    one, other = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("found", "expected"))
    same(one, other, exactly=False)
    assert one["segment"].null_count() == expected.n_rows - expected.n_known > 0
    assert found.notes == expected.notes
    visits, channel = (note for note in found.notes if "unknown to the model" in note)
    assert visits.startswith("visits: ")
    assert "such as '0'" in visits
    assert channel.startswith("channel: ")
    assert "such as 'letter'" in channel


def test_a_category_that_is_not_there_is_named(mixed: SegmentModel, tmp_path: Path) -> None:
    source = open_source(mixed_table(100).drop("channel").to_arrow())
    with pytest.raises(ColumnError, match=r"The table lacks 'channel'\."):
        assign_source(mixed, source, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


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
    with pytest.raises(DataError, match="None of the 5000 rows has a value"):
        assign_source(model, open_source(empty.to_arrow()), tmp_path / "a.csv")
    with pytest.raises(TableError, match="no rows"):
        assign_source(model, open_source(frame[:0].to_arrow()), tmp_path / "a.csv")
