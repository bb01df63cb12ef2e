"""Audiences of a table that is read in parts: those of the same table in memory, number for number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from mixtura.data.sources import Source, open_source
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError, MissingValuesError, ParameterError
from mixtura.segments import SegmentModel, audiences_of_table, segment_table
from mixtura.segments.audiences import audience
from mixtura.segments.audiences.audience_source import audiences_of_source

N = 3_000


def made() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    plain = make_customers(N, as_frame="polars", random_state=3)
    income = pl.when(pl.int_range(N) % 97 == 3).then(None).otherwise(pl.col("income"))
    return plain.with_columns(
        income=income,
        customer=pl.Series([f"C{n:04d}" for n in rng.permutation(N)]),
        revenue=pl.Series([None if n % 50 == 7 else n % 20 for n in range(N)], dtype=pl.Int64),
        households=pl.Series(rng.integers(0, 4, N)),
    )


FRAME = made()


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    return segment_table(FRAME, columns=["income", "spending"], components=[3]).model


def in_parts(frame: pl.DataFrame, n_rows: int = 700) -> Source:
    table = frame.to_arrow()
    table = table.cast(pa.schema([(one.name, _plain(one.type)) for one in table.schema]))
    source = open_source(table)

    def read(columns: Any) -> Any:
        return iter(table.select(list(columns)).to_batches(max_chunksize=n_rows))

    return Source("parts", source.schema, read, len(frame))


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) else kind


CASES: dict[str, dict[str, Any]] = {
    "probable": {"min_probability": 0.3},
    "the first": {"top": 250},
    "worth most": {"top": 40, "value": "revenue"},
    "worth enough": {"min_expected_value": 8.0, "value": "revenue", "min_probability": 0.1},
    "weighted": {"top": 500, "value": "revenue", "weight": "households"},
    "whole rows": {"min_probability": 0.5, "drop_missing": True},
    "nobody": {"min_expected_value": 1e9, "value": "revenue"},
}


@pytest.mark.parametrize("asked", CASES.values(), ids=CASES)
def test_they_are_those_of_the_table_in_memory(
    model: SegmentModel, asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "_SOME", 10)  # so that those who come first are looked for on the way
    there = audiences_of_source(model, in_parts(FRAME), [1, 3], **asked)
    here = audiences_of_table(model, FRAME, [1, 3], **asked)
    left, right = there.to_dict(), here.to_dict()
    assert left.keys() == right.keys()
    for name in left.keys() - {"audiences"}:
        assert left[name] == right[name], name
    for one, other in zip(left["audiences"], right["audiences"], strict=True):
        for name, value in other.items():
            near = pytest.approx(value, rel=1e-12, nan_ok=True) if isinstance(value, float) else value
            assert one[name] == near, name
    for place, result in enumerate((there, here)):
        result.write(tmp_path / f"{place}.csv")
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_rows_are_numbered_where_there_are_no_ids(model: SegmentModel) -> None:
    found = audiences_of_source(model, in_parts(FRAME.drop("customer")), [2], top=5)
    (one,) = found.found.audiences
    assert found.assignment.id_name == "row"
    assert np.asarray(found.assignment.ids[one.rows]).tolist() == (one.rows + 1).tolist()


def test_numbers_that_stand_for_missing_values_are_found(model: SegmentModel) -> None:
    coded = FRAME.with_columns(income=pl.col("income").fill_null(-999.0))
    there = audiences_of_source(model, in_parts(coded), [1], top=300)
    assert any("-999" in note for note in there.assignment.notes)
    plain = audiences_of_source(model, in_parts(FRAME), [1], top=300)
    assert there.found.audiences[0].rows.tolist() == plain.found.audiences[0].rows.tolist()


def test_what_cannot_be_used_is_named(model: SegmentModel) -> None:
    source = in_parts(FRAME.with_columns(minus=pl.int_range(N) - 10, few=pl.lit(None, dtype=pl.Float64)))
    with pytest.raises(ParameterError, match="An audience needs a limit"):
        audiences_of_source(model, source, [1])
    with pytest.raises(ParameterError, match="each once"):
        audiences_of_source(model, source, [1, 1], top=1)
    with pytest.raises(ColumnError, match="Rename 'revenue'"):
        audiences_of_source(model, source, [1], top=1, value="revenu")
    with pytest.raises(DataError, match=r"must not be negative; 'minus' is -10 in row 1 of"):
        audiences_of_source(model, source, [1], top=1, weight="minus")
    with pytest.raises(MissingValuesError, match=r"'revenue' has none in row 8 of"):
        audiences_of_source(model, source, [1], top=1, weight="revenue")
    with pytest.raises(DataError, match="None of 3000 customers has a membership and a value"):
        audiences_of_source(model, source, [1], top=1, value="few")
