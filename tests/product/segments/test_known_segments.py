"""Segmenting a table of which the segment of some customers is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fitted
from mixtura import Segmentation
from mixtura.exceptions import ColumnError, ParameterError
from mixtura.segments import Effort, SegmentationResult, segment_table

pytestmark = pytest.mark.filterwarnings("ignore::mixtura.exceptions.ColumnWarning")

KNOWN = 12


def customers(**columns: Any) -> tuple[pl.DataFrame, Any]:
    """Return three groups, of which `tier` names two, of twelve customers each; and the group of each customer."""
    rng = np.random.default_rng(5)
    groups = np.arange(300) % 3
    centers = np.array([[40.0, 90.0], [50.0, 65.0], [70.0, 30.0]])
    rows = centers[groups] + rng.standard_normal((300, 2)) * [5.0, 6.0]
    table = pl.DataFrame({"income": rows[:, 0], "spending": rows[:, 1]})
    tier = [None] * len(rows)
    for k, name in enumerate(("silver", "gold")):
        for row in np.flatnonzero(groups == k)[:KNOWN].tolist():
            tier[row] = name
    return table.with_columns(tier=pl.Series(tier, dtype=pl.String), **columns), groups


def segmented() -> SegmentationResult:
    table, _ = customers()
    return segment_table(table, known="tier", components=[2, 3, 4])


@pytest.fixture
def result() -> SegmentationResult:
    return fitted.remembered("known tiers", customers()[0], make=segmented)


def test_segments_are_called_what_the_column_calls_them(result: SegmentationResult) -> None:
    table, groups = customers()
    assert result.model.n_segments == 3
    assert {"gold", "silver"} < set(result.model.names)
    numbers = [result.model.names.index(name) for name in ("silver", "gold")]
    found = result.assignment.labels
    for k, number in enumerate(numbers):
        assert (found[groups == k] == number).mean() > 0.9
        known = (table["tier"] == ("silver", "gold")[k]).fill_null(value=False).to_numpy()
        assert (found[known] == number).all()
        assert (result.assignment.memberships[known, number] == 1.0).all()


def test_what_became_of_known_and_other_customers(result: SegmentationResult) -> None:
    found = result.known
    assert found is not None
    assert found.column == "tier"
    assert (found.n_known, found.n_free) == (2 * KNOWN, 300 - 2 * KNOWN)
    for one in found.segments:
        labels = result.assignment.labels == one.segment
        assert one.is_known == (result.model.names[one.segment] in ("gold", "silver"))
        assert one.known == (found.labels == one.segment).sum() == KNOWN * one.is_known
        assert one.known + one.free == labels.sum()


def test_the_model_is_that_of_later_customers(result: SegmentationResult, tmp_path: Path) -> None:
    table, _ = customers()
    assert result.model.mixture.levels is None
    result.model.save(tmp_path / "model.json")
    again = Segmentation.load(tmp_path / "model.json").assign(table.drop("tier"))
    agree = again["segment"].to_numpy() == result.assignment.labels + 1
    assert agree.mean() > 0.97


def test_a_wrong_label_is_listed_first_and_kept() -> None:
    table, groups = customers()
    wrong = int(np.flatnonzero(groups == 2)[40])
    tier = table["tier"].to_list()
    tier[wrong] = "gold"
    result = segment_table(table.with_columns(tier=pl.Series(tier)), known="tier", components=[3])
    assert result.known is not None
    first = result.known.contradictions[0]
    assert (first.row, first.customer) == (wrong, str(wrong + 1))
    assert result.model.names[first.known] == "gold"
    assert result.assignment.labels[wrong] == first.known != first.probable
    assert first.membership < 0.05
    assert result.outline.known is not None
    assert result.outline.known.contradictions[0].known == first.known + 1


def test_labels_pull_their_segment_to_where_they_are() -> None:
    table, _ = customers()
    free = segment_table(table.drop("tier"), components=[3], covariance_types=["full"])
    every = segment_table(table, known="tier", components=[3], covariance_types=["full"])
    assert every.best.log_likelihood <= free.best.log_likelihood


def test_numbers_counts_and_weights_go_with_it() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=400)
    tier = np.where(rng.uniform(size=400) < 0.15, group + 1.0, np.nan)
    table = pl.DataFrame(
        {
            "age": rng.normal(40 + 6 * group, 8),
            "visits": rng.poisson(1 + 3 * group),
            "region": np.where(rng.uniform(size=400) < 0.25 + 0.5 * group, "north", "south"),
            "tier": tier,
            "counts": np.where(np.arange(400) % 9 == 0, 0.0, 1.0 + np.arange(400) % 2),
        }
    )
    table = table.with_columns(age=pl.when(pl.int_range(400) % 11 > 0).then("age"))
    options = {"components": [2, 3], "covariance_types": ["diag"]}
    result = segment_table(table, known="tier", weight="counts", **options).with_effort(Effort(resamples=3))
    assert {"1", "2"} <= set(result.model.names)
    assert result.model.coding is not None
    assert result.model.mixture.levels is not None
    assert result.model.mixture.levels.columns.n_columns == len(result.model.coding.columns)
    assert result.known is not None
    assert result.known.n_known == int(((table["counts"] > 0) & table["tier"].is_not_nan()).sum())
    assert result.stability is not None
    assert all(one.residual >= 0 for one in result.residuals)


@pytest.mark.parametrize("robust", ["noise", "t"])
def test_known_customers_are_no_outliers(robust: str) -> None:
    table, _ = customers()
    row = int(np.flatnonzero(table["tier"] == "gold")[0])
    table = table.with_columns(income=pl.when(pl.int_range(300) == row).then(400.0).otherwise("income"))
    result = segment_table(table, known="tier", components=[3], covariance_types=["diag"], robust=robust)
    assert result.model.names[result.assignment.labels[row]] == "gold"


def test_columns_can_be_selected_beside_known_segments() -> None:
    table, _ = customers(noise=pl.Series(np.random.default_rng(1).standard_normal(300)))
    result = segment_table(table, known="tier", components=[3], select_columns=True)
    assert result.columns.used == ("income", "spending")
    assert "gold" in result.model.names


def test_all_known_is_a_description() -> None:
    table, groups = customers()
    result = segment_table(table.with_columns(tier=pl.Series([f"g{k}" for k in groups])), known="tier")
    assert result.model.n_segments == 3
    assert [result.model.names[k] for k in result.assignment.labels] == [f"g{k}" for k in groups]
    assert any("discriminant analysis" in note for note in result.notes)


def test_few_labels_are_noted_and_resamples_may_miss_them() -> None:
    table, _ = customers()
    tier = [None] * 300
    tier[0], tier[1] = "a", "b"
    result = segment_table(table.with_columns(tier=pl.Series(tier)), known="tier", components=[3])
    assert any("a (1), b (1)" in note for note in result.notes)
    assert result.with_effort(Effort(resamples=5)).stability is not None


@pytest.mark.parametrize("word", ["NA", "NaN", "n/a", "-1"])
def test_words_for_missing_values_are_no_segments(result: SegmentationResult, word: str) -> None:
    table, _ = customers()
    found = segment_table(table.with_columns(pl.col("tier").fill_null(word)), known="tier", components=[3])
    assert found.model.names == result.model.names
    np.testing.assert_array_equal(found.known.labels, result.known.labels)
    assert any(f"not known: '{word}' ({300 - 2 * KNOWN})." in note for note in found.notes)


def numbered(first: int, free: int | None, n_named: int = 3) -> pl.DataFrame:
    """Return the customers with numbers in place of tiers, the twelve of each group from one on."""
    table, groups = customers()
    seen = np.zeros(3, dtype=int)
    tier = []
    for group in groups.tolist():
        seen[group] += 1
        tier.append(group + first if seen[group] <= KNOWN and group < n_named else free)
    return table.with_columns(tier=pl.Series(tier, dtype=pl.Int64))


@pytest.mark.parametrize("free", [None, -1])
def test_labels_that_are_numbers_of_segments_number_them(free: int | None) -> None:
    # Group 1 is made the largest, so that sizes would number them otherwise.
    table = numbered(1, free)
    table = pl.concat([table, table.filter(pl.Series(np.arange(300) % 3 == 1)).with_columns(tier=None)])
    found = segment_table(table, known="tier", components=[3])
    assert found.model.names == ("1", "2", "3")
    assert found.known is not None
    assert found.known.segments[1].free > found.known.segments[0].free
    known = found.known.labels >= 0
    np.testing.assert_array_equal(found.known.labels[known] + 1, table["tier"].to_numpy()[known])
    assert not any("numbered by size" in note for note in found.notes)


def test_a_number_may_be_left_for_segments_that_are_found() -> None:
    found = segment_table(numbered(1, None, n_named=2), known="tier", components=[3])
    assert found.model.names[:2] == ("1", "2")
    assert found.known is not None
    assert [one.is_known for one in found.known.segments] == [True, True, False]


def test_labels_that_are_other_numbers_are_noted() -> None:
    found = segment_table(numbered(0, None), known="tier", components=[3])
    (said,) = (note for note in found.notes if "numbered by size" in note)
    for name in "012":
        assert f"{name} is segment {found.model.names.index(name) + 1}" in said


def test_a_label_whose_rows_are_left_out_is_noted() -> None:
    table, _ = customers()
    table = table.with_columns(
        income=pl.when(pl.col("tier").eq_missing("gold")).then(None).otherwise("income")
    )
    found = segment_table(table, known="tier", components=[3], drop_missing=True)
    assert "gold" not in found.model.names
    assert any(f"No segment has the name of 'gold' ({KNOWN}) of tier" in note for note in found.notes)


def test_fewer_segments_than_are_known_are_not_tried_and_noted(result: SegmentationResult) -> None:
    table, _ = customers()
    found = segment_table(table, known="tier", components=[1, 2, 3], covariance_types=["spherical"])
    assert {one.n_components for one in found.ranking} == {2, 3}
    assert (
        "Of the numbers of segments asked for with `components` 1 was not tried: 2 are known by tier."
        in found.notes
    )
    assert not any("not tried" in note for note in result.notes)


@pytest.mark.parametrize("values", [pl.Series(["gold"] * 300), np.array(["gold"] * 300), ["tier"]])
def test_values_in_place_of_a_column_are_refused(values: Any) -> None:
    with pytest.raises(ParameterError, match="`known` must be the name of a column; got") as said:
        segment_table(customers()[0], known=values)
    assert len(str(said.value)) < 200


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({"tier": pl.lit(None, dtype=pl.String)}, {}, "missing in all"),
        ({"tier": pl.int_range(300).cast(pl.String)}, {}, "300 different"),
        ({"tier": pl.int_range(300) % 3 - 2}, {}, "'tier' has -2"),
        ({"tier": pl.lit("NA")}, {}, "missing in all"),
        ({}, {"known": "tyre"}, "tyre"),
        ({}, {"describe": ["tier"]}, "one role"),
        ({}, {"known": "income", "columns": ["income", "spending"]}, "one role"),
        ({}, {"components": [1]}, "at least 2"),
        ({}, {"criterion": "cv"}, "likelihood"),
    ],
    ids=[
        "nothing known",
        "an id",
        "a negative number",
        "not available",
        "no column",
        "described",
        "building",
        "fewer segments",
        "folds",
    ],
)
def test_what_is_refused(change: dict[str, Any], options: dict[str, Any], match: str) -> None:
    table, _ = customers()
    with pytest.raises((ColumnError, ParameterError), match=match):
        segment_table(table.with_columns(**change), **{"known": "tier", **options})


def test_labels_that_say_nothing_of_where_customers_are_are_doubted() -> None:
    """Three groups apart, and labels at random: two labels in three are wrong, and no merging is offered."""
    rng = np.random.default_rng(1)
    group = rng.integers(3, size=300)
    rows = np.array([[0, 0], [8, 0], [0, 8]])[group] + rng.normal(size=(300, 2))
    drawn = [str(label) for label in rng.choice(list("ABC"), size=60)]
    frame = pl.DataFrame({"x": rows[:, 0], "y": rows[:, 1], "tier": [*drawn, *[None] * 240]})
    options: dict[str, Any] = {"known": "tier", "components": [5], "covariance_types": ["spherical"]}
    result = segment_table(frame, **options)
    assert result.known is not None
    assert result.known.n_elsewhere > 30
    doubt = (
        f"Of 60 customers known by tier {result.known.n_elsewhere} look as if they were in another segment"
    )
    assert any(note.startswith(doubt) for note in result.notes)
    assert "`merge" not in " ".join(result.notes)
    assert result.document.merging is not None
    assert result.document.merging.offered is None
    right = pl.Series("tier", [*(f"g{one}" for one in group[:60]), *[None] * 240])
    sure = segment_table(frame.with_columns(right), **options | {"components": [3]})
    assert "look as if they were in another segment" not in " ".join(sure.notes)
