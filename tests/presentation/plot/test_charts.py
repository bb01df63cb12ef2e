"""Charts hold the numbers they should, of whatever table, and draw them."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import trapezoid

from fitted import fitted
from mixtura import GaussianMixture, Mixture
from mixtura.datasets import make_customers
from mixtura.exceptions import DataError, OutputError, ParameterError
from mixtura.plot import (
    THEMES,
    plot_anomalies,
    plot_confusion,
    plot_convergence,
    plot_density,
    plot_flow,
    plot_marginals,
    plot_profiles,
    plot_scatter,
    plot_segments,
    plot_uncertainty,
    save_chart,
    with_theme,
)
from mixtura.plot.charts.convergence import _ticks
from mixtura.plot.charts.density import HELD, bands, highest_density_levels, level_lines
from mixtura.plot.theme.encodings import compact
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.theme.text import shown, wrapped
from mixtura.segments import SegmentationResult, segment_table
from pictures import near, pixels

MAPS = [plot_scatter, plot_density, plot_uncertainty]
OF_ROWS = [*MAPS, plot_marginals, plot_profiles, plot_anomalies]
SPEC_BYTES = 500_000
HOSTILE = (
    "a very long column name that goes on and on and on, far beyond what any chart can show beside its axis",
    "\N{GRINNING FACE} revenue",
    "\u0627\u0644\u062f\u062e\u0644 \u202e\u0627\u0644\u0633\u0646\u0648\u064a",
    "</script><script>alert('x')</script><!--",
    "quo\"te's \\ back\nnew",
)


def mixture_of(k: int, d: int, seed: int = 0) -> Mixture:
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(k, d, d))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.2 * np.eye(d)
    return Mixture.from_parameters(np.full(k, 1 / k), rng.normal(size=(k, d)) * 5, covariances)


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    return fitted("five-5")


def held_by(chart: Any) -> dict[str, list[dict[str, Any]]]:
    return chart.to_dict(validate=False)["datasets"]


def saved(chart: Any, folder: Path, theme: Any = "light") -> np.ndarray:
    save_chart(chart, folder / "chart.png", theme=theme, overwrite=True)
    return pixels((folder / "chart.png").read_bytes())


def words(chart: Any) -> str:
    return json.dumps(chart.to_dict(validate=False)["title"], ensure_ascii=False)


@pytest.mark.parametrize("pair", [None, ("age", "income"), "projection"])
def test_ellipses_lie_one_two_and_three_deviations_from_their_centers(result, pair) -> None:
    chart = held_by(plot_scatter(result, pair=pair))
    mixture = result.model.in_user_units()
    if pair == ("age", "income"):
        mixture = mixture.marginal([2, 0])
    elif pair is None:
        titles = [
            plot_scatter(result).to_dict(validate=False)["layer"][0]["encoding"][axis]["title"]
            for axis in "xy"
        ]
        mixture = mixture.marginal([result.model.columns.index(title) for title in titles])
    else:
        from mixtura.core.projection import discriminant_projection

        mixture = discriminant_projection(mixture).mixture(mixture)
    inverses = np.linalg.inv(mixture.full_covariances())
    seen = set()
    for point in chart["ellipses"]:
        k = point["segment"] - 1
        off = np.array([point["x"], point["y"]]) - mixture.means[k]
        radius = int(point["ring"][0])
        seen.add((k, radius))
        assert math.sqrt(off @ inverses[k] @ off) == pytest.approx(radius, rel=2e-3)
    assert seen == {(k, radius) for k in range(5) for radius in (1, 2, 3)}


def test_points_are_the_rows_with_their_most_probable_segment(result) -> None:
    points = held_by(plot_scatter(result, pair=("income", "age")))["points"]
    assert len(points) == len(result.rows)
    np.testing.assert_allclose([point["x"] for point in points], result.rows[:, 0], atol=1e-2)
    np.testing.assert_allclose([point["y"] for point in points], result.rows[:, 2], atol=1e-2)
    assert [point["segment"] for point in points] == (result.assignment.labels + 1).tolist()
    crosses = [point["shape"] == "cross" for point in points]
    assert crosses == result.assignment.anomaly.tolist()


@pytest.mark.parametrize("whole", [False, True])
def test_bars_add_up_to_the_rows_and_curves_to_the_mixture(whole: bool) -> None:
    mixture = mixture_of(3, 2)
    rows = mixture.sample(2000, 1)[0] * 10
    mixture = mixture.affine(np.array([10.0, 10.0]))
    rows = np.rint(rows) if whole else rows
    chart = plot_marginals(mixture, rows, show=[1])
    data = held_by(chart)
    counts = sum(bar["y2"] - bar["y"] for bar in data["bars1"])
    outside = 0
    if "outside" in words(chart):
        outside = int(chart.to_dict(validate=False)["title"]["subtitle"][1].split()[0].replace(",", ""))
    assert counts + outside == pytest.approx(2000, abs=0.1)
    width = data["bars1"][0]["x2"] - data["bars1"][0]["x"]
    for k in range(4):
        curve = [point for point in data["curves1"] if point["segment"] == k]
        xs, ys = [point["x"] for point in curve], [point["y"] for point in curve]
        low, high = xs[0], xs[-1]
        marginal = mixture.marginal([1])
        fine = np.linspace(low, high, 20_001)[:, None]
        density = np.exp(marginal.log_density(fine))
        if k:
            density = density * marginal.responsibilities(fine)[:, k - 1]
        # The share within the frame, computed on a grid a hundred times as fine.
        expected = trapezoid(density, fine[:, 0])
        assert trapezoid(ys, xs) / (2000 * width) == pytest.approx(expected, abs=2e-3)
        assert expected > (0.95 if k == 0 else 0.2)


def test_curves_of_a_column_with_a_point_mass_are_of_the_others() -> None:
    """Their area is the number of customers who are at none, times the width of a bin."""
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=600)
    spent = np.where(rng.uniform(size=600) < np.array([0.7, 0.1])[group], 0.0, rng.normal(60.0, 6.0, 600))
    table = pl.DataFrame({"spent": spent.round(2), "age": rng.normal(np.array([30.0, 60.0])[group], 4.0)})
    result = segment_table(table, components=[2], covariance_types=["diag"])
    assert result.columns.kinds[0].kind == "spike"
    data = plot_marginals(result, show=["spent"]).to_dict()["datasets"]
    curve = [point for point in data["curves0"] if point["segment"] == 0]
    bars = data["bars0"]
    width = bars[0]["x2"] - bars[0]["x"]
    area = trapezoid([point["y"] for point in curve], [point["x"] for point in curve]) / width
    assert area == pytest.approx((spent != 0).sum(), rel=0.02)
    assert sum(bar["y2"] - bar["y"] for bar in bars) == pytest.approx(600)


def test_histograms_count_customers_by_weight() -> None:
    counts = np.random.default_rng(9).integers(1, 4, 300)
    frame = make_customers(as_frame="polars").with_columns(pl.Series("visits", counts))
    options = {"columns": ["income", "spending"], "components": [3]}
    weighted = segment_table(frame, weight="visits", **options)
    repeated = segment_table(frame[np.repeat(np.arange(300), counts)], **options)
    few, many = (held_by(plot_marginals(one, show=[0])) for one in (weighted, repeated))

    def heights(data: dict[str, list[dict[str, Any]]]) -> float:
        return sum(bar["y2"] - bar["y"] for bar in data["bars0"])

    assert heights(few) == pytest.approx(heights(many), abs=counts.sum() * 1e-3)
    # Bins are as many as customers allow; heights of curves are per width.
    tops = [
        max(point["y"] for point in data["curves0"]) / (data["bars0"][0]["x2"] - data["bars0"][0]["x"])
        for data in (few, many)
    ]
    assert tops[0] == pytest.approx(tops[1], rel=1e-3)
    assert "customers, by weight" in words(plot_marginals(weighted))
    assert "by weight" not in words(plot_marginals(repeated))
    told = plot_anomalies(weighted, most=1)
    densities = held_by(told)["densities"]
    assert sum(bar["count"] for bar in densities) == counts.sum()
    anomaly = weighted.assignment.anomaly
    assert sum(bar["count"] for bar in densities if bar["anomalous"]) == counts[anomaly].sum()
    share = counts[anomaly].sum() / counts.sum()
    said = f"{anomaly.sum()} of 300 customers are anomalies ({100 * share:.1f} % by weight)"
    assert said in words(told.vconcat[0])


def test_bars_of_a_far_tail_are_counted_outside() -> None:
    rows = np.r_[np.linspace(0, 1, 1000), 1e6][:, None]
    mixture = Mixture.from_parameters([1.0], [[0.5]], [0.1], "spherical")
    chart = plot_marginals(mixture, rows)
    assert "outside the frame" in words(chart)
    bars = held_by(chart)["bars0"]
    outside = int(chart.to_dict(validate=False)["title"]["subtitle"][1].split()[0])
    assert sum(bar["y2"] - bar["y"] for bar in bars) + outside == pytest.approx(1001)


def test_a_constant_column_has_a_histogram() -> None:
    mixture = Mixture.from_parameters([1.0], [[5.0]], [1.0], "spherical")
    bars = held_by(plot_marginals(mixture, np.full((9, 1), 5.0)))["bars0"]
    assert sum(bar["y2"] - bar["y"] for bar in bars) == 9


def test_levels_hold_the_shares_they_say() -> None:
    normal = Mixture.from_parameters([1.0], [[0.0, 0.0]], [1.0], "spherical")
    # Of a plane normal, exp(-r^2 / 2) of all lies beyond r: the log density there is log(1 - held) - log(2 pi).
    expected = np.log(1 - np.array(HELD)) - math.log(2 * math.pi)
    np.testing.assert_allclose(highest_density_levels(normal), expected, atol=0.15)
    mixture = mixture_of(3, 2)
    rows, _ = mixture.sample(50_000, 7)
    inside = (mixture.log_density(rows)[:, None] > highest_density_levels(mixture)).mean(axis=0)
    np.testing.assert_allclose(inside, HELD, atol=0.01)


def test_level_lines_lie_on_the_circle_they_are_of() -> None:
    x, y = np.linspace(-3, 3, 61), np.linspace(-2, 2, 47)
    surface = x[None, :] ** 2 + y[:, None] ** 2
    (line,) = level_lines(x, y, surface, 1.5**2)
    np.testing.assert_allclose(np.hypot(*line.T), 1.5, atol=2e-3)
    np.testing.assert_array_equal(line[0], line[-1])
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    assert length == pytest.approx(2 * math.pi * 1.5, rel=2e-3)
    assert len(level_lines(x, y, surface, -1.0)) == 0


def test_bands_cover_the_cells_of_their_class() -> None:
    classes = np.array([[0, 1, 1], [2, 2, 1]])
    found = bands(classes, np.arange(4.0), np.arange(3.0))
    assert [(b["x"], b["x2"], b["y"], b["class"]) for b in found] == [
        (1, 3, 0, 1), (0, 2, 1, 2), (2, 3, 1, 1),
    ]  # fmt: skip


def test_the_map_of_uncertainty_is_that_of_the_mixture() -> None:
    mixture = mixture_of(3, 2)
    rows, _ = mixture.sample(200, 3)
    data = held_by(plot_uncertainty(mixture, rows, pair=(0, 1)))
    shares = mixture.responsibilities(rows)
    inside = len(data["dots"])
    assert inside >= 190
    if inside == 200:
        np.testing.assert_allclose(
            [dot["uncertainty"] for dot in data["dots"]], 1 - shares.max(axis=1), atol=6e-4
        )
    for area in data["areas"][:: len(data["areas"]) // 40]:
        middle = np.array([[(area["x"] + area["x2"]) / 2, (area["y"] + area["y2"]) / 2]])
        assert mixture.predict(middle)[0] + 1 == area["segment"]


def test_profiles_are_means_and_differences(result) -> None:
    cells = held_by(plot_profiles(result))["cells"]
    frame = pl.DataFrame(result.rows, schema=list(result.model.columns), orient="row").with_columns(
        segment=pl.Series(result.assignment.labels + 1)
    )
    means = frame.group_by("segment").mean().sort("segment")
    names = means.columns[1:]
    order = [cell["column"] for cell in cells if cell["segment"] == 1]
    assert order == [1, 2, 3]
    found = {(cell["segment"], round(cell["mean"], 6)) for cell in cells}
    assert found == {(row[0], round(value, 6)) for row in means.rows() for value in row[1:]}
    everybody, spread = frame.select(names).mean().row(0), frame.select(pl.col(names).std(ddof=0)).row(0)
    wanted = sorted(
        (value - everybody[d]) / spread[d] for row in means.rows() for d, value in enumerate(row[1:])
    )
    np.testing.assert_allclose(sorted(cell["difference"] for cell in cells), wanted, atol=6e-5)


def test_an_empty_component_has_no_mean() -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [100.0]], [1.0, 1.0], "spherical")
    cells = held_by(plot_profiles(mixture, [[0.0], [1.0]]))["cells"]
    assert [cell["mean"] for cell in cells] == [0.5, None]
    assert cells[1]["text"] == "–"


def test_flows_are_as_wide_as_their_counts(tmp_path) -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 40, (4, 5))
    counts[1, 2] = 0
    data = held_by(plot_flow(counts, titles=("K-means", "mixture")))
    widths: dict[tuple[int, int], set[float]] = {}
    for point in data["flows"]:
        widths.setdefault((point["from"], point["segment"]), set()).add(round(point["y"] - point["y2"], 4))
    assert widths == {(i + 1, j + 1): {float(counts[i, j])} for i, j in np.argwhere(counts > 0).tolist()}
    sizes = {(group["side"], group["segment"]): group["y"] - group["y2"] for group in data["groups"]}
    for side, axis in (("left", 1), ("right", 0)):
        for k, size in enumerate(counts.sum(axis=axis)):
            assert sizes[side, k + 1] == pytest.approx(size)
    # On either side the bands of a group lie within it, one upon another.
    for side, x, key in (("left", min, "from"), ("right", max, "segment")):
        edge = x(point["x"] for point in data["flows"])
        for group in (group for group in data["groups"] if group["side"] == side):
            spans = sorted(
                (p["y2"], p["y"]) for p in data["flows"] if p["x"] == edge and p[key] == group["segment"]
            )
            assert spans[0][0] == pytest.approx(group["y2"], abs=1e-4)
            assert spans[-1][1] == pytest.approx(group["y"], abs=1e-4)
            assert all(a[1] == pytest.approx(b[0], abs=1e-4) for a, b in pairwise(spans))
    image = saved(plot_flow([[50, 0], [0, 50]]), tmp_path)
    # Half transparent blue on white, as an area and not as a line.
    assert (np.abs(image - [115, 177, 213]).max(axis=2) < 12).sum() > 50_000


def test_anomalies_are_counted_and_their_columns_named(result) -> None:
    chart = plot_anomalies(result, most=7)
    data = held_by(chart)
    assert sum(bar["count"] for bar in data["densities"]) == len(result.rows)
    flagged = sum(bar["count"] for bar in data["densities"] if bar["anomalous"])
    assert flagged == result.assignment.anomaly.sum()
    assert f"{flagged} of {len(result.rows)}" in words(chart.vconcat[0])
    shares: dict[int, float] = {}
    for cell in data["drivers"]:
        shares[cell["row"]] = shares.get(cell["row"], 0) + cell["share"]
    assert len(shares) == 7
    np.testing.assert_allclose(list(shares.values()), 1, atol=5e-4)
    axis = json.dumps(
        chart.to_dict(validate=False)["vconcat"][1]["layer"][0]["encoding"]["y"]["axis"]["labelExpr"]
    )
    assert all(f'\\"{result.assignment.customer(row)}\\"' in axis for row in result.anomalies[:7])


def test_the_column_that_is_odd_is_the_one_to_blame() -> None:
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0, 0.0]], [1.0], "spherical")
    rows = np.r_[mixture.sample(50, 0)[0], [[0.0, 30.0, 0.0]]]
    data = held_by(plot_anomalies(mixture, rows, threshold=-100.0, most=1))
    assert data["drivers"][0] == {"row": 1, "column": 1, "share": 1.0, "text": "30", "segment": 1}
    assert "lies further left" in words(plot_anomalies(mixture, rows).vconcat[0])


def test_traces_are_those_of_the_fit() -> None:
    model = GaussianMixture(3, n_init=5, random_state=0, init_params="random", tol=1e-6, max_iter=300)
    model.fit(make_customers())
    chart = plot_convergence(model)
    rows = held_by(chart)["iterations"]
    for start, trace in enumerate(model.result_.traces, 1):
        mine = [row for row in rows if row["start"] == start]
        objectives = np.array(trace.objectives)[[row["iteration"] - 1 for row in mine]]
        np.testing.assert_allclose([row["value"] for row in mine], objectives, atol=1e-4)
        assert {row["kept"] for row in mine} == {start - 1 == model.result_.best}
        assert mine[-1]["iteration"] == len(trace.events)
    assert f"{model.result_.best + 1} of 5" in words(chart)
    with pytest.raises(ParameterError, match="FitResult"):
        plot_convergence([1, 2])
    model = GaussianMixture(1, random_state=0).fit(make_customers())
    assert "One start" in words(plot_convergence(model.result_))


def test_long_traces_are_thinned_and_say_so() -> None:
    from dataclasses import replace

    from mixtura.fit import Event, Outcome, Trace

    fit = GaussianMixture(2, random_state=0).fit(make_customers()).result_
    trace = Trace(tuple(Event(i, -1 / i, 0.1) for i in range(1, 5001)), Outcome.CONVERGED)
    chart = plot_convergence(replace(fit, traces=(trace,) * 10, best=0))
    rows = held_by(chart)["iterations"]
    assert len(rows) <= 3000
    assert {row["iteration"] for row in rows} >= {1, 5000}
    assert "thinned" in words(chart)
    with pytest.raises(DataError, match="iteration"):
        plot_convergence(replace(fit, traces=(Trace(),), best=0))
    assert _ticks(1) == [1]
    assert _ticks(5) == [1, 2, 3, 4, 5]
    assert _ticks(120) == [1, 20, 40, 60, 80, 100, 120]


def test_confusion_holds_its_matrix() -> None:
    matrix = np.array([[90, 10, 0], [5, 80, 15], [0, 0, 7]])
    cells = held_by(plot_confusion(matrix, ["a", "b", "c"]))["pairs"]
    assert {(c["segment"], c["other"]): c["text"] for c in cells} == {
        (i + 1, j + 1): str(matrix[i, j]) for i in range(3) for j in range(3)
    }
    assert [c["text"] for c in held_by(plot_confusion([[0.9999, 0.0001], [0, 1]]))["pairs"]] == [
        "100.0 %", "<0.1 %", "0", "100.0 %",
    ]  # fmt: skip
    assert len(held_by(plot_confusion([[1.0]]))["pairs"]) == 1


@pytest.fixture(scope="module")
def million() -> tuple[Mixture, np.ndarray]:
    mixture = mixture_of(4, 3)
    return mixture, mixture.sample(1_000_000, 0)[0]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("plot", OF_ROWS)
def test_a_million_rows_make_a_small_chart_that_says_so(plot, million) -> None:
    chart = plot(*million)
    specification = json.dumps(chart.to_dict(validate=False))
    assert len(specification) < SPEC_BYTES
    assert "1,000,000" in specification
    assert max(map(len, held_by(chart).values())) <= 5000
    if plot in MAPS:
        assert "a random sample of 3,000 of 1,000,000 rows" in words(chart)
    if plot is plot_scatter:
        assert held_by(plot(*million)) == held_by(chart)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("n_segments", [1, 15])
@pytest.mark.parametrize("plot", OF_ROWS)
def test_any_number_of_segments_any_names(plot, n_segments, tmp_path) -> None:
    mixture = mixture_of(n_segments, 5)
    rows, _ = mixture.sample(300, 0)
    names = [HOSTILE[k % 5] + "!" * k for k in range(n_segments)]
    chart = plot(mixture, rows, columns=HOSTILE, names=names)
    if n_segments == 1:
        chart.to_dict()  # raises unless Vega-Lite's schema allows it
    specification = json.dumps(chart.to_dict(validate=False))
    assert len(specification) < SPEC_BYTES
    assert "</script" not in specification
    assert "<!--" not in specification
    assert "highlight" in specification
    image = saved(chart, tmp_path)
    paper = (image == 255).all(axis=2)
    assert 0.02 < (~paper).mean() < 0.98
    # The title, and nothing of it is cut off at the edge.
    assert (~paper)[:, :10].sum() == 0
    assert (~paper)[:, -10:].sum() == 0


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_charts_are_saved_in_every_format(result, theme, tmp_path) -> None:
    charts = [plot_segments(result), plot_flow([[3, 1], [0, 5]]), plot_confusion(np.eye(3))]
    background = tuple(int(code) for code in bytes.fromhex("FFFFFF" if theme == "light" else "1B1D21"))
    for number, chart in enumerate(charts):
        image = saved(chart, tmp_path, theme)
        assert tuple(image[0, 0]) == background
        assert np.unique(image.reshape(-1, 3) @ [65536, 256, 1]).size > 20
        for suffix in ("svg", "json"):
            save_chart(chart, tmp_path / f"{number}.{suffix}", theme=theme)
        svg = (tmp_path / f"{number}.svg").read_text(encoding="utf-8")
        assert svg.count("<path") > 10
        specification = json.loads((tmp_path / f"{number}.json").read_text(encoding="utf-8"))
        assert specification["config"]["background"].lower() in {"white", "#1b1d21"}
    save_chart(charts[2], tmp_path / "page.html", theme=theme)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert "vegaEmbed" in page
    with pytest.raises(OutputError):
        save_chart(charts[0], tmp_path / "0.svg")
    with pytest.raises(ParameterError, match=r"\.html"):
        save_chart(charts[0], tmp_path / "0.gif")
    with pytest.raises(ParameterError, match="`theme` must be 'light' or 'dark'; got 'blue'"):
        with_theme(charts[0], "blue")


def test_altairs_own_save_works(result, tmp_path) -> None:
    chart = plot_scatter(result)
    for suffix in ("html", "png"):
        chart.save(str(tmp_path / f"chart.{suffix}"))
        assert (tmp_path / f"chart.{suffix}").stat().st_size > 1000
    chart.save(str(tmp_path / "inline.html"), inline=True)
    assert "cdn" not in (tmp_path / "inline.html").read_text(encoding="utf-8").split("<body>")[1]


def test_a_highlighted_segment_stands_alone(result, tmp_path) -> None:
    chart = plot_scatter(result)
    specification = chart.to_dict(validate=False)
    assert specification["params"] == [{"name": "highlight", "value": None}]

    def colored(value: int | None) -> int:
        import vl_convert

        specification["params"][0]["value"] = value
        return near(pixels(vl_convert.vegalite_to_png(specification)), segment_colors(5)[1], 60)

    shown, hidden = colored(2), colored(1)
    assert hidden < 0.3 * shown
    assert shown <= colored(None) < 2 * shown


def test_themes_define_the_same_styles() -> None:
    light, dark = THEMES["light"], THEMES["dark"]
    assert light.keys() == dark.keys()
    assert light["style"].keys() == dark["style"].keys()
    assert light["range"].keys() == dark["range"].keys()


def seen_as(color: str, kind: str) -> np.ndarray:
    """CIELAB of a color as people with a color vision deficiency see it (Machado, Oliveira and Fernandes 2009)."""
    matrix = {
        "normal": np.eye(3),
        "protanopia": [
            [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
        ],
        "deuteranopia": [
            [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
        ],
    }[kind]  # fmt: skip
    coded = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.072175],
            [0.0193339, 0.119192, 0.9503041],
        ]
    )
    xyz = to_xyz @ np.clip(matrix @ linear, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", ["normal", "protanopia", "deuteranopia"])
def test_sixteen_colors_can_be_told_apart(kind) -> None:
    labs = np.array([seen_as(color, kind) for color in segment_colors(16)])
    distances = np.linalg.norm(labs[:, None] - labs[None], axis=2) + 1e3 * np.eye(16)
    # A just noticeable difference is about 2.3.
    assert distances.min() > 15


def test_text_is_shown_as_text() -> None:
    assert shown("a\nb\tc") == "a b c"
    assert shown("\u202eevil\u2066") == "evil"
    assert shown("x" * 60, 10) == "x" * 9 + "…"
    assert shown("a < b <c") == "a < b <\u2060c"
    assert shown("\ud800lone") == "lone"
    assert wrapped("", 10) == [""]
    assert wrapped("one two three four five six", 9) == ["one two", "three", "four…"]


def test_numbers_have_the_digits_a_picture_shows() -> None:
    assert compact(np.array([1.23456789, 2.0]), 1.0) == [1.23457, 2.0]
    assert compact(np.array([1e8 + 0.123456]), 1.0) == [100000000.12346]
    assert compact(np.array([123456.7]), 1e6) == [123460.0]
    assert compact(np.array([3.14159]), 0.0) == [3.14159]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pair": ("income", "nothing")}, "`pair` must be two different columns"),
        ({"pair": ("income", "income")}, "`pair` must be two different columns"),
        ({"pair": "other"}, "projection"),
    ],
)
def test_pairs_are_checked(result, given, message) -> None:
    with pytest.raises(ParameterError, match=message):
        plot_scatter(result, **given)


def test_what_cannot_be_drawn_is_told(result) -> None:
    mixture = mixture_of(2, 2)
    with pytest.raises(ParameterError, match="`rows` must be the rows to draw; got None"):
        plot_scatter(mixture)
    with pytest.raises(ParameterError, match="'list'"):
        plot_scatter([1], [[0.0]])
    with pytest.raises(DataError, match=r"\(1, 3\)"):
        plot_scatter(mixture, [[0.0, 1, 2]])
    with pytest.raises(DataError, match="finite"):
        plot_scatter(mixture, [[0.0, np.inf]])
    with pytest.raises(ParameterError, match="`columns` must be 2 names, one each"):
        plot_scatter(mixture, [[0.0, 1]], columns=["one"])
    with pytest.raises(ParameterError, match="`names` must be"):
        plot_scatter(mixture, [[0.0, 1]], names=["one"])
    with pytest.raises(ParameterError, match="plot_marginals"):
        plot_scatter(mixture.marginal([0]), [[0.0]])
    with pytest.raises(ParameterError, match="`show` must be some of the columns"):
        plot_marginals(result, show=["nothing"])
    with pytest.raises(ParameterError, match="percentile"):
        plot_anomalies(result, percentile=101)
    with pytest.raises(ParameterError, match="square"):
        plot_confusion([[1.0, 2.0]])
    with pytest.raises(ParameterError, match="negative"):
        plot_confusion([[-1.0]])
    with pytest.raises(ParameterError, match="`names` must be"):
        plot_confusion([[1.0]], ["a", "b"])
    with pytest.raises(ParameterError, match="`counts` must have a positive number"):
        plot_flow([[0, 0]])


def test_many_columns_are_cut_and_said() -> None:
    mixture = mixture_of(2, 70)
    rows, _ = mixture.sample(100, 0)
    profiles, anomalies = plot_profiles(mixture, rows), plot_anomalies(mixture, rows)
    assert {cell["column"] for cell in held_by(profiles)["cells"]} == set(range(1, 61))
    assert "10 are not shown" in words(profiles)
    assert "58 are not shown" in words(anomalies.vconcat[1])
    assert len(plot_marginals(mixture, rows).to_dict(validate=False)["concat"]) == 12
    assert held_by(plot_scatter(mixture, rows, pair="projection"))["points"]


def test_a_table_gives_its_names_to_the_axes() -> None:
    frame = make_customers(as_frame="pandas")
    model = GaussianMixture(3, random_state=0).fit(frame)
    encoding = plot_scatter(model, frame).to_dict(validate=False)["layer"][0]["encoding"]
    assert {encoding[axis]["title"] for axis in "xy"} == set(frame.columns)
    first = plot_scatter(model, frame.to_numpy()).to_dict(validate=False)["layer"][0]["encoding"]
    assert {first[axis]["title"] for axis in "xy"} == {"column 1", "column 2"}


def test_a_transformed_column_is_found_by_its_own_name() -> None:
    frame = pl.DataFrame({"spent": np.exp(make_customers()[:, 0] / 20), "age": make_customers()[:, 1]})
    result = segment_table(frame, components=[2], covariance_types=["full"], transform={"spent": "log1p"})
    charts = [
        plot_scatter(result, pair=pair).to_dict()
        for pair in (("age", "spent"), ("age", "log1p of spent"), (1, 0))
    ]
    assert charts[0]["layer"][0]["encoding"]["y"]["title"] == "spent (log1p scale)"
    assert charts[0]["datasets"] == charts[1]["datasets"] == charts[2]["datasets"]
    with pytest.raises(ParameterError, match="two different columns"):
        plot_scatter(result, pair=("age", "income"))


def test_the_axis_of_a_fit_that_is_done_at_once_shows_no_rounding() -> None:
    rows = np.r_[np.full((50, 1), -1.0), np.full((50, 1), 1.0)] + np.random.default_rng(0).normal(
        0, 0.01, (100, 1)
    )
    model = GaussianMixture(2, random_state=0).fit(rows)
    y = plot_convergence(model).to_dict()["layer"][0]["encoding"]["y"]
    low, high = y["scale"]["domain"]
    assert high - low >= 1e-6 * abs(high)
    assert low < model.lower_bound_ < high


def test_titles_of_panels_are_no_wider_than_panels() -> None:
    names = ["a name that goes on and on, far beyond a panel of a third of the page", "age"]
    chart = plot_marginals(mixture_of(2, 2), np.zeros((3, 2)), columns=names).to_dict()
    titles = [panel["layer"][0]["encoding"]["x"]["title"] for panel in chart["concat"]]
    assert titles[1] == "age"
    assert 20 < len(titles[0]) <= 37


def test_points_that_lack_a_coordinate_are_not_drawn() -> None:
    mixture = mixture_of(2, 3)
    rows = mixture.sample(60, random_state=0)[0]
    rows[:20, 0], rows[10:30, 2] = np.nan, np.nan
    points = plot_scatter(mixture, rows, pair=["column 1", "column 2"]).to_dict()["datasets"]
    drawn = max(points.values(), key=len)
    assert len(drawn) >= 40
    chart = plot_marginals(mixture, rows).to_dict()
    heights = {
        name: sum(bar["y2"] - bar["y"] for bar in held)
        for name, held in chart["datasets"].items()
        if "bars" in name
    }
    assert sorted(round(height) for height in heights.values()) == [40, 40, 60]
