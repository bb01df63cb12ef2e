"""Charts of a report, drawn from a document and rows without a fit."""

from __future__ import annotations

import re
import sys
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from fitted import fitted
from mixtura import Mixture
from mixtura.datasets import make_customers
from mixtura.exceptions import OptionalDependencyError
from mixtura.plot import PlotData, plot_data, plot_profiles
from mixtura.plot.charts.profiles import profile_chart
from mixtura.plot.data.plane import most_different_columns, most_informative_pair
from mixtura.plot.data.profile_table import profiles_of_document
from mixtura.plot.data.scores import scores_of_document, scores_of_result
from mixtura.plot.vega import Datasets
from mixtura.report import REPORT, draw_charts
from mixtura.report.card import notebook_card
from mixtura.segments import segment_table
from presentation.documents import content, document

MIXTURE = Mixture.from_parameters(
    [0.5, 0.3, 0.2], [[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]], [1.0] * 3, "spherical"
)


@cache
def rows() -> PlotData:
    """Customers of three segments, one of them in the cluster of another segment."""
    drawn = plot_data(MIXTURE, MIXTURE.sample(120, 0)[0], ["income", "spending"])
    clusters = drawn.labels.copy()
    clusters[0] = (clusters[0] + 1) % 3
    threshold = float(np.quantile(drawn.log_density, 0.04))
    return replace(drawn, noun="customers", part="segment", clusters=lambda: clusters, threshold=threshold)


def tips(svg: str, *fields: str) -> list[dict[str, str]]:
    """Return what marks say of themselves, of those that name all of some fields."""
    said = [
        dict(part.split(": ", 1) for part in tip.split("; ") if ": " in part)
        for tip in re.findall(r'data-tip="([^"]*)"', svg)
    ]
    return [one for one in said if set(fields) <= set(one)]


def test_distributions_are_of_the_columns_in_which_segments_differ_most() -> None:
    means = np.zeros((2, 30))
    means[1, [3, 9, 12, 20, 26, 28, 29]] = [5.0, 0.5, 4.0, 6.0, 3.0, 7.0, 8.0]
    variances = np.ones((2, 30))
    variances[:, 28] = 1e4
    wide = Mixture.from_parameters([0.4, 0.6], means, variances, "diag")
    assert most_different_columns(wide, 6) == [3, 9, 12, 20, 26, 29]
    assert most_different_columns(MIXTURE, 6) == [0, 1]
    drawn = plot_data(wide, wide.sample(60, 0)[0], [f"c{i}" for i in range(30)])
    chart = draw_charts(document(), replace(drawn, part="segment"))["marginals"]
    assert chart.notes[-1] == "The 6 of 30 columns in which segments differ most."
    assert "c29" in chart.svg
    assert "c28" not in chart.svg
    assert most_informative_pair(wide, drawn.rows) == (20, 29)


def test_a_document_and_rows_give_all_charts() -> None:
    charts = draw_charts(document(), rows())
    assert list(charts) == [
        "scatter", "marginals", "kmeans", "mixture", "criterion", "flow", "density", "flow-fewer", "flow-more",
    ]  # fmt: skip
    assert all(chart.svg.startswith("<svg") and chart.title for chart in charts.values())
    points = {name: tips(charts[name].svg, "income", "segment") for name in ("kmeans", "mixture")}
    clusters = rows().clusters
    assert clusters is not None
    for name, labels in (("kmeans", clusters()), ("mixture", rows().labels)):
        assert [int(point["segment"]) for point in points[name]] == (labels + 1).tolist()


def test_flows_are_the_transitions_of_the_document() -> None:
    charts = draw_charts(document(), rows())
    of_document = content()
    pairs = zip(("flow-fewer", "flow-more"), of_document["stability"]["transitions"], strict=True)
    for name, transition in pairs:
        counts = np.array(transition["counts"])
        wide, narrow = charts[name].svg.split("<svg")[1:]
        for svg in (wide, narrow):
            found = np.zeros_like(counts)
            for one in tips(svg, "from", "to", "count"):
                found[int(one["from"]) - 1, int(one["to"]) - 1] = float(one["count"])
            np.testing.assert_array_equal(found, counts)


def test_flows_say_that_they_count_by_weight() -> None:
    def weighted(found: dict[str, Any]) -> None:
        found["table"]["weight_column"] = "visits"

    for shown, noun in ((document(), "customers"), (document(weighted), "customers by weight")):
        charts = draw_charts(shown, rows())
        for name in ("flow", "flow-fewer", "flow-more"):
            assert charts[name].notes[0].startswith(f"Width: number of {noun}, 120 in all")


def test_our_side_of_a_flow_is_in_the_order_of_segments_whatever_the_transitions_order() -> None:
    def turn(found: dict[str, Any]) -> None:
        fewer, more = found["stability"]["transitions"]
        fewer["to_names"] = fewer["to_names"][::-1]
        fewer["counts"] = [row[::-1] for row in fewer["counts"]]
        more["from_names"], more["counts"] = more["from_names"][::-1], more["counts"][::-1]

    straight, turned = draw_charts(document(), rows()), draw_charts(document(turn), rows())
    assert straight["flow-fewer"].svg == turned["flow-fewer"].svg
    assert straight["flow-more"].svg == turned["flow-more"].svg


