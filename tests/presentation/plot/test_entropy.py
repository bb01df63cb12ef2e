"""The entropy plot: its points, lines and rings are those of the merging, and it is not blank."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mixtura.exceptions import OptionalDependencyError
from mixtura.plot import draw_entropy, plot_entropy
from mixtura.select import Merging, merge_components
from pictures import near, pixels


def merging(n_components: int = 6) -> Merging:
    return merge_components(np.random.default_rng(1).dirichlet(np.full(n_components, 0.3), size=80))


def test_points_and_rings_are_those_of_the_merging() -> None:
    merged = merging()
    data = plot_entropy(merged).to_dict()["datasets"]
    for by in ("weight", "clusters"):
        points = data[f"{by}-points"]
        assert [point["count"] for point in points] == [1, 2, 3, 4, 5, 6]
        assert [point["x"] for point in points] == merged.positions(by).tolist()
        assert [point["y"] for point in points] == merged.entropies.tolist()
        assert [ring["count"] for ring in data[f"{by}-elbow"]] == [merged.elbow(by)]


def test_the_lines_are_the_least_squares_lines_on_both_sides_of_the_elbow() -> None:
    merged = merging()
    lines = plot_entropy(merged).to_dict()["datasets"]["clusters-lines"]
    elbow, x = merged.elbow("clusters"), merged.positions("clusters")
    for name, part in (("left", slice(0, elbow)), ("right", slice(elbow - 1, None))):
        slope, intercept = np.polyfit(x[part], merged.entropies[part], 1)
        ends = [point for point in lines if point["line"] == name]
        assert [end["x"] for end in ends] == [x[part][0], x[part][-1]]
        assert [end["y"] for end in ends] == pytest.approx([slope * end["x"] + intercept for end in ends])


def test_the_title_names_the_elbow_or_both() -> None:
    titles = set()
    for n_components in (3, 6, 7, 8):
        merged = merging(n_components)
        by_weight, by_clusters = merged.elbow(), merged.elbow("clusters")
        title = plot_entropy(merged).to_dict()["title"]["text"]
        both = f"Entropy bends at {by_weight} clusters by rows merged, at {by_clusters} by their number"
        assert title == (f"Entropy bends at {by_weight} clusters" if by_weight == by_clusters else both)
        titles.add(by_weight == by_clusters)
    assert titles == {True, False}


def test_two_components_have_no_elbow_and_no_lines() -> None:
    chart = plot_entropy(merging(2)).to_dict()
    assert chart["title"]["text"] == "2 components are too few for a bend"
    assert chart["datasets"]["clusters-elbow"] == chart["datasets"]["clusters-lines"] == []


def test_the_picture_shows_points_and_lines() -> None:
    image = pixels(draw_entropy(merging()))
    assert near(image, "#0072B2") > 500
    assert near(image, "#D55E00") > 300


@pytest.mark.parametrize(("draw", "module"), [(plot_entropy, "altair"), (draw_entropy, "vl_convert")])
def test_without_a_library_it_says_what_to_install(
    draw, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(OptionalDependencyError, match="draw pictures"):
        draw(merging())
