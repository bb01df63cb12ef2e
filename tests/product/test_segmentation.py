"""The library's face: one object, whichever dataframe the customers come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mixtura import Segmentation
from mixtura.datasets import make_customers
from mixtura.exceptions import DataError, ParameterError
from mixtura.segments import SegmentModel


def customers() -> pl.DataFrame:
    rows = make_customers()
    return pl.DataFrame(
        {
            "customer_id": [f"C{number:03d}" for number in range(len(rows))],
            "income": rows[:, 0],
            "spending": rows[:, 1],
            "region": ["north", "south", "west"] * 100,
            "revenue": rows[:, 1] * 10,
        }
    )


OPTIONS: dict[str, Any] = {
    "columns": ["income", "spending"],
    "describe": ["region"],
    "value": "revenue",
    "components": [2, 3],
}
KINDS = {
    "pandas": (lambda frame: frame.to_pandas(), pd.DataFrame),
    "polars": (lambda frame: frame, pl.DataFrame),
    "lazy": (lambda frame: frame.lazy(), pl.DataFrame),
    "arrow": (lambda frame: frame.to_arrow(), pa.Table),
    "duckdb": (lambda frame: duckdb.sql("select * from frame"), pa.Table),
}


@pytest.fixture(scope="module")
def segmentation() -> Segmentation:
    return Segmentation.fit(customers(), **OPTIONS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_frames_come_back_of_the_library_they_came_in(kind: str, segmentation: Segmentation) -> None:
    make, expected = KINDS[kind]
    frame = make(customers())
    found = Segmentation.fit(frame, **OPTIONS)
    frames = [
        found.memberships,
        found.profiles,
        found.ambiguous(0.9),
        found.audience(1, min_probability=0.3),
        found.assign(make(customers())),
    ]
    assert {type(one) for one in frames} == {expected}
    same = nw.from_native(found.memberships)
    reference = segmentation.memberships
    assert same.columns == reference.columns
    assert same["segment"].to_list() == reference["segment"].to_list()
    np.testing.assert_allclose(same["certainty"].to_numpy(), reference["certainty"].to_numpy())


def test_customers_have_the_index_of_their_table() -> None:
    table = (
        customers().to_pandas().set_index(pd.Index([f"row {number}" for number in range(300)], name="key"))
    )
    found = Segmentation.fit(table, **OPTIONS)
    assert found.memberships.index.equals(table.index)
    assert found.assign(table[::-1]).index.equals(table.index[::-1])
    audience = found.audience(1, top=5)
    assert audience.index.name == "key"
    assert table.loc[audience.index, "customer_id"].tolist() == audience["customer_id"].tolist()
    unsure = found.ambiguous(0.99)
    assert table.loc[unsure.index, "customer_id"].tolist() == unsure["customer_id"].tolist()
    # Frames of segments have rows of their own.
    assert found.profiles.index.tolist() == list(range(len(found.profiles)))


def test_memberships_are_those_of_the_model(segmentation: Segmentation) -> None:
    frame = segmentation.memberships
    rows = customers().select("income", "spending").to_numpy()
    expected = segmentation.model.memberships(rows)
    held = frame.select(pl.col("^probability_.*$")).to_numpy()
    np.testing.assert_allclose(held, expected, rtol=1e-12)
    assert frame["customer_id"].to_list() == customers()["customer_id"].to_list()
    assert frame["anomaly"].dtype == pl.Boolean
    assert frame["anomaly"].sum() == 12


def test_profiles_tell_everybody_and_each_segment(segmentation: Segmentation) -> None:
    frame = segmentation.profiles
    everybody = frame.filter((pl.col("segment") == 0) & (pl.col("column") == "income"))
    assert everybody["mean"].item() == pytest.approx(customers()["income"].mean())
    assert set(frame["segment"]) == {0, 1, 2, 3}
    assert set(frame["column"]) == {"income", "spending", "revenue", "region"}


def test_ambiguous_customers_are_below_the_threshold(segmentation: Segmentation) -> None:
    frame, everybody = segmentation.ambiguous(0.6), segmentation.memberships
    assert set(frame["customer_id"]) == set(everybody.filter(pl.col("certainty") < 0.6)["customer_id"])
    assert frame["membership"].is_sorted()
    assert (frame["membership"] >= frame["second_membership"]).all()


def test_an_audience_is_everybody_likely_enough_the_best_first(segmentation: Segmentation) -> None:
    everybody = segmentation.memberships
    frame = segmentation.audience(segmentation.names[1], min_probability=0.3)
    assert set(frame["customer_id"]) == set(everybody.filter(pl.col("probability_2") >= 0.3)["customer_id"])
    assert frame["probability"].is_sorted(descending=True)
    valued = segmentation.audience(2, top=5, value="revenue")
    worth = everybody["probability_2"] * customers()["revenue"]
    assert valued["expected_value"].to_list() == pytest.approx(sorted(worth, reverse=True)[:5])
    fewer = segmentation.audience(2, customers().head(50), min_probability=0.3)
    assert set(fewer["customer_id"]) <= {f"C{number:03d}" for number in range(50)}
    with pytest.raises(ParameterError, match="An audience needs a limit"):
        segmentation.audience(2)


def test_rows_with_missing_values_come_back_empty() -> None:
    frame = customers().with_columns(
        pl.when(pl.int_range(300) == 4).then(None).otherwise(pl.col("income")).alias("income")
    )
    found = Segmentation.fit(frame, columns=["income", "spending"], components=[3], drop_missing=True)
    row = found.memberships.row(4, named=True)
    assert row["customer_id"] == "C004"
    assert {row[name] for name in row if name != "customer_id"} == {None}


def test_a_saved_model_assigns_the_same(segmentation: Segmentation, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    segmentation.save(path)
    loaded = Segmentation.load(path)
    assert isinstance(loaded.model, SegmentModel)
    assert loaded.assign(customers()).equals(segmentation.memberships)
    assert loaded.audience(1, customers(), min_probability=0.5).height > 0
    assert repr(loaded).startswith("<Segmentation: 3 segments, loaded>")
    for asked in ("memberships", "profiles", "result"):
        with pytest.raises(DataError, match="was loaded"):
            getattr(loaded, asked)
    with pytest.raises(DataError, match="was loaded"):
        loaded.audience(1, min_probability=0.5)


def test_stability_and_kmeans(segmentation: Segmentation) -> None:
    stability = segmentation.stability(4)
    assert stability.n_bootstraps == 4
    assert len(stability.segments) == 3
    assert segmentation.compare_kmeans().agreement > 0.8


def test_the_report_and_the_workbook_are_written(segmentation: Segmentation, tmp_path: Path) -> None:
    segmentation.stability(4)
    segmentation.report(tmp_path / "report.html", excel=tmp_path / "book.xlsx")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "3 segments among 300 customers" in page
    assert "4 resamples" in page
    assert (tmp_path / "book.xlsx").stat().st_size > 5_000


def test_the_card_is_small_and_shows_text_as_text() -> None:
    named = Segmentation.fit(
        customers(), components=[3], columns=["income", "spending"], names={1: "<script>a</script>"}
    )
    card = named._repr_html_()
    assert "<script" not in card
    assert "&lt;script&gt;" in card
    assert "data:image/svg+xml;base64," in card
    assert len(card) < 60_000


def test_the_card_of_a_loaded_model_has_no_picture(segmentation: Segmentation) -> None:
    card = Segmentation(segmentation.model)._repr_html_()
    assert "<img" not in card
    assert "high income, low spending" in card


@pytest.mark.parametrize(
    ("option", "tried"),
    [
        ("n_clusters", "try `components`."),
        ("id", "try `id_column`."),
        ("covariance_typs", "try `covariance_types`."),
        ("frobnicate", "try `anomaly_percentile`, `checkpoint`, `columns`, "),
    ],
)
def test_an_option_that_nobody_has_is_refused_before_anything_is_read(option: str, tried: str) -> None:
    with pytest.raises(TypeError, match=f"^`{option}` is not a parameter of `Segmentation.fit`; {tried}"):
        Segmentation.fit("missing.csv", **{option: 3})


def test_options_of_questions_are_checked_too(segmentation: Segmentation) -> None:
    with pytest.raises(
        TypeError, match=r"`n_resamples` is not .*`Segmentation\.stability`; try `n_bootstraps`\."
    ):
        segmentation.stability(n_resamples=5)
    with pytest.raises(TypeError, match=r"`ids` is not .*`Segmentation\.drift`; try `id_column`\."):
        segmentation.drift(customers(), ids="customer_id")
    with pytest.raises(TypeError, match=r"`most` is not .*`Segmentation\.to_sql`; try `id_column`, "):
        segmentation.to_sql("postgresql", table="customers", most=3)


def test_answers_show_themselves_in_a_line(segmentation: Segmentation) -> None:
    shown = [
        repr(segmentation.compare_kmeans()),
        repr(segmentation.stability(5)),
        repr(segmentation.drift(customers())),
    ]
    starts = [
        "<KMeansComparison: ",
        "<Stability of 3 segments: ",
        "<TableDrift: keep the model, after 1 period>",
    ]
    assert all(one.startswith(start) and one.endswith(">") for one, start in zip(shown, starts, strict=True))
    assert all("array" not in one and "\n" not in one for one in shown)
