"""Segments of an earlier model that are kept, and new ones beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fitted
from mixtura import Segmentation
from mixtura.exceptions import ColumnError, ParameterError
from mixtura.segments import SegmentationResult, segment_table

pytestmark = pytest.mark.filterwarnings("ignore::mixtura.exceptions.ColumnWarning")


def customers(n_new: int = 0, seed: int = 0) -> pl.DataFrame:
    """Return 300 customers of two groups, and some of a third one."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1, 2], [150, 150, n_new])
    income = rng.normal(np.array([30.0, 60.0, 85.0])[group], 6.0)
    spending = rng.normal(np.array([80.0, 40.0, 95.0])[group], 7.0)
    visits = rng.poisson(np.array([2.0, 6.0, 14.0])[group])
    return pl.DataFrame({"income": income, "spending": spending, "visits": visits})


def both() -> tuple[SegmentationResult, SegmentationResult]:
    earlier = segment_table(customers(), components=[2], names={1: "savers"}, source="2025.csv")
    return earlier, segment_table(customers(40, seed=1), keep=earlier.model, components=[2, 3, 4])


@pytest.fixture
def results() -> tuple[SegmentationResult, SegmentationResult]:
    return fitted.remembered("kept segments", customers().to_numpy(), make=both)


def test_segments_keep_number_name_and_place(results: Any) -> None:
    earlier, later = results
    assert later.model.n_segments == 3
    assert later.model.names[:2] == earlier.model.names
    assert later.model.names[0] == "savers"
    before, now = earlier.model.mixture, later.model.mixture
    assert now.means[:2].tobytes() == before.means.tobytes()
    assert now.covariances[:2].tobytes() == before.full_covariances().tobytes()
    known = len(before.levels.logs) - 2  # but for the level of larger numbers, and that of missing values
    assert now.levels.logs[:known, :2].tobytes() == before.levels.logs[:known].tobytes()
    beyond = np.exp(now.levels.logs[known:-1, :2]).sum(axis=0)
    np.testing.assert_allclose(beyond, np.exp(before.levels.logs[known]), rtol=1e-6)
    assert later.model.scaling.center.tobytes() == earlier.model.scaling.center.tobytes()


def test_new_customers_are_in_the_new_segment(results: Any) -> None:
    later = results[1]
    assert (later.assignment.labels[300:] == 2).mean() > 0.95
    assert (later.assignment.labels[:300] == 2).mean() < 0.05


def test_shares_before_and_now(results: Any) -> None:
    earlier, later = results
    found = later.kept
    assert (found.source, found.n_new) == ("2025.csv", 1)
    assert [one.share_before for one in found.segments] == [*earlier.model.mixture.weights.tolist(), None]
    assert [one.share for one in found.segments] == later.model.mixture.weights.tolist()
    assert sum(one.customers for one in found.segments) == 340
    assert found.criterion_without_new > later.best.bic
    assert later.outline.kept.segments[2].is_kept is False
    assert later.stability is None


def test_a_model_of_kept_segments_is_a_model(results: Any, tmp_path: Path) -> None:
    later = results[1]
    later.model.save(tmp_path / "model.json")
    again = Segmentation.load(tmp_path / "model.json").assign(customers(40, seed=1))
    np.testing.assert_array_equal(again["segment"].to_numpy(), later.assignment.labels + 1)


def test_where_nothing_is_new_all_stays(results: Any) -> None:
    again = segment_table(customers(seed=2), keep=results[0].model, components=[2, 3])
    assert again.model.names == results[0].model.names
    assert again.kept is not None
    assert again.kept.n_new == 0


def test_rows_may_lack_values_and_have_weights(results: Any) -> None:
    table = customers(40, seed=1).with_columns(
        income=pl.when(pl.int_range(340) % 7 > 0).then("income"), counts=1.0 + pl.int_range(340) % 3
    )
    found = segment_table(table, keep=results[0].model, weight="counts", components=[2, 3])
    assert found.kept is not None
    assert found.kept.n_new == 1


def weighted(n_new: int = 0, seed: int = 0) -> pl.DataFrame:
    """Return customers of whom those of the first group count three times."""
    return customers(n_new, seed).with_columns(
        counts=pl.when(pl.int_range(300 + n_new) < 150).then(3.0).otherwise(1.0)
    )


def test_the_weight_is_that_of_the_model() -> None:
    model = segment_table(weighted(), components=[2], weight="counts").model
    found, later = weighted(seed=1), {"keep": model, "components": [2]}
    now = segment_table(found, **later)
    assert now.columns.weight == "counts"
    np.testing.assert_allclose(now.model.mixture.weights, [0.75, 0.25], atol=0.01)
    assert any("count by counts, as those of the model" in note for note in now.notes)
    once = segment_table(found, weight="none", **later)
    np.testing.assert_allclose(once.model.mixture.weights, [0.5, 0.5], atol=0.01)
    assert any(
        "every customer counts once, and those of the model that is kept by counts" in note
        for note in once.notes
    )
    with pytest.raises(ParameterError, match=r"`weight` must be said: .* 'counts', which the table lacks"):
        segment_table(found.drop("counts"), **later)


def test_fewer_segments_than_are_kept_are_not_tried_and_noted(results: Any) -> None:
    model = results[1].model
    found = segment_table(customers(), keep=model, components=[1, 2, 3], covariance_types=["diag"])
    assert {one.n_components for one in found.ranking} == {3}
    assert (
        "Of the numbers of segments asked for with `components` 1 and 2 were not tried: 3 are kept."
        in found.notes
    )


def test_nothing_is_recommended_that_does_not_go_with_it(results: Any) -> None:
    table = customers(seed=1).with_columns(income=(pl.col("income") / 8).exp())
    assert any("transform" in note for note in segment_table(table, components=[2]).notes)
    assert not any(
        "transform" in note for note in segment_table(table, keep=results[0].model, components=[2]).notes
    )


def test_stability_of_kept_segments_is_not_measured(results: Any) -> None:
    fitted_again = Segmentation(results[1].model, results[1])
    with pytest.raises(ParameterError, match="Stability is measured of segments that are found"):
        fitted_again.stability(5)


def test_a_segmentation_in_place_of_its_model_is_refused(results: Any) -> None:
    with pytest.raises(ParameterError, match=r"got Segmentation\. Try its `\.model`"):
        segment_table(customers(), keep=Segmentation(results[0].model))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"got int\.$"):
        segment_table(customers(), keep=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"columns": ["income", "spending"]}, "`columns` cannot"),
        ({"transform": "log1p"}, "`transform` cannot"),
        ({"kinds": "continuous"}, "`kinds` cannot"),
        ({"known": "visits"}, "`known` cannot"),
        ({"select_columns": True}, "`select_columns` cannot"),
        ({"robust": "noise"}, "`robust` cannot"),
        ({"criterion": "cv"}, "'cv' with `keep`"),
        ({"components": [1]}, "at least 2"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_what_does_not_go_with_it(results: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        segment_table(customers(), keep=results[0].model, **options)


def test_a_table_without_a_column_of_the_model_is_refused(results: Any) -> None:
    with pytest.raises(ColumnError, match="visits"):
        segment_table(customers().drop("visits"), keep=results[0].model)
