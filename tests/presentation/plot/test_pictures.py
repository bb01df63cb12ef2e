"""Pictures: what they show, and that they are not blank."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from fitted import fitted
from mixtura import Mixture
from mixtura.core.covariance import FAMILIES
from mixtura.datasets import make_customers
from mixtura.exceptions import OptionalDependencyError
from mixtura.plot import draw_criterion, draw_segments, plot_criterion, plot_segments, render_svg
from mixtura.plot.charts.criterion import Frame, _kinds, criterion_chart
from mixtura.plot.charts.scatter import ellipse
from mixtura.plot.data.plane import frame, most_informative_pair
from mixtura.plot.data.scores import scores_of_search
from mixtura.plot.theme.palette import blend, segment_colors
from mixtura.segments import segment_table
from mixtura.select import SearchResult, search
from pictures import near, pixels


@pytest.mark.parametrize("columns", [["income"], ["income", "spending", "age"]])
def test_every_segment_has_its_color_in_the_picture(columns) -> None:
    frame = make_customers(kind="five", as_frame="polars").select(columns)
    image = pixels(draw_segments(segment_table(frame, components=[3], covariance_types=["full"])))
    assert all(near(image, color) > 300 for color in segment_colors(3))
    assert near(image, "#FFFFFF") > image.shape[0] * image.shape[1] / 3


def test_many_customers_are_sampled() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.normal(size=6000), "b": np.exp(3 * rng.normal(size=6000))})
    result = segment_table(frame, components=[2], covariance_types=["diag"])
    assert len(draw_segments(result)) > 10_000


def test_all_families_have_a_curve_of_their_own() -> None:
    result = segment_table(make_customers(as_frame="polars"), components=[1, 2, 3], covariance_types=["all"])
    assert len(result.ranking) == 42
    all_marks = _kinds(list(FAMILIES), "right")[1]
    looks = list(
        zip(*(all_marks[name]["scale"]["range"] for name in ("stroke", "fill", "shape")), strict=True)
    )
    assert len(set(looks)) == len(looks) == len(FAMILIES)
    assert all_marks["fill"]["legend"]["values"] == all_marks["fill"]["scale"]["domain"]
    four = _kinds(["full", "tied", "diag", "spherical"], "right")[1]["fill"]
    assert four["scale"] == all_marks["fill"]["scale"]
    assert near(pixels(draw_segments(result)), "#FFFFFF") > 1000


def test_ten_segments_and_one() -> None:
    frame = make_customers(as_frame="polars")
    for k in (1, 10):
        result = segment_table(frame, components=[k], covariance_types=["spherical"])
        assert near(pixels(draw_segments(result)), "#FFFFFF") > 1000
    colors = segment_colors(17)
    assert colors[16] == colors[0]
    assert len(set(colors)) == 16


def test_ellipses_have_their_radius() -> None:
    mean, covariance = np.array([1.0, -2.0]), np.array([[4.0, 1.5], [1.5, 1.0]])
    off = ellipse(mean, covariance, 2.0) - mean
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", off, np.linalg.inv(covariance), off), 4)
    np.testing.assert_allclose(off[0], off[-1], atol=1e-12)


def test_the_telling_columns_tell_the_segments_apart() -> None:
    means = np.zeros((4, 4))
    means[:, 1], means[:, 3] = [-5, -5, 5, 5], [-5, 5, -5, 5]
    mixture = Mixture.from_parameters([0.25] * 4, means, np.ones((4, 4)), "diag")
    rows, _ = mixture.sample(400, 0)
    assert most_informative_pair(mixture, rows) == (1, 3)


def test_colors_blend_like_light() -> None:
    colors = ("#FF0000", "#0000FF")
    assert blend(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), colors) == ["#FF0000", "#0000FF", "#BC00BC"]


def test_axes_end_where_nearly_all_customers_do() -> None:
    values = np.r_[np.linspace(0, 1, 1000), 1000.0]
    low, high = frame(values, 0, 1)
    assert -0.2 < low < 0
    assert 1 < high < 1.2
    low, high = frame(np.linspace(0, 1, 100), -9, 9)
    assert (round(low, 3), round(high, 3)) == (-0.155, 1.155)


@pytest.mark.parametrize(("draw", "library"), [(plot_segments, "altair"), (draw_segments, "vl_convert")])
def test_a_missing_library_is_named(draw, library, monkeypatch) -> None:
    result = fitted("customers-3")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(OptionalDependencyError, match=r"mixtura\[cli\]"):
        draw(result)


def test_pictures_need_no_altair(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    assert draw_segments(fitted("customers-3")).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return fitted("search-all")


def test_the_chart_of_a_search_holds_every_model(found) -> None:
    chart = plot_criterion(found).to_dict()
    drawn = {(row["covariances"], row["count"]): row["value"] for row in chart["datasets"]["models"]}
    assert drawn == {(one.covariance_type, one.n_components): one.bic for one in found.candidates}
    assert chart["datasets"]["chosen"] == [{"count": found.best.n_components, "value": found.best.bic}]
    assert chart["title"]["text"] == f"BIC chooses {found.best.n_components}, {found.best.covariance_type}"


def test_a_choice_that_is_not_the_smallest_is_not_the_criterions(found) -> None:
    scores = scores_of_search(found)
    worse = max((one for one in scores.models if not one.degenerate), key=lambda one: one.value)
    chart = criterion_chart(replace(scores, chosen=worse), Frame(300, 200), {})
    assert chart["title"]["text"] == f"Chosen components: {worse.n_components}, {worse.covariance_type}"


def test_fourteen_covariance_types_look_different(found) -> None:
    line, mark, _ = plot_criterion(found).to_dict()["layer"]
    assert line["encoding"]["strokeDash"]["field"] == "volume"
    volume = {row["covariances"]: row["volume"] for row in found_rows(found)}
    ways = [mark["encoding"][channel]["scale"] for channel in ("stroke", "fill", "shape")]
    assert all(way["domain"] == list(FAMILIES) for way in ways)
    looks = list(zip(*(way["range"] for way in ways), (volume[name] for name in FAMILIES), strict=True))
    assert len(set(looks)) == len(FAMILIES)
    assert {name for name, kind in volume.items() if kind == "E"} == {
        "tied", "EII", "EEI", "EVI", "EVE", "EEV", "EVV",
    }  # fmt: skip


def found_rows(found: SearchResult) -> list[dict[str, str]]:
    return plot_criterion(found).to_dict()["datasets"]["models"]


def test_degenerate_models_are_hollow_and_it_is_said(found) -> None:
    rows = make_customers()
    rows[:60, 1] = 0  # a spike that a component sits on
    spiked = search(rows, components=[2, 3, 4], covariance_types=["full", "tied"])
    wanted = {(one.covariance_type, one.n_components) for one in spiked.candidates if one.is_degenerate}
    assert 0 < len(wanted) < 6
    chart = plot_criterion(spiked).to_dict()
    flagged = {(row["covariances"], row["count"]) for row in chart["datasets"]["models"] if row["degenerate"]}
    assert flagged == wanted
    said = "Hollow marks are degenerate"
    assert any(line.startswith(said) for line in chart["title"]["subtitle"])
    marks = re.findall(
        r'aria-label="components: (\d); BIC: [^;"]*; covariances: (\w+)"[^>]*fill="(\S+)" stroke="#',
        render_svg(chart),
    )
    assert {(kind, int(count)) for count, kind, fill in marks if fill == "white"} == wanted
    assert len(marks) == 6 + len(wanted)  # each upon its filled one
    sound = plot_criterion(found).to_dict()
    assert not any(one.is_degenerate for one in found.candidates)
    assert not any(line.startswith(said) for line in sound["title"]["subtitle"])


def test_the_frame_of_a_search_shows_the_better_half(found) -> None:
    chart = plot_criterion(found).to_dict()
    low, high = chart["layer"][0]["encoding"]["y"]["scale"]["domain"]
    values = sorted(one.bic for one in found.candidates)
    assert low < values[0]
    assert values[len(values) // 2] < high
    outside = sum(value > high for value in values)
    assert outside > 0
    assert f"{outside} models lie above the frame." in chart["title"]["subtitle"]


def test_the_picture_of_a_search_is_not_blank(found) -> None:
    image = pixels(draw_criterion(found))
    assert near(image, "#0072B2") > 500
    assert near(image, "#FFFFFF") > image.shape[0] * image.shape[1] / 3


def test_a_band_shows_what_lies_within_one_standard_error(found) -> None:
    scored = search(
        make_customers(), components=[1, 2, 3], covariance_types=["full", "tied"], criterion="cv", n_folds=3
    )
    chart = plot_criterion(scored).to_dict()
    smallest = scored.minimum.criteria
    assert chart["datasets"]["band"] == [
        {"value": smallest["cv"], "end": smallest["cv"] + smallest["cv_standard_error"]}
    ]
    band, *others = (layer["encoding"] for layer in chart["layer"])
    assert {one["y"]["title"] for one in (band, *others)} | {band["y2"]["title"]} == {"CV"}
    low, high = band["y"]["scale"]["domain"]
    assert low < smallest["cv"] < chart["datasets"]["band"][0]["end"] < high
    assert chart["datasets"]["chosen"] == [
        {"count": scored.best.n_components, "value": scored.best.criterion("cv")}
    ]
    assert "The band is one standard error above the smallest." in chart["title"]["subtitle"]
    assert "band" not in plot_criterion(found).to_dict()["datasets"]


def test_infinite_values_are_not_drawn() -> None:
    found = search(make_customers()[:14], components=[1, 2], covariance_types=["full"], criterion="aicc")
    finite = [one for one in found.candidates if np.isfinite(one.criterion("aicc"))]
    assert [one.n_components for one in finite] == [1, 2]
    few = search(make_customers()[:12], components=[1, 2], covariance_types=["full"], criterion="aicc")
    assert few.candidates[1].criterion("aicc") == np.inf
    assert [row["count"] for row in found_rows(few)] == [1]


def test_a_missing_altair_is_named(found, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(OptionalDependencyError, match=r"mixtura\[cli\]"):
        plot_criterion(found)


def test_degenerate_models_do_not_set_the_frame() -> None:
    rng = np.random.default_rng(1)
    counts = np.where(np.arange(240) < 120, 1.0, 2 + rng.poisson(6, 240))
    rows = np.column_stack([counts, rng.normal(size=240)])
    found = search(rows, components=[1, 2, 4], covariance_types=["full", "tied"])
    chart = plot_criterion(found).to_dict()
    models = chart["datasets"]["models"]
    assert any(one["degenerate"] for one in models)
    low, high = chart["layer"][1]["encoding"]["y"]["scale"]["domain"]
    values = [one["value"] for one in models if not one["degenerate"]]
    assert low < min(values) <= max(values) < high
    below = sum(one["value"] < low for one in models)
    assert below > 0
    note = chart["title"]["subtitle"][-1]
    assert note.endswith(f"or on a few rows; {below} below the frame.")
