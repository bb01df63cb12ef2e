"""Segments of Spark dataframes, in a session of two threads: those found in the same rows in memory."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cluster_segments import DESCRIBED, KINDS, OPTIONS, SAMPLE, TABLE, N, require_same_result, written
from engines import spark_session
from mixtura import Segmentation
from mixtura.data.sources import open_source
from mixtura.exceptions import ClusterError, ColumnError, DataError, MixturaError, ParameterError

pytest.importorskip("pandas")
pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Columns of the table:UserWarning"),
    pytest.mark.first,
]

segment_source = importlib.import_module("mixtura.segments.large.segment_source")
module = importlib.import_module("mixtura.segments.large.on_cluster.segment_on_spark")
SCHEMA = (
    "who string, income double, spent double, worth double, times bigint, land string, amount double, visits bigint, "
    "channel string"
)


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are small, too: a partition has several."""
    for one in (segment_source, module):
        monkeypatch.setattr(one, "LARGE_ROWS", SAMPLE)
    monkeypatch.setattr("mixtura.run.remote.spark.spark_pieces.PIECE_ROWS", 1_100)


def partitions(*tables: pl.DataFrame) -> Any:
    """A dataframe with these partitions, whose rows keep their order."""
    session = spark_session()
    rows = session.sparkContext.parallelize([one.rows() for one in tables], len(tables))
    return session.createDataFrame(rows.flatMap(lambda some: some), SCHEMA)


@pytest.fixture(scope="module")
def frame() -> Any:
    """Unequal partitions, one without rows, one of one row; three rows, a piece of their own, have no value."""
    unknown = TABLE[:3].with_columns(pl.lit(None).alias("income"), pl.lit(None).alias("spent"))
    return partitions(pl.concat([TABLE[:6_600], unknown]), TABLE[:0], TABLE[6_600:6_601], TABLE[6_601:])


def test_everything_is_as_in_memory(frame: Any, tmp_path: Path) -> None:
    found = Segmentation.fit(frame, **OPTIONS, **DESCRIBED)
    there = frame.toArrow()
    assert there.num_rows == N + 3
    alone = segment_source.segment_source(open_source(there), **OPTIONS, **DESCRIBED)
    require_same_result(found.result, alone)
    (said,) = set(found.result.notes) - set(alone.notes)
    assert said == "The rows stayed with Spark, in 3 partitions; the sample alone was read here."
    with pytest.raises(DataError, match=r"segments.parquet has"):
        found.memberships  # noqa: B018
    both = [written(one, tmp_path / name) for one, name in ((found.result, "there"), (alone, "here"))]
    assert_frame_equal(both[0].customers, both[1].customers, rel_tol=1e-9)
    assert both[0].customers["who"].to_list() == there["who"].to_pylist()
    text = [pl.read_csv(one.folder / "segments.csv") for one in both]
    assert_frame_equal(*text, rel_tol=1e-8)


@pytest.mark.parametrize("name", KINDS)
def test_counts_categories_and_point_masses(frame: Any, tmp_path: Path, name: str) -> None:
    options = OPTIONS | KINDS[name] | DESCRIBED | {"components": [3]}
    found = Segmentation.fit(frame, **options).result
    here = segment_source.segment_source(open_source(frame.toArrow()), **options)
    require_same_result(found, here)
    assert len(set(found.notes) - set(here.notes)) == 1
    assert set(here.notes) < set(found.notes)
    both = [written(one, tmp_path / place) for one, place in ((found, "there"), (here, "here"))]
    assert_frame_equal(both[0].customers, both[1].customers, rel_tol=1e-9)


def test_a_small_table_is_read_here(frame: Any) -> None:
    few = frame.limit(2_000)
    found = Segmentation.fit(few, columns=["income", "spent"], components=[1], covariance_types=["diag"])
    assert (found.result.n_rows, found.result.whole) == (2_000, None)
    assert found.memberships.num_rows == 2_000  # an Arrow table


def test_another_version_on_the_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver pretends to have another: the workers are this Python."""
    monkeypatch.setattr("mixtura.run.remote.spark.spark_errors.version", lambda name: "0.0.1")
    said = f"The Spark worker has mixtura {version('mixtura')}; 0.0.1 is required there, as here."
    with pytest.raises(ClusterError) as caught:
        Segmentation.fit(partitions(TABLE[:10]), **OPTIONS)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (
            {"robust": "noise"},
            ParameterError,
            "`robust` cannot be given for a Spark dataframe: it needs the rows",
        ),
        ({"known": "land"}, ParameterError, "`known` cannot be given for a Spark dataframe"),
        (
            {"columns": ["income", "zz"]},
            ColumnError,
            "`columns` names 'zz', and the table has no such column",
        ),
    ],
)
def test_what_cannot_be_is_said_before_rows_are_read(
    frame: Any, options: dict[str, Any], error: type[MixturaError], said: str
) -> None:
    with pytest.raises(error, match=said):
        Segmentation.fit(frame, **OPTIONS | options)


def test_tables_that_cannot_be_segmented(frame: Any) -> None:
    with pytest.raises(DataError, match="The Spark dataframe must have at least one row; got none"):
        Segmentation.fit(frame.filter("times > 9"), **OPTIONS)
    with pytest.raises(ColumnError, match="Names of columns must be unique; 'who' stands 2 times"):
        Segmentation.fit(frame.select("who", "who", "income"))
