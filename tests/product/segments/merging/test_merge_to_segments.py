"""Components that overlap so much that they are one group become one segment."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura import Mixture, Segmentation
from mixtura.datasets import make_customers
from mixtura.exceptions import ModelFileError, ParameterError
from mixtura.plot.data.scores import scores_of_document, scores_of_result
from mixtura.report import REPORT
from mixtura.segments import SegmentationResult, SegmentModel, assign_table, segment_table
from mixtura.segments.change import drift_of_table
from mixtura.segments.merging.segment_merging import merging_of
from mixtura.segments.typing.typing_tool import make_typing_tool
from mixtura.segments.updating.update_model import update_model
from mixtura.select import merge_components

TRUE = np.array([[0.9, 0.85, 0.9, 0.8], [0.75, 0.9, 0.8, 0.9], [0.1, 0.1, 0.2, 0.1]])


def crescent(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    angle = rng.uniform(0.1, np.pi - 0.1, n_rows)
    return np.column_stack([8 * np.cos(angle), 8 * np.sin(angle)]) + rng.normal(size=(n_rows, 2)) * 0.8


@functools.cache
def bent() -> tuple[pl.DataFrame, np.ndarray]:
    """A crescent beside two round groups, and who is where."""
    rng = np.random.default_rng(0)
    others = [rng.normal(size=(200, 2)) + center for center in ([-14, -14], [14, -14])]
    return pl.DataFrame(np.vstack([crescent(rng, 400), *others]), schema=["a", "b"]), np.repeat(
        [0, 0, 1, 2], 200
    )


@functools.cache
def merged(asked: str | int | None = "auto") -> SegmentationResult:
    return segment_table(bent()[0], covariance_types=["full"], components=[5], merge=asked)


def test_a_bent_group_of_several_components_is_one_segment() -> None:
    result, groups = merged(), bent()[1]
    assert result.model.groups == ((0, 1, 2), (3,), (4,))
    assert [one.count for one in result.segments] == [400, 200, 200]
    assert [np.unique(result.assignment.labels[groups == group]).size for group in range(3)] == [1, 1, 1]
    assert "merged to 3 segments" in " ".join(result.notes)


@pytest.mark.parametrize("spread", [2.5, 5.0])
def test_groups_around_the_same_center_are_one_segment(spread: float) -> None:
    """A dense core within a wide shell has one peak: two components, no valley."""
    rng = np.random.default_rng(1)
    nested = [rng.normal(size=(400, 2)), rng.normal(size=(400, 2)) * spread]
    apart = rng.normal(size=(300, 2)) + np.array([9 * spread, 0.0])
    frame = pl.DataFrame(np.vstack([*nested, apart]), schema=["a", "b"])
    result = segment_table(frame, covariance_types=["diag"], components=[3], merge="auto")
    assert sorted(one.count for one in result.segments) == [300, 800]


def test_a_component_of_few_rows_is_merged_with_the_group_that_it_lies_in() -> None:
    """Its entropy is small, as it is, and is compared with the most that a part of its size has."""
    merge = merge_components(np.tile([0.004, 0.996], (500, 1)))
    assert merge.merges[0].largest_drop == pytest.approx(
        -500 * (0.004 * np.log(0.004) + 0.996 * np.log(0.996)), rel=1e-12
    )
    assert merge.merges[0].drop == pytest.approx(merge.merges[0].largest_drop, rel=1e-12)
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(600, 2)) + np.repeat([[0.0, 0.0], [12.0, 0.0]], 300, axis=0)
    weights, means = np.array([0.497, 0.003, 0.5]), np.array([[0.0, 0.0], [0.3, 0.0], [12.0, 0.0]])
    mixture = Mixture.from_parameters(weights, means, np.ones(3), "spherical")
    found = merging_of(mixture, mixture.responsibilities(rows), None, 0)
    assert found.groups("auto") == ((0, 1), (2,))
    assert found.steps[0].overlap == pytest.approx(1.0, abs=0.05)


def of_components(weights: list[float], places: list[float]) -> tuple[Mixture, np.ndarray]:
    """Components of unit variance along a line, and 4,000 rows of them."""
    mixture = Mixture.from_parameters(weights, [[x] for x in places], np.ones(len(places)), "spherical")
    rng = np.random.default_rng(6)
    labels = rng.choice(len(places), p=weights, size=4000)
    return mixture, mixture.responsibilities(rng.normal(size=(4000, 1)) + np.array(places)[labels, None])


def test_a_pair_that_is_not_one_group_does_not_end_the_merging_of_others() -> None:
    """Of two large groups with a valley between them the entropy falls most; two halves of a small one come later."""
    mixture, memberships = of_components([0.48, 0.48, 0.02, 0.02], [0.0, 4.0, 40.0, 41.5])
    assert merge_components(memberships).merges[0].right == (1,)
    found = merging_of(mixture, memberships, None, 0)
    assert found.groups("auto") == ((0,), (1,), (2, 3))
    assert found.groups(3) == ((0,), (1,), (2, 3))
    assert [found.is_one_group(one) for one in found.steps] == [True, False, False]


def test_a_component_that_nobody_is_in_is_merged_first_whatever_the_number() -> None:
    """The entropy alone puts the two that overlap together, and leaves a segment without customers."""
    mixture, memberships = of_components([0.39, 0.01, 0.3, 0.3], [0.0, 0.2, 40.0, 41.0])
    assert merge_components(memberships).groups(3) == ((0,), (1,), (2, 3))
    found = merging_of(mixture, memberships, None, 0)
    assert found.groups(3) == ((0, 1), (2,), (3,))
    assert found.groups(2) == ((0, 1), (2, 3))


def test_a_number_that_leaves_a_segment_without_customers_gives_fewer() -> None:
    """A third of every row in each: whichever two are put together have all rows."""
    mixture = Mixture.from_parameters(np.full(3, 1 / 3), [[0.0], [0.0], [0.0]], np.ones(3), "spherical")
    found = merging_of(mixture, np.full((50, 3), 1 / 3), None, 0)
    assert found.groups(2) == ()


@pytest.mark.parametrize(("small", "groups"), [(0.2, ((0, 1), (2,))), (0.06, ((0, 1), (2,))), (0.04, ())])
def test_nearly_all_customers_are_not_one_segment(small: float, groups: Any) -> None:
    """Two halves of one group and a few far away: with 96 % in it the group would say nothing."""
    half = (1.0 - small) / 2
    mixture, memberships = of_components([half, half, small], [0.0, 1.5, 12.0])
    found = merging_of(mixture, memberships, None, 0)
    assert found.suggested == 2
    assert found.groups("auto") == groups
    assert found.groups(2) == ((0, 1), (2,))
    assert (found.offered is None) == (groups == ())


def test_separate_groups_stay() -> None:
    rng = np.random.default_rng(2)
    rows = np.vstack([rng.normal(size=(150, 2)) + center for center in ([0, 0], [5, 0], [0, 5])])
    result = segment_table(pl.DataFrame(rows, schema=["a", "b"]), components=[3], merge="auto")
    assert result.model.groups == ()
    assert "none were merged" in " ".join(result.notes)


def test_a_single_group_is_not_one_segment() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"a": rng.lognormal(0, 0.8, 500), "b": rng.lognormal(0, 0.8, 500)})
    result = segment_table(frame, components=[2], covariance_types=["full"], merge="auto")
    assert result.model.groups == ()
    assert "a single segment would say nothing" in " ".join(result.notes)


def test_what_is_not_asked_for_is_offered_with_the_option() -> None:
    offered = [note for note in merged(None).notes if "merge='auto'" in note]
    assert len(offered) == 1
    assert offered[0].startswith("Segments 3, 4 and 5 overlap")


@pytest.mark.slow
def test_two_groups_with_a_valley_between_them_are_not_offered_as_one() -> None:
    """The example customers are drawn from three components, of which two overlap."""
    result = segment_table(make_customers(as_frame="polars"))
    assert (len(result.segments), result.document.merging.suggested) == (3, 2)  # type: ignore[union-attr]
    assert "merge" not in " ".join(result.notes)
    assert "Components that overlap" not in REPORT.page(result)
    assert "Components that overlap" in REPORT.page(merged(None))


def test_probabilities_are_the_sums_of_those_of_components_and_the_density_stays() -> None:
    """Baudry et al. 2010: t_n,J = sum_k t_nk over the components k of cluster J."""
    plain, result = merged(None), merged()
    alone = result.model.mixture.responsibilities(result.model.scaling.apply(result.rows))
    expected = np.stack([alone[:, list(group)].sum(axis=1) for group in result.model.groups], axis=1)
    np.testing.assert_allclose(result.assignment.memberships, expected, atol=1e-12)
    np.testing.assert_allclose(result.assignment.log_density, plain.assignment.log_density, rtol=1e-12)
    assert result.anomalies == plain.anomalies
    assert result.best.bic == plain.best.bic


def test_the_number_that_is_asked_for_is_that_of_the_entropy() -> None:
    result = merged(4)
    single = merged(None)
    labels = merge_components(single.assignment.memberships).labels(4)
    pairs = {(int(one), int(other)) for one, other in zip(labels, result.assignment.labels, strict=True)}
    assert len(pairs) == 4 == result.model.n_segments


def test_moments_of_a_segment_are_those_of_its_rows() -> None:
    """By the law of total covariance; at the optimum of EM they are those of the rows, weighted by memberships."""
    model, rows = merged().model, merged().rows
    scaled = model.scaling.apply(rows)
    shares = model.memberships(rows)
    for k, weights in enumerate(shares.T):
        mean = np.average(scaled, axis=0, weights=weights)
        covariance = np.cov(scaled.T, aweights=weights, bias=True)
        np.testing.assert_allclose(model.segment_mixture.means[k], mean, atol=2e-3)
        np.testing.assert_allclose(model.segment_mixture.full_covariances()[k], covariance, atol=2e-3)


def test_a_model_file_knows_its_segments(tmp_path: Path) -> None:
    model = merged().model
    model.save(tmp_path / "model.json")
    again = SegmentModel.load(tmp_path / "model.json")
    assert again.groups == model.groups
    found = assign_table(again, bent()[0])
    np.testing.assert_array_equal(found.labels, merged().assignment.labels)
    np.testing.assert_allclose(found.memberships, merged().assignment.memberships, atol=1e-12)


def test_a_model_file_with_a_component_in_two_segments_is_refused(tmp_path: Path) -> None:
    text = merged().model.to_json()
    from mixtura.io import dump_document, read_document

    merged().model.save(tmp_path / "model.json")
    content = read_document(tmp_path / "model.json").model_dump()
    without = {"format", "format_version", "checksum"}
    kept = {key: value for key, value in content.items() if key not in without and value is not None}
    with pytest.raises((ModelFileError, ValueError), match="each of 5 components in one segment"):
        dump_document(kept | {"groups": [[0, 1, 2], [2, 3], [4]]})
    assert '"groups"' in text


def test_missing_values_and_noise_go_with_merging() -> None:
    frame, groups = bent()
    rng = np.random.default_rng(4)
    values = frame.to_numpy().copy()
    values[rng.uniform(size=len(values)) < 0.1, 0] = np.nan
    far = rng.uniform(-60, 60, size=(25, 2))
    table = pl.DataFrame(np.vstack([values, far]), schema=["a", "b"])
    result = segment_table(
        table, components=[5], covariance_types=["full"], robust="noise", merge=3, n_init=3
    )
    labels = result.assignment.labels[: len(groups)]
    kept = labels >= 0
    assert kept.mean() > 0.97
    assert result.assignment.n_outliers >= 15
    agreement = np.array([[np.sum((groups == g) & (labels == k)) for k in range(3)] for g in range(3)])
    assert agreement.max(axis=1).sum() / kept.sum() > 0.93
    sums = result.assignment.memberships[result.assignment.complete].sum(axis=1)
    assert sums.max() <= 1 + 1e-12


def test_latent_classes_are_merged() -> None:
    """Two classes that hardly differ beside one that does: the two become one segment."""
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1, 2], 300)
    yes = rng.uniform(size=(900, 4)) < TRUE[group]
    frame = pl.DataFrame({f"q{j}": np.where(yes[:, j], "yes", "no") for j in range(4)})
    result = segment_table(frame, components=[3], merge=2)
    assert result.model.n_segments == 2
    # The rule of the true probabilities, by hand: the two classes that hardly differ against the third.
    each = np.array([np.where(yes, row, 1 - row).prod(axis=1) for row in TRUE])
    np.testing.assert_array_equal(np.bincount(result.assignment.labels).size, 2)
    agreement = np.mean((result.assignment.labels == 1) == (each[2] > each[0] + each[1]))
    assert agreement > 0.95
    assert result.residuals == ()
    assert result.document.merging is not None
    assert [one.valley for one in result.document.merging.steps] == [None, None]
    page = REPORT.page(result)
    assert "Components that overlap" in page
    assert "valley" not in page
    assert "Density between" not in page
    assert "diag" not in page.partition("How the number of segments was chosen</h2>")[2].partition("</p>")[0]
    assert "3 components of categories (latent classes)" in page
    assert "Every column, segment by segment" not in page
    assert "Drivers" not in page


def test_notes_on_categories_alone_do_not_speak_of_valleys() -> None:
    """Nearly the same probabilities in two classes, so that all three, or these two, are one group."""
    rng = np.random.default_rng(5)
    yes = (
        rng.uniform(size=(600, 4))
        < np.array([[0.8, 0.8, 0.7, 0.7], [0.3, 0.3, 0.4, 0.3]])[np.repeat([0, 1], 300)]
    )
    frame = pl.DataFrame({f"q{j}": np.where(yes[:, j], "yes", "no") for j in range(4)})
    result = segment_table(frame, components=[2], merge="auto")
    assert any(
        note.startswith("All components overlap: they are parts of one group.") for note in result.notes
    )


def test_degrees_of_freedom_are_those_of_the_components_of_a_segment() -> None:
    result = segment_table(bent()[0], covariance_types=["full"], components=[5], merge=3, robust="t")
    tails = result.model.mixture.tails
    assert tails is not None
    texts = [f"{one:.3g}" for one in tails.freedom]
    assert result.model.groups == ((0, 1, 2), (3,), (4,))
    expected = f"{texts[0]} and {texts[1]} and {texts[2]} (segment 1), {texts[3]} (segment 2), {texts[4]} (segment 3)"
    assert any(note.startswith("Components have heavier tails") and expected in note for note in result.notes)


def test_stability_merges_each_resample() -> None:
    stability = Segmentation(merged().model, merged(), bent()[0]).stability(10)
    assert [one.n_segments for one in stability.numbers] == [3]
    assert min(one.jaccard for one in stability.segments) > 0.95
    assert stability.flows == ()


def test_the_document_says_what_was_merged() -> None:
    part = merged().document.merging
    assert part is not None
    assert (part.asked, part.components, part.segments) == ("auto", 5, [[1, 2, 3], [4], [5]])
    assert [one.one_group for one in part.steps] == [True, True, False, False]
    assert merged().document.verdict.segments == 3
    assert merged().document.choice.n_components == 5


def test_what_was_tried_are_numbers_of_components() -> None:
    assert scores_of_document(merged().document).counted == scores_of_result(merged()).counted == "components"
    assert (
        scores_of_document(merged(None).document).counted
        == scores_of_result(merged(None)).counted
        == "segments"
    )
    assert "Only one model was tried: 5 components with full" in REPORT.page(merged())


@pytest.mark.parametrize(("asked", "word"), [("auto", "components"), (None, "segments")])
def test_notes_call_what_was_tried_by_its_name(asked: str | None, word: str) -> None:
    result = segment_table(bent()[0], covariance_types=["full"], components=[4, 5], merge=asked)
    assert result.best.n_components == 5
    assert any(
        f"The best number of {word} is the largest that was tried (5)" in note for note in result.notes
    )


def test_a_single_component_has_nothing_to_merge() -> None:
    for asked in ("auto", 3):
        result = segment_table(bent()[0], covariance_types=["full"], components=[1], merge=asked)
        assert "The model has a single component: there is nothing to merge." in result.notes


def test_an_audience_reaches_a_merged_segment() -> None:
    segmentation = Segmentation(merged().model, merged(), bent()[0])
    assert segmentation.audience(1, min_probability=0.5).shape[0] == 400


@pytest.mark.parametrize(
    "use",
    [
        lambda model: drift_of_table(model, bent()[0]),
        lambda model: update_model(model, bent()[0]),
        lambda model: make_typing_tool(model, bent()[0]),
        lambda model: segment_table(bent()[0], keep=model),
    ],
)
def test_what_needs_single_components_refuses(use: Any) -> None:
    with pytest.raises(ParameterError, match="needs segments of one component each"):
        use(merged().model)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("both", "must be 'auto' or a number"),
        (1, "at least 2"),
        (2.5, "whole number"),
    ],
)
def test_bad_numbers_are_refused(asked: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        segment_table(bent()[0], merge=asked)


def test_known_segments_are_not_merged() -> None:
    with pytest.raises(ParameterError, match="`merge` cannot be given with `known`"):
        segment_table(bent()[0], merge="auto", known="a")
