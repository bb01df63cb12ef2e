"""Segments that are chosen by customers held out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura import Segmentation
from mixtura.datasets import make_customers
from mixtura.exceptions import ParameterError
from mixtura.segments import Effort, segment_table, select_table
from mixtura.select import cross_validate
from naive import naive_simplest


@pytest.mark.slow
def test_rows_held_out_choose_segments_in_the_users_units() -> None:
    """One component has the same mixture in all units, and its score is that of the table's own rows."""
    frame = make_customers(as_frame="polars")
    options = {"criterion": "cv", "n_folds": 4, "covariance_types": ["full", "diag"]}
    result = segment_table(frame, components=[1, 3, 4], **options)
    own = cross_validate(make_customers(), components=[1], covariance_types=["full"], n_folds=4).best
    (one,) = (c for c in result.ranking if (c.covariance_type, c.n_components) == ("full", 1))
    assert one.criterion("cv") == pytest.approx(own.score, rel=1e-9)
    assert one.criteria["cv_standard_error"] == pytest.approx(own.standard_error, rel=1e-6)
    assert result.minimum is result.ranking[0]
    reach = result.minimum.criterion("cv") + result.minimum.criteria["cv_standard_error"]
    within = [one for one in result.ranking if one.criterion("cv") <= reach]
    assert result.best.n_parameters == min(one.n_parameters for one in within)
    assert result.best is not result.minimum
    assert result.excluded == ()
    assert any(note.startswith("The smallest CV is that of") for note in result.notes)
    choice = result.with_effort(Effort(resamples=0)).document.to_dict()["choice"]
    assert (choice["criterion_name"], choice["n_folds"]) == ("cv", 4)
    assert choice["criteria"]["cv"] == result.best.criterion("cv")
    assert result.document.to_dict()["candidates"][0]["cv_failure"] is None


def test_transforms_move_scores_by_what_they_add_and_leave_the_choice() -> None:
    rows = np.exp(make_customers() / 40)
    frame = pl.DataFrame(rows, schema=["a", "b"])
    options = {"criterion": "cv", "n_folds": 4, "components": [1, 2, 3], "covariance_types": ["tied", "diag"]}
    found = select_table(frame, transform="log1p", **options).found
    logs = select_table(pl.DataFrame(np.log1p(rows), schema=["a", "b"]), **options).found
    added = 2 * np.log1p(rows).sum()
    for one, other in zip(found.ranking, logs.ranking, strict=True):
        assert one.criterion("cv") == pytest.approx(other.criterion("cv") + added, rel=1e-6)
        assert one.criteria["cv_standard_error"] == pytest.approx(
            other.criteria["cv_standard_error"], rel=1e-4
        )
    assert found.best.n_components == logs.best.n_components


def test_outliers_are_no_segments_where_rows_held_out_choose() -> None:
    """What is passed over lends neither its score nor its error."""
    rows = np.vstack([make_customers(), [[120.0, 120.0], [121.0, 121.0]]])
    options = {"components": [1, 2, 3], "covariance_types": ["spherical", "diag"], "n_folds": 3}
    result = segment_table(pl.DataFrame(rows, schema=["a", "b"]), criterion="cv", **options)
    few = [one for one in result.ranking if one.mixture.weights.min() * 302 <= 2]
    assert list(result.excluded) == few
    assert result.ranking[0] in few
    left = [one for one in result.ranking if one not in few]
    models = [(one.criterion("cv"), one.criteria["cv_standard_error"], one.n_parameters) for one in left]
    assert result.minimum is left[0]
    assert result.best is left[naive_simplest(models)]
    assert result.best is not result.minimum
    assert result.notes[0].startswith("Excluded, with a smaller criterion")
    assert result.notes[1].startswith(f"The smallest CV is that of {left[0].covariance_type} with")


def test_where_no_number_is_given_every_fold_leaves_rows_enough() -> None:
    frame = make_customers(as_frame="polars").head(11)
    found = select_table(frame, criterion="cv", n_folds=2, covariance_types=["EII"]).found
    assert [one.n_components for one in found.candidates] == [1, 2, 3, 4, 5]


def test_folds_are_refused_and_taken_where_segments_are_fitted() -> None:
    frame = make_customers(as_frame="polars")
    options = {"components": [2, 3], "covariance_types": ["tied"], "criterion": "cv"}
    assert Segmentation.fit(frame, n_folds=3, **options).result.best.folds.values.shape == (3,)
    with pytest.raises(ParameterError, match="`n_folds` must be a whole number of at least 2; got 1"):
        Segmentation.fit(frame, n_folds=1, **options)
