"""Anomalies of a source that is read in parts: those of the same table in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mixtura.anomaly import member_draws, standard_rows
from mixtura.data.sources import Source, open_source
from mixtura.exceptions import ColumnError
from mixtura.segments.anomalies import SourceAnomalies, TableAnomalies, find_anomalies, scored_rows

N = 1_500


@pytest.fixture(autouse=True)
def few_members_and_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_draws, "_MEMBERS", 20)
    monkeypatch.setattr(member_draws, "_NOVELTY_MEMBERS", 5)
    monkeypatch.setattr(standard_rows, "_PART", 700)


def made(seed: int) -> pl.DataFrame:
    """Rows of dependent columns, of which some do not follow; some lack a value, one lacks all."""
    rng = np.random.default_rng(seed)
    first = rng.normal(50, 10, N)
    second = 2 * first + rng.normal(0, 2, N)
    second[::60] += 40
    return pl.DataFrame(
        {
            "who": [f"C{number:05}" for number in rng.permutation(N)],
            "visits": np.where(np.arange(N) % 97 == 3, np.nan, first),
            "spent": second,
            "age": np.where(np.arange(N) % 89 == 5, -999.0, rng.integers(18, 90, N)),
        }
    ).with_columns(
        pl.when(pl.int_range(N) == 800).then(None).otherwise(pl.col(name)).fill_nan(None).alias(name)
        for name in ("visits", "spent", "age")
    )


TABLE, NORMAL = made(1), made(2).filter(pl.int_range(N) % 60 != 0)


def in_batches(frame: pl.DataFrame, n_rows: int = 400) -> Source:
    table = frame.to_arrow()

    def read(columns: Any) -> Any:
        return iter(table.select(list(columns)).to_batches(max_chunksize=n_rows))

    return Source("batches", open_source(table).schema, read, len(frame))


def require_same(there: SourceAnomalies | TableAnomalies, here: SourceAnomalies | TableAnomalies) -> None:
    assert (type(there), type(here)) == (SourceAnomalies, TableAnomalies)
    for name in ("scores", "p_values", "stability"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(there.flagged, here.flagged)
    assert (there.excess, there.order) == (here.excess, here.order)
    np.testing.assert_allclose(there.deviations, here.deviations, rtol=1e-9)
    left, right = there.to_dict(), here.to_dict()
    assert left["n_flagged"] == len(left["anomalies"]) > 3
    for one, other in zip(left["anomalies"], right["anomalies"], strict=True):
        assert one["id"] == other["id"]
        assert [why["column"] for why in one["reasons"]] == [why["column"] for why in other["reasons"]]
        for name in ("score", "p_value", "squared_distance", "stability", "component"):
            assert one[name] == pytest.approx(other[name], rel=1e-9)
        for why, because in zip(one["reasons"], other["reasons"], strict=True):
            assert why["expected"] == pytest.approx(because["expected"], rel=1e-9)
    said = "Columns were chosen by 1,500 of 1,500 rows, drawn at random; all rows were scored."
    assert left["notes"] == [said, *right["notes"]]


@pytest.mark.parametrize(
    "options",
    [{}, {"threshold": "tail"}, {"threshold": "percentile", "contamination": 0.02, "drop_missing": True}],
)
def test_they_are_those_of_the_table_in_memory(options: dict[str, Any], tmp_path: Path) -> None:
    there, here = (find_anomalies(one, **options) for one in (in_batches(TABLE), TABLE))
    require_same(there, here)
    for one, name in ((there, "there"), (here, "here")):
        one.write(tmp_path / f"{name}.parquet")
    left, right = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("there", "here"))
    assert_frame_equal(left, right, rel_tol=1e-9)
    assert left["who"].to_list() == TABLE["who"].to_list()
    if "drop_missing" not in options:
        assert left["score"].is_null().to_list() == [number == 800 for number in range(N)]


def test_normal_rows_and_rows_to_score_may_both_be_read_in_parts() -> None:
    there = find_anomalies(in_batches(TABLE), reference=in_batches(NORMAL))
    require_same(there, find_anomalies(TABLE, reference=NORMAL))
    with pytest.raises(ColumnError, match="'spent'"):
        find_anomalies(in_batches(TABLE.drop("spent")), reference=in_batches(NORMAL))


def test_columns_are_chosen_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scored_rows, "LARGE_ROWS", 500)
    found = find_anomalies(in_batches(TABLE))
    assert (found.columns, found.scores.size, found.n_rows) == (("visits", "spent", "age"), N - 1, N)
    assert found.to_dict()["notes"][0].startswith("Columns were chosen by 500 of 1,500 rows")
    assert isinstance(found, SourceAnomalies)
    np.testing.assert_allclose(found.scores, found.detector.scores(found.table.rows), rtol=1e-12)
    strange = {found.details([row]).customers[0] for row in found.order}
    expected = set(TABLE["who"].gather_every(60).to_list())
    assert len(strange & expected) > 0.8 * len(expected)
