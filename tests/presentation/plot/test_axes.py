"""Axes are in the units of the table."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
import vl_convert

from mixtura.exceptions import ParameterError
from mixtura.plot import (
    plot_anomalies,
    plot_flow,
    plot_marginals,
    plot_profiles,
    plot_scatter,
    render_svg,
    save_chart,
    side_by_side,
)
from mixtura.plot.data.axes import unit_ticks
from mixtura.plot.data.plane import frame
from mixtura.plot.export.export import specification
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.theme.style import PAGE
from mixtura.segments import SegmentationResult, segment_table
from mixtura.segments.transforms.transforms import build_transform

TRANSFORMS = [
    build_transform("log1p"),
    build_transform("yeo-johnson", exponent=0.3),
    build_transform("yeo-johnson", exponent=1.6),
]


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    rng = np.random.default_rng(4)
    old = rng.random(160) < 0.5
    table = pl.DataFrame(
        {
            "birth_year": np.rint(np.where(old, 1955, 1990) + rng.normal(0, 4, 160)),
            "spending": np.where(old, 0, np.exp(rng.normal(5, 1, 160))),
        }
    )
    transform = {"spending": "log1p"}
    return segment_table(table, components=[2], covariance_types=["diag"], transform=transform)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda one: one.kind)
@pytest.mark.parametrize("units", [(0, 10), (0, 5e6), (-300, 40), (1e-9, 3e-9), (995.0, 1004.0), (7, 7)])
def test_ticks_lie_where_their_labels_say(transform, units: tuple[float, float]) -> None:
    domain = transform.forward(np.array(units, dtype=float)).tolist()
    places, texts = unit_ticks(domain, transform)
    assert places == sorted(places)
    assert len(places) <= 8
    if units[1] > 10 * abs(units[0]):
        assert len(places) >= 3
    if texts:
        values = np.array([float(text.replace(",", "")) for text in texts])
        np.testing.assert_allclose(transform.forward(values), places, rtol=2e-3, atol=1e-12)


def test_frames_of_transformed_amounts_begin_at_zero() -> None:
    values = build_transform("log1p").forward(np.array([0.0, 1.0, 50.0]))
    assert frame(values, -2.0, 5.0, build_transform("log1p"))[0] == 0
    # Values that are negative keep their place.
    assert frame(np.array([-1.0, 3.0]), -2.0, 5.0, build_transform("log1p"))[0] < -1


def test_a_report_axis_shows_values_of_the_table(result, tmp_path) -> None:
    save_chart(plot_scatter(result), tmp_path / "chart.svg")
    written = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "chart.svg").read_text(encoding="utf-8"))
    assert {"spending (log1p scale)", "birth_year"} <= set(written)
    assert {"0", "10", "100", "1950", "1960"} <= set(written)
    assert not any("log1p of" in text or text.startswith("1.9") or "1,9" in text for text in written)
    points = plot_scatter(result, pair=("birth_year", "spending")).to_dict()["datasets"]["points"]
    spent = result.rows[:, list(result.model.columns).index("spending")]
    np.testing.assert_allclose([point["v"] for point in points], spent, rtol=1e-3)


def test_cells_are_in_the_units_of_the_table(result) -> None:
    cells = plot_profiles(result).to_dict()["datasets"]["cells"]
    born = result.rows[:, list(result.model.columns).index("birth_year")]
    years = {f"{born[result.assignment.labels == k].mean():.0f}" for k in (0, 1)}
    assert years <= {cell["text"] for cell in cells}
    spent = result.rows[:, list(result.model.columns).index("spending")]
    medians = {float(np.median(spent[result.assignment.labels == k])) for k in (0, 1)}
    for median in medians:
        assert any(cell["mean"] == pytest.approx(median, rel=1e-9, abs=1e-12) for cell in cells)
    drivers = plot_anomalies(result, most=3).to_dict()["datasets"]["drivers"]
    assert all(
        re.fullmatch(r"(19|20)\d\d", cell["text"]) for cell in drivers if cell["text"][:2] in {"19", "20"}
    )


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (np.linspace(1e-9, 9e-9, 40), r"\de-9"),
        (np.linspace(1e9, 9e9, 40), r"\dB"),
        (np.linspace(1950, 2005, 40), r"19\d0"),
        (np.linspace(-40_000, -20_000, 40), r"−\d\dk"),
        (np.linspace(0, 1, 40), r"0\.\d"),
        (np.full(40, 1e6), r"1(\.\d+)?M"),
    ],
    ids=["tiny", "large", "years", "negative", "shares", "all equal"],
)  # fmt: skip
def test_numbers_are_written_as_they_are_read(rows: np.ndarray, wanted: str) -> None:
    from mixtura import Mixture

    spread = rows.var() or 1.0
    mixture = Mixture.from_parameters([1.0], [[rows.mean()]], [spread], "spherical")
    svg = vl_convert.vegalite_to_svg(plot_marginals(mixture, rows[:, None], columns=["c"]).to_dict())
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert any(re.fullmatch(wanted, label) for label in labels), labels


def test_points_in_the_colors_of_another_grouping(result) -> None:
    labels = np.arange(len(result.rows)) % 3
    spec = plot_scatter(result, labels=labels).to_dict()
    assert [point["segment"] for point in spec["datasets"]["points"]] == (labels + 1).tolist()
    assert len(spec["layer"]) == 1
    with pytest.raises(ParameterError, match="`labels` must be 160 whole numbers"):
        plot_scatter(result, labels=labels[:-1])


def test_a_chart_without_legend_keeps_its_colors(result) -> None:
    with_legend, without = (plot_marginals(result, legend=legend).to_dict() for legend in (True, False))
    assert "Segment" in str(with_legend)
    assert "'title': 'Segment'" not in str(without)
    assert with_legend["datasets"] == without["datasets"]


def test_a_page_sets_the_colors_that_are_not_data(result) -> None:
    chart = plot_marginals(result, legend=False)
    svg = render_svg(specification(chart) | {"config": PAGE})
    paints = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg))
    assert {"var(--ink)", "var(--grid)", "var(--line)"} <= paints
    assert {paint for paint in paints if paint.startswith("#")} == set(segment_colors(2))


def test_charts_beside_each_other_keep_their_data(result) -> None:
    both = side_by_side(
        [plot_marginals(result), plot_scatter(result)], titles=["one", "two"], columns=1
    ).to_dict()
    alone = plot_scatter(result).to_dict()["datasets"]
    assert {name: both["datasets"][f"2 {name}"] for name in alone} == alone
    assert [panel["title"]["text"] for panel in both["concat"]] == ["one", "two"]
    assert vl_convert.vegalite_to_svg(both).count(">Segment</text>") == 2
    with pytest.raises(ParameterError, match="`titles` must be 1"):
        side_by_side([plot_scatter(result)], titles=[])
    with pytest.raises(ParameterError, match="`charts` must hold at least one"):
        side_by_side([])


@pytest.mark.parametrize("compact", [False, True])
def test_both_sides_of_a_flow_have_their_titles(compact: bool) -> None:
    chart = plot_flow([[90, 10], [5, 100]], ["a", "b"], titles=("K-means", "mixture"), compact=compact)
    written = re.findall(r"<text[^>]*>([^<]*)</text>", render_svg(specification(chart)))
    assert {"K-means", "mixture"} <= set(written)
    assert ("1 a \N{MIDDLE DOT} 100" in written) is not compact
