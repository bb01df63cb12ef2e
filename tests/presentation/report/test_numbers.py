"""Numbers of the document that `test_document_numbers` leaves out, each computed another way."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import log2
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, chi2, multivariate_normal, norm
from sklearn.metrics import adjusted_rand_score

from mixtura.segments.stability.resample import refit_labels
from presentation.report.small_table import (
    COLUMNS,
    found,
    joint_densities,
    log_density,
    memberships_of,
    table,
)

N = 120


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    return found()[2]


def labels() -> np.ndarray:
    return memberships_of().argmax(axis=1)


def bins(values: np.ndarray) -> list[int]:
    """Twenty bins that end with the order statistics of type 2 at 5 %, 10 %, ..."""
    edges = np.unique(np.quantile(values, np.arange(1, 20) / 20, method="averaged_inverted_cdf"))
    return [int((edges < value).sum()) for value in values]


@pytest.mark.parametrize("name", [*COLUMNS, "revenue"])
def test_a_column_of_a_segment(summary: dict[str, Any], name: str) -> None:
    values, own = table()[name].to_numpy(), labels()
    for one in summary["segments"]:
        inside, rest = values[own == one["number"] - 1], values[own != one["number"] - 1]
        told = next(column for column in one["numbers"] if column["column"] == name)
        quartiles = np.quantile(inside, [0.25, 0.5, 0.75], method="averaged_inverted_cdf")
        assert (told["minimum"], told["maximum"]) == (inside.min(), inside.max())
        assert [told["q1"], told["median"], told["q3"]] == pytest.approx(quartiles)
        assert told["iqr"] == pytest.approx(quartiles[2] - quartiles[0])
        assert told["mean"] == pytest.approx(inside.mean())
        assert told["sd"] == pytest.approx(inside.std())
        pooled = np.sqrt((inside.size * inside.var() + rest.size * rest.var()) / N)
        assert told["cohens_d"] == pytest.approx((inside.mean() - rest.mean()) / pooled)


@pytest.mark.parametrize("name", COLUMNS)
def test_what_distinguishes_a_segment(summary: dict[str, Any], name: str) -> None:
    cells, own = bins(table()[name].to_numpy()), labels()
    everybody = Counter(cells)
    for one in summary["segments"]:
        told = next(column for column in one["numbers"] if column["column"] == name)
        inside = Counter(cell for cell, k in zip(cells, own, strict=True) if k == one["number"] - 1)
        size = sum(inside.values())
        rest = everybody - inside
        overlap = sum(min(inside[cell] / size, rest[cell] / (N - size)) for cell in everybody)
        bits = sum(n / size * log2((n / size) / (everybody[cell] / N)) for cell, n in inside.items())
        bits -= (len(everybody) - 1) * (1 - size / N) / (2 * size * np.log(2))
        assert told["overlap"] == pytest.approx(overlap)
        assert told["divergence_bits"] == pytest.approx(max(bits, 0.0))
        assert told["distinctness"] == pytest.approx(100 * max(bits, 0.0) / log2(N / size))


def test_intervals_of_shares_are_those_of_the_binomial(summary: dict[str, Any]) -> None:
    for one in summary["segments"]:
        assert one["share_interval"] == pytest.approx(binom.ppf([0.025, 0.975], N, one["count"] / N) / N)


def test_the_most_typical_have_the_highest_density_of_their_segment(summary: dict[str, Any]) -> None:
    mixture, rows = found()[0].model.in_user_units(), table().select(COLUMNS).to_numpy()
    for one in summary["segments"]:
        k = one["number"] - 1
        own = multivariate_normal(mixture.means[k], mixture.full_covariances()[k]).logpdf(rows)
        own[labels() != k] = -np.inf
        assert [each["row"] for each in one["typical"]] == np.argsort(-own)[: len(one["typical"])].tolist()


def test_everybody(summary: dict[str, Any]) -> None:
    for name in (*COLUMNS, "revenue"):
        values, told = table()[name].to_numpy(), summary["population"]["numbers"][name]
        assert (told["count"], told["missing"]) == (N, 0)
        assert told["mean"] == pytest.approx(values.mean())
        assert told["sd"] == pytest.approx(values.std())
        assert told["median"] == pytest.approx(np.median(values))
    shares = dict(table()["region"].value_counts(normalize=True).iter_rows())
    assert {one["level"]: one["share"] for one in summary["population"]["categories"]["region"]} == shares


def test_certainty(summary: dict[str, Any]) -> None:
    memberships, told = memberships_of(), summary["certainty"]
    largest = memberships.max(axis=1)
    entropy = -np.sum(np.where(memberships > 0, memberships * np.log(memberships), 0), axis=1)
    assert told["mean_entropy"] == pytest.approx(entropy.mean())
    assert told["normalized_entropy"] == pytest.approx(entropy.mean() / np.log(memberships.shape[1]))
    np.testing.assert_allclose(told["histogram"], np.histogram(largest, told["edges"])[0])
    for share, value in told["quantiles"].items():
        exact = np.quantile(largest, float(share), method="averaged_inverted_cdf")
        assert value == pytest.approx(exact, rel=1e-9), share


def test_criteria(summary: dict[str, Any]) -> None:
    memberships, choice = memberships_of(), summary["choice"]
    criteria = choice["criteria"]
    loss, size = -2 * log_density().sum(), choice["n_parameters"]
    assert criteria["aic"] == pytest.approx(loss + 2 * size)
    assert criteria["caic"] == pytest.approx(loss + size * (np.log(N) + 1))
    assert criteria["aicc"] == pytest.approx(loss + 2 * size + 2 * size * (size + 1) / (N - size - 1))
    certain = -2 * np.log(memberships.max(axis=1)).sum()
    assert criteria["icl"] == pytest.approx(loss + size * np.log(N) + certain)
    entropy = -np.sum(np.where(memberships > 0, memberships * np.log(memberships), 0))
    single = next(
        one["log_likelihood"]
        for one in summary["candidates"]
        if (one["covariance_type"], one["n_components"]) == (choice["covariance_type"], 1)
    )
    assert criteria["nec"] == pytest.approx(entropy / (log_density().sum() - single))


def test_single_components_have_the_likelihood_of_one_normal_distribution(summary: dict[str, Any]) -> None:
    rows = table().select(COLUMNS).to_numpy()
    shapes = {
        "full": np.cov(rows.T, bias=True),
        "tied": np.cov(rows.T, bias=True),
        "diag": np.diag(rows.var(axis=0)),
        # Round in standardized columns.
        "spherical": np.diag(rows.var(axis=0)),
    }
    for one in summary["candidates"]:
        if one["n_components"] == 1:
            exact = multivariate_normal(rows.mean(axis=0), shapes[one["covariance_type"]]).logpdf(rows).sum()
            assert one["log_likelihood"] == pytest.approx(exact, abs=1e-6)


def test_stability(summary: dict[str, Any]) -> None:
    result, told = found()[0], summary["stability"]
    values = table().select(COLUMNS).to_numpy()
    scaled = np.ascontiguousarray((values - values.mean(axis=0)) / values.std(axis=0))
    plan = {"n_bootstraps": told["n_bootstraps"], "n_init": told["n_init"], "seed": told["seed"]}
    for number in told["numbers"]:
        k = number["n_segments"]
        refits = refit_labels(scaled, result.best.covariance_type, k, **plan)
        agreements = [adjusted_rand_score(one, other) for one, other in combinations(refits, 2)]
        assert number["adjusted_rand"] == pytest.approx(np.mean(agreements))
        assert number["lower"] == pytest.approx(np.quantile(agreements, 0.05))
        if k != told["n_segments"]:
            continue
        for one in told["segments"]:
            own = set(np.flatnonzero(labels() == one["number"] - 1).tolist())
            others = [[set(np.flatnonzero(fit == j).tolist()) for j in range(k)] for fit in refits]
            best = [max(len(own & other) / len(own | other) for other in fit) for fit in others]
            assert one["jaccard"] == pytest.approx(np.mean(best))
            assert one["recovered"] == np.mean(np.array(best) >= 0.75)


def test_flows_count_who_goes_where(summary: dict[str, Any]) -> None:
    result = found()[0]
    values = table().select(COLUMNS).to_numpy()
    scaled = np.ascontiguousarray((values - values.mean(axis=0)) / values.std(axis=0))
    k = result.model.n_segments
    for flow in summary["stability"]["transitions"]:
        counts = np.array(flow["counts"])
        other = sum(counts.shape) - k
        near = next(
            one
            for one in result.ranking
            if (one.covariance_type, one.n_components) == (result.best.covariance_type, other)
        )
        assert near.mixture is not None
        pairs = pl.DataFrame({"own": labels(), "other": near.mixture.predict(scaled)})
        cells = pairs.group_by("own", "other").len()["len"].sort().to_list()
        assert sorted(counts[counts > 0].tolist()) == cells


def test_normality(summary: dict[str, Any]) -> None:
    """Mardia's b1 and b2 lead to the p-values that are told; see the paper's statistics."""
    for one in summary["diagnostics"]["normality"]:
        n, d = one["rows"], len(COLUMNS)
        by_skewness = chi2.sf(n * one["skewness"] / 6, d * (d + 1) * (d + 2) / 6)
        away = (one["kurtosis"] - d * (d + 2)) / np.sqrt(8 * d * (d + 2) / n)
        assert one["skewness_p"] == pytest.approx(by_skewness)
        assert one["kurtosis_p"] == pytest.approx(2 * norm.sf(abs(away)))


def test_weights_of_components(summary: dict[str, Any]) -> None:
    shares = joint_densities() / joint_densities().sum(axis=1, keepdims=True)
    for one in summary["segments"]:
        assert one["weight"] == pytest.approx(shares[:, one["number"] - 1].mean(), abs=1e-4)