def test_without_stability_and_threshold_there_are_fewer_charts() -> None:
    bare = document(lambda found: found.update(stability=None))
    assert set(draw_charts(bare, replace(rows(), threshold=None))) == {
        "scatter", "kmeans", "mixture", "marginals", "criterion", "flow",
    }  # fmt: skip


def test_scores_are_the_criteria_of_the_document() -> None:
    def spoil(found: dict[str, Any]) -> None:
        one, failed = found["candidates"][1], found["candidates"][-1]
        found["diagnostics"]["degenerate"] = [
            {name: one[name] for name in ("covariance_type", "n_components")} | {"why": ["two rows"]}
        ]
        failed["criteria"] = dict.fromkeys(failed["criteria"])

    scores = scores_of_document(document(spoil))
    candidates = content()["candidates"]
    drawn = {(row["covariances"], row["count"]): row["value"] for row in scores.values()}
    assert drawn == {
        (one["covariance_type"], one["n_components"]): one["criteria"]["bic"] for one in candidates[:-1]
    }
    degenerate = [(row["covariances"], row["count"]) for row in scores.values() if row["degenerate"]]
    assert degenerate == [(candidates[1]["covariance_type"], candidates[1]["n_components"])]
    assert scores.band == ()


@pytest.mark.parametrize(("excluded", "band"), [(False, (90.0, 93.0)), (True, (91.0, 96.0))])
def test_the_band_begins_at_the_smallest_score_that_is_not_excluded(excluded: bool, band) -> None:
    def validated(found: dict[str, Any]) -> None:
        found["choice"]["criterion_name"] = "cv"
        found["choice"]["criteria"] |= {"cv": 92.0, "cv_standard_error": 1.0}
        for place, one in enumerate(found["candidates"]):
            one["criteria"] |= {"cv": 90.0 + place, "cv_standard_error": 3.0 + 2 * place}
        found["candidates"][0]["excluded"] = excluded

    assert scores_of_document(document(validated)).band == band


@pytest.mark.parametrize("name", ["customers-3", "five"])
def test_a_result_and_its_document_have_the_same_scores(name: str) -> None:
    result = fitted(name)
    assert scores_of_document(result.document) == scores_of_result(result)


def test_profiles_are_those_of_the_document() -> None:
    def transformed(found: dict[str, Any]) -> None:
        found["transforms"][1]["kind"] = "log1p"

    datasets: Datasets = {}
    profile_chart(profiles_of_document(document(transformed)), datasets)
    place = {1: "spending", 2: "income"}  # the largest difference first
    of_document = content()["segments"]
    assert len(datasets["cells"]) == 6
    for cell in datasets["cells"]:
        segment, column = of_document[cell["segment"] - 1], place[cell["column"]]
        median = next(one["median"] for one in segment["numbers"] if one["column"] == column)
        assert cell["mean"] == (segment["means"]["income"] if column == "income" else median)
        assert cell["difference"] == pytest.approx(segment["differences"][column], abs=5e-5)


def test_profiles_count_customers_by_weight() -> None:
    counts = np.random.default_rng(9).integers(1, 4, 300)
    frame = make_customers(as_frame="polars").with_columns(pl.Series("visits", counts))
    options = {"columns": ["income", "spending"], "components": [3]}
    results = (
        segment_table(frame, weight="visits", **options),
        segment_table(frame[np.repeat(np.arange(300), counts)], **options),
    )
    weighted, repeated = (plot_profiles(one).to_dict()["datasets"]["cells"] for one in results)
    for one, other in zip(weighted, repeated, strict=True):
        assert one["mean"] == pytest.approx(other["mean"], rel=1e-6)
        assert one["difference"] == pytest.approx(other["difference"], abs=2e-4)


def test_a_card_shows_what_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    result = fitted("customers-3")
    whole = notebook_card(result.model, result)
    assert "3 segments of 300 customers" in whole
    assert "<img" in whole
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    undrawn = notebook_card(result.model, result)
    assert "3 segments of 300 customers" in undrawn
    assert "<img" not in undrawn

    def missing(*_: object) -> None:
        raise OptionalDependencyError("pydantic is not installed.", package="pydantic", extra="cli")

    monkeypatch.setattr(type(result), "_document", missing)
    bare = notebook_card(result.model, replace(result))
    assert "3 segments</strong>" in bare
    assert all(name in bare for name in result.model.names)


def test_after_an_error_nothing_more_is_drawn() -> None:
    def interrupt(drawn: Any) -> None:
        drawn.outlined()
        raise KeyError("interrupted")

    with pytest.raises(KeyError), REPORT.drawing(fitted("customers-3")) as drawn:
        interrupt(drawn)
    with pytest.raises(CancelledError):
        drawn.picture()
