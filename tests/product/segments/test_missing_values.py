"""Tables with missing values: every row is used with the values that it has."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from scipy.stats import multivariate_normal
from sklearn.metrics import silhouette_score

import mixtura
from mixtura import Mixture
from mixtura.cli.printing.print_segmentation import print_segmentation
from mixtura.core.impute import expected_log_density
from mixtura.datasets import make_customers
from mixtura.segments import segment_table
from mixtura.segments.comparison.agreement import silhouette_widths
from mixtura.segments.results.effort import Effort
from mixtura.segments.results.notes import missing_by_segment_notes
from mixtura.segments.results.segmentation_result import SegmentationResult

COLUMNS = ["income", "spending", "age"]


def table(share: float = 0.15, seed: int = 0) -> pl.DataFrame:
    """Customers with missing values at random; row 4 alone has none at all."""
    rng = np.random.default_rng(seed)
    whole = np.column_stack([make_customers(300), 40 + 10 * rng.normal(size=300)])
    holes = np.where(rng.random(whole.shape) < share, np.nan, whole)
    holes[3], holes[4:, 2] = np.nan, np.where(np.isnan(holes[4:]).all(axis=1), 40.0, holes[4:, 2])
    return pl.DataFrame(holes, schema=COLUMNS).fill_nan(None)


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    found = segment_table(table(), components=[3], covariance_types=["diag"])
    return found.with_effort(Effort(resamples=4, points=300, draws=500))


def test_rows_are_in_a_segment_unless_they_have_no_value(result: SegmentationResult) -> None:
    complete = result.assignment.complete
    assert np.flatnonzero(~complete).tolist() == [3]
    assert (result.assignment.labels[complete] >= 0).all()
    assert np.isfinite(result.assignment.log_density[complete]).all()
    assert any("missing, in" in note and "lack one" in note for note in result.notes)
    assert any("1 row in no segment" in note for note in result.notes)


def test_segments_are_those_of_the_whole_table(result: SegmentationResult) -> None:
    rng = np.random.default_rng(0)
    whole = np.column_stack([make_customers(300), 40 + 10 * rng.normal(size=300)])
    same = segment_table(pl.DataFrame(whole, schema=COLUMNS), components=[3], covariance_types=["diag"])
    means, expected = (np.sort(found.model.in_user_units().means[:, :2], axis=0) for found in (result, same))
    np.testing.assert_allclose(means, expected, atol=4)


@pytest.mark.parametrize("transform", ["none", "log1p", "yeo-johnson"])
def test_the_likelihood_is_that_of_what_is_known_in_the_units_of_the_table(transform: str) -> None:
    frame = table()
    found = segment_table(
        frame, components=[2], covariance_types=["full"], transform={"income": transform, "*": "none"}
    )
    model = found.model
    total = 0.0
    for row in found.rows:
        known = np.flatnonzero(~np.isnan(row))
        scaled = model.scaling.apply(row[None])[0, known]
        total += float(model.mixture.marginal(known.tolist()).log_density(scaled[None])[0])
        for d in known:
            total += float(
                model.transforms[d].log_derivative(row[d : d + 1])[0] - np.log(model.scaling.scale[d])
            )
    assert found.best.log_likelihood == pytest.approx(total, rel=1e-9)


def test_densities_of_whole_rows_are_expected() -> None:
    """One Gaussian: the mean of ``log p(x)`` over draws of what is missing."""
    covariance = np.array([[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 1.5]])
    mixture = Mixture.from_parameters([1.0], [[0.0, 1.0, 2.0]], [covariance])
    row = np.array([[0.5, np.nan, np.nan]])
    given = mixture.conditional([0], [0.5])
    drawn = given.sample(200_000, random_state=0)[0]
    whole = np.column_stack([np.full(len(drawn), 0.5), drawn])
    reference = multivariate_normal(mixture.means[0], covariance).logpdf(whole).mean()
    found = mixture.log_density(row) + expected_log_density(mixture, row, np.ones((1, 1)))
    assert float(found[0]) == pytest.approx(reference, abs=0.02)
    complete = np.array([[0.5, 1.0, 2.0]])
    assert expected_log_density(mixture, complete, np.ones((1, 1))).tolist() == [0.0]


def test_rows_with_missing_values_are_no_more_often_anomalies() -> None:
    found = segment_table(table(0.3), components=[3], covariance_types=["full"], anomaly_percentile=20)
    lacking = np.isnan(found.rows).any(axis=1)
    odd = found.assignment.anomaly[found.assignment.complete]
    assert 0.05 < odd[lacking].mean() < 1.2 * odd[~lacking].mean()


def test_everything_that_is_shown_can_be_made(result: SegmentationResult, tmp_path: Path) -> None:
    document = result.document
    assert document.stability is not None
    missing = np.isnan(result.rows)
    for one in document.anomalies.customers:
        place = int(result.assignment.complete[: one.row].sum())
        named = {driver.column for driver in one.drivers}
        assert named == {name for d, name in enumerate(COLUMNS) if not missing[place, d]}
    assert result.kmeans.labels.shape == (299,)
    assert len(result.normality) == 3


def test_what_goes_with_the_segments_is_noted() -> None:
    labels = np.repeat([0, 1], 200)
    rows = np.random.default_rng(0).normal(size=(400, 2))
    assert missing_by_segment_notes(rows, labels, 2, ["a", "b"]) == ()
    by_chance, selective = rows.copy(), rows.copy()
    by_chance[::5, 0] = np.nan
    assert missing_by_segment_notes(by_chance, labels, 2, ["a", "b"]) == ()
    selective[:80, 1] = np.nan
    (said,) = missing_by_segment_notes(selective, labels, 2, ["a", "b"])
    assert "b (0 to 40 %)" in said
    assert "a (" not in said


def test_a_column_without_any_value_is_left_out() -> None:
    frame = table().with_columns(void=pl.lit(None, dtype=pl.Float64))
    found = segment_table(frame, components=[2])
    assert "void" in {one.name for one in found.columns.left_out}


def test_leaving_rows_out_is_as_if_they_were_not_there() -> None:
    frame = table()
    options: dict[str, Any] = {"components": [3], "covariance_types": ["diag"]}
    dropped = segment_table(frame, drop_missing=True, **options)
    never = segment_table(frame.drop_nulls(), **options)
    np.testing.assert_array_equal(dropped.rows, never.rows)
    assert dropped.best.bic == never.best.bic


def test_the_silhouette_is_that_of_the_rows_without_missing_values() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 2)), np.arange(60) % 2
    rows[labels == 1] += 4.0
    wanted = silhouette_score(rows[10:], labels[10:])
    rows[:10, 0] = np.nan
    found = silhouette_widths(rows, (labels,))
    assert found.n_rows == 50
    assert found.widths[0] == pytest.approx(wanted, rel=1e-9)
    assert np.isnan(silhouette_widths(rows[:10], (labels[:10],)).widths[0])


def test_the_document_has_typical_customers_and_anomalies_that_lack_values() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 3))
    rows[rng.uniform(size=rows.shape) < 0.5] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mixtura.exceptions.ColumnWarning)
        found = segment_table(pl.DataFrame(rows, schema=["a", "b", "c"]), components=[1])
    values = [value for one in found.document.segments[0].typical for value in one.values.values()]
    assert None in values
    lacking = [one for one in found.document.anomalies.customers if len(one.drivers) < 3]
    assert lacking
    printed = io.StringIO()
    console = Console(width=120, file=printed)
    print_segmentation(console, found.document)
    assert lacking[0].customer in printed.getvalue()
