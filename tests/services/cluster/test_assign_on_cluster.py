"""Customers of Dask and Spark dataframes assigned where they are, as those of the table in memory."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engines import spark_session
from mixtura import Segmentation
from mixtura.exceptions import ColumnError, DataError

pd = pytest.importorskip("pandas")
dd = pytest.importorskip("dask.dataframe")
pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Columns of the table:UserWarning"),
]


def table(n: int, seed: int) -> Any:
    """Two groups in numbers, one with a point mass, counts and words; a row without a value and an unknown word."""
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=n)
    frame = pd.DataFrame(
        {
            "who": [f"{number:05}" for number in range(n)],
            "amount": np.where(rng.uniform(size=n) < 0.3, 0.0, rng.normal(20.0 + 20.0 * group, 4.0)),
            "age": rng.normal(35.0 + 15.0 * group, 5.0),
            "visits": rng.poisson(1.0 + 5.0 * group).astype(float),
            "channel": np.array(["web", "shop", "phone"])[(group + (rng.uniform(size=n) < 0.2)) % 3],
        }
    )
    frame.loc[3, ["amount", "age", "visits", "channel"]] = None
    frame.loc[10:20, "age"] = None
    frame.loc[7, "channel"] = "letter"
    return frame


COLUMNS = {
    "numbers": ["amount", "age"],
    "mixed": ["amount", "age", "visits", "channel"],
    "levels": ["visits", "channel"],
}


@pytest.fixture(scope="module", params=COLUMNS)
def found(request: pytest.FixtureRequest) -> Segmentation:
    columns = COLUMNS[request.param]
    kinds = {"visits": "count", "channel": "category"} if "visits" in columns else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Segmentation.fit(
            table(600, 0), columns=columns, kinds=kinds or "auto", components=[2], covariance_types=["diag"],
            id_column="who",
        )  # fmt: skip


def in_memory(found: Segmentation, frame: Any, **options: Any) -> pl.DataFrame:
    held: pl.DataFrame = found.assign(pl.from_pandas(frame), **options)
    return held.sort("who")


@pytest.mark.parametrize("drop_missing", [False, True])
def test_a_dask_dataframe(found: Segmentation, drop_missing: bool) -> None:
    frame = table(500, 1)
    parts = dd.from_pandas(frame, npartitions=3)
    parts = dd.concat([parts, dd.from_pandas(frame[:0], npartitions=1)])
    lazy = found.assign(parts, drop_missing=drop_missing)
    assert list(lazy.columns[:5]) == list(frame.columns)
    computed = lazy.compute()
    assert dict(lazy.dtypes) == dict(computed.dtypes)
    assert list(computed.index) == list(frame.index)
    expected = in_memory(found, frame, drop_missing=drop_missing)
    held = pl.from_pandas(computed).select(expected.columns)
    assert_frame_equal(held, expected, rel_tol=1e-9, abs_tol=1e-12)
    assert held["segment"].null_count() >= 1


@pytest.mark.first
def test_a_spark_dataframe(found: Segmentation) -> None:
    frame = table(500, 1)
    rows = pl.from_pandas(frame)
    session = spark_session()
    schema = "who string, amount double, age double, visits double, channel string"
    spark = session.createDataFrame(session.sparkContext.parallelize(rows.rows(), 3), schema)
    lazy = found.assign(spark)
    assert lazy.columns[:5] == list(frame.columns)
    expected = in_memory(found, frame)
    held = pl.DataFrame(pl.from_arrow(lazy.toArrow())).sort("who").select(expected.columns)
    assert_frame_equal(held, expected, rel_tol=1e-9, abs_tol=1e-12)
    with pytest.raises(
        DataError, match=r"`frame` must not have the column 'anomaly', which is added\. Rename"
    ):
        found.assign(lazy)


def test_what_a_frame_lacks_is_named_before_it_is_computed(found: Segmentation) -> None:
    parts = dd.from_pandas(table(50, 1), npartitions=2)
    lacking = "channel" if "channel" in found.model.discrete_columns else "age"
    with pytest.raises(ColumnError, match=rf"The table lacks '{lacking}'\."):
        found.assign(parts.drop(columns=lacking))
    with pytest.raises(DataError, match=r"`frame` must not have the column 'segment'"):
        found.assign(parts.assign(segment=1))
