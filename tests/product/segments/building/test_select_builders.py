"""`select_columns` of a segmentation: what builds, what only describes, and what is said of it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fitted import remembered
from mixtura import Segmentation
from mixtura.exceptions import ColumnError, ParameterError
from mixtura.segments import SegmentationResult, SegmentModel, segment_table
from mixtura.segments.advice import advise
from mixtura.segments.building.selection_notes import selection_notes, why_role
from mixtura.select import ColumnRole, ColumnSelection, Role


def table(n_rows: int = 300) -> pl.DataFrame:
    """Three segments in two columns; one column follows from them, two are noise, and a category goes along."""
    rng = np.random.default_rng(0)
    group = rng.choice(3, size=n_rows, p=[0.5, 0.3, 0.2])
    income = rng.normal(np.array([30.0, 60.0, 90.0])[group], 6.0)
    visits = rng.normal(np.array([20.0, 5.0, 30.0])[group], 3.0)
    return pl.DataFrame(
        {
            "income": income,
            "visits": visits,
            "tax": 0.3 * income + rng.normal(size=n_rows) * 2.0,
            "shoe": rng.normal(40.0, 3.0, size=n_rows),
            "distance": rng.gamma(2.0, 5.0, size=n_rows),
            "plan": np.where(rng.random(n_rows) < np.array([0.9, 0.2, 0.1])[group], "basic", "plus"),
        }
    )


def make() -> SegmentationResult:
    options = {"components": [2, 3, 4], "covariance_types": ["diag", "tied"]}
    return segment_table(table(), select_columns=True, kinds={"plan": "category"}, **options)


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    return remembered("select-builders", make=make)


@pytest.mark.filterwarnings("ignore::mixtura.exceptions.ColumnWarning")
def test_builders_build_and_the_others_describe(result: SegmentationResult) -> None:
    assert result.columns.used == ("income", "visits")
    assert result.columns.discrete == ("plan",)
    assert set(result.columns.describe) == {"tax", "shoe", "distance"}
    assert result.model.columns == ("income", "visits")
    assert result.rows.shape == (300, 2)
    assert result.model.n_segments == 3
    described = {one.column for one in result.segments[0].numbers if one.role == "descriptive"}
    assert described == {"tax", "shoe", "distance"}
    assert {one.name for one in result.columns.left_out} >= {"tax", "shoe", "distance"}


def test_it_is_the_segmentation_of_these_columns(result: SegmentationResult) -> None:
    plain = segment_table(
        table(),
        columns=["income", "visits", "plan"],
        kinds={"plan": "category"},
        components=[2, 3, 4],
        covariance_types=["diag", "tied"],
    )
    assert plain.best.bic == pytest.approx(result.best.bic, rel=1e-12)
    np.testing.assert_array_equal(plain.assignment.labels, result.assignment.labels)


def test_the_document_says_what_every_column_is(result: SegmentationResult) -> None:
    part = result.outline.selection
    assert part is not None
    assert {one.column: one.role for one in part.columns} == {
        "income": "building",
        "visits": "building",
        "plan": "building",
        "tax": "redundant",
        "shoe": "noise",
        "distance": "noise",
    }
    assert [one.role for one in part.columns] == ["building"] * 3 + ["redundant"] + ["noise"] * 2
    follows = next(one for one in part.columns if one.column == "tax")
    assert follows.explained_by == ["income"]
    assert follows.why.endswith("% of its variance follows from income")
    note = next(note for note in result.notes if "build the segments" in note)
    assert "tax follows from them" in note
    assert "described in the profiles, and not used to make segments" in note


def test_the_model_reads_the_builders_alone(result: SegmentationResult, tmp_path) -> None:
    result.model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    few = table().select("income", "visits", "plan")
    assigned = Segmentation(loaded).assign(few)
    assert assigned["segment"].to_list() == (result.assignment.labels + 1).tolist()


def test_one_column_cannot_be_selected_from() -> None:
    with pytest.raises(ColumnError, match="`select_columns` needs at least two columns"):
        segment_table(table().select("income"), select_columns=True)


def test_one_segment_is_built_by_no_column() -> None:
    with pytest.raises(ParameterError, match="`components` must have a number above one"):
        segment_table(table().select("income", "visits"), select_columns=True, components=[1])


@pytest.mark.filterwarnings("ignore::mixtura.exceptions.ColumnWarning")
def test_without_builders_all_columns_are_used() -> None:
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({name: rng.normal(size=150) for name in "abc"})
    found = segment_table(frame, select_columns=True, components=[1, 2], covariance_types=["diag", "tied"])
    assert found.columns.used == ("a", "b", "c")
    assert any("No column builds segments" in note for note in found.notes)
    assert found.selection is not None
    assert found.selection.building == ()


@pytest.mark.slow
def test_advice_suggests_it_from_ten_columns_on() -> None:
    rng = np.random.default_rng(3)
    wide = pl.DataFrame({f"c{i}": rng.normal(size=80) for i in range(10)})
    finding = next(one for one in advise(wide).findings if one.topic == "many columns")
    assert finding.value == 10
    assert finding.arguments == {"select_columns": True}
    assert finding.call is not None
    assert "select_columns=True" in finding.call
    narrow = advise(wide.drop("c9")).findings
    assert all(one.topic != "many columns" for one in narrow)


def test_words() -> None:
    roles = (
        ColumnRole("a", Role.BUILDING, 12.0, stability=1.0),
        ColumnRole("b", Role.BUILDING, 1.0, stability=0.5),
        ColumnRole("c", Role.NOISE, -9.0),
    )
    assert why_role(roles[0]).endswith(": very strong evidence")
    assert why_role(roles[1]).endswith(": weak evidence")
    found = ColumnSelection(roles, None, 100, 5)
    notes = list(selection_notes(found, 250))
    assert notes[0].startswith(
        "a and b build the segments; c is independent of them: described in the profiles, and "
    )
    assert notes[1:] == [
        "Not all columns have the same role in resamples of the customers: b (50 %).",
        "Columns were selected in a sample of 100 of 250 customers.",
    ]
    everything = selection_notes(ColumnSelection(roles[:1], None, 100, 0), 100)
    assert everything == ("All columns build the segments.",)
    assert selection_notes(None, 10) == ()
