"""Numbers of the document, each against one computed another way from the same table; `test_numbers` has the rest."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura.segments import Effort, segment_table
from presentation.report.small_table import COLUMNS, found, log_density, memberships_of, table


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    return found()[2]


@pytest.fixture(scope="module")
def memberships() -> np.ndarray:
    return memberships_of()


def test_it_is_json(summary: dict[str, Any]) -> None:
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_the_parts(summary: dict[str, Any]) -> None:
    assert set(summary) == {
        "format", "format_version", "mixtura_version", "table", "verdict", "choice", "transforms", "population",
        "segments", "certainty", "ambiguous", "least_certain", "anomalies", "overlap", "kmeans", "stability",
        "candidates", "diagnostics", "notes", "seconds", "selection",
        "known", "kept", "merging",
    }  # fmt: skip
    assert summary["format_version"] == 3


def test_the_verdict(summary: dict[str, Any], memberships: np.ndarray) -> None:
    verdict, stability = summary["verdict"], found()[1]
    assert verdict["segments"] == memberships.shape[1]
    assert (verdict["customers"], verdict["customers_left_out"]) == (120, 0)
    assert verdict["mean_certainty"] == pytest.approx(memberships.max(axis=1).mean())
    assert verdict["expected_error"] == pytest.approx(1 - memberships.max(axis=1).mean())
    assert verdict["n_ambiguous"] == (memberships.max(axis=1) < 0.6).sum()
    assert verdict["stability"] == stability.verdict.value
    assert verdict["adjusted_rand"] == stability.overall.adjusted_rand


def test_sizes_means_and_values(summary: dict[str, Any], memberships: np.ndarray) -> None:
    grouped = table().with_columns(pl.Series("segment", memberships.argmax(axis=1) + 1))
    for one in summary["segments"]:
        own = grouped.filter(pl.col("segment") == one["number"])
        assert one["count"] == own.height
        assert one["share"] == pytest.approx(own.height / 120)
        for name in COLUMNS:
            assert one["means"][name] == pytest.approx(own[name].mean())
            apart = (own[name].mean() - grouped[name].mean()) / grouped[name].std(ddof=0)
            assert one["differences"][name] == pytest.approx(apart)
        assert one["value"]["total"] == pytest.approx(own["revenue"].sum())
        assert one["value"]["share"] == pytest.approx(own["revenue"].sum() / grouped["revenue"].sum())
        assert one["value"]["mean"] == pytest.approx(own["revenue"].mean())
        assert one["value"]["index"] == pytest.approx(own["revenue"].mean() / grouped["revenue"].mean())


def test_levels_and_their_lift(summary: dict[str, Any], memberships: np.ndarray) -> None:
    grouped = table().with_columns(pl.Series("segment", memberships.argmax(axis=1) + 1))
    everybody = dict(grouped["region"].value_counts(normalize=True).iter_rows())
    for one in summary["segments"]:
        own = dict(
            grouped.filter(pl.col("segment") == one["number"])["region"]
            .value_counts(normalize=True)
            .iter_rows()
        )
        for level in one["categories"][0]["levels"]:
            assert level["share"] == pytest.approx(own.get(level["level"], 0.0))
            assert level["lift"] == pytest.approx(own.get(level["level"], 0.0) / everybody[level["level"]])


def test_bands_of_certainty(summary: dict[str, Any], memberships: np.ndarray) -> None:
    largest = memberships.max(axis=1)
    bands = summary["certainty"]["bands"]
    assert sum(band["count"] for band in bands) == 120
    for band in bands:
        high = band["upper"] if band["upper"] < 1 else 2
        assert band["count"] == ((largest >= band["lower"]) & (largest < high)).sum()


def test_the_expected_confusion(summary: dict[str, Any], memberships: np.ndarray) -> None:
    labels = memberships.argmax(axis=1)
    expected = [memberships[labels == k].mean(axis=0) for k in range(memberships.shape[1])]
    np.testing.assert_allclose(summary["certainty"]["confusion"], expected, rtol=1e-9, atol=1e-12)


def test_ambiguous_customers(summary: dict[str, Any], memberships: np.ndarray) -> None:
    largest = memberships.max(axis=1)
    rows = [row for row in np.argsort(largest, kind="stable") if largest[row] < 0.9]
    listed = summary["ambiguous"]["customers"]
    assert summary["ambiguous"]["count"] == len(rows)
    assert [one["row"] for one in listed] == rows
    for one in listed:
        second, first = np.argsort(memberships[one["row"]], kind="stable")[-2:]
        assert one["customer"] == f"C{one['row']:03d}"
        assert (one["first"], one["second"]) == (first + 1, second + 1)
        assert one["first_membership"] == pytest.approx(memberships[one["row"], first])
        assert one["second_membership"] == pytest.approx(memberships[one["row"], second])


def test_anomalies_and_what_drives_them(summary: dict[str, Any], memberships: np.ndarray) -> None:
    density = log_density()
    threshold = np.percentile(density, 4)
    rows = [row for row in np.argsort(density, kind="stable") if density[row] < threshold]
    listed = summary["anomalies"]["customers"]
    assert [one["row"] for one in listed] == rows
    mixture = found()[0].model.in_user_units()
    precisions = np.linalg.inv(mixture.full_covariances())
    values = table().select(COLUMNS).to_numpy()
    for one in listed:
        assert one["log_density"] == pytest.approx(density[one["row"]])
        assert one["segment"] == memberships[one["row"]].argmax() + 1
        assert sum(driver["share"] for driver in one["drivers"]) == pytest.approx(1)
        assert one["drivers"] == sorted(one["drivers"], key=lambda driver: -driver["share"])
        k, row = one["segment"] - 1, values[one["row"]]
        for driver in one["drivers"]:
            d = COLUMNS.index(driver["column"])
            assert driver["value"] == row[d]
            others = np.delete(np.arange(len(COLUMNS)), d)
            covariance = mixture.full_covariances()[k]
            slope = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, d])
            usual = mixture.means[k, d] + slope @ (row - mixture.means[k])[others]
            assert driver["expected"] == pytest.approx(usual)
    # Without a slant, a column's part is its squared distance in its own deviations.
    if np.allclose(precisions, [np.diag(np.diag(one)) for one in precisions]):
        one = listed[0]
        away = (values[one["row"]] - mixture.means) ** 2 * np.array([np.diag(p) for p in precisions])
        expected = memberships[one["row"]] @ away
        shares = {driver["column"]: driver["share"] for driver in one["drivers"]}
        np.testing.assert_allclose([shares[name] for name in COLUMNS], expected / expected.sum(), rtol=1e-9)


def test_the_comparison_with_kmeans(summary: dict[str, Any], memberships: np.ndarray) -> None:
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    result, labels = found()[0], memberships.argmax(axis=1)
    values = table().select(COLUMNS).to_numpy()
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    clusters, kmeans = result.kmeans.labels, summary["kmeans"]
    moved = clusters != labels
    assert kmeans["n_moved"] == moved.sum()
    assert kmeans["agreement"] == pytest.approx(1 - moved.mean())
    assert kmeans["adjusted_rand"] == pytest.approx(adjusted_rand_score(labels, clusters))
    assert kmeans["silhouette_mixture"] == pytest.approx(silhouette_score(scaled, labels))
    assert kmeans["silhouette_kmeans"] == pytest.approx(silhouette_score(scaled, clusters))
    assert kmeans["certainty_moved"] == pytest.approx(memberships.max(axis=1)[moved].mean())
    np.testing.assert_array_equal(
        kmeans["table"], [[((labels == i) & (clusters == j)).sum() for j in range(len(kmeans["table"]))]
                          for i in range(len(kmeans["table"]))],
    )  # fmt: skip


def test_criteria_are_those_of_the_likelihood(summary: dict[str, Any]) -> None:
    choice = summary["choice"]
    assert choice["log_likelihood"] == pytest.approx(log_density().sum())
    assert choice["criteria"]["bic"] == pytest.approx(
        -2 * log_density().sum() + choice["n_parameters"] * np.log(120)
    )
    assert summary["diagnostics"]["rows_per_parameter"] == pytest.approx(120 / choice["n_parameters"])
    assert choice["criteria"]["bic"] == min(one["criteria"]["bic"] for one in summary["candidates"])


def test_normality_is_measured_on_all_customers(summary: dict[str, Any]) -> None:
    tested = summary["diagnostics"]["normality"]
    assert sum(one["rows"] for one in tested) == 120
    assert {one["kurtosis_normal"] for one in tested} == {8.0}
    assert all(0 <= one["energy_p"] <= 1 for one in tested)


def test_overlap_is_close_to_the_expected_error_of_drawn_customers(summary: dict[str, Any]) -> None:
    mixture = found()[0].model.mixture
    rows, labels = mixture.sample(40_000, 1)
    wrong = (mixture.predict(rows) != labels).mean()
    assert summary["overlap"]["error_rate"] == pytest.approx(wrong, abs=0.01)


def test_without_resamples_nothing_is_said_of_stability() -> None:
    result = found()[0].with_effort(Effort(resamples=0))
    assert result.stability is None
    unknown = result.document.to_dict()
    assert unknown["stability"] is None
    assert unknown["verdict"]["stability"] is None


def test_rows_left_out_are_counted_and_anomalies_found_behind_them() -> None:
    gaps = table().with_columns(
        pl.when(pl.int_range(120) < 7).then(None).otherwise(pl.col("income")).alias("income")
    )
    result = segment_table(gaps, columns=COLUMNS, id_column="customer", components=[2], drop_missing=True)
    summary = result.with_effort(Effort(resamples=0)).document.to_dict()
    assert (summary["verdict"]["customers"], summary["verdict"]["customers_left_out"]) == (113, 7)
    for one in summary["anomalies"]["customers"]:
        assert one["customer"] == f"C{one['row']:03d}"
        income = next(driver for driver in one["drivers"] if driver["column"] == "income")
        assert income["value"] == gaps["income"][one["row"]]


def test_one_segment_has_no_ambiguous_customers() -> None:
    result = segment_table(table(), columns=COLUMNS, components=[1])
    summary = result.with_effort(Effort(resamples=0)).document.to_dict()
    assert summary["verdict"]["segments"] == 1
    assert summary["ambiguous"] == {"below": 0.9, "count": 0, "share": 0.0, "customers": []}
